"""The commands that make flights: every option does what it says, and failures leave nothing."""

import json
import os
import shutil
import signal
import subprocess
import time
from functools import partial
from typing import get_args, get_type_hints

import geopandas as gpd
import numpy as np
import psutil
import pytest
import rasterio
from click.testing import CliRunner
from pyproj import CRS
from scipy import ndimage
from shapely import box

import cli
from change.permits import open_permits
from survey.grid import Bounds, WorkingGrid
from survey.simulation import SETTINGS, Mosaic, delivery, draw_plan, new_folder
from survey.simulation.camera import press
from survey.simulation.permits import permit_files
from survey.simulation.permits.permit_dirt import Severity
from survey.simulation.permits.permit_files import Form
from survey.simulation.turning import turned_back_files
from tests.command import COMMAND, call_here, outlives, refused

SMALL = ("--side", "60", "--pixel", "0.4", "--flights", "2", "--workers", "1")


@pytest.fixture
def call(monkeypatch, capsys):
    """Run the command in this process, as the installed script would."""
    return partial(call_here, monkeypatch, capsys)


def make(*arguments):
    """Run a command that must succeed, and return what it says and prints."""
    done = CliRunner().invoke(cli.orthowatch, list(map(str, arguments)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done


def contents(folder):
    """Map what a folder holds to the bytes of its files."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def told(folder):
    return json.loads((folder / "truth.json").read_text(encoding="utf-8"))


def opened(folder, what):
    """Return the pixels, the mask and the band names of the later flight's raster."""
    with rasterio.open(folder / f"2025-06-14_{what}.tif") as raster:
        return raster.read(), raster.dataset_mask() > 0, raster.descriptions


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """An area with nothing but a size asked for."""
    folder = tmp_path_factory.mktemp("plain") / "area"
    make("simulate", folder, *SMALL, "--quiet")
    return folder


# simulate: what each option does.


def test_choices_are_those_of_the_simulator():
    assert cli._SETTINGS == SETTINGS
    assert get_args(get_type_hints(Mosaic)["collar"]) == cli._COLLARS
    assert get_args(Severity) == cli._SEVERITIES
    assert get_args(Form) == cli._FORMS


def test_a_simulated_area_is_the_same_for_the_same_seed(plain, tmp_path):
    make("simulate", tmp_path / "again", *SMALL, "--quiet")
    assert contents(tmp_path / "again") == contents(plain)
    make("simulate", tmp_path / "other", *SMALL, "--quiet", "--seed", "2")
    assert told(tmp_path / "other") != told(plain)


def test_an_area_says_what_it_is_and_what_is_in_it(tmp_path, monkeypatch):
    steps = []
    monkeypatch.setattr(cli, "_Progress", lambda: lambda *step: steps.append(step))
    done = make("simulate", tmp_path / "area", *SMALL, "--json")
    assert json.loads(done.stdout) == told(tmp_path / "area")
    first, counts, last = done.stderr.splitlines()
    assert first == "drawing the area"
    assert counts.startswith("structures: ")
    assert last.startswith("written: ")
    days = ("2025-03-15", "2025-06-14")
    assert [stage for stage, _, _ in steps] == [f"{d}_{w}" for d in days for w in ("ortho", "dsm")]
    assert {(done, total) for _, done, total in steps} == {(1, 1)}


def test_quiet_says_nothing(tmp_path):
    assert make("simulate", tmp_path / "area", *SMALL, "--quiet").output == ""


def test_settings_differ(plain, tmp_path):
    assert told(plain)["area"]["setting"] == "fringe"
    make("simulate", tmp_path / "hills", *SMALL, "--quiet", "--setting", "hills")
    assert told(tmp_path / "hills")["area"]["setting"] == "hills"
    pictures = [opened(folder, "ortho")[0].astype(float) for folder in (plain, tmp_path / "hills")]
    assert np.abs(pictures[0] - pictures[1]).mean() > 10


def test_at_pace_0_nothing_is_built(tmp_path):
    town = ("simulate", "--setting", "town", *SMALL, "--quiet")
    make(*town, tmp_path / "still", "--pace", "0")
    make(*town, tmp_path / "busy", "--pace", "5")
    ((still,), (busy,)) = (told(tmp_path / name)["changes"] for name in ("still", "busy"))
    assert still["expected"] == []
    assert len(busy["expected"]) >= 2


def test_offset_bounds_how_far_flights_lie_off(plain, tmp_path):
    make("simulate", tmp_path / "far", *SMALL, "--quiet", "--offset", "10")
    near, far = (
        [
            np.hypot(flight["displacement"]["east_m"], flight["displacement"]["north_m"])
            for flight in told(folder)["flights"]
        ]
        for folder in (plain, tmp_path / "far")
    )
    assert near[0] <= far[0] <= 0.5
    assert 0.5 <= near[1] <= 3.0
    assert near[1] < far[1] <= 10.0


def test_collars_and_lean_are_what_was_asked_for(plain, tmp_path):
    folders = {"none": plain}
    for collar in cli._COLLARS[1:]:
        folder = folders[collar] = tmp_path / collar
        make("simulate", folder, *SMALL, "--quiet", "--collar", collar, "--lean", "0.9")
        mosaics = [flight["mosaic"] for flight in told(folder)["flights"]]
        assert [(m["collar"], m["lean"]) for m in mosaics] == [(collar, 0.9)] * 2
    rims = {}
    for collar, folder in folders.items():
        pixels, seen, _ = opened(folder, "ortho")
        rim = np.ones(seen.shape, bool)
        rim[4:-4, 4:-4] = False
        rims[collar] = pixels[:, rim].mean(axis=0), seen[rim]
    assert rims["none"][1].mean() > 0.95
    assert 0.2 < rims["mask"][1].mean() < 0.9
    assert rims["black"][1].all()
    assert rims["white"][1].all()
    assert (rims["black"][0] < 8).mean() > (rims["none"][0] < 8).mean() + 0.1
    assert (rims["white"][0] > 247).mean() > (rims["none"][0] > 247).mean() + 0.1


def test_pixel_truth_tells_of_every_pixel(plain, tmp_path):
    make("simulate", tmp_path / "area", *SMALL, "--quiet", "--pixel-truth")
    picture, seen, _ = opened(tmp_path / "area", "ortho")
    bands, _, names = opened(tmp_path / "area", "truth")
    assert names == press.TRUTH_BANDS
    assert bands.shape[1:] == picture.shape[1:]
    known = dict(zip(names, bands, strict=True))
    assert (known["valid"] > 0)[seen].mean() > 0.99
    shift = told(plain)["flights"][1]["displacement"]
    assert np.median(known["east_mm"]) == pytest.approx(1000 * shift["east_m"], abs=600)
    numbers = {row["structure"] for row in told(plain)["structures"]}
    assert set(np.unique(known["structure"])) <= numbers | {0}
    assert known["rise_cm"].max() > 200
    rest = contents(tmp_path / "area")
    assert {name for name in rest if name not in contents(plain)} == {
        "2025-03-15_truth.tif",
        "2025-06-14_truth.tif",
    }
    assert rest.items() >= contents(plain).items(), "the rest does not change"


@pytest.mark.parametrize(
    ("form", "severity"),
    [(None, "mild"), ("shp", "usual"), ("geojson", "mild"), ("csv", "bad")],
)
def test_dirty_permits_come_beside_the_clean_ones(plain, tmp_path, form, severity):
    wanted = [] if form is None else ["--permit-format", form]
    make("simulate", tmp_path / "area", *SMALL, "--quiet", "--dirt", severity, *wanted)
    files = contents(tmp_path / "area")
    assert files.items() >= contents(plain).items(), "the rest does not change"
    log = json.loads(files["permits_dirty.json"])
    assert log["file"] == f"permits_dirty/permits.{form or 'gpkg'}"
    assert {deed["kind"] for deed in log["deeds"]} >= {"east_m", "north_m", "rounding_m"}
    clean = gpd.read_file(tmp_path / "area" / "permits.gpkg")
    assert [fate["number"] for fate in log["fates"]] == list(clean["number"])
    left, bottom, right, top = clean.buffer(20).total_bounds
    around = Bounds(left=left, bottom=bottom, right=right, top=top)
    grid = WorkingGrid.around(around, crs=CRS.from_epsg(4547), pixel_m=0.5)
    read = open_permits(tmp_path / "area" / log["file"], area=grid, crs=place_of(log))
    rows = {row for fate in log["fates"] for row in fate["rows"]}
    assert len(read.permits) + len(read.bad_rows) >= len(rows)
    kept = [gpd.GeoSeries.from_wkt([fate["ground"]])[0] for fate in log["fates"]]
    found = gpd.GeoSeries([permit.outline for permit in read.permits]).union_all()
    lie = [ground.buffer(-1).within(found.buffer(0.5)) for ground in kept if not ground.is_empty]
    assert np.mean(lie) > 0.8
    if form is None:
        make("simulate", tmp_path / "again", *SMALL, "--quiet", "--dirt", severity)
        assert contents(tmp_path / "again") == files


def place_of(log):
    """Return the CRS a person would name where the file says none, or a wrong one."""
    held = log["dirt"]["file"]["coordinates"]
    if held.startswith("prefixed"):
        return CRS.from_epsg(4526)
    return CRS.from_epsg(4490 if held.startswith("degrees") else 4547)


def test_outlines_of_the_truth_are_valid(tmp_path):
    """Rooms on roofs and annexes are cut against each other; some would touch themselves."""
    options = ("--side", "120", "--pixel", "0.6", "--flights", "2", "--workers", "1", "--pace", "5")
    make("simulate", tmp_path / "area", *options, "--setting", "urban_village", "--quiet")
    for layer in ("structures", "changes"):
        rows = gpd.read_file(tmp_path / "area" / "truth.gpkg", layer=layer)
        assert len(rows)
        assert rows.is_valid.all()
        assert set(rows.geom_type) <= {"Polygon", "MultiPolygon"}


def test_a_disk_without_hard_links_takes_dirty_permits_too(plain, tmp_path, monkeypatch):
    def refuse(*_paths):
        raise PermissionError(1, "Operation not permitted")

    make("simulate", tmp_path / "usual", *SMALL, "--quiet", "--dirt", "mild")
    monkeypatch.setattr(permit_files.os, "link", refuse)
    make("simulate", tmp_path / "exfat", *SMALL, "--quiet", "--dirt", "mild")
    assert contents(tmp_path / "exfat") == contents(tmp_path / "usual")


# simulate: what is refused, and what is left.


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--side", "10000", "--pixel", "0.02"], "500000 pixels"),
        (["--setting", "greenhouses", "--side", "60", "--pace", "0", "--dirt", "bad"], "permits"),
    ],
)
def test_what_cannot_be_made_is_one_line(call, tmp_path, arguments, says):
    assert refused(call("simulate", tmp_path / "area", "--quiet", *arguments), says)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_known_beforehand(call, village, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=10**9)
    monkeypatch.setattr(new_folder.shutil, "disk_usage", lambda _path: usage)
    folder = tmp_path / "new" / "area"
    assert refused(call("simulate", folder, "--side", "2400"), "1.0 GB are free", "--pixel")
    usage = usage._replace(free=10**6)
    assert refused(call("simulate", folder, *SMALL), "about 20 MB", "1 MB are free")
    assert refused(call("turn-back", *village, folder), "1 MB are free", "smaller picture")
    assert list(tmp_path.iterdir()) == []


