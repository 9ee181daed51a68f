"""Cars, lorries, buses, excavators and boats from above."""

import math

import numpy as np
import numpy.typing as npt

from survey.simulation.painting.canvas import cover_edge
from survey.simulation.painting.grain import crack, overlay, paint, tone, tufts, wave
from survey.simulation.painting.stage import Model, Stage
from survey.simulation.painting.texture import mix_seed, smooth_step

__all__ = ["boat", "bus", "car", "machine", "truck"]

Singles = npt.NDArray[np.float32]

_GLASS = np.array((0.028, 0.032, 0.038), dtype=np.float32)[:, None, None]
_RUBBER = np.array((0.022, 0.022, 0.023), dtype=np.float32)[:, None, None]
_GLINT = 0.9  # what a curved edge adds where it mirrors the sun


def _gloss(stage: Stage, length_m: float, width_m: float) -> Singles:
    """Give the lightness of lacquer over a body: edges darker, a glint on the sunny one."""
    ahead, aside = stage.sun_ahead
    u, v = stage.u * np.float32(2.0 / length_m), stage.v * np.float32(2.0 / width_m)
    rim = np.maximum(np.abs(v), np.abs(u))
    rim *= rim
    light = np.float32(1.08) - np.float32(0.3) * rim * rim
    near = np.abs(u - np.float32(0.8 * ahead)) * np.float32(1.4)
    near += np.abs(v - np.float32(0.85 * math.copysign(1.0, aside))) * np.float32(4.0)
    light += np.float32(_GLINT * abs(aside)) * np.maximum(np.float32(1.0) - near, np.float32(0.0))
    return np.asarray(light, dtype=np.float32)


def car(stage: Stage) -> None:
    """Paint a car: bonnet, windscreens, roof; one in three is a van with a long roof."""
    model = Model(stage)
    prop = stage.prop
    length_m, width_m, high_m = prop.length_m, prop.width_m, prop.height_m
    lacquer = paint(prop.tint) * _gloss(stage, length_m, width_m)
    model.put(stage.rounded(0.28 * width_m), 0.6 * high_m, lacquer)
    van = prop.seed % 3 == 0
    first, last = (-0.46, 0.26) if van else (-0.36, 0.2)  # of the glass, shares of the length
    roof_first, roof_last = (-0.4, 0.12) if van else (-0.24, 0.05)
    glass_m = 0.8 * width_m
    middle = (first + last) / 2 * length_m
    model.put(stage.block(middle, (last - first) * length_m, glass_m), 0.8 * high_m, _GLASS)
    front = (last + roof_last) / 2 * length_m
    model.put(
        stage.block(front, (last - roof_last) * length_m, 0.72 * width_m),
        0.85 * high_m,
        _GLASS * np.float32(1.9),
        climb=-0.6,
    )
    middle = (roof_first + roof_last) / 2 * length_m
    roof = stage.block(middle, (roof_last - roof_first) * length_m, 0.7 * width_m)
    model.put(roof, high_m, lacquer * np.float32(1.05))
    model.lay()


def truck(stage: Stage) -> None:
    """Paint a lorry: cab, gap, and a box, an open load or a sheeted one."""
    model = Model(stage)
    prop = stage.prop
    length_m, width_m, high_m = prop.length_m, prop.width_m, prop.height_m
    cab_m = min(2.2, 0.3 * length_m)
    chassis = stage.block(0.0, length_m, 0.7 * width_m)
    model.put(chassis, 0.3 * high_m, _RUBBER)
    cab = stage.block((length_m - cab_m) / 2, cab_m, 0.95 * width_m)
    name = ("white", "blue", "red", "orange")[prop.seed % 4]
    model.put(cab, 0.85 * high_m, paint(name) * _gloss(stage, length_m, width_m))
    screen = stage.block(length_m / 2 - 0.25, 0.5, 0.85 * width_m)
    model.put(screen, 0.85 * high_m, _GLASS * np.float32(1.6), climb=-1.0)
    bed_m = length_m - cab_m - 0.25
    bed = stage.block((bed_m - length_m) / 2, bed_m, width_m)
    rough = tufts(stage.box.lattice, mix_seed(prop.seed, 2))
    load = prop.seed // 4 % 3
    if load == 0:
        rib = np.float32(1.0) - np.float32(0.1) * crack(stage.v, 0.12)
        model.put(bed, high_m, paint(prop.tint) * (rib + np.float32(0.03) * rough))
        model.lay()
        return
    model.put(bed, 0.75 * high_m, paint(prop.tint) * np.float32(0.8))
    hold = stage.block((bed_m - length_m) / 2, bed_m - 0.25, width_m - 0.25)
    goods = paint("sand" if load == 1 else "green") * (np.float32(0.85) + np.float32(0.09) * rough)
    model.put(hold, 0.76 * high_m, goods)
    model.lay()


