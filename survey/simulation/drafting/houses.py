"""Dwellings and sheds: footprints of several volumes, drawn to fit a piece of land.

Footprints of a dense South Asian town (Open Cities AI, 725 outlines in Banepa): area 39, 66 and
101 m2 at the quartiles and 148 m2 at the ninth decile; length over width 1.2, 1.5 and 1.9 at the
quartiles; a tenth fill less than three quarters of their bounding rectangle.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np

from survey.simulation.drafting.manners import Manner, Wall
from survey.simulation.drafting.volumes import (
    STOREY_M,
    Roof,
    draw_seed,
    draw_volume,
    piece,
    rise_of,
)
from survey.simulation.scene import Part, Place

__all__ = ["draw_house", "draw_shed", "draw_terrace"]

_Room = tuple[Place, float, float]
_WINGED_M = 7.5  # a house narrower than this has no wings
_SHED_STOREY_M = (2.4, 3.6)
_LEAN_TO_M = (1.6, 3.0)


def draw_house(
    rng: np.random.Generator, room: _Room, manner: Manner, *, storeys: int | None = None
) -> tuple[Part, ...]:
    """Draw a dwelling that fills a room of land, or nearly.

    Parameters
    ----------
    rng
        Where chance comes from.
    room
        Centre, side along u and side along v, metres.
    manner
        Habits of the area.
    storeys
        Storeys of the main volume; drawn where None.

    Returns
    -------
    tuple of Part
        The main volume first; no two overlap.
    """
    least, most = manner.storeys
    if storeys is None:  # most are lower than the highest
        storeys = int(np.clip(round(float(rng.triangular(least, least, most + 0.5))), 1, most))
        storeys = max(storeys, int(rng.integers(least, most + 1)))
    wall = manner.pick_wall(rng)
    flat = rng.random() < manner.flat_share or storeys > 3
    roof: Roof = "flat" if flat else ("gable" if rng.random() < 0.62 else "hip")
    rooms = [room]
    if min(room[1], room[2]) >= _WINGED_M:
        rooms = _SHAPES[int(rng.choice(len(_SHAPES), p=_SHARES))](rng, room)
    parts = [draw_volume(rng, rooms[0], storeys, manner, roof, wall)]
    for wing in rooms[1:]:
        low = max(1, storeys - int(rng.integers(0, 3)))
        parts.append(_draw_wing(rng, wing, low, manner, parts[0]))
    if len(rooms) > 1 and flat and rng.random() < 0.5:  # one slab, poured at one time
        parts = [replace(part, skin=parts[0].skin) for part in parts]
    return tuple(parts)


def _draw_wing(
    rng: np.random.Generator, room: _Room, storeys: int, manner: Manner, main: Part
) -> Part:
    roof: Roof = main.roof
    if min(room[1], room[2]) < 3.2:  # a porch or a lean-to kitchen
        roof, storeys = ("mono" if rng.random() < 0.6 else "flat"), 1
    part = draw_volume(rng, room, storeys, manner, roof, "render")
    return replace(part, wall=main.wall)


def _plain(_: np.random.Generator, room: _Room) -> list[_Room]:
    return [room]


def _l_shape(rng: np.random.Generator, room: _Room) -> list[_Room]:
    place, length_m, width_m = room
    half_u, half_v = length_m / 2, width_m / 2
    depth_m = width_m * float(rng.uniform(0.5, 0.72))
    wing_m = length_m * float(rng.uniform(0.35, 0.55))
    side = 1.0 if rng.random() < 0.5 else -1.0
    wing = (-half_u, -half_u + wing_m) if rng.random() < 0.5 else (half_u - wing_m, half_u)
    return [
        piece(place, (-half_u, half_u), _sorted(side * half_v, side * (half_v - depth_m))),
        piece(place, wing, _sorted(side * (half_v - depth_m), -side * half_v)),
    ]


def _sorted(one: float, two: float) -> tuple[float, float]:
    return (one, two) if one < two else (two, one)


def _t_shape(rng: np.random.Generator, room: _Room) -> list[_Room]:
    place, length_m, width_m = room
    half_u, half_v = length_m / 2, width_m / 2
    depth_m = width_m * float(rng.uniform(0.55, 0.75))
    wing_m = length_m * float(rng.uniform(0.3, 0.45))
    middle = float(rng.uniform(-0.2, 0.2)) * (length_m - wing_m)
    return [
        piece(place, (-half_u, half_u), (-half_v, -half_v + depth_m)),
        piece(place, (middle - wing_m / 2, middle + wing_m / 2), (-half_v + depth_m, half_v)),
    ]


def _u_shape(rng: np.random.Generator, room: _Room) -> list[_Room]:
    place, length_m, width_m = room
    half_u, half_v = length_m / 2, width_m / 2
    depth_m = width_m * float(rng.uniform(0.4, 0.6))
    wings = [length_m * float(share) for share in rng.uniform(0.22, 0.32, 2)]
    open_v = -half_v + depth_m
    return [
        piece(place, (-half_u, half_u), (-half_v, open_v)),
        piece(place, (-half_u, -half_u + wings[0]), (open_v, half_v)),
        piece(place, (half_u - wings[1], half_u), (open_v, half_v)),
    ]


def _courtyard(rng: np.random.Generator, room: _Room) -> list[_Room]:
    main, *wings = _u_shape(rng, room)
    place, length_m, width_m = room
    gate_m = min(2.6, 0.2 * width_m)
    rest = [(wing[0].move(0.0, -gate_m / 2), wing[1], wing[2] - gate_m) for wing in wings]
    half_v = width_m / 2
    return [main, *rest, piece(place, (-length_m / 2, length_m / 2), (half_v - gate_m, half_v))]


def _with_porch(rng: np.random.Generator, room: _Room) -> list[_Room]:
    place, length_m, width_m = room
    half_u, half_v = length_m / 2, width_m / 2
    porch_m = min(float(rng.uniform(*_LEAN_TO_M)), 0.35 * width_m)
    ends = sorted(float(u) for u in rng.uniform(-half_u, half_u, 2))
    if ends[1] - ends[0] < 2.0:
        ends = [-half_u, half_u]
    side = 1.0 if rng.random() < 0.5 else -1.0
    edge = side * (half_v - porch_m)
    return [
        piece(place, (-half_u, half_u), _sorted(-side * half_v, edge)),
        piece(place, (ends[0], ends[1]), _sorted(edge, side * half_v)),
    ]


_SHAPES: tuple[Callable[[np.random.Generator, _Room], list[_Room]], ...] = (
    _plain, _l_shape, _t_shape, _u_shape, _courtyard, _with_porch,
)  # fmt: skip
_SHARES = (0.4, 0.22, 0.08, 0.06, 0.04, 0.2)  # by eye; the measured fill agrees roughly


def draw_terrace(
    rng: np.random.Generator, room: _Room, manner: Manner, front_m: float
) -> tuple[Part, ...]:
    """Draw a row of shop houses wall to wall: one front after another along u.

    Parameters
    ----------
    rng
        Where chance comes from.
    room
        Centre, side along u and side along v, metres.
    manner
        Habits of the area.
    front_m
        Mean width of a front, metres.
    """
    place, length_m, width_m = room
    count = max(1, round(length_m / front_m))
    cuts = np.cumsum(rng.uniform(0.75, 1.25, count))
    edges = [-length_m / 2, *(length_m * (cuts / cuts[-1] - 0.5)).tolist()]
    least, most = manner.storeys
    usual = int(rng.integers(least, most + 1))
    parts = []
    for start, end in pairwise(edges):
        storeys = int(np.clip(usual + rng.integers(-1, 2), 1, most))
        back_m = float(rng.uniform(0.0, 0.2)) * width_m  # the backs are never in line
        room_here = piece(place, (start, end), (-width_m / 2 + back_m, width_m / 2))
        roof: Roof = "flat" if rng.random() < max(0.6, manner.flat_share) else "mono"
        wall: Wall = manner.pick_wall(rng)
        parts.append(draw_volume(rng, room_here, storeys, manner, roof, wall))
    return tuple(parts)


def draw_shed(
    rng: np.random.Generator, room: _Room, manner: Manner, *, skin: str | None = None
) -> Part:
    """Draw a light shed of steel or cement sheet, or a small box of concrete.

    Parameters
    ----------
    rng
        Where chance comes from.
    room
        Centre, side along u and side along v, metres.
    manner
        Habits of the area.
    skin
        Covering of the roof, for a shed that looks like its neighbours; drawn where None.
    """
    place, length_m, width_m = room
    if width_m > length_m:
        place, length_m, width_m = place.move(0.0, 0.0, 90.0), width_m, length_m
    boxy = skin is None and width_m < 4.5 and rng.random() < 0.15
    wide = width_m > 5.5  # what one slope of sheets spans
    roof: Roof = "flat" if boxy else "gable" if wide else "mono"
    if skin is None:
        skin = manner.pick(rng, manner.flat if boxy else manner.steel)
    low_m = float(rng.uniform(*_SHED_STOREY_M))
    return Part(
        place=place,
        length_m=length_m,
        width_m=width_m,
        height_m=low_m + (min(2.5, 0.12 * width_m) if wide else 0.0),
        rise_m=rise_of(rng, roof, width_m, steel=True),
        roof=roof,
        skin=skin,
        wall="brick" if rng.random() < 0.35 else "steel",
        storeys=max(1, int(low_m // (1.5 * STOREY_M))),
        seed=draw_seed(rng),
    )
