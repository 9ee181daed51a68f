"""Permits drawn from the truth with the dirt real ones have, and an exact log of it. Pure.

A row may stand for several permits (neighbours thrown together) and a permit may have several rows
(doubled); a `Fate` says for each permit what the layer still tells of it.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from survey.crs import epsg_code, transformer, zone_prefixed_twin
from survey.simulation.permits.permit_cells import COLUMNS, Cells
from survey.simulation.permits.permit_damage import encode_outline, read_outline
from survey.simulation.permits.permit_dirt import Coordinates, Dirt, PlaceDirt
from survey.simulation.permits.permit_fates import Deed, Fate
from survey.simulation.permits.permit_rows import (
    Row,
    damage_rows,
    finish_rows,
    rearrange_rows,
    soil_rows,
)

__all__ = ["Soiled", "soil_permits"]

_DATES = ("granted", "valid_until")
_Dates: TypeAlias = dict[str, dt.date | None]
_Outlines: TypeAlias = dict[str, BaseGeometry]
_STATED: dict[Coordinates, str] = {
    "stated": "own",
    "esri": "own",
    "prefixed": "twin",
    "prefixed_as_plain": "own",
    "degrees": "degrees",
    "wrong_zone": "neighbour",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Soiled:
    """A permit layer as it will be written, and the truth about it."""

    table: pd.DataFrame
    """Cells as written, one row each, columns named as written; plain Python values or None."""
    outlines: tuple[bytes | None, ...]
    """WKB of each row, in the coordinates of the file."""
    crs: str | None
    """CRS the file states, as WKT or ``EPSG:n``; None for none."""
    dirt: Dirt
    """What was asked for."""
    deeds: tuple[Deed, ...]
    """What was done, the layer as a whole first."""
    fates: tuple[Fate, ...]
    """What became of each permit, in the order of the truth."""

    def fate_of(self, number: str) -> Fate:
        """Give what became of a permit, by its true number."""
        return next(fate for fate in self.fates if fate.number == number)


def soil_permits(table: gpd.GeoDataFrame, dirt: Dirt, rng: np.random.Generator) -> Soiled:
    """Draw a permit layer with dirt.

    Parameters
    ----------
    table
        The true permits, as `survey.simulation.truth.tabulate_permits` lays them out, in a CGCS2000
        3-degree CRS without zone number.
    dirt
        What to do to it.
    rng
        Source of chance.

    Raises
    ------
    ValueError
        If the table is in another CRS and the dirt needs a neighbour or twin of it, or if two
        permits have one number.
    """
    if not table["number"].is_unique:
        raise ValueError("two true permits have one number")
    own = CRS.from_user_input(table.crs)
    true = dict(zip(table["number"], table.geometry, strict=True))
    moved = _moved(true, dirt.place, rng)
    rows = [
        Row(
            numbers=(cells["number"],),
            cells=cells,
            outline=moved[cells["number"]],
            dates={name: cells[name] for name in _DATES},
        )
        for cells in _cells(table)
    ]
    dates = {row.numbers[0]: dict(row.dates) for row in rows}
    rows, gone = rearrange_rows(rows, dirt, rng)
    damage_rows(rows, dirt, rng)
    soil_rows(rows, dirt, rng)
    finish_rows(rows, dirt, rng)
    return Soiled(
        table=_table(rows, COLUMNS[dirt.cells.names]),
        outlines=_encoded(rows, own, dirt.file.coordinates),
        crs=_stated(own, dirt.file.coordinates),
        dirt=dirt,
        deeds=(*_layer_deeds(dirt), *gone, *_row_deeds(rows)),
        fates=tuple(_fate(n, true[n], moved, rows, dates[n]) for n in true),
    )


def _table(rows: Sequence[Row], names: Mapping[str, str]) -> pd.DataFrame:
    """Lay out the cells as they will be written."""
    return pd.DataFrame(
        {
            written: pd.Series([row.cells[name] for row in rows], dtype=object)
            for name, written in names.items()
        }
    )


def _cells(table: gpd.GeoDataFrame) -> list[Cells]:
    """Give the attributes as plain Python values."""
    plain: dict[str, list[Any]] = {}
    for name in COLUMNS["english"]:
        values = table[name].tolist()
        if pd.api.types.is_datetime64_any_dtype(table[name]):
            values = [None if pd.isna(value) else value.date() for value in table[name]]
        plain[name] = values
    return [dict(zip(plain, row, strict=True)) for row in zip(*plain.values(), strict=True)]


def _moved(true: _Outlines, place: PlaceDirt, rng: np.random.Generator) -> _Outlines:
    """Give every outline where the layer draws it, its shells counter-clockwise."""
    middle = np.asarray(shapely.union_all(list(true.values())).envelope.centroid.coords)[0]
    turn = np.radians(place.turn_deg)
    # Clockwise, in columns of (x, y).
    matrix = (1.0 + place.stretch_ppm * 1e-6) * np.array(
        [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    )
    shift = np.array([place.east_m, place.north_m])

    def drawn(points: NDArray[np.float64]) -> NDArray[np.float64]:
        turned: NDArray[np.float64] = (points - middle) @ matrix + middle + shift
        return turned

    own = rng.normal(0.0, 1.0, (len(true), 2)) * place.row_m
    moved = {}
    for (number, outline), (east, north) in zip(true.items(), own.tolist(), strict=True):
        there = translate(shapely.transform(outline, drawn), east, north)
        moved[number] = shapely.orient_polygons(there)
    return moved


def _crs_of(own: CRS, which: str) -> CRS:
    """Give the area's CRS (``own``), its ``twin``, its ``neighbour``, or ``degrees``."""
    if which == "own":
        return own
    if which == "degrees":
        return CRS.from_epsg(4490)
    twin, code = zone_prefixed_twin(own), epsg_code(own)
    if twin is None or code is None:
        raise ValueError(f"{own.name} has no zone numbers: use a CGCS2000 3-degree CRS")
    return twin if which == "twin" else CRS.from_epsg(code + 1)


