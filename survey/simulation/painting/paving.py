"""Paved and dumped ground: yards, asphalt, gravel, rubble, pits."""

import numpy as np
import numpy.typing as npt

from survey.simulation.painting.canvas import Lattice
from survey.simulation.painting.grain import (
    bumps,
    cells,
    crack,
    face_slope,
    litter,
    mix,
    mounds,
    nudge,
    overlay,
    paint,
    swell,
    tone,
    tufts,
    wear,
)
from survey.simulation.painting.look import Look, Spot
from survey.simulation.painting.moment import Moment
from survey.simulation.painting.natural import bare_soil, dampen
from survey.simulation.painting.texture import hash_line, mix_seed, smooth_step, speckle

__all__ = ["asphalt_albedo", "concrete", "gravel", "pit", "repair", "rubble", "slabs", "yard"]

Singles = npt.NDArray[np.float32]

_SLAB_M = 4.5  # side of the slabs in which yards are poured
_JOINT_M = 0.05
_LUMP_M = 0.3


def slabs(u: Singles, v: Singles, sides_m: tuple[float, float], seed: int) -> Singles:
    """Give the lightness of concrete slabs of these sides: each its own, joints dark."""
    along, across = u * np.float32(1.0 / sides_m[0]), v * np.float32(1.0 / sides_m[1])
    column, row = np.floor(along), np.floor(across)
    number = column.astype(np.int64) * 65_537 + row.astype(np.int64)
    light = np.float32(0.9) + np.float32(0.17) * hash_line(number, mix_seed(seed, 1))
    along -= column
    across -= row
    gap_u = np.minimum(along, np.float32(1.0) - along) * np.float32(sides_m[0])
    gap_v = np.minimum(across, np.float32(1.0) - across) * np.float32(sides_m[1])
    joint = crack(np.minimum(gap_u, gap_v), 1.8 * _JOINT_M)
    light -= np.float32(0.28) * joint
    return np.asarray(light, dtype=np.float32)


def _stain(albedo: Singles, lattice: Lattice, seed: int, moment: Moment) -> None:
    """Darken a paving where things dripped, lighten it where dust lies, wet it after rain."""
    dirt, land = wear(lattice, mix_seed(seed, 21)), swell(lattice, mix_seed(seed, 22))
    light = np.float32(0.075) * dirt + np.float32(0.06) * land
    light += np.float32(0.06) * litter(lattice, mix_seed(seed, 23))
    light += np.float32(0.04) * speckle(lattice, mix_seed(seed, 24))
    light += np.float32(0.98)
    albedo *= light
    overlay(albedo, tone("stain"), np.float32(0.45) * smooth_step(dirt + land, 1.5, 3.8))
    overlay(
        albedo,
        tone("dust"),
        np.float32(0.4) * smooth_step(np.float32(0.4) * dirt - land, -0.6, 3.0),
    )
    oil = litter(lattice, mix_seed(seed, 25)) + np.float32(0.5) * land
    overlay(albedo, tone("tar"), np.float32(0.5) * smooth_step(oil, 2.5, 3.3))
    if moment.wetness > 0.0:
        damp = np.float32(0.9 * moment.wetness) + np.float32(0.25) * land
        dampen(albedo, np.clip(damp, 0.0, 1.0) * np.float32(min(1.0, 2.0 * moment.wetness)))


def concrete(spot: Spot) -> Look:
    """Give a yard poured in slabs, stained and cracked, with weeds in its joints."""
    lattice, seed = spot.box.lattice, spot.patch.seed
    u, v = spot.box.frame()
    light = slabs(u, v, (_SLAB_M, _SLAB_M), seed)
    split = wear(lattice, mix_seed(seed, 3))
    light -= np.float32(0.16) * crack(split, 0.035)
    albedo = tone("concrete") * light
    _stain(albedo, lattice, seed, spot.moment)
    weedy = smooth_step(wear(lattice, mix_seed(seed, 4)), 1.0, 2.2) * (light < np.float32(0.84))
    overlay(albedo, tone("weed"), np.float32(0.7) * weedy)
    return Look(albedo=albedo)


def asphalt_albedo(lattice: Lattice, seed: int, moment: Moment) -> Singles:
    """Give old asphalt with stains, cracks and dust, shape (3, rows, columns)."""
    grey = swell(lattice, mix_seed(seed, 5))
    albedo = mix(tone("asphalt"), tone("tar"), np.float32(0.25) * smooth_step(grey, -0.5, 2.0))
    albedo *= np.float32(1.0) - np.float32(0.2) * crack(wear(lattice, mix_seed(seed, 6)), 0.03)
    _stain(albedo, lattice, seed, moment)
    return albedo


def yard(spot: Spot) -> Look:
    """Give a yard of asphalt."""
    return Look(albedo=asphalt_albedo(spot.box.lattice, spot.patch.seed, spot.moment))


def repair(spot: Spot) -> Look:
    """Give asphalt laid anew in a road: darker the younger, with a seam of tar."""
    lattice, seed = spot.box.lattice, spot.patch.seed
    fresh = 0.35 + 0.5 * (seed % 101) / 100.0
    albedo = asphalt_albedo(lattice, seed, spot.moment)
    dark = tone("tar") * (np.float32(1.0) + np.float32(0.05) * tufts(lattice, mix_seed(seed, 7)))
    overlay(albedo, dark, np.full_like(spot.inside, fresh))
    overlay(albedo, tone("tar") * np.float32(0.6), np.float32(0.6) * crack(spot.inside, 0.1))
    return Look(albedo=albedo)


