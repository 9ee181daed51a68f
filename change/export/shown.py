"""What of a run is shown beside its data: pictures, QGIS layers and project, lists and pages."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from change.export.chips import Subject, View, write_chips
from change.export.dossier import CHIPS, Dossier, Profile, make_dossier
from change.export.geojson import suspects_frame
from change.export.geopackage import Dress, write_geopackage
from change.export.gpkg_tables import Table
from change.export.handouts import HandoutStyle, handout_writers, name_of
from change.export.overview import REASON_COLOURS
from change.export.qgis.project import FOLDER_FILE, LAYER_FILE
from change.export.run_page import write_run_page
from change.inventory_result import InventoryResult
from change.result import Result
from survey.aligned import write_aligned
from survey.grid import WorkingGrid
from survey.runs import Write

__all__ = ["SHOWN", "Shown", "report_writer", "shown_writers"]

Pictures = Callable[[Path], Sequence[tuple[str, str, Path]]]
"""Returns title, note and file of the larger pictures in a folder of results."""

_RASTERS, _REPORT = "rasters", "report.html"
_FORMS = ("xlsx", "csv", "html", "kmz", "gpx", "review")
SHOWN = (LAYER_FILE, FOLDER_FILE, _RASTERS, CHIPS, *map(name_of, _FORMS), _REPORT)
"""The names of all that may be written."""
_OTHER = (110, 110, 110)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A run, and what shows it."""

    result: Result | InventoryResult
    """What was found."""
    views: tuple[View, ...]
    """The flights."""
    grid: WorkingGrid
    """The ground that was looked at."""
    tables: tuple[Table, ...]
    """The layers."""
    dress: Dress
    """Their styles and the project."""
    profiles: Mapping[str, Profile]
    """Heights through suspects, by id."""


def shown_writers(shown: Shown, record: Mapping[str, Any]) -> dict[str, Write]:
    """Return what writes all this, by name, in an order in which each finds what it needs.

    Parameters
    ----------
    shown
        The run.
    record
        Its record.
    """
    result, settings = shown.result, shown.result.run.settings.export
    project = shown.dress.project or b""
    writers: dict[str, Write] = {
        LAYER_FILE: lambda path: write_geopackage(
            path, shown.tables, crs=result.crs, day=_day(result), dress=shown.dress
        ),
        FOLDER_FILE: lambda path: path.write_bytes(project),
    }
    if settings.picture_pixel_m > 0:
        writers[_RASTERS] = lambda path: _write_rasters(path, shown, settings.picture_pixel_m)
    writers[CHIPS] = lambda path: write_chips(
        path, _subjects(result), shown.views, shown.grid, shown.profiles
    )
    frame = suspects_frame(result.suspects, result)

    # One dossier serves all: the pictures it looks for are written before the first of them.
    @cache
    def make(folder: Path) -> Dossier:
        return make_dossier(frame, record, folder)

    parted = any(place.township for place in result.places.values())
    style = HandoutStyle(settings=settings, by="township" if parted else None)
    return writers | handout_writers(make, _FORMS, style)


def report_writer(
    result: Result | InventoryResult, record: Mapping[str, Any], pictures: Pictures
) -> dict[str, Write]:
    """Return what writes the report, by its name; it comes after all that it shows."""

    def write(path: Path) -> None:
        excluded: dict[str, float] = defaultdict(float)
        for ground in result.excluded:
            excluded[ground.reason] += ground.outline.area
        dossier = make_dossier(suspects_frame(result.suspects, result), record, path.parent)
        write_run_page(path, dossier, pictures(path.parent), excluded)

    return {_REPORT: write}


def _day(result: Result | InventoryResult) -> date | None:
    return result.flown[1] or result.flown[0]


def _subjects(result: Result | InventoryResult) -> Sequence[Subject]:
    return [
        Subject(
            id=item.change.id,
            outline=item.change.outline,
            colour=REASON_COLOURS.get(item.reason, _OTHER),
        )
        for item in result.suspects
    ]


def _write_rasters(folder: Path, shown: Shown, pixel_m: float) -> None:
    folder.mkdir()
    for view in shown.views:
        pixel = max(pixel_m, round(view.flight.pixel_m, 4))
        grid = WorkingGrid.around(shown.grid.bounds, crs=shown.grid.crs, pixel_m=pixel)
        write_aligned(view.flight, grid, view.shift, folder / f"{view.role}.tif", lossy=True)