def test_the_estimate_holds(plain):
    """What lies on the disk in the end is less than what was asked for."""
    order = delivery.Order(plan=draw_plan(seed=1, side_m=60.0, pixel_m=0.4, flights=2))
    kept = sum(map(len, contents(plain).values()))
    assert kept < delivery.bytes_needed(order)


@pytest.mark.parametrize("more", [[], ["--dirt", "mild"]])
def test_what_is_there_is_not_overwritten(call, tmp_path, more):
    (tmp_path / "mine.txt").write_text("mine")
    assert refused(call("simulate", tmp_path, *SMALL, *more), "not empty")
    assert refused(call("simulate", tmp_path / "mine.txt", *SMALL, *more), "is a file")
    assert contents(tmp_path) == {"mine.txt": b"mine"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--setting", "moon"], "moon"),
        (["--side", "nan"], "nan"),
        (["--side", "10001"], "10001"),
        (["--pace", "inf"], "inf"),
        (["--offset", "0.4"], "0.4"),
        (["--lean", "1.1"], "1.1"),
        (["--collar", "grey"], "grey"),
        (["--workers", "-1"], "-1"),
        (["--workers", "2147483647"], "256"),
        (["--dirt", "awful"], "awful"),
        (["--permit-format", "shp"], "--dirt"),
    ],
)
def test_options_that_make_no_sense_exit_with_2(call, tmp_path, arguments, says):
    answer = call("simulate", tmp_path / "area", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert says in answer.err.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["simulate", "demo"])
