"""What is exactly true of a simulated area, as tables and as one JSON document."""

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

import geopandas as gpd
import pandas as pd
from shapely import box, unary_union
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from survey.simulation.flights import AreaPlan
from survey.simulation.ground import ground_level
from survey.simulation.scene import Scene, Structure

__all__ = [
    "ExpectedChange",
    "changes_between",
    "describe_truth",
    "tabulate_cells",
    "tabulate_changes",
    "tabulate_permits",
    "tabulate_structures",
    "tabulate_townships",
]

_CELL_M = 100.0  # unit grids of 10 000 m2, as in Jiangmen
# Six digits that GB/T 2260 gives to no district, so that no real office is named.
_DISTRICT = "449901"
_COMMUNITY = "001"
_TOWNSHIPS = ("Shangyuan", "Xiayuan")
_SAME_M2 = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedChange:
    """What a perfect comparison of two flights would say about one structure."""

    structure: int
    """Number of the structure."""
    kind: str
    """Slug of `kind`."""
    reason: str
    """Slug of `reason`; `as_permitted` and `removed_permitted` are no suspects."""
    outline: BaseGeometry
    """What appeared, grew or went, local metres."""
    height_gain_m: float
    """Height gained there, metres; negative where it went."""
    permit_number: str | None
    """Number of the structure's permit."""
    excess_m2: float
    """Outline at the later flight that lies outside the permit, m2; all of it without one."""


def changes_between(scene: Scene, before: int, after: int) -> tuple[ExpectedChange, ...]:
    """List what changed between two flights.

    Parameters
    ----------
    scene
        The area.
    before
        Index of the earlier flight.
    after
        Index of the later flight.

    Returns
    -------
    tuple of ExpectedChange
        In the order of structure numbers.
    """
    permits = {permit.number: permit.outline for permit in scene.permits}
    found = []
    for structure in scene.structures:
        if structure.parts_at(before) == structure.parts_at(after):
            continue
        outline, gain_m = _changed(structure, before, after)
        state = structure.state_at(after) or structure.states[0]
        if not structure.parts_at(before):
            state = structure.states[0]
        allowed = permits.get(structure.permit_number or "")
        now = structure.outline_at(after)
        found.append(
            ExpectedChange(
                structure=structure.number,
                kind=state.kind,
                reason=state.reason,
                outline=outline,
                height_gain_m=round(gain_m, 3),
                permit_number=structure.permit_number,
                excess_m2=round(now.difference(allowed).area if allowed else now.area, 3),
            )
        )
    return tuple(found)


def _changed(structure: Structure, before: int, after: int) -> tuple[BaseGeometry, float]:
    """Give where a structure changed, and by what height."""
    old, new = structure.outline_at(before), structure.outline_at(after)
    if old.is_empty or new.is_empty:
        return unary_union([old, new]), structure.height_at(after) - structure.height_at(before)
    added = [part for part in structure.parts_at(after) if part not in structure.parts_at(before)]
    grown = new.difference(old)
    if grown.area > _SAME_M2:
        return grown, max(part.top_m for part in added)
    top = max(added, key=lambda part: part.top_m)
    return top.outline(), structure.height_at(after) - structure.height_at(before)


def _place(outline: BaseGeometry, plan: AreaPlan) -> BaseGeometry:
    return translate(outline, plan.west_m, plan.south_m)


def _table(rows: list[dict[str, Any]], crs: str) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(rows, geometry="geometry", crs=crs)


def tabulate_permits(plan: AreaPlan, scene: Scene) -> gpd.GeoDataFrame:
    """Lay out the permit layer, in the area's CRS."""
    rows = [
        {
            "number": permit.number,
            "holder": permit.holder,
            "granted": permit.granted,
            "valid_until": permit.valid_until,
            "footprint_m2": round(permit.outline.area, 1),
            "storeys": permit.storeys,
            "height_m": permit.height_m,
            "use": permit.use,
            "geometry": _place(permit.outline, plan),
        }
        for permit in scene.permits
    ]
    table = _table(rows, plan.crs)
    for name in ("granted", "valid_until"):
        table[name] = pd.to_datetime(table[name])
    return table


def tabulate_structures(plan: AreaPlan, scene: Scene) -> gpd.GeoDataFrame:
    """Lay out every structure at every flight that sees it, true positions in the area's CRS."""
    rows = [
        _describe(structure, flight, scene)
        | {
            "flown_on": plan.dates[flight].isoformat(),
            "geometry": _place(structure.outline_at(flight), plan),
        }
        for flight in range(len(plan.flights))
        for structure in scene.structures
        if structure.parts_at(flight)
    ]
    return _table(rows, plan.crs)


