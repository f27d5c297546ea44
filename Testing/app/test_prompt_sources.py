"""Prompts from markups, tables and other segmentations land where they are in the volume."""

import json

import numpy as np
import pytest
import SimpleITK as sitk
import slicer
import vtk
from hypothesis import given, settings
from hypothesis import strategies as st

from SAMUNetSlicerLib.app.batch import BatchCase, PromptSearch, sourceOf
from SAMUNetSlicerLib.app.files import loadVolume, startScene
from SAMUNetSlicerLib.app.prompts import (
    CoarsePrompts,
    MarkupPrompts,
    PlanePrompts,
    PointPrompt,
    SegmentsOfLabels,
    SegmentsOfNode,
    SliceChoice,
    TablePrompts,
    placePrompts,
    readTable,
    toRAS,
)
from SAMUNetSlicerLib.errors import InputError, PromptError
from SAMUNetSlicerLib.scene.geometry import ijkToRAS, mapPoints, planeFromAxis
from SAMUNetSlicerLib.scene.prompts import PromptRecord, promptPixels
from SAMUNetSlicerLib.scene.segments import SegmentWriter, newSegment
from scene.geometries import matrices, permuted_matrices
from scene.segmentation_scene import CT, add_volume

SHAPE = (12, 40, 50)  # K, J, I
EVERY = SliceChoice(margin=0)


def volume_with(host, ijk_to_ras=CT, shape=SHAPE):
    return add_volume(host.scene, ijk_to_ras=ijk_to_ras, array=np.zeros(shape, np.int16))


@pytest.fixture
def volume(host):
    return volume_with(host)


def boxes_by_slice(segment, volume):
    """Pixel boxes by slice index."""
    found = {}
    for prompts in segment.planes:
        placed = placePrompts(prompts, volume)
        records = [PromptRecord("", "box", corners, placed.plane, 0, "") for corners in placed.boxes]
        boxes = promptPixels(records, placed.plane).boxes
        found[placed.plane.index] = sorted(map(tuple, boxes.astype(int).tolist()))
    return found


def bounds(mask):
    rows, columns = np.nonzero(mask)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def add_roi(host, center, size, turned_by=0.0, name="Tumor"):
    roi = host.scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", name)
    matrix = vtk.vtkMatrix4x4()
    transform = vtk.vtkTransform()
    transform.Translate(*center)
    transform.RotateZ(turned_by)
    matrix.DeepCopy(transform.GetMatrix())
    roi.SetAndObserveObjectToNodeMatrix(matrix)
    roi.SetSize(*size)
    return roi


def in_ras(volume, *ijk):
    return mapPoints(ijkToRAS(volume), [ijk])[0]


def add_points(host, name, *points):
    node = host.scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", name)
    for position, label in points:
        node.AddControlPointWorld(vtk.vtkVector3d(*position), label)
    return node


FRACTIONS = st.tuples(*[st.floats(0.01, 0.99)] * 3)


@settings(deadline=None, max_examples=30)
@given(matrix=permuted_matrices(), fraction=FRACTIONS)
def test_fractions_count_from_left_posterior_and_inferior_whatever_the_voxel_axes(
    shared_host, matrix, fraction
):
    volume = volume_with(shared_host, matrix)
    ends = mapPoints(matrix, [[-0.5] * 3, np.array(SHAPE[::-1]) - 0.5])
    low, high = ends.min(axis=0), ends.max(axis=0)
    expected = low + fraction * (high - low)
    np.testing.assert_allclose(toRAS([fraction], "fraction", volume)[0], expected, atol=1e-9)
    shared_host.scene.RemoveNode(volume)


@settings(deadline=None, max_examples=30)
@given(matrix=matrices(), fraction=FRACTIONS, number=st.sampled_from(range(3)))
def test_a_point_at_the_fraction_of_a_slice_lies_on_it_also_in_a_turned_volume(
    shared_host, matrix, fraction, number
):
    volume = volume_with(shared_host, matrix)
    name = ("sagittal", "coronal", "axial")[number]
    click = PointPrompt(fraction, "fraction", True)
    prompts = PlanePrompts({"orientation": name, "fraction": fraction[number]}, (click,), (), "")
    assert len(placePrompts(prompts, volume).points) == 1
    shared_host.scene.RemoveNode(volume)


