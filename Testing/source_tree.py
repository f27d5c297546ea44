"""The sources under test: where they are, which layer they belong to, what they import."""

import ast
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
MODULE = REPOSITORY / "SAMUNetSlicer"
LIBRARY = MODULE / "SAMUNetSlicerLib"


def _python_files(folder):
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


MODULE_FILES = _python_files(MODULE)
LIBRARY_FILES = _python_files(LIBRARY)
TEST_FILES = _python_files(REPOSITORY / "Testing")


def name_of(path):
    """The path as sentences about a file give it."""
    return path.relative_to(REPOSITORY).as_posix()


def module_of(path):
    """The dotted name by which a file is imported."""
    return ".".join(path.relative_to(MODULE).with_suffix("").parts).removesuffix(".__init__")


def layer_of(path):
    """The layer of a file of the library: "engine", "scene", ..., "errors"; None for the module file."""
    parts = path.relative_to(MODULE).parts
    if parts[0] != LIBRARY.name:
        return None
    return parts[1] if len(parts) > 2 else path.stem


@cache
def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imports_of(path, only_at_import=False):
    """Absolute dotted names of everything a file imports.

    :param only_at_import: leave out what is imported inside functions or for type checkers alone.
    """
    package = path.relative_to(MODULE).parent.parts
    for node in _walk(tree_of(path), only_at_import):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            origin = ".".join([*base, *filter(None, [node.module])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def _walk(node, only_at_import):
    for child in ast.iter_child_nodes(node):
        if only_at_import and (_is_function(child) or _is_for_type_checkers(child)):
            continue
        yield child
        yield from _walk(child, only_at_import)


def _is_function(node):
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))


def _is_for_type_checkers(node):
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def functions_of(path):
    """Every function and method, nested ones included."""
    return [node for node in ast.walk(tree_of(path)) if _is_function(node) and hasattr(node, "name")]
