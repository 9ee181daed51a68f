"""Opening, checking and reading flights, over one plain decode of the same files."""

import numpy as np
import pytest

from benchmarks.measures import Measure, decode, examine_and_check, opened
from benchmarks.pairs import SIDES_PX, file_pair
from survey.alignment import common_ground
from survey.flight import Flight
from survey.grid import Coordinates
from survey.reading import FlightReader, Shift
from survey.windows import Window, cut_blocks
from survey.working_copy import working_copies

LARGE_PX = SIDES_PX[-1]
# As detection reads: change/detection.py, change/evidence.py.
CORE_PX, HALO_PX = 512, 48
# As the alignment reads at full resolution.
FULL_PX, FULL_M = 1024, 0.05

with_and_without_overviews = pytest.mark.parametrize("overviews", [False, True])


@with_and_without_overviews
def test_decode(measure: Measure, overviews: bool) -> None:
    pair = file_pair(LARGE_PX, overviews=overviews)
    measure("decode (rasterio)", lambda: decode(pair), side_px=LARGE_PX, overviews=overviews)


@with_and_without_overviews
@pytest.mark.parametrize("side_px", SIDES_PX)
def test_examine_and_check(measure: Measure, side_px: int, overviews: bool) -> None:
    pair = file_pair(side_px, overviews=overviews)
    measure(
        "open, examine, check",
        lambda: examine_and_check(pair),
        side_px=side_px,
        overviews=overviews,
    )


@with_and_without_overviews
@pytest.mark.parametrize("pixel_m", [0.05, 0.2])
def test_read(measure: Measure, pixel_m: float, overviews: bool) -> None:
    flights = opened(file_pair(LARGE_PX, overviews=overviews))
    measure(
        f"read in tiles at {pixel_m} m",
        lambda: [read_through(flight, flights, pixel_m) for flight in flights],
        side_px=LARGE_PX,
        overviews=overviews,
    )


def read_through(flight: Flight, flights: tuple[Flight, Flight], pixel_m: float) -> None:
    grid = common_ground(*flights, pixel_m)
    blocks = cut_blocks(height=grid.height, width=grid.width, core=CORE_PX, halo=HALO_PX)
    for block in blocks:
        with FlightReader(flight, grid) as reader:
            for tile in block.tiles:
                reader.picture(tile.seen)


def bent(x: Coordinates, y: Coordinates) -> tuple[Coordinates, Coordinates]:
    """Return a smooth field of displacements of some decimetres."""
    return 0.4 * np.sin(x / 200) + 0.1, 0.3 * np.cos((x + y) / 200)


@pytest.mark.parametrize("kind", ["picture", "grey"])
@pytest.mark.parametrize("shift", [None, bent])
def test_read_full_resolution(measure: Measure, kind: str, shift: Shift | None) -> None:
    flights = opened(file_pair(LARGE_PX, overviews=False))
    grid = common_ground(*flights, FULL_M)

    def read() -> None:
        for flight in flights:
            with FlightReader(flight, grid) as reader:
                for window in full_windows(grid.height, grid.width):
                    getattr(reader, kind)(window, shift)

    moved = "merely moved" if shift is None else "bent"
    measure(f"{kind} at {FULL_M} m, {moved}", read, side_px=LARGE_PX, overviews=False)


def full_windows(height: int, width: int) -> list[Window]:
    blocks = cut_blocks(height=height, width=width, core=FULL_PX, halo=0, per_side=width)
    return [tile.core for block in blocks for tile in block.tiles]


def test_copy(measure: Measure) -> None:
    flights = opened(file_pair(LARGE_PX, overviews=False))

    def copy() -> None:
        with working_copies(flights, 0.2, say=print):
            pass

    measure("make working copies for 0.2 m", copy, side_px=LARGE_PX, overviews=False)


def test_read_copy(measure: Measure) -> None:
    flights = opened(file_pair(LARGE_PX, overviews=False))
    with working_copies(flights, 0.2, say=print) as (before, after):
        measure(
            "read working copies in tiles at 0.2 m",
            lambda: [read_through(flight, flights, 0.2) for flight in (before, after)],
            side_px=LARGE_PX,
            overviews=False,
        )
