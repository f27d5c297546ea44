"""``samunet doctor`` tells the truth about the installation; ``samunet cache`` about the encoded slices."""

import importlib.metadata
import json
import re
from pathlib import Path

import pytest
import torch

from SAMUNetSlicerLib.app.jobs import doctor
from SAMUNetSlicerLib.cli.main import main
from SAMUNetSlicerLib.engine.serving import DiskTier
from SAMUNetSlicerLib.engine.types import Embedding

ROOT = Path(__file__).resolve().parents[2]


def test_without_the_users_default_weights_the_page_says_how_to_get_them(private_home, capsys):
    (private_home / "models.json").write_text('{"default": "litemedsam", "models": []}', encoding="utf-8")
    assert main(["doctor"]) == 1
    page = capsys.readouterr().out
    assert "To do:" in page
    assert "The weights of litemedsam are not here: samunet models get litemedsam" in page
    assert torch.__version__ in page


def test_with_the_weights_the_product_brings_there_is_nothing_to_do(capsys):
    assert main(["doctor"]) == 0
    assert "Everything is in place." in capsys.readouterr().out


def test_damaged_weights_are_noticed(private_home, capsys):
    (private_home / "weights").mkdir()
    (private_home / "weights" / "mobile_sam.pt").write_bytes(b"half a file")
    assert main(["doctor", "--json"]) == 1
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert any(problem.startswith("The weights of mobilesam are damaged") for problem in problems)


def test_a_missing_package_and_a_broken_torch_are_named(monkeypatch):
    monkeypatch.setattr(doctor, "_PACKAGES", (*doctor._PACKAGES, ("no_such_module", "no-such-package")))
    report = {**doctor.examine(), "computing": {"error": "none, torch cannot be loaded (no CUDA driver)"}}
    problems = doctor._problems(report)
    assert "Packages are missing: pip install no-such-package" in problems
    assert any("torch cannot be loaded" in problem for problem in problems)


def test_optional_packages_are_listed_with_what_they_are_for_and_are_no_problem(monkeypatch, capsys):
    absent = ("no_such_module", "no-such-package", "dreaming", "dreams")
    monkeypatch.setattr(doctor, "_OPTIONAL", (*doctor._OPTIONAL, absent))
    assert main(["doctor"]) == 0
    page = capsys.readouterr().out
    assert "no-such-package, for dreaming: not here, pip install 'SAMUNetSlicer[dreams]'" in page
    assert f"highdicom, for DICOM SEG: {importlib.metadata.version('highdicom')}" in page


def test_every_extra_that_doctor_names_exists():
    tomllib = pytest.importorskip("tomllib")  # Python 3.11
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for _, name, _, extra in doctor._OPTIONAL:
        assert any(re.match(rf"{name}\b", requirement) for requirement in extras[extra])


def test_the_cache_is_counted_and_cleared(private_home, capsys):
    embedding = Embedding((torch.zeros(1, 4, 8, 8, dtype=torch.float16),), (8, 8), (8, 8), "model")
    tier = DiskTier(private_home / "cache", 1 << 20)
    tier.write("a" * 40, embedding)
    tier.write("b" * 40, embedding)
    assert main(["cache", "--json"]) == 0
    stats = json.loads(capsys.readouterr().out)
    assert stats["slices"] == 2
    assert stats["bytes"] > 2 * embedding.nbytes
    assert main(["cache", "clear"]) == 0
    assert capsys.readouterr().out.startswith("2 encoded slices")
    assert list((private_home / "cache").iterdir()) == []
