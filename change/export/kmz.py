"""Suspects as KMZ: outlines, numbers and pictures in one file, for a phone's map or Google Earth.

KML 2.2 (OGC 07-147r2), WGS 84. Everything it shows is inside it: pictures, and the dot that marks a
place; nothing is fetched from anywhere.
"""

import html
import io
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np
import shapely
from PIL import Image, ImageDraw
from pyproj import CRS
from shapely import Polygon

from change.export.cell_text import clean_text
from change.export.dossier import Dossier, Entry
from change.export.headings import COLUMN_WORDS, in_languages
from change.export.navigation import navigation_link
from change.export.overview import REASON_COLOURS
from change.export.table import (
    Cell,
    Column,
    Ledger,
    ListStyle,
    container_day,
    entry_name,
    grouped,
    make_ledger,
    shown,
)
from survey.crs import transformer
from survey.words import N_

__all__ = ["write_kmz"]

_DOT, _DOT_PX = "files/dot.png", 32
_OTHER = "other"
# Opaque lines around ground that shows through.
_LINE_ALPHA, _FILL_ALPHA, _LINE_PX, _DOT_SCALE, _LABEL_SCALE = 255, 64, 3, 0.5, 0.8
_PICTURE_PX = 280
_ROLES = ("before", "after")
_SAID = ("reason", "kind")
_SUSPECTS = N_("suspects")
_SHOW = N_("show on the map")


def write_kmz(dossier: Dossier, path: Path, style: ListStyle) -> None:
    """Write outline, place, numbers and pictures of each suspect, in a folder for each township.

    Parameters
    ----------
    dossier
        The suspects.
    path
        The file.
    style
        Languages, links, and whether with pictures.
    """
    day = container_day(dossier)
    with ZipFile(path, "w") as target:
        # A viewer takes the first KML file of the container for its content.
        with target.open(_member("doc.kml", day, ZIP_DEFLATED), "w") as stream:
            _document(dossier, style).write(stream, encoding="utf-8", xml_declaration=True)
        target.writestr(_member(_DOT, day, ZIP_STORED), _dot())
        if style.pictures:
            for source, name in _pictures(dossier):
                target.writestr(_member(name, day, ZIP_STORED), source.read_bytes())


def _member(name: str, day: date, compression: int) -> ZipInfo:
    info = ZipInfo(name, (day.year, day.month, day.day, 0, 0, 0))
    info.compress_type, info.create_system, info.external_attr = compression, 3, 0o644 << 16
    return info


def _pictures(dossier: Dossier) -> Iterator[tuple[Path, str]]:
    """Yield the pictures there are, and what each is called in the container."""
    for entry in dossier.entries:
        for role in _ROLES:
            source = _source(dossier, entry, role)
            if source is not None:
                yield source, _inside(entry, role)


def _source(dossier: Dossier, entry: Entry, role: str) -> Path | None:
    name = entry.picture(role, marked=True)
    if name is None or not (dossier.folder / name).is_file():
        return None
    return dossier.folder / name


def _inside(entry: Entry, role: str) -> str:
    return f"files/{entry.id}_{role}.jpg"


def _dot() -> bytes:
    """Return a white disc, which each style gives its colour."""
    picture = Image.new("RGBA", (_DOT_PX, _DOT_PX), (0, 0, 0, 0))
    edges = (2, 2, _DOT_PX - 3, _DOT_PX - 3)
    ImageDraw.Draw(picture).ellipse(edges, fill=(255, 255, 255, 255), outline=(60, 60, 60, 255))
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def _document(dossier: Dossier, style: ListStyle) -> "ET.ElementTree[ET.Element]":
    root = ET.Element("kml", {"xmlns": "http://www.opengis.net/kml/2.2"})
    document = ET.SubElement(root, "Document")
    _say(document, "name", f"{in_languages(_SUSPECTS, style.languages)} {dossier.run_id}")
    _say(document, "open", "1")
    for slug in (*REASON_COLOURS, _OTHER):
        _add_style(document, slug)
    outlines = _in_degrees(dossier)
    ledger = make_ledger(style).without("picture", "link")
    for name, group in grouped(dossier, "township", style.languages):
        folder = ET.SubElement(document, "Folder")
        _say(folder, "name", clean_text(name, 100))
        for entry in group.entries:
            placemark = _add_placemark(folder, entry, ledger, _balloon(dossier, entry, ledger))
            _add_geometry(placemark, entry, outlines[entry.id])
    ET.indent(root, " ")
    return ET.ElementTree(root)


def _in_degrees(dossier: Dossier) -> dict[str, Polygon]:
    """Return the outlines in WGS 84, outer rings counter-clockwise, as KML wants them."""
    degrees = transformer(dossier.crs, CRS.from_epsg(4326))
    shapes = shapely.transform(
        np.array([entry.outline for entry in dossier.entries], dtype=object),
        lambda xy: np.column_stack(degrees.transform(xy[:, 0], xy[:, 1])),
    )
    turned = shapely.orient_polygons(shapes)
    return {entry.id: shape for entry, shape in zip(dossier.entries, turned, strict=True)}


