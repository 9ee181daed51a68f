"""A scene laid out by place, so that a window finds what it shows without looking at all of it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from survey.simulation.painting.canvas import Lattice
from survey.simulation.painting.terrain import ground_levels
from survey.simulation.scene import Patch, Place, Prop, Road, Scene, Structure, Tree

__all__ = ["Atlas", "Bounds", "atlas_of", "bounds_of"]

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Thing = TypeVar("Thing")

_MOST_GROWTH = 1.6  # a crown after the years that a row of flights may span
_BENT_M = 3.0  # ragged edges and verges reach that far beyond a cover's form


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """A rectangle of ground, metres east and north of the area's south-west corner."""

    west: float
    """Least x, metres."""
    south: float
    """Least y, metres."""
    east: float
    """Greatest x, metres."""
    north: float
    """Greatest y, metres."""

    def grown(self, reach_m: float) -> "Bounds":
        """Give the rectangle that reaches further on every side, metres."""
        return Bounds(
            west=self.west - reach_m,
            south=self.south - reach_m,
            east=self.east + reach_m,
            north=self.north + reach_m,
        )


def bounds_of(lattice: Lattice) -> Bounds:
    """Give the ground that a lattice covers."""
    pixel = lattice.pixel_m
    return Bounds(
        west=lattice.column * pixel,
        south=-(lattice.row + lattice.rows) * pixel,
        east=(lattice.column + lattice.columns) * pixel,
        north=-lattice.row * pixel,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Extents:
    """Circles around things, in their order."""

    x: Floats
    """Centres, metres east, shape (things,)."""
    y: Floats
    """Centres, metres north, shape (things,)."""
    reach: Floats
    """Radii, metres, shape (things,)."""
    level: Singles
    """Bare ground at the centres, metres, shape (things,)."""

    def within(self, bounds: Bounds) -> list[int]:
        """Give the numbers of those that touch a rectangle, ascending."""
        near = (self.x + self.reach >= bounds.west) & (self.x - self.reach <= bounds.east)
        near &= (self.y + self.reach >= bounds.south) & (self.y - self.reach <= bounds.north)
        return [int(number) for number in np.flatnonzero(near)]


def _measure(
    scene: Scene, things: Sequence[Thing], circle: Callable[[Thing], tuple[float, float, float]]
) -> _Extents:
    table = np.array([circle(thing) for thing in things], dtype=np.float64).reshape(-1, 3)
    x, y, reach = table.T
    level = ground_levels(x, y, scene.terrain, scene.seed)
    return _Extents(x=x, y=y, reach=reach, level=level)


def _around(place: Place, length_m: float, width_m: float) -> tuple[float, float, float]:
    return place.x, place.y, math.hypot(length_m, width_m) / 2.0 + _BENT_M


def _around_structure(structure: Structure) -> tuple[float, float, float]:
    foot = structure.foot
    reach = max(
        math.dist((foot.x, foot.y), (part.place.x, part.place.y))
        + math.hypot(part.length_m, part.width_m) / 2.0
        for state in structure.states
        for part in state.parts
    )
    return foot.x, foot.y, reach + 1.0  # eaves and nets


def _around_road(road: Road) -> tuple[float, float, float]:
    x, y = (road.start.x + road.end.x) / 2.0, (road.start.y + road.end.y) / 2.0
    half = math.dist((road.start.x, road.start.y), (road.end.x, road.end.y)) / 2.0
    return x, y, half + road.width_m + _BENT_M


def _around_tree(tree: Tree) -> tuple[float, float, float]:
    return tree.x, tree.y, 1.6 * _MOST_GROWTH * tree.radius_m + 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Atlas:
    """A scene whose things can be found by place; made by `atlas_of`."""

    scene: Scene
    """The scene."""
    _structures: _Extents
    _trees: _Extents
    _patches: _Extents
    _roads: _Extents
    _props: _Extents

    def structures(self, bounds: Bounds) -> list[tuple[Structure, float]]:
        """Give the structures that touch a rectangle, each with the ground at its foot, metres."""
        near = self._structures.within(bounds)
        return [(self.scene.structures[i], float(self._structures.level[i])) for i in near]

    def trees(self, bounds: Bounds) -> list[tuple[Tree, float]]:
        """Give the trees that touch a rectangle, each with the ground it stands on, metres."""
        near = self._trees.within(bounds)
        return [(self.scene.trees[i], float(self._trees.level[i])) for i in near]

    def props(self, bounds: Bounds) -> list[tuple[Prop, float]]:
        """Give the props that touch a rectangle, each with the ground it stands on, metres."""
        near = self._props.within(bounds)
        return [(self.scene.props[i], float(self._props.level[i])) for i in near]

    def patches(self, bounds: Bounds) -> list[Patch]:
        """Give the ground covers that touch a rectangle, in their order."""
        return [self.scene.patches[i] for i in self._patches.within(bounds)]

    def roads(self, bounds: Bounds) -> list[Road]:
        """Give the roads that touch a rectangle, in their order."""
        return [self.scene.roads[i] for i in self._roads.within(bounds)]


def atlas_of(scene: Scene) -> Atlas:
    """Lay a scene out by place."""
    return Atlas(
        scene=scene,
        _structures=_measure(scene, scene.structures, _around_structure),
        _trees=_measure(scene, scene.trees, _around_tree),
        _patches=_measure(scene, scene.patches, lambda p: _around(p.place, p.length_m, p.width_m)),
        _roads=_measure(scene, scene.roads, _around_road),
        _props=_measure(scene, scene.props, lambda p: _around(p.place, p.length_m, p.width_m)),
    )
