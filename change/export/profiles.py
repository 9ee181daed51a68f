"""Profiles: heights along the longest line through each suspect, before and after."""

from collections.abc import Iterable

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Polygon

from change.export.dossier import Profile
from survey.grid import Bounds, WorkingGrid
from survey.pair import Pair, PairReader

__all__ = ["longest_line", "take_profiles"]

# The ground on either side is what a height is compared with.
_BEYOND_M, _SAMPLES = 5.0, 64


def take_profiles(pair: Pair, outlines: Iterable[tuple[str, Polygon]]) -> dict[str, Profile]:
    """Return the heights through suspects by their id; none without two surface models.

    Parameters
    ----------
    pair
        The flights.
    outlines
        Id and outline, m, of each suspect.

    Raises
    ------
    FlightError
        A surface model cannot be read to its end.
    """
    if not pair.has_heights:
        return {}
    with PairReader(pair) as reader:
        return {name: _profile(reader, pair.grid, outline) for name, outline in outlines}


def longest_line(outline: Polygon) -> LineString:
    """Return the line along the middle of the smallest rectangle around an outline.

    It reaches 5 m beyond either end, and runs from west to east.

    Examples
    --------
    >>> from shapely import box
    >>> longest_line(box(0.0, 0.0, 10.0, 4.0)).coords[:]
    [(-5.0, 2.0), (15.0, 2.0)]
    """
    corners = shapely.get_coordinates(outline.minimum_rotated_rectangle)[:4]
    if len(corners) < 4:
        raise ValueError(f"an outline without area: {outline.wkt}")
    sides = np.diff(corners[:3], axis=0)
    along = sides[int(np.argmax(np.hypot(*sides.T)))]
    length = float(np.hypot(*along))
    middle, reach = corners.mean(axis=0), along / length * (length / 2 + _BEYOND_M)
    ends = sorted([tuple(middle - reach), tuple(middle + reach)])
    return LineString(ends)


def _profile(reader: PairReader, grid: WorkingGrid, outline: Polygon) -> Profile:
    line = longest_line(outline)
    steps = np.linspace(0.0, line.length, _SAMPLES)
    points = shapely.get_coordinates(shapely.line_interpolate_point(line, steps))
    left, bottom, right, top = line.buffer(2 * grid.pixel_m).bounds
    window = grid.window_of(Bounds(left=left, bottom=bottom, right=right, top=top))
    cols, rows = ~grid.transform_of(window) @ (points[:, 0], points[:, 1])
    at = np.floor(rows).astype(int), np.floor(cols).astype(int)
    before, after = (_told(heights[at]) for heights in reader.heights(window))
    return Profile(
        distance_m=tuple(float(step) for step in steps.round(2)), before_m=before, after_m=after
    )


def _told(heights: NDArray[np.float32]) -> tuple[float | None, ...]:
    """Return heights to the centimetre, None where they are unknown."""
    return tuple(round(float(height), 2) if np.isfinite(height) else None for height in heights)
