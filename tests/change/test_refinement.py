"""Refinement: edges move onto the picture's edges, wherever they lie, and never come out broken."""

import numpy as np
import pytest
import shapely
from affine import Affine
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rasterio.features import rasterize
from scipy import ndimage
from shapely import Polygon, affinity, box

from change.outlines import overlap
from change.refinement import LEAST_KEPT, refine

PIXEL = 0.1
ROOF, GROUND, SHADOW = (70, 110, 190), (150, 140, 110), (45, 45, 50)


def scene(shape, *, degrees=0.0, at=(0.0, 0.0), seed=0, shadow_m=0.0, roof=ROOF):
    """Paint a structure, noisy as pictures are; return its outline, the picture and its place."""
    true = affinity.rotate(shape, degrees, origin="centroid")
    true = affinity.translate(true, at[0], at[1])
    left, bottom, right, top = true.buffer(5).bounds
    left, top = np.floor(left - at[0]) + at[0], np.ceil(top - at[1]) + at[1]
    place = Affine(PIXEL, 0, left, 0, -PIXEL, top)
    size = (int((top - bottom) / PIXEL), int((right - left) / PIXEL))
    picture = np.empty((3, *size))
    picture[:] = np.reshape(GROUND, (3, 1, 1))
    if shadow_m:
        cast = affinity.translate(true, shadow_m, -shadow_m).union(true).convex_hull
        picture[:, rasterize([cast], size, transform=place) > 0] = np.reshape(SHADOW, (3, 1))
    picture[:, rasterize([true], size, transform=place) > 0] = np.reshape(roof, (3, 1))
    rng = np.random.default_rng(seed)
    picture = ndimage.gaussian_filter(picture, (0, 0.7, 0.7)) + rng.normal(0, 6, picture.shape)
    return true, np.clip(picture, 0, 255).astype(np.uint8), place


def shapes():
    """Draw rectangles and L of four metres and more, with jogs of two and more."""
    wide, deep = st.integers(12, 30).map(lambda n: n / 2), st.integers(10, 24).map(lambda n: n / 2)

    @st.composite
    def draw_one(draw):
        width, depth = draw(wide), draw(deep)
        shape = box(0, 0, width, depth)
        if draw(st.booleans()):
            broad = max(4.0, width / 3)
            # Jogs smaller than a segmentation's error are dropped: none here.
            side = draw(st.sampled_from((0.0, width - broad)))
            shape = shape.union(affinity.translate(box(0, 0, broad, depth + 5), side))
        return shape

    return draw_one()


@settings(max_examples=25)
@given(shapes(), st.floats(0, 90), st.integers(-50, 50), st.integers(0, 1000))
def test_what_was_grown_or_shrunk_comes_back(shape, degrees, growth, seed):
    true, picture, place = scene(shape, degrees=degrees, seed=seed)
    rough = true.buffer(growth / 100)
    found = refine(rough, picture, place, reach_m=0.9)
    assert found.outline.is_valid
    assert overlap(found.outline, true) > 0.93
    assert overlap(found.outline, true) > overlap(rough, true) - 0.02
    assert found.outline.area == pytest.approx(true.area, rel=0.05)
    assert found.support > 0.4


@settings(max_examples=15)
@given(st.floats(0, 90), st.floats(-8, 8))
def test_what_was_drawn_askew_is_turned_back(degrees, askew):
    true, picture, place = scene(box(0, 0, 10, 7), degrees=degrees)
    rough = affinity.rotate(true, askew, origin="centroid")
    found = refine(rough, picture, place, reach_m=0.9)
    assert overlap(found.outline, true) > 0.95


def test_areas_are_unbiased():
    rng = np.random.default_rng(5)
    ratios, came = [], []
    for seed in range(30):
        width, depth = rng.uniform(5, 12, 2)
        true, picture, place = scene(box(0, 0, width, depth), degrees=rng.uniform(0, 90), seed=seed)
        # All of them grown, as a segmentation with a low threshold draws them.
        rough = affinity.translate(true.buffer(0.4), *rng.uniform(-0.2, 0.2, 2))
        found = refine(rough, picture, place, reach_m=0.9)
        ratios.append(found.outline.area / true.area)
        came.append(rough.area / true.area)
    assert np.mean(came) > 1.15
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.02)


def test_a_shadow_is_no_part_of_a_roof():
    true, picture, place = scene(box(0, 0, 9, 7), degrees=20, shadow_m=0.6)
    found = refine(true.buffer(0.2), picture, place, reach_m=0.9)
    assert overlap(found.outline, true) > 0.92


def test_a_picture_that_shows_nothing_moves_nothing():
    rough = box(0, 0, 9, 7)
    rng = np.random.default_rng(1)
    grey = np.broadcast_to(rng.integers(100, 120, (1, 200, 200)), (3, 200, 200)).astype(np.uint8)
    place = Affine(PIXEL, 0, -5, 0, -PIXEL, 13)
    found = refine(rough, grey, place, reach_m=0.9)
    assert overlap(found.outline, rough) > 0.9
    assert found.support < 0.35


def test_ground_that_is_not_shown_moves_nothing():
    true, picture, place = scene(box(0, 0, 10, 8))
    rough = true.buffer(0.4)
    nothing = refine(rough, picture, place, reach_m=0.9, valid=np.zeros(picture.shape[1:], bool))
    assert nothing.moved_m == 0
    assert nothing.support == 0
    assert overlap(nothing.outline, rough) > 0.95


