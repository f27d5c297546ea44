"""Several loaded volumes, one after the other."""

from typing import Callable, Dict, List, Optional

import qt
import slicer
from slicer.i18n import tr as _

from ...app.batch import SceneBatch
from ...app.jobs import DONE, FAILED, FINISHED, NEEDS_REVIEW, CaseRecord
from ...app.prompts import (
    BoxesOfSegmentations,
    PromptsOfSegmentation,
    PromptSource,
    SharedPrompts,
    SliceChoice,
    markupsOf,
    readPromptsFile,
)
from ...app.session import SegmentationSession
from ...errors import CancelledError
from ...scene.observers import Observers
from ...scene.sceneNodes import nodesOfClass
from ..parts import ChoiceBox, ProgressRow, StatusLine


class BatchSection:
    """A list of volumes with check boxes, and what became of each.

    :param ensureLoaded: has the network loaded.
    """

    def __init__(
        self,
        ui,
        session: SegmentationSession,
        status: StatusLine,
        progress: ProgressRow,
        ensureLoaded: Callable[[], None],
    ):
        self._ui, self._session, self._status, self._progress = ui, session, status, progress
        self._ensureLoaded = ensureLoaded
        self._volumes: List = []
        self._records: Dict[str, CaseRecord] = {}
        self._observers = Observers()
        self.source = ChoiceBox(ui.batchSourceCombo, sourceChoices(), self._onSource)
        self.orientation = ChoiceBox(ui.batchOrientationCombo, orientationChoices(), lambda _key: None)
        self._onSource(self.source.key)
        self.batch = SceneBatch(session)
        self.batch.progress.connect(self._onProgress)
        self.batch.caseFinished.connect(self._onCase)
        self.batch.finished.connect(self._onFinished)
        scene = session.workspace.scene
        for event in (scene.NodeAddedEvent, scene.NodeRemovedEvent, scene.EndBatchProcessEvent):
            self._observers.add(scene, event, self._onScene)
        self._observers.add(scene, scene.StartCloseEvent, self._onClosing)
        ui.batchSection.connect("contentsCollapsed(bool)", self.refresh)
        ui.batchButton.connect("clicked()", status.guard(self._start))
        ui.batchList.connect("itemDoubleClicked(QListWidgetItem*)", status.guard(self._look))
        self.refresh()

    def refresh(self) -> None:
        """List the volumes of the scene; check marks stay."""
        scene = self._session.workspace.scene
        if self._ui.batchSection.collapsed or scene.IsBatchProcessing():
            return
        checked = {node.GetID() for node in self._checked()}
        self._volumes = list(_volumes(scene))
        self._ui.batchList.clear()
        for row, node in enumerate(self._volumes):
            self._ui.batchList.addItem(caseText(node.GetName(), self._records.get(node.GetID())))
            isChecked = node.GetID() in checked
            self._ui.batchList.item(row).setCheckState(qt.Qt.Checked if isChecked else qt.Qt.Unchecked)

    def close(self) -> None:
        self._observers.close()
        self.batch.close()

    def _checked(self) -> List:
        count = self._ui.batchList.count
        rows = [row for row in range(count) if self._ui.batchList.item(row).checkState() == qt.Qt.Checked]
        return [self._volumes[row] for row in rows]

    def _start(self) -> None:
        source = self._source()
        self._ensureLoaded()
        self._progress.begin(self, _("Batch"), self.batch.cancel, isLong=True)
        try:
            self.batch.start(self._checked(), source)
        except Exception:
            self._progress.end(self)
            raise

    def _source(self) -> PromptSource:
        workspace = self._session.workspace
        scene, key = workspace.scene, self.source.key
        if key == "segmentation":
            return PromptsOfSegmentation(scene, workspace.requireSegmentation(), workspace.window())
        if key == "segments":
            return BoxesOfSegmentations(scene, workspace.segmentationNode, self._slices())
        if key == "markups":
            return markupsOf(scene, self._slices())
        path = qt.QFileDialog.getOpenFileName(None, _("Prompts file"), "", "*.json")
        if not path:
            raise CancelledError(_("No prompts file was chosen."))
        return SharedPrompts(readPromptsFile(path))

    def _slices(self) -> SliceChoice:
        workspace, count = self._session.workspace, self._ui.batchCountSpin.value
        return SliceChoice(self.orientation.key, count or None, window=workspace.window())

    def _onSource(self, key: str) -> None:
        isLaidOnSlices = key in ("segments", "markups")
        self._ui.batchOrientationCombo.enabled = self._ui.batchCountSpin.enabled = isLaidOnSlices

    def _onProgress(self, done: int, total: int) -> None:
        self._progress.advance(self, done, total)

    def _onCase(self, record: CaseRecord) -> None:
        self._records[record.source] = record
        self.refresh()

    def _onFinished(self, records: List[CaseRecord]) -> None:
        self._progress.end(self)
        self._status.say(summaryText(records))

    def _look(self) -> None:
        """Show the volume of a row with its result."""
        node = self._volumes[self._ui.batchList.currentRow]
        record = self._records.get(node.GetID())
        self._session.setVolume(node)
        slicer.util.setSliceViewerLayers(background=node, fit=True)
        if record is not None and record.state in FINISHED:
            self._session.setSegmentation(self._session.workspace.scene.GetNodeByID(record.segmentationId))

    def _onScene(self, *_) -> None:
        self.refresh()

    def _onClosing(self, *_) -> None:
        # The next scene has volumes of the same IDs.
        self._records.clear()


def sourceChoices():
    return [
        ("segmentation", _("those of the chosen segmentation")),
        ("segments", _("boxes around segments")),
        ("markups", _("point lists and ROIs of the scene")),
        ("file", _("a prompts file...")),
    ]


def orientationChoices():
    return [("axial", _("axial")), ("sagittal", _("sagittal")), ("coronal", _("coronal"))]


def caseText(name: str, record: Optional[CaseRecord] = None) -> str:
    """Return a row: the volume's name and what became of it."""
    if record is None:
        return name
    if record.state == FAILED:
        return _("{name}: failed. {reason}").format(name=name, reason=record.message)
    if record.state == NEEDS_REVIEW:
        return _("{name}: needs review, {reason}").format(name=name, reason="; ".join(record.reasons))
    return _("{name}: done").format(name=name) if record.state == DONE else name


def summaryText(records: List[CaseRecord]) -> str:
    states = [record.state for record in records]
    return _("{done} of {total} volumes segmented, {review} need review, {failed} failed.").format(
        done=sum(state in FINISHED for state in states),
        total=len(states),
        review=states.count(NEEDS_REVIEW),
        failed=states.count(FAILED),
    )


def _volumes(scene):
    for className in ("vtkMRMLScalarVolumeNode", "vtkMRMLVectorVolumeNode"):
        # Without those of derived classes, such as label maps.
        yield from (node for node in nodesOfClass(scene, className) if node.GetClassName() == className)
