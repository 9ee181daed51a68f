"""What real flights do to pictures: light, colour, haze, blur, noise, compression. Pure."""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["cast_shadow", "disturb_picture", "recolour", "shift_maps", "stain"]

Colours = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Numbers = NDArray[np.int32]
Maps = tuple[NDArray[np.float32], NDArray[np.float32]]


def disturb_picture(colour: Colours, roofs: Mask, rng: np.random.Generator) -> Colours:
    """Return a picture (row, col, 3) as another camera, hour and compression would give it.

    Of its roofs, (row, col), another sun casts other shadows.
    """
    if rng.random() < 0.35:
        colour = _shadowed(colour, roofs, rng)
    colour = _relit(colour, rng)
    if rng.random() < 0.4:
        colour = cv2.GaussianBlur(colour, (0, 0), float(rng.uniform(0.3, 1.3)))
    elif rng.random() < 0.3:
        soft = cv2.GaussianBlur(colour, (0, 0), 1.2)
        gain = float(rng.uniform(0.3, 1.2))
        colour = cv2.addWeighted(colour, 1 + gain, soft, -gain, 0)
    if rng.random() < 0.2:
        # A coarser flight brought to this pixel.
        side, factor = colour.shape[0], float(rng.uniform(1.3, 2.8))
        small = max(16, round(side / factor))
        colour = cv2.resize(colour, (small, small), interpolation=cv2.INTER_AREA)
        colour = cv2.resize(colour, (side, side), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.5:
        noise = rng.normal(0.0, rng.uniform(1.0, 8.0), (*colour.shape[:2], 1))
        if rng.random() < 0.5:
            noise = noise + rng.normal(0.0, rng.uniform(1.0, 5.0), colour.shape)
        colour = np.clip(colour + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        quality = int(rng.integers(35, 95))
        _done, packed = cv2.imencode(".jpg", colour, [cv2.IMWRITE_JPEG_QUALITY, quality])
        colour = cv2.imdecode(packed, cv2.IMREAD_COLOR)
    return colour


def _relit(colour: Colours, rng: np.random.Generator) -> Colours:
    """Change exposure, contrast, white balance and saturation."""
    levels = np.linspace(0.0, 1.0, 256)[:, None]
    gain = np.exp(rng.normal(0.0, 0.22)) * np.exp(rng.normal(0.0, 0.07, 3))
    curve = np.clip(levels * gain, 0.0, None) ** np.exp(rng.normal(0.0, 0.22))
    contrast, haze = np.exp(rng.normal(0.0, 0.18)), max(0.0, rng.normal(0.0, 0.07))
    curve = (curve - 0.45) * contrast + 0.45 + haze
    table = np.clip(curve * 255.0, 0, 255).astype(np.uint8)
    colour = cv2.LUT(colour, table[:, None, :])
    kind = rng.random()
    saturation = 0.0 if kind < 0.03 else float(np.exp(rng.normal(0.0, 0.3)))
    grey = cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY)
    grey = np.repeat(grey[..., None], 3, axis=2)
    return cv2.addWeighted(colour, saturation, grey, 1.0 - saturation, 0.0)


def _shadowed(colour: Colours, roofs: Mask, rng: np.random.Generator) -> Colours:
    """Lay shadows over a picture: of its roofs, of what stands outside it, of trees and clouds.

    None is a patch with straight edges by itself on open ground: so a dark roof looks.
    """
    side = colour.shape[0]
    if rng.random() < 0.4 and roofs.any():
        left = cast_shadow(roofs.astype(np.uint8), float(rng.uniform(0, 2 * np.pi)), rng)
        return np.clip(colour * left, 0, 255).astype(np.uint8)
    mask = np.zeros((side, side), np.float32)
    outside = rng.random() < 0.5
    for _one in range(int(rng.integers(1, 6))):
        middle = rng.uniform(0, side, 2)
        if outside:
            middle[int(rng.integers(2))] = float(rng.choice((0.0, side)))
            size, turn = rng.uniform(16, 110, 2), float(rng.uniform(0, 180))
            box = cv2.boxPoints((tuple(map(float, middle)), tuple(map(float, size)), turn))
            cv2.fillConvexPoly(mask, box.astype(np.int32), 1.0)
        else:
            axes = tuple(int(v) for v in rng.uniform(6, 60, 2))
            turn = float(rng.uniform(0, 180))
            cv2.ellipse(mask, tuple(int(v) for v in middle), axes, turn, 0, 360, 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), float(rng.uniform(0.5, 3.0)))[..., None]
    # The sky lights a shadow: bluer than the sun does.
    left = rng.uniform(0.3, 0.75) * np.array([0.94, 1.0, 1.08])
    return np.clip(colour * (1.0 - mask * (1.0 - left)), 0, 255).astype(np.uint8)


