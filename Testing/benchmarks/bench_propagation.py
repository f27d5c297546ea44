"""What propagating a whole volume costs: time, memory, and how long the user interface stands still.

    OMP_NUM_THREADS=2 python Testing/benchmarks/bench_propagation.py [slices] [--axes]

The default model in its own process, a 512 x 512 x 300 volume made of the slices of a real CT, there and back
again and with noise, so that no two are equal, and a liver prompted with one box.  The front end is a loop
that sleeps 10 ms between calls of ``poll``, as a timer in Slicer would.  With --axes the second time all
three axes are put to the vote.
"""

import argparse
import dataclasses
import os
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "SAMUNetSlicer"))

from SAMUNetSlicerLib.app.engines import ProcessEngine
from SAMUNetSlicerLib.app.files import loadVolume, startScene
from SAMUNetSlicerLib.app.models import modelSpec
from SAMUNetSlicerLib.app.propagation import PropagationOptions, Propagator
from SAMUNetSlicerLib.app.session import SegmentationSession
from SAMUNetSlicerLib.engine.windowing import WindowSetting
from SAMUNetSlicerLib.scene.geometry import ijkToRAS, planeFromAxis, voxelArray
from scene.segmentation_scene import add_volume

SAMPLE = Path(__file__).resolve().parents[2] / "Resources" / "SampleData" / "ts_ct512.nii.gz"
LIVER = ((104, 191), (272, 377))


def make_volume(host, depth):
    node = loadVolume(host, SAMPLE)
    sample = voxelArray(node)
    there_and_back = np.r_[0 : len(sample), len(sample) - 2 : 0 : -1]
    voxels = sample[np.resize(there_and_back, depth)]
    voxels += np.random.default_rng(0).integers(-3, 4, voxels.shape, dtype=np.int16)
    return add_volume(host.scene, ijk_to_ras=ijkToRAS(node), array=voxels)


class Timer:
    """Polls every 10 ms, and remembers how long the longest poll took, in seconds and CPU seconds."""

    def __init__(self, session):
        self.session = session
        self.reset()

    def reset(self):
        self.longest = self.longest_cpu = 0.0

    def until(self, condition):
        while not condition():
            started, cpu = time.perf_counter(), time.process_time()
            self.session.poll()
            self.longest = max(self.longest, time.perf_counter() - started)
            self.longest_cpu = max(self.longest_cpu, time.process_time() - cpu)
            time.sleep(0.01)


def cpu_seconds(pid):
    """CPU time of a process so far: unlike the clock, it does not count what others do on the machine."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def peak_memory(pid):
    """Largest resident memory of a process so far, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main(depth, again):
    engine = ProcessEngine()
    with startScene() as host:
        session = SegmentationSession(host.scene, engine)
        session.setVolume(make_volume(host, depth))
        session.setWindow(WindowSetting("preset:abdomen"))
        timer = Timer(session)
        ready = session.setModel(dataclasses.replace(modelSpec(), cache_folder=None))
        timer.until(lambda: ready.isDone)
        session.setPlane(planeFromAxis(session.volumeNode, "K", depth // 2))
        session.addBox(*LIVER)
        timer.until(lambda: not session.isBusy)
        propagate(session, timer, PropagationOptions())
        session.undo()
        print("again, with what the cache has kept:")
        propagate(session, timer, again)
        print(
            f"peak memory: front end {peak_memory('self'):.0f} MiB, engine {peak_memory(engine.pid):.0f} MiB"
        )
        session.close()
    engine.close()


def propagate(session, timer, options):
    reports, masks, propagator = [], [], Propagator(session)
    propagator.progress.connect(lambda done, total: masks.append(time.perf_counter()))
    propagator.finished.connect(reports.append)
    timer.reset()
    started, cpu = time.perf_counter(), cpu_seconds(session.engine.pid)
    propagator.start(options)
    timer.until(lambda: reports)
    ended = time.perf_counter()
    (report,) = reports
    count = len(report.slices)
    cpu = cpu_seconds(session.engine.pid) - cpu
    per_slice = (masks[-1] - started) / count
    print(f"{count} slices in {ended - started:.1f} s, {per_slice * 1000:.0f} ms per slice")
    print(f"engine's CPU time: {cpu / count * 1000:.0f} ms per slice")
    print(f"writing all of them and their provenance: {ended - masks[-1]:.2f} s")
    print(f"longest standstill: {timer.longest * 1000:.0f} ms (CPU {timer.longest_cpu * 1000:.0f})")
    for stop in report.stops:
        print(f"stopped at {stop.plane.index}: {stop.reason}")
    started = time.perf_counter()
    session.undo()
    print(f"undo: {time.perf_counter() - started:.2f} s")
    session.redo()
    propagator.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("slices", type=int, nargs="?", default=300)
    parser.add_argument("--axes", action="store_true")
    arguments = parser.parse_args()
    main(arguments.slices, PropagationOptions(axes=("I", "J", "K") if arguments.axes else ()))
