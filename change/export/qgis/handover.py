"""What a run hands to QGIS: the layers of ``results.gpkg`` and what dresses them."""

from collections.abc import Mapping

import shapely

from change.export.geopackage import Dress
from change.export.gpkg_tables import Table
from change.export.headings import VERDICT_WORDS, in_languages, list_languages
from change.export.qgis.project import Picture, Show, make_dress
from change.inventory_result import InventoryResult
from change.result import Result
from survey.grid import Bounds, WorkingGrid
from survey.words import N_

__all__ = ["dress_inventory", "dress_result"]

_TITLE = N_("suspected unauthorised construction")
_COUNTED = N_("suspects")
_ROLE_WORDS = {"before": N_("before"), "after": N_("after")}


def dress_result(result: Result, tables: tuple[Table, ...]) -> Dress:
    """Return the styles and the project of a comparison.

    Parameters
    ----------
    result
        What was found.
    tables
        As ``change.export.gpkg_tables.result_tables`` returns them.
    """
    flights = {"after": result.pair.after, "before": result.pair.before}
    days = {
        role: flight.flown_on.isoformat() if flight.flown_on else flight.name
        for role, flight in flights.items()
    }
    return make_dress(_show(result, tables, days, result.pair.grid))


def dress_inventory(result: InventoryResult, tables: tuple[Table, ...]) -> Dress:
    """Return the styles and the project of an inventory.

    Parameters
    ----------
    result
        What was found.
    tables
        As ``change.export.gpkg_tables.inventory_tables`` returns them.
    """
    flight = result.flight
    days = {"before": flight.flown_on.isoformat() if flight.flown_on else flight.name}
    return make_dress(_show(result, tables, days, result.grid))


def _show(
    result: Result | InventoryResult,
    tables: tuple[Table, ...],
    days: Mapping[str, str],
    grid: WorkingGrid,
) -> Show:
    export = result.run.settings.export
    languages = list_languages(export.language)
    pictures = tuple(
        Picture(role=role, title=_picture_title(role, day, languages, alone=len(days) == 1))
        for role, day in days.items()
    )
    day = result.flown[1] or result.flown[0]
    flown = " – ".join(reversed(list(days.values())))
    return Show(
        tables=tables,
        crs=result.crs,
        bounds=_judged(result, grid),
        run_id=result.run.id,
        title=f"{in_languages(_TITLE, languages)} {flown}",
        note=_note(result, languages),
        day=day,
        languages=languages,
        pictures=pictures if export.picture_pixel_m > 0 else (),
        chips=tuple(reversed(list(days))),
    )


def _picture_title(role: str, day: str, languages: tuple[str, ...], *, alone: bool) -> str:
    word = N_("flight") if alone else _ROLE_WORDS[role]
    return f"{in_languages(word, languages)} {day}"


def _note(result: Result | InventoryResult, languages: tuple[str, ...]) -> str:
    count = len(result.suspects)
    area = sum(item.change.area_m2 for item in result.suspects)
    parts = [f"{in_languages(_COUNTED, languages)}: {count} ({area:,.0f} m²)"]
    if result.verdict is not None:
        alignment = in_languages(N_("alignment"), languages)
        parts.append(f"{alignment}: {in_languages(VERDICT_WORDS[result.verdict], languages)}")
    return " · ".join(parts)


def _judged(result: Result | InventoryResult, grid: WorkingGrid) -> Bounds:
    """Return a rectangle around the ground that was judged."""
    bounds = grid.bounds
    if result.within is None:
        return bounds
    ground = shapely.box(bounds.left, bounds.bottom, bounds.right, bounds.top)
    left, bottom, right, top = ground.intersection(result.within).bounds
    return Bounds(left=left, bottom=bottom, right=right, top=top)
