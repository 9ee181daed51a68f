"""Standing water: its banks, its level, and the light it throws back."""

import numpy as np
import numpy.typing as npt

from survey.simulation.painting.canvas import Lattice
from survey.simulation.painting.grain import mix, overlay, swell, tone, tufts, wear
from survey.simulation.painting.look import Look, Spot
from survey.simulation.painting.moment import Moment
from survey.simulation.painting.texture import mix_seed, smooth_step

__all__ = ["DEPTH_M", "pond", "water_albedo"]

Singles = npt.NDArray[np.float32]

DEPTH_M = 0.6
"""How far the water of ponds and canals lies below the ground, metres."""
_RIM_M = 0.9  # mean width of the bank
_BANK_SLOPE = 1.6  # metres across per metre of height
_GLITTER_UP = 0.77  # a sun above 50 degrees is mirrored within the field of view of a wide lens


def water_albedo(lattice: Lattice, seed: int, moment: Moment, foul: float) -> Singles:
    """Give what water sends back to the camera, shape (3, rows, columns).

    Parameters
    ----------
    lattice
        The window.
    seed
        Seed of the water.
    moment
        Flight and sun; the surface is never the same twice.
    foul
        How much of it algae and scum cover, 0 to 1.
    """
    depth = swell(lattice, mix_seed(seed, 1))
    breeze = swell(lattice, mix_seed(moment.seed, seed, 2))
    clear = np.float32(0.5 + 0.5 * ((seed % 97) / 96.0)) * smooth_step(depth, -3.0, 2.0)
    albedo = mix(tone("water"), tone("deep_water"), clear)
    ripple = tufts(lattice, mix_seed(moment.seed, seed, 3))
    sky = np.float32(0.035) * breeze + np.float32(0.07)
    sky += np.float32(0.012) * ripple * np.maximum(breeze + np.float32(0.6), np.float32(0.2))
    overlay(albedo, tone("sky"), np.maximum(sky, np.float32(0.0)))
    scum = depth + np.float32(0.35) * wear(lattice, mix_seed(seed, moment.flight, 4))
    scum -= np.float32(0.4) * breeze
    lush = tone("algae") * (np.float32(1.0) + np.float32(0.08) * ripple)
    overlay(albedo, lush, np.float32(0.75) * smooth_step(scum, 2.6 - 3.0 * foul, 3.4 - 3.0 * foul))
    glitter = max(moment.sun.up - _GLITTER_UP, 0.0)
    if glitter > 0.0:
        spark = np.maximum(ripple + np.float32(0.8) * breeze - np.float32(3.7), np.float32(0.0))
        albedo += np.float32(3.0 * glitter) * spark
    return albedo


def pond(spot: Spot) -> Look:
    """Give a pond in its banks, wider when the water is high and with a rim of mud when low."""
    lattice, seed, moment = spot.box.lattice, spot.patch.seed, spot.moment
    ragged = wear(lattice, mix_seed(seed, 5))
    fine = tufts(lattice, mix_seed(seed, 6))
    from_water = spot.inside + np.float32(0.2) * ragged
    from_water += np.float32(_BANK_SLOPE * moment.water_m - _RIM_M)
    wet = smooth_step(from_water, -0.08, 0.08)
    albedo = mix(tone("soil"), tone("mud"), smooth_step(from_water, -1.4, -0.1))
    albedo *= np.float32(0.95) + np.float32(0.13) * fine
    grass = smooth_step(spot.inside + np.float32(0.25) * ragged, 0.9, 0.2)
    leaf = tone("grass_dry") + (tone("weed") - tone("grass_dry")) * np.float32(moment.green)
    overlay(albedo, leaf * (np.float32(1.0) + np.float32(0.25) * fine), np.float32(0.8) * grass)
    albedo *= np.float32(1.0) - np.float32(0.45) * smooth_step(from_water, -0.5, 0.0)
    surface = water_albedo(lattice, seed, moment, foul=(seed % 7) / 8.0)
    surface *= np.float32(0.7) + np.float32(0.3) * smooth_step(from_water, -0.2, 2.5)
    overlay(albedo, surface, wet)
    sink = np.float32(-DEPTH_M) * smooth_step(spot.inside, 0.0, 1.2)
    return Look(albedo=albedo, rise=sink, water=wet)
