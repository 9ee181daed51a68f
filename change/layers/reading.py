"""Reading: one vector layer as a table of clean outlines in the area's CRS."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from change.layers.control_points import read_similarity
from change.layers.database import database_table, is_database
from change.layers.delimited import delimited_table
from change.layers.parquet import is_parquet, parquet_table
from change.layers.placement import (
    Area,
    Boxes,
    advice,
    box_distances,
    home_crs,
    likely_cause,
    place,
    swapped_boxes,
)
from change.layers.polygons import BadRow, Outlines, clean, parsed
from change.layers.sources import BYTES, local_path, opened, rim
from change.layers.strays import settle_strays
from change.layers.tables import Table, gdal_table
from survey.crs import describe_crs
from survey.errors import LayerError
from survey.words import _

__all__ = ["REACH_M", "LayerRead", "read_layer", "states_crs"]

REACH_M = 1000.0
"""A layer whose nearest outline is farther from the area than this is taken for a mistake, m."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerRead:
    """A vector layer as it was read."""

    frame: gpd.GeoDataFrame
    """The usable rows, in the area's CRS: valid 2-D (Multi)Polygons and every attribute. The index
    ``row`` is the position in the file, counted from 1."""
    source: str
    """The file as the user knows it."""
    layer: str
    """Name of the layer inside the file."""
    crs: CRS
    """CRS that the file's coordinates were taken in."""
    encoding: str
    """Codec that the text was decoded with."""
    rows: int
    """Rows in the file, usable or not."""
    assumptions: tuple[str, ...]
    """What was assumed, as sentences."""
    remarks: tuple[str, ...]
    """GDAL's own warnings, for the run record."""
    bad_rows: tuple[BadRow, ...]
    """What was wrong, by row."""
    lost: pd.DataFrame
    """The attributes of the rows that could not be used; the same index, without geometry."""
    digest: str | None = None
    """SHA-256 of the content, where it came from a database and no file can be hashed."""

    @property
    def dropped(self) -> tuple[BadRow, ...]:
        """The rows that could not be used."""
        return tuple(row for row in self.bad_rows if not row.kept)


def read_layer(  # noqa: PLR0913 - each says one thing about the layer
    source: str | Path,
    *,
    area: Area | None = None,
    crs: CRS | None = None,
    encoding: str | None = None,
    layer: str | None = None,
    reach_m: float = REACH_M,
    points: str | Path | None = None,
) -> LayerRead:
    """Read one vector layer.

    Parameters
    ----------
    source
        A local file or folder that GDAL reads, a zip of one, ``FILE|layername=NAME``, GeoParquet,
        or a table in PostGIS, ``postgresql://USER@HOST/DATABASE?table=SCHEMA.NAME``.
    area
        Where the work takes place; outlines come out in its CRS. Without one they come out in the
        metric CRS of where they lie, and nothing is assumed about a CRS that is not stated.
    crs
        CRS of the coordinates, whatever the file says; None to believe the file.
    encoding
        Encoding of the text, whatever the file says; None to believe or find it.
    layer
        Name of the layer, where the file has several and ``source`` does not say.
    reach_m
        How far the nearest outline may lie from the area; infinite to accept any place.
    points
        Table of control points that carry the layer's own coordinates to ``crs``, or to the area's
        CRS where none is given.

    Raises
    ------
    LayerError
        The file cannot be read, holds no usable outline, cannot be placed, or lies elsewhere.
    """
    table = _table(source, layer, encoding)
    outlines = parsed(table.wkb)
    if not outlines.present():
        raise LayerError(_nothing_usable(table.shown, outlines))
    if points is not None:
        crs, carried = _carried(outlines, points, crs, area)
    else:
        carried = ()
    boxes = _boxes(outlines)
    stated = None if points is not None else _stated_crs(table.crs, table.shown)
    placement = place(boxes, stated=stated, given=crs, area=area, shown=table.shown)
    if placement.swapped:
        boxes = swapped_boxes(boxes)
        outlines.geometries = shapely.transform(outlines.geometries, lambda xy: xy[:, ::-1])
    target = home_crs(boxes, placement.crs, table.shown) if area is None else area.crs
    strays = settle_strays(outlines, placement, area, target, table.shown)
    outlines = clean(outlines, placement.crs, target)
    if not outlines.present():
        raise LayerError(_nothing_usable(table.shown, outlines))
    frame = _frame(table, outlines, target)
    if area is not None:
        _refuse_far(frame, boxes, placement.crs, (area, reach_m), table.shown)
    said = () if table.encoding.assumption is None else (table.encoding.assumption,)
    return LayerRead(
        frame=frame,
        source=table.shown,
        layer=table.layer,
        crs=placement.crs,
        encoding=table.encoding.name,
        rows=len(table.wkb),
        assumptions=(*table.assumptions, *said, *carried, *placement.assumptions, *strays),
        remarks=table.remarks,
        bad_rows=tuple(outlines.bad),
        lost=_attributes(table, sorted(set(range(len(table.wkb))) - set(outlines.present()))),
        digest=table.digest,
    )


