"""The verdict on made evidence: verified, unverified or refused."""

import numpy as np
import pytest
from pyproj import CRS

from survey.field import Affine2D, Lattice, fit_affine, fit_field, flat_field
from survey.grid import WorkingGrid
from survey.search import Evidence
from survey.ties import Ties
from survey.verdict import Judged, agreed, judge

PIXEL, STEP = 0.2, 3.2
GRID = WorkingGrid(
    crs=CRS.from_epsg(4547),
    pixel_m=PIXEL,
    left_px=2_140_000,
    top_px=12_775_000,
    width=500,
    height=500,
)
LATTICE = Lattice(step=STEP, pixel_m=PIXEL)
ASSUMED = 1.25
MIDDLE = (GRID.bounds.left + 50, GRID.bounds.bottom + 50)


def evidence(strength, *, hectares=1.0, row=0, col=0):
    """Return a surface of noise with a peak some standard deviations high at a shift."""
    surface = np.random.default_rng(7).uniform(-1.5, 1.5, (121, 121))
    surface[60 + row, 60 + col] = strength * 1.4826 * 0.75
    return Evidence(surface=surface, area_m2=hectares * 1e4, texture=0.3)


def turned(x, y):
    return 3.0 + 0.01 * (y - MIDDLE[1]), -2.0 - 0.01 * (x - MIDDLE[0])


def made_ties(noise=0.05, seed=5, count=30):
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(
        GRID.bounds.left + STEP * (np.arange(count) + 0.5),
        GRID.bounds.bottom + STEP * (np.arange(count) + 0.5),
    )
    x, y = x.ravel(), y.ravel()
    east, north = (v + rng.normal(0, noise, len(x)) for v in turned(x, y))
    return Ties(x=x, y=y, east=east, north=north, strength=np.full(len(x), 9.0))


def judged(ties, *, used, trend=None, field, lattice=LATTICE, shared=1.0, scouted=0.0):
    return Judged(
        ties=ties,
        used=used,
        trend=trend,
        field=field,
        lattice=lattice,
        shared=shared,
        scouted=scouted,
    )


def found(ties, used=None, **told):
    """Return the field fitted to ties; ``used`` takes the place of what the fit believes."""
    trend = fit_affine(ties, tolerance=2.0, rng=np.random.default_rng(0))
    assert trend is not None
    fitted = fit_field(ties, trend[0], trend[0].at, GRID.bounds, LATTICE)
    used = fitted.used if used is None else used
    return judged(ties, used=used, trend=trend[0], field=fitted.field, **told)


def nothing(ties, **told):
    """Return what is judged where no ties agreed."""
    field = flat_field(GRID.bounds, uncertainty=20.0).moved(east=1.0, north=-0.5)
    return judged(ties, used=np.zeros(ties.count, bool), field=field, lattice=None, **told)


@pytest.mark.parametrize("noise", [0.02, 0.05, 0.1])
def test_agreeing_ties_are_verified_with_their_true_residual(noise):
    """Ties held back are off by their own noise, and by what the field misses without them."""
    verdict = judge(found(made_ties(noise)), evidence(30), GRID, ASSUMED)
    assert verdict.name == "verified"
    in_plane = np.sqrt(2) * noise
    assert 0.85 * in_plane < verdict.rms_m < 3 * in_plane
    assert verdict.rms_m < verdict.p95_m < 3 * verdict.rms_m
    assert f"{verdict.rms_m:.2f} m" in verdict.why
    x, y = np.full(1, MIDDLE[0]), np.full(1, MIDDLE[1])
    east, north = verdict.field.shift(x, y)
    assert (east[0], north[0]) == pytest.approx((3.0, -2.0), abs=2 * noise)


def test_ties_without_noise_leave_no_residual():
    verdict = judge(found(made_ties(0.0)), evidence(30), GRID, ASSUMED)
    assert verdict.name == "verified"
    assert verdict.rms_m == pytest.approx(0, abs=1e-3)


def test_ties_held_back_are_not_seen_by_the_field_that_is_tested():
    """A field that runs through every tie, noise and all, must not look better for it."""
    ties = made_ties(0.1)
    honest = found(ties, used=np.ones(ties.count, bool))
    again = fit_field(ties, honest.trend, honest.field.shift, GRID.bounds, LATTICE).field
    spoilt = judged(ties, used=honest.used, trend=honest.trend, field=again)
    first, second = (judge(one, evidence(30), GRID, ASSUMED) for one in (honest, spoilt))
    assert first.rms_m > 0.85 * np.sqrt(2) * 0.1
    assert second.rms_m == pytest.approx(first.rms_m, rel=0.02)


def test_the_verified_uncertainty_holds_most_of_the_error():
    verdict = judge(found(made_ties(0.1)), evidence(30), GRID, ASSUMED)
    b = GRID.bounds.buffered(-5.0)
    x, y = np.meshgrid(np.linspace(b.left, b.right, 40), np.linspace(b.bottom, b.top, 40))
    there, true = verdict.field.shift(x, y), turned(x, y)
    error = np.hypot(there[0] - true[0], there[1] - true[1])
    assert (error <= 2 * verdict.field.uncertainty_at(x, y)).mean() > 0.85


