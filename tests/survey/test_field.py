"""The displacement field: fitted to ties whose truth is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import RegularGridInterpolator

from survey.field import fit_affine, fit_field, flat_field, local_outliers
from survey.grid import Bounds
from survey.ties import Ties

STEP = 12.8
BOUNDS = Bounds(left=1000.0, bottom=2000.0, right=1200.0, top=2200.0)


def lattice(step=STEP):
    x, y = np.meshgrid(np.arange(1006.4, 1200, step), np.arange(2006.4, 2200, step))
    return x.ravel(), y.ravel()


def make_ties(x, y, east, north):
    return Ties(x=x, y=y, east=east, north=north, strength=np.full(len(x), 2.0))


def turned(x, y, degrees, ppm=0.0):
    """Return the displacement of a rotation about the middle of the area, clockwise."""
    angle, scale = np.radians(degrees), 1 + ppm * 1e-6
    u, v = x - 1100, y - 2100
    east = scale * (np.cos(angle) * u + np.sin(angle) * v) - u
    north = scale * (-np.sin(angle) * u + np.cos(angle) * v) - v
    return east, north


@settings(max_examples=25)
@given(
    shift=st.tuples(st.floats(-20, 20), st.floats(-20, 20)),
    degrees=st.floats(-5, 5),
    wrong=st.integers(0, 45),
    seed=st.integers(0, 2**32 - 1),
)
def test_an_affine_is_found_among_wrong_ties(shift, degrees, wrong, seed):
    rng = np.random.default_rng(seed)
    x, y = lattice()
    east, north = turned(x, y, degrees)
    east, north = east + shift[0], north + shift[1]
    seen_east, seen_north = (v + rng.normal(0, 0.03, len(x)) for v in (east, north))
    bad = rng.choice(len(x), len(x) * wrong // 100, replace=False)
    seen_east[bad], seen_north[bad] = rng.uniform(-25, 25, (2, len(bad)))
    found = fit_affine(
        make_ties(x, y, seen_east, seen_north), tolerance=1.0, rng=np.random.default_rng(0)
    )
    assert found is not None
    affine, agree = found
    at_east, at_north = affine.at(x, y)
    assert np.hypot(at_east - east, at_north - north).max() < 0.1
    good = np.ones(len(x), bool)
    good[bad] = False
    assert agree[good].all()
    assert np.hypot(seen_east - east, seen_north - north)[agree].max() < 1.3


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_ties_give_no_affine(count):
    x, y = np.arange(float(count)), np.arange(float(count))
    ties = make_ties(x, y, x, y)
    assert fit_affine(ties, tolerance=1.0, rng=np.random.default_rng(0)) is None


def test_an_unbelievable_rotation_is_not_followed():
    x, y = lattice()
    east, north = turned(x, y, 30)
    found = fit_affine(make_ties(x, y, east, north), tolerance=1.0, rng=np.random.default_rng(0))
    assert found is None or found[1].mean() < 0.2


def wave(x, y):
    """Return a displacement that no affine describes: 0.4 m over 100 m."""
    return (
        2.0 + 0.4 * np.sin(2 * np.pi * (x - 1000) / 100),
        -1.0 + 0.3 * np.cos(2 * np.pi * (y - 2000) / 110),
    )


def fitted(keep=None, noise=0.02):
    rng = np.random.default_rng(5)
    x, y = lattice()
    if keep is not None:
        kept = keep(x, y)
        x, y = x[kept], y[kept]
    east, north = (v + rng.normal(0, noise, len(x)) for v in wave(x, y))
    ties = make_ties(x, y, east, north)
    found = fit_affine(ties, tolerance=1.0, rng=np.random.default_rng(0))
    assert found is not None
    return fit_field(ties, found[0], BOUNDS, step=STEP, floor=0.05)


def test_a_warp_is_followed_and_the_uncertainty_is_honest():
    field = fitted()
    x, y = np.meshgrid(np.linspace(1010, 1190, 70), np.linspace(2010, 2190, 70))
    east, north = field.shift(x, y)
    error = np.hypot(*(a - b for a, b in zip((east, north), wave(x, y), strict=True)))
    assert np.sqrt((error**2).mean()) < 0.15
    # Two sigma hold nine places in ten.
    assert (error < 2 * field.uncertainty_at(x, y)).mean() > 0.9


def test_the_field_covers_the_area_and_says_what_it_does_not_know():
    field = fitted(keep=lambda x, _y: x < 1100)
    height, width = field.east.shape
    assert field.left <= BOUNDS.left
    assert field.top >= BOUNDS.top
    assert field.left + (width - 1) * field.step >= BOUNDS.right
    assert field.top - (height - 1) * field.step <= BOUNDS.bottom
    near, far = (field.uncertainty_at(np.array([x]), np.array([2100.0]))[0] for x in (1050, 1195))
    assert far > near + 0.5
    cols = field.left + field.step * np.arange(width)
    assert field.known[:, (cols > 1010) & (cols < 1090)].all()
    assert not field.known[:, cols > 1140].any()


@given(st.lists(st.tuples(st.floats(900, 1300), st.floats(1900, 2300)), min_size=1, max_size=30))
def test_places_between_nodes_are_interpolated_as_scipy_does(places):
    field = fitted()
    rows = field.top - field.step * np.arange(field.east.shape[0])
    cols = field.left + field.step * np.arange(field.east.shape[1])
    x, y = np.array(places).T
    oracle = RegularGridInterpolator((-rows, cols), field.east)
    inside = np.clip(-y, -rows[0], -rows[-1]), np.clip(x, cols[0], cols[-1])
    np.testing.assert_allclose(field.shift(x, y)[0], oracle(inside), atol=1e-6)


def test_moving_a_field_adds_a_shift_and_nothing_else():
    field = fitted()
    moved = field.moved(east=3.0, north=-2.0)
    x, y = lattice()
    np.testing.assert_allclose(moved.shift(x, y)[0], field.shift(x, y)[0] + 3)
    np.testing.assert_allclose(moved.shift(x, y)[1], field.shift(x, y)[1] - 2)
    np.testing.assert_array_equal(moved.uncertainty, field.uncertainty)


def test_a_flat_field_is_zero_and_as_uncertain_as_told():
    field = flat_field(BOUNDS, uncertainty=1.5)
    x, y = lattice()
    assert not np.any(field.shift(x, y))
    np.testing.assert_allclose(field.uncertainty_at(x, y), 1.5)
    assert not field.known.any()


def test_ties_that_contradict_their_neighbours_are_told():
    rng = np.random.default_rng(3)
    x, y = lattice()
    east, north = (v + rng.normal(0, 0.02, len(x)) for v in wave(x, y))
    bad = rng.choice(len(x), 12, replace=False)
    east[bad] += 2.0
    wrong = local_outliers(make_ties(x, y, east, north), step=STEP)
    assert wrong[bad].all()
    good = np.ones(len(x), bool)
    good[bad] = False
    assert wrong[good].mean() < 0.1


def test_a_lonely_tie_is_not_believed():
    ties = make_ties(
        np.array([1000.0, 1150.0]), np.array([2000.0, 2150.0]), np.zeros(2), np.zeros(2)
    )
    assert local_outliers(ties, step=STEP).all()
    none = np.zeros(0)
    assert local_outliers(make_ties(none, none, none, none), step=STEP).shape == (0,)
