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
    ("excluded.geojson", "Ground not judged"),
)
# By the names in the package, topmost first: what each is called, and whether it is shown at first.
_LAYERS = {
    "suspects": ("Suspects", True),
    "excess": ("Beyond the permit", True),
    "excluded": ("Ground not judged", True),
    "flawed_rows": ("Flawed rows of the permit layer", False),
    "ties": ("Ties of the alignment", False),
    "changes": ("Explained or removed", True),
    "standing": ("Explained by a permit", True),
    "empty_permits": ("Permits with nothing on them", True),
    "permits": ("Permits", True),
    "cells": ("Grid cells", True),
    "districts": ("Townships and communities", True),
    "ground": ("Ground judged", True),
}


@dataclass(frozen=True)
class Shown:
    """One layer of a result."""

    source: str
    """What QGIS opens: a path, or ``PATH|layername=NAME``."""
    title: str
    """What it is called, in English or as the file says."""
    raster: bool = False
    """Whether it is a picture."""
    visible: bool = True
    """Whether it is shown at first."""


def result_layers(folder: Path) -> list[Shown]:
    """Return the layers of what detect or inventory wrote, topmost first."""
    package = folder / _PACKAGE
    shown = package_layers(package) if package.is_file() else []
    if not shown:
        shown = [Shown(str(folder / name), title) for name, title in _FILES if _is(folder / name)]
    return shown + _pictures(folder / "rasters")


def alignment_layers(folder: Path) -> list[Shown]:
    """Return the layers of what align wrote, topmost first."""
    ties, image = folder / "ties.gpkg", folder / "aligned.tif"
    shown = package_layers(ties) if _is(ties) else []
    return shown + ([Shown(str(image), "Aligned image", raster=True)] if _is(image) else [])


def _pictures(folder: Path) -> list[Shown]:
    after, before = folder / "after.tif", folder / "before.tif"
    # Of one flight alone there is no later one.
    shown = [
        Shown(str(after), "Later flight as compared", raster=True),
        Shown(str(before), "Earlier flight as compared", raster=True, visible=not _is(after)),
    ]
    return [picture for picture in shown if _is(Path(picture.source))]


def package_layers(package: Path) -> list[Shown]:
    """Return the layers of a GeoPackage that have geometry; those nobody knows come last."""
    query = "SELECT table_name, identifier FROM gpkg_contents WHERE data_type = 'features'"
    try:
        with closing(sqlite3.connect(f"{package.absolute().as_uri()}?mode=ro", uri=True)) as base:
            rows = base.execute(query).fetchall()
    except sqlite3.Error:
        return []
    order = list(_LAYERS)
    rows.sort(key=lambda row: order.index(row[0]) if row[0] in order else len(order))
    found = []
    for name, identifier in rows:
        title, visible = _LAYERS.get(name, (identifier or name, True))
        found.append(Shown(f"{package}|layername={name}", title, visible=visible))
    return found


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
