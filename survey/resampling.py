"""From the pixels of a file to those of a working grid: averaged, then interpolated. Pure."""

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from survey.grid import Coordinates, WorkingGrid
from survey.windows import Window

__all__ = ["Bands", "between", "block_mean", "interpolate", "lattice", "span", "to_grey"]

Bands = NDArray[Any]
"""(band, row, col): uint8 of a picture, float32 of a surface, or as the file stores them."""

# Coordinates are transformed exactly on a lattice of this many pixels and interpolated between:
# 32 pixels of 0.2 m are 6 m, over which a map projection is straight to well below a millimetre.
_LATTICE = 32
# Positions this close, pixels, are the same: 255 grey levels of contrast make it a quarter of one.
_SAME_PX = 0.001
# Weights of red, green and blue, of 256: 0.3, 0.5 and 0.2 as near as a byte says it.
_GREY = np.array([77, 128, 51], np.uint16)


def lattice(grid: WorkingGrid, window: Window) -> tuple[Coordinates, Coordinates]:
    """Return (x, y) of every 32nd pixel corner of a window, the last one at or beyond its end."""
    rows = window.row + _LATTICE * np.arange(-(-window.height // _LATTICE) + 1)
    cols = window.col + _LATTICE * np.arange(-(-window.width // _LATTICE) + 1)
    x = (grid.left_px + cols) * grid.pixel_m
    y = (grid.top_px - rows) * grid.pixel_m
    xs, ys = np.meshgrid(x, y)
    return xs, ys


def between(nodes: Coordinates, height: int, width: int) -> NDArray[np.float32]:
    """Interpolate lattice values to every pixel centre, shape (height, width).

    Examples
    --------
    >>> nodes = np.array([[0.0, 32.0], [0.0, 32.0]])
    >>> between(nodes, 1, 4).tolist()
    [[0.5, 1.5, 2.5, 3.5]]
    """
    size = nodes.shape[1] * _LATTICE, nodes.shape[0] * _LATTICE
    # Enlarged, a node lies in the middle of 32 pixels, and the first pixel half of that after it.
    dense = cv2.resize(nodes.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    first = _LATTICE // 2
    return np.asarray(dense[first : first + height, first : first + width], np.float32)


def span(positions: Coordinates, size: int) -> tuple[int, int] | None:
    """Return the first and the last-but-one cell that positions need for interpolation."""
    first = max(0, math.floor(positions.min() - 0.5) - 1)
    last = min(size, math.ceil(positions.max() - 0.5) + 2)
    return (first, last) if last > first else None


def block_mean(bands: Bands, valid: NDArray[np.bool_], m: int) -> tuple[Bands, NDArray[np.bool_]]:
    """Average m x m pixels over the valid ones; a cell is valid where at least half of it is.

    A cell comes out the same whatever is averaged beside it.
    """
    shape = (valid.shape[1] // m, valid.shape[0] // m)
    means = np.stack([cv2.resize(band, shape, interpolation=cv2.INTER_AREA) for band in bands])
    if valid.all():
        return means, np.ones(shape[::-1], bool)
    share = cv2.resize(valid.astype(np.float32), shape, interpolation=cv2.INTER_AREA)
    known = np.rint(share * m**2).astype(np.int64)
    means[:, known == 0] = 0
    row, col = np.nonzero((known > 0) & (known < m**2))
    seen = _cells(valid, m)[row, :, col]
    for band, mean in zip(bands, means, strict=True):
        total = np.where(seen, _cells(band, m)[row, :, col], 0).sum(axis=(1, 2), dtype=np.float64)
        part = total / known[row, col]
        mean[row, col] = np.rint(part) if mean.dtype == np.uint8 else part
    return means, 2 * known >= m**2


def _cells(pixels: NDArray[Any], m: int) -> NDArray[Any]:
    """Return the pixels as (row of cells, row in the cell, column of cells, column in it)."""
    return pixels.reshape(pixels.shape[0] // m, m, pixels.shape[1] // m, m)


def to_grey(colour: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return (1, row, col), the 0.3, 0.5 and 0.2 of red, green and blue.

    Examples
    --------
    >>> to_grey(np.array([[[200]], [[100]], [[50]]], np.uint8)).tolist()
    [[[120]]]
    """
    grey = np.full(colour.shape[1:], 128, np.uint16)  # halves are rounded up
    for band, weight in zip(colour, _GREY, strict=True):
        grey += band * weight
    grey >>= 8
    return grey.astype(np.uint8)[None]


def interpolate(
    bands: Bands, valid: NDArray[np.bool_], rows: Coordinates, cols: Coordinates, window: Window
) -> tuple[Bands, NDArray[np.bool_]]:
    """Interpolate linearly at the pixels of a window.

    Parameters
    ----------
    bands, valid
        (band, row, col) and (row, col).
    rows, cols
        Where the lattice of the window lies in them, in (row, col) of pixel centres.
    window
        Of the working grid.

    Returns
    -------
    bands, valid
        A pixel is valid where all that it draws from is.
    """
    height, width = window.height, window.width
    corner = _plain_corner(rows, cols)
    if corner is not None and _holds(valid.shape, corner, window):
        return _cut(bands, valid, corner, window)
    down, across = between(rows, height, width), between(cols, height, width)
    out, solid = _remap(bands, valid, down, across)
    last_row, last_col = valid.shape[0] - 0.49, valid.shape[1] - 0.49
    if min(rows.min(), cols.min()) < -0.51 or rows.max() > last_row or cols.max() > last_col:
        solid &= (down >= -0.51) & (across >= -0.51) & (down <= last_row) & (across <= last_col)
    return out, solid


def _plain_corner(rows: Coordinates, cols: Coordinates) -> tuple[float, float] | None:
    """Return the (row, col) of the first pixel where the lattice is merely moved, else None."""
    down = rows - _LATTICE * np.arange(rows.shape[0])[:, None]
    across = cols - _LATTICE * np.arange(cols.shape[1])[None, :]
    if max(np.ptp(down), np.ptp(across)) > _SAME_PX:
        return None
    return float(down[0, 0]) + 0.5, float(across[0, 0]) + 0.5


def _holds(shape: tuple[int, ...], corner: tuple[float, float], window: Window) -> bool:
    """Whether a window lies inside an array with all that its pixels draw from."""
    row, col = corner
    return min(row, col) >= 0 and row + window.height <= shape[0] and col + window.width <= shape[1]


def _cut(
    bands: Bands, valid: NDArray[np.bool_], corner: tuple[float, float], window: Window
) -> tuple[Bands, NDArray[np.bool_]]:
    """Cut a window out; between pixels, interpolate by the same four weights everywhere."""
    row, col = (round(side) for side in corner)
    if max(abs(corner[0] - row), abs(corner[1] - col)) <= _SAME_PX:
        place = slice(row, row + window.height), slice(col, col + window.width)
        return np.ascontiguousarray(bands[:, *place]), np.ascontiguousarray(valid[place])
    size = window.width, window.height
    middle = corner[1] + (window.width - 1) / 2, corner[0] + (window.height - 1) / 2
    out = np.stack([cv2.getRectSubPix(band, size, middle) for band in bands])
    if valid.all():
        return out, np.ones(out.shape[1:], bool)
    return out, cv2.getRectSubPix(valid.astype(np.uint8) * 255, size, middle) >= 254


def _remap(
    bands: Bands,
    valid: NDArray[np.bool_],
    map_row: NDArray[np.float32],
    map_col: NDArray[np.float32],
) -> tuple[Bands, NDArray[np.bool_]]:
    def look_up(band: NDArray[Any]) -> NDArray[Any]:
        return cv2.remap(band, map_col, map_row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    out = np.stack([look_up(band) for band in bands])
    if valid.all():
        return out, np.ones(out.shape[1:], bool)
    return out, look_up(valid.astype(np.uint8) * 255) >= 254
