"""Findings about a flight and a pair: each fault is built in, and must be found and said."""

from dataclasses import replace
from datetime import date

import cv2
import numpy as np
import pytest
from affine import Affine

from survey.checks import check_flight, check_pair
from survey.errors import FlightError, PairError
from survey.examination import examine
from survey.findings import Finding, require
from survey.flight import open_flight
from tests.survey.rasters import EAST, NORTH, blurred, north_up, scene, write

DAY = date(2024, 3, 5)
PICTURE = scene(300, 320)


def opened(path, **options):
    return examine(open_flight(path, **({"flown_on": DAY} | options)))


def findings_of(path, **options):
    return {finding.code: finding for finding in check_flight(opened(path, **options))}


@pytest.fixture
def good(tmp_path):
    return write(tmp_path / "good.tif", PICTURE)


def test_a_good_flight_has_nothing_against_it(good):
    found = findings_of(good)
    assert set(found) == {"valid_share"}
    assert found["valid_share"].level == "info"
    assert found["valid_share"].value == 1.0
    assert found["valid_share"].sentence() == "good.tif: shows ground on 100.0% of its area"


def test_a_finding_is_one_of_those_there_are():
    with pytest.raises(ValueError, match="no such finding"):
        Finding(code="nonsense", level="info", subject="a.tif")
    with pytest.raises(ValueError, match="no such finding"):
        Finding(code="date", level="error", subject="a.tif")


@pytest.mark.parametrize(
    ("pixel_m", "level"), [(1.2, "refuse"), (0.7, "warning"), (0.3, None), (0.008, "info")]
)
def test_pixels_are_judged_by_their_size_on_the_ground(tmp_path, pixel_m, level):
    found = findings_of(write(tmp_path / "a.tif", PICTURE, transform=north_up(pixel_m)))
    assert (found["pixel_size"].level if "pixel_size" in found else None) == level
    if level is not None:
        assert found["pixel_size"].value == pytest.approx(pixel_m, rel=1e-3)


@pytest.mark.parametrize(
    ("code", "transform"),
    [
        (4326, Affine(1e-6, 0, 113.3, 0, -1e-6, 23.1)),
        (3857, north_up(0.1, east=12.6e6, north=2.64e6)),
    ],
)
def test_degrees_and_web_mercator_are_worked_on_in_a_zone(tmp_path, code, transform):
    found = findings_of(write(tmp_path / "a.tif", PICTURE, crs=code, transform=transform))
    assert (found["crs"].level, found["crs"].value) == ("info", f"EPSG:{code}")
    assert found["crs"].limit == "EPSG:32649"


def test_a_preview_is_refused(tmp_path):
    found = check_flight(opened(write(tmp_path / "a.tif", PICTURE[:, :40])))
    assert [(f.code, f.level, f.value) for f in found] == [("size", "refuse", 40)]
    with pytest.raises(FlightError, match="40 pixels on its shorter side"):
        require(found)


@pytest.mark.parametrize(("rows", "level"), [(300, "refuse"), (298, "refuse"), (200, "warning")])
def test_an_empty_picture_is_said(tmp_path, rows, level):
    alpha = np.full((1, 300, 320), 255, np.uint8)
    alpha[:, :rows] = 0
    bands = np.concatenate([PICTURE, alpha])
    path = write(tmp_path / "a.tif", bands, photometric="rgb", alpha="yes")
    found = findings_of(path)["valid_share"]
    assert found.level == level
    assert found.value == pytest.approx(1 - rows / 300)


