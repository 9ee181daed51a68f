"""What `orthowatch align-area` hands out, on simulated flights of one ground and of others."""

import json
import re
import shutil
from datetime import date
from functools import partial

import numpy as np
import pytest
import rasterio

from survey.field_file import read_field
from tests.command import call_here, installed, refused
from tests.flown_area import picture, plan_of, true_shift, write_flight
from tests.test_cli_align import Page

FIRST, SECOND, BOTH, NEXT, OTHER = (
    date(2025, 3, 15),
    date(2025, 6, 10),
    date(2025, 7, 5),
    date(2025, 8, 1),
    date(2025, 12, 1),
)
ALIGNED = (SECOND, BOTH, NEXT)


@pytest.fixture(scope="session")
def plans():
    return plan_of(11, 3), plan_of(23, 2, "urban_village"), plan_of(5, 1, "town")


@pytest.fixture(scope="session")
def flown(tmp_path_factory, plans):
    """Five flights: BOTH shows two grounds at once, NEXT the second of them, OTHER a third."""
    folder, (ground, second, third) = tmp_path_factory.mktemp("flown"), plans
    twice = 0.35 * picture(ground, 2) + 0.65 * picture(second, 0)
    pictures = {
        FIRST: picture(ground, 0),
        SECOND: picture(ground, 1),
        BOTH: np.rint(twice).astype(np.uint8),
        NEXT: picture(second, 1),
        OTHER: picture(third, 0),
    }
    return {day: write_flight(folder, ground, day, shown) for day, shown in pictures.items()}


@pytest.fixture(scope="session")
def written(flown, tmp_path_factory):
    """What the installed command writes and says of a folder with all five."""
    folder = tmp_path_factory.mktemp("area") / "out"
    area = flown[FIRST].parent
    answer = installed("align-area", area, "-o", folder, "--workers", "1", "--json", LANGUAGE="en")
    return folder, answer


@pytest.fixture
def call(monkeypatch, capsys):
    """Run the command in this process, as the installed script would."""
    return partial(call_here, monkeypatch, capsys)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def flight_of(written, day):
    record = json.loads((written[0] / "chain.json").read_text(encoding="utf-8"))
    return next(item for item in record["flights"] if item["label"] == day.isoformat())


def field_of(written, day):
    return read_field(written[0] / f"{day.isoformat()}.field.tif").alignment


def missed(field, shift):
    """How far a field lies off the truth where it is known, m."""
    rows, cols = np.nonzero(field.known)
    x, y = field.left + field.step * cols, field.top - field.step * rows
    true = shift(x, y)
    return np.hypot(field.east[rows, cols] - true[0], field.north[rows, cols] - true[1])


def test_everything_is_written_and_named(written):
    folder, answer = written
    files = ["chain.html", "chain.json", *(f"{day.isoformat()}.field.tif" for day in ALIGNED)]
    assert names(folder) == sorted(files)
    record = json.loads((folder / "chain.json").read_text(encoding="utf-8"))
    assert json.loads(answer.out) == record
    assert sorted(record["outputs"]) == sorted(files)
    assert record["reference"] == FIRST.isoformat()
    assert flight_of(written, FIRST)["verdict"] == "reference"


def test_other_ground_is_refused_by_name_and_the_others_go_on(written):
    answer = written[1]
    assert answer.code == 4
    assert answer.err.splitlines()[-1] == (
        f"Error: 1 of 5 flights could not be aligned: {OTHER.isoformat()}"
    )
    told = flight_of(written, OTHER)
    assert (told["verdict"], told["field"]) == ("refused", None)
    assert "no common ground" in told["why"]


def test_the_direct_way_is_taken_where_both_verify(written, plans):
    told = flight_of(written, SECOND)
    assert (told["verdict"], told["through"]) == ("verified", [])
    assert told["why"].startswith("straight to the reference: 95 % within")
    assert [item["verdict"] for item in told["others"]] == ["verified"]
    assert 0 < told["closure_m"] < 0.5
    alignment = field_of(written, SECOND)
    assert alignment.why == told["why"]
    off = missed(alignment.field, partial(true_shift, plans[0], 0, 1))
    assert np.median(off) < 0.2


