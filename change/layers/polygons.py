"""Polygons: a layer's raw geometry as clean outlines in metres, and what was wrong with each row.

Rows are counted from 1 in the order of the file.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from shapely import LineString, MultiLineString, MultiPoint, MultiPolygon, Polygon
from shapely.errors import ShapelyError
from shapely.geometry.base import BaseGeometry

from survey.crs import same_crs, transformer
from survey.words import _

__all__ = ["BadRow", "Geometries", "Outlines", "clean", "parsed"]

Geometries = NDArray[np.object_]

_POLYGON, _MULTIPOLYGON = 3, 6  # shapely's type ids
# Below this an outline is a drawing accident, not ground: a page of paper has 0.06 m2.
_DEGENERATE_M2 = 0.01
# Thinner than any wall: a brick is 0.24 m long (GB/T 5101). Such outlines are what two drawings
# leave between them, not buildings.
_SLIVER_M = 0.24
# A repair that moves the area by more than this is told with the difference.
_NOTED_SHARE, _NOTED_M2 = 0.01, 1.0
# Survey drawings give centimetres: a line whose ends are nearer than that is meant as closed.
_CLOSED_M = 0.01
# Coordinates beyond this are no place on Earth in any projected CRS (zone-prefixed eastings: 6e7).
_FARTHEST_M = 1e8


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """What is wrong with one row of a layer."""

    row: int
    """Position in the file, counted from 1."""
    why: str
    """Slug. Dropped: no_geometry, unreadable_geometry, nonfinite_coordinates, outside_crs,
    elsewhere, other_zone, not_a_polygon, degenerate. Kept: axes_swapped, zone_prefix, ring_closed,
    line_closed, ring_repaired, collection_reduced, sliver, duplicate, and for attributes
    unreadable_date, unreadable_number."""
    detail: str
    """The finding in words, with the values."""
    kept: bool
    """Whether the row is used all the same."""
    where: BaseGeometry | None
    """What is known of the place of a dropped row: the envelope of its finite coordinates in the
    area's CRS; None where nothing is known, and for kept rows."""


@dataclass(slots=True)
class Outlines:
    """Geometry on its way to clean outlines; rows that are dropped become None."""

    geometries: Geometries
    """One per row of the file, shape (n,)."""
    bad: list[BadRow] = field(default_factory=list)
    """What was found so far."""

    def drop(self, index: int, why: str, detail: str, where: BaseGeometry | None = None) -> None:
        """Take a row out and say why."""
        self.geometries[index] = None
        row = BadRow(row=index + 1, why=why, detail=detail, kept=False, where=where)
        self.bad.append(row)

    def note(self, index: int, why: str, detail: str) -> None:
        """Say what was done to a row that is kept."""
        self.bad.append(BadRow(row=index + 1, why=why, detail=detail, kept=True, where=None))

    def present(self) -> list[int]:
        """Return the indices that still have a geometry."""
        return [int(i) for i in np.flatnonzero(~shapely.is_missing(self.geometries))]


def parsed(wkb: Iterable[bytes | None]) -> Outlines:
    """Return the geometry of raw WKB; unclosed rings are closed, what cannot be read is dropped."""
    raw = np.array([*wkb, None], dtype=object)[:-1]  # the None keeps numpy from making it bytes
    with np.errstate(invalid="ignore"):  # coordinates that are no number are reported as rows
        read = shapely.force_2d(shapely.from_wkb(raw, on_invalid="ignore"))
    outlines = Outlines(geometries=read)
    for index in np.flatnonzero(shapely.is_missing(outlines.geometries)).tolist():
        if raw[index] is None:
            outlines.drop(index, "no_geometry", _("no geometry"))
            continue
        fixed = shapely.from_wkb(raw[index], on_invalid="fix")
        if fixed is None:
            outlines.drop(index, "unreadable_geometry", _("not a simple feature geometry"))
        else:
            outlines.geometries[index] = shapely.force_2d(fixed)
            outlines.note(index, "ring_closed", _("a ring was not closed"))
    for index in outlines.present():
        if outlines.geometries[index].is_empty:
            outlines.drop(index, "no_geometry", _("empty geometry"))
    return outlines


