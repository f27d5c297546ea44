"""The default network carries organs of a real CT through the volume."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from SAMUNetSlicerLib.app.engines import ThreadEngine
from SAMUNetSlicerLib.app.files import loadVolume, startScene
from SAMUNetSlicerLib.app.models import modelSpec
from SAMUNetSlicerLib.app.propagation import PropagationOptions, Propagator
from SAMUNetSlicerLib.app.session import SegmentationSession
from SAMUNetSlicerLib.engine.windowing import WindowSetting
from SAMUNetSlicerLib.scene.geometry import extractSlice, planeFromAxis, voxelArray
from scene.segmentation_scene import voxels_of

SAMPLES = Path(__file__).resolve().parents[2] / "Resources" / "SampleData"
SPLEEN, LIVER, BLADDER = 1, 5, 21


@pytest.fixture(scope="module")
def engine():
    engine = ThreadEngine()
    engine.wait(engine.start(dataclasses.replace(modelSpec(device="cpu"), cache_folder=None)))
    yield engine
    engine.close()


@pytest.fixture
def ct(engine):
    with startScene() as host:
        session = SegmentationSession(host.scene, engine)
        session.setVolume(loadVolume(host, SAMPLES / "ts_ct3mm.nii.gz"))
        session.setWindow(WindowSetting("preset:abdomen"))
        yield session, loadVolume(host, SAMPLES / "ts_ct3mm_seg.nii.gz")
        session.close()


def prompt(session, labels, label, plane):
    """A box that is a pixel too large on every side."""
    rows, columns = np.nonzero(extractSlice(labels, plane, interpolate=False) == label)
    session.addBox((columns.min() - 1, rows.min() - 1), (columns.max() + 1, rows.max() + 1), plane)
    session.waitUntilIdle()


def propagate(session, **options):
    reports, propagator = [], Propagator(session)
    propagator.finished.connect(reports.append)
    propagator.start(PropagationOptions(**options))
    propagator.waitUntilFinished()
    propagator.close()
    return reports[0]


def dice(session, labels, label):
    truth = voxelArray(labels) == label
    mask = voxels_of(session.segmentationNode, session.segmentId, truth.shape)
    return 2 * np.count_nonzero(mask & truth) / (np.count_nonzero(mask) + np.count_nonzero(truth))


def test_one_prompted_slice_gives_a_spleen_that_ends_where_it_should(ct):
    session, labels = ct
    prompt(session, labels, SPLEEN, planeFromAxis(session.volumeNode, "K", 107))
    report = propagate(session)
    assert dice(session, labels, SPLEEN) > 0.85
    (stop,) = report.stops  # the volume ends within the spleen on the other side
    slices = np.flatnonzero((voxelArray(labels) == SPLEEN).any(axis=(1, 2)))
    assert abs(stop.plane.index - slices[0]) <= 3


def test_a_second_prompted_slice_does_not_make_it_worse(ct):
    session, labels = ct
    for index in (16, 26):
        prompt(session, labels, BLADDER, planeFromAxis(session.volumeNode, "K", index))
    propagate(session)
    assert dice(session, labels, BLADDER) > 0.85


def test_a_coronal_slice_goes_through_the_liver_as_well(ct):
    session, labels = ct
    largest = (voxelArray(labels) == LIVER).sum(axis=(0, 2)).argmax()
    prompt(session, labels, LIVER, planeFromAxis(session.volumeNode, "J", int(largest)))
    propagate(session)
    assert dice(session, labels, LIVER) > 0.9
