"""GeoJSON by the letter of RFC 7946, held against independent readers and validators."""

import json
import math
from dataclasses import replace

import geojson_validator
import numpy as np
import pyogrio
import pytest
import shapely
from pyproj import CRS, Transformer
from shapely.geometry import shape

from change.export.geojson import (
    COLUMNS,
    EXCLUDED_COLUMNS,
    excluded_frame,
    geojson_text,
    suspects_frame,
    write_geojson,
)
from tests.samples import run_pair

# As the file format documents them; a change of this list breaks every reader of the file.
DESIGNED = [
    "id",
    "kind",
    "origin",
    "reason",
    "reasons",
    "area_m2",
    "area_raw_m2",
    "height_gain_m",
    "score",
    "severity",
    "permit_number",
    "permit_cover",
    "excess_m2",
    "excess_m",
    "excess_height_m",
    "storeys_gained",
    "nearest_permits",
    "not_judged",
    "protected",
    "points",
    "unit",
    "cell",
    "township",
    "community",
    "team",
    "shared_with",
    "flown_before",
    "flown_after",
    "verdict",
    "tolerance_m",
    "permit_tolerance_m",
    "why_en",
    "why_zh",
    "run_id",
]
NUMBERS = [name for name in DESIGNED if name.endswith(("_m2", "_m"))]
NUMBERS += ["score", "severity", "permit_cover"]


@pytest.fixture(scope="module")
def result():
    return run_pair(0, 3)


def frames(result):
    return {
        "suspects": suspects_frame(result.suspects, result),
        "changes": suspects_frame(result.compared, result),
        "excluded": excluded_frame(result),
        "nothing": suspects_frame([], result),
    }


KINDS = ["suspects", "changes", "excluded", "nothing"]


@pytest.fixture(params=KINDS)
def frame(request, result):
    return frames(result)[request.param]


def quiet(check, *arguments, **options):
    geojson_validator.configure_logging(enabled=False)
    return check(*arguments, **options)


def polygons(data):
    """Yield the rings of every polygon, however it is packed."""
    for feature in data["features"]:
        geometry = feature["geometry"]
        parts = geometry["coordinates"]
        yield from [parts] if geometry["type"] == "Polygon" else parts


def signed_area(ring):
    x, y = np.array(ring).T
    return 0.5 * float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))


def test_an_independent_validator_finds_nothing_wrong(frame):
    data = json.loads(geojson_text(frame))
    assert quiet(geojson_validator.validate_structure, data, check_crs=True) == {}
    if data["features"]:
        found = quiet(geojson_validator.validate_geometries, data)
        assert found["invalid"] == {}
        serious = {"self_intersection", "crosses_antimeridian", "3d_coordinates"}
        assert serious.isdisjoint(found["problematic"])


def test_the_validator_would_find_what_is_wrong(result):
    """The check above is worth something: it objects to a ring turned round and to a CRS."""
    data = json.loads(geojson_text(frames(result)["suspects"]))
    data["features"][0]["geometry"]["coordinates"][0].reverse()
    found = quiet(geojson_validator.validate_geometries, data)
    assert found["invalid"] == {"exterior_not_ccw": [0]}
    data["crs"] = {"type": "name"}
    assert quiet(geojson_validator.validate_structure, data, check_crs=True)


def test_no_crs_and_nothing_foreign(frame):
    data = json.loads(geojson_text(frame))
    assert set(data) == {"type", "features"}
    for feature in data["features"]:
        assert set(feature) <= {"type", "id", "properties", "geometry", "bbox"}


def test_rings_are_closed_and_turn_the_right_way(frame):
    for outer, *holes in polygons(json.loads(geojson_text(frame))):
        assert outer[0] == outer[-1]
        assert signed_area(outer) > 0
        assert all(signed_area(hole) < 0 for hole in holes)


def test_places_are_right_to_two_centimetres(frame):
    """PROJ itself, going back from degrees to the metres of the area."""
    back = Transformer.from_crs(CRS.from_epsg(4326), CRS.from_epsg(4547), always_xy=True)
    data = json.loads(geojson_text(frame))
    assert len(data["features"]) == len(frame)
    for feature, outline in zip(data["features"], frame.geometry, strict=True):
        seen = shapely.transform(
            shape(feature["geometry"]), lambda p: np.stack(back.transform(*p.T), axis=1)
        )
        assert shapely.hausdorff_distance(seen, outline) < 0.02
        longitude, latitude = feature["geometry"]["coordinates"][0][0][:2]
        assert 113 < longitude < 114
        assert 23 < latitude < 24


def test_columns_are_those_of_the_design_in_their_order(result):
    assert list(COLUMNS) == DESIGNED
    for name in ("suspects", "changes"):
        data = json.loads(geojson_text(frames(result)[name]))
        for feature in data["features"]:
            assert list(feature["properties"]) == DESIGNED
            assert feature["id"] == feature["properties"]["id"]
    for feature in json.loads(geojson_text(frames(result)["excluded"]))["features"]:
        assert list(feature["properties"]) == list(EXCLUDED_COLUMNS)


def test_what_is_unknown_is_null_and_never_nan(result):
    items = [replace(item, permit_cover=None, excess_m=None) for item in result.compared]
    items[0] = replace(items[0], change=replace(items[0].change, height_gain_m=None))
    text = geojson_text(suspects_frame(items, result))
    assert "NaN" not in text
    assert "Infinity" not in text
    data = json.loads(text, parse_constant=pytest.fail)
    assert data["features"][0]["properties"]["height_gain_m"] is None
    assert {f["properties"]["permit_cover"] for f in data["features"]} == {None}
    assert {f["properties"]["unit"] for f in data["features"]} == {None}


def test_values_are_what_was_found(result):
    data = json.loads(geojson_text(frames(result)["changes"]))
    for feature, item in zip(data["features"], result.compared, strict=True):
        told, change = feature["properties"], item.change
        assert (told["kind"], told["reason"], told["origin"]) == (change.kind, item.reason, "new")
        assert told["area_m2"] == pytest.approx(change.area_m2)
        assert told["height_gain_m"] == pytest.approx(change.height_gain_m)
        assert (told["flown_before"], told["flown_after"]) == ("2025-03-15", "2025-12-13")
        assert told["verdict"] == "verified"
        assert told["run_id"] == result.run.id
        assert isinstance(told["reasons"], str)
        for name in NUMBERS:
            assert told[name] is None or math.isfinite(told[name])


def test_numbers_are_not_drawn_out(result):
    """An area of 55.911750000801284 m2 claims a precision nobody has."""
    for name in ("suspects", "changes", "excluded"):
        for feature in json.loads(geojson_text(frames(result)[name]))["features"]:
            for key, value in feature["properties"].items():
                if isinstance(value, float):
                    assert round(value, 3) == value, key


def test_gdal_reads_it_back(frame, tmp_path):
    path = tmp_path / "x.geojson"
    write_geojson(frame, path)
    assert path.read_text(encoding="utf-8") == geojson_text(frame)
    read = pyogrio.read_dataframe(path)
    assert len(read) == len(frame)
    if len(frame):
        assert read.crs == CRS.from_epsg(4326)
        assert read.geometry.is_valid.all()
        measured = read.geometry.to_crs(4547).area
        np.testing.assert_allclose(measured, frame.geometry.area, rtol=0.02)


def test_nothing_found_is_a_valid_collection(result):
    data = json.loads(geojson_text(frames(result)["nothing"]))
    assert data == {"type": "FeatureCollection", "features": []}


def test_the_same_result_gives_the_same_bytes(frame):
    assert geojson_text(frame) == geojson_text(frame.copy())
