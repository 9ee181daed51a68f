"""The surface models of two flights, made one: holes, place and datum, looked at once.

In this order: zeros that are holes; whether each model lies where its own orthophoto lies; the
plane between both; and whether, with the orthophotos aligned, their relief still lies apart. The
last is tried both ways and kept only where it makes the models agree better.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from survey.field import Field
from survey.flight import Flight
from survey.grid import Coordinates, WorkingGrid
from survey.heights import (
    LARGEST_TILT,
    Datum,
    fit_datum,
    holds_zero_holes,
    level_ground,
)
from survey.placed_surface import (
    PlacedSurface,
    place_surface,
    surface_remarks,
    without_zeros,
)
from survey.reading import FlightReader, Shift
from survey.relief import ReliefShift, fit_relief, moved_heights
from survey.surface_fit import SurfaceFit
from survey.windows import Window, cut_blocks
from survey.words import _

__all__ = ["Surfaces", "bring_together", "centres", "look_tiles", "whole_window"]

# Slope up to which ground is level: as flat as most is, then whatever hills leave, m per m.
_SLOPES = (0.1, 0.25, 0.6)
# Samples of level ground that are enough, and in how many of 5 x 5 parts of the area they lie.
_ENOUGH, _PARTS, _ENOUGH_PARTS = 400, 5, 8
# A shift told by relief is believed from here on: its own error in sigmas, and what was left on
# simulated flights without any (0.06 m; benchmarks/surfaces.py), m. Beyond the last, something else
# is wrong.
_SIGMAS, _LEAST_SHIFT_M, _LARGEST_SHIFT_M = 3.0, 0.15, 4.0
# A distance from the orthophoto less certain than this says nothing, m.
_VAGUE_M = 1.0
# It must make slopes agree better by this share, and level ground worse by no more than this.
_GAIN, _NO_HARM = 0.95, 1.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Surfaces:
    """What was found of the surface models of two flights, and how they are read."""

    before: Flight
    """The earlier model, holes marked."""
    after: Flight
    """The later model, holes marked."""
    fit_before: SurfaceFit
    """How the earlier model lies against its orthophoto."""
    fit_after: SurfaceFit
    """How the later model lies against its orthophoto."""
    relief: ReliefShift | None
    """How the later model lies against the earlier one, once both lie as their orthophotos do;
    None where there are too few slopes."""
    relief_moves: str
    """Which model is read moved by that: ``before`` or ``after``, whichever its own orthophoto
    speaks against, or ``none``."""
    ground: str
    """What the datum was taken from: ``level bare``, ``sloping bare``, ``level``, ``any``, or
    ``none``."""
    datum: Datum | None
    """Plane between the models as they are read; None without stable ground in common."""
    zero_holes: tuple[str, ...]
    """Names of the models in which heights of exactly 0 are holes."""

    def shift_before(self, x: Coordinates, y: Coordinates) -> tuple[Coordinates, Coordinates]:
        """Return how far off the earlier model shows what the earlier orthophoto shows, m."""
        east, north = self._moved("before")
        return x * 0 + east, y * 0 + north

    def shift_after(self, field: Field) -> Shift:
        """Return how far off the later model shows what the earlier orthophoto shows, m."""
        east, north = self._moved("after")

        def shift(x: Coordinates, y: Coordinates) -> tuple[Coordinates, Coordinates]:
            dx, dy = field.shift(x, y)
            return dx + east, dy + north

        return shift

    def _moved(self, role: str) -> tuple[float, float]:
        """Return (east, north) that a model is read moved by, beside the field, m."""
        fit = self.fit_before if role == "before" else self.fit_after
        east, north = fit.shift
        if self.relief is not None and self.relief_moves == role:
            sign = -1 if role == "before" else 1
            east, north = east + sign * self.relief.east, north + sign * self.relief.north
        return east, north

    def remarks(self) -> Iterator[str]:
        """Yield what a user should know of it, one sentence each."""
        for model, fit in ((self.before, self.fit_before), (self.after, self.fit_after)):
            yield from surface_remarks(model.name, fit, zero_holes=model.name in self.zero_holes)
        if self.relief is not None and self.relief_moves != "none":
            later = self.relief_moves == "after"
            text = _(
                "{name}: its relief lies {east:+.1f} m east, {north:+.1f} m north of {other};"
                " moved back"
            )
            yield text.format(
                name=(self.after if later else self.before).name,
                other=(self.before if later else self.after).name,
                east=self.relief.east if later else -self.relief.east,
                north=self.relief.north if later else -self.relief.north,
            )
        if self.datum is None:
            yield _(
                "the surface models have no stable ground in common (or tilt against each other by"
                " more than {tilt:g} m over 100 m) and are not compared: each tells only what"
                " stands high in its own flight"
            ).format(tilt=100 * LARGEST_TILT)


def whole_window(grid: WorkingGrid) -> Window:
    """Return the window that is the whole grid."""
    return Window(row=0, col=0, height=grid.height, width=grid.width)


def look_tiles(grid: WorkingGrid) -> Iterator[Window]:
    """Yield the windows a whole grid is looked through in."""
    for block in cut_blocks(height=grid.height, width=grid.width, core=256, halo=0):
        yield from (tile.core for tile in block.tiles)


def centres(grid: WorkingGrid, window: Window) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return x of the columns and y of the rows of a window, m, at the centres of its pixels."""
    across, down = (np.arange(n, dtype=np.float64) for n in (window.width, window.height))
    x = (grid.left_px + window.col + 0.5 + across) * grid.pixel_m
    y = (grid.top_px - window.row - 0.5 - down) * grid.pixel_m
    return x, y


