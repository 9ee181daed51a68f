"""A raster of evidence made elsewhere: what another detector says, laid over the working grid."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds
from shapely.geometry import box

from change.model.detector import Maps
from change.model.manifest import MAPS
from survey.errors import DetectorError
from survey.grid import WorkingGrid
from survey.reading import raster_environment
from survey.windows import Window
from survey.words import _

__all__ = ["OutsideEvidence", "open_evidence"]

_CHANGED = "changed"
# What bands are taken for that do not say what they are, by how many there are.
_USUAL: dict[int, tuple[str, ...]] = {1: (_CHANGED,), 2: ("appeared", "gone")}


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideEvidence:
    """A raster of probabilities; holds no open file, so that it can be sent around."""

    path: Path
    """Raster that GDAL reads."""
    bands: tuple[tuple[str, int], ...]
    """What is read from which band, counted from 1; slugs of ``change.model.manifest.MAPS``."""
    scale: float
    """What its values are divided by: 255 for bytes, else 1."""

    def read(self, grid: WorkingGrid, window: Window) -> Maps:
        """Return what it says of a window of a grid: (row, col) in [0, 1], NaN where nothing.

        Raises
        ------
        DetectorError
            The file cannot be read to its end.
        """
        try:
            with raster_environment(), rasterio.open(self.path) as source:
                return self._read(source, grid, window)
        except RasterioError as error:
            text = _("the evidence {path} cannot be read: {why}")
            raise DetectorError(text.format(path=self.path, why=error)) from error

    def _read(self, source: rasterio.DatasetReader, grid: WorkingGrid, window: Window) -> Maps:
        with WarpedVRT(
            source,
            crs=grid.crs,
            transform=grid.transform_of(window),
            height=window.height,
            width=window.width,
            resampling=Resampling.bilinear,
            dtype="float32",
            nodata=np.nan,
        ) as laid:
            return {
                # NaN stays NaN: what is not known is not said.
                name: np.clip(laid.read(band) / np.float32(self.scale), 0.0, 1.0)
                for name, band in self.bands
            }


def open_evidence(path: Path, grid: WorkingGrid) -> OutsideEvidence:
    """Open a raster of evidence and see whether it can be used on a grid.

    Raises
    ------
    DetectorError
        It cannot be read, lies elsewhere or nowhere, or does not say what its bands are.
    """
    try:
        with raster_environment(), rasterio.open(path) as source:
            _require_place(path, source, grid)
            return OutsideEvidence(
                path=path,
                bands=_bands(path, source),
                scale=255.0 if source.dtypes[0] == "uint8" else 1.0,
            )
    except RasterioError as error:
        text = _("the evidence {path} cannot be read: {why}")
        raise DetectorError(text.format(path=path, why=error)) from error


def _require_place(path: Path, source: rasterio.DatasetReader, grid: WorkingGrid) -> None:
    if source.crs is None:
        text = _("the evidence {path} states no CRS: write it with one")
        raise DetectorError(text.format(path=path))
    there = box(*transform_bounds(source.crs, grid.crs, *source.bounds))
    bounds = grid.bounds
    if not there.intersects(box(bounds.left, bounds.bottom, bounds.right, bounds.top)):
        text = _("the evidence {path} lies outside the ground that both flights show")
        raise DetectorError(text.format(path=path))


def _bands(path: Path, source: rasterio.DatasetReader) -> tuple[tuple[str, int], ...]:
    """Tell what the bands are: by their descriptions, else by how many there are."""
    told = [(text or "").strip().lower() for text in source.descriptions]
    if not any(told):
        told = list(_USUAL.get(source.count, ()))
    named = {name: band for band, name in enumerate(told, start=1) if name in (*MAPS, _CHANGED)}
    if _CHANGED in named:
        band = named.pop(_CHANGED)
        named = {"appeared": band, "gone": band} | named
    if not named:
        text = _(
            "the evidence {path} does not say what its bands are: describe them as"
            " changed, appeared, gone, roof_before or roof_after"
        )
        raise DetectorError(text.format(path=path))
    return tuple((name, named[name]) for name in MAPS if name in named)
