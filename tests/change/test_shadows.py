"""Which way shadows fall, told by the roofs of a flight, and what casts one."""

import math

import cv2
import numpy as np
import pytest

from change.shadows import NO_SUMS, Shadows, cast, fallen, shadow_sums

PIXEL_M = 0.2
ROOFS = [
    np.s_[40 + 130 * i : 100 + 130 * i, 40 + 130 * k : 110 + 130 * k]
    for i in range(4)
    for k in range(4)
]
SIDE = 600


def flight(right, down, *, dark=0.45):
    """Return a map of roofs and a picture of them whose shadows fall one way, 2 m long."""
    rng = np.random.default_rng(3)
    light = rng.normal(150, 12, (SIDE, SIDE)).astype(np.float32)
    roofs = np.zeros((SIDE, SIDE), np.uint8)
    for place in ROOFS:
        roofs[place] = 1
    shaded = np.zeros_like(roofs)
    for reach in range(1, 11):
        way = np.array([[1, 0, right * reach], [0, 1, down * reach]], np.float32)
        shaded |= cv2.warpAffine(roofs, way, (SIDE, SIDE), flags=cv2.INTER_NEAREST)
    light[shaded > 0] *= 1 - dark
    light[roofs > 0] = rng.normal(170, 12, int(roofs.sum()))
    grey = np.clip(light, 0, 255).astype(np.uint8)
    return roofs.astype(np.float32), np.stack([grey] * 3)


def told(roof, colour, cores=(np.s_[0:SIDE, 0:SIDE],), seen=None):
    seen = np.ones(roof.shape, bool) if seen is None else seen
    return sum((shadow_sums(roof, colour, seen, core, PIXEL_M) for core in cores), start=NO_SUMS)


@pytest.mark.parametrize("azimuth", [0, 40, 90, 135, 200, 280, 330])
def test_roofs_tell_which_way_shadows_fall(azimuth):
    right, down = math.sin(math.radians(azimuth)), -math.cos(math.radians(azimuth))
    found = fallen(told(*flight(right, down)))
    off = (found.azimuth_deg - azimuth + 180) % 360 - 180
    assert abs(off) < 8
    assert math.hypot(found.right, found.down) == pytest.approx(1.0)
    assert found.strength > 0.1


def test_nothing_is_told_where_no_shadow_falls():
    assert fallen(told(*flight(1.0, 0.0, dark=0.0))) is None


def test_nothing_is_told_by_a_single_house_or_by_none():
    roof, colour = flight(1.0, 0.0)
    assert fallen(told(roof, colour, [np.s_[0:130, 0:130]])) is None
    assert fallen(NO_SUMS) is None


def test_sums_of_parts_are_those_of_the_whole():
    roof, colour = flight(0.6, 0.8)
    halves = [np.s_[0:300, 0:SIDE], np.s_[300:SIDE, 0:SIDE]]
    whole = told(roof, colour)
    # Each part is rounded once.
    assert np.abs(told(roof, colour, halves) - whole).max() <= 1
    assert whole.dtype == np.int64


def test_ground_that_is_not_seen_counts_for_nothing():
    roof, colour = flight(1.0, 0.0)
    assert (told(roof, colour, seen=np.zeros(roof.shape, bool)) == 0).all()


def test_a_strip_narrower_than_what_is_looked_at_tells_nothing():
    roof, colour = flight(1.0, 0.0)
    strip = roof[:1], colour[:, :1]
    assert (told(*strip, cores=[np.s_[0:1, 0:SIDE]]) == 0).all()


def test_a_house_casts_a_shadow_and_a_court_none():
    roof, colour = flight(0.0, 1.0)
    lightness, seen = colour[0], np.ones(roof.shape, bool)
    falling = Shadows(0.0, 1.0, 0.3)
    house, court = np.zeros(roof.shape, bool), np.zeros(roof.shape, bool)
    house[ROOFS[5]] = True
    court[115:160, 120:160] = True  # between four houses
    assert cast(falling, lightness, seen, house, PIXEL_M) > 0.3
    assert abs(cast(falling, lightness, seen, court, PIXEL_M)) < 0.2
    against = Shadows(0.0, -1.0, 0.3)
    assert cast(against, lightness, seen, house, PIXEL_M) < -0.3


def test_what_is_not_known_of_shadows_is_no_number():
    roof, colour = flight(0.0, 1.0)
    house = np.zeros(roof.shape, bool)
    house[ROOFS[0]] = True
    seen = np.ones(roof.shape, bool)
    assert math.isnan(cast(None, colour[0], seen, house, PIXEL_M))
    falling = Shadows(0.0, 1.0, 0.3)
    seen[100:, :] = False  # where the shadow would fall
    assert math.isnan(cast(falling, colour[0], seen, house, PIXEL_M))
