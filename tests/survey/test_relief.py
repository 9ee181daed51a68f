"""The shift between two surface models, asked back from their relief alone."""

import cv2
import numpy as np
import pytest

from survey.relief import fit_relief, moved_heights
from tests.survey.terrain import noise, village

SHAPE, FINER = (140, 160), 4


def seen(fine, *, east=0.0, north=0.0, seed=0):
    """Return a village as a model shows it that lies (east, north) off, with noise of its own."""
    moved = moved_heights(fine, 1 / FINER, east=-east, north=-north)
    soft = cv2.GaussianBlur(moved, (0, 0), 0.5 * FINER)
    coarse = soft.reshape(SHAPE[0], FINER, SHAPE[1], FINER).mean(axis=(1, 3))
    return coarse + noise(np.random.default_rng(seed), SHAPE)


@pytest.fixture(scope="module")
def fine():
    return village(np.random.default_rng(7), SHAPE, reach=FINER)


@pytest.mark.parametrize(
    ("east", "north"), [(0, 0), (0.3, -0.2), (-0.2, 0.5), (1.0, 1.0), (-1.9, 0.4)]
)
def test_a_shift_is_asked_back_in_both_directions(fine, east, north):
    before, after = seen(fine, seed=1), seen(fine, east=east, north=north, seed=2)
    found = fit_relief(before, after, 1.0)
    assert (found.east, found.north) == pytest.approx((east, north), abs=0.05)
    assert found.error_m < 0.03
    back = fit_relief(after, before, 1.0)
    assert (back.east, back.north) == pytest.approx((-east, -north), abs=0.05)
    again = fit_relief(before, moved_heights(after, 1.0, east=found.east, north=found.north), 1.0)
    assert again.distance_m < 0.05
    if east:
        assert found.spread_after_m < 0.8 * found.spread_before_m
    else:
        assert found.spread_after_m == pytest.approx(found.spread_before_m, rel=0.05)


def test_houses_that_came_and_went_do_not_move_it(fine):
    other = village(np.random.default_rng(8), SHAPE, reach=FINER)
    mixed = fine.copy()
    mixed[:, : round(0.4 * mixed.shape[1])] = other[:, : round(0.4 * mixed.shape[1])]
    found = fit_relief(seen(fine, seed=1), seen(mixed, east=0.8, north=-0.6, seed=2), 1.0)
    assert (found.east, found.north) == pytest.approx((0.8, -0.6), abs=0.1)


def test_half_overlap_and_holes(fine):
    before, after = seen(fine, seed=1), seen(fine, east=0.6, north=0.3, seed=2)
    before[:, :70] = np.nan
    after[np.random.default_rng(3).random(SHAPE) < 0.01] = np.nan
    found = fit_relief(before, after, 1.0)
    assert (found.east, found.north) == pytest.approx((0.6, 0.3), abs=0.08)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(np.full(SHAPE, np.nan), np.zeros(SHAPE), id="no heights before"),
        pytest.param(np.zeros(SHAPE), np.full(SHAPE, np.nan), id="no heights after"),
        pytest.param(np.zeros(SHAPE), np.zeros(SHAPE), id="flat"),
        pytest.param(np.zeros((1, 1)), np.zeros((1, 1)), id="one pixel"),
        pytest.param(np.eye(6), np.eye(6), id="tiny"),
        pytest.param(np.indices(SHAPE)[1] * 0.2, np.indices(SHAPE)[1] + 50.0, id="far apart"),
    ],
)
def test_without_relief_in_common_there_is_no_shift(before, after):
    assert fit_relief(before.astype(np.float32), after.astype(np.float32), 1.0) is None


def test_a_single_slope_tells_one_direction_and_no_error_is_raised():
    slope = (np.indices(SHAPE)[1] * 0.2).astype(np.float32)
    found = fit_relief(slope, slope, 1.0)
    assert found is None or found.distance_m < 0.01
