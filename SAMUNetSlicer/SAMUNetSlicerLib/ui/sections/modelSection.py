"""Choose the network, and show where it runs and whether its weights are installed."""

from dataclasses import replace
from typing import Callable, Dict, Optional

import slicer
from slicer.i18n import tr as _

from ...app.engines import Ticket
from ...app.models import catalog, installedWeights, modelSpec
from ...app.session import SegmentationSession
from ...app.texts import engineText
from ...engine.models import ModelCard
from ...engine.serving import ModelSpec
from ...events import Signal
from ..parts import ChoiceBox, ProgressRow, StatusLine
from ..setup import WeightsDialog, slicerEngineLaunch


class ModelSection:
    """Loads the chosen network when it is first needed; until then nothing is started.

    ``changed()``: another network was chosen, loaded or lost.

    :param engineOptions: returns fields of `ModelSpec`: device, precision, memory_bytes, disk_bytes.
    """

    def __init__(
        self,
        ui,
        session: SegmentationSession,
        status: StatusLine,
        progress: ProgressRow,
        engineOptions: Callable[[], Dict],
    ):
        self.changed = Signal("changed")
        self._ui, self._session, self._status, self._progress = ui, session, status, progress
        self._engineOptions = engineOptions
        self._ticket: Optional[Ticket] = None
        self.box = ChoiceBox(ui.modelCombo, [], self._onChosen)
        self._models = catalog()
        self._fill(self._models.default)
        self._prepare()
        self._dialog: Optional[WeightsDialog] = None
        ui.weightsButton.connect("clicked()", status.guard(self._showWeights))
        session.engineChanged.connect(self._onEngine)

    @property
    def card(self) -> ModelCard:
        """Return the chosen network."""
        return self._models.get(self.box.key)

    @property
    def isLoading(self) -> bool:
        return self._ticket is not None and not self._ticket.isDone

    @property
    def hasWeights(self) -> bool:
        return installedWeights(self.card) is not None

    def reload(self) -> None:
        """Read the catalog and the weights folder again."""
        self._models = catalog()
        self._fill(self.box.key)
        self._prepare()

    def close(self) -> None:
        """Let go of the dialog; may be called twice."""
        dialog, self._dialog = self._dialog, None
        if dialog is not None:
            dialog.close()

    def ensureLoaded(self) -> None:
        """Load the chosen network unless it is loaded or being loaded."""
        if self._session.engine.status is None and not self.isLoading:
            self.load()

    def load(self) -> None:
        """Load the chosen network in place of the one there is; the line says if that cannot be."""
        spec = self._status.attempt(self._spec)
        if spec is None:
            return
        self._ticket = ticket = self._session.setModel(spec)
        text = _("Loading {title}").format(title=self.card.title)
        self._progress.begin(self, text, lambda: self._session.engine.cancel(ticket), isLong=True)
        ticket.whenDone(self._onLoaded)
        self.refresh()

    def loadAgain(self) -> None:
        """Load with other options, if anything was loaded before."""
        if self._ticket is not None:
            self.load()

    def refresh(self) -> None:
        self._ui.modelText.text = self._text()
        self._ui.modelCombo.toolTip = self.card.summary
        self.changed.emit()

    def _fill(self, chosen: str) -> None:
        self.box.fill([(card.id, card.title) for card in self._models.cards.values()], chosen)
        self.refresh()

    def _showWeights(self) -> None:
        if self._dialog is None:
            self._dialog = WeightsDialog(slicer.util.mainWindow(), slicerEngineLaunch, self.reload)
        self._dialog.show()

    def _spec(self) -> ModelSpec:
        return replace(modelSpec(self.card.id), **self._engineOptions())

    def _text(self) -> str:
        status = self._session.engine.status
        if self.isLoading:
            return _("Loading...")
        if status is not None and status.model_id == self.card.id:
            return engineText(status, _)
        if not self.hasWeights:
            return _("Its weights are not on this computer: press Weights.")
        return _("Starts with the first prompt.")

    def _onChosen(self, _key: str) -> None:
        self.refresh()
        self.loadAgain()
        self._prepare()

    def _prepare(self) -> None:
        """Prepare the network: prompts of a loaded scene may be dragged before any tool has been taken."""
        if self.hasWeights:
            self._session.engine.prepare(self._spec())

    def _onLoaded(self, ticket: Ticket) -> None:
        # A ticket that another one has replaced says nothing about the network there is now.
        if ticket is self._ticket:
            self._progress.end(self)
            self.refresh()

    def _onEngine(self, _status) -> None:
        self.refresh()
