"""How far two surface models lie apart horizontally, told by their own relief. Pure.

The method of Nuth and Kääb (2011), "Co-registration and bias corrections of satellite elevation
data sets for quantifying glacier thickness change", The Cryosphere 5: where a slope is seen a
distance away, heights differ by that distance times the slope, so that their difference over the
tangent of the slope is a cosine of the aspect, of which amplitude and phase are the shift. It is
solved, the model moved, and solved again until nothing moves.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from survey.heights import slopes

__all__ = ["ReliefShift", "fit_relief", "moved_heights"]

# Slopes that tell: below, noise is divided by nearly nothing; above stands a wall, whose place in a
# surface model says more of its smoothing than of a shift (m per m).
_SLOPES = (0.1, 3.0)
# A difference beyond this is a change and no shift: a shift of 2 m down a slope of one, m.
_LARGEST_M = 2.0
_LEAST_SAMPLES, _MOST_SAMPLES = 200, 30_000
_ROUNDS = 8
# Bisquare weights end at this many standard deviations (Holland and Welsch 1977).
_SIGMAS = 4.685
# Parts along a side of the area that are left out in turn, to tell the error.
_PARTS = 5
# What all parts have in common escapes that (edges that matching misplaced, crowns in leaf): on
# simulated flights shifts were wrong by this in the root mean square, m (benchmarks/surfaces.py).
_COMMON_M = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliefShift:
    """What the relief tells of the after model against the before model."""

    east: float
    """How much further east the after model shows the ground, m."""
    north: float
    """How much further north the after model shows the ground, m."""
    error_m: float
    """Expected error of the shift (one sigma of the worse direction), m."""
    samples: int
    """Pixels on slopes that it was taken from."""
    spread_before_m: float
    """Spread of the height differences on those slopes as the models lie (1.4826 times the median
    deviation), m."""
    spread_after_m: float
    """The same once the after model is moved by the shift that the *other* half of the area
    tells, m: only what holds for both halves makes it smaller."""

    @property
    def distance_m(self) -> float:
        """Length of the shift, m."""
        return float(np.hypot(self.east, self.north))


def moved_heights(
    heights: NDArray[np.float32], pixel_m: float, *, east: float, north: float
) -> NDArray[np.float32]:
    """Return the heights found (east, north) metres away from every pixel; NaN beyond the edge."""
    rows, cols = heights.shape
    matrix = np.array([[1, 0, east / pixel_m], [0, 1, -north / pixel_m]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(
        heights,
        matrix,
        (cols, rows),
        flags=flags,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=np.nan,
    )
    return np.asarray(moved, np.float32)


def fit_relief(
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    pixel_m: float,
    usable: NDArray[np.bool_] | None = None,
) -> ReliefShift | None:
    """Find the shift between two surface models on one datum.

    Parameters
    ----------
    before, after
        (row, col) heights on one grid and one datum, m; NaN where unknown.
    pixel_m
        Side of a pixel, m.
    usable
        (row, col); where the ground may be asked: not where vegetation grew. None asks everywhere.

    Returns
    -------
    ReliefShift or None
        None where there are too few slopes.

    Examples
    --------
    >>> x, y = np.meshgrid(np.arange(120.0), np.arange(100.0))
    >>> hills = np.float32(8 * np.sin(x / 9) * np.cos(y / 7))
    >>> found = fit_relief(hills, moved_heights(hills, 1.0, east=-0.6, north=0.3), 1.0)
    >>> round(found.east, 1), round(found.north, 1)
    (0.6, -0.3)
    """
    # A model that is moved by part of a pixel comes out softer: beforehand both are made so.
    before, after = _softened(before), _softened(after)
    slope = np.stack(slopes(before, pixel_m))
    told = _telling(slope, np.isfinite(after) if usable is None else usable & np.isfinite(after))
    part = _parts(before.shape)
    even = part % 2 == 0
    found, by_even, by_odd = (
        _settle((before, after), pixel_m, slope, told & half, part)
        for half in (np.ones_like(told), even, ~even)
    )
    if found is None or by_even is None or by_odd is None:
        return None
    crossed = [
        moved_heights(after, pixel_m, east=shift[0], north=shift[1])
        for shift, _error, _count in (by_odd, by_even)
    ]
    rest = np.where(even, crossed[0], crossed[1]) - before
    return ReliefShift(
        east=float(found[0][0]),
        north=float(found[0][1]),
        error_m=float(np.hypot(found[1], _COMMON_M)),
        samples=found[2],
        spread_before_m=_spread((after - before)[told]),
        spread_after_m=_spread(rest[told]),
    )


def _softened(heights: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(heights, (0, 0), 1.0), np.float32)


def _telling(slope: NDArray[np.float32], usable: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels whose slope tells of a shift, thinned where there are more than needed."""
    steep = np.hypot(slope[0], slope[1])
    told: NDArray[np.bool_] = usable & (steep > _SLOPES[0]) & (steep < _SLOPES[1])
    places = np.flatnonzero(told)
    if len(places) > _MOST_SAMPLES:
        told = np.zeros_like(told)
        some = np.random.default_rng(0).choice(places, _MOST_SAMPLES, replace=False)
        told.ravel()[some] = True
    return told


