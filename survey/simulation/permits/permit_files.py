"""Permit layers with dirt, written as the files bureaus send: whole or not at all."""

import datetime as dt
import errno
import os
import shutil
import struct
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import pyogrio
from numpy.typing import NDArray

from survey.errors import OutputError
from survey.simulation.permits.soiled_permits import Soiled
from survey.words import _

__all__ = ["Form", "write_permits"]

Form: TypeAlias = Literal["gpkg", "shp", "geojson", "csv"]
"""Format of the file: GeoPackage, shapefile, GeoJSON, or UTF-8 CSV with the outlines as WKT.

CSV states no CRS. GeoJSON states one by its code or not at all (GJ2008, section 3)."""

_NAME = "permits"
_DRIVERS: Mapping[Form, str] = {
    "gpkg": "GPKG",
    "shp": "ESRI Shapefile",
    "geojson": "GeoJSON",
    "csv": "CSV",
}
# ESRI Shapefile Technical Description, July 1998: a header of 100 bytes, then records with a header
# of 8 bytes (number and length in words of 16 bits, big-endian); a polygon holds its type, its box,
# the numbers of parts and points, the start of each part, the points.
_SHP_HEADER, _SHP_RECORD, _SHP_POLYGON = 100, 8, 44
_LANGUAGE_OFFSET = 29  # of the language driver byte in the header of a .dbf
_STAMP = dt.date(2000, 1, 1)  # for a layer without any date


def write_permits(soiled: Soiled, folder: Path, form: Form) -> tuple[Path, ...]:
    """Write a layer into a folder, under the name ``permits``.

    The same layer gives the same bytes: the time a format carries is the last day of grant.

    Parameters
    ----------
    soiled
        The layer, as from `survey.simulation.permits.soiled_permits.soil_permits`.
    folder
        Where to write; made where it is missing.
    form
        Format of the file.

    Returns
    -------
    tuple of Path
        The files; the first is the one to open.

    Raises
    ------
    survey.errors.OutputError
        If one of the files is there already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{_NAME}-", dir=folder))
    try:
        main = beside / f"{_NAME}.{form}"
        _write(soiled, main, form)
        if form == "shp":
            _soil_shapefile(soiled, main)
        return _handed_over(beside, folder, main.name)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _handed_over(beside: Path, folder: Path, main: str) -> tuple[Path, ...]:
    """Put finished files in their place, all or none, and none over another."""
    names = sorted((path.name for path in beside.iterdir()), key=lambda name: (name != main, name))
    done: list[Path] = []
    try:
        for name in names:
            with (beside / name).open("rb") as file:
                os.fsync(file.fileno())
            _put(beside / name, folder / name)
            done.append(folder / name)
    except FileExistsError as error:
        _take_back(done)
        raise OutputError(
            _("{path} exists already: name another folder for the permits").format(
                path=folder / name
            )
        ) from error
    except BaseException:
        _take_back(done)
        raise
    return tuple(done)


def _put(made: Path, place: Path) -> None:
    """Give a file its name, but not over another."""
    try:
        os.link(made, place)  # unlike a rename it never overwrites
    except FileExistsError:
        raise
    except OSError:
        # exFAT and many network disks have no hard links.
        if place.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(place)) from None
        made.rename(place)


def _take_back(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


@contextmanager
def _stamped(day: dt.date) -> Iterator[None]:
    """Let GDAL take a day for the time of writing."""
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": f"{day.isoformat()}T00:00:00.000Z"})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def _write(soiled: Soiled, path: Path, form: Form) -> None:
    last = max((f.granted for f in soiled.fates if f.granted is not None), default=_STAMP)
    options: dict[str, Any] = {
        "gpkg": {},
        "shp": {
            "encoding": "GBK" if soiled.dirt.file.text == "gbk" else "UTF-8",
            "DBF_DATE_LAST_UPDATE": last.isoformat(),
        },
        "geojson": {},
        "csv": {"GEOMETRY": "AS_WKT", "WRITE_BOM": "YES"},
    }[form]
    columns = [_column(soiled.table[name].tolist()) for name in soiled.table]
    with _stamped(last), warnings.catch_warnings():
        # A shapefile cuts names off, and GDAL says so.
        warnings.filterwarnings(
            "ignore", message=".*[Ll]aundered field name", category=RuntimeWarning
        )
        warnings.filterwarnings("ignore", message="'crs' was not provided", category=UserWarning)
        pyogrio.raw.write(
            path,
            geometry=np.array([*soiled.outlines, None], dtype=object)[:-1],
            field_data=columns,
            field_mask=[_mask(soiled.table[name].tolist()) for name in soiled.table],
            fields=[str(name) for name in soiled.table],
            crs=soiled.crs,
            geometry_type=_geometry_type(soiled.outlines, form),
            driver=_DRIVERS[form],
            layer=_NAME,
            **options,
        )


def _geometry_type(outlines: tuple[bytes | None, ...], form: Form) -> str:
    """Give the narrowest type that holds all outlines."""
    kinds = {struct.unpack("<xI", wkb[:5])[0] for wkb in outlines if wkb is not None}
    tall = any(kind > 1000 for kind in kinds)
    if form == "shp":
        return "Polygon Z" if tall else "Polygon"
    names = {3: "Polygon", 6: "MultiPolygon", 1003: "Polygon Z", 1006: "MultiPolygon Z"}
    return names[kinds.pop()] if len(kinds) == 1 else "Unknown"


def _mask(values: list[Any]) -> NDArray[np.bool_]:
    return np.array([value is None for value in values], bool)


def _column(values: list[Any]) -> NDArray[Any]:
    """Give a column the narrowest type that holds its cells; text where they are mixed."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {dt.date}:
        return np.array(["NaT" if v is None else v.isoformat() for v in values], "datetime64[D]")
    if kinds == {int}:
        return np.array([0 if value is None else value for value in values], np.int32)
    if kinds and kinds <= {int, float}:
        return np.array([np.nan if value is None else value for value in values], np.float64)
    texts = [None if value is None else str(value) for value in values]
    return np.array([*texts, None], dtype=object)[:-1]


