"""A real orthophoto turned back: chosen buildings are not there yet, all else is.

The later picture is the real one; the earlier one is made from it::

    picture, outlines --choose--> building --cover--> hole --fill--> ground of the earlier date
                                     |
                                     +----place_decoy--> as large a hole elsewhere, filled in the
                                                         earlier or in the later picture

A building is only taken away where ground lies around it, fits in its place, and leaves room for
its decoy; why others were left is counted. Everything here works on one window of the picture;
positions are (col, row) of pixel corners in the whole file.
"""

import math
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from shapely import Polygon, STRtree, affinity

from survey.simulation.turning.changes import Change, Date, Left, Patch, Turning, View, burn
from survey.simulation.turning.decoys import place_decoy
from survey.simulation.turning.filling import Ground, fill
from survey.simulation.turning.footprints import (
    Footprint,
    Surroundings,
    cover,
    lit_ground,
    skirt_of,
)
from survey.simulation.turning.masks import Mask, grow, luminance
from survey.simulation.turning.salience import (
    plain_ground,
    roughness,
    salience,
    shows_object,
    things,
)
from survey.simulation.turning.shading import relative_light
from survey.windows import Window

__all__ = ["Turned", "turn_back"]

# Ring around an outline, m, of which a share must be free of other buildings.
_RIM_M = 1.2
# Changed places keep this far apart, m, so that none meets another's filling.
_APART_M = 1.0
# Share of an outline under another one, above which the two are the same building twice.
_DOUBLE = 0.05
# Decoys keep that far off buildings where they can, m: margin, skirt and distance of a filling.
_BESIDE_M = 3.5
# Where two kinds of ground meet, colours differ over that many times the size of a thing, by less.
# (The picture is taken to be finer than it is.)
_WIDER, _BORDER = 0.4, 0.8
# Fillings that are tried where one shows something that is no ground.
_TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """What was changed in a window, and why the rest was not."""

    changes: tuple[Change, ...]
    """A building, its decoy, the next building, its decoy, and so on."""
    wanted: int
    """Buildings that were to go."""
    left: Counter[Left]
    """Of the other buildings that were looked at, how many stay for which reason."""


def turn_back(
    view: View, turning: Turning, rng: np.random.Generator, *, taken: Mask, first: Date = "before"
) -> Turned:
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
    Turned
        What was changed, and why the rest was not.
    """
    mine = [n for n, outline in enumerate(view.outlines) if _inside(outline, view.core)]
    wanted = int(turning.share * len(mine) + rng.random())
    changes, left = list[Change](), Counter[Left]()
    if not wanted:
        return Turned(changes=(), wanted=0, left=left)
    land = _survey(view, taken.copy())
    dates: tuple[Date, Date] = ("before", "after") if first == "before" else ("after", "before")
    for number in rng.permutation(np.array(mine, dtype=np.int64)).tolist():
        if len(changes) >= 2 * wanted:
            break
        pair = _exchange(land, number, turning, rng)
        if isinstance(pair, str):
            left[pair] += 1
            continue
        gone, decoy = pair
        changes += [gone, replace(decoy, date=dates[len(changes) // 2 % 2])]
        for change in (gone, decoy):
            land.taken[change.patch.window.slices_in(view.window)] |= change.patch.mask
    return Turned(changes=tuple(changes), wanted=wanted, left=left)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Land:
    """What is where in a view."""

    view: View
    """The view."""
    around: Surroundings
    """Brightness, buildings and shadows of the whole view."""
    tree: STRtree
    """Finds the view's outlines by place."""
    lit: Mask
    """(row, col); True where there is lit ground."""
    ground: Ground
    """The part of it on which nothing stands, and what it must fit."""
    open: Mask
    """(row, col); True for the part of it that is no wall, kerb or vehicle."""
    beside: Mask
    """(row, col); True near buildings, where their own fillings would lie."""
    borders: Mask
    """(row, col); True where one kind of ground meets another."""
    limit: float
    """From which salience on something stands out."""
    taken: Mask
    """(row, col); True where something has been changed; grows."""