def test_a_flight_that_matches_its_neighbour_alone_goes_through_it(written, plans):
    told = flight_of(written, NEXT)
    assert (told["verdict"], told["through"]) == ("verified", [BOTH.isoformat()])
    assert told["near"] == "season"
    assert told["closure_m"] is None
    assert f"through {BOTH.isoformat()} (nearest in season)" in told["why"]
    assert "straight to the reference not verified" in told["why"]


def test_the_composed_field_is_the_true_one(written, plans):
    ground, second, _ = plans

    def shift(x, y):
        east, north = true_shift(ground, 0, 2, x, y)
        more = true_shift(second, 0, 1, x + east, y + north)
        return east + more[0], north + more[1]

    alignment = field_of(written, NEXT)
    off = missed(alignment.field, shift)
    assert np.median(off) < 0.3
    # Left out, either of the links is missed by far more.
    assert np.median(missed(alignment.field, partial(true_shift, ground, 0, 2))) > 0.6
    assert alignment.p95_m > field_of(written, BOTH).p95_m


def test_any_number_of_workers_gives_the_same_bytes(call, flown, tmp_path):
    words = [flown[day] for day in (FIRST, SECOND, BOTH)]
    for workers in ("1", "2"):
        answer = call("align-area", *words, "-o", tmp_path / workers, "--workers", workers)
        assert answer.code == 0, answer.err
    for name in names(tmp_path / "1"):
        if name != "chain.json":
            same = [(tmp_path / workers / name).read_bytes() for workers in ("1", "2")]
            assert same[0] == same[1], name


def test_detect_and_align_go_by_a_field_of_the_chain(call, flown, written):
    field = written[0] / f"{NEXT.isoformat()}.field.tif"
    words = ["--alignment", field, "--workers", "1", "--json", "--quiet"]
    answer = call("align", flown[FIRST], flown[NEXT], *words)
    told = json.loads(answer.out)["alignment"]
    assert (answer.code, told["verdict"], told["accepted_by"]) == (0, "verified", "file")
    assert told["why"] == flight_of(written, NEXT)["why"]
    assert refused(call("align", flown[SECOND], flown[NEXT], *words), "other files")


# The page.


def page_of(folder):
    return (folder / "chain.html").read_text(encoding="utf-8")


def test_the_page_needs_nothing_but_itself(written):
    page = page_of(written[0])
    parsed = Page(page)
    assert parsed.links == []
    assert parsed.open == []
    assert not re.search(r"https?:|//\w|@import|url\(|<script|<link|<img", page)
    assert "default-src 'none'" in page


def test_the_page_says_what_became_of_every_flight(written):
    said = Page(page_of(written[0])).text
    for day in (SECOND, BOTH, NEXT, OTHER):
        assert flight_of(written, day)["why"] in said
    assert "3 of 4 flights verified against the reference." in said
    assert f"Not aligned: {OTHER.isoformat()}." in said
    record = json.loads((written[0] / "chain.json").read_text(encoding="utf-8"))
    assert record["run_id"] in said
    assert record["started"][:16] not in said


def test_the_page_draws_the_drift(written):
    page = page_of(written[0])
    drawing = page[page.index("<svg") : page.index("</svg>")]
    # Two series of four flights and their legend; bars where there are two ways.
    assert drawing.count("<circle") == 4 + 1
    assert drawing.count("<polyline") == 2
    assert FIRST.isoformat() in drawing


# What is refused, and what is left alone.


def test_the_page_and_the_sentences_speak_chinese(call, flown, tmp_path):
    words = [flown[FIRST], flown[SECOND], "--reference", flown[SECOND], "--workers", "1"]
    answer = call("align-area", *words, "-o", tmp_path / "out", LANGUAGE="zh_CN")
    assert answer.code == 0
    assert f"基准：{SECOND.isoformat()}" in answer.err
    assert "晚于" not in answer.err, "the reference may be any of them"
    page = page_of(tmp_path / "out")
    assert '<html lang="zh-CN">' in page
    for english in ("straight", "closure", "verified", "Drift", "reference:"):
        assert english not in Page(page).text
    assert names(tmp_path / "out") == [f"{FIRST.isoformat()}.field.tif", "chain.html", "chain.json"]


