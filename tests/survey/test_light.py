"""Light: colours of two flights made comparable, against changes of light that are known."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from skimage.color import rgb2lab

from survey.light import (
    greenness,
    has_colours,
    match_light,
    to_lab,
    with_colours_of,
    without_colours,
)
from tests.survey.rasters import scene

PICTURES = arrays.arrays(np.uint8, st.tuples(st.just(3), st.integers(1, 12), st.integers(1, 12)))


def flat(picture):
    return to_lab(picture).reshape(3, -1)


@settings(max_examples=30)
@given(PICTURES)
def test_lab_is_what_scikit_image_says(picture):
    exact = np.moveaxis(rgb2lab(np.moveaxis(picture, 0, -1)), -1, 0)
    eight = np.stack([exact[0] * 255 / 100, exact[1] + 128, exact[2] + 128])
    assert np.abs(to_lab(picture) - np.clip(eight, 0, 255)).max() <= 2


@pytest.mark.parametrize(
    ("colour", "index"), [((0, 255, 0), 2.0), ((255, 0, 0), -1.0), ((80, 80, 80), 0.0)]
)
def test_greenness_of_pure_colours(colour, index):
    picture = np.array(colour, np.uint8).reshape(3, 1, 1)
    assert greenness(picture)[0, 0] == pytest.approx(index)


def test_greenness_of_black_is_defined():
    assert greenness(np.zeros((3, 2, 2), np.uint8)).tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda p: p * 0.7, id="darker"),
        pytest.param(lambda p: p * 0.8 + 30, id="haze"),
        pytest.param(lambda p: p * np.array([1.05, 1.0, 0.85])[:, None, None], id="warmer"),
        pytest.param(lambda p: 255 * (p / 255) ** 0.8, id="gamma"),
    ],
)
def test_another_light_is_taken_back(change):
    before = scene(200, 200)
    after = np.clip(np.rint(change(before.astype(float))), 0, 255).astype(np.uint8)
    light = match_light(flat(before), flat(after))
    missed = np.abs(light.apply(to_lab(after)).astype(int) - to_lab(before))
    unmatched = np.abs(to_lab(after).astype(int) - to_lab(before))
    assert np.median(missed) <= 2
    assert np.mean(missed) < 0.6 * np.mean(unmatched)


def test_the_same_picture_stays_as_it_is():
    lab = flat(scene(120, 120))
    light = match_light(lab, lab)
    assert np.abs(light.apply(lab).astype(int) - lab).max() <= 1


def test_a_new_red_roof_does_not_redden_the_rest():
    """A twentieth of the ground changes colour; what did not change is matched all the same."""
    before = scene(200, 200)
    after = before.copy()
    after[:, :44, :44] = np.array([190, 60, 50], np.uint8)[:, None, None]
    light = match_light(flat(before), flat(after))
    rest = to_lab(after)[:, 60:, 60:]
    assert np.median(np.abs(light.apply(rest).astype(int) - to_lab(before)[:, 60:, 60:])) <= 2


def test_too_little_to_match_changes_nothing():
    few = np.zeros((3, 99), np.uint8)
    light = match_light(few, few + 9)
    np.testing.assert_array_equal(light.tables, np.tile(np.arange(256), (3, 1)))


@settings(max_examples=30)
@given(
    arrays.arrays(np.uint8, st.tuples(st.just(3), st.integers(100, 300))),
    st.integers(0, 2**32 - 1),
)
def test_tables_never_turn_light_and_dark_round(before, seed):
    after = np.random.default_rng(seed).integers(0, 256, before.shape, dtype=np.uint8)
    light = match_light(before, after)
    assert light.tables.shape == (3, 256)
    assert (np.diff(light.tables.astype(int), axis=1) >= 0).all()
    assert 0 <= light.dark <= 255


def test_one_colour_is_shifted():
    before, after = np.full((3, 200), 100, np.uint8), np.full((3, 200), 130, np.uint8)
    assert (match_light(before, after).apply(after) == before).all()


def test_shadow_lies_below_the_limit_and_lit_ground_above():
    lightness = np.concatenate([np.full(2000, 40), np.full(8000, 150)]).astype(np.uint8)
    lab = np.stack([lightness, np.full_like(lightness, 128), np.full_like(lightness, 128)])
    assert 40 < match_light(lab, lab).dark < 150


def as_stored(picture):
    """Return a picture as JPEG keeps it."""
    pixels = cv2.cvtColor(np.moveaxis(picture, 0, -1), cv2.COLOR_RGB2BGR)
    kept = cv2.imdecode(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], 1)
    return np.moveaxis(cv2.cvtColor(kept, cv2.COLOR_BGR2RGB), -1, 0)


def toned(picture):
    """Return a picture as brown prints show it: its lights yellowish, its darks nearly black."""
    grey = without_colours(picture).astype(float)
    return np.clip(grey * np.array([1.0, 0.9, 0.72])[:, None, None] + 8, 0, 255).astype(np.uint8)


def hazy(picture):
    """Return a picture of half the contrast and colour."""
    return (picture * 0.5 + 90).astype(np.uint8)


@pytest.mark.parametrize(
    ("shown", "coloured"),
    [
        (lambda p: p, True),
        (hazy, True),
        (as_stored, True),
        (without_colours, False),
        (lambda p: as_stored(without_colours(p)), False),
        (toned, False),
        (lambda p: as_stored(toned(p)), False),
    ],
    ids=["as it is", "haze", "jpeg", "grey", "grey jpeg", "brown print", "brown print jpeg"],
)
def test_colours_are_told_from_greys_and_tones(shown, coloured):
    # A flight is looked at as a whole, four pixels of 0.2 m as one.
    picture = np.moveaxis(shown(scene(400, 400)), 0, -1)
    looked_at = cv2.resize(picture, (100, 100), interpolation=cv2.INTER_AREA)
    assert has_colours(flat(np.moveaxis(looked_at, -1, 0))) is coloured


def test_a_picture_of_one_colour_shows_no_colours():
    assert not has_colours(np.full((3, 200), 140, np.uint8))


def test_no_picture_has_no_colours_to_convert():
    assert to_lab(np.zeros((3, 1, 0), np.uint8)).shape == (3, 1, 0)


def test_of_too_little_a_picture_it_is_not_said_that_it_is_grey():
    assert has_colours(np.full((3, 99), 128, np.uint8))


def test_a_grey_picture_in_the_colours_of_another_keeps_its_own_light():
    colours, other = scene(200, 200), scene(200, 200, seed=5)
    lent = to_lab(with_colours_of(colours, without_colours(other))).astype(int)
    light = to_lab(without_colours(other))[0]
    # What is too strong a colour for so dark or so light a place is made paler.
    assert np.percentile(np.abs(lent[0] - light), 95) <= 3
    assert np.percentile(np.abs(lent[1:] - to_lab(colours)[1:]), 90) <= 3


def test_grey_is_the_same_in_all_bands_and_its_own_grey():
    grey = without_colours(scene(50, 50))
    assert (grey == grey[:1]).all()
    np.testing.assert_array_equal(without_colours(grey), grey)
