"""Obtain, import and verify weights in a process of its own; arguments: ACTION ID [FILE].

In Slicer neither a thread nor the main thread could do it without holding up the user.  Progress and the
outcome leave on the standard output as frames of `engine.protocol`; when the input ends, the work is given
up and what it has begun is cleared away, but for the part of a download that can be continued.
"""

import _thread
import os
import sys
import threading
import time
from pathlib import Path
from typing import List, Optional

from ...engine.serving import Message, outcome_message, pack
from ...errors import UserError, WeightsError
from .addUserModel import addOwnModel
from .userModels import catalog
from .weights import areWeightsIntact, checkedImport, installedWeights, obtainWeights

_REPORT_SECONDS = 0.1


def get(modelId: str, report) -> None:
    """Download the weights of a model; the user has agreed."""
    obtainWeights(catalog().get(modelId), lambda _text: True, progress=report)


def take(modelId: str, report, file: str) -> None:
    """Take over a file or package that the user has."""
    checkedImport(catalog().get(modelId), Path(file))


def add(modelId: str, report, file: str) -> None:
    """Take over weights for the network of ``modelId`` as a model of their own."""
    addOwnModel(catalog().get(modelId), Path(file))


def check(modelId: str, report) -> None:
    """Prove the weights of a model: by their published sum, or without one by building the network.

    :raises WeightsError: they are not here, or not what was published.
    """
    card = catalog().get(modelId)
    path = installedWeights(card)
    if path is None:
        raise WeightsError(f"The weights of {card.title} are not on this computer.")
    if not areWeightsIntact(card, path):
        raise WeightsError(
            f"The weights of {card.title} in {path} are damaged: remove them, then get them again."
        )
    if card.sha256 is None:
        from ...engine.models import load_model

        load_model(card, path, device="cpu", precision="fp32")


ACTIONS = {action.__name__: action for action in (get, take, add, check)}


def main(arguments: List[str]) -> None:
    outlet = _Outlet(_claimOutput())
    threading.Thread(target=_endWithInput, daemon=True).start()
    name, modelId, *files = arguments
    try:
        ACTIONS[name](modelId, outlet.report, *files)
        outlet.send(outcome_message(0, None))
    except UserError as error:
        outlet.send(outcome_message(0, error))
    except KeyboardInterrupt:
        pass  # nobody waits for it any more


def _claimOutput() -> int:
    """Keep the pipe for the frames; whatever a library prints goes to the standard error."""
    output = os.dup(1)
    sys.stdout = sys.stderr
    os.dup2(2, 1)
    return output


def _endWithInput() -> None:
    while os.read(0, 1024):
        pass
    _thread.interrupt_main()


class _Outlet:
    """Writes frames, but tells progress no more often than anybody can see."""

    def __init__(self, descriptor: int):
        self._descriptor = descriptor
        self._reportedAt = 0.0

    def send(self, message: Message) -> None:
        try:
            for buffer in pack(message):
                rest = buffer
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:  # nobody listens any more: leave as if the input had ended
            raise KeyboardInterrupt from error

    def report(self, done: int, total: Optional[int]) -> None:
        if time.monotonic() - self._reportedAt > _REPORT_SECONDS or done == total:
            self._reportedAt = time.monotonic()
            self.send(Message("progress", {"done": done, "total": total}))


if __name__ == "__main__":
    main(sys.argv[1:])
