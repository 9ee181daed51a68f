"""Changes: the structures that appeared, grew or vanished between the two flights of a pair."""

import math
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import shapely
import xarray as xr
from affine import Affine
from numpy.typing import NDArray
from shapely import Polygon
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from change.candidates import Candidate, Near, measured_closely, sought_along
from change.changes import Change, change_of
from change.displaced import told_from_displaced
from change.drawing import draw_outline, each_place_once
from change.evidence import HALO_M, weigh
from change.exclusion import EXCLUDED, Excluded, clip_to, excluded_ground, unjudged_cells
from change.leaning import common_way
from change.local_roofs import learn_roofs
from change.looks import MARGIN_M, Measured, with_maps
from change.map_file import MapFile, create_map_file
from change.model.detector import Detector, Maps, shipped_detector
from change.observer import Observer
from change.outlines import joined_in_metres, mask_polygons
from change.outside_evidence import OutsideEvidence
from change.prevalence import weighed_by_share
from change.shadows import NO_SUMS, Shadows, fallen, shadow_sums
from change.sight import sight_before
from survey.blocks import Progress, run_all
from survey.pair import Pair, PairReader
from survey.settings import DetectSettings, Settings
from survey.windows import Block, Tile, cut_blocks
from survey.words import _

__all__ = ["Detection", "detect"]

