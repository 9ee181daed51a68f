"""Rows of a permit layer: lost, doubled, thrown together, damaged. Pure."""

import datetime as dt
from dataclasses import dataclass, field, replace

import numpy as np
import shapely
from shapely import MultiPolygon
from shapely.affinity import scale
from shapely.geometry.base import BaseGeometry

from survey.simulation.permits.permit_cells import Cells, pick, soil_cells
from survey.simulation.permits.permit_damage import damage_outline, snap_outline
from survey.simulation.permits.permit_dirt import Dirt
from survey.simulation.permits.permit_fates import Deed

__all__ = ["Row", "damage_rows", "finish_rows", "rearrange_rows", "soil_rows"]

_NEIGHBOUR_M = 15.0  # across a lane
_OLDER_DAYS = (1000, 4000)
_OLDER_SCALE = 0.8


@dataclass(slots=True)
class Row:
    """A row on its way into the file."""

    numbers: tuple[str, ...]
    """True numbers of the permits it stands for, its own first."""
    cells: Cells
    """Cells by column of the truth."""
    outline: BaseGeometry
    """Outline in the area's CRS, metres, perhaps invalid."""
    dates: dict[str, dt.date | None]
    """Days ``granted`` and ``valid_until`` that its cells tell, however they are spelt."""
    deeds: list[tuple[str, str, float, str]] = field(default_factory=list)
    """Kind, column, amount and unit."""
    null: bool = False
    """True where the row is to have no geometry."""
    unclosed: bool = False
    """True where the rings are to be written without their last vertex."""

    def note(self, kind: str, column: str = "", amount: float = 0.0, unit: str = "") -> None:
        """Log one deed."""
        self.deeds.append((kind, column, amount, unit))


def rearrange_rows(
    rows: list[Row], dirt: Dirt, rng: np.random.Generator
) -> tuple[list[Row], list[Deed]]:
    """Lose, double and throw together rows; to each permit one of these at most."""
    free, total = set(range(len(rows))), len(rows)
    lost = dict.fromkeys(pick(rng, sorted(free), dirt.rows.missing * total), "missing")
    free -= set(lost)
    for kind in ("shared_outline", "joined"):
        lost |= _pairs(rows, free, kind, getattr(dirt.rows, kind) * total, rng)
    added = []
    for kind in ("same_number", "second_number", "older_version"):
        chosen = pick(rng, sorted(free), getattr(dirt.rows, kind) * total)
        added += [_second(rows[index], kind, rng) for index in chosen]
        free -= set(chosen)
    gone = [_loss(rows[index], lost[index]) for index in sorted(lost)]
    kept = [row for index, row in enumerate(rows) if index not in lost] + added
    if dirt.rows.shuffled:
        kept = [kept[i] for i in rng.permutation(len(kept)).tolist()]
    return kept, gone


def _loss(row: Row, kind: str) -> Deed:
    return Deed(number=row.numbers[0], row=None, kind=kind, column="", amount=0.0, unit="")


def _pairs(
    rows: list[Row], free: set[int], kind: str, count: float, rng: np.random.Generator
) -> dict[int, str]:
    """Throw free neighbours together; give the rows that are lost by it."""
    lost = {}
    for index in pick(rng, sorted(free), count):
        if index in free:
            free.discard(index)
            other = _throw_together(rows, index, free, kind)
            if other is not None:
                free.discard(other)
                lost[other] = kind
    return lost


def _throw_together(rows: list[Row], index: int, free: set[int], kind: str) -> int | None:
    """Put the nearest free neighbour into a row; None where it has none."""
    row = rows[index]
    others = sorted((shapely.distance(row.outline, rows[i].outline), i) for i in free)
    others = [(apart, i) for apart, i in others if apart <= _NEIGHBOUR_M]
    if kind == "joined":
        others = [(apart, i) for apart, i in others if apart > 0]
    if not others:
        return None
    other = others[0][1]
    both = shapely.union_all([row.outline, rows[other].outline])
    if kind == "shared_outline" and len(shapely.get_parts(both)) > 1:
        both = both.convex_hull
    row.outline = shapely.orient_polygons(both)
    row.numbers += rows[other].numbers
    row.note(kind, "geometry", others[0][0], "m")
    return other


def _second(row: Row, kind: str, rng: np.random.Generator) -> Row:
    """Give a second row for a permit."""
    if kind == "older_version":
        return _older(row, rng)
    cells = dict(row.cells)
    if kind == "second_number":
        cells["number"] += "-2"
    copy = replace(row, cells=cells, dates=dict(row.dates), deeds=[])
    copy.note(kind)
    return copy


def _older(row: Row, rng: np.random.Generator) -> Row:
    """Give the version that a permit replaced: smaller, lower, years earlier."""
    days = dt.timedelta(days=int(rng.integers(*_OLDER_DAYS)))
    smaller = scale(row.outline, _OLDER_SCALE, _OLDER_SCALE)
    outline = shapely.orient_polygons(smaller.intersection(row.outline))
    earlier = {name: None if day is None else day - days for name, day in row.dates.items()}
    cells = row.cells | earlier
    cells |= {
        "storeys": max(1, row.cells["storeys"] - 1),
        "footprint_m2": round(outline.area, 1),
    }
    older = replace(row, cells=cells, outline=outline, dates=earlier, deeds=[])
    older.note("older_version", "", days.days, "days")
    return older


def damage_rows(rows: list[Row], dirt: Dirt, rng: np.random.Generator) -> None:
    """Damage outlines; those thrown together with a neighbour's are left at that."""
    untouched = [i for i, row in enumerate(rows) if len(row.numbers) == 1]
    for kind, share in dirt.outlines.shares().items():
        for index in pick(rng, untouched, share * len(rows)):
            row = rows[index]
            done = damage_outline(kind, row.outline, rng, coarse_m=dirt.outlines.coarse_m)
            row.outline = done.outline
            row.null, row.unclosed = kind == "null", kind == "unclosed"
            row.note(kind, "geometry", done.amount, done.unit)
            untouched.remove(index)


def soil_rows(rows: list[Row], dirt: Dirt, rng: np.random.Generator) -> None:
    """Soil the cells, and keep account of the days they still tell."""
    for deed in soil_cells([row.cells for row in rows], dirt.cells, rng):
        row = rows[deed.index]
        row.note(deed.kind, deed.column)
        if deed.kind in ("missing_dates", "zero_dates"):
            row.dates[deed.column] = None
        elif deed.kind == "reversed_dates":
            row.dates[deed.column] = row.cells[deed.column]


def finish_rows(rows: list[Row], dirt: Dirt, rng: np.random.Generator) -> None:
    """Round coordinates, wrap polygons, add heights."""
    for row in rows:
        row.outline = snap_outline(row.outline, dirt.place.rounding_m)
    there = [i for i, row in enumerate(rows) if row.outline.area > 0]
    simple = [i for i in there if rows[i].outline.geom_type == "Polygon"]
    for index in pick(rng, simple, dirt.file.multi * len(rows)):
        rows[index].outline = MultiPolygon(list(shapely.get_parts(rows[index].outline)))
        rows[index].note("multi", "geometry")
    for index in pick(rng, there, dirt.file.heights * len(rows)):
        level = round(float(rng.uniform(0.0, 40.0)), 2)
        rows[index].outline = shapely.force_3d(rows[index].outline, level)
        rows[index].note("heights", "geometry", level, "m")
