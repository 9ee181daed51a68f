"""``results.gpkg``: the format, what stands in it, and that nothing is lost on the way."""

import json
import sqlite3
import time
import zipfile
from contextlib import closing
from dataclasses import replace
from datetime import date
from io import BytesIO
from xml.etree import ElementTree

import geopandas as gpd
import pyogrio
import pytest
import shapely
from pyproj import CRS
from shapely import box

from change.export.dossier import make_dossier, open_dossier
from change.export.geojson import COLUMNS, suspects_frame
from change.export.geopackage import first_day, write_geopackage
from change.export.gpkg_tables import Table, inventory_tables, result_tables, suspect_table
from change.export.headings import list_languages
from change.export.inventory_folder import empty_frame
from change.export.plain_text import plain_text
from change.export.qgis import dress_inventory, dress_result
from change.export.qgis.project import Show, make_dress
from change.export.qgis.wording import alias
from change.fieldwork import FIELD_COLUMNS
from change.ground_layers import LayerOptions
from change.inventory_job import InventoryJob, run_inventory
from change.job import FlightOptions
from change.permits import Permit
from survey.grid import Bounds
from survey.settings import Settings
from tests.dossiers import HOSTILE, RECORD, suspects
from tests.samples import PERMITS, cut_pair, run_pair

CRS_HERE = CRS.from_epsg(4547)
LAYERS = {
    "suspects": "Polygon",
    "changes": "Polygon",
    "excess": "MultiPolygon",
    "excluded": "Polygon",
    "permits": "MultiPolygon",
    "flawed_rows": "MultiPolygon",
    "districts": "MultiPolygon",
    "cells": "MultiPolygon",
    "ground": "MultiPolygon",
    "ties": "Point",
    "run": None,
}


@pytest.fixture(scope="module")
def result():
    return run_pair(0, 1)


@pytest.fixture(scope="module")
def written(result, tmp_path_factory):
    path = tmp_path_factory.mktemp("gpkg") / "results.gpkg"
    write(path, result)
    return path


def write(path, result):
    tables = result_tables(result)
    dress = dress_result(result, tables)
    write_geopackage(path, tables, crs=result.crs, day=result.flown[1], dress=dress)


def rows(path, sql):
    with closing(sqlite3.connect(path)) as database:
        return database.execute(sql).fetchall()


def layers_in(path):
    """Return the layers with their kinds of geometry, without the table QGIS keeps styles in."""
    return {name: kind for name, kind in pyogrio.list_layers(path) if name != "layer_styles"}


def read(path, layer):
    return pyogrio.read_dataframe(path, layer=layer)


def test_it_is_a_geopackage_of_version_1_2(written):
    assert rows(written, "PRAGMA application_id") == [(0x47504B47,)]
    assert rows(written, "PRAGMA user_version") == [(10200,)]
    assert rows(written, "PRAGMA integrity_check") == [("ok",)]
    assert rows(written, "PRAGMA foreign_key_check") == []


def test_every_layer_is_there_with_its_kind_of_geometry(written):
    assert layers_in(written) == LAYERS
    registered = dict(rows(written, "SELECT table_name, data_type FROM gpkg_contents"))
    assert registered["layer_styles"] == registered["run"] == "attributes"


def test_empty_layers_have_their_columns_too(result, written, tmp_path):
    nothing = replace(result, compared=(), permits=None, districts=None)
    write(tmp_path / "empty.gpkg", nothing)
    assert layers_in(tmp_path / "empty.gpkg") == LAYERS
    for name in LAYERS:
        full, empty = (
            pyogrio.read_info(path, layer=name) for path in (written, tmp_path / "empty.gpkg")
        )
        assert list(empty["fields"]) == list(full["fields"])
        assert list(empty["ogr_types"]) == list(full["ogr_types"])
        assert empty["crs"] == full["crs"]


