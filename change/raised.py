"""What stands above the ground in one flight with heights: parts told apart by steps. Pure."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import rasterize
from shapely import Polygon
from skimage.segmentation import watershed

from change.height import disc, rough_around, roughness
from change.looks import (
    VEHICLE_LENGTH_M,
    VEHICLE_WIDTH_M,
    grown,
    probability,
    shrunk,
    sides_of,
)
from change.outlines import largest_polygon
from change.roofs import is_green, steel_share
from change.shadows import Shadows
from survey.light import to_lab
from survey.settings import DetectSettings

__all__ = ["HALO_M", "Part", "View", "find_raised", "judge_raised"]

HALO_M = 6.0
"""What must be seen around a pixel to judge it, m."""

# Smaller gaps in the heights are bridged: glass and panels on roofs leave holes, m.
_HOLE_M = 1.2
# Nearer than this to something higher by this much lies the foot of its wall, which photogrammetry
# draws as a slope a metre wide: it tells a house from a lower one that it touches, m.
_FOOT_M, _STEP_M = 0.6, 1.4
# Gaps and slivers narrower than this are closed and cut off, m.
_CLOSE_M, _OPEN_M = 0.6, 1.0
# What lies lower is ground, m.
_GROUND_M = 0.8
# Crowns are rough at this scale (m); what is that rough and green is no roof, nor is what is
# rougher still without being green: bare crowns, and water.
_ROUGH_M, _TOO_ROUGH_M = 0.22, 0.45
# Leaves are yellowish (b* above grey, 8-bit); the green membranes on flat roofs are not.
_YELLOWISH = 130
# Crowns beside and above roofs are at least so wide, and so rough where they are least so, m.
_CROWN_M, _CROWN_ROUGH_M = 1.2, 0.08
# Vehicles and freight containers are no higher, and lorries with their trailers no longer, m. Two
# containers on top of each other are 5.2 to 5.8 m high (ISO 668), and drawn lower and wider.
_VEHICLE_HEIGHT_M, _LORRY_LENGTH_M = 3.6, 17.0
_STACK_HEIGHT_M, _STACK_WIDTH_M, _SMOOTH_M = (4.4, 6.0), 3.8, 0.06
# Logistic regression of "a structure" on what is measured, from 1289 places of 18 simulated flights
# (seven kinds of ground, and the sample): 97 % of the structures stay, 83 % of crowns, goods and
# vehicles go. The usual wall is drawn as steep as this, share.
_USUAL_WALL = 0.85
# Below this height a structure is a shed rather than a building, m; painted steel may be higher,
# but red tiles, which look like it, lie on houses.
_SHED_M, _STEEL_SHED_M = 3.2, 5.0
# A part stands on its own where it touches others along less than this share of its rim.
_ALONE = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A window of one flight."""

    colour: NDArray[np.uint8]
    """(3, row, col), red green blue."""
    valid: NDArray[np.bool_]
    """(row, col); True where the flight shows the ground."""
    above: NDArray[np.float32]
    """(row, col), height above the bare ground, m; NaN where unknown."""
    transform: Affine
    """From (col, row) of the window to (x, y)."""
    roof: NDArray[np.float32] | None = None
    """(row, col), how likely a roof is seen, in [0, 1]; None where it was not asked."""
    shadows: Shadows | None = None
    """How shadows fall in the flight; None where that is not known."""

    @property
    def pixel_m(self) -> float:
        """Side of a pixel, m."""
        return float(abs(self.transform.a))


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Something that stands, or a part of it that differs in height from what it touches."""

    outline: Polygon
    """Measured outline, m; not squared."""
    height_m: float | None
    """Median height above the ground, m; None where it was told from the picture alone."""
    kind: str
    """``building`` or ``shed``."""
    score: float
    """Probability of a structure, in [0, 1]."""
    whole: float = 1.0
    """Probability of its being one structure and all of it, in [0, 1]."""
    evidence: tuple[tuple[str, float], ...] = ()
    """Named numbers for and against, in a fixed order."""


def find_raised(view: View, settings: DetectSettings) -> NDArray[np.bool_]:
    """Return where something stands that may be a structure, touching ones apart, (row, col)."""
    above = _bridged(view.above, view.pixel_m)
    with np.errstate(invalid="ignore"):
        raised = above >= settings.min_height_m
        foot = _highest_near(above, view.pixel_m) - above > _STEP_M
    crown = _leafy(view.colour) & (rough_around(above, view.pixel_m) > _ROUGH_M)
    mask = (raised & ~foot & ~crown & view.valid).astype(np.uint8)
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, disc(_CLOSE_M, view.pixel_m))
    # Closing must not join what a step tells apart.
    opened = cv2.morphologyEx(closed * ~foot, cv2.MORPH_OPEN, disc(_OPEN_M, view.pixel_m))
    return np.asarray(opened > 0)


def _leafy(colour: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return where it is green as leaves are, (row, col): membranes on roofs are bluer."""
    return np.asarray(is_green(colour) & (to_lab(colour)[2] > _YELLOWISH))


