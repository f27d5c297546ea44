"""Imports point only downwards, and each layer knows only the packages that are its business."""

import ast
import sys

from source_tree import LIBRARY, LIBRARY_FILES, imports_of, layer_of, name_of, tree_of

BELOW = {
    "__init__": set(),
    "errors": set(),
    "engine": {"errors"},
    "scene": {"errors"},
    "training": {"errors", "engine"},
    "app": {"errors", "engine", "scene"},
    "cli": {"errors", "engine", "scene", "app", "training", "viewer"},
    "ui": {"errors", "engine", "scene", "app"},
    "viewer": {"errors", "engine", "scene", "app"},
}

NUMERIC = {"numpy", "torch", "PIL", "safetensors", "segment_anything"}
SCENE = {"numpy", "slicer", "vtk", "vtkITK", "PIL", "SimpleITK", "pyarrow"}
APP = NUMERIC | SCENE | {"highdicom", "pydicom", "ray", "requests", "urllib3"}
PACKAGES = {
    "__init__": set(),
    "errors": set(),
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


def _attributes_of_slicer(path):
    return {
        node.attr
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "slicer"
    }
