"""XML as QGIS writes it: elements, trees of options, CRSs. Pure."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from pyproj import CRS

from change.export.plain_text import plain_text

__all__ = ["QGIS_VERSION", "Element", "add", "document", "element", "options", "properties", "srs"]

QGIS_VERSION = "3.22.0-Białowieża"
"""The version whose form this is; later ones read it."""

_HEAD = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
_TYPES = {bool: "bool", int: "int", float: "double", str: "QString"}


def element(tag: str, text: str | None = None, **attributes: Any) -> Element:
    """Return an element; an underscore at an attribute's end keeps it apart from Python's words."""
    made = Element(tag, {key.rstrip("_"): _shown(value) for key, value in attributes.items()})
    made.text = None if text is None else plain_text(text)
    return made


def add(parent: Element, tag: str, text: str | None = None, **attributes: Any) -> Element:
    """Append an element to another and return it."""
    made = element(tag, text, **attributes)
    parent.append(made)
    return made


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return plain_text(str(value))


def options(values: Mapping[str, Any]) -> Element:
    """Return a tree of options: mappings, lists, text, numbers, flags.

    Examples
    --------
    >>> ElementTree.tostring(options({"AllowNull": True})).decode()
    '<Option type="Map"><Option name="AllowNull" type="bool" value="true" /></Option>'
    """
    made = element("Option", type="Map")
    for name, value in values.items():
        made.append(_option(value, name))
    return made


def _option(value: Any, name: str | None = None) -> Element:
    named = {} if name is None else {"name": name}
    if isinstance(value, Mapping):
        made = options(value)
        made.attrib |= named
        return made
    if isinstance(value, Sequence) and not isinstance(value, str):
        made = element("Option", **named, type="List")
        made.extend(_option(inner) for inner in value)
        return made
    shown = str(value).lower() if isinstance(value, bool) else _shown(value)
    return element("Option", **named, type=_TYPES[type(value)], value=shown)


def properties(expressions: Mapping[str, str], tag: str = "data_defined_properties") -> Element:
    """Return properties that are told by expressions, by their names."""
    made = element(tag)
    told = {
        name: {"active": True, "expression": text, "type": 3} for name, text in expressions.items()
    }
    made.append(options({"name": "", "properties": told, "type": "collection"}))
    return made


def srs(crs: CRS, tag: str) -> Element:
    """Return a CRS inside an element."""
    made = element(tag)
    inner = add(made, "spatialrefsys", nativeFormat="Wkt")
    wkt, proj4, authority, name, geographic = _spelt(crs)
    code = authority.partition(":")[2]
    for key, text in (
        ("wkt", wkt),
        ("proj4", proj4),
        ("srsid", "0"),
        ("srid", code if code.isdigit() else "0"),
        ("authid", authority),
        ("description", name),
        ("geographicflag", str(geographic).lower()),
    ):
        add(inner, key, text)
    return made


@lru_cache(maxsize=16)
def _spelt(crs: CRS) -> tuple[str, str, str, str, bool]:
    authority = crs.to_authority()
    wkt = crs.to_wkt("WKT2_2019")
    named = "" if authority is None else ":".join(authority)
    return wkt, "", named, crs.name, crs.is_geographic


def document(root: Element) -> str:
    """Return an element as the text of a file."""
    return _HEAD + ElementTree.tostring(root, encoding="unicode") + "\n"
