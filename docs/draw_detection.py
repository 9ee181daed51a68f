"""Draw the pictures of docs/detection.md: what detection sees of two sample flights.

python docs/draw_detection.py

Writes docs/images/detection-layers.jpg (the evidence over a part of the sample) and
docs/images/detection-mistakes.jpg (the surest false changes and the largest misses by pictures
alone). Both are of the program as it is; draw them again after the weights changed.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import geopandas as gpd
import numpy as np
import shapely
import xarray as xr
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from change.changes import Change
from change.detection import detect
from change.model.detector import shipped_detector
from change.observer import Observer
from survey.examination import examine
from survey.flight import open_flight
from survey.pair import Pair, PairReader, make_pair
from survey.settings import Settings
from survey.windows import Window

DOCS = Path(__file__).parent
SAMPLE = DOCS.parent / "sample_tiles"
DAYS = "2025-03-15", "2025-12-13"
LOSSES = ("removed", "partly_removed")

SIDE_PX, CAPTION_PX, GAP_PX = 300, 22, 6
RIGHT, WRONG, TRUE = (0, 158, 115), (213, 94, 0), (255, 255, 255)

Picture = NDArray[np.uint8]
Bounds = tuple[float, float, float, float]


def flown_pair(*, heights: bool) -> Pair:
    """Align the first and the last sample flight."""
    flights = [
        examine(
            open_flight(
                SAMPLE / f"{day}_ortho.tif", dsm=SAMPLE / f"{day}_dsm.tif" if heights else None
            )
        )
        for day in DAYS
    ]
    return make_pair(*flights, Settings())


def seen_in(pair: Pair) -> xr.Dataset:
    """Return everything that is known of a pair, the detector's maps with it."""
    whole = Window(row=0, col=0, height=pair.grid.height, width=pair.grid.width)
    with PairReader(pair) as reader:
        window = reader.read(whole)
    observer = Observer(detector=shipped_detector(), evidence=None, local=None)
    maps = observer.look(window, whole, pair)
    return window.assign({name: (("y", "x"), band) for name, band in maps.items()})


