"""Define exceptions whose message is shown to the user as it is.

Each message is one sentence that says what is wrong and what to do about it.  Anything else that
escapes is a programming fault and keeps its traceback.
"""

import re

# What steers a terminal, turns the direction of writing, or cannot be encoded; but not tab and line end.
_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def plainText(text: str) -> str:
    """Return a text that can be shown anywhere: names from files may hold what steers a terminal."""
    return _STEERING.sub(lambda match: match.group().encode("unicode_escape").decode(), text)


class UserError(Exception):
    """Base of every error that a front end shows as one sentence.

    :param message: what is wrong and what to do, one sentence, no traceback needed; made fit to be shown.
    """

    exitCode = 1

    def __init__(self, message: str = ""):
        super().__init__(plainText(message))


class InputError(UserError):
    """A volume, image or folder that cannot be used as it is."""

    exitCode = 3


class PromptError(UserError):
    """A prompt that lies outside the image, has an unknown label, or that the model cannot take."""

    exitCode = 4


class WeightsError(UserError):
    """A weights file that is missing, damaged, unsafe, or belongs to another network."""

    exitCode = 5


class OutputError(UserError):
    """A result that could not be written, or that differs from what was written when read back."""

    exitCode = 6


class EngineError(UserError):
    """The inference engine failed: out of memory on every rung, crashed, or the device is gone."""

    exitCode = 7


class CancelledError(UserError):
    """The user cancelled; not a failure, nothing to repair."""

    exitCode = 130
