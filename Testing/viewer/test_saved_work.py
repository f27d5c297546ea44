"""Saved work: all of it comes back, and a file is the old one or the new one."""

import json

import numpy as np
import pytest

from app.desk import Desk
from SAMUNetSlicerLib.app.files import startScene
from SAMUNetSlicerLib.app.session import TAG
from SAMUNetSlicerLib.errors import InputError
from SAMUNetSlicerLib.scene.segments import isLocked, segmentTag, setLocked, setStatus, status
from SAMUNetSlicerLib.viewer.work import readWork, restoreWork, savedWork, takeWork, writeWork


@pytest.fixture
def desks():
    """Two desks with the same volume, in scenes of their own."""
    with startScene() as one, startScene() as other:
        desks = Desk(one.scene), Desk(other.scene)
        yield desks
        for desk in desks:
            desk.session.close()


def work_on(desk):
    """Two segments that overlap, in layers of their own, and an empty one."""
    session = desk.session
    session.setPolicy("allowOverlap")
    first = session.addSegment("Liver", (0.8, 0.4, 0.2))
    desk.click(10, 12)
    desk.click(12, 12, is_positive=False)
    setLocked(session.segmentationNode, first, True)
    second = session.addSegment("Vessel")
    desk.click(11, 12)
    session.addBox((3, 3), (20, 25), desk.plane(7, "J"))
    session.waitUntilIdle()
    setStatus(session.segmentationNode, second, "flagged")
    return first, second, session.addSegment("Empty")


def test_everything_comes_back_in_another_scene(desks, tmp_path):
    desk, other = desks
    ids = work_on(desk)
    writeWork(takeWork(desk.session, "ct.nrrd"), tmp_path / "work.npz")
    restoreWork(readWork(tmp_path / "work.npz"), other.session)
    node, restored = desk.session.segmentationNode, other.session.segmentationNode
    assert list(restored.GetSegmentation().GetSegmentIDs()) == list(ids)
    assert other.session.segmentId == ids[2]
    assert restored.GetSegmentation().GetNumberOfLayers() == node.GetSegmentation().GetNumberOfLayers()
    for segment in ids:
        assert (other.voxels(segment) == desk.voxels(segment)).all()
        assert segmentTag(restored, segment, TAG) == segmentTag(node, segment, TAG)
        assert status(restored, segment) == status(node, segment)
        assert isLocked(restored, segment) == isLocked(node, segment)
        before, after = (each.session.workspace.prompts.prompts(segment) for each in desks)
        assert len(before) == len(after)
        assert all(one.sameAs(other) for one, other in zip(before, after))
    assert desk.voxels(ids[0]).any() and desk.voxels(ids[1]).any()


def test_restored_work_goes_on_as_if_nothing_had_happened(desks, tmp_path):
    desk, other = desks
    first, *_ = work_on(desk)
    writeWork(takeWork(desk.session, ""), tmp_path / "work.npz")
    restoreWork(readWork(tmp_path / "work.npz"), other.session)
    for each in desks:
        each.session.selectSegment(first)
        each.click(30, 20)
    assert (desk.voxels(first) == other.voxels(first)).all()


def test_the_copy_that_is_written_does_not_change_with_the_scene(desks):
    desk, _ = desks
    first, *_ = work_on(desk)
    work = takeWork(desk.session, "")
    before = [layer.copy() for layer in work.layers]
    desk.paint(rows=slice(0, 30), columns=slice(0, 30), segment=first)
    assert all((one == other).all() for one, other in zip(before, work.layers))


def test_a_write_that_fails_leaves_the_earlier_file(desks, tmp_path, monkeypatch):
    desk, _ = desks
    path = tmp_path / "work.npz"
    writeWork(takeWork(desk.session, ""), path)
    content = path.read_bytes()
    work_on(desk)

    def fail(file, **arrays):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(savedWork.np, "savez_compressed", fail)
    with pytest.raises(OSError, match="No space"):
        writeWork(takeWork(desk.session, ""), path)
    assert path.read_bytes() == content
    assert [each.name for each in tmp_path.iterdir()] == ["work.npz"]


