"""Maps of an area kept on disk: what is written is read again, wherever the window lies."""

import numpy as np
import pytest
from affine import Affine
from pyproj import CRS

from change.map_file import create_map_file
from survey.grid import Bounds, WorkingGrid
from survey.windows import Window


def grid_of(pixel=0.2):
    bounds = Bounds(left=100.0, bottom=200.0, right=132.0, top=226.0)
    return WorkingGrid.around(bounds, crs=CRS.from_epsg(4547), pixel_m=pixel)


def smooth(grid):
    rows, cols = np.mgrid[: grid.height, : grid.width]
    return (0.5 + 0.4 * np.sin(rows / 25) * np.cos(cols / 30)).astype(np.float32)


@pytest.mark.parametrize("pixel", [0.2, 0.5])
def test_what_is_written_in_tiles_is_read_as_one(tmp_path, pixel):
    grid = grid_of(pixel)
    maps, wave = create_map_file(tmp_path / "maps", grid, ("appeared",)), smooth(grid)
    for row in range(0, grid.height, 32):
        for col in range(0, grid.width, 32):
            core = Window(row=row, col=col, height=32, width=32)
            core = core.clipped(height=grid.height, width=grid.width)
            part = wave[row : row + core.height, col : col + core.width]
            maps.write(core, {"appeared": part})
    window = Window(row=7, col=11, height=40, width=30)
    back = maps.read(grid.transform_of(window), (40, 30))["appeared"]
    assert np.abs(back - wave[7:47, 11:41]).max() < 0.02


def test_windows_may_overhang_and_be_coarser(tmp_path):
    grid = grid_of()
    maps = create_map_file(tmp_path / "maps", grid, ("roof_before", "gone"))
    whole = Window(row=0, col=0, height=grid.height, width=grid.width)
    ones = np.ones((grid.height, grid.width), np.float32)
    maps.write(whole, {"roof_before": ones * 0.4, "gone": ones})
    over = Window(row=-20, col=-20, height=60, width=60)
    back = maps.read(grid.transform_of(over), (60, 60))
    assert back["gone"][25:, 25:].min() == 1
    assert back["gone"][:15, :15].max() == 0
    coarse = maps.read(grid.transform @ Affine.scale(4), (20, 20))
    assert np.abs(coarse["roof_before"][1:, 1:] - 0.4).max() < 0.01


def test_nothing_is_said_far_away(tmp_path):
    grid = grid_of()
    maps = create_map_file(tmp_path / "maps", grid, ("gone",))
    far = Window(row=10_000, col=10_000, height=5, width=5)
    assert maps.read(grid.transform_of(far), (5, 5))["gone"].max() == 0
