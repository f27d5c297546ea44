"""Cost of putting one slice's mask into a segment of a 512 x 512 x 400 segmentation.

Run: ``python Testing/benchmarks/bench_writeback.py``.  CPU milliseconds, median.  Compared in one process
with what a whole-volume update costs and with Slicer's own patch call.
"""

import statistics
import sys
import time
from pathlib import Path

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "SAMUNetSlicer"))

from SAMUNetSlicerLib.app.files import startScene
from SAMUNetSlicerLib.scene.geometry import planeFromAxis, planeFromNormal
from SAMUNetSlicerLib.scene.segments import SegmentWriter

SHAPE = (400, 512, 512)
REPEATS = 15
MIDDLE = (256, 256, 200)


def milliseconds(work, repeats=REPEATS):
    """Median CPU time of ``work(n)`` for n = 0, 1, ..., after one call to warm up."""
    work(0)
    times = []
    for number in range(1, repeats + 1):
        start = time.process_time()
        work(number)
        times.append((time.process_time() - start) * 1e3)
    return statistics.median(times)


def add_volume(scene):
    image = vtk.vtkImageData()
    image.SetDimensions(*SHAPE[::-1])
    image.AllocateScalars(vtk.VTK_SHORT, 1)
    vtk_to_numpy(image.GetPointData().GetScalars())[:] = 0
    volume = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "CT")
    volume.SetAndObserveImageData(image)
    return volume


def oriented_image(array, low=(0, 0, 0)):
    image = slicer.vtkOrientedImageData()
    high = np.add(low, array.shape[::-1]) - 1
    image.SetExtent(*(int(bound) for pair in zip(low, high) for bound in pair))
    image.GetPointData().SetScalars(numpy_to_vtk(array.ravel(), deep=True))
    return image


def add_segmentation(scene, volume, filled):
    """A segmentation in which a neighbor in the same layer holds a block (k, j, i) of voxels."""
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Segmentation")
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    segmentation = node.GetSegmentation()
    neighbor, segment = (segmentation.AddEmptySegment("", name) for name in ("neighbor", "written"))
    if filled is not None:
        logic = slicer.vtkSlicerSegmentationsModuleLogic
        logic.SetBinaryLabelmapToSegment(oriented_image(filled), node, neighbor, logic.MODE_REPLACE)
    return node, segment


def ellipse(shape, number):
    """A mask of about a tenth of the slice that moves a little each time."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    center = shape[1] / 2 + number % 7, shape[0] / 2 - number % 5
    return ((x - center[0]) / 90) ** 2 + ((y - center[1]) / 70) ** 2 < 1


def bench_slices(writer, volume, node, segment):
    planes = {axis: planeFromAxis(volume, axis) for axis in "KJI"}
    planes["oblique 11 degrees"] = planeFromNormal(volume, MIDDLE, (0.1, 0.17, 1))
    planes["oblique (1, 1, 1)"] = planeFromNormal(volume, MIDDLE, (1, 1, 1))
    for name, plane in planes.items():
        bench_slice(writer, volume, node, segment, plane, name)


def bench_slice(writer, volume, node, segment, plane, name):
    masks = [ellipse(plane.shape, number) for number in range(REPEATS + 1)]
    changes = []
    write = milliseconds(lambda n: changes.append(writer.writeMask(node, segment, plane, masks[n], volume)))
    read = milliseconds(lambda n: writer.readMask(node, segment, plane))
    undo = milliseconds(lambda n: writer.revert(node, changes[-1 - n]))
    print(f"    {name:22} write {write:7.1f}   read {read:6.1f}   undo {undo:6.1f}")


def bench_growth(writer, volume, node, segment):
    """Slice after slice, as when a structure is followed through the volume."""
    planes = [planeFromAxis(volume, "K", 100 + number) for number in range(2 * REPEATS + 1)]
    mask = ellipse(planes[0].shape, 0)
    cost = milliseconds(lambda n: writer.writeMask(node, segment, planes[n], mask, volume), 2 * REPEATS)
    print(f"    {'next slice':22} write {cost:7.1f}")


def bench_slicer(node, segment):
    """The same through Slicer's logic: one patch of the mask's bounding box, and the whole volume."""
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    mask = ellipse(SHAPE[1:], 0).astype(np.uint8)
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    patch = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1][None]
    low = int(columns[0]), int(rows[0])

    def write_patch(number):
        image = oriented_image(patch, (*low, 20 + number))
        logic.SetBinaryLabelmapToSegment(image, node, segment, logic.MODE_MERGE_MASK)

    def write_volume(number):
        whole = np.zeros(SHAPE, np.uint8)
        whole[150 + number % 2] = mask
        logic.SetBinaryLabelmapToSegment(oriented_image(whole), node, segment, logic.MODE_REPLACE)

    print(f"    {'Slicer, one patch':22} write {milliseconds(write_patch, 5):7.1f}")
    print(f"    {'Slicer, whole volume':22} write {milliseconds(write_volume, 3):7.1f}")


def main():
    block = np.zeros(SHAPE, np.uint8)
    block[0:400, 20:500, 20:150] = 1  # beside the mask: Slicer would give the segment a layer of its own
    for title, filled in (("empty segmentation", None), ("neighbor through the whole volume", block)):
        with startScene() as host:
            volume = add_volume(host.scene)
            node, segment = add_segmentation(host.scene, volume, filled)
            print(f"{title}, 512 x 512 x 400 voxels, median CPU ms")
            writer = SegmentWriter(host.scene)
            bench_growth(writer, volume, node, segment)
            bench_slices(writer, volume, node, segment)
            bench_slicer(node, segment)


if __name__ == "__main__":
    main()
