"""What covers the ground of a zone before anything stands on it: fields, yards, ponds, waste."""

from collections.abc import Callable
from typing import Literal

import numpy as np

from survey.simulation.drafting.land import Use, Zone
from survey.simulation.flights import Setting
from survey.simulation.scene import Patch, Place

__all__ = ["Ground", "cover_zone", "draw_patch", "pick"]

Ground = Literal[
    "concrete", "asphalt", "gravel", "soil", "grass", "scrub", "paddy", "vegetable", "orchard",
    "mulch", "pond", "pit", "rubble", "repair",
]  # fmt: skip
"""Kinds of ground cover."""

_Shares = tuple[tuple[Ground, float], ...]

# Shares of ground covers, by eye from open drone imagery.
_CROPS: _Shares = (
    ("paddy", 5.0), ("vegetable", 3.5), ("mulch", 0.8), ("soil", 1.2), ("grass", 0.8),
    ("scrub", 0.5), ("orchard", 0.6),
)  # fmt: skip
_TERRACES: _Shares = (("paddy", 4.0), ("vegetable", 3.0), ("soil", 1.5), ("grass", 1.5))
_IDLE: _Shares = (("scrub", 4.0), ("soil", 3.0), ("grass", 2.0), ("gravel", 1.0))
_PAVED: _Shares = (("concrete", 6.0), ("asphalt", 1.0), ("gravel", 1.0), ("soil", 0.8))
_LEAST_FIELD_M = 6.0


def pick(rng: np.random.Generator, shares: _Shares) -> Ground:
    """Choose a ground cover by its share."""
    weights = np.array([share for _, share in shares])
    return shares[int(rng.choice(len(shares), p=weights / weights.sum()))][0]


def draw_patch(
    rng: np.random.Generator,
    kind: Ground,
    place: Place,
    length_m: float,
    width_m: float,
    bend_m: float = 0.0,
) -> Patch:
    """Draw a patch of this kind; ponds are round as often as not."""
    round_one = kind in ("pond", "pit", "rubble") and rng.random() < 0.6
    return Patch(
        kind=kind,
        place=place,
        length_m=max(0.5, length_m),
        width_m=max(0.5, width_m),
        seed=int(rng.integers(2**31)),
        shape="ellipse" if round_one else "rectangle",
        bend_m=bend_m,
        lift_m=float(rng.uniform(0.2, 0.7)) if kind in ("rubble", "pit") else 0.0,
    )


def cover_zone(rng: np.random.Generator, zone: Zone, setting: Setting) -> list[Patch]:
    """Cover the ground of a zone.

    Parameters
    ----------
    rng
        Where chance comes from.
    zone
        The zone.
    setting
        The kind of ground around it: fields on hills are terraces.

    Returns
    -------
    list of Patch
        Later ones over earlier ones; yards of single houses are drawn with the houses.
    """
    if zone.use == "farmland" and setting == "hills":
        return _terraces(rng, zone)
    return _COVERS[zone.use](rng, zone)


def _whole(
    rng: np.random.Generator, zone: Zone, kind: Ground, bend_m: float, beyond_m: float = 0.8
) -> Patch:
    return draw_patch(
        rng, kind, zone.place, zone.length_m + beyond_m, zone.width_m + beyond_m, bend_m
    )


def _within(rng: np.random.Generator, zone: Zone, length_m: float, width_m: float) -> Place:
    """Draw a place where a rectangle of this size lies inside a zone."""
    slack_u = max(0.0, zone.length_m - length_m) / 2
    slack_v = max(0.0, zone.width_m - width_m) / 2
    u, v = float(rng.uniform(-slack_u, slack_u)), float(rng.uniform(-slack_v, slack_v))
    return zone.place.move(u, v)


def _spots(
    rng: np.random.Generator, zone: Zone, shares: _Shares, every_m2: float, size_m: float
) -> list[Patch]:
    """Scatter bent patches over a zone, one for so many square metres on average."""
    spots = []
    for _ in range(int(rng.poisson(zone.length_m * zone.width_m / every_m2))):
        length_m = float(min(zone.length_m, size_m * rng.lognormal(0.0, 0.5)))
        width_m = float(min(zone.width_m, length_m * rng.uniform(0.4, 1.0)))
        place = _within(rng, zone, length_m, width_m).move(0.0, 0.0, float(rng.normal(0.0, 12.0)))
        spots.append(draw_patch(rng, pick(rng, shares), place, length_m, width_m, 0.12 * width_m))
    return spots


