"""What a surface model of one flight alone tells of a place: how high it stands there. Pure.

Without a second model nobody knows what stood there before. But what stands no higher than the
ground around it was not built, and what went stands high in the earlier model.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from change.height import bridged, ground_level, roughness

__all__ = ["Stand", "stand_of"]

# The ground is looked for in a ring around the place, between these distances of its rim, m.
_RING_M = (1.5, 8.0)
# Ground is asked of so many directions, and must be known in half of them: a slope lifts one side
# and lowers the other, a neighbour hides one.
_SECTORS = 8
# The lows of the ring that lie farther than this above the plane through them are no ground, m.
_OFF_M = 1.0
# Nothing is known better than this, m: the noise of good surface models over a few metres.
_LEAST_ERROR_M = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """How a place stands above the ground around it in one flight."""

    height_m: float
    """Median height above the ground around, m."""
    error_m: float
    """Expected error of ``height_m`` (one sigma), m."""
    roughness_m: float
    """Median distance of the surface from its smoothed self, m: crowns are rough."""
    known: float
    """Share of the place that has heights, in [0, 1]."""


def stand_of(
    heights: NDArray[np.float32], inside: NDArray[np.bool_], pixel_m: float
) -> Stand | None:
    """Return how a place stands above the ground around; None where heights do not tell.

    Parameters
    ----------
    heights
        (row, col) of one surface model on any datum, m; NaN where unknown. It should reach 8 m
        beyond the place.
    inside
        (row, col); True within the place.
    pixel_m
        Pixel, m.

    Examples
    --------
    >>> heights = np.full((120, 120), 7.0, np.float32)
    >>> house = np.zeros((120, 120), bool)
    >>> house[45:75, 45:75] = True
    >>> heights[house] = 10.0
    >>> stand_of(heights, house, 0.2).height_m
    3.0
    """
    known = np.isfinite(heights) & inside
    if not known.any():
        return None
    filled = bridged(heights, pixel_m)
    ground = _ground_below(filled, inside, pixel_m)
    if ground is None:
        return None
    level, error = ground
    values = heights[known]
    spread = 1.4826 * float(np.median(np.abs(values - np.median(values))))
    pieces = max(1.0, known.sum() * pixel_m**2 / _RING_M[0] ** 2)
    return Stand(
        height_m=float(np.median(values) - level),
        error_m=math.hypot(error, spread / math.sqrt(pieces)),
        roughness_m=roughness(heights, inside),
        known=float(known.sum() / inside.sum()),
    )


def _ground_below(
    heights: NDArray[np.float32], inside: NDArray[np.bool_], pixel_m: float
) -> tuple[float, float] | None:
    """Return the level of the ground below the middle of a place, and its error, m."""
    rows, cols = np.nonzero(inside)
    middle = rows.mean(), cols.mean()
    all_rows, all_cols = np.indices(heights.shape)
    down, right = (all_rows - middle[0]) * pixel_m, (all_cols - middle[1]) * pixel_m
    ring = _ring(inside, pixel_m)
    sector = np.floor((np.arctan2(down, right) / (2 * math.pi) + 0.5) * _SECTORS).astype(int)
    lows = []
    for number in range(_SECTORS):
        part = ring & (sector % _SECTORS == number) & np.isfinite(heights)
        if part.any():
            # The place of the lows themselves: on a slope they lie on one side.
            low = part & (heights <= ground_level(heights, part))
            place = float(down[low].mean()), float(right[low].mean())
            lows.append((*place, 1.0, float(heights[low].mean())))
    table = np.array(lows)
    for _turn in range(_SECTORS // 2):
        if len(table) < _SECTORS // 2:
            return None
        plane, *_rest = np.linalg.lstsq(table[:, :3], table[:, 3], rcond=None)
        off = table[:, 3] - table[:, :3] @ plane
        if off.max() <= _OFF_M:
            break
        table = np.delete(table, int(off.argmax()), axis=0)
    error = float(np.sqrt(np.mean(off**2) / max(1, len(table) - 3)))
    return float(plane[2]), max(error, _LEAST_ERROR_M)


def _ring(inside: NDArray[np.bool_], pixel_m: float) -> NDArray[np.bool_]:
    distance = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, 5) * pixel_m
    return np.asarray((distance >= _RING_M[0]) & (distance <= _RING_M[1]))
