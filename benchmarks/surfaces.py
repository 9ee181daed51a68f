"""Surface models brought together, on the frozen surface pairs: datum, tilt, and where they lie.

python -m benchmarks.surfaces                     # the frozen pairs
python -m benchmarks.surfaces --first-seed 91000  # the same kinds of ground elsewhere, to choose by

Every pair is measured with the alignment that is true and with the one that is found. Then one
surface model is moved by a known distance, in a direction drawn for the pair, and asked back.
"""

import argparse
import json
import math
import sys
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from benchmarks.judge import Case, frozen_cases, plan_of
from survey.blocks import open_executor, run_all
from survey.examination import examine
from survey.field import Field, flat_field
from survey.flight import Flight, open_flight
from survey.grid import Coordinates, WorkingGrid
from survey.heights import Datum
from survey.pair import Pair, make_pair, working_grid
from survey.settings import Settings
from survey.simulation import AreaPlan, displacement, scene_of, undo_displacement, view_of
from survey.simulation.camera.press import Press
from survey.surface_fit import SurfaceFit

__all__ = ["Measured", "measure_case", "moved_surface", "opened_case", "true_field", "true_plane"]

KEPT = Path(__file__).parent / ".cache" / "surfaces"
_OFFSET_BAR_M, _TILT_BAR_M = 0.05, 0.05  # at the centre; over 100 m
_NODE_M = 8.0  # the true displacement bends over 80 m and more
_DISTANCES_M = (0.5, 1.0, 2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one pair came to, with one alignment and one distance of a model from its orthophoto."""

    case: str
    """Name of the case."""
    setting: str
    """Kind of ground."""
    alignment: str
    """``true``, or the verdict on the one that was found."""
    moved: str
    """``none``, ``before`` or ``after``: which model was moved."""
    moved_m: float
    """By how much, metres."""
    fits: tuple[str, str]
    """Verdicts on how the models lie against their orthophotos."""
    fit_errors_m: tuple[float, float]
    """How far off the measured distance from the orthophoto is, before and after, metres."""
    relief_moves: str
    """Which model the relief moved, or ``none``."""
    apart_m: float
    """How far apart the models still are as they are read, metres."""
    off_m: float
    """How far the worse model is read off its own orthophoto, metres."""
    ground: str
    """What the datum was taken from; ``none`` without one."""
    offset_m: float
    """Error of the offset at the centre, metres; NaN without a datum."""
    tilt_m: float
    """Error of the tilt, the worse of both directions, metres over 100 m."""
    told_m: float
    """What the datum says of its offset's error, metres."""
    residual_m: float
    """Spread of stable ground, metres."""
    stable_share: float
    """Share of stable ground."""


def opened_case(case: Case, folder: Path = KEPT) -> tuple[AreaPlan, tuple[Flight, Flight]]:
    """Render a case unless it was, and open both flights with their surface models."""
    plan, place = plan_of(case), folder / f"{case.seed}-{case.name}"
    flights = plan.flights[0], plan.flights[case.after]
    if not (place / "whole").exists():
        place.mkdir(parents=True, exist_ok=True)
        scene = scene_of(plan)
        for flight in flights:
            Press(folder=place, view=view_of(plan, scene, flight)).run(pixel_truth=False)
        (place / "whole").touch()
    opened = []
    for flight in flights:
        name = f"{flight.flown_at:%Y-%m-%d}"
        ortho, dsm = (place / f"{name}_{what}.tif" for what in ("ortho", "dsm"))
        opened.append(examine(open_flight(ortho, dsm=dsm)))
    return plan, (opened[0], opened[1])


def true_field(plan: AreaPlan, case: Case, grid: WorkingGrid) -> Field:
    """Return how much further the later flight truly shows what the earlier one shows."""
    bounds = grid.bounds
    across = np.arange(bounds.left, bounds.right + _NODE_M, _NODE_M)
    down = np.arange(bounds.top, bounds.bottom - _NODE_M, -_NODE_M)
    x, y = np.meshgrid(across, down)
    true_x, true_y = undo_displacement(plan.flights[0], x, y)
    dx, dy = displacement(plan.flights[case.after], true_x, true_y)
    return replace(
        flat_field(bounds, uncertainty=0.05),
        left=bounds.left,
        top=bounds.top,
        step=_NODE_M,
        east=true_x + dx - x,
        north=true_y + dy - y,
        uncertainty=np.full(x.shape, 0.05),
        known=np.ones(x.shape, bool),
    )


def true_plane(
    plan: AreaPlan, case: Case, field: Field, x: Coordinates, y: Coordinates
) -> Coordinates:
    """Return how far the later surface model truly stands above the earlier one, m."""
    centre = plan.west_m + plan.side_m / 2, plan.south_m + plan.side_m / 2
    east, north = field.shift(x, y)
    heights = []
    for flight, px, py in ((0, x, y), (case.after, x + east, y + north)):
        known = plan.flights[flight].surface
        tilt = known.east_mm_per_m * (px - centre[0]) + known.north_mm_per_m * (py - centre[1])
        heights.append(known.datum_m + 1e-3 * tilt)
    return np.asarray(heights[1] - heights[0])


def moved_surface(flight: Flight, east: float, north: float) -> Flight:
    """Return a flight of which the surface model lies (east, north) metres off its orthophoto."""
    assert flight.dsm is not None
    sources = tuple(
        replace(
            source,
            grid=replace(
                source.grid, transform=Affine.translation(east, north) @ source.grid.transform
            ),
        )
        for source in flight.dsm.sources
    )
    return replace(flight, dsm=replace(flight.dsm, sources=sources))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is true of a pair."""

    case: Case
    plan: AreaPlan
    field: Field


def measure_case(case: Case) -> list[Measured]:
    """Measure a case with both alignments, and with models that lie off."""
    plan, flights = opened_case(case)
    settings = Settings().changed("align", accept=True)
    grid = working_grid(*flights, settings)
    known = _Known(case=case, plan=plan, field=true_field(plan, case, grid))
    found = make_pair(*flights, settings)
    given = replace(found.alignment, field=known.field, verdict="verified")
    told = []
    for name, alignment in (("true", given), (found.alignment.verdict, found.alignment)):
        pair = make_pair(*flights, settings, alignment=alignment)
        told.append(_judge(known, pair, name))
    rng = np.random.default_rng(case.seed)
    for number, distance in enumerate(_DISTANCES_M):
        role = "before" if (case.seed + number) % 2 else "after"
        turn = rng.uniform(0, 2 * math.pi)
        move = distance * math.sin(turn), distance * math.cos(turn)
        both = [
            moved_surface(flight, *move) if name == role else flight
            for name, flight in zip(("before", "after"), flights, strict=True)
        ]
        pair = make_pair(both[0], both[1], settings, alignment=given)
        told.append(_judge(known, pair, "true", role, move))
    return told


def _judge(
    known: _Known,
    pair: Pair,
    alignment: str,
    role: str = "none",
    move: tuple[float, float] = (0.0, 0.0),
) -> Measured:
    surfaces = pair.surfaces
    assert surfaces is not None
    true = [np.array(move) if role == name else np.zeros(2) for name in ("before", "after")]
    spot = np.array([pair.grid.bounds.left + 50.0]), np.array([pair.grid.bounds.top - 50.0])
    first = np.ravel(surfaces.shift_before(*spot))
    second = np.ravel(surfaces.shift_after(pair.alignment.field)(*spot))
    second = second - np.ravel(pair.alignment.field.shift(*spot))
    left = first - true[0], second - true[1]
    offset, tilt = _datum_errors(known, pair.grid, surfaces.datum)
    datum = surfaces.datum
    return Measured(
        case=known.case.name,
        setting=known.case.setting,
        alignment=alignment,
        moved=role,
        moved_m=math.hypot(*move),
        fits=(surfaces.fit_before.verdict, surfaces.fit_after.verdict),
        fit_errors_m=(
            _distance(surfaces.fit_before, true[0]),
            _distance(surfaces.fit_after, true[1]),
        ),
        relief_moves=surfaces.relief_moves,
        apart_m=float(np.hypot(*(left[1] - left[0]))),
        off_m=float(max(np.hypot(*left[0]), np.hypot(*left[1]))),
        ground=surfaces.ground,
        offset_m=offset,
        tilt_m=tilt,
        told_m=math.nan if datum is None else datum.offset_error_m,
        residual_m=math.nan if datum is None else datum.residual_m,
        stable_share=math.nan if datum is None else datum.stable_share,
    )


def _distance(fit: SurfaceFit, true: NDArray[np.float64]) -> float:
    return float(np.hypot(fit.east - true[0], fit.north - true[1]))


def _datum_errors(known: _Known, grid: WorkingGrid, datum: Datum | None) -> tuple[float, float]:
    """Return the errors of offset (at the centre) and tilt (over 100 m), m."""
    if datum is None:
        return math.nan, math.nan
    bounds = grid.bounds
    mid_x, mid_y = (bounds.left + bounds.right) / 2, (bounds.bottom + bounds.top) / 2
    x = mid_x + np.array([0.0, -50, 50, 0, 0])
    y = mid_y + np.array([0.0, 0, 0, -50, 50])
    missed = datum.at(x, y) - true_plane(known.plan, known.case, known.field, x, y)
    tilts = missed[2] - missed[1], missed[4] - missed[3]
    return float(missed[0]), float(max(map(abs, tilts)))


def _report(rows: list[Measured]) -> Iterator[str]:
    """Yield the table: what was reached beside what was asked for."""
    for name, part in (
        ("true alignment", [r for r in rows if r.alignment == "true" and r.moved == "none"]),
        ("found alignment", [r for r in rows if r.alignment != "true"]),
        ("a model moved", [r for r in rows if r.moved != "none"]),
    ):
        offset = np.abs([r.offset_m for r in part])
        tilt = np.array([r.tilt_m for r in part])
        within = (offset <= _OFFSET_BAR_M) & (tilt <= _TILT_BAR_M)
        yield f"{name}: {len(part)} cases, {int(within.sum())} within both bars"
        for what, values in (
            ("offset, m", offset),
            ("tilt, m over 100 m", tilt),
            ("models apart as read, m", np.array([r.apart_m for r in part])),
            ("worse model off its orthophoto, m", np.array([r.off_m for r in part])),
            ("spread of stable ground, m", np.array([r.residual_m for r in part])),
        ):
            known = values[np.isfinite(values)]
            if len(known):
                middle, high, most = np.percentile(known, [50, 95, 100])
                yield f"  {what}: median {middle:.3f}, p95 {high:.3f}, largest {most:.3f}"
    yield from _report_fits(rows)


def _report_fits(rows: list[Measured]) -> Iterator[str]:
    """Yield how often a model that lies off its orthophoto is noticed."""
    for distance in (0.0, *_DISTANCES_M):
        part = [
            (fit, error)
            for row in rows
            if row.alignment == "true"
            for role, fit, error in zip(
                ("before", "after"), row.fits, row.fit_errors_m, strict=True
            )
            if math.isclose(row.moved_m if row.moved == role else 0.0, distance)
            and (distance or row.moved == "none")
        ]
        counts = {v: sum(fit == v for fit, _e in part) for v in ("moved", "fits", "unknown")}
        errors = [error for fit, error in part if fit != "unknown"] or [math.nan]
        yield (
            f"model {distance:g} m off its orthophoto: {counts}, measured to"
            f" {np.median(errors):.2f} m (median), {max(errors):.2f} m (largest)"
        )


def _run(cases: tuple[Case, ...], executor: Executor | None) -> Iterator[Measured]:
    for told in run_all(partial(measure_case), cases, executor=executor):
        for row in told:
            print(json.dumps(asdict(row)), flush=True)
        yield from told


def main() -> int:
    """Measure, and print every row as JSON and then the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.surfaces", description=__doc__)
    parser.add_argument("--first-seed", type=int, help="seeds counted from here: other ground")
    parser.add_argument("--cases", type=int, default=20, help="only so many of them")
    parser.add_argument("--workers", type=int, default=0, help="processes; 0: one per core")
    chosen = parser.parse_args()
    cases = frozen_cases("surfaces")[: chosen.cases]
    if chosen.first_seed is not None:
        cases = tuple(
            replace(case, seed=chosen.first_seed + number) for number, case in enumerate(cases)
        )
    with open_executor(chosen.workers) as executor:
        rows = list(_run(cases, executor))
    print(*_report(rows), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
