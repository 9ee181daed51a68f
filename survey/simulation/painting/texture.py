"""Noise that belongs to the ground: the same place gives the same value in whatever window.

Everything here is a function of pixel or coordinate and a seed. Nothing is drawn from a generator
that is passed on, so a flight can be rendered tile by tile, in any order, on any number of workers.

Fine noise is read from plates: periodic squares of noise that are made once per band of
wavelengths. Two plates of different period are added, so the sum repeats only after 25 600 pixels.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import fft

from survey.simulation.painting.canvas import Lattice

__all__ = [
    "fractal",
    "hash_lattice",
    "hash_line",
    "mix_seed",
    "smooth_noise",
    "smooth_noise_at",
    "smooth_step",
    "speckle",
]

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]

# Multipliers of the 32-bit mixer "lowbias32" (C. Wellons, hash-prospector, public domain) and two
# odd constants of the golden-ratio family that keep columns and rows apart.
_MIX_FIRST = 0x7FEB352D
_MIX_SECOND = 0x846CA68B
_COLUMN = np.uint32(0x9E3779B1)
_ROW = np.uint32(0x85EBCA77)
_WORD = 0xFFFFFFFF
_UNIT = np.float32(2.0**-24)
_PERIODS_PX = (1024, 800)
_LONGEST_PX = 128.0  # eight waves to a plate: longer ones would show its period
_NYQUIST_PX = 2.0
# Two lattices, of the picture and of the surface model, take about 16 bands each, 6.5 MB a band.
_RECIPES = 40


def _mix(values: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    values ^= values >> np.uint32(16)
    values *= np.uint32(_MIX_FIRST)
    values ^= values >> np.uint32(15)
    values *= np.uint32(_MIX_SECOND)
    values ^= values >> np.uint32(16)
    return values


def mix_seed(seed: int, *steps: int) -> int:
    """Derive a seed for one purpose from the seed of the whole.

    Parameters
    ----------
    seed
        The seed to start from.
    *steps
        Integers that name the purpose; their order matters.

    Returns
    -------
    int
        A 32-bit seed.

    Examples
    --------
    >>> mix_seed(7, 1) == mix_seed(7, 1), mix_seed(7, 1) == mix_seed(7, 2)
    (True, False)
    """
    state = seed & _WORD
    for step in steps:
        state = (state * 0x9E3779B1 + step + 1) & _WORD
        state ^= state >> 16
        state = (state * _MIX_FIRST) & _WORD
        state ^= state >> 15
        state = (state * _MIX_SECOND) & _WORD
        state ^= state >> 16
    return state


def hash_lattice(columns: Indices, rows: Indices, seed: int) -> Singles:
    """Give every lattice node a uniform number in [0, 1).

    Parameters
    ----------
    columns
        Column indices, shape (columns,); may be negative.
    rows
        Row indices, shape (rows,); may be negative.
    seed
        Which of the many fields to take.

    Returns
    -------
    numpy.ndarray
        float32, shape (rows, columns).
    """
    across = columns.astype(np.uint32) * _COLUMN
    down = _mix(rows.astype(np.uint32) * _ROW + np.uint32(seed & _WORD))
    mixed = _mix(across[None, :] ^ down[:, None]) >> np.uint32(8)
    return np.asarray(mixed.astype(np.float32) * _UNIT, dtype=np.float32)


def hash_line(indices: Indices, seed: int) -> Singles:
    """Give every integer of an array of any shape a uniform number in [0, 1), float32."""
    mixed = _mix(indices.astype(np.uint32) * _COLUMN ^ np.uint32(mix_seed(seed, 1)))
    return np.asarray((mixed >> np.uint32(8)).astype(np.float32) * _UNIT, dtype=np.float32)


def smooth_step(values: Singles, low: float, high: float) -> Singles:
    """Rise from 0 at `low` to 1 at `high` without a kink (Hermite cubic), float32."""
    t = np.clip((values - np.float32(low)) * np.float32(1.0 / (high - low)), 0.0, 1.0)
    return np.asarray(t * t * (np.float32(3.0) - np.float32(2.0) * t), dtype=np.float32)


def _knots(coordinates: Floats, cell_m: float) -> tuple[Indices, Indices, Singles]:
    scaled = coordinates / cell_m
    floor = np.floor(scaled)
    nodes = np.arange(floor.min(), floor.max() + 2).astype(np.int64)
    return nodes, floor.astype(np.int64) - nodes[0], _ease(scaled - floor)


def smooth_noise(x: Floats, y: Floats, cell_m: float, seed: int) -> Singles:
    """Value noise in [0, 1) on an axis-aligned grid of places.

    Parameters
    ----------
    x
        Eastings in metres, shape (columns,).
    y
        Northings in metres, shape (rows,).
    cell_m
        Distance between independent values, metres.
    seed
        Which of the many fields to take.

    Returns
    -------
    numpy.ndarray
        float32, shape (rows, columns).
    """
    column_nodes, column, across = _knots(x, cell_m)
    row_nodes, row, down = _knots(y, cell_m)
    values = hash_lattice(column_nodes, row_nodes, seed)
    lines = values[row] * (1.0 - down)[:, None] + values[row + 1] * down[:, None]
    noise = np.take(np.diff(lines, axis=1), column, axis=1)
    noise *= across
    noise += np.take(lines, column, axis=1)
    return np.asarray(noise, dtype=np.float32)


def smooth_noise_at(x: Floats, y: Floats, cell_m: float, seed: int) -> Singles:
    """Give the `smooth_noise` of single places, x and y of one shape (places,)."""
    across, down = x / cell_m, y / cell_m
    column, row = np.floor(across).astype(np.int64), np.floor(down).astype(np.int64)
    wide, high = _ease(across - column), _ease(down - row)
    corners = [_hash_pairs(column + i, row + j, seed) for j in (0, 1) for i in (0, 1)]
    west = corners[0] * (np.float32(1.0) - high) + corners[2] * high
    east = corners[1] * (np.float32(1.0) - high) + corners[3] * high
    return np.asarray(west + (east - west) * wide, dtype=np.float32)


def _ease(weight: Floats) -> Singles:
    return np.asarray(weight * weight * (3.0 - 2.0 * weight), dtype=np.float32)


def _hash_pairs(columns: Indices, rows: Indices, seed: int) -> Singles:
    """Give the nodes of `hash_lattice` one by one, columns and rows of one shape."""
    down = _mix(rows.astype(np.uint32) * _ROW + np.uint32(seed & _WORD))
    mixed = _mix(columns.astype(np.uint32) * _COLUMN ^ down) >> np.uint32(8)
    return np.asarray(mixed.astype(np.float32) * _UNIT, dtype=np.float32)


def _plate(period: int, coarse_px: float, fine_px: float, slope: float) -> Singles:
    """Make one period of noise whose amplitude falls as frequency ** -slope within a band."""
    rng = np.random.Generator(np.random.PCG64([period, round(16 * coarse_px), round(100 * slope)]))
    white = rng.standard_normal((period, period), dtype=np.float32)
    across, down = fft.rfftfreq(period), fft.fftfreq(period)
    frequency = np.hypot(across[None, :], down[:, None])
    frequency[0, 0] = 1.0
    shape = frequency**-slope
    # Half an octave of roll-off on either side keeps the plate free of ringing.
    shape *= 1.0 / (1.0 + (1.0 / (frequency * coarse_px)) ** 8)
    shape *= np.exp(-((frequency * fine_px * 0.75) ** 8))
    shape[0, 0] = 0.0
    spectrum = fft.rfft2(white) * shape.astype(np.float32)
    plate = fft.irfft2(spectrum, s=(period, period)).astype(np.float32)
    plate /= plate.std()
    plate.flags.writeable = False
    return np.asarray(plate, dtype=np.float32)


def _read(plate: Singles, row: int, column: int, shape: tuple[int, int]) -> Singles:
    """Read a window of a periodic plate from any origin."""
    period = plate.shape[0]
    row, column = row % period, column % period
    rows, columns = shape
    if row + rows <= period and column + columns <= period:
        return plate[row : row + rows, column : column + columns]
    down = np.arange(row, row + rows) % period
    wide = np.take(plate, down, axis=0)
    pieces, start = [], column
    while columns > 0:
        length = min(columns, period - start)
        pieces.append(wide[:, start : start + length])
        columns, start = columns - length, 0
    return np.concatenate(pieces, axis=1)


@dataclass(frozen=True, slots=True)
class _Recipe:
    """How noise of one band is put together for one pixel size."""

    long: tuple[tuple[float, np.float32], ...]
    """Wavelengths too long for plates, metres, each with its amplitude."""
    plates: tuple[Singles, ...]
    """The plates that are added for all that is shorter."""
    level: np.float32
    """Amplitude of each plate."""


@lru_cache(maxsize=_RECIPES)
def _recipe(pixel_m: float, coarse_m: float, fine_m: float, slope: float) -> _Recipe:
    """Cut a band into octaves and say how each of them is made.

    With amplitudes falling as frequency ** -slope, the variance of an octave goes with its
    wavelength to the power of 2 slope - 2.
    """
    count = max(1, round(math.log2(coarse_m / fine_m)))
    lengths = [coarse_m * 2.0**-order for order in range(count)]
    shares = [length ** (2.0 * slope - 2.0) for length in lengths]
    octaves = [(length, share / sum(shares)) for length, share in zip(lengths, shares, strict=True)]
    long = [octave for octave in octaves if octave[0] > _LONGEST_PX * pixel_m]
    short = [octave for octave in octaves[len(long) :] if octave[0] > _NYQUIST_PX * pixel_m]
    plates: tuple[Singles, ...] = ()
    if short:
        coarse_px = round(short[0][0] / pixel_m, 3)
        fine_px = round(max(_NYQUIST_PX, short[-1][0] / 2.0 / pixel_m), 3)
        plates = tuple(_plate(period, coarse_px, fine_px, slope) for period in _PERIODS_PX)
    level = math.sqrt(sum(share for _, share in short) / len(_PERIODS_PX))
    # Value noise on cells of half a wavelength has a variance of about 1/27.
    scaled = tuple((length, np.float32((27.0 * share) ** 0.5)) for length, share in long)
    return _Recipe(long=scaled, plates=plates, level=np.float32(level))


def fractal(
    lattice: Lattice, seed: int, coarse_m: float, fine_m: float, slope: float = 1.0
) -> Singles:
    """Give noise of mean 0 whose amplitude falls as frequency ** -slope, as in natural scenes.

    Parameters
    ----------
    lattice
        The window.
    seed
        Which of the many fields to take.
    coarse_m
        Longest wavelength, metres.
    fine_m
        Shortest wavelength, metres.
    slope
        How fast amplitude falls with frequency: 0 for white noise, about 1 for natural scenes
        (D. J. Field, 1987, J. Opt. Soc. Am. A 4, 2379).

    Returns
    -------
    numpy.ndarray
        float32, shape (rows, columns); standard deviation 1 over the whole band, less where pixels
        are too coarse for its short waves.
    """
    recipe = _recipe(lattice.pixel_m, coarse_m, fine_m, slope)
    shape = (lattice.rows, lattice.columns)
    total = np.zeros(shape, dtype=np.float32)
    for order, plate in enumerate(recipe.plates):
        origin = mix_seed(seed, 60 + order)
        row, column = origin & 0xFFFF, origin >> 16
        piece = _read(plate, row + lattice.row, column + lattice.column, shape)
        if order == 0:
            np.multiply(piece, recipe.level, out=total)
        else:
            total += piece * recipe.level
    if recipe.long:
        x, y = lattice.x, lattice.y
        for order, (length_m, amplitude) in enumerate(recipe.long):
            swell = smooth_noise(x, y, length_m / 2.0, mix_seed(seed, 50, order))
            swell -= np.float32(0.5)
            swell *= amplitude
            total += swell
    return total


def speckle(lattice: Lattice, seed: int) -> Singles:
    """Give every pixel a number of its own: mean 0, standard deviation 1, float32."""
    plate = _white()
    origin = mix_seed(seed, 70)
    row, column = origin & 0xFFFF, origin >> 16
    shape = (lattice.rows, lattice.columns)
    return _read(plate, row + lattice.row, column + lattice.column, shape)


@lru_cache(maxsize=1)
def _white() -> Singles:
    rng = np.random.Generator(np.random.PCG64(7))
    plate = rng.standard_normal((_PERIODS_PX[0],) * 2, dtype=np.float32)
    plate.flags.writeable = False
    return np.asarray(plate, dtype=np.float32)
