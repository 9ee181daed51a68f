"""What a crown hid from one flight: made places where the other shows what was built there."""

import numpy as np
import pytest

from change.crowns import stands_where_crowns_stood
from change.height_judgement import heights_decide
from change.looks import inside_of
from change.objects import measure
from change.roofs import leaves_gone
from survey.settings import DetectSettings
from tests.change.test_height_evidence import HOUSE, PIXEL, SIDE, flown
from tests.change.test_height_judgement import (
    CONCRETE,
    LEAVES,
    SAME_LIGHT,
    crown,
    judged,
    likeness,
    look_at,
    outline_of,
    picture,
)

SETTINGS = DetectSettings()
ROOF_M = 5.0
# The right half of the house, and more, lay below the crown; and all of it below the grove.
BESIDE = (slice(45, 105), slice(80, 130))
GROVE = (slice(30, 120), slice(20, 140))
OPEN_PART = (HOUSE[0], slice(HOUSE[1].start, BESIDE[1].start))


def wooded(where, metres=7.0):
    return flown() + crown(where, metres)


def house(seed=2):
    return flown([(HOUSE, ROOF_M)], seed=seed)


def pictures(trees):
    return picture([(trees, LEAVES)]), picture([(HOUSE, CONCRETE)], seed=2)


def seen_as(where, likely=0.95):
    band = np.full((SIDE, SIDE), 0.02, np.float32)
    none = band.copy()
    band[where] = likely
    return {"appeared": band, "gone": none, "roof_before": none, "roof_after": band}


def test_leaves_are_gone_where_only_the_one_picture_shows_them():
    leafy, bare = pictures(GROVE)
    gone = leaves_gone(leafy, bare, PIXEL)
    inner = (slice(34, 116), slice(24, 136))
    assert gone[inner].all()
    assert gone.sum() <= 1.1 * (90 * 120)
    assert not leaves_gone(bare, leafy, PIXEL).any()
    assert not leaves_gone(leafy, leafy, PIXEL).any()


def test_a_house_goes_on_where_a_crown_stood():
    """Heights gain nothing there; its outline must not have a bite taken out of it."""
    found = judged(look_at(OPEN_PART, wooded(BESIDE), house(), pictures=pictures(BESIDE)))
    assert likeness(found.outline, outline_of(HOUSE)) > 0.85
    assert found.height_gain_m == pytest.approx(ROOF_M, abs=0.3)
    assert dict(found.evidence)["below_crowns"] == pytest.approx(0.4, abs=0.15)


def test_of_what_went_nothing_is_added_below_leaves():
    """A crown that was bare in the earlier flight may hide it, too."""
    flights = wooded(BESIDE), house()
    look = look_at(OPEN_PART, *flights, pictures=pictures(BESIDE), gained=False)
    assert judged(look).outline.area < 0.75 * outline_of(HOUSE).area


def test_where_no_leaves_went_heights_have_the_last_word():
    """What stood there was as high, and no crown."""
    look = look_at(OPEN_PART, wooded(BESIDE), house(), pictures=(picture(), pictures(BESIDE)[1]))
    assert judged(look).outline.area < 0.75 * outline_of(HOUSE).area


def test_a_bare_crown_is_no_part_of_a_house():
    upper = flown([(OPEN_PART, ROOF_M)], seed=2) + 0.7 * crown(BESIDE, 7.0)
    look = look_at(OPEN_PART, wooded(BESIDE), upper, pictures=pictures(BESIDE))
    assert judged(look).outline.area < 1.4 * outline_of(OPEN_PART).area


def test_a_house_in_the_place_of_a_grove_is_found_by_the_pictures():
    look = look_at(HOUSE, wooded(GROVE), house(), pictures=pictures(GROVE), maps=seen_as(HOUSE))
    inside = inside_of(look, look.outline)
    assert stands_where_crowns_stood(look, inside, SETTINGS.min_height_m)
    assert not heights_decide(look, inside, SETTINGS)
    (found,) = measure(look, SAME_LIGHT, SETTINGS)
    assert found.score > 0.5
    numbers = dict(found.evidence)
    assert numbers["stands_m"] == pytest.approx(ROOF_M, abs=0.5)
    # The crown that stood there is no structure that was there before.
    assert "stands_other_m" not in numbers


def test_ground_bared_by_felling_is_no_house():
    closed = flown([(GROVE, 7.0)])
    look = look_at(HOUSE, closed, flown(seed=2), pictures=pictures(GROVE))
    assert not stands_where_crowns_stood(look, inside_of(look, look.outline), SETTINGS.min_height_m)
    assert measure(look, SAME_LIGHT, SETTINGS) == []


def test_an_old_roof_bared_by_felling_is_no_house():
    """It goes on beside what the crown hid, and stood there before."""
    lower = np.maximum(house(seed=1), wooded(BESIDE))
    bared = (HOUSE[0], slice(BESIDE[1].start + 4, HOUSE[1].stop))
    look = look_at(bared, lower, house(), pictures=pictures(BESIDE), maps=seen_as(bared))
    assert not stands_where_crowns_stood(look, inside_of(look, look.outline), SETTINGS.min_height_m)


def test_a_crown_that_lost_its_leaves_is_no_house():
    """It stands where it stood, green no more."""
    bare = flown(seed=2) + 0.8 * crown(GROVE, 7.0)
    look = look_at(HOUSE, wooded(GROVE), bare, pictures=pictures(GROVE), maps=seen_as(HOUSE))
    assert not stands_where_crowns_stood(look, inside_of(look, look.outline), SETTINGS.min_height_m)


def test_where_heights_rose_enough_they_decide():
    look = look_at(HOUSE, flown() + crown(GROVE, 1.5), house(), pictures=pictures(GROVE))
    assert heights_decide(look, inside_of(look, look.outline), SETTINGS)
