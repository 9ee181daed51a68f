"""Fields: rice, vegetables, film over rows, orchards, through the farmer's year."""

import math

import numpy as np
import numpy.typing as npt

from survey.simulation.painting.grain import (
    bumps,
    cells,
    crack,
    fade_rows,
    litter,
    mix,
    nudge,
    overlay,
    swell,
    tone,
    tufts,
    wave,
    wear,
)
from survey.simulation.painting.look import Look, Spot
from survey.simulation.painting.natural import bare_soil, dampen
from survey.simulation.painting.texture import hash_line, mix_seed, smooth_step

__all__ = ["crop_stage", "mulch", "orchard", "paddy", "vegetable"]

Singles = npt.NDArray[np.float32]

# Until which day of the year a field looks like what, and how far its rows have closed by then.
# Two crops of rice a year, as in the Pearl River delta; vegetables all year round.
_PADDY_YEAR = (
    (70, "ploughed", 0.0),
    (95, "flooded", 0.1),
    (135, "young", 0.5),
    (185, "lush", 0.9),
    (205, "ripe", 1.0),
    (225, "flooded", 0.1),
    (285, "lush", 0.9),
    (318, "ripe", 1.0),
    (366, "stubble", 0.6),
)
_VEGETABLE_YEAR = (
    (60, "young", 0.6),
    (120, "lush", 0.8),
    (160, "ploughed", 0.1),
    (230, "young", 0.7),
    (300, "lush", 0.9),
    (366, "ploughed", 0.2),
)
_LATEST_DAYS = 50  # neighbours sow up to so many days apart
_HEIGHT_M = {"young": 0.25, "lush": 0.6, "ripe": 0.8, "stubble": 0.12}
_BUND_M = 0.45
_FURROW_M = 0.07


