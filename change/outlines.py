"""From evidence to polygons: masks to pixel-exact outlines, and outlines squared. Pure."""

import math
from itertools import pairwise

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import shapes
from shapely import Polygon, affinity
from shapely.geometry import shape

__all__ = ["join_across_seams", "joined_in_metres", "mask_polygons", "square"]

# Masks are drawn one pixel aside and brought back: rasterio takes the identity for a missing place,
# and silences its own warning in a way that threads disturb.
_ASIDE = Affine.translation(1, 1)
# A squared outline must cover what was measured at least this well, else the measurement is kept.
# A circle and the square of its area reach 0.83: round tanks stay round.
_LEAST_OVERLAP = 0.85
# Edges whose direction departs from the main axes by less than this are set straight, degrees.
_AXIS_SLACK = 30.0


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

    The main direction is the length-weighted mean of the edges' directions taken four times; edges
    near it or across it are turned onto it about their middle, runs of one direction merged, and
    neighbours intersected; the drawing gets the area that was measured. Where it departs from the
    measured outline, that is kept (simplified).

    Parameters
    ----------
    outline
        Measured outline, m.
    slack_m
        How far a vertex may be moved, m.

    Examples
    --------
    >>> rough = Polygon([(0, 0), (5, 0.2), (10, -0.1), (10.1, 6), (0.1, 6.1)])
    >>> len(square(rough, slack_m=0.5).exterior.coords) - 1
    4
    """
    simple = outline.simplify(slack_m)
    if not isinstance(simple, Polygon) or not simple.is_valid or simple.is_empty:
        return outline
    best = simple
    for candidate in (_squared_ring(simple), _rectangle(outline)):
        if candidate is None:
            continue
        drawn = _sized(candidate, outline)
        if _overlap(drawn, outline) >= _LEAST_OVERLAP:
            best = drawn
            break
    return shapely.normalize(shapely.set_precision(best, 0.01)) if best.is_valid else outline


def _rectangle(outline: Polygon) -> Polygon | None:
    """Return the smallest rectangle around the outline."""
    around = shapely.oriented_envelope(outline)
    return around if isinstance(around, Polygon) and around.area > 0 else None


def _sized(drawn: Polygon, measured: Polygon) -> Polygon:
    """Return the drawing scaled about its centre to the area that was measured."""
    factor = math.sqrt(measured.area / drawn.area)
    return affinity.scale(drawn, factor, factor, origin="centroid")


def _overlap(one: Polygon, other: Polygon) -> float:
    if not one.is_valid:
        return 0.0
    shared = one.intersection(other).area
    return float(shared / max(one.area + other.area - shared, 1e-9))


def _squared_ring(simple: Polygon) -> Polygon | None:
    """Turn the edges of the outer ring onto two directions at right angles."""
    points = np.array(simple.exterior.coords)[:-1]
    edges = np.roll(points, -1, axis=0) - points
    length = np.hypot(edges[:, 0], edges[:, 1])
    angle = np.arctan2(edges[:, 1], edges[:, 0])
    main = np.angle(np.sum(length * np.exp(4j * angle))) / 4
    axis = np.rint((angle - main) / (math.pi / 2)).astype(int) % 2
    off = np.abs((angle - main + math.pi / 4) % (math.pi / 2) - math.pi / 4)
    if np.average(off, weights=length) > math.radians(_AXIS_SLACK) / 2:
        return None
    # Smoothing rounds corners off into short slanted edges; without them the sides meet again.
    straight = off <= math.radians(_AXIS_SLACK) / 2
    if straight.sum() < 4:
        return None
    across = np.array([-math.sin(main), math.cos(main)])
    along = np.array([math.cos(main), math.sin(main)])
    middle = points + edges / 2
    # Each edge becomes a line: constant offset across its axis.
    offset = np.where(axis == 0, middle @ across, middle @ along)
    lines = _merge_runs(axis[straight], offset[straight], length[straight])
    if len(lines) < 4:
        return None
    corners = []
    for (axis_a, at_a), (_axis_b, at_b) in zip(lines, lines[1:] + lines[:1], strict=True):
        u, v = (at_b, at_a) if axis_a == 0 else (at_a, at_b)
        corners.append(u * along + v * across)
    ring = Polygon(corners)
    return ring if ring.is_valid and ring.area > 0 else None


def _merge_runs(
    axis: NDArray[np.int64], offset: NDArray[np.float64], length: NDArray[np.float64]
) -> list[tuple[int, float]]:
    """Merge neighbouring edges of one direction into one line, at their length-weighted offset."""
    breaks = np.flatnonzero(axis != np.roll(axis, 1))
    if len(breaks) < 4:
        return []
    start = -int(breaks[0])
    axis, offset, length = np.roll(axis, start), np.roll(offset, start), np.roll(length, start)
    starts = [*np.flatnonzero(np.diff(axis, prepend=-1)), len(axis)]
    lines = []
    for first, last in pairwise(starts):
        weight = length[first:last]
        lines.append((int(axis[first]), float(np.average(offset[first:last], weights=weight))))
    return lines
