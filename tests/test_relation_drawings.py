"""What docs/suspicion.md shows and counts is what the program does."""

import math
import re
import runpy
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest
from shapely import box

from change.export.geojson import COLUMNS, EXCESS_COLUMNS
from change.ranking import points_for
from change.suspicion import FURTHER, NOT_JUDGED, REASONS, Circumstances, compare, is_suspect
from survey.settings import Settings, read_settings
from tests.strategies import make_change, make_permit, make_permits

DOCS = Path(__file__).parent.parent / "docs"
PAGES = ("suspicion.md", "suspicion.zh.md")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DEFAULT = Settings()


@pytest.fixture(scope="module")
def script():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(DOCS))
        yield runpy.run_path(str(DOCS / "draw_relations.py"))


def read(name):
    return (DOCS / name).read_text(encoding="utf-8")


def table(page, title):
    """Return the cells of the table that comes next after some words, head and rule left out."""
    lines = page[page.index(title) :].splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip(" *") for cell in line.strip("|").split("|")])
    return rows[2:]


def metres(cell):
    return float(cell.removesuffix(" m"))


def test_pictures_are_what_the_script_draws(script):
    drawn = script["drawings"]()
    assert {path.name for path in drawn} == {
        path.name for path in (DOCS / "images").glob("relation-*.svg")
    }
    old = [path.name for path, text in drawn.items() if path.read_text(encoding="utf-8") != text]
    assert old == [], "run docs/draw_relations.py"


@pytest.mark.parametrize(("language", "name"), [*zip(("en", "zh_CN"), PAGES, strict=True)])
def test_sentences_are_what_the_program_says(script, language, name):
    assert script["with_sentences"](read(name), language) == read(name), (
        "run docs/draw_relations.py"
    )
    quoted = re.findall(r"\(images/relation-([\w-]+)\.svg\)\n\n> ", read(name))
    assert {*quoted, "border"} == set(script["shown"]())


def test_pictures_are_svg_that_needs_nothing_else(script):
    for path, text in script["drawings"]().items():
        root = ElementTree.fromstring(text)
        assert root.get("viewBox") == "0 0 320 200", path.name
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|href|@import|<script", text)
        words = {"".join(item.itertext()) for item in root.iter("{http://www.w3.org/2000/svg}text")}
        assert all(re.fullmatch(r"[\dABCabm²%.,:+ ]+", word) for word in words), words


def test_letters_stay_on_the_sheet(script):
    wide = 6.5  # pixels a letter is wide at most, at the size that is used
    for path, text in script["drawings"]().items():
        for item in ElementTree.fromstring(text).iter("{http://www.w3.org/2000/svg}text"):
            x, y, long = float(item.get("x")), float(item.get("y")), wide * len(item.text)
            left = x - {"start": 0, "middle": long / 2, "end": long}[item.get("text-anchor")]
            assert left >= 0, (path.name, item.text)
            assert left + long <= 320, (path.name, item.text)
            assert 9 <= y <= 198, (path.name, item.text)


def test_case_that_is_judged_otherwise_is_not_drawn(script):
    (panel,) = script["shown"]()["no-permit"]
    meant = type(panel)(change=panel.change, reason="as_permitted", permits=panel.permits)
    with pytest.raises(AssertionError, match="no_permit"):
        script["draw"]((meant,))


def test_every_reason_has_a_picture_and_every_slug_is_told(script):
    reasons = {panel.reason for panels in script["shown"]().values() for panel in panels}
    assert reasons == set(REASONS)
    for name in PAGES:
        untold = [
            slug for slug in (*REASONS, *FURTHER, *NOT_JUDGED) if f"`{slug}`" not in read(name)
        ]
        assert untold == [], name


def test_both_languages_have_the_same_parts():
    english, chinese = (FENCE.sub("", read(name)) for name in PAGES)
    for pattern in (r"^(#+) ", r"\((images/[^)]+)\)", r"`([\w.]+)`"):
        found = [re.findall(pattern, text, re.MULTILINE) for text in (english, chinese)]
        if pattern.startswith("`"):
            found = [sorted(set(items)) for items in found]
        assert found[0] == found[1]
    tables = [
        [line.count("|") for line in text.splitlines() if line.startswith("|")]
        for text in (english, chinese)
    ]
    assert tables[0] == tables[1]


@pytest.mark.parametrize("name", [*PAGES, "how-it-decides.md", "formats.md"])
def test_links_lead_to_headings(name):
    def anchors(page):
        heads = re.findall(r"^#+ (.+)$", FENCE.sub("", read(page)), re.MULTILINE)
        return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}

    for file, anchor in re.findall(r"\]\(([\w./-]*)(?:#([^)\s]+))?\)", read(name)):
        assert (DOCS / file).exists(), file
        if anchor:
            assert anchor in anchors(file or name), anchor


