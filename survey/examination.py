"""What only the pixels of a flight tell: opaque borders, 16-bit stretch, overviews to leave out."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.windows import Window as FileWindow

from survey.collar import BLACK, WHITE, Collar, cell_is_plain, grow_collar, is_plain
from survey.flight import Flight
from survey.reading import raster_environment
from survey.source import Source, open_raster
from survey.source_reader import best_overview
from survey.stored import colour_and_valid, stored_bands, unreadable, valid_pixels
from survey.words import _

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
# Overviews are compared with the picture in this many places of at most so many pixels of it, each
# at a corner of a tile of usual files.
_OVERVIEW_PLACES, _COMPARED_PX, _TILE_PX = 3, 128, 256
# An overview is sampled where single pixels explain it this much better than averages do. Measured
# on 30 real files and on nine ways of averaging: samples are explained without remainder, averages
# at best to 0.07; after lossy compression 0.67 to 0.8 and 1.04 to 1.6, where sides are whole
# multiples. Places without texture (misses below, grey levels) tell nothing.
_SAMPLED_SHARE, _SAMPLED_SHARE_LOSSY, _LEAST_MISS = 0.05, 0.9, 0.5


def examine(flight: Flight) -> Flight:
    """Return the flight with what only its pixels tell.

    Opaque borders, the stretch of 16-bit pictures; and overviews whose pixels are single pixels of
    the picture are left out, because they show everything up to half an overview pixel aside.

    Raises
    ------
    FlightError
        A file cannot be read.
    """
    with raster_environment():
        sources = tuple(_examine(source) for source in flight.sources)
    said = tuple(
        _("{path}: its overviews are samples, not averages, and lie aside; not used").format(
            path=Path(source.path).name
        )
        for source, before in zip(sources, flight.sources, strict=True)
        if len(source.overviews) < len(before.overviews)
    )
    return replace(flight, sources=sources, assumptions=flight.assumptions + said)


def _examine(source: Source) -> Source:
    try:
        if source.overviews and len(source.bands) == 3 and _is_sampled(source):
            source = replace(source, overviews=())
        if source.dtype != "uint8" and source.stretch is None:
            source = replace(source, stretch=_find_stretch(source))
        if source.collar is None and len(source.bands) == 3:
            source = replace(source, collar=_find_collar(source))
    except RasterioError as error:
        raise unreadable(source, error) from error
    return source


def _is_sampled(source: Source) -> bool:
    """Whether pixels of the finest overview are single pixels of the picture, as GDAL's default."""
    level, factor = min(enumerate(source.overviews), key=lambda item: item[1])
    averaged, sampled = [], []
    with open_raster(source.path) as full, open_raster(source.path, level) as small:
        band = source.bands[0]
        size = max(1, _COMPARED_PX // factor)
        for place in _overview_places(full.height // factor, full.width // factor, size):
            seen = small.read(band, window=place).astype(np.float32)
            fine = _pixels_under(place, full, band, (small.height, small.width))
            averaged.append(float(np.abs(fine.mean(axis=(1, 3)) - seen).mean()))
            beside = np.abs(fine - seen[:, None, :, None]).mean(axis=(0, 2))
            sampled.append(float(beside.min()))
    whole = source.grid.height % factor == source.grid.width % factor == 0
    limit = _SAMPLED_SHARE_LOSSY if source.lossy and whole else _SAMPLED_SHARE
    missed = float(np.mean(averaged))
    return missed > _LEAST_MISS and float(np.mean(sampled)) < limit * missed


def _pixels_under(
    place: FileWindow, full: DatasetReader, band: int, shape: tuple[int, int]
) -> NDArray[np.float32]:
    """Return the pixels under those of an overview window: (row, row in it, column, column in it).

    Where sides are odd, overviews are a little finer than their factor, as GDAL makes them.
    """
    pixels = []
    for first, count, fine, coarse in (
        (place.row_off, place.height, full.height, shape[0]),
        (place.col_off, place.width, full.width, shape[1]),
    ):
        starts = ((first + np.arange(count)) * (fine / coarse) + 0.5).astype(np.int64)
        pixels.append(starts[:, None] + np.arange(round(fine / coarse)))
    rows, cols = (np.minimum(p, n - 1) for p, n in zip(pixels, full.shape, strict=True))
    top, left = int(rows.min()), int(cols.min())
    around = FileWindow(left, top, int(cols.max()) - left + 1, int(rows.max()) - top + 1)
    read = full.read(band, window=around).astype(np.float32)
    under: NDArray[np.float32] = read[(rows - top)[:, :, None, None], (cols - left)[None, None]]
    return under


def _overview_places(height: int, width: int, size: int) -> Iterator[FileWindow]:
    """Yield windows of an overview along its diagonal, at corners of tiles in large files."""
    for share in (np.arange(_OVERVIEW_PLACES) + 1) / (_OVERVIEW_PLACES + 1):
        row, col = (int(side * share) for side in (height, width))
        row, col = (at - at % _TILE_PX if at > 2 * _TILE_PX else at for at in (row, col))
        yield FileWindow(col, row, min(size, width - col), min(size, height - row))


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
