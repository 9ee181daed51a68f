"""A smooth field of displacements fitted to ties, with its uncertainty place by place. Pure.

The trend is a robust affine (Fischler and Bolles 1981 to find it, bisquare weights to refine it);
what remains is smoothed on a lattice of nodes by normalised convolution, which falls back to the
trend where no tie is near.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from survey.grid import Bounds, Coordinates
from survey.ties import Ties

__all__ = ["Affine2D", "Field", "fit_affine", "fit_field", "flat_field", "local_outliers"]

# Largest linear part (rotation, scale, shear) between two flights that is believed: 7 degrees.
# The prototype in the co-registration trials lost a true 5 degrees at 0.06.
_LARGEST_LINEAR = 0.12
_TRIALS = 500
# Weight of the trend against a tie at the same place, in the smoothing of what remains.
_TREND_WEIGHT = 0.05
# Normalised median test (Westerweel and Scarano 2005): threshold, and the noise in metres per metre
# of node spacing below which differences between neighbours mean nothing.
_MEDIAN_LIMIT = 4.0
_MEDIAN_NOISE = 0.005
# How fast the field becomes unknown beyond the nearest tie, m per m: the share by which the frozen
# trials' fields drift off over the first nodes without ties.
_DRIFT = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Affine2D:
    """An affine displacement around a centre."""

    center: tuple[float, float]
    """(x, y) the linear part is taken around, m."""
    coefficients: NDArray[np.float64]
    """(3, 2): rows for constant, x, y; columns for east, north."""

    def at(self, x: Coordinates, y: Coordinates) -> tuple[Coordinates, Coordinates]:
        """Return the displacement (east, north) at places, m."""
        c = self.coefficients
        u, v = x - self.center[0], y - self.center[1]
        return c[0, 0] + c[1, 0] * u + c[2, 0] * v, c[0, 1] + c[1, 1] * u + c[2, 1] * v


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Displacement of the after flight against the before flight over an area.

    Nodes are (row, col) with rows from north to south. A pixel of ground that the before flight
    shows at (x, y) is shown by the after flight at (x + east, y + north).
    """

    left: float
    """x of the first column of nodes, m."""
    top: float
    """y of the first row of nodes, m."""
    step: float
    """Distance between nodes, m."""
    east: NDArray[np.float64]
    """(row, col) displacement to the east at the nodes, m."""
    north: NDArray[np.float64]
    """(row, col) displacement to the north at the nodes, m."""
    uncertainty: NDArray[np.float64]
    """(row, col) expected error of the displacement (one sigma), m."""
    known: NDArray[np.bool_]
    """(row, col); False where the field is extrapolated: no tie within two nodes."""

    def shift(self, x: Coordinates, y: Coordinates) -> tuple[Coordinates, Coordinates]:
        """Return the displacement (east, north) at places, m; held constant beyond the nodes."""
        return self._at(self.east, x, y), self._at(self.north, x, y)

    def uncertainty_at(self, x: Coordinates, y: Coordinates) -> Coordinates:
        """Return the expected error of the displacement at places, m."""
        return self._at(self.uncertainty, x, y)

    def moved(self, *, east: float, north: float) -> "Field":
        """Return the field with a shift added everywhere, m."""
        return replace(self, east=self.east + east, north=self.north + north)

    def _at(self, values: NDArray[np.float64], x: Coordinates, y: Coordinates) -> Coordinates:
        row, col = (self.top - y) / self.step, (x - self.left) / self.step
        places = np.stack([np.ravel(row), np.ravel(col)])
        found = ndimage.map_coordinates(values, places, order=1, mode="nearest")
        return np.asarray(found).reshape(np.shape(x))


def flat_field(bounds: Bounds, *, uncertainty: float) -> Field:
    """Return the field that believes the georeferencing, to within ``uncertainty`` metres."""
    step = max(bounds.right - bounds.left, bounds.top - bounds.bottom, 1.0)
    zero = np.zeros((2, 2))
    return Field(
        left=bounds.left,
        top=bounds.top,
        step=step,
        east=zero,
        north=zero.copy(),
        uncertainty=np.full((2, 2), uncertainty),
        known=np.zeros((2, 2), bool),
    )


def fit_affine(
    ties: Ties, *, tolerance: float, rng: np.random.Generator
) -> tuple[Affine2D, NDArray[np.bool_]] | None:
    """Fit an affine displacement to ties among which many may be wrong.

    Parameters
    ----------
    ties
        At least three.
    tolerance
        How far a tie may lie from the affine and still agree with it, m.
    rng
        Draws the samples.

    Returns
    -------
    tuple or None
        The affine and which ties agree with it; None where no three ties give a believable one.
    """
    if ties.count < 3:
        return None
    center = (float(ties.x.mean()), float(ties.y.mean()))
    design = np.stack([np.ones(ties.count), ties.x - center[0], ties.y - center[1]], axis=1)
    moved = np.stack([ties.east, ties.north], axis=1)
    picks = np.stack([rng.choice(ties.count, 3, replace=False) for _ in range(_TRIALS)])
    good = np.abs(np.linalg.det(design[picks])) > 1e-6 * np.ptp(design[:, 1]) ** 2
    picks = picks[good]
    if len(picks) == 0:
        return None
    models = np.linalg.solve(design[picks], moved[picks])
    models = models[np.abs(models[:, 1:]).max(axis=(1, 2)) < _LARGEST_LINEAR]
    # Pure shifts compete too: with few ties they are the steadier answer.
    shifts = np.zeros((min(ties.count, _TRIALS), 3, 2))
    shifts[:, 0] = moved[: len(shifts)]
    models = np.concatenate([models, shifts])
    misses = np.stack([np.hypot(*(design @ m - moved).T) for m in models])
    best = int((misses < tolerance).sum(axis=1).argmax())
    coefficients = _refine(design, moved, models[best], tolerance)
    agree = np.hypot(*(design @ coefficients - moved).T) < tolerance
    return Affine2D(center=center, coefficients=coefficients), agree


