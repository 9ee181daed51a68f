"""Where one picture shows roofs, and how sure that is. Pure.

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
from change.looks import grown, shrunk, sides_of
from change.model.trees import shipped_trees
from change.raised import Part, View
from change.roofs import is_green, steel_share
from change.shadows import cast
from change.surface import gradients, rightness
from survey.light import to_lab

__all__ = ["find_roofs", "judge_roof", "measure_roof"]

# From how likely on a pixel is taken for a roof, tried one after the other.
_LEVELS = (0.3, 0.5, 0.6, 0.7, 0.8, 0.9)
# Gaps and slivers narrower than this are closed and cut off, m.
_CLOSE_M, _OPEN_M = 0.8, 2.0
# Nobody is surer than this of what a single picture shows: the trees saw few yards and fields.
_SUREST = 0.8


def find_roofs(view: View) -> tuple[NDArray[np.bool_], ...]:
    """Return where a picture may show a roof, (row, col), once for each of several likelihoods.

    Roofs that touch are one place at a low likelihood and two at a higher; whichever looks more
    like one roof is to be kept.
    """
    assert view.roof is not None
    pixel = view.pixel_m
    likely = cv2.GaussianBlur(view.roof, (0, 0), 0.4 / pixel)
    bare = view.valid & ~is_green(view.colour)
    masks = []
    for level in _LEVELS:
        mask = ((likely > level) & bare).astype(np.uint8)
        closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, disc(_CLOSE_M, pixel))
        opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, disc(_OPEN_M, pixel))
        masks.append(np.asarray(opened > 0))
    return tuple(masks)


def judge_roof(view: View, place: Polygon) -> Part | None:
    """Judge a place that ``find_roofs`` has found; the score is never above 0.8."""
    numbers = measure_roof(view, place)
    if numbers is None:
        return None
    told = ((name, round(value, 3)) for name, value in sorted(numbers.items()))
    return Part(
        outline=place,
        height_m=None,
        kind="shed" if numbers["steel"] > 0.5 else "building",
        score=min(_SUREST, shipped_trees("by_roof").probability(numbers)),
        whole=shipped_trees("by_whole_roof").probability(numbers),
        evidence=tuple((name, value) for name, value in told if math.isfinite(value)),
    )


def measure_roof(view: View, place: Polygon) -> dict[str, float] | None:
    """Return the numbers that speak for a roof and against it; None where nothing is seen."""
    assert view.roof is not None
    pixel = view.pixel_m
    inside = rasterize([place], out_shape=view.valid.shape, transform=view.transform) > 0
    if not inside.any():
        return None
    width, length = sides_of(place)
    size, turn = gradients(view.colour)
    near = grown(inside, 0.6, pixel)
    rim = near & ~shrunk(inside, 0.6, pixel)
    ring = grown(inside, 2.0, pixel) & ~grown(inside, 0.8, pixel) & view.valid
    core = shrunk(inside, 0.8, pixel)
    core = core if core.any() else inside
    lab = to_lab(view.colour)
    return {
        "likely": float(view.roof[inside].mean()),
        "peak": float(np.percentile(view.roof[inside], 90)),
        "least": float(np.percentile(view.roof[inside], 10)),
        "around": float(view.roof[ring].mean()) if ring.any() else 0.0,
        "rectangular": float(place.area / max(1e-6, width * length)),
        "solid": float(place.area / max(1e-6, place.convex_hull.area)),
        "right_angles": rightness(size, turn, near),
        "rim": float(size[rim].mean()),
        "plain": float(np.median(size[core])),
        "casts": cast(view.shadows, lab[0], view.valid, inside, pixel),
        "steel": steel_share(lab, inside),
        "green": float(is_green(view.colour)[inside].mean()),
        "area_m2": place.area,
        "width_m": width,
        "length_m": length,
    }
