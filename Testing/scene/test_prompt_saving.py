"""Prompts survive saving, loading and copying, with their slices and their order."""

import numpy as np
import pytest
import slicer

from SAMUNetSlicerLib.app.files import startScene
from SAMUNetSlicerLib.scene.geometry import planeFromAxis, planeFromNormal
from SAMUNetSlicerLib.scene.prompts import PromptStore, metadataFromText, promptNodes, recordsOf
from SAMUNetSlicerLib.scene.segments import SegmentWriter
from scene.segmentation_scene import CT, add_segmentation, add_volume, rotation


@pytest.fixture
def prompted(scene):
    """A scene with a segmentation, prompts on an aligned and an oblique slice, and a mask."""
    volume = add_volume(scene, (20, 24, 28), rotation(20, (1, 1, 0)) @ CT)
    node, segment = add_segmentation(scene, ["Läsion 1"])
    aligned = planeFromAxis(volume, "K", 9)
    oblique = planeFromNormal(volume, aligned.pixelToRAS([[14, 12]])[0], (1, 1, 1))
    SegmentWriter(scene).writeMask(node, segment, aligned, np.ones(aligned.shape, bool), volume)
    store = PromptStore(scene, node)
    store.addPoint(segment, "positive", aligned.pixelToRAS([[3.25, 4.5]])[0], aligned)
    store.addBox(segment, *oblique.pixelToRAS([[2, 3], [9, 11]]), oblique)
    store.addPoint(segment, "negative", aligned.pixelToRAS([[5, 6]])[0], aligned)
    records = store.prompts(segment)
    store.close()
    return segment, records


def allow_bundles(scene, folder):
    """Give a scene the folder into which a bundle is unpacked, as the application does."""
    cache, manager = slicer.vtkCacheManager(), slicer.vtkDataIOManager()
    folder.mkdir()
    (folder / ".slicer-cache").touch()
    cache.SetRemoteCacheDirectory(str(folder))
    manager.SetCacheManager(cache)
    scene.SetDataIOManager(manager)


def save_bundle(scene, folder):
    assert scene.WriteToMRB(str(folder / "prompts.mrb"))


def load_bundle(scene, folder):
    allow_bundles(scene, folder / "cache")
    assert scene.ReadFromMRB(str(folder / "prompts.mrb"))


def save_mrml(scene, folder):
    scene.SetURL(str(folder / "prompts.mrml"))
    scene.SetRootDirectory(str(folder))
    for number in range(scene.GetNumberOfNodesByClass("vtkMRMLStorableNode")):
        node = scene.GetNthNodeByClass(number, "vtkMRMLStorableNode")
        if node.GetSaveWithScene() and node.AddDefaultStorageNode():
            storage = node.GetStorageNode()
            storage.SetFileName(str(folder / f"{number}.{storage.GetDefaultWriteFileExtension()}"))
            assert storage.WriteData(node)
    assert scene.Commit()


def load_mrml(scene, folder):
    scene.SetURL(str(folder / "prompts.mrml"))
    assert scene.Import()


@pytest.mark.parametrize(
    ("save", "load"), [(save_bundle, load_bundle), (save_mrml, load_mrml)], ids=["mrb", "mrml"]
)
def test_a_saved_scene_has_the_same_prompts_on_the_same_slices(scene, prompted, tmp_path, save, load):
    segment, saved = prompted
    save(scene, tmp_path)

    with startScene() as host:
        # The node gets another ID than it had: references must follow, plain attributes could not.
        add_segmentation(host.scene, ["already there"])
        load(host.scene, tmp_path)
        node = host.scene.GetNthNodeByClass(1, "vtkMRMLSegmentationNode")
        store = PromptStore(host.scene, node)
        loaded = store.prompts(segment)

        assert [(r.id, r.kind, r.order) for r in loaded] == [(r.id, r.kind, r.order) for r in saved]
        for now, then in zip(loaded, saved):
            assert np.allclose(now.ras, then.ras, atol=1e-4)
            assert np.array_equal(now.plane.planeToRAS, then.plane.planeToRAS)
            assert now.plane.toDict() == then.plane.toDict()
            assert now in store.promptsFor(segment, then.plane)
        new = store.addPoint(segment, "positive", loaded[0].ras[0], loaded[0].plane)
        assert new.order > saved[-1].order
        store.close()


def test_a_store_finds_the_prompts_of_a_scene_that_is_loaded_beside_it(scene, prompted, tmp_path):
    segment, saved = prompted
    save_bundle(scene, tmp_path)
    with startScene() as host:
        heard = []
        load_bundle(host.scene, tmp_path)
        node = host.scene.GetFirstNodeByClass("vtkMRMLSegmentationNode")
        store = PromptStore(host.scene, node)
        store.changed.connect(lambda *change: heard.append(change))

        host.scene.GetFirstNodeByClass("vtkMRMLMarkupsFiducialNode").RemoveNthControlPoint(0)

        assert len(heard) == 1 and len(store.prompts(segment)) == len(saved) - 1
        store.close()


@pytest.mark.parametrize("class_name", ["vtkMRMLMarkupsFiducialNode", "vtkMRMLMarkupsROINode"])
def test_a_copied_node_keeps_the_metadata_of_its_prompts(scene, prompted, class_name):
    original = scene.GetFirstNodeByClass(class_name)
    copy = scene.AddNewNodeByClass(class_name)
    copy.Copy(original)

    for (there, _), (here, _) in zip(recordsOf(original), recordsOf(copy)):
        assert here.sameAs(there)


def test_a_node_without_its_marks_is_not_taken_for_ours(scene, prompted):
    node = scene.GetFirstNodeByClass("vtkMRMLSegmentationNode")
    before = len(promptNodes(scene, node))
    scene.GetFirstNodeByClass("vtkMRMLMarkupsROINode").RemoveAttribute("SAMUNet.PromptKind")

    assert len(promptNodes(scene, node)) == before - 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a note of the user",
        "{}",
        "[1, 2]",
        '{"id": "a", "order": 1, "plane": {}}',
        '{"id": 1, "order": "x"}',
    ],
)
def test_text_that_is_no_metadata_of_ours_is_left_alone(text):
    assert metadataFromText(text) is None
