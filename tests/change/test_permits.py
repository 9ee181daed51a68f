"""Permits: columns by any usual name, cells in any usual spelling, and nothing lost in silence."""

import pickle
import warnings
from datetime import date

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS
from shapely import Point, box

from change.layers import BadRow
from change.layers.attributes import (
    area_in,
    column_m2,
    date_in,
    find_column,
    last_date_in,
    number_in,
    text_in,
)
from change.permits import COLUMNS, open_permits
from survey.errors import LayerError
from survey.grid import Bounds, WorkingGrid
from tests.strategies import make_permit, make_permits

X, Y = 428_000.0, 2_555_000.0
AREA = WorkingGrid.around(
    Bounds(left=X, bottom=Y, right=X + 500, top=Y + 500), crs=CRS.from_epsg(4547), pixel_m=0.5
)
HOUSE = box(X + 10, Y + 10, X + 20, Y + 20)
CHINESE = {
    "许可证号": "粤建字第440001号",
    "权利人": "张三",
    "发证日期": "2024年3月1日",
    "有效期至": "2026/03/01",
    "占地面积": "120.5㎡",
    "建筑面积": "361.5 平方米",
    "层数": "三层",
    "建筑高度": 10.5,
    "用途": "住宅",
}


def written(tmp_path, rows, name="permits.gpkg", shapes=None, **options):
    columns = {key: [row.get(key) for row in rows] for key in rows[0]}
    frame = gpd.GeoDataFrame(columns, geometry=shapes or [HOUSE] * len(rows), crs=4547)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # shapefiles shorten names and say so
        frame.to_file(tmp_path / name, **options)
    return tmp_path / name


def check_chinese(permit):
    assert permit.number == "粤建字第440001号"
    assert (permit.holder, permit.use) == ("张三", "住宅")
    assert (permit.granted, permit.valid_until) == (date(2024, 3, 1), date(2026, 3, 1))
    assert (permit.footprint_m2, permit.floor_area_m2) == (120.5, 361.5)
    assert (permit.storeys, permit.height_m) == (3, 10.5)


@pytest.mark.parametrize(
    ("name", "encoding"),
    [("a.gpkg", "UTF-8"), ("a.shp", "UTF-8"), ("a.shp", "GBK"), ("a.geojson", "UTF-8")],
)
def test_chinese_columns(tmp_path, name, encoding):
    path = written(tmp_path, [CHINESE], name, encoding=encoding)
    permits = open_permits(path, area=AREA)
    check_chinese(permits.permits[0])
    assert permits.bad_rows == ()
    assert len(permits.columns) == 9


def test_gbk_shapefile_that_lost_its_cpg(tmp_path):
    path = written(tmp_path, [CHINESE], "a.shp", encoding="GBK")
    path.with_suffix(".cpg").unlink()
    permits = open_permits(path, area=AREA)
    check_chinese(permits.permits[0])
    assert permits.encoding == "gb18030"
    assert "GB18030" in permits.assumptions[0]


def test_english_columns(tmp_path):
    row = {
        "Permit_No": "2024-17", "Owner": "Li", "Issue Date": "2024-03-01", "Expiry": "20260301",
        "Footprint_m2": 120, "Floor area (m2)": "1,361.5", "STOREYS": 3.0, "height": None,
    }  # fmt: skip
    (permit,) = open_permits(written(tmp_path, [row]), area=AREA).permits
    assert (permit.number, permit.holder) == ("2024-17", "Li")
    assert (permit.granted, permit.valid_until) == (date(2024, 3, 1), date(2026, 3, 1))
    assert (permit.footprint_m2, permit.floor_area_m2) == (120, 1361.5)
    assert (permit.storeys, permit.height_m, permit.use) == (3, None, "")


@pytest.mark.parametrize("encoding", ["GBK", "UTF-8"])
def test_names_that_a_shapefile_cut_off(tmp_path, encoding):
    row = {
        "建设工程规划许可证号": "甲",
        "权利人名称": "张",
        "批准占地面积": 80.0,
        "valid_until": "2026-01-02",
    }
    (permit,) = open_permits(
        written(tmp_path, [row], "a.shp", encoding=encoding), area=AREA
    ).permits
    assert (permit.number, permit.holder) == ("甲", "张")
    assert (permit.footprint_m2, permit.valid_until) == (80.0, date(2026, 1, 2))


