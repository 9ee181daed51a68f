"""The distance between a surface model and its own orthophoto, asked back from their edges."""

import cv2
import numpy as np
import pytest

from survey.relief import moved_heights
from survey.surface_fit import correlate_edges, dark_limit, fit_surface
from tests.survey.terrain import noise, village

PIXEL, SIDE, WINDOWS = 0.4, 160, 9


def pictured(heights, rng):
    """Return a picture in which every roof has a grey of its own, brighter or darker."""
    steps = np.rint((heights - 20) * 0.8)
    greys = {step: rng.uniform(70, 230) for step in np.unique(steps)}
    grey = np.vectorize(greys.get)(steps) * (np.abs(heights - 20) > 2.2)
    grey = np.where(grey == 0, 140, grey) + rng.normal(0, 4, heights.shape)
    return cv2.GaussianBlur(np.clip(grey, 60, 250).astype(np.uint8), (0, 0), 0.7)


def shaded(grey, heights):
    """Darken what lies within 5 m west of what is higher, as an afternoon's shadows do not."""
    reach = round(5 / PIXEL)
    highest = heights.copy()
    for step in range(1, reach):
        highest = np.maximum(highest, np.roll(heights, -step, axis=1) - 0.4 * step)
    return np.where(highest > heights + 0.5, grey // 6, grey).astype(np.uint8)


def fitted(east, north, *, shade=False, others=False):
    rng = np.random.default_rng(4)
    views = []
    for _window in range(WINDOWS):
        heights = village(rng, (SIDE, SIDE), houses=25)
        grey = pictured(heights, rng)
        grey = shaded(grey, heights) if shade else grey
        model = moved_heights(heights, PIXEL, east=-east, north=-north)
        model = cv2.GaussianBlur(model, (0, 0), 0.8) + noise(rng, heights.shape)
        views.append((grey, model))
    dark = dark_limit(np.concatenate([grey.ravel() for grey, _model in views]))
    models = [model for _grey, model in views]
    if others:
        models = models[1:] + models[:1]
    seen = np.ones((SIDE, SIDE), bool)
    surfaces = [
        correlate_edges(grey, seen, model, PIXEL, dark)
        for (grey, _model), model in zip(views, models, strict=True)
    ]
    return fit_surface(np.stack(surfaces), PIXEL, 0.25)


@pytest.mark.parametrize("shade", [False, True], ids=["overcast", "shadows"])
@pytest.mark.parametrize(("east", "north"), [(1.2, 0.0), (-2.0, 0.6), (0.5, -1.4)])
def test_a_model_that_lies_off_is_read_moved(east, north, shade):
    fit = fitted(east, north, shade=shade)
    assert fit.verdict == "moved"
    assert fit.shift == pytest.approx((east, north), abs=0.3)


@pytest.mark.parametrize("shade", [False, True], ids=["overcast", "shadows"])
def test_what_cannot_be_proved_is_left_alone(shade):
    for east, north in ((0.0, 0.0), (0.2, -0.2)):
        fit = fitted(east, north, shade=shade)
        assert fit.verdict == "fits"
        assert fit.shift == (0.0, 0.0)


def test_heights_of_other_ground_tell_nothing():
    assert fitted(0.0, 0.0, others=True).verdict == "unknown"


@pytest.mark.parametrize(
    "heights",
    [
        pytest.param(np.full((SIDE, SIDE), np.nan, np.float32), id="no heights"),
        pytest.param(np.full((SIDE, SIDE), 7, np.float32), id="flat"),
        pytest.param(np.full((SIDE, SIDE), -1e30, np.float32), id="absurd"),
    ],
)
@pytest.mark.parametrize("grey", [0, 255])
def test_nothing_to_see_is_unknown(heights, grey):
    picture = np.full((SIDE, SIDE), grey, np.uint8)
    for valid in (True, False):
        seen = np.full((SIDE, SIDE), valid)
        surfaces = [correlate_edges(picture, seen, heights, PIXEL, dark_limit(picture))] * 9
        assert fit_surface(np.stack(surfaces), PIXEL, 0.25).verdict == "unknown"


def test_few_windows_are_too_few():
    fit = fit_surface(np.ones((3, 21, 21)), PIXEL, 0.25)
    assert (fit.verdict, fit.windows, fit.shift) == ("unknown", 3, (0.0, 0.0))
    assert fit_surface(np.zeros((0, 21, 21)), PIXEL, 0.25).verdict == "unknown"
