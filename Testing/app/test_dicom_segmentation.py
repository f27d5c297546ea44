"""DICOM Segmentations, read back by highdicom, pydicom and SimpleITK."""

import highdicom
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from app.dicom_case import LEFT_KIDNEY, LIVER, OBLIQUE, SHAPE, Case
from app.dicom_series import SPACING, THICKNESS, write_enhanced, write_series, write_ultrasound
from SAMUNetSlicerLib.app.files import exportDicomSegmentation, loadVolume, startScene
from SAMUNetSlicerLib.errors import InputError, OutputError
from SAMUNetSlicerLib.scene.geometry import dimensions
from SAMUNetSlicerLib.scene.segments import newSegment
from scene.segmentation_scene import ball, fill, put_under_transform, rotation


@pytest.fixture
def host():
    with startScene() as host:
        yield host


@pytest.fixture
def case(host, tmp_path):
    case = Case(host, tmp_path / "series")
    case.add("Leber", ball(SHAPE, (3, 12, 12), 5), LIVER)
    case.add("Läsion", ball(SHAPE, (4, 20, 24), 4))
    return case


def test_each_segment_is_on_the_images_that_it_was_drawn_on(case, tmp_path):
    path = case.export(tmp_path / "a.seg.dcm").path

    for number, voxels in enumerate(case.masks.values(), 1):
        assert np.array_equal(case.stored(path, number), voxels)


@pytest.mark.parametrize("orientation", [OBLIQUE, (0, 1, 0, 0, 0, -1), (-1, 0, 0, 0, -1, 0)])
def test_any_direction_of_the_images_is_kept(host, tmp_path, orientation):
    case = Case(host, tmp_path / "series", orientation)
    case.add("A", ball(SHAPE, (2, 10, 20), 5))

    path = case.export(tmp_path / "a.seg.dcm").path

    assert np.array_equal(case.stored(path, 1), case.masks[next(iter(case.masks))])


def test_overlapping_segments_are_each_kept_in_full(case, tmp_path):
    case.node.GetSegmentation().SeparateSegmentLabelmap(next(iter(case.masks)))
    case.add("Over", ball(SHAPE, (3, 14, 14), 5))

    path = case.export(tmp_path / "a.seg.dcm").path

    for number, voxels in enumerate(case.masks.values(), 1):
        assert np.array_equal(case.stored(path, number), voxels)


def test_the_file_names_patient_study_codes_and_colors(case, tmp_path):
    document = pydicom.dcmread(case.export(tmp_path / "a.seg.dcm").path)
    source = pydicom.dcmread(case.paths[0])
    liver, lesion = document.SegmentSequence

    assert (document.PatientName, document.PatientID) == ("Größe^Test", "P-1")
    assert document.StudyInstanceUID == source.StudyInstanceUID
    assert document.FrameOfReferenceUID == source.FrameOfReferenceUID
    assert document.SeriesInstanceUID != source.SeriesInstanceUID
    assert document.ReferencedSeriesSequence[0].SeriesInstanceUID == source.SeriesInstanceUID
    assert (liver.SegmentLabel, lesion.SegmentLabel) == ("Leber", "Läsion")
    assert liver.SegmentedPropertyTypeCodeSequence[0].CodeValue == "10200004"
    assert liver.AnatomicRegionSequence[0].CodeMeaning == "Abdomen"
    assert lesion.SegmentedPropertyTypeCodeSequence[0].CodeMeaning == "Tissue"
    assert liver.SegmentAlgorithmType == "SEMIAUTOMATIC" and "RecommendedDisplayCIELabValue" in liver


def test_left_stays_left_and_names_may_hold_any_sign(case, tmp_path):
    case.add("a\\b " * 30, ball(SHAPE, (2, 5, 30), 2), LEFT_KIDNEY)

    document = pydicom.dcmread(case.export(tmp_path / "a.seg.dcm").path)

    kind = document.SegmentSequence[2].SegmentedPropertyTypeCodeSequence[0]
    assert kind.CodeMeaning == "Kidney"
    assert kind.SegmentedPropertyTypeModifierCodeSequence[0].CodeMeaning == "Left"
    assert document.SegmentSequence[2].SegmentLabel.startswith("a/b a/b")
    assert document.ContentDescription == "Segmentation"


def test_simpleitk_reads_the_frames_that_show_something(case, tmp_path):
    image = sitk.ReadImage(str(case.export(tmp_path / "a.seg.dcm").path))

    frames = sum(int(mask.any()) for voxels in case.masks.values() for mask in voxels)
    assert image.GetSize() == (SHAPE[2], SHAPE[1], frames)
    assert sitk.GetArrayFromImage(image).astype(bool).sum() == sum(v.sum() for v in case.masks.values())


def test_the_files_of_the_series_can_be_given_one_by_one(case, tmp_path):
    path = case.export(tmp_path / "a.seg.dcm", source=list(reversed(case.paths))).path

    assert np.array_equal(case.stored(path, 1), next(iter(case.masks.values())))


def test_other_series_and_other_files_in_the_folder_do_not_disturb(case, tmp_path):
    write_series(case.folder / "sub", np.zeros((3, 10, 10)))
    for file in (case.folder / "sub").iterdir():
        file.rename(case.folder / f"other-{file.name}")
    (case.folder / "notes.txt").write_text("no DICOM")

    path = case.export(tmp_path / "a.seg.dcm").path

    assert np.array_equal(case.stored(path, 1), next(iter(case.masks.values())))


