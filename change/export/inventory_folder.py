"""An inventory on disk: the suspicious stock alone, or a folder that holds everything."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from change.export.bundle import is_file, record_path, require_free
from change.export.chips import View
from change.export.folder import write_folder
from change.export.geojson import excess_frame, excluded_frame, suspects_frame, write_geojson
from change.export.gpkg_tables import inventory_tables
from change.export.inspected import filled_writer
from change.export.qgis import dress_inventory
from change.export.shown import SHOWN, Shown, report_writer, shown_writers
from change.inventory_result import EmptyPermit, InventoryResult
from survey.runs import Write, record_writer, write_all

__all__ = ["EMPTY_COLUMNS", "empty_frame", "require_free_inventory", "write_inventory"]

EMPTY_COLUMNS = (
    "permit_number",
    "holder",
    "use",
    "granted",
    "valid_until",
    "expired",
    "area_m2",
    "seen",
    "height_m",
    "high_share",
    "likely",
    "green",
    "flown_on",
    "run_id",
)
"""Columns of ``empty_permits.geojson``, in this order."""

_FILES = (
    "stock.geojson",
    "standing.geojson",
    "excess.geojson",
    "empty_permits.geojson",
    "excluded.geojson",
)
_RECORD = "run.json"


def require_free_inventory(target: Path) -> None:
    """Refuse, before any work is done, a target that holds what we have not written.

    Raises
    ------
    OutputError
        Something that is not ours lies there, or there is no folder to write to.
    """
    require_free(target, (*_FILES, *SHOWN))


def write_inventory(result: InventoryResult, target: Path) -> list[Path]:
    """Write an inventory to a ``.geojson`` file or a folder and return what was written.

    Raises
    ------
    OutputError
        The place cannot be written.
    """
    require_free_inventory(target)
    stock = suspects_frame(result.suspects, result)
    if is_file(target):
        record = record_path(target)
        beside: dict[str, Write] = {
            target.name: lambda path: write_geojson(stock, path),
            record.name: record_writer(_record(result, [target.name])),
        }
        write_all(target.parent, beside)
        return [target, record]
    empty = empty_frame(result.empty, result)
    frames = (
        stock,
        suspects_frame(result.compared, result),
        excess_frame(result.compared, result),
        empty,
        excluded_frame(result),
    )
    told = _record(result, [])
    writers: dict[str, Write] = {
        name: _writer(frame) for name, frame in zip(_FILES, frames, strict=True)
    }
    writers |= shown_writers(_shown(result, empty), told)
    writers |= report_writer(result, told, lambda _folder: ())
    told["outputs"] = list(writers)
    # The record comes last: where it stands, everything it names stands too.
    writers[_RECORD] = filled_writer(told)
    write_folder(target, writers)
    return [target / name for name in writers]


def _shown(result: InventoryResult, empty: gpd.GeoDataFrame) -> Shown:
    tables = inventory_tables(result, empty)
    return Shown(
        result=result,
        views=(View(role="before", flight=result.flight),),
        grid=result.grid,
        tables=tables,
        dress=dress_inventory(result, tables),
        profiles={},
    )


def _writer(frame: gpd.GeoDataFrame) -> Write:
    return lambda path: write_geojson(frame, path)


def empty_frame(items: Sequence[EmptyPermit], result: InventoryResult) -> gpd.GeoDataFrame:
    """Return the permits with nothing built on them as a table in the area's projected CRS."""
    day = result.flight.flown_on
    rows = [
        {
            "permit_number": item.permit.number,
            "holder": item.permit.holder,
            "use": item.permit.use,
            "granted": item.permit.granted.isoformat() if item.permit.granted else None,
            "valid_until": item.permit.valid_until.isoformat() if item.permit.valid_until else None,
            "expired": _expired(item, result),
            "area_m2": round(item.permit.outline.area, 1),
            "seen": item.seen,
            "height_m": item.told.height_m,
            "high_share": item.told.high_share,
            "likely": item.told.likely,
            "green": item.told.green,
            "flown_on": day.isoformat() if day else None,
            "run_id": result.run.id,
        }
        for item in items
    ]
    frame = pd.DataFrame(rows, columns=list(EMPTY_COLUMNS))
    for name in ("area_m2", "seen", "height_m", "high_share", "likely", "green"):
        frame[name] = frame[name].astype("float64")
    shapes = [item.permit.outline for item in items]
    return gpd.GeoDataFrame(frame, geometry=shapes, crs=result.crs)


def _expired(item: EmptyPermit, result: InventoryResult) -> bool | None:
    """Whether the permit had run out on the day of the flight; None where a day is unknown."""
    until, day = item.permit.valid_until, result.flight.flown_on
    return None if until is None or day is None else until < day


def _record(result: InventoryResult, outputs: list[str]) -> dict[str, Any]:
    return result.run.record(
        outputs=outputs,
        assumptions=list(result.assumptions),
        suspects=len(result.suspects),
        suspects_m2=round(sum(item.change.area_m2 for item in result.suspects), 1),
        standing=len(result.compared),
        standing_m2=round(sum(item.change.area_m2 for item in result.compared), 1),
        empty_permits=len(result.empty),
        judged_m2=round(result.stock.judged_m2, 1),
        evidence={item.change.id: dict(item.change.evidence) for item in result.compared},
        excluded_m2=round(sum(item.outline.area for item in result.stock.excluded), 1),
        **result.facts,
    )
