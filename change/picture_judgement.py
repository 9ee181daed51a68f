"""A candidate judged by the pictures and what the detector says of them, without heights. Pure."""

import math
from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray
from shapely import Polygon

from change.innocent import INNOCENT, innocent_looks
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
from change.parts import draw_parts
from change.roofs import is_green, steel_share
from change.surface import colour_change, gradients, rightness
from survey.light import Light
from survey.settings import DetectSettings

__all__ = ["judge_by_picture", "score_terms"]

# Where the detector sees a roof at this level, one stands; and this share of a place under a roof
# makes it a place on a roof.
_ROOF, _ON_ROOF = 0.5, 0.5
# A structure is joined to another along at least this length, m; what is left of one that was
# partly torn down is at least this share of it.
_CONTACT_M, _LEFT = 1.6, 0.35
# Middles of what candidates are like; broader and more changed than this says no more (m, L*a*b*).
_RECTANGULAR, _SOLID, _BROAD_M, _MUCH_CHANGED = 0.65, 0.85, 8.0, 60.0
# Nothing is taken to be surer than this.
_BELIEVED = 0.98
# Logistic regression of "30 % of it is true" on 1950 candidates of rendered scenes and real tiles
# that the network was not taught on, both kinds counting alike, no term against its sense
# (training/scores.py). What adds nothing beside the others has no weight.
_START = -1.32
_WEIGHTS = {
    "likely": 0.62,
    "peak": 0.17,
    "against": -0.04,
    "roof_other": -0.29,
    "size": 0.29,
    "breadth": 0.36,
    "rectangular": 0.46,
    "solid": 0.87,
    "straighter": 1.20,
    "green": -0.25,
    "green_other": 0.55,
    "vegetation": -0.34,
    "water": -0.40,
    "vehicle": -0.20,
    "leaning": -0.20,
}


def judge_by_picture(
    look: Look, light: Light, inside: NDArray[np.bool_], settings: DetectSettings
) -> list[Measured]:
    """Judge what the detector drew at a candidate, structure by structure."""
    pixel = pixel_of(look)
    likely = look.window["appeared" if look.gained else "gone"].values
    found = []
    for part in draw_parts(likely, inside, settings.min_area_m2 / pixel**2):
        polygons = mask_polygons(part, look.transform)
        if polygons:
            outline = max(polygons, key=lambda p: (p.area, *p.bounds))
            found.append(_judge(look, light, Polygon(outline.exterior)))
    return found


def _judge(look: Look, light: Light, outline: Polygon) -> Measured:
    inside = inside_of(look, outline)
    numbers = _maps(look, inside) | _shape(outline) | _picture(look, light, inside)
    numbers["beside_m2"] = _beside(look, inside) * pixel_of(look) ** 2
    numbers |= innocent_looks(numbers)
    return measured(look, outline, _kind(look, inside, numbers), None, _score(numbers), numbers)


def _maps(look: Look, inside: NDArray[np.bool_]) -> dict[str, float]:
    """Return what the detector says of the place, and how clearly it stands out."""
    pixel = pixel_of(look)
    here, other = ("after", "before") if look.gained else ("before", "after")
    likely = look.window["appeared" if look.gained else "gone"].values
    against = look.window["gone" if look.gained else "appeared"].values
    ring = grown(inside, 2.0, pixel) & ~grown(inside, 0.8, pixel)
    numbers = {
        "likely": float(likely[inside].mean()),
        "peak": float(np.percentile(likely[inside], 90)),
        "around": float(likely[ring].mean()) if ring.any() else 0.0,
        "against": float(against[inside].mean()),
    }
    for name, side in (("roof", here), ("roof_other", other)):
        if f"roof_{side}" in look.window:
            numbers[name] = float(look.window[f"roof_{side}"].values[inside].mean())
    return numbers


def _shape(outline: Polygon) -> dict[str, float]:
    width, length = sides_of(outline)
    return {
        "width_m": width,
        "length_m": length,
        "rectangular": float(outline.area / max(1e-6, width * length)),
        "solid": float(outline.area / max(1e-6, outline.convex_hull.area)),
    }


