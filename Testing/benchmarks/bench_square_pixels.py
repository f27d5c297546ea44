"""What stretching slices to square pixels brings on thick-sliced volumes.

    python Testing/benchmarks/bench_square_pixels.py [FOLDER]

FOLDER holds volumes and, beside each NAME.*, its label map NAME_seg.*; by default the sample data.  Of every
label, the largest coronal and sagittal slice is segmented by the default model with its exact box, stretched
and as it is.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "SAMUNetSlicer"))

from SAMUNetSlicerLib.app.common import weightsFolder
from SAMUNetSlicerLib.app.engines import SquarePixels
from SAMUNetSlicerLib.app.files import loadVolume, startScene
from SAMUNetSlicerLib.engine.models import load_catalog, load_model, weights_path
from SAMUNetSlicerLib.engine.prompting import Predictor
from SAMUNetSlicerLib.engine.types import Prompts
from SAMUNetSlicerLib.engine.windowing import WindowSetting, to_uint8
from SAMUNetSlicerLib.scene.geometry import extractSlice, planeFromAxis, voxelArray, voxelSpacing

SAMPLE_DATA = Path(__file__).resolve().parents[2] / "Resources" / "SampleData"
LEAST_PIXELS = 12


def main(folder=SAMPLE_DATA):
    card = load_catalog().default_for("box")
    predictor = Predictor(load_model(card, weights_path(card, weightsFolder()), "cpu", "fp32"))
    results = []
    for labels in sorted(Path(folder).glob("*_seg.*")):
        name = labels.name.split("_seg.")[0]
        volume = next(path for path in Path(folder).iterdir() if path.name.split(".")[0] == name)
        with startScene() as host:
            results += measured(
                predictor, loadVolume(host, str(volume)), loadVolume(host, str(labels)), volume.name
            )
    if results:
        print(
            f"{len(results)} slices: mean Dice {np.mean(results, axis=0).round(3)} as they are and stretched"
        )
    else:
        print("No volume here has slices further apart than 1.25 times its pixels.")


def measured(predictor, volume, labels, name):
    spacing = np.array(voxelSpacing(volume))
    if spacing.max() <= 1.25 * spacing.min():
        return []
    voxels = voxelArray(labels)
    found = []
    for axis, across in (("coronal", 1), ("sagittal", 2)):
        for label in np.unique(voxels[voxels > 0]):
            areas = (voxels == label).sum(axis=tuple(a for a in range(3) if a != across))
            if areas.max() >= LEAST_PIXELS:
                plane = planeFromAxis(volume, axis, int(areas.argmax()))
                found.append(pair(predictor, volume, labels, plane, label))
    print(f"{name}: {len(found)} slices, {np.mean(found, axis=0).round(3)}")
    return found


def pair(predictor, volume, labels, plane, label):
    """Dice (as it is, stretched) of one structure on one slice."""
    truth = extractSlice(labels, plane) == label
    image = to_uint8(extractSlice(volume, plane), WindowSetting("percentile"))
    rows, columns = np.nonzero(truth)
    box = [[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]]
    prompts = Prompts(boxes=np.array(box, np.float32))
    square = SquarePixels(plane.shape, plane.spacing)
    stretched = predict(predictor, square.image(image), square.prompts(prompts))
    masks = predict(predictor, image, prompts).mask, square.prediction(stretched, prompts).mask
    return [2 * (mask & truth).sum() / max(1, mask.sum() + truth.sum()) for mask in masks]


def predict(predictor, image, prompts):
    return predictor.predict(predictor._model.encode([image])[0], prompts, image)


if __name__ == "__main__":
    main(*sys.argv[1:])
