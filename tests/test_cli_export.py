"""orthowatch export: from a folder of results to what people are handed."""

import json

import pytest

from change.export.bundle import write_result
from change.export.handouts import FORMS
from change.export.team_folders import UNITS
from survey.settings import LIST_LANGUAGES
from tests.command import call_here, refused
from tests.samples import run_pair


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results") / "结果 of a run"
    write_result(run_pair(0, 3), folder)
    return folder


@pytest.fixture
def call(monkeypatch, capsys):
    return lambda *words, **more: call_here(monkeypatch, capsys, "export", *words, **more)


def test_choices_are_those_of_the_packages():
    import cli

    assert set(cli._UNITS) == set(UNITS)
    assert set(cli._HANDOUTS) == set(FORMS)
    assert cli.LIST_LANGUAGES == LIST_LANGUAGES


def test_lists_are_handed_out(call, results, tmp_path):
    answer = call(results, "-o", tmp_path / "out", "--form", "csv", "--form", "gpx", "--json")
    assert answer.code == 0, answer.err
    assert (
        json.loads(answer.out)["run_id"] == json.loads((results / "run.json").read_text())["run_id"]
    )
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["chips", "export.json", "inspection.csv", "suspects.gpx"]


def test_decisions_of_the_review_page_are_applied(call, results, tmp_path):
    record = json.loads((results / "run.json").read_text(encoding="utf-8"))
    first = json.loads((results / "suspects.geojson").read_text(encoding="utf-8"))["features"][0]
    said = {"id": first["id"], "answer": "dismissed", "dismissal": "old"}
    told = {"format": "orthowatch-decisions", "version": 1, "run_id": record["run_id"]}
    (tmp_path / "d.json").write_text(json.dumps(told | {"decisions": [said]}), encoding="utf-8")
    words = (results, "-o", tmp_path / "out", "--form", "csv", "--decisions", tmp_path / "d.json")
    assert call(*words).code == 0
    assert first["id"] not in (tmp_path / "out" / "inspection.csv").read_text("utf-8-sig")
    assert first["id"] in (tmp_path / "out" / "dismissed.csv").read_text("utf-8-sig")


def test_a_decision_on_nobody_is_told(call, results, tmp_path):
    record = json.loads((results / "run.json").read_text(encoding="utf-8"))
    told = {"format": "orthowatch-decisions", "version": 1, "run_id": record["run_id"]}
    said = {"id": "f" * 12, "answer": "confirmed"}
    (tmp_path / "d.json").write_text(json.dumps(told | {"decisions": [said]}), encoding="utf-8")
    words = (results, "-o", tmp_path / "out", "--form", "csv", "--decisions", tmp_path / "d.json")
    answer = call(*words)
    assert answer.code == 0
    assert "1 decision is of no suspect" in answer.err


@pytest.mark.parametrize("language", ["en", "zh_CN", "both"])
def test_lists_speak_the_language_that_was_asked_for(call, results, tmp_path, language):
    words = (results, "-o", tmp_path / "out", "--form", "csv", "--language", language)
    assert call(*words).code == 0
    text = (tmp_path / "out" / "inspection.csv").read_text("utf-8-sig").splitlines()[0]
    assert ("township" in text) == (language != "zh_CN")
    assert ("镇街" in text) == (language != "en")


def test_what_is_no_folder_of_results_is_refused(call, results, tmp_path):
    refused(call(tmp_path, "-o", tmp_path / "out"), "not a folder of results")
    refused(call(tmp_path / "none", "-o", tmp_path / "out"), "none")
    refused(call(results, "-o", results), "the results themselves")
    (tmp_path / "d.json").write_text("{}")
    refused(call(results, "-o", tmp_path / "out", "--decisions", tmp_path / "d.json"), "d.json")
    assert call(results, "-o", tmp_path / "out", "--by", "street").code == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.json"]


def test_a_damaged_folder_is_told_in_one_line(call, results, tmp_path):
    import shutil

    shutil.copytree(results, tmp_path / "copy")
    (tmp_path / "copy" / "results.gpkg").write_bytes(b"SQLite format 3\x00 broken")
    refused(call(tmp_path / "copy", "-o", tmp_path / "out"), "results.gpkg")
    assert not (tmp_path / "out").exists()
