"""What stands on permits: houses and open ground of the sample, told by heights and by picture."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import affinity

from change.permits import open_permits
from change.sight import Sight, sight_after, sight_before
from change.standing import LIKELY_BUILT, LIKELY_EMPTY, standing
from survey.alignment import common_ground
from survey.examination import examine
from survey.flight import open_flight
from survey.pair import make_pair
from survey.settings import Settings
from tests import samples


@pytest.fixture(scope="module")
def sight():
    flight = examine(open_flight(samples.ortho(0), dsm=samples.dsm(0)))
    return Sight(flight=flight, grid=common_ground(flight, flight, 0.2), dsm=flight.dsm)


@pytest.fixture(scope="module")
def structures():
    """All structures as each flight shows them: (flight, outline)."""
    truth = gpd.read_file(samples.FOLDER / "truth.gpkg", layer="structures")
    return [
        (int(flight), samples.seen_by(int(flight), outline))
        for flight, outline in zip(truth.flight, truth.geometry, strict=True)
    ]


@pytest.fixture(scope="module")
def houses(sight, structures):
    """Houses that stand at the first flight, well inside the picture."""
    bounds = sight.grid.bounds
    inside = shapely.box(bounds.left, bounds.bottom, bounds.right, bounds.top).buffer(-3.0)
    return [o for flight, o in structures if flight == 0 and inside.contains(o) and o.area > 20]


@pytest.fixture(scope="module")
def open_places(sight, structures, houses):
    """Outlines of houses laid on ground where nothing stands at the first flight."""
    taken = shapely.union_all([o for flight, o in structures if flight == 0]).buffer(1.5)
    shapely.prepare(taken)
    bounds, rng, found = sight.grid.bounds, np.random.default_rng(5), []
    for _try in range(3000):
        house = houses[int(rng.integers(len(houses)))]
        x = rng.uniform(bounds.left + 15, bounds.right - 15)
        y = rng.uniform(bounds.bottom + 15, bounds.top - 15)
        place = affinity.translate(house, x - house.centroid.x, y - house.centroid.y)
        if len(found) < 40 and not taken.intersects(place):
            found.append(place)
    return found


@pytest.fixture(scope="module")
def layer(sight):
    permits = open_permits(samples.PERMITS, area=sight.grid)

    def drawn(outlines):
        rows = [
            replace(permits.permits[0], row=n, outline=o) for n, o in enumerate(outlines, start=1)
        ]
        return replace(permits, permits=tuple(rows))

    return drawn


def share(told, answer):
    """Return the share of permits that were given an answer."""
    return np.mean([one.built is answer for one in told])


def test_heights_tell_houses_from_open_ground(sight, layer, houses, open_places):
    assert len(houses) > 20
    assert len(open_places) > 20
    stand, empty = (standing(layer(outlines), sight) for outlines in (houses, open_places))
    assert share(stand, True) > 0.9
    assert share(stand, False) == 0.0
    assert share(empty, False) > 0.6
    assert share(empty, True) == 0.0
    judged = [one for one in stand if one.likely is not None]
    assert np.median([one.height_m for one in judged]) > 2.5
    assert np.median([one.share for one in judged]) > 0.8


def test_the_picture_alone_loses_no_house(sight, layer, houses, open_places):
    bare = replace(sight, dsm=None)
    stand, empty = (standing(layer(outlines), bare) for outlines in (houses, open_places))
    assert share(stand, True) > 0.6
    assert share(stand, False) <= 0.02
    assert share(empty, False) > 0.3
    assert share(empty, True) <= 0.05
    for one in (one for one in (*stand, *empty) if one.likely is not None):
        assert one.height_m is None
        assert (one.built is True) == (one.likely >= LIKELY_BUILT)
        assert (one.built is False) == (one.likely <= LIKELY_EMPTY)


def test_a_house_that_stands_askew_on_its_permit_is_not_called_empty(sight, layer, houses):
    bare = replace(sight, dsm=None)
    for seen in (sight, bare):
        askew = [
            affinity.translate(affinity.rotate(affinity.scale(o, 1.15, 1.15), 4.0), 0.4, -0.4)
            for o in houses
        ]
        # The one that may be lost is the bare slab of a site.
        assert share(standing(layer(askew), seen), False) <= 1.5 / len(houses)


def test_the_answers_come_in_the_order_of_the_permits(sight, layer, houses, open_places):
    mixed = [o for pair in zip(houses, open_places, strict=False) for o in pair]
    told = standing(layer(mixed), sight)
    back = standing(layer(mixed[::-1]), sight)
    assert [one.built for one in told] == [one.built for one in back][::-1]
    assert share(told[::2], True) > 0.9
    assert share(told[1::2], True) == 0.0


def test_nothing_is_called_empty_where_the_place_is_not_known(sight, layer, houses, open_places):
    permits = layer([*houses[:20], *open_places[:20]])
    known = standing(permits, sight, errors_m=np.full(40, 0.2))
    vague = standing(permits, sight, errors_m=np.full(40, 1.0))
    half = standing(permits, sight, errors_m=np.repeat([1.0, 0.2], 20))
    assert [one.built for one in known] == [one.built for one in standing(permits, sight)]
    assert share(known[20:], False) > 0.5
    assert share(vague, False) == 0.0
    assert share(vague[:20], True) == share(known[:20], True)
    assert half[20:] == known[20:]
    bare = replace(sight, dsm=None)
    assert share(standing(permits, bare, errors_m=np.full(40, 0.5)), False) == 0.0


def test_ground_that_is_not_shown_is_not_judged(sight, layer, houses):
    bounds = sight.grid.bounds
    far = affinity.translate(houses[0], 5000.0, 0.0)
    corner = shapely.box(bounds.left - 8, bounds.bottom - 8, bounds.left + 4, bounds.bottom + 4)
    told = standing(layer([far, corner, houses[0]]), sight)
    assert [one.built for one in told] == [None, None, True]
    assert told[0].likely is None
    assert standing(layer([]), sight) == ()


def test_several_processes_tell_the_same(sight, layer, houses, open_places):
    permits = layer([*houses, *open_places])
    with ProcessPoolExecutor(2) as executor:
        assert standing(permits, sight, executor=executor) == standing(permits, sight)


@pytest.mark.slow
def test_a_house_that_appears_is_told_by_the_later_flight(layer, structures):
    flights = [examine(open_flight(samples.ortho(n), dsm=samples.dsm(n))) for n in (0, 2)]
    pair = make_pair(flights[0], flights[1], Settings())
    changes = samples.expected(0, 2)
    stood = shapely.union_all([o for flight, o in structures if flight == 0])
    new = changes[(changes.kind == "building") & (changes.height_gain_m > 2.5)]
    new = new[~new.intersects(stood)]
    gone = changes[(changes.kind == "removed") & (changes.area_m2 > 15)]
    assert len(new) > 0
    appeared = layer(list(new.geometry))
    assert share(standing(appeared, sight_after(pair)), True) > 0.8
    assert share(standing(appeared, sight_before(pair)), True) == 0.0
    if len(gone):
        vanished = layer(list(gone.geometry))
        assert share(standing(vanished, sight_before(pair)), True) > 0.5
        assert share(standing(vanished, sight_after(pair)), True) == 0.0
