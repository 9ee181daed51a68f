"""The layers of 5 000 suspects, and their pictures cut from flights: CPU seconds."""

from pathlib import Path

import numpy as np
from pyproj import CRS
from shapely import box

from benchmarks.lists import SUSPECTS
from benchmarks.measures import Measure
from benchmarks.pairs import SIDES_PX, file_pair
from change.export.chips import Subject, View, write_chips
from change.export.geopackage import write_geopackage
from change.export.gpkg_tables import suspect_table
from change.export.qgis.project import Show, make_dress
from survey.alignment import common_ground
from survey.examination import examine
from survey.flight import open_flight
from survey.grid import Bounds
from tests.dossiers import suspects

LARGE_PX = SIDES_PX[-1]


def test_layers(measure: Measure, tmp_path: Path) -> None:
    frame = suspects(SUSPECTS)
    left, bottom, right, top = frame.total_bounds
    table, crs = suspect_table(frame, "0" * 16), CRS.from_user_input(frame.crs)
    show = Show(
        tables=(table,),
        crs=crs,
        bounds=Bounds(left=left, bottom=bottom, right=right, top=top),
        run_id="0" * 16,
        title="",
        note="",
        day=None,
        languages=("zh_CN",),
    )
    measure(
        f"layers and project of {SUSPECTS} suspects",
        lambda: write_geopackage(
            tmp_path / "results.gpkg", (table,), crs=crs, day=None, dress=make_dress(show)
        ),
        side_px=LARGE_PX,
        overviews=False,
    )


def test_chips(measure: Measure, tmp_path: Path) -> None:
    """A thousand chips, 500 of each flight, scattered as suspects are."""
    pair = file_pair(LARGE_PX, overviews=True)
    flights = [examine(open_flight(path)) for path in (pair.before, pair.after)]
    ground = common_ground(*flights, 0.2)
    rng, edges = np.random.Generator(np.random.PCG64(3)), ground.bounds
    subjects = [
        Subject(id=f"{number:012x}", outline=box(x, y, x + 9, y + 6), colour=(213, 94, 0))
        for number, (x, y) in enumerate(
            rng.uniform((edges.left, edges.bottom), (edges.right - 9, edges.top - 6), (500, 2))
        )
    ]
    views = [
        View(role=role, flight=flight)
        for role, flight in zip(("before", "after"), flights, strict=True)
    ]
    measure(
        "1 000 chips",
        lambda: write_chips(tmp_path / "chips", subjects, views, ground, {}),
        side_px=LARGE_PX,
        overviews=True,
    )