def test_a_parent_transform_of_the_volume_does_not_move_the_masks(case, tmp_path):
    for node in (case.volume, case.node):
        put_under_transform(case.host.scene, node, rotation(40, (1, 0, 2)))

    path = case.export(tmp_path / "a.seg.dcm").path

    assert np.array_equal(case.stored(path, 1), next(iter(case.masks.values())))


def test_an_empty_segment_is_left_out_and_named(case, tmp_path):
    newSegment(case.node, "Leer")

    exported = case.export(tmp_path / "a.seg.dcm")

    assert exported.notes == ("'Leer' is empty and not in the DICOM file.",)
    assert len(pydicom.dcmread(exported.path).SegmentSequence) == 2


def test_another_series_is_refused(case, host, tmp_path):
    write_series(tmp_path / "other", np.zeros(SHAPE), origin=(0.3, 0.3, 0.3))

    with pytest.raises(InputError, match="was not read from the DICOM series"):
        case.export(tmp_path / "a.seg.dcm", source=tmp_path / "other")
    assert not (tmp_path / "a.seg.dcm").exists()


def test_a_series_with_a_missing_image_is_refused(case, tmp_path):
    case.paths[4].unlink()

    with pytest.raises(InputError, match="name the series that was segmented"):
        case.export(tmp_path / "a.seg.dcm")


def test_a_path_that_does_not_exist_is_one_sentence(case, tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        case.export(tmp_path / "a.seg.dcm", source=tmp_path / "nowhere")


def test_without_voxels_there_is_nothing_to_export(host, tmp_path):
    case = Case(host, tmp_path / "series")
    newSegment(case.node, "Leer")

    with pytest.raises(InputError, match="has no voxels to export"):
        case.export(tmp_path / "a.seg.dcm")


def test_existing_files_stay_unless_the_user_says_otherwise(case, tmp_path):
    (tmp_path / "a.seg.dcm").write_text("old")

    with pytest.raises(OutputError, match="exists already"):
        case.export(tmp_path / "a.seg.dcm")
    assert case.export(tmp_path / "a.seg.dcm", existing="number").path.name == "a-2.seg.dcm"
    assert (tmp_path / "a.seg.dcm").read_text() == "old"


def test_a_missing_package_says_what_to_install(case, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "highdicom", None)

    with pytest.raises(InputError, match="pip install highdicom"):
        case.export(tmp_path / "a.seg.dcm")


def test_the_size_of_the_pixels_is_that_of_the_series(case, tmp_path):
    document = pydicom.dcmread(case.export(tmp_path / "a.seg.dcm").path)
    measures = document.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]

    assert float(measures.SliceThickness) == THICKNESS
    assert list(measures.PixelSpacing) == list(SPACING)


def one_segment(host, path):
    """A loaded file with a segment in its middle."""
    volume = loadVolume(host, path)
    shape = dimensions(volume)[::-1]
    node = host.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Segmentation")
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    segment, voxels = newSegment(node, "A"), ball(shape, [n // 2 for n in shape], 5)
    fill(node, segment, volume, voxels)
    return volume, node, segment, voxels


@pytest.mark.parametrize("orientation", [(1, 0, 0, 0, 1, 0), (0, 1, 0, 0, 0, -1)])
def test_the_frames_of_an_enhanced_file_are_referred_to_one_by_one(host, tmp_path, orientation):
    write_enhanced(tmp_path / "ct.dcm", np.zeros(SHAPE), orientation)
    volume, node, segment, voxels = one_segment(host, tmp_path / "ct.dcm")

    path = exportDicomSegmentation(node, volume, tmp_path / "ct.dcm", tmp_path / "a.seg.dcm", [segment]).path

    uid = pydicom.dcmread(tmp_path / "ct.dcm").SOPInstanceUID
    numbers = list(range(1, SHAPE[0] + 1))
    document = highdicom.seg.segread(path)
    options = {"combine_segments": True, "assert_missing_frames_are_empty": True}
    stored = document.get_pixels_by_source_frame(uid, numbers, **options)
    # Which way SimpleITK stacks the frames is its affair.
    assert np.array_equal(stored, voxels) or np.array_equal(stored, voxels[::-1])


def test_a_picture_without_a_place_in_the_patient_is_referred_to(host, tmp_path):
    write_ultrasound(tmp_path / "us.dcm", np.zeros((1, 30, 34)))
    volume, node, segment, voxels = one_segment(host, tmp_path / "us.dcm")

    path = exportDicomSegmentation(node, volume, tmp_path / "us.dcm", tmp_path / "a.seg.dcm", [segment]).path

    assert np.array_equal(pydicom.dcmread(path).pixel_array, voxels[0])


def test_frames_without_a_place_in_the_patient_are_one_sentence(host, tmp_path):
    write_ultrasound(tmp_path / "us.dcm", np.zeros((5, 30, 34)))
    volume, node, segment, _ = one_segment(host, tmp_path / "us.dcm")

    with pytest.raises(InputError, match="its images have no place in the patient"):
        exportDicomSegmentation(node, volume, tmp_path / "us.dcm", tmp_path / "a.seg.dcm", [segment])
    assert not (tmp_path / "a.seg.dcm").exists()


def test_a_header_that_lacks_what_the_standard_demands_is_one_sentence(case, tmp_path):
    for path in case.paths:
        dataset = pydicom.dcmread(path)
        del dataset.StudyID
        dataset.save_as(path)

    with pytest.raises(InputError, match=r"DICOM SEG cannot refer to this series .*StudyID"):
        case.export(tmp_path / "a.seg.dcm")
