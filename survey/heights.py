"""Two surface models on one datum: offset and tilt from ground that did not change. Pure.

Ellipsoidal and levelled heights differ by metres and photogrammetric models tilt, so nothing is
subtracted before the plane between the two has been taken from stable ground: the most frequent
difference, found as a mode and refined by iteratively reweighted least squares.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from survey.grid import Coordinates

__all__ = ["PLAUSIBLE_M", "Datum", "fit_datum"]

PLAUSIBLE_M = (-500.0, 9000.0)
"""Between the Dead Sea's shore and the highest mountains, m: what lies outside is no height."""

# Differences are gathered in bins of this width to find the most frequent one, m.
_BIN = 0.1
# Differences this far from the plane do not belong to stable ground, m.
_LIMIT = 0.5
# A plane is believed only on this many samples of stable ground.
_LEAST_SAMPLES = 50
# Tilt beyond this is a fault of the models, not of their datum: 2 m over 100 m.
_LARGEST_TILT = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Datum:
    """The plane to take from the after model so that both stand on one datum."""

    center: tuple[float, float]
    """(x, y) where ``offset`` holds, m."""
    offset: float
    """Height of the after model above the before model on stable ground, m."""
    tilt: tuple[float, float]
    """How that height changes towards east and north, m per m."""
    residual_m: float
    """Spread of stable ground around the plane (1.4826 times the median deviation), m."""
    stable_share: float
    """Share of the samples that lie on stable ground."""

    def at(self, x: Coordinates, y: Coordinates) -> Coordinates:
        """Return the height of the plane at places, m."""
        return (
            self.offset + self.tilt[0] * (x - self.center[0]) + self.tilt[1] * (y - self.center[1])
        )


def fit_datum(x: Coordinates, y: Coordinates, difference: NDArray[np.float64]) -> Datum | None:
    """Fit the plane between two surface models.

    Parameters
    ----------
    x, y
        Where samples were taken, m, shape (n,).
    difference
        After minus before, m, shape (n,); NaN where either has no height.

    Returns
    -------
    Datum or None
        None where too little stable ground was found.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.uniform(0, 100, (2, 2000))
    >>> d = 3.2 + 0.001 * x + rng.normal(0, 0.05, 2000)
    >>> d[:400] += 6
    >>> datum = fit_datum(x, y, d)
    >>> round(float(datum.at(np.array([50.0]), np.array([50.0]))[0]), 2)
    3.25
    """
    seen = np.isfinite(difference)
    x, y, difference = x[seen], y[seen], difference[seen]
    if len(difference) < _LEAST_SAMPLES:
        return None
    center = (float(x.mean()), float(y.mean()))
    design = np.stack([np.ones(len(x)), x - center[0], y - center[1]], axis=1)
    plane = np.array([_mode(difference), 0.0, 0.0])
    for limit in (4 * _LIMIT, 2 * _LIMIT, _LIMIT, _LIMIT, _LIMIT, _LIMIT):
        rest = (difference - design @ plane) / limit
        weight = np.where(np.abs(rest) < 1, (1 - rest**2) ** 2, 0.0)
        root = np.sqrt(weight)
        plane = np.linalg.lstsq(design * root[:, None], difference * root, rcond=None)[0]
    rest = np.abs(difference - design @ plane)
    stable = rest < _LIMIT
    if stable.sum() < _LEAST_SAMPLES or np.abs(plane[1:]).max() > _LARGEST_TILT:
        return None
    return Datum(
        center=center,
        offset=float(plane[0]),
        tilt=(float(plane[1]), float(plane[2])),
        residual_m=1.4826 * float(np.median(rest[stable])),
        stable_share=float(stable.mean()),
    )


def _mode(values: NDArray[np.float64]) -> float:
    """Return the most frequent value: the bin, with its neighbours, that holds the most."""
    low, high = np.percentile(values, [1, 99])
    edges = np.arange(low - 2 * _BIN, high + 3 * _BIN, _BIN)
    counts = np.histogram(values, edges)[0]
    # One metre wide: stable ground under a tilt spreads over several bins.
    summed = np.convolve(counts, np.ones(10), mode="same")
    at = int(summed.argmax())
    return float(edges[at] + _BIN / 2)
