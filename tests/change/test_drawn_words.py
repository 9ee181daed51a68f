"""Words in the drawn pictures: Chinese where a font on the machine shows them, never boxes."""

import string
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from fontTools.ttLib import TTCollection
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from change.export import drawn_words, field_map
from change.export.drawing import flight_title
from change.export.drawn_words import Face, find_face, legible, load_font, say, write_line
from change.export.font_files import font_folders
from survey.words import N_, _, spoken_in
from tests.toy_fonts import PLAIN, toy_font

# More than is asked of a font for Chinese, with what the catalogue calls an unknown date.
CHINESE = PLAIN + "疑似图斑许残误违建揭东日期不明"
UNKNOWN = N_("date unknown")
INK, PAPER = (20, 20, 20), (255, 255, 255)


@pytest.fixture
def fonts(tmp_path, monkeypatch):
    """Return the only folder in which fonts are looked for."""
    monkeypatch.setattr(drawn_words, "font_folders", lambda: [tmp_path])
    return tmp_path


@pytest.fixture
def chinese(fonts):
    """Return the folder with a font for Chinese."""
    toy_font("Toy Sans SC", CHINESE).save(fonts / "SimHei.ttf")
    return fonts


def pixels(font, text):
    return bytes(font.getmask(text))


def written(write):
    page = Image.new("RGB", (400, 80), PAPER)
    write(ImageDraw.Draw(page))
    return np.asarray(page)


def test_the_simplified_chinese_of_a_collection_is_taken(tmp_path):
    collection = TTCollection()
    collection.fonts = [
        toy_font("Toy Sans JP", CHINESE),
        toy_font("Toy Sans Mono SC", CHINESE),
        toy_font("Toy Sans SC", CHINESE, style="Heavy"),
        toy_font("Toy Sans SC", CHINESE),
        toy_font("Toy Sans SC", CHINESE, style="Thin"),
    ]
    collection.save(tmp_path / "NotoSansCJK-Regular.ttc")
    path = tmp_path / "NotoSansCJK-Regular.ttc"
    assert find_face((tmp_path / "none", tmp_path)) == Face(path=path, index=3)


def test_fonts_without_chinese_and_damaged_ones_are_passed_over(tmp_path):
    (tmp_path / "NotoSansCJK-Regular.ttc").write_bytes(b"ttcf damaged")
    (tmp_path / "NotoSansSC-Regular.otf").write_bytes(b"OTTO")
    (tmp_path / "msyh.ttc").write_bytes(b"")
    toy_font("Traditional", CHINESE.replace("图", "圖")).save(tmp_path / "msyh.ttf")
    toy_font("Blank", CHINESE, letter=0).save(tmp_path / "deng.ttf")
    assert find_face((tmp_path,)) is None
    folder = tmp_path / "more"
    folder.mkdir()
    toy_font("Toy", CHINESE).save(folder / "wqy-zenhei.ttc")
    assert find_face((folder, tmp_path)).path.name == "wqy-zenhei.ttc"


@pytest.mark.parametrize("missing", [0, 500], ids=["nothing", "a box"])
def test_a_letter_that_is_missing_is_told_from_one_that_is_there(tmp_path, missing):
    toy_font("Toy", CHINESE, missing=missing).save(tmp_path / "toy.ttf")
    face = Face(path=tmp_path / "toy.ttf", index=0)
    assert face.shows("违 建 a0")
    assert not any(face.shows(char) for char in "²厂😀\u05d0")


def test_a_variable_font_is_of_even_weight(tmp_path):
    toy_font("Toy", CHINESE, letter=400, variable=True).save(tmp_path / "toy.ttf")
    font = Face(path=tmp_path / "toy.ttf", index=0).sized(100)
    page = written(lambda draw: draw.text((0, 0), "违", INK, font))
    # 40 pixels at the least weight of 100, 80 at 900.
    assert np.count_nonzero((page < 128).any(axis=(0, 2))) == pytest.approx(
        40 + 40 * (400 - 100) / (900 - 100), abs=1
    )


