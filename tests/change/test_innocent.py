"""Innocent explanations: each fits what it is made for, and not a house."""

import pytest

from change.innocent import INNOCENT, innocent_looks

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
}


def test_a_house_looks_like_nothing_else():
    looks = innocent_looks(HOUSE)
    assert set(looks) == {f"like_{name}" for name in INNOCENT}
    assert all(fit == 0 for fit in looks.values())


@pytest.mark.parametrize("name", sorted(LOOKS))
def test_each_test_fits_what_it_is_made_for(name):
    assert set(LOOKS) == set(INNOCENT)
    assert innocent_looks(HOUSE | LOOKS[name])[f"like_{name}"] > 0.9


def test_tests_work_without_maps_of_roofs():
    bare = {name: value for name, value in HOUSE.items() if not name.startswith("roof")}
    assert all(0 <= fit <= 1 for fit in innocent_looks(bare).values())
