"""What `orthowatch inventory` hands out and refuses, on a part of a sample flight."""

import json
from functools import partial

import geopandas as gpd
import pytest
import shapely
from geojson_validator import validate_structure

from change.export.geojson import COLUMNS, EXCESS_COLUMNS
from change.export.inventory_folder import EMPTY_COLUMNS
from tests.command import call_here, installed, refused
from tests.samples import PERMITS, cut, dsm, ortho, place, seen_by

FLIGHT = 1
PART = (60.0, 0.0, 180.0, 120.0)
FILES = [
    "chips",
    "empty_permits.geojson",
    "excess.geojson",
    "excluded.geojson",
    "inspection.csv",
    "inspection.xlsx",
    "project.qgz",
    "rasters",
    "report.html",
    "results.gpkg",
    "review",
    "run.json",
    "sheets.html",
    "standing.geojson",
    "stock.geojson",
    "suspects.gpx",
    "suspects.kmz",
]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flight")
    return {
        "ortho": cut(ortho(FLIGHT), folder / "ortho.tif", PART),
        "dsm": cut(dsm(FLIGHT), folder / "dsm.tif", PART),
    }


@pytest.fixture
def call(monkeypatch, capsys):
    """Run the command in this process, as the installed script would."""
    return partial(call_here, monkeypatch, capsys)


@pytest.fixture
def words(files):
    return ["inventory", files["ortho"], "--dsm", files["dsm"], "--workers", "1", "--quiet"]


@pytest.fixture(scope="module")
def written(files, tmp_path_factory):
    """What the installed command writes and prints."""
    folder = tmp_path_factory.mktemp("written") / "out"
    given = [files["ortho"], "--dsm", files["dsm"], "--permits", PERMITS]
    answer = installed("inventory", *given, "-o", folder, "--json", LANGUAGE="en")
    assert answer.code == 0, answer.err
    return folder, answer


def read(folder, name):
    return json.loads((folder / name).read_text(encoding="utf-8"))["features"]


def test_a_folder_holds_everything(written):
    folder, answer = written
    assert sorted(path.name for path in folder.iterdir()) == FILES
    record = json.loads(answer.out)
    assert record == json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert sorted([*record["outputs"], "run.json"]) == FILES
    assert [item["role"] for item in record["inputs"]] == ["ortho", "dsm", "permits"]
    assert record["told_by"] == "heights"
    assert record["suspects"] == len(read(folder, "stock.geojson"))
    assert record["standing"] == len(read(folder, "standing.geojson"))
    assert record["empty_permits"] == len(read(folder, "empty_permits.geojson"))
    assert "standing: " in answer.err


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".geojson")])
def test_every_layer_is_valid_geojson(written, name):
    whole = json.loads((written[0] / name).read_text(encoding="utf-8"))
    assert validate_structure(whole) == {}


def test_columns_are_those_of_suspects(written):
    folder, _answer = written
    stock, standing = read(folder, "stock.geojson"), read(folder, "standing.geojson")
    assert all(tuple(f["properties"]) == COLUMNS for f in (*stock, *standing))
    assert {f["properties"]["origin"] for f in standing} == {"stock"}
    assert {f["properties"]["flown_before"] for f in standing} == {"2025-06-14"}
    assert {f["properties"]["flown_after"] for f in standing} == {None}
    assert {f["properties"]["verdict"] for f in standing} == {None}
    ids = {f["id"] for f in standing}
    assert {f["id"] for f in stock} < ids
    assert {"as_permitted", "no_permit"} <= {f["properties"]["reason"] for f in standing}
    assert all("stands" in f["properties"]["why_en"] for f in standing)


def test_excess_belongs_to_a_suspect(written):
    folder, _answer = written
    excess = read(folder, "excess.geojson")
    assert all(tuple(f["properties"]) == EXCESS_COLUMNS for f in excess)
    assert {f["id"] for f in excess} <= {f["id"] for f in read(folder, "stock.geojson")}


def test_empty_permits_are_named(written):
    folder, _answer = written
    empty = read(folder, "empty_permits.geojson")
    assert empty
    for feature in empty:
        told = feature["properties"]
        assert tuple(told) == EMPTY_COLUMNS
        assert told["seen"] >= 0.99
        assert told["height_m"] < 0.8
        assert told["holder"].startswith("Household")
        assert told["expired"] is (told["valid_until"] < told["flown_on"])
    standing = gpd.read_file(folder / "standing.geojson").union_all()
    assert not any(shapely.box(*shape.bounds).within(standing) for shape in shapes(empty))


def shapes(features):
    return [shapely.from_geojson(json.dumps(f["geometry"])) for f in features]


def test_without_o_the_stock_is_printed(call, words, written):
    answer = call(*words, "--permits", PERMITS)
    assert (answer.code, answer.err) == (0, "")
    assert answer.features == read(written[0], "stock.geojson")


def test_one_file_gets_its_record_beside(call, words, tmp_path, written):
    target = tmp_path / "stock.geojson"
    assert call(*words, "--permits", PERMITS, "-o", target).code == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["stock.geojson", "stock.run.json"]
    assert target.read_bytes() == (written[0] / "stock.geojson").read_bytes()
    # Ours may be written again.
    assert call(*words, "--permits", PERMITS, "-o", target).code == 0


