"""What a map shows at a candidate, told apart into structures. Pure."""

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import watershed

from change.model.second_look import WORTH_A_LOOK

__all__ = ["draw_parts", "whole_roofs"]

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
# A structure is the whole of a roof of which it covers this share at least, where that adds this
# share to it at least: less is the rim, of which the maps of roofs know less than those of changes.
_OF_ROOF, _WORTH_ADDING = 0.4, 0.2
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


def whole_roofs(
    parts: list[NDArray[np.bool_]], roofs: NDArray[np.bool_]
) -> list[NDArray[np.bool_]]:
    """Return structures, each as the whole roof of which it was drawn in part.

    Parameters
    ----------
    parts
        Masks (row, col) that do not overlap, as `draw_parts` returns them.
    roofs
        (row, col); roofs that only the one picture shows.

    Returns
    -------
    list of array
        One for each part, in their order; it is the part itself where no roof makes it a good deal
        larger and as compact.
    """
    labels = _labels(roofs)
    sizes = np.bincount(labels.ravel())
    taken = np.logical_or.reduce(parts) if parts else np.zeros_like(roofs)
    found = []
    for part in parts:
        shared = np.bincount(labels[part], minlength=len(sizes))
        own = np.flatnonzero(shared >= np.maximum(1, _OF_ROOF * sizes))
        whole = part | (np.isin(labels, own[own > 0]) & ~taken)
        larger = np.count_nonzero(whole) >= (1 + _WORTH_ADDING) * np.count_nonzero(part)
        kept = whole if larger and _filling([whole]) >= _filling([part]) else part
        taken |= kept
        found.append(kept)
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
