"""Real files through the whole command: taken ones run to their end, the others are refused."""

import json
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.enums import Resampling
from rasterio.warp import calculate_default_transform, reproject

import cli

pytestmark = pytest.mark.real

HERE = Path(__file__).parent
RASTERS = tomllib.loads((HERE / "rasters.toml").read_text(encoding="utf-8"))["files"]
TAKEN = [key for key, entry in RASTERS.items() if entry["verdict"] == "accept"]
REFUSED = [key for key, entry in RASTERS.items() if entry["verdict"] == "refuse"]
PAIRS = [key for key in TAKEN if key.startswith(("kampala/kampala_ne", "fotbcd/before"))]


def run(capsys, monkeypatch, *words: object) -> tuple[int, str, str]:
    """Run the command in this process and return exit code, stdout and stderr."""
    monkeypatch.setattr(sys, "argv", ["orthowatch", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


@pytest.mark.parametrize("key", TAKEN)
def test_a_taken_raster_against_itself_has_no_suspects(
    real_data, capsys, monkeypatch, tmp_path, key
):
    path = real_data / key
    target = tmp_path / "found"
    code, out, err = run(
        capsys, monkeypatch, "detect", path, path, "-o", target, "--quiet", "--workers", 1
    )
    assert (code, out) == (0, ""), err
    found = json.loads((target / "changes.geojson").read_text(encoding="utf-8"))
    assert found["features"] == []
    record = json.loads((target / "run.json").read_text(encoding="utf-8"))
    assert record["judged_m2"] > 0


@pytest.mark.parametrize("key", REFUSED)
def test_a_refused_raster_ends_with_one_line(real_data, capsys, monkeypatch, tmp_path, key):
    good = real_data / "fotbcd/before/binary_val_104.tif"
    target = tmp_path / "found"
    code, out, err = run(
        capsys, monkeypatch, "detect", good, real_data / key, "-o", target, "--quiet"
    )
    assert (code, out) == (2, "")
    assert len(err.strip().splitlines()) == 1, err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def _again(source: Path, target: Path, *, crs: str | None, scale: float) -> None:
    """Write a picture once more: lossless, in another CRS or at another pixel size."""
    with rasterio.open(source) as dataset:
        size = dataset.width, dataset.height
        to = crs or dataset.crs
        place, width, height = (
            calculate_default_transform(
                dataset.crs, to, *size, *dataset.bounds, resolution=dataset.res[0] * scale
            )
            if crs is None
            else calculate_default_transform(dataset.crs, to, *size, *dataset.bounds)
        )
        profile = {
            "driver": "GTiff",
            "count": 4,
            "dtype": "uint8",
            "crs": to,
            "transform": place,
            "width": width,
            "height": height,
            "compress": "deflate",
            "photometric": "rgb",
            "alpha": "unassociated",
        }
        seen = dataset.dataset_mask()
        bands = np.concatenate([dataset.read([1, 2, 3]), seen[None]])
        with rasterio.open(target, "w", **profile) as written:
            for index in range(4):
                turned = np.zeros((height, width), np.uint8)
                reproject(
                    bands[index],
                    turned,
                    src_transform=dataset.transform,
                    src_crs=dataset.crs,
                    dst_transform=place,
                    dst_crs=to,
                    resampling=Resampling.nearest if index == 3 else Resampling.cubic,
                )
                written.write(turned, index + 1)


# rasterio 1.4 multiplies transforms in a way that affine 3.1 announces the end of.
@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
@pytest.mark.parametrize("key", PAIRS)
@pytest.mark.parametrize(
    ("crs", "scale"), [(None, 1.0), ("EPSG:4326", 1.0), (None, 1.5)], ids=["coded", "crs", "pixel"]
)
def test_the_same_picture_written_otherwise_has_no_suspects(
    real_data, capsys, monkeypatch, tmp_path, key, crs, scale
):
    other = tmp_path / "again.tif"
    _again(real_data / key, other, crs=crs, scale=scale)
    code, out, err = run(
        capsys, monkeypatch, "detect", real_data / key, other, "--quiet", "--workers", 1
    )
    assert code == 0, err
    assert json.loads(out)["features"] == []
