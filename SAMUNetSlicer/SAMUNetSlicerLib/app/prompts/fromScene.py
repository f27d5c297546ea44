"""Take what is in a scene already as prompts for its volumes: rough segmentations and markups."""

from typing import Dict, Iterator, List

from ...errors import PromptError
from ...scene.prompts import KIND
from ...scene.sceneNodes import nodesOfClass
from .fromFile import PromptsFile
from .fromMarkups import MarkupPrompts
from .fromSegmentation import CoarsePrompts, SegmentsOfNode
from .sliceChoice import SliceChoice
from .sources import PromptSource


class BoxesOfSegmentations(PromptSource):
    """Boxes around the segments of each volume's own segmentation; a volume without one gets the chosen one.

    A segmentation is the volume's own if its geometry was taken from it.  What comes into the scene later,
    such as the results of a batch, is not looked at.

    :param chosen: segmentation node or None; preferred where a volume has several.
    """

    def __init__(self, scene, chosen, choice: SliceChoice):
        self._chosen = chosen
        self._choice = choice
        self._own: Dict[str, object] = {}
        for node in [chosen, *_shownNodes(scene, "vtkMRMLSegmentationNode")]:
            if node is not None and node.GetSegmentation().GetNumberOfSegments():
                volumeId = node.GetNodeReferenceID(node.GetReferenceImageGeometryReferenceRole())
                self._own.setdefault(volumeId, node)

    def promptsFor(self, volumeNode) -> PromptsFile:
        return self._boxesFor(volumeNode).promptsFor(volumeNode)

    def steps(self, volumeNode) -> Iterator[bool]:
        return (yield from self._boxesFor(volumeNode).steps(volumeNode))

    def _boxesFor(self, volumeNode) -> CoarsePrompts:
        node = self._own.get(volumeNode.GetID(), self._chosen)
        if node is None:
            raise PromptError(
                f"No segmentation belongs to '{volumeNode.GetName()}': choose the one whose segments show "
                "roughly where the structures are."
            )
        return CoarsePrompts(SegmentsOfNode(node), self._choice)


def markupsOf(scene, choice: SliceChoice) -> MarkupPrompts:
    """Return the point lists and ROIs that the user has placed with Slicer's own tools.

    :raises PromptError: there are none.
    """
    nodes = [*_shownNodes(scene, "vtkMRMLMarkupsFiducialNode"), *_shownNodes(scene, "vtkMRMLMarkupsROINode")]
    placed = [node for node in nodes if node.GetAttribute(KIND) is None and _hasPlace(node)]
    if not placed:
        raise PromptError("The scene holds no markups: place points or a ROI on the structures.")
    return MarkupPrompts(placed, choice)


def _shownNodes(scene, className: str) -> List:
    return [node for node in nodesOfClass(scene, className) if not node.GetHideFromEditors()]


def _hasPlace(node) -> bool:
    return node.GetNumberOfDefinedControlPoints() > 0
