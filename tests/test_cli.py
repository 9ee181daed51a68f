"""The command line: exit codes, what goes to which stream, and one line for every mistake."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial

import geopandas as gpd
import numpy as np
import pandas as pd
import psutil
import pytest
import rasterio
from rasterio.enums import ColorInterp
from shapely import Polygon, box

from tests.command import COMMAND, call_here, installed, outlives, refused
from tests.samples import CORNER, FOLDER, PERMITS, PLAN, cut_pair, dsm, expected, ortho, place
from tests.survey.rasters import north_up, scene, write

HEAVY = ("numpy", "rasterio", "geopandas", "cv2", "scipy", "shapely", "xarray", "pandas", "pyproj")


@pytest.fixture(scope="module")
def corner(tmp_path_factory):
    return cut_pair(tmp_path_factory.mktemp("corner"))


@pytest.fixture(scope="module")
def words(corner):
    """A whole command line that finds two suspects in a second."""
    return [
        "detect",
        corner["before"],
        corner["after"],
        "--dsm-before",
        corner["dsm_before"],
        "--dsm-after",
        corner["dsm_after"],
        "--permits",
        PERMITS,
        "--workers",
        "1",
    ]


@pytest.fixture
def call(monkeypatch, capsys):
    """Run the command in this process, as the installed script would."""
    return partial(call_here, monkeypatch, capsys)


def unlawful():
    """Return what stands without a permit in the corner and is large enough to be reported."""
    truth = expected(0, 1)
    here = truth.centroid.within(place(CORNER)) & (truth.area_m2 > 15)
    return truth[here & ~truth.reason.isin(("as_permitted", "removed_permitted"))]


# What goes where.


def test_without_an_output_the_suspects_go_to_stdout(call, words):
    answer = call(*words)
    assert answer.code == 0
    assert {f["properties"]["reason"] for f in answer.features} == set(unlawful().reason)
    assert "alignment verified" in answer.err


def test_quiet_says_nothing_but_data(call, words):
    answer = call(*words, "--quiet")
    assert (answer.code, answer.err) == (0, "")
    assert len(answer.features) == 2


def test_a_file_gets_its_record_and_stdout_stays_empty(call, words, tmp_path):
    answer = call(*words, "-o", tmp_path / "found.geojson")
    assert (answer.code, answer.out) == (0, "")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["found.geojson", "found.run.json"]
    assert "2 suspects" in answer.err
    again = call(*words, "-o", tmp_path / "found.geojson", "--quiet")
    assert (again.code, again.out, again.err) == (0, "", "")


def test_json_prints_the_record(call, words, tmp_path):
    answer = call(*words, "-o", tmp_path / "out", "--json", "--quiet")
    record = json.loads(answer.out)
    assert record == json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert record["suspects"] == 2
    assert record["settings"]["blocks"]["workers"] == 1


def test_changes_are_written_to_their_own_file(call, words, tmp_path):
    """Also those that a permit covers, as here all but one of them."""
    permits, wild = gpd.read_file(PERMITS), unlawful()
    granted = permits.iloc[[0] * (len(wild) - 1)].copy()
    granted["number"] = [f"NEW-{index}" for index in range(len(granted))]
    granted["valid_until"] = granted["valid_until"].max() + pd.Timedelta(days=20_000)
    granted["granted"] = pd.Timestamp(PLAN.dates[0]) + pd.Timedelta(days=9)
    granted["storeys"], granted["height_m"] = 30, 99.0
    granted = granted.set_geometry(list(wild.geometry.iloc[1:].buffer(1.0)), crs=wild.crs)
    layer = tmp_path / "more.gpkg"
    gpd.GeoDataFrame(pd.concat([permits, granted])).to_file(layer)
    line = [layer if word is PERMITS else word for word in words]
    answer = call(*line, "--changes", tmp_path / "changes.geojson")
    assert answer.code == 0
    changes = json.loads((tmp_path / "changes.geojson").read_text(encoding="utf-8"))["features"]
    assert len(changes) > len(answer.features) >= 1
    assert "as_permitted" in {f["properties"]["reason"] for f in changes}
    assert "as_permitted" not in {f["properties"]["reason"] for f in answer.features}


def test_check_prints_what_it_found(call, corner):
    answer = call("check", corner["before"], corner["after"])
    assert answer.code == 0
    assert "share" in answer.out
    told = json.loads(call("check", corner["before"], "--json").out)
    assert {"code", "level", "subject", "value", "limit", "says"} == set(told[0])
    assert call("check", corner["before"], "--quiet").out == ""


def test_check_refuses_what_cannot_be_used(call, tmp_path, corner):
    coarse = write(tmp_path / "coarse.tif", scene(90, 90), transform=north_up(3.0))
    answer = call("check", coarse)
    assert answer.code == 2
    assert answer.out.startswith("refused")
    assert "3.00 m" in answer.out
    told = call("check", coarse, "--json")
    assert told.code == 2
    assert "refuse" in {finding["level"] for finding in json.loads(told.out)}


def test_align_writes_a_valid_cog_and_its_record(call, corner, tmp_path):
    target = tmp_path / "moved.tif"
    answer = call("align", corner["before"], corner["after"], "-o", target, "--json", "--quiet")
    assert answer.code == 0
    record = json.loads(answer.out)
    assert record == json.loads((tmp_path / "moved.run.json").read_text(encoding="utf-8"))
    assert record["outputs"] == ["moved.tif"]
    assert record["alignment"]["verdict"] == "verified"
    assert record["alignment"]["rms_m"] < 0.3
    assert sorted(p.name for p in tmp_path.iterdir()) == ["moved.run.json", "moved.tif"]
    with rasterio.open(target) as moved:
        assert moved.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert moved.block_shapes[0] == (512, 512)
        assert moved.overviews(1)
        assert moved.colorinterp[-1] == ColorInterp.alpha
        assert moved.crs.to_epsg() == 4547
        assert moved.res == pytest.approx((PLAN.pixel_m, PLAN.pixel_m))
    # What was moved lies on the ground of the before flight: aligned again, it stays where it is.
    again = call("align", corner["before"], target, "--json", "--quiet")
    told = json.loads(again.out)["alignment"]
    assert told["verdict"] == "verified"
    assert np.hypot(told["east_m"], told["north_m"]) < 0.1


def test_align_without_output_only_says(call, corner):
    answer = call("align", corner["before"], corner["after"])
    assert (answer.code, answer.out) == (0, "")
    assert "alignment verified" in answer.err


def test_align_leaves_the_files_of_others_alone(call, corner, tmp_path):
    (tmp_path / "moved.tif").write_text("mine")
    assert refused(
        call("align", corner["before"], corner["after"], "-o", tmp_path / "moved.tif"),
        "not written by orthowatch",
    )
    (tmp_path / "other.run.json").write_text("{}")
    assert refused(
        call("align", corner["before"], corner["after"], "-o", tmp_path / "other.tif"),
        "other.run.json",
    )


# Exit codes and mistakes.


def test_suspects_can_fail_a_script(call, words):
    assert call(*words, "--fail-on-suspects", "--quiet").code == 3
    answer = call(*words, "--fail-on-suspects", "--quiet", "--min-area", "5000")
    assert (answer.code, answer.features) == (0, [])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["none.tif", ortho(0)], "none.tif", id="a missing file"),
        pytest.param([FOLDER / "make.py", ortho(0)], "make.py", id="a text file"),
        pytest.param([PERMITS, ortho(0)], "permits.gpkg", id="a layer for a picture"),
        pytest.param([ortho(0), FOLDER], "sample_tiles", id="a folder of mixed files"),
        pytest.param([dsm(0), ortho(1)], "_dsm.tif", id="a surface model for a picture"),
        pytest.param(
            [ortho(0), ortho(1), "--dsm-before", ortho(0)], "surface", id="a picture for a surface"
        ),
        pytest.param([ortho(0), ortho(1), "--permits", "none.gpkg"], "none.gpkg", id="no layer"),
        pytest.param(
            [ortho(0), ortho(1), "--permits", f"{PERMITS}|layername=none"], "none", id="no sublayer"
        ),
        pytest.param([ortho(0), ortho(1), "--permits", ortho(0)], "_ortho.tif", id="no vector"),
        pytest.param([ortho(0), ortho(1), "--crs", "EPSG:0"], "--crs EPSG:0", id="no CRS"),
        pytest.param([ortho(0), ortho(1), "--config", "none.toml"], "none.toml", id="no settings"),
        pytest.param([ortho(0), ortho(1), "-o", "none/out"], "no such folder", id="no folder"),
        pytest.param([ortho(0), ortho(1), "-o", "none/a.geojson"], "no such folder", id="nowhere"),
        pytest.param(
            [ortho(0), ortho(1), "--changes", "none/a.geojson"], "no such folder", id="no changes"
        ),
        pytest.param([ortho(0), ortho(1), "-o", ortho(0)], "_ortho.tif", id="over an input"),
        pytest.param([ortho(0), ortho(1), "--min-area", "-3"], "min_area_m2", id="a negative area"),
        pytest.param([ortho(0), ortho(1), "--min-area", "nan"], "min_area_m2", id="no number"),
    ],
)
def test_bad_input_is_one_line(call, tmp_path, monkeypatch, arguments, says):
    monkeypatch.chdir(tmp_path)
    assert refused(call("detect", *arguments), says)
    assert list(tmp_path.iterdir()) == [], "nothing written"


def test_flights_of_other_places_are_one_line(call, tmp_path):
    away = write(
        tmp_path / "away.tif",
        scene(900, 900),
        transform=north_up(0.1, east=500_000.0),
        photometric="rgb",
    )
    assert refused(call("detect", ortho(0), away, "--quiet"), "away.tif", "same place")


def test_two_flights_of_one_name_are_told_apart(call, tmp_path, corner):
    paths = []
    for role in ("before", "after"):
        (tmp_path / role).mkdir()
        paths.append(shutil.copy(corner[role], tmp_path / role / "ortho.tif"))
    told = json.loads(call("check", *paths, "--json").out)
    subjects = {finding["subject"] for finding in told}
    assert {"ortho.tif (earlier)", "ortho.tif (later)", "ortho.tif (both)"} >= subjects
    assert {"ortho.tif (both)", "ortho.tif (later)"} <= subjects


def test_a_degenerate_reference_system_is_one_line(call, tmp_path):
    """The file says degrees and holds metres."""
    wrong = write(tmp_path / "wrong.tif", scene(300, 300), crs=4326, transform=north_up(0.1))
    assert refused(call("detect", ortho(0), wrong, "--quiet"), "wrong.tif")


def test_a_file_cut_short_is_one_line(call, tmp_path, corner):
    whole = corner["after"].read_bytes()
    short = tmp_path / "20250601.tif"
    short.write_bytes(whole[: len(whole) // 2])
    assert refused(call("detect", corner["before"], short, "--quiet"), "20250601.tif")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["detect"],
        ["detect", "a.tif"],
        ["detect", "a.tif", "b.tif", "--nonsense"],
        ["detect", "a.tif", "b.tif", "--json"],
        ["detect", "a.tif", "b.tif", "--flown-before", "15.3.2025"],
        ["detect", "a.tif", "b.tif", "--workers", "0"],
        ["detect", "a.tif", "b.tif", "--lang", "fr"],
        ["check"],
        ["check", "a.tif", "b.tif", "c.tif"],
        ["simulate", "x", "--side", "1"],
    ],
)
def test_a_command_line_that_makes_no_sense_exits_with_2(call, arguments):
    answer = call(*arguments)
    assert answer.code == 2
    assert answer.out == ""
    assert answer.err


@pytest.mark.parametrize(
    "pair",
    [
        ("found.geojson", "found.geojson"),
        ("found.geojson", "found.json"),
        ("out", "out/suspects.geojson"),
        (None, "changes.gpkg"),
        (None, "folder"),
    ],
)
def test_changes_get_a_geojson_file_of_their_own(call, words, tmp_path, pair):
    """One output must not overwrite the other, nor the other's record."""
    (tmp_path / "out").mkdir()
    (tmp_path / "folder").mkdir()
    output, changes = pair
    where = ["-o", tmp_path / output] if output else []
    answer = call(*words, "--quiet", *where, "--changes", tmp_path / changes)
    assert answer.code == 2
    assert "--changes" in answer.err
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == []


