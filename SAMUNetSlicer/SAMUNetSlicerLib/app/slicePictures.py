"""Pictures of segmented slices: mask, prompts and, if there is one, the truth."""

from pathlib import Path
from typing import Optional, Sequence

import numpy as np
from PIL import Image

from ..engine.windowing import WindowSetting, to_uint8
from ..scene.overlay import orientationLetters, renderOverlay
from ..scene.sliceImage import extractSlice
from .fileInstall import outputErrors
from .promptPlanes import PlacedPrompts

_GAP = 8  # pixels between the pictures of a sheet
_BACKGROUND = (16, 18, 22)


def slicePicture(
    volumeNode,
    window: WindowSetting,
    prompts: PlacedPrompts,
    mask: np.ndarray,
    truth: Optional[np.ndarray],
    color: Sequence[float],
    caption: str,
) -> np.ndarray:
    """Draw one segmented slice.

    :param mask, truth: bool (H, W) on the prompts' plane; the truth may be None.
    :param color: (r, g, b) of the segment in [0, 1].
    :return: uint8 (H', W', 3).
    """
    plane = prompts.plane
    return renderOverlay(
        to_uint8(extractSlice(volumeNode, plane), window),
        mask,
        color=tuple(round(255 * value) for value in color),
        points=plane.rasToPixel(prompts.points)[0].tolist(),
        labels=prompts.positive.astype(int).tolist(),
        boxes=[_pixelBox(prompts, corners) for corners in prompts.boxes],
        reference=truth,
        spacing=plane.spacing,
        letters=orientationLetters(plane.planeToRAS),
        caption=caption,
    )


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


def _fitted(picture: np.ndarray, width: int) -> Image.Image:
    image = Image.fromarray(picture)
    return image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)


def _pixelBox(prompts: PlacedPrompts, corners: np.ndarray):
    """Half-open [x0, y0, x1, y1) of a box given by its corners in pixel centres."""
    pixels, _ = prompts.plane.rasToPixel(corners)
    low, high = pixels.min(axis=0) + 0.5, pixels.max(axis=0) + 0.5
    return (*low.tolist(), *high.tolist())
