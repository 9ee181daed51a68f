"""Drawn areas against what they promise: nothing overlaps, everything happens, truth adds up."""

import datetime as dt
import time
from collections import Counter
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
import shapely
from shapely import LineString, STRtree, unary_union

from survey.simulation.drafting import draft
from survey.simulation.drafting.claims import ALLEY_M
from survey.simulation.drafting.draft import draw_scene
from survey.simulation.drafting.faces import compare, middle_rise
from survey.simulation.drafting.layout import draw_land, draw_terrain
from survey.simulation.flights import SETTINGS
from survey.simulation.painting.palette import SKINS, TINTS, WALLS
from survey.simulation.plan import draw_plan
from survey.simulation.scene import Part, Place
from survey.simulation.truth import (
    changes_between,
    describe_truth,
    tabulate_changes,
    tabulate_permits,
    tabulate_structures,
)

DAYS = tuple(dt.date(2025, 3, 15) + dt.timedelta(days=91 * turn) for turn in range(4))
PAIRS = [(before, after) for before in range(4) for after in range(before + 1, 4)]
SIDES = (60.0, 200.0, 500.0)
KINDS = {
    "building", "shed", "annex", "roof_addition", "storey", "site", "removed", "partly_removed",
}  # fmt: skip
REASONS = {
    "no_permit", "exceeds_permit", "grown_beyond_permit", "beside_permit", "permit_expired",
    "before_grant", "as_permitted", "removed_permitted", "removed_unpermitted",
}  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def unfurnished():
    """Draw without trees and props, which are tested on their own."""
    bare = SimpleNamespace(trees=(), props=(), patches=())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(draft, "furnish", lambda *_, **__: bare)
        yield


@cache
def draw(setting, side_m=200.0, seed=1, *, pace=1.0):
    rng = np.random.default_rng([seed, 7])
    return draw_scene(rng, side_m=side_m, dates=DAYS, setting=setting, pace=pace)


def all_parts(structure):
    return {part for state in structure.states for part in state.parts}


def ground_of(structure):
    return unary_union([part.outline() for part in all_parts(structure) if part.base_m == 0.0])


def later_states(scene):
    return [state for item in scene.structures for state in item.states if state.flight > 0]


def predecessors(structure, scene):
    numbers, number = set(), structure.replaces
    while number:
        numbers.add(number)
        number = scene.structures[number - 1].replaces
    return numbers


CASES = [(setting, side_m) for setting in SETTINGS for side_m in SIDES]


@pytest.mark.parametrize(("setting", "side_m"), CASES)
def test_structures_of_all_flights_keep_an_alley_apart(setting, side_m):
    scene = draw(setting, side_m)
    grounds = [ground_of(item) for item in scene.structures]
    one, two = STRtree(grounds).query(grounds, predicate="dwithin", distance=ALLEY_M - 1e-6)
    for a, b in zip(one, two, strict=True):
        first, second = scene.structures[a], scene.structures[b]
        related = {first.number} & predecessors(second, scene)
        related |= {second.number} & predecessors(first, scene)
        assert a == b or related, (first, second)


@pytest.mark.parametrize(("setting", "side_m"), CASES)
def test_structures_stand_off_roads(setting, side_m):
    scene = draw(setting, side_m)
    grounds = [ground_of(item) for item in scene.structures]
    roads = [
        LineString([(r.start.x, r.start.y), (r.end.x, r.end.y)]).buffer(r.width_m / 2, quad_segs=2)
        for r in scene.roads
    ]
    hits = STRtree(roads).query(grounds, predicate="intersects") if grounds else np.empty((2, 0))
    assert hits.shape[1] == 0


@pytest.mark.parametrize("setting", SETTINGS)
def test_parts_of_a_structure_do_not_stand_in_one_another(setting):
    for structure in draw(setting, 500.0).structures:
        for state in structure.states:
            for index, part in enumerate(state.parts):
                for other in state.parts[index + 1 :]:
                    apart = part.base_m >= other.height_m or other.base_m >= part.height_m
                    shared = part.outline().intersection(other.outline()).area
                    assert apart or shared < 1e-6, (part, other)


