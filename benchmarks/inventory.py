"""How much of what stands in one flight is found, and how much of what is found stands.

python benchmarks/inventory.py [FOLDER ...]: folders written by ``orthowatch simulate``; without
any, the sample flights. Every flight is taken stock of with its surface model and without. A
structure of 20 m2 and 1.8 m or more counts as found where 30 % of it is covered, and what is found
as right where 30 % of it is covered by structures of the truth.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from change.ground_layers import LayerOptions
from change.inventory_job import InventoryJob, run_inventory
from change.inventory_result import InventoryResult
from change.job import FlightOptions
from survey.settings import Settings

SAMPLE = Path(__file__).parent.parent / "sample_tiles"
LEAST_M2, LEAST_M, COVER = 20.0, 1.8, 0.3
# What one flight can tell; that something has grown takes two.
TELLABLE = ("no_permit", "exceeds_permit", "beside_permit", "permit_expired", "before_grant")
UNTOLD = "grown_beyond_permit"
# What stands nearer to the rim than this is cut by it, m; and flights lie off the truth by so much.
RIM_M, OFF_M = 3.0, 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many of how many."""

    hit: int
    of: int

    def __str__(self) -> str:
        return f"{self.hit}/{self.of}"


def truth_of(folder: Path, flight: int, result: InventoryResult) -> gpd.GeoDataFrame:
    """Return the true structures of a flight where it shows them.

    By the offset at which they fit what was found best: the plan of a folder is not kept in it.
    """
    layer = gpd.read_file(folder / "truth.gpkg", layer="structures")
    here = layer[layer.flight == flight].reset_index(drop=True)
    found = shapely.union_all([item.change.outline for item in result.compared])
    true = shapely.union_all(here.geometry)
    steps = np.arange(-OFF_M, OFF_M + 0.1, 0.25)
    places = [(east, north) for east in steps for north in steps]
    shared = [
        shapely.affinity.translate(true, east, north).intersection(found).area
        for east, north in places
    ]
    east, north = places[int(np.argmax(shared))]
    return here.set_geometry(here.geometry.translate(east, north))


def covered(shapes: Iterable[shapely.Geometry], by: shapely.Geometry) -> Count:
    """Count the shapes that are covered well enough."""
    told = [shape.intersection(by).area >= COVER * shape.area for shape in shapes]
    return Count(hit=sum(told), of=len(told))


def measure(folder: Path, flight: int, *, heights: bool) -> tuple[dict[str, Count], list[float]]:
    """Return counts, and the errors of the heights of what was found, m."""
    ortho = sorted(folder.glob("*_ortho.tif"))[flight]
    dsm = sorted(folder.glob("*_dsm.tif"))[flight] if heights else None
    job = InventoryJob(
        flight=FlightOptions(path=ortho, dsm=dsm),
        layers=LayerOptions(permits=str(folder / "permits.gpkg")),
    )
    result = run_inventory(job, Settings(), say=lambda _sentence: None)
    true = truth_of(folder, flight, result)
    bounds = result.grid.bounds
    frame = shapely.box(bounds.left, bounds.bottom, bounds.right, bounds.top).buffer(-RIM_M)
    inside = true[true.geometry.within(frame)]
    due = inside[(inside.area_m2 >= LEAST_M2) & (inside.height_m >= LEAST_M)]
    wanted = due[due.reason.isin(TELLABLE)]
    unpermitted = true[true.reason.isin((*TELLABLE, UNTOLD))]
    kept = [item for item in result.compared if item.change.outline.within(frame)]
    large = [item for item in kept if item.change.area_m2 >= LEAST_M2]
    suspects = [item.change.outline for item in large if item.suspicious]
    right = sum(unpermitted.intersects(outline).any() for outline in suspects)
    counts = {
        "standing found": covered(
            due.geometry, shapely.union_all([item.change.outline for item in result.compared])
        ),
        "found stands": covered(
            [item.change.outline for item in large], shapely.union_all(true.geometry)
        ),
        "unpermitted found": covered(
            wanted.geometry, shapely.union_all([item.change.outline for item in result.suspects])
        ),
        "suspects right": Count(hit=int(right), of=len(suspects)),
    }
    return counts, height_errors(kept, true)


def height_errors(kept: list, true: gpd.GeoDataFrame) -> list[float]:
    """Return how far off heights are of what covers one flat roof and nothing else, m."""
    flat = true[true.roof == "flat"]
    errors = []
    for item in kept:
        outline, height = item.change.outline, item.change.height_gain_m
        same = flat[flat.intersection(outline).area > 0.9 * flat.area]
        if height is not None and len(same) == 1 and outline.area < 1.2 * same.area.iloc[0]:
            errors.append(float(height - same.height_m.iloc[0]))
    return errors


def main(arguments: list[str]) -> None:
    """Measure every folder and print a line for each flight."""
    for heights in (True, False):
        print("with heights" if heights else "without heights")
        total: dict[str, Count] = {}
        errors: list[float] = []
        for folder in [Path(name) for name in arguments] or [SAMPLE]:
            for flight in range(len(list(folder.glob("*_ortho.tif")))):
                counts, off = measure(folder, flight, heights=heights)
                errors.extend(off)
                told = ", ".join(f"{name} {count}" for name, count in counts.items())
                print(f"  {folder.name} {flight}: {told}", flush=True)
                for name, count in counts.items():
                    so_far = total.get(name, Count(hit=0, of=0))
                    total[name] = Count(hit=so_far.hit + count.hit, of=so_far.of + count.of)
        print("  all:", ", ".join(f"{name} {count}" for name, count in total.items()))
        if errors:
            median, p90 = np.median(np.abs(errors)), np.percentile(np.abs(errors), 90)
            print(f"  heights of flat roofs off by {median:.2f} m (median), {p90:.2f} m (90 %)")


if __name__ == "__main__":
    main(sys.argv[1:])
