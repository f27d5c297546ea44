"""Volumes of every format land in the scene with exactly the voxels and the place of their file."""

import os

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from SAMUNetSlicerLib.app.files import loadVolume, startScene
from SAMUNetSlicerLib.errors import InputError
from SAMUNetSlicerLib.scene.geometry import ijkToRAS, isRightHanded, voxelArray

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
COMPRESSIBLE = ["nii.gz", "nrrd", "mha", "mhd", "nhdr"]
SERIES = "1.2.826.0.1.3680043.2.1125.7"


@pytest.fixture(scope="module")
def host():
    with startScene() as host:
        yield host


def oblique_image(dtype=np.int16):
    voxels = np.random.default_rng(7).integers(0, 200, (6, 7, 8)).astype(dtype)
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing((0.7, 0.9, 2.5))
    image.SetOrigin((-31.5, 12.25, 77.0))
    turn = sitk.Euler3DTransform((0, 0, 0), 0.3, -0.2, 0.5)
    image.SetDirection(turn.GetMatrix())
    return image


def lps_matrix(image):
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    matrix[:3, 3] = image.GetOrigin()
    return matrix


def message_of(host, path, **options):
    with pytest.raises(InputError) as caught:
        loadVolume(host, path, **options)
    message = str(caught.value)
    assert "\n" not in message and message.endswith(".")
    return message


def write_series(folder, positions, uid=SERIES, description="Abdomen", size=8):
    """A CT series of one-slice files at the given positions (LPS mm); file n holds 100 n + column."""
    folder.mkdir(exist_ok=True)
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    for number, position in enumerate(positions):
        voxels = np.tile(np.arange(size, dtype=np.int16), (size, 1)) + 100 * number
        image = sitk.GetImageFromArray(voxels[None])
        image.SetSpacing((0.5, 0.75, 2.0))
        for tag, value in {
            "0008|0060": "CT",
            "0008|103e": description,
            "0020|000e": uid,
            "0020|000d": SERIES + ".1",
            "0008|0018": f"{uid}.{number + 1}",
            "0020|0013": str(number + 1),
            "0020|0037": "1\\0\\0\\0\\1\\0",
            "0020|0032": "\\".join(f"{v:g}" for v in position),
        }.items():
            image.SetMetaData(tag, value)
        writer.SetFileName(str(folder / f"{uid.rsplit('.', 1)[1]}-{len(positions) - number}.dcm"))
        writer.Execute(image)
    return folder


@pytest.mark.parametrize("suffix", [*COMPRESSIBLE, "nii"])
def test_an_oblique_anisotropic_volume_keeps_its_voxels_and_its_place(host, tmp_path, suffix):
    image = oblique_image()
    path = tmp_path / f"Bäuche & mehr 腹部.{suffix}"
    sitk.WriteImage(image, str(path), suffix in COMPRESSIBLE)
    node = loadVolume(host, path)
    assert node.GetName() == "Bäuche & mehr 腹部"
    np.testing.assert_array_equal(voxelArray(node), sitk.GetArrayViewFromImage(image))
    np.testing.assert_allclose(ijkToRAS(node), LPS_TO_RAS @ lps_matrix(sitk.ReadImage(str(path))), atol=1e-12)
    np.testing.assert_allclose(ijkToRAS(node), LPS_TO_RAS @ lps_matrix(image), atol=1e-4)


@settings(deadline=None, max_examples=25)
@given(
    angles=st.tuples(*[st.floats(-3, 3)] * 3),
    spacing=st.tuples(*[st.floats(0.1, 8)] * 3),
    origin=st.tuples(*[st.floats(-500, 500)] * 3),
    mirrored=st.booleans(),
)
def test_nifti_geometry_is_the_one_that_nibabel_reads(tmp_path_factory, angles, spacing, origin, mirrored):
    turn = np.array(sitk.Euler3DTransform((0, 0, 0), *angles).GetMatrix()).reshape(3, 3)
    affine = np.eye(4)
    affine[:3, :3] = turn * spacing * np.array([-1 if mirrored else 1, 1, 1])
    affine[:3, 3] = origin
    path = tmp_path_factory.mktemp("nifti") / "volume.nii"
    nibabel.save(nibabel.Nifti1Image(np.zeros((3, 4, 5), np.int16), affine), path)
    with startScene() as host:
        node = loadVolume(host, path)
        np.testing.assert_allclose(ijkToRAS(node), nibabel.load(path).affine, atol=2e-4)
        assert isRightHanded(node) != mirrored


