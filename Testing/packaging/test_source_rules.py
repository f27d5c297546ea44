"""Rules that every source file keeps: Slicer's Python, its names, its size, its silence at import."""

import ast
import re
import subprocess

from source_tree import (
    LIBRARY,
    LIBRARY_FILES,
    MODULE,
    MODULE_FILES,
    REPOSITORY,
    TEST_FILES,
    functions_of,
    imports_of,
    layer_of,
    name_of,
    tree_of,
)

SLICER_PYTHON = (3, 9)
MOST_LINES, MOST_TEST_LINES, MOST_FUNCTION_LINES = 400, 500, 60
# One subject that is better read in one file, however long it is: name of the file, and why.
LONGER_FILES: dict[str, str] = {}

PEP8_LAYERS = {"engine", "training"}
SNAKE = re.compile(r"^_*[a-z0-9]+(_[a-z0-9]+)*_*$")
CAMEL = re.compile(r"^_*[a-z][a-zA-Z0-9]*$")

# Written in two halves, so that this file does not contain what it looks for.
HOSTS = ["py" + "pi.org", "python" + "hosted", "registry.npm" + "js", "deb.deb" + "ian.org"]
FOLDERS = [re.compile(rf"(?<![\w./}}])/{top}/") for top in ("wo" + "rk", "op" + "t", "ro" + "ot")]


def test_the_oldest_supported_slicer_can_parse_every_file():
    for path in MODULE_FILES:
        ast.parse(path.read_text(encoding="utf-8"), filename=str(path), feature_version=SLICER_PYTHON)


def test_no_file_uses_what_came_after_the_oldest_supported_python():
    assert not [(name_of(path), line) for path in MODULE_FILES for line in _too_new(tree_of(path))]


def test_files_are_utf8_without_mark_and_with_unix_line_ends():
    contents = {name_of(path): path.read_bytes() for path in MODULE_FILES + TEST_FILES}
    assert not [name for name, text in contents.items() if text.startswith(b"\xef\xbb\xbf") or b"\r" in text]
    for content in contents.values():
        content.decode("utf-8")


def test_files_are_short_enough_to_read():
    long = [name_of(path) for path in MODULE_FILES if _line_count(path) > MOST_LINES]
    long += [name_of(path) for path in TEST_FILES if _line_count(path) > MOST_TEST_LINES]
    assert sorted(long) == sorted(LONGER_FILES)


def test_functions_are_short():
    lengths = {}
    for path in MODULE_FILES:
        lengths.update({(name_of(path), node.name): _lines(node) for node in functions_of(path)})
    assert not [name for name, length in lengths.items() if length > MOST_FUNCTION_LINES]


def test_functions_are_named_as_in_pep8_below_and_as_in_slicer_above():
    wrong = []
    for path in LIBRARY_FILES:
        style = SNAKE if layer_of(path) in PEP8_LAYERS else CAMEL
        names = {node.name for node in functions_of(path)}
        wrong += [(name_of(path), name) for name in names if not _is_special(name) and not style.match(name)]
    assert not wrong


def test_translated_texts_are_literals():
    calls = [node for path in MODULE_FILES for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call)]
    translated = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "_"]
    assert translated
    assert all(isinstance(call.args[0], ast.Constant) for call in translated)


def test_the_module_file_is_the_only_script_in_its_folder():
    assert [path.name for path in MODULE.glob("*.py")] == ["SAMUNetSlicer.py"]


def test_the_module_file_imports_nothing_heavy_when_slicer_starts():
    names = set(imports_of(MODULE / "SAMUNetSlicer.py", only_at_import=True))
    assert {name.split(".")[0] for name in names} <= {"slicer", "typing", "pathlib", "sys"}


def test_the_package_itself_imports_nothing():
    assert not list(imports_of(LIBRARY / "__init__.py"))


def test_the_repository_names_no_package_host_and_no_folder_of_a_developers_machine():
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True)
    found = []
    for name in filter(None, listing.stdout.decode().split("\0")):
        text = _text(REPOSITORY / name)
        found += [(name, host) for host in HOSTS if host in text.lower()]
        found += [(name, folder.pattern) for folder in FOLDERS if folder.search(text)]
    assert not found


def _too_new(tree):
    """Lines with ``X | Y`` as an annotation, ``zip(strict=)``, ``pairwise`` or slotted dataclasses."""
    for node in ast.walk(tree):
        annotations = (getattr(node, "annotation", None), getattr(node, "returns", None))
        for part in filter(None, annotations):
            yield from (part.lineno for each in ast.walk(part) if isinstance(each, ast.BitOr))
        if isinstance(node, ast.Call) and _newer_keyword(node):
            yield node.lineno
        if isinstance(node, ast.Attribute) and node.attr in ("pairwise", "bit_count"):
            yield node.lineno


def _newer_keyword(call):
    name = getattr(call.func, "id", "")
    newer = {"zip": {"strict"}, "dataclass": {"slots", "kw_only"}}.get(name, set())
    return newer & {keyword.arg for keyword in call.keywords}


def _text(path):
    """The text of a file, empty for a binary one."""
    content = path.read_bytes() if path.is_file() else b""
    return "" if b"\0" in content else content.decode("utf-8", errors="replace")


def _line_count(path):
    return path.read_text(encoding="utf-8").count("\n")


def _lines(function):
    """Lines of code of a function, without its documentation."""
    first, *others = function.body
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and others
    body = others if documented else function.body
    return body[-1].end_lineno - body[0].lineno + 1


def _is_special(name):
    return name.startswith("__") and name.endswith("__")
