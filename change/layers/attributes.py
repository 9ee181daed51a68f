"""Attributes: columns found by their usual names, and cells read as dates, sizes, yes or no. Pure.

Digits, brackets and units count in whatever width they are written (Unicode NFKC).
"""

import calendar
import math
import re
import unicodedata
from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from survey.words import _

__all__ = [
    "area_in",
    "column_m2",
    "date_in",
    "find_column",
    "is_blank",
    "last_date_in",
    "number_in",
    "number_key",
    "temporary_in",
    "text_in",
]

# The traditional characters in the names of columns: Big5 has no others.
_TRADITIONAL = str.maketrans(
    "許證號權發準審記時間積層樓戶設單稱請產業規劃築臨類別總編簷條屬從縣鎮鄉區樣圖畝數點線寬長邊",
    "许证号权发准审记时间积层楼户设单称请产业规划筑临类别总编檐条属从县镇乡区样图亩数点线宽长边",
)
_REMEMBERED = 2**16
_LARGEST_SIZE = 1e9
# A shapefile keeps 10 bytes of a column's name: 10 Latin letters, 5 Chinese characters in GBK, 3 in
# UTF-8 (9 bytes).
_CUT_BYTES = (9, 10)
_DATE = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})(?:日|[T\s].*|)")
_COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\.0+)?")
_MONTH = re.compile(r"(\d{4})\s*(?:年\s*(\d{1,2})\s*月份?|(?:[-/]\s*|\.(?=\d\d))(\d{1,2}))")
_SERIAL = re.compile(r"(\d{5})(?:\.\d+)?")
# Spreadsheets count days from here (ECMA-376 part 1, 18.17.4.1, with the 29 February 1900 that
# never was); a cell of 0 is shown as 1900-01-00 by one program and as 1899-12-30 by another.
_DAY_ZERO = date(1899, 12, 30)
_SERIALS = range(20_000, 80_000)  # 1954 to 2119: what permits and their ends can be
_ZERO_DATES = re.compile(r"(1900[-/.]0?1[-/.]0?0|1900年0?1月0?0日|1899[-/.]12[-/.]3[01])([T\s].*|)")
_NUMBER = re.compile(r"([-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)\s*")
_UNITS = re.compile(
    r"(m2|m\^2|sqm|sq\.?m\.?|平方米|平米|m|米|层|f|storeys?|floors?|)", re.IGNORECASE
)
# 15 mu are one hectare (State Council order on legal units of measurement, 1984).
_MU_M2, _HA_M2 = 10_000 / 15, 10_000.0
_LARGE_UNITS = {"亩": _MU_M2, "mu": _MU_M2} | dict.fromkeys(
    ("公顷", "ha", "hm2", "万平方米", "万平米", "万m2"), _HA_M2
)
_LARGE = "|".join(_LARGE_UNITS)
_AREA = re.compile(rf"(?P<number>.*?)\s*(?P<unit>{_LARGE})", re.IGNORECASE)
_COLUMN_UNIT = re.compile(
    rf"(?:[(\[【〔]\s*(?:单位[:]?)?(?P<in>{_LARGE})\s*[)\]】〕]|[\s_](?P<after>ha|mu)|(?P<mu>亩)数?)\s*$",
    re.IGNORECASE,
)
_CHINESE_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_CHINESE_NUMBER = re.compile(
    r"(?P<tens>[一二三四五六七八九]?十)?(?P<ones>[零〇一二三四五六七八九两])?"
)
# What people and programs write into a cell they have nothing to say in.
_BLANKS = frozenset(
    {
        "",
        "-",
        "--",
        "/",
        "\\",
        "nan",
        "nat",
        "none",
        "null",
        "n/a",
        "无",
        "空",
        "不详",
        "未知",
        "待补",
        "待定",
        "暂无",
    }
    | {"0000-00-00", "00000000"}
)
_UNLIMITED = frozenset(
    {"长期", "永久", "长期有效", "无期限", "unlimited", "permanent", "indefinite"}
)
_YES = frozenset({"是", "有", "y", "yes", "true", "t", "1", "1.0", "√", "✓"})
_NOT_TEMPORARY = re.compile(r"非临时|不是临时|not temporary|non-?temporary", re.IGNORECASE)
# 临 alone also begins the names of a dozen cities (临安, 临海, 临沂...): it counts in brackets or
# next to the planning authority's 规.
_TEMPORARY = re.compile(r"临时|规临建|规建临|[(\[]临[)\]]|\btemp(?:orary|\b)", re.IGNORECASE)
_BRACKETS = str.maketrans("〔【［『「〕】］』」", "[[[[[]]]]]")
_DASHES = re.compile("[‐‑‒–—―−－]")


