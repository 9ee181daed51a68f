"""What is exactly true of a simulated area: expected changes, tables, and one JSON document."""

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from shapely import box, contains_xy
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from survey.simulation.drafting.faces import Where, compare
from survey.simulation.flights import AreaPlan
from survey.simulation.painting.terrain import ground_level, ground_levels
from survey.simulation.scene import PlannedPermit, Scene, Structure

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
_LOSSES = ("removed", "partly_removed")
_LEAST_M2 = 1.0  # less than this is the rim of what was built on a cleared outline
_GROUND_M = 0.5  # step at which the ground under an outline is looked at; it bends over metres


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedChange:
    """What a perfect comparison of two flights would say about one structure."""

    structure: int
    """Number of the structure."""
    kind: str
    """Slug of `kind`."""
    reason: str
    """Relation to the permits, a slug of `reason`; `as_permitted`, `removed_permitted` and
    `removed_unpermitted` are no suspects."""
    outline: BaseGeometry
    """What appeared, grew or went, local metres."""
    height_gain_m: float
    """Height gained there, metres: the median over the outline, with sloping roofs at their mean
    height and open ground as it slopes; negative where it went."""
    top_gain_m: float
    """Height gained from highest point to highest point, metres."""
    permit_number: str | None
    """Number of the structure's permit."""
    excess_m2: float
    """Outline at the later flight that lies outside the permit, m2; all of it without one."""
    excess_height_m: float
    """Height at the later flight above the permitted one, metres; 0 without a permit."""
    replaces: int | None
    """Number of the structure that stood here before and was cleared, if any."""


def changes_between(scene: Scene, before: int, after: int) -> tuple[ExpectedChange, ...]:
    """List what changed between two flights.

    Where a structure was cleared and another built on its ground between the two flights, the new
    one is listed with all that differs from the old one in height, and the old one with what it
    left open. A new one of the same outline and height is no change: no flight can tell.

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
        In the order of structure numbers; where one was torn down in part and grew elsewhere, its
        growth and its loss one after the other.
    """
    permits = {permit.number: permit for permit in scene.permits}
    heirs = {item.replaces: item for item in scene.structures if item.replaces}
    numbered = {item.number: item for item in scene.structures}
    found: list[ExpectedChange] = []
    for structure in scene.structures:
        if structure.parts_at(before) == structure.parts_at(after):
            continue
        found += _expect(
            scene,
            structure,
            (before, after),
            permits.get(structure.permit_number or ""),
            forebear=numbered.get(structure.replaces or 0),
            heir=heirs.get(structure.number),
        )
    return tuple(found)


def _expect(
    scene: Scene,
    structure: Structure,
    pair: tuple[int, int],
    permit: PlannedPermit | None,
    *,
    forebear: Structure | None,
    heir: Structure | None,
) -> list[ExpectedChange]:
    """Say what a perfect comparison finds at one structure."""
    before, after = pair
    old, new = structure.parts_at(before), structure.parts_at(after)
    was = became = structure
    if not old and forebear is not None and forebear.parts_at(before):
        was = forebear
        found = {"risen": compare(forebear.parts_at(before), new, where="built")}
    elif not new and heir is not None and heir.parts_at(after):
        became = heir
        found = {"sunk": compare(old, heir.parts_at(after), where="open")}
    else:
        ways: tuple[Where, Where] = ("risen", "sunk")
        found = {way: compare(old, new, where=way) for way in ways}
    now = structure.outline_at(after)
    taller_m = structure.height_at(after) - permit.height_m if permit else 0.0
    changes = []
    for way, difference in found.items():
        if difference is None or difference.outline.area < _LEAST_M2:
            continue
        kind, reason = _name(structure, pair, sunk=way == "sunk")
        shape = difference.outline
        feet_m = _feet(scene, shape, after, became) - _feet(scene, shape, before, was)
        changes.append(
            ExpectedChange(
                structure=structure.number,
                kind=kind,
                reason=reason,
                outline=difference.outline,
                height_gain_m=round(difference.gain_m + float(np.median(feet_m)), 3),
                top_gain_m=round(difference.top_gain_m, 3),
                permit_number=structure.permit_number,
                excess_m2=round(now.difference(permit.outline).area if permit else now.area, 3),
                excess_height_m=round(max(0.0, taller_m), 3),
                replaces=structure.replaces,
            )
        )
    return changes


