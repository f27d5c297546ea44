"""Random geometries of volumes and slices for the proofs of the slice plane."""

import numpy as np
from hypothesis import strategies as st

from SAMUNetSlicerLib.app.files import startScene
from scene.segmentation_scene import add_volume, matrix_to_array, put_under_transform, rotation, vtk_matrix

ANGLES = st.floats(-180, 180)


def unit(vector):
    return np.asarray(vector, float) / np.linalg.norm(vector)


@st.composite
def rotations(draw):
    """(4, 4) any rotation."""
    return (
        rotation(draw(ANGLES), (0, 0, 1))
        @ rotation(draw(ANGLES), (0, 1, 0))
        @ rotation(draw(ANGLES), (1, 0, 0))
    )


@st.composite
def matrices(draw):
    """(4, 4) IJK to RAS: any direction, left-handed ones too, anisotropic spacing, any origin."""
    spacing = [draw(st.floats(0.3, 5)) for _ in range(3)]
    mirror = np.diag([draw(st.sampled_from([1, -1])), 1, 1, 1])
    matrix = draw(rotations()) @ mirror @ np.diag([*spacing, 1])
    matrix[:3, 3] = [draw(st.floats(-300, 300)) for _ in range(3)]
    return matrix


@st.composite
def permuted_matrices(draw):
    """(4, 4) IJK to RAS whose voxel axes lie along R, A and S in any order and direction."""
    matrix = np.zeros((4, 4))
    for column, row in enumerate(draw(st.permutations(range(3)))):
        matrix[row, column] = draw(st.sampled_from([1, -1])) * draw(st.floats(0.3, 5))
    matrix[:, 3] = [draw(st.floats(-300, 300)) for _ in range(3)] + [1]
    return matrix


@st.composite
def parents(draw):
    """A parent transform (4, 4) that turns, moves, scales and (a little) shears, or None."""
    if draw(st.booleans()):
        return None
    matrix = draw(rotations()) @ np.diag([draw(st.floats(0.5, 2)) for _ in range(3)] + [1])
    matrix[0, 1] += draw(st.floats(-0.1, 0.1))
    matrix[:3, 3] = [draw(st.floats(-50, 50)) for _ in range(3)]
    return matrix


@st.composite
def directions(draw):
    """A unit vector (3,)."""
    vector = np.array([draw(st.floats(-1, 1)) for _ in range(3)])
    return unit(vector if np.linalg.norm(vector) > 0.1 else vector + np.array([0, 0, 1]))


class VolumeScene:
    """A scene with one volume, (K, J, I) voxels as given, in the world by ``ijk_to_ras``."""

    def __init__(self, matrix, parent=None, voxels=None):
        self.voxels = voxels if voxels is not None else _distinct((7, 6, 5))
        self.host = startScene()
        self.volume = add_volume(self.host.scene, ijk_to_ras=matrix, array=self.voxels)
        self.volume.CreateDefaultDisplayNodes()
        self.ijk_to_ras = matrix
        if parent is not None:
            put_under_transform(self.host.scene, self.volume, parent)
            self.ijk_to_ras = parent @ matrix

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.host.close()

    def ras(self, ijk):
        """World position (3,) of voxel indices (3,)."""
        return (self.ijk_to_ras @ [*ijk, 1])[:3]

    def ijk(self, points):
        """Voxel indices (n, 3) of world positions (n, 3)."""
        points = np.column_stack([np.reshape(points, (-1, 3)), np.ones(np.size(points) // 3)])
        return (points @ np.linalg.inv(self.ijk_to_ras).T)[:, :3]


def _distinct(shape):
    return np.arange(1, np.prod(shape) + 1, dtype=np.int16).reshape(shape)


def show_on_grid(view, plane, shift=0.0):
    """Zoom and pan a slice view so that each screen pixel is a pixel of the plane, ``shift`` mm beside it.

    Slicer puts screen pixel x, counted from the left, at (x - width / 2) pixels from the view's origin.
    """
    height, width = plane.shape
    size = plane.spacing
    corner = plane.pixelToRAS([[0, height - 1]])[0]
    right, up = unit(plane.planeToRAS[:3, 0]), -unit(plane.planeToRAS[:3, 1])
    matrix = np.eye(4)
    matrix[:3, 0], matrix[:3, 1], matrix[:3, 2] = right, up, plane.normal
    matrix[:3, 3] = corner + right * width * size[0] / 2 + up * height * size[1] / 2 + plane.normal * shift
    view.node.GetSliceToRAS().DeepCopy(vtk_matrix(matrix))
    view.node.UpdateMatrices()
    view.logic.ResizeSliceNode(width, height)
    view.node.SetFieldOfView(width * size[0], height * size[1], 1.0)
    np.testing.assert_allclose(
        (matrix_to_array(view.node.GetXYToRAS()) @ [0, 0, 0, 1])[:3], corner + plane.normal * shift, atol=1e-6
    )
