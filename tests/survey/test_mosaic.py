"""Exposure, seams, collars and holes of a mosaic, and what is wrong with its surface model."""

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest

from survey.simulation import (
    Displacement,
    Mosaic,
    SurfaceError,
    displacement,
    draw_plan,
    image_frame,
    render_image,
    render_surface,
    scene_of,
    surface_frame,
    view_of,
)
from survey.simulation.camera.mosaic import lean_at, light_gain, most_lean, seen_in
from survey.simulation.camera.surface import _match
from survey.simulation.painting.terrain import ground_level, terrain_at
from survey.simulation.scene import Patch, Place, Tree
from tests.survey.areas import (
    CLEAN,
    centres,
    heights_of,
    house,
    part,
    scene_with,
    still_plan,
    within,
)

POND = Patch(
    kind="pond", place=Place(x=40.0, y=40.0), length_m=24.0, width_m=20.0, seed=8, lift_m=-1.0
)


def flown(**mosaic):
    plan = still_plan(mosaic=Mosaic(**mosaic))
    return plan, plan.flights[0]


def grid(side_m=240.0, step_m=2.0):
    return np.meshgrid(*centres(side_m, step_m))


def test_a_picture_is_darker_in_its_corners():
    _, flight = flown(vignetting=0.14)
    gain = light_gain(flight, *grid())
    assert gain.max() == pytest.approx(1.0, abs=0.002)
    assert 0.84 < gain.min() < 0.95
    x, y = grid()
    lean = np.vectorize(lambda east, north: math.hypot(*lean_at(leaning, east, north)))
    _, leaning = flown(lean=1.0, altitude_m=100.0)
    away_m = lean(x[::6, ::6], y[::6, ::6]) * 100.0  # the same feet of pictures serve both
    fit = np.polyfit(away_m.ravel() ** 2, gain[::6, ::6].ravel(), 1)
    assert fit[1] == pytest.approx(1.0, abs=1e-6)
    assert fit[0] == pytest.approx(-0.14 / (1.1 * 60.0) ** 2, rel=1e-3)


def test_pictures_are_exposed_one_by_one_with_the_deviation_asked_for():
    spread = []
    for seed in range(6):
        _, flight = flown(unevenness=0.05, cell_m=40.0)
        gain = light_gain(replace(flight, seed=seed), *grid(600.0, 4.0))
        levels = np.unique(gain.round(9))
        assert 150 <= levels.size <= 350  # 15 x 15 pictures, and some over the rim
        assert levels.mean() == pytest.approx(1.0, abs=0.015)
        spread.append(levels.std())
    assert np.mean(spread) == pytest.approx(0.05, rel=0.15)
    _, even = flown()
    assert (light_gain(even, *grid()) == 1.0).all()


def test_seams_of_exposure_show_in_the_picture_where_pictures_meet():
    plan, flight = flown(unevenness=0.12, cell_m=25.0)
    smooth = replace(flight, mosaic=Mosaic())
    frame, scene = image_frame(plan, flight), scene_with()
    seamed, plain = (
        render_image(view_of(plan, scene, one), frame.window)[0].astype(float)
        for one in (flight, smooth)
    )
    x, y = np.meshgrid(*centres(60.0, 0.1))
    gain = light_gain(flight, x, y)
    ratio = cv2.blur(seamed.mean(axis=0) + 1.0, (9, 9)) / cv2.blur(plain.mean(axis=0) + 1.0, (9, 9))
    inner = (
        cv2.dilate((cv2.Laplacian(gain, cv2.CV_64F) != 0).astype(np.uint8), np.ones((25, 25))) == 0
    )
    assert inner.mean() > 0.5
    assert np.corrcoef(ratio[inner], gain[inner])[0, 1] > 0.98
    # grey values go with light to the power of 1 / 2.4 or a little more
    slope = np.polyfit(np.log(gain[inner]), np.log(ratio[inner]), 1)[0]
    assert 0.38 < slope < 0.6


def test_lean_grows_with_distance_from_the_picture_and_stays_below_its_bound():
    _, flight = flown(lean=0.5, cell_m=50.0, altitude_m=100.0)
    leans = np.array(
        [lean_at(flight, east, north) for east in range(0, 200, 7) for north in range(0, 200, 7)]
    )
    length = np.hypot(*leans.T)
    assert length.max() <= most_lean(flight)
    assert length.max() > 0.55 * most_lean(flight)
    assert length.min() < 0.02
    assert lean_at(replace(flight, mosaic=Mosaic()), 3.0, 5.0) == (0.0, 0.0)


