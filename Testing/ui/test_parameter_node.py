"""The choices of the panel are kept in the scene, and a scene of any release can be opened."""

import importlib
import sys

import pytest

from fakes import parameterNodes
from SAMUNetSlicerLib.app.files import startScene
from scene.segmentation_scene import add_segmentation, add_volume
from scene.test_prompt_saving import load_bundle, load_mrml, save_bundle, save_mrml

NAME = "SAMUNetSlicerLib.ui.parts.parameterNode"


@pytest.fixture
def wrap(monkeypatch):
    """``panelParameters``, from a fresh import."""
    parameterNodes.install(monkeypatch)
    sys.modules.pop(NAME, None)
    yield importlib.import_module(NAME).panelParameters
    sys.modules.pop(NAME, None)


@pytest.fixture
def scene():
    with startScene() as host:
        yield host.scene


@pytest.fixture
def node(scene):
    node = scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", "SAMUNetSlicer")
    node.SetAttribute("ModuleName", "SAMUNetSlicer")
    return node


def test_a_new_scene_has_the_defaults(wrap, node):
    parameters = wrap(node)
    assert (parameters.volume, parameters.segmentation) == (None, None)
    assert (parameters.modelId, parameters.window, parameters.policy) == ("", "display", "protectAll")
    assert (parameters.prefetch, parameters.hover) == (True, "auto")
    assert parameters.exportFormats == "seg.nrrd"


def test_the_defaults_are_choices_that_exist(wrap, node):
    from SAMUNetSlicerLib.app.session import FOLLOW_DISPLAY
    from SAMUNetSlicerLib.scene.segments import POLICIES

    parameters = wrap(node)
    assert parameters.window == FOLLOW_DISPLAY
    assert parameters.policy == POLICIES[0]


@pytest.mark.parametrize(
    ("save", "load"), [(save_bundle, load_bundle), (save_mrml, load_mrml)], ids=["mrb", "mrml"]
)
def test_everything_the_panel_sets_comes_back_with_the_scene(wrap, scene, node, tmp_path, save, load):
    volume = add_volume(scene, (4, 5, 6), name="CT")
    segmentation, segment = add_segmentation(scene, ["Läsion"])
    parameters = wrap(node)
    chosen = {
        "segmentId": segment,
        "modelId": "mobilesam",
        "window": "preset:lung",
        "policy": "allowOverlap",
        "prefetch": False,
        "hover": "on",
        "propagationMethod": "fill",
        "propagationDirection": "up",
        "propagationIsLimited": True,
        "propagationFirst": 3,
        "propagationLast": 17,
        "propagationAxes": "all",
        "propagationMinConfidence": 0.25,
        "propagationMinDice": 0.75,
        "batchSource": "markups",
        "batchOrientation": "coronal",
        "batchCount": 5,
        "exportFolder": "C:/Läsionen; neu",
        "exportPattern": "{volume}_{segment}",
        "exportFormats": "nifti csv",
        "exportExisting": "number",
    }
    for name, value in chosen.items():
        setattr(parameters, name, value)
    parameters.volume, parameters.segmentation = volume, segmentation
    assert {*chosen, "volume", "segmentation"} == set(parameters.allParameters)
    save(scene, tmp_path)

    with startScene() as host:
        add_volume(host.scene, (4, 5, 6), name="already there")  # so that IDs change
        load(host.scene, tmp_path)
        loaded = wrap(host.scene.GetFirstNodeByClass("vtkMRMLScriptedModuleNode"))
        assert {name: getattr(loaded, name) for name in chosen} == chosen
        assert loaded.volume.GetName() == "CT"
        assert loaded.segmentation.GetSegmentation().GetSegment(segment)


def test_a_scene_of_an_older_release_gets_the_defaults_of_what_it_lacks(wrap, node):
    node.SetParameter("window", "slice")
    parameters = wrap(node)
    assert (parameters.window, parameters.policy) == ("slice", "protectAll")


@pytest.mark.parametrize(("name", "text"), [("propagationFirst", "the first"), ("propagationMinDice", "")])
def test_a_value_that_cannot_be_read_becomes_the_default(wrap, node, name, text):
    wrap(node).hover = "off"
    node.SetParameter(name, text)
    parameters = wrap(node)
    assert parameters.propagationFirst == 0
    assert parameters.propagationMinDice == 0.5
    assert parameters.hover == "off"


def test_a_choice_of_a_later_release_is_kept_as_it_is(wrap, node):
    node.SetParameter("policy", "somethingNew")
    assert wrap(node).policy == "somethingNew"


def test_removed_nodes_are_forgotten(wrap, scene, node):
    parameters = wrap(node)
    parameters.volume = volume = add_volume(scene, (4, 5, 6))
    parameters.segmentation = segmentation = add_segmentation(scene, ["A"])[0]
    scene.RemoveNode(volume)
    scene.RemoveNode(segmentation)
    assert (parameters.volume, parameters.segmentation) == (None, None)
