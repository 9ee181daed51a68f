"""Lay all flights of an area on one of them: straight, or through a flight of nearer season. Pure.

Errors add up along a chain, so it is kept short: a flight goes through another only where it cannot
be verified against the reference itself, or where that is clearly better. What two ways to the same
flight disagree by (their closure) is measured wherever there are two.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from survey.alignment import Alignment
from survey.composition import compose, find_closure, without_ties
from survey.grid import Bounds
from survey.words import N_, _

__all__ = ["NEARNESS", "Area", "Link", "Placed", "Route", "chain"]

# A chain is taken in place of a verified direct alignment where its residual is so many times
# smaller, and by so many metres: a quarter of the 0.2 m pixel that detection works at.
_CLEARLY, _CLEARLY_M = 1.5, 0.05
_YEAR_DAYS = 365.25

NEARNESS = {
    "season": N_("nearest in season"),
    "time": N_("nearest in time"),
    "order": N_("nearest in the list"),
}
"""Why a chain leads through a flight, in words."""

Measure = Callable[[int, int], Alignment | None]
"""Aligns one flight (by number) to another; None where the two cannot be compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """Flights over the same ground, by number."""

    labels: tuple[str, ...]
    """What each is called in a sentence."""
    days: tuple[date | None, ...]
    """Day of each; None where unknown."""
    reference: int
    """The flight that all others are laid on."""
    bounds: tuple[Bounds | None, ...]
    """Ground that each shares with the reference, m; None where there is none."""
    measure: Measure
    """Aligns the second flight to the first, in the CRS of the reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Two flights that were aligned; the ties are left out, their numbers kept."""

    before: int
    """The flight that the other is laid on."""
    after: int
    """The flight that is moved."""
    alignment: Alignment
    """What was measured, without its ties."""
    ties_used: int
    """How many ties the field was fitted to."""
    ties_seen: int
    """How many windows had enough picture in both flights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A way from the reference to a flight."""

    links: tuple[Link, ...]
    """What it is made of, from the reference on."""
    alignment: Alignment
    """The whole way."""
    near: str = ""
    """Why it leads through the flight before the last: a key of ``NEARNESS``; empty if direct."""

    @property
    def through(self) -> tuple[int, ...]:
        """The flights between, from the reference on."""
        return tuple(link.after for link in self.links[:-1])

    @property
    def verified(self) -> bool:
        """Whether all of it is."""
        return self.alignment.verdict == "verified"

    @property
    def p95_m(self) -> float:
        """Held-back residual, 95th percentile, m; infinite unless verified."""
        return math.inf if self.alignment.p95_m is None else self.alignment.p95_m

    @property
    def ties(self) -> tuple[int, int]:
        """Ties used and seen in the link that has fewest."""
        return min((link.ties_used, link.ties_seen) for link in self.links)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """How a flight lies on the reference."""

    flight: int
    """Its number."""
    route: Route | None
    """The way that was taken; None where it cannot be compared with the reference."""
    others: tuple[Route, ...]
    """Every other way that was measured, the best first."""
    closure_m: float | None
    """What the way taken and the best other verified one disagree by, root mean square, m."""
    closes: bool
    """False where that is more than twice what both say of their own errors."""
    why: str
    """Which way was taken, and why: one sentence."""


def chain(area: Area) -> tuple[Placed, ...]:
    """Lay every flight on the reference, straight or through others.

    Parameters
    ----------
    area
        The flights, and what aligns two of them.

    Returns
    -------
    tuple of Placed
        One for each flight but the reference, in their order.

    Notes
    -----
    At most two neighbours of a flight are tried: the nearest in season, and, where that does not
    settle it, the nearest in time. Neighbours are verified against the reference themselves; only
    for flights that nothing else verifies do chains grow longer.
    """
    ways = {
        flight: _direct(area, flight)
        for flight in range(len(area.labels))
        if flight != area.reference
    }
    last = [flight for flight, routes in ways.items() if any(r.verified for r in routes)]
    open_flights = [flight for flight, routes in ways.items() if routes]
    while last and open_flights:
        bases = {base: _best(ways[base]) for base in last}
        for flight in open_flights:
            ways[flight] += _through(area, flight, ways[flight], bases)
        left = [flight for flight in open_flights if not _verified(ways[flight])]
        last = [flight for flight in open_flights if flight not in left and flight not in bases]
        open_flights = left
    return tuple(_placed(area, flight, routes) for flight, routes in ways.items())


def _direct(area: Area, flight: int) -> list[Route]:
    link = _link(area, area.reference, flight)
    return [] if link is None else [Route(links=(link,), alignment=link.alignment)]


def _link(area: Area, before: int, after: int) -> Link | None:
    measured = area.measure(before, after)
    if measured is None:
        return None
    return Link(
        before=before,
        after=after,
        alignment=without_ties(measured),
        ties_used=measured.ties_used,
        ties_seen=measured.ties_seen,
    )