def _picture(look: Look, light: Light, inside: NDArray[np.bool_]) -> dict[str, float]:
    """Return what the two pictures show of the place."""
    pixel = pixel_of(look)
    here, there = picture_of(look), look.window["before" if look.gained else "after"].values
    lab_here, lab_there = labs_of(look, light)
    rim = grown(inside, 0.6, pixel) & ~shrunk(inside, 0.6, pixel)
    ring = grown(inside, 4.0, pixel) & ~grown(inside, 0.6, pixel)
    around = grown(inside, 0.8, pixel)
    size_here, turn_here = gradients(here)
    size_there, turn_there = gradients(there)
    core = shrunk(inside, 0.8, pixel)
    core = core if core.any() else inside
    dark_here, dark_there = lab_here[0] <= light.dark, lab_there[0] <= light.dark
    return {
        "right_angles": rightness(size_here, turn_here, around),
        "right_angles_other": rightness(size_there, turn_there, around),
        "rim": float(np.mean(size_here[rim])),
        "rim_other": float(np.mean(size_there[rim])),
        "plain": float(np.median(size_here[core])),
        "plain_other": float(np.median(size_there[core])),
        "change": float(np.percentile(colour_change(lab_there, lab_here, 2)[inside], 75)),
        "hue_change": _hue_change(lab_here, lab_there, core),
        "lighter": float(np.median(lab_here[0][core]) - np.median(lab_there[0][core])),
        "shadow": float(dark_here[ring].mean() - dark_there[ring].mean()),
        "dark": float(dark_here[inside].mean()),
        "dark_other": float(dark_there[inside].mean()),
        "green": float(is_green(here).astype(float)[inside].mean()),
        "green_other": float(is_green(there).astype(float)[inside].mean()),
        "steel": steel_share(lab_here, inside),
        "steel_other": steel_share(lab_there, inside),
    }


def _hue_change(
    here: NDArray[np.uint8], there: NDArray[np.uint8], where: NDArray[np.bool_]
) -> float:
    """Return how far the medians of a* and b* lie apart."""
    apart = [
        float(np.median(one[where])) - float(np.median(other[where]))
        for one, other in zip(here[1:], there[1:], strict=True)
    ]
    return math.hypot(*apart)


def score_terms(numbers: Mapping[str, float]) -> dict[str, float]:
    """Return what the numbers of a candidate say, each on a scale on which it adds up.

    ``training/scores.py`` fits the weights of these terms.
    """
    roof, other = numbers.get("roof", 0.5), numbers.get("roof_other", 0.5)
    terms = {
        "likely": _points(numbers["likely"]),
        "peak": _points(numbers["peak"]),
        "contrast": numbers["likely"] - numbers["around"],
        "against": numbers["against"],
        "roof": _points(roof),
        "roof_other": _points(other),
        "size": math.log(max(1.0, numbers["width_m"] * numbers["length_m"]) / 50.0),
        "breadth": min(numbers["width_m"], _BROAD_M) / 4.0 - 1.0,
        "rectangular": numbers["rectangular"] - _RECTANGULAR,
        "solid": numbers["solid"] - _SOLID,
        "rim_ratio": math.log((numbers["rim"] + 1.0) / (numbers["rim_other"] + 1.0)),
        "straighter": numbers["right_angles"] - numbers["right_angles_other"],
        "change": min(numbers["change"], _MUCH_CHANGED) / 10.0,
        "shadow": numbers["shadow"],
        "green": numbers["green"],
        "green_other": numbers["green_other"],
    }
    return terms | {name: numbers[f"like_{name}"] for name in INNOCENT}


def _points(likely: float) -> float:
    """Return a probability on the logistic scale, not beyond belief."""
    kept = min(_BELIEVED, max(1.0 - _BELIEVED, likely))
    return math.log(kept / (1.0 - kept))


def _score(numbers: dict[str, float]) -> float:
    """Turn the numbers into a probability: evidence adds up on the logistic scale."""
    terms = score_terms(numbers)
    return probability(_START + sum(_WEIGHTS.get(name, 0.0) * v for name, v in terms.items()))


def _kind(look: Look, inside: NDArray[np.bool_], numbers: dict[str, float]) -> str:
    beside, own = numbers["beside_m2"], float(inside.sum()) * pixel_of(look) ** 2
    if not look.gained:
        return "partly_removed" if beside > _LEFT * (own + beside) else "removed"
    if numbers.get("roof_other", 0.0) >= _ON_ROOF:
        return "roof_addition"
    outline = look.outline
    known = any(
        roof.buffer(0.8).intersects(outline) and roof.area >= outline.area for roof in look.roofs
    )
    if known or beside >= own:
        return "annex"
    vehicle = numbers["width_m"] <= VEHICLE_WIDTH_M and numbers["length_m"] <= VEHICLE_LENGTH_M
    return "shed" if numbers["steel"] > 0.5 or vehicle else "building"


def _beside(look: Look, inside: NDArray[np.bool_]) -> float:
    """Return how much of a roof that stands in both pictures touches the place, pixels."""
    if not {"roof_before", "roof_after"} <= set(look.window):
        return 0.0
    pixel = pixel_of(look)
    before, after = (look.window[f"roof_{side}"].values >= _ROOF for side in ("before", "after"))
    stays = before & after & ~grown(inside, 0.4, pixel)
    _count, labels = cv2.connectedComponents(stays.astype(np.uint8), connectivity=4)
    rim = grown(inside, 0.8, pixel) & (labels > 0)
    numbers, counts = np.unique(labels[rim], return_counts=True)
    joined = numbers[counts * pixel >= _CONTACT_M * math.ceil(0.4 / pixel)]
    return float(np.isin(labels, joined).sum()) if len(joined) else 0.0
