"""Dossiers: the same from memory and from disk, and nothing believed that a file says."""

import copy
import json
import math
import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely
from pyproj import CRS
from shapely import LineString, MultiPolygon, Point, Polygon, box

from change.export.dossier import CHIP_INDEX, CHIPS, make_dossier, open_dossier
from change.export.geopackage import write_geopackage
from change.export.gpkg_tables import suspect_table
from change.fieldwork import Decision
from survey.errors import LayerError
from tests.dossiers import HOSTILE, RECORD, draw_chips, made_up, suspects

LAYERS = "results.gpkg"
BAD_UTF = "\ud800"


@pytest.fixture
def results(tmp_path):
    """Return a folder of results as a run leaves it, as far as a dossier is made of it."""
    frame = suspects(4)
    draw_chips(frame, tmp_path)
    table = suspect_table(frame, RECORD["run_id"])
    write_geopackage(tmp_path / LAYERS, [table], crs=frame.crs, day=None)
    write_record(tmp_path, RECORD)
    return tmp_path


def write_record(folder, record):
    told = {"outputs": [LAYERS, CHIPS]} | record
    (folder / "run.json").write_text(json.dumps(told), encoding="utf-8")


def change_layer(folder, change, *, geometry="Unknown"):
    """Write the layer of suspects again, as somebody might: ``change`` returns another frame."""
    path = folder / LAYERS
    frame = change(pyogrio.read_dataframe(path, layer="suspects"))
    path.unlink()
    pyogrio.write_dataframe(frame, path, layer="suspects", geometry_type=geometry)


def change_chip(folder, **told):
    path = folder / CHIPS / CHIP_INDEX
    index = json.loads(path.read_text(encoding="utf-8"))
    next(iter(index["chips"].values())).update(told)
    path.write_text(json.dumps(index), encoding="utf-8")


def refusal(folder):
    """Return the one line a folder is refused with."""
    with pytest.raises(LayerError) as raised:
        open_dossier(folder)
    told = str(raised.value)
    assert told.startswith(str(folder))
    assert told.isprintable()
    assert len(told) < len(str(folder)) + 300
    return told


def test_entries_are_numbered_and_lie_where_their_outlines_do(tmp_path):
    dossier = made_up(tmp_path, 7)
    assert [item.number for item in dossier.entries] == list(range(1, 8))
    for item in dossier.entries:
        assert 113.0 < item.lon < 115.0
        assert 22.0 < item.lat < 24.0
        assert item.picture("before", marked=True) is None
    assert dossier.run_id == RECORD["run_id"]


def test_what_is_unknown_is_none_and_numbers_are_numbers(tmp_path):
    for item in made_up(tmp_path, 12).entries:
        for name, value in item.values.items():
            assert value is None or isinstance(value, str | float | int), name


def test_pictures_are_found_by_role(tmp_path):
    dossier = made_up(tmp_path, 3, pictures=True)
    for item in dossier.entries:
        for role in ("before", "after"):
            for marked in (True, False):
                assert (tmp_path / item.picture(role, marked=marked)).is_file()
        assert item.picture("between", marked=True) is None
        assert item.chip.profile.before_m[2] is None


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "A" * 12, "a" * 11, "a" * 13, None, 7])
def test_an_id_that_could_be_another_file_is_refused(tmp_path, name):
    frame = suspects(2)
    frame["id"] = frame["id"].astype(object)
    frame.loc[1, "id"] = name
    with pytest.raises(LayerError, match="no id of a suspect"):
        make_dossier(frame, RECORD, tmp_path)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"chips": 1}', '{"chips": {"a": {}}}', '{"chips": {"a": 1}}']
)
def test_a_damaged_index_is_told(tmp_path, text):
    frame = suspects(2)
    draw_chips(frame, tmp_path)
    (tmp_path / CHIPS / CHIP_INDEX).write_text(text, encoding="utf-8")
    with pytest.raises(LayerError, match="cannot be read"):
        make_dossier(frame, RECORD, tmp_path)


