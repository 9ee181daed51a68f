"""Layers: files made awkward one by one, and what must be said about each."""

import json
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
from shapely import GeometryCollection, LineString, MultiPolygon, Point, Polygon, box

from change.layers import read_layer
from change.layers.encodings import choose_encoding, decoded, stated_encoding
from change.layers.polygons import clean, parsed
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


def test_swapped_axes_are_named(tmp_path):
    swapped = shapely.transform(HOUSE, lambda p: p[:, ::-1])
    path = written(table(swapped), tmp_path / "a.gpkg")
    with pytest.raises(LayerError, match=r"lies [\d.]+ km from the flight.*axes seem swapped"):
        read_layer(path, area=AREA)


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
