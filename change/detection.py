"""Changes: the structures that appeared, grew or vanished between the two flights of a pair."""

import hashlib
import math
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import shapely
from affine import Affine
from shapely import Polygon
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from change.evidence import HALO_PX, weigh
from change.exclusion import EXCLUDED, Excluded, clip_to, excluded_ground, unjudged_cells
from change.looks import MARGIN_M, Look, Measured
from change.objects import measure
from change.outlines import joined_in_metres, mask_polygons, square
from survey.blocks import Progress, run_all
from survey.grid import Bounds
from survey.pair import Pair, PairReader
from survey.settings import Settings
from survey.windows import Block, Tile, cut_blocks
from survey.words import _

__all__ = ["KINDS", "Change", "Detection", "detect"]

KINDS = (
    "building",
    "shed",
    "annex",
    "roof_addition",
    "storey",
    "site",
    "removed",
    "partly_removed",
)
"""What a change can be; the slugs that data carries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One structure that appeared, grew or vanished."""

    id: str
    """Content hash within a run: kind, origin and outline to the centimetre."""
    outline: Polygon
    """Squared outline in metres of the area's projected CRS, on the ground of the before flight."""
    area_m2: float
    """Area of ``outline``, m2."""
    area_raw_m2: float
    """Area before squaring, m2: the measurement, where ``outline`` is the drawing."""
    kind: str
    """One of ``KINDS``."""
    origin: str
    """``new`` (appeared between the flights) or ``stock`` (stood in both)."""
    height_gain_m: float | None
    """Median height gained (negative: lost) inside the outline, m; None without surface models."""
    score: float
    """Probability of a real structural change, in [0, 1]."""
    tolerance_m: float
    """How far the two flights may be misaligned here, m."""
    evidence: tuple[tuple[str, float], ...]
    """What spoke for and against it, as (name, number) in a fixed order."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of change: {self.kind!r}")
        if not 0 <= self.score <= 1:
            raise ValueError(f"a score lies in [0, 1], got {self.score}")

    @property
    def vanished(self) -> bool:
        """Whether something is gone, wholly or in part."""
        return self.kind in ("removed", "partly_removed")


# Side of a tile's core; with the halo it costs a fifth more pixels than it answers for.
_CORE_PX = 512
# A candidate is looked at closely from this share of the smallest area on: squaring may add some.
_LEAST_SHARE = 0.5
# Windows of candidates are read at most this large; beyond it they are measured at coarser pixels.
_LARGEST_WINDOW_PX = 1500
# Candidates are taken up square by square, so that what was decoded for one serves the next, m.
_SQUARE_M = 100.0
# Candidates sent to a worker at once.
_BATCH = 16
# Two findings that share this much of the smaller one are one place.
_SAME_PLACE = 0.3
# How far a squared outline may move a vertex, pixels of the working grid.
_SQUARE_SLACK_PX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """Everything found between two flights."""

    changes: tuple[Change, ...]
    """The changes, from north to south."""
    excluded: tuple[Excluded, ...]
    """Ground that was not judged."""
    judged_m2: float
    """Ground that was judged, m2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """What one worker takes: a block of tiles, or a batch of candidates."""

    pair: Pair
    settings: Settings
    block: Block | None = None
    candidates: tuple["_Candidate", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """A place where evidence was found."""

    outline: Polygon
    gained: bool
    roofs: tuple[Polygon, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Weighed:
    """What the tiles of one block show; polygons in whole pixels of the grid, (col, row)."""

    appeared: list[Polygon]
    vanished: list[Polygon]
    excluded: dict[str, list[Polygon]]
    judged_m2: float


def detect(
    pair: Pair,
    settings: Settings,
    *,
    known_roofs: Sequence[Polygon] = (),
    within: BaseGeometry | None = None,
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
    executor
        Where blocks run; None runs them here.
    progress
        Told after every block.
    """
    grid = pair.grid
    per_side = max(1, round(settings.blocks.side_m / (_CORE_PX * grid.pixel_m)))
    blocks = cut_blocks(
        height=grid.height, width=grid.width, core=_CORE_PX, halo=HALO_PX, per_side=per_side
    )
    tasks = [_Task(pair=pair, settings=settings, block=block) for block in blocks]
    weighed = list(
        run_all(_weigh_block, tasks, executor=executor, stage=_("detecting"), progress=progress)
    )
    candidates = _candidates(weighed, pair, settings, known_roofs, within)
    candidates.sort(key=_neighbourhood)
    batches = [
        _Task(pair=pair, settings=settings, candidates=tuple(candidates[i : i + _BATCH]))
        for i in range(0, len(candidates), _BATCH)
    ]
    measured = run_all(
        _measure_batch, batches, executor=executor, stage=_("measuring"), progress=progress
    )
    changes = _changes((item for batch in measured for item in batch), pair, settings)
    cells = {slug: [p for w in weighed for p in w.excluded[slug]] for slug in EXCLUDED}
    excluded = excluded_ground(cells, pair)
    judged = sum(part.judged_m2 for part in weighed)
    if within is not None:
        excluded, judged = clip_to(within, excluded, pair.grid)
    return Detection(changes=changes, excluded=excluded, judged_m2=judged)


def _weigh_block(task: _Task) -> _Weighed:
    """Weigh the evidence of every tile of a block and draw it."""
    assert task.block is not None
    found = _Weighed(
        appeared=[], vanished=[], excluded={slug: [] for slug in EXCLUDED}, judged_m2=0.0
    )
    judged = 0.0
    with PairReader(task.pair) as reader:
        for tile in task.block.tiles:
            judged += _weigh_tile(task, tile, reader, found)
    return replace(found, judged_m2=judged)


def _weigh_tile(task: _Task, tile: Tile, reader: PairReader, found: _Weighed) -> float:
    pair, grid = task.pair, task.pair.grid
    data = reader.read(tile.seen)
    evidence = weigh(data, pair.light, task.settings.detect, grid.pixel_m)
    core = tile.core.slices_in(tile.seen)
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


def _candidates(
    weighed: list[_Weighed],
    pair: Pair,
    settings: Settings,
    known_roofs: Sequence[Polygon],
    within: BaseGeometry | None,
) -> list[_Candidate]:
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
            found.append(_Candidate(outline=outline, gained=gained, roofs=roofs))
    return found


def _neighbourhood(candidate: _Candidate) -> tuple[int, int]:
    """Return the square a candidate lies in: neighbours are read from the same blocks of a file."""
    left, _bottom, _right, top = candidate.outline.bounds
    return -math.floor(top / _SQUARE_M), math.floor(left / _SQUARE_M)


def _around(outline: Polygon) -> Polygon:
    """Return the rectangle that the window of a candidate covers."""
    left, bottom, right, top = outline.bounds
    return box(left - MARGIN_M, bottom - MARGIN_M, right + MARGIN_M, top + MARGIN_M)


def _measure_batch(task: _Task) -> list[tuple[bool, Measured]]:
    """Look closely at a batch of candidates."""
    found = []
    with PairReader(task.pair) as reader:
        for candidate in task.candidates:
            measured = _measure_one(task, candidate, reader)
            if measured is not None:
                found.append((candidate.gained, measured))
    return found


def _measure_one(task: _Task, candidate: _Candidate, reader: PairReader) -> Measured | None:
    left, bottom, right, top = candidate.outline.bounds
    around = Bounds(left=left, bottom=bottom, right=right, top=top).buffered(MARGIN_M)
    grid = task.pair.grid
    window = grid.window_of(around)
    factor = -(-max(window.height, window.width) // _LARGEST_WINDOW_PX)
    if factor > 1:
        grid = grid.coarsened(factor)
        window = grid.window_of(around)
        with PairReader(replace(task.pair, grid=grid)) as coarse:
            data = coarse.read(window)
    else:
        data = reader.read(window)
    look = Look(
        window=data,
        transform=grid.transform_of(window),
        outline=candidate.outline,
        gained=candidate.gained,
        roofs=candidate.roofs,
    )
    return measure(look, task.pair.light, task.settings.detect)


def _changes(
    measured: Iterable[tuple[bool, Measured]], pair: Pair, settings: Settings
) -> tuple[Change, ...]:
    """Square what was measured, keep what is large and likely enough, each place once."""
    slack = _SQUARE_SLACK_PX * pair.grid.pixel_m
    kept = [
        item
        for _gained, item in measured
        if item.outline.area >= settings.detect.min_area_m2
        and item.score >= settings.detect.min_score
    ]
    found = [
        _change(item, square(item.outline, slack_m=slack), item.outline.area)
        for item in _each_place_once(kept)
    ]
    return tuple(sorted(found, key=lambda c: (-c.outline.bounds[3], c.outline.bounds[0], c.id)))


def _each_place_once(items: list[Measured]) -> list[Measured]:
    """Keep, where two findings share a good part of a place, the likelier one.

    Without heights a place that changed from bare ground to roof first comes up twice: as a roof
    that appeared and as one that vanished.
    """
    ranked = sorted(items, key=lambda m: (-m.score, -m.outline.area, m.outline.bounds))
    tree = shapely.STRtree([item.outline for item in ranked])
    kept: set[int] = set()
    for index, item in enumerate(ranked):
        rivals = kept.intersection(tree.query(item.outline).tolist())
        if not any(_share_place(item.outline, ranked[rival].outline) for rival in rivals):
            kept.add(index)
    return [ranked[index] for index in sorted(kept)]


def _share_place(one: Polygon, other: Polygon) -> bool:
    return bool(one.intersection(other).area > _SAME_PLACE * min(one.area, other.area))


def _change(item: Measured, outline: Polygon, raw: float) -> Change:
    words = shapely.to_wkt(shapely.normalize(outline), rounding_precision=2)
    digest = hashlib.sha256(f"{item.kind} new {words}".encode()).hexdigest()
    gain = item.height_gain_m
    return Change(
        id=digest[:12],
        outline=outline,
        area_m2=round(outline.area, 2),
        area_raw_m2=round(raw, 2),
        kind=item.kind,
        origin="new",
        height_gain_m=None if gain is None else round(gain, 2),
        score=round(item.score, 3),
        tolerance_m=round(item.tolerance_m, 3),
        evidence=item.evidence,
    )
