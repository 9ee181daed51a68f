"""Towns of towers, as pictures from far off show them."""

import math

import numpy as np
import pytest
from shapely.affinity import translate

from survey.simulation import (
    draw_plan,
    scene_of,
    seen_from_afar,
    swept,
    whole_changes,
    with_towers,
)
from survey.simulation.camera.mosaic import lean_at


@pytest.fixture(scope="module")
def plan():
    drawn = draw_plan(seed=41, side_m=220.0, pixel_m=0.5, flights=2, setting="town", pace=10.0)
    return seen_from_afar(drawn, np.random.default_rng(5))


@pytest.fixture(scope="module")
def scene(plan):
    return with_towers(scene_of(plan))


def test_all_of_a_flight_leans_one_way_and_each_flight_another(plan):
    corners = [(0.0, 0.0), (220.0, 0.0), (110.0, 220.0)]
    leans = np.array([[lean_at(flight, x, y) for x, y in corners] for flight in plan.flights])
    assert np.ptp(leans, axis=1).max() < 0.06
    assert 0.05 < np.hypot(*leans.mean(axis=1).T).max() < 0.55
    assert math.dist(*leans.mean(axis=1)) > 0.05


def test_large_blocks_become_towers_and_nothing_else_does(plan, scene):
    taller = 0
    for old, new in zip(scene_of(plan).structures, scene.structures, strict=True):
        height, was = (max(p.height_m for s in item.states for p in s.parts) for item in (new, old))
        parts = [part for state in old.states for part in state.parts]
        if max(p.storeys for p in parts) < 4 or max(p.outline().area for p in parts) < 200.0:
            assert new == old
        assert was <= height <= max(was, 90.01)
        assert new.outline_at(1).equals(old.outline_at(1))
        taller += height > 1.5 * was
    assert taller >= 3


def test_what_came_covers_its_foot_and_its_roof(plan, scene):
    came, went = whole_changes(plan, scene, 0, 1)
    new = [
        item
        for item in scene.structures
        if item.outline_at(0).is_empty and not item.outline_at(1).is_empty
    ]
    assert len(came) == len(new) > 0
    assert went
    for outline, structure in zip(came, new, strict=True):
        foot, height = structure.outline_at(1), structure.height_at(1)
        spot = foot.representative_point()
        east, north = lean_at(plan.flights[1], spot.x, spot.y)
        roof = translate(foot, east * height, north * height)
        assert outline.buffer(1e-6).contains(foot)
        assert outline.buffer(1e-6).contains(roof)


def test_a_part_covers_no_more_than_the_whole(plan, scene):
    structure = max(scene.structures, key=lambda item: item.outline_at(0).area)
    whole = swept(plan, structure, 0)
    part = swept(plan, structure, 0, structure.outline_at(0).buffer(-2.0))
    assert 0 < part.area < whole.area
