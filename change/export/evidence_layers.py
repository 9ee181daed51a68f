"""Evidence layers: what the most severe suspects were told from, layer by layer, in one picture."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import xarray as xr
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from shapely import Polygon

from change.export.drawing import INK, PAPER, UNSEEN
from change.export.drawn_words import load_font, say, write_line
from change.model.detector import Detector, look
from change.suspicion import Suspect
from survey.grid import Bounds
from survey.pair import Pair, PairReader
from survey.words import N_

__all__ = ["draw_evidence"]

_Pixels = NDArray[np.uint8]

_MOST, _SIDE_PX, _GAP_PX, _TITLE_PX, _FONT_PX, _NUMBER_PX = 6, 200, 6, 30, 18, 44
# A structure takes this share of a square at most.
_FILL, _LEAST_M = 0.5, 40.0
# Height gained is shown up to a storey and a half either way, m.
_TALL_M = 4.5
_HALO, _LINE = 4, 2
# Ends that the colour-blind tell apart (Okabe and Ito 2008).
_GAINED, _LOST = (213, 94, 0), (0, 114, 178)

_TITLES = {
    "before": N_("before"),
    "after": N_("after"),
    "roof_before": N_("roof before"),
    "roof_after": N_("roof after"),
    "appeared": N_("appeared"),
    "gone": N_("gone"),
    "gain": N_("height gained"),
}


def draw_evidence(path: Path, pair: Pair, detector: Detector, suspects: Sequence[Suspect]) -> None:
    """Draw both pictures, the detector's maps and the height gained around the first suspects.

    Maps are dark for no and bright for yes; height is blue where it was lost, orange where it was
    gained.

    Parameters
    ----------
    path
        The PNG to write.
    pair
        The flights.
    detector
        What looked at them; its maps are shown as it gave them, before permitted roofs taught it.
    suspects
        The first six are drawn.

    Raises
    ------
    FlightError
        A flight cannot be read to its end.
    """
    with PairReader(pair) as reader:
        rows = [_layers(reader, pair, detector, item) for item in suspects[:_MOST]]
    names = [name for name in _TITLES if any(name in row for row in rows)] or ["before", "after"]
    step = _SIDE_PX + _GAP_PX
    page = Image.new(
        "RGB", (_NUMBER_PX + step * len(names), _TITLE_PX + step * max(1, len(rows))), PAPER
    )
    draw, font = ImageDraw.Draw(page), load_font(_FONT_PX)
    for col, name in enumerate(names):
        write_line(draw, (_NUMBER_PX + col * step, 4), say(_TITLES[name]), INK, font)
    for row, layers in enumerate(rows):
        top = _TITLE_PX + row * step
        write_line(draw, (4, top + _SIDE_PX // 2 - 10), str(row + 1), INK, font)
        for col, name in enumerate(names):
            if name in layers:
                page.paste(Image.fromarray(layers[name]), (_NUMBER_PX + col * step, top))
    page.save(path, format="PNG")


def _layers(
    reader: PairReader, pair: Pair, detector: Detector, item: Suspect
) -> dict[str, _Pixels]:
    """Return the squares of one suspect, (row, col, 3), by the name of their layer."""
    outline = item.change.outline
    bounds = _square(outline)
    data = reader.read(pair.grid.window_of(bounds))
    seen = (data["seen_before"] & data["seen_after"]).values
    shown = dict(_shown(data, detector, pair.grid.pixel_m, seen))
    return {name: _finished(layer, outline, bounds) for name, layer in shown.items()}


def _square(outline: Polygon) -> Bounds:
    left, bottom, right, top = outline.bounds
    half = max(_LEAST_M, max(right - left, top - bottom) / _FILL) / 2
    x, y = (left + right) / 2, (bottom + top) / 2
    return Bounds(left=x - half, bottom=y - half, right=x + half, top=y + half)


def _shown(
    data: xr.Dataset, detector: Detector, pixel_m: float, seen: NDArray[np.bool_]
) -> Iterator[tuple[str, _Pixels]]:
    """Yield the layers in colour, (row, col, 3)."""
    pictures = [data[role].values for role in ("before", "after")]
    for role, picture in zip(("before", "after"), pictures, strict=True):
        colour = np.ascontiguousarray(np.moveaxis(picture, 0, -1))
        colour[~data[f"seen_{role}"].values] = UNSEEN
        yield role, colour
    for name, chance in look(detector, pictures[0], pictures[1], pixel_m, seen).items():
        yield name, _bright(np.where(seen, chance, np.nan))
    if "height_after" in data:
        gain = (data["height_after"] - data["height_before"]).values
        yield "gain", _diverging(gain / _TALL_M)


def _bright(share: NDArray[np.floating]) -> _Pixels:
    """Return shares from 0 to 1 from dark to bright; what is unknown is grey."""
    known = np.isfinite(share)
    levels = np.rint(255 * np.clip(np.where(known, share, 0.0), 0.0, 1.0)).astype(np.uint8)
    colour = cv2.applyColorMap(levels, cv2.COLORMAP_VIRIDIS)[..., ::-1].copy()
    colour[~known] = UNSEEN
    return np.asarray(colour, np.uint8)


def _diverging(share: NDArray[np.floating]) -> _Pixels:
    """Return shares from -1 to 1 from blue over white to orange; what is unknown is grey."""
    known = np.isfinite(share)
    near = np.clip(np.where(known, share, 0.0), -1.0, 1.0)[..., None]
    end = np.where(near > 0, np.array(_GAINED), np.array(_LOST))
    colour = np.rint(255 + np.abs(near) * (end - 255)).astype(np.uint8)
    colour[~known] = UNSEEN
    return np.asarray(colour, np.uint8)


def _finished(layer: _Pixels, outline: Polygon, bounds: Bounds) -> _Pixels:
    """Return a layer at the size of the page, with the outline."""
    size = (_SIDE_PX, _SIDE_PX)
    square = cv2.resize(layer, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    scale = _SIDE_PX / (bounds.right - bounds.left)
    ring = np.asarray(outline.exterior.coords)
    points = np.stack([ring[:, 0] - bounds.left, bounds.top - ring[:, 1]], axis=1) * scale
    line = [np.rint(points * 16).astype(np.int32)]
    for colour, width in ((INK, _HALO), (PAPER, _LINE)):
        cv2.polylines(square, line, True, colour, width, cv2.LINE_AA, 4)
    return square
