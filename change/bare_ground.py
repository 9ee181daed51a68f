"""The ground below what stands on it, told from one surface model alone.

Low heights of small cells are opened, in the sense of mathematical morphology, with larger and
larger discs: what a disc cannot enter stands on the ground, unless it is no higher than the ground
itself rises over the disc (Pingel, Clarke and McBride 2013, ISPRS Journal 77). What is left is
ground, and is carried on below what stands.
"""

import math
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import interpolate, ndimage

from change.sight import Sight
from survey.blocks import Progress, run_all
from survey.grid import Bounds, WorkingGrid
from survey.windows import Block, Window, cut_blocks
from survey.words import _

__all__ = ["Ground", "cell_levels", "find_ground", "fit_ground"]

_Levels = NDArray[np.float32]

# Side of a cell, m: narrower than the lanes of a village, so that some cells are ground throughout.
_CELL_M = 3.0
# Heights are read at this pixel, m, in tiles of about this side, m.
_PIXEL_M, _TILE_M = 0.5, 240.0
# The ground of a cell is its low heights: lower ones are blunders on water and glass.
_LOW_SHARE = 0.1
# Share of a cell that must have heights.
_LEAST_KNOWN = 0.15
# Radius of the largest disc: halls up to twice as wide are told from ground, m.
_REACH_M = 60.0
# What stands higher than this above an opened surface is no ground, beside the ground's own rise,
# m.
_STEP_M = 0.7
# Slopes of the ground are taken from what the largest disc leaves, over this distance, m; none is
# steeper than the last: terraces are walls.
_SLOPE_REACH_M, _STEEPEST = 30.0, 0.5
# The land as a whole: the low share of its heights, per cent, in windows of so many cells of this
# side to either side, m.
_TREND_CELL_M, _TREND_CELLS, _TREND_SHARE = 12.0, 4, 20
# Cells farther below the ground around them are blunders, m.
_PIT_M = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Height of the bare ground in the datum of the surface model it was told from."""

    grid: WorkingGrid
    """The cells."""
    levels: _Levels
    """(row, col) of ``grid``, m; NaN only where nothing at all is known."""

    def at(self, grid: WorkingGrid, window: Window) -> _Levels:
        """Return the ground at the pixels of a window of another grid of the same CRS, m."""
        bounds = grid.window_bounds(window)
        x = bounds.left + (np.arange(window.width) + 0.5) * grid.pixel_m
        y = bounds.top - (np.arange(window.height) + 0.5) * grid.pixel_m
        cell = self.grid.pixel_m
        left, right, east = _between(x / cell, self.grid.left_px, self.levels.shape[1])
        above, below, south = _between(-y / cell, -self.grid.top_px, self.levels.shape[0])
        # Along the columns first, so that a part of the ground gives the bytes that the whole does.
        upper, lower = self.levels[above], self.levels[below]
        rows = upper + south[:, None] * (lower - upper)
        return np.asarray(rows[:, left] + east * (rows[:, right] - rows[:, left]), np.float32)

    def around(self, bounds: Bounds) -> "Ground":
        """Return the part that ``at`` needs for windows within ``bounds``."""
        window = self.grid.window_of(bounds.buffered(2 * self.grid.pixel_m))
        part = window.clipped(height=self.grid.height, width=self.grid.width)
        if part is None:
            return self
        grid = WorkingGrid(
            crs=self.grid.crs,
            pixel_m=self.grid.pixel_m,
            left_px=self.grid.left_px + part.col,
            top_px=self.grid.top_px - part.row,
            width=part.width,
            height=part.height,
        )
        rows, cols = part.slices_in(Window(row=0, col=0, height=1, width=1))
        return Ground(grid=grid, levels=self.levels[rows, cols])


def _between(
    places: NDArray[np.floating[Any]], first: int, count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Return the two cells whose centres a place lies between, and how far on it lies, 0 to 1.

    Places and ``first`` are counted in cells from the origin of the CRS, whatever part is held.
    """
    centred = places - 0.5
    whole = np.floor(centred)
    lower = whole.astype(np.int64) - first
    return (
        np.clip(lower, 0, count - 1),
        np.clip(lower + 1, 0, count - 1),
        (centred - whole).astype(np.float32),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """What one worker takes."""

    sight: Sight
    block: Block
    cell_px: int


def find_ground(
    sight: Sight, *, executor: Executor | None = None, progress: Progress | None = None
) -> Ground:
    """Find the ground below what a flight's surface model shows.

    Parameters
    ----------
    sight
        A flight with a surface model.
    executor
        Where blocks run; the result is the same anywhere.
    progress
        Told after every block.

    Raises
    ------
    FlightError
        The model cannot be read to its end.
    """
    fine = sight.at_pixel(_PIXEL_M)
    side = max(1, round(_CELL_M / fine.grid.pixel_m))
    coarse = fine.grid.coarsened(side)
    # The lattice starts where the cells do, so that every cell lies in one tile.
    core = side * max(1, round(_TILE_M / coarse.pixel_m))
    blocks = cut_blocks(
        height=coarse.height * side, width=coarse.width * side, core=core, halo=0, per_side=2
    )
    around = WorkingGrid(
        crs=coarse.crs,
        pixel_m=fine.grid.pixel_m,
        left_px=coarse.left_px * side,
        top_px=coarse.top_px * side,
        width=coarse.width * side,
        height=coarse.height * side,
    )
    whole = Sight(flight=fine.flight, grid=around, dsm=fine.dsm, dsm_shift=fine.dsm_shift)
    tasks = [_Task(sight=whole, block=block, cell_px=side) for block in blocks]
    levels = np.full((coarse.height, coarse.width), np.nan, np.float32)
    done = run_all(_read, tasks, executor=executor, stage=_("finding ground"), progress=progress)
    for part in done:
        for row, col, cells in part:
            levels[row : row + cells.shape[0], col : col + cells.shape[1]] = cells
    return Ground(grid=coarse, levels=fit_ground(levels, coarse.pixel_m))


def _read(task: _Task) -> list[tuple[int, int, _Levels]]:
    """Return the low heights of a block's cells, tile by tile, with the first row and column."""
    found = []
    with task.sight.open() as opened:
        for tile in task.block.tiles:
            heights = opened.heights(tile.core)
            assert heights is not None
            cells = cell_levels(heights, task.cell_px)
            found.append((tile.core.row // task.cell_px, tile.core.col // task.cell_px, cells))
    return found


def cell_levels(heights: NDArray[np.float32], side: int) -> _Levels:
    """Return the low heights of square cells.

    Parameters
    ----------
    heights
        (row, col) m, NaN where unknown; whole cells.
    side
        Of a cell, pixels.

    Returns
    -------
    array
        (row, col) of cells, m; NaN where too little is known.

    Examples
    --------
    >>> heights = np.full((4, 8), 3.0, np.float32)
    >>> heights[:, :2] = 1.0
    >>> cell_levels(heights, 4)
    array([[1., 3.]], dtype=float32)
    """
    rows, cols = heights.shape[0] // side, heights.shape[1] // side
    cells = heights.reshape(rows, side, cols, side).swapaxes(1, 2).reshape(rows, cols, side * side)
    ranked = np.sort(cells, axis=2)  # unknown ones last
    known = np.isfinite(cells).sum(axis=2)
    place = np.maximum(0, np.rint(_LOW_SHARE * (known - 1))).astype(np.int64)
    low = np.take_along_axis(ranked, place[..., None], axis=2)[..., 0]
    return np.where(known >= _LEAST_KNOWN * side * side, low, np.float32(np.nan))


def fit_ground(levels: _Levels, cell_m: float) -> _Levels:
    """Return the ground of cells from their low heights.

    Parameters
    ----------
    levels
        (row, col) m; NaN where unknown.
    cell_m
        Side of a cell, m.

    Returns
    -------
    array
        (row, col) m; NaN only where no cell is known.

    Examples
    --------
    A hall of 45 m on ground that rises 1 in 10:

    >>> slope = np.tile(0.3 * np.arange(50, dtype=np.float32), (50, 1))
    >>> hall = slope.copy()
    >>> hall[15:30, 15:30] += 6
    >>> bool(np.abs(fit_ground(hall, 3.0) - slope).max() < 0.1)
    True
    """
    known = np.isfinite(levels)
    if not known.any():
        return levels
    margin = math.ceil(_REACH_M / cell_m)
    filled = _filled(levels, known)
    padded = np.pad(filled - _trend(filled, cell_m), margin, mode="edge")
    rise = _rise(padded, cell_m)
    standing = np.zeros(padded.shape, bool)
    opened = padded
    for radius in range(1, margin + 1):
        lower = _opened(opened, radius)
        standing |= opened - lower > _STEP_M + rise * np.float32(radius * cell_m)
        opened = lower
    ground = ~standing[margin:-margin, margin:-margin] & known
    ground &= ~_pits(levels, ground)
    return _carried(levels, ground if ground.any() else known)


def _disc(radius: int) -> NDArray[np.uint8]:
    side = 2 * radius + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def _opened(surface: _Levels, radius: int) -> _Levels:
    return np.asarray(cv2.morphologyEx(surface, cv2.MORPH_OPEN, _disc(radius)), np.float32)


def _filled(levels: _Levels, known: NDArray[np.bool_]) -> _Levels:
    """Return the levels, where they are not known those of the nearest cell that is."""
    nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    return np.asarray(levels[tuple(nearest)], np.float32)


def _trend(levels: _Levels, cell_m: float) -> _Levels:
    """Return how the land lies as a whole: discs would take what stands on a slope for its rise."""
    side = max(1, round(_TREND_CELL_M / cell_m))
    rows, cols = levels.shape
    whole = np.pad(levels, ((0, -rows % side), (0, -cols % side)), mode="edge")
    low = _padded(cell_levels(whole, side), _TREND_CELLS)
    low = ndimage.percentile_filter(low, _TREND_SHARE, size=2 * _TREND_CELLS + 1, mode="nearest")
    smooth = _smooth(low.astype(np.float32), _TREND_CELLS / 2)
    places = [(np.arange(size) + 0.5) / side - 0.5 + _TREND_CELLS for size in (rows, cols)]
    grid = np.stack(np.meshgrid(*places, indexing="ij"))
    return np.asarray(ndimage.map_coordinates(smooth, grid, order=1), np.float32)


def _padded(levels: _Levels, margin: int) -> _Levels:
    """Carry the lie of the land on beyond the rim, as steep as it is for the most part."""
    padded = np.pad(levels, margin, mode="edge")
    if min(levels.shape) < 2:
        return padded
    down, right = (np.float32(np.median(part)) for part in np.gradient(_smooth(levels, 1.0)))
    rows, cols = (_beyond(size, margin) for size in levels.shape)
    return np.asarray(padded + down * rows[:, None] + right * cols[None, :], np.float32)


def _beyond(size: int, margin: int) -> NDArray[np.float32]:
    """Return how far beyond the rim each row of a padded array lies, negative before the first."""
    places = np.arange(-margin, size + margin)
    return (np.minimum(places, 0) + np.maximum(places - (size - 1), 0)).astype(np.float32)


def _smooth(levels: _Levels, sigma: float) -> _Levels:
    return np.asarray(cv2.GaussianBlur(levels, (0, 0), sigma), np.float32)


def _rise(levels: _Levels, cell_m: float) -> _Levels:
    """Return how steeply the ground itself rises near each cell, m per m."""
    reach = max(1, round(_SLOPE_REACH_M / cell_m))
    bare = _smooth(_opened(levels, 2 * reach), reach / 2)
    down, right = np.gradient(bare, cell_m)
    steepest = cv2.dilate(np.hypot(down, right).astype(np.float32), _disc(reach))
    return np.asarray(np.minimum(steepest, _STEEPEST), np.float32)


def _pits(levels: _Levels, ground: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the ground cells that lie far below the ground around them."""
    around = ndimage.median_filter(_carried(levels, ground), size=7, mode="nearest")
    return np.asarray(ground & (around - levels > _PIT_M))


def _carried(levels: _Levels, ground: NDArray[np.bool_]) -> _Levels:
    """Return the levels of ground cells, and between them the planes of a triangulation."""
    carried = _filled(levels, ground)
    # Only ground at the rim of what stands tells of the ground below it.
    rim = ground & ~ndimage.binary_erosion(ground, border_value=1)
    rows, cols = np.nonzero(rim)
    if len(rows) < 4 or np.ptp(rows) == 0 or np.ptp(cols) == 0:
        return carried
    planes = interpolate.LinearNDInterpolator(np.stack([rows, cols], axis=1), levels[rim])
    empty = np.nonzero(~ground)
    told = planes(np.stack(empty, axis=1)).astype(np.float32)
    carried[empty] = np.where(np.isfinite(told), told, carried[empty])
    # Turned over at the rim, so that slopes go on there.
    wider = np.pad(carried, 3, mode="reflect", reflect_type="odd")
    return _smooth(wider, 0.7)[3:-3, 3:-3]