def test_a_flight_that_cannot_be_read_is_named_and_left_out(call, flown, tmp_path):
    broken = tmp_path / "2025-09-01.tif"
    broken.write_bytes(flown[FIRST].read_bytes()[:4000])
    words = [flown[FIRST], flown[SECOND], broken, "--workers", "1", "--quiet"]
    answer = call("align-area", *words, "-o", tmp_path / "out")
    assert (answer.code, answer.out) == (4, "")
    assert answer.err.strip() == "Error: 1 of 3 flights could not be aligned: 2025-09-01"
    text = (tmp_path / "out" / "chain.json").read_text(encoding="utf-8")
    assert "2025-09-01.tif: " in text
    assert str(tmp_path) not in text + page_of(tmp_path / "out")


def test_nothing_is_written_where_no_flight_fits(call, flown, tmp_path):
    words = [flown[FIRST], flown[OTHER], "--workers", "1", "--quiet"]
    answer = call("align-area", *words, "-o", tmp_path / "out")
    assert refused(answer, "no flight could be aligned to 2025-03-15", "no common ground")
    assert names(tmp_path) == []


def test_what_cannot_be_an_area_is_refused_before_any_work(call, flown, tmp_path):
    out, first, second = tmp_path / "out", flown[FIRST], flown[SECOND]
    assert refused(call("align-area", first, "-o", out), "no two flights")
    assert refused(call("align-area", first, tmp_path / "no.tif", "-o", out), "no such file")
    assert refused(call("align-area", first, first, "-o", out), "named twice")
    assert refused(call("align-area", first, second, "-o", tmp_path / "a.tif"), "name a folder")
    assert call("align-area", first, second).code == 2
    (tmp_path / "chain.html").write_text("mine")
    assert refused(call("align-area", first, second, "-o", tmp_path), "not written by orthowatch")
    assert names(tmp_path) == ["chain.html"]


def test_surface_models_and_saved_fields_in_the_folder_are_no_flights(call, flown, tmp_path):
    area = tmp_path / "area"
    area.mkdir()
    for day in (FIRST, SECOND):
        shutil.copy(flown[day], area)
    with rasterio.open(flown[FIRST]) as dataset:
        profile = dataset.profile | {"count": 1, "dtype": "float32", "photometric": "minisblack"}
    with rasterio.open(area / "2025-03-15_dsm.tif", "w", **profile) as heights:
        heights.write(np.ones((1, profile["height"], profile["width"]), np.float32))
    shutil.copy(flown[OTHER], area / "2025-12-01.field.tif")
    (area / "notes.txt").write_text("mine")
    # A second time the results of the first lie in the same folder.
    for _ in range(2):
        answer = call("align-area", area, "-o", area / "out", "--workers", "1", "--json", "--quiet")
        assert answer.code == 0, answer.err
        record = json.loads(answer.out)
        assert [item["name"] for item in record["flights"]] == ["2025-03-15.tif", "2025-06-10.tif"]


def test_a_field_of_an_earlier_run_goes_where_its_flight_is_left_out(call, flown, tmp_path):
    out = tmp_path / "out"
    words = [flown[FIRST], flown[SECOND], "--workers", "1", "--quiet", "-o", out]
    assert call("align-area", *words).code == 0
    (out / "notes.txt").write_text("mine")
    shutil.copy(out / "2025-06-10.field.tif", out / "2025-07-01.field.tif")
    assert call("align-area", *words, "--reference", flown[SECOND]).code == 0
    kept = ["2025-03-15.field.tif", "2025-07-01.field.tif", "chain.html", "chain.json", "notes.txt"]
    assert names(out) == kept