def test_a_role_nobody_has_is_no_path(tmp_path):
    frame = suspects(1)
    draw_chips(frame, tmp_path)
    path = tmp_path / CHIPS / CHIP_INDEX
    told = json.loads(path.read_text(encoding="utf-8"))
    told["chips"][frame["id"][0]]["roles"] = ["before", "../../x"]
    path.write_text(json.dumps(told), encoding="utf-8")
    assert make_dossier(frame, RECORD, tmp_path).entries[0].chip.roles == ("before",)


def test_decisions_and_choices_make_another_dossier(tmp_path):
    dossier = made_up(tmp_path, 5)
    sure = dossier.entries[2].id
    decided = dossier.decided({sure: Decision(id=sure, answer="confirmed")})
    assert [item.decision is not None for item in decided.entries] == [
        False,
        False,
        True,
        *[False] * 2,
    ]
    assert dossier.entries[2].decision is None
    assert [item.id for item in decided.only(decided.entries[2:3]).entries] == [sure]


def test_hostile_texts_come_through_as_they_are(tmp_path):
    told = [
        item.values["township"] for item in made_up(tmp_path, len(HOSTILE), texts=HOSTILE).entries
    ]
    assert tuple(told) == HOSTILE


def test_no_folder_of_results(tmp_path):
    with pytest.raises(LayerError, match="not a folder of results"):
        open_dossier(tmp_path)
    (tmp_path / "run.json").write_text(json.dumps(RECORD | {"outputs": ["suspects.geojson"]}))
    with pytest.raises(LayerError, match="not a folder of results"):
        open_dossier(tmp_path)
    (tmp_path / "run.json").write_text(json.dumps(RECORD | {"outputs": ["results.gpkg"]}))
    with pytest.raises(LayerError, match=r"results\.gpkg"):
        open_dossier(tmp_path)


def test_a_folder_of_results_is_what_was_found(results):
    dossier = open_dossier(results)
    known = made_up(results / "known", 4, pictures=True)
    for item, same in zip(dossier.entries, known.entries, strict=True):
        assert (item.id, item.chip, item.lon, item.lat) == (same.id, same.chip, same.lon, same.lat)
        assert item.outline.equals(same.outline)
        assert {name: item.values[name] for name in same.values} == same.values


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("run_id", value) for value in (None, 5, [], "", "A" * 16, "0" * 17, "0" * 16 + "\n")),
        *(("run_id", value) for value in (BAD_UTF * 16, "../../../../etc/")),
        *(("outputs", value) for value in (None, 5, "results.gpkg", {}, [LAYERS, 5])),
        *(("version", value) for value in (None, 5, [], BAD_UTF)),
        *(("inputs", value) for value in (None, 5, {}, [None], [5], ["a"], [[]], [{}])),
        *(("flights", value) for value in (5, [], "a", {"before": None}, {"x": [1]})),
        *(("alignment", value) for value in (5, [], "verified", {}, {"why": "a"})),
        *(("findings", value) for value in (5, {}, ["a"], [{"level": "warning"}])),
        *(("assumptions", value) for value in (5, {}, [5], [None], [BAD_UTF])),
        *(("permits", value) for value in (5, [], {}, {"read": 1}, {"read": "1"})),
        ("permits", {"read": 1, "flawed_rows": 3}),
        ("permits", {"read": True, "flawed_rows": []}),
        ("heights", 5),
        ("flight", []),
        ("changes", "many"),
        ("judged_m2", "all"),
        ("excluded_m2", math.inf),
        ("excluded_m2", math.nan),
    ],
)
def test_a_record_that_no_run_writes_is_refused(results, key, value):
    write_record(results, RECORD | {key: value})
    assert f"run.json: cannot be read (damaged at '{key}" in refusal(results)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *((("inputs", 0, name), value) for name in ("role", "name", "sha256") for value in (5, [])),
        *((("inputs", 1, "size"), value) for value in ("1", 1.5, None, True)),
        *((("flights", "after", "name"), value) for value in (None, {}, BAD_UTF)),
        *((("flights", "before", "flown_on"), value) for value in (20250315, [], {})),
        *((("alignment", "verdict"), value) for value in ("fine", None, [], {})),
        *((("alignment", "why"), value) for value in (None, 5, BAD_UTF)),
    ],
)
def test_what_stands_deep_in_a_record_is_looked_at(results, path, value):
    record = copy.deepcopy(RECORD)
    inner = record
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    write_record(results, record)
    shown = ".".join(str(name + 1 if isinstance(name, int) else name) for name in path)
    assert f"damaged at '{shown}'" in refusal(results)


