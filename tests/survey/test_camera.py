"""Lean, light and shadow against geometry done again, slowly, by other means."""

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest

from survey.simulation import (
    Displacement,
    Light,
    Mosaic,
    displacement,
    draw_plan,
    image_frame,
    render_image,
    render_truth,
    scene_of,
    view_of,
)
from survey.simulation.camera.mosaic import lean_at, seen_in
from survey.simulation.camera.render import light_window, paint_window
from survey.simulation.painting.canvas import Lattice
from survey.simulation.painting.terrain import ground_levels
from survey.simulation.sun import Sun, locate_sun, shade_below, sight_line
from tests.survey.areas import bare, centres, house, part, scene_with, still_plan, within

LEANING = Mosaic(lean=0.6, cell_m=120.0, altitude_m=90.0)
STEP_M = 0.02


def truth_of(plan, scene):
    flight = plan.flights[0]
    return render_truth(view_of(plan, scene, flight), image_frame(plan, flight).window)


def roof_over(item, x, y):
    """Height of a part's roof above the ground at places, -1 beside it; from the form's words."""
    sin, cos = (f(math.radians(item.place.bearing_deg)) for f in (math.sin, math.cos))
    east, north = x - item.place.x, y - item.place.y
    u, v = east * sin + north * cos, east * cos - north * sin
    end, side = item.length_m / 2 - np.abs(u), item.width_m / 2 - np.abs(v)
    half = item.width_m / 2
    share = {
        "flat": np.zeros_like(u),
        "gable": side / half,
        "hip": np.minimum(end, side) / half,
        "mono": (v + half) / item.width_m,
        "arch": 1.0 - (v / half) ** 2,
    }[item.roof]
    return np.where((end >= 0) & (side >= 0), item.height_m + item.rise_m * share, -1.0)


def look_down(plan, scene):
    """What is seen at every pixel: lines of sight followed from the top to the ground."""
    flight = plan.flights[0]
    x, y = np.meshgrid(*centres(plan.side_m, plan.pixel_m))
    rise, owner = np.zeros(x.shape), np.zeros(x.shape, dtype=int)
    for structure in scene.structures:
        east, north = lean_at(flight, structure.foot.x, structure.foot.y)
        for item in structure.parts_at(0):
            for height in np.arange(item.base_m + STEP_M / 2, item.top_m, STEP_M):
                solid = roof_over(item, x - east * height, y - north * height) >= height
                higher = solid & (height > rise)
                rise[higher], owner[higher] = height, structure.number
    return rise, owner


@pytest.mark.parametrize(
    ("roof", "rise_m"), [("flat", 0.0), ("gable", 2.5), ("hip", 2.5), ("mono", 1.5), ("arch", 2.0)]
)
@pytest.mark.parametrize("mosaic", [Mosaic(), LEANING], ids=["upright", "leaning"])
def test_truth_is_what_lines_of_sight_meet(roof, rise_m, mosaic):
    scene = scene_with(
        house(1, part(roof, at=(12.0, 25.0), rise_m=rise_m)),
        house(2, part(roof, at=(30.0, 14.0), height_m=3.0, rise_m=rise_m / 2, bearing_deg=70.0)),
        side_m=40.0,
    )
    plan = still_plan(side_m=40.0, mosaic=mosaic)
    found = truth_of(plan, scene)
    rise, owner = look_down(plan, scene)
    for number in (1, 2):
        seen, told = owner == number, found.owner == number
        assert (seen & told).sum() / (seen | told).sum() > 0.985
    # roofs have ragged edges, and on the rim of a wall a pixel is a step in height
    same = (owner == found.owner) & (owner > 0)
    assert np.median(np.abs(found.rise_m - rise)[same]) < 0.03
    assert (np.abs(found.rise_m - rise)[same] > 0.3).mean() < 0.03
    ground = cv2.erode((owner == 0).astype(np.uint8), np.ones((5, 5))) > 0
    assert found.ground[ground].all()
    assert not found.ground[cv2.erode((owner > 0).astype(np.uint8), np.ones((5, 5))) > 0].any()


def test_a_corner_of_a_tall_roof_lies_where_the_lean_puts_it():
    tower = part(at=(22.0, 42.0), height_m=24.0)
    scene = scene_with(house(1, tower))
    plan = still_plan(mosaic=LEANING)
    found = truth_of(plan, scene)
    east, north = lean_at(plan.flights[0], 22.0, 42.0)
    assert math.hypot(east, north) * 24.0 > 1.5
    x, y = np.meshgrid(*centres(60.0, 0.1))
    roof = (found.owner == 1) & (found.rise_m > 23.9)
    centre = x[roof].mean(), y[roof].mean()
    assert centre == pytest.approx((22.0 + east * 24.0, 42.0 + north * 24.0), abs=0.05)
    assert roof.sum() * 0.01 == pytest.approx(12.0 * 8.0, rel=0.02)
    facade = (found.owner == 1) & ~roof
    assert facade.sum() > 100
    assert not found.ground[facade].any()
    foot = within(tower.outline(), 60.0, 0.1)
    assert (found.owner[foot] == 1).mean() > 0.99


