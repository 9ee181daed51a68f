"""How a piece of one picture is set into another so that no seam shows. Pure arrays.

First the cut, along the line where both differ least; then the level, which spreads what difference
is left over the piece; then the passage from one to the other, as soft as a lens draws edges.
"""

import cv2
import numpy as np
import numpy.typing as npt
from skimage.segmentation import watershed

__all__ = ["cut_piece", "grown", "join", "level", "membrane", "soften"]

Singles = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

# Difference at the cut, grey values, at which a place counts half when levelling: a shadow's edge
# or a white line beside the hole must not colour the whole of it.
_OUTLIER = 20.0
# Most that levelling alters lightness and tint, grey values: two grounds in one light differ more
# in lightness (wet, trodden) than in tint, and a tint that is none of the ground's own is seen at
# once (purple grass beside a red roof).
_MOST_LIGHT, _MOST_TINT = 16.0, 4.0
# Distance from the cut, pixels, over which a step of lightness and of tint fades out: the blur of
# a lens, and of colour stored at half the resolution.
_SOFT_PX, _SOFT_TINT_PX = 1.5, 4.0
# Standard deviation, pixels, of the passage from old to new where both are ground; lightness passes
# within a pixel, for mixing two grains makes a smoother one.
_JOIN_PX, _JOIN_TINT_PX = 0.5, 1.5
_ROOM_PX = 3


def grown(mask: Mask, reach: int) -> Mask:
    """Grow a mask by whole pixels on every side."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), disc) > 0)


def cut_piece(image: Singles, piece: Singles, must: Mask, may: Mask) -> Mask:
    """Return the pixels taken from a piece: all it must cover, and those up to the best cut."""
    if not may.any():
        return must
    # The largest differences are flooded first, so that the two sides meet where it is least.
    difference = cv2.GaussianBlur(np.abs(image - piece).sum(axis=0), (0, 0), 1.0)
    # Both sides keep room for the passage from one to the other.
    inner, outer = grown(must, _ROOM_PX), grown(~may & ~must, _ROOM_PX)
    markers = np.where(inner & (may | must), 2, np.where(outer | ~may, 1, 0)).astype(np.int32)
    sides = watershed(-np.rint(difference).astype(np.int32), markers, mask=np.ones_like(must))
    return np.asarray(must | (may & (sides == 2)))


def level(difference: Singles, laid: Mask, rim: Mask) -> Singles:
    """Spread the difference along the cut over the piece as a smooth membrane, (3, row, col)."""
    beside = rim & grown(laid, 4)
    if not beside.any():
        return np.zeros_like(difference)
    weight = beside.astype(np.float32)
    # Single pixels at the cut are grain; their running mean is what the light differs by.
    norm = np.maximum(cv2.GaussianBlur(weight, (0, 0), 3.0), np.float32(1e-6))
    smooth = np.stack([cv2.GaussianBlur(band * weight, (0, 0), 3.0) / norm for band in difference])
    smooth = _bounded(smooth)
    typical = np.median(smooth[:, beside], axis=1)[:, None, None]
    odd = np.abs(smooth - typical).mean(axis=0) / _OUTLIER
    trust = np.where(beside, 1.0 / (1.0 + odd**2), 0.0).astype(np.float32)
    return membrane(smooth, trust)


def join(old: Singles, new: Singles, laid: Mask, both: Mask) -> Singles:
    """Pass from one picture to the other across the cut, where both show ground."""
    part = laid.astype(np.float32)
    light, tint = (
        np.where(both, cv2.GaussianBlur(part, (0, 0), sigma), part)
        for sigma in (_JOIN_PX, _JOIN_TINT_PX)
    )
    difference = np.where(laid | both, new - old, np.float32(0.0))
    grey = difference.mean(axis=0, keepdims=True)
    step = light * grey + tint * (difference - grey)
    return np.asarray(old + np.where(laid | both, step, np.float32(0.0)), dtype=np.float32)


def soften(difference: Singles, laid: Mask, beside: Mask) -> Singles:
    """Return what takes a step at the cut out of the pixels next to it, (3, row, col).

    No lens draws an edge from one pixel to the next, and cameras draw colour yet more softly.
    """
    near = beside & grown(laid, 3)
    if not near.any():
        return np.zeros_like(difference)
    weight = near.astype(np.float32)
    norm = cv2.GaussianBlur(weight, (0, 0), 1.2) + np.float32(1e-6)
    steps = np.stack([cv2.GaussianBlur(band * weight, (0, 0), 1.2) / norm for band in difference])
    light = steps.mean(axis=0, keepdims=True)
    off = cv2.distanceTransform((~near).astype(np.uint8), cv2.DIST_L2, 5) - np.float32(0.5)
    fade = [np.exp(-np.square(np.maximum(off, 0.0) / reach)) for reach in (_SOFT_PX, _SOFT_TINT_PX)]
    return np.asarray(fade[0] * light + fade[1] * (steps - light), dtype=np.float32)


def _bounded(difference: Singles) -> Singles:
    """Hold a difference of colours to what light may explain; the rest is another material."""
    light = difference.mean(axis=0, keepdims=True)
    tint = difference - light
    return np.asarray(
        _MOST_LIGHT * np.tanh(light / _MOST_LIGHT) + _MOST_TINT * np.tanh(tint / _MOST_TINT),
        dtype=np.float32,
    )


def membrane(values: Singles, weight: Singles) -> Singles:
    """Extend values from where they have weight to everywhere, smoothly (pull, then push).

    S. Gortler et al., "The lumigraph", SIGGRAPH 1996, section 3.4: averages at coarser and coarser
    scales, used where the finer scales know nothing.
    """
    height, width = weight.shape
    if max(height, width) <= 2:
        total = max(float(weight.sum()), 1e-9)
        mean = (values * weight).sum(axis=(1, 2), keepdims=True) / total
        return np.broadcast_to(mean, values.shape).astype(np.float32)
    size = -(-width // 2), -(-height // 2)
    coarse_weight = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    divisor = np.maximum(coarse_weight, np.float32(1e-9))
    coarse = np.stack(
        [cv2.resize(band * weight, size, interpolation=cv2.INTER_AREA) / divisor for band in values]
    )
    # A coarse cell that a tenth of its pixels speak for is as good as known.
    beyond = membrane(coarse, np.minimum(1.0, 10.0 * coarse_weight).astype(np.float32))
    wide = [cv2.resize(band, (width, height), interpolation=cv2.INTER_CUBIC) for band in beyond]
    mixed = weight * values + (np.float32(1.0) - weight) * np.stack(wide)
    return np.asarray(mixed, dtype=np.float32)
