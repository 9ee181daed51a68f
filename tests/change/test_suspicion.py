"""Suspicion: made cases one by one, then what must hold for any."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import MultiPolygon, Polygon, affinity, box

from change.layers import BadRow
from change.suspicion import REASONS, compare, is_suspect, severity_of
from survey.settings import PermitSettings
from tests.strategies import changes, make_change, make_permit, make_permits, permits

BEFORE, AFTER = date(2024, 3, 1), date(2024, 6, 1)
BETWEEN, EARLY, LATE = date(2024, 4, 1), date(2022, 1, 1), date(2024, 9, 1)
HOUSE = box(0, 0, 10, 10)
SETTINGS = PermitSettings()


def judge(change, *rows, bad_rows=(), settings=SETTINGS, flown=(BEFORE, AFTER)):
    (suspect,) = compare([change], make_permits(*rows, bad_rows=bad_rows), settings, *flown)
    return suspect


def permitted(outline=HOUSE, **values):
    return make_permit(outline, **values)


# kind, what stands there, what is permitted, the reason
PLAIN = {
    "nothing permitted": ("building", HOUSE, [], "no_permit"),
    "permit far off": ("building", HOUSE, [box(50, 0, 60, 10)], "no_permit"),
    "as drawn": ("building", HOUSE, [HOUSE], "as_permitted"),
    "well inside": ("building", box(2, 2, 8, 8), [HOUSE], "as_permitted"),
    "shifted within the tolerance": ("building", box(0.9, 0, 10.9, 10), [HOUSE], "as_permitted"),
    "bigger all round within the tolerance": (
        "building", box(-0.7, -0.7, 10.7, 10.7), [HOUSE], "as_permitted",
    ),
    "a sliver beyond": ("building", box(0, 0, 11.3, 10), [HOUSE], "as_permitted"),
    "two metres too deep": ("building", box(0, 0, 12, 10), [HOUSE], "exceeds_permit"),
    "twice as deep": ("building", box(0, 0, 20, 10), [HOUSE], "exceeds_permit"),
    "just the corner permitted": ("building", box(8, 8, 18, 18), [HOUSE], "no_permit"),
    "beside its plot": ("building", box(12, 0, 22, 10), [HOUSE], "no_permit"),
    "in the permit's courtyard": (
        "building",
        box(12, 12, 18, 18),
        [box(0, 0, 30, 30).difference(box(10, 10, 20, 20))],
        "no_permit",
    ),
    "two permits together": (
        "building", box(0, 0, 20, 10), [HOUSE, box(10, 0, 20, 10)], "as_permitted",
    ),
    "two permits with a seam": (
        "building", box(0, 0, 20, 10), [HOUSE, box(10.6, 0, 20, 10)], "as_permitted",
    ),
    "a permit in two parts": (
        "building", HOUSE, [MultiPolygon([HOUSE, box(40, 0, 50, 10)])], "as_permitted",
    ),
    "small shed inside": ("shed", box(1, 1, 4, 4), [HOUSE], "as_permitted"),
    "small shed half out": ("shed", box(9, 0, 13, 2.5), [HOUSE], "exceeds_permit"),
    "small shed outside": ("shed", box(12, 0, 15, 3), [HOUSE], "no_permit"),
    "foundation on its plot": ("site", HOUSE, [HOUSE], "as_permitted"),
    "foundation elsewhere": ("site", box(30, 0, 40, 10), [HOUSE], "no_permit"),
    "annex inside the plot": ("annex", box(6, 6, 10, 10), [HOUSE], "as_permitted"),
    "annex onto the house": ("annex", box(10, 0, 15, 10), [HOUSE], "grown_beyond_permit"),
    "annex at tolerance's length": ("annex", box(10.8, 0, 15, 10), [HOUSE], "grown_beyond_permit"),
    "annex to an unpermitted house": ("annex", box(20, 0, 25, 10), [HOUSE], "no_permit"),
    "storey on a permitted house": ("storey", HOUSE, [HOUSE], "grown_beyond_permit"),
    "storey on an unpermitted house": ("storey", HOUSE, [], "no_permit"),
    "room on a permitted roof": ("roof_addition", box(2, 2, 6, 6), [HOUSE], "grown_beyond_permit"),
    "room on another roof": ("roof_addition", box(22, 2, 26, 6), [HOUSE], "no_permit"),
    "permitted house gone": ("removed", HOUSE, [HOUSE], "removed_permitted"),
    "part of it gone": ("partly_removed", box(0, 0, 5, 10), [HOUSE], "removed_permitted"),
    "unpermitted house gone": ("removed", HOUSE, [], "removed_unpermitted"),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "outline", "plots", "reason"), PLAIN.values(), ids=PLAIN)
def test_reason(kind, outline, plots, reason):
    rows = [make_permit(plot, f"N{i}", row=i + 1) for i, plot in enumerate(plots)]
    suspect = judge(make_change(outline, kind), *rows)
    assert suspect.reason == reason
    assert suspect.suspicious == is_suspect(reason)
    assert (suspect.severity > 0) == is_suspect(reason)


# kind, the permit's dates, flights, the reason
DATED = {
    "in force": ("building", {"granted": EARLY, "valid_until": LATE}, "as_permitted"),
    "granted between": ("building", {"granted": BETWEEN}, "as_permitted"),
    "granted on the day of the second flight": ("building", {"granted": AFTER}, "as_permitted"),
    "granted after": ("building", {"granted": LATE}, "before_grant"),
    "expired before": ("building", {"valid_until": EARLY}, "permit_expired"),
    "expired between": ("building", {"valid_until": BETWEEN}, "as_permitted"),
    "annex on expired ground": ("annex", {"valid_until": EARLY}, "permit_expired"),
    "storey by an old permit": ("storey", {"granted": EARLY}, "grown_beyond_permit"),
    "storey by an expired permit": ("storey", {"valid_until": EARLY}, "grown_beyond_permit"),
    "storey by a fresh permit": ("storey", {"granted": BETWEEN}, "as_permitted"),
    "storey on the day of the first flight": ("storey", {"granted": BEFORE}, "as_permitted"),
    "storey granted after": ("storey", {"granted": LATE}, "before_grant"),
    "roof room by a fresh permit": ("roof_addition", {"granted": BETWEEN}, "as_permitted"),
}


@pytest.mark.parametrize(("kind", "dates", "reason"), DATED.values(), ids=DATED)
def test_reason_by_date(kind, dates, reason):
    assert judge(make_change(HOUSE, kind), permitted(**dates)).reason == reason


def test_without_flight_dates_no_date_is_held_against_anyone():
    for dates in ({"granted": LATE}, {"valid_until": EARLY}):
        suspect = judge(make_change(HOUSE), permitted(**dates), flown=(None, None))
        assert suspect.reason == "as_permitted"


def test_a_renewed_permit_covers():
    rows = (permitted(valid_until=EARLY), permitted(number="B", row=2, granted=EARLY))
    assert judge(make_change(HOUSE), *rows).reason == "as_permitted"


def test_stock_stood_before_the_first_flight():
    stock = make_change(HOUSE, origin="stock")
    assert judge(stock, permitted(granted=BETWEEN)).reason == "before_grant"
    assert judge(stock, permitted(valid_until=EARLY)).reason == "as_permitted"


def test_exceeding_an_expired_permit_says_both():
    suspect = judge(make_change(box(0, 0, 20, 10)), permitted(valid_until=EARLY))
    assert (suspect.reason, suspect.reasons) == ("exceeds_permit", ("permit_expired",))


def test_excess_is_told_from_the_line_that_was_drawn():
    suspect = judge(make_change(box(0, 0, 13, 10)), permitted(number="粤建第1号"))
    assert suspect.excess_m2 == pytest.approx(30)
    assert suspect.excess_m == pytest.approx(3)
    assert suspect.permit_cover == pytest.approx(11 / 13)
    assert suspect.permit_number == "粤建第1号"


def test_without_a_permit_all_of_it_is_excess():
    suspect = judge(make_change(HOUSE))
    assert (suspect.excess_m2, suspect.excess_m, suspect.permit_cover) == (100.0, None, 0.0)
    assert (suspect.permit_number, suspect.nearest) == ("", ())


def test_the_flights_tolerance_is_added():
    shifted = box(2, 0, 12, 10)
    assert judge(make_change(shifted, tolerance_m=0.0), permitted()).reason == "exceeds_permit"
    assert judge(make_change(shifted, tolerance_m=1.5), permitted()).reason == "as_permitted"


def test_settings_decide():
    deep = make_change(box(0, 0, 12, 10))
    assert judge(deep, permitted(), settings=PermitSettings(tolerance_m=1.5)).reason == (
        "as_permitted"
    )
    assert judge(deep, permitted(), settings=PermitSettings(min_excess_m2=15)).reason == (
        "as_permitted"
    )
    corner = make_change(box(8, 8, 18, 18))
    assert judge(corner, permitted(), settings=PermitSettings(min_cover=0.05)).reason == (
        "exceeds_permit"
    )


def test_the_permit_that_covers_most_gives_its_number():
    rows = (permitted(box(0, 0, 3, 10)), permitted(box(3, 0, 10, 10), number="B", row=2))
    assert judge(make_change(HOUSE), *rows).permit_number == "B"


def test_nearest_permits_by_distance():
    rows = [
        permitted(box(x, 0, x + 5, 5), number=n, row=1)
        for n, x in zip("DCBA", (55, 45, 30, 15), strict=True)
    ]
    rows += [permitted(box(500, 0, 505, 5), number="far"), permitted(box(11, 0, 12, 1), number="")]
    assert judge(make_change(HOUSE), *rows).nearest == ("A", "B", "C")


def test_a_dropped_row_close_by_is_said():
    def flaw(where, kept=False):
        return BadRow(row=9, why="degenerate", detail="", kept=kept, where=where)

    near, far = box(12, 0, 13, 1), box(90, 0, 91, 1)
    assert judge(make_change(HOUSE), bad_rows=[flaw(near)]).reasons == ("near_flawed_row",)
    assert judge(make_change(HOUSE), bad_rows=[flaw(far), flaw(None)]).reasons == ()
    assert judge(make_change(HOUSE), permitted(), bad_rows=[flaw(near)]).reasons == ()


def test_no_layer_is_never_no_permit():
    kinds = ["building", "storey", "removed"]
    found = compare([make_change(HOUSE, kind) for kind in kinds], None, SETTINGS, BEFORE, AFTER)
    assert [item.reason for item in found] == ["not_compared"] * 3
    assert [item.suspicious for item in found] == [True, True, False]
    assert all(item.permit_cover is None and item.excess_m2 is None for item in found)


def test_severity_grows_with_size_height_and_reason():
    assert severity_of("no_permit", 500, 3) > severity_of("no_permit", 50, 3)
    assert severity_of("no_permit", 50, 6) > severity_of("no_permit", 50, 3)
    assert severity_of("no_permit", 50, 3) > severity_of("exceeds_permit", 50, 3)
    assert severity_of("no_permit", 50, None) == severity_of("no_permit", 50, -4)
    assert severity_of("no_permit", 1e9, 1e3) == 100
    small = judge(make_change(box(0, 0, 12, 10)), permitted())
    large = judge(make_change(box(0, 0, 20, 10)), permitted())
    assert small.severity < large.severity


def test_unknown_reason_is_a_bug():
    with pytest.raises(ValueError, match="unknown reason"):
        is_suspect("guilty")


@given(changes(), permits(), st.integers(-5000, 5000), st.integers(-5000, 5000))
def test_shifting_everything_changes_nothing(change, rows, dx, dy):
    def moved(item):
        return replace(item, outline=affinity.translate(item.outline, dx, dy))

    here = judge(change, *rows)
    there = judge(moved(change), *(moved(row) for row in rows))
    assert (here.reason, here.reasons, here.permit_number, here.nearest) == (
        there.reason, there.reasons, there.permit_number, there.nearest,
    )  # fmt: skip
    assert here.permit_cover == pytest.approx(there.permit_cover, abs=1e-6)
    assert here.excess_m2 == pytest.approx(there.excess_m2, abs=1e-3)
    assert here.severity == pytest.approx(there.severity, abs=0.11)


@given(changes(), permits().flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))))
def test_row_order_changes_nothing(change, orders):
    rows, shuffled = orders
    here, there = judge(change, *rows), judge(change, *shuffled)
    assert (here.reason, here.reasons, here.permit_number, here.nearest) == (
        there.reason, there.reasons, there.permit_number, there.nearest,
    )  # fmt: skip
    assert here.excess_m2 == pytest.approx(there.excess_m2, abs=1e-6)


@given(changes(), permits(), st.floats(0.2, 0.8), st.booleans())
def test_splitting_a_permit_changes_no_reason(change, rows, share, upright):
    halves = []
    for row in rows:
        left, bottom, right, top = row.outline.bounds
        x, y = left + share * (right - left), bottom + share * (top - bottom)
        half = box(left, bottom, x, top) if upright else box(left, bottom, right, y)
        parts = [row.outline.intersection(half), row.outline.difference(half)]
        assert all(isinstance(part, Polygon) for part in parts)
        halves += [replace(row, outline=part, row=2 * row.row + i) for i, part in enumerate(parts)]
    whole, parted = judge(change, *rows), judge(change, *halves)
    assert whole.reason == parted.reason
    assert whole.excess_m2 == pytest.approx(parted.excess_m2, abs=1e-3)


@given(changes(), permits())
def test_a_reason_is_always_consistent(change, rows):
    found = judge(change, *rows)
    assert found.reason in REASONS
    assert found.reason != "not_compared"
    assert 0 <= found.permit_cover <= 1
    assert 0 <= found.excess_m2 <= change.area_m2 * (1 + 1e-9)
    assert (found.severity > 0) == found.suspicious
    if not rows:
        assert found.reason in ("no_permit", "removed_unpermitted")


@given(changes())
def test_what_is_permitted_wholly_is_never_without_permit(change):
    found = judge(change, permitted(change.outline))
    assert found.reason in ("as_permitted", "grown_beyond_permit", "removed_permitted")
    assert found.excess_m2 == pytest.approx(0, abs=1e-6)
