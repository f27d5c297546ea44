"""The real default model through the whole chain: volume, prompts, engine, segment, provenance."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from patience import SECONDS
from SAMUNetSlicerLib.app.engines import ProcessEngine, ThreadEngine
from SAMUNetSlicerLib.app.files import loadVolume, startScene
from SAMUNetSlicerLib.app.jobs import SegmentJob, runReplayJob, runSegmentJob
from SAMUNetSlicerLib.app.prompts import parsePrompts
from SAMUNetSlicerLib.app.session import SegmentationSession
from SAMUNetSlicerLib.engine.models import load_catalog
from SAMUNetSlicerLib.engine.serving import ModelSpec
from SAMUNetSlicerLib.engine.types import Prompts
from SAMUNetSlicerLib.engine.windowing import WindowSetting
from SAMUNetSlicerLib.scene.geometry import extractSlice, planeFromAxis
from SAMUNetSlicerLib.scene.segments import SegmentWriter

SAMPLES = Path(__file__).resolve().parents[2] / "Resources" / "SampleData"
SPLEEN, LIVER = 1, 5

pytestmark = pytest.mark.weights


@pytest.fixture
def spec(litemedsam_weights):
    card = load_catalog().get("litemedsam").to_json()
    return ModelSpec(card, str(litemedsam_weights), device="cpu", precision="fp32")


@pytest.fixture(scope="module")
def thread_engine():
    engine = ThreadEngine()
    yield engine
    engine.close()


@pytest.fixture
def process_engine():
    engine = ProcessEngine()
    yield engine
    engine.close()


def loose_box(truth):
    rows, columns = np.nonzero(truth)
    return (columns.min() - 3, rows.min() - 3), (columns.max() + 3, rows.max() + 3)


def children_of(pid):
    """Processes, zombies included, that a process has started and not waited for."""
    statuses = [path.read_text() for path in Path("/proc").glob("[0-9]*/stat")]
    parents = {text.split(" ", 1)[0]: text.rpartition(")")[2].split()[1] for text in statuses}
    return [child for child, parent in parents.items() if parent == str(pid)]


def dice(a, b):
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


def test_boxes_on_a_ct_become_segments_that_a_radiologist_would_accept(thread_engine, spec):
    with startScene() as host:
        volume = loadVolume(host, SAMPLES / "ts_ct512.nii.gz")
        labels = loadVolume(host, SAMPLES / "ts_ct512_seg.nii.gz")
        session = SegmentationSession(host.scene, thread_engine)
        session.setVolume(volume)
        session.setWindow(WindowSetting("preset:abdomen"))
        session.setModel(spec)
        session.setPlane(planeFromAxis(volume, "K", 10))
        sources = []
        for label in (LIVER, SPLEEN):
            truth = extractSlice(labels, session.plane) == label
            segment = session.addSegment(str(label))
            session.addBox(*loose_box(truth))
            session.waitUntilIdle()
            mask = SegmentWriter(host.scene).readMask(session.segmentationNode, segment, session.plane)
            assert dice(mask, truth) > 0.95
            sources.append(session.lastMask.source)
        assert sources == ["encoded", "memory"]
        assert session.undo() and session.undo()
        session.close()


def test_the_process_gives_the_thread_s_mask_also_after_it_was_killed(thread_engine, process_engine, spec):
    image = np.random.default_rng(0).integers(0, 80, (256, 256), dtype=np.uint8)
    image[100:160, 90:180] += 120
    prompts = Prompts(boxes=np.array([[85, 95, 186, 165]], np.float32))
    thread_engine.wait(thread_engine.start(spec))
    expected = thread_engine.wait(thread_engine.predict(image, prompts)).prediction
    process_engine.wait(process_engine.start(spec), timeout=SECONDS)
    for _ in range(2):
        found = process_engine.wait(process_engine.predict(image, prompts), timeout=SECONDS).prediction
        np.testing.assert_array_equal(found.mask, expected.mask)
        np.testing.assert_array_equal(found.logits, expected.logits)
        os.kill(process_engine.pid, signal.SIGKILL)


def test_a_kill_in_the_middle_of_encoding_costs_time_and_nothing_else(process_engine, spec):
    others = children_of(os.getpid())  # of earlier tests: Python keeps the tracker of its worker pools
    with startScene() as host:
        volume = loadVolume(host, SAMPLES / "ts_ct3mm.nii.gz")
        session = SegmentationSession(host.scene, process_engine)
        notices, errors = [], []
        session.notice.connect(notices.append)
        session.error.connect(errors.append)
        session.setVolume(volume)
        process_engine.wait(session.setModel(spec), timeout=SECONDS)
        session.setPlane(planeFromAxis(volume, "K", 40))
        first = process_engine.pid
        session.addBox((20, 20), (70, 60))
        time.sleep(0.1)
        os.kill(first, signal.SIGKILL)
        session.waitUntilIdle()
        assert not errors
        assert len(notices) == 1 and "prompts and masks are intact" in notices[0]
        assert len(session.prompts()) == 1
        assert (
            SegmentWriter(host.scene)
            .readMask(session.segmentationNode, session.segmentId, session.plane)
            .any()
        )
        session.close()
    process_engine.close()
    assert set(children_of(os.getpid())) <= set(others)


def test_results_are_reproduced_from_their_provenance_by_another_process(
    thread_engine, process_engine, spec, tmp_path
):
    prompts = parsePrompts(
        {
            "version": 1,
            "window": {"mode": "preset:abdomen"},
            "segments": [
                {
                    "name": "Spleen",
                    "planes": [
                        {
                            "plane": {"axis": "K", "index": 40},
                            "boxes": [{"ijk": [[20, 20, 40], [60, 50, 40]]}],
                        },
                        {
                            "plane": {"axis": "I", "index": 40},
                            "boxes": [{"ijk": [[40, 20, 20], [40, 50, 60]]}],
                        },
                    ],
                }
            ],
        }
    )
    volume = SAMPLES / "ts_ct3mm.nii.gz"
    runSegmentJob(SegmentJob(volume, prompts, tmp_path, spec, name="case"), thread_engine)
    replayed = runReplayJob(
        tmp_path / "case.provenance.json", volume, process_engine, lambda _: spec, lambda done, total: None
    )
    assert [each.isIdentical for each in replayed] == [True, True]
