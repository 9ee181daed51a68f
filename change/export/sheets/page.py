"""Sheets as a page for a browser, which prints one sheet of A4 for each suspect."""

import base64
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from change.export.dossier import Dossier
from change.export.sheets.content import (
    LOCATOR_MM,
    PICTURE_MM,
    PROFILE_MM,
    Sheet,
    make_form,
    make_sheets,
)
from change.export.sheets.locator import make_locator
from change.export.sheets.qr import make_code
from change.export.sheets.shapes import Drawing, Label, Patch, Shape
from change.export.sheets.style import SheetStyle
from change.export.sheets.texts import shorten
from survey.words import N_

__all__ = ["write_sheets_html"]

_TITLE = N_("Inspection sheets")
_TEMPLATE = "template.html"
_MM_PER_POINT = 25.4 / 72


def write_sheets_html(dossier: Dossier, path: Path, style: SheetStyle, *, prefix: str = "") -> None:
    """Write the sheets of some suspects as a page.

    Parameters
    ----------
    dossier
        The suspects.
    path
        The file to write.
    style
        What the user chose.
    prefix
        What leads from the page to the folder of results, as ``../``; empty where the page stands
        in it.
    """
    sheets: Iterable[Sheet] = ()
    dots = ""
    if dossier.entries:
        locator = make_locator(dossier.entries, LOCATOR_MM)
        dots = base64.b64encode(locator.png).decode("ascii")
        sheets = make_sheets(dossier, locator, style)
    stream = (
        _environment()
        .get_template(_TEMPLATE)
        .stream(
            title=f"{style.say(_TITLE)} {shorten(dossier.run_id, 40)}",
            language=style.languages[0].replace("_", "-"),
            sheets=sheets,
            form=make_form(style),
            brief=len(style.languages) == 1,
            dots=Markup(dots),
            picture_mm=PICTURE_MM,
            locator_mm=LOCATOR_MM,
            profile_mm=PROFILE_MM,
            prefix=quote(prefix),
        )
    )
    # A piece of text for every tag would take longer to write than to make.
    stream.enable_buffering(200)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(stream)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"svg": _svg, "code": _code, "address": quote}
    return environment


def _svg(drawing: Drawing, name: str = "") -> Markup:
    """Return a drawing as SVG, one unit a millimetre."""
    inside = Markup("").join(map(_shape, drawing.shapes))
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        _mm(drawing.width), _mm(drawing.height), name, inside
    )


def _shape(shape: Shape) -> Markup:
    colour = "#{:02x}{:02x}{:02x}".format(*shape.colour)
    if isinstance(shape, Label):
        size = _mm(shape.size * _MM_PER_POINT)
        return Markup(
            '<text x="{}" y="{}" font-size="{}" text-anchor="{}" fill="{}">{}</text>'
        ).format(_mm(shape.x), _mm(shape.y), size, shape.anchor, colour, shape.text)
    points = " ".join(f"{_mm(x)},{_mm(y)}" for x, y in shape.points)
    if isinstance(shape, Patch):
        return Markup('<polygon points="{}" fill="{}"/>').format(points, colour)
    dashes = Markup(' stroke-dasharray="1.2 0.8"') if shape.dashed else ""
    return Markup('<polyline points="{}" fill="none" stroke="{}" stroke-width="{}"{}/>').format(
        points, colour, _mm(shape.width), dashes
    )


def _mm(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _code(link: str) -> Markup:
    """Return a link's QR code as SVG."""
    code = make_code(link)
    path = "".join(f"M{col} {row}h{length}v1h-{length}z" for col, row, length in code.bars)
    return Markup('<svg viewBox="0 0 {0} {0}"><path d="{1}"/></svg>').format(
        code.modules, escape(path)
    )
