"""Decimated copies of files, made once for a job and gone when it ends.

Every look at the whole would otherwise decode the file, or its overview, again. A copy holds the
very cells that a reader at the working pixel would have read or averaged, so that it decides speed
and never the result.
"""

import errno
import math
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import rasterio
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window as FileWindow

from survey.blocks import Progress, run_all
from survey.flight import Flight
from survey.heights import PLAUSIBLE_M
from survey.reading import raster_environment
from survey.resampling import Bands
from survey.source import Decimated, Source
from survey.source_reader import SourceReader
from survey.stored import unreadable
from survey.words import _

__all__ = ["without_copies", "working_copies"]

# With fewer pixels than this to decode (1024 a side, 10 ms a look) a flight needs no copies.
_LEAST_PX = 2**20
# Side of the pieces a file is averaged in, pixels: 16 MB of RGBA, whole tiles of all usual sizes.
_PIECE_PX = 2048
# A piece reaches to where cells and tiles end together, but is not made larger than this for it.
_LARGEST_PIECE_PX = 4096
# What is left to others of the disk, bytes.
_LEFT_FREE = 2**28
_BYTES_A_CELL = 4  # red, green, blue and the mask, or a height
_TILE = 256

_Key = tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """A rectangle of cells of one file; what one worker takes."""

    source: Source
    pixel_m: float
    rows: tuple[int, int]
    cols: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """How one file is copied."""

    shape: tuple[int, int]
    cell: tuple[float, float]
    factor: int
    pieces: tuple[_Piece, ...]


@contextmanager
def working_copies(
    flights: tuple[Flight, ...],
    pixel_m: float,
    *,
    say: Callable[[str], None],
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Iterator[tuple[Flight, ...]]:
    """Yield the flights, their files and surface models with copies where these save time.

    Parameters
    ----------
    flights
        Examined flights (``survey.examination.examine``).
    pixel_m
        Pixel of the working grid, m.
    say
        Told, in one sentence, where there is no room for copies.
    executor
        Where pieces are averaged; None averages them here.
    progress
        Told after every piece.

    Raises
    ------
    FlightError
        A file cannot be read to its end.

    Examples
    --------
    ::

        with working_copies((before, after), grid.pixel_m, say=print) as (before, after):
            pair = make_pair(before, after, settings)
    """
    models = [_plausible(flight.dsm) for flight in flights if flight.dsm is not None]
    sources = {
        _key(source): source
        for flight in (*flights, *models)
        for source in _worth_a_copy(flight, pixel_m)
    }
    with ExitStack() as stack:
        copies: dict[_Key, Decimated] = {}
        if sources:
            try:
                folder = stack.enter_context(_room(sources.values(), pixel_m))
                copies = _make(sources, pixel_m, folder, executor, progress)
            except (OSError, RasterioError):
                stack.close()
                text = _("{folder}: too little room for working copies; reading takes longer")
                say(text.format(folder=tempfile.gettempdir()))
        yield tuple(_with_copies(flight, copies) for flight in flights)


def without_copies(flight: Flight) -> Flight:
    """Return the flight as it was before ``working_copies``; they are gone when their job ends."""
    return _with_copies(flight, {})


def _with_copies(flight: Flight, copies: Mapping[_Key, Decimated]) -> Flight:
    sources = tuple(replace(s, copy=copies.get(_key(s))) for s in flight.sources)
    dsm = None if flight.dsm is None else _with_copies(flight.dsm, copies)
    return replace(flight, sources=sources, dsm=dsm)


def _key(source: Source) -> _Key:
    return source.path, len(source.bands)


def _plausible(dsm: Flight) -> Flight:
    """Return a surface model without the heights that a pair leaves out before it averages."""
    return replace(dsm, sources=tuple(replace(s, plausible=PLAUSIBLE_M) for s in dsm.sources))


def _worth_a_copy(flight: Flight, pixel_m: float) -> list[Source]:
    """Return the files of which every look at the working pixel would decode much.

    Not those that are read as they are: a copy would be as large as the file.
    """
    found, pixels = [], 0.0
    for source in flight.sources:
        reader = SourceReader(source, pixel_m)
        if reader.factor > 1:
            found.append(source)
            # The mask is read from the full image: overviews of one are often missing.
            level = 1.0 if source.masked else reader.mean / reader.factor
            pixels += source.grid.width * source.grid.height * level**2
    return found if pixels > _LEAST_PX else []


@contextmanager
def _room(sources: Iterable[Source], pixel_m: float) -> Iterator[Path]:
    """Yield a folder for the copies.

    Raises
    ------
    OSError
        The disk is too full for them.
    """
    with tempfile.TemporaryDirectory(prefix="orthowatch-", ignore_cleanup_errors=True) as folder:
        pixels = sum(
            source.grid.width * source.grid.height / SourceReader(source, pixel_m).factor ** 2
            for source in sources
        )
        if shutil.disk_usage(folder).free < pixels * _BYTES_A_CELL + _LEFT_FREE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), folder)
        yield Path(folder)


