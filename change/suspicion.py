"""Suspicion: which changes the permits do not explain, and how much each matters. Pure.

Every change gets a reason; whether that makes it a suspect is ``Suspect.suspicious``. The rules for
one change stand in ``change.relations``; here is what takes all of them: which stand beside the
permit that was meant for them, and the order in which to look.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import shapely
from shapely import STRtree
from shapely.geometry.base import BaseGeometry

from change.changes import Change
from change.permits import Permit, Permits
from change.protected import OnProtected
from change.ranking import NO_SUSPICION, points_for
from change.relations import ADRIFT_M, Built, Case, Relation, relate
from survey.settings import PermitSettings, Settings

__all__ = [
    "FURTHER",
    "NEAREST_M",
    "NOT_JUDGED",
    "REASONS",
    "Circumstances",
    "NearPermit",
    "Suspect",
    "compare",
    "is_suspect",
]

REASONS = (
    "no_permit",
    "beside_permit",
    "exceeds_permit",
    "grown_beyond_permit",
    "permit_expired",
    "before_grant",
    "as_permitted",
    "removed_permitted",
    "removed_unpermitted",
    "not_compared",
)
"""What a permit layer can say about a change; the slugs that data carries."""

FURTHER = (
    "before_grant",
    "permit_expired",
    "too_high",
    "footprint_too_large",
    "floor_area_too_large",
    "temporary",
    "near_flawed_row",
)
"""What else can be said about a change beside its reason."""

NOT_JUDGED = ("height", "floor_area", "dates", "place")
"""What permits limit and nobody could measure."""

NEAREST_M = 50.0
"""Permits farther off than this say nothing about a building: a large plot across a road."""
_NEAREST_COUNT = 3
_FLAWED_M = 10.0
"""A dropped row this near may be the permit that is missing: rows are often points at the gate."""
_STILL_EMPTY = 0.3
"""A permit of which new buildings cover less is still empty."""
_ALIKE = 2.0
"""A building may have so many times the area of the permit it was meant by, or the inverse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NearPermit:
    """A permit near a change."""

    number: str
    """Its number; empty where its row has none."""
    distance_m: float
    """From outline to outline, m."""
    cover: float
    """Share of the change within the permit grown by the tolerance, 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What is known beside changes and permits."""

    flown_before: date | None = None
    """Day of the earlier flight; without it no date in a permit is held against anyone."""
    flown_after: date | None = None
    """Day of the later flight; likewise."""
    height_error_m: float = 0.0
    """Expected error of heights gained (one sigma), m."""
    placed_to: Callable[[float, float], float] | None = None
    """How well the layer's place on the ground is known at (x, y) (one sigma), m; None where that
    is in ``PermitSettings.tolerance_m`` already."""
    placed: bool = True
    """Whether the layer's offset on the ground is known; otherwise it may lie metres off."""
    built: Mapping[int, bool | None] = field(default_factory=dict)
    """Whether something stood on a permit at the earlier flight, by row; None where nobody could
    tell."""
    protected: Sequence[tuple[OnProtected, ...]] | None = None
    """Protected ground under each change, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A change with what the permits say about it; a question to a person, never a verdict."""

    change: Change
    """What was seen."""
    reason: str
    """One of ``REASONS``."""
    reasons: tuple[str, ...] = ()
    """Further reasons, of ``FURTHER``."""
    not_judged: tuple[str, ...] = ()
    """What the permits limit and nobody could measure, of ``NOT_JUDGED``."""
    points: tuple[tuple[str, float], ...] = ()
    """What makes the severity, as (what for, points)."""
    permit_number: str = ""
    """Number of the permit that covers most of it, or that it stands beside; empty without one."""
    permit_cover: float | None = None
    """Share that lies within permits grown by the tolerance, 0 to 1; None if not compared."""
    permit_tolerance_m: float | None = None
    """Accuracy of drawing and flights together, within which nothing is held against anyone, m."""
    excess: BaseGeometry | None = None
    """Outline of what lies beyond the permits as drawn; None if not compared or none is there."""
    excess_m2: float | None = None
    """Its area, m2 (all of the change without a permit), or what is beyond the permitted area where
    that is more; None if not compared."""
    excess_m: float | None = None
    """How far it reaches beyond the permits as drawn, m; None if not compared or none is there."""
    excess_height_m: float | None = None
    """Height beyond the permitted one, m; None unless it is."""
    storeys_gained: tuple[int, int] | None = None
    """Storeys that the height gained may be, fewest and most; None where no height is known."""
    nearest: tuple[NearPermit, ...] = ()
    """The nearest permits within 50 m, nearest first, at most three."""
    protected: tuple[OnProtected, ...] = ()
    """Protected ground it stands on, the gravest first."""

    def __post_init__(self) -> None:
        if self.reason not in REASONS:
            raise ValueError(f"unknown reason: {self.reason!r}")

    @property
    def severity(self) -> float:
        """How much it matters, 0 to 100."""
        return min(100.0, round(sum(points for _name, points in self.points), 1))

    @property
    def suspicious(self) -> bool:
        """Whether a person should look: what vanished needs no permit, compared or not."""
        return is_suspect(self.reason) and not self.change.vanished


