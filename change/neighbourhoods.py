"""One layer's outlines in neighbourhoods, and what each says of the shift made one field. Pure.

Shifts are put together by collocation, as surveyors adjust old maps (Moritz 1980, "Advanced
physical geodesy"; the Gaussian processes of Rasmussen and Williams 2006): a shift and a slight
turn and stretch of the whole, and beside them what neighbourhoods have in common over some 60 m. So
every place gets a shift and how well it is known there, whether neighbourhoods are many or none.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from survey.field import Field
from survey.grid import Bounds

__all__ = ["Told", "cut_groups", "fit_told", "spread_over"]

Numbers = NDArray[np.float64]

# How far the bends of a layer or a mosaic reach, m (standard deviation of the kernel): the local
# warps of simulated and real mosaics have wavelengths of 80 to 140 m.
_REACH_M = 50.0
# Bends among which the neighbourhoods choose, m, and what is expected beforehand: few of them
# would have none or much by chance.
_BENDS_M, _USUAL_BEND_M, _USUAL_FACTOR = (0.03, 0.06, 0.12, 0.25, 0.5, 1.0), 0.12, 2.5
# By how much their own errors may be told too small.
_FACTORS = (0.7, 1.0, 1.4, 2.0, 2.8)
# Turn, stretch and shear of a layer against a flight, m over 100 m: 0.1 degrees are 0.17.
_TILT_M = 0.2
_TILT_OVER_M = 100.0
# They choose as many together: more would not choose better, only longer.
_CHOOSING = 150
# What contradicts all the rest by so many sigmas tells something else.
_SIGMAS = 3.5
_ROUNDS = 4
# Nodes stand this far apart, or as far as makes so many along a side.
_STEP_M, _MOST_NODES = 25.0, 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What neighbourhoods say of the shift; all arrays have shape (n,)."""

    x: Numbers
    """Where, m east."""
    y: Numbers
    """Where, m north."""
    east: Numbers
    """How much further east the flight shows what is drawn, m."""
    north: Numbers
    """How much further north the flight shows what is drawn, m."""
    error: Numbers
    """Expected error of either (one sigma), m."""

    @property
    def count(self) -> int:
        """How many neighbourhoods."""
        return len(self.x)


def cut_groups(
    x: Numbers, y: Numbers, *, most: int, least_m: float, most_m: float
) -> list[NDArray[np.int64]]:
    """Cut places into neighbourhoods by halving.

    Parameters
    ----------
    x, y
        Places, m, shape (n,).
    most
        Places from which a neighbourhood is halved,
    least_m
        unless it is no longer than this already, m.
    most_m
        Longer ones are halved however few they hold, m.

    Returns
    -------
    list of arrays
        Indices of the places of each, ascending; together every place once.

    Examples
    --------
    >>> x = np.array([0.0, 10.0, 200.0, 210.0])
    >>> cut_groups(x, x * 0, most=10, least_m=50.0, most_m=100.0)
    [array([0, 1]), array([2, 3])]
    """
    waiting, done = [np.arange(len(x))] if len(x) else [], []
    while waiting:
        group = waiting.pop()
        sides = np.ptp(x[group]), np.ptp(y[group])
        longest = max(sides)
        if longest <= least_m or (longest <= most_m and len(group) <= most):
            done.append(group)
            continue
        along = (x if sides[0] >= sides[1] else y)[group]
        low = along <= (along.min() + along.max()) / 2
        waiting += [group[~low], group[low]]
    return done


def spread_over(groups: list[NDArray[np.int64]], most: int) -> NDArray[np.int64]:
    """Return at most about ``most`` indices, as evenly from all groups as they allow."""
    turn = np.concatenate([np.arange(len(group)) for group in groups])
    order = np.argsort(turn, kind="stable")
    return np.sort(np.concatenate(groups)[order][:most])


