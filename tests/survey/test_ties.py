"""Ties: a shift made by Fourier transform, asked back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from survey.ties import (
    Ties,
    correlate_images,
    correlate_windows,
    descriptor,
    surface_peak,
    surface_strength,
)
from tests.survey.rasters import blurred, scene

EVERYWHERE = np.ones((256, 256), bool)


def moved(picture, down, right):
    """Return the picture with its content moved, exactly and cyclically, by parts of a pixel."""
    bands = [
        np.fft.ifft2(ndimage.fourier_shift(np.fft.fft2(band.astype(float)), (down, right))).real
        for band in picture
    ]
    return np.clip(np.rint(bands), 0, 255).astype(np.uint8)


def smooth_scene(seed=1):
    return blurred(scene(256, 256, seed=seed), 1.5)


@settings(max_examples=20)
@given(
    down=st.floats(-12, 12).map(lambda v: round(v, 2)),
    right=st.floats(-12, 12).map(lambda v: round(v, 2)),
)
def test_the_shift_of_a_whole_image_is_asked_back(down, right):
    before = smooth_scene()
    first = descriptor(before, EVERYWHERE)
    second = descriptor(moved(before, down, right), EVERYWHERE)
    there = surface_peak(correlate_images(first, second, 16))
    back = surface_peak(correlate_images(second, first, 16))
    assert there == pytest.approx((down, right), abs=0.3)
    assert back == pytest.approx((-down, -right), abs=0.3)


@pytest.mark.parametrize(("down", "right"), [(0.0, 0.0), (3.0, -5.0), (-7.4, 2.6), (0.5, 0.25)])
def test_the_shift_of_every_window_is_asked_back(down, right):
    before = smooth_scene()
    first = descriptor(before, EVERYWHERE)
    second = descriptor(moved(before, down, right), EVERYWHERE)
    corners = np.array([(r, c) for r in (0, 64, 128) for c in (0, 64, 128)])
    rows, cols, ratio = correlate_windows(first, second, corners, 128, 16)
    assert rows == pytest.approx(np.full(9, down), abs=0.3)
    assert cols == pytest.approx(np.full(9, right), abs=0.3)
    assert (ratio > 1.3).all()


def test_light_and_contrast_hardly_matter():
    before = smooth_scene()
    dim = (before * 0.6 + 20).astype(np.uint8)
    surface = correlate_images(descriptor(before, EVERYWHERE), descriptor(dim, EVERYWHERE), 16)
    assert surface_peak(surface) == pytest.approx((0, 0), abs=0.05)
    assert surface_strength(surface) > 20


def test_unrelated_pictures_show_no_peak():
    first, second = (descriptor(smooth_scene(seed), EVERYWHERE) for seed in (1, 2))
    surface = correlate_images(first, second, 40)
    assert surface_strength(surface) < 6
    corners = np.array([(r, c) for r in range(0, 129, 32) for c in range(0, 129, 32)])
    ratio = correlate_windows(first, second, corners, 128, 16)[2]
    assert np.median(ratio) < 1.3


def test_a_peak_on_the_rim_of_the_search_is_no_evidence():
    before = smooth_scene()
    first, second = (descriptor(p, EVERYWHERE) for p in (before, moved(before, 16, 0)))
    ratio = correlate_windows(first, second, np.array([(64, 64)]), 128, 16)[2]
    assert ratio[0] == 0


def test_the_edge_of_the_picture_is_no_feature():
    flat = np.full((3, 64, 64), 120, np.uint8)
    flat[:, :, 40:] = 0
    valid = np.ones((64, 64), bool)
    valid[:, 40:] = False
    assert not descriptor(flat, valid).any()


def test_a_descriptor_keeps_direction_and_damps_size():
    ramp = np.broadcast_to(np.arange(64, dtype=np.uint8) * 3, (3, 64, 64))
    z = descriptor(ramp, np.ones((64, 64), bool))
    inner = z[4:-4, 4:-4]
    # Brighter to the right: the gradient points along the columns, 6 grey levels over two pixels.
    np.testing.assert_allclose(inner, 0.5, atol=1e-5)
    assert (np.abs(z) < 1).all()


def test_ties_are_kept_and_joined_in_order():
    def some(first):
        values = np.arange(first, first + 3.0)
        return Ties(x=values, y=values, east=values, north=values, strength=values)

    joined = Ties.joined([some(0), some(10)])
    assert joined.count == 6
    assert joined.kept(joined.strength > 1).x.tolist() == [2, 10, 11, 12]
    assert Ties.joined([]).count == 0
