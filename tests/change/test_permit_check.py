"""`orthowatch permits check`: every flaw of a layer on paper, as data and on a map."""

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from shapely import MultiPolygon, Point, Polygon, box

from change.export.permit_report import FLAW_COLUMNS, PERMIT_COLUMNS
from tests.change.test_layers import written
from tests.command import call_here

SAMPLE = Path(__file__).parents[2] / "sample_tiles"
ORTHO = min(SAMPLE.glob("*_ortho.tif"))
X, Y = 428_000.0, 2_555_000.0
HOUSE = box(X + 10, Y + 10, X + 20, Y + 20)
BOW_TIE = Polygon([(X, Y), (X + 10, Y + 10), (X + 10, Y), (X, Y + 10)])


@pytest.fixture
def layer(tmp_path):
    """Write six rows: sound, repaired, a point, nothing, a cell that is none, the first again."""
    frame = gpd.GeoDataFrame(
        {
            "许可证号": ["甲1", "甲2", "甲3", "甲4", "甲5", "甲6"],
            "发证日期": ["2024-03-01", "2024年3月", None, None, "去年", None],
            "备注": list("abcdef"),
        },
        geometry=[
            HOUSE,
            BOW_TIE,
            Point(X + 50, Y + 50),
            None,
            box(X + 60, Y, X + 70, Y + 9),
            MultiPolygon([HOUSE]),
        ],
        crs=4547,
    )
    return written(frame, tmp_path / "许可.gpkg")


@pytest.fixture
def run(monkeypatch, capsys):
    return lambda *words: call_here(monkeypatch, capsys, "permits", "check", *words)


FLAWS = [
    (2, "甲2", "ring_repaired", True),
    (3, "甲3", "not_a_polygon", False),
    (4, "甲4", "no_geometry", False),
    (5, "甲5", "unreadable_date", True),
    (6, "甲6", "duplicate", True),
]


def test_the_table_on_paper(run, layer):
    answer = run(layer)
    head, *rows = answer.out.splitlines()
    assert answer.code == 0
    assert head.split("  ")[0] == "row"
    assert [line.split()[:2] for line in rows] == [
        [str(row), number] for row, number, _w, _k in FLAWS
    ]
    assert [line.rsplit("  ", 1)[1] for line in rows] == [
        "repaired", "left out", "left out", "cell left blank", "kept",
    ]  # fmt: skip
    assert "6 rows read, 5 of them flawed: 1 repaired, 2 left out, 1 of these without" in answer.err
    assert "columns recognised: number (许可证号), granted (发证日期)" in answer.err
    assert "columns not recognised: 备注" in answer.err
    assert "CRS EPSG:4547, text utf-8" in answer.err


def test_a_layer_without_flaws_prints_nothing(run, tmp_path):
    path = written(gpd.GeoDataFrame({"no": ["A"]}, geometry=[HOUSE], crs=4547), tmp_path / "a.gpkg")
    answer = run(path, "--strict")
    assert (answer.code, answer.out) == (0, "")
    assert "0 of them flawed" in answer.err


def test_json(run, layer):
    answer = run(layer, "--json", "--quiet")
    record = json.loads(answer.out)
    assert answer.err == ""
    found = [(r["row"], r["number"], r["why"], r["kept"]) for r in record["flawed_rows"]]
    assert found == FLAWS
    assert (record["rows"], record["read"], record["repaired"]) == (6, 4, 1)
    assert (record["dropped"], record["unplaced"]) == (2, 1)
    assert record["columns"] == {"number": "许可证号", "granted": "发证日期"}
    assert (record["other_columns"], record["source"]) == (["备注"], "许可.gpkg")


def test_exit_codes(run, layer, tmp_path):
    strict = run(layer, "--strict", "-o", tmp_path / "out")
    assert strict.code == 2
    assert (tmp_path / "out" / "report.json").is_file()
    missing = run(tmp_path / "nothing.gpkg", "-o", tmp_path / "none")
    assert (missing.code, missing.out) == (2, "")
    assert "no such file" in missing.err
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("target", ["out", "flaws.gpkg"])
def test_layers_for_a_map(run, layer, tmp_path, target):
    answer = run(layer, "-o", tmp_path / target, "--quiet")
    assert answer.code == 0
    folder = tmp_path / "out"
    path, beside = (
        (folder / "permits_check.gpkg", folder / "report.json")
        if target == "out"
        else (tmp_path / target, tmp_path / "flaws.run.json")
    )
    assert [list(row) for row in pyogrio.list_layers(path)] == [
        ["flawed_rows", "MultiPolygon"],
        ["permits", "MultiPolygon"],
    ]
    flaws = gpd.read_file(path, layer="flawed_rows")
    assert list(flaws.columns) == [*FLAW_COLUMNS, "geometry"]
    assert (
        list(zip(flaws["row"], flaws["number"], flaws["why"], flaws["kept"], strict=True)) == FLAWS
    )
    shapes = list(flaws.geometry)
    assert shapes[0].area == pytest.approx(50)
    assert shapes[1].contains(Point(X + 50, Y + 50))
    assert shapes[2] is None
    assert shapes[4].equals(HOUSE)
    permits = gpd.read_file(path, layer="permits")
    assert list(permits.columns) == [*PERMIT_COLUMNS, "geometry"]
    assert list(permits["number"]) == ["甲1", "甲2", "甲5", "甲6"]
    assert list(permits["granted"].fillna("")) == ["2024-03-01", "2024-03-01", "", ""]
    assert list(permits["flaws"]) == ["", "ring_repaired", "unreadable_date", "duplicate"]
    record = json.loads(beside.read_text(encoding="utf-8"))
    assert record["generator"] == "orthowatch"
    assert record["inputs"][0]["name"] == "许可.gpkg"
    assert path.name in record["outputs"]
    first = path.read_bytes()
    assert run(layer, "-o", tmp_path / target).code == 0, "ours may be written again"
    assert path.read_bytes() == first


