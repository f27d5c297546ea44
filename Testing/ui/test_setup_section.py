"""What still has to be installed is shown, and nothing is loaded before it is."""

import pytest

from SAMUNetSlicerLib.errors import CancelledError


@pytest.fixture
def missing(bench, monkeypatch):
    """torch is missing until a button is pressed and the user agrees."""
    from SAMUNetSlicerLib.ui.sections import setupSection

    state = {"text": "Still to be installed: torch.", "folders": []}

    def install(folder=None):
        state["folders"].append(folder)
        state["text"] = ""
        return True

    monkeypatch.setattr(setupSection, "missingText", lambda: state["text"])
    monkeypatch.setattr(setupSection, "installRequirements", install)
    bench.panel.exit()
    bench.panel.enter()
    return state


def test_the_frame_is_there_only_while_something_is_missing(bench, missing):
    assert not bench.ui.setupFrame.pyside.isHidden()
    assert bench.ui.setupText.text == missing["text"]
    bench.click("setupButton")
    assert bench.ui.setupFrame.pyside.isHidden()
    assert bench.ui.statusText.text.startswith("Everything is installed")


def test_no_network_is_loaded_while_something_is_missing(bench, missing):
    bench.click("positiveButton")
    assert bench.engine.status is None
    assert bench.ui.statusText.text == "Packages that the network needs are missing: press Install."


def test_the_network_is_loaded_at_once_after_installing_with_a_tool_in_hand(bench, missing):
    bench.click("positiveButton")
    bench.click("setupButton")
    assert bench.engine.status is not None


def test_a_folder_of_wheels_serves_without_a_network(bench, missing, monkeypatch, tmp_path):
    from PySide6 import QtWidgets

    monkeypatch.setattr(QtWidgets.QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    bench.click("setupFolderButton")
    assert missing["folders"] == [tmp_path]


def test_who_does_not_agree_is_asked_again_later(bench, missing, monkeypatch):
    from SAMUNetSlicerLib.ui.sections import setupSection

    def refuse(folder=None):
        raise CancelledError("Nothing was installed.")

    monkeypatch.setattr(setupSection, "installRequirements", refuse)
    bench.click("setupButton")
    assert bench.ui.statusText.text.startswith("Nothing was installed")
    assert not bench.ui.setupFrame.pyside.isHidden()


def test_who_will_restart_later_is_reminded(bench, missing, monkeypatch):
    from SAMUNetSlicerLib.ui.sections import setupSection

    monkeypatch.setattr(setupSection, "installRequirements", lambda folder: False)
    bench.click("setupButton")
    assert bench.ui.statusText.text.startswith("Restart Slicer")
    assert bench.engine.status is None


def test_the_sample_is_one_click_away_from_a_first_mask(bench, monkeypatch):
    from SAMUNetSlicerLib.ui import panel

    monkeypatch.setattr(panel, "loadSample", lambda: bench.volume)
    bench.ui.volumeSelector.setCurrentNode(None)
    bench.click("sampleButton")
    assert bench.session.volumeNode is bench.volume
    assert bench.panel.tools.tool == "positive"
    assert "liver" in bench.ui.statusText.text
