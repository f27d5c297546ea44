"""Draw images with known structures and nothing else known about them, so that a model learns to follow
edges.

Sources: SynthSeg (Billot et al., Medical Image Analysis 2023) for random intensities per region; the
synthetic tasks of ScribblePrompt (Wong et al., ECCV 2024).  Blur, noise, windows, bias and colors come from
`augment`.
"""

from typing import Tuple

import numpy as np
from scipy import ndimage

from . import synthetic_shapes as shapes
from .augment import smooth_field
from .synthetic_artifacts import metal_streaks, stained, thick_pixels, ultrasound

SIDE = 320
# Scenes and what happens to them afterwards, each with its share.
_FREE, _NESTED, _PARTS, _VESSELS, _HIDDEN = "free", "nested", "parts", "vessels", "hidden"
_SCENES = {_FREE: 0.35, _NESTED: 0.2, _PARTS: 0.2, _VESSELS: 0.15, _HIDDEN: 0.1}
_CHANGES = ((0.08, metal_streaks), (0.12, ultrasound), (0.15, thick_pixels), (0.08, stained))


def synthetic_pair(rng: np.random.Generator, side: int = SIDE) -> Tuple[np.ndarray, np.ndarray]:
    """Make an image (side, side, 3) uint8 and label map (side, side) int32 of random structures.

    Scenes: free shapes that cover one another; shells inside shells; many alike parts, each with its label
    or all with one; vessel trees; structures told from their surroundings by texture alone.  The materials of
    one image are gray, of any colors, or shades of one color as in endoscopy, dermoscopy and stained tissue;
    edges are averaged over their pixels (partial volume).  Some images then get streaks, speckle and shadows,
    coarse pixels or stains.
    """
    painting = _Painting(side, rng)
    scene = rng.choice(list(_SCENES), p=list(_SCENES.values()))
    _PAINTERS[scene](painting, rng)
    image = painting.image
    # What is told by texture alone would be lost in speckle and coarse pixels.
    for chance, change in () if scene == _HIDDEN else _CHANGES:
        if rng.random() < chance:
            image = change(image, rng)
            break
    return image.clip(0, 255).astype(np.uint8), painting.labels


class _Painting:
    """Image and its label map, structure by structure; later ones cover earlier ones."""

    def __init__(self, side, rng):
        self.side, self._rng = side, rng
        self._material = rng.choice([_gray, _any_color, _shades(rng)])
        self.labels = np.zeros((side, side), np.int32)
        self._last = 0
        self.image = self.texture()

    def texture(self):
        """Make one new material, (side, side, 3) float32."""
        return _texture(self.side, self._material(self._rng), self._rng)

    def add(self, cover, texture, new_label=True, softness=None, gain=1.0):
        """Cover a part with ``gain`` times a material; the label is the last one unless ``new_label``."""
        softness = self._rng.uniform(0.4, 1.6) if softness is None else softness
        self._last = max(1, self._last + int(new_label))
        window = _around(cover, margin=int(4 * softness) + 1)
        edge = ndimage.gaussian_filter(cover[window].astype(np.float32), softness)[..., None]
        self.image[window] += edge * (gain * texture[window] - self.image[window])
        self.labels[window][cover[window]] = self._last


def _around(cover, margin):
    """Return the window (slices) of a cover's pixels and a margin; empty if the cover is."""
    window = []
    for axis in (1, 0):
        places = np.flatnonzero(cover.any(axis))
        first, last = (places[0], places[-1] + 1) if len(places) else (0, 0)
        window.append(slice(max(0, first - margin), last + margin))
    return tuple(window)


def _free(painting, rng):
    kinds = (shapes.star, shapes.blob, shapes.tube, shapes.tree, shapes.ring)
    for _ in range(int(rng.integers(2, 13))):
        kind = rng.choice(len(kinds), p=[0.45, 0.15, 0.15, 0.1, 0.15])
        painting.add(kinds[kind](painting.side, rng), painting.texture())


def _nested(painting, rng):
    for _ in range(int(rng.integers(1, 4))):
        inside = [painting.texture(), painting.texture()]
        for i, cover in enumerate(shapes.layers(painting.side, rng, int(rng.integers(2, 5)))):
            # Every second shell may look like the one before the last, as cavity and blood do.
            painting.add(cover, inside[i % 2] if rng.random() < 0.4 else painting.texture())


def _many_parts(painting, rng):
    if rng.random() < 0.4:
        painting.add(shapes.blob(painting.side, rng), painting.texture())
    for _ in range(int(rng.integers(1, 3))):
        texture, single, hollow = painting.texture(), rng.random() < 0.5, rng.random() < 0.25
        for i, part in enumerate(shapes.parts(painting.side, rng)):
            if hollow:
                window = _around(part, margin=1)
                part[window] &= ~ndimage.binary_erosion(part[window], iterations=2)
            painting.add(part, texture, single or i == 0, softness=0.7, gain=rng.uniform(0.9, 1.1))


def _vessels(painting, rng):
    if rng.random() < 0.5:
        painting.add(shapes.star(painting.side, rng, (0.25, 0.6)), painting.texture())
    for _ in range(int(rng.integers(1, 4))):
        painting.add(shapes.tree(painting.side, rng), painting.texture(), softness=rng.uniform(0.4, 1.0))
    if rng.random() < 0.3:
        painting.add(shapes.star(painting.side, rng, (0.02, 0.1)), painting.texture())


def _hidden(painting, rng):
    """Add structures of the ground's own gray whose texture is coarser, finer or stronger."""
    level = painting.image.mean((0, 1))
    for _ in range(int(rng.integers(1, 5))):
        kind = rng.choice([shapes.star, shapes.blob, shapes.ring])
        texture = _texture(painting.side, level, rng, strong=True)
        painting.add(kind(painting.side, rng), texture)


_PAINTERS = {_FREE: _free, _NESTED: _nested, _PARTS: _many_parts, _VESSELS: _vessels, _HIDDEN: _hidden}


def _gray(rng):
    return np.full(3, rng.uniform(10, 245))


def _any_color(rng):
    return rng.uniform(10, 245, 3)


def _shades(rng):
    """Return a function like `_any_color` whose colors are close to one that is drawn here."""
    middle = rng.uniform(50, 230, 3)
    return lambda rng: (middle * rng.uniform(0.6, 1.3) + rng.normal(0, 14, 3)).clip(0, 255)


def _texture(side, level, rng, strong=False):
    """Make one material: a color with smooth and fine variation, (side, side, 3) float32."""
    low = 25 if strong else 0
    field = smooth_field((side, side), int(rng.integers(2, 60)), rng)
    grain = rng.normal(0, rng.uniform(0, 20 if strong else 10), (side, side))
    variation = (field - field.mean()) * rng.uniform(low, 60 + low) + grain
    return (level + variation[..., None]).astype(np.float32)
