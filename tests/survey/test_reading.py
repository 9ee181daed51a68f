"""Pixels on a working grid: at the right place, of the right colour, where there are any."""

import cv2
import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import CRS
from rasterio.warp import Resampling, reproject

from survey.errors import FlightError
from survey.examination import examine
from survey.flight import open_flight, open_surface
from survey.grid import WorkingGrid, transform_bounds, working_crs
from survey.reading import FlightReader, read_stored
from survey.resampling import block_mean
from survey.windows import Window
from tests.survey.rasters import CRS_CODE, EAST, NORTH, blurred, north_up, scene, write

PICTURE = scene(256, 320)


def grid_of(flight, pixel_m):
    crs = working_crs(flight.sources[0].grid)
    bounds = transform_bounds(flight.bounds, flight.crs, crs)
    return WorkingGrid.around(bounds, crs=crs, pixel_m=pixel_m)


def whole(grid):
    return Window(row=0, col=0, height=grid.height, width=grid.width)


def read(path, pixel_m=0.1, shift=None, **options):
    flight = examine(open_flight(path, **options))
    grid = grid_of(flight, pixel_m)
    with FlightReader(flight, grid) as reader:
        return reader.picture(whole(grid), shift), grid


def offset(first, second):
    """Return how far the second picture lies beside the first, (x, y) in pixels."""
    side = 128  # phaseCorrelate is half a pixel off where it has to pad to an odd size
    greys = [
        np.ascontiguousarray(a.mean(axis=0)[40:168, 40:168], np.float32) for a in (first, second)
    ]
    window = cv2.createHanningWindow((side, side), cv2.CV_32F)
    return cv2.phaseCorrelate(*greys, window)[0]


def test_pixels_on_the_same_grid_are_the_pixels_of_the_file(tmp_path):
    picture, grid = read(write(tmp_path / "a.tif", PICTURE))
    assert (grid.height, grid.width) == PICTURE.shape[1:]
    assert picture.valid.all()
    np.testing.assert_array_equal(picture.colour, PICTURE)


@pytest.mark.parametrize(
    ("code", "transform", "pixel_m"),
    [
        (CRS_CODE, north_up(0.1, east=EAST + 0.037, north=NORTH - 0.081), 0.1),
        (CRS_CODE, north_up(0.05), 0.1),
        (CRS_CODE, north_up(0.075), 0.2),
        (CRS_CODE, Affine(0.1, 0, EAST, 0, 0.1, NORTH), 0.1),  # south-up
        (CRS_CODE, Affine(0.0866, 0.05, EAST, -0.05, 0.0866, NORTH), 0.1),  # 30 degrees, mirrored
        (CRS_CODE, Affine(0.0866, -0.05, EAST, -0.05, -0.0866, NORTH), 0.1),
        (4526, north_up(0.1, east=EAST + 38e6), 0.1),
        (4326, Affine(1e-6, 0, 113.3, 0, -1e-6, 23.1), 0.11),
        (3857, north_up(0.1, east=12.6e6, north=2.64e6), 0.1),
        (2263, north_up(0.5, east=1e6, north=2e5), 0.15),
    ],
)
def test_place_and_colour_agree_with_gdal(tmp_path, code, transform, pixel_m):
    soft = blurred(PICTURE, 1.5)
    path = write(tmp_path / "a.tif", soft, transform=transform, crs=code)
    picture, grid = read(path, pixel_m)
    oracle = np.zeros(picture.colour.shape, np.float32)
    reproject(
        soft.astype(np.float32),
        oracle,
        src_transform=transform,
        src_crs=rasterio.crs.CRS.from_epsg(code),
        dst_transform=grid.transform,
        dst_crs=rasterio.crs.CRS.from_wkt(grid.crs.to_wkt()),
        resampling=Resampling.bilinear if pixel_m < 0.19 else Resampling.average,
        tolerance=0.01,
    )
    both = picture.valid & (oracle > 0).all(axis=0)
    assert both.mean() > 0.3
    assert np.abs(picture.colour - oracle)[:, both].mean() < 3
    if min(picture.valid.shape) >= 168:
        assert offset(np.where(both, picture.colour, 128), np.where(both, oracle, 128)) == (
            pytest.approx((0, 0), abs=0.1)
        )


