"""Show the dialog about weights: what there is, its size and origin; get, check, remove, add."""

from pathlib import Path
from typing import Callable, Dict, List, Optional, Tuple

import qt
import slicer
from slicer.i18n import tr as _

from ...app.common import weightsFolder
from ...app.engines import EngineLaunch
from ...app.models import WeightsRow, WeightsTask, describeDownload, fileInFolder, removeRow, weightsRows
from ...errors import CancelledError, InputError, UserError
from .weightsTexts import actionText, descriptionText, doneText, stateText

_POLL_MS = 50
_KILOBYTE = 1000  # progress bars count in int
_Job = Tuple[str, str, Optional[Path]]  # action, ID of the model, file


class WeightsDialog:
    """A window of its own; long work is done beside it and can be cancelled.

    Wiring: keep the object; ``show()`` at the click, again at each later one; ``onChanged`` is called when
    weights or models have come or gone, so that the list of models is read again.

    :param parent: QWidget or None.
    :param launch: returns how a Python with the engine's packages is started.
    :param chooseFile, chooseFolder: return a path that the user has chosen, "" if none.
    """

    def __init__(
        self,
        parent,
        launch: Callable[[], EngineLaunch],
        onChanged: Callable[[], None],
        chooseFile: Optional[Callable[[], str]] = None,
        chooseFolder: Optional[Callable[[], str]] = None,
    ):
        self._launch, self._onChanged = launch, onChanged
        self._chooseFile = chooseFile or self._askForFile
        self._chooseFolder = chooseFolder or self._askForFolder
        self._rows: List[WeightsRow] = []
        self._checked: Dict[str, str] = {}
        self._jobs: List[_Job] = []
        self._task: Optional[WeightsTask] = None
        self.dialog = qt.QDialog(parent)
        self._build()
        self._timer = qt.QTimer()
        self._timer.interval = _POLL_MS
        self._timer.connect("timeout()", self._poll)
        self.refresh()

    def show(self) -> None:
        self.refresh()
        self.dialog.show()
        self.dialog.activateWindow()

    def close(self) -> None:
        """Give up what is going on and let go of the window."""
        self._cancel()
        self.dialog.deleteLater()

    def refresh(self) -> None:
        """Read catalog and folder again."""
        chosen = self._chosen()
        self._rows = weightsRows()
        self.table.rowCount = len(self._rows)
        for number, row in enumerate(self._rows):
            for column, text in enumerate(self._texts(row)):
                self.table.setItem(number, column, qt.QTableWidgetItem(text))
        ids = [row.card.id for row in self._rows]
        self.table.selectRow(ids.index(chosen.card.id) if chosen and chosen.card.id in ids else 0)
        self._update()

    def _build(self) -> None:
        self.dialog.windowTitle = _("Weights of the networks")
        self.dialog.modal = True
        self.dialog.connect("finished(int)", self._cancel)
        layout = qt.QVBoxLayout(self.dialog)
        self.table = _table([_("Network"), _("Size"), _("License of the weights"), _("Weights")])
        self.table.connect("itemSelectionChanged()", self._update)
        self.description = _label()
        self.status = _label()
        self.progressBar = qt.QProgressBar()
        for widget in (self.table, self.description):
            layout.addWidget(widget)
        layout.addLayout(self._buttonRow())
        layout.addWidget(self.status)
        self.cancelButton = self._button(_("Cancel"), self._cancel)
        self.closeButton = self._button(_("Close"), self.dialog.reject)
        layout.addLayout(_row(self.progressBar, self.cancelButton, self.closeButton))
        self.dialog.resize(760, 480)

    def _buttonRow(self):
        self.getButton = self._button(_("Download..."), self._get)
        self.fileButton = self._button(_("From file..."), self._take)
        self.folderButton = self._button(_("From folder..."), self._takeAll)
        self.checkButton = self._button(_("Check"), self._check)
        self.removeButton = self._button(_("Remove..."), self._remove)
        self.addButton = self._button(_("Add my own..."), self._add)
        self.folderButton.toolTip = _(
            "Take all weights that lie in a folder, for a computer without a network"
        )
        self.addButton.toolTip = _(
            "Add weights of your own for the chosen network, as a network of their own"
        )
        return _row(
            self.getButton,
            self.fileButton,
            self.folderButton,
            self.checkButton,
            self.removeButton,
            self.addButton,
        )

    def _button(self, text: str, action: Callable[[], None]):
        button = qt.QPushButton(text)
        button.autoDefault = False
        button.connect("clicked()", lambda: self._attempt(action))
        return button

    def _attempt(self, action: Callable[[], None]) -> None:
        try:
            action()
        except UserError as error:
            self.status.text = str(error)
        self._update()

    def _chosen(self) -> Optional[WeightsRow]:
        number = self.table.currentRow()
        return self._rows[number] if 0 <= number < len(self._rows) else None

    def _texts(self, row: WeightsRow) -> List[str]:
        card = row.card
        size = row.path.stat().st_size if row.path is not None else card.size_bytes
        return [
            card.title,
            _("{megabytes} MB").format(megabytes=f"{size / 1e6:.0f}") if size else _("unknown"),
            card.license.weights,
            self._checked.get(card.id) or stateText(row),
        ]

    def _update(self) -> None:
        row, isIdle = self._chosen(), self._task is None
        self.getButton.enabled = isIdle and row is not None and row.canGet
        self.fileButton.enabled = isIdle and row is not None and row.path is None
        self.checkButton.enabled = isIdle and row is not None and row.path is not None
        self.removeButton.enabled = isIdle and row is not None and row.canRemove
        self.folderButton.enabled = isIdle
        self.addButton.enabled = isIdle and row is not None
        self.cancelButton.visible = self.progressBar.visible = not isIdle
        self.description.text = "" if row is None else descriptionText(row)

    def _get(self) -> None:
        card = self._chosen().card
        self._confirm(_("{text}\n\nDownload them now?").format(text=describeDownload(card, weightsFolder())))
        self._start([("get", card.id, None)])

    def _take(self) -> None:
        self._startWithFile("take")

    def _add(self) -> None:
        self._startWithFile("add")

    def _check(self) -> None:
        self._start([("check", self._chosen().card.id, None)])

    def _takeAll(self) -> None:
        folder = self._chooseFolder()
        if not folder:
            return
        absent = [row.card for row in self._rows if row.path is None]
        found = [(card.id, fileInFolder(card, Path(folder))) for card in absent]
        jobs = [("take", modelId, file) for modelId, file in found if file is not None]
        if not jobs:
            raise InputError(_("{folder} contains none of the missing weights.").format(folder=folder))
        self._start(jobs)

    def _remove(self) -> None:
        row = self._chosen()
        self._confirm(_("Remove {title} from this computer?").format(title=row.card.title))
        freed = removeRow(row)
        self._checked.pop(row.card.id, None)
        self.refresh()
        self.status.text = _("{megabytes} MB were freed.").format(megabytes=f"{freed / 1e6:.0f}")
        self._onChanged()

    def _startWithFile(self, action: str) -> None:
        file = self._chooseFile()
        if file:
            self._start([(action, self._chosen().card.id, Path(file))])

    def _start(self, jobs: List[_Job]) -> None:
        (action, modelId, file), self._jobs = jobs[0], jobs[1:]
        self._task = task = WeightsTask(self._launch(), action, modelId, file)
        task.progress.connect(self._onProgress)
        task.finished.connect(lambda error: self._onFinished(action, modelId, error))
        self.progressBar.setRange(0, 0)
        self.status.text = actionText(action, self._title(modelId))
        self._timer.start()
        self._update()

    def _poll(self) -> None:
        if self._task is not None:
            self._task.poll()

    def _cancel(self) -> None:
        self._jobs = []
        if self._task is not None:
            self._task.cancel()

    def _onProgress(self, done: int, total: Optional[int]) -> None:
        if total:
            self.progressBar.setRange(0, total // _KILOBYTE)
            self.progressBar.value = done // _KILOBYTE

    def _onFinished(self, action: str, modelId: str, error: Optional[UserError]) -> None:
        self._task = None
        self._timer.stop()
        if action == "check" and not isinstance(error, CancelledError):
            self._checked[modelId] = _("checked: intact") if error is None else _("damaged")
        self.refresh()
        self.status.text = str(error) if error else doneText(action, self._title(modelId))
        if action != "check" and error is None:
            self._onChanged()
        if self._jobs:
            self._attempt(lambda: self._start(self._jobs))

    def _title(self, modelId: str) -> str:
        return next((row.card.title for row in self._rows if row.card.id == modelId), modelId)

    def _confirm(self, question: str) -> None:
        if not slicer.util.confirmOkCancelDisplay(question, windowTitle=self.dialog.windowTitle):
            raise CancelledError(_("Nothing was changed."))

    def _askForFile(self) -> str:
        kinds = _("Weights (*.pth *.pt *.safetensors *.whl *.tar.gz);;All files (*)")
        return qt.QFileDialog.getOpenFileName(self.dialog, _("Weights of a network"), "", kinds)

    def _askForFolder(self) -> str:
        return qt.QFileDialog.getExistingDirectory(self.dialog, _("Folder with weights"))


def _table(titles: List[str]):
    table = qt.QTableWidget()
    table.columnCount = len(titles)
    table.setHorizontalHeaderLabels(titles)
    table.selectionBehavior = qt.QAbstractItemView.SelectRows
    table.selectionMode = qt.QAbstractItemView.SingleSelection
    table.editTriggers = qt.QAbstractItemView.NoEditTriggers
    table.verticalHeader().visible = False
    header = table.horizontalHeader()
    header.setSectionResizeMode(qt.QHeaderView.ResizeToContents)
    header.setSectionResizeMode(0, qt.QHeaderView.Stretch)
    return table


def _label():
    label = qt.QLabel()
    label.wordWrap = True
    label.textInteractionFlags = qt.Qt.TextSelectableByMouse
    return label


def _row(*widgets):
    layout = qt.QHBoxLayout()
    for widget in widgets:
        layout.addWidget(widget)
    return layout