def _survey(view: View, taken: Mask) -> _Land:
    buildings = burn(view.outlines, view.window)
    grey, valid = luminance(view.picture.colour), view.picture.valid
    open_ground = valid & ~grow(buildings, _RIM_M / view.pixel_m)
    around = Surroundings(
        grey=grey,
        light=relative_light(grey, open_ground, view.pixel_m),
        valid=valid,
        buildings=buildings,
        pixel_m=view.pixel_m,
        shadow=view.shadow,
    )
    lit = lit_ground(around)
    odd = salience(view.picture.colour, valid, view.pixel_m)
    rough = roughness(view.picture.colour.astype(np.float32), valid, view.pixel_m)
    plain, limit = plain_ground(odd, rough, lit, view.pixel_m)
    ground = Ground(free=lit & plain, rim=lit, odd=odd, pixel_m=view.pixel_m)
    return _Land(
        view=view,
        around=around,
        tree=STRtree(view.outlines),
        lit=lit,
        ground=ground,
        open=lit & ~grow(things(odd, limit, view.pixel_m), 0.3 / view.pixel_m),
        beside=grow(buildings, _BESIDE_M / view.pixel_m),
        borders=salience(view.picture.colour, valid, _WIDER * view.pixel_m) > _BORDER * limit,
        limit=limit,
        taken=taken,
    )


def _inside(outline: Polygon, core: Window) -> bool:
    point = outline.representative_point()
    col, row = point.x - core.col, point.y - core.row
    return bool(0 <= col < core.width and 0 <= row < core.height)


def _near(land: _Land, outline: Polygon, reach_m: float) -> Window | None:
    """Return the part of the view within a distance of an outline."""
    reach = reach_m / land.view.pixel_m
    left, top, right, bottom = outline.bounds
    view = land.view.window
    row, col = math.floor(top - reach) - view.row, math.floor(left - reach) - view.col
    inside = Window(
        row=row,
        col=col,
        height=math.ceil(bottom + reach) - view.row - row,
        width=math.ceil(right + reach) - view.col - col,
    ).clipped(height=view.height, width=view.width)
    if inside is None:
        return None
    return replace(inside, row=inside.row + view.row, col=inside.col + view.col)


def _unfit(land: _Land, number: int, turning: Turning) -> Left | None:
    """Say why a building cannot go, from its outline and its neighbours' alone."""
    outline, pixel_m = land.view.outlines[number], land.view.pixel_m
    area = outline.area * pixel_m**2
    if area < turning.least_m2:
        return "too_small"
    if area > turning.most_m2:
        return "too_large"
    near = _near(land, outline, 2.0 * _RIM_M)
    left, top, right, bottom = outline.bounds
    view, edge = land.view.window, _RIM_M / pixel_m
    inside = view.col <= left - edge and right + edge <= view.col + view.width
    inside &= view.row <= top - edge and bottom + edge <= view.row + view.height
    if near is None or not inside:
        return "at_the_edge"
    if _is_double(land, number):
        return "outlined_twice"
    cut = near.slices_in(view)
    own, others = _own_and_others(land, number, near)
    rim = grow(own, edge) & ~own
    if not land.around.valid[cut][own | rim].all():
        return "at_the_edge"
    if not own.any():
        return "too_small"
    free_share = 1.0 - float(others[rim].mean()) if rim.any() else 0.0
    return "neighbour_too_near" if free_share < turning.free_rim else None


def _is_double(land: _Land, number: int) -> bool:
    """Whether a building is outlined twice."""
    outlines = land.view.outlines
    outline, met = outlines[number], 0.0
    for n in land.tree.query(outline, predicate="intersects").tolist():
        if n != number:
            met += outlines[n].intersection(outline).area
        if met > _DOUBLE * outline.area:
            return True
    return False


def _own_and_others(land: _Land, number: int, window: Window) -> tuple[Mask, Mask]:
    """Return where a building is outlined, and where any other one is."""
    outlines = land.view.outlines
    frame = Polygon.from_bounds(
        window.col, window.row, window.col + window.width, window.row + window.height
    )
    found = land.tree.query(frame, predicate="intersects").tolist()
    others = burn([outlines[n] for n in sorted(found) if n != number], window)
    return burn([outlines[number]], window), others


