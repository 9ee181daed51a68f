"""Dispatch: who has a suspect, who shares it, and codes that stay what they are."""

import pickle
import re
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import example, given
from hypothesis import strategies as st
from pyproj import CRS
from shapely import MultiPolygon, Point, Polygon, affinity, box

from change.dispatch import DistrictFiles, Districts, open_districts
from change.districts.layer import District, DistrictLayer
from change.districts.numbering import CellNumbering
from change.districts.squares import open_scheme
from change.protected import points_of
from survey.errors import LayerError, SettingsError
from survey.grid import Bounds, WorkingGrid
from survey.settings import DispatchSettings, read_settings

CGCS = CRS.from_epsg(4547)
X, Y = 428_000.0, 2_555_000.0
AREA = WorkingGrid.around(
    Bounds(left=X, bottom=Y, right=X + 500, top=Y + 500), crs=CGCS, pixel_m=0.5
)
SAMPLE = Path(__file__).parents[2] / "sample_tiles"
WEST, EAST = box(X, Y, X + 250, Y + 500), box(X + 250, Y, X + 500, Y + 500)


def at(x, y, width=10, height=10):
    """Return a rectangle, m from the corner of the area."""
    return box(X + x, Y + y, X + x + width, Y + y + height)


def written(path, shapes, crs=CGCS, **columns):
    gpd.GeoDataFrame(columns, geometry=list(shapes), crs=CGCS).to_crs(crs).to_file(path)
    return path


def opened(tmp_path, *, crs=CGCS, settings=None, **layers):
    """Open districts given as ``level=(outlines, columns)``."""
    files = {
        level: written(tmp_path / f"{level}.gpkg", shapes, crs, **columns)
        for level, (shapes, columns) in layers.items()
    }
    settings = settings or DispatchSettings()
    return open_districts(DistrictFiles(**files), area=AREA, settings=settings)


TOWNSHIPS = ([WEST, EAST], {"code": ["449901001", "449901002"], "name": ["上元", "下元"]})
COMMUNITIES = (
    [box(X, Y, X + 250, Y + 250), box(X, Y + 250, X + 250, Y + 500), EAST],
    {"社区代码": ["449901001001", "449901001002", "449901002001"], "社区": ["东", "西", "南"]},
)


def told(place):
    return (place.township, place.community, place.cell)


# --- layers ---


def test_inside_one_of_each(tmp_path):
    teams = DispatchSettings(teams=(("449901001", "一队"), ("西", "二队")))
    found = opened(tmp_path, townships=TOWNSHIPS, communities=COMMUNITIES, settings=teams)
    first, second, third = found.place([at(10, 10), at(10, 310), at(310, 10)])
    assert (first.township_code, first.township) == ("449901001", "上元")
    assert (first.community_code, first.community) == ("449901001001", "东")
    assert (first.cell, first.others) == ("04280-25550", ())
    assert [place.team for place in (first, second, third)] == ["一队", "二队", ""]
    assert [item.share for item in first.shares] == [1.0, 1.0, 1.0]
    assert found.assumptions == found.bad_rows == ()


@pytest.mark.parametrize("code", [449901001.0, 449901001, "449901001", "449901001.0", " 449901001"])
def test_codes_come_out_as_text_however_they_are_kept(tmp_path, code):
    found = opened(tmp_path, townships=([WEST], {"code": [code]}))
    assert found.place([at(10, 10)])[0].township_code == "449901001"


