"""The pictures that alignment is measured on: rendered flights, kept once made, and real ones."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS

from benchmarks.judge import Case, frozen_cases, plan_of
from benchmarks.pictures import real_folder
from survey.grid import Grid, ground_pixel
from survey.simulation import (
    draw_plan,
    image_frame,
    render_image,
    render_truth,
    scene_of,
    view_of,
)

__all__ = [
    "GROUND",
    "JUDGING",
    "KEPT",
    "NOTHING",
    "TUNING",
    "Draw",
    "Picture",
    "frozen_draw",
    "picture",
    "rendered_pair",
    "whole",
    "write_picture",
]

Colours = NDArray[np.uint8]
Mask = NDArray[np.bool_]

KEPT = Path(__file__).parent / ".cache" / "alignment"
# 4096 pixels of 5 cm: the size the bars of accuracy are stated for.
_SIDE_M, _PIXEL_M, _FLIGHT = 204.8, 0.05, 1
_RENDERED = ("town", "fringe", "farmland", "urban_village")
_PROFILE = {
    "driver": "GTiff",
    "count": 4,
    "dtype": "uint8",
    "tiled": True,
    "blockxsize": 512,
    "blockysize": 512,
    "compress": "deflate",
    "predictor": 2,
    "zlevel": 1,
    "photometric": "rgb",
    "alpha": "yes",
}
# Where a pixel of a rendered flight shows nothing, something that stands, or open ground.
NOTHING, STANDING, GROUND = 0, 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """One of the two draws every family is made of."""

    name: str
    """``tuning``: its pairs may be looked at while alignment is built; ``judging``: not."""
    seed: int
    """First seed of everything drawn; a family adds its own thousands."""
    real: tuple[str, ...]
    """Real pictures. Those of Kampala are for judging only (see their SOURCES.md)."""

    @property
    def rendered(self) -> tuple[str, ...]:
        """Names of the rendered pictures, one for each kind of ground."""
        return tuple(f"{kind}-{self.seed + n}" for n, kind in enumerate(_RENDERED))


_OPEN = ("banepa-south", "banepa-north", "morava", "pix4d", "colorado")
TUNING = Draw(name="tuning", seed=60_000, real=_OPEN)
JUDGING = Draw(name="judging", seed=80_000, real=("kampala-ne", "kampala-sw", *_OPEN))


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture and where it shows ground."""

    name: str
    """What `picture` knows it by."""
    colours: Colours
    """(row, col, 3), sRGB."""
    valid: Mask
    """(row, col); True where it shows ground."""
    pixel_m: float
    """Pixel on the ground, metres."""


def frozen_draw(draw: Draw) -> tuple[Case, ...]:
    """List the frozen pairs, or for tuning 40 of the same recipes with seeds of their own."""
    cases = frozen_cases("alignment")
    if draw is JUDGING:
        return cases
    return tuple(
        replace(
            case,
            name=f"tuning-{number:02d}",
            seed=draw.seed + 8_000 + number,
            other_seed=case.other_seed and draw.seed + 9_000 + number,
        )
        for number, case in enumerate(cases)
    )


@lru_cache(maxsize=4)
def picture(name: str) -> Picture:
    """Return a picture by its name; rendered ones are made on first use (half a minute) and kept.

    Raises
    ------
    FileNotFoundError
        It is a real picture and `ORTHOWATCH_REAL_DATA` is not set.
    """
    kind, _, number = name.rpartition("-")
    if kind in _RENDERED:
        return _rendered(name, kind, int(number))
    if kind in ("frozen", "tuning"):
        draw = JUDGING if kind == "frozen" else TUNING
        return _read(name, [rendered_pair(frozen_draw(draw)[int(number)]) / "before.tif"])
    return _real(name)


def _real(name: str) -> Picture:
    folder = real_folder()
    if folder is None:
        raise FileNotFoundError(f"{name}: set ORTHOWATCH_REAL_DATA to the folder of real files")
    if name.startswith("banepa"):
        # The tiles form two rectangles with a row missing between them; x, y are the tile's.
        tiles = (folder / "train/banepa/images").glob("*.tif")
        south = name == "banepa-south"
        return _read(name, [p for p in sorted(tiles) if (int(p.stem[-6:]) < 220_240) != south])
    patterns = {
        "kampala-ne": "kampala/kampala_ne_z21.tif",
        "kampala-sw": "kampala/kampala_sw_z21.tif",
        "morava": "train/nothing-built/*.tif",
        "pix4d": "rasters/rio-tiler/my-bucket/pix4d/pix4d_alpha_nodata.tif",
        "colorado": "rasters/rio-tiler/cog_rgb.tif",
    }
    return _read(name, sorted(folder.glob(patterns[name])))


