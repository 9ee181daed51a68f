"""A candidate judged by two surface models: does it rise like a structure, and on what? Pure."""

import cv2
import numpy as np
from numpy.typing import NDArray

from change.crowns import stands_where_crowns_stood
from change.height import POROUS
from change.height_numbers import find_shape, numbers_of, standing_before
from change.innocent import innocent_heights
from change.looks import Look, Measured, grown, measured, pixel_of
from change.model.trees import shipped_trees
from survey.light import Light
from survey.settings import DetectSettings

__all__ = ["heights_decide", "heights_known", "judge_by_height"]

# Below this gain a structure is a shed rather than a building, m.
_SHED_M = 3.2
# A structure stands on one that stood before when this share of it does.
_ON_ROOF = 0.5
# Share of the structure's plan that must gain (lose) height to make a storey (a removal).
_WHOLE = 0.6
# An annex touches a structure at least as large: it lies within the first distance of it over the
# second, m.
_BESIDE_M, _CONTACT_M = 0.8, 1.5
# What gains less than this is a slab or foundation; less than the second, nothing, m.
_SLAB_M, _LEAST_SLAB_M = 1.3, 0.2
# Of what is higher, and lower than this share of the least height that was asked for, nothing is
# said.
_LEAST_SHARE = 0.7
_HEIGHTS = ("height_before", "height_after")


def heights_known(look: Look, inside: NDArray[np.bool_]) -> bool:
    """Whether both surface models know most of a candidate."""
    return set(_HEIGHTS) <= set(look.window) and _known(look, inside, *_HEIGHTS) > 0.5


def heights_decide(look: Look, inside: NDArray[np.bool_], settings: DetectSettings) -> bool:
    """Whether nothing but heights is asked: they are whole, and no crown hid what was built."""
    if not heights_known(look, inside) or min(_known(look, inside, n) for n in _HEIGHTS) < POROUS:
        return False
    least = _LEAST_SHARE * settings.min_height_m
    return not (look.gained and stands_where_crowns_stood(look, inside, least))


def _known(look: Look, inside: NDArray[np.bool_], *names: str) -> float:
    """Return the share of a candidate of which all these heights are known."""
    return float(np.isfinite(sum(look.window[name].values for name in names))[inside].mean())


def judge_by_height(look: Look, light: Light, settings: DetectSettings) -> Measured | None:
    """Judge a candidate that both surface models show."""
    shape = find_shape(look)
    if shape is None:
        return None
    gain = float(np.median(shape.gain[shape.core]))
    if gain < _LEAST_SLAB_M or _SLAB_M <= gain < _LEAST_SHARE * settings.min_height_m:
        return None
    numbers = numbers_of(look, light, shape)
    base = standing_before(look, shape)
    numbers["on_roof"] = float(base[shape.inside].mean())
    kind = _kind_by_height(look, shape.inside, base, numbers)
    numbers |= innocent_heights(numbers)
    # Goods leave as often as they come, and less is torn down than built. What appeared is judged
    # as if that were not known: it must not make a suspect likelier.
    went = {} if look.gained else {"went": 1.0}
    score = shipped_trees("by_height").probability(numbers | went)
    signed = numbers["height_gain_m"] if look.gained else -numbers["height_gain_m"]
    return measured(
        look,
        shape.outline,
        shape.inside,
        kind=kind,
        height=signed,
        score=score,
        numbers=numbers,
    )


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
    beside = base & ~inside
    contact = float((grown(inside, _BESIDE_M, pixel) & beside).sum()) * pixel**2 / _BESIDE_M
    numbers["touching"] = min(1.0, contact / (2 * (numbers["width_m"] + numbers["length_m"])))
    if not look.gained:
        return "removed" if share >= _WHOLE and numbers["on_roof"] < _ON_ROOF else "partly_removed"
    if numbers["height_gain_m"] < _SLAB_M:
        return "site"
    if numbers["on_roof"] >= _ON_ROOF:
        return "storey" if share >= _WHOLE else "roof_addition"
    if contact >= _CONTACT_M and beside.sum() >= inside.sum():
        return "annex"
    return "shed" if numbers["height_gain_m"] < _SHED_M or numbers["steel"] > 0.5 else "building"
