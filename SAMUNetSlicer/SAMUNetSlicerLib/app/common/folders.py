"""Locate downloads and computed slices: one folder per user, shared by every Slicer version."""

import os
from pathlib import Path

from ...platforms import PLATFORM


def homeFolder() -> Path:
    """Return the product's own folder; the environment variable ``SAMUNET_HOME`` overrides the default.

    It lies outside the extension, so that a new Slicer release does not download everything again.
    """
    override = os.environ.get("SAMUNET_HOME", "").strip()
    if override:
        return Path(override).expanduser().absolute()
    # Slicer's Python has no package that tells it.
    return PLATFORM.userData() / "SAMUNetSlicer"


def weightsFolder() -> Path:
    """Return the folder of the network weights; it need not exist yet."""
    return homeFolder() / "weights"


def cacheFolder() -> Path:
    """Return the folder of the encoded slices; everything in it can be deleted at any time."""
    return homeFolder() / "cache"
