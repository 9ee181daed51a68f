"""Roofs of any shape and colour, and what lies on the ground like them, drawn flat. Pure.

Rendered scenes show the roofs of one region, and so do the real tiles. These are crude, but come in
every colour and shape: facets that face the sun or turn away from it, ridges, courses of tiles,
chimneys, parapets; and pads, pools, cars and containers, which are no roofs.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from training.scenes import PIXEL_M

__all__ = ["draw_clutter", "draw_roof"]

# Hue, saturation and value (OpenCV's 180, 255, 255) that roofs have somewhere; spread around each.
_PALETTE = (
    (9, 120, 165), (7, 150, 130), (12, 90, 190), (5, 60, 110), (100, 20, 90), (105, 30, 130),
    (15, 25, 200), (20, 15, 235), (108, 140, 170), (75, 60, 120), (0, 160, 140), (15, 60, 80),
    (105, 25, 75), (115, 30, 55), (20, 20, 65), (0, 15, 45),
)  # fmt: skip
_GROUND = ((15, 40, 150), (18, 20, 180), (12, 60, 110), (40, 80, 100), (95, 120, 190))

# Sides of houses and of halls, and the share of halls; from how many pixels on a roof is large.
_HOUSES_M, _HALLS_M, _HALLS, _LARGE_PX = (4.5, 26.0), (22.0, 85.0), 0.15, 12_000

Colours = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Singles = NDArray[np.float32]


def draw_roof(rng: np.random.Generator) -> tuple[Colours, Mask]:
    """Return the picture of a roof (row, col, 3) and where it is, (row, col)."""
    least, most = _HALLS_M if rng.random() < _HALLS else _HOUSES_M
    sizes = np.exp(rng.uniform(np.log(least), np.log(most), 2)) / PIXEL_M
    sizes = np.clip(sizes, sizes.max() / 4, None)
    boxes = _wings(sizes, rng)
    side = int(np.ceil(2.2 * max(max(abs(v) for v in box[:2]) + max(box[2:]) for box in boxes)))
    turn = float(rng.uniform(0, np.pi))
    along, across = _axes(side, turn)
    shade = np.full((side, side), np.nan, np.float32)
    kind = str(rng.choice(("flat", "gable", "hip"), p=(0.4, 0.35, 0.25)))
    sun = float(rng.uniform(0, 2 * np.pi))
    steep = float(rng.uniform(0.08, 0.4))
    for box in boxes:
        u, v = along - box[0], across - box[1]
        inside = (np.abs(u) <= box[2] / 2) & (np.abs(v) <= box[3] / 2)
        lit = _facets(u, v, (box[2], box[3]), kind, turn - sun, steep)
        shade = np.where(inside & np.isnan(shade), lit, shade)
    mask = np.isfinite(shade)
    colour = _coat(np.nan_to_num(shade, nan=1.0), (along, across), _PALETTE, rng)
    if kind == "flat" and rng.random() < 0.6:
        inner = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        colour[mask & ~inner] *= float(rng.uniform(0.6, 1.4))
    if rng.random() < (0.6 if mask.sum() > _LARGE_PX else 0.12):
        _repeat(colour, mask, (along, across), rng)
    _furnish(colour, mask, rng)
    return np.clip(colour, 0, 255).astype(np.uint8), mask


def draw_clutter(rng: np.random.Generator) -> tuple[Colours, Mask, bool]:
    """Return the picture of a thing that is no roof, where it is, and whether it casts a shadow."""
    standing = bool(rng.random() < 0.5)
    if standing:
        length, width = rng.uniform(3.5, 13.0), rng.uniform(1.6, 2.9)
    else:
        length, width = np.exp(rng.uniform(np.log(3.0), np.log(22.0), 2))
    side = int(1.5 * max(length, width) / PIXEL_M) + 6
    along, across = _axes(side, float(rng.uniform(0, np.pi)))
    mask = (np.abs(along) <= length / 2 / PIXEL_M) & (np.abs(across) <= width / 2 / PIXEL_M)
    if not standing and rng.random() < 0.4:
        mask = (along * PIXEL_M / length) ** 2 + (across * PIXEL_M / width) ** 2 <= 0.25
    palette = _PALETTE if standing else _GROUND
    flat = np.ones((side, side), np.float32)
    colour = _coat(flat, (along, across), palette, rng)
    return np.clip(colour, 0, 255).astype(np.uint8), mask, standing


def _axes(side: int, turn: float) -> tuple[Singles, Singles]:
    rows, cols = np.mgrid[:side, :side].astype(np.float32) - (side - 1) / 2
    along = cols * np.cos(turn) + rows * np.sin(turn)
    return along.astype(np.float32), (rows * np.cos(turn) - cols * np.sin(turn)).astype(np.float32)


def _wings(sizes: NDArray[np.float64], rng: np.random.Generator) -> list[tuple[float, ...]]:
    """Return the main body and up to two wings: middle and size along both axes, pixels."""
    length, width = float(sizes.max()), float(sizes.min())
    boxes = [(0.0, 0.0, length, width)]
    for _wing in range(int(rng.choice(3, p=(0.5, 0.35, 0.15)))):
        wide, deep = length * rng.uniform(0.25, 0.6), width * rng.uniform(0.4, 1.1)
        place = float(rng.uniform(-0.5, 0.5) * (length - wide))
        side = float(rng.choice((-1.0, 1.0)))
        boxes.append((place, side * (width + deep) / 2 * 0.9, float(wide), float(deep)))
    return boxes


def _facets(
    u: Singles, v: Singles, size: tuple[float, float], kind: str, sun: float, steep: float
) -> Singles:
    """Return the light of each facet: those that face the sun are brighter."""
    if kind == "flat":
        return np.ones_like(u)
    if size[0] < size[1]:
        return _facets(v, -u, (size[1], size[0]), kind, sun + np.pi / 2, steep)
    lit = 1.0 + steep * np.sign(v) * np.float32(np.sin(sun))
    if kind == "hip":
        end = size[0] / 2 - np.abs(u) < size[1] / 2 - np.abs(v)
        lit = np.where(end, 1.0 + steep * np.sign(u) * np.float32(np.cos(sun)), lit)
    return np.where(np.abs(v) < 0.7, lit * 1.12, lit).astype(np.float32)


def _coat(
    shade: Singles,
    axes: tuple[Singles, Singles],
    palette: tuple[tuple[int, int, int], ...],
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Return a surface of one of some colours, with courses, grain and stains."""
    base = np.array(palette[int(rng.integers(len(palette)))], float)
    base += rng.normal(0.0, (4.0, 18.0, 25.0))
    hsv = np.array([[[base[0] % 180, *np.clip(base[1:], 0, 255)]]]).astype(np.uint8)
    rgb = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0].astype(np.float32)
    if rng.random() < 0.15:
        rgb = rng.uniform(30, 240, 3).astype(np.float32)
    texture = np.ones_like(shade)
    if rng.random() < 0.6:
        period = float(rng.uniform(1.8, 7.0))
        waves = np.sin(2 * np.pi * axes[int(rng.integers(2))] / period)
        texture += float(rng.uniform(0.0, 0.12)) * waves
    for blur in (0.6, 3.0, 12.0):
        grain = cv2.GaussianBlur(rng.normal(0, 1, shade.shape).astype(np.float32), (0, 0), blur)
        texture += float(rng.uniform(0.0, 0.08)) * grain / max(1e-6, float(grain.std()))
    return (rgb * (shade * texture)[..., None]).astype(np.float32)


