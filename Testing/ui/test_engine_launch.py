"""The engine's process as Slicer starts it: its Python, its environment, its log."""

import os
import sys
from dataclasses import replace

import pytest

from fakes.fakeEngine import FAKE_SPEC
from patience import SECONDS
from SAMUNetSlicerLib.app.engines import EngineProcess, ProcessEngine
from SAMUNetSlicerLib.engine.models import load_catalog
from SAMUNetSlicerLib.engine.serving import ModelSpec
from SAMUNetSlicerLib.errors import EngineError, WeightsError
from SAMUNetSlicerLib.platforms import PLATFORM
from SAMUNetSlicerLib.ui.setup import slicerEngineLaunch


@pytest.fixture
def binaries(tmp_path, monkeypatch):
    """The folder of Slicer's programs, which is all of PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(folder, name, text):
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def test_an_installed_slicer_runs_its_python_without_the_launcher(binaries):
    program(binaries, "PythonSlicer", "#!/bin/sh\n")
    real = program(binaries, "python-real", "#!/bin/sh\n")
    assert slicerEngineLaunch().command()[:2] == [real, "-m"]


def test_a_slicer_from_its_build_tree_has_the_launcher_only(binaries):
    assert slicerEngineLaunch().executable == sys.executable
    launcher = program(binaries, "PythonSlicer", "#!/bin/sh\n")
    assert slicerEngineLaunch().executable == launcher


def test_the_log_lies_in_the_products_folder_and_does_not_grow_for_ever(private_home):
    log = slicerEngineLaunch().logPath
    assert log == private_home / "engine.log"
    log.write_bytes(b"x" * 2_000_000)
    slicerEngineLaunch()
    assert log.stat().st_size == 0
    assert (private_home / "engine.previous.log").stat().st_size == 2_000_000


def test_in_a_home_that_cannot_be_written_the_engine_runs_without_a_log(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("SAMUNET_HOME", str(tmp_path / "file" / "home"))
    assert slicerEngineLaunch().logPath is None


def test_a_log_that_another_slicer_holds_open_is_gone_on_with(private_home, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "The process cannot access the file because it is being used")

    log = private_home / "engine.log"
    log.write_bytes(b"x" * 2_000_000)
    monkeypatch.setattr(PLATFORM, "replace", refuse)
    assert slicerEngineLaunch().logPath == log
    assert log.stat().st_size == 2_000_000


def test_an_engine_whose_log_has_become_unwritable_starts_without_one(private_home):
    launch = slicerEngineLaunch()
    launch.logPath.unlink()
    launch.logPath.mkdir()
    process = EngineProcess(replace(launch, arguments=("-c", "pass")))
    assert process.close() == "exit code 0"


def test_the_real_engine_answers_from_there(binaries, monkeypatch, tmp_path):
    program(binaries, "python-real", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    card = load_catalog().get("samunet_compact").to_json()
    engine = ProcessEngine(slicerEngineLaunch())
    try:
        with pytest.raises(WeightsError, match="There is no weights file"):
            engine.wait(engine.start(ModelSpec(card, str(tmp_path / "none"))), timeout=SECONDS)
    finally:
        engine.close()


def test_a_python_without_torch_is_one_sentence_that_leads_to_the_log(binaries, private_home):
    blocked = binaries.parent / "blocked"
    blocked.mkdir()
    (blocked / "torch.py").write_text("raise ImportError('there is no torch here')")
    program(
        binaries,
        "python-real",
        f'#!/bin/sh\nPYTHONPATH={blocked}:"$PYTHONPATH" exec "{sys.executable}" "$@"\n',
    )
    engine = ProcessEngine(slicerEngineLaunch())
    try:
        with pytest.raises(
            EngineError, match=r"could not start \(exit code 1\); its log .*engine\.log says why"
        ):
            engine.wait(engine.start(FAKE_SPEC), timeout=SECONDS)
    finally:
        engine.close()
    assert "there is no torch here" in (private_home / "engine.log").read_text()


def test_paths_with_spaces_and_foreign_letters_are_no_obstacle(tmp_path, monkeypatch):
    home = tmp_path / "Eigene Dateien – 患者"
    monkeypatch.setenv("SAMUNET_HOME", str(home))
    launch = slicerEngineLaunch()
    assert launch.logPath.parent == home and os.access(home, os.W_OK)