def _table(source: str | Path, layer: str | None, encoding: str | None) -> Table:
    """Read a source of any kind."""
    if is_database(source) and not Path(source).exists():
        named = f"{source}|layername={layer}" if layer else source
        return database_table(named)
    path = local_path(source)
    if is_parquet(path):
        return parquet_table(path)
    table = delimited_table(path, encoding)
    if table is not None:
        return table
    with opened(source, layer) as found:
        return gdal_table(found, encoding)


def _carried(
    outlines: Outlines, points: str | Path, crs: CRS | None, area: Area | None
) -> tuple[CRS, tuple[str, ...]]:
    """Move the geometry by control points, and return the CRS it is in then."""
    target = crs if crs is not None else None if area is None else area.crs
    if target is None:
        raise LayerError(
            _("{path}: control points lead to some CRS; say which by --layers-crs").format(
                path=points
            )
        )
    found = read_similarity(points)
    outlines.geometries = shapely.transform(outlines.geometries, found.moved)
    return target, (found.sentence(str(points)),)


def states_crs(source: str | Path) -> bool:
    """Whether a layer says in which CRS its coordinates are.

    Raises
    ------
    LayerError
        The file cannot be read.
    """
    if is_database(source) or is_parquet(local_path(source)):
        return _table(source, None, None).crs is not None
    table = delimited_table(local_path(source), None)
    if table is not None:
        return table.crs is not None
    with opened(source) as found:
        info, _remarks = rim(
            lambda: pyogrio.read_info(found.target, layer=found.layer, encoding=BYTES), found.shown
        )
    return info["crs"] is not None


def _stated_crs(text: str | None, shown: str) -> CRS | None:
    try:
        return CRS.from_user_input(text) if text else None
    except CRSError as error:
        raise LayerError(
            _("{path}: its CRS cannot be understood; give --layers-crs").format(path=shown)
        ) from error


def _boxes(outlines: Outlines) -> Boxes:
    """Return the rectangle around each row that has one, in the file's own coordinates."""
    edges: Boxes = shapely.bounds(outlines.geometries)
    return edges[np.isfinite(edges).all(axis=1)]


def _nothing_usable(shown: str, outlines: Outlines) -> str:
    if not len(outlines.geometries):
        return _("{path}: the layer is empty").format(path=shown)
    dropped = [flaw for flaw in outlines.bad if not flaw.kept]
    why, _times = Counter(flaw.why for flaw in dropped).most_common(1)[0]
    detail = next(flaw.detail for flaw in dropped if flaw.why == why)
    return _("{path}: no usable outline in {rows} rows; most often: {detail}").format(
        path=shown, rows=len(outlines.geometries), detail=detail
    )


def _attributes(table: Table, indices: list[int]) -> pd.DataFrame:
    rows = pd.Index([index + 1 for index in indices], name="row")
    columns = {name: column[indices] for name, column in table.columns.items()}
    return pd.DataFrame(columns, index=rows)


def _frame(table: Table, outlines: Outlines, crs: CRS) -> gpd.GeoDataFrame:
    present = outlines.present()
    shapes = outlines.geometries[present]
    return gpd.GeoDataFrame(_attributes(table, present), geometry=shapes, crs=crs)


def _refuse_far(
    frame: gpd.GeoDataFrame, boxes: Boxes, used: CRS, reach: tuple[Area, float], shown: str
) -> None:
    area, reach_m = reach
    nearest = float(box_distances(frame.geometry.bounds.to_numpy(), area.bounds).min())
    if nearest <= reach_m:
        return
    cause, meant = likely_cause(boxes, used, area)
    raise LayerError(
        _(
            "{path}: its nearest outline lies {km:.1f} km from the flight, taken in {crs}{cause}"
        ).format(
            path=shown,
            km=nearest / 1000,
            crs=describe_crs(used),
            cause=f"; {cause}; {advice(meant)}" if cause else "",
        )
    )
