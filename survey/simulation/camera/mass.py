"""The scene as plain volumes on a coarse lattice: enough for far shadows and for the open sky."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from survey.simulation.camera.atlas import Atlas, Bounds, bounds_of
from survey.simulation.painting.canvas import Lattice, frame_of
from survey.simulation.painting.moment import Moment
from survey.simulation.painting.roofs import roof_top
from survey.simulation.painting.terrain import terrain_at
from survey.simulation.scene import Part, Place, Tree

__all__ = ["Mass", "highest_near", "raise_mass", "spread"]

Singles = npt.NDArray[np.float32]

_CELL_M = 0.4
_AROUND_M = 8.0  # as far as the sky of a place is looked at
_LOWEST_TREE_M = 3.0
_BARE = 0.2  # greenness below which deciduous trees have no leaves
_OVER_ROOF_M = 3.5  # a stairwell on a roof


@dataclass(frozen=True, slots=True, kw_only=True)
class Mass:
    """Heights of ground, roofs and crowns without detail."""

    lattice: Lattice
    """Where the arrays lie; coarser than the picture."""
    ground: Singles
    """Bare ground, metres, shape (rows, columns)."""
    height: Singles
    """Ground, roofs and crowns, metres, shape (rows, columns)."""


def highest_near(atlas: Atlas, flight: int, bounds: Bounds) -> float:
    """Give the largest height above its ground of anything near, metres."""
    roofs = [structure.height_at(flight) for structure, _ in atlas.structures(bounds)]
    trees = [1.4 * tree.height_m for tree, _ in atlas.trees(bounds)]
    return max((*roofs, *trees, 4.0)) + _OVER_ROOF_M


def _coarse(lattice: Lattice, reach_m: float) -> Lattice:
    """Give the lattice that holds a window and what stands within reach of it."""
    cell_m = max(_CELL_M, lattice.pixel_m)
    bounds = bounds_of(lattice).grown(reach_m + 2.0 * cell_m)
    column, row = math.floor(bounds.west / cell_m), math.floor(-bounds.north / cell_m)
    return Lattice(
        pixel_m=cell_m,
        column=column,
        row=row,
        columns=math.ceil(bounds.east / cell_m) - column,
        rows=math.ceil(-bounds.south / cell_m) - row,
    )


def raise_mass(atlas: Atlas, moment: Moment, lattice: Lattice, reach_m: float) -> Mass:
    """Raise ground, roofs and crowns around a window.

    Parameters
    ----------
    atlas
        The area.
    moment
        The flight.
    lattice
        The window.
    reach_m
        How far beyond the window things count, metres.

    Returns
    -------
    Mass
        On a lattice of 0.4 m, or of the window's pixel where that is larger.
    """
    coarse = _coarse(lattice, max(reach_m, _AROUND_M))
    scene, bounds = atlas.scene, bounds_of(coarse)
    ground = terrain_at(coarse.x, coarse.y, scene.terrain, scene.seed)
    mass = Mass(lattice=coarse, ground=ground, height=ground.copy())
    for structure, level_m in atlas.structures(bounds):
        for part in structure.parts_at(moment.flight):
            _raise_part(mass, part, level_m)
    for tree, level_m in atlas.trees(bounds):
        if _is_dense(tree, moment):
            _raise_tree(mass, tree, level_m, moment)
    return mass


def _window(mass: Mass, place: Place, half_u_m: float, half_v_m: float) -> "_Cut | None":
    lattice = mass.lattice.cut(place, half_u_m, half_v_m)
    if lattice is None:
        return None
    row, column = lattice.row - mass.lattice.row, lattice.column - mass.lattice.column
    heights = mass.height[row : row + lattice.rows, column : column + lattice.columns]
    u, v = frame_of(lattice, place)
    return _Cut(heights=heights, u=u, v=v)


def _is_dense(tree: Tree, moment: Moment) -> bool:
    """Say whether a crown stands that hides sun and sky: not a low one, and not a bare one."""
    bare = tree.species == "deciduous" and moment.green < _BARE
    return tree.height_m >= _LOWEST_TREE_M and tree.span.holds(moment.flight) and not bare


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cut:
    """A view of the heights around one thing, and its own coordinates."""

    heights: Singles
    u: Singles
    v: Singles


def _raise_part(mass: Mass, part: Part, level_m: float) -> None:
    cut = _window(mass, part.place, part.length_m / 2, part.width_m / 2)
    if cut is None:
        return
    inside = (np.abs(cut.u) <= part.length_m / 2) & (np.abs(cut.v) <= part.width_m / 2)
    top = roof_top(part, cut.u, cut.v) + np.float32(level_m)
    np.maximum(cut.heights, top, out=cut.heights, where=inside)


def _raise_tree(mass: Mass, tree: Tree, level_m: float, moment: Moment) -> None:
    """Raise an ellipsoid over half of the tree's height."""
    size = 1.0 + tree.growth * max(moment.years, 0.0)
    radius_m, height_m = tree.radius_m * size, tree.height_m * size
    cut = _window(mass, Place(x=tree.x, y=tree.y), radius_m, radius_m)
    if cut is None:
        return
    share = np.float32(1.0) - (cut.u**2 + cut.v**2) * np.float32(1.0 / radius_m**2)
    dome = np.sqrt(np.maximum(share, 0.0)) * np.float32(0.5 * height_m)
    dome += np.float32(level_m + 0.4 * height_m)  # under their clumps, crowns are lower than told
    np.maximum(cut.heights, dome, out=cut.heights, where=share > 0.0)


def _weights(
    first: int, count: int, pixel_m: float, shift_m: float, source: tuple[int, int, float]
) -> tuple[npt.NDArray[np.int64], Singles]:
    """Give for each pixel the node before it on a coarser line, and how far it lies beyond."""
    start, nodes, cell_m = source
    places = ((np.arange(first, first + count) + 0.5) * pixel_m + shift_m) / cell_m - 0.5 - start
    node = np.clip(np.floor(places), 0, nodes - 2).astype(np.int64)
    return node, np.clip(places - node, 0.0, 1.0).astype(np.float32)


def spread(
    values: Singles, source: Lattice, target: Lattice, shift_m: tuple[float, float] = (0.0, 0.0)
) -> Singles:
    """Interpolate values of a coarse lattice bilinearly on a finer one.

    Parameters
    ----------
    values
        Shape (rows, columns) of `source`.
    source
        The coarse lattice; must cover the target.
    target
        The finer lattice.
    shift_m
        How far east and north of each target pixel to read, metres.

    Returns
    -------
    numpy.ndarray
        float32, shape (rows, columns) of `target`.
    """
    east_m, north_m = shift_m
    row, down = _weights(
        target.row, target.rows, target.pixel_m, -north_m,
        (source.row, source.rows, source.pixel_m),
    )  # fmt: skip
    column, across = _weights(
        target.column, target.columns, target.pixel_m, east_m,
        (source.column, source.columns, source.pixel_m),
    )  # fmt: skip
    lines = values[row] + (values[row + 1] - values[row]) * down[:, None]
    fine = np.take(np.diff(lines, axis=1), column, axis=1)
    fine *= across
    fine += np.take(lines, column, axis=1)
    return np.asarray(fine, dtype=np.float32)
