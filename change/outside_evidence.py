"""A raster of evidence made elsewhere: what another detector says, laid over the working grid."""

from dataclasses import dataclass, replace
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
# Probabilities may be off 0 and 1 by so much.
_ROUNDING = 1e-4
# Of how much ground it speaks is told by a picture of at most this side.
_SMALL_PX = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideEvidence:
    """A raster of probabilities; holds no open file, so that it can be sent around."""

    path: Path
    """Raster that GDAL reads."""
    bands: tuple[tuple[str, int], ...]
    """What is read from which band, counted from 1; slugs of ``change.model.manifest.MAPS``."""
    scale: float
    """What its values are divided by: 255 for bytes, else 1."""
    shares: tuple[tuple[str, float], ...] = ()
    """Of which share of the ground each of them says something, [0, 1]; told on opening."""

    def read(self, grid: WorkingGrid, window: Window) -> Maps:
        """Return what it says of a window of a grid: (row, col) in [0, 1], NaN where nothing.

        Raises
        ------
        DetectorError
            The file cannot be read to its end, or holds no probabilities.
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
            maps = {name: laid.read(band) / np.float32(self.scale) for name, band in self.bands}
        for name, said in maps.items():
            # NaN compares as nothing, and stays: what is not known is not said.
            if (said < -_ROUNDING).any() or (said > 1.0 + _ROUNDING).any():
                text = _(
                    "the evidence {path} holds values from {least:.3g} to {most:.3g} as {name}:"
                    " numbers from 0 to 1, or bytes, are needed"
                )
                least, most = float(np.nanmin(said)), float(np.nanmax(said))
                raise DetectorError(text.format(path=self.path, least=least, most=most, name=name))
        return {name: np.clip(said, 0.0, 1.0) for name, said in maps.items()}


def open_evidence(path: Path, grid: WorkingGrid) -> OutsideEvidence:
    """Open a raster of evidence and see whether it can be used on a grid.

    Raises
    ------
    DetectorError
        It cannot be read, lies elsewhere or nowhere, does not say what its bands are, or holds no
        probabilities.
    """
    try:
        with raster_environment(), rasterio.open(path) as source:
            _require_place(path, source, grid)
            evidence = OutsideEvidence(
                path=path,
                bands=_bands(path, source),
                scale=255.0 if source.dtypes[0] == "uint8" else 1.0,
            )
    except RasterioError as error:
        text = _("the evidence {path} cannot be read: {why}")
        raise DetectorError(text.format(path=path, why=error)) from error
    return replace(evidence, shares=_shares(evidence, grid))


def _shares(evidence: OutsideEvidence, grid: WorkingGrid) -> tuple[tuple[str, float], ...]:
    """Tell how much of the ground is spoken of, by a small picture of all of it."""
    small = grid.coarsened(-(-max(grid.height, grid.width) // _SMALL_PX))
    maps = evidence.read(small, Window(row=0, col=0, height=small.height, width=small.width))
    return tuple((name, round(float(np.isfinite(said).mean()), 3)) for name, said in maps.items())


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
    if any(told.count(name) > 1 for name in named):
        text = _("the evidence {path} has two bands of one name")
        raise DetectorError(text.format(path=path))
    if any(source.dtypes[band - 1].startswith("complex") for band in named.values()):
        text = _("the evidence {path} holds complex numbers")
        raise DetectorError(text.format(path=path))
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
