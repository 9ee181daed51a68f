"""What a sheet says: the same for the PDF and for the page. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from change.explanation import KIND_WORDS
from change.export.dossier import Chip, Dossier, Entry
from change.export.headings import COLUMN_WORDS, SLUG_WORDS
from change.export.navigation import navigation_link
from change.export.sheets.facts import (
    Fact,
    day_text,
    facts_of_flights,
    facts_of_place,
    facts_of_suspect,
    slug_word,
)
from change.export.sheets.locator import Locator
from change.export.sheets.picture_drawing import draw_over_picture
from change.export.sheets.profile_drawing import draw_profile
from change.export.sheets.shapes import Drawing
from change.export.sheets.style import SheetStyle
from change.export.sheets.texts import shorten
from change.fieldwork import ANSWERS, DISMISSALS, FIELD_WORDS
from survey.words import N_

__all__ = [
    "LOCATOR_MM",
    "PICTURE_MM",
    "PROFILE_MM",
    "Form",
    "Photo",
    "Sheet",
    "make_form",
    "make_sheets",
]

PICTURE_MM, LOCATOR_MM = 74.0, 34.0
"""Width and height of a picture and of the locator, mm."""
PROFILE_MM = (91.0, 32.0)
"""Width and height of the height profile, mm."""

_NUMBER = N_("No. {number}")
_ROLES = {"before": N_("before"), "after": N_("after"), "ortho": N_("flight")}
_NO_PICTURE = N_("no picture")
_DAY_UNKNOWN = N_("day unknown")
_ACROSS = N_("{length:.0f} m across")
_HERE = N_("here; {count} on this map")
_LOUD = N_("Alignment: {verdict}. What the pictures show may lie elsewhere: measure at the place.")
_QUESTION = N_(
    "A suspect is a question, never a verdict: only an inspection and the file can answer it."
)
_PROFILE = N_("height profile")
_ALONG, _UP = N_("along the line (m)"), N_("height (m)")
_SIGNATURE = N_("signature")
_RUN = N_("run {run}, orthowatch {version}; alignment: {verdict}")
_NOT_ALIGNED = N_("none, one flight")

# What is in two languages has half the room for each.
_WHY_MOST, _NAME_MOST, _PLACE_MOST = 700, 60, 40
_WHY_COLUMNS = {"en": "why_en", "zh_CN": "why_zh"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """One of the two pictures."""

    caption: str
    """Which flight, and its day."""
    path: str | None
    """Inside the folder of results; None where there is no picture."""
    missing: str
    """What is told in its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One page, all texts in the user's languages and short enough."""

    id: str
    """The suspect's id."""
    bookmark: str
    """Number, kind and id: what a list of sheets calls it."""
    title: str
    """Number and kind."""
    relation: str
    """How it stands to the permits."""
    severity: str
    """The severity, of 100."""
    severity_name: str
    """What that is called."""
    place: str
    """Where it lies, in names, and its id."""
    loud: str | None
    """What has to be known before anything else; None where nothing has."""
    photos: tuple[Photo, ...]
    """Before and after; of one flight, one."""
    over: Drawing | None
    """What lies over each picture; None where there are none."""
    scale: str
    """How much ground a picture shows."""
    marker: Drawing
    """What lies over the locator."""
    here: str
    """What that shows."""
    link: str | None
    """Where the QR code leads; None where there is none."""
    link_name: str
    """What that is called."""
    why: tuple[str, ...]
    """The relation in sentences, one text for each language."""
    suspect: tuple[Fact, ...]
    """What is known of it."""
    where: tuple[Fact, ...]
    """Where it lies."""
    flights: tuple[Fact, ...]
    """Which flights it rests on."""
    profile: Drawing | None
    """Heights; None where none are known."""
    profile_name: str
    """What that is called."""
    sources: tuple[str, ...]
    """Where all this comes from."""
    question: str
    """What a suspect is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What is filled in by hand, the same on every sheet."""

    title: str
    """What the result is called."""
    answers: tuple[str, ...]
    """The answers to tick."""
    reason: str
    """What the reasons are called."""
    dismissals: tuple[str, ...]
    """The reasons to tick."""
    remark: str
    """What the remark is called."""
    signed: tuple[str, str, str]
    """What name, day and signature are called."""


def make_form(style: SheetStyle) -> Form:
    """Return what is filled in by hand."""
    return Form(
        title=style.say(FIELD_WORDS["answer"]),
        answers=tuple(style.say(SLUG_WORDS["answer"][slug]) for slug in ANSWERS[1:]),
        reason=style.say(FIELD_WORDS["dismissal"]),
        dismissals=tuple(style.say(SLUG_WORDS["dismissal"][slug]) for slug in DISMISSALS),
        remark=style.say(FIELD_WORDS["remark"]),
        signed=(
            style.say(FIELD_WORDS["inspector"]),
            style.say(FIELD_WORDS["inspected_on"]),
            style.say(_SIGNATURE),
        ),
    )


def make_sheets(dossier: Dossier, locator: Locator, style: SheetStyle) -> Iterator[Sheet]:
    """Yield the sheets of a dossier, in its order.

    Parameters
    ----------
    dossier
        The suspects.
    locator
        The map of all of them.
    style
        What the user chose.
    """
    return (_sheet(dossier, entry, locator, style) for entry in dossier.entries)


