"""The pairs of files every figure is measured on: simulated at 5 cm, laid side by side, kept."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.windows import Window as FileWindow

from survey.simulation import (
    AreaPlan,
    draw_plan,
    image_frame,
    render_image,
    render_surface,
    scene_of,
    surface_frame,
    view_of,
)

__all__ = ["PIXEL_M", "SIDES_PX", "FilePair", "file_pair"]

CACHE = Path(__file__).parent / ".cache"
SEED = 9
# A scene of 200 m at 5 cm is 4000 pixels a side; four of them side by side are 8000.
SCENE_M, PIXEL_M, SURFACE_PIXEL_M = 200.0, 0.05, 0.25
SIDES_PX = (4000, 8000)
# What a photogrammetry package writes by default.
PROFILE = {
    "driver": "GTiff",
    "tiled": True,
    "blockxsize": 512,
    "blockysize": 512,
    "compress": "deflate",
    "predictor": 2,
}
OVERVIEWS = (2, 4, 8, 16)
# Grey levels added to each copy of the scene, so that no two of them are alike.
NOISE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePair:
    """Two flights over the same ground, as files."""

    before: Path
    """Orthophoto of the earlier flight."""
    after: Path
    """Orthophoto of the later flight."""
    dsm_before: Path
    """Surface model of the earlier flight."""
    dsm_after: Path
    """Surface model of the later flight."""

    @property
    def orthos(self) -> tuple[Path, Path]:
        """Both orthophotos."""
        return self.before, self.after


def file_pair(side_px: int, *, overviews: bool) -> FilePair:
    """Return a pair of ``side_px`` pixels a side, written on first use (minutes) and kept."""
    _render()
    folder = CACHE / f"{side_px}{'_overviews' if overviews else ''}"
    if not folder.is_dir():
        with _whole(folder) as draft:
            for index in (0, 1):
                _write_flight(draft, index, side_px, overviews=overviews)
    return FilePair(
        before=folder / "2025-03-15_ortho.tif",
        after=folder / "2025-06-14_ortho.tif",
        dsm_before=folder / "2025-03-15_dsm.tif",
        dsm_after=folder / "2025-06-14_dsm.tif",
    )


@contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """Yield a draft that becomes the folder once everything in it is written."""
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".draft-", dir=CACHE) as room:
        draft = Path(room) / folder.name
        draft.mkdir()
        yield draft
        draft.replace(folder)


def _plan() -> AreaPlan:
    return draw_plan(seed=SEED, side_m=SCENE_M, pixel_m=PIXEL_M)


def _render() -> None:
    """Simulate the scene as two flights see it, as plain arrays."""
    folder = CACHE / "scene"
    if folder.is_dir():
        return
    plan = _plan()
    scene = scene_of(plan)
    with _whole(folder) as draft:
        for flight in plan.flights[:2]:
            view = view_of(plan, scene, flight)
            pixels, _seen = render_image(view, image_frame(plan, flight).window)
            np.save(draft / f"{flight.index}_ortho.npy", pixels)
            heights, _known = render_surface(view, surface_frame(plan, flight).window)
            np.save(draft / f"{flight.index}_dsm.npy", heights.astype(np.float32))


def _write_flight(folder: Path, index: int, side_px: int, *, overviews: bool) -> None:
    plan = _plan()
    flight = plan.flights[index]
    name = f"{flight.flown_at:%Y-%m-%d}"
    frame = image_frame(plan, flight)
    place = {"crs": plan.crs, "width": side_px, "height": side_px}
    corner = Affine(PIXEL_M, 0, frame.west, 0, -PIXEL_M, frame.north)
    colour = np.load(CACHE / "scene" / f"{index}_ortho.npy", mmap_mode="r")
    profile = PROFILE | place | {"count": 4, "dtype": "uint8", "transform": corner}
    path = folder / f"{name}_ortho.tif"
    with rasterio.open(path, "w", **profile, photometric="rgb", alpha="yes") as target:
        for at, part in _laid_out(colour, side_px, index):
            opaque = np.full((1, *part.shape[1:]), 255, np.uint8)
            target.write(np.concatenate([part, opaque]), window=at)
    if overviews:
        with rasterio.open(path, "r+") as target:
            target.build_overviews(OVERVIEWS, Resampling.average)
    _write_surface(folder / f"{name}_dsm.tif", index, place, corner)


def _laid_out(
    colour: NDArray[np.uint8], side_px: int, seed: int
) -> Iterator[tuple[FileWindow, NDArray[np.uint8]]]:
    """Yield rows of tiles of the scene laid side by side, each copy with noise of its own."""
    rng = np.random.default_rng(seed)
    scene_px = colour.shape[1]
    for row in range(0, side_px, 512):
        height = min(512, side_px - row)
        rows = np.arange(row, row + height) % scene_px
        wide = np.tile(np.asarray(colour[:, rows]), (1, 1, side_px // scene_px)).astype(np.int16)
        wide += rng.integers(-NOISE, NOISE + 1, wide.shape, dtype=np.int16)
        yield FileWindow(0, row, side_px, height), np.clip(wide, 1, 254).astype(np.uint8)


def _write_surface(path: Path, index: int, place: dict[str, Any], corner: Affine) -> None:
    heights = np.load(CACHE / "scene" / f"{index}_dsm.npy")
    ratio = SURFACE_PIXEL_M / PIXEL_M
    side_px = round(place["width"] / ratio)
    copies = side_px // heights.shape[0]
    profile = PROFILE | place | {"count": 1, "dtype": "float32", "predictor": 3}
    profile |= {"width": side_px, "height": side_px}
    profile["transform"] = corner @ Affine.scale(ratio)
    with rasterio.open(path, "w", **profile) as target:
        target.write(np.tile(heights, (copies, copies)), 1)
