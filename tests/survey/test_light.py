"""Light: colours of two flights made comparable, against changes of light that are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from skimage.color import rgb2lab

from survey.light import greenness, match_light, to_lab
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
