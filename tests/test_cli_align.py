"""What `orthowatch align` hands out, and how a saved alignment is gone by again."""

import json
import re
import shutil
from functools import partial
from html.parser import HTMLParser

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from PIL import Image

from survey.field_file import BANDS, read_field
from tests.command import call_here, installed, refused
from tests.samples import PERMITS, cut_pair, true_shift

FILES = ["field.tif", "report.html", "report.json", "residuals.png", "ties.gpkg"]


@pytest.fixture(scope="module")
def corner(tmp_path_factory):
    return cut_pair(tmp_path_factory.mktemp("corner"))


@pytest.fixture
def call(monkeypatch, capsys):
    """Run the command in this process, as the installed script would."""
    return partial(call_here, monkeypatch, capsys)


@pytest.fixture
def words(corner):
    return ["align", corner["before"], corner["after"], "--workers", "1", "--quiet"]


@pytest.fixture(scope="module")
def written(corner, tmp_path_factory):
    """What the installed command writes and prints."""
    folder = tmp_path_factory.mktemp("written") / "out"
    flights = [corner["before"], corner["after"]]
    answer = installed("align", *flights, "-o", folder, "--json", "--quiet", LANGUAGE="en")
    assert (answer.code, answer.err) == (0, "")
    return folder, json.loads(answer.out)


@pytest.fixture
def done(written, tmp_path):
    """A folder of a test's own with everything, and the record."""
    return shutil.copytree(written[0], tmp_path / "out"), written[1]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


