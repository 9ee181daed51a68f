"""Suspicion: what the permits say against what stands there. Pure.

Every change gets a reason; whether that makes it a suspect is ``Suspect.suspicious``. The tolerance
at a change is the accuracy of the permit drawing plus what the flights may be misaligned by there:
within it nothing can be held against anyone. So whether there is an excess is decided beyond the
permits grown by the tolerance, and how large it is is told from the line that was drawn.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from change.detection import Change
from change.permits import Permit, Permits
from survey.settings import PermitSettings

__all__ = ["REASONS", "Suspect", "compare", "is_suspect", "severity_of"]

REASONS = (
    "no_permit",
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

_NO_SUSPICION = frozenset({"as_permitted", "removed_permitted", "removed_unpermitted"})

_FULL_COVER = 0.8
"""Share that must lie inside for a change to count as permitted, however small the rest is: the
half of a shed of 9 m2 is below ``min_excess_m2``, and the shed is still not as permitted."""
_NEAREST_M = 50.0
"""Permits farther off than this say nothing about a building: a large plot across a road."""
_NEAREST_COUNT = 3
_FLAWED_M = 10.0
"""A dropped row this near may be the permit that is missing: rows are often points at the gate."""
_STEP_M = 0.5
"""Spacing of the points along the excess from which its reach is measured."""

# Severity: how grave the reason is in itself, out of 1. No bureau's own scale was seen; the order
# is no permit at all, then more than permitted, then formal flaws.
_WEIGHTS = {
    "no_permit": 1.0,
    "exceeds_permit": 0.8,
    "grown_beyond_permit": 0.8,
    "not_compared": 0.6,
    "permit_expired": 0.5,
    "before_grant": 0.5,
}
_SIZE_POINTS, _HEIGHT_POINTS = 80.0, 20.0
_SMALL_M2, _LARGE_M2 = 10.0, 1000.0  # smallest change that is reported; a factory hall
_TALL_M = 9.0  # three storeys of 3 m


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A change with what the permits say about it; a question to a person, never a verdict."""

    change: Change
    """What was seen."""
    reason: str
    """One of ``REASONS``."""
    reasons: tuple[str, ...]
    """Further reasons: ``permit_expired`` and ``before_grant`` of the permit it exceeds, and
    ``near_flawed_row`` where a permit row that had to be dropped lies close by."""
    severity: float
    """How much it matters, 0 to 100; see ``severity_of``."""
    permit_number: str
    """Number of the permit that covers most of it; empty where none does or it has no number."""
    permit_cover: float | None
    """Share that lies within permits grown by the tolerance, 0 to 1; None if not compared."""
    excess_m2: float | None
    """Area beyond the permits as drawn, m2 (all of it without a permit); None if not compared."""
    excess_m: float | None
    """How far it reaches beyond the permits as drawn, m; None if not compared or none is there."""
    nearest: tuple[str, ...]
    """Numbers of the nearest permits within 50 m, nearest first, at most three."""
    unit: str | None = None
    """Who is responsible for the place; filled by dispatch."""
    cell: str | None = None
    """Grid cell of the place; filled by dispatch."""

    def __post_init__(self) -> None:
        if self.reason not in REASONS:
            raise ValueError(f"unknown reason: {self.reason!r}")

    @property
    def suspicious(self) -> bool:
        """Whether a person should look: what vanished needs no permit, compared or not."""
        return is_suspect(self.reason) and not self.change.vanished


def is_suspect(reason: str) -> bool:
    """Whether a reason calls for a person to look."""
    if reason not in REASONS:
        raise ValueError(f"unknown reason: {reason!r}")
    return reason not in _NO_SUSPICION


def compare(
    changes: Sequence[Change],
    permits: Permits | None,
    settings: PermitSettings,
    flown_before: date | None,
    flown_after: date | None,
) -> list[Suspect]:
    """Hold changes against the permits; one ``Suspect`` for each change, in the same order.

    Parameters
    ----------
    changes
        What appeared, grew or vanished, in the CRS of the permits' outlines.
    permits
        The permit layer; None gives every change the reason ``not_compared``.
    settings
        Tolerance and thresholds.
    flown_before, flown_after
        Days of the two flights; without them no date in a permit is held against anyone.
    """
    if permits is None:
        return [_not_compared(change) for change in changes]
    found = []
    for change in changes:
        built = _Built.of(change, flown_before, flown_after)
        tolerance = settings.tolerance_m + change.tolerance_m
        near = permits.near(change.outline, tolerance)
        case = _Case(change=change, near=near, tolerance_m=tolerance, settings=settings)
        found.append(_suspect(case, built, permits))
    return found


