"""Outlines damaged the way drawings are, and what a careful reader can still make of them. Pure.

Outlines are in metres and come in valid. Damages are done to the largest part.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPolygon, Polygon
from shapely.affinity import scale, translate
from shapely.geometry.base import BaseGeometry

__all__ = ["Damage", "damage_outline", "encode_outline", "read_outline", "snap_outline"]

_KNOT_M = 0.4
_SHARP = 0.7  # sine of the angle, 45 degrees
_SPIKE_M = (5.0, 25.0)
_SLIVER_M = (0.005, 0.03)
_SLIVER_GAP_M = 0.2
_HOLE_SHARE = 0.01  # of the outline, so that a reader that adds it stays within 5 %
_HOLE_GAP_M = 1.0
_PLOT = (1.4, 1.9)  # sides of a plot to those of its house


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """What became of an outline."""

    outline: BaseGeometry
    """The outline, perhaps invalid."""
    amount: float
    """By how much, in ``unit``."""
    unit: str
    """``m``, ``m2`` or empty where there is nothing to measure."""


def damage_outline(
    kind: str, outline: BaseGeometry, rng: np.random.Generator, *, coarse_m: float = 1.0
) -> Damage:
    """Damage an outline.

    Parameters
    ----------
    kind
        A share of `survey.simulation.permits.permit_dirt.OutlineDirt`; ``null`` leaves it empty and
        ``unclosed`` as it is: no geometry can say these, see `encode_outline`.
    outline
        A valid outline, metres.
    rng
        Source of chance.
    coarse_m
        Grid for ``coarse``, m.
    """
    if kind in ("empty", "null"):
        return Damage(outline=Polygon(), amount=outline.area, unit="m2")
    if kind == "coarse":
        coarse = snap_outline(shapely.simplify(outline, coarse_m / 2), coarse_m)
        return Damage(outline=coarse, amount=coarse_m, unit="m")
    if kind == "unclosed":
        return Damage(outline=outline, amount=0.0, unit="")
    parts = sorted(shapely.get_parts(outline), key=lambda part: -part.area)
    damaged = _DAMAGES[kind](parts[0], rng)
    if len(parts) == 1:
        return damaged
    others = [*shapely.get_parts(damaged.outline), *parts[1:]]
    return Damage(outline=MultiPolygon(others), amount=damaged.amount, unit=damaged.unit)


def snap_outline(outline: BaseGeometry, step_m: float) -> BaseGeometry:
    """Round every coordinate to a step, whatever becomes of the outline."""
    if step_m <= 0:
        return outline
    snapped: BaseGeometry = shapely.transform(outline, lambda p: np.round(p / step_m) * step_m)
    return snapped


def read_outline(outline: BaseGeometry) -> BaseGeometry:
    """Give the ground an outline still tells: polygons, valid; empty where it tells none."""
    if outline.is_empty:
        return Polygon()
    if outline.is_valid:
        return outline
    mended = shapely.make_valid(outline, method="structure", keep_collapsed=False)
    parts = [part for part in shapely.get_parts(mended) if isinstance(part, Polygon)]
    return shapely.union_all(parts) if parts else Polygon()


def encode_outline(outline: BaseGeometry, *, unclosed: bool = False) -> bytes:
    """Give an outline as WKB (OGC 06-103r4, section 8).

    Parameters
    ----------
    outline
        Any geometry.
    unclosed
        Leave out the last vertex of every ring; no library of geometry would.
    """
    if not unclosed:
        encoded: bytes = shapely.to_wkb(outline, byte_order=1, flavor="iso")
        return encoded
    polygons = shapely.get_parts(outline)
    simple = [_encode_unclosed(polygon) for polygon in polygons]
    if isinstance(outline, Polygon):
        return simple[0]
    return struct.pack("<BII", 1, 6, len(simple)) + b"".join(simple)


def _encode_unclosed(polygon: Polygon) -> bytes:
    rings = [polygon.exterior, *polygon.interiors]
    kind = 1003 if polygon.has_z else 3
    encoded = struct.pack("<BII", 1, kind, len(rings))
    for ring in rings:
        points = shapely.get_coordinates(ring, include_z=polygon.has_z)[:-1]
        encoded += struct.pack("<I", len(points)) + points.astype("<f8").tobytes()
    return encoded


def _corners(polygon: Polygon) -> NDArray[np.float64]:
    """Give the corners of the shell, each once, (n, 2)."""
    return np.asarray(polygon.exterior.coords)[:-1, :2]


def _with_shell(polygon: Polygon, shell: NDArray[np.float64]) -> Polygon:
    return Polygon(shell, list(polygon.interiors))


def _direction(start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    step: NDArray[np.float64] = end - start
    return step / max(float(np.hypot(*step)), 1e-9)


def _bow_tie(polygon: Polygon, rng: np.random.Generator) -> Damage:
    """Swap the two neighbouring corners that spoil most of the area."""
    corners = _corners(polygon)
    count = len(corners)
    shapes = []
    for turn in rng.permutation(count).tolist():
        order = np.arange(count)
        order[[turn, (turn + 1) % count]] = order[[(turn + 1) % count, turn]]
        shapes.append(_with_shell(polygon, corners[order]))
    crossed = [shape for shape in shapes if not shape.is_valid] or shapes
    spoilt = [read_outline(shape).symmetric_difference(polygon).area for shape in crossed]
    most = int(np.argmax(np.round(spoilt, 6)))
    return Damage(outline=crossed[most], amount=spoilt[most], unit="m2")


def _knot(polygon: Polygon, rng: np.random.Generator) -> Damage:
    corners = _corners(polygon)
    bends = np.array([_bend(corners, turn) for turn in range(len(corners))])
    # Where an outline hardly bends, a loop would have no width.
    turn = int(rng.choice(np.flatnonzero(bends >= min(_SHARP, bends.max()))))
    before, here, after = (corners[(turn + k) % len(corners)] for k in (-1, 0, 1))
    past = here + _KNOT_M * _direction(before, here)
    short = here - _KNOT_M * _direction(here, after)
    shell = np.concatenate([corners[:turn], [past, short], corners[turn + 1 :]])
    return Damage(outline=_with_shell(polygon, shell), amount=_KNOT_M, unit="m")


def _bend(corners: NDArray[np.float64], turn: int) -> float:
    """Give how sharply a shell turns at a corner, 0 (not at all) to 1 (a right angle)."""
    before, here, after = (corners[(turn + k) % len(corners)] for k in (-1, 0, 1))
    came, goes = _direction(before, here), _direction(here, after)
    return abs(float(came[0] * goes[1] - came[1] * goes[0]))


def _spike(polygon: Polygon, rng: np.random.Generator) -> Damage:
    corners = _corners(polygon)
    turn = int(rng.integers(len(corners)))
    length = float(rng.uniform(*_SPIKE_M))
    here = corners[turn]
    middle = np.asarray(polygon.centroid.coords)[0]
    tip = here + length * _direction(middle, here)
    shell = np.concatenate([corners[: turn + 1], [tip, here], corners[turn + 1 :]])
    return Damage(outline=_with_shell(polygon, shell), amount=length, unit="m")


def _doubled_vertices(polygon: Polygon, rng: np.random.Generator) -> Damage:
    corners = _corners(polygon)
    times = np.ones(len(corners), np.int64)
    times[rng.integers(len(corners))] += 2
    return Damage(
        outline=_with_shell(polygon, np.repeat(corners, times, axis=0)), amount=2, unit=""
    )


def _reversed_ring(polygon: Polygon, rng: np.random.Generator) -> Damage:
    del rng
    turned = shapely.orient_polygons(polygon, exterior_cw=True)
    return Damage(outline=turned, amount=0.0, unit="")


def _outside_hole(polygon: Polygon, rng: np.random.Generator) -> Damage:
    side = (_HOLE_SHARE * polygon.area) ** 0.5
    _left, bottom, right, top = polygon.bounds
    south = float(rng.uniform(bottom, top - side))
    west = right + _HOLE_GAP_M
    hole = shapely.box(west, south, west + side, south + side).exterior
    broken = Polygon(polygon.exterior, [*polygon.interiors, hole])
    return Damage(outline=broken, amount=side**2, unit="m2")


def _sliver(polygon: Polygon, rng: np.random.Generator) -> Damage:
    corners = _corners(polygon)
    following = np.roll(corners, -1, axis=0)
    longest = int(np.argmax(np.hypot(*(following - corners).T)))
    start, end = corners[longest], following[longest]
    along = _direction(start, end)
    # Left of every edge lies the inside of a shell that runs counter-clockwise.
    out = np.array([along[1], -along[0]])
    if not polygon.exterior.is_ccw:
        out = -out
    width = float(rng.uniform(*_SLIVER_M))
    near, far = out * _SLIVER_GAP_M, out * (_SLIVER_GAP_M + width)
    strip = Polygon([start + near, start + far, end + far, end + near])
    strip = shapely.orient_polygons(strip)
    return Damage(outline=MultiPolygon([polygon, strip]), amount=width, unit="m")


def _collapsed(polygon: Polygon, rng: np.random.Generator) -> Damage:
    corners = _corners(polygon)
    turn = int(rng.integers(len(corners)))
    start, end = corners[turn], corners[(turn + 1) % len(corners)]
    return Damage(outline=Polygon([start, end, end, start]), amount=polygon.area, unit="m2")


def _plot(polygon: Polygon, rng: np.random.Generator) -> Damage:
    along, across, east, north = rng.uniform(size=4).tolist()
    low, high = _PLOT
    box = shapely.minimum_rotated_rectangle(polygon)
    wide = scale(box, low + (high - low) * along, low + (high - low) * across)
    # A house seldom stands in the middle of its plot; by a tenth of the side it stays inside.
    room = 0.1 * polygon.area**0.5
    plot = translate(wide, room * (2 * east - 1), room * (2 * north - 1))
    plot = shapely.orient_polygons(plot.union(polygon))
    return Damage(outline=plot, amount=plot.area - polygon.area, unit="m2")


_DAMAGES: Mapping[str, Callable[[Polygon, np.random.Generator], Damage]] = {
    "bow_tie": _bow_tie,
    "knot": _knot,
    "spike": _spike,
    "doubled_vertices": _doubled_vertices,
    "reversed_ring": _reversed_ring,
    "outside_hole": _outside_hole,
    "sliver": _sliver,
    "collapsed": _collapsed,
    "plot": _plot,
}
