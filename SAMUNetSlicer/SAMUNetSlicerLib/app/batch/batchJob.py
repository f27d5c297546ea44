"""Segment many images into one folder; a batch can be stopped at any moment and continues where it was."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Callable, Dict, List, Optional, Sequence, Tuple

from ...atomicFiles import sha256Of
from ...engine.serving import ModelSpec
from ...errors import OutputError, UserError
from ..common import printablePath, requireUtf8
from ..engines import EngineLaunch
from ..jobs import FAILED, QUEUED, REVIEW_BELOW, RUNNING, CaseRecord
from ..prompts import SliceChoice
from .caseFiles import isCaseIntact, readRecord, removeLeftovers, setAside
from .casePrompts import PromptSearch
from .cases import BatchCase, findCases
from .caseTask import CaseTask
from .localPool import WorkerPool
from .lock import batchLock
from .manifest import Manifest
from .rayPool import RayPool
from .report import writeReport
from .workerProcess import Advanced, Noticed, Started


@dataclass(frozen=True)
class BatchOptions:
    """Options of a batch.

    ``inputs``: see ``findCases``; ``prompts``: see `casePrompts`; ``folder``: of the results; ``devices``:
    one for each process; ``reviewBelow``: see ``reviewReasons``; ``overwrite``: replace results that were
    made from other images, prompts, weights or options; ``formats``: see `CaseTask`; ``launch``: how engines
    are started; ``ray``: address of a cluster that does the work, see `RayPool`, whose ``devices`` these are
    then; by default processes of this machine do.
    """

    inputs: Tuple[Path, ...]
    prompts: Tuple[Path, ...]
    folder: Path
    spec: ModelSpec
    choice: SliceChoice = field(default_factory=SliceChoice)
    devices: Tuple[str, ...] = ("auto",)
    reviewBelow: float = REVIEW_BELOW
    overwrite: bool = False
    formats: Tuple[str, ...] = ()
    launch: EngineLaunch = field(default_factory=EngineLaunch)
    ray: str = ""


@dataclass(frozen=True)
class BatchListener:
    """Functions that are told about the progress of a batch.

    ``changed(record, counts of finished and all cases)``: a case has another state; ``advanced(name, done,
    total)``: slices of a case; ``noticed(sentence)``.
    """

    changed: Callable[[CaseRecord, int, int], None] = lambda record, done, total: None
    advanced: Callable[[str, int, int], None] = lambda name, done, total: None
    noticed: Callable[[str], None] = lambda sentence: None


class BatchJob:
    """Finds the cases and their prompts; ``run`` segments those that are not finished yet.

    Finished cases are kept if the checksums of their files are right.  A case whose files somebody has
    changed is segmented again, and what was there is renamed, never deleted.

    :raises UserError: there are no images, or the prompts cannot be read.
    """

    def __init__(self, options: BatchOptions, listener: Optional[BatchListener] = None):
        self.folder = Path(options.folder).absolute()
        self._options = options
        self._listener = listener or BatchListener()
        self._weights = sha256Of(Path(options.spec.weights)) if options.spec.weights else ""
        search = PromptSearch(options.prompts)
        cases = findCases(options.inputs, [self.folder, *map(Path, options.prompts)])
        self._records: Dict[str, CaseRecord] = {}
        self._tasks: List[CaseTask] = []
        for case in cases:
            self._plan(case, search)

    @property
    def records(self) -> List[CaseRecord]:
        """Return what is known of each case now, without the slices of which there is no picture."""
        return list(self._records.values())

    def run(self) -> List[CaseRecord]:
        """Segment what is not finished; also on Ctrl-C manifest and report say how far it got.

        :raises OutputError: the folder cannot be written, is in use, or holds results of something else.
        """
        with batchLock(self.folder):
            removeLeftovers(self.folder)
            tasks = self._unfinished()
            manifest = Manifest(self.folder, self._facts())
            manifest.write(self.records)
            try:
                self._work(tasks, manifest)
            finally:
                self._requeue()
                removeLeftovers(self.folder)
                manifest.write(self.records)
                writeReport(self.folder, self.records, self._facts())
        return self.records

    def _plan(self, case: BatchCase, search: PromptSearch) -> None:
        options = self._options
        self._records[case.name] = record = CaseRecord(case.name, printablePath(case.path))
        try:
            requireUtf8(Path(case.path))
            prompts = search.find(case)
        except UserError as error:
            failure = {"state": FAILED, "message": str(error), "error": type(error).__name__}
            self._records[case.name] = replace(record, **failure)
            return
        arguments = (prompts, options.choice, options.spec, str(self.folder), self._weights)
        self._tasks.append(
            CaseTask(case, *arguments, reviewBelow=options.reviewBelow, formats=options.formats)
        )

    def _unfinished(self) -> List[CaseTask]:
        """Return the tasks that are left; the records of the others are read."""
        found = {task.case.name: readRecord(self.folder, task.case.name) for task in self._tasks}
        tasks = {task.case.name: task for task in self._tasks}
        others = [name for name, record in found.items() if record and record.key != tasks[name].key()]
        if others and not self._options.overwrite:
            raise OutputError(
                f"{self.folder} holds results of other images, prompts, weights or options ({len(others)} "
                f"cases, such as '{others[0]}'): choose another folder, or overwrite them."
            )
        kept = {name for name, record in found.items() if record and name not in others}
        for name in sorted(kept):
            if isCaseIntact(self.folder, found[name]):
                self._records[name] = found[name].summary()
            else:
                place = setAside(self.folder, name)
                kept.discard(name)
                self._listener.noticed(f"The files of '{name}' were changed: they are now in {place.name}.")
        return [task for task in self._tasks if task.case.name not in kept]

    def _work(self, tasks: Sequence[CaseTask], manifest: Manifest) -> None:
        if not tasks:
            return
        pool = self._pool(len(tasks))
        try:
            for event in pool.run(tasks):
                self._take(event)
                manifest.offer(self.records)
        finally:
            pool.close()

    def _pool(self, most: int):
        options = self._options
        if options.ray:
            return RayPool(options.ray, options.devices, self.folder, options.launch)
        return WorkerPool(options.devices[:most], self.folder, options.launch)

    def _take(self, event) -> None:
        if isinstance(event, Advanced):
            self._listener.advanced(event.name, event.done, event.total)
        elif isinstance(event, Noticed):
            self._listener.noticed(event.sentence)
        elif isinstance(event, Started):
            self._note(replace(self._records[event.name], state=RUNNING))
        else:
            self._note(event.summary())

    def _note(self, record: CaseRecord) -> None:
        self._records[record.name] = record
        ended = sum(each.state not in (QUEUED, RUNNING) for each in self._records.values())
        self._listener.changed(record, ended, len(self._records))

    def _requeue(self) -> None:
        """Queue again what was running when the batch was stopped: it has left nothing behind."""
        for name, record in self._records.items():
            if record.state == RUNNING:
                self._records[name] = replace(record, state=QUEUED)

    def _facts(self) -> Dict:
        options = self._options
        return {
            "model": {
                "id": options.spec.model_id,
                "weights": self._weights,
                "precision": options.spec.precision,
            },
            "devices": list(options.devices),
            "prompts": [str(Path(source).absolute()) for source in options.prompts],
            "choice": options.choice.toDict(),
        }