def _feet(
    scene: Scene, outline: BaseGeometry, flight: int, structure: Structure
) -> npt.NDArray[np.float64]:
    """Give the ground from which a structure's heights count, or open ground, over an outline."""
    west, south, east, north = outline.bounds
    columns, rows = np.meshgrid(
        np.arange(west, east, _GROUND_M) + _GROUND_M / 2,
        np.arange(south, north, _GROUND_M) + _GROUND_M / 2,
    )
    inside, spot = contains_xy(outline, columns, rows), outline.representative_point()
    x, y = np.append(columns[inside], spot.x), np.append(rows[inside], spot.y)
    built = contains_xy(structure.outline_at(flight), x, y)
    level_m = ground_level(structure.foot, scene.terrain, scene.seed)
    return np.where(built, level_m, ground_levels(x, y, scene.terrain, scene.seed))


def _name(structure: Structure, pair: tuple[int, int], *, sunk: bool) -> tuple[str, str]:
    """Name a change and its relation to the permits.

    What is new is called after what it is, whatever was added since; where it has grown since, it
    exceeds its permit.
    """
    before, after = pair
    since = [state for state in structure.states if before < state.flight <= after]
    losses = [state for state in since if state.kind in _LOSSES]
    if sunk and losses:
        whole = not structure.parts_at(after)
        return "removed" if whole else "partly_removed", losses[-1].reason
    gains = [state for state in since if state.kind not in _LOSSES] or since
    kind, reason = gains[-1].kind, gains[-1].reason
    if structure.parts_at(before):
        return kind, reason
    first = gains[0]
    named = [state.kind for state in gains if state.kind in ("building", "shed")]
    if reason == "grown_beyond_permit":
        reason = "exceeds_permit" if first.reason == "as_permitted" else first.reason
    return named[-1] if named else kind, reason


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
    names = ["number", "holder", "granted", "valid_until", "footprint_m2", "storeys", "height_m",
             "use", "geometry"]  # fmt: skip
    frame = pd.DataFrame(rows, columns=names)
    for name in ("granted", "valid_until"):
        frame[name] = pd.to_datetime(frame[name])
    return gpd.GeoDataFrame(frame, geometry="geometry", crs=plan.crs)


def tabulate_structures(plan: AreaPlan, scene: Scene) -> gpd.GeoDataFrame:
    """Lay out every structure at every flight that sees it, true positions in the area's CRS."""
    rows = [
        _describe(structure, flight, scene, plan.dates)
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
        "before", "after", "structure", "kind", "reason", "permit_number", "area_m2",
        "height_gain_m", "top_gain_m", "excess_m2", "excess_height_m", "replaces", "geometry",
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns)
    frame["replaces"] = frame["replaces"].astype("Int64")
    return gpd.GeoDataFrame(frame, geometry="geometry", crs=plan.crs)


def _pairs(flights: int) -> list[tuple[int, int]]:
    return [(before, after) for before in range(flights) for after in range(before + 1, flights)]


def _first(structure: Structure, kinds: tuple[str, ...]) -> int | None:
    flights = [s.flight for s in structure.states if s.kind in kinds and s.flight > 0]
    return flights[0] if flights else None


def _days(structure: Structure, dates: tuple[dt.date, ...]) -> dict[str, str | None]:
    """Give the days of the flights between which a structure appeared and vanished, ISO."""
    first, gone = structure.states[0].flight, _first(structure, ("removed",))
    return {
        "appeared_after": dates[first - 1].isoformat() if first else None,
        "appeared_by": dates[first].isoformat(),
        "vanished_after": dates[gone - 1].isoformat() if gone else None,
        "vanished_by": dates[gone].isoformat() if gone else None,
    }


def _describe(
    structure: Structure, flight: int, scene: Scene, dates: tuple[dt.date, ...]
) -> dict[str, Any]:
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
        "ground_m": round(ground_level(structure.foot, scene.terrain, scene.seed), 3),
        "storeys": max((part.storeys for part in parts), default=0),
        "roof": parts[0].roof if parts else None,
        "permit_number": structure.permit_number,
        "replaces": structure.replaces,
        # What appears may come as a site, and what stands from the start is no news.
        "appears": structure.states[0].flight or None,
        "grows": _first(structure, ("annex", "roof_addition", "storey")),
        "vanishes": _first(structure, ("removed",)),
        **_days(structure, dates),
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
            _describe(structure, flight, scene, plan.dates)
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
