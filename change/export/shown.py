"""What of a run is shown beside its data: pictures, QGIS layers and project, lists and pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from change.export.chips import Subject, View, write_chips
from change.export.dossier import CHIPS, Dossier, Profile, make_dossier
from change.export.geojson import suspects_frame
from change.export.geopackage import Dress, write_geopackage
from change.export.gpkg_tables import Table
from change.export.handouts import HandoutStyle, handout_writers
from change.export.overview import REASON_COLOURS
from change.inventory_result import InventoryResult
from change.result import Result
from survey.aligned import write_aligned
from survey.grid import WorkingGrid
from survey.runs import Write

__all__ = ["SHOWN", "Shown", "shown_writers"]

_LAYERS, _PROJECT, _RASTERS = "results.gpkg", "project.qgz", "rasters"
_FORMS = ("xlsx", "csv", "html", "kmz", "gpx", "review")
SHOWN = (
    *(_LAYERS, _PROJECT, _RASTERS, CHIPS, "inspection.xlsx", "inspection.csv", "sheets.html"),
    *("suspects.kmz", "suspects.gpx", "review"),
)
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
        _LAYERS: lambda path: write_geopackage(
            path, shown.tables, crs=result.crs, day=_day(result), dress=shown.dress
        ),
        _PROJECT: lambda path: path.write_bytes(project),
    }
    if settings.picture_pixel_m > 0:
        writers[_RASTERS] = lambda path: _write_rasters(path, shown, settings.picture_pixel_m)
    writers[CHIPS] = lambda path: write_chips(
        path, _subjects(result), shown.views, shown.grid, shown.profiles
    )
    frame = suspects_frame(result.suspects, result)

    def make(folder: Path) -> Dossier:
        return make_dossier(frame, record, folder)

    parted = any(place.township for place in result.places.values())
    style = HandoutStyle(settings=settings, by="township" if parted else None)
    return writers | handout_writers(make, _FORMS, style)


def _day(result: Result | InventoryResult) -> Any:
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
