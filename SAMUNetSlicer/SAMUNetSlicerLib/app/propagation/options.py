"""Define the options of a propagation and its report."""

from dataclasses import dataclass
from typing import Optional, Tuple

from ...errors import InputError, UserError
from ...scene.geometry import RegionBox, SlicePlane

DIRECTIONS = ("both", "up", "down")
METHODS = ("propagate", "fill")
FUSIONS = ("majority", "mean")


@dataclass(frozen=True)
class PropagationOptions:
    """Options of a propagation.

    ``axis``: "I", "J", "K", "axial", "sagittal" or "coronal"; None goes along the normal of the prompted
    slice, which may be oblique.

    ``direction``: "both", "up" (towards R, A or S, whichever is nearest to the normal) or "down".
    ``first``, ``last``: stay between these slices, both included: `SlicePlane.index`, or on an oblique
    normal the steps from the slice that was prompted; None for the end of the volume.
    ``minConfidence``, ``minDice``, ``minAreaRatio``, ``maxAreaRatio``, ``maxBrightnessShift``: a slice beyond
    them is refused and ends the way, see `PropagatedSlice`.
    ``method``: "propagate": the network goes from slice to slice; "fill": the shape is interpolated
    between slices that are segmented already, see `contourInterpolation`.
    ``axes``: further axes, named as ``axis``, to look along; that of the prompted slice may be among them.
    It takes as long again for each axis, more where that axis has more slices, see `consensus`.
    ``fusion``: what becomes of the axes' masks: "majority" takes for each voxel what most of them hold,
    "mean" the sign of their mean logit.
    ``learn``: whether the engine learns from the key slices what the segment looks like, and lets that have
    a say on every slice.
    ``region``: instead of going from slice to slice, prompt every slice that it cuts with the box of the cut.
    """

    axis: Optional[str] = None
    direction: str = "both"
    first: Optional[int] = None
    last: Optional[int] = None
    minConfidence: float = 0.5
    minDice: float = 0.5
    minAreaRatio: float = 0.3
    maxAreaRatio: float = 2.5
    maxBrightnessShift: float = 1.75
    method: str = "propagate"
    region: Optional[RegionBox] = None
    axes: Tuple[str, ...] = ()
    fusion: str = "majority"
    learn: bool = True

    def __post_init__(self):
        _require(self.direction, DIRECTIONS, "direction")
        _require(self.method, METHODS, "method")
        _require(self.fusion, FUSIONS, "fusion")
        if self.axes and self.method == "fill":
            raise InputError("Only what the network segments can be fused along axes, not what is filled.")


@dataclass(frozen=True, eq=False)
class PropagatedSlice:
    """A slice that was segmented.

    ``confidence``: in [0, 1], None for a filled one, of several axes how strongly they agree; ``dice``,
    ``areaRatio``: with the neighbor that it was made from, and its area by the neighbor's;
    ``brightnessShift``: how far its mean gray level is from that of the key slice, in standard deviations
    there; ``agreement``, ``likeness``: of the network with what was learned about the segment, see
    `engine.learning.fusion.Recognition`.  None where there is nothing to compare with.
    """

    plane: SlicePlane
    confidence: Optional[float]
    dice: Optional[float] = None
    areaRatio: Optional[float] = None
    brightnessShift: Optional[float] = None
    agreement: Optional[float] = None
    likeness: Optional[float] = None


@dataclass(frozen=True, eq=False)
class Stop:
    """A slice at which the way ended without being segmented, and a sentence that says why."""

    plane: SlicePlane
    reason: str


@dataclass(frozen=True, eq=False)
class PropagationReport:
    """Report of a propagation.

    ``slices``: what was written, in the order of their position; ``keys``: slices that were started from
    and kept; ``stops``; ``isCancelled``: by the user, with the slices until then written; ``error``: what
    went wrong, None if nothing did; ``seconds``: wall time; ``engineSeconds``: of the network.
    """

    segmentId: str
    slices: Tuple[PropagatedSlice, ...] = ()
    keys: Tuple[SlicePlane, ...] = ()
    stops: Tuple[Stop, ...] = ()
    isCancelled: bool = False
    error: Optional[UserError] = None
    seconds: float = 0.0
    engineSeconds: float = 0.0


def _require(value: str, known: Tuple[str, ...], what: str) -> None:
    if value not in known:
        raise InputError(f"'{value}' is not a {what} of a propagation: use {', '.join(known)}.")
