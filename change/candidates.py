"""Candidates: places where evidence was found, and a closer look at each of them."""

from dataclasses import dataclass, replace

from shapely import Polygon

from change.displaced import DISPLACED_M, displaced_clues, worth_a_search
from change.leaning import LEANING_M, along_clues
from change.looks import MARGIN_M, VANISHED, Look, Measured, with_maps, with_numbers
from change.map_file import MapFile
from change.objects import measure
from change.shadows import Shadows
from survey.grid import Bounds
from survey.pair import Pair, PairReader
from survey.settings import DetectSettings

__all__ = ["Candidate", "Near", "measured_closely", "sought_along"]

# Windows of candidates are read at most this large; beyond it they are measured at coarser pixels.
_LARGEST_WINDOW_PX = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A place where evidence was found."""

    outline: Polygon
    """Where, m."""
    gained: bool
    """Whether something appeared there, or went."""
    roofs: tuple[Polygon, ...] = ()
    """Roofs known to stand around it, m."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """What is known for a closer look."""

    pair: Pair
    """The flights on one grid."""
    settings: DetectSettings
    """What counts as a change."""
    maps: MapFile
    """What the detector made of them."""
    shadows: tuple[Shadows | None, Shadows | None]
    """How shadows fall in the earlier flight and in the later."""


def measured_closely(candidate: Candidate, near: Near, reader: PairReader) -> list[Measured]:
    """Measure a candidate; what pictures alone say of it is looked for elsewhere, too.

    Raises
    ------
    FlightError
        A file cannot be read to its end.
    """
    look = _look_at(candidate, MARGIN_M, near, reader)
    found = []
    for item in measure(look, near.pair.light, near.settings):
        clues = {}
        if worth_a_search(item):
            around = _look_at(replace(candidate, outline=item.outline), DISPLACED_M, near, reader)
            clues = displaced_clues(around, near.pair.light)
        found.append(with_numbers(item, clues))
    return found


def sought_along(item: Measured, way_deg: float, near: Near, reader: PairReader) -> Measured:
    """Look for what was measured along the way in which all roofs are drawn off.

    Raises
    ------
    FlightError
        A file cannot be read to its end.
    """
    if not worth_a_search(item):
        return item
    place = Candidate(outline=item.outline, gained=item.kind not in VANISHED)
    around = _look_at(place, LEANING_M, near, reader)
    return with_numbers(item, along_clues(around, near.pair.light, way_deg))


def _look_at(candidate: Candidate, around_m: float, near: Near, reader: PairReader) -> Look:
    """Return a candidate with everything seen so far around it."""
    left, bottom, right, top = candidate.outline.bounds
    around = Bounds(left=left, bottom=bottom, right=right, top=top).buffered(around_m)
    grid = near.pair.grid
    window = grid.window_of(around)
    factor = -(-max(window.height, window.width) // _LARGEST_WINDOW_PX)
    if factor > 1:
        grid = grid.coarsened(factor)
        window = grid.window_of(around)
        with PairReader(replace(near.pair, grid=grid)) as coarse:
            data = coarse.read(window)
    else:
        data = reader.read(window)
    transform = grid.transform_of(window)
    maps = near.maps.read(transform, (window.height, window.width))
    return Look(
        window=with_maps(reader.compared(data), maps),
        transform=transform,
        outline=candidate.outline,
        gained=candidate.gained,
        roofs=candidate.roofs,
        shadows=near.shadows,
    )