def test_the_surer_name_wins_and_no_column_serves_twice(tmp_path):
    row = {"编号": 7, "许可证号": "A", "name": "Li", "id": 3}
    permits = open_permits(written(tmp_path, [row]), area=AREA)
    assert dict(permits.columns) == {"number": "许可证号", "holder": "name"}


def test_columns_can_be_named(tmp_path):
    path = written(tmp_path, [{"F1": "A", "F2": "2024-03-01", "许可证号": "B"}])
    (permit,) = open_permits(path, area=AREA, columns={"number": "F1", "granted": "F2"}).permits
    assert (permit.number, permit.granted) == ("A", date(2024, 3, 1))
    with pytest.raises(LayerError, match="no column F9; it has F1, F2, 许可证号"):
        open_permits(path, area=AREA, columns={"number": "F9"})
    with pytest.raises(LayerError, match="no field colour"):
        open_permits(path, area=AREA, columns={"colour": "F1"})


def test_without_a_number_it_is_said(tmp_path):
    permits = open_permits(written(tmp_path, [{"F1": "A"}]), area=AREA)
    assert permits.permits[0].number == ""
    assert "no column for the permit's number was recognised among F1" in permits.assumptions[0]


def test_an_unreadable_cell_keeps_its_row(tmp_path):
    row = CHINESE | {"发证日期": "去年春天", "层数": "若干"}
    permits = open_permits(written(tmp_path, [CHINESE, row]), area=AREA)
    assert len(permits.permits) == 2
    assert (permits.permits[1].granted, permits.permits[1].storeys) == (None, None)
    flaws = [(flaw.row, flaw.why, flaw.kept) for flaw in permits.bad_rows]
    assert flaws == [
        (2, "duplicate", True), (2, "unreadable_date", True), (2, "unreadable_number", True),
    ]  # fmt: skip
    assert "发证日期" in permits.bad_rows[1].detail
    assert (permits.dropped, permits.unplaced) == (0, 0)


def test_dropped_rows_are_counted_and_can_be_found_by_place(tmp_path):
    rows = [{"no": n} for n in "ABC"]
    path = written(tmp_path, rows, shapes=[HOUSE, Point(X + 100, Y + 100), None])
    permits = open_permits(path, area=AREA)
    assert [(p.row, p.number) for p in permits.permits] == [(1, "A")]
    assert (permits.rows, permits.dropped, permits.unplaced) == (3, 2, 1)
    (flaw,) = permits.flawed_near(box(X + 98, Y + 98, X + 99, Y + 99), 5)
    assert (flaw.row, flaw.why) == (2, "not_a_polygon")
    assert permits.flawed_near(HOUSE, 5) == ()


def test_near_in_the_order_of_the_file():
    rows = [make_permit(box(x, 0, x + 5, 5), str(x), row=i) for i, x in enumerate((20, 0, 7, 90))]
    permits = make_permits(*rows)
    assert [p.number for p in permits.near(box(6, 0, 6.5, 1), 14)] == ["20", "0", "7"]
    assert make_permits().near(box(0, 0, 1, 1), 5) == ()
    again = pickle.loads(pickle.dumps(permits))
    assert again.near(box(6, 0, 6.5, 1), 1) == permits.near(box(6, 0, 6.5, 1), 1)


def test_a_layer_elsewhere_is_refused(tmp_path):
    shape = shapely.transform(HOUSE, lambda p: p + np.array([5000, 0]))
    with pytest.raises(LayerError, match=r"lies 4\.5 km from the flight"):
        open_permits(written(tmp_path, [CHINESE], shapes=[shape]), area=AREA)


@pytest.mark.parametrize(
    "cell",
    ["2024-03-01", "2024/3/1", "2024.03.01", "20240301", 20240301, 20240301.0, "2024年3月1日",
     "2024年03月01", "２０２４-３-１", " 2024-03-01 ", "2024-03-01T00:00:00",
     "2024/03/01 08:30:00.000", "2024-03-01T16:00:00+08:00"],
)  # fmt: skip
def test_dates_that_are_understood(cell):
    assert date_in(cell) == date(2024, 3, 1)


@pytest.mark.parametrize(
    "cell", [None, "", " ", float("nan"), "/", "无", "长期", "0000-00-00", "NULL"]
)
def test_dates_that_are_blank(cell):
    assert date_in(cell) is None


