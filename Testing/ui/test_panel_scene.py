"""The panel while its scene changes under it, and with volumes of every kind."""

import numpy as np
import pytest
import slicer
import vtk

from app.desk import SHAPE
from SAMUNetSlicerLib.scene.geometry import planeFromAxis
from scene.segmentation_scene import CT, add_volume, rotation


def add_color_image(scene):
    rows = np.random.default_rng(0).integers(0, 255, (*SHAPE, 3), dtype=np.uint8)
    node = scene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "Histology")
    slicer.util.updateVolumeFromArray(node, rows)
    return node


def add_moved_volume(scene):
    node = add_volume(scene, ijk_to_ras=CT, array=np.zeros(SHAPE, np.int16), name="Moved")
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy(rotation(30, (1, 2, 0)).ravel())
    transform.SetMatrixTransformToParent(matrix)
    node.SetAndObserveTransformNodeID(transform.GetID())
    return node


def add_coarser_volume(scene):
    scaled = CT @ np.diag([2, 2, 3, 1])
    return add_volume(scene, ijk_to_ras=scaled, array=np.zeros((5, 20, 24), np.int16), name="Coarser")


@pytest.mark.parametrize("add", [add_color_image, add_moved_volume, add_coarser_volume])
def test_any_volume_is_chosen_in_the_selector_and_segmented(bench, add):
    bench.click("positiveButton")
    bench.session.addPoint((20, 20))
    bench.tick()
    volume = add(bench.scene)
    bench.ui.volumeSelector.setCurrentNode(volume)
    bench.ui.segmentationSelector.setCurrentNode(None)
    plane = planeFromAxis(volume, "K", 2)
    bench.session.addPoint((10, 10), plane=plane)
    bench.tick()
    session = bench.session
    assert session.volumeNode is volume
    assert session.workspace.writer.readMask(session.segmentationNode, session.segmentId, plane).any()
    assert bench.scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 2


@pytest.fixture
def encoding(bench):
    """A click whose slice is being encoded; the bar is shown."""
    bench.click("positiveButton")
    bench.engine.is_automatic = False
    bench.session.addPoint((20, 20))
    bench.tick()
    assert bench.panel.progress.isShown
    return bench


@pytest.mark.parametrize("node", ["volumeNode", "segmentationNode"])
def test_a_node_that_is_deleted_while_its_slice_is_encoded_ends_the_work(encoding, node):
    encoding.scene.RemoveNode(getattr(encoding.session, node))
    encoding.engine.is_automatic = True
    encoding.tick()
    assert not encoding.panel.progress.isShown
    assert not encoding.session.isBusy


def test_a_scene_that_is_closed_while_a_slice_is_encoded_ends_the_work(encoding):
    encoding.scene.Clear(0)
    encoding.engine.is_automatic = True
    encoding.tick()
    assert not encoding.panel.progress.isShown
    assert encoding.session.volumeNode is None


def test_cancel_ends_what_is_encoded_and_the_next_click_works(encoding):
    encoding.ui.cancelButton.pyside.click()
    encoding.engine.is_automatic = True
    encoding.tick()
    assert not encoding.panel.progress.isShown
    encoding.session.addPoint((30, 30))
    encoding.tick()
    assert encoding.mask().any()
