"""Labels and the tips that show under the mouse. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from change.export.headings import in_languages
from change.export.qgis.expressions import (
    as_html,
    column,
    literal,
    place_of,
    slug_words,
    words,
    words_of_list,
)
from change.export.qgis.markup import Element, add, element, options
from change.export.qgis.symbols import Colour
from survey.words import N_

__all__ = ["Label", "labeling", "suspect_label", "suspect_tip"]

_CHIP_PX = 240
_LOCAL = "ELSE '///' || regexp_replace(@link, '^/', '')"
_WHY = {"zh_CN": "why_zh", "en": "why_en"}
_KIND_AND_AREA = N_("{kind}, {area} m²")
_LINES = {
    "height_gain_m": N_("height gained: {value} m"),
    "severity": N_("severity: {value} of 100"),
    "permit_number": N_("permit: {value}"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A label, and from what scale to what scale it is shown."""

    text: str
    """Expression."""
    size: float
    """Height of the letters, points."""
    colour: Colour = (30, 30, 30)
    """Of the letters; their halo is white."""
    nearest: int = 0
    """Denominator of the largest scale it is shown at; 0 for any."""
    farthest: int
    """Denominator of the smallest scale it is shown at."""
    over: bool = False
    """Whether it stands on its area, not beside it."""
    first: bool = False
    """Whether others give way; at the largest scales it is shown whatever it covers."""


def labeling(labels: Sequence[Label]) -> Element:
    """Return the labels of a layer of areas as XML."""
    made = element("labeling", type="rule-based")
    listed = add(made, "rules", key="labels")
    for number, label in enumerate(labels):
        rule = add(listed, "rule", key=f"label{number}", scalemaxdenom=label.farthest)
        if label.nearest:
            rule.set("scalemindenom", str(label.nearest))
        rule.append(_settings(label))
    return made


def _settings(label: Label) -> Element:
    made = element("settings")
    red, green, blue = label.colour
    style = add(
        made,
        "text-style",
        fieldName=label.text,
        isExpression=1,
        fontSize=f"{label.size:g}",
        fontSizeUnit="Point",
        fontWeight=63,
        textColor=f"{red},{green},{blue},255",
        textOpacity=1,
        multilineHeight=1,
    )
    add(
        style,
        "text-buffer",
        bufferDraw=1,
        bufferSize="0.8",
        bufferSizeUnits="MM",
        bufferColor="255,255,255,255",
        bufferOpacity="0.9",
        bufferNoFill=1,
        bufferJoinStyle=128,
    )
    # An ampersand or a bracket in the text is nothing but that.
    add(made, "text-format", multilineAlign=3, addDirectionSymbol=0, formatNumbers=0)
    add(
        made,
        "placement",
        # 1: over the middle of the area; 8: outside of it, nearby.
        placement=1 if label.over else 8,
        centroidInside=1,
        centroidWhole=0,
        quadOffset=4,
        dist="0.5",
        distUnits="MM",
        priority=10 if label.first else 3,
        polygonPlacementFlags=2,
    )
    # From afar, numbers on top of each other tell nothing.
    shown = label.first and not label.nearest
    add(made, "rendering", drawLabels=1, displayAll=shown, obstacle=1, obstacleType=1)
    callout = add(made, "callout", type="simple")
    callout.append(options({"enabled": "0"}))
    return made


def suspect_label(languages: Sequence[str], *, full: bool) -> str:
    """Return the expression for a suspect's label: its number, or what it is as well."""
    if not full:
        return 'to_string("number")'
    return f"to_string(\"number\") || ' ' || {_kind_and_area(languages)}"


def _kind_and_area(languages: Sequence[str]) -> str:
    kind = words("kind", slug_words("kind", languages))
    sentence = in_languages(_KIND_AND_AREA, languages[:1])
    return _filled(sentence, {"kind": kind, "area": 'to_string(round("area_m2"))'})


def _filled(sentence: str, values: Mapping[str, str]) -> str:
    """Return a sentence as an expression, filled with others in the place of {names}."""
    shown = literal(sentence)
    for name, value in values.items():
        shown = f"replace({shown}, {literal('{' + name + '}')}, {value})"
    return shown


def suspect_tip(languages: Sequence[str], pictures: Sequence[str]) -> str:
    """Return the tip of a suspect: its two pictures, what it is, and why.

    Parameters
    ----------
    languages
        Those it is written in.
    pictures
        Roles of the flights, ``before`` and ``after``.
    """
    reason = words("reason", slug_words("reason", languages))
    further = words_of_list("reasons", slug_words("reasons", languages))
    title = f"to_string(\"number\") || ' · ' || {_kind_and_area(languages)}"
    parts = [
        f"<b>{_inserted(as_html(title))}</b><br/>",
        f"<b>{_inserted(as_html(reason))}</b> {_inserted(as_html(further))}<br/>",
        *(_inserted(_picture(role)) for role in pictures),
        *(_inserted(_line(name, text, languages)) for name, text in _LINES.items()),
        *(f"<br/>{_inserted(as_html(column(_WHY[language])))}" for language in languages),
    ]
    return f'<div style="width: {2 * _CHIP_PX + 20}px">{"".join(parts)}</div>'


def _inserted(expression: str) -> str:
    return f"[% {expression} %]"


def _picture(role: str) -> str:
    """Return the expression for a picture, or for nothing where the file is missing."""
    path = place_of(f"'chips/marked/' || \"id\" || {literal(f'_{role}.jpg')}")
    # In a link, these would end the path or stand for something else.
    link = path
    for mark, code in (("%", "%25"), ("#", "%23"), ("?", "%3F"), ('"', "%22")):
        link = f"replace({link}, {literal(mark)}, {literal(code)})"
    # Two slashes begin the name of a server, anything else is a path on this computer.
    link = f"with_variable('link', {link}, CASE WHEN left(@link, 2) = '//' THEN @link {_LOCAL} END)"
    image = f"'<img width=\"{_CHIP_PX}\" src=\"file:' || {link} || '\"/> '"
    return f"CASE WHEN file_exists({path}) THEN {image} ELSE '' END"


def _line(name: str, text: str, languages: Sequence[str]) -> str:
    value = column(name) if name == "permit_number" else f'to_string(round("{name}", 1))'
    sentence = as_html(_filled(in_languages(text, languages[:1]), {"value": value}))
    return f"CASE WHEN {column(name)} = '' THEN '' ELSE '<br/>' || {sentence} END"
