"""Scenes change under the user's hands: saved and loaded whole, frames change, nodes and modules go."""

import json

import numpy as np
import pytest
import slicer
import vtk

from app.desk import SHAPE, Desk
from app.test_session_scene import disk, session_on
from fakes import parameterNodes
from SAMUNetSlicerLib.app.files import startScene
from SAMUNetSlicerLib.app.session import TAG
from SAMUNetSlicerLib.scene.geometry import planeFromAxis, planeFromNormal
from SAMUNetSlicerLib.scene.prompts import promptNodes
from scene.segmentation_scene import add_volume
from scene.test_prompt_saving import load_bundle, load_mrml, save_bundle, save_mrml


def records_of(session, segments, planes):
    """Kind, order and place of every prompt, by segment and plane."""
    store = session.workspace.prompts
    return {
        (segment, number): [
            (r.id, r.kind, r.order, np.round(r.ras, 3).tolist()) for r in store.promptsFor(segment, plane)
        ]
        for segment in segments
        for number, plane in enumerate(planes)
    }


def provenance_of(node, segment):
    text = vtk.reference("")
    node.GetSegmentation().GetSegment(segment).GetTag(TAG, text)
    return json.loads(str(text))


@pytest.mark.parametrize(
    ("save", "load"), [(save_bundle, load_bundle), (save_mrml, load_mrml)], ids=["mrb", "mrml"]
)
def test_all_that_the_module_leaves_in_a_scene_comes_back(desk, tmp_path, monkeypatch, save, load):
    """Prompts of each segment on each plane, masks, provenance, and the panel's choices."""
    parameterNodes.install(monkeypatch)
    from SAMUNetSlicerLib.ui.parts import panelParameters

    session = desk.session
    oblique = planeFromNormal(desk.volume, desk.plane(5).pixelToRAS([[25, 20]])[0], (1, 2, 3))
    planes = [desk.plane(4), desk.plane(20, "I"), oblique]
    first = session.addSegment("Läsion A")
    desk.click(12, 20)
    desk.click(14, 20, is_positive=False)
    session.addBox((3, 3), (9, 8), planes[1])
    second = session.nextSegment("B")
    desk.click(30, 20)
    session.addPoint(planes[2].pixelToRAS([[20, 20]])[0], plane=planes[2])
    session.waitUntilIdle()
    parameters = panelParameters(desk.scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode"))
    parameters.volume, parameters.segmentation = desk.volume, session.segmentationNode
    parameters.segmentId, parameters.window = second, "slice"
    segments = [first, second]
    prompts = records_of(session, segments, planes)
    masks = {(s, n): desk.mask(plane, s) for s in segments for n, plane in enumerate(planes)}
    provenance = {s: provenance_of(session.segmentationNode, s) for s in segments}
    assert sum(map(len, prompts.values())) == 5
    save(desk.scene, tmp_path)

    with startScene() as host:
        load(host.scene, tmp_path)
        loaded = panelParameters(host.scene.GetFirstNodeByClass("vtkMRMLScriptedModuleNode"))
        again = session_on(host.scene, loaded.volume, planeFromAxis(loaded.volume, "K", 4))
        again.setSegmentation(loaded.segmentation)
        again.selectSegment(loaded.segmentId)
        assert (again.segmentId, loaded.window) == (second, "slice")
        assert records_of(again, segments, planes) == prompts
        assert {s: provenance_of(loaded.segmentation, s) for s in segments} == provenance
        for (segment, number), mask in masks.items():
            read = again.workspace.writer.readMask(loaded.segmentation, segment, planes[number])
            np.testing.assert_array_equal(read, mask)
        again.close()


def test_the_frame_of_a_sequence_that_is_shown_is_the_one_that_is_segmented(host):
    """A real sequence: its browser gives the proxy volume another image for each frame."""
    browser, volume, frames = add_sequence(host)
    session = session_on(host.scene, volume, planeFromAxis(volume, "K", 4))
    seen, predict = [], session.engine.predict
    session.engine.predict = lambda image, *asked: seen.append(image) or predict(image, *asked)
    for number in (0, 1):
        browser.SetSelectedItemNumber(number)
        assert not session.isReady(session.plane)
        session.addPoint((12 + 10 * number, 20))
        session.waitUntilIdle()
        frame = frames[number][4].astype(float)
        gray = (frame - frame.min()) / np.ptp(frame) * 255  # the slice's own range; seen in any direction
        assert np.abs(np.sort(seen[-1], axis=None) - np.sort(gray, axis=None)).max() <= 1
    assert len(session.prompts()) == 2
    session.close()


def add_sequence(host):
    """A sequence of two volumes: its browser, the proxy that the user sees, and the voxels of each frame."""
    scene, logic = host.scene, slicer.vtkSlicerSequencesLogic()
    logic.SetMRMLScene(scene)
    sequence = scene.AddNewNodeByClass("vtkMRMLSequenceNode", "Frames")
    frames = [np.random.default_rng(n).integers(0, 99 + 50 * n, SHAPE, dtype=np.int16) for n in (0, 1)]
    for number, frame in enumerate(frames):
        node = add_volume(scene, array=frame, name="Frame")
        sequence.SetDataNodeAtValue(node, str(number))
        scene.RemoveNode(node)
    browser = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode")
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    logic.UpdateProxyNodesFromSequences(browser)
    browser.AddObserver("ModifiedEvent", lambda *_: logic.UpdateProxyNodesFromSequences(browser))
    return browser, browser.GetProxyNode(sequence), frames


@pytest.mark.parametrize("kind", ["volume", "segmentation"])
def test_a_node_that_is_deleted_while_a_click_waits_ends_the_click_quietly(desk, kind):
    desk.click(12, 20)
    desk.engine.is_automatic = False
    desk.session.addPoint((30, 20))
    node = desk.volume if kind == "volume" else desk.session.segmentationNode
    desk.scene.RemoveNode(node)
    desk.engine.is_automatic = True
    for _ in range(3):
        desk.session.poll()
    assert not desk.errors and not desk.session.isBusy
    assert getattr(desk.session, f"{kind}Node") is None


def test_prompts_of_a_deleted_segmentation_do_not_stay_in_the_scene(desk):
    desk.click(12, 20)
    node = desk.session.segmentationNode
    assert promptNodes(desk.scene, node)
    desk.scene.RemoveNode(node)
    assert not desk.scene.GetNumberOfNodesByClass("vtkMRMLMarkupsFiducialNode")


def test_a_reloaded_module_takes_up_the_scene_where_the_old_one_left_it(host):
    old = Desk(host.scene)
    old.click(12, 20)
    old.engine.is_automatic = False
    old.session.addPoint((30, 20))  # nobody will answer
    segment, node = old.session.segmentId, old.session.segmentationNode
    before = old.mask()
    old.session.close()
    new = session_on(host.scene, old.volume, old.plane(4))
    new.setSegmentation(node)
    new.selectSegment(segment)
    assert len(new.prompts()) == 2
    np.testing.assert_array_equal(new.workspace.writer.readMask(node, segment, new.plane), before)
    new.predictAgain()
    new.waitUntilIdle()
    np.testing.assert_array_equal(
        new.workspace.writer.readMask(node, segment, new.plane),
        disk(SHAPE[1:], (12, 20)) | disk(SHAPE[1:], (30, 20)),
    )
    new.close()


def test_an_imported_scene_beside_the_own_one_changes_nothing(desk, tmp_path):
    desk.click(12, 20)
    save_bundle(desk.scene, tmp_path)
    mask, prompts = desk.mask(), desk.session.prompts()
    load_bundle(desk.scene, tmp_path)
    assert desk.scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 2
    np.testing.assert_array_equal(desk.mask(), mask)
    assert desk.session.prompts() == prompts
    desk.session.removePrompt(prompts[0].id)
    desk.session.waitUntilIdle()
    other = desk.scene.GetNthNodeByClass(1, "vtkMRMLSegmentationNode")
    assert len(promptNodes(desk.scene, other)) == 1


def test_a_click_in_one_volume_leaves_another_volumes_segmentation_alone(desk):
    desk.click(12, 20)
    first, voxels = desk.session.segmentationNode, desk.voxels()
    segment = desk.session.segmentId
    turned = add_volume(desk.scene, (6, 30, 20), np.diag([-2.0, 1.0, 3.0, 1.0]), name="Turned")
    desk.session.setVolume(turned)
    desk.session.setSegmentation(None)
    desk.session.setPlane(planeFromAxis(turned, "J", 11))
    desk.click(8, 3)
    assert desk.session.segmentationNode is not first
    desk.session.setSegmentation(first)
    np.testing.assert_array_equal(desk.voxels(segment), voxels)