def test_the_picture_shows_the_roof_where_the_truth_says():
    """The roof alone is red: its pixels are found by colour."""
    scene = scene_with(house(1, part(at=(22.0, 42.0), height_m=24.0)))
    plan = still_plan(mosaic=LEANING)
    flight = plan.flights[0]
    pixels, _ = render_image(view_of(plan, scene, flight), image_frame(plan, flight).window)
    found = truth_of(plan, scene)
    roof = cv2.erode(((found.owner == 1) & (found.rise_m > 23.9)).astype(np.uint8), np.ones((5, 5)))
    red = pixels[0].astype(float) / (pixels[2] + 1.0)
    around = cv2.dilate((found.owner == 1).astype(np.uint8), np.ones((9, 9))) == 0
    assert np.median(red[roof > 0]) > 1.25 * np.median(red[around])
    level = (np.median(red[roof > 0]) + np.median(red[around])) / 2
    assert (red[roof > 0] > level).mean() > 0.9
    assert (red[around] > level).mean() < 0.1


def test_pixel_truth_of_a_drawn_area_agrees_with_its_parts():
    """Displaced, shifted and not leaning: owners and heights at the true places."""
    plan = draw_plan(seed=12, side_m=60.0, pixel_m=0.15, flights=2, setting="town")
    flight = replace(plan.flights[1], mosaic=replace(LEANING, lean=0.0, collar="mask", holes=2))
    scene = bare(scene_of(plan))
    view, frame = view_of(plan, scene, flight), image_frame(plan, flight)
    found = render_truth(view, frame.window)
    count = np.arange(frame.size, dtype=float)
    seen_x, seen_y = np.meshgrid(frame.eastings(count), frame.northings(count))
    true_x, true_y = seen_x - found.east_m, seen_y - found.north_m
    dx, dy = displacement(flight, true_x, true_y)
    assert np.abs(dx - found.east_m).max() < 1e-4
    assert np.abs(dy - found.north_m).max() < 1e-4
    x, y = true_x - plan.west_m, true_y - plan.south_m
    bare_m = ground_levels(x, y, scene.terrain, scene.seed)
    wrong = checked = 0
    for structure in scene.structures:
        parts = structure.parts_at(1)
        if not parts or any(item.roof in ("frame", "foundation") for item in parts):
            continue
        foot = structure.foot
        level = ground_levels(np.array([foot.x]), np.array([foot.y]), scene.terrain, scene.seed)
        top = np.maximum.reduce([roof_over(item, x, y) for item in parts])
        inner = cv2.erode((top > 0).astype(np.uint8), np.ones((5, 5)), borderValue=0) > 0
        wrong += (found.owner[inner] != structure.number).sum()
        rise = found.rise_m[inner] - (top + level[0] - bare_m)[inner]
        wrong += (np.abs(rise) > 0.6).sum()  # litter lies up to half a metre high on flat roofs
        assert inner.sum() < 50 or abs(np.median(rise)) < 0.03
        checked += inner.sum()
    assert checked > 5000
    assert wrong < 0.003 * checked
    places = (count + 0.5) * frame.pixel_m
    side_m = frame.size * frame.pixel_m
    assert np.array_equal(found.valid, seen_in(flight, places, side_m - places, side_m))
    assert np.array_equal(found.ground, (found.rise_m < 0.3) & (found.owner == 0))


@pytest.mark.parametrize("azimuth_deg", [0.0, 77.0, 135.0, 228.0, 300.0])
def test_shadow_falls_away_from_the_sun(azimuth_deg):
    heights = np.zeros((301, 301), dtype=np.float32)
    heights[148:153, 148:153] = 5.0
    sun = Sun(azimuth_deg=azimuth_deg, elevation_deg=45.0)
    shade = shade_below(sight_line(heights, 0.1, sun, 6.0), heights)
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


