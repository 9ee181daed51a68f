"""Small tools of painters: numbers for single sheets and tiles, lines and rows, mixing of colours.

A pattern is drawn as a pixel sees it: what is finer than the pixel fades out in place of beating
with it.
"""

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from survey.simulation.painting.texture import hash_line, mix_seed

__all__ = [
    "between",
    "blend",
    "colour_of",
    "dice",
    "draw",
    "index",
    "line",
    "pick",
    "resolved",
    "streaks",
    "to_multiple",
]

Singles = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int32]
Colour = tuple[int, int, int]

_DICE_BITS = 16
_ROW = 1979  # a prime: rows of pieces repeat each other only this many pieces further along
_AHEAD = 4096.0  # keeps coordinates positive, where cutting off decimals is the floor


@lru_cache(maxsize=1)
def _table() -> Singles:
    table = hash_line(np.arange(1 << _DICE_BITS, dtype=np.int64), 11)
    table.flags.writeable = False
    return table


def draw(seed: int, step: int) -> float:
    """Draw one uniform number in [0, 1) for a thing and a purpose."""
    return mix_seed(seed, step) * 2.0**-32


def between(seed: int, step: int, low: float, high: float) -> float:
    """Draw one uniform number between two bounds for a thing and a purpose."""
    return low + (high - low) * draw(seed, step)


def index(along_m: Singles, size_m: float, offset_m: float = 0.0) -> Numbers:
    """Count the pieces of `size_m` along a coordinate, int32; never negative on any roof."""
    scaled = along_m * np.float32(1.0 / size_m)
    scaled += np.float32(offset_m / size_m + _AHEAD)
    return np.asarray(scaled.astype(np.int32), dtype=np.int32)


def dice(columns: Numbers, rows: Numbers | int, seed: int) -> Singles:
    """Give every piece a uniform number in [0, 1), float32, shape of `columns`."""
    place = columns + rows * np.int32(_ROW)
    place += np.int32(seed & 0xFFFF)
    place &= np.int32((1 << _DICE_BITS) - 1)
    return np.asarray(_table().take(place), dtype=np.float32)


def streaks(across_m: Singles, down_m: Singles, size_m: tuple[float, float], seed: int) -> Singles:
    """Give long streaks that run down a slope: steps across, smooth along.

    Parameters
    ----------
    across_m
        Coordinate across the streaks, metres.
    down_m
        Coordinate along them, metres, same shape.
    size_m
        Width and length of a streak, metres.
    seed
        Which of the many fields to take.

    Returns
    -------
    numpy.ndarray
        float32, mean 0, between -0.5 and 0.5.
    """
    column = index(across_m, size_m[0])
    scaled = down_m * np.float32(1.0 / size_m[1])
    scaled += np.float32(_AHEAD)
    row = scaled.astype(np.int32)
    scaled -= row
    above = dice(column, row, seed)
    row += 1
    below = dice(column, row, seed)
    below -= above
    below *= scaled
    above += below
    above -= np.float32(0.5)
    return above


def to_multiple(along_m: Singles, step_m: float, offset_m: float = 0.0) -> Singles:
    """Give the distance to the nearest multiple of a step, metres, float32."""
    scaled = along_m * np.float32(1.0 / step_m)
    scaled += np.float32(offset_m / step_m)
    scaled -= np.rint(scaled)
    np.abs(scaled, out=scaled)
    scaled *= np.float32(step_m)
    return scaled


def line(distance_m: Singles, width_m: float, pixel_m: float) -> Singles:
    """Give the share of each pixel that a line covers whose axis is `distance_m` away."""
    share = distance_m * np.float32(-1.0 / pixel_m)
    share += np.float32(0.5 * width_m / pixel_m + 0.5)
    return np.clip(share, np.float32(0.0), np.float32(min(1.0, width_m / pixel_m)), out=share)


def resolved(period_m: float, pixel_m: float) -> float:
    """Give the share of a wave's contrast that pixels keep: 1 when fine, 0 beyond one period."""
    if pixel_m >= period_m:
        return 0.0
    ratio = math.pi * pixel_m / period_m
    return math.sin(ratio) / ratio


def colour_of(rgb: Colour) -> Singles:
    """Turn an sRGB colour into reflectance, float32, shape (3, 1, 1)."""
    return ((np.array(rgb, dtype=np.float32) / np.float32(255.0)) ** np.float32(2.2))[:, None, None]


def pick(colours: tuple[Colour, ...], chance: Singles) -> Singles:
    """Pick one of some sRGB colours for every pixel, reflectance, shape (3, rows, columns)."""
    number = (chance * np.float32(len(colours))).astype(np.intp)
    return np.asarray(_reflectances(colours).take(number, axis=1), dtype=np.float32)


@lru_cache(maxsize=16)
def _reflectances(colours: tuple[Colour, ...]) -> Singles:
    return np.concatenate([colour_of(rgb)[:, :, 0] for rgb in colours], axis=1)


def blend(albedo: Singles, colour: Singles, share: Singles) -> None:
    """Mix a colour (3, 1, 1) or (3, rows, columns) into `albedo` in place, by `share`."""
    change = colour - albedo
    change *= share
    albedo += change
