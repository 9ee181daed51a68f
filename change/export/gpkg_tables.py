"""The layers of ``results.gpkg``: what a run found, as tables with typed columns. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from change.dispatch import Districts
from change.districts.layer import DistrictLayer
from change.export.geojson import (
    COLUMNS,
    EXCESS_COLUMNS,
    EXCLUDED_COLUMNS,
    excess_frame,
    excluded_frame,
    suspects_frame,
)
from change.export.permit_report import FLAW_COLUMNS, PERMIT_COLUMNS, report_frames
from change.export.tie_layers import TIE_COLUMNS, tie_frames
from change.fieldwork import ANSWERS, FIELD_COLUMNS
from change.inventory_result import InventoryResult
from change.permits import Permits
from change.result import Compared, Result
from survey.alignment import Alignment
from survey.grid import Bounds, WorkingGrid

__all__ = ["KINDS", "Table", "column_kind", "inventory_tables", "result_tables", "suspect_table"]

KINDS = ("text", "number", "whole", "flag", "day")
"""What a column holds; a flag is true or false, a day has no time."""

_CASE_COLUMNS = ("case_id", "uid")
_SUSPECT_COLUMNS = ("number", *COLUMNS, *_CASE_COLUMNS, *FIELD_COLUMNS)
_DISTRICT_COLUMNS, _CELL_COLUMNS = ("level", "code", "name"), ("code", "township")
_GROUND_COLUMNS, _RUN_COLUMNS = ("judged_m2", "excluded_m2"), ("key", "value")
# A city's permits are left out where nobody looked: farther from the flights than this, m.
_AROUND_M = 200.0

_NUMBERS = (
    *("score", "severity", "permit_cover", "strength", "seen", "high_share", "likely", "green"),
)
_NUMBER_ENDS = ("_m2", "_m")
_WHOLE, _FLAGS = ("row", "storeys"), ("kept", "temporary", "used", "expired")
_DAYS = ("granted", "valid_until", "deadline")
# Days of flights are part of the identity of a suspect and stay as the GeoJSON has them.
_DAY_END = "_on"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One layer."""

    name: str
    """What it is called in the file."""
    geometry: str | None
    """``Point``, ``Polygon`` or ``MultiPolygon``; None for a table without geometry."""
    kinds: Mapping[str, str]
    """The columns in order, each with one of ``KINDS``."""
    cells: Mapping[str, Sequence[Any]]
    """The values of each column; None where there is none. Days are ISO 8601."""
    shapes: Sequence[BaseGeometry | None] = ()
    """The geometries in the area's CRS, one for each row; empty without geometry."""

    def __post_init__(self) -> None:
        lengths = {len(self.cells[name]) for name in self.kinds}
        if self.geometry is not None:
            lengths.add(len(self.shapes))
        if len(lengths) != 1 or not set(self.kinds.values()) <= set(KINDS):
            raise ValueError(f"{self.name}: columns of {sorted(lengths)} rows, {self.kinds}")

    @property
    def rows(self) -> int:
        """How many."""
        return len(next(iter(self.cells.values())))


def column_kind(name: str) -> str:
    """Return what a column holds, by its name.

    Examples
    --------
    >>> [column_kind(name) for name in ("area_m2", "inspected_on", "storeys", "used", "remark")]
    ['number', 'day', 'whole', 'flag', 'text']
    """
    if name in _WHOLE:
        return "whole"
    if name in _FLAGS:
        return "flag"
    if name in _DAYS or name.endswith(_DAY_END):
        return "day"
    return "number" if name in _NUMBERS or name.endswith(_NUMBER_ENDS) else "text"


def result_tables(result: Result) -> tuple[Table, ...]:
    """Return what a comparison found, layer by layer; every layer is there, empty or not.

    ``suspects`` has columns for the field teams beside those of ``suspects.geojson``, and ``uid``,
    by which what they bring back finds its suspect; ``changes`` is what calls for no inspection.
    """
    others = [item for item in result.compared if not item.suspicious]
    return (
        suspect_table(suspects_frame(result.suspects, result), result.run.id),
        _frame_table("changes", "Polygon", COLUMNS, suspects_frame(others, result)),
        *_shared_tables(result, result.detection.judged_m2, result.pair.grid),
        _tie_table(result.pair.alignment, result),
        _run_table(result),
    )


def inventory_tables(result: InventoryResult, empty: gpd.GeoDataFrame) -> tuple[Table, ...]:
    """Return what an inventory found, layer by layer; every layer is there, empty or not.

    Parameters
    ----------
    result
        What was found; ``suspects`` is what stands and no permit explains, ``standing`` the rest.
    empty
        The permits with nothing built on them, as ``change.export.inventory_folder.empty_frame``
        returns them.
    """
    others = [item for item in result.compared if not item.suspicious]
    permits = empty.set_geometry([_many(shape) for shape in empty.geometry])
    columns = [str(name) for name in empty.columns if name != empty.geometry.name]
    return (
        suspect_table(suspects_frame(result.suspects, result), result.run.id),
        _frame_table("standing", "Polygon", COLUMNS, suspects_frame(others, result)),
        _frame_table("empty_permits", "MultiPolygon", columns, permits),
        *_shared_tables(result, result.stock.judged_m2, result.grid),
        _run_table(result),
    )


def suspect_table(frame: gpd.GeoDataFrame, run_id: str) -> Table:
    """Return the layer ``suspects``, with columns for the field teams to fill in.

    Parameters
    ----------
    frame
        As ``change.export.geojson.suspects_frame`` returns it, the most severe first.
    run_id
        Id of the run.
    """
    table = _frame_table("suspects", "Polygon", COLUMNS, frame)
    count = table.rows
    cells = dict(table.cells) | dict.fromkeys((*_CASE_COLUMNS, *FIELD_COLUMNS), [None] * count)
    cells["number"] = list(range(1, count + 1))
    cells["uid"] = [f"{run_id}-{name}" for name in cells["id"]]
    cells["answer"] = [ANSWERS[0]] * count
    kinds = {name: column_kind(name) for name in _SUSPECT_COLUMNS} | {"number": "whole"}
    return replace(table, kinds=kinds, cells=cells)


