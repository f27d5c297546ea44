"""Draw the pictures of training and evaluation, as PNG files."""

from pathlib import Path
from typing import Dict, List, Sequence

import matplotlib as mpl
import numpy as np
from PIL import Image

mpl.use("Agg")
from matplotlib import pyplot as plt

from .protocols import BOX_CLICKS, CLICKS
from .rows import Row
from .summary import by_question, calibration, first_answers

ByModel = Dict[str, List[Row]]


def plot_clicks(models: ByModel, path: Path) -> None:
    """Draw the mean Dice after each click, with and without a box."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), sharey=True, layout="constrained")
    for axis, protocol in zip(axes, (CLICKS, BOX_CLICKS)):
        for name, rows in models.items():
            dice = by_question(rows)
            steps = [clicks for clicks in range(1, 11) if (protocol, clicks) in dice]
            axis.plot(steps, [dice[protocol, step] for step in steps], marker="o", label=name)
        axis.set(title=protocol, xlabel="clicks", ylabel="mean Dice", ylim=(0, 1))
        axis.grid(alpha=0.3)
    axes[0].legend()
    _save(figure, path)


def plot_calibration(models: ByModel, path: Path) -> None:
    """Draw mean Dice against mean confidence in five equal shares of the answers."""
    figure, axis = plt.subplots(figsize=(4.5, 3.5), layout="constrained")
    for name, rows in models.items():
        for kind, style in (("box", "-"), ("click", "--")):
            bins = np.array(calibration(first_answers(rows, kind))).reshape(-1, 3)
            axis.plot(bins[:, 0], bins[:, 1], style, marker="o", label=f"{name}, first {kind}")
    axis.set(xlabel="confidence (stability score)", ylabel="mean Dice", xlim=(0, 1), ylim=(0, 1))
    axis.grid(alpha=0.3)
    axis.legend()
    _save(figure, path)


def plot_worst(pictures: Sequence[tuple], path: Path) -> None:
    """Draw cases side by side.

    :param pictures: (title, image, truth (H, W) bool, mask (H, W) bool) each; truth green, mask red.  The
        file has 128 colors, so that a page of photographs stays small.
    """
    columns = 5
    lines = -(-len(pictures) // columns)
    figure, axes = plt.subplots(
        lines, columns, figsize=(11, 2.4 * lines), layout="constrained", squeeze=False
    )
    for axis in axes.flat:
        axis.axis("off")
    for axis, (title, image, truth, mask) in zip(axes.flat, pictures):
        axis.imshow(image, cmap="gray" if image.ndim == 2 else None, vmin=0, vmax=255)
        for region, color in ((truth, "limegreen"), (mask, "red")):
            if region.any() and not region.all():
                axis.contour(region, [0.5], colors=color, linewidths=0.8)
        axis.set_title(title, fontsize=6)
    _save(figure, path, dpi=90)
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(128)
    small.save(path, optimize=True)


def plot_log(log: Path, path: Path) -> None:
    """Draw loss and Dice of a training log (log.csv) over the steps."""
    table = np.genfromtxt(log, delimiter=",", names=True)
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    for axis, names in zip(axes, (("loss",), ("dice_box", "dice_click"))):
        for name in names:
            axis.plot(np.atleast_1d(table["step"]), np.atleast_1d(table[name]), label=name)
        axis.set_xlabel("step")
        axis.legend()
        axis.grid(alpha=0.3)
    _save(figure, path)


def _save(figure, path, dpi=110):
    figure.savefig(path, dpi=dpi)
    plt.close(figure)
