"""Bring two flights onto the same ground, and say how far that can be trusted.

Coarse to fine: one shift for the whole, then ties in windows on finer and finer grids, each time
against the after flight already moved by the field so far. What
co-registration trials showed to matter: gradient directions rather than grey values, a second look
at every peak, and a field that is smooth between ties.
"""

import math
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from survey.blocks import Progress
from survey.errors import PairError
from survey.field import Field, fit_affine, fit_field, flat_field, local_outliers
from survey.flight import Flight
from survey.grid import WorkingGrid, transform_bounds, working_crs
from survey.reading import FlightReader
from survey.search import STEP_PX, Found, Look, search_ties
from survey.settings import AlignSettings
from survey.ties import Ties, correlate_images, descriptor, surface_peak, surface_strength
from survey.windows import Window, cut_blocks
from survey.words import _

__all__ = ["Alignment", "align", "common_ground"]

# Pixels along the longest side of the coarsest look.
_COARSEST_SIDE = 768
# Peak over rival from which a tie is believed (trials: 1.3 to 2.2 make little difference).
_LEAST_RATIO = 1.3
# All tiles' correlation summed, per 64 windows (a hectare at 0.2 m): six of seven true pairs across
# seasons reach 6.1 to 11, 12 unrelated ones at most 4.8; evidence grows with the root of the area.
# From the first on it is the same ground; below the second, on enough windows (3 ha), it is not.
_SAME_GROUND, _OTHER_GROUND = 6.0, 4.0
_PER_WINDOWS, _ENOUGH_WINDOWS = 64, 200
# What a verified field must have: ties in number and in share, and a small held-back residual.
_LEAST_TIES, _LEAST_SHARE, _LARGEST_RESIDUAL_M = 12, 0.2, 0.5


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
    """``gate`` or ``user``; a refused alignment is used only where the user accepted it."""

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
        The grid the pair is worked on; the finest level that is looked at.
    settings
        Search radius and what to assume where nothing can be measured.
    executor
        Where blocks run; None runs them here.
    progress
        Told after every block.

    Returns
    -------
    Alignment
        Never raises for flights that do not fit: the verdict says so.
    """
    factors = _levels(grid, settings.search_m)
    field = _whole_shift(before, after, grid.coarsened(factors[0]), settings)
    fitted = None
    for factor in factors:
        level = grid.coarsened(factor)
        look = Look(before=before, after=after, grid=level, field=field)
        found = search_ties(look, executor, progress)
        fitted = _fit(found.ties, level)
        if fitted is not None and _trustworthy(fitted[1], found):
            field = fitted[0]
    return _judge(found, fitted, look, settings)


def _levels(grid: WorkingGrid, search_m: float) -> list[int]:
    """Return the decimation factors of the levels, coarsest first, 1 last."""
    side = max(grid.width, grid.height) + 2 * search_m / grid.pixel_m
    factor = 1
    while side / factor > _COARSEST_SIDE:
        factor *= 2
    factors = [factor]
    while factor > 1:
        factor = max(1, factor // 4)
        factors.append(factor)
    return factors


def _whole_shift(
    before: Flight, after: Flight, grid: WorkingGrid, settings: AlignSettings
) -> Field:
    """Find one shift for the whole at the coarsest level; none where nothing shows."""
    search = max(4, math.ceil(settings.search_m / grid.pixel_m))
    whole = Window(row=0, col=0, height=grid.height, width=grid.width).padded(search)
    surface = correlate_images(
        _whole_descriptor(before, grid, whole), _whole_descriptor(after, grid, whole), search
    )
    flat = flat_field(grid.bounds, uncertainty=settings.assumed_error_m)
    if surface_strength(surface) < _SAME_GROUND:
        return flat
    row, col = surface_peak(surface)
    return flat.moved(east=col * grid.pixel_m, north=-row * grid.pixel_m)


def _whole_descriptor(flight: Flight, grid: WorkingGrid, window: Window) -> NDArray[np.complex64]:
    """Return the descriptor of a whole flight, read in tiles: a fine file is never held at once."""
    colour = np.zeros((3, window.height, window.width), np.uint8)
    valid = np.zeros((window.height, window.width), bool)
    with FlightReader(flight, grid) as reader:
        for block in cut_blocks(height=window.height, width=window.width, core=256, halo=0):
            for tile in block.tiles:
                part = tile.core
                at = Window(
                    row=window.row + part.row,
                    col=window.col + part.col,
                    height=part.height,
                    width=part.width,
                )
                picture = reader.picture(at)
                rows, cols = at.slices_in(window)
                colour[:, rows, cols] = picture.colour
                valid[rows, cols] = picture.valid
    return descriptor(colour, valid)


def _fit(ties: Ties, grid: WorkingGrid) -> tuple[Field, Ties] | None:
    """Fit the field to a level's ties; None where too few agree."""
    strong = ties.kept(ties.strength >= _LEAST_RATIO)
    if strong.count < 3:
        return None
    step = STEP_PX * grid.pixel_m
    # The RANSAC only has to throw out nonsense; bending within this is left to the local test.
    tolerance = max(2.5 * grid.pixel_m, 1.0)
    fitted = fit_affine(strong, tolerance=tolerance, rng=np.random.default_rng(0))
    if fitted is None or fitted[1].sum() < 3:
        return None
    trend, agree = fitted
    kept = strong.kept(agree)
    if kept.count >= 12:
        kept = kept.kept(~local_outliers(kept, step=step))
    if kept.count < 3:
        return None
    floor = 0.25 * grid.pixel_m
    return fit_field(kept, trend, grid.bounds, step=step, floor=floor), kept