def test_what_is_shown_is_used_where_the_rest_is_not():
    true, picture, place = scene(box(0, 0, 10, 8))
    middle = picture.shape[2] // 2
    valid = np.ones(picture.shape[1:], bool)
    valid[:, :middle] = False
    picture[:, :, :middle] = 0
    found = refine(true.buffer(0.4), picture, place, reach_m=0.9, valid=valid)
    assert found.outline.bounds[2] == pytest.approx(true.bounds[2], abs=0.12)
    assert found.outline.bounds[0] == pytest.approx(true.bounds[0] - 0.4, abs=0.25)


def test_an_outline_means_the_same_wherever_it_lies():
    true, picture, place = scene(box(0, 0, 10, 7), degrees=31)
    rough = true.buffer(0.3)
    here = refine(rough, picture, place, reach_m=0.9)
    far = (435_600.0, 2_556_600.0)
    moved = Affine.translation(*far) @ place
    there = refine(affinity.translate(rough, *far), picture, moved, reach_m=0.9)
    back = affinity.translate(there.outline, -far[0], -far[1])
    # Whole centimetres may fall to either side.
    assert back.hausdorff_distance(here.outline) < 0.011
    assert there.moved_m == pytest.approx(here.moved_m, abs=1e-3)


def test_refining_twice_gives_the_same():
    true, picture, place = scene(box(0, 0, 10, 7), degrees=31)
    first = refine(true.buffer(0.3), picture, place, reach_m=0.9)
    assert refine(true.buffer(0.3), picture, place, reach_m=0.9) == first


@pytest.mark.parametrize("shift", [Affine.rotation(25), Affine.scale(0.2), Affine.scale(2.5)])
def test_pictures_may_lie_askew_or_have_other_pixels(shift):
    _true, _picture, place = scene(box(0, 0, 10, 7))
    turned = place @ shift @ Affine.translation(-60, -60)
    size = (900, 1100)
    rows, cols = np.indices(size)
    x, y = (
        turned.a * cols + turned.b * rows + turned.c,
        turned.d * cols + turned.e * rows + turned.f,
    )
    middle = turned @ (size[1] / 2, size[0] / 2)
    true = affinity.translate(box(-5, -3.5, 5, 3.5), *middle)
    inside = shapely.contains_xy(true, x, y)
    picture = np.where(inside, np.reshape(ROOF, (3, 1, 1)), np.reshape(GROUND, (3, 1, 1)))
    found = refine(true.buffer(0.4), picture.astype(np.uint8), turned, reach_m=0.9)
    assert overlap(found.outline, true) > 0.93


def test_a_round_tank_stays_round_and_is_fitted():
    true, picture, place = scene(shapely.Point(0, 0).buffer(6))
    found = refine(true.buffer(0.4), picture, place, reach_m=0.9)
    assert len(found.outline.exterior.coords) > 16
    assert found.outline.area == pytest.approx(true.area, rel=0.06)


def test_a_courtyard_stays():
    yard = box(0, 0, 20, 18).difference(box(6, 6, 14, 12))
    true, picture, place = scene(yard, degrees=15)
    found = refine(true.buffer(0.3), picture, place, reach_m=0.9)
    assert len(found.outline.interiors) == 1
    assert overlap(found.outline, true) > 0.93


@st.composite
def hostile(draw):
    """Draw any valid polygon from a few corners, from specks to what reaches beyond the picture."""
    scale = draw(st.sampled_from((0.01, 0.3, 3.0, 12.0, 60.0)))
    corner = st.tuples(st.floats(-1, 1), st.floats(-1, 1))
    corners = draw(st.lists(corner, min_size=3, max_size=9, unique=True))
    shape = Polygon([(x * scale, y * scale) for x, y in corners])
    assume(shape.is_valid and shape.area > 0)
    return shape


@settings(max_examples=60)
@given(hostile(), st.integers(0, 50), st.sampled_from((0.2, 0.9, 3.0)))
def test_no_outline_comes_out_broken(outline, seed, reach):
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 256, (3, 150, 150), dtype=np.uint8)
    found = refine(outline, picture, Affine(PIXEL, 0, -7, 0, -PIXEL, 7), reach_m=reach)
    assert isinstance(found.outline, Polygon)
    assert found.outline.is_valid
    assert not found.outline.is_empty
    assert found.outline == outline or overlap(found.outline, outline) >= LEAST_KEPT - 1e-9
    assert 0 <= found.support <= 1
    assert found.moved_m >= 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"picture": np.zeros((4, 9, 9), np.uint8)}, r"\(3, row, col\)"),
        ({"valid": np.ones((3, 3), bool)}, "valid is"),
        ({"reach_m": 0.0}, "reach must be positive"),
    ],
)
def test_what_does_not_fit_is_refused(change, told):
    given = {"picture": np.zeros((3, 99, 99), np.uint8), "valid": None, "reach_m": 0.9} | change
    with pytest.raises(ValueError, match=told):
        refine(box(0, 0, 5, 5), given["picture"], Affine(PIXEL, 0, 0, 0, -PIXEL, 9),
               reach_m=given["reach_m"], valid=given["valid"])  # fmt: skip


def test_an_outline_beside_the_picture_is_squared_only():
    rough = box(500, 500, 510, 508)
    found = refine(rough, np.zeros((3, 99, 99), np.uint8), Affine(PIXEL, 0, 0, 0, -PIXEL, 9),
                   reach_m=0.9)  # fmt: skip
    assert found.moved_m == 0
    assert overlap(found.outline, rough) > 0.99
