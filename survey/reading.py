"""Pixels of a flight on a working grid, with the mask that tells picture from nothing."""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any

import cv2
import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.windows import Window as FileWindow

from survey.collar import BLACK, WHITE, Collar, cell_is_plain, collar_mask, grow_collar, is_plain
from survey.errors import FlightError
from survey.flight import Flight, Source, open_raster
from survey.grid import Coordinates, WorkingGrid, ground_pixel, same_crs, transformer
from survey.windows import Window
from survey.words import _

__all__ = [
    "FlightReader",
    "Picture",
    "Shift",
    "examine",
    "raster_environment",
    "read_stored",
]

Shift = Callable[[Coordinates, Coordinates], tuple[Coordinates, Coordinates]]
"""From (x, y) of working-grid ground, m, to how far off (dx, dy) the flight shows it, m."""

# (band, row, col): uint8 of a picture, float32 of a surface, or as the file stores them.
_Bands = NDArray[Any]

# Coordinates are transformed exactly on a lattice of this many pixels and interpolated between:
# 32 pixels of 0.2 m are 6 m, over which a map projection is straight to well below a millimetre.
_LATTICE = 32
# 16-bit pictures are shown between these percentiles, as every viewer does.
_STRETCH_PERCENTILES = (0.5, 99.5)
# Pixels of a file that are held at once before they are averaged.
_READ_PX = 2**25
# Cells of the border search: the coarsest side is cut into at most this many.
_COLLAR_CELLS = 1024
# A border covers at least this share of a side; the upright sides are looked at in so many places.
_RIM_SHARE, _RIM_SAMPLES = 0.02, 128
# How far JPEG moves black or white where it meets nothing else (measured on rasterio's test COGs).
_LOSSY_TOLERANCE = 10
# The 16-bit stretch is found on at most this many pixels a side.
_SAMPLE_PX = 512


@dataclass(frozen=True, slots=True)
class Picture:
    """Pixels of a window on the working grid."""

    colour: NDArray[np.uint8]
    """(3, row, col), red green blue; meaningless where not ``valid``."""
    valid: NDArray[np.bool_]
    """(row, col); True where the flight shows the ground."""


def raster_environment() -> rasterio.Env:
    """Return the GDAL settings every read runs under (cache in bytes: an int there means bytes)."""
    return rasterio.Env(GDAL_CACHEMAX=256 * 2**20, GDAL_NUM_THREADS="1", GDAL_PAM_ENABLED="NO")


class FlightReader:
    """Reads windows of one flight on one working grid; use it in a ``with`` statement.

    Examples
    --------
    ::

        with FlightReader(flight, grid) as reader:
            picture = reader.picture(window)
    """

    def __init__(self, flight: Flight, grid: WorkingGrid) -> None:
        self._grid = grid
        self._layers = [_SourceReader(source, grid) for source in flight.sources]
        self._stack = ExitStack()

    def __enter__(self) -> "FlightReader":
        self._stack.enter_context(raster_environment())
        for layer in self._layers:
            self._stack.callback(layer.close)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def picture(self, window: Window, shift: Shift | None = None) -> Picture:
        """Return the colours of a window, each pixel taken where ``shift`` says it is shown.

        Raises
        ------
        FlightError
            The file cannot be read to this place.
        """
        colour = np.zeros((3, window.height, window.width), np.uint8)
        valid = np.zeros((window.height, window.width), bool)
        for part, mask in self._parts(window, shift):
            np.copyto(colour, part, where=mask & ~valid, casting="unsafe")
            valid |= mask
            if valid.all():
                break
        return Picture(colour, valid)

    def heights(self, window: Window, shift: Shift | None = None) -> NDArray[np.float32]:
        """Return the heights of a window in metres, (row, col); NaN where there are none."""
        heights = np.full((window.height, window.width), np.nan, np.float32)
        for part, mask in self._parts(window, shift):
            np.copyto(heights, part[0], where=mask & np.isnan(heights))
        return heights

    def _parts(
        self, window: Window, shift: Shift | None
    ) -> Iterator[tuple[_Bands, NDArray[np.bool_]]]:
        xs, ys = _lattice(self._grid, window)
        if shift is not None:
            dx, dy = shift(xs, ys)
            xs, ys = xs + dx, ys + dy
        for layer in self._layers:
            part = layer.sample(window, xs, ys)
            if part is not None:
                yield part


