"""Noise that belongs to the ground: the same place gives the same value in whatever window.

Everything here is a function of coordinates and a seed. Nothing is drawn from a generator, so a
flight can be rendered block by block, in any order, on any number of workers.
"""

import numpy as np
import numpy.typing as npt

__all__ = ["blend_noise", "hash_lattice", "mix_seed", "smooth_noise", "smooth_step"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

# Multipliers of the 32-bit mixer "lowbias32" (C. Wellons, hash-prospector, public domain) and two
# odd constants of the golden-ratio family that keep columns and rows apart.
_MIX_FIRST = np.uint32(0x7FEB352D)
_MIX_SECOND = np.uint32(0x846CA68B)
_COLUMN = np.uint32(0x9E3779B1)
_ROW = np.uint32(0x85EBCA77)
_UNIT = 2.0**-24


def _mix(values: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    values ^= values >> np.uint32(16)
    values *= _MIX_FIRST
    values ^= values >> np.uint32(15)
    values *= _MIX_SECOND
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
    state = seed & 0xFFFFFFFF
    for step in steps:
        word = np.array([(state * 0x9E3779B1 + step + 1) & 0xFFFFFFFF], dtype=np.uint32)
        state = int(_mix(word)[0])
    return state


def hash_lattice(columns: Indices, rows: Indices, seed: int) -> Floats:
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
        float64, shape (rows, columns).
    """
    across = columns.astype(np.uint32) * _COLUMN
    down = _mix(rows.astype(np.uint32) * _ROW + np.uint32(seed & 0xFFFFFFFF))
    mixed = _mix(across[None, :] ^ down[:, None]) >> np.uint32(8)
    return mixed.astype(np.float64) * _UNIT


def smooth_step(values: Floats, low: float, high: float) -> Floats:
    """Rise from 0 at `low` to 1 at `high` without a kink (Hermite cubic)."""
    t = np.clip((values - low) / (high - low), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t), dtype=np.float64)


def _knots(coordinates: Floats, cell_m: float) -> tuple[Indices, Indices, Floats]:
    scaled = coordinates / cell_m
    floor = np.floor(scaled)
    nodes = np.arange(floor.min(), floor.max() + 2).astype(np.int64)
    weight = scaled - floor
    return nodes, floor.astype(np.int64) - nodes[0], weight * weight * (3.0 - 2.0 * weight)


def smooth_noise(x: Floats, y: Floats, cell_m: float, seed: int) -> Floats:
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
        float64, shape (rows, columns).
    """
    column_nodes, column, across = _knots(x, cell_m)
    row_nodes, row, down = _knots(y, cell_m)
    values = hash_lattice(column_nodes, row_nodes, seed)
    lines = values[row] * (1.0 - down)[:, None] + values[row + 1] * down[:, None]
    step = np.diff(lines, axis=1)
    return np.asarray(lines[:, column] + step[:, column] * across, dtype=np.float64)


def blend_noise(x: Floats, y: Floats, cells_m: tuple[float, ...], seed: int) -> Floats:
    """Average `smooth_noise` over several cell sizes, the first weighing most; in [0, 1)."""
    total = np.zeros((y.size, x.size))
    weights = 0.0
    for order, cell_m in enumerate(cells_m):
        weight = 0.6**order
        total += weight * smooth_noise(x, y, cell_m, mix_seed(seed, order))
        weights += weight
    return np.asarray(total / weights, dtype=np.float64)
