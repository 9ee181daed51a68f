"""Ground nobody has paved: soil, grass, weeds and bushes, mixed in ragged patches."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from survey.simulation.painting.canvas import Lattice
from survey.simulation.painting.grain import (
    bumps,
    crack,
    litter,
    mix,
    mounds,
    nudge,
    overlay,
    swell,
    tone,
    tufts,
    wear,
)
from survey.simulation.painting.look import Look, Spot
from survey.simulation.painting.moment import Moment
from survey.simulation.painting.texture import mix_seed, smooth_noise, smooth_step, speckle

__all__ = ["HABITS", "Habit", "bare_soil", "dampen", "grow", "natural"]

Singles = npt.NDArray[np.float32]

_TUFT_M = 0.024  # standard deviation of the height of a grazed sward
_CLOD_M = 0.012
_BUSH_M = 0.4
_PATHS_M = 34.0
# Wet soil reflects about half as much, least in blue (D. B. Lobell and G. P. Asner, 2002, "Moisture
# effects on soil reflectance", Soil Sci. Soc. Am. J. 66, 722).
_WET = np.array((0.44, 0.48, 0.52), dtype=np.float32)[:, None, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """What grows on a piece of ground, in standard deviations of the noise that decides."""

    grass: float
    """How far grass spreads: 0 for half of the ground."""
    weeds: float
    """How far tall weeds spread."""
    bushes: float | None = None
    """How far bushes spread; None for none at all."""


HABITS: dict[str, Habit] = {
    "grass": Habit(grass=1.0, weeds=-1.5),
    "soil": Habit(grass=-1.2, weeds=-2.1),
    "scrub": Habit(grass=0.7, weeds=-0.6, bushes=-0.1),
}
"""Habit of each kind of natural ground."""


def dampen(albedo: Singles, damp: Singles | float) -> None:
    """Wet bare ground in place, from 0 (dry) to 1 (soaked)."""
    albedo *= np.float32(1.0) - _WET * np.asarray(damp, dtype=np.float32)


def bare_soil(
    lattice: Lattice, seed: int, hue: Singles, fine: Singles, uneven: float = 1.0
) -> Singles:
    """Give the reflectance of dry soil with its stones, shape (3, rows, columns).

    Parameters
    ----------
    lattice
        The window.
    seed
        Seed of the ground.
    hue
        Noise that goes from clay to silt, shape (rows, columns).
    fine
        Noise of clods, same shape.
    uneven
        How blotched it is over metres: 1 for waste ground, less where it is tilled.
    """
    area = np.float32(1.6 * (seed % 1000) / 1000.0 - 0.8)  # one area's soil is red, another's grey
    worn = np.float32(uneven) * wear(lattice, mix_seed(seed, 12))
    kind = np.float32(0.5) * worn + (hue + area)
    albedo = mix(tone("soil"), tone("silt"), smooth_step(kind, -0.3, 2.2))
    overlay(albedo, tone("clay"), np.float32(0.5) * smooth_step(kind, -0.3, -2.4))
    lumps = litter(lattice, mix_seed(seed, 4))
    light = np.float32(0.09) * lumps + np.float32(0.11) * fine
    light += np.float32(0.09) * hue
    light += np.float32(0.15) * worn
    light += np.float32(0.04) * speckle(lattice, mix_seed(seed, 5))
    stony = np.float32(0.55) * np.maximum(np.abs(lumps) - np.float32(1.9), np.float32(0.0))
    light += np.copysign(stony, lumps) * np.maximum(hue + np.float32(0.8), np.float32(0.0))
    light += np.float32(1.0)
    albedo *= np.maximum(light, np.float32(0.15), out=light)
    return albedo


def _sward(fine: Singles, mid: Singles, hue: Singles, land: Singles, green: Singles) -> Singles:
    """Give the reflectance of grass of a greenness 0 to 1, shape (3, rows, columns)."""
    albedo = mix(tone("grass_dry"), tone("grass_green"), green)
    overlay(albedo, tone("grass_lush"), green * smooth_step(land + fine, 0.2, 2.2))
    overlay(albedo, tone("straw"), smooth_step(hue + np.float32(0.5) * fine, 0.7, 2.4))
    light = np.float32(0.32) * fine
    light += np.float32(0.03) * fine * fine
    light += np.float32(0.14) * hue
    light += np.float32(0.15) * mid
    light += np.float32(0.98)
    albedo *= np.maximum(light, np.float32(0.15), out=light)
    return albedo


def grow(lattice: Lattice, seed: int, moment: Moment, habit: Habit) -> Look:
    """Cover a window with soil and what grows on it.

    Parameters
    ----------
    lattice
        The window.
    seed
        Seed of the ground.
    moment
        Season, weather and sun.
    habit
        What grows there.

    Returns
    -------
    Look
        Bushes, where there are any, raise the ground.
    """
    land, hue = swell(lattice, mix_seed(seed, 1)), swell(lattice, mix_seed(seed, 3))
    fine = tufts(lattice, mix_seed(seed, 2))
    year = wear(lattice, mix_seed(moment.seed, 6))
    albedo = bare_soil(lattice, seed, hue, fine)
    if moment.wetness > 0.0:
        _soak(albedo, land, moment.wetness)
    ragged = land + np.float32(0.4) * fine
    ragged += np.float32(0.1) * year
    mid = wear(lattice, mix_seed(seed, 13))
    ragged += np.float32(0.3) * mid
    shift = habit.grass + 0.7 * (moment.green - 0.5)
    grown = smooth_step(ragged + np.float32(shift), -0.5, 0.6)
    grown *= np.float32(1.0) - np.float32(0.85) * _paths(lattice, seed, hue)
    green = np.float32(0.2) * hue + np.float32(0.12) * year
    green += np.float32(0.12 + 0.85 * moment.green)
    grass = _sward(fine, mid, hue, land, np.clip(green, 0.0, 1.0, out=green))
    grass -= albedo
    grass *= grown
    albedo += grass
    weedy = smooth_step(hue + np.float32(0.6) * fine + np.float32(habit.weeds), 0.0, 0.8)
    weedy *= np.float32(0.35 + 0.6 * moment.green)
    leaf = tone("weed") * (np.float32(1.0) + np.float32(0.28) * fine)
    overlay(albedo, leaf, weedy)
    there, _ = nudge(lattice, moment.sun)
    tall = np.float32(_CLOD_M) + np.float32(_TUFT_M) * np.maximum(grown, weedy)
    tilt = bumps(lattice, fine, tufts(there, mix_seed(seed, 2)), 1.0, moment.sun)
    tilt *= tall
    look = Look(albedo=albedo, tilt=tilt)
    return look if habit.bushes is None else _bush(look, lattice, seed, moment, habit.bushes)


def _paths(lattice: Lattice, seed: int, hue: Singles) -> Singles:
    """Give 1 where feet have worn a winding path: a contour of slow noise."""
    way = smooth_noise(lattice.x, lattice.y, _PATHS_M, mix_seed(seed, 8))
    way += np.float32(0.006) * hue
    way -= np.float32(0.5)
    return crack(way, 0.035)


def _soak(albedo: Singles, land: Singles, wetness: float) -> None:
    """Wet soil more where water gathers, with puddles after rain."""
    low = np.float32(-0.3) * land
    low += np.float32(1.25 * wetness - 0.25)
    dampen(albedo, np.clip(low, 0.0, 1.0))
    if wetness > 0.5:
        puddle = smooth_step(land, -1.9 - 1.2 * (1.0 - wetness), -2.5 - 1.2 * (1.0 - wetness))
        overlay(albedo, tone("mud") * np.float32(0.6), puddle)


def _canopy(lattice: Lattice, seed: int, spread: float) -> Singles:
    """Give the height of bushes, metres, below 0 between them."""
    height = mounds(lattice, mix_seed(seed, 9))
    height += np.float32(0.9) * swell(lattice, mix_seed(seed, 1))
    height += np.float32(0.22) * tufts(lattice, mix_seed(seed, 10))
    height += np.float32(spread)
    height *= np.float32(_BUSH_M)
    return np.asarray(height, dtype=np.float32)


def _bush(look: Look, lattice: Lattice, seed: int, moment: Moment, spread: float) -> Look:
    """Let bushes stand on a ground."""
    height = _canopy(lattice, seed, spread)
    there, _ = nudge(lattice, moment.sun)
    leafy = smooth_step(height, -0.05, 0.12)
    shrub = wear(lattice, mix_seed(seed, 11))
    leaves = mix(tone("bush"), tone("grass_green"), smooth_step(shrub, -0.5, 2.0))
    bare = smooth_step(shrub, 2.0 - 2.2 * moment.green, -0.2 - 2.2 * moment.green)
    overlay(leaves, tone("twigs"), bare)
    leaves *= np.clip(np.float32(0.5) + np.float32(0.75) * height, 0.35, 1.4)
    albedo = look.albedo
    leaves -= albedo
    leaves *= leafy
    albedo += leaves
    lean = bumps(lattice, height, _canopy(there, seed, spread), 0.7, moment.sun)
    tilt = np.clip(lean, -0.7, 0.35) * leafy
    if look.tilt is not None:
        tilt += look.tilt
    return Look(albedo=albedo, tilt=tilt, rise=np.maximum(height, np.float32(0.0)))


def natural(spot: Spot) -> Look:
    """Cover a patch of soil, grass or scrub."""
    return grow(spot.box.lattice, spot.patch.seed, spot.moment, HABITS[spot.patch.kind])
