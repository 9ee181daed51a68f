"""Places of a pair from near: whether roads and walls run on from one flight into the other."""

import base64
import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from change.export.drawing import show_picture
from change.export.field_map import Place
from change.export.residuals import spread_out, tie_residuals
from survey.grid import Bounds, WorkingGrid
from survey.pair import Pair
from survey.reading import FlightReader
from survey.windows import Window

__all__ = ["CloseUp", "choose_places", "take_close_ups"]

# Six fill a screen; 400 pixels of 10 cm show a house and the street it stands on.
_PLACES, _SIDE_PX, _FINEST_M, _CELL_PX = 6, 400, 0.1, 50
_QUALITY = 82


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseUp:
    """One place from near; pictures are JPEG in base64."""

    place: Place
    """Where."""
    side_m: float
    """Width of the ground shown, m."""
    before: str
    """The earlier flight."""
    after: str
    """The later flight, aligned."""
    as_delivered: str
    """Both in a chequer, the later one where its own coordinates put it."""
    aligned: str
    """Both in a chequer, the later one aligned."""


def choose_places(pair: Pair) -> list[Place]:
    """Return where to look: the worst tie that was used, and others far from it and each other.

    Where the ties were not trusted, or were not saved, the places are spread evenly.
    """
    alignment = pair.alignment
    if alignment.verdict != "verified" or not alignment.used.any():
        return _lattice(pair.grid)
    ties = alignment.ties.kept(alignment.used)
    size = np.hypot(*tie_residuals(alignment))[alignment.used]
    chosen = spread_out(ties.x, ties.y, int(size.argmax()), _PLACES)
    return [
        Place(number=n, x=float(ties.x[i]), y=float(ties.y[i]), residual_m=float(size[i]))
        for n, i in enumerate(chosen, start=1)
    ]


def _lattice(grid: WorkingGrid) -> list[Place]:
    """Return six places spread over the ground."""
    bounds = grid.bounds
    wide, high = bounds.right - bounds.left, bounds.top - bounds.bottom
    shares = [(across, down) for down in (0.25, 0.75) for across in (1 / 6, 0.5, 5 / 6)]
    return [
        Place(
            number=n,
            x=bounds.left + across * wide,
            y=bounds.top - down * high,
            residual_m=None,
        )
        for n, (across, down) in enumerate(shares, start=1)
    ]


def take_close_ups(pair: Pair, places: list[Place]) -> list[CloseUp]:
    """Return the pictures of places, those that either flight does not show left out.

    Raises
    ------
    FlightError
        A flight cannot be read to its end.
    """
    pixel = max(_FINEST_M, pair.before.pixel_m, pair.after.pixel_m)
    grid = WorkingGrid(
        crs=pair.grid.crs, pixel_m=pixel, left_px=0, top_px=0, width=_SIDE_PX, height=_SIDE_PX
    )
    taken = []
    with FlightReader(pair.before, grid) as before, FlightReader(pair.after, grid) as after:
        for place in places:
            window = _window(place, pair.grid.bounds, pixel)
            first, raw = before.picture(window), after.picture(window)
            moved = after.picture(window, pair.alignment.field.shift)
            if not (first.valid & moved.valid).any():
                continue
            pictures = [show_picture(picture) for picture in (first, moved, raw)]
            taken.append(_close_up(place, pixel * _SIDE_PX, *pictures))
    return taken


def _window(place: Place, bounds: Bounds, pixel: float) -> Window:
    """Return the window around a place, moved inside the common ground where it would overhang."""
    half = _SIDE_PX // 2 * pixel
    x = max(bounds.left + half, min(place.x, bounds.right - half))
    y = max(bounds.bottom + half, min(place.y, bounds.top - half))
    return Window(
        row=-round((y + half) / pixel),
        col=round((x - half) / pixel),
        height=_SIDE_PX,
        width=_SIDE_PX,
    )


def _close_up(
    place: Place,
    side_m: float,
    before: NDArray[np.uint8],
    moved: NDArray[np.uint8],
    raw: NDArray[np.uint8],
) -> CloseUp:
    row, col = np.indices(before.shape[:2]) // _CELL_PX
    odd = ((row + col) % 2 == 1)[..., None]
    return CloseUp(
        place=place,
        side_m=side_m,
        before=_jpeg(before),
        after=_jpeg(moved),
        as_delivered=_jpeg(np.where(odd, raw, before)),
        aligned=_jpeg(np.where(odd, moved, before)),
    )


def _jpeg(pixels: NDArray[np.uint8]) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="JPEG", quality=_QUALITY)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
