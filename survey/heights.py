"""Two surface models on one datum: offset and tilt from ground that did not change. Pure.

Ellipsoidal and levelled heights differ by metres and photogrammetric models tilt, so nothing is
subtracted before the plane between the two has been taken from stable ground. Stable ground is
level in both models and bare in both pictures (`level_ground`): crowns and crops grow, and they
grow in one direction only, so that no robust fit would leave them out by itself. The plane that
most of it lies on is found by consensus (Fischler and Bolles 1981), refined by bisquare weights,
and its error is told by leaving out one part of the area after another (Efron and Tukey's
jackknife): differences of surface models are correlated over metres, so their number says little.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from survey.grid import Coordinates

__all__ = [
    "LARGEST_TILT",
    "PLAUSIBLE_M",
    "Datum",
    "fit_datum",
    "holds_zero_holes",
    "level_ground",
    "slopes",
]

PLAUSIBLE_M = (-500.0, 9000.0)
"""Between the Dead Sea's shore and the highest mountains, m: what lies outside is no height."""
LARGEST_TILT = 0.05
"""Tilt beyond this is a fault of the models, not of their datum, m per m: 5 m over 100 m. Without
ground control a block hangs on satellite heights good to some metres over some hundred metres."""

# Differences this far from the plane do not belong to stable ground, m.
_LIMIT = 0.5
# The plane is refined on what lies within this many standard deviations: less than the usual 4.7,
# because what is not ground lies on one side.
_SIGMAS = 3.5
# Nothing is known better than this, m: a third of the noise of good surface models.
_LEAST_SPREAD = 0.02
# A plane is believed only on this many samples of stable ground.
_LEAST_SAMPLES = 50
# The same as a share: below, what agrees does so by chance.
_LEAST_SHARE = 0.1
# More do not help: they stand side by side.
_MOST_SAMPLES = 30_000
_TRIALS, _TRIED_SAMPLES, _CONSENSUS_M = 400, 3000, 0.15
# Parts along a side of the area that are left out in turn.
_PARTS = 5
# What all parts have in common escapes that: grass that grew everywhere. On simulated flights a
# season apart offsets were wrong by 0.01 m in the root mean square (benchmarks/surfaces.py).
_COMMON_M = 0.01
# Zero is no height where 98 of 100 other heights lie farther from it than this, on one side, m.
_FAR_FROM_ZERO_M = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Datum:
    """The plane to take from the after model so that both stand on one datum."""

    center: tuple[float, float]
    """(x, y) where ``offset`` holds, m."""
    offset: float
    """Height of the after model above the before model on stable ground, m."""
    tilt: tuple[float, float]
    """How that height changes towards east and north, m per m."""
    residual_m: float
    """Spread of stable ground around the plane (1.4826 times the median deviation), m."""
    p95_m: float
    """95th percentile of the distance of stable ground from the plane, m."""
    stable_share: float
    """Share of all samples with two heights that lie within 0.5 m of the plane."""
    samples: int
    """How many samples of stable ground the plane was fitted to."""
    offset_error_m: float
    """Expected error of ``offset`` (one sigma), m; 0.5 where the samples lie in one corner."""
    tilt_error: tuple[float, float]
    """Expected error of ``tilt`` (one sigma), m per m."""

    def at(self, x: Coordinates, y: Coordinates) -> Coordinates:
        """Return the height of the plane at places, m."""
        return (
            self.offset + self.tilt[0] * (x - self.center[0]) + self.tilt[1] * (y - self.center[1])
        )


def holds_zero_holes(parts: Iterable[NDArray[np.float32]]) -> bool:
    """Return whether heights of exactly 0 are certain to be holes that somebody filled.

    They are where patches of 3 x 3 pixels and more are exactly 0 while the other heights, even the
    lowest hundredth, lie metres away on one side of it.

    Parameters
    ----------
    parts
        Windows of one model, each (row, col) in m; NaN where unknown.
    """
    others, patches = [], 0
    for heights in parts:
        zero = heights == 0
        patches += int(
            np.count_nonzero(
                cv2.erode(zero.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=0)
            )
        )
        others.append(heights[np.isfinite(heights) & ~zero])
    known = np.concatenate([np.zeros(0, np.float32), *others])
    if patches == 0 or len(known) < _LEAST_SAMPLES:
        return False
    low, high = np.percentile(known, [1, 99])
    return bool(low > _FAR_FROM_ZERO_M or high < -_FAR_FROM_ZERO_M)


