"""Ties of one level: every window or cell of two flights on one grid, block by block."""

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from survey.blocks import Progress, run_all
from survey.field import Field
from survey.flight import Flight
from survey.grid import WorkingGrid
from survey.reading import FlightReader
from survey.ties import (
    Ties,
    cell_peaks,
    correlate_cells,
    correlate_images,
    correlate_windows,
    descriptor,
    window_peaks,
)
from survey.windows import Block, Tile, Window, cut_blocks
from survey.words import _

__all__ = ["CELL_PX", "STEP_PX", "Evidence", "Look", "gather_evidence", "search_cells",
           "search_windows"]  # fmt: skip

# Windows in pixels of their level. Half the size of those of the co-registration trials: a level is
# decimated by two or more, and windows of 64 px follow bends that 128 px average away.
_SIDE, _SEARCH = 64, 16
STEP_PX = 16
"""Distance between windows of a coarse level, pixels of the level."""
CELL_PX = 16
"""Side of the smallest cells, pixels of their level."""
_CORE = 512
# Tiles along a block of cells: their margins reach into stored blocks that GDAL still holds when
# their neighbours come, as long as two rows of them fit into its cache.
_TILES_ACROSS = 4
# A window counts where this share of it is picture in both flights; a cell where its energy says
# that it holds more than the grain of the sensor.
_LEAST_VALID = 0.5
_LEAST_ENERGY = 0.02
# A cell is judged with its neighbours: windows of some three cells, tapered.
_TAPER = np.array([0.5, 1.0, 0.5], np.float32)
# A gradient above the damping of the descriptor is an edge rather than noise.
_EDGE = 0.5
# Evidence is looked for this far around the field, pixels (12 m at 0.2 m).
_EVIDENCE_SEARCH = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One level of the search: a grid, and the field known before it."""

    before: Flight
    after: Flight
    grid: WorkingGrid
    field: Field
    step: int = STEP_PX
    cell: int = CELL_PX
    reach: int = 3
    block: Block | None = None

    def blocks(self, core: int, halo: int, per_side: int) -> "list[Look]":
        """Return the same look at every block of its grid."""
        size = {"height": self.grid.height, "width": self.grid.width}
        blocks = cut_blocks(**size, core=core, halo=halo, per_side=per_side)
        return [replace(self, block=block) for block in blocks]

    def pictures(self, margin: int = 0) -> Iterator[tuple[Tile, "_Seen"]]:
        """Yield the tiles of a block that both flights show, with their descriptors."""
        assert self.block is not None
        with (
            FlightReader(self.before, self.grid) as before,
            FlightReader(self.after, self.grid) as after,
        ):
            for tile in self.block.tiles:
                window = tile.seen.padded(margin)
                first = before.grey(window)
                if not first.valid.any():
                    continue
                second = after.grey(window, self.field.shift)
                both = first.valid & second.valid
                if both.any():
                    pair = [descriptor(p.grey, p.valid) for p in (first, second)]
                    yield tile, _Seen(pair[0], pair[1], both)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A tile in both flights."""

    before: NDArray[np.complex64]
    after: NDArray[np.complex64]
    both: NDArray[np.bool_]


