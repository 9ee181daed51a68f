"""The simulator against what it promises: exact displacement, heights, shadows and permits."""

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from rasterio.windows import Window as RasterWindow
from scipy.ndimage import map_coordinates
from skimage.registration import phase_cross_correlation

from survey.errors import OutputError
from survey.simulation import (
    Displacement,
    FlightPlan,
    Light,
    SurfaceError,
    changes_between,
    displacement,
    draw_plan,
    image_frame,
    render_image,
    render_surface,
    scene_of,
    simulate_area,
    surface_frame,
    undo_displacement,
)
from survey.simulation.ground import ground_level
from survey.simulation.sun import Sun, cast_shadows, locate_sun
from survey.windows import Window

SAMPLE = Path(__file__).parents[2] / "sample_tiles"
PLAIN = {"light": Light(noise=0.0, blur_px=0.0), "surface": SurfaceError(smoothing_m=0.0)}


def small_plan(*, seed=3, flights=2):
    return draw_plan(seed=seed, side_m=60.0, pixel_m=0.12, flights=flights)


def still(flight: FlightPlan) -> FlightPlan:
    """The same flight without displacement, noise, blur or file shift."""
    bare = replace(flight, displacement=Displacement(), shift_east_m=0.0, shift_north_m=0.0)
    return replace(bare, **PLAIN)


