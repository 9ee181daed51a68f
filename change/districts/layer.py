"""Layer: the townships, communities or unit-grid cells of one file."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from shapely import STRtree

from change.layers import Area, BadRow, LayerRead, read_layer
from change.layers.attributes import find_column, is_blank, text_in
from survey.errors import LayerError
from survey.words import _, ngettext

__all__ = ["LEVELS", "District", "DistrictLayer", "derived", "open_layer"]

LEVELS = ("township", "community", "cell")
"""What districts there are, the larger before the smaller."""

# Names of columns by level, the surest first. XZQDM and XZQMC are those of the national land
# surveys; a community's table often has its township's columns as well.
_CODES: Mapping[str, tuple[str, ...]] = {
    "township": (
        "township code", "town code", "street code", "镇街编码", "镇街代码", "街道代码", "街道编码",
        "乡镇代码", "乡镇编码",
    ),
    "community": (
        "community code", "village code", "社区编码", "社区代码", "村代码", "村编码", "村居代码",
        "村居编码", "村社代码",
    ),
    "cell": (
        "cell code", "grid code", "cell", "单元网格编码", "单元网格代码", "网格编码", "网格代码",
        "单元网格", "网格编号", "网格号", "bgcode",
    ),
}  # fmt: skip
_ANY_CODE = (
    "code", "编码", "代码", "区划代码", "行政区划代码", "行政区代码", "行政区域代码", "统计代码",
    "xzqdm", "qhdm", "adcode", "gbcode", "gb", "unit code", "编号",
)  # fmt: skip
_NAMES: Mapping[str, tuple[str, ...]] = {
    "township": (
        "township name", "township", "town", "street", "subdistrict", "镇街名称", "镇街",
        "街道名称", "街道", "乡镇名称", "乡镇", "镇", "所属镇街",
    ),
    "community": (
        "community name", "community", "village", "社区名称", "社区", "村居名称", "村居", "行政村",
        "村名称", "村名", "村", "居委会", "村委会", "所属社区",
    ),
    "cell": ("cell name", "grid name", "单元网格名称", "网格名称"),
}  # fmt: skip
_ANY_NAME = ("name", "名称", "行政区名称", "行政区划名称", "区划名称", "xzqmc", "qhmc", "名字")

_LOST_ZEROS = 2
"""So many leading zeros a code of three digits loses as a number; one that lacks more is another
kind of code."""
_COUNTER = 10
"""Numbers that stay below so many times their count are counted through, and lack no zeros."""
_LOCAL_DIGITS = 3
"""Codes up to this length repeat: every township has a community 001."""


@dataclass(frozen=True, slots=True, kw_only=True)
class District:
    """One township, community or cell."""

    code: str
    """Its code as text; empty where the layer has none."""
    name: str
    """Its name; empty where the layer has none."""

    @property
    def shown(self) -> str:
        """What people call it."""
        return self.name or self.code

    @property
    def key(self) -> str:
        """What it goes by in codes: its name only where it has no code."""
        return self.code or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class DistrictLayer:
    """All districts of one level."""

    level: str
    """One of ``LEVELS``."""
    source: str
    """The file as the user knows it."""
    districts: tuple[District, ...]
    """By code, then by name; equal shares go to the first."""
    parts: NDArray[np.object_]
    """Polygons in metres of the area's CRS, shape (n,)."""
    owner: NDArray[np.int64]
    """Index of the district that each of ``parts`` belongs to, shape (n,)."""
    assumptions: tuple[str, ...]
    """What was assumed, as sentences."""
    bad_rows: tuple[BadRow, ...]
    """What was wrong, by row."""
    tree: STRtree = field(init=False, repr=False, compare=False)
    """Index of ``parts``."""

    def __post_init__(self) -> None:
        if len(self.owner) != len(self.parts):
            raise ValueError(f"{len(self.owner)} owners of {len(self.parts)} parts")
        shapely.prepare(self.parts)
        object.__setattr__(self, "tree", STRtree(self.parts))

    def parts_of(self, district: int) -> NDArray[np.object_]:
        """Return the polygons of one district."""
        parts: NDArray[np.object_] = self.parts[self.owner == district]
        return parts


def open_layer(
    level: str,
    path: str | Path,
    *,
    area: Area,
    crs: CRS | None = None,
    encoding: str | None = None,
) -> DistrictLayer:
    """Read the districts of one level.

    Rows that share a code are one district, or rows that share a name where they have no code.

    Parameters
    ----------
    level
        One of ``LEVELS``.
    path
        A local file or folder that GDAL reads, a zip of one, or ``FILE|layername=NAME``.
    area
        Where the work takes place; polygons come out in its CRS.
    crs
        CRS of the coordinates, whatever the file says.
    encoding
        Encoding of the text, whatever the file says.

    Raises
    ------
    LayerError
        The layer cannot be read or placed, lies elsewhere, or no row has a code or a name.
    """
    read = read_layer(path, area=area, crs=crs, encoding=encoding)
    codes, names, said = _labels(read, level)
    flaws = [
        BadRow(
            row=int(row), why="unnamed", detail=_("neither code nor name"), kept=False, where=where
        )
        for row, where, *told in zip(
            read.frame.index, shapely.envelope(read.frame.geometry.array), codes, names, strict=True
        )
        if not any(told)
    ]
    if len(flaws) == len(codes):
        raise LayerError(_("{path}: no row has a code or a name").format(path=read.source))
    return _layer(
        level,
        (read.source, (*read.assumptions, *said), (*read.bad_rows, *flaws)),
        np.array([*read.frame.geometry, None], dtype=object)[:-1],
        _owners(codes, names, read.frame.geometry.area.tolist()),
    )


