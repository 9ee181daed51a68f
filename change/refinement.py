"""Outlines moved onto the edges that a picture shows, at its full resolution. Pure.

    outline --right angles--> ring --strips across its edges--> clues --> how far each edge moves

Across every edge of the ring the picture is looked up in a strip. The ring is turned to where
colours change most sharply along its edges. For every place an edge might move to, clues are then
counted: how strongly and evenly colours change there, and how far either side looks like the inside
of the structure or like what surrounds it. A logistic choice (McFadden 1974), with weights learnt
from structures whose place is known, makes probabilities of them; as segmentations draw a whole
outline too large or too small, every edge also hears what the others say of that. It goes to the
median place, where the area between it and the true edge is expected to be least; where nothing
speaks for another place, that is where it was.
"""

import math
from dataclasses import dataclass

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from change.outlines import draw, overlap
from change.strips import Strips, View, cut_view, take_strips

__all__ = ["CLUES", "LEAST_KEPT", "Refined", "clues_of", "drawn_ring", "refine", "turned_strips"]

Floats = NDArray[np.float64]

CLUES = ("sharp", "even", "apart", "apart_here", "dark_inside")
"""What speaks for a place: colours change there strongly, and evenly along the edge; either side
looks like the inside and like the surroundings of all edges, and of this one; the inside lies in
shadow there."""
# Learnt by ``python -m benchmarks.outlining learn``, on simulated and real outlines alike.
_WEIGHTS = np.array([1.45, -0.78, 0.69, 0.28, 0.61])
# How far an outline is grown or shrunk as a whole, and how far each edge is off by itself, as
# shares of the reach, standard deviations; with some edges anywhere, likelier near than far.
_GROWN, _OFF, _ASTRAY, _FAR = 1 / 3, 1 / 3, 0.1, 0.45
# Edges of segmentations are so far off, as a share of how far they may be, standard deviation.
_SLACK = 2 / 3
# Turns of the ring that are tried, degrees; departures of this size are usual, and a turn counts
# as much as its gain in sharpness to this power (both by benchmarks/outlining.py).
_TURNS = np.arange(-10.0, 10.5, 1.0)
_USUAL_TURN, _TURN_POWER = 6.0, 12.0
# Colour is compared over this width on either side of a place, m; shadow over more.
_STEP_M, _SHADE_M = 0.2, 0.3
# Shadow is this much darker than the inside of the structure usually is; in full at so much more.
_SHADE, _SHADE_DEPTH = 0.65, 60.0
# Lightness and colour vary by this much on what looks alike, variances in 8-bit L*a*b*.
_LEAST_VARIANCE = np.array([60.0, 9.0, 9.0], np.float32)
# Nothing in a single pixel counts more than this, natural logarithm.
_MOST_SAID = 3.0
# Bins of a colour's lightness, green to red and blue to yellow; the latter two stretched.
_BINS, _STRETCH = 10, 2.5
# A refined outline shares at least this much with the one that came in, else it moves less.
LEAST_KEPT = 0.6
"""Intersection over union with what came in that a refined outline never falls below."""
# Specks of a few centimetres show nothing, m2.
_LEAST_M2 = 0.01
# Edges shorter than this say nothing of their own, m.
_LEAST_EDGE_M = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Refined:
    """An outline moved onto the picture's edges."""

    outline: Polygon
    """Where the picture shows the structure, m."""
    moved_m: float
    """How far its edges moved, mean over their length, m; 0 where the picture says nothing."""
    support: float
    """How sure the picture is of where the edges lie: 0 (not at all) to 1, mean over the length."""


