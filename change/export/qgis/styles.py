"""Styles: how each layer of a run looks in QGIS, and how its rows are read and filled in. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from change.explanation import REASON_WORDS
from change.export.gpkg_tables import Table
from change.export.headings import COLUMN_WORDS, SLUG_WORDS, in_languages
from change.export.overview import REASON_COLOURS
from change.export.qgis.expressions import column, slug_words, words
from change.export.qgis.forms import Form, Tab, for_qfield, form_elements
from change.export.qgis.labels import Label, labeling, suspect_label, suspect_tip
from change.export.qgis.markup import QGIS_VERSION, Element, document, element, options
from change.export.qgis.symbols import (
    Colour,
    Rule,
    Symbol,
    categories,
    centroid,
    fill,
    hatch,
    marker,
    one_symbol,
    rules,
)
from change.export.qgis.wording import EXCLUDED_WORDS, LEVEL_WORDS, alias
from change.fieldwork import ANSWER_WORDS, FIELD_COLUMNS
from survey.words import N_

__all__ = ["Style", "layer_style", "style_elements", "style_text"]

# Denominators of scales: up to these a label says all, a suspect is no dot, has its number...
_FULL_LABEL, _DOTS, _NUMBERS, _PERMIT_LABEL, _CELL_LABEL = 1500, 8000, 15_000, 1500, 20_000
_REASON_LABEL, _PERMITS, _CELLS, _TIES = 800, 25_000, 60_000, 25_000
_GREY: Colour = (90, 90, 90)
_WHITE: Colour = (255, 255, 255)
_PERMIT: Colour = (255, 240, 90)
_EMPTY: Colour = (120, 220, 255)
_FLAW: Colour = (255, 120, 0)
_DISTRICT: Colour = (255, 255, 255, 200)
# As the map of the alignment has them: residuals up to so much, m (Okabe and Ito, 2008).
_RESIDUALS: tuple[tuple[float, Colour], ...] = (
    (0.1, (0, 114, 178)),
    (0.25, (0, 158, 115)),
    (0.5, (230, 159, 0)),
    (1e6, (213, 94, 0)),
)
_SEEN = (
    *("kind", "origin", "area_m2", "height_gain_m", "score", "severity", "protected"),
    *("township", "community", "cell", "team", "shared_with"),
)
_PERMIT_TAB = (
    *("reason", "permit_number", "permit_cover", "excess_m2", "excess_m", "excess_height_m"),
    *("storeys_gained", "nearest_permits"),
)
_FOUND = ("inspector", "inspected_on", "photo", "remark")
_NOTICE = ("notice_number", "notice_on", "deadline", "demolished_on", "demolished_m2")
_DISMISSED = "\"answer\" = 'dismissed'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a layer looks, and how its rows are shown."""

    renderer: Element | None
    """How it is drawn; None for a table without geometry."""
    form: Form
    """How its rows are shown."""
    labels: tuple[Label, ...] = ()
    """Its labels."""
    tip: str = ""
    """What shows under the mouse."""
    farthest: int | None = None
    """Denominator of the smallest scale it is drawn at; None for any."""


def layer_style(table: Table, languages: Sequence[str], pictures: Sequence[str]) -> Style:
    """Return how a layer of a run looks.

    Parameters
    ----------
    table
        The layer.
    languages
        Those its words are in.
    pictures
        Roles of the flights of which there are pictures of the suspects.
    """
    aliases = {name: alias(table.name, name, languages) for name in table.kinds}
    if table.name == "suspects":
        return _suspects(aliases, languages, pictures)
    drawn = _LOOKS.get(table.name)
    told = _words(table, languages)
    title = {"run": '"key"', "cells": '"code"', "districts": '"name"'}.get(table.name, "")
    form = Form(aliases=aliases, words=told, title=title)
    return Style(renderer=None, form=form) if drawn is None else drawn(form, languages)


def _words(table: Table, languages: Sequence[str]) -> dict[str, Mapping[str, str]]:
    """Return the words for the slugs in the columns of a layer."""
    told = {name: slug_words(name, languages) for name in SLUG_WORDS if name in table.kinds}
    # Several slugs in one cell are no value of a list.
    for name in ("reasons", "not_judged", "points"):
        told.pop(name, None)
    if table.name == "excluded":
        told["reason"] = _in(EXCLUDED_WORDS, languages)
    if table.name == "districts":
        told["level"] = _in(LEVEL_WORDS, languages)
    return told


