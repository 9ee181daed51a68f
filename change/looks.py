"""One candidate in a window of its own, and what the judgements of it share. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np
import shapely
import xarray as xr
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import rasterize
from shapely import Polygon

from change.shadows import Shadows
from survey.light import Light, to_lab

__all__ = [
    "MARGIN_M",
    "VANISHED",
    "VEHICLE_LENGTH_M",
    "VEHICLE_WIDTH_M",
    "Look",
    "Measured",
    "grown",
    "inside_of",
    "labs_of",
    "measured",
    "picture_of",
    "pixel_of",
    "probability",
    "shrunk",
    "sides_of",
    "with_maps",
    "with_numbers",
]

VANISHED = ("removed", "partly_removed")
"""The kinds of change that mean that something is gone."""
MARGIN_M = 8.0
"""How far around a candidate the window must reach, m."""

# A vehicle or freight container on its own: ISO 668 containers are 2.44 m wide and at most 13.7 m
# long; the smoothing of photogrammetric models adds a little.
VEHICLE_WIDTH_M, VEHICLE_LENGTH_M = 3.0, 14.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A candidate and everything seen around it."""

    window: xr.Dataset
    """As ``survey.pair.PairReader.read`` returns it, with ``MARGIN_M`` around the candidate."""
    transform: Affine
    """From (col, row) of the window to (x, y)."""
    outline: Polygon
    """The candidate as the evidence drew it, m."""
    gained: bool
    """True where something appeared, False where something vanished."""
    roofs: tuple[Polygon, ...]
    """Known roofs near the candidate, m."""
    shadows: tuple[Shadows | None, Shadows | None] = (None, None)
    """How shadows fall in the earlier flight and in the later; None where that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a candidate turned out to be."""

    outline: Polygon
    """Outline measured closely, m; not yet squared."""
    kind: str
    """One of ``change.changes.KINDS``."""
    height_gain_m: float | None
    """Median height gained inside, m."""
    score: float
    """Probability of a real structural change."""
    tolerance_m: float
    """Misalignment tolerance at the place, m."""
    evidence: tuple[tuple[str, float], ...]
    """Named numbers for and against."""


def with_maps(window: xr.Dataset, maps: Mapping[str, NDArray[np.generic]]) -> xr.Dataset:
    """Return a window with maps of it, (row, col), beside what it holds."""
    return window.assign({name: (("y", "x"), band) for name, band in maps.items()})


def inside_of(look: Look, outline: Polygon) -> NDArray[np.bool_]:
    """Return which pixels of the window lie inside an outline, (row, col)."""
    shape = look.window["seen_before"].shape
    return np.asarray(rasterize([outline], out_shape=shape, transform=look.transform) > 0)


def pixel_of(look: Look) -> float:
    """Return the pixel of the window, m."""
    return float(abs(look.transform.a))


def grown(mask: NDArray[np.bool_], metres: float, pixel: float) -> NDArray[np.bool_]:
    """Return a mask grown by some metres on every side."""
    side = 2 * max(1, round(metres / pixel)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), kernel) > 0)


def shrunk(mask: NDArray[np.bool_], metres: float, pixel: float) -> NDArray[np.bool_]:
    """Return a mask shrunk by some metres on every side."""
    return ~grown(~mask, metres, pixel)


def picture_of(look: Look) -> NDArray[np.uint8]:
    """Return the picture in which the structure stands."""
    return np.asarray(look.window["after" if look.gained else "before"].values)


def labs_of(look: Look, light: Light) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return L*a*b* of the picture the structure stands in, and of the other, in one light."""
    before = to_lab(look.window["before"].values)
    after = light.apply(to_lab(look.window["after"].values))
    return (after, before) if look.gained else (before, after)


def sides_of(outline: Polygon) -> tuple[float, float]:
    """Return the short and the long side of the smallest rectangle around an outline, m."""
    around = shapely.oriented_envelope(outline)
    if not isinstance(around, Polygon):
        return 0.0, 0.0
    points = np.array(around.exterior.coords)
    sides = np.hypot(*np.diff(points[:3], axis=0).T)
    return float(sides.min()), float(sides.max())


def probability(points: float) -> float:
    """Return the probability that points on the logistic scale stand for."""
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, points))))


def measured(  # noqa: PLR0913 - a record's fields
    look: Look,
    outline: Polygon,
    inside: NDArray[np.bool_],
    *,
    kind: str,
    height: float | None,
    score: float,
    numbers: dict[str, float],
) -> Measured:
    """Return the record of a candidate, its numbers rounded and in order."""
    tolerance = look.window["tolerance"].values[inside]
    return Measured(
        outline=outline,
        kind=kind,
        height_gain_m=height,
        score=score,
        tolerance_m=float(tolerance.max()) if tolerance.size else math.nan,
        evidence=_evidence(numbers),
    )


def with_numbers(item: Measured, numbers: Mapping[str, float]) -> Measured:
    """Return the record of a candidate with more numbers in its evidence."""
    return replace(item, evidence=_evidence(dict(item.evidence) | dict(numbers)))


def _evidence(numbers: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    known = ((name, round(value, 3)) for name, value in sorted(numbers.items()))
    return tuple((name, value) for name, value in known if math.isfinite(value))
