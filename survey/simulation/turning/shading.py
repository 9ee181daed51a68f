"""Where the shadow of a building falls, found from the ground that is darker there. Pure arrays.

A shadow is dark only against its own ground: on a bright lane it is lighter than a lit field. So
grey values are divided by those of lit ground nearby, and a shadow ends where that ratio rises most
steeply, at whatever value it does. Where two buildings stand one behind the other, ground belongs
to the shadow of the first one met on the way to the sun.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from survey.simulation.turning.masks import Mask, Singles, grow, moved

__all__ = ["Shadow", "find_shadow", "relative_light", "shadow_of", "shadow_profile"]

Floats = npt.NDArray[np.float64]

_WAYS = 36
# Shadows are looked for this far beside outlines, m: a one-storey house casts 3 m at a sun of 45.
_LOOK_M = (0.8, 1.6, 2.4, 3.2)
# Grey values by which the darkest side must lie under the brightest; less is weather.
_SHADOW_CONTRAST = 6.0
# Longest shadow, m: four storeys at a sun of 35 degrees, as in the winter of Banepa.
_REACH_M = 18.0
# Step, m, in which ground is followed towards the sun.
_STEP_M = 0.25
# The direction found from all buildings of a picture is off by so much, degrees.
_DIRECTION_DEG = 14.0
# Lit ground is averaged over this distance, m: wider than the shadow of one house.
_NEAR_M = 9.0
# Of the median of all ground, the least that lit ground is taken for: a yard wholly in the shade
# must not pass for lit.
_LEAST_LIT = 0.75
# Grains and leaves are smoothed away by this, m.
_GRAIN_M = 0.3
# Ratios that a shadow may end at. Skylight leaves a quarter to a half of the light, which a gamma
# of 2.2 shows as 0.53 to 0.73; ground itself varies by a fifth.
_ENDS = tuple(0.46 + 0.04 * n for n in range(11))
# Rise of the ratio (natural logarithm, over 0.6 m) at the end of a shadow; below it there is none.
_LEAST_RISE = 0.16
# An end that is nearly as steep counts as much.
_AS_STEEP = 0.94
# Half the width, m, over which the rise is measured: the sun's disc blurs the edge of an 8 m
# shadow over 7 cm, the mosaic and JPEG by two pixels.
_HALF_EDGE_M = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """Where the shadows of a picture fall."""

    down: float
    """Row component of the unit vector in which they fall."""
    across: float
    """Column component of the unit vector in which they fall."""
    contrast: float
    """How much darker the shady side is than the bright one, grey values; 0: no shadows."""


def shadow_profile(grey: Singles, buildings: Mask, valid: Mask, pixel_m: float) -> Floats:
    """Measure how bright the ground is on every side of the buildings.

    Returns
    -------
    numpy.ndarray
        (2, 36): sum of grey values and number of pixels beside the outlines, by direction (from
        columns towards rows, 10 degrees each). Add those of many windows for `find_shadow`.
    """
    ground = valid & ~grow(buildings, 0.4 / pixel_m)
    profile = np.zeros((2, _WAYS))
    for way in range(_WAYS):
        angle = 2.0 * math.pi * way / _WAYS
        for reach_m in _LOOK_M:
            reach = reach_m / pixel_m
            beside = moved(buildings, reach * math.sin(angle), reach * math.cos(angle)) & ground
            profile[:, way] += float(grey[beside].sum()), float(beside.sum())
    return profile


def find_shadow(profiles: Iterable[Floats]) -> Shadow:
    """Return where shadows fall, from the brightness around all buildings of a picture.

    The first harmonic of brightness over direction: one side of all houses is in the shade.
    """
    total = np.zeros((2, _WAYS))
    for profile in profiles:
        total += profile
    if total[1].min() < 1:
        return Shadow(down=0.0, across=0.0, contrast=0.0)
    mean = total[0] / total[1]
    angles = 2.0 * math.pi * np.arange(_WAYS) / _WAYS
    across, down = (-2.0 * float((mean * wave(angles)).mean()) for wave in (np.cos, np.sin))
    swing = math.hypot(across, down)
    if 2.0 * swing < _SHADOW_CONTRAST:
        return Shadow(down=0.0, across=0.0, contrast=0.0)
    return Shadow(down=down / swing, across=across / swing, contrast=2.0 * swing)


def relative_light(grey: Singles, ground: Mask, pixel_m: float) -> Singles:
    """Return grey values as shares of those of lit ground nearby, (row, col)."""
    smooth = cv2.GaussianBlur(grey, (0, 0), max(0.5, _GRAIN_M / pixel_m))
    if not ground.any():
        return np.ones_like(smooth)
    least = _LEAST_LIT * float(np.median(grey[ground]))
    # Lit ground hardly differs within a metre: it is averaged on cells of half a metre.
    factor = max(1, round(0.5 / pixel_m))
    size = max(1, grey.shape[1] // factor), max(1, grey.shape[0] // factor)
    small = np.asarray(cv2.resize(smooth, size, interpolation=cv2.INTER_AREA), np.float32)
    weight = np.asarray(
        cv2.resize(ground.astype(np.float32), size, interpolation=cv2.INTER_AREA), np.float32
    )
    spread = _NEAR_M / (pixel_m * factor)
    mean = _averaged(small, weight, spread, least)
    lit = _averaged(small, np.where(small >= mean, weight, np.float32(0.0)), spread, least)
    lit = np.maximum(lit, np.float32(least))
    wide = cv2.resize(lit, (grey.shape[1], grey.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(smooth / np.maximum(wide, np.float32(1.0)), dtype=np.float32)


def _averaged(values: Singles, weight: Singles, spread: float, none: float) -> Singles:
    norm = cv2.GaussianBlur(weight, (0, 0), spread)
    total = cv2.GaussianBlur(values * weight, (0, 0), spread)
    known = norm > 1e-4
    return np.where(known, total / np.where(known, norm, 1.0), none).astype(np.float32)


def shadow_of(
    body: Mask, others: Mask, light: Singles, shadow: Shadow, pixel_m: float
) -> tuple[Mask, bool]:
    """Return where the shadow of a building lies, and whether its end was found.

    Parameters
    ----------
    body
        (row, col); True inside the building and its walls.
    others
        (row, col); True inside any other building.
    light
        (row, col); as from `relative_light`.
    shadow
        Where shadows fall.
    pixel_m
        Pixel on the ground, m.

    Returns
    -------
    tuple of numpy.ndarray and bool
        The shadow on the ground beside the body. False where the ground beside the building is dark
        and does not get lighter anywhere: nobody can say then where its shadow ends.
    """
    zone = _zone(body, others, shadow, pixel_m)
    if not zone.any():
        return zone, True
    rise = _rise(light, pixel_m)
    touching = grow(body, 0.5 / pixel_m)
    casts = [_joined(zone & (light < end), touching) for end in _ENDS]
    scores = [_steepness(cast, rise, body | others) for cast in casts]
    if max(scores) >= _LEAST_RISE:
        # The whole of it, not the part that lies on darker ground and ends as steeply.
        found = max(n for n, score in enumerate(scores) if score >= _AS_STEEP * max(scores))
        dusk = light < min(0.94, _ENDS[found] + 0.1)
        return _whole(casts[found], zone, dusk, pixel_m), True
    near = zone & grow(body, 1.5 / pixel_m)
    return zone & False, not near.any() or float(np.median(light[near])) > _ENDS[5]


def _zone(body: Mask, others: Mask, shadow: Shadow, pixel_m: float) -> Mask:
    """Return the ground whose way to the sun meets this building first, in any likely direction."""
    zone = np.zeros_like(body)
    for turn in (-_DIRECTION_DEG, 0.0, _DIRECTION_DEG):
        cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
        down = shadow.down * cos + shadow.across * sin
        across = shadow.across * cos - shadow.down * sin
        zone |= _swept(body, others, down * _STEP_M / pixel_m, across * _STEP_M / pixel_m)
    return zone


def _swept(body: Mask, others: Mask, down_px: float, across_px: float) -> Mask:
    """Move a mask step by step, and lose what runs into other buildings."""
    rows, cols = np.nonzero(body)
    alive = np.ones(rows.size, bool)
    found = np.zeros_like(body)
    height, width = body.shape
    for step in range(1, round(_REACH_M / _STEP_M) + 1):
        row = rows + round(step * down_px)
        col = cols + round(step * across_px)
        alive &= (row >= 0) & (row < height) & (col >= 0) & (col < width)
        row, col = row[alive], col[alive]
        rows, cols, alive = rows[alive], cols[alive], alive[alive]
        free = ~others[row, col]
        found[row[free], col[free]] = True
        alive &= free
    return found & ~body


def _rise(light: Singles, pixel_m: float) -> Singles:
    """Return how much lighter the ground gets across every pixel, natural logarithm."""
    log = np.log(np.maximum(light, np.float32(0.05)))
    reach = max(1, round(_HALF_EDGE_M / pixel_m))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.asarray(cv2.dilate(log, disc) - cv2.erode(log, disc), dtype=np.float32)


def _joined(mask: Mask, touching: Mask) -> Mask:
    """Return the parts of a mask that touch another."""
    _count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    kept = np.unique(labels[touching & mask])
    return np.asarray(np.isin(labels, kept[kept > 0]))


def _steepness(cast: Mask, rise: Singles, buildings: Mask) -> float:
    """Return how steeply light rises where a shadow would end, on average."""
    if not cast.any():
        return 0.0
    edge = grow(cast, 1) & ~cast & ~buildings
    if edge.sum() < 8:
        return 0.0
    return float(rise[edge].mean())


def _whole(cast: Mask, zone: Mask, dusk: Mask, pixel_m: float) -> Mask:
    """Close the gaps of a shadow, and take its blurred edge along."""
    reach = max(1, round(0.6 / pixel_m))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    closed = cv2.morphologyEx(cast.astype(np.uint8), cv2.MORPH_CLOSE, disc) > 0
    edge = grow(closed, 1.0 / pixel_m) & dusk
    return np.asarray(closed & grow(zone, 1) | cast | _joined(edge, cast))
