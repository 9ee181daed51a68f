"""The inspection list as CSV: what any spreadsheet and any script opens."""

import csv
from pathlib import Path

from change.export.cell_text import guard_formula
from change.export.dossier import Dossier
from change.export.table import Cell, ListStyle, make_ledger, shown

__all__ = ["write_csv"]


def write_csv(dossier: Dossier, path: Path, style: ListStyle) -> None:
    """Write the list without pictures as RFC 4180 CSV: UTF-8 with BOM, CRLF.

    Text that a spreadsheet would calculate has an apostrophe before it; numbers are numbers.

    Parameters
    ----------
    dossier
        The suspects.
    path
        The file.
    style
        Languages and links.
    """
    ledger = make_ledger(style).without("picture")
    # Without the BOM, a spreadsheet in China takes the file for GBK.
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\r\n")
        writer.writerow([guard_formula(column.heading) for column in ledger.columns])
        for entry in dossier.entries:
            writer.writerow([_field(cell) for cell in ledger.row(entry)])


def _field(cell: Cell) -> str:
    return guard_formula(cell) if isinstance(cell, str) else shown(cell)
