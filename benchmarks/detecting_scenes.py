"""Simulated pairs that detection is measured on: their files, made once and kept, and their truth.

The judging draw is the frozen one; the tuning draw has the same recipes and seeds of its own, and
may be looked at while detection is built.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from benchmarks.alignment_pictures import whole
from benchmarks.detecting_counts import Truth
from benchmarks.detecting_line import Flown, PairTruth, entry_of, run
from benchmarks.judge import Case, Set, frozen_cases, plan_of
from survey.blocks import open_executor
from survey.simulation import (
    AreaPlan,
    FlightPlan,
    Scene,
    changes_between,
    displacement,
    scene_of,
    view_of,
)
from survey.simulation.camera.press import Press

__all__ = [
    "KEPT",
    "LOSSES",
    "case_facts",
    "draw_of",
    "flown_case",
    "flown_plan",
    "measure_heights",
    "measure_picture",
    "shown_first",
    "shown_in",
    "truth_of",
]

KEPT = Path(__file__).parent / ".cache" / "detecting"
"""Where files are kept that take long to make."""
LOSSES = ("removed", "partly_removed")
"""Kinds of changes by which something goes."""
_TUNING_SEEDS = {"detection": 61_000, "surfaces": 62_000, "nothing": 63_000, "nothing_wide": 64_000}
# Areas without changes are square kilometres; one to try the line on is smaller.
_SMALL_M = 300.0
# From this side on a flight is rendered by several processes, m: minutes otherwise.
_LARGE_M = 1000.0


def draw_of(name: Set, *, judge: bool) -> tuple[Case, ...]:
    """List the frozen cases of a set, or as many of the same recipes for tuning.

    Those without changes are large; the tuning draw has one small area of each.
    """
    frozen = frozen_cases(name)
    if judge:
        return frozen
    return tuple(
        replace(
            case,
            name=f"tuning-{case.name}",
            seed=_TUNING_SEEDS[name] + number,
            side_m=case.side_m if case.side_m < _LARGE_M else _SMALL_M,
        )
        for number, case in enumerate(frozen)
    )


def flown_case(case: Case, *, heights: bool) -> Flown:
    """Return the files of a case; rendered on first use (half a minute) and kept."""
    name = f"{case.name}-{case.seed}"
    flown = flown_plan(plan_of(case), name, after=case.after, workers=_workers(case))
    return flown if heights else replace(flown, dsm_before=None, dsm_after=None)


def flown_plan(
    plan: AreaPlan, name: str, *, after: int, workers: int, scene: Scene | None = None
) -> Flown:
    """Return the files of the first and a later flight of a plan; rendered on first use and kept.

    Parameters
    ----------
    plan
        What is flown.
    name
        Of the folder.
    after
        Index of the later flight.
    workers
        Processes that render; 0 for all there are.
    scene
        What is flown over; None for that of the plan.
    """
    folder = KEPT / name
    if not folder.is_dir():
        with whole(folder) as draft, open_executor(workers) as executor:
            draft.mkdir()
            scene = scene or scene_of(plan)
            for index in (0, after):
                view = view_of(plan, scene, plan.flights[index])
                Press(folder=draft, view=view, executor=executor).run(pixel_truth=False)
    days = (f"{plan.flights[index].flown_at:%Y-%m-%d}" for index in (0, after))
    (before, dsm_before), (later, dsm_after) = (
        (folder / f"{day}_ortho.tif", folder / f"{day}_dsm.tif") for day in days
    )
    return Flown(before=before, after=later, dsm_before=dsm_before, dsm_after=dsm_after)


def _workers(case: Case) -> int:
    return 0 if case.side_m >= _LARGE_M else 1


def truth_of(case: Case) -> PairTruth:
    """Return what changed in a case, where the earlier flight shows it."""
    plan = plan_of(case)
    if case.pace == 0.0:  # drawing a scene of square kilometres takes minutes
        return PairTruth(crs=CRS.from_user_input(plan.crs), changes=())
    scene = scene_of(plan)
    changes = [
        Truth(outline=shown_first(plan, c.outline), kind=c.kind, gained=c.kind not in LOSSES)
        for c in changes_between(scene, 0, case.after)
    ]
    return PairTruth(
        crs=CRS.from_user_input(plan.crs),
        changes=tuple(change for change in changes if change.outline.area > 0),
        allowed=tuple(_exchanged(plan, scene, case.after)),
    )


def _exchanged(plan: AreaPlan, scene: Scene, after: int) -> Iterator[Truth]:
    """Yield the whole of what came and went, also where one took the ground of the other."""
    for structure in scene.structures:
        old, new = structure.outline_at(0), structure.outline_at(after)
        if old.is_empty != new.is_empty:
            gained = old.is_empty
            yield Truth(
                outline=shown_first(plan, new if gained else old),
                kind="building" if gained else "removed",
                gained=gained,
            )


def shown_first(plan: AreaPlan, outline: BaseGeometry) -> BaseGeometry:
    """Return a true outline, in local metres, where the first flight of a plan shows it."""
    return shown_in(plan.flights[0], translate(outline, plan.west_m, plan.south_m))


def shown_in(flight: FlightPlan, outline: BaseGeometry) -> BaseGeometry:
    """Return a true outline, in metres, where a flight shows it."""

    def shown(points: NDArray[np.float64]) -> NDArray[np.float64]:
        east, north = displacement(flight, points[:, 0], points[:, 1])
        return points + np.column_stack([east, north])

    # Cut against each other, outlines may touch themselves.
    there = shapely.make_valid(
        shapely.transform(outline, shown), method="structure", keep_collapsed=False
    )
    return shapely.union_all([part for part in shapely.get_parts(there) if part.area > 0])


def case_facts(case: Case) -> dict[str, Any]:
    """Return what is told of a case beside what was measured."""
    return {"name": case.name, "setting": case.setting, "pixel_m": case.pixel_m, "pace": case.pace}


def measure_picture(case: Case) -> dict[str, Any]:
    """Measure a case by its orthophotos alone."""
    return case_facts(case) | entry_of(run(flown_case(case, heights=False)), truth_of(case))


def measure_heights(case: Case) -> dict[str, Any]:
    """Measure a case with its surface models."""
    return case_facts(case) | entry_of(run(flown_case(case, heights=True)), truth_of(case))
