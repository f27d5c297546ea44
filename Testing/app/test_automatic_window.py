"""A CT is shown to the network in one window for all its slices; other volumes are scaled slice by slice."""

import numpy as np
import pytest
import slicer

from app.desk import SHAPE
from SAMUNetSlicerLib.app.session import resolveWindow
from SAMUNetSlicerLib.engine.windowing import AUTOMATIC, WindowSetting
from scene.segmentation_scene import add_volume


def volume_of(host, lowest, highest):
    voxels = np.random.default_rng(1).integers(0, 60, SHAPE).astype(np.int16)
    voxels[0, 0, :2] = lowest, highest
    return add_volume(host.scene, array=voxels)


def note_units(volume, code):
    units = slicer.vtkCodedEntry()
    units.SetValueSchemeMeaning(code, "UCUM", code)
    volume.SetVoxelValueUnits(units)


@pytest.mark.parametrize(
    "lowest, highest, mode",
    [
        (-1024, 1800, "preset:abdomen"),
        (-3024, 3071, "preset:abdomen"),
        (0, 1800, "slice"),
        (-47, 833, "slice"),
        (-1000, 90, "slice"),
        (-4096, 4095, "slice"),
    ],
)
def test_a_ct_is_told_by_its_least_and_greatest_value(host, lowest, highest, mode):
    assert resolveWindow(volume_of(host, lowest, highest), AUTOMATIC) == WindowSetting(mode)


@pytest.mark.parametrize(
    "code, lowest, mode", [("[hnsf'U]", -200, "preset:abdomen"), ("Bq/ml", -1024, "slice")]
)
def test_the_units_from_dicom_count_more_than_the_values(host, code, lowest, mode):
    volume = volume_of(host, lowest, 1800)
    note_units(volume, code)
    assert resolveWindow(volume, AUTOMATIC) == WindowSetting(mode)


def test_a_session_uses_the_same_gray_level_for_the_same_density_on_every_slice(desk):
    voxels = np.full(SHAPE, 40, np.int16)
    voxels[:, 0, 0], voxels[5, 0, 1], voxels[6, 0, 1] = -1000, 1500, 300
    desk.session.setVolume(add_volume(desk.scene, array=voxels))
    workspace = desk.session.workspace
    images = [
        workspace.images.image(desk.session.volumeNode, desk.plane(k), workspace.window()) for k in (4, 5, 6)
    ]
    assert len({image[20, 20] for image in images}) == 1


def test_what_the_user_chooses_is_used_for_a_ct_too(host):
    assert resolveWindow(volume_of(host, -1024, 1800), WindowSetting("slice")) == WindowSetting("slice")
