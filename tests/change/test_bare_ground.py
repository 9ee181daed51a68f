"""Bare ground: made land with halls, pits and hills on it, asked back."""

import numpy as np
import pytest

from change.bare_ground import Ground, cell_levels, fit_ground
from survey.flight import open_flight
from survey.grid import WorkingGrid
from survey.windows import Window
from tests.samples import ortho

CRS = open_flight(ortho(0)).crs


def slope(rows=80, cols=80, rise=0.3):
    """Cells of 3 m on ground that rises by so much from cell to cell."""
    return np.tile(rise * np.arange(cols, dtype=np.float32), (rows, 1))


@pytest.mark.parametrize("rise", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("side", [4, 12, 25])
def test_ground_goes_on_below_a_house_a_hall_and_a_factory(rise, side):
    levels = slope(rise=rise)
    built = levels.copy()
    built[30 : 30 + side, 30 : 30 + side] += 8.0
    assert np.abs(fit_ground(built, 3.0) - levels).max() < 0.3


def test_ground_has_no_pits():
    """Heights on water and glass are wrong by metres, here and there."""
    levels = slope()
    spoilt = levels.copy()
    spoilt[10::20, 10::20] -= 9.0
    assert np.abs(fit_ground(spoilt, 3.0) - levels).max() < 0.5


def test_ground_bridges_what_is_not_known():
    levels = slope()
    holed = levels.copy()
    holed[20:40, 20:40] = np.nan
    assert np.abs(fit_ground(holed, 3.0) - levels).max() < 0.3
    assert np.isnan(fit_ground(np.full((9, 9), np.nan, np.float32), 3.0)).all()


def test_a_hilltop_stays_ground():
    rows, cols = np.mgrid[-40:40, -40:40]
    hill = (25.0 * np.exp(-(rows**2 + cols**2) / 400.0)).astype(np.float32)
    assert np.abs(fit_ground(hill, 3.0) - hill).max() < 1.5


def test_a_cell_is_as_high_as_its_low_parts():
    heights = np.full((10, 10), 5.0, np.float32)
    heights[:, :3] = 1.0
    heights[0, 0] = -20.0
    assert cell_levels(heights, 10).item() == 1.0
    heights[:, :9] = np.nan
    assert np.isnan(cell_levels(heights, 10)).all()


def test_a_part_of_the_ground_gives_the_bytes_of_the_whole():
    rng = np.random.default_rng(7)
    cells = WorkingGrid(crs=CRS, pixel_m=3.0, left_px=1000, top_px=2000, width=60, height=50)
    ground = Ground(grid=cells, levels=rng.normal(0, 5, (50, 60)).astype(np.float32))
    fine = WorkingGrid.around(cells.bounds, crs=CRS, pixel_m=0.2)
    window = Window(row=111, col=222, height=333, width=77)
    part = ground.around(fine.window_bounds(window))
    assert part.levels.size < ground.levels.size / 4
    assert part.at(fine, window).tobytes() == ground.at(fine, window).tobytes()