def _make(
    sources: Mapping[_Key, Source],
    pixel_m: float,
    folder: Path,
    executor: Executor | None,
    progress: Progress | None,
) -> dict[_Key, Decimated]:
    """Average the files piece by piece, and write their copies."""
    copies: dict[_Key, Decimated] = {}
    with raster_environment():
        plans = [_plan(source, pixel_m) for source in sources.values()]
        done = run_all(
            _average,
            [piece for plan in plans for piece in plan.pieces],
            executor=executor,
            stage=_("reading"),
            progress=progress,
        )
        for number, (key, plan) in enumerate(zip(sources, plans, strict=True)):
            path = folder / f"{number}.tif"
            _write(path, plan, done)
            copies[key] = Decimated(
                path=str(path), factor=plan.factor, down=plan.cell[0], across=plan.cell[1]
            )
    return copies


def _plan(source: Source, pixel_m: float) -> _Plan:
    reader = SourceReader(source, pixel_m)
    try:
        shape = reader.shape
        rows, cols = _piece_cells(reader)
        pieces = tuple(
            _Piece(
                source=source,
                pixel_m=pixel_m,
                rows=(row, min(row + rows, shape[0])),
                cols=(col, min(col + cols, shape[1])),
            )
            for row in range(0, shape[0], rows)
            for col in range(0, shape[1], cols)
        )
        return _Plan(shape=shape, cell=reader.cell, factor=reader.factor, pieces=pieces)
    except RasterioError as error:
        raise unreadable(source, error) from error
    finally:
        reader.close()


def _piece_cells(reader: SourceReader) -> tuple[int, int]:
    """Return the rows and columns of cells of a piece, such that few tiles are decoded twice."""
    height, width = reader.stored_blocks
    if width >= reader.mean * reader.shape[1]:  # strips: each is decoded as a whole
        cols = reader.shape[1]
        return _side(height, reader.mean, _PIECE_PX**2 // width), cols
    return _side(height, reader.mean, _PIECE_PX), _side(width, reader.mean, _PIECE_PX)


def _side(stored: int, mean: int, wanted: int) -> int:
    """Return how many cells span about the wanted pixels and end where stored blocks end.

    Examples
    --------
    >>> _side(512, 4, 2048), _side(512, 3, 2048), _side(512, 11, 2048)
    (512, 512, 186)
    """
    common = math.lcm(stored, mean)
    if common > _LARGEST_PIECE_PX:
        return max(1, wanted // mean)
    return max(1, wanted // common) * common // mean


def _average(piece: _Piece) -> Bands:
    """Return the piece as it is written: (band, row, col)."""
    reader = SourceReader(piece.source, piece.pixel_m)
    with raster_environment():
        try:
            bands, valid = reader.cells(piece.rows, piece.cols)
        except RasterioError as error:
            raise unreadable(piece.source, error) from error
        finally:
            reader.close()
    if len(bands) == 1:
        return np.where(valid, bands, np.float32(np.nan))
    return np.concatenate([bands, valid[None].astype(np.uint8) * 255])


def _write(path: Path, plan: _Plan, done: Iterator[Bands]) -> None:
    surface = len(plan.pieces[0].source.bands) == 1
    profile = {
        "driver": "GTiff",
        "height": plan.shape[0],
        "width": plan.shape[1],
        "count": 1 if surface else 4,
        "dtype": "float32" if surface else "uint8",
        "tiled": True,
        "blockxsize": _TILE,
        "blockysize": _TILE,
        "interleave": "pixel",
        "bigtiff": "if_safer",
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # its place is the file's
        with rasterio.open(path, "w", **profile) as target:
            for piece in plan.pieces:
                target.write(next(done), window=_window(piece))
    cells = plan.shape[0] * plan.shape[1]
    if path.stat().st_size < cells * _BYTES_A_CELL:  # GDAL may notice a full disk too late to say
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def _window(piece: _Piece) -> FileWindow:
    (top, bottom), (left, right) = piece.rows, piece.cols
    return FileWindow(left, top, right - left, bottom - top)
