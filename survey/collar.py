"""The opaque black or white border some exports leave around the picture. Pure.

Black and white also occur inside the picture (shadows, bright roofs), so a pixel belongs to the
border only where its colour *and* its place say so: the border is grown from the edge inwards over
cells that hold nothing but the border's colour.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["BLACK", "WHITE", "Collar", "cell_is_plain", "collar_mask", "grow_collar", "is_plain"]

BLACK, WHITE = 0, 255
# A border runs along at least this share of a side or fills a corner; a saturated roof that the
# image's edge happens to cut does neither.
_SHARE_OF_SIDE = 0.1


@dataclass(frozen=True, slots=True)
class Collar:
    """Where the border may lie, and what it looks like."""

    colour: int
    """``BLACK`` or ``WHITE``."""
    tolerance: int
    """How far a border pixel may be from that colour in any band (lossy compression)."""
    cell_px: float
    """Side of a cell, pixels of the file at full size."""
    cells: NDArray[np.bool_]
    """(row, col) of cells; True where border pixels may be found."""

    @property
    def share(self) -> float:
        """Share of the image's cells that may hold border."""
        return float(self.cells.mean())


def is_plain(bands: NDArray[np.uint8], colour: int, tolerance: int) -> NDArray[np.bool_]:
    """Whether each pixel of (band, row, col) has the border's colour, shape (row, col)."""
    if colour == BLACK:
        plain: NDArray[np.bool_] = bands.max(axis=0) <= tolerance
    else:
        plain = bands.min(axis=0) >= WHITE - tolerance
    return plain


def cell_is_plain(plain: NDArray[np.bool_], cell_px: int) -> NDArray[np.bool_]:
    """Reduce pixels to cells: True where every pixel of the cell is plain; edge cells are cut."""
    rows = np.arange(0, plain.shape[0], cell_px)
    cols = np.arange(0, plain.shape[1], cell_px)
    by_row = np.logical_and.reduceat(plain, rows, axis=0)
    return np.logical_and.reduceat(by_row, cols, axis=1)


def grow_collar(plain: NDArray[np.bool_], empty: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """Grow the border from the edge inwards over the cells.

    Parameters
    ----------
    plain
        (row, col); True where a cell holds nothing but the border's colour.
    empty
        (row, col); True where a cell is already known to hold no picture.

    Returns
    -------
    array or None
        (row, col); True where border pixels may be found: the grown cells and two more around
        them, where picture and border share a cell. None where there is no border.
    """
    labels, _count = ndimage.label(plain | empty)
    frame = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    grown = np.zeros_like(plain)
    for label in np.unique(frame[frame > 0]):
        part = labels == label
        if (part & plain).any() and _is_border(part):
            grown |= part & plain
    if not grown.any():
        return None
    return np.asarray(ndimage.binary_dilation(grown, np.ones((3, 3), bool), iterations=2))


def _is_border(part: NDArray[np.bool_]) -> bool:
    corners = part[[0, 0, -1, -1], [0, -1, 0, -1]]
    sides = [part[0], part[-1], part[:, 0], part[:, -1]]
    return bool(corners.any() or max(side.mean() for side in sides) >= _SHARE_OF_SIDE)


def collar_mask(
    collar: Collar, bands: NDArray[np.uint8], rows: NDArray[np.int64], cols: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return which pixels of a window are border, one pixel of blended rim included.

    Parameters
    ----------
    collar
        The border of the file.
    bands
        (band, row, col) of the window.
    rows, cols
        Position of the window's rows and columns in pixels of the file.
    """
    last_row, last_col = collar.cells.shape[0] - 1, collar.cells.shape[1] - 1
    near = collar.cells[
        np.minimum((rows / collar.cell_px).astype(np.int64), last_row)[:, None],
        np.minimum((cols / collar.cell_px).astype(np.int64), last_col)[None, :],
    ]
    border: NDArray[np.bool_] = near & is_plain(bands, collar.colour, collar.tolerance)
    if not border.any():
        return border
    return np.asarray(ndimage.binary_dilation(border, np.ones((3, 3), bool)))
