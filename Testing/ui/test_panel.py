"""The panel is driven as a user would, and says what happens."""

import pytest
import shiboken6
import slicer
from PySide6 import QtGui

from SAMUNetSlicerLib.errors import EngineError
from ui.bench import noise

# What Slicer's slice views and the Segment Editor with its effects react to (sources of 5.8.1 and 5.12.3).
SLICER_KEYS = [*"BFGRTV[]{}QWZYI,./*<>AX+-S", *"0123456789", "Left", "Right", "Up", "Down", "Esc", "Space"]


def click_on_structure(bench, x=20, y=20):
    if bench.panel.tools.tool is None:
        bench.click("positiveButton")
    bench.session.addPoint((x, y))
    bench.tick()


def shortcuts():
    return slicer.app.mainWindow.pyside.findChildren(QtGui.QShortcut)


def test_a_first_result_needs_a_tool_and_a_click(bench):
    bench.click("positiveButton")
    click_on_structure(bench)
    assert bench.ui.segmentationSelector.currentNode() is bench.session.segmentationNode
    assert bench.ui.segmentsTable.selectedSegmentIDs() == (bench.session.segmentId,)


def test_the_line_tells_times_and_confidence(bench):
    bench.click("positiveButton")
    click_on_structure(bench)
    assert "Confidence 0.90, slice encoded in 1 ms, mask computed in 0 ms" in bench.ui.statusText.text


def test_the_line_tells_how_many_slices_are_ready(bench):
    bench.session.progress.emit(2, 10)
    assert bench.ui.statusText.text.endswith(", 2 slices ready")
    bench.session.progress.emit(10, 10)
    assert bench.ui.statusText.text.endswith(", all 10 slices ready")


def test_nothing_is_started_before_a_tool_is_taken(bench):
    bench.tick()
    assert bench.engine.status is None
    bench.click("boxButton")
    assert bench.engine.status is not None


def test_one_tool_at_most_is_down(bench):
    bench.click("positiveButton")
    bench.click("negativeButton")
    assert (bench.ui.positiveButton.checked, bench.ui.negativeButton.checked) == (False, True)
    bench.click("negativeButton")
    assert bench.panel.tools.tool is None


def test_a_key_takes_a_tool_and_puts_it_down(bench):
    (key,) = [shortcut for shortcut in shortcuts() if shortcut.key().toString() == "N"]
    key.activated.emit()
    assert bench.panel.tools.tool == "negative"
    key.activated.emit()
    assert bench.panel.tools.tool is None


def test_keys_are_there_only_while_the_module_is_shown(bench):
    assert {shortcut.key().toString() for shortcut in shortcuts()} == {"P", "N", "D", "Ctrl+Z", "Ctrl+Y"}
    bench.panel.exit()
    assert not shortcuts()
    bench.panel.enter()
    assert len(shortcuts()) == 5


def test_no_key_is_one_that_slicer_uses_in_views(bench):
    assert not {shortcut.key().toString() for shortcut in shortcuts()} & set(SLICER_KEYS)


def test_leaving_the_module_puts_the_tool_down(bench):
    bench.click("positiveButton")
    bench.panel.exit()
    assert bench.panel.tools.tool is None
    assert not bench.ui.positiveButton.checked


def test_buttons_that_can_do_nothing_are_off(bench):
    names = ("acceptButton", "clearButton", "undoButton", "redoButton", "nextSegmentButton")
    assert not [name for name in names if getattr(bench.ui, name).enabled]
    click_on_structure(bench)
    assert [name for name in names if getattr(bench.ui, name).enabled] == [*names[:3], "nextSegmentButton"]


def test_undo_and_redo_say_what_they_would_do(bench):
    click_on_structure(bench)
    assert bench.ui.undoButton.toolTip.startswith("Undo: ")
    bench.click("undoButton")
    assert bench.ui.undoButton.toolTip == "Nothing to undo"
    assert bench.ui.redoButton.toolTip.startswith("Redo: ")
    bench.click("redoButton")
    assert len(bench.session.prompts()) == 1


