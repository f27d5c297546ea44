"""Draw random shapes on an empty square: blobs, tubes, trees, rings, shells and groups of small parts.

Every shape is a bool array (side, side), or a list of them where it has parts of its own.
"""

from typing import List, Tuple

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from .augment import smooth_field


def star(
    side: int, rng: np.random.Generator, sizes: Tuple[float, float] = (0.02, 0.35), place=None
) -> np.ndarray:
    """Draw an ellipse whose radius varies with the angle (organs, lesions, nuclei).

    :param sizes: least and largest radius as fractions of the side; ``place``: (x, y) of its middle.
    """
    return _layered(side, rng, (1.0,), sizes, place)[0]


def layers(side: int, rng: np.random.Generator, count: int) -> List[np.ndarray]:
    """Draw ``count`` stars inside one another, the largest first: heart wall and cavity, disc and cup."""
    steps = rng.uniform(0.45, 0.92, count - 1)
    return _layered(side, rng, (1.0, *np.cumprod(steps)), (0.06, 0.42), None)


def ring(side: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a band around a hole, in a third of the cases cut open (a C), its width uneven."""
    outer, inner = layers(side, rng, 2)
    band = outer & ~inner
    if rng.random() < 1 / 3:
        rows, columns = np.nonzero(outer)
        y, x = _grid(side)
        angle = np.arctan2(y - rows.mean(), x - columns.mean()) if len(rows) else np.zeros((side, side))
        band &= np.cos(angle - rng.uniform(0, 2 * np.pi)) < np.cos(rng.uniform(0.2, 1.2))
    return band


def _layered(side, rng, scales, sizes, place):
    cx, cy = rng.uniform(0.05, 0.95, 2) * side if place is None else place
    radius = side * np.exp(rng.uniform(*np.log(sizes)))
    turn, stretch = rng.uniform(0, np.pi), np.exp(rng.uniform(-0.6, 0.6))
    orders = np.arange(2, 7)
    amplitudes, phases = rng.normal(0, 0.2 / orders), rng.uniform(0, 2 * np.pi, 5)
    drift = rng.normal(0, 0.06, (len(scales), 2)) * radius
    drift[0] = 0
    angles = np.linspace(0, 2 * np.pi, 96, endpoint=False)
    found = []
    for scale, moved in zip(scales, drift):
        uneven = amplitudes * np.exp(rng.normal(0, 0.25, 5))
        reach = (
            radius * scale * (1 + (uneven * np.cos(orders * angles[:, None] + phases)).sum(1)).clip(0.2, 2)
        )
        u, v = reach * np.cos(angles) / stretch, reach * np.sin(angles) * stretch
        x = cx + moved[0] + np.cos(turn) * u - np.sin(turn) * v
        y = cy + moved[1] + np.sin(turn) * u + np.cos(turn) * v
        mask = _polygon(np.stack([x, y], 1), side)
        found.append(mask & found[-1] if found else mask)
    return found


def blob(side: int, rng: np.random.Generator) -> np.ndarray:
    """Keep what a smooth random field leaves above a threshold (irregular, several parts)."""
    field = smooth_field((side, side), int(rng.integers(3, 10)), rng)
    return field > np.quantile(field, rng.uniform(0.75, 0.97))


def tube(side: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a curved band of varying width (vessels, nerves, bowel)."""
    path = _path(rng.uniform(0, side, 2), rng.uniform(0, 2 * np.pi), 200, 0.5, side, rng)
    widths = rng.uniform(0.008, 0.05) * side * (0.7 + 0.6 * rng.random(len(path)))
    return _drawn([(path, ndimage.gaussian_filter1d(widths, 20))], side)


def tree(side: int, rng: np.random.Generator) -> np.ndarray:
    """Draw thin branches that grow from one root and grow thinner (vessels of retina and lung)."""
    paths = [_path(rng.uniform(0.1, 0.9, 2) * side, rng.uniform(0, 2 * np.pi), 240, 0.08, side, rng)]
    widths = [rng.uniform(0.006, 0.02) * side]
    for _ in range(int(rng.integers(6, 36))):
        parent = int(rng.integers(len(paths)))
        start = int(rng.integers(len(paths[parent]) - 1))
        along = np.arctan2(*(paths[parent][start + 1] - paths[parent][start]))
        angle = along + rng.choice([-1, 1]) * rng.uniform(0.3, 1.2)
        paths.append(_path(paths[parent][start], angle, int(rng.integers(40, 200)), 0.12, side, rng))
        widths.append(max(0.0025 * side, widths[parent] * rng.uniform(0.5, 0.95)))
    return _drawn(list(zip(paths, widths)), side)


def parts(side: int, rng: np.random.Generator) -> List[np.ndarray]:
    """Draw a group of 6 to 80 alike small stars that touch but never overlap: cells, glands, axons."""
    size = np.exp(rng.uniform(np.log(0.012), np.log(0.07)))
    count = int(min(80, rng.integers(6, 81), 0.3 / size**2))
    taken = np.zeros((side, side), bool)
    found = []
    for place in rng.uniform(0, side, (count, 2)):
        part = star(side, rng, (0.8 * size, 1.25 * size), place) & ~taken
        if part.any():
            found.append(part)
            taken |= part
    return found


def _grid(side):
    return np.mgrid[:side, :side].astype(np.float32)


def _polygon(points, side):
    picture = Image.new("L", (side, side))
    ImageDraw.Draw(picture).polygon([tuple(point) for point in points.tolist()], fill=1)
    return np.asarray(picture).astype(bool)


def _path(start, direction, steps, bend, side, rng):
    """Return points (steps, 2), rows and columns, of a curve; ``bend``: how much it turns."""
    angles = direction + np.cumsum(ndimage.gaussian_filter1d(rng.normal(0, bend, steps), 12))
    return start + np.cumsum(np.stack([np.sin(angles), np.cos(angles)], 1) * side / 150, 0)


def _drawn(branches, side, fine=4):
    """Draw branches (path, half width or half widths) at a finer scale, covered where half of a pixel is."""
    picture = Image.new("L", (side * fine, side * fine))
    pen = ImageDraw.Draw(picture)
    for path, width in branches:
        radii = np.broadcast_to(width, len(path)) * fine
        for (y, x), radius in zip((path + 0.5) * fine, radii):
            pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=255)
    return np.asarray(picture.reduce(fine)) >= 128
