"""Handouts: all the lists, sheets and pages that are made of one dossier."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from change.export.csv_list import write_csv
from change.export.dossier import Dossier
from change.export.gpx import write_gpx
from change.export.headings import list_languages
from change.export.kmz import write_kmz
from change.export.review import write_review
from change.export.sheets import SheetStyle, write_sheets_html, write_sheets_pdf
from change.export.table import list_style
from change.export.workbook import write_workbook
from survey.runs import Write
from survey.settings import ExportSettings

__all__ = ["FORMS", "NAMES", "HandoutStyle", "can_print", "handout_writers", "name_of"]

Make = Callable[[Path], Dossier]
"""Returns the dossier that belongs to a folder of results which is being written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoutStyle:
    """How handouts look."""

    settings: ExportSettings
    """Language and navigation."""
    font: Path | None = None
    """Font of the sheets; None to look for one."""
    by: str | None = None
    """Column by which the spreadsheet has sheets of its own; None for a single one."""

    @property
    def sheets(self) -> SheetStyle:
        """How the printed sheets look."""
        return SheetStyle(
            languages=list_languages(self.settings.language),
            navigation=self.settings.navigation,
            font=self.font,
        )


_Writer = Callable[[Dossier, Path, HandoutStyle], object]

_WRITERS: dict[str, tuple[str, _Writer]] = {
    "xlsx": (
        "inspection.xlsx",
        lambda dossier, path, style: write_workbook(
            dossier, path, list_style(style.settings), by=style.by
        ),
    ),
    "csv": (
        "inspection.csv",
        lambda dossier, path, style: write_csv(dossier, path, list_style(style.settings)),
    ),
    "pdf": (
        "sheets.pdf",
        lambda dossier, path, style: write_sheets_pdf(dossier, path, style.sheets),
    ),
    "html": (
        "sheets.html",
        lambda dossier, path, style: write_sheets_html(dossier, path, style.sheets),
    ),
    "kmz": (
        "suspects.kmz",
        lambda dossier, path, style: write_kmz(dossier, path, list_style(style.settings)),
    ),
    "gpx": (
        "suspects.gpx",
        lambda dossier, path, style: write_gpx(dossier, path, list_style(style.settings)),
    ),
    "review": (
        "review",
        lambda dossier, path, style: write_review(
            dossier,
            path,
            language=list_languages(style.settings.language)[0],
            navigation=style.settings.navigation,
        ),
    ),
}

FORMS = tuple(_WRITERS)
"""What can be handed out."""

NAMES = tuple(name for name, _write in _WRITERS.values())
"""What each is called in its folder."""


def name_of(form: str) -> str:
    """Return what a form is called in its folder."""
    return _WRITERS[form][0]


def can_print() -> bool:
    """Whether what makes PDF is installed (the extra ``pdf``)."""
    return find_spec("fpdf") is not None


def handout_writers(make: Make, forms: Iterable[str], style: HandoutStyle) -> dict[str, Write]:
    """Return what writes the handouts, by the name each has in the folder.

    Parameters
    ----------
    make
        Called with the folder that is being written, when its pictures stand in it.
    forms
        Which, of ``FORMS``.
    style
        How they look.
    """

    def writer(write: _Writer) -> Write:
        return lambda path: write(make(path.parent), path, style)

    return {name: writer(write) for name, write in (_WRITERS[form] for form in forms)}
