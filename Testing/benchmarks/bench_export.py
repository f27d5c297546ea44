"""Time and memory of exporting ten segments of a 512 x 512 x 300 volume, format by format.

Run: ``python Testing/benchmarks/bench_export.py [FOLDER]``.  Seconds of one export with all checks, by the
clock and of CPU time, and the peak of the process's memory above what the scene needs (Linux).  Needs
highdicom and pyarrow.
"""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "SAMUNetSlicer"))

from app.dicom_series import write_series
from SAMUNetSlicerLib.app.files import FORMATS, ExportOptions, exportSegmentation, loadVolume, startScene
from SAMUNetSlicerLib.scene.segments import newSegment
from scene.segmentation_scene import fill

SHAPE = (300, 512, 512)
SEGMENTS = 10


def organ(number):
    """(k, j, i) bool: one of two rows of rough balls of about 300 ml."""
    k, j, i = np.ogrid[:100, :100, :100]
    radius = 43 + 3 * np.sin(i / 3) + 3 * np.cos(j / 4 + k / 5)
    ball = (k - 50) ** 2 + (j - 50) ** 2 + (i - 50) ** 2 < radius**2
    voxels = np.zeros(SHAPE, bool)
    row, column = 90 + 230 * (number // 5), 5 + 100 * (number % 5)
    voxels[100:200, row : row + 100, column : column + 100] = ball
    return voxels


def forget_peak():
    """Let the peak of the memory begin at what is in use now (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")


def memory_mb(name):
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"{name}:\s+(\d+)", status).group(1)) / 1024


def measure(key, series, per_segment):
    """Print a row about one format."""
    with startScene() as host, tempfile.TemporaryDirectory() as folder:
        volume = loadVolume(host, series)
        node = host.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Organs")
        node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
        for number in range(SEGMENTS):
            fill(node, newSegment(node, f"Organ {number}"), volume, organ(number))
        forget_peak()
        options = ExportOptions(Path(folder), (key,), dicomSource=series, isPerSegment=per_segment)
        before, start, cpu = memory_mb("VmRSS"), time.perf_counter(), time.process_time()
        result = exportSegmentation(node, volume, options)
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        peak, size = memory_mb("VmHWM") - before, sum(path.stat().st_size for path in result.files) / 1e6
        name = f"{key}, one file per segment" if per_segment else key
        print(f"| {name} | {seconds:.1f} s | {cpu:.1f} s | {peak:.0f} MB | {size:.1f} MB |", flush=True)


def main(arguments):
    with tempfile.TemporaryDirectory(dir=arguments[0] if arguments else None) as folder:
        series = Path(folder) / "series"
        write_series(series, np.random.default_rng(0).integers(-1000, 1500, SHAPE, dtype=np.int16))
        print("| format | clock | CPU | memory | files |\n| --- | --- | --- | --- | --- |", flush=True)
        for key in (*FORMATS, "nifti --per-segment"):
            # Each in a process of its own: memory that one has freed is not given to the next.
            subprocess.run([sys.executable, __file__, "--measure", series, *key.split()], check=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(sys.argv[3], Path(sys.argv[2]), "--per-segment" in sys.argv)
    else:
        main(sys.argv[1:])
