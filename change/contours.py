"""Drawn outlines held against a picture or heights, edge by edge, at many shifts at once. Pure.

Points are taken along every outline, each with the direction that leads inwards. What a picture
shows there is compared by the axis of its brightness gradient, since a roof may be brighter or
darker than the ground; heights by its direction, since a roof is higher.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from survey.grid import WorkingGrid
from survey.ties import descriptor
from survey.windows import Window

__all__ = [
    "Contours",
    "blurred",
    "height_edges",
    "picture_edges",
    "score_shifts",
    "square_shifts",
    "trace_contours",
]

# A slope of this size counts half, m per m: walls in a surface model, not banks and furrows.
_STEEP = 1.0
# Shifts looked up at once: few enough to stay in the processor's cache.
_AT_ONCE = 64
# A Gaussian is cut off at so many sigmas.
_BLUR_REACH = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Contours:
    """Points along outlines; all arrays have shape (n,), sorted by owner."""

    x: NDArray[np.float64]
    """Where, m east."""
    y: NDArray[np.float64]
    """Where, m north."""
    inwards: NDArray[np.complex64]
    """Direction that leads into the outline: east as real, south as imaginary part, length 1."""
    owner: NDArray[np.int64]
    """Which outline, counted from 0."""
    count: int
    """How many outlines there are; one without a contour owns no point."""

    def moved(self, east_m: float, north_m: float) -> "Contours":
        """Return the contours of the outlines moved, m."""
        return replace(self, x=self.x + east_m, y=self.y + north_m)

    def steps(
        self, depths_m: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return (x, y) of the points moved inwards, outwards where ``depths_m`` (k, n) is < 0."""
        return self.x + self.inwards.real * depths_m, self.y - self.inwards.imag * depths_m

    def quantiles(self, values: NDArray[np.float32], share: float) -> NDArray[np.float32]:
        """Return a quantile of (k, n) values over each outline's points, (count,); NaN without.

        Unknown values (NaN) are left out; of two in the middle it is the lower one.
        """
        flat = values.ravel()
        owner = np.tile(self.owner, len(values))
        known = np.isfinite(flat)
        flat, owner = flat[known], owner[known]
        order = np.lexsort((flat, owner))
        held = np.bincount(owner, minlength=self.count)
        at = np.cumsum(held) - held + np.floor(share * np.maximum(held - 1, 0)).astype(np.int64)
        found = np.full(self.count, np.nan, np.float32)
        found[held > 0] = flat[order][at[held > 0]]
        return found

    def means(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the mean of (k, n) values over each outline's points, (count, k); 0 without."""
        sums = np.zeros((self.count, len(values)), np.float32)
        if len(self.owner):
            first = np.flatnonzero(np.r_[True, np.diff(self.owner) > 0])
            sums[self.owner[first]] = np.add.reduceat(values, first, axis=1).T
        held = np.bincount(self.owner, minlength=self.count)
        return np.asarray(sums / np.maximum(held, 1)[:, None], np.float32)


def trace_contours(
    outlines: Sequence[BaseGeometry] | NDArray[np.object_], spacing_m: float, most: int
) -> Contours:
    """Take points along outlines.

    Parameters
    ----------
    outlines
        Polygons, m.
    spacing_m
        Distance between points, m.
    most
        About as many points an outline gets at most; large ones get them farther apart.

    Examples
    --------
    >>> square = shapely.box(0, 0, 10, 10)
    >>> contours = trace_contours([square], 1.0, 100)
    >>> len(contours.x), complex(contours.inwards[contours.y == 0][0])
    (40, -1j)
    """
    outlines = np.asarray(outlines, dtype=object)
    parts, whose = shapely.get_parts(shapely.orient_polygons(outlines), return_index=True)
    rings, of_part = shapely.get_rings(parts, return_index=True)
    corners, ring = shapely.get_coordinates(rings, return_index=True)
    joined = ring[1:] == ring[:-1]
    start, step = corners[:-1][joined], (corners[1:] - corners[:-1])[joined]
    owner = whose[of_part[ring[:-1][joined]]] if len(ring) else np.zeros(0, np.int64)
    length = np.hypot(*step.T)
    around = np.bincount(owner, weights=length, minlength=len(outlines))
    apart = np.maximum(spacing_m, around / most)[owner]
    pieces = np.where(length > 0, np.maximum(1, np.rint(length / apart)), 0).astype(np.int64)
    side = np.repeat(np.arange(len(pieces)), pieces)
    number = np.arange(len(side)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    way = ((number + 0.5) / pieces[side])[:, None]
    points = start[side] + way * step[side]
    along = (step[side] / length[side, None]).T
    # Shells run counter-clockwise and holes clockwise: inside lies to the left, south is positive.
    inwards = 0 - along[1] - 1j * along[0]
    order = np.argsort(owner[side], kind="stable")
    return Contours(
        x=points[order, 0],
        y=points[order, 1],
        inwards=inwards[order].astype(np.complex64),
        owner=owner[side][order].astype(np.int64),
        count=len(outlines),
    )


def picture_edges(grey: NDArray[np.uint8], valid: NDArray[np.bool_]) -> NDArray[np.complex64]:
    """Return the axis of the edges of a picture as doubled angles, (row, col), modulus below 1.

    Edges of shadows stay: left out, the roofs' own edges beside them go too, and layers are found
    half as clearly (``benchmarks/permit_offsets.py``).

    Parameters
    ----------
    grey, valid
        (row, col) of the picture, and where it shows the ground.
    """
    gradient = descriptor(grey, valid)
    return (gradient**2 / (np.abs(gradient) + np.float32(1e-6))).astype(np.complex64)


def height_edges(heights: NDArray[np.float32], pixel_m: float) -> NDArray[np.complex64]:
    """Return which way heights rise, (row, col), modulus below 1; 0 beside what is unknown."""
    across, down = np.zeros_like(heights), np.zeros_like(heights)
    across[:, 1:-1] = heights[:, 2:] - heights[:, :-2]
    down[1:-1] = heights[2:] - heights[:-2]
    slope = (across + 1j * down) / np.float32(2 * pixel_m)
    known = np.isfinite(slope)
    slope = np.where(known, slope, 0)
    return (slope / (np.abs(slope) + np.float32(_STEEP))).astype(np.complex64)


def blurred(edges: NDArray[np.complex64], sigma_px: float) -> NDArray[np.complex64]:
    """Return edges spread out, as outlines that are drawn some decimetres off will meet them."""
    # OpenCV takes two channels at once, in a fifth of the time of SciPy.
    parts = np.ascontiguousarray(edges).view(np.float32).reshape(*edges.shape, 2)
    side = 2 * math.ceil(_BLUR_REACH * sigma_px) + 1
    spread = cv2.GaussianBlur(parts, (side, side), sigma_px)
    return np.ascontiguousarray(spread).view(np.complex64)[..., 0]


def square_shifts(search: int) -> NDArray[np.int64]:
    """Return all shifts (row, col) up to so many pixels, row by row, ((2 search + 1)**2, 2)."""
    steps = np.arange(-search, search + 1)
    return np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2)


def score_shifts(
    contours: Contours,
    edges: NDArray[np.complex64],
    place: tuple[WorkingGrid, Window],
    shifts: NDArray[np.int64],
    *,
    axis: bool,
) -> NDArray[np.float32]:
    """Return how well each outline's contour lies on edges, at every shift.

    Parameters
    ----------
    contours
        Points along the outlines.
    edges
        (row, col), from ``picture_edges`` or ``height_edges``.
    place
        The grid, and the window of it that ``edges`` shows.
    shifts
        (k, 2) of (row, col) in pixels: how far an outline is moved down and to the right.
    axis
        Whether ``edges`` are doubled angles.

    Returns
    -------
    array
        (count, k), about -1 to 1; what lies outside the window counts 0.
    """
    grid, window = place
    reach = int(np.abs(shifts).max(initial=0))
    col = np.floor(contours.x / grid.pixel_m).astype(np.int64) - grid.left_px - window.col
    row = np.floor(-contours.y / grid.pixel_m).astype(np.int64) + grid.top_px - window.row
    row = np.clip(row, -reach - 1, window.height + reach)
    col = np.clip(col, -reach - 1, window.width + reach)
    padded = np.pad(edges, 2 * reach + 1)
    base = (row + 2 * reach + 1) * padded.shape[1] + col + 2 * reach + 1
    offsets = shifts[:, 0] * padded.shape[1] + shifts[:, 1]
    wanted = np.conj(contours.inwards**2 if axis else contours.inwards)
    flat = padded.ravel()
    scores = np.empty((contours.count, len(shifts)), np.float32)
    for first in range(0, len(shifts), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        seen = flat[base[None, :] + offsets[part, None]]
        scores[:, part] = contours.means((seen * wanted[None, :]).real)
    return scores
