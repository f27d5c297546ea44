"""What to prompt a slice with, given its neighbor's mask, and where to stop: the choices, compared.

    OMP_NUM_THREADS=1 python Testing/benchmarks/bench_propagation_rules.py VOLUMES [model]

VOLUMES is a folder with NAME.nii.gz or NAME.nrrd and NAME_seg of the same kind.  From one slice with a box
around the true structure, each rule goes through the slices on which the structure is, 15 on either side at
most; then the product's own rule goes on beyond its ends, with each stop rule in turn.  Prints mean 3D Dice.
"""

import sys
from pathlib import Path

import numpy as np
import SimpleITK as sitk

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "SAMUNetSlicer"))

from SAMUNetSlicerLib.app.models import modelSpec
from SAMUNetSlicerLib.app.propagation import (
    PropagatedSlice,
    PropagationOptions,
    boxAround,
    grayLevels,
    neighborPrompts,
    reasonToRefuse,
)
from SAMUNetSlicerLib.engine.models import ModelCard, load_model
from SAMUNetSlicerLib.engine.overlap import dice
from SAMUNetSlicerLib.engine.prompting import Predictor
from SAMUNetSlicerLib.engine.types import Prompts
from SAMUNetSlicerLib.engine.windowing import WindowSetting, to_uint8

CASES = [
    ("ts_ct3mm", "preset:abdomen", (1, 2, 4, 5, 6, 52)),
    ("ts_ct512", "preset:abdomen", (1, 5, 52, 63, 32)),
    ("ts_mr3mm", "slice", (1, 5)),
    ("la2018_case99", "slice", (1,)),
    ("fs_t1_norm", "slice", (4, 16, 17)),
    ("pyrad_lung2", "preset:mediastinum", (1,)),
]
REACH, BEYOND = 15, 10  # slices
NEVER = {"minConfidence": 0, "minDice": 0, "minAreaRatio": 0, "maxAreaRatio": 99, "maxBrightnessShift": 99}
STOPS = {
    "none": NEVER,
    "all but brightness": {"maxBrightnessShift": 99},
    **{f"all, brightness {shift}": {"maxBrightnessShift": shift} for shift in (1.25, 1.5, 1.75, 2, 2.5)},
}


class Volume:
    """Axial slices as the network sees them, encoded once."""

    def __init__(self, folder, name, window, model):
        image, labels = (_read(folder, stem) for stem in (name, f"{name}_seg"))
        self.images = [to_uint8(pixels, WindowSetting(window)) for pixels in image]
        self.labels, self.embeddings = labels, {}
        self.model, self.predictor = model, Predictor(model)

    def prompts(self, mask):
        return neighborPrompts(mask, self.model.capabilities)

    def predict(self, k, prompts):
        if k not in self.embeddings:
            (self.embeddings[k],) = self.model.encode([self.images[k]])
        return self.predictor.predict(self.embeddings[k], prompts, self.images[k])


def _read(folder, stem):
    (path,) = (path for path in folder.iterdir() if path.name.split(".")[0] == stem)
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))


def rules(capabilities):
    def rule(margin, with_point, with_mask):
        def prompts(mask):
            points = deepest_point(mask)[None] if with_point else np.zeros((0, 2), np.float32)
            labels, box = np.ones(len(points), np.int64), boxAround(mask, margin)[None]
            return Prompts(points, labels, box, mask if with_mask else None)

        return prompts

    kinds = {"": (False, False)}
    if capabilities.points and capabilities.mask != "none":
        kinds |= {" + point": (True, False), " + mask": (False, True), " + both": (True, True)}
    margins = (0, 0.02, 0.05, 0.08, 0.1, 0.14)
    return {f"box {m:.0%}{name}": rule(m, *kind) for m in margins for name, kind in kinds.items()}


def deepest_point(mask):
    """(x, y) of the pixel that is farthest from the background."""
    depth = sitk.SignedMaurerDistanceMap(
        sitk.GetImageFromArray(np.pad(mask, 1).astype(np.uint8)), True, False
    )
    row, column = np.unravel_index(sitk.GetArrayFromImage(depth).argmax(), np.add(mask.shape, 2))
    return np.array([column - 1, row - 1], np.float32)


def key_slices(area):
    """The largest slice, and the two behind which 15 % of the structure lie."""
    share = np.cumsum(area) / area.sum()
    return {int(area.argmax()), *(int(np.searchsorted(share, part)) for part in (0.15, 0.85))}


def walk(volume, key, mask, end, prompts):
    """(k, prediction, neighbor) of each slice from the key to the end."""
    direction = 1 if end > key else -1
    for k in range(key + direction, end + direction, direction):
        if not mask.any():
            return
        prediction = volume.predict(k, prompts(mask))
        yield k, prediction, mask
        mask = prediction.mask


def dice_of_rule(volume, truth, key, mask, prompts):
    slices = np.flatnonzero(truth.any(axis=(1, 2)))
    low, high = max(slices[0], key - REACH), min(slices[-1], key + REACH)
    found = np.zeros_like(truth)
    found[key] = mask
    for end in {low, high} - {key}:
        for k, made, _ in walk(volume, key, mask, end, prompts):
            found[k] = made.mask
    return dice(found[low : high + 1], truth[low : high + 1])


def dice_of_stop(volume, truth, key, mask, options):
    slices = np.flatnonzero(truth.any(axis=(1, 2)))
    low, high = max(slices[0] - BEYOND, 0), min(slices[-1] + BEYOND, len(truth) - 1)
    levels, found = grayLevels(volume.images[key], mask), np.zeros_like(truth)
    found[key] = mask
    for end in {low, high} - {key}:
        for k, made, neighbor in walk(volume, key, mask, end, volume.prompts):
            if not made.mask.any() or reasonToRefuse(compared(volume, levels, k, made, neighbor), options):
                break
            found[k] = made.mask
    return dice(found, truth)


def compared(volume, levels, k, made, neighbor):
    ratio = np.count_nonzero(made.mask) / np.count_nonzero(neighbor)
    shift = levels.shift(grayLevels(volume.images[k], made.mask))
    return PropagatedSlice(None, made.confidence, dice(made.mask, neighbor), ratio, shift)


def main(folder, model_id=None):
    spec = modelSpec(model_id)
    model = load_model(ModelCard.from_json(spec.card), spec.weights, "cpu", "fp32")
    tried = rules(model.capabilities)
    by_rule, by_stop = {name: [] for name in tried}, {name: [] for name in STOPS}
    for name, window, labels in CASES:
        volume = Volume(Path(folder), name, window, model)
        for truth in (volume.labels == label for label in labels):
            for key in sorted(key_slices(truth.sum(axis=(1, 2)))):
                mask = volume.predict(key, Prompts(boxes=boxAround(truth[key], 0.03)[None])).mask
                for rule, prompts in tried.items():
                    by_rule[rule].append(dice_of_rule(volume, truth, key, mask, prompts))
                for stop, changed in STOPS.items():
                    options = PropagationOptions(**changed)
                    by_stop[stop].append(dice_of_stop(volume, truth, key, mask, options))
        print(f"{name} done", flush=True)
    for title, table in (("prompts", by_rule), ("stop rules", by_stop)):
        print(f"\n{title}, {len(next(iter(table.values())))} runs")
        for name, values in table.items():
            print(f"{name:24} {np.mean(values):.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
