"""What the run record tells beyond inputs and settings: flights, alignment, heights, permits."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from change.model.detector import Detector
from change.permit_offset import LayerOffset
from change.permits import Permits
from change.shadows import Shadows
from survey.crs import describe_crs
from survey.field_file import SavedField
from survey.findings import Finding
from survey.heights import Datum
from survey.pair import Pair
from survey.relief import ReliefShift
from survey.surface_fit import SurfaceFit

__all__ = ["detector_facts", "finding_record", "pair_facts", "permit_facts", "shadow_facts"]


def pair_facts(
    pair: Pair, findings: Sequence[Finding], saved: SavedField | None = None
) -> dict[str, Any]:
    """Return what the record tells of two flights and how they lie against each other.

    Parameters
    ----------
    pair
        The flights.
    findings
        What the checks said of them.
    saved
        The file the alignment was taken from; None where it was measured.
    """
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
                "coloured": coloured,
            }
            for role, flight, coloured in zip(
                ("before", "after"), (pair.before, pair.after), pair.coloured, strict=True
            )
        },
        "alignment": _alignment_facts(pair, saved),
        "heights": _height_facts(pair),
        "findings": [finding_record(item) for item in findings],
    }


def detector_facts(detector: Detector) -> dict[str, Any]:
    """Return which model looked at the pictures."""
    return {"name": detector.manifest.name, "sha256": detector.digest}


def shadow_facts(shadows: Shadows | None) -> dict[str, float] | None:
    """Return how shadows fall in a flight; None where its roofs do not tell."""
    if shadows is None:
        return None
    return {"azimuth_deg": round(shadows.azimuth_deg, 1), "strength": round(shadows.strength, 3)}


def permit_facts(permits: Permits | None, offset: LayerOffset | None) -> dict[str, Any] | None:
    """Return what the record tells of the permit layer; None where none was given."""
    if permits is None:
        return None
    return {
        "read": len(permits.permits),
        "offset": None if offset is None else _offset_facts(offset),
        "flawed_rows": [
            {"row": row.row, "why": row.why, "detail": row.detail, "kept": row.kept}
            for row in permits.bad_rows
        ],
    }


def _offset_facts(offset: LayerOffset) -> dict[str, Any]:
    residual = offset.residual_m
    return {
        "verdict": offset.verdict,
        "why": offset.why,
        "east_m": round(offset.east_m, 3),
        "north_m": round(offset.north_m, 3),
        "error_m": round(offset.error_m, 3),
        "evidence": round(offset.evidence, 2),
        "residual_m": None if residual is None else round(residual, 3),
        "outlines": offset.outlines,
        "neighbourhoods": offset.neighbourhoods,
    }


def finding_record(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON values, with its sentence."""
    return asdict(finding) | {"says": finding.sentence()}


def _alignment_facts(pair: Pair, saved: SavedField | None) -> dict[str, Any]:
    # A saved field comes without its ties, but knows how many there were.
    alignment = pair.alignment
    counted = alignment if saved is None else saved.measurement
    east, north = alignment.shift_m
    return {
        "verdict": alignment.verdict,
        "accepted_by": alignment.accepted_by,
        "why": alignment.why,
        "east_m": round(east, 3),
        "north_m": round(north, 3),
        "rms_m": None if alignment.rms_m is None else round(alignment.rms_m, 3),
        "p95_m": None if alignment.p95_m is None else round(alignment.p95_m, 3),
        "ties_used": counted.ties_used,
        "ties_seen": counted.ties_seen,
        "evidence": round(alignment.evidence, 2),
        "from_file": None if saved is None else saved.name,
    }


def _height_facts(pair: Pair) -> dict[str, Any] | None:
    surfaces = pair.surfaces
    if surfaces is None:
        return None
    return {
        "ground": surfaces.ground,
        "zero_holes": list(surfaces.zero_holes),
        "fit_before": _fit_facts(surfaces.fit_before),
        "fit_after": _fit_facts(surfaces.fit_after),
        "relief": _relief_facts(surfaces.relief),
        "relief_moves": surfaces.relief_moves,
        "datum": _datum_facts(surfaces.datum),
    }


def _fit_facts(fit: SurfaceFit) -> dict[str, Any]:
    return {
        "verdict": fit.verdict,
        "east_m": round(fit.east, 3),
        "north_m": round(fit.north, 3),
        "error_m": round(fit.error_m, 3),
        "strength": round(fit.strength, 2),
        "windows": fit.windows,
    }


def _relief_facts(relief: ReliefShift | None) -> dict[str, Any] | None:
    if relief is None:
        return None
    return {
        "east_m": round(relief.east, 3),
        "north_m": round(relief.north, 3),
        "error_m": round(relief.error_m, 3),
        "samples": relief.samples,
        "spread_before_m": round(relief.spread_before_m, 3),
        "spread_after_m": round(relief.spread_after_m, 3),
    }


def _datum_facts(datum: Datum | None) -> dict[str, Any] | None:
    if datum is None:
        return None
    return {
        "offset_m": round(datum.offset, 3),
        "offset_error_m": round(datum.offset_error_m, 3),
        "tilt_m_per_100m": [round(100 * tilt, 3) for tilt in datum.tilt],
        "tilt_error_m_per_100m": [round(100 * error, 3) for error in datum.tilt_error],
        "residual_m": round(datum.residual_m, 3),
        "p95_m": round(datum.p95_m, 3),
        "stable_share": round(datum.stable_share, 3),
        "samples": datum.samples,
    }