def tabulate_changes(plan: AreaPlan, scene: Scene) -> gpd.GeoDataFrame:
    """Lay out the expected changes of every pair of flights, true positions in the area's CRS."""
    rows = [
        asdict(change)
        | {
            "before": before,
            "after": after,
            "area_m2": round(change.outline.area, 3),
            "geometry": _place(change.outline, plan),
        }
        for before, after in _pairs(len(plan.flights))
        for change in changes_between(scene, before, after)
    ]
    columns = [
        "before", "after", "structure", "kind", "reason", "permit_number",
        "area_m2", "height_gain_m", "excess_m2", "geometry",
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns)
    return gpd.GeoDataFrame(frame, geometry="geometry", crs=plan.crs)


def _pairs(flights: int) -> list[tuple[int, int]]:
    return [(before, after) for before in range(flights) for after in range(before + 1, flights)]


def _first(structure: Structure, kinds: tuple[str, ...]) -> int | None:
    flights = [s.flight for s in structure.states if s.kind in kinds and s.flight > 0]
    return flights[0] if flights else None


def _describe(structure: Structure, flight: int, scene: Scene) -> dict[str, Any]:
    """Describe a structure as one flight sees it, without its outline."""
    state = structure.state_at(flight)
    parts = structure.parts_at(flight)
    return {
        "structure": structure.number,
        "flight": flight,
        "kind": structure.states[0].kind,
        "use": structure.use,
        "change": state.kind if state else None,
        "reason": state.reason if state else None,
        "area_m2": round(structure.outline_at(flight).area, 3),
        "height_m": round(structure.height_at(flight), 3),
        "ground_m": round(ground_level(structure.foot, scene.seed), 3),
        "storeys": max((part.storeys for part in parts), default=0),
        "roof": parts[0].roof if parts else None,
        "permit_number": structure.permit_number,
        "appears": _first(structure, ("building", "shed")),
        "grows": _first(structure, ("annex", "roof_addition", "storey")),
        "vanishes": _first(structure, ("removed",)),
    }


def tabulate_townships(plan: AreaPlan) -> gpd.GeoDataFrame:
    """Lay out two townships side by side, in the area's CRS."""
    columns, rows = _cells_across(plan)
    middle, top = -(-columns // 2) * _CELL_M, rows * _CELL_M
    shapes = (box(0.0, 0.0, middle, top), box(middle, 0.0, columns * _CELL_M, top))
    return _table(
        [
            {"code": _street(index), "name": name, "geometry": _place(shape, plan)}
            for index, (name, shape) in enumerate(zip(_TOWNSHIPS, shapes, strict=True))
        ],
        plan.crs,
    )


def _street(index: int) -> str:
    return f"{_DISTRICT}{index + 1:03d}"


def _cells_across(plan: AreaPlan) -> tuple[int, int]:
    count = max(1, -int(-plan.side_m // _CELL_M))
    return max(2, count), count


def tabulate_cells(plan: AreaPlan) -> gpd.GeoDataFrame:
    """Lay out unit-grid cells, serials west to east and then north to south in each township."""
    columns, rows = _cells_across(plan)
    middle = -(-columns // 2)
    table, serials = [], [0, 0]
    for row in range(rows):
        for column in range(columns):
            side = int(column >= middle)
            serials[side] += 1
            west, north = column * _CELL_M, (rows - row) * _CELL_M
            cell = box(west, north - _CELL_M, west + _CELL_M, north)
            table.append(
                {
                    "code": f"{_street(side)}{_COMMUNITY}{serials[side]:03d}",
                    "township": _TOWNSHIPS[side],
                    "geometry": _place(cell, plan),
                }
            )
    return _table(table, plan.crs)


def describe_truth(plan: AreaPlan, scene: Scene) -> dict[str, Any]:
    """Describe flights, structures and expected changes for `truth.json`.

    Parameters
    ----------
    plan
        The area.
    scene
        What is there.

    Returns
    -------
    dict
        `area` (the plan without flights), `flights` (one `FlightPlan` each, as fields),
        `structures` (one entry per structure and flight, also where nothing stands), `changes`
        (one entry per pair of flights).
    """
    facts = asdict(plan)
    flights = facts.pop("flights")
    for flight in flights:
        moment: dt.datetime = flight["flown_at"]
        flight["flown_on"], flight["flown_at"] = moment.date().isoformat(), moment.isoformat()
    count = len(plan.flights)
    return {
        "area": facts,
        "flights": flights,
        "structures": [
            _describe(structure, flight, scene)
            for structure in scene.structures
            for flight in range(count)
        ],
        "changes": [
            {
                "before": before,
                "after": after,
                "expected": [
                    {name: value for name, value in asdict(change).items() if name != "outline"}
                    | {"area_m2": round(change.outline.area, 3)}
                    for change in changes_between(scene, before, after)
                ],
            }
            for before, after in _pairs(count)
        ],
    }
