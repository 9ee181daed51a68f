"""Grids, working grids and the choice of the CRS to measure in."""

import math

import numpy as np
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS

from survey.crs import epsg_code, transformer
from survey.grid import (
    Bounds,
    Grid,
    WorkingGrid,
    ground_pixel,
    transform_bounds,
    working_crs,
)
from survey.windows import Window

ZONE = CRS.from_epsg(4547)

metres = st.floats(-1e6, 4e7, allow_nan=False)
sides = st.floats(0.5, 500)
pixels = st.sampled_from([0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 7.0])


def grid_at(code, x, y, pixel=0.1, *, size=100):
    transform = Affine(pixel, 0, x, 0, -pixel, y)
    return Grid(crs=CRS.from_epsg(code), transform=transform, width=size, height=size)


@given(metres, metres, sides, sides, pixels)
def test_a_working_grid_holds_its_bounds_and_lies_on_whole_pixels(left, bottom, wide, high, pixel):
    bounds = Bounds(left=left, bottom=bottom, right=left + wide, top=bottom + high)
    grid = WorkingGrid.around(bounds, crs=ZONE, pixel_m=pixel)
    around, slack = grid.bounds, 1e-6
    assert around.left <= left + slack
    assert around.right >= bounds.right - slack
    assert around.bottom <= bottom + slack
    assert around.top >= bounds.top - slack
    assert grid.width <= wide / pixel + 2
    assert grid.height <= high / pixel + 2
    assert grid.transform.c == grid.left_px * pixel


@given(metres, metres, sides, sides, pixels)
def test_two_grids_over_shared_ground_share_their_pixels(left, bottom, wide, high, pixel):
    first = Bounds(left=left, bottom=bottom, right=left + wide, top=bottom + high)
    grid = WorkingGrid.around(first, crs=ZONE, pixel_m=pixel)
    part = grid.window_of(first)
    assert (part.row, part.col) == (0, 0)
    window = Window(row=3, col=5, height=7, width=11)
    again = WorkingGrid.around(first.buffered(40 * pixel), crs=ZONE, pixel_m=pixel)
    moved = again.window_of(grid.window_bounds(window).buffered(-pixel / 4))
    assert moved.row - window.row == again.top_px - grid.top_px
    assert moved.col - window.col == grid.left_px - again.left_px
    assert (moved.height, moved.width) == (window.height, window.width)


def test_a_coarser_grid_covers_the_same_ground():
    bounds = Bounds(left=10.3, bottom=-7.1, right=95.2, top=60.0)
    grid = WorkingGrid.around(bounds, crs=ZONE, pixel_m=0.2)
    coarse = grid.coarsened(8)
    assert coarse.pixel_m == pytest.approx(1.6)
    assert coarse.bounds.intersection(grid.bounds) == grid.bounds


def test_bounds_combine():
    first = Bounds(left=0, bottom=0, right=10, top=10)
    second = Bounds(left=8, bottom=20, right=30, top=40)
    assert first.intersection(second).empty
    assert first.union(second) == Bounds(left=0, bottom=0, right=30, top=40)
    assert first.buffered(-6).empty


@given(
    st.floats(-180, 180), st.floats(0.01, 5), st.booleans(), st.floats(0, 900), st.floats(0, 900)
)
def test_pixels_turn_into_coordinates_and_back(angle, pixel, south_up, col, row):
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    down = -1 if south_up else 1
    rows = (-pixel * sin * down, -pixel * cos * down)
    transform = Affine(pixel * cos, rows[0], 4.2e5, -pixel * sin, rows[1], 2.5e6)
    grid = Grid(crs=ZONE, transform=transform, width=900, height=900)
    x, y = grid.xy(np.array([col]), np.array([row]))
    back = grid.colrow(x, y)
    assert float(back[0][0]) == pytest.approx(col, abs=1e-4)
    assert float(back[1][0]) == pytest.approx(row, abs=1e-4)
    assert abs((grid.rotation - angle + 180) % 360 - 180) < 1e-6


@pytest.mark.parametrize("transform", [Affine(0, 0, 1, 0, 0, 1), Affine(np.nan, 0, 0, 0, 1, 0)])
def test_an_impossible_transform_is_no_grid(transform):
    with pytest.raises(ValueError, match="transform"):
        Grid(crs=ZONE, transform=transform, width=3, height=3)
    with pytest.raises(ValueError, match="pixels"):
        Grid(crs=ZONE, transform=Affine.identity(), width=0, height=3)


@pytest.mark.parametrize(
    ("code", "x", "y", "pixel", "across", "down"),
    [
        (4547, 500_000, 2.5e6, 0.1, 0.1, 0.1),
        (4526, 38_500_000, 2.5e6, 0.1, 0.1, 0.1),
        # Web Mercator at 23 N: cos(23 deg), and the ellipsoid's share along the meridian.
        (3857, 12.6e6, 2_632_000, 0.1, 0.0921, 0.0916),
        (3857, 3.6e6, 4e4, 0.1, 0.1, 0.09933),
        (4326, 113, 23, 1e-6, 0.1025, 0.1107),
        (2263, 1e6, 2e5, 1, 0.3048, 0.3048),
    ],
)
def test_a_pixel_is_measured_on_the_ground(code, x, y, pixel, across, down):
    assert ground_pixel(grid_at(code, x, y, pixel)) == pytest.approx((across, down), rel=1e-3)


@pytest.mark.parametrize(
    ("code", "x", "y", "works_in"),
    [
        (4547, 450_000, 2.5e6, 4547),
        (4526, 38_450_000, 2.5e6, 4526),
        (32650, 500_000, 2.5e6, 32650),
        (2154, 700_000, 6.6e6, 2154),
        (4490, 114.2, 23, 4547),
        (4490, 112.4, 23, 4546),
        (4490, -70, -33, 32719),
        (4326, 113, 23, 32649),
        (4326, 3, -33, 32731),
        (3857, 12.6e6, 2.6e6, 32649),
        (3857, 3.6e6, 4e4, 32636),
        (2263, 1e6, 2e5, 32618),
        # Twenty degrees beside its meridian a zone is off by several percent.
        (32649, 3_000_000, 2.5e6, 32653),
    ],
)
def test_work_is_done_where_a_metre_is_a_metre(code, x, y, works_in):
    pixel = 1e-6 if CRS.from_epsg(code).is_geographic else 0.1
    assert epsg_code(working_crs(grid_at(code, x, y, pixel))) == works_in


def test_a_grid_off_its_crs_is_refused():
    lost = grid_at(4547, 38_500_000, 2.5e6)
    with pytest.raises(ValueError, match="outside"):
        ground_pixel(lost)
    with pytest.raises(ValueError, match="outside"):
        working_crs(lost)


def test_bounds_are_carried_into_another_crs():
    bounds = Bounds(left=113.0, bottom=23.0, right=113.01, top=23.01)
    there = transform_bounds(bounds, CRS.from_epsg(4326), CRS.from_epsg(32649))
    corners = transformer(CRS.from_epsg(4326), CRS.from_epsg(32649)).transform(
        [113.0, 113.01, 113.01, 113.0], [23.0, 23.0, 23.01, 23.01]
    )
    assert (there.left, there.right) == pytest.approx((min(corners[0]), max(corners[0])))
    assert (there.bottom, there.top) == pytest.approx((min(corners[1]), max(corners[1])))
    assert transform_bounds(there, CRS.from_epsg(32649), CRS.from_epsg(32649)) == there
