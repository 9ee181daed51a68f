"""How far the permits are drawn from the roofs they stand for in the earlier flight.

Permit drawings and orthophotos come from different surveys and sit metres apart, here more than
there. The drawn outlines are held against the edges of the picture, and the steps of the surface
model where there is one, at every shift in question: first far and wide, then neighbourhood by
neighbourhood (``change.layer_search``), whose answers become one smooth field
(``change.neighbourhoods``).
"""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray

from change.layer_search import (
    LEAST_OUTLINES,
    NEAR_M,
    Answer,
    Outlines,
    centroids,
    tell_neighbourhoods,
    tell_regions,
    told_by,
    usable,
)
from change.neighbourhoods import fit_told
from change.permits import Permits
from change.sight import Sight
from survey.field import Field, flat_field
from survey.grid import Coordinates, WorkingGrid
from survey.settings import PermitSettings
from survey.words import _

__all__ = ["LayerOffset", "fit_offset"]

# How clearly a shift must beat its rivals, in sigmas of a normal distribution. Of 360 layers that
# belonged elsewhere none went beyond 1.1 (benchmarks/permit_offsets.py), one in trials 1.9.
_SURE = 2.5
# Where nothing can be told the layer is believed to this, m: as georeferencing is elsewhere
# (``AlignSettings.assumed_error_m``).
_UNKNOWN_M = 1.0
# What is drawn farther off the flight stays as it is, m.
_AROUND_M = 200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerOffset:
    """Where the flight shows what the permits draw, place by place."""

    verdict: str
    """``found``, or ``unknown``: then nothing is moved, and the error is what has to be assumed."""
    why: str
    """A sentence that says what it was taken from, or why nothing can be told."""
    east_m: float
    """How much further east the flight shows what is drawn, on the whole, m."""
    north_m: float
    """How much further north the flight shows what is drawn, on the whole, m."""
    error_m: float
    """Expected error of the shift at a place (one sigma in either direction), median, m."""
    evidence: float
    """How clearly the shift beats the next best one, in sigmas."""
    residual_m: float | None
    """Median distance of what neighbourhoods say from the field, m; None where none says any."""
    outlines: int
    """Outlines that took part."""
    neighbourhoods: int
    """Neighbourhoods that told a shift of their own."""
    field: Field
    """The shift and its uncertainty (one sigma in either direction) over the area."""

    @property
    def found(self) -> bool:
        """Whether the layer is moved."""
        return self.verdict == "found"

    def at(self, x: Coordinates, y: Coordinates) -> tuple[Coordinates, Coordinates, Coordinates]:
        """Return (east, north, error) at places where something is drawn, m, of their shape."""
        return *self.field.shift(x, y), self.field.uncertainty_at(x, y)

    def moved(self, permits: Permits) -> Permits:
        """Return the layer with the outlines, and the places of flaws, where the flight has them.

        An outline is moved as one, by the shift at its centroid. What lies more than 200 m off the
        flight stays where it is drawn: of a city's layer that is most, and nobody asks for it.
        """
        if not self.found:
            return permits
        drawn = _outlines(permits)
        moved = np.flatnonzero(self._near(drawn))
        outlines = dict(zip(moved.tolist(), self._move(drawn[moved].tolist()), strict=True))
        flawed = [i for i, row in enumerate(permits.bad_rows) if row.where is not None]
        rows = list(permits.bad_rows)
        for index, where in zip(flawed, self._move([rows[i].where for i in flawed]), strict=True):
            rows[index] = replace(rows[index], where=where)
        return replace(
            permits,
            permits=tuple(
                replace(permit, outline=outlines[index]) if index in outlines else permit
                for index, permit in enumerate(permits.permits)
            ),
            bad_rows=tuple(rows),
        )

    def error_at(self, permits: Permits) -> NDArray[np.float64]:
        """Return the error at every permit, drawn or moved, in their order, m."""
        x, y = centroids(_outlines(permits))
        return self.field.uncertainty_at(x, y)

    def _near(self, outlines: Outlines) -> NDArray[np.bool_]:
        """Whether outlines lie on the flight, or within 200 m."""
        field, (x, y) = self.field, centroids(outlines)
        rows, cols = field.east.shape
        right, bottom = field.left + field.step * (cols - 1), field.top - field.step * (rows - 1)
        across = (x > field.left - _AROUND_M) & (x < right + _AROUND_M)
        return np.asarray(across & (y < field.top + _AROUND_M) & (y > bottom - _AROUND_M))

    def _move(self, shapes: Sequence[shapely.Geometry | None]) -> Outlines:
        moved = np.array(shapes, dtype=object)
        x, y = centroids(moved)
        lost = ~(np.isfinite(x) & np.isfinite(y))
        east, north = self.field.shift(np.where(lost, 0, x), np.where(lost, 0, y))
        corners, whose = shapely.get_coordinates(moved, return_index=True)
        shift = np.stack([east, north], axis=1)
        return np.asarray(shapely.set_coordinates(moved, corners + shift[whose]), dtype=object)


