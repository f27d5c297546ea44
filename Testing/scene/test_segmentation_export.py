"""Exported files hold exactly the segments, read back by libraries that did not write them."""

import csv
import shutil

import nibabel
import nrrd
import numpy as np
import pytest
import SimpleITK as sitk
import slicer
from hypothesis import given, settings
from hypothesis import strategies as st

from SAMUNetSlicerLib.app.files import startScene
from SAMUNetSlicerLib.errors import InputError, OutputError
from SAMUNetSlicerLib.scene.export import (
    exportLabelmap,
    exportMeasurements,
    exportSegNrrd,
    segmentationExport,
)
from SAMUNetSlicerLib.scene.geometry import planeFromAxis
from SAMUNetSlicerLib.scene.segments import Code, SegmentWriter, Terminology, newSegment, segmentTag
from scene.segmentation_scene import (
    CT,
    add_segmentation,
    add_volume,
    ball,
    fill,
    put_under_transform,
    rotation,
    voxels_of,
)
from scene.small_disk import mounted

SHAPE = (20, 24, 28)
OBLIQUE = rotation(25, (1, 2, 3)) @ CT
OBLIQUE[:3, 3] = (-120.5, 33.25, 812.125)

LABELMAPS = pytest.mark.parametrize("ending", [".nii.gz", ".nii", ".nrrd", ".mha"])


@pytest.fixture
def volume(scene):
    return add_volume(scene, SHAPE, OBLIQUE)


@pytest.fixture
def balls():
    return ball(SHAPE, (8, 10, 10), 5), ball(SHAPE, (12, 15, 18), 4)


@pytest.fixture
def segmentation(scene, volume, balls):
    """Segments A and B that touch nowhere."""
    node, a, b = add_segmentation(scene, ["A", "B"], volume)
    for segment, voxels in zip((a, b), balls):
        fill(node, segment, volume, voxels)
    return node


def ids_of(node):
    return node.GetSegmentation().GetSegmentIDs()


