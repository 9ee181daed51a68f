"""Roofs, what stands on them, and crowns, as painters put them on a canvas."""

from dataclasses import replace
from typing import get_args, get_type_hints

import numpy as np
import pytest

from survey.simulation.painting.canvas import Canvas, Lattice
from survey.simulation.painting.crowns import paint_tree
from survey.simulation.painting.moment import Moment
from survey.simulation.painting.palette import SKINS
from survey.simulation.painting.roofs import paint_part, roof_top
from survey.simulation.scene import Fixture, Part, Place, Span, Tree
from survey.simulation.sun import Sun

PIXEL_M = 0.1
GROUND_M = 20.0
RISES = {"gable": 1.6, "hip": 1.4, "mono": 0.7, "arch": 2.0}
FORMS = get_args(get_type_hints(Part)["roof"])
FIXTURES = get_args(get_type_hints(Fixture)["kind"])
SPECIES = get_args(get_type_hints(Tree)["species"])
ARRAYS = ("height", "albedo", "facing", "mirror", "owner")


def see(flight=0, green=0.6, day=200, seed=3):
    sun = Sun(azimuth_deg=150.0, elevation_deg=48.0)
    return Moment(
        flight=flight,
        day=day,
        green=green,
        sun=sun,
        wetness=0.0,
        water_m=0.0,
        years=0.5,
        seed=seed,
    )


def build(roof="flat", skin="concrete", **changes):
    part = Part(
        place=Place(x=7.3, y=6.8, bearing_deg=31.0),
        length_m=9.0,
        width_m=6.0,
        height_m=3.4,
        rise_m=RISES.get(roof, 0.0),
        roof=roof,
        skin=skin,
        parapet_m=0.8 if roof == "flat" else 0.0,
        storeys=1,
        seed=90210,
    )
    return replace(part, **changes)


def blank(columns=140, rows=140, column=0, row=-140, pixel_m=PIXEL_M):
    lattice = Lattice(pixel_m=pixel_m, column=column, row=row, columns=columns, rows=rows)
    canvas = Canvas.blank(lattice)
    canvas.height[:] = GROUND_M
    canvas.albedo[:] = 0.2
    return canvas


def assert_same_in_windows(paint):
    whole = blank()
    paint(whole)
    assert not np.array_equal(whole.albedo, blank().albedo)
    for rows, columns in ((slice(31, 88), slice(23, 91)), (slice(60, 61), slice(40, 107))):
        part = blank(
            columns=columns.stop - columns.start,
            rows=rows.stop - rows.start,
            column=columns.start,
            row=rows.start - 140,
        )
        paint(part)
        for name in ARRAYS:
            expected = getattr(whole, name)[..., rows, columns]
            np.testing.assert_array_equal(getattr(part, name), expected, err_msg=name)


def frame_of(canvas, place):
    box = canvas.box(place, 99.0, 99.0)
    return box.frame()


@pytest.mark.parametrize("roof", FORMS)
@pytest.mark.parametrize("seed", [1, 90210])
def test_a_form_is_the_same_in_any_window(roof, seed):
    assert_same_in_windows(
        lambda canvas: paint_part(canvas, build(roof, seed=seed), 4, GROUND_M, see())
    )


@pytest.mark.parametrize("skin", SKINS)
def test_a_covering_is_the_same_in_any_window(skin):
    roof = "hip" if skin.startswith(("tile", "steel")) else "flat"
    assert_same_in_windows(lambda canvas: paint_part(canvas, build(roof, skin), 4, GROUND_M, see()))


@pytest.mark.parametrize("kind", FIXTURES)
@pytest.mark.parametrize("length_m", [1.3, 3.0])
def test_a_fixture_is_the_same_in_any_window(kind, length_m):
    fixture = Fixture(kind=kind, u=-0.4, v=0.3, length_m=length_m, width_m=1.3, height_m=1.2)
    part = build("gable", "tile_red", fixtures=(fixture,))
    assert_same_in_windows(lambda canvas: paint_part(canvas, part, 4, GROUND_M, see()))


@pytest.mark.parametrize("species", SPECIES)
@pytest.mark.parametrize(("radius_m", "green"), [(0.8, 0.7), (2.0, 0.2), (4.0, 0.0)])
def test_a_crown_is_the_same_in_any_window(species, radius_m, green):
    tree = Tree(
        x=6.5, y=7.2, radius_m=radius_m, height_m=2 * radius_m, species=species, seed=7, growth=0.1
    )
    assert_same_in_windows(lambda canvas: paint_tree(canvas, tree, GROUND_M, see(green=green)))


@pytest.mark.parametrize("roof", FORMS)
def test_the_painted_height_is_that_of_the_roof(roof):
    part = build(roof, "steel_blue", parapet_m=0.0)
    canvas = blank()
    paint_part(canvas, part, 4, GROUND_M, see())
    u, v = frame_of(canvas, part.place)
    inside = (np.abs(u) < part.length_m / 2 - 0.6) & (np.abs(v) < part.width_m / 2 - 0.6)
    off = np.abs(canvas.height - GROUND_M - roof_top(part, u, v))[inside]
    assert np.median(off) < 1e-4
    # What lies or sticks out there is small.
    assert np.mean(off > 0.01) < 0.1
    assert off.max() < 1.3


@pytest.mark.parametrize("roof", FORMS)
def test_ridge_and_eaves_are_where_the_part_says(roof):
    part = build(roof)
    line = np.linspace(-part.width_m / 2, part.width_m / 2, 601, dtype=np.float32)
    top = roof_top(part, np.zeros_like(line), line)
    assert top.dtype == np.float32
    assert top.min() == pytest.approx(part.height_m, abs=1e-3)
    assert top.max() == pytest.approx(part.top_m, abs=1e-3)