def test_the_current_folder_is_no_new_one(call, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    answer = call(command, ".")
    assert (answer.code, answer.out) == (2, "")
    assert "the one you are in" in answer.err


@pytest.mark.parametrize("more", [[], ["--dirt", "mild"]])
@pytest.mark.parametrize(
    ("failure", "code", "says"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (OSError(28, "No space left on device"), 2, "is the disk full?"),
    ],
    ids=["interrupt", "full disk"],
)
def test_a_failure_leaves_nothing(call, tmp_path, monkeypatch, more, failure, code, says):
    def fail(*_arguments):
        raise failure

    monkeypatch.setattr(press, "render_surface", fail)
    answer = call("simulate", tmp_path / "area", *SMALL, *more)
    assert (answer.code, answer.out) == (code, "")
    assert says in answer.err.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []


def test_permits_that_cannot_be_written_leave_nothing(call, tmp_path, monkeypatch):
    def fail(*_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(delivery, "write_permits", fail)
    assert call("simulate", tmp_path / "area", *SMALL, "--dirt", "mild").code == 130
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_ends_the_workers_too(tmp_path):
    """Ctrl-C reaches the whole process group, as a terminal sends it."""
    arguments = ["simulate", tmp_path / "area", "--side", "200", "--pixel", "0.04"]
    with subprocess.Popen(
        [COMMAND, *map(str, arguments), "--workers", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "LANGUAGE": "en"},
    ) as process:
        parent, workers = psutil.Process(process.pid), []
        for _ in range(300):
            workers = parent.children(recursive=True)
            if len(workers) >= 3:  # two workers and what keeps count of them
                break
            time.sleep(0.05)
        time.sleep(0.3)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert err.strip().splitlines()[-1] == "interrupted"
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []
    assert [worker for worker in workers if outlives(worker, 10.0)] == []


def test_errors_come_in_chinese_where_asked_for(call, tmp_path):
    answer = call("simulate", tmp_path / "a", "--side", "9000", "--pixel", "0.02", LANGUAGE="zh_CN")
    assert "450000 像元" in answer.err


# turn-back.

SIDE, PIXEL_M, WEST, NORTH = 400, 0.25, 500_000.0, 3_000_000.0
DATES = ("--flown-on", "2024-05-01")


def write_village(folder):
    """Write nine houses on a meadow, of 20 to 60 m2, and a layer of their outlines."""
    rng = np.random.default_rng(3)
    blotches = ndimage.gaussian_filter(rng.normal(size=(SIDE, SIDE)), 8) * 120
    picture = 110 + blotches + rng.normal(0, 4, (3, SIDE, SIDE))
    houses = []
    for number in range(9):
        row, col = 70 + 110 * (number // 3), 70 + 110 * (number % 3)
        height, width = 18 + 2 * (number // 3), 20 + 4 * number
        picture[0, row : row + height, col : col + width] = 200
        picture[1:, row : row + height, col : col + width] = 70
        west, north = WEST + col * PIXEL_M, NORTH - row * PIXEL_M
        houses.append(box(west, north - height * PIXEL_M, west + width * PIXEL_M, north))
    profile = {"driver": "GTiff", "dtype": "uint8", "count": 3, "width": SIDE, "height": SIDE}
    place = rasterio.Affine(PIXEL_M, 0, WEST, 0, -PIXEL_M, NORTH)
    with rasterio.open(
        folder / "2025-06-01.tif",
        "w",
        **profile,
        crs="EPSG:32644",
        transform=place,
        photometric="RGB",
    ) as raster:
        raster.write(np.clip(np.rint(picture), 0, 255).astype(np.uint8))
    gpd.GeoDataFrame(geometry=houses, crs="EPSG:32644").to_file(folder / "houses.gpkg")
    return folder / "2025-06-01.tif", folder / "houses.gpkg"


@pytest.fixture(scope="module")
def village(tmp_path_factory):
    return write_village(tmp_path_factory.mktemp("village"))


def turned(village, folder, *options):
    """Turn the village back, and return what the truth says."""
    done = make("turn-back", *village, folder, "--json", "--quiet", *options)
    assert done.stderr == ""
    facts = json.loads(done.stdout)
    assert facts == told(folder)
    return facts


def areas(folder):
    return gpd.read_file(folder / "truth.gpkg", layer="appeared")["area_m2"]


def test_a_village_is_turned_back(village, tmp_path):
    facts = turned(village, tmp_path / "made", "--share", "1", *DATES)
    assert sorted(contents(tmp_path / "made")) == [
        "after.tif",
        "before.tif",
        "truth.gpkg",
        "truth.json",
    ]
    counts = facts["counts"]
    assert counts["outlines"] == 9
    assert counts["appeared"] == counts["decoys_before"] + counts["decoys_after"] >= 3
    assert facts["flown_on"] == {"before": "2024-05-01", "after": "2025-06-01"}
    with rasterio.open(tmp_path / "made" / "before.tif") as raster:
        assert raster.tags()["TIFFTAG_DATETIME"].startswith("2024:05:01")
    again = turned(village, tmp_path / "again", "--share", "1", *DATES)
    assert again == facts
    assert contents(tmp_path / "again") == contents(tmp_path / "made")
    assert turned(village, tmp_path / "other", "--share", "1", "--seed", "9", *DATES) != facts


def test_share_and_areas_choose_the_buildings(village, tmp_path):
    turned(village, tmp_path / "all", "--share", "1")
    turned(village, tmp_path / "few", "--share", "0.2")
    assert 1 <= len(areas(tmp_path / "few")) < len(areas(tmp_path / "all"))
    turned(village, tmp_path / "small", "--share", "1", "--max-area", "40")
    turned(village, tmp_path / "large", "--share", "1", "--min-area", "40")
    assert 0 < areas(tmp_path / "small").max() <= 40 <= areas(tmp_path / "large").min()


def test_offset_0_leaves_the_earlier_flight_in_its_place(village, tmp_path):
    shift = turned(village, tmp_path / "made", "--offset", "0")["displacement_of_before"]
    assert (shift["east_m"], shift["north_m"]) == (0.0, 0.0)
    shift = turned(village, tmp_path / "far")["displacement_of_before"]
    assert 0.0 < np.hypot(shift["east_m"], shift["north_m"]) <= 10.0


def test_turning_back_says_what_it_did(village, tmp_path):
    done = make("turn-back", *village, tmp_path / "made")
    *_progress, counts, last = done.stderr.splitlines()
    assert done.stdout == ""
    assert counts.startswith("buildings taken off: ")
    assert " of 9, decoys: " in counts
    assert last.startswith("written: ")
    none = make("turn-back", *village, tmp_path / "none", "--share", "0")
    assert none.stderr.startswith("buildings taken off: 0 of 9, decoys: 0")


def test_turning_back_refuses_in_one_line(call, village, tmp_path):
    ortho, outlines = village
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "mine.txt").write_text("mine")
    (tmp_path / "bare.csv").write_text('WKT\n"POINT (1 2)"\n')
    before = contents(tmp_path)
    made = tmp_path / "made"
    assert refused(call("turn-back", "none.tif", outlines, made), "none.tif")
    assert refused(call("turn-back", ortho, "none.gpkg", made), "none.gpkg")
    assert refused(call("turn-back", outlines, outlines, made), "houses.gpkg")
    assert refused(call("turn-back", ortho, ortho, made), "2025-06-01.tif")
    assert refused(call("turn-back", ortho, tmp_path / "bare.csv", made), "bare.csv")
    assert refused(call("turn-back", *village, tmp_path / "mine"), "not empty")
    for wrong in (["--min-area", "9", "--max-area", "9"], ["--share", "1.1"], ["--share", "nan"]):
        answer = call("turn-back", *village, made, *wrong)
        assert (answer.code, answer.out) == (2, "")
        assert wrong[0] in answer.err.splitlines()[-1]
    assert contents(tmp_path) == before
    assert not made.exists()


def test_a_layer_of_several_must_be_named(call, village, tmp_path):
    ortho, outlines = village
    both = tmp_path / "both.gpkg"
    houses = gpd.read_file(outlines)
    for name in ("houses", "plots"):
        houses.to_file(both, layer=name, driver="GPKG")
    assert refused(call("turn-back", ortho, both, tmp_path / "a"), "|layername=", "houses, plots")
    made = call("turn-back", ortho, f"{both}|layername=houses", tmp_path / "b", "--quiet")
    assert made.code == 0, made.err
    assert refused(call("turn-back", ortho, f"{both}|layername=x", tmp_path / "c"), "no layer x")
    (tmp_path / "empty").mkdir()
    assert refused(call("turn-back", ortho, tmp_path / "empty", tmp_path / "d"), "empty")


def test_a_wrong_crs_of_the_outlines_is_told(call, village, tmp_path):
    ortho, outlines = village
    houses = gpd.read_file(outlines)
    away = tmp_path / "away.gpkg"
    houses.set_crs("EPSG:32645", allow_override=True).to_file(away)
    said = call("turn-back", ortho, away, tmp_path / "made")
    assert refused(said, "km from the flight", "EPSG:32645", "EPSG:32644")
    degrees = tmp_path / "degrees.geojson"
    houses.set_crs(None, allow_override=True).to_file(degrees, driver="GeoJSON")
    said = call("turn-back", ortho, degrees, tmp_path / "taken")
    assert said.code == 0, said.err
    assert "holds none" in said.err
    options = ("--layers-crs", "EPSG:32644", "--encoding", "UTF-8", "--nodata", "0", "--quiet")
    assert call("turn-back", ortho, away, tmp_path / "given", *options).code == 0


def test_the_day_of_the_earlier_flight_is_checked(call, village, tmp_path):
    said = call("turn-back", *village, tmp_path / "made", "--flown-on", "2025-06-01")
    assert refused(said, "2025-06-01", "earlier")
    assert list(tmp_path.iterdir()) == []


def test_none_taken_off_is_a_refusal_with_its_reasons(call, village, tmp_path):
    said = call("turn-back", *village, tmp_path / "made", "--share", "1", "--min-area", "900")
    assert refused(said, "9 too small (--min-area)")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_turn_leaves_nothing(call, village, tmp_path, monkeypatch):
    def fail(*_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(turned_back_files, "write_layers", fail)
    answer = call("turn-back", *village, tmp_path / "made")
    assert (answer.code, answer.err.splitlines()[-1]) == (130, "interrupted")
    assert list(tmp_path.iterdir()) == []


# demo.


def test_the_demo_simulates_the_usual_area(call, tmp_path, monkeypatch):
    """The whole of it takes long: `tests/test_cli.py` has it, marked slow."""
    asked = []

    def stop(folder, order, **_talk):
        asked.append((folder, order))
        raise KeyboardInterrupt

    monkeypatch.setattr("survey.simulation.deliver_area", stop)
    assert call("demo", tmp_path / "area", "--seed", "5").code == 130
    ((folder, order),) = asked
    assert folder == tmp_path / "area"
    assert (order.plan.seed, order.plan.side_m, len(order.plan.flights)) == (5, 200.0, 4)
    assert order.dirt is None