def test_suspects_are_those_of_the_geojson_and_more(result, written):
    frame, wanted = read(written, "suspects"), suspects_frame(result.suspects, result)
    assert frame.crs == wanted.crs
    assert len(frame) == len(wanted) > 0
    assert shapely.equals_exact(frame.geometry, wanted.geometry, tolerance=0).all()
    assert set(frame.columns) == {
        *COLUMNS, *FIELD_COLUMNS, "number", "case_id", "uid", "geometry",
    }  # fmt: skip
    assert frame["number"].tolist() == list(range(1, len(frame) + 1))
    assert frame["uid"].tolist() == [f"{result.run.id}-{name}" for name in wanted["id"]]
    assert set(frame["answer"]) == {"open"}
    assert frame[[name for name in FIELD_COLUMNS if name != "answer"]].isna().all().all()


def test_what_is_no_suspect_stands_apart(result, written):
    suspected, others = set(read(written, "suspects")["id"]), set(read(written, "changes")["id"])
    assert suspected.isdisjoint(others)
    assert suspected | others == {item.change.id for item in result.compared}


def test_the_rest_of_the_run_is_there(result, written):
    permits, ties = read(written, "permits"), read(written, "ties")
    assert len(permits) == len(result.permits.permits)
    assert permits["number"].tolist() == [permit.number for permit in result.permits.permits]
    assert len(ties) == result.pair.alignment.ties.count
    assert ties["used"].sum() == result.pair.alignment.used.sum()
    ground = read(written, "ground")
    bounds = result.pair.grid.bounds
    wanted = (bounds.left, bounds.bottom, bounds.right, bounds.top)
    assert tuple(ground.total_bounds) == pytest.approx(wanted)
    told = dict(rows(written, "SELECT key, value FROM run"))
    assert told["run_id"] == result.run.id
    assert told["alignment.verdict"] == "verified"
    assert told["crs"] == "EPSG:4547"
    assert told["flights.before.name"] == result.pair.before.name
    assert not {"started", "finished"} & set(told), "the clock stays out"
    assert read(written, "cells")["code"].is_unique


def test_days_are_days(written):
    types = {
        name: kind
        for table in ("suspects", "permits")
        for _cid, name, kind, *_rest in rows(written, f"PRAGMA table_info({table})")
    }
    days = ("inspected_on", "notice_on", "deadline", "demolished_on", "granted", "valid_until")
    assert {types[name] for name in days} == {"DATE"}
    assert types["demolished_m2"] == "REAL"
    granted = read(written, "permits")["granted"].dropna()
    assert granted.dt.date.min() > date(1990, 1, 1)


def test_the_same_run_makes_the_same_bytes(result, written, tmp_path):
    write(tmp_path / "again.gpkg", result)
    assert (tmp_path / "again.gpkg").read_bytes() == written.read_bytes()


def test_the_clock_is_that_of_the_flight(result, written):
    stamp = f"{result.flown[1].isoformat()}T00:00:00.000Z"
    assert {row[0] for row in rows(written, "SELECT last_change FROM gpkg_contents")} == {stamp}
    assert {row[0] for row in rows(written, "SELECT update_time FROM layer_styles")} == {stamp}
    assert pyogrio.get_gdal_config_option("OGR_CURRENT_DATE") is None


@pytest.mark.parametrize(
    ("day", "wanted"),
    [
        (None, date(1980, 1, 1)),
        (date(1970, 1, 1), date(1980, 1, 1)),
        (date(2025, 2, 3), date(2025, 2, 3)),
    ],
)
def test_a_zip_file_knows_no_day_before_1980(day, wanted):
    assert first_day(day) == wanted


def test_every_layer_has_a_style_that_is_xml(written):
    styles = dict(rows(written, "SELECT f_table_name, styleQML FROM layer_styles"))
    assert set(styles) == set(LAYERS)
    for text in styles.values():
        assert ElementTree.fromstring(text.partition("\n")[2]).tag == "qgis"
    assert {row[0] for row in rows(written, "SELECT useAsDefault FROM layer_styles")} == {1}


