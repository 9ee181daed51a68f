"""One file of a flight, read at the overview and decimation that suit a working grid."""

import math

import numpy as np
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.windows import Window as FileWindow

from survey.collar import collar_mask
from survey.crs import same_crs, transformer
from survey.grid import Coordinates, WorkingGrid, ground_pixel
from survey.resampling import Bands, between, block_mean, remap, span
from survey.source import Source, open_raster
from survey.stored import stored_bands, to_colour, unreadable, valid_pixels
from survey.windows import Window

__all__ = ["SourceReader", "best_overview"]

# Pixels of a file that are held at once before they are averaged. More costs memory and gains
# nothing: 2**25 took 215 MB and a sixth of the time of aligning more (benchmarks/README.md).
_READ_PX = 2**23


class SourceReader:
    """One file, read at the overview and decimation that suit the working grid."""

    def __init__(self, source: Source, grid: WorkingGrid) -> None:
        self._source = source
        self._to_file = (
            None if same_crs(grid.crs, source.grid.crs) else transformer(grid.crs, source.grid.crs)
        )
        scale = grid.pixel_m / max(ground_pixel(source.grid))
        self._overview, factor = best_overview(source.overviews, scale)
        self._mean = max(1, math.floor(scale / factor + 0.01))
        self._handles: dict[int | None, DatasetReader] = {}

    def close(self) -> None:
        """Close what was opened; the next `sample` opens it again."""
        for handle in self._handles.values():
            handle.close()
        self._handles.clear()

    def sample(
        self, window: Window, xs: Coordinates, ys: Coordinates
    ) -> tuple[Bands, NDArray[np.bool_]] | None:
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
            raise unreadable(self._source, error) from error

    def _handle(self, overview: int | None) -> DatasetReader:
        if overview not in self._handles:
            self._handles[overview] = open_raster(self._source.path, overview)
        return self._handles[overview]

    def _resample(
        self, window: Window, rows: Coordinates, cols: Coordinates
    ) -> tuple[Bands, NDArray[np.bool_]] | None:
        """Read what the lattice spans and interpolate it to the window's pixels."""
        handle = self._handle(self._overview)
        step_row = self._source.grid.height / handle.height * self._mean
        step_col = self._source.grid.width / handle.width * self._mean
        rows, cols = rows / step_row, cols / step_col
        down = span(rows, handle.height // self._mean)
        across = span(cols, handle.width // self._mean)
        if down is None or across is None:
            return None
        bands, valid = self._read_means(handle, down, across)
        map_row = between(rows - down[0] - 0.5, window.height, window.width).astype(np.float32)
        map_col = between(cols - across[0] - 0.5, window.height, window.width).astype(np.float32)
        return remap(bands, valid, map_row, map_col)

    def _read_means(
        self, handle: DatasetReader, rows: tuple[int, int], cols: tuple[int, int]
    ) -> tuple[Bands, NDArray[np.bool_]]:
        """Return cells of m x m pixels, read in strips: a coarse look stays small."""
        m = self._mean
        width = (cols[1] - cols[0]) * m
        step = max(1, _READ_PX // (width * m))
        parts = []
        for row in range(rows[0], rows[1], step):
            height = min(step, rows[1] - row) * m
            part = self._read(handle, FileWindow(cols[0] * m, row * m, width, height))
            parts.append(block_mean(*part, m) if m > 1 else part)
        if len(parts) == 1:
            return parts[0]
        bands, valid = zip(*parts, strict=True)
        return np.concatenate(bands, axis=1), np.concatenate(valid)

    def _read(self, handle: DatasetReader, window: FileWindow) -> tuple[Bands, NDArray[np.bool_]]:
        """Return (band, row, col) in final units and the valid mask at the handle's level."""
        source = self._source
        stack = handle.read(stored_bands(source), window=window)
        raw = stack[: len(set(source.bands))]
        mask = self._mask(handle, window) if source.masked else None
        valid = valid_pixels(source, stack, mask)
        if len(source.bands) == 1:
            heights = raw.astype(np.float32) * np.float32(source.scale) + np.float32(source.offset)
            return np.where(valid, heights, 0), valid
        colour = to_colour(source, raw)
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


def best_overview(overviews: tuple[int, ...], scale: float) -> tuple[int | None, int]:
    """Return the index and factor of the coarsest overview that is still fine enough."""
    fit = [(factor, i) for i, factor in enumerate(overviews) if 1 < factor <= scale * 1.01]
    if not fit:
        return None, 1
    factor, index = max(fit)
    return index, factor
