"""Work on weights in the background, with progress, until it is done or cancelled."""

from dataclasses import replace
from pathlib import Path
from typing import Optional

from ...engine.serving import outcome_from
from ...errors import CancelledError, EngineError, UserError
from ...events import Signal
from ..engines import EngineLaunch, EngineProcess

_WORKER = ("-m", "SAMUNetSlicerLib.app.models.weightsWorker")


class WeightsTask:
    """One action of `weightsWorker` in a process of its own; call ``poll`` until ``isRunning`` is False.

    ``progress(done, total or None)``: bytes; ``finished(error or None)``: once, from ``poll`` or ``cancel``.

    :param launch: how the engine's process is started: the worker runs in the same Python.
    :param action: "get", "take", "add" or "check".
    :param file: what is taken over.
    :raises EngineError: that Python cannot be started.
    """

    def __init__(self, launch: EngineLaunch, action: str, modelId: str, file: Optional[Path] = None):
        self.progress, self.finished = Signal("weights progress"), Signal("weights finished")
        arguments = (*_WORKER, action, modelId, *([] if file is None else [str(file)]))
        self._launch = launch
        self._process: Optional[EngineProcess] = EngineProcess(replace(launch, arguments=arguments))

    @property
    def isRunning(self) -> bool:
        return self._process is not None

    def poll(self) -> None:
        """Take what the process has said."""
        if self._process is None:
            return
        messages, mayContinue = self._process.receive()
        for message in messages:
            if message.kind == "progress":
                self.progress.emit(message.fields["done"], message.fields["total"])
            else:
                self._end(outcome_from(message)[1])
                return
        if not mayContinue:
            self._end(None, died=True)

    def cancel(self) -> None:
        """Give it up; a download that was begun can be continued later."""
        if self._process is not None:
            self._end(CancelledError("The work on the weights was cancelled."))

    def _end(self, error: Optional[UserError], died: bool = False) -> None:
        process, self._process = self._process, None
        ending = process.close()
        if died:
            log = self._launch.logPath
            where = f"the log {log} says why" if log else "its messages above say why"
            error = EngineError(f"The work on the weights stopped unexpectedly ({ending}): {where}.")
        self.finished.emit(error)
