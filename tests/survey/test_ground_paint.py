"""Ground, roads and props: the same pixel in every window, and seasons that show."""

from dataclasses import replace
from typing import get_args, get_type_hints

import numpy as np
import pytest

from survey.simulation.painting.canvas import Canvas, Lattice
from survey.simulation.painting.fields import crop_stage
from survey.simulation.painting.ground import paint_ground
from survey.simulation.painting.moment import Moment
from survey.simulation.painting.palette import TINTS
from survey.simulation.painting.patches import paint_patch
from survey.simulation.painting.props import paint_prop
from survey.simulation.painting.roads import paint_road, paint_verge
from survey.simulation.painting.strips import strips
from survey.simulation.scene import Patch, Place, Prop, Road, Scene, Span
from survey.simulation.sun import Sun

PATCHES = get_args(get_type_hints(Patch)["kind"])
PROPS = get_args(get_type_hints(Prop)["kind"])
SURFACES = get_args(get_type_hints(Road)["surface"])
WILD = get_args(get_type_hints(Scene)["wild"])

# The wide window is painted in strips, the others at once.
WIDE = Lattice(pixel_m=0.1, column=-40, row=-330, columns=240, rows=290)
CUTS = (
    Lattice(pixel_m=0.1, column=31, row=-241, columns=101, rows=83),
    Lattice(pixel_m=0.1, column=-3, row=-199, columns=67, rows=1),
)
MIDDLE = Place(x=8.0, y=19.0, bearing_deg=33.0)
SUN = Sun(azimuth_deg=128.0, elevation_deg=41.0)


def moment(**changes) -> Moment:
    usual = Moment(
        flight=1, day=280, green=0.7, sun=SUN, wetness=0.0, water_m=0.0, years=0.7, seed=11
    )
    return replace(usual, **changes)


def patch(kind, **changes) -> Patch:
    usual = Patch(
        kind=kind, place=MIDDLE, length_m=15.0, width_m=11.0, seed=5, bend_m=0.8, lift_m=1.2
    )
    return replace(usual, **changes)


def road(surface, **changes) -> Road:
    usual = Road(
        start=Place(x=-2.0, y=15.0), end=Place(x=17.0, y=23.0), width_m=6.0, surface=surface, seed=6
    )
    return replace(usual, **changes)


def prop(kind, **changes) -> Prop:
    usual = Prop(
        kind=kind, place=MIDDLE, length_m=9.0, width_m=3.0, height_m=2.0, tint="blue", seed=3
    )
    return replace(usual, **changes)


def painted(paint, lattice, at) -> Canvas:
    canvas = Canvas.blank(lattice)
    paint_ground(canvas, at, Scene(seed=9, side_m=60.0))
    paint(canvas, at)
    return canvas


def assert_same_in_any_window(paint, at):
    wide = painted(paint, WIDE, at)
    for lattice in CUTS:
        cut = painted(paint, lattice, at)
        row, column = lattice.row - WIDE.row, lattice.column - WIDE.column
        window = (
            ...,
            slice(row, row + lattice.rows),
            slice(column, column + lattice.columns),
        )
        for name in ("height", "albedo", "facing", "mirror"):
            whole, part = getattr(wide, name), getattr(cut, name)
            np.testing.assert_array_equal(part, whole[window], err_msg=name)
            assert np.isfinite(part).all()
            assert part.dtype == np.float32


@pytest.mark.parametrize("wild", WILD)
@pytest.mark.parametrize("wetness", [0.0, 0.9])
def test_ground_is_the_same_in_any_window(wild, wetness):
    scene = Scene(seed=4, side_m=60.0, wild=wild)
    assert_same_in_any_window(
        lambda canvas, at: paint_ground(canvas, at, scene), moment(wetness=wetness)
    )


@pytest.mark.parametrize("shape", ["rectangle", "ellipse"])
@pytest.mark.parametrize("kind", PATCHES)
def test_patches_are_the_same_in_any_window(kind, shape):
    piece = patch(kind, shape=shape)
    assert_same_in_any_window(lambda canvas, at: paint_patch(canvas, piece, at), moment())


@pytest.mark.parametrize("day", [10, 80, 120, 170, 200, 330])
@pytest.mark.parametrize("kind", ["paddy", "vegetable"])
def test_fields_are_the_same_in_any_window_all_year(kind, day):
    at = moment(day=day, wetness=0.6)
    assert_same_in_any_window(lambda canvas, at: paint_patch(canvas, patch(kind), at), at)


@pytest.mark.parametrize("width_m", [2.0, 7.0])
@pytest.mark.parametrize("surface", SURFACES)
def test_roads_are_the_same_in_any_window(surface, width_m):
    ditch, way = road("canal", end=Place(x=3.0, y=30.0)), road(surface, width_m=width_m)

    def paint(canvas, at):
        paint_road(canvas, ditch, at)
        paint_verge(canvas, way, at)
        paint_road(canvas, way, at)

    assert_same_in_any_window(paint, moment(wetness=0.7, water_m=-0.3))


@pytest.mark.parametrize("seed", [3, 7, 8])
@pytest.mark.parametrize("kind", PROPS)
def test_props_are_the_same_in_any_window(kind, seed):
    thing = prop(kind, seed=seed)
    assert_same_in_any_window(lambda canvas, at: paint_prop(canvas, thing, 18.0, at), moment())


