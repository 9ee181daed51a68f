"""Figures of detection from the lines of JSON that were measured, beside their bars. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from benchmarks.detecting_counts import (
    Bin,
    Count,
    FoundObject,
    TrueObject,
    calibration_bins,
    calibration_error,
    outline_errors,
    precision,
    recall,
)
from benchmarks.naive import Counts
from survey.settings import Settings

__all__ = [
    "LEAST_M2",
    "POOLS",
    "REPORTED",
    "Entry",
    "Told",
    "bins_of",
    "figures_of",
    "finds_of",
    "of_row",
    "truths_of",
]

Entry = dict[str, Any]
"""What was measured on one pair: a line of JSON."""

REPORTED = Settings().detect.min_score
"""Score from which on a change is reported."""
LEAST_M2 = {"fotbcd": 20.0, "kampala": 15.0, "frozen": 20.0, "surfaces": 10.0}
"""Smallest change that each row asks for, m2."""
_LEAST_M2 = Settings().detect.min_area_m2
POOLS = {
    "simulated scenes": ("frozen",),
    "simulated scenes with surface models": ("surfaces",),
    "Kampala and FOTBCD": ("fotbcd", "kampala"),
}
"""Rows whose changes are put together to tell what scores are worth."""
_ENOUGH = 300  # objects without which nothing is said of scores
_HEIGHT_KINDS = ("storey", "roof_addition")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One figure beside its bar."""

    row: str
    """What it was measured on."""
    what: str
    """What it is."""
    value: float | None
    """The figure; None where there is nothing to tell."""
    shown: str
    """The figure in words."""
    bar: float | None = None
    """What it must reach; None for what has no bar."""
    aim: float | None = None
    """What it should reach."""
    most: bool = False
    """True where it must stay at or below these."""
    digits: int = 2
    """Digits of bar and aim."""

    @property
    def state(self) -> str:
        """What bar and aim say to it."""
        if self.bar is None or self.aim is None:
            return ""
        if self.value is None:
            return "not measured"
        if self._reaches(self.aim):
            return "aim reached"
        return "bar reached" if self._reaches(self.bar) else "missed"

    def _reaches(self, limit: float) -> bool:
        assert self.value is not None
        return self.value <= limit if self.most else self.value >= limit


def of_row(entries: Iterable[Entry], row: str) -> list[Entry]:
    """Return what was measured for a row."""
    return [entry for entry in entries if entry["row"] == row]


def truths_of(entries: Iterable[Entry]) -> list[TrueObject]:
    """Return the true changes of many pairs."""
    return [TrueObject(**told) for entry in entries for told in entry["truths"]]


def finds_of(entries: Iterable[Entry]) -> list[FoundObject]:
    """Return what was found in many pairs, unlikely changes included."""
    return [FoundObject(**told) for entry in entries for told in entry["finds"]]


def bins_of(entries: Iterable[Entry]) -> tuple[Bin, ...]:
    """Return how scores and shares of right changes go together, in ten bins of equal counts."""
    return calibration_bins([find for find in finds_of(entries) if find.area_m2 >= _LEAST_M2])


def _reported(entries: Iterable[Entry]) -> list[FoundObject]:
    return [find for find in finds_of(entries) if find.score >= REPORTED]


def _share(row: str, what: str, count: Count, bar: float | None, aim: float | None) -> Told:
    shown = "-" if count.share is None else f"{count.share:.3f} ({count.hit} of {count.of})"
    return Told(row=row, what=what, value=count.share, shown=shown, bar=bar, aim=aim)


def _many(row: str, what: str, count: Count, bar: float, aim: float) -> Told:
    shown = f"{count.hit} of {count.of}"
    return Told(row=row, what=what, value=count.hit, shown=shown, bar=bar, aim=aim, digits=0)


def _few(row: str, what: str, value: int, bar: float, aim: float) -> Told:
    return Told(
        row=row, what=what, value=value, shown=str(value), bar=bar, aim=aim, most=True, digits=0
    )


def _line(row: str, what: str, shown: str) -> Told:
    return Told(row=row, what=what, value=None, shown=shown)