def test_the_key_that_is_told_cannot_control_a_terminal(results):
    write_record(results, RECORD | {"flights": {"\x1b[2J\n\u202e" + "a" * 10_000: None}})
    assert "\\x1b" in refusal(results)


@pytest.mark.parametrize("key", ["run_id", "version", "inputs"])
def test_a_record_without_what_every_run_writes_is_refused(results, key):
    write_record(results, {name: value for name, value in RECORD.items() if name != key})
    assert key in refusal(results)


def test_the_record_of_one_flight_alone_is_sound(results):
    flight = RECORD["flights"]["before"] | {"flown_on": None}
    alone = {k: v for k, v in RECORD.items() if k not in ("flights", "alignment")}
    write_record(results, alone | {"flight": flight, "permits": None, "told_by": "heights"})
    assert len(open_dossier(results).entries) == 4


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\x00", b"no database" * 99])
def test_layers_that_are_no_database_are_refused(results, content):
    (results / LAYERS).write_bytes(content)
    assert f"{LAYERS}: cannot be read (" in refusal(results)


def test_a_file_that_leads_gdal_elsewhere_is_not_followed(results):
    shown = results / "elsewhere.gpkg"
    (results / LAYERS).rename(shown)
    (results / LAYERS).write_text(
        f'<OGRVRTDataSource><OGRVRTLayer name="suspects"><SrcDataSource>{shown}</SrcDataSource>'
        "</OGRVRTLayer></OGRVRTDataSource>"
    )
    assert "not a GeoPackage" in refusal(results)
    (results / LAYERS).unlink()
    os.mkfifo(results / LAYERS)
    assert "not a file" in refusal(results)


def test_a_layer_that_is_gone_is_told(results):
    with closing(sqlite3.connect(results / LAYERS)) as database:
        database.executescript("""
            DROP TRIGGER IF EXISTS trigger_delete_feature_count_suspects;
            UPDATE gpkg_contents SET table_name = 'others', identifier = 'others';
            UPDATE gpkg_geometry_columns SET table_name = 'others';
            ALTER TABLE suspects RENAME TO others;
        """)
    assert "suspects" in refusal(results)


@pytest.mark.parametrize("name", ["id", "why_zh", "flown_after", "area_m2"])
def test_a_column_that_is_missing_is_told(results, name):
    change_layer(results, lambda frame: frame.drop(columns=name))
    assert f"columns are missing: {name}" in refusal(results)


def test_a_layer_without_outlines_is_told(results):
    change_layer(results, lambda frame: frame.drop(columns="geometry"), geometry=None)
    assert "has no outlines" in refusal(results)


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_a_layer_without_a_crs_is_told(results):
    change_layer(results, lambda frame: frame.set_crs(None, allow_override=True))
    assert "CRS" in refusal(results)


@pytest.mark.parametrize("crs", ["EPSG:4326", 'LOCAL_CS["x",UNIT["metre",1]]'])
def test_a_crs_that_is_none_of_a_map_is_told(results, crs):
    named = CRS.from_user_input(crs)
    change_layer(results, lambda frame: frame.set_crs(named, allow_override=True))
    assert "not in metres" in refusal(results)


