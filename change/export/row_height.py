"""Height of a row: as much as its longest text needs, within reason. Pure."""

import math
import unicodedata
from collections.abc import Iterable

__all__ = ["row_height"]

# Letters of 10 points; a spreadsheet gives a line this much.
_LINE_PT, _EDGE_PT = 13.5, 3.0
# More than this on a screen hides the row below; the rest is read in the cell.
_MOST_PT, _MOST_LETTERS = 162.0, 2000


def row_height(texts: Iterable[tuple[str, float]], least_pt: float = 0.0) -> float:
    """Return the height in which the texts of a row can be read, points.

    Parameters
    ----------
    texts
        Each with the width of its column, characters.
    least_pt
        What the pictures need, points.

    Examples
    --------
    >>> row_height([("no permit", 20.0), ("未批先建，没有许可", 10.0)])
    30.0
    """
    lines = max((_lines(text, width) for text, width in texts), default=1)
    return max(least_pt, min(lines * _LINE_PT + _EDGE_PT, _MOST_PT))


def _lines(text: str, width: float) -> int:
    """Return how many lines a text takes; Chinese characters are two places wide."""
    parts = text[:_MOST_LETTERS].split("\n")
    return sum(max(1, math.ceil(_places(part) / width)) for part in parts)


def _places(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
