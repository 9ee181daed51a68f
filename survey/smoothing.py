"""Values on a lattice made smooth, whatever is missing or wrong among them. Pure.

Which nodes contradict their neighbours is told by the normalised median test (Westerweel and
Scarano 2005). The rest is smoothed by penalised least squares in the cosine domain with
outliers weighed down (Garcia 2010, "Robust smoothing of gridded data in one and higher dimensions
with missing values"), as smooth as the ties allow (Morozov 1966).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

__all__ = ["Smoothed", "agree_with_neighbours", "smooth_nodes"]

Nodes = NDArray[np.float32]

# Normalised median test: the limit of the paper is 2; trials on leaning roofs and crowns found
# 4 to lose fewer ties on bent ground.
_MEDIAN_LIMIT = 4.0
_LEAST_NEIGHBOURS = 4
_STRIP = 64  # rows
# Smoothness among which the ties choose. Less than the first follows roofs that lean (benchmarks,
# tuning draw); ten times the last is an affine field on any lattice tried.
_SMOOTHNESS = (0.1, 0.3, 1.0, 3.0, 10.0)
# Where ties are noisy even the softest field misses them: with white noise the stiffest by 1.6
# times as much.
_NOISE_RATIO = 1.5
_CHOOSING, _REWEIGHTED = 2, 4
# Rounds of the solver at most: where better weights follow, and where there is but one solution.
_ROUNDS, _ROUNDS_ALONE = 10, 60
# Weight of what was known before against a tie at the same place: over some five nodes without
# ties the bend of their rim dies away.
_PRIOR = np.float32(3e-4)
# Mean square of what is left, m2, at which a solution is as good as the ties: a tenth of a mm.
_CONVERGED = 1e-8
# Tukey's bisquare at 95 % efficiency.
_BISQUARE = 4.685
# Median length of a plane vector of unit normal components.
_RAYLEIGH = 1.1774


@dataclass(frozen=True, slots=True, kw_only=True)
class Smoothed:
    """Smooth values, and what they were made of."""

    values: Nodes
    """(2, row, col)."""
    weight: Nodes
    """(row, col); 0 where a node was missing or found wrong, up to what it was given."""
    smoothness: float
    """The weight of bending against misfit that was used."""


def agree_with_neighbours(
    values: Nodes, seen: NDArray[np.bool_], *, noise: float, spread: float
) -> NDArray[np.bool_]:
    """Return which nodes agree with their neighbours in both components.

    Parameters
    ----------
    values
        (2, row, col).
    seen
        (row, col); where ``values`` mean something.
    noise
        Differences below this say nothing, in the unit of ``values``.
    spread
        Neighbours that differ by more than this among themselves (median deviation) tell nothing,
        and a node among them is taken for wrong.
    """
    good = seen.copy()
    for component in values:
        padded = np.pad(np.where(seen, component, np.inf), 2, constant_values=np.inf)
        # In strips, since every node comes with 24 others.
        for first in range(0, len(good), _STRIP):
            rows = slice(first, first + _STRIP)
            around = _neighbours(padded[first : first + _STRIP + 4])
            middle, count = _median(around)
            away = np.abs(around - middle[..., None])
            away[~np.isfinite(away)] = np.inf
            typical, _count = _median(away)
            off = np.abs(component[rows] - middle)
            with np.errstate(invalid="ignore"):
                good[rows] &= (off <= _MEDIAN_LIMIT * (typical + noise)) & (typical <= spread)
            good[rows] &= count >= _LEAST_NEIGHBOURS
    return good


def _neighbours(padded: Nodes) -> Nodes:
    """Return (row, col, 24): the 5 x 5 around every node without it, from 2 more on all sides."""
    views = np.lib.stride_tricks.sliding_window_view(padded, (5, 5))
    flat = views.reshape(*views.shape[:2], 25)
    return np.delete(flat, 12, axis=-1).astype(np.float32)


def _median(values: Nodes) -> tuple[Nodes, NDArray[np.int64]]:
    """Return the median of what is finite along the last axis, NaN where nothing is, and how many.

    Sorting once is ten times as fast as ``nanmedian`` on these.
    """
    count = np.isfinite(values).sum(axis=-1)
    ordered = np.sort(values, axis=-1)
    low = np.maximum(count - 1, 0)[..., None] // 2
    high = np.minimum(count // 2, values.shape[-1] - 1)[..., None]
    one, other = (np.take_along_axis(ordered, at, -1)[..., 0] for at in (low, high))
    with np.errstate(invalid="ignore"):
        middle = np.where(count > 0, 0.5 * (one + np.where(np.isfinite(other), other, one)), np.nan)
    return middle.astype(np.float32), count


def smooth_nodes(
    values: Nodes,
    weight: Nodes,
    start: Nodes,
    *,
    floor: float,
    smoothness: float | None = None,
    screened: bool = False,
) -> Smoothed:
    """Smooth two components on one lattice.

    Parameters
    ----------
    values
        (2, row, col); anything where ``weight`` is 0.
    weight
        (row, col), 0 to 1.
    start
        (2, row, col); far from all other nodes the result goes back to it.
    floor
        Residuals of this size are noise, however well the rest fits.
    smoothness
        Where it is known already; otherwise the largest that fits.
    screened
        Whether what is wrong was found before: then nothing is weighed down.
    """
    stiffness = _stiffness(weight.shape)
    kept = weight.astype(np.float32)
    values, smooth = values - start, np.zeros_like(start)
    chosen = _SMOOTHNESS[0] if smoothness is None else smoothness
    turns, rounds = (1, _ROUNDS_ALONE) if screened else (_REWEIGHTED, _ROUNDS)
    for turn in range(turns):
        if not (kept > 0).any():
            break
        smooth = _solve(values, kept, smooth, stiffness, chosen, rounds)
        if smoothness is None and turn < _CHOOSING:
            chosen = _smoothest(values, kept, smooth, stiffness, floor)
        if not screened:
            kept = weight * _bisquare(np.hypot(*(values - smooth)), kept > 0, chosen, floor)
    return Smoothed(values=smooth + start, weight=kept.astype(np.float32), smoothness=chosen)


def _stiffness(shape: tuple[int, ...]) -> Nodes:
    """Return the squared eigenvalues of the Laplacian in the cosine domain, (row, col)."""
    bend = [2.0 - 2.0 * np.cos(np.pi * np.arange(side) / side) for side in shape]
    return np.asarray((bend[0][:, None] + bend[1][None, :]) ** 2, np.float32)


def _solve(
    values: Nodes,
    weight: Nodes,
    start: Nodes,
    stiffness: Nodes,
    smoothness: float,
    rounds: int,
) -> Nodes:
    """Minimise weighted misfit and bending by conjugate gradients in the cosine domain.

    Garcia's fixed-point iteration takes hundreds of rounds over holes of a dozen nodes; these are
    the same equations, preconditioned by the filter itself, and ten rounds from near do.
    """
    root = np.sqrt(1.0 / (1.0 + np.float32(smoothness) * stiffness))
    missing = np.asarray(1.0 - np.maximum(weight, _PRIOR), np.float32)

    def apply(u: Nodes) -> Nodes:
        return np.asarray(u - root * _cosines(missing * _back(root * u)), np.float32)

    u = _cosines(start) / root
    rest = root * _cosines(weight * values) - apply(u)
    way, size = rest, float((rest * rest).sum())
    for _ in range(rounds):
        if size < _CONVERGED * values.size:
            break
        pulled = apply(way)
        length = size / float((way * pulled).sum())
        u = u + length * way
        rest = rest - length * pulled
        size, before = float((rest * rest).sum()), size
        way = rest + (size / before) * way
    return _back(np.asarray(root * u, np.float32))


def _cosines(nodes: Nodes) -> Nodes:
    return np.asarray(fft.dctn(nodes, axes=(1, 2), norm="ortho"), np.float32)


def _back(spectrum: Nodes) -> Nodes:
    return np.asarray(fft.idctn(spectrum, axes=(1, 2), norm="ortho"), np.float32)


def _smoothest(
    values: Nodes, weight: Nodes, smooth: Nodes, stiffness: Nodes, floor: float
) -> float:
    """Return the largest smoothness that still fits the ties to within their noise.

    Morozov's discrepancy principle (1966), with the median residual: roofs that lean are a minority
    that a mean would have the field follow, while bends of the ground itself move most ties. Cross-
    validation would follow them too, since neighbouring ties share their pixels. What is missing or
    weighed down is filled from a first solution; then each trial takes one transform.
    """
    known = weight > 0
    spectrum = _cosines(np.asarray(smooth + weight * (values - smooth), np.float32))
    limit, chosen = 0.0, _SMOOTHNESS[0]
    for smoothness in _SMOOTHNESS:
        passed = 1.0 / (1.0 + np.float32(smoothness) * stiffness)
        missed = np.hypot(*_back(np.asarray((1.0 - passed) * spectrum, np.float32)))
        middle = float(np.median(missed[known]))
        limit = limit or max(floor, _NOISE_RATIO * middle)
        if middle > limit:
            break
        chosen = smoothness
    return chosen


def _bisquare(missed: Nodes, known: NDArray[np.bool_], smoothness: float, floor: float) -> Nodes:
    """Return weights by studentised residuals (Garcia 2010, equation 16 for the leverage)."""
    root = np.sqrt(1.0 + 16.0 * smoothness)
    leverage = (np.sqrt(1.0 + root) / (np.sqrt(2.0) * root)) ** 2
    sigma = max(float(np.median(missed[known])) / _RAYLEIGH, floor) * np.sqrt(1.0 - leverage)
    ratio = missed / (_BISQUARE * sigma)
    return np.asarray(np.where(ratio < 1.0, (1.0 - ratio**2) ** 2, 0.0), np.float32)
