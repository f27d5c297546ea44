"""Draw pictures of segmented slices: mask, prompts and, if there is one, the truth."""

from pathlib import Path
from typing import Dict, Optional, Sequence, Tuple

import numpy as np
from PIL import Image

from ...engine.windowing import WindowSetting, to_uint8
from ...scene.geometry import extractSlice
from ...scene.segments import SegmentWriter
from ...scene.views import orientationLetters, renderOverlay
from ..common import outputErrors
from ..prompts import PlacedPrompts
from .promptRun import SegmentedSlice

_GAP = 8  # pixels between the pictures of a sheet
_BACKGROUND = (16, 18, 22)

# A close-up shows so many times the extent of what is marked, but no less than this part of the slice.
_SURROUNDINGS, _SMALLEST = 1.8, 0.3


def slicePicture(
    volumeNode,
    window: WindowSetting,
    prompts: PlacedPrompts,
    mask: np.ndarray,
    truth: Optional[np.ndarray],
    color: Sequence[float],
    caption: str,
    size: int = 768,
    closeUp: bool = False,
) -> np.ndarray:
    """Draw one segmented slice.

    :param mask, truth: bool (H, W) on the prompts' plane; the truth may be None.
    :param color: (r, g, b) of the segment in [0, 1].
    :param size: see `renderOverlay`.
    :param closeUp: only what is around the mask and the prompts.
    :return: uint8 (H', W', 3).
    """
    plane = prompts.plane
    points = plane.rasToPixel(prompts.points)[0]
    boxes = np.array([_pixelBox(prompts, corners) for corners in prompts.boxes]).reshape(-1, 4)
    rows, columns = _region(mask, points, boxes) if closeUp else (slice(0, None), slice(0, None))
    corner = np.array([columns.start, rows.start])
    return renderOverlay(
        to_uint8(extractSlice(volumeNode, plane), window)[rows, columns],
        mask[rows, columns],
        color=tuple(round(255 * value) for value in color),
        points=(points - corner).tolist(),
        labels=prompts.positive.astype(int).tolist(),
        boxes=(boxes - np.tile(corner, 2)).tolist(),
        reference=None if truth is None else truth[rows, columns],
        spacing=plane.spacing,
        letters=orientationLetters(plane.planeToRAS),
        caption=caption,
        size=size,
    )


def segmentedPicture(
    segmentationNode,
    volumeNode,
    window: WindowSetting,
    each: SegmentedSlice,
    size: int = 768,
    closeUp: bool = False,
) -> np.ndarray:
    """Draw a slice that prompts have segmented, with the segment as it is now; see ``slicePicture``.

    Name, place and confidence stand below, but not below a close-up.
    """
    writer, confidence = SegmentWriter(segmentationNode.GetScene()), each.report.confidence
    mask = writer.readMask(segmentationNode, each.segmentId, each.prompts.plane)
    color = segmentationNode.GetSegmentation().GetSegment(each.segmentId).GetColor()
    text = f"{each.name}, {each.place}"
    text += "" if confidence is None else f", confidence {confidence:.2f}"
    caption = "" if closeUp else text
    return slicePicture(volumeNode, window, each.prompts, mask, None, color, caption, size, closeUp)


def savePicture(picture: np.ndarray, path: Path) -> None:
    """Write a PNG file.

    :raises OutputError: it cannot be written.
    """
    with outputErrors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path, optimize=True)


def contactSheet(pictures: Sequence[np.ndarray], columns: int, width: int) -> np.ndarray:
    """Put pictures beside each other, ``columns`` in a row, each ``width`` pixels wide."""
    tiles = [_fitted(picture, width) for picture in pictures]
    rows = [tiles[start : start + columns] for start in range(0, len(tiles), columns)]
    heights = [max(tile.height for tile in row) for row in rows]
    size = (columns * (width + _GAP) + _GAP, sum(heights) + _GAP * (len(rows) + 1))
    sheet = Image.new("RGB", size, _BACKGROUND)
    top = _GAP
    for row, height in zip(rows, heights):
        for column, tile in enumerate(row):
            sheet.paste(tile, (_GAP + column * (width + _GAP), top + (height - tile.height) // 2))
        top += height + _GAP
    return np.asarray(sheet)


def _region(mask: np.ndarray, points: np.ndarray, boxes: np.ndarray) -> Tuple[slice, slice]:
    """Return rows and columns around a mask and its prompts, nearly square, with some of their
    surroundings.
    """
    marked = np.concatenate([np.argwhere(mask)[:, ::-1], points, boxes.reshape(-1, 2)])
    size = np.array(mask.shape[::-1])
    if not len(marked):
        return slice(0, size[1]), slice(0, size[0])
    low, high = np.clip([marked.min(axis=0), marked.max(axis=0)], 0, size - 1)
    side = max(_SURROUNDINGS * (high - low).max(), _SMALLEST * size.max())
    start = np.clip((low + high - side) / 2, 0, np.maximum(size - side, 0)).astype(int)
    stop = np.minimum(np.ceil(start + side).astype(int), size)
    return slice(start[1], stop[1]), slice(start[0], stop[0])


def _fitted(picture: np.ndarray, width: int) -> Image.Image:
    image = Image.fromarray(picture)
    return image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)


def _pixelBox(prompts: PlacedPrompts, corners: np.ndarray):
    """Return half-open [x0, y0, x1, y1) of a box given by its corners in pixel centers."""
    pixels, _ = prompts.plane.rasToPixel(corners)
    low, high = pixels.min(axis=0) + 0.5, pixels.max(axis=0) + 0.5
    return (*low.tolist(), *high.tolist())


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
    """Return the confidence of a slice for sorting: least where nothing was found; a slice without one comes
    last.
    """
    if each.pixels == 0 and not each.isPropagated:
        return -1.0
    return 2.0 if each.report.confidence is None else each.report.confidence


def _reduced(picture: np.ndarray) -> Image.Image:
    """Reduce a picture, but not below the pixels of its slice."""
    image = Image.fromarray(picture)
    image.thumbnail((_PIXELS, _PIXELS), Image.Resampling.LANCZOS)
    return image
