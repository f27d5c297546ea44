"""A command of the product runs beside the front end and hands over what it has written."""

import pytest

from patience import wait_until
from SAMUNetSlicerLib.app.engines import BackgroundCommand, EngineLaunch
from SAMUNetSlicerLib.errors import EngineError


def result_of(command):
    (text,) = wait_until(lambda: [text for text in [command.poll()] if text is not None])
    return text


def test_its_output_arrives_when_it_has_ended():
    assert "usage: samunet" in result_of(BackgroundCommand(EngineLaunch(), ("--help",)))


def test_what_goes_wrong_is_part_of_the_output():
    assert "no-such-command" in result_of(BackgroundCommand(EngineLaunch(), ("no-such-command",)))


def test_a_cancelled_command_is_gone():
    command = BackgroundCommand(EngineLaunch(), ("doctor",))
    command.cancel()
    assert command._process.returncode is not None


def test_a_python_that_is_not_there_is_one_sentence():
    with pytest.raises(EngineError, match="cannot be started"):
        BackgroundCommand(EngineLaunch(executable="/no/such/python"), ("doctor",))
