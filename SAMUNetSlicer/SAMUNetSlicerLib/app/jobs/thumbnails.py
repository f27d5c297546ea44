"""Small pictures of the least certain slices of a case, for a report."""

from pathlib import Path
from typing import Dict, Sequence

import numpy as np
from PIL import Image

from ...engine.windowing import WindowSetting
from ..common.safeFiles import outputErrors
from .promptRun import SegmentedSlice
from .slicePictures import segmentedPicture

_MOST = 6
_PIXELS = 288  # of the longer side, for a column of half that width on a fine screen
_FOLDER = "slices"


def drawThumbnails(
    folder: Path, segmentationNode, volumeNode, window: WindowSetting, slices: Sequence[SegmentedSlice]
) -> Dict[int, str]:
    """Write JPEG files of the least certain slices, worst first, into a folder below ``folder``.

    :return: the name of the file, relative to ``folder``, by the number of the slice.
    :raises OutputError: a file cannot be written.
    """
    pictures = {}
    with outputErrors(folder):
        (folder / _FOLDER).mkdir()
    for rank, number in enumerate(sorted(range(len(slices)), key=lambda n: _certainty(slices[n]))[:_MOST], 1):
        picture = segmentedPicture(segmentationNode, volumeNode, window, slices[number], _PIXELS, True)
        pictures[number] = f"{_FOLDER}/{rank}.jpg"
        with outputErrors(folder):
            _reduced(picture).save(folder / pictures[number], quality=82)
    return pictures


def _certainty(each: SegmentedSlice) -> float:
    """Least for a slice on which nothing was found; a slice without a confidence comes last."""
    if each.pixels == 0 and not each.isPropagated:
        return -1.0
    return 2.0 if each.report.confidence is None else each.report.confidence


def _reduced(picture: np.ndarray) -> Image.Image:
    """Pictures have at least the pixels of their slice."""
    image = Image.fromarray(picture)
    image.thumbnail((_PIXELS, _PIXELS), Image.Resampling.LANCZOS)
    return image