def _refine(
    design: NDArray[np.float64],
    moved: NDArray[np.float64],
    start: NDArray[np.float64],
    limit: float,
) -> NDArray[np.float64]:
    """Refine an affine by bisquare-weighted least squares; few ties keep to a shift."""
    model = start
    for _ in range(10):
        miss = np.hypot(*(design @ model - moved).T) / limit
        weight = np.where(miss < 1, (1 - miss**2) ** 2, 0.0)
        if (weight > 0).sum() < 6:
            shift = np.average(moved, axis=0, weights=weight) if weight.sum() else start[0]
            return np.concatenate([shift[None], np.zeros((2, 2))])
        root = np.sqrt(weight)[:, None]
        model = np.asarray(np.linalg.lstsq(design * root, moved * root, rcond=None)[0], np.float64)
    return model


def local_outliers(ties: Ties, *, step: float) -> NDArray[np.bool_]:
    """Return which ties contradict their neighbours (normalised median test).

    Parameters
    ----------
    ties
        Ties on a lattice.
    step
        Distance between lattice nodes, m.
    """
    if ties.count == 0:
        return np.zeros(0, bool)
    row, col, shape = _nodes(ties, step)
    noise = _MEDIAN_NOISE * step
    wrong = np.zeros(ties.count, bool)
    for moved in (ties.east, ties.north):
        grid = np.full(shape, np.nan)
        grid[row, col] = moved
        padded = np.pad(grid, 2, constant_values=np.nan)
        around = np.lib.stride_tricks.sliding_window_view(padded, (5, 5)).reshape(*shape, 25)
        around = np.delete(around[row, col], 12, axis=1)
        enough = np.isfinite(around).sum(axis=1) >= 3
        around = np.where(enough[:, None], around, 0.0)
        middle = np.nanmedian(around, axis=1)
        spread = np.nanmedian(np.abs(around - middle[:, None]), axis=1)
        wrong |= ~enough | (np.abs(moved - middle) > _MEDIAN_LIMIT * (spread + noise))
    return wrong


def _nodes(ties: Ties, step: float) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[int, int]]:
    """Return the lattice (row, col) of every tie and the shape that holds them."""
    row = np.rint((ties.y.max() - ties.y) / step).astype(np.int64)
    col = np.rint((ties.x - ties.x.min()) / step).astype(np.int64)
    return row, col, (int(row.max()) + 1, int(col.max()) + 1)


def fit_field(ties: Ties, trend: Affine2D, bounds: Bounds, *, step: float, floor: float) -> Field:
    """Fit the field to ties that passed the tests.

    Parameters
    ----------
    ties
        On a lattice of ``step``.
    trend
        Their affine part.
    bounds
        The area the field must cover.
    step
        Distance between nodes, m.
    floor
        Smallest believable uncertainty, m.
    """
    width = int(np.ceil((bounds.right - bounds.left) / step)) + 2
    height = int(np.ceil((bounds.top - bounds.bottom) / step)) + 2
    # Nodes lie on the lattice of the ties, whichever corner of the area comes first.
    left = float(ties.x.min() - step * np.ceil((ties.x.min() - bounds.left) / step))
    top = float(ties.y.max() + step * np.ceil((bounds.top - ties.y.max()) / step))
    row = np.clip(np.rint((top - ties.y) / step).astype(np.int64), 0, height - 1)
    col = np.clip(np.rint((ties.x - left) / step).astype(np.int64), 0, width - 1)
    east, north = trend.at(ties.x, ties.y)
    weight = np.zeros((height, width))
    weight[row, col] = 1.0
    rest = []
    for values in (ties.east - east, ties.north - north):
        nodes = np.zeros((height, width))
        nodes[row, col] = values
        rest.append(_smooth(nodes, weight))
    x = left + step * np.arange(width)[None, :] + np.zeros((height, 1))
    y = top - step * np.arange(height)[:, None] + np.zeros((1, width))
    base = trend.at(x, y)
    missed = np.hypot(ties.east - east - rest[0][row, col], ties.north - north - rest[1][row, col])
    far = ndimage.distance_transform_edt(weight == 0) * step
    spread = _local_rms(missed, row, col, weight)
    return Field(
        left=left,
        top=top,
        step=step,
        east=base[0] + rest[0],
        north=base[1] + rest[1],
        uncertainty=np.hypot(np.maximum(spread, floor), _DRIFT * far),
        known=far <= 2 * step,
    )


def _smooth(values: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Smooth values known where ``weight`` is set; zero where nothing is near."""
    above = ndimage.gaussian_filter(values * weight, 1.0, mode="constant")
    below = ndimage.gaussian_filter(weight, 1.0, mode="constant")
    return np.asarray(above / (below + _TREND_WEIGHT * 0.16))


def _local_rms(
    missed: NDArray[np.float64],
    row: NDArray[np.int64],
    col: NDArray[np.int64],
    weight: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return how badly the ties around each node fit, m; the overall figure where none are."""
    square = np.zeros_like(weight)
    square[row, col] = missed**2
    overall = float(np.mean(missed**2)) if len(missed) else 0.0
    above = ndimage.gaussian_filter(square, 2.0, mode="constant") + 1e-3 * overall
    below = ndimage.gaussian_filter(weight, 2.0, mode="constant") + 1e-3
    return np.asarray(np.sqrt(above / below))
