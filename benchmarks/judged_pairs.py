"""Pairs of flights as arrays on one grid, with the truth: the frozen ones, and the FOTBCD pairs.

Both flights of a simulated pair are undone to their true places: naive detectors get the alignment
for nothing, so that what they score is told by the ground and not by the offset of the flights.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio import Affine
from rasterio.features import rasterize

from benchmarks.judge import Case, plan_of
from benchmarks.naive import (
    THRESHOLDS,
    Detector,
    Scored,
    best_scores,
    colour_difference,
    height_difference,
    label_objects,
)
from survey.simulation import (
    AreaPlan,
    FlightPlan,
    Scene,
    changes_between,
    displacement,
    image_frame,
    render_image,
    render_surface,
    scene_of,
    surface_frame,
    view_of,
)
from survey.simulation.camera.aim import Frame

__all__ = ["PairOfFlights", "fotbcd_pairs", "judged_pair", "measure"]

Colours = NDArray[np.uint8]
Floats = NDArray[np.float32]
Labels = NDArray[np.int32]
Mask = NDArray[np.bool_]

_LEAST_M2 = 0.5  # slivers between two states of an outline are no change to anybody


@dataclass(frozen=True, slots=True, kw_only=True)
class PairOfFlights:
    """Two flights on one grid, and the truth."""

    colours: tuple[Colours, Colours]
    """Before and after, (3, row, col)."""
    seen: Mask
    """(row, col); True where both show ground."""
    truth: Labels
    """(row, col); structures that changed, from 1; 0 elsewhere."""
    pixel_m: float
    """Ground pixel, metres."""
    heights: tuple[Floats, Floats] | None = None
    """Surface models before and after, metres, each on its own datum; NaN where there is none."""
    heights_truth: Labels | None = None
    """The truth on the grid of the surface models."""
    heights_pixel_m: float = 0.0
    """Pixel of the surface models, metres."""


def fotbcd_pairs(folder: Path) -> Iterator[PairOfFlights]:
    """Yield the FOTBCD pairs below a folder of real files; for measuring, never for tuning."""
    for label in sorted((folder / "fotbcd/label").glob("*.tif")):
        with rasterio.open(label) as dataset:
            changed, pixel_m = dataset.read(1) == 255, float(dataset.res[0])
        both = []
        for side in ("before", "after"):
            with rasterio.open(folder / "fotbcd" / side / label.name) as dataset:
                both.append(dataset.read([1, 2, 3]))
        yield PairOfFlights(
            colours=(both[0], both[1]),
            seen=np.ones(changed.shape, bool),
            truth=label_objects(changed),
            pixel_m=pixel_m,
        )


def judged_pair(case: Case) -> PairOfFlights:
    """Render a frozen case with both flights at their true places."""
    plan = plan_of(case)
    scene = scene_of(plan)
    flights = plan.flights[0], plan.flights[case.after]
    pictures = [_picture(plan, scene, flight) for flight in flights]
    surfaces = [_surface(plan, scene, flight) for flight in flights]
    shapes = [
        (change.outline, number)
        for number, change in enumerate(changes_between(scene, 0, case.after), start=1)
        if change.outline.area >= _LEAST_M2
    ]
    return PairOfFlights(
        colours=(pictures[0][0], pictures[1][0]),
        seen=pictures[0][1] & pictures[1][1],
        truth=_label(shapes, plan.side_m, plan.pixel_m),
        pixel_m=plan.pixel_m,
        heights=(surfaces[0], surfaces[1]),
        heights_truth=_label(shapes, plan.side_m, plan.surface_pixel_m),
        heights_pixel_m=plan.surface_pixel_m,
    )


def _label(shapes: list[tuple[object, int]], side_m: float, pixel_m: float) -> Labels:
    size = round(side_m / pixel_m)
    if not shapes:
        return np.zeros((size, size), np.int32)
    grid = Affine(pixel_m, 0.0, 0.0, 0.0, -pixel_m, side_m)
    return np.asarray(rasterize(shapes, (size, size), transform=grid, dtype="int32"), np.int32)


def _places(plan: AreaPlan, flight: FlightPlan, frame: Frame) -> tuple[Floats, Floats]:
    """Give column and row in a flight's file of the centres of the true grid."""
    half = frame.pixel_m / 2
    x = plan.west_m + np.arange(frame.size) * frame.pixel_m + half
    y = plan.south_m + plan.side_m - np.arange(frame.size) * frame.pixel_m - half
    true_x, true_y = np.meshgrid(x, y)
    dx, dy = displacement(flight, true_x, true_y)
    column = (true_x + dx - frame.west) / frame.pixel_m - 0.5
    row = (frame.north - true_y - dy) / frame.pixel_m - 0.5
    return column.astype(np.float32), row.astype(np.float32)


def _picture(plan: AreaPlan, scene: Scene, flight: FlightPlan) -> tuple[Colours, Mask]:
    frame = image_frame(plan, flight)
    pixels, seen = render_image(view_of(plan, scene, flight), frame.window)
    places = _places(plan, flight, frame)
    laid = [cv2.remap(band, *places, cv2.INTER_LINEAR) for band in pixels]
    known = cv2.remap(seen.astype(np.float32), *places, cv2.INTER_LINEAR) > 0.999
    return np.stack(laid).astype(np.uint8), np.asarray(known, bool)


def _surface(plan: AreaPlan, scene: Scene, flight: FlightPlan) -> Floats:
    frame = surface_frame(plan, flight)
    heights, known = render_surface(view_of(plan, scene, flight), frame.window)
    places = _places(plan, flight, frame)
    gaps = np.where(known, heights, np.nan).astype(np.float32)
    laid = cv2.remap(gaps, *places, cv2.INTER_LINEAR, borderValue=float("nan"))
    return np.asarray(laid, np.float32)


def _differences(
    pairs: Iterable[PairOfFlights], detector: Detector
) -> Iterator[tuple[Floats, Labels, float]]:
    for pair in pairs:
        if detector != "height":
            matched = detector == "colour_matched"
            difference = colour_difference(*pair.colours, matched=matched, seen=pair.seen)
            yield difference, np.where(pair.seen, pair.truth, 0), pair.pixel_m
        elif pair.heights is not None and pair.heights_truth is not None:
            known = np.isfinite(pair.heights[0] + pair.heights[1])
            truth = np.where(known, pair.heights_truth, 0)
            yield height_difference(*pair.heights), truth, pair.heights_pixel_m


def measure(
    pairs: list[PairOfFlights], *, share: float | None = None
) -> dict[Detector, tuple[Scored, ...]]:
    """Return the best scores of every naive detector that has something to look at.

    Parameters
    ----------
    pairs
        The set.
    share
        As `best_scores` has it.
    """
    detectors: list[Detector] = ["colour", "colour_matched"]
    if any(pair.heights is not None for pair in pairs):
        detectors.append("height")
    return {
        name: best_scores(_differences(pairs, name), THRESHOLDS[name], share=share)
        for name in detectors
    }
