"""Volumes whose headers or pixels are wrong: refused with a sentence that names the file, never guessed."""

import gzip
import struct
import tracemalloc

import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from app.dicom_series import write_enhanced, write_series
from SAMUNetSlicerLib.app.files import readImage
from SAMUNetSlicerLib.errors import InputError

VOXELS = np.random.default_rng(1).integers(0, 900, (5, 12, 16)).astype(np.int16)
_AS_TEXT = {
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "RescaleSlope",
    "SliceThickness",
}


def refusal(path):
    """The sentence with which a file or folder is refused."""
    with pytest.raises(InputError) as caught:
        readImage(path)
    sentence = str(caught.value)
    assert "\n" not in sentence and sentence.endswith(".")
    return sentence


def change(path, **values):
    """Give elements of a DICOM file other values; text may be what its type does not allow, None removes."""
    dataset = pydicom.dcmread(path)
    for name, value in values.items():
        if value is None:
            delattr(dataset, name)
        elif isinstance(value, str) and name in _AS_TEXT:
            raw = value.encode() + b" " * (len(value) % 2)
            tag = pydicom.tag.Tag(name)
            dataset[tag] = pydicom.dataelem.RawDataElement(tag, "DS", len(raw), raw, 0, False, True)
        else:
            setattr(dataset, name, value)
    dataset.save_as(path, enforce_file_format=True)


DISAGREEING = {
    "columns": {"Columns": 12, "Rows": 16},
    "stored bits": {"BitsStored": 12, "HighBit": 11},
    "sign": {"PixelRepresentation": 0},
    "spacing": {"PixelSpacing": "0.9\\0.8"},
    "slope": {"RescaleSlope": "2"},
    "no position": {"ImagePositionPatient": None},
    "no orientation": {"ImageOrientationPatient": None},
    "no spacing": {"PixelSpacing": None},
}
DAMAGED = {
    "few pixels": {"PixelData": bytes(2 * 12 * 8)},
    "no pixels": {"PixelData": None},
    "position nan": {"ImagePositionPatient": "-20\\-30\\nan"},
    "position inf": {"ImagePositionPatient": "-20\\-30\\inf"},
    "position of 2": {"ImagePositionPatient": "-20\\-30"},
    "position of text": {"ImagePositionPatient": "a\\b\\c"},
    "position empty": {"ImagePositionPatient": ""},
    "orientation nan": {"ImageOrientationPatient": "1\\0\\0\\0\\nan\\0"},
    "orientation of 5": {"ImageOrientationPatient": "1\\0\\0\\0\\1"},
    "orientation of text": {"ImageOrientationPatient": "a\\0\\0\\0\\1\\0"},
    "orientation of zeros": {"ImageOrientationPatient": "0\\0\\0\\0\\0\\0"},
    "orientation sheared": {"ImageOrientationPatient": "1\\0\\0\\0.6\\0.8\\0"},
    "spacing zero": {"PixelSpacing": "0\\0.8"},
    "spacing negative": {"PixelSpacing": "-0.7\\0.8"},
    "spacing of text": {"PixelSpacing": "wide\\0.8"},
    "spacing nan": {"PixelSpacing": "nan\\0.8"},
    "spacing of 1": {"PixelSpacing": "0.7"},
    "slope of text": {"RescaleSlope": "steep"},
    "slope nan": {"RescaleSlope": "nan"},
    "slope zero": {"RescaleSlope": "0"},
    "three samples": {"SamplesPerPixel": 3, "PlanarConfiguration": 0, "PixelData": VOXELS[:3].tobytes()},
    "more bits stored": {"BitsStored": 17},
}


@pytest.mark.parametrize("values", [*DISAGREEING.values(), *DAMAGED.values()], ids=[*DISAGREEING, *DAMAGED])
@pytest.mark.parametrize("slices", [(2,), (0,)])
def test_a_series_is_refused_for_the_one_image_that_does_not_fit(tmp_path, values, slices):
    paths = write_series(tmp_path / "series", VOXELS)
    for k in slices:
        change(paths[k], **values)
    assert str(paths[slices[0]]) in refusal(tmp_path / "series")


@pytest.mark.parametrize("values", DAMAGED.values(), ids=DAMAGED)
def test_a_series_whose_images_are_all_damaged_alike_is_refused(tmp_path, values):
    paths = write_series(tmp_path / "series", VOXELS)
    for path in paths:
        change(path, **values)
    assert str(tmp_path / "series") in refusal(tmp_path / "series")


@pytest.mark.parametrize("name", [name for name in DAMAGED if name != "position empty"])
def test_a_single_damaged_image_is_refused(tmp_path, name):
    path = write_series(tmp_path / "series", VOXELS[:1])[0]
    change(path, **DAMAGED[name])
    assert str(path) in refusal(path)


def test_an_element_that_claims_more_bytes_than_there_are_is_refused_before_room_is_made(tmp_path):
    path = write_series(tmp_path / "series", VOXELS)[1]
    content = path.read_bytes()
    at = content.index(b"\x08\x00\x60\x00CS")  # the modality
    path.write_bytes(content[:at] + b"\x09\x00\x01\x10OB\0\0\xf0\xff\xff\xff" + content[at:])
    assert str(path) in refusal(tmp_path / "series")


