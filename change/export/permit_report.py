"""A report on a permit layer: every flawed row, as a table, as JSON values and as a GeoPackage."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio
import shapely
from shapely import MultiPolygon
from shapely.geometry.base import BaseGeometry

from change.export.folder import FILE_ENDINGS, require_free_file, require_free_folder, write_folder
from change.export.listing import even_columns
from change.permits import Permits
from survey.crs import describe_crs
from survey.errors import OutputError
from survey.runs import Run, record_beside, record_writer, write_all
from survey.words import N_, _

__all__ = [
    "FLAW_COLUMNS",
    "PERMIT_COLUMNS",
    "report_facts",
    "report_frames",
    "report_lines",
    "report_summary",
    "require_free_report",
    "write_report",
]

FLAW_COLUMNS = ("row", "number", "why", "detail", "kept")
"""Columns of the layer ``flawed_rows``, in this order."""

PERMIT_COLUMNS = (
    *("row", "number", "granted", "valid_until", "footprint_m2", "floor_area_m2", "storeys"),
    *("height_m", "holder", "use", "temporary", "flaws"),
)
"""Columns of the layer ``permits``, in this order."""

_LAYERS, _RECORD = "permits_check.gpkg", "report.json"
# The clock stays out of what is written: a GeoPackage is dated by the format's own first version.
_STAMP = "2014-01-01T00:00:00.000Z"
# A place without extent is drawn this wide, so that it can be seen and clicked on, m.
_DOT_M = 2.0
_DONE = {
    "unreadable_date": N_("cell left blank"),
    "unreadable_number": N_("cell left blank"),
    "dates_reversed": N_("taken as written"),
    "duplicate": N_("kept"),
    "sliver": N_("kept"),
}
_TYPES = {"row": "int64", "storeys": "Int64", "kept": "bool", "temporary": "bool"} | dict.fromkeys(
    ("footprint_m2", "floor_area_m2", "height_m"), "float64"
)
_REPAIRED, _DROPPED = N_("repaired"), N_("left out")
_WIDEST = 40  # characters of a permit's number in the table
_CELLS = ("unreadable_date", "unreadable_number")


def _number_of(permits: Permits) -> dict[int, str]:
    return {permit.row: permit.number for permit in permits.permits} | dict(permits.lost_numbers)


def _repaired(permits: Permits) -> int:
    """Return how many rows are kept with another outline than the one in the file."""
    return len({flaw.row for flaw in permits.bad_rows if flaw.kept and flaw.why not in _DONE})


def report_lines(permits: Permits) -> list[str]:
    """Return the flawed rows as a table: row, permit number, what is wrong, what was done."""
    if not permits.bad_rows:
        return []
    numbers = _number_of(permits)
    head = (_("row"), _("permit"), _("what is wrong"), _("what was done"))
    rows = [
        (
            str(flaw.row),
            (numbers.get(flaw.row) or "-")[:_WIDEST],
            flaw.detail,
            _(_DONE.get(flaw.why, _REPAIRED) if flaw.kept else _DROPPED),
        )
        for flaw in permits.bad_rows
    ]
    return even_columns([head, *rows])


def report_summary(permits: Permits) -> list[str]:
    """Return what was read of a layer and how, as sentences."""
    text = _(
        "{path}: {rows} rows read, {flawed} of them flawed: {repaired} repaired, {dropped} left"
        " out, {unplaced} of these without any place"
    )
    columns = ", ".join(f"{item} ({column})" for item, column in permits.columns)
    said = [
        text.format(
            path=permits.source,
            rows=permits.rows,
            flawed=len({flaw.row for flaw in permits.bad_rows}),
            repaired=_repaired(permits),
            dropped=permits.dropped,
            unplaced=permits.unplaced,
        ),
        _("columns recognised: {columns}").format(columns=columns or _("none")),
        _("columns not recognised: {columns}").format(
            columns=", ".join(permits.other_columns) or _("none")
        ),
        _("CRS {crs}, text {encoding}").format(
            crs=describe_crs(permits.crs), encoding=permits.encoding
        ),
    ]
    return [*said, *permits.assumptions]


def report_facts(permits: Permits) -> dict[str, Any]:
    """Return the report as JSON values."""
    numbers = _number_of(permits)
    return {
        "source": permits.layer if permits.digest else Path(permits.source).name,
        "layer": permits.layer,
        "crs": describe_crs(permits.crs),
        "encoding": permits.encoding,
        "rows": permits.rows,
        "read": len(permits.permits),
        "repaired": _repaired(permits),
        "dropped": permits.dropped,
        "unplaced": permits.unplaced,
        "columns": dict(permits.columns),
        "other_columns": list(permits.other_columns),
        "assumptions": list(permits.assumptions),
        "remarks": list(permits.remarks),
        "flawed_rows": [
            {
                "row": flaw.row,
                "number": numbers.get(flaw.row, ""),
                "why": flaw.why,
                "detail": flaw.detail,
                "kept": flaw.kept,
            }
            for flaw in permits.bad_rows
        ],
    }


def report_frames(permits: Permits) -> dict[str, gpd.GeoDataFrame]:
    """Return the layers ``flawed_rows`` and ``permits``, both of multipolygons.

    A flawed row that is kept has its outline, one that was left out the rectangle around its place,
    and no geometry where nothing is known of it.
    """
    numbers, outlines = _number_of(permits), {p.row: p.outline for p in permits.permits}
    flaws = [
        (flaw.row, numbers.get(flaw.row, ""), flaw.why, flaw.detail, flaw.kept)
        for flaw in permits.bad_rows
    ]
    places = [
        _many(outlines.get(flaw.row) if flaw.kept else flaw.where) for flaw in permits.bad_rows
    ]
    whys: dict[int, list[str]] = defaultdict(list)
    for flaw in permits.bad_rows:
        whys[flaw.row].append(flaw.why)
    rows = [
        (
            *(permit.row, permit.number, _iso(permit.granted), _iso(permit.valid_until)),
            *(permit.footprint_m2, permit.floor_area_m2, permit.storeys, permit.height_m),
            *(permit.holder, permit.use, permit.temporary, ";".join(whys.get(permit.row, []))),
        )
        for permit in permits.permits
    ]
    tables = {
        "flawed_rows": (_typed(flaws, FLAW_COLUMNS), places),
        "permits": (
            _typed(rows, PERMIT_COLUMNS),
            [_many(permit.outline) for permit in permits.permits],
        ),
    }
    return {
        name: gpd.GeoDataFrame(table, geometry=shapes, crs=permits.outline_crs)
        for name, (table, shapes) in tables.items()
    }


def _typed(rows: list[tuple[Any, ...]], columns: tuple[str, ...]) -> pd.DataFrame:
    """Return a table whose columns have their type even where they hold no value."""
    table = pd.DataFrame(rows, columns=[*columns])
    return table.astype({name: kind for name, kind in _TYPES.items() if name in columns})


def _iso(day: Any) -> str | None:
    return None if day is None else str(day.isoformat())


def _many(shape: BaseGeometry | None) -> BaseGeometry | None:
    """Return a geometry as a multipolygon, so that a layer holds one kind."""
    if shape is None or shape.is_empty:
        return None
    if shape.area == 0:
        shape = shapely.buffer(shape, _DOT_M / 2, quad_segs=4)
    return MultiPolygon(list(shapely.get_parts(shape)))


def _is_file(target: Path) -> bool:
    return target.suffix.lower() == ".gpkg"


def require_free_report(target: Path) -> None:
    """Refuse, before any work is done, a target that holds what we have not written.

    Parameters
    ----------
    target
        ``FILE.gpkg``, else a folder.

    Raises
    ------
    OutputError
        Something that is not ours lies there, or there is no folder to write to.
    """
    if _is_file(target) and not target.is_dir():
        require_free_file(target, record_beside(target))
        return
    if target.suffix.lower() in FILE_ENDINGS or (target.exists() and not target.is_dir()):
        raise OutputError(
            _("{path}: end the name in .gpkg for the layers, or name a folder").format(path=target)
        )
    require_free_folder(target, (_LAYERS,), _RECORD)


def write_report(permits: Permits, run: Run, target: Path) -> list[Path]:
    """Write the report to ``FILE.gpkg`` (with ``FILE.run.json``) or a folder; return the files.

    Raises
    ------
    OutputError
        The place holds what we have not written, or cannot be written.
    """
    require_free_report(target)
    frames, facts = report_frames(permits), report_facts(permits)

    def layers(path: Path) -> None:
        _write_layers(path, frames)

    if _is_file(target):
        beside = record_beside(target)
        record = run.record(outputs=[target.name], **facts)
        write_all(target.parent, {target.name: layers, beside.name: record_writer(record)})
        return [target, beside]
    record = run.record(outputs=[_LAYERS, _RECORD], **facts)
    write_folder(target, {_LAYERS: layers, _RECORD: record_writer(record)})
    return [target / _LAYERS, target / _RECORD]


def _write_layers(path: Path, frames: dict[str, gpd.GeoDataFrame]) -> None:
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _STAMP})
    try:
        for name, frame in frames.items():
            pyogrio.write_dataframe(
                frame,
                path,
                layer=name,
                driver="GPKG",
                append=path.exists(),
                geometry_type="MultiPolygon",
            )
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