def _verdicts(entries: Sequence[Entry], row: str) -> Told:
    names = sorted({entry["verdict"] for entry in entries})
    counts = {name: sum(entry["verdict"] == name for entry in entries) for name in names}
    ground = sum(entry["ground_m2"] for entry in entries)
    judged = sum(entry["judged_m2"] for entry in entries) / ground if ground else 0.0
    told = ", ".join(f"{count} {name}" for name, count in counts.items())
    return _line(row, "alignments; ground judged", f"{told}; {judged:.1%}")


def _fotbcd(entries: Sequence[Entry]) -> Iterator[Told]:
    row = "FOTBCD pairs"
    pixels = sum((Counts(**entry["pixels"]) for entry in entries), Counts())
    least = LEAST_M2["fotbcd"]
    yield Told(
        row=row,
        what="pixel F1, pooled",
        value=pixels.f1,
        shown=f"{pixels.f1:.3f}",
        bar=0.55,
        aim=0.75,
    )
    yield _many(row, "objects of 20 m2 found", recall(truths_of(entries), least_m2=least), 8, 9)
    false = sum(not find.right for find in _reported(entries))
    yield _few(row, "false changes", false, 6, 2)
    yield _verdicts(entries, row)


def _shares(
    entries: Sequence[Entry], row: str, least_m2: float, bars: tuple[float, float, float, float]
) -> Iterator[Told]:
    found = recall(truths_of(entries), least_m2=least_m2)
    yield _share(row, f"recall at {least_m2:g} m2", found, bars[0], bars[1])
    right = precision(finds_of(entries), least_score=REPORTED, least_m2=least_m2)
    yield _share(row, f"precision at {least_m2:g} m2", right, bars[2], bars[3])


def _kampala(entries: Sequence[Entry]) -> Iterator[Told]:
    row = "Kampala turned back"
    yield from _shares(entries, row, LEAST_M2["kampala"], (0.90, 0.97, 0.80, 0.95))
    roofs = [len(entry["roofs"]) for entry in entries]
    distinct = {roof for entry in entries for roof in entry["roofs"]}
    decoys = sum(entry["decoys"] for entry in entries)
    yield _line(
        row,
        "draws; roofs in each, as many decoys; distinct roofs",
        f"{len(roofs)}; {min(roofs)} to {max(roofs)}; {len(distinct)}",
    )
    on_decoys = sum(entry["on_decoys"] for entry in entries)
    yield _line(row, "reported changes on decoys", f"{on_decoys} on {decoys}")
    yield _verdicts(entries, row)


def _kinds(entries: Sequence[Entry]) -> list[str]:
    return sorted({truth.kind for truth in truths_of(entries)})


def _frozen(entries: Sequence[Entry]) -> Iterator[Told]:
    row, least = "simulated scenes", LEAST_M2["frozen"]
    yield from _shares(entries, row, least, (0.90, 0.95, 0.85, 0.95))
    flat = [kind for kind in _kinds(entries) if kind != "storey"]
    truths = truths_of(entries)
    for what, kinds in (("without storeys", flat), ("storeys alone", ["storey"])):
        found = recall(truths, least_m2=least, kinds=kinds)
        yield _share(row, f"recall at {least:g} m2, {what}", found, None, None)
    yield _verdicts(entries, row)


def _surfaces(entries: Sequence[Entry]) -> Iterator[Told]:
    row, least = "simulated scenes with surface models", LEAST_M2["surfaces"]
    yield from _shares(entries, row, least, (0.97, 0.99, 0.95, 0.98))
    found = recall(truths_of(entries), least_m2=least, kinds=_HEIGHT_KINDS)
    yield _share(row, "recall of storeys and roof additions", found, 0.90, 0.95)
    yield _verdicts(entries, row)


def _nothing(entries: Sequence[Entry], row: str, bars: tuple[float, float]) -> Iterator[Told]:
    km2 = sum(entry["judged_m2"] for entry in entries) / 1e6
    false = len(_reported(entries))
    rate = false / km2 if km2 else None
    yield Told(
        row=row,
        what="false changes per km2",
        value=rate,
        shown="-" if rate is None else f"{rate:.2f} ({false} on {km2:.2f} km2)",
        bar=bars[0],
        aim=bars[1],
        most=True,
        digits=1,
    )
    yield _verdicts(entries, row)


def _identical(entries: Sequence[Entry]) -> Iterator[Told]:
    yield _few("files with themselves", "changes", len(_reported(entries)), 0, 0)