def _stated(own: CRS, coordinates: Coordinates) -> str | None:
    which = _STATED.get(coordinates)
    if which is None:
        return None
    crs = _crs_of(own, which)
    code = epsg_code(crs)
    return crs.to_wkt("WKT1_ESRI") if coordinates == "esri" or code is None else f"EPSG:{code}"


def _encoded(rows: Sequence[Row], own: CRS, coordinates: Coordinates) -> tuple[bytes | None, ...]:
    """Give the outlines in the coordinates of the file."""
    held = "own"
    if coordinates.startswith("prefixed"):
        held = "twin"
    elif coordinates.startswith("degrees"):
        held = "degrees"
    change = None if held == "own" else transformer(own, _crs_of(own, held))

    def put(points: NDArray[np.float64]) -> NDArray[np.float64]:
        if change is None:
            return points
        x, y = change.transform(points[:, 0], points[:, 1])
        return np.column_stack([x, y, points[:, 2:]])

    def encoded(row: Row) -> bytes | None:
        there = shapely.transform(row.outline, put, include_z=row.outline.has_z)
        return None if row.null else encode_outline(there, unclosed=row.unclosed)

    return tuple(encoded(row) for row in rows)


def _layer_deeds(dirt: Dirt) -> list[Deed]:
    units = {"east_m": "m", "north_m": "m", "turn_deg": "deg", "stretch_ppm": "ppm"}
    units |= {"row_m": "m", "rounding_m": "m"}
    amounts = {kind: getattr(dirt.place, kind) for kind in units}
    return [
        Deed(number="", row=None, kind=kind, column="geometry", amount=amount, unit=units[kind])
        for kind, amount in amounts.items()
        if amount
    ]


def _row_deeds(rows: Sequence[Row]) -> list[Deed]:
    return [
        Deed(number=row.numbers[0], row=place, kind=kind, column=column, amount=amount, unit=unit)
        for place, row in enumerate(rows, start=1)
        for kind, column, amount, unit in row.deeds
    ]


def _fate(
    number: str, true: BaseGeometry, moved: _Outlines, rows: Sequence[Row], dates: _Dates
) -> Fate:
    mine = {place: row for place, row in enumerate(rows, start=1) if number in row.numbers}
    here = moved[number]
    told = {place: read_outline(row.outline) for place, row in mine.items()}
    ground = shapely.union_all(list(told.values()))
    meant = shapely.union_all([here, *(moved[n] for row in mine.values() for n in row.numbers)])
    read = [row for place, row in mine.items() if not told[place].is_empty]
    starts = [day for row in read if (day := row.dates["granted"]) is not None]
    ends = [day for row in read if (day := row.dates["valid_until"]) is not None]
    return Fate(
        number=number,
        state=_state(number, list(mine.values())),
        rows=tuple(mine),
        written=tuple(row.cells["number"] or "" for row in mine.values()),
        east_m=float(here.centroid.x - true.centroid.x),
        north_m=float(here.centroid.y - true.centroid.y),
        ground=shapely.force_2d(ground),
        lost_share=float(here.difference(ground).area / here.area),
        gained_share=float(ground.difference(meant).area / here.area),
        granted=max(starts, default=None),
        valid_until=max(ends, default=None) if len(ends) == len(read) else None,
        dates_kept=any(row.dates == dates for row in read),
    )


def _state(number: str, rows: list[Row]) -> Literal["present", "missing", "duplicated", "merged"]:
    if not rows:
        return "missing"
    if all(row.numbers[0] != number for row in rows):
        return "merged"
    return "duplicated" if len(rows) > 1 else "present"
