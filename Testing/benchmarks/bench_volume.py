"""How good a structure is after 1, 2, 3, 5 and 10 interactions of a simulated user, in 3D.

    OMP_NUM_THREADS=1 python Testing/benchmarks/bench_volume.py VOLUMES [--structures tuned|unseen|all]
        [--first box|click] [--choose suggested|even|worst] [--most N] [--window MODE] [--only NAME ...]
        [--slices N] [--no-learning] [--cache FOLDER] [--csv FILE]

VOLUMES is a folder with NAME.nii.gz or NAME.nrrd and NAME_seg of the same kind.  The user begins on the axial
slice behind which half of the structure lies, with a box 5 % too large on each side around its largest part
there, or with a click into the depth of that part.  Then the segment is propagated.  A part that is missing
on the slice just prompted gets a box of its own; else the user goes to another slice and does one of these:

- there is no structure: erases the slice;
- a part is missing altogether, or Dice is below 0.5: a box, 5 % too large, around what is missing most;
- else: a click into the depth of the largest mistake, to add or to remove;
- a suggested slice is right: nothing, which counts as an interaction all the same.

Which slice: "suggested" by the product; "even", the middle of the largest gap between the slices prompted so
far, within the true extent; "worst", the one with the most wrong pixels.  Structures are taken by a rule, see
`volume_structures`; half of them, by a hash of their names, were never looked at while anything was tuned.

Prints Markdown: mean 3D Dice / surface Dice at 2 mm by class, and the mean seconds of an interaction.
"""

import argparse
import csv
import dataclasses
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "SAMUNetSlicer"))

from benchmarks.labeled_volumes import load, surface_dice
from benchmarks.volume_structures import VOLUMES, structures
from SAMUNetSlicerLib.app import propagation
from SAMUNetSlicerLib.app.engines import ThreadEngine
from SAMUNetSlicerLib.app.files import startScene
from SAMUNetSlicerLib.app.models import modelSpec
from SAMUNetSlicerLib.app.session import SegmentationSession
from SAMUNetSlicerLib.engine.overlap import dice
from SAMUNetSlicerLib.engine.windowing import WindowSetting
from SAMUNetSlicerLib.scene.geometry import planeFromAxis
from scene.segmentation_scene import voxels_of

COUNTED = (1, 2, 3, 5, 10)
WIDER, MISSING, WHOLE, POOR = 0.05, 0.1, 0.2, 0.5


class Row(NamedTuple):
    """A structure after a number of interactions; ``seconds``: of the last one, propagation included."""

    structure: str
    kind: str
    interactions: int
    dice: float
    surface_dice: float
    seconds: float