def is_suspect(reason: str) -> bool:
    """Whether a reason calls for a person to look."""
    if reason not in REASONS:
        raise ValueError(f"unknown reason: {reason!r}")
    return reason not in NO_SUSPICION


def compare(
    changes: Sequence[Change],
    permits: Permits | None,
    settings: Settings,
    known: Circumstances,
) -> list[Suspect]:
    """Hold changes against the permits; one ``Suspect`` for each change, in the same order.

    Parameters
    ----------
    changes
        What appeared, grew or vanished, in the CRS of the permits' outlines.
    permits
        The permit layer, where it lies on the ground; None gives every change the reason
        ``not_compared``.
    settings
        Sections ``[permits]`` and ``[severity]``.
    known
        Flight days, errors, and what else is known of the ground.
    """
    grounds = known.protected or [()] * len(changes)
    if permits is None:
        return [
            _ranked(_not_compared(change, settings.permits, known), ground, settings)
            for change, ground in zip(changes, grounds, strict=True)
        ]
    cases = [_case(change, permits, settings.permits, known) for change in changes]
    found = [_suspect(case, relate(case), permits) for case in cases]
    found = _beside(found, cases, permits, known)
    return [_ranked(item, on, settings) for item, on in zip(found, grounds, strict=True)]


def _case(change: Change, permits: Permits, settings: PermitSettings, known: Circumstances) -> Case:
    """Return a change with the permits near it."""
    spot = change.outline.centroid
    placed = 0.0 if known.placed_to is None else 2.0 * known.placed_to(spot.x, spot.y)
    # Flights and layer are misplaced independently of each other.
    tolerance = settings.tolerance_m + math.hypot(change.tolerance_m, placed)
    return Case(
        change=change,
        built=Built.of(change, known.flown_before, known.flown_after),
        near=permits.near(change.outline, tolerance),
        adrift=() if known.placed else _adrift(permits.near(change.outline, ADRIFT_M), known),
        tolerance_m=tolerance,
        height_error_m=known.height_error_m,
        settings=settings,
    )


def _adrift(near: Sequence[Permit], known: Circumstances) -> tuple[Permit, ...]:
    """Return those on which nothing is known to have stood: they may be for what is new."""
    return tuple(permit for permit in near if not known.built.get(permit.row))


def _suspect(case: Case, relation: Relation, permits: Permits) -> Suspect:
    change, beyond = case.change, case.beyond()
    number, _principal = case.principal()
    further = relation.further
    dropped = permits.flawed_near(change.outline, max(_FLAWED_M, case.tolerance_m))
    if dropped and is_suspect(relation.reason) and not change.vanished:
        further = (*further, "near_flawed_row")
    return Suspect(
        change=change,
        reason=relation.reason,
        reasons=further,
        not_judged=relation.not_judged,
        permit_number=number,
        permit_cover=case.cover(case.near),
        permit_tolerance_m=case.tolerance_m,
        excess=None if beyond.is_empty else beyond,
        excess_m2=max(beyond.area, relation.excess_area_m2),
        excess_m=case.reach(),
        excess_height_m=relation.excess_height_m,
        storeys_gained=_storeys(change, case.height_error_m, case.settings.storey_m),
        nearest=_nearest(case, permits),
    )


def _not_compared(change: Change, settings: PermitSettings, known: Circumstances) -> Suspect:
    storeys = _storeys(change, known.height_error_m, settings.storey_m)
    return Suspect(change=change, reason="not_compared", storeys_gained=storeys)


