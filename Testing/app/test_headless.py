"""A scene without the Slicer application is complete, quiet, private and leaves nothing behind."""

import subprocess
import sys

import numpy as np
import pytest
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from SAMUNetSlicerLib.app.files import addSliceNode, startScene
from SAMUNetSlicerLib.errors import InputError
from SAMUNetSlicerLib.scene.geometry import matrixToArray


def add_volume(host, size=(10, 20, 30)):
    image = vtk.vtkImageData()
    image.SetDimensions(size)
    image.AllocateScalars(vtk.VTK_SHORT, 1)
    vtk_to_numpy(image.GetPointData().GetScalars())[:] = np.arange(np.prod(size)) % 1000
    volume = host.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "CT")
    volume.SetAndObserveImageData(image)
    volume.CreateDefaultDisplayNodes()
    return volume


def test_two_scenes_live_side_by_side_and_no_global_scene_is_set():
    global_scene = getattr(slicer, "mrmlScene", None)
    with startScene() as first, startScene() as second:
        add_volume(first)
        assert first.scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == 1
        assert second.scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == 0
        assert getattr(slicer, "mrmlScene", None) is global_scene


def test_the_scene_has_what_volumes_markups_and_segmentations_need():
    with startScene() as host:
        assert add_volume(host).GetDisplayNode().GetColorNode() is not None
        for className in ("vtkMRMLMarkupsFiducialNode", "vtkMRMLMarkupsROINode", "vtkMRMLSegmentationNode"):
            node = host.scene.AddNewNodeByClass(className)
            node.CreateDefaultDisplayNodes()
            assert node.GetDisplayNode() is not None
        for name, logic in host.logics.items():
            assert host.applicationLogic.GetModuleLogic(name) is logic


def converter_rules():
    return slicer.vtkSegmentationConverterFactory.GetInstance().GetConverterRules()


def test_scenes_after_the_first_leave_slicers_process_wide_converter_rules_as_they_are():
    with startScene():
        rules = converter_rules()
        names = [rule.GetClassName() for rule in rules]
        assert "vtkBinaryLabelmapToClosedSurfaceConversionRule" in names
        assert len(set(names)) == len(names)
    for _ in range(5):
        with startScene() as one, startScene() as other:
            assert one.scene is not other.scene
            assert converter_rules() == rules


def test_a_scene_after_the_first_makes_surfaces_of_labelmaps():
    startScene().close()
    with startScene() as host:
        node = host.scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
        image = slicer.vtkOrientedImageData()
        image.SetDimensions(8, 8, 8)
        image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
        voxels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(8, 8, 8)
        voxels[:] = 0
        voxels[2:6, 2:6, 2:6] = 1
        node.AddSegmentFromBinaryLabelmapRepresentation(image, "cube")
        assert node.CreateClosedSurfaceRepresentation()
        surface = slicer.vtkSegmentationConverter.GetClosedSurfaceRepresentationName()
        (name,) = node.GetSegmentation().GetSegmentIDs()
        assert node.GetSegmentation().GetSegment(name).GetRepresentation(surface).GetNumberOfPoints() > 0


def test_starting_using_and_closing_a_scene_prints_nothing():
    code = (
        "from SAMUNetSlicerLib.app.files.headlessScene import *\n"
        "host = startScene(); view = addSliceNode(host, 'Red')\n"
        "for c in ('ScalarVolume', 'Segmentation', 'MarkupsFiducial', 'MarkupsROI', 'LinearTransform'):\n"
        "    n = host.scene.AddNewNodeByClass('vtkMRML' + c + 'Node'); n.CreateDefaultDisplayNodes()\n"
        "host.close()\n"
    )
    folder = next(path for path in sys.path if path.endswith("SAMUNetSlicer"))
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=folder, check=True
    )
    assert (result.stdout, result.stderr) == ("", "")


def test_a_closed_scene_lets_go_of_its_volumes():
    host = startScene()
    volume = add_volume(host)
    addSliceNode(host, "Red").show(volume)
    freed = []
    volume.GetImageData().AddObserver("DeleteEvent", lambda *_: freed.append(True))
    del volume
    host.close()
    assert freed == [True]


@pytest.mark.parametrize(
    ("orientation", "right", "up"),
    [
        ("Axial", (-1, 0, 0), (0, 1, 0)),
        ("Coronal", (-1, 0, 0), (0, 0, 1)),
        ("Sagittal", (0, -1, 0), (0, 0, 1)),
    ],
)
def test_slice_views_look_at_the_patient_as_radiologists_do(orientation, right, up):
    with startScene() as host:
        matrix = matrixToArray(addSliceNode(host, "Red", orientation).node.GetSliceToRAS())
        np.testing.assert_allclose(matrix[:3, :2].T, [right, up], atol=1e-12)


def test_a_view_shows_a_volume_moves_turns_and_snaps_to_voxels():
    with startScene() as host:
        volume, view = add_volume(host), addSliceNode(host, "Red")
        view.show(volume)
        assert view.node.GetSliceOffset() == pytest.approx(15, abs=1)
        view.setOffset(4.0)
        assert view.node.GetSliceOffset() == pytest.approx(4.0)
        view.setOblique((0.0, 0.6, 0.8), (-1, 0, 0), (5, 10, 15))
        matrix = matrixToArray(view.node.GetSliceToRAS())
        np.testing.assert_allclose(matrix[:3, 2], (0, 0.6, 0.8), atol=1e-12)
        np.testing.assert_allclose(matrix[:3, 3], (5, 10, 15), atol=1e-12)
        view.alignToVolume(volume)
        np.testing.assert_allclose(
            np.abs(matrixToArray(view.node.GetSliceToRAS())[:3, 2]), (0, 0, 1), atol=1e-9
        )


def test_an_unknown_orientation_is_refused_and_adds_no_view():
    with startScene() as host:
        with pytest.raises(InputError, match="Axial, Sagittal, Coronal"):
            addSliceNode(host, "Red", "Diagonal")
        assert host.scene.GetNumberOfNodesByClass("vtkMRMLSliceNode") == 0