def test_ties_that_disagree_by_metres_are_not_verified():
    ties = made_ties(0.8)
    verdict = judge(found(ties, used=np.ones(ties.count, bool)), evidence(30), GRID, ASSUMED)
    assert verdict.name == "unverified"
    assert verdict.rms_m is None
    assert verdict.p95_m is None


def test_a_dozen_ties_are_needed():
    ties = made_ties()
    used = np.zeros(ties.count, bool)
    used[:11] = True
    few = judged(
        ties.kept(used),
        used=np.ones(11, bool),
        trend=Affine2D(center=MIDDLE, coefficients=np.zeros((3, 2))),
        field=flat_field(GRID.bounds, uncertainty=1.0),
    )
    assert judge(few, evidence(30), GRID, ASSUMED).name == "unverified"


def test_ties_in_one_square_have_nothing_to_be_compared_with():
    """All on one colour of the board: no residual can be measured, and none is claimed."""
    ties = made_ties()
    side = 3 * STEP
    near = (np.floor(ties.x / side) == np.floor(MIDDLE[0] / side)) & (
        np.floor(ties.y / side) == np.floor(MIDDLE[1] / side)
    )
    twice = Ties.joined([ties.kept(near)] * 2)
    alone = found(twice, used=np.ones(twice.count, bool))
    verdict = judge(alone, evidence(30), GRID, ASSUMED)
    assert verdict.name == "unverified"


def test_the_same_ground_without_ties_is_moved_as_a_whole():
    """The peak lies 4 pixels further down and 3 further right of where the field has it."""
    verdict = judge(nothing(made_ties()), evidence(20, row=4, col=3), GRID, ASSUMED)
    assert verdict.name == "unverified"
    assert verdict.why.startswith("the same ground as a whole")
    assert "1.25 m" in verdict.why
    east, north = verdict.field.shift(np.array([MIDDLE[0]]), np.array([MIDDLE[1]]))
    assert east[0] == pytest.approx(1.0 + 3 * PIXEL, abs=0.05)
    assert north[0] == pytest.approx(-0.5 - 4 * PIXEL, abs=0.05)
    np.testing.assert_allclose(verdict.field.uncertainty, ASSUMED)
    assert not verdict.field.known.any()


def test_evidence_between_is_nothing_to_measure_by():
    verdict = judge(nothing(made_ties()), evidence(6.1), GRID, ASSUMED)
    assert verdict.name == "unverified"
    assert verdict.why.startswith("nothing to measure by")
    assert not np.any(verdict.field.east)
    np.testing.assert_allclose(verdict.field.uncertainty, ASSUMED)


def test_what_only_the_first_look_saw_is_not_moved_by_noise():
    """The field has the shift of the first look already; the tiles' peak is any pixel."""
    verdict = judge(nothing(made_ties(), scouted=50.0), evidence(0.5), GRID, ASSUMED)
    assert verdict.name == "unverified"
    east, north = verdict.field.shift(np.array([MIDDLE[0]]), np.array([MIDDLE[1]]))
    assert (east[0], north[0]) == pytest.approx((1.0, -0.5), abs=0.3)


def test_a_sliver_in_common_is_refused_and_nothing_is_moved():
    verdict = judge(found(made_ties(), shared=0.05), evidence(30), GRID, ASSUMED)
    assert verdict.name == "refused"
    assert "5%" in verdict.why
    assert verdict.rms_m is None
    assert not np.any(verdict.field.east)
    assert not np.any(verdict.field.north)


def test_too_little_of_other_ground_is_not_refused():
    """One hectare may be built over from edge to edge between two flights."""
    verdict = judge(nothing(made_ties()), evidence(1, hectares=1.0), GRID, ASSUMED)
    assert verdict.name == "unverified"


def test_a_large_area_needs_more_evidence():
    """Evidence grows with the root of the area."""
    names = [
        judge(nothing(made_ties()), evidence(8, hectares=area), GRID, ASSUMED).why.split()[0]
        for area in (0.5, 1.0, 9.0)
    ]
    assert names == ["the", "the", "nothing"]


def test_other_ground_is_refused_and_nothing_is_moved():
    verdict = judge(nothing(made_ties()), evidence(1, hectares=3.0), GRID, ASSUMED)
    assert verdict.name == "refused"
    assert "are these the same place?" in verdict.why
    assert not np.any(verdict.field.east)
    assert not np.any(verdict.field.north)
    assert verdict.rms_m is None
    assert verdict.evidence < 4.5


@pytest.mark.parametrize(
    ("used", "seen", "enough"), [(11, 11, False), (12, 12, True), (12, 61, False), (20, 100, True)]
)
def test_ties_agree_in_number_and_in_share(used, seen, enough):
    assert agreed(np.arange(seen) < used) is enough