def test_a_map_of_classes_is_no_picture(tmp_path):
    classes = np.repeat(PICTURE[:1] // 32 + 1, 3, axis=0)
    found = findings_of(write(tmp_path / "a.tif", classes))["colours"]
    assert (found.level, found.value) == ("refuse", 8)


@pytest.mark.parametrize("flags", [cv2.INTER_LINEAR, cv2.INTER_CUBIC])
def test_empty_magnification_is_seen(tmp_path, flags):
    wide = [
        cv2.resize(band, None, fx=2, fy=2, interpolation=flags)
        for band in blurred(scene(300, 300), 0.5)
    ]
    path = write(tmp_path / "a.tif", np.stack(wide))
    assert findings_of(path)["blur"].level == "warning"


@pytest.mark.parametrize("strength", [0.25, 1.0])
def test_sharpness_does_not_depend_on_contrast(tmp_path, strength):
    soft = (PICTURE.astype(float) - 128) * strength + 128
    assert "blur" not in findings_of(write(tmp_path / "a.tif", soft.astype(np.uint8)))
    out_of_focus = blurred(soft.astype(np.uint8), 1.5)
    assert "blur" in findings_of(write(tmp_path / "b.tif", out_of_focus))


def test_bare_ground_is_not_called_blurred(tmp_path):
    ramp = np.linspace(90, 130, 300 * 320).reshape(1, 300, 320).astype(np.uint8)
    assert "blur" not in findings_of(write(tmp_path / "a.tif", np.concatenate([ramp] * 3)))


def test_lost_colours_are_said(tmp_path):
    harsh = np.clip((PICTURE.astype(float) - 128) * 4 + 128, 0, 255).astype(np.uint8)
    found = findings_of(write(tmp_path / "a.tif", harsh))["saturation"]
    assert found.level == "warning"
    lost = ((harsh == 0) | (harsh == 255)).any(axis=0).mean()
    assert found.value == pytest.approx(lost)


def test_large_files_want_overviews_and_tiles(tmp_path):
    bands = np.zeros((3, 96, 4200), np.uint8) + scene(96, 4200)
    found = findings_of(write(tmp_path / "a.tif", bands))
    assert (found["overviews"].level, found["overviews"].value) == ("warning", 4200)
    assert "gdaladdo" in found["overviews"].sentence()
    assert found["strips"].level == "info"
    tiled = {"tiled": True, "blockxsize": 64, "blockysize": 64}
    found = findings_of(write(tmp_path / "b.tif", bands, overviews=(2, 4), **tiled))
    assert not {"overviews", "strips"} & set(found)


def test_an_unknown_day_a_turn_and_a_depth_are_said(tmp_path):
    turned = Affine(0.0866, -0.05, EAST, -0.05, -0.0866, NORTH)
    path = write(tmp_path / "a.tif", PICTURE.astype(np.uint16) * 100, transform=turned)
    found = findings_of(path, flown_on=None)
    assert found["date"].level == "warning"
    assert found["rotation"].value == pytest.approx(30, abs=0.01)
    assert found["bit_depth"].value == 16


def test_a_border_and_two_answers_about_ground_are_said(tmp_path):
    bands = PICTURE.copy()
    bands[:, :75] = 0
    found = findings_of(write(tmp_path / "a.tif", bands))
    assert found["collar"].value == pytest.approx(0.25, abs=0.05)
    assert found["valid_share"].value == pytest.approx(0.75, abs=0.01)
    rgba = np.concatenate([PICTURE, np.full((1, 300, 320), 255, np.uint8)])
    path = write(tmp_path / "b.tif", rgba, photometric="rgb", alpha="yes", nodata=0)
    assert findings_of(path)["masks"].value == "alpha, nodata"


def test_what_was_assumed_is_repeated(tmp_path):
    path = write(tmp_path / "a.tif", PICTURE, crs=None)
    wkt = open_flight(write(tmp_path / "b.tif", PICTURE)).crs.to_wkt()
    path.with_suffix(".prj").write_text(wkt, encoding="utf-8")
    assert "taken from a.prj" in findings_of(path)["assumption"].sentence()


# --- surface models ---


def surface(path, *, pixel_m=0.4, size=80, lift=0.0, spread=20.0, **profile):
    heights = np.linspace(lift, lift + spread, size * size, dtype=np.float32)
    place = {"transform": north_up(pixel_m)} | profile
    return write(path, heights.reshape(1, size, size), **place)


def about_surface(good, path):
    return {code: f for code, f in findings_of(good, dsm=path).items() if code.startswith("dsm")}


def test_a_good_surface_model_has_nothing_against_it(good, tmp_path):
    assert about_surface(good, surface(tmp_path / "dsm.tif")) == {}


@pytest.mark.parametrize(
    ("change", "code", "level"),
    [
        ({"size": 28, "pixel_m": 1.2}, "dsm_pixel_size", "warning"),
        ({"size": 50}, "dsm_overlap", "warning"),
        ({"transform": north_up(0.4, east=EAST + 500)}, "dsm_overlap", "refuse"),
        ({"lift": -32767.0}, "dsm_heights", "warning"),
        ({"lift": 9500.0}, "dsm_heights", "warning"),
        ({"spread": 0.5}, "dsm_range", "warning"),
        (
            {"crs": 4526, "transform": north_up(0.4, east=EAST + 38e6)},
            "dsm_crs",
            "info",
        ),
    ],
)
def test_faults_of_a_surface_model_are_found(good, tmp_path, change, code, level):
    found = about_surface(good, surface(tmp_path / "dsm.tif", **change))
    assert {c: f.level for c, f in found.items()} == {code: level}
    assert found[code].subject == "dsm.tif"
    assert "{" not in found[code].sentence()


# --- pairs ---


def pair_findings(first, second):
    found = check_pair(first, second)
    assert all("{" not in f.sentence() for f in found)
    return {f.code: f for f in found}


def test_two_flights_of_one_place_fit(good, tmp_path):
    after = opened(
        write(tmp_path / "after.tif", scene(300, 320, seed=2)), flown_on=date(2024, 6, 1)
    )
    found = pair_findings(opened(good), after)
    assert set(found) == {"overlap"}
    assert (found["overlap"].level, found["overlap"].value) == ("info", 1.0)
    assert found["overlap"].subject == "good.tif, after.tif"


def test_the_same_picture_twice_is_said(good):
    found = pair_findings(opened(good), opened(good))
    assert {"same_content", "same_date"} <= set(found)
    assert found["same_content"].level == "warning"
    assert found["same_date"].value == "2024-03-05"


def test_dates_in_the_wrong_order_are_refused_where_they_are_sure(good, tmp_path):
    older = opened(write(tmp_path / "b.tif", scene(300, 320, seed=2)), flown_on=date(2023, 1, 1))
    assert pair_findings(opened(good), older)["date_order"].level == "refuse"
    by_name = replace(older, dated_by="name")
    assert pair_findings(opened(good), by_name)["date_order"].level == "warning"
    unknown = replace(older, flown_on=None)
    assert "date_order" not in pair_findings(opened(good), unknown)


@pytest.mark.parametrize(
    ("east_m", "level"), [(20.0, "info"), (26.0, "warning"), (31.9, "refuse"), (4000.0, "refuse")]
)
def test_the_ground_they_share_is_measured(good, tmp_path, east_m, level):
    path = write(tmp_path / "b.tif", PICTURE, transform=north_up(0.1, east=EAST + east_m))
    found = check_pair(opened(good), opened(path))
    (overlap,) = [f for f in found if f.code == "overlap"]
    assert overlap.level == level
    assert overlap.value == pytest.approx(max(0.0, 1 - east_m / 32), abs=0.01)
    if level == "refuse":
        with pytest.raises(PairError, match="of the smaller area"):
            require(found)
    else:
        require(found)


def test_ground_that_is_masked_is_not_shared(good, tmp_path):
    alpha = np.zeros((1, 300, 320), np.uint8)
    alpha[:, :, 160:] = 255
    rgba = {"photometric": "rgb", "alpha": "yes"}
    right = write(tmp_path / "r.tif", np.concatenate([PICTURE, alpha]), **rgba)
    left = write(tmp_path / "l.tif", np.concatenate([PICTURE, 255 - alpha]), **rgba)
    assert pair_findings(opened(left), opened(right))["overlap"].level == "refuse"


def test_a_small_flight_inside_a_large_one_overlaps_wholly(good, tmp_path):
    small = write(tmp_path / "s.tif", PICTURE[:, :80, :80], transform=north_up(0.1, east=EAST + 10))
    for flights in ((good, small), (small, good)):
        found = pair_findings(*map(opened, flights))
        assert found["overlap"].value == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize(("ratio", "level"), [(1.5, None), (3, "warning"), (6, "refuse")])
def test_pixels_of_unlike_size_are_said(good, tmp_path, ratio, level):
    path = write(tmp_path / "b.tif", scene(100, 100), transform=north_up(0.1 * ratio))
    found = pair_findings(opened(good), opened(path))
    assert (found["pixel_ratio"].level if level else found.get("pixel_ratio")) == level


def test_other_coordinates_are_brought_together(good, tmp_path):
    twin = write(tmp_path / "b.tif", PICTURE, crs=4526, transform=north_up(0.1, east=EAST + 38e6))
    found = pair_findings(opened(good), opened(twin))
    assert (found["zone_prefixed_twin"].value, found["zone_prefixed_twin"].limit) == (
        "EPSG:4547",
        "EPSG:4526",
    )
    assert found["overlap"].value == pytest.approx(1, abs=0.03)
    degrees = Affine(1e-6, 0, 113.2972, 0, -1e-6, 23.0921)
    found = pair_findings(
        opened(good), opened(write(tmp_path / "c.tif", PICTURE, crs=4326, transform=degrees))
    )
    assert found["crs_differs"].limit == "EPSG:4326"


def test_another_turn_is_said(good, tmp_path):
    turned = Affine(0.0866, -0.05, EAST, -0.05, -0.0866, NORTH)
    path = write(tmp_path / "b.tif", PICTURE, transform=turned)
    assert pair_findings(opened(good), opened(path))["rotation_differs"].value == (
        pytest.approx(30, abs=0.01)
    )


# --- large flights: judged without reading them through ---


def test_what_is_too_large_to_read_is_judged_by_windows(good, tmp_path, monkeypatch):
    """The same answers, nearly, when even these small files count as too large."""
    monkeypatch.setattr("survey.glance._CHEAP_PX", 1000)
    monkeypatch.setattr("survey.glance._WINDOW_PX", 64)
    half = write(tmp_path / "b.tif", PICTURE, transform=north_up(0.1, east=EAST + 16))
    assert findings_of(half)["valid_share"].value == 1.0
    found = pair_findings(opened(good), opened(half))
    assert found["overlap"].value == pytest.approx(0.5, abs=0.02)
    assert about_surface(good, surface(tmp_path / "dsm.tif")) == {}


@pytest.mark.real
def test_real_pictures_pass(real_data):
    flight = opened(real_data / "kampala/kampala_ne_z21.tif")
    found = check_flight(flight)
    assert {f.code for f in found} == {"crs", "valid_share"}
    before, after = (
        opened(real_data / f"fotbcd/{w}/binary_val_104.tif") for w in ("before", "after")
    )
    require(check_flight(before) + check_pair(before, after))
