"""Make the 8-bit images that the network sees, one for each plane, volume state and window."""

import collections
from typing import Hashable, Tuple, Union

import numpy as np

from ...engine.windowing import WindowSetting, looks_like_hounsfield, to_uint8
from ...scene.geometry import SlicePlane, displayWindow, extractSlice, valueRange, valueUnits, volumeSignature

FOLLOW_DISPLAY = "display"
_HOUNSFIELD = "[hnsf'U]"  # UCUM
WindowChoice = Union[str, WindowSetting]


def resolveWindow(volumeNode, choice: WindowChoice) -> WindowSetting:
    """Return the setting that a choice means now: ``FOLLOW_DISPLAY`` is the volume's current window/level.

    A display window without width, as a constant image gets, means the slice's own range.
    """
    if choice != FOLLOW_DISPLAY:
        return choice.resolved(choice.mode == "auto" and isHounsfield(volumeNode))
    lower, upper = displayWindow(volumeNode)
    return WindowSetting("manual", float(lower), float(upper)) if lower < upper else WindowSetting()


def isHounsfield(volumeNode) -> bool:
    """Tell whether a volume is a CT: by the units that DICOM gave it, else by its least and greatest
    value.
    """
    units = valueUnits(volumeNode)
    return units == _HOUNSFIELD if units else looks_like_hounsfield(*valueRange(volumeNode))


class SliceImages:
    """Makes images and keeps the last few, so that dragging a prompt does not extract its slice again."""

    def __init__(self, capacity: int = 8):
        self._capacity = capacity
        self._images: collections.OrderedDict[Hashable, np.ndarray] = collections.OrderedDict()

    def image(self, volumeNode, plane: SlicePlane, window: WindowSetting) -> np.ndarray:
        """Return the image, uint8 (H, W) or (H, W, 3), shared: do not write to it.

        :raises InputError: the volume cannot be used, see ``extractSlice``.
        """
        key = imageIdentity(volumeNode, plane, window)
        if key not in self._images:
            self._images[key] = to_uint8(extractSlice(volumeNode, plane), window)
            if len(self._images) > self._capacity:
                self._images.popitem(last=False)
        self._images.move_to_end(key)
        return self._images[key]

    def clear(self) -> None:
        self._images.clear()


def imageIdentity(volumeNode, plane: SlicePlane, window: WindowSetting) -> Tuple:
    """Return a key that is equal as long as neither voxels, geometry, transform, plane nor window have
    changed.
    """
    return volumeSignature(volumeNode), plane.signature(), window