def test_numbers_with_a_blank_among_them(tmp_path):
    columns = {"code": [449901001, None], "name": ["上元", "下元"]}
    found = opened(tmp_path, townships=([WEST, EAST], columns))
    places = found.place([at(10, 10), at(310, 10)])
    assert [place.township_code for place in places] == ["449901001", ""]
    assert [place.township for place in places] == ["上元", "下元"]


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([12, 7, 123], ["012", "007", "123"]),  # numbers of a code: the longest tells
        ([44990, 110101], ["044990", "110101"]),
        ([1, 2, 12], ["1", "2", "12"]),  # counted through
        ([1, 2, 3], ["1", "2", "3"]),  # nothing tells
        ([1, 449901001], ["1", "449901001"]),  # another kind of code
        (["007", "12", "123"], ["007", "012", "123"]),  # as text, those that kept their zeros tell
        (["7", "12", "123"], ["7", "12", "123"]),
        (["A7", "012"], ["A7", "012"]),
        (["0007", "00012"], ["0007", "00012"]),
    ],
)
def test_lost_zeros_come_back_only_where_others_tell(tmp_path, codes, expected):
    shapes = [at(100 * n, 0, 100, 100) for n in range(len(codes))]
    found = opened(tmp_path, townships=(shapes, {"code": codes}))
    places = found.place([at(100 * n + 20, 20) for n in range(len(codes))])
    assert [place.township_code for place in places] == expected
    filled = list(map(str, codes)) != expected
    assert bool(found.assumptions) is filled
    if filled:
        old, new = next(
            pair for pair in zip(codes, expected, strict=True) if str(pair[0]) != pair[1]
        )
        assert found.assumptions[0].count(f"leading zeros: {old} was taken as {new}") == 1


def test_a_team_is_found_though_its_code_lost_zeros(tmp_path):
    settings = DispatchSettings(teams=(("007", "七队"), ("８", "八队")))
    shapes = (at(0, 0, 100, 100), at(100, 0, 100, 100))
    found = opened(tmp_path, townships=(shapes, {"code": [7, 8]}), settings=settings)
    assert [place.team for place in found.place([at(20, 20), at(120, 20)])] == ["七队", "八队"]


def test_several_polygons_of_one_code_are_one_township(tmp_path):
    shapes = [WEST, at(400, 0, 50, 500), at(250, 0, 150, 500)]
    columns = {"code": ["1001", "1001", "1002"], "name": ["甲", "", "乙"]}
    found = opened(tmp_path, townships=(shapes, columns))
    (place,) = found.place([at(240, 10, 210, 10)])
    assert [(item.name, item.share) for item in place.shares[:2]] == [
        ("乙", round(150 / 210, 6)), ("甲", round(60 / 210, 6)),
    ]  # fmt: skip
    (there,) = found.place([at(410, 10)])
    assert (there.township_code, there.township, there.others) == ("1001", "甲", ())


def test_overlapping_polygons_of_one_township_count_once(tmp_path):
    shapes = [WEST, at(100, 0, 300, 500), at(400, 0, 100, 500)]
    found = opened(tmp_path, townships=(shapes, {"name": ["甲", "甲", "乙"]}))
    (place,) = found.place([at(200, 10, 250, 10)])
    assert [(s.name, s.share) for s in place.shares[:2]] == [("甲", 0.8), ("乙", 0.2)]


def test_of_two_spellings_the_larger_ground_names_a_code(tmp_path):
    columns = {"code": ["449901001", "449901001"], "name": ["上元街", "上元街道"]}
    found = opened(tmp_path, townships=([at(0, 0, 100, 500), EAST], columns))
    assert {place.township for place in found.place([at(10, 10), at(310, 10)])} == {"上元街道"}


def test_short_codes_repeat_in_every_township(tmp_path):
    columns = {"code": ["001", "001"], "name": ["东", "西"]}
    found = opened(tmp_path, communities=([WEST, EAST], columns))
    assert [p.community for p in found.place([at(10, 10), at(310, 10)])] == ["东", "西"]


@pytest.mark.parametrize("crs", [4490, 4326, 4526, 32649])
def test_layers_in_degrees_and_other_zones(tmp_path, crs):
    found = opened(tmp_path, crs=crs, townships=TOWNSHIPS)
    west, half, east = found.place([at(10, 10), at(240, 10, 20), at(310, 10)])
    assert (west.township, east.township) == ("上元", "下元")
    assert [item.share for item in half.shares[:2]] == pytest.approx([0.5, 0.5], abs=1e-4)


def test_a_layer_without_codes_and_names_is_refused(tmp_path):
    with pytest.raises(LayerError, match="no column of codes or names was recognised among colour"):
        opened(tmp_path, townships=([WEST], {"colour": ["red"]}))
    with pytest.raises(LayerError, match="no row has a code or a name"):
        opened(tmp_path, townships=([WEST], {"name": [" "], "code": [0]}))


def test_rows_without_code_and_name_are_told(tmp_path):
    found = opened(tmp_path, townships=([WEST, EAST], {"name": ["甲", None]}))
    (flaw,) = found.bad_rows
    assert (flaw.row, flaw.why, flaw.kept) == (2, "unnamed", False)
    assert found.place([at(310, 10)])[0].township == ""


