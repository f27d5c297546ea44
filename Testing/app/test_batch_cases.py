"""Which images a batch finds in files and folders, and what it calls them."""

import os

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from PIL import Image

from app.batch_runs import write_image
from app.test_volume_loading import SERIES, write_series
from SAMUNetSlicerLib.app.batch import findCases
from SAMUNetSlicerLib.app.files import readImage
from SAMUNetSlicerLib.errors import InputError


def names(*inputs, **options):
    return [case.name for case in findCases(inputs, **options)]


def test_every_format_is_found_in_every_sub_folder_under_its_path(tmp_path):
    for name in ("a.nii", "b.nii.gz", "c.nrrd", "d.mha", "p 1/CT ä.nrrd", "p 1/deep/MR.nii.gz"):
        write_image(tmp_path / name)
    for name in ("photo.png", "photo.jpg", "scan.tif"):
        Image.fromarray(np.zeros((5, 6), np.uint8)).save(tmp_path / name)
    (tmp_path / "notes.txt").touch()
    (tmp_path / ".hidden.nrrd").touch()
    assert names(tmp_path) == [
        *("a", "b", "c", "d", "p 1-CT ä", "p 1-deep-MR"),
        *("photo.jpg", "photo.png", "scan"),
    ]


def test_label_maps_results_and_prompts_are_no_images(tmp_path):
    for name in ("a.nrrd", "a_seg.nrrd", "a.seg.nrrd", "a-label.nrrd", "out/a/a.nii.gz", "labels/a.nrrd"):
        write_image(tmp_path / name)
    assert names(tmp_path, without=[tmp_path / "out", tmp_path / "labels"]) == ["a"]
    assert names(tmp_path / "a_seg.nrrd") == ["a_seg"]


def test_an_image_given_twice_is_one_case(tmp_path):
    image = write_image(tmp_path / "a.nrrd")
    assert names(tmp_path, image) == ["a"]


def test_images_that_would_have_one_name_are_told_apart_or_refused(tmp_path):
    write_image(tmp_path / "one" / "CT.nrrd")
    write_image(tmp_path / "two" / "CT.nii.gz")
    write_image(tmp_path / "three" / "CT.nrrd")
    assert names(tmp_path) == ["one-CT", "three-CT", "two-CT"]
    assert names(tmp_path / "one", tmp_path / "two") == ["CT.nii.gz", "CT.nrrd"]
    with pytest.raises(InputError, match="would both be the case"):
        names(tmp_path / "one", tmp_path / "three")


def test_links_keep_their_names_and_circles_are_left(tmp_path):
    image = write_image(tmp_path / "store" / "blob.nrrd")
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "CT.nrrd").symlink_to(image)
    (tmp_path / "in" / "deep" / "back").symlink_to(tmp_path / "in")
    assert names(tmp_path / "in") == names(tmp_path / "in" / "CT.nrrd") == ["CT"]


def test_a_single_dicom_file_is_called_without_its_ending(tmp_path):
    folder = write_series(tmp_path / "one", [(0, 0, 0), (0, 0, 2)])
    assert names(*folder.iterdir()) == ["7-1", "7-2"]


def test_nothing_to_do_is_said(tmp_path):
    with pytest.raises(InputError, match="no images in"):
        names(tmp_path)
    with pytest.raises(InputError, match="no file or folder"):
        names(tmp_path / "absent")


def test_names_are_fit_for_files_on_every_system(tmp_path):
    write_image(tmp_path / 'a:b "c".nrrd')
    write_image(tmp_path / f"{'ü' * 100}.nrrd")
    first, second = names(tmp_path)
    assert first == "a_b _c_" and len(second.encode()) <= 150


def test_names_that_windows_keeps_for_its_devices_are_not_used(tmp_path):
    for name in ("CON.nrrd", "com1.nii.gz", "nul/CT.nrrd"):
        write_image(tmp_path / name)
    assert names(tmp_path) == ["_CON", "_com1", "nul-CT"]


def test_long_names_that_differ_at_their_end_stay_apart(tmp_path):
    for number in range(2):
        write_image(tmp_path / f"{'x' * 130}{number}.nrrd")
    assert len(set(names(tmp_path))) == 2


@pytest.mark.skipif(os.name == "nt", reason="names there are text, not bytes")
def test_a_name_that_is_not_utf8_is_a_case_too(tmp_path):
    write_image(tmp_path / "good.nrrd")
    os.rename(os.fsencode(tmp_path / "good.nrrd"), os.fsencode(tmp_path) + b"/L\xe4sion.nrrd")
    write_image(tmp_path / "good.nrrd")
    bad, good = findCases([tmp_path])
    assert (bad.name, good.name) == ("L_sion", "good")


def test_each_series_of_a_folder_is_a_case_with_its_own_geometry(tmp_path):
    (tmp_path / "study").mkdir()
    folder = write_series(tmp_path / "study" / "patient 1", [(0, 0, 2.5 * n) for n in range(4)])
    write_series(folder, [(10, 20, 5 * n) for n in range(3)], uid=SERIES + ".9", description="Thorax")
    write_series(tmp_path / "study" / "patient 2", [(0, 0, n) for n in range(2)])
    cases = findCases([tmp_path / "study"])
    assert [case.name for case in cases] == [
        f"patient 1-{SERIES}",
        f"patient 1-{SERIES}.9",
        "patient 2",
    ]
    images = [readImage(case.path, case.seriesUID) for case in cases]
    assert [image.GetSize()[2] for image in images] == [4, 3, 2]
    assert [image.GetSpacing()[2] for image in images] == [2.5, 5, 1]
    assert images[1].GetOrigin() == (10, 20, 0)


def test_series_are_called_by_their_numbers_where_these_tell_them_apart(tmp_path):
    folder = tmp_path / "study"
    for number in (2, 11):
        write_series(folder, [(0, 0, n) for n in range(2)], uid=f"{SERIES}.{number}")
        for file in folder.glob(f"{number}-*.dcm"):
            _set_tag(file, "0020|0011", str(number))
    assert names(folder) == ["study-11", "study-2"]


def _set_tag(file, tag, value):
    image = sitk.ReadImage(str(file))
    image.SetMetaData(tag, value)
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    writer.SetFileName(str(file))
    writer.Execute(image)


def test_the_rescale_of_every_slice_is_applied_by_itself(tmp_path):
    """PET series have a slope for each slice; the first one's type must not round the others."""
    folder = write_series(tmp_path / "PT", [(0, 0, n) for n in range(3)])
    expected = []
    for slope, file in zip((1, 0.5, 0.25), sorted(folder.iterdir(), reverse=True)):
        dataset = pydicom.dcmread(file)
        expected.append(dataset.pixel_array * slope)
        dataset.Modality, dataset.RescaleSlope, dataset.RescaleIntercept = "PT", slope, 0
        dataset.save_as(file)
    np.testing.assert_allclose(sitk.GetArrayFromImage(readImage(folder)), expected)
