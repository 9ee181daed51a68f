"""Databases: one table of PostGIS, named by a connection string.

Nothing is contacted unless such a string is given. A password may stand in it, in ``PGPASSWORD`` or
in ``~/.pgpass``; it is left out of everything that is shown or recorded.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import numpy as np

from change.layers.encodings import Encoding
from change.layers.extras import extra_module
from change.layers.tables import Table, as_columns
from survey.errors import LayerError
from survey.words import _

__all__ = ["database_table", "is_database", "shown_database"]

_URL = re.compile(r"postgres(?:ql)?://", re.IGNORECASE)
_WORDS = re.compile(r"PG:", re.IGNORECASE)
_WORD = re.compile(r"(\w+)\s*=\s*('(?:[^'\\]|\\.)*'|\S*)")
_PATIENCE_S = "10"
# What of a connection string may be shown.
_OPEN = ("host", "hostaddr", "port", "dbname")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Address:
    """Where a table is, and how to get there."""

    options: tuple[tuple[str, str], ...]
    """Words of the connection, as libpq knows them."""
    table: str
    """``SCHEMA.NAME`` or ``NAME``; empty where the string does not say."""

    @property
    def shown(self) -> str:
        said = dict(self.options)
        host = said.get("host", said.get("hostaddr", ""))
        port = f":{said['port']}" if "port" in said else ""
        return f"postgresql://{host}{port}/{said.get('dbname', '')} {self.table}".strip()


def is_database(source: object) -> bool:
    """Whether what the user typed names a database: ``postgresql://...`` or ``PG:...``."""
    text = str(source).lstrip()
    # A file may be called "PG:x.gpkg": then nothing in it looks like host=... or dbname=...
    return bool(_URL.match(text) or (_WORDS.match(text) and _WORD.match(text[3:].lstrip())))


def shown_database(source: object) -> str:
    """Return a connection string without user and password, for messages and records.

    Examples
    --------
    >>> shown_database("postgresql://li:secret@db.example/permits?table=gis.permits")
    'postgresql://db.example/permits gis.permits'
    """
    return _parsed(str(source)).shown


def _parsed(text: str) -> _Address:
    text, _bar, layer = text.lstrip().partition("|layername=")
    if _URL.match(text):
        found = _from_url(text)
    else:
        found = {key.lower(): _unquoted(value) for key, value in _WORD.findall(text[3:])}
        # GDAL writes tables=schema.name.
        found["table"] = found.pop("tables", found.get("table", ""))
    table = layer.strip() or found.pop("table", "")
    found.pop("table", None)
    return _Address(options=tuple(sorted(found.items())), table=table)


def _from_url(text: str) -> dict[str, str]:
    try:
        parts = urlsplit(text)
        found = dict(parse_qsl(parts.query))
        named = {
            "host": parts.hostname,
            "port": None if parts.port is None else str(parts.port),
            "user": parts.username,
            "password": parts.password,
            "dbname": parts.path.lstrip("/"),
        }
    except ValueError as error:
        raise LayerError(_("the connection string cannot be understood")) from error
    return {key: unquote(value) for key, value in named.items() if value} | found


def _unquoted(value: str) -> str:
    if len(value) > 1 and value.startswith("'"):
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value


def database_table(source: object) -> Table:
    """Read a table of PostGIS, in the order of its primary key, else of its content.

    Parameters
    ----------
    source
        ``postgresql://USER@HOST:PORT/DATABASE?table=SCHEMA.NAME``, or the words of libpq after
        ``PG:``, such as ``PG:host=HOST dbname=DATABASE table=SCHEMA.NAME``.

    Raises
    ------
    LayerError
        psycopg is not installed, the database cannot be reached, or it has no such table.
    """
    address = _parsed(str(source))
    driver = extra_module("psycopg", extra="postgis", shown=address.shown)
    options = {"connect_timeout": _PATIENCE_S} | dict(address.options)
    try:
        with driver.connect(**options) as connection:
            connection.read_only = True
            return _read(connection, driver.sql, address)
    except driver.Error as error:
        raise LayerError(
            _("{path}: the database refuses ({error})").format(
                path=address.shown, error=_harmless(str(error), address)
            )
        ) from error


