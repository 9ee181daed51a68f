"""Letters of the drawn pictures: in the user's language where a font on the machine shows it.

Pillow brings a font along that shows ASCII. In it the words are English, and a picture is the same
on all machines. Words in Chinese need a font of the machine; where none is found they stay English.
Only Pillow is needed to tell: the readers of font files come with an extra.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from pathlib import Path

from PIL import ImageDraw, ImageFont

from change.export.font_files import font_files, font_folders
from survey.words import LANGUAGES, _, current_language

__all__ = ["Face", "find_face", "legible", "load_font", "say", "write_line"]

# A font that shows these, some of them in simplified form, is made for what is written here.
_NEEDED = "疑似图斑许残误NMm0123456789"
# No character (Unicode 16, section 23.7): what a font draws for it stands for all that it lacks.
_NOBODY = "\U0010ffff"
_TRIED_PX = 24
# OpenType, usWeightClass: Regular.
_EVEN_WEIGHT = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """A font of the machine."""

    path: Path
    """The file."""
    index: int
    """Which font of a collection."""

    def sized(self, size: float) -> ImageFont.FreeTypeFont:
        """Return its letters, of even weight, ``size`` pixels high."""
        return _opened(self.path, self.index, size)

    def shows(self, text: str) -> bool:
        """Whether it has every character of a text."""
        return all(_shows(self, char) for char in text)


@lru_cache(maxsize=8)
def find_face(folders: tuple[Path, ...]) -> Face | None:
    """Return the best font for Simplified Chinese in some folders, None where there is none.

    Parameters
    ----------
    folders
        Where to look, with all that lies in them.
    """
    for path in font_files(folders):
        face = max(_faces(path), key=_fitness, default=None)
        # A damaged font may open and fail at its letters.
        with suppress(OSError):
            if face is not None and face.shows(_NEEDED):
                return face
    return None


def load_font(size: int) -> ImageFont.FreeTypeFont:
    """Return the font of the pictures in the user's language, ``size`` pixels high."""
    face = _face()
    return _built_in(size) if face is None else face.sized(size)


def say(message: str) -> str:
    """Return a sentence in the user's language, in English where no font shows it.

    Parameters
    ----------
    message
        In English and ASCII, marked with `N_`; it is filled in after the look-up.
    """
    face = _face()
    told = message if face is None else _(message)
    return told if face is None or face.shows(told) else message


def legible(text: str) -> str:
    """Return a text of the user's with a question mark for each character that is not shown.

    Examples
    --------
    >>> from survey.words import use_language
    >>> use_language("en")
    >>> legible("揭东.tif")
    '??.tif'
    """
    face = _face()
    shown: Callable[[str], bool] = str.isascii if face is None else face.shows
    return "".join(char if char.isprintable() and shown(char) else "?" for char in text)


def write_line(
    draw: ImageDraw.ImageDraw,
    at: tuple[float, float],
    text: str,
    ink: tuple[int, int, int],
    font: ImageFont.FreeTypeFont,
    *,
    to_left: bool = False,
) -> None:
    """Write a line on the base line of the built-in font, so that every font fits the page.

    Parameters
    ----------
    draw
        Draws on the picture.
    at
        The upper left corner of the line (x, y), pixels; the upper right one if ``to_left``.
    text
        One line.
    ink
        Red, green, blue.
    font
        From `load_font`.
    to_left
        Whether the line ends at ``at`` instead of beginning there.
    """
    ascent, _descent = _built_in(font.size).getmetrics()
    draw.text((at[0], at[1] + ascent), text, ink, font, anchor="rs" if to_left else "ls")


def _face() -> Face | None:
    """Return the font for the user's language, None for the one that Pillow brings along."""
    return None if current_language() == LANGUAGES[0] else find_face(tuple(font_folders()))


@lru_cache(maxsize=16)
def _built_in(size: float) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


def _faces(path: Path) -> Iterator[Face]:
    """Yield the fonts of a file, none where it is damaged."""
    with suppress(OSError):
        for index in count():
            face = Face(path=path, index=index)
            face.sized(_TRIED_PX)
            yield face


def _fitness(face: Face) -> tuple[bool, bool, bool]:
    """Rate a font of a collection: Simplified Chinese, no typewriter, of even weight."""
    family, style = face.sized(_TRIED_PX).getname()
    words = (family or "").split()
    return "SC" in words or "GB" in words, "Mono" not in words, style == "Regular"


@lru_cache(maxsize=64)
def _opened(path: Path, index: int, size: float) -> ImageFont.FreeTypeFont:
    # The layout that every Pillow has, whatever else is installed. Not truetype(): in place of a
    # damaged file it opens another one of the same name.
    layout = ImageFont.Layout.BASIC
    font = ImageFont.FreeTypeFont(path, size, index, layout_engine=layout)
    # Raised for a font of one weight, as nearly all are.
    with suppress(OSError, NotImplementedError):
        axes = font.get_variation_axes()
        font.set_variation_by_axes(
            [_EVEN_WEIGHT if axis["name"] == b"Weight" else axis["default"] or 0 for axis in axes]
        )
    return font


@lru_cache(maxsize=4096)
def _shows(face: Face, char: str) -> bool:
    if char == " ":
        return True
    look = _look(face, char)
    return any(look[1]) and look != _look(face, _NOBODY)


def _look(face: Face, char: str) -> tuple[tuple[int, int], bytes]:
    """Return size and pixels of a letter."""
    mask = face.sized(_TRIED_PX).getmask(char)
    return mask.size, bytes(mask)