def project_of(content):
    with zipfile.ZipFile(BytesIO(content)) as archive:
        (entry,) = archive.infolist()
        assert entry.filename == "project.qgs"
        return entry, archive.read(entry).decode("utf-8")


def test_the_project_inside_is_the_one_beside(result, written):
    ((name, content),) = rows(written, "SELECT name, content FROM qgis_projects")
    assert name == "orthowatch"
    dress = dress_result(result, result_tables(result))
    assert bytes.fromhex(content.decode("ascii")) == dress.project
    entry, text = project_of(dress.project)
    assert entry.date_time[:3] == result.flown[1].timetuple()[:3]
    sources = {
        node.text.partition("|")[0]
        for node in ElementTree.fromstring(text.partition("\n")[2]).iter("datasource")
    }
    assert sources == {"./results.gpkg", "./rasters/before.tif", "./rasters/after.tif"}


def show_of(frame):
    left, bottom, right, top = frame.total_bounds
    return Show(
        tables=(suspect_table(frame, RECORD["run_id"]),),
        crs=CRS_HERE,
        bounds=Bounds(left=left, bottom=bottom, right=right, top=top),
        run_id=RECORD["run_id"],
        title="suspects",
        note="",
        day=None,
        languages=("zh_CN", "en"),
    )


def write_frame(folder, frame):
    show = show_of(frame)
    folder.mkdir(exist_ok=True)
    write_geopackage(
        folder / "results.gpkg", show.tables, crs=CRS_HERE, day=None, dress=make_dress(show)
    )
    (folder / "run.json").write_text(json.dumps({**RECORD, "outputs": ["results.gpkg"]}))


@pytest.mark.parametrize("texts", [(), HOSTILE], ids=["plain", "hostile"])
def test_a_dossier_can_be_had_from_it_years_later(tmp_path, texts):
    frame = suspects(3 * len(HOSTILE), texts)
    write_frame(tmp_path, frame)
    then, now = make_dossier(frame, RECORD, tmp_path), open_dossier(tmp_path)
    assert now.crs == then.crs
    for old, new in zip(then.entries, now.entries, strict=True):
        assert (new.number, new.id, new.lon, new.lat) == (old.number, old.id, old.lon, old.lat)
        assert new.outline.equals_exact(old.outline, 0)
        for name, value in old.values.items():
            wanted = plain_text(value) if isinstance(value, str) else value
            assert new.values[name] == wanted, name
            assert type(new.values[name]) is type(wanted)


def test_half_characters_stop_nobody(tmp_path):
    write_frame(tmp_path, suspects(2, ("a\ud800b", "\ufffe")))
    (first, second) = open_dossier(tmp_path).entries
    assert first.values["permit_number"] is None
    assert second.values["permit_number"] == "\ufffd"
    assert "a\ufffdb" in first.values["nearest_permits"]


def test_a_citys_own_crs_comes_back(tmp_path):
    local = CRS.from_proj4("+proj=tmerc +lat_0=22.5 +lon_0=113.28 +x_0=4e4 +y_0=2e4 +ellps=GRS80")
    frame = suspects(2).set_crs(local, allow_override=True)
    table = suspect_table(frame, "0")
    write_geopackage(tmp_path / "results.gpkg", (table,), crs=local, day=None)
    back = read(tmp_path / "results.gpkg", "suspects")
    assert back.crs.to_authority() is None
    assert back.to_crs(4490).total_bounds == pytest.approx(
        frame.to_crs(4490).total_bounds, abs=1e-9
    )


def test_five_thousand_are_no_trouble(tmp_path):
    frame = suspects(5000)
    started = time.process_time()
    write_frame(tmp_path, frame)
    assert time.process_time() - started < 10.0
    assert pyogrio.read_info(tmp_path / "results.gpkg", layer="suspects")["features"] == 5000
    ((content,),) = rows(tmp_path / "results.gpkg", "SELECT content FROM qgis_projects")
    _entry, text = project_of(bytes.fromhex(content.decode("ascii")))
    assert text.count("<Bookmark ") == 500, "of the most severe only"
    assert len(content) < 200_000


