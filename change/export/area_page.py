"""The report on the flights of an area: one page that needs nothing else, to read and print."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path

from change.area_result import AreaResult
from change.export.area_plot import draw_drift
from change.export.page_parts import bullet_list, fact_table
from survey.alignment import Alignment
from survey.chain import NEARNESS, Link, Placed
from survey.crs import describe_crs
from survey.words import N_, _, current_language

__all__ = ["render_area_page"]

_STYLES = [Path(__file__).with_name(name) for name in ("alignment_page.css", "area_page.css")]
# Nothing may be fetched, from anywhere: a browser holds the page to it.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"

_VERDICTS = {
    "verified": N_("verified"),
    "unverified": N_("NOT verified"),
    "refused": N_("refused"),
}


def render_area_page(result: AreaResult) -> str:
    """Return the page as HTML, in the user's language.

    Parameters
    ----------
    result
        What was found.
    """
    title, language = _("How the flights of an area lie on one of them"), current_language()
    style = "".join(path.read_text(encoding="utf-8") for path in _STYLES)
    parts = [
        _head(result, title),
        _figures(result),
        _drift(result),
        _flights(result),
        _pairs(result),
        _remarks(result),
        fact_table(_("Settings"), _setting_rows(result)),
        fact_table(_("Where this comes from"), _origin_rows(result)),
        _how_to_use(result),
    ]
    return "\n".join(
        [
            "<!doctype html>",
            f'<html lang="{language.replace("_", "-")}">',
            '<head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            f"<title>{escape(title)}</title>",
            f"<style>\n{style}</style></head>",
            f"<body><main>\n{chr(10).join(part for part in parts if part)}\n</main></body>",
            "</html>\n",
        ]
    )


def _head(result: AreaResult, title: str) -> str:
    reference = result.flights[result.reference]
    day = reference.day.isoformat() if reference.day else _("date unknown")
    said = _("All on the ground of {name}, {day}.").format(name=reference.name, day=day)
    tone, plain, advice = _verdict(result)
    return (
        f'<h1>{escape(title)}</h1>\n<p class="flights">{escape(said)}</p>\n'
        f'<section class="verdict {tone}"><strong>{escape(plain)}</strong>'
        f"<p>{escape(advice)}</p></section>"
    )


def _verdict(result: AreaResult) -> tuple[str, str, str]:
    """Return its tone, a plain sentence, and what to do."""
    others = len(result.flights) - 1
    fields = [result.alignment(i) for i in range(len(result.flights))]
    verified = sum(item is not None and item.verdict == "verified" for item in fields)
    plain = _("{verified} of {count} flights verified against the reference.").format(
        verified=verified, count=others
    )
    disagreeing = [result.flights[p.flight].label for p in result.placed if not p.closes]
    if result.refused:
        names = ", ".join(result.flights[i].label for i in result.refused)
        text = _("Not aligned: {names}. Check that they show the same place; the table says why.")
        return "refused", plain, text.format(names=names)
    if disagreeing:
        text = _("Two ways to these flights disagree: {names}. Look at them before you rely on it.")
        return "unverified", plain, text.format(names=", ".join(disagreeing))
    if verified < others:
        return "unverified", plain, _("Take what is compared with the others for a hint.")
    return "verified", plain, _("Nothing is to be done.")


def _figures(result: AreaResult) -> str:
    found = [a for i in range(len(result.flights)) if (a := result.alignment(i)) is not None]
    chained = sum(bool(p.route and p.route.through) for p in result.placed)
    shifts = [(a.shift_m[0] ** 2 + a.shift_m[1] ** 2) ** 0.5 for a in found]
    closures = [p.closure_m for p in result.placed if p.closure_m is not None]
    cells = [
        (
            _("flights"),
            str(len(result.flights)),
            _("{count} through another").format(count=chained),
        ),
        (_("largest shift"), _metres(max(shifts, default=None)), _("median of a flight")),
        (
            _("largest residual (95th percentile)"),
            _metres(max((a.p95_m for a in found if a.p95_m is not None), default=None)),
            _("of ties the field was not fitted to"),
        ),
        (
            _("largest closure"),
            _metres(max(closures, default=None)),
            _("between two ways to the same flight"),
        ),
    ]
    inside = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}<small>{escape(note)}</small></dd></div>"
        for name, value, note in cells
    )
    return f'<dl class="figures">{inside}</dl>'


def _metres(value: float | None) -> str:
    return _("not measured") if value is None else f"{value:.2f} m"


def _drift(result: AreaResult) -> str:
    drawing = draw_drift(result)
    if not drawing:
        return ""
    note = _(
        "How far each flight lies off the reference, as delivered: that is taken out. What is left"
        " of errors shows in the closure: where a flight was reached in two ways, straight and"
        " through another flight, the root mean square of what they differ by. A dash: there was"
        " one way only."
    )
    title = escape(_("Drift over time"))
    return f'<h2>{title}</h2>\n<p>{escape(note)}</p>\n<div class="map drift">{drawing}</div>'


def _flights(result: AreaResult) -> str:
    head = [
        _("flight"),
        _("date"),
        _("aligned to"),
        _("verdict"),
        _("shift east, north"),
        _("RMS"),
        _("95 %"),
        _("closure"),
    ]
    rows = [_flight_row(result, number) for number in range(len(result.flights))]
    return _grid(_("Every flight"), head, rows)


def _flight_row(result: AreaResult, number: int) -> list[str]:
    item, placed = result.flights[number], result.by_flight.get(number)
    alignment = result.alignment(number)
    day = item.day.isoformat() if item.day else _("unknown")
    start = [escape(item.name), _unbroken(day)]
    if number == result.reference:
        return [*start, escape(_("reference")), *[""] * 5]
    why = f"<small>{escape(result.why(number))}</small>"
    if alignment is None or placed is None:
        return [*start, why, _badge("refused"), "", "", "", ""]
    closure = "–" if placed.closure_m is None else _unbroken(f"{placed.closure_m:.2f} m")
    if not placed.closes:
        closure = f'<b class="doubt">{closure}</b>'
    to = f"{escape(_aligned_to(result, placed))}{why}"
    return [*start, to, _badge(alignment.verdict), *_numbers(alignment), closure]


def _aligned_to(result: AreaResult, placed: Placed) -> str:
    route = placed.route
    if route is None or not route.through:
        return _("the reference")
    names = ", ".join(result.flights[number].label for number in route.through)
    return f"{names} ({_(NEARNESS[route.near])})"


def _badge(verdict: str) -> str:
    return f'<span class="badge {escape(verdict)}">{escape(_(_VERDICTS[verdict]))}</span>'


def _unbroken(text: str) -> str:
    """Return a word as HTML; a long one, such as a name, may still be broken."""
    return f'<span class="unbroken">{escape(text)}</span>' if len(text) <= 12 else escape(text)


def _numbers(alignment: Alignment) -> list[str]:
    """Return shift, RMS and 95th percentile as cells."""
    if alignment.rms_m is None or alignment.p95_m is None:
        return ["–", "–", "–"]
    east, north = (f"{value:+.2f} m".replace("-", "\u2212") for value in alignment.shift_m)
    rest = [f"{value:.2f} m" for value in (alignment.rms_m, alignment.p95_m)]
    return [f"{_unbroken(east)}, {_unbroken(north)}", *map(_unbroken, rest)]


def _pairs(result: AreaResult) -> str:
    head = [
        _("from"),
        _("to"),
        _("verdict"),
        _("shift east, north"),
        _("RMS"),
        _("95 %"),
        _("windows that agree"),
    ]
    rows = [_pair_row(result, link) for link in result.links]
    return _grid(_("Every pair that was measured"), head, rows) if rows else ""


def _pair_row(result: AreaResult, link: Link) -> list[str]:
    names = [_unbroken(result.flights[i].label) for i in (link.before, link.after)]
    windows = _("{used} of {seen}").format(used=link.ties_used, seen=link.ties_seen)
    numbers = _numbers(link.alignment)
    return [*names, _badge(link.alignment.verdict), *numbers, escape(windows)]


def _grid(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table with a head; its cells are HTML already."""
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    inside = "".join(f"<tr>{''.join(f'<td>{c}</td>' for c in cells)}</tr>\n" for cells in rows)
    return (
        f'<h2>{escape(title)}</h2>\n<div class="scroll"><table class="wide">'
        f"<thead><tr>{top}</tr></thead>\n<tbody>{inside}</tbody></table></div>"
    )


