"""Pen: text, lines and drawings on the pages of a PDF."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from change.export.sheets.fonts import FontFile, legible
from change.export.sheets.lettering import Lettering
from change.export.sheets.shapes import INK, Drawing, Label, Patch, Shape, Stroke

if TYPE_CHECKING:
    from fpdf import FPDF

__all__ = ["LEADING", "Pen"]

LEADING = 0.46
"""Height of a line of text, mm for every point."""

_CORE, _FOUND = "Helvetica", "found"
# Letters of a font without a bold face are drawn with an outline this wide, in sizes.
_BOLDNESS = 0.035
_SMALLEST = 4.5
_Colour = tuple[int, int, int]


class Pen:
    """Draws on the current page; mm from its upper left corner, y down.

    Parameters
    ----------
    pdf
        The document.
    font
        What its texts are set in; None means the font of every PDF viewer.
    """

    def __init__(self, pdf: "FPDF", font: FontFile | None) -> None:
        self._pdf, self._font = pdf, font
        self._family = _CORE if font is None else _FOUND
        if font is None:
            pdf.core_fonts_encoding = "cp1252"
        else:
            pdf.add_font(_FOUND, fname=font.path, collection_font_number=font.index)
        self._plain, self._bold = self._lettering(""), self._lettering("B")

    def _lettering(self, style: str) -> Lettering:
        self._pdf.set_font(self._family, self._style(style))
        font = self._pdf.current_font
        assert font is not None
        encoded = self._pdf.normalize_text
        return Lettering(lambda char: 1000 * font.get_text_width(encoded(char), 1.0, None)[1])

    def _style(self, style: str) -> str:
        return style if self._font is None else ""

    def text(self, label: Label, *, bold: bool = False, least: float = _SMALLEST) -> None:
        """Write a line, made smaller and then cut where it has not the room it takes."""
        letters = self._bold if bold else self._plain
        told, size = letters.fit(legible(label.text, self._font), label.size, label.room, least)
        shift = {"start": 0.0, "middle": 0.5, "end": 1.0}[label.anchor]
        x = label.x - shift * letters.width(told, size)
        self._write(x, label.y, told, (size, bold), label.colour)

    def paragraph(self, label: Label, most: int) -> float:
        """Write a text in at most ``most`` lines and return the next baseline, mm."""
        lines = self.lines(label.text, label.size, label.room, most)
        for number, line in enumerate(lines):
            y = label.y + number * label.size * LEADING
            self._write(label.x, y, line, (label.size, False), label.colour)
        return label.y + len(lines) * label.size * LEADING

    def shown(self, text: str) -> str:
        """Return a text as the font can show it."""
        return legible(text, self._font)

    def lines(self, text: str, size: float, room: float, most: int) -> list[str]:
        """Return a text as lines that go into ``room`` mm."""
        return self._plain.wrap(legible(text, self._font), size, room, most)

    def _write(
        self, x: float, y: float, text: str, look: tuple[float, bool], colour: _Colour
    ) -> None:
        size, bold = look
        pdf = self._pdf
        pdf.set_font(self._family, self._style("B" if bold else ""), size)
        pdf.set_text_color(*colour)
        if bold and self._font is not None:
            # fpdf2 takes the width of the outline for points.
            outlined = pdf.local_context(
                text_mode=2, draw_color=colour, line_width=size * _BOLDNESS
            )
            with outlined:
                pdf.text(x, y, text)
        else:
            pdf.text(x, y, text)

    def line(self, x: float, y: float, length: float, *, width: float = 0.15) -> None:
        """Draw a level line."""
        self._pdf.set_draw_color(*INK)
        self._pdf.set_line_width(width)
        self._pdf.line(x, y, x + length, y)

    def box(self, x: float, y: float, size: tuple[float, float]) -> None:
        """Draw an empty box."""
        self._pdf.set_draw_color(*INK)
        self._pdf.set_line_width(0.2)
        self._pdf.rect(x, y, *size)

    def fill(self, x: float, y: float, size: tuple[float, float], colour: _Colour) -> None:
        """Draw a filled box."""
        self._pdf.set_fill_color(*colour)
        self._pdf.rect(x, y, *size, style="F")

    def bars(
        self, bars: Sequence[tuple[int, int, int]], at: tuple[float, float], mm: float
    ) -> None:
        """Draw level bars: (col, row, length), each ``mm`` high."""
        self._pdf.set_fill_color(*INK)
        for col, row, length in bars:
            self._pdf.rect(at[0] + col * mm, at[1] + row * mm, length * mm, mm, style="F")

    def draw(self, drawing: Drawing, x: float, y: float) -> None:
        """Draw shapes, the frame's corner at (x, y), nothing beyond the frame."""
        with self._pdf.rect_clip(x, y, drawing.width, drawing.height):
            for shape in drawing.shapes:
                self._shape(shape, x, y)

    def _shape(self, shape: Shape, x: float, y: float) -> None:
        if isinstance(shape, Label):
            self.text(replace(shape, x=x + shape.x, y=y + shape.y))
            return
        points = [(x + px, y + py) for px, py in shape.points]
        if isinstance(shape, Patch):
            self._pdf.set_fill_color(*shape.colour)
            self._pdf.polygon(points, style="F")
        else:
            self._stroke(shape, points)

    def _stroke(self, stroke: Stroke, points: list[tuple[float, float]]) -> None:
        pdf = self._pdf
        pdf.set_draw_color(*stroke.colour)
        pdf.set_line_width(stroke.width)
        if stroke.dashed:
            pdf.set_dash_pattern(dash=1.2, gap=0.8)
        pdf.polyline(points)
        if stroke.dashed:
            pdf.set_dash_pattern()
