"""Small simulated areas as files: flights of one ground, of another, and of both at once."""

from dataclasses import replace
from datetime import date

import numpy as np
import rasterio
from affine import Affine

from survey.simulation import (
    displacement,
    draw_plan,
    image_frame,
    render_image,
    scene_of,
    undo_displacement,
    view_of,
)

__all__ = ["picture", "plan_of", "true_shift", "write_flight"]


def plan_of(seed, flights, setting="fringe"):
    """Return an area of 120 m whose files all begin at its corner."""
    plan = draw_plan(seed=seed, side_m=120.0, pixel_m=0.2, flights=flights, setting=setting)
    still = [replace(flight, shift_east_m=0.0, shift_north_m=0.0) for flight in plan.flights]
    return replace(plan, flights=tuple(still))


def picture(plan, index):
    """Render a flight: (band, row, col)."""
    flight = plan.flights[index]
    view = view_of(plan, scene_of(plan), flight)
    colours, _ = render_image(view, image_frame(plan, flight).window)
    return colours if colours.shape[0] == 3 else np.moveaxis(colours, 2, 0)


def write_flight(folder, plan, day: date, colours):
    """Write a picture of the area as a flight of some day, and return its path."""
    frame = image_frame(plan, plan.flights[0])
    path = folder / f"{day.isoformat()}.tif"
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        dtype="uint8",
        count=3,
        width=frame.size,
        height=frame.size,
        crs=plan.crs,
        transform=Affine(frame.pixel_m, 0, frame.west, 0, -frame.pixel_m, frame.north),
        compress="deflate",
        photometric="rgb",
    ) as target:
        target.write(colours)
    return path


def true_shift(plan, before, after, x, y):
    """Return how much further (east, north) one flight shows what another shows at (x, y), m."""
    true_x, true_y = undo_displacement(plan.flights[before], x, y)
    dx, dy = displacement(plan.flights[after], true_x, true_y)
    return true_x + dx - x, true_y + dy - y
