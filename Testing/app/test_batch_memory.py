"""However many cases a batch has, its processes stay as large as they are after the first ones."""

import resource
import subprocess
import sys

import pytest

from app import batch_runs
from app.batch_runs import write_image, write_prompts

_PROGRAM = """
import slicer, sys
from pathlib import Path
from app.batch_runs import options
from fakes.fakeEngine import FakeEngine
from SAMUNetSlicerLib.app.batch.batchJob import BatchJob
from SAMUNetSlicerLib.app.batch.caseRunner import CaseRunner

def resident():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096

folder = Path(sys.argv[1])
job = BatchJob(options(folder / "in", folder / "p.json", folder / "out"))
folder.joinpath("out").mkdir()
runner = CaseRunner(FakeEngine(is_automatic=True))
tasks = job._tasks
for task in tasks * 5:
    assert runner.run(task).state == "done"
early = resident()
for task in tasks * 20:
    runner.run(task)
rules = slicer.vtkSegmentationConverterFactory.GetInstance().GetConverterRules()
assert len(rules) == len({rule.GetClassName() for rule in rules}), "each scene has registered them again"
print((resident() - early) // 1024)
"""


@pytest.mark.long
def test_a_hundred_more_cases_cost_no_more_memory(tmp_path):
    for number in range(4):
        write_image(tmp_path / "in" / f"{number}.nrrd", seed=number, shape=(16, 128, 128))
    write_prompts(tmp_path / "p.json")
    folders = [str(batch_runs.TESTING), str(batch_runs.TESTING.parent / "SAMUNetSlicer")]
    program = f"import sys; sys.path[:0] = {folders!r}\n{_PROGRAM}"
    finished = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
    )
    grown = int(finished.stdout.splitlines()[-1])
    # 80 cases of 256 KiB of voxels each: a volume that is not let go would show as 20 MiB and more.
    assert grown < 8 * 1024, f"{grown} KiB more after 80 cases"
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss > 0
