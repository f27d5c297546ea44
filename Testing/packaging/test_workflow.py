"""The workflow tests every system that Slicer runs on, and the oldest Python that is supported."""

import re
import subprocess
import sys

from source_tree import REPOSITORY

WORKFLOW = (REPOSITORY / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")


def test_every_system_and_the_oldest_python_are_tested():
    for runner in ("ubuntu-24.04", "windows-2022", "macos-14"):
        assert runner in WORKFLOW
    assert re.findall(r'python-version: "(.*)"', WORKFLOW) == ["3.12", "3.9"]


def test_what_the_workflow_runs_is_there():
    scripts = re.findall(r"(?:python|bash) ([\w./]+/[\w./]+)", WORKFLOW)
    assert sorted(scripts) == [".ci/run", "Testing/slicer_python.py"]
    assert all((REPOSITORY / script).is_file() for script in scripts)


def test_the_workflow_installs_the_torch_that_make_installs():
    wanted = re.search(
        r"^TORCH \?= (\S+)$", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert f"pip install {wanted.group(1)}\n" in WORKFLOW


def test_all_that_slicer_loads_can_be_loaded_without_slicer():
    command = "import slicer_python; print(slicer_python.load_everything())"
    folders = [str(REPOSITORY / "Testing"), str(REPOSITORY / "SAMUNetSlicer")]
    code = f"import sys; sys.path[:0] = {folders!r}; {command}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.splitlines()[-1]) > 300
