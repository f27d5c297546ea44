"""Run the engine in a process of its own, and restart it when it dies: for Slicer and the browser."""

import collections
import logging
from dataclasses import dataclass
from typing import Any, Deque, Dict, Optional

from ...engine.serving import ImageSender, Job, Message, Priority, job_message, outcome_from, status_from
from ...errors import CancelledError, EngineError
from .childProcess import EngineLaunch, EngineProcess
from .client import EngineClient, Ticket

_MAX_ATTEMPTS = 2
_log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Sent:
    """A request that has not been answered, kept so that it can be sent again."""

    job: Job
    attempts: int = 1


class ProcessEngine(EngineClient):
    """Nothing is started before the first request.

    When the process dies, the clicks that waited for it are sent to a new one, which loads the same model
    first; prefetching is given up.  A request during which the engine died twice is refused.
    """

    def __init__(self, launch: Optional[EngineLaunch] = None):
        super().__init__()
        self._launch = launch or EngineLaunch()
        self._process: Optional[EngineProcess] = None
        self._images = ImageSender()
        self._hasGreeted = False
        self._unanswered: Dict[int, _Sent] = {}
        self._arrived: Deque[Message] = collections.deque()
        self._isClosed = False

    @property
    def pid(self) -> Optional[int]:
        """Process id of the engine while there is one."""
        return None if self._process is None else self._process.pid

    @property
    def hasModel(self) -> bool:
        return self.status is not None or self._spec is not None

    def poll(self) -> None:
        process = self._process
        if process is None:
            return
        messages, mayContinue = process.receive()
        self._arrived.extend(messages)
        while self._arrived:  # one by one: if a listener raises, the others' answers are not lost
            self._take(self._arrived.popleft())
        if not mayContinue and self._process is process:  # a listener may have polled or closed meanwhile
            self._recover()

    def block(self, seconds: float) -> None:
        if self._process is not None:
            self._process.block(seconds)

    def close(self) -> None:
        self._isClosed = True
        self._stop()
        self._unanswered.clear()
        self._failAll(CancelledError("The engine was closed."))
        self._setStatus(None)

    def _submit(self, job: Job) -> None:
        if job.operation == "load":
            self._spec = job.arguments["spec"]
        self._unanswered[job.ticket] = _Sent(job)
        try:
            self._send(job)
        except EngineError as error:
            self._settle(job.ticket, error)

    def _withdraw(self, number: int) -> None:
        if self._unanswered.pop(number, None) is not None and self._process is not None:
            self._process.send(Message("cancel", {"ticket": number}))

    def _send(self, job: Job) -> None:
        if self._isClosed:
            raise EngineError("The engine was closed; open a new one.")
        if self._process is None:
            self._process, self._images = EngineProcess(self._launch), ImageSender()
            self._restoreModel()
        self._process.send(self._images.shortened(job_message(job)))

    def _restoreModel(self) -> None:
        """Let a new process load what the one before had loaded, unless that is being asked for anyway."""
        isAskedFor = any(sent.job.operation == "load" for sent in self._unanswered.values())
        if self._spec is not None and not isAskedFor:
            self.start(self._spec).whenDone(self._sayWhyNotLoaded)

    def _sayWhyNotLoaded(self, ticket: Ticket) -> None:
        if ticket.error is not None and not ticket.isCancelled:
            self.noticed.emit(str(ticket.error))

    def _stop(self) -> str:
        process, self._process = self._process, None
        self._hasGreeted = False
        self._arrived.clear()
        return "" if process is None else process.close()

    def _take(self, message: Message) -> None:
        if message.kind == "ready":
            self._hasGreeted = True
        elif message.kind == "notice":
            self.noticed.emit(message.fields["sentence"])
        elif message.kind == "status":
            self._setStatus(status_from(message))
        else:
            self._settleBy(message)

    def _settleBy(self, message: Message) -> None:
        try:
            answer = outcome_from(message)
        except (KeyError, TypeError, ValueError):
            _log.exception("The engine's answer cannot be read")
            self._process.kill()  # it cannot be trusted with the others either; the next poll restarts it
        else:
            self._settle(*answer)

    def _settle(self, number: int, outcome: Any) -> None:
        self._unanswered.pop(number, None)
        self._deliver(number, outcome)

    def _recover(self) -> None:
        hadGreeted = self._hasGreeted
        ending = self._stop()
        self._setStatus(None)
        if not hadGreeted:
            self._giveUp(f"The engine's process could not start ({ending}); {self._whereTheLogIs()}")
            return
        self._sendAgain()
        self.noticed.emit(
            f"The engine stopped unexpectedly ({ending}) and was started again; prompts and masks are intact."
        )

    def _sendAgain(self) -> None:
        waiting = list(self._unanswered.values())
        for sent in waiting:
            if sent.job.priority == Priority.PREFETCH:
                self._settle(sent.job.ticket, CancelledError("The engine was started again."))
            elif sent.attempts == _MAX_ATTEMPTS:
                self._refuse(sent.job)
        try:
            for sent in [sent for sent in waiting if sent.job.ticket in self._unanswered]:
                sent.attempts += 1
                self._send(sent.job)
        except EngineError as error:
            self._giveUp(str(error))

    def _refuse(self, job: Job) -> None:
        if job.operation == "load":
            self._spec = None  # otherwise every later request would start the same crash again
        self._settle(
            job.ticket, EngineError(f"The engine stopped twice on the same request; {self._whereTheLogIs()}")
        )

    def _giveUp(self, sentence: str) -> None:
        self._unanswered.clear()
        self._failAll(EngineError(sentence))

    def _whereTheLogIs(self) -> str:
        log = self._launch.logPath
        return f"its log {log} says why." if log else "its messages above say why."
