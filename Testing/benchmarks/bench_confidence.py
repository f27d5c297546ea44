"""What a confidence is worth: the Dice of masks below and above a limit, on labeled images.

    OMP_NUM_THREADS=1 python Testing/benchmarks/bench_confidence.py FOLDER [images]

``FOLDER`` holds ``images/NAME.png`` and ``masks/NAME.png`` with label values; of each of a random choice of
images one structure is segmented with its exact box by the default network.
"""

import dataclasses
import sys
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "SAMUNetSlicer"))

from SAMUNetSlicerLib.app.models import modelSpec
from SAMUNetSlicerLib.engine.serving import EngineService
from SAMUNetSlicerLib.engine.types import Prompts

SMALLEST = 60  # pixels of a structure
LIMITS = (0.5, 0.6, 0.7, 0.8, 0.9)


def structures(folder, count):
    rng = np.random.default_rng(0)
    for path in rng.permutation(sorted((folder / "images").glob("*.png")))[:count]:
        image = np.asarray(Image.open(path))
        labels = np.asarray(Image.open(folder / "masks" / path.name))
        values = [value for value in np.unique(labels)[1:] if (labels == value).sum() > SMALLEST]
        if values:
            yield image, labels == rng.choice(values)


def confidence_and_dice(service, image, truth):
    rows, columns = np.nonzero(truth)
    box = np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], np.float32)
    prediction = service.predict(image, Prompts(boxes=box)).prediction
    dice = 2 * (prediction.mask & truth).sum() / (prediction.mask.sum() + truth.sum())
    return prediction.confidence, dice


def main(folder, count=160):
    service = EngineService()
    service.load(dataclasses.replace(modelSpec(), cache_folder=None))
    results = [confidence_and_dice(service, *each) for each in structures(Path(folder), int(count))]
    confidence, dice = np.array(results).T
    ranks = np.corrcoef(confidence.argsort().argsort(), dice.argsort().argsort())[0, 1]
    print(f"{len(results)} structures, mean Dice {dice.mean():.3f}, rank correlation {ranks:.2f}")
    for limit in LIMITS:
        low = confidence < limit
        bad = dice < 0.7
        found = (low & bad).sum() / bad.sum()
        print(
            f"below {limit}: {low.mean():4.0%} of them, mean Dice {dice[low].mean():.2f}, others "
            f"{dice[~low].mean():.2f}; {found:.0%} of those with a Dice below 0.7 are found"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