def _add_style(document: ET.Element, slug: str) -> None:
    """Add the look of a reason; KML writes colours as alpha, blue, green, red."""
    red, green, blue = REASON_COLOURS.get(slug, (110, 110, 110))
    colour = f"{blue:02x}{green:02x}{red:02x}"
    look = ET.SubElement(document, "Style", {"id": slug})
    icon = ET.SubElement(look, "IconStyle")
    _say(icon, "color", f"{_LINE_ALPHA:02x}{colour}")
    _say(icon, "scale", f"{_DOT_SCALE}")
    _say(ET.SubElement(icon, "Icon"), "href", _DOT)
    _say(ET.SubElement(look, "LabelStyle"), "scale", f"{_LABEL_SCALE}")
    line = ET.SubElement(look, "LineStyle")
    _say(line, "color", f"{_LINE_ALPHA:02x}{colour}")
    _say(line, "width", f"{_LINE_PX}")
    _say(ET.SubElement(look, "PolyStyle"), "color", f"{_FILL_ALPHA:02x}{colour}")
    # Without it some viewers add links that lead to routes on a map of theirs.
    _say(ET.SubElement(look, "BalloonStyle"), "text", "<b>$[name]</b><br/>$[description]")


def _add_placemark(folder: ET.Element, entry: Entry, ledger: Ledger, balloon: str) -> ET.Element:
    """Add a suspect without its geometry; the schema wants the parts in this order."""
    placemark = ET.SubElement(folder, "Placemark", {"id": f"suspect-{entry.id}"})
    _say(placemark, "name", entry_name(entry))
    said = {column.name: shown(cell) for column, cell in _cells(ledger, entry)}
    _say(placemark, "Snippet", clean_text(", ".join(said[name] for name in _SAID if name in said)))
    _say(placemark, "description", balloon)
    reason = entry.values.get("reason")
    _say(placemark, "styleUrl", f"#{reason if reason in REASON_COLOURS else _OTHER}")
    data = ET.SubElement(placemark, "ExtendedData")
    for name, value in {"number": entry.number, **entry.values}.items():
        if value is not None:
            item = ET.SubElement(data, "Data", {"name": clean_text(name)})
            _say(item, "value", clean_text(value))
    return placemark


def _balloon(dossier: Dossier, entry: Entry, ledger: Ledger) -> str:
    """Return what a tap on a suspect shows, as HTML in which no value can be markup."""
    style = ledger.style
    pictures = "".join(
        _picture(entry, role, style)
        for role in _ROLES
        if style.pictures and _source(dossier, entry, role) is not None
    )
    rows = "".join(_line(column, cell) for column, cell in _cells(ledger, entry))
    link = navigation_link(style.navigation, lon=entry.lon, lat=entry.lat, name=entry_name(entry))
    led = _inert(in_languages(_SHOW, style.languages))
    way = "" if link is None else f'<p><a href="{html.escape(link)}">{led}</a></p>'
    return f'{pictures}<table border="0">{rows}</table>{way}'


def _cells(ledger: Ledger, entry: Entry) -> list[tuple[Column, Cell]]:
    """Return what is known of a suspect."""
    cells = zip(ledger.columns, ledger.row(entry), strict=True)
    return [(column, cell) for column, cell in cells if cell is not None]


def _picture(entry: Entry, role: str, style: ListStyle) -> str:
    called = _inert(in_languages(COLUMN_WORDS[f"picture_{role}"], style.languages))
    return (
        f'<div>{called}<br/><img src="{_inside(entry, role)}" alt="{called}"'
        f' width="{_PICTURE_PX}"/></div>'
    )


def _line(column: Column, cell: Cell) -> str:
    value = _inert(shown(cell)).replace("\n", "<br/>")
    return f'<tr><th align="left">{_inert(column.heading)}</th><td>{value}</td></tr>'


def _inert(text: str) -> str:
    """Return text as HTML; viewers would put an attribute in the place of ``$[...]``."""
    return html.escape(text).replace("$[", "&#36;[")


def _add_geometry(placemark: ET.Element, entry: Entry, outline: Polygon) -> None:
    """Add the place, which carries number and dot, and the outline."""
    both = ET.SubElement(placemark, "MultiGeometry")
    _say(ET.SubElement(both, "Point"), "coordinates", f"{entry.lon:.7f},{entry.lat:.7f}")
    polygon = ET.SubElement(both, "Polygon")
    _say(polygon, "tessellate", "1")
    rings = [("outerBoundaryIs", outline.exterior)]
    rings += [("innerBoundaryIs", ring) for ring in outline.interiors]
    for tag, ring in rings:
        line = ET.SubElement(ET.SubElement(polygon, tag), "LinearRing")
        text = " ".join(f"{lon:.7f},{lat:.7f}" for lon, lat in shapely.get_coordinates(ring))
        _say(line, "coordinates", text)


def _say(parent: ET.Element, tag: str, text: str) -> None:
    if text:
        ET.SubElement(parent, tag).text = text
