"""What we write, opened by real QGIS (Debian's python3-qgis, seen by the system's python3 only)."""

import html.parser
import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pyogrio
import pytest
import shapely
from PIL import Image
from pyproj import CRS

from change.export.bundle import write_result
from change.export.geojson import COLUMNS, suspects_frame
from change.export.geopackage import write_geopackage
from change.export.gpkg_tables import result_tables, suspect_table
from change.export.headings import list_languages
from change.export.qgis import dress_result
from change.export.qgis.project import Show, make_dress
from change.export.qgis.wording import alias
from change.fieldwork import FIELD_COLUMNS
from change.ground_layers import LayerOptions
from change.job import Job, run_job
from survey.grid import Bounds
from survey.settings import Settings
from tests.dossiers import HOSTILE, draw_chips, suspects
from tests.samples import FOLDER, PERMITS, options, ortho

pytestmark = pytest.mark.qgis

PYTHON = "/usr/bin/python3"
LOOK = """
import json, os, sys
from qgis.core import QgsApplication, QgsVectorLayer, QgsWkbTypes
app = QgsApplication([], False)
app.initQgis()
seen = {}
for path in sys.argv[1:]:
    layer = QgsVectorLayer(path, "layer", "ogr")
    seen[path] = {
        "valid": layer.isValid(),
        "crs": layer.crs().authid(),
        "polygons": layer.geometryType() == QgsWkbTypes.PolygonGeometry,
        "rows": layer.featureCount(),
        "sound": all(f.geometry().isGeosValid() for f in layer.getFeatures()),
        "fields": [field.name() for field in layer.fields()],
    }
print("SEEN" + json.dumps(seen), flush=True)
os._exit(0)  # QGIS 3.22 takes its layers down in the wrong order when the interpreter ends
"""
OPEN = """
import json, os, sys
from qgis.core import *
from qgis.gui import QgsGui
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor
app = QgsApplication([], True)
app.initQgis()
QgsGui.editorWidgetRegistry().initEditors()
log = []
QgsApplication.messageLog().messageReceived.connect(
    lambda text, tag, level: log.append([int(level), tag, text])
)

def told(layer):
    seen = {"valid": layer.isValid(), "name": layer.name(), "crs": layer.crs().authid(),
            "crs_valid": layer.crs().isValid(), "source": layer.publicSource()}
    node = QgsProject.instance().layerTreeRoot().findLayer(layer)
    if node is not None:
        seen["shown"], seen["group"] = node.itemVisibilityChecked(), node.parent().name()
    if isinstance(layer, QgsVectorLayer):
        seen.update(vector(layer))
    return seen

def vector(layer):
    form, fields, drawn = layer.editFormConfig(), layer.fields(), layer.renderer()
    setups = {f.name(): layer.editorWidgetSetup(i) for i, f in enumerate(fields)}
    scopes = QgsExpressionContextUtils.globalProjectLayerScopes(layer)
    around = QgsExpressionContext(scopes)
    tips, labels = [], []
    rules = [] if layer.labeling() is None else layer.labeling().rootRule().descendants()
    for row in layer.getFeatures():
        around.setFeature(row)
        tips.append(QgsExpression.replaceExpressionText(layer.mapTipTemplate(), around))
        for rule in rules:
            said = QgsExpression(rule.settings().fieldName)
            labels.append([said.evaluate(around), said.evalErrorString()])
    return {
        "rows": layer.featureCount(),
        "geometry": QgsWkbTypes.displayString(layer.wkbType()),
        "renderer": "" if drawn is None else drawn.type(),
        "categories": [c.value() for c in drawn.categories()]
        if isinstance(drawn, QgsCategorizedSymbolRenderer) else [],
        "labelled": layer.labelsEnabled(),
        "read_only": layer.readOnly(),
        "locked": layer.customProperty("QFieldSync/is_geometry_locked"),
        "action": layer.customProperty("QFieldSync/action"),
        "naming": layer.customProperty("QFieldSync/photo_naming"),
        "types": {f.name(): f.typeName() for f in fields},
        "aliases": {f.name(): f.alias() for f in fields},
        "widgets": {name: setup.type() for name, setup in setups.items()},
        "configs": {name: setup.config() for name, setup in setups.items()},
        "editable": [f.name() for i, f in enumerate(fields) if not form.readOnly(i)],
        "tabs": [tab.name() for tab in form.tabs()],
        "tips": tips,
        "labels": labels,
        "sound": all(f.geometry().isGeosValid() for f in layer.getFeatures()),
    }

def draw(project, layers, extent, path):
    settings = QgsMapSettings()
    settings.setOutputSize(QSize(700, 500))
    settings.setDestinationCrs(project.crs())
    settings.setLayers(layers)
    settings.setExtent(extent)
    settings.setBackgroundColor(QColor("white"))
    scopes = [QgsExpressionContextUtils.globalScope(),
              QgsExpressionContextUtils.projectScope(project),
              QgsExpressionContextUtils.mapSettingsScope(settings)]
    around = QgsExpressionContext()
    around.appendScopes(scopes)
    settings.setExpressionContext(around)
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    job.renderedImage().save(path)
    return [error.message for error in job.errors()]

def project(path, out):
    project = QgsProject.instance()
    seen = {"read": project.read(path), "error": project.error(), "title": project.title()}
    themes, root = project.mapThemeCollection(), project.layerTreeRoot()
    seen["crs"], seen["crs_valid"] = project.crs().authid(), project.crs().isValid()
    seen["layers"] = {layer.id(): told(layer) for layer in project.mapLayers().values()}
    seen["order"] = [layer.id() for layer in root.layerOrder()]
    seen["themes"] = {name: [layer.id() for layer in themes.mapThemeVisibleLayers(name)]
                      for name in themes.mapThemes()}
    seen["bookmarks"] = []
    for mark in project.bookmarkManager().bookmarks():
        extent = mark.extent()
        crs = extent.crs()
        seen["bookmarks"].append([mark.name(), extent.asWktPolygon(), crs.isValid()])
    view = QgsRectangle(project.viewSettings().defaultViewExtent())
    seen["view"] = [view.xMinimum(), view.yMinimum(), view.xMaximum(), view.yMaximum()]
    shown = [layer for layer in root.layerOrder() if root.findLayer(layer).isVisible()]
    seen["drawing"] = draw(project, shown, view, out + "/map.png")
    for number, name in enumerate(themes.mapThemes()):
        layers = [layer for layer in root.layerOrder() if layer.id() in seen["themes"][name]]
        seen["drawing"] += draw(project, layers, view, f"{out}/theme{number}.png")
    seen["layouts"] = []
    for layout in project.layoutManager().layouts():
        page = layout.pageCollection().page(0).pageSize()
        drawn = QgsRectangle(layout.referenceMap().extent())
        settings = QgsLayoutExporter.ImageExportSettings()
        settings.dpi = 60
        file = f"{out}/layout{len(seen['layouts'])}.png"
        done = QgsLayoutExporter(layout).exportToImage(file, settings)
        items = layout.items()
        texts = [item.currentText() for item in items if isinstance(item, QgsLayoutItemLabel)]
        kinds = sorted(type(item).__name__ for item in items)
        seen["layouts"].append({"name": layout.name(), "done": int(done), "texts": texts,
            "page": [page.width(), page.height()], "kinds": kinds,
            "extent": [drawn.xMinimum(), drawn.yMinimum(), drawn.xMaximum(), drawn.yMaximum()]})
    return seen

def fill_in(path):
    layer = QgsVectorLayer(path, "layer", "ogr")
    fields = layer.fields()
    row = next(layer.getFeatures())
    before = row.geometry().asWkt()
    layer.startEditing()
    values = {"answer": "confirmed", "inspected_on": "2026-01-05", "demolished_m2": 12.5}
    for name, value in values.items():
        layer.changeAttributeValue(row.id(), fields.indexFromName(name), value)
    done = layer.commitChanges()
    return {"done": done, "errors": layer.commitErrors(),
            "same": next(layer.getFeatures()).geometry().asWkt() == before}

def alone(path):
    layer = QgsProject.instance().addMapLayer(QgsVectorLayer(path, "layer", "ogr"))
    return told(layer)

asked = json.loads(sys.argv[1])
seen = {"project": project, "alone": alone, "fill_in": fill_in}[asked.pop("what")](**asked)
print("SEEN" + json.dumps({"log": log, **seen}, default=str), flush=True)
os._exit(0)
"""


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """Return a function that runs a script in QGIS's Python and returns what it saw."""
    home = tmp_path_factory.mktemp("qgis")
    home.chmod(0o700)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home),
        "QT_QPA_PLATFORM": "offscreen",
    }

    def run(script: str, *words: str) -> dict:
        done = subprocess.run(
            [PYTHON, "-c", script, *words],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if "No module named 'qgis'" in done.stderr:
            pytest.skip("QGIS is missing: apt-get install python3-qgis qgis-providers")
        assert done.returncode == 0, done.stderr
        return {"said": done.stderr, **json.loads(done.stdout.partition("SEEN")[2])}

    return run


@pytest.fixture(scope="module")
def look(start):
    """Return a function that opens files in QGIS and tells what it saw of each."""

    def run(*paths: Path) -> dict:
        seen = start(LOOK, *map(str, paths))
        return {str(path): seen[str(path)] for path in paths}

    return run


@pytest.fixture(scope="module")
def opened(start):
    """Return a function that opens a project, a layer alone, or fills in a row."""

    def run(what: str, path: str, **more: str) -> dict:
        seen = start(OPEN, json.dumps({"what": what, "path": str(path), **more}))
        # 0 only informs. What GDAL and Qt say themselves goes to stderr.
        assert [entry for entry in seen["log"] if entry[0] > 0] == []
        assert "partially supported" not in seen["said"]
        assert "Invalid" not in seen["said"]
        return seen

    return run


@pytest.fixture(scope="module")
def result():
    """Return a run on the sample with everything a project can show."""
    layers = LayerOptions(
        permits=str(PERMITS),
        townships=str(FOLDER / "townships.geojson"),
        cells=str(FOLDER / "cells.geojson"),
    )
    job = Job(before=options(0), after=options(3), layers=layers)
    settings = Settings().changed("blocks", workers=1)
    return run_job(job, settings, say=lambda _sentence: None)


def in_language(result, language, **export):
    settings = result.run.settings.changed("export", language=language, **export)
    return replace(result, run=replace(result.run, settings=settings))


def test_the_geojson_of_the_sample_opens(look, result, tmp_path):
    target = tmp_path / "result"
    write_result(in_language(result, "en"), target)
    seen = look(target / "suspects.geojson", target / "changes.geojson")
    for path, layer in seen.items():
        written = json.loads(Path(path).read_text(encoding="utf-8"))["features"]
        assert layer["valid"]
        assert layer["sound"]
        assert layer["polygons"]
        assert layer["crs"] == "EPSG:4326"
        assert layer["rows"] == len(written) > 0
        assert tuple(layer["fields"]) == COLUMNS


def write(result, folder, *, pictures=True):
    """Write the layers, the project and pictures as a run would."""
    tables = result_tables(result)
    dress = dress_result(result, tables)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "results.gpkg"
    write_geopackage(file, tables, crs=result.crs, day=result.flown[1], dress=dress)
    (folder / "project.qgz").write_bytes(dress.project)
    if pictures:
        (folder / "rasters").mkdir()
        for role, flight in (("before", 0), ("after", 3)):
            shutil.copy(ortho(flight), folder / "rasters" / f"{role}.tif")
        draw_chips(suspects_frame(result.suspects, result), folder)


@pytest.fixture(scope="module")
def handed(result, tmp_path_factory):
    """Return a folder of results that was moved after it was written."""
    folder = tmp_path_factory.mktemp("written") / "first"
    write(in_language(result, "en"), folder)
    return folder.rename(tmp_path_factory.mktemp("moved") / "成果 2025 (复查) 100%#1")


@pytest.fixture(scope="module", params=["beside", "inside"])
def seen(request, handed, opened, tmp_path_factory):
    """Return what QGIS sees of the project beside the layers, and of the one inside."""
    inside = f"geopackage:{quote(str(handed / 'results.gpkg'))}?projectName=orthowatch"
    path = handed / "project.qgz" if request.param == "beside" else inside
    out = tmp_path_factory.mktemp("drawn")
    return {**opened("project", path, out=str(out)), "out": out}


def layer_of(seen, name):
    return next(layer for key, layer in seen["layers"].items() if key.startswith(f"{name}_"))


def colours(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB")).reshape(-1, 3)


def test_the_project_opens_with_nothing_missing(seen, result, handed):
    assert seen["read"]
    assert seen["error"] == ""
    assert seen["log"] == []
    tables = {table.name: table for table in result_tables(result)}
    assert len(seen["layers"]) == len(tables) + 2
    for name in [*tables, "before", "after"]:
        layer = layer_of(seen, name)
        assert layer["valid"], name
        assert str(handed) in layer["source"], name
        assert layer["crs"] == ("" if name == "run" else "EPSG:4547")
        if name in tables:
            assert layer["rows"] == tables[name].rows
    assert {"2025-03-15", "2025-12-13"} <= set(seen["title"].split())


def test_the_project_begins_where_the_flights_are(seen, result):
    assert seen["crs"] == "EPSG:4547"
    bounds = result.pair.grid.bounds
    wanted = [bounds.left, bounds.bottom, bounds.right, bounds.top]
    assert np.allclose(seen["view"], wanted)


def test_layers_stand_in_groups_and_order(seen):
    groups = [seen["layers"][key]["group"] for key in seen["order"]]
    assert list(dict.fromkeys(groups)) == [
        "suspects",
        "checks",
        "permits",
        "districts and ground",
        "pictures",
    ]
    shown = {key.rsplit("_", 1)[0]: layer["shown"] for key, layer in seen["layers"].items()}
    hidden = {name for name, here in shown.items() if not here}
    assert hidden == {"before", "ties", "run", "flawed_rows"}


def test_suspects_look_like_suspects(seen, result):
    layer = layer_of(seen, "suspects")
    assert layer["renderer"] == "categorizedSymbol"
    assert {item.reason for item in result.suspects} <= set(layer["categories"])
    assert layer["labelled"]
    assert all(not error and text for text, error in layer["labels"])
    first = result.suspects[0].change
    assert layer["labels"][0][0].startswith("1 ")
    assert f"{first.area_m2:.0f} m²" in layer["labels"][0][0]
    assert layer["geometry"] == "Polygon"
    assert layer["sound"]


def test_tips_show_pictures_that_are_there(seen, result, handed):
    tips = layer_of(seen, "suspects")["tips"]
    assert len(tips) == len(result.suspects)
    for tip, item in zip(tips, result.suspects, strict=True):
        sources = re.findall(r'src="file://([^"]+)"', tip)
        undone = [name.replace("%23", "#").replace("%25", "%") for name in sources]
        assert undone == [
            str(handed / "chips" / "marked" / f"{item.change.id}_{role}.jpg")
            for role in ("before", "after")
        ]
        assert all(Path(name).is_file() for name in undone)


def test_forms_are_for_inspection_only(seen):
    layer = layer_of(seen, "suspects")
    assert set(layer["editable"]) - {"fid"} == set(FIELD_COLUMNS)
    assert layer["tabs"] == [
        "what was seen",
        "relation to the permit",
        "inspection",
        "more",
    ]
    assert not layer["read_only"]
    for name in ("kind", "reason", "answer", "dismissal"):
        assert layer["widgets"][name] == "ValueMap"
    answers = [slug for entry in layer["configs"]["answer"]["map"] for slug in entry.values()]
    assert answers == ["open", "confirmed", "dismissed", "unsure"]
    assert layer["widgets"]["photo"] == "ExternalResource"
    assert layer["configs"]["photo"]["RelativeStorage"] == 1
    assert layer["configs"]["photo"]["DocumentViewer"] == 1
    assert layer["configs"]["remark"]["IsMultiline"]
    for name in ("inspected_on", "notice_on", "deadline", "demolished_on"):
        assert layer["types"][name] == "Date"
        assert layer["widgets"][name] == "DateTime"
    assert layer["types"]["demolished_m2"] == "Real"
    others = [item for key, item in seen["layers"].items() if "read_only" in item]
    assert sum(not item["read_only"] for item in others) == 1


def test_columns_have_names_for_people(seen):
    languages = list_languages("en")
    for name in ("suspects", "permits", "ties", "excluded", "cells"):
        for column, called in layer_of(seen, name)["aliases"].items():
            wanted = "" if column == "fid" else alias(name, column, languages)
            assert called == wanted


def test_qfield_may_fill_in_and_not_move(seen):
    for key, layer in seen["layers"].items():
        if "action" in layer:
            mine = key.startswith("suspects_")
            assert layer["action"] == ("offline" if mine else "copy")
            assert (layer["locked"] in (True, "true")) is mine
    naming = json.loads(layer_of(seen, "suspects")["naming"])
    assert naming["photo"].startswith("'DCIM/' ||")


def test_each_suspect_has_a_bookmark(seen, result):
    assert len(seen["bookmarks"]) == len(result.suspects)
    for (name, extent, valid), item in zip(seen["bookmarks"], result.suspects, strict=True):
        assert valid
        assert f"{item.change.area_m2:.0f} m²" in name
        assert shapely.from_wkt(extent).contains(item.change.outline)


def test_two_themes_change_the_picture_only(seen):
    assert sorted(seen["themes"]) == ["after 2025-12-13", "before 2025-03-15"]
    (after, before) = (set(seen["themes"][name]) for name in sorted(seen["themes"]))
    assert {key.split("_")[0] for key in after ^ before} == {"after", "before"}
    drawn = [colours(seen["out"] / f"theme{number}.png") for number in (0, 1)]
    assert np.abs(drawn[0].astype(int) - drawn[1]).mean() > 3


def test_the_map_is_drawn(seen):
    assert seen["drawing"] == []
    drawn = colours(seen["out"] / "map.png")
    assert drawn.std(axis=0).min() > 20
    assert (np.abs(drawn.astype(int) - (213, 94, 0)).sum(axis=1) < 30).sum() > 50, "no outline"


def test_the_sheet_prints(seen, result):
    (sheet,) = seen["layouts"]
    assert sheet["done"] == 0
    assert sheet["page"] == [420, 297]
    wanted = ("Label", "Legend", "Map", "Picture", "ScaleBar")
    assert {f"QgsLayoutItem{kind}" for kind in wanted} <= set(sheet["kinds"])
    left, bottom, right, top = sheet["extent"]
    bounds = result.pair.grid.bounds
    assert left < bounds.left < bounds.right < right
    assert bottom < bounds.bottom < bounds.top < top
    assert any(result.run.id in text for text in sheet["texts"])
    assert colours(seen["out"] / "layout0.png").std(axis=0).min() > 20


@pytest.mark.parametrize("name", ["suspects", "permits", "flawed_rows", "ties"])
def test_a_layer_alone_comes_with_its_style(opened, handed, result, name):
    layer = opened("alone", f"{handed / 'results.gpkg'}|layername={name}")
    wanted = {"suspects": "categorizedSymbol", "ties": "RuleRenderer"}
    assert layer["renderer"] == wanted.get(name, "singleSymbol")
    assert layer["labelled"] is (name in ("suspects", "permits"))
    assert layer["aliases"]["residual_m" if name == "ties" else "number"]
    if name == "suspects":
        assert all(tip.count("<img") == 2 for tip in layer["tips"]), "pictures beside the layer"
        assert layer["widgets"]["answer"] == "ValueMap"


def test_what_is_filled_in_is_saved(opened, handed, tmp_path):
    copy = Path(shutil.copy(handed / "results.gpkg", tmp_path))
    done = opened("fill_in", f"{copy}|layername=suspects")
    assert done["done"]
    assert done["same"]
    frame = pyogrio.read_dataframe(copy, layer="suspects")
    assert frame["answer"].iloc[0] == "confirmed"
    assert str(frame["inspected_on"].iloc[0])[:10] == "2026-01-05"
    assert frame["demolished_m2"].iloc[0] == 12.5


def test_words_are_in_the_users_language(result, opened, tmp_path):
    folder = tmp_path / "中文"
    write(in_language(result, "zh_CN"), folder, pictures=False)
    (folder / "rasters").mkdir()
    for role, flight in (("before", 0), ("after", 3)):
        shutil.copy(ortho(flight), folder / "rasters" / f"{role}.tif")
    seen = opened("project", folder / "project.qgz", out=str(tmp_path))
    layer = layer_of(seen, "suspects")
    kinds = {
        slug: word for entry in layer["configs"]["kind"]["map"] for word, slug in entry.items()
    }
    assert kinds["building"] == "房屋"
    assert "<img" not in layer["tips"][0], "no pictures, no broken ones"
    why = suspects_frame(result.suspects, result)["why_zh"]
    for tip, text in zip(layer["tips"], why, strict=True):
        assert text[:20] in tip


def test_a_run_without_suspects_or_pictures_opens(result, opened, tmp_path):
    nothing = replace(
        in_language(result, "en", picture_pixel_m=0.0),
        compared=(),
        permits=None,
        districts=None,
    )
    write(nothing, tmp_path / "empty", pictures=False)
    seen = opened("project", tmp_path / "empty" / "project.qgz", out=str(tmp_path))
    assert seen["read"]
    assert seen["bookmarks"] == []
    assert seen["themes"] == {}
    assert all(layer["valid"] for layer in seen["layers"].values())
    kinds = {key.split("_")[0]: layer["geometry"] for key, layer in seen["layers"].items()}
    assert kinds["suspects"] == kinds["changes"] == "Polygon"
    assert kinds["permits"] == "MultiPolygon"
    assert kinds["ties"] == "Point"


LOCAL = (
    'PROJCRS["City 1", BASEGEOGCRS["China Geodetic Coordinate System 2000",'
    'DATUM["China 2000",ELLIPSOID["CGCS2000",6378137,298.257222101]]],'
    'CONVERSION["City 1",METHOD["Transverse Mercator"],'
    'PARAMETER["Latitude of natural origin",22.5,ANGLEUNIT["degree",0.0174532925199433]],'
    'PARAMETER["Longitude of natural origin",113.2833333,ANGLEUNIT["degree",0.0174532925199433]],'
    'PARAMETER["Scale factor at natural origin",1],PARAMETER["False easting",40000],'
    'PARAMETER["False northing",20000]],CS[Cartesian,2],AXIS["easting (X)",east],'
    'AXIS["northing (Y)",north],LENGTHUNIT["metre",1]]'
)


def show_of(frame, crs):
    left, bottom, right, top = frame.total_bounds
    return Show(
        tables=(suspect_table(frame, "0123456789abcdef"),),
        crs=crs,
        bounds=Bounds(left=left, bottom=bottom, right=right, top=top),
        run_id="0123456789abcdef",
        title="<b>&\u0000'\"]]>",
        note="",
        day=None,
        languages=("en", "zh_CN"),
    )


def test_a_citys_own_crs_is_understood(opened, tmp_path):
    crs = CRS.from_wkt(LOCAL)
    frame = suspects(3).set_crs(crs, allow_override=True)
    show = show_of(frame, crs)
    dress = make_dress(show)
    write_geopackage(tmp_path / "results.gpkg", show.tables, crs=crs, day=None, dress=dress)
    (tmp_path / "project.qgz").write_bytes(dress.project)
    seen = opened("project", tmp_path / "project.qgz", out=str(tmp_path))
    assert seen["crs_valid"]
    assert layer_of(seen, "suspects")["crs_valid"]
    assert seen["drawing"] == []
    assert colours(tmp_path / "map.png").std(axis=0).min() > 1


class _Tags(html.parser.HTMLParser):
    """Collects tags and their attributes."""

    def __init__(self):
        super().__init__()
        self.seen = set()

    def handle_starttag(self, tag, attrs):
        self.seen.add((tag, *(name for name, _value in attrs)))


def test_text_of_strangers_stays_text(opened, tmp_path):
    frame = suspects(3 * len(HOSTILE), (*HOSTILE, "[% 1 + 1 %]", "&lt;b&gt;", "{value}"))
    draw_chips(frame, tmp_path)
    show = show_of(frame, CRS.from_epsg(4547))
    dress = make_dress(show)
    write_geopackage(tmp_path / "results.gpkg", show.tables, crs=show.crs, day=None, dress=dress)
    (tmp_path / "project.qgz").write_bytes(dress.project)
    seen = opened("project", tmp_path / "project.qgz", out=str(tmp_path))
    layer = layer_of(seen, "suspects")
    tags = _Tags()
    for tip in layer["tips"]:
        tags.feed(tip)
    assert tags.seen == {("div", "style"), ("b",), ("br",), ("img", "width", "src")}
    assert any("&lt;script&gt;alert(1)" in tip for tip in layer["tips"])
    assert any("[% 1 + 1 %]" in tip for tip in layer["tips"])
    assert any("&amp;lt;b&amp;gt;" in tip for tip in layer["tips"])
    assert all(not error for _text, error in layer["labels"])
    assert len(seen["bookmarks"]) == len(frame)