def test_a_window_gives_the_same_bytes_in_any_order(tmp_path):
    path = write(tmp_path / "a.tif", PICTURE, transform=north_up(0.07), crs=3857)
    flight = examine(open_flight(path))
    grid = grid_of(flight, 0.1)
    windows = [Window(row=r, col=c, height=61, width=83) for r in (0, 70) for c in (-20, 90)]
    with FlightReader(flight, grid) as reader:
        first = [reader.picture(window) for window in windows]
        again = [reader.picture(window) for window in reversed(windows)][::-1]
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.colour, other.colour)
        np.testing.assert_array_equal(one.valid, other.valid)


def test_parts_agree_with_the_whole(tmp_path):
    path = write(tmp_path / "a.tif", PICTURE, transform=north_up(0.07), crs=32649)
    picture, grid = read(path)
    part = Window(row=50, col=40, height=64, width=96)
    with FlightReader(examine(open_flight(path)), grid) as reader:
        alone = reader.picture(part)
    there = picture.colour[(slice(None), *part.slices_in(whole(grid)))].astype(int)
    assert np.abs(alone.colour - there).max() <= 2


def test_beyond_the_file_there_is_nothing(tmp_path):
    path = write(tmp_path / "a.tif", PICTURE)
    flight = examine(open_flight(path))
    grid = grid_of(flight, 0.1)
    with FlightReader(flight, grid) as reader:
        edge = reader.picture(Window(row=-10, col=-10, height=50, width=50))
        away = reader.picture(Window(row=5000, col=0, height=20, width=20))
    assert edge.valid[10:, 10:].all()
    assert edge.valid.sum() == 40 * 40
    assert not away.valid.any()


def test_a_shift_says_where_the_flight_shows_the_ground(tmp_path):
    def shows_it_east_and_south(x, y):
        return np.full_like(x, 0.5), np.full_like(y, -0.3)

    picture, _grid = read(write(tmp_path / "a.tif", PICTURE), shift=shows_it_east_and_south)
    np.testing.assert_allclose(picture.colour[:, :-3, :-5], PICTURE[:, 3:, 5:], atol=1)
    assert not picture.valid[-3:].any()
    assert not picture.valid[:, -5:].any()


def test_a_shift_may_bend(tmp_path):
    def stretched(x, y):
        return (x - EAST) * 0.05, np.zeros_like(y)

    soft = blurred(PICTURE, 3)
    picture, _grid = read(write(tmp_path / "a.tif", soft), shift=stretched)
    col = (np.arange(250) + 0.5) * 1.05 - 0.5
    expected = np.stack(
        [[np.interp(col, np.arange(320), row) for row in band[:40].astype(float)] for band in soft]
    )
    np.testing.assert_allclose(picture.colour[:, :40, :250], expected, atol=1.5)


def bent(x, y):
    return np.sin(y / 7) * 0.3 + 0.13, np.cos(x / 9) * 0.3


@pytest.mark.parametrize("shift", [None, bent])
@pytest.mark.parametrize("pixel_m", [0.1, 0.13, 0.2, 0.35])
@pytest.mark.parametrize("kind", ["colour", "mask", "alpha", "grey", "16 bits", "black border"])
def test_grey_is_the_grey_of_the_picture(tmp_path, kind, pixel_m, shift):
    place = {"transform": north_up(0.1, east=EAST + 0.043, north=NORTH - 0.061)}
    holes = np.where(HOLE, 0, 255)[None].astype(np.uint8)
    bands, options = {
        "colour": (PICTURE, {}),
        "mask": (PICTURE, {"mask": ~HOLE}),
        "alpha": (np.concatenate([PICTURE, holes]), {"photometric": "rgb", "alpha": "yes"}),
        "grey": (PICTURE[:1], {}),
        "16 bits": (PICTURE.astype(np.uint16) * 100, {}),
        "black border": (np.where(HOLE, 0, PICTURE).astype(np.uint8), {}),
    }[kind]
    flight = examine(open_flight(write(tmp_path / "a.tif", bands, **place, **options)))
    grid = grid_of(flight, pixel_m)
    for window in (whole(grid), Window(row=5, col=70, height=70, width=41)):
        with FlightReader(flight, grid) as reader:
            picture, grey = reader.picture(window, shift), reader.grey(window, shift)
        np.testing.assert_array_equal(grey.valid, picture.valid)
        weighed = np.tensordot([0.3, 0.5, 0.2], picture.colour.astype(float), axes=1)
        assert picture.valid.any()
        off = np.abs(weighed - grey.grey)[picture.valid]
        assert off.max() <= 2
        assert (off > 1.5).mean() < 1e-3