@pytest.mark.parametrize("code", ["code", "XZQDM", "行政区代码", "区划代码", "镇街编码", "Code_"])
@pytest.mark.parametrize("name", ["NAME", "XZQMC", "镇街", "街道名称", "行政区名称"])
def test_usual_columns(tmp_path, code, name):
    columns = {"fid_1": [5], name: ["甲"], code: ["449901001"], "面积": [12.5]}
    (place,) = opened(tmp_path, townships=([WEST], columns)).place([at(10, 10)])
    assert (place.township_code, place.township) == ("449901001", "甲")


def test_a_table_of_communities_names_its_township_too(tmp_path):
    columns = {"镇街": ["甲"], "镇街代码": ["1"], "社区": ["东"], "社区代码": ["2"]}
    (place,) = opened(tmp_path, communities=([WEST], columns)).place([at(10, 10)])
    assert (place.community_code, place.community) == ("2", "东")


# --- borders ---


def test_exactly_half_and_half_goes_to_the_smaller_code(tmp_path):
    for codes in (["1", "2"], ["2", "1"]):
        found = opened(tmp_path, townships=([WEST, EAST], {"code": codes}))
        (place,) = found.place([at(245, 10)])
        assert (place.township_code, place.others) == ("1", ("2",))
        assert [(s.code, s.share, s.own) for s in place.shares[:2]] == [
            ("1", 0.5, True), ("2", 0.5, False),
        ]  # fmt: skip


def test_one_that_spans_three(tmp_path):
    shapes = [at(0, 0, 100, 500), at(100, 0, 100, 500), at(200, 0, 300, 500)]
    found = opened(tmp_path, townships=(shapes, {"name": ["甲", "乙", "丙"]}))
    (place,) = found.place([at(70, 10, 140, 10)])
    assert (place.township, place.others[:2]) == ("乙", ("甲", "丙"))
    assert place.others[2:] == ("04280-25550", "04282-25550")
    assert [round(s.share, 3) for s in place.shares[:3]] == [0.714, 0.214, 0.071]
    (place,) = found.place([at(97, 10, 101, 10)])
    assert (place.township, place.others) == ("乙", ())


def test_the_community_lies_in_the_township_that_has_it(tmp_path):
    """60 % lie in two communities of the one township, 40 % in one of the other."""
    found = opened(tmp_path, townships=TOWNSHIPS, communities=COMMUNITIES)
    (place,) = found.place([at(244, 246, 10, 8)])
    assert told(place) == ("上元", "东", "04282-25552")
    assert place.others == ("下元", "南", "西")
    assert [(s.name, s.share) for s in place.shares[2:5]] == [
        ("东", 0.3), ("南", 0.4), ("西", 0.3),
    ]  # fmt: skip


def test_outside_of_all_is_empty_and_said_once(tmp_path):
    found = opened(tmp_path, townships=TOWNSHIPS, communities=COMMUNITIES)
    places = found.place([at(10, 10), at(-100, 10), at(600, 10)])
    assert told(places[1]) == ("", "", "04279-25550")
    assert (places[1].team, places[1].others) == ("", ())
    said = found.remarks(places)
    assert len(said) == 2
    assert said[0].startswith("2 suspects lie in no township of ")
    assert said[1].startswith("2 suspects lie in no community of ")
    assert found.remarks(places[:2])[0].startswith("1 suspect lies in no township of ")
    assert found.remarks(places[:1]) == ()


def test_partly_outside_belongs_to_the_only_one(tmp_path):
    found = opened(tmp_path, townships=TOWNSHIPS)
    (place,) = found.place([at(-9, 10)])
    assert (place.township, place.shares[0].share) == ("上元", 0.1)


def test_ground_that_two_claim_is_divided(tmp_path):
    shapes = [at(0, 0, 300, 500), at(200, 0, 300, 500)]
    found = opened(tmp_path, townships=(shapes, {"name": ["甲", "乙"], "code": ["1", "2"]}))
    (place,) = found.place([at(190, 10, 100, 10)])
    assert [(s.name, s.share) for s in place.shares[:2]] == [("甲", 0.55), ("乙", 0.45)]
    (place,) = found.place([at(220, 10)])
    assert (place.township, place.others[0], place.shares[1].share) == ("甲", "乙", 0.5)


