"""Buildings and sheds drawn at random: size, roof, covering, storeys."""

from typing import Literal

import numpy as np

from survey.simulation.scene import Fixture, Part, Place

__all__ = ["draw_hall", "draw_house", "draw_shed", "draw_wing", "raise_storey", "seat_on_roof"]

_STOREY_M = 3.2
_EAVES_M = 0.6
_FLAT_SKINS = ("concrete", "concrete", "concrete_dark", "terracotta")
_TILE_SKINS = ("tile_red", "tile_red", "tile_orange", "tile_dark")
_SHED_SKINS = ("steel_blue", "steel_blue", "steel_red", "steel_grey", "cement_sheet")
_HALL_SKINS = ("steel_blue", "steel_grey", "steel_red", "steel_white")
_ADDITION_CLEARANCE_M = 1.2


def _draw_seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31))


def _draw_fixtures(
    rng: np.random.Generator, length_m: float, width_m: float
) -> tuple[Fixture, ...]:
    """Put a stairwell in one corner, and tanks, panels and boxes about the rest."""
    side_u, side_v = rng.choice([-1.0, 1.0], 2)
    corner_u, corner_v = side_u * (length_m / 2 - 1.7), side_v * (width_m / 2 - 1.7)
    found = [Fixture(kind="stairwell", u=corner_u, v=corner_v, size_m=2.9, height_m=2.4)]
    kinds: tuple[Literal["tank", "solar", "unit"], ...] = ("tank", "solar", "unit")
    sizes = {"tank": (1.3, 1.5), "solar": (1.9, 0.6), "unit": (0.9, 0.9)}
    for _ in range(int(rng.integers(1, 5))):
        kind = kinds[int(rng.integers(3))]
        size_m, height_m = sizes[kind]
        found.append(
            Fixture(
                kind=kind,
                u=-side_u * rng.uniform(0.0, max(0.1, length_m / 2 - 1.4)),
                v=float(rng.uniform(-1.0, 1.0) * max(0.1, width_m / 2 - 1.4)),
                size_m=size_m,
                height_m=height_m,
            )
        )
    return tuple(found)


def draw_house(rng: np.random.Generator, place: Place, length_m: float, width_m: float) -> Part:
    """Draw a dwelling: most have a flat concrete roof, the others tiles."""
    seed = _draw_seed(rng)
    if rng.random() < 0.6:  # most roofs of a delta village are flat
        storeys = int(rng.integers(2, 5))
        return Part(
            place=place,
            length_m=length_m,
            width_m=width_m,
            height_m=storeys * _STOREY_M,
            roof="flat",
            skin=_FLAT_SKINS[int(rng.integers(len(_FLAT_SKINS)))],
            storeys=storeys,
            seed=seed,
            fixtures=_draw_fixtures(rng, length_m, width_m),
        )
    storeys = int(rng.integers(1, 3))
    return Part(
        place=place,
        length_m=length_m,
        width_m=width_m,
        height_m=storeys * _STOREY_M + _EAVES_M,
        rise_m=float(rng.uniform(0.4, 0.6)) * min(width_m, length_m) / 2,
        roof="gable" if rng.random() < 0.6 else "hip",  # gables are cheaper
        skin=_TILE_SKINS[int(rng.integers(len(_TILE_SKINS)))],
        storeys=storeys,
        seed=seed,
    )


def draw_shed(rng: np.random.Generator, place: Place, length_m: float, width_m: float) -> Part:
    """Draw a light shed of coloured steel or cement sheet."""
    wide = width_m > 6.0  # what one slope of sheets spans
    return Part(
        place=place,
        length_m=length_m,
        width_m=width_m,
        height_m=float(rng.uniform(2.7, 3.6)) + (1.0 if wide else 0.0),
        rise_m=(0.22 if wide else 0.12) * width_m / 2,
        roof="gable" if wide else "mono",
        skin=_SHED_SKINS[int(rng.integers(len(_SHED_SKINS)))],
        storeys=1,
        seed=_draw_seed(rng),
    )


def draw_wing(rng: np.random.Generator, place: Place, length_m: float, width_m: float) -> Part:
    """Draw the low kitchen or porch at the side of a house."""
    return Part(
        place=place,
        length_m=length_m,
        width_m=width_m,
        height_m=_STOREY_M,
        roof="flat",
        skin=_FLAT_SKINS[int(rng.integers(len(_FLAT_SKINS)))],
        storeys=1,
        seed=_draw_seed(rng),
    )


def draw_hall(rng: np.random.Generator, place: Place, length_m: float, width_m: float) -> Part:
    """Draw a factory hall."""
    return Part(
        place=place,
        length_m=length_m,
        width_m=width_m,
        height_m=float(rng.uniform(6.5, 9.0)),
        rise_m=0.16 * width_m / 2,
        roof="gable",
        skin=_HALL_SKINS[int(rng.integers(len(_HALL_SKINS)))],
        storeys=1,
        seed=_draw_seed(rng),
    )


def raise_storey(part: Part) -> Part:
    """Put one more storey on a flat roof and set the fixtures on top again."""
    return Part(
        place=part.place,
        length_m=part.length_m,
        width_m=part.width_m,
        height_m=part.height_m + _STOREY_M,
        roof="flat",
        skin=part.skin,
        storeys=part.storeys + 1,
        seed=part.seed + 1,
        fixtures=part.fixtures,
    )


def seat_on_roof(rng: np.random.Generator, host: Part) -> tuple[Part, Part]:
    """Put a light room on one end of a flat roof.

    Returns
    -------
    tuple of Part
        The host without the fixtures that had to go, and the room.
    """
    length_m = 0.45 * host.length_m
    width_m = host.width_m - 1.2
    u = float(rng.choice([-1.0, 1.0])) * (host.length_m / 2 - 0.5 - length_m / 2)
    room = Part(
        place=host.place.move(u, 0.0),
        length_m=length_m,
        width_m=width_m,
        base_m=host.height_m,
        height_m=host.height_m + 2.7,
        rise_m=0.4,
        roof="mono",
        skin="steel_blue" if rng.random() < 0.6 else "steel_red",  # blue is usual
        storeys=host.storeys + 1,
        seed=_draw_seed(rng),
    )
    reach = length_m / 2 + _ADDITION_CLEARANCE_M
    kept = tuple(item for item in host.fixtures if abs(item.u - u) > reach)
    cleared = Part(
        place=host.place,
        length_m=host.length_m,
        width_m=host.width_m,
        height_m=host.height_m,
        roof="flat",
        skin=host.skin,
        storeys=host.storeys,
        seed=host.seed,
        fixtures=kept,
    )
    return cleared, room
