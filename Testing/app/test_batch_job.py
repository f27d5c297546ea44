"""A batch from folders of images to folders of results: resumed, disturbed, stopped, on several processes."""

import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import SimpleITK as sitk

from app import batch_runs
from app.batch_runs import MIDDLE, fake_launch, options, run_batch, write_image, write_prompts
from patience import SECONDS
from SAMUNetSlicerLib.app.batch import (
    BatchJob,
    BatchListener,
    WorkerPool,
    batchLock,
    removeLeftovers,
    writeCase,
)
from SAMUNetSlicerLib.app.batch import manifest as batchManifest
from SAMUNetSlicerLib.app.jobs import CaseRecord
from SAMUNetSlicerLib.errors import InputError, OutputError, PromptError


@pytest.fixture
def data(tmp_path):
    """Two images and shared prompts."""
    for number in range(2):
        write_image(tmp_path / "in" / f"Fall ä {number}.nii.gz", seed=number)
    write_prompts(tmp_path / "p.json")
    return tmp_path


def run(data, listener=None, **more):
    return run_batch(data / "in", data / "p.json", data / "out", listener, **more)


def manifest(data):
    document = json.loads((data / "out" / "manifest.json").read_text(encoding="utf-8"))
    schema = json.loads(
        batchManifest.__loader__.get_data(batchManifest.__file__.replace(".py", ".schema.json"))
    )
    jsonschema.validate(document, schema)
    return document


def voxels(folder):
    return sitk.GetArrayFromImage(sitk.ReadImage(str(next(folder.glob("*.nii.gz")))))


