"""Make a Slicer scene with its logics but without the Slicer application: for the command line and the
tests.
"""

from dataclasses import dataclass
from typing import Any, Dict

import slicer
import vtk

from ...errors import InputError

# Only logics that work without Slicer's installation folder: colors come from the application logic,
# and a terminology logic without its dictionaries would print one error for each of them.
_LOGICS = {
    "Volumes": "vtkSlicerVolumesLogic",
    "Markups": "vtkSlicerMarkupsLogic",
    "Segmentations": "vtkSlicerSegmentationsModuleLogic",
}

_ORIENTATIONS = ("Axial", "Sagittal", "Coronal")


@dataclass(frozen=True, eq=False)
class SceneHost:
    """Scene with what the Slicer application would provide; ``close`` it, or use it in a ``with`` statement.

    ``logics``: module logics by name: Volumes, Markups, Segmentations.
    """

    scene: Any
    applicationLogic: Any
    logics: Dict[str, Any]

    def close(self) -> None:
        """Empty the scene; slice logics go first, so that they do not follow each node's removal."""
        for sliceLogic in list(self.applicationLogic.GetSliceLogics()):
            sliceLogic.SetMRMLScene(None)
        self.applicationLogic.GetSliceLogics().RemoveAllItems()
        self.scene.Clear(True)

    def __enter__(self) -> "SceneHost":
        return self

    def __exit__(self, *exception) -> None:
        self.close()


@dataclass(frozen=True, eq=False)
class SliceView:
    """A slice view without a window: the logic that computes the picture and the node that places it."""

    logic: Any
    node: Any

    def show(self, volumeNode) -> None:
        """Show a volume as background, fitted to the view, on a slice of voxels where there is one."""
        self.logic.GetSliceCompositeNode().SetBackgroundVolumeID(volumeNode.GetID())
        self.logic.FitSliceToBackground()
        self.logic.SnapSliceOffsetToIJK()

    def setOffset(self, offset: float) -> None:
        """Move along the slice's normal to ``offset`` mm."""
        self.logic.SetSliceOffset(offset)

    def setOblique(self, normal, right, position) -> None:
        """Turn the slice: normal, direction to the right of the image, and a point on it, RAS (3,) each."""
        self.node.SetSliceToRASByNTP(*map(float, (*normal, *right, *position)), 0)

    def alignToVolume(self, volumeNode) -> None:
        """Turn the slice to the nearest plane of voxels, as "Rotate to volume plane" does."""
        self.node.RotateToVolumePlane(volumeNode)
        self.logic.SnapSliceOffsetToIJK()


def startScene() -> SceneHost:
    """Make an empty scene with default colors and slice orientations.

    Nothing global is set: several hosts may live in one process, and ``slicer.mrmlScene`` stays as it is.
    """
    scene = slicer.vtkMRMLScene()
    applicationLogic = slicer.vtkSlicerApplicationLogic()
    applicationLogic.SetMRMLScene(scene)
    colorLogic = applicationLogic.GetColorLogic()
    colorLogic.SetMRMLScene(scene)
    colorLogic.AddDefaultColorNodes()
    applicationLogic.SetSliceLogics(vtk.vtkCollection())
    applicationLogic.SetViewLogics(vtk.vtkCollection())
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)
    logics = {name: _addLogic(name, className, applicationLogic) for name, className in _LOGICS.items()}
    _keepOneConverterRuleOfAKind()
    return SceneHost(scene, applicationLogic, logics)


def _keepOneConverterRuleOfAKind() -> None:
    """Unregister the converter rules that each new segmentation logic registers again.

    Their factory lives as long as the process, and every segmentation copies all of them: without this,
    showing a segment's surface takes 0.04 s in the first scene and seconds in the thousandth.
    """
    factory = slicer.vtkSegmentationConverterFactory.GetInstance()
    kinds = set()
    for rule in factory.GetConverterRules():
        if rule.GetClassName() in kinds:
            factory.UnregisterConverterRule(rule)
        kinds.add(rule.GetClassName())


def _addLogic(name: str, className: str, applicationLogic):
    logic = getattr(slicer, className)()
    # The application logic comes first: the logics look it up as soon as they get their scene.
    logic.SetMRMLApplicationLogic(applicationLogic)
    logic.SetMRMLScene(applicationLogic.GetMRMLScene())
    applicationLogic.SetModuleLogic(name, logic)
    return logic


def addSliceNode(host: SceneHost, name: str, orientation: str = "Axial", size=(512, 512)) -> SliceView:
    """Add a slice view to the scene, as the layout of the Slicer application would.

    :param name: layout name, such as "Red"; one view per name.
    :param orientation: "Axial", "Sagittal" or "Coronal".
    :param size: (width, height) of the view in screen pixels.
    :raises InputError: there is no such orientation.
    """
    if orientation not in _ORIENTATIONS:
        raise InputError(f"'{orientation}' is not a slice orientation: use {', '.join(_ORIENTATIONS)}.")
    logic = slicer.vtkMRMLSliceLogic()
    logic.SetMRMLApplicationLogic(host.applicationLogic)
    logic.SetMRMLScene(host.scene)
    node = logic.AddSliceNode(name)
    node.SetOrientation(orientation)
    node.SetMappedInLayout(True)
    host.applicationLogic.GetSliceLogics().AddItem(logic)
    logic.ResizeSliceNode(*size)
    return SliceView(logic, node)
