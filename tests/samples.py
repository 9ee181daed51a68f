"""The sample flights with their exact truth, and cut-outs of them for tests that need less."""

import runpy
from functools import cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from affine import Affine
from rasterio.windows import from_bounds
from shapely import Polygon, affinity

from change.ground_layers import LayerOptions
from change.job import FlightOptions, Job, run_job
from change.result import Result
from survey.settings import Settings
from survey.simulation import displacement, undo_displacement

__all__ = [
    "CORNER",
    "FOLDER",
    "PERMITS",
    "PLAN",
    "cut",
    "cut_pair",
    "dsm",
    "expected",
    "options",
    "ortho",
    "run_pair",
    "seen_by",
    "true_shift",
]

FOLDER = Path(__file__).parent.parent / "sample_tiles"
PERMITS = FOLDER / "permits.gpkg"
PLAN = runpy.run_path(str(FOLDER / "make.py"))["sample_plan"]()

CORNER = (90.0, 10.0, 180.0, 100.0)
"""A part of the area, m from its south-west corner (left, bottom, right, top).

Between the first two flights it gains a house of 91 m2 without a permit, of which the frame stood
before, and 95 m2 of a second storey on a house that is permitted one. Nothing goes; but two
deciduous trees, bare in March and leafy in June, are missing from the surface model of June.
"""


def ortho(flight: int) -> Path:
    """Return the orthophoto of a flight."""
    return FOLDER / f"{PLAN.dates[flight].isoformat()}_ortho.tif"


def dsm(flight: int) -> Path:
    """Return the surface model of a flight."""
    return FOLDER / f"{PLAN.dates[flight].isoformat()}_dsm.tif"


def options(flight: int, *, heights: bool = True) -> FlightOptions:
    """Return a sample flight as the command line would name it."""
    return FlightOptions(path=ortho(flight), dsm=dsm(flight) if heights else None)


@cache
def run_pair(before: int, after: int, *, heights: bool = True) -> Result:
    """Run the whole line on two sample flights in this process, once."""
    job = Job(
        before=options(before, heights=heights),
        after=options(after, heights=heights),
        layers=LayerOptions(permits=str(PERMITS)),
    )
    settings = Settings().changed("blocks", workers=1)
    return run_job(job, settings, say=lambda _sentence: None)


def true_shift(before, after, x, y):
    """Return how much further (east, north) one flight shows what another shows at (x, y), m."""
    true_x, true_y = undo_displacement(PLAN.flights[before], x, y)
    dx, dy = displacement(PLAN.flights[after], true_x, true_y)
    return true_x + dx - x, true_y + dy - y


def seen_by(flight: int, outline):
    """Return a true outline where a flight shows it."""

    def move(points):
        return points + np.stack(displacement(PLAN.flights[flight], *points.T), axis=1)

    return shapely.transform(outline, move)


@cache
def expected(before: int, after: int) -> gpd.GeoDataFrame:
    """Return what a perfect comparison would find, where the before flight shows it."""
    truth = gpd.read_file(FOLDER / "truth.gpkg", layer="changes")
    truth = truth[(truth.before == before) & (truth.after == after)].reset_index(drop=True)
    seen = [seen_by(before, outline) for outline in truth.geometry]
    return truth.set_geometry(seen, crs=truth.crs)


def place(bounds: tuple[float, float, float, float]) -> Polygon:
    """Return a rectangle given from the area's south-west corner in the area's CRS."""
    return affinity.translate(shapely.box(*bounds), PLAN.west_m, PLAN.south_m)


def cut(source: Path, target: Path, bounds: tuple[float, float, float, float] = CORNER) -> Path:
    """Write a part of a sample raster, tags and band scales included, and return its path."""
    with rasterio.open(source) as dataset:
        window = from_bounds(*place(bounds).bounds, dataset.transform).round_offsets()
        window = window.round_lengths()
        profile = {
            "driver": "GTiff",
            "dtype": dataset.dtypes[0],
            "count": dataset.count,
            "crs": dataset.crs,
            "nodata": dataset.nodata,
            "width": window.width,
            "height": window.height,
            "transform": dataset.transform @ Affine.translation(window.col_off, window.row_off),
            "compress": "deflate",
            "tiled": True,
            "blockxsize": 256,
            "blockysize": 256,
        }
        with rasterio.open(target, "w", **profile) as part:
            part.write(dataset.read(window=window))
            part.scales = dataset.scales
            part.update_tags(TIFFTAG_DATETIME=dataset.tags()["TIFFTAG_DATETIME"])
    return target


def cut_pair(folder: Path, before: int = 0, after: int = 1, bounds=CORNER) -> dict[str, Path]:
    """Write the same part of two flights and return the files by their role."""
    return {
        "before": cut(ortho(before), folder / "before.tif", bounds),
        "after": cut(ortho(after), folder / "after.tif", bounds),
        "dsm_before": cut(dsm(before), folder / "before_dsm.tif", bounds),
        "dsm_after": cut(dsm(after), folder / "after_dsm.tif", bounds),
    }
