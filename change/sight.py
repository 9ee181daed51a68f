"""What a flight shows around drawn outlines: its picture, and its heights where it has them."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from change.contours import Contours, height_edges, picture_edges, score_shifts
from survey.field import Field
from survey.flight import Flight
from survey.grid import Bounds, Coordinates, WorkingGrid
from survey.pair import Pair
from survey.reading import FlightReader, Picture, Shift
from survey.windows import Window

__all__ = ["OpenSight", "Sight", "sight_after", "sight_before"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One flight on one grid; picklable."""

    flight: Flight
    """The flight, examined."""
    grid: WorkingGrid
    """The grid it is read on."""
    shift: Shift | None = None
    """How far off the orthophoto shows what the earlier flight shows, m; None for not at all."""
    dsm: Flight | None = None
    """Its surface model, where there is one that can be used."""
    dsm_shift: Shift | None = None
    """How far off the model shows it, m; None for not at all."""

    def at_pixel(self, pixel_m: float) -> "Sight":
        """Return the same at about a pixel, never finer than it is."""
        grid = self.grid.coarsened(max(1, round(pixel_m / self.grid.pixel_m)))
        return replace(self, grid=grid)

    def window(self, bounds: Bounds) -> Window | None:
        """Return the part of the grid that covers ``bounds``; None where there is none."""
        found = self.grid.window_of(bounds)
        return found.clipped(height=self.grid.height, width=self.grid.width)

    @contextmanager
    def open(self) -> "Iterator[OpenSight]":
        """Open the files; use it in a ``with`` statement."""
        with ExitStack() as stack:
            picture = stack.enter_context(FlightReader(self.flight, self.grid))
            model = None
            if self.dsm is not None:
                model = stack.enter_context(FlightReader(self.dsm, self.grid))
            yield OpenSight(sight=self, pictures=picture, model=model)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSight:
    """A flight with its files open."""

    sight: Sight
    """The flight."""
    pictures: FlightReader
    """Reads its orthophoto."""
    model: FlightReader | None
    """Reads its surface model."""

    def picture(self, window: Window) -> Picture:
        """Return the colours of a window."""
        return self.pictures.picture(window, self.sight.shift)

    def heights(self, window: Window) -> NDArray[np.float32] | None:
        """Return the heights of a window, (row, col) m, NaN where unknown; None without a model."""
        return None if self.model is None else self.model.heights(window, self.sight.dsm_shift)

    def score(
        self, contours: Contours, window: Window, shifts: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Return how well contours lie on the edges of a window, at every shift.

        Edges of the picture, and steps of the heights where they are known, count alike.

        Parameters
        ----------
        contours
            Points along outlines.
        window
            Part of the grid.
        shifts
            (k, 2) of (row, col), pixels.

        Returns
        -------
        array
            (outlines, k), as ``change.contours.score_shifts`` has it.
        """
        grid = self.sight.grid
        place = (grid, window)
        grey = self.pictures.grey(window, self.sight.shift)
        edges = picture_edges(grey.grey, grey.valid)
        scores = score_shifts(contours, edges, place, shifts, axis=True)
        heights = self.heights(window)
        if heights is not None:
            steps = height_edges(heights, grid.pixel_m)
            scores += score_shifts(contours, steps, place, shifts, axis=False)
        return scores


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moved:
    """A field and a shift added to it; picklable, which a function within a function is not."""

    field: Field
    east: float
    north: float

    def __call__(self, x: Coordinates, y: Coordinates) -> tuple[Coordinates, Coordinates]:
        dx, dy = self.field.shift(x, y)
        return dx + self.east, dy + self.north


def sight_before(pair: Pair) -> Sight:
    """Return what the earlier flight of a pair shows, its surface model read as the pair does."""
    surfaces = pair.surfaces
    if surfaces is None:
        return Sight(flight=pair.before, grid=pair.grid, dsm=pair.before.dsm)
    return Sight(
        flight=pair.before, grid=pair.grid, dsm=surfaces.before, dsm_shift=surfaces.shift_before
    )


def sight_after(pair: Pair) -> Sight:
    """Return what the later flight of a pair shows where the earlier one shows the same ground."""
    field, surfaces = pair.alignment.field, pair.surfaces
    plain = _Moved(field=field, east=0.0, north=0.0)
    if surfaces is None:
        return Sight(
            flight=pair.after, grid=pair.grid, shift=plain, dsm=pair.after.dsm, dsm_shift=plain
        )
    # What the model is moved by beside the field is the same everywhere.
    spot = np.zeros(1), np.zeros(1)
    east, north = (
        float((moved - bent)[0])
        for moved, bent in zip(surfaces.shift_after(field)(*spot), field.shift(*spot), strict=True)
    )
    return Sight(
        flight=pair.after,
        grid=pair.grid,
        shift=plain,
        dsm=surfaces.after,
        dsm_shift=_Moved(field=field, east=east, north=north),
    )
