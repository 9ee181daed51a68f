"""A saved alignment comes back as it was, and nothing that merely looks like one is believed."""

import math
from dataclasses import replace

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pyproj import CRS
from rasterio.warp import transform_bounds

from survey.alignment import Alignment
from survey.errors import FieldError
from survey.field import Field, flat_field
from survey.field_file import BANDS, Measurement, flight_digest, read_field, write_field
from survey.grid import Bounds, WorkingGrid
from survey.runs import Input
from survey.ties import Ties

CGCS = CRS.from_epsg(4547)
AREA = Bounds(left=435_600.0, bottom=2_556_400.0, right=435_700.0, top=2_556_500.0)
GRID = WorkingGrid.around(AREA, crs=CGCS, pixel_m=0.2)


def inputs(before="a" * 64, after="b" * 64):
    return [
        Input(role="before", name="before.tif", size=1, sha256=before),
        Input(role="after", name="after.tif", size=1, sha256=after),
    ]


MEASURED = Measurement(
    before_sha256="a" * 64,
    after_sha256="b" * 64,
    precision="precise",
    version="0.1.0",
    ties_used=40,
    ties_seen=64,
)


def alignment(field=None, **changes):
    none = np.zeros(0)
    rng = np.random.default_rng(1)
    east, north, doubt = rng.normal(size=(3, 10, 12)) * 0.3
    field = field or Field(
        left=AREA.left - 6.4,
        top=AREA.top + 3.2,
        step=12.8,
        east=east + 3,
        north=north - 2,
        uncertainty=np.abs(doubt),
        known=doubt > -0.5,
    )
    values = {
        "field": field,
        "verdict": "verified",
        "why": "40 of 64 windows agree to 0.11 m",
        "rms_m": 0.1066833890518129,
        "p95_m": 0.21,
        "ties": Ties(x=none, y=none, east=none, north=none, strength=none),
        "used": np.zeros(0, bool),
        "evidence": 12.5,
        "accepted_by": "gate",
    }
    return Alignment(**values | changes)


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "field.tif"
    write_field(path, alignment(), CGCS, MEASURED)
    return path


def spoil(path, bands=None, tags=None, **profile):
    """Write a file again with something in it changed; a tag of None is left out."""
    with rasterio.open(path) as dataset:
        header = dataset.profile | profile
        told = dataset.tags() | (tags or {})
        values = dataset.read() if bands is None else bands(dataset.read())
        names = dataset.descriptions
    header["count"], header["height"], header["width"] = values.shape
    with rasterio.open(path, "w", **header) as target:
        target.write(values.astype(header["dtype"]))
        target.descriptions = names[: len(values)]
        target.update_tags(**{name: text for name, text in told.items() if text is not None})
    return path


# There and back.


def test_a_field_comes_back_as_it_was(saved):
    first, found = alignment(), read_field(saved)
    back = found.alignment
    for name in ("east", "north", "uncertainty"):
        was = getattr(first.field, name).astype(np.float32)
        assert np.array_equal(getattr(back.field, name), was)
    assert np.array_equal(back.field.known, first.field.known)
    for name in ("left", "top", "step"):
        assert getattr(back.field, name) == pytest.approx(getattr(first.field, name), abs=1e-8)
    told = ("verdict", "why", "rms_m", "p95_m", "evidence")
    assert [getattr(back, name) for name in told] == [getattr(first, name) for name in told]
    assert back.accepted_by == "file"
    assert (found.measurement, found.name) == (MEASURED, "field.tif")
    assert found.crs == CGCS


def test_what_was_read_is_written_to_the_same_bytes(saved, tmp_path):
    found = read_field(saved)
    again = tmp_path / "again.tif"
    write_field(again, replace(found.alignment, accepted_by="gate"), found.crs, found.measurement)
    assert again.read_bytes() == saved.read_bytes()


