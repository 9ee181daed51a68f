"""Facts: the rows of names and values on a sheet. Pure."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pyproj import CRS

from change.export.dossier import Dossier, Entry
from change.export.headings import SLUG_WORDS, column_word
from change.export.sheets.style import SheetStyle
from change.export.sheets.texts import shorten
from survey.crs import describe_crs
from survey.words import N_

__all__ = [
    "Fact",
    "day_text",
    "facts_of_flights",
    "facts_of_place",
    "facts_of_suspect",
    "slug_word",
]

# How many decimals anybody can measure; the share is told in percent.
_DECIMALS = {
    "area_m2": 1,
    "area_raw_m2": 1,
    "height_gain_m": 1,
    "score": 2,
    "excess_m2": 1,
    "excess_m": 1,
    "excess_height_m": 1,
    "tolerance_m": 2,
    "permit_tolerance_m": 2,
}
_SUSPECT = (
    "kind",
    "origin",
    "reason",
    "reasons",
    "area_m2",
    "area_raw_m2",
    "height_gain_m",
    "storeys_gained",
    "score",
    "permit_number",
    "permit_cover",
    "excess_m2",
    "excess_m",
    "excess_height_m",
    "nearest_permits",
    "protected",
    "not_judged",
)
_PLACE = ("township", "community", "cell", "unit", "team", "shared_with")
_FLIGHTS = (
    "flown_before",
    "flown_after",
    "verdict",
    "tolerance_m",
    "permit_tolerance_m",
    "points",
)
# Left out of a sheet, these would be asked for.
_ALWAYS = ("area_m2", "height_gain_m", "storeys_gained", "permit_number", "nearest_permits")
_LISTS = ("reasons", "not_judged", "points")
# These may take a second line, and in two languages a third.
_LONG = ("reasons", "nearest_permits", "protected", "not_judged", "points", "shared_with")
_MOST = 160

_EAST, _NORTH = N_("east (m)"), N_("north (m)")
_SYSTEM = N_("coordinates")
_DEGREES = N_("lat, lon (WGS 84)")
_DESK = N_("said at the desk")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One row."""

    name: str
    """What it is called, with its unit."""
    value: str
    """Plain text."""
    lines: int = 1
    """How many lines it may take."""


def facts_of_suspect(entry: Entry, style: SheetStyle) -> tuple[Fact, ...]:
    """Return what is known of a suspect: its numbers, and how it stands to the permits."""
    return (*_rows(entry, _SUSPECT, style), *_desk(entry, style))


def facts_of_place(dossier: Dossier, entry: Entry, style: SheetStyle) -> tuple[Fact, ...]:
    """Return where a suspect lies: whose ground, and the coordinates."""
    return (*_rows(entry, _PLACE, style), *_coordinates(dossier.crs, entry, style))


def facts_of_flights(entry: Entry, style: SheetStyle) -> tuple[Fact, ...]:
    """Return which flights a suspect rests on, and what its severity is made of."""
    return tuple(_rows(entry, _FLIGHTS, style))


def day_text(value: Any) -> str:
    """Return a day, ISO 8601, without the time that some readers of files give it."""
    return shorten("" if value is None else str(value)[:10], 10)


def slug_word(column: str, slug: Any, style: SheetStyle) -> str:
    """Return what people call a slug; a slug nobody knows as it is."""
    word = SLUG_WORDS[column].get(str(slug))
    return shorten(slug, _MOST) if word is None else style.say(word)


def _rows(entry: Entry, columns: tuple[str, ...], style: SheetStyle) -> Iterator[Fact]:
    for column in columns:
        told = _told(column, entry.values, style)
        if told or column in _ALWAYS:
            yield Fact(
                name=style.say(column_word(column, entry.values.get("origin"))),
                value=told or "–",
                lines=1 + len(style.languages) if column in _LONG else 1,
            )


def _told(column: str, values: Mapping[str, Any], style: SheetStyle) -> str:
    value = values.get(column)
    if value is None or value == "":
        return ""
    if column in _LISTS:
        parts = str(value)[: 8 * _MOST].split(";")
        return shorten("; ".join(_part(column, part, style) for part in parts if part), _MOST)
    if column in SLUG_WORDS:
        return slug_word(column, value, style)
    if column.startswith("flown_"):
        return day_text(value)
    if isinstance(value, int | float):
        return _number(column, float(value))
    return shorten(str(value)[: 8 * _MOST].replace(";", "; "), _MOST)


def _part(column: str, part: str, style: SheetStyle) -> str:
    """Return one item of a list: a slug, with its points where there are any."""
    slug, _, points = part.partition(" ")
    return f"{slug_word(column, slug, style)} {points}".strip()


def _number(column: str, value: float) -> str:
    if not math.isfinite(value):
        return ""
    if column == "permit_cover":
        return f"{value:.0%}"
    return f"{value:.{_DECIMALS.get(column, 1)}f}"


def _coordinates(crs: CRS, entry: Entry, style: SheetStyle) -> Iterator[Fact]:
    point = entry.outline.representative_point()
    name = describe_crs(crs)
    called = name if crs.name in (name, "unknown") else f"{name} {crs.name}"
    yield Fact(name=style.say(_EAST), value=f"{point.x:.2f}")
    yield Fact(name=style.say(_NORTH), value=f"{point.y:.2f}")
    yield Fact(name=style.say(_SYSTEM), value=shorten(called, _MOST), lines=2)
    yield Fact(name=style.say(_DEGREES), value=f"{entry.lat:.7f}, {entry.lon:.7f}")
    yield Fact(name="", value=f"{_dms(entry.lat, 'NS')} {_dms(entry.lon, 'EW')}")


def _dms(degrees: float, sides: str) -> str:
    r"""Return an angle in degrees, minutes and seconds.

    Examples
    --------
    >>> _dms(23.107625, "NS"), _dms(-0.99999999, "EW")
    ('23°06\'27.45"N', '1°00\'00.00"W')
    """
    hundredths = round(abs(degrees) * 360_000)
    minutes, rest = divmod(hundredths, 6_000)
    whole, minute = divmod(minutes, 60)
    side = sides[0] if degrees >= 0 else sides[1]
    return f"{whole}°{minute:02d}'{rest / 100:05.2f}\"{side}"


def _desk(entry: Entry, style: SheetStyle) -> Iterator[Fact]:
    """Yield what a person said at the desk, where anybody did."""
    said = entry.decision
    if said is None:
        return
    words = [slug_word("answer", said.answer, style)]
    if said.dismissal is not None:
        words.append(slug_word("dismissal", said.dismissal, style))
    words += [shorten(text, 80) for text in (said.note, said.by, said.at[:10]) if text]
    yield Fact(name=style.say(_DESK), value=shorten("; ".join(words), _MOST), lines=2)