def test_permits_of_the_rest_of_the_city_stay_away(result):
    bounds = result.pair.grid.bounds
    far = [
        Permit(
            row=1000 + n, number=f"far {n}", granted=None, valid_until=None, footprint_m2=None,
            floor_area_m2=None, storeys=None, height_m=None, holder="", use="",
            outline=box(bounds.right + away, bounds.bottom, bounds.right + away + 5, bounds.top),
        )
        for n, away in enumerate((150.0, 250.0))
    ]  # fmt: skip
    more = replace(result.permits, permits=(*result.permits.permits, *far))
    tables = {table.name: table for table in result_tables(replace(result, permits=more))}
    numbers = tables["permits"].cells["number"]
    assert "far 0" in numbers
    assert "far 1" not in numbers


def test_the_area_asked_for_is_the_ground(result):
    bounds = result.pair.grid.bounds
    within = box(bounds.left - 50, bounds.bottom, bounds.left + 50, bounds.top)
    narrowed = replace(result, within=within)
    tables = {table.name: table for table in result_tables(narrowed)}
    (ground,) = tables["ground"].shapes
    assert ground.bounds == (bounds.left, bounds.bottom, bounds.left + 50, bounds.top)
    _entry, text = project_of(dress_result(narrowed, tuple(tables.values())).project)
    view = ElementTree.fromstring(text.partition("\n")[2]).find(".//DefaultViewExtent")
    assert float(view.get("xmax")) == bounds.left + 50


def test_a_table_of_uneven_columns_is_refused():
    with pytest.raises(ValueError, match="columns of"):
        Table(
            name="t",
            geometry=None,
            kinds={"a": "text", "b": "text"},
            cells={"a": ["x"], "b": []},
        )


@pytest.mark.parametrize("language", ["en", "zh_CN", "both"])
def test_every_column_has_a_name(result, language):
    languages = list_languages(language)
    for table in result_tables(result):
        for name in table.kinds:
            called = alias(table.name, name, languages)
            assert called
            assert language != "en" or called != name or "_" not in name


@pytest.fixture(scope="module")
def inventory(tmp_path_factory):
    parts = cut_pair(tmp_path_factory.mktemp("corner"))
    flight = FlightOptions(path=parts["after"], dsm=parts["dsm_after"])
    job = InventoryJob(flight=flight, layers=LayerOptions(permits=str(PERMITS)))
    settings = Settings().changed("blocks", workers=1)
    return run_inventory(job, settings, say=lambda _sentence: None)


def test_an_inventory_has_layers_of_its_own(inventory, tmp_path):
    empty = empty_frame(inventory.empty, inventory)
    tables = inventory_tables(inventory, empty)
    dress = dress_inventory(inventory, tables)
    path = tmp_path / "results.gpkg"
    day = inventory.flown[0]
    write_geopackage(path, tables, crs=inventory.crs, day=day, dress=dress)
    names = set(layers_in(path))
    assert names == set(LAYERS) - {"changes", "ties"} | {"standing", "empty_permits"}
    assert len(read(path, "suspects")) == len(inventory.suspects)
    assert len(read(path, "standing")) == len(inventory.compared) - len(inventory.suspects)
    assert len(read(path, "empty_permits")) == len(inventory.empty)
    assert set(dress.styles) == names
    _entry, text = project_of(dress.project)
    assert "./rasters/before.tif" in text
    assert "after.tif" not in text
    assert "_after.jpg" not in text


def test_layers_open_in_geopandas(written):
    for name, kind in LAYERS.items():
        frame = gpd.read_file(written, layer=name)
        assert (kind is not None) == isinstance(frame, gpd.GeoDataFrame)
