from collections import Counter
from itertools import pairwise
from typing import get_args

import numpy as np
import pytest
import shapely

from survey.simulation.drafting.furniture import furnish
from survey.simulation.drafting.land import Land, Use, Zone
from survey.simulation.drafting.site import boxes
from survey.simulation.scene import (
    ALWAYS,
    Part,
    Patch,
    Place,
    Prop,
    Road,
    State,
    Structure,
    Tree,
)

FLIGHTS = 4
PITCH_M = 90.0
COLUMNS = 4
KINDS = set(get_args(Prop.__annotations__["kind"]))
SPECIES = set(get_args(Tree.__annotations__["species"]))
AIRY = {"wire", "crowd"}


def make_roads(side_m):
    roads = []
    for line in range(COLUMNS + 1):
        at = line * PITCH_M
        steps = np.arange(0.0, side_m + 1.0, 45.0)
        surface, width_m = ("canal", 9.0) if line == 2 else ("asphalt", 6.0 + 1.6 * line)
        for a, b in pairwise(steps.tolist()):
            start, end = Place(x=at, y=a), Place(x=at, y=b)
            roads.append(Road(start=start, end=end, width_m=width_m, surface=surface))
        for a, b in pairwise(steps.tolist()):
            start, end = Place(x=a, y=at), Place(x=b, y=at)
            roads.append(Road(start=start, end=end, width_m=7.0, surface="asphalt"))
    return tuple(roads)


def make_land():
    """One zone of every use, roads and a canal between them, and a pond in the fields."""
    zones = []
    for number, use in enumerate(get_args(Use)):
        row, column = divmod(number, COLUMNS)
        middle = Place(
            x=(column + 0.5) * PITCH_M, y=(row + 0.5) * PITCH_M, bearing_deg=3.0 * number
        )
        zones.append(Zone(place=middle, length_m=70.0, width_m=68.0, use=use))
    fields = next(zone for zone in zones if zone.use == "farmland")
    pond = Patch(
        kind="pond", place=fields.place.move(15.0, 0.0), length_m=30.0, width_m=40.0, seed=1
    )
    side_m = COLUMNS * PITCH_M
    return Land(side_m=side_m, zones=tuple(zones), roads=make_roads(side_m), patches=(pond,))


def make_structures(land):
    """Houses in every zone but woods; some come later, grow or vanish."""
    found = []
    for zone in land.zones:
        if zone.use in ("woods", "farmland"):
            continue
        for u in (-24.0, 0.0, 24.0):
            for v in (-22.0, 20.0):
                number = len(found) + 1
                place = zone.place.move(u, v)
                part = Part(
                    place=place, length_m=13.0, width_m=10.0, height_m=6.4, roof="flat",
                    skin="concrete", storeys=2, seed=number,
                )  # fmt: skip
                annex = Part(
                    place=place.move(0.0, 7.0), length_m=6.0, width_m=4.0, height_m=3.0,
                    roof="mono", skin="steel_blue", storeys=1, seed=number,
                )  # fmt: skip
                states = [State(flight=number % 3, parts=(part,), kind="building", reason="x")]
                if number % 4 == 0:
                    states.append(State(flight=3, parts=(part, annex), kind="annex", reason="x"))
                if number % 7 == 0:
                    states = [*states[:1], State(flight=3, parts=(), kind="removed", reason="x")]
                found.append(
                    Structure(
                        number=number, use="residential", permit_number=None, states=tuple(states)
                    )
                )
    return tuple(found)


@pytest.fixture(scope="module")
def land():
    return make_land()


@pytest.fixture(scope="module")
def structures(land):
    return make_structures(land)


@pytest.fixture(scope="module")
def furnishing(land, structures):
    return furnish(np.random.default_rng(11), land, structures, flights=FLIGHTS)


def footprints(structures, flight):
    return [part.outline() for item in structures for part in item.parts_at(flight)]


def seen(things, flight):
    return [thing for thing in things if thing.span.holds(flight)]