@pytest.fixture(scope="module")
def shared_host():
    with startScene() as host:
        yield host


def test_point_lists_become_segments_and_their_labels_tell_the_negative_ones(host, volume):
    liver = add_points(
        host, "Liver", (in_ras(volume, 10, 12, 3), "L-1"), (in_ras(volume, 14.2, 12, 3.4), "- vessel")
    )
    cyst = add_points(host, "Cyst", (in_ras(volume, 30, 30, 7), "Cyst-1"))
    found = MarkupPrompts([liver, cyst], EVERY).promptsFor(volume)
    assert [segment.name for segment in found.segments] == ["Liver", "Cyst"]
    (plane,) = found.segments[0].planes
    placed = placePrompts(plane, volume)
    assert placed.plane.index == 3 and placed.positive.tolist() == [True, False]
    np.testing.assert_allclose(placed.points[0], in_ras(volume, 10, 12, 3))
    with pytest.raises(PromptError, match="'Far' has a point outside the volume"):
        MarkupPrompts([add_points(host, "Far", ((0, 0, 1e4), ""))], EVERY).promptsFor(volume)


@pytest.mark.parametrize("orientation", ["axial", "coronal", "sagittal"])
def test_a_roi_is_a_box_on_every_slice_that_it_cuts(host, volume, orientation):
    center = in_ras(volume, 24, 19, 6)
    spacing = np.linalg.norm(ijkToRAS(volume)[:3, :3], axis=0)
    roi = add_roi(host, center, np.array([10.8, 8.8, 4.8]) * spacing)
    prompts = MarkupPrompts([roi], SliceChoice(orientation)).promptsFor(volume)
    axis = {"sagittal": 0, "coronal": 1, "axial": 2}[orientation]
    half = [5, 4, 2][axis]
    boxes = boxes_by_slice(prompts.segments[0], volume)
    middle = [24, 19, 6][axis]
    assert sorted(boxes) == list(range(middle - half, middle + half + 1))
    widths = {(x1 - x0, y1 - y0) for ((x0, y0, x1, y1),) in boxes.values()}
    expected = [length for n, length in enumerate((11, 9, 5)) if n != axis]
    assert widths == {tuple(expected)}


def test_key_slices_are_spread_evenly_and_may_be_propagated(host, volume):
    roi = add_roi(host, in_ras(volume, 24, 19, 5.5), (20, 20, 1e4))
    prompts = MarkupPrompts([roi], SliceChoice(count=3, propagate=True)).promptsFor(volume)
    assert [each.plane["index"] for each in prompts.segments[0].planes] == [2, 6, 10]
    assert prompts.segments[0].propagation == {}


def test_a_turned_roi_is_cut_exactly(host, volume):
    spacing = np.linalg.norm(ijkToRAS(volume)[:3, :3], axis=0)
    roi = add_roi(host, in_ras(volume, 24, 19, 6), (20 * spacing[0], 1, 1), turned_by=45)
    ((box,),) = boxes_by_slice(MarkupPrompts([roi], EVERY).promptsFor(volume).segments[0], volume).values()
    side = 20 / np.sqrt(2)
    assert box[2] - box[0] == pytest.approx(side, abs=2)


def test_a_roi_between_two_slices_belongs_to_the_nearer_and_one_outside_is_refused(host, volume):
    roi = add_roi(host, in_ras(volume, 24, 19, 6.4), (20, 20, 0.01))
    boxes = boxes_by_slice(MarkupPrompts([roi], EVERY).promptsFor(volume).segments[0], volume)
    assert list(boxes) == [6]
    with pytest.raises(PromptError, match="'Tumor' lies outside of"):
        MarkupPrompts([add_roi(host, (1e4, 0, 0), (9, 9, 9))], EVERY).promptsFor(volume)


