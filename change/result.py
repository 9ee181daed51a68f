"""Everything one run found, ready to be written."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from change.detection import Detection
from change.dispatch import Districts, Place
from change.exclusion import Excluded
from change.model.detector import Detector
from change.permits import Permits
from change.suspicion import Suspect
from survey.field_file import Measurement, SavedField, flight_digest
from survey.findings import Finding
from survey.pair import Pair
from survey.runs import Run

__all__ = ["AlignmentResult", "Compared", "Result"]


class Compared(Protocol):
    """What tables of suspects tell of the run that found them, whatever kind of run it was."""

    @property
    def run(self) -> Run:
        """What was run on what."""

    @property
    def places(self) -> Mapping[str, Place]:
        """Who is responsible for each change, by its id."""

    @property
    def crs(self) -> CRS:
        """CRS of all outlines."""

    @property
    def verdict(self) -> str | None:
        """Verdict on the alignment; None where nothing was aligned."""

    @property
    def flown(self) -> tuple[date | None, date | None]:
        """Days of the earlier and the later flight; None where unknown or where there is none."""

    @property
    def excluded(self) -> tuple[Excluded, ...]:
        """Ground that was not judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one run found."""

    run: Run
    """What was run on what."""
    pair: Pair
    """The two flights on one grid."""
    detection: Detection
    """Changes and excluded ground."""
    compared: tuple[Suspect, ...]
    """Every change with what the permits say to it, the most severe first."""
    places: Mapping[str, Place]
    """Who is responsible for each change, by its id; empty where nobody was named."""
    findings: tuple[Finding, ...]
    """What the checks said of the flights."""
    assumptions: tuple[str, ...]
    """What was assumed, one sentence each."""
    facts: dict[str, Any]
    """More for the run record: permits read, rows that were flawed, CRS..."""
    detector: Detector | None = None
    """What looked at the pictures; None where that is not known any more."""
    permits: Permits | None = None
    """The permit layer where the flight shows what it draws; None where none was given."""
    districts: Districts | None = None
    """Districts and cells of the area."""
    within: BaseGeometry | None = None
    """The area that was asked for; None where it is all that both flights cover."""

    @property
    def suspects(self) -> tuple[Suspect, ...]:
        """Those changes that the permits do not explain."""
        return tuple(item for item in self.compared if item.suspicious)

    @property
    def crs(self) -> CRS:
        """CRS of all outlines."""
        return self.pair.grid.crs

    @property
    def verdict(self) -> str:
        """Verdict on the alignment."""
        return self.pair.alignment.verdict

    @property
    def flown(self) -> tuple[date | None, date | None]:
        """Days of the earlier and the later flight; None where unknown."""
        return self.pair.before.flown_on, self.pair.after.flown_on

    @property
    def excluded(self) -> tuple[Excluded, ...]:
        """Ground that was not judged."""
        return self.detection.excluded


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignmentResult:
    """How two flights lie against each other, and what that was measured on."""

    run: Run
    """What was run on what."""
    pair: Pair
    """The two flights on one grid, with their alignment."""
    findings: tuple[Finding, ...]
    """What the checks said of the flights."""
    saved: SavedField | None
    """The file the alignment was taken from; None where it was measured."""
    facts: dict[str, Any]
    """More for the run record: flights, alignment, CRS..."""

    @property
    def measurement(self) -> Measurement:
        """What the alignment was measured on, now or when it was saved."""
        if self.saved is not None:
            return self.saved.measurement
        alignment = self.pair.alignment
        return Measurement(
            before_sha256=flight_digest(self.run.inputs, "before"),
            after_sha256=flight_digest(self.run.inputs, "after"),
            precision=self.run.settings.align.precision,
            version=self.run.version,
            ties_used=alignment.ties_used,
            ties_seen=alignment.ties_seen,
        )
