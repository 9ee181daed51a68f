"""Ground that was not judged, with the reason: no suspect there means nothing. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from shapely import Polygon
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from change.outlines import join_across_seams, joined_in_metres, mask_polygons
from survey.crs import transformer
from survey.flight import Flight
from survey.grid import WorkingGrid
from survey.pair import Pair

__all__ = ["EXCLUDED", "Excluded", "clip_to", "excluded_ground", "unjudged_cells"]

EXCLUDED = ("no_overlap", "not_seen_before", "not_seen_after", "uncertain")
"""Why ground was not judged; the slugs that data carries."""

# Excluded ground is drawn in cells of this size, and from this area on, m and m2.
_CELL_M, _LEAST_EXCLUDED_M2 = 1.0, 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Excluded:
    """Ground that was not judged."""

    outline: Polygon
    """Where, m."""
    reason: str
    """One of ``EXCLUDED``."""


def unjudged_cells(mask: NDArray[np.bool_], place: Affine, pixel: float) -> list[Polygon]:
    """Return the outlines of a mask drawn in coarse cells."""
    if not mask.any():
        return []
    side = max(1, round(_CELL_M / pixel))
    height, width = -(-mask.shape[0] // side), -(-mask.shape[1] // side)
    padded = np.pad(
        mask, ((0, height * side - mask.shape[0]), (0, width * side - mask.shape[1])), mode="edge"
    )
    coarse = padded.reshape(height, side, width, side).mean(axis=(1, 3)) >= 0.5
    return mask_polygons(coarse, place @ Affine.scale(side))


def excluded_ground(cells: Mapping[str, list[Polygon]], pair: Pair) -> tuple[Excluded, ...]:
    """Return the ground that was not judged, the parts only one flight covers included.

    Parameters
    ----------
    cells
        For each reason the cells that tiles found, in whole pixels of the grid, (col, row).
    pair
        The flights.
    """
    found: list[Excluded] = []
    for reason in EXCLUDED:
        parts = joined_in_metres(cells[reason], pair.grid.transform)
        if reason == "no_overlap":
            parts = join_across_seams(_outside(pair))
        found.extend(_large_enough(parts, reason))
    return tuple(found)


def clip_to(
    within: BaseGeometry, excluded: tuple[Excluded, ...], grid: WorkingGrid
) -> tuple[tuple[Excluded, ...], float]:
    """Return what of the area asked for was not judged, and how much of it was, m2.

    What of it no pair of flights covers is ``no_overlap``.
    """
    ground = _ground(grid)
    found = [
        part
        for item in excluded
        if item.reason != "no_overlap"
        for part in _large_enough(_polygons(item.outline.intersection(within)), item.reason)
    ]
    missing = sum(item.outline.area for item in found)
    beyond = _large_enough(_polygons(within.difference(ground)), "no_overlap")
    judged = max(0.0, float(within.intersection(ground).area) - missing)
    return (*beyond, *found), judged


def _large_enough(parts: list[Polygon], reason: str) -> list[Excluded]:
    return [
        Excluded(outline=outline, reason=reason)
        for outline in parts
        if outline.area >= _LEAST_EXCLUDED_M2
    ]


def _polygons(geometry: BaseGeometry) -> list[Polygon]:
    return [part for part in shapely.get_parts(geometry) if isinstance(part, Polygon)]


def _ground(grid: WorkingGrid) -> Polygon:
    bounds = grid.bounds
    return box(bounds.left, bounds.bottom, bounds.right, bounds.top)


def _outside(pair: Pair) -> list[Polygon]:
    """Return what either flight's files cover beyond the working grid."""
    shared = _ground(pair.grid).buffer(_CELL_M, join_style="mitre")
    covered = shapely.union_all([_footprint(pair.before, pair), _footprint(pair.after, pair)])
    return _polygons(covered.difference(shared))


def _footprint(flight: Flight, pair: Pair) -> shapely.Geometry:
    """Return the ground a flight's files cover, in the pair's CRS."""
    change = transformer(flight.crs, pair.grid.crs)
    parts = []
    for source in flight.sources:
        xs, ys = change.transform(*source.grid.corners.T)
        parts.append(Polygon(np.stack([xs, ys], axis=1)))
    return shapely.union_all(parts)
