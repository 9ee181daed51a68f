"""Roofs of tiles."""

import numpy as np
import numpy.typing as npt

from survey.simulation.painting.coats import FINE, WIDE, Coat, Spot, base_of, toned
from survey.simulation.painting.forms import ridge_distance
from survey.simulation.painting.pieces import (
    blend,
    colour_of,
    dice,
    draw,
    index,
    line,
    resolved,
    streaks,
    to_multiple,
)
from survey.simulation.painting.texture import smooth_step

__all__ = ["coat_tiles"]

Singles = npt.NDArray[np.float32]

_ALGAE = colour_of((58, 58, 50))
_MORTAR = colour_of((156, 146, 132))
_MOSS = colour_of((74, 78, 52))
# A tile shows about as much: 24 cm of its width and 32 cm of its length.
_TILE_M = 0.24
_COURSE_M = 0.32


def _downhill(spot: Spot) -> tuple[Singles, Singles]:
    """Give the coordinates across and down the slope that each pixel lies on, metres."""
    if spot.part.roof != "hip":
        return spot.u, spot.v
    ahead = np.float32((spot.part.width_m - spot.part.length_m) / 2) + np.abs(spot.u)
    flank = np.abs(spot.v) > ahead
    return np.where(flank, spot.u, spot.v), np.where(flank, spot.v, spot.u)


def coat_tiles(spot: Spot, skin: str) -> Coat:
    """Cover a pitched roof with tiles: each of its own fire, some replaced, moss in between."""
    part, pixel = spot.part, spot.pixel_m
    wide, fine = spot.noise(1, WIDE), spot.noise(3, FINE)
    age = draw(part.seed, 4)
    across, down = _downhill(spot)
    column, row = index(across, _TILE_M), index(np.abs(down), _COURSE_M)
    row += row + (down > np.float32(0.0))
    each = dice(column, row, part.seed)
    keep = resolved(_TILE_M, pixel)
    tone = each * np.float32(0.34 * (0.3 + 0.7 * keep))
    tone += wide * np.float32(0.1) + fine * np.float32(0.1)
    tone += streaks(across, down, (0.5, 2.5), part.seed + 5) * np.float32(0.28 * age)
    tone += _relief(down, _COURSE_M, 0.3 * resolved(_COURSE_M, pixel))
    tone += _relief(across, _TILE_M, 0.24 * keep)
    tone += np.float32(1.0 - 0.17 * (0.3 + 0.7 * keep))
    albedo = toned(base_of(part, skin, 0.14), tone)
    odd = (each > np.float32(0.965)).astype(np.float32)
    blend(albedo, base_of(part, "tile_dark"), odd * np.float32(0.5 * keep))
    soot = wide * np.float32(0.6) + fine * np.float32(0.45)
    soot += streaks(across, down, (0.3, 1.8), part.seed + 6) * np.float32(1.6)
    blend(albedo, _ALGAE, smooth_step(soot, 1.1 - age, 2.2 - age) * np.float32(0.6))
    moss = smooth_step(fine - wide, 1.3 - 0.6 * age, 2.4 - 0.6 * age)
    blend(albedo, _MOSS, moss * np.float32(0.65))
    ridge = line(ridge_distance(part, spot.u, spot.v), 0.22, pixel)  # bedded in mortar
    blend(albedo, _MORTAR, ridge * np.float32(0.55))
    ragged = dice(column, 0, part.seed + 7) * np.float32(0.07)
    ragged += fine * np.float32(0.03)
    ragged -= np.float32(0.035)
    return Coat(albedo=albedo, ragged=ragged, shine=0.06)


def _relief(along: Singles, step_m: float, depth: float) -> Singles:
    """Shade rows of tiles: dark where they overlap, bright in their middle; mean 0."""
    waves = to_multiple(along, step_m)
    waves *= np.float32(2.0 * depth / step_m)
    waves -= np.float32(depth / 2)
    return waves