def bring_together(
    flights: tuple[Flight, Flight],
    grid: WorkingGrid,
    field: Field,
    coarse: WorkingGrid,
    bare: NDArray[np.bool_],
) -> Surfaces | None:
    """Bring the surface models of two aligned flights together.

    Parameters
    ----------
    flights
        Before and after.
    grid
        The grid the pair is worked on.
    field
        How the after flight is moved.
    coarse
        The grid coarsened for a look at the whole, a million pixels at most.
    bare
        (row, col) of ``coarse``; True where neither picture is green.

    Returns
    -------
    Surfaces or None
        None unless both flights have a surface model.

    Raises
    ------
    FlightError
        A file cannot be read to its end.
    """
    if flights[0].dsm is None or flights[1].dsm is None:
        return None
    placed = [place_surface(flight, grid) for flight in flights]
    before, first = _look(placed[0], coarse, None)
    after, second = _look(placed[1], coarse, field.shift)
    datum, ground = _fit_level((first, second), coarse, bare)
    relief = None if datum is None else _fit_relief((first, second), coarse, datum)
    moves = "none"
    if datum is not None and relief is not None and _stands_out(relief):
        second = moved_heights(second, coarse.pixel_m, east=relief.east, north=relief.north)
        again, again_ground = _fit_level((first, second), coarse, bare)
        if again is not None and again.residual_m <= _NO_HARM * datum.residual_m:
            datum, ground = again, again_ground
            moves = _model_off(relief, before.fit, after.fit)
    return Surfaces(
        before=before.model,
        after=after.model,
        fit_before=before.fit,
        fit_after=after.fit,
        relief=relief,
        relief_moves=moves,
        ground=ground,
        datum=datum,
        zero_holes=tuple(one.model.name for one in (before, after) if one.zero_holes),
    )


def _look(
    placed: PlacedSurface, coarse: WorkingGrid, field: Shift | None
) -> tuple[PlacedSurface, NDArray[np.float32]]:
    """Read a whole model coarsely, each pixel where it is shown; look once more at holes."""

    def shift(x: Coordinates, y: Coordinates) -> tuple[Coordinates, Coordinates]:
        own = placed.shift(x, y)
        moved = (x * 0, y * 0) if field is None else field(x, y)
        return own[0] + moved[0], own[1] + moved[1]

    seen = _read_whole(placed.model, coarse, shift)
    if not placed.zero_holes and holds_zero_holes([seen]):
        placed = replace(placed, model=without_zeros(placed.model, [seen]), zero_holes=True)
        seen = _read_whole(placed.model, coarse, shift)
    return placed, seen