def _calibration(row: str, entries: list[Entry]) -> Iterator[Told]:
    bins = bins_of(entries)
    error, count = calibration_error(bins), sum(part.count for part in bins)
    if error is None:
        return
    few = "" if count >= _ENOUGH else f", fewer than {_ENOUGH}"
    yield Told(
        row=row,
        what="calibration error of the score",
        value=error,
        shown=f"{error:.3f} ({count} objects{few})",
        bar=0.08,
        aim=0.04,
        most=True,
    )


def _outlines(row: str, entries: Sequence[Entry]) -> Iterator[Told]:
    truths = [truth for truth in truths_of(entries) if truth.gained is not None]
    iou, ratio, area = outline_errors(truths, LEAST_M2["frozen"])
    if not len(iou):
        return
    median = float(np.median(iou))
    yield Told(
        row=row,
        what="median IoU of outlines",
        value=median,
        shown=f"{median:.3f} ({len(iou)} single objects)",
        bar=0.80,
        aim=0.88,
    )
    bias, middle = float(np.mean(ratio)) - 1.0, float(np.median(ratio)) - 1.0
    pooled = float((ratio * area).sum() / area.sum()) - 1.0
    yield Told(
        row=row,
        what="area bias of outlines",
        value=abs(bias),
        shown=f"{bias:+.1%} (mean), {middle:+.1%} (median), {pooled:+.1%} (all areas together)",
        bar=0.03,
        aim=0.03,
        most=True,
    )


def _inventory(entries: Sequence[Entry]) -> Iterator[Told]:
    row = "inventory of simulated scenes"
    for name, what, bars in (
        ("standing", "recall at 20 m2", (0.85, 0.95)),
        ("found", "precision at 20 m2", (0.85, 0.95)),
        ("unpermitted", "recall of what is not permitted", (None, None)),
        ("suspects", "precision of suspects", (None, None)),
    ):
        yield _share(row, what, _summed(entries, name), *bars)


def _summed(entries: Sequence[Entry], name: str) -> Count:
    return Count(
        hit=sum(entry[name]["hit"] for entry in entries),
        of=sum(entry[name]["of"] for entry in entries),
    )


def _removed_rows(entries: Sequence[Entry]) -> Iterator[Told]:
    row = "inventory of Kampala, 20 rows removed"
    removed = _summed(entries, "removed")
    yield Told(
        row=row,
        what="removed rows found, of 20",
        value=20 * removed.hit / removed.of if removed.of else None,
        shown=f"{removed.hit} of {removed.of}",
        bar=16,
        aim=20,
        digits=0,
    )
    yield _share(row, "precision of suspects", _summed(entries, "suspects"), None, None)


def _cost(entries: Sequence[Entry]) -> Iterator[Told]:
    for entry in entries:
        asked = entry["overviews"]
        yield Told(
            row=f"cost, {entry['side_px']} px at 5 cm",
            what="detection over one decode of both, "
            + ("with overviews" if asked else "without overviews"),
            value=entry["ratio"],
            shown=f"{entry['ratio']:.2f}",
            bar=2.0 if asked else None,
            aim=1.0 if asked else None,
            most=True,
            digits=0,
        )


_ROWS: dict[str, Callable[[list[Entry]], Iterator[Told]]] = {
    "fotbcd": _fotbcd,
    "kampala": _kampala,
    "frozen": _frozen,
    "surfaces": _surfaces,
    "nothing": partial(_nothing, row="nothing built", bars=(2.0, 0.2)),
    "nothing_wide": partial(_nothing, row="nothing built, wide", bars=(2.0, 0.2)),
    "identical": _identical,
    "inventory": _inventory,
    "removed_rows": _removed_rows,
    "cost": _cost,
}


def figures_of(entries: Sequence[Entry]) -> list[Told]:
    """Return all figures that the lines measured so far can tell, in the order of the bars."""
    found = [
        told
        for row, figures in _ROWS.items()
        if (own := of_row(entries, row))
        for told in figures(own)
    ]
    for row, names in POOLS.items():
        found += _calibration(row, [e for name in names for e in of_row(entries, name)])
    for row, name in (
        ("simulated scenes", "frozen"),
        ("simulated scenes with surface models", "surfaces"),
        ("Kampala turned back", "kampala"),
    ):
        found += _outlines(row, of_row(entries, name))
    return found