def test_a_negative_spacing_becomes_a_flipped_direction_with_every_voxel_in_place(host, tmp_path):
    header = (
        "NRRD0004\ntype: uchar\ndimension: 3\nspace: right-anterior-superior\nsizes: 2 2 2\n"
        "space directions: (-1,0,0) (0,2,0) (0,0,-3)\nencoding: raw\nspace origin: (5,6,7)\n\n"
    )
    path = tmp_path / "flipped.nrrd"
    path.write_bytes(header.encode() + bytes(range(8)))
    node = loadVolume(host, path)
    expected = [[-1, 0, 0, 5], [0, 2, 0, 6], [0, 0, -3, 7], [0, 0, 0, 1]]
    np.testing.assert_allclose(ijkToRAS(node), expected, atol=1e-12)
    assert min(node.GetSpacing()) > 0
    np.testing.assert_array_equal(voxelArray(node).ravel(), range(8))


@pytest.mark.parametrize(
    "dtype", [np.uint8, np.int8, np.uint16, np.int32, np.uint32, np.int64, np.float32, np.float64]
)
def test_every_voxel_type_is_kept(host, tmp_path, dtype):
    path = tmp_path / "volume.nrrd"
    sitk.WriteImage(oblique_image(dtype), str(path))
    voxels = voxelArray(loadVolume(host, path))
    assert voxels.dtype == dtype
    np.testing.assert_array_equal(voxels, sitk.GetArrayFromImage(oblique_image(dtype)))


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "bmp"])
def test_a_color_picture_becomes_one_axial_slice_seen_upright(host, tmp_path, suffix):
    pixels = np.zeros((20, 30, 3), np.uint8)
    pixels[:10, :, 0] = 255
    path = tmp_path / f"photo.{suffix}"
    Image.fromarray(pixels).save(path, quality=100, subsampling=0) if suffix == "jpg" else Image.fromarray(
        pixels
    ).save(path)
    node = loadVolume(host, path)
    assert node.GetClassName() == "vtkMRMLVectorVolumeNode"
    np.testing.assert_allclose(voxelArray(node)[0], pixels, atol=3)
    np.testing.assert_allclose(
        ijkToRAS(node)[:3, :3] / np.abs(ijkToRAS(node)[:3, :3]).max(0), np.diag([-1, -1, 1])
    )


def test_the_alpha_of_a_picture_is_left_out(host, tmp_path):
    path = tmp_path / "alpha.png"
    Image.fromarray(np.full((4, 5, 4), 9, np.uint8)).save(path)
    assert voxelArray(loadVolume(host, path)).shape == (1, 4, 5, 3)


def test_a_volume_file_has_a_display_window_that_spans_its_contents(host, tmp_path):
    path = tmp_path / "ramp.nrrd"
    sitk.WriteImage(sitk.GetImageFromArray(np.arange(1000, dtype=np.int16).reshape(10, 10, 10)), str(path))
    display = loadVolume(host, path, name="Ramp").GetDisplayNode()
    assert display.GetWindowLevelMin() < 100 and display.GetWindowLevelMax() > 900


def test_a_dicom_series_is_stacked_by_position_not_by_file_name(host, tmp_path):
    folder = write_series(tmp_path / "DICOM Serie ä", [(10, 20, 30 + 2.5 * n) for n in range(4)])
    node = loadVolume(host, folder)
    np.testing.assert_array_equal(voxelArray(node)[:, 0, 0], [0, 100, 200, 300])
    expected = [[-0.5, 0, 0, -10], [0, -0.75, 0, -20], [0, 0, 2.5, 30], [0, 0, 0, 1]]
    np.testing.assert_allclose(ijkToRAS(node), expected, atol=1e-9)
    assert node.GetName() == "DICOM Serie ä"


def test_a_single_dicom_file_is_one_slice_in_its_place(host, tmp_path):
    folder = write_series(tmp_path / "one", [(10, 20, 30)])
    for path in (folder, *folder.iterdir()):
        np.testing.assert_allclose(ijkToRAS(loadVolume(host, path))[:3, 3], [-10, -20, 30], atol=1e-9)


