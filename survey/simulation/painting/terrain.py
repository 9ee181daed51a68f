"""The relief of the bare ground."""

import numpy as np
import numpy.typing as npt

from survey.simulation.painting.texture import mix_seed, smooth_noise, smooth_noise_at
from survey.simulation.scene import Place, Terrain
from survey.simulation.sun import Sun

__all__ = ["face_ground", "ground_level", "ground_levels", "terrain_at"]

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]

# Amplitude of waves of half, a quarter, an eighth of the distance between hills: natural relief
# falls off about as fast as its wavelength (R. F. Voss, 1988, "Fractals in nature").
_OCTAVES = (1.0, 0.42, 0.18, 0.08)


def terrain_at(x: Floats, y: Floats, terrain: Terrain, seed: int) -> Singles:
    """Give the height of the bare ground on an axis-aligned grid, metres.

    Parameters
    ----------
    x
        Metres east, shape (columns,).
    y
        Metres north, shape (rows,).
    terrain
        Level, relief and distance between hills.
    seed
        Seed of the scene.

    Returns
    -------
    numpy.ndarray
        float32, shape (rows, columns).
    """
    height = np.full((y.size, x.size), terrain.level_m, dtype=np.float32)
    for order, share in enumerate(_OCTAVES):
        swell = smooth_noise(x, y, terrain.cell_m / 2.0**order, mix_seed(seed, 11, order))
        height += (swell - np.float32(0.5)) * np.float32(share * terrain.relief_m)
    return height


def ground_levels(x: Floats, y: Floats, terrain: Terrain, seed: int) -> Singles:
    """Give the height of the bare ground at single places, x and y of one shape, metres."""
    height = np.full(x.shape, terrain.level_m, dtype=np.float32)
    for order, share in enumerate(_OCTAVES):
        swell = smooth_noise_at(x, y, terrain.cell_m / 2.0**order, mix_seed(seed, 11, order))
        height += (swell - np.float32(0.5)) * np.float32(share * terrain.relief_m)
    return height


def ground_level(place: Place, terrain: Terrain, seed: int) -> float:
    """Give the height of the bare ground at one place, metres."""
    return float(ground_levels(np.array([place.x]), np.array([place.y]), terrain, seed)[0])


def face_ground(height: Singles, pixel_m: float, sun: Sun) -> Singles:
    """Give the cosine between the ground's normal and the sun, shape of `height` (rows, columns).

    The slope is taken over two pixels; along the rim it repeats its neighbour's.
    """
    if min(height.shape) < 2:  # no slope
        return np.full_like(height, sun.up)
    down, across = np.gradient(height, np.float32(pixel_m))
    lit = np.float32(sun.up) - across * np.float32(sun.east) + down * np.float32(sun.north)
    lit /= np.sqrt(np.float32(1.0) + across * across + down * down)
    return np.asarray(np.maximum(lit, 0.0), dtype=np.float32)