@pytest.mark.parametrize("collar", ["mask", "black", "white"])
def test_the_collar_is_ragged_and_a_few_metres_wide(collar):
    _, flight = flown(collar=collar)
    x, y = centres(80.0, 0.2)
    lost = ~seen_in(flight, x, y, 80.0)
    depth = np.minimum(np.minimum(x, 80.0 - x)[None, :], np.minimum(y, 80.0 - y)[:, None])
    assert 0.3 < depth[lost].max() < 3.5
    assert lost[depth < 0.3].mean() > 0.2
    first = lost.argmin(axis=0)[20:-20]
    assert np.unique(first).size > 5


def test_holes_are_as_many_as_asked_for_and_metres_wide():
    counts = []
    for seed in range(12):
        _, flight = flown(holes=2)
        x, y = centres(200.0, 0.5)
        lost = ~seen_in(replace(flight, seed=seed), x, y, 200.0)
        count, _, stats, _ = cv2.connectedComponentsWithStats(lost.astype(np.uint8))
        large = stats[1:count, cv2.CC_STAT_AREA] * 0.25
        counts.append((large > 4.0).sum())
        assert lost.sum() * 0.25 < 2 * math.pi * 9.0**2
    assert np.median(counts) == 2


def test_a_clean_surface_is_exact_on_flat_roofs_wherever_it_is_moved():
    """Datum, tilt and displacement are those of the plan, to 2 cm."""
    known = SurfaceError(smoothing_m=0.0, datum_m=2.5, east_mm_per_m=1.0, north_mm_per_m=-2.0)
    plan = draw_plan(seed=6, side_m=60.0, pixel_m=0.12, flights=2)
    flight = replace(plan.flights[1], surface=known, mosaic=Mosaic())
    roofs = [
        part(at=(16.0, 16.0), height_m=6.0),
        part(at=(42.0, 18.0), height_m=9.3, bearing_deg=75.0),
        part(at=(30.0, 44.0), height_m=21.0),
    ]
    hilly = scene_of(plan).terrain
    scene = scene_with(*(house(n, one) for n, one in enumerate(roofs, 1)), terrain=hilly)
    frame = surface_frame(plan, flight)
    heights, seen = render_surface(view_of(plan, scene, flight), frame.window)
    assert seen.all()
    for roof in roofs:
        place = roof.place
        dx, dy = displacement(
            flight, np.array(plan.west_m + place.x), np.array(plan.south_m + place.y)
        )
        seen_x, seen_y = plan.west_m + place.x + float(dx), plan.south_m + place.y + float(dy)
        row = int((frame.north - seen_y) / frame.pixel_m)
        column = int((seen_x - frame.west) / frame.pixel_m)
        around = heights[row - 6 : row + 7, column - 6 : column + 7]
        east, north = (np.arange(-6, 7) * 0.25 for _ in range(2))
        tilt = 0.001 * (seen_x - plan.west_m - 30.0 + east)[None, :]
        tilt = tilt - 0.002 * (seen_y - plan.south_m - 30.0 - north)[:, None]
        expected = ground_level(place, hilly, scene.seed) + roof.height_m + 2.5
        assert np.abs(around - tilt - expected).max() < 0.02


def test_an_edge_in_the_surface_moves_with_the_displacement():
    scene = scene_with(house(1, part(size=(16.0, 16.0), bearing_deg=0.0)))
    for east_m, north_m in ((0.0, 0.0), (1.37, -2.61), (-10.0, 10.0)):
        plan = still_plan(displacement=Displacement(east_m=east_m, north_m=north_m))
        rows, columns = np.nonzero(heights_of(plan, scene, 0) - 18.0 > 4.5)
        x, y = centres(60.0, 0.2)
        assert x[columns].mean() == pytest.approx(30.0 + east_m, abs=0.06)
        assert y[rows].mean() == pytest.approx(30.0 + north_m, abs=0.06)


def test_smoothing_rounds_edges_as_a_gaussian_does():
    scene = scene_with(house(1, part(size=(16.0, 16.0), bearing_deg=0.0)))
    plan = still_plan(surface=SurfaceError(smoothing_m=0.5))
    profile = heights_of(plan, scene, 0)[150, :] - 18.0
    x, _ = centres(60.0, 0.2)
    for west_m in (-0.5, 0.0, 0.5):
        share = 0.5 * (1.0 + math.erf(west_m / 0.5 / math.sqrt(2.0)))
        assert np.interp(22.0 + west_m, x, profile) == pytest.approx(9.0 * share, abs=0.45)
    assert profile[150] == pytest.approx(9.0, abs=0.02)


