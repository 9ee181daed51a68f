"""What a building covers in an orthophoto: its roof, its leaning wall, its shadow. Pure arrays.

Outlines are drawn on the roof or on the ground, and rarely to the pixel. Whoever wants a building
gone must take away all that it put into the picture, and nothing that its neighbours did.
"""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from survey.simulation.turning.masks import Mask, Singles, grow, grow_towards
from survey.simulation.turning.shading import Shadow, shadow_of

__all__ = ["Footprint", "Surroundings", "cover", "lean_of", "lit_ground", "skirt_of"]

# Ground within this distance of a building may lie in its shadow, m.
_SHADY_M = 9.0
# Ground of that little light beside a building lies in its shadow; see `relative_light`.
_SHADE = 0.66
# Outlines are off by that much in any direction, m; hand-drawn ones of the open map more than less.
_MARGIN_M = 0.7
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
class Surroundings:
    """A window of a picture and what is known about it."""

    grey: Singles
    """(row, col), luminance in grey values."""
    light: Singles
    """(row, col), share of the grey value of lit ground nearby; see `relative_light`."""
    valid: Mask
    """(row, col); True where there is picture."""
    buildings: Mask
    """(row, col); True inside any outline."""
    pixel_m: float
    """Pixel on the ground, m."""
    shadow: Shadow
    """Where shadows fall."""

    def cut(self, rows: slice, cols: slice) -> "Surroundings":
        """Return a part of the window."""
        return replace(
            self,
            grey=self.grey[rows, cols],
            light=self.light[rows, cols],
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


def lit_ground(around: Surroundings) -> Mask:
    """Return where the picture shows lit ground that no building covers."""
    free = around.valid & ~grow(around.buildings, _KEEP_OFF_M / around.pixel_m)
    if around.shadow.contrast == 0:
        return free
    reach = _SHADY_M / around.pixel_m
    swept = grow_towards(around.buildings, around.shadow.down * reach, around.shadow.across * reach)
    return free & ~(grow(swept, 1.0 / around.pixel_m) & (around.light < _SHADE))


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


def cover(outline: Mask, others: Mask, ground: Mask, around: Surroundings) -> Footprint | None:
    """Return all that a building covers, its neighbours left out.

    Parameters
    ----------
    outline
        (row, col); True inside the building's outline.
    others
        (row, col); True inside any other building's outline.
    ground
        (row, col); `lit_ground` ground.
    around
        The window it lies in; ``buildings`` holds the building itself too.

    Returns
    -------
    Footprint or None
        None where nobody can say where the building's shadow ends.
    """
    pixel_m = around.pixel_m
    body = grow(grow_towards(outline, *lean_of(outline, around)), _MARGIN_M / pixel_m)
    core = body & ~others
    if around.shadow.contrast > 0:
        cast, known = shadow_of(core, others, around.light, around.shadow, pixel_m)
        if not known:
            return None
        core |= cast & ~others
    core = ndimage.binary_fill_holes(core) & ~others & around.valid
    return Footprint(core=core, skirt=skirt_of(core, ground, pixel_m))


def skirt_of(core: Mask, ground: Mask, pixel_m: float) -> Mask:
    """Return the ground around a core in which a filling may find its edge."""
    return grow(core, _SKIRT_M / pixel_m) & ~core & ground
