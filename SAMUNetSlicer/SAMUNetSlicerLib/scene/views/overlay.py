"""Draw pictures of a segmented slice for people: README, reports, a quick look at a result.

Only numpy and Pillow: the slice is already pixels here.
"""

from typing import Dict, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_SUPERSAMPLING = 3  # Pillow draws without antialiasing: draw larger, then shrink
_FILL_OPACITY = 0.2
_POSITIVE, _NEGATIVE, _BOX = (46, 204, 113), (231, 76, 60), (255, 214, 64)
_WHITE, _SHADOW, _CAPTION_BACKGROUND = (245, 245, 245), (0, 0, 0), (16, 18, 22)
_NARROWEST = 0.25  # of the longer side: a slice of few rows gets black above and below
_SCALE_BARS = ((50.0, "5 cm"), (10.0, "1 cm"), (1.0, "1 mm"))  # mm


def renderOverlay(
    image: np.ndarray,
    mask: Optional[np.ndarray] = None,
    *,
    color: Tuple[int, int, int] = (255, 112, 67),
    points: Sequence[Tuple[float, float]] = (),
    labels: Sequence[int] = (),
    boxes: Sequence[Tuple[float, float, float, float]] = (),
    reference: Optional[np.ndarray] = None,
    spacing: Optional[Tuple[float, float]] = None,
    letters: Optional[Dict[str, str]] = None,
    caption: str = "",
    size: int = 768,
) -> np.ndarray:
    """Draw a mask and its prompts on a slice.

    :param image: uint8 (H, W) or (H, W, 3).
    :param mask: (H, W) bool, drawn as a contour in ``color`` with a light fill.
    :param points: (x, y) in pixels of the image, integers at pixel centers; ``labels``: 1 positive (green +),
        0 negative (red -).
    :param boxes: half-open [x0, y0, x1, y1) in pixels, 0 being the left border of the first pixel.
    :param reference: (H, W) bool, a mask to compare with, drawn as a white contour below it.
    :param spacing: mm per pixel along x and y; gives the true proportions and a scale bar.
    :param letters: directions to name at the image's "left", "right", "top", "bottom"
        (``orientationLetters``).
    :param caption: one line below the image.
    :param size: pixels of the result's longer side, without the caption; never fewer than the image has.
    :return: uint8 (H', W', 3).
    """
    canvas = _canvasFor(image.shape[:2], spacing or (1.0, 1.0), size)
    picture = Image.fromarray(image).convert("RGB").resize(canvas.size, Image.Resampling.BICUBIC)
    if reference is not None:
        _paintRegion(picture, reference, _WHITE, canvas, 1.5)
    if mask is not None:
        _paintRegion(picture, mask, color, canvas, 2.0, _FILL_OPACITY)
    drawing = _Drawing(canvas)
    for box in boxes:
        drawing.box(box)
    for point, label in zip(points, labels):
        drawing.point(point, label)
    for border, letter in (letters or {}).items():
        drawing.letter(border, letter)
    if spacing is not None:
        drawing.scaleBar(spacing[0])
    return np.asarray(_withCaption(drawing.over(picture), caption, canvas.unit))


def orientationLetters(planeToRAS: np.ndarray) -> Dict[str, str]:
    """Anatomical directions at the image's borders, such as {"left": "R", "top": "A", ...}.

    Slanted borders get two letters, the nearer direction first.

    :param planeToRAS: (4, 4) of a slice plane: columns 0 and 1 point to the right and down.
    """
    right, down = (planeToRAS[:3, n] / np.linalg.norm(planeToRAS[:3, n]) for n in range(2))
    borders = {"right": right, "left": -right, "bottom": down, "top": -down}
    return {border: _directionLetters(direction) for border, direction in borders.items()}


def _directionLetters(direction: np.ndarray) -> str:
    axes = [axis for axis in np.argsort(-np.abs(direction)) if abs(direction[axis]) > 0.3]
    return "".join(("LPI", "RAS")[int(direction[axis] > 0)][axis] for axis in axes[:2])


class _Canvas(NamedTuple):
    """Canvas on which a slice is drawn: ``size`` of its picture, centered on a ``frame`` that has room for
    letters, picture pixels per image pixel along x and y, and the unit of strokes and letters.
    """

    size: Tuple[int, int]
    frame: Tuple[int, int]
    scale: Tuple[float, float]
    unit: float

    @property
    def offset(self) -> Tuple[int, int]:
        return (self.frame[0] - self.size[0]) // 2, (self.frame[1] - self.size[1]) // 2


def _canvasFor(shape, spacing, size: int) -> _Canvas:
    height, width = shape
    extent = np.array([width * spacing[0], height * spacing[1]])
    perMM = max(size / extent.max(), 1 / min(spacing))
    pixels = [max(2, int(n)) for n in np.rint(extent * perMM)]
    shortest = int(_NARROWEST * max(pixels))
    frame = (max(pixels[0], shortest), max(pixels[1], shortest))
    return _Canvas(tuple(pixels), frame, (pixels[0] / width, pixels[1] / height), max(pixels) / 768)


