"""The numbers behind an alignment's report: residuals of the ties, figures of the field. Pure."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from survey.alignment import Alignment
from survey.field import Field

__all__ = ["FieldFigures", "describe_field", "spread_out", "tie_residuals"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldFigures:
    """What a field does over its area."""

    shift_m: float
    """Length of the median displacement, m."""
    bending_m: float
    """How much further than the median displacement a place is displaced at most, m."""
    uncertainty_m: float
    """Median uncertainty (one sigma), m."""
    worst_m: float
    """Largest uncertainty, m."""
    known: float
    """Share of the field that lies near ties, 0 to 1."""


def describe_field(field: Field) -> FieldFigures:
    """Return the figures of a field.

    Examples
    --------
    >>> from survey.field import flat_field
    >>> from survey.grid import Bounds
    >>> area = Bounds(left=0, bottom=0, right=100, top=100)
    >>> figures = describe_field(flat_field(area, uncertainty=1.0).moved(east=3, north=-4))
    >>> figures.shift_m, figures.bending_m, figures.uncertainty_m, figures.known
    (5.0, 0.0, 1.0, 0.0)
    """
    east, north = float(np.median(field.east)), float(np.median(field.north))
    # Far from any tie the field is a guess: what it does there says nothing of the flights.
    told = field.known if field.known.any() else np.ones_like(field.known)
    away = np.hypot(field.east - east, field.north - north)[told]
    return FieldFigures(
        shift_m=math.hypot(east, north),
        bending_m=float(away.max()),
        uncertainty_m=float(np.median(field.uncertainty)),
        worst_m=float(field.uncertainty.max()),
        known=float(field.known.mean()),
    )


def tie_residuals(alignment: Alignment) -> NDArray[np.float64]:
    """Return how far each tie lies off the field as (east, north), m, shape (2, n)."""
    ties = alignment.ties
    if ties.count == 0:
        return np.zeros((2, 0))
    east, north = alignment.field.shift(ties.x, ties.y)
    return np.stack([ties.east - east, ties.north - north])


def spread_out(x: NDArray[np.float64], y: NDArray[np.float64], first: int, most: int) -> list[int]:
    """Return places far from each other: each the farthest from those before it.

    Parameters
    ----------
    x, y
        Places to choose from, m, (n,).
    first
        The one to begin with.
    most
        How many at most; none twice.

    Examples
    --------
    >>> spread_out(np.array([0.0, 1.0, 9.0, 10.0]), np.zeros(4), first=1, most=3)
    [1, 3, 0]
    """
    if len(x) == 0:
        return []
    chosen = [first]
    nearest = np.hypot(x - x[first], y - y[first])
    while len(chosen) < most and nearest.max() > 0:
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, np.hypot(x - x[chosen[-1]], y - y[chosen[-1]]))
    return chosen
