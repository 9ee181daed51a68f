"""Evidence: made windows with a house that is known, and everything that is no house."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from change.evidence import HALO_M, weigh
from change.height import ground_level, height_gain, roughness
from change.roofs import is_green, steel_share
from change.surface import colour_change, gradients, rightness
from survey.light import to_lab
from survey.settings import DetectSettings

SIDE, PIXEL = 160, 0.2
HOUSE = (slice(50, 100), slice(40, 120))
SETTINGS = DetectSettings()
SOIL, CONCRETE, BLUE_STEEL, LEAVES = (150, 120, 90), (200, 200, 198), (60, 100, 190), (70, 120, 50)


def ground(seed=1):
    """Return bare soil, grainy as soil is."""
    rng = np.random.default_rng(seed)
    grain = ndimage.gaussian_filter(rng.normal(0, 12, (SIDE, SIDE)), 1.0)
    return np.clip(np.array(SOIL)[:, None, None] + grain, 1, 254).astype(np.uint8)


def painted(picture, colour, where=HOUSE):
    picture = picture.copy()
    picture[:, where[0], where[1]] = np.array(colour, np.uint8)[:, None, None]
    return picture


def terrain(seed=2, noise=0.04):
    rng = np.random.default_rng(seed)
    rows, cols = np.mgrid[:SIDE, :SIDE]
    slope = 20 + 0.01 * rows + 0.005 * cols
    return (slope + rng.normal(0, noise, (SIDE, SIDE))).astype(np.float32)


def raised(heights, metres, where=HOUSE):
    heights = heights.copy()
    heights[where] += metres
    return heights


def window(before, after, heights=None, tolerance=0.2, appeared=0.0, gone=0.0):
    seen = np.ones((SIDE, SIDE), bool)
    maps = [np.where(mask(), said, 0.0).astype(np.float32) for said in (appeared, gone)]
    data = {
        "before": (("band", "y", "x"), before),
        "after": (("band", "y", "x"), after),
        "seen_before": (("y", "x"), seen),
        "seen_after": (("y", "x"), seen.copy()),
        "tolerance": (("y", "x"), np.full((SIDE, SIDE), tolerance, np.float32)),
        "appeared": (("y", "x"), maps[0]),
        "gone": (("y", "x"), maps[1]),
    }
    if heights is not None:
        data["height_before"] = (("y", "x"), heights[0])
        data["height_after"] = (("y", "x"), heights[1])
    return xr.Dataset(data)


def weighed(data, **changes):
    return weigh(data, DetectSettings(**changes), PIXEL)


def mask(where=HOUSE):
    drawn = np.zeros((SIDE, SIDE), bool)
    drawn[where] = True
    return drawn


def likeness(found, expected):
    return (found & expected).sum() / max(1, (found | expected).sum())


@pytest.mark.parametrize("metres", [2.5, 6.0, 15.0])
def test_a_house_that_rises_appears_and_falling_vanishes(metres):
    soil, low = ground(), terrain()
    high = raised(terrain(seed=3), metres)
    with_house = painted(ground(4), CONCRETE)
    there = weighed(window(soil, with_house, (low, high)))
    assert likeness(there.appeared, mask()) > 0.9
    assert not there.vanished.any()
    back = weighed(window(with_house, soil, (high, low)))
    assert likeness(back.vanished, mask()) > 0.9
    assert not back.appeared.any()


@pytest.mark.parametrize(("said", "expected"), [(0.9, True), (0.3, True), (0.1, False)])
def test_without_heights_the_detector_tells(said, expected):
    found = weighed(window(ground(), ground(4), appeared=said, gone=1.0 - said))
    assert (likeness(found.appeared, mask()) > 0.9) == expected
    assert found.vanished.any() == (said < 0.8)
    assert found.judged.all()


def test_a_coat_of_paint_is_no_house_where_there_are_heights():
    found = weighed(
        window(ground(), painted(ground(4), BLUE_STEEL), (terrain(), terrain(seed=3)), appeared=0.9)
    )
    assert not found.appeared.any()
    assert not found.vanished.any()


@pytest.mark.parametrize(("said", "green", "expected"), [(0.6, 0, 1), (0.0, 0, 0), (0.6, 1, 0)])
def test_a_slab_counts_where_the_detector_sees_something_and_no_leaves_grow(said, green, expected):
    heights = terrain(noise=0.02), raised(terrain(seed=3, noise=0.02), 0.5)
    after = painted(ground(4), LEAVES if green else CONCRETE)
    found = weighed(window(ground(), after, heights, appeared=said))
    assert (likeness(found.appeared, mask()) > 0.7) == bool(expected)
    assert not found.vanished.any()


def test_a_wall_a_little_moved_gains_nothing():
    """Misalignment within the tolerance: the same house, two pixels aside."""
    moved = (HOUSE[0], slice(HOUSE[1].start + 2, HOUSE[1].stop + 2))
    heights = (raised(terrain(), 6.0), raised(terrain(seed=3), 6.0, moved))
    pictures = painted(ground(), CONCRETE), painted(ground(4), CONCRETE, moved)
    found = weighed(window(*pictures, heights, tolerance=0.4))
    assert not found.appeared.any()
    assert not found.vanished.any()


def test_where_heights_are_missing_the_detector_decides():
    low, high = terrain(), terrain(seed=3)
    low[:, :80] = np.nan
    found = weighed(window(ground(), painted(ground(4), CONCRETE), (low, high), appeared=0.9))
    left, right = mask(), mask()
    left[:, 80:], right[:, :80] = False, False
    assert found.appeared[left].mean() > 0.8
    assert not found.appeared[right][10:].any()


def test_where_a_crown_stood_the_detector_counts_and_where_a_lawn_was_it_does_not():
    """What is built in the place of a crown gains no height."""
    leafy, built = painted(ground(), LEAVES), painted(ground(4), CONCRETE)
    rough = ndimage.gaussian_filter(np.random.default_rng(5).normal(0, 1, (SIDE, SIDE)), 2)
    crown = terrain() + np.where(mask(), 6 + 0.8 * rough / rough.std(), 0).astype(np.float32)
    house = raised(terrain(seed=3), 5.0)
    felled = weighed(window(leafy, built, (crown, house), appeared=0.9))
    assert likeness(felled.appeared, mask()) > 0.8
    assert not weighed(window(leafy, built, (crown, house), appeared=0.1)).appeared.any()
    paved = weighed(window(leafy, built, (terrain(), terrain(seed=3)), appeared=0.9))
    assert not paved.appeared.any()


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_where_heights_are_full_of_holes_the_detector_counts(share):
    """Film: what photogrammetry knows of it are blunders."""
    rng = np.random.default_rng(6)
    low = terrain() + np.where(mask(), rng.normal(0, 1.5, (SIDE, SIDE)), 0).astype(np.float32)
    low[mask() & (rng.random((SIDE, SIDE)) > share)] = np.nan
    pictures = painted(ground(), CONCRETE), ground(4)
    found = weighed(window(*pictures, (low, terrain(seed=3)), gone=0.9))
    assert likeness(found.vanished, mask()) > 0.8


@pytest.mark.parametrize("name", ["seen_before", "seen_after"])
def test_ground_not_seen_is_not_judged(name):
    data = window(ground(), painted(ground(4), CONCRETE), appeared=0.9)
    data[name].values[:, :80] = False
    found = weighed(data)
    assert not found.judged[:, :80].any()
    assert found.judged[:, 80:].all()
    assert not found.appeared[:, :78].any()


def test_ground_too_uncertain_is_not_judged():
    data = window(ground(), painted(ground(4), CONCRETE))
    data["tolerance"].values[:40] = 3.5
    found = weighed(data, max_tolerance_m=3.0)
    assert not found.judged[:40].any()
    assert found.judged[40:].all()
    assert weighed(data, max_tolerance_m=4.0).judged.all()


def test_the_height_that_counts_can_be_set():
    data = window(ground(), ground(4), (terrain(), raised(terrain(seed=3), 2.0)))
    assert weighed(data, min_height_m=1.8).appeared.any()
    assert not weighed(data, min_height_m=4.0).appeared.any()


def test_specks_and_slivers_are_cut_off():
    high = terrain(seed=3)
    high[20, 20] += 5
    high[:, 140:142] += 5
    found = weighed(window(ground(), ground(4), (terrain(), high), tolerance=0.1))
    assert not found.appeared.any()


def test_the_halo_is_all_a_tile_needs():
    """Whatever lies beyond it changes nothing in the core."""
    high = raised(terrain(seed=3), 6.0)
    data = window(ground(), painted(ground(4), CONCRETE), (terrain(), high))
    part = data.isel(y=slice(0, 150), x=slice(0, 150))
    halo = round(HALO_M / PIXEL)
    core = (slice(halo, 150 - halo), slice(halo, 150 - halo))
    whole, seen = weighed(data), weighed(part)
    assert whole.appeared[core].any()
    np.testing.assert_array_equal(whole.appeared[core], seen.appeared[core])
    np.testing.assert_array_equal(whole.vanished[core], seen.vanished[core])


@settings(max_examples=20)
@given(reach=st.integers(1, 6), seed=st.integers(0, 1000))
def test_no_movement_within_reach_is_a_change(reach, seed):
    rng = np.random.default_rng(seed)
    down, right = rng.integers(-reach, reach + 1, 2)
    if np.hypot(down, right) > reach - 0.5:
        down = right = 0
    rough = ndimage.gaussian_filter(rng.normal(0, 60, (80, 80)), 2).astype(np.float32)
    gain = height_gain(rough, np.roll(rough, (down, right), (0, 1)), reach)
    assert gain[10:-10, 10:-10].max() <= 1e-5
    lab = to_lab(rng.integers(0, 256, (3, 80, 80), dtype=np.uint8))
    change = colour_change(lab, np.roll(lab, (down, right), (1, 2)), reach)
    assert change[10:-10, 10:-10].max() == 0


def test_height_gain_is_the_height_of_the_house():
    flat = np.zeros((60, 60), np.float32)
    gain = height_gain(flat, raised(flat, 7.0, (slice(20, 40), slice(20, 40))), 2)
    assert gain[25:35, 25:35].min() == 7
    assert gain[:15].max() == 0
    holed = flat.copy()
    holed[5, 5] = np.nan
    assert np.isnan(height_gain(holed, flat, 2)[5, 5])
    assert np.isnan(height_gain(flat, holed, 2)[5, 5])


def test_ground_level_and_roughness():
    ring = np.ones((SIDE, SIDE), bool)
    crowns = terrain() * 0 + 3
    crowns[:, ::4] += 5
    assert ground_level(crowns, ring) == pytest.approx(3)
    assert np.isnan(ground_level(crowns * np.nan, ring))
    inside = mask()
    rng = np.random.default_rng(1)
    crown = ndimage.gaussian_filter(rng.normal(0, 4, (SIDE, SIDE)), 1).astype(np.float32)
    assert roughness(terrain(), inside) < 0.1
    assert roughness(crown, inside) > 0.3
    assert np.isnan(roughness(terrain(), ~ring))


def test_leaves_are_green_and_roofs_are_not():
    for colour, green in ((LEAVES, True), (CONCRETE, False), (BLUE_STEEL, False), (SOIL, False)):
        picture = painted(ground(), colour, (slice(None), slice(None)))
        assert is_green(picture).all() == green


@pytest.mark.parametrize(
    ("colour", "share"),
    [(BLUE_STEEL, 1), ((170, 50, 45), 1), (CONCRETE, 0), (SOIL, 0), (LEAVES, 0)],
)
def test_painted_steel_is_known_by_its_colour(colour, share):
    picture = painted(np.zeros((3, SIDE, SIDE), np.uint8), colour, (slice(None), slice(None)))
    assert steel_share(to_lab(picture), mask()) == share
    assert steel_share(to_lab(picture), np.zeros((SIDE, SIDE), bool)) == 0


@pytest.mark.parametrize("degrees", [0, 17, 45])
def test_a_rectangle_has_right_angles_whichever_way_it_lies(degrees):
    house = painted(np.full((3, SIDE, SIDE), 90, np.uint8), CONCRETE)
    turned = ndimage.rotate(house, degrees, axes=(1, 2), reshape=False, cval=90, order=1)
    everywhere = np.ones((SIDE, SIDE), bool)
    inner = np.zeros_like(everywhere)
    inner[30:130, 20:140] = True
    assert rightness(*gradients(turned), inner) > 0.8
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 256, (3, SIDE, SIDE), dtype=np.uint8)
    assert rightness(*gradients(noise), everywhere) < 0.2
    assert rightness(*gradients(noise), ~everywhere) == 0
    flat = np.full((3, SIDE, SIDE), 90, np.uint8)
    assert rightness(*gradients(flat), everywhere) == 0
