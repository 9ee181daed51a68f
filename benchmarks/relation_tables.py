"""Tables of what `benchmarks.relations` measured, against the bars. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = [
    "FALSE_BAR",
    "RIGHT_BARS",
    "Account",
    "Judged",
    "Placed",
    "account_of",
    "table_of",
    "wrong_lines",
]

RIGHT_BARS = {0.0: 0.95, 1.0: 0.95, 2.0: 0.95, 3.0: 0.90}
"""Share of true structures whose relation is to be right, by metres that the layer is off."""
FALSE_BAR = 0.01
"""Share of permitted buildings that may be flagged."""
_LOST = ("removed_permitted", "removed_unpermitted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One true structure, and what was said of it."""

    case: str
    """Name of the case."""
    setting: str
    """Kind of ground."""
    distance_m: float
    """How far off the layer is drawn, metres."""
    structure: int
    """Number of the structure."""
    kind: str
    """Slug of its kind of change."""
    area_m2: float
    """What was reported of it, m2."""
    true: str
    """Its reason by the true permits."""
    expected: str | None
    """Its reason by the layer; None where a broken row leaves it open."""
    said: str
    """The reason it was told."""
    suspicious: bool
    """Whether it was flagged."""
    cover: float | None
    """Share that lies within permits, as told."""
    excess_m2: float | None
    """Area beyond the permits, as told, m2."""
    excess_m: float | None
    """Reach beyond the permits, as told, metres."""
    true_excess_m2: float
    """Area of the whole structure beyond its permit, m2."""
    true_excess_height_m: float
    """Height of the whole structure above the permitted one, metres."""
    tolerance_m: float
    """Of the drawing and of the flights, metres."""
    error_m: float
    """How far off the nearest permit still is after the layer was moved, metres."""

    @property
    def counted(self) -> bool:
        """Whether there is an answer that is right."""
        return self.expected is not None

    @property
    def right(self) -> bool:
        """Whether it was given."""
        return self.said == self.expected

    @property
    def flagged_falsely(self) -> bool:
        """Whether a building that is as permitted was flagged."""
        return self.expected == "as_permitted" and self.suspicious


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """How well one layer was placed."""

    case: str
    """Name of the case."""
    distance_m: float
    """How far off it is drawn, metres."""
    found: bool
    """Whether it was moved at all."""
    errors_m: tuple[float, ...]
    """How far each of its permits still is from its place, metres."""
    built: tuple[tuple[bool, bool | None], ...] = ()
    """For each permit, whether something stood on it at the earlier flight, truly and as told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What was measured of one case, or of many."""

    judged: tuple[Judged, ...]
    """Every structure once for every distance."""
    placed: tuple[Placed, ...]
    """Every layer."""
    small: int
    """True changes too small to be reported; they are not among ``judged``."""

    def at(self, distance_m: float) -> "Account":
        """Return the part of one distance."""
        return Account(
            judged=tuple(row for row in self.judged if row.distance_m == distance_m),
            placed=tuple(row for row in self.placed if row.distance_m == distance_m),
            small=self.small,
        )

    @property
    def distances_m(self) -> tuple[float, ...]:
        """The distances measured, ascending."""
        return tuple(sorted({row.distance_m for row in self.placed}))

    def figures(self) -> dict[str, Any]:
        """Return every figure of the tables, as JSON holds them."""
        return {
            "too_small": self.small,
            "distances": [
                {"distance_m": distance} | _figures(self.at(distance))
                for distance in self.distances_m
            ],
        }


def account_of(accounts: Iterable[Account]) -> Account:
    """Put the accounts of many cases together."""
    both = list(accounts)
    return Account(
        judged=tuple(row for account in both for row in account.judged),
        placed=tuple(row for account in both for row in account.placed),
        small=sum(account.small for account in both),
    )


def _share(part: int, total: int) -> float | None:
    return part / total if total else None


def _figures(account: Account) -> dict[str, Any]:
    counted = [row for row in account.judged if row.counted]
    built = [row for row in counted if row.expected not in _LOST]
    permitted = [row for row in counted if row.expected == "as_permitted"]
    flagged = sum(row.flagged_falsely for row in permitted)
    right, right_built = sum(row.right for row in counted), sum(row.right for row in built)
    return {
        "counted": len(counted),
        "right": right,
        "share": _share(right, len(counted)),
        "built": len(built),
        "built_right": right_built,
        "built_share": _share(right_built, len(built)),
        "open": len(account.judged) - len(counted),
        "permitted": len(permitted),
        "flagged_falsely": flagged,
        "false_share": _share(flagged, len(permitted)),
        "confusion": _confusion(counted),
        "layers": len(account.placed),
        "layers_moved": sum(row.found for row in account.placed),
        "layer_errors_m": _errors(account.placed),
        "stood": _stood(account.placed),
    }


