"""Ground that is taken: what stands, will stand, or is a road, in a grid of squares.

Looking a place up costs the same however large the area is.
"""

import numpy as np
import shapely
from shapely import LineString, Polygon, box
from shapely.geometry.base import BaseGeometry

from survey.simulation.scene import Part, Road

__all__ = ["ALLEY_M", "Claims"]

ALLEY_M = 0.5
"""The least distance between two structures, metres: what a person squeezes through."""

_SQUARE_M = 16.0  # about a house with its alley, so that few squares hold more than a few shapes


class Claims:
    """Collects what ground is taken through all flights, and tells whether a place is free."""

    def __init__(self, side_m: float) -> None:
        """Start with an empty square area of this side, metres."""
        self._area = box(0.0, 0.0, side_m, side_m)
        self._shapes: list[BaseGeometry] = []
        self._owners: list[int] = []
        self._squares: dict[tuple[int, int], list[int]] = {}
        shapely.prepare(self._area)

    @property
    def area_m2(self) -> float:
        """Size of the area."""
        return float(self._area.area)

    def take(self, shape: BaseGeometry, owner: int = 0) -> None:
        """Take ground for an owner: the number of a structure, or 0 for roads and plots."""
        index = len(self._shapes)
        self._shapes.append(shape)
        self._owners.append(owner)
        for square in _squares_of(shape.bounds, 0.0):
            self._squares.setdefault(square, []).append(index)

    def take_road(self, road: Road) -> None:
        """Take the paving of a road."""
        line = LineString([(road.start.x, road.start.y), (road.end.x, road.end.y)])
        self.take(line.buffer(road.width_m / 2, quad_segs=2))

    def is_free(
        self, shape: BaseGeometry, gap_m: float = ALLEY_M, but: frozenset[int] = frozenset()
    ) -> bool:
        """Say whether nothing lies within a distance of a shape.

        Parameters
        ----------
        shape
            The ground in question, local metres.
        gap_m
            Distance to keep from what is taken, metres.
        but
            Owners whose ground does not count.
        """
        near = {
            index
            for square in _squares_of(shape.bounds, gap_m)
            for index in self._squares.get(square, ())
            if self._owners[index] not in but
        }
        if not near:
            return True
        others = np.array([self._shapes[index] for index in sorted(near)], dtype=object)
        return bool((shapely.distance(shape, others) >= gap_m - 1e-9).all())

    def room_for(
        self,
        parts: tuple[Part, ...],
        gap_m: float = ALLEY_M,
        but: frozenset[int] = frozenset(),
    ) -> bool:
        """Say whether a structure of these parts hits nothing."""
        return all(self.is_free(part.outline(), gap_m, but) for part in parts if part.base_m == 0.0)

    def seen(self, parts: tuple[Part, ...]) -> bool:
        """Say whether something of a structure lies within the area."""
        return any(bool(self._area.intersects(part.outline())) for part in parts)

    def inside(self, shape: Polygon) -> bool:
        """Say whether a shape lies within the area."""
        return bool(self._area.contains(shape))


def _squares_of(bounds: tuple[float, ...], reach_m: float) -> list[tuple[int, int]]:
    west, south, east, north = bounds
    columns = range(int((west - reach_m) // _SQUARE_M), int((east + reach_m) // _SQUARE_M) + 1)
    rows = range(int((south - reach_m) // _SQUARE_M), int((north + reach_m) // _SQUARE_M) + 1)
    return [(column, row) for column in columns for row in rows]
