"""Comparable radiometry between two flights, vegetation and shadow. Pure.

Colours are compared in CIE L*a*b* (8-bit scaling of OpenCV: L over 0-255, a and b around 128)
after the light of the whole area has been matched channel by channel. A flight without colours is
lent those of the other.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from survey.resampling import to_grey

__all__ = [
    "Light",
    "greenness",
    "has_colours",
    "match_light",
    "to_lab",
    "with_colours_of",
    "without_colours",
]


# Between two flights contrast changes by exposure and haze, seldom by more than this.
_GAINS = (0.6, 1.6)
# Pixels that are too few to tell anything of the whole.
_FEW = 100
# How far the most colourful pixels lie from the greys of a picture in a* and b*. Of real colour
# pictures the least colourful, water and bare fields, reach 8; what lies below is a scan or a copy.
_COLOURFUL, _MOST = 3.0, 98.0


@dataclass(frozen=True, slots=True)
class Light:
    """Tables that show the after flight in the light of the before flight."""

    tables: NDArray[np.uint8]
    """(3, 256): for L, a and b, what each value of the after flight becomes."""
    dark: float
    """L below which the matched flights lie in shadow or are black, 0-255."""

    def apply(self, lab: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return (3, row, col) of the after flight in the light of the before flight."""
        return np.stack([table[band] for table, band in zip(self.tables, lab, strict=True)])


def to_lab(colour: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return (3, row, col) of 8-bit L*a*b* from red, green, blue."""
    if not colour.size:  # OpenCV refuses what is empty
        return colour.copy()
    pixels = np.ascontiguousarray(np.moveaxis(colour, 0, -1))
    return np.ascontiguousarray(np.moveaxis(cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB), -1, 0))


def greenness(colour: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the excess green index 2g - r - b of chromatic coordinates, about [-1, 2].

    Source: Woebbecke, Meyer, Von Bargen and Mortensen (1995), Transactions of the ASAE 38(1).
    """
    red, green, blue = colour.astype(np.float32)
    total = np.maximum(red + green + blue, 1.0)
    return np.asarray((2 * green - red - blue) / total)


def has_colours(lab: NDArray[np.uint8]) -> bool:
    """Whether a picture shows colours, and not greys only or the tone of one film.

    Parameters
    ----------
    lab
        (3, n) of L*a*b*, from all over it; with hardly any it is taken to show them.

    Examples
    --------
    A tone goes with the lightness, a colour does not.

    >>> lightness = np.arange(200, dtype=np.uint8)
    >>> has_colours(np.stack([lightness, 128 + lightness // 20, 128 + lightness // 10]))
    False
    >>> has_colours(np.stack([lightness, 128 + lightness // 20, 118 + lightness % 20]))
    True
    """
    if lab.shape[1] < _FEW:
        return True
    levels, tones = lab[0] / 255.0, lab[1:].T.astype(np.float64)
    toned = np.vander(levels, 3)
    beside = tones - toned @ np.linalg.lstsq(toned, tones)[0]
    return bool(np.percentile(np.hypot(*beside.T), _MOST) >= _COLOURFUL)


def without_colours(colour: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return red, green, blue (3, row, col) of a picture in grey."""
    return np.repeat(to_grey(colour), 3, axis=0)


def with_colours_of(other: NDArray[np.uint8], grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a grey picture in the colours that another shows at the same place.

    Its lightness stays. So held against that other no place differs by its colour, and leaves stay
    green.

    Parameters
    ----------
    other, grey
        (3, row, col) red, green, blue.
    """
    lab = np.concatenate([to_lab(without_colours(grey))[:1], to_lab(other)[1:]])
    pixels = np.ascontiguousarray(np.moveaxis(lab, 0, -1))
    return np.ascontiguousarray(np.moveaxis(cv2.cvtColor(pixels, cv2.COLOR_LAB2RGB), -1, 0))


def match_light(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> Light:
    """Match the light of the after flight to the before flight.

    Parameters
    ----------
    before, after
        (3, n) of L*a*b* at the same places.

    Returns
    -------
    Light
        The identity where there is too little to match.
    """
    if before.shape[1] < _FEW:
        return Light(np.tile(np.arange(256, dtype=np.uint8), (3, 1)), 0.0)
    tables = [_match(b, a) for b, a in zip(before, after, strict=True)]
    return Light(np.stack(tables), float(_shadow_limit(before[0])))


def _match(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the table of the line that takes the after flight's values to the before flight's.

    A line, not the histograms' shape: where half a small area is built over, its histogram tells
    of the building, not of the light. Places that changed are left out by bisquare weights.
    """
    x, y = after.astype(np.float64), before.astype(np.float64)
    gain, offset = 1.0, float(np.median(y - x))
    for _round in range(10):
        rest = y - gain * x - offset
        limit = max(4.0, 3.0 * 1.4826 * float(np.median(np.abs(rest))))
        weight = np.where(np.abs(rest) < limit, (1 - (rest / limit) ** 2) ** 2, 0.0)
        mean_x, mean_y = np.average(x, weights=weight), np.average(y, weights=weight)
        spread = np.average((x - mean_x) ** 2, weights=weight)
        together = np.average((x - mean_x) * (y - mean_y), weights=weight)
        # Noise in x flattens the line: the gain is kept within what exposure and haze do.
        gain = float(np.clip(together / max(spread, 1e-6), *_GAINS))
        offset = float(mean_y - gain * mean_x)
    values = gain * np.arange(256) + offset
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


def _shadow_limit(lightness: NDArray[np.uint8]) -> float:
    """Return the lightness between shadow and lit ground: a third of the usual range up."""
    low, high = np.percentile(lightness, [2, 75])
    return float(low + 0.33 * (high - low))