@pytest.mark.parametrize("length", [0, 10, -50])
def test_a_damaged_file_is_refused_with_a_sentence(desks, tmp_path, length):
    path = tmp_path / "work.npz"
    writeWork(takeWork(desks[0].session, ""), path)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(InputError, match="damaged"):
        readWork(path)


@pytest.mark.parametrize("seed", range(40))
def test_a_file_with_wrong_bytes_is_refused_or_restored_whole(desks, tmp_path, seed):
    """Anywhere in the file: in the archive's directory, in compressed voxels, in the text."""
    desk, other = desks
    path = tmp_path / "work.npz"
    work_on(desk)
    writeWork(takeWork(desk.session, ""), path)
    rng = np.random.default_rng(seed)
    content = bytearray(path.read_bytes())
    for at in rng.integers(0, len(content), 1 + seed % 4):
        content[at] ^= int(rng.integers(1, 256))
    path.write_bytes(content)
    try:
        work = readWork(path)
    except InputError as error:
        assert str(path) in str(error)
    else:
        restoreWork(work, other.session)


def rewrite(path, change):
    """Let ``change`` alter the document of saved work, or return another one."""
    with np.load(path) as file:
        arrays = dict(file)
    document = json.loads(arrays.pop("document").tobytes())
    document = change(document) or document
    np.savez(path, document=np.frombuffer(json.dumps(document).encode(), np.uint8), **arrays)


@pytest.mark.parametrize("document", [[1], 7, "text", {"format": "SAMUNetSlicer work", "version": 1}])
def test_a_document_of_another_shape_is_damaged_work(desks, tmp_path, document):
    path = tmp_path / "work.npz"
    writeWork(takeWork(desks[0].session, ""), path)
    rewrite(path, lambda _document: document)
    with pytest.raises(InputError, match="damaged"):
        readWork(path)


@pytest.mark.parametrize("text", [b"null", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_a_document_that_is_none_is_damaged_work(tmp_path, text):
    np.savez(tmp_path / "work.npz", document=np.frombuffer(text, np.uint8))
    with pytest.raises(InputError, match="damaged"):
        readWork(tmp_path / "work.npz")


CHANGES = {
    "no segments": lambda document: document.pop("segments") and None,
    "no name": lambda document: document.pop("name") and None,
    "a color of text": lambda document: document["segments"][0].update(color="red"),
    "a layer that is not there": lambda document: document["segments"][0].update(layer=9),
    "a layer before the first": lambda document: document["segments"][0].update(layer=-1),
    "an extent of another size": lambda document: document["layers"][0]["extent"].__setitem__(1, 900_000),
    "two segments of one ID": lambda document: document["segments"][1].update(document["segments"][0]),
    "a prompt without its segment": lambda document: document["prompts"][0].update(segmentId="x"),
    "a prompt of another kind": lambda document: document["prompts"][0].update(kind="lasso"),
    "a prompt without a point": lambda document: document["prompts"][0].update(ras=[]),
    "a place that is no number": lambda document: document["prompts"][0].update(ras=[[0, 0, float("nan")]]),
    "a plane of nothing": lambda document: document["prompts"][0].update(plane={}),
    "a chosen segment that is not there": lambda document: document.update(segmentId="x"),
    "a date of 1985": lambda document: document.update(saved=1985),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_work_that_could_not_be_restored_whole_is_damaged_work(desks, tmp_path, change):
    path = tmp_path / "work.npz"
    work_on(desks[0])
    writeWork(takeWork(desks[0].session, ""), path)
    rewrite(path, change)
    with pytest.raises(InputError, match="damaged"):
        readWork(path)


def test_a_file_of_another_version_is_refused_with_a_sentence(tmp_path):
    text = json.dumps({"format": "SAMUNetSlicer work", "version": 99}).encode()
    np.savez_compressed(tmp_path / "work.npz", document=np.frombuffer(text, np.uint8))
    with pytest.raises(InputError, match="another version"):
        readWork(tmp_path / "work.npz")
