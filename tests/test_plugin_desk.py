"""The QGIS plugin with a project: layers on their way to the command, and results on the map."""

import json
import shutil
import subprocess
from pathlib import Path

import geopandas as gpd
import pytest

from tests.plugin_home import install, program
from tests.samples import PERMITS, cut_pair

pytestmark = pytest.mark.qgis

PYTHON = "/usr/bin/python3"
START = """
import json, os, sys
from pathlib import Path
sys.path[:0] = ["/usr/share/qgis/python/plugins", sys.argv[1]]
from qgis.core import *
from qgis.PyQt.QtCore import QVariant
from qgis.PyQt.QtGui import QColor
app = QgsApplication([], True)
app.initQgis()
import processing
from processing.core.Processing import Processing
Processing.initialize()
import orthowatch
plugin = orthowatch.classFactory(None)
plugin.initProcessing()
here = Path(sys.argv[2])
project = QgsProject.instance()
def told(seen):
    print("SEEN" + json.dumps(seen), flush=True)
    os._exit(0)  # QGIS 3.22 takes its layers down in the wrong order when the interpreter ends
"""


@pytest.fixture(scope="module")
def corner(tmp_path_factory):
    return cut_pair(tmp_path_factory.mktemp("corner"))


@pytest.fixture(scope="module")
def profile(tmp_path_factory):
    return install(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def desk(profile):
    """Return a function that runs a script with a project, and returns what it tells."""

    def run(script, folder):
        plugins = Path(profile["HOME"], ".local/share/QGIS/QGIS3/profiles/default/python/plugins")
        done = subprocess.run(
            [PYTHON, "-c", START + script, plugins, folder],
            env=profile,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert "SEEN" in done.stdout, done.stdout + done.stderr
        return json.loads(done.stdout.partition("SEEN")[2])

    return run


STYLE = """
layer = QgsVectorLayer(str(here / "made/results.gpkg") + "|layername=suspects", "suspects", "ogr")
layer.renderer().symbol().setColor(QColor(1, 2, 3))
told(layer.saveStyleToDatabase("default", "", True, ""))
"""
LOAD = """
feedback = QgsProcessingFeedback()
asked = {
    "BEFORE": str(here / "flight.tif"), "AFTER": str(here / "flight.tif"),
    "COMMAND": str(here / "bin/orthowatch"), "OUTPUT": str(here / "out")}
processing.runAndLoadResults("orthowatch:detect", asked, feedback)
try:
    processing.runAndLoadResults("orthowatch:detect", asked, feedback)
    refused = False
except QgsProcessingException:
    refused = True
processing.runAndLoadResults("orthowatch:detect", {**asked, "OUTPUT": str(here / "two")}, feedback)
root = project.layerTreeRoot()
told({
    "groups": sorted(group.name() for group in root.findGroups()),
    "order": [(node.name(), node.isVisible()) for node in root.findGroup("out").findLayers()],
    "count": len(project.mapLayers()),
    "valid": all(layer.isValid() for layer in project.mapLayers().values()),
    "colour": [layer.renderer().symbol().color().name()
               for layer in project.mapLayersByName("Suspects")],
    "log": feedback.textLog(), "refused": refused,
})
"""


def test_results_come_styled_and_in_their_group(desk, corner, tmp_path):
    shutil.copy(corner["before"], tmp_path / "flight.tif")
    made = tmp_path / "made"
    made.mkdir()
    permits = gpd.read_file(PERMITS)
    for name in ("ties", "suspects", "excluded"):
        permits.to_file(
            made / "results.gpkg", layer=name, engine="pyogrio", dataset_options={"VERSION": "1.2"}
        )
    (made / "rasters").mkdir()
    shutil.copy(corner["after"], made / "rasters" / "after.tif")
    (made / "project.qgz").touch()
    program(
        tmp_path,
        "import shutil\n"
        "out = [w for w in sys.argv if w.startswith('--output=')][0].partition('=')[2]\n"
        f"shutil.copytree({str(made)!r}, out, dirs_exist_ok=True)",
    )
    desk(STYLE, tmp_path)
    for log in made.glob("results.gpkg-*"):
        log.unlink()
    seen = desk(LOAD, tmp_path)
    assert seen["groups"] == ["out", "two"]
    assert seen["order"] == [
        ["Suspects", True],
        ["Ground not judged", True],
        ["Ties of the alignment", False],
        ["Later flight as compared", True],
    ]
    assert seen["count"] == 2 * len(seen["order"])
    assert seen["valid"]
    assert seen["colour"] == ["#010203"] * 2
    assert seen["refused"]
    assert "are open in the project" in seen["log"]
    assert "project.qgz opens the whole result" in seen["log"]


LAYERS = """
flights = {"BEFORE": str(here / "flight.tif"), "AFTER": str(here / "flight.tif"),
           "COMMAND": str(here / "bin/orthowatch"), "LOAD": False}
def layer(source, name, provider="ogr"):
    made = QgsVectorLayer(source, name, provider)
    assert made.isValid(), source
    project.addMapLayer(made)
    return made
path = str(here / "two layers.gpkg")
memory = layer("Polygon?crs=EPSG:4547&field=fid:string(20)&field=number:string", "记 忆", "memory")
feature = QgsFeature(memory.fields())
feature.setAttributes(["not a number", "=1+1 <b> \U0001f3e0"])
feature.setGeometry(QgsGeometry.fromWkt("POLYGON((0 0, 9 0, 9 9, 0 9, 0 0))"))
memory.dataProvider().addFeatures([feature])
plain = layer(path + "|layername=b", "plain")
filtered = layer(path + "|layername=b", "filtered")
filtered.setSubsetString("number = 'GH-2025-0065'")
edited = layer(path + "|layername=a", "edited")
edited.startEditing()
edited.deleteFeature(next(edited.getFeatures()).id())
moved = layer(path + "|layername=a", "moved")
moved.setCrs(QgsCoordinateReferenceSystem("EPSG:4546"))
joined = layer(path + "|layername=a", "joined")
joined.addExpressionField("1 + 1", QgsField("two", QVariant.Int))
seen = {}
for one in (memory, plain, filtered, edited, moved, joined):
    out = here / f"out {one.name()}"
    processing.run("orthowatch:detect", {**flights, "PERMITS": one, "OUTPUT": str(out),
                   "PROTECTED": [plain, memory], "NODATA": -9999,
                   "LAYERS_CRS": QgsCoordinateReferenceSystem("EPSG:4547")})
    seen[one.name()] = json.loads((out / "line.json").read_text())
edited.rollBack()
told(seen)
"""


def test_layers_reach_the_command_as_the_map_shows_them(desk, corner, tmp_path):
    shutil.copy(corner["before"], tmp_path / "flight.tif")
    permits = gpd.read_file(PERMITS)
    for name in ("a", "b"):
        path = tmp_path / "two layers.gpkg"
        permits.to_file(path, layer=name, engine="pyogrio", dataset_options={"VERSION": "1.2"})
    program(
        tmp_path,
        "import shutil\n"
        "words = dict(w.split('=', 1) for w in sys.argv if w.startswith('--') and '=' in w)\n"
        "out = words['--output']\n"
        "os.mkdir(out)\n"
        "source = words['--permits']\n"
        "source.startswith('/tmp') and os.path.exists(source) and shutil.copy(source, out)\n"
        "json.dump(sys.argv[1:], open(out + '/line.json', 'w'))",
    )
    seen = desk(LAYERS, tmp_path)
    words = {
        name: dict(w.split("=", 1) for w in line if w.startswith("--") and "=" in w)
        for name, line in seen.items()
    }
    assert words["plain"]["--permits"] == f"{tmp_path / 'two layers.gpkg'}|layername=b"
    assert words["plain"]["--nodata"] == "-9999.0"
    assert words["plain"]["--layers-crs"] == "EPSG:4547"
    protected = [w for w in seen["plain"] if w.startswith("--protected=")]
    assert protected[0] == f"--protected=plain={tmp_path / 'two layers.gpkg'}|layername=b"
    assert protected[1].startswith("--protected=记 忆=/")

    def copied(name):
        return gpd.read_file(tmp_path / f"out {name}" / "permits.gpkg")

    (feature,) = copied("记 忆").to_dict("records")
    assert (feature["fid"], feature["number"]) == ("not a number", "=1+1 <b> \U0001f3e0")
    assert list(copied("filtered")["number"]) == ["GH-2025-0065"]
    assert len(copied("edited")) == len(permits) - 1
    assert copied("moved").crs.to_epsg() == 4546
    assert set(copied("joined")["two"]) == {2}
    for name in set(seen) - {"plain"}:
        source = Path(words[name]["--permits"])
        assert not source.parent.exists(), "what was saved for the command is gone again"


CANCEL = """
feedback = QgsProcessingFeedback()
texts = []
feedback.progressChanged.connect(lambda percent: (texts.append(percent), feedback.cancel()))
found = processing.run("orthowatch:detect", {
    "BEFORE": str(here / "flight.tif"), "AFTER": str(here / "flight.tif"),
    "COMMAND": str(here / "bin/orthowatch"), "OUTPUT": str(here / "out")}, feedback=feedback)
told({"found": found, "progress": texts, "log": feedback.textLog()})
"""


def test_cancel_ends_the_command(desk, corner, tmp_path):
    shutil.copy(corner["before"], tmp_path / "flight.tif")
    trace = tmp_path / "trace"
    program(
        tmp_path,
        f"def stop(*_):\n    open({str(trace)!r}, 'w').write('cleaned')\n    sys.exit(130)\n"
        "signal.signal(signal.SIGINT, stop)\n"
        'print(\'{"stage": "reading", "done": 1, "total": 4}\', file=sys.stderr)\n'
        "sys.stderr.flush()\n"
        "time.sleep(60)",
    )
    seen = desk(CANCEL, tmp_path)
    assert trace.read_text() == "cleaned"
    assert seen["progress"][0] == pytest.approx(5.0)
    assert "Canceled" in seen["log"]
    assert seen["found"] == {}
