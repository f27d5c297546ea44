"""Carry the segment to other slices."""

from slicer.i18n import tr as _

from ...app.propagation import PropagationOptions, PropagationReport, Propagator
from ...app.session import SegmentationSession
from ...app.texts import directionTexts, methodTexts, propagationText
from ...scene.geometry import AXES, dimensions
from ..parts import ChoiceBox, ProgressRow, StatusLine
from .promptToolsSection import PromptToolsSection
from .reviewList import ReviewList


class PropagateSection:
    """Options, one button, and the list of slices to look at afterwards."""

    def __init__(
        self,
        ui,
        session: SegmentationSession,
        status: StatusLine,
        progress: ProgressRow,
        tools: PromptToolsSection,
    ):
        self._ui, self._session, self._status, self._progress = ui, session, status, progress
        self._slices = 0
        self.review = ReviewList(ui, session, status, tools)
        self.axes = ChoiceBox(ui.axesCombo, axesChoices(0), lambda _key: None)
        self.method = ChoiceBox(ui.methodCombo, _methodChoices(), lambda _key: self.refresh())
        self.direction = ChoiceBox(ui.directionCombo, list(directionTexts(_).items()), lambda _key: None)
        self.propagator = Propagator(session)
        self.propagator.progress.connect(self._onProgress)
        self.propagator.finished.connect(self._onFinished)
        ui.propagateButton.connect("clicked()", status.guard(self._start))
        ui.limitCheck.connect("toggled(bool)", self.refresh)
        session.statusChanged.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        ui, hasSegment = self._ui, self._session.segmentId is not None
        ui.propagateButton.enabled = hasSegment and not self.propagator.isRunning
        ui.firstSliceSpin.enabled = ui.lastSliceSpin.enabled = ui.limitCheck.checked
        isByNetwork = self.method.key == "propagate"
        ui.confidenceSpin.enabled = ui.diceSpin.enabled = ui.axesCombo.enabled = isByNetwork
        self._sayCost()

    def close(self) -> None:
        self.propagator.close()

    def _start(self) -> None:
        self.propagator.start(self._options())
        self._progress.begin(self, _("Propagating"), self.propagator.cancel)
        self.refresh()

    def _options(self) -> PropagationOptions:
        ui = self._ui
        isLimited = ui.limitCheck.checked
        return PropagationOptions(
            direction=self.direction.key,
            first=ui.firstSliceSpin.value if isLimited else None,
            last=ui.lastSliceSpin.value if isLimited else None,
            minConfidence=ui.confidenceSpin.value,
            minDice=ui.diceSpin.value,
            method=self.method.key,
            axes=tuple(AXES) if self.axes.key == "all" and self.method.key == "propagate" else (),
        )

    def _sayCost(self) -> None:
        volumeNode = self._session.volumeNode
        hasVoxels = volumeNode is not None and volumeNode.GetImageData() is not None
        slices = sum(dimensions(volumeNode)) if hasVoxels else 0
        if slices != self._slices:
            self._slices = slices
            self.axes.fill(axesChoices(slices), self.axes.key)

    def _onProgress(self, done: int, total: int) -> None:
        self._progress.advance(self, done, total)

    def _onFinished(self, report: PropagationReport) -> None:
        self._progress.end(self)
        self.refresh()
        if report.error is None:
            self._status.say(propagationText(report, _))
            self._status.attempt(self.review.fill)


def axesChoices(slices: int):
    """Return the choices of axes with their cost.

    :param slices: of the volume along its three axes together, 0 without a volume.
    """
    cost = _("all three, up to {slices} slices").format(slices=slices) if slices else _("all three")
    return [("one", _("that of the shown slice")), ("all", cost)]


def _methodChoices():
    # Several axes are a choice of their own here, see axesChoices.
    return [(key, text) for key, text in methodTexts(_).items() if key != "consensus"]