def _parts(shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Return the number of the part of the area that each pixel lies in; neighbours alternate."""
    row = np.arange(shape[0]) * _PARTS // shape[0]
    col = np.arange(shape[1]) * _PARTS // shape[1]
    return np.asarray(row[:, None] * _PARTS + col[None, :])


def _settle(
    models: tuple[NDArray[np.float32], NDArray[np.float32]],
    pixel_m: float,
    slope: NDArray[np.float32],
    told: NDArray[np.bool_],
    part: NDArray[np.int64],
) -> tuple[NDArray[np.float64], float, int] | None:
    """Return (east, north) of the shift, its error and the number of samples; None with few."""
    before, after = models
    shift, error, samples = np.zeros(2), 0.0, 0
    for _round in range(_ROUNDS):
        moved = moved_heights(after, pixel_m, east=shift[0], north=shift[1])
        rest = (moved - before)[told].astype(np.float64)
        fine = np.abs(rest) < _LARGEST_M
        samples = int(fine.sum())
        if samples < _LEAST_SAMPLES or len(np.unique(part[told][fine])) < 3:
            return None
        # Seen further east by d, ground that rises eastwards looks lower by d times its slope.
        design = np.stack([-slope[0][told][fine], -slope[1][told][fine], np.ones(samples)], axis=1)
        step, error = _solve(design.astype(np.float64), rest[fine], part[told][fine])
        shift = shift + step
        if np.hypot(*step) < 0.01:
            break
    return shift, error, samples


def _solve(
    design: NDArray[np.float64], rest: NDArray[np.float64], part: NDArray[np.int64]
) -> tuple[NDArray[np.float64], float]:
    """Fit the cosine and return (east, north) with the error of the worse of both.

    Difference over tangent against cosine and sine of the aspect, weighted by the square of the
    tangent, is difference against the slopes east and north: noise is then the same everywhere.
    """
    found = np.zeros(3)
    weight = np.ones(len(rest))
    for _round in range(10):
        miss = rest - design @ found
        limit = _SIGMAS * max(_spread(miss), 0.02)
        weight = np.where(np.abs(miss) < limit, (1 - (miss / limit) ** 2) ** 2, 0.0)
        weighted = design * weight[:, None]
        found = _solved(weighted.T @ design, weighted.T @ rest)
    numbers = np.unique(part)
    spread = np.zeros(3)
    for number in numbers:
        kept = part != number
        weighted = design[kept] * weight[kept, None]
        left = _solved(weighted.T @ design[kept], weighted.T @ rest[kept])
        spread += (left - found) ** 2
    return found[:2], float(np.sqrt((len(numbers) - 1) / len(numbers) * spread[:2].max()))


def _solved(normal: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Solve normal equations; slopes that all run one way leave the other direction at zero."""
    return np.asarray(np.linalg.lstsq(normal, right, rcond=None)[0], np.float64)


def _spread(values: NDArray[np.floating]) -> float:
    """Return 1.4826 times the median deviation; 0 where nothing is known."""
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return 0.0
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))
