"""From key slices to their neighbors and on, by the network: encoding runs ahead of the masks."""

from typing import Dict, Iterable, Iterator, List, NamedTuple

import numpy as np

from ..engine.reports import PredictReport
from ..engine.types import Prompts
from ..scene.planeStack import PlaneStack, carried
from .engineClient import EngineClient
from .fronts import Front
from .madeSlices import MadeSlice
from .neighborPrompts import neighborPrompts
from .propagationOptions import PropagatedSlice, PropagationOptions, Stop
from .sliceContent import SliceContent
from .sliceRequest import SliceRequest, draftRecord
from .squarePixels import planeMask, squareImage, squarePrompts
from .stopRules import compare, reasonToStop
from .ticket import Ticket
from .workspace import Target, Workspace

# Slices that each front has encoded before their turn: a full batch on a GPU; on the CPU just enough that
# it never waits for the front end, because what lies beyond the end of the structure is encoded in vain.
_AHEAD_ON_GPU, _AHEAD_ON_CPU = 8, 2


class _Encoded(NamedTuple):
    image: np.ndarray
    ticket: Ticket


class SliceWalk:
    """Segments slices of a stack with the masks of their neighbors; writes nothing.

    ``made``: what was segmented, by step; ``slices``: how it went; ``stops``: where it ended.
    """

    def __init__(
        self,
        workspace: Workspace,
        engine: EngineClient,
        segmentId: str,
        stack: PlaneStack,
        options: PropagationOptions,
    ):
        self.made: Dict[int, MadeSlice] = {}
        self.slices: Dict[int, PropagatedSlice] = {}
        self.stops: List[Stop] = []
        self._workspace = workspace
        self._engine = engine
        self._segmentId = segmentId
        self._stack = stack
        self._options = options
        self._window = workspace.window()
        self._encoded: Dict[int, _Encoded] = {}
        self._fronts: List[Front] = []

    def run(self, fronts: List[Front]) -> Iterator[bool]:
        """Go on until no front has anything left to do; yields True when only the engine can go on.

        :raises UserError: the volume cannot be used any more, or the engine failed.
        """
        self._fronts = fronts
        while any(front.next is not None for front in fronts):
            yield from _inTurns([self._follow(front) for front in fronts])

    @property
    def total(self) -> int:
        """How many slices there are to do at most, those that are done included."""
        return len(self.made) + sum(front.remaining for front in self._fronts)

    def cancel(self) -> None:
        """Withdraw what the engine has not begun."""
        for encoded in self._encoded.values():
            self._engine.cancel(encoded.ticket)
        self._encoded.clear()

    def _follow(self, front: Front) -> Iterator[bool]:
        while front.next is not None:
            yield from self._encodeAhead(front)
            yield from self._segment(front, front.next)

    def _encodeAhead(self, front: Front) -> Iterator[bool]:
        depth = _AHEAD_ON_CPU if self._engine.status.device == "cpu" else _AHEAD_ON_GPU
        for count in range(min(depth, front.remaining)):
            step = front.next + count * front.direction
            if step not in self._encoded:
                self._encoded[step] = self._encode(step)
                yield False

    def _encode(self, step: int) -> _Encoded:
        plane = self._stack.plane(step)
        image = self._workspace.images.image(self._workspace.requireVolume(), plane, self._window)
        return _Encoded(image, self._engine.encode(squareImage(image, plane)))

    def _segment(self, front: Front, step: int) -> Iterator[bool]:
        plane = self._stack.plane(step)
        encoded = self._encoded[step]
        # Not before: a prediction would be served first and encode its slice outside of the batch.
        while not encoded.ticket.isDone:
            yield True
        neighbor = carried(front.mask, self._stack.plane(front.at), plane)
        if not neighbor.any():
            self._stop(front, "The structure leaves the image.")
            return
        prompts = neighborPrompts(neighbor, self._engine.status.capabilities)
        ticket = self._engine.predict(squareImage(encoded.image, plane), squarePrompts(prompts, plane))
        while not ticket.isDone:
            yield True
        self._take(front, step, neighbor, prompts, ticket.value())

    def _take(
        self, front: Front, step: int, neighbor: np.ndarray, prompts: Prompts, report: PredictReport
    ) -> None:
        plane = self._stack.plane(step)
        mask = planeMask(report.prediction, prompts, plane)
        confidence, comparison = float(report.prediction.confidence), compare(mask, neighbor)
        reason = reasonToStop(comparison, confidence, self._options)
        if reason is not None:
            self._stop(front, reason)
            return
        self.made[step] = self._madeSlice(front, step, mask, prompts, report)
        self.slices[step] = PropagatedSlice(plane, confidence, comparison.dice, comparison.areaRatio)
        del self._encoded[step]
        front.at, front.mask = step, mask

    def _madeSlice(self, front: Front, step: int, mask, prompts: Prompts, report: PredictReport) -> MadeSlice:
        plane = self._stack.plane(step)
        target = Target(self._segmentId, plane)
        image, untouched = self._encoded[step].image, SliceContent.untouched(plane.shape)
        request = SliceRequest(target, (), self._window, image, untouched, prompts)
        origin = {
            "method": "propagate",
            "neighbor": self._stack.plane(front.at).signature(),
            "key": self._stack.plane(front.key).signature(),
        }
        draft = draftRecord(request, self._workspace.policy, report, self._engine.status, origin)
        return MadeSlice(target, mask, prompts.mask, draft)

    def _stop(self, front: Front, reason: str) -> None:
        self.stops.append(Stop(self._stack.plane(front.next), reason))
        front.isStopped = True
        if front.opposite is None or front.opposite.isStopped:
            self._forget(step for step in self._encoded if (step - front.at) * front.direction > 0)

    def _forget(self, steps: Iterable[int]) -> None:
        for step in list(steps):
            self._engine.cancel(self._encoded.pop(step).ticket)


def _inTurns(works: List[Iterator[bool]]) -> Iterator[bool]:
    """Do several things at once; yields True when all of them wait."""
    while works:
        isWaiting = True
        for work in list(works):
            state = next(work, None)
            if state is None:
                works.remove(work)
            isWaiting = isWaiting and state is True
            if not isWaiting:
                yield False
        if isWaiting and works:
            yield True