def _bridged(above: NDArray[np.float32], pixel_m: float) -> NDArray[np.float32]:
    """Fill small holes with the mean of what is known around them."""
    side = 2 * max(1, round(_HOLE_M / pixel_m)) + 1
    known = np.isfinite(above)
    weight = cv2.blur(known.astype(np.float32), (side, side))
    mean = cv2.blur(np.where(known, above, np.float32(0)), (side, side))
    with np.errstate(invalid="ignore", divide="ignore"):
        told = np.where(weight > 0.3, mean / weight, np.float32(np.nan))
    return np.asarray(np.where(known, above, told), np.float32)


def _highest_near(above: NDArray[np.float32], pixel_m: float) -> NDArray[np.float32]:
    known = np.where(np.isfinite(above), above, np.float32(-1e6))
    return np.asarray(cv2.dilate(known, disc(2 * _FOOT_M, pixel_m)), np.float32)


def judge_raised(view: View, place: Polygon, settings: DetectSettings) -> Part | None:
    """Measure what stands at a place that ``find_raised`` has found.

    Parameters
    ----------
    view
        With ``HALO_M`` around the place.
    place
        As drawn from the mask, m.
    settings
        What counts as a structure.
    """
    above = _bridged(view.above, view.pixel_m)
    labels = _basins(view, above, settings)
    core = _inside(view, place)
    own = np.bincount(labels[core]) if core.any() else np.zeros(0, int)
    own[:2] = 0
    if not own.any():
        return None
    body = labels == int(own.argmax())
    tall = float(np.median(above[core & np.isfinite(above)]))
    with np.errstate(invalid="ignore"):
        # What floods beyond the wall is low.
        body &= above >= max(0.5 * tall, min(settings.min_height_m, tall))
    outline = largest_polygon(body, view.transform)
    if outline is None:
        return None
    body = _inside(view, outline)
    # What lies at the foot of its own walls belongs to it, and is no neighbour.
    labels[labels == own.argmax()] = 0
    return _judged(view, above, outline, body, labels) if body.any() else None


def _inside(view: View, outline: Polygon) -> NDArray[np.bool_]:
    shape = view.valid.shape
    return np.asarray(rasterize([outline], out_shape=shape, transform=view.transform) > 0)


def _basins(view: View, above: NDArray[np.float32], settings: DetectSettings) -> NDArray[np.int32]:
    """Return a window cut up along its walls: 1 for ground and crowns, from 2 on what stands.

    The watershed of the slope (Beucher and Lantuejoul 1979): walls are where it is steepest.
    """
    _count, markers = cv2.connectedComponents(
        find_raised(view, settings).astype(np.uint8), connectivity=4
    )
    markers = np.where(markers > 0, markers + 1, 0).astype(np.int32)
    with np.errstate(invalid="ignore"):
        markers[above < _GROUND_M] = 1
        markers[_crowns(view, above, settings)] = 1
    heights = np.nan_to_num(above, nan=0.0)
    across = cv2.Sobel(heights, cv2.CV_32F, 1, 0, ksize=3)
    down = cv2.Sobel(heights, cv2.CV_32F, 0, 1, ksize=3)
    return np.asarray(watershed(np.hypot(across, down), markers), np.int32)


