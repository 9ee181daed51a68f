"""Texts as a sheet can bear them: without what cannot be seen, and no longer than there is room."""

import unicodedata
from typing import Any

__all__ = ["clean", "shorten"]

_BLANK = "\t\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
# Controls, formats (right-to-left overrides, joiners), halves of pairs, what no standard assigns.
_UNSEEN = ("Cc", "Cf", "Cs", "Cn")


def clean(value: Any) -> str:
    r"""Return a value as one line of text that can be seen: no controls, no change of direction.

    Examples
    --------
    >>> clean("a\x00b\u202egnp.exe\tc")
    'abgnp.exe c'
    """
    text = "" if value is None else str(value)
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    text = "".join(" " if char in _BLANK else char for char in text)
    return " ".join("".join(filter(_seen, text)).split())


def _seen(char: str) -> bool:
    # Selectors only choose between looks of the character before them (Unicode, chapter 23.4).
    selector = "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"
    return not selector and unicodedata.category(char) not in _UNSEEN


def shorten(value: Any, most: int) -> str:
    """Return a value as one line of at most ``most`` characters, with ``…`` where it was cut.

    Examples
    --------
    >>> shorten("abcdef", 4)
    'abc…'
    """
    # Nobody has to look through megabytes for the few that are shown.
    told = "" if value is None else str(value)
    text = clean(told[: 8 * most])
    if len(text) <= most and len(told) <= 8 * most:
        return text
    return text[: most - 1].rstrip() + "…"