def refine(
    outline: Polygon,
    picture: NDArray[np.uint8],
    transform: Affine,
    *,
    reach_m: float,
    valid: NDArray[np.bool_] | None = None,
) -> Refined:
    """Return an outline squared and moved onto the edges of a picture.

    Parameters
    ----------
    outline
        Rough outline, as a segmentation drew it, m.
    picture
        (3, row, col) red green blue in which the structure stands, with two metres and the reach
        around it where there are.
    transform
        From (col, row) of the picture to (x, y), m; pixels as square as may be.
    reach_m
        How far an edge may be moved, m.
    valid
        (row, col), True where the picture shows ground; None for everywhere.

    Returns
    -------
    Refined
        Its outline is valid and shares ``LEAST_KEPT`` of its union with what came in; where that
        cannot be had, it is what came in.

    Raises
    ------
    ValueError
        The arrays do not have the shapes above, or the reach is not positive.
    """
    _check(picture, valid, reach_m)
    if not outline.is_valid or outline.area < _LEAST_M2:
        return Refined(outline=outline, moved_m=0.0, support=0.0)
    drawn = drawn_ring(outline, reach_m)
    view = cut_view(picture, valid, transform, outline, reach_m)
    if view is None:
        return _finished(outline, drawn, 0.0, 0.0)
    origin = np.array(view.origin)
    strips, ring = turned_strips(drawn, view, reach_m)
    offsets, sure = _choose(*clues_of(strips, reach_m), reach_m)
    silent = (strips.seen < 0.5) | (strips.lengths < _LEAST_EDGE_M)
    offsets, sure = np.where(silent, 0.0, offsets), np.where(silent, 0.0, sure)
    way, support = (
        float(np.average(part, weights=strips.lengths)) for part in (np.abs(offsets), sure)
    )
    holes = [np.asarray(hole.coords) for hole in drawn.interiors]
    for share in (1.0, 0.5):
        moved = Polygon(_moved(ring, offsets * share) + origin, holes)
        if moved.is_valid and overlap(moved, outline) >= LEAST_KEPT:
            return _finished(outline, moved, way * share, support)
    return _finished(outline, drawn, 0.0, 0.0)


def _check(picture: NDArray[np.uint8], valid: NDArray[np.bool_] | None, reach_m: float) -> None:
    if picture.ndim != 3 or picture.shape[0] != 3:
        raise ValueError(f"a picture is (3, row, col), got {picture.shape}")
    if valid is not None and valid.shape != picture.shape[1:]:
        raise ValueError(f"valid is {valid.shape}, the picture {picture.shape}")
    if not reach_m > 0:
        raise ValueError(f"the reach must be positive, got {reach_m} m")


def drawn_ring(outline: Polygon, reach_m: float) -> Polygon:
    """Return a rough outline with right angles or as a free shape, before any picture is asked."""
    return draw(outline, slack_m=reach_m * _SLACK)


def _finished(outline: Polygon, drawn: Polygon, moved_m: float, support: float) -> Refined:
    """Return a drawing in whole centimetres, or what came in where that breaks it."""
    whole: BaseGeometry = shapely.set_precision(drawn, 0.01)
    if not isinstance(whole, Polygon) or overlap(whole, outline) < LEAST_KEPT:
        return Refined(outline=outline, moved_m=0.0, support=0.0)
    return Refined(outline=shapely.normalize(whole), moved_m=moved_m, support=support)


def turned_strips(drawn: Polygon, view: View, reach_m: float) -> tuple[Strips, Floats]:
    """Turn a drawn outline to the picture; return the strips across its edges, and its ring.

    The ring is (edge, 2) corners, counter-clockwise, m from the view's origin.
    """
    corners = np.asarray(shapely.orient_polygons(drawn).exterior.coords)[:-1]
    # Rounded, a ring means the same wherever it lies.
    ring = np.round(corners - np.array(view.origin), 6)
    ring = _turned(ring, _best_turn(take_strips(ring, view, reach_m), reach_m))
    return take_strips(ring, view, reach_m), ring


