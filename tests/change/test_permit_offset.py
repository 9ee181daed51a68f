"""How far the permits lie from the roofs: known shifts asked back, and none invented."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from shapely import affinity

from change.layers import BadRow
from change.permit_offset import fit_offset
from change.permits import open_permits
from change.sight import Sight
from survey.alignment import common_ground
from survey.examination import examine
from survey.flight import open_flight
from survey.settings import PermitSettings
from survey.simulation import displacement
from tests import samples

SETTINGS = PermitSettings()


@pytest.fixture(scope="module")
def scene():
    flight = examine(open_flight(samples.ortho(0), dsm=samples.dsm(0)))
    grid = common_ground(flight, flight, 0.2)
    permits = open_permits(samples.PERMITS, area=grid)
    return Sight(flight=flight, grid=grid), permits


@pytest.fixture(scope="module")
def found(scene):
    sight, permits = scene
    return fit_offset(permits, sight, SETTINGS)


def drawn(permits, outlines):
    """Return the layer with other outlines."""
    return replace(
        permits,
        permits=tuple(
            replace(permit, outline=outline)
            for permit, outline in zip(permits.permits, outlines, strict=True)
        ),
    )


def on_ground(permits):
    """Return the centroids of a layer as (x, y)."""
    return shapely.get_coordinates(
        shapely.centroid([permit.outline for permit in permits.permits])
    ).T


def missed(offset, permits, east=0.0, north=0.0):
    """Return how far off an offset puts permits that were moved by (east, north), m."""
    x, y = on_ground(permits)
    true_east, true_north = displacement(samples.PLAN.flights[0], x, y)
    told_east, told_north, _error = offset.at(x + east, y + north)
    return np.hypot(told_east + east - true_east, told_north + north - true_north)


def test_the_permits_of_the_sample_lie_where_the_truth_says(scene, found):
    assert found.verdict == "found"
    assert np.sqrt((missed(found, scene[1]) ** 2).mean()) < 0.3


def test_the_surface_model_tells_it_too(scene):
    sight, permits = scene
    offset = fit_offset(permits, replace(sight, dsm=sight.flight.dsm), SETTINGS)
    assert offset.found
    assert np.sqrt((missed(offset, permits) ** 2).mean()) < 0.25


@pytest.mark.parametrize(("east", "north"), [(3.0, -1.4), (-4.2, 2.0), (12.0, 9.0)])
def test_moved_permits_are_asked_back(scene, found, east, north):
    sight, permits = scene
    after = fit_offset(permits.moved(east_m=east, north_m=north), sight, SETTINGS)
    assert after.found
    assert after.east_m == pytest.approx(found.east_m - east, abs=0.1)
    assert after.north_m == pytest.approx(found.north_m - north, abs=0.1)


def test_a_turned_layer_is_put_right_everywhere(scene):
    sight, permits = scene
    x, y = on_ground(permits)
    middle = (x.mean(), y.mean())
    turned = drawn(
        permits, [affinity.rotate(p.outline, 0.4, origin=middle) for p in permits.permits]
    )
    offset = fit_offset(turned, sight, SETTINGS)
    there = np.stack(on_ground(turned))
    true = np.stack(displacement(samples.PLAN.flights[0], x, y)) + np.stack([x, y]) - there
    told = np.stack(offset.at(*there)[:2])
    turn = np.hypot(*(there - np.stack([x, y]))).max()
    assert turn > 0.5
    assert np.sqrt(((told - true) ** 2).sum(axis=0).mean()) < 0.6 * turn


def test_the_error_told_is_about_the_true_one(scene, found):
    rms = np.sqrt((missed(found, scene[1]) ** 2).mean() / 2)
    told = found.error_at(scene[1])
    assert told.shape == (len(scene[1].permits),)
    assert 0.5 < np.sqrt((told**2).mean()) / rms < 2.5


def test_moving_puts_every_outline_and_every_flaw_where_the_flight_has_it(scene, found):
    sight, permits = scene
    flaw = BadRow(
        row=900,
        why="degenerate",
        detail="a line",
        kept=False,
        where=permits.permits[0].outline.envelope,
    )
    nowhere = replace(flaw, row=901, where=None)
    moved = found.moved(replace(permits, bad_rows=(flaw, nowhere)))
    x, y = on_ground(permits)
    east, north, _error = found.at(x, y)
    after = np.stack(on_ground(moved))
    assert np.allclose(after, np.stack([x + east, y + north]), atol=1e-6)
    areas = [[p.outline.area for p in layer.permits] for layer in (permits, moved)]
    assert np.allclose(*areas)
    spot = flaw.where.centroid
    bent = found.at(np.array([spot.x]), np.array([spot.y]))
    assert moved.bad_rows[0].where.centroid.x == pytest.approx(spot.x + bent[0][0], abs=1e-6)
    assert moved.bad_rows[1].where is None
    assert moved.near(moved.permits[0].outline, 0.0)[0].row == permits.permits[0].row
    assert sight.grid.crs == moved.outline_crs


def test_outlines_that_fit_nothing_are_left_alone(scene):
    sight, permits = scene
    rng = np.random.default_rng(3)
    bounds = sight.grid.bounds
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
    scattered = drawn(permits, outlines)
    offset = fit_offset(scattered, sight, SETTINGS)
    assert (offset.verdict, offset.east_m, offset.north_m) == ("unknown", 0.0, 0.0)
    assert offset.error_m == 1.0
    assert "20 m" in offset.why
    assert offset.moved(scattered) is scattered


def test_few_outlines_move_nothing(scene):
    sight, permits = scene
    offset = fit_offset(replace(permits, permits=permits.permits[:3]), sight, SETTINGS)
    assert offset.verdict == "unknown"
    assert "only 3 permits" in offset.why


def test_a_layer_without_rows_moves_nothing(scene):
    sight, permits = scene
    offset = fit_offset(replace(permits, permits=()), sight, SETTINGS)
    assert offset.verdict == "unknown"
    assert offset.error_at(replace(permits, permits=())).shape == (0,)


def test_the_order_of_the_rows_says_nothing(scene, found):
    sight, permits = scene
    turned = replace(permits, permits=permits.permits[::-1])
    after = fit_offset(turned, sight, SETTINGS)
    assert (after.east_m, after.north_m, after.error_m) == (
        found.east_m,
        found.north_m,
        found.error_m,
    )
    assert np.array_equal(after.field.east, found.field.east)


def test_rows_given_twice_count_once(scene, found):
    sight, permits = scene
    after = fit_offset(replace(permits, permits=permits.permits * 2), sight, SETTINGS)
    assert after.evidence == found.evidence
    assert np.array_equal(after.field.east, found.field.east)


def test_several_processes_find_the_same(scene, found):
    sight, permits = scene
    with ProcessPoolExecutor(2) as executor:
        after = fit_offset(permits, sight, SETTINGS, executor=executor)
    assert np.array_equal(after.field.east, found.field.east)
    assert np.array_equal(after.field.uncertainty, found.field.uncertainty)


def rows_of_houses(path, pitch_m, side_m=200.0, pixel_m=0.4):
    """Write a picture of like houses in rows that run from rim to rim; return their outlines."""
    size = round(side_m / pixel_m)
    west, north = 500_000.0, 2_500_000.0
    rng = np.random.default_rng(1)
    picture = rng.integers(90, 110, (3, size, size)).astype(np.uint8)
    houses = []
    for top in range(20, size - 20, round(20 / pixel_m)):
        for left in range(0, size, round(pitch_m / pixel_m)):
            wide, deep = round((pitch_m - 2) / pixel_m), round(9 / pixel_m)
            picture[:, top : top + deep, left : left + wide] += 90
            corner = west + left * pixel_m, north - top * pixel_m
            houses.append(
                shapely.box(
                    corner[0],
                    corner[1] - deep * pixel_m,
                    corner[0] + wide * pixel_m,
                    corner[1],
                )
            )
    transform = Affine(pixel_m, 0.0, west, 0.0, -pixel_m, north)
    profile = {"driver": "GTiff", "dtype": "uint8", "count": 3, "crs": "EPSG:32650"}
    with rasterio.open(
        path, "w", width=size, height=size, transform=transform, **profile
    ) as dataset:
        dataset.write(picture)
    flight = examine(open_flight(path))
    return Sight(flight=flight, grid=common_ground(flight, flight, pixel_m)), houses


def test_rows_of_like_houses_tell_nothing_by_themselves(scene, tmp_path):
    sight, houses = rows_of_houses(tmp_path / "rows.tif", pitch_m=8.0)
    some = [affinity.translate(house, 4.0, 0.0) for house in houses]
    template = scene[1].permits[0]
    permits = replace(
        scene[1], permits=tuple(replace(template, row=n, outline=o) for n, o in enumerate(some))
    )
    offset = fit_offset(permits, sight, SETTINGS)
    assert offset.verdict == "unknown"
    assert "much better" in offset.why
