"""The plane between two surface models, asked back with part of the ground changed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from survey.heights import LARGEST_TILT, fit_datum, holds_zero_holes, level_ground
from tests.samples import PLAN, run_pair
from tests.survey.terrain import RISE, Ground


def ground(seed, count=4000, noise=0.05):
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0, 200, (2, count))
    return rng, x, y, rng.normal(0, noise, count)


@settings(max_examples=40)
@given(
    offset=st.floats(-40, 40),
    tilt=st.tuples(st.floats(-0.004, 0.004), st.floats(-0.004, 0.004)),
    changed=st.floats(0, 0.4),
    risen=st.floats(0, 1),
    seed=st.integers(0, 2**32 - 1),
)
def test_offset_and_tilt_are_asked_back(offset, tilt, changed, risen, seed):
    rng, x, y, difference = ground(seed)
    difference += offset + tilt[0] * x + tilt[1] * y
    built = rng.random(len(x)) < changed
    height = rng.uniform(2.5, 18, len(x)) * np.where(rng.random(len(x)) < risen, 1, -1)
    difference += np.where(built, height, 0)
    datum = fit_datum(x, y, difference)
    assert datum is not None
    at_x, at_y = np.array([0.0, 0, 200, 200, 100]), np.array([0.0, 200, 0, 200, 100])
    np.testing.assert_allclose(
        datum.at(at_x, at_y), offset + tilt[0] * at_x + tilt[1] * at_y, atol=0.05
    )
    assert datum.residual_m == pytest.approx(0.05, abs=0.02)
    assert datum.stable_share == pytest.approx(1 - built.mean(), abs=0.03)


def test_a_block_of_new_houses_does_not_pull_the_plane():
    """Every fifth square metre, all in one corner and all equally high."""
    _rng, x, y, difference = ground(4)
    difference += 1.5 + np.where((x < 90) & (y < 90), 6.0, 0.0)
    datum = fit_datum(x, y, difference)
    assert datum is not None
    np.testing.assert_allclose(datum.at(np.array([0.0, 200]), np.array([0.0, 200])), 1.5, atol=0.03)


def test_holes_are_left_out():
    rng, x, y, difference = ground(5)
    difference += 2.0
    difference[rng.random(len(x)) < 0.6] = np.nan
    datum = fit_datum(x, y, difference)
    assert datum is not None
    assert datum.offset == pytest.approx(2.0, abs=0.02)


@pytest.mark.parametrize(
    "difference",
    [
        pytest.param(np.full(4000, np.nan), id="no heights"),
        pytest.param(np.where(np.arange(4000) < 49, 1.0, np.nan), id="too few"),
        pytest.param(np.linspace(-3000, 3000, 4000), id="no ground in common"),
    ],
)
def test_without_stable_ground_there_is_no_plane(difference):
    _rng, x, y, _noise = ground(6)
    assert fit_datum(x, y, difference) is None


@pytest.mark.parametrize(("share", "believed"), [(0.9, True), (1.5, False)])
def test_a_tilt_beyond_belief_is_refused(share, believed):
    _rng, x, y, noise = ground(7)
    datum = fit_datum(x, y, noise + share * LARGEST_TILT * x)
    assert (datum is not None) == believed


def test_half_an_area_tells_the_plane_of_the_whole_with_a_larger_error():
    _rng, x, y, noise = ground(8)
    difference = 1.0 + 0.002 * x - 0.001 * y + noise
    whole = fit_datum(x, y, difference)
    half = fit_datum(x, y, np.where(x < 100, difference, np.nan))
    assert half.tilt_error[0] > 1.5 * whole.tilt_error[0]
    assert half.at(np.array([200.0]), np.array([0.0]))[0] == pytest.approx(1.4, abs=0.03)


def test_the_expected_error_holds():
    """Noise with waves of 25 m, as matching leaves it: samples side by side tell the same."""
    misses, told = [], []
    for seed in range(12):
        rng, x, y, noise = ground(seed)
        for _wave in range(12):
            run, phase = rng.uniform(0, 2 * np.pi, 2)
            noise += 0.03 * np.sin((x * np.sin(run) + y * np.cos(run)) / 4 + phase)
        datum = fit_datum(x, y, noise)
        misses.append([datum.offset, 100 * datum.tilt[0], 100 * datum.tilt[1]])
        told.append([datum.offset_error_m, *(100 * error for error in datum.tilt_error)])
    missed = np.sqrt(np.mean(np.square(misses), axis=0))
    expected = np.sqrt(np.mean(np.square(told), axis=0))
    assert (missed < 1.5 * expected).all()
    assert (expected < 0.03).all()


@pytest.mark.parametrize("swapped", [False, True], ids=["grown", "felled"])
def test_ground_decides_where_more_than_half_grew(swapped):
    """Crops on 45 of 100 pixels and crowns on 20 have grown; level bare ground is the rest."""
    rng = np.random.default_rng(11)
    shape = (150, 150)
    first = Ground(rng, shape)
    second = first.grown(rng, crops=0.45, crowns=0.2)
    models = [second, first] if swapped else [first, second]
    level = np.logical_and(*(level_ground(model.heights, 1.0, slope=0.1) for model in models))
    difference = models[1].heights - models[0].heights + 2.5
    y, x = np.mgrid[: shape[0], : shape[1]].astype(float)
    bare = level & ~second.green
    told = fit_datum(x.ravel(), y.ravel(), difference.ravel().astype(float), bare.ravel())
    np.testing.assert_allclose(told.at(x, y), 2.5, atol=0.03)
    untold = fit_datum(x.ravel(), y.ravel(), difference.ravel().astype(float))
    assert abs(untold.at(x, y) - 2.5).max() > 0.05


def test_level_ground_leaves_out_slopes_edges_and_crowns_and_holes():
    heights = np.full((60, 90), 900.0, np.float32)
    heights[:, 30:60] += RISE * np.arange(30, dtype=np.float32)
    heights[:, 60:] += RISE * 30
    heights[40:50, 5:15] += 6.0
    heights[10:20, 5:15] += np.random.default_rng(0).normal(0, 1, (10, 10)).astype(np.float32)
    heights[25, 70] = np.nan
    level = level_ground(heights, 1.0, slope=0.1)
    assert not level[:, 32:58].any()
    assert not level[39:41, 5:15].any()
    assert level[44:46, 8:12].all()
    assert level[10:20, 5:15].mean() < 0.05
    assert not level[24:27, 69:72].any()
    assert level[24:27, 73:].all()
    assert level[55:, 64:].all()


@pytest.mark.parametrize("slope", [0.0, 0.05, 0.3])
def test_roughness_is_measured_from_the_slope(slope):
    heights = (
        2000 + slope * np.arange(50, dtype=np.float32)[None, :] + np.zeros((40, 1), np.float32)
    )
    assert level_ground(heights, 1.0, slope=0.4).all()


@pytest.mark.parametrize(
    ("level", "spread", "patch", "certain"),
    [
        pytest.param(45.0, 3.0, 8, True, id="far above"),
        pytest.param(-45.0, 3.0, 8, True, id="far below"),
        pytest.param(45.0, 3.0, 0, False, id="no zeros"),
        pytest.param(4.0, 3.0, 8, False, id="ground near zero"),
        pytest.param(0.0, 0.0, 8, False, id="all zero"),
    ],
)
def test_zeros_are_holes_only_where_that_is_certain(level, spread, patch, certain):
    heights = np.random.default_rng(2).normal(level, spread, (64, 64)).astype(np.float32)
    heights[10 : 10 + patch, 10 : 10 + patch] = 0
    assert holds_zero_holes([heights, np.full((8, 8), np.nan, np.float32)]) == certain


def test_single_zeros_are_no_holes():
    heights = np.full((64, 64), 40.0, np.float32)
    heights[::7, ::7] = 0
    assert not holds_zero_holes([heights])


def test_the_sample_flights_are_brought_onto_one_datum():
    """The simulator tilts every surface model and gives it a datum of its own."""
    datum = run_pair(0, 1).pair.datum
    assert datum is not None
    middle = PLAN.west_m + PLAN.side_m / 2, PLAN.south_m + PLAN.side_m / 2
    first, second = (flight.surface for flight in PLAN.flights[:2])
    for east, north in ((0, 0), (-80, -80), (80, -80), (80, 80)):
        truth = second.datum_m - first.datum_m
        truth += (second.east_mm_per_m - first.east_mm_per_m) * east / 1000
        truth += (second.north_mm_per_m - first.north_mm_per_m) * north / 1000
        found = datum.at(np.array([middle[0] + east]), np.array([middle[1] + north]))[0]
        assert found == pytest.approx(truth, abs=0.05)
