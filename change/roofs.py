"""What pictures show by their colours: leaves and grass, painted steel. Pure."""

import cv2
import numpy as np
from numpy.typing import NDArray

from survey.light import greenness

__all__ = ["is_green", "leaves_gone", "steel_share"]

# Excess green of leaves and grass lies above this in the daylight of every season they are green in
# (Meyer and Neto 2008 put the threshold of excess green minus excess red at zero, about here).
_GREEN = 0.06
# A place shows leaves where most of what lies within this does, m.
_LEAVES_M = 1.0
# Blue or red beyond this (8-bit a*, b* around 128) is paint or tile: of the labelled drone tiles of
# Banepa (CC BY 4.0) 6 % of the roof pixels are, and 0.7 % of the ground.
_PAINTED = 12.0


def is_green(colour: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return where a picture (3, row, col) shows leaves or grass, (row, col)."""
    return np.asarray(greenness(colour) > _GREEN)


def leaves_gone(
    leafy: NDArray[np.uint8], bare: NDArray[np.uint8], pixel_m: float
) -> NDArray[np.bool_]:
    """Return where one picture shows leaves or grass and the other does not.

    Parameters
    ----------
    leafy, bare
        (3, row, col), red green blue.
    pixel_m
        Pixel, m.

    Returns
    -------
    ndarray
        (row, col).
    """
    return _mostly_green(leafy, pixel_m) & ~_mostly_green(bare, pixel_m)


def _mostly_green(picture: NDArray[np.uint8], pixel_m: float) -> NDArray[np.bool_]:
    side = 2 * max(1, round(_LEAVES_M / pixel_m / 2)) + 1
    return np.asarray(cv2.blur(is_green(picture).astype(np.float32), (side, side)) >= 0.5)


def steel_share(lab: NDArray[np.uint8], inside: NDArray[np.bool_]) -> float:
    """Return the share of a place that is strongly blue or red, as painted steel sheds are."""
    if not inside.any():
        return 0.0
    a, b = lab[1][inside].astype(np.float32) - 128, lab[2][inside].astype(np.float32) - 128
    blue, red = b < -_PAINTED, (a > _PAINTED) & (a > 0.8 * b)
    return float(np.mean(blue | red))