def slopes(
    heights: NDArray[np.float32], pixel_m: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return how heights rise towards east and north, m per m, (row, col); NaN beside holes.

    Of 3 x 3 pixels (Horn 1981), as geographic information systems take them.
    """
    across = cv2.Sobel(heights, cv2.CV_32F, 1, 0, ksize=3, borderType=cv2.BORDER_REPLICATE)
    down = cv2.Sobel(heights, cv2.CV_32F, 0, 1, ksize=3, borderType=cv2.BORDER_REPLICATE)
    eighth = np.float32(1 / (8 * pixel_m))
    return np.asarray(across, np.float32) * eighth, -np.asarray(down, np.float32) * eighth


def level_ground(
    heights: NDArray[np.float32], pixel_m: float, *, slope: float, rough_m: float = 0.12
) -> NDArray[np.bool_]:
    """Return where a surface neither slopes nor is rough: no edges of roofs, crowns or walls.

    Parameters
    ----------
    heights
        (row, col) m; NaN where unknown.
    pixel_m
        Side of a pixel, m.
    slope
        Steepest slope that is still level, m per m.
    rough_m
        Largest root mean square distance of 3 x 3 pixels from the plane through them, m.
    """
    east, north = slopes(heights, pixel_m)
    padded = np.pad(heights, 1, mode="edge")
    rows, cols = heights.shape
    nine = [padded[r : r + rows, c : c + cols] for r in range(3) for c in range(3)]
    # By hand: OpenCV's running sums would carry one hole along its whole row.
    mean = sum(nine[1:], nine[0]) / np.float32(9)
    around = sum(((one - mean) ** 2 for one in nine), np.zeros_like(heights))
    tilted = (east**2 + north**2) * np.float32(6 * pixel_m**2)  # 6 of 9 pixels lie off each axis
    with np.errstate(invalid="ignore"):
        rough = np.maximum(around - tilted, 0) / 9
        return np.asarray((np.hypot(east, north) <= slope) & (rough <= rough_m**2))


def fit_datum(
    x: Coordinates,
    y: Coordinates,
    difference: NDArray[np.float64],
    level: NDArray[np.bool_] | None = None,
) -> Datum | None:
    """Fit the plane between two surface models.

    Parameters
    ----------
    x, y
        Where samples were taken, m, shape (n,).
    difference
        After minus before, m, shape (n,); NaN where either has no height.
    level
        (n,); True for level and bare ground, which alone decides. None takes all.

    Returns
    -------
    Datum or None
        None where too little stable ground was found, or it tilts beyond `LARGEST_TILT`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.uniform(0, 100, (2, 2000))
    >>> d = 3.2 + 0.001 * x + rng.normal(0, 0.05, 2000)
    >>> d[:800] += 6
    >>> datum = fit_datum(x, y, d)
    >>> round(float(datum.at(np.array([50.0]), np.array([50.0]))[0]), 2)
    3.25
    """
    seen = np.isfinite(difference)
    used = seen if level is None else seen & level
    if used.sum() < _LEAST_SAMPLES:
        return None
    if used.sum() > _MOST_SAMPLES:
        some = np.random.default_rng(0).choice(np.flatnonzero(used), _MOST_SAMPLES, replace=False)
        used = np.zeros(len(used), bool)
        used[some] = True
    center = (float(x[used].mean()), float(y[used].mean()))
    design = np.stack([np.ones(len(x)), x - center[0], y - center[1]], axis=1)
    fitted, wanted = design[used], difference[used]
    start = _agree(fitted, wanted)
    if start is None:
        return None
    plane, weight = _refine(fitted, wanted, start)
    rest = np.abs(wanted - fitted @ plane)
    stable = rest < _LIMIT
    few = stable.sum() < max(_LEAST_SAMPLES, _LEAST_SHARE * len(rest))
    if few or np.hypot(*plane[1:]) > LARGEST_TILT:
        return None
    error = _errors(fitted, wanted, weight, plane)
    return Datum(
        center=center,
        offset=float(plane[0]),
        tilt=(float(plane[1]), float(plane[2])),
        residual_m=1.4826 * float(np.median(rest[stable])),
        p95_m=float(np.percentile(rest[stable], 95)),
        stable_share=float((np.abs(difference[seen] - design[seen] @ plane) < _LIMIT).mean()),
        samples=int(stable.sum()),
        offset_error_m=float(error[0]),
        tilt_error=(float(error[1]), float(error[2])),
    )


def _agree(design: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return the plane that most samples agree with; None where no believable one holds enough."""
    rng = np.random.default_rng(0)
    some = np.sort(rng.choice(len(wanted), min(len(wanted), _TRIED_SAMPLES), replace=False))
    part, heights = design[some], wanted[some]
    picks = rng.integers(0, len(some), (_TRIALS, 3))
    # Samples close together tell nothing of a tilt.
    area = np.abs(np.linalg.det(part[picks]))
    good = area > 0.05 * np.ptp(part[:, 1]) * np.ptp(part[:, 2])
    planes = np.linalg.solve(part[picks[good]], heights[picks[good]][..., None])[..., 0]
    planes = planes[np.hypot(planes[:, 1], planes[:, 2]) <= LARGEST_TILT]
    level = np.zeros((_TRIALS // 4, 3))
    level[:, 0] = heights[rng.integers(0, len(some), len(level))]
    planes = np.concatenate([planes, level])
    rest = np.abs(planes @ part.T - heights) / _CONSENSUS_M
    cost = np.minimum(rest**2, 1).sum(axis=1)  # MSAC: Torr and Zisserman 2000
    best = int(cost.argmin())
    agreeing = (rest[best] < 1).mean() * len(wanted)
    return planes[best] if agreeing >= _LEAST_SAMPLES else None


def _refine(
    design: NDArray[np.float64], wanted: NDArray[np.float64], plane: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Refine a plane by bisquare weights; the spread is that of what the weights keep."""
    limit = _LIMIT
    weight = np.zeros(len(wanted))
    for _round in range(15):
        rest = wanted - design @ plane
        near = np.abs(rest) < limit
        spread = max(1.4826 * float(np.median(np.abs(rest[near]))), _LEAST_SPREAD)
        limit = min(_LIMIT, _SIGMAS * spread)
        weight = np.where(np.abs(rest) < limit, (1 - (rest / limit) ** 2) ** 2, 0.0)
        root = np.sqrt(weight)
        solved = np.linalg.lstsq(design * root[:, None], wanted * root, rcond=None)[0]
        plane = np.asarray(solved, np.float64)
    return plane, weight


def _errors(
    design: NDArray[np.float64],
    wanted: NDArray[np.float64],
    weight: NDArray[np.float64],
    plane: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return one sigma of (offset, tilt east, tilt north) by leaving out parts of the area.

    Samples in fewer than three parts cannot tell it: the error is then what stable ground may have.
    """
    part = np.zeros(len(wanted), np.int64)
    reach = np.maximum(np.ptp(design[:, 1:], axis=0) / 2, 1.0)
    for axis in (1, 2):
        place = (design[:, axis] - design[:, axis].min()) / (2 * reach[axis - 1]) * _PARTS
        part = part * _PARTS + np.clip(place.astype(np.int64), 0, _PARTS - 1)
    count = _PARTS**2
    normal, right = np.zeros((count, 3, 3)), np.zeros((count, 3))
    for number in range(count):
        mine = part == number
        weighted = design[mine] * weight[mine, None]
        normal[number], right[number] = weighted.T @ design[mine], weighted.T @ wanted[mine]
    full = normal.any(axis=(1, 2))
    known = int(full.sum())
    if known < 3:
        return np.array([_LIMIT, *(_LIMIT / reach)])
    whole, total = normal.sum(axis=0), right.sum(axis=0)
    inverse = np.linalg.pinv(whole[None] - normal[full], hermitian=True)
    left = np.einsum("nij,nj->ni", inverse, total[None] - right[full])
    spread = (known - 1) / known * ((left - plane) ** 2).sum(axis=0)
    return np.asarray(np.sqrt(spread + (_COMMON_M / np.array([1.0, *reach])) ** 2))
