"""What a map shows at a candidate, told apart into structures. Pure."""

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import watershed

from change.model.second_look import WORTH_A_LOOK

__all__ = ["draw_parts"]

# An outline is drawn where a map falls to half of what it says of the middle, at most here.
_HALF, _MOST_LEVEL = 0.5, 0.5
_MIDDLE = 95  # per cent
# Levels at which one place may prove to be two, and the share of the smallest structure from which
# on a summit counts as one.
_STEPS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
_SUMMIT_SHARE = 0.6
# Two structures fill the rectangles around them better than what they make together, or as well: a
# large roof of which a map is now more and now less sure falls into rags.
_NO_WORSE = 0.05
# The ground between two structures is, on average, at most this share of what a map says of the
# lesser one.
_VALLEY = 0.85
_AROUND = np.ones((3, 3), np.uint8)


def draw_parts(
    likely: NDArray[np.float32], inside: NDArray[np.bool_], least_px: float
) -> list[NDArray[np.bool_]]:
    """Return the structures that a map shows inside a candidate.

    Parameters
    ----------
    likely
        (row, col), how likely a structure appeared (went), in [0, 1].
    inside
        (row, col), the candidate.
    least_px
        Area of the smallest structure, pixels.

    Returns
    -------
    list of array
        Masks (row, col) that do not overlap, from top to bottom.
    """
    middle = float(np.percentile(likely[inside], _MIDDLE))
    level = float(np.clip(_HALF * middle, WORTH_A_LOOK, _MOST_LEVEL))
    wholes = _labels(inside & (likely >= level))
    found = []
    for number in range(1, int(wholes.max()) + 1):
        found += _told_apart(likely, wholes == number, level, _SUMMIT_SHARE * least_px)
    return found


def _told_apart(
    likely: NDArray[np.float32], whole: NDArray[np.bool_], level: float, least_px: float
) -> list[NDArray[np.bool_]]:
    """Return the structures that a place falls into as the level rises; itself if it does not."""
    if np.count_nonzero(whole) < 2 * least_px:
        return [whole]
    for step in _STEPS:
        if step <= level:
            continue
        above = _labels(whole & (likely >= step))
        sizes = np.bincount(above.ravel())
        summits = [n for n in range(1, len(sizes)) if sizes[n] >= least_px]
        if not summits:
            break
        if len(summits) == 1:
            continue
        marks = np.where(np.isin(above, summits), above, 0)
        flooded = watershed(-likely, marks, mask=whole)
        parts = [flooded == n for n in summits]
        fits = _filling(parts) >= _filling([whole]) - _NO_WORSE
        if fits and _parted(likely, flooded, parts):
            return [p for part in parts for p in _told_apart(likely, part, step, least_px)]
    return [whole]


def _parted(
    likely: NDArray[np.float32], flooded: NDArray[np.int32], parts: list[NDArray[np.bool_]]
) -> bool:
    """Whether what lies between parts is as low as ground between structures is."""
    numbers = flooded.astype(np.float32)
    highest = cv2.dilate(numbers, _AROUND)
    lowest = cv2.erode(np.where(flooded > 0, numbers, np.float32(np.inf)), _AROUND)
    between = (flooded > 0) & (highest > lowest)
    tops = min(float(np.median(likely[part])) for part in parts)
    return bool(float(likely[between].mean()) <= _VALLEY * tops)


def _filling(parts: list[NDArray[np.bool_]]) -> float:
    """Return how much of the smallest rectangles around them parts fill, holes being filled."""
    filled = around = 0.0
    for part in parts:
        rings, _tree = cv2.findContours(
            part.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
        )
        outer = max(rings, key=cv2.contourArea)
        # Contours run through the middles of the rim's pixels: half a pixel is missing all round.
        _middle, (width, height), _turn = cv2.minAreaRect(outer)
        around += (width + 1.0) * (height + 1.0)
        filled += cv2.contourArea(outer) + cv2.arcLength(outer, closed=True) / 2 + 1.0
    return filled / around


def _labels(mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    _count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    return np.asarray(labels, np.int32)
