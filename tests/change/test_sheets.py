"""Sheets: one page for each suspect, right in what it says and shows, inert whatever came in."""

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import unquote

import cv2
import numpy as np
import pytest
from pypdf import PdfReader
from pyproj import CRS, Transformer
from shapely import box

from change.export.dossier import Chip, Profile
from change.export.navigation import navigation_link
from change.export.sheets import SheetStyle, require_pdf, write_sheets_html, write_sheets_pdf
from change.export.sheets import fonts as sheet_fonts
from change.export.sheets.content import LOCATOR_MM, make_form, make_sheets
from change.export.sheets.locator import make_locator
from change.export.sheets.picture_drawing import draw_over_picture
from change.export.sheets.profile_drawing import draw_profile
from change.export.sheets.qr import make_code
from change.export.sheets.shapes import RED, Label, Stroke
from change.export.sheets.texts import clean, shorten
from change.fieldwork import Decision
from survey.errors import SettingsError
from tests.dossiers import HOSTILE, RECORD, made_up

ENGLISH = SheetStyle(languages=("en",), navigation="amap")
CHINESE = SheetStyle(languages=("zh_CN",), navigation="amap")
BOTH = SheetStyle(languages=("zh_CN", "en"), navigation="amap")


def western(dossier):
    """Return the dossier without a Chinese character in it."""
    named = {"township": "Xiayuan", "community": "Court 3"}
    return with_values(dossier, **named)


def with_values(dossier, **values):
    entries = [replace(item, values={**item.values, **values}) for item in dossier.entries]
    return dossier.only(entries)


def with_record(dossier, **facts):
    return replace(dossier, record={**dossier.record, **facts})


def sheets_of(dossier, style=ENGLISH):
    locator = make_locator(dossier.entries, LOCATOR_MM)
    return list(make_sheets(dossier, locator, style))


def facts_of(sheet):
    return {fact.name: fact.value for fact in (*sheet.suspect, *sheet.where, *sheet.flights)}


def packed(page):
    """Return a page's text without blanks: readers put them in where letters stand apart."""
    return re.sub(r"\s", "", page.extract_text())


