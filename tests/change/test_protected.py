"""Protected ground: what its name is worth, and when a house stands on it."""

import pickle
import time

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st
from pyproj import CRS
from shapely import MultiPolygon, Polygon, affinity, box

from change.protected import (
    ProtectedGround,
    find_on_protected,
    on_protected,
    open_protected,
    points_of,
)
from survey.errors import LayerError
from survey.grid import Bounds, WorkingGrid
from survey.settings import SeveritySettings
from tests.strategies import rectangles

CGCS = CRS.from_epsg(4547)
X, Y = 428_000.0, 2_555_000.0
AREA = WorkingGrid.around(
    Bounds(left=X, bottom=Y, right=X + 500, top=Y + 500), crs=CGCS, pixel_m=0.5
)
SETTINGS = SeveritySettings(
    protected=(
        ("river", 25.0),
        ("farmland", 20.0),
        ("heritage", 18.0),
        ("road", 15.0),
        ("green", 10.0),
    ),
    other_protected=7.0,
)
HOUSE = box(100, 100, 110, 110)


def ground(*outlines, name="farmland", points=20.0, labels=None):
    return ProtectedGround(
        name=name,
        points=points,
        source="a.gpkg",
        outlines=outlines,
        labels=tuple(labels or [""] * len(outlines)),
        assumptions=(),
        bad_rows=(),
    )


def told(found):
    return [(item.name, item.label, round(item.share, 3), round(item.area_m2, 1)) for item in found]


# --- points ---


@pytest.mark.parametrize(
    ("name", "points"),
    [
        ("river", 25), ("Rivers and dykes", 25), ("levee_2024", 25), ("河道管理范围", 25),
        ("堤防", 25), ("城市蓝线", 25), ("farmland", 20), ("Farmland red line", 20),
        ("永久基本农田", 20), ("永久基本农田2024版", 20), ("耕地红线", 20), ("HERITAGE", 18),
        ("文物保护单位", 18), ("城市紫线", 18), ("road reserve", 15), ("道路红线", 15),
        ("公路建筑控制区", 15), ("green space", 10), ("城市绿线", 10), ("公园绿地", 10),
        ("生态保护红线", 7), ("broadway", 7), ("airport", 7), ("高压走廊", 7), ("", 7),
    ],
)  # fmt: skip
def test_a_name_is_known_in_both_languages(name, points):
    assert points_of(name, SETTINGS) == points


def test_names_of_the_settings_win():
    own = SeveritySettings(
        protected=(("farmland", 20.0), ("农田", 1.0), ("water source", 33.0), ("river", 25.0))
    )
    assert points_of("农田", own) == 1.0
    assert points_of("永久基本农田", own) == 20.0
    assert points_of("Water source zone II", own) == 33.0
    assert points_of("water", own) == 25.0
    assert points_of("河道", SeveritySettings(protected=(), other_protected=4.0)) == 4.0


# --- standing on it ---


def test_a_house_on_a_field():
    (found,) = on_protected(HOUSE, [ground(box(0, 0, 500, 500), labels=["田1"])], 1.0)
    assert (found.name, found.label, found.points) == ("farmland", "田1", 20.0)
    assert (found.share, found.area_m2) == (1.0, 100.0)


@pytest.mark.parametrize(
    ("reach", "tolerance", "counts"),
    [(0.9, 1.0, False), (1.1, 1.0, True), (0.2, 0.0, True), (0.09, 0.0, False), (4.9, 5.0, False)],
)
def test_a_drawing_tolerance_puts_no_house_on_the_dyke(reach, tolerance, counts):
    dyke = ground(box(0, 0, 100 + reach, 500), name="dyke")
    found = on_protected(HOUSE, [dyke], tolerance)
    assert bool(found) is counts
    if counts:
        assert found[0].area_m2 == pytest.approx(10 * reach)


def test_a_corner_that_touches_does_not_count():
    assert on_protected(HOUSE, [ground(box(110, 110, 200, 200))], 0.0) == ()
    assert on_protected(HOUSE, [ground(box(109.2, 109.2, 200, 200))], 0.0) == ()


def test_a_narrow_wall_in_the_middle_of_a_field_counts():
    wall = box(100, 100, 101, 130)
    assert told(on_protected(wall, [ground(box(0, 0, 500, 500))], 2.0)) == [
        ("farmland", "", 1.0, 30.0)
    ]
    assert on_protected(wall, [ground(box(0, 0, 102, 500))], 2.0) == ()


