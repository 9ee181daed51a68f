"""Pixels of a flight on a working grid, with the mask that tells picture from nothing."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.windows import Window as FileWindow

from survey.collar import collar_mask
from survey.crs import same_crs, transformer
from survey.flight import Flight
from survey.grid import Coordinates, WorkingGrid
from survey.resampling import Bands, lattice
from survey.source import Source, open_raster
from survey.source_reader import SourceReader
from survey.stored import colour_and_valid, unreadable
from survey.windows import Window

__all__ = ["FlightReader", "GreyPicture", "Picture", "Shift", "raster_environment", "read_stored"]

Shift = Callable[[Coordinates, Coordinates], tuple[Coordinates, Coordinates]]
"""From (x, y) of working-grid ground, m, to how far off (dx, dy) the flight shows it, m."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Pixels of a window on the working grid."""

    colour: NDArray[np.uint8]
    """(3, row, col), red green blue; meaningless where not ``valid``."""
    valid: NDArray[np.bool_]
    """(row, col); True where the flight shows the ground."""


@dataclass(frozen=True, slots=True)
class GreyPicture:
    """Pixels of a window on the working grid, in one band."""

    grey: NDArray[np.uint8]
    """(row, col), 0.3, 0.5 and 0.2 of red, green and blue; meaningless where not ``valid``."""
    valid: NDArray[np.bool_]
    """(row, col); True where the flight shows the ground."""


def raster_environment() -> rasterio.Env:
    """Return the GDAL settings every read runs under (cache in bytes: an int there means bytes).

    A cache of 64 MB instead of 256 costs 8 % more time where overviews are missing, and keeps
    memory from growing with the image (``benchmarks/README.md``).
    """
    return rasterio.Env(GDAL_CACHEMAX=64 * 2**20, GDAL_NUM_THREADS="1", GDAL_PAM_ENABLED="NO")


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
        self._to_file = (
            None if same_crs(grid.crs, flight.crs) else transformer(grid.crs, flight.crs)
        )
        self._layers = [SourceReader(source, grid.pixel_m) for source in flight.sources]
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
        return Picture(*self._overlaid(window, shift, grey=False))

    def grey(self, window: Window, shift: Shift | None = None) -> GreyPicture:
        """Return the grey of a window: ``picture`` to within 1.5 levels, at a lower cost.

        Raises
        ------
        FlightError
            The file cannot be read to this place.
        """
        bands, valid = self._overlaid(window, shift, grey=True)
        return GreyPicture(bands[0], valid)

    def _overlaid(
        self, window: Window, shift: Shift | None, *, grey: bool
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Return (band, row, col) and the valid mask of all files, the first on top."""
        bands = np.zeros((1 if grey else 3, window.height, window.width), np.uint8)
        valid = np.zeros((window.height, window.width), bool)
        for part, mask in self._parts(window, shift, grey=grey):
            if mask.all() and not valid.any():
                return part, mask
            np.copyto(bands, part, where=mask & ~valid)
            valid |= mask
            if valid.all():
                break
        return bands, valid

    def heights(self, window: Window, shift: Shift | None = None) -> NDArray[np.float32]:
        """Return the heights of a window in metres, (row, col); NaN where there are none."""
        heights = np.full((window.height, window.width), np.nan, np.float32)
        for part, mask in self._parts(window, shift):
            np.copyto(heights, part[0], where=mask & np.isnan(heights))
        return heights

    def _parts(
        self, window: Window, shift: Shift | None, *, grey: bool = False
    ) -> Iterator[tuple[Bands, NDArray[np.bool_]]]:
        xs, ys = lattice(self._grid, window)
        if shift is not None:
            dx, dy = shift(xs, ys)
            xs, ys = xs + dx, ys + dy
        if self._to_file is not None:
            flat_x, flat_y = self._to_file.transform(xs.ravel(), ys.ravel())
            xs, ys = np.reshape(flat_x, xs.shape), np.reshape(flat_y, ys.shape)
        if not (np.isfinite(xs).all() and np.isfinite(ys).all()):
            return
        for layer in self._layers:
            part = layer.sample(window, xs, ys, grey=grey)
            if part is not None:
                yield part


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
        raise unreadable(source, error) from error


def _picture(source: Source, dataset: DatasetReader, window: Window) -> Picture:
    place = FileWindow(window.col, window.row, window.width, window.height)
    colour, valid = colour_and_valid(source, dataset, [place])
    if source.collar is not None:
        rows = window.row + np.arange(window.height)
        cols = window.col + np.arange(window.width)
        valid &= ~collar_mask(source.collar, colour, rows, cols)
    return Picture(colour, valid)
