"""Opening a flight: what a header tells, what is assumed, what is refused."""

import pickle
from datetime import date

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import CRS
from pyproj.enums import WktVersion

from survey.crs import epsg_code, same_crs
from survey.errors import FlightError
from survey.flight import open_flight, open_surface
from tests.survey.rasters import CRS_CODE, EAST, NORTH, north_up, scene, write

PICTURE = scene(80, 96)
# rasterio says so where the test writes such a file; that opening it says nothing is tested apart.
unplaced = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
PALETTE = {i: (i, 255 - i, i // 2, 255) for i in range(256)}


def heights(height=80, width=96):
    return np.linspace(10, 60, height * width, dtype=np.float32).reshape(1, height, width)


def test_a_header_is_read_and_carried_to_other_processes(tmp_path):
    path = write(
        tmp_path / "a.tif", PICTURE, photometric="rgb", tiled=True, blockxsize=64, blockysize=64
    )
    flight = open_flight(path)
    (source,) = flight.sources
    assert source.bands == (1, 2, 3)
    assert (source.grid.width, source.grid.height) == (96, 80)
    assert epsg_code(flight.crs) == CRS_CODE
    assert flight.pixel_m == pytest.approx(0.1, rel=1e-3)
    assert flight.name == "a.tif"
    assert source.tiled
    assert pickle.loads(pickle.dumps(flight)) == flight


def test_bands_are_found_by_their_meaning(tmp_path):
    grey = open_flight(write(tmp_path / "grey.tif", PICTURE[:1])).sources[0]
    assert grey.bands == (1, 1, 1)
    alpha = np.full((1, 80, 96), 255, np.uint8)
    rgba = np.concatenate([PICTURE, alpha])
    path = write(tmp_path / "rgba.tif", rgba, photometric="rgb", alpha="yes")
    assert open_flight(path).sources[0].alpha == 4
    with rasterio.open(write(tmp_path / "bgr.tif", PICTURE), "r+") as dataset:
        meaning = rasterio.enums.ColorInterp
        dataset.colorinterp = [meaning.blue, meaning.green, meaning.red]
    assert open_flight(tmp_path / "bgr.tif").sources[0].bands == (3, 2, 1)


def test_a_palette_is_read_with_its_colours(tmp_path):
    path = write(tmp_path / "p.tif", PICTURE[:1], photometric="palette")
    with rasterio.open(path, "r+") as dataset:
        dataset.write_colormap(1, PALETTE)
    assert open_flight(path).sources[0].palette[200] == (200, 55, 100)


@pytest.mark.parametrize(
    ("name", "tag", "told", "expected"),
    [
        ("flight_20240305.tif", None, None, (date(2024, 3, 5), "name")),
        ("2024-03-05 大塘村.tif", None, None, (date(2024, 3, 5), "name")),
        ("大塘村2024年3月5日.tif", None, None, (date(2024, 3, 5), "name")),
        ("flight_20240305.tif", "2024:03:04 10:00:00", None, (date(2024, 3, 4), "tag")),
        (
            "flight_20240305.tif",
            "2024:03:04 10:00:00",
            date(2024, 3, 1),
            (date(2024, 3, 1), "option"),
        ),
        ("flight_20240305.tif", "0000:00:00 00:00:00", None, (date(2024, 3, 5), "name")),
        ("201404_13SED190110.tif", None, None, (None, "unknown")),
        ("20241340.tif", None, None, (None, "unknown")),
        ("120240305.tif", None, None, (None, "unknown")),
    ],
)
def test_the_day_is_told_by_option_then_tag_then_name(tmp_path, name, tag, told, expected):
    tags = {"TIFFTAG_DATETIME": tag} if tag else None
    flight = open_flight(write(tmp_path / name, PICTURE, tags=tags), flown_on=told)
    assert (flight.flown_on, flight.dated_by) == expected


def test_the_folder_may_tell_the_day(tmp_path):
    (tmp_path / "2024_03_05").mkdir()
    path = write(tmp_path / "2024_03_05" / "result.tif", PICTURE)
    assert open_flight(path).flown_on == date(2024, 3, 5)


def test_a_prj_beside_the_file_gives_the_crs_and_is_said(tmp_path):
    path = write(tmp_path / "a.tif", PICTURE, crs=None)
    wkt = CRS.from_epsg(CRS_CODE).to_wkt(WktVersion.WKT1_ESRI)
    path.with_suffix(".prj").write_text(wkt, encoding="utf-8")
    flight = open_flight(path)
    assert same_crs(flight.crs, CRS.from_epsg(CRS_CODE))
    assert flight.assumptions == ("a.tif: CRS EPSG:4547 taken from a.prj",)


def test_the_user_may_name_a_crs_that_is_missing(tmp_path):
    path = write(tmp_path / "a.tif", PICTURE, crs=None)
    flight = open_flight(path, crs=CRS.from_epsg(CRS_CODE))
    assert flight.assumptions == ("a.tif: states no CRS; EPSG:4547 taken as told",)


def test_heights_of_a_compound_crs_do_not_matter(tmp_path):
    path = write(tmp_path / "a.tif", PICTURE, crs="EPSG:4547+5737")
    assert epsg_code(open_flight(path).crs) == CRS_CODE


def test_a_folder_of_tiles_is_one_flight(tmp_path):
    folder = tmp_path / "tiles"
    folder.mkdir()
    write(folder / "b.tif", PICTURE, transform=north_up(0.1, east=EAST + 9.6))
    write(folder / "a.TIF", PICTURE)
    (folder / "readme.txt").write_text("no image", encoding="utf-8")
    flight = open_flight(folder)
    assert flight.name == "tiles"
    assert len(flight.paths) == 2
    assert flight.bounds.right - flight.bounds.left == pytest.approx(19.2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"crs": 32649}, "b.tif has another CRS than its neighbours"),
        ({"transform": north_up(0.2)}, "b.tif has other pixels than its neighbours"),
    ],
)
def test_tiles_that_do_not_belong_together_are_refused(tmp_path, change, message):
    write(tmp_path / "a.tif", PICTURE)
    write(tmp_path / "b.tif", PICTURE, **change)
    with pytest.raises(FlightError, match=message):
        open_flight(tmp_path)


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        ({"crs": None}, "states no coordinate reference system; name it by --crs"),
        ({"transform": Affine.identity(), "crs": None}, "is not georeferenced"),
        ({"crs": "+proj=eqc +a=3396190 +b=3396190 +units=m"}, "not on the Earth"),
        ({"transform": north_up(0.1, north=9e7)}, "impossible georeferencing"),
        (
            {"transform": north_up(0.1, east=EAST + 38e6)},
            "states EPSG:4547, but its eastings are those of EPSG:4526",
        ),
        (
            {"transform": north_up(0.1, east=EAST + 39e6)},
            "states EPSG:4547, but its eastings are those of EPSG:4527",
        ),
        ({"crs": 4526}, "states EPSG:4526, but its eastings are those of EPSG:4547"),
    ],
)
@unplaced
def test_pictures_without_a_place_are_refused(tmp_path, profile, message):
    path = write(tmp_path / "a.tif", PICTURE, **profile)
    with pytest.raises(FlightError, match=message) as refused:
        open_flight(path)
    assert len(str(refused.value).splitlines()) == 1