def _through(
    area: Area, flight: int, known: Sequence[Route], bases: dict[int, Route]
) -> list[Route]:
    """Return the ways to a flight through its neighbours among the bases."""
    found: list[Route] = []
    for near, base in _neighbours(area, flight, bases):
        if len(_verified([*known, *found])) >= 2:
            break
        link, bounds = _link(area, base, flight), area.bounds[flight]
        if link is not None and bounds is not None:
            whole = compose(bases[base].alignment, link.alignment, bounds)
            found.append(Route(links=(*bases[base].links, link), alignment=whole, near=near))
    return found


def _neighbours(area: Area, flight: int, bases: Iterable[int]) -> list[tuple[str, int]]:
    """Return the bases nearest in season and in time, with what makes them near."""
    others = [base for base in bases if base != flight]
    found: dict[int, str] = {}
    for kind, place in (("season", 0), ("time", 1)):
        if others:
            far = {base: _distances(area, flight, base) for base in others}
            base = min(others, key=lambda one: (far[one][place], *far[one], one))
            found.setdefault(base, kind if math.isfinite(far[base][0]) else "order")
    return [(kind, base) for base, kind in found.items()]


def _distances(area: Area, flight: int, base: int) -> tuple[float, float, int]:
    """Return how far two flights are apart: days of the year, days, places in the list."""
    day, other = area.days[flight], area.days[base]
    if day is None or other is None:
        return math.inf, math.inf, abs(flight - base)
    days = abs((day - other).days)
    season = days % _YEAR_DAYS
    return min(season, _YEAR_DAYS - season), float(days), abs(flight - base)


def _verified(routes: Iterable[Route]) -> list[Route]:
    return [route for route in routes if route.verified]


def _best(routes: Sequence[Route]) -> Route:
    """Return the way to take: the direct one, unless a chain is clearly better."""
    direct = routes[0]
    chains = sorted(_verified(routes[1:]), key=lambda route: (route.p95_m, len(route.links)))
    if not chains:
        return direct
    return chains[0] if not direct.verified or _clearly(chains[0], direct) else direct


def _clearly(chained: Route, direct: Route) -> bool:
    """Whether a chain is better than a verified direct alignment by more than chance."""
    doubts = [float(np.median(r.alignment.field.uncertainty)) for r in (chained, direct)]
    gain = direct.p95_m - chained.p95_m
    return gain > _CLEARLY_M and direct.p95_m > _CLEARLY * chained.p95_m and doubts[0] <= doubts[1]


def _placed(area: Area, flight: int, routes: Sequence[Route]) -> Placed:
    if not routes:
        why = _("it cannot be compared with the reference")
        return Placed(flight=flight, route=None, others=(), closure_m=None, closes=True, why=why)
    taken = _best(routes)
    rest = sorted((r for r in routes if r is not taken), key=lambda r: (r.p95_m, len(r.links)))
    rivals = _verified(rest)
    closure = None
    if taken.verified and rivals:
        closure = find_closure(taken.alignment.field, rivals[0].alignment.field)
    closes = closure is None or closure[0] <= 2.0 * closure[1] + _CLEARLY_M
    why = _reason(area, taken, rest)
    if closure is not None and not closes:
        why += "; " + _("THE TWO WAYS DISAGREE by {error:.2f} m").format(error=closure[0])
    return Placed(
        flight=flight,
        route=replace(taken, alignment=replace(taken.alignment, why=why)),
        others=tuple(rest),
        closure_m=None if closure is None else closure[0],
        closes=closes,
        why=why,
    )


def _reason(area: Area, taken: Route, others: Sequence[Route]) -> str:
    """Say which way was taken, and why."""
    if not taken.verified:
        names = ", ".join(area.labels[r.through[-1]] for r in others if r.through)
        why = taken.alignment.why
        return (
            _("{why}; nor could it be verified through {names}").format(why=why, names=names)
            if names
            else why
        )
    if not taken.through:
        return _straight(area, taken, _verified(others))
    direct = next(route for route in others if not route.through)
    said = _("through {names} ({near}): 95 % within {p95:.2f} m").format(
        names=_names(area, taken), near=_(NEARNESS[taken.near]), p95=taken.p95_m
    )
    if direct.verified:
        more = _("straight to the reference only within {p95:.2f} m").format(p95=direct.p95_m)
    else:
        more = _("straight to the reference not verified: {why}").format(why=direct.alignment.why)
    return f"{said}; {more}"


def _straight(area: Area, taken: Route, rivals: Sequence[Route]) -> str:
    said = _("straight to the reference: 95 % within {p95:.2f} m").format(p95=taken.p95_m)
    if not rivals:
        return said
    best = rivals[0]
    more = _("through {names} ({near}) within {p95:.2f} m").format(
        names=_names(area, best), near=_(NEARNESS[best.near]), p95=best.p95_m
    )
    return f"{said}; {more}"


def _names(area: Area, route: Route) -> str:
    return ", ".join(area.labels[flight] for flight in route.through)
