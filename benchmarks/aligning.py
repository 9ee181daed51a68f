"""How well and how fast flights are aligned, and whether alignment knows when it fails.

python -m benchmarks.aligning warped                      # accuracy on copies under a known warp
python -m benchmarks.aligning frozen --precision precise  # on simulated flights
python -m benchmarks.aligning hard --judge --limit 40     # the draw that is for judging
python -m benchmarks.aligning cost --large                # CPU and memory, also of 40 000 px
"""

import argparse
import json
import math
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from benchmarks.alignment_pairs import (
    FAMILIES,
    Family,
    PairCase,
    PairOfFiles,
    cases_of,
    open_pair,
)
from benchmarks.alignment_pictures import JUDGING, TUNING
from benchmarks.alignment_tables import table_of
from survey.alignment import Alignment, align, common_ground
from survey.blocks import open_executor, run_all
from survey.examination import examine
from survey.flight import open_flight
from survey.grid import WorkingGrid
from survey.settings import AlignSettings

__all__ = ["main", "measure_pair"]

# Residuals are taken at so many places along each side of the ground that both files cover.
_PLACES = 300
_FINEST_M = 0.2  # the pixel that detection works at


def measure_pair(case: PairCase, settings: AlignSettings) -> dict[str, Any]:
    """Make a pair, align it, and tell what came of it.

    Where the truth is known: residuals in pixels of the before file, half and 95 % of all ground
    (``p50``, ``p95``), root mean square and 95 % of ``visible`` ground, the shares of all ground
    that is ``visible`` and that lies ``within`` two of the uncertainties told for it, and the p95
    that alignment tells of itself.
    """
    with tempfile.TemporaryDirectory(prefix="aligning-") as room:
        pair = open_pair(case, Path(room))
        before, after = (examine(open_flight(path)) for path in (pair.before, pair.after))
        grid = common_ground(before, after, max(_FINEST_M, before.pixel_m, after.pixel_m))
        start = time.process_time()
        alignment = align(before, after, grid, settings)
        seconds = time.process_time() - start
        told: dict[str, Any] = {
            "name": case.name,
            "family": case.family,
            "draw": case.draw,
            "kind": case.kind,
            "picture": "+".join(case.pictures),
            "precision": settings.precision,
            "verdict": alignment.verdict,
            "why": alignment.why,
            "evidence": alignment.evidence,
            "ties_used": alignment.ties_used,
            "ties_seen": alignment.ties_seen,
            "pixel_m": before.pixel_m,
            "cpu_s": seconds,
        } | pair.facts
        return told | _against_truth(pair, alignment, grid, before.pixel_m)


def _against_truth(
    pair: PairOfFiles, alignment: Alignment, grid: WorkingGrid, pixel_m: float
) -> dict[str, Any]:
    if pair.truth is None:
        return {}
    bounds = grid.bounds
    x, y = np.meshgrid(
        np.linspace(bounds.left, bounds.right, _PLACES + 2)[1:-1],
        np.linspace(bounds.top, bounds.bottom, _PLACES + 2)[1:-1],
    )
    known = pair.truth.known(x, y, grid.crs)
    east, north = alignment.field.shift(x, y)
    missed = np.hypot(east - known.east, north - known.north)
    within = missed <= 2.0 * alignment.field.uncertainty_at(x, y)
    told = {
        "p50": _percentile(missed[known.both], 50) / pixel_m,
        "p95": _percentile(missed[known.both], 95) / pixel_m,
        "rms_visible": math.sqrt(_mean(missed[known.visible] ** 2)) / pixel_m,
        "p95_visible": _percentile(missed[known.visible], 95) / pixel_m,
        "visible": float(known.visible.sum() / max(1, known.both.sum())),
        "within": _mean(within[known.both]),
        "nothing_done": _percentile(np.hypot(known.east, known.north)[known.both], 50) / pixel_m,
    }
    if alignment.p95_m is not None:
        told["told_p95"] = alignment.p95_m / pixel_m
    return told


def _percentile(values: NDArray[np.float64], share: float) -> float:
    return float(np.percentile(values, share)) if values.size else math.nan


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if values.size else math.nan


def _measure(
    family: Family, settings: AlignSettings, chosen: argparse.Namespace
) -> list[dict[str, Any]]:
    draw = JUDGING if chosen.judge else TUNING
    cases = [case for case in cases_of(family, draw) if chosen.only in case.name][: chosen.limit]
    rows = []
    with open_executor(chosen.workers) as executor:
        for row in run_all(partial(measure_pair, settings=settings), cases, executor=executor):
            rows.append(row)
            print(f"{len(rows)} of {len(cases)}: {row['name']}: {row['verdict']}", file=sys.stderr)
            if chosen.output:
                with chosen.output.open("a", encoding="utf-8") as lines:
                    lines.write(json.dumps(row) + "\n")
    return rows


def main() -> int:
    """Measure one family and print its table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.aligning",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("family", choices=(*FAMILIES, "cost"))
    parser.add_argument("--precision", choices=("standard", "precise"), default="standard")
    parser.add_argument("--judge", action="store_true", help="the draw for judging, not for tuning")
    parser.add_argument("--only", default="", help="only pairs with this in their name")
    parser.add_argument("--limit", type=int, help="only the first so many pairs")
    parser.add_argument("--workers", type=int, default=2, help="processes; 0: one per core")
    parser.add_argument("--large", action="store_true", help="cost: files of 40 000 px too")
    parser.add_argument("-o", "--output", type=Path, help="add a line of JSON for every pair")
    chosen = parser.parse_args()
    settings = AlignSettings(precision=chosen.precision)
    if chosen.family == "cost":
        from benchmarks.big_pairs import print_costs

        print_costs(large=chosen.large)
        return 0
    rows = _measure(cast(Family, chosen.family), settings, chosen)
    print(f"{chosen.family}, {'judging' if chosen.judge else 'tuning'} draw, {chosen.precision}")
    print(table_of(chosen.family, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