def _frame_table(
    name: str, geometry: str, columns: Sequence[str], frame: gpd.GeoDataFrame
) -> Table:
    return Table(
        name=name,
        geometry=geometry,
        kinds={column: column_kind(column) for column in columns},
        cells={column: _plain(frame[column]) for column in columns},
        shapes=list(frame.geometry),
    )


def _plain(column: "pd.Series[Any]") -> list[Any]:
    """Return a column's values, None where there is none."""
    return column.astype(object).where(column.notna(), None).tolist()


def _shared_tables(
    result: Result | InventoryResult, judged_m2: float, grid: WorkingGrid
) -> Iterator[Table]:
    """Yield the layers that every kind of run has."""
    excess, excluded = excess_frame(result.compared, result), excluded_frame(result)
    bounds = grid.bounds
    ground: BaseGeometry = shapely.box(bounds.left, bounds.bottom, bounds.right, bounds.top)
    yield _frame_table("excess", "MultiPolygon", EXCESS_COLUMNS, excess)
    yield _frame_table("excluded", "Polygon", EXCLUDED_COLUMNS, excluded)
    yield from _permit_tables(result.permits, ground)
    yield _district_table(result.districts, ground)
    yield _cell_table(result.districts, bounds)
    if result.within is not None:
        ground = ground.intersection(result.within)
    left_out = sum(item.outline.area for item in result.excluded)
    yield _rows_table(
        "ground", _GROUND_COLUMNS, [(round(judged_m2, 1), round(left_out, 1), ground)]
    )


def _rows_table(name: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> Table:
    """Return a layer of multipolygons; each row ends with its geometry."""
    return Table(
        name=name,
        geometry="MultiPolygon",
        kinds={column: column_kind(column) for column in columns},
        cells={column: [row[i] for row in rows] for i, column in enumerate(columns)},
        shapes=[_many(row[-1]) for row in rows],
    )


def _many(shape: BaseGeometry | None) -> MultiPolygon:
    """Return the areas of a geometry, so that a layer holds one kind."""
    parts = [] if shape is None else shapely.get_parts(shape).tolist()
    return MultiPolygon([part for part in parts if isinstance(part, Polygon)])


def _permit_tables(permits: Permits | None, ground: BaseGeometry) -> Iterator[Table]:
    """Yield the permits near the ground with what was wrong with them, and the flawed rows."""
    columns = {"permits": PERMIT_COLUMNS, "flawed_rows": FLAW_COLUMNS}
    if permits is None:
        for name, names in columns.items():
            yield _rows_table(name, names, [])
        return
    frames = report_frames(permits)
    near = ground.buffer(_AROUND_M, join_style="mitre")
    for name, names in columns.items():
        frame = frames[name]
        # A row without a place may lie here as well as anywhere.
        here = frame.geometry.isna() | frame.geometry.intersects(near)
        yield _frame_table(name, "MultiPolygon", names, frame[here])


def _district_table(districts: Districts | None, ground: BaseGeometry) -> Table:
    rows: list[tuple[Any, ...]] = []
    if districts is not None:
        layers = [districts.townships, districts.communities]
        rows = [row for layer in layers if layer is not None for row in _near(layer, ground)]
    return _rows_table("districts", _DISTRICT_COLUMNS, rows)


def _cell_table(districts: Districts | None, bounds: Bounds) -> Table:
    rows: list[tuple[Any, ...]] = []
    if districts is not None:
        found = districts.cells(bounds)
        rows = list(zip(found["code"], found["township"], found.geometry, strict=True))
    return _rows_table("cells", _CELL_COLUMNS, rows)


def _near(layer: DistrictLayer, ground: BaseGeometry) -> Iterator[tuple[Any, ...]]:
    """Yield the districts of one level that touch the ground."""
    owners = {int(layer.owner[part]) for part in layer.tree.query(ground, "intersects")}
    for owner in sorted(owners):
        item = layer.districts[owner]
        yield layer.level, item.code, item.name, shapely.union_all(layer.parts_of(owner))


def _tie_table(alignment: Alignment, result: Compared) -> Table:
    return _frame_table("ties", "Point", TIE_COLUMNS, tie_frames(alignment, result.crs)["ties"])


def _run_table(result: Result | InventoryResult) -> Table:
    """Return the run's record, as far as every repetition of the run has the same."""
    run = result.run
    told = {
        "run_id": run.id,
        "generator": "orthowatch",
        "version": run.version,
        "inputs": {f"{item.role}:{item.name}": item.sha256 for item in run.inputs},
        "options": dict(run.options),
        **result.facts,
        "assumptions": list(result.assumptions),
    }
    rows = [row for key, value in told.items() for row in _told(key, value)]
    return Table(
        name="run",
        geometry=None,
        kinds=dict.fromkeys(_RUN_COLUMNS, "text"),
        cells={name: [row[i] for row in rows] for i, name in enumerate(_RUN_COLUMNS)},
    )


def _told(key: str, value: Any) -> Iterator[tuple[str, str | None]]:
    """Yield (key, text) of a fact; what stands inside another gets a dotted key."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _told(f"{key}.{name}", inner)
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value, start=1):
            yield from _told(f"{key}.{number}", inner)
    else:
        text = value if isinstance(value, str) or value is None else json.dumps(value, default=str)
        yield key, text
