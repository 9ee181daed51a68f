"""Inventory: the structures that stand in one flight, whoever permitted them.

With a surface model they are told by their height above the ground around; without one by what
their roofs look like in the picture, which is much less sure.
"""

import math
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from shapely import Polygon, STRtree
from shapely.geometry.base import BaseGeometry

from change.bare_ground import Ground, find_ground
from change.changes import Change, content_id
from change.evidence import HALO_M
from change.exclusion import Excluded, unjudged_cells
from change.local_roofs import LocalRoofs, learn_roofs, roofs_in
from change.outlines import joined_in_metres, mask_polygons, square
from change.raised import Part, View, find_raised, judge_raised
from change.roof_look import find_roofs, judge_roof
from change.sight import OpenSight, Sight
from survey.blocks import Progress, run_all
from survey.grid import Bounds, WorkingGrid
from survey.settings import DetectSettings, Settings
from survey.windows import Block, Window, cut_blocks
from survey.words import _

__all__ = ["NOT_SEEN", "Stock", "take_inventory"]

NOT_SEEN = ("not_seen", "no_heights")
"""Why ground was not judged: the flight does not show it, or its surface model has a hole there."""

# Side of a tile's core, pixels; what stands is looked at closely in batches of so many, square by
# square (m), so that what was decoded for one serves the next.
_CORE_PX, _BATCH, _SQUARE_M = 512, 16, 100.0
# Windows are read at most this large; beyond it they are measured at coarser pixels.
_LARGEST_WINDOW_PX = 1500
# A place is looked at closely from this share of the smallest area on: its walls may add the rest.
_LEAST_SHARE = 0.2
# How far a squared outline may move a vertex, pixels of the working grid.
_SQUARE_SLACK_PX = 3
# Excluded ground is drawn from this area on, m2.
_LEAST_EXCLUDED_M2 = 4.0
# A part is a room on the roof of another, or a step of it, where so much of its rim is shared with
# one at least twice as large.
_ENCLOSED, _SMALLER = 0.6, 0.5
# Two findings that share so much of the smaller one are one place.
_SAME_PLACE = 0.3
# Without heights outlines follow colours, shadows and eaves, and lean with the roofs, m.
_PICTURE_ERROR_M = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """Everything found standing in one flight."""

    structures: tuple[Change, ...]
    """What stands, from north to south, with origin ``stock``; ``height_gain_m`` is its height
    above the ground."""
    excluded: tuple[Excluded, ...]
    """Ground that was not judged; reasons are of ``NOT_SEEN``."""
    judged_m2: float
    """Ground that was judged, m2."""
    told_by: str
    """``heights``, ``picture`` (the detector taught by known roofs) or ``detector`` (it alone)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """What one worker takes: a block of tiles, or a batch of places."""

    sight: Sight
    settings: DetectSettings
    ground: Ground | None = None
    local: LocalRoofs | None = None
    block: Block | None = None
    places: tuple[Polygon, ...] = ()

    def view(self, opened: OpenSight, grid: WorkingGrid, window: Window) -> View:
        picture = opened.picture(window)
        above = np.full(picture.valid.shape, np.nan, np.float32)
        heights = opened.heights(window)
        if heights is not None and self.ground is not None:
            above = heights - self.ground.at(grid, window)
        return View(
            colour=picture.colour,
            valid=picture.valid,
            above=above,
            transform=grid.transform_of(window),
            roof=roofs_in(picture, grid.pixel_m),
        )

    def find(self, view: View) -> tuple[NDArray[np.bool_], ...]:
        if self.sight.dsm is None:
            return find_roofs(view, self.local)
        return (find_raised(view, self.settings),)

    def judge(self, view: View, place: Polygon) -> Part | None:
        if self.sight.dsm is None:
            return judge_roof(view, place, self.local)
        return judge_raised(view, place, self.settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What the tiles of one block show; polygons in whole pixels of the grid, (col, row)."""

    places: dict[int, list[Polygon]]
    """By the number of the mask they were drawn from."""
    excluded: dict[str, list[Polygon]]
    judged_px: int