def test_districts_that_touch_along_a_line_and_overlap_elsewhere(tmp_path):
    """What two outlines share may be an area and a line at once."""
    comb = Polygon([(0, 0), (20, 0), (20, 5), (10, 5), (10, 15), (20, 15), (20, 30), (0, 30)])
    comb = affinity.translate(comb, X + 90, Y)
    rest = at(80, 0, 60, 30).difference(at(110, 0, 5, 30))
    found = opened(tmp_path, townships=([comb, rest], {"code": ["1", "2"]}))
    house = at(100, 2, 30, 18)
    (place,) = found.place([house])
    areas = {s.code: s.share * house.area for s in place.shares if s.level == "township"}
    both = comb.intersection(rest).intersection(house).area
    assert areas["1"] == pytest.approx(comb.intersection(house).area - both / 2, abs=0.01)
    assert areas["2"] == pytest.approx(rest.intersection(house).area - both / 2, abs=0.01)


def test_nothing_to_place(tmp_path):
    found = opened(tmp_path, townships=TOWNSHIPS, communities=COMMUNITIES)
    assert found.place([]) == ()
    assert found.remarks([]) == ()
    (place,) = found.place([Polygon()])
    assert (told(place), place.shares) == (("", "", ""), ())


# --- the unit grid ---


def test_the_sample(tmp_path):
    files = DistrictFiles(townships=SAMPLE / "townships.geojson", cells=SAMPLE / "cells.geojson")
    grid = gpd.read_file(files.cells).to_crs(CGCS)
    edges = grid.total_bounds
    bounds = Bounds(left=edges[0], bottom=edges[1], right=edges[2], top=edges[3])
    area = WorkingGrid.around(bounds, crs=CGCS, pixel_m=0.5)
    found = open_districts(files, area=area, settings=DispatchSettings())
    inner = [shape.centroid.buffer(5) for shape in grid.geometry]
    places = found.place(inner)
    assert [place.cell for place in places] == list(grid["code"])
    assert [place.township for place in places] == list(grid["township"])
    assert [place.township_code for place in places] == [code[:9] for code in grid["code"]]
    assert [place.community_code for place in places] == [code[:12] for code in grid["code"]]
    assert len(found.cells(bounds)) == len(grid)


def test_codes_of_the_unit_grid_tell_community_and_township(tmp_path):
    codes = [449901001001001, 449901001002001, 449901002001001]
    shapes = [at(0, 0, 100, 100), at(100, 0, 100, 100), at(200, 0, 100, 100)]
    settings = DispatchSettings(teams=(("449901001", "一队"), ("449901002001", "二队")))
    found = opened(tmp_path, cells=(shapes, {"网格编码": codes}), settings=settings)
    assert [sentence.split(": ")[1] for sentence in found.assumptions] == [
        "communities are the first 12 digits of codes", "townships are the first 9 digits of codes",
    ]  # fmt: skip
    first, both = found.place([at(10, 10), at(140, 10, 120, 10)])
    assert (first.township_code, first.community_code) == ("449901001", "449901001001")
    assert (first.cell, first.team) == ("449901001001001", "一队")
    assert (both.township_code, both.cell) == ("449901001", "449901001002001")
    assert both.others == ("449901002", "449901002001", "449901002001001")
    assert found.place([at(210, 10)])[0].team == "二队"


def test_a_layer_of_townships_comes_before_the_digits(tmp_path):
    cells = ([WEST, EAST], {"code": ["449901001001001", "449901002001001"]})
    townships = ([WEST, EAST], {"code": ["T1", "T2"]})
    found = opened(tmp_path, cells=cells, townships=townships)
    (place,) = found.place([at(10, 10)])
    assert (place.township_code, place.community_code) == ("T1", "449901001001")


def test_other_codes_tell_nothing(tmp_path):
    found = opened(tmp_path, cells=([WEST, EAST], {"code": ["A-1", "A-2"]}))
    assert (found.townships, found.communities, found.assumptions) == (None, None, ())
    assert told(found.place([at(10, 10)])[0]) == ("", "", "A-1")


