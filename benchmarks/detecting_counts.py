"""What was found of what is true, and how far scores can be believed. Pure.

A true change is found where a share `COVER` of it is covered by what was reported of its sign, and
what was reported is right where that share of it lies on true changes of its sign, however small.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

__all__ = [
    "CLASSES_M2",
    "COVER",
    "Bin",
    "Count",
    "Find",
    "FoundObject",
    "TrueObject",
    "Truth",
    "calibration_bins",
    "calibration_error",
    "match",
    "outline_errors",
    "precision",
    "recall",
]

COVER = 0.3
"""Share of a true change that is to be covered, and of a found one that is to lie on true ones."""
CLASSES_M2 = (10.0, 20.0, 50.0, 200.0)
"""Where the size classes begin, m2."""
_TOUCHED = 0.1  # share of the smaller of two outlines from which on they are about one object
_ALL = 0.999  # share of an outline that is all of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """A true change, in the coordinates of what was found."""

    outline: BaseGeometry
    """Where, m."""
    kind: str
    """What it is."""
    gained: bool | None
    """Whether something came (or went); None where the truth does not say which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Find:
    """A change that was found, however unlikely."""

    outline: BaseGeometry
    """Where, m."""
    raw_m2: float
    """Area as measured, before the outline was squared, m2."""
    kind: str
    """What it is said to be."""
    gained: bool
    """Whether something is said to have come."""
    score: float
    """How likely it is said to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueObject:
    """A true change, and what was reported of it."""

    kind: str
    """What it is."""
    gained: bool | None
    """Whether something came; None where that is not known."""
    area_m2: float
    """Area of the part that was judged, m2."""
    covered: float
    """Share of that part that reported changes cover."""
    iou: float | None
    """Intersection over union with the best of these; None where none meets it."""
    ratio: float | None
    """Area of that one over the true area."""
    raw_ratio: float | None
    """The same before squaring."""
    single: bool
    """Whether it is judged whole, and it and what was reported of it meet nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundObject:
    """A change that was found, and how much of it is true."""

    kind: str
    """What it is said to be."""
    gained: bool
    """Whether something is said to have come."""
    area_m2: float
    """Its area, m2."""
    score: float
    """How likely it is said to be."""
    on_truth: float
    """Share of it that lies on true changes."""

    @property
    def right(self) -> bool:
        """Whether enough of it is true."""
        return self.on_truth >= COVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many of how many."""

    hit: int
    """Those that are as wanted."""
    of: int
    """All."""

    @property
    def share(self) -> float | None:
        """One over the other; None without any."""
        return self.hit / self.of if self.of else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Found changes of like scores."""

    count: int
    """How many."""
    said: float
    """Their mean score."""
    true: float
    """Share of them that is right."""


def match(
    truths: Sequence[Truth],
    finds: Sequence[Find],
    *,
    least_score: float,
    judged: BaseGeometry | None = None,
    allowed: Sequence[Truth] = (),
) -> tuple[tuple[TrueObject, ...], tuple[FoundObject, ...]]:
    """Hold what was found against what is true.

    Parameters
    ----------
    truths
        Every true change.
    finds
        Every change found, those too unlikely to be reported included.
    least_score
        From which score on a change is reported: only those cover true ones.
    judged
        Ground that was judged: what is true elsewhere is left out. None for all of it.
    allowed
        More that is right to report, and asked of nobody: ground on which one thing was replaced by
        another.
    """
    reported = [find for find in finds if find.score >= least_score]
    true = [
        _true_object(truth, truths, reported, judged)
        for truth in truths
        if judged is None or truth.outline.intersects(judged)
    ]
    ground = {gained: _ground((*truths, *allowed), gained=gained) for gained in (True, False)}
    found = [
        FoundObject(
            kind=find.kind,
            gained=find.gained,
            area_m2=round(find.outline.area, 2),
            score=find.score,
            on_truth=_share(find.outline, ground[find.gained]),
        )
        for find in finds
    ]
    return tuple(true), tuple(found)


def _ground(truths: Sequence[Truth], *, gained: bool) -> BaseGeometry:
    return shapely.union_all([t.outline for t in truths if t.gained in (None, gained)])


def _share(outline: BaseGeometry, ground: BaseGeometry) -> float:
    return round(float(outline.intersection(ground).area / outline.area), 4)


