"""What the prompt store does not take, in one sentence each."""

import numpy as np
import pytest

from SAMUNetSlicerLib.errors import InputError, PromptError
from SAMUNetSlicerLib.scene.geometry import planeFromAxis
from SAMUNetSlicerLib.scene.prompts import PromptStore
from scene.segmentation_scene import CT, add_segmentation, add_volume, rotation

LISTS = "vtkMRMLMarkupsFiducialNode"


@pytest.fixture
def volume(scene):
    return add_volume(scene, (20, 24, 28), rotation(20, (1, 1, 0)) @ CT)


@pytest.fixture
def segmentation(scene):
    """A segmentation and its segments A and B."""
    return add_segmentation(scene, ["A", "B"])


@pytest.fixture
def plane(volume):
    return planeFromAxis(volume, "K", 9)


@pytest.fixture
def store(scene, segmentation):
    store = PromptStore(scene, segmentation[0])
    yield store
    store.close()


def at(plane, x, y, slices=0.0):
    """World point of a pixel, some slices off the plane."""
    return (plane.planeToRAS @ [x, y, slices, 1])[:3]


def count(scene, class_name):
    return scene.GetNumberOfNodesByClass(class_name)


@pytest.mark.parametrize("ras", [(1, 2), (1, 2, 3, 4), (np.nan, 0, 0), (np.inf, 0, 0), "abc", None], ids=str)
def test_a_point_that_is_no_place_is_refused(store, segmentation, plane, scene, ras):
    with pytest.raises(PromptError, match="three finite numbers"):
        store.addPoint(segmentation[1], "positive", ras, plane)
    assert count(scene, LISTS) == 0


def test_unknown_kinds_segments_and_prompts_are_refused(store, segmentation, plane, scene):
    _, a, _ = segmentation
    point = store.addPoint(a, "positive", at(plane, 3, 4), plane)
    with pytest.raises(PromptError, match="'box' is not a kind of point"):
        store.addPoint(a, "box", at(plane, 3, 4), plane)
    with pytest.raises(InputError, match="no longer in"):
        store.addPoint("gone", "positive", at(plane, 3, 4), plane)
    with pytest.raises(PromptError, match="no longer there"):
        store.remove("gone")
    with pytest.raises(PromptError, match="1 point"):
        store.move(point.id, at(plane, 1, 1), at(plane, 2, 2))
    assert count(scene, LISTS) == 1
