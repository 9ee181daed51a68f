"""Trees and shrubs: where they are planted by what the land is used for, and which are felled."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import shapely

from survey.simulation.drafting.chances import cut_span, draw_seed, pick, pick_weighted, spread
from survey.simulation.drafting.land import Use, Zone
from survey.simulation.drafting.places import beside, hectares, inside, rows, streets, walk
from survey.simulation.drafting.shade import Shade
from survey.simulation.drafting.site import Ledger, Site
from survey.simulation.scene import ALWAYS, Patch, Place, Span, Tree

__all__ = ["plant"]

Species = Literal["broadleaf", "deciduous", "conifer", "palm", "bamboo", "shrub"]
_Mix = Mapping[Species, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Habit:
    """How large a species grows."""

    radius_m: float
    """Median radius of the crown, metres."""
    spread: float
    """Standard deviation of the radius's logarithm."""
    slenderness: float
    """Height per radius of the crown."""


# Medians by eye from open drone imagery; a lognormal spread as in street tree inventories.
_HABITS: dict[Species, _Habit] = {
    "broadleaf": _Habit(radius_m=2.5, spread=0.40, slenderness=2.5),
    "deciduous": _Habit(radius_m=2.3, spread=0.38, slenderness=2.8),
    "conifer": _Habit(radius_m=1.6, spread=0.32, slenderness=4.5),
    "palm": _Habit(radius_m=1.8, spread=0.20, slenderness=3.6),
    "bamboo": _Habit(radius_m=1.6, spread=0.28, slenderness=4.8),
    "shrub": _Habit(radius_m=0.8, spread=0.35, slenderness=1.5),
}
_GARDEN: _Mix = {"broadleaf": 4, "deciduous": 2, "palm": 1.5, "shrub": 4, "bamboo": 0.3}
_WILD: _Mix = {"broadleaf": 3, "deciduous": 2, "shrub": 6, "conifer": 0.5}
_FOREST: _Mix = {"broadleaf": 5, "deciduous": 3, "conifer": 2, "bamboo": 0.7, "shrub": 1.5}
_STREET: _Mix = {"broadleaf": 4, "deciduous": 3, "palm": 2, "conifer": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planting:
    """What is planted on a hectare of one use."""

    garden: float = 0.0
    """Trees close to houses."""
    lone: float = 0.0
    """Trees anywhere."""
    clumps: float = 0.0
    """Clumps of bamboo or trees."""
    hedges: float = 0.0
    """Hedges of 8 to 30 m."""


# Wanted per hectare; a third to a half finds no room. Counts by eye from open drone imagery.
_PLANTINGS: dict[Use, _Planting] = {
    "dense": _Planting(garden=90, lone=60, clumps=0.5, hedges=0.5),
    "village": _Planting(garden=140, lone=70, clumps=3, hedges=3),
    "town": _Planting(garden=60, lone=70, clumps=2, hedges=6),
    "industrial": _Planting(garden=15, lone=25, clumps=1, hedges=3),
    "greenhouses": _Planting(garden=15, lone=20, clumps=1, hedges=1.5),
    "farmland": _Planting(garden=30, lone=22, clumps=1.5, hedges=2),
    "orchard": _Planting(garden=20, lone=15, clumps=1, hedges=1.5),
    "woods": _Planting(lone=30),
    "market": _Planting(garden=20, lone=30, hedges=1),
    "park": _Planting(garden=20, lone=170, clumps=9, hedges=6),
    "waste": _Planting(garden=10, lone=90, clumps=4, hedges=1),
}
_WILD_PER_HA = 70.0  # on verges; half of it finds the paving in its place
_MARGIN_M = 15.0  # crowns and shadows of trees outside reach in
_PACKED, _LOOSE = 0.42, 0.75  # share of its radius that a crown keeps to itself: woods, gardens
_FELLED, _PLANTED = 0.04, 0.03  # per flight; storms, roadworks and old age
_CLEARED = 0.25  # share of woods and orchards of which a piece is cut down


def plant(rng: np.random.Generator, site: Site, ledger: Ledger) -> list[Tree]:
    """Plant, from tended rows to wild woods, and fell some; trunks go to the ledger.

    Parameters
    ----------
    rng
        Source of chance.
    site
        What to keep clear of.
    ledger
        What stands already; the trunks are added.

    Returns
    -------
    list of Tree
        Crowns may hang over roofs with up to two fifths of their area. What stands where a house
        is built is felled for it; where one was cleared, only what is young comes up.
    """
    room = _Room(site=site, crowns=Ledger(), ledger=ledger, shade=Shade(rng, site))
    trees: list[Tree] = []
    orchards = list(_orchards(rng, site))
    woods = list(_woods(rng, site))
    batches = (
        (list(_shelters(rng, room.shade)), 0.5),
        (list(_avenues(rng, site)), _LOOSE),
        (orchards, _LOOSE),
        (list(_tended(rng, site)), _LOOSE),
        (_strays(rng, site), _LOOSE),
        (list(_hedges_and_clumps(rng, site)), 0.5),
        (woods, _PACKED),
    )
    for batch, share in batches:
        trees += _admit(rng, room, [_date(rng, t, site.flights) for t in batch], share)
    return _clear_cut(rng, site, trees)


def _grow(rng: np.random.Generator, place: Place, species: Species, size: float = 1.0) -> Tree:
    """Make a tree of a usual size; small ones grow fast, old ones hardly."""
    habit = _HABITS[species]
    radius = size * habit.radius_m * math.exp(habit.spread * float(rng.normal()))
    radius = min(max(radius, 0.4), 7.0)
    height = radius * habit.slenderness * spread(rng, (0.8, 1.2))
    return Tree(
        x=place.x,
        y=place.y,
        radius_m=radius,
        height_m=max(height, 0.8),
        species=species,
        seed=draw_seed(rng),
        growth=0.5 * float(rng.random()) * math.exp(-radius / 1.5),
    )


def _date(rng: np.random.Generator, tree: Tree, flights: int) -> Tree:
    """Fell a few trees between flights, and plant a few others as saplings."""
    if flights < 2 or tree.span != ALWAYS:
        return tree
    chance = float(rng.random())
    if chance < _FELLED * (flights - 1):
        return replace(tree, span=Span(end=int(rng.integers(1, flights))))
    if chance < (_FELLED + _PLANTED) * (flights - 1):
        return _plant_late(rng, tree, Span(first=int(rng.integers(1, flights))))
    return tree


def _plant_late(rng: np.random.Generator, tree: Tree, span: Span) -> Tree:
    """Make a sapling of a tree."""
    return replace(
        tree,
        radius_m=max(0.4, 0.4 * tree.radius_m),
        height_m=max(0.8, 0.4 * tree.height_m),
        growth=spread(rng, (0.15, 0.5)),
        span=span,
    )


def _shelters(rng: np.random.Generator, shade: Shade) -> Iterator[Tree]:
    """Let trees stand where a shed will be put up under them."""
    for part in shade.sheltered:
        size_m = math.sqrt(part.length_m * part.width_m)
        for _ in range(6):  # most find no room
            radius = min(max(size_m * spread(rng, (0.5, 0.75)), 1.6), 4.5)
            tree = _grow(rng, part.place, pick_weighted(rng, {"broadleaf": 2, "deciduous": 1}))
            gap = min(0.2 * radius, 0.7) + spread(rng, (0.45, 0.8))
            place = beside(rng, (part,), 0.0, gap)
            high = radius * spread(rng, (2.0, 3.2))
            yield replace(tree, x=place.x, y=place.y, radius_m=radius, height_m=high, growth=0.05)


def _avenues(rng: np.random.Generator, site: Site) -> Iterator[Tree]:
    """Line roads with one species and canals with what grows by water."""
    for runs in streets(site.land.roads):
        canal = runs[0].surface == "canal"
        if not canal and (runs[0].width_m < 4.5 or rng.random() < 0.25):
            continue
        banks: _Mix = {"broadleaf": 3, "shrub": 3, "bamboo": 1, "deciduous": 2}
        species = pick_weighted(rng, _STREET)
        step, gaps = spread(rng, (5.0, 11.0)), spread(rng, (0.1, 0.5))
        for side in (-1.0, 1.0) if rng.random() < 0.6 else (pick(rng, (-1.0, 1.0)),):
            away = side * spread(rng, (1.4, 2.6))
            for place in walk(runs, step, away):
                if rng.random() > gaps:
                    kind = pick_weighted(rng, banks) if canal else species
                    jitter = rng.normal(0.0, 0.8 if canal else 0.2, 2)
                    yield _grow(rng, place.move(float(jitter[0]), float(jitter[1])), kind)


def _orchards(rng: np.random.Generator, site: Site) -> Iterator[Tree]:
    """Plant orchards in rows: the patches of that cover, else zones of that use."""
    patches = [patch for patch in site.land.patches if patch.kind == "orchard"]
    tree = shapely.STRtree([shapely.Point(patch.place.x, patch.place.y) for patch in patches])
    areas: list[Patch | Zone] = [*patches]
    for zone in site.land.zones:
        outline = zone.place.rectangle(zone.length_m, zone.width_m)
        if zone.use == "orchard" and not len(tree.query(outline, predicate="intersects")):
            areas.append(zone)
    for area in areas:
        species: Species = pick(rng, ("broadleaf", "broadleaf", "deciduous", "palm"))
        step, size = spread(rng, (3.6, 5.5)), spread(rng, (0.45, 0.8))
        for _, place in rows(area, step, step * spread(rng, (1.0, 1.3))):
            if rng.random() > 0.06:  # gaps
                shift = rng.normal(0.0, 0.15, 2)
                spot = place.move(float(shift[0]), float(shift[1]))
                grown = _grow(rng, spot, species)
                share = (size * _HABITS[species].radius_m / grown.radius_m) ** 0.8  # of one age
                yield replace(
                    grown, radius_m=share * grown.radius_m, height_m=share * grown.height_m
                )


def _woods(rng: np.random.Generator, site: Site) -> Iterator[Tree]:
    """Fill woods with crowns that overlap, and clearings between them."""
    for zone in (zone for zone in site.land.zones if zone.use == "woods"):
        waves = rng.uniform(0.03, 0.09, 2), rng.uniform(0.0, 2.0 * math.pi, 2)
        for _, place in rows(zone, 3.1, 3.1):
            shift = rng.uniform(-1.4, 1.4, 2)
            spot = place.move(float(shift[0]), float(shift[1]))
            lush = math.sin(waves[0][0] * spot.x + waves[1][0])
            lush += math.sin(waves[0][1] * spot.y + waves[1][1])
            if lush + float(rng.normal(0.0, 0.4)) > -1.3:  # the rest is clearings
                yield _grow(rng, spot, pick_weighted(rng, _FOREST), spread(rng, (0.8, 1.3)))


def _tended(rng: np.random.Generator, site: Site) -> Iterator[Tree]:
    """Plant gardens beside houses, then lone trees."""
    for zone, anchors in zip(site.land.zones, site.anchors, strict=True):
        wanted, area = _PLANTINGS.get(zone.use, _Planting()), hectares(zone)
        for _ in range(int(rng.poisson(wanted.garden * area)) if anchors else 0):
            species = pick_weighted(rng, _GARDEN)
            tree = _grow(rng, Place(x=0.0, y=0.0), species, spread(rng, (0.6, 1.1)))
            gap = spread(rng, (0.4, 1.2)) * tree.radius_m + 0.6
            anchor = pick(rng, anchors)
            place = beside(rng, (anchor.part,), 0.0, gap + float(rng.exponential(2.0)))
            tree = replace(tree, x=place.x, y=place.y)
            if anchor.first > 0:  # the garden of a house to come would tell of it
                first = int(rng.integers(anchor.first, site.flights))
                tree = _plant_late(rng, tree, Span(first=first))
            yield tree
        mix = _GARDEN if zone.use in ("village", "town", "park", "dense") else _WILD
        for _ in range(int(rng.poisson(wanted.lone * area))):
            yield _grow(rng, inside(rng, zone), pick_weighted(rng, mix))


def _strays(rng: np.random.Generator, site: Site) -> list[Tree]:
    """Let shrubs and trees come up on verges and in the corners that no zone takes."""
    middle, side = site.land.side_m / 2.0, site.land.side_m + 2.0 * _MARGIN_M
    count = int(rng.poisson(_WILD_PER_HA * side * side / 10_000.0))
    spots = rng.uniform(-side / 2.0, side / 2.0, (count, 2)) + middle
    spots = spots[site.off_zones(np.asarray(shapely.points(spots)))]
    return [_grow(rng, Place(x=x, y=y), pick_weighted(rng, _WILD)) for x, y in spots.tolist()]


def _hedges_and_clumps(rng: np.random.Generator, site: Site) -> Iterator[Tree]:
    for zone in site.land.zones:
        wanted, area = _PLANTINGS.get(zone.use, _Planting()), hectares(zone)
        for _ in range(int(rng.poisson(wanted.hedges * area))):
            yield from _hedge(rng, zone)
        for _ in range(int(rng.poisson(wanted.clumps * area))):
            middle, reach = inside(rng, zone), spread(rng, (2.0, 6.0))
            mixes: tuple[_Mix, ...] = ({"bamboo": 1}, {"bamboo": 1}, _WILD, _FOREST)
            mix = pick(rng, mixes)
            for _ in range(int(rng.integers(5, 16))):
                shift = rng.normal(0.0, reach / 2.0, 2)
                spot = middle.move(float(shift[0]), float(shift[1]))
                yield _grow(rng, spot, pick_weighted(rng, mix))


def _hedge(rng: np.random.Generator, zone: Zone) -> Iterator[Tree]:
    """Plant shrubs in a row, on a zone's rim as often as inside."""
    start, step = inside(rng, zone), spread(rng, (0.9, 1.5))
    if rng.random() < 0.5:
        side = pick(rng, (-1.0, 1.0))
        start = zone.place.move(
            float(rng.uniform(-0.5, 0.3)) * zone.length_m, side * (zone.width_m / 2.0 - 1.0)
        )
    size, wild = spread(rng, (0.7, 1.3)), spread(rng, (0.05, 0.5))
    for i in range(int(spread(rng, (8.0, 30.0)) / step)):
        place = start.move(i * step, float(rng.normal(0.0, wild)))
        yield _grow(rng, place, "shrub", size)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Room:
    """All that trees must find room among."""

    site: Site
    """Structures, roads and water."""
    crowns: Ledger
    """The core of every crown."""
    ledger: Ledger
    """Trunks and all else that is solid."""
    shade: Shade
    """What crowns hide of structures."""


def _admit(rng: np.random.Generator, room: _Room, trees: list[Tree], share: float) -> list[Tree]:
    """Keep the trees that have room: trunks on free ground, crowns not too far over roofs."""
    site, side = room.site, room.site.land.side_m + _MARGIN_M
    trees = [t for t in trees if -_MARGIN_M < t.x < side and -_MARGIN_M < t.y < side]
    trunks = _trunks(trees)
    trees = _select(trees, site.dry(trunks) & site.off_roads(trunks, 0.3))
    taken = site.taken(_trunks(trees), 0.4) | room.shade.taken(_crowns(trees))
    cut = [cut_span(tree.span, row) for tree, row in zip(trees, taken, strict=True)]
    trees = _redate(rng, trees, cut, site.flights)
    trees = _select(trees, room.crowns.admit(_crowns(trees, share), _spans(trees)))
    trees = _select(trees, room.ledger.admit(_trunks(trees), _spans(trees)))
    return _redate(rng, trees, room.shade.admit(_crowns(trees), _spans(trees)), site.flights)


def _redate(
    rng: np.random.Generator, trees: list[Tree], spans: list[Span | None], flights: int
) -> list[Tree]:
    """Give trees the spans that are left to them; on cleared ground they come up as saplings."""
    found: list[Tree] = []
    for tree, span in zip(trees, spans, strict=True):
        if span is not None and span.first > tree.span.first:
            last = flights if span.end is None else span.end
            first = int(rng.integers(span.first, last))
            found.append(_plant_late(rng, tree, Span(first=first, end=span.end)))
        elif span is not None:
            found.append(replace(tree, span=span))
    return found


def _select(items: list[Tree], keep: npt.NDArray[np.bool_]) -> list[Tree]:
    return [item for item, stays in zip(items, keep, strict=True) if stays]


def _spans(trees: list[Tree]) -> list[Span]:
    return [tree.span for tree in trees]


def _reach(trees: list[Tree]) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.float64]]:
    """Give where trees stand, and the radii of their crowns after a year."""
    rows = [(tree.x, tree.y, tree.radius_m * (1.0 + tree.growth)) for tree in trees]
    x, y, radius = np.array(rows, dtype=np.float64).reshape(-1, 3).T
    return np.asarray(shapely.points(x, y), dtype=np.object_), radius


