"""The spreadsheet, read back by openpyxl."""

from dataclasses import replace
from datetime import date
from zipfile import ZipFile

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.worksheet.worksheet import Worksheet
from xlsxwriter.exceptions import FileCreateError

from change.export import workbook
from change.export.cell_text import clean_text
from change.export.dossier import Dossier
from change.export.row_height import row_height
from change.export.sheet_names import sheet_names
from change.export.table import (
    ListStyle,
    container_day,
    list_style,
    make_ledger,
)
from change.export.word_list import WORD_SHEET
from change.export.workbook import write_workbook
from change.fieldwork import ANSWER_WORDS, ANSWERS, DISMISSALS, Decision
from survey.errors import OutputError, SettingsError
from survey.settings import ExportSettings
from tests.dossiers import HOSTILE, made_up

ENGLISH = ListStyle(languages=("en",), navigation="amap", pictures=True)
BOTH = replace(ENGLISH, languages=("zh_CN", "en"))
# Text that XlsxWriter and Excel have their own ideas about.
TRICKY = (
    "<r><t>bold</t></r>",
    "<r><rPr/></r>",
    "_x0041_",
    "_x000D_",
    "a" * 40_000,
    "🏗" * 20_000,
    "\ud800",
    "http://x.invalid",
    "internal:Sheet1!A1",
    "&[Picture]&G&L",
    "{=1+1}",
)


def opened(path) -> openpyxl.Workbook:
    return openpyxl.load_workbook(path)


def written(dossier: Dossier, folder, style=ENGLISH, by=None) -> openpyxl.Workbook:
    write_workbook(dossier, folder / "list.xlsx", style, by=by)
    return opened(folder / "list.xlsx")


def meanings(book: openpyxl.Workbook) -> dict[str, dict[str, str]]:
    """Return what words mean, as whoever reads a filled-in list back finds it in the file."""
    found: dict[str, dict[str, str]] = {}
    for about, slug, word in book[WORD_SHEET].iter_rows(values_only=True):
        assert found.setdefault(about, {}).setdefault(word, slug) == slug
    return found


def rows(sheet: Worksheet, book: openpyxl.Workbook) -> list[dict[str, object]]:
    columns = meanings(book)["column"]
    heads = [columns[cell.value] for cell in sheet[1]]
    return [dict(zip(heads, row, strict=True)) for row in sheet.iter_rows(2, values_only=True)]


def column_of(sheet: Worksheet, book: openpyxl.Workbook, name: str) -> str:
    columns = meanings(book)["column"]
    return next(cell.column_letter for cell in sheet[1] if columns[cell.value] == name)


@pytest.mark.parametrize("style", [ENGLISH, BOTH, replace(BOTH, languages=("zh_CN",))])
def test_every_suspect_by_its_id_in_any_language(tmp_path, style):
    dossier = made_up(tmp_path, 30)
    book = written(dossier, tmp_path, style)
    read = rows(book.worksheets[0], book)
    assert [row["id"] for row in read] == [entry.id for entry in dossier.entries]
    words = meanings(book)
    assert [words["reason"][row["reason"]] for row in read] == [
        entry.values["reason"] for entry in dossier.entries
    ]
    assert {row["run_id"] for row in read} == {dossier.run_id}
    assert words["run"] == {"": dossier.run_id}


def test_types_of_values(tmp_path):
    book = written(made_up(tmp_path, 3), tmp_path)
    first = rows(book.worksheets[0], book)[1]
    assert first["found_on"].date() == date(2025, 12, 13)
    assert first["area_m2"] == pytest.approx(116.3)
    assert first["longitude"] == pytest.approx(114.3618034)
    assert first["cell"] == "449901001000001"
    assert first["permit_number"] == "GH-2025-0001"
    assert first["kind"] == "shed"
    assert first["why_en"].startswith("No permit covers this")
    assert "why_zh" not in first
    assert [first[name] for name in ("case_number", "answer", "notice_on", "remark")] == [None] * 4


