"""What is stored, heaped, sold and left lying about: no structure, however much like a shed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from survey.simulation.drafting.chances import draw_seed, draw_spans, pick, spread
from survey.simulation.drafting.land import Use, Zone
from survey.simulation.drafting.places import beside, hectares, inside, rows
from survey.simulation.drafting.site import Ledger, Site, boxes, settle
from survey.simulation.scene import Part, Place, Prop, Span

__all__ = ["stack_yards", "store"]

_Tints = tuple[str, ...]
_Bounds = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ware:
    """One sort of goods."""

    kind: Literal["machine", "container", "pile", "tarpaulin", "stall", "crowd", "junk"]
    """How it is drawn."""
    length_m: _Bounds
    """Least and greatest length, metres."""
    width_m: _Bounds
    """Least and greatest width, metres."""
    height_m: _Bounds
    """Least and greatest height, metres."""
    tints: _Tints
    """Colours, as likely as they are often named."""
    stay: float
    """Mean number of flights that see it."""
    aside: float = 0.5
    """Share that stands along a wall; the rest stands anywhere."""


_LOADS: _Tints = ("blue", "blue", "blue", "green", "red", "orange", "white", "silver")
_BOXES: _Tints = ("blue", "blue", "red", "green", "rust", "white", "grey", "orange", "yellow")
# Sizes: containers and cabins by ISO 668 (20 and 40 feet); the others by eye from open drone
# imagery, where the blue sheet over goods and the blue roof of a shed are of one size.
_WARES: dict[str, _Ware] = {
    "container": _Ware(
        kind="container",
        length_m=(6.06, 6.06),
        width_m=(2.44, 2.44),
        height_m=(2.59, 2.9),
        tints=_BOXES,
        stay=2.2,
    ),
    "long container": _Ware(
        kind="container",
        length_m=(12.19, 12.19),
        width_m=(2.44, 2.44),
        height_m=(2.59, 2.9),
        tints=_BOXES,
        stay=2.0,
    ),
    "stacked": _Ware(
        kind="container",
        length_m=(6.06, 12.19),
        width_m=(2.44, 4.95),
        height_m=(5.18, 5.3),
        tints=_BOXES,
        stay=2.0,
    ),
    "cabin": _Ware(  # a site office or a watchman's box: moved by crane in an hour
        kind="container",
        length_m=(3.0, 6.06),
        width_m=(2.3, 2.9),
        height_m=(2.5, 2.9),
        tints=("white", "white", "blue", "beige"),
        stay=2.0,
    ),
    "covered": _Ware(
        kind="tarpaulin",
        length_m=(3.5, 10.0),
        width_m=(2.5, 6.0),
        height_m=(1.6, 3.0),
        tints=_LOADS,
        stay=1.6,
    ),
    "sheet": _Ware(
        kind="tarpaulin",
        length_m=(2.5, 9.0),
        width_m=(2.0, 6.0),
        height_m=(0.05, 0.5),
        tints=_LOADS,
        stay=1.5,
        aside=0.35,
    ),
    "heap": _Ware(
        kind="pile",
        length_m=(2.0, 9.0),
        width_m=(2.0, 7.0),
        height_m=(0.7, 2.8),
        tints=("sand", "sand", "gravel", "gravel", "concrete", "brick", "rust"),
        stay=1.8,
        aside=0.3,
    ),
    "bricks": _Ware(
        kind="pile",
        length_m=(1.5, 6.0),
        width_m=(1.2, 3.5),
        height_m=(0.6, 1.8),
        tints=("brick", "rust", "concrete", "grey", "red"),
        stay=1.7,
        aside=0.6,
    ),
    "timber": _Ware(
        kind="junk",
        length_m=(3.0, 7.0),
        width_m=(1.2, 4.0),
        height_m=(0.4, 1.8),
        tints=("wood", "wood", "beige", "sand"),
        stay=1.8,
        aside=0.6,
    ),
    "rubbish": _Ware(
        kind="junk",
        length_m=(1.2, 6.0),
        width_m=(0.8, 4.0),
        height_m=(0.2, 1.2),
        tints=("white", "blue", "grey", "wood", "rust", "black", "orange"),
        stay=2.5,
        aside=0.65,
    ),
    "litter": _Ware(
        kind="junk",
        length_m=(2.0, 8.0),
        width_m=(1.5, 6.0),
        height_m=(0.1, 0.35),
        tints=("white", "grey", "beige"),
        stay=math.inf,
        aside=0.4,
    ),
    "scrap": _Ware(  # what has lain by the wall for years
        kind="junk",
        length_m=(1.0, 5.0),
        width_m=(0.8, 2.5),
        height_m=(0.5, 1.6),
        tints=("rust", "grey", "wood", "blue", "black"),
        stay=math.inf,
        aside=0.8,
    ),
    "odds": _Ware(  # drums, basins, planks, sacks: the small change of every yard
        kind="junk",
        length_m=(0.5, 1.6),
        width_m=(0.4, 1.2),
        height_m=(0.2, 1.0),
        tints=("blue", "white", "grey", "wood", "black", "red", "green", "rust"),
        stay=6.0,
        aside=0.6,
    ),
    "scooters": _Ware(
        kind="junk",
        length_m=(2.0, 9.0),
        width_m=(1.8, 1.9),
        height_m=(1.1, 1.1),
        tints=("black", "red", "silver"),
        stay=1.0,
        aside=0.8,
    ),
    "stall": _Ware(
        kind="stall",
        length_m=(2.4, 7.0),
        width_m=(2.2, 4.0),
        height_m=(2.2, 3.0),
        tints=("blue", "blue", "red", "green", "white", "orange", "beige"),
        stay=1.5,
        aside=0.7,
    ),
    "people": _Ware(
        kind="crowd",
        length_m=(3.0, 12.0),
        width_m=(2.0, 8.0),
        height_m=(1.7, 1.7),
        tints=("black",),
        stay=1.0,
        aside=0.3,
    ),
    "excavator": _Ware(
        kind="machine",
        length_m=(6.5, 9.5),
        width_m=(2.5, 3.2),
        height_m=(2.8, 3.3),
        tints=("yellow", "yellow", "orange", "blue", "green"),
        stay=1.3,
        aside=0.1,
    ),
    "wreck": _Ware(
        kind="machine",
        length_m=(3.5, 8.0),
        width_m=(2.0, 2.8),
        height_m=(2.0, 3.0),
        tints=("rust", "yellow", "orange"),
        stay=math.inf,
    ),
}

# Things that one flight sees on a hectare; by eye from open drone imagery.
_STOCKS: dict[Use, Mapping[str, float]] = {
    "dense": {
        "sheet": 3, "covered": 5, "stall": 4, "people": 2, "heap": 2, "bricks": 3, "timber": 2,
        "rubbish": 9, "scooters": 6, "litter": 12, "scrap": 14, "odds": 35, "container": 0.4,
    },
    "village": {
        "sheet": 3, "covered": 7, "stall": 1, "people": 1, "heap": 4, "bricks": 4, "timber": 3,
        "rubbish": 7, "scooters": 3, "litter": 10, "scrap": 10, "odds": 28, "container": 1.5,
        "cabin": 0.5, "excavator": 0.3, "wreck": 0.2,
    },
    "town": {
        "sheet": 1.5, "covered": 4, "stall": 3, "people": 2, "heap": 1, "bricks": 1, "timber": 1,
        "rubbish": 4, "scooters": 6, "litter": 5, "scrap": 4, "odds": 12, "container": 0.5,
        "cabin": 1, "excavator": 0.3,
    },
    "industrial": {
        "sheet": 2.5, "covered": 10, "heap": 4, "bricks": 3, "timber": 5, "rubbish": 5, "litter": 5,
        "scrap": 9, "odds": 14, "container": 5, "long container": 2, "stacked": 2, "cabin": 1.5,
        "excavator": 1.2, "wreck": 1,
    },
    "greenhouses": {
        "sheet": 2, "covered": 3, "heap": 1.5, "rubbish": 3, "litter": 3, "scrap": 3, "odds": 6,
        "container": 0.3, "people": 0.3,
    },
    "farmland": {
        "sheet": 0.8, "covered": 1.2, "heap": 0.8, "bricks": 0.2, "rubbish": 0.5, "litter": 0.8,
        "scrap": 0.5, "excavator": 0.15, "people": 0.15, "container": 0.3,
    },
    "orchard": {
        "sheet": 0.6, "covered": 0.6, "heap": 0.5, "rubbish": 0.6, "litter": 0.6, "people": 0.2,
    },
    "woods": {"timber": 0.4, "rubbish": 0.3, "litter": 0.5},
    "market": {
        "sheet": 4, "covered": 6, "people": 4, "rubbish": 6, "scooters": 10, "litter": 15,
        "scrap": 4, "odds": 20, "container": 1.5,
    },
    "park": {"people": 2, "stall": 0.7, "sheet": 0.4, "litter": 1.5, "heap": 0.3},
    "waste": {
        "sheet": 2.5, "covered": 7, "heap": 7, "bricks": 2, "timber": 1.5, "rubbish": 6,
        "litter": 10, "scrap": 5, "odds": 14, "container": 4, "cabin": 1.5, "excavator": 1.5,
        "wreck": 0.6,
    },
}  # fmt: skip
# The same for verges and the corners that no zone takes.
_VERGES: Mapping[str, float] = {
    "sheet": 0.8, "covered": 1.2, "heap": 1.6, "bricks": 0.8, "rubbish": 2.0, "stall": 0.8,
    "people": 0.6, "litter": 4, "scrap": 1.0, "odds": 5, "container": 0.4,
}  # fmt: skip
_TRIES = 8  # places looked at for one thing before it is given up
_GAP_M = (0.35, 1.5)  # goods stand close to walls, yet never touch them
_YARD_M = (18.0, 40.0)
_NOWHERE = Place(x=0.0, y=0.0)


def store(rng: np.random.Generator, site: Site, ledger: Ledger) -> list[Prop]:
    """Leave goods, junk and machines about, some for a single flight and some for all."""
    wishes = [
        _wish(rng, zone, standing[span.first], _lay(rng, _WARES[name], span), _WARES[name].aside)
        for zone, standing in zip(site.land.zones, site.standing, strict=True)
        for name, density in _STOCKS.get(zone.use, {}).items()
        for span in draw_spans(rng, density * hectares(zone), _WARES[name].stay, site.flights)
    ]
    return settle(site, ledger, wishes + _on_verges(rng, site), _GAP_M[0] - 0.05)


def _on_verges(rng: np.random.Generator, site: Site) -> list[list[Prop]]:
    """Leave a little everywhere, and keep what happens to lie outside of all zones."""
    middle, side_m = Place(x=site.land.side_m / 2.0, y=site.land.side_m / 2.0), site.land.side_m
    whole = Zone(place=middle, length_m=side_m, width_m=side_m, use="waste")
    things = [
        replace(_lay(rng, _WARES[name], span), place=inside(rng, whole))
        for name, density in _VERGES.items()
        for span in draw_spans(rng, density * hectares(whole), _WARES[name].stay, site.flights)
    ]
    kept = site.off_zones(boxes(things))
    return [[thing] for thing, keep in zip(things, kept, strict=True) if keep]


def _wish(
    rng: np.random.Generator, zone: Zone, parts: tuple[Part, ...], thing: Prop, aside: float
) -> list[Prop]:
    """Look at several places for a thing: along walls, or anywhere in its zone."""
    if parts and rng.random() < aside:
        places = [beside(rng, parts, thing.width_m, spread(rng, _GAP_M)) for _ in range(_TRIES)]
    else:
        places = [inside(rng, zone, 1.5) for _ in range(_TRIES)]
    return [replace(thing, place=place) for place in places]


def _lay(rng: np.random.Generator, ware: _Ware, span: Span) -> Prop:
    length_m, width_m = spread(rng, ware.length_m), spread(rng, ware.width_m)
    if ware.kind == "pile":
        width_m = min(width_m, length_m)
    return Prop(
        kind=ware.kind,
        place=_NOWHERE,
        length_m=length_m,
        width_m=width_m,
        height_m=spread(rng, ware.height_m),
        tint=pick(rng, ware.tints),
        seed=draw_seed(rng),
        span=span,
    )


def stack_yards(rng: np.random.Generator, site: Site, ledger: Ledger) -> list[Prop]:
    """Set containers side by side in industrial yards, one or two high, moved every few flights."""
    wishes: list[list[Prop]] = []
    for zone in (zone for zone in site.land.zones if zone.use in ("industrial", "waste")):
        share = 0.9 if zone.use == "industrial" else 0.25
        for _ in range(int(rng.poisson(share * max(hectares(zone), 0.4)))):
            yard = replace(
                zone,
                place=inside(rng, zone, 8.0),
                length_m=spread(rng, _YARD_M),
                width_m=spread(rng, _YARD_M) / 2.0,
            )
            wishes += _stack(rng, site, yard)
    return settle(site, ledger, wishes, 0.6)


def _stack(rng: np.random.Generator, site: Site, yard: Zone) -> list[list[Prop]]:
    """Fill a yard with boxes in rows; a place is filled anew after one has left."""
    ware = _WARES[pick(rng, ("container", "container", "long container"))]
    busy, found = spread(rng, (0.35, 0.9)), list[list[Prop]]()
    for _, place in rows(yard, ware.length_m[0] + 0.7, ware.width_m[0] + 0.65):
        for span in draw_spans(rng, busy, ware.stay, site.flights):
            box, spot = _lay(rng, ware, span), place.move(float(rng.normal(0.0, 0.1)), 0.0)
            high = 2.0 if rng.random() < 0.3 else 1.0
            found.append([replace(box, place=spot, height_m=high * box.height_m)])
    return found
