"""Delimited text: outlines as WKT or hexadecimal WKB in any column, or the coordinates of a point.

GDAL reads a column named ``WKT`` and no other; this reads what GDAL leaves.
"""

import csv
import io
import re
from pathlib import Path
from typing import Literal

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from change.layers.attributes import find_column
from change.layers.encodings import Encoding, choose_encoding
from change.layers.tables import Table, as_columns

__all__ = ["delimited_table"]

_SUFFIXES = frozenset({".csv", ".tsv"})
_WKT = re.compile(
    r"\s*(?:SRID=(?P<srid>\d+);)?\s*(?P<wkt>(?:MULTI)?(?:POLYGON|LINESTRING|POINT|SURFACE)[\s(Z]"
    r"|GEOMETRYCOLLECTION[\s(])",
    re.IGNORECASE,
)
# Hexadecimal WKB: byte order, then the type.
_HEX = re.compile(r"\s*0(?:0[0-9A-F]{8}|1[0-9A-F]{8})[0-9A-F]{8,}\s*", re.IGNORECASE)
_EAST = ("x", "lon", "lng", "long", "longitude", "easting", "east", "经度", "x坐标", "横坐标",
         "东坐标", "坐标x", "point x", "coord x")  # fmt: skip
_NORTH = ("y", "lat", "latitude", "northing", "north", "纬度", "y坐标", "纵坐标", "北坐标",
          "坐标y", "point y", "coord y")  # fmt: skip
_MARKS = ",;\t|"
# EWKB holds the SRID behind the type where this bit is set (PostGIS, since 1.0).
_HAS_SRID = 0x20000000


def delimited_table(path: Path, given: str | None) -> Table | None:
    """Read delimited text with geometry that GDAL does not recognise; None where there is none.

    Points are no outlines: they tell where a row lies that has none.

    Parameters
    ----------
    path
        The file.
    given
        Encoding of its text, as the user says; None to find it.

    Raises
    ------
    LayerError
        The file is not in the encoding the user says.
    """
    if path.suffix.lower() not in _SUFFIXES or not path.is_file():
        return None
    text, encoding = _text(path, given)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=_mark(text)))
    except csv.Error:
        return None
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    # GDAL also knows curves, which become polygons nowhere else; it knows no UTF-16.
    known = any(name.strip().upper() == "WKT" for name in rows[0]) if rows else False
    if len(rows) < 2 or (known and encoding.name != "utf-16"):
        return None
    names = [name.strip() for name in rows[0]]
    cells = [[*row[: len(names)], *[""] * (len(names) - len(row))] for row in rows[1:]]
    found = _geometry(names, cells)
    if found is None:
        return None
    geometry, srid, used = found
    others = [i for i in range(len(names)) if i not in used]
    return Table(
        wkb=geometry,
        columns=as_columns(
            [names[i] for i in others],
            [np.array([row[i] or None for row in cells], dtype=object) for i in others],
        ),
        crs=None if srid is None else f"EPSG:{srid}",
        encoding=encoding,
        shown=str(path),
        layer=path.stem,
    )


def _text(path: Path, given: str | None) -> tuple[str, Encoding]:
    content = path.read_bytes()
    for mark, codec in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if content.startswith(mark):
            return content.decode(codec, "replace"), Encoding(name=codec, assumption=None)
    lines = content.decode("latin-1").splitlines()
    choice = choose_encoding(lines, given=given, stated="utf-8", shown=str(path))
    return content.decode(choice.name, "replace"), choice


def _mark(text: str) -> str:
    head = text.split("\n", 1)[0]
    return max(_MARKS, key=head.count)


def _geometry(
    names: list[str], cells: list[list[str]]
) -> tuple[list[bytes | None], int | None, set[int]] | None:
    """Return the geometry of each row, its SRID, and the columns that hold it."""
    points = _points(names, cells)
    for column in range(len(names)):
        values = [row[column] for row in cells]
        filled = [value for value in values if value.strip()]
        if filled and all(_WKT.match(v) or _HEX.fullmatch(v) for v in filled[:20]):
            read = [_wkb(value) for value in values]
            srids = {srid for _shape, srid in read if srid}
            # A row whose outline is blank may still say where it lies.
            backup = points[0] if points else [None] * len(values)
            shapes = [
                shape if value.strip() else place
                for (shape, _srid), value, place in zip(read, values, backup, strict=True)
            ]
            used = {column} | (points[1] if points else set())
            return shapes, srids.pop() if len(srids) == 1 else None, used
    return None if points is None else (points[0], None, points[1])


def _points(names: list[str], cells: list[list[str]]) -> tuple[list[bytes | None], set[int]] | None:
    east, north = find_column(names, _EAST), find_column(names, _NORTH)
    if east is None or north is None:
        return None
    used = (names.index(east), names.index(north))
    wkb = [_point(*(_coordinate(row[i]) for i in used)) for row in cells]
    return (wkb, set(used)) if any(place is not None for place in wkb) else None


def _point(x: float | None, y: float | None) -> bytes | None:
    return None if x is None or y is None else bytes(shapely.to_wkb(shapely.Point(x, y)))


def _coordinate(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None


def _wkb(text: str) -> tuple[bytes | None, int | None]:
    """Return the geometry a cell holds, and its SRID; text that is none comes out as broken WKB."""
    broken = b"\x00"
    if not text.strip():
        return None, None
    if _HEX.fullmatch(text):
        return _without_srid(bytes.fromhex(text.strip()))
    found = _WKT.match(text)
    if found is None:
        return broken, None
    srid = int(found["srid"]) if found["srid"] else None
    shape: BaseGeometry | None = shapely.from_wkt(text[found.start("wkt") :], on_invalid="ignore")
    return (broken if shape is None else bytes(shapely.to_wkb(shape))), srid


def _without_srid(wkb: bytes) -> tuple[bytes, int | None]:
    order: Literal["little", "big"] = "little" if wkb[0] == 1 else "big"
    kind = int.from_bytes(wkb[1:5], order)
    if not kind & _HAS_SRID:
        return wkb, None
    srid = int.from_bytes(wkb[5:9], order)
    return wkb[:1] + (kind & ~_HAS_SRID).to_bytes(4, order) + wkb[9:], srid or None
