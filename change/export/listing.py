"""Suspects and findings as lines of text for a terminal."""

import unicodedata
from collections.abc import Sequence

from pyproj import CRS

from change.explanation import KIND_WORDS, REASON_WORDS
from change.suspicion import Suspect
from survey.crs import transformer
from survey.findings import Finding
from survey.words import _

__all__ = ["even_columns", "finding_lines", "suspect_lines"]

# A terminal shows this many; whoever has more opens the files.
_LISTED = 40


def suspect_lines(suspects: Sequence[Suspect], crs: CRS) -> list[str]:
    """Return a table of the most severe suspects, with places in longitude and latitude."""
    if not suspects:
        return []
    lonlat = transformer(crs, CRS.from_epsg(4326))
    head = (
        _("no."),
        _("severity"),
        _("reason"),
        _("kind"),
        _("area m2"),
        _("height m"),
        _("score"),
        _("permit"),
        _("longitude, latitude"),
    )
    rows = [head]
    for number, item in enumerate(suspects[:_LISTED], start=1):
        change = item.change
        lon, lat = lonlat.transform(change.outline.centroid.x, change.outline.centroid.y)
        gain = "-" if change.height_gain_m is None else f"{change.height_gain_m:+.1f}"
        rows.append(
            (
                str(number),
                f"{item.severity:.0f}",
                _(REASON_WORDS[item.reason]),
                _(KIND_WORDS[change.kind]),
                f"{change.area_m2:.0f}",
                gain,
                f"{change.score:.2f}",
                item.permit_number or "-",
                f"{lon:.6f}, {lat:.6f}",
            )
        )
    more = len(suspects) - _LISTED
    rest = [_("... and {count} more in the files").format(count=more)] if more > 0 else []
    return [*even_columns(rows), *rest]


def even_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines of even columns; Chinese characters take two places."""
    widths = [max(map(_places, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell + " " * (width - _places(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def _places(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def finding_lines(findings: Sequence[Finding]) -> list[str]:
    """Return findings as lines, what refuses first."""
    order = ("refuse", "warning", "info")
    levels = {"refuse": _("refused"), "warning": _("warning"), "info": _("info")}
    ranked = sorted(findings, key=lambda item: order.index(item.level))
    return even_columns([(levels[item.level], item.sentence()) for item in ranked])
