"""Rounds: every place once, never a longer way than always to the nearest, each time the same."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from change.export.rounds import in_rounds, way_m

EAST, NORTH = 537_000.0, 2_556_000.0


def places(count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.Generator(np.random.PCG64(seed))
    return rng.uniform(0, 3_000, (count, 2)) + np.array([EAST, NORTH])


def nearest_each_time(points: np.ndarray, first: int) -> list[int]:
    order, left = [first], set(range(len(points))) - {first}
    while left:
        here = points[order[-1]]
        order.append(min(left, key=lambda place: np.hypot(*(points[place] - here))))
        left.remove(order[-1])
    return order


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=40))
def test_every_place_once(corners):
    points = np.array(corners, dtype=float).reshape(-1, 2)
    assert sorted(in_rounds(points).tolist()) == list(range(len(points)))


@given(st.integers(2, 60), st.integers(0, 10_000))
def test_never_longer_than_to_the_nearest_each_time(count, seed):
    points = places(count, seed)
    order = in_rounds(points)
    assert way_m(points, order) <= way_m(points, nearest_each_time(points, order[0])) + 1e-6


def test_shorter_where_there_is_something_to_gain():
    points = places(400)
    order = in_rounds(points)
    assert way_m(points, order) < 0.95 * way_m(points, nearest_each_time(points, order[0]))


@given(st.integers(0, 200))
def test_near_the_shortest_way_of_few_places(seed):
    points = places(7, seed)
    order = in_rounds(points)
    first, *others = order.tolist()
    shortest = min(way_m(points, [first, *rest]) for rest in permutations(others))
    assert way_m(points, order) <= 1.25 * shortest


def test_no_two_legs_cross():
    points = places(60, 3)
    order = in_rounds(points)
    legs = list(zip(points[order][:-1], points[order][1:], strict=True))
    crossings = [
        (one, other)
        for one in range(len(legs))
        for other in range(one + 2, len(legs))
        if cross(*legs[one], *legs[other])
    ]
    assert crossings == []


def cross(a, b, c, d) -> bool:
    def side(p, q, r):
        return np.sign((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]))

    return side(a, b, c) != side(a, b, d) and side(c, d, a) != side(c, d, b)


def test_begins_in_the_north_west():
    points = np.array([[0.0, 0.0], [100.0, 0.0], [0.0, 100.0], [100.0, 100.0]])
    assert in_rounds(points)[0] == 2


def test_begins_where_the_team_sets_out():
    points = places(30)
    assert in_rounds(points, start=(points[17, 0] + 1.0, points[17, 1]))[0] == 17


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_few_places(count):
    assert sorted(in_rounds(places(count)).tolist()) == list(range(count))


def test_places_that_lie_on_each_other():
    points = np.repeat(places(5), 40, axis=0)
    order = in_rounds(points)
    assert sorted(order.tolist()) == list(range(200))
    # None is left before all at that place have been seen.
    assert np.count_nonzero(np.diff(order // 40)) == 4


def test_the_same_each_time():
    points = places(300)
    assert in_rounds(points).tolist() == in_rounds(points.copy()).tolist()


def test_places_in_a_lattice_take_no_step_too_many():
    points = np.array([(x, y) for y in range(12) for x in range(10)]) * 60.0
    assert way_m(points, in_rounds(points)) == pytest.approx(119 * 60.0)


@pytest.mark.parametrize("points", [[[0.0, np.nan]], [[1.0, 2.0, 3.0]], [1.0, 2.0]])
def test_refuses_what_are_no_places(points):
    with pytest.raises(ValueError, match="finite"):
        in_rounds(np.array(points))
