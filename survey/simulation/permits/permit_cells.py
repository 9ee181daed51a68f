"""Cells of permits as ledgers spell them: dates of every form, units, full-width digits. Pure."""

import datetime as dt
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from survey.simulation.permits.permit_dirt import CellDirt, ColumnNames

__all__ = ["COLUMNS", "CellDeed", "pick", "soil_cells"]

COLUMNS: Mapping[ColumnNames, Mapping[str, str]] = {
    "english": {
        name: name
        for name in (
            "number",
            "holder",
            "granted",
            "valid_until",
            "footprint_m2",
            "storeys",
            "height_m",
            "use",
        )
    },
    "chinese": {
        "number": "许可证号",
        "holder": "权利人",
        "granted": "发证日期",
        "valid_until": "有效期至",
        "footprint_m2": "占地面积",
        "storeys": "层数",
        "height_m": "建筑高度",
        "use": "用途",
    },
    "long": {
        "number": "建设工程规划许可证号",
        "holder": "权利人名称",
        "granted": "发证日期",
        "valid_until": "有效期至",
        "footprint_m2": "建筑占地面积",
        "storeys": "批准层数",
        "height_m": "批准高度",
        "use": "房屋用途",
    },
}
"""Column of the truth to what it is called in the file."""

_USES = {"residential": "住宅", "storage": "仓储", "industrial": "工业"}
_HOLDERS = {"Household": "第{}户", "Company": "第{}公司"}
_STOREYS = dict(enumerate("一二三四五六七八九十", start=1))
_MU_M2 = 2000.0 / 3.0  # 1 mu is a fifteenth of a hectare (GB 3100-93, annex)
# U+FF01 to U+FF5E are the ASCII characters U+0021 to U+007E made full-width (Unicode, block FF00).
_WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
_DATE_FORMS = (
    "{0.year}年{0.month}月{0.day}日",
    "{0.year}/{0.month}/{0.day}",
    "{0:%Y%m%d}",
    "{0.year}.{0.month}.{0.day}",
    "{0:%Y-%m-%d} 00:00:00",
)
_ZERO_DATE = "1900-01-00"
_BLANKS = ("  ", "　", " 　")  # U+3000 is the blank of Chinese keyboards
_DATES = ("granted", "valid_until")
_KINDS: Mapping[str, type] = {
    "number": str,
    "holder": str,
    "use": str,
    "footprint_m2": float,
    "storeys": int,
    "granted": dt.date,
    "valid_until": dt.date,
}
Cells: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellDeed:
    """What was done to one cell."""

    index: int
    """Row, counted from 0."""
    column: str
    """Column of the truth."""
    kind: str
    """A share of `survey.simulation.permits.permit_dirt.CellDirt`."""


def pick(rng: np.random.Generator, candidates: list[int], count: float) -> list[int]:
    """Take a number of candidates, in their order; a fraction of one more is left to chance."""
    whole = math.floor(count + float(rng.random()))
    chosen = rng.permutation(len(candidates))[: max(0, whole)]
    return [candidates[i] for i in sorted(chosen.tolist())]


def soil_cells(rows: list[Cells], dirt: CellDirt, rng: np.random.Generator) -> list[CellDeed]:
    """Soil the cells of a table in place.

    Parameters
    ----------
    rows
        Cells by column of the truth; texts, integers, floats, dates or None.
    dirt
        What to do, and how often.
    rng
        Source of chance.

    Returns
    -------
    list of CellDeed
        What was done, kind by kind; to a cell one thing only, but for blanks behind it.
    """
    if dirt.chinese_values:
        for cells in rows:
            _translate(cells)
    deeds: list[CellDeed] = []
    for kind, columns in _CONCERNED.items():
        for column in columns:
            touched = {deed.index for deed in deeds if deed.column == column}
            fit = [i for i, cells in enumerate(rows) if isinstance(cells[column], _KINDS[column])]
            if kind != "trailing_blanks":
                fit = [i for i in fit if i not in touched]
            for index in pick(rng, fit, getattr(dirt, kind) * len(rows)):
                rows[index][column] = _CHANGES[kind](rows[index][column], rows[index], rng)
                deeds.append(CellDeed(index=index, column=column, kind=kind))
    return deeds


def _translate(cells: Cells) -> None:
    cells["use"] = _USES.get(cells["use"], cells["use"])
    word, _space, serial = str(cells["holder"]).partition(" ")
    if word in _HOLDERS:
        cells["holder"] = _HOLDERS[word].format(serial)


def _nothing(value: Any, cells: Cells, rng: np.random.Generator) -> None:
    """Leave the cell empty."""
    del value, cells, rng


def _zero_date(value: Any, cells: Cells, rng: np.random.Generator) -> str:
    del value, cells, rng
    return _ZERO_DATE


def _ended_before(value: dt.date, cells: Cells, rng: np.random.Generator) -> dt.date:
    granted = cells["granted"]
    start = granted if isinstance(granted, dt.date) else value
    return start - dt.timedelta(days=int(rng.integers(30, 900)))


def _mixed_date(value: dt.date, cells: Cells, rng: np.random.Generator) -> str:
    del cells
    return _DATE_FORMS[int(rng.integers(len(_DATE_FORMS)))].format(value)


def _storeys(value: int, cells: Cells, rng: np.random.Generator) -> str:
    del cells
    chinese = value in _STOREYS and rng.random() < 0.5
    return f"{_STOREYS[value] if chinese else value}层"


def _mu(value: float, cells: Cells, rng: np.random.Generator) -> str:
    del cells, rng
    return f"{value / _MU_M2:.3f}亩"


def _commas(value: float, cells: Cells, rng: np.random.Generator) -> str:
    del cells, rng
    return f"{value:,.2f}"


def _full_width(value: str, cells: Cells, rng: np.random.Generator) -> str:
    del cells, rng
    return value.translate(_WIDE)


def _blanks(value: str, cells: Cells, rng: np.random.Generator) -> str:
    del cells
    return value + _BLANKS[int(rng.integers(len(_BLANKS)))]


_CONCERNED: Mapping[str, tuple[str, ...]] = {
    "reversed_dates": ("valid_until",),
    "missing_dates": _DATES,
    "zero_dates": _DATES,
    "mixed_dates": _DATES,
    "storeys_as_text": ("storeys",),
    "areas_in_mu": ("footprint_m2",),
    "areas_with_commas": ("footprint_m2",),
    "missing_numbers": ("number",),
    "full_width": ("number",),
    "trailing_blanks": ("number", "holder", "use"),
}
_CHANGES: Mapping[str, Callable[[Any, Cells, np.random.Generator], Any]] = {
    "reversed_dates": _ended_before,
    "missing_dates": _nothing,
    "zero_dates": _zero_date,
    "mixed_dates": _mixed_date,
    "storeys_as_text": _storeys,
    "areas_in_mu": _mu,
    "areas_with_commas": _commas,
    "missing_numbers": _nothing,
    "full_width": _full_width,
    "trailing_blanks": _blanks,
}
