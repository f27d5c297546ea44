"""File names from a pattern and from what users call their cases and segments."""

import re
import unicodedata
from typing import Iterable, List, Mapping

from ..errors import InputError

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # by Windows, with any ending
_MOST_BYTES = 120  # leaves room for endings and numbers in the 255 that file systems allow


def fileName(text: str) -> str:
    """A text as a file name without ending that every system takes: any letters, spaces, no separators."""
    name = _FORBIDDEN.sub("_", unicodedata.normalize("NFC", text)).strip(" .")
    while len(name.encode()) > _MOST_BYTES:
        name = name[:-1].rstrip(" .")
    return f"_{name}" if not name or _RESERVED.fullmatch(name) else name


def nameFromPattern(pattern: str, fields: Mapping[str, str]) -> str:
    """The file name that a pattern such as "{case} {segmentation}" makes of the fields.

    :raises InputError: the pattern names an unknown field, or its braces do not match.
    """
    try:
        return fileName(pattern.format_map(dict(fields)))
    except (KeyError, ValueError, IndexError, AttributeError) as error:
        known = ", ".join(f"{{{name}}}" for name in fields)
        raise InputError(f"'{pattern}' is not a name pattern: use {known} and plain text.") from error


def distinctNames(texts: Iterable[str]) -> List[str]:
    """A file name for each text, numbered where two would be one on a system that ignores case."""
    names: List[str] = []
    for text in texts:
        name, number = fileName(text), 1
        while name.casefold() in (each.casefold() for each in names):
            number += 1
            name = f"{fileName(text)}-{number}"
        names.append(name)
    return names