def _paintRegion(
    picture: Image.Image, mask, color, canvas: _Canvas, stroke: float, fill: float = 0.0
) -> None:
    """Outline a mask where its interpolated edge passes one half, antialiased by the distance to it."""
    edge = Image.fromarray(mask.astype(np.float32)).resize(canvas.size, Image.Resampling.BILINEAR)
    height = np.asarray(edge) - 0.5
    slope = np.hypot(*np.gradient(height))
    distance = height / np.maximum(slope, 0.05 / max(canvas.scale))
    outline = np.clip(stroke * canvas.unit / 2 + 0.5 - np.abs(distance), 0, 1)
    opacity = np.maximum(outline, fill * np.clip(distance + 0.5, 0, 1))
    picture.paste(color, mask=Image.fromarray((255 * opacity).astype(np.uint8)))


class _Drawing:
    """Marks and letters on a transparent layer, ``_SUPERSAMPLING`` times as large as the picture."""

    def __init__(self, canvas: _Canvas):
        self._canvas = canvas
        self._unit = canvas.unit * _SUPERSAMPLING
        self._layer = Image.new("RGBA", tuple(n * _SUPERSAMPLING for n in canvas.frame))
        self._draw = ImageDraw.Draw(self._layer)

    def over(self, picture: Image.Image) -> Image.Image:
        """Return the picture on its frame, with the marks on it."""
        result = Image.new("RGBA", self._canvas.frame, (0, 0, 0, 255))
        result.paste(picture, self._canvas.offset)
        marks = self._layer.resize(result.size, Image.Resampling.BOX)
        return Image.alpha_composite(result, marks).convert("RGB")

    def box(self, box) -> None:
        """Outline of [x0, y0, x1, y1) with a dark edge, so that it shows on white and on black."""
        corners = [*self._position(box[0] - 0.5, box[1] - 0.5), *self._position(box[2] - 0.5, box[3] - 0.5)]
        for width, color in ((4, (*_SHADOW, 130)), (2, (*_BOX, 255))):
            grown = (width - 2) / 2 * self._unit
            rectangle = [corners[0] - grown, corners[1] - grown, corners[2] + grown, corners[3] + grown]
            self._draw.rectangle(rectangle, outline=color, width=round(width * self._unit))

    def point(self, point, label: int) -> None:
        """Disc with a plus or a minus sign."""
        x, y = self._position(*point)
        for radius, color in ((9.5, _SHADOW), (8.5, _WHITE), (7, _POSITIVE if label else _NEGATIVE)):
            self._disc(x, y, radius * self._unit, (*color, 255))
        arm, half = 4 * self._unit, 1 * self._unit
        self._draw.rectangle([x - arm, y - half, x + arm, y + half], fill=(*_WHITE, 255))
        if label:
            self._draw.rectangle([x - half, y - arm, x + half, y + arm], fill=(*_WHITE, 255))

    def letter(self, border: str, text: str) -> None:
        """Draw the direction's letter in the middle of a border."""
        width, height = self._layer.size
        margin = 20 * self._unit
        place = {
            "left": (margin, height / 2),
            "right": (width - margin, height / 2),
            "top": (width / 2, margin),
            "bottom": (width / 2, height - margin),
        }[border]
        self._text(place, text, 22)

    def scaleBar(self, mmPerPixel: float) -> None:
        """Draw the longest bar that fits, at the lower right; none if no bar does."""
        width, height = self._layer.size
        perMM = self._canvas.scale[0] * _SUPERSAMPLING / mmPerPixel
        length, text = next(
            ((mm * perMM, text) for mm, text in _SCALE_BARS if mm * perMM < 0.4 * width), (0, "")
        )
        if not text:
            return
        x, y, tick = width - 20 * self._unit, height - 20 * self._unit, 4 * self._unit
        for stroke, color in ((4, (*_SHADOW, 150)), (2, (*_WHITE, 255))):
            line = {"fill": color, "width": round(stroke * self._unit)}
            self._draw.line([x - length, y, x, y], **line)
            for end in (x - length, x):
                self._draw.line([end, y - tick, end, y + tick], **line)
        self._text((x - length / 2, y - 16 * self._unit), text, 16)

    def _position(self, x: float, y: float) -> Tuple[float, float]:
        scale, offset = self._canvas.scale, self._canvas.offset
        return tuple(
            _SUPERSAMPLING * (offset[n] + (value + 0.5) * scale[n]) for n, value in enumerate((x, y))
        )

    def _disc(self, x: float, y: float, radius: float, color) -> None:
        self._draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=color)

    def _text(self, place, text: str, points: float) -> None:
        font = ImageFont.load_default(points * self._unit)
        stroke = round(1.5 * self._unit)
        self._draw.text(
            place, text, (*_WHITE, 255), font, "mm", stroke_width=stroke, stroke_fill=(*_SHADOW, 200)
        )


def _withCaption(picture: Image.Image, caption: str, unit: float) -> Image.Image:
    if not caption:
        return picture
    strip = round(40 * unit)
    result = Image.new("RGB", (picture.width, picture.height + strip), _CAPTION_BACKGROUND)
    result.paste(picture)
    points, room = 18 * unit, picture.width - 28 * unit
    while points > 6 and ImageFont.load_default(points).getlength(caption) > room:
        points *= 0.95
    font = ImageFont.load_default(points)
    ImageDraw.Draw(result).text((14 * unit, picture.height + strip / 2), caption, _WHITE, font, "lm")
    return result