def _soil_shapefile(soiled: Soiled, path: Path) -> None:
    """Do what GDAL would not: lose or falsify the encoding, turn rings the wrong way."""
    file = soiled.dirt.file
    table = path.with_suffix(".dbf")
    content = bytearray(table.read_bytes())
    content[_LANGUAGE_OFFSET] = file.language_byte
    table.write_bytes(content)
    label = path.with_suffix(".cpg")
    if file.cpg == "absent":
        label.unlink(missing_ok=True)
    else:
        other = "UTF-8" if file.text == "gbk" else "GBK"
        label.write_text(other if file.cpg == "wrong" else file.text.upper(), encoding="ascii")
    rows = {d.row for d in soiled.deeds if d.kind == "reversed_ring" and d.row is not None}
    _turn_rings(path, rows)


def _turn_rings(path: Path, rows: set[int]) -> None:
    """Reverse the points of polygons of one part, by row counted from 1."""
    content = bytearray(path.read_bytes())
    start, row = _SHP_HEADER, 0
    while start < len(content):
        row += 1
        (words,) = struct.unpack_from(">i", content, start + 4)
        body = start + _SHP_RECORD
        (kind,) = struct.unpack_from("<i", content, body)
        if row in rows and kind in (5, 15):
            parts, points = struct.unpack_from("<ii", content, body + 36)
            first = body + _SHP_POLYGON + 4 * parts
            if parts == 1:
                ring = np.frombuffer(bytes(content[first : first + 16 * points])).reshape(-1, 2)
                content[first : first + 16 * points] = ring[::-1].tobytes()
        start = body + 2 * words
    path.write_bytes(content)