def _in(told: Mapping[str, str], languages: Sequence[str]) -> dict[str, str]:
    return {slug: in_languages(word, languages) for slug, word in told.items()}


def _suspects(
    aliases: Mapping[str, str], languages: Sequence[str], pictures: Sequence[str]
) -> Style:
    seen = [
        (reason, in_languages(REASON_WORDS[reason], languages), _ringed(colour))
        for reason, colour in REASON_COLOURS.items()
    ]
    slugs = ("kind", "origin", "reason", "verdict", "answer", "dismissal")
    return Style(
        renderer=categories("reason", seen),
        labels=(
            Label(
                text=suspect_label(languages, full=True), size=9, farthest=_FULL_LABEL, first=True
            ),
            Label(
                text=suspect_label(languages, full=False),
                size=9,
                nearest=_FULL_LABEL,
                farthest=_NUMBERS,
                first=True,
            ),
        ),
        tip=suspect_tip(languages, pictures),
        form=Form(
            aliases=aliases,
            words={name: slug_words(name, languages) for name in slugs},
            editable=FIELD_COLUMNS,
            required={
                "dismissal": (
                    f'NOT ({_DISMISSED}) OR "dismissal" IS NOT NULL',
                    in_languages(N_("say why it is dismissed"), languages),
                )
            },
            tabs=_tabs(aliases, languages),
            hidden=("why_en", "why_zh", "uid", "run_id", "points", "area_raw_m2", "verdict"),
            title=suspect_label(languages, full=True),
        ),
    )


def _ringed(colour: Colour) -> Symbol:
    """Return a thick outline with a white halo and hardly any filling, and a dot from afar."""
    near = fill(outline=(*_WHITE, 210), width=1.5) + fill((*colour, 26), outline=colour, width=0.8)
    return near + centroid(marker(colour, 2.6), f"coalesce(@map_scale, 0) > {_DOTS}")


def _tabs(aliases: Mapping[str, str], languages: Sequence[str]) -> tuple[Tab, ...]:
    """Return the form of a suspect: what was seen, what the permits say, what was found there."""
    why = {"zh_CN": "why_zh", "en": "why_en"}
    first, second = ("number", "case_id", *_SEEN), _PERMIT_TAB
    explained = tuple(why[language] for language in languages)
    taken = {*first, *second, *explained, *FIELD_COLUMNS}
    named = {
        "seen": N_("what was seen"),
        "permit": COLUMN_WORDS["reason"],
        "inspection": N_("inspection"),
        "dismissed": ANSWER_WORDS["dismissed"],
        "found": N_("found at the place"),
        "notice": N_("notice and demolition"),
        "more": N_("more"),
    }
    titles = _in(named, languages)
    answered = (
        Tab(title=titles["dismissed"], columns=("dismissal",), only_if=_DISMISSED),
        Tab(title=titles["found"], columns=_FOUND),
        Tab(title=titles["notice"], columns=_NOTICE),
    )
    return (
        Tab(title=titles["seen"], columns=(*first, *explained)),
        Tab(title=titles["permit"], columns=second),
        Tab(title=titles["inspection"], columns=("answer",), inside=answered),
        Tab(title=titles["more"], columns=tuple(name for name in aliases if name not in taken)),
    )


def _explained(form: Form, _languages: Sequence[str]) -> Style:
    drawn = fill(outline=(*_WHITE, 150), width=0.7) + fill(outline=_GREY, width=0.35)
    reason = words("reason", form.words["reason"])
    label = Label(text=reason, size=7, colour=_GREY, farthest=_REASON_LABEL)
    return Style(renderer=one_symbol(drawn), form=form, labels=(label,))


def _excess(form: Form, _languages: Sequence[str]) -> Style:
    drawn = hatch((213, 94, 0), apart=1.6, width=0.3, angle=135) + fill(
        outline=(213, 94, 0), width=0.2
    )
    return Style(renderer=one_symbol(drawn), form=form, farthest=_PERMITS)


def _excluded(form: Form, _languages: Sequence[str]) -> Style:
    drawn = fill((225, 225, 225, 70), outline=_GREY, width=0.2) + hatch(
        _GREY, apart=2.2, width=0.26
    )
    reason = words("reason", form.words["reason"])
    label = Label(text=reason, size=8, colour=_GREY, farthest=_CELL_LABEL, over=True)
    return Style(renderer=one_symbol(drawn), form=form, labels=(label,))


