"""From the pixels of a file to those of a working grid: averaged, then interpolated. Pure."""

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from survey.grid import Coordinates, WorkingGrid
from survey.windows import Window

__all__ = ["Bands", "between", "block_mean", "lattice", "remap", "span"]

Bands = NDArray[Any]
"""(band, row, col): uint8 of a picture, float32 of a surface, or as the file stores them."""

# Coordinates are transformed exactly on a lattice of this many pixels and interpolated between:
# 32 pixels of 0.2 m are 6 m, over which a map projection is straight to well below a millimetre.
_LATTICE = 32


def lattice(grid: WorkingGrid, window: Window) -> tuple[Coordinates, Coordinates]:
    """Return (x, y) of every 32nd pixel centre of a window and one beyond its last."""
    rows = window.row + 0.5 + _LATTICE * np.arange(-(-(window.height - 1) // _LATTICE) + 1)
    cols = window.col + 0.5 + _LATTICE * np.arange(-(-(window.width - 1) // _LATTICE) + 1)
    x = (grid.left_px + cols) * grid.pixel_m
    y = (grid.top_px - rows) * grid.pixel_m
    xs, ys = np.meshgrid(x, y)
    return xs, ys


def between(nodes: Coordinates, height: int, width: int) -> Coordinates:
    """Interpolate lattice values to every pixel, shape (height, width)."""
    row, col = np.arange(height) / _LATTICE, np.arange(width) / _LATTICE
    top = np.minimum(row.astype(np.int64), max(0, nodes.shape[0] - 2))
    left = np.minimum(col.astype(np.int64), max(0, nodes.shape[1] - 2))
    below = np.minimum(top + 1, nodes.shape[0] - 1)
    beside = np.minimum(left + 1, nodes.shape[1] - 1)
    part = (row - top)[:, None]
    lines = nodes[top] * (1 - part) + nodes[below] * part
    part = (col - left)[None, :]
    return np.asarray(lines[:, left] * (1 - part) + lines[:, beside] * part)


def span(positions: Coordinates, size: int) -> tuple[int, int] | None:
    """Return the first and the last-but-one cell that positions need for interpolation."""
    first = max(0, math.floor(positions.min() - 0.5) - 1)
    last = min(size, math.ceil(positions.max() - 0.5) + 2)
    return (first, last) if last > first else None


def block_mean(bands: Bands, valid: NDArray[np.bool_], m: int) -> tuple[Bands, NDArray[np.bool_]]:
    """Average m x m pixels over the valid ones; a cell is valid where at least half of it is."""
    shape = (valid.shape[1] // m, valid.shape[0] // m)
    if valid.all():
        means = [cv2.resize(band, shape, interpolation=cv2.INTER_AREA) for band in bands]
        return np.stack(means), np.ones(shape[::-1], bool)
    weight = cv2.resize(valid.astype(np.float32), shape, interpolation=cv2.INTER_AREA)
    divisor = np.maximum(weight, np.float32(1e-6))
    means = []
    for band in bands:
        kept = np.where(valid, band, 0).astype(np.float32)
        mean = cv2.resize(kept, shape, interpolation=cv2.INTER_AREA) / divisor
        means.append((np.rint(mean) if band.dtype == np.uint8 else mean).astype(band.dtype))
    return np.stack(means), weight >= 0.5


def remap(
    bands: Bands,
    valid: NDArray[np.bool_],
    map_row: NDArray[np.float32],
    map_col: NDArray[np.float32],
) -> tuple[Bands, NDArray[np.bool_]]:
    """Interpolate linearly; a pixel is valid where all that it draws from is."""
    out = [
        cv2.remap(band, map_col, map_row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for band in bands
    ]
    solid = cv2.remap(
        valid.astype(np.uint8) * 255,
        map_col,
        map_row,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    last_row, last_col = valid.shape[0] - 0.49, valid.shape[1] - 0.49
    if (
        min(map_row.min(), map_col.min()) < -0.51
        or map_row.max() > last_row
        or map_col.max() > last_col
    ):
        solid[(map_row < -0.51) | (map_col < -0.51)] = 0
        solid[(map_row > last_row) | (map_col > last_col)] = 0
    return np.stack(out), solid >= 254
