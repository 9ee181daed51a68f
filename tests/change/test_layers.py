"""Layers: files made awkward one by one, and what must be said about each."""

import itertools
import json
import re
import shutil
import warnings
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS
from shapely import (
    GeometryCollection,
    LineString,
    MultiLineString,
    MultiPolygon,
    Point,
    Polygon,
    box,
)

from change.layers import read_layer
from change.layers.encodings import choose_encoding, decoded, stated_encoding
from change.layers.placement import place
from change.layers.polygons import clean, parsed
from change.layers.strays import settle_strays
from survey.errors import LayerError
from survey.grid import Bounds, WorkingGrid

CGCS = CRS.from_epsg(4547)
X, Y = 428_000.0, 2_555_000.0
AREA = WorkingGrid.around(
    Bounds(left=X, bottom=Y, right=X + 500, top=Y + 500), crs=CGCS, pixel_m=0.5
)
HOUSE = box(X + 10, Y + 10, X + 20, Y + 20)


def table(*shapes, crs=CGCS, **columns):
    return gpd.GeoDataFrame(
        columns or {"n": range(len(shapes))}, geometry=list(shapes or [HOUSE]), crs=crs
    )


def written(frame, path, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # shapefiles shorten names and say so
        frame.to_file(path, **options)
    return path


def geojson(path, *geometries, **more):
    features = [{"type": "Feature", "properties": {}, "geometry": g} for g in geometries]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features, **more}))
    return path


def whys(read):
    return [(flaw.row, flaw.why, flaw.kept) for flaw in read.bad_rows]


def same(one, other):
    return one.symmetric_difference(other).area < 0.5  # MapInfo keeps centimetres


# --- formats, paths, layers ---


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".fgb", ".gml", ".geojson", ".kml", ".tab"])
def test_formats_give_the_same_outline(tmp_path, suffix):
    frame = table(crs=CGCS)
    if suffix in (".geojson", ".kml"):
        frame = frame.to_crs(4326)
    read = read_layer(written(frame, tmp_path / f"房屋{suffix}"), area=AREA)
    assert same(read.frame.geometry.iloc[0], HOUSE)
    assert read.frame.crs == CGCS
    assert (list(read.frame.index), read.rows, read.assumptions, read.bad_rows) == ([1], 1, (), ())


def test_reading_leaves_the_folder_as_it_was(tmp_path):
    for suffix in (".gpkg", ".shp", ".gml", ".geojson"):
        written(table().to_crs(4326), tmp_path / f"a{suffix}")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for path in sorted(tmp_path.glob("a.*")):
        if path.suffix in (".gpkg", ".shp", ".gml", ".geojson"):
            read_layer(path, area=AREA)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_several_layers_have_to_be_named(tmp_path):
    path = written(table(), tmp_path / "a.gpkg", layer="许可")
    written(table(Point(X, Y)), path, layer="points")
    assert read_layer(path, area=AREA).layer == "许可"
    written(table(HOUSE, HOUSE), path, layer="old")
    with pytest.raises(LayerError, match=r"name one with \|layername=: 许可, old"):
        read_layer(path, area=AREA)
    assert len(read_layer(f"{path}|layername=old", area=AREA).frame) == 2
    assert len(read_layer(path, area=AREA, layer="许可").frame) == 1
    with pytest.raises(LayerError, match="no layer new; it has 许可, points, old"):
        read_layer(f"{path}|layername=new", area=AREA)
    with pytest.raises(LayerError, match="only layername=NAME"):
        read_layer(f"{path}|subset=n=1", area=AREA)


@pytest.mark.parametrize("folder", ["", "许可证/2024/"])
def test_shapefile_in_a_zip(tmp_path, folder):
    written(table(户主=["张三"]), tmp_path / "权.shp", encoding="GBK")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in sorted(tmp_path.glob("权.*")):
            if path.suffix != ".cpg":
                archive.write(path, folder + path.name)
    read = read_layer(tmp_path / "a.zip", area=AREA)
    assert (read.layer, list(read.frame["户主"]), read.encoding) == ("权", ["张三"], "gb18030")


def test_a_zip_stays_in_its_place(tmp_path):
    target = tmp_path / "inner"
    target.mkdir()
    with zipfile.ZipFile(target / "a.zip", "w") as archive:
        archive.writestr("../../escaped.geojson", "{}")
        archive.writestr("/absolute.geojson", "{}")
    with pytest.raises(LayerError):
        read_layer(target / "a.zip", area=AREA)
    assert [path.name for path in tmp_path.rglob("*.geojson")] == []


