"""How good a segment is after 1, 2 and 3 prompted slices, by every way that fills the rest of the volume.

    OMP_NUM_THREADS=1 python Testing/benchmarks/bench_propagation_quality.py VOLUMES [--only NAME ...]
        [--ways NAME ...] [--csv FILE] [--cache FOLDER]

VOLUMES is a folder with NAME.nii.gz or NAME.nrrd and NAME_seg of the same kind, see `labeled_volumes` for
those that are used and for their structures.  The default network, on the CPU in fp32; bones in the
window for bones.  On the axial slices
behind which 50 %, or 25 and 75 %, or 15, 50 and 85 % of the structure lie, a box 5 % wider than the structure
is drawn on each side; all ways start from the masks that this gives:

- same box: the box around these boxes on every slice on which the structure really is;
- fill: morphological interpolation between the prompted slices;
- propagate: from slice to slice, ending where the product finds an end;
- propagate, ends given: the same within the slices on which the structure really is;
- three axes: propagate, then fused with the other two axes, by majority or by mean logits.

Prints Markdown: mean 3D Dice and surface Dice at 2 mm over whole volumes, and how many slices the network
saw.  --cache keeps encoded slices between runs; the results are the same.
"""

import argparse
import csv
import dataclasses
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "SAMUNetSlicer"))

from benchmarks.labeled_volumes import VOLUMES, dice, load, structures, surface_dice
from SAMUNetSlicerLib.app.engines import ThreadEngine
from SAMUNetSlicerLib.app.files import startScene
from SAMUNetSlicerLib.app.models import modelSpec
from SAMUNetSlicerLib.app.propagation import PropagationOptions, Propagator
from SAMUNetSlicerLib.app.session import SegmentationSession
from SAMUNetSlicerLib.engine.windowing import WindowSetting
from SAMUNetSlicerLib.scene.geometry import RegionBox, ijkToRAS, planeFromAxis
from scene.segmentation_scene import voxels_of

WAYS = (
    "same box",
    "fill",
    "propagate",
    "propagate, ends given",
    "three axes, majority",
    "three axes, mean",
)
PROMPTED = {1: (0.5,), 2: (0.25, 0.75), 3: (0.15, 0.5, 0.85)}
WIDER = 0.05


class Row(NamedTuple):
    """One segment and how well it agrees with the truth; ``slices``: that the network segmented for it."""

    volume: str
    kind: str
    label: int
    prompted: int
    method: str
    dice: float
    surface_dice: float
    slices: int


def ways(session, truth, boxes):
    """The options of each way; ``boxes``: (left, top, right, bottom) by slice."""
    slices = np.flatnonzero(truth.any(axis=(1, 2)))
    low, high = int(slices[0]), int(slices[-1])
    return {
        "same box": PropagationOptions(region=region_around(session, boxes, low, high)),
        "fill": PropagationOptions(method="fill"),
        "propagate": PropagationOptions(),
        "propagate, ends given": PropagationOptions(first=low, last=high),
        "three axes, majority": PropagationOptions(axes=("I", "J", "K")),
        "three axes, mean": PropagationOptions(axes=("I", "J", "K"), fusion="mean"),
    }


def region_around(session, boxes, low, high):
    """The box around boxes on slices, in voxel indices through the slices' own pixels."""
    plane = planeFromAxis(session.volumeNode, "K", low)
    corners = np.array(list(boxes.values()))
    pixels = np.array([corners[:, :2].min(axis=0), corners[:, 2:].max(axis=0)])
    toVoxels = np.linalg.inv(ijkToRAS(session.volumeNode))
    (i0, j0, _), (i1, j1, _) = (toVoxels @ np.c_[plane.pixelToRAS(pixels), [1, 1]].T)[:3].T
    return RegionBox.fromCorners((i0, j0, low - 0.5), (i1, j1, high + 0.5), ijkToRAS(session.volumeNode))


def key_slices(truth, parts):
    share = np.cumsum(truth.sum(axis=(1, 2))) / truth.sum()
    return [int(np.searchsorted(share, part)) for part in parts]