@pytest.mark.parametrize(
    "cell",
    ["1900-01-00", "1900/1/0", "1900年1月0日", "1899-12-30", "1899-12-31T00:00:00", "0", 0, 0.0],
)
def test_the_zero_of_a_spreadsheet_is_blank(cell):
    assert (date_in(cell), last_date_in(cell)) == (None, None)


@pytest.mark.parametrize("cell", ["2024年2月", "2024-02", "2024/2", "2024.02", "２０２４年２月"])
def test_a_month_is_taken_for_the_holder(cell):
    assert (date_in(cell), last_date_in(cell)) == (date(2024, 2, 1), date(2024, 2, 29))


def test_a_spreadsheets_day_number_is_told_with_the_day_it_may_be():
    with pytest.raises(ValueError, match="day number for 2024-03-01"):
        date_in(45352.0)


@pytest.mark.parametrize(
    "cell",
    ["01/03/2024", "2024-13-01", "2024-02-30", "2024", "2024-13", 2024.1, "soon", 45352, 45352.5,
     "1" * 500],
)  # fmt: skip
def test_dates_that_are_refused(cell):
    with pytest.raises(ValueError, match=r"date|day|month"):
        date_in(cell)


@pytest.mark.parametrize(
    ("cell", "number"),
    [(3, 3), ("3", 3), ("3.50", 3.5), ("1,250.5 ㎡", 1250.5), ("90m²", 90), ("九层", 9),
     ("两层", 2), ("3F", 3), ("3层", 3), ("120 平方米", 120), (0, None), ("0.0", None),
     (None, None), ("-", None)],
)  # fmt: skip
def test_numbers(cell, number):
    assert number_in(cell) == number


@pytest.mark.parametrize(
    ("cell", "number"),
    [("十", 10), ("十二层", 12), ("二十", 20), ("三十层", 30), ("九十九", 99), ("一", 1),
     ("零", None), ("〇", None), ("１２层", 12), ("三 层", 3)],
)  # fmt: skip
def test_chinese_numerals(cell, number):
    assert number_in(cell) == number


@pytest.mark.parametrize("cell", ["百", "一百层", "十百", "二三", "层", "十二层楼"])
def test_chinese_numerals_that_are_refused(cell):
    with pytest.raises(ValueError, match="not a number"):
        number_in(cell)


@given(st.integers(1, 99))
def test_every_numeral_up_to_99_comes_back(number):
    digits = "零一二三四五六七八九"
    tens, ones = divmod(number, 10)
    word = ("" if tens == 0 else "十" if tens == 1 else f"{digits[tens]}十") + (
        digits[ones] if ones else ""
    )
    assert number_in(f"{word}层") == number


@pytest.mark.parametrize(
    ("cell", "column", "area"),
    [("0.18亩", "占地面积", 120), ("0.18 亩", "占地面积（亩）", 120), (0.18, "占地面积（亩）", 120),
     (0.18, "占地面积亩", 120), ("120㎡", "占地面积（亩）", 120), ("1.2公顷", "占地面积", 12_000),
     (1.2, "area_ha", 12_000), ("０．３万平方米", "建筑面积", 3000), (120, "占地面积(㎡)", 120),
     (120, "footprint_m2", 120), ("1,234.5 m2", "gfa", 1234.5), (0, "占地面积（亩）", None)],
)  # fmt: skip
def test_areas(cell, column, area):
    assert area_in(cell, column_m2(column)) == (None if area is None else pytest.approx(area))


def test_areas_in_mu_reach_the_permit(tmp_path):
    row = {"许可证号": "A", "占地面积（亩）": 0.18, "建筑面积": "0.54亩"}
    (permit,) = open_permits(written(tmp_path, [row]), area=AREA).permits
    assert (permit.footprint_m2, permit.floor_area_m2) == (
        pytest.approx(120),
        pytest.approx(360),
    )


def test_months_reach_the_permit_as_its_widest_span(tmp_path):
    row = {"许可证号": "A", "发证日期": "2024年3月", "有效期至": "2026年2月"}
    (permit,) = open_permits(written(tmp_path, [row]), area=AREA).permits
    assert (permit.granted, permit.valid_until) == (date(2024, 3, 1), date(2026, 2, 28))