def test_suspects_set_the_exit_code_where_asked(call, words):
    assert call(*words, "--permits", PERMITS, "--fail-on-suspects").code == 3


def test_without_permits_nothing_is_compared(call, words):
    answer = call(*words)
    assert answer.code == 0
    assert {f["properties"]["reason"] for f in answer.features} == {"not_compared"}


def test_a_temporary_permit_past_its_day_is_told(call, words, tmp_path, written):
    """One permit, for a house that stands, that ran out before the flight."""
    permits = gpd.read_file(PERMITS).set_index("number", drop=False)
    standing = read(written[0], "standing.geojson")
    number = next(
        f["properties"]["permit_number"]
        for f in standing
        if f["properties"]["reason"] == "as_permitted" and f["properties"]["area_m2"] > 60
    )
    permits["type"] = "permanent"
    permits.loc[number, "type"] = "temporary"
    permits.loc[number, "valid_until"] = "2025-05-31"
    permits = permits.rename(columns={"type": "permit type"}).reset_index(drop=True)
    permits.to_file(tmp_path / "permits.gpkg")
    answer = call(*words, "--permits", tmp_path / "permits.gpkg")
    told = {f["properties"]["permit_number"]: f["properties"] for f in answer.features}
    assert told[number]["reason"] == "permit_expired"
    assert "for a time that is over" in told[number]["why_en"]


def test_without_heights_it_is_said_to_be_less_sure(call, files):
    answer = call("inventory", files["ortho"], "--permits", PERMITS, "--workers", "1")
    assert answer.code == 0
    assert "less surely" in answer.err
    assert all(f["properties"]["height_gain_m"] is None for f in answer.features)


def test_within_reports_on_the_area_alone(call, words, tmp_path):
    area = place((60.0, 0.0, 120.0, 60.0))
    gpd.GeoSeries([area], crs=4547).to_file(tmp_path / "area.gpkg")
    answer = call(*words, "--permits", PERMITS, "--within", tmp_path / "area.gpkg")
    assert answer.code == 0
    inside = gpd.GeoSeries(shapes(answer.features), crs=4326).to_crs(4547)
    assert len(inside) > 0
    assert inside.intersects(area.buffer(0.01)).all()


def test_min_area_leaves_smaller_ones_out(call, words):
    answer = call(*words, "--permits", PERMITS, "--min-area", "60")
    assert answer.features
    assert min(f["properties"]["area_raw_m2"] for f in answer.features) >= 60


def test_the_day_can_be_given(call, words):
    answer = call(*words, "--permits", PERMITS, "--flown-on", "2025-01-02")
    assert {f["properties"]["flown_before"] for f in answer.features} == {"2025-01-02"}


# Refusals


def test_json_needs_a_place(call, words):
    answer = call(*words, "--permits", PERMITS, "--json")
    assert answer.code == 2
    assert "--json needs -o" in answer.err


def test_what_is_missing_is_named(call, words, tmp_path):
    refused(call("inventory", tmp_path / "none.tif"), "none.tif")
    refused(call(*words, "--permits", tmp_path / "none.gpkg"), "none.gpkg")


def test_a_picture_is_no_surface_model(call, files):
    refused(call("inventory", files["ortho"], "--dsm", files["ortho"], "--quiet"))


def test_what_is_not_ours_is_not_overwritten(call, words, tmp_path):
    theirs = tmp_path / "stock.geojson"
    theirs.write_text("theirs")
    refused(call(*words, "--permits", PERMITS, "-o", tmp_path), "stock.geojson")
    refused(call(*words, "--permits", PERMITS, "-o", theirs), "stock.geojson")
    assert theirs.read_text() == "theirs"
    refused(call(*words, "-o", tmp_path / "stock.gpkg"), "stock.gpkg")


def test_an_area_elsewhere_is_refused(call, words, tmp_path):
    area = shapely.box(435000, 2556000, 435100, 2556100)
    gpd.GeoSeries([area], crs=4547).to_file(tmp_path / "area.gpkg")
    refused(call(*words, "--permits", PERMITS, "--within", tmp_path / "area.gpkg"), "area.gpkg")


def test_truth_agrees_with_what_is_printed(call, words):
    """Every structure of 20 m2 that no permit covers lies under what is printed."""
    answer = call(*words, "--permits", PERMITS)
    told = gpd.GeoSeries(shapes(answer.features), crs=4326).to_crs(4547).union_all()
    truth = gpd.read_file(PERMITS.with_name("truth.gpkg"), layer="structures")
    truth = truth[(truth.flight == FLIGHT) & (truth.reason == "no_permit") & (truth.area_m2 >= 20)]
    inner = place(PART).buffer(-3)
    due = [seen_by(FLIGHT, shape).buffer(0) for shape in truth.geometry]
    due = [shape for shape in due if shape.within(inner)]
    assert len(due) > 3
    assert all(shape.intersection(told).area > 0.3 * shape.area for shape in due)