def test_geodatabase_and_folder(tmp_path):
    path = written(table(), tmp_path / "a.gdb", driver="OpenFileGDB")
    assert len(read_layer(path, area=AREA).frame) == 1
    folder = tmp_path / "shapes"
    folder.mkdir()
    written(table(), folder / "a.shp")
    assert len(read_layer(folder, area=AREA).frame) == 1


def test_a_part_of_the_shapefile_is_missing_or_meant(tmp_path):
    path = written(table(), tmp_path / "a.shp")
    assert len(read_layer(tmp_path / "a.dbf", area=AREA).frame) == 1
    path.with_suffix(".shx").unlink()
    with pytest.raises(LayerError, match=r"the \.shx of this shapefile is missing"):
        read_layer(path, area=AREA)


def test_awkward_names(tmp_path):
    for name in ("a!b.gpkg", "a b.shp", "甲'乙.geojson", "PG:x.gpkg", "UPPER.SHP"):
        frame = table().to_crs(4326) if name.endswith("geojson") else table()
        driver = {"driver": "ESRI Shapefile"} if name == "UPPER.SHP" else {}
        plain = written(frame, tmp_path / f"plain{Path(name).suffix.lower()}", **driver)
        for path in sorted(tmp_path.glob("plain.*")):
            upper = name == "UPPER.SHP"
            shutil.move(
                path, tmp_path / (Path(name).stem + (path.suffix.upper() if upper else path.suffix))
            )
        assert not plain.exists()
        assert len(read_layer(tmp_path / name, area=AREA).frame) == 1


def test_one_feature_a_line(tmp_path):
    lines = [
        json.dumps(
            {"type": "Feature", "properties": {"a": 1}, "geometry": shapely.geometry.mapping(g)}
        )
        for g in gpd.GeoSeries([HOUSE, HOUSE.buffer(3)], crs=CGCS).to_crs(4326)
    ]
    path = tmp_path / "a.json"
    path.write_text("\n".join(lines) + "\n")
    assert len(read_layer(path, area=AREA).frame) == 2


@pytest.mark.parametrize(
    "name", ["https://example.org/a.geojson", "/vsicurl/https://example.org/a.shp", "PG:dbname=x",
             "postgresql://h/db", "nothing.gpkg", "a\0b", "x" * 5000, "WFS:http://x"],
)  # fmt: skip
def test_only_files_that_are_there(name):
    with pytest.raises(LayerError) as caught:
        read_layer(name, area=AREA)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        '<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>{}</SrcDataSource>'
        "</OGRVRTLayer></OGRVRTDataSource>",
        '{{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline ! read {}"}}',
        "<OGRWFSDataSource><URL>http://localhost:1/</URL></OGRWFSDataSource>",
    ],
)
@pytest.mark.parametrize("suffix", [".vrt", ".geojson"])
def test_files_that_point_elsewhere(tmp_path, text, suffix):
    real = written(table(), tmp_path / "real.gpkg")
    path = tmp_path / f"a{suffix}"
    path.write_text(text.format(real))
    with pytest.raises(LayerError, match="points to data elsewhere"):
        read_layer(path, area=AREA)


@pytest.mark.parametrize(
    "junk", [b"", b"\0" * 100, b"{", b'{"type":"FeatureCollection"}', b"PK\3\4x"]
)
@pytest.mark.parametrize(
    "suffix", [".gpkg", ".shp", ".geojson", ".zip", ".fgb", ".kml", ".gml", ".csv"]
)
def test_junk_is_one_line(tmp_path, junk, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(junk)
    with pytest.raises(LayerError) as caught:
        read_layer(path, area=AREA)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".fgb", ".geojson"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_cut_off_files_are_refused_or_read_in_part(tmp_path, suffix, share):
    shapes = [shapely.transform(HOUSE, lambda p, i=i: p + i) for i in range(30)]
    path = written(table(*shapes).to_crs(4326), tmp_path / f"a{suffix}")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    try:
        read = read_layer(path, area=AREA)
    except LayerError as error:
        refused = str(error)
        assert "\n" not in refused
    else:
        assert len(read.frame) + len(read.dropped) == read.rows


# --- text ---


def shapefile(tmp_path, codec, ldid, value="深圳市规划局"):
    """Write a shapefile in a codec, lose its .cpg and set the language byte of its table."""
    path = written(table(权利人=[value]), tmp_path / "a.shp", encoding=codec)
    path.with_suffix(".cpg").unlink()
    dbf = path.with_suffix(".dbf")
    content = bytearray(dbf.read_bytes())
    content[29] = ldid
    dbf.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("codec", "ldid", "name", "said"),
    [
        ("GBK", 0x4D, "gb18030", False),
        ("GBK", 0x7A, "gb18030", False),
        ("GBK", 0x00, "gb18030", True),
        ("GBK", 0x57, "gb18030", True),
        ("GBK", 0xEE, "gb18030", True),
        ("UTF-8", 0x00, "utf-8", True),
        ("UTF-8", 0x57, "utf-8", True),
    ],
)
def test_chinese_without_cpg(tmp_path, codec, ldid, name, said):
    read = read_layer(shapefile(tmp_path, codec, ldid), area=AREA)
    assert list(read.frame["权利人"]) == ["深圳市规划局"]
    assert read.encoding == name
    assert any(name.upper() in sentence for sentence in read.assumptions) == said


