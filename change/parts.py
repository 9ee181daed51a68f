"""What a map shows at a candidate, told apart into structures. Pure."""

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import watershed

from change.evidence import WORTH_A_LOOK

__all__ = ["draw_parts"]

# An outline is drawn where a map falls to half of what it says of the middle, at most here.
_HALF, _MOST_LEVEL = 0.5, 0.5
_MIDDLE = 95  # per cent
# Levels at which one place may prove to be two, and the share of the smallest structure from which
# on a summit counts as one.
_STEPS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_SUMMIT_SHARE = 0.6


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
    drawn = inside & (likely >= level)
    marks = _summits(likely, drawn, level, _SUMMIT_SHARE * least_px)
    labels = watershed(-likely, marks, mask=drawn)
    return [labels == number for number in range(1, int(labels.max()) + 1)]


def _summits(
    likely: NDArray[np.float32], drawn: NDArray[np.bool_], level: float, least_px: float
) -> NDArray[np.int32]:
    """Mark every structure once: where a place falls into several as the level rises, each."""
    marks = _labels(drawn)
    for step in _STEPS:
        if step <= level:
            continue
        above = _labels(drawn & (likely >= step))
        sizes = np.bincount(above.ravel())
        owner = np.zeros(len(sizes), np.int32)
        owner[above[above > 0]] = marks[above > 0]
        large = [n for n in range(1, len(sizes)) if sizes[n] >= least_px and owner[n] > 0]
        for mark in {int(owner[n]) for n in large}:
            tops = [n for n in large if owner[n] == mark]
            if len(tops) < 2:
                continue
            marks[marks == mark] = 0
            for top in tops:
                marks[above == top] = marks.max() + 1
    return marks


def _labels(mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    _count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    return np.asarray(labels, np.int32)
