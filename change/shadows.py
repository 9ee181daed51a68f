"""Which way shadows fall in a picture, and whether a place casts one. Pure.

What stands casts a shadow, and what lies on the ground casts none, however much it looks like a
roof. In one flight all shadows fall the same way. Which way that is the roofs tell together: beyond
their rims it is darker on one side than on the other. No day, hour or place of the flight is asked
for, which files seldom tell.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from change.height import disc
from survey.light import to_lab

__all__ = ["NO_SUMS", "Shadows", "cast", "fallen", "shadow_sums"]

_Pixels = NDArray[np.float32]

# Rims are looked at in pixels of this size, m; what a map calls roof, and what it does not.
_PIXEL_M, _ROOF, _GROUND = 0.4, 0.5, 0.3
# How far beyond a rim it may be dark, and over what ground has its usual light, m.
_RIM_M, _AROUND_M = 1.2, 20.0
# Nothing is darker or lighter than its surroundings by more, natural logarithm; the lightness that
# is added to all, so that black is not endlessly dark.
_LIGHTEST, _DARKEST, _BLACK = 0.5, 1.0, 10.0
# Sums are kept as whole numbers of so small parts: they are the same in any order.
_PARTS = 1000.0
# So much of each rim lies on the ground beside it. A direction is believed from so long rims on, m,
# from sides on that are so much darker, and where it is no chance: trees and walls darken stretches
# of about 5 m by 0.3, so that square of the strength times length is 1 m by chance, and 8 m is far
# from it.
_BESIDE, _LEAST_RIM_M, _LEAST_STRENGTH, _NO_CHANCE_M = 0.4, 200.0, 0.05, 8.0
# The rim of a place itself is neither side; shadows are looked for so far beyond it, m.
_EDGE_M, _REACHES_M = 0.4, (0.8, 1.4, 2.0, 2.6)

NO_SUMS = np.zeros(5, np.int64)
"""What is summed over no picture at all."""


@dataclass(frozen=True, slots=True)
class Shadows:
    """How shadows fall in one flight, on a grid whose north is up."""

    right: float
    """Where they fall: the part of a unit vector to the right."""
    down: float
    """And the part downwards."""
    strength: float
    """How much darker it is beyond rims that face there than beyond any, natural logarithm."""

    @property
    def azimuth_deg(self) -> float:
        """Where they fall, degrees clockwise from north."""
        return math.degrees(math.atan2(self.right, -self.down)) % 360.0


def shadow_sums(
    roof: _Pixels,
    colour: NDArray[np.uint8],
    seen: NDArray[np.bool_],
    core: tuple[slice, slice],
    pixel_m: float,
) -> NDArray[np.int64]:
    """Sum what a window tells of the way shadows fall; sums of windows add up to those of a flight.

    Parameters
    ----------
    roof
        (row, col), how likely a roof is seen, in [0, 1].
    colour
        (3, row, col), red green blue.
    seen
        (row, col), True where ground is shown.
    core
        The part of the window that counts; what is around it is looked at only.
    pixel_m
        Pixel, m.

    Returns
    -------
    ndarray
        (5,): darkness along the outward normals of rims (right, down), and the normals' own squares
        and product, which tell how much rim looks each way.
    """
    factor = max(1, round(_PIXEL_M / pixel_m))
    pixel = factor * pixel_m
    if min(roof.shape) < factor:
        return NO_SUMS.copy()
    likely, *bands, shown = (
        _coarse(band, factor) for band in (roof, *colour, seen.astype(np.float32))
    )
    across, down = _normals(likely >= _ROOF, pixel)
    dark = _darkness(to_lab(np.stack(bands).astype(np.uint8))[0], pixel)
    counted = np.zeros(likely.shape, bool)
    counted[tuple(slice(part.start // factor, part.stop // factor) for part in core)] = True
    where = counted & (likely < _GROUND) & (shown > 0.999)
    across, down, dark = across[where], down[where], dark[where]
    size = np.hypot(across, down) + 1e-9
    told = (dark * across, dark * down, across**2 / size, across * down / size, down**2 / size)
    return np.rint([_PARTS * pixel * float(part.sum()) for part in told]).astype(np.int64)


def _coarse(band: NDArray[np.generic], factor: int) -> _Pixels:
    """Return the means of squares of so many pixels a side."""
    rows, cols = (n // factor for n in band.shape)
    whole = np.asarray(band[: rows * factor, : cols * factor], np.float32)
    return np.asarray(cv2.resize(whole, (cols, rows), interpolation=cv2.INTER_AREA), np.float32)


def _normals(roof: NDArray[np.bool_], pixel: float) -> tuple[_Pixels, _Pixels]:
    """Return the outward normals of rims, each (row, col), the longer the nearer the rim is."""
    soft = cv2.GaussianBlur(roof.astype(np.float32), (0, 0), _RIM_M / pixel)
    across, down = (
        -np.asarray(cv2.Sobel(soft, cv2.CV_32F, *way, ksize=3, scale=1 / 8), np.float32)
        for way in ((1, 0), (0, 1))
    )
    return across, down


def _darkness(lightness: NDArray[np.uint8], pixel: float) -> _Pixels:
    """Return how much darker each pixel is than its surroundings, natural logarithm."""
    told = np.log(lightness.astype(np.float32) + np.float32(_BLACK))
    side = 2 * round(_AROUND_M / pixel / 2) + 1
    darker = cv2.blur(told, (side, side)) - told
    return np.asarray(np.clip(darker, -_LIGHTEST, _DARKEST), np.float32)


def fallen(sums: NDArray[np.int64]) -> Shadows | None:
    """Return how shadows fall in a flight; None where its roofs do not tell.

    Parameters
    ----------
    sums
        (5,), `shadow_sums` of all of it, added up.
    """
    dark_right, dark_down, across, both, down = (float(part) / _PARTS for part in sums)
    squares = np.array([[across, both], [both, down]])
    length = (across + down) / _BESIDE
    if length < _LEAST_RIM_M or np.linalg.det(squares) <= 0:
        return None
    # Least squares: rims that look one way more often than the other do not turn the direction.
    way = np.linalg.solve(squares, np.array([dark_right, dark_down]))
    strength = float(np.hypot(*way))
    if strength < _LEAST_STRENGTH or strength**2 * length < _NO_CHANCE_M:
        return None
    return Shadows(float(way[0]) / strength, float(way[1]) / strength, strength)


def cast(
    shadows: Shadows | None,
    lightness: NDArray[np.uint8],
    seen: NDArray[np.bool_],
    inside: NDArray[np.bool_],
    pixel_m: float,
) -> float:
    """Return how much darker it is beside a place where its shadow would fall than where not.

    Parameters
    ----------
    shadows
        How they fall in this flight; None where that is not known.
    lightness, seen
        (row, col), L* (8-bit scaling) around the place, and where the flight shows ground.
    inside
        (row, col), the place.
    pixel_m
        Pixel, m.

    Returns
    -------
    float
        Natural logarithm of the lightness on the other side over that; NaN where it is not known.
    """
    if shadows is None:
        return math.nan
    rim = cv2.dilate(inside.astype(np.uint8), disc(2 * _EDGE_M, pixel_m))
    beside = seen & (rim == 0)
    means = []
    for side in (-1.0, 1.0):
        band = np.zeros(inside.shape, np.uint8)
        for reach in _REACHES_M:
            band |= _moved(inside, side * reach / pixel_m, shadows)
        there = lightness[(band > 0) & beside]
        if not there.size:
            return math.nan
        means.append(float(there.mean()) + _BLACK)
    return math.log(means[0] / means[1])


def _moved(inside: NDArray[np.bool_], by_px: float, shadows: Shadows) -> NDArray[np.uint8]:
    """Return a place moved the way shadows fall."""
    way = np.array([[1, 0, shadows.right * by_px], [0, 1, shadows.down * by_px]], np.float32)
    rows, cols = inside.shape
    moved = cv2.warpAffine(inside.astype(np.uint8), way, (cols, rows), flags=cv2.INTER_NEAREST)
    return np.asarray(moved, np.uint8)
