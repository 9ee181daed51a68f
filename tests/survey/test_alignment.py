"""Alignment: known shifts, turns and warps asked back, in both directions; other ground refused."""

from concurrent.futures import Executor, Future, ThreadPoolExecutor

import cv2
import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import CRS, Transformer
from rasterio.warp import Resampling, reproject

from survey import search
from survey.alignment import align, common_ground
from survey.blocks import open_executor
from survey.errors import PairError
from survey.examination import examine
from survey.flight import open_flight
from survey.settings import AlignSettings
from tests.samples import cut, ortho, true_shift
from tests.survey.rasters import CRS_CODE, EAST, NORTH, blurred, north_up, scene, write

PIXEL, SIDE = 0.2, 600
MIDDLE = (EAST + PIXEL * SIDE / 2, NORTH - PIXEL * SIDE / 2)
PICTURE = blurred(scene(SIDE, SIDE), 0.8)
SETTINGS = AlignSettings()
PRECISE = AlignSettings(precision="precise")
UTM_CODE = 32649


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


@pytest.mark.parametrize("settings", [SETTINGS, PRECISE], ids=["standard", "precise"])
def test_an_identical_picture_lies_still(tmp_path, before, settings):
    grid, alignment = aligned(before, flight(tmp_path / "20250601.tif"), settings)
    x, y = places(grid)
    assert alignment.verdict == "verified"
    assert np.hypot(*alignment.field.shift(x, y)).max() < 0.01 * PIXEL
    assert alignment.rms_m == pytest.approx(0, abs=0.01 * PIXEL)
    assert alignment.ties_used == alignment.ties_seen


def displaced(motion, x, y):
    """Return how far an affine motion takes places, m."""
    u = motion.a * x + motion.b * y + motion.c
    v = motion.d * x + motion.e * y + motion.f
    return u - x, v - y


@pytest.mark.parametrize(
    ("degrees", "scale"),
    [(1.0, 1.0), (-3.0, 1.0), (5.0, 1.0), (-5.0, 1.0), (0.2, 1.004), (0.0, 1.02), (0.0, 0.98)],
)
def test_a_turn_and_a_stretch_are_asked_back(tmp_path, before, degrees, scale):
    about = Affine.translation(*MIDDLE) @ Affine.rotation(degrees) @ Affine.scale(scale)
    motion = about @ Affine.translation(-MIDDLE[0], -MIDDLE[1])
    after = flight(tmp_path / "20250601.tif", transform=motion @ north_up(PIXEL))
    # And back: where the after flight shows a place, the before flight shows it elsewhere.
    for first, second, truth in ((before, after, motion), (after, before, ~motion)):
        grid, alignment = aligned(first, second)
        assert alignment.verdict == "verified", alignment.why
        # The corners of turned pictures are not in both.
        x, y = (part[4:-4, 4:-4] for part in places(grid))
        there, true = alignment.field.shift(x, y), displaced(truth, x, y)
        missed = np.hypot(there[0] - true[0], there[1] - true[1])
        assert rms(missed) < 0.05
        assert missed.max() < 0.2


def bend(x, y):
    """Return half a metre of displacement as poor control bends it, m."""
    u, v = x - MIDDLE[0], y - MIDDLE[1]
    return 0.4 * np.sin(2 * np.pi * u / 140), 0.4 * np.sin(2 * np.pi * (u + v) / 200)


def bent(picture, pixel_m):
    """Return the picture with its content displaced by ``bend``."""
    side = picture.shape[1]
    cols, rows = np.meshgrid(np.arange(side), np.arange(side))
    x, y = EAST + (cols + 0.5) * pixel_m, NORTH - (rows + 0.5) * pixel_m
    true_x, true_y = x, y
    for _ in range(4):
        dx, dy = bend(true_x, true_y)
        true_x, true_y = x - dx, y - dy
    maps = ((true_x - EAST) / pixel_m - 0.5, (NORTH - true_y) / pixel_m - 0.5)
    maps = [m.astype(np.float32) for m in maps]
    return np.stack([cv2.remap(band, *maps, cv2.INTER_CUBIC) for band in picture])


