"""Ties: a shift made by Fourier transform, asked back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from survey.ties import (
    Ties,
    cell_peaks,
    correlate_cells,
    correlate_images,
    correlate_windows,
    descriptor,
    surface_peak,
    surface_strength,
    window_peaks,
)
from tests.survey.rasters import blurred, scene

SIDE = 256
EVERYWHERE = np.ones((SIDE, SIDE), bool)
CELL, REACH = 16, 3


def moved(grey, down, right):
    """Return the picture with its content moved, exactly and cyclically, by parts of a pixel."""
    spectrum = np.fft.fft2(grey.astype(float))
    there = np.fft.ifft2(ndimage.fourier_shift(spectrum, (down, right))).real
    return np.clip(np.rint(there), 0, 255).astype(np.uint8)


def smooth_scene(seed=1):
    return blurred(scene(SIDE, SIDE, seed=seed)[:1], 1.5)[0]


def described(grey):
    return descriptor(grey, np.ones(grey.shape, bool))


def both_ways(down, right):
    """Yield two descriptors and how far the second lies from the first, there and back."""
    before = smooth_scene()
    first, second = described(before), described(moved(before, down, right))
    yield first, second, (down, right)
    yield second, first, (-down, -right)


@settings(max_examples=20)
@given(
    down=st.floats(-12, 12).map(lambda v: round(v, 2)),
    right=st.floats(-12, 12).map(lambda v: round(v, 2)),
)
def test_the_shift_of_a_whole_image_is_asked_back(down, right):
    for first, second, shift in both_ways(down, right):
        found = surface_peak(correlate_images(first, second, 16))
        assert found == pytest.approx(shift, abs=0.3)


WINDOWS = np.array([(r, c) for r in (0, 64, 128) for c in (0, 64, 128)])


@pytest.mark.parametrize(("down", "right"), [(0.0, 0.0), (3.0, -5.0), (-7.4, 2.6), (0.5, 0.25)])
def test_the_shift_of_every_window_is_asked_back(down, right):
    for first, second, shift in both_ways(down, right):
        rows, cols, ratio = window_peaks(correlate_windows(first, second, WINDOWS, 128, 16))
        assert rows == pytest.approx(np.full(9, shift[0]), abs=0.3)
        assert cols == pytest.approx(np.full(9, shift[1]), abs=0.3)
        assert (ratio > 1.3).all()


@settings(max_examples=15)
@given(down=st.floats(-2, 2), right=st.floats(-2, 2))
def test_the_shift_of_every_cell_is_asked_back(down, right):
    for first, second, shift in both_ways(down, right):
        sums = correlate_cells(first[5:-5, 5:-5], second[5:-5, 5:-5], 60, REACH)
        rows, cols, strength = cell_peaks(sums.reshape(-1, sums.shape[-1]))
        assert rows == pytest.approx(np.full(16, shift[0]), abs=0.3)
        assert cols == pytest.approx(np.full(16, shift[1]), abs=0.3)
        assert (strength > 6).all()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_identical_pictures_lie_still_to_a_hundredth_of_a_pixel(seed):
    z = described(smooth_scene(seed))
    rows, cols, _ratio = window_peaks(correlate_windows(z, z, WINDOWS, 64, 16))
    assert np.hypot(rows, cols).max() < 0.01
    sums = correlate_cells(z[5:-5, 5:-5], z[5:-5, 5:-5], CELL, REACH)
    rows, cols, _strength = cell_peaks(sums.reshape(-1, sums.shape[-1]))
    assert np.hypot(rows, cols).max() < 0.01


def test_windows_are_correlated_as_rolling_them_would():
    """The oracle multiplies tapered windows at every cyclic shift, one by one."""
    first, second, _shift = next(both_ways(2.3, -1.6))
    side, search = 32, 5
    found = correlate_windows(first, second, np.array([(40, 70)]), side, search)[0]
    taper = np.sqrt(np.hanning(side + 2)[1:-1])
    one, other = (z[40:72, 70:102] * np.outer(taper, taper) for z in (first, second))
    for row in range(-search, search + 1):
        for col in range(-search, search + 1):
            true = (np.conj(one) * np.roll(other, (-row, -col), (0, 1))).real.sum()
            assert found[search + row, search + col] == pytest.approx(true, abs=1e-3)


def test_windows_may_be_taken_in_any_company():
    first, second, _shift = next(both_ways(1.0, 1.0))
    corners = np.array([(r, c) for r in range(0, 193, 32) for c in range(0, 193, 32)])
    together = correlate_windows(first, second, corners, 64, 8)
    alone = np.concatenate([correlate_windows(first, second, one[None], 64, 8) for one in corners])
    np.testing.assert_allclose(together, alone, rtol=1e-5, atol=1e-4)


def test_cells_are_sums_over_what_they_hold():
    """The oracle multiplies each cell with the after picture at every shift, one by one."""
    first, second, _shift = next(both_ways(0.4, -1.2))
    first, second = first[:38, 40:94], second[:38, 40:94]
    found = correlate_cells(first, second, CELL, REACH)
    assert found.shape == (2, 3, 51)
    size = 2 * REACH + 1
    for row, col in np.ndindex(2, 3):
        at_row, at_col = REACH + row * CELL, REACH + col * CELL
        one = first[at_row : at_row + CELL, at_col : at_col + CELL]
        other = second[at_row : at_row + CELL, at_col : at_col + CELL]
        assert found[row, col, -2] == pytest.approx((np.abs(one) ** 2).sum(), rel=1e-4)
        assert found[row, col, -1] == pytest.approx((np.abs(other) ** 2).sum(), rel=1e-4)
        surface = found[row, col, :-2].reshape(size, size)
        # Whatever part of the neighbourhood is used, the value at rest is the product of both.
        still = (np.conj(one) * other).real.sum()
        assert surface[REACH, REACH] == pytest.approx(still, abs=1e-3)


def test_smaller_cells_add_up_to_larger_ones():
    first, second, _shift = next(both_ways(0.7, -1.3))
    inner = np.s_[:198, :198]
    small = correlate_cells(first[inner], second[inner], 8, REACH)
    large = correlate_cells(first[inner], second[inner], 16, REACH)
    added = small.reshape(12, 2, 12, 2, -1).sum(axis=(1, 3))
    np.testing.assert_allclose(added, large, rtol=1e-4, atol=1e-3)


@settings(max_examples=15)
@given(
    down=st.integers(0, 8),
    right=st.integers(0, 8),
    rows=st.integers(1, 4),
    cols=st.integers(1, 4),
)
def test_the_sums_of_a_cell_do_not_depend_on_its_tile(down, right, rows, cols):
    first, second, _shift = next(both_ways(-1.1, 0.6))
    whole = correlate_cells(first[:198, :198], second[:198, :198], CELL, REACH)
    tile = np.s_[
        down * CELL : (down + rows) * CELL + 2 * REACH,
        right * CELL : (right + cols) * CELL + 2 * REACH,
    ]
    part = correlate_cells(
        np.ascontiguousarray(first[tile]), np.ascontiguousarray(second[tile]), CELL, REACH
    )
    same = whole[down : down + rows, right : right + cols]
    np.testing.assert_allclose(part, same, rtol=1e-5, atol=1e-4)


def test_light_and_contrast_hardly_matter():
    before = smooth_scene()
    dim = (before * 0.6 + 20).astype(np.uint8)
    first, second = described(before), described(dim)
    surface = correlate_images(first, second, 16)
    assert surface_peak(surface) == pytest.approx((0, 0), abs=0.05)
    assert surface_strength(surface) > 20
    sums = correlate_cells(first[5:-5, 5:-5], second[5:-5, 5:-5], 60, REACH)
    rows, cols, strength = cell_peaks(sums.reshape(-1, sums.shape[-1]))
    assert np.hypot(rows, cols).max() < 0.15
    assert (strength > 6).all()


def test_unrelated_pictures_show_no_peak():
    first, second = (described(smooth_scene(seed)) for seed in (1, 2))
    surface = correlate_images(first, second, 40)
    assert surface_strength(surface) < 6
    corners = np.array([(r, c) for r in range(0, 129, 32) for c in range(0, 129, 32)])
    ratio = window_peaks(correlate_windows(first, second, corners, 128, 16))[2]
    assert np.median(ratio) < 1.3
    sums = correlate_cells(first[5:-5, 5:-5], second[5:-5, 5:-5], 2 * CELL, REACH)
    strength = cell_peaks(sums.reshape(-1, sums.shape[-1]))[2]
    assert (strength < 6).mean() > 0.95


def test_a_peak_on_the_rim_of_the_search_is_no_evidence():
    before = smooth_scene()
    first, second = (described(p) for p in (before, moved(before, 16, 0)))
    ratio = window_peaks(correlate_windows(first, second, np.array([(64, 64)]), 128, 16))[2]
    assert ratio[0] == 0
    first, second = (described(p) for p in (before, moved(before, 0, REACH)))
    sums = correlate_cells(first[5:-5, 5:-5], second[5:-5, 5:-5], 60, REACH)
    _rows, _cols, strength = cell_peaks(sums.reshape(-1, sums.shape[-1]))
    assert not strength.any()


def test_where_nothing_is_seen_there_is_nothing_to_find():
    empty = np.zeros((38, 38), np.complex64)
    sums = correlate_cells(empty, empty, CELL, REACH)
    rows, cols, strength = cell_peaks(sums.reshape(-1, sums.shape[-1]))
    assert np.isfinite([rows, cols]).all()
    assert not strength.any()
    ratio = window_peaks(correlate_windows(empty, empty, np.array([(0, 0)]), 32, 8))[2]
    assert not ratio.any()
    for found in cell_peaks(sums.reshape(-1, sums.shape[-1])[:0]):
        assert found.shape == (0,)


def test_the_edge_of_the_picture_is_no_feature():
    flat = np.full((64, 64), 120, np.uint8)
    flat[:, 40:] = 0
    valid = np.ones((64, 64), bool)
    valid[:, 40:] = False
    assert not descriptor(flat, valid).any()


def test_the_descriptor_is_zero_near_whatever_is_not_valid():
    valid = np.random.default_rng(2).random((80, 90)) > 0.02
    z = descriptor(scene(80, 90)[0], valid)
    near = ndimage.binary_dilation(~valid, np.ones((5, 5), bool))
    near[[0, 1, -2, -1]] = near[:, [0, 1, -2, -1]] = True
    assert not z[near].any()
    assert (z[~near] != 0).mean() > 0.95


def test_a_descriptor_keeps_direction_and_damps_size():
    ramp = np.broadcast_to(np.arange(64, dtype=np.uint8) * 3, (64, 64)).copy()
    z = described(ramp)
    # Brighter to the right: the gradient points along the columns, 6 grey levels over two pixels.
    np.testing.assert_allclose(z[4:-4, 4:-4], 0.5, atol=1e-5)
    np.testing.assert_allclose(described(ramp.T.copy())[4:-4, 4:-4], 0.5j, atol=1e-5)
    assert (np.abs(z) < 1).all()
    assert z.dtype == np.complex64


def test_a_descriptor_does_not_depend_on_where_memory_was_free():
    """Vectorised libraries take other paths for other addresses: results must not follow them."""
    grey, rng = scene(350, 350)[0].copy(), np.random.default_rng(1)
    held, found = [], set()
    for _ in range(60):
        held = [*held[-5:], np.empty(int(rng.integers(1, 2_000_000)), np.uint8)]
        found.add(described(grey).tobytes())
    assert len(found) == 1


def test_ties_are_kept_and_joined_in_order():
    def some(first):
        values = np.arange(first, first + 3.0)
        return Ties(x=values, y=values, east=values, north=values, strength=values)

    joined = Ties.joined([some(0), some(10)])
    assert joined.count == 6
    assert joined.kept(joined.strength > 1).x.tolist() == [2, 10, 11, 12]
    assert Ties.joined([]).count == 0
