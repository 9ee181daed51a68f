"""Does something stand where a permit is drawn? As far as one flight shows it.

Heights tell it nearly always: what stands is higher than the ground around. Without them the
outline tells it, laid on the picture: roofs have edges where their outlines are drawn, open ground
has edges anywhere. Taking a standing house for empty ground is the worse error, so ``False`` is
said only where nothing speaks for a building, and ``None`` wherever it cannot be told.
"""

from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray

from change.contours import Contours, blurred, picture_edges, score_shifts, trace_contours
from change.neighbourhoods import cut_groups
from change.permits import Permits
from change.roofs import is_green
from change.sight import OpenSight, Sight
from survey.blocks import run_all
from survey.grid import Bounds, WorkingGrid
from survey.light import to_lab
from survey.resampling import to_grey
from survey.windows import Window

__all__ = ["LIKELY_BUILT", "LIKELY_EMPTY", "Standing", "standing"]

Numbers = NDArray[np.float32]

LIKELY_BUILT = 0.9
"""By the picture alone something stands where it is this likely."""
LIKELY_EMPTY = 0.02
"""By the picture alone nothing stands where a building is no likelier than this: farther from
certainty than the other, since this is the worse error."""

# Logistic regression of "something stands" on 1, fit, clearness, contrast and greenness, from the
# permits of 18 simulated scenes and 914 roofs of Banepa beside as much open ground
# (benchmarks/permit_offsets.py); none of Kampala's were used.
_WEIGHTS = (-7.29, 14.6, 1.51, 0.112, -3.81)
_MOST_CONTRAST = 80.0
# A structure's least height, m (``DetectSettings.min_height_m``), the share of points that must be
# higher, and not green, for a roof; fewer do where the picture is certain too. Below the last two
# nothing stands, unless the picture says so: of 3435 standing structures one was lost, a bare slab.
_HIGH_M, _MOSTLY, _PARTLY = 1.8, 0.5, 0.2
_LOW_M, _FEW, _NOT_LIKELY = 0.5, 0.2, 0.8
# Where heights and colours are looked up along an outline, m inwards (no deeper than area over
# perimeter, which is half the width of a long roof) and outwards; the ground lies low among those.
_INSIDE_M, _OUTSIDE_M, _GROUND_SHARE = (0.6, 1.2, 2.0), (-1.5, -2.5, -4.0, -6.0), 0.15
_EITHER_SIDE_M = (0.8, -1.0)
# An outline may lie this far off (what is left of the layer's offset), m; farther off than the
# second, up to the third, are the shifts it is compared with.
_NEAR_M, _FAR_M, _FARTHEST_M = 0.8, 2.0, 6.0
_FAR_SHIFTS = 72
# Worse known places than these (one sigma) tell no empty ground: half of what is searched, and with
# heights, of which a part is enough, what an unknown offset is taken for.
_PLACED_WELL_M, _PLACED_M = 0.4, 0.9
_LEAST_SPREAD = 0.02
_BLUR_M, _PIXEL_M = 0.25, 0.2
_SPACING_M, _POINTS = 0.8, 64
# An outline is judged if so much of its surroundings is seen.
_SEEN = 0.95
# Ground looked at in one piece, m, and how far its outlines may reach beyond it, m.
_SIDE_M, _REACH_M = 200.0, 150.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Whether something stands on a permit, and what that was told by; None where not known."""

    built: bool | None
    """Whether something stands there; None where it cannot be told."""
    share: float | None
    """Share of the rim's inner side that is like a roof, 0 to 1: high and not green; without
    heights, not green and in colour nearer to the inside than to the outside."""
    likely: float | None
    """How likely something stands there by the picture alone, 0 to 1."""
    height_m: float | None
    """Median height inside above the ground around, m; None without a surface model."""
    high_share: float | None
    """Share inside that is higher than a low shed, green or not; None without a surface model."""
    fit: float | None
    """How well the outline lies on edges of the picture within 0.8 m, about -1 to 1."""
    clearness: float | None
    """By how many standard deviations that is better than 2 to 6 m off."""
    contrast: float | None
    """Distance in L*a*b* (8-bit scaling) between either side of the outline, median."""
    green: float | None
    """Share inside that is leaves or grass."""


_UNTOLD = Standing(
    built=None,
    share=None,
    likely=None,
    height_m=None,
    high_share=None,
    fit=None,
    clearness=None,
    contrast=None,
    green=None,
)


def standing(
    permits: Permits,
    sight: Sight,
    *,
    errors_m: NDArray[np.float64] | None = None,
    executor: Executor | None = None,
) -> tuple[Standing, ...]:
    """Tell on which permits something stands.

    Parameters
    ----------
    permits
        Outlines where the flight shows them (``LayerOffset.moved``), in the CRS of its grid.
    sight
        What the flight shows.
    errors_m
        How well the place of each permit is known, m, shape (permits,), as
        ``LayerOffset.error_at`` tells it: where an outline may lie beside its house, nothing is
        called empty. None where all are known well.
    executor
        Where the work runs; the result is the same anywhere.

    Returns
    -------
    tuple of Standing
        One for each permit, in their order; all None where the flight does not show the ground.
    """
    outlines = np.array([permit.outline for permit in permits.permits], dtype=object)
    told = [_UNTOLD] * len(outlines)
    if not told:
        return ()
    bounds = sight.grid.bounds
    ground = shapely.box(bounds.left, bounds.bottom, bounds.right, bounds.top)
    here = np.flatnonzero(shapely.intersects(outlines, ground) & (shapely.area(outlines) > 0))
    centres = shapely.centroid(outlines[here])
    groups = cut_groups(
        shapely.get_x(centres), shapely.get_y(centres), most=len(here), least_m=0.0, most_m=_SIDE_M
    )
    fine = sight.at_pixel(_PIXEL_M)
    errors = np.zeros(len(outlines)) if errors_m is None else errors_m
    works = [
        _Work(outlines=outlines[here[group]], errors=errors[here[group]], sight=fine)
        for group in groups
    ]
    for group, part in zip(groups, run_all(_judge, works, executor=executor), strict=True):
        for index, one in zip(here[group].tolist(), part, strict=True):
            told[index] = one
    return tuple(told)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """Some outlines side by side."""

    outlines: NDArray[np.object_]
    errors: NDArray[np.float64]
    sight: Sight

    def window(self) -> Window | None:
        """Return what has to be looked at; an outline larger than that is not seen whole."""
        centres = shapely.get_coordinates(shapely.centroid(self.outlines))
        (left, bottom), (right, top) = centres.min(axis=0), centres.max(axis=0)
        around = Bounds(left=left, bottom=bottom, right=right, top=top).buffered(_REACH_M)
        left, bottom, right, top = shapely.total_bounds(self.outlines)
        drawn = Bounds(left=left, bottom=bottom, right=right, top=top)
        return self.sight.window(around.intersection(drawn.buffered(_FARTHEST_M + 1.0)))


def _judge(work: _Work) -> list[Standing]:
    window = work.window()
    if window is None:
        return [_UNTOLD] * len(work.outlines)
    with work.sight.open() as opened:
        found = _measure(work.outlines, opened, window)
    found["likely"] = _likely(found)
    rows = zip(*(v.tolist() for v in found.values()), strict=True)
    return [
        _conclude(dict(zip(found, row, strict=True)), error)
        for row, error in zip(rows, work.errors.tolist(), strict=True)
    ]


def _conclude(found: dict[str, float], error_m: float) -> Standing:
    """Put the rule on the numbers of one outline."""
    if not found["seen"] >= _SEEN or not np.isfinite(found["contrast"]):
        return _UNTOLD
    told = {name: round(v, 3) if np.isfinite(v) else None for name, v in found.items()}
    told.pop("seen")
    heights = np.isfinite(found["height_m"])
    rule = _by_heights(found) if heights else _by_picture(found["likely"])
    trusted = error_m <= (_PLACED_M if heights else _PLACED_WELL_M)
    return replace(_UNTOLD, built=rule if rule or trusted else None, **told)


def _by_picture(likely: float) -> bool | None:
    if likely >= LIKELY_BUILT:
        return True
    return False if likely <= LIKELY_EMPTY else None


def _by_heights(found: dict[str, float]) -> bool | None:
    likely, share = found["likely"], found["share"]
    if share >= _MOSTLY or (share >= _PARTLY and likely >= LIKELY_BUILT):
        return True
    low = found["height_m"] < _LOW_M and found["high_share"] < _FEW
    return False if low and likely < _NOT_LIKELY else None


def _likely(found: dict[str, Numbers]) -> Numbers:
    """Return how likely something stands by the picture."""
    contrast = np.minimum(found["contrast"], _MOST_CONTRAST)
    ones = np.ones_like(contrast)
    numbers = np.stack([ones, found["fit"], found["clearness"], contrast, found["green"]])
    return np.asarray(1.0 / (1.0 + np.exp(-np.array(_WEIGHTS) @ numbers)), np.float32)


def _measure(
    outlines: NDArray[np.object_], opened: OpenSight, window: Window
) -> dict[str, Numbers]:
    """Return the numbers of each outline, every array of shape (outlines,)."""
    grid = opened.sight.grid
    contours = trace_contours(outlines, _SPACING_M, _POINTS)
    deep = (shapely.area(outlines) / shapely.length(outlines))[contours.owner]
    picture = opened.picture(window)
    look = _Look(contours=contours, grid=grid, window=window, deep=deep)
    seen = look.at(picture.valid.astype(np.float32), (*_INSIDE_M, *_EITHER_SIDE_M))
    lab = np.where(picture.valid, to_lab(picture.colour).astype(np.float32), np.nan)
    green = look.at(is_green(picture.colour).astype(np.float32), _INSIDE_M)
    first, second = (np.stack([look.at(band, (d,))[0] for band in lab]) for d in _EITHER_SIDE_M)
    apart = np.sqrt(((first - second) ** 2).sum(axis=0))[None]
    edges = picture_edges(to_grey(picture.colour)[0], picture.valid)
    edges = blurred(edges, _BLUR_M / grid.pixel_m)
    fit, clearness = _fit(contours, edges, grid, window)
    heights = opened.heights(window)
    high = _high(look, heights)
    unlike = look.unlike_outside(lab) if high is None else high > _HIGH_M
    roof = unlike & (np.nan_to_num(green) == 0)
    nothing = np.full(len(outlines), np.nan, np.float32)
    return {
        "seen": look.means(np.nan_to_num(seen)),
        "share": look.means(roof),
        "height_m": nothing if high is None else contours.quantiles(high, 0.5),
        "high_share": nothing if high is None else look.means(high > _HIGH_M),
        "fit": fit,
        "clearness": clearness,
        "contrast": contours.quantiles(apart, 0.5),
        "green": look.means(np.nan_to_num(green)),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """Looks up rasters of a window along contours."""

    contours: Contours
    grid: WorkingGrid
    window: Window
    deep: NDArray[np.float64]
    """(n,); how deep inside each point may look, m."""

    def at(self, raster: Numbers, depths_m: tuple[float, ...]) -> Numbers:
        """Return (row, col) values beside the points, (depths, n); NaN outside the window."""
        depths = np.minimum(np.array(depths_m)[:, None], self.deep[None, :])
        x, y = self.contours.steps(depths)
        col = np.floor(x / self.grid.pixel_m).astype(np.int64) - self.grid.left_px - self.window.col
        row = np.floor(-y / self.grid.pixel_m).astype(np.int64) + self.grid.top_px - self.window.row
        rows, cols = raster.shape
        inside = (row >= 0) & (row < rows) & (col >= 0) & (col < cols)
        found = raster[np.clip(row, 0, rows - 1), np.clip(col, 0, cols - 1)]
        return np.where(inside, found, np.nan).astype(np.float32)

    def means(self, values: NDArray[np.generic]) -> Numbers:
        """Return the mean of (k, n) over each outline, (outlines,)."""
        means = self.contours.means(values.astype(np.float32))
        return np.asarray(means.mean(axis=1), np.float32)

    def unlike_outside(self, lab: Numbers) -> NDArray[np.bool_]:
        """Return where the inside is in colour nearer to its median than to the outside's."""
        owner = self.contours.owner
        apart = np.zeros((2, len(_INSIDE_M), len(owner)), np.float32)
        for band in lab:
            inside, outside = self.at(band, _INSIDE_M), self.at(band, _OUTSIDE_M[:2])
            for side, values in enumerate((inside, outside)):
                apart[side] += (inside - self.contours.quantiles(values, 0.5)[owner]) ** 2
        return np.asarray(apart[0] < apart[1])