class User:
    """Knows the truth, sees a session, and corrects one slice at a time."""

    def __init__(self, session, truth, options):
        self.session, self.truth, self.options = session, truth, options
        self.planes = [planeFromAxis(session.volumeNode, "K", k) for k in range(len(truth))]
        self.prompted, self.right = [], set()

    def begin(self, first):
        share = np.cumsum(self.truth.sum(axis=(1, 2))) / self.truth.sum()
        k = int(np.searchsorted(share, 0.5))
        part = _parts(self.true_slice(k))[0]
        self._do(k, ("box", part) if first == "box" else ("click", part, True))

    def true_slice(self, k):
        """The truth (H, W) as the plane shows it: planes of voxels are flipped, never resampled."""
        plane = self.planes[k]
        corners = plane.planeToIJK(self.session.volumeNode) @ [[0, 1, 0], [0, 0, 1], [0, 0, 0], [1, 1, 1]]
        mask = self.truth[k]
        if abs(corners[0, 1] - corners[0, 0]) < 0.5:
            mask = mask.T
        along, down = (corners[:2, n] - corners[:2, 0] for n in (1, 2))
        mask = mask[:, ::-1] if along.sum() < 0 else mask
        return mask[::-1] if down.sum() < 0 else mask

    def mask(self, k):
        workspace = self.session.workspace
        return workspace.writer.readMask(workspace.segmentationNode, self.session.segmentId, self.planes[k])

    def grow(self):
        reports, propagator = [], propagation.Propagator(self.session)
        propagator.finished.connect(reports.append)
        propagator.start(self.options)
        propagator.waitUntilFinished()
        propagator.close()
        if reports[0].error is not None:
            raise reports[0].error

    def correct(self, choose):
        """One interaction; False if there is nothing left to correct."""
        k = self.prompted[-1]
        if not _missing_parts(self.true_slice(k), self.mask(k)):
            k = {"suggested": self.suggested, "even": self.even, "worst": self.worst}[choose]()
        if k is None:
            return False
        if np.array_equal(self.true_slice(k), self.mask(k)):
            self.right.add(self.planes[k].signature())
            self.prompted.append(k)
        else:
            self._do(k, self._action(self.true_slice(k), self.mask(k)))
        return True

    def suggested(self):
        found = propagation.suggestSlice(self.session, skipped=self.right)
        return None if found is None else found.plane.index

    def even(self):
        inside = np.flatnonzero(self.truth.any(axis=(1, 2)))
        stops = sorted({int(inside[0]) - 1, int(inside[-1]) + 1, *self.prompted})
        _, low, high = max((high - low, low, high) for low, high in zip(stops, stops[1:]))
        return (low + high) // 2

    def worst(self):
        wrong = voxels(self.session) ^ self.truth
        return int(wrong.sum(axis=(1, 2)).argmax()) if wrong.any() else None

    def _action(self, truth, mask):
        if not truth.any():
            return ("erase",)
        missing = _missing_parts(truth, mask)
        if missing or dice(truth, mask) < POOR:
            return "box", (missing or [max(_parts(truth), key=lambda part: (part & ~mask).sum())])[0]
        added, extra = (_parts(each) for each in (truth & ~mask, mask & ~truth))
        is_missing = not extra or (added and added[0].sum() >= extra[0].sum())
        return "click", (added if is_missing else extra)[0], bool(is_missing)

    def _do(self, k, action):
        session, plane = self.session, self.planes[k]
        session.setPlane(plane)
        if action[0] == "box":
            box = _box(action[1])
            session.addBox(box[:2], box[2:], plane)
        elif action[0] == "click":
            session.addPoint(_deepest(action[1]), action[2], plane)
        else:
            session.clear(plane)
            session.waitUntilIdle()
            everything = np.ones(plane.shape, bool)
            workspace = session.workspace
            workspace.writer.writeMask(
                workspace.segmentationNode,
                session.segmentId,
                plane,
                everything,
                session.volumeNode,
                mode="subtract",
            )
        session.waitUntilIdle()
        self.prompted.append(k)


def _parts(mask):
    """Connected parts of a mask, the largest first; nothing for an empty one."""
    labels, count = ndimage.label(mask)
    return sorted((labels == n for n in range(1, count + 1)), key=lambda part: -part.sum())


def _missing_parts(truth, mask):
    """Large parts of the truth of which the mask has nearly nothing, if there are several parts."""
    parts = [part for part in _parts(truth) if part.sum() >= WHOLE * truth.sum()]
    return [part for part in parts if (part & mask).sum() < MISSING * part.sum()] if len(parts) > 1 else []


def _box(part):
    """(left, top, right, bottom) in pixels, positions of edges, wider than the part."""
    rows, columns = np.nonzero(part)
    low = np.array([columns.min(), rows.min()]) - 0.5
    high = np.array([columns.max(), rows.max()]) + 0.5
    margin = WIDER * (high - low)
    return (*(low - margin), *(high + margin))


def _deepest(part):
    depth = ndimage.distance_transform_edt(np.pad(part, 1))[1:-1, 1:-1]
    row, column = np.unravel_index(depth.argmax(), part.shape)
    return int(column), int(row)


def voxels(session):
    shape = session.volumeNode.GetImageData().GetDimensions()[::-1]
    return voxels_of(session.segmentationNode, session.segmentId, shape)


