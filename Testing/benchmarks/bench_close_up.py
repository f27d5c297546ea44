"""What looking at small structures from near brings: mean Dice with and without close-ups.

    python Testing/benchmarks/bench_close_up.py [FOLDER [SLICES]]

FOLDER holds volumes and, beside each NAME.*, its label map NAME_seg.*; by default the sample data.  Of the
axial slices on which the largest part of a label is at least 20 pixels large, but extends over less than a
tenth of the slice, SLICES (default 20) of each volume are drawn.  They are prompted with the exact box, with
one 15 % larger, and with the exact box and two clicks on what is wrong.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "SAMUNetSlicer"))

from SAMUNetSlicerLib.app.common import weightsFolder
from SAMUNetSlicerLib.app.files import loadVolume, startScene
from SAMUNetSlicerLib.engine.models import load_catalog, load_model, weights_path
from SAMUNetSlicerLib.engine.overlap import dice
from SAMUNetSlicerLib.engine.types import Prompts
from SAMUNetSlicerLib.engine.windowing import WindowSetting, to_uint8
from SAMUNetSlicerLib.scene.geometry import voxelArray
from SAMUNetSlicerLib.training.data import next_click, scaled_box, tight_box
from SAMUNetSlicerLib.training.measuring import product_answers

SAMPLE_DATA = Path(__file__).resolve().parents[2] / "Resources" / "SampleData"
LEAST_PIXELS, LARGEST_EXTENT = 20, 0.1
ABDOMEN, PERCENTILE = WindowSetting("preset:abdomen"), WindowSetting("percentile")


def main(folder=SAMPLE_DATA, slices=20):
    card = load_catalog().default_for("box")
    model = load_model(card, weights_path(card, weightsFolder()), "cpu", "auto")
    print("Exact box, larger box, exact box and 2 clicks: on the whole slice, and with close-ups")
    found = []
    for labels in sorted(Path(folder).glob("*_seg.*")):
        name = labels.name.split("_seg.")[0]
        volume = next(path for path in Path(folder).iterdir() if path.name.split(".")[0] == name)
        with startScene() as host:
            pixels, truth = (voxelArray(loadVolume(host, str(path))) for path in (volume, labels))
        if pixels.shape == truth.shape:
            found += measured(model, pixels, truth, int(slices), name)
    print(f"{len(found)} slices: {np.mean(found, axis=0).round(3)}")


def measured(model, pixels, truth, count, name):
    window = ABDOMEN if pixels.min() < -500 else PERCENTILE
    cases = list(small_structures(truth))
    chosen = np.random.default_rng(0).permutation(len(cases))[:count]
    found = [both_ways(model, to_uint8(pixels[cases[i][0]], window), cases[i][1]) for i in chosen]
    if found:
        print(f"{name}: {len(found)} slices, {np.mean(found, axis=0).round(3)}", flush=True)
    return found


def small_structures(labels):
    """(slice, mask) of the largest parts of the labels that are small."""
    for k, plane in enumerate(labels):
        for label in np.unique(plane[plane > 0]):
            parts, _ = ndimage.label(plane == label)
            mask = parts == np.bincount(parts.ravel())[1:].argmax() + 1
            box = tight_box(mask)
            extent = (box[2:] - box[:2]).max()
            if mask.sum() >= LEAST_PIXELS and extent < LARGEST_EXTENT * max(mask.shape):
                yield k, mask


def both_ways(model, image, mask):
    able = model.capabilities
    scores = []
    for close_up in (False, True):
        model.capabilities = replace(able, close_up=close_up)
        scores.append(answered(product_answers(model, image), mask))
    model.capabilities = able
    return scores


def answered(ask, truth):
    box = tight_box(truth)
    found = [ask(Prompts(boxes=each[None])).mask for each in (box, scaled_box(box, 1.15))]
    corrected, clicks = found[0], []
    for _ in range(2):
        click = next_click(corrected, truth)
        if click is not None:
            clicks.append(click)
            rows = np.array(clicks)
            corrected = ask(Prompts(rows[:, :2].astype(np.float32), rows[:, 2], box[None])).mask
    return [dice(mask, truth) for mask in (*found, corrected)]


if __name__ == "__main__":
    main(*sys.argv[1:])