class Page(HTMLParser):
    """Everything a page could fetch, the words it shows, and tags left open."""

    def __init__(self, text):
        super().__init__()
        self.links, self.words, self.open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.links += [value for name, value in attrs if name in ("src", "href", "action", "data")]
        if tag not in ("meta", "img", "input", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def page_of(folder):
    return (folder / "report.html").read_text(encoding="utf-8")


# The folder.


def test_a_folder_gets_everything_and_the_record_names_it(done):
    folder, record = done
    assert names(folder) == FILES
    assert sorted(record["outputs"]) == FILES
    assert record == json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert record["alignment"]["verdict"] == "verified"
    assert record["alignment"]["from_file"] is None


def test_the_image_comes_along_when_asked_for(call, words, tmp_path):
    answer = call(*words, "-o", tmp_path / "out", "--image")
    assert (answer.code, answer.out, answer.err) == (0, "", "")
    assert names(tmp_path / "out") == sorted([*FILES, "aligned.tif"])
    with rasterio.open(tmp_path / "out" / "aligned.tif") as moved:
        assert moved.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"


def test_the_same_flights_give_the_same_bytes(call, words, done, tmp_path):
    folder, _ = done
    assert call(*words, "-o", tmp_path / "again").code == 0
    for name in FILES:
        if name != "report.json":
            assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes(), name


def test_the_saved_field_is_the_true_one(done):
    saved = read_field(done[0] / "field.tif")
    field = saved.alignment.field
    rows, cols = np.nonzero(field.known)
    x, y = field.left + field.step * cols, field.top - field.step * rows
    true = np.stack(true_shift(0, 1, x, y))
    missed = np.hypot(field.east[rows, cols] - true[0], field.north[rows, cols] - true[1])
    assert np.median(missed) < 0.2
    with rasterio.open(done[0] / "field.tif") as dataset:
        assert dataset.descriptions == BANDS


def test_the_ties_say_where_they_lie_and_lead(done):
    folder, record = done
    ties = gpd.read_file(folder / "ties.gpkg", layer="ties")
    shifts = gpd.read_file(folder / "ties.gpkg", layer="shifts")
    assert len(ties) == len(shifts) == record["alignment"]["ties_seen"]
    assert ties.used.sum() == record["alignment"]["ties_used"]
    assert ties.crs.to_epsg() == 4547
    first, last = (shifts.geometry.apply(lambda line, i=i: line.coords[i]) for i in (0, 1))
    assert [tuple(point.coords[0]) for point in ties.geometry] == list(first)
    led = np.array([*last]) - np.array([*first])
    assert np.allclose(led, ties[["east_m", "north_m"]], atol=1e-3)
    # What the field was fitted to lies on it, what was thrown out mostly does not.
    assert ties.residual_m[ties.used].median() < 0.2


def test_the_map_is_a_picture_with_colours(done):
    with Image.open(done[0] / "residuals.png") as picture:
        assert min(picture.size) > 1000
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    blue = (np.abs(pixels - (0, 114, 178)).max(axis=2) < 12).sum()
    assert blue > 500, "ties that fit are drawn in blue"


# The report.


def test_the_report_needs_nothing_but_itself(done):
    page = page_of(done[0])
    parsed = Page(page)
    assert parsed.links
    assert all(link.startswith("data:image/jpeg;base64,") for link in parsed.links)
    bare = re.sub(r"base64,[A-Za-z0-9+/=]*", "", page)
    assert not re.search(r"https?:|//\w|@import|url\(|<script|<link", bare)
    assert "default-src 'none'" in bare
    assert parsed.open == []


def test_the_report_says_what_was_found(done):
    folder, record = done
    said, told = Page(page_of(folder)).text, record["alignment"]
    assert f"Verified: the two flights fit to {told['rms_m']:.2f} m." in said
    assert told["why"] in said
    assert f"{told['ties_used']} of {told['ties_seen']}" in said
    for item in record["inputs"]:
        assert item["sha256"] in said
    assert record["run_id"] in said
    # Times stand in the record alone.
    assert record["started"][:16] not in said


def test_the_report_speaks_chinese(call, words, tmp_path):
    answer = call(*words, "-o", tmp_path / "out", LANGUAGE="zh_CN")
    assert answer.code == 0
    page = page_of(tmp_path / "out")
    assert '<html lang="zh-CN">' in page
    said = Page(page).text
    assert "已验证" in said
    for english in ("Verified", "residual", "Settings", "earlier", "From near"):
        assert english not in said


def test_names_cannot_steer_the_report(call, corner, tmp_path):
    name = "<script>alert(1)</script>&.tif".replace("/", "_")
    evil = tmp_path / name
    evil.write_bytes(corner["after"].read_bytes())
    words = ["align", corner["before"], evil, "--workers", "1", "--quiet"]
    assert call(*words, "-o", tmp_path / "out").code == 0
    page = page_of(tmp_path / "out")
    assert "<script" not in page
    assert name in Page(page).text


# Going by a saved field.


def detect_words(corner):
    heights = ["--dsm-before", corner["dsm_before"], "--dsm-after", corner["dsm_after"]]
    flights = [corner["before"], corner["after"]]
    return ["detect", *flights, *heights, "--permits", PERMITS, "--workers", "1"]


def test_detect_goes_by_a_saved_field(call, corner, done, tmp_path):
    words = [*detect_words(corner), "--quiet", "--json"]
    measured = json.loads(call(*words, "-o", tmp_path / "measured").out)
    given = ["--alignment", done[0] / "field.tif", "-o", tmp_path / "given"]
    record = json.loads(call(*words, *given).out)
    assert record["suspects"] == measured["suspects"] == 2
    assert record["suspects_m2"] == pytest.approx(measured["suspects_m2"], abs=0.5)
    told = record["alignment"]
    assert (told["accepted_by"], told["from_file"]) == ("file", "field.tif")
    same = ("verdict", "why", "rms_m", "p95_m", "ties_used", "ties_seen", "evidence", "east_m")
    assert {k: told[k] for k in same} == {k: measured["alignment"][k] for k in same}
    assert [item["role"] for item in record["inputs"]][-1] == "alignment"
    assert record["run_id"] != measured["run_id"]


def test_align_writes_the_same_field_again(call, corner, done, tmp_path):
    field = done[0] / "field.tif"
    words = ["align", corner["before"], corner["after"], "--alignment", field, "--workers", "1"]
    answer = call(*words, "-o", tmp_path / "again")
    assert answer.code == 0
    assert "from field.tif" in answer.err
    assert names(tmp_path / "again") == FILES
    assert gpd.read_file(tmp_path / "again" / "ties.gpkg", layer="ties").empty
    back, first = read_field(tmp_path / "again" / "field.tif"), read_field(field)
    assert np.array_equal(back.alignment.field.east, first.alignment.field.east)
    assert back.measurement == first.measurement
    assert "not measured again" in Page(page_of(tmp_path / "again")).text


def test_a_field_of_other_flights_needs_the_users_word(call, corner, done, tmp_path):
    other = tmp_path / "20250614.tif"
    with rasterio.open(corner["after"]) as dataset:
        profile, picture = dataset.profile, dataset.read()
    with rasterio.open(other, "w", **profile) as target:
        target.write(255 - picture)
    words = ["align", corner["before"], other, "--alignment", done[0] / "field.tif", "--quiet"]
    assert refused(call(*words), "field.tif", "other files", "--accept-alignment")
    answer = call(*words, "--accept-alignment", "--json")
    told = json.loads(answer.out)["alignment"]
    assert (answer.code, told["accepted_by"]) == (0, "user")
    assert told["why"].startswith("measured on other files")


def test_what_is_no_field_is_refused_before_any_work(call, corner, words, tmp_path):
    answer = call(*words, "--alignment", corner["before"], "-o", tmp_path / "out")
    assert refused(answer, "no saved alignment", "orthowatch align")
    assert not (tmp_path / "out").exists()
    assert refused(call(*words, "--alignment", tmp_path / "none.tif"), "no such file")


# Options.


def test_precision_and_search_reach_the_record(call, words):
    answer = call(*words, "--precision", "precise", "--search", "7.5", "--json")
    settings = json.loads(answer.out)["settings"]["align"]
    assert (settings["precision"], settings["search_m"]) == ("precise", 7.5)


@pytest.mark.parametrize(
    "wrong",
    [
        ["--precision", "rough"],
        ["--search", "201"],
        ["--search", "nan"],
        ["--search", "-1"],
        ["--image"],
        ["--alignment", "field.tif", "--search", "5"],
        ["--alignment", "field.tif", "--precision", "precise"],
    ],
    ids=" ".join,
)
def test_options_that_make_no_sense_are_refused(call, words, wrong):
    answer = call(*words, *wrong)
    assert (answer.code, answer.out) == (2, "")
    assert "Error" in answer.err


# Folders.


@pytest.mark.parametrize("name", FILES)
def test_the_files_of_others_are_left_alone(call, words, tmp_path, name):
    (tmp_path / name).write_text("mine")
    assert refused(call(*words, "-o", tmp_path), name, "not written by orthowatch")
    assert names(tmp_path) == [name]


def test_a_folder_of_ours_is_written_again(call, words, done):
    folder, _ = done
    (folder / "notes.txt").write_text("mine")
    assert call(*words, "-o", folder).code == 0
    assert names(folder) == sorted([*FILES, "notes.txt"])


def test_an_image_of_an_earlier_run_is_never_left_beside_a_new_field(call, words, done):
    folder, _ = done
    assert call(*words, "-o", folder, "--image").code == 0
    assert refused(call(*words, "-o", folder), "earlier run", "--image")
    (folder / "aligned.tif").unlink()
    assert call(*words, "-o", folder).code == 0


def test_a_name_that_is_no_folder_is_refused(call, words, tmp_path):
    for name in ("report.html", "field.png", "out.geojson"):
        assert refused(call(*words, "-o", tmp_path / name), name, ".tif")
    (tmp_path / "file").write_text("mine")
    assert refused(call(*words, "-o", tmp_path / "file"), "name a folder")
    (tmp_path / "folder.tif").mkdir()
    assert refused(call(*words, "-o", tmp_path / "folder.tif"), "is a folder")
    assert refused(call(*words, "-o", tmp_path / "no" / "out"), "no such folder")


def test_nothing_is_left_where_writing_fails(call, words, tmp_path, monkeypatch):
    import change.export.alignment_folder as folder

    def fail(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder, "write_ties", fail)
    assert refused(call(*words, "-o", tmp_path / "out"), "No space left")
    assert names(tmp_path) == []
