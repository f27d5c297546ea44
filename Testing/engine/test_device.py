"""Devices, precisions, and the ladder that is climbed down when memory runs out."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from SAMUNetSlicerLib.engine.models import MemoryLadder, device, resolve_device, resolve_precision
from SAMUNetSlicerLib.errors import EngineError


class SmallMachine:
    """A model whose device has room for only so many images at once."""

    def __init__(self, room, placement=("cuda:0", "fp32")):
        self.room = room
        self.placement = placement
        self.visited = [placement]

    def to(self, name, precision):
        self.placement = (name, precision)
        self.visited.append(self.placement)
        return self

    def encode(self, images):
        if len(images) > self.room[self.placement]:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return [f"{image} in {self.placement[1]}" for image in images]


@pytest.fixture
def cpu_without_bf16(monkeypatch):
    monkeypatch.setattr(device, "cpu_multiplies_bf16", lambda: False)


CUDA32, CUDA16, CPU32 = ("cuda:0", "fp32"), ("cuda:0", "fp16"), ("cpu", "fp32")


def test_enough_memory_runs_full_batches_in_silence():
    model, said = SmallMachine({CUDA32: 4}), []
    results = MemoryLadder(model, 4, said.append).run("abcdef", model.encode)
    assert results == [f"{c} in fp32" for c in "abcdef"]
    assert said == [] and model.visited == [CUDA32]


def test_smaller_batches_come_first_and_are_announced_once():
    model, said = SmallMachine({CUDA32: 1}), []
    ladder = MemoryLadder(model, 8, said.append)
    assert ladder.run("abcdefghi", model.encode) == [f"{c} in fp32" for c in "abcdefghi"]
    assert ladder.batch_size == 1
    assert said == ["Memory ran out: continuing with smaller batches."]


def test_half_precision_comes_before_the_cpu(cpu_without_bf16):
    model, said = SmallMachine({CUDA32: 0, CUDA16: 2, CPU32: 9}), []
    ladder = MemoryLadder(model, 2, said.append)
    assert ladder.run("abc", model.encode) == ["a in fp16", "b in fp16", "c in fp16"]
    assert model.visited == [CUDA32, CUDA16]
    assert said[-1] == "Memory ran out: continuing on cuda:0 in fp16."


def test_the_work_done_before_memory_ran_out_is_kept(cpu_without_bf16):
    model = SmallMachine({CUDA32: 2, CUDA16: 0, CPU32: 2})
    ladder = MemoryLadder(model, 2, lambda sentence: None)

    def fills_up(images):
        if "c" in images:
            model.room[CUDA32] = 0
        return model.encode(images)

    assert ladder.run("abcd", fills_up) == ["a in fp32", "b in fp32", "c in fp32", "d in fp32"]
    assert model.visited == [CUDA32, CUDA16, CPU32]


def test_the_ladder_remembers_where_it_came_down_to(cpu_without_bf16):
    model, said = SmallMachine({CUDA32: 0, CUDA16: 0, CPU32: 8}), []
    ladder = MemoryLadder(model, 1, said.append)
    ladder.run("a", model.encode)
    ladder.run("b", model.encode)
    assert model.visited == [CUDA32, CUDA16, CPU32]
    assert len(said) == 2


def test_a_rung_without_room_for_the_network_itself_is_passed_over(cpu_without_bf16):
    model, said = SmallMachine({CUDA32: 0, CPU32: 8}), []
    move = model.to

    def to(name, precision):
        if name != "cpu":
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return move(name, precision)

    model.to = to
    assert MemoryLadder(model, 1, said.append).run("ab", model.encode) == ["a in fp32", "b in fp32"]
    assert said == ["Memory ran out: continuing on cpu in fp32."]


def test_no_memory_on_the_last_rung_is_one_clear_sentence(cpu_without_bf16):
    model = SmallMachine({CPU32: 0}, CPU32)
    with pytest.raises(EngineError, match="not enough memory for a single image"):
        MemoryLadder(model, 4, lambda sentence: None).run("a", model.encode)


def test_other_errors_are_not_taken_for_a_lack_of_memory():
    def call(images):
        raise RuntimeError("shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes"):
        MemoryLadder(SmallMachine({}), 4, lambda sentence: None).run("a", call)


@given(st.integers(0, 30), st.integers(1, 9), st.integers(1, 9))
@settings(deadline=None, max_examples=50)
def test_every_item_is_answered_once_and_in_order(count, batch_size, room):
    model = SmallMachine({CUDA32: room})
    items = list(range(count))
    results = MemoryLadder(model, batch_size, lambda sentence: None).run(items, model.encode)
    assert results == [f"{i} in fp32" for i in items]


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    ],
)
def test_every_way_of_running_out_of_memory_is_recognized(error):
    assert device.is_out_of_memory(error)


def test_torch_really_reports_a_cpu_allocation_that_cannot_be_met():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**50, dtype=torch.uint8)
    assert device.is_out_of_memory(caught.value)


def test_auto_device_is_the_first_available():
    assert resolve_device("auto") == device.available_devices()[0]
    assert resolve_device("cpu") == "cpu"


@pytest.mark.parametrize("name", ["cuda:99", "gpu", ""])
def test_a_device_that_is_not_there_is_refused_with_the_choices(name):
    with pytest.raises(EngineError, match=r"choose one of auto, .*cpu"):
        resolve_device(name)


def test_auto_precision_is_bf16_only_where_the_cpu_multiplies_it(monkeypatch):
    monkeypatch.setattr(device, "cpu_multiplies_bf16", lambda: True)
    assert resolve_precision("auto", "cpu") == "bf16"
    monkeypatch.setattr(device, "cpu_multiplies_bf16", lambda: False)
    assert resolve_precision("auto", "cpu") == "fp32"
    assert resolve_precision("auto", "cuda:0") == "fp16"


@pytest.mark.parametrize(("name", "sentence"), [("int8", "unknown"), ("fp16", "needs a CUDA device")])
def test_a_precision_that_cannot_be_used_is_refused(name, sentence):
    with pytest.raises(EngineError, match=sentence):
        resolve_precision(name, "cpu")
