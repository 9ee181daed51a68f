"""Relations: how one change stands to the permits around it. Pure.

The tolerance at a change is the accuracy of the permit drawing plus what flights and drawing may be
misplaced by there: within it nothing can be held against anyone. So whether there is an excess is
decided beyond the permits grown by the tolerance, and how large it is is told from the line that
was drawn.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

import shapely
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from change.changes import Change
from change.permits import Permit
from survey.settings import PermitSettings

__all__ = ["ADRIFT_M", "Built", "Case", "Relation", "relate"]

_FULL_COVER = 0.8
"""Share that must lie inside for a change to count as permitted, however small the rest is: the
half of a shed of 9 m2 is below ``min_excess_m2``, and the shed is still not as permitted."""
ADRIFT_M = 4.0
"""A layer whose offset is unknown may lie this far off, m."""
_OWN_SHARE = 0.1
"""Permits that cover less of a change do not limit its height, and give it no number."""
_STEP_M = 0.5
"""Spacing of the points along the excess from which its reach is measured."""
# A median of roof heights says how tall a structure is where it was built from the ground.
_FROM_GROUND = frozenset({"building", "shed", "annex"})
_ON_TOP = frozenset({"storey", "roof_addition"})
# Floors of ordinary houses are up to a tenth higher than the usual storey.
_HIGH_STOREY = 1.1
# Halls: one storey may be as high as four.
_HALL = re.compile(
    r"厂|工业|仓|车间|库|产业|物流|体育|市场|factory|industr|warehouse|workshop|storage|hall|barn|market",
    re.IGNORECASE,
)
# Floor area is only held against what exceeds it by more than storeys can be miscounted.
_FLOOR_SLACK = 1.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """The span of days in which a change was built, as far as the flights tell."""

    earliest: date | None
    """Not before this day; None where unknown."""
    latest: date | None
    """Not after this day; None where unknown."""

    @classmethod
    def of(cls, change: Change, before: date | None, after: date | None) -> "Built":
        """Return the span for a change between two flights; stock stood on the first one's day."""
        if change.origin == "stock":
            return cls(earliest=None, latest=before)
        return cls(earliest=before, latest=after)

    def flaw(self, permit: Permit) -> str | None:
        """Say what in the permit's dates cannot have allowed the building; None if nothing.

        A permit for a permanent building counts as expired only if it ended before the first
        flight: what was built in time may stay. One for a temporary building ends its right to
        stand.
        """
        if self.latest and permit.granted and permit.granted > self.latest:
            return "before_grant"
        end = self.latest if permit.temporary else self.earliest
        if end and permit.valid_until and permit.valid_until < end:
            return "permit_expired"
        return None

    def fresh(self, permit: Permit) -> bool:
        """Whether the permit was granted since the first flight, and so for what is new."""
        return bool(self.earliest and permit.granted and permit.granted >= self.earliest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """What the permits say about one change."""

    reason: str
    """One of ``change.suspicion.REASONS``."""
    further: tuple[str, ...] = ()
    """What else does not agree with the permits, or weakens what is said."""
    not_judged: tuple[str, ...] = ()
    """What the permits limit and nobody could measure: ``height``, ``floor_area``, ``dates``; or
    ``place``, where nobody knows how far off the permits are drawn."""
    excess_height_m: float | None = None
    """Height beyond the permitted one, m; None unless it is beyond."""
    excess_area_m2: float = 0.0
    """Ground or floors beyond the permitted area, whichever is more, m2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A change and the permits within the tolerance of it."""

    change: Change
    """What was seen."""
    built: Built
    """When."""
    near: tuple[Permit, ...]
    """The permits within the tolerance, in the order of the file."""
    adrift: tuple[Permit, ...] = ()
    """Where the layer's offset is unknown, the permits that may lie here all the same."""
    tolerance_m: float
    """Accuracy of drawing and flights together at the place, m."""
    height_error_m: float
    """Expected error of the height gained (one sigma), m."""
    settings: PermitSettings
    """Thresholds."""

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

    def beyond(self) -> BaseGeometry:
        """Return what of the change lies beyond the permits as drawn."""
        if not self.near:
            return self.change.outline
        drawn = shapely.union_all([permit.outline for permit in self.near])
        return self.change.outline.difference(drawn)

    def reach(self) -> float | None:
        """Return how far the change reaches beyond the permits as drawn, m; None without any."""
        if not self.near:
            return None
        drawn = shapely.union_all([permit.outline for permit in self.near])
        beyond = self.change.outline.difference(drawn)
        if beyond.is_empty:
            return 0.0
        # A sliver may lose all its corners to the cutting up: its own do as well.
        corners = shapely.get_coordinates(shapely.segmentize(beyond, _STEP_M))
        points = shapely.points(corners if len(corners) else shapely.get_coordinates(beyond))
        return float(shapely.distance(points, drawn).max())

    def shares(self) -> dict[int, float]:
        """Return the share of the change within each permit grown by the tolerance, by row."""
        return {permit.row: self.cover([permit]) for permit in self.near}

    def principal(self) -> tuple[str, tuple[Permit, ...]]:
        """Return the number that covers most of the change, and the permits that bear it.

        Empty where no permit covers a tenth of it.
        """
        covers, by_number = self.shares(), defaultdict[str, float](float)
        for permit in self.near:
            by_number[permit.key] += covers[permit.row]
        if not by_number:
            return "", ()
        number = min(by_number, key=lambda key: (-round(by_number[key], 6), key))
        if by_number[number] < _OWN_SHARE and self.change.kind != "annex":
            return "", ()
        own = tuple(permit for permit in self.near if permit.key == number)
        return own[0].number, own


def relate(case: Case) -> Relation:
    """Return how a change stands to the permits around it.

    Whether it stands beside a permit that is still empty takes more than one change to tell, and is
    decided by ``change.suspicion``.
    """
    kind = case.change.kind
    if case.change.vanished:
        permitted = case.cover(case.near) >= case.settings.min_cover
        return Relation(reason="removed_permitted" if permitted else "removed_unpermitted")
    if kind in _ON_TOP:
        return _on_top(case)
    if case.within(case.near):
        return _inside(case)
    if kind != "annex" and (own := _adrift(case)) is not None:
        return Relation(reason=_by_dates(own, own.near), not_judged=("place",))
    if kind == "annex":
        reason = "grown_beyond_permit" if case.near else "no_permit"
        return Relation(reason=reason, not_judged=_undated(case, case.near))
    if case.cover(case.near) >= case.settings.min_cover:
        return _outgrown(case)
    return Relation(reason="no_permit")


def _adrift(case: Case) -> Case | None:
    """Return the case moved to a permit that would cover it, if the layer may lie so far off.

    Nobody can say then that it stands beside that permit, or goes beyond it.
    """
    outline = case.change.outline
    for permit in case.adrift:
        for east, north in _shifts(permit.outline, outline):
            change = replace(case.change, outline=translate(outline, east, north))
            moved = replace(case, change=change, near=(permit,), adrift=())
            if moved.within(moved.near):
                return moved
    return None


def _shifts(to: BaseGeometry, outline: BaseGeometry) -> Iterator[tuple[float, float]]:
    """Yield the shifts to try: onto the middle of a permit, and no farther than it needs to be."""
    east, north = to.centroid.x - outline.centroid.x, to.centroid.y - outline.centroid.y
    apart = math.hypot(east, north)
    for share in (1.0, 0.75, 0.5, 0.25):
        if 0.0 < share * apart <= ADRIFT_M:
            yield share * east, share * north


def _inside(case: Case) -> Relation:
    """Judge what stands inside its permits: their dates, and what else they limit.

    What lies between the flights is given to the builder.
    """
    dated = _by_dates(case, case.near)
    over, unknown = _limits(case)
    undated = _undated(case, case.near)
    exceeds = "exceeds_permit" if case.change.kind != "annex" else "grown_beyond_permit"
    reason = dated if dated != "as_permitted" or not over else exceeds
    further = [name for name in over if reason != dated or name != reason]
    return Relation(
        reason=reason,
        further=(*sorted(further), *_temporary(case)),
        not_judged=(*unknown, *undated),
        excess_height_m=over.get("too_high"),
        excess_area_m2=_beyond_area(over),
    )


def _outgrown(case: Case) -> Relation:
    """Judge what goes beyond its permit in outline, and perhaps in more."""
    over, unknown = _limits(case)
    _number, principal = case.principal()
    flaws = {case.built.flaw(permit) for permit in principal}
    further = [] if None in flaws else [flaw for flaw in flaws if flaw is not None]
    return Relation(
        reason="exceeds_permit",
        further=(*sorted(further), *sorted(over), *_temporary(case)),
        not_judged=(*unknown, *_undated(case, principal)),
        excess_height_m=over.get("too_high"),
        excess_area_m2=_beyond_area(over),
    )


def _on_top(case: Case) -> Relation:
    """Judge what was built on top: an old permit was for what stood, a fresh one may allow more.

    The height a permit allows is not compared: the flights tell how much was added, not how high
    the whole stands above the ground.
    """
    fresh = [permit for permit in case.near if case.built.fresh(permit)]
    undated = _undated(case, case.near)
    if case.within(fresh):
        limited = any(_allowed(permit, case.settings) is not None for permit in fresh)
        unknown = ("height",) if limited else ()
        return Relation(reason=_by_dates(case, fresh), not_judged=(*unknown, *undated))
    if case.cover(case.near) >= case.settings.min_cover:
        return Relation(reason="grown_beyond_permit", not_judged=undated)
    return Relation(reason="no_permit")


def _by_dates(case: Case, permits: Sequence[Permit]) -> str:
    """Return ``as_permitted``, unless it takes permits whose dates rule them out."""
    flaws = {permit.row: case.built.flaw(permit) for permit in permits}
    if not any(flaws.values()):
        return "as_permitted"
    if case.within([permit for permit in permits if flaws[permit.row] is None]):
        return "as_permitted"
    cover = {
        flaw: case.cover([permit for permit in permits if flaws[permit.row] == flaw])
        for flaw in ("before_grant", "permit_expired")
    }
    return "before_grant" if cover["before_grant"] >= cover["permit_expired"] else "permit_expired"


def _undated(case: Case, permits: Sequence[Permit]) -> tuple[str, ...]:
    """Say that dates could not be held against anyone: permits have some, the flights none."""
    dated = any(permit.granted or permit.valid_until for permit in permits)
    known = case.built.latest is not None or case.built.earliest is not None
    return ("dates",) if dated and not known else ()


def _temporary(case: Case) -> tuple[str, ...]:
    """Say that the permit is for a temporary building, whose end somebody has to watch."""
    _number, principal = case.principal()
    return ("temporary",) if principal and all(p.temporary for p in principal) else ()


def _limits(case: Case) -> tuple[dict[str, float], tuple[str, ...]]:
    """Return by how much a change exceeds what its permits limit, and what nobody could measure.

    Taken together: two permits that share a building allow the sum of their areas, and the height
    of the higher.
    """
    covers = case.shares()
    own = [permit for permit in case.near if covers[permit.row] >= _OWN_SHARE]
    if not own or case.change.kind not in _FROM_GROUND:
        return {}, ()
    over: dict[str, float] = {}
    unknown: list[str] = []
    _hold_height(case, own, over, unknown)
    _hold_footprint(case, own, over)
    _hold_floor_area(case, own, over, unknown)
    return over, tuple(unknown)


def _beyond_area(over: dict[str, float]) -> float:
    return max(over.get("footprint_too_large", 0.0), over.get("floor_area_too_large", 0.0))


def _hold_height(
    case: Case, own: Sequence[Permit], over: dict[str, float], unknown: list[str]
) -> None:
    limits = [_allowed(permit, case.settings) for permit in own]
    if any(limit is None for limit in limits):
        return
    if case.change.height_gain_m is None:
        unknown.append("height")
        return
    allowed = max(limit for limit in limits if limit is not None)
    slack = case.settings.height_tolerance_m + 2.0 * case.height_error_m
    if case.change.height_gain_m > allowed + slack:
        over["too_high"] = case.change.height_gain_m - allowed


def _allowed(permit: Permit, settings: PermitSettings) -> float | None:
    """Return the height a permit allows, m; None where it says nothing that can be held to it."""
    if permit.height_m is not None:
        return permit.height_m
    if permit.storeys is None or _HALL.search(permit.use):
        return None
    return permit.storeys * settings.storey_m * _HIGH_STOREY


def _hold_footprint(case: Case, own: Sequence[Permit], over: dict[str, float]) -> None:
    """Where permits draw the plot, the number they give limits what stands on it."""
    allowed = _sum_of([(permit, permit.footprint_m2) for permit in own])
    if allowed is None:
        return
    outline = case.change.outline
    slack = max(case.settings.min_excess_m2, 0.5 * case.tolerance_m * outline.length)
    if case.change.area_m2 > allowed + slack:
        over["footprint_too_large"] = case.change.area_m2 - allowed


def _hold_floor_area(
    case: Case, own: Sequence[Permit], over: dict[str, float], unknown: list[str]
) -> None:
    allowed = _sum_of([(permit, permit.floor_area_m2) for permit in own])
    if allowed is None or any(_HALL.search(permit.use) for permit in own):
        return
    if case.change.height_gain_m is None:
        unknown.append("floor_area")
        return
    sure = case.change.height_gain_m - 2.0 * case.height_error_m
    floors = max(1.0, sure // (case.settings.storey_m * _HIGH_STOREY))
    built = floors * case.change.area_m2
    if built > _FLOOR_SLACK * allowed + case.settings.min_excess_m2:
        over["floor_area_too_large"] = built - allowed


def _sum_of(areas: Sequence[tuple[Permit, float | None]]) -> float | None:
    """Return what permits allow together, m2; None where one of them does not say.

    Rows of one number are parts of one permit, and each repeats its area.
    """
    by_permit: dict[str | int, float] = {}
    for permit, area in areas:
        if area is None:
            return None
        key = permit.key or permit.row
        by_permit[key] = max(area, by_permit.get(key, 0.0))
    return sum(by_permit.values())
