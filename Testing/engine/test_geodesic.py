"""Distances over edges are exact, and regions reached from a click stop where the image has an edge."""

import heapq

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.phantom import ellipse
from SAMUNetSlicerLib.engine.prompting import EdgeMap, geodesic_distance

grids = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=7)


def dijkstra(steps_x, steps_y, seeds):
    """The same distances by the textbook's method."""
    best = np.where(seeds, 0.0, np.inf)
    queue = [(0.0, tuple(seed)) for seed in np.argwhere(seeds)]
    while queue:
        cost, (y, x) = heapq.heappop(queue)
        if cost > best[y, x]:
            continue
        for ny, nx in ((y, x - 1), (y, x + 1), (y - 1, x), (y + 1, x)):
            if 0 <= ny < seeds.shape[0] and 0 <= nx < seeds.shape[1]:
                step = steps_x[y, min(x, nx)] if ny == y else steps_y[min(y, ny), x]
                if cost + step < best[ny, nx]:
                    best[ny, nx] = cost + step
                    heapq.heappush(queue, (cost + step, (ny, nx)))
    return best


@settings(deadline=None, max_examples=150)
@given(st.data(), grids)
def test_the_distance_is_that_of_the_cheapest_path(data, shape):
    height, width = shape
    costs = st.integers(0, 50)
    steps_x = data.draw(hnp.arrays(float, (height, width - 1), elements=costs))
    steps_y = data.draw(hnp.arrays(float, (height - 1, width), elements=costs))
    seeds = data.draw(hnp.arrays(bool, shape))
    expected = np.minimum(dijkstra(steps_x, steps_y, seeds), 1e9)
    assert np.allclose(geodesic_distance(steps_x, steps_y, seeds), expected)


def test_a_winding_corridor_is_followed_to_its_end():
    walls = np.zeros((21, 21), bool)
    walls[1::4, :-1] = walls[3::4, 1:] = True
    cost = np.where(walls, 1000.0, 1.0)
    steps_x, steps_y = np.maximum(cost[:, 1:], cost[:, :-1]), np.maximum(cost[1:], cost[:-1])
    seeds = np.zeros_like(walls)
    seeds[0, 0] = True
    assert (
        geodesic_distance(steps_x, steps_y, seeds)[20, 0] == dijkstra(steps_x, steps_y, seeds)[20, 0] < 1000
    )


def test_it_is_far_to_the_other_side_of_an_edge():
    inside = ellipse(200, 300, center=(150.0, 100.0), radii=(60.0, 50.0))
    relief = EdgeMap((60 + 90 * inside).astype(np.uint8))
    distance = relief.distance(relief.seed([(150, 100)]))
    small = relief.shrink(inside)
    assert distance[small].max() < 150 and np.quantile(distance[~small], 0.05) > 90
    assert np.quantile(distance[small], 0.9) < distance[~small].min()


def test_the_border_of_a_structure_is_stronger_than_any_other_line():
    inside = ellipse(200, 300, center=(150.0, 100.0), radii=(60.0, 50.0))
    noise = np.random.default_rng(0).normal(0, 3, inside.shape)
    relief = EdgeMap((60 + 60 * inside + noise).astype(np.uint8))
    moved, smaller = np.roll(inside, 15, axis=1), ellipse(200, 300, center=(150.0, 100.0), radii=(30.0, 25.0))
    strength = relief.border_strength(relief.shrink(inside))
    assert strength > 0.5 + relief.border_strength(relief.shrink(moved))
    assert strength > 0.5 + relief.border_strength(relief.shrink(smaller))


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1), (600, 2), (2, 600), (7, 8, 3)])
def test_every_shape_of_image_has_a_relief(shape):
    image = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    relief = EdgeMap(image)
    mask = np.ones(shape[:2], bool)
    seeds = relief.seed([(0, 0), (shape[1] - 1, shape[0] - 1)])
    assert max(relief.shape) <= 192 and relief.shrink(mask).shape == relief.shape == seeds.shape
    assert relief.enlarge(relief.distance(seeds)).shape == shape[:2]
    assert np.isfinite(relief.border_strength(relief.shrink(mask)))


def test_colors_that_are_equally_bright_have_an_edge_between_them():
    image = np.zeros((50, 60, 3), np.uint8)
    image[:, :30, 0] = image[:, 30:, 1] = 120
    relief = EdgeMap(image)
    distance = relief.distance(relief.seed([(10, 25)]))
    assert distance[25, 50] - distance[25, 20] > 130