def _turned(ring: Floats, degrees: float) -> Floats:
    """Return a ring turned about the middle of its corners, counter-clockwise."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    middle = ring.mean(axis=0)
    return np.asarray((ring - middle) @ np.array([[cos, sin], [-sin, cos]]) + middle)


def _best_turn(strips: Strips, reach_m: float) -> float:
    """Return the turn at which the edges of a ring lie best along edges of the picture, degrees.

    An edge that lies askew crosses the picture's edge slowly, and the mean of the colours' steps
    along it is blurred; texture has steps in all directions, and none that lasts.
    """
    inner, outer = strips.sides(strips.colours, _STEP_M)
    steps = (outer - inner) * strips.known[..., None] / 255
    reach = round(reach_m / strips.step_m)
    rows = len(strips.places) // 2 + np.arange(-reach, reach + 1)
    usual = np.exp(-0.5 * (strips.places[rows] / (reach_m / 2)) ** 2)[:, None]
    columns = np.arange(steps.shape[1])
    scores = []
    for degrees in _TURNS:
        # To turn to the left is to look farther in, ahead of the edge's middle.
        shift = np.rint(-math.tan(math.radians(degrees)) * strips.along / strips.step_m)
        looked = np.clip(rows[:, None] + shift.astype(np.int64), 0, len(steps) - 1)
        mean = strips.means(np.asarray(steps[looked, columns], np.float32))
        sharp = np.sqrt((mean**2).sum(axis=-1)) * usual
        scores.append(float((sharp.max(axis=0) * strips.lengths).sum()))
    gain = _TURN_POWER * np.log(np.maximum(scores, 1e-6))
    return float(_TURNS[np.argmax(gain - 0.5 * (_TURNS / _USUAL_TURN) ** 2)])


def clues_of(strips: Strips, reach_m: float) -> tuple[Floats, Floats]:
    """Return the places an edge may move to, (k,), m outwards, and its clues, (clue, k, edge)."""
    inside, outside = strips.places < -reach_m + 1e-6, strips.places > reach_m - 1e-6
    within = np.abs(strips.places) <= reach_m + 1e-6
    inner, outer = strips.sides(strips.colours, _STEP_M)
    step = np.asarray((outer - inner) / 255, np.float32)
    sharp = np.sqrt((strips.means(step) ** 2).sum(axis=-1))
    size = np.asarray(np.sqrt((step**2).sum(axis=-1)), np.float32)
    even = sharp / (strips.means(size) + 0.01)
    sharp = np.log1p(sharp / (0.3 * sharp[within].max(axis=0) + 0.02))
    apart = _summed(_apart(strips, inside, outside), strips)
    apart_here = _summed(_apart_here(strips, inside, outside), strips)
    usual = float(np.median(strips.colours[inside, :, 0]))
    shade, _beyond = strips.sides(strips.colours[..., 0], _SHADE_M)
    dark = np.asarray(np.clip((_SHADE * usual - shade) / _SHADE_DEPTH, 0, 1), np.float32)
    found = np.stack([sharp, even, apart, apart_here, strips.means(dark)])
    return strips.places[within], found[:, within].astype(np.float64)


def _summed(said: NDArray[np.float32], strips: Strips) -> NDArray[np.float32]:
    """Sum what pixels (k, m) say for lying inside, up to every place, (k, edge), m."""
    each = strips.means(said)
    return np.asarray((np.cumsum(each, axis=0) - each / 2) * strips.step_m, np.float32)


def _apart(
    strips: Strips, inside: NDArray[np.bool_], outside: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Return how much likelier each pixel's colour is inside than outside all edges, logarithm."""
    colours = strips.colours.copy()
    colours[..., 1:] = (colours[..., 1:] - 128) * _STRETCH + 128
    bins = np.clip(colours * (_BINS / 256), 0, _BINS - 1).astype(np.int64)
    code = (bins[..., 0] * _BINS + bins[..., 1]) * _BINS + bins[..., 2]
    counts = []
    for part in (inside, outside):
        weights = strips.known[part].ravel()
        held = np.bincount(code[part].ravel(), weights=weights, minlength=_BINS**3)
        counts.append((held + 0.5) / (held.sum() + 0.5 * 100))
    said = np.clip(np.log(counts[0] / counts[1]), -_MOST_SAID, _MOST_SAID)
    return np.asarray(said[code], np.float32)


