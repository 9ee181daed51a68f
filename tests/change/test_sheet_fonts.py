"""Fonts of the sheets: which is found, what it cannot show, where its lines break."""

import shutil

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTCollection, TTFont
from fontTools.ttLib.tables.TupleVariation import TupleVariation
from hypothesis import given
from hypothesis import strategies as st

from change.export.sheets import SheetStyle, find_font
from change.export.sheets.fonts import fixed_font, font_folders, legible
from change.export.sheets.lettering import Lettering
from survey.errors import SettingsError

STYLE = SheetStyle(languages=("zh_CN",), navigation="none")
STAND_INS = "…〔〕[]+0123456789ABCDEFU"


def square(side):
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, side), (side, side), (side, 0)):
        pen.lineTo(corner)
    pen.closePath()
    return pen.glyph()


def make_font(name, characters, *, variable=False):
    """Return a font whose letters are squares."""
    glyphs = [".notdef", *(f"u{ord(char):04X}" for char in characters)]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(glyphs)
    builder.setupCharacterMap({ord(char): f"u{ord(char):04X}" for char in characters})
    builder.setupGlyf({glyph: square(500) for glyph in glyphs})
    builder.setupHorizontalMetrics(dict.fromkeys(glyphs, (600, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": name, "styleName": "Regular", "fullName": name})
    builder.setupOS2()
    builder.setupPost()
    if variable:
        builder.setupFvar([("wght", 100, 100, 900, "Weight")], [])
        # The heaviest is 400 wider: at 400 a letter is 150 wider than at 100.
        wider = [(0, 0), (0, 0), (400, 0), (400, 0), (0, 0), (0, 0), (0, 0), (0, 0)]
        builder.setupGvar({glyph: [TupleVariation({"wght": (0, 1, 1)}, wider)] for glyph in glyphs})
    return builder.font


def save_collection(path, fonts):
    collection = TTCollection()
    collection.fonts = fonts
    collection.save(path)


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a collection in which Simplified Chinese is the third."""
    (tmp_path / "opentype").mkdir()
    fonts = [
        make_font("Toy Sans JP", "ab高"),
        make_font("Toy Mono SC", "ab违建高"),
        make_font("Toy Sans SC", "ab违建高" + STAND_INS),
        make_font("Toy Sans SC Bold", "ab违建高"),
    ]
    save_collection(tmp_path / "opentype" / "NotoSansCJK-Regular.ttc", fonts)
    return tmp_path


def test_the_simplified_chinese_font_of_a_collection_is_taken(folder):
    font = find_font(STYLE, "a违建", lambda: [folder / "none", folder])
    assert font.path.name == "NotoSansCJK-Regular.ttc"
    assert font.index == 2
    assert ord("违") in font.characters


def test_a_font_without_the_characters_is_passed_over(folder):
    make_font("Hei", "ab违建厂").save(folder / "SimHei.TTF")
    font = find_font(STYLE, "违厂", lambda: [folder])
    assert font.path.name == "SimHei.TTF"


def test_western_texts_need_no_font(folder):
    assert find_font(STYLE, "m² – “x” …", lambda: [folder]) is None


def test_texts_that_no_font_shows_are_refused_by_name(folder):
    with pytest.raises(SettingsError, match=r"厂.*fonts-noto-cjk.*--font"):
        find_font(STYLE, "违厂", lambda: [folder])


def test_what_is_rarer_than_chinese_is_no_reason_to_refuse(folder):
    assert find_font(STYLE, "😀", list) is None
    assert find_font(STYLE, "😀违", lambda: [folder]).index == 2


def test_the_font_named_overrules(folder):
    path = folder / "mine.ttf"
    make_font("Mine", "ab违建高").save(path)
    style = SheetStyle(languages=("en",), navigation="none", font=path)
    assert find_font(style, "ab", lambda: [folder]).path == path


def test_a_named_font_without_chinese_is_refused(folder):
    path = folder / "latin.ttf"
    make_font("Latin", "ab").save(path)
    style = SheetStyle(languages=("zh_CN",), navigation="none", font=path)
    with pytest.raises(SettingsError, match=r"latin.ttf.*违.*--font.*fonts-noto-cjk"):
        find_font(style, "a违")


@pytest.mark.parametrize(
    "content", [b"", b"no font at all", b"ttcf\x00\x01\x00\x00\x00\x00\x00\x09"]
)
@pytest.mark.parametrize("name", ["mine.ttf", "mine.ttc"])
def test_a_named_file_that_is_no_font_is_refused(tmp_path, content, name):
    (tmp_path / name).write_bytes(content)
    style = SheetStyle(languages=("en",), navigation="none", font=tmp_path / name)
    with pytest.raises(SettingsError, match="not a font"):
        find_font(style, "a")


def test_a_damaged_font_among_others_is_passed_over(folder):
    (folder / "msyh.ttc").write_bytes(b"ttcf damaged")
    (folder / "notosanscjksc-regular.otf").write_bytes(b"OTTO")
    assert find_font(STYLE, "违", lambda: [folder]).index == 2


def test_a_variable_font_is_fixed_at_even_weight(tmp_path):
    path = tmp_path / "NotoSansSC[wght].ttf"
    make_font("Toy Sans SC", "a违建" + STAND_INS, variable=True).save(path)
    font = find_font(STYLE, "a违", lambda: [tmp_path])
    assert font.variable
    with fixed_font(font, "a违") as fixed, TTFont(fixed.path) as saved:
        assert "fvar" not in saved
        assert {ord("a"), ord("违"), ord("…")} <= set(saved.getBestCmap())
        assert ord("建") not in saved.getBestCmap()
        right = max(x for x, _y in saved["glyf"][saved.getBestCmap()[ord("违")]].coordinates)
        assert right == 500 + 400 * (400 - 100) // (900 - 100)
        kept = fixed.path
    assert not kept.exists()


def test_the_folders_of_all_systems_are_looked_through():
    told = " ".join(map(str, font_folders()))
    for part in ("/usr/share/fonts", "Windows/Fonts", "/System/Library/Fonts", ".local/share"):
        assert part in told


def test_what_a_font_lacks_is_told_by_number(folder):
    font = find_font(STYLE, "违", lambda: [folder])
    assert legible("违😀b", font) == "违〔U+1F600〕b"
    assert legible("²–😀", None) == "²–[U+1F600]"


@pytest.mark.skipif(shutil.which("fc-list") is None, reason="fc-list not found: fontconfig")
def test_debians_font_is_found_where_it_lies():
    try:
        font = find_font(STYLE, "违建核查")
    except SettingsError as error:
        pytest.skip(str(error))
    assert font.path.is_file()


LETTERS = Lettering(lambda char: 500.0 if char.isascii() else 1000.0)
TEXTS = st.text(st.sampled_from("ab ，。违建…"), max_size=200)


@given(TEXTS, st.integers(1, 5))
def test_lines_are_never_longer_than_their_room(text, most):
    lines = LETTERS.wrap(text, 10.0, 20.0, most)
    assert len(lines) <= most
    assert all(LETTERS.width(line, 10.0) <= 20.0 + 1e-9 for line in lines)


@given(TEXTS)
def test_nothing_is_lost_where_there_are_lines_enough(text):
    lines = LETTERS.wrap(text, 10.0, 20.0, 500)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_words_stay_whole_and_commas_stand_at_no_start():
    assert LETTERS.wrap("two words here", 10.0, 16.0, 3) == ["two words", "here"]
    lines = LETTERS.wrap("违建违建，违建", 10.0, 14.2, 3)
    assert lines == ["违建违", "建，违建"]


def test_a_text_is_made_smaller_before_it_is_cut():
    text = "违" * 20
    fitted, size = LETTERS.fit(text, 10.0, 50.0, 5.0)
    assert fitted == text
    assert 5.0 < size < 10.0
    cut, least = LETTERS.fit(text * 9, 10.0, 50.0, 5.0)
    assert least == 5.0
    assert cut.endswith("…")
    assert LETTERS.width(cut, least) <= 50.0 + 1e-5