def _crowns(view: View, above: NDArray[np.float32], settings: DetectSettings) -> NDArray[np.bool_]:
    """Return what stands, is green, and rough even in its quarter that is least so."""
    with np.errstate(invalid="ignore"):
        leafy = _leafy(view.colour) & (above >= settings.min_height_m)
    mask = cv2.morphologyEx(leafy.astype(np.uint8), cv2.MORPH_OPEN, disc(_CROWN_M, view.pixel_m))
    count, labels = cv2.connectedComponents(mask, connectivity=4)
    rough = rough_around(above, view.pixel_m)
    crowns = [
        label
        for label in range(1, count)
        if np.percentile(rough[labels == label], 25) > _CROWN_ROUGH_M
    ]
    return np.asarray(np.isin(labels, crowns))


def _judged(
    view: View,
    above: NDArray[np.float32],
    outline: Polygon,
    body: NDArray[np.bool_],
    labels: NDArray[np.int32],
) -> Part:
    pixel = view.pixel_m
    core = shrunk(body, 0.8, pixel)
    width, length = sides_of(outline)
    height = float(np.nanmedian(above[body]))
    rim = grown(body, pixel, pixel) & ~body
    numbers = {
        "height_m": height,
        "wall": _wall(above, body, labels, pixel),
        "roughness_m": roughness(view.above, core if core.any() else body),
        "known": float(np.isfinite(view.above)[body].mean()),
        "green": float(_leafy(view.colour)[body].mean()),
        "steel": steel_share(to_lab(view.colour), body),
        "touching": float((labels[rim] > 1).mean()) if rim.any() else 0.0,
        "width_m": width,
        "length_m": length,
        "rectangular": float(outline.area / max(1e-6, width * length)),
        "area_m2": outline.area,
    }
    low = _STEEL_SHED_M if numbers["steel"] > 0.5 else _SHED_M
    kind = "shed" if height < low else "building"
    told = ((name, round(value, 3)) for name, value in sorted(numbers.items()))
    return Part(
        outline=outline,
        height_m=height,
        kind=kind,
        score=_score(numbers),
        evidence=tuple((name, value) for name, value in told if math.isfinite(value)),
    )


def _wall(
    above: NDArray[np.float32],
    body: NDArray[np.bool_],
    labels: NDArray[np.int32],
    pixel: float,
) -> float:
    """Return how much of the height is gained within a metre of the rim: walls 1, crowns less.

    Only where it stands free: where it touches something, that hides the wall.
    """
    inner = body & ~shrunk(body, 1.0, pixel)
    outer = grown(body, 1.0, pixel) & ~grown(body, 0.6, pixel) & (labels == 1)
    if not (inner.any() and outer.any()):
        return math.nan
    tall = np.nanpercentile(above[body], 75)
    rise = np.nanmedian(above[inner]) - np.nanmedian(above[outer])
    return float(np.clip(rise / tall, 0, 1.5)) if tall > 0 else 0.0


def _score(numbers: dict[str, float]) -> float:
    """Turn the numbers into a probability: evidence adds up on the logistic scale."""
    wall = numbers["wall"] if math.isfinite(numbers["wall"]) else _USUAL_WALL
    rough = numbers["roughness_m"] if math.isfinite(numbers["roughness_m"]) else 0.0
    points = 1.5 + 2.7 * (numbers["rectangular"] - 0.7) + 1.7 * (wall - _USUAL_WALL)
    points += 1.7 * min(2.0, math.log(numbers["area_m2"] / 20.0))
    points += 0.2 * min(3.5, numbers["height_m"] - 1.8) + 3.0 * min(0.5, numbers["touching"])
    points -= 10.0 * max(0.0, rough - 0.1)
    if numbers["green"] > 0.5:
        points -= 1.2 + 50.0 * max(0.0, rough - 0.05)
    if rough > _TOO_ROUGH_M or numbers["known"] < 0.3:
        points -= 5.0
    if _like_vehicle(numbers, rough):
        points -= 5.0
    return probability(points)


def _like_vehicle(numbers: dict[str, float], rough: float) -> bool:
    """Whether it stands alone and has the size of a vehicle, a container or a stack of them."""
    if numbers["touching"] > _ALONE:
        return False
    width, length, height = numbers["width_m"], numbers["length_m"], numbers["height_m"]
    if width <= VEHICLE_WIDTH_M and length <= _LORRY_LENGTH_M and height <= _VEHICLE_HEIGHT_M:
        return True
    stacked = _STACK_HEIGHT_M[0] <= height <= _STACK_HEIGHT_M[1] and rough < _SMOOTH_M
    return stacked and width <= _STACK_WIDTH_M and length <= VEHICLE_LENGTH_M
