"""Two detectors that know nothing, and the best score either can get: a floor for every judge.

The colour detector takes the Lab difference of every pixel, the height detector the raw difference
of two surface models, no datum corrected. Both are cut at one threshold for the whole set, and that
threshold is chosen on the truth itself: no honest detector of their kind can do better. A simulated
set on which they do well is too easy; one on which they do worse than on real pairs is too hard.
`python -m benchmarks.judge naive` measures both.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "THRESHOLDS",
    "Counts",
    "Detector",
    "ObjectRule",
    "Scored",
    "at_share",
    "best_scores",
    "colour_difference",
    "components",
    "count_objects",
    "count_pixels",
    "height_difference",
    "label_objects",
]

Colours = NDArray[np.uint8]
Floats = NDArray[np.float32]
Labels = NDArray[np.int32]
Mask = NDArray[np.bool_]
Detector = Literal["colour", "colour_matched", "height"]

# Steps of 2 % of the largest useful value; a colour difference of 100 is black against white.
_DELTA_E = tuple(np.linspace(2.0, 80.0, 40).tolist())
# A storey is 3 m; under 0.2 m two photogrammetric surfaces differ everywhere.
_METRES = tuple(np.linspace(0.2, 6.0, 30).tolist())
THRESHOLDS: dict[Detector, tuple[float, ...]] = {
    "colour": _DELTA_E,
    "colour_matched": _DELTA_E,
    "height": _METRES,
}
"""The thresholds each detector may choose from, delta E or metres."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRule:
    """When a structure counts as found, and a component as a false alarm."""

    min_m2: float = 8.0
    """Smaller components are dropped, and smaller true structures asked of nobody, m2.

    The smallest structure the tool is asked to report is 10 m2; a fifth off that for its rim.
    """
    iou: float = 0.25
    """A true structure is found where one component has this intersection over union with it."""
    on_truth: float = 0.25
    """A component with a smaller share of its own area on true changes is a false alarm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Hits, false alarms and misses, of objects or of pixels; sums over pictures are sums."""

    hits: int = 0
    """True ones found."""
    false: int = 0
    """Reported ones that are not true."""
    missed: int = 0
    """True ones not found."""

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            **{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        )

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 where there is nothing true and nothing said."""
        whole = 2 * self.hits + self.false + self.missed
        return 2 * self.hits / whole if whole else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One detector on one set at the threshold that serves the score best."""

    score: Literal["objects", "pixels", "pixels_cleaned"]
    """What is counted; `pixels_cleaned` drops small components first, `pixels` drops none."""
    threshold: float
    """The best threshold, delta E or metres."""
    counts: Counts
    """Sums over the whole set at that threshold."""


def _lab(colours: Colours) -> Floats:
    """Return (row, col, 3) CIE L*a*b* under D65 of (3, row, col) sRGB."""
    stacked = np.ascontiguousarray(np.moveaxis(colours, 0, -1), np.float32)
    return np.asarray(cv2.cvtColor(stacked / 255.0, cv2.COLOR_RGB2LAB), np.float32)


def colour_difference(
    before: Colours, after: Colours, *, matched: bool = False, seen: Mask | None = None
) -> Floats:
    """Return the CIE 1976 colour difference of every pixel.

    Parameters
    ----------
    before, after
        Pictures on one grid, (3, row, col).
    matched
        Whether the later picture first gets the earlier one's mean and spread in L*, a* and b*
        (Reinhard et al. 2001).
    seen
        Pixels that both pictures show; 0 is returned elsewhere, and they alone are matched.
    """
    one, other = _lab(before), _lab(after)
    known = np.ones(one.shape[:2], bool) if seen is None else seen
    if matched and known.any():
        here, there = one[known], other[known]
        gain = here.std(axis=0) / np.maximum(there.std(axis=0), 1e-3)
        other = (other - there.mean(axis=0)) * gain + here.mean(axis=0)
    return np.where(known, np.linalg.norm(one - other, axis=2), 0.0).astype(np.float32)


def height_difference(before: Floats, after: Floats) -> Floats:
    """Return how far two surface models lie apart, metres; 0 where one of them is not a number."""
    return np.asarray(np.nan_to_num(np.abs(after - before)), np.float32)


def label_objects(changed: Mask) -> Labels:
    """Number the connected objects of a mask from 1, corners not connecting; 0 is no object."""
    return np.asarray(cv2.connectedComponents(changed.astype(np.uint8), connectivity=4)[1])