def _confusion(rows: Sequence[Judged]) -> dict[str, dict[str, int]]:
    counts = Counter((str(row.expected), row.said) for row in rows)
    true = sorted({expected for expected, _said in counts})
    return {
        name: {said: counts[name, said] for said in sorted({s for t, s in counts if t == name})}
        for name in true
    }


def _errors(placed: Sequence[Placed]) -> dict[str, float] | None:
    """Return how far permits still are from their place, over all of them; None without any."""
    errors = np.array([error for row in placed for error in row.errors_m])
    if not errors.size:
        return None
    median, high, most = np.percentile(errors, [50, 95, 100]).round(3).tolist()
    return {"median": median, "p95": high, "largest": most}


def _stood(placed: Sequence[Placed]) -> dict[str, dict[str, int]]:
    """Count permits by what truly stood on them and what was told."""
    names = {True: "built", False: "empty", None: "untold"}
    counts = Counter((names[true], names[told]) for row in placed for true, told in row.built)
    return {
        true: {told: counts[true, told] for told in names.values()} for true in ("built", "empty")
    }


def table_of(account: Account) -> str:
    """Return the tables as text: one line for each distance, then who was taken for what."""
    heads = ("counted", "right", "bar", "built", "right", "permitted", "flagged", "bar", "open")
    widths = (8, 8, 6, 8, 8, 10, 12, 6, 6)
    lines = [
        f"{account.small} true changes too small to be reported are left out",
        f"{'off by':>7}" + "".join(f"{h:>{w}}" for h, w in zip(heads, widths, strict=True)),
    ]
    told = account.figures()["distances"]
    for row in told:
        cells = (
            row["counted"],
            _percent(row["share"]),
            _percent(RIGHT_BARS.get(row["distance_m"]), 0),
            row["built"],
            _percent(row["built_share"]),
            row["permitted"],
            f"{row['flagged_falsely']} = {_percent(row['false_share'])}",
            _percent(FALSE_BAR, 0),
            row["open"],
        )
        shown = "".join(f"{c:>{w}}" for c, w in zip(cells, widths, strict=True))
        lines.append(f"{row['distance_m']:5.0f} m{shown}")
    lines += ["", "built: without what was removed; open: a broken row leaves no right answer"]
    for row in told:
        lines += ["", *_distance_lines(row)]
    return "\n".join(lines)


def _percent(share: float | None, digits: int = 1) -> str:
    return "-" if share is None else f"{share:.{digits}%}"


def _distance_lines(row: dict[str, Any]) -> Iterator[str]:
    errors = row["layer_errors_m"] or {}
    shown = ", ".join(f"{name} {value:.2f} m" for name, value in errors.items())
    yield (
        f"off by {row['distance_m']:.0f} m: {row['layers_moved']} of {row['layers']} layers moved;"
        f" permits are then off by {shown}"
    )
    for true, told in row["stood"].items():
        shown = ", ".join(f"{name} {count}" for name, count in told.items())
        yield f"  permits truly {true} at the earlier flight: told {shown}"
    for true, said in row["confusion"].items():
        total = sum(said.values())
        others = ", ".join(
            f"{name} {count}"
            for name, count in sorted(said.items(), key=lambda item: -item[1])
            if name != true
        )
        yield f"  {true:20} {said.get(true, 0):4} of {total:4}" + (f"   {others}" if others else "")


def wrong_lines(account: Account) -> Iterator[str]:
    """Yield a line for every layer that was not moved or not well, and every wrong relation."""
    for placed in account.placed:
        worst = max(placed.errors_m, default=0.0)
        if not placed.found or worst > 0.5:
            state = "moved" if placed.found else "not moved"
            yield f"{placed.case} off by {placed.distance_m:.0f} m: {state}, worst {worst:.2f} m"
    for row in account.judged:
        if row.counted and not row.right:
            yield (
                f"{row.case} {row.setting} off by {row.distance_m:.0f} m: {row.structure}"
                f" {row.kind} {row.area_m2:.0f} m2: {row.expected} -> {row.said}"
                f" (cover {_number(row.cover)}, excess {_number(row.excess_m2)} m2"
                f" {_number(row.excess_m)} m, of it all {row.true_excess_m2:.1f} m2"
                f" {row.true_excess_height_m:.1f} m high, tolerance {row.tolerance_m:.2f} m,"
                f" layer off {row.error_m:.2f} m)"
            )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
