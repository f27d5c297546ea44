"""Work on weights in a process of its own: progress, outcome, cancelling, and what stays on the disk."""

import hashlib
import json
import random

import pytest
import torch
from safetensors.torch import save_file

from app.misbehaving_server import MisbehavingServer
from patience import wait_until
from SAMUNetSlicerLib.app.engines import EngineLaunch
from SAMUNetSlicerLib.app.models import WeightsTask, addOwnModel, catalog, userCatalogFile
from SAMUNetSlicerLib.engine.models import load_catalog, weights_path
from SAMUNetSlicerLib.errors import CancelledError, EngineError, InputError, WeightsError
from training.corpora import compact_card

CONTENT = random.Random(0).randbytes(300_000)


@pytest.fixture
def server():
    server = MisbehavingServer(CONTENT)
    with server.running() as url:
        server.url = url
        yield server


@pytest.fixture
def card(server):
    """A model in the user's catalog that the server has the weights of."""
    card = compact_card(
        sources=[{"kind": "url", "url": server.url}],
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        size_bytes=len(CONTENT),
    )
    userCatalogFile().write_text(json.dumps({"models": [card.to_json()]}))
    return card.id


@pytest.fixture
def launch(tmp_path):
    """A Python that takes weights from this computer's own server, which has no certificate."""
    folder = tmp_path / "python"
    folder.mkdir()
    lines = [
        "import SAMUNetSlicerLib.engine.models.cards as cards",
        "import SAMUNetSlicerLib.app.models.httpDownload as httpDownload",
        "cards.problems = lambda *arguments: ()",
        "httpDownload.PLAIN_HOSTS = frozenset({'127.0.0.1'})",
    ]
    (folder / "sitecustomize.py").write_text("\n".join(lines))
    return EngineLaunch(pythonPath=(str(folder),))


class Work:
    """A task and all that it has said."""

    def __init__(self, action, model, file=None, launch=None):
        self.task = WeightsTask(launch or EngineLaunch(), action, model, file)
        self.progress, self.outcomes = [], []
        self.task.progress.connect(lambda done, total: self.progress.append((done, total)))
        self.task.finished.connect(self.outcomes.append)

    def wait(self, condition=None):
        """Poll until the task has ended, or until a condition holds; return the outcome."""
        wait_until(lambda: not self.task.isRunning or (condition is not None and condition()), self.task.poll)
        return self.outcomes[-1] if self.outcomes else None


def test_a_download_tells_its_progress_and_ends_with_the_proven_file(launch, card, private_home):
    work = Work("get", card, launch=launch)
    assert work.wait() is None
    assert work.outcomes == [None]
    assert work.progress[-1] == (len(CONTENT), len(CONTENT))
    assert (private_home / "weights" / "compact.safetensors").read_bytes() == CONTENT


def test_what_is_not_what_was_published_is_refused_with_its_sentence(launch, card, server, private_home):
    server.plan = ["corrupt"]
    outcome = Work("get", card, launch=launch).wait()
    assert isinstance(outcome, WeightsError) and "SHA-256 differs" in str(outcome)
    assert not (private_home / "weights" / "compact.safetensors").exists()


def test_a_cancelled_download_ends_at_once_and_can_be_continued(launch, card, server, private_home):
    server.plan = ["stall"]
    work = Work("get", card, launch=launch)
    work.wait(lambda: work.progress)
    work.task.cancel()
    assert server.isStalling, "it has waited until the server went on"
    assert not work.task.isRunning
    (outcome,) = work.outcomes
    assert isinstance(outcome, CancelledError)
    assert (private_home / "weights" / "compact.safetensors.part").stat().st_size > 0
    server.plan = ["ok"]
    again = Work("get", card, launch=launch)
    assert again.wait() is None
    assert server.ranges[-1] is not None


def test_cancelling_twice_or_after_the_end_says_nothing_more(launch, card):
    work = Work("get", card, launch=launch)
    work.wait()
    work.task.cancel()
    work.task.poll()
    assert work.outcomes == [None]


def test_a_file_that_the_user_has_is_taken_over(launch, card, tmp_path, private_home):
    (tmp_path / "mine").write_bytes(CONTENT)
    assert Work("take", card, tmp_path / "mine", launch).wait() is None
    assert (private_home / "weights" / "compact.safetensors").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("content", "sentence"), [(CONTENT, None), (CONTENT[1:], "damaged"), (None, "are not on this computer")]
)
def test_weights_are_proven_by_their_sum(launch, card, private_home, content, sentence):
    if content is not None:
        (private_home / "weights").mkdir()
        (private_home / "weights" / "compact.safetensors").write_bytes(content)
    outcome = Work("check", card, launch=launch).wait()
    assert outcome is None if sentence is None else sentence in str(outcome)


@pytest.mark.long
def test_own_weights_become_a_model_of_their_own(tmp_path):
    bundled = weights_path(load_catalog().get("samunet_compact"), tmp_path)
    file = tmp_path / "Meine Leber (2).safetensors"
    file.symlink_to(bundled)
    assert Work("add", "samunet_compact", file).wait() is None
    (own,) = set(catalog().cards) - set(load_catalog().cards)
    card = catalog().get(own)
    assert own == "meine_leber_2"
    assert card.title.startswith("Meine Leber (2)")
    assert card.sha256 == hashlib.sha256(bundled.read_bytes()).hexdigest()
    assert "whoever gave you the file" in card.license.weights and card.accuracy == ()


def test_own_weights_of_a_name_that_is_taken_get_a_number(tmp_path, monkeypatch):
    monkeypatch.setattr("SAMUNetSlicerLib.engine.models.loader.load_model", lambda *_, **__: None)
    file = tmp_path / "Liver.pth"
    file.write_bytes(CONTENT)
    base = load_catalog().get("samunet_compact")
    assert [addOwnModel(base, file) for _ in range(3)] == ["liver", "liver_2", "liver_3"]


@pytest.mark.long
def test_another_networks_weights_are_refused_and_nothing_is_kept(tmp_path, private_home):
    save_file({"conv.weight": torch.zeros(3)}, tmp_path / "other.safetensors")
    outcome = Work("add", "samunet_compact", tmp_path / "other.safetensors").wait()
    assert isinstance(outcome, WeightsError)
    assert set(catalog().cards) == set(load_catalog().cards)
    assert not (private_home / "weights").exists()


def test_a_file_with_another_ending_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("weights")
    outcome = Work("add", "samunet_compact", tmp_path / "notes.txt").wait()
    assert isinstance(outcome, InputError) and "no weights file" in str(outcome)


def test_a_process_that_dies_is_one_sentence_that_leads_to_the_log(tmp_path):
    launch = EngineLaunch(environment={"PYTHONHOME": str(tmp_path)}, logPath=tmp_path / "log")
    outcome = Work("check", "samunet_compact", launch=launch).wait()
    assert isinstance(outcome, EngineError)
    assert "stopped unexpectedly" in str(outcome) and str(tmp_path / "log") in str(outcome)