def clean(outlines: Outlines, source: CRS, target: CRS) -> Outlines:
    """Return outlines in ``target`` (metres): polygons only, valid, with every repair noted."""
    change = None if same_crs(source, target) else transformer(source, target)

    def moved(points: NDArray[np.float64]) -> NDArray[np.float64]:
        if change is None:
            return points
        return np.stack(change.transform(points[:, 0], points[:, 1]), axis=1)

    _drop_nonfinite(outlines, moved)
    if source.is_geographic:
        _drop_off_the_earth(outlines)
    present = outlines.present()
    outlines.geometries[present] = shapely.transform(outlines.geometries[present], moved)
    edges = shapely.bounds(outlines.geometries)
    for index in present:
        if not (np.abs(edges[index]) < _FARTHEST_M).all():
            outlines.drop(index, "outside_crs", _("lies outside the area of its CRS"))
    for index in np.flatnonzero(~_sound(outlines.geometries)).tolist():
        _clean_row(outlines, index)
    _note_slivers(outlines)
    _note_duplicates(outlines)
    outlines.bad.sort(key=lambda flaw: flaw.row)
    return outlines


def _drop_nonfinite(
    outlines: Outlines, moved: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> None:
    points, owner = shapely.get_coordinates(outlines.geometries, return_index=True)
    finite = np.isfinite(points).all(axis=1)
    for index in np.unique(owner[~finite]).tolist():
        rest = moved(points[(owner == index) & finite])
        rest = rest[(np.abs(rest) < _FARTHEST_M).all(axis=1)]
        where = MultiPoint(rest).envelope if len(rest) else None
        detail = _("a coordinate is not a number")
        outlines.drop(index, "nonfinite_coordinates", detail, where)


def _drop_off_the_earth(outlines: Outlines) -> None:
    """Drop rows whose longitude or latitude is none; PROJ would wrap them to some other place."""
    limit = np.array([180.0, 90.0, 180.0, 90.0]) + 1e-9
    edges = shapely.bounds(outlines.geometries)
    for index in outlines.present():
        if (np.abs(edges[index]) > limit).any():
            outlines.drop(index, "outside_crs", _("its degrees are none of the Earth"))


def _sound(geometries: Geometries) -> NDArray[np.bool_]:
    """Return which rows need no cleaning: valid polygons, and rows that are dropped already."""
    polygons = np.isin(shapely.get_type_id(geometries), [_POLYGON, _MULTIPOLYGON])
    fine = polygons & shapely.is_valid(geometries) & (shapely.area(geometries) > _DEGENERATE_M2)
    return np.asarray(fine | shapely.is_missing(geometries))


def _clean_row(outlines: Outlines, index: int) -> None:
    drawn: BaseGeometry = outlines.geometries[index]
    try:
        outline = _as_polygons(outlines, index, drawn)
        if outline is None:
            return
        repaired = _valid(outlines, index, outline)
    except ShapelyError as error:
        outlines.drop(index, "unreadable_geometry", str(error)[:200], shapely.envelope(drawn))
        return
    if repaired.area <= _DEGENERATE_M2:
        detail = _("its area is {area:.3g} m2").format(area=repaired.area)
        outlines.drop(index, "degenerate", detail, shapely.envelope(drawn))
        return
    outlines.geometries[index] = repaired


def _as_polygons(outlines: Outlines, index: int, drawn: BaseGeometry) -> BaseGeometry | None:
    """Return the polygons in a geometry of any type; drop the row where there are none."""
    if isinstance(drawn, Polygon | MultiPolygon):
        return drawn
    parts = _simple_parts(drawn)
    lines = [part for part in parts if isinstance(part, LineString)]
    if len(lines) == len(parts):
        # Drawing programs leave the four sides of a house as four lines.
        parts = _simple_parts(shapely.line_merge(MultiLineString(lines)))
    polygons = [part for part in parts if isinstance(part, Polygon)]
    if polygons:
        detail = _("{type} of {all} parts, {kept} of them polygons").format(
            type=drawn.geom_type, all=len(parts), kept=len(polygons)
        )
        outlines.note(index, "collection_reduced", detail)
        return polygons[0] if len(polygons) == 1 else MultiPolygon(polygons)
    rings = [ring for part in parts if (ring := _ring(part)) is not None]
    if rings:
        detail = _("a closed line was taken as an outline")
        if len(rings) < len(parts):
            rest = _("{count} open lines beside it were left out")
            detail = f"{detail}; {rest.format(count=len(parts) - len(rings))}"
        outlines.note(index, "line_closed", detail)
        return rings[0] if len(rings) == 1 else MultiPolygon(rings)
    detail = _("{type}, not an outline").format(type=drawn.geom_type)
    outlines.drop(index, "not_a_polygon", detail, shapely.envelope(drawn))
    return None


def _simple_parts(geometry: BaseGeometry) -> list[BaseGeometry]:
    if not hasattr(geometry, "geoms"):
        return [] if geometry.is_empty else [geometry]
    return [simple for part in geometry.geoms for simple in _simple_parts(part)]


def _ring(part: BaseGeometry) -> Polygon | None:
    """Return the polygon a line encloses; None for open lines and points."""
    points = shapely.get_coordinates(part)
    if part.geom_type not in ("LineString", "LinearRing") or len(points) < 4:
        return None
    return Polygon(points) if np.hypot(*(points[0] - points[-1])) <= _CLOSED_M else None


def _valid(outlines: Outlines, index: int, outline: BaseGeometry) -> BaseGeometry:
    """Return the outline without crossing or doubled rings, and note by how much its area moved."""
    if outline.is_valid:
        return outline
    repaired = shapely.make_valid(outline, method="structure", keep_collapsed=False)
    polygons = [part for part in _simple_parts(repaired) if isinstance(part, Polygon)]
    # The parts of a repaired outline may share an edge, which no multipolygon may.
    result = polygons[0] if len(polygons) == 1 else shapely.union_all(polygons)
    detail = _("{why}; area {before:.1f} m2 as drawn, {after:.1f} m2 repaired").format(
        why=shapely.is_valid_reason(outline).split("[")[0],
        before=outline.area,
        after=result.area,
    )
    change = result.area - outline.area
    if abs(change) > min(_NOTED_M2, _NOTED_SHARE * outline.area):
        gained = _("{change:+.1f} m2 by the repair").format(change=change)
        detail = f"{detail}; {gained}"
    if result.area > _DEGENERATE_M2:
        outlines.note(index, "ring_repaired", detail)
    return result


def _note_slivers(outlines: Outlines) -> None:
    """Note outlines, and parts of outlines, that are thinner than any building."""
    parts, owner = shapely.get_parts(outlines.geometries, return_index=True)
    # Half the girth of a long strip is its length.
    width = 2 * shapely.area(parts) / np.maximum(shapely.length(parts), 1e-9)
    thin = width < _SLIVER_M
    for index in np.unique(owner[thin]).tolist():
        count, narrowest = int((owner[thin] == index).sum()), float(width[owner == index].min())
        text = _("{count} of {all} parts are {width:.2f} m wide or less: no building")
        detail = text.format(count=count, all=int((owner == index).sum()), width=_SLIVER_M)
        if (owner == index).sum() == 1:
            detail = _("only {width:.2f} m wide: no building").format(width=narrowest)
        outlines.note(index, "sliver", detail)


def _note_duplicates(outlines: Outlines) -> None:
    first: dict[bytes, int] = {}
    present = outlines.present()
    plain = outlines.geometries[present]
    # One outline is the same whether it is written as a polygon or as a multipolygon of one part.
    single = (shapely.get_type_id(plain) == _MULTIPOLYGON) & (
        shapely.get_num_geometries(plain) == 1
    )
    plain[single] = shapely.get_geometry(plain[single], 0)
    keys = shapely.to_wkb(shapely.normalize(plain))
    for index, key in zip(present, keys, strict=True):
        if first.setdefault(key, index) != index:
            detail = _("the same outline as row {row}").format(row=first[key] + 1)
            outlines.note(index, "duplicate", detail)
