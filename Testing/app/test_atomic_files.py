"""Files are complete under their name or not there; what killed processes left is swept up, nothing else."""

import os
import subprocess
import sys
import textwrap

import pytest

from SAMUNetSlicerLib import atomicFiles
from SAMUNetSlicerLib.atomicFiles import Workspace, replaceFile, replaceText, sha256Of, sweepWorkspaces
from SAMUNetSlicerLib.platforms import PLATFORM
from source_tree import MODULE, MODULE_FILES, name_of


def left_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_in_one_step_and_nothing_is_left_over(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    seen = []
    replaceFile(path, lambda temporary: (temporary.write_text("new"), seen.append(path.read_text())))
    assert (seen, path.read_text(), left_in(tmp_path)) == (["old"], "new", ["table.csv"])


def test_a_write_that_fails_leaves_the_earlier_file_and_nothing_else(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")

    def fail(temporary):
        temporary.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        replaceFile(path, fail)
    assert (path.read_text(), left_in(tmp_path)) == ("old", ["table.csv"])


def test_a_text_is_written_as_it_is(tmp_path):
    replaceText(tmp_path / "t", "ä\n")
    assert (tmp_path / "t").read_bytes() == "ä\n".encode()


def test_a_new_file_can_be_read_by_those_who_may_read_others(tmp_path):
    (tmp_path / "plain").touch()
    replaceText(tmp_path / "t", "")
    assert (tmp_path / "t").stat().st_mode == (tmp_path / "plain").stat().st_mode


_WRITER = """
    import sys, time
    from pathlib import Path
    from SAMUNetSlicerLib.atomicFiles import Workspace
    work = Workspace(sys.argv[1])
    folder = work.folder
    (folder / "part").mkdir()
    (folder / "part" / "half.seg.nrrd").write_text("half")
    print(folder, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def writer(tmp_path):
    """A process that is in the middle of writing to ``tmp_path``."""
    command = [sys.executable, "-c", textwrap.dedent(_WRITER), str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(MODULE)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        process.folder = process.stdout.readline().strip()
        yield process
        process.kill()


def test_what_a_process_is_writing_is_left_alone_and_swept_up_once_it_was_killed(writer, tmp_path):
    (tmp_path / "result.seg.nrrd").touch()
    sweepWorkspaces(tmp_path)
    assert len(left_in(tmp_path)) == 2 and os.listdir(f"{writer.folder}/part") == ["half.seg.nrrd"]
    writer.kill()
    writer.wait()
    sweepWorkspaces(tmp_path)
    assert left_in(tmp_path) == ["result.seg.nrrd"]


def test_a_folder_that_was_just_made_is_not_taken_for_a_leftover(tmp_path):
    new, old = tmp_path / ".samunet-tmp-new", tmp_path / ".samunet-tmp-old"
    new.mkdir()
    old.mkdir()
    os.utime(old, (0, 0))
    sweepWorkspaces(tmp_path)
    assert left_in(tmp_path) == [new.name]


def test_whoever_is_swept_away_before_the_lock_is_there_begins_again(tmp_path, monkeypatch):
    lock, calls = PLATFORM.lock, []

    def lock_after_a_sweep(descriptor, isShared=False):
        if not calls:
            calls.append(descriptor)
            sweepWorkspaces(tmp_path)
        lock(descriptor, isShared)

    monkeypatch.setattr(PLATFORM, "lock", lock_after_a_sweep)
    with Workspace(tmp_path) as folder:
        (folder / "file").touch()
        assert left_in(tmp_path) == [folder.name]


def test_a_drive_without_locks_can_be_written_to(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(PLATFORM, "lock", refuse)
    replaceText(tmp_path / "t", "text")
    sweepWorkspaces(tmp_path)
    assert left_in(tmp_path) == ["t"]


def test_a_folder_that_is_not_there_has_nothing_to_sweep(tmp_path):
    sweepWorkspaces(tmp_path / "absent")


def test_a_link_in_a_leftover_is_not_followed(tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").touch()
    left = Workspace(tmp_path)
    (left.folder / "link").symlink_to(tmp_path / "precious")
    left._lock.close()  # as if its process had been killed
    sweepWorkspaces(tmp_path)
    assert left_in(tmp_path) == ["precious"] and left_in(tmp_path / "precious") == ["file"]


def test_the_sum_is_that_of_the_content(tmp_path):
    (tmp_path / "f").write_bytes(b"abc")
    assert sha256Of(tmp_path / "f").startswith("ba7816bf8f01cfea414140de5dae2223")


def test_files_are_renamed_into_place_by_one_helper_alone():
    """`platforms.Platform.replace`, which all others go through, knows what Windows needs."""
    wrong = [name_of(path) for path in MODULE_FILES if "os.replace(" in path.read_text(encoding="utf-8")]
    assert wrong == [name_of(MODULE / "SAMUNetSlicerLib" / "platforms.py")]
    assert atomicFiles.PLATFORM is PLATFORM
