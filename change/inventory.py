"""Inventory: the structures that stand in one flight, whoever permitted them.

With a surface model they are told by their height above the ground around; without one by what
their roofs look like in the picture, which is much less sure.
"""

import math
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from change.bare_ground import Ground, find_ground
from change.changes import Change, content_id
from change.evidence import HALO_M
from change.exclusion import Excluded, unjudged_cells
from change.local_roofs import LocalRoofs, learn_roofs, likely_roofs, roofs_in
from change.map_file import MapFile, create_map_file
from change.model.detector import shipped_detector
from change.outlines import joined_in_metres, mask_polygons, square
from change.raised import Part, View, find_raised, judge_raised
from change.raised_parts import in_one, likeliest
from change.roof_look import find_roofs, judge_roof
from change.shadows import NO_SUMS, Shadows, fallen, shadow_sums
from change.sight import OpenSight, Sight
from survey.blocks import Progress, run_all
from survey.grid import Bounds, WorkingGrid
from survey.light import to_lab
from survey.settings import DetectSettings, Settings
from survey.windows import Block, Tile, Window, cut_blocks
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
# What the detector's map is kept under.
_MAP = "roof_before"
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
    taught_by: int = 0
    """Known roofs that taught what roofs look like here; 0 where none did."""
    shadows: Shadows | None = None
    """How shadows fall; None where roofs do not tell, or heights told all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """What one worker takes: a block of tiles, or a batch of places."""

    sight: Sight
    settings: DetectSettings
    ground: Ground | None = None
    local: LocalRoofs | None = None
    maps: MapFile | None = None
    block: Block | None = None
    places: tuple[Polygon, ...] = ()
    shadows: Shadows | None = None

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
        )

    def find(self, tile: Tile, view: View) -> "_Seen":
        """Return what may stand in a tile; what the picture says of it is kept."""
        if self.maps is None:
            return _Seen(masks=(find_raised(view, self.settings),))
        roof = roofs_in(view.colour, view.valid, view.pixel_m)
        if self.local is not None:
            roof = likely_roofs(self.local, to_lab(view.colour), roof, view.pixel_m)
        roof = np.where(view.valid, roof, np.float32(0))
        core = tile.core.slices_in(tile.seen)
        self.maps.write(tile.core, {_MAP: roof[core]})
        return _Seen(
            masks=find_roofs(replace(view, roof=roof)),
            shadows=shadow_sums(roof, view.colour, view.valid, core, view.pixel_m),
        )

    def judge(self, view: View, place: Polygon) -> Part | None:
        if self.maps is None:
            return judge_raised(view, place, self.settings)
        said = self.maps.read(view.transform, view.valid.shape)
        return judge_roof(replace(view, roof=said[_MAP], shadows=self.shadows), place)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What a tile shows: masks of what may stand, and how shadows fall."""

    masks: tuple[NDArray[np.bool_], ...]
    shadows: NDArray[np.int64] = field(default_factory=NO_SUMS.copy)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What the tiles of one block show; polygons in whole pixels of the grid, (col, row)."""

    places: dict[int, list[Polygon]]
    """By the number of the mask they were drawn from."""
    excluded: dict[str, list[Polygon]]
    judged_px: int
    shadows: NDArray[np.int64]


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
    with tempfile.TemporaryDirectory(prefix="orthowatch-") as room:
        if sight.dsm is not None:
            ground = find_ground(sight, executor=executor, progress=progress)
            whole = replace(whole, ground=ground)
        else:
            maps = create_map_file(Path(room) / "maps", sight.grid, (_MAP,))
            local = learn_roofs(sight, roofs, executor=executor)
            whole = replace(whole, local=local, maps=maps)
        found = _find(whole, settings, executor, progress)
        whole = replace(whole, shadows=fallen(sum((f.shadows for f in found), start=NO_SUMS)))
        places = _worth_a_look(_places(found, sight.grid), settings, within)
        parts = list(_judge(whole, places, executor, progress))
    kept = [
        part
        for part in in_one(likeliest(parts))
        if part.outline.area >= settings.detect.min_area_m2
        and part.score >= settings.detect.min_score
    ]
    structures = [_structure(part, sight) for part in kept]
    structures.sort(key=lambda c: (-c.outline.bounds[3], c.outline.bounds[0], c.id))
    excluded, judged = _unjudged(found, sight.grid, within)
    return Stock(
        structures=tuple(structures),
        excluded=excluded,
        judged_m2=judged,
        told_by=_told_by(whole),
        taught_by=0 if whole.local is None else whole.local.teachers,
        shadows=whole.shadows,
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
    sees_m = 0.0 if whole.maps is None else shipped_detector().sees_m
    blocks = cut_blocks(
        height=grid.height,
        width=grid.width,
        core=_CORE_PX,
        halo=math.ceil(max(HALO_M, sees_m) / grid.pixel_m),
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
    shadows = NO_SUMS.copy()
    excluded: dict[str, list[Polygon]] = {reason: [] for reason in NOT_SEEN}
    with task.sight.open() as opened:
        for tile in task.block.tiles:
            view = task.view(opened, grid, tile.seen)
            core = tile.core.slices_in(tile.seen)
            corner = Affine.translation(tile.core.col, tile.core.row)
            found = task.find(tile, view)
            shadows += found.shadows
            for number, mask in enumerate(found.masks):
                places.setdefault(number, []).extend(mask_polygons(mask[core], corner))
            seen = view.valid[core]
            known = seen if task.ground is None else seen & np.isfinite(view.above[core])
            judged += int(known.sum())
            for reason, mask in (("not_seen", ~seen), ("no_heights", seen & ~known)):
                excluded[reason].extend(unjudged_cells(mask, corner, grid.pixel_m))
    return _Found(places=places, excluded=excluded, judged_px=judged, shadows=shadows)


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