def components(difference: Floats, threshold: float, min_px: float) -> tuple[Labels, int]:
    """Return the components over a threshold of at least ``min_px``, numbered from 1, and how many.

    Examples
    --------
    >>> labels, count = components(np.eye(3, dtype=np.float32), 0.5, 3)
    >>> count, int(labels.sum())
    (1, 3)
    """
    over = (difference > threshold).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(over, connectivity=8)
    kept = stats[:, cv2.CC_STAT_AREA] >= min_px
    kept[0] = False
    numbers = np.where(kept, np.cumsum(kept), 0).astype(np.int32)
    return np.asarray(numbers[labels], np.int32), int(kept.sum())


def count_objects(said: Labels, truth: Labels, pixel_m: float, rule: ObjectRule) -> Counts:
    """Count found, missed and wrongly reported structures of one picture.

    Parameters
    ----------
    said
        Components, numbered from 1 without gaps.
    truth
        True structures that changed, numbered from 1; 0 elsewhere.
    pixel_m
        Ground pixel, metres.
    rule
        What counts.
    """
    many, real = int(said.max()) + 1, int(truth.max()) + 1
    spot = said.ravel().astype(np.int64) * real + truth.ravel()
    shared = np.bincount(spot, minlength=many * real).reshape(many, real).astype(float)
    area, true_area = shared.sum(axis=1), shared.sum(axis=0)
    both = shared[1:, 1:]
    union = area[1:, None] + true_area[None, 1:] - both
    agrees = both >= rule.iou * np.maximum(union, 1.0)
    asked = true_area[1:] * pixel_m**2 >= rule.min_m2
    found = agrees.any(axis=0) & asked
    astray = (both.sum(axis=1) < rule.on_truth * area[1:]) & ~agrees.any(axis=1)
    return Counts(
        hits=int(found.sum()),
        false=int((astray & (area[1:] > 0)).sum()),
        missed=int((asked & ~found).sum()),
    )


def count_pixels(said: Mask, changed: Mask) -> Counts:
    """Count the pixels of one picture."""
    hits = int((said & changed).sum())
    return Counts(hits=hits, false=int(said.sum()) - hits, missed=int(changed.sum()) - hits)


def at_share(counts: Counts, size: int, share: float) -> Counts:
    """Weight the unchanged pixels so that changed ones make up a given share of all.

    Parameters
    ----------
    counts
        Of pixels.
    size
        Pixels asked about, changed or not.
    share
        Wanted share of changed pixels, between 0 and 1.

    Examples
    --------
    >>> at_share(Counts(hits=10, false=90, missed=0), size=1000, share=0.1).false
    8
    """
    changed = counts.hits + counts.missed
    weight = changed * (1 - share) / share / max(1, size - changed)
    return Counts(hits=counts.hits, false=round(counts.false * weight), missed=counts.missed)


def best_scores(
    pictures: Iterable[tuple[Floats, Labels, float]],
    thresholds: Sequence[float],
    rule: ObjectRule | None = None,
    *,
    share: float | None = None,
) -> tuple[Scored, ...]:
    """Return the best object and pixel scores over one set, each at its own best threshold.

    Parameters
    ----------
    pictures
        Difference, true structures numbered from 1, and ground pixel in metres. One is held at a
        time.
    thresholds
        The thresholds to choose from.
    rule
        What counts as found.
    share
        Share of changed pixels that the set is weighted to; as it is by default. F1 rises with
        what there is to find: sets can be held against each other only at equal shares.
    """
    rule = rule or ObjectRule()
    names: tuple[Literal["objects", "pixels", "pixels_cleaned"], ...] = (
        "objects",
        "pixels",
        "pixels_cleaned",
    )
    sums = {name: [Counts() for _ in thresholds] for name in names}
    size = 0
    for difference, truth, pixel_m in pictures:
        changed = truth > 0
        size += changed.size
        for index, threshold in enumerate(thresholds):
            labels, _ = components(difference, threshold, rule.min_m2 / pixel_m**2)
            sums["objects"][index] += count_objects(labels, truth, pixel_m, rule)
            sums["pixels"][index] += count_pixels(difference > threshold, changed)
            sums["pixels_cleaned"][index] += count_pixels(labels > 0, changed)
    if share is not None:
        for name in names[1:]:
            sums[name] = [at_share(counts, size, share) for counts in sums[name]]
    best = {name: int(np.argmax([c.f1 for c in sums[name]])) for name in names}
    return tuple(
        Scored(score=name, threshold=thresholds[best[name]], counts=sums[name][best[name]])
        for name in names
    )
