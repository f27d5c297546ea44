"""Turn a slice's own intensities into the 8-bit image that every network and every prompt rule sees."""

from dataclasses import dataclass
from typing import Any, Dict, Optional, Tuple

import numpy as np

from ..errors import InputError

# Window (width, level) in HU.  Bone, air, abdomen, brain and lung are those of 3D Slicer's volume display
# presets, so that the name means what the user sees; the other two are the usual radiological ones.
CT_PRESETS: Dict[str, Tuple[float, float]] = {
    "abdomen": (350.0, 40.0),
    "air": (1000.0, -426.0),
    "bone": (1000.0, 400.0),
    "brain": (100.0, 50.0),
    "liver": (150.0, 30.0),
    "lung": (1400.0, -500.0),
    "mediastinum": (350.0, 50.0),
}
PERCENTILES = (0.5, 99.5)
# Air is -1000 HU; images of other kinds seldom go so far below 0.  Only bone and contrast medium exceed 150.
_AIR, _LEAST_PADDING, _BONE = -900.0, -3100.0, 150.0
_FOR_HOUNSFIELD = "preset:abdomen"
_PRESET = "preset:"


@dataclass(frozen=True)
class WindowSetting:
    """Rule by which intensities become gray levels.

    ``mode``: "slice", the slice's own minimum to its maximum, as SAM-UNet was trained; "percentile", its
    0.5th to 99.5th percentile (its minimum to its maximum where the two coincide); "manual", ``lower`` to
    ``upper`` in the volume's units, as a display window/level; "preset:<name>", a window of `CT_PRESETS`;
    "auto", one of these for all slices of a CT, "slice" for anything else, see `resolved`.

    :raises InputError: unknown mode, a manual window that is not two finite numbers lower < upper, or
        limits for another mode.
    """

    mode: str = "slice"
    lower: Optional[float] = None
    upper: Optional[float] = None

    def __post_init__(self):
        if self.mode == "manual":
            _check_limits(self.lower, self.upper)
        elif self.mode not in MODES:
            raise InputError(f"The window mode '{self.mode}' is unknown; use one of: {', '.join(MODES)}.")
        elif self.lower is not None or self.upper is not None:
            raise InputError(f"The window '{self.mode}' finds its own limits; give limits to 'manual' only.")

    def limits(self, values: np.ndarray) -> Tuple[float, float]:
        """Return the intensities shown as black and as white.

        :param values: the slice's finite intensities, any shape, at least one.
        """
        if self.mode == "manual":
            return self.lower, self.upper
        if self.mode == "percentile":
            # "nearest" returns values of the slice, where interpolating could overflow
            lower, upper = np.percentile(values, PERCENTILES, method="nearest")
            if lower < upper:
                return float(lower), float(upper)
        if self.mode in ("auto", "slice", "percentile"):
            return float(values.min()), float(values.max())
        width, level = CT_PRESETS[self.mode[len(_PRESET) :]]
        return level - width / 2, level + width / 2

    def resolved(self, is_hounsfield: bool) -> "WindowSetting":
        """Return what "auto" means for a volume; any other setting means itself.

        Slices that are scaled each by itself cannot be compared with each other, and a CT need not be: its
        values have a meaning.

        :param is_hounsfield: whether its values are Hounsfield units.
        """
        if self.mode != "auto":
            return self
        return WindowSetting(_FOR_HOUNSFIELD if is_hounsfield else "slice")

    def to_dict(self) -> Dict[str, Any]:
        """Return JSON-ready values, for provenance and the prompts file."""
        if self.mode == "manual":
            return {"mode": self.mode, "lower": float(self.lower), "upper": float(self.upper)}
        return {"mode": self.mode}

    @classmethod
    def from_dict(cls, values: Dict[str, Any]) -> "WindowSetting":
        """Read what `to_dict` has returned.

        :raises InputError: as for the constructor, or an entry that no window has.
        """
        unknown = set(values) - {"mode", "lower", "upper"}
        if unknown:
            raise InputError(f"A window has no entry '{min(unknown)}'; use mode, lower and upper.")
        return cls(**values)


MODES = ("auto", "slice", "percentile", "manual", *(_PRESET + name for name in CT_PRESETS))


AUTOMATIC = WindowSetting("auto")


def looks_like_hounsfield(lowest: float, highest: float) -> bool:
    """Tell whether the least and the greatest value of a volume are those of a CT: air, and bone or
    contrast.
    """
    return _LEAST_PADDING <= lowest <= _AIR and highest >= _BONE


def to_uint8(pixels: np.ndarray, setting: WindowSetting = WindowSetting()) -> np.ndarray:
    """Return the 8-bit image of a slice.

    Gray level = (value - lower) / (upper - lower) * 255, truncated; below and above the window black and
    white.  For mode "slice" this is the conversion of SAM-UNet's training images.  NaN and -inf become
    black, +inf white, none of them counts for the window; without any contrast (a constant slice, one
    pixel) the window starts at the value, so that the image is black.

    :param pixels: (H, W) of any real dtype, or (H, W, 3) RGB.  RGB of 8 bits passes as it is, RGB of
        other dtypes is windowed with one window for the three channels, which keeps its hues.
    :return: uint8, of the shape of ``pixels``.
    :raises InputError: no image of at least one pixel, or values that are no real numbers.
    """
    pixels = np.asarray(pixels)
    _check_image(pixels)
    if pixels.ndim == 3 and pixels.dtype == np.uint8:
        return pixels
    values = pixels.astype(np.float64)
    finite = values
    if pixels.dtype.kind == "f":
        values[np.isnan(values)] = -np.inf
        finite = values[np.isfinite(values)]
    return _scale(values, *setting.limits(finite if finite.size else np.zeros(1)))


def _scale(values: np.ndarray, lower: float, upper: float) -> np.ndarray:
    """Return the gray levels of ``values``, which are overwritten."""
    if not np.isfinite(upper - lower):  # nearly the range of float64 itself
        values, lower, upper = values / 2, lower / 2, upper / 2
    np.clip(values, lower, upper, out=values)
    values -= lower
    values /= (upper - lower) or 1.0
    values *= 255
    return values.astype(np.uint8)


def _check_limits(lower: Any, upper: Any) -> None:
    try:
        usable = np.isfinite(lower) and np.isfinite(upper) and lower < upper
    except TypeError:
        usable = False
    if not usable:
        raise InputError(
            f"A manual window needs two numbers, lower below upper, but has {lower!r} and {upper!r}."
        )


def _check_image(pixels: np.ndarray) -> None:
    is_gray, is_color = pixels.ndim == 2, pixels.ndim == 3 and pixels.shape[2] == 3
    if not (is_gray or is_color) or pixels.size == 0:
        raise InputError(f"A slice must be (H, W) or (H, W, 3) with at least one pixel, not {pixels.shape}.")
    if pixels.dtype.kind not in "buif":
        raise InputError(f"A slice must hold real numbers, not {pixels.dtype}; convert the volume first.")