# Side of a tile's core, m: half the area's, so that there is work for several, within these. The
# larger the less is seen twice by a detector that looks 19 m around: at most a third.
# Cores are whole multiples of so many pixels, so that maps are kept in whole cells.
_LEAST_CORE_M, _MOST_CORE_M, _WHOLE_PX = 153.6, 256.0, 16
# A candidate is looked at closely from this share of the smallest area on: squaring may add some.
_LEAST_SHARE = 0.5
# Candidates are taken up square by square, so that what was decoded for one serves the next, m.
_SQUARE_M = 100.0
# Candidates sent to a worker at once.
_BATCH = 16
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """Everything found between two flights."""

    changes: tuple[Change, ...]
    """The changes, from north to south."""
    excluded: tuple[Excluded, ...]
    """Ground that was not judged."""
    judged_m2: float
    """Ground that was judged, m2."""
    taught_by: int = 0
    """Known roofs that taught what roofs look like here; 0 where they were too few."""
    share_right: float | None = None
    """Share of the candidates judged by pictures that was taken to be right; None without any."""
    share_displaced: float | None = None
    """Share of those that were likely enough to be looked for in other places that was taken for
    roofs seen from another side; None without any."""
    displaced_way_deg: float | None = None
    """Which way those lie from where the earlier flight shows them, where it is one way for all,
    degrees clockwise from the top of the grid."""
    shadows: tuple[Shadows | None, Shadows | None] = (None, None)
    """How shadows fall in the earlier flight and in the later; None where roofs do not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """What one worker takes: a block of tiles, a batch of candidates, or of what they proved."""

    pair: Pair
    settings: Settings
    observer: Observer
    maps: MapFile
    block: Block | None = None
    candidates: tuple[Candidate, ...] = ()
    measured: tuple[Measured, ...] = ()
    way_deg: float | None = None
    shadows: tuple[Shadows | None, Shadows | None] = (None, None)

    @property
    def near(self) -> Near:
        """What is known for a closer look."""
        return Near(
            pair=self.pair, settings=self.settings.detect, maps=self.maps, shadows=self.shadows
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Weighed:
    """What the tiles of one block show; polygons in whole pixels of the grid, (col, row)."""

    appeared: list[Polygon]
    vanished: list[Polygon]
    excluded: dict[str, list[Polygon]]
    judged_m2: float
    shadows: NDArray[np.int64]


def detect(  # noqa: PLR0913 - everything that may be known beside the pair
    pair: Pair,
    settings: Settings,
    *,
    known_roofs: Sequence[Polygon] = (),
    within: BaseGeometry | None = None,
    detector: Detector | None = None,
    evidence: OutsideEvidence | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Detection:
    """Find what appeared, grew and vanished between the two flights of a pair.

    Parameters
    ----------
    pair
        The flights on one grid.
    settings
        What counts as a change, and how the work is cut up.
    known_roofs
        Outlines of roofs known to stand, in the pair's CRS, m; where heights are missing they tell
        an annex from a house.
    within
        Report only changes that touch this area.
    detector
        The model that looks at both pictures; None for the shipped one.
    evidence
        Evidence made elsewhere; where it says something it takes the place of the model's.
    executor
        Where blocks run; None runs them here.
    progress
        Told after every block.
    """
    with tempfile.TemporaryDirectory(prefix="orthowatch-") as room:
        # What roofs look like in one flight is told in the other only where both show colours.
        teaching = known_roofs if len(set(pair.coloured)) == 1 else ()
        observer = Observer(
            detector=detector or shipped_detector(),
            evidence=evidence,
            local=learn_roofs(sight_before(pair), teaching, executor=executor),
        )
        maps = create_map_file(Path(room) / "maps", pair.grid, observer.names)
        whole = _Task(pair=pair, settings=settings, observer=observer, maps=maps)
        weighed = list(
            run_all(
                _weigh_block,
                [
                    replace(whole, block=block)
                    for block in _blocks(pair, settings, observer.detector.sees_m)
                ],
                executor=executor,
                stage=_("detecting"),
                progress=progress,
            )
        )
        whole = replace(whole, shadows=_fallen(weighed))
        candidates = _candidates(weighed, pair, settings, known_roofs, within)
        candidates.sort(key=lambda candidate: _neighbourhood(candidate.outline))
        measured = run_all(
            _measure_batch,
            [replace(whole, candidates=batch) for batch in _batches(candidates)],
            executor=executor,
            stage=_("measuring"),
            progress=progress,
        )
        found, way = _found_along([item for batch in measured for item in batch], whole, executor)
        seen, displaced = told_from_displaced(found)
        told, share = weighed_by_share(seen, settings.detect.min_area_m2)
        kept = _worth_reporting(told, settings.detect)
    drawn = run_all(
        _draw_batch,
        [replace(whole, measured=batch) for batch in _batches(kept)],
        executor=executor,
        stage=_("drawing"),
        progress=progress,
    )
    changes = [change for batch in drawn for change in batch]
    changes.sort(key=lambda c: (-c.outline.bounds[3], c.outline.bounds[0], c.id))
    cells = {slug: [p for w in weighed for p in w.excluded[slug]] for slug in EXCLUDED}
    excluded = excluded_ground(cells, pair)
    judged = sum(part.judged_m2 for part in weighed)
    if within is not None:
        excluded, judged = clip_to(within, excluded, pair.grid)
    return Detection(
        changes=tuple(changes),
        excluded=excluded,
        judged_m2=judged,
        taught_by=0 if observer.local is None else observer.local.teachers,
        share_right=None if share is None else round(share, 3),
        share_displaced=None if displaced is None else round(displaced, 3),
        displaced_way_deg=None if way is None else round(way, 1),
        shadows=whole.shadows,
    )


def _blocks(pair: Pair, settings: Settings, sees_m: float) -> Iterable[Block]:
    grid = pair.grid
    half_m = max(grid.height, grid.width) * grid.pixel_m / 2
    core_m = min(_MOST_CORE_M, max(_LEAST_CORE_M, half_m))
    core = math.ceil(core_m / grid.pixel_m / _WHOLE_PX) * _WHOLE_PX
    return cut_blocks(
        height=grid.height,
        width=grid.width,
        core=core,
        halo=math.ceil(max(HALO_M, sees_m) / grid.pixel_m),
        per_side=max(1, round(settings.blocks.side_m / (core * grid.pixel_m))),
    )


def _batches(items: Sequence[_T]) -> Iterable[tuple[_T, ...]]:
    return (tuple(items[i : i + _BATCH]) for i in range(0, len(items), _BATCH))


def _weigh_block(task: _Task) -> _Weighed:
    """Weigh the evidence of every tile of a block and draw it."""
    assert task.block is not None
    found = _Weighed(
        appeared=[],
        vanished=[],
        excluded={slug: [] for slug in EXCLUDED},
        judged_m2=0.0,
        shadows=np.stack([NO_SUMS, NO_SUMS]),
    )
    judged = 0.0
    with PairReader(task.pair) as reader:
        for tile in task.block.tiles:
            judged += _weigh_tile(task, tile, reader, found)
    return replace(found, judged_m2=judged)


def _weigh_tile(task: _Task, tile: Tile, reader: PairReader, found: _Weighed) -> float:
    grid = task.pair.grid
    core = tile.core.slices_in(tile.seen)
    data = reader.read(tile.seen)
    maps = task.observer.look(data, tile.seen, task.pair)
    task.maps.write(tile.core, {name: band[core] for name, band in maps.items()})
    found.shadows[:] += _shadow_sums(data, maps, core, grid.pixel_m)
    evidence = weigh(with_maps(reader.compared(data), maps), task.settings.detect, grid.pixel_m)
    place = Affine.translation(tile.core.col, tile.core.row)
    found.appeared.extend(mask_polygons(evidence.appeared[core], place))
    found.vanished.extend(mask_polygons(evidence.vanished[core], place))
    before, after = data["seen_before"].values[core], data["seen_after"].values[core]
    judged = evidence.judged[core]
    for reason, mask in (
        ("not_seen_before", ~before),
        ("not_seen_after", before & ~after),
        ("uncertain", before & after & ~judged),
    ):
        found.excluded[reason].extend(unjudged_cells(mask, place, grid.pixel_m))
    return float(judged.sum()) * grid.pixel_m**2


def _shadow_sums(
    data: xr.Dataset, maps: Maps, core: tuple[slice, slice], pixel_m: float
) -> NDArray[np.int64]:
    """Return what a tile tells of the way shadows fall in the earlier and in the later flight."""
    sums = [NO_SUMS, NO_SUMS]
    for index, side in enumerate(("before", "after")):
        roof, seen = maps.get(f"roof_{side}"), data[f"seen_{side}"].values
        if roof is not None:
            sums[index] = shadow_sums(roof, data[side].values, seen, core, pixel_m)
    return np.stack(sums)


def _fallen(weighed: Sequence[_Weighed]) -> tuple[Shadows | None, Shadows | None]:
    """Return how shadows fall in the earlier and in the later flight."""
    before, after = sum((part.shadows for part in weighed), start=np.stack([NO_SUMS, NO_SUMS]))
    return fallen(before), fallen(after)


def _candidates(
    weighed: list[_Weighed],
    pair: Pair,
    settings: Settings,
    known_roofs: Sequence[Polygon],
    within: BaseGeometry | None,
) -> list[Candidate]:
    """Join what tiles cut, drop what is too small, and give each the roofs around it."""
    tree = shapely.STRtree(list(known_roofs))
    least = settings.detect.min_area_m2 * _LEAST_SHARE
    found = []
    for gained in (True, False):
        parts = [p for w in weighed for p in (w.appeared if gained else w.vanished)]
        for outline in joined_in_metres(parts, pair.grid.transform):
            if outline.area < least or (within is not None and not outline.intersects(within)):
                continue
            near = sorted(tree.query(_around(outline)))
            roofs = tuple(known_roofs[i] for i in near)
            found.append(Candidate(outline=outline, gained=gained, roofs=roofs))
    return found


def _neighbourhood(outline: Polygon) -> tuple[int, int]:
    """Return the square an outline lies in: neighbours are read from the same blocks of a file."""
    left, _bottom, _right, top = outline.bounds
    return -math.floor(top / _SQUARE_M), math.floor(left / _SQUARE_M)


def _around(outline: Polygon) -> Polygon:
    """Return the rectangle that the window of a candidate covers."""
    left, bottom, right, top = outline.bounds
    return box(left - MARGIN_M, bottom - MARGIN_M, right + MARGIN_M, top + MARGIN_M)


def _found_along(
    items: list[Measured], whole: _Task, executor: Executor | None
) -> tuple[list[Measured], float | None]:
    """Look for candidates once more where all roofs are drawn off in one way; and which it is."""
    way = common_way(items)
    if way is None:
        return items, None
    batches = [replace(whole, measured=batch, way_deg=way) for batch in _batches(items)]
    found = run_all(_seek_batch, batches, executor=executor)
    return [item for batch in found for item in batch], way


def _seek_batch(task: _Task) -> list[Measured]:
    """Look for a batch of candidates along the way in which roofs are drawn off."""
    assert task.way_deg is not None
    with PairReader(task.pair) as reader:
        return [sought_along(item, task.way_deg, task.near, reader) for item in task.measured]


def _measure_batch(task: _Task) -> list[Measured]:
    """Look closely at a batch of candidates."""
    with PairReader(task.pair) as reader:
        return [
            item
            for candidate in task.candidates
            for item in measured_closely(candidate, task.near, reader)
        ]


def _draw_batch(task: _Task) -> list[Change]:
    """Draw a batch of what was measured where the picture shows it."""
    return [change_of(item, draw_outline(item, task.pair)) for item in task.measured]


def _worth_reporting(measured: Iterable[Measured], settings: DetectSettings) -> list[Measured]:
    """Keep what is large and likely enough, each place once."""
    kept = [
        item
        for item in measured
        if item.outline.area >= settings.min_area_m2 and item.score >= settings.min_score
    ]
    return sorted(each_place_once(kept), key=lambda item: _neighbourhood(item.outline))
