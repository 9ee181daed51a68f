"""Reading: one vector layer as a table of clean outlines in the area's CRS."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from pyproj.exceptions import CRSError

from change.layers.encodings import Encoding, choose_encoding, decoded, stated_encoding
from change.layers.placement import Area, Boxes, box_distances, home_crs, likely_cause, place
from change.layers.polygons import BadRow, Outlines, clean, parsed
from change.layers.sources import BYTES, Source, opened, rim
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

    @property
    def dropped(self) -> tuple[BadRow, ...]:
        """The rows that could not be used."""
        return tuple(row for row in self.bad_rows if not row.kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """A layer as GDAL hands it over."""

    wkb: list[bytes | None]
    columns: dict[str, NDArray[Any]]
    crs: str | None
    encoding: Encoding
    remarks: tuple[str, ...]


def read_layer(
    source: str | Path,
    *,
    area: Area | None = None,
    crs: CRS | None = None,
    encoding: str | None = None,
    layer: str | None = None,
    reach_m: float = REACH_M,
) -> LayerRead:
    """Read one vector layer.

    Parameters
    ----------
    source
        A local file or folder that GDAL reads, a zip of one, or ``FILE|layername=NAME``.
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

    Raises
    ------
    LayerError
        The file cannot be read, holds no usable outline, cannot be placed, or lies elsewhere.
    """
    with opened(source, layer) as found:
        table = _table(found, encoding)
    outlines = parsed(table.wkb)
    if not outlines.present():
        raise LayerError(_nothing_usable(found.shown, outlines))
    boxes = _boxes(outlines)
    stated = _stated_crs(table.crs, found.shown)
    placement = place(boxes, stated=stated, given=crs, area=area, shown=found.shown)
    target = home_crs(boxes, placement.crs, found.shown) if area is None else area.crs
    outlines = clean(outlines, placement.crs, target)
    if not outlines.present():
        raise LayerError(_nothing_usable(found.shown, outlines))
    frame = _frame(table, outlines, target)
    if area is not None:
        _refuse_far(frame, boxes, placement.crs, (area, reach_m), found.shown)
    said = () if table.encoding.assumption is None else (table.encoding.assumption,)
    return LayerRead(
        frame=frame,
        source=found.shown,
        layer=found.layer,
        crs=placement.crs,
        encoding=table.encoding.name,
        rows=len(table.wkb),
        assumptions=(*found.assumptions, *said, *placement.assumptions),
        remarks=table.remarks,
        bad_rows=tuple(outlines.bad),
    )


def states_crs(source: str | Path) -> bool:
    """Whether a layer says in which CRS its coordinates are.

    Raises
    ------
    LayerError
        The file cannot be read.
    """
    with opened(source) as found:
        info, _remarks = rim(
            lambda: pyogrio.read_info(found.target, layer=found.layer, encoding=BYTES), found.shown
        )
    return info["crs"] is not None


def _table(source: Source, given: str | None) -> _Table:
    """Read everything, decoding the text ourselves where the format does not say what it is."""
    shapefile = source.path.suffix.lower() == ".shp"
    stated = stated_encoding(source.path) if shapefile else None
    if not shapefile and given is None:
        try:
            return _as_table(source, _raw(source, None), None)
        except UnicodeDecodeError:
            stated = "utf-8"
    raw = _raw(source, BYTES)
    meta, _fids, _geometry, values = raw[0]
    text = {str(name) for name in meta["fields"]}
    text.update(value for column in values for value in column if isinstance(value, str))
    choice = choose_encoding(text, given=given, stated=stated, shown=source.shown)
    return _as_table(source, raw, choice)


def _raw(source: Source, encoding: str | None) -> tuple[Any, tuple[str, ...]]:
    return rim(
        lambda: pyogrio.raw.read(
            source.target, layer=source.layer, encoding=encoding, datetime_as_string=True
        ),
        source.shown,
    )


def _as_table(
    source: Source, raw: tuple[Any, tuple[str, ...]], encoding: Encoding | None
) -> _Table:
    """Name and decode the columns; ``encoding`` is None where the text is decoded already."""
    (meta, _fids, geometry, values), remarks = raw
    if geometry is None:
        raise LayerError(_("{path}: a table without geometry").format(path=source.shown))
    codec = None if encoding is None else encoding.name
    columns: dict[str, NDArray[Any]] = {}
    for raw_name, column in zip(meta["fields"], values, strict=True):
        name = str(raw_name) if codec is None else decoded(str(raw_name), codec)
        # Tables may name a column twice, or like the geometry; none of them is lost.
        while name in columns or name == "geometry":
            name += "_"
        columns[name] = column if codec is None else _decoded_column(column, codec)
    return _Table(
        wkb=list(geometry),
        columns=columns,
        crs=meta["crs"],
        encoding=encoding or Encoding(name="utf-8", assumption=None),
        remarks=remarks,
    )


def _decoded_column(column: NDArray[Any], codec: str) -> NDArray[Any]:
    if column.dtype != object:
        return column
    values = [decoded(value, codec) if isinstance(value, str) else value for value in column]
    return np.array([*values, None], dtype=object)[:-1]


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


def _frame(table: _Table, outlines: Outlines, crs: CRS) -> gpd.GeoDataFrame:
    present = outlines.present()
    rows = pd.Index([index + 1 for index in present], name="row")
    columns = {name: column[present] for name, column in table.columns.items()}
    return gpd.GeoDataFrame(
        pd.DataFrame(columns, index=rows), geometry=outlines.geometries[present], crs=crs
    )


def _refuse_far(
    frame: gpd.GeoDataFrame, boxes: Boxes, used: CRS, reach: tuple[Area, float], shown: str
) -> None:
    area, reach_m = reach
    nearest = float(box_distances(frame.geometry.bounds.to_numpy(), area.bounds).min())
    if nearest <= reach_m:
        return
    cause = likely_cause(boxes, used, area)
    raise LayerError(
        _(
            "{path}: its nearest outline lies {km:.1f} km from the flight, taken in {crs}{cause}"
        ).format(
            path=shown,
            km=nearest / 1000,
            crs=describe_crs(used),
            cause=f"; {cause}" if cause else "",
        )
    )