def test_only_pillow_is_needed(chinese, monkeypatch):
    for name in ("fontTools", "fontTools.ttLib", "fpdf"):
        monkeypatch.setitem(sys.modules, name, None)
    assert find_face((chinese,)).path.name == "SimHei.ttf"


def test_a_service_without_a_home_has_the_fonts_of_the_machine(monkeypatch):
    def nobody():
        raise RuntimeError("Could not determine home directory.")

    all_folders = font_folders()
    monkeypatch.setattr("change.export.font_files.Path.home", nobody)
    assert 0 < len(font_folders()) < len(all_folders)
    assert set(font_folders()) < set(all_folders)


def test_english_is_written_in_the_font_of_pillow(chinese):
    assert say(UNKNOWN) == "date unknown"
    assert pixels(load_font(24), "N 20 m") == pixels(ImageFont.load_default(24), "N 20 m")


def test_chinese_is_written_where_a_font_shows_it(chinese):
    with spoken_in("zh_CN"):
        assert say(UNKNOWN) == _(UNKNOWN) != "date unknown"
        assert load_font(24).getname() == ("Toy Sans SC", "Regular")


def test_without_a_font_the_words_stay_english(fonts):
    toy_font("Latin", PLAIN).save(fonts / "Arial.ttf")
    with spoken_in("zh_CN"):
        assert say(UNKNOWN) == "date unknown"
        assert legible("揭东.tif") == "??.tif"
        assert pixels(load_font(24), "N 20 m") == pixels(ImageFont.load_default(24), "N 20 m")


def test_a_sentence_with_a_letter_that_is_missing_stays_english(fonts):
    toy_font("Toy", CHINESE.replace("期", "")).save(fonts / "SimHei.ttf")
    with spoken_in("zh_CN"):
        assert "期" in _(UNKNOWN)
        assert say(UNKNOWN) == "date unknown"


def test_what_is_not_shown_is_a_question_mark(chinese):
    name = "揭东厂\n\0\u202e\udc80😀.tif"
    assert legible(name) == "????????.tif"
    with spoken_in("zh_CN"):
        assert legible(name) == "揭东??????.tif"


@given(name=st.text(max_size=30), width=st.integers(0, 500))
def test_a_title_is_never_wider_than_its_room(name, width):
    flight = SimpleNamespace(flown_on=None, name=name)
    font = load_font(24)
    title = flight_title("BEFORE", flight, width, font)
    assert title.isascii()
    assert title.isprintable()
    assert title == "..." or font.getlength(title) <= width


@pytest.mark.parametrize(("to_left", "anchor"), [(False, "la"), (True, "ra")])
@pytest.mark.parametrize("size", [18, 24, 36, 40])
def test_a_line_in_english_lies_where_pillow_puts_it(to_left, anchor, size):
    font, at = load_font(size), (200.4, 9)
    ours = written(lambda draw: write_line(draw, at, "776 m2 gy", INK, font, to_left=to_left))
    theirs = written(lambda draw: draw.text(at, "776 m2 gy", INK, font, anchor))
    np.testing.assert_array_equal(ours, theirs)


def test_all_fonts_stand_on_one_base_line(chinese):
    """The toy font's ascent is a fifth higher than that of the built-in one."""
    bottoms = []
    for language in ("en", "zh_CN"):
        with spoken_in(language):
            font = load_font(40)
            page = written(lambda draw, font=font: write_line(draw, (5, 5), "N", INK, font))
        bottoms.append(np.flatnonzero((page < 128).any(axis=(1, 2))).max())
    assert bottoms[0] == bottoms[1]


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_legends_have_a_label_for_each_step(language):
    with spoken_in(language):
        for labels, steps in (
            (field_map._RESIDUAL_STEPS, field_map._RESIDUALS),
            (field_map._VEIL_STEPS, field_map._VEILS),
        ):
            assert len(_(labels).split(" | ")) == len(steps)


def test_the_words_before_the_look_up_are_plain():
    """They are what is shown where no font is found."""
    words = [field_map._RESIDUAL_STEPS, field_map._VEIL_STEPS, *field_map._VERDICTS.values()]
    assert all(set(word) <= set(string.printable) for word in words)
