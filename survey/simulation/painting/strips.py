"""Wide windows cut into strips that stay in the processor's cache.

Every painter gives a pixel the same value in whatever window, so how a window is cut cannot show.
"""

import math
from collections.abc import Iterator
from dataclasses import replace

from survey.simulation.painting.canvas import Box, Lattice

__all__ = ["strips"]

_ROWS = 64
_PIXELS = 32_768  # 128 KiB for each float32 array: a dozen of them fit into a second-level cache


def strips(box: Box, half_u_m: float = math.inf, half_v_m: float = math.inf) -> Iterator[Box]:
    """Cut a window into strips of rows, each only as wide as a turned rectangle needs it.

    Parameters
    ----------
    box
        The window; its place is the rectangle's centre and direction.
    half_u_m, half_v_m
        Half sides of the rectangle, metres; infinite for the whole window.

    Yields
    ------
    Box
        From north to south; none where the rectangle does not reach.
    """
    whole = box.lattice
    if whole.rows * whole.columns <= _PIXELS:
        yield box
        return
    deep = min(_ROWS, max(8, _PIXELS // whole.columns))
    corners = _corners(box, half_u_m, half_v_m) if math.isfinite(half_u_m + half_v_m) else []
    for row in range(whole.row, whole.row + whole.rows, deep):
        rows = min(deep, whole.row + whole.rows - row)
        first, last = whole.column, whole.column + whole.columns
        if corners:
            west, east = _reach(corners, -(row + rows) * whole.pixel_m, -row * whole.pixel_m)
            first = max(first, math.floor(west / whole.pixel_m) if west < east else last)
            last = min(last, math.ceil(east / whole.pixel_m) if west < east else first)
        if first < last:
            part = Lattice(
                pixel_m=whole.pixel_m, column=first, row=row, columns=last - first, rows=rows
            )
            yield replace(box, lattice=part)


def _corners(box: Box, half_u_m: float, half_v_m: float) -> list[tuple[float, float]]:
    """Give the rectangle's corners as (x, y), all the way round."""
    signs = ((1.0, 1.0), (1.0, -1.0), (-1.0, -1.0), (-1.0, 1.0))
    places = [box.place.move(u * half_u_m, v * half_v_m) for u, v in signs]
    return [(place.x, place.y) for place in places]


def _reach(corners: list[tuple[float, float]], south: float, north: float) -> tuple[float, float]:
    """Give the westmost and eastmost x of a convex outline between two northings."""
    found = [x for x, y in corners if south <= y <= north]
    for (x, y), (next_x, next_y) in zip(corners, corners[1:] + corners[:1], strict=True):
        found += [
            x + (next_x - x) * (level - y) / (next_y - y)
            for level in (south, north)
            if min(y, next_y) < level < max(y, next_y)
        ]
    return (min(found), max(found)) if found else (math.inf, -math.inf)
