"""Run the engine's process: ``python -m SAMUNetSlicerLib.engine.serving.worker``.

Requests come in on the standard input, answers leave on the standard output, as frames of
`engine.protocol`.  When the input ends, because the front end closed it or died, the process ends at
once: cache files are written atomically, so there is nothing to finish.
"""

import logging
import os
import queue
import sys
import threading
from types import TracebackType
from typing import Callable, Optional, Tuple

from .cpu_threads import wait_passively
from .frames import FrameReader, Message, pack
from .job_loop import JobLoop
from .jobs import JobQueue
from .messages import job_from, outcome_message, status_message
from .sent_images import ImageReceiver

_CHUNK_BYTES = 1 << 20
_log = logging.getLogger(__name__)


def main(make_service: Optional[Callable] = None) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # A process of which one thread has ended would leave the front end waiting: it is started again instead.
    threading.excepthook = lambda fault: _die(fault.exc_type, fault.exc_value, fault.exc_traceback)
    sys.excepthook = _die
    requests, answers = _claim_standard_streams()
    outlet = _Outlet(answers)
    jobs = JobQueue()
    threading.Thread(target=_receive, args=(requests, jobs), name="requests", daemon=True).start()
    service = (make_service or _make_service)(
        lambda sentence: outlet.send(Message("notice", {"sentence": sentence}))
    )
    outlet.send(Message("ready", {"pid": os.getpid()}))
    outlet.flush()  # whoever dies now has started, which makes a difference to the front end
    runner = JobLoop(
        service,
        jobs,
        deliver=lambda ticket, outcome: outlet.send(outcome_message(ticket, outcome)),
        report=lambda status: outlet.send(status_message(status)),
    )
    runner.run()


def _die(kind: type, fault: Optional[BaseException], traceback: Optional[TracebackType]) -> None:
    """Log a fault that nobody has caught, and end the process, whatever its other threads do."""
    try:
        _log.critical("The engine ends because of a fault", exc_info=(kind, fault, traceback))
    finally:
        os._exit(1)


def _make_service(notify: Callable[[str], None]):
    wait_passively()
    # Imported after the pipes are served: torch takes seconds, and requests may come meanwhile.
    from .service import EngineService

    return EngineService(notify)


def _claim_standard_streams() -> Tuple[int, int]:
    """Keep the pipes for the protocol; whatever a library prints goes to the standard error."""
    requests, answers = os.dup(0), os.dup(1)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    sys.stdout = sys.stderr
    os.dup2(2, 1)
    return requests, answers


class _Outlet:
    """Writes whole messages to a file descriptor, on a thread of its own: a front end that is busy with
    something else must not keep the network from its next image."""

    def __init__(self, descriptor: int):
        self._messages: queue.Queue[Message] = queue.Queue()
        threading.Thread(target=self._write, args=(descriptor,), name="answers", daemon=True).start()

    def send(self, message: Message) -> None:
        self._messages.put(message)

    def flush(self) -> None:
        """Wait until everything is written."""
        self._messages.join()

    def _write(self, descriptor: int) -> None:
        try:
            while True:
                for buffer in pack(self._messages.get()):
                    _write_all(descriptor, buffer)
                self._messages.task_done()
        except OSError:
            os._exit(0)  # nobody listens any more


def _write_all(descriptor: int, buffer: memoryview) -> None:
    while buffer:
        buffer = buffer[os.write(descriptor, buffer) :]


def _receive(descriptor: int, jobs: JobQueue) -> None:
    """Fill the queue from the pipe; ends the whole process with the pipe, whatever is running."""
    decoder, images = FrameReader(), ImageReceiver()
    while True:
        chunk = os.read(descriptor, _CHUNK_BYTES)
        if not chunk:
            os._exit(0)
        for message in decoder.feed(chunk):
            _accept(images.completed(message), jobs)


def _accept(message: Message, jobs: JobQueue) -> None:
    if message.kind == "cancel":
        jobs.cancel(message.fields["ticket"])
    else:
        jobs.put(job_from(message))


if __name__ == "__main__":
    main()