def take_inventory(
    sight: Sight,
    settings: Settings,
    *,
    roofs: Sequence[Polygon] = (),
    within: BaseGeometry | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Stock:
    """Find what stands in one flight.

    Parameters
    ----------
    sight
        The flight, with its surface model where it has one.
    settings
        What counts as a structure, and how the work is cut up.
    roofs
        Outlines most of which are roofs, in the CRS of the grid, m; without heights they teach what
        roofs look like here.
    within
        Report only what touches this area.
    executor
        Where blocks run; None runs them here. The result is the same anywhere.
    progress
        Told after every block.

    Raises
    ------
    FlightError
        A file cannot be read to its end.
    """
    whole = _Task(sight=sight, settings=settings.detect)
    if sight.dsm is not None:
        whole = replace(whole, ground=find_ground(sight, executor=executor, progress=progress))
    else:
        whole = replace(whole, local=learn_roofs(sight, roofs))
    found = _find(whole, settings, executor, progress)
    places = _worth_a_look(_places(found, sight.grid), settings, within)
    parts = list(_judge(whole, places, executor, progress))
    kept = [
        part
        for part in _in_one(_each_place_once(parts))
        if part.outline.area >= settings.detect.min_area_m2
        and part.score >= settings.detect.min_score
    ]
    structures = [_structure(part, sight) for part in kept]
    structures.sort(key=lambda c: (-c.outline.bounds[3], c.outline.bounds[0], c.id))
    excluded, judged = _unjudged(found, sight.grid, within)
    return Stock(
        structures=tuple(structures), excluded=excluded, judged_m2=judged, told_by=_told_by(whole)
    )


def _told_by(task: _Task) -> str:
    if task.sight.dsm is not None:
        return "heights"
    return "detector" if task.local is None else "picture"


def _find(
    whole: _Task, settings: Settings, executor: Executor | None, progress: Progress | None
) -> list[_Found]:
    """Draw what may stand in every tile of the grid."""
    grid = whole.sight.grid
    blocks = cut_blocks(
        height=grid.height,
        width=grid.width,
        core=_CORE_PX,
        halo=math.ceil(HALO_M / grid.pixel_m),
        per_side=max(1, round(settings.blocks.side_m / (_CORE_PX * grid.pixel_m))),
    )
    tasks = [_near(replace(whole, block=block), _bounds(block, grid)) for block in blocks]
    done = run_all(
        _find_in_block, tasks, executor=executor, stage=_("taking stock"), progress=progress
    )
    return list(done)


def _bounds(block: Block, grid: WorkingGrid) -> Bounds:
    bounds = grid.window_bounds(block.tiles[0].seen)
    for tile in block.tiles[1:]:
        bounds = bounds.union(grid.window_bounds(tile.seen))
    return bounds


def _near(task: _Task, bounds: Bounds) -> _Task:
    """Return a task with no more of the ground than it needs."""
    return task if task.ground is None else replace(task, ground=task.ground.around(bounds))


def _find_in_block(task: _Task) -> _Found:
    assert task.block is not None
    grid, places, judged = task.sight.grid, dict[int, list[Polygon]](), 0
    excluded: dict[str, list[Polygon]] = {reason: [] for reason in NOT_SEEN}
    with task.sight.open() as opened:
        for tile in task.block.tiles:
            view = task.view(opened, grid, tile.seen)
            core = tile.core.slices_in(tile.seen)
            corner = Affine.translation(tile.core.col, tile.core.row)
            for number, mask in enumerate(task.find(view)):
                places.setdefault(number, []).extend(mask_polygons(mask[core], corner))
            seen = view.valid[core]
            known = seen if task.ground is None else seen & np.isfinite(view.above[core])
            judged += int(known.sum())
            for reason, mask in (("not_seen", ~seen), ("no_heights", seen & ~known)):
                excluded[reason].extend(unjudged_cells(mask, corner, grid.pixel_m))
    return _Found(places=places, excluded=excluded, judged_px=judged)


def _places(found: Sequence[_Found], grid: WorkingGrid) -> list[Polygon]:
    """Join what tiles cut, mask by mask."""
    masks = sorted({number for part in found for number in part.places})
    return [
        place
        for number in masks
        for place in joined_in_metres(
            [p for part in found for p in part.places.get(number, [])], grid.transform
        )
    ]


def _worth_a_look(
    places: Sequence[Polygon], settings: Settings, within: BaseGeometry | None
) -> list[Polygon]:
    least = _LEAST_SHARE * settings.detect.min_area_m2
    some = [
        place
        for place in places
        if place.area >= least and (within is None or place.intersects(within))
    ]
    return sorted(some, key=lambda p: (*_square_of(p), -p.bounds[3], p.bounds[0], p.area))


def _square_of(place: Polygon) -> tuple[int, int]:
    left, _bottom, _right, top = place.bounds
    return -math.floor(top / _SQUARE_M), math.floor(left / _SQUARE_M)


def _judge(
    whole: _Task,
    places: Sequence[Polygon],
    executor: Executor | None,
    progress: Progress | None,
) -> Iterable[Part]:
    """Look at every place closely."""
    tasks = []
    for first in range(0, len(places), _BATCH):
        batch = tuple(places[first : first + _BATCH])
        around = _around(shapely.union_all(batch))
        tasks.append(_near(replace(whole, places=batch), around))
    done = run_all(_judge_batch, tasks, executor=executor, stage=_("measuring"), progress=progress)
    return (part for batch in done for part in batch)


def _around(place: BaseGeometry) -> Bounds:
    left, bottom, right, top = place.bounds
    return Bounds(left=left, bottom=bottom, right=right, top=top).buffered(HALO_M)


def _judge_batch(task: _Task) -> list[Part]:
    with task.sight.open() as opened:
        parts = [_judge_one(task, place, opened) for place in task.places]
    return [part for part in parts if part is not None]


def _judge_one(task: _Task, place: Polygon, opened: OpenSight) -> Part | None:
    grid, around = task.sight.grid, _around(place)
    window = grid.window_of(around)
    factor = -(-max(window.height, window.width) // _LARGEST_WINDOW_PX)
    if factor == 1:
        return task.judge(task.view(opened, grid, window), place)
    coarse = task.sight.at_pixel(factor * grid.pixel_m)
    with coarse.open() as again:
        window = coarse.grid.window_of(around)
        return task.judge(task.view(again, coarse.grid, window), place)


def _each_place_once(parts: Iterable[Part]) -> list[Part]:
    """Keep, where two parts share a good part of a place, the likelier one."""
    ranked = sorted(parts, key=lambda p: (-p.score, -p.outline.area, p.outline.bounds))
    tree = STRtree([part.outline for part in ranked])
    kept: set[int] = set()
    for index, part in enumerate(ranked):
        rivals = kept.intersection(tree.query(part.outline).tolist())
        shared = (part.outline.intersection(ranked[i].outline).area for i in rivals)
        least = (min(part.outline.area, ranked[i].outline.area) for i in rivals)
        if not any(s > _SAME_PLACE * a for s, a in zip(shared, least, strict=True)):
            kept.add(index)
    return [ranked[index] for index in sorted(kept)]


def _in_one(parts: Sequence[Part]) -> list[Part]:
    """Give rooms on a roof to the house that they stand on."""
    tree = STRtree([part.outline for part in parts])
    owner = {
        index: host
        for index, part in enumerate(parts)
        if (host := _host(part, parts, tree.query(part.outline).tolist())) is not None
    }
    hosted: dict[int, list[Part]] = {}
    for index in owner:
        host = index
        while host in owner:  # hosts are larger than what they hold: this ends
            host = owner[host]
        hosted.setdefault(host, []).append(parts[index])
    return [
        _with_rooms(part, hosted.get(index, []))
        for index, part in enumerate(parts)
        if index not in owner
    ]


def _host(part: Part, parts: Sequence[Part], near: Sequence[int]) -> int | None:
    rim = part.outline.exterior
    shares = [
        (rim.intersection(parts[i].outline).length / rim.length, i)
        for i in near
        if part.outline.area < _SMALLER * parts[i].outline.area
    ]
    best = max(shares, default=(0.0, -1))
    return best[1] if best[0] >= _ENCLOSED else None


def _with_rooms(part: Part, rooms: Sequence[Part]) -> Part:
    joined = shapely.union_all([part.outline, *(room.outline for room in rooms)])
    if not rooms or not isinstance(joined, Polygon):
        return part
    return replace(part, outline=shapely.simplify(joined, 0.0))


def _structure(part: Part, sight: Sight) -> Change:
    outline = square(part.outline, slack_m=_SQUARE_SLACK_PX * sight.grid.pixel_m)
    height = part.height_m
    error = _PICTURE_ERROR_M if sight.dsm is None else sight.dsm.pixel_m
    return Change(
        id=content_id(part.kind, "stock", outline),
        outline=outline,
        area_m2=round(outline.area, 2),
        area_raw_m2=round(part.outline.area, 2),
        kind=part.kind,
        origin="stock",
        height_gain_m=None if height is None else round(height, 2),
        score=round(part.score, 3),
        tolerance_m=round(max(error, sight.grid.pixel_m), 3),
        evidence=part.evidence,
    )


def _unjudged(
    found: Sequence[_Found], grid: WorkingGrid, within: BaseGeometry | None
) -> tuple[tuple[Excluded, ...], float]:
    """Return the ground that was not judged, and how much was, m2."""
    excluded: list[Excluded] = []
    for reason in NOT_SEEN:
        parts = joined_in_metres([p for f in found for p in f.excluded[reason]], grid.transform)
        if within is not None:
            cut = shapely.intersection(np.asarray(parts, object), within)
            parts = [p for p in shapely.get_parts(cut) if isinstance(p, Polygon)]
        excluded.extend(
            Excluded(outline=p, reason=reason) for p in parts if p.area >= _LEAST_EXCLUDED_M2
        )
    judged = sum(part.judged_px for part in found) * grid.pixel_m**2
    if within is not None:
        bounds = grid.bounds
        ground = shapely.box(bounds.left, bounds.bottom, bounds.right, bounds.top)
        missing = sum(item.outline.area for item in excluded)
        judged = max(0.0, float(ground.intersection(within).area) - missing)
    return tuple(excluded), judged
