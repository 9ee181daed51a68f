"""The print layout: a sheet of A3 with the map, what its colours mean, a scale and north. Pure."""

import base64
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from change.export.qgis.markup import Element, add, element
from change.export.qgis.symbols import fill, line, symbol_element
from survey.grid import Bounds

__all__ = ["Sheet", "layout"]

# Numbers that QGIS gives to the kinds of items (QgsLayoutItemRegistry::ItemType).
_PAGE, _MAP, _PICTURE, _TEXT, _LEGEND, _SCALE_BAR = 65638, 65639, 65640, 65641, 65642, 65646
_PAGE_MM = (420.0, 297.0)
# Left, top, width, height, mm.
_MAP_AT, _LEGEND_AT = (10.0, 24.0, 312.0, 263.0), (328.0, 24.0, 82.0, 190.0)
_TITLE_AT, _NOTE_AT = (10.0, 7.0, 312.0, 9.0), (10.0, 16.0, 400.0, 6.0)
_NORTH_AT, _SCALE_AT = (360.0, 226.0, 18.0, 22.0), (328.0, 256.0, 82.0, 14.0)
_CREDIT_AT = (328.0, 274.0, 82.0, 13.0)
_MARGIN = 1.04
# A scale bar of a quarter of the map's width, rounded down to one of these, m for each half.
_HALVES = (1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 5000, 10_000)
_ARROW = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 50">'
    '<path d="M20 14 L31 48 L20 40 L9 48 Z" fill="#222"/>'
    '<path d="M15 11 V1 H17 L23 8 V1 H25 V11 H23 L17 4 V11 Z" fill="#222"/></svg>'
)
_NAMES = uuid.UUID("0b1f6c1e-6f0e-5e8b-9d52-6a8a3c1f2d10")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What is printed."""

    name: str
    """What the layout is called."""
    title: str
    """Its heading."""
    note: str
    """The line below."""
    credit: str
    """Where it comes from."""
    bounds: Bounds
    """The ground shown, m."""
    theme: str | None
    """Map theme; None for the layers as they are shown."""
    legend: Sequence[tuple[str, str]]
    """The layers that the legend explains, as (id, title)."""
    legend_title: str
    """Its heading."""


def layout(sheet: Sheet) -> Element:
    """Return a layout as XML."""
    made = element("Layout", name=sheet.name, units="mm", printResolution=200, worldFileMap="")
    pages = add(made, "PageCollection")
    pages.append(symbol_element(fill((255, 255, 255)), ""))
    page = _item(_PAGE, "page", (0.0, 0.0, *_PAGE_MM))
    page.append(symbol_element(fill((255, 255, 255)), ""))
    pages.append(page)
    made.append(_map(sheet))
    made.append(_text("title", sheet.title, _TITLE_AT, size=18, bold=True))
    made.append(_text("note", sheet.note, _NOTE_AT, size=9))
    made.append(_text("credit", sheet.credit, _CREDIT_AT, size=7))
    made.append(_legend(sheet))
    made.append(_scale_bar(sheet))
    made.append(_north())
    add(made, "Atlas", enabled=0, coverageLayer="", hideCoverage=0, filterFeatures=0)
    return made


def _item(kind: int, name: str, at: Sequence[float], **more: Any) -> Element:
    left, top, width, height = at
    told = f"{{{uuid.uuid5(_NAMES, name)}}}"
    return element(
        "LayoutItem",
        type=kind,
        id=name,
        uuid=told,
        templateUuid=told,
        position=f"{left:g},{top:g},mm",
        positionOnPage=f"{left:g},{top:g},mm",
        size=f"{width:g},{height:g},mm",
        referencePoint=0,
        visibility=1,
        opacity=1,
        zValue=1,
        frame="false",
        background="false",
        outlineWidthM="0.3,mm",
        excludeFromExports=0,
        positionLock="false",
        **more,
    )


def _uuid(name: str) -> str:
    return f"{{{uuid.uuid5(_NAMES, name)}}}"


def _map(sheet: Sheet) -> Element:
    theme = {} if sheet.theme is None else {"followPreset": "true", "followPresetName": sheet.theme}
    made = _item(_MAP, "map", _MAP_AT, mapRotation=0, keepLayerSet="false", mapFlags=0, **theme)
    made.set("frame", "true")
    made.set("background", "true")
    shown = _fitted(sheet.bounds)
    add(made, "BackgroundColor", red=255, green=255, blue=255, alpha=255)
    add(made, "FrameColor", red=60, green=60, blue=60, alpha=255)
    add(made, "Extent", xmin=shown.left, ymin=shown.bottom, xmax=shown.right, ymax=shown.top)
    return made


def _fitted(bounds: Bounds) -> Bounds:
    """Return the ground that a map of this shape shows around a rectangle."""
    _left, _top, wide, high = _MAP_AT
    pitch = _MARGIN * max((bounds.right - bounds.left) / wide, (bounds.top - bounds.bottom) / high)
    x, y = (bounds.left + bounds.right) / 2, (bounds.bottom + bounds.top) / 2
    across, along = pitch * wide / 2, pitch * high / 2
    return Bounds(left=x - across, bottom=y - along, right=x + across, top=y + along)


def _text(name: str, text: str, at: Sequence[float], *, size: int, bold: bool = False) -> Element:
    made = _item(_TEXT, name, at, labelText=text, htmlState=0, halign=1, valign=128)
    _add_font(made, "LabelFont", size, bold=bold)
    add(made, "FontColor", red=30, green=30, blue=30, alpha=255)
    return made


def _add_font(parent: Element, tag: str, size: int, *, bold: bool = False) -> None:
    """Add a font; the generic family stands for what this computer writes with."""
    weight = 75 if bold else 50
    add(parent, tag, description=f"Sans Serif,{size},-1,5,{weight},0,0,0,0,0", style="")


def _legend(sheet: Sheet) -> Element:
    made = _item(
        _LEGEND,
        "legend",
        _LEGEND_AT,
        title=sheet.legend_title,
        map_uuid=_uuid("map"),
        legendFilterByMap=1,
        resizeToContents=1,
        columnCount=1,
        symbolWidth=7,
        symbolHeight=4,
        wrapChar="",
    )
    styles = add(made, "styles")
    for name, size, margins in (
        ("title", 13, {"marginBottom": 3}),
        ("group", 11, {"marginTop": 3}),
        ("subgroup", 10, {"marginTop": 3}),
        ("symbol", 9, {"marginTop": 2}),
        ("symbolLabel", 9, {"marginTop": 2, "marginLeft": 2}),
    ):
        style = add(styles, "style", name=name, alignment=1, indent=0)
        style.attrib |= {side: str(margin) for side, margin in margins.items()}
        _add_font(style, "styleFont", size, bold=name == "title")
    tree = add(made, "layer-tree-group")
    for layer_id, title in sheet.legend:
        add(tree, "layer-tree-layer", id=layer_id, name=title, checked="Qt::Checked", expanded=1)
    return made


def _scale_bar(sheet: Sheet) -> Element:
    shown = _fitted(sheet.bounds)
    metres_per_mm = (shown.right - shown.left) / _MAP_AT[2]
    room = metres_per_mm * _SCALE_AT[2] * 0.4
    half = max((step for step in _HALVES if step <= room), default=_HALVES[0])
    made = _item(
        _SCALE_BAR,
        "scale",
        _SCALE_AT,
        mapUuid=_uuid("map"),
        style="Single Box",
        unitType="meters",
        unitLabel="m",
        numMapUnitsPerScaleBarUnit=1,
        numSegments=2,
        numSegmentsLeft=0,
        numUnitsPerSegment=half,
        segmentSizeMode=0,
        height=2.5,
        labelBarSpace=1.5,
        boxContentSpace=1,
        alignment=0,
    )
    ink, paper = (30, 30, 30), (255, 255, 255)
    add(made, "text-style", fontSize=9, fontSizeUnit="Point", textColor="30,30,30,255")
    for tag, symbol in (
        ("lineSymbol", line(ink, 0.3)),
        ("divisionLineSymbol", line(ink, 0.3)),
        ("subdivisionLineSymbol", line(ink, 0.3)),
        ("fillSymbol1", fill(ink)),
        ("fillSymbol2", fill(paper)),
    ):
        add(made, tag).append(symbol_element(symbol, ""))
    return made


def _north() -> Element:
    picture = base64.b64encode(_ARROW.encode("ascii")).decode("ascii")
    return _item(
        _PICTURE,
        "north",
        _NORTH_AT,
        file=f"base64:{picture}",
        mode=0,
        resizeMode=0,
        anchorPoint=4,
        mapUuid=_uuid("map"),
        northMode=0,
        northOffset=0,
        pictureRotation=0,
        svgFillColor="30,30,30,255",
        svgBorderColor="30,30,30,255",
        svgBorderWidth=0,
    )
