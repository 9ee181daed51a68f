"""``results.gpkg``: the layers of a run, with the styles and the project that QGIS looks for in it.

A GeoPackage is a SQLite database. GDAL writes the layers, as version 1.2 of the format, which QGIS
3.22 knows; the tables ``layer_styles`` and ``qgis_projects`` are QGIS's own and written by hand.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pyogrio.raw
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from change.export.gpkg_tables import Table
from change.export.plain_text import plain_text

__all__ = ["PROJECT_NAME", "Dress", "first_day", "write_geopackage"]

PROJECT_NAME = "orthowatch"
"""What the project inside the file is called."""

# The clock stays out of what is written; without a flight's day this is the first of a zip file.
_NO_DAY = date(1980, 1, 1)
_VERSION = {"VERSION": "1.2"}
_OPTIONS = {"FID": "fid", "GEOMETRY_NAME": "geom"}
_STYLES = """
CREATE TABLE layer_styles (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    f_table_catalog TEXT(256), f_table_schema TEXT(256), f_table_name TEXT(256),
    f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
    useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30),
    update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
)
"""
_PROJECTS = "CREATE TABLE qgis_projects (name TEXT PRIMARY KEY, metadata BLOB, content BLOB)"
_REGISTER = """
INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change, srs_id)
VALUES (?, 'attributes', ?, '', ?, 0)
"""
_ADD_STYLE = """
INSERT INTO layer_styles (
    f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, styleQML,
    styleSLD, useAsDefault, description, owner, update_time
) VALUES ('', '', ?, ?, ?, ?, '', 1, '', '', ?)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dress:
    """What makes QGIS show the layers as they are meant."""

    styles: Mapping[str, str]
    """Name of a layer to its style, QML."""
    project: bytes | None = None
    """The project, as in a ``.qgz`` file; None for none."""


def first_day(day: date | None) -> date:
    """Return the day files are dated by: that of the later flight, or 1980-01-01."""
    return max(day or _NO_DAY, _NO_DAY)


def write_geopackage(
    path: Path, tables: Sequence[Table], *, crs: CRS, day: date | None, dress: Dress | None = None
) -> None:
    """Write layers into a GeoPackage.

    Parameters
    ----------
    path
        The file to write; must not exist.
    tables
        The layers, in this order.
    crs
        CRS of their geometries.
    day
        Day the file is dated by, that of the later flight: the same layers make the same bytes.
    dress
        Styles and project; None for the layers alone.
    """
    stamp = f"{first_day(day).isoformat()}T00:00:00.000Z"
    known = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": stamp})
    try:
        for table in tables:
            _write_table(path, table, crs)
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": known})
    if dress is not None:
        with closing(sqlite3.connect(path)) as database, database:
            _add_styles(database, tables, dress, stamp)
            _add_project(database, dress)


def _write_table(path: Path, table: Table, crs: CRS) -> None:
    columns = {name: _column(table.cells[name], kind) for name, kind in table.kinds.items()}
    missing = [np.array([cell is None for cell in table.cells[name]], bool) for name in columns]
    shapes = None if table.geometry is None else _wkb(table)
    pyogrio.raw.write(
        path,
        shapes,
        list(columns.values()),
        list(columns),
        field_mask=missing,
        layer=table.name,
        driver="GPKG",
        geometry_type=table.geometry,
        crs=None if shapes is None else _crs_text(crs),
        append=path.exists(),
        dataset_options=_VERSION,
        layer_options=_OPTIONS if shapes is not None else {"FID": "fid"},
    )


def _wkb(table: Table) -> NDArray[np.object_]:
    shapes = np.array([*table.shapes, None], dtype=object)[:-1]
    return np.asarray(shapely.to_wkb(shapes), dtype=object)


def _crs_text(crs: CRS) -> str:
    authority = crs.to_authority()
    return crs.to_wkt() if authority is None else ":".join(authority)


def _column(cells: Sequence[Any], kind: str) -> NDArray[Any]:
    """Return a column as GDAL is to store it; what stands where None was is masked."""
    if kind == "number":
        return np.array([np.nan if cell is None else cell for cell in cells], np.float64)
    if kind == "whole":
        return np.array([0 if cell is None else int(cell) for cell in cells], np.int64)
    if kind == "flag":
        return np.array([bool(cell) for cell in cells], np.bool_)
    if kind == "day":
        return np.array([cell or "NaT" for cell in cells], "datetime64[D]")
    texts = [None if cell is None else plain_text(str(cell)) for cell in cells]
    return np.array([*texts, None], dtype=object)[:-1]


def _add_styles(
    database: sqlite3.Connection, tables: Sequence[Table], dress: Dress, stamp: str
) -> None:
    database.execute(_STYLES)
    database.execute(_REGISTER, ("layer_styles", "layer_styles", stamp))
    for table in tables:
        if table.name in dress.styles:
            column = "" if table.geometry is None else "geom"
            style = dress.styles[table.name]
            database.execute(_ADD_STYLE, (table.name, column, table.name, style, stamp))


def _add_project(database: sqlite3.Connection, dress: Dress) -> None:
    """Put the project where QGIS's browser finds it: the bytes of the archive, in hexadecimal."""
    if dress.project is None:
        return
    database.execute(_PROJECTS)
    content = dress.project.hex().encode("ascii")
    database.execute("INSERT INTO qgis_projects VALUES (?, ?, ?)", (PROJECT_NAME, b"{}", content))