def severity_of(reason: str, area_m2: float, height_gain_m: float | None) -> float:
    """Return how much a suspect matters, 0 to 100.

    ``weight x 80 x log(1 + A/10) / log(1 + 1000/10) + 20 x H/9``, both fractions cut off at 1: the
    reason's weight times the logarithm of the area in question, so that ten times the area adds the
    same everywhere, plus points for height up to three storeys. Unknown height adds nothing. A
    change that is no suspect has 0.

    Parameters
    ----------
    reason
        One of ``REASONS``.
    area_m2
        The excess where a permit is exceeded, otherwise the whole change, m2.
    height_gain_m
        Height gained, m; None where unknown.

    Examples
    --------
    >>> severity_of("no_permit", 1000.0, 9.0)
    100.0
    >>> severity_of("as_permitted", 1000.0, 9.0)
    0.0
    """
    if not is_suspect(reason):
        return 0.0
    size = math.log1p(max(0.0, area_m2) / _SMALL_M2) / math.log1p(_LARGE_M2 / _SMALL_M2)
    height = 0.0 if height_gain_m is None else max(0.0, height_gain_m) / _TALL_M
    points = _WEIGHTS[reason] * _SIZE_POINTS * min(1.0, size) + _HEIGHT_POINTS * min(1.0, height)
    return round(points, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Built:
    """The span of days in which a change was built, as far as the flights tell."""

    earliest: date | None
    """Not before this day; None where unknown."""
    latest: date | None
    """Not after this day; None where unknown."""

    @classmethod
    def of(cls, change: Change, before: date | None, after: date | None) -> "_Built":
        if change.origin == "stock":
            return cls(earliest=None, latest=before)
        return cls(earliest=before, latest=after)

    def flaw(self, permit: Permit) -> str | None:
        """Say what in the permit's dates cannot have allowed the building; None if nothing."""
        if self.latest and permit.granted and permit.granted > self.latest:
            return "before_grant"
        if self.earliest and permit.valid_until and permit.valid_until < self.earliest:
            return "permit_expired"
        return None

    def fresh(self, permit: Permit) -> bool:
        """Whether the permit was granted since the first flight, and so for what is new."""
        return bool(self.earliest and permit.granted and permit.granted >= self.earliest)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A change and the permits within the tolerance of it."""

    change: Change
    near: tuple[Permit, ...]
    tolerance_m: float
    settings: PermitSettings

    def ground(self, permits: Sequence[Permit]) -> BaseGeometry:
        """Return the permits grown by the tolerance, as one."""
        outlines = shapely.union_all([permit.outline for permit in permits])
        return shapely.buffer(outlines, self.tolerance_m)

    def cover(self, permits: Sequence[Permit]) -> float:
        """Return the share of the change inside the permits grown by the tolerance."""
        if not permits:
            return 0.0
        outline = self.change.outline
        return min(1.0, outline.intersection(self.ground(permits)).area / outline.area)

    def within(self, permits: Sequence[Permit]) -> bool:
        """Whether the permits cover the change, but for less than counts as an excess."""
        cover = self.cover(permits)
        beyond = (1.0 - cover) * self.change.outline.area
        return cover >= _FULL_COVER and beyond < self.settings.min_excess_m2

    def excess(self) -> tuple[float, float | None]:
        """Return the area (m2) and reach (m) beyond the permits as drawn."""
        outline = self.change.outline
        drawn = shapely.union_all([permit.outline for permit in self.near])
        beyond = outline.difference(drawn)
        if not self.near:
            return outline.area, None
        if beyond.is_empty:
            return 0.0, 0.0
        # A sliver may lose all its corners to the cutting up: its own do as well.
        corners = shapely.get_coordinates(shapely.segmentize(beyond, _STEP_M))
        points = shapely.points(corners if len(corners) else shapely.get_coordinates(beyond))
        return beyond.area, float(shapely.distance(points, drawn).max())

    def principal(self) -> tuple[str, tuple[Permit, ...]]:
        """Return the number that covers most of the change, and the permits that bear it."""
        shares: dict[str, float] = defaultdict(float)
        for permit in self.near:
            shares[permit.number] += self.cover([permit])
        if not shares:
            return "", ()
        number = min(shares, key=lambda key: (-round(shares[key], 6), key))
        return number, tuple(permit for permit in self.near if permit.number == number)


def _not_compared(change: Change) -> Suspect:
    return Suspect(
        change=change,
        reason="not_compared",
        reasons=(),
        severity=_severity("not_compared", change, None),
        permit_number="",
        permit_cover=None,
        excess_m2=None,
        excess_m=None,
        nearest=(),
    )


def _suspect(case: _Case, built: _Built, permits: Permits) -> Suspect:
    reason = _reason(case, built)
    excess_m2, excess_m = case.excess()
    number, principal = case.principal()
    return Suspect(
        change=case.change,
        reason=reason,
        reasons=_further(case, built, reason, principal, permits),
        severity=_severity(reason, case.change, excess_m2),
        permit_number=number,
        permit_cover=case.cover(case.near),
        excess_m2=excess_m2,
        excess_m=excess_m,
        nearest=_nearest(case.change.outline, permits),
    )


def _severity(reason: str, change: Change, excess_m2: float | None) -> float:
    if change.vanished:
        return 0.0
    part = reason == "exceeds_permit" and excess_m2 is not None
    area = excess_m2 if part and excess_m2 is not None else change.area_m2
    return severity_of(reason, area, change.height_gain_m)


def _reason(case: _Case, built: _Built) -> str:
    kind = case.change.kind
    if case.change.vanished:
        permitted = case.cover(case.near) >= case.settings.min_cover
        return "removed_permitted" if permitted else "removed_unpermitted"
    if kind == "annex":
        return _reason_of_annex(case, built)
    if kind in ("storey", "roof_addition"):
        return _reason_of_height(case, built)
    return _reason_of_building(case, built)


def _reason_of_building(case: _Case, built: _Built) -> str:
    """Judge what stands where nothing stood."""
    if case.within(case.near):
        return _as_permitted(case, built, case.near)
    if case.cover(case.near) >= case.settings.min_cover:
        return "exceeds_permit"
    return "no_permit"


def _reason_of_annex(case: _Case, built: _Built) -> str:
    """Judge what was built onto a structure that stood before: permitted ground, or growth."""
    if case.within(case.near):
        return _as_permitted(case, built, case.near)
    return "grown_beyond_permit" if case.near else "no_permit"


def _reason_of_height(case: _Case, built: _Built) -> str:
    """Judge what was built on top: an old permit was for what stood, a fresh one may allow more.

    Height and storeys in a permit are not compared: the flights tell how much was added, not how
    high it stands above the ground.
    """
    fresh = [permit for permit in case.near if built.fresh(permit)]
    if case.within(fresh):
        return _as_permitted(case, built, fresh)
    if case.cover(case.near) >= case.settings.min_cover:
        return "grown_beyond_permit"
    return "no_permit"


def _as_permitted(case: _Case, built: _Built, permits: Sequence[Permit]) -> str:
    """Return ``as_permitted``, unless it takes permits whose dates rule them out.

    A permit counts as expired only if it ended before the first flight, and as not yet granted only
    if it was granted after the second: what lies between the flights is given to the builder.
    """
    flaws = {permit.row: built.flaw(permit) for permit in permits}
    if case.within([permit for permit in permits if flaws[permit.row] is None]):
        return "as_permitted"
    cover: dict[str, float] = {}
    for flaw in ("before_grant", "permit_expired"):
        cover[flaw] = case.cover([permit for permit in permits if flaws[permit.row] == flaw])
    return "before_grant" if cover["before_grant"] >= cover["permit_expired"] else "permit_expired"


def _further(
    case: _Case, built: _Built, reason: str, principal: Sequence[Permit], permits: Permits
) -> tuple[str, ...]:
    if case.change.vanished or not is_suspect(reason):
        return ()
    further = []
    # Only for what is wholly new: a standing house outlives the permit to build it, and growing
    # beyond an expired permit is no graver for that.
    if reason == "exceeds_permit":
        flaws = {built.flaw(permit) for permit in principal}
        if None not in flaws:
            further += sorted(flaw for flaw in flaws if flaw is not None)
    if permits.flawed_near(case.change.outline, max(_FLAWED_M, case.tolerance_m)):
        further.append("near_flawed_row")
    return tuple(further)


def _nearest(outline: Polygon, permits: Permits) -> tuple[str, ...]:
    distances: dict[str, float] = {}
    for permit in permits.near(outline, _NEAREST_M):
        if permit.number:
            apart = round(permit.outline.distance(outline), 3)
            distances[permit.number] = min(apart, distances.get(permit.number, apart))
    ranked = sorted(distances, key=lambda number: (distances[number], number))
    return tuple(ranked[:_NEAREST_COUNT])
