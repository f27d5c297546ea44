"""Functions of a test file run in a process of their own, which a failing OpenGL may take with it.

The processes are forked from one that has loaded Slicer's classes and nothing else: loading them takes
longer than most of these functions.
"""

import atexit
import ctypes.util
import inspect
import json
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest

TESTING = Path(__file__).resolve().parent

# Without either, VTK ends the process instead of raising an exception.
needs_opengl = pytest.mark.skipif(
    not (ctypes.util.find_library("EGL") or ctypes.util.find_library("OSMesa")),
    reason="there is no off-screen OpenGL: install libegl1 and libgl1-mesa-dri",
)

# Answers each line [module, function, log] with the exit code of the process that has called the function;
# that one leaves the loop, and ends as any Python does.
_PARENT = """
import importlib, json, os, sys
import pytest, slicer, vtk
assert len(os.listdir("/proc/self/task")) == 1, "a process with threads must not be forked"
for line in sys.stdin:
    process = os.fork()
    if not process:
        break
    print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
else:
    sys.exit()
module, function, log = json.loads(line)
for stream in (sys.stdout, sys.stderr):
    os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream.fileno())
getattr(importlib.import_module(module), function)()
"""


def run_in_child(function):
    """Call a function of a test file under Testing, without arguments."""
    parent = _parent()
    file = Path(inspect.getfile(function)).resolve().relative_to(TESTING).with_suffix("")
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        print(json.dumps([".".join(file.parts), function.__name__, str(log)]), file=parent.stdin, flush=True)
        code = parent.stdout.readline().strip()
        said = log.read_text(errors="replace") if log.exists() else ""
    # VTK prints what its callbacks raise, and goes on.
    assert code == "0" and "Traceback" not in said, f"exit code {code}\n{said}"


@cache
def _parent():
    paths = [str(TESTING), str(TESTING.parent / "SAMUNetSlicer")]
    parent = subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {paths!r}\n{_PARENT}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(parent.communicate)  # it ends when its input does
    return parent