def test_a_narrow_strip_under_a_house_counts():
    strip = ground(box(104, 0, 106, 500), name="road")
    assert told(on_protected(HOUSE, [strip], 1.5)) == [("road", "", 0.2, 20.0)]
    assert on_protected(box(104.5, 100, 107, 110), [strip], 1.5) == ()


def test_the_graver_ground_comes_first_and_then_the_larger_share():
    field = ground(box(0, 0, 500, 500), name="field", points=20.0)
    river = ground(box(0, 0, 104, 500), name="river", points=25.0)
    park = ground(box(0, 0, 107, 500), name="park", points=20.0)
    found = on_protected(HOUSE, [park, field, river], 0.5)
    assert [item.name for item in found] == ["river", "field", "park"]


def test_overlapping_rows_count_once_and_the_largest_gives_the_label():
    rows = [box(0, 0, 104, 500), box(0, 0, 103, 500), box(103.5, 0, 108, 500), HOUSE]
    labels = ["甲", "甲", "乙", ""]
    assert told(on_protected(HOUSE, [ground(*rows[:3], labels=labels[:3])], 0.5)) == [
        ("farmland", "乙", 0.8, 80.0)
    ]
    assert told(on_protected(HOUSE, [ground(*rows, labels=labels)], 0.5)) == [
        ("farmland", "乙", 1.0, 100.0)
    ]


def test_neighbours_that_touch_leave_only_their_area():
    line = ground(MultiPolygon([box(0, 0, 100, 500), box(104, 90, 107, 130)]))
    assert told(on_protected(HOUSE, [line], 0.5)) == [("farmland", "", 0.3, 30.0)]


def test_ground_that_also_touches_along_a_line():
    """What two outlines share may be an area and a line at once."""
    comb = Polygon([(90, 90), (100, 90), (100, 108), (103, 108), (103, 120), (90, 120)])
    assert told(on_protected(HOUSE, [ground(comb, labels=["a"])], 0.5)) == [
        ("farmland", "a", 0.06, 6.0)
    ]
    both = ground(comb, box(95, 80, 108, 101), labels=["a", "b"])
    assert told(on_protected(HOUSE, [both], 0.5)) == [("farmland", "b", 0.14, 14.0)]


def test_no_ground_and_no_outline():
    assert find_on_protected([], [ground(HOUSE)], []) == ()
    assert find_on_protected([HOUSE, HOUSE], [], [1.0, 1.0]) == ((), ())
    assert on_protected(Polygon(), [ground(HOUSE)], 1.0) == ()


def test_a_label_for_every_outline():
    with pytest.raises(ValueError, match="1 labels for 2 outlines"):
        ground(HOUSE, HOUSE, labels=["a"])


def test_it_can_be_sent_to_another_process():
    again = pickle.loads(pickle.dumps(ground(HOUSE)))
    assert on_protected(HOUSE, [again], 0.5) == on_protected(HOUSE, [ground(HOUSE)], 0.5)


@given(st.lists(rectangles(), min_size=1, max_size=4), rectangles(), st.sampled_from([0.0, 0.5, 2]))
def test_what_counts_still_does_when_moved_by_the_tolerance(fields, house, tolerance):
    land = ground(*fields)
    found = on_protected(house, [land], tolerance)
    together = shapely.union_all(fields)
    overlap = together.intersection(house).area
    if found:
        assert found[0].area_m2 == pytest.approx(overlap, rel=1e-6)
        assert 0 < found[0].share <= 1
        for angle in np.arange(0, 2 * np.pi, np.pi / 4):
            moved = affinity.translate(
                house, 0.99 * tolerance * np.cos(angle), 0.99 * tolerance * np.sin(angle)
            )
            assert moved.intersects(together)
    elif tolerance == 0:
        assert overlap <= 1.0 + 1e-6


