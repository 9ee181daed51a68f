"""How far pictures in which houses lean mislead: what is reported where nothing was built.

python -m benchmarks.leaning [--limit N]

The flights are rectified on bare ground, so that roofs lie as far out as in a single picture:
those of houses of up to eight storeys by up to ten metres, each flight in directions of its own.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace

from pyproj import CRS

from benchmarks.detecting_line import PairTruth, entry_of, run
from benchmarks.detecting_scenes import flown_plan
from survey.simulation import AreaPlan, draw_plan
from survey.simulation.flights import Setting

__all__ = ["leaning_plans"]

FIRST_SEED = 73_000
"""Seed of the first area."""

_AREAS: tuple[tuple[Setting, float], ...] = (
    ("urban_village", 0.3), ("town", 0.2), ("industrial", 0.3), ("urban_village", 0.5),
    ("town", 0.5), ("urban_village", 0.2), ("fringe", 0.3), ("town", 0.15),
)  # fmt: skip
_SIDE_M, _OFFSET_M, _ALTITUDE_M = 200.0, 2.0, 120.0


def leaning_plans() -> Iterator[AreaPlan]:
    """Yield areas in which nothing is built, flown by pictures rectified on bare ground."""
    for number, (setting, pixel_m) in enumerate(_AREAS):
        plan = draw_plan(
            seed=FIRST_SEED + number,
            side_m=_SIDE_M,
            pixel_m=pixel_m,
            flights=2,
            setting=setting,
            pace=0.0,
            offset_m=_OFFSET_M,
        )
        leaning = [
            replace(flight, mosaic=replace(flight.mosaic, lean=1.0, altitude_m=_ALTITUDE_M))
            for flight in plan.flights
        ]
        yield replace(plan, flights=tuple(leaning))


def main() -> int:
    """Print what is reported in every area, and how much of it on each square kilometre."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.leaning", description=__doc__)
    parser.add_argument("--limit", type=int, default=len(_AREAS), help="areas at most")
    reported, judged_m2 = 0, 0.0
    for plan in list(leaning_plans())[: parser.parse_args().limit]:
        flown = flown_plan(plan, f"leaning-{plan.seed}", after=1, workers=1)
        ran = run(replace(flown, dsm_before=None, dsm_after=None))
        nothing = PairTruth(crs=CRS.from_user_input(plan.crs), changes=())
        reported += len(ran.reported)
        judged_m2 += float(entry_of(ran, nothing)["judged_m2"])
        share = None if ran.detection is None else ran.detection.share_displaced
        print(
            f"{plan.seed}, {plan.pixel_m:g} m: {len(ran.reported)} reported; displaced: {share}",
            flush=True,
        )
    print(f"{reported} on {judged_m2 / 1e6:.2f} km2: {reported / judged_m2 * 1e6:.0f} a km2")
    return 0


if __name__ == "__main__":
    sys.exit(main())