def contents(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_results_manifest_and_report_are_written_and_a_second_run_changes_nothing(data):
    seen = []
    records = run(data, BatchListener(changed=lambda *event: seen.append(event)))
    assert {name: record.state for name, record in records.items()} == {
        "Fall ä 0": "done",
        "Fall ä 1": "done",
    }
    assert [(record.state, done, total) for record, done, total in seen[-1:]] == [("done", 2, 2)]
    assert sorted(path.name for path in (data / "out" / "Fall ä 0").iterdir()) == [
        "Fall ä 0.csv",
        "Fall ä 0.nii.gz",
        "Fall ä 0.provenance.json",
        "Fall ä 0.seg.nrrd",
        "record.json",
        "slices",
    ]
    entry = manifest(data)["cases"][0]
    found = voxels(data / "out" / entry["folder"])
    assert entry["segments"][0]["voxels"] == np.count_nonzero(found) > 0
    assert entry["segments"][0]["volumeMl"] == pytest.approx(np.count_nonzero(found) * 0.8 * 0.9 * 2 / 1000)
    assert np.flatnonzero(found.any(axis=(1, 2))).tolist() == [3]
    before = contents(data / "out" / "Fall ä 0")
    again = run(data)
    assert contents(data / "out" / "Fall ä 0") == before
    assert again == records
    assert manifest(data)["counts"]["done"] == 2


def test_what_somebody_has_changed_is_kept_aside_and_made_again(data):
    run(data)
    file = data / "out" / "Fall ä 0" / "Fall ä 0.csv"
    file.write_text("mine")
    other = contents(data / "out" / "Fall ä 1")
    notices = []
    run(data, BatchListener(noticed=notices.append))
    assert (data / "out" / "Fall ä 0.changed-1" / "Fall ä 0.csv").read_text() == "mine"
    assert "voxels" in file.read_text()
    assert contents(data / "out" / "Fall ä 1") == other
    assert "Fall ä 0.changed-1" in notices[0]


def test_results_of_other_prompts_are_refused_or_replaced(data):
    run(data)
    write_prompts(data / "p.json", {**MIDDLE, "plane": {"axis": "K", "index": 3}}, name="Spleen")
    before = contents(data / "out")
    with pytest.raises(OutputError, match="2 cases, such as 'Fall ä 0'"):
        run(data)
    assert contents(data / "out") == before
    run(data, overwrite=True)
    assert manifest(data)["cases"][0]["segments"][0]["name"] == "Spleen"
    write_image(data / "in" / "Fall ä 1.nii.gz", seed=7)
    with pytest.raises(OutputError, match="1 cases, such as 'Fall ä 1'"):
        run(data)


def test_a_folder_of_the_users_own_is_never_touched(data):
    (data / "out" / "Fall ä 0").mkdir(parents=True)
    (data / "out" / "Fall ä 0" / "thesis.txt").write_text("important")
    with pytest.raises(OutputError, match="is no result of a batch"):
        run(data)
    assert (data / "out" / "Fall ä 0" / "thesis.txt").read_text() == "important"


def test_bad_images_bad_prompts_and_a_dying_engine_fail_alone(data):
    (data / "in" / "cut off.nii.gz").write_bytes((data / "in" / "Fall ä 0.nii.gz").read_bytes()[:200])
    (data / "in" / "empty.png").touch()
    write_image(data / "in" / "deadly.nrrd", value=13)
    write_image(data / "in" / "refused.nrrd", value=14)
    write_prompts(data / "own" / "empty.json")
    write_prompts(data / "own" / "Fall ä 1.json", {**MIDDLE, "plane": {"axis": "K", "index": 99}})
    records = run_batch(data / "in", [data / "own", data / "p.json"], data / "out")
    messages = {name: record.message for name, record in records.items() if record.state == "failed"}
    assert records["Fall ä 0"].state == "done"
    assert "is damaged or incomplete" in messages["cut off"]
    assert "is empty (0 bytes)" in messages["empty"]
    assert "stopped twice on the same request" in messages["deadly"]
    assert "refuses this image" in messages["refused"]
    assert "slice 99 of 6" in messages["Fall ä 1"]
    assert all(message.endswith(".") and "\n" not in message for message in messages.values())
    assert manifest(data)["counts"] == {
        "queued": 0,
        "running": 0,
        "done": 1,
        "needs review": 0,
        "failed": 5,
    }
    write_image(data / "in" / "refused.nrrd")
    write_prompts(data / "own" / "Fall ä 1.json")
    records = run_batch(data / "in", [data / "own", data / "p.json"], data / "out")
    assert records["refused"].state == records["Fall ä 1"].state == "done"


def test_a_process_that_dies_takes_no_other_case_with_it(data):
    """The cases that were under way are tried again, each in a process of its own."""
    for number in range(2, 5):
        write_image(data / "in" / f"{number}.nrrd", seed=number)
    victims = []

    def kill(record, done, total):
        if record.state == "running" and not victims:
            children = f"/proc/{os.getpid()}/task/{os.getpid()}/children"
            with open(children, encoding="ascii") as file:
                for pid in map(int, file.read().split()):
                    with open(f"/proc/{pid}/cmdline", "rb") as command:
                        if b"spawn_main" in command.read():
                            victims.append(pid)
                            os.kill(pid, signal.SIGKILL)

    records = run(data, BatchListener(changed=kill))
    assert len(victims) == 1
    assert {record.state for record in records.values()} == {"done"} and len(records) == 5


def test_several_processes_give_what_one_gives(data):
    for number in range(2, 6):
        write_image(data / "in" / f"{number}.nrrd", seed=number)
    one = run(data)
    three = run_batch(data / "in", data / "p.json", data / "out 3", devices=("cpu",) * 3)
    assert list(three) == list(one)
    for name in one:
        np.testing.assert_array_equal(voxels(data / "out" / name), voxels(data / "out 3" / name))


def test_ctrl_c_stops_cleanly_and_the_states_are_told(data):
    for number in range(2, 20):
        write_image(data / "in" / f"{number}.nrrd", seed=number)
    # Slow enough not to be finished before the signal comes, on any computer.
    more = [str(data / "in"), str(data / "p.json"), str(data / "out"), "", "0.5"]
    command = [sys.executable, batch_runs.__file__, *more]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell lets what it starts in the background ignore the signal, and the tests may be that.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    while not process.stdout.readline().endswith("done\n"):
        pass
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to every process of the group
    _, errors = process.communicate(timeout=SECONDS)
    assert process.returncode != 0
    assert errors.count("Traceback") == 1 and "KeyboardInterrupt" in errors
    counts = manifest(data)["counts"]
    assert counts["done"] >= 1 and counts["queued"] >= 1 and counts["running"] == counts["failed"] == 0
    assert not list((data / "out").glob(".samunet*"))


def test_two_batches_do_not_write_to_one_folder(data):
    job = BatchJob(options(data / "in", data / "p.json", data / "out"))
    with batchLock(data / "out"), pytest.raises(OutputError, match="Another program is writing"):
        job.run()


def test_leftovers_of_a_killed_batch_are_swept(data):
    (data / "out" / ".samunet-0123456789ab").mkdir(parents=True)
    (data / "out" / ".samunet-0123456789ab" / "case.seg.nrrd").touch()
    (data / "out" / ".samunet-77-manifest.json").touch()
    (data / "out" / "notes.txt").touch()
    run(data)
    assert not list((data / "out").glob(".samunet-*"))
    assert (data / "out" / "notes.txt").exists()


@pytest.mark.skipif(os.name == "nt", reason="names there are text, not bytes")
def test_an_image_whose_name_is_not_utf8_fails_alone(data):
    folder = os.fsencode(data / "in")
    os.rename(os.fsencode(write_image(data / "in" / "b.nrrd")), folder + b"/L\xe4sion.nrrd")
    os.mkdir(folder + b"/Stra\xdfe")
    write_dicom_like(folder + b"/Stra\xdfe/1")
    records = run(data)
    assert {record.state for name, record in records.items() if name.startswith("Fall")} == {"done"}
    failed = [record for record in records.values() if record.state == "failed"]
    assert len(failed) == 2 and all("is not UTF-8" in record.message for record in failed)
    assert r"L\xe4sion.nrrd" in " ".join(case["source"] for case in manifest(data)["cases"])


def write_dicom_like(path):
    with open(path, "wb") as file:
        file.write(bytes(128) + b"DICM" + bytes(64))


def test_an_interrupted_replacement_brings_the_earlier_results_back(tmp_path, monkeypatch):
    writeCase(tmp_path, "case", lambda folder: filled(folder, "old"))
    rename = Path.rename

    def refuse(self, target):
        if (self / "result.txt").read_text() == "new":
            raise PermissionError(13, "a file in it is open in another program")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OutputError, match="cannot be written"):
        writeCase(tmp_path, "case", lambda folder: filled(folder, "new"))
    removeLeftovers(tmp_path)
    assert (tmp_path / "case" / "result.txt").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["case"]