def find_column(columns: Iterable[str], names: Iterable[str]) -> str | None:
    """Return the column that goes by one of ``names``, the earlier name before the later.

    Case, width, spaces, underscores, brackets and units do not matter; a name that a shapefile has
    cut off counts where no column bears it whole.

    Examples
    --------
    >>> find_column(["id", "Permit_No"], ["permit number", "permit no"])
    'Permit_No'
    >>> find_column(["有效期", "规划许可证"], ["规划许可证号"])
    '规划许可证'
    >>> find_column(["權利人", "許可證號"], ["许可证号"])
    '許可證號'
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


def _folded(text: str) -> str:
    """Return a text with digits, letters and brackets in their plain forms."""
    folded = unicodedata.normalize("NFKC", text).translate(_BRACKETS)
    return _DASHES.sub("-", folded)


def _plain(name: str) -> str:
    simple = _folded(name).casefold().translate(_TRADITIONAL)
    bare = re.sub(r"[\s_](ha|mu)\s*$|(?<=面积)亩数?$", "", simple)
    return re.sub(r"[\s_\-.:]|\(.*?\)|\[.*?\]", "", bare)


def _is_cut(column: str) -> bool:
    return any(len(column.encode(c, "replace")) in _CUT_BYTES for c in ("utf-8", "gb18030"))


def text_in(value: Any) -> str:
    """Return a cell as text on one line; a whole number without its ``.0``, nothing as ``""``."""
    if type(value) is str and value.isprintable() and "  " not in value:
        return value.strip()
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value)
    if text.isprintable() and "  " not in text:
        return text.strip()
    text = "".join(c if c.isprintable() else " " for c in text)
    return re.sub(r"\s+", " ", text).strip()


def number_key(number: str) -> str:
    """Return what two spellings of one permit number have in common.

    Examples
    --------
    >>> number_key("粤建字第〔２０２４〕 17号") == number_key("粤建字第[2024]17号")
    True
    """
    return re.sub(r"\s", "", _folded(number)).casefold()


def is_blank(value: Any) -> bool:
    """Whether a cell says nothing."""
    return text_in(value).casefold() in _BLANKS


def date_in(value: Any) -> date | None:
    """Return the date a cell holds; None where it is blank or without limit.

    Year, month, day in this order, as ``2024-03-01``, ``2024/3/1``, ``20240301``, ``2024年3月1日``
    or the start of a timestamp. Orders that could be read in two ways are refused. The zero of a
    spreadsheet (``1900-01-00``, ``1899-12-30``) is blank. A month (``2024年3月``) stands for its
    first day: whoever was granted a permit in March is not accused of having built in early March.

    Raises
    ------
    ValueError
        The cell holds something else, such as a spreadsheet's day number.

    Examples
    --------
    >>> date_in("2024年3月1日"), date_in("2024-03")
    (datetime.date(2024, 3, 1), datetime.date(2024, 3, 1))
    """
    return _date(value, last=False)


def last_date_in(value: Any) -> date | None:
    """Return the last day that a cell may mean: as `date_in`, but a month stands for its last day.

    A permit valid until March is good for all of March.

    Raises
    ------
    ValueError
        The cell holds something else.

    Examples
    --------
    >>> last_date_in("2024年2月"), last_date_in("2024-02-01")
    (datetime.date(2024, 2, 29), datetime.date(2024, 2, 1))
    """
    return _date(value, last=True)


def _date(value: Any, *, last: bool) -> date | None:
    return _date_of(text_in(value), last)


# Columns repeat themselves: in a city's layer a day or a number of storeys stands in many rows.
@lru_cache(maxsize=_REMEMBERED)
def _date_of(cell: str, last: bool) -> date | None:
    text = unicodedata.normalize("NFKC", cell)
    said = text.casefold()
    if said in _BLANKS or said in ("0", "0.0") or said in _UNLIMITED or _ZERO_DATES.fullmatch(text):
        return None
    found = _DATE.fullmatch(text) or _COMPACT_DATE.fullmatch(text)
    if found is not None:
        return date(*(int(part) for part in found.groups()))
    month = _MONTH.fullmatch(text)
    if month is not None:
        first = date(int(month[1]), int(month[2] or month[3]), 1)
        days = calendar.monthrange(first.year, first.month)[1]
        return first.replace(day=days) if last else first
    serial = _SERIAL.fullmatch(text)
    if serial is not None and int(serial[1]) in _SERIALS:
        day = _DAY_ZERO + timedelta(days=int(serial[1]))
        raise ValueError(
            _("not a date: {text}, a spreadsheet's day number for {day}?").format(
                text=repr(text), day=day.isoformat()
            )
        )
    raise ValueError(_("not a date: {text}").format(text=repr(text[:60])))


def number_in(value: Any) -> float | None:
    """Return the number a cell holds, its unit left aside; None where it is blank or zero.

    Zero counts as blank: tables cannot say "nothing" in a numeric column. Chinese numerals are read
    up to 99.

    Raises
    ------
    ValueError
        The cell holds something else, or a number below zero.

    Examples
    --------
    >>> number_in("1,250.5 ㎡"), number_in("三层"), number_in("十二层"), number_in(0)
    (1250.5, 3.0, 12.0, None)
    """
    if type(value) is float and 0.0 < value <= _LARGEST_SIZE:
        return value
    return _number_of(text_in(value))


@lru_cache(maxsize=_REMEMBERED)
def _number_of(cell: str) -> float | None:
    text = _folded(cell)
    if text.casefold() in _BLANKS:
        return None
    found = _NUMBER.match(text)
    number, rest = (
        _chinese(text) if found is None else (float(found[1].replace(",", "")), text[found.end() :])
    )
    if number is None or _UNITS.fullmatch(rest) is None:
        raise ValueError(_("not a number: {text}").format(text=repr(text[:60])))
    if number < 0 or number > _LARGEST_SIZE:
        raise ValueError(_("not a size: {text}").format(text=repr(text[:60])))
    return number or None


def _chinese(text: str) -> tuple[float | None, str]:
    """Return the Chinese number a text begins with, and the rest of the text."""
    found = _CHINESE_NUMBER.match(text)
    if found is None or not found[0]:
        return None, text
    tens, ones = found["tens"], found["ones"]
    number = _CHINESE_DIGITS[ones] if ones else 0
    if tens:
        number += 10 * (_CHINESE_DIGITS[tens[0]] if len(tens) == 2 else 1)
    return float(number), text[found.end() :].lstrip()


def area_in(value: Any, unit_m2: float = 1.0) -> float | None:
    """Return the area a cell holds, m2; None where it is blank or zero.

    Parameters
    ----------
    value
        The cell; a unit of its own (``0.8亩``, ``1.2公顷``, ``0.3万平方米``) wins.
    unit_m2
        Square metres in the unit of a bare number, as from `column_m2`.

    Raises
    ------
    ValueError
        The cell holds something else, or a number below zero.

    Examples
    --------
    >>> round(area_in("0.18亩"), 2), area_in("1.2 公顷"), area_in("80㎡")
    (120.0, 12000.0, 80.0)
    """
    if type(value) is float and 0.0 < value <= _LARGEST_SIZE:
        return value * unit_m2
    text = _folded(text_in(value))
    large = _AREA.fullmatch(text)
    if large is not None:
        number = number_in(large["number"])
        return None if number is None else number * _LARGE_UNITS[large["unit"].lower()]
    number = number_in(value)
    return None if number is None else number * (unit_m2 if _is_bare(text) else 1.0)


def _is_bare(text: str) -> bool:
    found = _NUMBER.match(text)
    return found is not None and found.end() == len(text)


def column_m2(name: str) -> float:
    """Return how many square metres the unit is that a column's name states; 1 where it is silent.

    Examples
    --------
    >>> round(column_m2("占地面积（亩）"), 3), column_m2("建筑面积(㎡)"), column_m2("area_ha")
    (666.667, 1.0, 10000.0)
    """
    found = _COLUMN_UNIT.search(_folded(name))
    if found is None:
        return 1.0
    return _LARGE_UNITS[(found["in"] or found["after"] or found["mu"]).lower()]


def temporary_in(value: Any, number: str = "") -> bool:
    """Return whether a permit is for a temporary building.

    Parameters
    ----------
    value
        The cell of a column that says so: yes or no, or the type of the permit.
    number
        The permit's number, which decides where the cell is blank. In it 临 counts in 临时, in
        brackets, and in 规临建: by itself it may be the name of a place.

    Examples
    --------
    >>> temporary_in("是"), temporary_in("临时建设工程规划许可证"), temporary_in("非临时")
    (True, True, False)
    >>> temporary_in(None, "穗规（临）建字第12号"), temporary_in(None, "临海建字第3号")
    (True, False)
    """
    text = _folded(text_in(value)).casefold()
    if text in _BLANKS:
        return _TEMPORARY.search(_folded(number)) is not None
    if _NOT_TEMPORARY.search(text):
        return False
    return text in _YES or _TEMPORARY.search(text) is not None
