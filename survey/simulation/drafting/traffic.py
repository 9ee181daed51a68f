"""Vehicles and boats: none is at one place on two flights, but for those that are left standing."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import shapely

from survey.simulation.drafting.chances import draw_seed, draw_spans, pick, pick_weighted, spread
from survey.simulation.drafting.land import Use, Zone
from survey.simulation.drafting.places import beside, hectares, inside, rows, way
from survey.simulation.drafting.site import Ledger, Site, boxes, keep_clear, lay, settle
from survey.simulation.scene import Patch, Place, Prop, Road, Span

__all__ = ["drive", "lay_car_parks", "moor", "park", "park_cars"]

_Kind = Literal["car", "van", "truck", "lorry", "bus", "tractor"]
_Mix = Mapping[_Kind, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Make:
    """One sort of vehicle."""

    kind: Literal["car", "truck", "bus", "machine"]
    """How it is drawn."""
    length_m: tuple[float, float]
    """Least and greatest length, metres."""
    width_m: tuple[float, float]
    """Least and greatest width, metres."""
    height_m: tuple[float, float]
    """Least and greatest height, metres."""
    tints: tuple[str, ...]
    """Colours, as likely as they are often named."""


_PAINTS = ("white", "white", "white", "silver", "grey", "black", "black", "red", "blue", "beige")
_LOADS = ("blue", "blue", "red", "green", "white", "orange", "yellow", "rust")
# Limits of length, width and height by GB 1589-2016; usual sizes within them.
_MAKES: dict[_Kind, _Make] = {
    "car": _Make(
        kind="car", length_m=(3.6, 5.0), width_m=(1.6, 1.95), height_m=(1.4, 1.8), tints=_PAINTS
    ),
    "van": _Make(
        kind="car",
        length_m=(4.4, 5.9),
        width_m=(1.7, 2.05),
        height_m=(1.9, 2.5),
        tints=("white", "white", "silver", "grey", "blue"),
    ),
    "truck": _Make(
        kind="truck", length_m=(5.2, 9.0), width_m=(2.0, 2.5), height_m=(2.4, 3.6), tints=_LOADS
    ),
    "lorry": _Make(
        kind="truck", length_m=(11.0, 17.0), width_m=(2.45, 2.55), height_m=(3.2, 4.0), tints=_LOADS
    ),
    "bus": _Make(
        kind="bus",
        length_m=(8.0, 12.0),
        width_m=(2.4, 2.55),
        height_m=(2.9, 3.3),
        tints=("white", "yellow", "green", "blue", "red"),
    ),
    "tractor": _Make(
        kind="machine",
        length_m=(3.0, 4.8),
        width_m=(1.6, 2.2),
        height_m=(2.0, 2.7),
        tints=("red", "blue", "green", "orange"),
    ),
}
_ROADWAY: _Mix = {"car": 60, "van": 12, "truck": 12, "lorry": 4, "bus": 4}
_LANE: _Mix = {"car": 60, "van": 20, "truck": 8, "tractor": 8}
_YARD: _Mix = {"car": 60, "van": 18, "truck": 14, "tractor": 4}
_WORKS: _Mix = {"car": 35, "van": 15, "truck": 28, "lorry": 18, "bus": 1}
_FARM: _Mix = {"car": 30, "van": 10, "truck": 15, "tractor": 45}

# Vehicles that one flight sees parked on a hectare, outside of car parks; by eye from open drone
# imagery.
_PARKED: dict[Use, tuple[float, _Mix]] = {
    "dense": (9.0, _YARD),
    "village": (9.0, _YARD),
    "town": (12.0, _YARD),
    "industrial": (11.0, _WORKS),
    "greenhouses": (1.5, _FARM),
    "farmland": (0.5, _FARM),
    "orchard": (0.4, _FARM),
    "market": (20.0, _YARD),
    "park": (0.7, _YARD),
    "waste": (3.0, _WORKS),
}
_CAR_PARKS: dict[Use, float] = {"town": 0.7, "industrial": 0.6, "market": 1.5, "park": 0.15}
_SLOT_M = (2.5, 5.4)  # across and along a marked place
_AISLE_M = 5.5
_STAND_M = 1.9  # room a parked car takes at the kerb
_TRIES = 6
_LEFT = 0.12  # share of what is parked that stands for several flights
_NOWHERE = Place(x=0.0, y=0.0)


def _make(rng: np.random.Generator, mix: _Mix, span: Span, place: Place = _NOWHERE) -> Prop:
    make = _MAKES[pick_weighted(rng, mix)]
    return Prop(
        kind=make.kind,
        place=place,
        length_m=spread(rng, make.length_m),
        width_m=spread(rng, make.width_m),
        height_m=spread(rng, make.height_m),
        tint=pick(rng, make.tints),
        seed=draw_seed(rng),
        span=span,
    )


def drive(rng: np.random.Generator, site: Site, ledger: Ledger) -> list[Prop]:
    """Let vehicles keep to the right in the lanes of every road, others at every flight."""
    found: list[Prop] = []
    for flight in range(site.flights):
        rush = spread(rng, (0.4, 1.8))  # hours differ more than days
        span = Span(first=flight, end=flight + 1)
        vehicles = [v for road in site.land.roads for v in _pass(rng, road, rush, span)]
        vehicles = keep_clear(site, vehicles, 0.4)
        shapes = boxes(vehicles, 0.3)
        clear = _within(site, shapes)
        clear[clear] = ledger.admit(shapes[clear], [span] * int(clear.sum()))
        found += [vehicle for vehicle, keep in zip(vehicles, clear, strict=True) if keep]
    return found


def _within(site: Site, shapes: np.typing.NDArray[np.object_]) -> np.typing.NDArray[np.bool_]:
    """Say which shapes touch the area or its rim of 30 m."""
    x, y = shapely.get_x(shapely.centroid(shapes)), shapely.get_y(shapely.centroid(shapes))
    side = site.land.side_m + 30.0
    return np.asarray((x > -30.0) & (x < side) & (y > -30.0) & (y < side))


def _per_km(road: Road) -> float:
    """Say how many vehicles a kilometre of road carries at a time, both ways together."""
    if road.surface == "canal" or road.width_m < 2.6:  # alleys are for feet and scooters
        return 0.0
    if road.surface == "dirt":
        return 2.5
    return 45.0 if road.width_m >= 11.0 else 18.0 if road.width_m >= 5.5 else 5.0


def _pass(rng: np.random.Generator, road: Road, rush: float, span: Span) -> Iterator[Prop]:
    start, length_m = way(road)
    mix = _ROADWAY if road.width_m >= 5.5 and road.surface != "dirt" else _LANE
    lanes = 2 if road.width_m >= 11.0 else 1
    for _ in range(int(rng.poisson(rush * _per_km(road) * length_m / 1000.0))):
        heading = start.move(float(rng.random()) * length_m, 0.0, pick(rng, (0.0, 180.0)))
        lane = (int(rng.integers(lanes)) + 0.5) / lanes
        right = lane * road.width_m / 2.0 if road.width_m >= 4.4 else 0.0
        place = heading.move(0.0, right + float(rng.normal(0.0, 0.15)), float(rng.normal(0.0, 1.5)))
        yield _make(rng, mix, span, place)


def park(rng: np.random.Generator, site: Site, ledger: Ledger) -> list[Prop]:
    """Park vehicles in yards, beside houses and in open ground, some for several flights."""
    wishes: list[list[Prop]] = []
    for zone, standing in zip(site.land.zones, site.standing, strict=True):
        density, mix = _PARKED.get(zone.use, (0.0, _YARD))
        count = density * hectares(zone)
        spans = [
            *draw_spans(rng, (1.0 - _LEFT) * count, 1.0, site.flights),
            *draw_spans(rng, _LEFT * count, 3.0, site.flights),
        ]
        for vehicle in (_make(rng, mix, span) for span in spans):
            parts = standing[vehicle.span.first]
            if parts and rng.random() < 0.6:
                gap_m = spread(rng, (0.5, 2.5))
                places = [beside(rng, parts, vehicle.width_m, gap_m) for _ in range(_TRIES)]
            else:
                places = [inside(rng, zone, 2.0) for _ in range(_TRIES)]
            wishes.append([replace(vehicle, place=place) for place in places])
    return settle(site, ledger, wishes, 0.4) + _at_kerbs(rng, site, ledger)


def _at_kerbs(rng: np.random.Generator, site: Site, ledger: Ledger) -> list[Prop]:
    """Park vehicles in line along the kerbs of wide roads and on the verges of narrower ones."""
    found: list[Prop] = []
    for road in site.land.roads:
        if road.surface not in ("asphalt", "cement") or road.width_m < 4.4 or rng.random() < 0.4:
            continue
        start, length_m = way(road)
        inward = road.width_m >= 9.0
        away = road.width_m / 2.0 + (-_STAND_M / 2.0 if inward else _STAND_M / 2.0 + 0.2)
        count = spread(rng, (0.2, 3.5)) * length_m / 100.0
        for span in draw_spans(rng, count, 1.1, site.flights):
            side = start.move(float(rng.random()) * length_m, 0.0, pick(rng, (0.0, 180.0)))
            place = side.move(0.0, away, float(rng.normal(0.0, 2.0)))
            found.append(_make(rng, {"car": 70, "van": 20, "truck": 10}, span, place))
    found = keep_clear(site, found, 0.4)
    shapes = boxes(found, 0.2)
    clear = site.off_water(shapes) & _within(site, shapes)
    clear[clear] = ledger.admit(
        shapes[clear], [v.span for v, fit in zip(found, clear, strict=True) if fit]
    )
    return [vehicle for vehicle, keep in zip(found, clear, strict=True) if keep]


def lay_car_parks(rng: np.random.Generator, site: Site) -> list[Patch]:
    """Pave car parks where a zone has room for them."""
    found: list[Patch] = []
    for zone in site.land.zones:
        for _ in range(int(rng.poisson(_CAR_PARKS.get(zone.use, 0.0) * hectares(zone)))):
            tried = [_lot(rng, zone) for _ in range(12)]
            fits = site.dry(boxes(tried)) & _inside(zone, tried)
            cut = lay(site, [lot for lot, fit in zip(tried, fits, strict=True) if fit], 1.0)
            found += [lot for lot in cut if lot is not None][:1]
    return _apart(found)


def _inside(zone: Zone, lots: list[Patch]) -> np.typing.NDArray[np.bool_]:
    outline = zone.place.rectangle(zone.length_m + 1.0, zone.width_m + 1.0)
    return np.asarray(shapely.covers(outline, boxes(lots)))


def _lot(rng: np.random.Generator, zone: Zone) -> Patch:
    bays = int(rng.integers(1, 4))
    place = inside(rng, zone, 8.0)
    bearing = zone.place.bearing_deg + pick(rng, (0.0, 90.0))
    return Patch(
        kind=pick(rng, ("concrete", "asphalt", "asphalt", "gravel")),
        place=Place(x=place.x, y=place.y, bearing_deg=bearing),
        length_m=_SLOT_M[0] * int(rng.integers(6, 17)),
        width_m=bays * (_SLOT_M[1] + _AISLE_M) - (_AISLE_M if bays == 1 else 0.0),
        seed=draw_seed(rng),
    )


def _apart(lots: list[Patch]) -> list[Patch]:
    kept = Ledger().admit(boxes(lots, 1.0), [lot.span for lot in lots])
    return [lot for lot, keep in zip(lots, kept, strict=True) if keep]


def park_cars(
    rng: np.random.Generator, site: Site, ledger: Ledger, lots: list[Patch]
) -> list[Prop]:
    """Fill the rows of car parks, at every flight anew and not to the same degree."""
    wishes: list[list[Prop]] = []
    for lot in lots:
        pitch = lot.width_m if lot.width_m < _SLOT_M[1] + 1.0 else _SLOT_M[1] + _AISLE_M
        for flight in range(site.flights if lot.span.end is None else lot.span.end):
            busy, span = spread(rng, (0.15, 0.95)), Span(first=flight, end=flight + 1)
            for _, slot in rows(lot, _SLOT_M[0], pitch):
                if rng.random() < busy:
                    turn = pick(rng, (90.0, 270.0)) + float(rng.normal(0.0, 1.5))
                    place = slot.move(0.0, float(rng.normal(0.0, 0.2)), turn)
                    wishes.append([_make(rng, {"car": 85, "van": 15}, span, place)])
    return settle(site, ledger, wishes, 0.4)


def moor(rng: np.random.Generator, site: Site, ledger: Ledger) -> list[Prop]:
    """Moor boats along the banks of canals and on ponds; they lie elsewhere at other flights."""
    boats: list[Prop] = []
    for road in site.land.roads:
        if road.surface == "canal" and road.width_m > 3.5:
            start, length_m = way(road)
            for span in draw_spans(rng, length_m / 90.0, 1.5, site.flights):
                boat = _boat(rng, span, 0.35 * road.width_m)
                bank = start.move(float(rng.random()) * length_m, 0.0, pick(rng, (0.0, 180.0)))
                place = bank.move(0.0, (road.width_m - boat.width_m) / 2.0 - 0.4)
                boats.append(replace(boat, place=place))
    for pond in (patch for patch in site.land.patches if patch.kind == "pond"):
        wide = min(pond.length_m, pond.width_m)
        if wide > 10.0:
            size = pond.length_m * pond.width_m
            for span in draw_spans(rng, min(size / 1500.0, 4.0), 1.5, site.flights):
                u, v = (rng.uniform(-0.3, 0.3, 2) * (pond.length_m, pond.width_m)).tolist()
                place = pond.place.move(u, v, float(rng.uniform(0.0, 360.0)))
                boats.append(replace(_boat(rng, span, 2.0), place=place))
    return _afloat(site, ledger, boats)


def _afloat(site: Site, ledger: Ledger, boats: list[Prop]) -> list[Prop]:
    boats = keep_clear(site, boats, 0.4)
    shapes = boxes(boats, 0.1)
    floats = np.zeros(len(boats), dtype=np.bool_)
    floats[site.waters_tree.query(shapes, predicate="within")[0]] = True
    floats &= site.off_roads(shapes)
    spans = [boat.span for boat, fit in zip(boats, floats, strict=True) if fit]
    floats[floats] = ledger.admit(shapes[floats], spans)
    return [boat for boat, fit in zip(boats, floats, strict=True) if fit]


def _boat(rng: np.random.Generator, span: Span, widest_m: float) -> Prop:
    length_m = spread(rng, (3.5, 9.0))
    return Prop(
        kind="boat",
        place=_NOWHERE,
        length_m=length_m,
        width_m=min(math.sqrt(length_m) * spread(rng, (0.5, 0.8)), widest_m),
        height_m=spread(rng, (0.6, 1.8)),
        tint=pick(rng, ("wood", "wood", "blue", "green", "white", "rust")),
        seed=draw_seed(rng),
        span=span,
    )
