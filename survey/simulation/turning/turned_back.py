"""A real orthophoto turned back: chosen buildings are not there yet, all else is.

The later picture is the real one; the earlier one is made from it::

    picture, outlines --choose--> building --cover--> hole --fill--> ground of the earlier date
                                     |
                                     +----place_decoy--> as large a hole elsewhere, filled in the
                                                         earlier or in the later picture

A building is only taken away where ground lies around it, fits in its place, and leaves room for
its decoy. Everything here works on one window of the picture; positions are (col, row) of pixel
corners in the whole file.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

import numpy as np
import numpy.typing as npt
from rasterio.enums import MergeAlg
from rasterio.features import rasterize
from rasterio.transform import Affine
from shapely import Polygon, affinity

from survey.reading import Picture
from survey.simulation.flights import Displacement, Wave
from survey.simulation.turning.decoys import place_decoy
from survey.simulation.turning.filling import fill
from survey.simulation.turning.footprints import (
    Footprint,
    Shadow,
    Surroundings,
    copyable,
    cover,
    dark_limit,
    grow,
    luminance,
    skirt_of,
)
from survey.windows import Window

__all__ = ["Change", "Patch", "Turning", "View", "burn", "draw_displacement", "turn_back"]

Mask = npt.NDArray[np.bool_]
Date = Literal["before", "after"]

# Ring around an outline, m, of which a share must be free of other buildings.
_RIM_M = 1.2
# Changed places keep this far apart, m, so that none meets another's filling.
_APART_M = 1.0
# Share of an outline under another one, above which the two are the same building twice.
_DOUBLE = 0.05


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


def draw_displacement(
    rng: np.random.Generator, *, centre_x: float, centre_y: float, most_shift_m: float
) -> Displacement:
    """Draw how far the earlier flight lies off: up to some metres, turned, stretched and warped.

    Parameters
    ----------
    rng
        Draws it.
    centre_x, centre_y
        Middle of the picture, m.
    most_shift_m
        Largest offset, m.
    """
    size, bearing = rng.uniform(0.0, most_shift_m), rng.uniform(0.0, 2.0 * np.pi)
    waves = tuple(
        Wave(
            east_m=float(rng.uniform(-0.2, 0.2)),
            north_m=float(rng.uniform(-0.2, 0.2)),
            length_m=float(rng.uniform(80.0, 160.0)),
            bearing_deg=float(rng.uniform(0.0, 360.0)),
            phase_deg=float(rng.uniform(0.0, 360.0)),
        )
        for _ in range(3)
    )
    return Displacement(
        east_m=float(size * np.sin(bearing)),
        north_m=float(size * np.cos(bearing)),
        rotation_deg=float(rng.uniform(-0.08, 0.08)),
        scale_ppm=float(rng.uniform(-400.0, 400.0)),
        centre_x=centre_x,
        centre_y=centre_y,
        waves=waves,
    )


def burn(outlines: Sequence[Polygon], window: Window) -> npt.NDArray[np.uint8]:
    """Count the outlines (as (col, row) of the file) over every pixel of a window."""
    shape = (window.height, window.width)
    if not outlines:
        return np.zeros(shape, np.uint8)
    counted = rasterize(
        outlines,
        out_shape=shape,
        transform=Affine.translation(window.col, window.row),
        merge_alg=MergeAlg.add,
        dtype="uint8",
    )
    return np.asarray(counted, dtype=np.uint8)


def turn_back(
    view: View, turning: Turning, rng: np.random.Generator, *, taken: Mask, first: Date = "before"
) -> list[Change]:
    """Take some buildings out of the earlier picture, and fill a decoy for each.

    Parameters
    ----------
    view
        The window.
    turning
        How much to change.
    rng
        Chooses buildings, ground and decoys.
    taken
        (row, col); True where neighbouring windows have changed something already.
    first
        The picture in which the first decoy is filled; they take turns.

    Returns
    -------
    list of Change
        A building, its decoy, the next building, its decoy, and so on.
    """
    land = _survey(view, taken.copy())
    mine = [n for n, outline in enumerate(view.outlines) if _inside(outline, view.core)]
    wanted = int(turning.share * len(mine) + rng.random())
    dates: tuple[Date, Date] = ("before", "after") if first == "before" else ("after", "before")
    changes: list[Change] = []
    for number in rng.permutation(np.array(mine, dtype=np.int64)).tolist():
        if len(changes) >= 2 * wanted:
            break
        gone = _take_away(land, number, turning, rng)
        decoy = None if gone is None else _imitate(land, gone, turning, rng)
        if gone is None or decoy is None:
            continue
        changes += [gone, replace(decoy, date=dates[len(changes) // 2 % 2])]
        for change in (gone, decoy):
            land.taken[change.patch.window.slices_in(view.window)] |= change.patch.mask
    return changes


@dataclass(frozen=True, slots=True)
class _Land:
    """What is where in a view."""

    view: View
    """The view."""
    around: Surroundings
    """Brightness, buildings and shadows of the whole view."""
    counts: npt.NDArray[np.uint8]
    """(row, col), number of outlines over a pixel."""
    ground: Mask
    """(row, col); True where there is ground that may be copied."""
    taken: Mask
    """(row, col); True where something has been changed; grows."""


def _survey(view: View, taken: Mask) -> _Land:
    counts = burn(view.outlines, view.window)
    grey, valid = luminance(view.picture.colour), view.picture.valid
    around = Surroundings(
        grey=grey,
        valid=valid,
        buildings=counts > 0,
        pixel_m=view.pixel_m,
        shadow=view.shadow,
        dark=dark_limit(grey, valid & (counts == 0)),
    )
    return _Land(view, around, counts, copyable(around), taken)


def _inside(outline: Polygon, core: Window) -> bool:
    point = outline.representative_point()
    col, row = point.x - core.col, point.y - core.row
    return bool(0 <= col < core.width and 0 <= row < core.height)


def _near(land: _Land, outline: Polygon, turning: Turning) -> Window | None:
    """Return the part of the view in which ground for an outline is looked for."""
    reach = turning.reach_m / land.view.pixel_m
    left, top, right, bottom = outline.buffer(reach).bounds
    view = land.view.window
    inside = Window(
        row=math.floor(top) - view.row,
        col=math.floor(left) - view.col,
        height=math.ceil(bottom) - math.floor(top),
        width=math.ceil(right) - math.floor(left),
    ).clipped(height=view.height, width=view.width)
    if inside is None:
        return None
    return replace(inside, row=inside.row + view.row, col=inside.col + view.col)


def _take_away(
    land: _Land, number: int, turning: Turning, rng: np.random.Generator
) -> Change | None:
    """Fill the place of a building, where it stands free and ground is near."""
    outline, pixel_m = land.view.outlines[number], land.view.pixel_m
    near = _near(land, outline, turning)
    if near is None or not turning.least_m2 <= outline.area * pixel_m**2 <= turning.most_m2:
        return None
    cut = near.slices_in(land.view.window)
    own = burn([outline], near) > 0
    others = land.counts[cut] > own
    rim = grow(own, _RIM_M / pixel_m) & ~own
    free_share = 1.0 - float(others[rim].mean()) if rim.any() else 0.0
    if free_share < turning.free_rim or (others & own).sum() > _DOUBLE * own.sum():
        return None
    around = land.around.cut(*cut)
    if not around.valid[grow(own, _RIM_M / pixel_m)].all():
        return None
    footprint = cover(own & ~others, others, land.ground[cut], around)
    patch = _filled(land, near, footprint, rng)
    if patch is None:
        return None
    return Change(building=number, date="before", decoy=False, outline=outline, patch=patch)


def _imitate(
    land: _Land, gone: Change, turning: Turning, rng: np.random.Generator
) -> Change | None:
    """Fill a patch of a building's shape on free ground."""
    pixel_m, view = land.view.pixel_m, land.view.window
    apart = _APART_M / pixel_m
    barred = land.taken.copy()
    barred[gone.patch.window.slices_in(view)] |= gone.patch.mask
    free = land.ground & ~grow(barred, apart)
    shape = affinity.translate(gone.outline, -gone.patch.window.col, -gone.patch.window.row)
    placed = place_decoy(gone.patch.core, shape, free, rng, pixel_m=pixel_m)
    if placed is None:
        return None
    outline = affinity.translate(placed[1], view.col, view.row)
    near = _near(land, outline, turning)
    if near is None:
        return None
    cut = near.slices_in(view)
    core = placed[0][cut]
    footprint = Footprint(core=core, skirt=skirt_of(core, free[cut], pixel_m))
    patch = _filled(land, near, footprint, rng)
    if patch is None:
        return None
    return Change(building=gone.building, date="before", decoy=True, outline=outline, patch=patch)


def _filled(
    land: _Land, near: Window, footprint: Footprint, rng: np.random.Generator
) -> Patch | None:
    """Fill a footprint; None where it meets another change, or no ground fits."""
    cut = near.slices_in(land.view.window)
    hole = footprint.hole
    if not hole.any() or (grow(hole, _APART_M / land.view.pixel_m) & land.taken[cut]).any():
        return None
    colour = land.view.picture.colour[:, *cut]
    filled = fill(colour, hole, land.ground[cut], rng, skirt=footprint.skirt)
    if filled is None:
        return None
    rows, cols = (np.flatnonzero(hole.any(axis=axis)) for axis in (1, 0))
    inner = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(cols[0]), int(cols[-1]) + 1)
    return Patch(
        window=Window(
            row=near.row + inner[0].start,
            col=near.col + inner[1].start,
            height=inner[0].stop - inner[0].start,
            width=inner[1].stop - inner[1].start,
        ),
        core=footprint.core[inner],
        mask=hole[inner],
        colour=filled[:, *inner],
    )
