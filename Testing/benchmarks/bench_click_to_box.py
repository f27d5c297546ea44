"""How good are masks from clicks, compared with the mask from the exact box?

    python Testing/benchmarks/bench_click_to_box.py FOLDER --weights lite_medsam.pth [--model litemedsam]

FOLDER holds images/NAME.png (8-bit gray or RGB), masks/NAME.png (label values, 0 background) and a
manifest.csv with the columns image, mask, source, modality.  Of each image at most two labels take part,
each with its largest connected component of at least 0.15 % of the image.  Dice at the original
resolution, averaged over objects, after

- the exact box (tight, half-open), which is the best a box-prompted network can do;
- one click at the center (the pixel farthest from the border), and one at a random pixel at least 0.3
  times as far from the border, as a hasty user clicks;
- further clicks, each at the center of the largest wrong region (connected component), after the box and
  after the center click.

Seconds are process time per prediction, decoding included, encoding not.
"""

import argparse
import csv
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "SAMUNetSlicer"))

from SAMUNetSlicerLib.engine.models import load_catalog, load_model
from SAMUNetSlicerLib.engine.prompting import Predictor, bounding_box
from SAMUNetSlicerLib.engine.types import Prompts

EIGHT_NEIGHBORS = np.ones((3, 3))
SMALLEST = 0.0015


def largest_component(mask):
    labels, count = ndimage.label(mask, EIGHT_NEIGHBORS)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    return labels == sizes.argmax() + 1 if count else np.zeros_like(mask)


def depth(mask):
    return ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]


def center(mask):
    row, column = np.unravel_index(depth(mask).argmax(), mask.shape)
    return column, row


def hasty_click(mask, rng):
    depths = depth(mask)
    rows, columns = np.nonzero(depths >= 0.3 * depths.max())
    i = rng.integers(len(rows))
    return columns[i], rows[i]


def dice(a, b):
    return 2 * np.count_nonzero(a & b) / max(1, np.count_nonzero(a) + np.count_nonzero(b))


def objects(folder, per_source, seed):
    """(row of the manifest, image, truth) of each object."""
    with open(folder / "manifest.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    taken = defaultdict(int)
    for i in np.random.default_rng(seed).permutation(len(rows)):
        row = rows[i]
        if per_source and taken[row["source"]] >= per_source:
            continue
        taken[row["source"]] += 1
        image = Image.open(folder / row["image"])
        image = np.asarray(image.convert("L" if image.mode in ("1", "L", "P") else "RGB"))
        labels = np.asarray(Image.open(folder / row["mask"]))
        parts = (largest_component(labels == value) for value in np.unique(labels)[1:])
        large = [part for part in parts if part.sum() >= SMALLEST * part.size]
        for truth in large[:2]:
            yield row, image, truth


def next_click(mask, truth):
    """(x, y), label at the center of the largest wrong region; None if there is none."""
    missing, surplus = largest_component(truth & ~mask), largest_component(mask & ~truth)
    if not missing.any() and not surplus.any():
        return None
    label = int(missing.sum() >= surplus.sum())
    return center(missing if label else surplus), label


class Trial:
    """One object, prompted step by step."""

    def __init__(self, predictor, embedding, image, truth):
        self._predict = lambda prompts: predictor.predict(embedding, prompts, image)
        self._truth = truth

    def run(self, box, click, corrections):
        """[Dice after the first prompt, after each correction], [seconds of each], clicks not followed."""
        points, labels = ([click], [1]) if click is not None else ([], [])
        boxes = [box] if box is not None else []
        scores, seconds, unfollowed = [], [], 0
        for step in range(corrections + 1):
            started = time.process_time()
            prompts = Prompts(np.array(points), np.array(labels, int), np.array(boxes))
            prediction = self._predict(prompts)
            seconds.append(time.process_time() - started)
            scores.append(dice(prediction.mask, self._truth))
            unfollowed += sum(prediction.mask[y, x] != bool(on) for (x, y), on in zip(points, labels))
            following = next_click(prediction.mask, self._truth)
            if following is None or step == corrections:
                break
            points, labels = [*points, following[0]], [*labels, following[1]]
        scores += scores[-1:] * (corrections + 1 - len(scores))
        return scores, seconds, unfollowed


def measure(model, folder, per_source, corrections, seed):
    predictor, rng = Predictor(model), np.random.default_rng(seed)
    table, seconds, unfollowed = defaultdict(list), defaultdict(list), 0
    for row, image, truth in objects(folder, per_source, seed):
        embedding = model.encode([image])[0]
        trial = Trial(predictor, embedding, image, truth)
        starts = {
            "box": (bounding_box(truth), None, corrections),
            "center": (None, center(truth), corrections),
            "hasty": (None, hasty_click(truth, rng), 0),
        }
        results = {name: trial.run(*start) for name, start in starts.items()}
        table[row["modality"]].append(np.hstack([scores for scores, _, _ in results.values()]))
        for name, (_, times, _) in results.items():
            seconds[f"{name}, first prompt"].append(times[0])
            seconds[f"{name}, correction"] += times[1:]
        unfollowed += sum(missed for _, _, missed in results.values())
        print(f"\r{sum(map(len, table.values()))} objects", end="", file=sys.stderr, flush=True)
    return table, seconds, unfollowed


def report(table, seconds, unfollowed, corrections):
    further = [f"+{k}" for k in range(1, corrections + 1)]
    print("\n\n| modality | n | box |", *(f"{k} |" for k in further), end="")
    print(" center |", *(f"{k} |" for k in further), "hasty |")
    print("|---|" + "---|" * (2 * corrections + 4))
    everything = np.vstack([row for rows in table.values() for row in rows])
    for name, rows in [*sorted(table.items()), ("all", everything)]:
        print(f"| {name} | {len(rows)} |", *(f"{value:.3f} |" for value in np.mean(rows, 0)))
    print(f"\nclicks not followed: {unfollowed}")
    for name, values in seconds.items():
        if values:
            median, slow = np.quantile(values, [0.5, 0.95]) * 1000
            print(f"{name}: median {median:.0f} ms, 95 % below {slow:.0f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--model", default="litemedsam")
    parser.add_argument("--per-source", type=int, default=0, help="images of each source, 0 for all")
    parser.add_argument("--clicks", type=int, default=3, help="corrections after the first prompt")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    model = load_model(load_catalog().get(options.model), options.weights, "cpu", "fp32")
    results = measure(model, options.folder, options.per_source, options.clicks, options.seed)
    report(*results, options.clicks)


if __name__ == "__main__":
    main()
