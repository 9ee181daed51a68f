"""A candidate judged by two surface models: does it rise like a structure, and on what? Pure."""

import math

import cv2
import numpy as np
from affine import Affine
from numpy.typing import NDArray
from shapely import Polygon

from change.height import ground_level, roughness
from change.looks import (
    VEHICLE_LENGTH_M,
    VEHICLE_WIDTH_M,
    Look,
    Measured,
    grown,
    inside_of,
    labs_of,
    measured,
    picture_of,
    pixel_of,
    probability,
    shrunk,
    sides_of,
)
from change.outlines import mask_polygons
from change.roofs import is_green, steel_share
from survey.light import Light
from survey.settings import DetectSettings

__all__ = ["heights_known", "judge_by_height"]

# Vehicles and freight containers are no higher (a stacked container is 2.9 m), m.
_VEHICLE_HEIGHT_M = 3.6
# Crowns are rough at this scale and green; roofs are smooth or not green (m, share).
_ROUGH_M, _GREEN_SHARE = 0.25, 0.5
# Below this gain a structure is a shed rather than a building, m.
_SHED_M = 3.2
# A structure stands on one that stood before when this share of it does.
_ON_ROOF = 0.5
# Share of the structure's plan that must gain (lose) height to make a storey (a removal).
_WHOLE = 0.6
# What can be taken for a vehicle: what stands on its own.
_ALONE = ("shed", "building", "removed")


def heights_known(look: Look, inside: NDArray[np.bool_]) -> bool:
    """Whether both surface models know most of a candidate."""
    both = np.isfinite(look.window["height_before"].values) & np.isfinite(
        look.window["height_after"].values
    )
    return bool(both[inside].mean() > 0.5)


def judge_by_height(look: Look, light: Light, settings: DetectSettings) -> Measured | None:
    """Judge a candidate that both surface models show."""
    pixel = pixel_of(look)
    low, high = look.window["height_before"].values, look.window["height_after"].values
    gain = high - low if look.gained else low - high
    standing = high if look.gained else low
    inside = inside_of(look, look.outline)
    # Photogrammetric walls are slopes a metre wide; their foot lies where half the height is.
    tall = float(np.nanpercentile(gain[inside], 75))
    half = max(0.5 * tall, min(settings.min_height_m, tall))
    with np.errstate(invalid="ignore"):
        raised = (gain >= half) & grown(inside, 1.5, pixel)
    outline = _largest(raised, look.transform)
    if outline is None:
        return None
    inside = inside_of(look, outline)
    if not inside.any():
        return None
    numbers = {
        "height_gain_m": float(np.nanmedian(gain[inside])),
        "wall": _wall(gain, inside, pixel, tall),
        "roughness_m": roughness(standing, shrunk(inside, 0.8, pixel) if tall else inside),
        "green": float(is_green(picture_of(look)).astype(float)[inside].mean()),
        "steel": steel_share(labs_of(look, light)[0], inside),
    }
    base = _standing_before(look, inside, pixel)
    numbers["on_roof"] = float(base[inside].mean())
    kind = _kind_by_height(look, inside, base, numbers)
    score = _score_by_height(outline, numbers, kind)
    signed = numbers["height_gain_m"] if look.gained else -numbers["height_gain_m"]
    return measured(look, outline, kind, signed, score, numbers)


def _largest(mask: NDArray[np.bool_], transform: Affine) -> Polygon | None:
    polygons = mask_polygons(mask, transform)
    return max(polygons, key=lambda p: (p.area, *p.bounds)) if polygons else None


def _wall(gain: NDArray[np.float32], inside: NDArray[np.bool_], pixel: float, tall: float) -> float:
    """Return how much of the height is gained within a metre of the rim: walls 1, heaps less."""
    inner = inside & ~shrunk(inside, 1.0, pixel)
    outer = grown(inside, 1.0, pixel) & ~grown(inside, 0.6, pixel)
    if not (inner.any() and outer.any()) or tall <= 0:
        return 0.0
    rise = np.nanmedian(gain[inner]) - np.nanmedian(gain[outer])
    return float(np.clip(rise / tall, 0, 1.5)) if np.isfinite(rise) else 0.0


def _standing_before(look: Look, inside: NDArray[np.bool_], pixel: float) -> NDArray[np.bool_]:
    """Return where, in the other flight, a structure stands that the candidate may belong to."""
    other = look.window["height_before" if look.gained else "height_after"].values
    ring = grown(inside, 6.0, pixel) & ~grown(inside, 1.5, pixel)
    level = ground_level(other, ring)
    if not math.isfinite(level):
        return np.zeros_like(inside)
    with np.errstate(invalid="ignore"):
        high = np.asarray(other - level >= 2.0)
    picture = look.window["before" if look.gained else "after"].values
    return _without_crowns(high & ~is_green(picture), other, pixel)


def _without_crowns(
    high: NDArray[np.bool_], heights: NDArray[np.float32], pixel: float
) -> NDArray[np.bool_]:
    """Leave out what stands high and is rough: crowns do, in winter without being green."""
    count, labels = cv2.connectedComponents(high.astype(np.uint8), connectivity=4)
    kept = np.zeros_like(high)
    for label in range(1, count):
        part = labels == label
        core = shrunk(part, 0.8, pixel)
        if core.any() and roughness(heights, core) <= _ROUGH_M:
            kept |= part
    return kept


def _kind_by_height(
    look: Look,
    inside: NDArray[np.bool_],
    base: NDArray[np.bool_],
    numbers: dict[str, float],
) -> str:
    """Name the change from what stood there, and beside it, in the other flight."""
    pixel = pixel_of(look)
    count, labels = cv2.connectedComponents((base | inside).astype(np.uint8), connectivity=4)
    own = np.unique(labels[inside & (labels > 0)]) if count > 1 else np.zeros(0, int)
    body = np.isin(labels, own)
    share = float(inside.sum() / max(1, body.sum()))
    if not look.gained:
        return "removed" if share >= _WHOLE and numbers["on_roof"] < _ON_ROOF else "partly_removed"
    if numbers["on_roof"] >= _ON_ROOF:
        return "storey" if share >= _WHOLE else "roof_addition"
    beside = base & ~inside
    contact = float((grown(inside, 0.8, pixel) & beside).sum()) * pixel
    if contact >= 2.0 * 0.8 and beside.sum() >= inside.sum():
        return "annex"
    return "shed" if numbers["height_gain_m"] < _SHED_M or numbers["steel"] > 0.5 else "building"


def _score_by_height(outline: Polygon, numbers: dict[str, float], kind: str) -> float:
    """Turn the numbers into a probability: evidence adds up on the logistic scale."""
    width, length = sides_of(outline)
    numbers["width_m"], numbers["length_m"] = width, length
    numbers["rectangular"] = float(outline.area / max(1e-6, width * length))
    points = 1.0 + 1.5 * min(2.0, numbers["height_gain_m"] - 1.8)
    points += 3.0 * (numbers["wall"] - 0.5) + 3.0 * (numbers["rectangular"] - 0.6)
    rough = numbers["roughness_m"] if math.isfinite(numbers["roughness_m"]) else 0.0
    points -= 8.0 * max(0.0, rough - _ROUGH_M)
    if numbers["green"] > _GREEN_SHARE:
        points -= 6.0
    vehicle = width <= VEHICLE_WIDTH_M and length <= VEHICLE_LENGTH_M
    if vehicle and numbers["height_gain_m"] <= _VEHICLE_HEIGHT_M and kind in _ALONE:
        points -= 5.0
    return probability(points)