def _read_whole(model: Flight, coarse: WorkingGrid, shift: Shift) -> NDArray[np.float32]:
    heights = np.full((coarse.height, coarse.width), np.nan, np.float32)
    with FlightReader(model, coarse) as reader:
        for window in look_tiles(coarse):
            rows, cols = window.slices_in(whole_window(coarse))
            heights[rows, cols] = reader.heights(window, shift)
    return heights


def _fit_level(
    heights: tuple[NDArray[np.float32], NDArray[np.float32]],
    grid: WorkingGrid,
    bare: NDArray[np.bool_],
) -> tuple[Datum | None, str]:
    """Fit the datum to the best ground there is enough of, and say which that is."""
    if any(len(np.unique(model[np.isfinite(model)])) < 2 for model in heights):
        return None, "none"  # nothing stands on a model of one height throughout
    difference = (heights[1] - heights[0]).astype(np.float64)
    x, y = centres(grid, whole_window(grid))
    xs, ys = (np.ravel(a) for a in np.meshgrid(x, y))
    for ground, level in _grounds(heights, grid.pixel_m, bare):
        if not _enough(level & np.isfinite(difference), np.isfinite(difference)):
            continue
        datum = fit_datum(xs, ys, difference.ravel(), level.ravel())
        if datum is not None:
            return datum, ground
    return None, "none"


def _grounds(
    heights: tuple[NDArray[np.float32], NDArray[np.float32]],
    pixel_m: float,
    bare: NDArray[np.bool_],
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield ground to take the datum from, the best first."""
    for name, slope, green in (
        ("level bare", _SLOPES[0], False),
        ("sloping bare", _SLOPES[1], False),
        ("level", _SLOPES[1], True),
        ("any", _SLOPES[2], True),
    ):
        level = [level_ground(model, pixel_m, slope=slope) for model in heights]
        yield name, level[0] & level[1] & (bare | green)


def _enough(level: NDArray[np.bool_], seen: NDArray[np.bool_]) -> bool:
    """Whether level ground is enough and lies all over the area that both models show."""
    if np.count_nonzero(level) < min(_ENOUGH, 0.05 * np.count_nonzero(seen)):
        return False
    rows, cols = (np.arange(size) * _PARTS // size for size in level.shape)
    part = rows[:, None] * _PARTS + cols[None, :]
    held, shown = (len(np.unique(part[mask])) for mask in (level, seen))
    return held >= min(_ENOUGH_PARTS, shown)


def _fit_relief(
    heights: tuple[NDArray[np.float32], NDArray[np.float32]], grid: WorkingGrid, datum: Datum
) -> ReliefShift | None:
    x, y = centres(grid, whole_window(grid))
    plane = datum.at(x[None, :], y[:, None]).astype(np.float32)
    return fit_relief(heights[0], heights[1] - plane, grid.pixel_m)


def _stands_out(relief: ReliefShift) -> bool:
    """Whether a shift is beyond its error and makes slopes agree better."""
    proved = max(_LEAST_SHIFT_M, _SIGMAS * relief.error_m)
    return (
        proved < relief.distance_m < _LARGEST_SHIFT_M
        and relief.spread_after_m < _GAIN * relief.spread_before_m
    )


def _model_off(relief: ReliefShift, before: SurfaceFit, after: SurfaceFit) -> str:
    """Return which of two models that lie apart is off: ``before`` or ``after``.

    One of them must be. What their orthophotos say of them may prove nothing by itself; it is
    enough to tell two places apart. Where it says nothing, the earlier one is believed.
    """
    shift = np.array([relief.east, relief.north])
    later = _against(after, shift) + _against(before, np.zeros(2))
    earlier = _against(after, np.zeros(2)) + _against(before, -shift)
    return "before" if earlier < later else "after"


def _against(fit: SurfaceFit, place: NDArray[np.float64]) -> float:
    """Return how much speaks against a model's lying ``place`` off where it is read, m2.

    A metre counts as any distance: edges were then taken for those of something else.
    """
    if fit.error_m > _VAGUE_M:
        return 0.0
    measured = np.subtract((fit.east, fit.north), fit.shift)
    return min(1.0, float(np.sum((measured - place) ** 2)))