def test_grey_of_a_folder_is_the_grey_of_its_picture(tmp_path):
    folder = tmp_path / "tiles"
    folder.mkdir()
    write(folder / "1.tif", PICTURE[:, :, :160])
    write(folder / "2.tif", PICTURE[:, :, 160:], transform=north_up(0.1, east=EAST + 16))
    flight = examine(open_flight(folder))
    grid = grid_of(flight, 0.1)
    with FlightReader(flight, grid) as reader:
        grey = reader.grey(whole(grid))
    assert grey.valid.all()
    assert (
        np.abs(np.tensordot([0.3, 0.5, 0.2], PICTURE.astype(float), axes=1) - grey.grey).max() < 1
    )


@pytest.mark.parametrize("east", [0.0, 0.037])
def test_a_moved_window_is_interpolated_as_a_bent_one(tmp_path, east):
    """A plain translation takes another way through OpenCV than a field; they must agree."""

    def barely(x, y):
        return (x - EAST) * 2e-4, np.zeros_like(y)

    place = {"transform": north_up(0.1, east=EAST + east)}
    flight = examine(open_flight(write(tmp_path / "a.tif", PICTURE, mask=~HOLE, **place)))
    grid = grid_of(flight, 0.1)
    window = Window(row=8, col=8, height=200, width=160)
    with FlightReader(flight, grid) as reader:
        moved, bent = reader.picture(window), reader.picture(window, barely)
    both = moved.valid & bent.valid
    assert (moved.valid != bent.valid).mean() < 0.01
    assert np.abs(moved.colour.astype(int) - bent.colour)[:, both].max() <= 5


# --- what tells picture from nothing ---

HOLE = np.zeros((256, 320), bool)
HOLE[:60, :80] = True


def opaque(colour):
    """Return the picture with a border, and black and white roofs that are none."""
    bands = PICTURE.copy()
    bands[:, HOLE] = colour
    bands[:, 120:140, 120:150] = 0
    bands[:, 160:180, 120:150] = 255
    bands[:, 100:120, 312:] = colour  # a roof that the edge cuts
    return bands


DIALECTS = {
    "alpha": lambda p: write(
        p, np.concatenate([opaque(9), np.where(HOLE, 0, 255)[None].astype(np.uint8)]),
        photometric="rgb", alpha="yes",
    ),
    "mask": lambda p: write(p, opaque(9), mask=~HOLE),
    "nodata": lambda p: write(p, opaque(7), nodata=7),
    "black": lambda p: write(p, opaque(0)),
    "white": lambda p: write(p, opaque(255)),
    "black, striped": lambda p: write(p, opaque(0), compress="lzw", predictor=2),
    "white, tiled": lambda p: write(
        p, opaque(255), tiled=True, blockxsize=64, blockysize=64, compress="deflate"
    ),
    "black, 16 bits": lambda p: write(p, opaque(0).astype(np.uint16) * 40),
}  # fmt: skip


@pytest.mark.parametrize("dialect", DIALECTS)
def test_nothing_is_told_from_picture(tmp_path, dialect):
    picture, _grid = read(DIALECTS[dialect](tmp_path / "a.tif"))
    near = cv2.dilate(HOLE.astype(np.uint8), np.ones((5, 5))) > 0
    assert not picture.valid[HOLE].any()
    cut = np.zeros_like(HOLE)
    if dialect == "nodata":
        cut[98:122, 310:] = True  # a nodata value says so wherever it stands
    assert picture.valid[~near & ~cut].all()