def derived(layer: DistrictLayer, level: str, digits: int, whole: int) -> DistrictLayer | None:
    """Return the larger districts that the codes of smaller ones begin with.

    Parameters
    ----------
    layer
        The smaller districts.
    level
        Level of the larger ones.
    digits
        So many digits of a code are theirs.
    whole
        So many digits the code of a smaller one has; where less than half do, it is another scheme,
        and the answer is None.
    """
    fits = [re.fullmatch(rf"[0-9]{{{whole}}}", item.code) is not None for item in layer.districts]
    if 2 * sum(fits) < len(fits) or not any(fits):
        return None
    owners = [
        (item.code[:digits], "") if fit else None
        for item, fit in zip(layer.districts, fits, strict=True)
    ]
    return _layer(
        level, (layer.source, (), ()), layer.parts, [owners[index] for index in layer.owner]
    )


def _layer(
    level: str,
    origin: tuple[str, tuple[str, ...], tuple[BadRow, ...]],
    outlines: NDArray[np.object_],
    owners: Sequence[tuple[str, str] | None],
) -> DistrictLayer:
    """Return the layer of outlines that belong to (code, name); without one they are left out."""
    known = sorted({owner for owner in owners if owner is not None})
    index = {owner: number for number, owner in enumerate(known)}
    numbers = np.array([-1 if owner is None else index[owner] for owner in owners], dtype=np.int64)
    parts, row = shapely.get_parts(outlines, return_index=True)
    kept = numbers[row] >= 0
    return DistrictLayer(
        level=level,
        source=origin[0],
        districts=tuple(District(code=code, name=name) for code, name in known),
        parts=parts[kept],
        owner=numbers[row][kept],
        assumptions=origin[1],
        bad_rows=tuple(sorted(origin[2], key=lambda flaw: flaw.row)),
    )


def _labels(read: LayerRead, level: str) -> tuple[list[str], list[str], tuple[str, ...]]:
    """Return the code and the name of every row, and what was assumed of them."""
    columns = [str(name) for name in read.frame.columns if name != read.frame.geometry.name]
    by_code = find_column(columns, (*_CODES[level], *_ANY_CODE))
    free = [name for name in columns if name != by_code]
    by_name = find_column(free, (*_NAMES[level], *_ANY_NAME))
    if by_code is None and by_name is None:
        raise LayerError(
            _(
                "{path}: no column of codes or names was recognised among {columns}; "
                "call one code or name"
            ).format(path=read.source, columns=", ".join(columns))
        )
    names = _cells(read, by_name)
    codes = [
        "" if cell == "0" else re.sub(r"^(\d+)\.0+$", r"\1", cell) for cell in _cells(read, by_code)
    ]
    numeric = by_code is not None and read.frame[by_code].dtype.kind in "iuf"
    filled = _filled_up(codes, numeric=numeric)
    return filled, names, _said_of_zeros(codes, filled, read.source)


def _cells(read: LayerRead, column: str | None) -> list[str]:
    values: list[Any] = [None] * len(read.frame) if column is None else read.frame[column].tolist()
    return ["" if is_blank(value) else text_in(value) for value in values]


def _filled_up(codes: list[str], *, numeric: bool) -> list[str]:
    """Return codes with the leading zeros they lost as numbers, where others tell the width."""
    told = {code for code in codes if code}
    if not told or not all(code.isascii() and code.isdigit() for code in told):
        return codes
    width = max(map(len, told))
    led = {len(code) for code in told if code.startswith("0")}
    # As text, those that kept their zeros tell; among numbers, the longer ones do, unless they are
    # counted through.
    lost = width - min(map(len, told)) <= _LOST_ZEROS and max(map(int, told)) > _COUNTER * len(told)
    if led == {width} or (numeric and not led and lost):
        return [code.zfill(width) if code else "" for code in codes]
    return codes


def _said_of_zeros(codes: list[str], filled: list[str], shown: str) -> tuple[str, ...]:
    changed = sorted({(old, new) for old, new in zip(codes, filled, strict=True) if old != new})
    if not changed:
        return ()
    sentence = ngettext(
        "{path}: {count} code had lost its leading zeros: {old} was taken as {new}",
        "{path}: {count} codes had lost their leading zeros: {old} was taken as {new}, and so on",
        len(changed),
    )
    old, new = changed[0]
    return (sentence.format(path=shown, count=len(changed), old=old, new=new),)


def _owners(codes: list[str], names: list[str], areas: list[float]) -> list[tuple[str, str] | None]:
    """Return for each row the (code, name) of its district; of several names the larger area's."""
    names_of: dict[str, Counter[str]] = defaultdict(Counter)
    codes_of: dict[str, set[str]] = defaultdict(set)
    for code, name, area in zip(codes, names, areas, strict=True):
        if code and name:
            names_of[code][name] += round(area)
            codes_of[name].add(code)
    owners: list[tuple[str, str] | None] = []
    for code, name in zip(codes, names, strict=True):
        known = code or (min(codes_of[name]) if len(codes_of[name]) == 1 else "")
        local = bool(name) and 0 < len(known) <= _LOCAL_DIGITS
        called = name if local or not known else _usual(names_of[known])
        owners.append((known, called) if known or called else None)
    return owners


def _usual(names: Counter[str]) -> str:
    return min(names, key=lambda name: (-names[name], name), default="")