@given(
    values=arrays(np.float32, (3, 4, 5), elements=st.floats(-900, 900, width=32)),
    left=st.floats(1e5, 9e5),
    step=st.floats(0.5, 500),
)
def test_any_field_is_the_same_everywhere(tmp_path_factory, values, left, step):
    field = Field(
        left=left,
        top=2_556_500.0,
        step=step,
        east=values[0].astype(float),
        north=values[1].astype(float),
        uncertainty=np.abs(values[2]).astype(float),
        known=values[2] > 0,
    )
    path = tmp_path_factory.mktemp("field") / "field.tif"
    write_field(path, alignment(field), CGCS, MEASURED)
    back = read_field(path).alignment.field
    x = left + step * np.linspace(-1, 5, 7)
    y = 2_556_500.0 - step * np.linspace(-1, 4, 7)
    assert np.allclose(back.shift(x, y), field.shift(x, y), atol=1e-3)
    assert np.allclose(back.uncertainty_at(x, y), field.uncertainty_at(x, y), atol=1e-3)


def test_a_gis_sees_nodes_where_they_are(saved):
    """GDAL is asked where the band is largest; the field says so too."""
    field = alignment().field
    with rasterio.open(saved) as dataset:
        assert dataset.descriptions == BANDS
        assert dataset.units == ("m", "m", "m", None)
        assert dataset.crs.to_epsg() == 4547
        row, col = np.unravel_index(field.east.argmax(), field.east.shape)
        x, y = dataset.xy(row, col)
        assert (x, y) == pytest.approx((field.left + col * 12.8, field.top - row * 12.8))
        lonlat = transform_bounds(dataset.crs, 4326, *dataset.bounds)
        assert math.isclose(lonlat[0], 113.37, abs_tol=0.05)


def test_a_flat_field_and_a_verdict_without_residuals(tmp_path):
    path = tmp_path / "field.tif"
    flat = flat_field(AREA, uncertainty=1.0)
    write_field(path, alignment(flat, verdict="unverified", rms_m=None, p95_m=None), CGCS, MEASURED)
    back = read_field(path)
    assert (back.alignment.rms_m, back.alignment.p95_m) == (None, None)
    assert back.fitted(GRID, inputs(), accept=False).verdict == "unverified"


# Whose field it is.


def test_the_same_files_take_it(saved):
    assert read_field(saved).fitted(GRID, inputs(), accept=False).accepted_by == "file"


def test_other_files_do_not_without_the_users_word(saved):
    found, others = read_field(saved), inputs(after="c" * 64)
    with pytest.raises(FieldError, match=r"other files.*--accept-alignment"):
        found.fitted(GRID, others, accept=False)
    taken = found.fitted(GRID, others, accept=True)
    assert (taken.accepted_by, taken.verdict) == ("user", "verified")
    assert taken.why.startswith("measured on other files")


def test_swapped_flights_are_told_so(saved):
    with pytest.raises(FieldError, match="other order"):
        read_field(saved).fitted(GRID, inputs("b" * 64, "a" * 64), accept=False)


def test_a_folder_of_tiles_has_one_digest():
    tiles = [*inputs("1" * 64), *inputs("2" * 64)]
    digest = flight_digest(tiles, "before")
    assert len(digest) == 64
    assert digest not in ("1" * 64, "2" * 64)
    assert digest != flight_digest(tiles[::-1], "before")


def test_another_crs_or_other_ground_is_refused_whatever_the_user_says(saved):
    found = read_field(saved)
    utm = WorkingGrid.around(AREA, crs=CRS.from_epsg(32649), pixel_m=0.2)
    with pytest.raises(FieldError, match=r"EPSG:4547.*EPSG:32649"):
        found.fitted(utm, inputs(), accept=True)
    wide = WorkingGrid.around(AREA.buffered(200), crs=CGCS, pixel_m=0.2)
    with pytest.raises(FieldError, match="does not cover"):
        found.fitted(wide, inputs(), accept=True)


# Files that are none, or were tampered with.


def gap(values):
    values[0, 3, 3] = np.nan
    return values


def endless(values):
    values[1, 0, 0] = np.inf
    return values


