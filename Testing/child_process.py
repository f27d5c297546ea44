"""Functions of a test file run in a process of their own, which a failing OpenGL may take with it."""

import ctypes.util
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

TESTING = Path(__file__).resolve().parent

# Without either, VTK ends the process instead of raising an exception.
needs_opengl = pytest.mark.skipif(
    not (ctypes.util.find_library("EGL") or ctypes.util.find_library("OSMesa")),
    reason="there is no off-screen OpenGL: install libegl1 and libgl1-mesa-dri",
)


def run_in_child(function):
    """Call a function of a test file under Testing, without arguments."""
    paths = [str(TESTING), str(TESTING.parent / "SAMUNetSlicer")]
    file = Path(inspect.getfile(function)).resolve().relative_to(TESTING).with_suffix("")
    script = (
        f"import sys; sys.path[:0] = {paths!r}\n"
        f"if __name__ == '__main__':\n"
        f"    from {'.'.join(file.parts[:-1])} import {file.name} as tests\n"
        f"    tests.{function.__name__}()\n"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # VTK prints what its callbacks raise, and goes on.
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
