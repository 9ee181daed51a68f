"""How much of what changed is detected, and how much of what is detected changed.

python -m benchmarks.detecting frozen                     # simulated scenes, a draw to tune by
python -m benchmarks.detecting frozen --judge -o FILE     # the frozen ones; a line of JSON each
python -m benchmarks.detecting all --judge -o FILE        # every row but the 20 km2 (hours)
python -m benchmarks.detecting show FILE ...              # the figures of such files
python -m benchmarks.detecting table FILE ...             # the same, and write docs/accuracy.md
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.detecting_cost import cost_cases, measure_cost
from benchmarks.detecting_kampala import kampala_cases, measure_kampala
from benchmarks.detecting_real import (
    fotbcd_names,
    identical_cases,
    measure_fotbcd,
    measure_identical,
)
from benchmarks.detecting_report import page_of, screen_of
from benchmarks.detecting_scenes import draw_of, measure_heights, measure_picture
from benchmarks.detecting_stock import measure_removed_rows, measure_stock, removed_rows_cases
from benchmarks.judge import Set
from survey.blocks import open_executor, run_all

__all__ = ["ROWS", "Row", "main"]

_WIDE = "nothing_wide"
_PAGE = Path(__file__).parent.parent / "docs" / "accuracy.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What is measured, and on what."""

    cases: Callable[..., Sequence[Any]]
    """Lists the cases of a draw (``judge``): names, or records with one."""
    measure: Callable[[Any], dict[str, Any]]
    """Measures one of them."""
    alone: bool = False
    """Whether cases go one by one: they use all cores themselves, or are timed."""


def _draw(name: Set) -> Callable[..., Sequence[Any]]:
    return partial(draw_of, name)


ROWS = {
    "fotbcd": Row(cases=fotbcd_names, measure=measure_fotbcd),
    "identical": Row(cases=identical_cases, measure=measure_identical),
    "frozen": Row(cases=_draw("detection"), measure=measure_picture),
    "surfaces": Row(cases=_draw("surfaces"), measure=measure_heights),
    "inventory": Row(cases=_draw("detection"), measure=measure_stock),
    "removed_rows": Row(cases=removed_rows_cases, measure=measure_removed_rows),
    "kampala": Row(cases=kampala_cases, measure=measure_kampala),
    "nothing": Row(cases=_draw("nothing"), measure=measure_picture, alone=True),
    "nothing_wide": Row(cases=_draw("nothing_wide"), measure=measure_picture, alone=True),
    "cost": Row(cases=cost_cases, measure=measure_cost, alone=True),
}
"""The rows, in the order in which they are measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    row: str
    case: Any
    judge: bool

    @property
    def name(self) -> str:
        return str(getattr(self.case, "name", self.case))

    @property
    def draw(self) -> str:
        return "judging" if self.judge else "tuning"


def _measure(work: _Work) -> dict[str, Any]:
    return {**ROWS[work.row].measure(work.case), "row": work.row, "draw": work.draw}


def _works(chosen: argparse.Namespace) -> list[_Work]:
    rows = [row for row in ROWS if row != _WIDE] if "all" in chosen.rows else list(chosen.rows)
    found = []
    for row in [*rows, _WIDE] if chosen.wide else rows:
        works = [
            _Work(row=row, case=case, judge=chosen.judge)
            for case in ROWS[row].cases(judge=chosen.judge)
        ]
        found += [work for work in works if chosen.only in work.name][: chosen.limit]
    return found


def _run(chosen: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure what was chosen; what is measured is on the disk before the next begins."""
    works = _works(chosen)
    entries: list[dict[str, Any]] = []
    if chosen.resume and chosen.output.exists():
        entries = _read([chosen.output])
        done = {(entry["row"], entry["draw"], entry["name"]) for entry in entries}
        works = [work for work in works if (work.row, work.draw, work.name) not in done]
    for number, entry in enumerate(_measured(works, chosen.workers), start=1):
        entries.append(entry)
        print(f"{number} of {len(works)}: {entry['row']} {entry['name']}", file=sys.stderr)
        if chosen.output:
            with chosen.output.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(entry) + "\n")
    return entries


def _measured(works: Sequence[_Work], workers: int) -> Iterator[dict[str, Any]]:
    """Measure side by side what may be, then the rest."""
    together = [work for work in works if not ROWS[work.row].alone]
    with open_executor(workers) as executor:
        yield from run_all(_measure, together, executor=executor)
    yield from (_measure(work) for work in works if ROWS[work.row].alone)


def _read(paths: Sequence[Path]) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for path in paths
        for line in path.read_text(encoding="utf-8").splitlines()
        if line
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.detecting",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("rows", nargs="+", metavar="ROW", help=f"all, {', '.join(ROWS)}")
    parser.add_argument("--judge", action="store_true", help="the frozen draw, not the tuning one")
    parser.add_argument("--wide", action="store_true", help="the 20 km2 without changes too")
    parser.add_argument("--only", default="", help="only pairs with this in their name")
    parser.add_argument("--limit", type=int, help="only the first so many pairs of each row")
    parser.add_argument("--workers", type=int, default=2, help="processes; 0: one per core")
    parser.add_argument("-o", "--output", type=Path, help="add a line of JSON for every pair")
    parser.add_argument("--resume", action="store_true", help="leave out what -o holds already")
    return parser


def _tell(paths: Sequence[Path], *, write: bool) -> None:
    """Print the figures of files, and write the page."""
    entries = _read(paths)
    if write:
        if any(entry["draw"] != "judging" for entry in entries):
            raise SystemExit("the page tells of the frozen draw alone: measure with --judge")
        _PAGE.write_text(page_of(entries), encoding="utf-8")
    print(screen_of(entries))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure rows and print them beside their bars; or tell what files hold."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] in (["show"], ["table"]):
        _tell([Path(name) for name in given[1:]], write=given[0] == "table")
        return 0
    parser = _parser()
    chosen = parser.parse_args(given)
    if unknown := [row for row in chosen.rows if row not in (*ROWS, "all")]:
        parser.error(f"no such row: {', '.join(unknown)}; there are all, {', '.join(ROWS)}")
    if chosen.resume and chosen.output is None:
        parser.error("--resume: name the file by -o")
    print(screen_of(_run(chosen)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
