"""What rises above what: made heights with a structure that is known, and what is no structure."""

import cv2
import numpy as np
import pytest
from scipy import ndimage

from change.height import bridged
from change.height_evidence import REACH_M, rises
from survey.settings import DetectSettings

SIDE, PIXEL, REACH = 160, 0.2, 2
SETTINGS = DetectSettings()
HOUSE = (slice(50, 100), slice(40, 120))
EVERYWHERE = np.ones((SIDE, SIDE), bool)


def flown(built=(), *, seed=1, blurred_m=0.4, noise_m=0.05):
    """Return ground with boxes on it, ((rows, cols), m) each, as photogrammetry draws them."""
    heights = np.fromfunction(lambda row, col: 20 + 0.01 * row + 0.005 * col, (SIDE, SIDE))
    for where, metres in built:
        heights[where] += metres
    rng = np.random.default_rng(seed)
    soft = cv2.GaussianBlur(heights, (0, 0), blurred_m / PIXEL)
    swell = ndimage.gaussian_filter(rng.normal(0, 1, (SIDE, SIDE)), 8)
    return (soft + noise_m * swell / swell.std()).astype(np.float32)


def risen(lower, upper, slabs=None, **changes):
    return rises(lower, upper, REACH, PIXEL, DetectSettings(**changes), slabs)


def parts_of(mask):
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    return [labels == number for number in range(1, count)]


def drawn(where):
    mask = np.zeros((SIDE, SIDE), bool)
    mask[where] = True
    return mask


@pytest.mark.parametrize("metres", [2.4, 6.0, 30.0])
def test_a_house_rises_where_it_stands_and_the_ground_does_not(metres):
    lower, upper = flown(), flown([(HOUSE, metres)], seed=2)
    (part,) = parts_of(risen(lower, upper))
    assert (part & drawn(HOUSE)).sum() / (part | drawn(HOUSE)).sum() > 0.9
    assert not risen(upper, lower).any()


@pytest.mark.parametrize("side_px", [16, 20])
def test_a_shed_of_ten_square_metres_rises(side_px):
    """Its walls, drawn as slopes, take most of it: what is left leads to the rest."""
    shed = (slice(60, 60 + side_px), slice(60, 60 + side_px))
    mask = risen(flown(), flown([(shed, 2.6)], seed=2))
    assert (mask & drawn(shed)).sum() > 0.7 * drawn(shed).sum()


def test_what_touches_is_told_apart_by_its_height():
    tall, annex = (slice(50, 90), slice(40, 80)), (slice(50, 90), slice(80, 110))
    parts = parts_of(risen(flown(), flown([(tall, 9.0), (annex, 3.0)], seed=2)))
    assert len(parts) == 2
    assert [max((part & drawn(w)).sum() / part.sum() for w in (tall, annex)) > 0.95
            for part in parts] == [True, True]  # fmt: skip


def test_a_storey_is_found_on_the_house_it_was_built_on():
    lower = flown([(HOUSE, 6.0)])
    storey = (slice(50, 100), slice(40, 80))
    (part,) = parts_of(risen(lower, flown([(HOUSE, 6.0), (storey, 3.0)], seed=2)))
    assert (part & drawn(storey)).sum() / (part | drawn(storey)).sum() > 0.85


def test_a_wall_a_little_moved_is_no_structure():
    moved = (HOUSE[0], slice(HOUSE[1].start + 2, HOUSE[1].stop + 2))
    lower, upper = flown([(HOUSE, 9.0)]), flown([(moved, 9.0)], seed=2)
    assert not risen(lower, upper).any()
    assert not risen(upper, lower).any()


def test_a_slab_rises_only_where_the_picture_allows():
    lower, upper = flown(noise_m=0.03), flown([(HOUSE, 0.4)], seed=2, noise_m=0.03)
    assert not risen(lower, upper).any()
    (part,) = parts_of(risen(lower, upper, EVERYWHERE))
    assert (part & drawn(HOUSE)).sum() / (part | drawn(HOUSE)).sum() > 0.75
    assert not risen(lower, upper, ~drawn(HOUSE))[HOUSE].any()


def test_uneven_growth_is_no_slab():
    rng = np.random.default_rng(5)
    crop = ndimage.gaussian_filter(rng.normal(0, 1, (SIDE, SIDE)), 3)
    upper = flown(seed=2)
    upper[HOUSE] += (0.45 + 0.35 * crop / crop.std())[HOUSE].astype(np.float32)
    assert risen(flown(), upper, EVERYWHERE).mean() < 0.02


def test_the_least_height_can_be_set():
    lower, upper = flown(), flown([(HOUSE, 2.5)], seed=2)
    assert risen(lower, upper).any()
    assert not risen(lower, upper, min_height_m=4.0).any()


def test_film_full_of_holes_is_seen_through():
    """Half of the heights of a film house are unknown, the rest scatter by a metre."""
    lower, upper = flown(), flown([(HOUSE, 2.8)], seed=2)
    rng = np.random.default_rng(3)
    scattered = ndimage.gaussian_filter(rng.normal(0, 1, (SIDE, SIDE)), 1)
    upper[HOUSE] += (0.8 * scattered / scattered.std())[HOUSE].astype(np.float32)
    holes = drawn(HOUSE) & (rng.random((SIDE, SIDE)) < 0.5)
    upper[holes] = np.nan
    (part,) = parts_of(risen(lower, upper))
    assert (part & drawn(HOUSE)).sum() > 0.8 * drawn(HOUSE).sum()


def test_where_nothing_is_known_nothing_rises():
    lower, upper = flown(), flown([(HOUSE, 6.0)], seed=2)
    lower[:, :80] = np.nan
    mask = risen(lower, upper)
    assert not mask[:, :72].any()
    assert mask[60:90, 90:115].all()


def test_what_is_farther_off_than_the_reach_changes_nothing():
    lower = flown()
    upper = flown([(HOUSE, 6.0), ((slice(120, 130), slice(100, 130)), 3.0)], seed=2)
    upper[5:9, 90:94] = np.nan
    whole = risen(lower, upper, EVERYWHERE)
    reach = round(REACH_M / PIXEL)
    part = risen(lower[:140, 10:], upper[:140, 10:], EVERYWHERE[:140, 10:])
    np.testing.assert_array_equal(whole[: 140 - reach, 10 + reach :], part[: 140 - reach, reach:])


def test_small_holes_are_bridged_and_large_ones_stay():
    heights = np.full((60, 60), 5.0, np.float32)
    heights[20:23, 20:23] = np.nan
    heights[30:50, 30:50] = np.nan
    filled = bridged(heights, PIXEL)
    assert filled[20:23, 20:23] == pytest.approx(5.0)
    assert np.isnan(filled[40, 40])
    whole = np.arange(16, dtype=np.float32).reshape(4, 4)
    assert bridged(whole, PIXEL) is whole
