"""The module file as Slicer uses it: described, harmless to open, and segmenting from a script."""

import importlib
import json
import sys
import types

import pytest
import slicer
from PySide6 import QtWidgets

from fakes import slicerApplication
from SAMUNetSlicerLib.app.files import loadVolume, startScene
from SAMUNetSlicerLib.errors import CancelledError, InputError, WeightsError
from SAMUNetSlicerLib.scene.geometry import planeFromAxis
from SAMUNetSlicerLib.scene.segments import SegmentWriter
from scene.segmentation_scene import add_volume
from scene.test_prompt_saving import load_mrml, save_mrml


@pytest.fixture
def host():
    with startScene() as host:
        yield host


@pytest.fixture
def parent(monkeypatch, host, tmp_path):
    return slicerApplication.install(monkeypatch, host.scene, tmp_path)


@pytest.fixture
def module(parent):
    sys.modules.pop("SAMUNetSlicer", None)
    yield importlib.import_module("SAMUNetSlicer")
    sys.modules.pop("SAMUNetSlicer", None)


@pytest.fixture
def prompts_file(tmp_path):
    """A box around the liver of the sample volume."""
    entry = {
        "plane": {"orientation": "axial", "index": 10},
        "boxes": [{"ras": [[152.98, 254.85, -784.5], [-21.14, 63.54, -784.5]]}],
    }
    path = tmp_path / "prompts.json"
    path.write_text(json.dumps({"version": 1, "segments": [{"name": "Liver", "planes": [entry]}]}))
    return str(path)


def test_the_module_describes_itself(module, parent):
    module.SAMUNetSlicer(parent)
    assert parent.categories == ["Segmentation"]
    assert "research use" in parent.helpText
    assert module.HOMEPAGE in parent.helpText
    assert "2408.09886" in parent.acknowledgementText


def test_the_sample_volume_is_offered_once_slicer_has_started(module, parent, monkeypatch):
    registered = []
    logic = types.SimpleNamespace(registerCustomSampleDataSource=lambda **source: registered.append(source))
    monkeypatch.setitem(sys.modules, "SampleData", types.SimpleNamespace(SampleDataLogic=logic))
    module.SAMUNetSlicer(parent)
    assert not registered
    slicer.app.listeners["startupCompleted()"]()
    assert [source["sampleName"] for source in registered] == ["SAMUNetAbdominalCT"]


@pytest.fixture
def widget(module):
    """The module's panel, with Slicer's word on whether it is shown."""
    widget = module.SAMUNetSlicerWidget()
    widget.setup()
    yield widget
    widget.cleanup()


def test_what_was_chosen_comes_back_when_the_module_is_entered_again(widget):
    widget.enter()
    widget.panel.choices.policy.choose("allowOverlap")
    widget.exit()
    widget.panel.useParameters(None)
    widget.panel.choices.policy.choose("protectAll")
    widget.enter()
    assert widget.panel.choices.policy.key == "allowOverlap"


@pytest.mark.parametrize("is_entered", [True, False])
def test_the_panel_survives_the_closing_of_the_scene(widget, host, is_entered):
    widget.parent.pyside.isEntered = is_entered
    widget.onSceneStartClose()
    host.scene.Clear(0)
    widget.onSceneChanged()
    assert widget.panel.session.volumeNode is None


@pytest.fixture
def working(widget, host):
    """The module is shown, with a segment that has a prompt and with choices that are not the defaults."""
    widget.parent.pyside.isEntered = True
    widget.enter()
    panel, volume = widget.panel, add_volume(host.scene, name="CT")
    widget.ui.volumeSelector.setCurrentNode(volume)
    for name in ("Liver", "Spleen"):
        panel.session.addSegment(name)
    plane = planeFromAxis(volume, "K", 3)
    position = plane.pixelToRAS([(5, 5)])[0]
    panel.session.workspace.prompts.addPoint(panel.session.segmentId, "positive", position, plane)
    panel.choices.policy.choose("allowOverlap")
    return widget


