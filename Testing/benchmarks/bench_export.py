"""Time and memory of exporting ten segments of a 512 x 512 x 300 volume, format by format.

Run: ``python Testing/benchmarks/bench_export.py [FOLDER]``.  Wall seconds of one export with all checks, and
the peak of the process's memory above what the scene needs.  Needs highdicom and pyarrow.
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
from SAMUNetSlicerLib.app.exportFormats import FORMATS
from SAMUNetSlicerLib.app.exportJob import ExportOptions, exportSegmentation
from SAMUNetSlicerLib.app.headless import startScene
from SAMUNetSlicerLib.app.volumeLoading import loadVolume
from SAMUNetSlicerLib.scene.segments import newSegment
from scene.segmentation_scene import fill

SHAPE = (300, 512, 512)
SEGMENTS = 10


def ball(number):
    """(k, j, i) bool: one of two rows of organs of about 600 ml, with a rough surface."""
    k, j, i = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    center = (150, 140 + 230 * (number // 5), 55 + 100 * (number % 5))
    radius = 43 + 3 * np.sin(i / 3) + 3 * np.cos(j / 4 + k / 5)
    return (k - center[0]) ** 2 + (j - center[1]) ** 2 + (i - center[2]) ** 2 < radius**2


def forget_peak():
    """Let the peak of the memory begin at what is in use now (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")


def memory_mb(name):
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"{name}:\s+(\d+)", status).group(1)) / 1024


def measure(key, series):
    """Seconds and MB of one format, in a process of its own."""
    with startScene() as host, tempfile.TemporaryDirectory() as folder:
        volume = loadVolume(host, series)
        node = host.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Organs")
        node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
        for number in range(SEGMENTS):
            fill(node, newSegment(node, f"Organ {number}"), volume, ball(number))
        forget_peak()
        before, start = memory_mb("VmRSS"), time.perf_counter()
        result = exportSegmentation(node, volume, ExportOptions(Path(folder), (key,), dicomSource=series))
        seconds = time.perf_counter() - start
        size = sum(path.stat().st_size for path in result.files) / 1e6
        print(
            f"| {key} | {seconds:.1f} s | {memory_mb('VmHWM') - before:.0f} MB | {size:.1f} MB |", flush=True
        )


def main(arguments):
    if len(arguments) == 2:
        measure(arguments[0], Path(arguments[1]))
        return
    with tempfile.TemporaryDirectory(dir=arguments[0] if arguments else None) as folder:
        voxels = np.random.default_rng(0).integers(-1000, 1500, SHAPE, dtype=np.int16)
        write_series(Path(folder) / "series", voxels)
        del voxels
        print("| format | time | memory | files |\n| --- | --- | --- | --- |", flush=True)
        for key in FORMATS:
            subprocess.run([sys.executable, __file__, key, str(Path(folder) / "series")], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