def _remarks(result: AreaResult) -> str:
    said = [item.sentence() for item in result.findings if item.level == "warning"]
    said += [line for item in result.flights if item.flight for line in item.flight.assumptions]
    if not said:
        return ""
    return bullet_list(_("Doubts and assumptions"), dict.fromkeys(said))


def _setting_rows(result: AreaResult) -> list[tuple[str, str]]:
    settings = asdict(result.run.settings.align)
    del settings["accept"]
    rows = [(f"[align] {name}", f"<code>{value}</code>") for name, value in settings.items()]
    return [*rows, *[(name, f"<code>{escape(text)}</code>") for name, text in result.run.options]]


def _origin_rows(result: AreaResult) -> list[tuple[str, str]]:
    files = [
        (item.role, f"{escape(item.name)} ({item.size:,} B)<br><code>{item.sha256}</code>")
        for item in result.run.inputs
    ]
    run = result.run
    return [
        *files,
        (_("CRS of the fields"), escape(describe_crs(result.crs))),
        (_("run"), f"<code>{run.id}</code>, orthowatch {escape(run.version)}"),
    ]


def _how_to_use(result: AreaResult) -> str:
    shown = next(i for i in range(len(result.flights)) if result.alignment(i) is not None)
    lines = [
        _(
            "NAME.field.tif: what the reference shows at (x, y), that flight shows at"
            " (x + east_m, y + north_m). `orthowatch detect {reference} {flight} --alignment"
            " {field}` goes by it."
        ).format(
            reference=result.flights[result.reference].name,
            flight=result.flights[shown].name,
            field=result.field_name(shown),
        ),
        _("chain.json: all figures, for a program; times stand there alone."),
    ]
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    title = escape(_("The other files"))
    return f"<h2>{title}</h2>\n<ul>{items}</ul>"
