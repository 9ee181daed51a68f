"""The inventory of one flight by its orthophoto: of simulated scenes, and of Kampala with rows
missing from its layer.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from benchmarks.detecting_counts import COVER, Count
from benchmarks.detecting_kampala import layer_without
from benchmarks.detecting_line import SETTINGS, moved_to
from benchmarks.detecting_scenes import case_facts, flown_case, shown_in
from benchmarks.inventory import LEAST_M, LEAST_M2, RIM_M, TELLABLE, UNTOLD
from benchmarks.judge import Case, plan_of
from benchmarks.pictures import real_folder
from change.ground_layers import LayerOptions
from change.inventory_job import InventoryJob, run_inventory
from change.inventory_result import InventoryResult
from change.job import FlightOptions
from survey.flight import open_flight
from survey.grid import WorkingGrid
from survey.pair import working_grid
from survey.simulation import scene_of
from survey.simulation.truth import tabulate_permits, tabulate_structures

__all__ = [
    "RowsCase",
    "covered",
    "measure_removed_rows",
    "measure_stock",
    "removed_rows_cases",
]

_SETTINGS = SETTINGS.changed("blocks", workers=1)
_SEED, _DRAWS = 66_000, 3
# Rows taken from the layer of each picture: twenty in all.
_REMOVED = {"ne": 12, "sw": 8}
Shapes = Sequence[BaseGeometry]


def covered(shapes: Shapes, ground: Shapes) -> Count:
    """Count the shapes of which enough is covered."""
    by = shapely.union_all(list(ground))
    told = [shape.intersection(by).area >= COVER * shape.area for shape in shapes]
    return Count(hit=int(sum(told)), of=len(told))


def _run(ortho: Path, permits: gpd.GeoDataFrame) -> InventoryResult:
    with tempfile.TemporaryDirectory(prefix="detecting-") as room:
        path = Path(room) / "permits.gpkg"
        permits.to_file(path, layer="permits")
        job = InventoryJob(flight=FlightOptions(path=ortho), layers=LayerOptions(permits=str(path)))
        return run_inventory(job, _SETTINGS, say=lambda _sentence: None)


def _frame(grid: WorkingGrid) -> BaseGeometry:
    """Return the ground whose structures the rim of the picture does not cut."""
    bounds = grid.bounds
    return shapely.box(bounds.left, bounds.bottom, bounds.right, bounds.top).buffer(-RIM_M)


def _large(outlines: Shapes) -> list[BaseGeometry]:
    return [outline for outline in outlines if outline.area >= LEAST_M2]


def measure_stock(case: Case) -> dict[str, Any]:
    """Take stock of the later flight of a simulated pair, with the scene's permits.

    ``standing`` and ``unpermitted`` are true structures and how many were found, ``found`` and
    ``suspects`` are reported ones and how many are right.
    """
    plan = plan_of(case)
    scene = scene_of(plan)
    result = _run(flown_case(case, heights=False).after, tabulate_permits(plan, scene))
    true = tabulate_structures(plan, scene)
    true = true[(true.flight == case.after) & ~true.geometry.is_empty]
    crs, flight = CRS.from_user_input(plan.crs), plan.flights[case.after]
    true = true.set_geometry(
        [moved_to(shown_in(flight, shape), crs, result.crs) for shape in true.geometry]
    )
    frame = _frame(result.grid)
    inside = true[true.geometry.within(frame)]
    due = inside[(inside.area_m2 >= LEAST_M2) & (inside.height_m >= LEAST_M)]
    wanted = due[due.reason.isin(TELLABLE)]
    unpermitted = true[true.reason.isin((*TELLABLE, UNTOLD))]
    found, suspects = _outlines(result, frame)
    counts = {
        "standing": covered(list(due.geometry), found),
        "found": covered(_large(found), list(true.geometry)),
        "unpermitted": covered(list(wanted.geometry), suspects),
        "suspects": covered(_large(suspects), list(unpermitted.geometry)),
    }
    told_by = {"told_by": result.stock.told_by}
    return case_facts(case) | told_by | {name: asdict(count) for name, count in counts.items()}


def _outlines(
    result: InventoryResult, frame: BaseGeometry
) -> tuple[list[BaseGeometry], list[BaseGeometry]]:
    """Return what was found standing on a ground, and what of it the permits do not explain."""
    kept = [item for item in result.compared if item.change.outline.intersects(frame)]
    return (
        [item.change.outline for item in kept],
        [item.change.outline for item in kept if item.suspicious],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsCase:
    """A picture of Kampala, and a draw of rows that are taken from its layer."""

    number: int
    """Number of the draw."""
    picture: str
    """``ne`` or ``sw``."""

    @property
    def name(self) -> str:
        """Number and picture."""
        return f"rows-{self.number:02d}-{self.picture}"


def removed_rows_cases(*, judge: bool) -> tuple[RowsCase, ...]:  # noqa: ARG001 - there is one draw
    """List the draws; none where there are no real files."""
    if real_folder() is None:
        return ()
    return tuple(
        RowsCase(number=number, picture=picture) for number in range(_DRAWS) for picture in _REMOVED
    )


def measure_removed_rows(case: RowsCase) -> dict[str, Any]:
    """Take stock of a picture with a layer that lacks some of its buildings.

    ``removed`` are the rows and how many were told to be suspects, ``suspects`` how many of these
    are removed rows, ``found`` what was found and how much of it is in the whole layer.
    """
    folder = real_folder()
    assert folder is not None  # or there would be no such case
    ortho = folder / f"kampala/kampala_{case.picture}_z21.tif"
    buildings = gpd.read_file(folder / "kampala/buildings.geojson")
    flight = open_flight(ortho)
    grid = working_grid(flight, flight, SETTINGS)
    frame = _frame(grid)
    shapes = buildings.to_crs(grid.crs).geometry.make_valid()
    inside = np.flatnonzero((shapes.area >= LEAST_M2) & shapes.within(frame))
    rng = np.random.default_rng([_SEED, case.number])
    removed = np.sort(rng.permutation(inside)[: _REMOVED[case.picture]])
    result = _run(ortho, layer_without(buildings, (removed + 1).tolist()))
    found, suspects = _outlines(result, frame)
    gone = list(shapes.iloc[removed])
    counts = {
        "removed": covered(gone, suspects),
        "suspects": covered(_large(suspects), gone),
        "found": covered(_large(found), list(shapes)),
    }
    facts = {"name": case.name, "picture": case.picture, "told_by": result.stock.told_by}
    return facts | {name: asdict(count) for name, count in counts.items()}
