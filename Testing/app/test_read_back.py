"""Reading results back notices a file that does not hold what the other one holds."""

import numpy as np
import pytest
import SimpleITK as sitk

from SAMUNetSlicerLib.app.jobs import ReadBack
from SAMUNetSlicerLib.errors import InputError, OutputError
from SAMUNetSlicerLib.scene.export import exportLabelmap, exportSegNrrd


@pytest.fixture
def stem(desk, tmp_path):
    """Results of one click, without their endings."""
    desk.session.addSegment("Blob", (1.0, 0.5, 0.0))
    desk.click(12, 20)
    stem = tmp_path / "case"
    exportSegNrrd(desk.session.segmentationNode, f"{stem}.seg.nrrd")
    exportLabelmap(desk.session.segmentationNode, desk.volume, f"{stem}.nii.gz")
    return stem


def test_what_was_written_is_found_again(host, desk, stem):
    files = ReadBack(host, desk.volume, stem)
    assert files.requireSameVoxels() == desk.mask().sum()
    np.testing.assert_array_equal(files.mask("Blob", desk.session.plane), desk.mask())
    assert files.color("Blob") == (1.0, 0.5, 0.0)


def test_a_single_different_voxel_is_noticed(host, desk, stem):
    image = sitk.ReadImage(f"{stem}.nii.gz")
    image[0, 0, 0] = 1
    sitk.WriteImage(image, f"{stem}.nii.gz")
    with pytest.raises(OutputError, match="does not hold the segments"):
        ReadBack(host, desk.volume, stem).requireSameVoxels()


def test_a_missing_segmentation_is_one_sentence(host, desk, tmp_path):
    with pytest.raises(InputError, match="There is no file"):
        ReadBack(host, desk.volume, tmp_path / "absent")
