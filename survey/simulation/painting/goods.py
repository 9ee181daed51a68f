"""What is stored, sold or thrown away in the open, and the people about it."""

import numpy as np
import numpy.typing as npt

from survey.simulation.painting.canvas import Box, Lattice, Surface, cover_edge
from survey.simulation.painting.grain import (
    cells,
    crack,
    face_slope,
    litter,
    nudge,
    overlay,
    paint,
    tufts,
    wave,
    wear,
)
from survey.simulation.painting.stage import Model, Stage
from survey.simulation.painting.texture import hash_line, mix_seed, smooth_noise, smooth_step

__all__ = ["container", "crowd", "junk", "pile", "stall", "tarpaulin"]

Singles = npt.NDArray[np.float32]

_RIB_M = 0.28  # corrugation of a freight container's roof
_STALL_M = 2.6
_PERSON_M = 0.22  # half the width of shoulders
_MOTLEY = ("blue", "red", "white", "orange", "green", "yellow", "beige", "grey", "black", "rust")


def _motley(choice: Singles) -> Singles:
    """Give each pixel one of many colours by a number from 0 to 1, shape (3, rows, columns)."""
    table = np.concatenate([paint(name) for name in _MOTLEY], axis=1)[:, :, 0]
    index = np.minimum((choice * np.float32(len(_MOTLEY))).astype(np.int64), len(_MOTLEY) - 1)
    return np.asarray(table[:, index], dtype=np.float32)


def container(stage: Stage) -> None:
    """Paint a freight container: ribs, frame, rust, dust."""
    prop = stage.prop
    lattice = stage.box.lattice
    inside = stage.inside()
    worn = wear(lattice, mix_seed(prop.seed, 1))
    light = np.float32(0.93) + np.float32(0.06) * worn
    light += np.float32(0.08 * min(1.0, _RIB_M / (3.0 * lattice.pixel_m))) * wave(
        stage.u * np.float32(1.0 / _RIB_M)
    )
    light *= np.float32(1.0) - np.float32(0.25) * crack(inside - np.float32(0.12), 0.1)
    albedo = paint(prop.tint) * light
    rust = smooth_step(worn + np.float32(0.5) * tufts(lattice, mix_seed(prop.seed, 2)), 1.2, 2.4)
    overlay(albedo, paint("rust"), np.float32(0.6) * rust)
    model = Model(stage)
    model.put(cover_edge(inside, lattice.pixel_m), prop.height_m, albedo)
    model.lay()


def _mound(stage: Stage, box: Box) -> Singles:
    """Give the height of a heap above the ground, metres, below 0 outside it."""
    prop = stage.prop
    u, v = box.frame()
    u *= np.float32(2.0 / prop.length_m)
    v *= np.float32(2.0 / prop.width_m)
    away = np.sqrt(u * u + v * v)
    lumps = np.float32(0.05) * wear(box.lattice, mix_seed(prop.seed, 1))
    lumps += np.float32(0.006) * litter(box.lattice, mix_seed(prop.seed, 2))
    share = np.float32(1.0) - away + lumps
    # A tipped heap has straight slopes and a blunt top.
    share = np.minimum(share, np.float32(0.72) + np.float32(0.3) * (share - np.float32(0.72)))
    return np.asarray(share * np.float32(1.25 * prop.height_m), dtype=np.float32)


def pile(stage: Stage) -> None:
    """Paint a heap of sand, gravel or bricks, its slopes lit as they lie."""
    prop, lattice = stage.prop, stage.box.lattice
    further, step_m = nudge(lattice, stage.sun)
    height = _mound(stage, stage.box)
    beyond = _mound(stage, Box(canvas=stage.box.canvas, lattice=further, place=prop.place))
    climb = np.clip((beyond - height) * np.float32(1.0 / step_m), -1.0, 1.0)
    light = np.float32(0.96) + np.float32(0.06) * tufts(lattice, mix_seed(prop.seed, 3))
    light += np.float32(0.05) * litter(lattice, mix_seed(prop.seed, 4))
    surface = Surface(albedo=paint(prop.tint) * light, facing=face_slope(climb, stage.sun))
    cover = smooth_step(height, 0.0, 0.12 * prop.height_m)
    stage.box.lay(cover, stage.box.height + np.maximum(height, np.float32(0.0)), surface)


def _drape(stage: Stage, lattice: Lattice) -> Singles:
    """Give the height of a sheet above what it covers, metres."""
    seed = stage.prop.seed
    folds = smooth_noise(lattice.x, lattice.y, 1.3, mix_seed(seed, 1)) - np.float32(0.5)
    folds *= np.float32(0.22 * min(stage.prop.height_m, 1.5))
    folds += np.float32(0.018) * tufts(lattice, mix_seed(seed, 2))
    return folds


def tarpaulin(stage: Stage) -> None:
    """Paint a sheet with folds, a wavy hem and faded stretches."""
    prop, lattice = stage.prop, stage.box.lattice
    further, step_m = nudge(lattice, stage.sun)
    here = _drape(stage, lattice)
    climb = np.clip((_drape(stage, further) - here) * np.float32(1.0 / step_m), -0.8, 0.8)
    faded = wear(lattice, mix_seed(prop.seed, 3))
    inside = stage.inside() + np.float32(0.8) * here
    light = np.float32(1.0) + np.float32(0.06) * faded
    seam = stage.u * np.float32(1.0 / 1.9)
    light -= np.float32(0.12) * crack(seam - np.round(seam), 0.05)
    albedo = paint(prop.tint) * light
    overlay(albedo, paint("silver"), np.float32(0.35) * smooth_step(faded, 0.3, 2.4))
    dome = smooth_step(inside, 0.0, 0.4 * min(prop.length_m, prop.width_m))
    top = stage.box.height + np.float32(prop.height_m) * (np.float32(0.45) + dome * 0.55) + here
    surface = Surface(albedo=albedo, facing=face_slope(climb, stage.sun))
    stage.box.lay(cover_edge(inside, lattice.pixel_m), top, surface)