def test_cells_by_name_only(tmp_path):
    found = opened(tmp_path, cells=([WEST, EAST], {"网格名称": ["一", "二"]}))
    assert found.place([at(245, 10, 20)])[0].cell == "二"
    assert found.place([at(245, 10, 20)])[0].others == ("一",)


# --- drawn cells ---


def test_cells_lie_on_the_grid_of_the_crs(tmp_path):
    found = opened(tmp_path)
    places = found.place([at(10, 10), at(99, 10, 2, 2), at(95, 10, 20), at(0, 0, 100, 100)])
    codes = ["04280-25550", "04280-25550", "04281-25550", "04280-25550"]
    assert [place.cell for place in places] == codes
    assert [place.others for place in places] == [(), ("04281-25550",), ("04280-25550",), ()]


def test_serials_run_west_to_east_and_then_north_to_south(tmp_path):
    shapes = [box(X, Y, X + 300, Y + 300), box(X + 300, Y, X + 500, Y + 300)]
    townships = (shapes, {"code": ["449901001", "449901002"]})
    settings = DispatchSettings(cell_code="{township}{serial:04d}")
    found = opened(tmp_path, townships=townships, settings=settings)
    places = found.place(
        [at(100 * col + 40, 240 - 100 * row) for row in range(3) for col in range(5)]
    )
    assert [place.cell[-4:] for place in places] == [
        "0001", "0002", "0003", "0001", "0002",
        "0004", "0005", "0006", "0003", "0004",
        "0007", "0008", "0009", "0005", "0006",
    ]  # fmt: skip
    assert {place.cell[:9] for place in places} == {"449901001", "449901002"}


def test_serials_do_not_hang_on_the_suspects(tmp_path):
    settings = DispatchSettings(cell_code="{township}-{serial:03d}")
    one = opened(tmp_path, townships=TOWNSHIPS, settings=settings)
    (alone,) = one.place([at(220, 30)])
    many = one.place([at(220, 30), *(at(10 * n, 310) for n in range(40))])
    assert alone == many[0]
    files = DistrictFiles(townships=tmp_path / "townships.gpkg")
    small = WorkingGrid.around(
        Bounds(left=X + 200, bottom=Y, right=X + 260, top=Y + 50), crs=CGCS, pixel_m=0.1
    )
    assert open_districts(files, area=small, settings=settings).place([at(220, 30)]) == (alone,)


def test_a_cell_on_the_border_has_a_code_in_each_township(tmp_path):
    settings = DispatchSettings(cell_code="{township}-{serial:03d}")
    found = opened(tmp_path, townships=TOWNSHIPS, settings=settings)
    west, east, both = found.place([at(230, 410), at(260, 410), at(243, 410)])
    assert (west.cell, east.cell) == ("449901001-003", "449901002-001")
    assert (both.cell, both.others) == ("449901001-003", ("下元",))


def test_serials_of_a_community_and_the_code_of_its_township(tmp_path):
    settings = DispatchSettings(cell_code="{township:>12}/{community}{serial:03d}")
    found = opened(tmp_path, townships=TOWNSHIPS, communities=COMMUNITIES, settings=settings)
    assert found.place([at(10, 260)])[0].cell == "   449901001/449901001002007"
    assert found.place([at(600, 10)])[0].cell == ""


def test_borders_rounded_to_a_centimetre_add_no_cells(tmp_path):
    settings = DispatchSettings(cell_code="{township}-{serial:03d}")
    exact = ([box(X, Y, X + 300, Y + 300)], {"code": ["1"]})
    loose = ([box(X - 0.01, Y - 0.01, X + 300.01, Y + 300.01)], {"code": ["1"]})
    where = [at(10, 10), at(210, 10), at(110, 210)]
    cells = [
        [p.cell for p in opened(tmp_path, townships=layer, settings=settings).place(where)]
        for layer in (exact, loose)
    ]
    assert cells[0] == cells[1] == ["1-007", "1-009", "1-002"]


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("{east.__class__}-{north}", "its fields can be community, east"),
        ("{east[0]}{north}", "its fields can be"),
        ("{0}{1}", "its fields can be"),
        ("{}", "its fields can be"),
        ("{self}{east}{north}", "its fields can be"),
        ("{east!r}-{north}", "east can have a width, such as 05d"),
        ("{east:999999999d}-{north}", "east can have a width"),
        ("{east:{north}}-{north}", "east can have a width"),
        ("{east:%Y}-{north}", "east can have a width"),
        ("{township:>999}{serial}", "township can have a width"),
        ("{township:d}{serial}", "township can have a width"),
        ("{east}-{north", "its braces do not match"),
        ("east}-{north}", "its braces do not match"),
        ("{east}\n{north}", "cannot be printed"),
        ("{east}", "it needs east and north"),
        ("{township}{north}", "it needs east and north"),
        ("cell", "it needs east and north"),
        ("", "it needs east and north"),
        ("{serial:04d}", "serial needs township or community"),
        ("{serial}{east}{north}", "serial needs township or community"),
    ],
)
def test_codes_that_are_refused(code, why):
    with pytest.raises(SettingsError, match=why) as caught:
        open_districts(DistrictFiles(), area=AREA, settings=DispatchSettings(cell_code=code))
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("setting dispatch.cell_code cannot be ")


