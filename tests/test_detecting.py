"""The benchmark of detection: are finds matched, scores weighed and truths moved as it says?"""

import json

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import CRS
from shapely.affinity import translate
from shapely.geometry import box

from benchmarks.detecting import ROWS, main
from benchmarks.detecting_counts import (
    Bin,
    Count,
    Find,
    FoundObject,
    TrueObject,
    Truth,
    calibration_bins,
    calibration_error,
    match,
    outline_errors,
    precision,
    recall,
)
from benchmarks.detecting_kampala import layer_without
from benchmarks.detecting_line import Flown, PairTruth, Ran, entry_of, moved_to, run
from benchmarks.detecting_report import page_of, screen_of
from benchmarks.detecting_scenes import draw_of, shown_in, truth_of
from benchmarks.detecting_stock import covered
from benchmarks.detecting_tables import figures_of
from benchmarks.judge import Case, frozen_cases, plan_of
from survey.simulation import changes_between, scene_of, undo_displacement
from tests.samples import ortho

CASE = Case(
    name="made", seed=1, setting="fringe", side_m=160.0, pixel_m=0.3, offset_m=6.0, pace=10.0
)
SQUARE = box(0, 0, 10, 10)


def truth(outline=SQUARE, *, kind="building", gained=True):
    return Truth(outline=outline, kind=kind, gained=gained)


def find(outline=SQUARE, *, score=0.9, gained=True, raw_m2=None):
    return Find(
        outline=outline,
        raw_m2=outline.area if raw_m2 is None else raw_m2,
        kind="building" if gained else "removed",
        gained=gained,
        score=score,
    )


def one(truths, finds, **options):
    (told, *_), found = match(truths, finds, least_score=0.5, **options)
    return told, found


@pytest.mark.parametrize(("width", "hit"), [(2.9, 0), (3.0, 1), (10.0, 1)])
def test_a_change_is_found_where_thirty_percent_of_it_is_covered(width, hit):
    told, _found = one([truth()], [find(box(0, 0, width, 10))])
    assert told.covered == pytest.approx(width / 10)
    assert recall([told], least_m2=10) == Count(hit=hit, of=1)


def test_several_finds_cover_a_change_together():
    told, _found = one([truth()], [find(box(0, 0, 2, 10)), find(box(8, 0, 10, 10))])
    assert told.covered == pytest.approx(0.4)
    assert not told.single


@pytest.mark.parametrize(("on", "hit"), [(2.9, 0), (3.1, 1)])
def test_a_find_is_right_where_thirty_percent_of_it_lies_on_a_change(on, hit):
    _told, found = one([truth()], [find(box(-10 + on, 0, on, 10))])
    assert found[0].on_truth == pytest.approx(on / 10)
    assert precision(found, least_score=0.5, least_m2=10) == Count(hit=hit, of=1)


def test_signs_must_agree_unless_the_truth_tells_none():
    told, found = one([truth()], [find(gained=False)])
    assert (told.covered, told.iou, found[0].right) == (0.0, None, False)
    told, found = one([truth(gained=None)], [find(gained=False)])
    assert (told.covered, told.iou, found[0].right) == (1.0, 1.0, True)


def test_what_is_too_unlikely_covers_nothing_but_is_told():
    told, found = one([truth()], [find(score=0.49)])
    assert told.covered == 0.0
    assert found[0].right
    assert precision(found, least_score=0.5, least_m2=10) == Count(hit=0, of=0)


def test_only_judged_ground_is_asked_for():
    judged = box(0, 0, 4, 10)
    told, _found = one([truth()], [find(box(0, 0, 2, 10))], judged=judged)
    assert (told.area_m2, told.covered, told.single) == (40.0, 0.5, False)
    truths, _found = match([truth()], [], least_score=0.5, judged=box(20, 0, 30, 10))
    assert truths == ()


def test_what_was_replaced_is_right_to_report_and_asked_of_nobody():
    truths, found = match(
        [truth()], [find(gained=False)], least_score=0.5, allowed=[truth(gained=False)]
    )
    assert [item.gained for item in truths] == [True]
    assert found[0].right


def test_outlines_are_measured_on_single_objects():
    other = translate(SQUARE, 30)
    finds = [
        find(box(2, 0, 12, 10), raw_m2=90.0),
        find(box(30, 0, 40, 5)),
        find(box(30, 5, 40, 10)),
    ]
    truths, _found = match([truth(), truth(other)], finds, least_score=0.5)
    assert [item.single for item in truths] == [True, False]
    assert (truths[0].ratio, truths[0].raw_ratio) == (1.0, 0.9)
    iou, ratio, area = outline_errors(truths, 20.0)
    assert iou.tolist() == pytest.approx([80 / 120], abs=1e-4)
    assert (ratio.tolist(), area.tolist()) == ([1.0], [100.0])
    assert [part.size for part in outline_errors([], 20.0)] == [0, 0, 0]


