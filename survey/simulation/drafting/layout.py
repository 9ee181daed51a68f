"""How land is divided: roads split it again and again, and zones lie in what is left.

Every split has its own place, angle, bow and paving, so no two areas have the same pattern.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import shapely
from shapely import LineString, Polygon, box

from survey.simulation.drafting.covers import cover_zone
from survey.simulation.drafting.inscribed import inscribe
from survey.simulation.drafting.land import Land, Use, Zone
from survey.simulation.flights import Setting
from survey.simulation.scene import Place, Road, Terrain

__all__ = ["draw_land", "draw_terrain"]

_Surface = Literal["asphalt", "cement", "dirt", "canal"]

_MARGIN_M = 30.0  # land beyond the area, so that nothing stops at its edge
_RUN_M = 18.0  # straight run of a bent road
_LEAST_SIDE_M = 9.0  # a zone narrower than this holds nothing
_MOST_ZONES = 3  # rectangles taken from one cell before the rest is left wild
_DEAD_END_SHARE = 0.22  # of the smallest roads
_CLASSES_M2 = (90_000.0, 22_000.0, 7_000.0)  # land that a main road, a street, a lane divides


@dataclass(frozen=True, slots=True, kw_only=True)
class _Custom:
    """How land is divided in one setting; every number by eye from open drone imagery."""

    zone_m2: float
    """Median area of a cell between roads."""
    angle_deg: float
    """Standard deviation of a road's angle from square."""
    bow: float
    """Most deviation of a road from the straight line, share of its length."""
    verge_m: float
    """Land between paving and zone."""
    roads: tuple[tuple[_Surface, float, float], ...]
    """Paving, least and largest width of main road, street, lane and path."""
    water: float
    """Chance that a divide is a canal or a river."""
    uses: tuple[tuple[Use, float], ...]
    """Uses of zones with their shares; the first is given to the zone of which most is seen."""


_CUSTOMS: dict[Setting, _Custom] = {
    "fringe": _Custom(
        zone_m2=2600.0, angle_deg=6.0, bow=0.07, verge_m=1.6, water=0.06,
        roads=(("asphalt", 8.0, 14.0), ("asphalt", 5.5, 7.5), ("cement", 3.0, 5.0),
               ("cement", 2.2, 3.4)),
        uses=(("village", 5.0), ("industrial", 1.6), ("farmland", 2.2), ("waste", 0.8),
              ("dense", 1.0), ("orchard", 0.3), ("market", 0.2), ("woods", 0.3)),
    ),
    "urban_village": _Custom(
        zone_m2=1900.0, angle_deg=4.0, bow=0.035, verge_m=0.7, water=0.03,
        roads=(("asphalt", 11.0, 18.0), ("asphalt", 6.0, 8.5), ("cement", 3.2, 5.0),
               ("cement", 2.0, 3.4)),
        uses=(("dense", 12.0), ("market", 0.4), ("park", 0.4), ("waste", 0.5), ("town", 0.8),
              ("industrial", 0.3)),
    ),
    "town": _Custom(
        zone_m2=5000.0, angle_deg=3.0, bow=0.04, verge_m=2.4, water=0.04,
        roads=(("asphalt", 14.0, 24.0), ("asphalt", 9.0, 12.0), ("asphalt", 6.0, 8.0),
               ("cement", 4.0, 6.0)),
        uses=(("town", 9.0), ("market", 0.9), ("park", 0.9), ("dense", 0.9), ("waste", 0.5),
              ("industrial", 0.4)),
    ),
    "industrial": _Custom(
        zone_m2=9500.0, angle_deg=2.5, bow=0.025, verge_m=2.6, water=0.05,
        roads=(("asphalt", 14.0, 20.0), ("asphalt", 9.0, 12.0), ("cement", 6.0, 9.0),
               ("cement", 4.5, 6.0)),
        uses=(("industrial", 9.0), ("waste", 1.0), ("dense", 0.6), ("village", 0.6),
              ("farmland", 0.5)),
    ),
    "farmland": _Custom(
        zone_m2=11_000.0, angle_deg=7.0, bow=0.07, verge_m=1.3, water=0.2,
        roads=(("asphalt", 5.0, 7.0), ("cement", 3.2, 4.5), ("cement", 2.4, 3.4),
               ("dirt", 1.8, 3.4)),
        uses=(("farmland", 9.0), ("orchard", 1.4), ("woods", 0.9), ("village", 0.9),
              ("greenhouses", 0.5), ("waste", 0.5)),
    ),
    "hills": _Custom(
        zone_m2=5500.0, angle_deg=11.0, bow=0.16, verge_m=1.6, water=0.05,
        roads=(("asphalt", 4.5, 6.5), ("cement", 3.0, 4.2), ("dirt", 2.2, 3.4),
               ("dirt", 1.4, 2.6)),
        uses=(("farmland", 3.2), ("woods", 4.0), ("village", 1.8), ("orchard", 1.6),
              ("waste", 0.4)),
    ),
    "greenhouses": _Custom(
        zone_m2=8500.0, angle_deg=3.0, bow=0.03, verge_m=1.4, water=0.14,
        roads=(("asphalt", 5.5, 8.0), ("cement", 3.5, 5.0), ("cement", 2.5, 3.6),
               ("dirt", 2.0, 3.4)),
        uses=(("greenhouses", 7.0), ("farmland", 3.2), ("orchard", 0.7), ("village", 0.8),
              ("waste", 0.5), ("industrial", 0.3)),
    ),
}  # fmt: skip