def fit_offset(
    permits: Permits, sight: Sight, settings: PermitSettings, *, executor: Executor | None = None
) -> LayerOffset:
    """Find where a flight shows what the permits draw.

    Parameters
    ----------
    permits
        Outlines in the CRS of the flight's grid.
    sight
        The flight, with its heights where they can be used.
    settings
        ``layer_search_m`` is the largest shift looked for.
    executor
        Where the work runs; the result is the same anywhere.

    Returns
    -------
    LayerOffset
        ``unknown`` where there are too few outlines, or no shift is clearly the best.
    """
    outlines = usable(_outlines(permits), sight.grid)
    if len(outlines) < LEAST_OUTLINES:
        why = _("only {count} permits are drawn on the ground of the flights").format(
            count=len(outlines)
        )
        return _unknown(sight.grid, why, len(outlines), 0.0)
    x, y = centroids(outlines)
    reach = max(settings.layer_search_m, NEAR_M)
    regions = tell_regions(outlines, sight, reach, executor)
    evidence = max((region.evidence for region in regions), default=0.0)
    if evidence < _SURE:
        why = _(
            "the permits fit the flight at no shift within {reach:g} m much better than at another"
        ).format(reach=reach)
        return _unknown(sight.grid, why, len(outlines), evidence)
    start, _residuals = fit_told(told_by(_sure(regions)), sight.grid.bounds)
    local = tell_neighbourhoods(outlines, sight, start, executor)
    answers = local or _sure(regions)
    field, residuals = fit_told(told_by(answers), sight.grid.bounds)
    east, north = (float(np.median(v)) for v in field.shift(x, y))
    count = sum(answer.outlines for answer in answers)
    return LayerOffset(
        verdict="found",
        why=_("taken from {count} outlines in {places} neighbourhoods").format(
            count=count, places=len(answers)
        ),
        east_m=east,
        north_m=north,
        error_m=float(np.median(field.uncertainty_at(x, y))),
        evidence=evidence,
        residual_m=float(np.median(residuals)) if local else None,
        outlines=count,
        neighbourhoods=len(local),
        field=field,
    )


def _sure(regions: Sequence[Answer]) -> list[Answer]:
    return [region for region in regions if region.evidence >= _SURE]


def _unknown(grid: WorkingGrid, why: str, outlines: int, evidence: float) -> LayerOffset:
    return LayerOffset(
        verdict="unknown",
        why=why,
        east_m=0.0,
        north_m=0.0,
        error_m=_UNKNOWN_M,
        evidence=evidence,
        residual_m=None,
        outlines=outlines,
        neighbourhoods=0,
        field=flat_field(grid.bounds, uncertainty=_UNKNOWN_M),
    )


def _outlines(permits: Permits) -> Outlines:
    return np.array([permit.outline for permit in permits.permits], dtype=object)
