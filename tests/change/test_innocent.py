"""Innocent explanations: each fits what it is made for, and not a house."""

import math

import pytest

from change.innocent import INNOCENT, INNOCENT_BY_HEIGHT, innocent_heights, innocent_looks

HOUSE = {
    "dark": 0.05, "dark_other": 0.05, "hue_change": 12.0, "green": 0.0, "green_other": 0.8,
    "rim": 25.0, "rim_other": 6.0, "plain": 3.0, "plain_other": 4.0, "width_m": 9.0,
    "length_m": 14.0, "steel": 0.0, "solid": 0.97, "rectangular": 0.9, "roof": 0.95,
    "roof_other": 0.05, "lighter": 20.0, "beside_m2": 0.0,
}  # fmt: skip
LOOKS = {
    "shadow": {"dark": 0.95, "hue_change": 3.0},
    "vegetation": {"green": 0.9},
    "crops": {"green": 0.8, "rim": 6.0},
    "water": {"plain": 0.5, "plain_other": 0.6, "rim": 2.0},
    "vehicle": {"width_m": 2.5, "length_m": 8.0},
    "tarpaulin": {"width_m": 3.5, "steel": 1.0, "solid": 0.7},
    "stockpile": {"rectangular": 0.5, "roof": 0.1},
    "solar_panels": {"roof_other": 0.9, "lighter": -60.0},
    "leaning": {"width_m": 1.8, "length_m": 16.0, "beside_m2": 200.0},
    "flat": {"stands_m": 0.1},
    "old": {"stands_other_m": 5.0},
}


def test_a_house_looks_like_nothing_else():
    looks = innocent_looks(HOUSE)
    assert set(looks) == {f"like_{name}" for name in INNOCENT}
    assert all(fit == 0 for fit in looks.values())


@pytest.mark.parametrize("name", sorted(LOOKS))
def test_each_test_fits_what_it_is_made_for(name):
    assert set(LOOKS) == set(INNOCENT)
    assert innocent_looks(HOUSE | LOOKS[name])[f"like_{name}"] > 0.9


HALL = {
    "on_roof": 0.0, "touching": 0.0, "width_m": 20.0, "length_m": 40.0, "height_gain_m": 7.0,
    "area_m2": 800.0, "vivid": 50.0, "green": 0.0, "roughness_m": 0.05, "wall": 0.95,
    "uneven_m": 0.02,
}  # fmt: skip
LOOKS_BY_HEIGHT = {
    "vehicle": {"width_m": 2.9, "length_m": 12.0, "height_gain_m": 3.2},
    "containers": {"width_m": 3.0, "length_m": 12.5, "height_gain_m": 5.2},
    "tarpaulin": {"area_m2": 30.0, "height_gain_m": 3.0},
    "vegetation": {"green": 0.95, "roughness_m": 0.3},
    "stockpile": {"wall": 0.3, "uneven_m": 0.5},
}


def test_a_hall_looks_like_nothing_else_by_its_heights():
    looks = innocent_heights(HALL)
    assert set(looks) == {f"like_{name}" for name in INNOCENT_BY_HEIGHT}
    assert all(fit == 0 for fit in looks.values())


@pytest.mark.parametrize("name", sorted(LOOKS_BY_HEIGHT))
def test_each_test_by_heights_fits_what_it_is_made_for(name):
    assert set(LOOKS_BY_HEIGHT) == set(INNOCENT_BY_HEIGHT)
    assert innocent_heights(HALL | LOOKS_BY_HEIGHT[name])[f"like_{name}"] > 0.9


@pytest.mark.parametrize("name", ["vehicle", "containers"])
def test_what_touches_or_stands_on_a_structure_is_no_vehicle(name):
    for what in ({"touching": 0.3}, {"on_roof": 0.9}):
        assert innocent_heights(HALL | LOOKS_BY_HEIGHT[name] | what)[f"like_{name}"] == 0


def test_stacks_of_containers_may_stand_side_by_side_and_close_to_a_hall():
    pair = HALL | {"width_m": 5.3, "length_m": 12.4, "height_gain_m": 5.2}

    def fit(**what):
        return innocent_heights(pair | what)["like_containers"]

    assert fit() == 1
    assert 0 < fit(touching=0.2) < 1
    assert 0 < fit(width_m=5.7) < 1
    assert fit(width_m=6.2) == fit(height_gain_m=4.5) == fit(height_gain_m=6.4) == 0
    assert fit(width_m=3.0, height_gain_m=4.5) == 1  # a narrow one is drawn lower


def test_what_could_not_be_measured_explains_nothing():
    unknown = HALL | {"wall": math.nan, "uneven_m": math.nan, "roughness_m": math.nan}
    assert all(fit == 0 for fit in innocent_heights(unknown).values())


def test_tests_work_without_maps_of_roofs():
    bare = {name: value for name, value in HOUSE.items() if not name.startswith("roof")}
    assert all(0 <= fit <= 1 for fit in innocent_looks(bare).values())
