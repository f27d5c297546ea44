"""Define what the panel keeps in the scene: one parameter node, restored when the scene is loaded again.

Prompts, masks and provenance are not here: they are kept in markups and in the segmentation.
"""

import slicer
from slicer.parameterNodeWrapper import parameterNodeWrapper

from ...app.session import FOLLOW_DISPLAY


@parameterNodeWrapper
class PanelParameters:
    """The choices of the panel.

    Choices are kept by their keys as plain text, so that a scene of a later release, with keys that this
    one does not know, can be opened: whoever shows a choice ignores a key that it does not offer.  There
    are no parameter packs and lists, because Slicer cannot repair damaged ones, nor read a pack that was
    saved before it got a new member.

    What is about this computer, such as the device, is not here but in Slicer's settings.

    ``modelId``: of the catalog, "" for its default;
    ``window``: "display" or a mode of `WindowSetting`; ``policy``: see `scene.segmentWriter.POLICIES`;
    ``hover``: "auto" (where the engine is quick enough), "on" or "off"; ``propagation...``: as in
    `app.propagation.PropagationOptions`, first and last hold where it is limited, axes are "one" or "all";
    ``batch...``: as in `app.sliceChoice`, count 0 is every slice; ``export...``: as in
    `app.exportJob`, folder "" is not chosen yet,
    formats are keys with spaces between them.
    """

    volume: slicer.vtkMRMLScalarVolumeNode
    segmentation: slicer.vtkMRMLSegmentationNode
    segmentId: str = ""
    modelId: str = ""
    window: str = FOLLOW_DISPLAY
    policy: str = "protectAll"
    prefetch: bool = True
    hover: str = "auto"
    propagationMethod: str = "propagate"
    propagationDirection: str = "both"
    propagationAxes: str = "one"
    propagationIsLimited: bool = False
    propagationFirst: int = 0
    propagationLast: int = 0
    propagationMinConfidence: float = 0.5
    propagationMinDice: float = 0.5
    batchSource: str = "segmentation"
    batchOrientation: str = "axial"
    batchCount: int = 0
    exportFolder: str = ""
    exportPattern: str = ""
    exportFormats: str = "seg.nrrd"
    exportExisting: str = ""


def panelParameters(node) -> PanelParameters:
    """Return the typed view of a vtkMRMLScriptedModuleNode; what cannot be read in it becomes the default.

    Wiring: ``panelParameters(logic.getParameterNode())`` after a scene was loaded or closed and when the
    module is entered; write ``parameters.window = key`` when the user chooses; observe the node's
    ModifiedEvent to follow scripts.  Let go of it when the scene closes.
    """
    for parameter in PanelParameters.allParameters.values():
        serializer, name = parameter.serializer, parameter.basename
        try:
            if serializer.isIn(node, name):
                serializer.read(node, name)
        except ValueError:
            serializer.remove(node, name)
    return PanelParameters(node)
