"""Tell pixels that the network segmented from pixels that the user painted, on one slice of a segment."""

from dataclasses import dataclass, replace
from typing import Optional

import numpy as np

from ...engine.prompting import pieces_at
from ...engine.types import POSITIVE, Prompts


@dataclass(frozen=True, eq=False)
class PixelOrigins:
    """Origins of the pixels of one segment on one plane; all masks bool (H, W).

    ``written``: the slice as it was after the network's last mask was written; ``added``, ``removed``:
    pixels that the user painted or erased in other ways (Segment Editor, another plane, import) and that
    no later prediction may change; ``start``: the mask the network starts from, None when the user has
    not edited what the prompts are about; ``base``: what the slice holds when all its prompts are removed,
    a mask that was given or carried over from another slice, None for nothing.
    """

    written: np.ndarray
    added: np.ndarray
    removed: np.ndarray
    start: Optional[np.ndarray] = None
    base: Optional[np.ndarray] = None

    @classmethod
    def untouched(cls, shape) -> "PixelOrigins":
        nothing = np.zeros(shape, bool)
        return cls(nothing, nothing, nothing)

    def withEdits(self, current: np.ndarray, prompts: Prompts) -> "PixelOrigins":
        """Take over what the user changed since the last mask was written.

        The edited mask becomes the network's start mask as far as the prompts touch it: a prompt beside
        it is about something else.

        :param current: the slice as it is now.
        :param prompts: all prompts of the slice.
        """
        painted, erased = current & ~self.written, self.written & ~current
        if not painted.any() and not erased.any():
            return self
        touched = componentsTouchedBy(current, prompts)
        return replace(
            self,
            written=current,
            added=(self.added | painted) & ~erased,
            removed=(self.removed | erased) & ~painted,
            start=touched if touched.any() else None,
        )

    def withPrompts(self, newPrompts: Prompts) -> "PixelOrigins":
        """Give pixels back to the network where a prompt placed after the edit contradicts the edit.

        A negative click on a painted part, or a positive click on an erased one, releases that connected
        part, and nothing else.
        """
        positive = newPrompts.labels == POSITIVE
        added = self.added & ~_componentsAt(self.added, newPrompts.points[~positive])
        removed = self.removed & ~_componentsAt(self.removed, newPrompts.points[positive])
        return replace(self, added=added, removed=removed)

    def withoutPrompts(self) -> np.ndarray:
        """Return what stands for a prediction when there are no prompts."""
        return np.zeros_like(self.written) if self.base is None else self.base

    def merged(self, predicted: np.ndarray) -> np.ndarray:
        """Return the slice to write: the network's mask with the user's own pixels kept."""
        return (predicted | self.added) & ~self.removed


def componentsTouchedBy(mask: np.ndarray, prompts: Prompts) -> np.ndarray:
    """Return the 4-connected parts of ``mask`` under any point or in any box of the prompts, bool (H, W)."""
    seeds = _pointSeeds(mask.shape, prompts.points)
    for x0, y0, x1, y1 in np.rint(prompts.boxes).astype(int):
        seeds[max(0, y0) : y1, max(0, x0) : x1] = True
    return pieces_at(seeds & mask, mask)


def _componentsAt(mask: np.ndarray, points: np.ndarray) -> np.ndarray:
    return pieces_at(_pointSeeds(mask.shape, points) & mask, mask)


def _pointSeeds(shape, points: np.ndarray) -> np.ndarray:
    seeds = np.zeros(shape, bool)
    columns, rows = np.rint(points).astype(int).T
    inside = (columns >= 0) & (rows >= 0) & (columns < shape[1]) & (rows < shape[0])
    seeds[rows[inside], columns[inside]] = True
    return seeds