@pytest.mark.parametrize(
    "command", [[], ["detect"], ["check"], ["align"], ["simulate"], ["turn-back"], ["demo"]]
)
def test_every_command_has_help(call, command):
    answer = call(*command, "--help")
    assert (answer.code, answer.err) == (0, "")
    assert "Usage: orthowatch" in answer.out


@pytest.mark.parametrize("command", [[], ["detect"], ["simulate"], ["turn-back"]])
def test_help_imports_nothing_heavy(command):
    script = (
        f"import sys; sys.argv = {['orthowatch', *command, '--help']!r}\n"
        "import cli\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        f"print([n for n in {HEAVY!r} if n in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stderr.strip() == "[]"


def test_the_version_is_the_packages(call):
    from importlib import metadata

    assert call("--version").out.split() == ["orthowatch", metadata.version("orthowatch")]


# Settings.


def least(answer):
    return json.loads(answer.out)["settings"]["detect"]["min_area_m2"]


def test_settings_yield_to_the_environment_and_that_to_the_command_line(call, words, tmp_path):
    toml = tmp_path / "settings.toml"
    toml.write_text("[detect]\nmin_area_m2 = 20\nmin_score = 0.7\n")
    common = [*words, "-o", tmp_path / "out.geojson", "--json", "--quiet"]
    assert least(call(*common)) == 10
    by_file = call(*common, "--config", toml)
    assert least(by_file) == 20
    assert json.loads(by_file.out)["settings"]["detect"]["min_score"] == 0.7
    assert least(call(*common, "--config", toml, ORTHOWATCH_DETECT_MIN_AREA="30")) == 30
    answer = call(*common, "--config", toml, "--min-area", "40", ORTHOWATCH_DETECT_MIN_AREA="30")
    assert least(answer) == 40


def test_an_unknown_setting_is_refused(call, words, tmp_path):
    toml = tmp_path / "settings.toml"
    toml.write_text("[detect]\nmin_aera_m2 = 20\n")
    assert refused(call(*words, "--config", toml), "min_aera_m2", "min_area_m2")


def test_settings_are_not_found_by_luck(call, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("orthowatch.toml", "settings.toml", ".orthowatch.toml", "pyproject.toml"):
        (tmp_path / name).write_text("[detect]\nmin_area_m2 = 5000\n")
    assert len(call(*words, "--quiet").features) == 2


def test_the_smallest_area_counts(call, words):
    areas = [f["properties"]["area_raw_m2"] for f in call(*words, "--quiet").features]
    between = sum(areas) / 2
    kept = call(*words, "--quiet", "--min-area", between).features
    assert [f["properties"]["area_raw_m2"] for f in kept] == [max(areas)]


def test_within_restricts(call, words, tmp_path):
    truth = unlawful()
    wanted = truth.geometry[truth.area_m2.idxmax()]
    layer = tmp_path / "within.gpkg"
    gpd.GeoDataFrame(geometry=[wanted.buffer(5)], crs=truth.crs).to_file(layer)
    (found,) = call(*words, "--quiet", "--within", layer).features
    assert found["properties"]["reason"] == truth.reason[truth.area_m2.idxmax()]
    elsewhere = gpd.GeoDataFrame(geometry=[box(*place((2, 2, 9, 9)).bounds)], crs=truth.crs)
    elsewhere.to_file(tmp_path / "elsewhere.geojson", driver="GeoJSON")
    answer = call(*words, "--quiet", "--within", tmp_path / "elsewhere.geojson")
    assert answer.code == 2 or answer.features == []


def test_flawed_rows_never_stop_a_run_unless_asked_to(call, words, tmp_path):
    permits = gpd.read_file(PERMITS)
    corner = permits.geometry.iloc[0].centroid
    bow = Polygon([(corner.x + x, corner.y + y) for x, y in ((0, 0), (8, 8), (8, 0), (0, 8))])
    flawed = permits.copy()
    flawed.loc[len(flawed)] = permits.iloc[0].to_dict() | {"geometry": None, "number": "X1"}
    flawed.loc[len(flawed)] = permits.iloc[0].to_dict() | {"geometry": bow, "number": "X2"}
    flawed = gpd.GeoDataFrame(flawed, geometry="geometry", crs=permits.crs)
    layer = tmp_path / "flawed.gpkg"
    flawed.to_file(layer)
    line = [layer if word is PERMITS else word for word in words]
    answer = call(*line, "-o", tmp_path / "out", "--json")
    assert answer.code == 0
    assert "2 flawed rows" in answer.err
    assert len(json.loads(answer.out)["permits"]["flawed_rows"]) == 2
    strict = call(*line, "--strict", "--quiet")
    assert refused(strict, "flawed.gpkg", "2 flawed rows", "--strict")


def test_a_refused_alignment_needs_the_users_word(call, tmp_path):
    files = []
    for number, turn in ((0, 1), (1, -1)):
        with rasterio.open(ortho(number)) as dataset:
            picture = dataset.read(out_shape=(3, 1000, 1000))[:, :, ::turn]
        files.append(
            write(
                tmp_path / f"2025010{number + 1}.tif",
                np.ascontiguousarray(picture),
                transform=north_up(0.2),
                photometric="rgb",
            )
        )
    common = ["align", *files, "--workers", "1", "--quiet"]
    assert refused(call(*common), "are these the same place?", "--accept-alignment")
    answer = call(*common, "--accept-alignment", "--json")
    assert answer.code == 0
    told = json.loads(answer.out)["alignment"]
    assert (told["verdict"], told["accepted_by"]) == ("refused", "user")


# Processes of their own.


def test_the_installed_command_runs(words):
    answer = installed(*words, "--quiet")
    assert (answer.code, answer.err) == (0, "")
    assert len(answer.features) == 2


def test_sentences_come_in_chinese_where_asked_for(corner):
    helped = installed("detect", "--help", "--lang", "zh_CN")
    assert helped.code == 0
    assert "选项" in helped.out
    assert "用法" in helped.out
    told = installed("detect", "none.tif", corner["after"], "--lang", "zh_CN")
    assert told.code == 2
    assert any("\u4e00" <= c <= "\u9fff" for c in told.err)
    by_locale = installed("detect", "none.tif", corner["after"], LANGUAGE="zh_CN")
    assert by_locale.err == told.err


def test_a_reader_that_goes_away_ends_the_run_quietly(words):
    line = " ".join(f"'{word}'" for word in [COMMAND, *words, "--quiet"])
    done = subprocess.run(
        ["bash", "-c", f"{line} | head -c 1"], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""


def test_an_interrupt_ends_everything_and_leaves_nothing(tmp_path):
    """Ctrl-C reaches the whole process group, as a terminal sends it."""
    settings, place = tmp_path / "settings.toml", tmp_path / "place"
    settings.write_text("[blocks]\nside_m = 100.0\n", encoding="utf-8")  # enough for two workers
    place.mkdir()
    arguments = ["detect", ortho(0), ortho(1), "-o", place / "out", "--workers", "2"]
    arguments += ["--config", settings]
    with subprocess.Popen(
        [COMMAND, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        parent = psutil.Process(process.pid)
        workers = []
        for _ in range(300):
            workers = parent.children(recursive=True)
            if len(workers) >= 3:  # two workers and what keeps count of them
                break
            time.sleep(0.05)
        time.sleep(0.5)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == ""
    assert err.strip().splitlines()[-1] == "interrupted"
    assert "Traceback" not in err
    assert list(place.iterdir()) == []
    assert [worker for worker in workers if outlives(worker, 10.0)] == []


@pytest.mark.slow
def test_the_demo_needs_nothing(tmp_path):
    answer = installed("demo", "area", cwd=tmp_path)
    assert answer.code == 0, answer.err
    assert [p.name for p in tmp_path.iterdir()] == ["area"]
    result = tmp_path / "area" / "result"
    suspects = json.loads((result / "suspects.geojson").read_text(encoding="utf-8"))["features"]
    assert len(suspects) >= 3
    assert (result / "overview.png").stat().st_size > 10_000
    assert refused(installed("demo", "area", cwd=tmp_path), "area")
