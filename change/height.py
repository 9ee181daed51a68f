"""Evidence from two surface models: what rose and what sank. Pure."""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "POROUS",
    "bridged",
    "disc",
    "ground_level",
    "height_gain",
    "porous",
    "rough_around",
    "roughness",
]

# Smaller gaps in the heights are bridged: glass, film and panels on roofs leave holes, m.
_HOLE_M, _LEAST_KNOWN = 1.2, 0.15
# What is unknown over so much is no hole, m.
_MISSING_M = 3.0
POROUS = 0.7
"""Where less than this share is known, what is known are blunders about the truth: on film, say."""


def disc(diameter_m: float, pixel_m: float) -> NDArray[np.uint8]:
    """Return a disc as OpenCV's morphology takes it, at least three pixels wide."""
    side = 2 * max(1, round(diameter_m / pixel_m / 2)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def bridged(heights: NDArray[np.float32], pixel_m: float) -> NDArray[np.float32]:
    """Fill small holes with the mean of what is known around them, and smooth what is full of them.

    Parameters
    ----------
    heights
        (row, col) m; NaN where unknown.
    pixel_m
        Pixel, m.
    """
    known = np.isfinite(heights)
    if known.all():
        return heights
    side = _side_of_holes(pixel_m)
    weight = cv2.blur(known.astype(np.float32), (side, side))
    mean = cv2.blur(np.where(known, heights, np.float32(0)), (side, side))
    with np.errstate(invalid="ignore", divide="ignore"):
        told = np.where(weight > _LEAST_KNOWN, mean / weight, np.float32(np.nan))
    return np.asarray(np.where(known & (weight > POROUS), heights, told), np.float32)


def porous(heights: NDArray[np.float32], pixel_m: float) -> NDArray[np.bool_]:
    """Return where heights are so full of small holes that none of them counts.

    Parameters
    ----------
    heights
        (row, col) m; NaN where unknown. The edge of what is unknown as a whole is no hole.
    pixel_m
        Pixel, m.

    Returns
    -------
    array
        (row, col).
    """
    unknown = (~np.isfinite(heights)).astype(np.uint8)
    if not unknown.any():
        return np.zeros(heights.shape, bool)
    missing = cv2.morphologyEx(unknown, cv2.MORPH_OPEN, disc(_MISSING_M, pixel_m))
    side = _side_of_holes(pixel_m)
    known, covered = (
        cv2.blur((part == 0).astype(np.float32), (side, side)) for part in (unknown, missing)
    )
    return np.asarray(known < POROUS * covered)


def _side_of_holes(pixel_m: float) -> int:
    return 2 * max(1, round(_HOLE_M / pixel_m)) + 1


def height_gain(
    lower: NDArray[np.float32], upper: NDArray[np.float32], reach: int
) -> NDArray[np.float32]:
    """Return how far ``upper`` rises above everything of ``lower`` within reach.

    Parameters
    ----------
    lower, upper
        (row, col) heights on one datum, m; NaN where unknown.
    reach
        How far the two may be misaligned, pixels: a wall that stands in both, a little moved, gains
        nothing.

    Returns
    -------
    array
        (row, col) m; NaN where either is unknown.
    """
    side = 2 * reach + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    known = np.where(np.isnan(lower), np.float32(-1e6), lower)
    roof = cv2.dilate(known, kernel)
    gain = upper - roof
    return np.where(np.isnan(lower) | np.isnan(upper), np.float32(np.nan), gain)


def ground_level(heights: NDArray[np.float32], around: NDArray[np.bool_]) -> float:
    """Return the level of the ground in a ring around a structure, m; NaN where nothing is known.

    A low percentile: the ring also holds neighbours' roofs and crowns.
    """
    ring = heights[around]
    ring = ring[np.isfinite(ring)]
    return float(np.percentile(ring, 20)) if len(ring) else float("nan")


def roughness(heights: NDArray[np.float32], inside: NDArray[np.bool_]) -> float:
    """Return the median distance of a surface from its smoothed self, m: crowns are rough."""
    known = np.isfinite(heights) & inside
    if not known.any():
        return float("nan")
    weight = cv2.GaussianBlur(known.astype(np.float32), (0, 0), 3.0)
    filled = np.where(known, heights, 0).astype(np.float32)
    smooth = cv2.GaussianBlur(filled, (0, 0), 3.0) / np.maximum(weight, 1e-3)
    return float(np.median(np.abs(heights - smooth)[known]))


def rough_around(heights: NDArray[np.float32], pixel_m: float) -> NDArray[np.float32]:
    """Return the mean distance of a surface from its smoothed self around each pixel, (row, col) m.

    Parameters
    ----------
    heights
        (row, col) m; NaN where unknown, which counts as level 0.
    pixel_m
        Pixel, m.
    """
    known = np.nan_to_num(heights, nan=0.0)
    smooth = cv2.GaussianBlur(known, (0, 0), 0.6 / pixel_m)
    side = 2 * max(1, round(0.8 / pixel_m)) + 1
    return np.asarray(cv2.blur(np.abs(known - smooth), (side, side)), np.float32)
