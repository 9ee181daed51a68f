"""The files of a turned-back pair: rasters written block by block, layers of outlines."""

from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pyogrio
import rasterio
import rasterio.shutil
import shapely
from pyproj import CRS
from rasterio.windows import Window as FileWindow
from shapely import Polygon

from survey.crs import transformer
from survey.grid import Grid
from survey.reading import Picture, raster_environment
from survey.windows import Window

__all__ = ["SOFTWARE", "Draft", "Rows", "write_layers"]

SOFTWARE = "orthowatch turned back"
"""What the files name as the program they were made by."""

Rows = list[tuple[Polygon, dict[str, Any]]]
"""Outlines as (col, row) of the picture, each with its columns."""

# A GeoPackage carries the time of writing, which must not come from the clock.
_SOME_DAY = date(2000, 1, 1)


class Draft:
    """A raster that is written by blocks and becomes a cloud-optimised one; use it in ``with``."""

    def __init__(self, path: Path, drafts: Path, grid: Grid, flown_at: str | None) -> None:
        self._path, self._draft = path, drafts / path.name
        self._profile = {
            "driver": "GTiff",
            "width": grid.width,
            "height": grid.height,
            "count": 3,
            "dtype": "uint8",
            "crs": grid.crs.to_wkt(),
            "transform": grid.transform,
            "photometric": "RGB",
            "tiled": True,
            "blockxsize": 512,
            "blockysize": 512,
            "compress": "LZW",
            "BIGTIFF": "IF_SAFER",
        }
        self._tags = {"TIFFTAG_SOFTWARE": SOFTWARE, "AREA_OR_POINT": "Area"}
        if flown_at is not None:
            self._tags["TIFFTAG_DATETIME"] = flown_at

    def __enter__(self) -> "Draft":
        with raster_environment(), rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
            self._raster = rasterio.open(self._draft, "w", **self._profile)
            self._raster.update_tags(**self._tags)
        return self

    def write(self, picture: Picture, window: Window) -> None:
        """Write a block with its mask."""
        place = FileWindow(window.col, window.row, window.width, window.height)
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
            self._raster.write(picture.colour, window=place)
            self._raster.write_mask(picture.valid, window=place)

    def __exit__(self, *failure: object) -> None:
        self._raster.close()
        if failure[0] is None:
            with raster_environment(), rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
                rasterio.shutil.copy(
                    self._draft,
                    self._path,
                    driver="COG",
                    blocksize=512,
                    compress="DEFLATE",
                    predictor=2,
                    overview_resampling="AVERAGE",
                    BIGTIFF="IF_SAFER",
                )
        self._draft.unlink()


def write_layers(
    path: Path, layers: dict[str, Rows], place: tuple[Grid, CRS], day: date | None
) -> None:
    """Write outlines into the layers of a GeoPackage.

    Parameters
    ----------
    path
        The new file.
    layers
        By name; each may be empty.
    place
        The grid that (col, row) counts on, and the CRS in metres to write in.
    day
        What the file gives as the time of its writing.
    """
    stamp = f"{(day or _SOME_DAY).isoformat()}T00:00:00.000Z"
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": stamp})
    try:
        for name, rows in layers.items():
            pyogrio.write_dataframe(
                _table(rows, *place),
                path,
                layer=name,
                driver="GPKG",
                geometry_type="Polygon",
                append=path.exists(),
            )
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def _table(rows: Rows, grid: Grid, metric: CRS) -> gpd.GeoDataFrame:
    change = transformer(grid.crs, metric)

    def onto(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        xs, ys = change.transform(*grid.xy(points[:, 0], points[:, 1]))
        return np.stack([np.asarray(xs), np.asarray(ys)], axis=1)

    shapes = shapely.transform(np.array([row[0] for row in rows], dtype=object), onto)
    facts: dict[str, list[Any]] = {
        name: [row[1][name] for row in rows] for name in (rows[0][1] if rows else ())
    }
    facts["area_m2"] = [round(float(shape.area), 2) for shape in shapes]
    return gpd.GeoDataFrame(facts, geometry=list(shapes), crs=metric)
