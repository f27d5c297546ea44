"""A series with segments on it, and what a DICOM Segmentation of them holds."""

import highdicom
import numpy as np
import pydicom
import SimpleITK as sitk
from vtk.util.numpy_support import vtk_to_numpy

from app.dicom_series import write_series
from SAMUNetSlicerLib.app.files import exportDicomSegmentation, loadVolume
from SAMUNetSlicerLib.scene.segments import Code, Terminology, newSegment
from scene.segmentation_scene import fill

SHAPE = (8, 30, 34)
OBLIQUE = (0.8, 0.6, 0.0, -0.36, 0.48, -0.8)
LIVER = Terminology(
    Code("SCT", "123037004", "Anatomical Structure"),
    Code("SCT", "10200004", "Liver"),
    region=Code("SCT", "818981001", "Abdomen"),
)
LEFT_KIDNEY = Terminology(
    Code("SCT", "123037004", "Anatomical Structure"),
    Code("SCT", "64033007", "Kidney"),
    typeModifier=Code("SCT", "7771000", "Left"),
)


class Case:
    """A loaded series with two segments; ``masks`` in the order of the files' slices."""

    def __init__(self, host, folder, orientation=(1, 0, 0, 0, 1, 0)):
        voxels = np.random.default_rng(0).integers(0, 900, SHAPE, dtype=np.int16)
        self.host, self.folder = host, folder
        self.paths = write_series(folder, voxels, orientation)
        self.volume = loadVolume(host, folder)
        self.node = host.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Segmentation")
        self.node.SetReferenceImageGeometryParameterFromVolumeNode(self.volume)
        # Which way SimpleITK stacks the slices is its affair.
        stored = sitk.GetArrayFromImage(sitk.ReadImage(str(self.paths[0])))[0]
        self.first_is_last = not np.array_equal(stored, self._volume_slice(0))
        self.masks = {}

    def _volume_slice(self, k):
        return vtk_to_numpy(self.volume.GetImageData().GetPointData().GetScalars()).reshape(SHAPE)[k]

    def add(self, name, voxels, terminology=None):
        """:param voxels: (K, J, I) bool in the order of the files."""
        segment = newSegment(self.node, name, terminology=terminology)
        fill(self.node, segment, self.volume, voxels[::-1] if self.first_is_last else voxels)
        self.masks[segment] = voxels
        return segment

    def export(self, path, source=None, **options):
        ids = list(self.node.GetSegmentation().GetSegmentIDs())
        return exportDicomSegmentation(self.node, self.volume, source or self.folder, path, ids, **options)

    def stored(self, path, number):
        """The masks of a segment in the file, in the order of the series."""
        uids = [pydicom.dcmread(each, stop_before_pixels=True).SOPInstanceUID for each in self.paths]
        document = highdicom.seg.segread(path)
        options = {"segment_numbers": [number], "assert_missing_frames_are_empty": True}
        return document.get_pixels_by_source_instance(uids, **options)[..., 0] > 0
