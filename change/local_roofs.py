"""What roofs look like here: what the detector says, taught by outlines known to be roofs.

How roofs look differs from place to place. So what the detector knows of roofs anywhere is held
beside what known outlines say of those here: the colours inside them against those around
(histograms, as naive Bayes does), texture and the straightness of edges, weighed by a logistic
regression. Outlines may be wrong here and there: what counts is what most of them say.
"""

import math
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import cv2
import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import rasterize
from shapely import Polygon

from change.looks import grown, shrunk
from change.model.detector import look_for_roofs, shipped_detector
from change.sight import Sight
from change.surface import slopes
from survey.blocks import run_all
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Teacher:
    """A roof that teaches; picklable."""

    sight: Sight
    roof: Polygon
    near: tuple[Polygon, ...]
    """It and all that are known around it."""


def learn_roofs(
    sight: Sight, roofs: Sequence[Polygon], *, executor: Executor | None = None
) -> LocalRoofs | None:
    """Learn what roofs look like from outlines that are known to stand, for the most part.

    Parameters
    ----------
    sight
        The flight.
    roofs
        Outlines, in the CRS of its grid, m.
    executor
        Where the flight is looked at; None looks here. What is learned is the same anywhere.

    Returns
    -------
    LocalRoofs or None
        None where too few are seen to learn from.

    Raises
    ------
    FlightError
        The picture cannot be read to its end.
    """
    tree = shapely.STRtree(roofs)
    chosen = _spread(roofs, tree, sight)
    if len(chosen) < _FEWEST:
        return None
    near = [tree.query(_box_of(_around(roof)), predicate="intersects") for roof in chosen]
    teachers = [
        _Teacher(sight=sight, roof=roof, near=tuple(roofs[i] for i in sorted(found)))
        for roof, found in zip(chosen, near, strict=True)
    ]
    return learn_samples(list(run_all(_sample, teachers, executor=executor)))


def learn_samples(samples: Sequence[Samples]) -> LocalRoofs | None:
    """Learn from the pixels of known roofs and of what surrounds them, one pair for each roof."""
    if len(samples) < _FEWEST:
        return None
    inside = _thinned([part for part, _other in samples])
    outside = _thinned([other for _part, other in samples])
    if min(inside.shape[1], outside.shape[1]) < _FEWEST_SAMPLES:
        return None
    colours = np.log(_histogram(inside) / _histogram(outside)).astype(np.float32)
    design = [np.stack(_features_of(part, colours), dtype=float) for part in (inside, outside)]
    return LocalRoofs(teachers=len(samples), colours=colours, weights=_regress(*design))


def _spread(roofs: Sequence[Polygon], tree: shapely.STRtree, sight: Sight) -> list[Polygon]:
    found = tree.query(_box_of(sight.grid.bounds), predicate="contains")
    seen = [roof for roof in (roofs[i] for i in sorted(found)) if roof.area >= 10.0]
    seen.sort(key=lambda roof: (roof.centroid.x, roof.centroid.y))
    step = max(1, math.ceil(len(seen) / _TEACHERS))
    return seen[::step]


def _around(roof: Polygon) -> Bounds:
    left, bottom, right, top = roof.bounds
    return Bounds(left=left, bottom=bottom, right=right, top=top).buffered(_AROUND_M)


def _box_of(bounds: Bounds) -> Polygon:
    return shapely.box(bounds.left, bounds.bottom, bounds.right, bounds.top)


def _sample(teacher: _Teacher) -> Samples:
    """Look at a roof and at the ground around it."""
    sight = teacher.sight
    window = sight.grid.window_of(_around(teacher.roof).buffered(_MORE_M))
    with sight.open() as opened:
        picture = opened.picture(window)
    rows, cols = np.ogrid[: window.height, : window.width]
    margin = math.ceil(_MORE_M / sight.grid.pixel_m)
    inner = (rows >= margin) & (rows < window.height - margin)
    inner = inner & (cols >= margin) & (cols < window.width - margin)
    return sample_roof(
        to_lab(picture.colour),
        roofs_in(picture.colour, picture.valid, sight.grid.pixel_m),
        picture.valid & inner,
        (teacher.roof, teacher.near),
        sight.grid.transform_of(window),
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


def _thinned(parts: list[_Pixels]) -> _Pixels:
    """Return every so many of the samples, the same share of each roof."""
    joined = np.concatenate(parts, axis=1)
    return joined[:, :: max(1, math.ceil(joined.shape[1] / _SAMPLES))]


def roofs_in(colour: NDArray[np.uint8], valid: NDArray[np.bool_], pixel: float) -> _Pixels:
    """Return how likely the detector sees a roof at each pixel, (row, col), of a (3, row, col)."""
    return look_for_roofs(shipped_detector(), colour, pixel, valid)


def _raw_features(colours: NDArray[np.uint8], roof: _Pixels, pixel: float) -> _Pixels:
    """Return (feature, row, col): L*, a*, b*, texture fine and wide, straightness, contrast, roof.

    The last is what the detector says, on the logistic scale.
    """
    likely = np.clip(roof, 1 - _SUREST, _SUREST)
    lab = colours.astype(np.float32)
    smooth = [cv2.GaussianBlur(band, (0, 0), 0.3 / pixel) for band in lab]
    _mean, fine = _spread_around(lab[0], _FINE_M / pixel)
    mean, wide = _spread_around(lab[0], _WIDE_M / pixel)
    raw = np.empty((8, *roof.shape), np.float32)
    raw[:3] = smooth
    np.log1p(fine, out=raw[3])
    np.log1p(wide, out=raw[4])
    raw[5] = _straightness(colours[0], _WIDE_M / pixel)
    np.abs(smooth[0] - mean, out=raw[6])
    raw[6] /= 16
    np.log(likely / (1 - likely), out=raw[7])
    return raw


def _straightness(light: NDArray[np.uint8], sigma: float) -> _Pixels:
    """Return how far edges run in two directions at right angles, (row, col) in [0, 1].

    The mean of the gradients' directions taken four times, as `change.surface.rightness` does, but
    around each pixel.
    """
    across, down = slopes(light)
    size = np.hypot(across, down)
    once = across * across - down * down, 2 * across * down
    # The fourth power of a gradient as a complex number, brought back to its size.
    cube = np.maximum(size * size * size, np.float32(1e-12))
    four = (once[0] * once[0] - once[1] * once[1]) / cube, 2 * once[0] * once[1] / cube
    turned = [cv2.GaussianBlur(part, (0, 0), sigma) for part in four]
    total = cv2.GaussianBlur(size, (0, 0), sigma)
    return np.asarray(np.hypot(*turned) / np.maximum(total, np.float32(1e-3)), np.float32)


def _spread_around(band: _Pixels, sigma: float) -> tuple[_Pixels, _Pixels]:
    """Return mean and standard deviation around each pixel, each (row, col)."""
    mean, square = (
        np.asarray(cv2.GaussianBlur(power, (0, 0), sigma), np.float32)
        for power in (band, band * band)
    )
    return mean, np.sqrt(np.maximum(square - mean * mean, 0))


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


def _features_of(raw: _Pixels, colours: _Pixels) -> tuple[_Pixels, ...]:
    """Return the features of the regression, the constant first."""
    likely = colours[tuple(_bins(raw))]
    return np.ones_like(likely), likely, *raw[3:]


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
    points = np.zeros_like(roof)
    for weight, feature in zip(local.weights.astype(np.float32), features, strict=True):
        points += weight * feature
    return np.asarray(1 / (1 + np.exp(-np.clip(points, -30, 30))), np.float32)