def _harmless(message: str, address: _Address) -> str:
    """Return the first lines of an error on one, without what must not be shown."""
    line = " ".join(message.split())[:300]
    for key, value in address.options:
        if key not in _OPEN and value:
            line = line.replace(value, "***")
    return line


def _read(connection: Any, sql: Any, address: _Address) -> Table:
    schema, name, column, srid = _chosen(connection, address)
    keys = _rows(connection, _KEYS, (schema, name))
    # A view has no key: its rows are put in the order of what they hold.
    order = [sql.Identifier(key) for (key,) in keys] or [sql.SQL("t::text")]
    others = [n for (n,) in _rows(connection, _COLUMNS, (schema, name)) if n != column]
    query = sql.SQL(
        "SELECT ST_AsBinary(ST_CurveToLine({g})){more} FROM {table} AS t ORDER BY {order}"
    )
    text = query.format(
        g=sql.Identifier(column),
        more=sql.SQL("").join(sql.SQL(", {}").format(sql.Identifier(n)) for n in others),
        table=sql.Identifier(schema, name),
        order=sql.SQL(", ").join(order),
    )
    rows = _rows(connection, text, ())
    return Table(
        wkb=[None if row[0] is None else bytes(row[0]) for row in rows],
        columns=as_columns(
            others, [_cells([row[i] for row in rows]) for i in range(1, len(others) + 1)]
        ),
        crs=_crs(connection, srid),
        encoding=Encoding(name="utf-8", assumption=None),
        shown=address.shown,
        layer=f"{schema}.{name}",
        digest=_digest(others, rows, srid),
    )


_LAYERS = """
SELECT f_table_schema, f_table_name, f_geometry_column, srid FROM geometry_columns
WHERE (%(name)s = '' OR f_table_name = %(name)s)
  AND (%(schema)s = '' OR f_table_schema = %(schema)s)
  AND (%(name)s <> '' OR type LIKE '%%POLYGON' OR type IN ('GEOMETRY', 'CURVEPOLYGON'))
ORDER BY 1, 2, 3
"""
_COLUMNS = """
SELECT column_name FROM information_schema.columns
WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position
"""
_KEYS = """
SELECT k.column_name FROM information_schema.table_constraints c
JOIN information_schema.key_column_usage k USING (constraint_schema, constraint_name)
WHERE c.constraint_type = 'PRIMARY KEY' AND c.table_schema = %s AND c.table_name = %s
ORDER BY k.ordinal_position
"""
_SYSTEM = "SELECT auth_name, auth_srid, srtext FROM spatial_ref_sys WHERE srid = %s"


def _rows(connection: Any, query: Any, values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())


def _chosen(connection: Any, address: _Address) -> tuple[str, str, str, int]:
    """Return schema, name, geometry column and SRID of the table that is meant."""
    schema, _dot, name = address.table.rpartition(".")
    found = _rows(connection, _LAYERS, {"schema": schema, "name": name})
    if len(found) == 1:
        only = found[0]
        return str(only[0]), str(only[1]), str(only[2]), int(only[3])
    if not found:
        raise LayerError(_("{path}: no such table with geometry").format(path=address.shown))
    names = ", ".join(dict.fromkeys(f"{row[0]}.{row[1]}" for row in found[:10]))
    raise LayerError(
        _("{path}: several tables may be meant; name one with ?table=: {names}").format(
            path=address.shown, names=names
        )
    )


def _crs(connection: Any, srid: int) -> str | None:
    found = _rows(connection, _SYSTEM, (srid,)) if srid else []
    if not found:
        return None
    authority, code, text = found[0]
    return f"{authority}:{code}" if authority else str(text)


def _cells(values: list[Any]) -> Any:
    """Return cells as an array of objects; dates as ISO 8601, exact decimals as numbers."""
    cells = np.empty(len(values), dtype=object)
    cells[:] = [_plain(value) for value in values]
    return cells


def _plain(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return float(value) if type(value).__name__ == "Decimal" else value


def _digest(names: list[str], rows: list[tuple[Any, ...]], srid: int) -> str:
    """Return the hash of what was read, which tells two states of a table apart."""
    digest = hashlib.sha256(json.dumps([srid, names], ensure_ascii=False).encode())
    for row in rows:
        geometry = b"" if row[0] is None else bytes(row[0])
        digest.update(geometry + json.dumps(row[1:], default=str, ensure_ascii=False).encode())
    return digest.hexdigest()
