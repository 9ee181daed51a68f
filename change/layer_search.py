"""Outlines looked for on a flight: what regions, and then neighbourhoods, say of their shift.

Every outline has one vote. A region's shift must beat each rival by the agreement of the outlines
themselves (Student 1908), so that rows of like houses, which fit as well one plot further on, tell
nothing. A neighbourhood is looked at around what is known of the whole, and tells its error by
leaving out one outline after another (Tukey's jackknife).
"""

import math
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import ndimage, stats

from change.contours import square_shifts, trace_contours
from change.neighbourhoods import Told, cut_groups, spread_over
from change.sight import OpenSight, Sight
from survey.blocks import run_all
from survey.field import Field
from survey.grid import Bounds, Coordinates, WorkingGrid
from survey.ties import window_peaks

__all__ = [
    "LEAST_OUTLINES",
    "NEAR_M",
    "Answer",
    "Outlines",
    "centroids",
    "tell_neighbourhoods",
    "tell_regions",
    "told_by",
    "usable",
]

Outlines = NDArray[np.object_]
"""Polygons, shape (n,)."""
Scores = NDArray[np.float32]

LEAST_OUTLINES = 5
"""With fewer outlines than this one building moved by hand would move them all."""
# A shift this far from another is a rival, not its slope, m.
_RIVAL_M = 1.5
# Wide search: pixel, m, and more where that would be more than so many shifts along a side.
_WIDE_PIXEL_M, _WIDEST_PIXEL_M, _WIDE_SHIFTS = 0.4, 0.8, 50
# It goes region by region, since layers turn by up to 0.1 degrees: 0.4 m at the rim of 500 m.
_REGION_M, _REGIONS_ALONG, _REGION_OUTLINES = 500.0, 5, 100
_REGION_ERROR_M = 0.3
NEAR_M = 2.5
"""Neighbourhoods are looked for this far around what is known of the whole, m."""
_PIXEL_M = 0.2
# Neighbourhoods: no shorter than this, m, unless they hold fewer outlines than that; no longer; at
# most so many.
_SIDES_M, _GROUP_OUTLINES, _MOST_GROUPS = (60.0, 120.0), 20, 600
_AT_ONCE = 16
# Outlines scatter by some decimetres: scores are blurred by so much before they are added up, m.
_BLUR_WIDE_M, _BLUR_M = 0.5, 0.3
# Points along an outline, at most; what is left out of larger ones would tell the same.
_POINTS_WIDE, _POINTS = 40, 64
# An outline reaches beyond its neighbourhood by this much, m; the rest of a larger one is not seen.
_REACH_M = 40.0
# Nothing is known better than this, m (sharpness of the peak aside: roofs overhang, lean).
_LEAST_ERROR_M = 0.08
# Outlines smaller than this have no edges to speak of, m2.
_SMALLEST_M2 = 4.0


def centroids(outlines: Outlines) -> tuple[Coordinates, Coordinates]:
    """Return (x, y) of the centroids of outlines, NaN of empty ones."""
    centres = shapely.centroid(outlines)
    return shapely.get_x(centres), shapely.get_y(centres)


