"""The report on an alignment: one page that needs nothing else, to read, print and send on."""

import base64
import io
from collections.abc import Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image

from change.export.close_ups import CloseUp
from change.export.page_parts import bullet_list, fact_table
from change.export.residuals import FieldFigures, describe_field
from change.result import AlignmentResult
from survey.crs import describe_crs
from survey.flight import Flight
from survey.words import _, current_language

__all__ = ["render_page", "write_page"]

_STYLE = Path(__file__).with_suffix(".css")
# Nothing may be fetched, from anywhere: a browser holds the page to it.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
_SWIPE = "this.parentNode.style.setProperty('--at', this.value + '%')"


def write_page(path: Path, result: AlignmentResult, field_map: Path, near: list[CloseUp]) -> None:
    """Write the report.

    Parameters
    ----------
    path
        The file to write.
    result
        What was found.
    field_map
        The map of the residuals, a PNG that is taken into the page.
    near
        Places from near.
    """
    buffer = io.BytesIO()
    # As JPEG, with sharp colours, the map takes a sixth of the room.
    with Image.open(field_map) as picture:
        picture.save(buffer, format="JPEG", quality=85, subsampling=0)
    jpeg = base64.b64encode(buffer.getvalue()).decode("ascii")
    path.write_text(render_page(result, jpeg, near), encoding="utf-8")


def render_page(result: AlignmentResult, field_map: str, near: Sequence[CloseUp]) -> str:
    """Return the page as HTML, in the user's language.

    Parameters
    ----------
    result
        What was found.
    field_map
        A JPEG in base64.
    near
        Places from near.
    """
    title, language = _("How two flights lie against each other"), current_language()
    parts = [
        _head(result, title),
        _figures(result, describe_field(result.pair.alignment.field)),
        _map(field_map),
        _places(near),
        _remarks(result),
        fact_table(_("Settings"), _setting_rows(result)),
        fact_table(_("Where this comes from"), _origin_rows(result)),
        _how_to_use(),
    ]
    return "\n".join(
        [
            "<!doctype html>",
            f'<html lang="{language.replace("_", "-")}">',
            '<head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            f"<title>{escape(title)}: {escape(result.pair.after.name)}</title>",
            f"<style>\n{_STYLE.read_text(encoding='utf-8')}</style></head>",
            f"<body><main>\n{chr(10).join(part for part in parts if part)}\n</main></body>",
            "</html>\n",
        ]
    )


def _head(result: AlignmentResult, title: str) -> str:
    pair = result.pair
    verdict = pair.alignment.verdict
    plain, advice = _verdict(result)
    flights = [
        _flight_line(_("earlier"), pair.before),
        _flight_line(_("later"), pair.after),
    ]
    return (
        f"<h1>{escape(title)}</h1>\n"
        f'<ul class="flights">{"".join(f"<li>{line}</li>" for line in flights)}</ul>\n'
        f'<section class="verdict {escape(verdict)}"><strong>{escape(plain)}</strong>'
        f"<p>{escape(pair.alignment.why)}</p><p>{escape(advice)}</p></section>"
    )


def _flight_line(role: str, flight: Flight) -> str:
    day = flight.flown_on.isoformat() if flight.flown_on else _("date unknown")
    return f"{escape(role)}: <b>{escape(flight.name)}</b>, {escape(day)}"


def _verdict(result: AlignmentResult) -> tuple[str, str]:
    """Return the verdict as a plain sentence, and what to do with it."""
    alignment = result.pair.alignment
    assumed = float(np.median(alignment.field.uncertainty))
    if alignment.verdict == "verified" and alignment.rms_m is not None:
        plain = _("Verified: the two flights fit to {rms:.2f} m.").format(rms=alignment.rms_m)
        advice = _(
            "Nothing is to be done. Outlines can be compared to within the uncertainty below."
        )
    elif alignment.verdict == "refused":
        plain = _(
            "Refused: these flights show no common ground. It is used because you accepted it."
        )
        advice = _("Check that both files show the same place and have the right CRS.")
    else:
        plain = _("Not verified: an error of {error:.3g} m is assumed.").format(error=assumed)
        advice = _("Look at the places below, and take whatever is compared here for a hint.")
    if result.saved is not None:
        said = _("Taken from {path}, not measured again.").format(path=result.saved.name)
        return plain, f"{said} {advice}"
    return plain, advice


def _figure_cells(result: AlignmentResult, figures: FieldFigures) -> list[tuple[str, str, str]]:
    """Return name, value and note of every figure."""
    alignment, counted = result.pair.alignment, result.measurement
    east, north = alignment.shift_m
    return [
        (
            _("the later flight lies off by"),
            f"{figures.shift_m:.2f} m",
            _("{east:+.2f} m east, {north:+.2f} m north; median").format(east=east, north=north),
        ),
        (
            _("which varies from place to place by up to"),
            f"{figures.bending_m:.2f} m",
            _("where there are ties"),
        ),
        (_("residual (RMS)"), _metres(alignment.rms_m), _("of ties the field was not fitted to")),
        (
            _("residual (95th percentile)"),
            _metres(alignment.p95_m),
            _("of ties the field was not fitted to"),
        ),
        (
            _("windows that agree"),
            _("{used} of {seen}").format(used=counted.ties_used, seen=counted.ties_seen),
            _("every window with enough picture in both flights was looked at"),
        ),
        (
            _("uncertainty (one sigma)"),
            f"{figures.uncertainty_m:.2f} m",
            _("median; at worst {worst:.2f} m").format(worst=figures.worst_m),
        ),
        (
            _("near measured places"),
            f"{figures.known:.0%}",
            _("share of the ground; elsewhere the field is extrapolated"),
        ),
    ]


