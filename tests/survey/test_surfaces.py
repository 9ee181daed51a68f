"""The surface models of the sample flights, moved, tilted, holed, and brought together again."""

from dataclasses import replace

import numpy as np
import pytest
import rasterio

from benchmarks.surfaces import moved_surface
from survey.examination import examine
from survey.flight import open_flight
from survey.pair import PairReader, make_pair
from survey.relief import ReliefShift
from survey.settings import Settings
from survey.surface_fit import SurfaceFit
from survey.surfaces import _model_off, bring_together, whole_window
from survey.windows import Window
from tests.samples import cut_pair, run_pair


@pytest.fixture(scope="module")
def pair():
    return run_pair(0, 1).pair


def together(pair, before=None, after=None):
    """Bring the pair's surface models together with the alignment it has."""
    coarse = pair.grid.coarsened(4)
    bare = np.ones((coarse.height, coarse.width), bool)
    flights = before or pair.before, after or pair.after
    return bring_together(flights, pair.grid, pair.alignment.field, coarse, bare)


def test_models_that_fit_are_left_where_they_are(pair):
    surfaces = together(pair)
    assert {surfaces.fit_before.verdict, surfaces.fit_after.verdict} <= {"fits", "unknown"}
    assert surfaces.relief_moves == "none"
    assert surfaces.relief.distance_m < 0.15
    assert list(surfaces.remarks()) == []
    x = y = np.zeros(1)
    assert surfaces.shift_before(x, y) == (0, 0)
    assert surfaces.shift_after(pair.alignment.field)(x, y) == pair.alignment.field.shift(x, y)


@pytest.mark.parametrize(("east", "north"), [(1.6, 0.0), (-1.0, -1.2)])
@pytest.mark.parametrize("role", ["before", "after"])
def test_a_model_off_its_orthophoto_is_read_where_it_belongs(pair, role, east, north):
    flight = moved_surface(getattr(pair, role), east, north)
    surfaces = together(pair, **{role: flight})
    # Whoever moved it, the orthophoto or the relief: both models end on the same ground.
    x, y = np.zeros(1), np.zeros(1)
    field = pair.alignment.field
    first = surfaces.shift_before(x, y)
    second = np.subtract(surfaces.shift_after(field)(x, y), field.shift(x, y))
    true = np.array([east, north])
    between = (second - np.transpose(first).T).ravel() * (1 if role == "after" else -1)
    assert between == pytest.approx(true, abs=0.15)
    assert len(list(surfaces.remarks())) >= 1
    still = together(pair)
    assert surfaces.datum.residual_m == pytest.approx(still.datum.residual_m, abs=0.02)
    assert surfaces.datum.at(*_middle(pair)) == pytest.approx(
        still.datum.at(*_middle(pair)), abs=0.03
    )


def fit(east, north, *, verdict="unknown", error_m=0.2):
    return SurfaceFit(
        verdict=verdict, east=east, north=north, error_m=error_m, strength=4.0, windows=9
    )


@pytest.mark.parametrize(
    ("before", "after", "off"),
    [
        pytest.param(fit(0.1, 0.1), fit(0.9, 0.2), "after", id="the later one looks off"),
        pytest.param(fit(-0.8, 0.1), fit(0.2, 0.1), "before", id="the earlier one looks off"),
        pytest.param(
            fit(-3, 3, error_m=2), fit(0.1, 0, verdict="fits"), "before", id="only one is known"
        ),
        pytest.param(fit(0, 0, error_m=4), fit(0, 0, error_m=4), "after", id="neither is known"),
        pytest.param(
            fit(1.0, 0.0, verdict="moved"), fit(0.9, 0), "after", id="the earlier one was moved"
        ),
    ],
)
def test_the_orthophotos_tell_which_model_is_off(before, after, off):
    relief = ReliefShift(
        east=1, north=0, error_m=0.02, samples=999, spread_before_m=1, spread_after_m=0.5
    )
    assert _model_off(relief, before, after) == off


def _middle(pair):
    bounds = pair.grid.bounds
    return (bounds.left + bounds.right) / 2, (bounds.bottom + bounds.top) / 2


def test_the_reader_moves_the_heights(pair):
    window = Window(row=300, col=400, height=200, width=240)
    flight = moved_surface(pair.after, 1.6, -0.8)
    surfaces = together(pair, after=flight)
    shown = []
    for one in (pair, replace(pair, after=flight, surfaces=surfaces)):
        with PairReader(one) as reader:
            shown.append(reader.read(window)["height_after"].values)
    assert np.nanmedian(np.abs(shown[1] - shown[0])) < 0.1
    assert np.nanpercentile(np.abs(shown[1] - shown[0]), 90) < 0.6


def with_heights(path, change):
    """Write a surface model again after changing its heights (m, NaN for holes), without nodata."""
    with rasterio.open(path) as dataset:
        profile, tags = dataset.profile, dataset.tags()
        heights = dataset.read(1).astype(np.float32) * dataset.scales[0]
        heights[dataset.read_masks(1) == 0] = np.nan
    profile.update(dtype="float32", nodata=None)
    with rasterio.open(path, "w", **profile) as dataset:
        dataset.write(change(heights)[None].astype(np.float32))
        dataset.update_tags(**tags)


def opened(files):
    return [
        examine(open_flight(files[role], dsm=files[f"dsm_{role}"])) for role in ("before", "after")
    ]


def test_zeros_in_place_of_holes_are_holes(tmp_path):
    files = cut_pair(tmp_path)
    before, after = opened(files)
    plain = make_pair(before, after, Settings())

    def holed(heights):
        heights[40:90, 60:130] = np.nan
        return np.nan_to_num(heights + 60, nan=0.0)

    with_heights(files["dsm_after"], holed)
    pair = make_pair(*opened(files), Settings())
    assert pair.surfaces.zero_holes == (files["dsm_after"].name,)
    assert "heights of exactly 0 are taken for holes" in next(iter(pair.surfaces.remarks()))
    with PairReader(pair) as reader:
        heights = reader.read(whole_window(pair.grid))["height_after"].values
    assert np.isnan(heights[60:100, 90:150]).all()
    assert np.nanmin(heights) > np.nanmin(reader_heights(plain)) - 1
    x, y = _middle(pair)
    assert pair.datum.at(x, y) - plain.datum.at(x, y) == pytest.approx(60, abs=0.05)


def reader_heights(pair):
    with PairReader(pair) as reader:
        return reader.read(whole_window(pair.grid))["height_after"].values


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda heights: heights * np.nan, id="all NaN"),
        pytest.param(lambda heights: heights * 0, id="all zero"),
        pytest.param(
            lambda heights: heights + 0.12 * np.arange(heights.shape[1]), id="absurd tilt"
        ),
    ],
)
def test_a_model_without_ground_in_common_is_left_out_and_that_is_said(tmp_path, change):
    files = cut_pair(tmp_path)
    with_heights(files["dsm_after"], change)
    pair = make_pair(*opened(files), Settings())
    assert pair.surfaces.ground == "none"
    assert any("are not compared" in said for said in pair.surfaces.remarks())
    assert not pair.has_heights


def test_a_tiny_area_says_nothing_or_the_truth(tmp_path):
    files = cut_pair(tmp_path, bounds=(100.0, 30.0, 124.0, 54.0))
    pair = make_pair(*opened(files), Settings().changed("align", accept=True))
    whole = run_pair(0, 1).pair.datum
    if pair.datum is not None:
        x, y = _middle(pair)
        assert pair.datum.at(x, y) == pytest.approx(whole.at(x, y), abs=0.1)