def test_accept_keeps_the_mask_and_clear_takes_it(bench):
    click_on_structure(bench)
    bench.click("acceptButton")
    assert not bench.session.prompts()
    assert bench.mask().any()
    bench.click("nextSegmentButton")
    click_on_structure(bench, x=40)
    bench.click("clearButton")
    assert not bench.mask().any()


def test_segments_are_added_chosen_and_removed_in_the_table(bench):
    bench.click("addSegmentButton")
    first = bench.session.segmentId
    bench.click("addSegmentButton")
    second = bench.session.segmentId
    bench.ui.segmentsTable.setSelectedSegmentIDs([first])
    assert bench.session.segmentId == first
    bench.click("removeSegmentButton")
    assert bench.session.segmentationNode.GetSegmentation().GetSegmentIDs() == (second,)
    assert bench.session.segmentId is None


def test_a_volume_that_leaves_the_scene_is_no_longer_chosen(bench):
    click_on_structure(bench)
    bench.scene.RemoveNode(bench.volume)
    bench.tick()
    assert bench.ui.volumeSelector.currentNode() is None
    assert "Choose a volume" in bench.panel._hint()
    assert not bench.ui.sampleButton.pyside.isHidden()


def test_after_the_volume_has_left_the_line_tells_nothing_of_its_masks(bench):
    click_on_structure(bench)
    assert "confidence" in bench.ui.statusText.text.lower()
    bench.scene.RemoveNode(bench.volume)
    bench.tick()
    assert bench.ui.statusText.text.startswith("Choose a volume")


def test_a_volume_that_is_loaded_while_the_module_is_shown_is_chosen(bench):
    bench.scene.RemoveNode(bench.volume)
    bench.tick()
    loaded = noise(bench.scene)
    bench.tick()
    assert bench.session.volumeNode is None  # no view shows it yet
    composite = bench.scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    composite.SetBackgroundVolumeID(loaded.GetID())
    bench.tick()
    assert bench.session.volumeNode is loaded
    assert bench.ui.volumeSelector.currentNode() is loaded


def test_a_volume_that_is_loaded_in_another_module_waits_for_this_one(bench):
    bench.scene.RemoveNode(bench.volume)
    bench.panel.exit()
    loaded = noise(bench.scene)
    composite = bench.scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    composite.SetBackgroundVolumeID(loaded.GetID())
    bench.tick()
    assert bench.session.volumeNode is None
    bench.panel.enter()
    assert bench.session.volumeNode is loaded


def test_no_volume_is_a_choice_that_other_nodes_do_not_undo(bench):
    bench.ui.volumeSelector.setCurrentNode(None)
    bench.scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode")
    bench.tick()
    assert bench.session.volumeNode is None


def test_loading_a_network_shows_a_bar_at_once(bench):
    bench.engine.is_automatic = False
    bench.click("positiveButton")
    assert not bench.ui.progressBar.pyside.isHidden()
    assert bench.ui.progressBar.pyside.format().startswith("Loading")


def test_closing_the_scene_leaves_an_empty_panel(bench):
    bench.click("positiveButton")
    click_on_structure(bench)
    bench.scene.Clear(0)
    bench.tick()
    assert bench.session.volumeNode is bench.session.segmentationNode is None
    assert bench.ui.segmentsTable.segmentationNode() is None


def test_an_error_is_one_sentence_in_the_line(bench):
    bench.session.error.emit(EngineError("There is no room on the device; choose the CPU."))
    assert bench.ui.statusText.text == "There is no room on the device; choose the CPU."


def test_the_same_error_is_logged_once(bench, caplog):
    for _ in range(3):
        bench.session.error.emit(EngineError("There is no room on the device; choose the CPU."))
    assert [record.message for record in caplog.records].count(
        "There is no room on the device; choose the CPU."
    ) == 1


def test_a_fault_of_the_program_is_a_sentence_too(bench, caplog):
    def fail():
        raise ZeroDivisionError("nothing to divide by")

    bench.panel.status.guard(fail)()
    assert "nothing to divide by" in bench.ui.statusText.text
    assert "ZeroDivisionError" in caplog.text
    caplog.clear()