def test_a_find_over_two_changes_is_no_single_object_but_two_signs_do_not_meet():
    wide = find(box(0, 0, 20, 10))
    truths, _found = match([truth(), truth(translate(SQUARE, 10))], [wide], least_score=0.5)
    assert [item.single for item in truths] == [False, False]
    truths, _found = match([truth(), truth(gained=False)], [find()], least_score=0.5)
    assert [item.single for item in truths] == [True, False]


def test_sizes_and_kinds_are_counted_apart():
    truths, _found = match(
        [truth(), truth(box(0, 20, 4, 25), kind="shed")], [find()], least_score=0.5
    )
    assert recall(truths, least_m2=10) == Count(hit=1, of=2)
    assert recall(truths, least_m2=20, below_m2=50) == Count(hit=0, of=1)
    assert recall(truths, least_m2=20, below_m2=20.1, kinds=("building",)).share is None


def found_object(score, *, right, area_m2=20.0):
    return FoundObject(
        kind="shed", gained=True, area_m2=area_m2, score=score, on_truth=1.0 if right else 0.0
    )


def test_scores_that_come_true_have_no_calibration_error():
    finds = [found_object(score, right=n < 10 * score) for score in (0.2, 0.7) for n in range(10)]
    bins = calibration_bins(finds, bins=2)
    assert [part.count for part in bins] == [10, 10]
    assert calibration_error(bins) == pytest.approx(0.0, abs=1e-9)


def test_bold_scores_have_one_and_bins_are_of_equal_counts():
    finds = [found_object(0.9, right=n % 2 == 0) for n in range(305)]
    bins = calibration_bins(finds)
    assert {part.count for part in bins} == {30, 31}
    assert calibration_error(bins) == pytest.approx(0.4, abs=0.01)
    assert calibration_bins([]) == ()
    assert calibration_error([]) is None
    assert calibration_bins([found_object(0.3, right=True)]) == (Bin(count=1, said=0.3, true=1.0),)


def test_no_scene_of_the_tuning_draw_is_frozen():
    for name in ("detection", "surfaces", "nothing", "nothing_wide"):
        frozen, tuning = frozen_cases(name), draw_of(name, judge=False)
        assert draw_of(name, judge=True) == frozen
        assert not {case.seed for case in frozen} & {case.seed for case in tuning}
        assert [(case.setting, case.pixel_m, case.pace) for case in tuning] == [
            (case.setting, case.pixel_m, case.pace) for case in frozen
        ]
    assert draw_of("nothing", judge=False)[0].side_m < 500.0  # to try the line on


def test_truth_lies_where_the_earlier_flight_shows_it():
    plan = plan_of(CASE)
    scene = scene_of(plan)
    known = [c for c in changes_between(scene, 0, CASE.after) if c.outline.area > 0]
    told = truth_of(CASE)
    assert len(told.changes) == len(known) > 10
    for item, true in zip(told.changes, known, strict=True):
        assert item.gained == (true.kind not in ("removed", "partly_removed"))
        x, y = (np.array([value]) for value in item.outline.centroid.coords[0])
        back = undo_displacement(plan.flights[0], x, y)
        centre = true.outline.centroid
        assert back[0] == pytest.approx(centre.x + plan.west_m, abs=0.05)
        assert back[1] == pytest.approx(centre.y + plan.south_m, abs=0.05)
    came = {c.structure for c in known if c.kind in ("building", "shed")}
    assert sum(item.gained is True for item in told.allowed) >= len(came)


def test_nothing_is_true_where_nothing_was_built():
    case = draw_of("nothing", judge=True)[0]
    assert truth_of(case).changes == ()


def test_a_shown_outline_keeps_its_area_even_where_it_touches_itself():
    flight = plan_of(CASE).flights[1]
    bow = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    shown = shown_in(flight, translate(bow, 435_600, 2_556_400))
    assert shown.is_valid
    assert shown.area == pytest.approx(50.0, rel=0.03)


def test_outlines_are_carried_into_another_crs():
    there = moved_to(
        box(32.5900, 0.3400, 32.5901, 0.3401), CRS.from_epsg(4326), CRS.from_epsg(32636)
    )
    assert there.area == pytest.approx(11.13 * 11.06, rel=0.01)
    assert moved_to(SQUARE, CRS.from_epsg(32636), CRS.from_epsg(32636)) is SQUARE


def test_where_alignment_was_refused_everything_is_missed():
    pair = PairTruth(crs=CRS.from_epsg(32649), changes=(truth(),))
    entry = entry_of(Ran(verdict="refused", why="other ground", seconds=1.0), pair)
    assert (entry["judged_m2"], entry["finds"]) == (0.0, [])
    assert recall([TrueObject(**item) for item in entry["truths"]], least_m2=10).share == 0.0


def test_the_line_reports_nothing_between_a_file_and_itself():
    path = ortho(0)
    ran = run(Flown(before=path, after=path))
    assert (ran.verdict, ran.reported) == ("verified", ())
    there = ran.ground.centroid
    pair = PairTruth(crs=ran.crs, changes=(truth(there.buffer(5.0)),))
    entry = json.loads(json.dumps(entry_of(ran, pair)))
    assert entry["judged_m2"] == pytest.approx(ran.ground.area, rel=0.1)
    assert entry["truths"][0]["covered"] == 0.0