def test_slices_of_pet_may_each_have_a_scale_of_their_own(tmp_path):
    paths = write_series(tmp_path / "series", VOXELS)
    for k, path in enumerate(paths):
        change(path, Modality="PT", RescaleSlope=f"{1 + 0.5 * k}")
    expected = VOXELS * (1 + 0.5 * np.arange(5))[:, None, None]
    np.testing.assert_allclose(sitk.GetArrayFromImage(readImage(tmp_path / "series")), expected)


def test_a_deflated_file_of_few_bytes_that_stand_for_very_many_is_refused(tmp_path):
    path = write_series(tmp_path / "series", VOXELS[:1])[0]
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(readImage(path)), VOXELS[:1])
    path.write_bytes(path.read_bytes()[:-20])
    assert str(path) in refusal(path)


def change_frames(path, group, *frames, **values):
    """Give elements of some frames' functional group other values."""
    dataset = pydicom.dcmread(path)
    shared = dataset.SharedFunctionalGroupsSequence[0]
    for frame in frames:
        place = dataset.PerFrameFunctionalGroupsSequence[frame] if group not in shared else shared
        item = place[group].value[0]
        for name, value in values.items():
            raw = value.encode() + b" " * (len(value) % 2)
            tag = pydicom.tag.Tag(name)
            item[tag] = pydicom.dataelem.RawDataElement(tag, "DS", len(raw), raw, 0, False, True)
    dataset.save_as(path, enforce_file_format=True)


@pytest.mark.parametrize(
    ("group", "values"),
    [
        ("PlanePositionSequence", {"ImagePositionPatient": "-20\\-30\\nan"}),
        ("PlanePositionSequence", {"ImagePositionPatient": "-20\\-30"}),
        ("PlanePositionSequence", {"ImagePositionPatient": "-20\\-30\\47"}),
        ("PlaneOrientationSequence", {"ImageOrientationPatient": "1\\0\\0\\0\\nan\\0"}),
        ("PixelMeasuresSequence", {"PixelSpacing": "0\\0.8"}),
        ("PixelValueTransformationSequence", {"RescaleSlope": "nan"}),
    ],
)
def test_a_stack_of_frames_that_lie_nowhere_is_refused(tmp_path, group, values):
    path = tmp_path / "enhanced.dcm"
    write_enhanced(path, VOXELS)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(readImage(path)), VOXELS)
    change_frames(path, group, 2, **values)
    assert str(path) in refusal(path)


def nifti(path, offset, kind, value):
    """A NIfTI file with another value in its header."""
    nibabel.save(nibabel.Nifti1Image(VOXELS.T, np.diag([0.7, 0.8, 2.5, 1])), path)
    content = bytearray(path.read_bytes())
    struct.pack_into("<" + kind, content, offset, value)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("value", [float("nan"), 0.0, float("inf"), -1.0])
@pytest.mark.parametrize("axis", [1, 2, 3])
def test_a_nifti_spacing_that_is_none_is_refused(tmp_path, axis, value):
    assert "damaged" in refusal(nifti(tmp_path / "volume.nii", 76 + 4 * axis, "f", value))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), -352.0, 1e30])
def test_a_nifti_offset_of_the_voxels_that_is_none_is_refused(tmp_path, value):
    assert "damaged" in refusal(nifti(tmp_path / "volume.nii", 108, "f", value))


@pytest.mark.parametrize(
    ("offset", "kind", "value"),
    [(0, "i", 349), (40, "h", 0), (40, "h", 8), (42, "h", -1), (70, "h", 77), (112, "f", float("inf"))],
)
def test_other_nifti_headers_that_make_no_sense_are_refused(tmp_path, offset, kind, value):
    assert "damaged" in refusal(nifti(tmp_path / "volume.nii", offset, kind, value))


