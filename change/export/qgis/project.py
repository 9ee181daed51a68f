"""The project: every layer of a run in groups, pictures below, bookmarks, themes and a layout.

It lies beside ``results.gpkg`` and inside it; all its paths are relative, so that the folder can be
moved, copied to a phone or put on a share.
"""

import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pyproj import CRS

from change.export.dossier import LAYERS
from change.export.geopackage import Dress, first_day
from change.export.gpkg_tables import Table
from change.export.headings import in_languages
from change.export.qgis.expressions import slug_words
from change.export.qgis.layout import Sheet, layout
from change.export.qgis.markup import QGIS_VERSION, Element, add, document, element, srs
from change.export.qgis.styles import layer_style, style_elements, style_text
from change.export.qgis.wording import GROUP_WORDS, LAYER_WORDS
from survey.grid import Bounds
from survey.words import N_

__all__ = ["FOLDER_FILE", "LAYER_FILE", "Picture", "Show", "make_dress"]

FOLDER_FILE, LAYER_FILE = "project.qgz", LAYERS
"""What the project beside the layers is called, and what it looks for beside itself."""

_GROUPS = {
    "suspects": ("suspects", "excess"),
    "checks": ("excluded", "flawed_rows", "ties", "run"),
    "permits": ("changes", "standing", "empty_permits", "permits"),
    "ground": ("cells", "districts", "ground"),
}
_OFF = ("ties", "run", "flawed_rows")
_LEGEND = ("suspects", "excess", "excluded", "changes", "standing", "empty_permits", "permits")
# Bookmarks of more suspects than anybody scrolls through are of no use to anybody.
_MOST_BOOKMARKS = 500
# A bookmark shows so much around a suspect, and at least so much of the ground, m.
_AROUND, _LEAST_M = 1.0, 60.0
_PAGE_NAME = N_("overview (A3)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """An orthophoto that goes with the layers."""

    role: str
    """``before`` or ``after``; it lies in ``rasters/ROLE.tif``."""
    title: str
    """What people call it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """What the project shows."""

    tables: tuple[Table, ...]
    """The layers, as they are in ``results.gpkg``."""
    crs: CRS
    """Their CRS, metres."""
    bounds: Bounds
    """The ground that was judged."""
    run_id: str
    """Id of the run."""
    title: str
    """What the project is called."""
    note: str
    """A line about flights and alignment."""
    day: date | None
    """Day of the later flight."""
    languages: tuple[str, ...]
    """Languages of all words."""
    pictures: tuple[Picture, ...] = ()
    """The orthophotos, the one on top first."""
    chips: tuple[str, ...] = ("before", "after")
    """Roles of the flights whose pictures of suspects lie in ``chips/marked``."""


def make_dress(show: Show) -> Dress:
    """Return the styles of the layers, and the project as the bytes of a ``.qgz`` file."""
    styles = {
        table.name: style_text(table, layer_style(table, show.languages, show.chips))
        for table in show.tables
    }
    packed = io.BytesIO()
    year, month, day = first_day(show.day).timetuple()[:3]
    entry = zipfile.ZipInfo("project.qgs", (year, month, day, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(entry, document(_project(show)))
    return Dress(styles=styles, project=packed.getvalue())


def _project(show: Show) -> Element:
    root = element("qgis", version=QGIS_VERSION, projectname=show.title)
    add(root, "homePath", path="")
    add(root, "title", show.title)
    root.append(srs(show.crs, "projectCrs"))
    root.append(_tree(show))
    root.append(_canvas(show))
    root.append(_layers(show))
    order = add(root, "layerorder")
    for layer_id in _all_ids(show):
        add(order, "layer", id=layer_id)
    root.append(_settings())
    root.append(_themes(show))
    add(root, "Layouts").append(layout(_sheet(show)))
    root.append(_bookmarks(show))
    view = add(root, "ProjectViewSettings", UseProjectScales=0)
    extent = srs(show.crs, "DefaultViewExtent")
    extent.attrib |= {name: str(value) for name, value in _corners(show.bounds).items()}
    view.append(extent)
    return root


def _corners(bounds: Bounds) -> dict[str, float]:
    return {
        "xmin": bounds.left,
        "ymin": bounds.bottom,
        "xmax": bounds.right,
        "ymax": bounds.top,
    }


def _id(name: str, show: Show) -> str:
    return f"{name}_{show.run_id}"


def _grouped(show: Show) -> Iterator[tuple[str, list[Table]]]:
    """Yield the groups that have layers, each with its layers, the upper first."""
    tables = {table.name: table for table in show.tables}
    for group, names in _GROUPS.items():
        yield group, [tables[name] for name in names if name in tables]


def _all_ids(show: Show) -> list[str]:
    layers = [_id(table.name, show) for _group, tables in _grouped(show) for table in tables]
    return [*layers, *(_id(picture.role, show) for picture in show.pictures)]


def _tree(show: Show) -> Element:
    root = element("layer-tree-group")
    for group, tables in _grouped(show):
        branch = _branch(root, group, show)
        for table in tables:
            title = in_languages(LAYER_WORDS[table.name], show.languages)
            _add_leaf(
                branch,
                _id(table.name, show),
                title,
                f"./{LAYER_FILE}|layername={table.name}",
                "ogr",
                shown=table.name not in _OFF,
                open_=table.name in ("suspects", "ties"),
            )
    if show.pictures:
        branch = _branch(root, "pictures", show)
        for number, picture in enumerate(show.pictures):
            path = f"./rasters/{picture.role}.tif"
            _add_leaf(
                branch, _id(picture.role, show), picture.title, path, "gdal", shown=number == 0
            )
    return root


def _branch(root: Element, group: str, show: Show) -> Element:
    title = in_languages(GROUP_WORDS[group], show.languages)
    return add(root, "layer-tree-group", name=title, checked="Qt::Checked", expanded=1)


def _add_leaf(  # noqa: PLR0913 - each is one attribute
    branch: Element,
    layer_id: str,
    title: str,
    source: str,
    provider: str,
    *,
    shown: bool,
    open_: bool = False,
) -> None:
    add(
        branch,
        "layer-tree-layer",
        id=layer_id,
        name=title,
        source=source,
        providerKey=provider,
        checked="Qt::Checked" if shown else "Qt::Unchecked",
        expanded=open_,
        legend_exp="",
    )


def _canvas(show: Show) -> Element:
    made = element("mapcanvas", name="theMapCanvas", annotationsVisible=1)
    add(made, "units", "meters")
    extent = add(made, "extent")
    for name, value in _corners(show.bounds).items():
        add(extent, name, str(value))
    add(made, "rotation", "0")
    made.append(srs(show.crs, "destinationsrs"))
    return made


def _layers(show: Show) -> Element:
    made = element("projectlayers")
    for _group, tables in _grouped(show):
        for table in tables:
            made.append(_vector(table, show))
    for picture in show.pictures:
        layer = add(made, "maplayer", type="raster", hasScaleBasedVisibilityFlag=0)
        path = f"./rasters/{picture.role}.tif"
        _tell(layer, _id(picture.role, show), picture.title, path, show.crs)
        add(layer, "provider", "gdal")
    return made


def _vector(table: Table, show: Show) -> Element:
    shape = table.geometry or "NoGeometry"
    attributes, children = style_elements(table, layer_style(table, show.languages, show.chips))
    kind = {None: "No geometry", "Point": "Point"}.get(table.geometry, "Polygon")
    layer = element("maplayer", type="vector", geometry=kind, wkbType=shape, **attributes)
    title = in_languages(LAYER_WORDS[table.name], show.languages)
    source = f"./{LAYER_FILE}|layername={table.name}"
    _tell(layer, _id(table.name, show), title, source, show.crs if table.geometry else None)
    add(layer, "provider", "ogr", encoding="UTF-8")
    layer.extend(children)
    return layer


def _tell(layer: Element, layer_id: str, title: str, source: str, crs: CRS | None) -> None:
    add(layer, "id", layer_id)
    add(layer, "datasource", source)
    add(layer, "layername", title)
    if crs is not None:
        layer.append(srs(crs, "srs"))


def _settings() -> Element:
    made = element("properties")

    def put(section: str, name: str, kind: str, value: Any) -> None:
        parent = made.find(section)
        add(add(made, section) if parent is None else parent, name, str(value), type=kind)

    # Without this, QGIS takes no notice of the project's CRS.
    put("SpatialRefSys", "ProjectionsEnabled", "int", 1)
    put("Paths", "Absolute", "bool", "false")
    put("Measurement", "AreaUnits", "QString", "m2")
    put("Measurement", "DistanceUnits", "QString", "meters")
    put("PositionPrecision", "Automatic", "bool", "false")
    put("PositionPrecision", "DecimalPlaces", "int", 2)
    return made


def _themes(show: Show) -> Element:
    """Return a theme for each picture, with all layers that are shown at first."""
    made = element("visibility-presets")
    shown = [
        _id(table.name, show)
        for _group, tables in _grouped(show)
        for table in tables
        if table.name not in _OFF
    ]
    for picture in show.pictures:
        theme = add(made, "visibility-preset", name=picture.title)
        for layer_id in [*shown, _id(picture.role, show)]:
            add(theme, "layer", id=layer_id, visible=1, expanded=0, style="default")
    return made


def _bookmarks(show: Show) -> Element:
    """Return a bookmark for each of the most severe suspects."""
    made = element("Bookmarks")
    suspects = next(table for table in show.tables if table.name == "suspects")
    kinds, group = slug_words("kind", show.languages), LAYER_WORDS["suspects"]
    cells = suspects.cells
    for index, shape in enumerate(suspects.shapes[:_MOST_BOOKMARKS]):
        if shape is None or shape.is_empty:
            continue
        kind, area = str(cells["kind"][index]), cells["area_m2"][index]
        mark = srs(show.crs, "Bookmark")
        mark.attrib |= {
            "id": f"{cells['id'][index]}_{show.run_id}",
            "name": f"{cells['number'][index]} {kinds.get(kind, kind)} {area:.0f} m²",
            "group": in_languages(group, show.languages),
            "extent": _around(shape.bounds),
        }
        made.append(mark)
    return made


def _around(bounds: Sequence[float]) -> str:
    """Return a square around an outline as WKT, with room to see what it stands beside."""
    left, bottom, right, top = bounds
    x, y = (left + right) / 2, (bottom + top) / 2
    half = max(_LEAST_M, (1 + _AROUND) * max(right - left, top - bottom)) / 2
    x0, y0, x1, y1 = x - half, y - half, x + half, y + half
    corners = ((x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0))
    return f"POLYGON(({', '.join(f'{x:.2f} {y:.2f}' for x, y in corners)}))"


def _sheet(show: Show) -> Sheet:
    names = {table.name for table in show.tables}
    legend = [
        (_id(name, show), in_languages(LAYER_WORDS[name], show.languages))
        for name in _LEGEND
        if name in names
    ]
    return Sheet(
        name=in_languages(_PAGE_NAME, show.languages),
        title=show.title,
        note=show.note,
        credit=f"orthowatch {show.run_id}",
        bounds=show.bounds,
        theme=show.pictures[0].title if show.pictures else None,
        legend=legend,
        legend_title=in_languages(N_("what the map shows"), show.languages),
    )
