"""Fonts: which file can show what the sheets say, and what is told of what it cannot show.

A PDF brings its letters along. Its own fourteen fonts show western letters only (ISO 32000-1,
9.6.2.2 and annex D), so whatever is Chinese needs a font of the machine.
"""

import importlib
import struct
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from change.export.font_files import font_files, font_folders
from change.export.sheets.style import SheetStyle
from survey.errors import SettingsError
from survey.words import _

__all__ = ["FontFile", "find_font", "fixed_font", "font_folders", "legible", "speaks_western"]

# GB 18030 has every font for Chinese show these; what is rarer may be missing.
_HAN = range(0x4E00, 0x9FA6)
_NAMED = 12
# What tells of a character that a font lacks, and that a text was cut.
_STAND_INS = "…〔〕[]+0123456789ABCDEFU"
# OpenType, usWeightClass: Regular.
_EVEN_WEIGHT = 400
# What a damaged font makes its reader raise.
_BROKEN = (OSError, ValueError, KeyError, IndexError, AssertionError, AttributeError, struct.error)


@dataclass(frozen=True, slots=True, kw_only=True)
class FontFile:
    """A font that was found."""

    path: Path
    """The file."""
    index: int
    """Which font of a collection."""
    characters: frozenset[int]
    """What it can show, as code points."""
    variable: bool
    """Whether it holds several weights at once."""


def find_font(
    style: SheetStyle,
    needed: Iterable[str] = (),
    folders: Callable[[], Iterable[Path]] | None = None,
) -> FontFile | None:
    """Return the font for a PDF; None where the fonts of every PDF viewer are enough.

    Parameters
    ----------
    style
        Says which font the user wants, if any.
    needed
        The characters that have to be shown.
    folders
        Returns where to look; None means the usual folders of this machine.

    Raises
    ------
    SettingsError
        No font shows the Chinese characters, or the file named is no font that does.
    """
    wanted = frozenset(map(ord, needed))
    han = frozenset(code for code in wanted if code in _HAN)
    if style.font is not None:
        return _given_font(style.font, han)
    if all(speaks_western(chr(code)) for code in wanted):
        return None
    lacking: FontFile | None = None
    for path in font_files((folders or font_folders)()):
        font = _opened(path)
        if font is None or not han <= font.characters:
            lacking = lacking or font
            continue
        return font
    if not han:
        return lacking
    raise SettingsError(
        _(
            "no font on this machine shows {characters}: install one (Debian: fonts-noto-cjk), or"
            " name a font file with --font"
        ).format(characters=_some(han))
    )


def _given_font(path: Path, han: frozenset[int]) -> FontFile:
    font = _opened(path)
    if font is None:
        raise SettingsError(
            _("{path}: not a font that can be read; name a .ttf, .otf or .ttc file").format(
                path=path
            )
        )
    if not han <= font.characters:
        raise SettingsError(
            _(
                "{path}: this font does not show {characters}; name one with --font that does"
                " (Debian: fonts-noto-cjk)"
            ).format(path=path, characters=_some(han - font.characters))
        )
    return font


def _some(codes: frozenset[int]) -> str:
    shown = "".join(map(chr, sorted(codes)[:_NAMED]))
    return shown + ("…" if len(codes) > _NAMED else "")


@lru_cache(maxsize=8)
def _opened(path: Path) -> FontFile | None:
    """Return a font of a file, of a collection the one for Simplified Chinese."""
    # Only the PDF needs this package, which its extra brings.
    tables = importlib.import_module("fontTools.ttLib")
    try:
        with path.open("rb") as file:
            if path.suffix.lower() not in (".ttc", ".otc"):
                return _font_file(path, 0, tables.TTFont(file, lazy=True))
            fonts = tables.TTCollection(file, lazy=True).fonts
            index = max(range(len(fonts)), key=lambda at: _fitness(fonts[at], at))
            return _font_file(path, index, fonts[index])
    except (*_BROKEN, tables.TTLibError):
        return None


def _fitness(font: Any, index: int) -> tuple[bool, bool, int]:
    """Rate a font of a collection: Simplified Chinese, of even weight, no typewriter."""
    name = font["name"].getBestFullName() or ""
    words = name.split()
    return "SC" in words or "GB" in words, "Mono" not in words and "Bold" not in words, -index


def _font_file(path: Path, index: int, font: Any) -> FontFile | None:
    if not ("glyf" in font or "CFF " in font or "CFF2" in font):
        return None
    return FontFile(
        path=path,
        index=index,
        characters=frozenset(font.getBestCmap() or ()),
        variable="fvar" in font,
    )


@contextmanager
def fixed_font(font: FontFile | None, needed: Iterable[str]) -> Iterator[FontFile | None]:
    """Lend a font that a PDF can hold: of one weight (ISO 32000-1, 9.9).

    Parameters
    ----------
    font
        The font that was found.
    needed
        The characters that have to be shown.
    """
    if font is None or not font.variable:
        yield font
        return
    with tempfile.TemporaryDirectory(prefix="orthowatch-") as folder:
        path = Path(folder) / "font.otf"
        _save_static(font, "".join(sorted({*needed, *_STAND_INS})), path)
        yield replace(font, path=path, index=0, variable=False)


def _save_static(font: FontFile, needed: str, path: Path) -> None:
    """Write a font of even weight with some of the characters of a variable one."""
    subset = importlib.import_module("fontTools.subset")
    instancer = importlib.import_module("fontTools.varLib.instancer")
    options = subset.Options(layout_features=[], notdef_outline=True, font_number=font.index)
    with subset.load_font(str(font.path), options) as whole:
        # With few characters first: to fix the weight of all of them takes minutes.
        subsetter = subset.Subsetter(options)
        subsetter.populate(text=needed)
        subsetter.subset(whole)
        axes = {axis.axisTag: axis.defaultValue for axis in whole["fvar"].axes}
        if "wght" in axes:
            axes["wght"] = _EVEN_WEIGHT
        instancer.instantiateVariableFont(whole, axes, inplace=True, downgradeCFF2="CFF2" in whole)
        whole.save(path)


def speaks_western(char: str) -> bool:
    """Whether the fonts that every PDF viewer has show a character (ISO 32000-1, annex D.2).

    Examples
    --------
    >>> speaks_western("²"), speaks_western("…"), speaks_western("违")
    (True, True, False)
    """
    try:
        char.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def legible(text: str, font: FontFile | None) -> str:
    """Return a text in which what the font cannot show is told by its number.

    Examples
    --------
    >>> legible("roof 😀", None)
    'roof [U+1F600]'
    """
    if font is None:
        return "".join(c if speaks_western(c) else f"[U+{ord(c):04X}]" for c in text)
    start, end = ("〔", "〕") if ord("〔") in font.characters else ("[", "]")
    return "".join(
        char if ord(char) in font.characters else f"{start}U+{ord(char):04X}{end}" for char in text
    )