@pytest.mark.parametrize("setting", SETTINGS)
def test_fixtures_lie_on_their_roofs_apart_from_each_other(setting):
    count = 0
    for structure in draw(setting, 500.0).structures:
        for part in all_parts(structure):
            boxes = [(f.u, f.v, f.length_m / 2, f.width_m / 2) for f in part.fixtures]
            for index, (u, v, long, wide) in enumerate(boxes):
                count += 1
                assert abs(u) + long <= part.length_m / 2 + 1e-9
                assert abs(v) + wide <= part.width_m / 2 + 1e-9
                for u2, v2, long2, wide2 in boxes[index + 1 :]:
                    assert abs(u - u2) >= long + long2 - 1e-9 or abs(v - v2) >= wide + wide2 - 1e-9
    assert count > 10


@pytest.mark.parametrize("setting", SETTINGS)
def test_rooms_on_roofs_take_the_place_of_fixtures(setting):
    for structure in draw(setting, 500.0).structures:
        for state in structure.states:
            for room in (part for part in state.parts if part.base_m > 0.0):
                for host in (part for part in state.parts if part.height_m == room.base_m):
                    for item in host.fixtures:
                        spot = host.place.move(item.u, item.v)
                        box = spot.rectangle(item.length_m, item.width_m)
                        assert not box.intersects(room.outline())


@pytest.mark.parametrize("setting", SETTINGS)
def test_names_are_known_to_the_painters(setting):
    for structure in draw(setting, 500.0).structures:
        for part in all_parts(structure):
            assert {part.skin, *(skin for _, skin in part.repaints)} <= set(SKINS)
            assert part.wall in WALLS
            assert {item.tint for item in part.fixtures} <= set(TINTS)


@cache
def thirty():
    return [draw(SETTINGS[seed % len(SETTINGS)], 200.0, seed) for seed in range(30)]


def test_every_kind_and_every_reason_occurs_in_thirty_areas():
    kinds, reasons = Counter(), Counter()
    for scene in thirty():
        kinds.update({state.kind for state in later_states(scene)})
        reasons.update({state.reason for state in later_states(scene)})
        kinds["rebuilt"] += any(item.replaces for item in scene.structures)
        kinds["brief"] += any(
            item.states[0].flight > 0 and not item.states[-1].parts for item in scene.structures
        )
        kinds["unbuilt"] += len(scene.permits) > sum(
            item.permit_number is not None for item in scene.structures
        )
    assert min(kinds[kind] for kind in (*KINDS, "rebuilt", "unbuilt")) >= 4, kinds
    assert kinds["brief"] >= 2
    assert set(reasons) == REASONS
    assert min(reasons.values()) >= 4, reasons


def test_sites_rise_from_flight_to_flight():
    courses = Counter()
    for scene in thirty():
        for item in scene.structures:
            kinds = [state.kind for state in item.states]
            courses[tuple(kinds)] += 1
            tops = [item.height_at(s.flight) for s in item.states if s.kind in ("site", "building")]
            if kinds[0] == "site" and "removed" not in kinds:
                assert tops == sorted(tops)
    assert courses["site", "site", "building"] >= 1
    assert courses["site", "building"] >= 2


@pytest.mark.parametrize("setting", SETTINGS)
def test_nothing_is_built_where_nothing_is_to_be_built(setting):
    scene = draw(setting, pace=0.0)
    assert not later_states(scene)
    assert all(item.states[0].flight == 0 and item.states[0].parts for item in scene.structures)
    assert all(changes_between(scene, before, after) == () for before, after in PAIRS)


def test_what_is_no_change_happens_nevertheless():
    parts = [p for s in draw("fringe", 500.0, pace=0.0).structures for p in all_parts(s)]
    assert any(part.repaints for part in parts)
    spans = [item.span for part in parts for item in part.fixtures]
    assert any(span.first > 0 for span in spans)
    assert any(span.end is not None for span in spans)


@pytest.mark.parametrize("setting", SETTINGS)
def test_same_seed_same_scene(setting):
    again = draw.__wrapped__(setting, 200.0, 1)
    assert again == draw(setting, 200.0, 1)
    assert again != draw(setting, 200.0, 2)


