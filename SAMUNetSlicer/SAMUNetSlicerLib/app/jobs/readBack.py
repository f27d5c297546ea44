"""The written results of a case, loaded again into a scene of their own, to be compared."""

from pathlib import Path
from typing import Tuple

import numpy as np
import SimpleITK as sitk

from ...errors import OutputError
from ...scene.geometry.plane import SlicePlane
from ...scene.segments.labelVolume import labelVolume
from ...scene.segments.segmentWriter import SegmentWriter
from ..files.headlessScene import SceneHost
from ..files.segmentationLoading import readSegmentation


class ReadBack:
    """The segmentation of a ``.seg.nrrd`` file and the label map that was written beside it.

    :param stem: path of the results without their endings.
    :raises InputError: the segmentation cannot be read.
    """

    def __init__(self, host: SceneHost, volumeNode, stem: Path):
        self._volumeNode = volumeNode
        self._labelFile = stem.with_name(stem.name + ".nii.gz")
        self._writer = SegmentWriter(host.scene)
        self._node = readSegmentation(host, stem.with_name(stem.name + ".seg.nrrd"))

    def requireSameVoxels(self) -> int:
        """Compare both files voxel by voxel; return how many voxels belong to segments.

        :raises OutputError: they differ.
        """
        ids = list(self._node.GetSegmentation().GetSegmentIDs())
        expected = labelVolume(self._node, self._volumeNode, ids).labels
        found = sitk.GetArrayFromImage(sitk.ReadImage(str(self._labelFile)))
        if found.shape != expected.shape or (found != expected).any():
            raise OutputError(f"{self._labelFile} does not hold the segments of the .seg.nrrd beside it.")
        return int(np.count_nonzero(found))

    def mask(self, name: str, plane: SlicePlane) -> np.ndarray:
        """bool (H, W): the segment of that name on a slice."""
        return self._writer.readMask(self._node, self._idOf(name), plane)

    def color(self, name: str) -> Tuple[float, float, float]:
        """(r, g, b) in [0, 1] of the segment of that name."""
        return self._node.GetSegmentation().GetSegment(self._idOf(name)).GetColor()

    def _idOf(self, name: str) -> str:
        return self._node.GetSegmentation().GetSegmentIdBySegmentName(name)
