"""What is printed steers no terminal, whatever names files and servers give."""

import json
import pickle

import pytest

from SAMUNetSlicerLib.cli.console import Console
from SAMUNetSlicerLib.errors import InputError, plainText

STEERING = "\x1b[31mred\x9b0m \ud800 \u202egnp.exe \r"


def test_an_error_can_be_shown_anywhere_and_crosses_processes():
    error = InputError(f"The segment '{STEERING}' is unknown.")
    assert str(error).isprintable() and r"\x1b[31mred\x9b0m \ud800 \u202egnp.exe \r" in str(error)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.mark.parametrize("text", ["Läsion 病変 🫁", "a\tb\nc", "", "العربية"])
def test_ordinary_text_of_any_language_stays_as_it_is(text):
    assert plainText(text) == text


def test_notes_results_and_errors_are_printed_plainly(capsys):
    console = Console()
    console.note(STEERING)
    console.result({}, STEERING)
    console.error(InputError(STEERING))
    out, err = capsys.readouterr()
    for line in (*out.splitlines(), *err.splitlines()):
        assert line.isprintable() and r"\x1b[31m" in line


def test_json_means_the_same_and_steers_nothing(capsys):
    Console(asJson=True).result({"name": STEERING}, "")
    out, _ = capsys.readouterr()
    assert all(line.isprintable() for line in out.splitlines())
    assert json.loads(out) == {"name": STEERING}