def is_reported(outline, kind, permitted, tolerance_m):
    """Say whether a change is a suspect at a tolerance of drawing and flights together."""
    flights = tolerance_m - DEFAULT.permits.tolerance_m
    change = make_change(outline, kind, tolerance_m=flights)
    (found,) = compare([change], make_permits(make_permit(permitted)), DEFAULT, Circumstances())
    assert found.permit_tolerance_m == pytest.approx(tolerance_m)
    return is_suspect(found.reason)


def smallest_depth(kind, width, tolerance_m):
    """Return from which depth on something beyond a wall is reported, m, by halving."""
    house = box(0, 0, width, 10) if kind == "building" else box(-10, 0, width + 10, 10)
    low, high = 0.0, 10.0
    while high - low > 1e-4:
        depth = (low + high) / 2
        outline = box(0, 0 if kind == "building" else 10, width, 10 + depth)
        if is_reported(outline, kind, house, tolerance_m):
            high = depth
        else:
            low = depth
    if kind == "annex":
        # Detection drops what is smaller, and cuts off what is narrower than a metre.
        return max(high, DEFAULT.detect.min_area_m2 / width, 1.0)
    return high


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(
    ("kind", "titles"),
    [
        ("annex", ("**annex to a house that stood**", "**已有房屋的接建**")),
        ("building", ("**new house, 10 m deep by its permit,**", "**许可进深 10 m 的新建房屋**")),
    ],
)
def test_trade_is_as_the_table_says(name, kind, titles):
    rows = table(read(name), titles[PAGES.index(name)])
    assert [metres(row[0]) for row in rows] == [0.5, 1.0, 1.5, 2.0]
    for tolerance, *depths in rows:
        for width, depth in zip((5, 10, 20), depths, strict=True):
            measured = smallest_depth(kind, width, metres(tolerance))
            assert metres(depth) == pytest.approx(measured, abs=0.006), (tolerance, width)


def test_columns_and_reasons_are_those_of_the_files():
    page = read("formats.md")
    rows = table(page, "### suspects.geojson")
    assert [slug for row in rows for slug in re.findall(r"`(\w+)`", row[0])] == [*COLUMNS]
    told = {row[0].strip("`"): row[1] for row in table(page, "| `reason` | suspect |")}
    assert told == {reason: "yes" if is_suspect(reason) else "no" for reason in REASONS}
    further = next(row[2] for row in rows if row[0] == "`reasons`")
    assert re.findall(r"`(\w+)`", further) == [*FURTHER]
    excess = page[page.index("### excess.geojson") :].split("\n\n")[1]
    assert re.findall(r"`(\w+)`", excess) == [*EXCESS_COLUMNS]


@pytest.mark.parametrize("name", PAGES)
def test_example_of_severity_adds_up(name):
    rows = table(read(name), ("**An example.**", "**示例。**")[PAGES.index(name)])
    *told, total = [float(row[1]) for row in rows]
    house = {"area_m2": 120.0, "height_m": 6.4, "score": 0.9, "settings": DEFAULT.severity}
    points = points_for("no_permit", protected=20.0, **house)
    assert told == [value for _name, value in points]
    assert total == pytest.approx(math.fsum(told))
    milder = [value for _name, value in points_for("permit_expired", protected=0.0, **house)]
    assert " + ".join(map(str, milder)) + f" = {math.fsum(milder):.1f}" in read(name)


@pytest.mark.parametrize("name", PAGES)
def test_weights_are_the_defaults(name):
    severity = DEFAULT.severity
    rows = table(read(name), ("The severity puts", "严重程度用于")[PAGES.index(name)])
    told = {slug: float(row[1]) for row in rows[:6] for slug in re.findall(r"`(\w+)`", row[2])}
    assert told == {slug: getattr(severity, slug) for slug in told}
    assert set(told) == {reason for reason in REASONS if is_suspect(reason)}
    ground = {slug: float(row[1]) for row in rows[6:9] for slug in re.findall(r"`(\w+)`", row[2])}
    assert ground == dict(severity.protected)
    assert float(rows[7][1]) == severity.other_protected
    most = [float(re.search(r"\d+", row[1])[0]) for row in rows[9:]]
    assert most == [severity.size, severity.height, severity.certainty]


def test_weights_can_be_changed_as_written(tmp_path):
    english, chinese = (dict(FENCE.findall(read(name)))["toml"] for name in PAGES)
    assert english == chinese
    (tmp_path / "weights.toml").write_text(english, encoding="utf-8")
    severity = read_settings(tmp_path / "weights.toml").severity
    assert severity.permit_expired == tomllib.loads(english)["severity"]["permit_expired"]
    assert dict(severity.protected) == dict(DEFAULT.severity.protected) | {
        "farmland": 25.0,
        "饮用水源": 20.0,
    }
