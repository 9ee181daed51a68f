"""Walls and fences around yards, and power lines along roads: what stays for years."""

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from survey.simulation.drafting.chances import draw_seed, pick, spread
from survey.simulation.drafting.land import Use, Zone
from survey.simulation.drafting.places import streets, walk
from survey.simulation.drafting.site import Ledger, Site, boxes, keep_clear
from survey.simulation.scene import ALWAYS, Part, Place, Prop, Span

__all__ = ["enclose", "string_wires"]

# Shares of houses with a walled yard, and of zones with a wall or fence around; by eye from open
# drone imagery of peri-urban ground.
_YARDS: dict[Use, float] = {
    "dense": 0.15,
    "village": 0.5,
    "town": 0.25,
    "industrial": 0.15,
    "greenhouses": 0.15,
    "farmland": 0.35,
    "orchard": 0.4,
    "woods": 0.4,
    "park": 0.2,
    "waste": 0.2,
}
_RINGS: dict[Use, float] = {
    "industrial": 0.9,
    "town": 0.4,
    "greenhouses": 0.4,
    "market": 0.2,
    "orchard": 0.35,
    "park": 0.35,
    "waste": 0.5,
}
_GAP_M = 0.35  # between a wall and what it runs up to
_SHORTEST_M = 1.2
_GATE_M = (2.5, 5.0)
_SPAN_M = (30.0, 48.0)  # between poles of a low-voltage line
_POLED_M = 3.4  # narrower lanes have no poles of their own
_Line = tuple[Place, float]


def enclose(rng: np.random.Generator, site: Site, ledger: Ledger) -> list[Prop]:
    """Build walls and fences around yards and compounds, up to whatever is in the way."""
    walls: list[Prop] = []
    for zone, anchors in zip(site.land.zones, site.anchors, strict=True):
        if rng.random() < _RINGS.get(zone.use, 0.0):
            span = _draw_hoarding(rng, zone, site.flights)
            walls += _build(rng, _ring(rng, zone.place, zone.length_m, zone.width_m), span)
        for anchor in anchors:
            if rng.random() < _YARDS.get(zone.use, 0.0):
                # the yard of a house to come would tell of it
                span = Span(first=anchor.first)
                walls += [replace(w, span=span) for w in _build(rng, _yard(rng, anchor.part))]
    walls = _cut(site, walls)
    kept = ledger.admit(boxes(walls), [wall.span for wall in walls])
    return [wall for wall, keep in zip(walls, kept, strict=True) if keep]


def _draw_hoarding(rng: np.random.Generator, zone: Zone, flights: int) -> Span:
    """Say when a compound is fenced; idle ground is for a while only."""
    if zone.use != "waste" or flights < 2 or rng.random() < 0.4:
        return ALWAYS
    first = int(rng.integers(0, flights))
    end = int(rng.integers(first + 1, flights + 2))
    return Span(first=first, end=end if end <= flights else None)


def _ring(rng: np.random.Generator, place: Place, length_m: float, width_m: float) -> list[_Line]:
    """Give the four sides of a rectangle, one of them with a gate."""
    lines: list[_Line] = []
    gate = int(rng.integers(4))
    for side in range(4):
        run_m, away_m = (length_m, width_m / 2) if side % 2 == 0 else (width_m, length_m / 2)
        middle = place.move(0.0, 0.0, 90.0 * side).move(0.0, away_m)
        run_m -= 0.7  # corners of two sides must not stand in one another
        if side != gate:
            lines.append((middle, run_m))
            continue
        open_m = spread(rng, _GATE_M)
        left_m = spread(rng, (0.2, 0.8)) * max(run_m - open_m, 0.0)
        right_m = run_m - open_m - left_m
        lines.append((middle.move((left_m - run_m) / 2, 0.0), left_m))
        lines.append((middle.move((run_m - right_m) / 2, 0.0), right_m))
    return lines


def _yard(rng: np.random.Generator, part: Part) -> list[_Line]:
    """Give the sides of a yard around a house, deep on one side and narrow on the others."""
    front, back, left, right = (float(value) for value in rng.uniform(1.5, 4.5, 4))
    deep = float(rng.uniform(3.0, 9.0))
    front, left = (front + deep, left) if rng.random() < 0.6 else (front, left + deep)
    middle = part.place.move((front - back) / 2.0, (right - left) / 2.0)
    sides = _ring(rng, middle, part.length_m + front + back, part.width_m + left + right)
    return [side for side in sides if rng.random() > 0.15]  # a side is often open


def _build(rng: np.random.Generator, lines: list[_Line], span: Span = ALWAYS) -> list[Prop]:
    """Make walls of one look along lines; what is there for a while is a builder's hoarding."""
    if span != ALWAYS:
        width_m, height_m, tint = 0.12, 2.2, pick(rng, ("blue", "blue", "green", "white", "grey"))
    elif rng.random() < 0.3:
        width_m, height_m, tint = 0.1, 1.3, pick(rng, ("silver", "green", "wood", "rust"))
    else:
        tints = ("brick", "brick", "white", "concrete", "grey", "beige", "rust")
        width_m, height_m, tint = 0.24, spread(rng, (1.4, 2.4)), pick(rng, tints)
    return [
        Prop(
            kind="wall",
            place=place,
            length_m=length_m,
            width_m=width_m,
            height_m=height_m,
            tint=tint,
            seed=draw_seed(rng),
            span=span,
        )
        for place, length_m in lines
        if length_m > _SHORTEST_M
    ]


