"""Attributes: columns found by their usual names, and cells read as dates and numbers. Pure."""

import math
import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from typing import Any

__all__ = ["date_in", "find_column", "is_blank", "number_in", "text_in"]

# A shapefile keeps 10 bytes of a column's name: 10 Latin letters, 5 Chinese characters in GBK, 3 in
# UTF-8 (9 bytes).
_CUT_BYTES = (9, 10)
_DATE = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})(?:日|[T\s].*|)")
_COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\.0+)?")
_NUMBER = re.compile(r"([-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)\s*")
_UNITS = re.compile(
    r"(m2|m\^2|sqm|sq\.?m\.?|平方米|平米|m|米|层|f|storeys?|floors?|)", re.IGNORECASE
)
_CHINESE_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九十")} | {"两": 2}
# What people and programs write into a cell they have nothing to say in.
_BLANKS = frozenset(
    {"", "-", "--", "/", "\\", "nan", "nat", "none", "null", "n/a", "无", "空", "不详", "未知"}
    | {"0000-00-00", "00000000"}
)
_UNLIMITED = frozenset(
    {"长期", "永久", "长期有效", "无期限", "unlimited", "permanent", "indefinite"}
)


def find_column(columns: Iterable[str], names: Iterable[str]) -> str | None:
    """Return the column that goes by one of ``names``, the earlier name before the later.

    Case, spaces, underscores, brackets and units do not matter; a name that a shapefile has cut off
    counts where no column bears it whole.

    Examples
    --------
    >>> find_column(["id", "Permit_No"], ["permit number", "permit no"])
    'Permit_No'
    >>> find_column(["有效期", "规划许可证"], ["规划许可证号"])
    '规划许可证'
    """
    available = [(column, _plain(column)) for column in columns]
    wanted = [_plain(name) for name in names]
    for name in wanted:
        for column, plain in available:
            if plain == name:
                return column
    for name in wanted:
        for column, plain in available:
            if plain and _is_cut(column) and name.startswith(plain):
                return column
    return None


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"[\s_\-.:]|\(.*?\)|\[.*?\]", "", folded)


def _is_cut(column: str) -> bool:
    return any(len(column.encode(c, "replace")) in _CUT_BYTES for c in ("utf-8", "gb18030"))


def text_in(value: Any) -> str:
    """Return a cell as text on one line; a whole number without its ``.0``, nothing as ``""``."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = "".join(c if c.isprintable() else " " for c in str(value))
    return re.sub(r"\s+", " ", text).strip()


def is_blank(value: Any) -> bool:
    """Whether a cell says nothing."""
    return text_in(value).casefold() in _BLANKS


def date_in(value: Any) -> date | None:
    """Return the date a cell holds; None where it is blank or without limit.

    Year, month, day in this order, as ``2024-03-01``, ``2024/3/1``, ``20240301``, ``2024年3月1日``
    or the start of a timestamp. Orders that could be read in two ways are refused.

    Raises
    ------
    ValueError
        The cell holds something else.

    Examples
    --------
    >>> date_in("2024年3月1日")
    datetime.date(2024, 3, 1)
    """
    text = unicodedata.normalize("NFKC", text_in(value))
    if is_blank(text) or text.casefold() in _UNLIMITED:
        return None
    found = _DATE.fullmatch(text) or _COMPACT_DATE.fullmatch(text)
    if found is None:
        raise ValueError(f"not a date: {text[:60]!r}")
    return date(*(int(part) for part in found.groups()))


def number_in(value: Any) -> float | None:
    """Return the number a cell holds, its unit left aside; None where it is blank or zero.

    Zero counts as blank: tables cannot say "nothing" in a numeric column.

    Raises
    ------
    ValueError
        The cell holds something else, or a number below zero.

    Examples
    --------
    >>> number_in("1,250.5 ㎡"), number_in("三层"), number_in(0)
    (1250.5, 3.0, None)
    """
    text = unicodedata.normalize("NFKC", text_in(value))
    if is_blank(text):
        return None
    found = _NUMBER.match(text)
    rest = text[found.end() :] if found else text[1:]
    if _UNITS.fullmatch(rest) is None:
        raise ValueError(f"not a number: {text[:60]!r}")
    if found is not None:
        number = float(found[1].replace(",", ""))
    elif text[0] in _CHINESE_DIGITS:
        number = float(_CHINESE_DIGITS[text[0]])
    else:
        raise ValueError(f"not a number: {text[:60]!r}")
    if number < 0 or number > 1e9:
        raise ValueError(f"not a size: {text[:60]!r}")
    return number or None
