"""The product's own line from a permit layer to suspects, as benchmarks run it."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from datetime import date

from change.changes import Change
from change.permits import Permits
from change.placed_permits import PlacedPermits, place_permits
from change.sight import Sight
from change.suspicion import Circumstances, Suspect, compare
from survey.flight import Flight
from survey.grid import WorkingGrid
from survey.settings import Settings

__all__ = ["compare_changes", "place_on"]


def place_on(
    flight: Flight,
    grid: WorkingGrid,
    permits: Permits,
    settings: Settings,
    *,
    heights: bool,
    executor: Executor | None = None,
) -> PlacedPermits:
    """Place a layer by what the earlier flight shows, with its surface model or without."""
    sight = Sight(flight=flight, grid=grid, dsm=flight.dsm if heights else None)
    return place_permits(permits, sight, settings.permits, executor=executor)


def compare_changes(
    changes: Sequence[Change],
    layer: PlacedPermits,
    settings: Settings,
    days: tuple[date, date],
    built: Mapping[int, bool | None] | None = None,
) -> list[Suspect]:
    """Hold changes against a layer.

    ``days`` are those of the two flights; ``built`` says, by row, on which permits something stood;
    None for what the product found.
    """
    known = Circumstances(
        flown_before=days[0],
        flown_after=days[1],
        placed_to=layer.placed_to,
        placed=layer.placed,
        built=layer.built if built is None else built,
    )
    return compare(changes, layer.permits, settings, known)