@pytest.mark.parametrize(
    "label", ["GBK", "936", "ANSI 936", "gb2312", "UTF-8", "65001", "nonsense", ""]
)
def test_cpg_right_wrong_and_unknown(tmp_path, label):
    path = shapefile(tmp_path, "GBK", 0)
    path.with_suffix(".cpg").write_text(label)
    read = read_layer(path, area=AREA)
    assert list(read.frame["权利人"]) == ["深圳市规划局"]
    assert bool(read.assumptions) == (label in ("UTF-8", "65001", "nonsense", ""))


@pytest.mark.parametrize(
    ("label", "codec"),
    [("Big-5", "big5"), ("koi8r", "koi8-r"), ("8859-1", "iso8859-1"), ("1252", "cp1252")],
)
def test_labels_that_files_use(tmp_path, label, codec):
    path = shapefile(tmp_path, "GBK", 0, value="A")
    path.with_suffix(".cpg").write_text(label)
    assert stated_encoding(path) == codec


@pytest.mark.parametrize("ldid", [0x4D, 0x7A])
def test_utf8_under_a_byte_that_says_gbk(tmp_path, ldid):
    read = read_layer(shapefile(tmp_path, "UTF-8", ldid), area=AREA)
    assert (list(read.frame["权利人"]), read.encoding) == (["深圳市规划局"], "utf-8")
    assert "states gb18030 as its encoding; its text fits UTF-8" in read.assumptions[0]


def test_utf8_under_a_cpg_of_one_byte_a_letter():
    raw = ["Café Müller".encode().decode("latin-1")]
    assert choose_encoding(raw, given=None, stated="cp1252", shown="a").name == "utf-8"


BIG5 = ["臺北市建築管理工程處", "陳美玲", "新北市板橋區民權路"]


@pytest.mark.parametrize(("ldid", "said"), [(0x4F, False), (0x78, False), (0x00, True)])
def test_big5(tmp_path, ldid, said):
    path = written(table(HOUSE, HOUSE, HOUSE, owner=BIG5), tmp_path / "a.shp", encoding="Big5")
    path.with_suffix(".cpg").unlink()
    dbf = path.with_suffix(".dbf")
    content = bytearray(dbf.read_bytes())
    content[29] = ldid
    dbf.write_bytes(content)
    read = read_layer(path, area=AREA)
    assert (list(read.frame["owner"]), read.encoding) == (BIG5, "cp950")
    assert any("fits Big5" in text for text in read.assumptions) == said


def test_big5_that_gbk_could_be_is_said():
    raw = ["國語繁體".encode("big5").decode("latin-1")]
    found = choose_encoding(raw, given=None, stated=None, shown="a")
    assert found.name == "gb18030"
    assert "give --encoding Big5" in found.assumption


@given(
    st.lists(
        st.text(st.characters(codec="gb2312", min_codepoint=0x4E00, max_codepoint=0x9FFF),
                min_size=4, max_size=12),
        min_size=3, max_size=8,
    )
)  # fmt: skip
def test_gbk_that_says_so_stays_gbk(texts):
    raw = [text.encode("gbk").decode("latin-1") for text in texts]
    found = choose_encoding(raw, given=None, stated="gb18030", shown="a")
    assert (found.name, found.assumption) == ("gb18030", None)


def test_the_users_encoding_wins(tmp_path):
    path = shapefile(tmp_path, "GBK", 0)
    read = read_layer(path, area=AREA, encoding="GBK")
    assert (list(read.frame["权利人"]), read.assumptions) == (["深圳市规划局"], ())
    with pytest.raises(LayerError, match="is not utf-8"):
        read_layer(path, area=AREA, encoding="utf-8")
    with pytest.raises(LayerError, match="unknown encoding martian"):
        read_layer(path, area=AREA, encoding="martian")


def test_a_character_cut_by_the_width_of_its_field(tmp_path):
    path = shapefile(tmp_path, "GBK", 0, value="深圳市规")
    dbf = path.with_suffix(".dbf")
    dbf.write_bytes(dbf.read_bytes().replace("规".encode("gbk"), "规".encode("gbk")[:1] + b" "))
    assert list(read_layer(path, area=AREA).frame["权利人"]) == ["深圳市"]


