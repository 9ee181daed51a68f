"""Which pixel of a real orthophoto an earlier flight, known to lie off, shows where."""

import datetime as dt
import math
from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
from pyproj import CRS

from survey.crs import transformer
from survey.grid import Grid
from survey.reading import Picture
from survey.simulation.flights import Displacement, FlightPlan, Wave, undo_displacement
from survey.simulation.sun import Sun
from survey.simulation.turning.shading import Shadow
from survey.windows import Window

__all__ = ["Warp", "draw_displacement", "earlier_flight", "sample", "span_of"]

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]

# Positions are exact at every so many pixels of the file and linear between: over 1.6 m a warp of
# 0.6 m and 80 m wavelength bends by less than 2 mm.
_KNOT_M = 1.6
# A day for flights that nobody dates; it is written nowhere.
_SOME_DAY = dt.datetime(2000, 1, 1, 12)  # noqa: DTZ001 - local mean solar time, as in FlightPlan
# Only the direction of the shadows is known; 45 degrees stand for the height of the sun.
_SOME_HEIGHT_DEG = 45.0


def draw_displacement(
    rng: np.random.Generator, *, centre_x: float, centre_y: float, most_shift_m: float
) -> Displacement:
    """Draw how far the earlier flight lies off: up to some metres, turned, stretched and warped.

    Parameters
    ----------
    rng
        Draws it.
    centre_x, centre_y
        Middle of the picture, m.
    most_shift_m
        Largest offset, m.
    """
    size, bearing = rng.uniform(0.0, most_shift_m), rng.uniform(0.0, 2.0 * np.pi)
    waves = tuple(
        Wave(
            east_m=float(rng.uniform(-0.2, 0.2)),
            north_m=float(rng.uniform(-0.2, 0.2)),
            length_m=float(rng.uniform(80.0, 160.0)),
            bearing_deg=float(rng.uniform(0.0, 360.0)),
            phase_deg=float(rng.uniform(0.0, 360.0)),
        )
        for _ in range(3)
    )
    return Displacement(
        east_m=float(size * np.sin(bearing)),
        north_m=float(size * np.cos(bearing)),
        rotation_deg=float(rng.uniform(-0.08, 0.08)),
        scale_ppm=float(rng.uniform(-400.0, 400.0)),
        centre_x=centre_x,
        centre_y=centre_y,
        waves=waves,
    )


def earlier_flight(
    known: Displacement, *, flown_on: dt.date | None, shadow: Shadow, seed: int
) -> FlightPlan:
    """Return the record of the earlier flight that `displacement` evaluates.

    Parameters
    ----------
    known
        How far it lies off.
    flown_on
        Its day.
    shadow
        Where its shadows fall, for the direction of the sun; the sun's height is nominal.
    seed
        Of its noise.
    """
    day = _SOME_DAY if flown_on is None else dt.datetime.combine(flown_on, _SOME_DAY.time())
    azimuth = math.degrees(math.atan2(-shadow.across, shadow.down)) % 360.0
    return FlightPlan(
        index=0,
        flown_at=day,
        sun=Sun(azimuth_deg=azimuth, elevation_deg=_SOME_HEIGHT_DEG),
        displacement=known,
        seed=seed,
    )


class Warp:
    """From the pixels of the earlier picture to those of the later one, on the same grid."""

    def __init__(self, grid: Grid, metric: CRS, flight: FlightPlan, pixel_m: float) -> None:
        self._grid = grid
        self._to_metres = transformer(grid.crs, metric)
        self._to_file = transformer(metric, grid.crs)
        self._flight = flight
        self._knot = max(1, round(_KNOT_M / pixel_m))

    def sources(self, cols: Floats, rows: Floats) -> tuple[Floats, Floats]:
        """Return the (col, row) of pixel corners that show at (col, row) of the earlier picture."""
        xs, ys = self._to_metres.transform(*self._grid.xy(cols, rows))
        xs, ys = undo_displacement(self._flight, np.asarray(xs), np.asarray(ys))
        xs, ys = self._to_file.transform(xs, ys)
        return self._grid.colrow(np.asarray(xs), np.asarray(ys))

    def maps(self, window: Window) -> tuple[Floats, Floats]:
        """Return (col, row) of the sources of all pixel centres of a window, (row, col) each."""
        knot = self._knot
        # Knots are anchored to the file, so that windows agree.
        first = window.row // knot, window.col // knot
        last = (window.row + window.height) // knot + 1, (window.col + window.width) // knot + 1
        rows = knot * np.arange(first[0], last[0] + 1, dtype=np.float64)
        cols = knot * np.arange(first[1], last[1] + 1, dtype=np.float64)
        across, down = np.meshgrid(cols, rows)
        found = self.sources(across + 0.5, down + 0.5)
        row = np.arange(window.row, window.row + window.height, dtype=np.float64)
        col = np.arange(window.col, window.col + window.width, dtype=np.float64)
        spread = _spread(row / knot - first[0], col / knot - first[1])
        return spread(found[0]), spread(found[1])


def _spread(row: Floats, col: Floats) -> Callable[[Floats], Floats]:
    """Return what interpolates knots linearly at (row, col) counted in knots."""
    top, left = np.floor(row).astype(np.int64), np.floor(col).astype(np.int64)
    down, across = (row - top)[:, None], (col - left)[None, :]

    def interpolate(knots: Floats) -> Floats:
        lines = knots[top] * (1.0 - down) + knots[top + 1] * down
        return np.asarray(lines[:, left] * (1.0 - across) + lines[:, left + 1] * across)

    return interpolate


def sample(picture: Picture, window: Window, cols: Floats, rows: Floats) -> Picture:
    """Take the pixels of a window at (col, row) of the file, by cubic convolution.

    Linear interpolation would leave the earlier picture softer than any lens does.
    """
    across = (cols - window.col - 0.5).astype(np.float32)
    down = (rows - window.row - 0.5).astype(np.float32)
    bands = [
        cv2.remap(band, across, down, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        for band in picture.colour
    ]
    solid = cv2.remap(
        picture.valid.astype(np.uint8) * 255,
        across,
        down,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
    )
    return Picture(np.stack(bands).astype(np.uint8), np.asarray(solid >= 254))


def span_of(cols: Floats, rows: Floats) -> Window:
    """Return the window that holds all that `sample` draws from."""
    top, left = math.floor(rows.min()) - 3, math.floor(cols.min()) - 3
    return Window(
        row=top,
        col=left,
        height=math.ceil(rows.max()) + 3 - top,
        width=math.ceil(cols.max()) + 3 - left,
    )
