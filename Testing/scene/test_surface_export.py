"""Surfaces as files, read back by trimesh, which had no part in writing them."""

import os
import shutil

import numpy as np
import pytest
import trimesh
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from SAMUNetSlicerLib.errors import InputError, OutputError
from SAMUNetSlicerLib.scene.export import closedSurfaces, exportSurface
from SAMUNetSlicerLib.scene.geometry import planeFromAxis
from SAMUNetSlicerLib.scene.segments import SegmentWriter
from scene.segmentation_scene import (
    CT,
    add_segmentation,
    add_volume,
    ball,
    fill,
    put_under_transform,
    rotation,
)

SHAPE = (20, 40, 44)
KINDS = pytest.mark.parametrize("ending", [".stl", ".obj", ".ply"])


@pytest.fixture
def volume(scene):
    return add_volume(scene, SHAPE, rotation(20, (1, 2, 3)) @ CT)


@pytest.fixture
def voxels():
    return ball(SHAPE, (10, 18, 20), 7)


@pytest.fixture
def node(scene, volume, voxels):
    node, segment = add_segmentation(scene, ["A"], volume)
    fill(node, segment, volume, voxels)
    return node


def ids(node):
    return list(node.GetSegmentation().GetSegmentIDs())


def center_lps(voxels, ijk_to_world):
    k, j, i = np.argwhere(voxels).mean(axis=0)
    return (np.diag([-1, -1, 1, 1]) @ ijk_to_world @ [i, j, k, 1])[:3]


def written(node, path):
    (surface,) = closedSurfaces(node, ids(node)).values()
    return trimesh.load(exportSurface(surface, path))


@KINDS
def test_a_surface_is_closed_and_lies_around_the_segment_in_lps(node, voxels, tmp_path, ending):
    mesh = written(node, tmp_path / f"Größe 病{ending}")

    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(voxels.sum() * 0.75 * 0.75 * 2.5, rel=0.15)  # the smoothing shrinks
    assert mesh.center_mass == pytest.approx(center_lps(voxels, rotation(20, (1, 2, 3)) @ CT), abs=0.3)


def test_a_parent_transform_moves_the_surface(scene, node, voxels, tmp_path):
    turned = rotation(50, (0, 1, 1))
    turned[:3, 3] = 7, -30, 12
    put_under_transform(scene, node, turned)

    mesh = written(node, tmp_path / "a.stl")

    assert mesh.center_mass == pytest.approx(
        center_lps(voxels, turned @ rotation(20, (1, 2, 3)) @ CT), abs=0.3
    )


def test_a_mirroring_transform_does_not_turn_the_surface_inside_out(scene, node, tmp_path):
    put_under_transform(scene, node, np.diag([-1, 1, 1, 1]))

    assert written(node, tmp_path / "a.stl").volume > 0


@pytest.mark.parametrize("ending", [".stl", ".ply"])
def test_the_file_says_that_it_is_in_lps_as_slicer_reads_it(node, tmp_path, ending):
    written(node, tmp_path / f"a{ending}")

    assert b"SPACE=LPS" in (tmp_path / f"a{ending}").read_bytes()[:300]


def test_slicer_puts_the_surface_where_the_segment_is(scene, node, voxels, tmp_path):
    (surface,) = closedSurfaces(node, ids(node)).values()
    for ending in (".stl", ".obj", ".ply"):
        storage = scene.AddNewNodeByClass("vtkMRMLModelStorageNode")
        storage.SetFileName(str(exportSurface(surface, tmp_path / f"a{ending}")))
        model = scene.AddNewNodeByClass("vtkMRMLModelNode")
        assert storage.ReadData(model)

        center = np.reshape(model.GetPolyData().GetBounds(), (3, 2)).mean(axis=1)

        assert center == pytest.approx(center_lps(voxels, rotation(20, (1, 2, 3)) @ CT) * [-1, -1, 1], abs=1)


def test_the_segmentation_gains_no_representation(node):
    before = node.GetSegmentation().GetMTime()

    closedSurfaces(node, ids(node))

    assert not node.GetSegmentation().ContainsRepresentation("Closed surface")
    assert node.GetSegmentation().GetMTime() == before


def test_an_empty_segment_has_no_surface_and_is_no_fault(scene, volume, capfd):
    node, first = add_segmentation(scene, ["A"], volume)
    new = node.GetSegmentation().AddEmptySegment("", "New", [0, 1, 0])
    outdone = node.GetSegmentation().AddEmptySegment("", "All of it is A", [0, 0, 1])
    plane = planeFromAxis(volume, "K", 8)
    mask = np.zeros(plane.shape, bool)
    mask[10:20, 10:20] = True
    for segment in (first, outdone):
        SegmentWriter(scene).writeMask(node, segment, plane, mask, volume, policy="protectAll")

    assert list(closedSurfaces(node, [first, new, outdone])) == [first]
    assert not closedSurfaces(node, [new, outdone])
    assert capfd.readouterr().err == ""


def test_a_segment_that_is_gone_is_one_sentence(node):
    with pytest.raises(InputError, match="is no longer in"):
        closedSurfaces(node, ["gone"])


@KINDS
def test_a_file_that_was_cut_off_is_given_up(node, tmp_path, ending, monkeypatch):
    (surface,) = closedSurfaces(node, ids(node)).values()

    def cut(path):
        os.truncate(path, path.stat().st_size * 2 // 3)

    monkeypatch.setattr("SAMUNetSlicerLib.scene.export.exportFiles.flushToDisk", cut)
    with pytest.raises(OutputError, match="could not be written as a whole"):
        exportSurface(surface, tmp_path / f"a{ending}")
    assert list(tmp_path.iterdir()) == []


@KINDS
def test_a_file_that_holds_another_place_is_given_up(node, tmp_path, ending, monkeypatch):
    (surface,) = closedSurfaces(node, ids(node)).values()
    moved = vtk.vtkPolyData()
    moved.DeepCopy(surface)
    vtk_to_numpy(moved.GetPoints().GetData())[5] += 1
    path = exportSurface(moved, tmp_path / f"moved{ending}")

    monkeypatch.setattr(
        "SAMUNetSlicerLib.scene.export.exportFiles.flushToDisk", lambda file: shutil.copy(path, file)
    )
    with pytest.raises(OutputError, match="another surface"):
        exportSurface(surface, tmp_path / f"a{ending}")
    assert not (tmp_path / f"a{ending}").exists()
