"""The whole line on the sample flights, held against what is exactly true of them."""

import json
import re
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import shapely

from change.export.bundle import write_result
from change.ground_layers import LayerOptions
from change.job import Job, run_job
from survey.settings import Settings
from tests.samples import PERMITS, PLAN, expected, options, run_pair, true_shift

CONSECUTIVE = list(pairwise(range(4)))
PAIRS = [*CONSECUTIVE, (0, 3)]
OTHERS = [(0, 2), (1, 3)]
# What the issue asks for: structures from 20 m2 on, found where 30 % of them is covered.
LEAST_M2, LEAST_COVER = 20.0, 0.3
SUSPICIOUS = (
    "no_permit",
    "exceeds_permit",
    "grown_beyond_permit",
    "beside_permit",
    "permit_expired",
    "before_grant",
)
LAWFUL = ("as_permitted", "removed_permitted", "removed_unpermitted")
LOSSES = ("removed", "partly_removed")

# Where the product falls short of its aim, by pair of flights and number of structure in
# sample_tiles/truth.gpkg. Whoever mends all of a pair is told so by its strict xfail; one more that
# is missed fails `test_no_more_is_missed_than_today`.
REBUILT = "hardly higher than the shed that it replaces, and than the trees felled beside it"
NOT_FOUND = {(0, 3): {95: REBUILT}, (1, 3): {95: REBUILT}}
WALKS = "a deciduous tree with brown leaves and two containers side by side"
WASTED = {(2, 3): WALKS}
NET = "the net about the frame of a site stands 0.7 m outside its outline and is found with it"
MEASURED_WRONG = {(0, 3): {91: NET}, (2, 3): {91: NET}}
# At least so many structures found of so many due, by kind, and at most so many suspects
# where nothing changed, over all six pairs.
FOUND_OF_ALL = {
    "building": (20, 28),
    "storey": (3, 3),
    "roof_addition": (4, 7),
    "annex": (9, 23),
    "shed": (3, 17),
    "site": (13, 13),
}
WASTED_AT_MOST = {(0, 1): 1, (0, 2): 1, (0, 3): 1, (1, 2): 0, (1, 3): 2, (2, 3): 2}


def named(pair):
    return f"{pair[0]}-{pair[1]}"


def cases(short=None):
    """Return all pairs as parameters; those that fall short fail with the reason told."""
    marks = {pair: [] for pair in PAIRS} | {pair: [pytest.mark.slow] for pair in OTHERS}
    for pair, why in (short or {}).items():
        told = why if isinstance(why, str) else "; ".join(f"{n}: {said}" for n, said in why.items())
        marks[pair].append(pytest.mark.xfail(strict=True, reason=told))
    return [pytest.param(pair, marks=marks[pair], id=named(pair)) for pair in marks]


def union(items):
    return shapely.union_all([item.change.outline for item in items])


def share(of, by):
    return of.intersection(by).area / of.area


def due(pair, least_m2=LEAST_M2):
    """Return what a perfect product calls suspicious: what appeared and no permit covers."""
    truth = expected(*pair)
    new = truth[truth.reason.isin(SUSPICIOUS) & ~truth.kind.isin(LOSSES)]
    return new[new.area_m2 >= least_m2]


def missed(pair, least_m2=LEAST_M2):
    """Return the numbers of what is due and covered by no suspect."""
    wanted, found = due(pair, least_m2), union(run_pair(*pair).suspects)
    both = zip(wanted.structure, wanted.geometry, strict=True)
    return [number for number, outline in both if share(outline, found) < LEAST_COVER]


def not_seen_to_go(pair):
    truth, seen = expected(*pair), union(run_pair(*pair).compared)
    gone = truth[truth.kind.isin(LOSSES) & (truth.area_m2 >= LEAST_M2)]
    both = zip(gone.structure, gone.geometry, strict=True)
    return [number for number, outline in both if share(outline, seen) <= 0.5]


