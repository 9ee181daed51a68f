"""Two flights on one working grid, read block by block."""

from concurrent.futures import Executor
from dataclasses import dataclass, replace
from types import TracebackType

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from survey.alignment import Alignment, align, common_ground
from survey.blocks import Progress
from survey.errors import PairError
from survey.flight import Flight
from survey.grid import Coordinates, WorkingGrid
from survey.heights import PLAUSIBLE_M, Datum
from survey.light import Light, greenness, has_colours, match_light, to_lab, with_colours_of
from survey.placed_surface import PlacedSurface, place_surface
from survey.reading import FlightReader, Shift
from survey.settings import Settings
from survey.surfaces import Surfaces, bring_together, centres, look_tiles, whole_window
from survey.windows import Window
from survey.words import _

__all__ = ["Pair", "PairReader", "make_pair", "with_plausible_heights", "working_grid"]

_ROLES = "before", "after"
# The whole area is looked at once in at most this many pixels, for light and heights.
_LOOK_PIXELS = 1_000_000
_LOOK_M = 0.8
# Excess green index from which a pixel of the look is vegetation: bare soil and roofs stay below
# 0.1 (Woebbecke and others 1995 find leaves above 0.2).
_GREEN = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two flights on one working grid: what detection takes."""

    before: Flight
    """The earlier flight."""
    after: Flight
    """The later flight."""
    grid: WorkingGrid
    """The grid both are read on."""
    alignment: Alignment
    """How the after flight is moved, and how well that is known."""
    light: Light
    """How the after flight is shown in the light of the before flight."""
    surfaces: Surfaces | None
    """How the two surface models lie and are read; None unless both flights have one."""
    lone: tuple[PlacedSurface | None, PlacedSurface | None] = (None, None)
    """Surface models (before, after) that cannot be compared, the other one missing or without
    ground in common: each tells what stands high in its own flight."""
    coloured: tuple[bool, bool] = (True, True)
    """Whether each flight (before, after) shows colours; `PairReader.compared` lends them."""

    def __post_init__(self) -> None:
        if self.alignment.verdict == "refused" and self.alignment.accepted_by != "user":
            raise PairError(self.alignment.why)

    @property
    def datum(self) -> Datum | None:
        """Plane between the two surface models; None without a usable pair of them."""
        return None if self.surfaces is None else self.surfaces.datum

    @property
    def has_heights(self) -> bool:
        """Whether both flights have surface models on one datum."""
        return self.datum is not None


class PairReader:
    """Reads windows of a pair as labelled data; use it in a ``with`` statement."""

    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        self._before = FlightReader(pair.before, pair.grid)
        self._after = FlightReader(pair.after, pair.grid)
        self._surfaces: tuple[FlightReader, FlightReader] | None = None
        if pair.has_heights and pair.surfaces is not None:
            self._surfaces = (
                FlightReader(pair.surfaces.before, pair.grid),
                FlightReader(pair.surfaces.after, pair.grid),
            )
        self._lone = {
            role: FlightReader(placed.model, pair.grid)
            for role, placed in zip(_ROLES, pair.lone, strict=True)
            if placed is not None
        }

    @property
    def _readers(self) -> tuple[FlightReader, ...]:
        return self._before, self._after, *(self._surfaces or ()), *self._lone.values()

    def __enter__(self) -> "PairReader":
        for reader in self._readers:
            reader.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for reader in reversed(self._readers):
            reader.__exit__(kind, error, trace)

    def read(self, window: Window) -> xr.Dataset:
        """Return everything known about a window of the working grid.

        Returns
        -------
        xarray.Dataset
            ``before`` and ``after`` (band, y, x) uint8 red green blue, ``seen_before`` and
            ``seen_after`` (y, x) bool, ``tolerance`` (y, x) float32 metres; with surface models
            ``height_before`` and ``height_after`` (y, x) float32 metres on the before datum, NaN
            where unknown; else ``surface_before`` or ``surface_after`` (y, x) float32 metres on a
            datum of its own for a model that stands alone. Coordinates x and y are pixel centres,
            m.
        """
        pair = self._pair
        shift = pair.alignment.field.shift
        before, after = self._before.picture(window), self._after.picture(window, shift)
        x, y = centres(pair.grid, window)
        data: dict[str, tuple[tuple[str, ...], NDArray[np.generic]]] = {
            "before": (("band", "y", "x"), before.colour),
            "after": (("band", "y", "x"), after.colour),
            "seen_before": (("y", "x"), before.valid),
            "seen_after": (("y", "x"), after.valid),
            "tolerance": (("y", "x"), self._tolerance(x, y)),
        }
        if self._surfaces is not None:
            first, second = self.heights(window)
            data["height_before"] = (("y", "x"), first)
            data["height_after"] = (("y", "x"), second)
        for role, reader in self._lone.items():
            data[f"surface_{role}"] = (("y", "x"), reader.heights(window, self._lone_shift(role)))
        return xr.Dataset(data, coords={"x": x, "y": y, "band": ["red", "green", "blue"]})

    def compared(self, data: xr.Dataset) -> xr.Dataset:
        """Return a window that was read, a flight without colours in those of the other one.

        So no place differs by its colour, and leaves stay green. Lent colours end where the other
        flight's structures end, which somebody who looks at the picture alone must not see.
        """
        shown = data["before"].values, data["after"].values
        names = zip(_ROLES, _lent(shown, self._pair.coloured), strict=True)
        return data.assign({name: (data[name].dims, colours) for name, colours in names})

    def heights(self, window: Window) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return both models' heights where the before orthophoto shows them, on one datum.

        Returns
        -------
        before, after
            (row, col), m; NaN where unknown. Only for a pair that ``has_heights``.
        """
        pair = self._pair
        assert self._surfaces is not None
        assert pair.surfaces is not None
        assert pair.datum is not None
        x, y = centres(pair.grid, window)
        plane = pair.datum.at(x[None, :], y[:, None]).astype(np.float32)
        first = self._surfaces[0].heights(window, pair.surfaces.shift_before)
        second = self._surfaces[1].heights(window, pair.surfaces.shift_after(pair.alignment.field))
        return first, second - plane

    def _lone_shift(self, role: str) -> Shift:
        """Return how far off a model shows what the earlier orthophoto shows."""
        placed = self._pair.lone[_ROLES.index(role)]
        assert placed is not None
        if role == "before":
            return placed.shift

        def shift(x: Coordinates, y: Coordinates) -> tuple[Coordinates, Coordinates]:
            east, north = placed.shift(x, y)
            dx, dy = self._pair.alignment.field.shift(x, y)
            return dx + east, dy + north

        return shift

    def _tolerance(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return two sigma of the alignment's uncertainty, at least half a pixel."""
        field = self._pair.alignment.field
        xs, ys = np.meshgrid(x[::8], y[::8])
        coarse = field.uncertainty_at(xs, ys)
        dense = np.repeat(np.repeat(coarse, 8, axis=0), 8, axis=1)[: len(y), : len(x)]
        factor = 2.0 if self._pair.alignment.verdict == "verified" else 1.0
        return np.maximum(factor * dense, self._pair.grid.pixel_m / 2).astype(np.float32)


def working_grid(before: Flight, after: Flight, settings: Settings) -> WorkingGrid:
    """Return the grid two flights are worked on: the wanted pixel, or the coarser flight's.

    Raises
    ------
    PairError
        The flights do not overlap.
    """
    pixel = max(settings.detect.pixel_m, before.pixel_m, after.pixel_m)
    return common_ground(before, after, pixel)


def make_pair(
    before: Flight,
    after: Flight,
    settings: Settings,
    *,
    executor: Executor | None = None,
    progress: Progress | None = None,
    alignment: Alignment | None = None,
) -> Pair:
    """Align two examined flights, or take a saved alignment, and put them on one working grid.

    Raises
    ------
    PairError
        The flights do not overlap, or the alignment was refused and nobody accepted it.
    FlightError
        A file cannot be read to its end.
    """
    grid = working_grid(before, after, settings)
    before, after = with_plausible_heights(before), with_plausible_heights(after)
    if alignment is None:
        alignment = align(before, after, grid, settings.align, executor=executor, progress=progress)
    if alignment.verdict == "refused":
        if not settings.align.accept:
            raise PairError(
                _("{why} (--accept-alignment goes on all the same)").format(why=alignment.why)
            )
        alignment = replace(alignment, accepted_by="user")
    coarse = _coarse(grid)
    light, coloured, bare = _look(before, after, coarse, alignment)
    surfaces = bring_together((before, after), grid, alignment.field, coarse, bare)
    compared = surfaces is not None and surfaces.datum is not None
    first, second = (
        None if compared or flight.dsm is None else place_surface(flight, grid)
        for flight in (before, after)
    )
    return Pair(
        before=before,
        after=after,
        grid=grid,
        alignment=alignment,
        light=light,
        surfaces=surfaces,
        lone=(first, second),
        coloured=coloured,
    )


def with_plausible_heights(flight: Flight) -> Flight:
    """Take heights that no ground has, such as nodata nobody declared, for holes."""
    if flight.dsm is None:
        return flight
    sources = tuple(replace(source, plausible=PLAUSIBLE_M) for source in flight.dsm.sources)
    return replace(flight, dsm=replace(flight.dsm, sources=sources))


def _coarse(grid: WorkingGrid) -> WorkingGrid:
    """Return the grid coarsened to at most ``_LOOK_PIXELS`` and at least 0.8 m per pixel."""
    area = grid.width * grid.height
    factor = max(round(_LOOK_M / grid.pixel_m), round((area / _LOOK_PIXELS) ** 0.5), 1)
    return grid.coarsened(factor)


def _look(
    before: Flight, after: Flight, coarse: WorkingGrid, alignment: Alignment
) -> tuple[Light, tuple[bool, bool], NDArray[np.bool_]]:
    """Look at the whole area: its light, which flight has colours, where both show no green."""
    samples: list[tuple[NDArray[np.uint8], NDArray[np.uint8]]] = []
    bare = np.zeros((coarse.height, coarse.width), bool)
    with FlightReader(before, coarse) as first, FlightReader(after, coarse) as second:
        for window in look_tiles(coarse):
            one = first.picture(window)
            other = second.picture(window, alignment.field.shift)
            both = one.valid & other.valid
            samples.append((one.colour[:, both], other.colour[:, both]))
            green = np.maximum(greenness(one.colour), greenness(other.colour))
            bare[window.slices_in(whole_window(coarse))] = both & (green < _GREEN)
    all_before, all_after = (
        np.concatenate(colours, axis=1)[:, None] for colours in zip(*samples, strict=True)
    )
    coloured = has_colours(to_lab(all_before)[:, 0]), has_colours(to_lab(all_after)[:, 0])
    lent = _lent((all_before, all_after), coloured)
    return match_light(*(to_lab(colours)[:, 0] for colours in lent)), coloured, bare


def _lent(
    colours: tuple[NDArray[np.uint8], NDArray[np.uint8]], coloured: tuple[bool, bool]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Lend the colours of one flight to the other where that has none."""
    before, after = colours
    if coloured == (False, True):
        return with_colours_of(after, before), after
    if coloured == (True, False):
        return before, with_colours_of(before, after)
    return colours
