"""Fonts whose letters are bars, to find, to damage and to leave letters out of."""

from string import printable

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib.tables.TupleVariation import TupleVariation

__all__ = ["PLAIN", "bar", "toy_font"]

PLAIN = "".join(char for char in printable if char.isprintable())
"""What every font shows: ASCII."""


def bar(width, height):
    """Return a glyph that stands on the base line; nothing where the width is 0."""
    pen = TTGlyphPen(None)
    if width:
        pen.moveTo((0, 0))
        for corner in ((0, height), (width, height), (width, 0)):
            pen.lineTo(corner)
        pen.closePath()
    return pen.glyph()


def toy_font(name, characters, *, missing=500, letter=500, style="Regular", variable=False):
    """Return a font of 1000 units: bars 700 high, 300 where a letter is missing.

    The variable one is as wide as told at weight 100, and twice that at 900.
    """
    names = {ord(char): f"u{ord(char):04X}" for char in characters}
    glyphs = [".notdef", *names.values()]
    drawn = {glyph: bar(letter, 700) for glyph in names.values()} | {".notdef": bar(missing, 300)}
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(glyphs)
    builder.setupCharacterMap(names)
    builder.setupGlyf(drawn)
    builder.setupHorizontalMetrics(dict.fromkeys(glyphs, (1000, 0)))
    # Higher than the font of the pictures, as fonts for Chinese are.
    builder.setupHorizontalHeader(ascent=1160, descent=-290)
    builder.setupNameTable({"familyName": name, "styleName": style, "fullName": name})
    builder.setupOS2()
    builder.setupPost()
    if variable:
        builder.setupFvar([("wght", 100, 100, 900, "Weight")], [])
        wider = [(0, 0), (0, 0), (letter, 0), (letter, 0), *[(0, 0)] * 4]
        builder.setupGvar(
            {glyph: [TupleVariation({"wght": (0, 1, 1)}, wider)] for glyph in names.values()}
        )
    return builder.font