def _exchange(
    land: _Land, number: int, turning: Turning, rng: np.random.Generator
) -> tuple[Change, Change] | Left:
    """Fill the place of a building and a decoy for it, or say why that cannot be."""
    found = _footprint(land, number, turning)
    if isinstance(found, str):
        return found
    near, footprint = found
    # Room is found faster than ground: first of all there must be a place for the decoy.
    spots = [_spot(land, number, found, rng)]
    if spots[0] is None:
        return "no_room_for_decoy"
    patch = _filled(land, near, footprint, rng)
    if patch is None:
        return "no_ground"
    outline = land.view.outlines[number]
    gone = Change(building=number, date="before", decoy=False, outline=outline, patch=patch)
    for _try in range(_TRIES):
        spot = spots.pop() if spots else _spot(land, number, found, rng)
        decoy = None if spot is None else _imitate(land, number, spot, turning, rng)
        if decoy is not None:
            return gone, decoy
    return "no_room_for_decoy"


def _footprint(land: _Land, number: int, turning: Turning) -> tuple[Window, Footprint] | Left:
    """Return what a building covers that stands free, and the window around it."""
    unfit = _unfit(land, number, turning)
    near = _near(land, land.view.outlines[number], turning.reach_m)
    if unfit is not None or near is None:
        return unfit or "at_the_edge"
    cut = near.slices_in(land.view.window)
    own, others = _own_and_others(land, number, near)
    footprint = cover(own & ~others, others, land.lit[cut], land.around.cut(*cut))
    if footprint is None:
        return "endless_shadow"
    if _meets_another(land, near, footprint.hole):
        return "another_change_near"
    return near, footprint


def _spot(
    land: _Land, number: int, found: tuple[Window, Footprint], rng: np.random.Generator
) -> tuple[Mask, Mask, Polygon] | None:
    """Return ground for a decoy, all free ground, (row, col) of the view, and its outline."""
    near, footprint = found
    pixel_m, view = land.view.pixel_m, land.view.window
    barred = land.taken.copy()
    barred[near.slices_in(view)] |= footprint.hole
    free = land.open & ~grow(barred, _APART_M / pixel_m)
    shape = affinity.translate(land.view.outlines[number], -near.col, -near.row)
    # Rather on one kind of ground, and where it leaves the buildings around it their chance.
    for better in (~land.beside & ~land.borders, ~land.beside, ~land.borders, True):
        placed = place_decoy(footprint.core, shape, free & better, rng, pixel_m=pixel_m)
        if placed is not None:
            return placed[0], free, affinity.translate(placed[1], view.col, view.row)
    return None


def _imitate(
    land: _Land,
    number: int,
    spot: tuple[Mask, Mask, Polygon],
    turning: Turning,
    rng: np.random.Generator,
) -> Change | None:
    """Fill a patch of a building's shape on free ground."""
    mask, free, outline = spot
    near = _near(land, outline, turning.reach_m)
    if near is None:
        return None
    cut = near.slices_in(land.view.window)
    core = mask[cut]
    footprint = Footprint(core=core, skirt=skirt_of(core, free[cut], land.view.pixel_m))
    if not core.any() or _meets_another(land, near, footprint.hole):
        return None
    patch = _filled(land, near, footprint, rng)
    if patch is None:
        return None
    return Change(building=number, date="before", decoy=True, outline=outline, patch=patch)


def _meets_another(land: _Land, near: Window, hole: Mask) -> bool:
    taken = land.taken[near.slices_in(land.view.window)]
    return bool((grow(hole, _APART_M / land.view.pixel_m) & taken).any())


def _filled(
    land: _Land, near: Window, footprint: Footprint, rng: np.random.Generator
) -> Patch | None:
    """Fill a footprint; None where no ground fits, or only with something that is no ground."""
    cut = near.slices_in(land.view.window)
    hole, pixel_m = footprint.hole, land.view.pixel_m
    colour, valid = land.view.picture.colour[:, *cut], land.around.valid[cut]
    for _try in range(_TRIES):
        filled = fill(colour, hole, land.ground.cut(*cut), rng, skirt=footprint.skirt)
        if filled is None:
            return None
        seen = salience(filled, valid, pixel_m)
        if not shows_object(seen, footprint.core, land.limit, pixel_m):
            return _patch(near, footprint, filled)
    return None


def _patch(near: Window, footprint: Footprint, filled: npt.NDArray[np.uint8]) -> Patch:
    """Cut out what is new."""
    hole = footprint.hole
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
