"""Lettering: how long a text becomes, where it is cut and where it is broken. Pure."""

import math
from collections.abc import Callable
from functools import cache

__all__ = ["Lettering"]

_MM_PER_POINT = 25.4 / 72
# Sentences do not begin a line with these (GB/T 15834).
_CLOSING = frozenset("，。、；：？！）》」』】〕…,.;:?!)]}%")
_IDEOGRAPHS = "\u2e80"


class Lettering:
    """The widths of the characters of one font.

    Parameters
    ----------
    width_of
        Returns how wide a text is in thousandths of the font's size.
    """

    def __init__(self, width_of: Callable[[str], float]) -> None:
        self._advance = cache(width_of)

    def width(self, text: str, size: float) -> float:
        """Return how long a text becomes, mm; ``size`` in points."""
        return sum(map(self._advance, text)) * size * _MM_PER_POINT / 1000

    def cut(self, text: str, size: float, room: float) -> str:
        """Return a text no longer than ``room`` mm, with ``…`` where it was cut."""
        if room == math.inf or self.width(text, size) <= room:
            return text
        return self._start(text, size, room - self.width("…", size)).rstrip() + "…"

    def fit(self, text: str, size: float, room: float, least: float) -> tuple[str, float]:
        """Return a text and the size it fits at: made smaller down to ``least``, then cut."""
        width = self.width(text, size)
        if width <= room:
            return text, size
        smaller = max(least, size * room / width)
        return self.cut(text, smaller, room + 1e-6), smaller

    def wrap(self, text: str, size: float, room: float, most: int) -> list[str]:
        """Return a text as at most ``most`` lines, each no longer than ``room`` mm.

        Words are kept together where there is a blank or an ideograph to break at.
        """
        lines: list[str] = []
        rest = text
        while rest and len(lines) < most - 1:
            start = self._start(rest, size, room)
            if len(start) < len(rest):
                start = rest[: _break_before(rest, max(1, len(start)))]
            lines.append(start.rstrip())
            rest = rest[len(start) :].lstrip()
        return [*lines, self.cut(rest, size, room)] if rest else lines

    def _start(self, text: str, size: float, room: float) -> str:
        """Return as much of a text as goes into ``room`` mm."""
        left = room * 1000 / (size * _MM_PER_POINT)
        for at, char in enumerate(text):
            left -= self._advance(char)
            if left < 0:
                return text[:at]
        return text


def _break_before(text: str, most: int) -> int:
    """Return after how many characters, at most ``most``, a line may end.

    Examples
    --------
    >>> _break_before("two words", 6), _break_before("unbreakable", 6)
    (4, 6)
    """
    for at in range(most, most // 2, -1):
        before, after = text[at - 1], text[at]
        wide = before >= _IDEOGRAPHS or after >= _IDEOGRAPHS
        if (before == " " or after == " " or wide) and after not in _CLOSING:
            return at
    return most
