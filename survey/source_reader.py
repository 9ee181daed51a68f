"""One file of a flight, read at the overview and decimation that suit a working grid."""

import math

import numpy as np
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.windows import Window as FileWindow

from survey.collar import collar_mask
from survey.grid import Coordinates, ground_pixel
from survey.resampling import Bands, block_mean, interpolate, span, to_grey
from survey.source import Source, open_raster
from survey.stored import stored_bands, to_colour, unreadable, valid_pixels
from survey.windows import Window

__all__ = ["SourceReader", "best_overview"]

# Pixels of a file that are held at once before they are averaged. More costs memory and gains
# nothing: 2**25 took 215 MB and a sixth of the time of aligning more (benchmarks/README.md).
_READ_PX = 2**23


class SourceReader:
    """One file, read at the overview and decimation that suit a working pixel.

    Parameters
    ----------
    source
        The file; its decimated copy is read in its place where that is fine enough.
    pixel_m
        Pixel of the working grid, m.
    """

    def __init__(self, source: Source, pixel_m: float) -> None:
        self._source = source
        scale = pixel_m / max(ground_pixel(source.grid))
        copy = source.copy
        self._copy = copy if copy is not None and copy.factor <= scale * 1.01 else None
        if self._copy is None:
            self._path = source.path
            self._overview, factor = best_overview(source.overviews, scale)
        else:
            self._path, self._overview, factor = self._copy.path, None, self._copy.factor
        self.mean = max(1, math.floor(scale / factor + 0.01))
        """How many stored pixels are averaged to one cell, in each direction."""
        self.factor = factor * self.mean
        """How many times coarser than the file its cells are."""
        self._handles: dict[int | None, DatasetReader] = {}

    def close(self) -> None:
        """Close what was opened; the next `sample` opens it again."""
        for handle in self._handles.values():
            handle.close()
        self._handles.clear()

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of cells."""
        handle = self._handle(self._overview)
        return handle.height // self.mean, handle.width // self.mean

    @property
    def cell(self) -> tuple[float, float]:
        """Height and width of a cell, pixels of the file."""
        if self._copy is not None:
            return self._copy.down * self.mean, self._copy.across * self.mean
        grid, handle = self._source.grid, self._handle(self._overview)
        return grid.height / handle.height * self.mean, grid.width / handle.width * self.mean

    @property
    def stored_blocks(self) -> tuple[int, int]:
        """Rows and columns of stored pixels that are decoded together."""
        height, width = self._handle(self._overview).block_shapes[0]
        return height, width

    def sample(
        self, window: Window, xs: Coordinates, ys: Coordinates, *, grey: bool = False
    ) -> tuple[Bands, NDArray[np.bool_]] | None:
        """Return (band, row, col) and the valid mask, or None where the file shows nothing.

        Parameters
        ----------
        window
            Of the working grid.
        xs, ys
            Where its lattice (``survey.resampling.lattice``) lies, in the file's CRS.
        grey
            Whether a picture comes as one band of grey instead of three of colour.
        """
        cols, rows = self._source.grid.colrow(xs, ys)
        grid = self._source.grid
        if cols.max() < 0 or rows.max() < 0 or cols.min() > grid.width or rows.min() > grid.height:
            return None
        try:
            return self._resample(window, rows, cols, grey=grey)
        except RasterioError as error:
            raise unreadable(self._source, error) from error

    def cells(
        self, rows: tuple[int, int], cols: tuple[int, int], *, grey: bool = False
    ) -> tuple[Bands, NDArray[np.bool_]]:
        """Return cells from the first to before the last row and column; (band, row, col), valid.

        They are read in strips: a coarse look stays small.
        """
        m = self.mean
        width = (cols[1] - cols[0]) * m
        step = max(1, _READ_PX // (width * m))
        parts = []
        for row in range(rows[0], rows[1], step):
            height = min(step, rows[1] - row) * m
            part = self._read(FileWindow(cols[0] * m, row * m, width, height), grey=grey)
            parts.append(block_mean(*part, m) if m > 1 else part)
        if len(parts) == 1:
            return parts[0]
        bands, valid = zip(*parts, strict=True)
        return np.concatenate(bands, axis=1), np.concatenate(valid)

    def _handle(self, overview: int | None) -> DatasetReader:
        if overview not in self._handles:
            self._handles[overview] = open_raster(self._path, overview)
        return self._handles[overview]

    def _resample(
        self, window: Window, rows: Coordinates, cols: Coordinates, *, grey: bool
    ) -> tuple[Bands, NDArray[np.bool_]] | None:
        """Read what the lattice spans and interpolate it to the window's pixels."""
        down, across = self.cell
        rows, cols = rows / down, cols / across
        height, width = self.shape
        first_row, first_col = span(rows, height), span(cols, width)
        if first_row is None or first_col is None:
            return None
        bands, valid = self.cells(first_row, first_col, grey=grey)
        rows, cols = rows - first_row[0] - 0.5, cols - first_col[0] - 0.5
        return interpolate(bands, valid, rows, cols, window)

    def _read(self, window: FileWindow, *, grey: bool) -> tuple[Bands, NDArray[np.bool_]]:
        """Return (band, row, col) in final units and the valid mask at the level read from."""
        source, handle = self._source, self._handle(self._overview)
        if self._copy is not None:
            bands, valid = _read_copy(handle, window)
            return (to_grey(bands) if grey and len(bands) == 3 else bands), valid
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
        if not grey:
            return colour, valid
        return (to_grey(colour) if len(raw) == 3 or source.palette else colour[:1]), valid

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


def _read_copy(handle: DatasetReader, window: FileWindow) -> tuple[Bands, NDArray[np.bool_]]:
    """Return final units and the valid mask from a decimated copy (``Decimated.path``)."""
    stack = handle.read(window=window)
    if len(stack) == 1:
        valid = np.isfinite(stack[0])
        return np.where(valid, stack, np.float32(0)), valid
    return stack[:3], stack[3] > 0


def best_overview(overviews: tuple[int, ...], scale: float) -> tuple[int | None, int]:
    """Return the index and factor of the coarsest overview that is still fine enough."""
    fit = [(factor, i) for i, factor in enumerate(overviews) if 1 < factor <= scale * 1.01]
    if not fit:
        return None, 1
    factor, index = max(fit)
    return index, factor