def _cut(site: Site, walls: list[Prop]) -> list[Prop]:
    """Cut from walls what would run through structures, roads or water."""
    if not walls:
        return []
    halves = [(w, w.length_m / 2.0) for w in walls]
    ends = [(w.place.move(-half, 0.0), w.place.move(half, 0.0)) for w, half in halves]
    lines = shapely.linestrings([[(end.x, end.y) for end in pair] for pair in ends])
    reach = _GAP_M + 0.15
    obstacles, there, (own, other) = site.obstacles_near(shapely.buffer(lines, reach))
    near: list[list[int]] = [[] for _ in walls]
    for i, j in zip(own.tolist(), other.tolist(), strict=True):
        near[i].append(j)
    found: list[Prop] = []
    for wall, line, others in zip(walls, lines, near, strict=True):
        around = shapely.buffer(obstacles[others], reach)
        for piece, span in _divide(line, wall.span, around, there[others]):
            runs = [run for run in shapely.get_parts(piece) if run.length > _SHORTEST_M]
            found += [_shorten(wall, run, span) for run in runs]
    return found


def _divide(
    line: BaseGeometry,
    span: Span,
    around: npt.NDArray[np.object_],
    there: npt.NDArray[np.bool_],
) -> Iterator[tuple[BaseGeometry, Span]]:
    """Divide a line by what is in its way into pieces, each with the flights that see it."""
    last = there.shape[1] if span.end is None else min(span.end, there.shape[1])
    seen = np.zeros(len(around), dtype=np.bool_)
    for flight in range(span.first, last):
        new = there[:, flight] & ~seen
        if new.any():
            seen |= new
            way = shapely.union_all(around[new])
            if flight > span.first:
                yield line.intersection(way), Span(first=span.first, end=flight)
            line = line.difference(way)
    yield line, span


def _shorten(wall: Prop, run: shapely.LineString, span: Span) -> Prop:
    """Cut a wall to a run of it, a finger short, so that runs of one wall stand side by side."""
    middle = run.interpolate(0.5, normalized=True)
    place = Place(x=middle.x, y=middle.y, bearing_deg=wall.place.bearing_deg)
    return replace(wall, place=place, length_m=run.length - 0.02, span=span)


def string_wires(rng: np.random.Generator, site: Site, ledger: Ledger) -> list[Prop]:
    """Set poles along one side of roads and string wires between them."""
    poles: list[Prop] = []
    wires: list[Prop] = []
    for runs in streets(site.land.roads):
        if runs[0].surface == "canal" or runs[0].width_m < _POLED_M or rng.random() < 0.3:
            continue
        side, height_m = pick(rng, (-1.0, 1.0)), spread(rng, (8.2, 10.0))
        feet = list(walk(runs, spread(rng, _SPAN_M), side * 0.9))
        poles += [_pole(rng, foot, height_m) for foot in feet]
        wires += [_wire(rng, a, b, height_m - 0.4) for a, b in pairwise(feet)]
    # wires hang over no structure
    return _stand(site, ledger, poles) + keep_clear(site, wires, 0.2)


def _stand(site: Site, ledger: Ledger, poles: list[Prop]) -> list[Prop]:
    """Keep poles out of structures, off crossing roads, and apart from one another."""
    poles = keep_clear(site, poles, 0.3)
    dry = site.dry(boxes(poles))
    poles = [pole for pole, fits in zip(poles, dry, strict=True) if fits]
    kept = ledger.admit(boxes(poles, 0.5), [pole.span for pole in poles])
    return [pole for pole, keep in zip(poles, kept, strict=True) if keep]


def _pole(rng: np.random.Generator, foot: Place, height_m: float) -> Prop:
    return Prop(
        kind="pole",
        place=foot,
        length_m=0.35,
        width_m=0.35,
        height_m=height_m,
        tint=pick(rng, ("concrete", "concrete", "wood")),
        seed=draw_seed(rng),
    )


def _wire(rng: np.random.Generator, one: Place, two: Place, height_m: float) -> Prop:
    east, north = two.x - one.x, two.y - one.y
    middle = Place(
        x=(one.x + two.x) / 2.0,
        y=(one.y + two.y) / 2.0,
        bearing_deg=math.degrees(math.atan2(east, north)),
    )
    return Prop(
        kind="wire",
        place=middle,
        length_m=math.hypot(east, north),
        width_m=spread(rng, (0.5, 1.6)),  # insulated bundle to three conductors on a cross-arm
        height_m=height_m,
        tint="black",
        seed=draw_seed(rng),
    )
