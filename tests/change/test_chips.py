"""Pictures of suspects: the same ground in both flights, where the world file says."""

import json

import numpy as np
import pytest
import rasterio
from PIL import Image
from shapely import box

from change.export.chips import Subject, View, place_chip, write_chips
from change.export.dossier import CHIP_INDEX
from change.export.profiles import longest_line, take_profiles
from survey.grid import Bounds
from tests.samples import ortho, run_pair

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


@pytest.fixture(scope="module")
def result():
    return run_pair(0, 3)


@pytest.fixture(scope="module")
def written(result, tmp_path_factory):
    folder = tmp_path_factory.mktemp("chips") / "chips"
    pair = result.pair
    subjects = [
        Subject(id=item.change.id, outline=item.change.outline, colour=(213, 94, 0))
        for item in result.suspects
    ]
    views = [
        View(role="before", flight=pair.before),
        View(role="after", flight=pair.after, shift=pair.alignment.field.shift),
    ]
    profiles = take_profiles(pair, [(item.id, item.outline) for item in subjects])
    write_chips(folder, subjects, views, pair.grid, profiles)
    return folder


def test_every_suspect_has_four_pictures_and_two_world_files(result, written):
    index = json.loads((written / CHIP_INDEX).read_text(encoding="utf-8"))["chips"]
    assert sorted(index) == sorted(item.change.id for item in result.suspects)
    for name, told in index.items():
        assert told["roles"] == ["before", "after"]
        for role in told["roles"]:
            with Image.open(written / f"{name}_{role}.jpg") as picture:
                assert picture.size == (told["side_px"], told["side_px"])
            with Image.open(written / "marked" / f"{name}_{role}.jpg") as small:
                assert small.size[0] <= 280
            assert (written / f"{name}_{role}.jgw").is_file()


def test_the_world_file_places_the_picture_where_the_flight_shows_it(result, written):
    told = json.loads((written / CHIP_INDEX).read_text(encoding="utf-8"))["chips"]
    compared = 0
    for item in result.suspects:
        name, place = item.change.id, item.change.outline
        with rasterio.open(written / f"{name}_before.jpg") as chip:
            shown = box(*chip.bounds)
            assert chip.transform.a == pytest.approx(told[name]["pixel_m"])
            assert chip.bounds.left == pytest.approx(told[name]["left"], abs=1e-3)
            assert chip.bounds.top == pytest.approx(told[name]["top"], abs=1e-3)
            assert shown.contains(place)
            pixels = chip.read().astype(float)
        with rasterio.open(ortho(0)) as flight:
            if told[name]["pixel_m"] != 0.1 or not box(*flight.bounds).contains(shown):
                continue
            col, row = ~flight.transform @ (told[name]["left"], told[name]["top"])
            side = told[name]["side_px"]
            window = rasterio.windows.Window(round(col), round(row), side, side)
            if not flight.read_masks(1, window=window).all():
                continue
            stored = flight.read([1, 2, 3], window=window).astype(float)
        alike = np.corrcoef(pixels.ravel(), stored.ravel())[0, 1]
        assert alike > 0.9, alike
        compared += 1
    assert compared > 3


def test_the_mark_is_drawn_around_the_suspect(result, written):
    with Image.open(written / "marked" / f"{result.suspects[0].change.id}_after.jpg") as picture:
        pixels = np.asarray(picture).astype(int)
    near = np.abs(pixels - (213, 94, 0)).max(axis=2) < 60
    assert near.sum() > 100


def test_same_input_same_bytes(result, written, tmp_path):
    item = result.suspects[0].change
    views = [View(role="before", flight=result.pair.before)]
    again = tmp_path / "again"
    subject = Subject(id=item.id, outline=item.outline, colour=(213, 94, 0))
    write_chips(again, [subject], views, result.pair.grid, {})
    name = f"{item.id}_before.jpg"
    assert (again / name).read_bytes() == (written / name).read_bytes()


def test_a_flight_that_shows_nothing_there_leaves_no_picture(result, tmp_path):
    away = box(0.0, 0.0, 10.0, 10.0)
    views = [View(role="before", flight=result.pair.before)]
    write_chips(
        tmp_path / "chips",
        [Subject(id="a" * 12, outline=away, colour=(0, 0, 0))],
        views,
        result.pair.grid,
        {},
    )
    index = json.loads((tmp_path / "chips" / CHIP_INDEX).read_text(encoding="utf-8"))
    assert index["chips"]["a" * 12]["roles"] == []
    assert not list((tmp_path / "chips").glob("*.jpg"))


@pytest.mark.parametrize("side", [5.0, 23.0, 100.0, 900.0, 5000.0])
def test_a_structure_fits_into_its_chip(side):
    outline = box(1000.0, 2000.0, 1000.0 + side, 2000.0 + side / 3)
    ground = Bounds(left=990.0, bottom=1990.0, right=19000.0, top=19000.0)
    pixel, window = place_chip(outline, 0.05, ground)
    shown = box(
        window.col * pixel,
        -(window.row + window.height) * pixel,
        (window.col + window.width) * pixel,
        -window.row * pixel,
    )
    assert shown.contains(outline)
    assert window.width <= 480
    assert window.col * pixel >= 990.0 - pixel
    assert -(window.row + window.height) * pixel >= 1990.0 - pixel
    assert window.width * pixel >= min(39.9, side)


def test_a_profile_tells_the_height_that_was_gained(result):
    grown = [
        item
        for item in result.suspects
        if item.change.kind == "building" and (item.change.height_gain_m or 0) > 2.0
    ]
    assert grown
    profiles = take_profiles(result.pair, [(item.change.id, item.change.outline) for item in grown])
    for item in grown:
        told = profiles[item.change.id]
        gains = [
            after - before
            for before, after in zip(told.before_m, told.after_m, strict=True)
            if before is not None and after is not None
        ]
        assert max(gains) == pytest.approx(item.change.height_gain_m, abs=2.0)
        assert sorted(told.distance_m) == list(told.distance_m)
        # Beyond its ends the ground is as it was.
        assert min(map(abs, gains)) < 0.7


def test_the_longest_line_needs_an_area():
    with pytest.raises(ValueError, match="without area"):
        longest_line(box(0.0, 0.0, 0.0, 0.0))