def rows_of(session, structure, arguments):
    """Rows after the counted numbers of interactions; once nothing is left to correct, the last one again."""
    options = propagation.PropagationOptions(**({"learn": False} if arguments.no_learning else {}))
    session.addSegment()
    user, spacing = User(session, structure.truth, options), session.volumeNode.GetSpacing()[::-1]
    is_done, seconds = False, 0.0
    for number in range(1, arguments.most + 1):
        started = time.perf_counter()
        if number == 1:
            user.begin(arguments.first)
        elif not is_done:
            is_done = not user.correct(arguments.choose)
        if not is_done:
            user.grow()
            seconds = time.perf_counter() - started
        if number in COUNTED:
            mask = voxels(session)
            scores = dice(mask, structure.truth), surface_dice(mask, structure.truth, spacing)
            yield Row(structure.name, structure.kind, number, *scores, seconds)
            print(
                *[
                    f"{each:.3f}" if isinstance(each, float) else each
                    for each in Row(structure.name, structure.kind, number, *scores, seconds)
                ],
                file=sys.stderr,
                flush=True,
            )
    session.segmentationNode.RemoveSegment(session.segmentId)


def rows_of_volume(engine, name, arguments):
    with startScene() as host:
        session = SegmentationSession(host.scene, engine)
        volume, labels = load(host, arguments.volumes, name)
        session.setVolume(volume)
        if arguments.window:
            session.setWindow(WindowSetting(arguments.window))
        for structure in structures(name, labels, arguments.structures):
            is_wanted = not arguments.only or structure.name in arguments.only
            if is_wanted and np.count_nonzero(structure.truth.any(axis=(1, 2))) <= arguments.slices:
                yield from rows_of(session, structure, arguments)
        session.close()


def table(rows):
    """Markdown: mean "Dice / surface Dice" by class and number of interactions."""
    counted = sorted({row.interactions for row in rows})
    yield f"| Interactions | {' | '.join(map(str, counted))} |"
    yield "|---" * (len(counted) + 1) + "|"
    for kind in (*dict.fromkeys(row.kind for row in rows), "all"):
        chosen = [row for row in rows if kind in (row.kind, "all")]
        by_number = [[row for row in chosen if row.interactions == number] for number in counted]
        cells = [f"{_mean(each, 'dice'):.3f} / {_mean(each, 'surface_dice'):.3f}" for each in by_number]
        yield f"| {kind} ({len(by_number[0])}) | {' | '.join(cells)} |"
    seconds = [_mean([row for row in rows if row.interactions == number], "seconds") for number in counted]
    yield f"| seconds | {' | '.join(f'{each:.1f}' for each in seconds)} |"


def _mean(rows, field):
    return float(np.mean([getattr(row, field) for row in rows]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("volumes")
    parser.add_argument("--structures", choices=("tuned", "unseen", "all"), default="unseen")
    parser.add_argument("--first", choices=("box", "click"), default="box")
    parser.add_argument("--choose", choices=("suggested", "even", "worst"), default="suggested")
    parser.add_argument("--most", type=int, default=10)
    parser.add_argument("--window", default="")
    parser.add_argument("--only", nargs="+", default=[])
    parser.add_argument("--slices", type=int, default=1000, help="leave out structures on more slices")
    parser.add_argument("--no-learning", action="store_true")
    parser.add_argument("--cache")
    parser.add_argument("--csv", type=Path)
    arguments = parser.parse_args()
    engine, rows = ThreadEngine(), []
    spec = modelSpec(device="cpu", precision="fp32")
    engine.wait(engine.start(dataclasses.replace(spec, cache_folder=arguments.cache)))
    for name in VOLUMES:
        if not arguments.only or any(each.startswith(f"{name}/") for each in arguments.only):
            rows += rows_of_volume(engine, name, arguments)
    engine.close()
    print("\n".join(table(rows)))
    if arguments.csv:
        with arguments.csv.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerows([Row._fields, *rows])


if __name__ == "__main__":
    main()
