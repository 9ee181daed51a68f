"""SheetStyle: what the user chose of how sheets look."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from change.export.headings import in_languages

__all__ = ["SheetStyle"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetStyle:
    """How sheets are written."""

    languages: tuple[str, ...]
    """Languages of their words, of ``survey.words.LANGUAGES``; the first is the main one."""
    navigation: str
    """Whose map the links to a place open, one of ``survey.settings.NAVIGATIONS``."""
    font: Path | None = None
    """Font file for the PDF; None looks for one where it is needed."""

    def say(self, message: str) -> str:
        """Return a sentence of the catalogue in these languages, parted by a slash."""
        return _said(message, self.languages)


@cache
def _said(message: str, languages: tuple[str, ...]) -> str:
    return in_languages(message, languages)
