"""What else a candidate may be: named tests for what changes a picture and is no structure. Pure.

Each test tells from the numbers of a candidate how well an innocent explanation fits, from 0 (not
at all) to 1. All of them travel with the change, and none ever speaks for it.
"""

import math
from collections.abc import Callable, Mapping

from change.looks import VEHICLE_LENGTH_M, VEHICLE_WIDTH_M

__all__ = ["INNOCENT", "INNOCENT_BY_HEIGHT", "innocent_heights", "innocent_looks"]

_Numbers = Mapping[str, float]

# From no height to the height of a low shed; and to that of a house, whatever crowns are around, m.
_STANDS_M, _STOOD_M = (0.5, 1.8), (1.5, 3.0)
# Lorries with their trailers are no longer and no higher, and drawn no wider, m.
_WIDE_M, _LORRY_LENGTH_M, _VEHICLE_HEIGHT_M = 3.2, 17.0, 3.6
# Two containers on top of each other are 5.2 to 5.8 m high (ISO 668) and drawn wider; one beside
# another is 4.9 m wide, and what is no wider than one is drawn lower, m.
_STACK_HEIGHT_M, _STACK_WIDTH_M, _PAIR_WIDTH_M = (4.9, 6.0), 3.8, 5.4
_LOW_STACK_M = 4.2
# They touch no structure along more than this share of their rim, and stand on none; stacks may
# stand close to one, up to the second.
_ALONE, _CLOSE, _ON_ROOF = 0.15, 0.3, 0.5


def _between(value: float, low: float, high: float) -> float:
    """Return 0 up to ``low``, 1 from ``high`` on (or the other way round), and linear between."""
    return min(1.0, max(0.0, (value - low) / (high - low)))


def _shadow(numbers: _Numbers) -> float:
    """Dark in one picture only, and hardly another hue: light went, not ground."""
    dark = abs(numbers["dark"] - numbers["dark_other"])
    return _between(dark, 0.3, 0.7) * _between(numbers["hue_change"], 14.0, 6.0)


def _vegetation(numbers: _Numbers) -> float:
    """Leaves or grass where the structure should stand."""
    return _between(numbers["green"], 0.3, 0.7)


def _crops(numbers: _Numbers) -> float:
    """Ground that was or is green, with no rim sharper than before: something grew, or was cut."""
    green = max(numbers["green"], numbers["green_other"])
    sharper = numbers["rim"] / max(1.0, numbers["rim_other"])
    return _between(green, 0.3, 0.7) * _between(sharper, 1.6, 1.0)


def _water(numbers: _Numbers) -> float:
    """Smooth in both pictures, without a rim."""
    plain = max(numbers["plain"], numbers["plain_other"])
    return _between(plain, 2.0, 0.8) * _between(numbers["rim"], 8.0, 3.0)


def _vehicle(numbers: _Numbers) -> float:
    """No wider than a lorry or container and no longer: what comes and goes on wheels."""
    narrow = _between(numbers["width_m"], VEHICLE_WIDTH_M + 0.6, VEHICLE_WIDTH_M)
    return narrow * _between(numbers["length_m"], VEHICLE_LENGTH_M + 3.0, VEHICLE_LENGTH_M)


def _tarpaulin(numbers: _Numbers) -> float:
    """Fits a few square metres of strong colour with a ragged outline."""
    small = _between(numbers["width_m"], 6.0, 4.0)
    return small * numbers["steel"] * _between(numbers["solid"], 0.92, 0.8)


def _stockpile(numbers: _Numbers) -> float:
    """Neither straight edges nor a solid outline, and no roof to be seen."""
    round_ = _between(numbers["rectangular"], 0.75, 0.6)
    return round_ * _between(numbers.get("roof", 0.5), 0.5, 0.2)


def _solar_panels(numbers: _Numbers) -> float:
    """Dark and plain on a roof that stood before."""
    on_roof = min(numbers.get("roof", 0.0), numbers.get("roof_other", 0.0))
    dark = _between(numbers["lighter"], -10.0, -40.0)
    return _between(on_roof, 0.4, 0.7) * dark * _between(numbers["plain"], 10.0, 4.0)


