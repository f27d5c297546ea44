"""Choose in which order slices are segmented, around key slices or in a region, and with which prompts."""

from dataclasses import dataclass, field
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence

import numpy as np

from ...engine.types import Capabilities, Prompts
from ...scene.geometry import PlaneStack, RegionBox, SlicePlane, carried
from .keySlices import KeySlice
from .nextPrompts import Course, neighborPrompts


class RouteStep(NamedTuple):
    """Next slice of a route, with the prompts for it.

    ``prompts``: of a slice, in its pixels; ``neighbor``: (H, W) bool, the mask that they were made from,
    None if from none; ``origin``: for the slice's record.
    """

    prompts: Prompts
    neighbor: Optional[np.ndarray]
    origin: dict


@dataclass(eq=False)
class Route:
    """One way from a key slice: each slice is prompted with the mask of the one before.

    ``key``, ``at``: steps of the key and of the last slice that was segmented; ``direction``: +1 or -1;
    ``end``: the last step that it may reach; ``mask``, ``keyMask``: (H, W) bool of the slice at ``at`` and
    of the key; ``goal``: the key beyond ``end`` if the structure is on it, too; ``opposite``: the front that
    comes towards it.
    """

    key: int
    direction: int
    end: int
    mask: np.ndarray
    goal: Optional[KeySlice] = None
    isStopped: bool = False
    opposite: Optional["Route"] = None
    at: int = field(init=False)
    keyMask: np.ndarray = field(init=False)

    def __post_init__(self):
        self.at, self.keyMask = self.key, self.mask

    @property
    def ahead(self) -> range:
        """Return the steps that are still to be segmented.

        Two fronts that come towards each other meet in the middle: each slice is done from the nearer
        key.  Where one has stopped, the other may go on up to it.
        """
        beyond = self.at if self.isStopped else self._last
        return range(self.at + self.direction, beyond + self.direction, self.direction)

    def routeStep(self, stack: PlaneStack, step: int, capabilities: Capabilities) -> Optional[RouteStep]:
        """Return what to do at the next step; None if the mask leaves the image."""
        neighbor = carried(self.mask, stack.plane(self.at), stack.plane(step))
        if not neighbor.any():
            return None
        origin = {
            "method": "propagate",
            "neighbor": stack.plane(self.at).signature(),
            "key": stack.plane(self.key).signature(),
        }
        return RouteStep(neighborPrompts(neighbor, capabilities, self._course(stack, step)), neighbor, origin)

    def accept(self, step: int, mask: np.ndarray) -> None:
        self.at, self.mask = step, mask

    def refuse(self, step: int) -> None:
        """End the route: the slice was not good enough."""
        self.isStopped = True

    def _course(self, stack: PlaneStack, step: int) -> Optional[Course]:
        if self.goal is None:
            return None
        plane = stack.plane(step)
        start = carried(self.keyMask, stack.plane(self.key), plane)
        goal = carried(self.goal.mask, self.goal.plane, plane)
        if not (start.any() and goal.any()):
            return None
        return Course(start, goal, abs(step - self.key) / (abs(self.end - self.key) + 1))

    @property
    def _last(self) -> int:
        other = self.opposite
        if other is None:
            return self.end
        if other.isStopped:
            return other.at + other.direction
        # The slice exactly in the middle is done from below.
        middle = (self.key + other.key) // 2
        return middle if self.direction > 0 else middle + 1


class SweepRoute:
    """Slices that are segmented each on its own, not one from the other."""

    def __init__(self, steps: Sequence[int]):
        self.ahead = list(steps)

    def accept(self, step: int, mask: np.ndarray) -> None:
        self.ahead.remove(step)

    def refuse(self, step: int) -> None:
        """Pass over the slice: it was not good enough."""
        self.ahead.remove(step)


class RegionRoute(SweepRoute):
    """The slices that a region cuts, each one prompted with the box of the cut.

    :param steps: of these slices, without those to be left as they are.
    """

    def __init__(self, region: RegionBox, steps: Sequence[int]):
        super().__init__(steps)
        self._region = region

    def routeStep(self, stack: PlaneStack, step: int, capabilities: Capabilities) -> Optional[RouteStep]:
        box = self._region.pixelBox(stack.plane(step))
        return None if box is None else RouteStep(Prompts(boxes=box[None]), None, {"method": "region"})


class CutRoute(SweepRoute):
    """The slices that cut a shape, each one prompted with the cut as if it were its neighbor's mask.

    :param cut: gives (H, W) bool for a slice.
    """

    def __init__(self, cut: Callable[[SlicePlane], np.ndarray], steps: Sequence[int]):
        super().__init__(steps)
        self._cut = cut

    def routeStep(self, stack: PlaneStack, step: int, capabilities: Capabilities) -> Optional[RouteStep]:
        return RouteStep(neighborPrompts(self._cut(stack.plane(step)), capabilities), None, {"method": "cut"})


def routesFrom(keys: Dict[int, KeySlice], low: int, high: int, direction: str) -> List[Route]:
    """Return all routes from the keys within the steps ``low`` to ``high``, next keys excluded."""
    steps = sorted(keys)
    below = [low - 1, *steps[:-1]]
    above = [*steps[1:], high + 1]
    up = [_route(keys, step, 1, end - 1) for step, end in zip(steps, above)]
    down = [_route(keys, step, -1, end + 1) for step, end in zip(steps, below)]
    if direction == "both":
        for one, other in zip(up, down[1:]):
            if one is not None and other is not None:
                one.opposite, other.opposite = other, one
    chosen = {"both": up + down, "up": up, "down": down}[direction]
    return [route for route in chosen if route is not None]


def _route(keys: Dict[int, KeySlice], step: int, direction: int, end: int) -> Optional[Route]:
    mask, hasRoom = keys[step].mask, (end - step) * direction > 0
    goal = keys.get(end + direction)
    if goal is not None and not goal.mask.any():
        goal = None
    return Route(step, direction, end, mask, goal) if hasRoom and mask.any() else None
