"""The content of the review page: the suspects and all words, as one classic script. Pure.

A page opened from a folder may not fetch a file, but may load a script: so the data are one.
"""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import shapely
from shapely import Polygon

from change.export.dossier import Dossier, Entry, Profile
from change.export.navigation import navigation_link
from change.export.plain_text import plain_text
from change.export.review.wording import page_words
from change.fieldwork import ANSWERS, DISMISSALS, Decision
from survey.crs import describe_crs
from survey.words import LANGUAGES

__all__ = ["content_script"]

_SHOWN = (
    *("kind", "origin", "area_m2", "height_gain_m", "storeys_gained", "score", "severity"),
    *("points", "reason", "reasons", "permit_number", "permit_cover", "excess_m2", "excess_m"),
    *("excess_height_m", "nearest_permits", "not_judged", "protected", "township", "community"),
    *("team", "shared_with", "cell", "flown_before", "flown_after", "verdict", "tolerance_m"),
    "permit_tolerance_m",
)
"""The columns a person at the screen may want, in the order they are shown."""
_EXPLANATIONS = {"en": "why_en", "zh_CN": "why_zh"}

# A field of a layer may hold a book; whoever wants to read it opens the layer.
_LONGEST = 2000
# A suspect without pictures is drawn on empty ground: a square as wide as its outline, and margins.
_BARE_SIDE_PX, _BARE_MARGIN = 480, 2.0
# None of these may end the script or start markup, wherever the text of the script ends up.
_ESCAPED = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


def content_script(dossier: Dossier, *, language: str, navigation: str, pictures: str) -> str:
    """Return the script that holds what the page shows.

    Parameters
    ----------
    dossier
        The suspects.
    language
        Language the page opens in.
    navigation
        Whose map the links to a place open.
    pictures
        Where the clean chips lie, as the page finds them.
    """
    record = dossier.record
    origins = {entry.values.get("origin") for entry in dossier.entries}
    origin = origins.pop() if len(origins) == 1 else None
    content = {
        "run_id": dossier.run_id,
        "version": _text(str(record.get("version", ""))),
        "language": language,
        "flights": _flights(record),
        "alignment": _alignment(record),
        "crs": _text(describe_crs(dossier.crs)),
        "pictures": pictures,
        "answers": ANSWERS,
        "dismissals": DISMISSALS,
        "columns": _SHOWN,
        "words": {name: page_words(name, origin) for name in LANGUAGES},
        "suspects": [_suspect(entry, navigation) for entry in dossier.entries],
    }
    told = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return f"window.orthowatch = {told.translate(_ESCAPED)};\n"


def _flights(record: Mapping[str, Any]) -> dict[str, Any]:
    flights = record.get("flights") or {}
    return {
        role: {
            "name": _text(str(flight.get("name", ""))),
            "flown_on": flight.get("flown_on"),
        }
        for role, flight in flights.items()
        if role in ("before", "after")
    }


def _alignment(record: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the verdict; None where one flight alone was looked at."""
    alignment = record.get("alignment")
    if not alignment:
        return None
    return {"verdict": alignment.get("verdict"), "why": _text(str(alignment.get("why") or ""))}


def _suspect(entry: Entry, navigation: str) -> dict[str, Any]:
    """Return one suspect, without what is not known of it."""
    left, top, pixel_m, side_px = _frame(entry)
    point = entry.outline.representative_point()
    told = {
        "id": entry.id,
        "number": entry.number,
        "x": round(point.x, 2),
        "y": round(point.y, 2),
        "lon": round(entry.lon, 7),
        "lat": round(entry.lat, 7),
        "link": navigation_link(navigation, lon=entry.lon, lat=entry.lat, name=entry.id),
        "roles": list(entry.chip.roles) if entry.chip else [],
        "side_px": side_px,
        "pixel_m": pixel_m,
        "outline": _in_pixels(entry.outline, left=left, top=top, pixel_m=pixel_m),
        "profile": _profile(entry.chip.profile if entry.chip else None),
        "decision": _decision(entry.decision),
        "why": {name: _text(entry.values.get(key)) for name, key in _EXPLANATIONS.items()},
        "values": _known({name: _text(entry.values.get(name)) for name in _SHOWN}),
    }
    return _known(told)


def _known(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value is not None and value != ""}


def _text(value: Any) -> Any:
    """Return a value as JSON has it; text without what cannot be seen, and not without end."""
    if isinstance(value, str):
        return plain_text(value, _LONGEST)
    if pd.isna(value):
        return None
    return value.isoformat()[:10] if isinstance(value, date) else value


def _frame(entry: Entry) -> tuple[float, float, float, int]:
    """Return left and top of the square shown, m, its pixel, m, and its side, pixels."""
    if entry.chip is not None:
        chip = entry.chip
        return chip.left, chip.top, chip.pixel_m, chip.side_px
    west, south, east, north = entry.outline.bounds
    side_m = _BARE_MARGIN * max(east - west, north - south, 1.0)
    left, top = (west + east - side_m) / 2, (south + north + side_m) / 2
    return left, top, round(side_m / _BARE_SIDE_PX, 4), _BARE_SIDE_PX


def _in_pixels(outline: Polygon, *, left: float, top: float, pixel_m: float) -> list[Any]:
    """Return rings of (x, y) in pixels from the upper left corner, y down."""
    rings = [outline.exterior, *outline.interiors]
    corners = [shapely.get_coordinates(ring)[:-1] for ring in rings]
    placed = [(points - (left, top)) * (1.0, -1.0) / pixel_m for points in corners]
    return [np.round(points, 1).tolist() for points in placed]


def _profile(profile: Profile | None) -> dict[str, Any] | None:
    if profile is None or not profile.distance_m:
        return None
    return {
        "distance_m": profile.distance_m,
        "before_m": _finite(profile.before_m),
        "after_m": _finite(profile.after_m),
    }


def _finite(heights: Sequence[float | None]) -> list[float | None]:
    """Return heights as JSON has them: what is no number is unknown."""
    return [
        None if value is None or not math.isfinite(value) else round(value, 2) for value in heights
    ]


def _decision(decision: Decision | None) -> dict[str, Any] | None:
    if decision is None:
        return None
    return {
        "answer": decision.answer,
        "dismissal": decision.dismissal,
        "note": _text(decision.note),
        "by": _text(decision.by),
        "at": _text(decision.at),
    }
