"""Trees, traffic and stored goods, kept clear of every structure the area will ever have."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from shapely import Point, STRtree, unary_union
from shapely.geometry import LineString
from shapely.geometry.base import BaseGeometry

from survey.simulation.blocks import Block, Plot
from survey.simulation.scene import Place, Prop, Road, Structure, Tree

__all__ = ["Ground", "draw_props", "draw_trees"]

_TREES_PER_HA = 95.0
_FELLED_SHARE = 0.06
_MARGIN_M = 15.0
_CAR_EVERY_M = 28.0
_FAR_M = 26.0  # beyond this no wall, container or vehicle of ours can touch another
_DISTRACTORS_PER_HA = 14.0
_Tints = tuple[str, ...]
_CAR_TINTS: _Tints = ("white", "white", "silver", "black", "black", "red", "blue")
_LOAD_TINTS: _Tints = ("blue", "red", "green", "rust", "white")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Where things may stand."""

    outlines: tuple[BaseGeometry, ...]
    """For every structure all it ever covers, local metres."""
    tree: STRtree
    """Index of `outlines`."""
    roads: tuple[Road, ...]
    """The roads."""
    side_m: float
    """Side of the area, metres."""

    @classmethod
    def around(
        cls, structures: tuple[Structure, ...], roads: tuple[Road, ...], side_m: float
    ) -> "Ground":
        """Collect what must be kept clear."""
        outlines = tuple(
            unary_union([part.outline() for state in item.states for part in state.parts])
            for item in structures
        )
        return cls(outlines=outlines, tree=STRtree(outlines), roads=roads, side_m=side_m)

    def clearance(self, x: float, y: float) -> float:
        """Give the distance to the nearest structure of any flight, metres."""
        point = Point(x, y)
        nearest = self.tree.nearest(point)
        return math.inf if nearest is None else float(self.outlines[int(nearest)].distance(point))

    def off_road(self, x: float, y: float) -> float:
        """Give the distance to the nearest paving, metres; negative on it."""
        point = Point(x, y)
        return min(
            (
                LineString([(road.start.x, road.start.y), (road.end.x, road.end.y)]).distance(point)
                - road.width_m / 2
                for road in self.roads
            ),
            default=math.inf,
        )


def draw_trees(
    rng: np.random.Generator, ground: Ground, blocks: tuple[Block, ...], *, flights: int
) -> tuple[Tree, ...]:
    """Scatter trees and shrubs, few of them among fields and in a factory's yard; fell some."""
    wide = ground.side_m + 2.0 * _MARGIN_M
    trees = []
    for _ in range(round(_TREES_PER_HA * wide * wide / 10_000.0)):
        x, y = (float(value) for value in rng.uniform(-_MARGIN_M, ground.side_m + _MARGIN_M, 2))
        shape, size = rng.random(), min(4.2, float(rng.gamma(4.0, 0.55)))
        seed, thin = int(rng.integers(2**31)), float(rng.random())
        doomed, end = float(rng.random()), int(rng.integers(1, flights + 1))
        species: Literal["broadleaf", "palm", "shrub"] = "broadleaf"
        if shape > 0.55:  # shares of shrubs and palms, by eye
            species = "palm" if shape > 0.85 else "shrub"
        radius_m = {"broadleaf": 1.0 + size, "palm": 1.6, "shrub": 0.5 + 0.25 * size}[species]
        height_m = {"broadleaf": 2.5 + 1.5 * size, "palm": 3.5, "shrub": 1.4}[species]
        open_land = _use_at(blocks, x, y) in ("fields", "factory")
        if open_land and (thin < 0.93 or species == "broadleaf"):  # few
            continue
        if ground.clearance(x, y) > 0.95 * radius_m and ground.off_road(x, y) > 0.4 * radius_m:
            felled = end if doomed < _FELLED_SHARE else None
            tree = Tree(
                x=x,
                y=y,
                radius_m=radius_m,
                height_m=height_m,
                species=species,
                seed=seed,
                felled=felled,
            )
            trees.append(tree)
    return tuple(trees)


def _use_at(blocks: tuple[Block, ...], x: float, y: float) -> str:
    for block in blocks:
        if max(abs(x - block.place.x), abs(y - block.place.y)) <= block.side_m / 2 + 1.0:
            return block.use
    return "verge"


def draw_props(
    rng: np.random.Generator,
    ground: Ground,
    blocks: tuple[Block, ...],
    plots: dict[int, tuple[Plot, ...]],
    *,
    flights: int,
) -> tuple[Prop, ...]:
    """Draw walls that stay, goods that come and go, and vehicles that are never twice the same."""
    props: list[Prop] = []
    villages = [i for i, block in enumerate(blocks) if block.use == "village"]
    for plot in (plot for i in villages for plot in plots[i]):
        if rng.random() < 0.4:  # walled yards, by eye
            props += _draw_walls(rng, plot, flights)
    for _ in range(round(_DISTRACTORS_PER_HA * ground.side_m**2 / 10_000.0)):
        props += [
            item for item in _draw_goods(rng, ground, blocks, flights) if not _collides(item, props)
        ]
    for flight in range(flights):
        vehicles = [item for road in ground.roads for item in _draw_traffic(rng, road, flight)]
        for vehicle in (*vehicles, *_draw_parked(rng, blocks, flight, ground)):
            if not _collides(vehicle, props):
                props.append(vehicle)
    return tuple(props)