def test_a_warp_is_asked_back(tmp_path, before):
    after = flight(tmp_path / "20250601.tif", bent(PICTURE, PIXEL))
    grid, alignment = aligned(before, after)
    assert alignment.verdict == "verified", alignment.why
    missed = errors(grid, alignment, bend)
    assert rms(missed) < 0.05
    x, y = places(grid)
    assert (missed <= 2 * alignment.field.uncertainty_at(x, y)).mean() > 0.85


def test_precise_is_at_least_as_good_as_standard(tmp_path):
    """Pictures of 10 cm, other noise in each: the standard precision sees them at 20."""
    rng = np.random.default_rng(6)
    picture = blurred(scene(1000, 1000), 1.2)
    flights = [
        flight(
            tmp_path / f"{name}.tif",
            np.clip(one + rng.normal(0, 4, one.shape), 1, 254).astype(np.uint8),
            transform=north_up(0.1),
        )
        for name, one in (("20250101", picture), ("20250601", bent(picture, 0.1)))
    ]
    found = {}
    for settings in (SETTINGS, PRECISE):
        grid, alignment = aligned(*flights, settings)
        assert alignment.verdict == "verified", alignment.why
        found[settings.precision] = rms(errors(grid, alignment, bend))
    assert found["precise"] <= found["standard"]
    assert found["precise"] < 0.03


SHIFT = (3.4, -2.3)


def shifted(_x, _y):
    return SHIFT


def test_a_collar_is_not_matched(tmp_path, before):
    """A black border lies in the file, not on the ground, wherever the ground is."""
    framed = np.zeros_like(PICTURE)
    framed[:, 60:-90, 40:-70] = PICTURE[:, 60:-90, 40:-70]
    place = north_up(PIXEL, east=EAST + SHIFT[0], north=NORTH + SHIFT[1])
    after = flight(tmp_path / "20250601.tif", framed, transform=place)
    cut_off = np.zeros_like(PICTURE)
    cut_off[:, 20:-40, 80:-30] = PICTURE[:, 20:-40, 80:-30]
    before = flight(tmp_path / "20250102.tif", cut_off)
    grid, alignment = aligned(before, after)
    assert alignment.verdict == "verified", alignment.why
    x, y = places(grid, margin=20.0)
    east, north = alignment.field.shift(x, y)
    assert np.hypot(east - SHIFT[0], north - SHIFT[1]).max() < 0.05


def test_a_flight_of_islands_is_aligned_on_each(tmp_path, before):
    """Four files with nothing between them: 36 m of picture each in 120 m."""
    folder = tmp_path / "20250601"
    folder.mkdir()
    corners = [(0, 0), (20, 400), (400, 30), (410, 420)]
    for row, col in corners:
        part = PICTURE[:, row : row + 180, col : col + 180]
        east, north = EAST + col * PIXEL + SHIFT[0], NORTH - row * PIXEL + SHIFT[1]
        place = north_up(PIXEL, east=east, north=north)
        write(folder / f"{row}_{col}.tif", part, photometric="rgb", transform=place)
    after = examine(open_flight(folder))
    for first, second, sign in ((before, after, 1), (after, before, -1)):
        _grid, alignment = aligned(first, second)
        assert alignment.verdict == "verified", alignment.why
        for row, col in corners:
            x = np.array([EAST + (col + 90) * PIXEL])
            y = np.array([NORTH - (row + 90) * PIXEL])
            east, north = alignment.field.shift(x, y)
            assert east[0] == pytest.approx(sign * SHIFT[0], abs=0.05)
            assert north[0] == pytest.approx(sign * SHIFT[1], abs=0.05)
        # In the middle, 20 m from the nearest island, less is known.
        doubt = alignment.field.uncertainty_at(*(np.array([v]) for v in MIDDLE))
        assert doubt[0] > alignment.field.uncertainty_at(x, y)[0]