def test_accents_are_not_taken_for_chinese():
    raw = ["Café Müller".encode("latin-1").decode("latin-1")]
    found = choose_encoding(raw, given=None, stated=None, shown="a.shp")
    assert found.name == "cp1252"
    assert "give --encoding" in found.assumption


@given(st.text(st.characters(codec="gb18030", exclude_categories=["Cs"]), max_size=40))
def test_decoding_gives_back_the_text(text):
    assert decoded(text.encode("gb18030").decode("latin-1"), "gb18030") == text


def test_hostile_values_stay_text(tmp_path):
    values = [
        "=cmd|' /C calc'!A0",
        "<script>alert(1)</script>",
        "'; DROP TABLE permits;--",
        "\u202e倒",
    ]
    path = written(table(*[HOUSE] * 4, v=values, geometry_=values), tmp_path / "a.gpkg")
    read = read_layer(path, area=AREA)
    assert list(read.frame["v"]) == values


# --- place ---


def test_missing_crs_falls_on_the_flight_or_is_refused(tmp_path):
    path = written(table(crs=None), tmp_path / "a.shp")
    (said,) = read_layer(path, area=AREA).assumptions
    assert "fall on the flight in EPSG:4547" in said
    assert read_layer(path, area=AREA, crs=CGCS).assumptions == ()
    away = written(
        table(shapely.transform(HOUSE, lambda p: p + 90_000), crs=None), tmp_path / "b.shp"
    )
    with pytest.raises(LayerError, match="give --layers-crs"):
        read_layer(away, area=AREA)
    with pytest.raises(LayerError, match="not stated; give --layers-crs"):
        read_layer(path)


def test_the_crs_is_named_that_would_fit(tmp_path):
    path = written(table().to_crs(32649).set_crs(None, allow_override=True), tmp_path / "a.shp")
    with pytest.raises(LayerError, match="it would fall on the flight as EPSG:32649"):
        read_layer(path, area=AREA)


@pytest.mark.parametrize(("stated", "shift"), [(4547, 38_000_000), (4526, 0)])
def test_zone_number_before_the_easting(tmp_path, stated, shift):
    moved = shapely.transform(HOUSE, lambda p: p + np.array([shift, 0]))
    read = read_layer(written(table(moved, crs=stated), tmp_path / "a.gpkg"), area=AREA)
    assert same(read.frame.geometry.iloc[0], HOUSE)
    assert "eastings are those of" in read.assumptions[0]


def test_zone_number_without_any_crs(tmp_path):
    moved = shapely.transform(HOUSE, lambda p: p + np.array([38_000_000, 0]))
    read = read_layer(written(table(moved, crs=None), tmp_path / "a.shp"), area=AREA)
    assert same(read.frame.geometry.iloc[0], HOUSE)
    assert "EPSG:4526" in read.assumptions[0]


def test_esri_prj_is_the_same_crs(tmp_path):
    path = written(table(), tmp_path / "a.shp")
    assert "CGCS2000_3_Degree" in path.with_suffix(".prj").read_text()
    read = read_layer(path, area=AREA)
    assert shapely.equals_exact(read.frame.geometry.iloc[0].normalize(), HOUSE.normalize(), 1e-9)


def test_metres_in_geojson_without_crs(tmp_path):
    path = geojson(tmp_path / "a.geojson", shapely.geometry.mapping(HOUSE))
    read = read_layer(path, area=AREA)
    assert same(read.frame.geometry.iloc[0], HOUSE)
    assert "states degrees" in read.assumptions[0]


def turned(shape):
    return shapely.transform(shape, lambda p: p[:, ::-1])


def test_degrees_that_are_called_metres(tmp_path):
    degrees = gpd.GeoSeries([HOUSE], crs=CGCS).to_crs(4490).iloc[0]
    path = written(table(degrees), tmp_path / "a.gpkg")
    read = read_layer(path, area=AREA)
    assert same(read.frame.geometry.iloc[0], HOUSE)
    assert "states EPSG:4547 but holds degrees" in read.assumptions[0]
    with pytest.raises(LayerError, match="holds degrees; give --layers-crs"):
        read_layer(path)
    with pytest.raises(LayerError, match=r"not metres of EPSG:4547; give --layers-crs EPSG:4490"):
        read_layer(path, area=AREA, crs=CGCS)


