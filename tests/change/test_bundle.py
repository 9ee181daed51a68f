"""A result on disk: whole or not at all, and never over somebody else's file."""

import json
import os
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from change.export import bundle
from change.export.bundle import record_path, require_free, write_changes, write_result
from change.export.dossier import open_dossier
from survey.errors import OutputError
from tests.samples import run_pair

EVERYTHING = [
    "changes.geojson",
    "chips",
    "evidence.png",
    "excess.geojson",
    "excluded.geojson",
    "inspection.csv",
    "inspection.xlsx",
    "overview.png",
    "project.qgz",
    "rasters",
    "report.html",
    "residuals.png",
    "results.gpkg",
    "review",
    "run.json",
    "sheets.html",
    "suspects.geojson",
    "suspects.gpx",
    "suspects.kmz",
]


@pytest.fixture(scope="module")
def result():
    return run_pair(0, 1)


def listing(folder):
    return sorted(path.name for path in folder.iterdir())


def features(path):
    return json.loads(path.read_text(encoding="utf-8"))["features"]


def test_a_folder_holds_everything(result, tmp_path):
    written = write_result(result, tmp_path / "out")
    assert listing(tmp_path / "out") == EVERYTHING
    assert sorted(path.name for path in written) == EVERYTHING
    record = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert sorted([*record["outputs"], "run.json"]) == EVERYTHING
    assert record["run_id"] == result.run.id
    assert record["suspects"] == len(features(tmp_path / "out" / "suspects.geojson"))
    assert record["changes"] == len(features(tmp_path / "out" / "changes.geojson"))
    assert str(tmp_path) not in json.dumps(record)
    with Image.open(tmp_path / "out" / "overview.png") as picture:
        assert min(picture.size) > 500


def test_a_file_has_its_record_beside_it(result, tmp_path):
    target = tmp_path / "suspects.geojson"
    assert write_result(result, target) == [target, record_path(target)]
    assert listing(tmp_path) == ["suspects.geojson", "suspects.run.json"]
    assert len(features(target)) == len(result.suspects)


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_same_input_same_bytes(result, tmp_path):
    for name in ("one", "two"):
        write_result(result, tmp_path / name)
    one, two = contents(tmp_path / "one"), contents(tmp_path / "two")
    assert one.keys() == two.keys()
    # Times stand in the run record alone.
    assert {str(name) for name, data in one.items() if data != two[name]} <= {"run.json"}


def test_the_folder_can_be_read_back(result, tmp_path):
    write_result(result, tmp_path / "out")
    dossier = open_dossier(tmp_path / "out")
    assert [item.id for item in dossier.entries] == [item.change.id for item in result.suspects]
    told = features(tmp_path / "out" / "suspects.geojson")
    for item, feature in zip(dossier.entries, told, strict=True):
        for name, value in feature["properties"].items():
            assert item.values[name] == (pytest.approx(value) if value is not None else None), name
        assert item.chip is not None
        for role in item.chip.roles:
            for marked in (True, False):
                assert (tmp_path / "out" / item.picture(role, marked=marked)).is_file()


def test_an_old_folder_of_pictures_is_replaced_whole(result, tmp_path):
    write_result(result, tmp_path / "out")
    stale = tmp_path / "out" / "chips" / "stale_before.jpg"
    stale.write_bytes(b"old")
    write_result(result, tmp_path / "out")
    assert not stale.exists()
    assert list((tmp_path / "out" / "chips").glob("*.jpg"))


def test_what_inspectors_filled_in_is_never_overwritten(result, tmp_path):
    write_result(result, tmp_path / "out")
    with closing(sqlite3.connect(tmp_path / "out" / "results.gpkg")) as database:
        for name in ("ST_IsEmpty", "ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"):
            database.create_function(name, 1, lambda _shape: 0)
        database.execute("UPDATE suspects SET answer = 'confirmed' WHERE fid = 1")
        database.commit()
    before = contents(tmp_path / "out")
    for refuse in (require_free, lambda place: write_result(result, place)):
        with pytest.raises(OutputError, match=r"results\.gpkg: was changed"):
            refuse(tmp_path / "out")
    assert contents(tmp_path / "out") == before


@pytest.mark.parametrize("name", ["inspection.xlsx", "inspection.csv"])
def test_a_list_that_was_filled_in_is_never_overwritten(result, tmp_path, name):
    write_result(result, tmp_path / "out")
    with (tmp_path / "out" / name).open("ab") as stream:
        stream.write(b"confirmed")
    with pytest.raises(OutputError, match=f"{name}: was changed"):
        require_free(tmp_path / "out")