def _draw_walls(rng: np.random.Generator, plot: Plot, flights: int) -> list[Prop]:
    walls = []
    for side in range(4):
        if rng.random() < 0.2:  # a side is often open
            continue
        facing = plot.place.move(0.0, 0.0, 90.0 * side)
        walls.append(
            Prop(
                kind="wall",
                place=facing.move(0.0, plot.width_m / 2 + 0.2),
                length_m=plot.length_m + 0.6,
                width_m=0.26,
                height_m=1.9,
                tint="brick",
                seed=int(rng.integers(2**31)),
                flights=tuple(range(flights)),
            )
        )
    return walls


def _draw_goods(
    rng: np.random.Generator, ground: Ground, blocks: tuple[Block, ...], flights: int
) -> list[Prop]:
    """Put a container, a heap or a tarpaulin somewhere for some of the flights."""
    x, y = (float(value) for value in rng.uniform(2.0, ground.side_m - 2.0, 2))
    kind = ("container", "pile", "tarpaulin")[int(rng.integers(3))]
    bearing, tint = float(rng.uniform(0.0, 180.0)), int(rng.integers(5))
    first = int(rng.integers(-1, flights))
    last = int(rng.integers(max(first, 0), flights + 1))
    scale, seed = float(rng.uniform(0.7, 1.3)), int(rng.integers(2**31))
    use = _use_at(blocks, x, y)
    if use == "fields" or ground.clearance(x, y) < 4.0 or ground.off_road(x, y) < 3.6:
        return []
    if use == "factory":
        bearing = next(b.place.bearing_deg for b in blocks if b.use == use)
    length_m, width_m, height_m = {
        "container": (6.06, 2.44, 2.59),  # ISO 668, 20 feet
        "pile": (4.5 * scale, 3.5 * scale, 1.5 * scale),
        "tarpaulin": (5.0 * scale, 3.4 * scale, 0.35),
    }[kind]
    heap = ("sand", "gravel", "rust", "sand", "gravel")
    return [
        Prop(
            kind="container" if kind == "container" else "pile" if kind == "pile" else "tarpaulin",
            place=Place(x=x, y=y, bearing_deg=bearing),
            length_m=length_m,
            width_m=width_m,
            height_m=height_m,
            tint=heap[tint] if kind == "pile" else _LOAD_TINTS[tint],
            seed=seed,
            flights=tuple(range(max(first, 0), last)),
        )
    ]


def _draw_vehicle(rng: np.random.Generator, place: Place, flight: int) -> Prop:
    truck = rng.random() < 0.15  # one in seven
    tints = _LOAD_TINTS if truck else _CAR_TINTS
    return Prop(
        kind="truck" if truck else "car",
        place=place,
        length_m=float(rng.uniform(6.0, 9.0)) if truck else float(rng.uniform(4.1, 4.9)),
        width_m=2.4 if truck else 1.85,
        height_m=3.0 if truck else 1.5,
        tint=tints[int(rng.integers(len(tints)))],
        seed=int(rng.integers(2**31)),
        flights=(flight,),
    )


def _draw_traffic(rng: np.random.Generator, road: Road, flight: int) -> list[Prop]:
    """Let vehicles keep to the right of one run of asphalt."""
    if road.surface != "asphalt":
        return []
    east, north = road.end.x - road.start.x, road.end.y - road.start.y
    length_m = math.hypot(east, north)
    bearing = math.degrees(math.atan2(east, north))
    start = Place(x=road.start.x, y=road.start.y, bearing_deg=bearing)
    vehicles = []
    for _ in range(int(rng.poisson(length_m / _CAR_EVERY_M / 2.0))):
        u, turned = float(rng.uniform(0.0, length_m)), float(rng.choice([0.0, 180.0]))
        middle = start.move(u, 0.0, turned)
        place = middle.move(0.0, road.width_m / 4.0, float(rng.normal(0.0, 2.0)))
        vehicles.append(_draw_vehicle(rng, place, flight))
    return vehicles


def _draw_parked(
    rng: np.random.Generator, blocks: tuple[Block, ...], flight: int, ground: Ground
) -> list[Prop]:
    """Park vehicles in yards and on the factory's ground."""
    vehicles = []
    for block in blocks:
        for _ in range(0 if block.use == "fields" else round(block.side_m / 5.0)):
            u, v = (float(value) for value in rng.uniform(-0.5, 0.5, 2) * block.side_m)
            place = block.place.move(u, v, float(rng.choice([0.0, 90.0, 180.0, 270.0])))
            vehicle = _draw_vehicle(rng, place, flight)
            if ground.clearance(place.x, place.y) > vehicle.length_m / 2 + 0.4:
                vehicles.append(vehicle)
    return vehicles


def _collides(prop: Prop, others: list[Prop]) -> bool:
    """Say whether something would stand in another thing at the same flight."""
    own = prop.place.rectangle(prop.length_m + 0.6, prop.width_m + 0.6)
    return any(
        set(prop.flights) & set(other.flights)
        and math.dist((prop.place.x, prop.place.y), (other.place.x, other.place.y)) < _FAR_M
        and own.intersects(other.place.rectangle(other.length_m, other.width_m))
        for other in others
    )
