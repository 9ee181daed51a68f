"""Small GeoTIFFs for tests: a textured picture, written in whatever dialect a test asks for."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray

# A place in Guangdong, in CGCS2000 3-degree zone 38 without prefix (EPSG:4547) and in UTM 49N.
EAST, NORTH = 428_000.0, 2_555_000.0
CRS_CODE = 4547


def scene(height: int, width: int, *, seed: int = 1) -> NDArray[np.uint8]:
    """Return (3, row, col) of sharp texture at several scales, with no pure black or white."""
    random = np.random.default_rng(seed)
    picture = np.full((height, width, 3), 128.0, np.float32)
    for size, strength in ((64, 30.0), (16, 20.0), (4, 15.0), (1, 10.0)):
        shape = (-(-height // size), -(-width // size), 3)
        coarse = random.normal(0, strength, shape).astype(np.float32)
        picture += np.repeat(np.repeat(coarse, size, 0), size, 1)[:height, :width]
    return np.clip(picture, 5, 250).astype(np.uint8).transpose(2, 0, 1)


def blurred(picture: NDArray[np.uint8], sigma: float) -> NDArray[np.uint8]:
    """Return the picture out of focus."""
    return np.stack([cv2.GaussianBlur(band, (0, 0), sigma) for band in picture])


def north_up(pixel_m: float, *, east: float = EAST, north: float = NORTH) -> Affine:
    """Return the transform of a north-up picture."""
    return Affine(pixel_m, 0.0, east, 0.0, -pixel_m, north)


def write(
    path: Path,
    bands: NDArray[Any],
    *,
    transform: Affine | None = None,
    crs: Any = CRS_CODE,
    mask: NDArray[np.bool_] | None = None,
    tags: dict[str, str] | None = None,
    overviews: tuple[int, ...] = (),
    **profile: Any,
) -> Path:
    """Write (band, row, col) and return the path; ``profile`` goes to GDAL as it is."""
    profile = {"driver": "GTiff", "dtype": bands.dtype, "count": len(bands)} | profile
    place = north_up(0.1) if transform is None else transform
    inside = {"GDAL_TIFF_INTERNAL_MASK": True}
    with (
        rasterio.Env(**inside),
        rasterio.open(
            path,
            "w",
            height=bands.shape[1],
            width=bands.shape[2],
            crs=crs,
            transform=place,
            **profile,
        ) as dataset,
    ):
        dataset.write(bands)
        if mask is not None:
            dataset.write_mask(mask)
        dataset.update_tags(**(tags or {}))
        if overviews:
            dataset.build_overviews(overviews, rasterio.enums.Resampling.average)
    return path
