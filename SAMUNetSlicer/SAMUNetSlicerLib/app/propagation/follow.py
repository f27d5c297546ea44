"""Follow a segment from slice to slice by the network: encoding runs ahead of the masks."""

from typing import Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Union

import numpy as np

from ...engine.learning import Appearance, Known
from ...engine.overlap import dice
from ...engine.serving import PredictReport
from ...engine.types import Prediction
from ...scene.geometry import PlaneStack, SlicePlane
from ..engines import EngineClient, Ticket
from ..session import (
    PixelOrigins,
    PredictedSlice,
    SliceRequest,
    Target,
    Workspace,
    draftRecord,
    encodeMask,
    learnedId,
)
from .learner import SegmentLearner
from .options import PropagatedSlice, PropagationOptions, Stop
from .routes import CutRoute, RegionRoute, Route, RouteStep
from .stopRules import GrayLevels, grayLevels, reasonToRefuse

# Slices that each front has encoded before their turn: a full batch on a GPU; on the CPU just enough that
# it never waits for the front end, because what lies beyond the end of the structure is encoded in vain.
_AHEAD_ON_GPU, _AHEAD_ON_CPU = 8, 2


AnyRoute = Union[Route, RegionRoute, CutRoute]


class _Encoded(NamedTuple):
    image: np.ndarray
    ticket: Ticket


