"""Where nothing stands: places for patches that are filled without a building having gone.

If only the ground of removed buildings were filled, whoever recognises filling would have found
every building. So as many patches of the same shapes are filled elsewhere, in either picture.
"""

import math

import cv2
import numpy as np
from scipy import fft
from shapely import Polygon, affinity

from survey.simulation.turning.masks import Mask, grow

__all__ = ["place_decoy"]

_TURNS = 8
# Places are looked for on cells of this side, m: a decoy need not lie anywhere to the pixel.
_CELL_M = 0.5


def place_decoy(
    core: Mask, outline: Polygon, free: Mask, rng: np.random.Generator, *, pixel_m: float
) -> tuple[Mask, Polygon] | None:
    """Find a place for a patch of a building's shape on free ground.

    Parameters
    ----------
    core
        (row, col); what the building covers, in any window.
    outline
        The building's outline, as (col, row) of the same window.
    free
        (row, col); ground that the patch may lie on.
    rng
        Draws turn and place.
    pixel_m
        Pixel on the ground, m.

    Returns
    -------
    tuple of numpy.ndarray and Polygon, or None
        The patch as a mask of the shape of ``free``, and the outline that would stand there, as
        (col, row); None where there is no room.
    """
    for turn in rng.permutation(_TURNS):
        shape, moved = _turned(core, outline, 2.0 * math.pi * int(turn) / _TURNS)
        place = _room_for(shape, free, rng, factor=max(1, round(_CELL_M / pixel_m)))
        if place is not None:
            row, col = place
            mask = np.zeros_like(free)
            mask[row : row + shape.shape[0], col : col + shape.shape[1]] = shape
            if not (mask & ~free).any():
                return mask, affinity.translate(moved, col, row)
    return None


def _turned(core: Mask, outline: Polygon, angle: float) -> tuple[Mask, Polygon]:
    """Turn mask and outline together; the mask comes back cut to its pixels."""
    rows, cols = np.nonzero(core)
    centre_row, centre_col = (rows.min() + rows.max() + 1) / 2, (cols.min() + cols.max() + 1) / 2
    reach = math.ceil(math.hypot(np.ptp(rows) + 1, np.ptp(cols) + 1) / 2) + 2
    cos, sin = math.cos(angle), math.sin(angle)
    x = reach - cos * centre_col + sin * centre_row
    y = reach - sin * centre_col - cos * centre_row
    # OpenCV counts from pixel centres, outlines from pixel corners.
    half = 0.5 * np.array([cos - sin - 1.0, sin + cos - 1.0])
    move = np.array([[cos, -sin, x + half[0]], [sin, cos, y + half[1]]])
    side = 2 * reach
    turned = cv2.warpAffine(core.astype(np.uint8), move, (side, side), flags=cv2.INTER_NEAREST) > 0
    down, across = np.flatnonzero(turned.any(axis=1)), np.flatnonzero(turned.any(axis=0))
    cut = turned[down[0] : down[-1] + 1, across[0] : across[-1] + 1]
    moved = affinity.affine_transform(outline, [cos, -sin, sin, cos, x, y])
    return cut, affinity.translate(moved, -int(across[0]), -int(down[0]))


def _room_for(
    shape: Mask, free: Mask, rng: np.random.Generator, *, factor: int
) -> tuple[int, int] | None:
    """Draw a (row, col) at which the whole shape lies on free ground."""
    height, width = free.shape[0] // factor, free.shape[1] // factor
    cells = free[: height * factor, : width * factor].reshape(height, factor, width, factor)
    barred = (~cells.all(axis=(1, 3))).astype(np.float32)
    padded = np.pad(shape, [(0, -n % factor) for n in shape.shape])
    rows, cols = padded.shape[0] // factor, padded.shape[1] // factor
    part = np.asarray(padded.reshape(rows, factor, cols, factor).any(axis=(1, 3)))
    if rows >= height or cols >= width:
        return None
    kernel = grow(part, 1).astype(np.float32)
    size = [fft.next_fast_len(n, real=True) for n in barred.shape]
    met = fft.irfft2(np.conj(fft.rfft2(kernel, size)) * fft.rfft2(barred, size), size)
    room = np.argwhere(met[: height - rows + 1, : width - cols + 1] < 0.5)
    if not len(room):
        return None
    row, col = room[int(rng.integers(len(room)))]
    return int(row) * factor, int(col) * factor