def hidden_shares(trees, structures, flight):
    """Give what share of each structure that stands crowns hide, by an independent union."""
    trees = seen(trees, flight)
    crowns = shapely.buffer(
        shapely.points([(tree.x, tree.y) for tree in trees]), [tree.radius_m for tree in trees]
    )
    index, shares = shapely.STRtree(crowns), {}
    for item in structures:
        outline = item.outline_at(flight)
        if not outline.is_empty:
            above = shapely.union_all(crowns[index.query(outline)])
            shares[item.number] = above.intersection(outline).area / outline.area
    return shares


@pytest.mark.parametrize("flight", range(FLIGHTS))
def test_nothing_stands_in_a_structure_at_any_flight(furnishing, structures, flight):
    houses = shapely.STRtree(footprints(structures, flight))
    assert houses.query(boxes(seen(furnishing.props, flight)), predicate="intersects").size == 0
    trunks = shapely.points([(tree.x, tree.y) for tree in seen(furnishing.trees, flight)])
    assert houses.query(trunks, predicate="dwithin", distance=0.4).size == 0
    patches = seen(furnishing.patches, flight)
    laid = [patch for patch in patches if patch.kind == "pit" or patch.span.first == flight]
    assert houses.query(boxes(laid), predicate="intersects").size == 0


def test_covers_that_were_built_over_end_when_the_ground_is_cleared(furnishing, structures):
    cleared = [
        item.outline_at(later.flight - 1).difference(item.outline_at(later.flight))
        for item in structures for later in item.states[1:]
    ]  # fmt: skip
    flights = [later.flight for item in structures for later in item.states[1:]]
    own, other = shapely.STRtree(cleared).query(boxes(furnishing.patches), predicate="intersects")
    for patch, flight in zip(own.tolist(), other.tolist(), strict=True):
        span, when = furnishing.patches[patch].span, flights[flight]
        if cleared[flight].area > 1.0:
            assert span.first >= when or (span.end is not None and span.end <= when)


@pytest.mark.parametrize("flight", range(FLIGHTS))
def test_crowns_hang_over_roofs_but_not_far(furnishing, structures, flight):
    roofs = shapely.union_all(footprints(structures, flight))
    trees = seen(furnishing.trees, flight)
    crowns = [shapely.Point(tree.x, tree.y).buffer(tree.radius_m) for tree in trees]
    shares = [crown.intersection(roofs).area / crown.area for crown in crowns]
    assert max(shares) < 0.42
    assert sum(share > 0.02 for share in shares) > (10 if flight == FLIGHTS - 1 else 0)


@pytest.mark.parametrize("seed", range(3))
def test_ground_is_as_full_before_it_is_built_on_as_elsewhere(land, structures, seed):
    furnishing = furnish(np.random.default_rng(seed), land, structures, flights=FLIGHTS)
    full = shapely.union_all(
        [*boxes([p for p in seen(furnishing.props, 0) if p.kind != "wire"])]
        + [shapely.Point(tree.x, tree.y).buffer(0.5) for tree in seen(furnishing.trees, 0)]
    )
    outlines = [item.outline_at(item.states[0].flight) for item in structures]
    later = [item.states[0].flight > 0 for item in structures]
    standing = shapely.union_all([o for o, new in zip(outlines, later, strict=True) if not new])
    future = shapely.union_all([o for o, new in zip(outlines, later, strict=True) if new])
    built = [zone for zone in land.zones if zone.use not in ("woods", "farmland")]
    rest = shapely.union_all(boxes(built)).difference(future).difference(standing.buffer(1.5))
    there, elsewhere = (full.intersection(area).area / area.area for area in (future, rest))
    assert 0.6 < there / elsewhere < 1.6


