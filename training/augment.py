"""What real flights do to pictures: light, colour, haze, blur, noise, compression. Pure."""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["disturb_picture", "recolour", "shift_maps", "stain"]

Colours = NDArray[np.uint8]
Numbers = NDArray[np.int32]
Maps = tuple[NDArray[np.float32], NDArray[np.float32]]


def disturb_picture(colour: Colours, rng: np.random.Generator) -> Colours:
    """Return a picture (row, col, 3) as another camera, day and compression would give it."""
    if rng.random() < 0.35:
        colour = _shadowed(colour, rng)
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


def _shadowed(colour: Colours, rng: np.random.Generator) -> Colours:
    """Lay the shadows of what stands outside the picture, or of a cloud, over it."""
    side = colour.shape[0]
    mask = np.zeros((side, side), np.float32)
    for _one in range(int(rng.integers(1, 6))):
        middle = rng.uniform(0, side, 2)
        if rng.random() < 0.7:
            size, turn = rng.uniform(8, 80, 2), float(rng.uniform(0, 180))
            box = cv2.boxPoints(
                ((float(middle[0]), float(middle[1])), tuple(map(float, size)), turn)
            )
            cv2.fillConvexPoly(mask, box.astype(np.int32), 1.0)
        else:
            axes = tuple(int(v) for v in rng.uniform(6, 60, 2))
            cv2.ellipse(
                mask,
                tuple(int(v) for v in middle),
                axes,
                float(rng.uniform(0, 180)),
                0,
                360,
                1.0,
                -1,
            )
    mask = cv2.GaussianBlur(mask, (0, 0), float(rng.uniform(0.5, 3.0)))[..., None]
    # The sky lights a shadow: bluer than the sun does.
    left = rng.uniform(0.3, 0.75) * np.array([0.94, 1.0, 1.08])
    return np.clip(colour * (1.0 - mask * (1.0 - left)), 0, 255).astype(np.uint8)


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
