"""Roofs that the other picture shows elsewhere."""

import cv2
import numpy as np
import pytest
import xarray as xr
from affine import Affine
from shapely import box

from change.displaced import (
    DISPLACED_M,
    displaced_clues,
    displaced_share,
    told_from_displaced,
    worth_a_search,
)
from change.looks import Look, Measured
from survey.light import match_light, to_lab

PIXEL, SIDE = 0.4, 140


def textured(seed, rows, cols, level=128.0):
    noise = np.random.default_rng(seed).normal(0, 30, (rows, cols, 3))
    return np.clip(level + cv2.GaussianBlur(noise, (0, 0), 1.2) * 2, 0, 255)


def pictured(*roofs, side=SIDE):
    """Draw ground with roofs on it: (row, col, seed) of each, 20 x 25 pixels, 80 m2."""
    ground = textured(0, side, side, 90.0)
    for row, col, seed in roofs:
        ground[row : row + 20, col : col + 25] = textured(seed, 20, 25, 160.0)
    return np.ascontiguousarray(np.moveaxis(ground.astype(np.uint8), -1, 0))


def looked_at(before, after, row, col, *, gained):
    """Return a candidate where a roof of 20 x 25 pixels lies, and the light of both pictures."""
    seen = np.ones(before.shape[1:], bool)
    nothing = seen.astype(np.float32) * 0
    window = xr.Dataset(
        {
            "before": (("band", "y", "x"), before),
            "after": (("band", "y", "x"), after),
            "appeared": (("y", "x"), nothing),
            "gone": (("y", "x"), nothing),
            "seen_before": (("y", "x"), seen),
            "seen_after": (("y", "x"), seen),
        }
    )
    left, top = col * PIXEL, -row * PIXEL
    look = Look(
        window=window,
        transform=Affine(PIXEL, 0, 0, 0, -PIXEL, 0),
        outline=box(left, top - 20 * PIXEL, left + 25 * PIXEL, top),
        gained=gained,
        roofs=(),
    )
    labs = [to_lab(picture).reshape(3, -1) for picture in (before, after)]
    return look, match_light(*labs)


def clues(before, after, *, row=50, col=50, gained=True):
    """Return the clues of a candidate where a roof of 20 x 25 pixels lies."""
    return displaced_clues(*looked_at(before, after, row, col, gained=gained))


@pytest.mark.parametrize("gained", [True, False])
def test_a_roof_seen_from_another_side_is_found_where_the_other_picture_shows_it(gained):
    here, there = pictured((50, 50, 1)), pictured((60, 38, 1))
    before, after = (there, here) if gained else (here, there)
    found = clues(before, after, gained=gained)
    assert found["moved_alike"] > 0.9
    assert found["moved_alone"] > 0.3
    assert found["moved_here"] < 0.4
    assert found["moved_still"] < 0.4
    assert found["moved_m"] == pytest.approx(np.hypot(10, 12) * PIXEL)
    assert found["moved_m2"] == pytest.approx(80.0)


def test_a_roof_like_that_of_a_house_which_stays_is_not_taken_for_it():
    before, after = pictured((50, 20, 1)), pictured((50, 20, 1), (50, 50, 1))
    found = clues(before, after)
    assert found["moved_alike"] > 0.9
    assert found["moved_still"] > 0.9


def test_a_new_roof_is_not_found_elsewhere():
    found = clues(pictured(), pictured((50, 50, 1)))
    assert found["moved_alike"] < 0.5


def test_nothing_is_looked_for_beyond_the_reach():
    far = round(DISPLACED_M / PIXEL) + 4
    found = clues(pictured((50, 50 + far, 1)), pictured((50, 50, 1)))
    assert found["moved_alike"] < 0.5


def test_a_candidate_beyond_the_window_tells_nothing():
    assert clues(pictured(), pictured(), row=SIDE + 5) == {}


def test_a_plain_window_tells_of_nothing_elsewhere():
    plain = np.full((3, SIDE, SIDE), 100, np.uint8)
    found = clues(plain, plain)
    assert all(np.isfinite(list(found.values())))


def candidate(score=0.9, height=None, **numbers):
    return Measured(
        outline=box(0, 0, 8, 8),
        kind="building",
        height_gain_m=height,
        score=score,
        tolerance_m=0.2,
        evidence=tuple(sorted(numbers.items())),
    )


FOUND = {
    "moved_alike": 0.8, "moved_alone": 0.4, "moved_m": 5.0, "moved_here": 0.0,
    "moved_still": 0.0, "moved_from": 0.6, "moved_m2": 60.0, "roof_other": 0.5,
}  # fmt: skip
NOT_FOUND = FOUND | {
    "moved_alike": 0.25, "moved_alone": 0.02, "moved_m": 12.0, "moved_here": 0.2,
    "moved_still": 0.6, "moved_from": 0.0, "roof_other": 0.05,
}  # fmt: skip


def displaced(item):
    return dict(item.evidence)["like_displaced"]


def test_what_was_not_looked_for_stays_as_it_is():
    items = [candidate(0.9, 3.0), candidate(0.1)]
    assert not any(worth_a_search(item) for item in items)
    assert told_from_displaced(items) == (items, None)


def test_where_many_roofs_are_displaced_each_is_believed_sooner():
    doubtful = candidate(**FOUND | {"moved_alike": 0.5, "moved_alone": 0.1})
    (alone, *_others), few = told_from_displaced([doubtful, *[candidate(**NOT_FOUND)] * 20])
    (among, *_others), many = told_from_displaced([doubtful, *[candidate(**FOUND)] * 20])
    assert few < many
    assert displaced(among) > displaced(alone)


def test_roofs_that_are_found_elsewhere_are_told():
    items, _share = told_from_displaced([candidate(**FOUND)] * 20)
    assert all(displaced(item) > 0.8 for item in items)


def test_a_candidate_that_is_not_found_elsewhere_is_not():
    (told,), _share = told_from_displaced([candidate(**NOT_FOUND)])
    assert worth_a_search(told)
    assert displaced(told) < 0.01


def test_the_share_lies_between_few_and_nearly_all():
    assert displaced_share([]) == pytest.approx(0.01)
    assert displaced_share([1e-6] * 1000) < 0.001
    assert displaced_share([1 - 1e-6] * 1000) == 0.6