def ras_affine(image):
    """(4, 4) IJK to RAS of a SimpleITK image."""
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) @ np.diag(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    return np.diag([-1, -1, 1, 1]) @ affine


# -- label volumes


@LABELMAPS
def test_a_label_volume_lies_on_the_voxels_of_the_volume(segmentation, volume, balls, tmp_path, ending):
    exported = exportLabelmap(segmentation, volume, tmp_path / f"labels{ending}")

    image = sitk.ReadImage(str(exported.path))
    expected = np.where(balls[1], 2, balls[0].astype(np.uint8))
    assert np.array_equal(sitk.GetArrayFromImage(image), expected)
    np.testing.assert_allclose(ras_affine(image), OBLIQUE, atol=1e-4)
    assert exported.notes == () and [path.name for path in tmp_path.iterdir()] == [f"labels{ending}"]


def test_nibabel_and_pynrrd_read_the_same(segmentation, volume, balls, tmp_path):
    exportLabelmap(segmentation, volume, tmp_path / "labels.nii.gz")
    exportLabelmap(segmentation, volume, tmp_path / "labels.nrrd")

    nifti = nibabel.load(tmp_path / "labels.nii.gz")
    np.testing.assert_allclose(nifti.affine, OBLIQUE, atol=1e-4)
    data, header = nrrd.read(str(tmp_path / "labels.nrrd"))
    directions = np.diag([-1, -1, 1]) @ OBLIQUE[:3, :3]
    np.testing.assert_allclose(header["space directions"].T, directions, atol=1e-9)
    for labels in (np.asarray(nifti.dataobj), data):
        assert np.array_equal(labels.T > 0, balls[0] | balls[1])


def test_chosen_segments_only_are_numbered_in_the_order_given(segmentation, volume, balls, tmp_path):
    a, b = ids_of(segmentation)

    exportLabelmap(segmentation, volume, tmp_path / "b.nrrd", [b])
    exportLabelmap(segmentation, volume, tmp_path / "ba.nrrd", [b, a])

    assert np.array_equal(nrrd.read(str(tmp_path / "b.nrrd"))[0].T, balls[1])
    expected = np.where(balls[1], 1, 2 * balls[0].astype(int))
    assert np.array_equal(nrrd.read(str(tmp_path / "ba.nrrd"))[0].T, expected)


def test_overlapping_voxels_go_to_the_later_segment_and_are_counted(scene, volume, balls, tmp_path):
    node, a, b = add_segmentation(scene, ["A", "B"], volume)
    node.GetSegmentation().SeparateSegmentLabelmap(b)
    big = ball(SHAPE, (9, 11, 12), 6)
    fill(node, a, volume, big)
    fill(node, b, volume, balls[0])

    exported = exportLabelmap(node, volume, tmp_path / "labels.nrrd")

    assert exported.notes[0].startswith(f"{(big & balls[0]).sum()} voxels belong to several segments")
    expected = np.where(balls[0], 2, big.astype(int))
    assert np.array_equal(nrrd.read(str(tmp_path / "labels.nrrd"))[0].T, expected)


def test_the_later_segment_wins_also_where_its_layer_comes_first(scene, volume, balls, tmp_path):
    node, *ids = add_segmentation(scene, ["A", "B", "C"], volume)
    node.GetSegmentation().SeparateSegmentLabelmap(ids[1])
    for segment in ids[1:]:
        fill(node, segment, volume, balls[0])

    exportLabelmap(node, volume, tmp_path / "labels.nrrd")

    assert np.array_equal(nrrd.read(str(tmp_path / "labels.nrrd"))[0].T, 3 * balls[0])


def test_more_than_255_segments_keep_their_labels(scene, volume, tmp_path):
    node, *ids = add_segmentation(scene, [f"S{number}" for number in range(260)], volume)
    plane = planeFromAxis(volume, "K", 3)
    mask = np.zeros(plane.shape, bool)
    mask[4, 5] = True
    SegmentWriter(scene).writeMask(node, ids[-1], plane, mask, volume)

    exportLabelmap(node, volume, tmp_path / "labels.nii.gz")

    assert np.unique(np.asarray(nibabel.load(tmp_path / "labels.nii.gz").dataobj)).tolist() == [0, 260]


def test_labels_of_a_transformed_volume_lie_where_its_file_lies(scene, segmentation, volume, balls, tmp_path):
    transform = put_under_transform(scene, volume, rotation(40, (1, 0, 1)))
    segmentation.SetAndObserveTransformNodeID(transform.GetID())

    exportLabelmap(segmentation, volume, tmp_path / "labels.nrrd")

    image = sitk.ReadImage(str(tmp_path / "labels.nrrd"))
    np.testing.assert_allclose(ras_affine(image), OBLIQUE, atol=1e-9)
    assert np.array_equal(sitk.GetArrayFromImage(image) > 0, balls[0] | balls[1])


def test_a_segmentation_on_finer_voxels_is_exported_on_those_of_the_volume(scene, tmp_path):
    volume = add_volume(scene, (10, 12, 14), np.diag([2.0, 2.0, 2.0, 1.0]))
    fine = np.diag([1.0, 1.0, 1.0, 1.0])
    fine[:3, 3] = -0.5
    fine_volume = add_volume(scene, (20, 24, 28), fine)
    node, segment = add_segmentation(scene, ["A"], fine_volume)
    coarse = ball((10, 12, 14), (5, 6, 7), 3)
    fill(node, segment, fine_volume, coarse.repeat(2, 0).repeat(2, 1).repeat(2, 2))

    exportLabelmap(node, volume, tmp_path / "labels.nrrd")

    assert np.array_equal(nrrd.read(str(tmp_path / "labels.nrrd"))[0].T, coarse)


@settings(deadline=None, max_examples=15)
@given(
    st.tuples(*[st.floats(0.3, 5)] * 3),
    st.floats(-180, 180),
    st.tuples(*[st.floats(-900, 900)] * 3),
    st.booleans(),
    st.sampled_from([".nii.gz", ".nrrd"]),
    st.integers(0, 2**32 - 1),
)
def test_any_geometry_and_any_voxels_come_back_from_the_file(
    tmp_path_factory, spacing, angle, origin, mirrored, ending, seed
):
    matrix = rotation(angle, (1, -2, 1)) @ np.diag([-spacing[0] if mirrored else spacing[0], *spacing[1:], 1])
    matrix[:3, 3] = origin
    voxels = np.random.default_rng(seed).random((5, 6, 7)) > 0.5
    with startScene() as host:
        volume = add_volume(host.scene, voxels.shape, matrix)
        node, segment = add_segmentation(host.scene, ["A"], volume)
        fill(node, segment, volume, voxels)
        path = tmp_path_factory.mktemp("export") / f"labels{ending}"

        exportLabelmap(node, volume, path)

    image = sitk.ReadImage(str(path))
    assert np.array_equal(sitk.GetArrayFromImage(image), voxels)
    np.testing.assert_allclose(ras_affine(image), matrix, atol=1e-3)


def test_what_nifti_cannot_hold_is_refused_and_nrrd_can(scene, tmp_path):
    sheared = np.eye(4)
    sheared[0, 2] = 0.4
    volume = add_volume(scene, SHAPE, sheared)
    node, segment = add_segmentation(scene, ["A"], volume)
    fill(node, segment, volume, ball(SHAPE, (8, 10, 10), 5))

    with pytest.raises(OutputError, match=r"\.nrrd"):
        exportLabelmap(node, volume, tmp_path / "labels.nii.gz")
    assert list(tmp_path.iterdir()) == []

    exportLabelmap(node, volume, tmp_path / "labels.nrrd")
    np.testing.assert_allclose(
        nrrd.read(str(tmp_path / "labels.nrrd"))[1]["space directions"].T,
        np.diag([-1, -1, 1]) @ sheared[:3, :3],
        atol=1e-9,
    )


# -- .seg.nrrd


def test_a_segmentation_file_opens_in_slicer_as_it_was(scene, segmentation, volume, balls, tmp_path):
    codes = Terminology(Code("SCT", "49755003", "Abnormal Structure"), Code("SCT", "4147007", "Mass"))
    mass = newSegment(segmentation, "Läsion größer", (0.1, 0.2, 0.3), codes)
    segmentation.GetSegmentation().GetSegment(mass).SetTag("SAMUNet.note", "kept; with: marks|too")
    SegmentWriter(scene).writeMask(
        segmentation,
        mass,
        plane := planeFromAxis(volume, "K", 9),
        np.ones(plane.shape, bool),
        volume,
        policy="allowOverlap",
    )

    exportSegNrrd(segmentation, tmp_path / "Fall Ä 1.seg.nrrd")

    with startScene() as host:
        loaded = host.scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
        storage = slicer.vtkMRMLSegmentationStorageNode()
        host.scene.AddNode(storage)
        storage.SetFileName(str(tmp_path / "Fall Ä 1.seg.nrrd"))
        assert storage.ReadData(loaded)
        assert ids_of(loaded) == ids_of(segmentation)
        for segment in ids_of(segmentation):
            then, now = (node.GetSegmentation().GetSegment(segment) for node in (segmentation, loaded))
            assert now.GetName() == then.GetName()
            np.testing.assert_allclose(now.GetColor(), then.GetColor(), atol=1e-5)
            assert np.array_equal(voxels_of(loaded, segment, SHAPE), voxels_of(segmentation, segment, SHAPE))
        terminology = slicer.vtkSegment.GetTerminologyEntryTagName()
        assert segmentTag(loaded, mass, terminology) == str(codes)


def test_exporting_does_not_count_as_saving(scene, segmentation, tmp_path):
    before = (segmentation.GetModifiedSinceRead(), segmentation.GetStorageNode(), scene.GetNumberOfNodes())

    exportSegNrrd(segmentation, tmp_path / "a.seg.nrrd")

    after = (segmentation.GetModifiedSinceRead(), segmentation.GetStorageNode(), scene.GetNumberOfNodes())
    assert after == before


def test_segments_on_different_voxels_can_be_exported_together(scene, segmentation, volume, tmp_path):
    fine = add_volume(scene, tuple(2 * n for n in SHAPE), OBLIQUE @ half_voxels())
    c = segmentation.GetSegmentation().AddEmptySegment("", "C")
    segmentation.GetSegmentation().SeparateSegmentLabelmap(c)
    fill(segmentation, c, fine, ball(tuple(2 * n for n in SHAPE), (10, 30, 40), 6))

    exportSegNrrd(segmentation, tmp_path / "a.seg.nrrd")

    assert (tmp_path / "a.seg.nrrd").exists()


def half_voxels():
    matrix = np.diag([0.5, 0.5, 0.5, 1])
    matrix[:3, 3] = -0.25
    return matrix


def damage(path):
    """Flip one voxel behind the writer's back."""
    if path.name.endswith(".seg.nrrd"):
        data, header = nrrd.read(str(path))
        data[tuple(n // 3 for n in data.shape)] ^= 1
        nrrd.write(str(path), data, header)
        return
    image = sitk.ReadImage(str(path))
    middle = [n // 3 for n in image.GetSize()]
    image[middle] = int(image[middle]) ^ 1
    sitk.WriteImage(image, str(path))


@pytest.mark.parametrize("ending", [".seg.nrrd", ".nii.gz", ".nrrd"])
def test_a_file_with_a_wrong_voxel_is_not_delivered(segmentation, volume, tmp_path, monkeypatch, ending):
    writer = "_writeSegmentation" if ending == ".seg.nrrd" else "_writeImage"
    write = getattr(segmentationExport, writer)

    def write_badly(path, *arguments):
        write(path, *arguments)
        damage(path)

    monkeypatch.setattr(segmentationExport, writer, write_badly)

    with pytest.raises(OutputError, match="other voxels than"):
        export_any(segmentation, volume, tmp_path / f"a{ending}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", [".seg.nrrd", ".nii.gz", ".nii", ".nrrd", ".mha"])
@pytest.mark.parametrize("left", [0.5, 0.0])
def test_a_truncated_file_is_not_delivered(segmentation, volume, tmp_path, monkeypatch, ending, left):
    writer = "_writeSegmentation" if ending == ".seg.nrrd" else "_writeImage"
    write = getattr(segmentationExport, writer)

    def write_half(path, *arguments):
        write(path, *arguments)
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * left)])

    monkeypatch.setattr(segmentationExport, writer, write_half)

    with pytest.raises(OutputError, match=r"cannot be read back|other voxels than"):
        export_any(segmentation, volume, tmp_path / f"a{ending}")
    assert list(tmp_path.iterdir()) == []


# -- measurements


def read_table(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_table_has_one_row_per_segment_with_its_label(segmentation, volume, balls, tmp_path):
    a, b = ids_of(segmentation)
    segmentation.GetSegmentation().GetSegment(a).SetName('Läsion, "links"')
    exportMeasurements(segmentation, volume, tmp_path / "m.csv", {b: 0.94})

    first, second = read_table(tmp_path / "m.csv")

    assert (first["label"], first["segment"], first["confidence"]) == ("1", 'Läsion, "links"', "")
    assert (second["label"], second["segment"], second["confidence"]) == ("2", "B", "0.94")
    intensities = np.arange(np.prod(SHAPE)).reshape(SHAPE)[balls[0]]
    assert int(first["voxels"]) == balls[0].sum()
    assert float(first["volume_ml"]) == pytest.approx(balls[0].sum() * 0.75 * 0.75 * 2.5 / 1000)
    assert float(first["mean"]) == pytest.approx(intensities.mean())
    assert float(first["sd"]) == pytest.approx(intensities.std(ddof=1))


# -- all of them


def export_any(segmentation, volume, path, **options):
    if path.name.endswith(".seg.nrrd"):
        return exportSegNrrd(segmentation, path, **options)
    if path.name.endswith((".csv", ".parquet")):
        return exportMeasurements(segmentation, volume, path, **options)
    return exportLabelmap(segmentation, volume, path, **options)


EVERY_KIND = pytest.mark.parametrize(
    "name", ["a.seg.nrrd", "a.nii.gz", "a.nii", "a.nrrd", "a.mha", "a.csv", "a.parquet"]
)


@EVERY_KIND
def test_existing_files_are_refused_numbered_or_overwritten_as_asked(segmentation, volume, tmp_path, name):
    path = tmp_path / name
    path.write_text("old")

    with pytest.raises(OutputError, match="exists already"):
        export_any(segmentation, volume, path)
    assert path.read_text() == "old"

    numbered = export_any(segmentation, volume, path, existing="number").path
    assert numbered.name == name.replace("a.", "a-2.") and path.read_text() == "old"

    export_any(segmentation, volume, path, existing="overwrite")
    assert path.stat().st_size > 3 and len(list(tmp_path.iterdir())) == 2


@EVERY_KIND
def test_names_with_spaces_and_any_letters_work(segmentation, volume, tmp_path, name):
    folder = tmp_path / "Befund – 病変 größer"
    folder.mkdir()

    assert export_any(segmentation, volume, folder / f"Ä ß {name}").path.stat().st_size > 0


@EVERY_KIND
def test_an_empty_segmentation_is_refused(scene, volume, tmp_path, name):
    for node, *_ in (add_segmentation(scene, []), add_segmentation(scene, ["A", "B"], volume)):
        with pytest.raises(InputError, match="'Segmentation' has no voxels to export"):
            export_any(node, volume, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@EVERY_KIND
def test_a_read_only_folder_is_refused(segmentation, volume, tmp_path, name):
    with mounted(tmp_path / "fixed", "ro,size=64k") as folder:
        with pytest.raises(OutputError, match="is read-only"):
            export_any(segmentation, volume, folder / name)
        assert list(folder.iterdir()) == []


@EVERY_KIND
def test_a_full_disk_is_refused_and_left_as_it_was(scene, tmp_path, name):
    shape = (40, 60, 60)
    volume = add_volume(scene, shape, CT)
    noise = np.random.default_rng(0).integers(0, 300, shape)
    node, *ids = add_segmentation(scene, [f"S{number}" * 40 for number in range(120)], volume)
    for number, segment in enumerate(ids):
        fill(node, segment, volume, noise == number)
    with mounted(tmp_path / "small", "size=4k") as folder:
        with pytest.raises(OutputError, match="there is no space left in"):
            export_any(node, volume, folder / name)
        assert list(folder.iterdir()) == []
        assert shutil.disk_usage(folder).used == 0


def test_segments_outside_the_volume_are_refused_as_labels(scene, segmentation, tmp_path):
    elsewhere = np.eye(4)
    elsewhere[:3, 3] = 5000
    other = add_volume(scene, SHAPE, elsewhere, name="Other")

    with pytest.raises(InputError, match="No segment of 'Segmentation' lies inside 'Other'"):
        exportLabelmap(segmentation, other, tmp_path / "labels.nrrd")


@pytest.mark.parametrize("name", ["a", "a.png", ".nii.gz", "a.nrrd.txt", "a.nii.bz2"])
def test_a_name_with_another_ending_is_refused(segmentation, volume, tmp_path, name):
    path = tmp_path / name
    for export in (
        lambda: exportSegNrrd(segmentation, path),
        lambda: exportLabelmap(segmentation, volume, path),
        lambda: exportMeasurements(segmentation, volume, path),
    ):
        with pytest.raises(InputError, match="let it end in"):
            export()
