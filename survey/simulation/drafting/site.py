"""What is in the way where and when: structures, roads, water, and what stands already."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import shapely
from shapely import STRtree

from survey.simulation.drafting.chances import cut_span
from survey.simulation.drafting.land import Land, Zone
from survey.simulation.drafting.plots import NEVER, Plots
from survey.simulation.scene import Part, Patch, Prop, Road, Span, Structure

__all__ = ["Anchor", "Ledger", "Site", "boxes", "fit", "keep_clear", "lay", "settle"]

Geometries = npt.NDArray[np.object_]
Bools = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.int64]
_T = TypeVar("_T", Prop, Patch)
_CORNERS = np.array([(0.5, 0.5), (0.5, -0.5), (-0.5, -0.5), (-0.5, 0.5)])


def boxes(items: Sequence[Prop | Patch | Zone], grow_m: float = 0.0) -> Geometries:
    """Give the rectangles of many things at once, grown on all sides by some metres."""
    if not items:
        return np.empty(0, dtype=np.object_)
    rows = np.array(
        [(i.place.x, i.place.y, i.place.bearing_deg, i.length_m, i.width_m) for i in items]
    )
    sin, cos = np.sin(np.radians(rows[:, 2:3])), np.cos(np.radians(rows[:, 2:3]))
    u = _CORNERS[:, 0] * np.maximum(rows[:, 3:4] + 2.0 * grow_m, 0.02)
    v = _CORNERS[:, 1] * np.maximum(rows[:, 4:5] + 2.0 * grow_m, 0.02)
    x, y = rows[:, 0:1] + u * sin + v * cos, rows[:, 1:2] + u * cos - v * sin
    return np.asarray(shapely.polygons(np.stack([x, y], axis=-1)), dtype=np.object_)


def _corridors(roads: Sequence[Road]) -> Geometries:
    if not roads:
        return np.empty(0, dtype=np.object_)
    ends = np.array([[(r.start.x, r.start.y), (r.end.x, r.end.y)] for r in roads])
    halves = np.array([road.width_m / 2.0 for road in roads])
    found = shapely.buffer(shapely.linestrings(ends), halves, quad_segs=2)
    return np.asarray(found, dtype=np.object_)


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """The volume beside which the things of a house stand."""

    part: Part
    """The largest volume on the ground when it was new."""
    first: int
    """The first flight that sees the house."""


def _largest(parts: Sequence[Part]) -> Part | None:
    low = [part for part in parts if part.base_m <= 0.0]
    return max(low, key=lambda part: part.length_m * part.width_m, default=None)


_Standing = tuple[tuple[Part, ...], ...]


def _anchors(
    zones: Geometries, structures: Sequence[Structure], flights: int
) -> tuple[tuple[tuple[Anchor, ...], ...], tuple[_Standing, ...]]:
    """Give for every zone its houses, and the largest volume of each that every flight sees."""
    houses = [
        (Anchor(part=part, first=item.states[0].flight), item)
        for item in structures
        if item.states[0].flight < flights and (part := _largest(item.states[0].parts)) is not None
    ]
    anchors: list[list[Anchor]] = [[] for _ in zones]
    standing: list[list[list[Part]]] = [[[] for _ in range(flights)] for _ in zones]
    if houses:
        points = shapely.points([(a.part.place.x, a.part.place.y) for a, _ in houses])
        for point, zone in STRtree(zones).query(points, predicate="intersects").T.tolist():
            anchor, item = houses[point]
            anchors[zone].append(anchor)
            for flight in range(anchor.first, flights):
                if (part := _largest(item.parts_at(flight))) is not None:
                    standing[zone][flight].append(part)
    return tuple(map(tuple, anchors)), tuple(tuple(map(tuple, rows)) for rows in standing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The land with its structures, indexed for questions about clearance."""

    land: Land
    """Zones, roads and covers."""
    flights: int
    """Number of flights."""
    structures: tuple[Structure, ...]
    """All structures of all flights."""
    plots: Plots
    """The ground of the structures and when it is covered."""
    anchors: tuple[tuple[Anchor, ...], ...]
    """For every zone its houses of all flights."""
    standing: tuple[_Standing, ...]
    """For every zone and flight the largest volume of each house that stands."""
    roads: Geometries
    """Paving of every run of road without canals, local metres."""
    roads_tree: STRtree
    """Index of `roads`."""
    zones_tree: STRtree
    """Index of the zones' rectangles."""
    waters: Geometries
    """Canals, then ponds, local metres."""
    waters_tree: STRtree
    """Index of `waters`."""

    @classmethod
    def around(cls, land: Land, structures: Sequence[Structure], flights: int) -> "Site":
        """Index what must be kept clear of."""
        roads = _corridors([road for road in land.roads if road.surface != "canal"])
        canals = _corridors([road for road in land.roads if road.surface == "canal"])
        ponds = boxes([patch for patch in land.patches if patch.kind == "pond"])
        waters, zones = np.concatenate([canals, ponds]), boxes(land.zones)
        anchors, standing = _anchors(zones, structures, flights)
        return cls(
            land=land,
            flights=flights,
            structures=tuple(structures),
            plots=Plots.of(structures),
            anchors=anchors,
            standing=standing,
            zones_tree=STRtree(zones),
            roads=roads,
            roads_tree=STRtree(roads),
            waters=waters,
            waters_tree=STRtree(waters),
        )

    def taken(self, shapes: Geometries, gap_m: float) -> Bools:
        """Say at which flights a structure is closer than a gap to each, shape (n, flights)."""
        taken = np.zeros((len(shapes), self.flights), dtype=np.bool_)
        own, plot = _near(self.plots.tree, shapes, gap_m)
        for flight in range(self.flights):
            taken[own[self.plots.covered(flight)[plot]], flight] = True
        return taken

    def off_roads(self, shapes: Geometries, gap_m: float = 0.0) -> Bools:
        """Say which shapes stay at least a gap away from the paving."""
        return _apart(self.roads_tree, shapes, gap_m)

    def off_water(self, shapes: Geometries, gap_m: float = 0.0) -> Bools:
        """Say which shapes stay at least a gap away from canals and ponds."""
        return _apart(self.waters_tree, shapes, gap_m)

    def off_zones(self, shapes: Geometries) -> Bools:
        """Say which shapes lie on verges and idle corners, outside of all zones."""
        return _apart(self.zones_tree, shapes, 0.0)

    def dry(self, shapes: Geometries) -> Bools:
        """Say which shapes lie off the paving and off the water."""
        return self.off_roads(shapes) & self.off_water(shapes)

    def obstacles_near(self, shapes: Geometries) -> tuple[Geometries, Bools, Indices]:
        """Give all plots, roads and waters, when each is there, and what may touch what.

        Returns
        -------
        tuple
            The obstacles, shape (m,); the flights that see them, shape (m, flights); pairs of
            shape and obstacle, shape (2, pairs).
        """
        trees = (self.plots.tree, self.roads_tree, self.waters_tree)
        always = np.ones((len(self.roads) + len(self.waters), self.flights), dtype=np.bool_)
        covered = np.stack([self.plots.covered(flight) for flight in range(self.flights)], axis=1)
        starts = np.cumsum([0, len(self.plots.shapes), len(self.roads)])
        pairs = [
            tree.query(shapes) + np.array([[0], [start]])
            for tree, start in zip(trees, starts, strict=True)
        ]
        obstacles = np.concatenate([self.plots.shapes, self.roads, self.waters])
        return obstacles, np.concatenate([covered, always]), np.hstack(pairs)


