"""What one picture shows: places that may be roofs, and which of them are one roof."""

import numpy as np
import pytest
import shapely
from affine import Affine
from shapely.geometry import box

from change.outlines import mask_polygons
from change.raised import View
from change.roof_look import find_roofs, judge_roof, measure_roof

PIXEL_M = 0.2
PLACE = Affine(PIXEL_M, 0.0, 500.0, 0.0, -PIXEL_M, 900.0)
ONE, OTHER = np.s_[60:120, 60:130], np.s_[95:155, 140:200]


def view(*, bridge=0.0):
    """Return two roofs on grey ground, sure ones, with something less likely between them."""
    rng = np.random.default_rng(4)
    colour = rng.integers(100, 112, (3, 200, 260), dtype=np.uint8)
    roof = np.full((200, 260), 0.02, np.float32)
    roof[95:120, 130:140] = bridge
    for window, shade in ((ONE, 190), (OTHER, 60)):
        colour[:, window[0], window[1]] = shade
        roof[window] = 0.97
    nothing = np.full(roof.shape, np.nan, np.float32)
    valid = np.ones(roof.shape, bool)
    return View(colour=colour, valid=valid, above=nothing, transform=PLACE, roof=roof)


def places(seen):
    return [place for mask in find_roofs(seen) for place in mask_polygons(mask, PLACE)]


def outline(window):
    left, top = PLACE @ (window[1].start, window[0].start)
    right, bottom = PLACE @ (window[1].stop, window[0].stop)
    return box(left, bottom, right, top)


def test_roofs_that_touch_are_one_place_and_two():
    found = places(view(bridge=0.55))
    spans = [
        sum(place.intersects(outline(one).centroid) for one in (ONE, OTHER)) for place in found
    ]
    assert set(spans) == {1, 2}


def test_one_roof_is_likelier_to_be_whole_than_two_with_a_yard():
    seen = view(bridge=0.55)
    parts = [judge_roof(seen, place) for place in places(seen)]
    alone = [p for p in parts if p.outline.intersects(outline(ONE).centroid)]
    single = max(alone, key=lambda p: p.score * p.whole)
    assert not single.outline.intersects(outline(OTHER).centroid)
    assert single.score > 0.5


def test_a_place_where_no_roof_is_seen_is_unlikely():
    seen = view()
    ground = box(505.0, 865.0, 511.0, 871.0)
    assert judge_roof(seen, ground).score < 0.5 < judge_roof(seen, outline(ONE)).score


def test_numbers_are_of_the_place():
    numbers = measure_roof(view(), outline(ONE))
    assert numbers["area_m2"] == pytest.approx(12.0 * 14.0)
    assert numbers["width_m"] == pytest.approx(12.0)
    assert numbers["likely"] == pytest.approx(0.97, abs=1e-4)
    assert numbers["around"] == pytest.approx(0.02, abs=0.2)
    assert numbers["rectangular"] == pytest.approx(1.0)


def test_a_place_out_of_sight_is_not_judged():
    assert judge_roof(view(), shapely.box(0.0, 0.0, 5.0, 5.0)) is None