def draw_terrain(rng: np.random.Generator, setting: Setting) -> Terrain:
    """Draw the relief of a setting: hills of 15 to 60 m, or a plain that is hardly ever level."""
    if setting == "hills":
        return Terrain(
            level_m=float(rng.uniform(60.0, 240.0)),
            relief_m=float(rng.uniform(15.0, 60.0)),
            cell_m=float(rng.uniform(160.0, 340.0)),
        )
    most_m = 1.5 if setting in ("farmland", "greenhouses") else 5.0
    return Terrain(
        level_m=float(rng.uniform(4.0, 45.0)),
        relief_m=float(rng.uniform(0.5, most_m)),
        cell_m=float(rng.uniform(100.0, 220.0)),
    )


def draw_land(rng: np.random.Generator, setting: Setting, side_m: float) -> Land:
    """Divide a square area by roads into zones, and cover their ground.

    Parameters
    ----------
    rng
        Where chance comes from.
    setting
        What kind of ground it is.
    side_m
        Side of the area, metres.

    Returns
    -------
    Land
        Roads and zones reach up to 30 m beyond the area.

    Examples
    --------
    >>> land = draw_land(np.random.default_rng(2), "town", 200.0)
    >>> {zone.use for zone in land.zones} >= {"town"}
    True
    """
    custom = _CUSTOMS[setting]
    roads, cells = _divide(rng, custom, side_m)
    area = box(0.0, 0.0, side_m, side_m)
    rooms = [
        room
        for cell in cells
        if cell.intersects(area)
        for room in inscribe(cell, least_m=_LEAST_SIDE_M, most=_MOST_ZONES)
    ]
    seen_m2 = [place.rectangle(*sides).intersection(area).area for place, *sides in rooms]
    uses = _draw_uses(rng, custom, seen_m2)
    zones = tuple(
        Zone(place=place, length_m=length_m, width_m=width_m, use=use)
        for (place, length_m, width_m), use in zip(rooms, uses, strict=True)
    )
    patches = tuple(patch for zone in zones for patch in cover_zone(rng, zone, setting))
    order = ("canal", "dirt", "cement", "asphalt")  # bridges over water, the better road on top
    paved = sorted(roads, key=lambda road: (order.index(road.surface), road.width_m))
    return Land(side_m=side_m, zones=zones, roads=tuple(paved), patches=patches)


def _draw_uses(rng: np.random.Generator, custom: _Custom, seen_m2: list[float]) -> list[Use]:
    """Give zones their uses, in shares that differ from area to area."""
    names = [use for use, _ in custom.uses]
    shares = rng.gamma([max(0.15, 2.0 * share) for _, share in custom.uses])
    shares[0] += custom.uses[0][1]
    picks = rng.choice(len(names), size=len(seen_m2), p=shares / shares.sum())
    uses = [names[int(pick)] for pick in picks]
    if uses:
        uses[int(np.argmax(seen_m2))] = names[0]
    return uses


def _divide(
    rng: np.random.Generator, custom: _Custom, side_m: float
) -> tuple[list[Road], list[Polygon]]:
    """Split the land until every cell is small enough; give the roads and the cells."""
    area = box(-_MARGIN_M, -_MARGIN_M, side_m + _MARGIN_M, side_m + _MARGIN_M)
    # Turned, and large enough to hold the area turned, so that roads run at any bearing.
    main_deg = float(rng.uniform(0.0, 180.0))
    middle = Place(x=side_m / 2, y=side_m / 2, bearing_deg=main_deg)
    whole = middle.rectangle(1.6 * side_m + 2.0 * _MARGIN_M, 1.45 * side_m + 2.0 * _MARGIN_M)
    waiting: list[tuple[Polygon, float | None]] = [(whole, main_deg)]
    roads: list[Road] = []
    cells: list[Polygon] = []
    while waiting:
        cell, bearing_deg = waiting.pop()
        if not cell.intersects(area):
            continue
        target_m2 = custom.zone_m2 * float(rng.lognormal(0.0, 0.45))
        if bearing_deg is None and cell.area < 1.6 * target_m2:
            cells.append(cell)
            continue
        runs, halves = _split(rng, custom, cell, bearing_deg)
        roads += runs
        if not halves:
            cells.append(cell)
        waiting += [(half, None) for half in halves]
    shapely.prepare(area)
    near = [road for road in roads if area.intersects(_line(road))]
    return near, cells


def _line(road: Road) -> LineString:
    return LineString([_xy(road.start), _xy(road.end)])


