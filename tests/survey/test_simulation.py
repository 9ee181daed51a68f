"""What a simulated area leaves on disk, and that it is the same every time."""

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from rasterio.features import geometry_mask
from rasterio.windows import Window as RasterWindow
from shapely.affinity import translate

from survey.errors import OutputError
from survey.simulation import (
    AreaPlan,
    area,
    changes_between,
    displacement,
    image_frame,
    render_image,
    render_surface,
    render_truth,
    scene_of,
    simulate_area,
    view_of,
)
from survey.simulation.camera import press
from survey.simulation.camera.press import TRUTH_BANDS
from survey.windows import Window
from tests.survey.areas import small_plan

SAMPLE = Path(__file__).parents[2] / "sample_tiles"


def load_make():
    spec = importlib.util.spec_from_file_location("sample_make", SAMPLE / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """An area on disk with its pixel truth."""
    folder = tmp_path_factory.mktemp("area") / "flights"
    plan = small_plan(side_m=53.0, setting="town", collar="mask", holes=1, lean=0.6)
    return folder, plan, simulate_area(folder, plan, pixel_truth=True)


def files_of(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_same_seed_same_bytes_for_any_number_of_workers(written, tmp_path, monkeypatch):
    """Also where workers print in smaller pieces: these are cuts of the tiles."""
    folder, plan, _ = written
    monkeypatch.setattr(press, "TILE_PX", 272)
    told = []
    simulate_area(
        tmp_path / "again",
        plan,
        pixel_truth=True,
        workers=2,
        progress=lambda *facts: told.append(facts),
    )
    first, again = files_of(folder), files_of(tmp_path / "again")
    assert sorted(first) == sorted(again)
    assert [name for name in first if first[name] != again[name]] == []
    assert told
    days = [f"{day.isoformat()}_ortho.tif" for day in plan.dates]
    assert first[days[0]] != first[days[1]]


def test_another_seed_another_scene():
    first, second = small_plan(seed=3), small_plan(seed=4)
    assert scene_of(first) == scene_of(first)
    assert scene_of(first) != scene_of(second)


def test_a_plan_that_leaves_nothing_to_see_is_refused():
    plan = small_plan()
    with pytest.raises(ValueError, match="too little"):
        replace(plan, flights=())
    with pytest.raises(ValueError, match="too little"):
        AreaPlan(seed=1, side_m=3.0, pixel_m=0.1, flights=plan.flights)


def test_roof_above_ground_is_the_height_in_the_truth(written):
    """With all the error of drawn surface models: noise, datum, tilt, smoothing and trees."""
    folder, plan, scene = written
    table = gpd.read_file(folder / "truth.gpkg", layer="structures")
    checked = 0
    for flight in plan.flights:
        error = flight.surface
        with rasterio.open(folder / f"{flight.flown_at:%Y-%m-%d}_dsm.tif") as raster:
            heights = np.ma.masked_equal(raster.read(1), raster.nodata) * raster.scales[0]
        for row in table[table.flight == flight.index].itertuples():
            structure = next(item for item in scene.structures if item.number == row.structure)
            roof = max(structure.parts_at(flight.index), key=lambda item: item.top_m)
            if roof.roof != "flat" or min(roof.length_m, roof.width_m) < 4.5:
                continue
            x, y = np.array(plan.west_m + roof.place.x), np.array(plan.south_m + roof.place.y)
            dx, dy = displacement(flight, x, y)
            core = translate(roof.outline().buffer(-1.2), plan.west_m + dx, plan.south_m + dy)
            over = geometry_mask([core], heights.shape, raster.transform, invert=True)
            if over.sum() < 30 or np.ma.getmaskarray(heights)[over].any():
                continue
            top_m = np.ma.median(heights[over])
            known = error.datum_m + 1e-3 * (
                error.east_mm_per_m * float(x - plan.west_m - plan.side_m / 2)
                + error.north_mm_per_m * float(y - plan.south_m - plan.side_m / 2)
            )
            assert top_m - known - row.ground_m == pytest.approx(row.height_m, abs=0.25)
            checked += 1
    assert checked >= 2


def test_files_say_what_they_are(written):
    folder, plan, _ = written
    for flight in plan.flights:
        day = f"{flight.flown_at:%Y-%m-%d}"
        frame = image_frame(plan, flight)
        with rasterio.open(folder / f"{day}_ortho.tif") as raster:
            assert raster.crs.to_epsg() == 4547
            assert raster.profile["compress"].lower() == "jpeg"
            assert raster.overviews(1)
            assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
            assert raster.tags()["TIFFTAG_DATETIME"] == f"{flight.flown_at:%Y:%m:%d %H:%M:%S}"
            assert (raster.transform.c, raster.transform.f) == pytest.approx(
                (frame.west, frame.north), abs=1e-6
            )
            assert (raster.width, raster.height) == (frame.size, frame.size)
        with rasterio.open(folder / f"{day}_dsm.tif") as raster:
            assert (raster.dtypes[0], raster.nodata) == ("int16", -32768)
            assert (raster.scales, raster.units, raster.res) == ((0.01,), ("metre",), (0.25, 0.25))
    assert sorted(file.name for file in folder.iterdir()) == sorted(
        [
            f"{day.isoformat()}_{what}.tif"
            for day in plan.dates
            for what in ("ortho", "dsm", "truth")
        ]
        + ["permits.gpkg", "truth.gpkg", "truth.json", "cells.geojson", "townships.geojson"]
    )


def test_tables_say_what_was_seen(written):
    folder, plan, scene = written
    permits = gpd.read_file(folder / "permits.gpkg", layer="permits")
    assert len(permits) == len(scene.permits)
    assert permits.crs.to_epsg() == 4547
    cells = gpd.read_file(folder / "cells.geojson")
    assert all(len(code) == 15 for code in cells.code)
    assert cells.code.is_unique
    assert len(gpd.read_file(folder / "townships.geojson")) == 2
    truth = json.loads((folder / "truth.json").read_text())
    assert [flight["flown_on"] for flight in truth["flights"]] == [
        day.isoformat() for day in plan.dates
    ]
    listed = gpd.read_file(folder / "truth.gpkg", layer="changes")
    expected = changes_between(scene, 0, 1)
    assert list(listed.structure) == [change.structure for change in expected]
    (pair,) = truth["changes"]
    assert [found["kind"] for found in pair["expected"]] == [change.kind for change in expected]


def test_pixel_truth_on_disk_is_the_rendered_one(written):
    folder, plan, scene = written
    flight = plan.flights[1]
    window = Window(row=280, col=240, height=90, width=110)
    truth = render_truth(view_of(plan, scene, flight), window)
    with rasterio.open(folder / f"{flight.flown_at:%Y-%m-%d}_truth.tif") as raster:
        assert raster.descriptions == TRUTH_BANDS
        bands = raster.read(window=RasterWindow(240, 280, 110, 90))
        whole = raster.read(TRUTH_BANDS.index("valid") + 1)
    expected = (
        np.round(truth.east_m * 1000),
        np.round(truth.north_m * 1000),
        np.round(truth.rise_m * 100),
        truth.owner,
        truth.ground,
        truth.valid,
    )
    for band, values in zip(bands, expected, strict=True):
        np.testing.assert_array_equal(band, values)
    with rasterio.open(folder / f"{flight.flown_at:%Y-%m-%d}_ortho.tif") as raster:
        np.testing.assert_array_equal(raster.dataset_mask() > 0, whole > 0)
    assert 0.5 < (whole > 0).mean() < 0.999


@pytest.mark.parametrize(("collar", "fill"), [("black", 0), ("white", 255)])
def test_an_opaque_collar_is_one_colour_and_no_mask(tmp_path, collar, fill):
    plan = small_plan(flights=1, collar=collar, holes=1)
    simulate_area(tmp_path / "opaque", plan)
    view = view_of(plan, scene_of(plan), plan.flights[0])
    pixels, seen = render_image(view, image_frame(plan, plan.flights[0]).window)
    assert 0.5 < seen.mean() < 0.999
    assert (pixels[:, ~seen] == fill).all()
    with rasterio.open(tmp_path / "opaque" / "2025-03-15_ortho.tif") as raster:
        assert (raster.dataset_mask() == 255).all()
        kept = raster.read()[:, ~seen].astype(int)
    assert np.median(np.abs(kept - fill)) <= 2  # JPEG rings along the ragged edge


@pytest.mark.parametrize(("collar", "holes"), [("mask", 0), ("none", 2), ("none", 0)])
def test_what_no_picture_shows_is_masked(tmp_path, collar, holes):
    plan = small_plan(flights=1, collar=collar, holes=holes)
    simulate_area(tmp_path / "masked", plan)
    view = view_of(plan, scene_of(plan), plan.flights[0])
    _, seen = render_image(view, image_frame(plan, plan.flights[0]).window)
    with rasterio.open(tmp_path / "masked" / "2025-03-15_ortho.tif") as raster:
        np.testing.assert_array_equal(raster.dataset_mask() > 0, seen)
    assert seen.all() == (collar == "none" and holes == 0)


def test_refuses_a_folder_with_something_in_it(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="not empty"):
        simulate_area(tmp_path, small_plan())
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize(
    ("module", "name"), [(press, "_finish"), (press, "render_surface"), (area, "_write_tables")]
)
def test_nothing_is_left_behind_when_interrupted(tmp_path, monkeypatch, module, name, failure):
    def fail(*_, **__):
        raise failure

    monkeypatch.setattr(module, name, fail)
    with pytest.raises(failure):
        simulate_area(tmp_path / "deep" / "area", small_plan(flights=1, side_m=20.0))
    assert list(tmp_path.iterdir()) == []


def test_sample_truth_is_what_make_py_makes(tmp_path):
    plan = load_make().sample_plan()
    truth = json.loads((SAMPLE / "truth.json").read_text())
    assert truth["area"]["seed"] == plan.seed
    scene = scene_of(plan)
    listed = gpd.read_file(SAMPLE / "truth.gpkg", layer="changes")
    for before, after in ((0, 1), (1, 2), (2, 3), (0, 3)):
        rows = listed[(listed.before == before) & (listed.after == after)]
        expected = changes_between(scene, before, after)
        assert [(r.structure, r.kind, r.reason) for r in rows.itertuples()] == [
            (c.structure, c.kind, c.reason) for c in expected
        ]


def test_sample_pixels_are_what_make_py_makes():
    plan = load_make().sample_plan()
    scene = scene_of(plan)
    window = Window(row=1500, col=300, height=256, width=256)
    for flight in plan.flights:
        made, _ = render_image(view_of(plan, scene, flight), window)
        with rasterio.open(SAMPLE / f"{flight.flown_at:%Y-%m-%d}_ortho.tif") as raster:
            kept = raster.read(window=RasterWindow(300, 1500, 256, 256))
        # JPEG at quality 85 with halved chroma: 1.8 to 2.5 grey values on average, measured
        assert np.abs(made.astype(float) - kept).mean() < 4.0
    view = view_of(plan, scene, plan.flights[0])
    heights, seen = render_surface(view, Window(row=9, col=9, height=80, width=80))
    with rasterio.open(SAMPLE / "2025-03-15_dsm.tif") as raster:
        kept = raster.read(1, window=RasterWindow(9, 9, 80, 80))
    assert np.array_equal(seen, kept != -32768)
    assert np.abs(np.round(heights * 100) - kept)[seen].max() <= 1.0


@pytest.mark.slow
def test_sample_files_are_what_make_py_makes(tmp_path):
    make = load_make()
    simulate_area(tmp_path / "remade", make.sample_plan())
    assert not list(make.differences(tmp_path / "remade", SAMPLE))


def test_the_sample_fits_into_twelve_megabytes():
    assert sum(file.stat().st_size for file in SAMPLE.iterdir() if file.is_file()) < 12e6
