"""Bring two flights onto the same ground, and say how far that can be trusted.

Coarse to fine: one shift (and turn) for the whole; ties in windows on coarse grids; then ties in
small cells on the grid the pair is worked on and, if wanted, on the finest, each time against the
after flight already moved by the field so far. What co-registration trials showed to matter:
gradient directions rather than grey values, a second look at every peak, and a field that is smooth
between ties.
"""

import math
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from survey.blocks import Progress
from survey.errors import PairError
from survey.field import Affine2D, Field, Lattice, fit_affine, fit_field, flat_field
from survey.flight import Flight
from survey.grid import WorkingGrid, transform_bounds, working_crs
from survey.scout import scout
from survey.search import (
    CELL_PX,
    STEP_PX,
    Look,
    gather_evidence,
    search_cells,
    search_windows,
)
from survey.settings import AlignSettings
from survey.ties import Ties
from survey.verdict import Judged, Verdict, agreed, judge
from survey.words import _

__all__ = ["Alignment", "align", "common_ground"]

# Pixels along the longest side of the coarsest look.
_COARSEST_SIDE = 768
# Windows are looked for at two and four times the pixel of the grid, cells at the pixel itself.
_WINDOW_FACTORS = (4, 2)
# Peak over rival from which a window is believed (trials: 1.3 to 2.2 make little difference), and
# noise over which the peak of a cell must stand.
_LEAST_RATIO, _LEAST_STRENGTH = 1.3, 6.0
# Cells are enlarged where there would be more of them: memory does not grow with the image.
_MOST_CELLS = 2**18
# Pixels of a cell of the ``precise`` level: 1.6 m at 5 cm.
_PRECISE_CELL_PX = 32
# Tiles on which evidence is gathered: where windows agree already, and where all hangs on it.
_EVIDENCE_TILES = (3, 16)
# Windows of the finest window level lie this far apart, pixels: a quarter of the work.
_FINE_STEP_PX = 2 * STEP_PX
# The coarsest level is gone over again, at most so often, as long as more windows agree.
_COARSE_ROUNDS, _ALL_BUT = 3, 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """How the after flight lies against the before flight, and how well that is known."""

    field: Field
    """Displacement and its uncertainty, m, in the CRS of the working grid."""
    verdict: str
    """``verified``, ``unverified`` or ``refused``."""
    why: str
    """The measured reason for the verdict, one sentence."""
    rms_m: float | None
    """Residual of ties the field was not fitted to, root mean square, m; None unless verified."""
    p95_m: float | None
    """Residual of those ties, 95th percentile, m; None unless verified."""
    ties: Ties
    """Every window with enough picture in both flights, at its best guess."""
    used: NDArray[np.bool_]
    """Which of the ties the field was fitted to, (n,)."""
    evidence: float
    """Peak of all windows' correlation summed, in standard deviations: same ground or not."""
    accepted_by: str
    """``gate``, ``file`` (read from one) or ``user``; a refused alignment is used only where the
    user accepted it."""

    @property
    def ties_used(self) -> int:
        """How many ties agree with the field."""
        return int(self.used.sum())

    @property
    def ties_seen(self) -> int:
        """How many windows had enough picture in both flights."""
        return self.ties.count

    @property
    def shift_m(self) -> tuple[float, float]:
        """Median displacement (east, north), m."""
        return float(np.median(self.field.east)), float(np.median(self.field.north))


def common_ground(before: Flight, after: Flight, pixel_m: float) -> WorkingGrid:
    """Return the working grid over the rectangle that both flights' files cover.

    Raises
    ------
    PairError
        The flights do not overlap, or lie outside the area of their CRS.
    """
    try:
        crs = working_crs(before.sources[0].grid)
        first = transform_bounds(before.bounds, before.crs, crs)
        second = transform_bounds(after.bounds, after.crs, crs)
    except ValueError as error:
        raise PairError(str(error)) from error
    shared = first.intersection(second)
    if shared.empty or not all(map(math.isfinite, (shared.left, shared.right))):
        gap = math.hypot(max(0.0, shared.left - shared.right), max(0.0, shared.bottom - shared.top))
        raise PairError(
            _(
                "{before} and {after} do not overlap: {gap:.0f} m apart; are these the same place?"
            ).format(before=before.name, after=after.name, gap=gap)
        )
    return WorkingGrid.around(shared, crs=crs, pixel_m=pixel_m)


