"""The buildings of a real orthophoto, brought onto its pixels."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS
from pyproj.exceptions import ProjError
from shapely import Polygon

from survey.crs import describe_crs, transformer
from survey.errors import LayerError
from survey.grid import Grid
from survey.words import _

__all__ = ["Buildings", "Outlines", "place_outlines"]

# Pixels; an orthophoto has a quarter of a million on a side. Also where areas would overflow.
_FARTHEST_PX = 1e9

Shapes = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Buildings:
    """A layer of building outlines, as it was read."""

    table: gpd.GeoDataFrame | gpd.GeoSeries
    """Geometries with a CRS. Where the index is named ``row``, it numbers the rows of the layer
    from 1; else they are counted."""
    name: str
    """What to call it in a sentence."""
    repaired: int = 0
    """Rows that were repaired when the layer was read."""
    unusable: int = 0
    """Rows that were dropped when the layer was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlines:
    """Building outlines that meet a picture."""

    shapes: tuple[Polygon, ...]
    """Valid polygons, as (col, row) of the picture's pixel corners, cut off at its edges."""
    rows: tuple[int, ...]
    """For each, the row of the layer it comes from, counted from 1."""
    repaired: int
    """Rows whose geometry had to be made valid."""
    unusable: int
    """Rows without an area, or that cannot be brought onto the picture."""
    outside: int
    """Rows that lie outside the picture."""


def place_outlines(buildings: Buildings, grid: Grid) -> Outlines:
    """Bring building outlines onto a picture.

    Invalid ones are repaired; parts of multipolygons count one by one.

    Raises
    ------
    LayerError
        The outlines state no CRS, or none lies within the picture.
    """
    table = gpd.GeoDataFrame(geometry=buildings.table.geometry)
    if table.crs is None:
        text = _("{path}: states no coordinate reference system; building outlines need one")
        raise LayerError(text.format(path=buildings.name))
    raw = np.asarray(table.geometry.array, dtype=object)
    numbers = np.arange(1, len(raw) + 1)
    if table.index.name == "row":
        numbers = table.index.to_numpy()
    # Heights would come back as not a number from some transformations.
    flat = shapely.force_2d(raw)
    wrong = ~(shapely.is_missing(flat) | shapely.is_valid(flat))
    flat[wrong] = shapely.make_valid(flat[wrong])
    parts, rows = _polygons(flat)
    placed = _placed(parts, CRS(table.crs), grid, buildings.name)
    usable = shapely.is_valid(placed) & (shapely.area(placed) > 0)
    cut, index = _polygons(shapely.intersection(placed, shapely.box(0, 0, grid.width, grid.height)))
    kept = usable[index] & (shapely.area(cut) > 0)
    if not kept.any():
        raise LayerError(_nowhere(placed[usable], grid, CRS(table.crs), buildings.name))
    seen, good = set(rows[index][kept].tolist()), set(rows[usable].tolist())
    return Outlines(
        shapes=tuple(cut[kept]),
        rows=tuple(numbers[rows[index][kept]].tolist()),
        repaired=buildings.repaired + int(wrong.sum()),
        unusable=buildings.unusable + len(raw) - len(good),
        outside=len(good - seen),
    )


def _polygons(shapes: Shapes) -> tuple[Shapes, npt.NDArray[np.int64]]:
    """Return the polygons in some geometries, and in which each lay."""
    parts, rows = shapely.get_parts(shapes, return_index=True)
    if rows.size:  # what make_valid leaves may be a collection that holds multipolygons
        inner, index = shapely.get_parts(parts, return_index=True)
        parts, rows = inner, rows[index]
    flat = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    return parts[flat], rows[flat]


def _placed(shapes: Shapes, crs: CRS, grid: Grid, shown: str) -> Shapes:
    """Return polygons as (col, row) of the picture; those that cannot be brought there empty."""
    change = transformer(crs, grid.crs)

    def onto(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        xs, ys = change.transform(points[:, 0], points[:, 1])
        # A ring of infinities would not close.
        known = np.isfinite(xs) & np.isfinite(ys)
        cols, rows = grid.colrow(np.where(known, xs, 0.0), np.where(known, ys, 0.0))
        return np.where(known[:, None], np.stack([cols, rows], axis=1), 1e12)

    try:
        moved = shapely.transform(shapes, onto)
    except ProjError as error:
        text = _("{path}: its coordinates cannot be brought onto the picture ({error})")
        raise LayerError(text.format(path=shown, error=error)) from error
    finite = (np.abs(shapely.bounds(moved)) < _FARTHEST_PX).all(axis=1)
    moved[~finite] = Polygon()
    return np.asarray(moved, dtype=object)


def _nowhere(placed: Shapes, grid: Grid, crs: CRS, shown: str) -> str:
    """Say how far the nearest outline lies from a picture that none meets."""
    if not len(placed):
        text = _("{path}: no outline can be brought onto the picture, taken in {crs}")
        return text.format(path=shown, crs=describe_crs(crs))
    frame = shapely.box(0, 0, grid.width, grid.height)
    away = float(shapely.distance(placed, frame).min())
    text = _(
        "{path}: no building outline lies within the picture; the nearest is {away:.0f} pixels off,"
        " taken in {crs}"
    )
    return text.format(path=shown, away=away, crs=describe_crs(crs))