def _permits(form: Form, _languages: Sequence[str]) -> Style:
    drawn = hatch((*_PERMIT, 170), apart=2.5, width=0.2) + fill(
        outline=_PERMIT, width=0.5, dash="dash"
    )
    label = Label(text=column("number"), size=7, colour=_GREY, farthest=_PERMIT_LABEL, over=True)
    return Style(renderer=one_symbol(drawn), form=form, labels=(label,), farthest=_PERMITS)


def _empty_permits(form: Form, _languages: Sequence[str]) -> Style:
    drawn = fill((*_EMPTY, 40), outline=_EMPTY, width=0.5, dash="dash")
    text = column("permit_number")
    label = Label(text=text, size=7, colour=_GREY, farthest=_PERMIT_LABEL, over=True)
    return Style(renderer=one_symbol(drawn), form=form, labels=(label,), farthest=_PERMITS)


def _flawed(form: Form, _languages: Sequence[str]) -> Style:
    drawn = fill((*_FLAW, 40), outline=_FLAW, width=0.5, dash="dot")
    return Style(renderer=one_symbol(drawn), form=form)


def _ties(form: Form, languages: Sequence[str]) -> Style:
    least, listed = 0.0, []
    for most, colour in _RESIDUALS:
        shown = f"{least:g}-{most:g} m" if most < 1e6 else f"> {least:g} m"
        where = f'"used" AND "residual_m" >= {least:g} AND "residual_m" < {most:g}'
        listed.append(Rule(where=where, label=shown, symbol=marker(colour, 1.6)))
        least = most
    unused = in_languages(N_("not used"), languages)
    listed.append(Rule(where='NOT "used"', label=unused, symbol=marker(_GREY, 1.0)))
    return Style(renderer=rules(listed), form=form, farthest=_TIES)


def _districts(form: Form, _languages: Sequence[str]) -> Style:
    drawn = fill(outline=(0, 0, 0, 120), width=1.0) + fill(outline=_DISTRICT, width=0.6)
    label = Label(text=column("name"), size=11, farthest=500_000, over=True, nearest=_DOTS)
    return Style(renderer=one_symbol(drawn), form=form, labels=(label,))


def _cells(form: Form, _languages: Sequence[str]) -> Style:
    drawn = fill(outline=_DISTRICT, width=0.26)
    label = Label(
        text=column("code"), size=7, colour=_GREY, nearest=2500, farthest=_CELL_LABEL, over=True
    )
    return Style(renderer=one_symbol(drawn), form=form, labels=(label,), farthest=_CELLS)


def _ground(form: Form, _languages: Sequence[str]) -> Style:
    return Style(
        renderer=one_symbol(fill(outline=(0, 0, 0), width=0.5, dash="dash dot")), form=form
    )


_LOOKS: Mapping[str, Callable[[Form, Sequence[str]], Style]] = {
    "changes": _explained,
    "standing": _explained,
    "excess": _excess,
    "excluded": _excluded,
    "permits": _permits,
    "empty_permits": _empty_permits,
    "flawed_rows": _flawed,
    "ties": _ties,
    "districts": _districts,
    "cells": _cells,
    "ground": _ground,
}


def style_elements(table: Table, style: Style) -> tuple[dict[str, str], list[Element]]:
    """Return a style as attributes and children of the element of a layer."""
    attributes = {
        "styleCategories": "AllStyleCategories",
        "readOnly": "0" if style.form.editable else "1",
        "labelsEnabled": "1" if style.labels else "0",
        "hasScaleBasedVisibilityFlag": "0" if style.farthest is None else "1",
        "minScale": str(style.farthest or 100_000_000),
        "maxScale": "0",
        "simplifyDrawingHints": "1",
        "symbologyReferenceScale": "-1",
    }
    made = [] if style.renderer is None else [style.renderer]
    if style.labels:
        made.append(labeling(style.labels))
    properties = element("customproperties")
    properties.append(options(for_qfield(style.form)))
    made += [properties, *form_elements(table, style.form), element("mapTip", style.tip)]
    return attributes, made


def style_text(table: Table, style: Style) -> str:
    """Return a style as QML."""
    attributes, children = style_elements(table, style)
    root = element("qgis", version=QGIS_VERSION, **attributes)
    root.extend(children)
    return document(root)
