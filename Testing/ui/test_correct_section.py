"""Slicer's own editing tools in the panel, on the segment that prompts work on."""

import pytest
import slicer


@pytest.fixture
def editor(bench):
    """The opened section's editor, with a segment chosen."""
    bench.click("positiveButton")
    bench.session.addPoint((20, 20))
    bench.tick()
    bench.ui.correctSection.collapsed = False
    return bench.panel.correct.editor


def node_of(editor):
    return editor.mrmlSegmentEditorNode()


def test_the_editor_is_made_when_the_section_is_first_opened(bench):
    assert bench.panel.correct.editor is None
    bench.ui.correctSection.collapsed = False
    assert bench.panel.correct.editor is not None


def test_it_works_on_what_the_session_works_on(bench, editor):
    node = node_of(editor)
    assert node.GetSegmentationNode() is bench.session.segmentationNode
    assert node.GetSourceVolumeNode() is bench.volume
    assert node.GetSelectedSegmentID() == bench.session.segmentId
    bench.click("nextSegmentButton")
    assert node.GetSelectedSegmentID() == bench.session.segmentId


def test_it_shows_nothing_that_the_panel_has_itself(editor):
    assert not editor.undoEnabled
    assert not editor.segmentationNodeSelectorVisible
    assert slicer.util.findChild(editor, "SegmentsTableView").pyside.isHidden()


def test_it_does_not_disturb_the_segment_editor_module(bench, editor):
    assert node_of(editor).GetSingletonTag() == "SAMUNetSlicer"


def test_an_effect_puts_the_prompt_tool_down_and_the_other_way_round(bench, editor):
    assert bench.panel.tools.tool == "positive"
    node_of(editor).SetActiveEffectName("Paint")
    assert bench.panel.tools.tool is None
    bench.click("boxButton")
    assert node_of(editor).GetActiveEffectName() == ""


def test_closing_the_section_puts_the_effect_down(bench, editor):
    node_of(editor).SetActiveEffectName("Paint")
    bench.ui.correctSection.collapsed = True
    assert node_of(editor).GetActiveEffectName() == ""


def test_leaving_the_module_gives_the_views_back(bench, editor):
    assert editor.pyside.observes_views
    node_of(editor).SetActiveEffectName("Paint")
    bench.panel.exit()
    assert not editor.pyside.observes_views
    assert node_of(editor).GetActiveEffectName() == ""
    bench.panel.enter()
    assert editor.pyside.observes_views


def test_it_survives_the_closing_of_the_scene(bench, editor):
    bench.scene.Clear(0)
    bench.tick()
    assert node_of(editor).GetSegmentationNode() is None


def test_what_the_editor_chooses_by_itself_is_put_right(bench, editor):
    """As at the end of an import, from its hidden selectors."""
    node = node_of(editor)
    node.SetAndObserveSegmentationNode(None)
    node.SetAndObserveSourceVolumeNode(None)
    bench.tick()
    assert node.GetSegmentationNode() is bench.session.segmentationNode
    assert node.GetSourceVolumeNode() is bench.volume


def test_strokes_are_undone_with_the_panels_undo(bench, editor):
    before = bench.mask()
    bench.paint(rows=slice(30, 35), columns=slice(30, 35))
    bench.tick()
    assert bench.mask().sum() == before.sum() + 25
    bench.click("undoButton")
    assert (bench.mask() == before).all()


def test_a_painted_mask_becomes_the_prompt(bench, editor):
    bench.click("nextSegmentButton")
    bench.click("maskPromptButton")
    assert "there is no mask to start from" in bench.ui.statusText.text
    bench.paint(rows=slice(30, 35), columns=slice(30, 35))
    bench.tick()
    bench.click("maskPromptButton")
    assert "there is no mask" not in bench.ui.statusText.text
