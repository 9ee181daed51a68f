"""Crowns that hid the ground from the earlier flight and are gone in the later. Pure.

A surface model shows the top of a crown and nothing of what is below it: a house in the place of a
tree as high gains no height at all, and one beside it ends at the crown that was felled. Of what
went nothing is told so: where leaves hide it later, the earlier flight may show a bare crown.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from change.height import disc, ground_level, roughness
from change.looks import Look, grown, pixel_of, shrunk
from change.roofs import leaves_gone

__all__ = ["goes_on_below", "risen", "stands_where_crowns_stood"]

# What stands no higher than this above the ground is no crown, m.
_CROWN_M = 1.0
# A structure goes on below a crown over what rises between these shares of its own height, for at
# most this many times its own area; narrower parts are slivers, m.
_ALIKE, _MOST_HIDDEN, _SLIVER_M = (0.6, 1.5), 2.0, 0.8
# Beyond its walls, so wide (m), a roof is less rough than this, m: bare crowns are rougher.
_WALL_M, _ROUGH_M = 0.8, 0.2
# A place was below crowns where this share of it was; the ground is looked for so far around, m.
_MOSTLY, _GROUND_M = 0.5, 6.0
# A roof that was there goes on beyond the crown: so much of the rim, over so far, rose by less than
# this and lies within this of its height (shares, m).
_RIM_M, _OLD_RIM, _STILL_M, _LEVEL_M = 1.6, 0.15, 0.6, 1.0


def risen(look: Look, seen: NDArray[np.bool_], gain: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return a candidate without what a crown hid from the other flight.

    Parameters
    ----------
    look
        A candidate that gained height.
    seen
        (row, col) of it.
    gain
        (row, col); the height it gains, m.

    Returns
    -------
    ndarray
        (row, col); all of ``seen`` where nothing else of it gains height.
    """
    known = seen & np.isfinite(gain)
    if not known.any():
        return seen
    least = _ALIKE[0] * float(np.percentile(gain[known], 75))
    with np.errstate(invalid="ignore"):
        told = seen & ~(_crown_gone(look) & (gain < least))
    return told if least > 0 and (told & known).any() else seen


def goes_on_below(
    look: Look,
    seen: NDArray[np.bool_],
    lower: NDArray[np.float32],
    upper: NDArray[np.float32],
    tall: float,
) -> NDArray[np.bool_]:
    """Return where a candidate goes on over ground that a crown hid from the other flight.

    Parameters
    ----------
    look
        A candidate that gained height.
    seen
        (row, col); where it gains height.
    lower, upper
        (row, col) heights of the earlier and the later flight above the ground it stands on, m.
    tall
        Height it gains, m.

    Returns
    -------
    ndarray
        (row, col); nothing of ``seen``.
    """
    pixel = pixel_of(look)
    with np.errstate(invalid="ignore"):
        crown = _crown_gone(look) & (lower >= _CROWN_M)
        alike = (upper >= _ALIKE[0] * tall) & (upper <= _ALIKE[1] * tall)
    # A candidate covers the middle of what gains height, and ends before the crown.
    able = (seen | (alike & (crown | grown(seen, _WALL_M, pixel)))).astype(np.uint8)
    opened = cv2.morphologyEx(able, cv2.MORPH_OPEN, disc(_SLIVER_M, pixel))
    _count, labels = cv2.connectedComponents(opened, connectivity=4)
    own = np.unique(labels[seen & (opened > 0)])
    hidden = np.isin(labels, own[own > 0]) & crown & ~seen
    many = hidden.sum() > _MOST_HIDDEN * seen.sum()
    rough = _rough(upper, hidden & shrunk(hidden | seen, _WALL_M, pixel))
    return np.zeros_like(seen) if many or rough else hidden


def stands_where_crowns_stood(look: Look, inside: NDArray[np.bool_], least_m: float) -> bool:
    """Whether something stands where crowns stood that are gone, beside no older roof that goes on.

    What became of such a place heights cannot tell, but pictures can.

    Parameters
    ----------
    look
        A candidate of the later flight that both surface models show.
    inside
        (row, col) of it.
    least_m
        How much a structure must rise, m: where heights rose so much, they do tell.
    """
    lower, upper = (look.window[f"height_{side}"].values for side in ("before", "after"))
    gain, pixel = upper - lower, pixel_of(look)
    roof = float(np.nanmedian(upper[inside]))
    around = grown(inside, _GROUND_M, pixel) & ~grown(inside, 1.0, pixel)
    if (
        np.nanmedian(gain[inside]) >= least_m
        or _crown_gone(look)[inside].mean() <= _MOSTLY
        or not roof - ground_level(upper, around) >= least_m
        or _rough(upper, shrunk(inside, _WALL_M, pixel))
    ):
        return False
    rim = grown(inside, _RIM_M, pixel) & ~grown(inside, 0.4, pixel) & np.isfinite(gain)
    with np.errstate(invalid="ignore"):
        still = (np.abs(gain) <= _STILL_M) & (np.abs(upper - roof) <= _LEVEL_M)
    return not (rim.any() and still[rim].mean() > _OLD_RIM)


def _rough(heights: NDArray[np.float32], core: NDArray[np.bool_]) -> bool:
    """Whether a surface is as rough as a bare crown; not where nothing of it is known."""
    return bool(roughness(heights, core) > _ROUGH_M)


def _crown_gone(look: Look) -> NDArray[np.bool_]:
    before, after = (look.window[side].values for side in ("before", "after"))
    return leaves_gone(before, after, pixel_of(look))
