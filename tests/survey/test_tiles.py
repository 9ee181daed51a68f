"""Windows of pictures, surfaces and pixel truth are cuts of the whole, whatever the tiles."""

from dataclasses import fields, replace

import numpy as np
import pytest

from survey.simulation import (
    PixelTruth,
    image_frame,
    render_image,
    render_surface,
    render_truth,
    scene_of,
    surface_frame,
    view_of,
)
from survey.simulation.camera import lens, surface
from survey.windows import Window
from tests.survey.areas import small_plan


def windows_in(size):
    middle = size // 2
    return (
        Window(
            row=middle,
            col=middle - 40,
            height=min(90, size - middle),
            width=min(120, size - middle + 40),
        ),
        Window(row=0, col=0, height=33, width=50),
        Window(row=size - 41, col=size - 23, height=41, width=23),
        Window(row=middle - 1, col=0, height=1, width=size),
    )


def as_arrays(truth: PixelTruth):
    return np.stack([np.asarray(getattr(truth, item.name), float) for item in fields(truth)])


def check_cuts(view):
    """Compare windows with the whole, for pictures, surfaces and pixel truth."""
    image, heights = image_frame(view.plan, view.flight), surface_frame(view.plan, view.flight)
    for frame, render in (
        (image, render_image),
        (heights, render_surface),
        (image, lambda view, window: (as_arrays(render_truth(view, window)), None)),
    ):
        whole, seen = render(view, frame.window)
        for window in windows_in(frame.size):
            part, part_seen = render(view, window)
            cut = window.slices_in(frame.window)
            np.testing.assert_array_equal(part, whole[(..., *cut)])
            if seen is not None:
                np.testing.assert_array_equal(part_seen, seen[cut])


@pytest.mark.parametrize("collar", ["none", "mask", "black", "white"])
def test_a_window_is_a_cut_of_the_whole(collar, monkeypatch):
    monkeypatch.setattr(lens, "TILE_PX", 160)
    monkeypatch.setattr(surface, "_TILE_PX", 80)
    plan = small_plan(side_m=28.0, collar=collar, holes=2, lean=0.6, tear_m=0.2)
    check_cuts(view_of(plan, scene_of(plan), plan.flights[1]))


@pytest.mark.parametrize(("setting", "seed"), [("urban_village", 3), ("fringe", 5)])
def test_no_seam_shows_where_tiles_meet(setting, seed, monkeypatch):
    """Small tiles give the picture that one large tile gives, but for noise and compression."""
    plan = small_plan(seed=seed, side_m=30.0, flights=1, setting=setting, lean=0.6, tear_m=0.2)
    flight = plan.flights[0]
    flight = replace(
        flight,
        light=replace(flight.light, noise=0.0, jpeg_quality=None),
        mosaic=replace(flight.mosaic, altitude_m=60.0, cell_m=60.0),
    )
    view = view_of(plan, scene_of(plan), flight)
    frame, low = image_frame(plan, flight), surface_frame(plan, flight)
    pixels, truth = render_image(view, frame.window)[0], render_truth(view, frame.window)
    heights, _ = render_surface(view, low.window)
    monkeypatch.setattr(lens, "TILE_PX", 120)
    monkeypatch.setattr(surface, "_TILE_PX", 64)
    off = np.abs(render_image(view, frame.window)[0].astype(int) - pixels)
    assert (off > 2).mean() < 2e-4
    again = render_truth(view, frame.window)
    assert (again.owner != truth.owner).mean() < 2e-4
    assert (np.abs(again.rise_m - truth.rise_m) > 0.01).mean() < 5e-4
    off = np.abs(render_surface(view, low.window)[0] - heights)
    assert (off > 0.005).mean() < 1e-3


def test_a_window_beyond_the_file_is_refused():
    plan = small_plan()
    view = view_of(plan, scene_of(plan), plan.flights[0])
    size = image_frame(plan, view.flight).size
    for window in (
        Window(row=size - 5, col=0, height=10, width=10),
        Window(row=0, col=-1, height=10, width=10),
    ):
        with pytest.raises(ValueError, match="beyond"):
            render_image(view, window)
