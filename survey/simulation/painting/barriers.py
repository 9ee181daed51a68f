"""Walls, poles and the wires between them."""

import numpy as np
import numpy.typing as npt

from survey.simulation.painting.canvas import cover_edge
from survey.simulation.painting.grain import overlay, paint, tone, tufts, wave
from survey.simulation.painting.stage import Model, Stage
from survey.simulation.painting.texture import hash_line, mix_seed, smooth_step

__all__ = ["pole", "wall", "wire"]

Singles = npt.NDArray[np.float32]

_THICK_WALL_M = 0.18  # thinner ones are sheet or mesh without a coping
_PIER_M = 3.0
_CABLE_M = 0.03
_SAG = 0.02  # of the span


def wall(stage: Stage) -> None:
    """Paint a wall with piers and a weathered coping, or a thin fence."""
    prop, lattice = stage.prop, stage.box.lattice
    thick = prop.width_m > _THICK_WALL_M
    half_m = np.full_like(stage.u, prop.width_m / 2)
    if thick:
        pier = stage.u * np.float32(1.0 / _PIER_M)
        half_m += np.float32(0.07) * (np.abs(pier - np.round(pier)) < np.float32(0.05))
    ahead = np.float32(prop.length_m / 2) - np.abs(stage.u)
    inside = np.minimum(ahead, half_m - np.abs(stage.v))
    worn = tufts(lattice, mix_seed(prop.seed, 1))
    panel = np.floor(stage.u * np.float32(1.0 / _PIER_M)).astype(np.int64)
    light = np.float32(0.88) + np.float32(0.2) * hash_line(panel, mix_seed(prop.seed, 2))
    light += np.float32(0.09) * worn
    albedo = paint(prop.tint) * light
    if thick:
        coping = paint("concrete") * (np.float32(0.95) + np.float32(0.1) * worn)
        overlay(albedo, coping, np.full_like(worn, 0.15 + 0.5 * (prop.seed % 5) / 4.0))
        overlay(albedo, tone("stain"), np.float32(0.5) * smooth_step(worn, 0.8, 2.2))
    cover = cover_edge(inside, lattice.pixel_m)
    model = Model(stage)
    model.put(cover, prop.height_m, albedo)
    model.lay()


def pole(stage: Stage) -> None:
    """Paint a pole and its cross-arm."""
    prop, pixel_m = stage.prop, stage.box.lattice.pixel_m
    albedo = paint(prop.tint)
    arm = np.minimum(np.float32(0.06) - np.abs(stage.u), np.float32(0.75) - np.abs(stage.v))
    model = Model(stage)
    model.put(cover_edge(arm, pixel_m), prop.height_m - 0.3, albedo * np.float32(0.7))
    away = np.sqrt(stage.u * stage.u + stage.v * stage.v)
    foot = cover_edge(np.float32(prop.width_m / 2) - away, pixel_m)
    model.put(foot, prop.height_m, albedo)
    model.lay()


def wire(stage: Stage) -> None:
    """Draw three conductors: too thin for heights, they only darken the pixels they cross."""
    prop, pixel_m = stage.prop, stage.box.lattice.pixel_m
    share = np.float32(min(1.0, _CABLE_M / pixel_m))
    along = stage.u * np.float32(0.5 / prop.length_m)
    # Seen from the middle of a picture wires bow sideways, by what they sag.
    bow = np.float32(_SAG * prop.length_m * 0.3) * wave(along + np.float32(0.5))
    cover = np.zeros_like(stage.u)
    for aside_m in (-prop.width_m / 2, 0.0, prop.width_m / 2):
        near = np.float32(1.0) - np.abs(stage.v + bow - np.float32(aside_m)) / np.float32(pixel_m)
        np.maximum(cover, near, out=cover)
    cover *= share * (np.abs(stage.u) <= np.float32(prop.length_m / 2))
    stage.box.tint(cover, paint(prop.tint))
