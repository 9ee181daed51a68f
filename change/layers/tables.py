"""Tables: a layer as it comes out of its source, geometry as WKB and columns as arrays."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyogrio
from numpy.typing import NDArray

from change.layers.encodings import Encoding, choose_encoding, decoded, stated_encoding
from change.layers.sources import BYTES, Source, rim
from survey.errors import LayerError
from survey.words import _

__all__ = ["Columns", "Table", "as_columns", "gdal_table"]

Columns = dict[str, NDArray[Any]]
"""Name of each column to its cells, in the order of the rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A layer before anything is made of it."""

    wkb: list[bytes | None]
    """Geometry of each row."""
    columns: Columns
    """The attributes."""
    crs: str | None
    """The CRS it states, as anything PROJ understands."""
    encoding: Encoding
    """How its text was decoded."""
    shown: str
    """The source as the user knows it, for sentences; no password in it."""
    layer: str
    """Name of the layer inside the source."""
    assumptions: tuple[str, ...] = ()
    """What was assumed, as sentences."""
    remarks: tuple[str, ...] = ()
    """Warnings of the library that read it."""
    digest: str | None = None
    """SHA-256 of the content, where no file can be hashed."""


def as_columns(names: list[str], values: list[NDArray[Any]]) -> Columns:
    """Return named columns; one that is named twice, or like the geometry, is not lost."""
    columns: Columns = {}
    for name, column in zip(names, values, strict=True):
        free = name
        while free in columns or free == "geometry":
            free += "_"
        columns[free] = column
    return columns


def gdal_table(source: Source, given: str | None) -> Table:
    """Read all of a layer, decoding the text here where the format does not say what it is.

    Parameters
    ----------
    source
        The layer.
    given
        Encoding of its text, as the user says; None to believe or find it.

    Raises
    ------
    LayerError
        The file cannot be read, is a table without geometry, or is not in that encoding.
    """
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


def _as_table(source: Source, raw: tuple[Any, tuple[str, ...]], encoding: Encoding | None) -> Table:
    """Name and decode the columns; ``encoding`` is None where the text is decoded already."""
    (meta, _fids, geometry, values), remarks = raw
    if geometry is None:
        raise LayerError(_("{path}: a table without geometry").format(path=source.shown))
    names = [str(name) for name in meta["fields"]]
    if encoding is not None:
        names = [decoded(name, encoding.name) for name in names]
        values = [_decoded_column(column, encoding.name) for column in values]
    return Table(
        wkb=list(geometry),
        columns=as_columns(names, list(values)),
        crs=meta["crs"],
        encoding=encoding or Encoding(name="utf-8", assumption=None),
        shown=source.shown,
        layer=source.layer,
        assumptions=source.assumptions,
        remarks=remarks,
    )


def _decoded_column(column: NDArray[Any], codec: str) -> NDArray[Any]:
    if column.dtype != object:
        return column
    values = [decoded(value, codec) if isinstance(value, str) else value for value in column]
    return np.array([*values, None], dtype=object)[:-1]
