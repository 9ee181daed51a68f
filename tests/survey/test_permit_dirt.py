"""Permit layers with dirt: each kind is there, the log is exact, and the reader bears them all."""

import datetime as dt
import json
import struct
import warnings
from collections import Counter
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from pyproj import CRS
from shapely.affinity import rotate, translate

from change.permits import open_permits
from survey.errors import LayerError, OutputError
from survey.grid import Bounds, WorkingGrid
from survey.simulation.permits.permit_damage import read_outline
from survey.simulation.permits.permit_dirt import (
    CellDirt,
    Dirt,
    FileDirt,
    OutlineDirt,
    PlaceDirt,
    RowDirt,
    draw_dirt,
)
from survey.simulation.permits.permit_fates import expected_reason
from survey.simulation.permits.permit_files import write_permits
from survey.simulation.permits.soiled_permits import soil_permits

FORMS = ("gpkg", "shp", "geojson", "csv")
DAMAGES = tuple(OutlineDirt().shares())
WEST, SOUTH = 435_700.0, 2_556_400.0


def lay_out():
    """Forty permits in rows of houses, every fifth of them in the form of an L."""
    rng = np.random.default_rng(8)
    rows = []
    for index in range(40):
        east, north = WEST + 18 * (index % 8), SOUTH + 22 * (index // 8)
        wide, deep = rng.uniform(7, 11, 2)
        house = shapely.box(east, north, east + wide, north + deep)
        if index % 5 == 0:
            house = house.union(shapely.box(east, north, east + wide + 4, north + deep / 2))
        outline = rotate(house, float(rng.uniform(-20, 20)))
        granted = pd.Timestamp(2005 + index % 20, 1 + index % 12, 1 + index % 28)
        rows.append(
            {
                "number": f"GH-{granted.year}-{index + 1:04d}",
                "holder": f"Household {index + 1:03d}",
                "granted": granted,
                "valid_until": granted + pd.Timedelta(days=365 * 40),
                "footprint_m2": round(outline.area, 1),
                "storeys": 1 + index % 5,
                "height_m": 3.3 * (1 + index % 5),
                "use": ("residential", "storage", "industrial")[index % 3],
                "geometry": outline,
            }
        )
    return gpd.GeoDataFrame(rows, geometry="geometry", crs="EPSG:4547")


TRUTH = lay_out()
TRUE = dict(zip(TRUTH["number"], TRUTH.geometry, strict=True))
FLOWN = dt.date(2030, 1, 1)


def area():
    left, bottom, right, top = TRUTH.total_bounds
    bounds = Bounds(left=left - 10, bottom=bottom - 10, right=right + 10, top=top + 10)
    return WorkingGrid.around(bounds, crs=CRS.from_epsg(4547), pixel_m=0.5)


AREA = area()


def soiled_with(seed=1, **dirt):
    return soil_permits(TRUTH, Dirt(**dirt), np.random.default_rng(seed))


def raw(path, **options):
    """Read what GDAL sees, as (CRS, columns, geometries)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # GDAL remarks on rings it puts right
        meta, _fids, wkb, values = pyogrio.raw.read(path, datetime_as_string=True, **options)
    columns = {str(n): v.tolist() for n, v in zip(meta["fields"], values, strict=True)}
    return meta["crs"], columns, list(wkb)


def geometries(wkb):
    return [None if w is None else shapely.from_wkb(w, on_invalid="ignore") for w in wkb]


def rows_of(soiled, kind):
    return [deed.row for deed in soiled.deeds if deed.kind == kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    kind: str
    reason: str
    permit_number: str | None


def expected(soiled, number, reason="as_permitted", kind="building"):
    change = Change(kind=kind, reason=reason, permit_number=number)
    return expected_reason(change, TRUE[number], soiled.fates, flown_before=FLOWN, tolerance_m=1.0)


# --- nothing asked, nothing done ---


@pytest.mark.parametrize("form", FORMS)
def test_without_dirt_the_layer_is_the_truth(tmp_path, form):
    soiled = soiled_with()
    permits = open_permits(write_permits(soiled, tmp_path, form)[0], area=AREA)
    assert permits.bad_rows == ()
    assert [p.number for p in permits.permits] == list(TRUTH["number"])
    assert [p.granted for p in permits.permits] == [day.date() for day in TRUTH["granted"]]
    assert [p.storeys for p in permits.permits] == list(TRUTH["storeys"])
    for permit in permits.permits:
        assert permit.outline.symmetric_difference(TRUE[permit.number]).area < 1e-6
    assert soiled.deeds == ()
    for fate in soiled.fates:
        assert (fate.state, fate.repairable, fate.dates_kept) == ("present", True, True)
        assert (fate.moved_m, fate.lost_share, fate.gained_share) == pytest.approx(
            (0, 0, 0), abs=1e-6
        )


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("severity", ["mild", "usual", "bad"])
def test_same_seed_same_bytes(tmp_path, severity, form):
    for name in ("a", "b"):
        rng = np.random.default_rng(5)
        soiled = soil_permits(TRUTH, draw_dirt(rng, severity), rng)
        write_permits(soiled, tmp_path / name, form)
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "b").iterdir())
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_permits_of_the_simulator_can_be_soiled():
    from survey.simulation import draw_plan, scene_of
    from survey.simulation.truth import ExpectedChange, tabulate_permits

    plan = draw_plan(seed=4, side_m=120.0)
    table = tabulate_permits(plan, scene_of(plan))
    rng = np.random.default_rng(2)
    soiled = soil_permits(table, draw_dirt(rng, "bad"), rng)
    assert [fate.number for fate in soiled.fates] == list(table["number"])
    assert {"kind", "reason", "permit_number"} <= set(ExpectedChange.__slots__)


def test_severities_are_in_order():
    def count(severity):
        rng = np.random.default_rng(3)
        return sum(
            len(soil_permits(TRUTH, draw_dirt(rng, severity), rng).deeds) for _turn in range(5)
        )

    assert count("mild") < count("usual") < count("bad")


# --- what the reader makes of it ---


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("severity", ["mild", "usual", "bad"])
@pytest.mark.parametrize("seed", range(4))
def test_every_layer_is_read_or_refused_and_agrees_with_its_log(tmp_path, severity, form, seed):
    rng = np.random.default_rng(seed)
    soiled = soil_permits(TRUTH, draw_dirt(rng, severity), rng)
    path = write_permits(soiled, tmp_path, form)[0]
    if soiled.dirt.file.coordinates == "wrong_zone" and form != "csv":
        with pytest.raises(LayerError, match="it would fall on the flight as EPSG:4547"):
            open_permits(path, area=AREA)
        return
    permits = open_permits(path, area=AREA)
    assert permits.rows == len(soiled.table)
    assert len(permits.permits) + permits.dropped == permits.rows
    read = {permit.row: permit for permit in permits.permits}
    for fate in soiled.fates:
        outlines = [read[row].outline for row in fate.rows if row in read]
        apart = shapely.union_all(outlines).symmetric_difference(fate.ground)
        assert apart.area < 0.02 * TRUE[fate.number].area
        told = [read[row] for row in fate.rows if row in read]
        assert fate.granted == max((p.granted for p in told if p.granted), default=None)
        ends = [p.valid_until for p in told]
        assert fate.valid_until == (None if None in ends else max(ends, default=None))


@pytest.mark.parametrize("coordinates", ["stated", "prefixed", "degrees"])
def test_undamaged_outlines_come_back_by_the_offsets_of_the_log(tmp_path, coordinates):
    place = PlaceDirt(east_m=1.7, north_m=-0.9, row_m=0.4)
    soiled = soiled_with(place=place, file=FileDirt(coordinates=coordinates))
    permits = open_permits(write_permits(soiled, tmp_path, "gpkg")[0], area=AREA)
    offsets = []
    for permit in permits.permits:
        fate = soiled.fate_of(permit.number)
        back = translate(permit.outline, -fate.east_m, -fate.north_m)
        assert back.symmetric_difference(TRUE[permit.number]).area < 1e-3
        offsets.append((fate.east_m, fate.north_m))
    assert np.mean(offsets, axis=0) == pytest.approx((1.7, -0.9), abs=0.25)
    assert np.std(offsets, axis=0) == pytest.approx((0.4, 0.4), abs=0.15)


def test_the_whole_layer_turned_and_stretched():
    soiled = soiled_with(place=PlaceDirt(turn_deg=90.0, stretch_ppm=1000.0))
    drawn = {f.number: f.ground for f in soiled.fates}
    for number, outline in TRUE.items():
        assert drawn[number].area == pytest.approx(outline.area * 1.001**2)
    left, bottom, right, top = TRUTH.total_bounds
    east = TRUTH.geometry.centroid.x.idxmax()
    number = TRUTH["number"][east]
    # Clockwise from north: what lay farthest east lies farthest south.
    assert drawn[number].centroid.y < (bottom + top) / 2 - 0.3 * (right - left)


# --- outlines ---


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", DAMAGES)
def test_each_damage_is_in_the_file(tmp_path, kind, form):
    soiled = soiled_with(outlines=OutlineDirt(**{kind: 0.2}))
    rows = rows_of(soiled, kind)
    assert len(rows) == round(0.2 * len(TRUTH))
    _crs, _columns, wkb = raw(write_permits(soiled, tmp_path, form)[0])
    shapes = geometries(wkb)
    true = list(TRUE.values())
    for row, shape in enumerate(shapes, start=1):
        if row in rows:
            assert _shows(kind, form, shape, wkb[row - 1], true[row - 1]), (row, shape)
        else:
            assert shape.is_valid
            assert shape.symmetric_difference(true[row - 1]).area < 1e-3


def _shows(kind, form, shape, wkb, true):
    """Whether a geometry as GDAL reads it bears the damage."""
    if kind in ("null", "unclosed") or (kind == "empty" and form == "shp"):
        return shape is None and (wkb is None) == (kind != "unclosed")
    if form == "shp" and kind in ("outside_hole", "reversed_ring"):
        return True  # GDAL puts rings right; see the next test
    return SIGNS[kind](shape, shapely.get_coordinates(shape), true)


SIGNS = {
    "bow_tie": lambda shape, points, true: (
        not shape.is_valid and read_outline(shape).symmetric_difference(true).area > 0.1 * true.area
    ),
    "knot": lambda shape, points, true: not shape.is_valid,
    "spike": lambda shape, points, true: (
        not shape.is_valid and shapely.hausdorff_distance(shape.exterior, true.exterior) > 4
    ),
    "empty": lambda shape, points, true: shape.is_empty,
    "collapsed": lambda shape, points, true: not shape.is_valid and shape.area == 0,
    "outside_hole": lambda shape, points, true: (
        not shape.is_valid and shape.interiors[0].disjoint(true)
    ),
    "sliver": lambda shape, points, true: (
        len(shape.geoms) == 2 and min(part.area for part in shape.geoms) < 1.0
    ),
    "doubled_vertices": lambda shape, points, true: (
        np.abs(np.diff(points, axis=0)).sum(axis=1) == 0
    ).any(),
    "coarse": lambda shape, points, true: np.abs(points - np.round(points)).max() < 1e-6,
    "plot": lambda shape, points, true: (
        shape.buffer(1e-6).contains(true) and shape.area > 1.3 * true.area
    ),
    "reversed_ring": lambda shape, points, true: not shape.exterior.is_ccw,
}


def test_rings_of_a_shapefile_run_the_wrong_way(tmp_path):
    soiled = soiled_with(outlines=OutlineDirt(reversed_ring=0.2))
    content = write_permits(soiled, tmp_path, "shp")[0].read_bytes()
    start, row, wrong = 100, 0, []
    while start < len(content):
        row += 1
        words = struct.unpack_from(">i", content, start + 4)[0]
        parts, points = struct.unpack_from("<ii", content, start + 44)
        assert parts == 1
        ring = np.frombuffer(content, "<f8", 2 * points, start + 56).reshape(-1, 2)
        if shapely.LinearRing(ring).is_ccw:
            wrong.append(row)
        start += 8 + 2 * words
    assert wrong == rows_of(soiled, "reversed_ring")
    assert len(wrong) == 8


REPAIRABLE = {"knot", "spike", "doubled_vertices", "reversed_ring", "outside_hole", "sliver"}


@pytest.mark.parametrize("kind", DAMAGES)
def test_the_log_says_what_can_be_had_back(kind):
    soiled = soiled_with(outlines=OutlineDirt(**{kind: 0.2}))
    damaged = {deed.number for deed in soiled.deeds}
    assert len(damaged) == 8
    for fate in soiled.fates:
        if fate.number not in damaged or kind in REPAIRABLE | {"unclosed"}:
            assert fate.repairable
        elif kind != "coarse":
            assert not fate.repairable
        assert fate.ground.is_empty == (
            fate.number in damaged and kind in ("null", "empty", "collapsed")
        )
        assert fate.ground.is_valid


def test_rounding_moves_no_outline_beyond_its_step():
    soiled = soiled_with(place=PlaceDirt(rounding_m=0.5))
    for wkb, true in zip(soiled.outlines, TRUE.values(), strict=True):
        points = shapely.get_coordinates(shapely.from_wkb(wkb))
        np.testing.assert_allclose(points * 2, np.round(points * 2), atol=1e-6)
        assert shapely.hausdorff_distance(shapely.from_wkb(wkb), true) < 0.36


def test_heights_and_multipolygons_are_mixed(tmp_path):
    soiled = soiled_with(file=FileDirt(heights=0.3, multi=0.5))
    _crs, _columns, wkb = raw(write_permits(soiled, tmp_path, "gpkg")[0])
    shapes = geometries(wkb)
    assert sum(shape.has_z for shape in shapes) == 12
    assert Counter(s.geom_type for s in shapes) == {"Polygon": 20, "MultiPolygon": 20}
    for shape, fate in zip(shapes, soiled.fates, strict=True):
        assert shapely.force_2d(shape).equals(fate.ground)


# --- rows ---


def test_missing_rows_leave_no_trace_but_in_the_log():
    soiled = soiled_with(rows=RowDirt(missing=0.25))
    gone = {fate.number for fate in soiled.fates if fate.state == "missing"}
    assert len(gone) == 10
    assert set(soiled.table["number"]) == set(TRUE) - gone
    assert {deed.number for deed in soiled.deeds} == gone
    for fate in soiled.fates:
        assert (fate.rows == (), fate.ground.is_empty) == ((fate.number in gone,) * 2)
        reason = expected(soiled, fate.number)
        assert (
            reason == "as_permitted" if fate.number not in gone else reason in ("no_permit", None)
        )
    number = next(n for n in gone if expected(soiled, n) is not None)
    assert expected(soiled, number, "removed_permitted") == "removed_unpermitted"


@pytest.mark.parametrize("kind", ["same_number", "second_number", "older_version"])
def test_doubled_rows(kind):
    soiled = soiled_with(rows=RowDirt(**{kind: 0.25}, shuffled=True))
    assert len(soiled.table) == len(TRUTH) + 10
    assert list(soiled.table["number"])[:40] != list(TRUTH["number"])
    doubled = [fate for fate in soiled.fates if fate.state == "duplicated"]
    assert len(doubled) == 10
    shapes = geometries(soiled.outlines)
    for fate in doubled:
        first, second = (shapes[row - 1] for row in fate.rows)
        assert tuple(soiled.table["number"][row - 1] for row in fate.rows) == fate.written
        assert (len(set(fate.written)) == 2) == (kind == "second_number")
        assert first.equals(second) == (kind != "older_version")
        assert fate.ground.symmetric_difference(TRUE[fate.number]).area < 1e-6
        granted = {soiled.table["granted"][row - 1] for row in fate.rows}
        assert len(granted) == (2 if kind == "older_version" else 1)
        assert fate.granted == max(granted)
        assert expected(soiled, fate.number) == "as_permitted"


@pytest.mark.parametrize("kind", ["shared_outline", "joined"])
def test_neighbours_thrown_together(kind):
    soiled = soiled_with(rows=RowDirt(**{kind: 0.2}))
    merged = [fate for fate in soiled.fates if fate.state == "merged"]
    assert 3 <= len(merged) <= 8
    shapes = geometries(soiled.outlines)
    for fate in merged:
        (row,) = fate.rows
        assert fate.number not in fate.written
        (host,) = (soiled.fate_of(number) for number in fate.written)
        assert host.rows == fate.rows
        assert shapes[row - 1].buffer(1e-6).contains(TRUE[fate.number])
        assert shapes[row - 1].buffer(1e-6).contains(TRUE[host.number])
        assert fate.lost_share == pytest.approx(0.0, abs=1e-6)
        if kind == "joined":
            assert len(shapes[row - 1].geoms) == 2
            assert fate.gained_share == pytest.approx(0.0, abs=1e-6)


# --- cells ---


def cells(column, names="english", **dirt):
    soiled = soiled_with(cells=CellDirt(names=names, **dirt))
    return list(soiled.table[column]), soiled


def test_numbers():
    values, soiled = cells("number", missing_numbers=0.1, full_width=0.1, trailing_blanks=0.5)
    assert values.count(None) == 4
    wide = [v for v in values if v and v.startswith("ＧＨ－２０")]
    assert len(wide) == 4
    assert sum(v != v.rstrip() for v in values if v) == 20
    assert [fate.written for fate in soiled.fates] == [(v or "",) for v in values]


def test_dates():
    values, soiled = cells("granted", mixed_dates=0.5, missing_dates=0.1, zero_dates=0.1)
    assert (values.count(None), values.count("1900-01-00")) == (4, 4)
    texts = [v for v in values if isinstance(v, str) and v != "1900-01-00"]
    assert len(texts) == 20
    for mark in ("年", "/", "."):
        assert any(mark in text for text in texts)
    assert any(text.isdigit() and len(text) == 8 for text in texts)
    assert sum(fate.granted is None for fate in soiled.fates) == 8


def test_permits_that_end_before_they_begin():
    _values, soiled = cells("valid_until", reversed_dates=0.2)
    ended = [fate for fate in soiled.fates if fate.valid_until < fate.granted]
    assert len(ended) == 8
    assert {expected(soiled, fate.number) for fate in ended} == {"permit_expired"}
    assert {expected(soiled, fate.number, kind="storey") for fate in ended} == {None}


def test_storeys_and_areas():
    values, soiled = cells("storeys", storeys_as_text=1.0, areas_in_mu=0.2, areas_with_commas=0.2)
    assert {str(v)[-1] for v in values} == {"层"}
    assert any(v[0] in "一二三四" for v in values)
    assert any(v[0].isascii() for v in values)
    areas = list(soiled.table["footprint_m2"])
    in_mu = [i for i, v in enumerate(areas) if str(v).endswith("亩")]
    assert len(in_mu) == 8
    for index in in_mu:
        assert float(areas[index][:-1]) * 10000 / 15 == pytest.approx(
            TRUTH["footprint_m2"][index], abs=0.4
        )
    assert sum(isinstance(v, str) for v in areas) == 16


def test_a_large_area_gets_its_comma():
    table = TRUTH.assign(footprint_m2=12345.6)
    dirt = Dirt(cells=CellDirt(areas_with_commas=1.0))
    soiled = soil_permits(table, dirt, np.random.default_rng(1))
    assert set(soiled.table["footprint_m2"]) == {"12,345.60"}


@pytest.mark.parametrize("names", ["english", "chinese", "long"])
@pytest.mark.parametrize("text", ["gbk", "utf-8"])
def test_chinese_columns_cut_by_a_shapefile_are_found(tmp_path, names, text):
    dirt = {"cells": CellDirt(names=names, chinese_values=True), "file": FileDirt(text=text)}
    path = write_permits(soiled_with(**dirt), tmp_path, "shp")[0]
    permits = open_permits(path, area=AREA)
    assert len(permits.columns) == 8
    assert permits.permits[0].use in ("住宅", "仓储", "工业")
    assert permits.permits[0].holder.startswith("第")


# --- files ---


@pytest.mark.parametrize("byte", [0x00, 0x4D])
@pytest.mark.parametrize("text", ["gbk", "utf-8"])
@pytest.mark.parametrize("cpg", ["right", "absent", "wrong"])
def test_encoding_of_a_shapefile(tmp_path, text, cpg, byte):
    file = FileDirt(text=text, cpg=cpg, language_byte=byte)
    soiled = soiled_with(cells=CellDirt(chinese_values=True, names="chinese"), file=file)
    path = write_permits(soiled, tmp_path, "shp")[0]
    table = path.with_suffix(".dbf").read_bytes()
    assert table[29] == byte
    assert ("住宅".encode(text) in table, "许可证号".encode(text)[:9] in table) == (True, True)
    label = path.with_suffix(".cpg")
    assert label.exists() == (cpg != "absent")
    if label.exists():
        assert (label.read_text() == text.upper()) == (cpg == "right")
    # UTF-8 that is stated to be GBK can be valid GBK by chance; nobody promises to notice.
    if text == "gbk" or (cpg, byte) in (("right", 0x00), ("right", 0x4D), ("absent", 0x00)):
        permits = open_permits(path, area=AREA)
        assert {permit.use for permit in permits.permits} <= {"住宅", "仓储", "工业"}


STATED = {
    "stated": "EPSG:4547",
    "prefixed": "EPSG:4526",
    "prefixed_as_plain": "EPSG:4547",
    "degrees": "EPSG:4490",
    "wrong_zone": "EPSG:4548",
    "unstated": None,
    "prefixed_unstated": None,
    "degrees_unstated": None,
}


@pytest.mark.parametrize("form", ["gpkg", "shp"])
@pytest.mark.parametrize("coordinates", [*STATED, "esri"])
def test_coordinates_and_what_is_said_of_them(tmp_path, coordinates, form):
    soiled = soiled_with(file=FileDirt(coordinates=coordinates))
    path = write_permits(soiled, tmp_path, form)[0]
    crs, _columns, wkb = raw(path)
    x = shapely.get_coordinates(shapely.from_wkb(wkb[0]))[0, 0]
    assert (x > 3.8e7) == coordinates.startswith("prefixed")
    assert (x < 360) == coordinates.startswith("degrees")
    if form == "shp":
        assert path.with_suffix(".prj").exists() == (STATED.get(coordinates, "") is not None)
    if coordinates == "esri":
        assert CRS(crs) != CRS.from_epsg(4547) or form == "shp"
        assert CRS(crs).to_epsg(25) == 4547
    elif STATED[coordinates] is None:
        assert crs is None or "Undefined" in crs
    else:
        assert crs == STATED[coordinates]


def test_geojson_says_its_crs_or_nothing(tmp_path):
    for coordinates, said in (("stated", "EPSG::4547"), ("unstated", None)):
        soiled = soiled_with(file=FileDirt(coordinates=coordinates))
        content = json.loads(
            write_permits(soiled, tmp_path / coordinates, "geojson")[0].read_text()
        )
        assert ("crs" in content) == (said is not None)
        assert said is None or content["crs"]["properties"]["name"].endswith(said)
        x, _y = content["features"][0]["geometry"]["coordinates"][0][0]
        assert x > 400_000


def test_whole_or_not_at_all(tmp_path):
    soiled = soiled_with(cells=CellDirt(chinese_values=True))
    (tmp_path / "permits.shx").write_text("mine")
    with pytest.raises(OutputError, match=r"permits\.shx exists already"):
        write_permits(soiled, tmp_path, "shp")
    assert [path.name for path in tmp_path.iterdir()] == ["permits.shx"]
    assert (tmp_path / "permits.shx").read_text() == "mine"
    paths = write_permits(soiled, tmp_path, "gpkg")
    assert paths == (tmp_path / "permits.gpkg",)


def test_what_cannot_be_asked():
    for wrong in (
        lambda: OutlineDirt(knot=1.5),
        lambda: OutlineDirt(knot=0.6, spike=0.6),
        lambda: OutlineDirt(coarse_m=0.0),
        lambda: RowDirt(missing=0.7, joined=0.7),
        lambda: CellDirt(mixed_dates=0.8, zero_dates=0.8),
        lambda: FileDirt(heights=-0.1),
        lambda: PlaceDirt(rounding_m=-1.0),
        lambda: soil_permits(
            TRUTH.to_crs(32649),
            Dirt(file=FileDirt(coordinates="prefixed")),
            np.random.default_rng(),
        ),
        lambda: soil_permits(TRUTH.assign(number="A"), Dirt(), np.random.default_rng()),
    ):
        with pytest.raises(ValueError, match=r"."):
            wrong()


# --- what a judge can be asked ---


def test_dirt_that_leaves_the_reason_open():
    number = next(iter(TRUE))
    moved = soiled_with(place=PlaceDirt(east_m=5.0))
    assert expected(moved, number) is None
    bow_ties = soiled_with(outlines=OutlineDirt(bow_tie=1.0))
    assert expected(bow_ties, number) is None
    clean = soiled_with()
    assert expected(clean, number, "exceeds_permit") == "exceeds_permit"
    shed = Change(kind="shed", reason="no_permit", permit_number=None)
    for soiled, reason in ((clean, "no_permit"), (moved, None)):
        assert reason == expected_reason(
            shed, TRUE[number], soiled.fates, flown_before=FLOWN, tolerance_m=1.0
        )


def test_what_a_reader_can_repair():
    bow_tie = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    assert read_outline(bow_tie).area == pytest.approx(50)
    assert read_outline(shapely.Polygon()).is_empty
