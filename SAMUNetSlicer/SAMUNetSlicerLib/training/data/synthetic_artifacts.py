"""Change a picture as scanners and stains do: streaks, shadows, speckle, thick slices, stained tissue.

Pictures are (H, W, 3) float32 in 0..255; structures keep their place.  Blur, noise, windows, bias and false
colors come from `augment`.
"""

import numpy as np
from PIL import Image
from scipy import ndimage

from .augment import smooth_field


def metal_streaks(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add bright and dark rays from one or two saturated spots, as from implants in CT."""
    height, width = image.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    for _ in range(int(rng.integers(1, 3))):
        cy, cx = rng.uniform(0.1, 0.9, 2) * (height, width)
        distance, angle = np.hypot(y - cy, x - cx), np.arctan2(y - cy, x - cx)
        turns = ndimage.gaussian_filter1d(rng.normal(0, 1, 180), rng.uniform(0.6, 2), mode="wrap")
        # Opposite directions lie on the same ray of the scanner.
        rays = turns[(np.degrees(angle) % 180).astype(int) % 180] / turns.std()
        radius = rng.uniform(0.008, 0.03) * width
        image = (
            image
            + (rays * rng.uniform(15, 60) * np.exp(-distance / (rng.uniform(0.1, 0.5) * width)))[..., None]
        )
        image = np.where((distance < radius)[..., None], 255, image)
    return image


def ultrasound(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Make an ultrasound: gray speckle, shadows that fall from above, depth that darkens."""
    height, width = image.shape[:2]
    gray = image.mean(2)
    noise = rng.rayleigh(1, (height, width)) / 1.25
    speckle = ndimage.gaussian_filter(noise, (rng.uniform(0.4, 1), rng.uniform(0.7, 2)))
    gray = gray * (1 + rng.uniform(0.5, 1.5) * (speckle - speckle.mean()))
    columns = np.arange(width)
    for _ in range(int(rng.integers(0, 4))):
        middle, half = rng.uniform(0, width), rng.uniform(0.01, 0.08) * width
        start = int(rng.uniform(0, 0.8) * height)
        profile = np.exp(-(((columns - middle) / half) ** 2)) * rng.uniform(0.4, 1)
        gray[start:] *= 1 - profile
    gray = gray * np.linspace(1, rng.uniform(0.3, 1), height)[:, None]
    return np.repeat(gray[..., None], 3, 2)


def thick_pixels(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Show the picture as a coarser grid sees it, interpolated: partial volume, in one or both directions."""
    factors = np.exp(rng.uniform(np.log(1.5), np.log(4))), np.exp(rng.uniform(0, np.log(4)))
    height, width = image.shape[:2]
    small = [max(8, int(size / factor)) for size, factor in zip((width, height), rng.permutation(factors))]
    picture = Image.fromarray(image.clip(0, 255).astype(np.uint8))
    coarse = picture.resize(small, Image.Resampling.BOX)
    return np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC)).astype(np.float32)


def stained(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Stain the picture as tissue: dark materials take the blue one, pale ones the pink."""
    density = 1.6 * (1 - image.mean(2, keepdims=True) / 255) + 0.1
    # Optical densities of hematoxylin and eosin (Ruifrok and Johnston, 2001), each stain a little different.
    blue = np.array([0.65, 0.70, 0.29]) * rng.uniform(0.8, 1.2, 3)
    pink = np.array([0.07, 0.99, 0.11]) * rng.uniform(0.8, 1.2, 3)
    share = (density - density.min()) / max(float(np.ptp(density)), 1e-3)
    fibers = smooth_field(image.shape[:2], int(rng.integers(10, 60)), rng)[..., None]
    return 255 * np.exp(-density * (share * blue + (1 - share) * pink) * (0.8 + 0.4 * fibers))
