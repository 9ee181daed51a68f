"""The one way in which the roofs of two pictures from far off lie apart."""

import math

import numpy as np
import pytest
from shapely import box

from change.leaning import along_clues, common_way
from change.looks import Measured
from tests.change.test_displaced import PIXEL, looked_at, pictured

SIDE = 260


def found_at(way_deg=None):
    return Measured(
        outline=box(0, 0, 8, 8),
        kind="building",
        height_gain_m=None,
        score=0.9,
        tolerance_m=0.2,
        evidence=() if way_deg is None else (("moved_way_deg", float(way_deg)),),
    )


def anywhere(count):
    return [found_at(way) for way in np.random.default_rng(3).uniform(0, 360, count)]


@pytest.mark.parametrize("way", [0.0, 123.0, 359.0])
def test_the_way_on_which_many_agree_is_told(way):
    around = np.random.default_rng(1).normal(way, 3, 14) % 360
    told = common_way([*anywhere(40), *map(found_at, around), found_at()])
    assert told is not None
    assert abs((told - way + 180) % 360 - 180) < 4


def test_where_every_roof_lies_elsewhere_there_is_no_way():
    assert common_way(anywhere(200)) is None


def test_few_candidates_tell_no_way():
    assert common_way([found_at(90)] * 8) is None
    assert common_way([found_at()] * 50) is None


def roofed(row, col, seed=1):
    """Draw ground with a roof on it, its upper left corner there."""
    return pictured((row, col, seed), side=SIDE)


def along(before, after, way, *, gained):
    """Return the clues of a candidate in the middle."""
    return along_clues(*looked_at(before, after, 120, 120, gained=gained), way)


@pytest.mark.parametrize("gained", [True, False])
def test_a_tower_is_found_far_off_along_the_way(gained):
    """The later picture shows it 40 pixels farther up and 60 farther to the right."""
    here = 120, 120
    there = (160, 60) if gained else (80, 180)
    earlier, later = (there, here) if gained else (here, there)
    way = math.degrees(math.atan2(60, 40))
    found = along(roofed(*earlier), roofed(*later), way, gained=gained)
    assert found["along_alike"] > 0.9
    assert found["along_beyond"] > 4
    assert found["along_m"] == pytest.approx(math.hypot(40, 60) * PIXEL)


@pytest.mark.parametrize("off_deg", [40, 90, 180])
def test_it_is_not_found_along_another_way(off_deg):
    way = math.degrees(math.atan2(60, 40)) + off_deg
    found = along(roofed(120, 120), roofed(80, 180), way, gained=False)
    assert found["along_alike"] < 0.6


def test_what_is_new_is_found_along_no_way():
    found = along(roofed(0, 0, seed=2), roofed(120, 120), 20.0, gained=True)
    assert found["along_alike"] < 0.5
    assert abs(found["along_beyond"]) < 3


def test_a_plain_window_tells_of_nothing():
    plain = np.full((3, SIDE, SIDE), 100, np.uint8)
    assert all(np.isfinite(list(along(plain, plain, 20.0, gained=True).values())))
