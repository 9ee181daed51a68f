"""What the run record and the command tell of the surface models."""

import json
from dataclasses import replace

import pytest

from change.facts import pair_facts, shadow_facts
from change.remarks import _height_remarks
from change.shadows import Shadows
from tests.samples import run_pair


@pytest.fixture(scope="module")
def pair():
    return run_pair(0, 1).pair


def heights(pair, **changed):
    """Return what the record tells, with some of what was found replaced."""
    surfaces = None if pair.surfaces is None else replace(pair.surfaces, **changed)
    told = pair_facts(replace(pair, surfaces=surfaces), [])["heights"]
    return json.loads(json.dumps(told, allow_nan=False))


def test_a_fit_to_the_orthophoto_is_told_as_it_was_measured(pair):
    fit = replace(pair.surfaces.fit_after, verdict="moved", east=1.23456, north=-0.5, windows=9)
    told = heights(pair, fit_after=fit)
    assert told["fit_before"]["verdict"] == pair.surfaces.fit_before.verdict
    assert told["fit_after"] == {
        "verdict": "moved",
        "east_m": 1.235,
        "north_m": -0.5,
        "error_m": round(fit.error_m, 3),
        "strength": round(fit.strength, 2),
        "windows": 9,
    }


def test_the_datum_is_told_with_its_errors(pair):
    datum = replace(
        pair.datum, offset=2.0, tilt=(0.001, -0.002), tilt_error=(0.0001, 0.0002), p95_m=0.25
    )
    told = heights(pair, datum=datum, zero_holes=("after_dsm",))
    assert told["zero_holes"] == ["after_dsm"]
    assert told["ground"] == "level bare"
    assert told["datum"] == {
        "offset_m": 2.0,
        "offset_error_m": round(datum.offset_error_m, 3),
        "tilt_m_per_100m": [0.1, -0.2],
        "tilt_error_m_per_100m": [0.01, 0.02],
        "residual_m": round(datum.residual_m, 3),
        "p95_m": 0.25,
        "stable_share": round(datum.stable_share, 3),
        "samples": datum.samples,
    }


def test_the_relief_is_told_whether_or_not_it_moved_a_model(pair):
    told = heights(pair)
    assert told["relief_moves"] == "none"
    assert set(told["relief"]) == {
        "east_m",
        "north_m",
        "error_m",
        "samples",
        "spread_before_m",
        "spread_after_m",
    }


def test_models_without_common_ground_leave_their_fits_in_the_record(pair):
    told = heights(pair, datum=None, relief=None, ground="none")
    assert told["datum"] is told["relief"] is None
    assert told["fit_before"]["windows"] > 0


def test_without_both_models_there_is_nothing_to_tell(pair):
    assert pair_facts(replace(pair, surfaces=None), [])["heights"] is None


def test_what_was_found_of_the_models_is_said_once(pair):
    assert not [said for said in _height_remarks(pair) if "no heights" in said]
    fit = replace(pair.surfaces.fit_after, verdict="moved", east=1.0, north=0.0)
    lost = replace(
        pair.surfaces,
        datum=None,
        relief=None,
        ground="none",
        fit_after=fit,
        zero_holes=(pair.surfaces.after.name,),
    )
    said = list(_height_remarks(replace(pair, surfaces=lost)))
    for part in ("stable ground", "no heights to judge by", "taken for holes", "moved back"):
        assert sum(part in sentence for sentence in said) == 1, part


def test_where_shadows_fall_is_told_as_an_azimuth():
    south_east = Shadows(0.5**0.5, 0.5**0.5, 0.21234)
    assert shadow_facts(south_east) == {"azimuth_deg": 135.0, "strength": 0.212}
    assert shadow_facts(None) is None
