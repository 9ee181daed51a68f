"""Suspects and findings as lines of text for a terminal."""

import unicodedata
from collections.abc import Sequence

from pyproj import CRS

from change.suspicion import Suspect
from survey.crs import transformer
from survey.findings import Finding
from survey.words import N_, _

__all__ = ["KIND_WORDS", "REASON_WORDS", "finding_lines", "suspect_lines"]

# A terminal shows this many; whoever has more opens the files.
_LISTED = 40

KIND_WORDS = {
    "building": N_("building"),
    "shed": N_("shed"),
    "annex": N_("annex"),
    "roof_addition": N_("roof addition"),
    "storey": N_("added storey"),
    "site": N_("building site"),
    "removed": N_("removed"),
    "partly_removed": N_("partly removed"),
}
"""What people call a kind of change."""

REASON_WORDS = {
    "no_permit": N_("no permit"),
    "exceeds_permit": N_("larger than permitted"),
    "grown_beyond_permit": N_("grown beyond its permit"),
    "beside_permit": N_("beside its permit"),
    "permit_expired": N_("permit expired"),
    "before_grant": N_("built before the permit"),
    "as_permitted": N_("as permitted"),
    "removed_permitted": N_("permitted building removed"),
    "removed_unpermitted": N_("building without permit removed"),
    "not_compared": N_("not compared"),
}
"""What people call a reason."""


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
    return [*_columns(rows), *rest]


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
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
    return _columns([(levels[item.level], item.sentence()) for item in ranked])