def _lattice(grid: WorkingGrid, window: Window) -> tuple[Coordinates, Coordinates]:
    """Return (x, y) of every 32nd pixel centre of a window and one beyond its last."""
    rows = window.row + 0.5 + _LATTICE * np.arange(-(-(window.height - 1) // _LATTICE) + 1)
    cols = window.col + 0.5 + _LATTICE * np.arange(-(-(window.width - 1) // _LATTICE) + 1)
    x = (grid.left_px + cols) * grid.pixel_m
    y = (grid.top_px - rows) * grid.pixel_m
    xs, ys = np.meshgrid(x, y)
    return xs, ys


def _between(nodes: Coordinates, height: int, width: int) -> Coordinates:
    """Interpolate lattice values to every pixel, shape (height, width)."""
    row, col = np.arange(height) / _LATTICE, np.arange(width) / _LATTICE
    top = np.minimum(row.astype(np.int64), max(0, nodes.shape[0] - 2))
    left = np.minimum(col.astype(np.int64), max(0, nodes.shape[1] - 2))
    below = np.minimum(top + 1, nodes.shape[0] - 1)
    beside = np.minimum(left + 1, nodes.shape[1] - 1)
    part = (row - top)[:, None]
    lines = nodes[top] * (1 - part) + nodes[below] * part
    part = (col - left)[None, :]
    return np.asarray(lines[:, left] * (1 - part) + lines[:, beside] * part)


class _SourceReader:
    """One file, read at the overview and decimation that suit the working grid."""

    def __init__(self, source: Source, grid: WorkingGrid) -> None:
        self._source = source
        self._to_file = (
            None if same_crs(grid.crs, source.grid.crs) else transformer(grid.crs, source.grid.crs)
        )
        scale = grid.pixel_m / max(ground_pixel(source.grid))
        self._overview, factor = _best_overview(source.overviews, scale)
        self._mean = max(1, math.floor(scale / factor + 0.01))
        self._handles: dict[int | None, DatasetReader] = {}

    def close(self) -> None:
        for handle in self._handles.values():
            handle.close()
        self._handles.clear()

    def sample(
        self, window: Window, xs: Coordinates, ys: Coordinates
    ) -> tuple[_Bands, NDArray[np.bool_]] | None:
        """Return (band, row, col) and the valid mask, or None where the file shows nothing."""
        if self._to_file is not None:
            flat_x, flat_y = self._to_file.transform(xs.ravel(), ys.ravel())
            xs, ys = np.reshape(flat_x, xs.shape), np.reshape(flat_y, ys.shape)
        if not (np.isfinite(xs).all() and np.isfinite(ys).all()):
            return None
        cols, rows = self._source.grid.colrow(xs, ys)
        grid = self._source.grid
        if cols.max() < 0 or rows.max() < 0 or cols.min() > grid.width or rows.min() > grid.height:
            return None
        try:
            return self._resample(window, rows, cols)
        except RasterioError as error:
            raise _unreadable(self._source, error) from error

    def _handle(self, overview: int | None) -> DatasetReader:
        if overview not in self._handles:
            self._handles[overview] = open_raster(self._source.path, overview)
        return self._handles[overview]

    def _resample(
        self, window: Window, rows: Coordinates, cols: Coordinates
    ) -> tuple[_Bands, NDArray[np.bool_]] | None:
        """Read what the lattice spans and interpolate it to the window's pixels."""
        handle = self._handle(self._overview)
        step_row = self._source.grid.height / handle.height * self._mean
        step_col = self._source.grid.width / handle.width * self._mean
        rows, cols = rows / step_row, cols / step_col
        down = _span(rows, handle.height // self._mean)
        across = _span(cols, handle.width // self._mean)
        if down is None or across is None:
            return None
        bands, valid = self._read_means(handle, down, across)
        map_row = _between(rows - down[0] - 0.5, window.height, window.width).astype(np.float32)
        map_col = _between(cols - across[0] - 0.5, window.height, window.width).astype(np.float32)
        return _remap(bands, valid, map_row, map_col)

    def _read_means(
        self, handle: DatasetReader, rows: tuple[int, int], cols: tuple[int, int]
    ) -> tuple[_Bands, NDArray[np.bool_]]:
        """Return cells of m x m pixels, read in strips: a coarse look stays small."""
        m = self._mean
        width = (cols[1] - cols[0]) * m
        step = max(1, _READ_PX // (width * m))
        parts = []
        for row in range(rows[0], rows[1], step):
            height = min(step, rows[1] - row) * m
            part = self._read(handle, FileWindow(cols[0] * m, row * m, width, height))
            parts.append(_block_mean(*part, m) if m > 1 else part)
        if len(parts) == 1:
            return parts[0]
        bands, valid = zip(*parts, strict=True)
        return np.concatenate(bands, axis=1), np.concatenate(valid)

    def _read(self, handle: DatasetReader, window: FileWindow) -> tuple[_Bands, NDArray[np.bool_]]:
        """Return (band, row, col) in final units and the valid mask at the handle's level."""
        source = self._source
        stack = handle.read(_stored(source), window=window)
        raw = stack[: len(set(source.bands))]
        mask = self._mask(handle, window) if source.masked else None
        valid = _valid(source, stack, mask)
        if len(source.bands) == 1:
            heights = raw.astype(np.float32) * np.float32(source.scale) + np.float32(source.offset)
            return np.where(valid, heights, 0), valid
        colour = _to_colour(source, raw)
        if source.collar is not None:
            rows, cols = self._positions(handle, window)
            valid &= ~collar_mask(source.collar, colour, rows, cols)
        return colour, valid

    def _mask(self, handle: DatasetReader, window: FileWindow) -> NDArray[np.bool_]:
        """Return the mask from the full image: overviews of a mask are often missing."""
        full = self._handle(None)
        down, across = full.height / handle.height, full.width / handle.width
        at_full = FileWindow(
            window.col_off * across,
            window.row_off * down,
            window.width * across,
            window.height * down,
        )
        shape = (int(window.height), int(window.width))
        return np.asarray(full.dataset_mask(window=at_full, out_shape=shape) > 0)

    def _positions(
        self, handle: DatasetReader, window: FileWindow
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        grid = self._source.grid
        rows = (window.row_off + np.arange(window.height)) * (grid.height / handle.height)
        cols = (window.col_off + np.arange(window.width)) * (grid.width / handle.width)
        return rows.astype(np.int64), cols.astype(np.int64)


def _valid(source: Source, stack: _Bands, mask: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """Return where (band, row, col) as stored, an alpha band last, shows the ground."""
    raw = stack[: len(set(source.bands))]
    valid = np.ones(raw.shape[1:], bool) if mask is None else mask.copy()
    if source.alpha is not None:
        valid &= stack[-1] > (127 if source.dtype == "uint8" else 0)
    if source.nodata is not None:
        none = np.isnan(raw) if math.isnan(source.nodata) else raw == source.nodata
        valid &= ~none.all(axis=0)
    if raw.dtype.kind == "f":
        valid &= np.isfinite(raw).all(axis=0)
    return valid


def _stored(source: Source) -> list[int]:
    """Return the numbers of the bands to read, each once, an alpha band last."""
    return list(dict.fromkeys(source.bands)) + ([source.alpha] if source.alpha else [])


def _best_overview(overviews: tuple[int, ...], scale: float) -> tuple[int | None, int]:
    """Return the index and factor of the coarsest overview that is still fine enough."""
    fit = [(factor, i) for i, factor in enumerate(overviews) if 1 < factor <= scale * 1.01]
    if not fit:
        return None, 1
    factor, index = max(fit)
    return index, factor


def _span(positions: Coordinates, size: int) -> tuple[int, int] | None:
    """Return the first and the last-but-one cell that positions need for interpolation."""
    first = max(0, math.floor(positions.min() - 0.5) - 1)
    last = min(size, math.ceil(positions.max() - 0.5) + 2)
    return (first, last) if last > first else None


def _to_colour(source: Source, raw: _Bands) -> NDArray[np.uint8]:
    """Return (3, row, col) of 8 bits from the stored bands."""
    if source.palette is not None:
        table = np.array(source.palette, np.uint8)
        return np.moveaxis(table[raw[0].astype(np.uint8)], -1, 0)
    if source.dtype != "uint8":
        raw = _stretched(raw, source.stretch, 2**source.bits - 1)
    colour = raw if len(raw) == 3 else np.repeat(raw[:1], 3, axis=0)
    return np.ascontiguousarray(colour, dtype=np.uint8)


def _stretched(raw: _Bands, stretch: tuple[float, float] | None, white: int) -> NDArray[np.uint8]:
    """Return 8 bits; 0 and 255 are kept for what is stored as black and white, as borders are."""
    low, high = stretch or (0.0, float(white))
    scaled = (raw.astype(np.float32) - low) * (253.0 / max(1.0, high - low)) + 1
    eight: NDArray[np.uint8] = np.clip(np.rint(scaled), 1, 254).astype(np.uint8)
    eight[raw == 0] = BLACK
    eight[raw >= white] = WHITE
    return eight


def _block_mean(
    bands: _Bands, valid: NDArray[np.bool_], m: int
) -> tuple[_Bands, NDArray[np.bool_]]:
    """Average m x m pixels over the valid ones; a cell is valid where at least half of it is."""
    shape = (valid.shape[1] // m, valid.shape[0] // m)
    if valid.all():
        means = [cv2.resize(band, shape, interpolation=cv2.INTER_AREA) for band in bands]
        return np.stack(means), np.ones(shape[::-1], bool)
    weight = cv2.resize(valid.astype(np.float32), shape, interpolation=cv2.INTER_AREA)
    divisor = np.maximum(weight, np.float32(1e-6))
    means = []
    for band in bands:
        kept = np.where(valid, band, 0).astype(np.float32)
        mean = cv2.resize(kept, shape, interpolation=cv2.INTER_AREA) / divisor
        means.append((np.rint(mean) if band.dtype == np.uint8 else mean).astype(band.dtype))
    return np.stack(means), weight >= 0.5


def _remap(
    bands: _Bands,
    valid: NDArray[np.bool_],
    map_row: NDArray[np.float32],
    map_col: NDArray[np.float32],
) -> tuple[_Bands, NDArray[np.bool_]]:
    """Interpolate linearly; a pixel is valid where all that it draws from is."""
    out = [
        cv2.remap(band, map_col, map_row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for band in bands
    ]
    solid = cv2.remap(
        valid.astype(np.uint8) * 255,
        map_col,
        map_row,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    last_row, last_col = valid.shape[0] - 0.49, valid.shape[1] - 0.49
    if (
        min(map_row.min(), map_col.min()) < -0.51
        or map_row.max() > last_row
        or map_col.max() > last_col
    ):
        solid[(map_row < -0.51) | (map_col < -0.51)] = 0
        solid[(map_row > last_row) | (map_col > last_col)] = 0
    return np.stack(out), solid >= 254


def read_stored(source: Source, windows: Iterable[Window]) -> list[Picture]:
    """Return windows of a picture file as they are stored, without resampling.

    Parameters
    ----------
    source
        The file.
    windows
        Rows and columns of the file, all inside it.

    Raises
    ------
    FlightError
        The file cannot be read.
    """
    try:
        with raster_environment(), open_raster(source.path) as dataset:
            return [_picture(source, dataset, window) for window in windows]
    except RasterioError as error:
        raise _unreadable(source, error) from error


def _picture(source: Source, dataset: DatasetReader, window: Window) -> Picture:
    place = FileWindow(window.col, window.row, window.width, window.height)
    colour, valid = _colour_and_valid(source, dataset, [place])
    if source.collar is not None:
        rows = window.row + np.arange(window.height)
        cols = window.col + np.arange(window.width)
        valid &= ~collar_mask(source.collar, colour, rows, cols)
    return Picture(colour, valid)


def _unreadable(source: Source, error: RasterioError) -> FlightError:
    return FlightError(
        _("{path}: cannot be read to its end ({error}); is the file damaged?").format(
            path=source.path, error=str(error).splitlines()[0]
        )
    )


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
        raise _unreadable(source, error) from error
    return source


def _find_stretch(source: Source) -> tuple[float, float] | None:
    if len(source.bands) != 3:
        return None
    with open_raster(source.path) as dataset:
        shape = (min(dataset.height, _SAMPLE_PX), min(dataset.width, _SAMPLE_PX))
        numbers = _stored(source)
        stack = dataset.read(numbers, out_shape=(len(numbers), *shape))
        mask = dataset.dataset_mask(out_shape=shape) > 0 if source.masked else None
    raw = stack[: len(set(source.bands))]
    # Stored black and white are borders as a rule; a picture of nothing else has no stretch.
    seen = _valid(source, stack, mask) & (raw > 0).any(axis=0)
    if not seen.any():
        return None
    low, high = np.percentile(raw[:, seen], _STRETCH_PERCENTILES)
    return float(low), float(max(high, low + 1))


def _find_collar(source: Source) -> Collar | None:
    """Look for an opaque border; the picture is read through only where its rim suggests one."""
    tolerance = _LOSSY_TOLERANCE if source.lossy else 0
    with open_raster(source.path) as dataset:
        rims = [_colour_and_valid(source, dataset, rim) for rim in _rims(dataset)]
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


def _colour_and_valid(
    source: Source, dataset: DatasetReader, windows: list[FileWindow]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return (3, row, col) and the mask of windows of one height, side by side."""
    stack = np.concatenate([dataset.read(_stored(source), window=w) for w in windows], axis=2)
    mask = None
    if source.masked:
        masks = [dataset.dataset_mask(window=w) > 0 for w in windows]
        mask = np.concatenate(masks, axis=1)
    return _to_colour(source, stack[: len(set(source.bands))]), _valid(source, stack, mask)


def _search_level(source: Source) -> int | None:
    """Return the coarsest overview that still resolves the cells of the border search."""
    factor = max(source.grid.width, source.grid.height) / (4 * _COLLAR_CELLS)
    return _best_overview(source.overviews, factor)[0]


def _grow(source: Source, dataset: DatasetReader, colour: int, tolerance: int) -> Collar | None:
    cell = max(4, -(-max(dataset.height, dataset.width) // _COLLAR_CELLS))
    cells_high, cells_wide = -(-dataset.height // cell), -(-dataset.width // cell)
    plain = np.zeros((cells_high, cells_wide), bool)
    empty = np.zeros_like(plain)
    per_strip = max(1, min(512, _READ_PX // (2 * dataset.width)) // cell)
    for first in range(0, cells_high, per_strip):
        rows = min(per_strip * cell, dataset.height - first * cell)
        window = FileWindow(0, first * cell, dataset.width, rows)
        colours, valid = _colour_and_valid(source, dataset, [window])
        part = slice(first, first + -(-rows // cell))
        plain[part] = cell_is_plain(is_plain(colours, colour, tolerance) & valid, cell)
        empty[part] = cell_is_plain(~valid, cell)
    grown = grow_collar(plain, empty)
    cell_px = cell * source.grid.width / dataset.width
    return None if grown is None else Collar(colour, tolerance, cell_px, grown)
