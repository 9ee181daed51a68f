"""Suspicion: made cases one by one, then what must hold for any."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import MultiPolygon, Polygon, affinity, box

from change.layers import BadRow
from change.protected import OnProtected
from change.suspicion import (
    FURTHER,
    NOT_JUDGED,
    REASONS,
    Circumstances,
    Suspect,
    compare,
    is_suspect,
)
from survey.settings import PermitSettings, Settings
from tests.strategies import changes, make_change, make_permit, make_permits, permits

BEFORE, AFTER = date(2024, 3, 1), date(2024, 6, 1)
BETWEEN, EARLY, LATE = date(2024, 4, 1), date(2022, 1, 1), date(2024, 9, 1)
HOUSE = box(0, 0, 10, 10)


def judge(change, *rows, bad_rows=(), settings=None, flown=(BEFORE, AFTER), **known):
    """Judge one change; ``settings`` is the section ``[permits]``."""
    (suspect,) = judge_all(
        [change], *rows, bad_rows=bad_rows, settings=settings, flown=flown, **known
    )
    return suspect


def judge_all(all_changes, *rows, bad_rows=(), settings=None, flown=(BEFORE, AFTER), **known):
    before, after = flown
    return compare(
        all_changes,
        make_permits(*rows, bad_rows=bad_rows),
        Settings(permits=settings or PermitSettings()),
        Circumstances(flown_before=before, flown_after=after, **known),
    )


def numbers(suspect):
    return tuple(near.number for near in suspect.nearest)


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
    assert numbers(judge(make_change(HOUSE), *rows)) == ("", "A", "B")


def test_a_dropped_row_close_by_is_said():
    def flaw(where, kept=False):
        return BadRow(row=9, why="degenerate", detail="", kept=kept, where=where)

    near, far = box(12, 0, 13, 1), box(90, 0, 91, 1)
    assert judge(make_change(HOUSE), bad_rows=[flaw(near)]).reasons == ("near_flawed_row",)
    assert judge(make_change(HOUSE), bad_rows=[flaw(far), flaw(None)]).reasons == ()
    assert judge(make_change(HOUSE), permitted(), bad_rows=[flaw(near)]).reasons == ()


def test_no_layer_is_never_no_permit():
    kinds = ["building", "storey", "removed"]
    known = Circumstances(flown_before=BEFORE, flown_after=AFTER)
    found = compare([make_change(HOUSE, kind) for kind in kinds], None, Settings(), known)
    assert [item.reason for item in found] == ["not_compared"] * 3
    assert [item.suspicious for item in found] == [True, True, False]
    assert all(item.permit_cover is None and item.excess_m2 is None for item in found)


# what is permitted beside the outline, what was built, the reason, further reasons, not judged
LIMITED = {
    "as high as allowed": ({"height_m": 9.0}, 9.4, "as_permitted", (), ()),
    "a parapet higher": ({"height_m": 9.0}, 10.4, "as_permitted", (), ()),
    "a storey too high": ({"height_m": 9.0}, 12.1, "exceeds_permit", ("too_high",), ()),
    "two storeys as allowed": ({"storeys": 2}, 7.1, "as_permitted", (), ()),
    "three storeys instead of two": ({"storeys": 2}, 9.6, "exceeds_permit", ("too_high",), ()),
    "metres win over storeys": ({"storeys": 2, "height_m": 12.0}, 11.0, "as_permitted", (), ()),
    "a hall of one storey": ({"storeys": 1, "use": "工业厂房"}, 9.0, "as_permitted", (), ()),
    "a hall above its height": (
        {"height_m": 6.0, "use": "warehouse"}, 9.0, "exceeds_permit", ("too_high",), (),
    ),
    "no height known": ({"height_m": 9.0}, None, "as_permitted", (), ("height",)),
    "nothing limited, no height known": ({}, None, "as_permitted", (), ()),
    "plot permitted, house allowed": ({"footprint_m2": 75.0}, 3.0, "exceeds_permit",
                                      ("footprint_too_large",), ()),
    "plot permitted, house as large": ({"footprint_m2": 98.0}, 3.0, "as_permitted", (), ()),
    "floor area for one storey, two built": (
        {"floor_area_m2": 100.0}, 7.0, "exceeds_permit", ("floor_area_too_large",), (),
    ),
    "floor area for two storeys": ({"floor_area_m2": 200.0}, 7.0, "as_permitted", (), ()),
    "floor area, no height known": ({"floor_area_m2": 100.0}, None, "as_permitted", (),
                                    ("floor_area",)),
    "too high and too early": (
        {"height_m": 6.0, "granted": LATE}, 9.0, "before_grant", ("too_high",), (),
    ),
    "temporary, in time": ({"temporary": True, "valid_until": LATE}, 3.0, "as_permitted",
                           ("temporary",), ()),
    "temporary, over before the second flight": (
        {"temporary": True, "valid_until": BETWEEN}, 3.0, "permit_expired", ("temporary",), (),
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("values", "gain", "reason", "further", "not_judged"), LIMITED.values(), ids=LIMITED
)
def test_what_a_permit_limits(values, gain, reason, further, not_judged):
    found = judge(make_change(HOUSE, height_gain_m=gain), permitted(**values))
    assert (found.reason, found.reasons, found.not_judged) == (reason, further, not_judged)
    assert (found.excess_height_m is not None) == ("too_high" in further)


def test_height_that_is_known_badly_is_held_against_nobody():
    change, permit = make_change(HOUSE, height_gain_m=12.1), permitted(height_m=9.0)
    assert judge(change, permit, height_error_m=0.1).excess_height_m == pytest.approx(3.1)
    assert judge(change, permit, height_error_m=1.0).reason == "as_permitted"


def test_two_rows_of_one_permit_allow_its_area_once():
    rows = [permitted(part, footprint_m2=60.0, row=row) for row, part in
            enumerate((box(0, 0, 5, 10), box(5, 0, 10, 10)), start=1)]  # fmt: skip
    assert judge(make_change(HOUSE), *rows).reasons == ("footprint_too_large",)
    others = [replace(rows[0], number="B"), rows[1]]
    assert judge(make_change(HOUSE), *others).reason == "as_permitted"


def test_an_annex_can_be_too_high_too():
    annex = make_change(box(6, 6, 10, 10), "annex", height_gain_m=9.0)
    found = judge(annex, permitted(height_m=4.0))
    assert (found.reason, found.reasons) == ("grown_beyond_permit", ("too_high",))


def test_storeys_are_told_as_a_range():
    assert judge(make_change(HOUSE, "storey", height_gain_m=3.1)).storeys_gained == (1, 1)
    assert judge(make_change(HOUSE, height_gain_m=9.3)).storeys_gained == (3, 3)
    assert judge(make_change(HOUSE, height_gain_m=9.3), height_error_m=1.0).storeys_gained == (2, 4)
    assert judge(make_change(HOUSE, height_gain_m=None)).storeys_gained is None
    assert judge(make_change(HOUSE, "removed", height_gain_m=-3.0)).storeys_gained is None


EMPTY = {1: False}
ASIDE = box(14, 0, 24, 10)
# kind, what stands there, the permit's values, what is known of its ground, the reason
BESIDE = {
    "beside its empty plot": ("building", ASIDE, {}, EMPTY, "beside_permit"),
    "a frame beside it": ("site", ASIDE, {}, EMPTY, "beside_permit"),
    "a shed beside it": ("shed", ASIDE, {}, EMPTY, "beside_permit"),
    "a house stands on the plot": ("building", ASIDE, {}, {1: True}, "no_permit"),
    "nobody knows what stands there": ("building", ASIDE, {}, {1: None}, "no_permit"),
    "granted since the first flight": (
        "building", ASIDE, {"granted": BETWEEN}, {}, "beside_permit",
    ),
    "too far off": ("building", box(30, 0, 40, 10), {}, EMPTY, "no_permit"),
    "far too large for it": ("building", box(14, 0, 44, 40), {}, EMPTY, "no_permit"),
    "far too small for it": ("building", box(14, 0, 18, 4), {}, EMPTY, "no_permit"),
    "its corner on the plot": ("building", box(8, 8, 18, 18), {}, EMPTY, "beside_permit"),
    "an annex beside it": ("annex", ASIDE, {}, EMPTY, "no_permit"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "outline", "values", "built", "reason"), BESIDE.values(), ids=BESIDE
)
def test_beside_a_permit(kind, outline, values, built, reason):
    found = judge(make_change(outline, kind), permitted(number="A", **values), built=built)
    assert found.reason == reason
    if reason == "beside_permit":
        assert found.permit_number == "A"


def test_beside_an_expired_permit_says_both():
    found = judge(make_change(ASIDE), permitted(valid_until=EARLY), built=EMPTY)
    assert (found.reason, found.reasons) == ("beside_permit", ("permit_expired",))


def test_a_plot_that_was_built_on_meanwhile_is_not_empty():
    aside, there = judge_all([make_change(ASIDE), make_change(HOUSE)], permitted(), built=EMPTY)
    assert (aside.reason, there.reason) == ("no_permit", "as_permitted")


def test_an_empty_permit_serves_one_building_the_nearest():
    near, far = make_change(box(12, 0, 22, 10)), make_change(box(0, 14, 10, 24))
    for order in ([near, far], [far, near]):
        found = judge_all(order, permitted(), built=EMPTY)
        assert {item.change.outline: item.reason for item in found} == {
            near.outline: "beside_permit",
            far.outline: "no_permit",
        }


def test_what_is_known_badly_of_the_layer_widens_the_tolerance():
    deep = make_change(box(0, 0, 12, 10))
    assert judge(deep, permitted(), placed_to=lambda x, y: 0.1).reason == "exceeds_permit"
    assert judge(deep, permitted(), placed_to=lambda x, y: 0.8).reason == "as_permitted"
    assert judge(deep, permitted(), placed_to=lambda x, y: 0.1 * x).permit_tolerance_m == (
        pytest.approx(0.5 + (0.5**2 + 1.2**2) ** 0.5)
    )


# what was built, the permit, the reason while nobody knows how far off the layer is drawn
ADRIFT = {
    "its size, three metres off": (box(3, 0, 13, 10), {}, "as_permitted", ("place",)),
    "smaller, within the plot if it lay right": (box(6, 2, 13, 8), {}, "as_permitted", ("place",)),
    "its size, six metres off": (box(6, 0, 16, 10), {}, "exceeds_permit", ()),
    "twice its size": (box(3, 0, 23, 10), {}, "exceeds_permit", ()),
    "granted too late wherever it lies": (
        box(3, 0, 13, 10), {"granted": LATE}, "before_grant", ("place",),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("outline", "values", "reason", "not_judged"), ADRIFT.values(), ids=ADRIFT)
def test_where_the_layer_lies_is_unknown(outline, values, reason, not_judged):
    found = judge(make_change(outline), permitted(**values), placed=False)
    assert (found.reason, found.not_judged) == (reason, not_judged)
    assert judge(make_change(outline), permitted(**values)).not_judged == ()


def test_the_excess_has_an_outline():
    found = judge(make_change(box(0, 0, 13, 10)), permitted())
    assert found.excess.equals(box(10, 0, 13, 10))
    assert judge(make_change(HOUSE), permitted()).excess is None
    assert judge(make_change(HOUSE)).excess.equals(HOUSE)


def test_the_nearest_permits_tell_distance_and_cover():
    rows = (permitted(box(0, 0, 4, 10)), permitted(box(14, 0, 20, 10), number="B", row=2))
    first, second = judge(make_change(HOUSE), *rows).nearest
    assert (first.number, first.distance_m, first.cover) == ("A", 0.0, pytest.approx(0.5))
    assert (second.number, second.distance_m, second.cover) == ("B", 4.0, 0.0)


def test_dates_that_nobody_could_hold_against_flights_are_told():
    found = judge(make_change(HOUSE), permitted(granted=LATE), flown=(None, None))
    assert (found.reason, found.not_judged) == ("as_permitted", ("dates",))


def points(found):
    return dict(found.points)


def test_severity_grows_with_reason_size_height_certainty_and_ground():
    plain = make_change(HOUSE, height_gain_m=3.0)
    alone = judge(plain)
    assert alone.severity == pytest.approx(sum(points(alone).values()))
    assert judge(replace(plain, height_gain_m=6.0)).severity > alone.severity
    assert judge(replace(plain, score=0.6)).severity < alone.severity
    assert judge(make_change(box(0, 0, 30, 30))).severity > alone.severity
    farm = OnProtected(name="farmland", label="", share=1.0, area_m2=100.0, points=20.0)
    green = replace(farm, name="green", points=10.0)
    on = judge(plain, protected=[(farm, green)])
    assert points(on) == points(alone) | {"protected": 20.0}
    assert on.protected == (farm, green)
    small = judge(make_change(box(0, 0, 12, 10)), permitted())
    large = judge(make_change(box(0, 0, 20, 10)), permitted())
    assert small.severity < large.severity < judge(make_change(box(0, 0, 20, 10))).severity
    assert judge(make_change(HOUSE), permitted()).points == ()
    assert judge(make_change(HOUSE, "removed")).points == ()


def test_unknown_reason_is_a_bug():
    with pytest.raises(ValueError, match="unknown reason"):
        is_suspect("guilty")
    with pytest.raises(ValueError, match="unknown reason"):
        Suspect(change=make_change(HOUSE), reason="guilty")


@given(changes(), permits(), st.integers(-5000, 5000), st.integers(-5000, 5000))
def test_shifting_everything_changes_nothing(change, rows, dx, dy):
    def moved(item):
        return replace(item, outline=affinity.translate(item.outline, dx, dy))

    here = judge(change, *rows)
    there = judge(moved(change), *(moved(row) for row in rows))
    assert (here.reason, here.reasons, here.permit_number, numbers(here)) == (
        there.reason, there.reasons, there.permit_number, numbers(there),
    )  # fmt: skip
    assert here.permit_cover == pytest.approx(there.permit_cover, abs=1e-6)
    assert here.excess_m2 == pytest.approx(there.excess_m2, abs=1e-3)
    assert here.severity == pytest.approx(there.severity, abs=0.11)


@given(changes(), permits().flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))))
def test_row_order_changes_nothing(change, orders):
    rows, shuffled = orders
    here, there = judge(change, *rows), judge(change, *shuffled)
    assert (here.reason, here.reasons, here.permit_number, numbers(here)) == (
        there.reason, there.reasons, there.permit_number, numbers(there),
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
    assert set(found.reasons) <= set(FURTHER)
    assert set(found.not_judged) <= set(NOT_JUDGED)
    if not rows:
        assert found.reason in ("no_permit", "removed_unpermitted")


@given(changes())
def test_what_is_permitted_wholly_is_never_without_permit(change):
    found = judge(change, permitted(change.outline))
    assert found.reason in ("as_permitted", "grown_beyond_permit", "removed_permitted")
    assert found.excess_m2 == pytest.approx(0, abs=1e-6)