@pytest.mark.parametrize("setting", SETTINGS)
def test_zones_do_not_overlap_and_lie_off_roads(setting):
    land = draw_land(np.random.default_rng(4), setting, 300.0)
    shapes = [zone.place.rectangle(zone.length_m, zone.width_m) for zone in land.zones]
    one, two = STRtree(shapes).query(shapes, predicate="intersects")
    for a, b in zip(one, two, strict=True):
        assert a == b or shapes[a].intersection(shapes[b]).area < 0.01
    lines = [LineString([(r.start.x, r.start.y), (r.end.x, r.end.y)]) for r in land.roads]
    paved = unary_union([line.buffer(0.3) for line in lines])
    assert unary_union(shapes).intersection(paved).area < 1.0


def test_hills_are_hilly():
    rng = np.random.default_rng(3)
    assert all(15.0 <= draw_terrain(rng, "hills").relief_m <= 60.0 for _ in range(20))
    assert all(draw_terrain(rng, "town").relief_m <= 5.0 for _ in range(20))


def measure(side_m):
    start = time.process_time()
    scene = draw.__wrapped__("urban_village", side_m, 3)
    return (time.process_time() - start) / len(scene.structures)


def test_drawing_takes_as_long_for_a_structure_in_a_small_area_as_in_a_large_one():
    assert measure(560.0) < 4.0 * measure(180.0)


@pytest.mark.slow
def test_drawing_a_square_kilometre_takes_seconds():
    assert measure(1000.0) < 0.004  # seconds for a structure: 5 000 of them in 20 s


@pytest.mark.parametrize("setting", SETTINGS)
def test_permits_say_what_the_truth_expects(setting):
    for seed in (1, 2, 3):
        scene = draw(setting, 200.0, seed)
        permits = {permit.number: permit for permit in scene.permits}
        assert len(permits) == len(scene.permits)
        for item in scene.structures:
            for state in item.states:
                if state.parts:
                    _check_reason(item, state, permits.get(item.permit_number))


def _check_reason(item, state, permit):
    outline = item.outline_at(state.flight)
    if state.reason in ("no_permit", "removed_unpermitted"):
        assert permit is None
        return
    assert permit is not None
    outside = outline.difference(permit.outline).area
    tall = item.height_at(state.flight) - permit.height_m
    first = item.states[0]
    seen = DAYS[state.flight]
    last_unseen = DAYS[max(0, state.flight - 1)]
    if state.reason == "as_permitted" and state is item.states[-1]:
        assert outside < 0.05 * permit.outline.area + 1.0
        assert tall <= 0.0
        assert permit.granted <= seen
    if state.reason == "exceeds_permit" and state.kind in ("building", "shed"):
        assert outside > 0.15 * outline.area or tall > 2.0
    if state.reason == "grown_beyond_permit":
        # a storey on a lower wing stays below the height that was permitted for the house
        assert outside > 3.0 or tall > 1.0 or state.kind in ("storey", "roof_addition")
    if state.reason == "beside_permit":
        assert outline.distance(permit.outline) > 0.1
    if state.reason == "permit_expired":
        assert permit.valid_until < DAYS[0] <= last_unseen
    if state.reason == "before_grant":
        assert permit.granted > DAYS[-1]
        assert first.flight > 0


@pytest.mark.parametrize("setting", SETTINGS)
def test_expected_changes_lie_where_heights_differ(setting):
    scene = draw(setting, 200.0, 2)
    index = {item.number: item for item in scene.structures}
    for before, after in PAIRS:
        for change in changes_between(scene, before, after):
            assert change.outline.area >= 1.0
            assert abs(change.height_gain_m) > 0.1
            assert change.kind in KINDS
            assert change.reason in REASONS
            old = _surface(scene, before, change.outline)
            new = _surface(scene, after, change.outline)
            gain = np.median(new - old)
            lean = max((p.rise_m for p in all_parts(index[change.structure])), default=0.0)
            forebear = index.get(change.replaces)
            if forebear is not None:
                lean += max(p.rise_m for p in all_parts(forebear))
            assert gain == pytest.approx(change.height_gain_m, abs=0.6 + lean)
            assert (np.abs(new - old) > 0.05).mean() > 0.9


def _surface(scene, flight, outline):
    """Read the built surface at points all over an outline, sloping roofs at middle height."""
    rng = np.random.default_rng(0)
    west, south, east, north = outline.buffer(-0.01).bounds
    points = Points(rng.uniform(west, east, 400), rng.uniform(south, north, 400), outline)
    heights = np.zeros(len(points.x))
    for item in scene.structures:
        for part in item.parts_at(flight):
            if abs(part.place.x - points.x.mean()) < 150.0:
                heights = np.maximum(heights, points.under(part))
    return heights