@pytest.mark.parametrize(
    ("outline", "why"),
    [
        (None, "no polygon"),
        (Polygon(), "no polygon"),
        (Point(537_000, 2_556_000), "no polygon"),
        (LineString([(537_000, 2_556_000), (537_010, 2_556_000)]), "no polygon"),
        (MultiPolygon([box(0, 0, 1, 1), box(2, 2, 3, 3)]), "no polygon"),
        (shapely.from_wkt("GEOMETRYCOLLECTION (POLYGON ((0 0, 1 0, 1 1, 0 0)))"), "no polygon"),
        (Polygon([(0, 0), (9, 9), (9, 0), (0, 9)]), "crosses itself"),
        (Polygon([(0, 0), (9, 9), (0, 0)]), "crosses itself"),
        (box(537_000, 2_556_000, 537_010, 1e9), "outside its CRS"),
        (box(537_000, 2_556_000, math.inf, 2_556_010), "outside its CRS"),
        ("POLYGON ((0 0, 9 nan, 9 0, 0 0))", "outside its CRS"),
        (box(9e7, 9e7, 9e7 + 10, 9e7 + 10), "outside its CRS"),
    ],
)
def test_an_outline_that_no_run_draws_is_told(results, outline, why):
    def change(frame):
        shape = shapely.from_wkt(outline) if isinstance(outline, str) else outline
        return frame.set_geometry([frame.geometry[0], shape, *frame.geometry[2:]], crs=frame.crs)

    with np.errstate(invalid="ignore"):
        change_layer(results, change)
    told = refusal(results)
    assert why in told
    assert "'000000000001'" in told


def test_an_outline_may_be_the_one_part_of_many_and_have_heights(results):
    known = [item.outline for item in open_dossier(results).entries]

    def change(frame):
        return frame.set_geometry(
            [MultiPolygon([shapely.force_3d(shape, 7.0)]) for shape in frame.geometry],
            crs=frame.crs,
        )

    change_layer(results, change, geometry="MultiPolygon Z")
    found = [item.outline for item in open_dossier(results).entries]
    assert all(isinstance(shape, Polygon) and not shape.has_z for shape in found)
    assert all(shape.equals(same) for shape, same in zip(found, known, strict=True))


def test_an_id_that_stands_twice_is_told(results):
    change_layer(results, lambda frame: frame.assign(id="00000000000a"))
    assert "'00000000000a': the id stands twice" in refusal(results)


@pytest.mark.parametrize("name", ["area_m2", "severity", "demolished_m2"])
@pytest.mark.parametrize("value", ["many", math.inf, 1e300, np.float32(math.inf)])
def test_a_number_that_is_none_is_told(results, name, value):
    change_layer(results, lambda frame: frame.assign(**{name: value}))
    assert f"column {name}: not a number" in refusal(results)


def test_numbers_where_text_belongs_become_text(results):
    told = {
        "permit_number": 7,
        "township": [1.0, None, 2.5, 3.0],
        "reason": True,
        "flown_after": np.datetime64("2025-12-13"),
        "area_m2": 5,
    }
    change_layer(results, lambda frame: frame.assign(**told))
    found = [item.values for item in open_dossier(results).entries]
    assert [item["township"] for item in found] == ["1", None, "2.5", "3"]
    assert found[0]["permit_number"] == "7"
    assert isinstance(found[0]["reason"], str)
    assert found[0]["flown_after"] == "2025-12-13"
    assert found[0]["area_m2"] == 5.0


def test_columns_that_somebody_added_are_text(results):
    change_layer(results, lambda frame: frame.assign(width_m="about 5", photo_bytes=b"a\x00b"))
    for item in open_dossier(results).entries:
        assert item.values["width_m"] == "about 5"
        assert all(
            value is None or isinstance(value, str | float) for value in item.values.values()
        )


