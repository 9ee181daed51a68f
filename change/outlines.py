"""From evidence to polygons: masks to pixel-exact outlines, and outlines squared. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import shapes
from shapely import LinearRing, Polygon, affinity
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

__all__ = [
    "draw",
    "join_across_seams",
    "joined_in_metres",
    "largest_polygon",
    "main_direction",
    "mask_polygons",
    "overlap",
    "right_angled",
    "square",
]

Floats = NDArray[np.float64]

# Masks are drawn one pixel aside and brought back: rasterio takes the identity for a missing place,
# and silences its own warning in a way that threads disturb.
_ASIDE = Affine.translation(1, 1)
# A squared outline must cover what was measured at least this well, else the measurement is kept.
# A circle and the square of its area reach 0.83: round tanks stay round.
_LEAST_OVERLAP = 0.85
# The same for small structures, and how far off their edges are on average, in slacks.
_LEAST_SMALL, _USUAL_ERROR = 0.75, 0.4
# Specks of a few centimetres have no shape, m2.
_LEAST_M2 = 0.01
# What covers its circle so well is round; a noisy square reaches 0.8, an octagon 0.95.
_ROUND = 0.9
# Holes of fewer squares of the slack are not drawn.
_LEAST_HOLE = 8.0
# Points are taken along an outline this far apart, in slacks; this many at least and at most.
_SPACING, _FEWEST, _MOST = 0.5, 32, 160
# What a corner must be worth, in cubes of the slack: the squares of the points' distances from
# their edges, times metres of outline (benchmarks/outlining.py).
_PRICE = 4.0
# Corners of masks are round: so much of each end of an edge says nothing of where it lies.
_ROUNDED = 0.1


def mask_polygons(
    mask: NDArray[np.bool_], transform: Affine, *, least_area: float = 0.0
) -> list[Polygon]:
    """Return the outlines of a mask's connected parts (joined by edges, not corners).

    Parameters
    ----------
    mask
        (row, col).
    transform
        From (col, row) of the mask to coordinates.
    least_area
        Parts smaller than this are left out, square units of the coordinates.
    """
    found = shapes(mask.astype(np.uint8), mask=mask, connectivity=4, transform=_ASIDE)
    place = (transform @ ~_ASIDE).to_shapely()
    polygons = (affinity.affine_transform(shape(geometry), place) for geometry, _value in found)
    return [p for p in polygons if isinstance(p, Polygon) and p.area >= least_area]


def largest_polygon(mask: NDArray[np.bool_], transform: Affine) -> Polygon | None:
    """Return the largest of `mask_polygons`; None of an empty mask."""
    polygons = mask_polygons(mask, transform)
    return max(polygons, key=lambda p: (p.area, *p.bounds)) if polygons else None


def join_across_seams(polygons: list[Polygon]) -> list[Polygon]:
    """Join polygons that share an edge, as the two halves of a place cut by a seam do.

    The result does not depend on how the place was cut, nor on the order given, where both halves
    say the same of the seam to the last bit: outlines in whole pixels do, metres may not.
    """
    if not polygons:
        return []
    joined = shapely.get_parts(shapely.union_all(polygons))
    # A corner where two parts meet does not join them; collinear points tell of the former seam.
    tidy = shapely.normalize(shapely.simplify(joined, 0.0))
    order = sorted(tidy, key=lambda p: (*p.bounds, p.area))
    return [p for p in order if isinstance(p, Polygon) and p.area > 0]


def joined_in_metres(parts: list[Polygon], to_metres: Affine) -> list[Polygon]:
    """Join what tiles cut, in whole pixels so that seams meet exactly, and return it in metres."""
    place = to_metres.to_shapely()
    return [affinity.affine_transform(part, place) for part in join_across_seams(parts)]


def square(outline: Polygon, *, slack_m: float) -> Polygon:
    """Return the outline with right angles where it nearly has them.

    Of all rings whose edges run along or across the main direction the one is drawn that explains
    the measured outline with the fewest edges. Where none covers it well, the outline is kept: as
    a circle if it is one, else simplified, with the area that was measured.

    Parameters
    ----------
    outline
        Measured outline, m.
    slack_m
        How far a measured outline departs from the true one, m: smaller steps are not drawn.

    Examples
    --------
    >>> rough = Polygon([(0, 0), (5, 0.2), (10, -0.1), (10.1, 6), (0.1, 6.1)])
    >>> len(square(rough, slack_m=0.5).exterior.coords) - 1
    4
    """
    return _rounded(draw(outline, slack_m=slack_m), outline)


def draw(outline: Polygon, *, slack_m: float) -> Polygon:
    """Return what ``square`` draws, with the digits it has.

    Parameters
    ----------
    outline
        Measured outline, m.
    slack_m
        How far it departs from the true one, m.
    """
    if outline.area < _LEAST_M2 or not outline.is_valid:
        return outline
    squared = right_angled(outline, [main_direction(outline, slack_m)], slack_m=slack_m)
    circle = _circle(outline)
    likeness = overlap(circle, outline)
    if likeness >= _ROUND and (squared is None or likeness > overlap(squared, outline)):
        return circle
    return squared or _simplified(outline, slack_m)


def _rounded(drawn: Polygon, outline: Polygon) -> Polygon:
    """Return a drawing in whole centimetres, or the measured outline where that breaks it."""
    whole: BaseGeometry = shapely.set_precision(drawn, 0.01)
    if isinstance(whole, Polygon) and overlap(whole, outline) >= _LEAST_SMALL:
        return shapely.normalize(whole)
    return outline


def overlap(one: Polygon, other: Polygon) -> float:
    """Return the intersection of two outlines over their union; 0 where one is not valid."""
    if not (one.is_valid and other.is_valid):
        return 0.0
    shared = one.intersection(other).area
    return float(shared / max(one.area + other.area - shared, 1e-9))


def main_direction(outline: Polygon, slack_m: float) -> float:
    """Return the mean of the edges' directions modulo 90 degrees, radians in [-pi/4, pi/4].

    The directions are taken four times and weighted by length, so that all sides of a rectangle
    say the same.
    """
    corners = np.diff(np.asarray(outline.exterior.simplify(slack_m).coords), axis=0)
    edges = corners[:, 0] + 1j * corners[:, 1]
    length = np.abs(edges)
    turned = np.sum(length * (edges / np.maximum(length, 1e-9)) ** 4)
    return float(np.angle(turned) / 4)


def right_angled(
    outline: Polygon, directions: Sequence[float], *, slack_m: float
) -> Polygon | None:
    """Return the ring of right angles that explains an outline best.

    Parameters
    ----------
    outline
        Measured outline, m.
    directions
        Main directions to try, radians from the x axis; each is turned to the best fit nearby.
    slack_m
        How far a measured outline departs from the true one, m.

    Returns
    -------
    Polygon or None
        None where right angles do not cover the outline well.
    """
    if outline.area < _LEAST_M2 or not outline.is_valid:
        return None
    price = _PRICE * slack_m**3
    origin = np.array(outline.exterior.coords[0])
    outer = _ring_points(outline.exterior, origin, slack_m)
    fits = [_fit(outer, direction, price) for direction in directions]
    found = [fit for fit in fits if fit is not None]
    if not found:
        return None
    best = min(found, key=lambda fit: fit.cost)
    drawn, yards = Polygon(best.corners + origin), []
    for hole in outline.interiors:
        # What is smaller is a gap in the evidence and no courtyard.
        if Polygon(hole).area > _LEAST_HOLE * slack_m**2:
            inner = _fit(_ring_points(hole, origin, slack_m), best.direction, price)
            if inner is None:
                return None
            yards.append(Polygon(inner.corners + origin))
    if not all(part.is_valid for part in (drawn, *yards)):
        return None
    whole: BaseGeometry = drawn.difference(shapely.union_all(yards))
    if isinstance(whole, Polygon) and overlap(whole, outline) >= _least_overlap(whole, slack_m):
        return whole
    return None


def _least_overlap(drawn: Polygon, slack_m: float) -> float:
    """Return how well right angles must cover what was measured.

    All around a small structure the measurement's error is a larger share of its area.
    """
    error = _USUAL_ERROR * slack_m * drawn.length / drawn.area
    return float(np.clip(1 - error, _LEAST_SMALL, _LEAST_OVERLAP))


def _circle(outline: Polygon) -> Polygon:
    """Return the circle of the same middle and area, as a polygon."""
    around = outline.centroid.buffer(math.sqrt(outline.area / math.pi), quad_segs=8)
    return _sized(around, outline)


def _simplified(outline: Polygon, slack_m: float) -> Polygon:
    """Return an outline with fewer corners, or as it is where those it has left do not cover it."""
    simple = outline.simplify(slack_m / 2)
    if not isinstance(simple, Polygon) or not simple.is_valid or simple.area <= 0:
        return outline
    drawn = _sized(simple, outline)
    return drawn if overlap(drawn, outline) >= _LEAST_OVERLAP else outline


def _sized(drawn: Polygon, measured: Polygon) -> Polygon:
    """Return the drawing scaled about its centre to the area that was measured."""
    factor = math.sqrt(measured.area / drawn.area)
    return affinity.scale(drawn, factor, factor, origin="centroid")


def _ring_points(ring: LinearRing, origin: Floats, slack_m: float) -> Floats:
    """Return points at equal distances along a ring, counter-clockwise, (n, 2)."""
    # Rounded, so that a ring means the same wherever it lies.
    corners = np.round(np.asarray(shapely.orient_polygons(Polygon(ring)).exterior.coords), 6)
    corners = np.round(corners - origin, 6)
    way = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(corners, axis=0).T))])
    count = int(np.clip(way[-1] / (_SPACING * slack_m), _FEWEST, _MOST))
    at = (np.arange(count) + 0.5) * way[-1] / count
    return np.column_stack([np.interp(at, way, corners[:, axis]) for axis in (0, 1)])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fit:
    """A ring of right angles laid through points."""

    cost: float
    """What it leaves unexplained and the price of its edges, m3."""
    direction: float
    """Main direction, radians."""
    corners: Floats
    """(k, 2), m."""


def _fit(points: Floats, direction: float, price: float) -> _Fit | None:
    """Lay the ring of right angles with the lowest cost through points."""
    step = float(np.hypot(*(points[1] - points[0])))
    turned = points @ _turn(direction)
    # Where both coordinates together are largest the ring has a corner, and goes on westwards.
    turned = np.roll(turned, -int(np.argmax(turned.sum(axis=1))), axis=0)
    starts, _cost = _cheapest(turned, price / step)
    middle = int(starts[len(starts) // 4 * 2])
    turned = np.roll(turned, -middle, axis=0)
    starts, cost = _cheapest(turned, price / step)
    if len(starts) < 4:
        return None
    more = _best_turn(turned, starts)
    corners = _corners(turned @ _turn(more), starts)
    return _Fit(
        cost=cost * step,
        direction=direction + more,
        corners=corners @ _turn(direction + more).T,
    )


def _turn(angle: float) -> Floats:
    """Return the matrix that takes points, from the right, to axes turned by an angle."""
    cos, sin = math.cos(angle), math.sin(angle)
    return np.array([[cos, -sin], [sin, cos]])


def _cheapest(points: Floats, price: float) -> tuple[NDArray[np.int64], float]:
    """Cut a ring into runs, lying and standing by turns, at the least cost.

    Dynamic programming over the last run's end, as Bellman's segmentation by least squares (1961)
    does for functions of one variable.

    Returns
    -------
    starts
        First point of every run; the first run lies, the number is even.
    cost
        Squares of the distances from the runs, and the price of every run.
    """
    count = len(points)
    # A lying run has one y, a standing one has one x.
    values = points[:, ::-1].T
    sums = np.zeros((2, count + 1))
    squares = np.zeros((2, count + 1))
    np.cumsum(values, axis=1, out=sums[:, 1:])
    np.cumsum(values**2, axis=1, out=squares[:, 1:])
    best = np.full((2, count + 1), np.inf)
    best[1, 0] = 0.0
    came = np.zeros((2, count + 1), np.int64)
    held = np.arange(count, 0, -1)
    for end in range(1, count + 1):
        within = sums[:, end, None] - sums[:, :end]
        left = squares[:, end, None] - squares[:, :end] - within**2 / held[count - end :]
        total = best[::-1, :end] + left
        came[:, end] = total.argmin(axis=1)
        best[:, end] = total[(0, 1), came[:, end]] + price
    starts, axis, end = [], 1, count
    while end > 0:
        end = int(came[axis, end])
        starts.append(end)
        axis = 1 - axis
    return np.array(starts[::-1]), float(best[1, count])


def _pieces(count: int, starts: NDArray[np.int64]) -> list[slice]:
    """Return the runs without their ends."""
    pieces = []
    for first, last in pairwise([*starts.tolist(), count]):
        cut = int(_ROUNDED * (last - first))
        pieces.append(slice(first + cut, last - cut))
    return pieces


def _best_turn(points: Floats, starts: NDArray[np.int64]) -> float:
    """Return by how much runs are to be turned together to lie along their points, radians."""
    over = under = 0.0
    for number, piece in enumerate(_pieces(len(points), starts)):
        x, y = (points[piece] - points[piece].mean(axis=0)).T
        over += float(x @ y) * (1 - 2 * (number % 2))
        under += float(y @ y if number % 2 else x @ x)
    return math.atan(over / under) if under > 0 else 0.0


def _corners(points: Floats, starts: NDArray[np.int64]) -> Floats:
    """Return where neighbouring runs meet, (k, 2); the first where the first two do."""
    lines = [
        float(points[piece, 1 - number % 2].mean())
        for number, piece in enumerate(_pieces(len(points), starts))
    ]
    return np.array(
        [
            (other, line) if number % 2 == 0 else (line, other)
            for number, (line, other) in enumerate(zip(lines, lines[1:] + lines[:1], strict=True))
        ]
    )
