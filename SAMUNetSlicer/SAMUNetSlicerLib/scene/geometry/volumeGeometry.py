"""Locate the voxels of a volume in the patient, parent transforms included."""

import numpy as np
import slicer
import vtk

from ...errors import InputError

AXES = "IJK"


def matrixToArray(matrix) -> np.ndarray:
    """Copy a vtkMatrix4x4 to a (4, 4) float64 array."""
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])


def mapPoints(matrix: np.ndarray, points) -> np.ndarray:
    """Affine (4, 4) applied to points (n, 3) -> (n, 3)."""
    points = np.asarray(points, dtype=np.float64).reshape(-1, 3)
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def parentToWorld(node) -> np.ndarray:
    """Return (4, 4) of the node's parent transforms, identity if it has none.

    :raises InputError: one of them is not linear: a flat slice of the volume is not flat in the world.
    """
    transform = node.GetParentTransformNode()
    if transform is None:
        return np.eye(4)
    if not transform.IsTransformToWorldLinear():
        raise InputError(
            f"'{node.GetName()}' is under the non-linear transform '{transform.GetName()}': "
            "harden the transform or take the volume out of it before segmenting."
        )
    matrix = vtk.vtkMatrix4x4()
    slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(transform, None, matrix)
    return matrixToArray(matrix)


def ownIJKToRAS(volumeNode) -> np.ndarray:
    """Return (4, 4) from voxel indices to mm as the volume's own file says, parent transforms left out."""
    matrix = vtk.vtkMatrix4x4()
    volumeNode.GetIJKToRASMatrix(matrix)
    return matrixToArray(matrix)


def ijkToRAS(volumeNode) -> np.ndarray:
    """Return (4, 4) from voxel indices (i, j, k, 1), integers at voxel centers, to world RAS in mm.

    :raises InputError: a parent transform is not linear, or the matrix has NaN or cannot be inverted.
    """
    result = parentToWorld(volumeNode) @ ownIJKToRAS(volumeNode)
    if not np.isfinite(result).all() or np.linalg.matrix_rank(result[:3, :3]) < 3:
        raise InputError(
            f"The geometry of '{volumeNode.GetName()}' is damaged (its voxel axes do not span space): "
            "correct its spacing, directions and origin in the Volumes module."
        )
    return result


def dimensions(volumeNode) -> tuple:
    """Return the numbers of voxels (I, J, K).

    :raises InputError: there is no volume, or it holds no voxels.
    """
    image = volumeNode.GetImageData() if volumeNode is not None else None
    size = image.GetDimensions() if image is not None else (0, 0, 0)
    if min(size) < 1:
        name = f"'{volumeNode.GetName()}'" if volumeNode is not None else "The volume"
        raise InputError(f"{name} holds no image: choose another volume.")
    return tuple(size)


def voxelSpacing(volumeNode) -> np.ndarray:
    """Return (3,) mm between voxel centers along I, J, K in the world."""
    return np.linalg.norm(ijkToRAS(volumeNode)[:3, :3], axis=0)


def isRightHanded(volumeNode) -> bool:
    """Tell whether I, J, K turn as R, A, S do; mirrored scanners' exports and flipped files do not."""
    return bool(np.linalg.det(ijkToRAS(volumeNode)[:3, :3]) > 0)
