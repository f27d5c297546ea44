"""Volumes, transforms and segmentations for the tests of segments, prompts and exports."""

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

CT = np.diag([0.75, 0.75, 2.5, 1.0])


def rotation(degrees, axis=(0.0, 0.0, 1.0)):
    """(4, 4) rotation."""
    transform = vtk.vtkTransform()
    transform.RotateWXYZ(degrees, *axis)
    return matrix_to_array(transform.GetMatrix())


def matrix_to_array(matrix):
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])


def vtk_matrix(array):
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy(np.asarray(array, float).ravel().tolist())
    return matrix


def add_volume(scene, shape=(20, 24, 28), ijk_to_ras=CT, array=None, name="Volume"):
    """A scalar volume of shape (k, j, i); its voxels count up unless an array is given."""
    if array is None:
        array = np.arange(np.prod(shape), dtype=np.int16).reshape(shape)
    image = vtk.vtkImageData()
    image.SetDimensions(*array.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(array.ravel(), deep=True))
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    node.SetAndObserveImageData(image)
    node.SetIJKToRASMatrix(vtk_matrix(ijk_to_ras))
    return node


def add_segmentation(scene, names=("A",), volume=None):
    """A segmentation with empty segments, whose IDs are returned after the node."""
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Segmentation")
    node.CreateDefaultDisplayNodes()
    if volume is not None:
        node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    return (node, *(node.GetSegmentation().AddEmptySegment("", name, [1, 0, 0]) for name in names))


def put_under_transform(scene, node, matrix):
    """Give a node a linear parent transform (4, 4)."""
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transform.SetMatrixTransformToParent(vtk_matrix(matrix))
    node.SetAndObserveTransformNodeID(transform.GetID())
    return transform


def voxels_of(node, segment_id, shape):
    """The segment as a bool array (k, j, i) of the whole volume, read without the code under test."""
    whole = np.zeros(shape, bool)
    image = node.GetBinaryLabelmapInternalRepresentation(segment_id)
    i0, i1, j0, j1, k0, k1 = image.GetExtent()
    if i0 > i1 or j0 > j1 or k0 > k1:
        return whole
    labels = vtk_to_numpy(image.GetPointData().GetScalars())
    labels = labels.reshape(k1 - k0 + 1, j1 - j0 + 1, i1 - i0 + 1)
    whole[k0 : k1 + 1, j0 : j1 + 1, i0 : i1 + 1] = labels == segment_label(node, segment_id)
    return whole


def segment_label(node, segment_id):
    return node.GetSegmentation().GetSegment(segment_id).GetLabelValue()


def fill(node, segment_id, volume, voxels):
    """Make a segment exactly the voxels (k, j, i) of a bool array, through Slicer's own logic."""
    image = slicer.vtkOrientedImageData()
    image.SetDimensions(*voxels.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(voxels.astype(np.uint8).ravel(), deep=True))
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    image.SetGeometryFromImageToWorldMatrix(matrix)
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    logic.SetBinaryLabelmapToSegment(image, node, segment_id, logic.MODE_REPLACE)


def disk(shape, center, radius):
    """(H, W) bool."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    return (x - center[0]) ** 2 + (y - center[1]) ** 2 <= radius**2


def dice(a, b):
    return 2 * np.sum(a & b) / (np.sum(a) + np.sum(b))


def ball(shape, center, radius):
    """(k, j, i) bool; center (k, j, i)."""
    away = [(axis - middle) ** 2 for axis, middle in zip(np.ogrid[tuple(map(slice, shape))], center)]
    return sum(away) <= radius**2