def _near(tree: STRtree, shapes: Geometries, gap_m: float) -> Indices:
    if not len(shapes) or not len(tree):
        return np.empty((2, 0), dtype=np.int64)
    if gap_m > 0.0:
        return np.asarray(tree.query(shapes, predicate="dwithin", distance=gap_m))
    return np.asarray(tree.query(shapes, predicate="intersects"))


def _apart(tree: STRtree, shapes: Geometries, gap_m: float) -> Bools:
    clear = np.ones(len(shapes), dtype=np.bool_)
    clear[_near(tree, shapes, gap_m)[0]] = False
    return clear


@dataclass(frozen=True, slots=True)
class _Layer:
    tree: STRtree
    first: npt.NDArray[np.int64]
    end: npt.NDArray[np.int64]


def _end(span: Span) -> int:
    return NEVER if span.end is None else span.end


class Ledger:
    """What stands where and when; it grows by all that it admits."""

    def __init__(self) -> None:
        self._layers: list[_Layer] = []

    def admit(self, shapes: Geometries, spans: Sequence[Span]) -> Bools:
        """Enter what is in nothing's way at any flight; of two that meet the former stays.

        Parameters
        ----------
        shapes
            What each thing covers, shape (n,), local metres.
        spans
            The flights that see each, n of them.

        Returns
        -------
        numpy.ndarray
            True for what was entered, shape (n,).
        """
        first = np.array([span.first for span in spans], dtype=np.int64)
        end = np.array([_end(span) for span in spans], dtype=np.int64)
        alive = np.ones(len(shapes), dtype=np.bool_)
        if not len(shapes):
            return alive
        for layer in self._layers:
            # Vehicles of other flights are passed over, or cost would grow with flights squared.
            if layer.first.min() < end.max() and first.min() < layer.end.max():
                own, other = layer.tree.query(shapes, predicate="intersects")
                met = (first[own] < layer.end[other]) & (layer.first[other] < end[own])
                alive[own[met]] = False
        kept = np.flatnonzero(alive)
        alive[kept] = _first_come(shapes[kept], first[kept], end[kept])
        if alive.any():
            self._layers.append(_Layer(STRtree(shapes[alive]), first[alive], end[alive]))
        return alive


