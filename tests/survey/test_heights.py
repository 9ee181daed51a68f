"""The plane between two surface models, asked back with part of the ground changed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from survey.heights import fit_datum
from tests.samples import PLAN, run_pair


def ground(seed, count=4000, noise=0.05):
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0, 200, (2, count))
    return rng, x, y, rng.normal(0, noise, count)


@settings(max_examples=40)
@given(
    offset=st.floats(-40, 40),
    tilt=st.tuples(st.floats(-0.004, 0.004), st.floats(-0.004, 0.004)),
    changed=st.floats(0, 0.2),
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


def test_a_tilt_beyond_belief_is_refused():
    _rng, x, y, noise = ground(7)
    assert fit_datum(x, y, noise + 0.05 * x) is None


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