def wasted(pair):
    """Return the suspects where nothing changed: a wasted walk each."""
    anything = shapely.union_all(expected(*pair).geometry.buffer(1.0))
    suspects = run_pair(*pair).suspects
    return [s for s in suspects if share(s.change.outline, anything) < 0.1]


def test_the_record_tells_which_way_shadows_fall():
    pair = (0, 3)
    fallen = run_pair(*pair).facts["detector"]["shadows"]
    assert set(fallen) == {"before", "after"}
    for index, told in zip(pair, fallen.values(), strict=True):
        if told is not None:  # under a veiled sun shadows may be too weak to tell
            off = (told["azimuth_deg"] - PLAN.flights[index].sun.azimuth_deg) % 360 - 180
            assert abs(off) < 40


@pytest.mark.parametrize("pair", cases(NOT_FOUND))
def test_what_nobody_permitted_is_found(pair):
    assert len(due(pair)) >= 2
    assert missed(pair) == []


@pytest.mark.parametrize("pair", cases())
def test_nothing_lawful_is_flagged(pair):
    """What went is lawful too, whoever permitted it."""
    truth, found = expected(*pair), union(run_pair(*pair).suspects)
    lawful = truth[truth.reason.isin(LAWFUL)]
    assert set(truth.reason) <= {*SUSPICIOUS, *LAWFUL}
    flagged = {n: share(g, found) for n, g in zip(lawful.structure, lawful.geometry, strict=True)}
    assert [number for number, covered in flagged.items() if covered > 0.1] == []


@pytest.mark.parametrize("pair", cases())
def test_what_went_is_seen(pair):
    assert not_seen_to_go(pair) == []


@pytest.mark.parametrize("pair", cases(WASTED))
def test_at_most_one_suspect_a_pair_is_a_wasted_walk(pair):
    walks = wasted(pair)
    assert len(walks) <= 1, [(s.change.kind, s.change.area_m2) for s in walks]


@pytest.mark.parametrize("pair", cases())
def test_no_more_is_missed_than_today(pair):
    assert set(missed(pair)) <= set(NOT_FOUND.get(pair, ()))
    assert not_seen_to_go(pair) == []
    assert len(wasted(pair)) <= WASTED_AT_MOST[pair]


@pytest.mark.slow
@pytest.mark.xfail(strict=True, reason="of 23 annexes 7 are found instead of 9")
def test_no_less_is_found_of_any_kind_than_today():
    """Every size counts here; of what is under 10 m2 the product reports nothing by design."""
    found, wanted = Counter(), Counter()
    for pair in PAIRS + OTHERS:
        without = set(missed(pair, 0.0))
        for row in due(pair, 0.0).itertuples():
            wanted[row.kind] += 1
            found[row.kind] += row.structure not in without
    assert dict(wanted) == {kind: count for kind, (_least, count) in FOUND_OF_ALL.items()}
    assert [k for k, (least, _count) in FOUND_OF_ALL.items() if found[k] < least] == []


def structures():
    """Return what the outlines are measured on: what was built, or went, without any permit."""
    for pair in PAIRS:
        truth = expected(*pair)
        here = truth[truth.reason.isin(("no_permit", "removed_unpermitted"))]
        for number in here[here.area_m2 >= LEAST_M2].structure:
            why = MEASURED_WRONG.get(pair, {}).get(number)
            marks = [pytest.mark.xfail(strict=True, reason=why)] if why else []
            yield pytest.param(pair, number, marks=marks, id=f"{named(pair)}-{number}")


