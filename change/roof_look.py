"""What roofs look like in one picture, taught by outlines known to be roofs. Pure but for reading.

How roofs look differs from place to place, so nothing is brought along: the colours inside known
outlines are held against those around them (histograms, as naive Bayes does), and a logistic
regression weighs them against texture and the straightness of edges. Concrete roofs and concrete
yards look alike from above: without heights this stays a guess, and the scores say so.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.features import rasterize
from shapely import Polygon

from change.looks import VEHICLE_LENGTH_M, VEHICLE_WIDTH_M, grown, probability, shrunk, sides_of
from change.raised import Part, View
from change.roofs import is_green, steel_share
from change.sight import Sight
from change.surface import gradients
from survey.grid import Bounds
from survey.light import to_lab

__all__ = ["RoofLook", "find_roofs", "judge_roof", "learn_look"]

_Pixels = NDArray[np.float32]

# Roofs that teach, at most, spread evenly over the area; with fewer nothing is learned.
_TEACHERS, _FEWEST = 120, 8
# What lies so far around a known roof teaches what is none, but for a rim that may be either, m.
_AROUND_M, _RIM_M = 15.0, 1.0
# Samples of each kind, at most.
_SAMPLES = 30_000
# Bins along L*, a* and b*, and what each holds before anything is seen.
_BINS, _PRIOR = 16, 2.0
_RIDGE, _ROUNDS = 1e-2, 12
# From how likely on a pixel is taken for a roof, tried one after the other.
_LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9)
# Texture and straightness are taken over these distances, m.
_FINE_M, _WIDE_M = 0.6, 2.0
# Gaps and slivers narrower than this are closed and cut off, m.
_CLOSE_M, _OPEN_M = 0.8, 2.0
# Nobody is surer than this of what a single picture shows.
_SUREST = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class RoofLook:
    """What roofs look like in one flight."""

    taught: bool
    """False where too few roofs are known: then only painted steel and tiles are found."""
    colours: _Pixels
    """(L*, a*, b*) bins: logarithm of how much likelier a colour is on a roof."""
    weights: NDArray[np.float64]
    """Of the constant and of each feature."""


def learn_look(sight: Sight, roofs: Sequence[Polygon]) -> RoofLook:
    """Learn what roofs look like from outlines that are known to stand, for the most part.

    Raises
    ------
    FlightError
        The picture cannot be read to its end.
    """
    nothing = RoofLook(
        taught=False, colours=np.zeros((_BINS,) * 3, np.float32), weights=np.zeros(0)
    )
    chosen = _spread(roofs, sight)
    if len(chosen) < _FEWEST:
        return nothing
    samples = [_sample(sight, roof, roofs) for roof in chosen]
    inside = _thinned([part for part, _other in samples])
    outside = _thinned([other for _part, other in samples])
    if min(inside.shape[1], outside.shape[1]) < 100:
        return nothing
    colours = np.log(_histogram(inside) / _histogram(outside)).astype(np.float32)
    design = [_features_of(part, colours) for part in (inside, outside)]
    return RoofLook(taught=True, colours=colours, weights=_regress(*design))


def _spread(roofs: Sequence[Polygon], sight: Sight) -> list[Polygon]:
    bounds = sight.grid.bounds
    ground = shapely.box(bounds.left, bounds.bottom, bounds.right, bounds.top)
    seen = [roof for roof in roofs if ground.contains(roof) and roof.area >= 10.0]
    seen.sort(key=lambda roof: (roof.centroid.x, roof.centroid.y))
    step = max(1, math.ceil(len(seen) / _TEACHERS))
    return seen[::step]


def _sample(sight: Sight, roof: Polygon, roofs: Sequence[Polygon]) -> tuple[_Pixels, _Pixels]:
    """Return the raw features (feature, n) of a roof's pixels, and of those around it."""
    left, bottom, right, top = roof.bounds
    around = Bounds(left=left, bottom=bottom, right=right, top=top).buffered(_AROUND_M)
    window = sight.grid.window_of(around)
    transform = sight.grid.transform_of(window)
    with sight.open() as opened:
        picture = opened.picture(window)
    near = [other for other in roofs if other.intersects(shapely.box(*_sides(around)))]
    pixel = sight.grid.pixel_m
    shape = picture.valid.shape
    own = rasterize([roof], out_shape=shape, transform=transform) > 0
    any_roof = rasterize(near, out_shape=shape, transform=transform) > 0
    raw = _raw_features(picture.colour, pixel)
    inner = shrunk(own, _RIM_M, pixel) & picture.valid
    outer = ~grown(any_roof, _RIM_M, pixel) & picture.valid
    return raw[:, inner], raw[:, outer]


