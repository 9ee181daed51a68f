"""The benchmark of relations: are layers soiled, truths moved and answers counted as it says?"""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from shapely.affinity import translate

from benchmarks.judge import Case, frozen_cases, plan_of
from benchmarks.permit_load_files import Load, draw_outlines, write_layer
from benchmarks.relation_cases import (
    BROKEN,
    Question,
    changes_of,
    dirt_of,
    draw_of,
    fates_in_place,
    seen_by,
)
from benchmarks.relation_tables import Account, Judged, Placed, account_of, table_of, wrong_lines
from change.permits import open_permits
from survey.simulation import changes_between, scene_of, undo_displacement
from survey.simulation.permits.permit_fates import expected_reason
from survey.simulation.permits.soiled_permits import soil_permits
from survey.simulation.truth import tabulate_permits

CASE = Case(
    name="made", seed=1, setting="fringe", side_m=160.0, pixel_m=0.3, offset_m=6.0, pace=10.0
)


@pytest.fixture(scope="module")
def made():
    plan = plan_of(CASE)
    scene = scene_of(plan)
    return plan, scene, changes_between(scene, 0, CASE.after)


def soiled_by(made, distance_m):
    plan, scene, _known = made
    table = tabulate_permits(plan, scene)
    return soil_permits(table, dirt_of(CASE, distance_m), np.random.default_rng(5))


def test_no_scene_of_the_tuning_draw_is_frozen():
    frozen = {case.seed for case in frozen_cases("permits")}
    tuning = draw_of(judge=False)
    assert {case.seed for case in draw_of(judge=True)} == frozen
    assert not frozen & {case.seed for case in tuning}
    assert [(case.setting, case.pixel_m, case.pace) for case in tuning] == [
        (case.setting, case.pixel_m, case.pace) for case in frozen_cases("permits")
    ]


def test_a_layer_is_off_by_the_distance_in_one_direction_and_otherwise_only_broken():
    near, far = dirt_of(CASE, 1.0), dirt_of(CASE, 3.0)
    assert np.hypot(far.place.east_m, far.place.north_m) == pytest.approx(3.0)
    assert far.place.east_m == pytest.approx(3.0 * near.place.east_m)
    shares = far.outlines.shares()
    assert sum(shares.values()) == pytest.approx(0.05)
    assert {kind for kind, share in shares.items() if share} == set(BROKEN)
    assert (far.rows, far.cells, far.file) == (type(far.rows)(), type(far.cells)(), near.file)
    assert replace(far.place, east_m=0.0, north_m=0.0) == type(far.place)()


def test_the_same_rows_are_broken_at_every_distance(made):
    deeds = [
        [(deed.row, deed.kind) for deed in soiled_by(made, distance).deeds if deed.row]
        for distance in (0.0, 3.0)
    ]
    assert deeds[0] == deeds[1]
    assert deeds[0]


def test_what_the_whole_layer_is_off_excuses_nobody(made):
    plan, _scene, known = made
    soiled = soiled_by(made, 3.0)
    fates = fates_in_place(soiled)
    assert max(fate.moved_m for fate in fates) < 1e-6
    assert min(fate.moved_m for fate in soiled.fates) == pytest.approx(3.0)
    broken = {deed.number for deed in soiled.deeds if deed.row}

    def expected(change, of):
        place = translate(change.outline, plan.west_m, plan.south_m)
        return expected_reason(change, place, of, flown_before=plan.dates[0], tolerance_m=0.7)

    sound = [change for change in known if change.permit_number not in broken]
    answered = [change for change in sound if expected(change, fates) is not None]
    assert len(answered) > 0.9 * len(sound) > 10
    assert all(expected(change, fates) == change.reason for change in answered)
    own = [change for change in sound if change.permit_number]
    assert all(expected(change, soiled.fates) is None for change in own)


def test_true_outlines_come_to_lie_where_the_earlier_flight_shows_them(made):
    plan, scene, _known = made
    true = tabulate_permits(plan, scene).geometry.iloc[0]
    there = seen_by(plan, true)
    x, y = there.centroid.x, there.centroid.y
    back = undo_displacement(plan.flights[0], np.array([x]), np.array([y]))
    assert np.hypot(back[0][0] - true.centroid.x, back[1][0] - true.centroid.y) < 0.02
    assert np.hypot(x - true.centroid.x, y - true.centroid.y) > 0.05


