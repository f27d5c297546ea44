"""How well a small mask that was drawn on a tilted slice comes back on that slice.

    OMP_NUM_THREADS=1 python Testing/benchmarks/bench_oblique.py [PICTURE]

Squares of pixels at random places of the middle of a volume, on slices tilted against the volume's own by 2
to 88 degrees towards random sides: Dice of the square and of the segment that was written, seen on the same
slice.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "SAMUNetSlicer"))

from SAMUNetSlicerLib.app.files import startScene
from scene.oblique_masks import dice_of

SPACINGS = [(1.0, 1.0, 1.0), (0.75, 0.75, 2.5), (0.5, 0.5, 5.0)]
SIZES = [12, 6]
TILTS = [2, 10, 20, 30, 40, 50, 60, 70, 80, 88]
ROUNDS = 12


def main(picture=None):
    figures = {}
    with startScene() as host:
        for spacing in SPACINGS:
            for size in SIZES:
                figures[spacing, size] = np.array(
                    [[dice_of(host.scene, spacing, tilt, size, n) for n in range(ROUNDS)] for tilt in TILTS]
                )
    print("voxels (mm)      pixels  " + "  ".join(f"{tilt:4d}°" for tilt in TILTS) + "   mean 10 to 80°")
    for (spacing, size), dice in figures.items():
        by_tilt = "  ".join(f"{each:.3f}" for each in dice.mean(axis=1))
        whole = f"{dice[1:-1].mean():.3f}, least {dice.min():.3f}"
        print(f"{spacing!s:17} {size:2d} x {size:<2d} {by_tilt}   {whole}")
    if picture is not None:
        draw(figures, picture)


def draw(figures, path):
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, len(SIZES), figsize=(9, 3.4), sharey=True, layout="constrained")
    for axis, size in zip(axes, SIZES):
        for spacing in SPACINGS:
            dice = figures[spacing, size]
            (line,) = axis.plot(
                TILTS, dice.mean(axis=1), marker="o", label="{} x {} x {} mm".format(*spacing)
            )
            axis.fill_between(TILTS, dice.min(axis=1), dice.max(axis=1), color=line.get_color(), alpha=0.15)
        axis.set(title=f"{size} x {size} pixels", xlabel="tilt of the slice (degrees)", ylim=(0, 1))
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("Dice, mean and range")
    axes[0].legend(title="voxels", loc="lower left")
    figure.savefig(path, dpi=90)


if __name__ == "__main__":
    main(*sys.argv[1:2])
