"""Imports point only downwards, between layers and between the packages of a layer."""

import ast
import sys
from collections import Counter
from graphlib import TopologicalSorter

from source_tree import LIBRARY, LIBRARY_FILES, imports_of, layer_of, module_of, name_of, tree_of

BASE = {"errors", "platforms", "atomicFiles"}
BELOW = {
    "__init__": set(),
    "_exports": set(),
    "events": set(),
    "errors": set(),
    "platforms": set(),
    "atomicFiles": {"platforms"},
    "engine": {"_exports", *BASE},
    "scene": {"_exports", "events", *BASE},
    "training": {"_exports", *BASE, "engine"},
    "app": {"_exports", "events", *BASE, "engine", "scene"},
    "cli": {"events", *BASE, "engine", "scene", "app", "training", "viewer"},
    "ui": {"_exports", "events", *BASE, "engine", "scene", "app"},
    "viewer": {"_exports", "events", *BASE, "engine", "scene", "app"},
}

# What each package of a layer may import from its own layer; a file beside the packages counts as one.
# `common`, `types` and their like may be used by all above them, but only where they are named.
PACKAGES_BELOW = {
    "app": {
        "common": set(),
        "engines": set(),
        "models": {"common", "engines"},
        "session": {"common", "engines"},
        "propagation": {"engines", "session"},
        "prompts": {"session", "propagation"},
        "files": {"common", "session"},
        "jobs": {"common", "engines", "models", "session", "propagation", "prompts", "files"},
        "batch": {"common", "engines", "models", "session", "prompts", "files", "jobs"},
        "texts": {"session", "propagation"},
    },
    "engine": {
        "types": set(),
        "json_schema": set(),
        "windowing": set(),
        "overlap": set(),
        "networks": set(),
        "models": {"types", "json_schema", "networks"},
        "prompting": {"types", "models"},
        "learning": {"types", "overlap", "prompting"},
        "serving": {"types", "learning", "models", "prompting"},
    },
    "scene": {
        "observers": set(),
        "sceneNodes": set(),
        "geometry": set(),
        "segments": {"geometry"},
        "prompts": {"observers", "sceneNodes", "geometry", "segments"},
        "export": {"geometry", "segments"},
        "views": {"observers", "geometry"},
        "history": {"prompts", "segments"},
    },
    "training": {
        "data": set(),
        "measuring": {"data"},
        "learning": {"data", "measuring"},
    },
    "ui": {
        "parts": set(),
        "setup": set(),
        "sections": {"parts", "setup"},
        "panel": {"parts", "sections", "setup"},
        "selfTest": {"parts", "setup"},
    },
    "viewer": {
        "server": set(),
        "views": set(),
        "work": {"views"},
        "page": {"server", "views"},
        "keys": {"server", "views"},
        "viewer": {"keys", "page", "server", "views", "work"},
        "serving": {"server", "viewer", "views"},
    },
}
MOST_FILES = 20

NUMERIC = {"numpy", "torch", "PIL", "safetensors", "segment_anything"}
SCENE = {"numpy", "slicer", "vtk", "vtkITK", "PIL", "SimpleITK", "pyarrow"}
APP = NUMERIC | SCENE | {"highdicom", "pydicom", "ray", "requests", "urllib3"}
PACKAGES = {
    "__init__": set(),
    "_exports": set(),
    "events": set(),
    "errors": set(),
    "platforms": set(),
    "atomicFiles": set(),
    "engine": NUMERIC,
    "scene": SCENE,
    "training": NUMERIC | {"matplotlib", "nibabel", "scipy"},
    "app": APP,
    "cli": APP | {"tqdm"},
    "ui": APP | {"ctk", "qt", "PyTorchUtils", "SampleData"},
    "viewer": APP | {"aiohttp", "trame", "trame_slicer", "wslink"},
}

# Parts of the Slicer application: the layers below the front ends work without it.
APPLICATION = {"app", "mrmlScene", "modules", "util", "packaging"}


def test_a_file_imports_only_from_its_own_layer_and_those_below():
    wrong = []
    for path in LIBRARY_FILES:
        own = [name.split(".") for name in imports_of(path) if name.startswith(f"{LIBRARY.name}.")]
        used = {parts[1] for parts in own} - {"__version__"}
        wrong += [(name_of(path), layer) for layer in used - BELOW[layer_of(path)] - {layer_of(path)}]
    assert not wrong


def test_a_package_imports_only_from_the_packages_of_its_layer_that_it_may():
    edges = {(*edge, name) for path in LIBRARY_FILES for edge, name in _edges_of(path)}
    wrong = [edge for edge in edges if edge[2] not in PACKAGES_BELOW[edge[0]][edge[1]]]
    assert not wrong
    used = {edge[:3] for edge in edges}
    spare = [
        (layer, package, below)
        for layer, packages in PACKAGES_BELOW.items()
        for package, allowed in packages.items()
        for below in allowed
        if (layer, package, below) not in used
    ]
    assert not spare


def test_the_packages_of_a_layer_are_acyclic_and_of_a_size_to_oversee():
    for layer, packages in PACKAGES_BELOW.items():
        assert list(TopologicalSorter(packages).static_order())
        files = Counter(package for package in map(_package_of, _files_of(layer)) if package)
        assert set(files) == set(packages)
        assert max(files.values()) <= MOST_FILES


def test_modules_import_each_other_without_a_cycle():
    names = {module_of(path): path for path in LIBRARY_FILES}
    graph = {module: set() for module in names}
    for module, path in names.items():
        for name in imports_of(path, only_at_import=True):
            target = name if name in names else name.rpartition(".")[0]
            if target in names and target != module and not module.startswith(f"{target}."):
                graph[module].add(target)
    assert list(TopologicalSorter(graph).static_order())


def test_a_layer_uses_only_its_own_kind_of_packages():
    wrong = []
    for path in LIBRARY_FILES:
        roots = {name.split(".")[0] for name in imports_of(path)} - {LIBRARY.name, *sys.stdlib_module_names}
        wrong += [(name_of(path), package) for package in roots - PACKAGES[layer_of(path)]]
    assert not wrong


def test_nothing_below_the_front_ends_needs_the_slicer_application():
    wrong = []
    for path in LIBRARY_FILES:
        if layer_of(path) in ("engine", "scene", "app"):
            imported = {name.split(".")[1] for name in imports_of(path) if name.startswith("slicer.")}
            used = imported | _attributes_of_slicer(path)
            wrong += [(name_of(path), part) for part in used & APPLICATION]
    assert not wrong


def test_the_rules_cover_every_layer_there_is():
    layers = {layer_of(path) for path in LIBRARY_FILES}
    assert {"errors", "engine", "scene", "app", "cli"} <= layers <= set(BELOW)


def _files_of(layer):
    return [path for path in LIBRARY_FILES if layer_of(path) == layer]


def _package_of(path):
    """The package of its layer that a file is in, or the file's own name; None for the layer's docstring."""
    parts = path.relative_to(LIBRARY).with_suffix("").parts[1:]
    return None if parts[0] == "__init__" else parts[0]


def _edges_of(path):
    """((layer, package), other package) for everything that a file imports from its own layer."""
    layer = layer_of(path)
    if layer in PACKAGES_BELOW and _package_of(path):
        for name in imports_of(path):
            parts = name.split(".")
            if parts[:2] == [LIBRARY.name, layer] and parts[2] != _package_of(path):
                yield (layer, _package_of(path)), parts[2]


def _attributes_of_slicer(path):
    return {
        node.attr
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "slicer"
    }
