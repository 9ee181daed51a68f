"""A smooth field of displacements fitted to ties, with its uncertainty place by place. Pure.

The trend is a robust affine (Fischler and Bolles 1981 to find it, bisquare weights to refine it);
what remains is smoothed on the lattice of the ties (``survey.smoothing``).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from survey.grid import Bounds, Coordinates
from survey.smoothing import agree_with_neighbours, smooth_nodes
from survey.ties import Ties

__all__ = [
    "Affine2D",
    "Field",
    "Fitted",
    "Lattice",
    "fit_affine",
    "fit_field",
    "flat_field",
    "told_by_held_back",
]

Start = Callable[[Coordinates, Coordinates], tuple[Coordinates, Coordinates]]

# Largest linear part (rotation, scale, shear) between two flights that is believed: 7 degrees.
# The prototype in the co-registration trials lost a true 5 degrees at 0.06.
_LARGEST_LINEAR = 0.12
_TRIALS = 500
# Nodes this far from a tie, or two of its steps, are extrapolated, m: about the wavelength at which
# the local bend of a mosaic is still worth anything.
_KNOWN_M = 25.0
# Noise of a tie that says nothing about its neighbours, and the difference among neighbours from
# which none of them is believed, pixels of the level.
_TIE_NOISE_PX, _TIE_SPREAD_PX = 0.1, 1.0
# A tie is used whose weight is at least this.
_LEAST_WEIGHT = 0.2
# Residuals below this are the noise of the correlation peak, pixels of the level.
_FLOOR_PX = 0.05
# How fast a field becomes unknown beyond the nearest tie, m per m, where ties show no bend at all.
_DRIFT = 0.002
# The cubic spline between nodes reaches so many nodes (its weights fall below a thousandth).
_SPLINE_REACH = 8
_STRAIGHT_ON: dict[str, Any] = {"mode": "reflect", "reflect_type": "odd"}
_AS_IS: dict[str, Any] = {"mode": "edge"}


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
    """(row, col); False where the field is extrapolated: no tie within 25 m or two nodes."""

    def shift(self, x: Coordinates, y: Coordinates) -> tuple[Coordinates, Coordinates]:
        """Return the displacement (east, north) at places, m; held constant beyond the nodes."""
        return self._at(self.east, x, y), self._at(self.north, x, y)

    def uncertainty_at(self, x: Coordinates, y: Coordinates) -> Coordinates:
        """Return the expected error of the displacement at places, m."""
        return self._at(self.uncertainty, x, y, order=1)

    def moved(self, *, east: float, north: float) -> "Field":
        """Return the field with a shift added everywhere, m."""
        return replace(self, east=self.east + east, north=self.north + north)

    def _at(
        self, values: NDArray[np.float64], x: Coordinates, y: Coordinates, order: int = 3
    ) -> Coordinates:
        """Interpolate node values, by a cubic spline unless told otherwise."""
        places = np.stack(
            [np.ravel((self.top - y) / self.step), np.ravel((x - self.left) / self.step)]
        )
        if places.size == 0:
            return np.zeros(np.shape(x))
        near = []
        for axis, side in enumerate(values.shape):
            places[axis] = np.clip(places[axis], 0, side - 1)
            low = max(0, math.floor(places[axis].min()) - _SPLINE_REACH)
            high = math.ceil(places[axis].max()) + _SPLINE_REACH + 1
            near.append(slice(low, min(high, side)))
            places[axis] -= low
        part = values[tuple(near)]
        if order > 1:
            # Continued straight beyond the rim: the spline would bend towards it.
            part = np.pad(part, _SPLINE_REACH, **_STRAIGHT_ON if min(part.shape) > 1 else _AS_IS)
            places += _SPLINE_REACH
        found = ndimage.map_coordinates(part, places, order=order, mode="nearest")
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


def fit_field(
    ties: Ties,
    trend: Affine2D,
    start: Start,
    bounds: Bounds,
    lattice: "Lattice",
    *,
    screened: bool = False,
) -> "Fitted":
    """Fit the field to ties among which some may still be wrong.

    Parameters
    ----------
    ties
        On a lattice, one to a node.
    trend
        Their affine part.
    start
        The displacement they are compared in; it holds where there are no ties over a large area.
    bounds
        The area the field must cover.
    lattice
        Of the ties.
    screened
        Whether the wrong ones were thrown out before: then all are followed alike.

    Returns
    -------
    Fitted
        The field, which ties it follows, and how smooth they let it be.
    """
    nodes = _Nodes.around(ties, bounds, lattice.step)
    base, before = trend.at(nodes.x, nodes.y), start(nodes.x, nodes.y)
    known = np.stack([b - t for b, t in zip(before, base, strict=True)]).astype(np.float32)
    values = known.copy()
    values[0][nodes.row, nodes.col] = ties.east - base[0][nodes.row, nodes.col]
    values[1][nodes.row, nodes.col] = ties.north - base[1][nodes.row, nodes.col]
    seen = np.zeros(nodes.shape, bool)
    seen[nodes.row, nodes.col] = True
    pixel = lattice.pixel_m
    agree = seen
    if not screened:
        agree = agree_with_neighbours(
            values - known, seen, noise=_TIE_NOISE_PX * pixel, spread=_TIE_SPREAD_PX * pixel
        )
    smooth = smooth_nodes(
        values,
        agree.astype(np.float32),
        known,
        floor=_FLOOR_PX * pixel,
        smoothness=lattice.smoothness,
        screened=screened,
    )
    used = smooth.weight > _LEAST_WEIGHT
    east, north = (b + v for b, v in zip(base, smooth.values.astype(np.float64), strict=True))
    far = np.full(nodes.shape, np.inf)
    if used.any():
        far = np.asarray(ndimage.distance_transform_edt(~used) * lattice.step, np.float64)
    field = Field(
        left=nodes.left,
        top=nodes.top,
        step=lattice.step,
        east=east,
        north=north,
        uncertainty=_uncertainty(values - smooth.values, used, far, lattice, smooth.values),
        known=far <= max(_KNOWN_M, 2 * lattice.step),
    )
    return Fitted(
        field=field,
        used=used[nodes.row, nodes.col],
        lattice=replace(lattice, smoothness=smooth.smoothness),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lattice:
    """Where ties were looked for."""

    step: float
    """Distance between them, m."""
    pixel_m: float
    """Pixel of the pictures they were found in, m."""
    smoothness: float | None = None
    """How smooth the field is to be (``survey.smoothing``); None to let the ties decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A field, and what it was fitted to."""

    field: Field
    used: NDArray[np.bool_]
    """(n,); which of the ties it follows."""
    lattice: Lattice
    """Of the ties, with the smoothness that was used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Nodes:
    """The nodes of a field on the lattice of its ties, and where the ties fall among them."""

    left: float
    top: float
    x: Coordinates
    y: Coordinates
    row: NDArray[np.int64]
    col: NDArray[np.int64]

    @property
    def shape(self) -> tuple[int, int]:
        return self.x.shape[0], self.x.shape[1]

    @classmethod
    def around(cls, ties: Ties, bounds: Bounds, step: float) -> "_Nodes":
        """Return nodes that cover the ground and on which every tie lies."""
        left = float(ties.x.min() - step * max(0, np.ceil((ties.x.min() - bounds.left) / step)))
        top = float(ties.y.max() + step * max(0, np.ceil((bounds.top - ties.y.max()) / step)))
        right, bottom = max(bounds.right, ties.x.max()), min(bounds.bottom, ties.y.min())
        across = left + step * np.arange(int(np.ceil((right - left) / step)) + 1)
        down = top - step * np.arange(int(np.ceil((top - bottom) / step)) + 1)
        x, y = np.meshgrid(across, down)
        row = np.rint((top - ties.y) / step).astype(np.int64)
        col = np.rint((ties.x - left) / step).astype(np.int64)
        return cls(left=left, top=top, x=x, y=y, row=row, col=col)