def test_a_folder_with_several_series_lists_them_and_takes_the_chosen_one(host, tmp_path):
    folder = write_series(tmp_path / "study", [(0, 0, n) for n in range(3)])
    write_series(folder, [(0, 0, 5 * n) for n in range(2)], uid=SERIES + ".9", description="Thorax")
    message = message_of(host, folder)
    assert f"{SERIES} (CT, Abdomen, 3 images)" in message and f"{SERIES}.9 (CT, Thorax, 2 images)" in message
    assert "seriesUID" in message
    assert loadVolume(host, folder, seriesUID=SERIES + ".9").GetSpacing()[2] == pytest.approx(5)
    assert "has no series '1.2'" in message_of(host, folder, seriesUID="1.2")


@pytest.mark.parametrize(
    ("positions", "reason"),
    [
        ([(0, 0, 0), (0, 0, 2), (0, 0, 4), (0, 0, 8)], "4.00 mm instead of 2.00 mm after image 3"),
        ([(0, 0, 0), (0, 0, 2), (0, 0, 2), (0, 0, 4)], "several images at one position"),
        ([(0, n, 2 * n) for n in range(5)], "tilted gantry"),
    ],
)
def test_a_series_that_does_not_stack_to_a_volume_is_refused(host, tmp_path, positions, reason):
    assert reason in message_of(host, write_series(tmp_path / "series", positions))


def test_a_missing_file_is_named(host, tmp_path):
    assert "There is no file or folder" in message_of(host, tmp_path / "no such.nrrd")


def test_a_folder_without_images_is_refused(host, tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    assert "contains no DICOM images" in message_of(host, tmp_path)


@pytest.mark.parametrize("name", ["volume.nrrd", "volume.nii.gz", "volume.mha", "picture.png", "slice.dcm"])
def test_an_empty_file_is_refused(host, tmp_path, name):
    (tmp_path / name).touch()
    assert "is empty (0 bytes)" in message_of(host, tmp_path / name)


@pytest.mark.parametrize(
    "name", ["volume.nrrd", "volume.nii.gz", "volume.nii", "volume.mha", "picture.png", "a"]
)
def test_a_file_that_is_no_image_is_refused(host, tmp_path, name):
    (tmp_path / name).write_bytes(b"this is not an image " * 50)
    assert "damaged" in message_of(host, tmp_path / name)


@pytest.mark.parametrize("kept", [0.5, 0.95])
@pytest.mark.parametrize("suffix", ["nii.gz", "nii", "nrrd", "mha"])
@pytest.mark.parametrize("compressed", [False, True])
def test_a_truncated_volume_is_refused_instead_of_filled_with_zeros(host, tmp_path, suffix, compressed, kept):
    path = tmp_path / f"volume.{suffix}"
    sitk.WriteImage(sitk.GetImageFromArray(_noise((20, 64, 64))), str(path), compressed)
    path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
    assert "damaged" in message_of(host, path)


@pytest.mark.parametrize("compressed", [False, True])
def test_a_truncated_data_file_beside_its_header_is_refused(host, tmp_path, compressed):
    for suffix in ("mhd", "nhdr"):
        path = tmp_path / f"volume.{suffix}"
        sitk.WriteImage(sitk.GetImageFromArray(_noise((20, 64, 64))), str(path), compressed)
        data = next(p for p in tmp_path.iterdir() if p.suffix in {".raw", ".zraw", ".gz"})
        data.write_bytes(data.read_bytes()[: data.stat().st_size // 2])
        assert "damaged" in message_of(host, path)
        data.unlink()
        message_of(host, path)


@pytest.mark.parametrize("suffix", ["nii.gz", "nrrd", "mha"])
def test_a_flipped_bit_in_compressed_voxels_is_noticed(host, tmp_path, suffix):
    path = tmp_path / f"volume.{suffix}"
    sitk.WriteImage(sitk.GetImageFromArray(_noise((20, 64, 64))), str(path), True)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)
    assert "damaged" in message_of(host, path)


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "tif", "dcm"])
def test_a_truncated_picture_is_refused(host, tmp_path, suffix):
    path = tmp_path / f"picture.{suffix}"
    sitk.WriteImage(sitk.GetImageFromArray(_noise((64, 64)).astype(np.uint8)), str(path))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "damaged" in message_of(host, path)