def _sides(bounds: Bounds) -> tuple[float, float, float, float]:
    return bounds.left, bounds.bottom, bounds.right, bounds.top


def _thinned(parts: list[_Pixels]) -> _Pixels:
    """Return every so many of the samples, the same share of each roof."""
    joined = np.concatenate(parts, axis=1)
    return joined[:, :: max(1, math.ceil(joined.shape[1] / _SAMPLES))]


def _raw_features(colour: NDArray[np.uint8], pixel: float) -> _Pixels:
    """Return (feature, row, col): L*, a*, b*, texture fine and wide, straightness, and contrast."""
    lab = to_lab(colour).astype(np.float32)
    smooth = np.stack([cv2.GaussianBlur(band, (0, 0), 0.3 / pixel) for band in lab])
    size, direction = gradients(colour)
    turned = [
        cv2.GaussianBlur(size * trig(4 * direction), (0, 0), _WIDE_M / pixel)
        for trig in (np.cos, np.sin)
    ]
    total = cv2.GaussianBlur(size, (0, 0), _WIDE_M / pixel)
    straight = np.hypot(*turned) / np.maximum(total, 1e-3)
    wide = cv2.GaussianBlur(lab[0], (0, 0), _WIDE_M / pixel)
    return np.stack(
        [
            *smooth,
            np.log1p(_deviation(lab[0], _FINE_M / pixel)),
            np.log1p(_deviation(lab[0], _WIDE_M / pixel)),
            straight,
            np.abs(smooth[0] - wide) / 16,
        ]
    ).astype(np.float32)


def _deviation(band: _Pixels, sigma: float) -> _Pixels:
    mean = cv2.GaussianBlur(band, (0, 0), sigma)
    square = cv2.GaussianBlur(band * band, (0, 0), sigma)
    return np.asarray(np.sqrt(np.maximum(square - mean * mean, 0)), np.float32)


def _bins(raw: _Pixels) -> NDArray[np.int64]:
    """Return (3, n) bins; colours crowd around grey, so a* and b* are spread."""
    light = raw[0] / 256
    shades = [0.5 + (raw[i] - 128) / 96 for i in (1, 2)]
    places = np.stack([light, *shades]) * _BINS
    return np.clip(places.astype(np.int64), 0, _BINS - 1)


