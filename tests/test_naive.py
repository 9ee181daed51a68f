"""The naive detectors and their scores, against masks drawn by hand."""

import numpy as np
import pytest
from shapely import box, unary_union

from benchmarks.judge import SETS, Case, frozen_cases, plan_of
from benchmarks.judged_pairs import PairOfFlights, fotbcd_pairs, judged_pair, measure
from benchmarks.naive import (
    Counts,
    ObjectRule,
    at_share,
    best_scores,
    colour_difference,
    components,
    count_objects,
    count_pixels,
    height_difference,
    label_objects,
)
from survey.simulation import SETTINGS, changes_between, scene_of

RULE = ObjectRule()


def drawn(*boxes: tuple[int, int, int, int], side: int = 60) -> np.ndarray:
    """Return a mask of (row, col, height, width) boxes."""
    mask = np.zeros((side, side), bool)
    for row, col, height, width in boxes:
        mask[row : row + height, col : col + width] = True
    return mask


def labelled(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    return label_objects(drawn(*boxes))


def test_f1_of_known_counts():
    assert Counts(hits=3, false=1, missed=2).f1 == pytest.approx(6 / 9)
    assert Counts().f1 == 0
    total = sum([Counts(hits=1, false=2), Counts(missed=3)], start=Counts())
    assert total == Counts(hits=1, false=2, missed=3)


def test_pixels_of_known_masks():
    said, true = drawn((0, 0, 10, 10)), drawn((0, 5, 10, 10))
    assert count_pixels(said, true) == Counts(hits=50, false=50, missed=50)


def test_colour_difference_of_black_and_white():
    black, white = np.zeros((3, 4, 4), np.uint8), np.full((3, 4, 4), 255, np.uint8)
    assert colour_difference(black, white) == pytest.approx(100, abs=0.1)
    assert (colour_difference(black, white, seen=np.zeros((4, 4), bool)) == 0).all()


def test_matching_takes_a_change_of_exposure_off():
    rng = np.random.default_rng(0)
    before = rng.integers(60, 120, (3, 40, 40)).astype(np.uint8)
    after = (before * 1.5).astype(np.uint8)
    plain, matched = (colour_difference(before, after, matched=m).mean() for m in (False, True))
    assert plain > 12
    assert matched < 2


def test_height_difference_passes_over_holes():
    one, other = np.array([[1.0, np.nan]], np.float32), np.array([[4.0, 2.0]], np.float32)
    assert height_difference(one, other).tolist() == [[3.0, 0.0]]


def test_small_components_are_dropped():
    difference = drawn((0, 0, 2, 2), (10, 10, 5, 5)).astype(np.float32)
    labels, count = components(difference, 0.5, min_px=8)
    assert count == 1
    assert (labels == drawn((10, 10, 5, 5))).all()


@pytest.mark.parametrize(
    ("said", "true", "expected"),
    [
        ([(0, 0, 10, 10)], [(0, 0, 10, 10)], Counts(hits=1)),
        ([(0, 0, 10, 10)], [(30, 30, 10, 10)], Counts(false=1, missed=1)),
        # Shifted by 6 of 10: 40 shared of 160, exactly a quarter.
        ([(0, 0, 10, 10)], [(0, 6, 10, 10)], Counts(hits=1)),
        # Shifted by 7: too little to be found, but on a true change: no false alarm.
        ([(0, 0, 10, 10)], [(0, 7, 10, 10)], Counts(missed=1)),
        # A blot over everything finds nothing, and is false.
        ([(0, 0, 60, 60)], [(0, 0, 10, 10), (30, 30, 9, 9)], Counts(false=1, missed=2)),
        # Too small to be asked for: neither hit nor miss, nor false where it is reported.
        ([(0, 0, 3, 3)], [(0, 0, 2, 2)], Counts()),
        ([], [], Counts()),
    ],
)
def test_objects_of_known_boxes(said, true, expected):
    assert count_objects(labelled(*said), labelled(*true), 1.0, RULE) == expected


def test_two_pieces_of_one_structure_find_it_once():
    said = labelled((0, 0, 10, 4), (0, 6, 10, 4))
    assert count_objects(said, labelled((0, 0, 10, 10)), 1.0, RULE) == Counts(hits=1)


def test_the_best_threshold_is_found():
    true = drawn((5, 5, 10, 10))
    difference = np.where(true, 30.0, 0.0).astype(np.float32) + 12 * drawn((40, 40, 10, 10))
    scores = {
        one.score: one
        for one in best_scores([(difference, label_objects(true), 1.0)], [5.0, 20.0, 40.0])
    }
    assert {name: one.threshold for name, one in scores.items()} == dict.fromkeys(scores, 20.0)
    assert all(one.counts.f1 == 1 for one in scores.values())


def test_f1_at_another_share():
    # 20 changed of 100; at half of all, the 80 others weigh a quarter.
    counts = Counts(hits=20, false=40, missed=0)
    assert at_share(counts, 100, 0.5) == Counts(hits=20, false=10, missed=0)


def test_a_judged_pair_lies_where_the_truth_says():
    case = Case(
        name="try",
        seed=5,
        setting="urban_village",
        side_m=60.0,
        pixel_m=0.25,
        offset_m=6.0,
        pace=9.0,
    )
    plan = plan_of(case)
    changes = changes_between(scene_of(plan), 0, case.after)
    assert changes
    pair = judged_pair(case)
    assert pair.truth.max() == len(changes)
    here = box(0, 0, 60, 60)
    area_m2 = unary_union([change.outline.intersection(here) for change in changes]).area
    assert (pair.truth > 0).sum() * 0.25**2 == pytest.approx(area_m2, rel=0.1)
    # Whatever the flights' offsets, heights differ there and nearly nowhere else.
    difference = np.abs(pair.heights[1] - pair.heights[0])
    difference -= np.nanmedian(difference)
    changed = pair.heights_truth > 0
    assert np.nanmean(difference[changed] > 1.5) > 3 * np.nanmean(difference[~changed] > 1.5)
    assert pair.seen.mean() > 0.6


def test_frozen_cases_are_many_and_differ():
    counts = {name: len(frozen_cases(name)) for name in SETS}
    assert counts == {
        "detection": 30, "surfaces": 20, "nothing": 1, "alignment": 40, "permits": 20,
        "nothing_wide": 1,
    }  # fmt: skip
    seeds = [case.seed for name in SETS for case in frozen_cases(name)]
    assert len(set(seeds)) == len(seeds)
    assert {case.setting for case in frozen_cases("detection")} == set(SETTINGS)
    areas_km2 = [frozen_cases(name)[0].side_m ** 2 / 1e6 for name in ("nothing", "nothing_wide")]
    assert areas_km2 == pytest.approx([4.0, 20.0], rel=1e-3)
    assert all(frozen_cases(name)[0].pace == 0 for name in ("nothing", "nothing_wide"))


def test_detectors_without_heights_are_not_asked():
    before = np.full((3, 60, 60), 100, np.uint8)
    after, true = before.copy(), drawn((10, 10, 20, 20))
    after[:, true] = 200
    pair = PairOfFlights(
        colours=(before, after),
        seen=np.ones((60, 60), bool),
        truth=label_objects(true),
        pixel_m=0.5,
    )
    told = measure([pair])
    assert set(told) == {"colour", "colour_matched"}
    assert [one.counts.f1 for one in told["colour"]] == [1, 1, 1]


@pytest.mark.real
def test_fotbcd_is_hard_for_naive_detectors(real_data):
    pairs = list(fotbcd_pairs(real_data))
    assert len(pairs) == 7
    pixels = {one.score: one.counts.f1 for one in measure(pairs)["colour"]}
    assert pixels["pixels"] == pytest.approx(0.23, abs=0.01)
