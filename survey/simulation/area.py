"""A simulated area written to a folder, whole or not at all."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import rasterio
import rasterio.shutil
from rasterio import Affine
from rasterio.windows import Window as RasterWindow

from survey.errors import OutputError
from survey.simulation.draft import draw_scene
from survey.simulation.flights import AreaPlan, FlightPlan
from survey.simulation.lens import (
    Frame,
    image_frame,
    render_image,
    render_surface,
    surface_frame,
)
from survey.simulation.scene import Scene
from survey.simulation.truth import (
    describe_truth,
    tabulate_cells,
    tabulate_changes,
    tabulate_permits,
    tabulate_structures,
    tabulate_townships,
)
from survey.windows import Window
from survey.words import _

__all__ = ["scene_of", "simulate_area"]

_BLOCK_PX = 1024
_JPEG_QUALITY = 85
_CENTIMETRE = 0.01
_NO_HEIGHT = -32768
_SOFTWARE = "orthowatch simulation"


def scene_of(plan: AreaPlan) -> Scene:
    """Draw the scene that a plan's seed stands for."""
    rng = np.random.Generator(np.random.PCG64([plan.seed, 2]))
    return draw_scene(rng, side_m=plan.side_m, dates=plan.dates)


def simulate_area(folder: Path, plan: AreaPlan) -> Scene:
    """Write all flights of an area, its permits and its truth into a new folder.

    Parameters
    ----------
    folder
        Where to write; must not exist or be empty.
    plan
        The area, as from `draw_plan`.

    Returns
    -------
    Scene
        What the flights have seen.

    Raises
    ------
    survey.errors.OutputError
        If there is something in the folder already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError(
            _("{folder} is not empty: name a new folder for the simulated area").format(
                folder=folder
            )
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    scene = scene_of(plan)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for flight in plan.flights:
            _write_image(beside, plan, scene, flight)
            _write_surface(beside, plan, scene, flight)
        _write_tables(beside, plan, scene)
        beside.chmod(0o755)
        beside.replace(folder)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return scene


def _blocks(frame: Frame) -> Iterator[Window]:
    for row in range(0, frame.size, _BLOCK_PX):
        for column in range(0, frame.size, _BLOCK_PX):
            yield Window(
                row=row,
                col=column,
                height=min(_BLOCK_PX, frame.size - row),
                width=min(_BLOCK_PX, frame.size - column),
            )


def _raster_window(window: Window) -> RasterWindow:
    return RasterWindow(window.col, window.row, window.width, window.height)


def _profile(plan: AreaPlan, frame: Frame) -> dict[str, object]:
    """Give what both kinds of raster have in common while they are written."""
    return {
        "driver": "GTiff",
        "width": frame.size,
        "height": frame.size,
        "crs": plan.crs,
        "transform": Affine(frame.pixel_m, 0.0, frame.west, 0.0, -frame.pixel_m, frame.north),
        "tiled": True,
        "BIGTIFF": "IF_SAFER",
    }


def _tags(flight: FlightPlan) -> dict[str, str]:
    return {
        "TIFFTAG_DATETIME": flight.flown_at.strftime("%Y:%m:%d %H:%M:%S"),
        "TIFFTAG_SOFTWARE": _SOFTWARE,
        "AREA_OR_POINT": "Area",
    }


def _finish(draft: Path, path: Path, **options: object) -> None:
    """Turn a draft into a cloud-optimised GeoTIFF."""
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        rasterio.shutil.copy(draft, path, driver="COG", blocksize=512, **options)
    draft.unlink()


def _write_image(folder: Path, plan: AreaPlan, scene: Scene, flight: FlightPlan) -> None:
    frame = image_frame(plan, flight)
    path = folder / f"{flight.flown_at:%Y-%m-%d}_ortho.tif"
    draft = path.with_suffix(".draft.tif")
    profile = _profile(plan, frame) | {"count": 3, "dtype": "uint8", "photometric": "RGB"}
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(draft, "w", **profile) as raster,
    ):
        raster.update_tags(**_tags(flight))
        for window in _blocks(frame):
            pixels, seen = render_image(plan, scene, flight, window)
            raster.write(pixels, window=_raster_window(window))
            if flight.collar == "mask":
                raster.write_mask(seen, window=_raster_window(window))
    _finish(draft, path, compress="JPEG", quality=_JPEG_QUALITY, overview_resampling="AVERAGE")


def _write_surface(folder: Path, plan: AreaPlan, scene: Scene, flight: FlightPlan) -> None:
    frame = surface_frame(plan, flight)
    path = folder / f"{flight.flown_at:%Y-%m-%d}_dsm.tif"
    draft = path.with_suffix(".draft.tif")
    profile = _profile(plan, frame) | {"count": 1, "dtype": "int16", "nodata": _NO_HEIGHT}
    with rasterio.open(draft, "w", **profile) as raster:
        raster.update_tags(**_tags(flight))
        raster.scales = (_CENTIMETRE,)
        raster.units = ("metre",)
        for window in _blocks(frame):
            heights, seen = render_surface(plan, scene, flight, window)
            steps = np.where(seen, np.round(heights / _CENTIMETRE), _NO_HEIGHT).astype(np.int16)
            raster.write(steps, 1, window=_raster_window(window))
    _finish(draft, path, compress="DEFLATE", predictor=2, overview_resampling="AVERAGE")


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
    pyogrio.write_dataframe(table, path, layer=layer, driver="GPKG", append=path.exists())
