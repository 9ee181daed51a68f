"""Ground that changes without a structure: repairs, paved yards, ploughed fields and pits."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from survey.simulation.drafting.chances import draw_seed, draw_spans, pick, spread
from survey.simulation.drafting.land import Use, Zone
from survey.simulation.drafting.places import beside, hectares, inside, way
from survey.simulation.drafting.site import Ledger, Site, boxes, keep_clear, lay
from survey.simulation.scene import Patch, Place, Road, Span

__all__ = ["mend_roads", "work_ground"]

_Cover = Literal["concrete", "asphalt", "gravel", "soil", "grass", "mulch", "pit"]
_Bounds = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """One sort of ground work."""

    kinds: tuple[_Cover, ...]
    """What covers the ground afterwards."""
    length_m: _Bounds
    """Least and greatest length, metres."""
    width_m: _Bounds
    """Least and greatest width, metres."""
    stay: float
    """Mean number of flights that see it."""
    aside: float = 0.0
    """Share that lies along a house."""


# By eye from open drone imagery; a plot's yard and a site's first clearing are of one size.
_YARD = _Work(
    kinds=("concrete", "concrete", "gravel", "soil"),
    length_m=(4.0, 14.0),
    width_m=(3.0, 9.0),
    stay=4.0,
    aside=0.8,
)
_PAVING = _Work(
    kinds=("concrete", "asphalt", "gravel"), length_m=(10.0, 45.0), width_m=(8.0, 25.0), stay=6.0
)
_CLEARING = _Work(
    kinds=("soil", "soil", "gravel"), length_m=(8.0, 40.0), width_m=(6.0, 25.0), stay=2.5
)
_TILLAGE = _Work(kinds=("soil",), length_m=(20.0, 70.0), width_m=(5.0, 20.0), stay=1.3)
_FILM = _Work(kinds=("mulch",), length_m=(15.0, 50.0), width_m=(4.0, 14.0), stay=1.5)
_PIT = _Work(kinds=("pit",), length_m=(3.0, 14.0), width_m=(2.5, 9.0), stay=1.6)
_LAWN = _Work(kinds=("grass",), length_m=(5.0, 20.0), width_m=(4.0, 12.0), stay=3.0)
# Works that one flight sees on a hectare.
_WORKS: dict[Use, tuple[tuple[_Work, float], ...]] = {
    "dense": ((_YARD, 6.0), (_PIT, 0.3)),
    "village": ((_YARD, 8.0), (_CLEARING, 1.0), (_PIT, 0.6), (_LAWN, 1.0)),
    "town": ((_YARD, 2.0), (_PAVING, 0.6), (_PIT, 0.5), (_LAWN, 1.5)),
    "industrial": ((_YARD, 2.0), (_PAVING, 1.5), (_CLEARING, 1.0), (_PIT, 0.8)),
    "greenhouses": ((_TILLAGE, 1.0), (_FILM, 1.5), (_PIT, 0.1)),
    "farmland": ((_TILLAGE, 1.2), (_FILM, 0.8), (_CLEARING, 0.2), (_PIT, 0.2)),
    "orchard": ((_CLEARING, 0.3), (_PIT, 0.1)),
    "woods": ((_CLEARING, 0.2),),
    "market": ((_PAVING, 0.8),),
    "park": ((_CLEARING, 0.4), (_LAWN, 1.5), (_YARD, 0.5)),
    "waste": ((_CLEARING, 3.0), (_PAVING, 0.8), (_PIT, 1.5), (_LAWN, 1.0)),
}
_REPAIRS_PER_M = 1.0 / 120.0  # of every flight; an asphalt road under ordinary care
_BENT_M = 0.5  # an edge never wanders farther out
_TRIES = 5
_NOWHERE = Place(x=0.0, y=0.0)


def mend_roads(rng: np.random.Generator, site: Site) -> list[Patch]:
    """Lay fresh asphalt on roads: patches in a lane, and trenches along or across."""
    found: list[Patch] = []
    for road in site.land.roads:
        if road.surface in ("asphalt", "cement"):
            length_m = way(road)[1]
            spans = draw_spans(rng, _REPAIRS_PER_M * length_m, 8.0, site.flights)
            found += [_repair(rng, road, span) for span in spans]
    kept = site.off_water(boxes(found))
    return keep_clear(site, [p for p, keep in zip(found, kept, strict=True) if keep], 0.2)


def _repair(rng: np.random.Generator, road: Road, span: Span) -> Patch:
    start, run_m = way(road)
    lane = road.width_m / 2.0
    form = rng.random()
    u, v, turn = spread(rng, (0.1, 0.9)) * run_m, pick(rng, (-0.5, 0.5)) * lane, 0.0
    length_m, width_m = spread(rng, (1.0, 7.0)), spread(rng, (0.5, 0.95)) * lane
    if form < 0.25:  # a pipe along the road
        length_m, width_m = spread(rng, (0.3, 0.9)) * min(run_m, 60.0), spread(rng, (0.6, 1.2))
        u = run_m / 2.0
    elif form < 0.45:  # a pipe across it
        v, turn, length_m, width_m = 0.0, 90.0, 0.95 * road.width_m, spread(rng, (0.6, 1.6))
    return Patch(
        kind="repair",
        place=start.move(u, v, turn),
        length_m=length_m,
        width_m=width_m,
        seed=draw_seed(rng),
        over_roads=True,
        span=span,
    )


def work_ground(rng: np.random.Generator, site: Site, ledger: Ledger) -> list[Patch]:
    """Pave, clear, plough and dig; pits go to the ledger, for nothing stands in them."""
    wishes = [
        _wish(rng, site, index, work, _cover(rng, work, span))
        for index, zone in enumerate(site.land.zones)
        for work, density in _WORKS.get(zone.use, ())
        for span in draw_spans(rng, density * hectares(zone), work.stay, site.flights)
    ]
    patches: list[Patch] = []
    for turn in range(_TRIES):
        tried = [wish[turn] for wish in wishes]
        shapes = boxes(tried)
        cut = lay(site, tried, _BENT_M)
        fits = site.dry(shapes) & np.array([patch is not None for patch in cut], dtype=np.bool_)
        digs = np.array([patch.kind == "pit" for patch in tried], dtype=np.bool_) & fits
        spans = [p.span for p, dig in zip(cut, digs, strict=True) if dig and p is not None]
        fits[digs] = ledger.admit(shapes[digs], spans)
        patches += [p for p, fits_in in zip(cut, fits, strict=True) if fits_in and p is not None]
        wishes = [wish for wish, done in zip(wishes, fits, strict=True) if not done]
    return sorted(patches, key=lambda patch: patch.span.first)  # new covers over old ones


def _wish(
    rng: np.random.Generator, site: Site, index: int, work: _Work, patch: Patch
) -> list[Patch]:
    """Look at several places for a patch: along houses, or anywhere in its zone."""
    zone, parts = site.land.zones[index], site.standing[index][patch.span.first]
    if parts and rng.random() < work.aside:
        gap_m = _BENT_M + 0.1
        places = [beside(rng, parts, patch.width_m, gap_m) for _ in range(_TRIES)]
    else:
        places = [_in_step(inside(rng, zone, 4.0), zone, work) for _ in range(_TRIES)]
    return [replace(patch, place=place) for place in places]


def _in_step(place: Place, zone: Zone, work: _Work) -> Place:
    """Turn what belongs to fields as the rows of the fields run."""
    if work in (_TILLAGE, _FILM):
        return Place(x=place.x, y=place.y, bearing_deg=zone.place.bearing_deg)
    return place


def _cover(rng: np.random.Generator, work: _Work, span: Span) -> Patch:
    kind = pick(rng, work.kinds)
    tended = kind in ("concrete", "asphalt", "mulch")
    pit = kind == "pit"
    return Patch(
        kind=kind,
        place=_NOWHERE,
        length_m=spread(rng, work.length_m),
        width_m=spread(rng, work.width_m),
        seed=draw_seed(rng),
        shape="ellipse" if (pit or not tended) and rng.random() < 0.4 else "rectangle",
        bend_m=0.0 if tended else spread(rng, (0.1, _BENT_M)),
        lift_m=spread(rng, (0.5, 2.5)) if pit else 0.0,
        span=span,
    )
