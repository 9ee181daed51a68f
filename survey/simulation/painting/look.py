"""What a piece of ground looks like, and the piece of ground that is to be painted."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from survey.simulation.painting.canvas import Box
from survey.simulation.painting.grain import edge_wander, nudge, turn_facing
from survey.simulation.painting.moment import Moment
from survey.simulation.painting.texture import mix_seed
from survey.simulation.scene import Patch
from survey.simulation.sun import Sun

__all__ = ["Look", "Spot", "dress", "inside_of", "reach_of"]

Singles = npt.NDArray[np.float32]

_WANDER = 2.2  # standard deviations to which the wander of an edge is clipped
_FAR_M = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Appearance of the ground on one window."""

    albedo: Singles
    """Reflectance, shape (3, rows, columns)."""
    tilt: Singles | None = None
    """What its bumps add to the cosine to the sun, shape (rows, columns)."""
    rise: Singles | None = None
    """What it adds to the height, metres, shape (rows, columns)."""
    water: Singles | None = None
    """Share of each pixel that is water or glossy film, shape (rows, columns)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A window on one patch at one moment."""

    box: Box
    """The window."""
    patch: Patch
    """What lies there."""
    moment: Moment
    """Season, weather and sun."""
    inside: Singles
    """Metres from the patch's edge, negative outside, shape (rows, columns)."""

    def towards_sun(self) -> tuple["Spot", float]:
        """Give the window one pixel on towards the sun, and how far that is in metres."""
        lattice, step_m = nudge(self.box.lattice, self.moment.sun)
        box = replace(self.box, lattice=lattice)
        return replace(self, box=box, inside=inside_of(box, self.patch)), step_m


def reach_of(patch: Patch) -> tuple[float, float]:
    """Give the half sides, metres, within which a patch lies with all its bends."""
    more = _WANDER * patch.bend_m + _FAR_M
    return patch.length_m / 2.0 + more, patch.width_m / 2.0 + more


def inside_of(box: Box, patch: Patch) -> Singles:
    """Give every pixel's distance from the edge of a patch, metres, negative outside."""
    u, v = box.frame()
    half_u, half_v = patch.length_m / 2.0, patch.width_m / 2.0
    box_edge = np.minimum(np.float32(half_u) - np.abs(u), np.float32(half_v) - np.abs(v))
    inside = box_edge
    if patch.shape == "ellipse":
        # First-order distance to an ellipse: level over the length of its gradient.
        u *= np.float32(1.0 / half_u)
        v *= np.float32(1.0 / half_v)
        level = np.sqrt(u * u + v * v) + np.float32(1e-6)
        u *= np.float32(1.0 / half_u)
        v *= np.float32(1.0 / half_v)
        inside = level * (np.float32(1.0) - level) / (np.sqrt(u * u + v * v) + np.float32(1e-6))
        np.minimum(inside, np.float32(min(half_u, half_v)), out=inside)
        # Far from the tips of a long ellipse first order falls short; its box bounds it there.
        np.minimum(inside, box_edge, out=inside)
    if patch.bend_m > 0.0:
        wander = edge_wander(box.lattice, mix_seed(patch.seed, 101))
        np.clip(wander, -_WANDER, _WANDER, out=wander)
        wander *= np.float32(patch.bend_m)
        inside += wander
    return inside


def dress(box: Box, cover: Singles, look: Look, sun: Sun) -> None:
    """Put a look on the ground where `cover`, shape (rows, columns), says so.

    Whatever people lay, plough or dig is levelled: only its own bumps are left.
    """
    if look.rise is not None:
        box.lift(look.rise * cover)
    box.tint(cover, look.albedo)
    if look.water is not None:
        row = box.lattice.row - box.canvas.lattice.row
        column = box.lattice.column - box.canvas.lattice.column
        rows = slice(row, row + box.lattice.rows)
        columns = slice(column, column + box.lattice.columns)
        box.canvas.mirror[rows, columns] += look.water * cover
    turn_facing(box, np.float32(0.0) if look.tilt is None else look.tilt, cover, sun)
