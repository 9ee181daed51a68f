"""The figures of detection as text for the screen, and as the page `docs/accuracy.md`. Pure."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from benchmarks.detecting_counts import CLASSES_M2, Count, precision, recall
from benchmarks.detecting_tables import (
    LEAST_M2,
    POOLS,
    REPORTED,
    Entry,
    Told,
    bins_of,
    figures_of,
    finds_of,
    of_row,
    truths_of,
)

__all__ = ["page_of", "screen_of"]

_HEAD = """# How accurate detection is

Made by `make bench-detect`; do not edit. What the rows are, and how they are counted, is told in
[benchmarks/README.md](../benchmarks/README.md).

A change is found where 30 % of it is covered by what was reported of its sign, and what was
reported is right where 30 % of it lies on true changes of its sign. Orthophotos alone, unless
surface models are named; alignments are found, not given.
"""
_SIZES = [f"{least:g}-{most:g} m2" for least, most in pairwise(CLASSES_M2)] + [
    f"{CLASSES_M2[-1]:g} m2 and more"
]
_LIMITS = list(zip(CLASSES_M2, (*CLASSES_M2[1:], float("inf")), strict=True))


def screen_of(entries: Sequence[Entry]) -> str:
    """Return the figures as text, each beside its bar and its aim."""
    rows = [_cells(told) for told in figures_of(entries)]
    head = ["on", "what", "measured", "bar", "aim", ""]
    widths = [max(len(row[col]) for row in [head, *rows]) for col in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [head, *rows]
    )


def _cells(told: Told) -> list[str]:
    sign = "≤ " if told.most else ""
    limits = [
        "" if limit is None else f"{sign}{limit:.{told.digits}f}" for limit in (told.bar, told.aim)
    ]
    return [told.row, told.what, told.shown, *limits, told.state]


def page_of(entries: Sequence[Entry]) -> str:
    """Return the page: all figures, then by kind and size, ground and pixel, and scores."""
    parts = [_HEAD, "## The bars", "", *_table(["on", "what", "measured", "bar", "aim", ""], [
        _cells(told) for told in figures_of(entries)
    ])]  # fmt: skip
    for row, title in (
        ("frozen", "Simulated scenes, orthophotos alone"),
        ("surfaces", "Simulated scenes with surface models"),
        ("kampala", "Kampala turned back"),
    ):
        if own := of_row(entries, row):
            parts += ["", f"## {title}", *_details(own, LEAST_M2[row])]
    if own := of_row(entries, "fotbcd"):
        parts += ["", "## FOTBCD pairs", *_objects(own)]
    parts += ["", "## What scores are worth", *_scores(entries)]
    return "\n".join(parts).rstrip() + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def _shown(count: Count) -> str:
    return "" if not count.of else f"{count.hit} of {count.of}"


def _details(entries: Sequence[Entry], least_m2: float) -> Iterator[str]:
    truths, finds = truths_of(entries), finds_of(entries)
    kinds = sorted({truth.kind for truth in truths})
    found = [
        [
            kind,
            *(
                _shown(recall(truths, least_m2=least, below_m2=most, kinds=(kind,)))
                for least, most in _LIMITS
            ),
        ]
        for kind in kinds
    ]
    yield from ("", "True changes found, by kind and size:", "")
    yield from _table(["kind", *_SIZES], found)
    said = sorted({find.kind for find in finds if find.score >= REPORTED})
    right = [
        [
            kind,
            *(
                _shown(
                    precision(
                        finds, least_score=REPORTED, least_m2=least, below_m2=most, kinds=(kind,)
                    )
                )
                for least, most in _LIMITS
            ),
        ]
        for kind in said
    ]
    yield from ("", "Reported changes that are right, by the kind they were said to be:", "")
    yield from _table(["kind", *_SIZES], right)
    for name, title in (("setting", "ground"), ("pixel_m", "pixel")):
        if all(name in entry for entry in entries):
            yield from ("", f"By {title}, from {least_m2:g} m2:", "")
            yield from _by(entries, name, title, least_m2)


def _by(entries: Sequence[Entry], name: str, title: str, least_m2: float) -> Iterator[str]:
    groups = sorted({entry[name] for entry in entries})
    rows = []
    for group in groups:
        own = [entry for entry in entries if entry[name] == group]
        found = recall(truths_of(own), least_m2=least_m2)
        right = precision(finds_of(own), least_score=REPORTED, least_m2=least_m2)
        shown = f"{group:g} m" if isinstance(group, float) else str(group)
        rows.append([shown, str(len(own)), _shown(found), _shown(right)])
    yield from _table([title, "pairs", "found", "reported are right"], rows)


def _objects(entries: Sequence[Entry]) -> Iterator[str]:
    rows = []
    for entry in entries:
        truths, finds = truths_of([entry]), finds_of([entry])
        reported = [find for find in finds if find.score >= REPORTED]
        sizes = [truth for truth in truths if truth.area_m2 >= LEAST_M2["fotbcd"]]
        told = ", ".join(f"{truth.area_m2:.0f} m2: {truth.covered:.0%}" for truth in sizes)
        false = sum(not find.right for find in reported)
        rows.append([entry["name"], told or "nothing changed", str(false), entry["verdict"]])
    yield ""
    yield from _table(["pair", "changed, and covered", "false", "alignment"], rows)


def _scores(entries: Sequence[Entry]) -> Iterator[str]:
    yield from (
        "",
        "All changes found, those too unlikely to be reported included, in ten bins of equal",
        "counts: the mean score, and the share that is right.",
    )
    for title, names in POOLS.items():
        if bins := bins_of([entry for name in names for entry in of_row(entries, name)]):
            cells = [[f"{part.said:.2f}", f"{part.true:.2f}", str(part.count)] for part in bins]
            yield from ("", f"{title[0].upper()}{title[1:]}:", "")
            yield from _table(["said", "right", "changes"], cells)
