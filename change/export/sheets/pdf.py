"""Sheets as a PDF, one page of A4 for each suspect."""

import importlib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from change.export.dossier import Dossier
from change.export.sheets.content import LOCATOR_MM, make_form, make_sheets
from change.export.sheets.fonts import find_font, fixed_font
from change.export.sheets.locator import make_locator
from change.export.sheets.pdf_page import PdfPages
from change.export.sheets.pen import Pen
from change.export.sheets.style import SheetStyle
from change.export.sheets.texts import shorten
from survey.errors import SettingsError
from survey.words import N_, _

if TYPE_CHECKING:
    from fpdf import FPDF

__all__ = ["require_pdf", "write_sheets_pdf"]

_TITLE = N_("Inspection sheets")
# Archives cannot say that something has no date; this is the earliest that a ZIP file can tell.
_UNDATED = date(1980, 1, 1)


def require_pdf() -> Any:
    """Return the package that writes PDF.

    Raises
    ------
    SettingsError
        It is not installed.
    """
    try:
        return importlib.import_module("fpdf")
    except ImportError as error:
        raise SettingsError(
            _('sheets as PDF need fpdf2; install it with: pip install "orthowatch[pdf]"')
        ) from error


def write_sheets_pdf(dossier: Dossier, path: Path, style: SheetStyle) -> None:
    """Write the sheets of some suspects as a PDF.

    Parameters
    ----------
    dossier
        The suspects; their pictures are taken from its folder.
    path
        The file to write. Thousands of suspects are better split over several files: a document
        stays in memory, with its pictures, until it is complete.
    style
        What the user chose.

    Raises
    ------
    SettingsError
        The package that writes PDF is not installed, or no font shows the texts.
    """
    pdf = _document(dossier, style)
    if not dossier.entries:
        # A PDF without a page is none.
        pdf.add_page()
        pdf.output(str(path))
        return
    locator = make_locator(dossier.entries, LOCATOR_MM)
    form = make_form(style)
    sheets = list(make_sheets(dossier, locator, style))
    needed = {char for item in (form, *sheets) for text in _texts(item) for char in text}
    with fixed_font(find_font(style, needed), needed) as font:
        brief = len(style.languages) == 1
        pages = PdfPages(pdf, Pen(pdf, font), dossier.folder, locator, brief=brief)
        for sheet in sheets:
            pages.add(sheet, form)
        pdf.output(str(path))


def _document(dossier: Dossier, style: SheetStyle) -> "FPDF":
    pdf: FPDF = require_pdf().FPDF(format="A4")
    pdf.set_auto_page_break(False)
    pdf.set_margin(0)
    pdf.c_margin = 0
    pdf.set_title(f"{style.say(_TITLE)} {shorten(dossier.run_id, 40)}")
    pdf.set_lang(style.languages[0].replace("_", "-"))
    pdf.set_producer(f"orthowatch {shorten(dossier.record.get('version'), 20)}")
    # The same inputs give the same bytes: the clock has no say.
    pdf.set_creation_date(datetime.combine(_day(dossier), datetime.min.time(), UTC))
    return pdf


def _day(dossier: Dossier) -> date:
    """Return the day of the later flight."""
    record = dossier.record
    flight = (record.get("flights") or {}).get("after") or record.get("flight") or {}
    try:
        return date.fromisoformat(str(flight.get("flown_on")))
    except ValueError:
        return _UNDATED


def _texts(record: Any) -> Iterator[str]:
    """Yield all texts in a record and the records in it."""
    if isinstance(record, str):
        yield record
    elif isinstance(record, tuple):
        for item in record:
            yield from _texts(item)
    elif is_dataclass(record):
        for field in fields(record):
            yield from _texts(getattr(record, field.name))
