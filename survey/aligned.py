"""A flight written on the ground that results lie on, for people who want the picture."""

from pathlib import Path

import numpy as np
import rasterio
from rasterio.shutil import copy as copy_raster
from rasterio.windows import Window as FileWindow

from survey.flight import Flight
from survey.grid import WorkingGrid
from survey.reading import FlightReader, Shift, raster_environment
from survey.windows import cut_blocks

__all__ = ["write_aligned"]

_TILE = 512


def write_aligned(
    flight: Flight, grid: WorkingGrid, shift: Shift | None, draft: Path, *, lossy: bool = False
) -> None:
    """Write a flight, moved where it has to be, as a Cloud Optimized GeoTIFF.

    Parameters
    ----------
    flight
        The flight.
    grid
        Where and how fine; usually the flight's own pixel.
    shift
        How far off the flight shows the ground; None where it shows it in place.
    draft
        Where to write; ``survey.runs.write_all`` hands it out and moves the file to its place.
    lossy
        As JPEG with a mask, a sixth the size, to be looked at; else as it is, with alpha.

    Raises
    ------
    FlightError
        The flight cannot be read to its end.
    """
    tiled = draft.with_suffix(".tiles.tif")
    profile = {
        "driver": "GTiff",
        "width": grid.width,
        "height": grid.height,
        "count": 4,
        "dtype": "uint8",
        "crs": grid.crs.to_wkt(),
        "transform": grid.transform,
        "tiled": True,
        "blockxsize": _TILE,
        "blockysize": _TILE,
        "compress": "zstd",
        "bigtiff": "if_safer",
        "photometric": "rgb",
        "alpha": "non-premultiplied",
    }
    with rasterio.open(tiled, "w", **profile) as target, FlightReader(flight, grid) as reader:
        for block in cut_blocks(height=grid.height, width=grid.width, core=_TILE, halo=0):
            for tile in block.tiles:
                core = tile.core
                picture = reader.picture(core, shift)
                alpha = picture.valid[None].astype(np.uint8) * 255
                colour = np.where(picture.valid, picture.colour, 0)
                window = FileWindow(core.col, core.row, core.width, core.height)
                target.write(np.concatenate([colour, alpha]), window=window)
    stored = (
        {"compress": "jpeg", "quality": 80} if lossy else {"compress": "deflate", "predictor": 2}
    )
    with raster_environment():
        copy_raster(tiled, draft, driver="COG", **stored)
    tiled.unlink()