def test_changes_hold_the_permitted_too(result, tmp_path):
    lawful = replace(result.compared[0], reason="as_permitted", reasons=())
    told = replace(result, compared=(lawful, *result.compared[1:]))
    write_changes(told, tmp_path / "changes.geojson")
    assert len(features(tmp_path / "changes.geojson")) == len(told.compared)
    assert len(told.compared) > len(told.suspects)


@pytest.mark.parametrize("name", ["out", "out.geojson", "out.GEOJSON", "out.json"])
def test_what_is_ours_is_written_anew(result, tmp_path, name):
    write_result(result, tmp_path / name)
    before = listing(tmp_path)
    write_result(result, tmp_path / name)
    assert listing(tmp_path) == before


def put(path, text="mine"):
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


FOREIGN = [
    ("out.geojson", "out.geojson"),
    ("out.geojson", "out.run.json"),
    ("out", "out"),
    ("out", "out/suspects.geojson"),
    ("out", "out/overview.png"),
    ("out", "out/run.json"),
    ("result.gpkg", "result.gpkg"),
]


@pytest.mark.parametrize(("target", "foreign"), FOREIGN)
def test_a_file_of_somebody_else_is_left_alone(result, tmp_path, target, foreign):
    put(tmp_path / foreign)
    before = sorted(tmp_path.rglob("*"))
    for refuse in (require_free, lambda place: write_result(result, place)):
        with pytest.raises(OutputError, match=r"orthowatch") as caught:
            refuse(tmp_path / target)
        assert "\n" not in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / foreign).read_text() == "mine"


def test_a_record_that_names_other_files_frees_only_those(result, tmp_path):
    """Our record does not make a neighbour's file ours."""
    write_result(result, tmp_path / "out")
    record = tmp_path / "out" / "run.json"
    told = json.loads(record.read_text(encoding="utf-8"))
    told["outputs"].remove("overview.png")
    record.write_text(json.dumps(told))
    with pytest.raises(OutputError, match=r"overview\.png"):
        write_result(result, tmp_path / "out")


def test_other_files_in_the_folder_stay(result, tmp_path):
    put(tmp_path / "out" / "notes.txt")
    write_result(result, tmp_path / "out")
    assert listing(tmp_path / "out") == sorted([*EVERYTHING, "notes.txt"])
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"


def test_a_folder_named_like_a_file_is_refused(result, tmp_path):
    (tmp_path / "out.geojson").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        write_result(result, tmp_path / "out.geojson")


@pytest.mark.parametrize("name", ["none/out", "none/out.geojson"])
def test_a_place_that_does_not_exist_is_refused(result, tmp_path, name):
    for refuse in (require_free, lambda place: write_result(result, place)):
        with pytest.raises(OutputError, match="no such folder"):
            refuse(tmp_path / name)
    assert listing(tmp_path) == []


@pytest.mark.parametrize("error", [RuntimeError("no font"), OSError(28, "disk full")])
def test_nothing_appears_where_drawing_fails(result, tmp_path, monkeypatch, error):
    def fail(path, *_rest, **_more):
        Path(path).write_bytes(b"half")
        raise error

    monkeypatch.setattr(bundle, "draw_overview", fail)
    wanted = OutputError if isinstance(error, OSError) else RuntimeError
    with pytest.raises(wanted):
        write_result(result, tmp_path / "out")
    assert listing(tmp_path) == [], "not even an empty folder"


def test_an_earlier_result_survives_a_failure(result, tmp_path, monkeypatch):
    write_result(result, tmp_path / "out")
    before = contents(tmp_path / "out")

    def fail(*_rest, **_more):
        raise RuntimeError("no font")

    monkeypatch.setattr(bundle, "draw_overview", fail)
    with pytest.raises(RuntimeError):
        write_result(result, tmp_path / "out")
    assert contents(tmp_path / "out") == before


@contextmanager
def read_only():
    """Yield a folder that cannot be written; root, whom nothing stops, steps down for it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65534)
        try:
            yield folder
        finally:
            if root:
                os.seteuid(0)
            folder.chmod(0o755)


@pytest.mark.parametrize("name", ["out", "out.geojson"])
def test_a_folder_that_cannot_be_written_is_told(result, name):
    with read_only() as folder:
        with pytest.raises(OutputError, match="cannot be written") as caught:
            write_result(result, folder / name)
        assert "\n" not in str(caught.value)
        assert listing(folder) == []
