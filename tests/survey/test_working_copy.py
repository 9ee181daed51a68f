"""Decimated copies: the same cells as without them, and nothing left behind."""

import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from survey import working_copy
from survey.errors import FlightError
from survey.examination import examine
from survey.flight import open_flight
from survey.grid import WorkingGrid, transform_bounds, working_crs
from survey.heights import PLAUSIBLE_M
from survey.reading import FlightReader
from survey.windows import Window
from survey.working_copy import without_copies, working_copies
from tests.survey.rasters import EAST, blurred, north_up, scene, write

HEIGHT, WIDTH = 1203, 1537
SOFT = blurred(scene(HEIGHT, WIDTH), 2)
HOLES = np.zeros((HEIGHT, WIDTH), bool)
HOLES[:211, :333] = True
HOLES[700:741, 801:842] = True


@pytest.fixture(autouse=True)
def room(tmp_path, monkeypatch):
    """Return a temporary folder that only the copies use; every file is large enough for one."""
    folder = tmp_path / "room"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setattr(working_copy, "_LEAST_PX", 1000)
    return folder


def silence(sentence):
    raise AssertionError(sentence)


def copies(flight, pixel_m, **options):
    return working_copies((flight,), pixel_m, **({"say": silence} | options))


def grid_of(flight, pixel_m):
    crs = working_crs(flight.sources[0].grid)
    bounds = transform_bounds(flight.bounds, flight.crs, crs)
    return WorkingGrid.around(bounds, crs=crs, pixel_m=pixel_m)


def whole(grid):
    return Window(row=0, col=0, height=grid.height, width=grid.width)


def look(flight, pixel_m, what="picture"):
    """Return what is seen of a flight in two windows."""
    grid = grid_of(flight, pixel_m)
    part = Window(row=3, col=40, height=100, width=133)
    with FlightReader(flight, grid) as reader:
        return [getattr(reader, what)(window) for window in (whole(grid), part)]


def tiles(folder):
    folder.mkdir()
    write(folder / "1.tif", SOFT[:, :, :800])
    write(folder / "2.tif", SOFT[:, :, 800:], transform=north_up(0.1, east=EAST + 80))
    return folder


def with_alpha(path, **profile):
    opaque = np.where(HOLES, 0, 255)[None].astype(np.uint8)
    return write(path, np.concatenate([SOFT, opaque]), photometric="rgb", alpha="yes", **profile)


def collared(path):
    return write(path, np.where(HOLES & (np.arange(WIDTH) < 500), 0, SOFT).astype(np.uint8))


DIALECTS = {
    "striped": lambda p: write(p, SOFT, compress="lzw"),
    "tiled, alpha": lambda p: with_alpha(p, tiled=True, blockxsize=256, blockysize=256),
    "mask": lambda p: write(p, SOFT, mask=~HOLES),
    "mask, overviews": lambda p: write(
        p, SOFT, mask=~HOLES, overviews=(2, 4), tiled=True, blockxsize=256, blockysize=256
    ),
    "overviews too fine": lambda p: write(p, SOFT, overviews=(2,)),
    "black border": collared,
    "grey": lambda p: write(p, SOFT[:1]),
    "16 bits": lambda p: write(p, SOFT.astype(np.uint16) * 100 + 500),
    "rotated": lambda p: write(p, SOFT, transform=Affine(0.0866, 0.05, EAST, 0.05, -0.0866, 2.5e6)),
    "degrees": lambda p: write(p, SOFT, transform=Affine(1e-6, 0, 113, 0, -1e-6, 23), crs=4326),
    "folder": lambda p: tiles(p.with_suffix("")),
}


@pytest.mark.parametrize("pixel_m", [0.43, 0.7])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_copy_shows_what_the_file_shows(tmp_path, dialect, pixel_m):
    flight = examine(open_flight(DIALECTS[dialect](tmp_path / "a.tif")))
    expected = look(flight, pixel_m)
    with copies(flight, pixel_m) as (copied,):
        assert all(source.copy is not None for source in copied.sources)
        assert copied.paths == flight.paths
        found = look(copied, pixel_m)
        greys = look(copied, pixel_m, "grey")
    for one, other, grey in zip(expected, found, greys, strict=True):
        assert one.valid.any()
        np.testing.assert_array_equal(one.valid, other.valid)
        np.testing.assert_array_equal(one.colour, other.colour)
        np.testing.assert_array_equal(one.valid, grey.valid)
        weighed = np.tensordot([0.3, 0.5, 0.2], one.colour.astype(float), axes=1)
        assert np.abs(weighed - grey.grey)[one.valid].max() <= 2