def coarse_labels():
    labels = np.zeros(SHAPE, np.uint8)
    labels[2:6, 5:15, 8:20] = 1
    labels[4, 25:31, 30:41] = 1
    labels[4, 38, 48] = 1  # a speck
    labels[7:9, 20:24, 10:13] = 5
    return labels


@pytest.mark.parametrize("kind", ["segments", "labels"])
def test_each_part_of_each_label_gets_a_box_on_its_slices(host, volume, kind):
    labels = coarse_labels()
    if kind == "labels":
        segments = SegmentsOfLabels(add_volume(host.scene, ijk_to_ras=CT, array=labels))
        names = ["Label 1", "Label 5"]
    else:
        node, names = segmentation_of(host, volume, labels), ["Organ 1", "Organ 5"]
        segments = SegmentsOfNode(node)
    prompts = CoarsePrompts(segments, EVERY).promptsFor(volume)
    assert [segment.name for segment in prompts.segments] == names
    first, second = (boxes_by_slice(segment, volume) for segment in prompts.segments)
    assert sorted(first) == [2, 3, 4, 5] and sorted(second) == [7, 8]
    assert [len(first[index]) for index in (2, 3, 4, 5)] == [1, 1, 2, 1]
    plane = planeFromAxis(volume, "K", 4)
    expected = [np.zeros(SHAPE[1:], bool) for _ in range(2)]
    expected[0][5:15, 8:20] = expected[1][25:31, 30:41] = True
    assert first[4] == sorted(bounds(_as_displayed(mask, plane, volume)) for mask in expected)


def _as_displayed(mask, plane, volume):
    rows, columns = np.indices(plane.shape)
    pixels = np.column_stack([columns.ravel(), rows.ravel(), np.zeros(rows.size), np.ones(rows.size)])
    i, j = np.rint(pixels @ plane.planeToIJK(volume).T)[:, :2].astype(int).T
    return mask[j, i].reshape(plane.shape)


def segmentation_of(host, volume, labels):
    node = host.scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    writer = SegmentWriter(host.scene)
    for value in np.unique(labels)[1:]:
        segment = newSegment(node, f"Organ {value}")
        for index in np.flatnonzero((labels == value).any(axis=(1, 2))):
            plane = planeFromAxis(volume, "K", int(index))
            mask = _as_displayed(labels[index] == value, plane, volume)
            writer.writeMask(node, segment, plane, mask, volume)
    return node


def test_the_margin_makes_boxes_larger_but_not_than_the_image(host, volume):
    segments = SegmentsOfLabels(add_volume(host.scene, ijk_to_ras=CT, array=coarse_labels()))
    tight, wide = (
        boxes_by_slice(
            CoarsePrompts(segments, SliceChoice(margin=margin)).promptsFor(volume).segments[0], volume
        )
        for margin in (0, 1)
    )
    (x0, y0, x1, y1), (X0, Y0, X1, Y1) = tight[3][0], wide[3][0]
    assert X0 < x0 and Y0 < y0 and X1 > x1 and Y1 > y1
    assert X0 >= 0 and Y0 >= 0 and X1 <= SHAPE[2] and Y1 <= SHAPE[1]


def test_a_label_map_on_another_grid_is_followed_in_space(host, volume):
    labels = np.repeat(np.repeat(coarse_labels(), 2, axis=1), 2, axis=2)
    finer = CT @ np.diag([0.5, 0.5, 1, 1])
    finer[:3, 3] = mapPoints(CT, [[-0.25, -0.25, 0]])[0]
    fine = SegmentsOfLabels(add_volume(host.scene, ijk_to_ras=finer, array=labels))
    same = SegmentsOfLabels(add_volume(host.scene, ijk_to_ras=CT, array=coarse_labels()))
    one, other = (CoarsePrompts(each, EVERY).promptsFor(volume).segments for each in (fine, same))
    assert [boxes_by_slice(segment, volume) for segment in one] == [
        boxes_by_slice(segment, volume) for segment in other
    ]
    far = CT.copy()
    far[:3, 3] += 1e4
    away = SegmentsOfLabels(add_volume(host.scene, ijk_to_ras=far, array=coarse_labels()))
    with pytest.raises(PromptError, match="holds nothing on"):
        CoarsePrompts(away, EVERY).promptsFor(volume)


