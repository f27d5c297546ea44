"""Each package of a layer says in its ``__init__`` what others may use, and others use only that."""

import ast

import pytest

from source_tree import LIBRARY, LIBRARY_FILES, MODULE_FILES, TEST_FILES, name_of, tree_of

PACKAGES = [
    path.parent
    for path in LIBRARY_FILES
    if path.name == "__init__.py" and path.parent.parent.parent == LIBRARY
]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.relative_to(LIBRARY).as_posix())
def test_what_a_package_exports_is_there_and_is_used_elsewhere(package):
    modules = {path.stem: path for path in package.glob("*.py") if path.stem != "__init__"}
    exported = _exported(package)
    names = [name for listed in exported.values() for name in listed]
    assert set(exported) <= set(modules)
    assert not [
        (module, name)
        for module in exported
        for name in exported[module]
        if name not in _defined(modules[module])
    ]
    assert len(names) == len(set(names))
    assert not set(names) & set(modules)  # the module would hide the name
    dotted = ".".join(package.relative_to(LIBRARY.parent).parts)
    assert set(names) <= {name for path in [*MODULE_FILES, *TEST_FILES] for name in _taken(path, dotted)}


def test_a_package_is_entered_only_by_its_door():
    wrong = []
    for path in LIBRARY_FILES:
        for node, origin in _origins(path):
            inside = [package for package in PACKAGES if _dotted(package) == origin.rpartition(".")[0]]
            if inside and path.parent != inside[0]:
                wrong.append((name_of(path), node.lineno, origin))
            entered = [package for package in PACKAGES if _dotted(package) == origin]
            if entered and path.parent != entered[0]:
                listed = {name for names in _exported(entered[0]).values() for name in names}
                wrong += [(name_of(path), alias.name) for alias in node.names if alias.name not in listed]
    assert not wrong


def test_every_package_begins_with_what_lives_in_it():
    assert not [
        name_of(package / "__init__.py")
        for package in PACKAGES
        if not ast.get_docstring(tree_of(package / "__init__.py"))
    ]


def _dotted(package):
    return ".".join(package.relative_to(LIBRARY.parent).parts)


def _exported(package):
    """The table of names by module in a package's ``__init__``."""
    calls = [node for node in ast.walk(tree_of(package / "__init__.py")) if isinstance(node, ast.Call)]
    return ast.literal_eval(calls[0].args[1]) if calls else {}


def _defined(path):
    """The names that a module defines or imports at its top."""
    names = set()
    for node in tree_of(path).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            names |= {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    return names


def _origins(path):
    """(node, absolute dotted origin) of every ``from ... import`` of the library itself in a file."""
    inside = LIBRARY in path.parents
    package = path.relative_to(LIBRARY.parent).parent.parts if inside else ()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom) and (inside or not node.level):
            base = package[: len(package) - node.level + 1] if node.level else ()
            yield node, ".".join([*base, *filter(None, [node.module])])


def _taken(path, dotted):
    """The names that a file outside a package imports from it."""
    for node, origin in _origins(path):
        if origin == dotted:
            yield from (alias.name for alias in node.names)
