"""Where one picture shows roofs, by what roofs look like here. Pure.

Concrete roofs and concrete yards look alike from above: without heights this stays less sure, and
the scores say so.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray
from rasterio.features import rasterize
from shapely import Polygon

from change.height import disc
from change.local_roofs import LocalRoofs, likely_roofs
from change.looks import VEHICLE_LENGTH_M, VEHICLE_WIDTH_M, grown, probability, shrunk, sides_of
from change.raised import Part, View
from change.roofs import is_green, steel_share
from change.surface import gradients
from survey.light import to_lab

__all__ = ["find_roofs", "judge_roof"]

# From how likely on a pixel is taken for a roof, tried one after the other.
_LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9)
# Gaps and slivers narrower than this are closed and cut off, m.
_CLOSE_M, _OPEN_M = 0.8, 2.0
# Nobody is surer than this of what a single picture shows.
_SUREST = 0.8


def _likeness(view: View, local: LocalRoofs | None) -> NDArray[np.float32]:
    """Return how likely each pixel is a roof, (row, col), in [0, 1]."""
    assert view.roof is not None
    if local is None:
        return view.roof
    return likely_roofs(local, to_lab(view.colour), view.roof, view.pixel_m)


def find_roofs(view: View, local: LocalRoofs | None) -> tuple[NDArray[np.bool_], ...]:
    """Return where a picture may show a roof, (row, col), once for each of several likelihoods.

    Roofs that touch are one place at a low likelihood and two at a higher; whichever looks more
    like a roof is to be kept.
    """
    pixel = view.pixel_m
    likely = cv2.GaussianBlur(_likeness(view, local), (0, 0), 0.4 / pixel)
    bare = view.valid & ~is_green(view.colour)
    masks = []
    for level in _LEVELS:
        mask = ((likely > level) & bare).astype(np.uint8)
        closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, disc(_CLOSE_M, pixel))
        opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, disc(_OPEN_M, pixel))
        masks.append(np.asarray(opened > 0))
    return tuple(masks)


def judge_roof(view: View, place: Polygon, local: LocalRoofs | None) -> Part | None:
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
        "likeness": float(_likeness(view, local)[inside].mean()),
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
