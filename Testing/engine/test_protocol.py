import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from SAMUNetSlicerLib.engine.serving import MAGIC, FrameError, FrameReader, Message, pack

_ARRAYS = st.dictionaries(
    st.text(min_size=1, max_size=8),
    hnp.arrays(
        st.sampled_from(["|b1", "<u1", "<i8", "<f4", ">f8"]), hnp.array_shapes(min_dims=0, min_side=0)
    ),
    max_size=3,
)
_FIELDS = st.dictionaries(
    st.text(), st.one_of(st.integers(), st.text(), st.none(), st.booleans()), max_size=3
)
_MESSAGES = st.lists(st.builds(Message, st.text(), _FIELDS, _ARRAYS), min_size=1, max_size=3)


@settings(deadline=None, max_examples=60)
@given(_MESSAGES, st.integers(1, 50))
def test_messages_arrive_as_they_were_sent_however_the_stream_is_cut(messages, chunk):
    stream = b"".join(bytes(buffer) for message in messages for buffer in pack(message))
    decoder, arrived = FrameReader(), []
    for start in range(0, len(stream), chunk):
        arrived += decoder.feed(stream[start : start + chunk])
    assert [(message.kind, message.fields) for message in arrived] == [(m.kind, m.fields) for m in messages]
    for sent, received in zip(messages, arrived):
        assert list(sent.arrays) == list(received.arrays)
        for name, array in sent.arrays.items():
            assert received.arrays[name].shape == array.shape
            np.testing.assert_array_equal(received.arrays[name], array)


def test_received_arrays_are_writable_because_torch_warns_about_others():
    stream = b"".join(bytes(buffer) for buffer in pack(Message("k", {}, {"a": np.arange(3)})))
    FrameReader().feed(stream)[0].arrays["a"][0] = 7


def test_a_slice_of_an_array_is_sent_by_its_values_not_by_its_memory():
    array = np.arange(20).reshape(4, 5)[::2, ::-1]
    stream = b"".join(bytes(buffer) for buffer in pack(Message("k", {}, {"a": array})))
    np.testing.assert_array_equal(FrameReader().feed(stream)[0].arrays["a"], array)


@pytest.mark.parametrize(
    "stream",
    [
        MAGIC + b"\x02\x00\x00\x00" + b"printed by a library\n",
        MAGIC + b"\xff\xff\xff\xff",
        MAGIC + b"\x02\x00\x00\x00{]",
        MAGIC + b"\x02\x00\x00\x00{}",
        MAGIC + (58).to_bytes(4, "little") + b'{"kind":"k","fields":{},"arrays":[["a","|O",[1]]]}'.ljust(58),
        MAGIC
        + (58).to_bytes(4, "little")
        + b'{"kind":"k","fields":{},"arrays":[["a","<f8",[-1]]]}'.ljust(58),
    ],
)
def test_a_damaged_stream_is_refused(stream):
    with pytest.raises(FrameError):
        FrameReader().feed(stream)


@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_what_is_printed_before_the_first_frame_is_skipped(chunk):
    stream = b"Slicer is starting\n" + MAGIC[:2] + b"".join(bytes(buffer) for buffer in pack(Message("k")))
    decoder = FrameReader()
    arrived = [
        message for i in range(0, len(stream), chunk) for message in decoder.feed(stream[i : i + chunk])
    ]
    assert [message.kind for message in arrived] == ["k"]


def test_objects_are_never_sent():
    with pytest.raises(FrameError, match="do not travel"):
        pack(Message("k", {}, {"a": np.array([object()])}))
