"""Where the ground of one flight truly lies in the other, and which of it both show."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS

from benchmarks.alignment_pictures import GROUND, NOTHING
from benchmarks.warps import Warp, on_lattice
from survey.crs import same_crs, transformer
from survey.simulation import AreaPlan, FlightPlan, displacement, image_frame, undo_displacement

__all__ = ["FrozenTruth", "Known", "Plane", "Truth", "UnmovedTruth", "WarpedTruth"]

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is true of places of the before flight; all of one shape."""

    east: Floats
    """How much further east the after flight shows the same ground, metres."""
    north: Floats
    """How much further north, metres."""
    both: Mask
    """True where both flights have picture."""
    visible: Mask
    """True where both show the same open ground: nothing replaced, tall or leaning."""


class Truth(Protocol):
    """What is true of a pair."""

    def known(self, x: Floats, y: Floats, crs: CRS) -> Known:
        """Tell what is true of places of the before flight, in a CRS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """Where the pixels of a picture are said to lie: north up, square pixels."""

    crs: str
    """The CRS they are stated in."""
    left: float
    """x of the left edge."""
    top: float
    """y of the upper edge."""
    pixel_m: float
    """Pixel, metres."""

    def xy(self, cols: Floats, rows: Floats, crs: CRS) -> tuple[Floats, Floats]:
        """Return where pixel centres lie in a CRS."""
        x = self.left + (cols + 0.5) * self.pixel_m
        y = self.top - (rows + 0.5) * self.pixel_m
        return _between(x, y, CRS.from_user_input(self.crs), crs)

    def pixels(self, x: Floats, y: Floats, crs: CRS) -> tuple[Floats, Floats]:
        """Return the (cols, rows) of places in a CRS."""
        x, y = _between(x, y, crs, CRS.from_user_input(self.crs))
        return (x - self.left) / self.pixel_m - 0.5, (self.top - y) / self.pixel_m - 0.5


def _between(x: Floats, y: Floats, source: CRS, target: CRS) -> tuple[Floats, Floats]:
    if same_crs(source, target):
        return x, y
    found_x, found_y = transformer(source, target).transform(x, y)
    return np.asarray(found_x), np.asarray(found_y)


def _at(values: NDArray[np.generic], cols: Floats, rows: Floats) -> NDArray[np.generic]:
    """Take the nearest pixels; 0 beyond the raster."""
    col, row = np.rint(cols).astype(np.int64), np.rint(rows).astype(np.int64)
    inside = (col >= 0) & (row >= 0) & (col < values.shape[1]) & (row < values.shape[0])
    found = np.zeros(cols.shape, values.dtype)
    found[inside] = values[row[inside], col[inside]]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class WarpedTruth:
    """A picture and a copy of it: see `benchmarks.warps`."""

    plane: Plane
    """Where both are said to lie."""
    warp: Warp
    """How the copy is warped."""
    before: Mask
    """(row, col) on the plane; True where the before flight shows ground."""
    after: Mask
    """On the lattice; True where the after flight does."""
    hidden: Mask
    """On the lattice; True where the after flight shows other content or something tall."""

    def known(self, x: Floats, y: Floats, crs: CRS) -> Known:
        """Tell what is true of places of the before flight, in a CRS."""
        cols, rows = self.plane.pixels(x, y, crs)
        found_col, found_row = self.warp.target(cols, rows)
        found_x, found_y = self.plane.xy(found_col, found_row, crs)
        seen = _inside(self.after, found_col, found_row)
        both = (_at(self.before, cols, rows) > 0) & seen
        hidden = on_lattice(self.hidden, found_col, found_row) > 0.01
        return Known(east=found_x - x, north=found_y - y, both=both, visible=both & ~hidden)


def _inside(mask: Mask, cols: Floats, rows: Floats) -> Mask:
    """Whether places lie where a mask on the lattice holds, and on the lattice at all."""
    height, width = (4 * (side - 1) for side in mask.shape)
    on = (cols > -0.5) & (rows > -0.5) & (cols < width - 0.5) & (rows < height - 0.5)
    return np.asarray(on & (on_lattice(mask, cols, rows) > 0.99), bool)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenTruth:
    """Two simulated flights of one area."""

    plan: AreaPlan
    """The area."""
    flights: tuple[FlightPlan, FlightPlan]
    """Before and after."""
    shown: tuple[NDArray[np.uint8], NDArray[np.uint8]]
    """What the pixels of both show: `NOTHING`, `STANDING` or `GROUND`."""

    def known(self, x: Floats, y: Floats, crs: CRS) -> Known:
        """Tell what is true of places of the before flight, in a CRS."""
        own = CRS.from_user_input(self.plan.crs)
        x, y = _between(x, y, crs, own)
        true_x, true_y = undo_displacement(self.flights[0], x, y)
        east, north = displacement(self.flights[1], true_x, true_y)
        after_x, after_y = true_x + east, true_y + north
        seen = [
            _shown(self.plan, flight, shown, at)
            for flight, shown, at in zip(
                self.flights, self.shown, ((x, y), (after_x, after_y)), strict=True
            )
        ]
        return Known(
            east=after_x - x,
            north=after_y - y,
            both=(seen[0] != NOTHING) & (seen[1] != NOTHING),
            visible=(seen[0] == GROUND) & (seen[1] == GROUND),
        )


def _shown(
    plan: AreaPlan, flight: FlightPlan, shown: NDArray[np.uint8], at: tuple[Floats, Floats]
) -> NDArray[np.generic]:
    frame = image_frame(plan, flight)
    cols, rows = (at[0] - frame.west) / frame.pixel_m, (frame.north - at[1]) / frame.pixel_m
    return _at(shown, cols - 0.5, rows - 0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmovedTruth:
    """A real pair of which nothing but its outlines of changes is known: taken as not shifted."""

    left: float
    """x of the left edge."""
    top: float
    """y of the upper edge."""
    pixel_m: float
    """Pixel, metres."""
    changed: Mask
    """(row, col); True where a building appeared or vanished."""

    def known(self, x: Floats, y: Floats, crs: CRS) -> Known:  # noqa: ARG002 - in their own CRS
        """Tell what is true of places of the before flight."""
        cols, rows = (x - self.left) / self.pixel_m - 0.5, (self.top - y) / self.pixel_m - 0.5
        both = _at(np.ones(self.changed.shape, bool), cols, rows) > 0
        visible = both & ~(_at(self.changed, cols, rows) > 0)
        return Known(east=np.zeros_like(x), north=np.zeros_like(y), both=both, visible=visible)