def fit_told(told: Told, bounds: Bounds) -> tuple[Field, Numbers]:
    """Make a field of what neighbourhoods say.

    Parameters
    ----------
    told
        At least one.
    bounds
        Where the field is wanted, m.

    Returns
    -------
    field, residuals
        The field, its uncertainty in either direction; and how far every neighbourhood lies from
        it, m, shape (n,).
    """
    moved = np.stack([told.east, told.north], axis=1)
    # The whole's own shift may be anything: it is taken as known to a metre around the middle.
    whole = np.median(moved, axis=0)
    rest, error = moved - whole, told.error.copy()
    places = np.stack([told.x, told.y], axis=1)
    centre = places.mean(axis=0)
    some = np.linspace(0, told.count - 1, min(told.count, _CHOOSING)).astype(int)
    for _round in range(_ROUNDS):
        bend, factor = _likeliest(places[some], centre, rest[some], error[some])
        inverse = np.linalg.inv(
            _covariance(places, places, centre, bend) + np.diag((factor * error) ** 2)
        )
        # What each misses by if it is left out of its own prediction.
        own = 1.0 / np.diag(inverse)
        missed = np.hypot(*((inverse @ rest) * own[:, None]).T) / np.sqrt(own)
        if told.count < 3 or missed.max() < _SIGMAS:
            break
        error = np.where(missed < _SIGMAS, error, error * np.maximum(2.0, missed / 2))
    step = max(_STEP_M, max(bounds.right - bounds.left, bounds.top - bounds.bottom) / _MOST_NODES)
    across = np.arange(bounds.left, bounds.right + step, step)
    down = np.arange(bounds.top, bounds.bottom - step, -step)
    nodes = np.stack([v.ravel() for v in np.meshgrid(across, down)], axis=1)
    reach = _covariance(nodes, places, centre, bend)
    found = reach @ (inverse @ rest) + whole
    known = bend**2 + _tilted(nodes, nodes, centre, paired=True) + 1.0
    variance = known - np.einsum("ij,ij->i", reach @ inverse, reach)
    shape = len(down), len(across)
    field = Field(
        left=float(across[0]),
        top=float(down[0]),
        step=step,
        east=found[:, 0].reshape(shape),
        north=found[:, 1].reshape(shape),
        uncertainty=np.sqrt(np.maximum(variance, 0)).reshape(shape),
        known=np.ones(shape, bool),
    )
    east, north = field.shift(told.x, told.y)
    return field, np.hypot(east - told.east, north - told.north)


def _covariance(one: Numbers, other: Numbers, centre: Numbers, bend: float) -> Numbers:
    """Return how shifts at two sets of places hang together, (n, m) m2, before anything is told."""
    apart = ((one[:, None] - other[None]) ** 2).sum(axis=2)
    bent = bend**2 * np.exp(-apart / (2 * _REACH_M**2))
    return np.asarray(1.0 + _tilted(one, other, centre) + bent)


def _tilted(one: Numbers, other: Numbers, centre: Numbers, *, paired: bool = False) -> Numbers:
    scale = _TILT_M / _TILT_OVER_M
    first, second = (one - centre) * scale, (other - centre) * scale
    return np.asarray((first * second).sum(axis=1) if paired else first @ second.T)


def _likeliest(
    places: Numbers, centre: Numbers, rest: Numbers, error: Numbers
) -> tuple[float, float]:
    """Return the bend and the factor on the errors under which the shifts are likeliest."""
    best, chosen = -np.inf, (_USUAL_BEND_M, 1.0)
    for bend in _BENDS_M:
        among = _covariance(places, places, centre, bend)
        for factor in _FACTORS:
            lower = np.linalg.cholesky(among + np.diag((factor * error) ** 2))
            fitted = linalg.solve_triangular(lower, rest, lower=True)
            likely = -0.5 * (fitted**2).sum() - rest.shape[1] * np.log(np.diag(lower)).sum()
            unusual = np.log(np.array([bend / _USUAL_BEND_M, factor])) / np.log(_USUAL_FACTOR)
            likely -= 0.5 * (unusual**2).sum()
            if likely > best:
                best, chosen = float(likely), (bend, factor)
    return chosen
