"""Strips of a picture across the edges of a ring, looked up at once. Pure."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from affine import Affine
from numpy.typing import NDArray
from shapely import Polygon

from survey.light import to_lab

__all__ = ["Strips", "View", "cut_view", "take_strips"]

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

# Inside and outside are learnt this far beyond where an edge may lie, m.
_DEPTH_M = 1.0
# Turning takes corners out of the outline by about as much, m.
_SPARE_M = 1.0
# Finer pixels are averaged: walls are not built to centimetres, and time goes with their number.
_FINEST_M = 0.06
# Points along an edge: apart by a pixel, this many at least and at most.
_FEWEST, _MOST = 3, 40
# The ends of an edge move with its neighbours: as much of them is left out, m, or as a share.
_END_M, _END = 0.6, 0.25
# A picture of fewer pixels on a side shows nothing.
_LEAST_PX = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The part of a picture around an outline."""

    lab: NDArray[np.uint8]
    """(row, col, 3), 8-bit L*a*b*."""
    known: Singles
    """(row, col), 1 where the picture shows ground."""
    to_pixel: Affine
    """From (x, y), m from ``origin``, to (col, row)."""
    origin: tuple[float, float]
    """Where (x, y) are counted from, m."""
    pixel_m: float
    """Side of a pixel, m."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strips:
    """Strips across edges, side by side: k places across, m points along all edges together."""

    places: Floats
    """(k,), m outwards of the edge, evenly spaced."""
    colours: Singles
    """(k, m, 3), 8-bit L*a*b*."""
    known: Singles
    """(k, m), 1 where the picture shows ground."""
    owner: NDArray[np.int64]
    """(m,), number of the edge, rising from 0."""
    along: Floats
    """(m,), m from the middle of the edge."""
    lengths: Floats
    """(edge,), m."""

    @property
    def step_m(self) -> float:
        """Distance between places, m."""
        return float(self.places[1] - self.places[0])

    @property
    def seen(self) -> Floats:
        """(edge,), share of the strip that shows ground."""
        return np.asarray(self.sums(self.known.mean(axis=0)) / np.bincount(self.owner), np.float64)

    def sums(self, values: Singles) -> Singles:
        """Sum (m, ...) over the points of each edge, (edge, ...)."""
        first = np.flatnonzero(np.diff(self.owner, prepend=-1))
        return np.asarray(np.add.reduceat(values, first, axis=0), np.float32)

    def means(self, values: Singles) -> Singles:
        """Average (k, m) or (k, m, 3) over the known points of each edge, (k, edge, ...)."""
        first = np.flatnonzero(np.diff(self.owner, prepend=-1))
        weights = self.known[: len(values)]
        weights = weights if values.ndim == 2 else weights[..., None]
        held = np.add.reduceat(weights, first, axis=1)
        total = np.add.reduceat(values * weights, first, axis=1)
        return np.asarray(total / np.maximum(held, 1e-6), np.float32)

    def sides(self, values: Singles, width_m: float) -> tuple[Singles, Singles]:
        """Average (k, m, ...) over a width inside and outside of every place."""
        reach, count = max(1, round(width_m / self.step_m)), len(values)
        run = np.concatenate([np.zeros_like(values[:1]), np.cumsum(values, axis=0)])
        at = np.arange(count)
        low, high = np.maximum(at - reach, 0), np.minimum(at + 1 + reach, count)
        ones = (-1,) + (1,) * (values.ndim - 1)
        inner = (run[at] - run[low]) / np.maximum(at - low, 1).reshape(ones)
        outer = (run[high] - run[at + 1]) / np.maximum(high - at - 1, 1).reshape(ones)
        return np.asarray(inner, np.float32), np.asarray(outer, np.float32)


def cut_view(
    picture: NDArray[np.uint8],
    valid: NDArray[np.bool_] | None,
    transform: Affine,
    outline: Polygon,
    reach_m: float,
) -> View | None:
    """Cut out what an outline covers and lies around it, or None where nothing of it is seen.

    Parameters
    ----------
    picture
        (3, row, col) red green blue.
    valid
        (row, col), True where it shows ground; None for everywhere.
    transform
        From (col, row) to (x, y), m.
    outline
        The outline, m.
    reach_m
        How far its edges may move, m.
    """
    margin = reach_m + _DEPTH_M + _SPARE_M
    west, south, east, north = np.add(outline.bounds, (-margin, -margin, margin, margin))
    corners = [~transform @ (x, y) for x in (west, east) for y in (south, north)]
    cols, rows = np.array(corners).T
    top, left = max(0, math.floor(rows.min())), max(0, math.floor(cols.min()))
    bottom = min(picture.shape[1], math.ceil(rows.max()))
    right = min(picture.shape[2], math.ceil(cols.max()))
    if min(bottom - top, right - left) < _LEAST_PX:
        return None
    pixel = math.sqrt(abs(transform.determinant))
    factor = max(1, int(_FINEST_M / pixel))
    size = ((right - left) // factor, (bottom - top) // factor)
    if min(size) < _LEAST_PX:
        return None
    place = (slice(top, top + size[1] * factor), slice(left, left + size[0] * factor))
    known = np.ones(picture.shape[1:], bool) if valid is None else valid
    shown = known[place].astype(np.float32)
    x, y = outline.exterior.coords[0]
    here = Affine.translation(-x, -y) @ transform @ Affine.translation(left, top)
    return View(
        lab=_lab(picture[:, *place], size),
        known=np.asarray(cv2.resize(shown, size, interpolation=cv2.INTER_AREA), np.float32),
        to_pixel=~(here @ Affine.scale(factor)),
        origin=(x, y),
        pixel_m=pixel * factor,
    )


def _lab(cut: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    if cut.shape[:0:-1] != size:
        planes = [cv2.resize(band, size, interpolation=cv2.INTER_AREA) for band in cut]
        cut = np.stack(planes)
    return np.ascontiguousarray(np.moveaxis(to_lab(cut), 0, -1))


def take_strips(ring: Floats, view: View, reach_m: float) -> Strips:
    """Look a view up across the edges of a ring.

    Parameters
    ----------
    ring
        (edge, 2) corners, counter-clockwise, m from the view's origin.
    view
        What is seen there.
    reach_m
        How far its edges may move, m; the strips reach a metre farther.
    """
    edge = np.roll(ring, -1, axis=0) - ring
    lengths = np.hypot(*edge.T)
    ahead = edge / np.maximum(lengths, 1e-9)[:, None]
    outwards = np.column_stack([ahead[:, 1], -ahead[:, 0]])
    step = max(view.pixel_m, 0.05)
    # At least three places within reach, and one beyond it, however coarse the pixels are.
    step = min(step, reach_m / 2)
    across = math.ceil((reach_m + _DEPTH_M) / step)
    places = np.arange(-across, across + 1, dtype=np.float64) * step
    used = lengths - 2 * np.minimum(_END_M, _END * lengths)
    count = np.clip(np.round(used / step), _FEWEST, _MOST).astype(np.int64)
    owner = np.repeat(np.arange(len(ring)), count)
    number = np.arange(len(owner)) - (np.cumsum(count) - count)[owner]
    along = ((number + 0.5) / count[owner] - 0.5) * used[owner]
    middle = ring + edge / 2
    points = middle[owner] + ahead[owner] * along[:, None]
    x, y = np.moveaxis(points + places[:, None, None] * outwards[owner], -1, 0)
    to = view.to_pixel
    # Pixels are counted from their centres there; rounded, a place is the same wherever it lies.
    col = np.round(to.a * x + to.b * y + to.c - 0.5, 3).astype(np.float32)
    row = np.round(to.d * x + to.e * y + to.f - 0.5, 3).astype(np.float32)

    def looked_up(layer: NDArray[np.uint8] | Singles) -> Singles:
        return np.asarray(cv2.remap(layer, col, row, cv2.INTER_LINEAR), np.float32)

    return Strips(
        places=places,
        colours=looked_up(view.lab),
        known=np.asarray(looked_up(view.known) > 0.99, np.float32),
        owner=owner,
        along=along,
        lengths=lengths,
    )