def stall(stage: Stage) -> None:
    """Paint a row of market stalls, each under a gabled sheet of its own colour."""
    prop, lattice = stage.prop, stage.box.lattice
    along = stage.u * np.float32(1.0 / _STALL_M)
    number = np.floor(along)
    along -= number
    albedo = _motley(hash_line(number.astype(np.int64), mix_seed(prop.seed, 1)))
    dirt = tufts(lattice, mix_seed(prop.seed, 2))
    albedo *= np.float32(0.95) + np.float32(0.06) * dirt
    stripe = wave(stage.u * np.float32(1.0 / 0.65)) > np.float32(0.1)
    striped = hash_line(number.astype(np.int64), mix_seed(prop.seed, 3)) > np.float32(0.7)
    overlay(albedo, paint("white"), np.float32(0.8) * (stripe & striped))
    gap = np.minimum(along, np.float32(1.0) - along) * np.float32(_STALL_M) - np.float32(0.06)
    inside = np.minimum(stage.inside(), gap)
    _, aside = stage.sun_ahead
    steep = np.float32(0.45) * np.sign(stage.v)
    facing = (np.float32(stage.sun.up) + steep * np.float32(aside)) * np.float32(0.912)
    facing += np.float32(0.03) * dirt
    ridge = np.float32(0.5 * prop.width_m) - np.abs(stage.v)
    top = np.float32(stage.ground_m + prop.height_m - 0.3) + np.float32(0.3) * ridge
    surface = Surface(albedo=albedo, facing=np.maximum(facing, np.float32(0.0)))
    stage.box.lay(cover_edge(inside, lattice.pixel_m), top, surface)


def crowd(stage: Stage) -> None:
    """Scatter people: dark heads over clothes of many colours; nobody stands still."""
    prop, pixel_m = stage.prop, stage.box.lattice.pixel_m
    seed = mix_seed(prop.seed, stage.flight)
    along, across, number = cells(stage.u, stage.v, 1.1, seed)
    turn = hash_line(number, mix_seed(seed, 3)) * np.float32(0.5)
    cos, sin = wave(turn), wave(turn - np.float32(0.25))
    wide, deep = along * cos + across * sin, across * cos - along * sin
    away = np.sqrt(wide * wide + np.float32(2.2) * deep * deep)
    here = hash_line(number, mix_seed(seed, 4)) < np.float32(0.5 + 0.45 * (prop.seed % 7) / 6.0)
    here &= wear(stage.box.lattice, mix_seed(seed, 6)) > np.float32(-0.5)
    here &= stage.inside() > 0.0
    albedo = _motley(hash_line(number, mix_seed(seed, 5)))
    head = cover_edge(np.float32(0.12) - np.sqrt(along * along + across * across), pixel_m)
    overlay(albedo, paint("black"), head)
    cover = cover_edge(np.float32(_PERSON_M) - away, pixel_m) * here
    top = np.full_like(stage.u, stage.ground_m + prop.height_m - 0.25) + np.float32(0.25) * head
    stage.box.lay(cover, top, Surface(albedo=albedo, facing=stage.sun.up))


def junk(stage: Stage) -> None:
    """Scatter boxes, drums, planks and sacks, large and small."""
    for order, side_m in enumerate((1.7, 0.9)):
        _scatter(stage, side_m, mix_seed(stage.prop.seed, order))


def _scatter(stage: Stage, side_m: float, seed: int) -> None:
    """Put one thing into most squares of a grid."""
    along, across, number = cells(stage.u, stage.v, side_m, seed)
    turn = hash_line(number, mix_seed(seed, 3)) * np.float32(0.5)
    cos, sin = wave(turn), wave(turn - np.float32(0.25))
    length = np.float32(side_m) * (
        np.float32(0.08) + np.float32(0.14) * hash_line(number, mix_seed(seed, 4))
    )
    width = length * (np.float32(0.3) + np.float32(0.7) * hash_line(number, mix_seed(seed, 5)))
    ahead = length - np.abs(along * cos + across * sin)
    inside = np.minimum(ahead, width - np.abs(across * cos - along * sin))
    here = hash_line(number, mix_seed(seed, 6))
    cover = cover_edge(inside, stage.box.lattice.pixel_m)
    cover *= (here < np.float32(0.7)) & (stage.inside() > 0.0)
    albedo = _motley(hash_line(number, mix_seed(seed, 7)))
    dull = np.float32(0.35) + np.float32(0.5) * here
    overlay(albedo, paint("grey"), np.float32(1.0) - dull)
    albedo *= np.float32(0.85) + np.float32(0.15) * tufts(stage.box.lattice, mix_seed(seed, 8))
    high = np.float32(stage.prop.height_m) * (np.float32(0.25) + here)
    stage.box.lay(cover, stage.box.height + high, Surface(albedo=albedo, facing=stage.sun.up))
