"""Table: the inspection list as plain values, for the spreadsheet, the CSV file and the phones.

The columns are those of the ledgers that bureaus keep. What a case is numbered, and what became of
it, is left empty here: people fill it in. Pure.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from change.export.cell_text import clean_text
from change.export.dossier import Dossier, Entry
from change.export.headings import COLUMN_WORDS, SLUG_WORDS, in_languages, list_languages
from change.export.navigation import navigation_link
from change.fieldwork import FIELD_COLUMNS, Decision
from survey.settings import NAVIGATIONS, ExportSettings
from survey.words import LANGUAGES, N_

__all__ = [
    "LIST_WORDS",
    "NOWHERE",
    "Cell",
    "Column",
    "Ledger",
    "ListStyle",
    "container_day",
    "entry_name",
    "grouped",
    "list_style",
    "make_ledger",
    "shown",
]

Cell = str | float | date | None
"""What stands in a cell: text, a number, a day, or nothing."""

LIST_WORDS = {
    "case_number": N_("case number"),
    "found_on": N_("found on"),
    "desk": N_("said at the desk"),
}
"""What people call the columns that only the list has."""

NOWHERE = N_("unassigned")
"""What people call the township of what lies in none."""

# Name, form, width in characters of the default font.
_COLUMNS: tuple[tuple[str, str, float], ...] = (
    ("number", "count", 5),
    ("id", "code", 14),
    ("case_number", "code", 13),
    ("origin", "text", 8),
    ("found_on", "day", 11),
    ("township", "text", 12),
    ("community", "text", 12),
    ("team", "text", 9),
    ("cell", "code", 17),
    ("longitude", "degrees", 11),
    ("latitude", "degrees", 10),
    ("area_m2", "number", 9),
    ("excess_m2", "number", 9),
    ("height_gain_m", "number", 8),
    ("kind", "text", 11),
    ("reason", "text", 13),
    ("reasons", "text", 14),
    ("permit_number", "code", 15),
    ("why_zh", "text", 38),
    ("why_en", "text", 42),
    ("severity", "number", 8),
    ("score", "share", 9),
    ("desk", "text", 16),
    ("inspector", "text", 10),
    ("inspected_on", "day", 11),
    ("answer", "text", 12),
    ("dismissal", "text", 15),
    ("notice_number", "code", 14),
    ("notice_on", "day", 11),
    ("deadline", "day", 11),
    ("demolished_on", "day", 11),
    ("demolished_m2", "number", 10),
    ("picture_before", "picture", 17),
    ("picture_after", "picture", 17),
    ("remark", "text", 22),
    ("navigation", "link", 13),
    ("run_id", "code", 18),
)
_EXPLANATIONS = {"zh_CN": "why_zh", "en": "why_en"}
_FILLED_IN = (*FIELD_COLUMNS, "case_number")
_ROLES = {"picture_before": "before", "picture_after": "after"}
# A spreadsheet counts days from 1900, and gets that year wrong.
_FIRST_DAY = date(1901, 1, 1)
# A zip file knows no earlier day.
_CONTAINER_DAY = date(1980, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListStyle:
    """How lists are written."""

    languages: tuple[str, ...]
    """Languages of headings and words, the first one first; at least one."""
    navigation: str
    """Whose map links open, one of ``survey.settings.NAVIGATIONS``."""
    pictures: bool
    """Whether pictures stand in the list, where there are any."""

    def __post_init__(self) -> None:
        if not self.languages or set(self.languages) - set(LANGUAGES):
            raise ValueError(f"languages must be of {LANGUAGES}, at least one: {self.languages}")
        if self.navigation not in NAVIGATIONS:
            raise ValueError(f"navigation must be one of {NAVIGATIONS}: {self.navigation!r}")


def list_style(settings: ExportSettings) -> ListStyle:
    """Return how lists are written by these settings.

    Examples
    --------
    >>> list_style(ExportSettings(language="both"))
    ListStyle(languages=('zh_CN', 'en'), navigation='amap', pictures=True)
    """
    return ListStyle(
        languages=list_languages(settings.language),
        navigation=settings.navigation,
        pictures=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of the list."""

    name: str
    """Its slug."""
    heading: str
    """What it is called, in the list's languages."""
    form: str
    """``text``, ``code`` (text that may look like a number), ``count``, ``number``, ``degrees``,
    ``share``, ``day``, ``picture`` (a path inside the folder of results) or ``link``."""
    width: float
    """In characters."""

    @property
    def filled_in(self) -> bool:
        """Whether people fill it in."""
        return self.name in _FILLED_IN


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The columns of the list, and what stands in them."""

    style: ListStyle
    """How it is written."""
    columns: tuple[Column, ...]
    """In their order."""
    words: Mapping[str, Mapping[str, str]]
    """What the slugs of a column are called, in the list's languages."""

    def row(self, entry: Entry) -> tuple[Cell, ...]:
        """Return the cells of a suspect, one for each column."""
        return tuple(self._cell(column, entry) for column in self.columns)

    def _cell(self, column: Column, entry: Entry) -> Cell:
        if column.form == "picture":
            return entry.picture(_ROLES[column.name], marked=True)
        if column.name == "desk":
            return self._desk(entry.decision)
        if column.name in _OF_ENTRY:
            return _OF_ENTRY[column.name](entry)
        if column.name == "navigation":
            return navigation_link(
                self.style.navigation, lon=entry.lon, lat=entry.lat, name=entry_name(entry)
            )
        value = entry.values.get(column.name)
        if column.form == "day":
            return _day(value)
        if column.form in ("number", "share"):
            return _number(value)
        return self._text(column.name, value)

    def _desk(self, said: Decision | None) -> str | None:
        """Return what a person said at the desk: no result of an inspection."""
        if said is None:
            return None
        words = [self._text("answer", said.answer), self._text("dismissal", said.dismissal)]
        told = [*words, *map(clean_text, (said.note, said.by, said.at[:10]))]
        return "; ".join(text for text in told if text)

    def _text(self, name: str, value: Any) -> str | None:
        text = clean_text(value)
        if name in self.words:
            words = self.words[name]
            text = "; ".join(words.get(slug, slug) for slug in text.split(";"))
        return text or None

    def without(self, *forms: str, filled_in: bool = True) -> "Ledger":
        """Return the list without columns of some forms, or without those people fill in."""
        columns = [
            column
            for column in self.columns
            if column.form not in forms and (filled_in or not column.filled_in)
        ]
        return Ledger(style=self.style, columns=tuple(columns), words=self.words)