def test_an_external_mask_is_read(tmp_path):
    path = write(tmp_path / "a.tif", opaque(9))
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False), rasterio.open(path, "r+") as dataset:
        dataset.write_mask(~HOLE)
    assert (tmp_path / "a.tif.msk").is_file()
    picture, _grid = read(path)
    assert not picture.valid[HOLE].any()
    assert picture.valid[100:].all()


def test_a_jpeg_collar_is_not_quite_black(tmp_path):
    bands = scene(512, 512)
    bands[:, :100] = 0
    path = write(
        tmp_path / "a.tif", bands, compress="jpeg", photometric="ycbcr", jpeg_quality=75,
        tiled=True, blockxsize=256, blockysize=256,
    )  # fmt: skip
    picture, _grid = read(path)
    assert not picture.valid[:96].any()
    assert picture.valid[110:].all()


def test_a_picture_without_border_stays_whole(tmp_path):
    bands = PICTURE.copy()
    bands[:, 50:90, 60:120] = 0
    bands[:, 0:9, 200:220] = 0
    path = write(tmp_path / "a.tif", bands)
    assert examine(open_flight(path)).sources[0].collar is None
    assert read(path)[0].valid.all()


def test_a_collar_is_found_from_overviews_too(tmp_path):
    bands = scene(64, 64)
    bands = np.repeat(np.repeat(bands, 70, 1), 70, 2)
    bands[:, :, :1000] = 0
    path = write(tmp_path / "a.tif", bands, compress="deflate", tiled=True, overviews=(2,))
    collar = examine(open_flight(path)).sources[0].collar
    assert collar is not None
    assert collar.share == pytest.approx(1000 / 4480, abs=0.02)


def test_the_user_may_name_a_nodata_value(tmp_path):
    picture, _grid = read(write(tmp_path / "a.tif", opaque(7)), nodata=7)
    assert not picture.valid[HOLE].any()


# --- storage ---


def test_grey_palette_and_sixteen_bits_become_colour(tmp_path):
    grey, _grid = read(write(tmp_path / "grey.tif", PICTURE[:1]))
    np.testing.assert_array_equal(grey.colour, np.repeat(PICTURE[:1], 3, axis=0))
    path = write(tmp_path / "palette.tif", PICTURE[:1], photometric="palette")
    with rasterio.open(path, "r+") as dataset:
        dataset.write_colormap(1, {i: (i, 255 - i, 7, 255) for i in range(256)})
    palette, _grid = read(path)
    np.testing.assert_array_equal(palette.colour[1], 255 - PICTURE[0])
    deep, _grid = read(write(tmp_path / "deep.tif", PICTURE.astype(np.uint16) * 100 + 500))
    assert deep.valid.all()
    assert deep.colour.min() == 1
    assert np.corrcoef(deep.colour.ravel(), PICTURE.ravel())[0, 1] > 0.99


def test_two_tiles_are_the_picture_they_were_cut_from(tmp_path):
    entire, _grid = read(write(tmp_path / "whole.tif", PICTURE))
    folder = tmp_path / "tiles"
    folder.mkdir()
    write(folder / "1.tif", PICTURE[:, :, :160])
    write(folder / "2.tif", PICTURE[:, :, 160:], transform=north_up(0.1, east=EAST + 16))
    tiles, _grid = read(folder)
    np.testing.assert_array_equal(tiles.colour, entire.colour)
    assert tiles.valid.all()


@pytest.mark.parametrize("pixel_m", [0.2, 0.33, 0.4, 0.8])
def test_overviews_show_what_the_full_picture_shows(tmp_path, pixel_m):
    soft = blurred(scene(1024, 1024), 3)
    full, _grid = read(write(tmp_path / "full.tif", soft), pixel_m)
    path = write(tmp_path / "o.tif", soft, overviews=(2, 4, 8))
    assert open_flight(path).sources[0].overviews == (2, 4, 8)
    fast, _grid = read(path, pixel_m)
    both = full.valid & fast.valid
    assert both.mean() > 0.97
    assert np.abs(full.colour.astype(int) - fast.colour)[:, both].mean() < 1.5


