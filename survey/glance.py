"""A flight at a glance: the few pixels that stand for all, because reading all is dear.

Scattered windows as they are stored, and a look at the whole from overviews where there are any.
"""

from itertools import product

import numpy as np
from numpy.typing import NDArray

from survey.crs import same_crs, transformer
from survey.flight import Flight
from survey.grid import WorkingGrid, transform_bounds, working_crs
from survey.light import has_colours, to_lab
from survey.reading import FlightReader, Picture, read_stored
from survey.resampling import block_mean
from survey.source import Source
from survey.windows import Window

__all__ = [
    "coarse_grid",
    "coarse_heights",
    "scattered_pictures",
    "shown_ground",
    "shows_colours",
    "some_sources",
    "valid_share",
]

# How much is looked at: windows along a side and their size, sources of a folder, and the pixels
# that may be decoded for a look at the whole (a quarter of a second).
_WINDOWS, _WINDOW_PX, _SOURCES = 8, 256, 16
_CHEAP_PX = 2**25
_COARSE_PX = 512
# Pixels of a side that are averaged before colours are told: JPEG keeps tones of eight together.
_MEAN_PX = 8


def some_sources(flight: Flight) -> list[Source]:
    """Return at most 16 of a flight's files, evenly from first to last."""
    last = len(flight.sources) - 1
    chosen = np.unique(np.linspace(0, last, min(last + 1, _SOURCES)).astype(int))
    return [flight.sources[i] for i in chosen]


def scattered_pictures(source: Source, among: int = 1) -> list[Picture]:
    """Return windows of a file on a lattice, fewer where it is one among many."""
    height, width = source.grid.height, source.grid.width
    side = max(1, round(_WINDOWS / among**0.5))
    windows = [
        Window(
            row=row,
            col=col,
            height=min(_WINDOW_PX, height - row),
            width=min(_WINDOW_PX, width - col),
        )
        for row in _starts(height, side)
        for col in _starts(width, side)
    ]
    return read_stored(source, windows)


def _starts(size: int, count: int) -> list[int]:
    """Return where windows begin along a side: where tiles of a file do, too."""
    cells = -(-size // _WINDOW_PX)
    places = np.linspace(0, cells - 1, count) if count > 1 else np.array([cells // 2])
    return [int(cell) * _WINDOW_PX for cell in np.unique(places.round())]


def valid_share(flight: Flight, pictures: list[Picture]) -> float:
    """Return the share of the files' area that shows ground: exact on small files."""
    grids = [source.grid for source in flight.sources]
    if sum(grid.width * grid.height for grid in grids) <= _CHEAP_PX:
        seen = [_count_valid(source) for source in flight.sources]
        return sum(seen) / sum(grid.width * grid.height for grid in grids)
    return sum(int(p.valid.sum()) for p in pictures) / sum(p.valid.size for p in pictures)


def shows_colours(flight: Flight) -> bool:
    """Whether a flight shows colours, and not greys only or the tone of one film.

    Raises
    ------
    FlightError
        A file cannot be read.
    """
    samples = []
    for source in some_sources(flight):
        for picture in scattered_pictures(source, len(flight.sources)):
            if min(picture.valid.shape) >= _MEAN_PX:
                colour, valid = block_mean(picture.colour, picture.valid, _MEAN_PX)
                samples.append(to_lab(colour)[:, valid])
    return not samples or has_colours(np.concatenate(samples, axis=1))


def _count_valid(source: Source) -> int:
    return sum(int(read_stored(source, [strip])[0].valid.sum()) for strip in _strips(source))


def _strips(source: Source) -> list[Window]:
    height, width, step = source.grid.height, source.grid.width, 2 * _WINDOW_PX
    return [
        Window(row=row, col=0, height=min(step, height - row), width=width)
        for row in range(0, height, step)
    ]


def coarse_grid(flight: Flight) -> WorkingGrid:
    """Return a working grid of at most some 512 pixels a side over the whole flight."""
    crs = working_crs(flight.sources[0].grid)
    bounds = transform_bounds(flight.bounds, flight.crs, crs)
    side = max(bounds.right - bounds.left, bounds.top - bounds.bottom)
    return WorkingGrid.around(bounds, crs=crs, pixel_m=max(side / _COARSE_PX, flight.pixel_m))


def shown_ground(flight: Flight, grid: WorkingGrid) -> NDArray[np.bool_]:
    """Return where a flight shows the ground of a coarse grid, (row, col).

    Where looking is dear, its files' outlines stand for what they show.
    """
    if not _is_cheap(flight):
        return _inside(flight, grid)
    with FlightReader(flight, grid) as reader:
        return reader.picture(_whole(grid)).valid


def coarse_heights(dsm: Flight, grid: WorkingGrid) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return heights on a coarse grid, and where they were looked up: in places if that is dear."""
    shape = grid.height, grid.width
    if _is_cheap(dsm):
        with FlightReader(dsm, grid) as reader:
            return reader.heights(_whole(grid)), np.ones(shape, bool)
    heights, looked = np.full(shape, np.nan, np.float32), np.zeros(shape, bool)
    fine = WorkingGrid.around(grid.bounds, crs=grid.crs, pixel_m=dsm.pixel_m)
    step = grid.pixel_m / fine.pixel_m
    rows, cols = (np.unique(np.linspace(0, n - 1, 2 * _WINDOWS).astype(int)) for n in shape)
    with FlightReader(dsm, fine) as reader:
        for row, col in product(rows.tolist(), cols.tolist()):
            place = Window(
                row=int((row + 0.5) * step), col=int((col + 0.5) * step), height=1, width=1
            )
            heights[row, col] = reader.heights(place)[0, 0]
            looked[row, col] = True
    return heights, looked


def _is_cheap(flight: Flight) -> bool:
    """Whether a look at the whole needs few pixels: the picture is small or has overviews."""
    pixels = 0.0
    for source in flight.sources:
        wanted = max(source.grid.width, source.grid.height) / _COARSE_PX
        factor = max((f for f in source.overviews if f <= wanted), default=1)
        pixels += source.grid.width * source.grid.height / factor**2
    return pixels <= _CHEAP_PX


def _whole(grid: WorkingGrid) -> Window:
    return Window(row=0, col=0, height=grid.height, width=grid.width)


def _inside(flight: Flight, grid: WorkingGrid) -> NDArray[np.bool_]:
    """Return which pixels of a working grid lie in one of a flight's files, (row, col)."""
    cols, rows = np.meshgrid(np.arange(grid.width) + 0.5, np.arange(grid.height) + 0.5)
    x, y = (grid.left_px + cols) * grid.pixel_m, (grid.top_px - rows) * grid.pixel_m
    if not same_crs(grid.crs, flight.crs):
        x, y = transformer(grid.crs, flight.crs).transform(x, y)
    inside = np.zeros(x.shape, bool)
    for source in flight.sources:
        col, row = source.grid.colrow(x, y)
        inside |= (col >= 0) & (row >= 0) & (col < source.grid.width) & (row < source.grid.height)
    return inside
