"""What a user feels: from a click to the written segment, and how long the user interface stands still.

    OMP_NUM_THREADS=1 python Testing/benchmarks/bench_session.py [rounds]

The default model in its own process, a 512 x 512 x 300 volume made of a real slice, a segment that already
covers 100 slices.  The front end is a loop that sleeps 10 ms between calls of ``poll``, as a timer in Slicer
would; the largest time between two sleeps is what the user interface would stand still.
"""

import dataclasses
import statistics
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "SAMUNetSlicer"))

from SAMUNetSlicerLib.app.engines import ProcessEngine
from SAMUNetSlicerLib.app.files import loadVolume, startScene
from SAMUNetSlicerLib.app.models import modelSpec
from SAMUNetSlicerLib.app.session import SegmentationSession
from SAMUNetSlicerLib.engine.windowing import WindowSetting
from SAMUNetSlicerLib.scene.geometry import planeFromAxis, voxelArray
from scene.segmentation_scene import CT, add_volume

SAMPLE = Path(__file__).resolve().parents[2] / "Resources" / "SampleData" / "ts_ct512.nii.gz"
BOXES = [((45, 135), (260, 360)), ((43, 133), (262, 363))]


class Timer:
    """Polls every 10 ms and remembers how long the calls in between took, in seconds and CPU seconds."""

    def __init__(self, session):
        self.session = session
        self.longest = self.longest_cpu = 0.0

    def call(self, action, *arguments):
        started, cpu = time.perf_counter(), time.process_time()
        action(*arguments)
        self.longest = max(self.longest, time.perf_counter() - started)
        self.longest_cpu = max(self.longest_cpu, time.process_time() - cpu)

    def until(self, condition):
        while not condition():
            self.call(self.session.poll)
            time.sleep(0.01)


def make_session(host, engine):
    sample = loadVolume(host, SAMPLE)
    slice_number = np.arange(300) % voxelArray(sample).shape[0]
    voxels = voxelArray(sample)[slice_number] + (np.arange(300) // 20)[:, None, None].astype(np.int16)
    session = SegmentationSession(host.scene, engine)
    session.setVolume(add_volume(host.scene, ijk_to_ras=CT, array=voxels))
    session.setWindow(WindowSetting("preset:abdomen"))
    session.setPolicy("allowOverlap")
    return session


def clicks(session, timer, planes, box):
    """Milliseconds from a box to its mask in the segment, and of its parts."""
    rows = []
    for plane in planes:
        started = time.perf_counter()
        timer.call(session.addBox, *box, plane)
        timer.until(lambda: not session.isBusy)
        mask = session.lastMask
        rows.append(((time.perf_counter() - started) * 1000, mask.encodeMs, mask.decodeMs, mask.writeMs))
    return rows


def report(name, rows):
    total, encode, decode, write = (statistics.median(column) for column in zip(*rows))
    print(f"{name:28} {total:8.0f} ms  (encode {encode:.0f}, decode {decode:.0f}, write {write:.0f})")


def main(rounds=20):
    engine = ProcessEngine()
    with startScene() as host:
        session = make_session(host, engine)
        timer = Timer(session)
        ready = session.setModel(dataclasses.replace(modelSpec(), cache_folder=None))
        timer.until(lambda: ready.isDone)
        status = ready.value()
        print(f"model loaded in {status.load_ms:.0f} ms on {status.device}, {status.precision}")
        planes = [planeFromAxis(session.volumeNode, "K", index) for index in range(100, 100 + rounds)]
        report("first box on a slice", clicks(session, timer, planes, BOXES[0]))
        session.addSegment()
        report("box on an encoded slice", clicks(session, timer, planes, BOXES[1]))
        session.setPlane(planeFromAxis(session.volumeNode, "K", 200))
        started = time.perf_counter()
        session.prefetch(most=rounds)
        timer.until(lambda: session.isReady(planeFromAxis(session.volumeNode, "K", 200 + (rounds - 1) // 2)))
        per_slice = (time.perf_counter() - started) / rounds
        print(f"{'encoding ahead':28} {per_slice * 1000:8.0f} ms per slice")
        print(
            f"{'longest standstill':28} {timer.longest * 1000:8.0f} ms  (CPU {timer.longest_cpu * 1000:.0f})"
        )
        session.close()
    engine.close()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
