"""Permit scenes that relations are measured on: what they are, their layers, true changes."""

import math
from dataclasses import dataclass, field, replace

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from benchmarks.judge import Case, frozen_cases
from change.changes import Change
from survey.settings import Settings
from survey.simulation import AreaPlan, ExpectedChange, displacement
from survey.simulation.permits.permit_dirt import Dirt, OutlineDirt, PlaceDirt
from survey.simulation.permits.permit_fates import Fate
from survey.simulation.permits.soiled_permits import Soiled

__all__ = [
    "BROKEN",
    "Question",
    "changes_of",
    "dirt_of",
    "draw_of",
    "fates_in_place",
    "seen_by",
]

BROKEN = (
    "bow_tie", "knot", "spike", "doubled_vertices", "reversed_ring", "outside_hole", "sliver",
    "unclosed", "collapsed", "empty", "null",
)  # fmt: skip
"""The damages that break a row; a coarse outline, or a plot for a house, is drawn well."""
_BROKEN_SHARE = 0.05
_TUNING_SEED = 72_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """How the true changes are put to the product."""

    heights: bool = True
    """Whether changes carry the height they gained, as with surface models."""
    tolerance_m: float = 0.2
    """What alignment says the flights may be off, m."""
    stood: bool = False
    """Whether the product is told on which permits something stood at the earlier flight."""
    settings: Settings = field(default_factory=Settings)
    """Settings of the product."""


def draw_of(*, judge: bool) -> tuple[Case, ...]:
    """List the frozen permit scenes, or for tuning as many of the same recipes on other ground."""
    cases = frozen_cases("permits")
    if judge:
        return cases
    return tuple(
        replace(case, name=f"tuning-{number:02d}", seed=_TUNING_SEED + number)
        for number, case in enumerate(cases)
    )


def dirt_of(case: Case, distance_m: float) -> Dirt:
    """Return a layer off by a distance, in the direction of the case, with broken rows."""
    bearing = float(np.random.default_rng([case.seed, 4]).uniform(0.0, 2.0 * math.pi))
    return Dirt(
        place=PlaceDirt(
            east_m=distance_m * math.sin(bearing), north_m=distance_m * math.cos(bearing)
        ),
        outlines=OutlineDirt(**dict.fromkeys(BROKEN, _BROKEN_SHARE / len(BROKEN))),
    )


def seen_by(plan: AreaPlan, outline: BaseGeometry) -> BaseGeometry:
    """Return a true outline, in the area's CRS, where the earlier flight shows it."""

    def shown(points: NDArray[np.float64]) -> NDArray[np.float64]:
        east, north = displacement(plan.flights[0], points[:, 0], points[:, 1])
        return points + np.column_stack([east, north])

    # Cut against each other, outlines may touch themselves.
    there = shapely.make_valid(
        shapely.transform(outline, shown), method="structure", keep_collapsed=False
    )
    return shapely.union_all([part for part in shapely.get_parts(there) if part.area > 0])


def fates_in_place(soiled: Soiled) -> tuple[Fate, ...]:
    """Return the fates without what the whole layer is off: finding that is the product's work."""
    place = soiled.dirt.place
    return tuple(
        replace(
            fate,
            east_m=fate.east_m - place.east_m,
            north_m=fate.north_m - place.north_m,
            ground=translate(fate.ground, -place.east_m, -place.north_m),
        )
        for fate in soiled.fates
    )


def changes_of(plan: AreaPlan, expected: ExpectedChange, question: Question) -> list[Change]:
    """Return the changes that a perfect detection reports for a true one, the largest first.

    One for each part: detection knows polygons only. Parts too small to be reported are left out.
    """
    outline = seen_by(plan, translate(expected.outline, plan.west_m, plan.south_m))
    least = question.settings.detect.min_area_m2
    parts = [part for part in shapely.get_parts(outline) if part.area >= least]
    return [
        Change(
            id=f"{expected.structure}-{expected.kind}-{number}",
            outline=part,
            area_m2=part.area,
            area_raw_m2=part.area,
            kind=expected.kind,
            origin="new",
            height_gain_m=expected.height_gain_m if question.heights else None,
            score=1.0,
            tolerance_m=question.tolerance_m,
            evidence=(),
        )
        for number, part in enumerate(sorted(parts, key=lambda part: -part.area))
    ]
