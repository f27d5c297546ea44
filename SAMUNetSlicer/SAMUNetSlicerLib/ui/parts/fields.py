"""Choose which fields of the panel are kept in the scene."""

from typing import Dict

from .parameterBinding import (
    Field,
    boxField,
    checkField,
    folderField,
    listField,
    nodeField,
    spinField,
    textField,
)


def panelFields(ui, panel) -> Dict[str, Field]:
    """Return the fields by the names of `parameterNode.PanelParameters`.

    :param ui: the panel's widgets by name.
    :param panel: the `Panel`.
    """
    choices, advanced, propagate = panel.choices, panel.advanced, panel.propagate
    return {
        "volume": nodeField(ui.volumeSelector),
        "segmentation": nodeField(ui.segmentationSelector),
        "segmentId": segmentField(ui, panel.session),
        "modelId": boxField(panel.model.box),
        "window": boxField(choices.window),
        "policy": boxField(choices.policy),
        "prefetch": checkField(ui.prefetchCheck),
        "hover": boxField(advanced.hover),
        "propagationMethod": boxField(propagate.method),
        "propagationDirection": boxField(propagate.direction),
        "propagationAxes": boxField(propagate.axes),
        "propagationIsLimited": checkField(ui.limitCheck),
        "propagationFirst": spinField(ui.firstSliceSpin),
        "propagationLast": spinField(ui.lastSliceSpin),
        "propagationMinConfidence": spinField(ui.confidenceSpin, "valueChanged(double)"),
        "propagationMinDice": spinField(ui.diceSpin, "valueChanged(double)"),
        "batchSource": boxField(panel.batch.source),
        "batchOrientation": boxField(panel.batch.orientation),
        "batchCount": spinField(ui.batchCountSpin),
        "exportFolder": folderField(ui.exportFolder),
        "exportPattern": textField(ui.exportPattern),
        "exportFormats": listField(panel.export.formats),
        "exportExisting": boxField(panel.export.existing),
    }


def segmentField(ui, session) -> Field:
    """Return the field of the chosen segment; one that the segmentation does not have is not chosen."""

    def write(segmentId: str) -> None:
        session.selectSegment(segmentId if session.workspace.hasSegment(segmentId) else None)

    signal = "selectionChanged(QItemSelection,QItemSelection)"
    return Field(ui.segmentsTable, signal, lambda: session.segmentId or "", write)
