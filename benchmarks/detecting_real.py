"""Real pairs that detection is measured on: seven aerial pairs across years, and files with
themselves.

Nothing is learnt or tuned on any of them.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS
from rasterio.features import rasterize, shapes
from shapely.geometry import shape

from benchmarks.detecting_counts import Truth
from benchmarks.detecting_line import Flown, PairTruth, Ran, entry_of, moved_to, run
from benchmarks.detecting_scenes import draw_of, flown_case
from benchmarks.judge import Case
from benchmarks.naive import count_pixels
from benchmarks.pictures import real_folder

__all__ = ["fotbcd_names", "identical_cases", "measure_fotbcd", "measure_identical"]

Mask = NDArray[np.bool_]

_CHANGED = 255
_RENDERED = 8  # one of each pixel size
_IDENTICAL = (
    "kampala/kampala_ne_z21.tif",
    "kampala/kampala_sw_z21.tif",
    "rasters/rio-tiler/cog_rgb.tif",
    "fotbcd/before/binary_val_104.tif",
)


def _real(path: str) -> Path:
    folder = real_folder()
    if folder is None:
        raise FileNotFoundError(f"{path}: set ORTHOWATCH_REAL_DATA to the folder of real files")
    return folder / path


def fotbcd_names(*, judge: bool) -> tuple[str, ...]:  # noqa: ARG001 - there is one draw
    """List the FOTBCD pairs; none where there are no real files."""
    if real_folder() is None:
        return ()
    return tuple(path.stem for path in sorted(_real("fotbcd/label").glob("*.tif")))


def measure_fotbcd(name: str) -> dict[str, Any]:
    """Measure one pair: objects, and the pixels of the label's grid (``pixels``)."""
    with rasterio.open(_real(f"fotbcd/label/{name}.tif")) as label:
        changed = label.read(1) == _CHANGED
        crs, transform = CRS.from_user_input(label.crs.to_wkt()), label.transform
    flown = Flown(
        before=_real(f"fotbcd/before/{name}.tif"), after=_real(f"fotbcd/after/{name}.tif")
    )
    # The label does not say what came and what went.
    truth = PairTruth(
        crs=crs,
        changes=tuple(
            Truth(outline=outline, kind="changed", gained=None)
            for outline in _objects(changed, transform)
        ),
        all_judged=True,
    )
    pixels = partial(_pixels, changed=changed, transform=transform, crs=crs)
    return {"name": name} | entry_of(run(flown), truth, pixels)


def _objects(changed: Mask, transform: Affine) -> Iterator[Any]:
    """Yield the outlines of a label, corners not connecting."""
    for part, _value in shapes(
        changed.astype(np.uint8), mask=changed, connectivity=4, transform=transform
    ):
        yield shape(part)


def _pixels(ran: Ran, *, changed: Mask, transform: Affine, crs: CRS) -> dict[str, Any]:
    said = np.zeros(changed.shape, bool)
    if ran.reported and ran.crs is not None:
        outlines = [moved_to(change.outline, ran.crs, crs) for change in ran.reported]
        said = rasterize(outlines, changed.shape, transform=transform, dtype="uint8") > 0
    counts = count_pixels(said, changed)
    return {"pixels": {"hits": counts.hits, "false": counts.false, "missed": counts.missed}}


def identical_cases(*, judge: bool) -> tuple[str | Case, ...]:
    """List what is held against itself: real files, where there are any, and rendered ones."""
    real = () if real_folder() is None else _IDENTICAL
    return (*real, *draw_of("detection", judge=judge)[:_RENDERED])


def measure_identical(case: str | Case) -> dict[str, Any]:
    """Measure a file against itself: the one named, or the earlier flight of a case."""
    if isinstance(case, str):
        name, path = case, _real(case)
    else:
        name, path = case.name, flown_case(case, heights=False).before
    nothing = PairTruth(crs=CRS.from_epsg(3857), changes=())
    return {"name": name} | entry_of(run(Flown(before=path, after=path)), nothing)
