"""Lead one alignment on by another, and tell how far two ways to the same flight disagree. Pure."""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from survey.alignment import Alignment
from survey.field import Field
from survey.grid import Bounds, Coordinates
from survey.ties import Ties

__all__ = ["compose", "find_closure", "without_ties"]

# How fast a field becomes unknown beyond its nodes, m per m: as within them (``survey.field``).
_DRIFT = 0.002
# Two links may know different halves of the ground; then their chain is known nowhere. It must know
# at least this share of what the link that knows less does.
_LEAST_SHARED = 0.5


def compose(first: Alignment, second: Alignment, bounds: Bounds) -> Alignment:
    """Return the alignment that leads on where the first ends.

    Parameters
    ----------
    first
        From the reference to a flight between.
    second
        From there to the last, in the same CRS.
    bounds
        The ground the field is to cover, m.

    Returns
    -------
    Alignment
        Without ties. Errors of the two are taken for independent: root of squares. It is verified
        where both are, and where they are known on the same ground.

    Examples
    --------
    >>> from survey.field import flat_field
    >>> ground = Bounds(left=0.0, bottom=0.0, right=100.0, top=100.0)
    >>> none = np.zeros(0)
    >>> flat = Alignment(
    ...     field=flat_field(ground, uncertainty=0.3).moved(east=1.0, north=0.0),
    ...     verdict="unverified",
    ...     why="",
    ...     rms_m=None,
    ...     p95_m=None,
    ...     ties=Ties(x=none, y=none, east=none, north=none, strength=none),
    ...     used=np.zeros(0, bool),
    ...     evidence=0.0,
    ...     accepted_by="gate",
    ... )
    >>> [round(shift, 9) for shift in compose(flat, flat, ground).shift_m]
    [2.0, 0.0]
    """
    field = _compose_fields(first.field, second.field, bounds)
    shares = [float(part.known.mean()) for part in (first.field, second.field, field)]
    meet = shares[2] >= _LEAST_SHARED * min(shares[:2])
    verified = first.verdict == second.verdict == "verified" and meet
    refused = "refused" in (first.verdict, second.verdict)
    return replace(
        without_ties(first),
        field=field,
        verdict="verified" if verified else "refused" if refused else "unverified",
        why=f"{first.why}; {second.why}",
        rms_m=_root(first.rms_m, second.rms_m) if verified else None,
        p95_m=_root(first.p95_m, second.p95_m) if verified else None,
        evidence=min(first.evidence, second.evidence),
    )


def _root(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else math.hypot(one, other)


def _compose_fields(first: Field, second: Field, bounds: Bounds) -> Field:
    step = min(first.step, second.step)
    # On the first field's own lattice, its nodes keep their values.
    left = first.left + step * math.floor((bounds.left - first.left) / step)
    top = first.top + step * math.ceil((bounds.top - first.top) / step)
    across = np.arange(math.ceil((bounds.right - left) / step) + 1)
    down = np.arange(math.ceil((top - bounds.bottom) / step) + 1)
    x, y = np.meshgrid(left + step * across, top - step * down)
    there = first.shift(x, y)
    u, v = x + there[0], y + there[1]
    onward = second.shift(u, v)
    return Field(
        left=left,
        top=top,
        step=step,
        east=there[0] + onward[0],
        north=there[1] + onward[1],
        uncertainty=np.hypot(_doubt(first, x, y), _doubt(second, u, v)),
        known=_knows(first, x, y) & _knows(second, u, v),
    )


def _beyond(field: Field, x: Coordinates, y: Coordinates) -> Coordinates:
    """Return how far places lie outside the nodes of a field, m."""
    rows, cols = field.east.shape
    right, bottom = field.left + (cols - 1) * field.step, field.top - (rows - 1) * field.step
    across = np.maximum(np.maximum(field.left - x, x - right), 0.0)
    down = np.maximum(np.maximum(y - field.top, bottom - y), 0.0)
    return np.asarray(np.hypot(across, down), np.float64)


def _doubt(field: Field, x: Coordinates, y: Coordinates) -> Coordinates:
    return field.uncertainty_at(x, y) + _DRIFT * _beyond(field, x, y)


def _knows(field: Field, x: Coordinates, y: Coordinates) -> NDArray[np.bool_]:
    """Whether all nodes around a place are near ties; a step beyond the last is as good."""
    share = replace(field, uncertainty=field.known.astype(np.float64)).uncertainty_at(x, y)
    return np.asarray((share > 1.0 - 1e-6) & (_beyond(field, x, y) <= field.step))


def find_closure(one: Field, other: Field) -> tuple[float, float] | None:
    """Return what two fields disagree by where both are known, and what they say they may.

    Parameters
    ----------
    one, other
        From the same flight to the same flight.

    Returns
    -------
    tuple of float or None
        Disagreement, and both uncertainties together, root mean square, m; None where no place is
        known in both.
    """
    rows, cols = np.nonzero(one.known)
    x = np.asarray(one.left + one.step * cols, np.float64)
    y = np.asarray(one.top - one.step * rows, np.float64)
    if not x.size:
        return None
    both = _knows(other, x, y)
    if not both.any():
        return None
    east, north = other.shift(x, y)
    missed = np.hypot(one.east[rows, cols] - east, one.north[rows, cols] - north)
    said = np.hypot(one.uncertainty[rows, cols], other.uncertainty_at(x, y))
    return _mean(missed[both]), _mean(said[both])


def _mean(values: Coordinates) -> float:
    """Return the root mean square."""
    return float(np.sqrt(np.mean(values**2)))


def without_ties(alignment: Alignment) -> Alignment:
    """Return the alignment alone: the ties of many flights would fill the memory."""
    none = np.zeros(0)
    ties = Ties(x=none, y=none, east=none, north=none, strength=none)
    return replace(alignment, ties=ties, used=np.zeros(0, bool))
