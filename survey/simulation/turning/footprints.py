"""What a building covers in an orthophoto: its roof, its leaning wall, its shadow. Pure arrays.

Outlines are drawn on the roof or on the ground, and rarely to the pixel. Whoever wants a building
gone must take away all that it put into the picture, and nothing that its neighbours did.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage

__all__ = [
    "Footprint",
    "Shadow",
    "Surroundings",
    "copyable",
    "cover",
    "dark_limit",
    "find_shadow",
    "grow",
    "grow_towards",
    "lean_of",
    "luminance",
    "shadow_profile",
    "skirt_of",
]

Image = npt.NDArray[np.uint8]
Singles = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_WAYS = 36
# Shadows are looked for this far beside outlines, m: a one-storey house casts 3 m at a sun of 45.
_LOOK_M = (0.8, 1.6, 2.4, 3.2)
# Grey values by which the darkest side must lie under the brightest; less is weather.
_SHADOW_CONTRAST = 6.0
# Longest shadow taken away, m: four storeys at a sun of 45 degrees.
_SHADOW_REACH_M = 12.0
# Grey of a shadow over the median grey of the ground. Skylight leaves a quarter to a half of the
# light, which a gamma of 2.2 shows as 0.53 to 0.73.
_SHADOW_SHARE = 0.66
# Outlines are that far off in any direction, m; hand-drawn ones of the open map more than less.
_MARGIN_M = 0.7
_SHADOW_MARGIN_M = 0.5
# Ring of ground around the hole in which the cut may run, m.
_SKIRT_M = 1.6
# Ground that near a building shows its wall, its eaves or things that lean on it, m.
_KEEP_OFF_M = 0.9
# A roof leans off its outline by no more than this in an orthophoto worth the name, m.
_LEAN_M = 2.4
_LEAN_STEP_M = 0.3
# The outline must lie on that much stronger edges after the shift to believe in it.
_LEAN_GAIN = 1.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """Where the shadows of a picture fall."""

    down: float
    """Row component of the unit vector in which they fall."""
    across: float
    """Column component of the unit vector in which they fall."""
    contrast: float
    """How much darker the shady side is than the bright one, grey values; 0: no shadows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """A window of a picture and what is known about it."""

    grey: Singles
    """(row, col), luminance in grey values."""
    valid: Mask
    """(row, col); True where there is picture."""
    buildings: Mask
    """(row, col); True inside any outline."""
    pixel_m: float
    """Pixel on the ground, m."""
    shadow: Shadow
    """Where shadows fall."""
    dark: float
    """Grey value under which ground lies in the shade; see `dark_limit`."""

    def cut(self, rows: slice, cols: slice) -> "Surroundings":
        """Return a part of the window."""
        return replace(
            self,
            grey=self.grey[rows, cols],
            valid=self.valid[rows, cols],
            buildings=self.buildings[rows, cols],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """What has to go for a building to be gone."""

    core: Mask
    """(row, col); True where the picture shows the building, its wall or its shadow."""
    skirt: Mask
    """(row, col); True for the ground around the core that may go or stay."""

    @property
    def hole(self) -> Mask:
        """Core and skirt."""
        return self.core | self.skirt


def luminance(colour: Image) -> Singles:
    """Return the luminance of (3, row, col) in grey values (Rec. 601)."""
    weights = np.array([0.299, 0.587, 0.114], np.float32)
    return np.asarray(np.tensordot(weights, colour.astype(np.float32), axes=1), np.float32)


def grow(mask: Mask, reach_px: float) -> Mask:
    """Grow a mask by a distance in pixels on every side."""
    reach = round(reach_px)
    if reach < 1:
        return mask
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return cv2.dilate(mask.astype(np.uint8), disc) > 0


def grow_towards(mask: Mask, down_px: float, across_px: float) -> Mask:
    """Return what a mask covers while it moves by (rows, columns)."""
    reach = math.ceil(max(abs(down_px), abs(across_px)))
    if reach < 1:
        return mask
    line = np.zeros((2 * reach + 1, 2 * reach + 1), np.uint8)
    # Dilation reflects its element: drawn backwards, it grows forwards.
    end = round(reach + across_px), round(reach + down_px)
    cv2.line(line, (reach, reach), end, 1)
    return cv2.dilate(mask.astype(np.uint8), np.ascontiguousarray(line[::-1, ::-1])) > 0


def shadow_profile(grey: Singles, buildings: Mask, valid: Mask, pixel_m: float) -> Floats:
    """Measure how bright the ground is on every side of the buildings.

    Returns
    -------
    numpy.ndarray
        (2, 36): sum of grey values and number of pixels beside the outlines, by direction (from
        columns towards rows, 10 degrees each). Add those of many windows for `find_shadow`.
    """
    ground = valid & ~grow(buildings, 0.4 / pixel_m)
    height, width = buildings.shape
    profile = np.zeros((2, _WAYS))
    roofs = buildings.astype(np.uint8)
    for way in range(_WAYS):
        angle = 2.0 * math.pi * way / _WAYS
        for reach_m in _LOOK_M:
            reach = reach_m / pixel_m
            move = np.array(
                [[1, 0, reach * math.cos(angle)], [0, 1, reach * math.sin(angle)]], np.float32
            )
            beside = cv2.warpAffine(roofs, move, (width, height), flags=cv2.INTER_NEAREST) > 0
            beside &= ground
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


def dark_limit(grey: Singles, ground: Mask) -> float:
    """Return the grey value under which ground lies in the shade, from all that is ground."""
    return _SHADOW_SHARE * float(np.median(grey[ground])) if ground.any() else 0.0


def copyable(around: Surroundings) -> Mask:
    """Return where the picture shows ground that may be laid elsewhere: lit, and of no building."""
    free = around.valid & ~grow(around.buildings, _KEEP_OFF_M / around.pixel_m)
    if around.shadow.contrast == 0:
        return free
    reach = 0.5 * _SHADOW_REACH_M / around.pixel_m
    swept = grow_towards(around.buildings, around.shadow.down * reach, around.shadow.across * reach)
    dark = cv2.GaussianBlur(around.grey, (0, 0), 0.3 / around.pixel_m) < around.dark
    return free & ~(swept & dark)


def lean_of(outline: Mask, around: Surroundings) -> tuple[float, float]:
    """Return by how many (rows, columns) a roof lies off its outline; (0, 0) where unclear.

    The outline is tried at places around its own, and taken where it lies on the strongest edges.
    """
    smooth = cv2.GaussianBlur(around.grey, (0, 0), max(0.5, 0.15 / around.pixel_m))
    edges = np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
    edges = np.minimum(edges, np.percentile(edges, 95))
    inner = cv2.erode(outline.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    rows, cols = np.nonzero(outline & ~inner)
    if rows.size == 0:
        return 0.0, 0.0
    steps = np.arange(-_LEAN_M, _LEAN_M + 0.01, _LEAN_STEP_M) / around.pixel_m
    best, most = (0.0, 0.0), 0.0
    here = _mean_at(edges, rows, cols)
    for down in steps:
        for across in steps:
            if math.hypot(down, across) * around.pixel_m <= _LEAN_M:
                found = _mean_at(edges, rows + round(down), cols + round(across))
                if found > most:
                    best, most = (float(down), float(across)), found
    return best if most > _LEAN_GAIN * here else (0.0, 0.0)


def _mean_at(values: Singles, rows: npt.NDArray[np.int64], cols: npt.NDArray[np.int64]) -> float:
    height, width = values.shape
    return float(values[np.clip(rows, 0, height - 1), np.clip(cols, 0, width - 1)].mean())


def cover(outline: Mask, others: Mask, ground: Mask, around: Surroundings) -> Footprint:
    """Return all that a building covers, its neighbours left out.

    Parameters
    ----------
    outline
        (row, col); True inside the building's outline.
    others
        (row, col); True inside any other building's outline.
    ground
        (row, col); `copyable` ground.
    around
        The window it lies in; ``buildings`` holds the building itself too.
    """
    pixel_m, shadow = around.pixel_m, around.shadow
    body = grow(grow_towards(outline, *lean_of(outline, around)), _MARGIN_M / pixel_m)
    core = body & ~others
    if shadow.contrast > 0:
        reach = _SHADOW_REACH_M / pixel_m
        swept = grow_towards(body, shadow.down * reach, shadow.across * reach) & ~others
        smooth = cv2.GaussianBlur(around.grey, (0, 0), 0.3 / pixel_m)
        dark = swept & (smooth < around.dark)
        cast = ndimage.binary_propagation(core, mask=core | dark)
        core |= grow(cast & ~core, _SHADOW_MARGIN_M / pixel_m) & ~others
    core = ndimage.binary_fill_holes(core) & ~others & around.valid
    return Footprint(core=core, skirt=skirt_of(core, ground, pixel_m))


def skirt_of(core: Mask, ground: Mask, pixel_m: float) -> Mask:
    """Return the ground around a core in which a filling may find its edge."""
    return grow(core, _SKIRT_M / pixel_m) & ~core & ground
