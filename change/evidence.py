"""One stated rule that fuses height and colour into what appeared and what vanished. Pure.

Where both flights have heights, height decides: colour changes with every coat of paint, height
does not. Where they have none, a place appeared (vanished) that changed colour
beyond what light and misalignment explain and looks built in the later (earlier) picture.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from change.height import height_gain
from change.roofs import is_green
from change.surface import colour_change
from survey.light import Light, to_lab
from survey.settings import DetectSettings

__all__ = ["HALO_PX", "Evidence", "weigh"]

HALO_PX = 48
"""What a tile must see beyond its core for every pixel of the core to be judged in full."""

# Weighted L*a*b* distance from which another material is suspected: twice what JPEG, haze and small
# differences of light leave on unchanged ground after matching.
_OTHER_MATERIAL = 9.0
# Gaps and slivers narrower than this are closed and cut off, m.
_CLOSE_M, _OPEN_M = 0.6, 1.0
# Misalignment beyond this many pixels is not searched: larger tolerances blur everything.
_LARGEST_REACH = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a window shows; all arrays (row, col)."""

    appeared: NDArray[np.bool_]
    """Where something built stands in the after flight that did not before."""
    vanished: NDArray[np.bool_]
    """Where something built stood in the before flight that no longer does."""
    judged: NDArray[np.bool_]
    """Where both flights show the ground well enough to say."""


def weigh(window: xr.Dataset, light: Light, settings: DetectSettings, pixel_m: float) -> Evidence:
    """Weigh the evidence of a window.

    Parameters
    ----------
    window
        As ``survey.pair.PairReader.read`` returns it.
    light
        Light matching of the pair.
    settings
        What counts as a change.
    pixel_m
        Pixel of the window, m.
    """
    tolerance = window["tolerance"].values
    judged = (
        window["seen_before"].values
        & window["seen_after"].values
        & (tolerance <= settings.max_tolerance_m)
    )
    reach = int(np.clip(np.ceil(tolerance.max() / pixel_m), 1, _LARGEST_REACH))
    appeared, vanished = _by_colour(window, light, reach)
    if "height_before" in window:
        appeared, vanished = _by_height(window, settings, reach, (appeared, vanished))
    return Evidence(
        appeared=_clean(appeared & judged, pixel_m),
        vanished=_clean(vanished & judged, pixel_m),
        judged=judged,
    )


def _by_colour(
    window: xr.Dataset, light: Light, reach: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    before, after = window["before"].values, window["after"].values
    lab_before, lab_after = to_lab(before), light.apply(to_lab(after))
    changed = colour_change(lab_before, lab_after, reach) >= _OTHER_MATERIAL
    # What lies in shadow on either day cannot be told from what the shadow fell on.
    changed &= (lab_before[0] > light.dark) & (lab_after[0] > light.dark)
    return changed & ~is_green(after), changed & ~is_green(before)


def _by_height(
    window: xr.Dataset,
    settings: DetectSettings,
    reach: int,
    by_colour: tuple[NDArray[np.bool_], NDArray[np.bool_]],
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Let height decide where both flights have it."""
    before, after = window["height_before"].values, window["height_after"].values
    known = np.isfinite(before) & np.isfinite(after)
    with np.errstate(invalid="ignore"):
        rose = height_gain(before, after, reach) >= settings.min_height_m
        sank = height_gain(after, before, reach) >= settings.min_height_m
    return np.where(known, rose, by_colour[0]), np.where(known, sank, by_colour[1])


def _clean(mask: NDArray[np.bool_], pixel_m: float) -> NDArray[np.bool_]:
    """Close small gaps, then cut off what is narrower than a structure can be."""
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, _disc(_CLOSE_M, pixel_m))
    opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, _disc(_OPEN_M, pixel_m))
    return np.asarray(opened > 0)


def _disc(diameter_m: float, pixel_m: float) -> NDArray[np.uint8]:
    side = 2 * max(1, round(diameter_m / pixel_m / 2)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)
