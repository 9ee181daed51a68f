"""A simulated area written to a folder, whole or not at all."""

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import shapely
from shapely.geometry.base import BaseGeometry

from survey.blocks import Progress, open_executor
from survey.simulation.camera.press import Press
from survey.simulation.camera.view import view_of
from survey.simulation.drafting.draft import draw_scene
from survey.simulation.flights import AreaPlan
from survey.simulation.new_folder import new_folder
from survey.simulation.scene import Scene
from survey.simulation.truth import (
    describe_truth,
    tabulate_cells,
    tabulate_changes,
    tabulate_permits,
    tabulate_structures,
    tabulate_townships,
)

__all__ = ["scene_of", "simulate_area", "write_area"]


def scene_of(plan: AreaPlan) -> Scene:
    """Draw the scene that a plan's seed, setting and dates stand for."""
    rng = np.random.Generator(np.random.PCG64([plan.seed, 2]))
    return draw_scene(
        rng, side_m=plan.side_m, dates=plan.dates, setting=plan.setting, pace=plan.pace
    )


def simulate_area(
    folder: Path,
    plan: AreaPlan,
    *,
    pixel_truth: bool = False,
    workers: int = 1,
    progress: Progress | None = None,
    scene: Scene | None = None,
) -> Scene:
    """Write all flights of an area, its permits and its truth into a new folder.

    Parameters
    ----------
    folder
        Where to write; must not exist or be empty.
    plan
        The area, as from `draw_plan`.
    pixel_truth
        True to write beside every orthophoto what is true of each of its pixels.
    workers
        Processes to render with, 0 for one per core; the files are the same for any number.
    progress
        Told after every tile.
    scene
        The plan's scene, where it has been drawn already; drawing a large one takes minutes.

    Returns
    -------
    Scene
        What the flights have seen.

    Raises
    ------
    survey.errors.OutputError
        If there is something in the folder already, or it cannot be written.
    """
    with new_folder(folder) as draft:
        return write_area(
            draft,
            plan,
            scene or scene_of(plan),
            pixel_truth=pixel_truth,
            workers=workers,
            progress=progress,
        )


def write_area(
    folder: Path,
    plan: AreaPlan,
    scene: Scene,
    *,
    pixel_truth: bool,
    workers: int,
    progress: Progress | None,
) -> Scene:
    """Write what `simulate_area` writes into a folder that is there; return the scene."""
    with open_executor(workers) as executor:
        for flight in plan.flights:
            view = view_of(plan, scene, flight)
            press = Press(folder=folder, view=view, executor=executor, progress=progress)
            press.run(pixel_truth=pixel_truth)
    _write_tables(folder, plan, scene)
    return scene


def _write_tables(folder: Path, plan: AreaPlan, scene: Scene) -> None:
    # A GeoPackage carries the time of writing; here it is the day of the last flight.
    stamp = f"{plan.dates[-1].isoformat()}T00:00:00.000Z"
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": stamp})
    try:
        _write_layer(tabulate_permits(plan, scene), folder / "permits.gpkg", "permits")
        _write_layer(tabulate_structures(plan, scene), folder / "truth.gpkg", "structures")
        _write_layer(tabulate_changes(plan, scene), folder / "truth.gpkg", "changes")
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
    for name, table in (("townships", tabulate_townships(plan)), ("cells", tabulate_cells(plan))):
        shown = table.to_crs("EPSG:4326")
        pyogrio.write_dataframe(
            shown, folder / f"{name}.geojson", driver="GeoJSON", layer=name, RFC7946="YES"
        )
    text = json.dumps(describe_truth(plan, scene), indent=1, sort_keys=True)
    (folder / "truth.json").write_text(text + "\n", encoding="utf-8")


def _write_layer(table: gpd.GeoDataFrame, path: Path, layer: str) -> None:
    # Cut against each other, outlines may touch themselves; QGIS and others refuse those.
    shapes = table.geometry.to_numpy()
    wrong = ~shapely.is_valid(shapes)
    if wrong.any():
        mended = shapes.copy()
        mended[wrong] = [_polygons(shape) for shape in shapely.make_valid(shapes[wrong])]
        table = table.set_geometry(mended, crs=table.crs)
    pyogrio.write_dataframe(table, path, layer=layer, driver="GPKG", append=path.exists())


def _polygons(shape: BaseGeometry) -> BaseGeometry:
    """Return the polygons of a geometry; lines and points that mending left have no area."""
    parts = shapely.get_parts(shapely.get_parts(shape))
    kept = parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON]
    only: BaseGeometry = kept[0] if len(kept) == 1 else shapely.multipolygons(kept)
    return only