def _read(name: str, paths: list[Path]) -> Picture:
    """Read files of one grid into one picture; where two show the same ground, the later."""
    bounds, step, pixel_m = _places(paths)
    left, top = bounds[:, 0].min(), bounds[:, 3].max()
    width = round((bounds[:, 2].max() - left) / step[0])
    height = round((top - bounds[:, 1].min()) / step[1])
    colours = np.zeros((height, width, 3), np.uint8)
    valid = np.zeros((height, width), bool)
    for path, (west, _south, _east, north) in zip(paths, bounds, strict=True):
        col, row = round((west - left) / step[0]), round((top - north) / step[1])
        with rasterio.open(path) as dataset:
            stack = np.moveaxis(dataset.read([1, 2, 3]), 0, -1)
            seen = dataset.dataset_mask() > 0
        at = (slice(row, row + seen.shape[0]), slice(col, col + seen.shape[1]))
        colours[at][seen] = stack[seen]
        valid[at] |= seen
    return Picture(name=name, colours=colours, valid=valid, pixel_m=pixel_m)


def _places(paths: list[Path]) -> tuple[NDArray[np.float64], tuple[float, float], float]:
    """Return the bounds of files, their pixel in units of their CRS, and on the ground."""
    bounds = []
    for path in paths:
        with rasterio.open(path) as dataset:
            bounds.append(tuple(dataset.bounds))
            grid = Grid(
                crs=CRS.from_user_input(dataset.crs.to_wkt()),
                transform=dataset.transform,
                width=dataset.width,
                height=dataset.height,
            )
            step = dataset.res
    return np.array(bounds), step, max(ground_pixel(grid))


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """Yield a draft that becomes the file or folder once it is written."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".draft-", dir=target.parent) as room:
        draft = Path(room) / target.name
        yield draft
        if not target.exists():
            draft.replace(target)


def _rendered(name: str, kind: str, seed: int) -> Picture:
    kept = KEPT / "pictures" / f"{name}.npy"
    if not kept.exists():
        plan = draw_plan(seed=seed, side_m=_SIDE_M, pixel_m=_PIXEL_M, setting=kind)  # type: ignore[arg-type]
        flight = plan.flights[_FLIGHT]
        view = view_of(plan, scene_of(plan), flight)
        colours, valid = render_image(view, image_frame(plan, flight).window)
        with whole(kept) as draft:
            np.save(draft, np.concatenate([colours, valid[None].astype(np.uint8)]))
    bands = np.load(kept)
    colours = np.ascontiguousarray(np.moveaxis(bands[:3], 0, -1))
    return Picture(name=name, colours=colours, valid=bands[3] > 0, pixel_m=_PIXEL_M)


def rendered_pair(case: Case) -> Path:
    """Return the folder with both flights of a case; rendered on first use (20 s) and kept.

    It holds `before.tif`, `after.tif` and, but for other ground, what their pixels show.
    """
    folder = KEPT / "frozen" / f"{case.name}-{case.seed}"
    if not folder.is_dir():
        with whole(folder) as draft:
            draft.mkdir()
            for later in (False, True):
                _write_flight(draft, case, later=later)
    return folder


def _write_flight(folder: Path, case: Case, *, later: bool) -> None:
    plan = plan_of(case, later=later)
    flight = plan.flights[case.after if later else 0]
    view, frame = view_of(plan, scene_of(plan), flight), image_frame(plan, flight)
    colours, valid = render_image(view, frame.window)
    name = "after" if later else "before"
    corner = Affine(frame.pixel_m, 0.0, frame.west, 0.0, -frame.pixel_m, frame.north)
    picture_file = folder / f"{name}.tif"
    write_picture(picture_file, np.moveaxis(colours, 0, -1), valid, (plan.crs, corner))
    if case.other_seed is None:
        truth = render_truth(view, frame.window)
        shown = np.where(truth.ground, GROUND, STANDING) * truth.valid
        cv2.imwrite(str(folder / f"{name}_shown.png"), shown.astype(np.uint8))


def write_picture(path: Path, colours: Colours, valid: Mask, place: tuple[str, Affine]) -> None:
    """Write a picture, (row, col, 3), as RGBA that states a place: CRS and transform."""
    height, width = valid.shape
    profile = _PROFILE | {"crs": place[0], "transform": place[1]}
    with rasterio.open(path, "w", **profile, width=width, height=height) as target:
        target.write(np.moveaxis(np.where(valid[..., None], colours, 0), -1, 0), (1, 2, 3))
        target.write(valid.astype(np.uint8) * 255, 4)