def test_noise_has_the_deviation_asked_for():
    plan = still_plan(surface=replace(CLEAN, noise_m=0.06))
    calm = still_plan()
    noise = heights_of(plan, scene_with(), 0) - heights_of(calm, scene_with(), 0)
    assert noise.std() == pytest.approx(0.06, rel=0.35)
    assert abs(noise.mean()) < 0.03


def test_water_has_blunders_and_holes_and_the_land_has_none():
    scene = scene_with(patches=(POND,))
    calm = heights_of(still_plan(), scene, 0)
    wild = still_plan(surface=replace(CLEAN, blunder_m=2.0))
    heights, seen = render_surface(
        view_of(wild, scene, wild.flights[0]), surface_frame(wild, wild.flights[0]).window
    )
    water = within(POND.place.rectangle(22.0, 18.0), 60.0, 0.2)
    land = ~within(POND.place.rectangle(27.0, 23.0), 60.0, 0.2)
    assert seen[land].all()
    np.testing.assert_allclose(heights[land], calm[land], atol=1e-6)
    assert 0.1 < (~seen[water]).mean() < 0.7
    kept = (heights - calm)[water & seen]
    assert 0.4 < np.abs(kept).max() <= 2.0 + 1e-6
    assert np.median(np.abs(kept)) > 0.1


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_crowns_are_missed_at_the_share_asked_for(share):
    trees = tuple(
        Tree(x=4.0 + 6.0 * (n % 18), y=4.0 + 6.0 * (n // 18), radius_m=2.0, height_m=7.0,
             species="broadleaf", seed=1000 + 17 * n)
        for n in range(324)
    )  # fmt: skip
    scene = scene_with(trees=trees, side_m=112.0)
    plan = still_plan(side_m=112.0, pixel_m=0.4, surface_pixel_m=0.4,
                      surface=replace(CLEAN, trees_missing=share))  # fmt: skip
    rise = heights_of(plan, scene, 0) - 18.0
    x, y = centres(112.0, 0.4)
    found = [
        rise[np.abs(y - tree.y) < 1.2][:, np.abs(x - tree.x) < 1.2].max() > 2.5 for tree in trees
    ]
    assert 1.0 - np.mean(found) == pytest.approx(share, abs=0.08)
    pixels = render_image(
        view_of(plan, scene, plan.flights[0]), image_frame(plan, plan.flights[0]).window
    )
    whole = still_plan(side_m=112.0, pixel_m=0.4)
    np.testing.assert_array_equal(
        pixels[0],
        render_image(
            view_of(whole, scene, whole.flights[0]), image_frame(whole, whole.flights[0]).window
        )[0],
    )


def test_narrow_gaps_are_bridged_and_wide_ones_are_not():
    blocks = [
        part(at=(east, 30.0), size=(20.0, 8.0), bearing_deg=0.0) for east in (14.0, 22.8, 33.8)
    ]
    scene = scene_with(*(house(n, one) for n, one in enumerate(blocks, 1)))  # gaps of 0.8 and 3 m
    open_m = heights_of(still_plan(surface_pixel_m=0.1), scene, 0) - 18.0
    plan = still_plan(surface_pixel_m=0.1, surface=replace(CLEAN, bridged_m=1.2))
    bridged_m = heights_of(plan, scene, 0) - 18.0
    x, y = centres(60.0, 0.1)
    rows = np.abs(y - 30.0) < 6.0
    narrow, wide = ((np.abs(x - middle) < 0.15) for middle in (18.4, 28.3))
    assert np.median(open_m[rows][:, narrow]) == pytest.approx(0.0, abs=0.1)
    assert np.median(bridged_m[rows][:, narrow]) == pytest.approx(0.65 * 9.0, abs=0.3)
    assert np.median(bridged_m[rows][:, wide]) == pytest.approx(0.0, abs=0.1)


def test_matching_without_error_changes_nothing():
    height = np.random.default_rng(1).normal(20.0, 3.0, (40, 50)).astype(np.float32)
    assert np.array_equal(_match(height, CLEAN, 0.1), height)


def test_bare_ground_in_the_surface_is_the_terrain():
    plan = still_plan(setting="hills", seed=2)
    terrain = scene_of(plan).terrain
    heights = heights_of(plan, scene_with(terrain=terrain), 0)
    off = heights - terrain_at(*centres(60.0, 0.2), terrain, 3)
    assert np.abs(off).max() < 0.2
    assert np.ptp(heights) > 0.5