def test_a_layer_without_flaws_makes_both_layers_all_the_same(run, tmp_path):
    path = written(gpd.GeoDataFrame({"no": ["A"]}, geometry=[HOUSE], crs=4547), tmp_path / "a.gpkg")
    assert run(path, "-o", tmp_path / "b.gpkg").code == 0
    info = pyogrio.read_info(tmp_path / "b.gpkg", layer="flawed_rows")
    assert info["features"] == 0
    assert list(info["dtypes"]) == ["int64", "object", "object", "object", "bool"]
    assert len(gpd.read_file(tmp_path / "b.gpkg", layer="permits")) == 1


def test_what_is_not_ours_is_left_alone(run, layer, tmp_path):
    before = layer.read_bytes()
    answer = run(layer, "-o", layer)
    assert answer.code == 2
    assert "was not written by orthowatch" in answer.err
    assert layer.read_bytes() == before
    assert "end the name in .gpkg" in run(layer, "-o", tmp_path / "a.shp").err


def test_near_an_orthophoto(run, tmp_path):
    path = tmp_path / "a.shp"
    bounds = gpd.read_file(SAMPLE / "permits.gpkg").total_bounds
    middle = np.array([bounds[[0, 2]].mean(), bounds[[1, 3]].mean()])
    house = shapely.transform(box(-5, -5, 5, 5), lambda p: p + middle)
    written(gpd.GeoDataFrame({"no": ["A"]}, geometry=[house], crs=None), path)
    alone = run(path)
    assert alone.code == 2
    assert "give --layers-crs" in alone.err
    near = run(path, "--near", ORTHO)
    assert near.code == 0
    assert "fall on the flight in EPSG:4547" in near.err
    assert run(path, "--crs", "EPSG:4547").code == 0
    far = run(path, "--near", ORTHO, "--layers-crs", "EPSG:4548")
    assert far.code == 2
    assert "give --layers-crs EPSG:4547" in far.err


def test_columns_control_points_and_encoding(run, tmp_path):
    frame = gpd.GeoDataFrame({"F1": ["甲"]}, geometry=[box(0, 0, 9, 9)], crs=None)
    path = written(frame, tmp_path / "a.shp", encoding="GBK")
    points = tmp_path / "k.csv"
    points.write_text(
        f"from_x,from_y,to_x,to_y\n0,0,{X},{Y}\n100,0,{X + 100},{Y}\n0,100,{X},{Y + 100}\n"
    )
    config = tmp_path / "c.toml"
    config.write_text('[permits.columns]\nnumber = "F1"\n')
    answer = run(
        path, "--points", points, "--layers-crs", "EPSG:4547", "--config", config, "--json",
        "--encoding", "GBK", "-o", tmp_path / "out",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    record = json.loads(answer.out)
    assert record["columns"] == {"number": "F1"}
    assert record["encoding"] == "gb18030"
    assert "3 control points" in record["assumptions"][0]
    permits = gpd.read_file(tmp_path / "out" / "permits_check.gpkg", layer="permits")
    assert list(permits["number"]) == ["甲"]
    assert permits.total_bounds == pytest.approx([X, Y, X + 9, Y + 9])
    roles = {
        item["role"] for item in json.loads((tmp_path / "out/report.json").read_text())["inputs"]
    }
    assert roles == {"permits", "control_points"}


def test_what_strays_is_in_the_table_and_said_once(run, tmp_path):
    shapes = [HOUSE, shapely.transform(HOUSE, lambda p: p[:, ::-1])]
    path = written(
        gpd.GeoDataFrame({"no": ["A", "B"]}, geometry=shapes, crs=4547), tmp_path / "a.gpkg"
    )
    answer = run(path)
    assert "north stood before east; read so" in answer.out
    assert "1 of 2 rows have north before east" in answer.err
