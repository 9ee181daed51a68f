"""How far the permits are drawn from the roofs they stand for in the earlier flight.

Permit drawings and orthophotos come from different surveys and sit metres apart. The drawn outlines
are correlated with the picture like a second flight: the direction of every edge counts, not which
side of it is the brighter. All edges of the area together give one shift, or none.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.features import rasterize

from change.permits import Permits
from survey.flight import Flight
from survey.grid import WorkingGrid
from survey.reading import FlightReader
from survey.ties import correlate_images, descriptor, surface_peak, surface_strength
from survey.windows import Window, cut_blocks

__all__ = ["PermitOffset", "find_offset"]

# Permits are looked for this far around where they are drawn, m.
_SEARCH_M = 6.0
# Peak in standard deviations from which a shift is believed; six for two flights, and drawings
# hold fewer edges than pictures.
_SURE = 7.0
# With fewer outlines than this one building moved by hand would move them all.
_LEAST_OUTLINES = 5
_CORE = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitOffset:
    """Where the flight shows what the permits draw."""

    east_m: float
    """How much further east the flight shows it, m."""
    north_m: float
    """How much further north the flight shows it, m."""
    evidence: float
    """Height of the peak in standard deviations."""


def find_offset(permits: Permits, flight: Flight, grid: WorkingGrid) -> PermitOffset | None:
    """Find the one shift between permits and flight.

    Parameters
    ----------
    permits
        Outlines in the CRS of ``grid``.
    flight
        The earlier flight, examined.
    grid
        The grid the pair is worked on.

    Returns
    -------
    PermitOffset or None
        None where there are too few outlines or no clear answer.
    """
    search = max(2, round(_SEARCH_M / grid.pixel_m))
    total = np.zeros((2 * search + 1, 2 * search + 1))
    drawn = 0
    with FlightReader(flight, grid) as reader:
        for window in _windows(grid, search):
            outlines = _outlines(permits, grid, window)
            if not outlines:
                continue
            drawn += len(outlines)
            picture = reader.grey(window)
            total += correlate_images(
                _axes(_drawing(outlines, grid, window)),
                _axes(descriptor(picture.grey, picture.valid)),
                search,
            )
    if drawn < _LEAST_OUTLINES or surface_strength(total) < _SURE:
        return None
    row, col = surface_peak(total)
    return PermitOffset(
        east_m=round(col * grid.pixel_m, 2),
        north_m=round(-row * grid.pixel_m, 2),
        evidence=surface_strength(total),
    )


def _windows(grid: WorkingGrid, search: int) -> Iterator[Window]:
    for block in cut_blocks(height=grid.height, width=grid.width, core=_CORE, halo=search):
        for tile in block.tiles:
            yield tile.seen


def _outlines(permits: Permits, grid: WorkingGrid, window: Window) -> list[shapely.Geometry]:
    bounds = grid.window_bounds(window)
    around = shapely.box(bounds.left, bounds.bottom, bounds.right, bounds.top)
    return [permit.outline for permit in permits.near(around, 0.0)]


def _drawing(
    outlines: list[shapely.Geometry], grid: WorkingGrid, window: Window
) -> NDArray[np.complex64]:
    """Return the descriptor of outlines drawn as bright areas on dark ground."""
    shape = (window.height, window.width)
    filled = rasterize(outlines, out_shape=shape, transform=grid.transform_of(window))
    return descriptor((filled * 200).astype(np.uint8), np.ones(shape, bool))


def _axes(gradient: NDArray[np.complex64]) -> NDArray[np.complex64]:
    """Return gradients by their axis: a roof may be brighter or darker than the ground."""
    return (gradient**2 / (np.abs(gradient) + np.float32(1e-6))).astype(np.complex64)
