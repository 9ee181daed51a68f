"""Smoothing on a lattice: fields that are known asked back, and the equations solved densely."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from survey import smoothing
from survey.smoothing import agree_with_neighbours, smooth_nodes

# A floor so high that no residual is taken for an outlier: the equations become linear.
NO_OUTLIERS = 1e6


def bump(rows, cols):
    """Return a smooth field of two components, some decimetres high."""
    r, c = np.mgrid[:rows, :cols]
    return np.stack(
        [
            2.0 + 0.4 * np.sin(2 * np.pi * r / 31) * np.cos(2 * np.pi * c / 43),
            -1.0 + 0.3 * np.cos(2 * np.pi * (r + c) / 37),
        ]
    ).astype(np.float32)


def worst(values, truth):
    return float(np.hypot(*(values - truth)).max())


def rms(values, truth):
    return float(np.sqrt(((values - truth) ** 2).sum(axis=0).mean()))


def bending(rows, cols):
    """Return the matrix that takes a lattice to its Laplacian, mirrored at its rim."""

    def second(side):
        steps = np.diff(np.eye(side), axis=0)
        return steps.T @ steps

    return np.kron(second(rows), np.eye(cols)) + np.kron(np.eye(rows), second(cols))


def solved(values, weight, start, smoothness):
    """Return the minimum of weighted misfit and bending by one dense factorisation."""
    laplacian = bending(*weight.shape)
    pull = np.maximum(weight.ravel().astype(float), float(smoothing._PRIOR))
    normal = np.diag(pull) + smoothness * laplacian.T @ laplacian
    right = (weight * (values - start)).reshape(2, -1).astype(float).T
    return start + np.linalg.solve(normal, right).T.reshape(values.shape)


def smoothest(values, floor):
    """Return the place, among those tried, of the largest smoothness that fits: dense, no holes."""
    whole, nothing = np.ones(values.shape[1:], np.float32), np.zeros_like(values)
    middle = [
        float(np.median(np.hypot(*(values - solved(values, whole, nothing, smoothness)))))
        for smoothness in smoothing._SMOOTHNESS
    ]
    limit = max(floor, smoothing._NOISE_RATIO * middle[0])
    return sum(missed <= limit for missed in middle) - 1


def chosen(values, floor=1e-3):
    """Return the place of the smoothness that is chosen for a lattice without holes."""
    whole, nothing = np.ones(values.shape[1:], np.float32), np.zeros_like(values)
    found = smooth_nodes(values, whole, nothing, floor=floor)
    return smoothing._SMOOTHNESS.index(found.smoothness)


@settings(max_examples=20)
@given(
    shape=st.tuples(st.integers(5, 18), st.integers(5, 18)),
    missing=st.sampled_from([0.0, 0.3, 0.6]),
    noise=st.sampled_from([0.01, 0.1]),
    smoothness=st.sampled_from([None, 0.05, 1.0, 7.0]),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_result_solves_the_normal_equations(shape, missing, noise, smoothness, seed):
    rng = np.random.default_rng(seed)
    start = np.broadcast_to(np.array([1.5, -0.5], np.float32)[:, None, None], (2, *shape)).copy()
    values = (bump(*shape) + rng.normal(0, noise, (2, *shape))).astype(np.float32)
    weight = (rng.random(shape) >= missing).astype(np.float32)
    found = smooth_nodes(values, weight, start, floor=NO_OUTLIERS, smoothness=smoothness)
    assert smoothness in (None, found.smoothness)
    true = solved(values, weight, start, found.smoothness)
    # The stiffer and the emptier, the further ten rounds are from the end.
    easy = missing < 0.5 and found.smoothness <= 1.0
    assert worst(found.values, true) < (5e-3 if easy else 4e-2)


def noisy(noise, seed):
    rng = np.random.default_rng(seed)
    return (bump(18, 18) + rng.normal(0, noise, (2, 18, 18))).astype(np.float32)


@pytest.mark.parametrize("noise", [0.001, 0.01, 0.03, 0.1, 0.3])
def test_the_smoothness_is_the_largest_that_fits(noise):
    """Weights by residual may move the choice by one place."""
    values = noisy(noise, 6)
    assert abs(chosen(values) - smoothest(values, 1e-3)) <= 1


def test_noisier_values_are_smoothed_more():
    picked = [chosen(noisy(noise, 3)) for noise in (0.001, 0.03, 0.3)]
    assert picked == sorted(picked)
    assert picked[0] < picked[-1]


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_smooth_field_is_recovered_from_noise_holes_and_outliers(seed):
    rng = np.random.default_rng(seed)
    truth = bump(60, 70)
    values = truth + rng.normal(0, 0.05, truth.shape).astype(np.float32)
    seen = rng.random((60, 70)) >= 0.3
    wrong = seen & (rng.random((60, 70)) < 0.1)
    values[:, wrong] += rng.uniform(0.8, 3.0, (2, int(wrong.sum()))) * rng.choice([-1, 1])
    values[:, ~seen] = 99.0
    start = np.broadcast_to(truth.mean(axis=(1, 2), keepdims=True), truth.shape)
    start = np.ascontiguousarray(start, np.float32)
    found = smooth_nodes(values, seen.astype(np.float32), start, floor=0.01)
    inner = np.s_[:, 2:-2, 2:-2]
    # The noise alone is 0.07 m in the plane.
    assert rms(found.values[inner], truth[inner]) < 0.045
    assert worst(found.values[inner], truth[inner]) < 0.3
    assert not found.weight[~seen].any()
    assert not found.weight[wrong].any()
    # Where little is smoothed, weights by residual take some of the normal noise for wrong too.
    assert (found.weight[seen & ~wrong] > 0.2).mean() > 0.6
    assert found.weight.max() <= 1


def test_outliers_that_were_taken_in_would_show():
    """The counterpart: without weights by residual the same data are far off."""
    rng = np.random.default_rng(1)
    truth = bump(40, 40)
    values = truth.copy()
    wrong = rng.random((40, 40)) < 0.1
    values[:, wrong] += 2.0
    whole, start = np.ones((40, 40), np.float32), np.zeros_like(values)
    taken = smooth_nodes(values, whole, start, floor=NO_OUTLIERS).values
    told = smooth_nodes(values, whole, start, floor=0.01).values
    assert rms(taken, truth) > 5 * rms(told, truth)


def test_a_large_hole_goes_back_to_the_start():
    truth = bump(40, 160)
    start = np.zeros_like(truth)
    start[0], start[1] = 0.5, 0.25
    weight = np.zeros((40, 160), np.float32)
    weight[:, :60] = 1
    found = smooth_nodes(truth, weight, start, floor=0.01, smoothness=0.1).values
    assert worst(found[:, :, :45], truth[:, :, :45]) < 0.06
    assert worst(found[:, :, 120:], start[:, :, 120:]) < 0.02 * worst(truth, start)


def test_a_small_hole_is_bridged():
    truth = bump(40, 60)
    weight = np.ones((40, 60), np.float32)
    weight[18:22, 28:32] = 0
    values = np.where(weight > 0, truth, -7).astype(np.float32)
    found = smooth_nodes(values, weight, np.zeros_like(truth), floor=0.01, smoothness=0.1).values
    assert worst(found[:, 18:22, 28:32], truth[:, 18:22, 28:32]) < 0.03


def test_nothing_seen_leaves_the_start():
    start = bump(9, 12)
    found = smooth_nodes(np.full_like(start, 5), np.zeros((9, 12), np.float32), start, floor=0.01)
    np.testing.assert_array_equal(found.values, start)
    assert not found.weight.any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 20), (20, 1), (2, 2)])
def test_narrow_lattices_are_smoothed_too(shape):
    values = np.full((2, *shape), 3.0, np.float32)
    found = smooth_nodes(values, np.ones(shape, np.float32), np.zeros_like(values), floor=0.01)
    np.testing.assert_allclose(found.values, values, atol=5e-3)


def example(seed=4):
    rng = np.random.default_rng(seed)
    values = (bump(30, 34) + rng.normal(0, 0.05, (2, 30, 34))).astype(np.float32)
    values[:, rng.random((30, 34)) < 0.05] += 2
    weight = (rng.random((30, 34)) >= 0.3).astype(np.float32)
    return values, weight, np.zeros_like(values)


TURNED_OVER = {
    "left for right": lambda a: a[..., ::-1],
    "top for bottom": lambda a: a[..., ::-1, :],
    "rows for columns": lambda a: np.swapaxes(a, -1, -2),
}


@pytest.mark.parametrize("name", TURNED_OVER)
def test_no_direction_is_preferred(name):
    turn = TURNED_OVER[name]
    values, weight, start = example()
    plain = smooth_nodes(values, weight, start, floor=0.01).values
    over = smooth_nodes(turn(values), turn(weight), turn(start), floor=0.01).values
    np.testing.assert_allclose(over, turn(plain), atol=5e-3)


def test_both_components_count_alike():
    values, weight, start = example()
    plain = smooth_nodes(values, weight, start, floor=0.01)
    swapped = smooth_nodes(values[::-1], weight, start, floor=0.01)
    np.testing.assert_allclose(swapped.values, plain.values[::-1], atol=1e-3)
    np.testing.assert_allclose(swapped.weight, plain.weight, atol=1e-2)


def test_what_is_added_everywhere_comes_out_added():
    values, weight, start = example()
    plain = smooth_nodes(values, weight, start, floor=0.01).values
    more = smooth_nodes(values + 5, weight, start + 5, floor=0.01).values
    np.testing.assert_allclose(more, plain + 5, atol=1e-3)


def naive(values, seen, noise, spread):
    """Return which nodes agree, by a loop over nodes: the paper read aloud."""
    rows, cols = seen.shape
    good = np.zeros(seen.shape, bool)
    for row, col in np.ndindex(rows, cols):
        if not seen[row, col]:
            continue
        around = [
            (r, c)
            for r in range(max(0, row - 2), min(rows, row + 3))
            for c in range(max(0, col - 2), min(cols, col + 3))
            if seen[r, c] and (r, c) != (row, col)
        ]
        if len(around) < smoothing._LEAST_NEIGHBOURS:
            continue
        good[row, col] = True
        for component in values:
            near = np.array([component[place] for place in around])
            middle = np.float32(np.median(near))
            typical = np.float32(np.median(np.abs(near - middle)))
            off = abs(component[row, col] - middle)
            limit = smoothing._MEDIAN_LIMIT * (typical + noise)
            good[row, col] &= bool(off <= limit and typical <= spread)
    return good


@settings(max_examples=40)
@given(
    shape=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    share=st.sampled_from([0.2, 0.6, 1.0]),
    wrong=st.sampled_from([0.0, 0.2, 0.6]),
    seed=st.integers(0, 2**32 - 1),
)
def test_agreement_is_what_a_loop_over_nodes_finds(shape, share, wrong, seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 0.1, (2, *shape)).astype(np.float32)
    values[:, rng.random(shape) < wrong] += rng.choice([-2.0, 2.0])
    seen = rng.random(shape) < share
    found = agree_with_neighbours(values, seen, noise=0.05, spread=0.5)
    np.testing.assert_array_equal(found, naive(values, seen, 0.05, 0.5))


def test_values_that_contradict_their_neighbours_are_told():
    rng = np.random.default_rng(3)
    values = bump(30, 30) + rng.normal(0, 0.02, (2, 30, 30)).astype(np.float32)
    bad = rng.choice(900, 60, replace=False)
    values[0].reshape(-1)[bad] += 2.0
    agree = agree_with_neighbours(values, np.ones((30, 30), bool), noise=0.02, spread=0.2).ravel()
    assert not agree[bad].any()
    assert np.delete(agree, bad).mean() > 0.95


def test_a_lonely_value_is_not_believed():
    values, seen = np.zeros((2, 12, 12), np.float32), np.zeros((12, 12), bool)
    seen[2, 2] = seen[9, 9] = True
    assert not agree_with_neighbours(values, seen, noise=0.1, spread=1.0).any()


def test_where_neighbours_contradict_one_another_none_is_believed():
    values = np.random.default_rng(2).uniform(-9, 9, (2, 20, 20)).astype(np.float32)
    agree = agree_with_neighbours(values, np.ones((20, 20), bool), noise=0.1, spread=1.0)
    assert agree.mean() < 0.02


def test_what_is_not_seen_may_be_anything():
    values, seen = np.zeros((2, 10, 10), np.float32), np.ones((10, 10), bool)
    seen[::3, ::2] = False
    values[:, ~seen] = np.nan
    agree = agree_with_neighbours(values, seen, noise=0.1, spread=1.0)
    np.testing.assert_array_equal(agree, seen)
