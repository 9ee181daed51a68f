"""Everything an inventory of one flight found, ready to be written."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from change.dispatch import Districts, Place
from change.exclusion import Excluded
from change.inventory import Stock
from change.permits import Permit, Permits
from change.standing import Standing
from change.suspicion import Suspect
from survey.findings import Finding
from survey.flight import Flight
from survey.grid import WorkingGrid
from survey.runs import Run

__all__ = ["EmptyPermit", "InventoryResult"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyPermit:
    """A permit with nothing built on it."""

    permit: Permit
    """The permit, where the flight shows its ground."""
    seen: float
    """Share of its ground that the flight shows, 0 to 1."""
    told: Standing
    """What says that nothing stands there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryResult:
    """What an inventory found."""

    run: Run
    """What was run on what."""
    flight: Flight
    """The flight."""
    grid: WorkingGrid
    """The grid it was read on."""
    stock: Stock
    """What stands, and excluded ground."""
    compared: tuple[Suspect, ...]
    """Everything that stands with what the permits say to it, the most severe first."""
    empty: tuple[EmptyPermit, ...]
    """Permits with nothing built on them, in the order of their layer."""
    places: Mapping[str, Place]
    """Who is responsible for each structure, by its id; empty where nobody was named."""
    findings: tuple[Finding, ...]
    """What the checks said of the flight."""
    assumptions: tuple[str, ...]
    """What was assumed, one sentence each."""
    facts: dict[str, Any]
    """More for the run record: flight, permits read, rows that were flawed, CRS..."""
    permits: Permits | None = None
    """The permit layer where the flight shows what it draws; None where none was given."""
    districts: Districts | None = None
    """Districts and cells of the area."""
    within: BaseGeometry | None = None
    """The area that was asked for; None where it is all that the flight covers."""

    @property
    def suspects(self) -> tuple[Suspect, ...]:
        """Those structures that the permits do not explain."""
        return tuple(item for item in self.compared if item.suspicious)

    @property
    def excluded(self) -> tuple[Excluded, ...]:
        """Ground that was not judged."""
        return self.stock.excluded

    @property
    def crs(self) -> CRS:
        """CRS of all outlines."""
        return self.grid.crs

    @property
    def verdict(self) -> None:
        """One flight alone has no alignment that could be verified."""
        return None

    @property
    def flown(self) -> tuple[date | None, date | None]:
        """Days of the earlier and the later flight: what stands, stood on the first."""
        return self.flight.flown_on, None
