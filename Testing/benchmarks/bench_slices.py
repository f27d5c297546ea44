"""Time from a slice view to its pixels on a 512 x 512 x 300 volume.

Run: ``python Testing/benchmarks/bench_slices.py``.
"""

import sys
import time
from pathlib import Path

import numpy as np
import vtk
from vtk.util.numpy_support import vtk_to_numpy

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "SAMUNetSlicer"))

from SAMUNetSlicerLib.app.files import addSliceNode, startScene
from SAMUNetSlicerLib.scene.geometry import extractSlice, planeFromAxis, planeFromSliceNode

SIZE, SPACING = (512, 512, 300), (0.7, 0.7, 1.0)


def add_volume(host):
    image = vtk.vtkImageData()
    image.SetDimensions(SIZE)
    image.AllocateScalars(vtk.VTK_SHORT, 1)
    plane = np.random.default_rng(0).integers(-1000, 1000, SIZE[:2])
    vtk_to_numpy(image.GetPointData().GetScalars()).reshape(SIZE[::-1])[:] = plane
    volume = host.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "CT")
    volume.SetAndObserveImageData(image)
    volume.SetSpacing(SPACING)
    volume.CreateDefaultDisplayNodes()
    return volume


def milliseconds(function, repeats=15):
    """Median processor and wall time of a call in ms."""
    times = []
    for _ in range(repeats):
        cpu, wall = time.process_time(), time.perf_counter()
        function()
        times.append((1e3 * (time.process_time() - cpu), 1e3 * (time.perf_counter() - wall)))
    return np.median(times, axis=0)


def main():
    with startScene() as host:
        volume, view = add_volume(host), addSliceNode(host, "Red")
        view.show(volume)
        center = [size * spacing / 2 for size, spacing in zip(SIZE, SPACING)]
        print(f"{'slice':28}{'pixels':>12}{'CPU ms':>9}{'wall ms':>9}")
        for axis in "KJI":
            report(f"voxel plane {axis}", planeFromAxis(volume, axis), volume)
        for normal in ((0.3, 0.4, 1.0), (0.7, 0.4, 0.4), (1.0, 0.1, 0.0)):
            view.setOblique(normal, (0.1, -1, 0), center)
            report(f"oblique {normal}", planeFromSliceNode(view.node, volume), volume)
        cpu, wall = milliseconds(lambda: planeFromSliceNode(view.node, volume))
        print(f"{'plane of the slice view':40}{cpu:9.2f}{wall:9.2f}")


def report(name, plane, volume):
    cpu, wall = milliseconds(lambda: extractSlice(volume, plane))
    print(f"{name:28}{'x'.join(map(str, plane.shape[::-1])):>12}{cpu:9.2f}{wall:9.2f}")


if __name__ == "__main__":
    main()