def _dense(rng: np.random.Generator, zone: Zone) -> list[Patch]:
    spots = _spots(rng, zone, (("concrete", 2.0), ("soil", 2.0), ("gravel", 1.0)), 500.0, 9.0)
    return [_whole(rng, zone, "concrete", 0.3, 5.0), *spots]


def _village(rng: np.random.Generator, zone: Zone) -> list[Patch]:
    base: _Shares = (("soil", 3.0), ("grass", 3.0), ("concrete", 1.6), ("scrub", 1.0))
    found = [_whole(rng, zone, pick(rng, base), 1.2)]
    found += _spots(
        rng, zone, (("vegetable", 4.0), ("soil", 2.0), ("grass", 2.0), ("gravel", 0.6)), 520.0, 9.0
    )
    if rng.random() < 0.12:
        found.append(_pond(rng, zone, 0.3))
    return found


def _town(rng: np.random.Generator, zone: Zone) -> list[Patch]:
    shares: _Shares = (("concrete", 3.0), ("asphalt", 1.0), ("grass", 1.0), ("soil", 0.4))
    return [
        _whole(rng, zone, "concrete", 0.0, 5.0),
        *_spots(rng, zone, shares, 1500.0, 16.0),
    ]


def _industrial(rng: np.random.Generator, zone: Zone) -> list[Patch]:
    found = [_whole(rng, zone, pick(rng, _PAVED), 0.0, 2.0)]
    shares: _Shares = (("gravel", 2.0), ("soil", 2.0), ("grass", 2.0), ("asphalt", 1.0))
    return found + _spots(rng, zone, shares, 2600.0, 18.0)


def _market(rng: np.random.Generator, zone: Zone) -> list[Patch]:
    return [
        _whole(rng, zone, pick(rng, (("concrete", 3.0), ("asphalt", 2.0), ("soil", 1.0))), 0.2),
        *_spots(rng, zone, (("concrete", 1.0), ("gravel", 1.0)), 1400.0, 12.0),
    ]


def _park(rng: np.random.Generator, zone: Zone) -> list[Patch]:
    found = [_whole(rng, zone, "grass", 0.6)]
    for _ in range(int(rng.integers(1, 4))):
        place = _within(rng, zone, 2.0, 2.0).move(0.0, 0.0, float(rng.uniform(0.0, 180.0)))
        found.append(draw_patch(rng, "concrete", place, 0.7 * zone.width_m, 2.2, 0.8))
    if rng.random() < 0.5:
        found.append(_pond(rng, zone, 0.4))
    return found + _spots(rng, zone, (("scrub", 2.0), ("concrete", 1.0)), 900.0, 8.0)


def _waste(rng: np.random.Generator, zone: Zone) -> list[Patch]:
    found = [_whole(rng, zone, pick(rng, _IDLE), 2.5)]
    found += _spots(rng, zone, _IDLE, 350.0, 13.0)
    found += _spots(rng, zone, (("rubble", 3.0), ("pit", 1.0), ("soil", 1.0)), 900.0, 7.0)
    return found


def _woods(rng: np.random.Generator, zone: Zone) -> list[Patch]:
    found = [_whole(rng, zone, "scrub", 3.0, 2.0)]
    return found + _spots(rng, zone, (("grass", 2.0), ("soil", 1.0), ("scrub", 2.0)), 700.0, 11.0)


def _orchard(rng: np.random.Generator, zone: Zone) -> list[Patch]:
    found = []
    for place, length_m, width_m in _mosaic(rng, zone, 2600.0):
        kind = pick(rng, (("orchard", 8.0), ("grass", 1.0), ("vegetable", 0.7)))
        found.append(draw_patch(rng, kind, place, length_m, width_m, 1.0))
    return found


def _greenhouses(rng: np.random.Generator, zone: Zone) -> list[Patch]:
    return [
        _whole(rng, zone, pick(rng, (("soil", 3.0), ("grass", 2.0), ("gravel", 0.6))), 1.0),
        *_spots(rng, zone, (("vegetable", 2.0), ("grass", 2.0), ("concrete", 0.6)), 1500.0, 10.0),
    ]


