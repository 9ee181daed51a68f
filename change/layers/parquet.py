"""GeoParquet: a file of columns whose geometry is described in its own metadata.

GeoParquet specification 1.1.0. GDAL as it comes with pyogrio cannot read it, pyarrow can.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from change.layers.encodings import Encoding
from change.layers.extras import extra_module
from change.layers.tables import Table, as_columns
from survey.errors import LayerError
from survey.words import _

__all__ = ["is_parquet", "parquet_table"]

_SUFFIXES = frozenset({".parquet", ".geoparquet", ".pq"})


def is_parquet(path: Path) -> bool:
    """Whether a file is to be read as Parquet."""
    return path.suffix.lower() in _SUFFIXES and path.is_file()


def parquet_table(path: Path) -> Table:
    """Read a GeoParquet file.

    Raises
    ------
    LayerError
        The file cannot be read, or holds no geometry as WKB, or pyarrow is not installed.
    """
    reader = extra_module("pyarrow.parquet", extra="parquet", shown=str(path))
    try:
        table = reader.read_table(path)
    except (OSError, ValueError, RuntimeError, NotImplementedError) as error:
        line = " ".join(str(error).split())[:200]
        raise LayerError(
            _("{path}: cannot be read as a vector layer ({error})").format(path=path, error=line)
        ) from error
    column, crs = _described((table.schema.metadata or {}).get(b"geo"), path)
    if column not in table.column_names:
        raise LayerError(_("{path}: a table without geometry").format(path=path))
    names = [name for name in table.column_names if name != column]
    return Table(
        wkb=table.column(column).to_pylist(),
        columns=as_columns(names, [_cells(table.column(name).to_pylist()) for name in names]),
        crs=crs,
        encoding=Encoding(name="utf-8", assumption=None),
        shown=str(path),
        layer=path.stem,
    )


def _described(metadata: bytes | None, path: Path) -> tuple[str, str | None]:
    """Return the column of the geometry and its CRS as the metadata gives them."""
    if metadata is None:
        raise LayerError(_("{path}: a table without geometry").format(path=path))
    try:
        geo = json.loads(metadata)
        name = str(geo["primary_column"])
        column: dict[str, Any] = geo["columns"][name]
    except (ValueError, KeyError, TypeError) as error:
        raise LayerError(
            _("{path}: its GeoParquet metadata cannot be understood").format(path=path)
        ) from error
    if column.get("encoding") != "WKB":
        raise LayerError(
            _("{path}: its geometry is {encoding}, not WKB; save it as GeoPackage").format(
                path=path, encoding=column.get("encoding")
            )
        )
    # Left out it means OGC:CRS84, null means unknown (section "crs").
    crs = column.get("crs", "OGC:CRS84")
    return name, json.dumps(crs) if isinstance(crs, dict) else crs


def _cells(values: list[Any]) -> Any:
    """Return cells as an array of objects, whatever they are; dates as ISO 8601."""
    plain = [value.isoformat() if hasattr(value, "isoformat") else value for value in values]
    cells = np.empty(len(plain), dtype=object)
    cells[:] = plain
    return cells
