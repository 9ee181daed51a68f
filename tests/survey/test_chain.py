"""Chains of alignments: composed against truth, the way that is taken, and how it is told."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from survey.alignment import Alignment
from survey.chain import Area, chain
from survey.composition import compose, find_closure
from survey.field import Field, flat_field
from survey.grid import Bounds
from survey.ties import Ties

GROUND = Bounds(left=1000.0, bottom=2000.0, right=1120.0, top=2120.0)
NONE = np.zeros(0)
NOWHERE = Ties(x=NONE, y=NONE, east=NONE, north=NONE, strength=NONE)
YEAR = [date(2025, 1, 10), date(2025, 4, 10), date(2025, 7, 10), date(2025, 10, 10)]


def nodes(bounds=GROUND, step=4.0, east=0.0, north=0.0, slope=0.0, uncertainty=0.05, known=True):
    """A field whose displacement is a tilted plane over a ground."""
    across = np.arange(bounds.left, bounds.right + step, step)
    down = np.arange(bounds.top, bounds.bottom - step, -step)
    x, y = np.meshgrid(across, down)
    return Field(
        left=bounds.left,
        top=bounds.top,
        step=step,
        east=east + slope * (y - GROUND.bottom),
        north=north - slope * (x - GROUND.left),
        uncertainty=np.full(x.shape, uncertainty),
        known=np.full(x.shape, known),
    )


def found(verdict="verified", p95=0.1, why="measured", field=None, **plane):
    measured = verdict == "verified"
    return Alignment(
        field=field or (nodes(**plane) if measured else flat_field(GROUND, uncertainty=1.0)),
        verdict=verdict,
        why=why,
        rms_m=p95 / 2 if measured else None,
        p95_m=p95 if measured else None,
        ties=NOWHERE,
        used=np.zeros(0, bool),
        evidence=9.0,
        accepted_by="gate",
    )


def area(pairs, days=YEAR, reference=0):
    """An area in which these pairs were measured; all others show nothing in common."""
    asked = []

    def measure(before, after):
        asked.append((before, after))
        return pairs.get((before, after), found("unverified", why="too little in common"))

    return asked, Area(
        labels=tuple("abcdefgh"[: len(days)]),
        days=tuple(days),
        reference=reference,
        bounds=tuple(GROUND for _ in days),
        measure=measure,
    )


# Composition.


@pytest.mark.parametrize("slope", [0.0, 0.02])
def test_a_composed_field_leads_where_the_two_lead_one_after_the_other(slope):
    first = found(east=7.0, north=-3.0, slope=slope)
    second = found(east=-1.5, north=4.0, slope=-2 * slope)
    whole = compose(first, second, GROUND).field
    x, y = np.meshgrid(np.linspace(1030, 1090, 7), np.linspace(2030, 2090, 7))
    one = first.field.shift(x, y)
    other = second.field.shift(x + one[0], y + one[1])
    assert np.allclose(whole.shift(x, y), (one[0] + other[0], one[1] + other[1]), atol=1e-3)


def test_the_way_there_and_back_leads_nowhere():
    slope = 0.03
    turn = np.array([[1.0, slope], [-slope, 1.0]])
    back = np.linalg.inv(turn) - np.eye(2)
    there = nodes(slope=slope)
    across, down = np.arange(1000.0, 1124.0, 4.0), np.arange(2120.0, 1996.0, -4.0)
    x, y = np.meshgrid(across, down)
    led = np.einsum("ij,jrc->irc", back, np.stack([x - GROUND.left, y - GROUND.bottom]))
    home = replace(there, east=led[0], north=led[1])
    whole = compose(found(field=there), found(field=home), GROUND).field
    middle = np.s_[4:-4, 4:-4]
    assert np.abs(whole.east[middle]).max() < 1e-3
    assert np.abs(whole.north[middle]).max() < 1e-3


def test_errors_add_up_as_the_root_of_squares():
    first, second = found(p95=0.3, uncertainty=0.3), found(p95=0.4, uncertainty=0.4)
    whole = compose(first, second, GROUND)
    assert (whole.verdict, whole.p95_m, whole.rms_m) == ("verified", 0.5, 0.25)
    assert np.allclose(whole.field.uncertainty, 0.5, atol=0.01)
    assert whole.field.known.all()


def test_a_composed_field_covers_the_ground_and_knows_what_both_know():
    half = Bounds(left=GROUND.left, bottom=GROUND.bottom, right=1060.0, top=GROUND.top)
    whole = compose(found(), found(bounds=half), GROUND).field
    rows, cols = whole.east.shape
    assert whole.left <= GROUND.left
    assert whole.left + (cols - 1) * whole.step >= GROUND.right
    assert whole.top - (rows - 1) * whole.step <= GROUND.bottom
    x = whole.left + whole.step * np.arange(cols)
    assert whole.known[:, x <= 1060.0].all()
    assert not whole.known[:, x > 1060.0 + whole.step].any()
    assert whole.uncertainty[0, -1] > whole.uncertainty[0, 0]


def test_what_is_known_on_different_ground_verifies_nothing():
    west, east = nodes(), nodes()
    west = replace(west, known=np.indices(west.known.shape)[1] < 15)
    east = replace(east, known=np.indices(east.known.shape)[1] > 15)
    assert compose(found(field=west), found(field=east), GROUND).verdict == "unverified"


def test_one_bad_link_spoils_a_chain():
    assert compose(found(), found("unverified"), GROUND).verdict == "unverified"
    assert compose(found("refused"), found(), GROUND).p95_m is None


def test_the_closure_is_what_two_fields_differ_by():
    one, other = nodes(uncertainty=0.03), nodes(east=0.3, north=0.4, uncertainty=0.04)
    assert find_closure(one, other) == pytest.approx((0.5, 0.05))
    assert find_closure(one, nodes(known=False)) is None
    assert find_closure(nodes(known=False), one) is None


# Which way is taken.


def test_the_direct_way_is_taken_where_both_verify():
    pairs = {(0, 1): found(east=1.0), (0, 2): found(p95=0.13, east=2.0), (1, 2): found(east=1.01)}
    _, flights = area(pairs, YEAR[:3])
    last = chain(flights)[1]
    assert last.route.through == ()
    assert last.closure_m == pytest.approx(0.01, abs=1e-6)
    assert last.closes
    assert "straight to the reference: 95 % within 0.13 m" in last.why
    assert "through b (nearest in season) within 0.14 m" in last.why


def test_a_flight_that_matches_its_neighbour_alone_goes_through_it():
    pairs = {(0, 1): found(east=1.0), (1, 2): found(p95=0.2, east=2.0, north=-1.0)}
    _, flights = area(pairs, YEAR[:3])
    last = chain(flights)[1]
    assert last.route.through == (1,)
    assert last.route.alignment.shift_m == pytest.approx((3.0, -1.0))
    assert last.route.alignment.why == last.why
    assert last.closure_m is None
    assert "through b (nearest in season): 95 % within 0.22 m" in last.why
    assert "not verified: too little in common" in last.why


def test_a_chain_that_is_clearly_better_is_taken():
    pairs = {
        (0, 1): found(),
        (0, 2): found(p95=0.4, uncertainty=0.3),
        (1, 2): found(),
    }
    _, flights = area(pairs, YEAR[:3])
    last = chain(flights)[1]
    assert last.route.through == (1,)
    assert "only within 0.40 m" in last.why


def test_the_season_comes_before_the_time_and_both_are_asked_where_needed():
    days = [date(2023, 1, 10), date(2023, 7, 1), date(2024, 12, 20), date(2025, 6, 20)]
    firm = {(0, 1): found(), (0, 2): found()}
    asked, flights = area({**firm, (1, 3): found()}, days)
    last = chain(flights)[2]
    assert (last.route.through, last.route.near) == ((1,), "season")
    assert (2, 3) in asked, "nothing but a second way can confirm it"
    _, flights = area({**firm, (2, 3): found()}, days)
    last = chain(flights)[2]
    assert (last.route.through, last.route.near) == ((2,), "time")
    assert "nearest in time" in last.why


def test_two_ways_are_enough():
    asked, flights = area({(a, b): found() for a in range(4) for b in range(4)})
    chain(flights)
    assert len(asked) == 2 * 3


def test_chains_grow_only_where_nothing_else_verifies():
    pairs = {(0, 1): found(), (1, 2): found(), (2, 3): found()}
    _, flights = area(pairs)
    through = [item.route.through for item in chain(flights)]
    assert through == [(), (1,), (1, 2)]
    pairs[1, 3] = found(p95=0.3)
    _, flights = area(pairs, [YEAR[0], YEAR[1], YEAR[3], YEAR[2]])
    assert chain(flights)[2].route.through == (1,)


def test_ways_that_disagree_are_told():
    pairs = {(0, 1): found(), (0, 2): found(east=2.0), (1, 2): found()}
    _, flights = area(pairs, YEAR[:3])
    last = chain(flights)[1]
    assert not last.closes
    assert last.closure_m == pytest.approx(2.0)
    assert "DISAGREE by 2.00 m" in last.why


def test_other_ground_stays_refused():
    pairs = {(0, 1): found(), (0, 2): found("refused", why="no common ground")}
    _, flights = area(pairs, YEAR[:3])
    last = chain(flights)[1]
    assert last.route.alignment.verdict == "refused"
    assert last.why == "no common ground; nor could it be verified through b"


def test_a_flight_that_cannot_be_compared_has_no_way():
    _, flights = area({(0, 1): found(), (0, 2): None, (1, 2): found()}, YEAR[:3])
    assert chain(flights)[1].route is None


def test_flights_without_a_day_go_by_their_place_in_the_list():
    pairs = {(0, 1): found(), (0, 2): found(), (2, 3): found()}
    _, flights = area(pairs, [None] * 4)
    last = chain(flights)[2]
    assert (last.route.through, last.route.near) == ((2,), "order")


def test_any_flight_may_be_the_reference():
    pairs = {(2, 1): found(east=1.0), (1, 0): found(east=1.0)}
    _, flights = area(pairs, YEAR[:3], reference=2)
    placed = {item.flight: item for item in chain(flights)}
    assert sorted(placed) == [0, 1]
    assert placed[0].route.through == (1,)