@pytest.mark.parametrize(
    ("code", "made"),
    [
        ("{east:05d}-{north:05d}", "00042-00007"), ("{{{east}}}{north}", "{42}7"),
        ("格{east}号{north:3d}", "格42号  7"), ("{community:0>6s}{serial:03}", "00000c005"),
        ("{township:_^5}{serial}", "__t__5"),
    ],
)  # fmt: skip
def test_codes_that_are_fine(code, made):
    scheme = open_scheme(DispatchSettings(cell_code=code))
    assert scheme.code_of(42, 7, township="t", community="c", serial=5) == made


@given(st.text("{}:!.[]01dsx_<>^ eastnorhilcmuywp", max_size=30))
def test_no_code_breaks_the_opening(code):
    try:
        scheme = open_scheme(DispatchSettings(cell_code=code))
    except SettingsError:
        return
    assert len(scheme.code_of(-1, 10**6, township="1" * 9, community="2", serial=3)) < 2000


@pytest.mark.parametrize("level", ["township", "community"])
def test_codes_need_the_layer_they_name(tmp_path, level):
    settings = DispatchSettings(cell_code=f"{{{level}}}{{serial}}")
    with pytest.raises(SettingsError, match=f"holds the {level}, but no layer tells"):
        open_districts(DistrictFiles(), area=AREA, settings=settings)
    cells = ([WEST], {"code": ["A"]})
    assert opened(tmp_path, cells=cells, settings=settings).place([at(10, 10)])[0].cell == "A"


def test_teams_that_nobody_has_are_said(tmp_path):
    settings = DispatchSettings(teams=(("石牌街", "一队"),))
    found = opened(tmp_path, townships=TOWNSHIPS, settings=settings)
    assert found.assumptions == (
        "no township or community of the layers has a team in dispatch.teams",
    )


# --- cells for export ---


def test_drawn_cells_as_a_table(tmp_path):
    found = opened(tmp_path, townships=TOWNSHIPS)
    table = found.cells(Bounds(left=X + 150, bottom=Y + 50, right=X + 350, top=Y + 100))
    assert list(table.columns) == ["code", "township", "geometry"]
    assert list(table["code"]) == ["04281-25550", "04282-25550", "04283-25550"]
    assert list(table["township"]) == ["上元", "上元", "下元"]
    assert table.geometry.iloc[0].equals(at(100, 0, 100, 100))
    assert table.crs == CGCS


def test_cells_of_townships_as_a_table(tmp_path):
    settings = DispatchSettings(cell_code="{township}-{serial:03d}")
    found = opened(tmp_path, townships=TOWNSHIPS, settings=settings)
    table = found.cells(Bounds(left=X + 201, bottom=Y + 401, right=X + 299, top=Y + 499))
    assert list(table["code"]) == ["449901001-003", "449901002-001"]
    assert table.geometry.iloc[0].equals(at(200, 400, 50, 100))
    whole = found.cells(AREA.bounds)
    assert whole["code"].is_unique
    assert len(whole) == 30
    assert whole.geometry.area.sum() == pytest.approx(500 * 500)
    places = found.place([shape.buffer(-10) for shape in whole.geometry])
    assert [place.cell for place in places] == list(whole["code"])


