"""Make file names from a pattern and from what users call their cases and segments."""

import hashlib
import os
import re
import unicodedata
from pathlib import Path
from typing import Iterable, List, Mapping, Tuple, Union

from ...errors import InputError

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f\ud800-\udfff]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # by Windows, with any ending
_JOINTS = " -_.,"
_MOST_BYTES = 120  # leaves room for endings and numbers in the 255 that file systems allow


def fileName(text: str, isDistinct: bool = False) -> str:
    """Turn a text into a file name without ending that every system takes.

    :param isDistinct: end a name that has to be cut with a digest of the whole text.
    """
    name = _FORBIDDEN.sub("_", unicodedata.normalize("NFC", text)).strip(" .")
    ending = ""
    if isDistinct and len(name.encode()) > _MOST_BYTES:
        ending = f"-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    while len(name.encode()) > _MOST_BYTES - len(ending):
        name = name[:-1].rstrip(" .")
    name += ending
    return f"_{name}" if not name or _RESERVED.fullmatch(name) else name


def printablePath(path: Union[str, Path]) -> str:
    """Return a path as text that can be shown and stored; bytes that are not UTF-8 become ``\\xe4``."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def requireUtf8(path: Path) -> None:
    """Check that a path can be given to ITK and VTK, which end the process otherwise.

    :raises InputError: its name is not UTF-8 text.
    """
    if printablePath(path) != str(path):
        raise InputError(f"The name of '{printablePath(path)}' is not UTF-8 text: rename it.")


def nameAndJoint(pattern: str, fields: Mapping[str, str]) -> Tuple[str, str]:
    """Make a file name of a pattern such as "{case} {segmentation}_{segment}" and its fields.

    Files of one segment have its name at the end, other files end before it: {segment} may only come last.

    :return: the name without {segment}, and what stands before {segment}, "-" where the pattern has none.
    :raises InputError: the pattern names an unknown field, has nothing but {segment}, or its braces do not
        match.
    """
    front, segment, rest = pattern.partition("{segment}")
    name = front.rstrip(_JOINTS) if segment else front
    try:
        if segment and (rest or not name):
            raise ValueError("{segment} alone, or not last")
        return fileName(name.format_map(dict(fields))), front[len(name) :] if segment else "-"
    except (KeyError, ValueError, IndexError, AttributeError) as error:
        known = ", ".join(f"{{{name}}}" for name in fields)
        raise InputError(
            f"'{pattern}' is not a name pattern: use {known} and plain text, and {{segment}} at its end."
        ) from error


def distinctNames(texts: Iterable[str]) -> List[str]:
    """Return a file name for each text, numbered where two would be one on a system that ignores case."""
    names: List[str] = []
    for text in texts:
        name, number = fileName(text), 1
        while name.casefold() in (each.casefold() for each in names):
            number += 1
            name = f"{fileName(text)}-{number}"
        names.append(name)
    return names
