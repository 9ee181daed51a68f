"""Tables of what `benchmarks.aligning` measured, against the bars. Pure."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

__all__ = ["BARS", "table_of", "told_honestly"]

Row = dict[str, Any]

VERDICTS = ("verified", "unverified", "refused")
# What is asked for, pixels of the full image: of `precise` by kind, and of `standard` for all.
BARS = {
    "plain": {"p50": 0.10, "p95": 1.0, "rms_visible": 0.20},
    "plain, real": {"rms_visible": 0.35},
    "hard": {"rms_visible": 0.50},
    "turned": {"rms_visible": 0.60},
    "standard": {"rms_visible": 1.0},
}
# The p95 that alignment tells of itself is honest within a factor, or so many pixels.
_FACTOR, _NEAR_PX = 2.0, 0.1
# Verified, and still further off than this over visible ground: a verdict nobody can rely on.
_WRONG_M = 0.5
_REAL_STARTS = ("kampala", "banepa", "morava", "pix4d", "colorado")


def told_honestly(row: Row) -> bool | None:
    """Whether the p95 told lies near the true p95 of visible ground; None where none was told."""
    told, true = row.get("told_p95"), row.get("p95_visible")
    if told is None or true is None or math.isnan(true):
        return None
    return abs(told - true) <= _NEAR_PX or true / _FACTOR <= told <= true * _FACTOR


def table_of(family: str, rows: Sequence[Row]) -> str:
    """Return the table of a family as text."""
    makers: dict[str, Callable[[Sequence[Row]], list[str]]] = {
        "warped": lambda rows: [*_pair_lines(rows), "", *_bar_lines(rows)],
        "frozen": lambda rows: [*_pair_lines(rows), "", *_summary_lines(rows)],
        "fotbcd": lambda rows: [*_pair_lines(rows), "", *_summary_lines(rows)],
        "hard": _hard_lines,
    }
    lines = makers.get(family, _other_lines)(rows)
    return "\n".join(lines)


def _number(value: float | None, digits: int = 2) -> str:
    return "-" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def _pair_lines(rows: Sequence[Row]) -> list[str]:
    heads = ("undone", "p50", "p95", "rms vis", "p95 vis", "told p95", "visible", "in 2u", "CPU s")
    names = (
        "nothing_done", "p50", "p95", "rms_visible", "p95_visible", "told_p95", "visible",
        "within", "cpu_s",
    )  # fmt: skip
    lines = [f"{'pair (px)':44} {'verdict':10} " + " ".join(f"{head:>8}" for head in heads)]
    for row in rows:
        shown = row["name"].split("-", 1)[1]
        values = " ".join(f"{_number(row.get(name)):>8}" for name in names)
        lines.append(f"{shown[:44]:44} {row['verdict']:10} {values}")
    return lines


def _group(row: Row) -> str:
    real = row["kind"] == "plain" and row["picture"].startswith(_REAL_STARTS)
    return "plain, real" if real else str(row["kind"])


def _bar_lines(rows: Sequence[Row]) -> list[str]:
    lines = []
    for group in dict.fromkeys(map(_group, rows)):
        found = [row for row in rows if _group(row) == group]
        bars = BARS["standard"] if found[0]["precision"] == "standard" else BARS[group]
        for name, bar in bars.items():
            values = [row[name] for row in found]
            met = sum(value <= bar for value in values)
            lines.append(
                f"{group:12} {name:12} bar {bar:.2f}: {met} of {len(found)} meet it;"
                f" median {np.median(values):.2f}, worst {max(values):.2f}"
            )
    return [*lines, *_summary_lines(rows)]


def _summary_lines(rows: Sequence[Row]) -> list[str]:
    """Tell verdicts, wrong ones among the verified, residuals, and how honest p95 is."""
    lines = []
    true, other = _parted(rows)
    for what, part in (("the same ground", true), ("other ground", other)):
        if part:
            lines.append(f"{what}: {_verdicts(part)}")
    lines += [f"  verified: {row['name']}" for row in other if row["verdict"] == "verified"]
    verified = [row for row in true if row["verdict"] == "verified"]
    if not verified:
        return lines
    px = np.array([row["rms_visible"] for row in verified])
    metres = px * np.array([row["pixel_m"] for row in verified])
    wrong = [row["name"] for row, miss in zip(verified, metres, strict=True) if miss > _WRONG_M]
    lines.append(
        f"verified: rms visible, px: median {np.median(px):.2f}, 90 % {np.quantile(px, 0.9):.2f},"
        f" worst {px.max():.2f}; metres: {np.median(metres):.3f}, {np.quantile(metres, 0.9):.3f},"
        f" {metres.max():.3f}; off by over {_WRONG_M} m: {len(wrong)}"
    )
    lines += [f"  {name}" for name in wrong]
    honest = [honesty for honesty in map(told_honestly, verified) if honesty is not None]
    if honest:
        lines.append(f"told p95 honest: {sum(honest)} of {len(honest)}")
    return lines


def _parted(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Part the pairs whose truth is known from those of other ground."""
    true = [row for row in rows if "p50" in row]
    return true, [row for row in rows if "p50" not in row]


def _verdicts(rows: Sequence[Row]) -> str:
    counts = Counter(row["verdict"] for row in rows)
    return f"{len(rows)} pairs, " + ", ".join(f"{counts[v]} {v}" for v in VERDICTS)


def _hard_lines(rows: Sequence[Row]) -> list[str]:
    tests: dict[str, Callable[[Row], bool]] = {
        "all": lambda _row: True,
        "season changed": lambda row: row["season"] > 0,
        "coarser by 2 to 4": lambda row: row["coarser"] > 1,
        "in another CRS": lambda row: row["other_crs"] > 0,
        "overlap 25 to 60 %": lambda row: row["share"] < 1,
        "over 35 % replaced": lambda row: row["replaced"] > 0.35,
    }
    lines = []
    for what, test in tests.items():
        part = [row for row in rows if test(row)]
        if part:
            lines.append(f"{what:20} {_verdicts(part)}")
    for name in dict.fromkeys(row["picture"] for row in rows):
        part = [row for row in rows if row["picture"] == name]
        sides = [row["side_m"] for row in part]
        lines.append(f"{name:20} {_verdicts(part)} (sides {min(sides):.0f} to {max(sides):.0f} m)")
    refused = [row for row in rows if row["verdict"] == "refused"]
    lines += [f"refused: {row['name']}: {row['why']}" for row in refused]
    return [*lines, *_summary_lines(rows)]


def _other_lines(rows: Sequence[Row]) -> list[str]:
    lines = [f"{'all':40} {_verdicts(rows)}"]
    for kind in dict.fromkeys(row["kind"] for row in rows):
        part = [row for row in rows if row["kind"] == kind]
        sides = sorted(row["side_m"] for row in part)
        lines.append(
            f"{kind:40} {_verdicts(part)} (sides {sides[0]:.0f} to {sides[-1]:.0f} m,"
            f" median {np.median(sides):.0f})"
        )
    evidence = [row["evidence"] for row in rows]
    lines.append(f"evidence: median {np.median(evidence):.1f}, greatest {max(evidence):.1f}")
    wrong = [row for row in rows if row["verdict"] == "verified"]
    return lines + [f"verified: {row['name']}: {row['why']}" for row in wrong]