@pytest.fixture
def chinese_font():
    try:
        return sheet_fonts.find_font(CHINESE, "违建核查")
    except SettingsError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Return a dossier with pictures, without Chinese characters."""
    return western(made_up(tmp_path_factory.mktemp("drawn"), 4, pictures=True))


def read_by_poppler(path):
    """Return the text of each page without blanks: pypdf reads no font with a CMap of its own."""
    program = shutil.which("pdftotext")
    if program is None:
        pytest.skip("pdftotext not found: install Debian's package poppler-utils")
    done = subprocess.run([program, path, "-"], capture_output=True, check=True)
    return [re.sub(r"\s", "", page) for page in done.stdout.decode("utf-8").split("\f")[:-1]]


def written(dossier, style, folder):
    path = folder / "sheets.pdf"
    write_sheets_pdf(dossier, path, style)
    return PdfReader(path)


def test_one_page_and_one_bookmark_for_each_suspect(drawn, tmp_path):
    reader = written(drawn, ENGLISH, tmp_path)
    assert len(reader.pages) == len(drawn.entries)
    for entry, page, mark in zip(drawn.entries, reader.pages, reader.outline, strict=True):
        text = page.extract_text()
        assert entry.id in text
        assert f"No. {entry.number}" in text
        assert entry.id in mark.title
        assert (page.mediabox.width, page.mediabox.height) == pytest.approx((595.28, 841.89))


def test_the_pdf_says_what_a_sheet_has_to_say(drawn, tmp_path):
    first = drawn.entries[0]
    text = packed(written(drawn, ENGLISH, tmp_path).pages[0])
    told = [
        first.values["why_en"],
        first.values["area_m2"],
        "2025-03-15_ortho.tif",
        "2025-12-13_ortho.tif",
        "a" * 12,
        "b" * 12,
        RECORD["run_id"],
        "EPSG:4547",
        "A suspect is a question, never a verdict",
        "Xiayuan",
        "height profile",
        "goods, soil or tarpaulin",
        "signature",
    ]
    for item in told:
        assert re.sub(r"\s", "", str(item)) in text


def test_chinese_can_be_read_back(tmp_path, chinese_font):
    reader = written(made_up(tmp_path, 3, pictures=True), BOTH, tmp_path)
    assert len(reader.pages) == 3
    text = read_by_poppler(tmp_path / "sheets.pdf")[0]
    assert "无许可覆盖" in text
    assert "Nopermitcoversthis" in text
    assert "东风镇" in text
    assert "�" not in text
    (name,) = {
        font.get_object()["/BaseFont"]
        for page in reader.pages
        for font in page["/Resources"]["/Font"].values()
    }
    assert re.fullmatch(r"/[A-Z]{6}\+.+", name), "one font, and of it what is needed"


def test_western_sheets_need_no_font_of_the_machine(drawn, tmp_path, monkeypatch):
    monkeypatch.setattr(sheet_fonts, "font_folders", list)
    reader = written(drawn, ENGLISH, tmp_path)
    names = {
        font.get_object()["/BaseFont"] for font in reader.pages[0]["/Resources"]["/Font"].values()
    }
    assert names == {"/Helvetica", "/Helvetica-Bold"}
    assert "area (m²)" in reader.pages[0].extract_text()


def test_chinese_without_a_font_is_refused_with_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(sheet_fonts, "font_folders", list)
    with pytest.raises(SettingsError, match=r"fonts-noto-cjk.*--font"):
        write_sheets_pdf(made_up(tmp_path, 2), tmp_path / "sheets.pdf", ENGLISH)
    assert not (tmp_path / "sheets.pdf").exists()


def test_without_fpdf2_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "fpdf", None)
    with pytest.raises(SettingsError, match=r'pip install "orthowatch\[pdf\]"'):
        require_pdf()


def test_pictures_go_into_the_pdf_as_they_are(drawn, tmp_path):
    written(drawn, ENGLISH, tmp_path)
    content = (tmp_path / "sheets.pdf").read_bytes()
    for entry in drawn.entries:
        for role in ("before", "after"):
            assert (drawn.folder / entry.picture(role, marked=False)).read_bytes() in content


def test_a_lost_picture_costs_no_sheet(tmp_path):
    dossier = western(made_up(tmp_path, 2, pictures=True))
    (tmp_path / dossier.entries[0].picture("before", marked=False)).unlink()
    (tmp_path / dossier.entries[0].picture("after", marked=False)).write_bytes(b"no JPEG")
    reader = written(dossier, ENGLISH, tmp_path)
    assert reader.pages[0].extract_text().count("no picture") == 2
    assert "no picture" not in reader.pages[1].extract_text()


@pytest.mark.parametrize("vendor", ["amap", "tencent", "geo", "none"])
def test_links_lead_where_the_setting_says(drawn, tmp_path, vendor):
    style = replace(ENGLISH, navigation=vendor)
    (entry, *_rest) = drawn.entries
    name = f"1 {entry.id}"
    link = navigation_link(vendor, lon=entry.lon, lat=entry.lat, name=name)
    page = written(drawn, style, tmp_path).pages[0]
    links = [a.get_object()["/A"]["/URI"] for a in page.get("/Annots", [])]
    assert links == ([] if link is None else [link])
    write_sheets_html(drawn, tmp_path / "sheets.html", style)
    found = tags_of(tmp_path / "sheets.html").links
    assert len(found) == (0 if link is None else 4)
    assert link is None or found[0] == link


def test_the_code_is_read_by_another_reader():
    link = navigation_link("amap", lon=113.37, lat=23.1, name="12 0123456789ab")
    code = make_code(link)
    image = np.full((code.modules, code.modules), 255, np.uint8)
    for col, row, length in code.bars:
        image[row, col : col + length] = 0
    image = cv2.resize(image, None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST)
    assert cv2.QRCodeDetector().detectAndDecode(image)[0] == link


def test_coordinates_lead_back_to_the_same_point(drawn):
    back = Transformer.from_crs(CRS.from_epsg(4547), CRS.from_epsg(4326), always_xy=True)
    for entry, sheet in zip(drawn.entries, sheets_of(drawn), strict=True):
        told = facts_of(sheet)
        lon, lat = back.transform(float(told["east (m)"]), float(told["north (m)"]))
        degrees = [float(part) for part in told["lat, lon (WGS 84)"].split(",")]
        assert degrees == pytest.approx([lat, lon], abs=1e-7)
        north, east = re.findall(r"(\d+)°(\d\d)'(\d\d\.\d\d)\"", told[""])
        for value, parts in ((entry.lat, north), (entry.lon, east)):
            degree, minute, second = map(float, parts)
            assert degree + minute / 60 + second / 3600 == pytest.approx(value, abs=2e-6)
        assert told["coordinates"].startswith("EPSG:4547 CGCS2000")


def test_the_outline_lies_where_it_lies_on_the_ground():
    chip = Chip(left=1000.0, top=2000.0, pixel_m=0.1, side_px=480, roles=("before",))
    drawing = draw_over_picture(chip, box(1012.0, 1976.0, 1024.0, 1988.0), 96.0)
    red = [s for s in drawing.shapes if isinstance(s, Stroke) and s.colour == RED]
    # 48 m take 96 mm: two millimetres a metre, down from the northern edge.
    corners = {(round(x, 6), round(y, 6)) for stroke in red for x, y in stroke.points}
    assert corners == {(24.0, 24.0), (48.0, 24.0), (48.0, 48.0), (24.0, 48.0)}
    (bar,) = [s for s in drawing.shapes if isinstance(s, Stroke) and s.colour != RED][:1]
    (label,) = [s.text for s in drawing.shapes if isinstance(s, Label) and s.text != "N"]
    assert (bar.points[2][0] - bar.points[1][0]) / 2.0 == pytest.approx(float(label[:-2]))


def test_an_outline_larger_than_the_picture_has_no_edge_along_the_frame():
    chip = Chip(left=0.0, top=48.0, pixel_m=0.1, side_px=480, roles=("before",))
    drawing = draw_over_picture(chip, box(-10.0, 20.0, 60.0, 30.0), 48.0)
    red = [s for s in drawing.shapes if isinstance(s, Stroke) and s.colour == RED]
    assert sorted({round(y, 6) for stroke in red for _x, y in stroke.points}) == [18.0, 28.0]


def test_the_locator_marks_the_suspect_among_the_others(drawn):
    locator = make_locator(drawn.entries, LOCATOR_MM)
    pixels = cv2.imdecode(np.frombuffer(locator.png, np.uint8), cv2.IMREAD_COLOR)
    for entry in drawn.entries:
        centre = entry.outline.centroid
        *_arms, _white, ring, _dot = locator.mark(centre.x, centre.y, LOCATOR_MM).shapes
        x, y = np.mean(ring.points[:-1], axis=0)
        assert 0 < x < LOCATOR_MM
        assert 0 < y < LOCATOR_MM
        scale = pixels.shape[0] / LOCATOR_MM
        assert pixels[round(y * scale), round(x * scale)].tolist() == [150, 110, 70]


def heights(before, after):
    return Profile(distance_m=(0.0, 4.0, 8.0, 12.0), before_m=before, after_m=after)


PROFILE_WORDS = ("before", "after", "along", "height")


def test_a_profile_is_drawn_to_scale_and_broken_where_nothing_is_known():
    drawing = draw_profile(
        heights((10.0, 10.0, None, 10.0), (10.0, 14.0, 14.0, 10.0)), (91.0, 32.0), PROFILE_WORDS
    )
    curves = [s for s in drawing.shapes if isinstance(s, Stroke) and s.width == 0.45]
    before = [s for s in curves if s.dashed]
    (after,) = [s for s in curves if not s.dashed]
    assert len(before) == 2
    ticks = {
        s.text: s.y - 0.7
        for s in drawing.shapes
        if isinstance(s, Label) and s.anchor == "end" and s.text.isdigit()
    }
    assert after.points[0][1] == pytest.approx(ticks["10"])
    assert after.points[1][1] == pytest.approx(ticks["14"])


@pytest.mark.parametrize(
    "profile",
    [
        heights((None,) * 4, (None,) * 4),
        Profile(distance_m=(), before_m=(), after_m=()),
        Profile(distance_m=(0.0,), before_m=(1.0,), after_m=(2.0,)),
        Profile(distance_m=(3.0, 3.0), before_m=(1.0, 1.0), after_m=(2.0, 2.0)),
    ],
)
def test_a_profile_of_nothing_is_not_drawn(profile):
    assert draw_profile(profile, (91.0, 32.0), PROFILE_WORDS) is None


@pytest.mark.parametrize("verdict", ["unverified", "refused"])
def test_an_alignment_in_doubt_is_said_aloud(drawn, tmp_path, verdict):
    doubtful = with_values(drawn, verdict=verdict)
    assert all(sheet.loud is None for sheet in sheets_of(drawn))
    assert "measure at the place" in packed_words(sheets_of(doubtful)[0].loud)
    page = written(doubtful, ENGLISH, tmp_path).pages[0]
    assert "measureattheplace" in packed(page)
    write_sheets_html(doubtful, tmp_path / "sheets.html", ENGLISH)
    assert (tmp_path / "sheets.html").read_text().count('class="loud') == 4


def packed_words(text):
    return " ".join(text.split())


def test_an_inventory_has_one_picture_and_no_alignment(drawn, tmp_path):
    record = {key: value for key, value in RECORD.items() if key not in ("flights", "alignment")}
    record |= {
        "flight": {"name": "only.tif", "flown_on": "2025-12-13"},
        "inputs": [{"role": "ortho", "name": "only.tif", "size": 1, "sha256": "c" * 64}],
    }
    alone = replace(with_values(drawn, verdict=None, flown_after=None), record=record)
    sheet = sheets_of(alone)[0]
    assert [photo.caption for photo in sheet.photos] == ["flight  2025-03-15"]
    assert sheet.loud is None
    assert sheet.sources[0].startswith("flight: only.tif  SHA-256 cccccccccccc")
    assert "alignment: none" in sheet.sources[1]
    reader = written(alone, ENGLISH, tmp_path)
    assert reader.metadata.creation_date.date().isoformat() == "2025-12-13"


def test_nothing_known_leaves_no_hole_and_no_word_none(tmp_path):
    dossier = made_up(tmp_path, 1)
    nothing = with_values(dossier, **dict.fromkeys(dossier.entries[0].values))
    bare = replace(nothing, record={"run_id": "0", "generator": "orthowatch"})
    reader = written(bare, ENGLISH, tmp_path)
    assert "None" not in reader.pages[0].extract_text()
    assert reader.metadata.creation_date.year == 1980
    write_sheets_html(bare, tmp_path / "sheets.html", ENGLISH)
    assert "None" not in (tmp_path / "sheets.html").read_text().split("</style>")[1]


def test_what_was_said_at_the_desk_stands_on_the_sheet(drawn):
    entry = drawn.entries[1]
    said = Decision(id=entry.id, answer="dismissed", dismissal="shadow", note="only dark", by="Li")
    sheets = sheets_of(drawn.decided({entry.id: said}))
    told = facts_of(sheets[1])["said at the desk"]
    assert told == "dismissed; shadow or light; only dark; Li"
    assert "said at the desk" not in facts_of(sheets[0])


def test_the_form_offers_every_answer_and_reason():
    form = make_form(ENGLISH)
    assert form.answers == ("confirmed", "dismissed", "unsure")
    assert len(form.dismissals) == 10


def test_the_same_dossier_gives_the_same_bytes(drawn, tmp_path):
    for name in ("a", "b"):
        write_sheets_pdf(drawn, tmp_path / f"{name}.pdf", ENGLISH)
        write_sheets_html(drawn, tmp_path / f"{name}.html", ENGLISH)
    for ending in ("pdf", "html"):
        assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()
    made = PdfReader(tmp_path / "a.pdf").metadata.creation_date
    assert made.date().isoformat() == "2025-12-13"


def test_a_dossier_without_suspects_gives_files_that_open(drawn, tmp_path):
    empty = drawn.only([])
    assert len(written(empty, ENGLISH, tmp_path).pages) == 1
    write_sheets_html(empty, tmp_path / "sheets.html", ENGLISH)
    assert tags_of(tmp_path / "sheets.html").names.count("article") == 0


class Tags(HTMLParser):
    """What a page consists of."""

    def __init__(self):
        super().__init__()
        self.names, self.attributes, self.links, self.pictures, self.text = [], set(), [], [], []

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.attributes |= {name for name, _value in attrs}
        found = dict(attrs)
        if tag == "a":
            self.links.append(found["href"])
        if tag == "img":
            self.pictures.append(found["src"])

    def handle_data(self, data):
        self.text.append(data)


def tags_of(path):
    tags = Tags()
    tags.feed(path.read_text(encoding="utf-8"))
    return tags


def test_the_page_finds_its_pictures(drawn, tmp_path):
    write_sheets_html(drawn, tmp_path / "sheets.html", ENGLISH, prefix="../结果 1/")
    tags = tags_of(tmp_path / "sheets.html")
    assert tags.names.count("article") == 4
    assert len(tags.pictures) == 8
    for name in tags.pictures:
        assert name.isascii()
        assert (drawn.folder / unquote(name).removeprefix("../结果 1/")).is_file()


def test_the_page_asks_nobody_for_anything(drawn, tmp_path):
    write_sheets_html(drawn, tmp_path / "sheets.html", BOTH)
    text = (tmp_path / "sheets.html").read_text(encoding="utf-8")
    assert re.findall(r"(?:src|url\()=?\"?https?:", text) == []
    assert "default-src 'none'" in text


HOSTILE_TAGS = {"script", "iframe", "object", "x"}


@pytest.mark.parametrize("style", [ENGLISH, BOTH], ids=["en", "both"])
def test_hostile_texts_are_inert_in_the_page(tmp_path, style):
    dossier = made_up(tmp_path, 2 * len(HOSTILE), pictures=True, texts=HOSTILE)
    write_sheets_html(dossier, tmp_path / "sheets.html", style)
    tags = tags_of(tmp_path / "sheets.html")
    assert tags.names.count("article") == 2 * len(HOSTILE)
    assert not HOSTILE_TAGS & set(tags.names)
    assert not [name for name in tags.attributes if name.startswith("on")]
    assert {link.split(":")[0] for link in tags.links} == {"https"}
    assert "<script>alert(1)</script>" in "".join(tags.text)
    assert "{{ 7*7 }}" in "".join(tags.text)
    assert not set("\x00\x0b\u202e") & set((tmp_path / "sheets.html").read_text(encoding="utf-8"))


@pytest.mark.parametrize("style", [ENGLISH, BOTH], ids=["en", "both"])
def test_hostile_texts_are_inert_in_the_pdf(tmp_path, style, chinese_font):
    dossier = made_up(tmp_path, len(HOSTILE), pictures=True, texts=HOSTILE)
    reader = written(with_record(dossier, version=HOSTILE[12]), style, tmp_path)
    assert len(reader.pages) == len(HOSTILE)
    texts = read_by_poppler(tmp_path / "sheets.pdf")
    for entry, text in zip(dossier.entries, texts, strict=True):
        assert entry.id in text
        assert "Asuspectisaquestion" in text
    assert "〔U+1F600〕建筑〔U+1F3D7〕" in texts[HOSTILE.index("😀建筑🏗")]
    assert "gnp.exe" in texts[HOSTILE.index("\u202egnp.exe")]
    assert "…" in texts[HOSTILE.index("长" * 10_000)]
    assert b"/JavaScript" not in (tmp_path / "sheets.pdf").read_bytes()


@pytest.mark.browser
def test_chromium_prints_one_page_for_each_suspect(tmp_path):
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium not found: install Debian's package chromium")
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright not found: install the extra [dev]"
    )
    dossier = made_up(tmp_path, len(HOSTILE), pictures=True, texts=HOSTILE)
    doubtful = with_values(dossier, verdict="unverified")
    # In two languages there is the least room.
    write_sheets_html(doubtful, tmp_path / "sheets.html", BOTH)
    wrong = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(offline=True)
        page.on("console", lambda message: wrong.append(message.text))
        page.on("dialog", lambda dialog: (wrong.append("dialog"), dialog.dismiss()))
        page.on("requestfailed", lambda request: wrong.append(request.url))
        page.goto((tmp_path / "sheets.html").as_uri())
        page.pdf(path=tmp_path / "printed.pdf", prefer_css_page_size=True)
        ends = page.evaluate(
            "[...document.querySelectorAll('.sheet')].map(sheet => {"
            " const foot = sheet.querySelector('footer').getBoundingClientRect();"
            " return sheet.getBoundingClientRect().bottom - foot.bottom; })"
        )
        browser.close()
    assert wrong == []
    assert min(ends) > 0, "the footer lies on the sheet, whatever stands above it"
    printed = PdfReader(tmp_path / "printed.pdf")
    assert len(printed.pages) == len(HOSTILE)
    assert all(len(page.images) >= 3 for page in printed.pages), "both pictures and the map"


def test_clean_text_has_nothing_unseen():
    for text in HOSTILE:
        assert clean(text).isprintable()
    assert clean(None) == ""
    assert clean("\ud800a\u200bb\ufeff\u2028c") == "ab c"


def test_long_texts_are_cut_and_say_so():
    assert len(shorten("长" * 10_000, 60)) == 60
    assert shorten("长" * 10_000, 60).endswith("…")
    assert shorten("\u200b" * 900 + "a", 60).endswith("…")
    assert shorten("short", 60) == "short"
