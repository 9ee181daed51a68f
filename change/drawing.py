"""What was measured, each place once, drawn where the picture shows it at its full resolution."""

import shapely
from shapely import Polygon

from change.looks import VANISHED, Measured
from change.outlines import square
from change.refinement import refine
from survey.grid import Bounds, WorkingGrid
from survey.pair import Pair
from survey.reading import FlightReader
from survey.working_copy import without_copies

__all__ = ["draw_outline", "each_place_once"]

# Edges are looked for so far from where they were measured, and this much more is read, m.
_REACH_M, _MORE_M = 0.9, 2.0
# Pictures are read at no finer pixel than this, m, and no window is larger than this, pixels.
_FINEST_M, _LARGEST_PX = 0.05, 3000
# How far a squared outline may move a vertex: pixels of the working grid, and at most, m.
_SLACK_PX, _SLACK_M = 3, 0.9
# Two findings that share this much of the smaller one are one place.
_SAME_PLACE = 0.3


def draw_outline(item: Measured, pair: Pair) -> Polygon:
    """Return the outline of what was measured, squared, on the edges that the picture shows.

    What was measured by heights is squared alone: roofs that lean stand beside their heights.

    Raises
    ------
    FlightError
        A file cannot be read to its end.
    """
    if item.height_gain_m is not None:
        slack = min(_SLACK_PX * pair.grid.pixel_m, _SLACK_M)
        return square(item.outline, slack_m=slack)
    gone = item.kind in VANISHED
    flight = without_copies(pair.before if gone else pair.after)
    left, bottom, right, top = item.outline.bounds
    around = Bounds(left=left, bottom=bottom, right=right, top=top).buffered(_REACH_M + _MORE_M)
    coarsest = max(around.right - around.left, around.top - around.bottom) / _LARGEST_PX
    pixel = max(min(flight.pixel_m, pair.grid.pixel_m), _FINEST_M, coarsest)
    grid = WorkingGrid.around(around, crs=pair.grid.crs, pixel_m=pixel)
    window = grid.window_of(around)
    with FlightReader(flight, grid) as reader:
        shown = reader.picture(window, None if gone else pair.alignment.field.shift)
    transform = grid.transform_of(window)
    refined = refine(item.outline, shown.colour, transform, reach_m=_REACH_M, valid=shown.valid)
    return refined.outline


def each_place_once(items: list[Measured]) -> list[Measured]:
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