def crop_stage(kind: str, day: int, seed: int) -> tuple[str, float]:
    """Say what a field looks like on a day of the year, and how far its rows have closed.

    Parameters
    ----------
    kind
        `paddy` or any other field.
    day
        Day of the year, from 1.
    seed
        Seed of the field: neighbours sow days apart.

    Returns
    -------
    tuple
        `ploughed`, `flooded`, `young`, `lush`, `ripe` or `stubble`, and 0 to 1.
    """
    shifted = (day + seed % _LATEST_DAYS - _LATEST_DAYS // 2) % 365
    calendar = _PADDY_YEAR if kind == "paddy" else _VEGETABLE_YEAR
    return next((name, closed) for end, name, closed in calendar if shifted < end)


def _rows(spot: Spot, spacing_m: float, bent: Singles) -> tuple[Singles, Singles]:
    """Give a wave of -1 to 1 across rows that are not quite straight, and its climb to the sun."""
    _, v = spot.box.frame()
    v += np.float32(0.12 * spacing_m) * bent
    bearing = math.radians(spot.patch.place.bearing_deg)
    sun = spot.moment.sun
    across = sun.east * math.cos(bearing) - sun.north * math.sin(bearing)
    v *= np.float32(1.0 / spacing_m)
    here = wave(v)
    climb = wave(v + np.float32(0.06)) - here
    shown = fade_rows(spacing_m, spot.box.lattice.pixel_m)
    climb *= np.float32(-shown * across / (0.06 * spacing_m))
    here *= np.float32(shown)
    return here, climb


def _earth(spot: Spot, fine: Singles, hue: Singles) -> Singles:
    """Give the soil of a field, wet after rain."""
    albedo = bare_soil(
        spot.box.lattice,
        spot.patch.seed,
        np.float32(0.6) * hue,
        np.float32(0.4) * fine,
        uneven=0.35,
    )
    dampen(albedo, 0.12 + 0.7 * spot.moment.wetness)
    return albedo


def _crop(spot: Spot, stage: str, closed: float, spacing_m: float) -> Look:
    """Give rows of plants over soil."""
    lattice, seed, sun = spot.box.lattice, spot.patch.seed, spot.moment.sun
    hue, bent = swell(lattice, mix_seed(seed, 1)), wear(lattice, mix_seed(seed, 2))
    fresh = mix_seed(seed, spot.moment.flight)
    fine = tufts(lattice, fresh)
    rows, climb = _rows(spot, spacing_m, bent)
    albedo = _earth(spot, fine, hue)
    grown = rows + np.float32(0.35) * fine
    grown += np.float32(0.3) * hue
    grown += np.float32(0.25) * bent
    plant = smooth_step(grown, 0.75 - 2.2 * closed, 1.35 - 2.2 * closed)
    leaf = mix(tone(stage), tone("grass_dry"), np.float32(0.3) * smooth_step(hue, 0.0, 2.5))
    light = np.float32(0.17) * fine + np.float32(0.07) * bent
    light += np.float32(0.13) * rows
    light += np.float32(0.96 - 0.1 * closed)
    leaf *= light
    leaf -= albedo
    leaf *= plant
    albedo += leaf
    there, _ = nudge(lattice, sun)
    height = _HEIGHT_M.get(stage, 0.2) * closed
    tilt = bumps(lattice, fine, tufts(there, fresh), 0.035 + 0.03 * height, sun)
    tilt += np.float32(0.05 + 0.1 * height) * climb
    return Look(albedo=albedo, tilt=tilt, rise=np.float32(height) * plant)


def _ploughed(spot: Spot, spacing_m: float) -> Look:
    """Give furrows, the clods between them, and the turns of the plough at the edges."""
    lattice, seed = spot.box.lattice, spot.patch.seed
    hue, bent = swell(lattice, mix_seed(seed, 1)), wear(lattice, mix_seed(seed, 2))
    fine = tufts(lattice, mix_seed(seed, 3))
    rows, climb = _rows(spot, spacing_m, bent)
    albedo = _earth(spot, fine, hue)
    u, _ = spot.box.frame()
    u *= np.float32(1.0 / (6.0 + seed % 7))
    u += np.float32(0.03) * bent
    light = np.float32(0.07) * rows + np.float32(0.98)
    light -= np.float32(0.06) * crack(hue, 0.06)
    light -= np.float32(0.09) * crack(
        u - np.floor(u) - np.float32(0.5), 0.03
    )  # ends of the plough's bouts
    albedo *= light
    if spot.patch.seed % 3 == 0:  # stalks left on it
        straw = smooth_step(litter(lattice, mix_seed(seed, 4)) + hue, 1.2, 2.4)
        overlay(albedo, tone("straw"), np.float32(0.6) * straw)
    there, _ = nudge(lattice, spot.moment.sun)
    tilt = bumps(lattice, fine, tufts(there, mix_seed(seed, 3)), 0.011, spot.moment.sun)
    tilt += np.float32(_FURROW_M * 0.5) * climb * (np.float32(1.0) + np.float32(0.4) * bent)
    return Look(albedo=albedo, tilt=tilt)


def _flooded(spot: Spot) -> Look:
    """Give a field under a hand's breadth of muddy water, mud showing where it is high."""
    lattice, seed = spot.box.lattice, spot.patch.seed
    hue = swell(lattice, mix_seed(seed, 1))
    sheen = wear(lattice, mix_seed(spot.moment.seed, seed))
    albedo = mix(tone("mud"), tone("water"), smooth_step(hue, -1.0, 1.5))
    albedo *= np.float32(0.85) + np.float32(0.03) * sheen
    overlay(albedo, tone("sky"), np.full_like(hue, 0.1))
    land = hue + np.float32(0.25) * tufts(lattice, mix_seed(seed, 3))
    land -= np.float32(0.6 * spot.moment.water_m)
    bare = smooth_step(land, 1.1, 1.4)
    overlay(albedo, tone("mud"), bare)
    return Look(albedo=albedo, water=np.float32(1.0) - bare)


def _bund(spot: Spot, look: Look) -> Look:
    """Put a grassy bank around a field."""
    bank = np.float32(1.0) - smooth_step(spot.inside, 0.6 * _BUND_M, 1.5 * _BUND_M)
    green = tone("grass_dry") + (tone("grass_green") - tone("grass_dry")) * np.float32(
        spot.moment.green
    )
    grass = green * (np.float32(0.95) + np.float32(0.2) * tufts(spot.box.lattice, spot.patch.seed))
    overlay(look.albedo, grass, bank)
    rise = np.float32(0.22) * bank
    if look.rise is not None:
        rise += look.rise * (np.float32(1.0) - bank)
    water = None if look.water is None else look.water * (np.float32(1.0) - bank)
    return Look(albedo=look.albedo, tilt=look.tilt, rise=rise, water=water)


def paddy(spot: Spot) -> Look:
    """Give a rice field on the day it is seen, with its bunds."""
    stage, closed = crop_stage("paddy", spot.moment.day, spot.patch.seed)
    if stage == "ploughed":
        return _bund(spot, _ploughed(spot, 0.8))
    if stage == "flooded":
        return _bund(spot, _flooded(spot))
    return _bund(spot, _crop(spot, stage, closed, 0.4))


def vegetable(spot: Spot) -> Look:
    """Give beds of vegetables; a field is often several strips of different age."""
    stage, closed = crop_stage("vegetable", spot.moment.day, spot.patch.seed)
    spacing_m = 0.9 + 0.1 * (spot.patch.seed % 8)
    if stage == "ploughed":
        return _ploughed(spot, spacing_m)
    look = _crop(spot, stage, closed, spacing_m)
    u, _ = spot.box.frame()
    strip = np.floor(u * np.float32(1.0 / (7.0 + spot.patch.seed % 6))).astype(np.int64)
    tint = hash_line(strip, mix_seed(spot.patch.seed, 7))
    look.albedo[...] *= np.float32(0.85) + np.float32(0.3) * tint
    return look


def mulch(spot: Spot) -> Look:
    """Give beds under black or silver film, with plants in its holes from spring to autumn."""
    lattice, seed = spot.box.lattice, spot.patch.seed
    fine, bent = tufts(lattice, mix_seed(seed, 3)), wear(lattice, mix_seed(seed, 2))
    hue = swell(lattice, mix_seed(seed, 1))
    spacing_m = 1.2 + 0.1 * (seed % 5)
    rows, climb = _rows(spot, spacing_m, np.float32(0.4) * bent)
    albedo = _earth(spot, fine, hue)
    film = smooth_step(rows + np.float32(0.05) * fine, -0.3, -0.1)
    name = "film_silver" if seed % 2 else "film_black"
    glare = np.float32(1.0) + np.float32(0.16) * fine + np.float32(0.1) * bent
    overlay(albedo, tone(name) * glare, film * (bent < np.float32(2.4)))
    u, v = spot.box.frame()
    along, across, _ = cells(u, v, 0.45, seed)
    leaf = smooth_step(np.sqrt(along * along + across * across) - np.float32(0.04) * fine, 0.2, 0.1)
    leaf *= film * np.float32(0.25 + 0.7 * spot.moment.green)
    overlay(albedo, tone("lush"), leaf)
    tilt = np.float32(0.07) * climb
    return Look(albedo=albedo, tilt=tilt, water=np.float32(0.25) * film)


def orchard(spot: Spot) -> Look:
    """Give the ground of an orchard: grass between rows kept bare under the trees."""
    lattice, seed, moment = spot.box.lattice, spot.patch.seed, spot.moment
    fine, hue = tufts(lattice, mix_seed(seed, 3)), swell(lattice, mix_seed(seed, 1))
    rows, _ = _rows(spot, 4.0, wear(lattice, mix_seed(seed, 2)))
    albedo = _earth(spot, fine, hue)
    ragged = rows + np.float32(0.3) * fine
    ragged += np.float32(0.35) * hue
    grass = mix(
        tone("grass_dry"),
        tone("grass_green"),
        np.clip(np.float32(moment.green) + np.float32(0.2) * hue, 0.0, 1.0),
    )
    grass *= np.float32(0.97) + np.float32(0.24) * fine
    overlay(albedo, grass, smooth_step(ragged, -0.5, 0.3))
    there, _ = nudge(lattice, moment.sun)
    tilt = bumps(lattice, fine, tufts(there, mix_seed(seed, 3)), 0.03, moment.sun)
    return Look(albedo=albedo, tilt=tilt)