def test_a_quarter_that_overlaps_is_enough(tmp_path, before):
    part = PICTURE[:, SIDE // 2 :, SIDE // 2 :]
    place = north_up(PIXEL, east=MIDDLE[0] + SHIFT[0], north=MIDDLE[1] + SHIFT[1])
    after = flight(tmp_path / "20250601.tif", part, transform=place)
    grid, alignment = aligned(before, after)
    assert alignment.verdict == "verified", alignment.why
    assert errors(grid, alignment, shifted).max() < 0.1


def resampled(path, *, transform, shape, crs):
    """Write the picture resampled by GDAL onto another grid, moved by ``SHIFT`` in that grid."""
    there = np.zeros((3, *shape), np.uint8)
    reproject(
        np.ascontiguousarray(PICTURE),
        there,
        src_transform=north_up(PIXEL),
        src_crs=CRS.from_epsg(CRS_CODE),
        dst_transform=transform,
        dst_crs=CRS.from_epsg(crs),
        resampling=Resampling.cubic,
    )
    place = Affine.translation(*SHIFT) @ transform
    return flight(path, there, transform=place, crs=crs, nodata=0)


@pytest.mark.parametrize("pixel_m", [0.1, 0.25, 0.31])
def test_another_pixel_size_is_no_matter(tmp_path, before, pixel_m):
    side = int(SIDE * PIXEL / pixel_m)
    after = resampled(
        tmp_path / "20250601.tif", transform=north_up(pixel_m), shape=(side, side), crs=CRS_CODE
    )
    for first, second, sign in ((before, after, 1), (after, before, -1)):
        grid, alignment = aligned(first, second)
        assert alignment.verdict == "verified", alignment.why
        truth = (sign * SHIFT[0], sign * SHIFT[1])
        assert errors(grid, alignment, lambda _x, _y, truth=truth: truth).max() < 0.1


def test_another_coordinate_system_is_no_matter(tmp_path, before):
    """The after flight is delivered in UTM, where grid north points elsewhere."""
    to_utm = Transformer.from_crs(CRS_CODE, UTM_CODE, always_xy=True)
    left, bottom, right, top = to_utm.transform_bounds(
        EAST, NORTH - SIDE * PIXEL, EAST + SIDE * PIXEL, NORTH
    )
    shape = (int((top - bottom) / 0.25) + 1, int((right - left) / 0.25) + 1)
    place = north_up(0.25, east=left, north=top)
    after = resampled(tmp_path / "20250601.tif", transform=place, shape=shape, crs=UTM_CODE)

    def truth(x, y):
        east, north = to_utm.transform(x, y)
        u, v = to_utm.transform(east + SHIFT[0], north + SHIFT[1], direction="INVERSE")
        return u - x, v - y

    grid, alignment = aligned(before, after)
    assert grid.crs == CRS.from_epsg(CRS_CODE)
    assert alignment.verdict == "verified", alignment.why
    assert errors(grid, alignment, truth).max() < 0.1


@pytest.mark.parametrize("degrees", [17.0, -100.0])
def test_a_file_whose_rows_run_askew_is_no_matter(tmp_path, before, degrees):
    """The file is turned and says so: its ground is not."""
    reach = int(SIDE * 1.5)
    place = (
        Affine.translation(*MIDDLE)
        @ Affine.rotation(degrees)
        @ Affine.scale(PIXEL, -PIXEL)
        @ Affine.translation(-reach / 2, -reach / 2)
    )
    after = resampled(
        tmp_path / "20250601.tif", transform=place, shape=(reach, reach), crs=CRS_CODE
    )
    grid, alignment = aligned(before, after)
    assert alignment.verdict == "verified", alignment.why
    x, y = places(grid, margin=20.0)
    inside = (x > EAST) & (x < EAST + 120) & (y < NORTH) & (y > NORTH - 120)
    east, north = (part[inside] for part in alignment.field.shift(x, y))
    assert np.hypot(east - SHIFT[0], north - SHIFT[1]).max() < 0.1


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


def test_other_ground_of_three_hectares_is_refused(tmp_path):
    before = flight(tmp_path / "a.tif", blurred(scene(870, 870, seed=3), 0.8))
    # Stretched, so that the blocks of both textures do not lie on one lattice.
    other = cv2.resize(scene(770, 770, seed=4).transpose(1, 2, 0), (870, 870))
    after = flight(tmp_path / "b.tif", blurred(other.transpose(2, 0, 1), 0.8))
    _grid, alignment = aligned(before, after)
    assert alignment.verdict == "refused", alignment.why
    assert alignment.shift_m == (0, 0)
    assert alignment.accepted_by == "gate"


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


class Backwards(Executor):
    """Runs nothing until somebody waits, and then the last piece first."""

    def __init__(self):
        self.waiting, self.ran = [], 0

    def submit(self, function, /, *args, **named):
        executor = self

        class Late(Future):
            def result(self, timeout=None):
                executor.run()
                return super().result(timeout)

        future = Late()
        self.waiting.append((future, function, args, named))
        return future

    def run(self):
        while self.waiting:
            future, function, args, named = self.waiting.pop()
            future.set_result(function(*args, **named))
            self.ran += 1


def same(one, other):
    """Assert that two alignments are the same to the last bit."""
    for name in ("east", "north", "uncertainty", "known"):
        assert getattr(one.field, name).tobytes() == getattr(other.field, name).tobytes()
    for name in ("x", "y", "east", "north", "strength"):
        assert getattr(one.ties, name).tobytes() == getattr(other.ties, name).tobytes()
    assert one.used.tobytes() == other.used.tobytes()
    names = ("why", "verdict", "rms_m", "p95_m", "evidence")
    assert [getattr(one, name) for name in names] == [getattr(other, name) for name in names]


@pytest.fixture
def small_tiles(monkeypatch):
    """Tiles so small that every stage has enough pieces to be worth several workers."""
    monkeypatch.setattr(search, "_CORE", 64)


@pytest.mark.parametrize("settings", [SETTINGS, PRECISE], ids=["standard", "precise"])
def test_the_order_and_number_of_workers_change_nothing(tmp_path, before, small_tiles, settings):
    after = flight(tmp_path / "20250601.tif", bent(PICTURE, PIXEL))
    told = []
    _grid, alone = aligned(before, after, settings, progress=lambda *said: told.append(said))
    executor = Backwards()
    same(alone, aligned(before, after, settings, executor=executor)[1])
    assert executor.ran > 20
    with ThreadPoolExecutor(3) as threads:
        same(alone, aligned(before, after, settings, executor=threads)[1])
    assert {stage for stage, _done, _total in told} == {"aligning"}
    assert told[-1][1] == told[-1][2]


def test_the_size_of_tiles_hardly_matters(tmp_path, before, monkeypatch):
    after = flight(tmp_path / "20250601.tif", bent(PICTURE, PIXEL))
    grid, whole = aligned(before, after)
    monkeypatch.setattr(search, "_CORE", 64)
    _grid, tiled = aligned(before, after)
    assert tiled.verdict == whole.verdict
    x, y = places(grid)
    (east, north), (other_east, other_north) = whole.field.shift(x, y), tiled.field.shift(x, y)
    assert np.hypot(east - other_east, north - other_north).max() < 0.05 * PIXEL


@pytest.mark.slow
def test_processes_change_nothing(tmp_path):
    """A strip of 1.2 km: every stage has blocks for both."""
    picture = blurred(scene(320, 6200), 0.8)
    place = north_up(PIXEL, east=EAST + 1.3, north=NORTH - 0.7)
    before = flight(tmp_path / "20250101.tif", picture)
    after = flight(tmp_path / "20250601.tif", picture, transform=place)
    _grid, alone = aligned(before, after)
    assert alone.shift_m == pytest.approx((1.3, -0.7), abs=0.02)
    with open_executor(2) as executor:
        same(alone, aligned(before, after, executor=executor)[1])