def test_detection_is_played_with_one_change_for_each_part_that_is_large_enough(made):
    plan, _scene, known = made
    change = next(item for item in known if item.height_gain_m > 0)
    parts = [shapely.box(10, 10, 13, 20), shapely.box(30, 10, 40, 20), shapely.box(50, 10, 52, 11)]
    several = replace(change, outline=shapely.MultiPolygon(parts))
    told = changes_of(plan, several, Question())
    assert [round(item.area_m2) for item in told] == [100, 30]
    assert {item.height_gain_m for item in told} == {change.height_gain_m}
    blind = changes_of(plan, several, Question(heights=False))
    assert {item.height_gain_m for item in blind} == {None}
    assert not changes_of(plan, replace(change, outline=parts[2]), Question())


def judged(expected, said, *, distance_m=0.0, **changed):
    values = {
        "case": "made", "setting": "town", "distance_m": distance_m, "structure": 1,
        "kind": "building", "area_m2": 50.0, "true": expected or "as_permitted",
        "expected": expected, "said": said,
        "suspicious": said not in ("as_permitted", "removed_permitted"), "cover": 1.0,
        "excess_m2": 0.0, "excess_m": None, "true_excess_m2": 0.0, "true_excess_height_m": 0.0,
        "tolerance_m": 0.7, "error_m": 0.1,
    }  # fmt: skip
    return Judged(**(values | changed))


def test_answers_are_counted_by_distance_and_open_ones_are_not():
    rows = [
        judged("as_permitted", "as_permitted"),
        judged("as_permitted", "exceeds_permit"),
        judged("no_permit", "no_permit"),
        judged("removed_permitted", "removed_permitted", kind="removed"),
        judged(None, "no_permit"),
        judged("no_permit", "beside_permit", distance_m=3.0),
    ]
    placed = [
        Placed(case="made", distance_m=0.0, found=True, errors_m=(0.1, 0.3)),
        Placed(case="made", distance_m=3.0, found=False, errors_m=(3.0,)),
    ]
    parts = [Account(judged=(row,), placed=(), small=1) for row in rows] + [
        Account(judged=(), placed=tuple(placed), small=0)
    ]
    account = account_of(parts)
    near, far = account.figures()["distances"]
    assert account.figures()["too_small"] == 6
    assert (near["counted"], near["right"], near["open"]) == (4, 3, 1)
    assert (near["built"], near["built_right"]) == (3, 2)
    assert (near["permitted"], near["flagged_falsely"], near["false_share"]) == (2, 1, 0.5)
    assert near["confusion"]["as_permitted"] == {"as_permitted": 1, "exceeds_permit": 1}
    assert (far["counted"], far["right"], far["false_share"]) == (1, 0, None)
    assert (near["layers_moved"], far["layers_moved"]) == (1, 0)
    assert "75.0%" in table_of(account)
    wrong = "\n".join(wrong_lines(account))
    assert "no_permit -> beside_permit" in wrong
    assert "not moved, worst 3.00 m" in wrong
    assert wrong.count("->") == 2


def test_the_layer_of_the_load_is_sound_but_for_its_broken_rows(tmp_path):
    load = Load(permits=900, changes=10, side_m=100.0)
    outlines = draw_outlines(load)
    assert shapely.is_valid(outlines).all()
    nearest = [
        shapely.distance(outlines[i], np.delete(outlines[:200], i)).min() for i in range(0, 200, 20)
    ]
    assert min(nearest) > 0
    write_layer(tmp_path / "permits.gpkg", load, outlines)
    read = open_permits(tmp_path / "permits.gpkg")
    assert read.rows == 900
    flawed = {flaw.row for flaw in read.bad_rows}
    assert 0.02 * 900 < len(flawed) < 0.06 * 900
    named = dict(read.columns)
    assert {"number", "granted", "valid_until", "storeys", "height_m", "use"} <= set(named)
    assert named["number"] == "建设工程规划许可证号"
    assert all(permit.storeys and permit.granted for permit in read.permits)