def search_windows(look: Look, executor: Executor | None, progress: Progress | None) -> Ties:
    """Look for ties in overlapping windows, up to 16 pixels around the field."""
    works = look.blocks(_CORE, (_SIDE - look.step) // 2, 2)
    return Ties.joined(
        list(run_all(_window_ties, works, executor=executor, stage=_("aligning"),
                     progress=progress))
    )  # fmt: skip


def _window_ties(look: Look) -> Ties:
    parts = []
    for tile, seen in look.pictures():
        corners = _corners(seen.both, look.step)
        if len(corners):
            surfaces = correlate_windows(seen.before, seen.after, corners, _SIDE, _SEARCH)
            centres = corners.astype(np.float64) + _SIDE / 2
            parts.append(_ties(look, tile.seen, centres, window_peaks(surfaces)))
    return Ties.joined(parts)


def _corners(valid: NDArray[np.bool_], step: int) -> NDArray[np.int64]:
    """Return the (row, col) of the windows of a tile that hold enough picture, shape (n, 2)."""
    starts = np.arange(0, valid.shape[0] - _SIDE + 1, step)
    summed = np.pad(valid.astype(np.int64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    row, col = (a.ravel() for a in np.meshgrid(starts, starts, indexing="ij"))
    area = (
        summed[row + _SIDE, col + _SIDE]
        - summed[row, col + _SIDE]
        - summed[row + _SIDE, col]
        + summed[row, col]
    )
    enough = area >= _LEAST_VALID * _SIDE**2
    return np.stack([row[enough], col[enough]], axis=1)


def _ties(
    look: Look,
    seen: Window,
    centres: NDArray[np.float64],
    found: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
) -> Ties:
    """Return offsets found at (row, col) of a window as ties: what the field moved is added."""
    rows, cols, strength = found
    p = look.grid.pixel_m
    row, col = centres.T
    x, y = (look.grid.left_px + seen.col + col) * p, (look.grid.top_px - seen.row - row) * p
    east, north = look.field.shift(x, y)
    return Ties(x=x, y=y, east=east + cols * p, north=north - rows * p, strength=strength)


def search_cells(look: Look, executor: Executor | None, progress: Progress | None) -> Ties:
    """Look for ties in cells side by side, up to ``look.reach`` - 1 pixels around the field."""
    cell, size = look.cell, 2 * look.reach + 1
    core = cell * max(1, 2 * _CORE // cell)
    rows, cols = -(-look.grid.height // cell), -(-look.grid.width // cell)
    sums = np.zeros((rows, cols, size**2 + 2), np.float32)
    works = look.blocks(core, 0, _TILES_ACROSS)
    done = run_all(_cell_sums, works, executor=executor, stage=_("aligning"), progress=progress)
    for work, parts in zip(works, done, strict=True):
        assert work.block is not None
        for tile, part in zip(work.block.tiles, parts, strict=True):
            row, col = tile.core.row // cell, tile.core.col // cell
            room = sums[row : row + part.shape[0], col : col + part.shape[1]]
            room[:] = part[: room.shape[0], : room.shape[1]]
    for axis in (0, 1):
        ndimage.convolve1d(sums, _TAPER, axis=axis, mode="constant", output=sums)
    return _cell_ties(look, sums)


def _cell_sums(look: Look) -> list[NDArray[np.float32]]:
    """Return the sums of every tile of a block; empty ones where nothing is seen."""
    assert look.block is not None
    nothing = np.zeros((0, 0, (2 * look.reach + 1) ** 2 + 2), np.float32)
    found = dict.fromkeys(look.block.tiles, nothing)
    # Two pixels more than the reach: the descriptor is zero along the rim of what it is given.
    for tile, seen in look.pictures(look.reach + 2):
        inner = slice(2, -2), slice(2, -2)
        first, second = (np.ascontiguousarray(z[inner]) for z in (seen.before, seen.after))
        found[tile] = correlate_cells(first, second, look.cell, look.reach)
    return list(found.values())


def _cell_ties(look: Look, sums: NDArray[np.float32]) -> Ties:
    # Tapered sums count a cell four times.
    energy = sums[..., -2:].min(axis=-1) / 4.0
    row, col = np.nonzero(energy > _LEAST_ENERGY * look.cell**2)
    centres = np.asarray((np.stack([row, col], axis=1) + 0.5) * look.cell, np.float64)
    whole = Window(row=0, col=0, height=look.grid.height, width=look.grid.width)
    return _ties(look, whole, centres, cell_peaks(sums[row, col]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What tells the same ground from other ground."""

    surface: NDArray[np.float64]
    """(row, col) of shift around the field: correlation of whole tiles, summed."""
    area_m2: float
    """Ground that both flights show in them, m2."""
    texture: float
    """Share of it that shows clear edges, in the poorer picture."""


def gather_evidence(look: Look, executor: Executor | None, *, tiles: int) -> Evidence:
    """Correlate some whole tiles, spread evenly over the area, and sum what they say."""
    works = look.blocks(_CORE, 32, 1)
    chosen = np.linspace(0, len(works) - 1, min(len(works), tiles)).round().astype(int)
    size = 2 * _EVIDENCE_SEARCH + 1
    surface, pixels = np.zeros((size, size)), np.zeros(3, np.int64)
    for part, seen in run_all(_tile_evidence, [works[i] for i in chosen], executor=executor):
        surface += part
        pixels += seen
    return Evidence(
        surface=surface,
        area_m2=float(pixels[0]) * look.grid.pixel_m**2,
        texture=float(pixels[1:].min()) / max(1, int(pixels[0])),
    )


def _tile_evidence(look: Look) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the surface, and pixels: seen in both, and with edges in each."""
    size = 2 * _EVIDENCE_SEARCH + 1
    surface, pixels = np.zeros((size, size)), np.zeros(3, np.int64)
    for _tile, seen in look.pictures():
        surface += correlate_images(seen.before, seen.after, _EVIDENCE_SEARCH)
        edges = [(np.abs(z) > _EDGE) & seen.both for z in (seen.before, seen.after)]
        pixels += [int(mask.sum()) for mask in (seen.both, *edges)]
    return surface, pixels
