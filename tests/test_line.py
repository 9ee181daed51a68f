"""The whole line on the sample flights, held against what is exactly true of them."""

import json
import re
from itertools import pairwise

import numpy as np
import pytest
import shapely

from change.export.bundle import write_result
from change.job import Job, run_job
from survey.settings import Settings
from tests.samples import PERMITS, PLAN, expected, options, run_pair, true_shift

CONSECUTIVE = list(pairwise(range(4)))
PAIRS = [*CONSECUTIVE, (0, 3)]
OTHERS = [pytest.param(pair, marks=pytest.mark.slow) for pair in [(0, 2), (1, 3)]]
# What the issue asks for: structures from 20 m2 on, found where 30 % of them is covered.
LEAST_M2, LEAST_COVER = 20.0, 0.3
SUSPICIOUS = ("no_permit", "exceeds_permit", "grown_beyond_permit")
LAWFUL = ("as_permitted", "removed_permitted")


def union(items):
    return shapely.union_all([item.change.outline for item in items])


def share(of, by):
    return of.intersection(by).area / of.area


@pytest.mark.parametrize("pair", [*PAIRS, *OTHERS], ids=lambda pair: f"{pair[0]}-{pair[1]}")
def test_what_nobody_permitted_is_found_and_what_is_lawful_is_not_flagged(pair):
    result, truth = run_pair(*pair), expected(*pair)
    found, all_changes = union(result.suspects), union(result.compared)
    new = truth[truth.reason.isin(SUSPICIOUS) & (truth.kind != "removed")]
    due = new[new.area_m2 >= LEAST_M2]
    assert len(due) >= 2
    missed = {n: share(g, found) for n, g in zip(due.structure, due.geometry, strict=True)}
    assert [n for n, covered in missed.items() if covered < LEAST_COVER] == []
    lawful = truth[truth.reason.isin(LAWFUL)]
    flagged = {n: share(g, found) for n, g in zip(lawful.structure, lawful.geometry, strict=True)}
    assert [n for n, covered in flagged.items() if covered > 0.1] == []
    # What went is seen too, and never a suspect.
    gone = truth[(truth.kind == "removed") & (truth.area_m2 >= LEAST_M2)]
    for outline in gone.geometry:
        assert share(outline, all_changes) > 0.5
        assert share(outline, found) < 0.1
    # A suspect where nothing changed is a wasted walk: at most one in a pair.
    anything = shapely.union_all(truth.geometry.buffer(1.0))
    wasted = [s for s in result.suspects if share(s.change.outline, anything) < 0.1]
    assert len(wasted) <= 1, [(s.change.kind, s.change.area_m2) for s in wasted]


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair[0]}-{pair[1]}")
def test_what_is_found_is_measured_right(pair):
    result, truth = run_pair(*pair), expected(*pair)
    for row in truth[(truth.reason == "no_permit") & (truth.area_m2 >= LEAST_M2)].itertuples():
        (item,) = [c for c in result.compared if share(row.geometry, c.change.outline) > 0.3]
        outline = item.change.outline
        together = outline.intersection(row.geometry).area / outline.union(row.geometry).area
        assert together > 0.7
        assert item.change.area_m2 == pytest.approx(row.area_m2, rel=0.2)
        assert item.change.height_gain_m == pytest.approx(row.height_gain_m, abs=1.0)
        assert item.change.vanished == (row.kind == "removed")


@pytest.mark.parametrize("pair", [*PAIRS, *OTHERS], ids=lambda pair: f"{pair[0]}-{pair[1]}")
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
    job = Job(before=options(0), after=options(1), permits=str(PERMITS))
    settings = Settings().changed("blocks", workers=workers, side_m=side_m)
    write_result(run_job(job, settings, say=lambda _sentence: None), folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_workers_and_blocks_change_no_byte(tmp_path):
    """One process and one block against two processes and a block for every tile."""
    alone = bundle(tmp_path / "alone", 1, 400.0)
    together = bundle(tmp_path / "together", 2, 100.0)
    records = [json.loads(files.pop("run.json")) for files in (alone, together)]
    assert sorted(alone) == [
        "changes.geojson",
        "excluded.geojson",
        "overview.png",
        "suspects.geojson",
    ]
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
    assert result.facts["heights"]["residual_m"] < 0.1
    assert result.facts["permits"]["read"] > 30


def test_without_permits_nothing_is_called_unpermitted():
    job = Job(before=options(0), after=options(1))
    settings = Settings().changed("blocks", workers=1)
    said = []
    result = run_job(job, settings, say=said.append)
    assert {item.reason for item in result.compared} == {"not_compared"}
    assert any("no permit layer" in sentence for sentence in said)
    assert len(result.suspects) == len([c for c in result.compared if not c.change.vanished])
