"""Real files: which are taken and which refused, as agreed in rasters.toml and vectors.toml."""

import shutil
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import geopandas
import numpy as np
import pyogrio
import pytest
import rasterio
import rasterio.transform
from pyproj import CRS, Geod, Transformer
from shapely import box

pytestmark = pytest.mark.real

HERE = Path(__file__).parent
RASTERS = tomllib.loads((HERE / "rasters.toml").read_text(encoding="utf-8"))
VECTORS = tomllib.loads((HERE / "vectors.toml").read_text(encoding="utf-8"))


# --- Adapter: the only lines that know the programming interface ---


class Told(NamedTuple):
    """What a user may say about a layer; None leaves it to the file."""

    crs: str | None = None
    layer: str | None = None
    encoding: str | None = None
    number: str | None = None
    """Column that holds the permit's number."""


NOTHING = Told()


def judge_raster(path: Path) -> tuple[str, str]:
    """Return the verdict and the reason; any exception but InputError is a failure."""
    from survey.errors import InputError

    try:
        refused = [finding for finding in _findings(path) if finding.level == "refuse"]
    except InputError as error:
        return "refuse", str(error)
    return ("refuse", f"{refused[0]}") if refused else ("accept", "")


def valid_share_of(path: Path) -> float:
    """Return the share of the file's pixels that are picture."""
    (share,) = [finding.value for finding in _findings(path) if finding.code == "valid_share"]
    return float(share)


def pixel_of(path: Path) -> float:
    """Return the pixel size on the ground, m (the coarser side)."""
    from survey.flight import open_flight

    return open_flight(path).pixel_m


def _findings(path: Path) -> list[Any]:
    from survey.checks import check_flight
    from survey.flight import open_flight

    return list(check_flight(open_flight(path)))


def judge_vector(path: Path, told: Told = NOTHING) -> tuple[str, str]:
    """Return the verdict and the reason; any exception but InputError is a failure."""
    from survey.errors import InputError

    try:
        _permits(path, told)
    except InputError as error:
        return "refuse", str(error)
    return "accept", ""


def count_polygons(path: Path, told: Told = NOTHING) -> int:
    """Return how many rows became permits with a polygon."""
    return len(_permits(path, told))


def texts_of(path: Path, told: Told) -> list[str]:
    """Return the column ``told.number`` of every row that became a permit."""
    return [permit.number for permit in _permits(path, told)]


def _permits(path: Path, told: Told) -> list[Any]:
    from change.permits import open_permits

    options: dict[str, Any] = {}
    if told.crs is not None:
        options["crs"] = CRS.from_user_input(told.crs)
    if told.layer is not None:
        options["layer"] = told.layer
    if told.encoding is not None:
        options["encoding"] = told.encoding
    if told.number is not None:
        options["columns"] = {"number": told.number}
    return list(open_permits(path, **options).permits)


# --- The lists ---


def _entries(listing: dict[str, Any], *needed: str, verdict: str | None = None) -> list[Any]:
    return [
        pytest.param(key, entry, id=key)
        for key, entry in listing.items()
        if all(name in entry for name in needed) and verdict in (None, entry.get("verdict"))
    ]


def _is_sidecar(path: Path, rules: list[dict[str, str]]) -> bool:
    return any(
        path.name.endswith(rule["suffix"])
        and path.with_name(path.name.removesuffix(rule["suffix"]) + rule["beside"]).is_file()
        for rule in rules
    )


@pytest.mark.parametrize("folder", ["rasters", "vectors", "kampala", "fotbcd"])
def test_every_file_is_listed(real_data, folder):
    rules = RASTERS["sidecars"] + VECTORS["sidecars"]
    there = {
        path.relative_to(real_data).as_posix()
        for path in (real_data / folder).rglob("*")
        if path.is_file() and not _is_sidecar(path, rules)
    }
    listed = [*RASTERS["files"], *VECTORS["files"]]
    assert len(listed) == len(set(listed))
    assert there == {key for key in listed if key.startswith(f"{folder}/")}


@pytest.mark.parametrize(("key", "entry"), _entries(RASTERS["files"]) + _entries(VECTORS["files"]))
def test_every_entry_says_what_it_must(key, entry):
    assert entry["verdict"] in ("accept", "refuse")
    assert entry["why"]
    if key in RASTERS["files"]:
        accepted = entry["verdict"] == "accept"
        assert ("valid_share" in entry) == ("pixel_m" in entry) == accepted
    else:
        assert ("polygons" in entry) == (entry["verdict"] == "accept" or "told" in entry)