def usable(outlines: Outlines, grid: WorkingGrid) -> Outlines:
    """Return the outlines on the grid that have edges to speak of, each place once."""
    if len(outlines) == 0:
        return outlines
    x, y = centroids(outlines)
    bounds = grid.bounds
    good = (x > bounds.left) & (x < bounds.right) & (y > bounds.bottom) & (y < bounds.top)
    good &= shapely.area(outlines) >= _SMALLEST_M2
    kept = outlines[good]
    same = np.stack([x[good], y[good], shapely.area(kept)], axis=1).round(1)
    # In an order of their own: that of the rows says nothing.
    return kept[np.unique(same, axis=0, return_index=True)[1]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """Some outlines to be looked for around a shift."""

    outlines: Outlines
    sight: Sight
    search_m: float
    blur_m: float
    points: int
    start: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What some outlines say of the shift."""

    x: float
    """Their middle, m east."""
    y: float
    """Their middle, m north."""
    east: float
    """How much further east the flight shows what is drawn, m."""
    north: float
    """How much further north the flight shows what is drawn, m."""
    error: float
    """Expected error of either (one sigma), m."""
    evidence: float
    """Of a region: by how many sigmas the shift beats the next best; of a neighbourhood: the peak
    over the highest rival within reach."""
    outlines: int
    """How many outlines were asked."""


def told_by(answers: Sequence[Answer]) -> Told:
    """Return answers as arrays."""
    names = ("x", "y", "east", "north", "error")
    return Told(**{name: np.array([getattr(a, name) for a in answers]) for name in names})


def tell_regions(
    outlines: Outlines, sight: Sight, search_m: float, executor: Executor | None
) -> list[Answer]:
    """Look for the shift of each region, far and wide."""
    pixel = min(_WIDEST_PIXEL_M, max(_WIDE_PIXEL_M, search_m / _WIDE_SHIFTS))
    x, y = centroids(outlines)
    side = max(_REGION_M, np.ptp(x) / _REGIONS_ALONG, np.ptp(y) / _REGIONS_ALONG)
    searches = []
    for group in cut_groups(x, y, most=len(x), least_m=0.0, most_m=side):
        parts = cut_groups(x[group], y[group], most=1, least_m=side / 8, most_m=side / 8)
        chosen = group[spread_over(parts, _REGION_OUTLINES)]
        if len(chosen) >= LEAST_OUTLINES:
            searches.append(
                _Search(
                    outlines=outlines[chosen],
                    sight=sight.at_pixel(pixel),
                    search_m=search_m,
                    blur_m=_BLUR_WIDE_M,
                    points=_POINTS_WIDE,
                )
            )
    return [a for a in run_all(_search_wide, searches, executor=executor) if a is not None]


def _search_wide(search: _Search) -> Answer | None:
    with search.sight.open() as opened:
        scores = _scores(opened, search)
    if scores is None:
        return None
    pixel = search.sight.grid.pixel_m
    reach = scores.shape[1] // 2
    row, col = np.unravel_index(int(scores.mean(axis=0).argmax()), scores.shape[1:])
    x, y = centroids(search.outlines)
    on_rim = max(abs(row - reach), abs(col - reach)) >= reach
    return Answer(
        x=float(x.mean()),
        y=float(y.mean()),
        east=float(col - reach) * pixel,
        north=float(reach - row) * pixel,
        error=_REGION_ERROR_M,
        evidence=0.0 if on_rim else _evidence(scores, int(row), int(col), pixel),
        outlines=len(scores),
    )


def _evidence(scores: Scores, row: int, col: int, pixel_m: float) -> float:
    """Return by how many sigmas outlines prefer one shift to the best of those farther off."""
    count, size, _size = scores.shape
    down, across = np.mgrid[:size, :size]
    rivals = np.hypot(down - row, across - col) * pixel_m > _RIVAL_M
    better = scores[:, row, col, None] - scores[:, rivals]
    with np.errstate(divide="ignore", invalid="ignore"):
        student = better.mean(axis=0) / (better.std(axis=0, ddof=1) / math.sqrt(count))
    student = float(np.nanmin(student, initial=np.inf))
    return float(-stats.norm.ppf(max(stats.t.sf(student, count - 1), 1e-300)))


def tell_neighbourhoods(
    outlines: Outlines, sight: Sight, start: Field, executor: Executor | None
) -> list[Answer]:
    """Look for the shift of each neighbourhood, around what is known of the whole."""
    x, y = centroids(outlines)
    area = max(np.ptp(x), 1.0) * max(np.ptp(y), 1.0)
    least = max(_SIDES_M[0], math.sqrt(area / _MOST_GROUPS))
    most = max(_SIDES_M[1], least)
    groups = cut_groups(x, y, most=_GROUP_OUTLINES, least_m=least, most_m=most)
    fine = sight.at_pixel(_PIXEL_M)
    searches = []
    for group in groups:
        chosen = group[np.linspace(0, len(group) - 1, min(len(group), _GROUP_OUTLINES)).astype(int)]
        if len(chosen) >= LEAST_OUTLINES:
            east, north = start.shift(x[chosen].mean(), y[chosen].mean())
            searches.append(
                _Search(
                    outlines=outlines[chosen],
                    sight=fine,
                    search_m=NEAR_M,
                    blur_m=_BLUR_M,
                    points=_POINTS,
                    start=(float(east), float(north)),
                )
            )
    batches = [tuple(searches[i : i + _AT_ONCE]) for i in range(0, len(searches), _AT_ONCE)]
    done = run_all(_search_batch, batches, executor=executor)
    return [answer for batch in done for answer in batch]


def _search_batch(searches: tuple[_Search, ...]) -> list[Answer]:
    with searches[0].sight.open() as opened:
        found = [_search_near(opened, search) for search in searches]
    return [answer for answer in found if answer is not None]


def _search_near(opened: OpenSight, search: _Search) -> Answer | None:
    """Return the shift of one neighbourhood with its error; None where it tells none.

    The error is told by leaving out one outline after another (Tukey's jackknife).
    """
    scores = _scores(opened, search)
    if scores is None:
        return None
    pixel, count = search.sight.grid.pixel_m, len(scores)
    total = scores.sum(axis=0)
    rows, cols, ratio = window_peaks(np.concatenate([total[None], total - scores]))
    if not ratio[0] > 0:
        return None
    spread = ((rows[1:] - rows[0]) ** 2 + (cols[1:] - cols[0]) ** 2).sum() / 2
    error = math.sqrt((count - 1) / count * spread) * pixel
    x, y = centroids(search.outlines)
    return Answer(
        x=float(x.mean()),
        y=float(y.mean()),
        east=search.start[0] + float(cols[0]) * pixel,
        north=search.start[1] - float(rows[0]) * pixel,
        error=math.hypot(error, _LEAST_ERROR_M),
        evidence=float(ratio[0]),
        outlines=count,
    )


def _scores(opened: OpenSight, search: _Search) -> Scores | None:
    """Return the outlines' scores at every shift; None where the flight shows no ground there."""
    sight = search.sight
    pixel = sight.grid.pixel_m
    x, y = centroids(search.outlines)
    contours = trace_contours(search.outlines, 2 * pixel, search.points).moved(*search.start)
    x, y = x + search.start[0], y + search.start[1]
    around = Bounds(left=x.min(), right=x.max(), bottom=y.min(), top=y.max())
    left, right = contours.x.min(), contours.x.max()
    drawn = Bounds(left=left, right=right, bottom=contours.y.min(), top=contours.y.max())
    seen = around.buffered(_REACH_M).intersection(drawn).buffered(search.search_m + 1.0)
    window = sight.window(seen)
    if window is None:
        return None
    reach = max(1, math.ceil(search.search_m / pixel))
    scores = opened.score(contours, window, square_shifts(reach))
    scores = scores.reshape(-1, 2 * reach + 1, 2 * reach + 1)
    return np.asarray(ndimage.gaussian_filter(scores, (0, *[search.blur_m / pixel] * 2)))