def test_choices_reach_the_session(bench):
    bench.panel.choices.policy.choose("allowOverlap")
    bench.panel.choices.window.choose("preset:lung")
    assert bench.session.workspace.policy == "allowOverlap"
    assert bench.session.workspace.windowChoice.mode == "preset:lung"


def test_a_network_without_weights_says_so_and_the_one_in_use_stays(bench):
    bench.click("positiveButton")
    bench.panel.model.box.choose("litemedsam")
    assert "weights" in bench.ui.modelText.text
    assert "weights" in bench.ui.statusText.text
    assert bench.engine.status.model_id == "samunet_compact"


def test_the_device_is_kept_in_slicers_settings(bench):
    import qt

    bench.panel.advanced.device.choose("cpu")
    assert qt.QSettings().value("SAMUNetSlicer/Device") == "cpu"
    assert bench.panel.advanced.engineOptions()["device"] == "cpu"


def test_another_device_loads_the_network_again_only_if_it_was_loaded(bench):
    bench.panel.advanced.device.choose("cuda")
    assert bench.engine.status is None
    bench.click("positiveButton")
    bench.engine.service.status = None
    bench.panel.advanced.device.choose("cpu")
    bench.tick()
    assert bench.engine.status is not None


def test_without_a_main_window_there_are_no_keys_and_no_errors(bench):
    bench.panel.exit()
    slicer.app.mainWindow = None
    bench.panel.enter()
    bench.tick()


def test_leaving_and_closing_twice_does_no_harm(bench):
    for _ in range(2):
        bench.panel.exit()
    for _ in range(2):
        bench.panel.close()


def test_widgets_that_are_gone_when_slicer_quits_do_not_keep_the_engine_alive(bench, monkeypatch, caplog):
    """The main window, and what belongs to it, is deleted before modules are."""
    closed = []
    monkeypatch.setattr(bench.engine, "close", lambda: closed.append(True))
    for shortcut in shortcuts():
        shiboken6.delete(shortcut)
    bench.panel.close()
    assert closed
    assert "destroyed QShortcut" in caplog.text
    caplog.clear()


@pytest.fixture
def parameters(bench):
    node = bench.scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
    bench.panel.useParameters(node)
    return node


def test_choices_are_kept_in_the_scene(bench, parameters):
    bench.ui.volumeSelector.setCurrentNode(bench.volume)
    bench.panel.choices.policy.choose("allowOverlap")
    bench.ui.confidenceSpin.value = 0.25
    assert parameters.GetNodeReference("volume") is bench.volume
    assert parameters.GetParameter("policy") == "allowOverlap"
    assert float(parameters.GetParameter("propagationMinConfidence")) == 0.25


def test_a_script_that_changes_the_parameter_node_changes_the_panel(bench, parameters):
    parameters.SetParameter("window", "preset:bone")
    assert bench.panel.choices.window.key == "preset:bone"
    assert bench.session.workspace.windowChoice.mode == "preset:bone"


def test_a_choice_that_this_version_does_not_know_is_ignored(bench, parameters):
    parameters.SetParameter("policy", "fromTheFuture")
    assert bench.panel.choices.policy.key == "protectAll"


def test_a_node_that_was_let_go_of_is_not_written_to(bench, parameters):
    bench.panel.useParameters(None)
    bench.panel.choices.policy.choose("allowOverlap")
    assert parameters.GetParameter("policy") == "protectAll"


def test_the_volume_that_the_views_show_is_chosen_when_the_module_is_entered(bench):
    bench.ui.volumeSelector.setCurrentNode(None)
    bench.panel.exit()
    bench.panel.enter()
    assert bench.session.volumeNode is bench.volume


def test_the_weights_are_shown_in_a_window_that_is_made_once(bench):
    bench.click("weightsButton")
    dialog = bench.panel.model._dialog
    assert dialog.dialog.visible
    bench.click("weightsButton")
    assert bench.panel.model._dialog is dialog
