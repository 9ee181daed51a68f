"""QR codes as bars. Pure."""

from dataclasses import dataclass
from itertools import groupby

import segno

__all__ = ["Code", "make_code"]

_QUIET = 4
"""Modules left white around a code (ISO/IEC 18004, 5.3.8)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A QR code."""

    modules: int
    """Width and height with the white around it, modules."""
    bars: tuple[tuple[int, int, int], ...]
    """Its dark parts: col, row and length, modules."""


def make_code(link: str) -> Code:
    """Return the QR code of a link.

    Examples
    --------
    >>> make_code("geo:23.1,113.3").modules
    29
    """
    # M: a fold or a drop of rain on paper. The mask is given, not sought: that takes most of the
    # time, and decides only how even the dots look.
    matrix = segno.make(link, error="m", micro=False, boost_error=False, mask=3).matrix
    bars = []
    for row, modules in enumerate(matrix):
        col = 0
        for dark, run in groupby(modules):
            length = len(list(run))
            if dark:
                bars.append((col + _QUIET, row + _QUIET, length))
            col += length
    return Code(modules=len(matrix) + 2 * _QUIET, bars=tuple(bars))