def test_a_nifti_without_a_scale_is_read_as_it_is_stored(tmp_path):
    path = nifti(tmp_path / "volume.nii", 112, "f", float("nan"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(readImage(path)), VOXELS)


LPS = "space: left-posterior-superior"


def nrrd(path, *lines):
    """A NRRD file of 2 x 2 x 2 voxels with these lines in its header; a line replaces the one of its name."""
    fields = {"type": "uchar", "dimension": "3", "sizes": "2 2 2", "encoding": "raw"}
    fields.update(line.split(": ") for line in lines)
    text = "\n".join(["NRRD0004", *(f"{name}: {value}" for name, value in fields.items()), "", ""])
    path.write_bytes(text.encode() + bytes(8))
    return path


@pytest.mark.parametrize(
    "lines",
    [
        ["spacings: 1 nan 1"],
        ["spacings: 1 0 1"],
        ["spacings: 1 1"],
        ["spacings: 1 wide 1"],
        [LPS, "space directions: (1,0,0) (0,nan,0) (0,0,1)"],
        [LPS, "space directions: (1,0,0) (0,0,0) (0,0,1)"],
        [LPS, "space directions: (1,0,0) (0,inf,0) (0,0,1)"],
        [
            "space: left-posterior-superior",
            "space directions: (1,0,0) (0,1,0) (0,0,1)",
            "space origin: (0,0,nan)",
        ],
        ["sizes: 2 2 -2"],
        ["sizes: 2 2"],
        ["dimension: three"],
        ["type: quad"],
        ["byte skip: many"],
    ],
)
def test_a_nrrd_header_that_makes_no_sense_is_refused(tmp_path, lines):
    readImage(nrrd(tmp_path / "sound.nrrd"))
    assert "damaged" in refusal(nrrd(tmp_path / "volume.nrrd", *lines))


@pytest.mark.parametrize(
    "line",
    [
        "ElementSpacing = 1 nan 1",
        "ElementSpacing = 1 0 1",
        "ElementSpacing = 1 -1 1",
        "ElementSpacing = 1 wide 1",
        "Offset = 0 0 inf",
        "TransformMatrix = 1 0 0 0 nan 0 0 0 1",
        "TransformMatrix = 1 0 0 0 1 0",
        "CompressedData = perhaps",
        "ElementNumberOfChannels = 0",
    ],
)
def test_a_metaimage_header_that_makes_no_sense_is_refused(tmp_path, line):
    for name, lines in (("sound", []), ("volume", [line])):
        head = ["ObjectType = Image", "NDims = 3", "DimSize = 2 2 2", "ElementType = MET_UCHAR", *lines]
        text = "\n".join([*head, "ElementDataFile = LOCAL", ""])
        (tmp_path / f"{name}.mha").write_bytes(text.encode() + bytes(8))
    readImage(tmp_path / "sound.mha")
    assert "damaged" in refusal(tmp_path / "volume.mha")


@pytest.mark.parametrize("suffix", ["nrrd", "mha"])
def test_sheared_voxel_axes_are_refused_before_anything_is_computed(tmp_path, suffix):
    if suffix == "nrrd":
        space = [LPS, "space directions: (1,0,0) (0.5,1,0) (0,0,1)"]
        path = nrrd(tmp_path / "sheared.nrrd", *space)
    else:
        path = tmp_path / "sheared.mha"
        head = "NDims = 3\nDimSize = 2 2 2\nElementType = MET_UCHAR\nTransformMatrix = 1 0 0 0.5 1 0 0 0 1\n"
        path.write_bytes(f"{head}ElementDataFile = LOCAL\n".encode() + bytes(8))
    assert "sheared" in refusal(path)


def test_compressed_voxels_that_stand_for_very_many_are_refused_without_inflating_them(tmp_path):
    for name in ("volume.nrrd", "volume.nii.gz"):
        path = tmp_path / name
        if name.endswith("nrrd"):
            nrrd(path, "encoding: gzip")
            path.write_bytes(path.read_bytes()[:-8] + gzip.compress(bytes(1 << 28)))
        else:
            nibabel.save(nibabel.Nifti1Image(VOXELS.T, np.eye(4)), path)
            path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()) + bytes(1 << 28)))
        tracemalloc.start()
        try:
            assert "damaged" in refusal(path)
            assert tracemalloc.get_traced_memory()[1] < 1 << 25
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize("content", ["NRRD", "HDF5", "MetaImage"])
def test_a_name_decides_how_a_file_is_read_so_that_no_other_reader_sees_it(tmp_path, content):
    """HDF5 files, which ITK reads under any name, can have their voxels in any other file."""
    path = tmp_path / "volume.dcm"
    if content == "HDF5":
        sitk.WriteImage(sitk.GetImageFromArray(VOXELS), str(tmp_path / "volume.h5"), imageIO="HDF5ImageIO")
        path.write_bytes((tmp_path / "volume.h5").read_bytes())
    elif content == "NRRD":
        nrrd(path)
    else:
        sitk.WriteImage(sitk.GetImageFromArray(VOXELS), str(tmp_path / "volume.mha"))
        path.write_bytes((tmp_path / "volume.mha").read_bytes())
    assert "damaged" in refusal(path)


def test_a_picture_is_read_by_what_it_holds(tmp_path):
    pixels = np.arange(300, dtype=np.uint8).reshape(10, 30)
    sitk.WriteImage(sitk.GetImageFromArray(pixels), str(tmp_path / "picture.png"))
    (tmp_path / "picture.png").rename(tmp_path / "picture.jpg")
    np.testing.assert_array_equal(sitk.GetArrayFromImage(readImage(tmp_path / "picture.jpg"))[0], pixels)


@pytest.mark.parametrize("case", ["cut", "nifti", "int64"])
def test_libraries_print_nothing_before_the_sentence(tmp_path, capfd, case):
    path = tmp_path / ("volume.mha" if case == "cut" else "volume.nii")
    if case == "cut":
        sitk.WriteImage(sitk.GetImageFromArray(VOXELS), str(path))
        path.write_bytes(path.read_bytes()[:200])
    elif case == "nifti":
        nifti(path, 344, "i", 0)
    else:
        sitk.WriteImage(sitk.GetImageFromArray(VOXELS.astype(np.int64)), str(path))
    try:
        readImage(path)
    except InputError:
        pass
    assert capfd.readouterr() == ("", "")
