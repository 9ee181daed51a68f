"""Sheets: one page for each suspect, to be printed and taken to the place.

::

    dossier --content--> what each page says --pdf_page, pen--> PDF   (fonts, lettering)
                                             --page----------> HTML
             drawings of shapes, in mm: picture_drawing, profile_drawing, locator; codes: qr
"""

from change.export.sheets.fonts import find_font
from change.export.sheets.page import write_sheets_html
from change.export.sheets.pdf import require_pdf, write_sheets_pdf
from change.export.sheets.style import SheetStyle

__all__ = ["SheetStyle", "find_font", "require_pdf", "write_sheets_html", "write_sheets_pdf"]