def far(values):
    values[0] += 2000
    return values


def negative(values):
    values[2, 1, 1] = -0.1
    return values


def half_known(values):
    values[3, 1, 1] = 0.5
    return values


@pytest.mark.parametrize(
    ("spoiled", "says"),
    [
        ({"bands": gap}, "gaps"),
        ({"bands": endless}, "more than 1000 m"),
        ({"bands": far}, "more than 1000 m"),
        ({"bands": negative}, "negative"),
        ({"bands": half_known}, "known"),
        ({"bands": lambda values: values[:3]}, "bands"),
        ({"dtype": "float64"}, "bands"),
        ({"crs": None}, "no coordinate reference system"),
        ({"crs": "EPSG:4326"}, "not in metres"),
        ({"transform": Affine(12.8, 0, 435_600, 0, -6.4, 2_556_500)}, "square"),
        ({"transform": Affine(12.8, 1, 435_600, 1, -12.8, 2_556_500)}, "square"),
        ({"tags": {"FORMAT": None}}, "no saved alignment"),
        ({"tags": {"FORMAT": "orthowatch field 2"}}, "no saved alignment"),
        ({"tags": {"VERDICT": "perfect"}}, "VERDICT"),
        ({"tags": {"RMS_M": ""}}, "VERDICT"),
        ({"tags": {"RMS_M": "nan"}}, "RMS_M"),
        ({"tags": {"P95_M": "-1"}}, "P95_M"),
        ({"tags": {"EVIDENCE": "much"}}, "EVIDENCE"),
        ({"tags": {"TIES_USED": "65"}}, "TIES_USED"),
        ({"tags": {"TIES_SEEN": "-4"}}, "TIES_SEEN"),
        ({"tags": {"TIES_SEEN": "9" * 5000}}, "TIES_SEEN"),
        ({"tags": {"PRECISION": "rough"}}, "PRECISION"),
        ({"tags": {"BEFORE_SHA256": "A" * 64}}, "BEFORE_SHA256"),
        ({"tags": {"AFTER_SHA256": None}}, "AFTER_SHA256"),
        ({"tags": {"WHY": "fine\u202eelbuod"}}, "WHY"),
        ({"tags": {"WHY": "line\nline"}}, "WHY"),
        ({"tags": {"WHY": "x" * 2000}}, "WHY"),
        ({"tags": {"VERSION": None}}, "VERSION"),
    ],
    ids=lambda value: str(sorted(value)) if isinstance(value, dict) else value,
)
@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_spoiled_field_is_refused_in_one_line(saved, spoiled, says):
    with pytest.raises(FieldError, match=says) as caught:
        read_field(spoil(saved, **spoiled))
    assert "\n" not in str(caught.value)


def test_a_field_with_too_many_nodes_is_not_even_read(tmp_path):
    path = tmp_path / "huge.tif"
    options = {"crs": "EPSG:4547", "transform": Affine(1, 0, 435_600, 0, -1, 2_556_500)}
    shape = {"width": 100_000, "height": 100_000, "count": 4, "dtype": "float32"}
    sparse = {"SPARSE_OK": True, "tiled": True, "blockxsize": 512, "blockysize": 512}
    with rasterio.open(path, "w", driver="GTiff", **shape, **options, **sparse) as target:
        target.descriptions = BANDS
        target.update_tags(FORMAT="orthowatch field 1")
    with pytest.raises(FieldError, match="too many"):
        read_field(path)


def test_what_is_no_geotiff_is_refused(tmp_path, saved):
    for name, content in {
        "text.tif": b"not a raster",
        "empty.tif": b"",
        "half.tif": saved.read_bytes()[:900],
        "evil.vrt": b"<VRTDataset rasterXSize='1' rasterYSize='1'/>",
    }.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(FieldError, match=name) as caught:
            read_field(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(FieldError, match="no such file"):
        read_field(tmp_path / "nowhere.tif")
    with pytest.raises(FieldError, match="no such file"):
        read_field(tmp_path)
