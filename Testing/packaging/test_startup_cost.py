"""What starts often starts fast: nothing heavy is loaded before it is needed."""

import json
import subprocess
import sys

import pytest

from source_tree import LIBRARY_FILES, MODULE, layer_of

HEAVY = {"torch", "vtk", "vtkmodules", "slicer", "SimpleITK", "requests", "numpy", "PIL", "jsonschema"}


def loaded_after(statement):
    """Top-level names in sys.modules of a fresh interpreter after one statement."""
    show = "import json, sys; print(json.dumps(list(sys.modules)))"
    script = f"import sys; sys.path.insert(0, {str(MODULE)!r}); {statement}; {show}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in json.loads(done.stdout)}


def modules_of(layer):
    files = [path.relative_to(MODULE).with_suffix("") for path in LIBRARY_FILES if layer_of(path) == layer]
    return [".".join(file.parts) for file in files]


def test_the_command_line_starts_without_anything_heavy():
    assert not loaded_after("import SAMUNetSlicerLib.cli.main") & HEAVY


def test_the_help_of_every_command_needs_nothing_heavy():
    statement = "from SAMUNetSlicerLib.cli.main import buildParser; buildParser().format_help()"
    assert not loaded_after(statement) & HEAVY


@pytest.mark.parametrize("layer", ["app", "cli"])
def test_importing_a_layer_does_not_load_torch(layer):
    assert "torch" not in loaded_after("import " + ", ".join(modules_of(layer)))


def test_importing_the_package_loads_nothing_of_it():
    assert not loaded_after("import SAMUNetSlicerLib") & HEAVY
