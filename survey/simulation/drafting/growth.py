"""How standing volumes change: rooms on roofs, storeys, annexes, and pieces torn down."""

from dataclasses import replace

import numpy as np

from survey.simulation.drafting.houses import draw_shed
from survey.simulation.drafting.manners import Manner
from survey.simulation.drafting.rooftops import clear_roof
from survey.simulation.drafting.volumes import STOREY_M, Roof, draw_seed, draw_volume, piece
from survey.simulation.scene import Part, Structure

__all__ = ["attach", "carries", "raise_storey", "seat_on_roof", "tear_down"]

_RIM_M = 0.5
_ROOM_M = (2.3, 3.1)


def carries(part: Part, least_m2: float) -> bool:
    """Say whether something may be built on a roof: flat, on the ground, and large enough."""
    return (
        part.roof == "flat"
        and part.base_m == 0.0
        and part.length_m * part.width_m >= least_m2
        and min(part.length_m, part.width_m) > 3.5
    )


def seat_on_roof(
    rng: np.random.Generator, host: Part, manner: Manner, most_share: float = 1.0
) -> tuple[Part, Part]:
    """Put a room of steel sheets or bricks on a flat roof.

    Parameters
    ----------
    rng
        Where chance comes from.
    host
        The volume below.
    manner
        Habits of the area.
    most_share
        Most of the roof's length that it takes.

    Returns
    -------
    tuple of Part
        The host without the fixtures that had to go, and the room.
    """
    room_m = host.length_m - 2.0 * _RIM_M
    length_m = max(2.2, room_m * float(rng.uniform(0.22, most_share)))
    width_m = (host.width_m - 2.0 * _RIM_M) * float(rng.uniform(0.45, 1.0))
    slack_u, slack_v = (room_m - length_m) / 2, (host.width_m - 2.0 * _RIM_M - width_m) / 2
    u = float(rng.choice([-1.0, 1.0])) * slack_u
    v = float(rng.choice([-1.0, 1.0])) * slack_v
    light = rng.random() < 0.7  # steel is quicker than brick
    roof: Roof = "flat" if not light else "gable" if width_m > 7.0 else "mono"
    rise_m = 0.0 if not light else (0.12 * width_m / 2 if roof == "gable" else 0.06 * width_m)
    room = Part(
        place=host.place.move(u, v),
        length_m=length_m,
        width_m=width_m,
        base_m=host.height_m,
        height_m=host.height_m + float(rng.uniform(*_ROOM_M)),
        rise_m=rise_m,
        roof=roof,
        skin=manner.pick(rng, manner.steel if light else manner.flat),
        wall="steel" if light else "brick",
        storeys=host.storeys + 1,
        seed=draw_seed(rng),
    )
    return clear_roof(host, room), room


def raise_storey(rng: np.random.Generator, part: Part, storeys: int = 1) -> Part:
    """Put storeys on a flat roof and set the fixtures on top again."""
    new_slab = rng.random() < 0.6
    return replace(
        part,
        height_m=part.height_m + storeys * STOREY_M,
        skin="concrete_new" if new_slab else part.skin,
        storeys=part.storeys + storeys,
        seed=draw_seed(rng),
        repaints=(),
    )


def attach(rng: np.random.Generator, host: Part, manner: Manner, depth_m: float) -> Part:
    """Draw a volume against one wall of another.

    Parameters
    ----------
    rng
        Where chance comes from.
    host
        The volume that stands.
    manner
        Habits of the area.
    depth_m
        How far it reaches from the wall, metres.
    """
    side = float(rng.choice([-1.0, 1.0]))
    long_side = rng.random() < 0.6
    facing = host.place if long_side else host.place.move(0.0, 0.0, 90.0)
    wall_m, away_m = host.length_m, host.width_m
    if not long_side:
        wall_m, away_m = away_m, wall_m
    length_m = max(min(2.5, wall_m), wall_m * float(rng.uniform(0.3, 1.0)))
    slack_m = (wall_m - length_m) / 2
    u = float(rng.choice([-slack_m, slack_m, rng.uniform(-slack_m, slack_m)]))
    room = (facing.move(u, side * (away_m + depth_m) / 2), length_m, depth_m)
    if rng.random() < 0.35:  # of the same make as the house, hard to tell from it
        new = draw_volume(rng, room, max(1, min(2, host.storeys)), manner, "flat", "render")
        skin = host.skin if host.roof == "flat" else new.skin
        return replace(new, skin=skin, wall=host.wall)
    same = host.skin if host.skin.startswith(("steel", "cement")) and rng.random() < 0.5 else None
    shed = draw_shed(rng, room, manner, skin=same)
    highest_m = max(2.2, host.height_m - 0.2) if host.roof != "flat" else shed.height_m
    return replace(shed, height_m=min(shed.height_m, highest_m))


def tear_down(rng: np.random.Generator, structure: Structure) -> tuple[Part, ...]:
    """Give what is left of a structure of which a part is torn down; empty where none can be."""
    parts = structure.states[-1].parts
    if any(part.base_m > 0.0 for part in parts):
        return ()
    if len(parts) > 1:
        gone = int(rng.integers(len(parts)))
        return tuple(part for index, part in enumerate(parts) if index != gone)
    part = parts[0]
    kept_m = part.length_m * float(rng.uniform(0.4, 0.7))
    if part.length_m < 6.0 or part.roof == "hip":  # a hip roof cannot be cut
        return ()
    end = part.length_m / 2
    along = (-end, kept_m - end) if rng.random() < 0.5 else (end - kept_m, end)
    place, length_m, _ = piece(part.place, along, (-part.width_m / 2, part.width_m / 2))
    shift = (along[0] + along[1]) / 2
    kept = tuple(
        replace(item, u=item.u - shift)
        for item in part.fixtures
        if abs(item.u - shift) + item.length_m / 2 < length_m / 2
    )
    return (replace(part, place=place, length_m=length_m, fixtures=kept),)