def _trunks(trees: list[Tree]) -> npt.NDArray[np.object_]:
    points, radius = _reach(trees)
    return np.asarray(shapely.buffer(points, np.clip(0.2 * radius, 0.25, 0.7), quad_segs=1))


def _crowns(trees: list[Tree], share: float = 1.0) -> npt.NDArray[np.object_]:
    points, radius = _reach(trees)
    return np.asarray(shapely.buffer(points, share * radius, quad_segs=4))


def _clear_cut(rng: np.random.Generator, site: Site, trees: list[Tree]) -> list[Tree]:
    """Cut whole pieces of woods and orchards down between two flights."""
    if site.flights < 2 or not trees:
        return trees
    points = shapely.STRtree(shapely.points([(tree.x, tree.y) for tree in trees]))
    ends: dict[int, int] = {}
    for zone in (zone for zone in site.land.zones if zone.use in ("woods", "orchard")):
        if rng.random() < _CLEARED:
            length, width = (spread(rng, (0.2, 0.5)) * s for s in (zone.length_m, zone.width_m))
            piece = inside(rng, zone).rectangle(length, width)
            end = int(rng.integers(1, site.flights))
            ends |= dict.fromkeys(points.query(piece, predicate="intersects").tolist(), end)
    return [
        replace(tree, span=Span(end=ends[i])) if i in ends and tree.span == ALWAYS else tree
        for i, tree in enumerate(trees)
    ]