def panel(
    window: xr.Dataset,
    band: NDArray[np.generic],
    bounds: Bounds,
    caption: str,
    outlines: Sequence[tuple[BaseGeometry, tuple[int, int, int]]] = (),
) -> Picture:
    """Draw a square part of a band (row, col) or (row, col, 3), with outlines and a caption."""
    left, bottom, right, top = bounds
    x, y = window["x"].values, window["y"].values
    cols = np.flatnonzero((x >= left) & (x <= right))
    rows = np.flatnonzero((y >= bottom) & (y <= top))
    part = band[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    if part.ndim == 2:
        levels = np.nan_to_num(part * 255).clip(0, 255).astype(np.uint8)
        part = cv2.applyColorMap(levels, cv2.COLORMAP_VIRIDIS)[..., ::-1]
    drawn = cv2.resize(np.ascontiguousarray(part), (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    scale = SIDE_PX / (right - left)
    for outline, colour in outlines:
        for one in shapely.get_parts(outline):
            ring = np.array(one.exterior.coords)
            points = np.stack([(ring[:, 0] - left) * scale, (top - ring[:, 1]) * scale], axis=1)
            line = [np.round(points * 16).astype(np.int32)]
            cv2.polylines(drawn, line, True, colour, 2, cv2.LINE_AA, 4)
    head = np.full((CAPTION_PX, SIDE_PX, 3), 255, np.uint8)
    cv2.putText(
        head, caption, (2, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (20, 20, 20), 1, cv2.LINE_AA
    )
    return np.asarray(np.vstack([head, drawn]), np.uint8)


def write_sheet(panels: Sequence[Picture], columns: int, path: Path) -> None:
    """Write panels as one picture, so many side by side."""
    blank = np.full_like(panels[0], 255)
    filled = [*panels, *[blank] * (-len(panels) % columns)]
    padded = [
        cv2.copyMakeBorder(one, 0, GAP_PX, 0, GAP_PX, cv2.BORDER_CONSTANT, value=(255, 255, 255))
        for one in filled
    ]
    rows = [np.hstack(padded[i : i + columns]) for i in range(0, len(padded), columns)]
    sheet = np.ascontiguousarray(np.vstack(rows)[..., ::-1])
    cv2.imwrite(str(path), sheet, [cv2.IMWRITE_JPEG_QUALITY, 85])


def around(outline: BaseGeometry, margin: float = 14.0) -> Bounds:
    """Return a square around an outline."""
    left, bottom, right, top = outline.bounds
    half = max(right - left, top - bottom) / 2 + margin
    x, y = (left + right) / 2, (bottom + top) / 2
    return x - half, y - half, x + half, y + half


def pictures(window: xr.Dataset) -> tuple[Picture, Picture]:
    """Return both pictures, (row, col, 3)."""
    before, after = (np.moveaxis(window[name].values, 0, -1) for name in ("before", "after"))
    return before, after


def draw_layers(truth: gpd.GeoDataFrame) -> None:
    """Draw every layer of evidence over the part of the sample where most changed."""
    pair = flown_pair(heights=True)
    window = seen_in(pair)
    reported = [(c.outline, RIGHT) for c in detect(pair, Settings()).changes]
    true = [(outline, TRUE) for outline in truth.geometry]
    middle = shapely.union_all(truth.geometry).centroid
    bounds = around(middle, 55.0)
    before, after = pictures(window)
    gained = window["height_after"].values - window["height_before"].values
    layers = [
        ("before; white: what truly changed", before, true),
        ("after; green: what is reported", after, reported),
        ("height gained, 0 to 6 m", gained / 6, ()),
        ("roof seen before", window["roof_before"].values, ()),
        ("roof seen after", window["roof_after"].values, ()),
        ("a structure appeared", window["appeared"].values, ()),
    ]
    panels = [panel(window, band, bounds, name, lines) for name, band, lines in layers]
    write_sheet(panels, 3, DOCS / "images" / "detection-layers.jpg")


def draw_mistakes(truth: gpd.GeoDataFrame) -> None:
    """Draw the surest false changes, and the largest misses, by pictures alone."""
    pair = flown_pair(heights=False)
    window = seen_in(pair)
    before, after = pictures(window)
    changes = detect(pair, Settings()).changes
    lost = truth["kind"].isin(LOSSES)
    union = {side: shapely.union_all(truth.geometry[lost == side]) for side in (False, True)}
    false = [c for c in changes if c.outline.intersection(union[c.vanished]).area < 1.0]
    false.sort(key=lambda change: -change.score)
    missed = truth[~lost & (truth["area_m2"] >= 20)]
    found = shapely.union_all([c.outline for c in changes if not c.vanished])
    missed = missed[missed.intersection(found).area < 0.3 * missed.area]
    missed = missed.sort_values("area_m2", ascending=False)
    panels = []
    for change in false[:3]:
        panels += _both(window, (before, after), change.outline, WRONG, _named(change))
    for kind, outline in list(zip(missed["kind"], missed.geometry, strict=True))[:3]:
        panels += _both(window, (before, after), outline, TRUE, f"missed: {kind}")
    write_sheet(panels, 4, DOCS / "images" / "detection-mistakes.jpg")


def _named(change: Change) -> str:
    return f"false: {change.kind}, score {change.score:.2f}"


def _both(
    window: xr.Dataset,
    bands: tuple[Picture, Picture],
    outline: BaseGeometry,
    colour: tuple[int, int, int],
    caption: str,
) -> list[Picture]:
    bounds, lines = around(outline), [(outline, colour)]
    captions = (caption, "after")
    return [
        panel(window, band, bounds, name, lines) for band, name in zip(bands, captions, strict=True)
    ]


def main() -> int:
    """Draw both pictures."""
    truth = gpd.read_file(SAMPLE / "truth.gpkg", layer="changes")
    truth = truth[(truth["before"] == 0) & (truth["after"] == 3)]
    draw_layers(truth)
    draw_mistakes(truth)
    return 0


if __name__ == "__main__":
    sys.exit(main())