@given(st.lists(rectangles(), min_size=1, max_size=4), rectangles(), st.floats(-20, 20))
def test_order_and_splitting_change_nothing(fields, house, at):
    x = house.centroid.x + at
    halves = [box(x - 1000, 0, x, 1e7), box(x, 0, x + 1000, 1e7)]
    split = [part for field in fields for half in halves if (part := field & half).area > 0]
    assume(all(part.geom_type == "Polygon" for part in split))
    plain = on_protected(house, [ground(*fields)], 0.5)
    cut = on_protected(house, [ground(*reversed(split))], 0.5)
    if plain and cut:
        assert cut[0].area_m2 == pytest.approx(plain[0].area_m2, abs=1e-3)
    elif plain or cut:  # where it hangs by a hair, the seam may decide
        assert on_protected(house, [ground(*fields)], 0.45)
        assert not on_protected(house, [ground(*fields)], 0.55)


@given(st.lists(rectangles(), min_size=1, max_size=3), st.lists(rectangles(), max_size=6))
def test_many_at_once_are_as_one_by_one(fields, houses):
    grounds = [ground(field, name=str(number)) for number, field in enumerate(fields)]
    together = find_on_protected(houses, grounds, [0.5] * len(houses))
    assert together == tuple(on_protected(house, grounds, 0.5) for house in houses)


# --- reading ---


def written(path, *shapes, crs=CGCS, **columns):
    frame = gpd.GeoDataFrame(
        columns or {"n": range(len(shapes))}, geometry=list(shapes), crs=CGCS
    ).to_crs(crs)
    frame.to_file(path)
    return path


def test_a_layer_is_read_with_its_labels(tmp_path):
    fields = [box(X, Y, X + 50, Y + 50), box(X + 50, Y, X + 100, Y + 50)]
    path = written(tmp_path / "a.gpkg", *fields, 地块名称=["东田", None], kind=["a", "b"])
    found = open_protected("永久基本农田", path, area=AREA, settings=SETTINGS)
    assert (found.name, found.points, found.labels) == ("永久基本农田", 20.0, ("东田", ""))
    assert (found.assumptions, found.bad_rows) == ((), ())
    house = box(X + 20, Y + 10, X + 30, Y + 20)
    assert told(on_protected(house, [found], 0.5)) == [("永久基本农田", "东田", 1.0, 100.0)]


@pytest.mark.parametrize("crs", [4490, 4326, 4526])
def test_degrees_and_zone_prefixed_eastings(tmp_path, crs):
    path = written(tmp_path / "a.gpkg", box(X, Y, X + 50, Y + 50), crs=crs)
    found = open_protected("river", path, area=AREA, settings=SETTINGS)
    (on,) = on_protected(box(X + 45, Y, X + 55, Y + 10), [found], 0.5)
    assert on.share == pytest.approx(0.5, abs=1e-4)


def test_flawed_rows_are_told(tmp_path):
    bow = Polygon([(X, Y), (X + 50, Y + 50), (X + 50, Y), (X, Y + 50)])
    path = written(tmp_path / "a.gpkg", bow, shapely.Point(X, Y))
    found = open_protected("river", path, area=AREA, settings=SETTINGS)
    whys = [(flaw.row, flaw.why, flaw.kept) for flaw in found.bad_rows]
    assert whys == [(1, "ring_repaired", True), (2, "not_a_polygon", False)]


def test_ground_that_is_far_off_is_said_and_what_is_elsewhere_refused(tmp_path):
    near = written(tmp_path / "near.gpkg", box(X + 8000, Y, X + 8050, Y + 50))
    found = open_protected("heritage", near, area=AREA, settings=SETTINGS)
    (said,) = found.assumptions
    assert said.endswith("the nearest protected ground (heritage) lies 7.5 km from the flight")
    far = written(tmp_path / "far.gpkg", box(X + 90_000, Y, X + 90_050, Y + 50))
    with pytest.raises(LayerError, match=r"89\.5 km from the flight"):
        open_protected("heritage", far, area=AREA, settings=SETTINGS)


def test_many_suspects_on_large_ground_are_quick():
    rng = np.random.default_rng(5)
    circle = shapely.Point(5000, 5000).buffer(4000, quad_segs=5000)
    field = circle - shapely.union_all([box(x, 0, x + 20, 9500) for x in range(1500, 9000, 250)])
    corners = rng.uniform(0, 10_000, (5000, 2))
    houses = [box(x, y, x + 12, y + 9) for x, y in corners]
    start = time.process_time()
    found = find_on_protected(houses, [ground(field)], [0.8] * len(houses))
    # 0.2 s when this was written: an outline is laid over what lies around it, not over it all.
    assert time.process_time() - start < 4
    assert sum(map(bool, found)) > 1500
