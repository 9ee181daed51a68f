"""Remake the sample flights, or check that they are what this version of the simulator makes.

python sample_tiles/make.py            # remake the files beside this script
python sample_tiles/make.py --check    # remake them elsewhere and compare; exit 1 if different
"""

import argparse
import filecmp
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import rasterio

from survey.simulation import AreaPlan, draw_plan, simulate_area

HERE = Path(__file__).parent
SEED = 9
MASKED_FLIGHT = 2
# Twelve megabytes in all: small enough to be cloned with the code.
PIXEL_M = 0.1
# More than usual, so that a small area shows every kind of change.
PACE = 2.5


def sample_plan() -> AreaPlan:
    """Plan the sample: 200 m x 200 m, four flights in a year, the third with a ragged mask."""
    plan = draw_plan(seed=SEED, pixel_m=PIXEL_M, pace=PACE)
    third = plan.flights[MASKED_FLIGHT]
    masked = replace(third, mosaic=replace(third.mosaic, collar="mask"))
    flights = [masked if flight.index == MASKED_FLIGHT else flight for flight in plan.flights]
    return replace(plan, flights=tuple(flights))


def differences(remade: Path, kept: Path) -> Iterator[str]:
    """Name every remade file that differs from the one kept, and say how."""
    for file in sorted(remade.iterdir()):
        other = kept / file.name
        if not other.exists():
            yield f"{file.name}: missing"
        elif filecmp.cmp(file, other, shallow=False):
            continue
        elif file.suffix == ".tif" and _same_pixels(file, other):
            print(f"{file.name}: same pixels, other bytes (other library versions)")
        else:
            yield f"{file.name}: different"


def _same_pixels(one: Path, other: Path) -> bool:
    with rasterio.open(one) as first, rasterio.open(other) as second:
        same_grid = first.transform == second.transform and first.crs == second.crs
        return same_grid and np.array_equal(first.read(), second.read())


def main() -> int:
    """Remake or check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare instead of replacing")
    parser.add_argument("--folder", type=Path, default=HERE, help="where the files are kept")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".remade-", dir=options.folder) as beside:
        remade = Path(beside) / "area"
        simulate_area(remade, sample_plan())
        if not options.check:
            for file in sorted(remade.iterdir()):
                file.replace(options.folder / file.name)
            return 0
        found = list(differences(remade, options.folder))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
