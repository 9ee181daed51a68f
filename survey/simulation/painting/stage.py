"""The window in which one thing is painted, and the faces of which it is put together."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from survey.simulation.painting.canvas import Box, Surface, cover_edge
from survey.simulation.painting.grain import overlay
from survey.simulation.scene import Prop
from survey.simulation.sun import Sun

__all__ = ["Model", "Stage"]

Singles = npt.NDArray[np.float32]

_COVERED = np.float32(0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A window on one thing, in the thing's own frame."""

    box: Box
    """The window."""
    prop: Prop
    """The thing."""
    ground_m: float
    """Height of the ground at its centre, metres."""
    sun: Sun
    """Direction to the sun."""
    flight: int
    """Index of the flight."""
    u: Singles
    """Metres along it from its centre, shape (rows, columns)."""
    v: Singles
    """Metres to the right of its middle line, same shape."""

    @property
    def sun_ahead(self) -> tuple[float, float]:
        """Components of the direction to the sun along u and along v."""
        bearing = math.radians(self.prop.place.bearing_deg)
        sin, cos = math.sin(bearing), math.cos(bearing)
        return (
            self.sun.east * sin + self.sun.north * cos,
            self.sun.east * cos - self.sun.north * sin,
        )

    def inside(self) -> Singles:
        """Give the distance inside the thing's rectangle, metres, negative outside."""
        ahead = np.float32(self.prop.length_m / 2) - np.abs(self.u)
        aside = np.float32(self.prop.width_m / 2) - np.abs(self.v)
        return np.minimum(ahead, aside, out=ahead)

    def rounded(self, corner_m: float) -> Singles:
        """Give the cover of the thing's rectangle with round corners."""
        ahead = np.abs(self.u) - np.float32(self.prop.length_m / 2 - corner_m)
        aside = np.abs(self.v) - np.float32(self.prop.width_m / 2 - corner_m)
        np.maximum(ahead, np.float32(0.0), out=ahead)
        np.maximum(aside, np.float32(0.0), out=aside)
        past = np.sqrt(ahead * ahead + aside * aside)
        return cover_edge(np.float32(corner_m) - past, self.box.lattice.pixel_m)

    def block(
        self, middle_m: float, length_m: float, width_m: float, across_m: float = 0.0
    ) -> Singles:
        """Give the cover of a rectangle so many metres ahead of the centre and to its right."""
        ahead = np.float32(length_m / 2) - np.abs(self.u - np.float32(middle_m))
        aside = np.float32(width_m / 2) - np.abs(self.v - np.float32(across_m))
        return cover_edge(np.minimum(ahead, aside, out=ahead), self.box.lattice.pixel_m)


class Model:
    """Faces put one over the other and then laid on the canvas at once.

    Parameters
    ----------
    stage
        Where the thing stands.
    """

    def __init__(self, stage: Stage) -> None:
        shape = stage.u.shape
        self._stage = stage
        self._cover = np.zeros(shape, dtype=np.float32)
        self._height = np.zeros(shape, dtype=np.float32)
        self._facing = np.full(shape, stage.sun.up, dtype=np.float32)
        self._albedo = np.zeros((3, *shape), dtype=np.float32)

    def put(
        self, cover: Singles, height: Singles | float, albedo: Singles, climb: float = 0.0
    ) -> None:
        """Put a face over those before it.

        Parameters
        ----------
        cover
            Share of each pixel that it covers, shape (rows, columns).
        height
            Metres above the ground, one number or the same shape.
        albedo
            Reflectance, shape (3, rows, columns) or (3, 1, 1).
        climb
            Metres it climbs per metre along u.
        """
        # Under a first face there is nothing whose colour could show at its edge.
        share = np.where(self._cover > np.float32(0.0), cover, cover > np.float32(0.0))
        overlay(self._albedo, albedo, share.astype(np.float32))
        np.copyto(self._height, np.float32(height), where=cover >= _COVERED)
        if climb != 0.0:
            ahead, _ = self._stage.sun_ahead
            facing = max(self._stage.sun.up - climb * ahead, 0.0) / math.hypot(1.0, climb)
            np.copyto(self._facing, np.float32(facing), where=cover >= _COVERED)
        np.maximum(self._cover, cover, out=self._cover)

    def lay(self) -> None:
        """Lay all faces on the canvas."""
        top = self._height + np.float32(self._stage.ground_m)
        surface = Surface(albedo=self._albedo, facing=self._facing)
        self._stage.box.lay(self._cover, top, surface)
