"""Trees and shrubs seen from above."""

import math

import numpy as np
import numpy.typing as npt

from survey.simulation.canvas import Canvas, cover_edge
from survey.simulation.moment import Moment
from survey.simulation.palette import to_linear
from survey.simulation.scene import Place, Tree
from survey.simulation.texture import blend_noise, mix_seed, smooth_noise

__all__ = ["paint_tree"]

Floats = npt.NDArray[np.float64]

_TINTS = {
    "broadleaf": ((58, 84, 40), (84, 104, 48), (104, 112, 62)),
    "palm": ((84, 120, 60), (96, 132, 62), (112, 128, 70)),
    "shrub": ((86, 116, 54), (70, 98, 44), (112, 116, 70)),
}
_FRONDS = 9


def _rim(tree: Tree, angle: Floats, lumps: Floats) -> Floats:
    """Give the radius of the crown in every direction, metres."""
    phase = (tree.seed % 628) / 100.0
    if tree.species == "palm":
        return tree.radius_m * (0.35 + 0.75 * np.abs(np.cos(_FRONDS * angle / 2 + phase)))
    lobes = 0.14 * np.cos(3 * angle + phase) + 0.09 * np.cos(5 * angle + 2.0 * phase)
    return tree.radius_m * (0.95 + lobes + 0.5 * (lumps - 0.5))


def _slope_light(top: Floats, pixel_m: float, moment: Moment) -> Floats:
    """Give the cosine between the crown's surface and the sun, softened as leaves scatter light."""
    down, across = np.gradient(top, pixel_m)
    bend = 0.35  # leaves let light through: a full Lambert law makes crowns look like plaster
    east, north = bend * across, -bend * down
    sun = moment.sun
    facing = (sun.up - east * sun.east - north * sun.north) / np.sqrt(1.0 + east**2 + north**2)
    return np.asarray(np.clip(facing, 0.15, 1.0), dtype=np.float64)


def paint_tree(canvas: Canvas, tree: Tree, ground_m: float, moment: Moment) -> None:
    """Paint one crown.

    Parameters
    ----------
    canvas
        What to paint on.
    tree
        The tree.
    ground_m
        Height of the ground at its foot, metres.
    moment
        Season and sun.
    """
    box = canvas.box(Place(x=tree.x, y=tree.y), tree.radius_m * 1.5, tree.radius_m * 1.5)
    if box is None or min(box.lattice.rows, box.lattice.columns) < 2:  # no slope
        return
    x, y, pixel = box.lattice.x, box.lattice.y, box.lattice.pixel_m
    v, u = box.frame()
    clumps = blend_noise(x, y, (1.3, 0.55), mix_seed(tree.seed, 1))
    leaves = smooth_noise(x, y, 0.2, mix_seed(tree.seed, 2))
    rim = _rim(tree, np.arctan2(v, u), clumps)
    inside = rim - np.hypot(u, v) + 0.5 * (leaves - 0.5)
    share = np.clip(inside / tree.radius_m, 0.0, 1.0)
    crown = 0.55 * tree.height_m * np.sqrt(share * (2.0 - share))
    bumps = (0.9 * (clumps - 0.5) + 0.25 * (leaves - 0.5)) * min(1.0, tree.radius_m / 2.0)
    top = ground_m + 0.45 * tree.height_m + crown + bumps
    tint = _tint(tree, moment) * ((0.45 + 0.55 * clumps + 0.45 * leaves) * (0.75 + 0.25 * share))
    box.lay(cover_edge(inside, 1.5 * pixel), top, tint, _slope_light(top, pixel, moment))


def _tint(tree: Tree, moment: Moment) -> Floats:
    """Pick a tint of the species and let the season yellow it a little."""
    choices = _TINTS[tree.species]
    fresh = to_linear(choices[tree.seed % len(choices)])
    dry = to_linear((122, 112, 66))
    thirst = 0.45 if tree.seed % 5 == 0 else 0.15
    return fresh + (dry - fresh) * thirst * (1.0 - moment.green) * (0.6 + math.sin(tree.seed) * 0.3)
