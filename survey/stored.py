"""What a file stores, made colours or heights and the mask that tells picture from nothing."""

import math

import numpy as np
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.windows import Window as FileWindow

from survey.collar import BLACK, WHITE
from survey.errors import FlightError
from survey.resampling import Bands
from survey.source import Source
from survey.words import _

__all__ = [
    "colour_and_valid",
    "stored_bands",
    "to_colour",
    "unreadable",
    "valid_pixels",
]


def colour_and_valid(
    source: Source, dataset: DatasetReader, windows: list[FileWindow]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return (3, row, col) and the mask of windows of one height, side by side."""
    stack = np.concatenate([dataset.read(stored_bands(source), window=w) for w in windows], axis=2)
    mask = None
    if source.masked:
        masks = [dataset.dataset_mask(window=w) > 0 for w in windows]
        mask = np.concatenate(masks, axis=1)
    return to_colour(source, stack[: len(set(source.bands))]), valid_pixels(source, stack, mask)


def valid_pixels(source: Source, stack: Bands, mask: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """Return where (band, row, col) as stored, an alpha band last, shows the ground."""
    raw = stack[: len(set(source.bands))]
    valid = np.ones(raw.shape[1:], bool) if mask is None else mask.copy()
    if source.alpha is not None:
        valid &= stack[-1] > (127 if source.dtype == "uint8" else 0)
    if source.nodata is not None:
        none = np.isnan(raw) if math.isnan(source.nodata) else raw == source.nodata
        valid &= ~none.all(axis=0)
    if raw.dtype.kind == "f":
        valid &= np.isfinite(raw).all(axis=0)
    if source.plausible is not None:
        low, high = ((v - source.offset) / source.scale for v in source.plausible)
        valid &= (raw[0] >= min(low, high)) & (raw[0] <= max(low, high))
    return valid


def stored_bands(source: Source) -> list[int]:
    """Return the numbers of the bands to read, each once, an alpha band last."""
    return list(dict.fromkeys(source.bands)) + ([source.alpha] if source.alpha else [])


def to_colour(source: Source, raw: Bands) -> NDArray[np.uint8]:
    """Return (3, row, col) of 8 bits from the stored bands."""
    if source.palette is not None:
        table = np.array(source.palette, np.uint8)
        return np.moveaxis(table[raw[0].astype(np.uint8)], -1, 0)
    if source.dtype != "uint8":
        raw = _stretched(raw, source.stretch, 2**source.bits - 1)
    colour = raw if len(raw) == 3 else np.repeat(raw[:1], 3, axis=0)
    return np.ascontiguousarray(colour, dtype=np.uint8)


def _stretched(raw: Bands, stretch: tuple[float, float] | None, white: int) -> NDArray[np.uint8]:
    """Return 8 bits; 0 and 255 are kept for what is stored as black and white, as borders are."""
    low, high = stretch or (0.0, float(white))
    scaled = (raw.astype(np.float32) - low) * (253.0 / max(1.0, high - low)) + 1
    eight: NDArray[np.uint8] = np.clip(np.rint(scaled), 1, 254).astype(np.uint8)
    eight[raw == 0] = BLACK
    eight[raw >= white] = WHITE
    return eight


def unreadable(source: Source, error: RasterioError) -> FlightError:
    """Return what a user is told of a file that GDAL could not read through."""
    return FlightError(
        _("{path}: cannot be read to its end ({error}); is the file damaged?").format(
            path=source.path, error=str(error).splitlines()[0]
        )
    )