def _high(look: _Look, heights: Numbers | None) -> Numbers | None:
    """Return how high the inside lies above the ground around, (depths, n) m."""
    if heights is None:
        return None
    ground = look.contours.quantiles(look.at(heights, _OUTSIDE_M), _GROUND_SHARE)
    return look.at(heights, _INSIDE_M) - ground[look.contours.owner]


def _fit(
    contours: Contours, edges: NDArray[np.complex64], grid: WorkingGrid, window: Window
) -> tuple[Numbers, Numbers]:
    """Return how well outlines lie on edges near where they are, and how much better than off."""
    near, far = _shifts(grid.pixel_m)
    place = (grid, window)
    best = score_shifts(contours, edges, place, near, axis=True).max(axis=1)
    rest = score_shifts(contours, edges, place, far, axis=True)
    spread = rest.std(axis=1) + np.float32(_LEAST_SPREAD)
    return best, np.asarray((best - rest.mean(axis=1)) / spread, np.float32)


def _shifts(pixel_m: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the shifts (row, col) within which an outline may lie, and some farther off."""
    reach = max(1, round(_NEAR_M / pixel_m))
    steps = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * 2), axis=-1).reshape(-1, 2)
    near = steps[np.hypot(*steps.T) <= reach]
    # A spiral with the golden angle covers the ring evenly (Vogel 1979).
    turn = np.arange(_FAR_SHIFTS) * np.pi * (3 - np.sqrt(5))
    size = np.sqrt(np.linspace(_FAR_M**2, _FARTHEST_M**2, _FAR_SHIFTS)) / pixel_m
    far = np.rint(np.stack([size * np.sin(turn), size * np.cos(turn)], axis=1)).astype(np.int64)
    return near, far