def test_rows_are_taken_from_a_layer_counted_from_one():
    layer = gpd.GeoDataFrame({"name": list("abc")}, geometry=[SQUARE] * 3, crs="EPSG:32636")
    assert layer_without(layer, [1, 3])["name"].tolist() == ["b"]


def test_shapes_are_covered_by_the_union_of_what_lies_there():
    assert covered([SQUARE, box(20, 0, 30, 10)], [box(0, 0, 2, 10), box(1, 0, 3, 10)]) == Count(
        hit=1, of=2
    )
    assert covered([], []) == Count(hit=0, of=0)


def entry_named(row, *, truths=(), finds=(), **more):
    true, found = match(list(truths), list(finds), least_score=0.5)
    pair = entry_of(Ran(verdict="verified", why="", seconds=1.0), PairTruth(crs=None, changes=()))
    return {"row": row, "draw": "judging", "name": f"{row}-00"} | pair | {
        "ground_m2": 1e6, "judged_m2": 1e6,
        "truths": [vars_of(item) for item in true], "finds": [vars_of(item) for item in found],
    } | more  # fmt: skip


def vars_of(record):
    return {name: getattr(record, name) for name in record.__slots__}


@pytest.fixture
def entries():
    away = find(translate(SQUARE, 100))
    small = find(box(200, 0, 203, 4))
    scene = {"setting": "fringe", "pixel_m": 0.2, "pace": 3.0}
    pixels = {"hits": 60, "false": 20, "missed": 60}
    storey = truth(translate(SQUARE, 50), kind="storey")
    return [
        entry_named("frozen", truths=[truth(), storey], finds=[find(), away, small], **scene),
        entry_named("fotbcd", truths=[truth(gained=None)], finds=[find(), away], pixels=pixels),
        entry_named("nothing", finds=[away, find(score=0.3)]),
        entry_named("identical"),
        {"row": "cost", "draw": "judging", "name": "c", "side_px": 8000, "overviews": True,
         "ratio": 1.5},
    ]  # fmt: skip


def test_figures_stand_beside_their_bars(entries):
    told = {(item.row, item.what): item for item in figures_of(entries)}
    assert told["simulated scenes", "recall at 20 m2"].value == 0.5
    assert told["simulated scenes", "recall at 20 m2, without storeys"].value == 1.0
    assert told["simulated scenes", "precision at 20 m2"].value == 0.5  # the small one is ignored
    assert told["FOTBCD pairs", "pixel F1, pooled"].value == pytest.approx(0.6)
    assert told["FOTBCD pairs", "pixel F1, pooled"].state == "bar reached"
    assert told["FOTBCD pairs", "false changes"].value == 1
    assert told["nothing built", "false changes per km2"].value == 1.0
    assert told["nothing built", "false changes per km2"].state == "bar reached"
    assert told["files with themselves", "changes"].state == "aim reached"
    assert told["simulated scenes", "median IoU of outlines"].value == 1.0
    costs = [item.state for (row, _what), item in told.items() if row.startswith("cost")]
    assert costs == ["bar reached"]


def test_the_page_is_made_of_the_figures_alone(entries):
    page = page_of(entries)
    assert page == page_of(json.loads(json.dumps(entries)))
    assert "| building |  |  | 1 of 1 |  |" in page
    assert "| storey |  |  | 0 of 1 |  |" in page
    assert "0.500 (1 of 2)" in page
    assert all(line == line.rstrip() for line in page.splitlines())


def test_files_are_told_and_the_page_takes_no_tuning_draw(entries, tmp_path, capsys):
    path = tmp_path / "told.jsonl"
    lines = [json.dumps(entry | {"draw": "tuning"}) for entry in entries]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert main(["show", str(path)]) == 0
    assert screen_of(entries) in capsys.readouterr().out
    with pytest.raises(SystemExit, match="frozen draw alone"):
        main(["table", str(path)])


def test_a_row_that_is_not_there_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["frozzen"])
    said = capsys.readouterr().err
    assert all(row in said for row in ROWS)


def test_a_row_is_measured_written_and_taken_up_again(entries, tmp_path, monkeypatch, capsys):
    measured = []

    def cases(*, judge):
        return ["one", "two", "three"]

    def measure(name):
        measured.append(name)
        return entries[3] | {"name": name}

    monkeypatch.setitem(ROWS, "identical", type(ROWS["identical"])(cases=cases, measure=measure))
    path = tmp_path / "told.jsonl"
    common = ["identical", "--judge", "--workers", "1", "-o", str(path)]
    assert main([*common, "--limit", "1"]) == 0
    assert main([*common, "--only", "t", "--resume"]) == 0
    assert main([*common, "--resume"]) == 0
    assert measured == ["one", "two", "three"]
    told = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [entry["name"] for entry in told] == measured
    assert {entry["draw"] for entry in told} == {"judging"}
