"""Alignment: known shifts, turns and warps asked back, in both directions; other ground refused."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import CRS

from survey.alignment import align, common_ground
from survey.errors import PairError
from survey.examination import examine
from survey.flight import open_flight
from survey.settings import AlignSettings
from tests.samples import cut, ortho, true_shift
from tests.survey.rasters import EAST, NORTH, blurred, north_up, scene, write

PIXEL, SIDE = 0.2, 600
MIDDLE = (EAST + PIXEL * SIDE / 2, NORTH - PIXEL * SIDE / 2)
PICTURE = blurred(scene(SIDE, SIDE), 0.8)
SETTINGS = AlignSettings()


def flight(path, picture=PICTURE, **profile):
    profile.setdefault("transform", north_up(PIXEL))
    return examine(open_flight(write(path, picture, photometric="rgb", **profile)))


def aligned(before, after, settings=SETTINGS, **options):
    grid = common_ground(before, after, max(before.pixel_m, after.pixel_m, 0.2))
    return grid, align(before, after, grid, settings, **options)


def places(grid, margin=4.0, count=40):
    b = grid.bounds
    return np.meshgrid(
        np.linspace(b.left + margin, b.right - margin, count),
        np.linspace(b.bottom + margin, b.top - margin, count),
    )


def errors(grid, alignment, truth):
    """Return how far the field misses ``truth(x, y)`` over the area, m."""
    x, y = places(grid)
    found, true = alignment.field.shift(x, y), truth(x, y)
    return np.hypot(found[0] - true[0], found[1] - true[1])


def rms(values):
    return float(np.sqrt(np.mean(np.square(values))))


@pytest.fixture
def before(tmp_path):
    return flight(tmp_path / "20250101.tif")


@pytest.mark.parametrize("shift", [(0.33, 0.0), (3.2, -1.7), (-11.4, 8.25), (17.0, -15.0)])
def test_a_shift_is_asked_back_in_both_directions(tmp_path, before, shift):
    """The file says its ground lies further east and north: that is where it shows it."""
    place = north_up(PIXEL, east=EAST + shift[0], north=NORTH + shift[1])
    after = flight(tmp_path / "20250601.tif", transform=place)
    for first, second, sign in ((before, after, 1), (after, before, -1)):
        grid, alignment = aligned(first, second)
        assert alignment.verdict == "verified", alignment.why
        assert alignment.shift_m == pytest.approx((sign * shift[0], sign * shift[1]), abs=0.05)
        east, north = alignment.field.shift(*places(grid))
        assert np.hypot(east - sign * shift[0], north - sign * shift[1]).max() < 0.1


def test_an_identical_picture_lies_still(tmp_path, before):
    grid, alignment = aligned(before, flight(tmp_path / "20250601.tif"))
    x, y = places(grid)
    assert alignment.verdict == "verified"
    assert np.hypot(*alignment.field.shift(x, y)).max() < 0.01 * PIXEL
    assert alignment.rms_m == pytest.approx(0, abs=0.01 * PIXEL)
    assert alignment.ties_used == alignment.ties_seen


@pytest.mark.parametrize(("degrees", "scale"), [(1.0, 1.0), (-3.0, 1.0), (0.2, 1.004)])
def test_a_turn_and_a_stretch_are_asked_back(tmp_path, before, degrees, scale):
    about = Affine.translation(*MIDDLE) @ Affine.rotation(degrees) @ Affine.scale(scale)
    motion = about @ Affine.translation(-MIDDLE[0], -MIDDLE[1])
    after = flight(tmp_path / "20250601.tif", transform=motion @ north_up(PIXEL))

    def truth(x, y):
        u, v = motion.a * x + motion.b * y + motion.c, motion.d * x + motion.e * y + motion.f
        return u - x, v - y

    grid, alignment = aligned(before, after)
    assert alignment.verdict == "verified", alignment.why
    assert rms(errors(grid, alignment, truth)) < 0.1
    # And back: where the after flight shows a place, the before flight shows it elsewhere.
    inverse = ~motion
    grid, alignment = aligned(after, before)
    assert alignment.verdict == "verified", alignment.why

    def back(x, y):
        u, v = inverse.a * x + inverse.b * y + inverse.c, inverse.d * x + inverse.e * y + inverse.f
        return u - x, v - y

    assert rms(errors(grid, alignment, back)) < 0.1


def test_a_warp_is_asked_back(tmp_path, before):
    """The picture itself is bent by half a metre, as poor control bends it."""

    def bend(x, y):
        u, v = x - MIDDLE[0], y - MIDDLE[1]
        return 0.4 * np.sin(2 * np.pi * u / 140), 0.4 * np.sin(2 * np.pi * (u + v) / 200)

    cols, rows = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
    x, y = EAST + (cols + 0.5) * PIXEL, NORTH - (rows + 0.5) * PIXEL
    true_x, true_y = x, y
    for _ in range(4):
        dx, dy = bend(true_x, true_y)
        true_x, true_y = x - dx, y - dy
    maps = ((true_x - EAST) / PIXEL - 0.5, (NORTH - true_y) / PIXEL - 0.5)
    maps = [m.astype(np.float32) for m in maps]
    bent = np.stack([cv2.remap(band, *maps, cv2.INTER_CUBIC) for band in PICTURE])
    grid, alignment = aligned(before, flight(tmp_path / "20250601.tif", bent))
    assert alignment.verdict == "verified", alignment.why
    missed = errors(grid, alignment, bend)
    assert rms(missed) < 0.1
    x, y = places(grid)
    assert (missed <= 2 * alignment.field.uncertainty_at(x, y)).mean() > 0.85


@pytest.mark.parametrize(("first", "second"), [(0, 1), (1, 0), (1, 2), (2, 3), (3, 0)])
def test_the_sample_flights_are_aligned_to_their_truth(first, second):
    """Other season, other light, grown and demolished houses, a rotation and a warp."""
    before, after = (examine(open_flight(ortho(n))) for n in (first, second))
    grid, alignment = aligned(before, after)
    assert alignment.verdict == "verified", alignment.why
    assert alignment.accepted_by == "gate"
    missed = errors(grid, alignment, lambda x, y: true_shift(first, second, x, y))
    assert rms(missed) < 0.15
    assert np.percentile(missed, 95) < 0.35
    x, y = places(grid)
    assert (missed <= 2 * alignment.field.uncertainty_at(x, y)).mean() > 0.85


@pytest.fixture(scope="module")
def coarse():
    """The first two sample flights at 0.2 m, as arrays."""
    pictures = []
    for number in (0, 1):
        with rasterio.open(ortho(number)) as dataset:
            pictures.append(dataset.read(out_shape=(3, 1000, 1000)))
    return pictures


OTHER_GROUND = {
    "mirrored": lambda p: p[:, :, ::-1],
    "upside down": lambda p: p[:, ::-1],
    "transposed": lambda p: p.transpose(0, 2, 1),
    "texture": lambda _p: scene(1000, 1000, seed=8),
    "elsewhere": lambda p: np.roll(p, (430, 380), (1, 2)),
}


@pytest.mark.parametrize("name", OTHER_GROUND)
def test_other_ground_is_never_verified(tmp_path, coarse, name):
    """What is compared looks alike, being the same village turned over; the ground is another."""
    before = flight(tmp_path / "a.tif", coarse[0])
    after = flight(tmp_path / "b.tif", np.ascontiguousarray(OTHER_GROUND[name](coarse[1])))
    grid, alignment = aligned(before, after)
    assert alignment.verdict in ("refused", "unverified"), alignment.why
    assert alignment.rms_m is None
    assert alignment.p95_m is None
    x, y = places(grid)
    assert not np.any(alignment.field.shift(x, y)), "nothing is moved without evidence"


def test_other_ground_is_refused_where_there_is_enough_to_see(tmp_path, coarse):
    before = flight(tmp_path / "a.tif", coarse[0])
    _grid, alignment = aligned(before, flight(tmp_path / "b.tif", coarse[1][:, :, ::-1]))
    assert alignment.verdict == "refused"
    assert "are these the same place?" in alignment.why


def test_ground_without_texture_keeps_its_georeferencing_and_says_so(tmp_path):
    rng = np.random.default_rng(4)
    after = (128 + rng.normal(0, 1.0, (3, SIDE, SIDE))).astype(np.uint8)
    before = (128 + rng.normal(0, 1.0, (3, SIDE, SIDE))).astype(np.uint8)
    _grid, alignment = aligned(
        flight(tmp_path / "a.tif", before),
        flight(tmp_path / "b.tif", after),
        AlignSettings(assumed_error_m=1.75),
    )
    assert alignment.verdict == "unverified"
    assert alignment.shift_m == (0, 0)
    np.testing.assert_allclose(alignment.field.uncertainty, 1.75)
    assert "1.75 m" in alignment.why


def test_a_shift_beyond_the_search_is_not_verified(tmp_path, before):
    place = north_up(PIXEL, east=EAST + 40)
    after = flight(tmp_path / "20250601.tif", transform=place)
    assert aligned(before, after)[1].verdict != "verified"
    found = aligned(before, after, AlignSettings(search_m=50.0))[1]
    assert found.verdict == "verified"
    assert found.shift_m == pytest.approx((40, 0), abs=0.05)


def test_parts_that_overlap_are_aligned_where_they_do(tmp_path):
    parts = [
        cut(ortho(0), tmp_path / "west.tif", (2, 2, 130, 198)),
        cut(ortho(1), tmp_path / "east.tif", (60, 20, 198, 150)),
    ]
    before, after = (examine(open_flight(path)) for path in parts)
    grid, alignment = aligned(before, after)
    width, height = grid.width * grid.pixel_m, grid.height * grid.pixel_m
    assert (width, height) == pytest.approx((70, 130), abs=1)
    assert alignment.verdict == "verified", alignment.why
    assert rms(errors(grid, alignment, lambda x, y: true_shift(0, 1, x, y))) < 0.2


def test_flights_that_do_not_overlap_are_told_how_far_apart_they_lie(tmp_path, before):
    place = north_up(PIXEL, east=EAST + 1500 + PIXEL * SIDE, north=NORTH)
    after = flight(tmp_path / "20250601.tif", transform=place)
    with pytest.raises(PairError, match=r"do not overlap: 1500 m apart"):
        common_ground(before, after, 0.2)


def test_the_grid_is_the_shared_rectangle_in_metres(before):
    grid = common_ground(before, before, 0.2)
    assert grid.crs == CRS.from_epsg(4547)
    assert (grid.width, grid.height) == (SIDE, SIDE)


def test_an_executor_changes_nothing_but_the_time(tmp_path, coarse):
    before, after = (
        flight(tmp_path / name, picture)
        for name, picture in zip(("a.tif", "b.tif"), coarse, strict=True)
    )
    told = []
    _grid, alone = aligned(before, after, progress=lambda *said: told.append(said))
    with ThreadPoolExecutor(2) as executor:
        _grid, together = aligned(before, after, executor=executor)
    for name in ("east", "north", "uncertainty"):
        one, other = getattr(alone.field, name), getattr(together.field, name)
        assert one.tobytes() == other.tobytes()
    assert alone.why == together.why
    assert {stage for stage, _done, _total in told} == {"aligning"}
    assert told[-1][1] == told[-1][2]