@pytest.mark.parametrize("kind", PROPS)
def test_every_prop_shows_and_has_its_height(kind):
    at = moment()
    bare = painted(lambda canvas, at: None, WIDE, at)
    ground_m = float(bare.height.max())
    seen = painted(lambda canvas, at: paint_prop(canvas, prop(kind), ground_m, at), WIDE, at)
    assert np.abs(seen.albedo - bare.albedo).max() > 0.02
    risen = float((seen.height - bare.height).max())
    assert risen == 0.0 if kind == "wire" else 0.3 < risen < 5.0


@pytest.mark.parametrize("tint", TINTS)
def test_every_tint_can_be_painted(tint):
    canvas = painted(
        lambda canvas, at: paint_prop(canvas, prop("car", tint=tint), 30.0, at), CUTS[0], moment()
    )
    assert canvas.height.max() > 30.0


@pytest.mark.parametrize(
    "paint",
    [
        lambda canvas, at: paint_patch(canvas, patch("grass", span=Span(first=2)), at),
        lambda canvas, at: paint_prop(canvas, prop("car", span=Span(end=1)), 18.0, at),
    ],
)
def test_a_flight_sees_only_what_is_there(paint):
    at = moment()
    bare = painted(lambda canvas, at: None, CUTS[0], at)
    np.testing.assert_array_equal(painted(paint, CUTS[0], at).albedo, bare.albedo)


@pytest.mark.parametrize("wild", WILD)
def test_wild_ground_greens_in_the_rains(wild):
    scene = Scene(seed=4, side_m=60.0, wild=wild)
    shares = []
    for green in (0.1, 0.9):
        canvas = Canvas.blank(WIDE)
        paint_ground(canvas, moment(green=green), scene)
        red, leaf, _ = canvas.albedo.mean(axis=(1, 2))
        shares.append(leaf / red)
    assert shares[1] > 1.05 * shares[0]


@pytest.mark.parametrize("kind", ["soil", "concrete", "asphalt", "gravel", "rubble", "pit"])
def test_rain_darkens_what_is_bare(kind):
    dry, wet = (
        painted(lambda canvas, at: paint_patch(canvas, patch(kind), at), CUTS[0], moment(wetness=w))
        for w in (0.0, 1.0)
    )
    assert wet.albedo.mean() < 0.9 * dry.albedo.mean()


def test_water_is_a_mirror_and_its_level_moves_the_bank():
    def wet_share(**changes):
        at = moment(**changes)
        canvas = painted(lambda canvas, at: paint_patch(canvas, patch("pond"), at), WIDE, at)
        assert canvas.mirror.max() == 1.0
        assert canvas.mirror.min() == 0.0
        return float(canvas.mirror.mean())

    assert wet_share(water_m=-0.6) < wet_share() < wet_share(water_m=0.4)


def test_water_never_looks_the_same_twice():
    one, two = (
        painted(lambda canvas, at: paint_patch(canvas, patch("pond"), at), WIDE, moment(seed=seed))
        for seed in (1, 2)
    )
    wet = (one.mirror == 1.0) & (two.mirror == 1.0)
    assert np.abs(one.albedo - two.albedo)[:, wet].mean() > 1e-4


def test_a_road_bridges_a_canal():
    at = moment()
    ditch = road("canal", end=Place(x=12.0, y=30.0))
    canal = painted(lambda canvas, at: paint_road(canvas, ditch, at), WIDE, at)

    def both(canvas, at):
        paint_road(canvas, ditch, at)
        paint_road(canvas, road("asphalt", start=Place(x=-4.0, y=26.0)), at)

    crossed = painted(both, WIDE, at)
    bridged = (canal.mirror == 1.0) & (crossed.mirror == 0.0)
    assert bridged.sum() > 100
    bare = painted(lambda canvas, at: None, WIDE, at)
    np.testing.assert_allclose(crossed.height[bridged], bare.height[bridged], atol=1e-4)


def test_calendar_runs_through_the_year():
    paddy = {crop_stage("paddy", day, 0)[0] for day in range(1, 366)}
    assert paddy == {"ploughed", "flooded", "young", "lush", "ripe", "stubble"}
    assert all(0.0 <= crop_stage("vegetable", day, 7)[1] <= 1.0 for day in range(1, 366))


def test_strips_cover_a_turned_rectangle_once():
    canvas = Canvas.blank(replace(WIDE, columns=900, rows=700))
    box = canvas.box(MIDDLE, 40.0, 2.0)
    counted = np.zeros_like(canvas.height)
    for part in strips(box, 40.0, 2.0):
        u, v = part.frame()
        row, column = part.lattice.row - WIDE.row, part.lattice.column - WIDE.column
        window = counted[row : row + part.lattice.rows, column : column + part.lattice.columns]
        window += (np.abs(u) <= 40.0) & (np.abs(v) <= 2.0)
    u, v = replace(box, lattice=canvas.lattice).frame()
    np.testing.assert_array_equal(counted, (np.abs(u) <= 40.0) & (np.abs(v) <= 2.0))
