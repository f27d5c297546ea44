"""What opening the module costs before anything is shown, and that torch is no part of it.

    python Testing/benchmarks/bench_panel.py

A fresh interpreter with slicer, vtk and numpy loaded, as Slicer has them; then what the panel imports.  Qt is
a stand-in here, so that building the widgets is not measured.
"""

import statistics
import subprocess
import sys
from pathlib import Path

TESTING = Path(__file__).resolve().parents[1]
ROUNDS = 7
MEASURE = """
import sys, time
sys.path[:0] = [{testing!r}, {module!r}]
import numpy, pytest, slicer, slicer.util, vtk
from fakes import slicerApplication
for name in [name for name in sys.modules if name.startswith("SAMUNetSlicerLib")]:
    del sys.modules[name]
slicerApplication.install(pytest.MonkeyPatch(), None, {folder!r})
started, cpu = time.perf_counter(), time.process_time()
import SAMUNetSlicerLib.ui.panel
print(time.perf_counter() - started, time.process_time() - cpu, "torch" in sys.modules)
"""


def measure():
    module = TESTING.parent / "SAMUNetSlicer"
    script = MEASURE.format(testing=str(TESTING), module=str(module), folder=str(TESTING))
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    wall, cpu, torch = output.split()
    assert torch == "False", "the panel must not load torch"
    return 1000 * float(wall), 1000 * float(cpu)


if __name__ == "__main__":
    walls, cpus = zip(*(measure() for _ in range(ROUNDS)))
    print(f"imports of the panel: {statistics.median(walls):.0f} ms, CPU {statistics.median(cpus):.0f} ms")