def _held_back(kept: Ties, grid: WorkingGrid) -> NDArray[np.float64]:
    """Return the residuals, m, of ties against a field fitted to the other checkerboard half."""
    step = STEP_PX * grid.pixel_m
    parity = (np.rint(kept.x / step) + np.rint(kept.y / step)).astype(np.int64) % 2 == 0
    missed = []
    for half in (parity, ~parity):
        fitted = _fit(kept.kept(half), grid)
        if fitted is None:
            continue
        east, north = fitted[0].shift(kept.x[~half], kept.y[~half])
        missed.append(np.hypot(kept.east[~half] - east, kept.north[~half] - north))
    return np.concatenate([np.zeros(0), *missed])


def _trustworthy(kept: Ties, found: Found) -> bool:
    """Whether enough ties agree for the field to follow them."""
    return kept.count >= max(_LEAST_TIES, _LEAST_SHARE * found.ties.count)


def _judge(
    found: Found, fitted: tuple[Field, Ties] | None, look: Look, settings: AlignSettings
) -> Alignment:
    """Give the verdict on the last level's ties and summed evidence."""
    seen, evidence = found.ties.count, surface_strength(found.surface)
    scale = math.sqrt(max(1.0, seen / _PER_WINDOWS))
    used = fitted[1].count if fitted is not None else 0
    numbers = {"used": used, "seen": seen, "evidence": evidence}
    places = found.ties.x + 1j * found.ties.y
    kept = fitted[1].x + 1j * fitted[1].y if fitted is not None else np.zeros(0)
    seen_and_used = found.ties, np.isin(places, kept)
    if fitted is not None and _trustworthy(fitted[1], found):
        missed = _held_back(fitted[1], look.grid)
        rms = float(np.sqrt(np.mean(missed**2))) if len(missed) else math.inf
        if rms <= _LARGEST_RESIDUAL_M:
            p95 = float(np.percentile(missed, 95))
            why = _("{used} of {seen} windows agree to {rms:.2f} m").format(rms=rms, **numbers)
            return _alignment(
                "verified", why, fitted[0], evidence, seen_and_used, residual=(rms, p95)
            )
    flat = flat_field(look.grid.bounds, uncertainty=settings.assumed_error_m)
    if evidence >= _SAME_GROUND * scale:
        row, col = surface_peak(found.surface)
        p = look.grid.pixel_m
        middle = look.field.shift(*_middle(look.grid))
        field = flat.moved(east=float(middle[0][0]) + col * p, north=float(middle[1][0]) - row * p)
        why = _(
            "the same ground as a whole (evidence {evidence:.1f}), but only {used} of {seen}"
            " windows agree; an error of {error:g} m is assumed"
        )
        return _alignment(
            "unverified",
            why.format(error=settings.assumed_error_m, **numbers),
            field,
            evidence,
            seen_and_used,
        )
    if evidence < _OTHER_GROUND * scale and seen >= _ENOUGH_WINDOWS:
        why = _(
            "no common ground found: {used} of {seen} windows agree (evidence {evidence:.1f});"
            " are these the same place?"
        )
        return _alignment("refused", why.format(**numbers), flat, evidence, seen_and_used)
    why = _(
        "nothing to measure by: {used} of {seen} windows agree (evidence {evidence:.1f});"
        " the georeferencing is kept and an error of {error:g} m assumed"
    )
    return _alignment(
        "unverified",
        why.format(error=settings.assumed_error_m, **numbers),
        flat,
        evidence,
        seen_and_used,
    )


def _middle(grid: WorkingGrid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    bounds = grid.bounds
    return (
        np.array([(bounds.left + bounds.right) / 2]),
        np.array([(bounds.bottom + bounds.top) / 2]),
    )


def _alignment(
    verdict: str,
    why: str,
    field: Field,
    evidence: float,
    ties: tuple[Ties, NDArray[np.bool_]],
    residual: tuple[float, float] | None = None,
) -> Alignment:
    return Alignment(
        field=field,
        verdict=verdict,
        why=why,
        rms_m=residual[0] if residual else None,
        p95_m=residual[1] if residual else None,
        ties=ties[0],
        used=ties[1],
        evidence=evidence,
        accepted_by="gate",
    )