class SliceFollower:
    """Segments slices of a stack, each prompted by its `Way`; writes nothing.

    ``made``: what was segmented, by step; ``slices``: how it went; ``stops``: slices that were refused;
    ``engineMs``: what encoding and decoding have taken.

    :param taken: told of every slice that is added to ``made``.
    :param learner: of the segment, has learned; without one, slices are compared by the images that the
        network sees.
    """

    def __init__(
        self,
        workspace: Workspace,
        engine: EngineClient,
        segmentId: str,
        stack: PlaneStack,
        options: PropagationOptions,
        taken: Optional[Callable[[PredictedSlice, Prediction], None]] = None,
        learner: Optional[SegmentLearner] = None,
    ):
        self.made: Dict[int, PredictedSlice] = {}
        self.slices: Dict[int, PropagatedSlice] = {}
        self.stops: List[Stop] = []
        self.engineMs = 0.0
        self._workspace = workspace
        self._engine = engine
        self._segmentId = segmentId
        self._stack = stack
        self._options = options
        self._taken = taken
        self._learner = learner
        self._window = workspace.window()
        self._encoded: Dict[int, _Encoded] = {}
        self._routes: List[AnyRoute] = []
        self._levels: Dict[int, GrayLevels] = {}

    def run(self, routes: Sequence[AnyRoute]) -> Iterator[bool]:
        """Go on until no way has anything left to do; yields True when only the engine can go on.

        :raises UserError: the volume cannot be used any more, or the engine failed.
        """
        self._routes = list(routes)
        while any(route.ahead for route in routes):
            yield from _inTurns([self._follow(route) for route in routes])

    @property
    def done(self) -> int:
        return len(self.made)

    @property
    def total(self) -> int:
        """Return how many slices there are to do at most, those that are done included."""
        return self.done + sum(len(route.ahead) for route in self._routes)

    def cancel(self) -> None:
        """Withdraw what the engine has not begun."""
        self._withdraw(list(self._encoded))

    def _follow(self, route: AnyRoute) -> Iterator[bool]:
        while route.ahead:
            yield from self._encodeAhead(route)
            yield from self._segment(route, route.ahead[0])

    def _encodeAhead(self, route: AnyRoute) -> Iterator[bool]:
        depth = _AHEAD_ON_CPU if self._engine.lastStatus.device == "cpu" else _AHEAD_ON_GPU
        for step in list(route.ahead[:depth]):
            if step not in self._encoded:
                image = self._image(self._stack.plane(step))
                self._encoded[step] = _Encoded(image, self._encode(route, step, image))
                yield False

    def _encode(self, route: AnyRoute, step: int, image: np.ndarray) -> Ticket:
        # A guess: the slices before it are not done, and the prompts will not be quite these.
        routeStep = route.routeStep(self._stack, step, self._engine.lastStatus.capabilities)
        spacing = self._stack.plane(step).spacing
        if routeStep is None:
            return self._engine.encode(image, spacing)
        return self._engine.encodeFor(image, routeStep.prompts, spacing)

    def _segment(self, route: AnyRoute, step: int) -> Iterator[bool]:
        # Not before it is encoded: a prediction would be served first, and encode outside of the batch.
        while not self._encoded[step].ticket.isDone:
            yield True
        aheadMs = _encodeMs(self._encoded[step].ticket)
        routeStep = route.routeStep(self._stack, step, self._engine.lastStatus.capabilities)
        if routeStep is None:
            self._refuse(route, step, "The structure leaves the image.")
            return
        plane, image = self._stack.plane(step), self._encoded[step].image
        ticket = self._ask(image, routeStep, plane)
        while not ticket.isDone:
            yield True
        report = ticket.value()
        self.engineMs += aheadMs + report.encoding.encode_ms + report.decode_ms
        self._take(route, step, routeStep, report)

    def _ask(self, image: np.ndarray, routeStep: RouteStep, plane: SlicePlane) -> Ticket:
        appearance = self._appearance(routeStep)
        if appearance is None:
            return self._engine.predict(image, routeStep.prompts, plane.spacing)
        known = Known(self._learner.values(plane), routeStep.neighbor, appearance)
        return self._engine.recognize(image, routeStep.prompts, known, plane.spacing)

    def _appearance(self, routeStep: RouteStep) -> Optional[Appearance]:
        """Return what was learned, where a neighbor tells how far the structure may reach."""
        isKnown = self._learner is not None and routeStep.neighbor is not None
        return self._learner.appearance if isKnown else None

    def _take(self, route: AnyRoute, step: int, routeStep: RouteStep, report: PredictReport) -> None:
        mask = report.prediction.mask
        if not mask.any():
            self._refuse(route, step, "Nothing was found there.")
            return
        found = self._compared(route, step, mask, routeStep, report)
        reason = reasonToRefuse(found, self._options)
        if reason is not None:
            self._refuse(route, step, reason)
            return
        self.made[step] = self._madeSlice(step, mask, routeStep, report)
        self.slices[step] = found
        del self._encoded[step]
        route.accept(step, mask)
        if self._taken is not None:
            self._taken(self.made[step], report.prediction)

    def _compared(
        self, route: AnyRoute, step: int, mask: np.ndarray, routeStep: RouteStep, report: PredictReport
    ) -> PropagatedSlice:
        plane, confidence = self._stack.plane(step), float(report.prediction.confidence)
        if routeStep.neighbor is None:
            return PropagatedSlice(plane, confidence)
        ratio = np.count_nonzero(mask) / np.count_nonzero(routeStep.neighbor)
        shift = self._levelsOfKey(route).shift(grayLevels(self._grays(plane), mask))
        signs = dice(mask, routeStep.neighbor), ratio, shift, report.agreement, report.likeness
        return PropagatedSlice(plane, confidence, *signs)

    def _levelsOfKey(self, route: Route) -> GrayLevels:
        if route.key not in self._levels:
            grays = self._grays(self._stack.plane(route.key))
            self._levels[route.key] = grayLevels(grays, route.keyMask)
        return self._levels[route.key]

    def _grays(self, plane: SlicePlane) -> np.ndarray:
        """Return gray levels that mean the same on every slice, unlike those of images scaled one by one."""
        return self._image(plane) if self._learner is None else self._learner.grays(plane)

    def _image(self, plane: SlicePlane) -> np.ndarray:
        return self._workspace.images.image(self._workspace.requireVolume(), plane, self._window)

    def _madeSlice(
        self, step: int, mask: np.ndarray, routeStep: RouteStep, report: PredictReport
    ) -> PredictedSlice:
        target = Target(self._segmentId, self._stack.plane(step))
        image, untouched = self._encoded[step].image, PixelOrigins.untouched(mask.shape)
        request = SliceRequest(target, (), self._window, image, untouched, routeStep.prompts)
        origin = dict(routeStep.origin)
        if self._appearance(routeStep) is not None:
            origin["learned"] = learnedId(self._learner.appearance.to_dict())
            origin["beside"] = encodeMask(routeStep.neighbor)
            origin["agreement"] = report.agreement
        draft = draftRecord(request, self._workspace.policy, report, self._engine.lastStatus, origin)
        return PredictedSlice(target, mask, routeStep.prompts.mask, draft)

    def _refuse(self, route: AnyRoute, step: int, reason: str) -> None:
        self.stops.append(Stop(self._stack.plane(step), reason))
        route.refuse(step)
        wanted = {step for each in self._routes for step in each.ahead}
        self._withdraw([step for step in self._encoded if step not in wanted])

    def _withdraw(self, steps: Iterable[int]) -> None:
        for step in steps:
            self._engine.cancel(self._encoded.pop(step).ticket)


def _encodeMs(ticket: Ticket) -> float:
    """Return the time that encoding ahead has taken; a restarted engine gives it up, and the prediction
    encodes.

    :raises UserError: the engine cannot encode the slice.
    """
    return 0.0 if ticket.isCancelled else ticket.value().encode_ms


def _inTurns(works: List[Iterator[bool]]) -> Iterator[bool]:
    """Do several things at once; yields True when all of them wait."""
    while works:
        areWaiting = []
        for work in list(works):
            state = next(work, None)
            if state is None:
                works.remove(work)
            else:
                areWaiting.append(state)
                yield False
        if works and all(areWaiting):
            yield True
