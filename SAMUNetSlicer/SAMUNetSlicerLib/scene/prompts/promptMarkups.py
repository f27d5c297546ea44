"""Keep prompts in markups nodes: a list of points for each kind and segment, a ROI for each box.

Nodes of ours carry the attributes below and a reference to their segmentation; no other node is read or
changed.  A point's metadata is its description, a box's is an attribute: both are saved with the scene and
follow the node when it is copied.
"""

from typing import Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import slicer
import vtk

from ..geometry import SlicePlane
from ..sceneNodes import nodesOfClass
from .promptRecord import Point, PromptMetadata, PromptRecord, metadataFromText

KIND = "SAMUNet.PromptKind"
SEGMENT = "SAMUNet.SegmentID"
METADATA = "SAMUNet.Prompt"
SEGMENTATION = "SAMUNet.segmentation"

_POINTS, _BOX = "vtkMRMLMarkupsFiducialNode", "vtkMRMLMarkupsROINode"
_CLASSES = {"positive": _POINTS, "negative": _POINTS, "box": _BOX}


class PromptPlace(NamedTuple):
    """Place where a prompt is stored: a box's node, or a list and the index of the point in it."""

    node: object
    index: Optional[int]


def promptNodes(scene, segmentationNode) -> List:
    """Return the nodes that hold prompts of a segmentation."""
    nodes = [*nodesOfClass(scene, _POINTS), *nodesOfClass(scene, _BOX)]
    return [node for node in nodes if belongsTo(node, segmentationNode)]


def belongsTo(node, segmentationNode) -> bool:
    """Tell whether a node holds prompts of this segmentation."""
    kind = node.GetAttribute(KIND)
    if kind not in _CLASSES or not node.IsA(_CLASSES[kind]):
        return False
    return node.GetNodeReferenceID(SEGMENTATION) == segmentationNode.GetID()


def makePromptNode(scene, segmentationNode, segmentId: str, kind: str):
    """Make an empty list of points, or a box without a place yet."""
    segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
    node = getattr(slicer, _CLASSES[kind])()
    node.SetName(f"{segment.GetName()} {kind}")
    node.SetAttribute(KIND, kind)
    node.SetAttribute(SEGMENT, segmentId)
    scene.AddNode(node)
    node.SetNodeReferenceID(SEGMENTATION, segmentationNode.GetID())
    node.CreateDefaultDisplayNodes()
    return node


def recordsOf(node) -> Iterator[Tuple[PromptRecord, PromptPlace]]:
    """Return the prompts in a node and where they are; points that are still being placed are left out."""
    kind, segmentId = node.GetAttribute(KIND), node.GetAttribute(SEGMENT)
    for place in _places(node):
        metadata = metadataFromText(_text(place))
        if metadata is not None:
            ras = boxCorners(node, metadata.plane) if kind == "box" else (_position(place),)
            record = PromptRecord(metadata.id, kind, ras, metadata.plane, metadata.order, segmentId)
            yield record, place


def placesWithoutMetadata(node) -> List[Tuple[PromptPlace, Point]]:
    """Return points that were placed with the mouse, and where they are."""
    isBox = node.IsA(_BOX)
    return [(place, _position(place)) for place in _places(node) if not isBox and not _text(place)]


def hoveredBox(scene, segmentationNode) -> Optional[str]:
    """Return the ID of the prompt whose box has a handle under the mouse, None if there is none."""
    for node in promptNodes(scene, segmentationNode):
        display = node.GetDisplayNode()
        if node.IsA(_BOX) and display.GetActiveComponentType() != display.ComponentNone:
            metadata = metadataFromText(node.GetAttribute(METADATA) or "")
            return None if metadata is None else metadata.id
    return None


def addPoint(node, ras: Point, metadata: PromptMetadata) -> None:
    index = node.AddControlPointWorld(vtk.vtkVector3d(*ras))
    node.SetNthControlPointDescription(index, metadata.toText())


def describe(place: PromptPlace, metadata: PromptMetadata) -> None:
    """Store the metadata of a prompt."""
    if place.index is None:
        place.node.SetAttribute(METADATA, metadata.toText())
    else:
        place.node.SetNthControlPointDescription(place.index, metadata.toText())


def movePrompt(place: PromptPlace, ras: Sequence[Point], plane: SlicePlane) -> None:
    if place.index is None:
        placeBox(place.node, ras, plane)
    else:
        place.node.SetNthControlPointPositionWorld(place.index, *ras[0])


def removePrompt(scene, place: PromptPlace) -> None:
    if place.index is None:
        removePromptNode(scene, place.node)
    else:
        place.node.RemoveNthControlPoint(place.index)


def removePromptNode(scene, node) -> None:
    """Remove a prompt node together with its display node, without which views go on drawing it."""
    display = node.GetDisplayNode()
    if display is not None:
        scene.RemoveNode(display)
    scene.RemoveNode(node)


def placeBox(node, corners: Sequence[Point], plane: SlicePlane) -> None:
    """Lay a ROI on a slice with its edges along the rows and columns of pixels, one slice thick."""
    axes = _boxAxes(plane)
    first, second = (np.asarray(corner, np.float64) for corner in corners)
    toWorld = np.eye(4)
    toWorld[:3, :3] = axes
    toWorld[:3, 3] = (first + second) / 2
    width, height, _ = np.abs(axes.T @ (second - first))
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy(toWorld.ravel().tolist())
    modifying = node.StartModify()
    node.SetAndObserveObjectToNodeMatrix(matrix)
    node.SetSize(width, height, plane.thickness)
    if node.GetNumberOfControlPoints():
        # The middle of a box is where the next click goes, which a visible center would take.
        node.SetNthControlPointVisibility(0, False)
    node.EndModify(modifying)


def boxCorners(node, plane: SlicePlane) -> Tuple[Point, Point]:
    """Return two opposite corners of a ROI on a slice: the one with the lowest column and row, and the
    highest.
    """
    center, size = np.zeros(3), np.zeros(3)
    node.GetCenterWorld(center)
    node.GetSizeWorld(size)
    diagonal = _boxAxes(plane) @ [size[0] / 2, size[1] / 2, 0]
    return tuple((center - diagonal).tolist()), tuple((center + diagonal).tolist())


def _places(node) -> List[PromptPlace]:
    if node.IsA(_BOX):
        return [PromptPlace(node, None)]
    defined = node.PositionDefined
    count = node.GetNumberOfControlPoints()
    status = node.GetNthControlPointPositionStatus
    return [PromptPlace(node, index) for index in range(count) if status(index) == defined]


def _text(place: PromptPlace) -> str:
    if place.index is None:
        return place.node.GetAttribute(METADATA) or ""
    return place.node.GetNthControlPointDescription(place.index)


def _position(place: PromptPlace) -> Point:
    position = [0.0, 0.0, 0.0]
    place.node.GetNthControlPointPositionWorld(place.index, position)
    return tuple(position)


def _boxAxes(plane: SlicePlane) -> np.ndarray:
    """Return (3, 3) orthonormal columns: along the rows of pixels, across them on the plane, normal."""
    right = plane.planeToRAS[:3, 0] / np.linalg.norm(plane.planeToRAS[:3, 0])
    down = np.cross(plane.normal, right)
    down *= np.sign(down @ plane.planeToRAS[:3, 1])
    return np.column_stack([right, down, np.cross(right, down)])
