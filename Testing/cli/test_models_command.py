"""``samunet models``: every network is listed honestly, and its weights come and go as the user says."""

import hashlib
import json
import random
from dataclasses import replace

import pytest

from app.misbehaving_server import MisbehavingServer
from SAMUNetSlicerLib.app.models import userModels
from SAMUNetSlicerLib.cli.main import main
from SAMUNetSlicerLib.engine.models import cards

CONTENT = random.Random(0).randbytes(5_000)


@pytest.fixture
def published(monkeypatch):
    """The catalog, with one model whose weights a local server offers; yields the server."""
    server = MisbehavingServer(CONTENT)
    original = cards.load_catalog()
    with server.running() as url:
        card = replace(
            original.get("litemedsam"),
            sources=(cards.Source("url", url=url),),
            sha256=hashlib.sha256(CONTENT).hexdigest(),
            size_bytes=len(CONTENT),
        )
        catalog = cards.Catalog({**original.cards, card.id: card}, original.defaults)
        monkeypatch.setattr(userModels, "catalog", lambda: catalog)
        yield server


def answer(monkeypatch, text):
    class Terminal:
        def isatty(self):
            return True

        def readline(self):
            return text

    monkeypatch.setattr("sys.stdin", Terminal())


def test_the_list_names_every_model_the_default_and_what_to_do(capsys):
    assert main(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("* samunet_compact") and "  installed  " in line for line in lines)
    assert any(line.startswith("  litemedsam") and "get, 39 MB" in line for line in lines)
    assert any("samunet_res34" in line and "you supply a file" in line for line in lines)


def test_the_list_as_json_is_one_object(capsys):
    assert main(["models", "--json", "list"]) == 0
    models = json.loads(capsys.readouterr().out)["models"]
    assert [model["id"] for model in models] == list(cards.load_catalog().cards)
    assert sum(model["default"] for model in models) == 1
    assert {model["id"] for model in models if model["weights"]} == {"samunet_compact"}


def test_one_model_is_shown_with_license_limits_and_citation(capsys):
    assert main(["models", "show", "samunet_res34"]) == 0
    text = capsys.readouterr().out
    for word in ("256 x 256", "boxes", "SA-Med2D-16M", "CC-BY-NC-SA", "2408.09886", "samunet models get"):
        assert word in text


def test_figures_that_were_found_on_the_same_data_are_one_line(capsys):
    assert main(["models", "show", "samunet_compact"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  Dice")]
    assert len(lines) == 1
    assert "(exact box)" in lines[0] and "0.898 (10 clicks)" in lines[0]


def test_getting_with_yes_downloads_proves_and_says_where(published, private_home, capsys):
    assert main(["models", "get", "litemedsam", "--yes", "--json"]) == 0
    path = private_home / "weights" / "lite_medsam.pth"
    assert path.read_bytes() == CONTENT
    assert json.loads(capsys.readouterr().out) == {"id": "litemedsam", "weights": str(path)}


def test_nothing_is_downloaded_when_nobody_can_be_asked(published, capsys):
    assert main(["models", "get", "litemedsam"]) == 1
    assert "run the same command with --yes" in capsys.readouterr().err
    assert published.requests == []


@pytest.mark.parametrize(("reply", "code"), [("y\n", 0), ("n\n", 130), ("\n", 130), ("", 130)])
def test_the_terminal_is_asked_and_only_yes_means_yes(published, monkeypatch, capsys, reply, code):
    answer(monkeypatch, reply)
    assert main(["models", "get", "litemedsam"]) == code
    assert "License of the weights: Apache-2.0" in capsys.readouterr().err
    assert bool(published.requests) == (code == 0)


def test_a_failed_download_has_its_exit_code_and_leaves_nothing(published, private_home, capsys):
    published.plan = [404]
    assert main(["models", "get", "litemedsam", "--yes", "--json"]) == 5
    captured = capsys.readouterr()
    assert json.loads(captured.out)["exitCode"] == 5
    assert captured.err.splitlines()[-1].startswith("samunet: lite_medsam.pth could not be downloaded")
    assert not (private_home / "weights" / "lite_medsam.pth").exists()


def test_a_file_the_user_has_is_taken_without_a_network(published, tmp_path, private_home):
    (tmp_path / "own.pth").write_bytes(CONTENT)
    assert main(["models", "get", "litemedsam", "--from", str(tmp_path / "own.pth")]) == 0
    assert (private_home / "weights" / "lite_medsam.pth").read_bytes() == CONTENT
    assert published.requests == []


def test_a_file_of_an_unpublished_model_must_build_its_network(tmp_path, private_home, capsys):
    (tmp_path / "own.pth").write_bytes(b"these are no weights")
    assert main(["models", "get", "samunet_res34", "--from", str(tmp_path / "own.pth")]) == 5
    assert not (private_home / "weights" / "samunet_res34.pth").exists()
    assert "own.pth" in capsys.readouterr().err


def test_removing_says_what_was_freed(private_home, capsys):
    (private_home / "weights").mkdir()
    (private_home / "weights" / "lite_medsam.pth").write_bytes(bytes(2_500_000))
    assert main(["models", "remove", "litemedsam"]) == 0
    assert main(["models", "remove", "litemedsam"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert (first, second) == ("2.5 MB freed.", "There were no weights of LiteMedSAM to remove.")


def test_an_unknown_model_lists_those_there_are(capsys):
    assert main(["models", "show", "unet"]) == 3
    assert "choose one of litemedsam" in capsys.readouterr().err
