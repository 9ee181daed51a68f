"""The displacement field: fitted to ties whose truth is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import RectBivariateSpline

from survey.field import Field, Lattice, fit_affine, fit_field, flat_field
from survey.grid import Bounds
from survey.ties import Ties

STEP = 3.2
LATTICE = Lattice(step=STEP, pixel_m=0.2)
BOUNDS = Bounds(left=1000.0, bottom=2000.0, right=1200.0, top=2200.0)


def places(step=STEP):
    x, y = np.meshgrid(
        np.arange(BOUNDS.left + step / 2, BOUNDS.right, step),
        np.arange(BOUNDS.bottom + step / 2, BOUNDS.top, step),
    )
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


def wave(x, y):
    """Return a displacement that no affine describes: 0.4 m over 100 m."""
    return (
        2.0 + 0.4 * np.sin(2 * np.pi * (x - 1000) / 100),
        -1.0 + 0.3 * np.cos(2 * np.pi * (y - 2000) / 110),
    )


def missed(field, truth, x, y):
    found, true = field.shift(x, y), truth(x, y)
    return np.hypot(found[0] - true[0], found[1] - true[1])


def rms(values):
    return float(np.sqrt(np.mean(np.square(values))))


# The affine.


@settings(max_examples=25)
@given(
    shift=st.tuples(st.floats(-20, 20), st.floats(-20, 20)),
    degrees=st.floats(-5, 5),
    wrong=st.integers(0, 45),
    seed=st.integers(0, 2**32 - 1),
)
def test_an_affine_is_found_among_wrong_ties(shift, degrees, wrong, seed):
    rng = np.random.default_rng(seed)
    x, y = places(12.8)
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
    x, y = places(12.8)
    east, north = turned(x, y, 30)
    found = fit_affine(make_ties(x, y, east, north), tolerance=1.0, rng=np.random.default_rng(0))
    assert found is None or found[1].mean() < 0.2


# The field between its nodes.


def noded(values, step=2.0):
    """Return a field over nodes whose displacement is ``values`` to the east, less to the north."""
    return Field(
        left=10.0,
        top=50.0,
        step=step,
        east=values,
        north=-values / 2,
        uncertainty=np.abs(values),
        known=np.ones(values.shape, bool),
    )


def node_places(field):
    rows, cols = field.east.shape
    return np.meshgrid(
        field.left + field.step * np.arange(cols), field.top - field.step * np.arange(rows)
    )


ROUGH = np.random.default_rng(5).normal(0, 1, (23, 31))


def test_a_field_is_exact_at_its_nodes():
    field = noded(ROUGH)
    east, north = field.shift(*node_places(field))
    np.testing.assert_allclose(east, field.east, atol=1e-9)
    np.testing.assert_allclose(north, field.north, atol=1e-9)
    np.testing.assert_allclose(field.uncertainty_at(*node_places(field)), field.uncertainty)


@given(
    st.lists(st.tuples(st.floats(26, 54), st.floats(22, 34)), min_size=1, max_size=30),
)
def test_between_nodes_runs_the_cubic_spline_of_scipy(places):
    """Far from the rim all cubic splines are one, whatever they assume there."""
    field = noded(ROUGH)
    xs, ys = node_places(field)
    oracle = RectBivariateSpline(-ys[:, 0], xs[0], field.east, s=0)
    x, y = np.array(places).T
    np.testing.assert_allclose(field.shift(x, y)[0], oracle(-y, x, grid=False), atol=5e-3)


@given(
    place=st.tuples(st.floats(-30, 120), st.floats(-40, 90)),
    others=st.lists(st.tuples(st.floats(-30, 120), st.floats(-40, 90)), max_size=6),
)
def test_a_place_lies_the_same_in_any_company(place, others):
    """Nodes far from all places are left out of the spline: that must not show."""
    field = noded(ROUGH)
    alone = field.shift(*(np.array([v]) for v in place))
    together = field.shift(*np.array([place, *others]).T)
    for one, other in zip(alone, together, strict=True):
        assert one[0] == pytest.approx(other[0], abs=2e-3)


@given(
    across=st.floats(0, 60),
    down=st.floats(0, 44),
    beyond=st.floats(0.01, 500),
)
def test_beyond_its_nodes_a_field_stays_as_it_is_on_the_rim(across, down, beyond):
    field = noded(ROUGH)
    right, bottom = field.left + 60, field.top - 44
    for out, rim in (
        ((field.left - beyond, field.top - down), (field.left, field.top - down)),
        ((right + beyond, field.top - down), (right, field.top - down)),
        ((field.left + across, field.top + beyond), (field.left + across, field.top)),
        ((field.left + across, bottom - beyond), (field.left + across, bottom)),
    ):
        there, here = (field.shift(*(np.array([v]) for v in place)) for place in (out, rim))
        assert (there[0][0], there[1][0]) == pytest.approx((here[0][0], here[1][0]), abs=2e-3)


def test_an_affine_displacement_stays_one_up_to_the_rim():
    """Turned flights are turned at the rim too, also between the last nodes."""
    xs, ys = node_places(noded(ROUGH))
    east, north = turned(xs + 1000, ys + 2000, 5.0)
    field = Field(
        left=10.0,
        top=50.0,
        step=2.0,
        east=east,
        north=north,
        uncertainty=np.zeros_like(east),
        known=np.ones(east.shape, bool),
    )
    x, y = np.meshgrid(np.linspace(10, 70, 241), np.linspace(6, 50, 177))
    error = missed(field, lambda x, y: turned(x + 1000, y + 2000, 5.0), x, y)
    assert error.max() < 1e-3


def test_nowhere_is_moved_by_nothing():
    none = np.zeros(0)
    for found in (*noded(ROUGH).shift(none, none), noded(ROUGH).uncertainty_at(none, none)):
        assert found.shape == (0,)


def test_moving_a_field_adds_a_shift_and_nothing_else():
    field = noded(ROUGH)
    moved = field.moved(east=3.0, north=-2.0)
    x, y = places()
    np.testing.assert_allclose(moved.shift(x, y)[0], field.shift(x, y)[0] + 3)
    np.testing.assert_allclose(moved.shift(x, y)[1], field.shift(x, y)[1] - 2)
    np.testing.assert_array_equal(moved.uncertainty, field.uncertainty)


def test_a_flat_field_is_zero_and_as_uncertain_as_told():
    field = flat_field(BOUNDS, uncertainty=1.5)
    x, y = places()
    assert not np.any(field.shift(x, y))
    np.testing.assert_allclose(field.uncertainty_at(x, y), 1.5)
    assert not field.known.any()


# The field fitted to ties.


def fitted(truth, *, keep=None, noise=0.02, spoil=None, start=None, bounds=BOUNDS):
    """Return the ties made of ``truth`` by a seeded noise, the field, and which ties it follows."""
    rng = np.random.default_rng(5)
    x, y = places()
    if keep is not None:
        kept = keep(x, y)
        x, y = x[kept], y[kept]
    east, north = (v + rng.normal(0, noise, len(x)) for v in truth(x, y))
    if spoil is not None:
        spoil(x, y, east, north)
    ties = make_ties(x, y, east, north)
    found = fit_affine(ties, tolerance=1.0, rng=np.random.default_rng(0))
    assert found is not None
    fitted = fit_field(ties, found[0], start or found[0].at, bounds, LATTICE)
    return ties, fitted.field, fitted.used


INNER = np.meshgrid(np.linspace(1010, 1190, 70), np.linspace(2010, 2190, 70))


@pytest.mark.parametrize(("degrees", "ppm"), [(0.0, 0.0), (1.0, 0.0), (-5.0, 0.0), (0.3, 4000.0)])
def test_an_affine_is_asked_back(degrees, ppm):
    def truth(x, y):
        east, north = turned(x, y, degrees, ppm)
        return east + 12.0, north - 7.0

    _ties, field, used = fitted(truth)
    assert used.mean() > 0.9
    assert rms(missed(field, truth, *INNER)) < 0.02
    assert missed(field, truth, *INNER).max() < 0.1


def test_a_warp_is_followed_and_the_uncertainty_is_honest():
    _ties, field, _used = fitted(wave)
    error = missed(field, wave, *INNER)
    assert rms(error) < 0.03
    # Two sigma hold nine places in ten.
    assert (error < 2 * field.uncertainty_at(*INNER)).mean() > 0.9


def test_the_noise_of_ties_is_smoothed_away():
    _ties, field, _used = fitted(wave, noise=0.1)
    # In the plane the ties are off by 0.14 m.
    assert rms(missed(field, wave, *INNER)) < 0.07


@pytest.mark.parametrize("noise", [0.02, 0.05, 0.1])
def test_the_uncertainty_is_the_size_of_the_error(noise):
    _ties, field, _used = fitted(wave, noise=noise)
    error, told = missed(field, wave, *INNER), field.uncertainty_at(*INNER)
    assert 0.5 * rms(error) < rms(told) < 4 * rms(error)


def test_wrong_ties_are_neither_followed_nor_used():
    wrong = []

    def spoil(x, y, east, north):
        wrong[:] = np.random.default_rng(9).choice(len(x), len(x) // 10, replace=False)
        east[wrong] += 2.0

    _ties, field, used = fitted(wave, spoil=spoil)
    assert not used[wrong].any()
    assert np.delete(used, wrong).mean() > 0.85
    assert rms(missed(field, wave, *INNER)) < 0.03


def test_a_leaning_block_is_not_followed():
    """A tower of 12 m a side leans by a metre; the ground around it does not."""

    def tower(x, y):
        return (np.abs(x - 1100) < 6) & (np.abs(y - 2100) < 6)

    def spoil(x, y, east, north):
        east[tower(x, y)] += 1.0

    ties, field, used = fitted(wave, spoil=spoil)
    on = tower(ties.x, ties.y)
    assert on.sum() == 16
    assert not used[on].any()
    assert missed(field, wave, ties.x, ties.y)[on].max() < 0.15


def test_the_field_covers_the_area_and_says_what_it_does_not_know():
    _ties, field, _used = fitted(wave, keep=lambda x, _y: x < 1100)
    height, width = field.east.shape
    assert field.left <= BOUNDS.left
    assert field.top >= BOUNDS.top
    assert field.left + (width - 1) * field.step >= BOUNDS.right
    assert field.top - (height - 1) * field.step <= BOUNDS.bottom
    cols = field.left + field.step * np.arange(width)
    assert field.known[:, cols < 1098].all()
    assert field.known[:, (cols > 1100) & (cols < 1120)].all()
    assert not field.known[:, cols > 1130].any()


def test_the_uncertainty_grows_with_the_distance_from_ties():
    _ties, field, _used = fitted(wave, keep=lambda x, _y: x < 1100)
    x = np.arange(1098.0, 1199.0, 4.0)
    told = field.uncertainty_at(x, np.full(x.shape, 2100.0))
    assert (np.diff(told) > 0).all()
    assert told[-1] > told[0] + 0.2


def test_far_from_all_ties_the_field_goes_back_to_where_it_started():
    def before(x, _y):
        return np.full(np.shape(x), 2.5), np.full(np.shape(x), -1.25)

    _ties, field, _used = fitted(wave, keep=lambda x, _y: x < 1080, start=before)
    far = np.full(20, 1195.0), np.linspace(2005, 2195, 20)
    np.testing.assert_allclose(field.shift(*far)[0], 2.5, atol=0.05)
    np.testing.assert_allclose(field.shift(*far)[1], -1.25, atol=0.05)


def test_ties_beyond_the_area_are_covered_too():
    small = Bounds(left=1050.0, bottom=2050.0, right=1150.0, top=2150.0)
    ties, field, used = fitted(wave, bounds=small)
    assert field.left <= ties.x.min() + 1e-6
    assert field.top >= ties.y.max() - 1e-6
    assert used.mean() > 0.9
    assert rms(missed(field, wave, *INNER)) < 0.03


def test_a_field_follows_as_few_ties_as_there_are():
    """Nine in the middle agree; one alone has nobody to agree with."""

    def keep(x, y):
        near = (np.abs(x - 1100) < 1.5 * STEP) & (np.abs(y - 2100) < 1.5 * STEP)
        alone = (np.abs(x - 1010) < STEP / 2) & (np.abs(y - 2010) < STEP / 2)
        return near | alone

    ties, _field, used = fitted(lambda x, _y: (np.ones_like(x), -np.ones_like(x)), keep=keep)
    assert used.sum() >= 9
    assert not used[np.hypot(ties.x - 1010, ties.y - 2010) < STEP].any()


def test_where_no_ties_agree_nothing_is_known():
    x, y = places(40.0)
    ties = make_ties(x, y, np.zeros_like(x), np.zeros_like(x))
    found = fit_affine(ties, tolerance=1.0, rng=np.random.default_rng(0))
    assert found is not None
    fitted = fit_field(ties, found[0], found[0].at, BOUNDS, LATTICE)
    field = fitted.field
    assert not fitted.used.any()
    assert not field.known.any()
    assert np.isinf(field.uncertainty).all()
    assert np.abs(field.shift(x, y)).max() < 1e-6