def make_ledger(style: ListStyle) -> Ledger:
    """Return the columns of a list that is written in a style."""
    left_out = {_EXPLANATIONS[language] for language in set(LANGUAGES) - set(style.languages)}
    if style.navigation == "none":
        left_out.add("navigation")
    if not style.pictures:
        left_out |= set(_ROLES)
    called = {**COLUMN_WORDS, **LIST_WORDS}
    columns = tuple(
        Column(
            name=name, heading=in_languages(called[name], style.languages), form=form, width=width
        )
        for name, form, width in _COLUMNS
        if name not in left_out
    )
    words = {
        name: {slug: in_languages(word, style.languages) for slug, word in slugs.items()}
        for name, slugs in SLUG_WORDS.items()
        if name in {column.name for column in columns}
    }
    return Ledger(style=style, columns=columns, words=words)


def entry_name(entry: Entry) -> str:
    """Return what a suspect is called on a map: its number, as on the sheets, and its id."""
    return f"{entry.number} {entry.id}"


def grouped(dossier: Dossier, by: str, languages: Sequence[str]) -> list[tuple[str, Dossier]]:
    """Return the suspects by what one of their columns says, each group with its name.

    Parameters
    ----------
    by
        ``township``, ``community``, ``team``, ``cell``; suspects without one come last.
    languages
        Of what those are called that have none.
    """
    groups: dict[str, list[Entry]] = {}
    for entry in dossier.entries:
        groups.setdefault(clean_text(entry.values.get(by)), []).append(entry)
    nowhere = in_languages(NOWHERE, languages)
    return [
        (name or nowhere, dossier.only(groups[name]))
        for name in sorted(groups, key=lambda name: (not name, name))
    ]


def container_day(dossier: Dossier) -> date:
    """Return the day that containers are dated by: of the later flight, not of the writing."""
    flights = dossier.record.get("flights") or {}
    for role in ("after", "before"):
        day = _day((flights.get(role) or {}).get("flown_on"))
        if isinstance(day, date) and day >= _CONTAINER_DAY:
            return day
    return _CONTAINER_DAY


def shown(value: Cell) -> str:
    """Return a cell as text for people, unlocalised.

    Examples
    --------
    >>> shown(12.0), shown(113.3700012), shown(date(2025, 3, 15)), shown(None)
    ('12', '113.3700012', '2025-03-15', '')
    """
    if value is None:
        return ""
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _day(value: Any) -> Cell:
    """Return a day; whatever is none stays text, so that nothing is lost."""
    text = clean_text(value)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return text or None
    return day if day >= _FIRST_DAY else text


def _number(value: Any) -> Cell:
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    return clean_text(value) or None


# What a suspect is apart from the columns of its layer.
_OF_ENTRY: Mapping[str, Callable[[Entry], Cell]] = {
    "number": lambda entry: float(entry.number),
    "longitude": lambda entry: round(entry.lon, 7),
    "latitude": lambda entry: round(entry.lat, 7),
    "found_on": lambda entry: _day(
        entry.values.get("flown_after") or entry.values.get("flown_before")
    ),
}
