"""Suspects, changes and excluded ground as GeoJSON by the letter of RFC 7946."""

import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from change.dispatch import Place
from change.explanation import explained
from change.result import Compared
from change.suspicion import Suspect

__all__ = [
    "COLUMNS",
    "EXCESS_COLUMNS",
    "EXCLUDED_COLUMNS",
    "excess_frame",
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
    "excess_height_m",
    "storeys_gained",
    "nearest_permits",
    "not_judged",
    "protected",
    "points",
    "unit",
    "cell",
    "township",
    "community",
    "team",
    "shared_with",
    "flown_before",
    "flown_after",
    "verdict",
    "tolerance_m",
    "permit_tolerance_m",
    "why_en",
    "why_zh",
    "run_id",
)
"""Columns of ``suspects.geojson`` and ``changes.geojson``, in this order."""

EXCESS_COLUMNS = ("id", "reason", "permit_number", "excess_m2", "excess_m", "run_id")
"""Columns of ``excess.geojson``; ``id`` is that of the suspect."""

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
    "excess_height_m",
    "tolerance_m",
    "permit_tolerance_m",
)


def suspects_frame(items: Sequence[Suspect], result: Compared) -> gpd.GeoDataFrame:
    """Return suspects (or any compared changes) as a table in the area's projected CRS."""
    rows = [_row(item, result) for item in items]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    for name in COLUMNS:
        frame[name] = frame[name].astype("float64" if name in _NUMBERS else "object")
    # A millimetre, and a thousandth of a share, is more than anybody can measure.
    frame = frame.round(3)
    shapes = [item.change.outline for item in items]
    return gpd.GeoDataFrame(frame, geometry=shapes, crs=result.crs)


def _row(item: Suspect, result: Compared) -> dict[str, object]:
    change, why = item.change, explained(item)
    return {
        "id": change.id,
        "kind": change.kind,
        "origin": change.origin,
        "reason": item.reason,
        "reasons": _listed(item.reasons),
        "area_m2": change.area_m2,
        "area_raw_m2": change.area_raw_m2,
        "height_gain_m": change.height_gain_m,
        "score": change.score,
        "severity": item.severity,
        "permit_number": item.permit_number,
        "permit_cover": item.permit_cover,
        "excess_m2": item.excess_m2,
        "excess_m": item.excess_m,
        "excess_height_m": item.excess_height_m,
        "storeys_gained": _storeys(item),
        "nearest_permits": _listed(
            f"{near.number or '?'} ({near.distance_m:.1f} m, {near.cover:.0%})"
            for near in item.nearest
        ),
        "not_judged": _listed(item.not_judged),
        "protected": _listed(f"{ground.name} ({ground.share:.0%})" for ground in item.protected),
        "points": _listed(f"{name} {points:g}" for name, points in item.points),
        **_place(result.places.get(change.id)),
        "verdict": result.verdict,
        "tolerance_m": change.tolerance_m,
        "permit_tolerance_m": item.permit_tolerance_m,
        "why_en": why["en"],
        "why_zh": why["zh_CN"],
        **_provenance(result),
    }


def _listed(items: Iterable[str]) -> str:
    # What separates the items stands in none of them, whatever a permit's number holds.
    return ";".join(item.replace(";", ",") for item in items)


def _storeys(item: Suspect) -> str | None:
    if item.storeys_gained is None:
        return None
    least, most = item.storeys_gained
    return str(least) if least == most else f"{least}-{most}"


def _place(place: Place | None) -> dict[str, str | None]:
    if place is None:
        return dict.fromkeys(("unit", "cell", "township", "community", "team", "shared_with"))
    return {
        "unit": place.community_code or place.township_code or None,
        "cell": place.cell or None,
        "township": place.township or None,
        "community": place.community or None,
        "team": place.team or None,
        "shared_with": _listed(place.others) or None,
    }


def _provenance(result: Compared) -> dict[str, str | None]:
    before, after = result.flown
    return {
        "flown_before": before.isoformat() if before else None,
        "flown_after": after.isoformat() if after else None,
        "run_id": result.run.id,
    }


def excess_frame(items: Sequence[Suspect], result: Compared) -> gpd.GeoDataFrame:
    """Return what lies beyond the permits, in the area's projected CRS, where there are any."""
    beyond = [
        item
        for item in items
        if item.suspicious and item.excess is not None and item.excess_m is not None
    ]
    rows = [
        {
            "id": item.change.id,
            "reason": item.reason,
            "permit_number": item.permit_number,
            "excess_m2": item.excess_m2,
            "excess_m": item.excess_m,
            "run_id": result.run.id,
        }
        for item in beyond
    ]
    frame = pd.DataFrame(rows, columns=list(EXCESS_COLUMNS)).round(3)
    shapes = [_areas_of(item.excess) for item in beyond]
    return gpd.GeoDataFrame(frame, geometry=shapes, crs=result.crs)


def _areas_of(shape: BaseGeometry | None) -> MultiPolygon:
    """Return the areas of what a difference left, without the lines and points beside them."""
    parts = shapely.get_parts(shape)
    return MultiPolygon([part for part in parts if isinstance(part, Polygon)])


def excluded_frame(result: Compared) -> gpd.GeoDataFrame:
    """Return the ground that was not judged as a table in the area's projected CRS."""
    excluded = result.excluded
    rows = [
        {"reason": item.reason, "area_m2": round(item.outline.area, 1), **_provenance(result)}
        for item in excluded
    ]
    frame = pd.DataFrame(rows, columns=list(EXCLUDED_COLUMNS))
    shapes = [item.outline for item in excluded]
    return gpd.GeoDataFrame(frame, geometry=shapes, crs=result.crs)


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
