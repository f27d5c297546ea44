"""A click as a radiologist feels it: a real mouse event in a slice view, to the updated segmentation node.

    OMP_NUM_THREADS=1 python Testing/benchmarks/bench_click.py [rounds]

The default model in its own process, a 512 x 512 x 300 volume made of a real slice, three slice views, a
segment that covers 100 slices.  The front end is a timer of 10 ms, as in Slicer: mouse events and ``poll``
in turn; its largest gap is what the user interface would stand still, drawing not counted.  Warm: the slice
was encoded before, by encoding ahead, which goes on in all views; the mouse moves for 0.4 s to its place, and
the button is down for 80 ms.  The numbers are medians, in brackets 95 of 100.
"""

import statistics
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "SAMUNetSlicer"))

import dataclasses

from app.view_desk import ViewDesk
from SAMUNetSlicerLib.app.engines import ProcessEngine
from SAMUNetSlicerLib.app.files import loadVolume
from SAMUNetSlicerLib.app.models import modelSpec
from SAMUNetSlicerLib.engine.windowing import WindowSetting
from SAMUNetSlicerLib.scene.geometry import voxelArray
from scene.segmentation_scene import CT, add_volume, fill

SAMPLE = Path(__file__).resolve().parents[2] / "Resources" / "SampleData" / "ts_ct512.nii.gz"
VIEWS = {"Red": "Axial", "Green": "Coronal", "Yellow": "Sagittal"}
SPLEEN = (120, 330)  # column and row of the axial slice


class Timer:
    """Does one thing every 10 ms and remembers the largest gap between two of its turns."""

    def __init__(self, session):
        self.session = session
        self.gaps = []

    def turn(self, action=None):
        started = time.perf_counter()
        if action is not None:
            action()
        self.session.poll()
        self.gaps.append((time.perf_counter() - started) * 1000)
        time.sleep(max(0.0, 0.01 - (time.perf_counter() - started)))

    def until(self, condition, limit=600.0):
        end = time.monotonic() + limit
        while not condition() and time.monotonic() < end:
            self.turn()
        assert condition(), "it did not happen in time"


def make_volume(host):
    sample = loadVolume(host, SAMPLE)
    numbers = np.arange(300) % voxelArray(sample).shape[0]
    voxels = voxelArray(sample)[numbers] + (np.arange(300) // 20)[:, None, None].astype(np.int16)
    host.scene.RemoveNode(sample)
    return add_volume(host.scene, ijk_to_ras=CT, array=voxels)


def make_desk():
    desk = ViewDesk(make_volume, VIEWS, engine=ProcessEngine())
    desk.session.setWindow(WindowSetting("preset:abdomen"))
    desk.session.addSegment("covers 100 slices")
    covered = np.zeros((300, 512, 512), bool)
    covered[100:200, 150:350, 150:350] = True
    fill(desk.session.segmentationNode, desk.session.segmentId, desk.volume, covered)
    desk.session.poll()
    return desk


def warm_clicks(desk, timer, rounds):
    """Milliseconds from a mouse button's release to the mask in the node, and of its parts."""
    rows = []
    window, view = desk.windows["Red"], desk.views["Red"]
    for number in range(rounds):
        timer.turn(lambda number=number: view.setOffset(2.5 * (150 + number)))
        timer.until(lambda: desk.session.isReady(desk.plane()))
        place = desk.mouse_at(SPLEEN)
        for step in range(40):
            timer.turn(lambda at=(place[0] + 40 - step, place[1]): window.mouse("MouseMove", *at))
        timer.turn(lambda place=place: window.mouse("MouseMove", *place))
        timer.turn(lambda place=place: window.mouse("LeftButtonPress", *place))
        for _ in range(8):
            timer.turn()
        started, cpu = time.perf_counter(), time.process_time()
        timer.turn(lambda place=place: window.mouse("LeftButtonRelease", *place))
        timer.until(lambda: not desk.session.isBusy)
        times = [(time.perf_counter() - started) * 1000, (time.process_time() - cpu) * 1000]
        mask = desk.session.lastMask
        rows.append((*times, mask.encodeMs, mask.decodeMs, mask.writeMs))
        desk.away()
    return rows


def percentiles(values):
    ordered = sorted(values)
    return f"{statistics.median(ordered):6.1f} ms  [{ordered[int(0.95 * (len(ordered) - 1))]:.1f}]"


def main(rounds=20):
    desk = make_desk()
    timer = Timer(desk.session)
    ready = desk.session.setModel(dataclasses.replace(modelSpec(), cache_folder=None))
    timer.until(lambda: ready.isDone)
    print(f"{ready.value().model_id} on {ready.value().device}, {ready.value().precision}")
    desk.away()
    timer.gaps.clear()
    for _ in range(500):  # 5 s of encoding ahead in three views
        timer.turn()
    print(f"{'gap while encoding ahead':28} {percentiles(timer.gaps)}, longest {max(timer.gaps):.0f} ms")
    timer.gaps.clear()
    rows = warm_clicks(desk, timer, rounds)
    for name, column in zip(
        ("warm click", "  CPU of this process", "  encode", "  decode", "  write-back"), zip(*rows)
    ):
        print(f"{name:28} {percentiles(column)}")
    print(f"{'gap while clicking':28} {percentiles(timer.gaps)}, longest {max(timer.gaps):.0f} ms")
    desk.close()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
