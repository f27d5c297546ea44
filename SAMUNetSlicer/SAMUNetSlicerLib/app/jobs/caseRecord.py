"""Record what became of one case of a batch, as plain data: for a manifest, a report, a list in a window."""

from dataclasses import asdict, dataclass, field, replace
from typing import Dict, Iterable, Optional, Sequence, Tuple

import numpy as np

QUEUED, RUNNING, DONE, FAILED, NEEDS_REVIEW = "queued", "running", "done", "failed", "needs review"
FINISHED = (DONE, NEEDS_REVIEW)

# Of 160 structures of unseen sources, segmented with exact boxes by the default network, those below have a
# mean Dice of 0.57, the others of 0.79 (Testing/benchmarks/bench_confidence.py).
REVIEW_BELOW = 0.7


@dataclass(frozen=True)
class SliceResult:
    """One segmented slice: ``place`` for people, such as "axial 18"; ``axis``, ``index``: see `SlicePlane`;
    ``confidence`` in [0, 1] or None; ``pixels`` of the mask; ``notes``: see `Prediction`; ``picture``: its
    file in the case's folder, "" if there is none."""

    segment: str
    place: str
    axis: Optional[str]
    index: Optional[int]
    confidence: Optional[float]
    pixels: int
    isPropagated: bool = False
    notes: Tuple[str, ...] = ()
    picture: str = ""


@dataclass(frozen=True)
class SegmentResult:
    """One segment: ``confidence`` is that of its least certain slice, None where no slice has one."""

    name: str
    voxels: int
    volumeMl: float
    confidence: Optional[float]
    slices: int


@dataclass(frozen=True)
class CaseRecord:
    """Record of one case of a batch.

    ``source``: where the volume came from, a path or the ID of a node; ``state``: queued, running, done,
    failed or needs review; ``message``: what went wrong, ``error``: of which kind it is, the name of a class
    such as "InputError"; ``reasons``: why somebody should look at it;
    ``seconds``: wall time by part of the work; ``files``: SHA-256 by name, relative to the case's folder;
    ``key``: digest of everything that the result depends on; ``segmentationId``: of the node in a scene.
    """

    name: str
    source: str
    state: str = QUEUED
    message: str = ""
    error: str = ""
    reasons: Tuple[str, ...] = ()
    segments: Tuple[SegmentResult, ...] = ()
    slices: Tuple[SliceResult, ...] = ()
    notes: Tuple[str, ...] = ()
    seconds: Dict[str, float] = field(default_factory=dict)
    files: Dict[str, str] = field(default_factory=dict)
    key: str = ""
    segmentationId: str = ""

    @property
    def isFinished(self) -> bool:
        return self.state in FINISHED

    @property
    def confidence(self) -> Optional[float]:
        """Return the confidence of the least certain slice."""
        return least(each.confidence for each in self.slices)

    def summary(self) -> "CaseRecord":
        """Return the record without the slices of which there are no pictures: a batch keeps those of all its
        cases.
        """
        return replace(self, slices=tuple(each for each in self.slices if each.picture))

    def toDict(self) -> dict:
        return asdict(self)

    @classmethod
    def fromDict(cls, values: dict) -> "CaseRecord":
        """Read what ``toDict`` has written.

        :raises TypeError, KeyError: these are not the values of a record.
        """
        slices = (SliceResult(**{**each, "notes": tuple(each["notes"])}) for each in values["slices"])
        segments = (SegmentResult(**each) for each in values["segments"])
        texts = {name: tuple(values[name]) for name in ("reasons", "notes")}
        return cls(**{**values, **texts, "slices": tuple(slices), "segments": tuple(segments)})


def reviewReasons(
    segments: Sequence[SegmentResult], slices: Sequence[SliceResult], below: float = REVIEW_BELOW
) -> Tuple[str, ...]:
    """Return why somebody should look at a case, worst first; nothing if nothing is conspicuous.

    A segment without voxels (others may have been there first), a prompted slice on which nothing was found,
    a slice with a confidence below the limit.
    """
    uncertain = [each for each in slices if each.confidence is not None and each.confidence < below]
    empty = [each for each in slices if each.pixels == 0 and not each.isPropagated]
    found = {each.segment for each in slices if each.pixels}
    reasons = [
        f"{each.name} has no voxels{': what was found belongs to other segments' * (each.name in found)}."
        for each in segments
        if not each.voxels
    ]
    reasons += [f"{each.segment}, {each.place}: nothing was found." for each in empty]
    if uncertain:
        worst = min(uncertain, key=lambda each: each.confidence)
        reasons.append(
            f"{len(uncertain)} of {len(slices)} slices have a confidence below {below:g}, the least is "
            f"{worst.confidence:.2f} ({worst.segment}, {worst.place})."
        )
    return tuple(reasons)


def least(values: Iterable[Optional[float]]) -> Optional[float]:
    """Return the least of those that are known."""
    known = [value for value in values if value is not None and np.isfinite(value)]
    return min(known) if known else None