def _pond(rng: np.random.Generator, zone: Zone, most: float) -> Patch:
    side_m = min(zone.length_m, zone.width_m) * float(rng.uniform(0.4, 1.0)) * most
    length_m = side_m * float(rng.uniform(1.0, 1.8))
    place = _within(rng, zone, length_m, side_m).move(0.0, 0.0, float(rng.normal(0.0, 8.0)))
    return draw_patch(rng, "pond", place, length_m, side_m, 0.06 * side_m)


def _mosaic(
    rng: np.random.Generator, zone: Zone, field_m2: float
) -> list[tuple[Place, float, float]]:
    """Split a zone into fields of varying size, with balks between them."""
    waiting = [(zone.place, zone.length_m, zone.width_m)]
    fields = []
    while waiting:
        place, length_m, width_m = waiting.pop()
        if length_m < width_m:
            place, length_m, width_m = place.move(0.0, 0.0, 90.0), width_m, length_m
        # long strips are ploughed lengthwise, so few fields are square
        whole = length_m * width_m < 1.6 * field_m2 * float(rng.lognormal(0.0, 0.5))
        if whole or length_m < 2.0 * _LEAST_FIELD_M:
            balk_m = float(rng.uniform(0.4, 1.3))
            tilted = place.move(0.0, 0.0, float(rng.normal(0.0, 0.8)))
            fields.append((tilted, length_m - balk_m, width_m - balk_m))
            continue
        cut = float(rng.uniform(0.3, 0.7))
        if rng.random() < 0.3 and width_m > 2.0 * _LEAST_FIELD_M:
            one, two = cut * width_m, (1.0 - cut) * width_m
            waiting.append((place.move(0.0, (one - width_m) / 2), length_m, one))
            waiting.append((place.move(0.0, (width_m - two) / 2), length_m, two))
            continue
        one, two = cut * length_m, (1.0 - cut) * length_m
        waiting.append((place.move((one - length_m) / 2, 0.0), one, width_m))
        waiting.append((place.move((length_m - two) / 2, 0.0), two, width_m))
    return fields


def _farmland(rng: np.random.Generator, zone: Zone) -> list[Patch]:
    """Lay a mosaic of fields; a crop is often the same as in the field before."""
    found = [_whole(rng, zone, pick(rng, (("grass", 2.0), ("scrub", 1.0), ("soil", 1.0))), 0.6)]
    size_m2 = float(rng.uniform(350.0, 1800.0))
    ponds = float(rng.choice([0.02, 0.06, 0.5], p=[0.6, 0.3, 0.1]))  # some land is all fish ponds
    kind = pick(rng, _CROPS)
    for place, length_m, width_m in _mosaic(rng, zone, size_m2):
        if rng.random() < 0.55:
            kind = pick(rng, _CROPS)
        wet = rng.random() < ponds
        bend_m = 0.05 * width_m * float(rng.uniform(0.2, 1.0))
        found.append(draw_patch(rng, "pond" if wet else kind, place, length_m, width_m, bend_m))
    return found


def _terraces(rng: np.random.Generator, zone: Zone) -> list[Patch]:
    """Lay long narrow fields that follow the slope, strongly bent."""
    found = [_whole(rng, zone, "scrub", 2.0)]
    v = -zone.width_m / 2
    while v < zone.width_m / 2 - 4.0:
        depth_m = min(float(rng.uniform(4.0, 11.0)), zone.width_m / 2 - v)
        length_m = zone.length_m * float(rng.uniform(0.55, 1.0))
        slack_m = (zone.length_m - length_m) / 2
        u = float(rng.uniform(-slack_m, slack_m))
        place = zone.place.move(u, v + depth_m / 2, float(rng.normal(0.0, 1.5)))
        kind = pick(rng, _TERRACES)
        found.append(draw_patch(rng, kind, place, length_m, depth_m - 0.8, 0.22 * depth_m))
        v += depth_m
    return found


_COVERS: dict[Use, Callable[[np.random.Generator, Zone], list[Patch]]] = {
    "dense": _dense,
    "village": _village,
    "town": _town,
    "industrial": _industrial,
    "greenhouses": _greenhouses,
    "farmland": _farmland,
    "orchard": _orchard,
    "woods": _woods,
    "market": _market,
    "park": _park,
    "waste": _waste,
}
