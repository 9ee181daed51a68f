"""The page: what was found, how sure that is, what was not judged, and where it comes from."""

import base64
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image

from change.export.dossier import Dossier, Entry
from change.export.headings import SLUG_WORDS
from survey.words import N_, _, current_language

__all__ = ["write_run_page"]

_HERE = Path(__file__).parent
_STYLE = _HERE.parent / "alignment_page.css"
# Nothing may be fetched, from anywhere: a browser holds the page to it.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_SHOWN, _UNITS, _QUALITY = 12, 40, 82

_EXCLUDED_WORDS = {
    "no_overlap": N_("one flight does not cover it"),
    "not_seen_before": N_("the earlier flight shows nothing there"),
    "not_seen_after": N_("the later flight shows nothing there"),
    "uncertain": N_("the flights may be too far off each other there"),
    "not_seen": N_("the flight shows nothing there"),
    "no_heights": N_("the surface model has a hole there"),
}
_ROLE_WORDS = {
    "before": N_("orthophoto of the earlier flight"),
    "after": N_("orthophoto of the later flight"),
    "ortho": N_("orthophoto"),
    "dsm_before": N_("surface model of the earlier flight"),
    "dsm_after": N_("surface model of the later flight"),
    "dsm": N_("surface model"),
    "permits": N_("permits"),
    "control_points": N_("control points"),
    "within": N_("area to report on"),
    "townships": N_("townships"),
    "communities": N_("communities"),
    "cells": N_("grid cells"),
    "protected": N_("protected ground"),
    "alignment": N_("alignment"),
    "detector": N_("detector"),
    "evidence": N_("evidence from elsewhere"),
}
_VERDICTS = {
    "verified": N_("The alignment of the two flights is verified."),
    "unverified": N_("The alignment is NOT verified. Take every suspect for a hint."),
    "refused": N_("The alignment was refused, and used because you accepted it."),
}


def write_run_page(
    path: Path,
    dossier: Dossier,
    pictures: Sequence[tuple[str, str, Path]],
    excluded: Mapping[str, float],
) -> None:
    """Write the report.

    Parameters
    ----------
    path
        The file to write.
    dossier
        The suspects.
    pictures
        Title, note and file of larger pictures, taken into the page.
    excluded
        Ground that was not judged by its reason, m2.
    """
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["word"] = _word
    environment.filters["role"] = _role
    told = environment.get_template("page.html").render(
        _=_,
        language=current_language().replace("_", "-"),
        policy=_POLICY,
        style=_STYLE.read_text(encoding="utf-8"),
        record=dossier.record,
        title=_("What stands, and what no permit covers")
        if "flight" in dossier.record
        else _("What changed, and what no permit covers"),
        flights=_flights(dossier.record),
        verdict=_verdict(dossier),
        figures=_figures(dossier),
        tables=_tables(dossier.entries),
        pictures=[(title, note, _picture(file)) for title, note, file in pictures],
        near=[_near(dossier, item) for item in dossier.entries[:_SHOWN]],
        excluded=[(_(_EXCLUDED_WORDS[why]), area) for why, area in sorted(excluded.items())],
        doubts=_doubts(dossier.record),
    )
    path.write_text(told, encoding="utf-8")


def _word(slug: str | None, column: str) -> str:
    """Return what people call a slug of a column."""
    words = SLUG_WORDS[column]
    return _(words[slug]) if slug in words else str(slug or "")


def _role(role: str) -> str:
    """Return what people call the role of a file; of protected ground with its name."""
    kind, _colon, name = role.partition(":")
    called = _(_ROLE_WORDS[kind]) if kind in _ROLE_WORDS else kind
    return _("{name} ({label})").format(name=called, label=name) if name else called


