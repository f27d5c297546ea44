"""Locate downloads and computed slices: one folder per user, shared by every Slicer version."""

import os
import sys
from pathlib import Path


def homeFolder() -> Path:
    """Return the product's own folder; the environment variable ``SAMUNET_HOME`` overrides the default.

    It lies outside the extension, so that a new Slicer release does not download everything again.
    """
    override = os.environ.get("SAMUNET_HOME", "").strip()
    if override:
        return Path(override).expanduser().absolute()
    return _userDataFolder() / "SAMUNetSlicer"


def _userDataFolder() -> Path:
    """Return the system's folder for application data; Slicer's Python has no package that tells."""
    if sys.platform == "win32":
        default, name = Path.home() / "AppData" / "Local", "LOCALAPPDATA"
    elif sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    else:
        default, name = Path.home() / ".local" / "share", "XDG_DATA_HOME"
    return Path(os.environ.get(name, "").strip() or default)


def weightsFolder() -> Path:
    """Return the folder of the network weights; it need not exist yet."""
    return homeFolder() / "weights"


def cacheFolder() -> Path:
    """Return the folder of the encoded slices; everything in it can be deleted at any time."""
    return homeFolder() / "cache"