def _repeat(
    colour: NDArray[np.float32], mask: Mask, axes: tuple[Singles, Singles], rng: np.random.Generator
) -> None:
    """Put skylights, or solar panels, in rows on a roof, in place."""
    steps, sizes = rng.uniform(8, 40, 2), rng.uniform(0.1, 0.9, 2)
    if rng.random() < 0.3:
        steps, sizes = rng.uniform(4, 10, 2), np.array([0.8, 0.9])
    inside = mask.copy()
    for axis, step, size in zip(axes, steps, sizes, strict=True):
        inside &= (axis % step) < max(2.0, step * size)
    if rng.random() < 0.5:
        inside &= axes[int(rng.integers(2))] > rng.normal(0.0, 20.0)
    colour[inside] = rng.uniform(20, 245) * rng.uniform(0.85, 1.15, 3)


def _furnish(colour: NDArray[np.float32], mask: Mask, rng: np.random.Generator) -> None:
    """Put chimneys, skylights, boxes and vents on a roof, in place."""
    rows, cols = np.nonzero(mask)
    for _thing in range(int(rng.integers(0, 7))):
        at = int(rng.integers(len(rows)))
        high, wide = rng.integers(2, 8, 2)
        window = np.s_[rows[at] : rows[at] + high, cols[at] : cols[at] + wide]
        colour[window] = rng.uniform(20, 240) * rng.uniform(0.85, 1.15, 3)