@pytest.mark.parametrize(
    ("cells", "temporary"),
    [
        ({"是否临时": "是"}, True), ({"是否临时": "否"}, False), ({"临时": 1}, True),
        ({"临时": 0}, False), ({"temporary": "yes"}, True), ({"temporary": "FALSE"}, False),
        ({"许可证类型": "临时建设工程规划许可证"}, True),
        ({"许可证类型": "建设工程规划许可证"}, False),
        ({"permit type": "Temporary building permit"}, True),
        ({"permit type": "non-temporary"}, False), ({"是否临时": "非临时建筑"}, False),
        ({"是否临时": "", "许可证号": "穗规临建〔2024〕12号"}, True),
        ({"许可证号": "建字第440001号（临）"}, True), ({"许可证号": "临时建字第3号"}, True),
        ({"许可证号": "临海建字第3号"}, False), ({"许可证号": "临建字第3号"}, False),
        ({"是否临时": "否", "许可证号": "建字（临）第3号"}, False),
        ({"许可证号": "Temple Street 5"}, False),
    ],
)  # fmt: skip
def test_temporary_permits(tmp_path, cells, temporary):
    (permit,) = open_permits(written(tmp_path, [{"权利人": "张三"} | cells]), area=AREA).permits
    assert permit.temporary is temporary


def test_a_number_is_kept_as_written_and_compared_folded(tmp_path):
    rows = [{"许可证号": "ＧＨ－２０２４〔１７〕"}, {"许可证号": "gh-2024 [17]"}]
    first, second = open_permits(written(tmp_path, rows), area=AREA).permits
    assert (first.number, second.number) == ("ＧＨ－２０２４〔１７〕", "gh-2024 [17]")
    assert first.key == second.key


@pytest.mark.parametrize("cell", ["-5", "3+1", "about 90", "2亩", "1e400", "inf", "1,2"])
def test_numbers_that_are_refused(cell):
    with pytest.raises(ValueError, match="not a"):
        number_in(cell)


@given(st.one_of(st.text(max_size=30), st.floats(), st.integers(), st.none(), st.booleans()))
def test_no_cell_breaks_the_reading(cell):
    for parse in (date_in, last_date_in, number_in, area_in):
        try:
            parse(cell)
        except ValueError as error:
            refused = str(error)
            assert "\n" not in refused
    assert "\n" not in text_in(cell)


@given(st.dates(date(1000, 1, 1)).filter(lambda day: day.year not in (1899, 1900)))
def test_any_date_comes_back(day):
    assert date_in(f"{day:%Y-%m}") == day.replace(day=1)
    assert last_date_in(f"{day:%Y-%m}") >= day
    for text in (day.isoformat(), f"{day:%Y%m%d}", f"{day.year}年{day.month}月{day.day}日"):
        assert date_in(text) == day


def test_every_usual_name_is_found_however_it_is_written():
    for names in COLUMNS.values():
        for name in names:
            for spelt in (name.upper(), name.replace(" ", "_"), f" {name} ", f"{name}（㎡）"):
                assert find_column(["other", spelt], names) == spelt


def test_a_flaw_is_kept_out_of_the_tree_where_it_has_no_place():
    flaw = BadRow(row=1, why="no_geometry", detail="", kept=False, where=None)
    permits = make_permits(bad_rows=[flaw])
    assert (permits.dropped, permits.unplaced) == (1, 1)
    assert permits.flawed_near(HOUSE, 1e9) == ()


def test_dates_in_the_wrong_order_are_told(tmp_path):
    frame = gpd.GeoDataFrame(
        {"number": ["A", "无"], "granted": ["2024-05-01"] * 2, "valid_until": ["2023-05-01", ""]},
        geometry=[box(428000, 2555000, 428010, 2555010), box(428020, 2555000, 428030, 2555010)],
        crs=4547,
    )
    frame.to_file(tmp_path / "permits.gpkg")
    read = open_permits(tmp_path / "permits.gpkg")
    assert [flaw.why for flaw in read.bad_rows] == ["dates_reversed"]
    assert read.permits[0].granted == date(2024, 5, 1)
    assert read.permits[0].valid_until == date(2023, 5, 1)
    assert (read.permits[1].granted, read.permits[1].number) == (date(2024, 5, 1), "")
