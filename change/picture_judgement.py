"""A candidate judged by the pictures and what the detector says of them, without heights. Pure."""

import math
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray
from shapely import Polygon

from change.height import disc, ground_level
from change.innocent import innocent_looks
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
    shrunk,
    sides_of,
)
from change.model.trees import shipped_trees
from change.outlines import largest_polygon
from change.parts import draw_parts, whole_roofs
from change.roofs import is_green, steel_share
from change.shadows import Shadows, cast
from change.surface import colour_change, gradients, rightness
from survey.light import Light
from survey.settings import DetectSettings

__all__ = ["judge_by_picture"]

# Where the detector sees a roof at this level, one stands; and this share of a place under a roof
# makes it a place on a roof.
_ROOF, _ON_ROOF = 0.5, 0.5
# Where it sees one at less than this level, none stands; narrower parts of roofs are slivers, m.
_NO_ROOF, _SLIVER_M = 0.3, 1.0
# Trees saw few structures that only looked new: of those they were sure of, and where something had
# stood before, between a quarter and three quarters were right.
_OLD = 0.5
# Where something is known to stand, what showed more leaves than this before was a crown or grass.
# With the model of the other flight alone it counts: most felled trees give way to nothing.
_LEAVES = 0.5
# What stands no higher than this is a slab or foundation, m.
_SLAB_M = 1.0
# The ground around a place is looked for so far, m.
_GROUND_M = 6.0
# A structure is joined to another along at least this length, m; what is left of one that was
# partly torn down is at least this share of it.
_CONTACT_M, _LEFT = 1.6, 0.35


def judge_by_picture(
    look: Look, light: Light, inside: NDArray[np.bool_], settings: DetectSettings
) -> list[Measured]:
    """Judge what the detector drew at a candidate, structure by structure."""
    likely = look.window["appeared" if look.gained else "gone"].values
    parts = draw_parts(likely, inside, settings.min_area_m2 / pixel_of(look) ** 2)
    found = []
    for part, whole in zip(parts, whole_roofs(parts, _roofs_of_one(look)), strict=True):
        outline = _outer(part, look)
        if outline is not None:
            item = _judge(look, light, outline)
            # The trees know structures as the map of changes draws them.
            found.append(replace(item, outline=_outer(whole, look) or outline))
    return found


def _outer(part: NDArray[np.bool_], look: Look) -> Polygon | None:
    """Return the outer rim of the largest piece of a mask, m."""
    outline = largest_polygon(part, look.transform)
    return None if outline is None else Polygon(outline.exterior)


def _roofs_of_one(look: Look) -> NDArray[np.bool_]:
    """Return the roofs that the picture shows in which the structure stands, and not the other."""
    sides = ("after", "before") if look.gained else ("before", "after")
    if not {f"roof_{side}" for side in sides} <= set(look.window):
        return np.zeros(look.window["seen_before"].shape, bool)
    here, other = (look.window[f"roof_{side}"].values for side in sides)
    only = ((here >= _ROOF) & (other < _NO_ROOF)).astype(np.uint8)
    return np.asarray(cv2.morphologyEx(only, cv2.MORPH_OPEN, disc(_SLIVER_M, pixel_of(look))) > 0)


def _judge(look: Look, light: Light, outline: Polygon) -> Measured:
    inside = inside_of(look, outline)
    numbers = _maps(look, inside) | _shape(outline) | _picture(look, light, inside)
    stands = _stands(look, inside)
    if "stands_m" in stands and numbers["green_other"] > _LEAVES:
        stands.pop("stands_other_m", None)
    numbers |= stands
    numbers["beside_m2"] = _beside(look, inside) * pixel_of(look) ** 2
    numbers |= innocent_looks(numbers)
    trees = shipped_trees("by_one_model" if stands else "by_picture")
    score = trees.probability(numbers | {"gained": float(look.gained)})
    score *= 1.0 - _OLD * numbers["like_old"]
    kind = _kind(look, inside, numbers)
    return measured(look, outline, inside, kind=kind, height=None, score=score, numbers=numbers)


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
    casts, casts_other = (
        cast(shadows, lab[0], look.window[f"seen_{side}"].values, inside, pixel)
        for (side, shadows), lab in zip(_sides(look), (lab_here, lab_there), strict=True)
    )
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
        "casts": casts,
        "casts_other": casts_other,
        "dark": float(dark_here[inside].mean()),
        "dark_other": float(dark_there[inside].mean()),
        "green": float(is_green(here).astype(float)[inside].mean()),
        "green_other": float(is_green(there).astype(float)[inside].mean()),
        "steel": steel_share(lab_here, inside),
        "steel_other": steel_share(lab_there, inside),
    }


def _sides(look: Look) -> tuple[tuple[str, Shadows | None], ...]:
    """Return the flight in which the structure stands and the other, with how shadows fall."""
    both = tuple(zip(("before", "after"), look.shadows, strict=True))
    return both[::-1] if look.gained else both


def _stands(look: Look, inside: NDArray[np.bool_]) -> dict[str, float]:
    """Return how high the place stands above the ground around, in each flight that can tell, m."""
    pixel = pixel_of(look)
    ring = grown(inside, _GROUND_M, pixel) & ~grown(inside, 1.0, pixel)
    core = shrunk(inside, 0.8, pixel)
    core = core if core.any() else inside
    here, there = ("after", "before") if look.gained else ("before", "after")
    heights = {}
    for name, side in (("stands_m", here), ("stands_other_m", there)):
        surfaces = [
            look.window[key].values
            for key in (f"surface_{side}", f"height_{side}")
            if key in look.window
        ]
        if surfaces:
            known = surfaces[0][core & np.isfinite(surfaces[0])]
            if known.size:
                heights[name] = float(np.median(known)) - ground_level(surfaces[0], ring)
    return heights


def _hue_change(
    here: NDArray[np.uint8], there: NDArray[np.uint8], where: NDArray[np.bool_]
) -> float:
    """Return how far the medians of a* and b* lie apart."""
    apart = [
        float(np.median(one[where])) - float(np.median(other[where]))
        for one, other in zip(here[1:], there[1:], strict=True)
    ]
    return math.hypot(*apart)


def _kind(look: Look, inside: NDArray[np.bool_], numbers: dict[str, float]) -> str:
    beside, own = numbers["beside_m2"], float(inside.sum()) * pixel_of(look) ** 2
    if not look.gained:
        return "partly_removed" if beside > _LEFT * (own + beside) else "removed"
    if numbers.get("stands_m", math.inf) < _SLAB_M:
        return "site"
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
