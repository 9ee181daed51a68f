"""Where a thing may stand: in a zone by a wall, anywhere or in rows, or along a street."""

import math
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from survey.simulation.drafting.chances import pick
from survey.simulation.scene import Part, Place, Road

__all__ = ["Area", "beside", "hectares", "inside", "rows", "streets", "walk", "way"]

_JOINT_M = 1.5  # runs whose ends are closer belong to one street


class Area(Protocol):
    """Any rectangle on the ground, such as a zone or a patch."""

    @property
    def place(self) -> Place:
        """Centre and direction of the length."""

    @property
    def length_m(self) -> float:
        """Side along u, metres."""

    @property
    def width_m(self) -> float:
        """Side along v, metres."""


def hectares(area: Area) -> float:
    """Give the size of an area."""
    return area.length_m * area.width_m / 10_000.0


def inside(rng: np.random.Generator, area: Area, rim_m: float = 0.0) -> Place:
    """Draw a place anywhere in an area but its rim, looking along or across its rows."""
    u, v = rng.random(2) - 0.5
    turn = 90.0 * float(rng.random() < 0.5) + float(rng.normal(0.0, 5.0))
    return area.place.move(
        float(u) * max(area.length_m - 2.0 * rim_m, 0.0),
        float(v) * max(area.width_m - 2.0 * rim_m, 0.0),
        turn,
    )


def beside(rng: np.random.Generator, parts: Sequence[Part], depth_m: float, gap_m: float) -> Place:
    """Draw a place along the wall of one of some volumes for a thing as deep as given."""
    part, side = pick(rng, parts), int(rng.integers(4))
    along, across = part.length_m / 2.0, part.width_m / 2.0
    if side % 2:
        along, across = across, along
    facing = part.place.move(0.0, 0.0, 90.0 * side)
    away = across + gap_m + depth_m / 2.0
    return facing.move(float(rng.uniform(-along, along)), away, float(rng.normal(0.0, 1.5)))


def rows(area: Area, step_m: float, pitch_m: float) -> Iterator[tuple[int, Place]]:
    """Go through an area row by row: the number of the row, and each place in it.

    Examples
    --------
    >>> from survey.simulation.drafting.land import Zone
    >>> zone = Zone(place=Place(x=0.0, y=0.0), length_m=10.0, width_m=9.0, use="orchard")
    >>> len(list(rows(zone, 5.0, 3.0)))
    6
    """
    count, steps = math.floor(area.width_m / pitch_m), math.floor(area.length_m / step_m)
    for row in range(count):
        for step in range(steps):
            u = (step + 0.5 - steps / 2.0) * step_m
            yield row, area.place.move(u, (row + 0.5 - count / 2.0) * pitch_m)


def way(road: Road) -> tuple[Place, float]:
    """Give the start of a run of road, looking to its end, and its length in metres."""
    east, north = road.end.x - road.start.x, road.end.y - road.start.y
    bearing = math.degrees(math.atan2(east, north))
    return Place(x=road.start.x, y=road.start.y, bearing_deg=bearing), math.hypot(east, north)


def streets(roads: Sequence[Road]) -> tuple[tuple[Road, ...], ...]:
    """Join runs that follow each other under one paving into streets.

    Examples
    --------
    >>> ends = [Place(x=x, y=0.0) for x in (0.0, 50.0, 90.0)]
    >>> runs = [
    ...     Road(start=a, end=b, width_m=6.0, surface="asphalt") for a, b in zip(ends, ends[1:])
    ... ]
    >>> len(streets(runs))
    1
    """
    found: list[list[Road]] = []
    for road in roads:
        last = found[-1][-1] if found else None
        if (
            last is not None
            and last.surface == road.surface
            and math.dist((last.end.x, last.end.y), (road.start.x, road.start.y)) < _JOINT_M
        ):
            found[-1].append(road)
        else:
            found.append([road])
    return tuple(tuple(runs) for runs in found)


def walk(runs: Sequence[Road], step_m: float, away_m: float) -> Iterator[Place]:
    """Go along a street in even steps, beside its paving; to the right where `away_m` is positive.

    Examples
    --------
    >>> ends = [Place(x=0.0, y=y) for y in (0.0, 50.0, 90.0)]
    >>> runs = [
    ...     Road(start=a, end=b, width_m=6.0, surface="asphalt") for a, b in zip(ends, ends[1:])
    ... ]
    >>> [(place.x, place.y) for place in walk(runs, 40.0, 1.0)]
    [(4.0, 20.0), (4.0, 60.0)]
    """
    left_m = step_m / 2.0
    for road in runs:
        start, length_m = way(road)
        across = math.copysign(road.width_m / 2.0, away_m) + away_m
        while left_m <= length_m:
            yield start.move(left_m, across)
            left_m += step_m
        left_m -= length_m