def _figures(result: AlignmentResult, figures: FieldFigures) -> str:
    inside = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}<small>{escape(note)}</small></dd></div>"
        for name, value, note in _figure_cells(result, figures)
    )
    return f'<dl class="figures">{inside}</dl>'


def _metres(value: float | None) -> str:
    return _("not measured") if value is None else f"{value:.2f} m"


def _map(field_map: str) -> str:
    note = _(
        "Each dot is a place found in both flights, on the picture of the earlier one; its arrow"
        " shows what the alignment leaves over there, enlarged as the legend says. Grey crosses are"
        " places that were not believed. On pink ground the alignment is less certain. Numbers are"
        " the places shown from near."
    )
    title = escape(_("Residuals and uncertainty"))
    return (
        f"<h2>{title}</h2>\n<p>{escape(note)}</p>\n"
        f'<div class="map"><img src="data:image/jpeg;base64,{field_map}" alt="{title}"></div>'
    )


def _places(near: Sequence[CloseUp]) -> str:
    if not near:
        return ""
    note = _(
        "Look along roads, kerbs and walls: where the flights fit, they run on from one square of"
        " the chequer into the next. Tall things lean differently in every flight."
    )
    if near[0].place.residual_m is not None:
        note += " " + _("Place 1 has the largest residual of those that count.")
    title = _("From near")
    head = f"<h2>{escape(title)}</h2>\n<p>{escape(note)}</p>"
    return "\n".join([head, *map(_place, near)])


def _place(item: CloseUp) -> str:
    place = item.place
    where = _("{x:.0f} east, {y:.0f} north; {side:.0f} m wide").format(
        x=place.x, y=place.y, side=item.side_m
    )
    if place.residual_m is not None:
        where += "; " + _("residual {value:.2f} m").format(value=place.residual_m)
    label = _("earlier | later")
    handle = (
        f'<input type="range" min="0" max="100" value="50" oninput="{_SWIPE}"'
        f' aria-label="{escape(label)}">'
    )
    swipe = f'<div class="swipe">{_image(item.before)}{_image(item.after)}{handle}</div>'
    panels = [
        (_image(item.as_delivered), _("as delivered")),
        (_image(item.aligned), _("aligned")),
        (swipe, _("earlier | later, aligned: drag")),
    ]
    inside = "".join(
        f"<figure>{body}<figcaption>{escape(name)}</figcaption></figure>" for body, name in panels
    )
    return (
        f'<figure class="place" style="margin-inline: 0"><figcaption>{place.number}'
        f' <span>{escape(where)}</span></figcaption><div class="trio">{inside}</div></figure>'
    )


def _image(jpeg: str) -> str:
    return f'<img src="data:image/jpeg;base64,{jpeg}" alt="">'


def _remarks(result: AlignmentResult) -> str:
    pair = result.pair
    said = [item.sentence() for item in result.findings if item.level == "warning"]
    said += [*pair.before.assumptions, *pair.after.assumptions]
    if not said:
        return ""
    return bullet_list(_("Doubts and assumptions"), dict.fromkeys(said))


def _setting_rows(result: AlignmentResult) -> list[tuple[str, str]]:
    settings = asdict(result.run.settings.align)
    if result.saved is not None:
        # What was looked for stands with the file; only whether it was accepted was set here.
        settings = {"precision": result.measurement.precision, "accept": settings["accept"]}
    rows = [(f"[align] {name}", f"<code>{value}</code>") for name, value in settings.items()]
    return [*rows, *[(name, f"<code>{escape(text)}</code>") for name, text in result.run.options]]


def _origin_rows(result: AlignmentResult) -> list[tuple[str, str]]:
    run, grid = result.run, result.pair.grid
    files = [
        (item.role, f"{escape(item.name)} ({item.size:,} B)<br><code>{item.sha256}</code>")
        for item in run.inputs
    ]
    alignment = result.pair.alignment
    return [
        *files,
        (_("working grid"), escape(f"{describe_crs(grid.crs)}, {grid.pixel_m:g} m")),
        (_("evidence"), _("{value:.1f} standard deviations").format(value=alignment.evidence)),
        (_("accepted by"), f"<code>{escape(alignment.accepted_by)}</code>"),
        (_("run"), f"<code>{run.id}</code>, orthowatch {escape(run.version)}"),
    ]


def _how_to_use() -> str:
    lines = [
        _(
            "field.tif: what the earlier flight shows at (x, y), the later one shows at"
            " (x + east_m, y + north_m). `--alignment field.tif` makes detect and align go by it."
        ),
        _("ties.gpkg: every window that was looked at, with its residual, and whether it counts."),
        _("report.json: all figures, for a program; times stand there alone."),
    ]
    return bullet_list(_("The other files"), lines)