@pytest.mark.parametrize(("pair", "number"), list(structures()))
def test_what_is_found_is_measured_right(pair, number):
    result, truth = run_pair(*pair), expected(*pair)
    (row,) = truth[truth.structure == number].itertuples()
    (item,) = [c for c in result.compared if share(row.geometry, c.change.outline) > 0.3]
    outline = item.change.outline
    together = outline.intersection(row.geometry).area / outline.union(row.geometry).area
    assert together > 0.7
    assert item.change.area_m2 == pytest.approx(row.area_m2, rel=0.2)
    assert item.change.height_gain_m == pytest.approx(row.height_gain_m, abs=1.0)
    assert item.change.vanished == (row.kind == "removed")


@pytest.mark.parametrize("pair", cases())
def test_the_field_is_right_where_it_says_so(pair):
    result = run_pair(*pair)
    alignment, bounds = result.pair.alignment, result.pair.grid.bounds
    assert alignment.verdict == "verified"
    x, y = np.meshgrid(
        np.linspace(bounds.left + 4, bounds.right - 4, 50),
        np.linspace(bounds.bottom + 4, bounds.top - 4, 50),
    )
    east, north = alignment.field.shift(x, y)
    true_east, true_north = true_shift(*pair, x, y)
    missed = np.hypot(east - true_east, north - true_north)
    assert np.sqrt(np.mean(missed**2)) < 0.15


@pytest.mark.parametrize(
    "pair",
    [(0, 1), *(pytest.param(pair, marks=pytest.mark.slow) for pair in [(1, 2), (2, 3), (0, 3)])],
)
def test_without_surface_models_it_runs_and_says_what_it_judged(pair):
    result = run_pair(*pair, heights=False)
    assert result.detection.judged_m2 > 0.9 * run_pair(*pair).detection.judged_m2
    assert all(item.change.height_gain_m is None for item in result.compared)
    assert all(0.5 <= item.change.score <= 1 for item in result.compared)


def bundle(folder, workers, side_m):
    job = Job(before=options(0), after=options(1), layers=LayerOptions(permits=str(PERMITS)))
    settings = Settings().changed("blocks", workers=workers, side_m=side_m)
    write_result(run_job(job, settings, say=lambda _sentence: None), folder)
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_workers_and_blocks_change_no_byte(tmp_path):
    """One process and one block against two processes and a block for every tile."""
    alone = bundle(tmp_path / "alone", 1, 400.0)
    together = bundle(tmp_path / "together", 2, 100.0)
    records = [json.loads(files.pop("run.json")) for files in (alone, together)]
    assert {name.partition("/")[0] for name in alone} == {
        *("changes.geojson", "chips", "excess.geojson", "excluded.geojson", "inspection.csv"),
        *("inspection.xlsx", "overview.png", "project.qgz", "rasters", "report.html"),
        *(
            "evidence.png",
            "residuals.png",
            "results.gpkg",
            "review",
            "sheets.html",
            "suspects.geojson",
        ),
        *("suspects.gpx", "suspects.kmz"),
    }
    for name, content in alone.items():
        assert content == together[name], name
    for record in records:
        assert all(
            re.match(r"\d{4}-\d\d-\d\dT", record.pop(key)) for key in ("started", "finished")
        )
        del record["settings"]["blocks"]
    assert records[0] == records[1]


def test_the_record_says_what_was_run_on_what():
    result = run_pair(0, 1)
    roles = [item.role for item in result.run.inputs]
    assert roles == ["before", "after", "dsm_before", "dsm_after", "permits"]
    assert result.pair.before.flown_on == PLAN.dates[0]
    assert result.facts["alignment"]["rms_m"] < 0.15
    assert result.facts["heights"]["datum"]["residual_m"] < 0.1
    assert result.facts["permits"]["read"] > 30


def test_without_permits_nothing_is_called_unpermitted():
    job = Job(before=options(0), after=options(1))
    settings = Settings().changed("blocks", workers=1)
    said = []
    result = run_job(job, settings, say=said.append)
    assert {item.reason for item in result.compared} == {"not_compared"}
    assert any("no permit layer" in sentence for sentence in said)
    assert len(result.suspects) == len([c for c in result.compared if not c.change.vanished])