def _storeys(change: Change, error_m: float, storey_m: float) -> tuple[int, int] | None:
    """Return how many storeys the height gained may be: they are a fifth lower or higher."""
    if change.height_gain_m is None or change.vanished or change.kind == "site":
        return None
    least = (change.height_gain_m - 2.0 * error_m) / (1.2 * storey_m)
    most = (change.height_gain_m + 2.0 * error_m) / (0.9 * storey_m)
    return max(1, round(least)), max(1, round(most))


def _nearest(case: Case, permits: Permits) -> tuple[NearPermit, ...]:
    outline = case.change.outline
    covers = case.shares()
    by_number: dict[str, NearPermit] = {}
    for permit in permits.near(outline, NEAREST_M):
        apart = round(permit.outline.distance(outline), 3)
        cover = round(covers.get(permit.row, 0.0), 6)
        known = by_number.get(permit.key)
        number = permit.number
        if known is not None:
            apart, cover = min(apart, known.distance_m), min(1.0, cover + known.cover)
            number = known.number
        by_number[permit.key] = NearPermit(number=number, distance_m=apart, cover=cover)
    ranked = sorted(
        by_number.values(), key=lambda item: (item.distance_m, -item.cover, item.number)
    )
    return tuple(ranked[:_NEAREST_COUNT])


def _beside(
    found: Sequence[Suspect], cases: Sequence[Case], permits: Permits, known: Circumstances
) -> list[Suspect]:
    """Give what stands without a permit the still-empty one it was meant to stand on.

    A permit stays empty if nothing stood on it at the earlier flight and nothing new covers it.
    Each goes to one building: the nearest of about its size.
    """
    appeared = [case.change.outline for case in cases if not case.change.vanished]
    tree = STRtree(appeared)
    offers: list[tuple[float, float, int, int, Permit]] = []
    for index, (item, case) in enumerate(zip(found, cases, strict=True)):
        if item.reason != "no_permit" or case.change.kind not in ("building", "shed", "site"):
            continue
        outline = case.change.outline
        for permit in permits.near(outline, case.settings.beside_m):
            likeness = abs(math.log(permit.outline.area / outline.area))
            if likeness > math.log(_ALIKE) or not _still_empty(permit, case, known, tree):
                continue
            apart = round(permit.outline.distance(outline), 3)
            offers.append((apart, likeness, index, permit.row, permit))
    result, taken, given = list(found), set[int](), set[int]()
    for _apart, _likeness, index, row, permit in sorted(offers, key=lambda offer: offer[:4]):
        if index in given or row in taken:
            continue
        given.add(index)
        taken.add(row)
        result[index] = _beside_one(found[index], permit, cases[index])
    return result


def _still_empty(permit: Permit, case: Case, known: Circumstances, appeared: STRtree) -> bool:
    stood = known.built.get(permit.row)
    if stood or (stood is None and not case.built.fresh(permit)):
        return False
    # As drawn, and less by the tolerance: the rim of a neighbour does not fill a plot.
    inner = shapely.buffer(permit.outline, -case.tolerance_m)
    ground: BaseGeometry = permit.outline if inner.is_empty else inner
    outlines = appeared.geometries[appeared.query(ground, predicate="intersects")]
    covered = shapely.union_all(outlines).intersection(ground).area
    return bool(covered < _STILL_EMPTY * ground.area)


def _beside_one(item: Suspect, permit: Permit, case: Case) -> Suspect:
    flaw = case.built.flaw(permit)
    reasons = item.reasons if flaw is None else (flaw, *item.reasons)
    return replace(item, reason="beside_permit", reasons=reasons, permit_number=permit.number)


def _ranked(item: Suspect, on: tuple[OnProtected, ...], settings: Settings) -> Suspect:
    """Return a suspect with what it stands on, and the points that follow."""
    change = item.change
    part = item.reason == "exceeds_permit" and item.excess_height_m is None
    area = item.excess_m2 if part and item.excess_m2 is not None else change.area_m2
    reason = "removed_permitted" if change.vanished else item.reason
    points = points_for(
        reason,
        area_m2=area,
        height_m=change.height_gain_m,
        score=change.score,
        protected=max((ground.points for ground in on), default=0.0),
        settings=settings.severity,
    )
    return replace(item, protected=on, points=points)
