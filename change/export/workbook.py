"""Workbook: the inspection list as a spreadsheet that is printed, filled in and sent back.

Everything a stranger may have written is a string in it, never a formula or a link. Pictures lie in
their row and move with it. Rows are written one after the other and kept nowhere.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from change.export.cell_text import clean_text
from change.export.dossier import Dossier, Entry
from change.export.headings import in_languages
from change.export.jpeg import open_jpeg
from change.export.row_height import row_height
from change.export.sheet_names import LONGEST_NAME, sheet_names
from change.export.table import (
    Cell,
    Column,
    Ledger,
    ListStyle,
    container_day,
    entry_name,
    grouped,
    make_ledger,
)
from change.export.word_list import WORD_SHEET, WordList, make_word_list
from survey.errors import OutputError, SettingsError
from survey.words import N_, _

__all__ = ["write_workbook"]

_Groups = Sequence[tuple[str, Dossier]]

_SUSPECTS, _LINK = N_("suspects"), N_("show on the map")
_CHOOSE = N_("Choose a word from the list.")
_ENTER_DAY = N_("Enter a day, for example 2025-03-15.")
_ENTER_AREA = N_("Enter an area in m², for example 85.5.")

# The file would open, but nobody finds a sheet among more (a bureau has some 90 townships).
_MOST_SHEETS = 255
# Microsoft, Excel specifications and limits: links on one sheet.
_MOST_LINKS = 65_530
_PICTURE_PX, _PICTURE_GAP_PX, _DOTS_PER_INCH = 114, 4, 96
_A4 = 9
# Characters that the button of the filter hides.
_BUTTON = 2.5
_MARGINS = {"left": 0.3, "right": 0.3, "top": 0.6, "bottom": 0.6}
# Side by side on two pages the letters stay legible; on one they would be 1 mm high.
_PAGES_WIDE = 2
_DAY_LETTERS = 10
_FROZEN = ("number", "id")
_NOT_PRINTED = ("navigation", "run_id")
_FORMS: dict[str, dict[str, object]] = {
    "text": {},
    # What is typed over a code stays text: 001 does not become 1.
    "code": {"num_format": "@"},
    "count": {"num_format": "0", "align": "center"},
    "number": {"num_format": "#,##0.0"},
    "degrees": {"num_format": "0.000000"},
    "share": {"num_format": "0.00"},
    "day": {"num_format": "yyyy-mm-dd", "align": "center"},
    "picture": {},
    "link": {"font_color": "#0563C1", "underline": 1},
}
_WRAPPED = ("text", "code")
_CELL: dict[str, object] = {
    "font_size": 10,
    "text_wrap": True,
    "valign": "vcenter",
    "border": 1,
    "border_color": "#BFBFBF",
}
_HEADING_FILL, _FILLED_IN_FILL = "#D9E2EC", "#FFF2CC"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """One sheet and what belongs on it."""

    sheet: Worksheet
    title: str
    dossier: Dossier
    ledger: Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looks:
    """What cells look like, and the words that stand in all sheets."""

    forms: Mapping[str, Format]
    heading: Format
    filled_in: Format
    words: WordList
    link: str


def write_workbook(dossier: Dossier, path: Path, style: ListStyle, by: str | None = None) -> None:
    """Write the inspection list as XLSX.

    Parameters
    ----------
    dossier
        The suspects.
    path
        The file; unpacked parts of it lie beside it for a while.
    style
        Languages, links, and whether with pictures.
    by
        ``township``, ``community``, ``team`` or ``cell``: a sheet of its own for each. The first
        sheet still lists all suspects, but without pictures and without what is to be filled in:
        with many thousands of pictures a spreadsheet cannot be sorted any more, and what could be
        filled in twice could differ.

    Raises
    ------
    SettingsError
        There would be too many sheets.
    OutputError
        The file cannot be written.
    """
    ledger = make_ledger(style)
    if not any(entry.chip for entry in dossier.entries):
        ledger = ledger.without("picture")
    groups = [] if by is None else grouped(dossier, by, style.languages)
    if len(groups) > _MOST_SHEETS:
        raise SettingsError(
            _("{count} sheets would be too many for one file; choose larger units").format(
                count=len(groups)
            )
        )
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "tmpdir": str(path.parent),
    }
    try:
        with path.open("wb") as stream, Workbook(stream, options) as book:
            _fill(book, dossier, ledger, groups)
    except FileCreateError as error:
        raise OutputError(
            _("{path}: cannot be written ({error})").format(path=path, error=error)
        ) from error


def _fill(book: Workbook, dossier: Dossier, ledger: Ledger, groups: _Groups) -> None:
    day = container_day(dossier)
    created = datetime(day.year, day.month, day.day, tzinfo=UTC)
    title = in_languages(_SUSPECTS, ledger.style.languages)
    book.set_properties({"title": title, "comments": dossier.run_id, "created": created})
    looks = _looks(book, dossier, ledger)
    for part in _sheets(book, title, dossier, ledger, groups):
        _write_sheet(part, looks)
    words = book.add_worksheet(WORD_SHEET)
    words.hide()
    for number, row in enumerate(looks.words.rows):
        for place, text in enumerate(row):
            words.write_string(number, place, text)


def _looks(book: Workbook, dossier: Dossier, ledger: Ledger) -> _Looks:
    heading = {**_CELL, "bold": True, "align": "center"}
    return _Looks(
        forms={name: book.add_format({**_CELL, **form}) for name, form in _FORMS.items()},
        heading=book.add_format({**heading, "bg_color": _HEADING_FILL}),
        filled_in=book.add_format({**heading, "bg_color": _FILLED_IN_FILL}),
        words=make_word_list(ledger, dossier.run_id),
        link=in_languages(_LINK, ledger.style.languages),
    )


def _sheets(
    book: Workbook, title: str, dossier: Dossier, ledger: Ledger, groups: _Groups
) -> Iterator[_Sheet]:
    first = ledger.without("picture", filled_in=False) if groups else ledger
    parts = [(title, dossier, first), *((name, group, ledger) for name, group in groups)]
    names = sheet_names([name for name, *_rest in parts], taken=(WORD_SHEET,))
    for name, (told, group, columns) in zip(names, parts, strict=True):
        yield _Sheet(sheet=book.add_worksheet(name), title=told, dossier=group, ledger=columns)


def _write_sheet(part: _Sheet, looks: _Looks) -> None:
    _set_page(part)
    columns, sheet = part.ledger.columns, part.sheet
    headings = ((column.heading, column.width - _BUTTON) for column in columns)
    sheet.set_row(0, row_height(headings))
    for place, column in enumerate(columns):
        sheet.set_column(place, place, column.width)
        look = looks.filled_in if column.filled_in else looks.heading
        sheet.write_string(0, place, column.heading, look)
    for number, entry in enumerate(part.dossier.entries, start=1):
        _write_row(part, number, entry, looks)
    _set_choices(part, looks)


def _set_page(part: _Sheet) -> None:
    sheet, names = part.sheet, [column.name for column in part.ledger.columns]
    last_row = len(part.dossier.entries)
    printed = max(place for place, name in enumerate(names) if name not in _NOT_PRINTED)
    sheet.freeze_panes(1, len(_FROZEN))
    sheet.autofilter(0, 0, last_row, len(names) - 1)
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.set_margins(**_MARGINS)
    sheet.print_area(0, 0, last_row, printed)
    sheet.repeat_rows(0)
    sheet.repeat_columns(0, len(_FROZEN) - 1)
    sheet.fit_to_pages(_PAGES_WIDE, 0)
    # An ampersand begins a command there.
    title = part.title[:LONGEST_NAME].replace("&", "＆").replace("\n", " ")
    sheet.set_header(f"&L{title}&R{_flown(part.dossier)}")
    sheet.set_footer(f"&L{part.dossier.run_id}&R&P / &N")
    # Codes look like numbers; a triangle in every cell would tell people to make them such.
    sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{last_row + 1}"})


def _flown(dossier: Dossier) -> str:
    flights = dossier.record.get("flights") or {}
    days = [(flights.get(role) or {}).get("flown_on") for role in ("before", "after")]
    return " - ".join(clean_text(day, _DAY_LETTERS).replace("&", "") for day in days if day)


def _write_row(part: _Sheet, number: int, entry: Entry, looks: _Looks) -> None:
    cells, columns = part.ledger.row(entry), part.ledger.columns
    pictures = [
        (place, file)
        for place, (column, cell) in enumerate(zip(columns, cells, strict=True))
        if column.form == "picture" and isinstance(cell, str)
        if (file := part.dossier.folder / cell).is_file()
    ]
    least = _PICTURE_PX + 2 * _PICTURE_GAP_PX if pictures else 0
    texts = (
        (cell, column.width)
        for column, cell in zip(columns, cells, strict=True)
        if column.form in _WRAPPED and isinstance(cell, str)
    )
    part.sheet.set_row(number, row_height(texts, least * 72 / _DOTS_PER_INCH))
    for place, (column, cell) in enumerate(zip(columns, cells, strict=True)):
        _write_cell(part.sheet, (number, place), column, cell, looks)
    for place, file in pictures:
        told = f"{entry_name(entry)} {columns[place].heading}"
        _insert_picture(part.sheet, (number, place), file, told)


def _write_cell(
    sheet: Worksheet, place: tuple[int, int], column: Column, cell: Cell, looks: _Looks
) -> None:
    """Write a cell; ``place`` is (row, col)."""
    look = looks.forms[column.form]
    match cell:
        case None:
            sheet.write_blank(*place, None, look)
        case date():
            sheet.write_datetime(*place, cell, look)
        case float():
            sheet.write_number(*place, cell, look)
        case str() if column.form == "picture":
            sheet.write_blank(*place, None, look)
        case str() if column.form == "link" and "://" in cell and place[0] <= _MOST_LINKS:
            sheet.write_url(*place, cell, look, looks.link)
        case str():
            sheet.write_string(*place, _no_markup(cell), look)


def _no_markup(text: str) -> str:
    """Return text that XlsxWriter does not take for markup of its own: that goes out as it is."""
    return f"{text} " if text.startswith("<r>") and text.endswith("</r>") else text


def _insert_picture(sheet: Worksheet, place: tuple[int, int], file: Path, told: str) -> None:
    """Lay a picture into a cell, so that it is sorted, filtered and scaled with its row."""
    try:
        with open_jpeg(file) as picture:
            dots = picture.info.get("dpi", (_DOTS_PER_INCH, _DOTS_PER_INCH))
            wide, high = (
                side * _DOTS_PER_INCH / (dot or _DOTS_PER_INCH)
                for side, dot in zip(picture.size, dots, strict=True)
            )
    except OSError:
        # A damaged picture must not cost the list.
        return
    scale = _PICTURE_PX / max(wide, high)
    sheet.insert_image(
        *place,
        str(file),
        {
            "x_scale": scale,
            "y_scale": scale,
            "x_offset": _PICTURE_GAP_PX,
            "y_offset": _PICTURE_GAP_PX,
            # Moves and scales with its cell.
            "object_position": 1,
            # Without it the name of the file would be read out.
            "description": told,
        },
    )


def _set_choices(part: _Sheet, looks: _Looks) -> None:
    """Let people enter only what can be read back."""
    last_row, languages = len(part.dossier.entries), part.ledger.style.languages
    if last_row == 0:
        return
    for place, column in enumerate(part.ledger.columns):
        rule: dict[str, object] = {}
        if column.name in looks.words.choices:
            rule = {"validate": "list", "source": looks.words.choices[column.name]}
            told = _CHOOSE
        elif column.filled_in and column.form == "day":
            rule = {"validate": "date", "criteria": ">=", "value": date(2000, 1, 1)}
            told = _ENTER_DAY
        elif column.filled_in and column.form == "number":
            rule = {"validate": "decimal", "criteria": ">=", "value": 0}
            told = _ENTER_AREA
        if rule:
            rule["error_message"] = in_languages(told, languages)
            part.sheet.data_validation(1, place, last_row, place, rule)
