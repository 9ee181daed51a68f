"""What else a candidate may be: named tests for what changes a picture and is no structure. Pure.

Each test tells from the numbers of a candidate how well an innocent explanation fits, from 0 (not
at all) to 1. All of them travel with the change, and each takes points from its score.
"""

from collections.abc import Callable, Mapping

from change.looks import VEHICLE_LENGTH_M, VEHICLE_WIDTH_M

__all__ = ["INNOCENT", "innocent_looks"]

_Numbers = Mapping[str, float]


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
}
"""Slug of every innocent explanation, and how well it fits."""


def innocent_looks(numbers: _Numbers) -> dict[str, float]:
    """Return for each test how well it explains the numbers of a candidate, in [0, 1].

    Names begin with ``like_``; the numbers are those of ``change.picture_judgement``.
    """
    return {f"like_{name}": test(numbers) for name, test in INNOCENT.items()}
