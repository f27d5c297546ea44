"""Write the predicted masks of parallel slices into a segment, with their provenance, as one change."""

from dataclasses import dataclass, replace
from typing import Iterator, Optional, Sequence

import numpy as np

from ...engine.types import Prompts
from ...scene.geometry import SlicePlane
from ...scene.segments import Change
from .pixelOrigins import PixelOrigins
from .sliceRecord import SliceRecord
from .sliceRequest import writtenRecord
from .workspace import Target, Workspace


@dataclass(frozen=True, eq=False)
class PredictedSlice:
    """Predicted mask of one slice, still to be written.

    ``mask``, ``start`` (H, W) bool: what was predicted and what the network started from, None if nothing;
    ``draft``: the record without what writing adds.
    """

    target: Target
    mask: np.ndarray
    start: Optional[np.ndarray]
    draft: SliceRecord


def writePredictedSlices(
    workspace: Workspace, segmentId: str, slices: Sequence[PredictedSlice], kept: Sequence[SlicePlane] = ()
) -> Iterator[Optional[Change]]:
    """Write slices of one segment and their provenance.

    :param kept: see `SegmentWriter.writeMasks`.
    :return: to be iterated to its end: changes as they are made, and None in between.
    """
    contents, masks = [], []
    for each in slices:
        contents.append(_content(workspace, each))
        masks.append(contents[-1].merged(each.mask))
        yield None
    planes = [each.target.plane for each in slices]
    yield from workspace.writeMasks(segmentId, list(zip(planes, masks)), kept)
    for each, mask, content in zip(slices, masks, contents):
        record = writtenRecord(workspace, each.target, each.draft, mask, content)
        workspace.provenance.of(segmentId).put(each.target.plane.signature(), record)
        yield None
    action = (slices[0].draft.origin or {"method": "prompts"})["method"]
    workspace.provenance.of(segmentId).log(action, slices=len(slices))
    workspace.provenance.saveLater(segmentId)


def _content(workspace: Workspace, made: PredictedSlice) -> PixelOrigins:
    """Return what the user has painted on the slice, and the mask that the network started from."""
    earlier = workspace.provenance.of(made.target.segmentId).record(made.target.plane.signature())
    content = PixelOrigins.untouched(made.mask.shape) if earlier is None else earlier.content()
    edited = content.withEdits(workspace.readMask(made.target), Prompts())
    return replace(edited, start=made.start)
