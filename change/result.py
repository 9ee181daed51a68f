"""Everything one run found, ready to be written."""

from dataclasses import dataclass
from typing import Any

from change.detection import Detection
from change.suspicion import Suspect
from survey.findings import Finding
from survey.pair import Pair
from survey.runs import Run

__all__ = ["Result"]


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