@unplaced
def test_a_picture_with_control_points_only_is_refused(tmp_path):
    path = write(tmp_path / "a.tif", PICTURE, crs=None)
    points = [
        rasterio.control.GroundControlPoint(row=r, col=c, x=EAST + c, y=NORTH - r)
        for r, c in ((0, 0), (0, 90), (70, 0), (70, 90))
    ]
    with rasterio.open(path, "r+") as dataset:
        dataset.transform = Affine.identity()
        dataset.gcps = (points, rasterio.crs.CRS.from_epsg(CRS_CODE))
    with pytest.raises(FlightError, match="only control points; warp it to a map grid first"):
        open_flight(path)


def test_what_is_no_picture_is_refused(tmp_path):
    path = write(tmp_path / "a.tif", heights())
    with pytest.raises(FlightError, match="no picture of 8 or 16 bits"):
        open_flight(path)
    path = write(tmp_path / "b.tif", PICTURE)
    with pytest.raises(FlightError, match="no surface model, which has one band"):
        open_surface(path)


def test_files_that_are_none_are_refused(tmp_path):
    with pytest.raises(FlightError, match="no such file or folder"):
        open_flight(tmp_path / "nothing.tif")
    with pytest.raises(FlightError, match="the folder holds no images"):
        open_flight(tmp_path)
    text = tmp_path / "text.tif"
    text.write_text("this is no picture", encoding="utf-8")
    with pytest.raises(FlightError, match="not a raster that can be read"):
        open_flight(text)


@unplaced
def test_a_file_that_points_elsewhere_is_refused(tmp_path):
    write(tmp_path / "a.tif", PICTURE)
    vrt = tmp_path / "b.tif"  # the name does not make it a GeoTIFF
    vrt.write_text(
        '<VRTDataset rasterXSize="96" rasterYSize="80"><VRTRasterBand dataType="Byte" band="1">'
        '<SimpleSource><SourceFilename relativeToVRT="1">a.tif</SourceFilename>'
        "<SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>",
        encoding="utf-8",
    )
    with rasterio.open(vrt, driver="VRT") as dataset:
        assert dataset.count == 1
    with pytest.raises(FlightError, match="not a raster that can be read"):
        open_flight(vrt)


def test_a_surface_model_comes_with_its_flight(tmp_path):
    path = write(tmp_path / "dsm.tif", heights(), nodata=-9999.0)
    flight = open_flight(write(tmp_path / "a.tif", PICTURE), dsm=path)
    assert flight.dsm is not None
    assert flight.dsm.sources[0].nodata == -9999.0
    assert flight.dsm.sources[0].bands == (1,)
