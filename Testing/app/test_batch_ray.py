"""A batch on a real Ray cluster of two workers on this machine, one of which is killed."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from app import batch_runs
from app.batch_runs import options, run_batch, write_image, write_prompts
from SAMUNetSlicerLib.app.batch import BatchJob, RayWorker
from SAMUNetSlicerLib.app.engines import EngineLaunch
from SAMUNetSlicerLib.app.models import modelSpec
from SAMUNetSlicerLib.errors import EngineError, InputError

pytest.importorskip("ray", reason="the package ray is not installed")
CASES = 6


@pytest.fixture
def data(tmp_path):
    for number in range(CASES):
        write_image(tmp_path / "in" / f"Fall ä {number}.nii.gz", seed=number)
    write_prompts(tmp_path / "p.json")
    return tmp_path


def voxels(folder):
    return {
        path.parent.name: sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
        for path in sorted(folder.glob("*/*.nii.gz"))
    }


def actors(batch):
    """Process IDs of the workers that descend from a batch."""
    parents, found = {}, []
    for entry in Path("/proc").iterdir():
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue  # no process, or gone meanwhile
        if entry.name.isdigit():
            parents[int(entry.name)] = int(fields[1])
            found += [int(entry.name)] if command.startswith(b"ray::RayWorker") else []
    return [each for each in found if batch in _ancestors(each, parents)]


def _ancestors(process, parents):
    while process in parents:
        process = parents[process]
        yield process


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds the workers through /proc")
def test_a_killed_worker_is_replaced_and_the_results_are_those_of_a_local_run(data):
    local = run_batch(data / "in", data / "p.json", data / "local")
    command = [sys.executable, batch_runs.__file__, data / "in", data / "p.json", data / "ray", "local"]
    killed = None
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8") as batch:
        lines = []
        for line in batch.stdout:
            lines.append(line.strip())
            if killed is None and line.strip().endswith(" done"):
                killed, _ = actors(batch.pid)
                os.kill(killed, signal.SIGKILL)

    assert batch.returncode == 0 and lines[-1] == "finished"
    assert sorted(line for line in lines if line.endswith(" done")) == [
        f"{name} done" for name in sorted(local)
    ]
    expected, found = voxels(data / "local"), voxels(data / "ray")
    assert sorted(found) == sorted(expected) and len(found) == CASES
    assert all(np.array_equal(found[name], expected[name]) and expected[name].any() for name in expected)
    assert not any(path.name.startswith(".samunet-") for path in (data / "ray").iterdir())


def test_a_cluster_that_is_not_there_is_one_sentence(data):
    job = BatchJob(options(data / "in", data / "p.json", data / "out", ray="127.0.0.1:1"))

    with pytest.raises(EngineError, match=r"There is no Ray cluster at '127\.0\.0\.1:1'"):
        job.run()
    assert {record.state for record in job.records} == {"queued"}


def test_a_missing_package_says_what_to_install(data, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)

    with pytest.raises(InputError, match="pip install 'ray'"):
        BatchJob(options(data / "in", data / "p.json", data / "out", ray="local")).run()


def test_a_machine_that_does_not_see_the_folder_says_so(tmp_path):
    worker = RayWorker(EngineLaunch(), str(tmp_path / "not mounted here"), "cpu", "1")

    with pytest.raises(EngineError, match="on a disk that all machines of the cluster share"):
        worker.check()


def test_other_weights_on_a_machine_are_refused(data, monkeypatch, tmp_path):
    tasks = []
    monkeypatch.setattr(BatchJob, "_work", lambda self, found, manifest: tasks.extend(found))
    BatchJob(options(data / "in", data / "p.json", data / "out")).run()
    (task, *_) = tasks
    elsewhere = replace(modelSpec("samunet_compact"), weights=str(tmp_path / "elsewhere.safetensors"))
    worker = RayWorker(EngineLaunch(), str(tmp_path), "cpu", "1")

    record = worker.run(replace(task, spec=elsewhere, weightsDigest="0" * 64))

    assert record.state == "failed" and "has other weights of samunet_compact" in record.message