def test_nothing_calculates_and_no_text_is_lost(tmp_path):
    texts = (*HOSTILE, *TRICKY)
    book = written(made_up(tmp_path, len(texts), texts=texts), tmp_path, BOTH, by="township")
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type in ("s", "n", "d", "inlineStr")
                if cell.hyperlink is not None:
                    assert cell.hyperlink.target.startswith("https://uri.amap.com/")
    read = rows(book.worksheets[0], book)
    # How the format writes an underscore that could be mistaken; openpyxl leaves that as it is.
    told = [(row["township"] or "").strip().replace("_x005F_", "_") for row in read]
    assert told == [clean_text(text) for text in texts]


def test_packed_parts_are_xml_without_formulas(tmp_path):
    texts = (*HOSTILE, *TRICKY)
    written(made_up(tmp_path, len(texts), texts=texts), tmp_path)
    with ZipFile(tmp_path / "list.xlsx") as packed:
        sheet = packed.read("xl/worksheets/sheet1.xml")
        assert b"<f>" not in sheet
        assert b"<script" not in sheet
        assert not [name for name in packed.namelist() if "vba" in name or "external" in name]


def test_drop_downs_and_what_may_be_entered(tmp_path):
    book = written(made_up(tmp_path, 12), tmp_path, BOTH)
    sheet = book.worksheets[0]
    rules = {str(rule.sqref): rule for rule in sheet.data_validations.dataValidation}
    words = meanings(book)
    for name, slugs in (("answer", ANSWERS), ("dismissal", DISMISSALS)):
        letter = column_of(sheet, book, name)
        rule = rules.pop(f"{letter}2:{letter}13")
        assert rule.type == "list"
        title, cells = rule.formula1.split("!")
        offered = [cell.value for (cell,) in book[title][cells.replace("$", "")]]
        assert [words[name][word] for word in offered] == list(slugs)
    kinds = sorted(rule.type for rule in rules.values())
    assert kinds == ["date", "date", "date", "date", "decimal"]
    assert book[WORD_SHEET].sheet_state == "hidden"


def test_page_and_view(tmp_path):
    book = written(made_up(tmp_path, 12), tmp_path)
    sheet = book.worksheets[0]
    assert sheet.freeze_panes == "C2"
    assert sheet.auto_filter.ref == sheet.dimensions
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
    assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (2, 0)
    assert sheet.print_title_rows == "$1:$1"
    last = column_of(sheet, book, "remark")
    assert sheet.print_area.endswith(f"$A$1:${last}$13")


def test_what_somebody_decided(tmp_path):
    dossier = made_up(tmp_path, 3)
    said = Decision(
        id=dossier.entries[1].id,
        answer="confirmed",
        note="=1+1",
        by="王",
        at="2026-01-02T03:04:05Z",
    )
    book = written(dossier.decided({said.id: said}), tmp_path)
    read = rows(book.worksheets[0], book)
    assert read[1]["desk"] == f"{ANSWER_WORDS['confirmed']}; =1+1; 王; 2026-01-02"
    # At the desk nobody inspects: what field teams fill in stays empty.
    assert [row["answer"] for row in read] == [None, None, None]
    assert [row["inspected_on"] for row in read] == [None, None, None]


def test_pictures_lie_in_their_row(tmp_path):
    dossier = made_up(tmp_path, 6, pictures=True)
    (tmp_path / dossier.entries[2].picture("after", marked=True)).unlink()
    (tmp_path / dossier.entries[4].picture("before", marked=True)).write_bytes(b"no picture" * 20)
    book = written(dossier, tmp_path)
    sheet = book.worksheets[0]
    anchors = [(p.anchor._from.row, p.anchor._from.col, p.anchor) for p in sheet._images]
    assert len(anchors) == 10
    columns = {
        openpyxl.utils.column_index_from_string(column_of(sheet, book, name)) - 1
        for name in ("picture_before", "picture_after")
    }
    for row, column, anchor in anchors:
        assert column in columns
        assert (anchor.to.row, anchor.to.col) == (row, column)
        assert anchor.editAs in (None, "twoCell")
    assert {row for row, *_rest in anchors} == set(range(1, 7))