@pytest.mark.parametrize("crs", [CGCS, None])
def test_swapped_axes_are_read_and_said(tmp_path, crs):
    suffix = ".gpkg" if crs else ".shp"
    read = read_layer(written(table(turned(HOUSE), crs=crs), tmp_path / f"a{suffix}"), area=AREA)
    assert same(read.frame.geometry.iloc[0], HOUSE)
    (said,) = read.assumptions
    assert re.search("north (stands )?before", said)
    assert read.bad_rows == ()


def test_swapped_degrees_need_no_area_to_be_noticed(tmp_path):
    frame = gpd.GeoSeries([HOUSE], crs=CGCS).to_crs(4490)
    path = written(table(turned(frame.iloc[0]), crs=4490), tmp_path / "a.gpkg")
    read = read_layer(path)
    assert "north stands before east" in read.assumptions[0]
    assert same(read.frame.to_crs(CGCS).geometry.iloc[0], HOUSE)
    assert same(read_layer(path, area=AREA).frame.geometry.iloc[0], HOUSE)


def test_zone_number_is_noticed_without_an_area(tmp_path):
    moved = shapely.transform(HOUSE, lambda p: p + np.array([38_000_000, 0]))
    read = read_layer(written(table(moved), tmp_path / "a.gpkg"))
    assert read.crs == CRS.from_epsg(4526)
    assert "(with or without the zone number); taken as EPSG:4526" in read.assumptions[0]


def test_swapped_in_another_crs_is_refused_with_the_option_that_helps(tmp_path):
    other = gpd.GeoSeries([HOUSE], crs=CGCS).to_crs(32649).iloc[0]
    path = written(table(turned(other), crs=4548), tmp_path / "a.gpkg")
    with pytest.raises(LayerError, match=r"axes seem swapped.*give --layers-crs EPSG:32649"):
        read_layer(path, area=AREA)
    read = read_layer(path, area=AREA, crs=CRS.from_epsg(32649))
    assert same(read.frame.geometry.iloc[0], HOUSE)


@pytest.mark.parametrize("axis", ["north", "east"])
def test_a_lost_sign_is_named(tmp_path, axis):
    degrees = gpd.GeoSeries([HOUSE], crs=CGCS).to_crs(4326).iloc[0]
    factor = np.array([1, -1] if axis == "north" else [-1, 1])
    path = written(
        table(shapely.transform(degrees, lambda p: p * factor), crs=4326), tmp_path / "a.gpkg"
    )
    with pytest.raises(LayerError, match=f"the sign of its {axis} coordinates seems lost"):
        read_layer(path, area=AREA)


def test_wrong_crs_names_the_option_that_mends_it(tmp_path):
    path = written(table(crs=4548), tmp_path / "a.gpkg")
    with pytest.raises(LayerError, match=r"as EPSG:4547; give --layers-crs EPSG:4547$"):
        read_layer(path, area=AREA)
    assert same(read_layer(path, area=AREA, crs=CGCS).frame.geometry.iloc[0], HOUSE)


def test_the_zone_beside_is_named(tmp_path):
    # West of the border of two zones, and drawn in the eastern one without saying so.
    border = WorkingGrid.around(
        Bounds(left=640_000, bottom=Y, right=640_500, top=Y + 500), crs=CGCS, pixel_m=0.5
    )
    house = box(640_010, Y + 10, 640_020, Y + 20)
    beside = gpd.GeoSeries([house], crs=CGCS).to_crs(4548).iloc[0]
    path = written(table(beside, crs=4547), tmp_path / "a.gpkg")
    with pytest.raises(LayerError, match="give --layers-crs EPSG:4548"):
        read_layer(path, area=border)


def test_cgcs2000_and_wgs84_degrees_are_the_same_ground(tmp_path):
    for code in (4490, 4326):
        frame = gpd.GeoDataFrame({"n": [1]}, geometry=[HOUSE], crs=CGCS).to_crs(code)
        read = read_layer(written(frame, tmp_path / f"{code}.gpkg"), area=AREA)
        assert read.frame.geometry.iloc[0].hausdorff_distance(HOUSE) < 0.01
        assert read.assumptions == ()


LOCAL = """PROJCRS["city grid",BASEGEOGCRS["CGCS2000",DATUM["China 2000",
ELLIPSOID["CGCS2000",6378137,298.257222101]]],CONVERSION["city",METHOD["Transverse Mercator"],
PARAMETER["Latitude of natural origin",0],PARAMETER["Longitude of natural origin",113.3333],
PARAMETER["Scale factor at natural origin",1],PARAMETER["False easting",50000],
PARAMETER["False northing",-2500000]],CS[Cartesian,2],AXIS["x",north],AXIS["y",east],
LENGTHUNIT["metre",1]]"""