@pytest.mark.parametrize(
    "told",
    [
        *({name: value} for name in ("left", "top") for value in (math.nan, math.inf, 1e300, "1")),
        *({"pixel_m": value} for value in (0, -0.1, 1e-300, 1e300, math.nan, math.inf, None, True)),
        *({"side_px": value} for value in (0, -1, 4097, 480.0, math.inf, "480", None, True)),
        *({"roles": value} for value in (None, "before", 5, [5], {"before": 1})),
        *({"profile": value} for value in (5, [], {}, "a")),
    ],
)
def test_an_index_that_no_run_writes_is_refused(results, told):
    change_chip(results, **told)
    assert f"'chips.000000000000.{next(iter(told))}" in refusal(results)


@pytest.mark.parametrize(
    "told",
    [
        {"distance_m": [0.0, 4.0]},
        {"distance_m": [0.0, 4.0, None, 12.0]},
        {"distance_m": [0.0, 4.0, "8", 12.0]},
        {"distance_m": [0.0, 4.0, math.nan, 12.0]},
        {"distance_m": [0.0, 4.0, 4.0, 12.0]},
        {"distance_m": [12.0, 8.0, 4.0, 0.0]},
        {"distance_m": [0.0, 1e-300, 2e-300, 3e-300]},
        {"before_m": [1.0, 2.0, 3.0]},
        {"before_m": [1.0, 2.0, 3.0, "4"]},
        {"before_m": [1.0, 2.0, 3.0, math.nan]},
        {"before_m": [1.0, 2.0, 3.0, 1e300]},
        {"after_m": None},
        {"after_m": "1234"},
    ],
)
def test_a_profile_that_no_run_takes_is_refused(results, told):
    row = [10.0, 10.1, None, 10.0]
    profile = {"distance_m": [0.0, 4.0, 8.0, 12.0], "before_m": row, "after_m": row}
    change_chip(results, profile=profile)
    assert open_dossier(results).entries[0].chip.profile.after_m[1] == 10.1
    change_chip(results, profile=profile | told)
    assert "profile" in refusal(results)


def test_an_index_nested_without_end_is_told(results):
    (results / CHIPS / CHIP_INDEX).write_text("[" * 100_000, encoding="utf-8")
    assert CHIP_INDEX in refusal(results)


def test_an_index_that_is_a_link_is_told(results):
    index = results / CHIPS / CHIP_INDEX
    index.rename(results / "index.json")
    index.symlink_to(results / "index.json")
    assert "not a file" in refusal(results)


def roles(folder):
    return [item.chip.roles if item.chip else None for item in open_dossier(folder).entries]


@pytest.mark.parametrize("inside", [CHIPS, f"{CHIPS}/marked"])
def test_a_picture_that_is_a_link_or_gone_is_none(results, inside):
    both, names = ("before", "after"), [item.id for item in open_dossier(results).entries]
    paths = [results / inside / f"{name}_after.jpg" for name in names]
    for path in paths[:3]:
        path.unlink()
    paths[0].symlink_to(Path("/etc/passwd"))
    paths[1].mkdir()
    assert roles(results) == [("before",)] * 3 + [both]
    assert open_dossier(results).entries[0].picture("after", marked=False) is None


@pytest.mark.parametrize(("inside", "left"), [(CHIPS, None), (f"{CHIPS}/marked", ())])
def test_a_folder_of_pictures_that_is_a_link_holds_none(results, inside, left):
    (results / inside).rename(results / "elsewhere")
    (results / inside).symlink_to(results / "elsewhere")
    assert roles(results) == [left] * 4


def test_pictures_that_nobody_marked_are_none(results):
    (results / CHIPS / "marked").rename(results / "elsewhere")
    assert roles(results) == [()] * 4
    assert re.fullmatch("[0-9a-f]{12}", open_dossier(results).entries[0].id)