def _sheet(dossier: Dossier, entry: Entry, locator: Locator, style: SheetStyle) -> Sheet:
    values, chip, say = entry.values, entry.chip, style.say
    number = say(_NUMBER).format(number=entry.number)
    title = f"{number}  {_kind(values, style)}"
    centre = entry.outline.centroid
    across = "" if chip is None else say(_ACROSS).format(length=chip.side_px * chip.pixel_m)
    return Sheet(
        id=shorten(entry.id, _PLACE_MOST),
        bookmark=f"{title}  {shorten(entry.id, _PLACE_MOST)}",
        title=title,
        relation=slug_word("reason", values.get("reason"), style),
        severity=_severity(values.get("severity")),
        severity_name=say(COLUMN_WORDS["severity"]),
        place=_place(entry),
        loud=_loud(dossier, entry, style),
        photos=_photos(dossier, entry, style),
        over=None if chip is None else draw_over_picture(chip, entry.outline, PICTURE_MM),
        scale=across,
        marker=locator.mark(centre.x, centre.y, LOCATOR_MM),
        here=say(_HERE).format(count=len(dossier.entries)),
        link=navigation_link(style.navigation, lon=entry.lon, lat=entry.lat, name=_name(entry)),
        link_name=say(COLUMN_WORDS["navigation"]),
        why=_why(values, style),
        suspect=facts_of_suspect(entry, style),
        where=facts_of_place(dossier, entry, style),
        flights=facts_of_flights(entry, style),
        profile=_profile(entry, chip, style),
        profile_name=say(_PROFILE),
        sources=tuple(_sources(dossier, entry, style)),
        question=say(_QUESTION),
    )


def _kind(values: Any, style: SheetStyle) -> str:
    kind = values.get("kind")
    return style.say(KIND_WORDS[kind]) if kind in KIND_WORDS else shorten(kind, _NAME_MOST)


def _severity(value: Any) -> str:
    return f"{value:.0f}" if isinstance(value, int | float) else "–"


def _name(entry: Entry) -> str:
    return f"{entry.number} {shorten(entry.id, 12)}"


def _place(entry: Entry) -> str:
    columns = ("township", "community", "cell", "team")
    told = [shorten(entry.values.get(column), _PLACE_MOST) for column in columns]
    return " · ".join([shorten(entry.id, _PLACE_MOST), *filter(None, told)])


def _loud(dossier: Dossier, entry: Entry, style: SheetStyle) -> str | None:
    verdict = _verdict(dossier, entry)
    if verdict in ("", "verified"):
        return None
    return style.say(_LOUD).format(verdict=slug_word("verdict", verdict, style))


def _verdict(dossier: Dossier, entry: Entry) -> str:
    """Return the verdict on the alignment; empty where one flight has none."""
    told = dossier.record.get("alignment") or {}
    return str(entry.values.get("verdict") or told.get("verdict") or "")


def _photos(dossier: Dossier, entry: Entry, style: SheetStyle) -> tuple[Photo, ...]:
    # The record of an inventory tells of one flight, whose picture counts as the earlier one.
    alone = "flight" in dossier.record and "flights" not in dossier.record
    roles = {"before": "ortho"} if alone else {"before": "before", "after": "after"}
    return tuple(
        Photo(
            caption=_caption(entry, role, style.say(_ROLES[called]), style),
            path=entry.picture(role, marked=False),
            missing=style.say(_NO_PICTURE),
        )
        for role, called in roles.items()
    )


def _caption(entry: Entry, role: str, called: str, style: SheetStyle) -> str:
    day = day_text(entry.values.get(f"flown_{role}")) or style.say(_DAY_UNKNOWN)
    return f"{called}  {day}"


def _why(values: Any, style: SheetStyle) -> tuple[str, ...]:
    most = _WHY_MOST // len(style.languages)
    told = (shorten(values.get(_WHY_COLUMNS[name]), most) for name in style.languages)
    return tuple(text for text in told if text)


def _profile(entry: Entry, chip: Chip | None, style: SheetStyle) -> Drawing | None:
    if chip is None or chip.profile is None:
        return None
    before, after = (
        _caption(entry, role, style.say(_ROLES[role]), style) for role in ("before", "after")
    )
    words = (before, after, style.say(_ALONG), style.say(_UP))
    return draw_profile(chip.profile, PROFILE_MM, words)


def _sources(dossier: Dossier, entry: Entry, style: SheetStyle) -> Iterator[str]:
    for item in dossier.record.get("inputs") or ():
        if item.get("role") in _ROLES:
            role, name = style.say(_ROLES[item["role"]]), shorten(item.get("name"), _NAME_MOST)
            yield f"{role}: {name}  SHA-256 {shorten(item.get('sha256'), 65)[:12]}…"
    verdict = _verdict(dossier, entry)
    yield style.say(_RUN).format(
        run=shorten(dossier.run_id, _PLACE_MOST),
        version=shorten(dossier.record.get("version"), 20),
        verdict=slug_word("verdict", verdict, style) if verdict else style.say(_NOT_ALIGNED),
    )
