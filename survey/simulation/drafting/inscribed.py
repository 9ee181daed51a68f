"""Rectangles inside a polygon, the largest first."""

import numpy as np
import numpy.typing as npt
import shapely
from shapely import Polygon

from survey.simulation.scene import Place

__all__ = ["inscribe"]

_STEPS = 30  # squares along the longer side: a rectangle is found to about 3 % of it
_LEAST_SHARE = 0.07  # of the polygon; smaller rectangles are not worth a zone


def inscribe(polygon: Polygon, *, least_m: float, most: int) -> list[tuple[Place, float, float]]:
    """Find up to `most` rectangles that lie in a polygon and do not overlap.

    Parameters
    ----------
    polygon
        The land, local metres.
    least_m
        Shortest side of a rectangle, metres.
    most
        How many at most.

    Returns
    -------
    list of (Place, float, float)
        Centre with the direction of the longest edge, side along u and side along v, metres.

    Examples
    --------
    >>> square = Polygon([(0, 0), (30, 0), (30, 30), (0, 30)])
    >>> [(place, length_m, width_m)] = inscribe(square, least_m=5.0, most=3)
    >>> round(length_m), round(width_m), round(place.x)
    (30, 30, 15)
    """
    edges = np.diff(shapely.get_coordinates(polygon.simplify(2.0)), axis=0)
    longest = edges[int(np.hypot(edges[:, 0], edges[:, 1]).argmax())]
    bearing = float(np.degrees(np.arctan2(longest[0], longest[1])))
    origin = Place(x=polygon.centroid.x, y=polygon.centroid.y, bearing_deg=bearing)
    sin, cos = longest / np.hypot(*longest)
    east = shapely.get_coordinates(polygon)[:, 0] - origin.x
    north = shapely.get_coordinates(polygon)[:, 1] - origin.y
    u, v = east * sin + north * cos, east * cos - north * sin
    step = max(np.ptp(u), np.ptp(v)) / _STEPS
    rows = u.min() + step * np.arange(round(np.ptp(u) / step) + 1)
    columns = v.min() + step * np.arange(round(np.ptp(v) / step) + 1)
    along, across = np.meshgrid(rows, columns, indexing="ij")
    shapely.prepare(polygon)
    inside = shapely.intersects_xy(
        polygon.buffer(1e-6),
        origin.x + along * sin + across * cos,
        origin.y + along * cos - across * sin,
    )
    free = inside[:-1, :-1] & inside[1:, :-1] & inside[:-1, 1:] & inside[1:, 1:]
    found = []
    for _ in range(most):
        top, left, height, width = _largest(free)
        length_m, width_m = height * step, width * step
        enough = length_m * width_m > _LEAST_SHARE * polygon.area
        if min(length_m, width_m) < least_m or not enough:
            break
        centre_u = float(rows[top]) + length_m / 2
        centre_v = float(columns[left]) + width_m / 2
        found.append((origin.move(centre_u, centre_v), float(length_m), float(width_m)))
        free[top : top + height, left : left + width] = False
    return found


def _largest(free: npt.NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Find the largest rectangle of free squares: top row, left column, height, width."""
    best, depth = (0, 0, 0, 0), np.zeros(free.shape[1], dtype=np.int64)
    for row, line in enumerate(free):
        depth = np.where(line, depth + 1, 0)
        stack: list[tuple[int, int]] = []  # left end and height of rectangles still growing
        for column, height in enumerate([*depth.tolist(), 0]):
            start = column
            while stack and stack[-1][1] >= height:
                start, tall = stack.pop()
                if tall * (column - start) > best[2] * best[3]:
                    best = (row - tall + 1, start, tall, column - start)
            stack.append((start, height))
    return best
