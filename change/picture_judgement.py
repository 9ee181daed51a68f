"""A candidate judged by colour and structure alone: a guess that says how weak it is. Pure."""

import math

import numpy as np
from numpy.typing import NDArray

from change.looks import (
    VEHICLE_WIDTH_M,
    Look,
    Measured,
    grown,
    labs_of,
    measured,
    picture_of,
    pixel_of,
    probability,
    shrunk,
    sides_of,
)
from change.roofs import is_green, steel_share
from change.surface import colour_change, gradients, rightness
from survey.light import Light

__all__ = ["judge_by_picture"]

# How much each test speaks for a structure, on the logistic scale. Order and sign were taken from a
# fit to 995 candidates of simulated scenes and the slopes flattened: the real pairs at hand are far
# too few to fit to, and simulation draws cleaner edges than life.
_START = -3.0
_WEIGHTS = {
    "rim_ratio": 1.0,
    "straighter": 3.0,
    "rectangular": 3.0,
    "solid": 3.0,
    "shadow": 6.0,
    "green_other": 1.0,
    "green": -4.0,
    "steel": 1.5,
    "steel_other": -1.5,
    "breadth": 2.0,
}
# Rectangularity and solidity of an average candidate; broader than this says no more, m.
_RECTANGULAR, _SOLID, _BROAD_M = 0.6, 0.8, 8.0


def judge_by_picture(look: Look, light: Light, inside: NDArray[np.bool_]) -> Measured:
    """Judge a candidate by colour and structure alone: a guess that says how weak it is."""
    pixel = pixel_of(look)
    here, there = picture_of(look), look.window["before" if look.gained else "after"].values
    lab_here, lab_there = labs_of(look, light)
    rim = grown(inside, 0.6, pixel) & ~shrunk(inside, 0.6, pixel)
    ring = grown(inside, 4.0, pixel) & ~grown(inside, 0.6, pixel)
    around = grown(inside, 0.8, pixel)
    size_here, turn_here = gradients(here)
    size_there, turn_there = gradients(there)
    width, length = sides_of(look.outline)
    core = shrunk(inside, 0.8, pixel)
    core = core if core.any() else inside
    dark_here, dark_there = lab_here[0] <= light.dark, lab_there[0] <= light.dark
    numbers = {
        "right_angles": rightness(size_here, turn_here, around),
        "right_angles_other": rightness(size_there, turn_there, around),
        "rim": float(np.mean(size_here[rim])),
        "rim_other": float(np.mean(size_there[rim])),
        "plain": float(np.median(size_here[core])),
        "plain_other": float(np.median(size_there[core])),
        "change": float(np.percentile(colour_change(lab_there, lab_here, 2)[inside], 75)),
        "lighter": float(np.median(lab_here[0][core]) - np.median(lab_there[0][core])),
        "shadow": float(dark_here[ring].mean() - dark_there[ring].mean()),
        "green": float(is_green(here).astype(float)[inside].mean()),
        "green_other": float(is_green(there).astype(float)[inside].mean()),
        "steel": steel_share(lab_here, inside),
        "steel_other": steel_share(lab_there, inside),
        "width_m": width,
        "length_m": length,
        "rectangular": float(look.outline.area / max(1e-6, width * length)),
        "solid": float(look.outline.area / max(1e-6, look.outline.convex_hull.area)),
    }
    score = _score(numbers)
    kind = _kind(look, numbers)
    return measured(look, look.outline, kind, None, score, numbers)


def _score(numbers: dict[str, float]) -> float:
    """Turn the numbers into a probability: evidence adds up on the logistic scale."""
    tests = {
        "rim_ratio": math.log((numbers["rim"] + 1.0) / (numbers["rim_other"] + 1.0)),
        "straighter": numbers["right_angles"] - numbers["right_angles_other"],
        "rectangular": numbers["rectangular"] - _RECTANGULAR,
        "solid": numbers["solid"] - _SOLID,
        "breadth": min(numbers["width_m"], _BROAD_M) / 4.0 - 1.0,
    }
    points = _START + sum(
        weight * tests.get(name, numbers.get(name, 0.0)) for name, weight in _WEIGHTS.items()
    )
    if numbers["width_m"] <= VEHICLE_WIDTH_M:
        points -= 2.0
    return probability(points)


def _kind(look: Look, numbers: dict[str, float]) -> str:
    if not look.gained:
        return "removed"
    for roof in look.roofs:
        if roof.buffer(0.8).intersects(look.outline) and roof.area >= look.outline.area:
            return "annex"
    return "shed" if numbers["steel"] > 0.5 else "building"