def test_a_truncated_stack_of_tiff_pages_is_refused(host, tmp_path):
    path = tmp_path / "stack.tif"
    sitk.WriteImage(sitk.GetImageFromArray(_noise((20, 64, 64))), str(path))
    assert loadVolume(host, path).GetImageData().GetDimensions() == (64, 64, 20)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "damaged" in message_of(host, path)


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("kept", [0, 0.5, 0.98])
def test_a_truncated_slice_of_a_series_is_refused(host, tmp_path, number, kept):
    folder = write_series(tmp_path / "series", [(0, 0, n) for n in range(3)], size=64)
    file = sorted(folder.iterdir())[number]
    file.write_bytes(file.read_bytes()[: int(kept * file.stat().st_size)])
    assert str(file) in message_of(host, folder)


def test_a_time_series_is_refused_and_a_single_frame_is_not(host, tmp_path):
    for frames, path in ((6, tmp_path / "six.nii"), (1, tmp_path / "one.nii")):
        nibabel.save(nibabel.Nifti1Image(np.zeros((3, 4, 5, frames), np.float32), np.eye(4)), path)
    assert "6 volumes over time" in message_of(host, tmp_path / "six.nii")
    assert loadVolume(host, tmp_path / "one.nii").GetImageData().GetDimensions() == (3, 4, 5)


@pytest.mark.parametrize("dtype", [np.complex64, "field"])
def test_values_that_are_neither_gray_nor_color_are_refused(host, tmp_path, dtype):
    voxels = np.zeros((4, 4, 4), dtype) if dtype != "field" else np.zeros((4, 4, 4, 3), np.float32)
    path = tmp_path / "field.nrrd" if dtype == "field" else tmp_path / "complex.nii"
    sitk.WriteImage(sitk.GetImageFromArray(voxels, isVector=dtype == "field"), str(path))
    assert "no color" in message_of(host, path)


def test_a_position_that_is_not_a_number_is_refused(host, tmp_path):
    affine = np.eye(4)
    affine[0, 3] = np.nan
    image = nibabel.Nifti1Image(np.zeros((3, 4, 5), np.int16), None)
    image.header.set_sform(affine, 1)
    nibabel.save(image, tmp_path / "nan.nii")
    assert "NaN" in message_of(host, tmp_path / "nan.nii")
    text = (
        "NDims = 3\nDimSize = 2 2 2\nOffset = nan 0 0\nElementSpacing = 1 1 1\n"
        "ElementType = MET_UCHAR\nElementDataFile = LOCAL\n"
    )
    (tmp_path / "nan.mha").write_bytes(text.encode() + bytes(8))
    message_of(host, tmp_path / "nan.mha")


def test_sheared_voxel_axes_in_nifti_are_refused(host, tmp_path):
    affine = np.array([[1, 0.5, 0, 0], [0, 2, 0, 0], [0, 0, 3, 0], [0, 0, 0, 1.0]])
    image = nibabel.Nifti1Image(np.zeros((3, 4, 5), np.int16), None)
    image.header.set_sform(affine, 1)
    nibabel.save(image, tmp_path / "sheared.nii")
    assert "sheared" in message_of(host, tmp_path / "sheared.nii")


@pytest.mark.skipif(not hasattr(os, "seteuid") or os.geteuid() != 0, reason="needs root to give up rights")
def test_a_file_without_read_permission_is_refused_when_run_as_root(host, tmp_path):
    path = _unreadable(tmp_path)
    os.seteuid(65534)
    try:
        assert "may not be read" in message_of(host, path)
    finally:
        os.seteuid(0)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_read_permission_is_refused(host, tmp_path):
    assert "may not be read" in message_of(host, _unreadable(tmp_path))


def test_a_refused_file_leaves_the_scene_as_it_was(host, tmp_path):
    before = host.scene.GetNumberOfNodes()
    (tmp_path / "broken.nrrd").write_bytes(b"NRRD0004\n")
    message_of(host, tmp_path / "broken.nrrd")
    assert host.scene.GetNumberOfNodes() == before


def test_nothing_is_written_to_the_terminal(host, tmp_path, capfd):
    path = tmp_path / "volume.nii.gz"
    sitk.WriteImage(oblique_image(), str(path))
    loadVolume(host, path)
    (tmp_path / "picture.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(100))
    message_of(host, tmp_path / "picture.jpg")
    assert capfd.readouterr() == ("", "")


def _noise(shape):
    return np.random.default_rng(3).integers(0, 256, shape).astype(np.int16)


def _unreadable(folder):
    path = folder / "secret.nrrd"
    sitk.WriteImage(oblique_image(), str(path))
    path.chmod(0)
    return path