def _histogram(raw: _Pixels) -> NDArray[np.float64]:
    """Return the share of samples in every bin, blurred by a bin and never zero."""
    counts = np.zeros((_BINS,) * 3)
    np.add.at(counts, tuple(_bins(raw)), 1.0)
    for axis in range(3):
        rolled = np.moveaxis(counts, axis, 0)
        padded = np.concatenate([rolled[:1], rolled, rolled[-1:]])
        counts = np.moveaxis((padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4, 0, axis)
    counts += _PRIOR
    return np.asarray(counts / counts.sum())


def _features_of(raw: _Pixels, colours: _Pixels) -> NDArray[np.float64]:
    """Return (feature + 1, ...) for the regression, the constant first."""
    likely = colours[tuple(_bins(raw))]
    return np.stack([np.ones_like(likely), likely, *raw[3:]]).astype(np.float64)


def _regress(inside: NDArray[np.float64], outside: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fit a logistic regression by Newton's method; both kinds weigh the same."""
    design = np.concatenate([inside, outside], axis=1).T
    wanted = np.repeat([1.0, 0.0], [inside.shape[1], outside.shape[1]])
    share = np.where(wanted > 0, 0.5 / inside.shape[1], 0.5 / outside.shape[1])
    weights = np.zeros(design.shape[1])
    for _round in range(_ROUNDS):
        told = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        slope = design.T @ (share * (wanted - told)) - _RIDGE * weights
        bend = (design * (share * told * (1 - told))[:, None]).T @ design
        weights = weights + np.linalg.solve(bend + _RIDGE * np.eye(len(weights)), slope)
    return weights


def _likeness(view: View, look: RoofLook) -> _Pixels:
    """Return how likely each pixel is a roof, (row, col), in [0, 1]."""
    if not look.taught:
        return _painted(view)
    raw = _raw_features(view.colour, view.pixel_m)
    points = np.tensordot(look.weights, _features_of(raw, look.colours), axes=1)
    likely = 1 / (1 + np.exp(-np.clip(points, -30, 30)))
    return np.asarray(likely, np.float32)


def _painted(view: View) -> _Pixels:
    """Return 1 where a surface is painted steel or tile, else 0."""
    lab = to_lab(view.colour)
    a, b = lab[1].astype(np.float32) - 128, lab[2].astype(np.float32) - 128
    painted = (b < -12) | ((a > 12) & (a > 0.8 * b))
    return np.asarray(painted, np.float32)


def find_roofs(view: View, look: RoofLook) -> tuple[NDArray[np.bool_], ...]:
    """Return where a picture may show a roof, (row, col), once for each of several likelihoods.

    Roofs that touch are one place at a low likelihood and two at a higher; whichever looks more
    like a roof is to be kept.
    """
    pixel = view.pixel_m
    likely = cv2.GaussianBlur(_likeness(view, look), (0, 0), 0.4 / pixel)
    bare = view.valid & ~is_green(view.colour)
    masks = []
    for level in _LEVELS if look.taught else _LEVELS[:1]:
        mask = ((likely > level) & bare).astype(np.uint8)
        closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, _disc(_CLOSE_M, pixel))
        opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, _disc(_OPEN_M, pixel))
        masks.append(np.asarray(opened > 0))
    return tuple(masks)


def _disc(diameter_m: float, pixel: float) -> NDArray[np.uint8]:
    side = 2 * max(1, round(diameter_m / pixel / 2)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def judge_roof(view: View, place: Polygon, look: RoofLook) -> Part | None:
    """Judge a place that ``find_roofs`` has found; the score is never above 0.8."""
    pixel = view.pixel_m
    inside = rasterize([place], out_shape=view.valid.shape, transform=view.transform) > 0
    if not inside.any():
        return None
    width, length = sides_of(place)
    lab = to_lab(view.colour)
    size, _direction = gradients(view.colour)
    rim = grown(inside, 0.4, pixel) & ~shrunk(inside, 0.4, pixel)
    core = shrunk(inside, 0.8, pixel)
    numbers = {
        "likeness": float(_likeness(view, look)[inside].mean()),
        "rectangular": float(place.area / max(1e-6, width * length)),
        "edge": float(
            size[rim].mean() / max(1.0, float(size[core if core.any() else inside].mean()))
        ),
        "steel": steel_share(lab, inside),
        "green": float(is_green(view.colour)[inside].mean()),
        "width_m": width,
        "length_m": length,
    }
    told = ((name, round(value, 3)) for name, value in sorted(numbers.items()))
    return Part(
        outline=place,
        height_m=None,
        kind="shed" if numbers["steel"] > 0.5 else "building",
        score=_score(numbers),
        evidence=tuple((name, value) for name, value in told if math.isfinite(value)),
    )


def _score(numbers: dict[str, float]) -> float:
    points = 6.0 * (numbers["likeness"] - 0.7) + 5.0 * (numbers["rectangular"] - 0.65)
    points += 1.5 * min(1.0, numbers["edge"] - 1.3)
    if numbers["width_m"] <= VEHICLE_WIDTH_M and numbers["length_m"] <= VEHICLE_LENGTH_M:
        points -= 3.0
    return _SUREST * probability(points)
