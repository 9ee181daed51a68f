"""The few textures of which all ground is made, and how its bumps face the sun."""

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from survey.simulation.painting.canvas import Box, Lattice
from survey.simulation.painting.palette import GROUND, TINTS, to_linear
from survey.simulation.painting.texture import fractal, hash_line, mix_seed, smooth_step
from survey.simulation.sun import Sun

__all__ = [
    "bumps",
    "cells",
    "crack",
    "edge_wander",
    "face_slope",
    "fade_rows",
    "litter",
    "mix",
    "mounds",
    "nudge",
    "overlay",
    "paint",
    "swell",
    "tone",
    "tufts",
    "turn_facing",
    "wave",
    "wear",
]

Singles = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]

_TONES: dict[str, Singles] = {
    name: to_linear(rgb).astype(np.float32) for name, rgb in GROUND.items()
}
_PAINTS: dict[str, Singles] = {
    name: to_linear(rgb).astype(np.float32) for name, rgb in TINTS.items()
}


def tone(name: str) -> Singles:
    """Give the reflectance of a ground cover by its name in `palette.GROUND`, shape (3, 1, 1)."""
    return _TONES[name]


def paint(name: str) -> Singles:
    """Give the reflectance of a thing by its name in `palette.TINTS`, shape (3, 1, 1)."""
    return _PAINTS[name]


# Few bands, so that few plates are kept. Slopes after the mean contrast per octave of fields, lawns
# and roads in open drone imagery of Banepa at 0.15 m: level to slightly rising with frequency.


def swell(lattice: Lattice, seed: int) -> Singles:
    """Give what differs from place to place over tens of metres, with ragged edges."""
    return fractal(lattice, seed, 48.0, 0.375, 1.3)


def wear(lattice: Lattice, seed: int) -> Singles:
    """Give what differs over metres: stains, wear, the wander of an edge."""
    return fractal(lattice, seed, 6.0, 0.1875, 1.15)


def tufts(lattice: Lattice, seed: int) -> Singles:
    """Give the texture of grass and leaves."""
    return fractal(lattice, seed, 1.6, 0.2, 0.75)


def litter(lattice: Lattice, seed: int) -> Singles:
    """Give small lumps of one size; their tails are stones and rags."""
    return fractal(lattice, seed, 0.8, 0.2, 0.3)


def mounds(lattice: Lattice, seed: int) -> Singles:
    """Give the height of bushes and heaps: rounded, with few small lumps."""
    return fractal(lattice, seed, 6.0, 0.75, 2.0)


def edge_wander(lattice: Lattice, seed: int) -> Singles:
    """Give how an edge wanders: smooth over a metre."""
    return fractal(lattice, seed, 14.4, 1.8, 2.1)


def crack(values: Singles, width: float) -> Singles:
    """Give 1 along the lines where `values` passes zero, falling to 0 at `width` beside them."""
    near = np.abs(values)
    near *= np.float32(-1.0 / width)
    near += np.float32(1.0)
    return np.asarray(np.maximum(near, np.float32(0.0), out=near), dtype=np.float32)


def mix(low: Singles, high: Singles, share: Singles) -> Singles:
    """Go from one colour to another, shape (3, rows, columns)."""
    return np.asarray(low + (high - low) * share, dtype=np.float32)


def overlay(albedo: Singles, colour: Singles, share: Singles) -> None:
    """Cover an albedo (3, rows, columns) in place by the share of a colour."""
    step = colour - albedo
    step *= share
    albedo += step


def wave(turns: Singles) -> Singles:
    """Swing between -1 and 1 once per turn, nearly as a sine does, float32."""
    t = turns - np.floor(turns)
    t -= np.float32(0.5)
    np.abs(t, out=t)
    t *= np.float32(4.0)
    t -= np.float32(1.0)
    return np.asarray(t * (np.float32(1.5) - np.float32(0.5) * t * t), dtype=np.float32)


def nudge(lattice: Lattice, sun: Sun) -> tuple[Lattice, float]:
    """Give the window one pixel on towards the sun, and how far that is in metres."""
    east, north = _step(sun)
    moved = replace(lattice, column=lattice.column + east, row=lattice.row - north)
    return moved, lattice.pixel_m * math.hypot(east, north)


def _step(sun: Sun) -> tuple[int, int]:
    azimuth = math.radians(sun.azimuth_deg)
    return round(math.sin(azimuth)), round(math.cos(azimuth))


def face_slope(climb: Singles, sun: Sun) -> Singles:
    """Give the cosine to the sun of a slope that climbs so steeply towards it (metres a metre)."""
    lit = np.float32(sun.up) - climb * np.float32(math.hypot(sun.east, sun.north))
    lit /= np.sqrt(np.float32(1.0) + climb * climb)
    return np.asarray(np.maximum(lit, np.float32(0.0)), dtype=np.float32)


def bumps(lattice: Lattice, here: Singles, there: Singles, height_m: float, sun: Sun) -> Singles:
    """Give what bumps add to the cosine to the sun.

    Parameters
    ----------
    lattice
        The window.
    here
        Height of the bumps in units of `height_m`, shape (rows, columns).
    there
        The same on the window that `nudge` gives.
    height_m
        Metres.
    sun
        Direction to the sun.

    Returns
    -------
    numpy.ndarray
        float32, shape (rows, columns); small slopes are assumed.
    """
    east, north = _step(sun)
    step_m = lattice.pixel_m * math.hypot(east, north)
    climb = there - here
    climb *= np.float32(-height_m / step_m * math.hypot(sun.east, sun.north))
    return np.asarray(climb, dtype=np.float32)


def turn_facing(box: Box, tilt: Singles | np.float32, cover: Singles, sun: Sun) -> None:
    """Level a box, but for `tilt` added to the cosine to the sun, where `cover` says so."""
    row = box.lattice.row - box.canvas.lattice.row
    column = box.lattice.column - box.canvas.lattice.column
    rows, columns = slice(row, row + box.lattice.rows), slice(column, column + box.lattice.columns)
    facing = box.canvas.facing[rows, columns]
    facing += (np.float32(sun.up) + tilt - facing) * cover
    np.clip(facing, 0.0, 1.0, out=facing)


def cells(u: Singles, v: Singles, side_m: float, seed: int) -> tuple[Singles, Singles, Indices]:
    """Put one thing into every square of a grid, off its centre by up to a quarter of the side.

    Parameters
    ----------
    u, v
        Coordinates, metres, shape (rows, columns).
    side_m
        Side of the squares, metres.
    seed
        Seed of the offsets.

    Returns
    -------
    tuple
        Distance along u and along v from the square's thing, metres, and the square's number.
    """
    along, across = u * np.float32(1.0 / side_m), v * np.float32(1.0 / side_m)
    column, row = np.floor(along), np.floor(across)
    number = column.astype(np.int64) * 65_537 + row.astype(np.int64)
    along -= column + np.float32(0.22) + np.float32(0.56) * hash_line(number, mix_seed(seed, 1))
    across -= row + np.float32(0.22) + np.float32(0.56) * hash_line(number, mix_seed(seed, 2))
    return along * np.float32(side_m), across * np.float32(side_m), number


def fade_rows(spacing_m: float, pixel_m: float) -> float:
    """Say how much of a pattern of rows a pixel can still show, 0 to 1."""
    share = smooth_step(np.array([spacing_m / pixel_m], dtype=np.float32), 1.8, 4.0)
    return float(share[0])
