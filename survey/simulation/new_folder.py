"""A folder that is made: everything that could be in its way is found out before the work.

::

    FOLDER/.orthowatch-draft/...    while the work lasts
    FOLDER/...                      all of it, when it is done

The draft lies in the folder itself: a name that is too long, a link, a mounted disk or a second run
are met at once, and what is moved in the end stays on one disk. A failure takes back the folder and
those above it, as far as they were made for it.
"""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import rasterio
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError, GeometryError
from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError
from shapely import Point

from survey.errors import OutputError
from survey.words import _

__all__ = ["GdalError", "new_folder", "require_room"]

GdalError = (
    RasterioError,
    CPLE_BaseError,
    DataSourceError,
    DataLayerError,
    FeatureError,
    GeometryError,
)
"""Whatever GDAL's two wrappers raise where a file cannot be written."""

_DRAFT = ".orthowatch-draft"
_PROBE = {
    **{"driver": "GTiff", "width": 1, "height": 1, "count": 1, "dtype": "uint8"},
    **{"crs": "EPSG:4326", "transform": rasterio.Affine(0.1, 0, 10, 0, -0.1, 10)},
}
# Before the probe does: it would leave an archive of that name.
_ARCHIVE = re.compile(r"\.[A-Za-z0-9]+!")
# What a disk says that is full, or a quota, a limit on the size of files, or a broken disk.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_BROKEN = (errno.EIO, errno.EROFS, errno.ESTALE)


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Make a folder and yield a draft of it; what is in the draft in the end is in the folder then.

    Parameters
    ----------
    folder
        Where to write; must not exist, or be empty.

    Raises
    ------
    OutputError
        There is something in the folder already, it cannot be made, GDAL cannot write to a path of
        that name, or the disk gets full.
    """
    made: list[Path] = []
    try:
        place = Path(os.path.realpath(folder))
        _require_free(place, folder)
        made = _make(place)
        draft = place / _DRAFT
        _begin(draft, folder)
    except BaseException as error:
        _take_back(made)
        if isinstance(error, OSError):
            raise _unwritable(folder, error) from error
        raise
    try:
        with _told(folder):
            _try_out(draft, folder)
            yield draft
            _hand_over(draft, place)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        _take_back(made)
        raise


def require_room(folder: Path, needed: float, advice: str) -> None:
    """Refuse a folder on whose disk there is less room than will be needed.

    Parameters
    ----------
    folder
        Where to write; need not exist.
    needed
        Bytes.
    advice
        What takes less, for the sentence.

    Raises
    ------
    OutputError
        There is too little room.
    """
    place = Path(os.path.realpath(folder))
    while not place.is_dir() and place != place.parent:
        place = place.parent
    free = shutil.disk_usage(place).free
    if needed > free:
        text = _("{folder}: needs about {needed}, and {free} are free: take {advice}")
        raise OutputError(
            text.format(folder=folder, needed=_size(needed), free=_size(free), advice=advice)
        )


def _size(count: float) -> str:
    """Return bytes for a sentence."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def _require_free(place: Path, folder: Path) -> None:
    """Refuse a place that holds something."""
    if place.exists() and not place.is_dir():
        text = _("{folder}: is a file; name a new folder")
        raise OutputError(text.format(folder=folder))
    if folder.is_symlink() and not folder.exists():
        text = _("{folder}: is a link that leads nowhere; name a new folder")
        raise OutputError(text.format(folder=folder))
    if place.is_dir() and (place / _DRAFT).exists():
        text = _(
            "{folder}: another run is writing there, or one was killed: wait, or remove {draft}"
        )
        raise OutputError(text.format(folder=folder, draft=place / _DRAFT))
    if place.is_dir() and any(place.iterdir()):
        text = _("{folder}: is not empty; name a new folder")
        raise OutputError(text.format(folder=folder))


def _make(place: Path) -> list[Path]:
    """Make a folder with those above it, and return which ones are new, the innermost first."""
    missing = []
    for part in (place, *place.parents):
        if part.exists():
            break
        missing.append(part)
    made: list[Path] = []
    try:
        for part in reversed(missing):
            part.mkdir()
            made.insert(0, part)
    except BaseException:
        _take_back(made)
        raise
    return made


def _begin(draft: Path, folder: Path) -> None:
    try:
        draft.mkdir()
    except FileExistsError as error:
        text = _("{folder}: another run is writing there")
        raise OutputError(text.format(folder=folder)) from error


def _take_back(made: list[Path]) -> None:
    """Remove folders that were made, as far as nobody else has put anything there."""
    for part in made:
        with suppress(OSError):
            part.rmdir()


def _try_out(draft: Path, folder: Path) -> None:
    """Write two tiny files: GDAL takes some names for archives, addresses or options."""
    if _ARCHIVE.search(str(draft)):
        raise _unspeakable(folder)
    probe = draft / "probe"
    probe.mkdir()
    try:
        with (
            rasterio.Env(),
            rasterio.open(probe / "probe.tif", "w", **_PROBE) as raster,
        ):
            raster.write(np.zeros((1, 1, 1), np.uint8))
        dot = gpd.GeoDataFrame(geometry=[Point(0, 0)], crs="EPSG:4326")
        pyogrio.write_dataframe(dot, probe / "probe.gpkg", driver="GPKG")
        found = sorted(path.name for path in probe.iterdir())
    except (*GdalError, ValueError) as error:
        if _is_full(error):
            raise
        raise _unspeakable(folder) from error
    if found != ["probe.gpkg", "probe.tif"]:
        raise _unspeakable(folder)
    shutil.rmtree(probe)


def _unspeakable(folder: Path) -> OutputError:
    text = _(
        "{folder}: its path has characters that GDAL cannot write to: name a folder with plain"
        " letters and digits"
    )
    return OutputError(text.format(folder=folder))


def _hand_over(draft: Path, place: Path) -> None:
    """Move what is done into its place, all or nothing."""
    done: list[Path] = []
    try:
        for part in sorted(draft.rglob("*")):
            if part.is_file():
                with part.open("rb") as file:
                    os.fsync(file.fileno())
        for part in sorted(draft.iterdir()):
            target = place / part.name
            if target.exists():
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
            part.rename(target)
            done.append(target)
        draft.rmdir()
    except BaseException:
        for target in done:
            target.rename(draft / target.name)
        raise


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Turn a refusal of the disk into a sentence."""
    try:
        yield
    except GdalError as error:
        raise _unwritable(folder, error) from error
    except OSError as error:
        if error.errno in (*_FULL, *_BROKEN, errno.EEXIST):
            raise _unwritable(folder, error) from error
        raise


def _is_full(error: BaseException) -> bool:
    said = str(error).lower()
    return (isinstance(error, OSError) and error.errno in _FULL) or "space" in said


def _unwritable(folder: Path, error: BaseException) -> OutputError:
    """Say that a folder cannot be written, and why as far as anybody knows."""
    if isinstance(error, OSError) and error.strerror and error.errno not in _FULL:
        text = _("{path}: cannot be written ({error})")
        return OutputError(text.format(path=folder, error=error.strerror))
    free = _free(folder)
    text = _("{path}: cannot be written ({error}); is the disk full? {free} are free")
    said = getattr(error, "strerror", None) or str(error).split("\n")[0].strip()
    known = said if said and said != "None" else type(error).__name__
    return OutputError(text.format(path=folder, error=known, free=free))


def _free(folder: Path) -> str:
    place = Path(os.path.realpath(folder))
    while not place.is_dir() and place != place.parent:
        place = place.parent
    return _size(shutil.disk_usage(place).free)