def test_a_scene_that_is_loaded_into_the_open_panel_is_taken_up_where_it_was_left(working, host, tmp_path):
    chosen = working.panel.session.segmentId
    save_mrml(host.scene, tmp_path)
    working.panel.choices.policy.choose("protectAll")
    host.scene.Clear(0)
    assert working.panel.session.volumeNode is None
    load_mrml(host.scene, tmp_path)
    session = working.panel.session
    assert session.volumeNode.GetName() == "CT"
    assert session.segmentationNode.GetSegmentation().GetNumberOfSegments() == 2
    assert session.segmentId == chosen
    assert working.panel.choices.policy.key == "allowOverlap"
    assert len(session.prompts(planeFromAxis(session.volumeNode, "K", 3))) == 1
    assert working.ui.volumeSelector.currentNode() is session.volumeNode


def test_a_scene_that_is_added_to_this_one_leaves_the_work_as_it_is(working, host, tmp_path):
    with startScene() as other:
        add_volume(other.scene, name="Other")
        save_mrml(other.scene, tmp_path)
    session = working.panel.session
    before = session.volumeNode, session.segmentationNode, session.segmentId
    load_mrml(host.scene, tmp_path)
    assert host.scene.GetFirstNodeByName("Other") is not None
    assert (session.volumeNode, session.segmentationNode, session.segmentId) == before
    assert working.ui.volumeSelector.currentNode() is session.volumeNode
    assert working.ui.segmentationSelector.currentNode() is session.segmentationNode
    assert working.panel.choices.policy.key == "allowOverlap"


def test_a_scene_that_is_loaded_while_another_module_is_shown_waits_for_this_one(working, host, tmp_path):
    save_mrml(host.scene, tmp_path)
    working.exit()
    working.parent.pyside.isEntered = False
    host.scene.Clear(0)
    load_mrml(host.scene, tmp_path)
    working.parent.pyside.isEntered = True
    working.enter()
    assert working.panel.session.volumeNode.GetName() == "CT"
    assert working.panel.choices.policy.key == "allowOverlap"


def test_the_old_panel_is_closed_without_the_new_library(widget):
    """Slicer closes it when the new module file has been read."""
    before = {name: module for name, module in sys.modules.items() if name.startswith("SAMUNetSlicerLib")}
    widget.enter()
    widget.onReload()
    widget.cleanup()
    assert not [name for name in sys.modules if name.startswith("SAMUNetSlicerLib")]
    sys.modules.update(before)


def test_a_module_that_is_reloaded_while_it_is_shown_goes_on_working(module, widget):
    widget.parent.pyside.isEntered = True
    widget.enter()
    widget.cleanup()
    again = module.SAMUNetSlicerWidget(widget.parent)
    again.setup()
    again.panel.tools.setTool("positive")
    assert again.panel.views._tools.tool == "positive"
    again.cleanup()


def test_reloading_imports_the_library_anew(widget, monkeypatch):
    before = {name: module for name, module in sys.modules.items() if name.startswith("SAMUNetSlicerLib")}
    widget.onReload()
    assert not [name for name in sys.modules if name.startswith("SAMUNetSlicerLib")]
    sys.modules.update(before)


@pytest.fixture
def broken(module, monkeypatch):
    """The widget after its setup with a package that the panel needs broken; ``mend`` repairs it."""

    def fail(*_arguments):
        raise ImportError("DLL load failed while importing _imaging", name="PIL._imaging")

    panel = importlib.import_module("SAMUNetSlicerLib.ui.panel")
    with monkeypatch.context() as patch:
        patch.setattr(panel, "Panel", fail)
        widget = module.SAMUNetSlicerWidget()
        widget.mend = patch.undo
        widget.setup()
        yield widget
    widget.cleanup()


def texts(widget):
    parts = widget.parent.pyside.findChildren(QtWidgets.QLabel)
    return [part.text() for part in parts if not part.isHidden() and part.text()]


def test_a_panel_that_cannot_be_built_says_what_is_missing_and_what_to_do(broken):
    (text,) = texts(broken)
    assert "PIL is missing or broken (DLL load failed" in text and "pip_install" in text
    assert "pillow" in text


def test_a_panel_that_cannot_be_built_is_entered_and_left_and_closed_without_an_error(broken):
    for _ in range(2):
        broken.enter()
        broken.exit()
    broken.cleanup()


def test_a_panel_is_built_as_soon_as_what_was_missing_is_there(broken):
    broken.mend()
    broken.parent.pyside.isEntered = True
    (button,) = [
        each
        for each in broken.parent.pyside.findChildren(QtWidgets.QPushButton)
        if each.text() == "Try again"
    ]
    button.click()
    assert broken.panel is not None
    assert "Choose a volume" in broken.ui.statusText.text


