"""The first look at two flights: shifts, turns and stretches of the whole, with the right sign."""

import numpy as np
import pytest
from affine import Affine

from survey.alignment import common_ground
from survey.examination import examine
from survey.flight import open_flight
from survey.scout import scout
from tests.survey.rasters import EAST, NORTH, blurred, north_up, scene, write

PIXEL, SIDE = 0.4, 320
MIDDLE = (EAST + PIXEL * SIDE / 2, NORTH - PIXEL * SIDE / 2)
SEARCH_M = 20.0


def flight(path, *, seed=1, transform=None):
    picture = blurred(scene(SIDE, SIDE, seed=seed), 1.0)
    transform = transform or north_up(PIXEL)
    return examine(open_flight(write(path, picture, photometric="rgb", transform=transform)))


def moving(*, east=0.0, north=0.0, degrees=0.0, scale=1.0):
    """Return the motion of the ground: a turn counter-clockwise, a stretch, then a shift."""
    return (
        Affine.translation(MIDDLE[0] + east, MIDDLE[1] + north)
        @ Affine.rotation(degrees)
        @ Affine.scale(scale)
        @ Affine.translation(-MIDDLE[0], -MIDDLE[1])
    )


def displaced(motion, x, y):
    u = motion.a * x + motion.b * y + motion.c
    v = motion.d * x + motion.e * y + motion.f
    return u - x, v - y


def scouted(before, after, search_m=SEARCH_M):
    grid = common_ground(before, after, PIXEL)
    return grid, scout(before, after, grid, search_m)


def missed(grid, found, motion):
    """Return how far off the field is over the middle of the ground, m."""
    b = grid.bounds.buffered(-10.0)
    x, y = np.meshgrid(np.linspace(b.left, b.right, 20), np.linspace(b.bottom, b.top, 20))
    there, true = found.field.shift(x, y), displaced(motion, x, y)
    return np.hypot(there[0] - true[0], there[1] - true[1])


def both_ways(tmp_path, motion):
    """Yield what is scouted and the truth, there and back."""
    before = flight(tmp_path / "20250101.tif")
    after = flight(tmp_path / "20250601.tif", transform=motion @ north_up(PIXEL))
    for first, second, truth in ((before, after, motion), (after, before, ~motion)):
        grid, found = scouted(first, second)
        assert found.strength > 6
        yield missed(grid, found, truth)


@pytest.mark.parametrize("shift", [(0.0, 0.0), (7.3, -4.1), (-15.0, 0.6), (0.0, 18.0)])
def test_a_shift_is_asked_back_in_both_directions(tmp_path, shift):
    for off in both_ways(tmp_path, moving(east=shift[0], north=shift[1])):
        assert off.max() < 0.5 * PIXEL


# What windows still find around the field: 16 pixels, less what the fit of an affine needs.
WINDOWS_M = 14 * PIXEL


@pytest.mark.parametrize("degrees", [-5.0, -3.75, 3.75, 5.0])
def test_a_turn_is_asked_back_in_both_directions(tmp_path, degrees):
    for off in both_ways(tmp_path, moving(degrees=degrees)):
        assert off.max() < 3 * PIXEL


@pytest.mark.parametrize(
    ("degrees", "scale"), [(-2.5, 1.0), (2.5, 1.0), (0.0, 0.98), (0.0, 1.02), (1.25, 1.01)]
)
def test_what_is_left_of_a_small_turn_or_stretch_is_in_reach_of_windows(tmp_path, degrees, scale):
    """Where one shift fits well enough, no turn is tried."""
    for off in both_ways(tmp_path, moving(degrees=degrees, scale=scale)):
        assert off.max() < WINDOWS_M
        assert np.median(off) < WINDOWS_M / 2


def test_a_turn_between_those_tried_is_found_to_half_a_step(tmp_path):
    for off in both_ways(tmp_path, moving(degrees=3.0)):
        # What is left are at most 0.63 degrees over 75 m.
        assert off.max() < 1.0


@pytest.mark.parametrize(
    ("degrees", "scale", "shift"), [(5.0, 1.02, (6.0, -9.0)), (-3.75, 0.98, (-11.0, 4.0))]
)
def test_a_turn_a_stretch_and_a_shift_are_asked_back_at_once(tmp_path, degrees, scale, shift):
    motion = moving(east=shift[0], north=shift[1], degrees=degrees, scale=scale)
    for off in both_ways(tmp_path, motion):
        assert off.max() < 3 * PIXEL


def test_one_shift_for_the_whole_needs_no_more_nodes_than_a_flat_field(tmp_path):
    before = flight(tmp_path / "20250101.tif")
    _grid, found = scouted(before, flight(tmp_path / "20250601.tif"))
    assert found.field.east.shape == (2, 2)
    assert not found.field.known.any()
    np.testing.assert_allclose(found.field.uncertainty, SEARCH_M)


@pytest.mark.parametrize("seed", [2, 3])
def test_unrelated_pictures_keep_the_georeferencing(tmp_path, seed):
    before = flight(tmp_path / "20250101.tif")
    grid, found = scouted(before, flight(tmp_path / "20250601.tif", seed=seed))
    assert found.strength < 6
    assert not found.field.known.any()
    np.testing.assert_allclose(found.field.uncertainty, SEARCH_M)
    assert not np.any(missed(grid, found, moving()))


def test_a_shift_beyond_the_search_is_not_made_up(tmp_path):
    before = flight(tmp_path / "20250101.tif")
    motion = moving(east=30.0)
    after = flight(tmp_path / "20250601.tif", transform=motion @ north_up(PIXEL))
    grid, found = scouted(before, after)
    assert found.strength < 6
    assert not np.any(found.field.east)
    grid, found = scouted(before, after, search_m=40.0)
    assert missed(grid, found, motion).max() < 0.5 * PIXEL


def test_a_small_overlap_is_enough(tmp_path):
    """A quarter of the area is shared."""
    motion = moving(east=2.0, north=-3.0)
    before = flight(tmp_path / "20250101.tif")
    picture = blurred(scene(SIDE, SIDE), 1.0)[:, SIDE // 2 :, SIDE // 2 :]
    place = motion @ north_up(PIXEL, east=MIDDLE[0], north=MIDDLE[1])
    part = write(tmp_path / "20250601.tif", picture, photometric="rgb", transform=place)
    after = examine(open_flight(part))
    for first, second, truth in ((before, after, motion), (after, before, ~motion)):
        grid, found = scouted(first, second)
        assert missed(grid, found, truth).max() < 0.5 * PIXEL
