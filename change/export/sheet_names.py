"""Names of sheets: what a township is called, within what a spreadsheet allows. Pure."""

import re
from collections.abc import Iterable

from change.export.cell_text import clean_text

__all__ = ["LONGEST_NAME", "sheet_names"]

LONGEST_NAME = 31
"""UTF-16 units (Microsoft, Rename a worksheet)."""

_FORBIDDEN = re.compile(r"[\[\]:*?/\\\n]")
# Excel keeps it for itself.
_RESERVED = "history"


def sheet_names(names: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """Return legal names of sheets, each different from the others however it is written.

    Parameters
    ----------
    names
        What the sheets are to be called.
    taken
        Names of other sheets in the same file.

    Examples
    --------
    >>> sheet_names(["A/B", "a b", "History", "'x'", ""])
    ['A B', 'a b 2', 'History 2', 'x', '2']
    """
    used = {_RESERVED, "", *(name.casefold() for name in taken)}
    found = []
    for name in names:
        legal, number = _legal(name), 1
        while legal.casefold() in used:
            number += 1
            legal = _legal(name, f" {number}")
        used.add(legal.casefold())
        found.append(legal)
    return found


def _legal(name: str, ending: str = "") -> str:
    text = clean_text(_FORBIDDEN.sub(" ", name), LONGEST_NAME - len(ending))
    return f"{text}{ending}".strip(" '")
