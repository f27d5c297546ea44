"""Real file systems on which writing fails, where this machine lets us mount them."""

import subprocess
from contextlib import contextmanager

import pytest


@contextmanager
def mounted(folder, options):
    """A memory file system on ``folder``; skips the test where mounting is not allowed."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if done.returncode:
        pytest.skip("mounting needs more rights than this test has")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