def test_names_of_files_are_not_told(tmp_path):
    written(made_up(tmp_path, 1, pictures=True), tmp_path)
    with ZipFile(tmp_path / "list.xlsx") as packed:
        drawing = packed.read("xl/drawings/drawing1.xml").decode()
    assert "000000000000_before" not in drawing
    assert str(tmp_path) not in drawing
    assert 'descr="1 000000000000 picture before"' in drawing


def test_a_list_without_pictures(tmp_path):
    dossier = made_up(tmp_path, 2, pictures=True)
    for book in (
        written(dossier, tmp_path, replace(ENGLISH, pictures=False)),
        written(made_up(tmp_path / "none", 2), tmp_path),
    ):
        assert "picture_before" not in rows(book.worksheets[0], book)[0]
        assert not book.worksheets[0]._images


def test_a_sheet_for_each_township(tmp_path):
    dossier = made_up(tmp_path, 20, pictures=True)
    lost = replace(dossier.entries[3], values={**dossier.entries[3].values, "township": None})
    dossier = dossier.only((*dossier.entries[:3], lost, *dossier.entries[4:]))
    book = written(dossier, tmp_path, by="township")
    first, *others, _words = book.worksheets
    assert [sheet.title for sheet in others] == ["东风镇", "北岭镇", "河西街道", "unassigned"]
    all_rows = rows(first, book)
    assert len(all_rows) == 20
    # What is filled in stands once in the file, and so do pictures.
    assert "answer" not in all_rows[0]
    assert not first._images
    assert not first.data_validations.dataValidation
    on_others = [row for sheet in others for row in rows(sheet, book)]
    assert sorted(row["id"] for row in on_others) == [row["id"] for row in all_rows]
    assert "answer" in on_others[0]
    assert sum(len(sheet._images) for sheet in others) == 40
    assert all(sheet.data_validations.dataValidation for sheet in others)


def test_too_many_sheets_are_refused(tmp_path):
    dossier = made_up(tmp_path, 300)
    entries = [
        replace(entry, values={**entry.values, "cell": entry.id}) for entry in dossier.entries
    ]
    with pytest.raises(SettingsError, match="300 sheets"):
        write_workbook(dossier.only(entries), tmp_path / "list.xlsx", ENGLISH, by="cell")
    assert not (tmp_path / "list.xlsx").exists()


def test_a_disk_that_is_full(tmp_path, monkeypatch):
    close = workbook.Workbook.close

    def fill_up(book):
        close(book)
        raise FileCreateError(OSError(28, "No space left on device"))

    monkeypatch.setattr(workbook.Workbook, "close", fill_up)
    with pytest.raises(OutputError, match="No space left"):
        write_workbook(made_up(tmp_path, 1), tmp_path / "list.xlsx", ENGLISH)


def test_links(tmp_path, monkeypatch):
    monkeypatch.setattr(workbook, "_MOST_LINKS", 2)
    book = written(made_up(tmp_path, 4), tmp_path)
    sheet = book.worksheets[0]
    letter = column_of(sheet, book, "navigation")
    links = [sheet[f"{letter}{row}"].hyperlink for row in range(2, 6)]
    assert [link is not None for link in links] == [True, True, False, False]
    assert "coordinate=wgs84" in links[0].target
    assert sheet[f"{letter}5"].value.startswith("https://uri.amap.com/")


def test_a_link_that_spreadsheets_do_not_follow_is_text(tmp_path):
    book = written(made_up(tmp_path, 1), tmp_path, replace(ENGLISH, navigation="geo"))
    assert rows(book.worksheets[0], book)[0]["navigation"].startswith("geo:23.")
    book = written(made_up(tmp_path / "n", 1), tmp_path, replace(ENGLISH, navigation="none"))
    assert "navigation" not in rows(book.worksheets[0], book)[0]


