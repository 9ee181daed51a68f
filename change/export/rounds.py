"""Rounds: in which order a team best goes to many places. Pure.

From the first place always to the nearest one left, then 2-opt (G. A. Croes, 1958, "A method for
solving traveling-salesman problems", Operations Research 6): wherever two legs of the way cross, or
could be swapped for two shorter ones, the part between them is walked the other way round. Only
legs to near neighbours are tried, and only places whose legs have just changed are looked at again
(J. L. Bentley, 1992, "Fast algorithms for geometric traveling salesman problems", ORSA Journal on
Computing 4), so that the cost grows about as the number of places.
"""

import math
from collections import deque

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

__all__ = ["in_rounds", "way_m"]

_Points = NDArray[np.float64]
_Order = NDArray[np.intp]

# Bentley: 2-opt gains next to nothing from more neighbours than about eight.
_NEIGHBOURS = 8
# A swap that gains less is rounding, and two of those could undo each other for ever.
_LEAST_GAIN_M = 1e-6
# Longer parts are not turned round (Bentley again): with many places that would take all the time.
_LONGEST_TURN = 5_000


def in_rounds(points: _Points, start: tuple[float, float] | None = None) -> _Order:
    """Return the order in which to go to places so that the way is short.

    The way begins at the first place and ends at the last; it does not lead back.

    Parameters
    ----------
    points
        Places, (n, 2) x and y, m.
    start
        Where the team sets out, x and y, m: the nearest place comes first. Without it the most
        north-western one does.

    Returns
    -------
    Indices of the places, (n,): each once.

    Raises
    ------
    ValueError
        The places are not (n, 2), or one is not finite.

    Examples
    --------
    >>> in_rounds(np.array([[0.0, 0.0], [30.0, 0.0], [10.0, 0.0], [20.0, 0.0]])).tolist()
    [0, 2, 3, 1]
    """
    points = np.asarray(points, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise ValueError(f"places must be finite and (n, 2): {points.shape}")
    if len(points) == 0:
        return np.empty(0, dtype=np.intp)
    # Near zero, sums of squares keep their last digits.
    origin = points.min(axis=0)
    points = points - origin
    order = _to_the_nearest(points, _first(points, start, origin))
    return _untangle(points, order) if len(points) > 3 else order


def way_m(points: _Points, order: _Order) -> float:
    """Return how long the way through places in an order is, m.

    Examples
    --------
    >>> way_m(np.array([[0.0, 0.0], [3.0, 4.0]]), np.array([1, 0]))
    5.0
    """
    steps = np.diff(np.asarray(points)[order], axis=0)
    return float(np.hypot(steps[:, 0], steps[:, 1]).sum())


def _first(points: _Points, start: tuple[float, float] | None, origin: _Points) -> int:
    if start is None:
        return int(np.argmax(points[:, 1] - points[:, 0]))
    return int(np.argmin(np.square(points - (np.asarray(start) - origin)).sum(axis=1)))


def _to_the_nearest(points: _Points, first: int) -> _Order:
    """Return the order of always going to the nearest place that is left."""
    left = np.delete(np.arange(len(points)), first)
    order, here = [first], points[first]
    while left.size:
        step = points[left] - here
        nearest = int(np.argmin(np.einsum("ij,ij->i", step, step)))
        order.append(int(left[nearest]))
        here = points[left[nearest]]
        left = np.delete(left, nearest)
    return np.array(order, dtype=np.intp)


def _untangle(points: _Points, order: _Order) -> _Order:
    """Return an order in which no swap of two legs near each other makes the way shorter."""
    _far, near = cKDTree(points).query(points, k=min(_NEIGHBOURS + 1, len(points)))
    way = _Way([(float(x), float(y)) for x, y in points], order.tolist())
    neighbours = near.tolist()
    waiting = deque(way.order)
    queued = [True] * len(order)
    while waiting:
        place = waiting.popleft()
        queued[place] = False
        for changed in way.shorten(place, neighbours[place]):
            if not queued[changed]:
                queued[changed] = True
                waiting.append(changed)
    return np.array(way.order, dtype=np.intp)


class _Way:
    """The order of the places, and where in it each place stands."""

    def __init__(self, places: list[tuple[float, float]], order: list[int]) -> None:
        self.places = places
        self.order = order
        self.position = [0] * len(order)
        for position, place in enumerate(order):
            self.position[place] = position

    def apart(self, one: int, other: int) -> float:
        return math.dist(self.places[one], self.places[other])

    def shorten(self, place: int, neighbours: list[int]) -> list[int]:
        """Make the first swap that pays at a place; return the places whose legs changed."""
        for toward in (1, -1):
            leg = self._leg(place, toward)
            for other in neighbours:
                near = self.apart(place, other)
                if near >= leg:
                    break
                changed = self._swap(place, other, toward, leg - near)
                if changed:
                    return changed
        return []

    def _leg(self, place: int, toward: int) -> float:
        """Return the length of the leg after a place (1) or before it (-1); 0 at the ends."""
        position = self.position[place] + toward
        inside = 0 <= position < len(self.order)
        return self.apart(place, self.order[position]) if inside else 0.0

    def _swap(self, place: int, other: int, toward: int, gain: float) -> list[int]:
        """Join two places, and those after (or before) them, if that makes the way shorter.

        Returns the places at the ends of the two new legs, none where it does not.
        """
        first, last = sorted((self.position[place], self.position[other]))
        # The part between the legs; joining two places turns it round.
        begin, end = (first + 1, last) if toward == 1 else (first, last - 1)
        # The first place stays the first.
        if begin == 0 or not 0 < end - begin < _LONGEST_TURN:
            return []
        gain += self._leg(other, toward)
        if end + 1 < len(self.order) and toward == 1:
            gain -= self.apart(self.order[begin], self.order[end + 1])
        if toward == -1:
            gain -= self.apart(self.order[begin - 1], self.order[end])
        if gain < _LEAST_GAIN_M:
            return []
        self._turn(begin, end)
        return [*self.order[begin - 1 : begin + 1], *self.order[end : end + 2]]

    def _turn(self, begin: int, end: int) -> None:
        part = self.order[begin : end + 1]
        part.reverse()
        self.order[begin : end + 1] = part
        for position, place in enumerate(part, start=begin):
            self.position[place] = position