@pytest.mark.parametrize("times", [2, 4, 5])
def test_coarser_looks_agree_to_within_rounding(tmp_path, times):
    flight = examine(open_flight(with_alpha(tmp_path / "a.tif")))
    expected = look(flight, 0.4 * times)
    with copies(flight, 0.4) as (copied,):
        found = look(copied, 0.4 * times)
    for one, other in zip(expected, found, strict=True):
        both = one.valid & other.valid
        assert (one.valid != other.valid).mean() < 0.03
        assert np.abs(one.colour.astype(int) - other.colour)[:, both].mean() < 0.5


def test_finer_looks_read_the_file(tmp_path):
    flight = examine(open_flight(write(tmp_path / "a.tif", SOFT)))
    with copies(flight, 0.4) as (copied,):
        fine = look(copied, 0.1)[0].colour
    np.testing.assert_array_equal(fine, SOFT)


@pytest.mark.parametrize("gap", [np.nan, -9999.0])
def test_heights_come_from_a_copy_too(tmp_path, gap):
    heights = SOFT[:1].astype(np.float32) / 10
    heights[0, HOLES] = gap
    heights[0, 900:950, :90] = 1e6  # no height, but nothing says so
    dsm = write(tmp_path / "dsm.tif", heights, nodata=-9999.0, tiled=True)
    flight = examine(open_flight(write(tmp_path / "a.tif", SOFT), dsm=dsm))
    sources = tuple(replace(s, plausible=PLAUSIBLE_M) for s in flight.dsm.sources)
    expected = look(replace(flight.dsm, sources=sources), 0.4, "heights")
    with copies(flight, 0.4) as (copied,):
        assert copied.dsm.sources[0].copy is not None
        found = look(copied.dsm, 0.4, "heights")
    assert np.isnan(found[0]).any()
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_pieces_and_workers_change_nothing(tmp_path, monkeypatch):
    path = with_alpha(tmp_path / "a.tif", tiled=True, blockxsize=128, blockysize=128)
    flight = examine(open_flight(path))
    expected = look(flight, 0.31)
    monkeypatch.setattr(working_copy, "_PIECE_PX", 256)
    with ThreadPoolExecutor(3) as executor, copies(flight, 0.31, executor=executor) as (copied,):
        found = look(copied, 0.31)
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_array_equal(one.colour, other.colour)
        np.testing.assert_array_equal(one.valid, other.valid)


@pytest.mark.parametrize("error", [None, RuntimeError, KeyboardInterrupt])
def test_nothing_is_left_behind(tmp_path, room, error):
    flight = examine(open_flight(write(tmp_path / "a.tif", SOFT)))
    copied = flight
    try:
        with copies(flight, 0.4) as (copied,):
            assert len(list(room.iterdir())) == 1
            if error is not None:
                raise error
    except (RuntimeError, KeyboardInterrupt) as raised:
        assert type(raised) is error  # noqa: PT017 - an interrupt would end the test run
    assert list(room.iterdir()) == []
    assert without_copies(copied) == flight
    assert look(without_copies(copied), 0.4)[0].valid.any()


def test_a_damaged_file_is_named_and_leaves_nothing(tmp_path, room):
    path = write(tmp_path / "a.tif", SOFT, tiled=True, blockxsize=256, blockysize=256)
    flight = examine(open_flight(path))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    named = pytest.raises(FlightError, match=r"a\.tif: (cannot be read to its end|not a raster)")
    with named, copies(flight, 0.4):
        pass
    assert list(room.iterdir()) == []


def test_too_little_room_is_said_once(tmp_path, room, monkeypatch):
    flight = examine(open_flight(write(tmp_path / "a.tif", SOFT)))
    full = shutil.disk_usage(room)._replace(free=10_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: full)
    said = []
    with copies(flight, 0.4, say=said.append) as (copied,):
        assert copied == flight
        assert list(room.iterdir()) == []
    assert len(said) == 1
    assert str(room) in said[0]


def test_a_disk_that_fills_up_meanwhile_is_no_failure(tmp_path, room, monkeypatch):
    flight = examine(open_flight(write(tmp_path / "a.tif", SOFT)))

    def fails(*_arguments, **_options):
        raise rasterio.errors.RasterioIOError("No space left on device")

    monkeypatch.setattr(rasterio, "open", fails)
    said = []
    with copies(flight, 0.4, say=said.append) as (copied,):
        assert copied == flight
    assert len(said) == 1
    assert list(room.iterdir()) == []


def test_no_copy_where_it_saves_nothing(tmp_path, room, monkeypatch):
    as_it_is = examine(open_flight(write(tmp_path / "o.tif", SOFT, overviews=(2, 4))))
    with copies(as_it_is, 0.1) as (copied,):
        assert copied == as_it_is
    small = examine(open_flight(write(tmp_path / "s.tif", SOFT)))
    with copies(small, 0.15) as (copied,):
        assert copied == small
    monkeypatch.setattr(working_copy, "_LEAST_PX", HEIGHT * WIDTH)
    with copies(small, 0.4) as (copied,):
        assert copied == small
    assert list(room.iterdir()) == []
    assert Path(tempfile.gettempdir()) == room