def test_cells_of_a_layer_as_a_table(tmp_path):
    shapes = [MultiPolygon([at(0, 0, 50, 50), at(60, 0, 40, 50)]), at(100, 0, 100, 100)]
    found = opened(tmp_path, cells=(shapes, {"code": ["A", "B"]}))
    table = found.cells(Bounds(left=X, bottom=Y, right=X + 70, top=Y + 10))
    assert (list(table["code"]), list(table["township"])) == (["A"], [""])
    assert table.geometry.iloc[0].area == pytest.approx(4500)
    assert found.cells(Bounds(left=X, bottom=Y + 200, right=X + 1, top=Y + 300)).empty


# --- properties ---


def layer(level, districts, parts):
    """Return a layer of ``parts``, each as (index of its district, outline)."""
    return DistrictLayer(
        level=level,
        source="a.gpkg",
        districts=tuple(District(code=code, name="") for code in districts),
        parts=np.array([*(part for _owner, part in parts), None], dtype=object)[:-1],
        owner=np.array([owner for owner, _part in parts], dtype=np.int64),
        assumptions=(),
        bad_rows=(),
    )


def districts(townships, cell_code="{township}-{serial}"):
    return Districts(
        townships=townships,
        communities=None,
        units=None,
        numbering=CellNumbering(
            scheme=open_scheme(DispatchSettings(cell_code=cell_code)),
            townships=townships,
            communities=None,
        ),
        teams={},
        crs=CGCS,
        assumptions=(),
        bad_rows=(),
    )


def tile(column, row, columns, rows):
    """A box of whole tens of metres: many of them touch along a line."""
    left, bottom = X + 10 * column, Y + 10 * row
    return box(left, bottom, left + 10 * columns, bottom + 10 * rows)


BOXES = st.tuples(*[st.integers(0, 40)] * 2, *[st.integers(1, 30)] * 2).map(lambda b: tile(*b))
PARTS = st.lists(st.tuples(st.integers(0, 3), BOXES), min_size=1, max_size=6)
NAMES = ["1", "2", "3", "4"]


@given(PARTS, st.lists(BOXES, min_size=1, max_size=4))
@example(
    parts=[
        *((0, tile(0, 0, *sides)) for sides in ((1, 1), (1, 2), (3, 1))),
        *((owner, tile(2, 0, 1, 1)) for owner in (1, 2)),
    ],
    outlines=[tile(1, 0, 2, 2)],
)
def test_shares_add_up_to_one_at_most(parts, outlines):
    townships = layer("township", NAMES, parts)
    together = shapely.union_all([part for _owner, part in parts])
    for place, outline in zip(districts(townships).place(outlines), outlines, strict=True):
        for level in ("township", "cell"):
            shares = [item for item in place.shares if item.level == level]
            assert sum(item.share for item in shares) <= 1 + 1e-5
            assert [item.own for item in shares] == [n == 0 for n in range(len(shares))]
            assert all(item.share >= 0.05 for item in shares[1:])
        inside = together.intersection(outline).area / outline.area
        covered = sum(item.share for item in place.shares if item.level == "township")
        assert covered <= inside + 1e-5
        assert covered >= inside - 3 * 0.05
        assert bool(place.township_code) == (inside > 0) == bool(place.cell)


@given(PARTS, st.lists(BOXES, min_size=1, max_size=4), st.integers(-20, 60), st.randoms())
def test_order_and_splitting_of_polygons_change_nothing(parts, outlines, at_m, random):
    x = X + 10 * at_m
    halves = [box(X - 1000, Y - 1000, x, Y + 2000), box(x, Y - 1000, X + 2000, Y + 2000)]
    split = [
        (owner, piece)
        for owner, part in parts
        for half in halves
        if (piece := part.intersection(half)).area > 0
    ]
    random.shuffle(split)
    plain = districts(layer("township", NAMES, parts)).place(outlines)
    assert districts(layer("township", NAMES, split)).place(outlines) == plain


