"""Store what was learned about the look of a structure: plain numbers, to be kept, sent and read without
torch.
"""

from dataclasses import dataclass
from typing import Sequence, Tuple

import numpy as np

from ...errors import InputError

FEATURES, HIDDEN = 5, 32
_SHAPES = ((FEATURES,), (FEATURES,), (HIDDEN, FEATURES), (HIDDEN,), (1, HIDDEN), (1,))
_PERCENTILES = (2, 98)
_LEAST_RANGE = 1e-3  # of the values: an even structure has a window, too
_FAR_BEYOND = 0.5  # windows: intensities farther outside of the window are cut off

Window = Tuple[float, float]


@dataclass(frozen=True, eq=False)
class Example:
    """Example of a structure on a slice.

    ``values`` (H, W): a slice in the volume's units; ``mask`` (H, W) bool: the structure, not empty.
    """

    values: np.ndarray
    mask: np.ndarray


@dataclass(frozen=True, eq=False)
class Appearance:
    """Appearance of a structure, as it was learned.

    ``window``: see `window_of`; ``arrays``, float32: mean and deviation of the features, weights and bias
    of a network's hidden layer and of its last one, see `learner`.
    """

    window: Window
    arrays: Tuple[np.ndarray, ...]

    @classmethod
    def indifferent(cls) -> "Appearance":
        """Return an appearance to which everything looks as much like the structure as not."""
        return cls((0.0, 1.0), tuple(np.full(shape, shape == (FEATURES,), np.float32) for shape in _SHAPES))

    def to_dict(self) -> dict:
        """Return JSON-ready values that `from_dict` reads without loss."""
        return {"window": list(self.window), "arrays": [array.tolist() for array in self.arrays]}

    @classmethod
    def from_dict(cls, data: dict) -> "Appearance":
        """Read what `to_dict` has returned.

        :raises InputError: these are not the values of an appearance.
        """
        try:
            lower, upper = map(float, data["window"])
            arrays = tuple(np.array(values, np.float32) for values in data["arrays"])
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"What was learned about a segment cannot be read ({error}).") from error
        if [array.shape for array in arrays] != list(_SHAPES) or not lower < upper:
            raise InputError("What was learned about a segment cannot be read: it has other sizes.")
        return cls((lower, upper), arrays)


@dataclass(frozen=True, eq=False)
class Known:
    """Knowledge about a structure on a slice (H, W) before it is segmented there.

    ``values``: the slice in the volume's units; ``neighbor``: bool, not empty, the structure on the slice
    beside it; ``appearance``: what it looks like.
    """

    values: np.ndarray
    neighbor: np.ndarray
    appearance: Appearance


def window_of(inside: Sequence[np.ndarray]) -> Window:
    """Return a window (lower, upper) for all slices: the structure's own range, and as much on each side of
    it.

    What lies around does not count: gas or metal beside an organ would leave the organ a few gray levels.

    :param inside: finite values of the structure, any shapes, at least one value.
    """
    together = np.concatenate([np.ravel(each) for each in inside])
    lower, upper = map(float, np.percentile(together, _PERCENTILES))
    reach = max(upper - lower, _LEAST_RANGE * max(abs(lower), abs(upper), 1.0))
    return lower - reach, upper + reach


def finite_values(values: np.ndarray) -> np.ndarray:
    """Return the finite ones of some values, or a zero if none is."""
    finite = values[np.isfinite(values)]
    return finite if finite.size else np.zeros(1, np.float32)


def in_window(values: np.ndarray, window: Window) -> np.ndarray:
    """Return intensities (H, W) as float32, 0 to 1 within the window, -0.5 to 1.5 at most; NaN is its lower
    end.
    """
    lower, upper = window
    shares = (np.nan_to_num(values, nan=lower).astype(np.float64) - lower) / (upper - lower)
    return shares.clip(-_FAR_BEYOND, 1 + _FAR_BEYOND).astype(np.float32)