def _uncertainty(
    missed: NDArray[np.float32],
    used: NDArray[np.bool_],
    far: NDArray[np.float64],
    lattice: Lattice,
    smooth: NDArray[np.float32],
) -> NDArray[np.float64]:
    """Return the expected error at every node, m: how badly ties fit around, and how far they are.

    What ties leave of the field's bend over a distance without any is told by its slope where
    there are some.
    """
    spread = _local_rms(np.hypot(*missed.astype(np.float64)), used)
    if not used.any():
        return np.full(used.shape, np.inf)
    slope = math.hypot(*(_slope(part, used, lattice.step) for part in smooth))
    bend = math.hypot(*(float(part[used].std()) for part in smooth))
    # Between ties a spline errs by less than the slope; beyond them bends cannot lead further than
    # they are high, and what the trend leaves goes on for ever.
    beyond = np.maximum(0.0, far - lattice.step)
    drift = np.minimum(slope * beyond, 2 * bend) + _DRIFT * beyond
    floor = _FLOOR_PX * lattice.pixel_m
    return np.asarray(np.hypot(np.hypot(spread, floor), drift))


def _local_rms(missed: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the root mean square around every node of what is known at some; overall far off."""
    square = np.where(known, missed**2, 0.0)
    overall = float(square[known].mean()) if known.any() else 0.0
    above = ndimage.gaussian_filter(square, 2.0, mode="constant") + 1e-3 * overall
    below = ndimage.gaussian_filter(known.astype(np.float64), 2.0, mode="constant") + 1e-3
    return np.asarray(np.sqrt(above / below))


def told_by_held_back(field: Field, ties: Ties, missed: NDArray[np.float64]) -> Field:
    """Return the field with an uncertainty that is no less than held-back ties tell around it.

    Parameters
    ----------
    field
        The field.
    ties
        Ties that were held back once.
    missed
        How far a field fitted without it missed each, m, (n,).
    """
    row = np.clip(
        np.rint((field.top - ties.y) / field.step).astype(int), 0, field.east.shape[0] - 1
    )
    col = np.clip(
        np.rint((ties.x - field.left) / field.step).astype(int), 0, field.east.shape[1] - 1
    )
    nodes, known = np.zeros(field.east.shape), np.zeros(field.east.shape, bool)
    nodes[row, col], known[row, col] = missed, True
    return replace(field, uncertainty=np.hypot(field.uncertainty, _local_rms(nodes, known)))


def _slope(values: NDArray[np.float32], used: NDArray[np.bool_], step: float) -> float:
    """Return the root mean square slope of a component where there are ties, m per m."""
    if min(values.shape) < 2:
        return 0.0
    down, across = (np.gradient(values, step, axis=axis) for axis in (0, 1))
    return float(np.sqrt(np.mean(down[used] ** 2 + across[used] ** 2)))
