"""Draw images with known structures and nothing else known about them, so that a model learns to follow
edges.

Sources: SynthSeg (Billot et al., Medical Image Analysis 2023) for random intensities per region; the
synthetic tasks of ScribblePrompt (Wong et al., ECCV 2024).  Blur, noise, windows, bias and colors come from
`augment`.
"""

from typing import Tuple

import numpy as np
from scipy import ndimage

from .augment import smooth_field

SIDE = 320


def synthetic_pair(rng: np.random.Generator, side: int = SIDE) -> Tuple[np.ndarray, np.ndarray]:
    """Draw an image (side, side, 3) uint8 and its label map (side, side) int32 of 2 to 12 random structures.

    Later structures cover earlier ones; edges are averaged over their pixels (partial volume), and some
    neighbors differ by texture or by a few gray levels only.  The materials of one image are gray, of any
    colors, or shades of one color as in endoscopy, dermoscopy and stained tissue.
    """
    material = rng.choice([_gray, _any_color, _shades(rng)])
    image = _texture(side, material, rng)
    labels = np.zeros((side, side), np.int32)
    for label in range(1, int(rng.integers(3, 14))):
        cover = _shape(side, rng)
        edge = ndimage.gaussian_filter(cover.astype(np.float32), rng.uniform(0.4, 1.6))[..., None]
        image = edge * _texture(side, material, rng) + (1 - edge) * image
        labels[cover] = label
    return image.clip(0, 255).astype(np.uint8), labels


def _gray(rng):
    return np.full(3, rng.uniform(10, 245))


def _any_color(rng):
    return rng.uniform(10, 245, 3)


def _shades(rng):
    """Return a function like `_any_color` whose colors are close to one that is drawn here."""
    middle = rng.uniform(50, 230, 3)
    return lambda rng: (middle * rng.uniform(0.6, 1.3) + rng.normal(0, 14, 3)).clip(0, 255)


def _texture(side, material, rng):
    """Draw one material: a color with smooth and fine variation, (side, side, 3) float32."""
    level = material(rng)
    variation = (smooth_field((side, side), int(rng.integers(2, 60)), rng) - 0.5) * rng.uniform(0, 60)
    grain = rng.normal(0, rng.uniform(0, 10), (side, side))
    return (level + (variation + grain)[..., None]).astype(np.float32)


def _shape(side, rng):
    kind = rng.choice([_star, _blob, _tube, _tree], p=[0.55, 0.2, 0.15, 0.1])
    return kind(side, rng)


def _grid(side):
    return np.mgrid[:side, :side].astype(np.float32)


def _star(side, rng):
    """Draw an ellipse whose radius varies with the angle (organs, lesions, nuclei)."""
    y, x = _grid(side)
    cx, cy = rng.uniform(0.05, 0.95, 2) * side
    radius = side * np.exp(rng.uniform(np.log(0.02), np.log(0.35)))
    turn, stretch = rng.uniform(0, np.pi), np.exp(rng.uniform(-0.6, 0.6))
    u = (np.cos(turn) * (x - cx) + np.sin(turn) * (y - cy)) * stretch
    v = (np.cos(turn) * (y - cy) - np.sin(turn) * (x - cx)) / stretch
    angle = np.arctan2(v, u)
    waves = sum(
        rng.normal(0, 0.25 / order) * np.cos(order * angle + rng.uniform(0, 2 * np.pi))
        for order in range(2, 7)
    )
    return np.hypot(u, v) < radius * (1 + waves)


def _blob(side, rng):
    """Draw what a smooth random field leaves above a threshold (irregular, several parts)."""
    field = smooth_field((side, side), int(rng.integers(3, 10)), rng)
    return field > np.quantile(field, rng.uniform(0.75, 0.97))


def _tube(side, rng):
    """Draw a curved band of varying width (vessels, nerves, bowel)."""
    path = _path(rng.uniform(0, side, 2), rng.uniform(0, 2 * np.pi), 200, 0.5, side, rng)
    return _drawn([path], [rng.uniform(0.008, 0.05) * side], side)


def _tree(side, rng):
    """Thin branches that grow from one root and grow thinner (vessels of retina and lung)."""
    paths = [_path(rng.uniform(0.1, 0.9, 2) * side, rng.uniform(0, 2 * np.pi), 200, 0.08, side, rng)]
    widths = [rng.uniform(0.006, 0.02) * side]
    for _ in range(int(rng.integers(6, 24))):
        parent = int(rng.integers(len(paths)))
        start = int(rng.integers(len(paths[parent]) - 1))
        along = np.arctan2(*(paths[parent][start + 1] - paths[parent][start]))
        angle = along + rng.choice([-1, 1]) * rng.uniform(0.4, 1.2)
        paths.append(_path(paths[parent][start], angle, int(rng.integers(40, 160)), 0.12, side, rng))
        widths.append(max(0.003 * side, widths[parent] * rng.uniform(0.5, 0.9)))
    return _drawn(paths, widths, side)


def _path(start, direction, steps, bend, side, rng):
    """Return points (steps, 2) of a curve; ``bend``: how much it turns."""
    angles = direction + np.cumsum(ndimage.gaussian_filter1d(rng.normal(0, bend, steps), 12))
    return start + np.cumsum(np.stack([np.sin(angles), np.cos(angles)], 1) * side / 150, 0)


def _drawn(paths, widths, side):
    """Draw all that is closer to a path than its width, (side, side) bool."""
    cover = np.zeros((side, side), bool)
    for path, width in zip(paths, widths):
        rows, columns = path[(path >= 0).all(1) & (path < side).all(1)].astype(int).T
        outside = np.ones((side, side), bool)
        outside[rows, columns] = False
        cover |= ndimage.distance_transform_edt(outside) < width if len(rows) else False
    return cover
