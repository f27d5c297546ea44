"""Run ``samunet finetune``: teach the compact SAM-UNet a structure from a volume that the user has
segmented.
"""

import argparse
import re
from pathlib import Path

from ..engine.serving import limit_threads
from ..errors import InputError
from .console import Console

NAME = "finetune"
HELP = "improve the compact SAM-UNet with your own segmentation of a volume"
_AXES = {"axial": 0, "coronal": 1, "sagittal": 2}


def addArguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("volume", type=Path, help="image the segmentation was made on")
    parser.add_argument("segmentation", type=Path, help="its label map, as exported (NRRD, NIfTI)")
    parser.add_argument("--name", required=True, help="id of the new model: letters, digits, _")
    parser.add_argument("--model", default="samunet_compact", metavar="ID", help="model to start from")
    parser.add_argument("--axis", choices=_AXES, default="axial", help="slices to learn from (default axial)")
    parser.add_argument(
        "--window",
        default="auto",
        help="how intensities become gray levels (default auto, as for prompts files)",
    )
    parser.add_argument("--steps", type=int, default=120, help="length of the training (default 120)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")


def run(options: argparse.Namespace, console: Console) -> None:
    limit_threads()  # before torch is imported
    from .fineTuning import fineTune

    if not re.fullmatch(r"[a-z0-9_]+", options.name):
        raise InputError(f"'{options.name}' cannot be a model's id: use lower-case letters, digits and _.")
    outcome = fineTune(
        *_arrays(options),
        modelId=options.model,
        newId=options.name,
        window=options.window,
        steps=options.steps,
        device=options.device,
        say=console.note,
    )
    change = f"Dice on held-out slices {outcome.before:.3f} before, {outcome.after:.3f} after."
    kept = (
        f"Use it with --model {options.name}." if outcome.better else "Not better: the old weights are kept."
    )
    values = {"before": outcome.before, "after": outcome.after, "kept": outcome.better}
    console.result(values, f"{change} {kept}")


def _arrays(options):
    """Return volume and labels with the slices first, seen as the product displays them."""
    import numpy as np
    import SimpleITK as sitk

    from ..app.files import readImage

    volume = sitk.DICOMOrient(readImage(options.volume), "LPS")
    labels = sitk.Resample(
        readImage(options.segmentation), volume, sitk.Transform(), sitk.sitkNearestNeighbor
    )
    axis = _AXES[options.axis]
    arrays = (np.moveaxis(sitk.GetArrayFromImage(image), axis, 0) for image in (volume, labels))
    # Rows of axial slices run to posterior as they should, those of the others to superior.
    return tuple(array if axis == 0 else np.flip(array, 1) for array in arrays)
