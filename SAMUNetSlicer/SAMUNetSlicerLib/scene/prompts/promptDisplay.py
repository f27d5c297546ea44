"""Show prompts in their segment's color, only on their slices, only while their segment is shown."""

import colorsys
from typing import Dict, Iterable, List, Tuple

import numpy as np
import slicer
import vtk

from ..geometry import SlicePlane
from ..observers import Observers
from ..sceneNodes import nodesOfClass
from .promptMarkups import KIND, SEGMENT
from .promptRecord import PromptRecord, sameOrientation

# A disk and a minus sign, because colors alone are not told apart by everybody.  Sizes as of Slicer's own
# points, in percent: 1 is about 4 pixels.
_GLYPHS = {"positive": ("Circle2D", 3.0), "negative": ("Dash2D", 4.5), "box": ("Square2D", 3.0)}
_HANDLE_SCALE = 2.0


class PromptDisplay:
    """Keeps the display of a segmentation's prompt nodes up to date; the prompts themselves stay as they are.

    A prompt is drawn in the views that look at its slice from the same direction; a view across would show it
    as a stray point, to be dragged off its slice by accident.
    """

    def __init__(self, scene, segmentationNode):
        self._scene = scene
        self._segmentationNode = segmentationNode
        self._planes: Dict[object, List[SlicePlane]] = {}
        self._normals: Dict[object, np.ndarray] = {}
        self._observers = Observers()
        self._observe()

    def show(self, node, records: Iterable[PromptRecord]) -> None:
        """Draw a prompt node that holds these prompts."""
        planes = _orientations(records)
        if node not in self._planes or len(planes) != len(self._planes[node]):
            self._planes[node] = planes
            self._update(node)

    def forget(self, node) -> None:
        self._planes.pop(node, None)

    def close(self) -> None:
        self._observers.close()
        self._planes.clear()

    def _observe(self) -> None:
        add = self._observers.add
        add(self._segmentationNode, slicer.vtkSegmentation.SegmentModified, self._onSegments)
        add(self._segmentationNode, self._segmentationNode.DisplayModifiedEvent, self._onSegments)
        add(self._scene, slicer.vtkMRMLScene.NodeAddedEvent, self._onNodeAdded)
        add(self._scene, slicer.vtkMRMLScene.NodeRemovedEvent, self._onNodeRemoved)
        for node in nodesOfClass(self._scene, "vtkMRMLSliceNode"):
            self._followView(node)

    def _followView(self, sliceNode) -> None:
        self._normals[sliceNode] = viewNormal(sliceNode)
        self._observers.add(sliceNode, vtk.vtkCommand.ModifiedEvent, self._onView)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onNodeAdded(self, _scene, _event, node) -> None:
        if node.IsA("vtkMRMLSliceNode"):
            self._followView(node)
            self._onSegments()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onNodeRemoved(self, _scene, _event, node) -> None:
        if self._normals.pop(node, None) is not None:
            self._observers.drop(node)

    def _onView(self, sliceNode, _event) -> None:
        # Panning and scrolling come here too, many times a second.
        normal = viewNormal(sliceNode)
        if not np.array_equal(normal, self._normals[sliceNode]):
            self._normals[sliceNode] = normal
            self._onSegments()

    def _onSegments(self, *_) -> None:
        for node in list(self._planes):
            self._update(node)

    def _update(self, node) -> None:
        segment = self._segmentationNode.GetSegmentation().GetSegment(node.GetAttribute(SEGMENT))
        if segment is None:
            return
        node.SetName(f"{segment.GetName()} {node.GetAttribute(KIND)}")
        colorPrompts(node, segment.GetColor())
        views = self._viewsOf(node)
        display = node.GetDisplayNode()
        modifying = display.StartModify()
        if sorted(display.GetViewNodeIDs()) != sorted(views):
            display.RemoveAllViewNodeIDs()
            for viewId in views:
                display.AddViewNodeID(viewId)
        # Without view IDs it would be shown in all views.
        isShown = self._isSegmentShown(node.GetAttribute(SEGMENT))
        display.SetVisibility(isShown and (bool(views) or not self._normals))
        display.EndModify(modifying)

    def _viewsOf(self, node) -> List[str]:
        planes = self._planes[node]
        return [
            view.GetID()
            for view, normal in self._normals.items()
            if any(sameOrientation(normal, plane.normal) for plane in planes)
        ]

    def _isSegmentShown(self, segmentId: str) -> bool:
        display = self._segmentationNode.GetDisplayNode()
        return display is None or bool(display.GetVisibility() and display.GetSegmentVisibility(segmentId))


def stylePrompts(node) -> None:
    """Set shapes and sizes of a new prompt node; later choices of the user are kept."""
    display, kind = node.GetDisplayNode(), node.GetAttribute(KIND)
    glyph, scale = _GLYPHS[kind]
    display.SetGlyphTypeFromString(glyph)
    display.SetGlyphScale(scale)
    display.SetPointLabelsVisibility(False)
    display.SetPropertiesLabelVisibility(False)
    # Prompts mean nothing off their slice.
    display.SetVisibility3D(False)
    if kind == "box":
        _styleBox(display)


def _styleBox(display) -> None:
    # A filled box would hide what is being segmented, and handles in its middle would take clicks.
    display.SetFillVisibility(False)
    display.SetTranslationHandleVisibility(False)
    display.SetRotationHandleVisibility(False)
    display.SetScaleHandleComponentVisibility(False, False, False, True)  # corners
    display.SetInteractionHandleScale(_HANDLE_SCALE)


def colorPrompts(node, segmentColor: Tuple[float, float, float]) -> None:
    """Positive points and boxes in the segment's color, negative points in one that stands out from it."""
    isNegative = node.GetAttribute(KIND) == "negative"
    color = contrastingColor(segmentColor) if isNegative else segmentColor
    display = node.GetDisplayNode()
    for setColor in (display.SetColor, display.SetSelectedColor, display.SetActiveColor):
        setColor(*color)


def contrastingColor(color: Tuple[float, float, float]) -> Tuple[float, float, float]:
    """Return the opposite hue, bright and saturated also for gray and dark colors."""
    hue, _, _ = colorsys.rgb_to_hsv(*color)
    return colorsys.hsv_to_rgb((hue + 0.5) % 1.0, 0.9, 1.0)


def _orientations(records: Iterable[PromptRecord]) -> List[SlicePlane]:
    """Return one plane for each orientation that prompts have."""
    found: List[SlicePlane] = []
    for record in records:
        if not any(sameOrientation(record.plane.normal, plane.normal) for plane in found):
            found.append(record.plane)
    return found


def viewNormal(sliceNode) -> np.ndarray:
    """Unit vector (3,) in RAS along which a slice view looks."""
    matrix = sliceNode.GetSliceToRAS()
    return np.array([matrix.GetElement(row, 2) for row in range(3)])
