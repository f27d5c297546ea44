"""Shapes between two contours."""

import numpy as np

from SAMUNetSlicerLib.scene.segments import shapesBetween


def disk(x, y, radius, shape=(60, 70)):
    rows, columns = np.indices(shape)
    return (rows - y) ** 2 + (columns - x) ** 2 <= radius**2


def test_a_disk_grows_steadily_into_a_larger_one_elsewhere():
    shapes = shapesBetween(disk(25, 30, 8), disk(35, 30, 16), 7)
    areas = shapes.sum(axis=(1, 2))
    assert (np.diff(areas) >= 0).all() and areas[0] >= disk(25, 30, 8).sum() * 0.9
    middles = [np.nonzero(shape)[1].mean() for shape in shapes]
    assert (np.diff(middles) > -0.6).all() and middles[-1] - middles[0] > 5


def test_a_part_without_a_partner_fades_away():
    lower, upper = disk(15, 30, 8) | disk(55, 30, 6), disk(15, 30, 8)
    shapes = shapesBetween(lower, upper, 5)
    assert (shapes[:, 25:36, 10:21].all(axis=(1, 2))).all()
    areas = [disk(55, 30, 6).sum(), *shapes[:, :, 45:].sum(axis=(1, 2))]
    assert (np.diff(areas) <= 0).all() and areas[-1] < areas[0] / 4
