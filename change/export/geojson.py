"""Suspects, changes and excluded ground as GeoJSON by the letter of RFC 7946."""

import io
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import pandas as pd

from change.result import Result
from change.suspicion import Suspect

__all__ = [
    "COLUMNS",
    "EXCLUDED_COLUMNS",
    "excluded_frame",
    "geojson_text",
    "suspects_frame",
    "write_geojson",
]

COLUMNS = (
    "id",
    "kind",
    "origin",
    "reason",
    "reasons",
    "area_m2",
    "area_raw_m2",
    "height_gain_m",
    "score",
    "severity",
    "permit_number",
    "permit_cover",
    "excess_m2",
    "excess_m",
    "unit",
    "cell",
    "flown_before",
    "flown_after",
    "verdict",
    "tolerance_m",
    "run_id",
)
"""Columns of ``suspects.geojson`` and ``changes.geojson``, in this order."""

EXCLUDED_COLUMNS = ("reason", "area_m2", "flown_before", "flown_after", "run_id")
"""Columns of ``excluded.geojson``."""

_NUMBERS = (
    "area_m2",
    "area_raw_m2",
    "height_gain_m",
    "score",
    "severity",
    "permit_cover",
    "excess_m2",
    "excess_m",
    "tolerance_m",
)


def suspects_frame(items: Sequence[Suspect], result: Result) -> gpd.GeoDataFrame:
    """Return suspects (or any compared changes) as a table in the area's projected CRS."""
    rows = [_row(item, result) for item in items]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    for name in COLUMNS:
        frame[name] = frame[name].astype("float64" if name in _NUMBERS else "object")
    # A millimetre, and a thousandth of a share, is more than anybody can measure.
    frame = frame.round(3)
    shapes = [item.change.outline for item in items]
    return gpd.GeoDataFrame(frame, geometry=shapes, crs=result.pair.grid.crs)


def _row(item: Suspect, result: Result) -> dict[str, object]:
    change = item.change
    return {
        "id": change.id,
        "kind": change.kind,
        "origin": change.origin,
        "reason": item.reason,
        "reasons": ";".join(item.reasons),
        "area_m2": change.area_m2,
        "area_raw_m2": change.area_raw_m2,
        "height_gain_m": change.height_gain_m,
        "score": change.score,
        "severity": item.severity,
        "permit_number": item.permit_number,
        "permit_cover": item.permit_cover,
        "excess_m2": item.excess_m2,
        "excess_m": item.excess_m,
        "unit": item.unit,
        "cell": item.cell,
        "verdict": result.pair.alignment.verdict,
        "tolerance_m": change.tolerance_m,
        **_provenance(result),
    }


def _provenance(result: Result) -> dict[str, str | None]:
    before, after = result.pair.before.flown_on, result.pair.after.flown_on
    return {
        "flown_before": before.isoformat() if before else None,
        "flown_after": after.isoformat() if after else None,
        "run_id": result.run.id,
    }


def excluded_frame(result: Result) -> gpd.GeoDataFrame:
    """Return the ground that was not judged as a table in the area's projected CRS."""
    excluded = result.detection.excluded
    rows = [
        {"reason": item.reason, "area_m2": round(item.outline.area, 1), **_provenance(result)}
        for item in excluded
    ]
    frame = pd.DataFrame(rows, columns=list(EXCLUDED_COLUMNS))
    shapes = [item.outline for item in excluded]
    return gpd.GeoDataFrame(frame, geometry=shapes, crs=result.pair.grid.crs)


def write_geojson(frame: gpd.GeoDataFrame, path: Path | io.BytesIO) -> None:
    """Write a table as RFC 7946 GeoJSON: longitude and latitude, counter-clockwise, 7 decimals.

    GDAL reprojects, turns the rings and leaves the outlawed ``crs`` member out.
    """
    options = {"RFC7946": "YES", "WRITE_NAME": "NO"}
    if "id" in frame:
        # GDAL takes the column it makes the feature's id from out of the properties.
        frame = frame.assign(feature_id=frame["id"])
        options["ID_FIELD"] = "feature_id"
    frame.to_file(path, driver="GeoJSON", engine="pyogrio", **options)


def geojson_text(frame: gpd.GeoDataFrame) -> str:
    """Return a table as the text of an RFC 7946 GeoJSON file."""
    buffer = io.BytesIO()
    write_geojson(frame, buffer)
    return buffer.getvalue().decode("utf-8")
