"""What is no structure: vehicles, containers, heaps, tarpaulins, walls."""

import math

import numpy as np
import numpy.typing as npt

from survey.simulation.canvas import Box, Canvas, cover_edge
from survey.simulation.moment import Moment
from survey.simulation.palette import linear
from survey.simulation.scene import Prop
from survey.simulation.texture import blend_noise, mix_seed, smooth_noise

__all__ = ["paint_prop"]

Floats = npt.NDArray[np.float64]

_GLASS = "black"


def _paint_car(box: Box, prop: Prop, ground_m: float, up: float) -> None:
    u, v = box.frame()
    pixel = box.lattice.pixel_m
    half_u, half_v = prop.length_m / 2, prop.width_m / 2
    corner = 0.5
    round_u = np.maximum(np.abs(u) - half_u + corner, 0.0)
    round_v = np.maximum(np.abs(v) - half_v + corner, 0.0)
    body = cover_edge(corner - np.hypot(round_u, round_v), pixel)
    low = np.full_like(u, ground_m + 0.65 * prop.height_m)
    gloss = 0.85 + 0.3 * np.clip(1.0 - np.abs(v) / half_v, 0.0, 1.0)
    box.lay(body, low, linear(prop.tint) * gloss, up)
    back = 0.1 * prop.length_m
    cabin = np.minimum(0.3 * prop.length_m - np.abs(u + back), 0.86 * half_v - np.abs(v))
    high = np.full_like(u, ground_m + prop.height_m)
    box.lay(cover_edge(cabin, pixel), high, linear(_GLASS) * 1.6, up)
    roof = np.minimum(0.17 * prop.length_m - np.abs(u + back), 0.74 * half_v - np.abs(v))
    box.lay(cover_edge(roof, pixel), high, linear(prop.tint) * gloss, up)


def _paint_truck(box: Box, prop: Prop, ground_m: float, up: float) -> None:
    u, v = box.frame()
    pixel = box.lattice.pixel_m
    half_u, half_v = prop.length_m / 2, prop.width_m / 2
    inside = np.minimum(half_u - np.abs(u), half_v - np.abs(v))
    top = np.where(u > half_u - 2.0, prop.height_m - 0.5, prop.height_m)
    colour = np.where(u > half_u - 2.0, linear("white"), linear(prop.tint))
    gap = np.abs(u - half_u + 2.1) < 0.15  # between cab and load, 0.3 m
    box.lay(cover_edge(inside, pixel), ground_m + top, np.where(gap, linear(_GLASS), colour), up)


def _paint_container(box: Box, prop: Prop, ground_m: float, up: float) -> None:
    u, v = box.frame()
    inside = np.minimum(prop.length_m / 2 - np.abs(u), prop.width_m / 2 - np.abs(v))
    rib = 0.92 + 0.12 * np.cos(2.0 * math.pi * u / 0.28)
    worn = blend_noise(box.lattice.x, box.lattice.y, (1.5, 0.4), mix_seed(prop.seed, 1))
    top = np.full_like(u, ground_m + prop.height_m)
    colour = linear(prop.tint) * (rib * (0.75 + 0.4 * worn))
    box.lay(cover_edge(inside, box.lattice.pixel_m), top, colour, up)


def _paint_wall(box: Box, prop: Prop, ground_m: float, up: float) -> None:
    u, v = box.frame()
    inside = np.minimum(prop.length_m / 2 - np.abs(u), prop.width_m / 2 - np.abs(v))
    worn = smooth_noise(box.lattice.x, box.lattice.y, 0.6, mix_seed(prop.seed, 1))
    top = np.full_like(u, ground_m + prop.height_m)
    cover = cover_edge(inside, box.lattice.pixel_m)
    box.lay(cover, top, linear(prop.tint) * (0.7 + 0.5 * worn), up)


def _paint_pile(box: Box, prop: Prop, ground_m: float, up: float) -> None:
    u, v = box.frame()
    lumps = blend_noise(box.lattice.x, box.lattice.y, (1.4, 0.4, 0.15), mix_seed(prop.seed, 1))
    away = np.hypot(u / prop.length_m, v / prop.width_m) * 2.0
    share = np.clip(1.15 - away - 0.5 * (lumps - 0.5), 0.0, 1.0)
    top = ground_m + prop.height_m * share
    cover = np.clip(share / 0.08, 0.0, 1.0)
    box.lay(cover, top, linear(prop.tint) * (0.55 + 0.7 * lumps), up)


def _paint_tarpaulin(box: Box, prop: Prop, ground_m: float, up: float) -> None:
    u, v = box.frame()
    folds = smooth_noise(box.lattice.x, box.lattice.y, 0.8, mix_seed(prop.seed, 1))
    sag = smooth_noise(box.lattice.x, box.lattice.y, 2.0, mix_seed(prop.seed, 2))
    inside = np.minimum(prop.length_m / 2 - np.abs(u), prop.width_m / 2 - np.abs(v))
    inside = inside + 0.3 * (sag - 0.5)
    top = ground_m + prop.height_m * (0.6 + 0.4 * folds)
    box.lay(
        cover_edge(inside, box.lattice.pixel_m), top, linear(prop.tint) * (0.7 + 0.6 * folds), up
    )


_PAINTERS = {
    "car": _paint_car,
    "truck": _paint_truck,
    "container": _paint_container,
    "wall": _paint_wall,
    "pile": _paint_pile,
    "tarpaulin": _paint_tarpaulin,
}


def paint_prop(canvas: Canvas, prop: Prop, ground_m: float, moment: Moment) -> None:
    """Paint one thing.

    Parameters
    ----------
    canvas
        What to paint on.
    prop
        The thing.
    ground_m
        Height of the ground at its centre, metres.
    moment
        Season and sun.
    """
    box = canvas.box(prop.place, 0.6 * prop.length_m + 0.5, 0.6 * prop.width_m + 0.5)
    if box is not None:
        _PAINTERS[prop.kind](box, prop, ground_m, moment.sun.up)