def test_cleared_ground_fills_again(furnishing, structures):
    gone = [
        item.outline_at(2) for item in structures
        if item.states[0].flight <= 2 and not item.parts_at(3)
    ]  # fmt: skip
    cleared = shapely.STRtree(gone)
    things = boxes([p for p in seen(furnishing.props, 3) if p.kind not in AIRY])
    assert cleared.query(things, predicate="intersects").size > 0
    trees = [
        tree for tree in seen(furnishing.trees, 3)
        if cleared.query(shapely.Point(tree.x, tree.y), predicate="intersects").size
    ]  # fmt: skip
    assert trees
    assert all(tree.span.first == 3 and tree.growth >= 0.15 for tree in trees), "saplings"


def make_sheds(land):
    """Small sheds all over the village and the park that appear at the second flight."""
    found = []
    zones = (zone for zone in land.zones if zone.use in ("village", "park"))
    for place in (z.place.move(u, v) for z in zones for u in range(-28, 30, 7)
                  for v in range(-28, 30, 7)):  # fmt: skip
        part = Part(
            place=place, length_m=5.0, width_m=3.6, height_m=2.8, roof="mono",
            skin="steel_blue", storeys=1, seed=1,
        )  # fmt: skip
        state = State(flight=1, parts=(part,), kind="shed", reason="x")
        number = len(found) + 1
        found.append(Structure(number=number, use="storage", permit_number=None, states=(state,)))
    return tuple(found)


def test_no_structure_is_hidden_by_crowns_but_some_new_sheds_are_in_part(
    land, structures, furnishing
):
    for flight in range(FLIGHTS):
        assert max(hidden_shares(furnishing.trees, structures, flight).values()) < 0.42
    sheds = make_sheds(land)
    trees = furnish(np.random.default_rng(4), land, sheds, flights=FLIGHTS).trees
    shares = np.array(list(hidden_shares(trees, sheds, 1).values()))
    assert max(shares) < 0.57
    assert 0.06 < (shares > 0.15).mean() < 0.25


@pytest.mark.parametrize("flight", range(FLIGHTS))
def test_nothing_solid_stands_in_another_thing(furnishing, flight):
    solid = [p for p in furnishing.props if p.span.holds(flight) and p.kind not in AIRY]
    shapes = boxes(solid, -0.01)
    one, two = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    assert [(solid[i], solid[j]) for i, j in zip(one, two, strict=True) if i < j] == []


def test_every_kind_and_species_occurs(furnishing):
    assert {prop.kind for prop in furnishing.props} == KINDS
    assert {tree.species for tree in furnishing.trees} == SPECIES
    covers = {patch.kind for patch in furnishing.patches}
    assert covers >= {"repair", "concrete", "gravel", "soil", "pit"}
    assert "rubble" not in covers, "rubble tells of a house pulled down"


def test_repairs_lie_over_roads_and_nothing_else_does(furnishing):
    assert all((p.kind == "repair") == p.over_roads for p in furnishing.patches)


def test_traffic_keeps_right_of_the_middle(furnishing, land):
    lines = [
        shapely.LineString([(r.start.x, r.start.y), (r.end.x, r.end.y)]) for r in land.roads
        if r.surface == "asphalt"
    ]  # fmt: skip
    tree, checked = shapely.STRtree(lines), 0
    for prop in (p for p in furnishing.props if p.kind in ("car", "truck", "bus")):
        point = shapely.Point(prop.place.x, prop.place.y)
        near = tree.query(point, predicate="dwithin", distance=2.5)
        if len(near) == 1:  # on a road, away from junctions
            left = prop.place.move(0.0, -3.2)
            line = lines[near[0]]
            assert line.distance(shapely.Point(left.x, left.y)) < line.distance(point) + 2.0
            checked += 1
    assert checked > 40


def test_boats_float(furnishing, land):
    waters = shapely.union_all(
        [patch.place.rectangle(patch.length_m, patch.width_m) for patch in land.patches]
        + [
            shapely.LineString([(r.start.x, r.start.y), (r.end.x, r.end.y)]).buffer(r.width_m / 2)
            for r in land.roads
            if r.surface == "canal"
        ]
    )
    boats = [prop for prop in furnishing.props if prop.kind == "boat"]
    assert boats
    assert all(waters.covers(boat.place.rectangle(boat.length_m, boat.width_m)) for boat in boats)


