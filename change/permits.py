"""Permits: what may stand where, read from any vector layer with an account of every flaw."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
from pyproj import CRS
from shapely import MultiPolygon, Polygon, STRtree
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from change.layers import Area, BadRow, LayerRead, read_layer
from change.layers.attributes import (
    area_in,
    column_m2,
    date_in,
    find_column,
    is_blank,
    last_date_in,
    number_in,
    number_key,
    temporary_in,
    text_in,
)
from survey.errors import LayerError
from survey.words import _

__all__ = ["COLUMNS", "Permit", "Permits", "open_permits"]

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "number": (
        "permit number", "permit no", "permit", "permit id", "licence number", "license number",
        "licence no", "license no", "reference", "建设工程规划许可证号", "工程规划许可证号",
        "规划许可证号", "许可证号", "许可证编号", "许可证", "不动产权证号", "权证号", "证书编号",
        "证书号", "证号", "宗地代码", "宗地号", "number", "编号", "ref", "no",
    ),
    "granted": (
        "granted", "granted on", "grant date", "date granted", "issued", "issue date",
        "date issued", "approved", "approval date", "permit date", "发证日期", "批准日期",
        "核发日期", "许可日期", "审批日期", "发证时间", "批准时间", "审批时间", "登记时间",
        "登记日期",
    ),
    "valid_until": (
        "valid until", "valid to", "expires", "expiry", "expiry date", "expires on", "end date",
        "有效期至", "有效期限", "有效期", "到期日期", "截止日期", "失效日期", "到期时间",
    ),
    "footprint_m2": (
        "footprint", "footprint m2", "footprint area", "ground area", "building area", "占地面积",
        "建筑占地面积", "基底面积", "建筑基底面积", "批准占地面积", "占地",
    ),
    "floor_area_m2": (
        "floor area", "floor area m2", "gross floor area", "total floor area", "gfa", "建筑面积",
        "总建筑面积", "批准建筑面积", "许可建筑面积",
    ),
    "storeys": (
        "storeys", "stories", "floors", "number of storeys", "levels", "building levels", "层数",
        "建筑层数", "地上层数", "总层数", "批准层数", "楼层",
    ),
    "height_m": (
        "height", "height m", "building height", "max height", "高度", "建筑高度", "檐口高度",
        "批准高度", "限高",
    ),
    "holder": (
        "holder", "permit holder", "owner", "applicant", "name", "权利人", "权利人名称", "户主",
        "户主姓名", "建设单位", "申请人", "产权人", "业主", "姓名", "单位名称",
    ),
    "use": ("use", "land use", "purpose", "usage", "用途", "土地用途", "房屋用途", "规划用途"),
    "temporary": (
        "temporary", "is temporary", "temp", "permit type", "type of permit", "permit kind",
        "是否临时", "是否临时建筑", "是否临建", "临时", "临时建筑", "临建", "许可证类型",
        "许可类型", "许可证类别", "许可类别", "证件类型", "证书类型",
    ),
}  # fmt: skip
"""Field of a permit to the column names it goes by, the surest first: the usual names in
Chinese ledgers of permits, in the land registry and in English exports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """One row of the permit layer."""

    row: int
    """Position in the file, counted from 1."""
    number: str
    """The permit's number as written; empty where the row has none."""
    outline: Polygon | MultiPolygon
    """What may be built on, valid, in metres of the area's projected CRS."""
    granted: date | None
    """Day it was granted."""
    valid_until: date | None
    """Last day it may be used; None where unlimited or unknown."""
    footprint_m2: float | None
    """Ground it allows to be covered, m2."""
    floor_area_m2: float | None
    """Floor area it allows over all storeys, m2."""
    storeys: int | None
    """Storeys it allows above ground."""
    height_m: float | None
    """Height above ground it allows, m."""
    holder: str
    """Who holds it."""
    use: str
    """What the building is for."""
    temporary: bool = False
    """Whether it is for a temporary building: a column says so, or else the number does."""

    @property
    def key(self) -> str:
        """The number as compared: width, brackets, dashes, case and blanks do not matter."""
        return number_key(self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Permits:
    """A permit layer as it was read."""

    permits: tuple[Permit, ...]
    """The usable rows in the order of the file."""
    source: str
    """The file as the user knows it."""
    layer: str
    """Name of the layer inside the file."""
    crs: CRS
    """CRS the file's coordinates were taken in."""
    outline_crs: CRS
    """CRS of the outlines: the area's."""
    encoding: str
    """Codec the text was decoded with."""
    rows: int
    """Rows in the file, usable or not."""
    columns: tuple[tuple[str, str], ...]
    """Which column each field was read from, as (field, column)."""
    assumptions: tuple[str, ...]
    """What was assumed, as sentences."""
    remarks: tuple[str, ...]
    """GDAL's own warnings."""
    bad_rows: tuple[BadRow, ...]
    """What was wrong, by row: geometry and attributes, dropped or kept."""
    lost_numbers: tuple[tuple[int, str], ...] = ()
    """Numbers of the permits in rows that could not be used, as (row, number)."""
    other_columns: tuple[str, ...] = ()
    """Columns that were not recognised."""
    digest: str | None = None
    """SHA-256 of the content, where it came from a database and no file can be hashed."""
    _tree: STRtree = field(init=False, repr=False, compare=False)
    _flawed: tuple[BadRow, ...] = field(init=False, repr=False, compare=False)
    _flawed_tree: STRtree = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        places = [row.where for row in self.bad_rows if not row.kept and row.where is not None]
        flawed = tuple(row for row in self.bad_rows if not row.kept and row.where is not None)
        object.__setattr__(self, "_tree", STRtree([p.outline for p in self.permits]))
        object.__setattr__(self, "_flawed", flawed)
        object.__setattr__(self, "_flawed_tree", STRtree(places))

    def moved(self, *, east_m: float, north_m: float) -> "Permits":
        """Return the layer with every outline, and every place of a flaw, moved."""

        def move(place: BaseGeometry) -> Any:
            return translate(place, east_m, north_m)

        return replace(
            self,
            permits=tuple(replace(p, outline=move(p.outline)) for p in self.permits),
            bad_rows=tuple(
                row if row.where is None else replace(row, where=move(row.where))
                for row in self.bad_rows
            ),
        )

    def near(self, geometry: BaseGeometry, distance_m: float) -> tuple[Permit, ...]:
        """Return the permits within a distance of ``geometry``, in the order of the file."""
        found = self._tree.query(geometry, predicate="dwithin", distance=distance_m)
        return tuple(self.permits[i] for i in sorted(found.tolist()))

    def flawed_near(self, geometry: BaseGeometry, distance_m: float) -> tuple[BadRow, ...]:
        """Return the dropped rows known to lie within a distance of ``geometry``."""
        found = self._flawed_tree.query(geometry, predicate="dwithin", distance=distance_m)
        return tuple(self._flawed[i] for i in sorted(found.tolist()))

    @property
    def dropped(self) -> int:
        """Rows that could not be used."""
        return sum(not row.kept for row in self.bad_rows)

    @property
    def unplaced(self) -> int:
        """Dropped rows of which not even the place is known: any suspect may be one of these."""
        return self.dropped - len(self._flawed)


def open_permits(  # noqa: PLR0913 - each says one thing about the layer
    path: str | Path,
    *,
    area: Area | None = None,
    crs: CRS | None = None,
    encoding: str | None = None,
    layer: str | None = None,
    columns: Mapping[str, str] | None = None,
    points: str | Path | None = None,
) -> Permits:
    """Read a permit layer.

    Parameters
    ----------
    path
        A local file or folder that GDAL reads, a zip of one, ``FILE|layername=NAME``, or a table in
        PostGIS, ``postgresql://USER@HOST/DATABASE?table=SCHEMA.NAME``.
    area
        Where the work takes place; outlines come out in its CRS, and a layer that lies elsewhere is
        refused. Without one they come out in the metric CRS of where they lie.
    crs
        CRS of the coordinates, whatever the file says.
    encoding
        Encoding of the text, whatever the file says.
    layer
        Name of the layer, where the file has several.
    columns
        Field of a permit to the column that holds it, where its name is not one of ``COLUMNS``.
    points
        Table of control points that carry the layer's own coordinates to ``crs``, or to the area's
        CRS where none is given; see `change.layers.control_points`.

    Raises
    ------
    LayerError
        The layer cannot be read or placed, lies elsewhere, or has no column of a given name.
    """
    read = read_layer(path, area=area, crs=crs, encoding=encoding, layer=layer, points=points)
    chosen = _columns(read, columns or {})
    flaws: list[BadRow] = []
    permits = tuple(_rows(read.frame, chosen, flaws))
    unnumbered = _(
        "{path}: no column for the permit's number was recognised among {columns}; "
        "permits are told apart by their place only"
    ).format(path=read.source, columns=", ".join(_names(read.frame)))
    return Permits(
        permits=permits,
        source=read.source,
        layer=read.layer,
        crs=read.crs,
        outline_crs=CRS.from_user_input(read.frame.crs),
        encoding=read.encoding,
        rows=read.rows,
        columns=tuple(chosen.items()),
        assumptions=read.assumptions if "number" in chosen else (*read.assumptions, unnumbered),
        remarks=read.remarks,
        lost_numbers=_lost_numbers(read, chosen),
        other_columns=tuple(n for n in _names(read.frame) if n not in chosen.values()),
        digest=read.digest,
        bad_rows=tuple(sorted((*read.bad_rows, *flaws), key=lambda flaw: (flaw.row, flaw.why))),
    )


def _names(frame: gpd.GeoDataFrame) -> list[str]:
    return [str(name) for name in frame.columns if name != frame.geometry.name]


def _columns(read: LayerRead, given: Mapping[str, str]) -> dict[str, str]:
    """Return the column of each field that has one; the user's word wins."""
    names = _names(read.frame)
    unknown = sorted(set(given) - set(COLUMNS))
    if unknown:
        raise LayerError(
            _("a permit has no field {name}; it has {known}").format(
                name=unknown[0], known=", ".join(COLUMNS)
            )
        )
    missing = [name for name in given.values() if name not in names]
    if missing:
        raise LayerError(
            _("{path}: no column {name}; it has {columns}").format(
                path=read.source, name=missing[0], columns=", ".join(names)
            )
        )
    chosen: dict[str, str] = {}
    for item, usual in COLUMNS.items():
        free = [name for name in names if name not in (*chosen.values(), *given.values())]
        column = given.get(item) or find_column(free, usual)
        if column is not None:
            chosen[item] = column
    return chosen


def _lost_numbers(read: LayerRead, chosen: dict[str, str]) -> tuple[tuple[int, str], ...]:
    if "number" not in chosen:
        return ()
    cells = read.lost[chosen["number"]]
    return tuple((int(row), text_in(cell)) for row, cell in zip(cells.index, cells, strict=True))


def _rows(frame: gpd.GeoDataFrame, chosen: dict[str, str], flaws: list[BadRow]) -> list[Permit]:
    """Return one permit for each row; a cell that cannot be read is noted, its row is kept."""
    cells = {item: frame[column].tolist() for item, column in chosen.items()}
    units = {item: column_m2(column) for item, column in chosen.items() if item.endswith("_m2")}
    permits = []
    for index, (row, outline) in enumerate(zip(frame.index, frame.geometry, strict=True)):
        reader = _Reader(
            row=int(row),
            cells={k: v[index] for k, v in cells.items()},
            names=chosen,
            units=units,
            flaws=flaws,
        )
        permits.append(_permit(int(row), outline, reader))
    return permits


def _permit(row: int, outline: Polygon | MultiPolygon, reader: "_Reader") -> Permit:
    storeys = reader.value("storeys", number_in)
    number = "" if is_blank(reader.cells.get("number")) else reader.text("number")
    granted, valid_until = (
        reader.value("granted", date_in),
        reader.value("valid_until", last_date_in),
    )
    if granted and valid_until and valid_until < granted:
        reader.note_dates(granted, valid_until)
    return Permit(
        row=row,
        outline=outline,
        number=number,
        granted=granted,
        valid_until=valid_until,
        footprint_m2=reader.area("footprint_m2"),
        floor_area_m2=reader.area("floor_area_m2"),
        storeys=None if storeys is None else round(storeys),
        height_m=reader.value("height_m", number_in),
        holder=reader.text("holder"),
        use=reader.text("use"),
        temporary=temporary_in(reader.cells.get("temporary"), number),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Reads the cells of one row and keeps account of those it cannot read."""

    row: int
    cells: dict[str, Any]
    names: dict[str, str]
    units: dict[str, float]
    flaws: list[BadRow]

    def text(self, item: str) -> str:
        return text_in(self.cells.get(item))

    def area(self, item: str) -> Any:
        return self.value(item, lambda cell: area_in(cell, self.units[item]))

    def note_dates(self, granted: date, valid_until: date) -> None:
        """Note dates that contradict each other; which of them is wrong nobody can say."""
        detail = _("ends on {end}, before it was granted on {granted}: are they exchanged?").format(
            end=valid_until, granted=granted
        )
        self.flaws.append(
            BadRow(row=self.row, why="dates_reversed", detail=detail, kept=True, where=None)
        )

    def value(self, item: str, parse: Callable[[Any], Any]) -> Any:
        cell = self.cells.get(item)
        if cell is None:
            return None
        try:
            return parse(cell)
        except ValueError as error:
            why = "unreadable_date" if parse in (date_in, last_date_in) else "unreadable_number"
            detail = f"{self.names[item]}: {error}"
            self.flaws.append(BadRow(row=self.row, why=why, detail=detail, kept=True, where=None))
            return None