def test_a_coarse_look_without_overviews_is_read_in_strips(tmp_path, monkeypatch):
    path = write(tmp_path / "a.tif", blurred(scene(700, 700), 3))
    at_once, _grid = read(path, 0.9)
    monkeypatch.setattr("survey.source_reader._READ_PX", 7_000)
    in_strips, _grid = read(path, 0.9)
    np.testing.assert_array_equal(at_once.colour, in_strips.colour)


@pytest.mark.parametrize(
    "compression", [{}, {"compress": "jpeg", "photometric": "ycbcr", "jpeg_quality": 95}]
)
def test_overviews_by_nearest_neighbour_are_left_out(tmp_path, compression):
    grey = blurred(scene(1024, 1024 if compression else 1025), 0.5)[:1]
    path = write(tmp_path / "a.tif", np.repeat(grey, 3, axis=0), tiled=True, **compression)
    plain, _grid = read(path, 0.4)
    with rasterio.open(path, "r+") as dataset:
        dataset.build_overviews([2, 4], rasterio.enums.Resampling.nearest)
    flight = open_flight(path)
    assert flight.sources[0].overviews == (2, 4)
    seen = examine(flight)
    assert seen.sources[0].overviews == ()
    assert "a.tif: its overviews are samples" in seen.assumptions[-1]
    np.testing.assert_array_equal(read(path, 0.4)[0].colour, plain.colour)


@pytest.mark.parametrize("method", ["average", "bilinear", "cubic", "gauss", "lanczos"])
@pytest.mark.parametrize("sigma", [0.3, 3])
def test_averaged_overviews_are_used(tmp_path, method, sigma):
    path = write(tmp_path / "a.tif", blurred(scene(700, 901), sigma))
    with rasterio.open(path, "r+") as dataset:
        dataset.build_overviews([2, 4], rasterio.enums.Resampling[method])
    seen = examine(open_flight(path))
    assert seen.sources[0].overviews == (2, 4)
    assert seen.assumptions == ()


def test_a_coarse_pixel_is_ground_where_half_of_it_is(tmp_path):
    hidden = np.zeros((256, 320), bool)
    hidden[:, 80:161] = True  # ends a quarter into a coarse pixel
    hidden[:, 240:243] = True  # three quarters of one
    picture, _grid = read(write(tmp_path / "a.tif", PICTURE, mask=~hidden), 0.4)
    assert picture.valid.shape == (64, 80)
    assert not picture.valid[:, 20:40].any()
    assert picture.valid[:, 40:60].all()
    assert not picture.valid[:, 60].any()
    assert picture.valid[:, 61:].all()


@pytest.mark.parametrize("m", [2, 3, 6, 7])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_cells_are_means_of_their_valid_pixels(m, dtype):
    random = np.random.default_rng(3)
    bands = random.integers(0, 255, (2, 12 * m, 9 * m)).astype(dtype)
    valid = random.random((12 * m, 9 * m)) < np.repeat(np.linspace(0, 1.2, 12), m)[:, None]
    means, known = block_mean(bands, valid, m)
    cells = bands.reshape(2, 12, m, 9, m).astype(float)
    inside = valid.reshape(12, m, 9, m)
    count = inside.sum(axis=(1, 3))
    expected = (cells * inside).sum(axis=(2, 4)) / np.maximum(count, 1)
    np.testing.assert_array_equal(known, 2 * count >= m * m)
    np.testing.assert_allclose(means, expected, atol=0.501 if dtype == np.uint8 else 1e-3)
    alone = block_mean(bands[:, -m:], valid[-m:], m)
    np.testing.assert_array_equal(alone[0], means[:, -1:])


def test_windows_are_read_as_they_are_stored(tmp_path):
    flight = examine(open_flight(write(tmp_path / "a.tif", opaque(0))))
    (picture,) = read_stored(flight.sources[0], [Window(row=30, col=10, height=40, width=50)])
    np.testing.assert_array_equal(picture.colour, opaque(0)[:, 30:70, 10:60])
    assert not picture.valid[:30].any()
    assert picture.valid[32:].all()


def test_a_file_that_ends_too_early_is_named(tmp_path):
    path = write(tmp_path / "a.tif", PICTURE, tiled=True, blockxsize=64, blockysize=64)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(FlightError, match=r"a\.tif: (cannot be read to its end|not a raster)"):
        read(path)


# --- surface models ---