def cast_shadow(
    standing: NDArray[np.uint8], sun: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return what share of the light is left around what stands, (row, col, 1)."""
    length, steps = rng.uniform(3, 25), 8
    cast = np.zeros_like(standing)
    for step in range(1, steps + 1):
        east, south = (length * step / steps * turn for turn in (np.cos(sun), np.sin(sun)))
        move = np.array([[1, 0, east], [0, 1, south]], np.float32)
        cast |= cv2.warpAffine(standing, move, standing.shape[::-1], flags=cv2.INTER_NEAREST)
    cast[standing > 0] = 0
    dark = cv2.GaussianBlur(cast.astype(np.float32), (0, 0), 0.7)[..., None]
    return np.asarray(1.0 - dark * rng.uniform(0.3, 0.7), np.float32)


def stain(colour: Colours, keep: NDArray[np.bool_], rng: np.random.Generator) -> Colours:
    """Give patches of open ground another colour, as ploughing, paving and grass do."""
    side = colour.shape[0]
    seeds = rng.normal(0.0, 1.0, (side // 32 + 2, side // 32 + 2)).astype(np.float32)
    waves = cv2.resize(seeds, (side, side), interpolation=cv2.INTER_CUBIC)
    patch = waves > np.quantile(waves, rng.uniform(0.5, 0.9))
    if rng.random() < 0.5:
        box = np.zeros((side, side), np.uint8)
        for _one in range(int(rng.integers(1, 4))):
            corner = cv2.boxPoints(
                (
                    tuple(map(float, rng.uniform(0, side, 2))),
                    tuple(map(float, rng.uniform(15, 130, 2))),
                    float(rng.uniform(0, 180)),
                )
            )
            cv2.fillConvexPoly(box, corner.astype(np.int32), 1)
        patch = box > 0
    soft = cv2.GaussianBlur((patch & ~keep).astype(np.float32), (0, 0), 1.0)[..., None]
    gain = np.exp(rng.normal(0.0, 0.3)) * np.exp(rng.normal(0.0, 0.15, 3))
    other = (colour.astype(np.float32) - 110.0) * np.exp(rng.normal(0.0, 0.3)) + 110.0
    other = other * gain + rng.normal(0.0, 12.0)
    return np.clip(colour * (1.0 - soft) + other * soft, 0, 255).astype(np.uint8)


def recolour(
    colour: Colours, owner: Numbers, tables: tuple[NDArray[np.float32], NDArray[np.float32]]
) -> Colours:
    """Paint roofs anew: a gain and an offset (number, 3) for every structure's number."""
    gains, offsets = tables
    index = np.clip(owner, 0, len(gains) - 1)
    painted = colour * gains[index] + offsets[index]
    return np.clip(painted, 0, 255).astype(np.uint8)


def shift_maps(side: int, rng: np.random.Generator) -> Maps:
    """Return where a picture that is aligned to within its residual takes its pixels from."""
    columns, rows = np.meshgrid(
        np.arange(side, dtype=np.float32), np.arange(side, dtype=np.float32)
    )
    kind = rng.random()
    if kind < 0.2:
        return columns, rows
    largest = 1.5 if kind < 0.75 else 4.0
    shift = rng.uniform(-largest, largest, 2).astype(np.float32)
    seeds = rng.normal(0.0, largest / 4, (2, 5, 5)).astype(np.float32)
    bend = [cv2.resize(wave, (side, side), interpolation=cv2.INTER_CUBIC) for wave in seeds]
    return columns + shift[0] + bend[0], rows + shift[1] + bend[1]
