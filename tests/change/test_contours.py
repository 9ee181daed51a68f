"""Contours against edges that were painted, and quantities along them against plain loops."""

import numpy as np
import pytest
import shapely

from change.contours import (
    blurred,
    height_edges,
    picture_edges,
    score_shifts,
    square_shifts,
    trace_contours,
)
from survey.grid import Bounds, WorkingGrid
from survey.windows import Window
from tests.samples import PLAN

GRID = WorkingGrid.around(Bounds(left=0, bottom=0, right=60, top=50), crs=PLAN.crs, pixel_m=0.5)
WINDOW = Window(row=0, col=0, height=GRID.height, width=GRID.width)
ROOF = shapely.box(20, 15, 32, 24)


def painted(value):
    """Return a picture with a roof of some brightness on ground of 100."""
    image = np.full((GRID.height, GRID.width), 100, np.float32)
    image[52:70, 40:64] = value
    return image


def test_points_lie_on_the_outline_and_look_inwards():
    ring = shapely.Polygon(ROOF.exterior.coords, [shapely.box(24, 18, 27, 21).exterior.coords])
    two = shapely.MultiPolygon([ring, shapely.box(40, 30, 44, 33)])
    for outline in (ROOF, ROOF.reverse(), ring, two):
        contours = trace_contours([outline], 0.5, 1000)
        assert np.all(
            shapely.distance(shapely.points(contours.x, contours.y), outline.boundary) < 1e-9
        )
        inside = shapely.points(*contours.steps(np.array([[0.2]]))).ravel()
        outside = shapely.points(*contours.steps(np.array([[-0.2]]))).ravel()
        assert shapely.contains(outline, inside).all()
        assert not shapely.contains(outline, outside).any()
        assert len(contours.x) == pytest.approx(outline.length / 0.5, rel=0.1)


def test_large_outlines_get_no_more_points_than_asked_for():
    contours = trace_contours([shapely.box(0, 0, 500, 300), ROOF], 0.5, 100)
    assert np.bincount(contours.owner).max() <= 104


@pytest.mark.parametrize("value", [40, 180])
def test_the_best_shift_lays_the_outline_on_the_roof_bright_or_dark(value):
    seen = np.ones((GRID.height, GRID.width), bool)
    edges = blurred(picture_edges(painted(value).astype(np.uint8), seen), 0.6)
    contours = trace_contours([ROOF], 0.5, 200).moved(2.0, -1.5)
    shifts = square_shifts(8)
    scores = score_shifts(contours, edges, (GRID, WINDOW), shifts, axis=True)[0]
    # Back by 2 m to the west and 1.5 m to the north: rows count downwards.
    row, col = shifts[scores.argmax()]
    assert abs(row + 3) <= 1
    assert abs(col + 4) <= 1
    assert scores.max() > 0.4


def test_heights_fit_where_they_rise_inwards_only():
    contours = trace_contours([ROOF], 0.5, 200)
    here = np.zeros((1, 2), np.int64)
    found = [
        score_shifts(
            contours, height_edges(painted(value), GRID.pixel_m), (GRID, WINDOW), here, axis=False
        )[0, 0]
        for value in (104.0, 96.0)
    ]
    assert found[0] > 0.5
    assert found[1] < -0.5


def test_unknown_heights_say_nothing():
    heights = painted(104.0)
    heights[:, :50] = np.nan
    edges = height_edges(heights, GRID.pixel_m)
    assert np.isfinite(edges).all()
    assert (edges[:, :50] == 0).all()


def test_an_outline_far_outside_scores_nothing():
    contours = trace_contours([shapely.box(900, 900, 920, 920), ROOF], 1.0, 100)
    edges = picture_edges(painted(180).astype(np.uint8), np.ones((100, 120), bool))
    scores = score_shifts(contours, edges, (GRID, WINDOW), square_shifts(3), axis=True)
    assert (scores[0] == 0).all()
    assert scores[1].max() > 0.1


def test_means_and_quantiles_are_those_of_each_outline():
    outlines = [ROOF, shapely.Polygon(), shapely.box(0, 0, 3, 3)]
    contours = trace_contours(outlines, 1.0, 100)
    values = np.random.default_rng(2).normal(size=(2, len(contours.x))).astype(np.float32)
    values[0, ::5] = np.nan
    for index in (0, 2):
        own = values[:, contours.owner == index]
        known = np.sort(own[np.isfinite(own)])
        expected = known[int(0.3 * (len(known) - 1))]
        assert contours.quantiles(values, 0.3)[index] == expected
        means = contours.means(np.nan_to_num(values))
        assert means[index] == pytest.approx(np.nan_to_num(own).mean(axis=1), abs=1e-5)
    assert np.isnan(contours.quantiles(values, 0.3)[1])
    assert (contours.means(np.nan_to_num(values))[1] == 0).all()
