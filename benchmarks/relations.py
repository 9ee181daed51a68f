"""How often a change is told its right relation to the permits, by how far off the layer lies.

python -m benchmarks.relations -v            # the tuning draw, with every relation that is wrong
python -m benchmarks.relations --no-heights  # as without surface models
python -m benchmarks.relations --judge       # the frozen permit scenes: figures only

The true changes of a simulated pair are held against its permits, so that this measures relations
and not detection. The layer is drawn 0, 1, 2 and 3 m off in a direction of the case's own, and one
row in twenty is broken; how far off it is, the product has to find in the rendered earlier flight.
"""

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from benchmarks.alignment_pictures import whole
from benchmarks.judge import Case, plan_of
from benchmarks.permit_line import compare_changes, place_on
from benchmarks.relation_cases import (
    Question,
    changes_of,
    dirt_of,
    draw_of,
    fates_in_place,
    seen_by,
)
from benchmarks.relation_tables import (
    Account,
    Judged,
    Placed,
    account_of,
    table_of,
    wrong_lines,
)
from change.changes import Change
from change.permits import Permits, open_permits
from change.suspicion import Suspect
from survey.alignment import common_ground
from survey.blocks import open_executor, run_all
from survey.examination import examine
from survey.flight import Flight, open_flight
from survey.grid import WorkingGrid
from survey.simulation import (
    AreaPlan,
    ExpectedChange,
    Scene,
    changes_between,
    displacement,
    scene_of,
    view_of,
)
from survey.simulation.camera.press import Press
from survey.simulation.permits.permit_fates import Fate, expected_reason
from survey.simulation.permits.permit_files import write_permits
from survey.simulation.permits.soiled_permits import Soiled, soil_permits
from survey.simulation.truth import tabulate_permits

__all__ = ["DISTANCES_M", "main", "measure_case"]

KEPT = Path(__file__).parent / ".cache" / "relations"
DISTANCES_M = (0.0, 1.0, 2.0, 3.0)
_STOOD = 0.3  # share of a permit that is covered where something stands on it
_REACH_M = 50.0  # the layer's error at a structure is that of the permit nearest to it, if so near


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scenes:
    """A case with what is true of it, and what the product is given."""

    case: Case
    plan: AreaPlan
    scene: Scene
    flight: Flight
    grid: WorkingGrid
    true: tuple[tuple[ExpectedChange, tuple[Change, ...]], ...]
    """Each true change that is counted, with what is reported of it."""
    small: int
    """True changes that are too small to be reported."""


def measure_case(case: Case, question: Question) -> Account:
    """Put the true changes of a case to the product, once for every distance."""
    plan = plan_of(case)
    scene = scene_of(plan)
    flight = _before(case, plan, scene)
    known = changes_between(scene, 0, case.after)
    reported = [(item, tuple(changes_of(plan, item, question))) for item in known]
    pixel_m = max(question.settings.detect.pixel_m, flight.pixel_m)
    scenes = _Scenes(
        case=case,
        plan=plan,
        scene=scene,
        flight=flight,
        grid=common_ground(flight, flight, pixel_m),
        true=tuple((item, changes) for item, changes in reported if changes),
        small=sum(not changes for _item, changes in reported),
    )
    told = [_measure(scenes, distance, question) for distance in DISTANCES_M]
    return Account(
        judged=tuple(row for rows, _placed in told for row in rows),
        placed=tuple(placed for _rows, placed in told),
        small=scenes.small,
    )


def _before(case: Case, plan: AreaPlan, scene: Scene) -> Flight:
    """Open the earlier flight with its surface model; rendered on first use (20 s) and kept."""
    folder = KEPT / f"{case.seed}-{case.side_m:g}-{case.pixel_m:g}"
    if not folder.is_dir():
        with whole(folder) as draft:
            draft.mkdir()
            view = view_of(plan, scene, plan.flights[0])
            Press(folder=draft, view=view).run(pixel_truth=False)
    (ortho,), (dsm,) = folder.glob("*_ortho.tif"), folder.glob("*_dsm.tif")
    return examine(open_flight(ortho, dsm=dsm))


def _measure(scenes: _Scenes, distance_m: float, question: Question) -> tuple[list[Judged], Placed]:
    """Draw the layer so far off, let the product place it, and judge what it says."""
    rng = np.random.default_rng([scenes.case.seed, 5])  # the same rows broken at every distance
    table = tabulate_permits(scenes.plan, scenes.scene)
    soiled = soil_permits(table, dirt_of(scenes.case, distance_m), rng)
    with tempfile.TemporaryDirectory(prefix="relations-") as room:
        path = write_permits(soiled, Path(room), "gpkg")[0]
        drawn = open_permits(path, area=scenes.grid)
    settings, heights = question.settings, question.heights
    placed = place_on(scenes.flight, scenes.grid, drawn, settings, heights=heights)
    moved = placed.permits
    assert moved is not None  # a layer was given
    assert placed.offset is not None
    changes = [change for _item, changes in scenes.true for change in changes]
    days = scenes.plan.dates[0], scenes.plan.dates[scenes.case.after]
    stood = _stood(scenes, moved)
    built = stood if question.stood else None
    suspects = iter(compare_changes(changes, placed, settings, days, built))
    by_structure = [
        (item, [next(suspects) for _change in changes]) for item, changes in scenes.true
    ]
    errors = _errors(scenes.plan, soiled, drawn, moved)
    truth = _Truth(fates=fates_in_place(soiled), moved=moved, errors=errors)
    return (
        [
            _judged(scenes, item, answers[0], truth, distance_m=distance_m, question=question)
            for item, answers in by_structure
        ],
        Placed(
            case=scenes.case.name,
            distance_m=distance_m,
            found=placed.offset.found,
            errors_m=tuple(errors.tolist()),
            built=tuple((stood[row], told) for row, told in placed.built.items()),
        ),
    )


