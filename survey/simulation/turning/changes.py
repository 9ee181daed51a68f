"""The words in which a real orthophoto is turned back: what is asked for, seen and changed.

Positions are (col, row) of pixel corners in the whole file.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
from rasterio.features import rasterize
from rasterio.transform import Affine
from shapely import Polygon

from survey.reading import Picture
from survey.simulation.turning.masks import Mask
from survey.simulation.turning.shading import Shadow
from survey.windows import Window

__all__ = ["LEFT", "Change", "Date", "Left", "Patch", "Turning", "View", "burn"]

Date = Literal["before", "after"]
Left: TypeAlias = Literal[
    "too_small",
    "too_large",
    "at_the_edge",
    "outlined_twice",
    "neighbour_too_near",
    "endless_shadow",
    "no_ground",
    "another_change_near",
    "no_room_for_decoy",
]
"""Why a building that was looked at stands in both pictures."""

LEFT: tuple[Left, ...] = get_args(Left)
"""All of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turning:
    """How much of a picture is turned back, and how far the earlier flight lies off."""

    share: float = 0.3
    """Share of the buildings that are wanted gone, 0 to 1; room and ground decide how many go."""
    least_m2: float = 12.0
    """Smallest building to take away, m2."""
    most_m2: float = 1500.0
    """Largest building to take away, m2."""
    free_rim: float = 0.5
    """Share of a building's rim that must not touch others: a terrace is not taken apart."""
    reach_m: float = 45.0
    """How far around a hole ground is looked for, m."""
    most_shift_m: float = 10.0
    """Largest offset of the earlier flight, m."""
    flown_on: date | None = None
    """Day of the earlier flight."""

    def __post_init__(self) -> None:
        sizes = 0 < self.least_m2 < self.most_m2 and self.reach_m > 0 and self.most_shift_m >= 0
        if not (0 <= self.share <= 1 and 0 <= self.free_rim <= 1 and sizes):
            raise ValueError(f"not a way to turn a picture back: {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A window of the picture with the buildings in it."""

    picture: Picture
    """Colours and where they are valid."""
    window: Window
    """Where the pixels lie in the file; may overhang it, not valid there."""
    core: Window
    """Whose buildings are chosen among: those whose inner point lies there."""
    outlines: Sequence[Polygon]
    """All outlines that meet the window, as (col, row) of the file."""
    pixel_m: float
    """Pixel on the ground, m."""
    shadow: Shadow
    """Where the shadows of the whole picture fall."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """New pixels for a place of the picture."""

    window: Window
    """Where they lie in the file."""
    core: Mask
    """(row, col); True where all had to be replaced."""
    mask: Mask
    """(row, col); True where pixels are new: the core and the ground around it."""
    colour: npt.NDArray[np.uint8]
    """(3, row, col); the pixels."""

    def lay(self, colour: npt.NDArray[np.uint8], window: Window) -> None:
        """Put the new pixels into a window of the picture, in place."""
        shared = replace(
            self.window, row=self.window.row - window.row, col=self.window.col - window.col
        ).clipped(height=window.height, width=window.width)
        if shared is None:
            return
        place = replace(shared, row=shared.row + window.row, col=shared.col + window.col)
        here, there = place.slices_in(self.window), place.slices_in(window)
        np.copyto(colour[:, *there], self.colour[:, *here], where=self.mask[here])


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One place that was filled."""

    building: int
    """Place in ``View.outlines`` of the building that is gone, or whose shape a decoy has."""
    date: Date
    """The picture in which the place is filled."""
    decoy: bool
    """True where no building stood."""
    outline: Polygon
    """What stands there in the later picture, or would, as (col, row) of the file."""
    patch: Patch
    """The new pixels."""


def burn(outlines: Sequence[Polygon], window: Window) -> Mask:
    """Return where outlines (as (col, row) of the file) cover a window."""
    shape = (window.height, window.width)
    if not outlines:
        return np.zeros(shape, bool)
    covered = rasterize(
        outlines,
        out_shape=shape,
        transform=Affine.translation(window.col, window.row),
        dtype="uint8",
    )
    return np.asarray(covered > 0)