def box_on(session, truth, k):
    """(left, top, right, bottom) in pixels of the axial slice, wider than the structure."""
    plane = planeFromAxis(session.volumeNode, "K", k)
    voxels = np.argwhere(truth[k])[:, ::-1]
    ras = ijkToRAS(session.volumeNode) @ np.c_[voxels, np.full(len(voxels), k), np.ones(len(voxels))].T
    pixels, _ = plane.rasToPixel(ras[:3].T)
    low, high = pixels.min(axis=0) - 0.5, pixels.max(axis=0) + 0.5
    margin = WIDER * (high - low)
    return (*(low - margin), *(high + margin))


def prompt(session, truth, count):
    """A new segment with boxes on some slices; returns the boxes by slice."""
    session.addSegment()
    boxes = {k: box_on(session, truth, k) for k in key_slices(truth, PROMPTED[count])}
    for k, box in boxes.items():
        plane = planeFromAxis(session.volumeNode, "K", k)
        session.setPlane(plane)
        session.addBox(box[:2], box[2:], plane)
        session.waitUntilIdle()
    return boxes


def propagate(session, options):
    """The segment (K, J, I) and the number of slices that the network segmented; undone again."""
    reports, propagator = [], Propagator(session)
    propagator.finished.connect(reports.append)
    before = decoded(session)
    propagator.start(options)
    propagator.waitUntilFinished()
    propagator.close()
    if reports[0].error is not None:
        raise reports[0].error
    shape = session.volumeNode.GetImageData().GetDimensions()[::-1]
    voxels = voxels_of(session.segmentationNode, session.segmentId, shape)
    if reports[0].slices:
        session.undo()
    return voxels, decoded(session) - before


def decoded(session):
    return session.engine.wait(session.statistics())["decoded"]


def rows_of(session, structure, spacing, methods):
    for count in PROMPTED:
        boxes = prompt(session, structure.truth, count)
        options = ways(session, structure.truth, boxes)
        for method in methods:
            mask, slices = propagate(session, options[method])
            scores = dice(mask, structure.truth), surface_dice(mask, structure.truth, spacing)
            yield (row := Row(*structure[:3], count, method, *scores, slices))
            print(*row, file=sys.stderr, flush=True)
        session.segmentationNode.RemoveSegment(session.segmentId)


def rows_of_volume(engine, folder, name, methods):
    with startScene() as host:
        session = SegmentationSession(host.scene, engine)
        volume, labels = load(host, folder, name)
        session.setVolume(volume)
        for structure in structures(name, labels):
            session.setWindow(WindowSetting("preset:bone" if structure.kind == "bone" else VOLUMES[name][0]))
            yield from rows_of(session, structure, volume.GetSpacing()[::-1], methods)
        session.close()


def table(rows):
    """Markdown: mean "Dice / surface Dice" by class of structure and way, for each number of prompts."""
    methods = list(dict.fromkeys(row.method for row in rows))
    kinds = list(dict.fromkeys(row.kind for row in rows))
    yield f"| | Prompted slices | {' | '.join(methods)} |"
    yield "|---" * (len(methods) + 2) + "|"
    for kind in (*kinds, "all"):
        chosen = [row for row in rows if kind in (row.kind, "all")]
        number = len({(row.volume, row.label) for row in chosen})
        for count in PROMPTED:
            cells = [
                cell([row for row in chosen if (row.prompted, row.method) == (count, method)])
                for method in methods
            ]
            yield f"| {kind} ({number}) | {count} | {' | '.join(cells)} |"


def cell(rows):
    return f"{np.mean([row.dice for row in rows]):.2f} / {np.mean([row.surface_dice for row in rows]):.2f}"


def cost(rows):
    for method in dict.fromkeys(row.method for row in rows):
        slices = [row.slices for row in rows if row.method == method]
        yield f"{method}: {np.mean(slices):.0f} slices by the network on average"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("volumes")
    parser.add_argument("--only", nargs="+", default=list(VOLUMES))
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--cache")
    arguments = parser.parse_args()
    engine, rows = ThreadEngine(), []
    spec = modelSpec(device="cpu", precision="fp32")
    engine.wait(engine.start(dataclasses.replace(spec, cache_folder=arguments.cache)))
    for name in arguments.only:
        rows += rows_of_volume(engine, arguments.volumes, name, arguments.ways)
        if arguments.csv:
            write_csv(arguments.csv, rows)
    engine.close()
    print("\n".join([*table(rows), "", *cost(rows)]))


def write_csv(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(Row._fields)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
