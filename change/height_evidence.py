"""Where one surface model rises above another as a structure does: the candidates. Pure.

Everything is local, within ``REACH_M`` of a pixel, so that tiles cut anywhere give the same.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from change.height import bridged, disc, height_gain
from survey.settings import DetectSettings

__all__ = ["REACH_M", "rises"]

REACH_M = 7.0
"""How far around a pixel heights decide whether it rises, m."""

# Photogrammetry draws walls as slopes about a metre wide: what gained less than this share of what
# lies nearer than so many metres is the foot of its wall, and parts it from what it touches.
_FOOT_M, _FOOT_SHARE = 0.8, 0.65
# A structure shows where it gains this share of the least height beyond what misalignment may have
# moved there, and is followed from there over what gains this share of it, so far, m.
_SEED_SHARE, _FILL_SHARE, _FOLLOWED_M = 0.7, 0.5, 1.2
# Gaps and slivers narrower than this are closed and cut off, m: half the width of the least shed.
_CLOSE_M, _OPEN_M = 0.4, 1.2
# Slabs and foundations rise by so much (least, most), m; over the first length they are level to
# the second (grass and crops are not), and they are wider than the third, m.
_SLAB_M, _LEVEL_OVER_M, _LEVEL_M, _SLAB_WIDTH_M = (0.22, 1.2), 1.4, 0.11, 2.4
# Single pixels and posts stand out of slabs: the median over this length is what rises, m.
_MEDIAN_M = 1.0


def rises(
    lower: NDArray[np.float32],
    upper: NDArray[np.float32],
    reach: int,
    pixel_m: float,
    settings: DetectSettings,
    slabs: NDArray[np.bool_] | None = None,
) -> NDArray[np.bool_]:
    """Return where ``upper`` rises above ``lower`` as a structure may, touching ones apart.

    Parameters
    ----------
    lower, upper
        (row, col) heights on one datum, m; NaN where unknown. Exchange them for what sank.
    reach
        How far the two may be misaligned, pixels.
    pixel_m
        Pixel, m.
    settings
        The least height of a structure.
    slabs
        (row, col); True where a low and level rise counts too: the picture changed there and
        shows no leaves. None for nowhere.

    Returns
    -------
    array
        (row, col), True within what rose. It covers the middle of each part; ``judge_by_height``
        draws the outline.
    """
    low, high = bridged(lower, pixel_m), bridged(upper, pixel_m)
    gain = np.nan_to_num(high - low, nan=0.0)
    tolerant = np.nan_to_num(height_gain(low, high, reach), nan=0.0)
    found = _walled(gain, tolerant, pixel_m, settings)
    if slabs is not None:
        found |= _slabs(gain, pixel_m) & slabs
    return found


def _walled(
    gain: NDArray[np.float32],
    tolerant: NDArray[np.float32],
    pixel_m: float,
    settings: DetectSettings,
) -> NDArray[np.bool_]:
    """Return what rises between walls."""
    least = settings.min_height_m
    highest = cv2.dilate(gain, disc(2 * _FOOT_M, pixel_m))
    weak = (gain >= _FILL_SHARE * least) & (gain >= _FOOT_SHARE * highest)
    mask = _cleaned(weak, _CLOSE_M, _OPEN_M, pixel_m)
    seeds = mask & (tolerant >= _SEED_SHARE * least)
    step = np.ones((3, 3), np.uint8)
    grown = seeds.astype(np.uint8)
    for _step in range(max(1, round(_FOLLOWED_M / pixel_m))):
        grown = np.asarray(cv2.dilate(grown, step), np.uint8) * mask
    return np.asarray(grown > 0)


def _slabs(gain: NDArray[np.float32], pixel_m: float) -> NDArray[np.bool_]:
    """Return what rises a little and is level."""
    side = 3 if pixel_m > _MEDIAN_M / 4 else 5
    smooth = cv2.medianBlur(cv2.medianBlur(gain.astype(np.float32), side), side)
    over = 2 * max(1, round(_LEVEL_OVER_M / pixel_m / 2)) + 1
    mean = cv2.blur(smooth, (over, over))
    spread = np.sqrt(np.maximum(cv2.blur(smooth * smooth, (over, over)) - mean * mean, 0.0))
    level = (mean >= _SLAB_M[0]) & (mean <= _SLAB_M[1]) & (spread <= _LEVEL_M)
    return _cleaned(level, _CLOSE_M, _SLAB_WIDTH_M, pixel_m)


def _cleaned(
    mask: NDArray[np.bool_], close_m: float, open_m: float, pixel_m: float
) -> NDArray[np.bool_]:
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, disc(close_m, pixel_m))
    return np.asarray(cv2.morphologyEx(closed, cv2.MORPH_OPEN, disc(open_m, pixel_m)) > 0)
