"""What covers slabs: concrete, terracotta, sealing, boards, and the litter on all of them."""

import numpy as np
import numpy.typing as npt

from survey.simulation.painting.coats import FINE, MIDDLE, WIDE, Coat, Spot, base_of, shade, toned
from survey.simulation.painting.pieces import (
    between,
    blend,
    colour_of,
    dice,
    draw,
    index,
    line,
    pick,
    resolved,
    to_multiple,
)
from survey.simulation.painting.texture import mix_seed, smooth_step

__all__ = ["coat_boards", "coat_concrete"]

Singles = npt.NDArray[np.float32]

_ALGAE = colour_of((58, 58, 50))
_DAMP = colour_of((84, 80, 74))
_LIME = colour_of((190, 186, 178))
_BITUMEN = colour_of((64, 64, 66))
_SCREED = colour_of((172, 168, 160))
_FRESH = colour_of((128, 126, 122))
_LITTER = (
    (46, 44, 42), (198, 192, 184), (124, 84, 62), (92, 92, 94), (150, 138, 118), (58, 88, 124),
    (84, 92, 56), (170, 66, 56),
)  # fmt: skip
_LITTER_M = 1.1


def coat_concrete(spot: Spot, skin: str) -> Coat:
    """Cover a flat roof: concrete, or terracotta or a sealing on it, stained by standing water."""
    part = spot.part
    wide, middle, fine = spot.noise(1, WIDE), spot.noise(2, MIDDLE), spot.noise(3, FINE)
    new = skin == "concrete_new"
    age = between(part.seed, 4, 0.05, 0.35) if new else between(part.seed, 4, 0.3, 1.0)
    tone = wide * np.float32(0.09 + 0.11 * age)
    tone += middle * np.float32(0.045 + 0.06 * age)
    tone += fine * np.float32(0.085)
    tone += np.float32(1.0)
    albedo = toned(base_of(part, skin, 0.1), tone)
    if skin.startswith("concrete"):
        _add_repairs(spot, albedo)
    elif skin == "terracotta":
        _add_slabs(spot, albedo)
    else:
        _add_laps(spot, albedo)
    _stain(spot, albedo, age)
    area_m2 = part.length_m * part.width_m
    bumps = None
    if part.roof == "flat" and area_m2 < 900.0:  # beyond this a factory's or a school's
        dense = between(part.seed, 6, 0.03, 0.3) * (0.4 if area_m2 > 300.0 else 1.0)
        bumps = _litter(spot, albedo, dense)
    return Coat(albedo=albedo, ragged=fine * np.float32(0.025), bumps=bumps, shine=0.04)


def _stain(spot: Spot, albedo: Singles, age: float) -> None:
    """Leave what years of rain leave: damp hollows, tide marks, algae along walls, cracks."""
    wide, middle = spot.noise(1, WIDE), spot.noise(2, MIDDLE)
    pool = wide + middle * np.float32(0.35)
    pool += np.float32(between(spot.part.seed, 5, -0.5, 0.6))
    wet = smooth_step(pool, 0.55, 1.1)
    blend(albedo, _DAMP, wet * np.float32(0.75 * age))
    rim = line(np.abs(pool - np.float32(0.55)), 0.16, 0.1)  # tide mark of a dried puddle
    blend(albedo, _LIME, rim * np.float32(0.35 * age))
    foot = np.clip(np.float32(1.0) - spot.inside * np.float32(0.9), 0.0, 1.0)
    foot *= foot
    foot *= np.clip(np.float32(0.55) + middle * np.float32(0.45), 0.0, 1.0)
    foot += _drains(spot, middle)
    blend(albedo, _ALGAE, np.minimum(foot, np.float32(1.0)) * np.float32(0.75 * age))
    crack = line(np.abs(middle + np.float32(0.2)), 0.035, 0.05)
    crack *= np.float32(-0.3 * age * resolved(0.3, spot.pixel_m))
    crack += np.float32(1.0)
    shade(albedo, crack)


def _drains(spot: Spot, wobble: Singles) -> Singles:
    """Darken the way of the water to one corner or the middle of a side."""
    part, seed = spot.part, mix_seed(spot.part.seed, 7)
    side = 1.0 if draw(seed, 1) < 0.5 else -1.0
    end = (-1.0, 0.0, 1.0)[int(3 * draw(seed, 2))]
    du = spot.u - np.float32(end * (part.length_m / 2 - 0.4))
    dv = spot.v - np.float32(side * (part.width_m / 2 - 0.4))
    du *= du
    dv *= dv
    du += dv
    away = np.sqrt(du)
    away -= wobble * np.float32(0.35)
    return smooth_step(away, between(seed, 3, 0.8, 2.4), 0.0)


def _add_repairs(spot: Spot, albedo: Singles) -> None:
    """Lay screed, sealing and cement over parts of a concrete roof, and show where it joins."""
    part, wide, middle = spot.part, spot.noise(1, WIDE), spot.noise(2, MIDDLE)
    step = between(part.seed, 8, 2.8, 4.6)
    joint = line(to_multiple(spot.u, step, between(part.seed, 9, 0.0, step)), 0.04, spot.pixel_m)
    shade(albedo, np.float32(1.0) - joint * np.float32(0.3 * draw(part.seed, 10)))
    for turn in range(int(0.6 + 4.0 * draw(part.seed, 11))):
        kind = draw(part.seed, 20 + turn)
        colour = _BITUMEN if kind < 0.15 else _FRESH if kind < 0.55 else _SCREED
        share = _patch(spot, 12 + turn, middle)
        share *= np.clip(np.float32(0.55) + wide * np.float32(0.2), 0.1, 0.9)
        blend(albedo, colour, share)


