"""The ties of an alignment as a GeoPackage: where they lie, where they lead, how well they fit."""

from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import shapely
from pyproj import CRS

from change.export.residuals import tie_residuals
from survey.alignment import Alignment

__all__ = ["TIE_COLUMNS", "tie_frames", "write_ties"]

TIE_COLUMNS = ("east_m", "north_m", "strength", "used", "residual_m")
"""Columns of both layers, in this order."""

# The day a GeoPackage is dated by where neither flight has one: its own format's first version.
_NO_DAY = date(2014, 1, 1)


def tie_frames(alignment: Alignment, crs: CRS) -> dict[str, gpd.GeoDataFrame]:
    """Return the layers ``ties`` (points) and ``shifts`` (lines from before to after)."""
    ties = alignment.ties
    values = {
        "east_m": ties.east.round(4),
        "north_m": ties.north.round(4),
        "strength": ties.strength.round(4),
        "used": alignment.used,
        "residual_m": np.hypot(*tie_residuals(alignment)).round(4),
    }
    ends = np.stack([ties.x + ties.east, ties.y + ties.north], axis=1)
    starts = np.stack([ties.x, ties.y], axis=1)
    shapes = {
        "ties": shapely.points(starts),
        "shifts": shapely.linestrings(np.stack([starts, ends], axis=1)),
    }
    return {
        name: gpd.GeoDataFrame(values, columns=[*TIE_COLUMNS], geometry=shape, crs=crs)
        for name, shape in shapes.items()
    }


def write_ties(path: Path, alignment: Alignment, crs: CRS, day: date | None) -> None:
    """Write the ties of an alignment, every window that was looked at, used or not.

    Parameters
    ----------
    path
        The file to write; must not exist.
    alignment
        The alignment; one taken from a file has no ties, and both layers come out empty.
    crs
        CRS of the ties.
    day
        The day the file is dated by, which is that of the flight: the clock stays out of it.
    """
    stamp = f"{(day or _NO_DAY).isoformat()}T00:00:00.000Z"
    kinds = {"ties": "Point", "shifts": "LineString"}
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": stamp})
    try:
        for name, frame in tie_frames(alignment, crs).items():
            pyogrio.write_dataframe(
                frame,
                path,
                layer=name,
                driver="GPKG",
                append=path.exists(),
                geometry_type=kinds[name],
            )
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