def _split(
    rng: np.random.Generator, custom: _Custom, cell: Polygon, bearing_deg: float | None
) -> tuple[list[Road], list[Polygon]]:
    """Lay a road through a cell; give its runs and the land on its sides."""
    place, length_m, width_m = _frame(cell)
    turn = 90.0 if bearing_deg is None else bearing_deg - place.bearing_deg
    slack = length_m * (0.14 if bearing_deg is None else 0.28)  # the first lies anywhere
    u, v = float(rng.uniform(-slack, slack)), float(rng.uniform(-slack, slack))
    there = place.move(u, v, turn + float(rng.normal(0.0, custom.angle_deg)))
    reach_m = length_m + width_m
    axis = LineString([_xy(there.move(-reach_m, 0.0)), _xy(there.move(reach_m, 0.0))])
    chord = _longest(axis.intersection(cell))
    if chord is None or chord.length < _LEAST_SIDE_M:
        return [], []
    surface, road_m = _draw_paving(rng, custom, cell.area, main=bearing_deg is not None)
    line = _bend(rng, custom, chord, surface)
    taken = line.buffer(road_m / 2 + custom.verge_m, cap_style="flat", join_style="mitre")
    halves = [
        piece
        for piece in getattr(cell.difference(taken), "geoms", [cell.difference(taken)])
        if piece.area > 4.0 * _LEAST_SIDE_M**2
    ]
    if surface in ("cement", "dirt") and cell.area < 2.5 * custom.zone_m2:
        line = _cut_short(rng, line)
    return _runs(rng, line, road_m, surface), halves


def _frame(cell: Polygon) -> tuple[Place, float, float]:
    """Give the smallest rectangle around a cell, its length along u."""
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(cell))
    one, two = corners[1] - corners[0], corners[2] - corners[1]
    length_m, width_m = float(np.hypot(*one)), float(np.hypot(*two))
    if length_m < width_m:
        one, length_m, width_m = two, width_m, length_m
    centre = corners[:4].mean(axis=0)
    bearing = float(np.degrees(np.arctan2(one[0], one[1])))
    return Place(x=float(centre[0]), y=float(centre[1]), bearing_deg=bearing), length_m, width_m


def _xy(place: Place) -> tuple[float, float]:
    return place.x, place.y


def _longest(found: shapely.Geometry) -> LineString | None:
    lines = [item for item in getattr(found, "geoms", [found]) if isinstance(item, LineString)]
    lines = [line for line in lines if not line.is_empty]
    return max(lines, key=lambda line: line.length, default=None)


def _draw_paving(
    rng: np.random.Generator, custom: _Custom, area_m2: float, *, main: bool
) -> tuple[_Surface, float]:
    """Choose what divides land of a size: the larger, the wider."""
    rank = sum(area_m2 < bound for bound in _CLASSES_M2)
    rank = max(0, rank - int(main and rng.random() < 0.5))  # it may lead far beyond the area
    if not main and rng.random() < custom.water:
        return "canal", float(rng.uniform(2.0, 6.0) * (2.5 if rank == 0 else 1.0))
    surface, least_m, most_m = custom.roads[rank]
    if surface == "cement" and rng.random() < 0.15:  # some never get paved
        surface = "dirt"
    return surface, float(rng.uniform(least_m, most_m))


def _bend(
    rng: np.random.Generator, custom: _Custom, chord: LineString, surface: _Surface
) -> LineString:
    """Bend a straight divide into an arc or an S, and let it reach the roads at its ends."""
    ends = shapely.get_coordinates(chord)
    along = (ends[1] - ends[0]) / chord.length
    across = np.array([along[1], -along[0]])
    share = np.linspace(0.0, 1.0, max(2, round(chord.length / _RUN_M)) + 1)
    bow = chord.length * custom.bow * float(rng.uniform(-1.0, 1.0))
    if surface == "canal" and rng.random() < 0.5:  # a river rather than a ditch
        bow *= 2.0
    swing = np.sin(np.pi * share * (1 if rng.random() < 0.6 else 2))
    points = ends[0] + np.outer(share * chord.length, along) + np.outer(bow * swing, across)
    wander = rng.normal(0.0, 0.25, share.size)[1:-1]  # nobody paves along a ruler
    points[1:-1] += np.outer(wander, across)
    reach_m = custom.verge_m + 1.0
    points[0] -= reach_m * along
    points[-1] += reach_m * along
    return LineString(points)


def _cut_short(rng: np.random.Generator, line: LineString) -> LineString:
    """Let a small road end between the houses, sometimes."""
    points = shapely.get_coordinates(line)
    if rng.random() > _DEAD_END_SHARE or len(points) < 4:
        return line
    keep = max(2, round(len(points) * float(rng.uniform(0.5, 0.8))))
    return LineString(points[:keep] if rng.random() < 0.5 else points[-keep:])


def _runs(
    rng: np.random.Generator, line: LineString, width_m: float, surface: _Surface
) -> list[Road]:
    seed = int(rng.integers(2**31))
    places = [Place(x=float(x), y=float(y)) for x, y in shapely.get_coordinates(line)]
    return [
        Road(start=start, end=end, width_m=width_m, surface=surface, seed=seed)
        for start, end in pairwise(places)
    ]