def test_a_local_system_as_wkt(tmp_path):
    local = CRS.from_wkt(LOCAL)
    drawn = gpd.GeoSeries([HOUSE], crs=CGCS).to_crs(local).iloc[0]
    unsaid = written(table(drawn, crs=None), tmp_path / "a.shp")
    assert same(read_layer(unsaid, area=AREA, crs=local).frame.geometry.iloc[0], HOUSE)
    said = written(table(drawn, crs=local), tmp_path / "b.gpkg")
    assert same(read_layer(said, area=AREA).frame.geometry.iloc[0], HOUSE)


def test_a_layer_elsewhere_is_refused_unless_any_place_will_do(tmp_path):
    path = written(table(shapely.transform(HOUSE, lambda p: p + 20_000)), tmp_path / "a.gpkg")
    with pytest.raises(LayerError, match=r"lies 2\d\.\d km from the flight"):
        read_layer(path, area=AREA)
    assert len(read_layer(path, area=AREA, reach_m=float("inf")).frame) == 1
    assert read_layer(path).frame.crs == CGCS


def test_a_false_crs_from_the_user_is_refused(tmp_path):
    path = written(table(), tmp_path / "a.gpkg")
    with pytest.raises(LayerError, match="from the flight, taken in EPSG:4548"):
        read_layer(path, area=AREA, crs=CRS.from_epsg(4548))


def test_mars(tmp_path):
    mars = CRS.from_user_input("IAU_2015:49900")
    path = written(table(box(10, 10, 11, 11), crs=mars), tmp_path / "a.gpkg")
    with pytest.raises(LayerError, match="does not lie on the Earth"):
        read_layer(path, area=AREA)


# --- rows that are written otherwise than the rest ---


def shifted(east, north=0.0):
    return shapely.transform(HOUSE, lambda p: p + np.array([east, north]))


def test_rows_with_swapped_axes_are_read_and_told(tmp_path):
    read = read_layer(
        written(table(HOUSE, turned(shifted(30)), shifted(60)), tmp_path / "a.gpkg"), area=AREA
    )
    assert whys(read) == [(2, "axes_swapped", True)]
    assert same(read.frame.geometry.iloc[1], shifted(30))
    assert "1 of 3 rows have north before east" in read.assumptions[0]


def test_rows_with_a_zone_number_are_read_and_told(tmp_path):
    rows = [HOUSE, shifted(38_000_030), shifted(38_000_060)]
    read = read_layer(written(table(*rows), tmp_path / "a.gpkg"), area=AREA)
    assert whys(read) == [(2, "zone_prefix", True), (3, "zone_prefix", True)]
    assert same(read.frame.geometry.iloc[1], shifted(30))
    assert "2 of 3 rows have eastings of EPSG:4526" in read.assumptions[0]


def test_a_layer_merged_from_two_zones(tmp_path):
    beside = gpd.GeoSeries([shifted(30), shifted(60)], crs=CGCS).to_crs(4548)
    read = read_layer(written(table(HOUSE, *beside), tmp_path / "a.gpkg"), area=AREA)
    assert whys(read) == [(2, "other_zone", False), (3, "other_zone", False)]
    assert list(read.frame.index) == [1]
    for flaw, true in zip(read.dropped, (shifted(30), shifted(60)), strict=True):
        assert flaw.where.contains(true.centroid)
    (said,) = read.assumptions
    assert "2 of 3 rows fall on the flight only in EPSG:4548" in said


def test_a_layer_of_the_whole_city_has_no_strays(tmp_path):
    city = [shifted(1500.0 * i, 900.0 * j) for i in range(-12, 13) for j in range(-12, 13)]
    read = read_layer(written(table(*city), tmp_path / "a.gpkg"), area=AREA)
    assert (read.bad_rows, read.assumptions, len(read.frame)) == ((), (), 625)


def test_a_layer_of_the_whole_country_has_no_strays(tmp_path):
    # Every 5 km for 700 km to the west: some of it would fall on the area in the zone beside.
    land = [HOUSE, *(shifted(-5_000.0 * i, 2_000.0 * j) for i in range(140) for j in range(-2, 3))]
    read = read_layer(written(table(*land), tmp_path / "a.gpkg"), area=AREA)
    assert [row for row in whys(read) if row[1] != "duplicate"] == []


def test_a_row_at_the_zero_of_its_crs_is_told_with_its_place(tmp_path):
    read = read_layer(written(table(HOUSE, box(0, 0, 9, 9)), tmp_path / "a.gpkg"), area=AREA)
    assert whys(read) == [(2, "elsewhere", False)]
    assert read.bad_rows[0].where.equals(box(0, 0, 9, 9))
    assert "1 of 2 rows lie far outside the area where EPSG:4547 is used" in read.assumptions[0]
    degrees = gpd.GeoSeries([HOUSE], crs=CGCS).to_crs(4490).iloc[0]
    path = written(table(degrees, degrees, box(0, 0, 1e-4, 1e-4), crs=4490), tmp_path / "b.gpkg")
    assert (3, "elsewhere", False) in whys(read_layer(path))