def gravel(spot: Spot) -> Look:
    """Give loose gravel with the tracks of wheels and weeds coming through."""
    lattice, seed, moment = spot.box.lattice, spot.patch.seed, spot.moment
    hue, lumps = swell(lattice, mix_seed(seed, 1)), litter(lattice, mix_seed(seed, 2))
    albedo = mix(tone("gravel"), tone("dust"), smooth_step(hue, -0.4, 1.8))
    light = np.float32(0.08) * lumps + np.float32(0.1) * speckle(lattice, mix_seed(seed, 3))
    light += np.float32(0.1) * crack(hue, 0.25)
    light += np.float32(0.97)
    albedo *= light
    dampen(albedo, 0.8 * moment.wetness)
    ragged = wear(lattice, mix_seed(seed, 4)) - hue
    leaf = tone("grass_dry") + (tone("weed") - tone("grass_dry")) * np.float32(moment.green)
    overlay(albedo, leaf, smooth_step(ragged, 2.2 - moment.green, 3.2 - moment.green))
    there, _ = nudge(lattice, moment.sun)
    return Look(
        albedo=albedo,
        tilt=bumps(lattice, lumps, litter(there, mix_seed(seed, 2)), 0.014, moment.sun),
    )


def _heap(spot: Spot) -> Singles:
    """Give the height of dumped rubble, metres."""
    lattice, seed = spot.box.lattice, spot.patch.seed
    lumps = np.float32(0.3) * mounds(lattice, mix_seed(seed, 1))
    lumps += np.float32(0.35) * swell(lattice, mix_seed(seed, 6))
    lumps += np.float32(0.05) * litter(lattice, mix_seed(seed, 2))
    lumps += np.float32(1.0)
    high = max(spot.patch.lift_m, _LUMP_M)
    lumps *= np.float32(high) * smooth_step(spot.inside, -0.2, 1.5 * high)
    return np.asarray(np.maximum(lumps, np.float32(0.0)), dtype=np.float32)


def _tilt(spot: Spot, here: Singles, there: Singles, step_m: float) -> Singles:
    climb = np.clip((there - here) * np.float32(1.0 / step_m), -1.2, 1.2)
    return face_slope(climb, spot.moment.sun) - np.float32(spot.moment.sun.up)


def rubble(spot: Spot) -> Look:
    """Give heaps of broken brick and concrete with rags and planks in them."""
    lattice, seed = spot.box.lattice, spot.patch.seed
    hue = wear(lattice, mix_seed(seed, 3))
    albedo = mix(tone("concrete"), tone("brick"), np.float32(0.65) * smooth_step(hue, 0.0, 2.4))
    overlay(albedo, tone("dust"), smooth_step(hue, 0.0, -1.5))
    u, v = spot.box.frame()
    _, across, number = cells(u, v, 0.5, seed)
    shade = hash_line(number, mix_seed(seed, 4))
    light = np.float32(0.78) + np.float32(0.36) * shade
    light += np.float32(0.12) * litter(lattice, mix_seed(seed, 5))
    albedo *= np.maximum(light, np.float32(0.2))
    plank = (shade > np.float32(0.93)) * smooth_step(np.abs(across), 0.14, 0.06)
    overlay(albedo, paint("wood"), np.float32(0.8) * plank)
    land = swell(lattice, mix_seed(seed, 6))
    overlay(
        albedo,
        tone("soil"),
        np.float32(0.85) * smooth_step(land + np.float32(0.3) * hue, 0.2, -0.8),
    )
    dampen(albedo, 0.6 * spot.moment.wetness)
    further, step_m = spot.towards_sun()
    here = _heap(spot)
    return Look(albedo=albedo, tilt=_tilt(spot, here, _heap(further), step_m), rise=here)


def _hole(spot: Spot) -> Singles:
    """Give the height of the ground in a pit, metres, 0 and less."""
    deep = max(spot.patch.lift_m, _LUMP_M)
    rough = np.float32(0.25) * wear(spot.box.lattice, mix_seed(spot.patch.seed, 1))
    return np.asarray(
        np.float32(-deep) * smooth_step(spot.inside + rough, 0.0, 0.9 * deep + 0.3),
        dtype=np.float32,
    )


def pit(spot: Spot) -> Look:
    """Give an excavation: raw subsoil, steep sides, water on its floor after rain."""
    lattice, seed, moment = spot.box.lattice, spot.patch.seed, spot.moment
    hue, fine = wear(lattice, mix_seed(seed, 2)), tufts(lattice, mix_seed(seed, 3))
    albedo = bare_soil(lattice, seed, hue, fine)
    overlay(albedo, tone("clay"), np.float32(0.6) * smooth_step(hue, -1.5, 1.5))
    dampen(albedo, 0.25 + 0.6 * moment.wetness)
    further, step_m = spot.towards_sun()
    here = _hole(spot)
    tilt = _tilt(spot, here, _hole(further), step_m)
    deep = spot.inside - np.float32(0.9 * max(spot.patch.lift_m, _LUMP_M) + 0.8)
    low = np.minimum(deep, np.float32(1.5)) + np.float32(0.4) * hue
    low += np.float32(3.0 * (moment.wetness - 0.85))
    water = smooth_step(low, 0.0, 0.25)
    overlay(albedo, tone("mud") * np.float32(0.8), water)
    return Look(albedo=albedo, tilt=tilt * (np.float32(1.0) - water), rise=here, water=water)