def _leaning(numbers: _Numbers) -> float:
    """Fits a strip beside a roof that stands in both pictures: its facade leans another way."""
    thin = _between(numbers["width_m"], 4.0, 2.0)
    long_ = _between(numbers["length_m"] / max(0.1, numbers["width_m"]), 1.8, 3.0)
    return thin * long_ * _between(numbers["beside_m2"], 10.0, 40.0)


def _flat(numbers: _Numbers) -> float:
    """By the surface model of its flight it does not stand above the ground around."""
    return _between(numbers.get("stands_m", _STANDS_M[1]), _STANDS_M[1], _STANDS_M[0])


def _old(numbers: _Numbers) -> float:
    """By the surface model of the other flight something stood there already."""
    return _between(numbers.get("stands_other_m", 0.0), *_STOOD_M)


INNOCENT: dict[str, Callable[[_Numbers], float]] = {
    "shadow": _shadow,
    "vegetation": _vegetation,
    "crops": _crops,
    "water": _water,
    "vehicle": _vehicle,
    "tarpaulin": _tarpaulin,
    "stockpile": _stockpile,
    "solar_panels": _solar_panels,
    "leaning": _leaning,
    "flat": _flat,
    "old": _old,
}
"""Slug of every innocent explanation, and how well it fits."""


def innocent_looks(numbers: _Numbers) -> dict[str, float]:
    """Return for each test how well it explains the numbers of a candidate, in [0, 1].

    Names begin with ``like_``; the numbers are those of ``change.picture_judgement``.
    """
    return {f"like_{name}": test(numbers) for name, test in INNOCENT.items()}


def _alone(numbers: _Numbers) -> bool:
    return numbers["on_roof"] < _ON_ROOF and numbers["touching"] < _ALONE


def _lorry(numbers: _Numbers) -> float:
    """As wide, long and high as a lorry at most, and touching nothing."""
    small = numbers["width_m"] <= _WIDE_M and numbers["length_m"] <= _LORRY_LENGTH_M
    return float(small and numbers["height_gain_m"] <= _VEHICLE_HEIGHT_M and _alone(numbers))


def _containers(numbers: _Numbers) -> float:
    """As wide and long as one freight container or two side by side, as high as two, and alone."""
    least, most = _STACK_HEIGHT_M
    if numbers["width_m"] <= _STACK_WIDTH_M:
        least = _LOW_STACK_M
    if numbers["on_roof"] >= _ON_ROOF or not least <= numbers["height_gain_m"] <= most:
        return 0.0
    narrow = _between(numbers["width_m"], _PAIR_WIDTH_M + 0.6, _PAIR_WIDTH_M)
    short = _between(numbers["length_m"], VEHICLE_LENGTH_M + 1.0, VEHICLE_LENGTH_M)
    return narrow * short * _between(numbers["touching"], _CLOSE, _ALONE)


def _covered_goods(numbers: _Numbers) -> float:
    """Strong colour over what is no larger and higher than goods or stalls are."""
    small = _between(numbers["area_m2"], 100.0, 40.0) * _between(numbers["height_gain_m"], 8.0, 6.0)
    return small * _between(numbers["vivid"], 12.0, 40.0)


def _crown(numbers: _Numbers) -> float:
    """Green, and rough from above."""
    return numbers["green"] * _between(numbers.get("roughness_m", 0.0), 0.0, 0.2)


def _heap(numbers: _Numbers) -> float:
    """No walls, and uneven on top."""
    slope = _between(numbers.get("wall", 1.0), 0.8, 0.4)
    return slope * _between(numbers.get("uneven_m", 0.0), 0.05, 0.4)


INNOCENT_BY_HEIGHT: dict[str, Callable[[_Numbers], float]] = {
    "vehicle": _lorry,
    "containers": _containers,
    "tarpaulin": _covered_goods,
    "vegetation": _crown,
    "stockpile": _heap,
}
"""The same for a candidate with heights."""


def innocent_heights(numbers: _Numbers) -> dict[str, float]:
    """Return the same for the numbers of ``change.height_judgement``."""
    known = {name: value for name, value in numbers.items() if not math.isnan(value)}
    return {f"like_{name}": test(known) for name, test in INNOCENT_BY_HEIGHT.items()}