def load_make():
    spec = importlib.util.spec_from_file_location("sample_make", SAMPLE / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def area(tmp_path_factory):
    folder = tmp_path_factory.mktemp("area") / "flights"
    plan = small_plan()
    return folder, plan, simulate_area(folder, plan)


@pytest.fixture(scope="module")
def year():
    plan = draw_plan(seed=21)
    return plan, scene_of(plan)


def test_same_seed_same_bytes(area, tmp_path):
    folder, plan, _ = area
    simulate_area(tmp_path / "again", plan)
    names = sorted(file.name for file in folder.iterdir())
    assert names == sorted(file.name for file in (tmp_path / "again").iterdir())
    for name in names:
        assert (folder / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name


def test_another_seed_another_scene():
    first, second = small_plan(seed=3), small_plan(seed=4)
    assert scene_of(first) == scene_of(first)
    assert scene_of(first) != scene_of(second)


@pytest.mark.parametrize("collar", ["none", "black"])
def test_a_window_is_a_cut_of_the_whole(collar):
    plan = small_plan()
    scene = scene_of(plan)
    flight = replace(plan.flights[1], collar=collar)
    for frame, render in (
        (image_frame(plan, flight), render_image),
        (surface_frame(plan, flight), render_surface),
    ):
        whole, seen = render(plan, scene, flight, frame.window)
        for window in (
            Window(row=37, col=101, height=90, width=70),
            Window(row=0, col=0, height=33, width=50),
            Window(row=frame.size - 41, col=frame.size - 23, height=41, width=23),
        ):
            part, part_seen = render(plan, scene, flight, window)
            cut = window.slices_in(frame.window)
            np.testing.assert_array_equal(part, whole[(..., *cut)])
            np.testing.assert_array_equal(part_seen, seen[cut])


def test_displacement_is_undone_to_a_tenth_of_a_millimetre():
    plan = draw_plan(seed=5)
    x, y = np.meshgrid(
        plan.west_m + np.linspace(0, 200, 15), plan.south_m + np.linspace(0, 200, 15)
    )
    for flight in plan.flights:
        dx, dy = displacement(flight, x, y)
        back_x, back_y = undo_displacement(flight, x + dx, y + dy)
        assert np.hypot(back_x - x, back_y - y).max() < 1e-4
        assert np.hypot(dx, dy).max() < 4.0
        assert np.hypot(dx - dx.mean(), dy - dy.mean()).max() > 0.02


def test_pixels_move_by_the_displacement():
    plan = small_plan(seed=6)
    scene = scene_of(plan)
    flight = still(plan.flights[1])
    moved = replace(flight, displacement=plan.flights[1].displacement)
    frame = image_frame(plan, flight)
    truth = render_image(plan, scene, flight, frame.window)[0].mean(axis=0)
    seen = render_image(plan, scene, moved, frame.window)[0].mean(axis=0)
    rows, columns = np.mgrid[150:350, 150:350].astype(float)
    dx, dy = displacement(moved, frame.eastings(columns), frame.northings(rows))
    assert np.hypot(dx, dy).mean() > 0.4
    there = (rows - dy / frame.pixel_m, columns + dx / frame.pixel_m)
    moved_back = map_coordinates(seen, there, order=1)
    shift, *_ = phase_cross_correlation(truth[150:350, 150:350], moved_back, upsample_factor=100)
    assert np.abs(shift).max() <= 0.1


def test_surface_moves_by_the_same_displacement_and_keeps_its_datum():
    plan = small_plan(seed=6)
    scene = scene_of(plan)
    known = SurfaceError(smoothing_m=0.0, datum_m=2.5, east_mm_per_m=1.0, north_mm_per_m=-2.0)
    flight = replace(still(plan.flights[1]), surface=known)
    flight = replace(flight, displacement=plan.flights[1].displacement)
    frame = surface_frame(plan, flight)
    heights, _ = render_surface(plan, scene, flight, frame.window)
    for structure, roof in flat_roofs(scene, flight.index):
        place = roof.place
        dx, dy = displacement(
            flight, np.array(plan.west_m + place.x), np.array(plan.south_m + place.y)
        )
        seen_x, seen_y = place.x + float(dx), place.y + float(dy)
        row, column = int((60.0 - seen_y) / 0.25), int(seen_x / 0.25)
        tilt = 0.001 * (seen_x - 30.0) - 0.002 * (seen_y - 30.0)
        around = heights[row - 6 : row + 7, column - 6 : column + 7]
        expected = ground_level(structure.foot, scene.seed) + roof.height_m + 2.5 + tilt
        assert np.median(around) == pytest.approx(expected, abs=0.02)


def flat_roofs(scene, flight):
    found = [
        (structure, structure.parts_at(flight)[0])
        for structure in scene.structures
        if structure.parts_at(flight)
        and structure.use == "residential"
        and structure.parts_at(flight)[0].roof == "flat"
        and structure.states[-1].kind != "roof_addition"
    ]
    assert found
    return found


def test_roof_above_ground_is_the_height_in_the_truth(area):
    folder, plan, _ = area
    truth = json.loads((folder / "truth.json").read_text())
    table = gpd.read_file(folder / "truth.gpkg", layer="structures")
    flat = table[(table.flight == 0) & (table.roof == "flat") & (table.use == "residential")]
    surface = truth["flights"][0]["surface"]
    with rasterio.open(folder / "2025-03-15_dsm.tif") as raster:
        heights = raster.read(1) * raster.scales[0]
        for row in flat.itertuples():
            # the house alone: a wing of up to 3.4 m does not survive the erosion
            centre = row.geometry.buffer(-1.8).buffer(0.1)
            x, y = np.array(centre.centroid.x), np.array(centre.centroid.y)
            dx, dy = displacement(plan.flights[0], x, y)
            line, column = raster.index(float(x + dx), float(y + dy))
            roof = np.median(heights[line - 6 : line + 7, column - 6 : column + 7])
            east, north = float(x) - plan.west_m - 30.0, float(y) - plan.south_m - 30.0
            error = surface["datum_m"] + 1e-3 * surface["east_mm_per_m"] * east
            error += 1e-3 * surface["north_mm_per_m"] * north
            assert roof - error - row.ground_m == pytest.approx(row.height_m, abs=0.2)
    assert len(flat)


@pytest.mark.parametrize("azimuth_deg", [0.0, 77.0, 135.0, 228.0, 300.0])
def test_shadow_falls_away_from_the_sun(azimuth_deg):
    heights = np.zeros((301, 301), dtype=np.float32)
    heights[148:153, 148:153] = 5.0
    sun = Sun(azimuth_deg=azimuth_deg, elevation_deg=45.0)
    shade = cast_shadows(heights, 0.1, sun, 6.0)
    rows, columns = np.nonzero((shade > 0.5) & (heights == 0.0))
    reach = np.hypot(rows - 150, columns - 150)
    tip = reach.argmax()
    bearing = np.degrees(np.arctan2(columns[tip] - 150, 150 - rows[tip])) % 360.0
    assert abs((bearing - azimuth_deg - 180.0 + 180.0) % 360.0 - 180.0) < 6.0
    assert reach[tip] * 0.1 == pytest.approx(5.0, abs=0.45)


def test_the_sun_of_the_year():
    plan = draw_plan(seed=2)
    noon = [locate_sun(flight.flown_at.replace(hour=12, minute=0), 23.1) for flight in plan.flights]
    assert noon[1].elevation_deg > 85.0 > noon[0].elevation_deg > noon[3].elevation_deg > 40.0
    morning = locate_sun(plan.flights[3].flown_at.replace(hour=9, minute=0), 23.1)
    assert 90.0 < morning.azimuth_deg < 180.0


def test_the_year_holds_what_its_script_says(year):
    _, scene = year
    stock = [item for item in scene.structures if item.states[0].flight == 0]
    assert 25 <= len(stock) <= 42
    assert all(item.permit_number for item in stock)
    born = [item for item in scene.structures if item.states[0].flight > 0]
    sizes = [s.outline_at(s.states[0].flight).area for s in born if s.permit_number is None]
    assert len(sizes) >= 5
    assert min(sizes) == pytest.approx(12.0, abs=0.1)
    assert sum(size >= 25.0 for size in sizes) >= 4
    reasons = [item.states[0].reason for item in born]
    assert reasons.count("as_permitted") == 3
    assert reasons.count("exceeds_permit") == 2
    later = [state.kind for item in scene.structures for state in item.states if state.flight > 0]
    assert later.count("removed") == 3
    assert {"annex", "storey", "roof_addition"} <= set(later)
    for before, after in ((0, 1), (1, 2), (2, 3)):
        assert len(changes_between(scene, before, after)) >= 4
    assert len(changes_between(scene, 0, 3)) >= 14


def test_permits_say_what_the_truth_expects(year):
    plan, scene = year
    permits = {permit.number: permit for permit in scene.permits}
    for structure in scene.structures:
        for state in structure.states:
            outline = structure.outline_at(state.flight)
            near = [p for p in scene.permits if p.outline.intersection(outline).area > 1.0]
            permit = permits.get(structure.permit_number)
            if state.reason == "no_permit":
                assert not near
                continue
            assert permit.granted < plan.dates[max(0, state.flight - 1)] < permit.valid_until
            outside = outline.difference(permit.outline).area
            tall = structure.height_at(state.flight) - permit.height_m
            if state.reason in ("as_permitted", "removed_permitted"):
                assert outside < 0.03 * permit.outline.area
                assert tall <= 0.0
            if state.reason == "exceeds_permit":
                assert outside > max(15.0, 0.28 * permit.outline.area)
            if state.reason == "grown_beyond_permit":
                assert outside > 15.0 or tall > 2.0


def test_structures_never_overlap(year):
    plan, scene = year
    for flight in range(len(plan.flights)):
        outlines = [item.outline_at(flight) for item in scene.structures]
        for index, outline in enumerate(outlines):
            for other in outlines[index + 1 :]:
                assert outline.intersection(other).area < 1e-6


def test_files_say_what_they_are(area):
    folder, plan, scene = area
    with rasterio.open(folder / "2025-03-15_ortho.tif") as raster:
        assert raster.crs.to_epsg() == 4547
        assert raster.profile["compress"].lower() == "jpeg"
        assert raster.overviews(1) or raster.width <= 512
        assert raster.tags()["TIFFTAG_DATETIME"].startswith("2025:03:15 ")
    with rasterio.open(folder / "2025-03-15_dsm.tif") as raster:
        assert (raster.dtypes[0], raster.nodata, raster.scales) == ("int16", -32768, (0.01,))
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


def test_a_masked_collar_is_a_mask(tmp_path):
    plan = small_plan(flights=1)
    plan = replace(plan, flights=(replace(plan.flights[0], collar="mask"),))
    simulate_area(tmp_path / "masked", plan)
    with rasterio.open(tmp_path / "masked" / "2025-03-15_ortho.tif") as raster:
        mask = raster.dataset_mask()
    assert 0.5 < (mask > 0).mean() < 0.999


def test_refuses_a_folder_with_something_in_it(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="not empty"):
        simulate_area(tmp_path, small_plan())
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


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
        made, _ = render_image(plan, scene, flight, window)
        with rasterio.open(SAMPLE / f"{flight.flown_at:%Y-%m-%d}_ortho.tif") as raster:
            kept = raster.read(window=RasterWindow(300, 1500, 256, 256))
        # JPEG at quality 85 with halved chroma: 1.8 to 2.5 grey values on average, measured
        assert np.abs(made.astype(float) - kept).mean() < 4.0
    heights, _ = render_surface(
        plan, scene, plan.flights[0], Window(row=9, col=9, height=80, width=80)
    )
    with rasterio.open(SAMPLE / "2025-03-15_dsm.tif") as raster:
        kept = raster.read(1, window=RasterWindow(9, 9, 80, 80))
    assert np.abs(np.round(heights * 100) - kept).max() <= 1.0


@pytest.mark.slow
def test_sample_files_are_what_make_py_makes(tmp_path):
    make = load_make()
    simulate_area(tmp_path / "remade", make.sample_plan())
    assert not list(make.differences(tmp_path / "remade", SAMPLE))


def test_the_sample_fits_into_twelve_megabytes():
    assert sum(file.stat().st_size for file in SAMPLE.iterdir() if file.is_file()) < 12e6
