"""What roofs look like here: what the detector says, taught by outlines known to be roofs.

How roofs look differs from place to place. So what the detector knows of roofs anywhere is held
beside what known outlines say of those here: the colours inside them against those around
(histograms, as naive Bayes does), texture and the straightness of edges, weighed by a logistic
regression. Outlines may be wrong here and there: what counts is what most of them say.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import rasterize
from shapely import Polygon

from change.looks import grown, shrunk
from change.model.detector import look, shipped_detector
from change.sight import Sight
from change.surface import gradients
from survey.grid import Bounds
from survey.light import to_lab

__all__ = [
    "LocalRoofs",
    "Samples",
    "learn_roofs",
    "learn_samples",
    "likely_roofs",
    "roofs_in",
    "sample_roof",
]

_Pixels = NDArray[np.float32]
Samples = tuple[_Pixels, _Pixels]
"""Features (feature, n) of the pixels of a roof, and of those around it."""

# Roofs that teach, at most, spread evenly over the area; with fewer nothing is learned.
_TEACHERS, _FEWEST = 120, 8
# What lies so far around a known roof teaches what is none, but for a rim that may be either, m.
_AROUND_M, _RIM_M = 15.0, 1.0
# The detector is shown so much more, m.
_MORE_M = 10.0
# Samples of each kind, at most, and at least.
_SAMPLES, _FEWEST_SAMPLES = 30_000, 100
# Bins along L*, a* and b*, and what each holds before anything is seen.
_BINS, _PRIOR = 16, 2.0
_RIDGE, _ROUNDS = 1e-2, 12
# Texture and straightness are taken over these distances, m.
_FINE_M, _WIDE_M = 0.6, 2.0
# What the detector says is taken to be no surer than this.
_SUREST = 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalRoofs:
    """What roofs look like in one flight."""

    teachers: int
    """Outlines it was taught by."""
    colours: _Pixels
    """(L*, a*, b*) bins: logarithm of how much likelier a colour is on a roof."""
    weights: NDArray[np.float64]
    """Of the constant and of each feature."""


def learn_roofs(sight: Sight, roofs: Sequence[Polygon]) -> LocalRoofs | None:
    """Learn what roofs look like from outlines that are known to stand, for the most part.

    Returns
    -------
    LocalRoofs or None
        None where too few are seen to learn from.

    Raises
    ------
    FlightError
        The picture cannot be read to its end.
    """
    chosen = _spread(roofs, sight)
    if len(chosen) < _FEWEST:
        return None
    return learn_samples([_sample(sight, roof, roofs) for roof in chosen])


def learn_samples(samples: Sequence[Samples]) -> LocalRoofs | None:
    """Learn from the pixels of known roofs and of what surrounds them, one pair for each roof."""
    if len(samples) < _FEWEST:
        return None
    inside = _thinned([part for part, _other in samples])
    outside = _thinned([other for _part, other in samples])
    if min(inside.shape[1], outside.shape[1]) < _FEWEST_SAMPLES:
        return None
    colours = np.log(_histogram(inside) / _histogram(outside)).astype(np.float32)
    design = [_features_of(part, colours) for part in (inside, outside)]
    return LocalRoofs(teachers=len(samples), colours=colours, weights=_regress(*design))


def _spread(roofs: Sequence[Polygon], sight: Sight) -> list[Polygon]:
    bounds = sight.grid.bounds
    ground = shapely.box(bounds.left, bounds.bottom, bounds.right, bounds.top)
    seen = [roof for roof in roofs if ground.contains(roof) and roof.area >= 10.0]
    seen.sort(key=lambda roof: (roof.centroid.x, roof.centroid.y))
    step = max(1, math.ceil(len(seen) / _TEACHERS))
    return seen[::step]


def _sample(sight: Sight, roof: Polygon, roofs: Sequence[Polygon]) -> Samples:
    left, bottom, right, top = roof.bounds
    around = Bounds(left=left, bottom=bottom, right=right, top=top).buffered(_AROUND_M)
    window = sight.grid.window_of(around.buffered(_MORE_M))
    with sight.open() as opened:
        picture = opened.picture(window)
    near = [other for other in roofs if other.intersects(shapely.box(*_sides(around)))]
    transform = sight.grid.transform_of(window)
    rows, cols = np.ogrid[: window.height, : window.width]
    margin = math.ceil(_MORE_M / sight.grid.pixel_m)
    inner = (rows >= margin) & (rows < window.height - margin)
    inner = inner & (cols >= margin) & (cols < window.width - margin)
    return sample_roof(
        to_lab(picture.colour),
        roofs_in(picture.colour, picture.valid, sight.grid.pixel_m),
        picture.valid & inner,
        (roof, near),
        transform,
    )


def sample_roof(
    lab: NDArray[np.uint8],
    seen_as_roof: _Pixels,
    valid: NDArray[np.bool_],
    roofs: tuple[Polygon, Sequence[Polygon]],
    transform: Affine,
) -> Samples:
    """Return what a window shows of a known roof and of the ground around it.

    Parameters
    ----------
    lab
        (3, row, col) L*a*b*.
    seen_as_roof
        (row, col), what the detector says, in [0, 1].
    valid
        (row, col), True where ground is shown.
    roofs
        The one that teaches, and all that are known here, m.
    transform
        From (col, row) of the window to (x, y).
    """
    pixel = abs(transform.a)
    own, any_roof = (
        rasterize(shapes, out_shape=valid.shape, transform=transform) > 0
        for shapes in ([roofs[0]], roofs[1])
    )
    raw = _raw_features(lab, seen_as_roof, pixel)
    inner = shrunk(own, _RIM_M, pixel) & valid
    outer = ~grown(any_roof, _RIM_M, pixel) & valid
    return raw[:, inner], raw[:, outer]


def _sides(bounds: Bounds) -> tuple[float, float, float, float]:
    return bounds.left, bounds.bottom, bounds.right, bounds.top


def _thinned(parts: list[_Pixels]) -> _Pixels:
    """Return every so many of the samples, the same share of each roof."""
    joined = np.concatenate(parts, axis=1)
    return joined[:, :: max(1, math.ceil(joined.shape[1] / _SAMPLES))]


def roofs_in(colour: NDArray[np.uint8], valid: NDArray[np.bool_], pixel: float) -> _Pixels:
    """Return how likely the detector sees a roof at each pixel, (row, col), of a (3, row, col)."""
    return look(shipped_detector(), colour, colour, pixel, valid)["roof_before"]


def _raw_features(colours: NDArray[np.uint8], roof: _Pixels, pixel: float) -> _Pixels:
    """Return (feature, row, col): L*, a*, b*, texture fine and wide, straightness, contrast, roof.

    The last is what the detector says, on the logistic scale.
    """
    likely = np.clip(roof, 1 - _SUREST, _SUREST)
    lab = colours.astype(np.float32)
    smooth = np.stack([cv2.GaussianBlur(band, (0, 0), 0.3 / pixel) for band in lab])
    size, direction = gradients(colours[:1].repeat(3, axis=0))
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
            np.log(likely / (1 - likely)),
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


def likely_roofs(
    local: LocalRoofs, lab: NDArray[np.uint8], roof: _Pixels, pixel_m: float
) -> _Pixels:
    """Return how likely each pixel is a roof, (row, col), in [0, 1].

    Parameters
    ----------
    local
        What roofs look like here.
    lab
        (3, row, col) L*a*b* in the light of the flight it was learned from.
    roof
        (row, col), what the detector says, in [0, 1].
    pixel_m
        Pixel, m.
    """
    features = _features_of(_raw_features(lab, roof, pixel_m), local.colours)
    points = np.tensordot(local.weights, features, axes=1)
    return np.asarray(1 / (1 + np.exp(-np.clip(points, -30, 30))), np.float32)