def test_earlier_results_come_back_when_a_batch_was_killed_while_it_replaced_them(tmp_path, monkeypatch):
    writeCase(tmp_path, "case", lambda folder: filled(folder, "old"))
    rename, renamed = Path.rename, []

    def die(self, target):
        if renamed:
            raise KeyboardInterrupt  # as if killed: nothing is put right after it
        renamed.append(target)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", die)
    with pytest.raises(KeyboardInterrupt):
        writeCase(tmp_path, "case", lambda folder: filled(folder, "new"))
    assert not (tmp_path / "case").exists()
    monkeypatch.undo()
    removeLeftovers(tmp_path)
    assert (tmp_path / "case" / "result.txt").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["case"]


def filled(folder, text):
    (folder / "result.txt").write_text(text)
    return CaseRecord("case", "")


def test_a_broken_shared_prompts_file_is_said_once_before_any_work(data):
    (data / "p.json").write_text("{}")
    with pytest.raises(PromptError, match=r"p\.json"):
        run(data)
    assert not (data / "out").exists()
    with pytest.raises(InputError, match="no prompts in"):
        run_batch(data / "in", data / "absent", data / "out")


def test_idle_processes_that_have_died_do_not_spoil_the_end(data):
    pool = WorkerPool(["cpu", "cpu"], data / "out", fake_launch())
    (data / "out").mkdir()
    tasks = BatchJob(options(data / "in", data / "p.json", data / "out"))._tasks
    assert len([event for event in pool.run(tasks) if isinstance(event, CaseRecord)]) == len(tasks)
    processes = [worker.process for worker in pool._workers]
    processes[0].kill()
    processes[0].join()
    pool.close()
    assert not any(process.is_alive() for process in processes)