def test_an_extension_that_is_incomplete_says_so(module, monkeypatch):
    monkeypatch.setitem(sys.modules, "SAMUNetSlicerLib.ui.panel", None)
    monkeypatch.setitem(sys.modules, "SAMUNetSlicerLib.ui.setup.failurePage", None)
    widget = module.SAMUNetSlicerWidget()
    widget.setup()
    widget.enter()
    (text,) = texts(widget)
    assert "incomplete" in text and "reinstall" in text


@pytest.mark.parametrize("home", ["unwritable", "damaged catalog"])
def test_whatever_is_wrong_with_the_home_folder_the_panel_is_not_empty(module, monkeypatch, tmp_path, home):
    if home == "unwritable":
        (tmp_path / "file").touch()
        monkeypatch.setenv("SAMUNET_HOME", str(tmp_path / "file" / "home"))
    else:
        monkeypatch.setenv("SAMUNET_HOME", str(tmp_path))
        (tmp_path / "models.json").write_text("{")
    widget = module.SAMUNetSlicerWidget()
    widget.setup()
    widget.enter()
    if home == "unwritable":
        assert widget.panel is not None
    else:
        assert "models.json is not valid JSON" in texts(widget)[0]
    widget.exit()
    widget.cleanup()


def test_opening_the_panel_loads_no_torch_and_starts_no_engine(module):
    before = set(sys.modules)
    widget = module.SAMUNetSlicerWidget()
    widget.setup()
    widget.enter()
    assert not {name for name in set(sys.modules) - before if name.startswith("torch")}
    assert widget.panel.session.engine.pid is None
    widget.cleanup()


def test_importing_the_module_file_loads_nothing_of_the_library(parent, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("SAMUNetSlicer")]:
        monkeypatch.delitem(sys.modules, name)
    importlib.import_module("SAMUNetSlicer")
    assert not [name for name in sys.modules if name.startswith("SAMUNetSlicerLib")]


def test_without_weights_the_sentence_says_how_to_get_them(module, host, prompts_file):
    volume = host.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    with pytest.raises(WeightsError, match="samunet models get"):
        module.SAMUNetSlicerLogic().segment(volume, prompts_file, modelId="litemedsam")


def test_without_a_volume_the_sentence_says_so(module, installed_weights, prompts_file):
    with pytest.raises(InputError, match="no volume to segment"):
        module.SAMUNetSlicerLogic().segment(None, prompts_file)


def test_weights_are_obtained_only_if_the_user_says_yes(module, monkeypatch):
    questions = []
    monkeypatch.setattr(slicer.util, "confirmYesNoDisplay", lambda text: bool(questions.append(text)))
    with pytest.raises(CancelledError):
        module.SAMUNetSlicerLogic().obtainWeights("litemedsam")
    assert "Apache-2.0" in questions[0]


def test_weights_that_are_here_are_not_asked_for(module, installed_weights, private_home):
    path = module.SAMUNetSlicerLogic().obtainWeights("litemedsam")
    assert path == str(private_home / "weights" / "lite_medsam.pth")


@pytest.mark.weights
def test_a_script_segments_the_liver_while_slicer_stays_alive(
    module, host, installed_weights, prompts_file, repository
):
    folder = repository / "Resources" / "SampleData"
    volume = loadVolume(host, folder / "ts_ct512.nii.gz")
    truth = loadVolume(host, folder / "ts_ct512_seg.nii.gz")
    node = module.SAMUNetSlicerLogic().segment(volume, prompts_file, modelId="litemedsam")
    (segment_id,) = node.GetSegmentation().GetSegmentIDs()
    plane = planeFromAxis(volume, "axial", 10)
    mask = SegmentWriter(host.scene).readMask(node, segment_id, plane)
    liver = slicer.util.arrayFromVolume(truth)[10] == 5
    assert liver.sum() * 0.9 < mask.sum() < liver.sum() * 1.1
    assert slicer.app.processed > 0


@pytest.fixture
def installed_weights(litemedsam_weights, private_home):
    (private_home / "weights").mkdir()
    (private_home / "weights" / "lite_medsam.pth").symlink_to(litemedsam_weights)
