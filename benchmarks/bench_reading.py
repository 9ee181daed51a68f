"""Opening, checking and reading flights, over one plain decode of the same files."""

import pytest

from benchmarks.measures import Measure, decode, examine_and_check, opened
from benchmarks.pairs import SIDES_PX, file_pair
from survey.alignment import common_ground
from survey.flight import Flight
from survey.reading import FlightReader
from survey.windows import cut_blocks

LARGE_PX = SIDES_PX[-1]
# As detection reads: change/detection.py, change/evidence.py.
CORE_PX, HALO_PX = 512, 48

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
