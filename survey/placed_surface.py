"""The surface model of one flight: its holes, and where it lies on its own orthophoto."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from survey.flight import Flight
from survey.grid import Coordinates, WorkingGrid
from survey.heights import PLAUSIBLE_M, holds_zero_holes
from survey.reading import FlightReader
from survey.surface_fit import SEARCH_M, SurfaceFit, correlate_edges, dark_limit, fit_surface
from survey.windows import Window
from survey.words import _

__all__ = ["PlacedSurface", "place_surface", "surface_remarks", "without_zeros"]

# A model's fit to its orthophoto is looked for in this many windows of this side at this pixel:
# edges of roofs are sharp to 0.4 m, and 6 ha hold some dozens of them.
_WINDOWS, _SIDE_M, _PIXEL_M = 16, 64.0, 0.4
# Heights no farther from zero than this are zero, m.
_NOTHING_M = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedSurface:
    """A surface model on its own orthophoto."""

    model: Flight
    """The model, holes marked."""
    fit: SurfaceFit
    """How it lies against its orthophoto."""
    zero_holes: bool
    """Whether heights of exactly 0 are holes in it."""

    def shift(self, x: Coordinates, y: Coordinates) -> tuple[Coordinates, Coordinates]:
        """Return how far off the model shows what the orthophoto shows, m."""
        return x * 0 + self.fit.shift[0], y * 0 + self.fit.shift[1]

    def remarks(self) -> Iterator[str]:
        """Yield what a user should know of it, one sentence each."""
        yield from surface_remarks(self.model.name, self.fit, zero_holes=self.zero_holes)


def surface_remarks(name: str, fit: SurfaceFit, *, zero_holes: bool) -> Iterator[str]:
    """Yield what a user should know of a surface model, one sentence each."""
    if zero_holes:
        yield _("{name}: heights of exactly 0 are taken for holes").format(name=name)
    if fit.verdict == "moved":
        yield _(
            "{name}: lies {east:+.1f} m east, {north:+.1f} m north of its own orthophoto;"
            " moved back"
        ).format(name=name, east=fit.east, north=fit.north)


def place_surface(flight: Flight, grid: WorkingGrid) -> PlacedSurface:
    """Find how a flight's surface model lies against its orthophoto, in scattered windows.

    Parameters
    ----------
    flight
        A flight with a surface model.
    grid
        The grid the flight is worked on.

    Raises
    ------
    FlightError
        A file cannot be read to its end.
    """
    model = flight.dsm
    assert model is not None
    fine = grid.coarsened(max(1, round(_PIXEL_M / grid.pixel_m)))
    windows = _scattered(fine)
    with FlightReader(flight, fine) as reader:
        pictures = [reader.grey(window) for window in windows]
    heights, holes = _heights_in(model, fine, windows)
    if holes:
        model = without_zeros(model, heights)
        heights, _again = _heights_in(model, fine, windows)
    shown = [
        (picture, seen)
        for picture, seen in zip(pictures, heights, strict=True)
        if picture.valid.mean() > 0.5 and np.isfinite(seen).mean() > 0.5
    ]
    dark = dark_limit(np.concatenate([p.grey[p.valid] for p, _seen in shown])) if shown else 0.0
    side = 2 * math.ceil(SEARCH_M / fine.pixel_m) + 1
    surfaces = [correlate_edges(p.grey, p.valid, seen, fine.pixel_m, dark) for p, seen in shown]
    fit = fit_surface(np.reshape(surfaces, (-1, side, side)), fine.pixel_m, model.pixel_m)
    return PlacedSurface(model=model, fit=fit, zero_holes=holes)


def _scattered(grid: WorkingGrid) -> list[Window]:
    """Return windows evenly spread over a grid: all of a small one, sixteen of a large one."""
    side = round(_SIDE_M / grid.pixel_m)
    shape = [max(1, round(size / side)) for size in (grid.height, grid.width)]
    per_side = [min(n, math.isqrt(_WINDOWS)) for n in shape]
    # A long strip gets its share of windows along its length.
    per_side = [min(n, _WINDOWS // other) for n, other in zip(shape, per_side[::-1], strict=True)]
    height, width = min(side, grid.height), min(side, grid.width)
    rows, cols = (
        np.rint((np.arange(n) + 0.5) * size / n - part / 2).astype(int).clip(0, size - part)
        for n, size, part in zip(per_side, (grid.height, grid.width), (height, width), strict=True)
    )
    return [
        Window(row=int(row), col=int(col), height=height, width=width)
        for row in rows
        for col in cols
    ]


def _heights_in(
    model: Flight, grid: WorkingGrid, windows: list[Window]
) -> tuple[list[NDArray[np.float32]], bool]:
    """Return the heights of windows, and whether zeros among them are holes."""
    with FlightReader(model, grid) as reader:
        heights = [reader.heights(window) for window in windows]
    return heights, holds_zero_holes(heights)


def without_zeros(model: Flight, heights: list[NDArray[np.float32]]) -> Flight:
    """Return a model in which zero is no height: its heights lie all above it, or all below."""
    above = max(float(np.nanmax(part)) for part in heights if np.isfinite(part).any()) > 0
    low, high = PLAUSIBLE_M
    plausible = (_NOTHING_M, high) if above else (low, -_NOTHING_M)
    sources = tuple(replace(source, plausible=plausible) for source in model.sources)
    return replace(model, sources=sources)
