"""Delimited text, GeoParquet and PostGIS: the same layer out of each, or one line that says why."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import CRS
from shapely import Point, box

from change.layers import is_database, read_layer, shown_database, states_crs
from change.permits import open_permits
from survey.errors import LayerError
from tests.change.test_layers import AREA, CGCS, HOUSE, X, Y, same, table, whys, written
from tests.command import call_here

SECOND = shapely.transform(HOUSE, lambda p: p + 30)


def csv_file(path, head, *rows, encoding="utf-8", mark=","):
    lines = [
        mark.join(f'"{cell}"' if mark in str(cell) else str(cell) for cell in row)
        for row in (head, *rows)
    ]
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return path


# --- delimited text ---


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("name", ["几何", "the_geom", "WKT"])
def test_outlines_as_wkt_in_any_column(tmp_path, encoding, mark, name):
    path = csv_file(
        tmp_path / "a.csv",
        ("许可证号", name, "权利人"),
        ("甲1", HOUSE.wkt, "张三"),
        ("甲2", SECOND.wkt, "李四"),
        encoding=encoding,
        mark=mark,
    )
    permits = open_permits(path, area=AREA)
    assert [(p.number, p.holder) for p in permits.permits] == [("甲1", "张三"), ("甲2", "李四")]
    assert all(map(same, [p.outline for p in permits.permits], [HOUSE, SECOND]))
    assert "fall on the flight in EPSG:4547" in permits.assumptions[-1]


def test_outlines_with_their_srid(tmp_path):
    plain, hexed = tmp_path / "a.csv", tmp_path / "b.csv"
    csv_file(plain, ("no", "shape"), ("A", f"SRID=4547;{HOUSE.wkt}"))
    ewkb = shapely.to_wkb(shapely.set_srid(HOUSE, 4547), hex=True, include_srid=True)
    csv_file(hexed, ("no", "shape"), ("A", ewkb))
    for path in (plain, hexed):
        assert states_crs(path)
        read = read_layer(path, area=AREA)
        assert same(read.frame.geometry.iloc[0], HOUSE)
        assert (read.assumptions, read.crs) == ((), CGCS)


def test_a_row_without_outline_is_placed_by_its_coordinates(tmp_path):
    path = csv_file(
        tmp_path / "a.csv",
        ("no", "wkt_geom", "东坐标", "北坐标"),
        ("A", HOUSE.wkt, X + 15, Y + 15),
        ("B", "", X + 100, Y + 100),
        ("C", "", "", ""),
        ("D", "POLYGON((1 2", X, Y),
    )
    permits = open_permits(path, area=AREA)
    assert [p.number for p in permits.permits] == ["A"]
    found = {flaw.row: flaw for flaw in permits.bad_rows}
    assert [(row, flaw.why) for row, flaw in found.items()] == [
        (2, "not_a_polygon"), (3, "no_geometry"), (4, "unreadable_geometry"),
    ]  # fmt: skip
    assert found[2].where.equals(Point(X + 100, Y + 100))
    assert permits.lost_numbers == ((2, "B"), (3, "C"), (4, "D"))


@pytest.mark.parametrize(
    "head",
    [("x", "y"), ("经度", "纬度"), ("Longitude", "Latitude"), ("Easting", "Northing"),
     ("X坐标", "Y坐标")],
)  # fmt: skip
def test_points_are_no_outlines(tmp_path, head):
    path = csv_file(tmp_path / "a.csv", ("no", *head), ("A", X, Y), ("B", X + 9, Y))
    with pytest.raises(LayerError, match="no usable outline in 2 rows; most often: Point, not an"):
        open_permits(path, area=AREA)


def test_a_table_without_geometry(tmp_path):
    path = csv_file(tmp_path / "a.csv", ("no", "owner"), ("A", "Li"))
    with pytest.raises(LayerError, match="no layer with geometry"):
        open_permits(path, area=AREA)


# --- GeoParquet ---


def parquet(path, shapes, crs=CGCS, **columns):
    pyarrow = pytest.importorskip("pyarrow", reason='needs pip install "orthowatch[parquet]"')
    from pyarrow import parquet as files

    geo = {"primary_column": "geometry", "version": "1.1.0",
           "columns": {"geometry": {"encoding": "WKB", "geometry_types": []}}}  # fmt: skip
    if crs != "left out":
        geo["columns"]["geometry"]["crs"] = None if crs is None else crs.to_json_dict()
    made = pyarrow.table(columns | {"geometry": [shapely.to_wkb(s) for s in shapes]})
    files.write_table(made.replace_schema_metadata({"geo": json.dumps(geo)}), path)
    return path


def test_geoparquet(tmp_path):
    path = parquet(
        tmp_path / "房.parquet",
        [HOUSE, None, SECOND],
        许可证号=["甲", "乙", "丙"],
        层数=[3, None, 2],
    )
    assert states_crs(path)
    permits = open_permits(path, area=AREA)
    assert [(p.number, p.storeys) for p in permits.permits] == [("甲", 3), ("丙", 2)]
    assert same(permits.permits[1].outline, SECOND)
    assert [(flaw.row, flaw.why) for flaw in permits.bad_rows] == [(2, "no_geometry")]
    assert permits.lost_numbers == ((2, "乙"),)


def test_geoparquet_that_does_not_say_where(tmp_path):
    unsaid = parquet(tmp_path / "a.parquet", [HOUSE], crs=None, n=[1])
    assert not states_crs(unsaid)
    assert "fall on the flight" in read_layer(unsaid, area=AREA).assumptions[0]
    degrees = shapely.box(114.0, 22.5, 114.0001, 22.5001)
    default = parquet(tmp_path / "b.parquet", [degrees], crs="left out", n=[1])
    assert read_layer(default).crs.is_geographic


def test_parquet_that_is_none(tmp_path):
    pytest.importorskip("pyarrow", reason='needs pip install "orthowatch[parquet]"')
    path = tmp_path / "a.parquet"
    path.write_bytes(b"junk")
    with pytest.raises(LayerError, match="cannot be read as a vector layer"):
        read_layer(path)


@pytest.mark.parametrize(
    ("name", "module", "extra"),
    [("a.parquet", "pyarrow", "parquet"), ("postgresql://h/db?table=t", "psycopg", "postgis")],
)
def test_what_is_missing_is_said_with_what_to_install(tmp_path, monkeypatch, name, module, extra):
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setitem(sys.modules, f"{module}.parquet", None)
    if name == "a.parquet":
        name = tmp_path / name
        name.write_bytes(b"PAR1")
    with pytest.raises(LayerError, match=rf'needs {module}; .*"orthowatch\[{extra}\]"'):
        read_layer(name)


# --- PostGIS ---


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://li:s3cret@db.example:5433/land?table=gis.permits",
        "postgres://li:s3cret@db.example:5433/land?table=gis.permits",
        "PG:host=db.example port=5433 dbname=land user=li password='s3cret' tables=gis.permits",
        "postgresql://db.example:5433/land?table=gis.permits&user=li&password=s3cret",
    ],
)
def test_a_connection_is_shown_without_who_and_how(text):
    assert is_database(text)
    assert shown_database(text) == "postgresql://db.example:5433/land gis.permits"


@pytest.mark.parametrize("text", ["a.gpkg", "PG:x.gpkg", Path("postgres.gpkg"), "https://h/d"])
def test_what_is_no_database(text):
    assert not is_database(text)


def test_an_unreachable_database_is_one_line_without_the_password():
    pytest.importorskip("psycopg", reason='needs pip install "orthowatch[postgis]"')
    with pytest.raises(LayerError) as caught:
        read_layer("postgresql://li:s3cret@127.0.0.1:9/land?table=permits")
    said = str(caught.value)
    assert "postgresql://127.0.0.1:9/land permits: the database refuses" in said
    assert "s3cret" not in said
    assert "\n" not in said


BIN = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture(scope="module")
def server():
    """Run a PostgreSQL with PostGIS of our own on a socket in a folder of our own."""
    psycopg = pytest.importorskip("psycopg", reason='needs pip install "orthowatch[postgis]"')
    if not (BIN / "initdb").is_file():
        pytest.skip("PostGIS is missing: apt-get install postgresql-15-postgis-3")
    # Below /tmp itself: the path of a socket has 107 bytes at most, and another user has to get in.
    folder = Path(tempfile.mkdtemp(prefix="orthowatch-pg-"))
    data = folder / "data"
    user = {"user": "postgres"} if os.geteuid() == 0 else {}
    if user:
        shutil.chown(folder, "postgres")

    def run(*words):
        subprocess.run(words, check=True, capture_output=True, cwd="/", timeout=120, **user)

    run(BIN / "initdb", "-D", data, "-U", "li", "-A", "trust", "-E", "UTF8")
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    run(BIN / "pg_ctl", "-D", data, "-l", folder / "log", "-o", options, "-w", "start")
    try:
        with psycopg.connect(host=str(folder), dbname="postgres", user="li") as connection:
            try:
                connection.execute("CREATE EXTENSION postgis")
            except psycopg.Error:
                pytest.skip("PostGIS is missing: apt-get install postgresql-15-postgis-3")
            _fill(connection)
        yield f"postgresql://li:s3cret@/postgres?host={folder}"
    finally:
        run(BIN / "pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _fill(connection):
    connection.execute("CREATE SCHEMA gis")
    connection.execute(
        'CREATE TABLE gis.permits (id int PRIMARY KEY, "许可证号" text, granted date,'
        " footprint numeric(10, 2), geom geometry(Geometry, 4547))"
    )
    rows = [(2, "乙", SECOND), (1, "甲", HOUSE), (3, "丙", None)]
    for number, name, shape in rows:
        connection.execute(
            "INSERT INTO gis.permits"
            " VALUES (%s, %s, '2024-03-01', 120.5, ST_GeomFromText(%s, 4547))",
            (number, name, None if shape is None else shape.wkt),
        )
    connection.execute("CREATE VIEW gis.seen AS SELECT * FROM gis.permits WHERE id < 3")
    connection.execute("CREATE TABLE points (geom geometry(Point, 4547))")
    connection.execute(
        "INSERT INTO spatial_ref_sys VALUES (990001, NULL, NULL, %s, '')",
        (CGCS.to_wkt("WKT1_GDAL"),),
    )
    connection.execute("CREATE TABLE local (geom geometry(MultiPolygon, 990001))")
    connection.execute(
        "INSERT INTO local VALUES (ST_Multi(ST_GeomFromText(%s, 990001)))", (HOUSE.wkt,)
    )


def test_a_table_of_postgis(server):
    address = f"{server}&table=gis.permits"
    permits = open_permits(address, area=AREA)
    assert [(p.number, p.granted.isoformat(), p.footprint_m2) for p in permits.permits] == [
        ("甲", "2024-03-01", 120.5),
        ("乙", "2024-03-01", 120.5),
    ]
    assert same(permits.permits[1].outline, SECOND)
    assert (permits.crs, permits.layer) == (CGCS, "gis.permits")
    assert [(flaw.row, flaw.why) for flaw in permits.bad_rows] == [(3, "no_geometry")]
    assert "s3cret" not in repr(permits)
    assert permits.digest == open_permits(address, area=AREA).digest
    assert states_crs(address)


def test_the_report_on_a_database_tells_nobody_how_to_get_in(server, monkeypatch, capsys, tmp_path):
    address = f"{server}&table=gis.permits"
    answer = call_here(
        monkeypatch, capsys, "permits", "check", address, "--json", "-o", tmp_path / "out"
    )
    assert answer.code == 0, answer.err
    record = (tmp_path / "out" / "report.json").read_text(encoding="utf-8")
    assert "s3cret" not in answer.out + answer.err + record
    (source,) = json.loads(record)["inputs"]
    assert (source["role"], source["name"]) == ("permits", "gis.permits")
    assert source["sha256"] == open_permits(address).digest
    assert len(gpd.read_file(tmp_path / "out" / "permits_check.gpkg", layer="permits")) == 2


def test_a_view_has_an_order_too(server):
    read = read_layer(f"{server}&table=gis.seen", area=AREA)
    assert list(read.frame["id"]) == [1, 2]
    assert read.digest == read_layer(f"{server}&table=gis.seen", area=AREA).digest


def test_which_table_is_meant(server):
    with pytest.raises(
        LayerError, match=r"several tables .* \?table=: gis.permits, gis.seen, public.local"
    ):
        read_layer(server, area=AREA)
    read = read_layer(f"{server}|layername=local", area=AREA)
    assert same(read.frame.geometry.iloc[0], HOUSE)
    with pytest.raises(LayerError, match="no such table with geometry"):
        read_layer(f"{server}&table=nothing", area=AREA)


def test_reading_a_database_changes_nothing(server):
    import psycopg

    before = open_permits(f"{server}&table=gis.permits", area=AREA).digest
    with psycopg.connect(f"{server}") as connection:
        connection.execute("UPDATE gis.permits SET footprint = 99 WHERE id = 1")
    after = open_permits(f"{server}&table=gis.permits", area=AREA)
    assert after.digest != before
    assert after.permits[0].footprint_m2 == 99


def test_flatgeobuf_and_geodatabase_keep_chinese(tmp_path):
    frame = table(HOUSE, SECOND, 许可证号=["甲", "乙"])
    for name, options in (("a.fgb", {}), ("b.gdb", {"driver": "OpenFileGDB"})):
        permits = open_permits(written(frame, tmp_path / name, **options), area=AREA)
        assert sorted(p.number for p in permits.permits) == sorted(["甲", "乙"])
        assert permits.bad_rows == ()


def test_rows_of_text_are_read_as_strays_too(tmp_path):
    swapped = shapely.transform(SECOND, lambda p: p[:, ::-1])
    path = csv_file(tmp_path / "a.csv", ("no", "geom"), ("A", HOUSE.wkt), ("B", swapped.wkt))
    read = read_layer(path, area=AREA, crs=CRS.from_epsg(4547))
    assert whys(read) == [(2, "axes_swapped", True)]
    assert np.allclose(read.frame.geometry.iloc[1].bounds, SECOND.bounds)
    assert box(*read.frame.geometry.iloc[1].bounds).equals(SECOND)
