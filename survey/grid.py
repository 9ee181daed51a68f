"""Grids: where the pixels of a file lie, and the metric grid a pair is worked on.

Coordinates are always (x east, y north); every transformation is made with ``always_xy``.
"""

import math
from dataclasses import dataclass

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS, Geod
from pyproj.exceptions import ProjError

from survey.crs import same_crs, transformer, zone_at
from survey.windows import Window

__all__ = [
    "Bounds",
    "Coordinates",
    "Grid",
    "WorkingGrid",
    "ground_pixel",
    "transform_bounds",
    "working_crs",
]

Coordinates = NDArray[np.float64]

# A projected CRS whose lengths are off by more than this is not measured in: Web Mercator at 20
# degrees is off by 6 %, a Gauss-Kruger or UTM zone inside its limits by 0.1 %.
_SCALE_TOLERANCE = 0.005
# Lengths are compared over this distance: short for a projection, long for double precision.
_SCALE_STEP_M = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """An upright rectangle in some CRS."""

    left: float
    """Smallest x."""
    bottom: float
    """Smallest y."""
    right: float
    """Largest x."""
    top: float
    """Largest y."""

    @property
    def empty(self) -> bool:
        """Whether the rectangle encloses nothing."""
        return not (self.right > self.left and self.top > self.bottom)

    def intersection(self, other: "Bounds") -> "Bounds":
        """Return what both rectangles share; may be ``empty``."""
        return Bounds(
            left=max(self.left, other.left),
            bottom=max(self.bottom, other.bottom),
            right=min(self.right, other.right),
            top=min(self.top, other.top),
        )

    def union(self, other: "Bounds") -> "Bounds":
        """Return the smallest rectangle around both."""
        return Bounds(
            left=min(self.left, other.left),
            bottom=min(self.bottom, other.bottom),
            right=max(self.right, other.right),
            top=max(self.top, other.top),
        )

    def buffered(self, margin: float) -> "Bounds":
        """Return the rectangle grown by ``margin`` on every side (shrunk when negative)."""
        return Bounds(
            left=self.left - margin,
            bottom=self.bottom - margin,
            right=self.right + margin,
            top=self.top + margin,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Where the pixels of a file lie: any affine a file may have."""

    crs: CRS
    """Coordinate reference system of ``transform``."""
    transform: Affine
    """From (col, row) of pixel corners to (x, y) in ``crs``."""
    width: int
    """Pixels per row."""
    height: int
    """Rows."""

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"a grid needs pixels, got {self.width} x {self.height}")
        if not all(math.isfinite(v) for v in self.transform) or self.transform.determinant == 0:
            raise ValueError(f"not an invertible transform: {tuple(self.transform)[:6]}")

    def xy(self, cols: Coordinates, rows: Coordinates) -> tuple[Coordinates, Coordinates]:
        """Return the (x, y) of positions given as (col, row) of pixel corners."""
        t = self.transform
        return t.a * cols + t.b * rows + t.c, t.d * cols + t.e * rows + t.f

    def colrow(self, xs: Coordinates, ys: Coordinates) -> tuple[Coordinates, Coordinates]:
        """Return the (col, row) of positions given as (x, y)."""
        t = ~self.transform
        return t.a * xs + t.b * ys + t.c, t.d * xs + t.e * ys + t.f

    @property
    def corners(self) -> NDArray[np.float64]:
        """The four outer corners, shape (4, 2), in ``crs``."""
        cols = np.array([0, self.width, self.width, 0], dtype=np.float64)
        rows = np.array([0, 0, self.height, self.height], dtype=np.float64)
        return np.stack(self.xy(cols, rows), axis=1)

    @property
    def bounds(self) -> Bounds:
        """The upright rectangle around the grid, in ``crs``."""
        return _around(self.corners)

    @property
    def center(self) -> tuple[float, float]:
        """The middle of the grid as (x, y) in ``crs``."""
        x, y = self.xy(np.array([self.width / 2]), np.array([self.height / 2]))
        return float(x[0]), float(y[0])

    @property
    def rotation(self) -> float:
        """Angle of the rows against the x axis, degrees clockwise from north, in [-180, 180)."""
        return math.degrees(math.atan2(-self.transform.d, self.transform.a))


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingGrid:
    """The metric, north-up, square grid that a pair is worked on.

    Its lines lie on whole multiples of ``pixel_m``, so that two pairs over the same ground, or two
    runs with other block sizes, share their pixels.
    """

    crs: CRS
    """A projected CRS in metres."""
    pixel_m: float
    """Side of a pixel, metres."""
    left_px: int
    """Column of the left edge, counted in pixels from x = 0."""
    top_px: int
    """Row of the top edge, counted in pixels northwards from y = 0."""
    width: int
    """Pixels per row."""
    height: int
    """Rows."""

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1 or not self.pixel_m > 0:
            raise ValueError(f"not a grid: {self.width} x {self.height} px of {self.pixel_m} m")

    @classmethod
    def around(cls, bounds: Bounds, *, crs: CRS, pixel_m: float) -> "WorkingGrid":
        """Return the smallest snapped grid that holds ``bounds`` (in ``crs``)."""
        left, right = _cells(bounds.left, bounds.right, pixel_m)
        bottom, top = _cells(bounds.bottom, bounds.top, pixel_m)
        return cls(
            crs=crs,
            pixel_m=pixel_m,
            left_px=left,
            top_px=top,
            width=max(1, right - left),
            height=max(1, top - bottom),
        )

    @property
    def transform(self) -> Affine:
        """From (col, row) of pixel corners to (x, y)."""
        p = self.pixel_m
        return Affine(p, 0.0, self.left_px * p, 0.0, -p, self.top_px * p)

    @property
    def bounds(self) -> Bounds:
        """Outer edges in ``crs``."""
        return self.window_bounds(Window(row=0, col=0, height=self.height, width=self.width))

    def transform_of(self, window: Window) -> Affine:
        """Return the transform from (col, row) of a window's pixel corners to (x, y)."""
        p = self.pixel_m
        left, top = self.left_px + window.col, self.top_px - window.row
        return Affine(p, 0.0, left * p, 0.0, -p, top * p)

    def window_bounds(self, window: Window) -> Bounds:
        """Return the outer edges of a window in ``crs``; the window may overhang the grid."""
        p = self.pixel_m
        left, top = self.left_px + window.col, self.top_px - window.row
        return Bounds(
            left=left * p,
            bottom=(top - window.height) * p,
            right=(left + window.width) * p,
            top=top * p,
        )

    def window_of(self, bounds: Bounds) -> Window:
        """Return the window that covers ``bounds``; it may overhang the grid."""
        left, right = _cells(bounds.left, bounds.right, self.pixel_m)
        bottom, top = _cells(bounds.bottom, bounds.top, self.pixel_m)
        return Window(
            row=self.top_px - top, col=left - self.left_px, height=top - bottom, width=right - left
        )

    def coarsened(self, factor: int) -> "WorkingGrid":
        """Return the grid over the same ground with pixels ``factor`` times as large."""
        return WorkingGrid.around(self.bounds, crs=self.crs, pixel_m=self.pixel_m * factor)


def _cells(low: float, high: float, pixel_m: float) -> tuple[int, int]:
    """Return the whole pixels around an interval; a millionth of one is rounding."""
    return math.floor(low / pixel_m + 1e-6), math.ceil(high / pixel_m - 1e-6)


def _around(points: NDArray[np.float64]) -> Bounds:
    (left, bottom), (right, top) = points.min(axis=0), points.max(axis=0)
    return Bounds(left=float(left), bottom=float(bottom), right=float(right), top=float(top))


def transform_bounds(bounds: Bounds, source: CRS, target: CRS) -> Bounds:
    """Return the rectangle in ``target`` around a rectangle given in ``source``."""
    if same_crs(source, target):
        return bounds
    left, bottom, right, top = transformer(source, target).transform_bounds(
        bounds.left, bounds.bottom, bounds.right, bounds.top, densify_pts=21
    )
    return Bounds(left=left, bottom=bottom, right=right, top=top)


def ground_pixel(grid: Grid) -> tuple[float, float]:
    """Return the true size of the central pixel on the ground as (along rows, along columns), m.

    Measured on the ellipsoid, so that degrees and Web Mercator count as what they are.
    """
    lonlat = transformer(grid.crs, CRS.from_epsg(4326))
    col, row = grid.width / 2, grid.height / 2
    xs, ys = grid.xy(np.array([col, col + 1, col]), np.array([row, row, row + 1]))
    lon, lat = lonlat.transform(xs, ys)
    there = transformer(CRS.from_epsg(4326), grid.crs).transform(lon, lat)
    # Far off its area a projection may still give numbers, but they do not lead back.
    led_back = not grid.crs.is_projected or np.allclose(there, (xs, ys), rtol=0, atol=1.0)
    if not led_back or not np.all(np.isfinite([*lon, *lat])):
        raise ValueError("the coordinates lie outside the area of their CRS")
    geod = Geod(ellps="WGS84")
    across = geod.inv(lon[0], lat[0], lon[1], lat[1])[2]
    down = geod.inv(lon[0], lat[0], lon[2], lat[2])[2]
    return float(across), float(down)


def working_crs(grid: Grid) -> CRS:
    """Return the projected metric CRS to measure in: the grid's own if it is fit, else its zone.

    Degrees, Web Mercator, feet and zones left by more than 0.5 % in scale are worked on in the
    CGCS2000 3-degree zone (where the datum is CGCS2000) or the UTM zone of the grid's centre.
    """
    if _is_metric(grid):
        return grid.crs
    lon, lat = transformer(grid.crs, CRS.from_epsg(4326)).transform(*grid.center)
    if not (math.isfinite(lon) and math.isfinite(lat)):
        raise ValueError("the coordinates lie outside the area of their CRS")
    return zone_at(grid.crs, lon, lat)


def _is_metric(grid: Grid) -> bool:
    """Whether lengths in the grid's own CRS are metres on the ground to within 0.5 %.

    Measured on the ellipsoid: PROJ's own scale factors hold Web Mercator for true at the equator,
    where its y axis is off by 0.7 %.
    """
    if not grid.crs.is_projected or any(
        a.unit_conversion_factor != 1 for a in grid.crs.axis_info[:2]
    ):
        return False
    x, y = grid.center
    step = Affine(_SCALE_STEP_M, 0.0, x, 0.0, -_SCALE_STEP_M, y)
    try:
        sides = ground_pixel(Grid(crs=grid.crs, transform=step, width=1, height=1))
    except (ValueError, ProjError):
        return False
    return all(abs(side / _SCALE_STEP_M - 1) < _SCALE_TOLERANCE for side in sides)
