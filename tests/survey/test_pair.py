"""A pair: two flights on one grid, read block by block, with light and heights made comparable."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import rasterio

from survey.errors import PairError
from survey.examination import examine
from survey.flight import open_flight
from survey.light import to_lab, without_colours
from survey.pair import Pair, PairReader, make_pair
from survey.settings import Settings
from survey.windows import Window
from tests.samples import cut_pair, ortho, run_pair
from tests.survey.rasters import blurred, north_up, scene, write

PIXEL, SIDE = 0.2, 640
WINDOW = Window(row=300, col=400, height=200, width=240)
ACCEPTING = Settings().changed("align", accept=True)


def textured(path, seed=1):
    picture = blurred(scene(SIDE, SIDE, seed=seed), 0.8)
    return examine(open_flight(write(path, picture, transform=north_up(PIXEL), photometric="rgb")))


@pytest.fixture(scope="module")
def pair():
    return run_pair(0, 1).pair


def read(pair, window=WINDOW):
    with PairReader(pair) as reader:
        return reader.read(window)


def test_a_window_is_labelled_and_in_metres(pair):
    data = read(pair)
    assert dict(data.sizes) == {"band": 3, "y": 200, "x": 240}
    assert data["before"].dtype == data["after"].dtype == np.uint8
    assert data["seen_before"].dtype == data["seen_after"].dtype == bool
    assert data["height_before"].dtype == data["height_after"].dtype == np.float32
    bounds = pair.grid.window_bounds(WINDOW)
    assert data["x"].values[0] == pytest.approx(bounds.left + 0.1)
    assert data["x"].values[-1] == pytest.approx(bounds.right - 0.1)
    assert data["y"].values[0] == pytest.approx(bounds.top - 0.1)
    assert data["y"].values[-1] == pytest.approx(bounds.bottom + 0.1)


def test_both_pictures_show_the_same_ground_at_the_same_place(pair):
    """Without the alignment the flights are 2.6 m apart, thirteen pixels."""
    data = read(pair)
    grey = [data[name].values.mean(axis=0) for name in ("before", "after")]
    still = pair.alignment.field.moved(
        east=-pair.alignment.shift_m[0], north=-pair.alignment.shift_m[1]
    )
    unmoved = read(replace(pair, alignment=replace(pair.alignment, field=still)))

    def likeness(one, other):
        return np.corrcoef(one.ravel(), other.ravel())[0, 1]

    aligned = likeness(*grey)
    assert aligned > 0.65
    assert aligned > 0.1 + likeness(grey[0], unmoved["after"].values.mean(axis=0))


def test_windows_join_without_a_seam(pair):
    whole = read(pair)
    left = read(pair, Window(row=300, col=400, height=200, width=128))
    right = read(pair, Window(row=300, col=528, height=200, width=112))
    for name in ("before", "after", "height_after"):
        joined = np.concatenate([left[name].values, right[name].values], axis=-1)
        np.testing.assert_allclose(joined, whole[name].values, atol=1)


def test_stable_ground_has_one_height(pair):
    data = read(pair, Window(row=0, col=0, height=pair.grid.height, width=pair.grid.width))
    change = data["height_after"].values - data["height_before"].values
    assert np.nanmedian(change) == pytest.approx(0, abs=0.05)
    assert np.nanmean(np.abs(change) < 0.3) > 0.7


def test_the_tolerance_is_two_sigma_and_at_least_half_a_pixel(pair):
    data = read(pair)
    x, y = np.meshgrid(data["x"], data["y"])
    sigma = pair.alignment.field.uncertainty_at(x, y)
    assert (data["tolerance"].values >= pair.grid.pixel_m / 2 - 1e-6).all()
    expected = np.maximum(2 * sigma, pair.grid.pixel_m / 2)
    np.testing.assert_allclose(data["tolerance"].values, expected, atol=0.05)


def test_what_lies_outside_is_not_seen(pair):
    data = read(pair, Window(row=-50, col=-50, height=40, width=40))
    assert not data["seen_before"].values.any()
    assert np.isnan(data["height_before"].values).all()


def test_a_pair_travels_to_other_processes(pair):
    copy = pickle.loads(pickle.dumps(pair))
    assert copy.grid == pair.grid
    np.testing.assert_array_equal(copy.alignment.field.east, pair.alignment.field.east)
    np.testing.assert_array_equal(read(copy)["after"].values, read(pair)["after"].values)


def test_the_coarser_flight_decides_the_pixel(tmp_path):
    fine = textured(tmp_path / "20250101.tif")
    coarse = examine(
        open_flight(
            write(
                tmp_path / "20250601.tif",
                blurred(scene(SIDE, SIDE), 2)[:, ::2, ::2],
                transform=north_up(2 * PIXEL),
                photometric="rgb",
            )
        )
    )
    for before, after in ((fine, coarse), (coarse, fine)):
        assert make_pair(before, after, Settings()).grid.pixel_m == pytest.approx(0.4, rel=1e-3)


def test_other_ground_makes_no_pair_unless_the_user_accepts_it(tmp_path):
    """The second flight is mirrored: the same village, but nowhere the same ground."""
    flights = []
    for number, turn in ((0, 1), (1, -1)):
        with rasterio.open(ortho(number)) as dataset:
            picture = dataset.read(out_shape=(3, 1000, 1000))[:, :, ::turn]
        path = write(
            tmp_path / f"2025010{number + 1}.tif",
            np.ascontiguousarray(picture),
            transform=north_up(PIXEL),
            photometric="rgb",
        )
        flights.append(examine(open_flight(path)))
    before, after = flights
    with pytest.raises(PairError, match=r"are these the same place\? \(--accept-alignment"):
        make_pair(before, after, Settings())
    pair = make_pair(before, after, ACCEPTING)
    assert pair.alignment.verdict == "refused"
    assert pair.alignment.accepted_by == "user"
    with pytest.raises(PairError):
        replace(pair, alignment=replace(pair.alignment, accepted_by="gate"))
    assert isinstance(pair, Pair)
    # Nothing was measured, so the assumed error is the tolerance.
    np.testing.assert_allclose(read(pair)["tolerance"].values, 1.0)


def test_accepting_changes_nothing_where_the_gate_is_content(tmp_path):
    before = textured(tmp_path / "20250101.tif")
    pair = make_pair(before, textured(tmp_path / "20250601.tif"), ACCEPTING)
    assert pair.alignment.accepted_by == "gate"


def test_heights_need_both_surface_models(tmp_path):
    files = cut_pair(tmp_path)
    both = [
        examine(open_flight(files[role], dsm=files[f"dsm_{role}"])) for role in ("before", "after")
    ]
    assert make_pair(*both, Settings()).has_heights
    one = make_pair(both[0], replace(both[1], dsm=None), Settings())
    assert not one.has_heights
    data = read(one, Window(row=0, col=0, height=64, width=64))
    assert "height_before" not in data


@pytest.mark.parametrize("role", ["before", "after"])
def test_a_surface_model_that_stands_alone_is_read_where_the_earlier_picture_lies(role, tmp_path):
    files = cut_pair(tmp_path)
    flights = {
        name: examine(open_flight(files[name], dsm=files[f"dsm_{name}"]))
        for name in ("before", "after")
    }
    window = Window(row=100, col=100, height=256, width=256)
    both = read(make_pair(*flights.values(), Settings()), window)
    other = "after" if role == "before" else "before"
    flights[other] = replace(flights[other], dsm=None)
    alone = read(make_pair(*flights.values(), Settings()), window)
    assert {name for name in alone if name.startswith(("height", "surface"))} == {f"surface_{role}"}
    # The same model on another datum: what stands high in one stands high in the other.
    known = [data.values for data in (both[f"height_{role}"], alone[f"surface_{role}"])]
    apart = known[0] - known[1]
    assert np.nanpercentile(np.abs(apart - np.nanmedian(apart)), 95) < 0.3


def test_the_after_flight_is_shown_in_the_light_of_the_before_flight(tmp_path):
    before = textured(tmp_path / "20250101.tif")
    hazy = (blurred(scene(SIDE, SIDE), 0.8) * 0.8 + 30).astype(np.uint8)
    path = write(tmp_path / "20250601.tif", hazy, transform=north_up(PIXEL), photometric="rgb")
    pair = make_pair(before, examine(open_flight(path)), Settings())
    data = read(pair)
    first, second = (to_lab(data[name].values) for name in ("before", "after"))
    matched = pair.light.apply(second)
    assert np.median(np.abs(second.astype(int) - first)) > 3
    assert np.median(np.abs(matched.astype(int) - first)) <= 2


@pytest.mark.parametrize("grey", ["before", "after", "both", "neither"])
def test_a_flight_without_colours_is_compared_in_those_of_the_other(grey, tmp_path):
    flights = {}
    for role, number in (("before", 1), ("after", 6)):
        picture = blurred(scene(SIDE, SIDE), 0.8)
        if grey in (role, "both"):
            picture = without_colours(picture)
        path = tmp_path / f"2025010{number}.tif"
        write(path, picture, transform=north_up(PIXEL), photometric="rgb")
        flights[role] = examine(open_flight(path))
    pair = make_pair(*flights.values(), Settings())
    assert pair.coloured == (grey not in ("before", "both"), grey not in ("after", "both"))
    with PairReader(pair) as reader:
        data = reader.read(WINDOW)
        compared = reader.compared(data)
    for role, coloured in zip(("before", "after"), pair.coloured, strict=True):
        shown = data[role].values
        assert (shown == shown[:1]).all() is np.bool_(not coloured)
        if coloured or grey == "both":
            np.testing.assert_array_equal(compared[role].values, shown)
    labs = [to_lab(compared[role].values) for role in ("before", "after")]
    labs[1] = pair.light.apply(labs[1])
    # The same ground: in no place does a colour tell one from the other.
    assert np.percentile(np.abs(labs[0][1:].astype(int) - labs[1][1:]), 95) <= 3
