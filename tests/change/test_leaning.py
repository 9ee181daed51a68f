"""The one way in which the roofs of two pictures from far off lie apart."""

import math

import cv2
import numpy as np
import pytest
import xarray as xr
from affine import Affine
from shapely import box

from change.leaning import along_clues, common_way
from change.looks import Look, Measured
from survey.light import match_light, to_lab

PIXEL, SIDE = 0.4, 260


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


def textured(seed, rows, cols, level):
    noise = np.random.default_rng(seed).normal(0, 30, (rows, cols, 3))
    return np.clip(level + cv2.GaussianBlur(noise, (0, 0), 1.2) * 2, 0, 255)


def pictured(row, col, seed=1):
    """Draw ground with a roof on it of 20 x 25 pixels, its upper left corner there."""
    ground = textured(0, SIDE, SIDE, 90.0)
    ground[row : row + 20, col : col + 25] = textured(seed, 20, 25, 160.0)
    return np.ascontiguousarray(np.moveaxis(ground.astype(np.uint8), -1, 0))


def along(before, after, way, *, gained):
    """Return the clues of a candidate in the middle."""
    seen = np.ones((SIDE, SIDE), bool)
    window = xr.Dataset(
        {
            "before": (("band", "y", "x"), before),
            "after": (("band", "y", "x"), after),
            "appeared": (("y", "x"), np.zeros((SIDE, SIDE), np.float32)),
            "gone": (("y", "x"), np.zeros((SIDE, SIDE), np.float32)),
            "seen_before": (("y", "x"), seen),
            "seen_after": (("y", "x"), seen),
        }
    )
    left, top = 120 * PIXEL, -120 * PIXEL
    look = Look(
        window=window,
        transform=Affine(PIXEL, 0, 0, 0, -PIXEL, 0),
        outline=box(left, top - 20 * PIXEL, left + 25 * PIXEL, top),
        gained=gained,
        roofs=(),
    )
    labs = [to_lab(picture).reshape(3, -1) for picture in (before, after)]
    return along_clues(look, match_light(*labs), way)


@pytest.mark.parametrize("gained", [True, False])
def test_a_tower_is_found_far_off_along_the_way(gained):
    """The later picture shows it 40 pixels farther up and 60 farther to the right."""
    here = 120, 120
    there = (160, 60) if gained else (80, 180)
    earlier, later = (there, here) if gained else (here, there)
    way = math.degrees(math.atan2(60, 40))
    found = along(pictured(*earlier), pictured(*later), way, gained=gained)
    assert found["along_alike"] > 0.9
    assert found["along_beyond"] > 4
    assert found["along_m"] == pytest.approx(math.hypot(40, 60) * PIXEL)


@pytest.mark.parametrize("off_deg", [40, 90, 180])
def test_it_is_not_found_along_another_way(off_deg):
    way = math.degrees(math.atan2(60, 40)) + off_deg
    found = along(pictured(120, 120), pictured(80, 180), way, gained=False)
    assert found["along_alike"] < 0.6


def test_what_is_new_is_found_along_no_way():
    found = along(pictured(0, 0, seed=2), pictured(120, 120), 20.0, gained=True)
    assert found["along_alike"] < 0.5
    assert abs(found["along_beyond"]) < 3


def test_a_plain_window_tells_of_nothing():
    plain = np.full((3, SIDE, SIDE), 100, np.uint8)
    assert all(np.isfinite(list(along(plain, plain, 20.0, gained=True).values())))
