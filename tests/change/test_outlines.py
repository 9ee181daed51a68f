"""Outlines: masks to polygons and back, seams that leave no trace, corners squared."""

import numpy as np
import pytest
import shapely
from affine import Affine
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from rasterio.features import rasterize
from scipy import ndimage
from shapely import Polygon, affinity, box

from change.outlines import join_across_seams, mask_polygons, square

PLACE = Affine(0.2, 0.0, 435_600.0, 0.0, -0.2, 2_556_600.0)
UNIT = Affine.identity()
MASKS = arrays.arrays(bool, st.tuples(st.integers(1, 14), st.integers(1, 14)))


@st.composite
def cut_masks(draw):
    """Draw a mask and the rows and columns at which it is cut."""
    mask = draw(MASKS)
    rows = draw(st.sets(st.integers(1, 13)).map(sorted))
    cols = draw(st.sets(st.integers(1, 13)).map(sorted))
    return mask, [r for r in rows if r < mask.shape[0]], [c for c in cols if c < mask.shape[1]]


def pieces(mask, rows, cols, transform=UNIT):
    """Return the outlines of every tile of a cut mask."""
    found = []
    for top, bottom in zip([0, *rows], [*rows, mask.shape[0]], strict=True):
        for left, right in zip([0, *cols], [*cols, mask.shape[1]], strict=True):
            at = transform @ Affine.translation(left, top)
            found.extend(mask_polygons(mask[top:bottom, left:right], at))
    return found


def buildings():
    """Draw the outlines of buildings: rectangles, L and T, turned, on a grid of half metres."""
    sides = st.integers(8, 60).map(lambda n: n / 2)

    @st.composite
    def draw_one(draw):
        width, depth = draw(sides), draw(sides)
        shape = box(0, 0, width, depth)
        if draw(st.booleans()):
            wing = box(0, 0, draw(sides), draw(sides))
            shape = shape.union(affinity.translate(wing, draw(st.integers(0, 8)) * width / 8, 0))
        assume(isinstance(shape, Polygon))
        turned = affinity.rotate(shape, draw(st.floats(0, 90)), origin="centroid")
        return affinity.translate(turned, 435_700, 2_556_500)

    return draw_one()


def overlap(one, other):
    return one.intersection(other).area / one.union(other).area


@given(MASKS)
def test_a_mask_comes_back_from_its_outlines(mask):
    polygons = mask_polygons(mask, PLACE)
    drawn = np.zeros(mask.shape, bool)
    if polygons:
        drawn = rasterize(polygons, out_shape=mask.shape, transform=PLACE).astype(bool)
    np.testing.assert_array_equal(drawn, mask)
    assert sum(p.area for p in polygons) == pytest.approx(0.04 * mask.sum())
    assert all(p.is_valid for p in polygons)
    assert len(polygons) == ndimage.label(mask)[1], "parts are joined by edges, not by corners"


@given(MASKS, st.floats(0, 20))
def test_small_parts_are_left_out(mask, least):
    every = mask_polygons(mask, UNIT)
    assert mask_polygons(mask, UNIT, least_area=least) == [p for p in every if p.area >= least]


@given(cut_masks(), st.randoms(use_true_random=False))
def test_a_cut_and_its_order_leave_no_trace(cut, random):
    mask, rows, cols = cut
    whole = join_across_seams(pieces(mask, [], []))
    parts = pieces(mask, rows, cols)
    random.shuffle(parts)
    joined = join_across_seams(parts)
    assert [p.wkb for p in joined] == [p.wkb for p in whole]
    np.testing.assert_allclose([p.area for p in joined], [p.area for p in whole])
    assert len(joined) == ndimage.label(mask)[1]


def test_nothing_joins_to_nothing():
    assert join_across_seams([]) == []


@given(buildings(), st.integers(0, 2**32 - 1))
def test_a_measured_building_is_squared_without_losing_it(building, seed):
    """The mask of a building at 0.2 m, frayed at its edges, back to straight walls."""
    transform = Affine(0.2, 0, building.bounds[0] - 2, 0, -0.2, building.bounds[3] + 2)
    height = int((building.bounds[3] - building.bounds[1] + 4) / 0.2)
    width = int((building.bounds[2] - building.bounds[0] + 4) / 0.2)
    drawn = rasterize([building], out_shape=(height, width), transform=transform).astype(bool)
    rng = np.random.default_rng(seed)
    rim = drawn ^ ndimage.binary_erosion(drawn)
    frayed = drawn & ~(rim & (rng.random(drawn.shape) < 0.3))
    measured = max(mask_polygons(frayed, transform), key=lambda p: p.area)
    squared = square(measured, slack_m=0.6)
    assert isinstance(squared, Polygon)
    assert squared.is_valid
    assert overlap(squared, measured) >= 0.85
    assert squared.area == pytest.approx(measured.area, rel=0.15)
    assert overlap(squared, building) >= 0.75
    assert len(squared.exterior.coords) <= len(measured.exterior.coords)


