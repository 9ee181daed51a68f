"""How far the permits lie from the roofs: a known shift asked back."""

from dataclasses import replace

import numpy as np
import pytest
from shapely import affinity

from change.permit_offset import find_offset
from change.permits import open_permits
from survey.alignment import common_ground
from survey.examination import examine
from survey.flight import open_flight
from survey.simulation import displacement
from tests import samples


@pytest.fixture(scope="module")
def scene():
    flight = examine(open_flight(samples.ortho(0)))
    grid = common_ground(flight, flight, 0.2)
    return flight, grid, open_permits(samples.PERMITS, area=grid)


def test_the_permits_of_the_sample_lie_where_the_truth_says(scene):
    flight, grid, permits = scene
    found = find_offset(permits, flight, grid)
    bounds = grid.bounds
    middle = (bounds.left + bounds.right) / 2, (bounds.bottom + bounds.top) / 2
    east, north = displacement(samples.PLAN.flights[0], *map(np.array, middle))
    assert np.hypot(found.east_m - east, found.north_m - north) < 0.25


@pytest.mark.parametrize(("east", "north"), [(3.0, -1.4), (-4.2, 2.0)])
def test_moved_permits_are_asked_back(scene, east, north):
    flight, grid, permits = scene
    before = find_offset(permits, flight, grid)
    after = find_offset(permits.moved(east_m=east, north_m=north), flight, grid)
    assert after.east_m == pytest.approx(before.east_m - east, abs=0.1)
    assert after.north_m == pytest.approx(before.north_m - north, abs=0.1)


def test_outlines_that_fit_nothing_are_left_alone(scene):
    flight, grid, permits = scene
    rng = np.random.default_rng(3)
    bounds = grid.bounds
    outlines = [
        affinity.rotate(
            affinity.translate(
                permit.outline,
                rng.uniform(bounds.left, bounds.right) - permit.outline.centroid.x,
                rng.uniform(bounds.bottom, bounds.top) - permit.outline.centroid.y,
            ),
            rng.uniform(0, 90),
        )
        for permit in permits.permits
    ]
    scattered = replace(
        permits,
        permits=tuple(
            replace(permit, outline=outline)
            for permit, outline in zip(permits.permits, outlines, strict=True)
        ),
    )
    assert find_offset(scattered, flight, grid) is None


def test_few_outlines_move_nothing(scene):
    flight, grid, permits = scene
    assert find_offset(replace(permits, permits=permits.permits[:3]), flight, grid) is None
