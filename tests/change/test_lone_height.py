"""What one surface model alone tells of a place."""

import numpy as np
import pytest

from change.lone_height import stand_of

SIDE, PIXEL = 140, 0.2


def place(rows=slice(55, 85), cols=slice(55, 85)):
    inside = np.zeros((SIDE, SIDE), bool)
    inside[rows, cols] = True
    return inside


def sloping(east=0.0, south=0.0):
    rows, cols = np.indices((SIDE, SIDE))
    return (30 + PIXEL * (east * cols + south * rows)).astype(np.float32)


@pytest.mark.parametrize(("east", "south"), [(0, 0), (0.2, -0.1), (-0.3, 0.3)])
@pytest.mark.parametrize("metres", [0.0, 3.0, 12.0])
def test_height_counts_from_the_ground_even_on_slopes(east, south, metres):
    heights = sloping(east, south)
    heights[place()] += metres
    stand = stand_of(heights, place(), PIXEL)
    assert stand.height_m == pytest.approx(metres, abs=0.15)
    assert stand.known == 1
    assert stand.error_m < 0.6


def test_neighbours_and_crowns_around_are_not_taken_for_ground():
    heights = sloping(0.05)
    heights[place()] += 4.0
    heights[:, 95:] += 9.0
    heights[:35, :60] += 6.0
    assert stand_of(heights, place(), PIXEL).height_m == pytest.approx(4.0, abs=0.4)


def test_the_error_told_covers_the_noise():
    rng = np.random.default_rng(4)
    off, told = [], []
    for _draw in range(20):
        heights = sloping(0.1) + rng.normal(0, 0.2, (SIDE, SIDE)).astype(np.float32)
        heights[place()] += 3.0
        stand = stand_of(heights, place(), PIXEL)
        off.append(stand.height_m - 3.0)
        told.append(stand.error_m)
    assert np.sqrt(np.mean(np.square(off))) < 3 * np.mean(told)
    assert np.mean(told) < 0.5


def test_what_heights_do_not_show_is_not_told():
    empty = np.full((SIDE, SIDE), np.nan, np.float32)
    assert stand_of(empty, place(), PIXEL) is None
    alone = empty.copy()
    alone[place()] = 12.0
    assert stand_of(alone, place(), PIXEL) is None, "no ground around it"


def test_half_known_is_said():
    heights = sloping()
    heights[place()] += 5.0
    heights[place(cols=slice(55, 70))] = np.nan
    stand = stand_of(heights, place(), PIXEL)
    assert stand.known == pytest.approx(0.5)
    assert stand.height_m == pytest.approx(5.0, abs=0.1)