def _true_object(
    truth: Truth,
    truths: Sequence[Truth],
    reported: Sequence[Find],
    judged: BaseGeometry | None,
) -> TrueObject:
    part = truth.outline if judged is None else truth.outline.intersection(judged)
    own = [find for find in reported if truth.gained in (None, find.gained)]
    met = [find for find in own if _touch(find.outline, truth.outline)]
    best = max(met, key=lambda find: _iou(find.outline, truth.outline), default=None)
    told = None if best is None else best.outline
    area = truth.outline.area
    return TrueObject(
        kind=truth.kind,
        gained=truth.gained,
        area_m2=round(part.area, 2),
        covered=_share(part, shapely.union_all([f.outline for f in own])) if part.area else 0.0,
        iou=None if told is None else round(_iou(told, truth.outline), 4),
        ratio=None if told is None else round(told.area / area, 4),
        raw_ratio=None if best is None else round(best.raw_m2 / area, 4),
        single=len(met) == 1
        and part.area >= _ALL * area
        and sum(_touch(met[0].outline, t.outline) for t in truths if t.gained == truth.gained) == 1,
    )


def _touch(one: BaseGeometry, other: BaseGeometry) -> bool:
    """Whether two outlines share a good part of the smaller one."""
    return bool(one.intersection(other).area > _TOUCHED * min(one.area, other.area))


def _iou(one: BaseGeometry, other: BaseGeometry) -> float:
    shared = one.intersection(other).area
    return float(shared / (one.area + other.area - shared))


def recall(
    truths: Sequence[TrueObject],
    *,
    least_m2: float,
    below_m2: float = np.inf,
    kinds: Sequence[str] | None = None,
) -> Count:
    """Count the true changes of some sizes (and kinds), and those of them that were found."""
    asked = [
        truth
        for truth in truths
        if least_m2 <= truth.area_m2 < below_m2 and (kinds is None or truth.kind in kinds)
    ]
    return Count(hit=sum(truth.covered >= COVER for truth in asked), of=len(asked))


def precision(
    finds: Sequence[FoundObject],
    *,
    least_score: float,
    least_m2: float,
    below_m2: float = np.inf,
    kinds: Sequence[str] | None = None,
) -> Count:
    """Count the reported changes of some sizes (and kinds), and those of them that are right."""
    told = [
        find
        for find in finds
        if find.score >= least_score
        and least_m2 <= find.area_m2 < below_m2
        and (kinds is None or find.kind in kinds)
    ]
    return Count(hit=sum(find.right for find in told), of=len(told))


def calibration_bins(finds: Sequence[FoundObject], bins: int = 10) -> tuple[Bin, ...]:
    """Cut what was found, in the order of its scores, into bins of equal counts.

    Equal scores stay in the order they came; there are never more bins than there are finds.
    """
    ranked = sorted(finds, key=lambda find: find.score)
    scores = np.array([find.score for find in ranked])
    right = np.array([find.right for find in ranked], float)
    cuts = np.array_split(np.arange(len(ranked)), min(bins, max(1, len(ranked))))
    return tuple(
        Bin(count=len(cut), said=float(scores[cut].mean()), true=float(right[cut].mean()))
        for cut in cuts
        if len(cut)
    )


def calibration_error(bins: Sequence[Bin]) -> float | None:
    """Return the expected calibration error: how far scores are off, over all bins (Naeini 2015).

    Examples
    --------
    >>> calibration_error([Bin(count=3, said=0.9, true=1.0), Bin(count=1, said=0.3, true=0.0)])
    0.15
    """
    count = sum(part.count for part in bins)
    if not count:
        return None
    return round(sum(part.count * abs(part.said - part.true) for part in bins) / count, 6)


def outline_errors(
    truths: Sequence[TrueObject], least_m2: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return overlap and area of the outlines of single found changes.

    Returns
    -------
    tuple
        Intersection over union, area reported over true area, and true area in m2: one each.
    """
    rows = [
        (truth.iou, truth.ratio, truth.area_m2)
        for truth in truths
        if truth.single and truth.covered >= COVER and truth.area_m2 >= least_m2
    ]
    iou, ratio, area = np.array(rows, float).reshape(-1, 3).T
    return iou, ratio, area