def _apart_here(
    strips: Strips, inside: NDArray[np.bool_], outside: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Return the same by the mean and spread of colours on the two sides of each edge."""
    likely = []
    for part in (inside, outside):
        weights = strips.known[part][..., None]
        held = np.maximum(strips.sums(weights.sum(axis=0)), 1e-6)
        mean = strips.sums((strips.colours[part] * weights).sum(axis=0)) / held
        square = strips.sums((strips.colours[part] ** 2 * weights).sum(axis=0)) / held
        spread = np.maximum(square - mean**2, 0) + _LEAST_VARIANCE
        mean, spread = mean[strips.owner], spread[strips.owner]
        away = np.minimum((strips.colours - mean) ** 2 / spread, 9)
        likely.append(-0.5 * (away + np.log(spread)).sum(axis=-1))
    return np.asarray(np.clip(likely[0] - likely[1], -_MOST_SAID, _MOST_SAID), np.float32)


def _choose(places: Floats, clues: Floats, reach_m: float) -> tuple[Floats, Floats]:
    """Return each edge's median place, m, and how much surer it is than without a picture.

    The outline's growth is common to its edges, each of which is off by something of its own: sums
    over a tree, which messages between its nodes give exactly (Pearl 1988).
    """
    said = _chances(np.tensordot(_WEIGHTS, clues, axes=1))
    off = (places[:, None] - places) / reach_m
    own = np.exp(-0.5 * (off / _OFF) ** 2) * (1 - _ASTRAY)
    own += np.exp(-np.abs(off) / _FAR) * _ASTRAY
    own /= own.sum(axis=1, keepdims=True)
    grown = -0.5 * (places / (reach_m * _GROWN)) ** 2
    heard = np.log(own @ said + 1e-9)
    # What an edge hears of the growth is what all the others say.
    told = _chances(grown[:, None] + heard.sum(axis=1, keepdims=True) - heard)
    chance = said * (own.T @ told)
    chance /= chance.sum(axis=0)
    before = own.T @ _chances(grown[:, None])
    run = np.cumsum(chance, axis=0)
    at = np.minimum((run < 0.5).sum(axis=0), len(places) - 1)
    edge = np.arange(len(at))
    # Between two places the median lies where their chances meet the half.
    share = (0.5 - (run[at, edge] - chance[at, edge])) / np.maximum(chance[at, edge], 1e-9)
    middle = places[at] + (share - 0.5) * (places[1] - places[0])
    sure = 1 - _spread(places, chance) / _spread(places, before)
    return middle, np.clip(sure, 0, 1)


def _chances(points: Floats) -> Floats:
    rising = np.exp(points - points.max(axis=0))
    return np.asarray(rising / rising.sum(axis=0))


def _spread(places: Floats, chance: Floats) -> Floats:
    mean = (chance * places[:, None]).sum(axis=0)
    return np.asarray(np.sqrt((chance * (places[:, None] - mean) ** 2).sum(axis=0)))


def _moved(ring: Floats, offsets: Floats) -> Floats:
    """Return a ring with each edge moved outwards, m.

    Every corner moves so that it stays on both of its edges; where they run on almost straight,
    by as little as serves both (least squares with a small penalty on the way).
    """
    edge = np.roll(ring, -1, axis=0) - ring
    along = edge / np.maximum(np.hypot(*edge.T), 1e-9)[:, None]
    after = np.column_stack([along[:, 1], -along[:, 0]])
    both = np.stack([np.roll(after, 1, axis=0), after], axis=1)
    wanted = np.stack([np.roll(offsets, 1), offsets], axis=1)
    square = np.einsum("nki,nkj->nij", both, both) + 1e-2 * np.eye(2) * _crossing(both)
    right = np.einsum("nki,nk->ni", both, wanted)
    return np.asarray(ring + np.linalg.solve(square, right[..., None])[..., 0])


def _crossing(both: Floats) -> Floats:
    """Return how nearly the two edges at each corner run on straight, (n, 1, 1), 0 to 1."""
    cosine = (both[:, 0] * both[:, 1]).sum(axis=1)
    return np.asarray((cosine**2 + 1e-6)[:, None, None])
