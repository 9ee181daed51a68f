"""Waypoints as GPX 1.1, for any device and app that finds the way to a place."""

import xml.etree.ElementTree as ET
from pathlib import Path

from change.export.cell_text import clean_text
from change.export.dossier import Dossier, Entry
from change.export.navigation import navigation_link
from change.export.table import Column, Ledger, ListStyle, entry_name, make_ledger, shown

__all__ = ["write_gpx"]

_NAMESPACE = "http://www.topografix.com/GPX/1/1"
_SCHEMA = f"{_NAMESPACE} http://www.topografix.com/GPX/1/1/gpx.xsd"
# Told before the explanation, in this order; a screen of a handheld shows a few lines.
_TOLD = ("kind", "reason", "area_m2", "height_gain_m", "township", "permit_number")
_EXPLANATIONS = ("why_zh", "why_en")
_LONGEST = 1000


def write_gpx(dossier: Dossier, path: Path, style: ListStyle) -> None:
    """Write a waypoint for each suspect, in WGS 84: number and id, what it is, a link.

    Parameters
    ----------
    dossier
        The suspects.
    path
        The file.
    style
        Languages and links.
    """
    ledger = make_ledger(style)
    root = ET.Element(
        "gpx",
        {
            "xmlns": _NAMESPACE,
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:schemaLocation": _SCHEMA,
            "version": "1.1",
            "creator": "orthowatch",
        },
    )
    metadata = ET.SubElement(root, "metadata")
    _say(metadata, "name", f"orthowatch {dossier.run_id}")
    _bound(metadata, dossier)
    for entry in dossier.entries:
        _add_waypoint(root, entry, ledger)
    ET.indent(root, " ")
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _bound(metadata: ET.Element, dossier: Dossier) -> None:
    if not dossier.entries:
        return
    lons = [entry.lon for entry in dossier.entries]
    lats = [entry.lat for entry in dossier.entries]
    bounds = {"minlat": min(lats), "minlon": min(lons), "maxlat": max(lats), "maxlon": max(lons)}
    ET.SubElement(metadata, "bounds", {name: f"{value:.7f}" for name, value in bounds.items()})


def _add_waypoint(root: ET.Element, entry: Entry, ledger: Ledger) -> None:
    """Add a waypoint; the schema wants its parts in this order."""
    style = ledger.style
    waypoint = ET.SubElement(root, "wpt", {"lat": f"{entry.lat:.7f}", "lon": f"{entry.lon:.7f}"})
    _say(waypoint, "name", entry_name(entry))
    _say(waypoint, "desc", _description(entry, ledger))
    link = navigation_link(style.navigation, lon=entry.lon, lat=entry.lat, name=entry_name(entry))
    if link is not None:
        ET.SubElement(waypoint, "link", {"href": link})
    _say(waypoint, "type", clean_text(entry.values.get("reason"), _LONGEST))


def _description(entry: Entry, ledger: Ledger) -> str:
    cells = {
        column.name: (column, shown(cell))
        for column, cell in zip(ledger.columns, ledger.row(entry), strict=True)
        if cell is not None
    }
    told = [_told(*cells[name]) for name in _TOLD if name in cells]
    told += [cells[name][1] for name in _EXPLANATIONS if name in cells]
    return clean_text("\n".join(told), _LONGEST)


def _told(column: Column, text: str) -> str:
    return f"{column.heading}: {text}"


def _say(parent: ET.Element, tag: str, text: str) -> None:
    if text:
        ET.SubElement(parent, tag).text = text
