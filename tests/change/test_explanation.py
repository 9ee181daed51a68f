"""Explanation: every reason and every doubt has its sentence, in every language."""

import re
from dataclasses import replace

import pytest
from shapely import box

from change.changes import KINDS
from change.explanation import KIND_WORDS, POINT_WORDS, REASON_WORDS, explain, explained
from change.protected import OnProtected
from change.suspicion import (
    FURTHER,
    NOT_JUDGED,
    REASONS,
    Circumstances,
    NearPermit,
    Suspect,
    compare,
)
from survey.settings import Settings
from survey.words import current_language
from tests.change.test_suspicion import HOUSE, LATE, judge, permitted
from tests.strategies import make_change

PLAIN = Suspect(change=make_change(HOUSE), reason="no_permit", excess_m2=100.0)


def text(item):
    return " ".join(explain(item))


def test_every_slug_has_words():
    assert set(REASON_WORDS) == set(REASONS)
    assert set(KIND_WORDS) == set(KINDS)
    for reason in REASONS:
        assert explain(replace(PLAIN, reason=reason))
    said = {slug: explain(replace(PLAIN, reasons=(slug,))) for slug in FURTHER}
    said |= {slug: explain(replace(PLAIN, not_judged=(slug,))) for slug in NOT_JUDGED}
    assert len(set(said.values())) == len(said)
    ranked = judge(make_change(HOUSE), protected=[(ground(),)])
    assert {name for name, _points in ranked.points} == set(POINT_WORDS)


def ground(**values):
    told = {"name": "farmland", "label": "F-12", "share": 0.4, "area_m2": 40.0, "points": 20.0}
    return OnProtected(**(told | values))


def test_without_a_permit_the_nearest_is_named():
    assert "There is none within 50 m" in text(judge(make_change(HOUSE)))
    near = judge(make_change(HOUSE), permitted(box(14, 0, 24, 10), number="粤建 7"))
    assert "粤建 7, is drawn 4.0 m away" in text(near)


def test_an_excess_tells_its_reach_and_its_area():
    said = text(judge(make_change(box(0, 0, 13, 10)), permitted(number="7")))
    assert "3.0 m and 30 m² beyond Permit 7; with the tolerance, 85% is covered" in said


def test_height_alone_is_no_reach():
    said = text(judge(make_change(HOUSE, height_gain_m=12.0), permitted(height_m=6.0)))
    assert "Permit A covers the ground it stands on. It stands 6.0 m higher than permitted" in said
    assert "storeys: 3 to 4" in said


def test_what_is_on_top_is_told_as_such():
    said = text(judge(make_change(HOUSE, "storey"), permitted()))
    assert "on top of what Permit A is for" in said


def test_beside_tells_how_far():
    found = judge(make_change(box(14, 0, 24, 10)), permitted(), built={1: False})
    assert "4.0 m beside Permit A" in text(found)


def test_protected_ground_is_named_as_the_user_named_it():
    assert "40% of it stands on protected ground: farmland (F-12)" in text(
        replace(PLAIN, protected=(ground(),))
    )
    assert "ground: 机场净空." in text(
        replace(PLAIN, protected=(ground(name="机场净空", label=""),))
    )


def test_what_the_pictures_show_is_told_for_and_against():
    numbers = (("like_shadow", 0.6), ("like_water", 0.1), ("likely", 0.8))
    seen = make_change(HOUSE, evidence=(*numbers, ("roof", 0.9), ("roof_other", 0.05)))
    said = text(judge(seen))
    assert "a structure appeared here with 80%" in said
    assert "A roof is seen with 5% before and 90% after" in said
    assert "Against it: it looks like a shadow (60%)" in said
    assert "water" not in said
    gone = replace(seen, kind="removed")
    assert "A roof is seen with 90% before and 5% after" in text(judge(gone))
    high = make_change(HOUSE, evidence=(("seen_as_roof", 0.7), ("seen_as_roof_other", 0.1)))
    assert "A roof is seen with 10% before and 70% after" in text(judge(high))


def test_ground_that_trees_hid_is_told():
    for share, told in ((0.4, True), (0.05, False)):
        said = text(judge(make_change(HOUSE, evidence=(("below_crowns", share),))))
        assert ("40% of it lies where a tree hid the ground" in said) == told


@pytest.mark.parametrize(
    ("casts", "told"),
    [
        (0.6, "It is darker where its shadow would fall"),
        (-0.2, "Against it: where its shadow would fall it is no darker"),
        (0.1, None),
        (None, None),
    ],
)
def test_what_is_seen_of_its_shadow_is_told(casts, told):
    evidence = () if casts is None else (("casts", casts),)
    said = text(judge(make_change(HOUSE, evidence=evidence)))
    assert ("shadow would fall" in said) == (told is not None)
    assert told is None or told in said


def test_how_sure_it_is_is_told_beside_what_the_pictures_alone_say():
    seen = make_change(HOUSE, score=0.51, evidence=(("likely", 0.32),))
    assert "a real change with a probability of 51%. The pictures alone say" in text(judge(seen))
    gone = text(judge(replace(seen, kind="removed")))
    assert "that a structure went here with 32%" in gone


def test_of_one_flight_nothing_is_said_to_have_appeared():
    seen = make_change(HOUSE, origin="stock", score=0.7, evidence=(("likely", 0.8),))
    for language, said in explained(judge(seen)).items():
        assert not re.search("appeared|出现|real change|变化", said), language
    assert "stands here with a probability of 70%. The picture alone" in text(judge(seen))


def test_a_permit_without_a_number_is_named_within_a_sentence_too():
    said = text(judge(make_change(box(0, 0, 13, 10)), permitted(number="")))
    assert "beyond a permit without a number" in said
    whole = text(judge(make_change(HOUSE), permitted(number="")))
    assert "A permit without a number covers it." in whole


def test_severity_is_told_by_its_points():
    found = judge(make_change(HOUSE))
    assert f"Severity {found.severity:.0f} of 100: relation to the permit 35" in text(found)
    assert "Severity" not in text(judge(make_change(HOUSE), permitted()))


def test_both_languages_come_out_whatever_the_users_is():
    found = judge(make_change(HOUSE), permitted(granted=LATE))
    before = current_language()
    told = explained(found)
    assert current_language() == before
    assert told["en"] == text(found)
    assert "许可" in told["zh_CN"]
    assert "Permit" not in told["zh_CN"]


@pytest.mark.parametrize("reason", REASONS)
def test_no_sentence_is_left_in_english(reason):
    """Slugs, numbers and names aside."""
    full = replace(
        PLAIN,
        reason=reason,
        reasons=FURTHER,
        not_judged=NOT_JUDGED,
        permit_number="7",
        permit_tolerance_m=0.7,
        excess_m=2.0,
        excess_height_m=3.0,
        storeys_gained=(2, 3),
        nearest=(NearPermit(number="7", distance_m=1.0, cover=0.2),),
        protected=(ground(label=""),),
        points=judge(make_change(HOUSE), protected=[(ground(),)]).points,
    )
    told = explained(full)["zh_CN"]
    assert re.findall("[a-z]{2,}", told) == []


def test_what_was_not_compared_says_so():
    (found,) = compare([make_change(HOUSE)], None, Settings(), Circumstances())
    assert "not compared" in text(found)
