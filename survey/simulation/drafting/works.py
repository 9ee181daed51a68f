"""Large buildings: halls, dormitories, flats, schools, malls, markets and tunnels of film."""

from dataclasses import replace

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

__all__ = ["draw_block", "draw_hall", "draw_mall", "draw_school", "draw_site", "draw_tunnel"]

_Room = tuple[Place, float, float]
_BAY_M = (9.0, 16.0)  # span of one bay of a shed roof
_WING_M = 13.0  # depth of a school's or dormitory's wing


def draw_hall(rng: np.random.Generator, room: _Room, manner: Manner) -> tuple[Part, ...]:
    """Draw a factory hall of one or several bays, sometimes saw-toothed, with an annex at an end.

    Parameters
    ----------
    rng
        Where chance comes from.
    room
        Centre, side along u and side along v, metres.
    manner
        Habits of the area.
    """
    place, length_m, width_m = room
    if width_m > length_m:
        place, length_m, width_m = place.move(0.0, 0.0, 90.0), width_m, length_m
    annex_m = float(rng.uniform(4.0, 9.0)) if length_m > 28.0 and rng.random() < 0.45 else 0.0
    half_u, half_v = length_m / 2, width_m / 2
    bays = max(1, round(width_m / float(rng.uniform(*_BAY_M)))) if rng.random() < 0.6 else 1
    roof: Roof = "mono" if bays > 1 and rng.random() < 0.4 else "gable"
    if width_m < 30.0 and rng.random() < 0.12:
        roof, bays = "flat", 1
    skin = manner.pick(rng, manner.flat if roof == "flat" else manner.steel)
    eaves_m = float(rng.uniform(5.5, 10.5))
    bay_m = width_m / bays
    rise_m = rise_of(rng, roof, bay_m, steel=True)
    bay = Part(
        place=place,
        length_m=length_m - annex_m,
        width_m=bay_m,
        height_m=eaves_m,
        rise_m=rise_m,
        roof=roof,
        skin=skin,
        wall="steel" if rng.random() < 0.7 else "render",
        storeys=1,
        seed=draw_seed(rng),
    )
    parts = [
        replace(
            bay, place=place.move(-annex_m / 2, (step + 0.5) * bay_m - half_v), seed=bay.seed + step
        )
        for step in range(bays)
    ]
    if annex_m:
        end = piece(place, (half_u - annex_m, half_u), (-half_v, half_v * float(rng.uniform(0, 1))))
        parts.append(draw_volume(rng, end, 1, manner, "flat", "render"))
    return tuple(parts)


def draw_block(
    rng: np.random.Generator, room: _Room, manner: Manner, storeys: int
) -> tuple[Part, ...]:
    """Draw flats, offices or a dormitory: a slab with a lift tower on its flat roof.

    Parameters
    ----------
    rng
        Where chance comes from.
    room
        Centre, side along u and side along v, metres.
    manner
        Habits of the area.
    storeys
        Storeys; 10 to 20 give 30 to 60 m.
    """
    place, length_m, width_m = room
    slab = draw_volume(rng, room, storeys, manner, "flat", manner.pick_wall(rng))
    slab = replace(slab, parapet_m=float(rng.uniform(0.9, 1.6)))
    parts = [slab]
    if storeys >= 7:
        tower = (place.move(float(rng.uniform(-0.2, 0.2)) * length_m, 0.0), 5.5, 0.5 * width_m)
        parts.append(_on_top(rng, tower, slab, float(rng.uniform(3.0, 5.5))))
    return tuple(parts)


def _on_top(rng: np.random.Generator, room: _Room, host: Part, rise_m: float) -> Part:
    place, length_m, width_m = room
    return Part(
        place=place,
        length_m=length_m,
        width_m=width_m,
        base_m=host.height_m,
        height_m=host.height_m + rise_m,
        roof="flat",
        skin=host.skin,
        wall=host.wall,
        storeys=host.storeys + 1,
        seed=draw_seed(rng),
    )


def draw_school(rng: np.random.Generator, room: _Room, manner: Manner) -> tuple[Part, ...]:
    """Draw two or three wings about a yard that is open to one side."""
    place, length_m, width_m = room
    storeys = int(rng.integers(3, 6))
    depth_m = min(_WING_M, 0.3 * width_m, 0.25 * length_m)
    half_u, half_v = length_m / 2, width_m / 2
    wall: Wall = manner.pick_wall(rng)
    rooms = [
        piece(place, (-half_u, half_u), (-half_v, -half_v + depth_m)),
        piece(place, (-half_u, -half_u + depth_m), (-half_v + depth_m, half_v)),
    ]
    if rng.random() < 0.6:
        reach = float(rng.uniform(-0.1, 1.0)) * half_v
        rooms.append(piece(place, (half_u - depth_m, half_u), (-half_v + depth_m, reach)))
    parts = [draw_volume(rng, wing, storeys, manner, "flat", wall) for wing in rooms]
    return tuple(replace(part, skin=parts[0].skin) for part in parts)


def draw_mall(rng: np.random.Generator, room: _Room, manner: Manner) -> tuple[Part, ...]:
    """Draw a shop or market hall under one large roof, of glass in the middle of some."""
    place, length_m, width_m = room
    storeys = int(rng.integers(1, 5))
    height_m = storeys * float(rng.uniform(4.2, 5.2))
    flat = rng.random() < 0.7
    main = Part(
        place=place,
        length_m=length_m,
        width_m=width_m,
        height_m=height_m,
        rise_m=0.0 if flat else rise_of(rng, "gable", width_m, steel=True),
        roof="flat" if flat else "gable",
        skin=manner.pick(rng, (("membrane", 2.0), *manner.flat) if flat else manner.steel),
        wall="glass" if rng.random() < 0.4 else "tile",
        parapet_m=1.1 if flat else 0.0,
        storeys=storeys,
        seed=draw_seed(rng),
    )
    if not flat or length_m < 24.0 or rng.random() < 0.5:
        return (main,)
    light = _on_top(rng, (place, 0.3 * length_m, 0.3 * width_m), main, 1.6)
    return main, replace(light, skin="glass", wall="glass")


def draw_tunnel(rng: np.random.Generator, room: _Room, *, height_m: float) -> Part:
    """Draw a tunnel of film over crops, its length along u."""
    place, length_m, width_m = room
    eaves_m = 0.35 * height_m
    return Part(
        place=place,
        length_m=length_m,
        width_m=width_m,
        height_m=eaves_m,
        rise_m=height_m - eaves_m,
        roof="arch",
        skin="net" if rng.random() < 0.08 else "plastic",
        wall="glass",
        storeys=1,
        seed=draw_seed(rng),
    )


def draw_site(rng: np.random.Generator, final: tuple[Part, ...], storeys: int) -> tuple[Part, ...]:
    """Draw what stands of a building under construction: its slab, or a frame of some storeys.

    Parameters
    ----------
    rng
        Where chance comes from.
    final
        The building as it will be.
    storeys
        Storeys of the frame; 0 for the foundation alone.
    """
    ground = [part for part in final if part.base_m == 0.0]
    return tuple(
        replace(
            part,
            height_m=min(storeys, part.storeys) * STOREY_M or float(rng.uniform(0.25, 0.6)),
            rise_m=0.0,
            roof="frame" if storeys else "foundation",
            skin="formwork" if storeys else "concrete_new",
            wall="concrete",
            parapet_m=0.0,
            storeys=max(1, min(storeys, part.storeys)),
            fixtures=(),
            repaints=(),
        )
        for part in ground
    )
