"""What the run record tells beyond inputs and settings: flights, alignment, heights, permits."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from change.permit_offset import PermitOffset
from change.permits import Permits
from survey.crs import describe_crs
from survey.findings import Finding
from survey.pair import Pair

__all__ = ["finding_record", "pair_facts", "permit_facts"]


def pair_facts(pair: Pair, findings: Sequence[Finding]) -> dict[str, Any]:
    """Return what the record tells of two flights and how they lie against each other."""
    return {
        "crs": describe_crs(pair.grid.crs),
        "pixel_m": pair.grid.pixel_m,
        "flights": {
            role: {
                "name": flight.name,
                "flown_on": flight.flown_on.isoformat() if flight.flown_on else None,
                "dated_by": flight.dated_by,
                "crs": describe_crs(flight.crs),
                "pixel_m": round(flight.pixel_m, 4),
            }
            for role, flight in (("before", pair.before), ("after", pair.after))
        },
        "alignment": _alignment_facts(pair),
        "heights": _height_facts(pair),
        "findings": [finding_record(item) for item in findings],
    }


def permit_facts(permits: Permits | None, offset: PermitOffset | None) -> dict[str, Any] | None:
    """Return what the record tells of the permit layer; None where none was given."""
    if permits is None:
        return None
    return {
        "read": len(permits.permits),
        "offset": None if offset is None else asdict(offset),
        "flawed_rows": [
            {"row": row.row, "why": row.why, "detail": row.detail, "kept": row.kept}
            for row in permits.bad_rows
        ],
    }


def finding_record(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON values, with its sentence."""
    return asdict(finding) | {"says": finding.sentence()}


def _alignment_facts(pair: Pair) -> dict[str, Any]:
    alignment = pair.alignment
    east, north = alignment.shift_m
    return {
        "verdict": alignment.verdict,
        "accepted_by": alignment.accepted_by,
        "why": alignment.why,
        "east_m": round(east, 3),
        "north_m": round(north, 3),
        "rms_m": None if alignment.rms_m is None else round(alignment.rms_m, 3),
        "p95_m": None if alignment.p95_m is None else round(alignment.p95_m, 3),
        "ties_used": alignment.ties_used,
        "ties_seen": alignment.ties_seen,
        "evidence": round(alignment.evidence, 2),
    }


def _height_facts(pair: Pair) -> dict[str, Any] | None:
    datum = pair.datum
    if datum is None:
        return None
    return {
        "offset_m": round(datum.offset, 3),
        "tilt_m_per_100m": [round(100 * tilt, 3) for tilt in datum.tilt],
        "residual_m": round(datum.residual_m, 3),
    }
