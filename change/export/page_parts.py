"""Parts that the pages have in common: tables and lists. Pure."""

from collections.abc import Iterable
from html import escape

__all__ = ["bullet_list", "fact_table"]


def bullet_list(title: str, lines: Iterable[str]) -> str:
    """Return a heading and plain sentences below it, as HTML."""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<h2>{escape(title)}</h2>\n<ul>{items}</ul>"


def fact_table(title: str, rows: Iterable[tuple[str, str]]) -> str:
    """Return a heading and a table of two columns, as HTML.

    Parameters
    ----------
    title
        Plain text.
    rows
        Name, plain text, and what is said of it, HTML.
    """
    inside = "".join(f"<tr><th>{escape(name)}</th><td>{text}</td></tr>" for name, text in rows)
    return f'<h2>{escape(title)}</h2>\n<div class="scroll"><table>{inside}</table></div>'
