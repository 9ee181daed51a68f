"""One page of A4 for each suspect: what stands where."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from change.export.jpeg import open_jpeg
from change.export.sheets.content import (
    LOCATOR_MM,
    PICTURE_MM,
    PROFILE_MM,
    Form,
    Photo,
    Sheet,
)
from change.export.sheets.facts import Fact
from change.export.sheets.locator import Locator
from change.export.sheets.pen import LEADING, Pen
from change.export.sheets.qr import make_code
from change.export.sheets.shapes import GREY, PAPER, RED, Label

if TYPE_CHECKING:
    from fpdf import FPDF

__all__ = ["PdfPages"]

# Where the parts of a page begin, mm from its upper left corner.
_LEFT, _RIGHT, _TOP, _FORM_TOP, _FOOT_TOP = 12.0, 198.0, 10.0, 221.0, 277.0
_WIDTH, _GAP = _RIGHT - _LEFT, 2.0
_COLUMN = (_WIDTH - 2 * _GAP) / 2
_BADGE = (34.0, 12.0)
# Rows of facts, mm: with room to breathe, and as close as they can still be read.
_LOOSE, _TIGHT, _FACT_SIZE = 4.3, 2.9, 7.5
_WHY_SIZE, _WHY_LINES = 8.5, 4
_UNSEEN = (230, 230, 230)


class PdfPages:
    """The pages of a document.

    Parameters
    ----------
    pdf
        The document.
    pen
        Draws in it.
    folder
        Where the pictures lie.
    locator
        The map of all suspects.
    brief
        Whether words are in one language, so that more of them stand side by side.
    """

    def __init__(
        self, pdf: "FPDF", pen: Pen, folder: Path, locator: Locator, *, brief: bool
    ) -> None:
        self._pdf, self._pen, self._folder, self._locator = pdf, pen, folder, locator
        self._brief = brief

    def add(self, sheet: Sheet, form: Form) -> None:
        """Add the page of a suspect."""
        self._pdf.add_page()
        self._pdf.start_section(self._pen.shown(sheet.bookmark))
        y = self._head(sheet)
        y = self._pictures(sheet, y)
        self._aside(sheet, y - PICTURE_MM)
        y = self._why(sheet, y + 4.5)
        self._facts(sheet, y)
        self._form(form)
        self._foot(sheet)

    def _head(self, sheet: Sheet) -> float:
        """Draw the heading and return where the pictures' captions begin."""
        pen, width = self._pen, _WIDTH - _BADGE[0] - 4
        pen.text(Label(x=_LEFT, y=_TOP + 5, text=sheet.title, size=17, room=width), bold=True)
        pen.text(Label(x=_LEFT, y=_TOP + 10.3, text=sheet.relation, size=11, room=width))
        place = Label(x=_LEFT, y=_TOP + 14.8, text=sheet.place, size=8, colour=GREY, room=width)
        pen.text(place, least=6.5)
        self._badge(sheet)
        if sheet.loud is None:
            return _TOP + 20
        pen.fill(_LEFT, _TOP + 17, (_WIDTH, 6.2), RED)
        label = Label(
            x=_LEFT + 2, y=_TOP + 21.2, text=sheet.loud, size=9.5, colour=PAPER, room=_WIDTH - 4
        )
        pen.text(label, bold=True)
        return _TOP + 27.2

    def _badge(self, sheet: Sheet) -> None:
        left, middle = _RIGHT - _BADGE[0], _RIGHT - _BADGE[0] / 2
        self._pen.box(left, _TOP, _BADGE)
        name = Label(
            x=middle,
            y=_TOP + 3.2,
            text=sheet.severity_name,
            size=7,
            anchor="middle",
            room=_BADGE[0] - 2,
        )
        self._pen.text(name)
        value = Label(x=middle, y=_TOP + 10.3, text=sheet.severity, size=19, anchor="middle")
        self._pen.text(value, bold=True)

    def _pictures(self, sheet: Sheet, y: float) -> float:
        """Draw the pictures below their captions and return where they end."""
        for number, photo in enumerate(sheet.photos):
            x = _LEFT + number * (PICTURE_MM + _GAP)
            caption = Label(x=x, y=y, text=photo.caption, size=8.5, room=PICTURE_MM - 20)
            self._pen.text(caption, bold=True)
            scale = Label(
                x=x + PICTURE_MM,
                y=y,
                text=sheet.scale,
                size=7,
                anchor="end",
                colour=GREY,
                room=19,
            )
            self._pen.text(scale)
            self._photo(sheet, photo, x, y + 1.3)
        return y + 1.3 + PICTURE_MM

    def _photo(self, sheet: Sheet, photo: Photo, x: float, y: float) -> None:
        shown = photo.path is not None and self._image(self._folder / photo.path, x, y)
        if shown and sheet.over is not None:
            self._pen.draw(sheet.over, x, y)
        if not shown:
            middle = PICTURE_MM / 2
            self._pen.fill(x, y, (PICTURE_MM, PICTURE_MM), _UNSEEN)
            self._pen.text(
                Label(x=x + middle, y=y + middle, text=photo.missing, size=9, anchor="middle")
            )

    def _image(self, path: Path, x: float, y: float) -> bool:
        """Draw a picture, whose bytes go into the document as they are; False without one."""
        try:
            with open_jpeg(path):
                self._pdf.image(path, x, y, PICTURE_MM, PICTURE_MM)
        except OSError:
            return False
        return True

    def _aside(self, sheet: Sheet, y: float) -> None:
        """Draw the locator, and below it the code that leads to the place."""
        x = _RIGHT - LOCATOR_MM
        self._pdf.image(io.BytesIO(self._locator.png), x, y, LOCATOR_MM, LOCATOR_MM)
        self._pen.draw(sheet.marker, x, y)
        self._pen.box(x, y, (LOCATOR_MM, LOCATOR_MM))
        middle, below = x + LOCATOR_MM / 2, y + LOCATOR_MM + 2.8
        here = Label(x=middle, y=below, text=sheet.here, size=6.5, anchor="middle", room=LOCATOR_MM)
        self._pen.text(here)
        if sheet.link is None:
            return
        code, top = make_code(sheet.link), y + PICTURE_MM - LOCATOR_MM - 0.6
        self._pen.bars(code.bars, (x, top), LOCATOR_MM / code.modules)
        self._pdf.link(x, top, LOCATOR_MM, LOCATOR_MM, sheet.link)
        name = Label(
            x=middle,
            y=y + PICTURE_MM,
            text=sheet.link_name,
            size=6.5,
            anchor="middle",
            room=LOCATOR_MM,
        )
        self._pen.text(name)

    def _why(self, sheet: Sheet, y: float) -> float:
        for text in sheet.why:
            label = Label(x=_LEFT, y=y, text=text, size=_WHY_SIZE, room=_WIDTH)
            y = self._pen.paragraph(label, _WHY_LINES) + 0.6
        return y

    def _facts(self, sheet: Sheet, y: float) -> None:
        """Draw the facts in two columns, the profile above the second."""
        right, beside = _LEFT + _COLUMN + 2 * _GAP, y
        if sheet.profile is not None:
            name = Label(x=right, y=y, text=sheet.profile_name, size=_FACT_SIZE, room=_COLUMN)
            self._pen.text(name, bold=True)
            self._pen.draw(sheet.profile, right, y + 1.2)
            beside = y + PROFILE_MM[1] + 5
        # Below the profile there is less room.
        left, under = sheet.suspect, sheet.where
        if sheet.profile is None:
            under += sheet.flights
        else:
            left += sheet.flights
        self._rows(left, _LEFT, y)
        self._rows(under, right, beside)

    def _rows(self, facts: Sequence[Fact], x: float, y: float) -> None:
        """Draw rows, closer together the more there are."""
        inset = _COLUMN * (0.42 if self._brief else 0.53)
        room = _COLUMN - inset
        values = [self._pen.lines(f.value, _FACT_SIZE, room, f.lines) for f in facts]
        count = sum(len(lines) for lines in values)
        pitch = min(_LOOSE, (_FORM_TOP - 3 - y) / max(count, 1))
        for fact, lines in zip(facts, values, strict=True):
            size = _FACT_SIZE * min(1.0, max(pitch, _TIGHT) / (_FACT_SIZE * LEADING))
            name = Label(x=x, y=y, text=fact.name, size=size, colour=GREY, room=inset - 1.5)
            self._pen.text(name)
            for line in lines:
                self._pen.text(Label(x=x + inset, y=y, text=line, size=size, room=room))
                y += pitch

    def _form(self, form: Form) -> None:
        """Draw what is filled in by hand."""
        pen, y = self._pen, _FORM_TOP
        pen.line(_LEFT, y, _WIDTH, width=0.4)
        pen.text(Label(x=_LEFT, y=y + 5, text=form.title, size=9, room=42), bold=True)
        self._ticks(form.answers, y + 5, left=_LEFT + 46)
        pen.text(Label(x=_LEFT, y=y + 11, text=form.reason, size=9, room=42), bold=True)
        self._ticks(form.dismissals, y + 11, left=_LEFT + 46)
        pen.text(Label(x=_LEFT, y=y + 34, text=form.remark, size=9, room=42), bold=True)
        for row in (34.6, 41.2):
            pen.line(_LEFT + 46, y + row, _WIDTH - 46)
        third = _WIDTH / 3
        for number, name in enumerate(form.signed):
            x = _LEFT + number * third
            pen.text(Label(x=x, y=y + 51, text=name, size=8, room=third * 0.42))
            pen.line(x + third * 0.45, y + 51.6, third * 0.5)

    def _ticks(self, words: Sequence[str], y: float, *, left: float) -> None:
        columns = 3 if self._brief or len(words) <= 3 else 2
        pitch = (_RIGHT - left) / columns
        for number, word in enumerate(words):
            x = left + number % columns * pitch
            base = y + number // columns * (5.3 if self._brief else 4.7)
            self._pen.box(x, base - 3.0, (3.4, 3.4))
            self._pen.text(Label(x=x + 4.8, y=base, text=word, size=8.5, room=pitch - 6))

    def _foot(self, sheet: Sheet) -> None:
        self._pen.line(_LEFT, _FOOT_TOP, _WIDTH)
        self._pen.text(
            Label(x=_LEFT, y=_FOOT_TOP + 3.6, text=sheet.question, size=7.5, room=_WIDTH)
        )
        for number, text in enumerate(sheet.sources):
            y = _FOOT_TOP + 6.8 + number * 2.8
            self._pen.text(Label(x=_LEFT, y=y, text=text, size=6.5, colour=GREY, room=_WIDTH))
