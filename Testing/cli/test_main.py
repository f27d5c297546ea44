"""The command line as a shell sees it: help, exit codes, streams, Ctrl-C, a reader that goes away."""

import os
import signal
import subprocess
import sys

import pytest

from patience import SECONDS
from SAMUNetSlicerLib import __version__
from SAMUNetSlicerLib.cli import doctorCommand
from SAMUNetSlicerLib.cli.console import Console
from SAMUNetSlicerLib.cli.main import main
from SAMUNetSlicerLib.errors import EngineError, InputError, OutputError, PromptError, UserError, WeightsError
from source_tree import MODULE


@pytest.fixture
def doctor(monkeypatch):
    """Replaces what ``samunet doctor`` does by a function of (options, console)."""

    def replace(run):
        monkeypatch.setattr(doctorCommand, "run", run)

    return replace


def failing_with(error):
    def run(_options, _console):
        raise error

    return run


@pytest.mark.parametrize("command", ["segment", "models", "doctor", "replay", "cache", "demo"])
def test_help_names_every_command_and_explains_it(command, capsys):
    for arguments in (["--help"], [command, "--help"]):
        with pytest.raises(SystemExit) as ending:
            main(arguments)
        assert ending.value.code == 0
    overview, details = capsys.readouterr().out.split("usage: samunet", 2)[1:]
    assert command in overview
    assert details.startswith(f" {command}")


def test_the_version_is_the_packages(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"samunet {__version__}\n"


@pytest.mark.parametrize("arguments", ["", "unknown", "models get", "cache explode", "doctor --fast"])
def test_wrong_usage_is_exit_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as ending:
        main(arguments.split())
    assert ending.value.code == 2
    assert "usage: samunet" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UserError, 1),
        (InputError, 3),
        (PromptError, 4),
        (WeightsError, 5),
        (OutputError, 6),
        (EngineError, 7),
    ],
)
def test_an_error_is_one_sentence_and_its_exit_code(doctor, capsys, error, code):
    doctor(failing_with(error("The reason.")))
    assert main(["doctor"]) == code
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "samunet: The reason.\n")


def test_a_fault_of_the_program_keeps_its_traceback(doctor):
    doctor(failing_with(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        main(["doctor"])


def test_interruption_is_exit_code_130_without_a_traceback(doctor, capsys):
    doctor(failing_with(KeyboardInterrupt()))
    assert main(["doctor"]) == 130
    assert capsys.readouterr().err == "samunet: stopped.\n"


def test_quiet_keeps_results_and_errors_only(capsys):
    console = Console(quiet=True)
    console.note("by the way")
    console.result({}, "the result")
    with console.progress("work") as update:
        update(1, 2)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("the result\n", "")


def test_progress_is_shown_on_terminals_only(capsys, monkeypatch):
    with Console().progress("encoding") as update:
        update(1, 2)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with Console().progress("encoding", "B") as update:
        update(1_000_000, 2_000_000)
    assert "encoding" in capsys.readouterr().err


def python(*arguments):
    """A Python process with the library, its streams as pipes."""
    environment = {**os.environ, "PYTHONPATH": str(MODULE)}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, *arguments], env=environment, **streams)


def test_a_reader_that_goes_away_is_no_fault():
    with python("-m", "SAMUNetSlicerLib.cli.main", "models", "show", "litemedsam") as process:
        process.stdout.close()
        process.wait()
        errors = process.stderr.read()
    assert (process.returncode, errors) == (141, "")


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot send Ctrl-C to one process")
@pytest.mark.parametrize("arrives_as", ["KeyboardInterrupt", "ImportError"])
def test_ctrl_c_ends_a_command_with_130_and_no_traceback(arrives_as):
    script = (
        "import sys, time; from SAMUNetSlicerLib.cli import doctorCommand, main\n"
        "def run(options, console):\n"
        "    try:\n"
        "        print('ready', flush=True); time.sleep(600)\n"
        f"    except KeyboardInterrupt:\n        raise {arrives_as}\n"
        "doctorCommand.run = run; sys.exit(main.main(['doctor']))"
    )
    with python("-c", script) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=SECONDS)
    assert (process.returncode, errors) == (130, "samunet: stopped.\n")


def test_a_missing_package_keeps_its_traceback(doctor):
    doctor(failing_with(ImportError("no such package")))
    with pytest.raises(ImportError):
        main(["doctor"])