@pytest.mark.parametrize(
    ("roof", "skin"),
    [
        ("flat", "concrete"),
        ("gable", "tile_red"),
        ("mono", "steel_grey"),
        ("arch", "plastic"),
        ("flat", "net"),
        ("frame", "formwork"),
    ],
)
def test_ragged_edges_keep_the_outline(roof, skin):
    part = build(roof, skin)
    canvas = blank(columns=280, rows=280, row=-280, pixel_m=0.05)
    paint_part(canvas, part, 4, GROUND_M, see())
    owned = canvas.owner == 4
    assert set(np.unique(canvas.owner)) == {0, 4}
    assert owned.sum() * 0.05**2 == pytest.approx(part.outline().area, rel=0.03)
    u, v = frame_of(canvas, part.place)
    outside = np.maximum(np.abs(u) - part.length_m / 2, np.abs(v) - part.width_m / 2)
    assert outside[owned].max() < 0.2
    assert outside[~owned].min() > -0.2


def test_fixtures_belong_to_the_structure_while_they_are_there():
    tank = Fixture(
        kind="tank", u=0.5, v=0.5, length_m=1.4, width_m=1.4, height_m=1.6, span=Span(first=1)
    )
    part = build("mono", "steel_blue", fixtures=(tank,))
    before, after = blank(), blank()
    paint_part(before, part, 4, GROUND_M, see(flight=0))
    paint_part(after, part, 4, GROUND_M, see(flight=1))
    np.testing.assert_array_equal(before.owner, after.owner)
    raised = after.height > before.height + 1.0
    assert raised.sum() * PIXEL_M**2 == pytest.approx(np.pi * 0.7**2, rel=0.15)


def test_a_repaint_changes_the_colour_and_not_the_height():
    old = build("mono", "steel_blue")
    new = replace(old, repaints=((1, "steel_red"),))
    before, after = blank(), blank()
    paint_part(before, old, 4, GROUND_M, see(flight=1))
    paint_part(after, new, 4, GROUND_M, see(flight=1))
    np.testing.assert_array_equal(before.height, after.height)
    owned = before.owner == 4
    blue = before.albedo[2][owned].mean() / before.albedo[0][owned].mean()
    red = after.albedo[2][owned].mean() / after.albedo[0][owned].mean()
    assert blue > 1.5
    assert red < 0.8


def test_film_mirrors_and_lets_the_ground_through():
    canvas = blank()
    paint_part(canvas, build("arch", "plastic"), 4, GROUND_M, see())
    owned = canvas.owner == 4
    assert 0.3 < np.median(canvas.mirror[owned]) < 0.75
    canvas = blank()
    paint_part(canvas, build("flat", "concrete"), 4, GROUND_M, see())
    assert canvas.mirror.max() == 0.0


def test_steel_glints_at_some_flights_only():
    part, means = build("gable", "steel_white"), []
    for seed in range(12):
        canvas = blank()
        paint_part(canvas, part, 4, GROUND_M, see(seed=seed))
        means.append(canvas.albedo[1][canvas.owner == 4].mean())
    assert max(means) > 1.15 * min(means)


@pytest.mark.parametrize("pixel_m", [0.06, 0.15, 0.4])
@pytest.mark.parametrize("skin", ["tile_red", "steel_grey", "terracotta"])
def test_fine_patterns_fade_where_pixels_are_coarse(skin, pixel_m):
    canvas = blank(pixel_m=pixel_m)
    part = build("mono" if skin != "terracotta" else "flat", skin, parapet_m=0.0)
    paint_part(canvas, part, 4, GROUND_M, see())
    grey = canvas.albedo.mean(axis=0)[canvas.owner == 4]
    assert grey.min() >= 0.0
    assert 0.03 < grey.std() / grey.mean() < 0.7


def grow(species, **changes):
    tree = Tree(x=7.0, y=7.0, radius_m=2.4, height_m=6.0, species=species, seed=77)
    return replace(tree, **changes)


@pytest.mark.parametrize("species", SPECIES)
def test_a_crown_is_about_as_large_as_it_says(species):
    canvas = blank()
    paint_tree(canvas, grow(species), GROUND_M, see())
    high = canvas.height > GROUND_M + 1.0
    assert 0.3 < high.sum() * PIXEL_M**2 / (np.pi * 2.4**2) < 1.4
    assert 4.0 < canvas.height.max() - GROUND_M < 8.4
    assert canvas.height[high].std() > 0.2
    assert not canvas.owner.any()


def test_crowns_grow():
    areas = []
    for years in (0.0, 2.0):
        canvas = blank()
        moment = replace(see(), years=years)
        paint_tree(canvas, grow("broadleaf", growth=0.15), GROUND_M, moment)
        areas.append((canvas.height > GROUND_M + 1.0).sum())
    assert areas[1] > 1.4 * areas[0]


def test_a_deciduous_tree_is_bare_in_winter():
    summer, winter = blank(), blank()
    paint_tree(summer, grow("deciduous"), GROUND_M, see(green=0.9, day=200))
    paint_tree(winter, grow("deciduous"), GROUND_M, see(green=0.0, day=30))
    touched = [np.abs(c.albedo[0] - 0.2) > 0.02 for c in (summer, winter)]
    assert touched[1].sum() < 0.6 * touched[0].sum()
    solid = [(c.height > GROUND_M + 1.0).sum() for c in (summer, winter)]
    assert 0 < solid[1] < 0.4 * solid[0]
    evergreen = blank()
    paint_tree(evergreen, grow("broadleaf"), GROUND_M, see(green=0.0, day=30))
    assert (evergreen.height > GROUND_M + 1.0).sum() > 0.7 * solid[0]
