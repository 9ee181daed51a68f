"""Text of a cell: what strangers wrote, made fit for spreadsheets, XML and links. Pure.

Attributes come from layers that anybody may have filled in. What leaves here can be shown by any
program: nothing in it controls a terminal, a parser, a spreadsheet or the direction of writing.
"""

import re
from typing import Any

__all__ = ["LONGEST", "clean_text", "guard_formula"]

LONGEST = 32_767
"""UTF-16 units that a cell holds at most (Microsoft, Excel specifications and limits)."""

# XML 1.0, production 2: these are no characters at all. With them go C1 controls, surrogates
# without a partner, and what overrides the direction of writing (Unicode TR 36, 3.3.1).
_UNFIT = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
_BREAKS = re.compile(r"\r\n?|[\u2028\u2029]")
# OWASP, CSV injection: these make a spreadsheet calculate, also in full width.
_CALCULATE = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def clean_text(value: Any, longest: int = LONGEST) -> str:
    r"""Return a value as text without control characters, cut to a length.

    Parameters
    ----------
    value
        Anything; None is empty.
    longest
        UTF-16 units; what is longer ends in three dots.

    Examples
    --------
    >>> clean_text(" a\x00b\tc\r\nd ")
    'ab c\nd'
    >>> clean_text("abcdef", 4)
    'abc…'
    >>> clean_text(None)
    ''
    """
    if value is None:
        return ""
    text = _BREAKS.sub("\n", str(value)).replace("\t", " ")
    text = _UNFIT.sub("", text).strip()
    if 2 * len(text) > longest and len(text.encode("utf-16-le")) > 2 * longest:
        kept = text.encode("utf-16-le")[: 2 * (longest - 1)]
        return kept.decode("utf-16-le", "ignore") + "…"
    return text


def guard_formula(text: str) -> str:
    """Return text that no spreadsheet takes for a formula, by an apostrophe before it.

    Examples
    --------
    >>> guard_formula("=1+1"), guard_formula(" @SUM(A1)"), guard_formula("a=1")
    ("'=1+1", "' @SUM(A1)", 'a=1')
    """
    return f"'{text}" if text.lstrip().startswith(_CALCULATE) else text