def _first_come(
    shapes: Geometries, first: npt.NDArray[np.int64], end: npt.NDArray[np.int64]
) -> Bools:
    alive = np.ones(len(shapes), dtype=np.bool_)
    if not len(shapes):
        return alive
    one, two = STRtree(shapes).query(shapes, predicate="intersects")
    met = (one < two) & (first[one] < end[two]) & (first[two] < end[one])
    one, two = one[met], two[met]
    order = np.lexsort((two, one))
    for earlier, later in zip(one[order].tolist(), two[order].tolist(), strict=True):
        if alive[earlier]:
            alive[later] = False
    return alive


def fit(site: Site, things: Sequence[_T], gap_m: float) -> list[_T | None]:
    """Cut the spans of things to flights at which no structure stands in their place.

    Parameters
    ----------
    site
        The structures.
    things
        What would stand for its whole span.
    gap_m
        Distance to keep from structures, metres.

    Returns
    -------
    list
        Every thing with the first run of flights for which it may stand; None where never.
    """
    taken = site.taken(boxes(things), gap_m)
    found: list[_T | None] = list(things)
    for i in np.flatnonzero(taken.any(axis=1)).tolist():
        span = cut_span(things[i].span, taken[i])
        found[i] = None if span is None else replace(things[i], span=span)
    return found


def keep_clear(site: Site, things: Sequence[_T], gap_m: float) -> list[_T]:
    """Give the things that `fit` finds a flight for."""
    return [thing for thing in fit(site, things, gap_m) if thing is not None]


def lay(site: Site, patches: Sequence[Patch], gap_m: float) -> list[Patch | None]:
    """Cut the spans of covers: they are laid on open ground, and may be built over later.

    A yard does not go because a shed is put up on it: what a structure comes to stand on stays
    around and beneath it, until the ground is cleared. Only pits end when they are built over.

    Parameters
    ----------
    site
        The structures.
    patches
        What would lie for its whole span.
    gap_m
        Distance to keep from structures that stand already, metres.

    Returns
    -------
    list
        Every patch with a span that begins as its own does; None where a structure stands then.
    """
    plots, found = site.plots, list[Patch | None](patches)
    for i, plot in _near(plots.tree, boxes(patches), gap_m).T.tolist():
        patch, span = found[i], patches[i].span
        first, end = int(plots.first[plot]), int(plots.end[plot])
        if patch is None or span.first >= end:
            continue
        cut = min(_end(patch.span), first if patch.kind == "pit" else end)
        end_cut = cut if cut < site.flights else patch.span.end
        stands = first <= span.first
        found[i] = None if stands else replace(patch, span=Span(first=span.first, end=end_cut))
    return found


def settle(
    site: Site, ledger: Ledger, wishes: Sequence[Sequence[Prop]], gap_m: float
) -> list[Prop]:
    """Put every thing on the first of its wished places that is free, or nowhere.

    Parameters
    ----------
    site
        What to keep clear of.
    ledger
        What stands already; grows by what finds room.
    wishes
        For every thing itself at each of its places, the best first.
    gap_m
        Distance to keep from structures, metres.

    Returns
    -------
    list of Prop
        What found room, in no particular order; what is built over later is there until then.
    """
    settled: list[Prop] = []
    left = list(wishes)
    for turn in range(max(map(len, left), default=0)):
        left = [wish for wish in left if len(wish) > turn]
        tried = [wish[turn] for wish in left]
        dry = site.dry(boxes(tried))
        cut = [t if d else None for t, d in zip(fit(site, tried, gap_m), dry, strict=True)]
        found = [thing for thing in cut if thing is not None]
        kept = ledger.admit(boxes(found, 0.2), [thing.span for thing in found])
        settled += [thing for thing, keep in zip(found, kept, strict=True) if keep]
        fits = np.array([thing is not None for thing in cut], dtype=np.bool_)
        fits[fits] = kept
        left = [wish for wish, done in zip(left, fits, strict=True) if not done]
    return settled