def test_dry_things_keep_out_of_the_water(furnishing, land):
    pond = land.patches[0].place.rectangle(30.0, 40.0)
    wet = [
        prop.kind
        for prop, shape in zip(furnishing.props, boxes(furnishing.props), strict=True)
        if shape.intersects(pond)
    ]
    assert set(wet) <= {"boat", "wire"}


@pytest.mark.parametrize(("before", "after"), list(pairwise(range(FLIGHTS))))
def test_much_comes_and_goes_between_flights(furnishing, land, before, after):
    hectares = (land.side_m / 100.0) ** 2
    changed = [p for p in furnishing.props if p.span.holds(before) != p.span.holds(after)]
    sheds = [
        p for p in changed
        if p.kind in ("container", "tarpaulin", "stall")
        and 10.0 <= p.length_m * p.width_m <= 60.0 and p.height_m > 1.8
    ]  # fmt: skip
    assert 15.0 < len(changed) / hectares < 90.0
    assert len(sheds) / hectares > 1.5
    assert any(prop.tint == "blue" for prop in sheds)
    ground = [p for p in furnishing.patches if p.span.holds(before) != p.span.holds(after)]
    assert len(ground) / hectares > 0.5


def test_flights_are_furnished_alike(furnishing):
    counts = [len(seen(furnishing.props, flight)) for flight in range(FLIGHTS)]
    assert max(counts) < 1.4 * min(counts), "the first or last flight would stand out"


def test_trees_grow_are_felled_and_planted(furnishing):
    assert all(0.0 <= tree.growth <= 0.5 for tree in furnishing.trees)
    assert any(tree.span.end is not None for tree in furnishing.trees)
    assert any(tree.span.first > 0 for tree in furnishing.trees)
    assert sum(tree.span == ALWAYS for tree in furnishing.trees) > 0.5 * len(furnishing.trees)


def test_woods_are_densest(furnishing, land):
    outlines = boxes(land.zones)
    points = shapely.points([(tree.x, tree.y) for tree in furnishing.trees])
    counts = Counter(
        land.zones[i].use
        for i in shapely.STRtree(outlines).query(points, predicate="within")[1].tolist()
    )
    assert counts.most_common(1)[0][0] == "woods"
    assert counts["village"] > counts["farmland"] > 5


def test_what_is_parked_or_sold_leaves_within_the_flights(furnishing):
    for thing in (*furnishing.props, *furnishing.trees, *furnishing.patches):
        end = thing.span.end
        assert 0 <= thing.span.first < FLIGHTS
        assert end is None or thing.span.first < end < FLIGHTS + 1


def test_the_same_seed_gives_the_same(land, structures, furnishing):
    again = furnish(np.random.default_rng(11), land, structures, flights=FLIGHTS)
    assert again == furnishing
    assert furnish(np.random.default_rng(12), land, structures, flights=FLIGHTS) != furnishing


def test_one_flight_sees_everything(land, structures):
    single = furnish(np.random.default_rng(1), land, structures, flights=1)
    assert len(single.props) > 300
    assert all(thing.span.holds(0) for thing in (*single.props, *single.trees, *single.patches))


def test_empty_land_is_wild():
    empty = Land(side_m=50.0, zones=(), roads=(), patches=())
    furnishing = furnish(np.random.default_rng(1), empty, (), flights=3)
    assert furnishing.trees
    assert furnishing.patches == ()
    kinds = {prop.kind for prop in furnishing.props}
    assert kinds.isdisjoint({"car", "truck", "bus", "wall", "pole", "wire", "boat"})


def test_land_without_structures_or_roads(land):
    bare = Land(side_m=land.side_m, zones=land.zones, roads=(), patches=())
    furnishing = furnish(np.random.default_rng(1), bare, (), flights=2)
    assert furnishing.trees
    assert furnishing.props


def test_refuses_no_flight(land):
    with pytest.raises(ValueError, match="0 flights"):
        furnish(np.random.default_rng(1), land, (), flights=0)
