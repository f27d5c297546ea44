"""What other programs on the computer cost the user: the engine alone, and beside busy loops.

    python Testing/benchmarks/bench_busy.py [busy loops] [slices]

In Slicer's way: the default model in its own process, started without variables that limit its threads, and
a front end that polls every 15 ms, as the panel does.  Loading, encoding a slice of 512 x 512, a box on an
encoded slice until it is in the segment, and a propagation through 35 slices; first alone, then beside as
many busy loops as named, two by default.  Wall time, and the longest time between two polls, which is how
long the user interface would stand still.  What else runs on the computer counts in both: look at the ratios,
and at the CPU time, which is what the front end and the engine themselves have used.
"""

import contextlib
import dataclasses
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "SAMUNetSlicer"))

from bench_propagation import LIVER, cpu_seconds, make_volume

from SAMUNetSlicerLib.app.engines import EngineLaunch, ProcessEngine
from SAMUNetSlicerLib.app.files import startScene
from SAMUNetSlicerLib.app.models import modelSpec
from SAMUNetSlicerLib.app.propagation import PropagationOptions, Propagator
from SAMUNetSlicerLib.app.session import SegmentationSession
from SAMUNetSlicerLib.engine.windowing import WindowSetting
from SAMUNetSlicerLib.scene.geometry import planeFromAxis, voxelArray

DEPTH, ROUNDS, INTERVAL = 35, 6, 0.015  # slices, repetitions, seconds


class FrontEnd:
    """A session that is polled as by the panel's timer; ``longest`` time between two polls in seconds."""

    def __init__(self, host, volume):
        hidden = ("OMP_", "MKL_", "GOMP_", "KMP_")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
        self.engine = ProcessEngine(EngineLaunch(environment=environment))
        self.session = SegmentationSession(host.scene, self.engine)
        self.session.setVolume(volume)
        self.session.setWindow(WindowSetting("preset:abdomen"))
        self.depth = voxelArray(volume).shape[0]
        self.longest = self.longest_cpu = 0.0

    def until(self, condition):
        """Seconds until the condition holds."""
        started = last = time.perf_counter()
        cpu = time.process_time()
        while not condition():
            time.sleep(INTERVAL)
            self.session.poll()
            now, used = time.perf_counter(), time.process_time()
            self.longest, last = max(self.longest, now - last), now
            self.longest_cpu, cpu = max(self.longest_cpu, used - cpu), used
        return time.perf_counter() - started

    def loaded(self):
        ready = self.session.setModel(dataclasses.replace(modelSpec(), cache_folder=None))
        return self.until(lambda: ready.isDone)

    def encoded(self, index):
        image = self.session.workspace.images.image(
            self.session.volumeNode, self.plane(index), self.session.workspace.window()
        )
        ticket = self.engine.encode(image)
        return self.until(lambda: ticket.isDone)

    def boxed(self, index):
        self.session.addBox(*LIVER, self.plane(index))
        return self.until(lambda: not self.session.isBusy)

    def propagated(self):
        reports, propagator = [], Propagator(self.session)
        propagator.finished.connect(reports.append)
        self.session.setPlane(self.plane(self.depth // 2))
        propagator.start(PropagationOptions(minConfidence=0.0, minDice=0.0))
        seconds = self.until(lambda: reports)
        propagator.close()
        assert len(reports[0].slices) + ROUNDS == self.depth, reports[0].stops
        return seconds

    def plane(self, index):
        return planeFromAxis(self.session.volumeNode, "K", index)


def measured(host, volume):
    """Seconds by part, and the front end's longest gap."""
    front = FrontEnd(host, volume)
    try:
        found = {"load": front.loaded()}
        slices = range(front.depth // 2, front.depth // 2 + ROUNDS)
        found["encode"] = statistics.median([front.encoded(index) for index in slices])
        found["click"] = statistics.median([front.boxed(index) for index in slices])
        cpu = cpu_seconds(front.engine.pid)
        found["propagation"] = front.propagated()
        found["CPU of the propagation"] = cpu_seconds(front.engine.pid) - cpu
        found["longest gap"], found["longest CPU of a poll"] = front.longest, front.longest_cpu
        return found
    finally:
        front.session.close()
        front.engine.close()


@contextlib.contextmanager
def busy_loops(count):
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def main(loops=2, slices=DEPTH):
    with startScene() as host:
        volume = make_volume(host, slices)
        alone = measured(host, volume)
        with busy_loops(loops):
            busy = measured(host, volume)
    print(f"{os.cpu_count()} logical cores, load {os.getloadavg()[0]:.1f} in the last minute")
    print(f"{'seconds':24} {'alone':>8} {f'{loops} loops':>8} {'ratio':>6}")
    for part in alone:
        print(f"{part:24} {alone[part]:8.3f} {busy[part]:8.3f} {busy[part] / alone[part]:6.1f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