@given(PARTS, st.lists(BOXES, min_size=1, max_size=4), st.integers(-50, 50), st.integers(-50, 50))
def test_shifting_everything_by_whole_cells_shifts_codes_only(parts, outlines, east, north):
    def moved(shape):
        return affinity.translate(shape, 100 * east, 100 * north)

    there = layer("township", NAMES, [(owner, moved(part)) for owner, part in parts])
    here = layer("township", NAMES, parts)
    away = [moved(outline) for outline in outlines]
    assert districts(there).place(away) == districts(here).place(outlines)
    codes = [
        [place.cell.split("_") for place in districts(land, "{east}_{north}").place(shapes)]
        for land, shapes in ((here, outlines), (there, away))
    ]
    for first, second in zip(*codes, strict=True):
        assert [int(b) - int(a) for a, b in zip(first, second, strict=True)] == [east, north]


@given(st.lists(BOXES, min_size=1, max_size=5))
def test_many_at_once_are_as_one_by_one(outlines):
    found = districts(layer("township", NAMES, [(0, WEST), (1, EAST), (2, at(200, 100, 100, 100))]))
    assert found.place(outlines) == tuple(found.place([one])[0] for one in outlines)


def test_it_can_be_sent_to_another_process():
    found = districts(layer("township", NAMES, [(0, WEST), (1, EAST)]))
    before = found.place([at(245, 10)])
    assert pickle.loads(pickle.dumps(found)).place([at(245, 10)]) == before


def test_owners_belong_to_parts():
    with pytest.raises(ValueError, match="1 owners of 0 parts"):
        DistrictLayer(
            level="township",
            source="",
            districts=(),
            parts=np.array([], dtype=object),
            owner=np.zeros(1, dtype=np.int64),
            assumptions=(),
            bad_rows=(),
        )


def wavy(x, y, side, points=250):
    """Return a square whose sides are waves that fit those of its neighbours."""
    t = np.linspace(0, 1, points, endpoint=False)
    bulge = 0.03 * side * np.sin(6 * np.pi * t)
    ring = np.concatenate(
        [
            np.stack([x + t * side, y + bulge], axis=1),
            np.stack([x + side - bulge, y + t * side], axis=1),
            np.stack([x + side - t * side, y + side + bulge[::-1]], axis=1),
            np.stack([x - bulge[::-1], y + side - t * side], axis=1),
        ]
    )
    return Polygon(ring).buffer(0)


def test_five_thousand_suspects_are_quick():
    rng = np.random.default_rng(7)
    townships = [wavy(X + 700 * (n % 20), Y + 700 * (n // 20), 700) for n in range(200)]
    cells = [
        box(x, y, x + 280, y + 175)
        for x in X + 280.0 * np.arange(50)
        for y in Y + 175.0 * np.arange(40)
    ]
    xs, ys = X + rng.uniform(0, 13_900, 5000), Y + rng.uniform(0, 6900, 5000)
    outlines = [Point(x, y).buffer(12, quad_segs=2) for x, y in zip(xs, ys, strict=True)]
    found = Districts(
        townships=layer("township", [f"{n:03d}" for n in range(200)], list(enumerate(townships))),
        communities=None,
        units=layer("cell", [f"{n:04d}" for n in range(2000)], list(enumerate(cells))),
        numbering=CellNumbering(
            scheme=open_scheme(DispatchSettings()), townships=None, communities=None
        ),
        teams={},
        crs=CGCS,
        assumptions=(),
        bad_rows=(),
    )
    start = time.process_time()
    places = found.place(outlines)
    spent = time.process_time() - start
    assert len(places) == 5000
    assert sum(bool(place.others) for place in places) > 500
    assert spent < 2


def test_the_settings_in_the_documentation_are_read(tmp_path):
    text = (SAMPLE.parent / "docs" / "dispatch.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```toml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    path = tmp_path / "settings.toml"
    path.write_text(block, encoding="utf-8")
    settings = read_settings(path)
    found = opened(tmp_path, townships=TOWNSHIPS, settings=settings.dispatch)
    (place,) = found.place([at(10, 10)])
    assert (place.cell, place.team) == ("4499010010013", "Team 1")
    assert points_of("Water source II", settings.severity) == 30
    examples = re.findall(r"^\| `(\{.*?)`(?:, the default)? \| `(\w[\w-]*)`", text, re.MULTILINE)
    assert len(examples) == 3
    for (code, made), serial in zip(examples, (1, 18, 7), strict=True):
        scheme = open_scheme(DispatchSettings(cell_code=code))
        given = {"township": "449901001", "community": "449901001002", "serial": serial}
        assert scheme.code_of(4281, 25553, **given) == made
