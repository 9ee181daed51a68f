"""Dossier: what every list, sheet and page tells of the suspects of one run.

It is made of a table of suspects, the run's record and the pictures in the folder ``chips``, and
nothing else: so it can be had from a run that has just ended, or from a folder of results years
later.
"""

import json
import math
import os
import re
import warnings
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS
from pyproj.exceptions import ProjError
from shapely import Polygon
from shapely.errors import ShapelyError

from change.export.plain_text import plain_text
from change.export.soundness import (
    require_columns,
    require_sound_index,
    require_sound_record,
    sound_table,
)
from change.fieldwork import Decision
from survey.crs import transformer
from survey.errors import LayerError
from survey.runs import read_record
from survey.words import _

__all__ = [
    "CHIPS",
    "CHIP_INDEX",
    "LAYER",
    "LAYERS",
    "Chip",
    "Dossier",
    "Entry",
    "Profile",
    "make_dossier",
    "open_dossier",
]

CHIPS, CHIP_INDEX = "chips", "index.json"
"""The folder of the pictures, and the file in it that says where each lies."""
_MARKED = "marked"
LAYERS, LAYER = "results.gpkg", "suspects"
"""The file of a run's layers, and the layer of its suspects."""
_RECORD = "run.json"
_ID = re.compile("[0-9a-f]{12}")
# SQLite, database file format, 1.3: GDAL would follow other files to wherever they point.
_DATABASE = b"SQLite format 3\x00"
_ROLES, _LONGEST = ("before", "after"), 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Heights along the longest line through a suspect, on the datum of the earlier flight."""

    distance_m: tuple[float, ...]
    """From the line's western end, m."""
    before_m: tuple[float | None, ...]
    """Height at the earlier flight, m; None where unknown."""
    after_m: tuple[float | None, ...]
    """Height at the later flight, m; None where unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """The pictures of one suspect: squares of the same ground, north up."""

    left: float
    """Western edge, m."""
    top: float
    """Northern edge, m."""
    pixel_m: float
    """Pixel, m."""
    side_px: int
    """Width and height, pixels."""
    roles: tuple[str, ...]
    """Of which flights there are pictures, clean and marked: of ``before`` and ``after``."""
    profile: Profile | None = None
    """Heights through it; None without surface models."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One suspect."""

    number: int
    """Its place among the suspects, from 1, the most severe first."""
    id: str
    """Its id within the run."""
    values: Mapping[str, Any]
    """The columns of ``suspects.geojson``: text, numbers, None where nothing is known."""
    outline: Polygon
    """Outline, m, in the area's CRS."""
    lon: float
    """Longitude of a point inside it, degrees, WGS 84."""
    lat: float
    """Latitude of that point, degrees, WGS 84."""
    chip: Chip | None = None
    """Its pictures; None where none were made."""
    decision: Decision | None = None
    """What a person said of it; None where nobody did."""

    def picture(self, role: str, *, marked: bool) -> str | None:
        """Return a picture's path inside the folder of results; None where there is none.

        Parameters
        ----------
        role
            ``before`` or ``after``.
        marked
            Whether with the outline drawn into it, smaller.
        """
        if self.chip is None or role not in self.chip.roles:
            return None
        folder = f"{CHIPS}/{_MARKED}" if marked else CHIPS
        return f"{folder}/{self.id}_{role}.jpg"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """The suspects of one run, with all that is told of them."""

    folder: Path
    """Where ``chips`` lies."""
    crs: CRS
    """CRS of the outlines, metres."""
    record: Mapping[str, Any]
    """The run's record, as in ``run.json``."""
    entries: tuple[Entry, ...]
    """The suspects, the most severe first."""

    @property
    def run_id(self) -> str:
        """Id of the run."""
        return str(self.record["run_id"])

    def decided(self, decisions: Mapping[str, Decision]) -> "Dossier":
        """Return the dossier with what a person said of its suspects."""
        entries = (replace(item, decision=decisions.get(item.id)) for item in self.entries)
        return replace(self, entries=tuple(entries))

    def only(self, entries: Iterable[Entry]) -> "Dossier":
        """Return the dossier with some of its suspects, in the order given."""
        return replace(self, entries=tuple(entries))


