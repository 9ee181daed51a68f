"""Where on the scene the pixels of a flight's file look: frames, tiles, inverse displacement."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from survey.simulation.flights import AreaPlan, FlightPlan, undo_displacement
from survey.simulation.painting.canvas import Lattice
from survey.windows import Window

__all__ = ["Frame", "Samples", "aim", "image_frame", "shared_slices", "surface_frame", "tiles_in"]

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]

# The inverse displacement is evaluated every 16 pixels and interpolated: over 1.3 m a warp of
# 0.5 m and 80 m wavelength bends by less than 1 mm.
_KNOT_PX = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The georeferenced pixel grid of a file, north up."""

    west: float
    """Easting of the left edge, metres."""
    north: float
    """Northing of the upper edge, metres."""
    pixel_m: float
    """Pixel, metres."""
    size: int
    """Pixels along each side."""

    @property
    def window(self) -> Window:
        """The whole frame."""
        return Window(row=0, col=0, height=self.size, width=self.size)

    def eastings(self, columns: Floats) -> Floats:
        """Give the eastings of column centres, metres."""
        return self.west + (columns + 0.5) * self.pixel_m

    def northings(self, rows: Floats) -> Floats:
        """Give the northings of row centres, metres."""
        return self.north - (rows + 0.5) * self.pixel_m


def image_frame(plan: AreaPlan, flight: FlightPlan) -> Frame:
    """Give the grid of a flight's orthophoto."""
    return _frame(plan, flight, plan.pixel_m)


def surface_frame(plan: AreaPlan, flight: FlightPlan) -> Frame:
    """Give the grid of a flight's surface model."""
    return _frame(plan, flight, plan.surface_pixel_m)


def _frame(plan: AreaPlan, flight: FlightPlan, pixel_m: float) -> Frame:
    return Frame(
        west=plan.west_m + flight.shift_east_m,
        north=plan.south_m + plan.side_m + flight.shift_north_m,
        pixel_m=pixel_m,
        size=round(plan.side_m / pixel_m),
    )


def tiles_in(frame: Frame, window: Window, tile_px: int) -> Iterator[Window]:
    """Give the tiles, anchored to the frame, that a window needs, row by row.

    Everything is rendered by whole tiles, so a pixel has one value in whatever window it is asked
    for.

    Raises
    ------
    ValueError
        If the window reaches beyond the frame.
    """
    last_row, last_column = window.row + window.height, window.col + window.width
    if min(window.row, window.col) < 0 or max(last_row, last_column) > frame.size:
        msg = f"{window} reaches beyond a frame of {frame.size} x {frame.size} pixels"
        raise ValueError(msg)
    for row in range(window.row // tile_px * tile_px, window.row + window.height, tile_px):
        for column in range(window.col // tile_px * tile_px, window.col + window.width, tile_px):
            yield Window(
                row=row,
                col=column,
                height=min(tile_px, frame.size - row),
                width=min(tile_px, frame.size - column),
            )


def shared_slices(window: Window, tile: Window) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Give what a window and a tile share, as slices of the one and of the other."""
    pairs = []
    for first, size, start, length in (
        (window.row, window.height, tile.row, tile.height),
        (window.col, window.width, tile.col, tile.width),
    ):
        low, high = max(first, start), min(first + size, start + length)
        pairs.append((slice(low - first, high - first), slice(low - start, high - start)))
    (target_rows, source_rows), (target_columns, source_columns) = pairs
    return (target_rows, target_columns), (source_rows, source_columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Where on a lattice of the scene the pixels of a window look."""

    lattice: Lattice
    """The part of the scene they look at, with a margin."""
    rows: Singles
    """Row positions within the lattice, shape of the window."""
    columns: Singles
    """Column positions within the lattice, shape of the window."""

    def take(self, image: Singles, interpolation: int = cv2.INTER_LINEAR) -> Singles:
        """Interpolate an image of the lattice, shape (rows, columns), at the samples."""
        taken = cv2.remap(
            image, self.columns, self.rows, interpolation, borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(taken, dtype=np.float32)

    def moved(self, columns: Singles, rows: Singles) -> "Samples":
        """Give the samples moved by this many pixels of the lattice."""
        return Samples(lattice=self.lattice, rows=self.rows + rows, columns=self.columns + columns)


def _spread(knots: Floats, first: tuple[int, int], window: Window) -> Floats:
    """Interpolate values at knots to all pixels of a window."""
    row, down = np.divmod(np.arange(window.row, window.row + window.height), _KNOT_PX)
    column, across = np.divmod(np.arange(window.col, window.col + window.width), _KNOT_PX)
    row, column = row - first[0], column - first[1]
    lines = knots[row] + (knots[row + 1] - knots[row]) * (down / _KNOT_PX)[:, None]
    step = np.diff(lines, axis=1)
    return np.asarray(lines[:, column] + step[:, column] * (across / _KNOT_PX))


def _knots(first: int, count: int) -> Floats:
    """Give knots that are anchored to the frame."""
    knots = np.arange(first // _KNOT_PX, (first + count - 1) // _KNOT_PX + 2, dtype=np.float64)
    return knots * _KNOT_PX


def aim(
    plan: AreaPlan,
    flight: FlightPlan,
    frame: Frame,
    window: Window,
    *,
    lattice_m: float,
    margin_px: int,
) -> Samples:
    """Find where the pixels of a window look on the scene's lattice of `lattice_m`.

    The lattice reaches `margin_px` further than they look.
    """
    seen_x, seen_y = np.meshgrid(
        frame.eastings(_knots(window.col, window.width)),
        frame.northings(_knots(window.row, window.height)),
    )
    true_x, true_y = undo_displacement(flight, seen_x, seen_y)
    first = (window.row // _KNOT_PX, window.col // _KNOT_PX)
    across = _spread((true_x - plan.west_m) / lattice_m - 0.5, first, window)
    down = _spread((plan.south_m - true_y) / lattice_m - 0.5, first, window)
    column, row = math.floor(across.min()) - margin_px, math.floor(down.min()) - margin_px
    lattice = Lattice(
        pixel_m=lattice_m,
        column=column,
        row=row,
        columns=math.ceil(across.max()) + margin_px + 1 - column,
        rows=math.ceil(down.max()) + margin_px + 1 - row,
    )
    return Samples(
        lattice=lattice,
        rows=(down - row).astype(np.float32),
        columns=(across - column).astype(np.float32),
    )