def _add_slabs(spot: Spot, albedo: Singles) -> None:
    """Show insulating or fired slabs, each of its own shade, and their joints."""
    size = between(spot.part.seed, 15, 0.3, 0.6)
    gap = line(to_multiple(spot.u, size), 0.03, spot.pixel_m)
    np.maximum(gap, line(to_multiple(spot.v, size), 0.03, spot.pixel_m), out=gap)
    each = dice(index(spot.u, size, size / 2), index(spot.v, size, size / 2), spot.part.seed)
    each *= np.float32(0.3 * resolved(size, spot.pixel_m))
    each += np.float32(1.0 - 0.15 * resolved(size, spot.pixel_m))
    each -= gap * np.float32(0.4)
    shade(albedo, each)


def _add_laps(spot: Spot, albedo: Singles) -> None:
    """Show the strips a sealing is rolled out in, one overlapping the next, some renewed."""
    lap = line(to_multiple(spot.v, 1.0, 0.5), 0.08, spot.pixel_m)
    strip = dice(index(spot.v, 1.0), index(spot.u, 7.5), spot.part.seed)
    tone = strip * np.float32(0.16)
    tone += np.float32(0.92)
    tone -= lap * np.float32(0.16)
    shade(albedo, tone)


def coat_boards(spot: Spot, skin: str) -> Coat:
    """Cover a slab in formwork: boards and panels, wet or bare concrete, splashes of grout."""
    part, pixel = spot.part, spot.pixel_m
    middle, fine = spot.noise(2, MIDDLE), spot.noise(3, FINE)
    column, row = index(spot.u, 1.83), index(spot.v, 0.915)  # plywood of 6 by 3 feet
    each = dice(column, row, part.seed)
    gap = line(to_multiple(spot.u, 1.83), 0.03, pixel)
    np.maximum(gap, line(to_multiple(spot.v, 0.915), 0.03, pixel), out=gap)
    tone = each * np.float32(0.45)
    tone += middle * np.float32(0.12) + fine * np.float32(0.12)
    tone += np.float32(0.75)
    tone -= gap * np.float32(0.4)
    albedo = toned(base_of(part, skin), tone)
    grout = smooth_step(spot.noise(1, WIDE) + middle * np.float32(0.4), -0.1, 1.0)
    blend(albedo, base_of(part, "concrete_new") * np.float32(0.75), grout * np.float32(0.6))
    other = (dice(column, row, part.seed + 1) > np.float32(0.8)).astype(np.float32)
    blend(albedo, base_of(part, "tile_red"), other * np.float32(0.25))
    bumps = _litter(spot, albedo, between(part.seed, 6, 0.15, 0.4))
    return Coat(albedo=albedo, ragged=fine * np.float32(0.04), bumps=bumps)


def _patch(spot: Spot, step: int, wobble: Singles) -> Singles:
    """Cover a rectangle somewhere on a roof, with a rough edge."""
    part, seed = spot.part, mix_seed(spot.part.seed, step)
    half_u = part.length_m * between(seed, 1, 0.08, 0.3)
    half_v = part.width_m * between(seed, 2, 0.08, 0.35)
    u = np.abs(spot.u - np.float32(part.length_m * between(seed, 3, -0.5, 0.5)))
    u -= np.float32(half_u)
    v = np.abs(spot.v - np.float32(part.width_m * between(seed, 4, -0.5, 0.5)))
    v -= np.float32(half_v)
    np.maximum(u, v, out=u)
    u += wobble * np.float32(0.18)
    return smooth_step(u, 0.12, -0.12)


def _litter(spot: Spot, albedo: Singles, density: float) -> Singles:
    """Strew small things over a roof, a third of them moved by the next flight.

    Returns
    -------
    numpy.ndarray
        Their heights, metres, float32, shape (rows, columns).
    """
    seed = mix_seed(spot.part.seed, 30)
    column, row = index(spot.u, _LITTER_M), index(spot.v, _LITTER_M)
    there = dice(column, row, seed)
    moved = dice(column, row, mix_seed(spot.flight_seed, spot.part.seed))
    kind = dice(column, row, seed + 1)
    np.copyto(there, moved, where=kind < np.float32(0.33))
    du = _off_middle(spot.u, dice(column, row, seed + 2))
    dv = _off_middle(spot.v, dice(column, row, seed + 3))
    du *= np.float32(0.5) + kind
    np.maximum(du, dv, out=du)
    # Half sides of 4 to 26 cm, less towards the middle: things are swept to the parapet.
    share = there * np.float32(-0.22 / density)
    share += np.float32(0.26)
    share -= np.clip(spot.inside - np.float32(1.5), 0.0, 4.0) * np.float32(0.035)
    share -= du
    share *= np.float32(1.0 / spot.pixel_m)
    share += np.float32(0.5)
    np.clip(share, np.float32(0.0), np.float32(1.0), out=share)
    blend(albedo, pick(_LITTER, kind), share)
    share *= np.float32(0.12) + np.float32(0.5) * (kind * kind)
    return share


def _off_middle(along: Singles, chance: Singles) -> Singles:
    """Give the distance to a point of the cell that chance picks, off its rim, metres."""
    away = along * np.float32(1.0 / _LITTER_M)
    away -= np.floor(away)
    away -= chance * np.float32(0.5) + np.float32(0.25)
    np.abs(away, out=away)
    away *= np.float32(_LITTER_M)
    return away
