"""Whether an alignment can be trusted: verified, unverified or refused, and the measured reason."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from survey.field import (
    Affine2D,
    Field,
    Lattice,
    fit_field,
    flat_field,
    told_by_held_back,
)
from survey.grid import WorkingGrid
from survey.search import Evidence
from survey.ties import Ties, surface_peak, surface_strength
from survey.words import _

__all__ = ["Judged", "Verdict", "agreed", "judge"]

# All tiles' correlation summed. Unrelated ground reaches 5.5, whatever the area (100 pairs of the
# tuning draw); the same ground mostly 10 to 100, growing with the root of the area. From the first
# on, per root of a hectare, it is the same ground; below the second it is not, if there is enough
# of it: one hectare may be built over from edge to edge between two flights.
_SAME_GROUND, _OTHER_GROUND = 6.5, 5.6
_HECTARE, _ENOUGH_M2 = 1e4, 1.2e4
# Nor is it refused where less than this share of a picture shows edges: there is nothing to go by.
_LEAST_TEXTURE = 0.05
# With less of the smaller flight than this in common there is nothing to go on.
_LEAST_SHARED = 0.1
# Ties that must agree, in number and in share, for a field to follow them.
_LEAST_TIES, _LEAST_SHARE = 12, 0.2
# The largest held-back residual of a verified field, m.
_LARGEST_RESIDUAL_M = 0.5
# Roofs and crowns lean alike over several squares, which no tie that is held back can tell: on the
# tuning draw of the alignment benchmark the true error is larger by so much.
_LEANS_ALIKE = 1.4
# Ties are held back in squares of so many cells: cells are judged with their neighbours, so that
# single ones would not be independent.
_SQUARE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What there is to judge."""

    ties: Ties
    """Every tie of the last level."""
    used: NDArray[np.bool_]
    """Which of them the field follows."""
    trend: Affine2D | None
    """Their affine part; None where too few agreed."""
    field: Field
    """The field."""
    lattice: Lattice | None
    """Of the ties; None where too few agreed."""
    shared: float
    """Share of the smaller flight's rectangle that the other covers too."""
    scouted: float
    """Height of the peak of the first look at the whole, standard deviations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is made of it."""

    name: str
    """``verified``, ``unverified`` or ``refused``."""
    why: str
    """The measured reason, one sentence."""
    field: Field
    """What to go on with."""
    evidence: float
    """Peak of the summed correlation, standard deviations."""
    rms_m: float | None = None
    """Residual of ties that were held back, m."""
    p95_m: float | None = None
    """Its 95th percentile, m."""


def agreed(used: NDArray[np.bool_]) -> bool:
    """Return whether enough ties agree for a field to follow them."""
    return int(used.sum()) >= max(_LEAST_TIES, _LEAST_SHARE * len(used))


def judge(found: Judged, evidence: Evidence, grid: WorkingGrid, assumed_m: float) -> Verdict:
    """Give the verdict on the last level's ties and the summed evidence.

    Parameters
    ----------
    found
        Ties and field.
    evidence
        What whole tiles say.
    grid
        The grid of ``evidence``.
    assumed_m
        Error to assume where nothing was measured, m.
    """
    used, seen = int(found.used.sum()), found.ties.count
    strength = max(found.scouted, surface_strength(evidence.surface))
    numbers = {"used": used, "seen": seen, "evidence": strength, "error": assumed_m}
    if found.shared < _LEAST_SHARED:
        why = _("the flights have only {shared:.0%} of the smaller one's ground in common")
        return Verdict(
            name="refused",
            why=why.format(shared=found.shared),
            field=flat_field(grid.bounds, uncertainty=assumed_m),
            evidence=strength,
        )
    if found.trend is not None and agreed(found.used):
        held, missed = _held_back(found, grid)
        missed = _LEANS_ALIKE * missed
        rms = float(np.sqrt(np.mean(missed**2))) if len(missed) else math.inf
        if rms <= _LARGEST_RESIDUAL_M:
            why = _("{used} of {seen} windows agree to {rms:.2f} m").format(rms=rms, **numbers)
            p95 = float(np.percentile(missed, 95))
            return Verdict(
                name="verified",
                why=why,
                field=told_by_held_back(found.field, held, missed),
                evidence=strength,
                rms_m=rms,
                p95_m=p95,
            )
    return _unproven(found, evidence, grid, numbers)


def _unproven(
    found: Judged, evidence: Evidence, grid: WorkingGrid, numbers: dict[str, float]
) -> Verdict:
    """Tell the same ground, other ground and ground that says nothing apart by the evidence."""
    strength = numbers["evidence"]
    scale = math.sqrt(max(1.0, evidence.area_m2 / _HECTARE))
    flat = flat_field(grid.bounds, uncertainty=numbers["error"])
    if strength >= _SAME_GROUND * scale:
        why = _(
            "the same ground as a whole (evidence {evidence:.1f}), but only {used} of {seen}"
            " windows agree; an error of {error:g} m is assumed"
        )
        field = _one_shift(found.field, evidence, grid, flat)
        return Verdict(name="unverified", why=why.format(**numbers), field=field, evidence=strength)
    telling = evidence.area_m2 >= _ENOUGH_M2 and evidence.texture >= _LEAST_TEXTURE
    if strength < _OTHER_GROUND and telling:
        why = _(
            "no common ground found: {used} of {seen} windows agree (evidence {evidence:.1f});"
            " are these the same place?"
        )
        return Verdict(name="refused", why=why.format(**numbers), field=flat, evidence=strength)
    why = _(
        "nothing to measure by: {used} of {seen} windows agree (evidence {evidence:.1f});"
        " the georeferencing is kept and an error of {error:g} m assumed"
    )
    return Verdict(name="unverified", why=why.format(**numbers), field=flat, evidence=strength)


def _one_shift(field: Field, evidence: Evidence, grid: WorkingGrid, flat: Field) -> Field:
    """Return one shift for the whole: the field's in the middle, and what the evidence adds.

    The evidence adds nothing where the first look alone saw the same ground.
    """
    bounds, p = grid.bounds, grid.pixel_m
    middle = (
        np.array([(bounds.left + bounds.right) / 2]),
        np.array([(bounds.bottom + bounds.top) / 2]),
    )
    east, north = field.shift(*middle)
    if surface_strength(evidence.surface) < _OTHER_GROUND:
        return flat.moved(east=float(east[0]), north=float(north[0]))
    row, col = surface_peak(evidence.surface)
    return flat.moved(east=float(east[0]) + col * p, north=float(north[0]) - row * p)


def _held_back(found: Judged, grid: WorkingGrid) -> tuple[Ties, NDArray[np.float64]]:
    """Return ties and how far fields fitted to the other squares of a board miss them, m."""
    assert found.trend is not None
    assert found.lattice is not None
    kept = found.ties.kept(found.used)
    side = _SQUARE * found.lattice.step
    parity = (np.floor(kept.x / side) + np.floor(kept.y / side)).astype(np.int64) % 2 == 0
    held, missed = [], []
    for half in (parity, ~parity):
        if half.sum() < _LEAST_TIES:
            continue
        # From the trend: the field itself has seen the ties that are held back. And none weighed
        # down: half of them bound the holes of the board, where a first guess misses good ones.
        seen, trend = kept.kept(half), found.trend
        field = fit_field(seen, trend, trend.at, grid.bounds, found.lattice, screened=True).field
        other = kept.kept(~half)
        east, north = field.shift(other.x, other.y)
        held.append(other)
        missed.append(np.hypot(other.east - east, other.north - north))
    return Ties.joined(held), np.concatenate([np.zeros(0), *missed])
