"""How far pictures in which houses lean mislead: python -m benchmarks.leaning [--limit N]

Areas in which nothing was built, rectified on bare ground, so that roofs lie as far out as in a
single picture: those of houses of up to eight storeys by up to ten metres, each flight in
directions of its own. And towns of towers that each flight sees from one side, as satellites do: in
half of them nothing was built. There a true change is a structure that came or went, with all that
its walls and its roof cover; what else changed is right to report.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from benchmarks.detecting_counts import COVER, Truth
from benchmarks.detecting_line import PairTruth, entry_of, run
from benchmarks.detecting_scenes import flown_plan, shown_first
from survey.simulation import (
    AreaPlan,
    Scene,
    changes_between,
    draw_plan,
    scene_of,
    seen_from_afar,
    swept,
    whole_changes,
    with_towers,
)
from survey.simulation.flights import Setting

__all__ = ["Area", "leaning_areas", "tower_areas"]

FIRST_SEED, FIRST_TOWER_SEED = 73_000, 74_000
"""Seeds of the first area with leaning houses, and of the first with towers."""

_AREAS: tuple[tuple[Setting, float], ...] = (
    ("urban_village", 0.3), ("town", 0.2), ("industrial", 0.3), ("urban_village", 0.5),
    ("town", 0.5), ("urban_village", 0.2), ("fringe", 0.3), ("town", 0.15),
)  # fmt: skip
_TOWER_PIXELS_M = (0.3, 0.5, 0.3, 0.5, 0.2, 0.2)
_SIDE_M, _TOWERS_SIDE_M, _OFFSET_M, _ALTITUDE_M, _PACE = 200.0, 300.0, 2.0, 120.0, 6.0
_LEAST_M2, _LEAST_SCORE = 20.0, 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """An area that two flights see, and what is there."""

    name: str
    """Of its folder."""
    plan: AreaPlan
    """Its flights."""
    scene: Scene
    """What they see."""
    truth: PairTruth
    """What changed."""


def leaning_areas() -> Iterator[Area]:
    """Yield areas in which nothing is built, flown by pictures rectified on bare ground."""
    for number, (setting, pixel_m) in enumerate(_AREAS):
        plan = _plan(FIRST_SEED + number, _SIDE_M, pixel_m, setting, pace=0.0)
        leaning = [
            replace(flight, mosaic=replace(flight.mosaic, lean=1.0, altitude_m=_ALTITUDE_M))
            for flight in plan.flights
        ]
        plan = replace(plan, flights=tuple(leaning))
        nothing = PairTruth(crs=CRS.from_user_input(plan.crs), changes=())
        yield Area(name=f"leaning-{plan.seed}", plan=plan, scene=scene_of(plan), truth=nothing)


def tower_areas(*, built: bool) -> Iterator[Area]:
    """Yield towns of towers, each flight seen from one side; much is built in them, or nothing."""
    for number, pixel_m in enumerate(_TOWER_PIXELS_M):
        seed = FIRST_TOWER_SEED + 2 * number + built
        plan = _plan(seed, _TOWERS_SIDE_M, pixel_m, "town", pace=_PACE if built else 0.0)
        plan = seen_from_afar(plan, np.random.default_rng(seed))
        scene = with_towers(scene_of(plan))
        yield Area(name=f"towers-{seed}", plan=plan, scene=scene, truth=_truth(plan, scene))


def _plan(seed: int, side_m: float, pixel_m: float, setting: Setting, *, pace: float) -> AreaPlan:
    return draw_plan(
        seed=seed, side_m=side_m, pixel_m=pixel_m, flights=2, setting=setting, pace=pace,
        offset_m=_OFFSET_M,
    )  # fmt: skip


def _truth(plan: AreaPlan, scene: Scene) -> PairTruth:
    came, went = whole_changes(plan, scene, 0, 1)
    numbered = {structure.number: structure for structure in scene.structures}
    partly = [
        (swept(plan, numbered[change.structure], int(grew), change.outline), grew)
        for change in changes_between(scene, 0, 1)
        for grew in (change.height_gain_m > 0,)
    ]

    def told(outline: BaseGeometry, *, grew: bool) -> Truth:
        kind = "building" if grew else "removed"
        return Truth(outline=shown_first(plan, outline), kind=kind, gained=grew)

    return PairTruth(
        crs=CRS.from_user_input(plan.crs),
        changes=(*(told(o, grew=True) for o in came), *(told(o, grew=False) for o in went)),
        allowed=tuple(told(outline, grew=grew) for outline, grew in partly),
    )


def _tell(areas: Iterator[Area], limit: int) -> None:
    """Print what is reported in every area, and of all of them together."""
    reported = right = true = found = 0
    judged_m2 = 0.0
    for _number, area in zip(range(limit), areas, strict=False):
        flown = flown_plan(area.plan, area.name, after=1, workers=1, scene=area.scene)
        ran = run(replace(flown, dsm_before=None, dsm_after=None))
        entry = entry_of(ran, area.truth)
        told = [f["on_truth"] for f in entry["finds"] if f["score"] >= _LEAST_SCORE]
        large = [t["covered"] for t in entry["truths"] if t["area_m2"] >= _LEAST_M2]
        reported, right = reported + len(told), right + sum(on >= COVER for on in told)
        true, found = true + len(large), found + sum(covered >= COVER for covered in large)
        judged_m2 += entry["judged_m2"]
        way = None if ran.detection is None else ran.detection.displaced_way_deg
        print(f"{area.name}, {area.plan.pixel_m:g} m: {len(told)} reported; way: {way}", flush=True)
    print(
        f"{reported} reported, {reported - right} wrong: {(reported - right) / judged_m2 * 1e6:.0f}"
        f" a km2; {found} of {true} found"
    )


def main() -> int:
    """Print how much of what is reported is wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.leaning", description=__doc__)
    parser.add_argument("--limit", type=int, default=len(_AREAS), help="areas of each kind at most")
    limit = parser.parse_args().limit
    for name, areas in (
        ("houses lean, nothing built", leaning_areas()),
        ("towers from afar, nothing built", tower_areas(built=False)),
        ("towers from afar, much built", tower_areas(built=True)),
    ):
        print(name)
        _tell(areas, limit)
    return 0


if __name__ == "__main__":
    sys.exit(main())