class Points:
    def __init__(self, x, y, outline):
        inside = shapely.contains_xy(outline, x, y)
        self.x, self.y = x[inside], y[inside]

    def under(self, part):
        sin, cos = (f(np.radians(part.place.bearing_deg)) for f in (np.sin, np.cos))
        east, north = self.x - part.place.x, self.y - part.place.y
        u, v = east * sin + north * cos, east * cos - north * sin
        over = (np.abs(u) <= part.length_m / 2) & (np.abs(v) <= part.width_m / 2)
        return np.where(over, part.height_m + middle_rise(part), 0.0)


def box_of(length_m, height_m, **more):
    place = more.pop("place", Place(x=50.0, y=50.0))
    return Part(place=place, length_m=length_m, width_m=8.0, height_m=height_m, roof="flat",
                skin="concrete", storeys=1, seed=1, **more)  # fmt: skip


def test_compare_knows_new_ground_from_new_height():
    low, high = box_of(10.0, 3.0), box_of(10.0, 6.0)
    assert compare((low,), (low,)) is None
    assert compare((low,), (box_of(10.0, 3.1),)) is None
    risen = compare((low,), (high,))
    assert (risen.outline.area, risen.gain_m) == (pytest.approx(80.0), pytest.approx(3.0))
    longer = box_of(14.0, 3.0, place=Place(x=50.0, y=52.0))
    grown = compare((low,), (longer,))
    assert (grown.outline.area, grown.gain_m) == (pytest.approx(32.0), pytest.approx(3.0))
    room = box_of(4.0, 6.0, base_m=3.0)
    added = compare((low,), (low, room))
    assert (added.outline.area, added.gain_m) == (pytest.approx(32.0), pytest.approx(3.0))
    gone = compare((high,), (), where="open")
    assert (gone.outline.area, gone.gain_m) == (pytest.approx(80.0), pytest.approx(-6.0))


def test_a_rebuilt_house_is_told_from_the_one_it_replaced():
    found = 0
    for scene in thirty():
        for new in (item for item in scene.structures if item.replaces):
            old = scene.structures[new.replaces - 1]
            assert old.states[-1].kind == "removed"
            assert old.states[-1].flight <= new.states[0].flight
            changes = {change.structure: change for change in changes_between(scene, 0, 3)}
            if new.number in changes:
                found += 1
                assert changes[new.number].replaces == old.number
            if old.number in changes and new.parts_at(3):
                left = changes[old.number].outline
                assert left.intersection(new.outline_at(3)).area < 0.1
    assert found > 3


def test_tables_agree_with_each_other():
    plan = draw_plan(seed=3, side_m=200.0)
    rng = np.random.default_rng(11)
    scene = draw_scene(rng, side_m=200.0, dates=plan.dates, setting="fringe")
    structures, changes = tabulate_structures(plan, scene), tabulate_changes(plan, scene)
    assert len(tabulate_permits(plan, scene)) == len(scene.permits)
    assert set(changes.structure) <= set(structures.structure) | {
        item.number for item in scene.structures
    }
    fresh = structures[structures.appeared_after.notna()]
    assert (fresh.appeared_after < fresh.appeared_by).all()
    assert (fresh.appears > 0).all()
    gone = structures[structures.vanished_by.notna()]
    assert (gone.flown_on <= gone.vanished_after).all()
    assert changes.geometry.is_valid.all()
    truth = describe_truth(plan, scene)
    expected = sum(len(entry["expected"]) for entry in truth["changes"])
    assert expected == len(changes)
    assert len(truth["structures"]) == 4 * len(scene.structures)


def test_a_share_of_the_stock_never_had_a_permit():
    stock = [
        s.permit_number for scene in thirty() for s in scene.structures if s.states[0].flight == 0
    ]
    assert 0.05 < sum(number is None for number in stock) / len(stock) < 0.6


def test_one_flight_sees_no_change():
    scene = draw_scene(np.random.default_rng(2), side_m=60.0, dates=DAYS[:1], setting="town")
    assert not later_states(scene)