def test_heights_come_in_metres_with_their_gaps(tmp_path):
    stored = np.linspace(100, 4000, 256 * 320).astype(np.int16).reshape(1, 256, 320)
    stored[0, :50, :60] = -32767
    path = write(tmp_path / "dsm.tif", stored, nodata=-32767)
    with rasterio.open(path, "r+") as dataset:
        dataset.scales, dataset.offsets = (0.01,), (20.0,)
    surface = open_surface(path)
    grid = grid_of(surface, 0.1)
    with FlightReader(surface, grid) as reader:
        heights = reader.heights(whole(grid))
    assert np.isnan(heights[:50, :60]).all()
    np.testing.assert_allclose(heights[60:], stored[0, 60:] * 0.01 + 20, atol=0.01)


@pytest.mark.parametrize("gap", [np.nan, -9999.0])
def test_gaps_do_not_leak_into_coarser_heights(tmp_path, gap):
    stored = np.full((1, 200, 200), 30.0, np.float32)
    stored[0, 40:83, 40:83] = gap
    surface = open_surface(write(tmp_path / "dsm.tif", stored, nodata=gap))
    grid = grid_of(surface, 0.47)
    with FlightReader(surface, grid) as reader:
        heights = reader.heights(whole(grid))
    assert np.isnan(heights).any()
    known = heights[np.isfinite(heights)]
    np.testing.assert_allclose(known, 30.0, atol=1e-3)


# --- real files ---

COLORADO = "rasters/rio-tiler/my-bucket/hro_sources/colorado/201404_13SED190110_201404_0x1500m_CL_1"
# Read off each file by its own dialect (rasterio's dataset_mask); they really differ.
SHARES = {
    f"{COLORADO}.tif": 1.0,
    f"{COLORADO}_alpha.tif": 0.886963,
    f"{COLORADO}_mask.tif": 0.969175,
    f"{COLORADO}_extmask.tif": 0.969175,
    f"{COLORADO}_nodata.tif": 0.973395,
    "rasters/rio-tiler/cog_rgb.tif": 1.0,
    "rasters/rio-tiler/cog_rgb_mask.tif": 0.969175,
    "rasters/rio-tiler/cog_rgba.tif": 0.886963,
}


@pytest.mark.real
@pytest.mark.parametrize("name", SHARES)
def test_each_dialect_has_its_own_right_answer(real_data, name):
    (source,) = examine(open_flight(real_data / name)).sources
    everything = Window(row=0, col=0, height=source.grid.height, width=source.grid.width)
    (picture,) = read_stored(source, [everything])
    assert picture.valid.mean() == pytest.approx(SHARES[name], abs=5e-4)


@pytest.mark.real
@pytest.mark.parametrize("pixel_m", [0.1, 0.2, 0.5])
def test_a_drone_picture_lies_where_gdal_puts_it(real_data, pixel_m):
    path = real_data / "kampala/kampala_sw_z21.tif"
    flight = examine(open_flight(path))
    assert same_zone(flight) == 32636
    picture, grid = read(path, pixel_m)
    with rasterio.open(path) as dataset:
        oracle = np.zeros(picture.colour.shape, np.float32)
        reproject(
            dataset.read([1, 2, 3]).astype(np.float32),
            oracle,
            src_transform=dataset.transform,
            src_crs=dataset.crs,
            dst_transform=grid.transform,
            dst_crs=rasterio.crs.CRS.from_epsg(32636),
            resampling=Resampling.average if pixel_m > 0.1 else Resampling.bilinear,
        )
    side = 1 << int(np.log2(min(picture.valid.shape)))
    greys = [
        np.ascontiguousarray(np.where(picture.valid, a.mean(axis=0), 128)[:side, :side], np.float32)
        for a in (picture.colour, oracle)
    ]
    window = cv2.createHanningWindow((side, side), cv2.CV_32F)
    assert cv2.phaseCorrelate(*greys, window)[0] == pytest.approx((0, 0), abs=0.1)


def same_zone(flight):
    return working_crs(flight.sources[0].grid).to_epsg()


def test_the_crs_of_the_tests_is_what_they_think():
    assert CRS.from_epsg(CRS_CODE).name.endswith("CM 114E")
