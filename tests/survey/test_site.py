"""What is in the way, when things are there, and walks along streets."""

import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from survey.simulation.drafting.chances import cut_span, draw_spans, pick_weighted
from survey.simulation.drafting.land import Zone
from survey.simulation.drafting.places import streets, walk
from survey.simulation.drafting.plots import NEVER, Plots
from survey.simulation.drafting.site import Ledger, boxes
from survey.simulation.scene import ALWAYS, Part, Place, Prop, Road, Span, State, Structure

FLIGHTS = 4


def test_ground_is_covered_and_cleared_in_pieces():
    house = Part(
        place=Place(x=0.0, y=0.0), length_m=10.0, width_m=8.0, height_m=3.0, roof="flat",
        skin="concrete", storeys=1, seed=1,
    )  # fmt: skip
    annex = Part(
        place=Place(x=0.0, y=7.0), length_m=4.0, width_m=8.0, height_m=3.0, roof="flat",
        skin="concrete", storeys=1, seed=1,
    )  # fmt: skip
    states = (
        State(flight=1, parts=(house,), kind="building", reason="x"),
        State(flight=2, parts=(house, annex), kind="annex", reason="x"),
        State(flight=3, parts=(annex,), kind="partly_removed", reason="x"),
    )
    item = Structure(number=1, use="residential", permit_number=None, states=states)
    plots = Plots.of([item])
    found = sorted(zip(plots.first.tolist(), plots.end.tolist(), strict=True))
    assert found == [(1, 3), (2, NEVER)]
    for flight in range(FLIGHTS):
        covered = sum(shape.area for shape in plots.shapes[plots.covered(flight)])
        assert covered == pytest.approx(item.outline_at(flight).area)


def test_ledger_admits_by_place_and_time():
    places = [Place(x=x, y=0.0, bearing_deg=90.0) for x in (0.0, 1.0, 1.0, 9.0)]
    spans = [Span(end=2), Span(first=1), Span(first=2), ALWAYS]
    things = [
        Prop(
            kind="car", place=place, length_m=4.0, width_m=2.0, height_m=1.5, tint="red", seed=1,
            span=span,
        )
        for place, span in zip(places, spans, strict=True)
    ]  # fmt: skip
    ledger = Ledger()
    assert ledger.admit(boxes(things), spans).tolist() == [True, False, True, True]
    assert ledger.admit(boxes(things[:1]), [Span(first=1, end=2)]).tolist() == [False]
    assert ledger.admit(boxes([]), []).tolist() == []


def test_boxes_are_those_of_the_places():
    zone = Zone(place=Place(x=3.0, y=4.0, bearing_deg=33.0), length_m=7.0, width_m=2.0, use="park")
    (box,) = boxes([zone], 0.5)
    assert box.symmetric_difference(zone.place.rectangle(8.0, 3.0)).area < 1e-9


def test_streets_break_where_the_paving_does():
    ends = [Place(x=float(x), y=0.0) for x in (0, 40, 70, 120)]
    surfaces = ("asphalt", "asphalt", "dirt")
    roads = [
        Road(start=a, end=b, width_m=6.0, surface=surface)
        for (a, b), surface in zip(pairwise(ends), surfaces, strict=True)
    ]
    assert [len(street) for street in streets(roads)] == [2, 1]
    steps = [place.x for place in walk(roads[:2], 10.0, -1.0)]
    assert np.allclose(np.diff(steps), 10.0)


def test_spans_keep_every_flight_as_full():
    spans = draw_spans(np.random.default_rng(3), 500.0, 2.0, 6)
    counts = [sum(span.holds(flight) for span in spans) for flight in range(6)]
    assert all(abs(count - 500) < 100 for count in counts)
    assert {span.end for span in draw_spans(np.random.default_rng(3), 9.0, math.inf, 6)} == {None}


@pytest.mark.parametrize("span", [ALWAYS, Span(end=2), Span(first=1), Span(first=1, end=3)])
def test_spans_are_cut_to_the_first_run_of_free_flights(span):
    for number in range(2**FLIGHTS):
        taken = np.array([bool(number >> flight & 1) for flight in range(FLIGHTS)])
        free = [flight for flight in range(FLIGHTS) if span.holds(flight) and not taken[flight]]
        cut = cut_span(span, taken)
        if not free:
            assert cut is None
            continue
        held = [flight for flight in range(FLIGHTS) if cut.holds(flight)]
        assert held == free[: len(held)]
        assert held == list(range(held[0], held[-1] + 1))
        assert held[-1] + 1 not in free
        assert held != [f for f in range(FLIGHTS) if span.holds(f)] or cut == span


def test_weights_are_kept():
    rng = np.random.default_rng(2)
    drawn = Counter(pick_weighted(rng, {"a": 3.0, "b": 1.0}) for _ in range(4000))
    assert abs(drawn["a"] / 4000 - 0.75) < 0.03
