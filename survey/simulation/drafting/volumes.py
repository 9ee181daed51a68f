"""Single volumes: a rectangle, its height, and the roof that goes with it."""

from typing import Literal

import numpy as np

from survey.simulation.drafting.manners import Manner, Wall
from survey.simulation.scene import Part, Place

__all__ = ["STOREY_M", "Roof", "draw_seed", "draw_volume", "piece", "rise_of"]

Roof = Literal["flat", "gable", "hip", "mono", "arch", "foundation", "frame"]

STOREY_M = 3.1
"""Height of a storey, metres; 2.8 to 3.6 is usual in dwellings (GB 50096: 2.80 and more)."""

_EAVES_M = 0.5


def draw_seed(rng: np.random.Generator) -> int:
    """Draw the seed of a texture."""
    return int(rng.integers(2**31))


def piece(
    place: Place, along: tuple[float, float], across: tuple[float, float]
) -> tuple[Place, float, float]:
    """Cut a rectangle out of a place's own frame.

    Parameters
    ----------
    place
        Whose frame it is.
    along
        From where to where along u, metres.
    across
        From where to where along v, metres.

    Returns
    -------
    tuple of (Place, float, float)
        Its centre, and its sides along u and v.
    """
    centre = place.move((along[0] + along[1]) / 2, (across[0] + across[1]) / 2)
    return centre, along[1] - along[0], across[1] - across[0]


def rise_of(rng: np.random.Generator, roof: Roof, width_m: float, *, steel: bool) -> float:
    """Draw the rise of a roof over its width: tiles need 20 to 35 degrees, sheets 4 to 12."""
    if roof in ("gable", "hip"):
        slope = rng.uniform(0.1, 0.24) if steel else rng.uniform(0.36, 0.66)
        return float(slope * width_m / 2)
    if roof == "mono":
        return float(min(1.2, rng.uniform(0.06, 0.16) * width_m))
    return float(rng.uniform(0.25, 0.5) * width_m) if roof == "arch" else 0.0


def draw_volume(
    rng: np.random.Generator,
    room: tuple[Place, float, float],
    storeys: int,
    manner: Manner,
    roof: Roof,
    wall: Wall,
) -> Part:
    """Draw one volume of a dwelling.

    Parameters
    ----------
    rng
        Where chance comes from.
    room
        Centre, side along u and side along v, metres; the ridge runs along the longer side.
    storeys
        Storeys above the ground.
    manner
        Habits of the area.
    roof
        Form of the roof; a gable or hip is tiled.
    wall
        Colour of the walls.
    """
    place, length_m, width_m = room
    if roof in ("gable", "hip") and width_m > length_m:
        place, length_m, width_m = place.move(0.0, 0.0, 90.0), width_m, length_m
    flat = roof == "flat"
    return Part(
        place=place,
        length_m=length_m,
        width_m=width_m,
        height_m=storeys * STOREY_M + (0.0 if flat else _EAVES_M),
        rise_m=rise_of(rng, roof, width_m, steel=roof == "mono"),
        roof=roof,
        skin=manner.pick(rng, manner.flat if flat else _sloped(manner, roof)),
        wall=wall,
        parapet_m=float(rng.uniform(0.3, 1.3)) if flat and rng.random() < 0.85 else 0.0,
        storeys=storeys,
        seed=draw_seed(rng),
    )


def _sloped(manner: Manner, roof: Roof) -> tuple[tuple[str, float], ...]:
    return manner.steel if roof in ("mono", "arch") else manner.tile
