"""Word list: the hidden sheet of the spreadsheet that says what its words mean.

Drop-downs take their words from it, and whoever reads the filled-in list back finds here which
heading is which column, and which word is which slug, whatever the language. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from change.export.table import Ledger

__all__ = ["WORD_SHEET", "WordList", "make_word_list"]

WORD_SHEET = "orthowatch"
"""Name of the sheet, in every language."""

_FORMAT = ("format", "inspection-list", "1")
_CHOSEN = ("answer", "dismissal")


@dataclass(frozen=True, slots=True, kw_only=True)
class WordList:
    """The rows of the sheet, and where the drop-downs find their words."""

    rows: tuple[tuple[str, str, str], ...]
    """What about (``format``, ``run``, ``column``, or a column with slugs), slug, word."""
    choices: Mapping[str, str]
    """Of ``answer`` and ``dismissal``: the cells that hold the words, as a formula."""


def make_word_list(ledger: Ledger, run_id: str) -> WordList:
    """Return what the words of a list mean."""
    rows = [_FORMAT, ("run", run_id, "")]
    rows += [("column", column.name, column.heading) for column in ledger.columns]
    choices = {}
    for name, words in ledger.words.items():
        first = len(rows) + 1
        rows += [(name, slug, word) for slug, word in words.items()]
        if name in _CHOSEN:
            choices[name] = f"={WORD_SHEET}!$C${first}:$C${len(rows)}"
    return WordList(rows=tuple(rows), choices=choices)
