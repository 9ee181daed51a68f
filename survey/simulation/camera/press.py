"""A flight's rasters printed to disk tile by tile, by one process or several."""

import pickle
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
import rasterio.shutil
from rasterio import Affine
from rasterio.windows import Window as RasterWindow

from survey.blocks import Progress, run_all
from survey.simulation.camera.aim import Frame, image_frame, surface_frame, tiles_in
from survey.simulation.camera.lens import TILE_PX, render_image, render_truth
from survey.simulation.camera.surface import render_surface
from survey.simulation.camera.view import View
from survey.windows import Window

__all__ = ["TRUTH_BANDS", "Press"]

Pixels = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]
Print = Callable[[Path, Window], tuple[Pixels, Mask]]

TRUTH_BANDS = ("east_mm", "north_mm", "rise_cm", "structure", "ground", "valid")
"""Bands of a pixel-truth raster, in order."""

_JPEG_QUALITY = 82
_CACHE_MB = 256  # GDAL's own default is a share of the machine
_CENTIMETRE = 0.01
_NO_HEIGHT = -32768
_SOFTWARE = "orthowatch simulation"


@lru_cache(maxsize=1)
def _load(path: Path) -> View:
    """Load what to render, once in every process: it is too large to send with every tile."""
    with path.open("rb") as file:
        view: View = pickle.load(file)
    return view


def _print_image(path: Path, window: Window) -> tuple[Pixels, Mask]:
    return render_image(_load(path), window)


def _print_surface(path: Path, window: Window) -> tuple[Pixels, Mask]:
    heights, seen = render_surface(_load(path), window)
    steps = np.where(seen, np.round(heights / _CENTIMETRE), _NO_HEIGHT)
    return steps.astype(np.int16)[None], seen


def _print_truth(path: Path, window: Window) -> tuple[Pixels, Mask]:
    truth = render_truth(_load(path), window)
    bands = (
        np.round(truth.east_m * 1000.0),
        np.round(truth.north_m * 1000.0),
        np.round(truth.rise_m * 100.0),
        truth.owner,
        truth.ground,
        truth.valid,
    )
    return np.stack([band.astype(np.int32) for band in bands]), truth.valid


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """Prints the rasters of one flight into a folder, in bounded memory."""

    folder: Path
    """Where to write; must exist."""
    view: View
    """The flight."""
    executor: Executor | None = None
    """Where tiles are rendered; None for here."""
    progress: Progress | None = None
    """Told after every tile."""

    def run(self, *, pixel_truth: bool) -> None:
        """Write orthophoto, surface model and, if asked for, the truth of every pixel."""
        # Workers keep what they loaded by its path, so that every flight needs one of its own.
        scratch = self.folder / f"view-{self.view.flight.index}.pickle"
        with scratch.open("wb") as file:
            pickle.dump(self.view, file)
        try:
            self._write_image(scratch)
            self._write_surface(scratch)
            if pixel_truth:
                self._write_truth(scratch)
        finally:
            scratch.unlink()
            _load.cache_clear()

    def _path(self, what: str) -> Path:
        return self.folder / f"{self.view.flight.flown_at:%Y-%m-%d}_{what}.tif"

    def _write_image(self, scratch: Path) -> None:
        mosaic = self.view.flight.mosaic
        masked = mosaic.collar == "mask" or (mosaic.collar == "none" and mosaic.holes > 0)
        frame, path = image_frame(self.view.plan, self.view.flight), self._path("ortho")
        profile = {"count": 3, "dtype": "uint8", "photometric": "RGB"}
        draft = self._print(partial(_print_image, scratch), frame, path, profile, masked=masked)
        finish = {"compress": "JPEG", "quality": _JPEG_QUALITY, "overview_resampling": "AVERAGE"}
        _finish(draft, path, finish)

    def _write_surface(self, scratch: Path) -> None:
        frame, path = surface_frame(self.view.plan, self.view.flight), self._path("dsm")
        profile = {"count": 1, "dtype": "int16", "nodata": _NO_HEIGHT}
        draft = self._print(partial(_print_surface, scratch), frame, path, profile)
        with rasterio.open(draft, "r+") as raster:
            raster.scales = (_CENTIMETRE,)
            raster.units = ("metre",)
        finish = {"compress": "DEFLATE", "predictor": 2, "overview_resampling": "AVERAGE"}
        _finish(draft, path, finish)

    def _write_truth(self, scratch: Path) -> None:
        frame, path = image_frame(self.view.plan, self.view.flight), self._path("truth")
        profile = {"count": len(TRUTH_BANDS), "dtype": "int32"}
        draft = self._print(partial(_print_truth, scratch), frame, path, profile)
        with rasterio.open(draft, "r+") as raster:
            for number, name in enumerate(TRUTH_BANDS, start=1):
                raster.set_band_description(number, name)
        _finish(draft, path, {"compress": "DEFLATE", "predictor": 2, "overviews": "NONE"})

    def _print(
        self,
        function: Callable[[Window], tuple[Pixels, Mask]],
        frame: Frame,
        path: Path,
        profile: dict[str, object],
        *,
        masked: bool = False,
    ) -> Path:
        """Write all tiles of a raster into a draft beside its place."""
        draft = path.with_suffix(".draft.tif")
        tiles = list(tiles_in(frame, frame.window, TILE_PX))
        results = run_all(
            function, tiles, executor=self.executor, stage=path.stem, progress=self.progress
        )
        with (
            rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True, GDAL_CACHEMAX=_CACHE_MB),
            rasterio.open(draft, "w", **_profile(self.view, frame), **profile) as raster,
        ):
            raster.update_tags(**_tags(self.view))
            for tile, (pixels, seen) in zip(tiles, results, strict=True):
                where = RasterWindow(tile.col, tile.row, tile.width, tile.height)
                raster.write(pixels, window=where)
                if masked:
                    raster.write_mask(seen, window=where)
        return draft


def _profile(view: View, frame: Frame) -> dict[str, object]:
    """Give what all rasters have in common while they are written."""
    return {
        "driver": "GTiff",
        "width": frame.size,
        "height": frame.size,
        "crs": view.plan.crs,
        "transform": Affine(frame.pixel_m, 0.0, frame.west, 0.0, -frame.pixel_m, frame.north),
        "tiled": True,
        "blockxsize": 512,
        "blockysize": 512,
        "BIGTIFF": "IF_SAFER",
    }


def _tags(view: View) -> dict[str, str]:
    return {
        "TIFFTAG_DATETIME": view.flight.flown_at.strftime("%Y:%m:%d %H:%M:%S"),
        "TIFFTAG_SOFTWARE": _SOFTWARE,
        "AREA_OR_POINT": "Area",
    }


def _finish(draft: Path, path: Path, options: dict[str, object]) -> None:
    """Turn a draft into a cloud-optimised GeoTIFF."""
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True, GDAL_CACHEMAX=_CACHE_MB):
        rasterio.shutil.copy(draft, path, driver="COG", blocksize=512, **options)
    draft.unlink()