def ray_shade(heights, pixel_m, sun, reach_m):
    """Shadows by one interpolated look per pixel of the way to the sun."""
    line = heights.copy()
    rows, columns = heights.shape
    for step in range(1, int(reach_m / pixel_m)):
        across = step * math.sin(math.radians(sun.azimuth_deg))
        down = -step * math.cos(math.radians(sun.azimuth_deg))
        moved = cv2.warpAffine(
            heights, np.array([[1, 0, across], [0, 1, down]], dtype=np.float32), (columns, rows),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        drop = step * pixel_m * math.tan(math.radians(sun.elevation_deg))
        np.maximum(line, moved - np.float32(drop), out=line)
    return (line - heights) > 0.11


@pytest.mark.parametrize(
    ("azimuth_deg", "elevation_deg"), [(110.0, 35.0), (200.0, 50.0), (250.0, 25.0), (90.0, 60.0)]
)
def test_near_and_far_shadows_are_one(azimuth_deg, elevation_deg):
    sun = Sun(azimuth_deg=azimuth_deg, elevation_deg=elevation_deg)
    scene = scene_with(
        house(1, part(at=(40.0, 40.0), size=(14.0, 10.0), height_m=30.0)),
        house(2, part("gable", at=(20.0, 50.0), height_m=6.0, rise_m=2.0)),
        side_m=80.0,
    )
    plan = still_plan(side_m=80.0, pixel_m=0.2, sun=sun)
    view = view_of(plan, scene, plan.flights[0])
    whole = Lattice(pixel_m=0.2, column=0, row=-400, columns=400, rows=400)
    shade = light_window(view.atlas, view.moment, whole, 0.2).shade > 0.5
    canvas = paint_window(view.atlas, view.moment, whole)
    expected = ray_shade(canvas.height, 0.2, sun, 70.0)
    ground = canvas.owner == 0
    assert (expected & ground).sum() * 0.04 > 150.0  # m2; the tower's reaches beyond 8 m
    assert (shade & expected & ground).sum() > 0.9 * ((shade | expected) & ground).sum()
    # a window of far ground, which sees no tower, is shaded alike
    far = Lattice(pixel_m=0.2, column=20, row=-380, columns=70, rows=80)
    alone = light_window(view.atlas, view.moment, far, 0.2).shade > 0.5
    inner = (slice(3, -3), slice(3, -3))  # half shadows are blurred over the rim
    np.testing.assert_array_equal(alone[inner], shade[20:100, 20:90][inner])


def brightness(light: Light, sun: Sun):
    """Median light in the shadow of a house over that in the sun."""
    scene = scene_with(house(1, part(at=(20.0, 20.0), height_m=8.0)), side_m=40.0)
    plan = still_plan(side_m=40.0, pixel_m=0.2, sun=sun, light=light)
    view = view_of(plan, scene, plan.flights[0])
    whole = Lattice(pixel_m=0.2, column=0, row=-200, columns=200, rows=200)
    lit = light_window(view.atlas, view.moment, whole, light.diffuse)
    ground = lit.canvas.owner == 0
    dark, bright = (lit.image[1][ground & kind] for kind in (lit.shade > 0.9, lit.shade < 0.1))
    return np.median(dark) / np.median(bright), dark.size


def test_clouds_make_shadows_weak_and_noon_makes_them_short():
    low, high = (Sun(azimuth_deg=160.0, elevation_deg=angle) for angle in (30.0, 80.0))
    clear, area = brightness(Light(diffuse=0.2), low)
    dull, same = brightness(Light(diffuse=0.8), low)
    assert clear < 0.45
    assert 0.7 < dull < 1.0
    assert area == same
    assert brightness(Light(diffuse=0.2), high)[1] < 0.35 * area


def test_a_roof_that_faces_the_sun_is_brighter():
    sun = Sun(azimuth_deg=110.0, elevation_deg=50.0)
    scene = scene_with(
        house(1, part("gable", at=(20.0, 20.0), rise_m=2.0, bearing_deg=20.0)), side_m=40.0
    )
    plan = still_plan(side_m=40.0, pixel_m=0.2, sun=sun)
    view = view_of(plan, scene, plan.flights[0])
    whole = Lattice(pixel_m=0.2, column=0, row=-200, columns=200, rows=200)
    lit = light_window(view.atlas, view.moment, whole, 0.2)
    x, y = np.meshgrid(*centres(40.0, 0.2))
    bearing = math.radians(20.0)
    v = (x - 20.0) * math.cos(bearing) - (y - 20.0) * math.sin(bearing)
    roof = (lit.canvas.owner == 1) & (lit.shade < 0.1)
    slope, up = math.atan2(2.0, 4.0), math.radians(50.0)
    for side, sign in ((v > 0.5, 1.0), (v < -0.5, -1.0)):
        # the sun stands along v, and the side with v > 0 falls off towards it
        expected = math.cos(slope) * math.sin(up) + sign * math.sin(slope) * math.cos(up)
        assert np.median(lit.canvas.facing[roof & side]) == pytest.approx(expected, abs=0.02)


def test_an_offset_of_ten_metres_moves_the_truth_by_ten_metres():
    scene = scene_with(house(1, part(at=(22.0, 26.0))))
    still_truth = truth_of(still_plan(), scene)
    moved = truth_of(still_plan(displacement=Displacement(east_m=10.0, north_m=-8.0)), scene)
    np.testing.assert_array_equal(moved.owner[80:, 100:], still_truth.owner[:-80, :-100])
    assert moved.east_m == pytest.approx(10.0, abs=1e-4)
