"""The first line of a docstring says what is done: a verb and an object."""

import ast
import re

import pytest

from source_tree import MODULE_FILES, name_of, tree_of

# What a riddle, a thing or a relative clause begins with.  A check of every English verb is not worth its
# dictionary: third persons and participles are found by their endings.
RIDDLES = "What Who How Where Whether Which When Why".split()
NO_VERBS = (
    RIDDLES
    + """
    The A An All Any Both Each Every Many Most Some One Two Three No None Nothing That Those These This There
    From In On Of For By With Without If As At To Until Equal Is Are Was It Its Last True False Same Half
    Largest Least Lower Short Extra Other Another Only Also Not Never Everything Anything Confidence May Like
""".split()
)
VERBS_IN_S_AND_ING = {"Address", "Compress", "Express", "Guess", "Pass", "Press", "Process", "Bring"}


def is_riddle(line):
    """Tell whether a class is introduced by a riddle or by its fields."""
    return not re.match(r"[A-Z0-9]", line) or line.split()[0].strip(",:") in RIDDLES


def is_no_deed(line):
    """Tell whether the first word cannot be a verb in the imperative."""
    word = re.match(r"[A-Z][a-z]+", line)
    if word is None or word[0] in NO_VERBS:
        return True
    return word[0].endswith(("s", "ing")) and word[0] not in VERBS_IN_S_AND_ING


def first_lines(path):
    """Yield (name, first line, whether it is a class's) of every docstring of a file."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            text = ast.get_docstring(node)
            if text:
                yield getattr(node, "name", "module"), text.splitlines()[0], isinstance(node, ast.ClassDef)


def test_docstrings_begin_with_a_verb_and_those_of_classes_with_no_riddle():
    lines = [(name_of(path), *each) for path in MODULE_FILES for each in first_lines(path)]
    assert len(lines) > 1000
    assert not [
        (path, name, line)
        for path, name, line, ofClass in lines
        if (is_riddle if ofClass else is_no_deed)(line)
    ]


@pytest.mark.parametrize(
    "line", ["What is known", "Whether it runs", ":param x: y", "A number", "Reads a file"]
)
def test_things_and_riddles_are_no_deeds(line):
    assert is_no_deed(line)


@pytest.mark.parametrize(
    "line", ["Return a number.", "Pass over the slice.", "Write the masks into a segment"]
)
def test_deeds_are_deeds(line):
    assert not is_no_deed(line)
