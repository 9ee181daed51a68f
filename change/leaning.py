"""Pictures taken from far off, in which all roofs lean one way. Pure.

Over the whole of a satellite's picture, or of one taken from a high aeroplane, buildings lean one
way. So what two such pictures show of one roof lies apart in one way, the farther the higher the
roof is (such pictures are parallel projections, nearly: Morgan, Kim, Jeong and Habib 2004, Parallel
projection modelling for linear array scanner scenes, ISPRS Archives 35). Where the best places
elsewhere of many candidates (``change.displaced``) agree on that way, each is looked for once more
along it: farther off, as towers ask for, and with less chance of being found where it is not. A
mosaic of many pictures has no such way.
"""

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from change.displaced import sought
from change.looks import Look, Measured
from survey.light import Light

__all__ = ["LEANING_M", "along_clues", "common_way"]

_REACH_M = 40.0
LEANING_M = _REACH_M + 2.0
"""How far around a candidate the window must reach, m."""

# Ways that differ by so little are one, degrees. By chance so many standard deviations more never
# agree on one; and fewer candidates tell nothing.
_ONE_WAY_DEG, _BEYOND_CHANCE, _LEAST = 10.0, 7.0, 12
# Nearer is the place itself, m. Along a way is what lies within such an angle of it, degrees, or so
# near to it, m.
_HERE_M, _WITHIN_DEG, _BESIDE_M = 1.6, 6.0, 1.0
# How much a roof there counts beside what is alike, both from 0 to 1; and what is never the best.
_ROOF, _NEVER = np.float32(0.5), np.float32(-9.0)
# Other ways that it is held against, degrees from it; and what correlations differ by at the least.
_OTHERS_DEG = np.arange(20.0, 341.0, 10.0)
_LEAST_SPREAD = 0.01


def common_way(items: Iterable[Measured]) -> float | None:
    """Return the way in which the roofs of a pair are drawn elsewhere, if there is one.

    Parameters
    ----------
    items
        Candidates; those that were looked for elsewhere say which way they were found
        (``moved_way_deg``).

    Returns
    -------
    float or None
        From where the earlier picture shows a roof to where the later one does, degrees clockwise
        from the top of the grid; None where there is no such way, or too little tells.
    """
    known = (dict(item.evidence).get("moved_way_deg") for item in items)
    ways = np.sort([way for way in known if way is not None])
    if len(ways) < _LEAST:
        return None
    around = np.concatenate([ways - 360.0, ways, ways + 360.0])
    first = np.searchsorted(around, ways - _ONE_WAY_DEG, side="left")
    end = np.searchsorted(around, ways + _ONE_WAY_DEG, side="right")
    most = int((end - first).argmax())
    share = 2.0 * _ONE_WAY_DEG / 360.0
    by_chance = len(ways) * share
    beyond_chance = by_chance + _BEYOND_CHANCE * math.sqrt(by_chance * (1.0 - share))
    if end[most] - first[most] < beyond_chance:
        return None
    one = np.radians(around[first[most] : end[most]])
    return math.degrees(math.atan2(np.sin(one).mean(), np.cos(one).mean())) % 360.0


def along_clues(look: Look, light: Light, way_deg: float) -> dict[str, float]:
    """Return how well the roof at a candidate is found along the way in which roofs lean.

    Parameters
    ----------
    look
        The candidate, with ``LEANING_M`` around it.
    light
        Of the pair.
    way_deg
        As ``common_way`` returns it.

    Returns
    -------
    dict
        Of the place along the way that is most alike and a roof in the other picture:
        ``along_alike``, the correlation with it, up to 1; ``along_roof``, how likely a roof is
        there; ``along_beyond``, by how many standard deviations it exceeds the best places along
        other ways; ``along_m``, how far off it is; ``along_still`` and ``along_from`` as
        ``moved_still`` and ``moved_from`` of ``change.displaced``. Empty where too little is seen.
    """
    search = sought(look, light, _REACH_M)
    if search is None:
        return {}
    far, bearing = search.steps()
    off = bearing + (180.0 if look.gained else 0.0) - way_deg
    roofs = look.window.get("roof_before" if look.gained else "roof_after")
    roof = search.mean_at_steps(roofs) if roofs is not None else np.zeros_like(search.alike)
    likely = np.where((far > _HERE_M) & (far <= _REACH_M), search.alike + _ROOF * roof, _NEVER)
    along = _along(far, off)
    best = int(np.where(along, likely, _NEVER).argmax())
    others = np.array([likely[_along(far, off - way)].max() for way in _OTHERS_DEG])
    beyond = (float(likely.flat[best]) - np.median(others)) / (others.std() + _LEAST_SPREAD)
    return {
        "along_alike": float(search.alike.flat[best]),
        **({} if roofs is None else {"along_roof": float(roof.flat[best])}),
        "along_beyond": float(beyond),
        "along_m": float(far.flat[best]),
        **{f"along_{name}": number for name, number in search.clues_at(best, look).items()},
    }


def _along(far: NDArray[np.float64], off_deg: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which steps, so far and so many degrees off a way, lie along it."""
    off = np.radians((off_deg + 180.0) % 360.0 - 180.0)
    ahead = np.abs(off) < math.pi / 2
    beside = np.abs(far * np.sin(off)) < _BESIDE_M
    return np.asarray(ahead & (beside | (np.abs(off) < math.radians(_WITHIN_DEG))))
