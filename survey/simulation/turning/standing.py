"""The buildings of a real orthophoto, from whatever layer holds their outlines."""

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError, GeometryError
from pyproj import CRS
from pyproj.exceptions import CRSError, ProjError
from shapely import Polygon

from survey.crs import transformer
from survey.errors import LayerError
from survey.grid import Grid
from survey.words import _

__all__ = ["Outlines", "read_outlines"]

# Pixels; an orthophoto has a quarter of a million on a side.
_FARTHEST_PX = 1e9

Shapes = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlines:
    """Building outlines that meet a picture."""

    shapes: tuple[Polygon, ...]
    """Valid polygons, as (col, row) of the picture's pixel corners."""
    rows: tuple[int, ...]
    """For each, the row of the layer it comes from, counted from 0."""
    repaired: int
    """Rows whose geometry had to be made valid."""
    dropped: int
    """Rows without an area, or outside the picture."""


def read_outlines(outlines: Path | gpd.GeoDataFrame | gpd.GeoSeries, grid: Grid) -> Outlines:
    """Bring building outlines onto a picture.

    Parameters
    ----------
    outlines
        A vector file, or geometries with a CRS; any CRS, invalid ones are repaired, parts of
        multipolygons count one by one.
    grid
        The picture's grid.

    Raises
    ------
    LayerError
        The layer cannot be read, states no CRS, or has no polygon within the picture.
    """
    shown, table = _table(outlines)
    if table.crs is None:
        text = _("{path}: states no coordinate reference system; building outlines need one")
        raise LayerError(text.format(path=shown))
    raw = np.asarray(table.geometry.array, dtype=object)
    wrong = ~(shapely.is_missing(raw) | shapely.is_valid(raw))
    # Heights would come back as not a number from some transformations.
    flat = shapely.force_2d(raw)
    flat[wrong] = shapely.make_valid(flat[wrong])
    parts, rows = shapely.get_parts(flat, return_index=True)
    if rows.size:  # what make_valid leaves may be a collection that holds multipolygons
        inner, index = shapely.get_parts(parts, return_index=True)
        parts, rows = inner, rows[index]
    kept = _placed(parts[shapely.get_type_id(parts) == 3], CRS(table.crs), grid, shown)
    rows = rows[shapely.get_type_id(parts) == 3]
    frame = shapely.box(0, 0, grid.width, grid.height)
    inside = shapely.is_valid(kept) & (shapely.area(kept) > 0) & shapely.intersects(kept, frame)
    if not inside.any():
        text = _("{path}: has no building outline within the picture")
        raise LayerError(text.format(path=shown))
    return Outlines(
        shapes=tuple(kept[inside]),
        rows=tuple(int(row) for row in rows[inside]),
        repaired=int(wrong.sum()),
        dropped=len(raw) - len(set(rows[inside].tolist())),
    )


def _table(outlines: Path | gpd.GeoDataFrame | gpd.GeoSeries) -> tuple[str, gpd.GeoDataFrame]:
    """Return what to call the outlines in a sentence, and their table."""
    if not isinstance(outlines, Path):
        return _("building outlines"), gpd.GeoDataFrame(geometry=outlines.geometry)
    if not outlines.exists():
        raise LayerError(_("{path}: no such file or folder").format(path=outlines))
    try:
        table = pyogrio.read_dataframe(outlines, columns=[], on_invalid="fix")
    except (DataSourceError, DataLayerError, GeometryError, CRSError, ValueError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        text = _("{path}: not a layer of building outlines that can be read ({error})")
        raise LayerError(text.format(path=outlines, error=first)) from error
    if not isinstance(table, gpd.GeoDataFrame):
        text = _("{path}: has no geometries; building outlines are polygons")
        raise LayerError(text.format(path=outlines))
    return str(outlines), table


def _placed(shapes: Shapes, crs: CRS, grid: Grid, shown: str) -> Shapes:
    """Return polygons as (col, row) of the picture; those that cannot be brought there empty."""
    change = transformer(crs, grid.crs)

    def onto(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        xs, ys = change.transform(points[:, 0], points[:, 1])
        return np.stack(grid.colrow(np.asarray(xs), np.asarray(ys)), axis=1)

    try:
        moved = shapely.transform(shapes, onto)
    except ProjError as error:
        text = _("{path}: its coordinates cannot be brought onto the picture ({error})")
        raise LayerError(text.format(path=shown, error=error)) from error
    # Also where areas of such coordinates would overflow.
    finite = (np.abs(shapely.bounds(moved)) < _FARTHEST_PX).all(axis=1)
    moved[~finite] = Polygon()
    return np.asarray(moved, dtype=object)
