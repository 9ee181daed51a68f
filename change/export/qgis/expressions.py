"""Expressions of QGIS: literals, words for slugs, text that stays text inside HTML. Pure."""

from collections.abc import Mapping, Sequence

from change.export.headings import SLUG_WORDS, in_languages

__all__ = ["as_html", "column", "literal", "place_of", "slug_words", "words", "words_of_list"]

# Text of strangers is shown up to this length.
_LONGEST = 300


def literal(text: str) -> str:
    r"""Return text as a string of the expression language.

    Examples
    --------
    >>> print(literal("it's \\ here"))
    'it''s \\ here'
    """
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def column(name: str) -> str:
    """Return a column as text, empty where it holds nothing."""
    return f"coalesce(\"{name}\", '')"


def slug_words(name: str, languages: Sequence[str]) -> Mapping[str, str]:
    """Return what people call the slugs that stand in a column."""
    return {slug: in_languages(word, languages) for slug, word in SLUG_WORDS[name].items()}


def words(name: str, told: Mapping[str, str]) -> str:
    """Return the word for the slug in a column; a slug nobody knows stays as it is."""
    return f'coalesce(map_get({_map(told)}, "{name}"), {column(name)})'


def words_of_list(name: str, told: Mapping[str, str]) -> str:
    """Return the words for the slugs in a column that holds several, parted by semicolons."""
    one = f"coalesce(map_get({_map(told)}, @element), @element)"
    return f"array_to_string(array_foreach(string_to_array({column(name)}, ';'), {one}), '; ')"


def _map(told: Mapping[str, str]) -> str:
    return f"map({', '.join(literal(text) for pair in told.items() for text in pair)})"


def as_html(expression: str) -> str:
    """Return an expression whose result is text inside HTML, whatever a stranger wrote into it.

    QGIS shows tips as web pages, and has no function for this.
    """
    shown = f"left({expression}, {_LONGEST})"
    for mark, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        shown = f"replace({shown}, {literal(mark)}, {literal(entity)})"
    return shown


def place_of(path: str) -> str:
    """Return the path, on this computer, of a file that lies in the folder of results.

    Parameters
    ----------
    path
        Expression for the path inside that folder. The folder is the one the layer's file lies in:
        a project inside the GeoPackage, or a layer alone, knows no folder of its own.
    """
    return f"file_path(layer_property(@layer_id, 'path')) || '/' || {path}"
