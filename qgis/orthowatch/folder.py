# SPDX-License-Identifier: GPL-2.0-or-later
"""A folder of results: which of its layers a map shows, and in which order."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Shown", "alignment_layers", "count_suspects", "result_layers", "suspects_source"]

_PACKAGE = "results.gpkg"
# Where there is no package: the exchange files, topmost first.
_FILES = (
    ("suspects.geojson", "Suspects"),
    ("stock.geojson", "Suspects"),
    ("excluded.geojson", "Excluded ground"),
)
_RASTERS = (
    ("after.tif", "Later flight as compared"),
    ("before.tif", "Earlier flight as compared"),
)


@dataclass(frozen=True)
class Shown:
    """One layer of a result."""

    source: str
    """What QGIS opens: a path, or ``PATH|layername=NAME``."""
    title: str
    """What it is called, in English or as the file says."""
    raster: bool = False
    """Whether it is a picture."""


def result_layers(folder: Path) -> list[Shown]:
    """Return the layers of what detect or inventory wrote, topmost first."""
    package = folder / _PACKAGE
    shown = package_layers(package) if package.is_file() else []
    if not shown:
        shown = [Shown(str(folder / name), title) for name, title in _FILES if _is(folder / name)]
    pictures = folder / "rasters"
    return shown + [Shown(str(pictures / n), t, True) for n, t in _RASTERS if _is(pictures / n)]


def alignment_layers(folder: Path) -> list[Shown]:
    """Return the layers of what align wrote, topmost first."""
    ties, image = folder / "ties.gpkg", folder / "aligned.tif"
    shown = package_layers(ties) if _is(ties) else []
    return shown + ([Shown(str(image), "Aligned image", True)] if _is(image) else [])


def package_layers(package: Path) -> list[Shown]:
    """Return the layers of a GeoPackage that have geometry, in the order they were written."""
    query = (
        "SELECT table_name, identifier FROM gpkg_contents WHERE data_type = 'features'"
        " ORDER BY rowid"
    )
    try:
        with closing(sqlite3.connect(f"{package.absolute().as_uri()}?mode=ro", uri=True)) as base:
            rows = base.execute(query).fetchall()
    except sqlite3.Error:
        return []
    return [Shown(f"{package}|layername={name}", title or name) for name, title in rows]


def suspects_source(folder: Path) -> str | None:
    """Return the layer of suspects, for the next step of a model; None where there is none."""
    for layer in result_layers(folder):
        name = layer.source.partition("|layername=")[2] or Path(layer.source).stem
        if name in ("suspects", "stock"):
            return layer.source
    return None


def count_suspects(folder: Path) -> int | None:
    """Return how many suspects the run record tells of; None where it tells of none."""
    try:
        told = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    count = told.get("suspects") if isinstance(told, dict) else None
    return count if isinstance(count, int) else None


def _is(path: Path) -> bool:
    return path.is_file()
