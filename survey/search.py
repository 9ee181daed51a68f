"""Ties of one level: every window of two flights on one grid, block by block."""

from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from survey.blocks import Progress, run_all
from survey.field import Field
from survey.flight import Flight
from survey.grid import WorkingGrid
from survey.reading import FlightReader
from survey.ties import Ties, correlate_images, correlate_windows, descriptor
from survey.windows import Block, Window, cut_blocks
from survey.words import _

__all__ = ["STEP_PX", "Found", "Look", "search_ties"]

# Windows in pixels of their level (as in the co-registration trials).
_SIDE, _SEARCH = 128, 16
STEP_PX = 64
"""Distance between windows, pixels of their level."""
_CORE = 512
# The summed evidence is looked for this far around the field, pixels (12 m at 0.2 m).
_EVIDENCE_SEARCH = 60
# A window counts where this share of it is picture in both flights.
_LEAST_VALID = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One level of the search: a grid, and the field known before it."""

    before: Flight
    after: Flight
    grid: WorkingGrid
    field: Field
    block: Block | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one block of a level found."""

    ties: Ties
    """Every window's best guess."""
    surface: NDArray[np.float64]
    """Sum of the tiles' correlation surfaces around the field."""


def search_ties(look: Look, executor: Executor | None, progress: Progress | None) -> Found:
    """Look for ties in every window of a level."""
    grid = look.grid
    halo = (_SIDE - STEP_PX) // 2
    works = [
        Look(before=look.before, after=look.after, grid=grid, field=look.field, block=block)
        for block in cut_blocks(
            height=grid.height, width=grid.width, core=_CORE, halo=halo, per_side=2
        )
    ]
    found = list(
        run_all(_search_block, works, executor=executor, stage=_("aligning"), progress=progress)
    )
    return Found(
        ties=Ties.joined([part.ties for part in found]),
        surface=np.sum([part.surface for part in found], axis=0),
    )


def _search_block(look: Look) -> Found:
    assert look.block is not None
    parts: list[Ties] = []
    size = 2 * _EVIDENCE_SEARCH + 1
    total = np.zeros((size, size))
    with (
        FlightReader(look.before, look.grid) as before,
        FlightReader(look.after, look.grid) as after,
    ):
        for tile in look.block.tiles:
            first = before.picture(tile.seen)
            second = after.picture(tile.seen, look.field.shift)
            both = first.valid & second.valid
            corners = _corners(both)
            if len(corners) == 0:
                continue
            seen_before = descriptor(first.colour, first.valid)
            seen_after = descriptor(second.colour, second.valid)
            total += correlate_images(seen_before, seen_after, _EVIDENCE_SEARCH)
            offsets = correlate_windows(seen_before, seen_after, corners, _SIDE, _SEARCH)
            parts.append(_ties(look, tile.seen, corners, offsets))
    return Found(ties=Ties.joined(parts), surface=total)


def _corners(valid: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the (row, col) of the windows of a tile that hold enough picture, shape (n, 2)."""
    starts = np.arange(0, valid.shape[0] - _SIDE + 1, STEP_PX)
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
    corners: NDArray[np.int64],
    offsets: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
) -> Ties:
    """Return the windows' offsets as ties: what the field already moved is added."""
    rows, cols, ratio = offsets
    p = look.grid.pixel_m
    row, col = corners.T.astype(np.float64) + _SIDE / 2
    x, y = (look.grid.left_px + seen.col + col) * p, (look.grid.top_px - seen.row - row) * p
    east, north = look.field.shift(x, y)
    return Ties(x=x, y=y, east=east + cols * p, north=north - rows * p, strength=ratio)
