"""Evidence made elsewhere: read onto the working grid, by the names its bands have."""

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import CRS

from change.outside_evidence import OutsideEvidence, open_evidence
from change.remarks import evidence_remarks
from survey.errors import DetectorError
from survey.grid import Bounds, WorkingGrid
from survey.windows import Window

LEFT, TOP = 500_000.0, 2_500_000.0
GRID = WorkingGrid.around(
    Bounds(left=LEFT, bottom=TOP - 40, right=LEFT + 40, top=TOP),
    crs=CRS.from_epsg(4547),
    pixel_m=0.5,
)
WHOLE = Window(row=0, col=0, height=80, width=80)


def written(folder, bands, *, names=(), dtype="float32", crs="EPSG:4547", left=LEFT, nodata=None):
    path = folder / "evidence.tif"
    bands = np.asarray(bands, dtype)
    profile = {
        "driver": "GTiff",
        "count": len(bands),
        "height": bands.shape[1],
        "width": bands.shape[2],
        "dtype": dtype,
        "crs": crs,
        "transform": Affine(1, 0, left, 0, -1, TOP),
        "nodata": nodata,
    }
    with rasterio.open(path, "w", **profile) as target:
        target.write(bands)
        for band, name in enumerate(names, start=1):
            target.set_band_description(band, name)
    return path


def half(value=1.0):
    """The upper half of 40 x 40 metres."""
    band = np.zeros((40, 40))
    band[:20] = value
    return band


def test_one_band_is_what_changed(tmp_path):
    evidence = open_evidence(written(tmp_path, [half()]), GRID)
    maps = evidence.read(GRID, WHOLE)
    assert set(maps) == {"appeared", "gone"}
    for band in maps.values():
        assert band.shape == (80, 80)
        assert band[:38].min() == 1
        assert band[43:].max() == 0


def test_bands_are_told_by_their_names(tmp_path):
    path = written(tmp_path, [half(), half(0.5)], names=("confidence", "Roof_After"))
    maps = open_evidence(path, GRID).read(GRID, WHOLE)
    assert set(maps) == {"roof_after"}
    assert maps["roof_after"][:38].min() == 0.5


def test_bytes_count_to_255_and_nodata_says_nothing(tmp_path):
    band = half(51)
    band[:, :10] = 255
    path = written(tmp_path, [band], dtype="uint8", nodata=255)
    said = open_evidence(path, GRID).read(GRID, WHOLE)["gone"]
    assert np.isnan(said[:, :18]).all()
    assert np.allclose(said[:38, 24:], 0.2)


def test_beyond_the_raster_nothing_is_said(tmp_path):
    path = written(tmp_path, [np.ones((40, 40))], left=LEFT + 20)
    said = open_evidence(path, GRID).read(GRID, WHOLE)["gone"]
    assert np.isnan(said[:, :38]).all()
    assert said[:, 42:].min() == 1


def test_another_crs_is_brought_over(tmp_path):
    # The zone-prefixed twin of the same zone.
    path = written(tmp_path, [half()], crs="EPSG:4526", left=LEFT + 38_000_000)
    said = open_evidence(path, GRID).read(GRID, WHOLE)["gone"]
    assert said[:38].min() == 1
    assert said[43:].max() == 0


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"crs": None}, "no CRS"),
        ({"left": LEFT + 5_000}, "outside"),
        ({"bands": [half()] * 3}, "does not say"),
        ({"names": ("houses",)}, "does not say"),
        ({"bands": [half()] * 2, "names": ("gone", "Gone")}, "two bands of one name"),
        ({"dtype": "complex64"}, "complex"),
        ({"bands": [half(90.0)]}, "values from 0 to 90 as appeared"),
        ({"bands": [half(-1.0)]}, "values from -1 to 0"),
        ({"bands": [half(255)], "dtype": "uint16"}, "to 255"),
    ],
)
def test_what_cannot_be_used_is_refused(tmp_path, changed, told):
    path = written(tmp_path, **({"bands": [half()]} | changed))
    with pytest.raises(DetectorError, match=told):
        open_evidence(path, GRID)


def test_what_lies_beyond_one_is_refused_wherever_it_is_read(tmp_path):
    band = half(0.5)
    band[39, 39] = 80.0
    fine = WorkingGrid.around(GRID.bounds, crs=GRID.crs, pixel_m=0.05)
    evidence = OutsideEvidence(path=written(tmp_path, [band]), bands=(("appeared", 1),), scale=1.0)
    with pytest.raises(DetectorError, match="to 80"):
        evidence.read(fine, Window(row=780, col=780, height=20, width=20))
    evidence.read(fine, Window(row=0, col=0, height=20, width=20))


def test_of_how_much_ground_it_speaks_is_told(tmp_path):
    band = half(0.5)
    band[:, :20] = np.nan
    evidence = open_evidence(written(tmp_path, [band, half()], names=("gone", "roof_after")), GRID)
    told = dict(evidence.shares)
    assert told["gone"] == pytest.approx(0.5, abs=0.03)
    assert told["roof_after"] == 1.0
    (said, other) = evidence_remarks(evidence)
    assert "100.0% of the ground (roof_after)" in said
    assert "(gone)" in other
    assert list(evidence_remarks(None)) == []


def test_that_it_says_nothing_is_told(tmp_path):
    silent = open_evidence(written(tmp_path, [np.full((40, 40), np.nan)]), GRID)
    assert set(silent.shares) == {("appeared", 0.0), ("gone", 0.0)}
    (said,) = evidence_remarks(silent)
    assert "on 0.0% of the ground (appeared, gone)" in said


def test_what_is_no_raster_is_refused(tmp_path):
    path = tmp_path / "evidence.tif"
    path.write_text("no raster", encoding="utf-8")
    with pytest.raises(DetectorError, match="cannot be read"):
        open_evidence(path, GRID)