def test_an_image_is_not_taken_for_a_label_map(host):
    noise = np.random.default_rng(0).random(SHAPE).astype(np.float32)
    with pytest.raises(InputError, match="is not a label map"):
        SegmentsOfLabels(add_volume(host.scene, ijk_to_ras=CT, array=noise))


def write_table(path, *rows):
    path.write_text("\n".join(["case,segment,kind,space,x,y,z,x2,y2,z2,orientation", *rows]))
    return path


def test_rows_of_a_table_are_points_and_boxes(host, volume, tmp_path):
    path = write_table(
        tmp_path / "t.csv",
        "a,Liver,box,ijk,8,5,2,19,14,4,,",
        "a,Liver,negative,ijk,10,8,3",
        ",Spine,positive,fraction,0.5,0.2,0.5,,,,sagittal",
    )
    rows = readTable(path)
    assert [row.case for row in rows] == ["a", "a", ""]
    liver, spine = TablePrompts(rows, EVERY).promptsFor(volume).segments
    assert sorted(boxes_by_slice(liver, volume)) == [2, 3, 4]
    assert [entry.plane["index"] for entry in liver.planes if entry.points] == [3]
    assert placePrompts(spine.planes[0], volume).plane.axis == "I"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a,L,circle,ijk,1,2,3", "line 2: kind must be one of positive, negative, box, not 'circle'"),
        ("a,L,positive,mm,1,2,3", "line 2: space must be one of"),
        ("a,L,positive,ras,1,two,3", "line 2: y must be a number, not 'two'"),
        ("a,L,positive,ras,1,nan,3", "line 2: y must be a number"),
        ("a,L,box,ras,1,2,3,4,5,", "line 2: z2 must be a number, not ''"),
        ("a,,positive,ras,1,2,3", "line 2 names no segment"),
    ],
)
def test_a_wrong_row_is_named_by_its_line(tmp_path, row, reason):
    with pytest.raises(PromptError, match=reason):
        readTable(write_table(tmp_path / "t.csv", row))


@pytest.mark.parametrize(
    "text",
    ["segment;kind;x;y;z\nLeber;positive;1,5;-2;3", "segment\tkind\tx\ty\tz\nLeber\tpositive\t1.5\t-2\t3"],
)
def test_tables_of_other_spreadsheets_are_understood(tmp_path, text):
    (tmp_path / "t.csv").write_text(text, encoding="utf-8-sig")
    (row,) = readTable(tmp_path / "t.csv")
    assert (row.segment, row.points.tolist()) == ("Leber", [[1.5, -2, 3]])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "segmnt,kind,x,y,z\nL,box,1,2,3",
            "no column 'segment', only segmnt, kind, x, y, z: it needs segment, kind",
        ),
        ("", "no column 'segment', only an empty first line"),
        ("segment,kind,x,y,z\n", "has no rows"),
        ('segment,kind,x,y,z\nL,positive,"1,5",2,3', "x must be a number, not '1,5'"),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path, text, reason):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(PromptError, match=reason):
        readTable(tmp_path / "t.csv")


