"""Choose the slices for prompts that are not tied to slices."""

from dataclasses import asdict, dataclass
from typing import Optional, Sequence

from ...engine.windowing import AUTOMATIC, WindowSetting
from ...errors import InputError
from .fromFile import PlanePrompts, SegmentPrompts

ORIENTATIONS = ("axial", "sagittal", "coronal")


@dataclass(frozen=True)
class SliceChoice:
    """Rules for putting prompts on slices.

    ``orientation``: "axial", "sagittal" or "coronal", meaning the volume's own slices nearest to it;
    ``count``: how many of the slices that a structure is on, spread evenly, None for every one; ``margin``:
    how far boxes around another segmentation reach beyond it on each side, as a share of their width and
    height; ``propagate``: carry the segment on from these slices; ``window``: see `PromptsFile`.
    """

    orientation: str = "axial"
    count: Optional[int] = None
    margin: float = 0.05
    propagate: bool = False
    window: WindowSetting = AUTOMATIC

    def __post_init__(self):
        if self.orientation not in ORIENTATIONS:
            raise InputError(f"'{self.orientation}' is not an orientation: use {', '.join(ORIENTATIONS)}.")
        if self.count is not None and self.count < 1:
            raise InputError("At least one slice of a structure must be prompted.")
        if not 0 <= self.margin <= 1:
            raise InputError("The margin of boxes is a share of their size, from 0 to 1.")

    def pick(self, slices: Sequence) -> list:
        """Return the middles of ``count`` equal parts of the slices, or all of them."""
        if self.count is None or self.count >= len(slices):
            return list(slices)
        return [slices[int((n + 0.5) * len(slices) / self.count)] for n in range(self.count)]

    def segment(self, name: str, planes: Sequence[PlanePrompts], color=None) -> SegmentPrompts:
        return SegmentPrompts(name, tuple(planes), color, propagation={} if self.propagate else None)

    def toDict(self) -> dict:
        """Return plain JSON values."""
        return {**asdict(self), "window": self.window.to_dict()}