def align(
    before: Flight,
    after: Flight,
    grid: WorkingGrid,
    settings: AlignSettings,
    *,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Alignment:
    """Align the after flight to the before flight.

    Parameters
    ----------
    before, after
        Examined flights (``survey.examination.examine``).
    grid
        The grid the pair is worked on; the finest level of the precision ``standard``.
    settings
        Search radius, precision, and what to assume where nothing can be measured.
    executor
        Where blocks run; None runs them here.
    progress
        Told after every block.

    Returns
    -------
    Alignment
        Never raises for flights that do not fit: the verdict says so.
    """
    hands = _Hands(executor=executor, progress=progress)
    first = grid.coarsened(_coarsest(grid, settings.search_m))
    scouted = scout(before, after, first, settings.search_m)
    look = Look(before=before, after=after, grid=grid, field=scouted.field)
    fit = _fit_coarsely(look, _window_levels(grid, first), hands)
    tiles = _EVIDENCE_TILES[0 if fit.found else 1]
    evidence = gather_evidence(replace(look, field=fit.field), executor, tiles=tiles)
    if fit.found:
        for fine in _cell_levels(before, after, grid, settings):
            fit = _fit_cells(replace(fine, field=fit.field), fit, hands)
    judged = Judged(
        ties=fit.ties,
        used=fit.used,
        trend=fit.trend,
        field=fit.field,
        lattice=fit.lattice,
        shared=_shared(before, after, grid),
        scouted=scouted.strength,
    )
    return _alignment(judged, judge(judged, evidence, grid, settings.assumed_error_m))


def _shared(before: Flight, after: Flight, grid: WorkingGrid) -> float:
    """Return the share of the smaller flight's rectangle that lies on the common ground."""
    areas = []
    for flight in (before, after):
        bounds = transform_bounds(flight.bounds, flight.crs, grid.crs)
        areas.append((bounds.right - bounds.left) * (bounds.top - bounds.bottom))
    return grid.width * grid.height * grid.pixel_m**2 / min(areas)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hands:
    """Where the work is done, and who is told."""

    executor: Executor | None
    progress: Progress | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fit:
    """What is known after a level."""

    field: Field
    ties: Ties
    used: NDArray[np.bool_]
    trend: Affine2D | None = None
    lattice: Lattice | None = None

    @property
    def found(self) -> bool:
        """Whether enough ties agreed for the field to follow them."""
        return self.trend is not None

    def seeing(self, other: "_Fit") -> "_Fit":
        """Return the same field with what another level saw in vain."""
        return replace(self, ties=other.ties, used=other.used)


def _fit_coarsely(look: Look, levels: list[WorkingGrid], hands: _Hands) -> _Fit:
    """Fit the field to windows, level by level."""
    fit = _Fit(field=look.field, ties=Ties.joined([]), used=np.zeros(0, bool))
    for level in levels:
        step = STEP_PX if level is levels[0] else _FINE_STEP_PX
        for _round in range(_COARSE_ROUNDS if level is levels[0] else 1):
            new = _fit_windows(replace(look, grid=level, field=fit.field, step=step), hands)
            better = new.used.sum() > 1.05 * fit.used.sum()
            fit = new if new.found else fit.seeing(new)
            if not better or new.used.mean() > _ALL_BUT:
                break
    # What coarse windows agree on and fine ones do not was chance: back to the first look.
    return fit if new.found else replace(fit.seeing(new), field=look.field, trend=None)


def _coarsest(grid: WorkingGrid, search_m: float) -> int:
    """Return the decimation of the first look at the whole."""
    side = max(grid.width, grid.height) + 2 * search_m / grid.pixel_m
    factor = 1
    while side / factor > _COARSEST_SIDE:
        factor *= 2
    return factor


def _window_levels(grid: WorkingGrid, first: WorkingGrid) -> list[WorkingGrid]:
    """Return the grids of the window levels, coarsest first."""
    factor = max(round(first.pixel_m / grid.pixel_m), _WINDOW_FACTORS[0])
    levels = [first if factor > _WINDOW_FACTORS[0] else grid.coarsened(factor)]
    while factor > _WINDOW_FACTORS[1]:
        factor = max(_WINDOW_FACTORS[1], factor // 4)
        levels.append(grid.coarsened(factor))
    return levels


def _cell_levels(
    before: Flight, after: Flight, grid: WorkingGrid, settings: AlignSettings
) -> list[Look]:
    """Return the looks of the cell levels, in their order."""
    flat = flat_field(grid.bounds, uncertainty=0.0)
    look = Look(before=before, after=after, grid=grid, field=flat, cell=_cell(grid, CELL_PX))
    looks = [look, replace(look, reach=2)]
    # Rounded, so that the pixels of most files are taken as they are instead of interpolated.
    finest = round(max(before.pixel_m, after.pixel_m), 4)
    if settings.precision == "precise":
        fine = WorkingGrid.around(grid.bounds, crs=grid.crs, pixel_m=min(finest, grid.pixel_m))
        looks.append(replace(look, grid=fine, cell=_cell(fine, _PRECISE_CELL_PX), reach=2))
    return looks


def _cell(grid: WorkingGrid, least: int) -> int:
    """Return the side of cells, a multiple of eight pixels: more than ``least`` on a vast grid."""
    side = math.sqrt(grid.width * grid.height / _MOST_CELLS)
    return max(least, 8 * math.ceil(side / 8))


def _fit_windows(look: Look, hands: _Hands) -> _Fit:
    """Fit the field to the windows of a level."""
    ties = search_windows(look, hands.executor, hands.progress)
    strong = ties.strength >= _LEAST_RATIO
    pixel = look.grid.pixel_m
    # The RANSAC only has to throw out nonsense; bending within this is left to the local test.
    tolerance = max(2.5 * pixel, 1.0)
    trend = fit_affine(ties.kept(strong), tolerance=tolerance, rng=np.random.default_rng(0))
    used = strong.copy()
    used[strong] = False if trend is None else trend[1]
    if trend is None or not agreed(used):
        return _Fit(field=look.field, ties=ties, used=used)
    lattice = Lattice(step=look.step * pixel, pixel_m=pixel)
    fitted = fit_field(ties.kept(used), trend[0], trend[0].at, look.grid.bounds, lattice)
    used[used] = fitted.used
    if not agreed(used):
        return _Fit(field=look.field, ties=ties, used=used)
    return _Fit(field=fitted.field, trend=trend[0], ties=ties, used=used, lattice=lattice)


def _fit_cells(look: Look, fit: _Fit, hands: _Hands) -> _Fit:
    """Fit the field to the cells of a level, around what is known already."""
    assert fit.trend is not None
    ties = search_cells(look, hands.executor, hands.progress)
    used = ties.strength >= _LEAST_STRENGTH
    if not agreed(used):
        return fit
    pixel = look.grid.pixel_m
    # Ties of a second look lie near the field of the first, leaning roofs among them: they would
    # have it follow what the first look left out.
    smoothness = fit.lattice.smoothness if fit.lattice else None
    lattice = Lattice(step=look.cell * pixel, pixel_m=pixel, smoothness=smoothness)
    fitted = fit_field(ties.kept(used), fit.trend, fit.field.shift, look.grid.bounds, lattice)
    used[used] = fitted.used
    return replace(fit, field=fitted.field, ties=ties, used=used, lattice=fitted.lattice)


def _alignment(judged: Judged, verdict: Verdict) -> Alignment:
    return Alignment(
        field=verdict.field,
        verdict=verdict.name,
        why=verdict.why,
        rms_m=verdict.rms_m,
        p95_m=verdict.p95_m,
        ties=judged.ties,
        used=judged.used,
        evidence=verdict.evidence,
        accepted_by="gate",
    )
