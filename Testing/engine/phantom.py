"""A picture with a known object, computed without random numbers."""

import numpy as np


def ellipse(height: int, width: int, center=(205.0, 255.0), radii=(50.0, 70.0)) -> np.ndarray:
    """(H, W) bool, inside an ellipse around the pixel ``center`` (x, y)."""
    y, x = np.mgrid[:height, :width]
    return ((x - center[0]) / radii[0]) ** 2 + ((y - center[1]) / radii[1]) ** 2 <= 1


def phantom(height: int, width: int, **object_) -> np.ndarray:
    """(H, W) uint8: a bright ellipse (see `ellipse`) on a darker, textured body."""
    y, x = np.mgrid[:height, :width]
    body = ((x / width - 0.5) / 0.46) ** 2 + ((y / height - 0.5) / 0.47) ** 2 <= 1
    texture = 12 * np.sin(x / 7.0) * np.cos(y / 9.0) + 6 * np.sin((x + 2 * y) / 3.0)
    gray = 15 + 75 * body + 90 * ellipse(height, width, **object_) + texture
    return np.clip(gray, 0, 255).astype(np.uint8)
