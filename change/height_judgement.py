"""A candidate judged by two surface models: does it rise like a structure, and on what? Pure."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from change.height_numbers import find_shape, numbers_of, standing_before
from change.looks import VEHICLE_LENGTH_M, Look, Measured, grown, measured, pixel_of, probability
from survey.light import Light
from survey.settings import DetectSettings

__all__ = ["heights_known", "judge_by_height"]

# Below this gain a structure is a shed rather than a building, m.
_SHED_M = 3.2
# A structure stands on one that stood before when this share of it does.
_ON_ROOF = 0.5
# Share of the structure's plan that must gain (lose) height to make a storey (a removal).
_WHOLE = 0.6
# An annex touches a structure at least as large: it lies within the first distance of it over the
# second, m.
_BESIDE_M, _CONTACT_M = 0.8, 1.5
# What gains less than this is a slab or foundation, or nothing; less than the second, nothing, m.
_SLAB_M, _LEAST_SLAB_M = 1.3, 0.2
# Of what is higher, and lower than this share of the least height that was asked for, nothing is
# said.
_LEAST_SHARE = 0.7
# Crowns and rubble are rough; how much rougher tells nothing more, m.
_LARGEST_ROUGH_M = 0.6
# Lorries with their trailers are no longer and no higher, and drawn no wider, m.
_WIDE_M, _LORRY_LENGTH_M, _VEHICLE_HEIGHT_M = 3.2, 17.0, 3.6
# They touch no structure along more than this share of their rim.
_ALONE = 0.15
# Two containers on top of each other are 5.2 to 5.8 m high (ISO 668), and drawn lower and wider, m.
_STACK_HEIGHT_M, _STACK_WIDTH_M = (4.2, 6.0), 3.8
# Logistic regressions of "a structure that appeared, grew or went" on what is measured: 1109
# candidates as high as a wall (308 structures) and 77 slabs (24) of 14 simulated pairs, two of each
# kind of ground. What had no sign that makes sense was left out. On 10 other pairs the probability
# told is off by 0.02 for walls (ten equal-count bins, 818 candidates), by 0.18 for slabs (35).
# "nothing" is set, not fitted: few candidates gained so little.
_WALLED_POINTS, _WALLED = 2.7, {
    "low": -2.8,
    "soft_wall": -1.55,
    "rectangular": 2.5,
    "size": 0.8,
    "narrow": -0.75,
    "uneven": -1.25,
    "leafy": -1.35,
    "rough": -6.1,
    "vivid": -3.0,
    "steel": 1.55,
    "vehicle": -1.45,
    "stack": -1.45,
    "on_roof": 0.3,
    "touching": 0.4,
    "seen_as_roof": 0.8,
}  # fmt: skip
_SLAB_POINTS, _SLAB = 0.3, {
    "nothing": -5.0,
    "soft_wall": -2.5,
    "rectangular": 6.7,
    "size": 1.35,
    "green": -4.6,
    "rough": -1.45,
    "seen_to_change": 2.7,
}  # fmt: skip
# What the pictures' model says counts from the middle of its scale; without it nothing is counted.
_MAPS = ("seen_as_roof", "seen_as_roof_other", "seen_to_change")


def heights_known(look: Look, inside: NDArray[np.bool_]) -> bool:
    """Whether both surface models know most of a candidate."""
    both = np.isfinite(look.window["height_before"].values) & np.isfinite(
        look.window["height_after"].values
    )
    return bool(both[inside].mean() > 0.5)


def judge_by_height(look: Look, light: Light, settings: DetectSettings) -> Measured | None:
    """Judge a candidate that both surface models show."""
    shape = find_shape(look)
    if shape is None:
        return None
    gain = float(np.median(shape.gain[shape.core]))
    if _SLAB_M <= gain < _LEAST_SHARE * settings.min_height_m:
        return None
    numbers = numbers_of(look, light, shape)
    base = standing_before(look, shape)
    numbers["on_roof"] = float(base[shape.inside].mean())
    kind = _kind_by_height(look, shape.inside, base, numbers)
    score = _score(numbers)
    signed = numbers["height_gain_m"] if look.gained else -numbers["height_gain_m"]
    return measured(look, shape.outline, kind, signed, score, numbers)


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


def _score(numbers: dict[str, float]) -> float:
    """Turn the numbers into a probability: evidence adds up on the logistic scale."""
    told = {name: value for name, value in numbers.items() if math.isfinite(value)}
    if told["height_gain_m"] < _SLAB_M:
        points, terms, weights = _SLAB_POINTS, _slab_terms(told), _SLAB
    else:
        points, terms, weights = _WALLED_POINTS, _walled_terms(told), _WALLED
    points += sum(weights[name] * value for name, value in terms.items())
    points += sum(
        weights[name] * (told[name] - 0.5) for name in _MAPS if name in told and name in weights
    )
    return probability(points)


def _size(numbers: dict[str, float], most: float) -> float:
    """Return the size on a scale where twice as large is one step of 0.7, 20 m2 being 0."""
    return min(most, max(-1.0, math.log(max(numbers["area_m2"], 1.0) / 20.0)))


def _fits_tarpaulin(numbers: dict[str, float]) -> float:
    """Return how well its size fits goods under tarpaulins, stalls and containers, 0 to 1."""
    small = min(1.0, max(0.0, (100.0 - numbers["area_m2"]) / 60.0))
    return small * min(1.0, max(0.0, (8.0 - numbers["height_gain_m"]) / 2.0))


def _walled_terms(numbers: dict[str, float]) -> dict[str, float]:
    """Return what speaks for and against something as high as a wall; see ``_WALLED``."""
    gain, width, length = (numbers[name] for name in ("height_gain_m", "width_m", "length_m"))
    rough = min(_LARGEST_ROUGH_M, numbers.get("roughness_m", 0.0))
    alone = numbers["on_roof"] < _ON_ROOF and numbers["touching"] < _ALONE
    lorry = width <= _WIDE_M and length <= _LORRY_LENGTH_M and gain <= _VEHICLE_HEIGHT_M
    least, most = _STACK_HEIGHT_M
    stack = width <= _STACK_WIDTH_M and length <= VEHICLE_LENGTH_M and least <= gain <= most
    return {
        "low": max(0.0, 2.6 - gain),
        "soft_wall": min(0.6, max(0.0, 0.9 - numbers.get("wall", 0.9))),
        "rectangular": numbers["rectangular"] - 0.8,
        "size": _size(numbers, 1.5),
        "narrow": max(0.0, 5.0 - width),
        "uneven": max(0.0, min(1.0, numbers.get("uneven_m", 0.0)) - 0.05),
        "leafy": numbers["green"] * min(4.0, rough / 0.05),
        "rough": max(0.0, rough - 0.08),
        "vivid": _fits_tarpaulin(numbers) * max(0.0, min(60.0, numbers["vivid"]) - 12.0) / 20.0,
        "steel": numbers["steel"],
        "vehicle": float(alone and lorry),
        "stack": float(alone and stack),
        "on_roof": numbers["on_roof"],
        "touching": min(0.5, numbers["touching"]),
    }


def _slab_terms(numbers: dict[str, float]) -> dict[str, float]:
    """Return what speaks for and against a slab or foundation; see ``_SLAB``."""
    rough = min(_LARGEST_ROUGH_M, numbers.get("roughness_m", 0.0))
    return {
        "nothing": min(1.0, max(0.0, _LEAST_SLAB_M - numbers["height_gain_m"]) / 0.1),
        "soft_wall": min(0.6, max(0.0, 0.7 - numbers.get("wall", 0.5))),
        "rectangular": numbers["rectangular"] - 0.8,
        "size": _size(numbers, 2.0),
        "green": numbers["green"],
        "rough": 10.0 * max(0.0, rough - 0.04),
    }
