"""What only the pixels of a flight tell: opaque borders, and the stretch of 16-bit pictures."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.windows import Window as FileWindow

from survey.collar import BLACK, WHITE, Collar, cell_is_plain, grow_collar, is_plain
from survey.flight import Flight
from survey.reading import raster_environment
from survey.source import Source, open_raster
from survey.source_reader import best_overview
from survey.stored import colour_and_valid, stored_bands, unreadable, valid_pixels

__all__ = ["examine"]

# 16-bit pictures are shown between these percentiles, as every viewer does.
_STRETCH_PERCENTILES = (0.5, 99.5)
# The 16-bit stretch is found on at most this many pixels a side.
_SAMPLE_PX = 512
# Cells of the border search: the coarsest side is cut into at most this many.
_COLLAR_CELLS = 1024
# A strip of the border search holds at most this many pixels.
_STRIP_PX = 2**24
# A border covers at least this share of a side; the upright sides are looked at in so many places.
_RIM_SHARE, _RIM_SAMPLES = 0.02, 128
# How far JPEG moves black or white where it meets nothing else (measured on rasterio's test COGs).
_LOSSY_TOLERANCE = 10


def examine(flight: Flight) -> Flight:
    """Return the flight with what only its pixels tell: opaque borders and 16-bit stretch.

    Raises
    ------
    FlightError
        A file cannot be read.
    """
    with raster_environment():
        return replace(flight, sources=tuple(_examine(source) for source in flight.sources))


def _examine(source: Source) -> Source:
    try:
        if source.dtype != "uint8" and source.stretch is None:
            source = replace(source, stretch=_find_stretch(source))
        if source.collar is None and len(source.bands) == 3:
            source = replace(source, collar=_find_collar(source))
    except RasterioError as error:
        raise unreadable(source, error) from error
    return source


def _find_stretch(source: Source) -> tuple[float, float] | None:
    if len(source.bands) != 3:
        return None
    with open_raster(source.path) as dataset:
        shape = (min(dataset.height, _SAMPLE_PX), min(dataset.width, _SAMPLE_PX))
        numbers = stored_bands(source)
        stack = dataset.read(numbers, out_shape=(len(numbers), *shape))
        mask = dataset.dataset_mask(out_shape=shape) > 0 if source.masked else None
    raw = stack[: len(set(source.bands))]
    # Stored black and white are borders as a rule; a picture of nothing else has no stretch.
    seen = valid_pixels(source, stack, mask) & (raw > 0).any(axis=0)
    if not seen.any():
        return None
    low, high = np.percentile(raw[:, seen], _STRETCH_PERCENTILES)
    return float(low), float(max(high, low + 1))


def _find_collar(source: Source) -> Collar | None:
    """Look for an opaque border; the picture is read through only where its rim suggests one."""
    tolerance = _LOSSY_TOLERANCE if source.lossy else 0
    with open_raster(source.path) as dataset:
        rims = [colour_and_valid(source, dataset, rim) for rim in _rims(dataset)]
    for colour in (BLACK, WHITE):
        plain = [is_plain(colours, colour, tolerance) & valid for colours, valid in rims]
        if max(float(rim.mean()) for rim in plain) < _RIM_SHARE:
            continue
        with open_raster(source.path, _search_level(source)) as dataset:
            collar = _grow(source, dataset, colour, tolerance)
        if collar is not None:
            return collar
    return None


def _rims(dataset: DatasetReader) -> Iterator[list[FileWindow]]:
    """Yield the four rims; the upright ones as samples, or a striped file would be read through."""
    height, width = dataset.height, dataset.width
    yield [FileWindow(0, 0, width, 1)]
    yield [FileWindow(0, height - 1, width, 1)]
    rows = np.unique(np.linspace(0, height - 1, _RIM_SAMPLES).astype(int))
    yield [FileWindow(0, int(row), 1, 1) for row in rows]
    yield [FileWindow(width - 1, int(row), 1, 1) for row in rows]


def _search_level(source: Source) -> int | None:
    """Return the coarsest overview that still resolves the cells of the border search."""
    factor = max(source.grid.width, source.grid.height) / (4 * _COLLAR_CELLS)
    return best_overview(source.overviews, factor)[0]


def _grow(source: Source, dataset: DatasetReader, colour: int, tolerance: int) -> Collar | None:
    cell = max(4, -(-max(dataset.height, dataset.width) // _COLLAR_CELLS))
    cells_high, cells_wide = -(-dataset.height // cell), -(-dataset.width // cell)
    plain = np.zeros((cells_high, cells_wide), bool)
    empty = np.zeros_like(plain)
    per_strip = max(1, min(512, _STRIP_PX // dataset.width) // cell)
    for first in range(0, cells_high, per_strip):
        rows = min(per_strip * cell, dataset.height - first * cell)
        window = FileWindow(0, first * cell, dataset.width, rows)
        colours, valid = colour_and_valid(source, dataset, [window])
        part = slice(first, first + -(-rows // cell))
        plain[part] = cell_is_plain(is_plain(colours, colour, tolerance) & valid, cell)
        empty[part] = cell_is_plain(~valid, cell)
    grown = grow_collar(plain, empty)
    cell_px = cell * source.grid.width / dataset.width
    return None if grown is None else Collar(colour, tolerance, cell_px, grown)
