"""Control points: a shift that was made is found again, and what contradicts itself is named."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS, Transformer
from shapely import box

from change.layers import read_layer
from change.layers.control_points import fit_similarity, read_similarity
from change.permits import open_permits
from survey.errors import LayerError
from tests.change.test_layers import AREA, CGCS, HOUSE, X, Y, same, table, written

LOCAL = np.array([[1000.0, 2000.0], [3500.0, 2200.0], [1800.0, 4700.0], [3300.0, 4300.0]])


def carried(points, *, east=427_000.0, north=2_553_000.0, turn_deg=1.5, scale=1.0001):
    """Turn (clockwise from north), stretch and shift points."""
    angle = math.radians(-turn_deg)
    turn = scale * np.array(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    )
    return points @ turn.T + [east, north]


def listed(path, source, target, head="name,from_x,from_y,to_x,to_y", encoding="utf-8"):
    lines = [
        ",".join([f"K{i}", *(repr(float(v)) for v in (*a, *b))])
        for i, (a, b) in enumerate(zip(source, target, strict=True), start=1)
    ]
    path.write_text("\n".join([head, *lines]) + "\n", encoding=encoding)
    return path


@given(st.floats(-180, 180), st.floats(0.99, 1.01), st.floats(-1e6, 1e6), st.floats(-4e6, 4e6))
def test_any_similarity_is_found_again(turn, scale, east, north):
    target = carried(LOCAL, east=east, north=north, turn_deg=turn, scale=scale)
    found = fit_similarity(LOCAL, target, tuple("abcd"))
    np.testing.assert_allclose(found.moved(LOCAL), target, atol=1e-6)
    assert found.scale == pytest.approx(scale)
    assert math.remainder(found.rotation_deg - turn, 360) == pytest.approx(0, abs=1e-6)
    assert (found.points, found.worst_m) == (4, pytest.approx(0, abs=1e-6))


def test_what_is_left_over_is_told(tmp_path):
    target = carried(LOCAL)
    target[2] += [0.6, -0.8]
    found = read_similarity(listed(tmp_path / "k.csv", LOCAL, target))
    assert found.worst == "K3"
    left = np.linalg.norm(found.moved(LOCAL) - target, axis=1)
    assert found.worst_m == pytest.approx(left.max())
    assert found.rms_m == pytest.approx(math.sqrt(np.mean(left**2)))
    said = found.sentence("k.csv")
    assert "4 control points" in said
    assert f"{found.worst_m:.3f} m at most (point K3)" in said


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        ("点号,源X,源Y,目标X,目标Y", "gb18030"),
        ("点名,旧坐标X,旧坐标Y,新坐标X,新坐标Y", "utf-8-sig"),
        ("Point,From East,From North,To East,To North", "utf-8"),
    ],
)
def test_usual_names_of_columns(tmp_path, head, encoding):
    path = listed(tmp_path / "k.csv", LOCAL, carried(LOCAL), head, encoding)
    assert read_similarity(path).worst_m < 1e-6


def test_a_wrong_point_is_named_and_refused(tmp_path):
    more = np.vstack([LOCAL, [[2500.0, 3300.0]]])
    target = carried(more)
    target[1] += [0.0, 30.0]
    with pytest.raises(LayerError, match=r"control point K2 is [\d.]+ m off .* leave it out"):
        read_similarity(listed(tmp_path / "k.csv", more, target))


def test_a_scale_that_no_survey_has_is_refused(tmp_path):
    with pytest.raises(LayerError, match=r"change lengths by -69\.5 %"):
        read_similarity(listed(tmp_path / "k.csv", LOCAL, carried(LOCAL, scale=0.3048)))


def test_swapped_sides_are_named(tmp_path):
    with pytest.raises(LayerError, match="x and y are swapped on one side"):
        read_similarity(listed(tmp_path / "k.csv", LOCAL[:, ::-1], carried(LOCAL)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("from_x,from_y,to_x,to_y\n1,2,3,4\n", "1 control points; a shift .* takes two or more"),
        ("from_x,from_y,to_x\n1,2,3\n", "no column to_y"),
        ("from_x,from_y,to_x,to_y\n1,2,3,4\n5,x,7,8\n", "control point 2: 'x' is not a number"),
        ("from_x,from_y,to_x,to_y\n1,2,3,4\n1,2,3,4\n", "lie in one place"),
        ("", "no column from_x"),
    ],
)
def test_tables_that_are_none(tmp_path, text, said):
    path = tmp_path / "k.csv"
    path.write_text(text)
    with pytest.raises(LayerError, match=said):
        read_similarity(path)
    with pytest.raises(LayerError, match="not a readable table of control points"):
        read_similarity(tmp_path / "missing.csv")


def test_two_points_are_enough_but_unchecked(tmp_path):
    found = read_similarity(listed(tmp_path / "k.csv", LOCAL[:2], carried(LOCAL[:2])))
    assert "nothing to check them by" in found.sentence("k.csv")


def test_a_layer_in_local_coordinates_lands_on_the_area(tmp_path):
    local = box(1010, 2010, 1020, 2020)
    target = LOCAL - [1000, 2000] + [X, Y]
    points = listed(tmp_path / "k.csv", LOCAL, target)
    path = written(table(local, crs=None), tmp_path / "a.shp")
    read = read_layer(path, area=AREA, points=points)
    assert same(read.frame.geometry.iloc[0], HOUSE)
    assert "4 control points" in read.assumptions[0]
    assert open_permits(path, area=AREA, points=points).crs == CGCS
    # Into another CRS than the area's, and without an area.
    change = Transformer.from_crs(4547, 4546, always_xy=True)
    west = np.stack(change.transform(*target.T), axis=1)
    other = listed(tmp_path / "w.csv", LOCAL, west)
    for area in (AREA, None):
        read = read_layer(path, area=area, crs=CRS.from_epsg(4546), points=other)
        assert read.frame.to_crs(CGCS).geometry.iloc[0].centroid.distance(HOUSE.centroid) < 0.1
    with pytest.raises(LayerError, match="say which by --layers-crs"):
        read_layer(path, points=points)
