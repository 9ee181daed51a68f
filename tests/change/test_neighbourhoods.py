"""Neighbourhoods cut and their shifts put together, against fields that were made."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from change.neighbourhoods import Told, cut_groups, fit_told, spread_over
from survey.grid import Bounds

BOUNDS = Bounds(left=0.0, bottom=0.0, right=600.0, top=400.0)


def told(count, rng, *, noise=0.05, bend=0.0, tilt=0.0):
    """Return neighbourhoods with a known field of shifts, and that field."""

    def field(x, y):
        wave = bend * np.sin(2 * np.pi * x / 250.0)
        return 2.0 + tilt * (y - 200.0) + wave, -1.0 - tilt * (x - 300.0) + 0 * y

    x, y = rng.uniform(0, 600, count), rng.uniform(0, 400, count)
    east, north = (v + rng.normal(0, noise, count) for v in field(x, y))
    return Told(x=x, y=y, east=east, north=north, error=np.full(count, noise)), field


@given(
    st.integers(0, 2**31),
    st.integers(1, 300),
    st.floats(20.0, 80.0),
    st.floats(100.0, 200.0),
)
def test_every_place_lies_in_one_neighbourhood_none_too_long(seed, count, least, most):
    x, y = np.random.default_rng(seed).uniform(0, 500, (2, count))
    groups = cut_groups(x, y, most=12, least_m=least, most_m=most)
    assert sorted(np.concatenate(groups).tolist()) == list(range(count))
    for group in groups:
        longest = max(np.ptp(x[group]), np.ptp(y[group]))
        assert longest <= most
        assert longest <= least or len(group) <= 12


def test_no_places_make_no_neighbourhoods():
    assert cut_groups(np.zeros(0), np.zeros(0), most=5, least_m=1.0, most_m=2.0) == []


def test_a_choice_is_spread_over_all_groups():
    groups = [np.arange(0, 50), np.arange(50, 53), np.arange(53, 60)]
    chosen = spread_over(groups, 12)
    assert len(chosen) == 12
    assert all(np.isin(chosen, group).sum() >= 3 for group in groups)
    assert len(spread_over(groups, 500)) == 60


@pytest.mark.parametrize(("bend", "tilt"), [(0.0, 0.0), (0.3, 0.0), (0.0, 0.0017)])
def test_the_field_follows_what_is_told(bend, tilt):
    said, true = told(60, np.random.default_rng(4), bend=bend, tilt=tilt)
    field, residuals = fit_told(said, BOUNDS)
    x, y = (v.ravel() for v in np.meshgrid(np.arange(50, 600, 50.0), np.arange(50, 400, 50.0)))
    found, wanted = np.stack(field.shift(x, y)), np.stack(true(x, y))
    rms = np.sqrt(((found - wanted) ** 2).mean())
    assert rms < 0.1
    assert 0.4 < np.sqrt((field.uncertainty_at(x, y) ** 2).mean()) / rms < 2.5
    assert residuals.shape == (60,)


def test_wrong_neighbourhoods_are_left_out():
    said, true = told(30, np.random.default_rng(5))
    east = said.east.copy()
    east[:4] += [2.5, -2.0, 1.8, 2.2]
    wrong = Told(x=said.x, y=said.y, east=east, north=said.north, error=said.error)
    field, residuals = fit_told(wrong, BOUNDS)
    missed = np.hypot(*(np.stack(field.shift(said.x, said.y)) - np.stack(true(said.x, said.y))))
    assert missed.max() < 0.3
    assert (residuals[:4] > 1.0).all()


def test_far_from_what_is_told_less_is_known():
    said, _true = told(40, np.random.default_rng(6))
    near = said.x < 200
    part = Told(**{k: getattr(said, k)[near] for k in ("x", "y", "east", "north", "error")})
    field, _residuals = fit_told(part, BOUNDS)
    error = field.uncertainty_at(np.array([100.0, 350.0, 590.0]), np.full(3, 200.0))
    assert error[0] < 0.5 * error[1] < 0.5 * error[2]


def test_one_neighbourhood_tells_its_shift_and_little_more():
    alone = Told(
        x=np.array([100.0]),
        y=np.array([100.0]),
        east=np.array([2.0]),
        north=np.array([0.5]),
        error=np.array([0.1]),
    )
    field, residuals = fit_told(alone, BOUNDS)
    assert field.shift(np.array([100.0]), np.array([100.0]))[0][0] == pytest.approx(2.0, abs=0.05)
    assert residuals[0] < 0.1
    assert field.uncertainty_at(np.array([500.0]), np.array([350.0]))[0] > 0.5
