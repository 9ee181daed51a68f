"""One stated rule that fuses what is known of a pixel: what may have appeared or gone. Pure.

Where both flights have heights, height decides: colour changes with every coat of paint, height
does not. Where they have none, the detector's maps decide; where heights are full of holes, or show
a crown that is gone, both count. What comes out is cut generously: every candidate is looked at
closely afterwards (``change.objects``).
"""

from dataclasses import dataclass

import cv2
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from change.height import bridged, disc, porous, rough_around
from change.height_evidence import rises
from change.model.second_look import WORTH_A_LOOK
from change.roofs import is_green, leaves_gone
from survey.settings import DetectSettings

__all__ = ["HALO_M", "Evidence", "weigh"]

HALO_M = 12.8
"""What a tile must see beyond its core for every pixel of the core to be judged in full, m."""

# Gaps and slivers narrower than this are closed and cut off, m.
_CLOSE_M, _OPEN_M = 0.6, 1.0
# A low rise counts where, over this distance, the detector says with this that something built
# appeared, and less than this share is green (m, shares).
_SLAB_AROUND_M, _SLAB_SEEN, _LEAVES = 1.8, 0.15, 0.6
# Crowns are rougher than this, m; lawns and fields are not.
_ROUGH_M = 0.12
# Misalignment beyond this many pixels is not searched: larger tolerances blur everything.
_LARGEST_REACH = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a window shows; all arrays (row, col)."""

    appeared: NDArray[np.bool_]
    """Where something built may stand in the after flight that did not before."""
    vanished: NDArray[np.bool_]
    """Where something built may have stood in the before flight that no longer does."""
    judged: NDArray[np.bool_]
    """Where both flights show the ground well enough to say."""


def weigh(window: xr.Dataset, settings: DetectSettings, pixel_m: float) -> Evidence:
    """Weigh the evidence of a window.

    Parameters
    ----------
    window
        As ``survey.pair.PairReader.read`` returns it, with the detector's maps.
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
    appeared, vanished = (
        _clean((window[name].values >= WORTH_A_LOOK) & judged, pixel_m)
        for name in ("appeared", "gone")
    )
    if "height_before" in window:
        heights = [window[name].values for name in ("height_before", "height_after")]
        known = np.isfinite(heights[0] + heights[1])
        decisive = known & ~(porous(heights[0], pixel_m) | porous(heights[1], pixel_m))
        reach = int(np.clip(np.ceil(np.median(tolerance) / pixel_m), 1, _LARGEST_REACH))
        rose, sank = _by_height(window, settings, reach, pixel_m)
        # What is built where a crown stood may gain nothing: there pictures count, too.
        appeared &= ~decisive | _felled(window, pixel_m)
        appeared |= known & rose & judged
        vanished = (vanished & ~decisive) | (known & sank & judged)
    return Evidence(appeared=appeared, vanished=vanished, judged=judged)


def _felled(window: xr.Dataset, pixel_m: float) -> NDArray[np.bool_]:
    """Return where crowns stood that are gone: what was green is rough from above."""
    rough = rough_around(bridged(window["height_before"].values, pixel_m), pixel_m) >= _ROUGH_M
    return rough & leaves_gone(window["before"].values, window["after"].values, pixel_m)


def _by_height(
    window: xr.Dataset, settings: DetectSettings, reach: int, pixel_m: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return what rose and what sank; low slabs where no leaves grew and something may be new."""
    before, after = window["height_before"].values, window["height_after"].values
    side = 2 * round(_SLAB_AROUND_M / pixel_m / 2) + 1
    leaves, seen = (
        cv2.blur(band.astype(np.float32), (side, side))
        for band in (is_green(window["after"].values), window["appeared"].values)
    )
    slabs = (leaves < _LEAVES) & (seen >= _SLAB_SEEN)
    rose = rises(before, after, reach, pixel_m, settings, slabs)
    return rose, rises(after, before, reach, pixel_m, settings)


def _clean(mask: NDArray[np.bool_], pixel_m: float) -> NDArray[np.bool_]:
    """Close small gaps, then cut off what is narrower than a structure can be."""
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, disc(_CLOSE_M, pixel_m))
    opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, disc(_OPEN_M, pixel_m))
    return np.asarray(opened > 0)
