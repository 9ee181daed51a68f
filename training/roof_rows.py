"""The numbers of every place that may be a roof, as an inventory measures them. Is it one?"""

from collections.abc import Iterator

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import rasterize
from shapely import Polygon

from change.evidence import HALO_M
from change.local_roofs import (
    LocalRoofs,
    Samples,
    learn_samples,
    likely_roofs,
    roofs_in,
    sample_roof,
)
from change.outlines import mask_polygons
from change.raised import View
from change.roof_look import find_roofs, measure_roof
from change.shadows import Shadows, fallen, shadow_sums
from survey.light import to_lab
from training.candidates import LEAST_M2, Row
from training.pieces import Tile
from training.scenes import PIXEL_M

__all__ = ["rows_of_tile"]

# A place is a roof where so much of it is; one structure and all of it where that and the structure
# share so much of both together.
_RIGHT, _WHOLE = 0.5, 0.6
# Of a picture no more than its middle is measured, pixels: dense ones would outweigh all others.
_SIDE_PX = 800
# Known outlines: their share, what they are cut out with around them, and how many teach, at most.
_KNOWN, _AROUND_PX, _TEACHERS = 0.6, 75, 40
_PLACE = Affine(PIXEL_M, 0.0, 0.0, 0.0, -PIXEL_M, 0.0)
_HALO_PX = round(HALO_M / PIXEL_M)


def rows_of_tile(tile: Tile, rng: np.random.Generator) -> Iterator[Row]:
    """Measure every place of a picture: by the detector alone, and taught by some of its roofs."""
    rows, cols = (slice(max(0, (n - _SIDE_PX) // 2), (n + _SIDE_PX) // 2) for n in tile.owner.shape)
    colour = np.ascontiguousarray(np.moveaxis(tile.colour[rows, cols], -1, 0))
    owner = tile.owner[rows, cols]
    valid = owner >= 0
    alone = roofs_in(colour, valid, PIXEL_M)
    everything = (slice(0, valid.shape[0]), slice(0, valid.shape[1]))
    shadows = fallen(shadow_sums(alone, colour, valid, everything, PIXEL_M))
    yield from _rows(_view(colour, valid, alone, shadows), owner)
    local = _taught(colour, valid, alone, owner, rng)
    if local is not None:
        likely = likely_roofs(local, to_lab(colour), alone, PIXEL_M)
        yield from _rows(_view(colour, valid, likely, shadows), owner)


def _view(
    colour: NDArray[np.uint8],
    valid: NDArray[np.bool_],
    roof: NDArray[np.float32],
    shadows: Shadows | None,
) -> View:
    return View(
        colour=colour,
        valid=valid,
        above=np.full(valid.shape, np.nan, np.float32),
        transform=_PLACE,
        roof=np.where(valid, roof, np.float32(0)),
        shadows=shadows,
    )


def _taught(
    colour: NDArray[np.uint8],
    valid: NDArray[np.bool_],
    seen_as_roof: NDArray[np.float32],
    owner: NDArray[np.int32],
    rng: np.random.Generator,
) -> LocalRoofs | None:
    numbers = np.unique(owner[owner > 0])
    known = rng.permutation(numbers)[: round(_KNOWN * len(numbers))]
    outlines = [polygons for n in known if (polygons := mask_polygons(owner == n, _PLACE))]
    roofs = [max(polygons, key=lambda p: p.area) for polygons in outlines]
    lab = to_lab(colour)
    samples: list[Samples] = []
    for roof in roofs[:_TEACHERS]:
        rows, cols = _window(roof, owner.shape, _AROUND_PX)
        place = _PLACE @ Affine.translation(cols.start, rows.start)
        window = (slice(None), rows, cols)
        samples.append(
            sample_roof(
                lab[window], seen_as_roof[rows, cols], valid[rows, cols], (roof, roofs), place
            )
        )
    return learn_samples(samples)


def _window(outline: Polygon, shape: tuple[int, ...], margin: int) -> tuple[slice, slice]:
    left, bottom, right, top = outline.bounds
    (first_col, first_row), (last_col, last_row) = ~_PLACE @ (left, top), ~_PLACE @ (right, bottom)
    rows = slice(max(0, int(first_row) - margin), min(shape[0], int(last_row) + margin))
    cols = slice(max(0, int(first_col) - margin), min(shape[1], int(last_col) + margin))
    return rows, cols


def _rows(view: View, owner: NDArray[np.int32]) -> Iterator[Row]:
    areas = np.bincount(np.maximum(owner, 0).ravel())
    for mask in find_roofs(view):
        for place in mask_polygons(mask, _PLACE):
            if place.area < LEAST_M2:
                continue
            rows, cols = _window(place, owner.shape, _HALO_PX)
            assert view.roof is not None
            near = View(
                colour=view.colour[:, rows, cols],
                valid=view.valid[rows, cols],
                above=view.above[rows, cols],
                transform=_PLACE @ Affine.translation(cols.start, rows.start),
                roof=view.roof[rows, cols],
                shadows=view.shadows,
            )
            numbers = measure_roof(near, place)
            under = owner[rasterize([place], owner.shape, transform=_PLACE) > 0]
            if numbers is None or (under < 0).mean() > 0.4:
                continue
            counts = np.bincount(np.maximum(under, 0))
            counts[0] = 0
            best = int(counts.argmax())
            whole = counts[best] / max(1, len(under) + areas[best] - counts[best])
            yield numbers | {
                "right": float((under > 0).mean() >= _RIGHT),
                "whole": float(whole >= _WHOLE),
                "stock": 1.0,
            }