def make_dossier(frame: gpd.GeoDataFrame, record: Mapping[str, Any], folder: Path) -> Dossier:
    """Return the dossier of a table of suspects.

    Parameters
    ----------
    frame
        As ``change.export.geojson.suspects_frame`` returns it, in the area's CRS.
    record
        The run's record.
    folder
        Where ``chips`` lies, if there are pictures.

    Raises
    ------
    LayerError
        The index of the pictures is damaged, or an id is none of ours.
    """
    for name in frame["id"]:
        # Ids become names of files.
        if not _ID.fullmatch(str(name)):
            raise LayerError(_("{name!r} is no id of a suspect").format(name=str(name)[:40]))
    crs = CRS.from_user_input(frame.crs)
    points = frame.geometry.representative_point()
    lons, lats = transformer(crs, CRS.from_epsg(4326)).transform(points.x, points.y)
    chips = _read_chips(folder / CHIPS)
    rows = frame.drop(columns=frame.geometry.name).to_dict("records")
    entries = tuple(
        Entry(
            number=number,
            id=str(row["id"]),
            values={str(name): _plain(value) for name, value in row.items()},
            outline=outline,
            lon=float(lon),
            lat=float(lat),
            chip=chips.get(str(row["id"])),
        )
        for number, (row, outline, lon, lat) in enumerate(
            zip(rows, frame.geometry, lons, lats, strict=True), start=1
        )
    )
    return Dossier(folder=folder, crs=crs, record=record, entries=entries)


def open_dossier(folder: Path) -> Dossier:
    """Return the dossier of a folder of results.

    Raises
    ------
    LayerError
        The folder holds no results of ours, or they are damaged.
    """
    record = read_record(folder / _RECORD)
    if record is None or not _names_layers(record):
        raise LayerError(
            _("{path}: not a folder of results; name one that detect -o has written").format(
                path=folder
            )
        )
    try:
        require_sound_record(record)
    except ValueError as error:
        raise _unreadable(folder / _RECORD, error) from error
    return make_dossier(_read_table(folder / LAYERS), record, folder)


def _names_layers(record: Mapping[str, Any]) -> bool:
    outputs = record.get("outputs")
    return not isinstance(outputs, list) or LAYERS in outputs


def _read_table(path: Path) -> gpd.GeoDataFrame:
    """Return the layer of suspects as a run has written it, or refuse it."""
    try:
        if not path.is_file():
            raise ValueError(_("not a file"))
        with path.open("rb") as stream:
            if stream.read(len(_DATABASE)) != _DATABASE:
                raise ValueError(_("not a GeoPackage"))
        with warnings.catch_warnings():
            # What GDAL finds odd is refused below, or does not matter here.
            warnings.simplefilter("ignore")
            told = pyogrio.read_info(path, layer=LAYER)
            fields = [str(name) for name in told["fields"] if name != "geometry"]
            require_columns(fields, geometry=told["geometry_type"], crs=told["crs"])
            frame = pyogrio.read_dataframe(path, layer=LAYER, columns=fields)
            return sound_table(frame)
    except (
        *(DataSourceError, DataLayerError, ProjError, ShapelyError),
        *(OSError, ValueError, TypeError, OverflowError),
    ) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> LayerError:
    told = plain_text(" ".join(str(error).split()), _LONGEST)
    return LayerError(
        _("{path}: cannot be read ({error}); take it as orthowatch has written it").format(
            path=path, error=told
        )
    )


def _plain(value: Any) -> Any:
    """Return a cell as text, a number, or None; a day as ISO 8601."""
    if pd.isna(value) or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if isinstance(value, pd.Timestamp | date):
        return value.isoformat()[:10]
    return value.item() if hasattr(value, "item") else value


def _read_chips(folder: Path) -> dict[str, Chip]:
    """Return the pictures that lie in a folder itself: links lead anywhere and do not count."""
    path = folder / CHIP_INDEX
    if folder.is_symlink() or not os.path.lexists(path):
        return {}
    try:
        if path.is_symlink() or not path.is_file():
            raise ValueError(_("not a file"))
        index = json.loads(path.read_text(encoding="utf-8"))
        require_sound_index(index)
        files = _files_in(folder) & _files_in(folder / _MARKED)
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(path, error) from error
    return {name: _chip(name, told, files) for name, told in index["chips"].items()}


def _files_in(folder: Path) -> set[str]:
    if folder.is_symlink() or not folder.is_dir():
        return set()
    with os.scandir(folder) as found:
        return {item.name for item in found if item.is_file(follow_symlinks=False)}


def _chip(name: str, told: Mapping[str, Any], files: Collection[str]) -> Chip:
    profile = told.get("profile")
    there = (role for role in _ROLES if f"{name}_{role}.jpg" in files)
    return Chip(
        left=float(told["left"]),
        top=float(told["top"]),
        pixel_m=float(told["pixel_m"]),
        side_px=told["side_px"],
        roles=tuple(role for role in there if role in told["roles"]),
        profile=None
        if profile is None
        else Profile(
            distance_m=tuple(profile["distance_m"]),
            before_m=tuple(profile["before_m"]),
            after_m=tuple(profile["after_m"]),
        ),
    )
