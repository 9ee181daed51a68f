"""Everything found on how the flights of an area lie, ready to be written."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from pyproj import CRS

from change.area_flights import FIELD_ENDING, AreaFlight
from survey.alignment import Alignment
from survey.chain import Link, Placed, Route
from survey.crs import describe_crs
from survey.field_file import Measurement, flight_digest
from survey.findings import Finding
from survey.runs import Run

__all__ = ["AreaResult", "area_facts", "role_of", "routes_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaResult:
    """How the flights of an area lie on one of them."""

    run: Run
    """What was run on what."""
    flights: tuple[AreaFlight, ...]
    """All flights, by day; those that cannot be used last."""
    reference: int
    """The number of the one all others are laid on."""
    crs: CRS
    """CRS of all fields: the working CRS of the reference."""
    placed: tuple[Placed, ...]
    """What was found of every flight that could be compared with the reference."""
    findings: tuple[Finding, ...]
    """What the checks said of flights and pairs."""

    @property
    def by_flight(self) -> dict[int, Placed]:
        """The flights that were compared with the reference, by their numbers."""
        return {item.flight: item for item in self.placed}

    @property
    def links(self) -> tuple[Link, ...]:
        """Every pair that was measured, each once."""
        routes = [route for item in self.placed for route in routes_of(item)]
        found = {(link.before, link.after): link for route in routes for link in route.links}
        return tuple(found[pair] for pair in sorted(found))

    @property
    def refused(self) -> tuple[int, ...]:
        """Flights that have no place on the reference."""
        return tuple(
            number
            for number in range(len(self.flights))
            if number != self.reference and self.alignment(number) is None
        )

    def alignment(self, number: int) -> Alignment | None:
        """Return how a flight lies on the reference; None for itself and where it is refused."""
        item = self.by_flight.get(number)
        route = None if item is None else item.route
        if route is None or route.alignment.verdict == "refused":
            return None
        return route.alignment

    def why(self, number: int) -> str:
        """Return the sentence on how a flight was aligned, or why it was not."""
        item = self.by_flight.get(number)
        return self.flights[number].why or ("" if item is None else item.why)

    def field_name(self, number: int) -> str:
        """Return the name of the file of a flight's field."""
        return self.flights[number].label + FIELD_ENDING

    def measurement(self, number: int) -> Measurement:
        """Return what the field of a flight was measured on."""
        route = self.by_flight[number].route
        used, seen = (0, 0) if route is None else route.ties
        return Measurement(
            before_sha256=flight_digest(self.run.inputs, role_of(self.reference)),
            after_sha256=flight_digest(self.run.inputs, role_of(number)),
            precision=self.run.settings.align.precision,
            version=self.run.version,
            ties_used=used,
            ties_seen=seen,
        )


def role_of(number: int) -> str:
    """Return the role of a flight among the inputs of the run."""
    return f"flight_{number + 1}"


def routes_of(item: Placed) -> list[Route]:
    """Return every way to a flight that was measured."""
    return [*([] if item.route is None else [item.route]), *item.others]


def area_facts(result: AreaResult) -> dict[str, Any]:
    """Return what the record tells of an area beyond inputs and settings."""
    closures = [item.closure_m for item in result.placed if item.closure_m is not None]
    return {
        "crs": describe_crs(result.crs),
        "reference": result.flights[result.reference].label,
        "flights": [_flight_facts(result, i) for i in range(len(result.flights))],
        "pairs": [_link_facts(result, link) for link in result.links],
        "largest_closure_m": _rounded(max(closures, default=None)),
        "refused": [result.flights[i].label for i in result.refused],
        "findings": [
            {"code": f.code, "level": f.level, "subject": f.subject, "says": f.sentence()}
            for f in result.findings
        ],
    }


def _flight_facts(result: AreaResult, number: int) -> dict[str, Any]:
    item, placed = result.flights[number], result.by_flight.get(number)
    alignment = result.alignment(number)
    facts: dict[str, Any] = {
        "label": item.label,
        "name": item.name,
        "role": role_of(number),
        "flown_on": item.day.isoformat() if item.day else None,
        "dated_by": item.flight.dated_by if item.flight else "unknown",
        "pixel_m": round(item.flight.pixel_m, 4) if item.flight else None,
    }
    if number == result.reference:
        return facts | {"verdict": "reference"}
    facts |= {"verdict": "refused", "why": result.why(number), "field": None}
    if alignment is None or placed is None or placed.route is None:
        return facts
    return (
        facts
        | _alignment_facts(alignment)
        | {
            "field": result.field_name(number),
            "through": _labels(result, placed.route.through),
            "near": placed.route.near or None,
            "closure_m": _rounded(placed.closure_m),
            "closes": placed.closes if placed.closure_m is not None else None,
            "others": [
                {"through": _labels(result, route.through)} | _alignment_facts(route.alignment)
                for route in placed.others
            ],
        }
    )


def _link_facts(result: AreaResult, link: Link) -> dict[str, Any]:
    before, after = _labels(result, (link.before, link.after))
    return (
        {"before": before, "after": after}
        | _alignment_facts(link.alignment)
        | {"ties_used": link.ties_used, "ties_seen": link.ties_seen}
    )


def _alignment_facts(alignment: Alignment) -> dict[str, Any]:
    east, north = alignment.shift_m
    field = alignment.field
    return {
        "verdict": alignment.verdict,
        "why": alignment.why,
        "east_m": round(east, 3),
        "north_m": round(north, 3),
        "rms_m": _rounded(alignment.rms_m),
        "p95_m": _rounded(alignment.p95_m),
        "uncertainty_m": round(float(np.median(field.uncertainty)), 3),
        "known": round(float(field.known.mean()), 3),
    }


def _labels(result: AreaResult, numbers: Iterable[int]) -> list[str]:
    return [result.flights[number].label for number in numbers]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