@given(
    st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=8).filter(
        lambda rows: not all(swap for _place, swap in rows)
    )
)
def test_any_mixture_of_axis_orders_comes_out_in_place(rows):
    true = [shifted(12.0 * place) for place, _swap in rows]
    drawn = [turned(shape) if swap else shape for shape, (_p, swap) in zip(true, rows, strict=True)]
    outlines = parsed(list(shapely.to_wkb(drawn)))
    placed = place(
        shapely.bounds(outlines.geometries), stated=CGCS, given=None, area=AREA, shown="a"
    )
    settle_strays(outlines, placed, AREA, CGCS, "a")
    assert all(map(same, outlines.geometries, true))
    assert [flaw.row - 1 for flaw in outlines.bad] == [i for i, (_p, s) in enumerate(rows) if s]


# --- rows ---

BOW_TIE = Polygon([(X, Y), (X + 10, Y + 10), (X + 10, Y), (X, Y + 10)])


def test_every_row_is_accounted_for(tmp_path):
    shapes = [
        HOUSE,
        None,
        Polygon(),
        Point(X, Y),
        LineString([(X, Y), (X + 5, Y)]),
        LineString([(X, Y), (X + 5, Y), (X + 5, Y + 5), (X, Y)]),
        BOW_TIE,
        HOUSE,
        GeometryCollection([Point(X, Y), HOUSE.buffer(2), GeometryCollection([HOUSE])]),
        Polygon([(X, Y), (X + 1, Y), (X, Y)]),
        MultiPolygon([HOUSE, box(X + 40, Y, X + 50, Y + 5)]),
    ]
    read = read_layer(written(table(*shapes), tmp_path / "a.gpkg"), area=AREA)
    assert whys(read) == [
        (2, "no_geometry", False),
        (3, "no_geometry", False),
        (4, "not_a_polygon", False),
        (5, "not_a_polygon", False),
        (6, "line_closed", True),
        (7, "ring_repaired", True),
        (8, "duplicate", True),
        (9, "collection_reduced", True),
        (9, "ring_repaired", True),
        (10, "degenerate", False),
    ]
    assert list(read.frame.index) == [1, 6, 7, 8, 9, 11]
    assert list(read.frame["n"]) == [0, 5, 6, 7, 8, 10]
    assert read.frame.geometry.is_valid.all()
    assert read.frame.geometry.iloc[2].area == pytest.approx(50)
    assert read.frame.geometry.iloc[5].geom_type == "MultiPolygon"
    where = {flaw.row: flaw.where for flaw in read.dropped}
    assert where[4].equals(Point(X, Y))
    assert where[2] is None


def test_one_outline_as_polygon_and_as_multipolygon_is_a_duplicate(tmp_path):
    read = read_layer(
        written(table(MultiPolygon([HOUSE]), HOUSE, HOUSE.reverse()), tmp_path / "a.gpkg"),
        area=AREA,
    )
    assert whys(read) == [(2, "duplicate", True), (3, "duplicate", True)]


def test_four_walls_make_an_outline(tmp_path):
    points = list(HOUSE.exterior.coords)
    walls = [LineString(pair) for pair in itertools.pairwise(points)]
    more = LineString([(X + 30, Y), (X + 40, Y)])
    read = read_layer(
        written(
            table(MultiLineString(walls), MultiLineString([*walls, more])), tmp_path / "a.gpkg"
        ),
        area=AREA,
    )
    assert [row[:2] for row in whys(read)] == [
        (1, "line_closed"),
        (2, "line_closed"),
        (2, "duplicate"),
    ]
    assert read.frame.geometry.iloc[0].equals(HOUSE)
    assert "1 open lines beside it were left out" in read.bad_rows[1].detail


def test_slivers_are_told_and_kept(tmp_path):
    strip = box(X, Y, X + 20, Y + 0.1)
    shapes = [strip, MultiPolygon([HOUSE, strip]), box(X, Y + 30, X + 20, Y + 30.3)]
    read = read_layer(written(table(*shapes), tmp_path / "a.gpkg"), area=AREA)
    assert whys(read) == [(1, "sliver", True), (2, "sliver", True)]
    assert "only 0.10 m wide" in read.bad_rows[0].detail
    assert "1 of 2 parts" in read.bad_rows[1].detail
    assert len(read.frame) == 3