@given(st.integers(8, 60), st.integers(8, 60), st.floats(0, 89))
def test_a_rectangle_keeps_four_right_angles(width, depth, degrees):
    shape = affinity.rotate(box(0, 0, width / 2, depth / 2), degrees)
    squared = square(shape, slack_m=0.6)
    assert overlap(squared, shape) > 0.98
    assert len(squared.exterior.coords) == 5


@given(buildings())
def test_what_is_square_already_stays(building):
    squared = square(building, slack_m=0.3)
    assert overlap(squared, building) > 0.9


@given(buildings(), st.floats(-180, 180), st.floats(-500, 500))
def test_squaring_turns_with_the_building(building, degrees, east):
    """Where a building lies, and which way, does not change its shape."""
    moved = affinity.translate(affinity.rotate(building, degrees, origin="centroid"), east)
    one, other = square(building, slack_m=0.3), square(moved, slack_m=0.3)
    assert one.area == pytest.approx(other.area, rel=0.02)


@given(buildings(), st.integers(0, 2**32 - 1))
def test_an_outline_means_the_same_wherever_it_lies(building, seed):
    rng = np.random.default_rng(seed)
    corners = shapely.get_coordinates(building.segmentize(1.0))[:-1]
    rough = Polygon(corners + rng.uniform(-0.2, 0.2, corners.shape))
    assume(rough.is_valid)
    moved = affinity.translate(rough, -435_000, -2_556_000)
    here, there = square(rough, slack_m=0.6), square(moved, slack_m=0.6)
    back = affinity.translate(there, 435_000, 2_556_000)
    # Whole centimetres may fall to either side.
    assert back.hausdorff_distance(here) < 0.02


@pytest.mark.parametrize("bulge", [True, False], ids=["a bulge", "a bite"])
def test_what_a_segmentation_added_or_bit_off_is_not_drawn(bulge):
    house = box(0, 0, 12, 8)
    spot = shapely.Point(4, 8).buffer(0.9)
    rough = house.union(spot) if bulge else house.difference(spot)
    squared = square(affinity.rotate(rough, 17), slack_m=0.6)
    assert len(squared.exterior.coords) == 5
    assert overlap(squared, affinity.rotate(house, 17, origin=rough.envelope.centroid)) > 0.96


@pytest.mark.parametrize(
    ("shape", "corners"),
    [
        pytest.param(box(0, 0, 12, 9).difference(box(6, 4, 12, 9)), 6, id="L"),
        pytest.param(box(0, 0, 15, 5).union(box(5, 5, 10, 11)), 8, id="T"),
        pytest.param(box(0, 0, 15, 10).difference(box(5, 4, 10, 10)), 8, id="U"),
    ],
)
def test_round_corners_of_a_mask_become_corners(shape, corners):
    """What smoothing takes off the corners is given back: areas are not biased by it."""
    turned = affinity.rotate(shape, 33)
    rough = turned.buffer(-0.8).buffer(1.6).buffer(-0.8)
    squared = square(rough, slack_m=0.6)
    assert len(squared.exterior.coords) - 1 == corners
    assert overlap(squared, turned) > 0.97
    assert squared.area == pytest.approx(turned.area, rel=0.015)


def test_a_round_tank_is_not_forced_into_a_box():
    tank = shapely.Point(435_700, 2_556_500).buffer(8)
    squared = square(tank, slack_m=0.3)
    assert overlap(squared, tank) > 0.95


@pytest.mark.parametrize(
    "outline",
    [
        pytest.param(box(0, 0, 0.2, 0.2), id="a single pixel"),
        pytest.param(box(0, 0, 30, 0.2), id="a line of pixels"),
        pytest.param(Polygon([(0, 0), (10, 0), (5, 8)]), id="a triangle"),
        pytest.param(box(0, 0, 20, 20).difference(box(5, 5, 15, 15)), id="a courtyard"),
    ],
)
def test_odd_shapes_come_out_valid_and_no_larger_than_they_were(outline):
    squared = square(outline, slack_m=0.6)
    assert squared.is_valid
    assert squared.area > 0
    assert overlap(squared, outline) >= 0.85
