"""Scores brought to how many candidates are right here."""

import numpy as np
import pytest
from shapely import box

from change.looks import Measured
from change.prevalence import LEARNT, USUAL, adjusted, share_right, weighed_by_share


def scored(share, count, seed=0):
    """Draw candidates of which a share is right, and calibrated scores for the usual share."""
    rng = np.random.default_rng(seed)
    right = rng.random(count) < share
    # Two normal distributions a distance apart have the logistic of a line as posterior.
    seen = rng.normal(np.where(right, 1.0, -1.0), 1.0)
    points = 2.0 * seen + np.log(LEARNT / (1 - LEARNT))
    return right, 1 / (1 + np.exp(-points))


@pytest.mark.parametrize("share", [0.15, 0.3, 0.45, 0.58])
def test_the_share_is_found_from_calibrated_scores(share):
    right, scores = scored(share, 4000)
    assert share_right(scores) == pytest.approx(right.mean(), abs=0.03)


def test_adjusted_scores_are_calibrated_where_little_changed():
    right, scores = scored(0.15, 6000)
    share = share_right(scores)
    told = np.array([adjusted(score, share) for score in scores])
    for low, high in ((0.0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1.0)):
        some = (told >= low) & (told < high)
        assert told[some].mean() == pytest.approx(right[some].mean(), abs=0.06)


def test_few_candidates_change_little():
    assert share_right([]) == pytest.approx(USUAL)
    assert share_right([0.02]) == pytest.approx(USUAL, abs=0.05)


def test_no_share_is_believed_beyond_what_scores_can_tell():
    assert share_right([0.01] * 5000) == 0.05
    assert share_right([0.99] * 5000) == 0.75


def test_the_order_of_scores_stays():
    scores = np.linspace(0, 1, 21)
    for share in (0.05, 0.45, 0.75):
        told = [adjusted(score, share) for score in scores]
        assert told == sorted(told)
        assert told[0] == 0
        assert told[-1] == 1
    assert [adjusted(score, LEARNT) for score in scores] == pytest.approx(list(scores))


def item(score, gain, area_m2=25.0):
    return Measured(
        outline=box(0, 0, 5, area_m2 / 5),
        kind="building",
        height_gain_m=gain,
        score=score,
        tolerance_m=0.2,
        evidence=(("likely", 0.7),),
    )


def test_what_heights_judged_is_left_alone():
    items = [item(0.3, None) for _number in range(200)] + [item(0.7, 3.0)]
    told, share = weighed_by_share(items, 10.0)
    assert told[-1] == items[-1]
    assert told[0].score < 0.3
    assert dict(told[0].evidence)["score_alone"] == 0.3
    assert share < USUAL
    assert weighed_by_share([item(0.7, 3.0)], 10.0) == ([item(0.7, 3.0)], None)


def test_what_is_too_small_to_be_reported_tells_nothing_of_the_place():
    small = [item(0.02, None, 5.0) for _number in range(500)]
    large = [item(0.5, None)]
    (_told, share), (_alone, without) = (
        weighed_by_share(items, 10.0) for items in ([*small, *large], large)
    )
    assert share == without


def test_displaced_roofs_tell_nothing_of_the_others_and_are_worth_less():
    others = [item(0.9, None) for _ in range(20)]
    roofs = [
        Measured(**{name: getattr(one, name) for name in ("outline", "kind", "height_gain_m")},
                 score=0.3, tolerance_m=0.2, evidence=(("like_displaced", 0.9),))
        for one in others
    ]  # fmt: skip
    alone, share_alone = weighed_by_share(others, 10.0)
    both, share = weighed_by_share([*others, *roofs], 10.0)
    assert share == pytest.approx(share_alone, abs=0.02)
    assert both[0].score == pytest.approx(alone[0].score, abs=0.02)
    assert both[-1].score == pytest.approx(0.1 * adjusted(0.3, share))