def test_a_repair_that_costs_ground_says_how_much(tmp_path):
    twice = MultiPolygon([HOUSE, box(X + 15, Y + 10, X + 25, Y + 20)])  # overlap of 50 m2
    read = read_layer(written(table(twice), tmp_path / "a.gpkg"), area=AREA)
    assert read.frame.geometry.iloc[0].area == pytest.approx(150)
    assert "200.0 m2 as drawn, 150.0 m2 repaired; -50.0 m2 by the repair" in read.bad_rows[0].detail
    spike = Polygon([*HOUSE.exterior.coords[:2], (X + 60, Y + 20), *HOUSE.exterior.coords[1:]])
    read = read_layer(written(table(spike), tmp_path / "b.gpkg"), area=AREA)
    assert [(row.why, "by the repair" in row.detail) for row in read.bad_rows] == [
        ("ring_repaired", False)
    ]


def test_repair_says_how_the_area_moved(tmp_path):
    read = read_layer(written(table(BOW_TIE), tmp_path / "a.gpkg"), area=AREA)
    assert "area 0.0 m2 as drawn, 50.0 m2 repaired" in read.bad_rows[0].detail


def test_heights_are_flattened(tmp_path):
    tall = shapely.force_3d(HOUSE, 12.0)
    read = read_layer(written(table(tall), tmp_path / "a.gpkg"), area=AREA)
    assert not read.frame.geometry.has_z.any()


def test_unclosed_ring_is_closed(tmp_path):
    ring = [[113.0, 23.0], [113.001, 23.0], [113.001, 23.001], [113.0, 23.001]]
    read = read_layer(geojson(tmp_path / "a.geojson", {"type": "Polygon", "coordinates": [ring]}))
    assert whys(read) == [(1, "ring_closed", True)]
    assert read.frame.geometry.iloc[0].area == pytest.approx(102.5 * 110.8, rel=0.01)


def test_numbers_that_are_none(tmp_path):
    bad = shapely.to_wkb(HOUSE, byte_order=1)
    for value in (np.nan, np.inf, 1e300):
        spoilt = bytearray(bad)
        spoilt[29:37] = np.float64(value).tobytes()
        outlines = clean(parsed([bytes(spoilt), bad]), CGCS, CGCS)
        (flaw,) = outlines.bad
        assert (flaw.row, flaw.kept) == (1, False)
        assert flaw.why == ("outside_crs" if value == 1e300 else "nonfinite_coordinates")
        assert outlines.present() == [1]
    assert clean(parsed([bytes(spoilt[:40]), b"", bad]), CGCS, CGCS).present() == [2]


def test_degrees_that_are_none(tmp_path):
    path = geojson(
        tmp_path / "a.geojson",
        shapely.geometry.mapping(box(190, 20, 191, 21)),
        shapely.geometry.mapping(box(113, 23, 113.001, 23.001)),
    )
    read = read_layer(path)
    assert whys(read) == [(1, "outside_crs", False)]


def test_nothing_usable_says_why(tmp_path):
    path = written(table(Point(X, Y), Point(X, Y + 1)), tmp_path / "a.gpkg")
    with pytest.raises(LayerError, match="no usable outline in 2 rows; most often: Point, not an"):
        read_layer(path, area=AREA)
    empty = written(table().iloc[:0], tmp_path / "b.gpkg")
    with pytest.raises(LayerError, match="empty"):
        read_layer(empty, area=AREA)


@st.composite
def scribbles(draw):
    corner = st.tuples(st.integers(0, 60), st.integers(0, 60))
    ring = draw(st.lists(corner, min_size=3, max_size=9))
    return Polygon([(X + x, Y + y) for x, y in ring])


@given(st.lists(scribbles(), min_size=1, max_size=6))
def test_whatever_is_drawn_comes_out_clean_or_is_reported(shapes):
    outlines = clean(parsed(list(shapely.to_wkb(shapes))), CGCS, CGCS)
    kept = outlines.present()
    dropped = {flaw.row - 1 for flaw in outlines.bad if not flaw.kept}
    assert sorted([*kept, *dropped]) == list(range(len(shapes)))
    for index in kept:
        outline = outlines.geometries[index]
        assert isinstance(outline, Polygon | MultiPolygon)
        assert outline.is_valid
        assert outline.area > 0
        if shapes[index].is_valid:
            assert outline.equals(shapes[index])


def test_gdal_settings_are_put_back(tmp_path):
    read_layer(written(table(), tmp_path / "a.gpkg"), area=AREA)
    assert pyogrio.get_gdal_config_option("GML_DOWNLOAD_SCHEMA") is None