def test_the_same_bytes_each_time(tmp_path):
    dossier = made_up(tmp_path, 5, pictures=True)
    names = ("one", "other")
    for name in names:
        (tmp_path / name).mkdir()
        write_workbook(dossier, tmp_path / name / "list.xlsx", BOTH, by="team")
    one, other = ((tmp_path / name / "list.xlsx").read_bytes() for name in names)
    assert one == other
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["list.xlsx"]
    assert opened(tmp_path / "one" / "list.xlsx").properties.created.date() == date(2025, 12, 13)


def test_no_suspects(tmp_path):
    book = written(made_up(tmp_path, 1).only([]), tmp_path, by="township")
    assert [sheet.title for sheet in book] == ["suspects", WORD_SHEET]
    assert rows(book.worksheets[0], book) == []


def test_found_by_the_only_flight(tmp_path):
    dossier = made_up(tmp_path, 1)
    values = {**dossier.entries[0].values, "flown_after": None}
    flights = {"before": {"flown_on": "2025-03-15"}}
    dossier = replace(
        dossier.only([replace(dossier.entries[0], values=values)]),
        record={**dossier.record, "flights": flights},
    )
    book = written(dossier, tmp_path)
    assert rows(book.worksheets[0], book)[0]["found_on"].date() == date(2025, 3, 15)
    assert book.properties.created.date() == date(2025, 3, 15)


@pytest.mark.parametrize("flights", [{}, {"after": None}, {"after": {"flown_on": "=1"}}])
def test_containers_have_a_day_without_flights(tmp_path, flights):
    dossier = replace(made_up(tmp_path, 1), record={"run_id": "a", "flights": flights})
    assert container_day(dossier).isoformat() == "1980-01-01"


@given(st.lists(st.text(max_size=50), max_size=12))
def test_names_of_sheets_are_legal_and_different(wanted):
    found = sheet_names(wanted, taken=(WORD_SHEET,))
    assert len({name.casefold() for name in (*found, WORD_SHEET, "History")}) == len(found) + 2
    for name in found:
        assert 0 < len(name.encode("utf-16-le")) // 2 <= 31
        assert not set(name) & set("[]:*?/\\")
        assert name.strip("'") == name


def test_row_height_shows_the_text():
    heights = [
        row_height([(words, 40), ("a" * 12, 14)]) for words in ("x", "x" * 79, "长" * 79, "x\n" * 8)
    ]
    assert heights == sorted(set(heights))
    assert row_height([], 91.5) == 91.5
    # Excel's own limit.
    assert row_height([("x" * 10_000, 1)]) <= 409


def test_rows_are_as_high_as_their_pictures_and_texts_need(tmp_path):
    plain = written(made_up(tmp_path, 2), tmp_path).worksheets[0]
    shown = written(made_up(tmp_path / "p", 2, pictures=True), tmp_path).worksheets[0]
    assert plain.row_dimensions[2].height < shown.row_dimensions[2].height
    assert shown.row_dimensions[2].height > 114 * 72 / 96
    assert plain.row_dimensions[1].height > plain.row_dimensions[2].height


def test_styles_come_from_the_settings():
    style = list_style(ExportSettings(language="zh_CN", navigation="none"))
    assert (style.languages, style.navigation) == (("zh_CN",), "none")
    with pytest.raises(ValueError, match="languages"):
        ListStyle(languages=(), navigation="amap", pictures=True)
    with pytest.raises(ValueError, match="navigation"):
        ListStyle(languages=("en",), navigation="x", pictures=True)


@pytest.mark.parametrize("languages", [("en",), ("zh_CN", "en")])
def test_no_two_headings_and_no_two_words_are_the_same(languages):
    ledger = make_ledger(replace(ENGLISH, languages=languages))
    headings = [column.heading for column in ledger.columns]
    assert len(set(headings)) == len(headings)
    for words in ledger.words.values():
        assert len(set(words.values())) == len(words)
