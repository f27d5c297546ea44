"""A prompts file given to a session, as a user would give it by hand: segment by segment, slice by slice."""

from dataclasses import dataclass
from typing import Callable, List, Optional, Tuple

import numpy as np

from ..errors import InputError, UserError
from .fileInstall import Progress, noProgress
from .maskReport import MaskReport
from .promptPlanes import PlacedPrompts, placePrompts, terminologyOf
from .promptsFile import PromptsFile, SegmentPrompts
from .session import SegmentationSession

_ORIENTATIONS = ("sagittal", "coronal", "axial")  # by the axis of RAS nearest to the normal


@dataclass(frozen=True, eq=False)
class SegmentedSlice:
    """One slice that was segmented: its prompts in the volume, and what is to be said about its mask."""

    segmentId: str
    name: str
    prompts: PlacedPrompts
    report: MaskReport

    @property
    def place(self) -> str:
        """The slice for people: nearest orientation and voxel index, such as "axial 18", or "oblique"."""
        plane = self.prompts.plane
        if plane.axis is None:
            return "oblique"
        return f"{_ORIENTATIONS[int(np.abs(plane.normal).argmax())]} {plane.index}"


def runPrompts(
    session: SegmentationSession,
    prompts: PromptsFile,
    progress: Progress = noProgress,
    pump: Optional[Callable[[], None]] = None,
) -> List[SegmentedSlice]:
    """Segment everything that a prompts file asks for, on the session's volume, into its segmentation.

    All prompts are placed before the first is given: a file with a prompt outside the volume changes
    nothing.

    :param progress: told (slices done, slices in all).
    :param pump: see ``SegmentationSession.waitUntilIdle``.
    :raises UserError: the first thing that goes wrong; segments made before it stay.
    """
    if session.volumeNode is None:
        raise InputError("There is no volume to segment: choose one.")
    placed = _placeAll(prompts, session.volumeNode)
    session.setWindow(prompts.window)
    errors: List[UserError] = []
    session.error.connect(errors.append)
    results: List[SegmentedSlice] = []
    total = sum(len(slices) for _, slices in placed)
    try:
        progress(0, total)
        for segment, slices in placed:
            segmentId = session.addSegment(segment.name, segment.color, terminologyOf(segment))
            for each in slices:
                session.addPrompts(each.points, each.positive, each.boxes, each.plane)
                session.waitUntilIdle(pump)
                if errors:
                    raise errors[0]
                results.append(SegmentedSlice(segmentId, segment.name, each, session.lastMask))
                progress(len(results), total)
    finally:
        session.error.disconnect(errors.append)
    return results


def _placeAll(prompts: PromptsFile, volumeNode) -> List[Tuple[SegmentPrompts, List[PlacedPrompts]]]:
    placed = []
    for segment in prompts.segments:
        placed.append((segment, [placePrompts(plane, volumeNode) for plane in segment.planes]))
    return placed