def bus(stage: Stage) -> None:
    """Paint a bus: a long roof with a hatch, boxes of the air conditioning and coloured ends."""
    model = Model(stage)
    prop = stage.prop
    length_m, width_m, high_m = prop.length_m, prop.width_m, prop.height_m
    dirt = np.float32(0.05) * tufts(stage.box.lattice, mix_seed(prop.seed, 1))
    shell = paint(prop.tint) * (_gloss(stage, length_m, width_m) + dirt)
    model.put(stage.rounded(0.3), 0.96 * high_m, shell)
    ends = smooth_step(np.abs(stage.u), 0.42 * length_m, 0.45 * length_m)
    roof = paint("white") * (np.float32(0.92) + dirt)
    overlay(roof, paint(("blue", "red", "green", "silver")[prop.seed % 4]), ends)
    model.put(stage.block(0.0, 0.96 * length_m, 0.84 * width_m), high_m, roof)
    model.put(stage.block(0.48 * length_m, 0.35, 0.8 * width_m), 0.97 * high_m, _GLASS, -1.0)
    unit = stage.block(-0.15 * length_m, 0.2 * length_m, 0.6 * width_m)
    model.put(unit, high_m + 0.2, paint("silver") * (np.float32(0.9) + dirt))
    hatch = stage.block(0.22 * length_m, 0.7, 0.7)
    model.put(hatch, high_m + 0.05, paint("grey"))
    model.lay()


def machine(stage: Stage) -> None:
    """Paint an excavator: two tracks, the house with its cab, boom and bucket ahead."""
    model = Model(stage)
    prop = stage.prop
    length_m, width_m, high_m = prop.length_m, prop.width_m, prop.height_m
    body_m = min(0.45 * length_m, 3.4)
    back = -length_m / 2 + body_m / 2
    mud = np.float32(1.0) + np.float32(0.1) * tufts(stage.box.lattice, mix_seed(prop.seed, 1))
    for side in (-1.0, 1.0):
        track = stage.block(back, body_m * 1.15, 0.22 * width_m, side * 0.39 * width_m)
        tread = np.float32(1.0) + np.float32(0.5) * (wave(stage.u * np.float32(2.9)) > 0.0)
        model.put(track, 0.28 * high_m, _RUBBER * tread * np.float32(1.6))
    colour = paint(prop.tint) * mud
    model.put(stage.block(back, 0.85 * body_m, 0.8 * width_m), 0.65 * high_m, colour)
    engine = stage.block(back - 0.25 * body_m, 0.25 * body_m, 0.6 * width_m)
    model.put(engine, 0.7 * high_m, colour * np.float32(0.55))
    cab = stage.block(back + 0.2 * body_m, 0.4 * body_m, 0.32 * width_m, -0.22 * width_m)
    model.put(cab, high_m, _GLASS * np.float32(2.2))
    reach_m = length_m / 2 - back
    boom = stage.block(back + 0.5 * reach_m, reach_m, 0.17 * width_m, 0.08 * width_m)
    ahead = smooth_step(stage.u, back, length_m / 2)
    top = np.float32(high_m) - ahead * np.float32(0.75 * high_m)
    model.put(boom, top, colour)
    bucket = stage.block(length_m / 2 - 0.45, 0.9, 0.42 * width_m, 0.08 * width_m)
    model.put(bucket, 0.3 * high_m, paint("grey") * np.float32(0.5))
    model.lay()


def boat(stage: Stage) -> None:
    """Paint a boat: pointed bow, a rim about planks, thwarts across."""
    model = Model(stage)
    prop = stage.prop
    half_u, half_v = prop.length_m / 2, prop.width_m / 2
    pixel_m = stage.box.lattice.pixel_m
    taper = np.float32(1.0) - np.maximum(stage.u / np.float32(half_u), np.float32(-0.55)) ** 2
    inside = np.float32(half_v) * np.sqrt(np.maximum(taper, np.float32(0.0))) - np.abs(stage.v)
    inside = np.minimum(inside, np.float32(half_u) - np.abs(stage.u))
    hull = cover_edge(inside, pixel_m)
    model.put(hull, prop.height_m, paint(prop.tint) * np.float32(0.9))
    plank = np.float32(0.75) + np.float32(0.15) * tufts(stage.box.lattice, mix_seed(prop.seed, 1))
    floor = paint("wood") * plank
    along = stage.u * np.float32(1.0 / 1.1)
    overlay(floor, paint("beige"), crack(along - np.round(along), 0.16))
    within = cover_edge(inside - np.float32(0.12 * prop.width_m), pixel_m)
    if prop.seed % 3 == 0:
        overlay(floor, tone("film_black"), np.full_like(within, 0.8))
    model.put(within, prop.height_m + 0.01, floor)
    model.lay()
