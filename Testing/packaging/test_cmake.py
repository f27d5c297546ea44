"""What CMake packages is what is on disk: proven by its lists, and by installing with the real cmake."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cmake_lists import files_on_disk
from source_tree import LIBRARY, MODULE, REPOSITORY

LISTS = (MODULE / "CMakeLists.txt").read_text(encoding="utf-8")
STUB = Path(__file__).parent / "slicer-stub"
INSTALLED = Path("lib/Slicer-5.8/qt-scripted-modules")
# What only the Slicer application has and the panel imports.
IN_SLICER = """
import sys
from unittest.mock import MagicMock
for name in ("qt", "ctk", "slicer.i18n", "slicer.parameterNodeWrapper"):
    sys.modules[name] = MagicMock()
"""


def listed(variable):
    (block,) = re.findall(rf"set\({variable}\n(.*?)\n\s*\)", LISTS, re.DOTALL)
    return [line.strip() for line in block.splitlines()]


def on_disk(folder):
    return set(files_on_disk(folder))


def run_cmake(*arguments):
    command = shutil.which("cmake", path=Path(sys.executable).parent) or shutil.which("cmake")
    return subprocess.run([command, *map(str, arguments)], capture_output=True, text=True, check=False)


def configure(source, build):
    return run_cmake(
        *("-S", source, "-B", build),
        f"-DSlicer_DIR={STUB}",
        f"-DCMAKE_TOOLCHAIN_FILE={STUB / 'toolchain.cmake'}",
        f"-DCMAKE_INSTALL_PREFIX={build / 'installed'}",
        "-DBUILD_TESTING=ON",
    )


@pytest.fixture
def copy(tmp_path):
    """A copy of what the extension is configured from."""
    source = tmp_path / "source"
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(MODULE, source / MODULE.name, ignore=ignored)
    for name in ("CMakeLists.txt", "README.md", "LICENSE.txt"):
        shutil.copy(REPOSITORY / name, source / name)
    return source


def test_every_file_on_disk_is_listed_once_and_in_order():
    scripts, resources = listed("MODULE_PYTHON_SCRIPTS"), listed("MODULE_PYTHON_RESOURCES")
    assert {*scripts, *resources} == on_disk(MODULE)
    assert scripts == sorted(set(scripts))
    assert resources == sorted(set(resources))


def test_scripts_are_python_and_resources_are_not():
    assert all(name.endswith(".py") for name in listed("MODULE_PYTHON_SCRIPTS"))
    assert not any(name.endswith(".py") for name in listed("MODULE_PYTHON_RESOURCES"))


def test_the_extension_configures_and_installs_every_file(copy, tmp_path):
    done = configure(copy, tmp_path / "build")
    assert done.returncode == 0, done.stdout + done.stderr
    done = run_cmake("--install", tmp_path / "build")
    assert done.returncode == 0, done.stdout + done.stderr
    assert on_disk(tmp_path / "build" / "installed" / INSTALLED) == on_disk(MODULE)


def test_a_forgotten_file_stops_the_configuration(copy, tmp_path):
    (copy / "SAMUNetSlicer" / "SAMUNetSlicerLib" / "forgotten.py").touch()
    done = configure(copy, tmp_path / "build")
    assert done.returncode != 0
    assert "on disk but not listed: SAMUNetSlicerLib/forgotten.py" in " ".join(done.stderr.split())


def test_the_tests_that_run_inside_slicer_are_told_to_ctest_and_are_not_installed(copy, tmp_path):
    (copy / "SAMUNetSlicer" / "Testing" / "Python" / "SAMUNetSlicerInSlicerTest.py").unlink()
    done = configure(copy, tmp_path / "build")
    assert done.returncode != 0
    assert "test not on disk: SAMUNetSlicerInSlicerTest.py" in " ".join(done.stderr.split())


def test_every_installed_file_of_the_library_can_be_imported_from_there(copy, tmp_path):
    configure(copy, tmp_path / "build")
    run_cmake("--install", tmp_path / "build")
    folder = tmp_path / "build" / "installed" / INSTALLED
    library = (path.relative_to(folder).with_suffix("") for path in (folder / LIBRARY.name).rglob("*.py"))
    names = sorted(".".join(path.parts).removesuffix(".__init__") for path in library)
    # The viewer runs outside Slicer with packages of its own, see Testing/viewer.
    names = [name for name in names if not name.startswith(f"{LIBRARY.name}.viewer")]
    lines = [IN_SLICER, f"sys.path.insert(0, {str(folder)!r})", *(f"import {name}" for name in names)]
    script = "\n".join([*lines, f"print(sys.modules[{names[-1]!r}].__file__)"])
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(folder))
