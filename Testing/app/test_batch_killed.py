"""A batch that is killed at any moment loses nothing that was finished, and leaves nothing half-written."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from app import batch_runs
from app.batch_runs import run_batch, write_image, write_prompts
from patience import wait_until
from SAMUNetSlicerLib.app.batch import isCaseIntact, readRecord

CASES, FOLDERS, KILLS = 10, 3, 7  # kills in each folder


def start(data, out):
    command = [sys.executable, batch_runs.__file__, str(data / "in"), str(data / "p.json"), str(out)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def kill_after(process, changes, seconds):
    """Kill some seconds after so many changes of states, or when the batch is done."""
    for _ in range(changes):
        process.stdout.readline()
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()


def finished(out):
    """Content and time of writing of the record of each finished case, after checking all its files."""
    found = {}
    for folder in sorted(out.iterdir()) if out.exists() else ():
        if folder.is_dir() and not folder.name.startswith("."):
            record = readRecord(out, folder.name)
            assert isCaseIntact(out, record) and len(record.files) == 5
            file = folder / "record.json"
            found[folder.name] = (file.read_bytes(), file.stat().st_mtime_ns)
    return found


def labels(out):
    files = sorted(out.glob("*/*.nii.gz"))
    return {file.name: sitk.GetArrayFromImage(sitk.ReadImage(str(file))) for file in files}


def torment(data, out, seed):
    """Kill a batch again and again; return how many cases were finished after each time."""
    rng, counts, before = random.Random(seed), [], {}
    while len(counts) < KILLS:
        kill_after(start(data, out), rng.randint(0, 7), rng.uniform(0, 0.2))
        after = finished(out)
        assert {name: after.get(name) for name in before} == before, "a finished case was lost or made again"
        if (out / "manifest.json").exists():
            json.loads((out / "manifest.json").read_text(encoding="utf-8"))
        before, counts = after, [*counts, len(after)]
    return counts


def test_killed_at_random_moments_and_run_again_everything_is_there_once(tmp_path):
    for number in range(CASES):
        write_image(tmp_path / "in" / f"case {number}.nrrd", seed=number)
    write_prompts(tmp_path / "p.json")
    outs = [tmp_path / f"out{number}" for number in range(FOLDERS)]
    with ThreadPoolExecutor(FOLDERS) as pool:
        counts = list(pool.map(lambda out: torment(tmp_path, out, str(out.name)), outs))
    assert sum(map(len, counts)) == FOLDERS * KILLS >= 20
    assert any(0 < count < CASES for each in counts for count in each), "no kill has hit the work"
    run_batch(tmp_path / "in", tmp_path / "p.json", tmp_path / "whole")
    expected = labels(tmp_path / "whole")
    for out in outs:
        before = finished(out)
        records = run_batch(tmp_path / "in", tmp_path / "p.json", out)
        assert {record.state for record in records.values()} == {"done"} and len(records) == CASES
        after = finished(out)
        assert {name: after[name] for name in before} == before
        assert not list(out.glob(".samunet*"))
        found = labels(out)
        assert found.keys() == expected.keys()
        for name, voxels in expected.items():
            np.testing.assert_array_equal(found[name], voxels)


def test_the_processes_of_a_killed_batch_end(tmp_path):
    for number in range(CASES):
        write_image(tmp_path / "in" / f"{number}.nrrd", seed=number)
    write_prompts(tmp_path / "p.json")
    process = start(tmp_path, tmp_path / "out")
    process.stdout.readline()
    descendants = _descendants(process.pid)
    assert len(descendants) >= 2  # a worker and its engine
    process.kill()
    process.wait()
    process.stdout.close()
    wait_until(lambda: not any(_isAlive(pid) for pid in descendants))


def _descendants(pid):
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *_descendants(int(child))]
    return found


def _isAlive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX" and os.path.exists(f"/proc/{pid}")