def _flights(record: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return role, name and day of every flight."""
    if "flight" in record:
        told = {_("flight"): record["flight"]}
    else:
        named = {"before": _("earlier"), "after": _("later")}
        told = {named[role]: flight for role, flight in record["flights"].items()}
    return [
        (role, flight["name"], flight["flown_on"] or _("date unknown"))
        for role, flight in told.items()
    ]


def _verdict(dossier: Dossier) -> tuple[str, str, str] | None:
    """Return slug, sentence and grounds; None where nothing was aligned."""
    alignment = dossier.record.get("alignment")
    if not alignment:
        return None
    return alignment["verdict"], _(_VERDICTS[alignment["verdict"]]), alignment["why"]


def _figures(dossier: Dossier) -> list[tuple[str, str, str]]:
    """Return name, value and note of every figure."""
    record, entries = dossier.record, dossier.entries
    judged, permits = record.get("judged_m2"), record.get("permits")
    figures = [
        (_("suspects"), str(len(entries)), _square_metres(_area(entries))),
        *_seen(record),
        (
            _("ground judged"),
            _square_metres(judged or 0.0),
            _("no suspect elsewhere means nothing"),
        ),
        (
            _("ground not judged"),
            _square_metres(record.get("excluded_m2") or 0.0),
            _("see below for why"),
        ),
        (
            _("permits"),
            _("none given") if permits is None else str(permits["read"]),
            ""
            if permits is None
            else _("rows with flaws: {count}").format(count=len(permits["flawed_rows"])),
        ),
    ]
    if "heights" in record:
        both = record["heights"] is not None
        note = _("heights tell what stands") if both else _("only the pictures tell: weaker")
        figures.append((_("surface models"), _("both") if both else _("not both"), note))
    return figures


def _seen(record: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return what there is beside the suspects: changes, or what stands and what does not."""
    if "standing" not in record:
        note = _("permitted or gone included")
        return [(_("changes seen"), str(record.get("changes", "?")), note)]
    empty = _("nothing stands on them")
    return [
        (_("structures seen"), str(record["standing"]), _square_metres(record["standing_m2"])),
        (_("permits without a building"), str(record["empty_permits"]), empty),
    ]


def _square_metres(area: float) -> str:
    return f"{area:,.0f} m²".replace(",", "\u202f")


def _area(entries: Iterable[Entry]) -> float:
    return float(sum(item.values["area_m2"] for item in entries))


def _tables(entries: Sequence[Entry]) -> list[tuple[str, list[tuple[str, int, str]]]]:
    """Return title and rows (name, count, area) of what suspects are counted by."""
    titles = {"reason": _("By relation to the permit"), "kind": _("By kind")}
    tables = [(title, _counted(entries, column)) for column, title in titles.items()]
    if any(item.values.get("township") for item in entries):
        tables.append((_("By township"), _counted(entries, "township")))
    return [(title, rows) for title, rows in tables if rows]


def _counted(entries: Sequence[Entry], column: str) -> list[tuple[str, int, str]]:
    groups: dict[str, list[Entry]] = defaultdict(list)
    for item in entries:
        groups[item.values.get(column) or ""].append(item)
    ranked = sorted(groups.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    named = [
        (_word(name, column) if column in SLUG_WORDS else name or "-", found)
        for name, found in ranked
    ]
    rest = [item for _name, found in named[_UNITS:] for item in found]
    named = [*named[:_UNITS], *([(_("all others"), rest)] if rest else [])]
    return [(name, len(found), _square_metres(_area(found))) for name, found in named]


def _near(dossier: Dossier, item: Entry) -> dict[str, Any]:
    """Return what the page tells of one suspect."""
    files = [item.picture(role, marked=True) for role in ("before", "after")]
    shown = [_encoded((dossier.folder / file).read_bytes()) for file in files if file]
    why = item.values.get("why_zh" if current_language() == "zh_CN" else "why_en")
    return {"item": item, "pictures": shown, "why": why or ""}


def _doubts(record: Mapping[str, Any]) -> list[str]:
    warned = [item["says"] for item in record.get("findings", []) if item["level"] == "warning"]
    return list(dict.fromkeys([*warned, *record.get("assumptions", [])]))


def _picture(file: Path) -> str:
    """Return a drawing as JPEG with sharp colours: a sixth of the room that PNG takes."""
    buffer = io.BytesIO()
    with Image.open(file) as picture:
        picture.convert("RGB").save(buffer, format="JPEG", quality=_QUALITY, subsampling=0)
    return _encoded(buffer.getvalue())


def _encoded(jpeg: bytes) -> str:
    return base64.b64encode(jpeg).decode("ascii")
