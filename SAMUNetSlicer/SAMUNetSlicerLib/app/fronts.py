"""In which order the slices around and between key slices are segmented."""

from dataclasses import dataclass
from typing import Dict, List, Optional

import numpy as np

from .keySlices import KeySlice


@dataclass(eq=False)
class Front:
    """One way from a key slice.

    ``key``, ``at``: steps of the key and of the last slice that was segmented; ``direction``: +1 or -1;
    ``end``: the last step that it may reach; ``mask``: (H, W) bool of the slice at ``at``; ``opposite``: the
    front that comes towards it.
    """

    key: int
    direction: int
    end: int
    mask: np.ndarray
    at: int = 0
    isStopped: bool = False
    opposite: Optional["Front"] = None

    def __post_init__(self):
        self.at = self.key

    @property
    def next(self) -> Optional[int]:
        """The next step to segment; None while there is none.

        Two fronts that come towards each other meet in the middle: each slice is done from the nearer
        key.  Where one has stopped, the other may go on up to it.
        """
        step = self.at + self.direction
        return None if self.isStopped or (self.last - step) * self.direction < 0 else step

    @property
    def remaining(self) -> int:
        """How many slices there are left to do."""
        return 0 if self.next is None else abs(self.last - self.at)

    @property
    def last(self) -> int:
        other = self.opposite
        if other is None:
            return self.end
        if other.isStopped:
            return other.at + other.direction
        middle = (self.key + other.key) / 2
        # The slice exactly in the middle is done from below.
        return int(np.floor(middle) if self.direction > 0 else np.floor(middle) + 1)


def frontsFrom(keys: Dict[int, KeySlice], low: int, high: int, direction: str) -> List[Front]:
    """All ways from the keys within the steps ``low`` to ``high``, next keys excluded."""
    steps = sorted(keys)
    below = [low - 1, *steps[:-1]]
    above = [*steps[1:], high + 1]
    up = [_front(keys, step, 1, min(end - 1, high)) for step, end in zip(steps, above)]
    down = [_front(keys, step, -1, max(end + 1, low)) for step, end in zip(steps, below)]
    if direction == "both":
        for one, other in zip(up, down[1:]):
            if one is not None and other is not None:
                one.opposite, other.opposite = other, one
    chosen = {"both": up + down, "up": up, "down": down}[direction]
    return [front for front in chosen if front is not None]


def _front(keys: Dict[int, KeySlice], step: int, direction: int, end: int) -> Optional[Front]:
    mask, hasRoom = keys[step].mask, (end - step) * direction > 0
    return Front(step, direction, end, mask) if hasRoom and mask.any() else None