def _stood(scenes: _Scenes, permits: Permits) -> dict[int, bool]:
    """Tell on which permits, by row, something truly stood at the earlier flight."""
    west, south = scenes.plan.west_m, scenes.plan.south_m
    standing = [
        seen_by(scenes.plan, translate(outline, west, south))
        for structure in scenes.scene.structures
        if not (outline := structure.outline_at(0)).is_empty
    ]
    built = shapely.union_all(standing)
    return {
        permit.row: bool(permit.outline.intersection(built).area > _STOOD * permit.outline.area)
        for permit in permits.permits
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Truth:
    """What is true of a layer as it was drawn and as it was moved."""

    fates: tuple[Fate, ...]
    moved: Permits
    errors: NDArray[np.float64]
    """How far each permit of ``moved`` still is from its place, metres."""

    def error_at(self, outline: BaseGeometry) -> float:
        """Return the error of the permit nearest to an outline; NaN where none is near."""
        near = self.moved.near(outline, _REACH_M)
        if not near:
            return math.nan
        nearest = min(near, key=lambda permit: permit.outline.distance(outline))
        rows = [permit.row for permit in self.moved.permits]
        return float(self.errors[rows.index(nearest.row)])


def _errors(plan: AreaPlan, soiled: Soiled, drawn: Permits, moved: Permits) -> NDArray[np.float64]:
    """Return how far each permit is from where the earlier flight shows its ground, metres."""
    place = soiled.dirt.place
    old, new = (
        shapely.get_coordinates(shapely.centroid([p.outline for p in layer.permits]))
        for layer in (drawn, moved)
    )
    true = old - [place.east_m, place.north_m]
    east, north = displacement(plan.flights[0], true[:, 0], true[:, 1])
    missed = new - true - np.column_stack([east, north])
    return np.hypot(missed[:, 0], missed[:, 1])


def _judged(
    scenes: _Scenes,
    item: ExpectedChange,
    answer: Suspect,
    truth: _Truth,
    *,
    distance_m: float,
    question: Question,
) -> Judged:
    settings, plan = question.settings, scenes.plan
    tolerance_m = settings.permits.tolerance_m + question.tolerance_m
    expected = expected_reason(
        item,
        translate(item.outline, plan.west_m, plan.south_m),
        truth.fates,
        flown_before=plan.dates[0],
        tolerance_m=tolerance_m,
    )
    return Judged(
        case=scenes.case.name,
        setting=scenes.case.setting,
        distance_m=distance_m,
        structure=item.structure,
        kind=item.kind,
        area_m2=answer.change.area_m2,
        true=item.reason,
        expected=expected,
        said=answer.reason,
        suspicious=answer.suspicious,
        cover=answer.permit_cover,
        excess_m2=answer.excess_m2,
        excess_m=answer.excess_m,
        true_excess_m2=item.excess_m2,
        true_excess_height_m=item.excess_height_m,
        tolerance_m=answer.permit_tolerance_m or tolerance_m,
        error_m=truth.error_at(answer.change.outline),
    )


def _accounts(cases: Sequence[Case], question: Question, workers: int) -> Iterator[Account]:
    with open_executor(workers) as executor:
        done = run_all(partial(measure_case, question=question), cases, executor=executor)
        for number, account in enumerate(done, start=1):
            print(f"{number} of {len(cases)}", file=sys.stderr, flush=True)
            yield account


def main() -> int:
    """Measure a draw and print its tables."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.relations",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--judge", action="store_true", help="the frozen draw, not the tuning one")
    parser.add_argument("--no-heights", action="store_true", help="changes tell no height gained")
    parser.add_argument("--stood", action="store_true", help="tell on which permits things stood")
    parser.add_argument("--tolerance", type=float, default=0.2, help="of the alignment, m")
    parser.add_argument("--limit", type=int, help="only the first so many cases")
    parser.add_argument("--workers", type=int, default=2, help="processes; 0: one per core")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("-v", "--verbose", action="store_true", help="list what is wrong")
    chosen = parser.parse_args()
    if chosen.judge and chosen.verbose:
        parser.error("the frozen draw is for measuring: it is not looked at case by case")
    question = Question(
        heights=not chosen.no_heights, tolerance_m=chosen.tolerance, stood=chosen.stood
    )
    cases = draw_of(judge=chosen.judge)[: chosen.limit]
    account = account_of(_accounts(cases, question, chosen.workers))
    facts: dict[str, Any] = {
        "draw": "frozen" if chosen.judge else "tuning",
        "cases": len(cases),
        "heights": question.heights,
        "stood": question.stood,
        "tolerance_m": question.tolerance_m,
    }
    if chosen.json:
        print(json.dumps(facts | account.figures(), indent=1))
        return 0
    print(", ".join(f"{name} {value}" for name, value in facts.items()))
    print(table_of(account))
    if chosen.verbose:
        print(*wrong_lines(account), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
