"""Everything one run found, ready to be written."""

from dataclasses import dataclass
from typing import Any

from change.detection import Detection
from change.suspicion import Suspect
from survey.field_file import Measurement, SavedField, flight_digest
from survey.findings import Finding
from survey.pair import Pair
from survey.runs import Run

__all__ = ["AlignmentResult", "Result"]


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
    findings: tuple[Finding, ...]
    """What the checks said of the flights."""
    assumptions: tuple[str, ...]
    """What was assumed, one sentence each."""
    facts: dict[str, Any]
    """More for the run record: permits read, rows that were flawed, CRS..."""

    @property
    def suspects(self) -> tuple[Suspect, ...]:
        """Those changes that the permits do not explain."""
        return tuple(item for item in self.compared if item.suspicious)


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