@pytest.mark.parametrize(("key", "entry"), _entries(RASTERS["files"], verdict="accept"))
def test_the_list_agrees_with_gdal(real_data, key, entry):
    with rasterio.open(real_data / key) as dataset:
        share = (dataset.dataset_mask() > 0).mean()
        to_wgs84 = Transformer.from_crs(CRS.from_wkt(dataset.crs.to_wkt()), 4326, always_xy=True)
        col, row = dataset.width / 2 + np.array([0, 1, 0]), dataset.height / 2 + np.array([0, 0, 1])
        x, y = rasterio.transform.xy(dataset.transform, row, col, offset="ul")
        lon, lat = to_wgs84.transform(x, y)
    sides = Geod(ellps="WGS84").inv(lon[[0, 0]], lat[[0, 0]], lon[1:], lat[1:])[2]
    assert share == pytest.approx(entry["valid_share"], abs=1e-6)
    assert max(sides) == pytest.approx(entry["pixel_m"], rel=1e-3)


# --- What orthowatch makes of them ---


def _require(found: tuple[str, str], verdict: str, why: str) -> None:
    got, reason = found
    assert got == verdict, f"should {verdict}: {why}; got {got}: {reason}"
    if got == "refuse":
        assert len(reason.splitlines()) == 1, "a refusal is one line"


@pytest.mark.parametrize(("key", "entry"), _entries(RASTERS["files"]))
def test_raster(real_data, key, entry):
    _require(judge_raster(real_data / key), entry["verdict"], entry["why"])


@pytest.mark.parametrize(("key", "entry"), _entries(RASTERS["files"], "valid_share"))
def test_valid_share(real_data, key, entry):
    assert valid_share_of(real_data / key) == pytest.approx(entry["valid_share"], abs=5e-4)


@pytest.mark.parametrize(("key", "entry"), _entries(RASTERS["files"], "pixel_m"))
def test_pixel_on_the_ground(real_data, key, entry):
    assert pixel_of(real_data / key) == pytest.approx(entry["pixel_m"], rel=5e-3)


@pytest.mark.parametrize(("key", "entry"), _entries(VECTORS["files"]))
def test_vector(real_data, key, entry):
    _require(judge_vector(real_data / key), entry["verdict"], entry["why"])


@pytest.mark.parametrize(("key", "entry"), _entries(VECTORS["files"], "told"))
def test_vector_once_told(real_data, key, entry):
    _require(judge_vector(real_data / key, Told(**entry["told"])), "accept", entry["why"])


@pytest.mark.parametrize(("key", "entry"), _entries(VECTORS["files"], "polygons"))
def test_no_polygon_is_lost(real_data, key, entry):
    told = Told(**entry.get("told", {}))
    assert count_polygons(real_data / key, told) == entry["polygons"]


@pytest.mark.parametrize(("key", "entry"), _entries(VECTORS["files"], "text"))
def test_text_of_a_layer(real_data, key, entry):
    told = Told(number=entry["text"]["field"])
    assert texts_of(real_data / key, told)[0] == entry["text"]["value"]


@pytest.mark.parametrize(("key", "entry"), _entries(VECTORS["tables"]))
def test_text_of_a_table(real_data, tmp_path, key, entry):
    layer = _give_polygons(real_data / key, tmp_path)
    told = Told(encoding=entry.get("encoding"), number=entry["field"])
    assert texts_of(layer, told)[0] == entry["value"]


def _give_polygons(table: Path, folder: Path) -> Path:
    """Write a shapefile of squares, one for each row of the real table, around that very table."""
    rows = int.from_bytes(table.read_bytes()[4:8], "little")
    # Twenty metres a side, in the 3-degree zone of Guangzhou.
    squares = [
        box(x, 2_555_000, x + 20, 2_555_020) for x in range(428_000, 428_000 + 50 * rows, 50)
    ]
    frame = geopandas.GeoDataFrame({"NAME": "x"}, index=range(rows), geometry=squares, crs=4547)
    layer = folder / "layer.shp"
    pyogrio.write_dataframe(frame, layer)
    layer.with_suffix(".cpg").unlink()
    shutil.copyfile(table, layer.with_suffix(".dbf"))
    if (said := table.with_suffix(".cpg")).is_file():
        shutil.copyfile(said, layer.with_suffix(".cpg"))
    return layer