def test_the_first_source_that_has_something_for_a_case_counts(tmp_path):
    own, labels = tmp_path / "own", tmp_path / "labels"
    for folder in (own, labels, labels / "p1"):
        folder.mkdir()
    shared = {"version": 1, "segments": [{"name": "A", "planes": [_click()]}]}
    for path in (tmp_path / "all.json", own / "a.json"):
        path.write_text(json.dumps(shared))
    (own / "a.mrk.json").touch()
    for name in ("a.nii.gz", "b_seg.nrrd", "p1/CT.seg.nrrd"):
        (labels / name).touch()
    table = write_table(tmp_path / "t.csv", "c,L,positive,ras,1,2,3")

    def found(name, *sources, relative="", path="/data/x.nrrd"):
        case = BatchCase(name, path, relative=relative or name)
        prompts = PromptSearch(sources).find(case)
        return prompts.kind, *(each.rpartition("/")[2] for each in prompts.paths)

    for name in ("e/Liver.mrk.json", "e/Spleen.mrk.json", "f/liver.nii.gz", "f/spleen.nii.gz"):
        (own / name).parent.mkdir(exist_ok=True)
        (own / name).touch()
    everything = (own, labels, table, tmp_path / "all.json")
    assert found("a", *everything) == ("prompts", "a.json")
    assert found("a", labels, *everything) == ("labels", "a.nii.gz")
    assert found("b", *everything) == ("labels", "b_seg.nrrd")
    assert found("p1-CT", *everything, relative="p1/CT") == ("labels", "CT.seg.nrrd")
    assert found("c", *everything) == ("table", "t.csv")
    assert found("d", *everything) == ("prompts", "all.json")
    assert found("e", *everything) == ("markups", "Liver.mrk.json", "Spleen.mrk.json")
    assert found("f", *everything) == ("labels", "liver.nii.gz", "spleen.nii.gz")
    with pytest.raises(PromptError, match="no prompts for 'd'"):
        found("d", own, labels, table)
    with pytest.raises(PromptError, match="no prompts for 'a'"):
        found("a", labels, path=str((labels / "a.nii.gz").resolve()))  # the image itself
    with pytest.raises(InputError, match="is not a source of prompts"):
        PromptSearch([_touched(tmp_path / "x.txt")])


def _click():
    return {"plane": {"axis": "K", "index": 1}, "points": [{"ijk": [1, 1, 1], "label": 1}]}


def _touched(path):
    path.touch()
    return path


def test_files_of_slicer_and_of_others_are_read(host, volume, tmp_path):
    """Markups as Slicer saves them, a segmentation of Slicer, a label map of anybody."""
    roi, storage = (
        add_roi(host, in_ras(volume, 24, 19, 6), (9, 9, 9)),
        slicer.vtkMRMLMarkupsROIJsonStorageNode(),
    )
    (tmp_path / "a").mkdir()
    storage.SetFileName(str(tmp_path / "a" / "Tumor.mrk.json"))
    assert storage.WriteData(roi)
    storage = slicer.vtkMRMLSegmentationStorageNode()
    host.scene.AddNode(storage)
    storage.SetFileName(str(tmp_path / "b.seg.nrrd"))
    assert storage.WriteData(segmentation_of(host, volume, coarse_labels()))
    image = sitk.GetImageFromArray(coarse_labels())
    placement = np.diag([-1.0, -1, 1, 1]) @ CT
    image.SetSpacing(np.linalg.norm(placement[:3, :3], axis=0).tolist())
    image.SetDirection((placement[:3, :3] / image.GetSpacing()).ravel().tolist())
    image.SetOrigin(placement[:3, 3].tolist())
    sitk.WriteImage(image, str(tmp_path / "c.nii.gz"))
    np.testing.assert_allclose(ijkToRAS(loadVolume(host, tmp_path / "c.nii.gz")), CT, atol=1e-4)
    for value, name in ((1, "organ"), (5, "lesion")):
        (tmp_path / "d").mkdir(exist_ok=True)
        sitk.WriteImage(image == value, str(tmp_path / "d" / f"{name}.nii.gz"))
    search, names = PromptSearch([tmp_path]), {}
    for case in "abcd":
        prompts = search.find(BatchCase(case, "", relative=case))
        source = sourceOf(prompts, host, EVERY)
        names[case] = [segment.name for segment in source.promptsFor(volume).segments]
    assert names == {
        "a": ["Tumor"],
        "b": ["Organ 1", "Organ 5"],
        "c": ["Label 1", "Label 5"],
        "d": ["lesion", "organ"],
    }
