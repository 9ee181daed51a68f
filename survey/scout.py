"""The first look at two whole flights: one shift, and a turn and a stretch where there must be one.

Every descriptor of the whole is correlated at once; where the flights are turned against each other
nothing stands out, and turned and stretched copies of the after flight are tried.
"""

import math
from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from survey.field import Field, flat_field
from survey.flight import Flight
from survey.grid import Bounds, WorkingGrid
from survey.reading import FlightReader
from survey.ties import correlate_images, descriptor, surface_peak, surface_strength
from survey.windows import Window, cut_blocks

__all__ = ["Scouted", "scout"]

# Peak in standard deviations from which one shift for the whole is believed; unrelated ground
# reaches 4.8 (tuning draw of the alignment benchmark).
_SURE = 6.0
# The same for the best of all turned copies: there unrelated ground reaches 5.8.
_SURE_TURNED = 8.0
# Where the upright copy fits as well as this, turned ones are not tried.
_UPRIGHT = 12.0
# What is tried: 5 degrees and 2 %, in steps by which 100 pixels move by two.
_TURNS = tuple(np.arange(-5.0, 5.01, 1.25))
_STRETCHES = (0.98, 1.0, 1.02)
# Nodes along a side of a field that is turned as a whole.
_NODES = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Scouted:
    """What the first look found."""

    field: Field
    """One shift, or one similarity; the georeferencing where nothing stood out."""
    strength: float
    """Height of the peak in standard deviations."""


def scout(before: Flight, after: Flight, grid: WorkingGrid, search_m: float) -> Scouted:
    """Find one shift, and where it must be one turn and stretch, for the whole.

    Parameters
    ----------
    before, after
        Examined flights.
    grid
        Coarse: both are held whole.
    search_m
        Largest shift that is looked for, m.
    """
    search = max(4, math.ceil(search_m / grid.pixel_m))
    whole = Window(row=0, col=0, height=grid.height, width=grid.width).padded(search)
    first = descriptor(*_whole(before, grid, whole))
    grey, seen = _whole(after, grid, whole)
    surface = correlate_images(first, descriptor(grey, seen), search)
    best = upright = (surface_strength(surface), surface, 0.0, 1.0)
    if best[0] < _UPRIGHT:
        for turn, stretch in product(_TURNS, _STRETCHES):
            if turn or stretch != 1.0:
                moved = descriptor(*_turned(grey, seen, turn, stretch))
                surface = correlate_images(first, moved, search)
                best = max(best, (surface_strength(surface), surface, turn, stretch), key=_first)
        if best[0] < _SURE_TURNED:
            best = upright
    strength, surface, turn, stretch = best
    flat = flat_field(grid.bounds, uncertainty=search_m)
    if strength < _SURE:
        return Scouted(field=flat, strength=strength)
    row, col = surface_peak(surface)
    shift = complex(col, -row) * grid.pixel_m
    if turn == 0.0 and stretch == 1.0:
        return Scouted(field=flat.moved(east=shift.real, north=shift.imag), strength=strength)
    field = _similarity(grid.bounds, shift, math.radians(turn), stretch, search_m)
    return Scouted(field=field, strength=strength)


def _first(found: tuple[float, NDArray[np.float64], float, float]) -> float:
    return found[0]


def _whole(
    flight: Flight, grid: WorkingGrid, window: Window
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return a whole flight, read in tiles: a fine file is never held at once."""
    grey = np.zeros((window.height, window.width), np.uint8)
    valid = np.zeros(grey.shape, bool)
    with FlightReader(flight, grid) as reader:
        for block in cut_blocks(height=window.height, width=window.width, core=256, halo=0):
            for tile in block.tiles:
                part = tile.core
                at = Window(
                    row=window.row + part.row,
                    col=window.col + part.col,
                    height=part.height,
                    width=part.width,
                )
                picture = reader.grey(at)
                rows, cols = at.slices_in(window)
                grey[rows, cols] = picture.grey
                valid[rows, cols] = picture.valid
    return grey, valid


def _turned(
    grey: NDArray[np.uint8], seen: NDArray[np.bool_], turn: float, stretch: float
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return what the picture would be were it turned back: read at turned, stretched places."""
    height, width = grey.shape
    centre = ((width - 1) / 2, (height - 1) / 2)
    there = cv2.getRotationMatrix2D(centre, turn, stretch)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(grey, there, (width, height), flags=flags)
    known = cv2.warpAffine(seen.astype(np.uint8) * 255, there, (width, height), flags=flags)
    return np.asarray(moved, np.uint8), known > 250


def _similarity(
    bounds: Bounds, shift: complex, turn: float, stretch: float, uncertainty: float
) -> Field:
    """Return the displacement by a turn and a stretch about the middle, after a shift.

    A copy read at turned places fits at a shift of its own pixels, which the turn takes along. In
    pixels rows run down, so that ``cv2`` turns counter-clockwise on the ground.
    """
    step = max(bounds.right - bounds.left, bounds.top - bounds.bottom) / (_NODES - 1)
    count = [math.ceil(side / step) + 1 for side in
             (bounds.top - bounds.bottom, bounds.right - bounds.left)]  # fmt: skip
    x = bounds.left + step * np.arange(count[1])[None, :]
    y = bounds.top - step * np.arange(count[0])[:, None]
    middle = complex((bounds.left + bounds.right) / 2, (bounds.bottom + bounds.top) / 2)
    place = x + 1j * y
    there = middle + stretch * np.exp(1j * turn) * (place + shift - middle)
    moved = there - place
    return Field(
        left=bounds.left,
        top=bounds.top,
        step=step,
        east=moved.real,
        north=moved.imag,
        uncertainty=np.full(moved.shape, uncertainty),
        known=np.zeros(moved.shape, bool),
    )
