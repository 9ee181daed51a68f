"""The QGIS plugin in real QGIS, installed from its archive and called as users call it."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import geopandas as gpd
import pytest

from tests.command import COMMAND
from tests.samples import FOLDER, PERMITS, cut_pair, dsm, ortho

ROOT = Path(__file__).parent.parent
# Debian's wrapper adds options that its own program does not know.
PROCESS = next(filter(None, map(shutil.which, ("qgis_process.bin", "qgis_process"))), None)
PYTHON = "/usr/bin/python3"

pytestmark = [
    pytest.mark.qgis,
    pytest.mark.skipif(PROCESS is None, reason="QGIS is missing: apt-get install qgis"),
]


@pytest.fixture(scope="module")
def profile(tmp_path_factory):
    """The environment of a QGIS that has the plugin, installed from its archive."""
    home = tmp_path_factory.mktemp("home")
    home.chmod(0o700)
    plugins = home / ".local/share/QGIS/QGIS3/profiles/default/python/plugins"
    plugins.mkdir(parents=True)
    subprocess.run([sys.executable, ROOT / "qgis" / "pack.py", home], check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    (archive,) = home.glob("*.zip")
    zipfile.ZipFile(archive).extractall(plugins)
    # QGIS must find its own Python first: that of a virtual environment is another.
    environment = {
        "PATH": os.pathsep.join(["/usr/bin", "/bin", str(COMMAND.parent)]),
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home),
        "QT_QPA_PLATFORM": "offscreen",
        "PYTHONPATH": "",
        "GDAL_DATA": "/nowhere",  # as QGIS on Windows sets them, and the command must not see them
        "QT_PLUGIN_PATH": "",
    }
    enabled = subprocess.run(
        [PROCESS, "plugins", "enable", "orthowatch"], env=environment, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert "Enabled orthowatch" in enabled.stdout, enabled.stdout + enabled.stderr
    return environment


@pytest.fixture(scope="module")
def process(profile):
    """Return a function that runs an algorithm with ``qgis_process``."""

    def run(name, *words, **changes):
        return subprocess.run(
            [PROCESS, "run", f"orthowatch:{name}", "--", *map(str, words)],
            env={**profile, **changes},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    return run


@pytest.fixture(scope="module")
def corner(tmp_path_factory):
    return cut_pair(tmp_path_factory.mktemp("corner"))


def program(folder, body):
    """Write a command that does what a test wants."""
    path = folder / "bin" / "orthowatch"
    path.parent.mkdir()
    path.write_text(f"#!{sys.executable}\nimport json, os, signal, sys, time\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def pair(corner):
    return [f"BEFORE={corner['before']}", f"AFTER={corner['after']}", "WORKERS=1"]


def test_qgis_lists_the_algorithms_in_both_languages(profile):
    def listed(**changes):
        done = subprocess.run(
            [PROCESS, "list"], env={**profile, **changes}, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        return dict(re.findall(r"orthowatch:(\w+)\s+(.+)", done.stdout))

    assert set(listed()) == {"check", "align", "detect", "inventory", "export"}
    chinese = listed(LANG="zh_CN.UTF-8")
    assert set(chinese) == set(listed())
    assert all(any("\u4e00" <= sign <= "\u9fff" for sign in title) for title in chinese.values())


def test_detect_runs_in_qgis_with_progress(process, corner, tmp_path):
    surfaces = [f"DSM_BEFORE={corner['dsm_before']}", f"DSM_AFTER={corner['dsm_after']}"]
    layers = [f"PERMITS={PERMITS}", f"TOWNSHIPS={FOLDER / 'townships.geojson'}"]
    layers += [f"CELLS={FOLDER / 'cells.geojson'}", f"PROTECTED={FOLDER / 'townships.geojson'}"]
    target = tmp_path / "结 果"
    others = ["MIN_AREA=12", "FLOWN_BEFORE=2025-03-15", "PRECISION=1", f"OUTPUT={target}"]
    done = process("detect", *pair(corner), *surfaces, *layers, *others)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "alignment verified" in done.stdout
    assert "0...10..." in done.stdout
    assert "detecting" in done.stdout
    assert "Traceback" not in done.stderr
    record = json.loads((target / "run.json").read_text(encoding="utf-8"))
    assert record["settings"]["detect"]["min_area_m2"] == 12
    assert record["settings"]["align"]["precision"] == "standard"
    roles = {item["role"] for item in record["inputs"]}
    assert {"before", "after", "dsm_before", "dsm_after", "permits"} <= roles
    assert f"COUNT:\t{record['suspects']}" in done.stdout
    assert record["suspects"] >= 2


def test_bad_input_is_the_commands_one_line(process, tmp_path):
    target = tmp_path / "out"
    done = process("detect", f"BEFORE={dsm(0)}", f"AFTER={ortho(1)}", f"OUTPUT={target}")
    assert done.returncode != 0
    assert f"ERROR:\t{dsm(0)}: no picture of 8 or 16 bits" in done.stderr
    assert "Traceback" not in done.stderr
    assert not target.exists()
    neither = process("detect", f"AFTER={ortho(1)}", f"OUTPUT={target}")
    assert "Earlier flight is needed" in neither.stderr
    both = [f"BEFORE={ortho(0)}", f"BEFORE_FOLDER={FOLDER}", f"AFTER={ortho(1)}"]
    assert "not both" in process("detect", *both, f"OUTPUT={target}").stderr
    lost = process("detect", f"BEFORE={ortho(0)}", f"AFTER={ortho(1)}", f"OUTPUT={target}",
                   PATH="/usr/bin:/bin")  # fmt: skip
    assert "The command orthowatch is not found" in lost.stderr
    assert lost.returncode != 0


def test_check_tells_its_findings(process, corner, tmp_path):
    report = tmp_path / "report.html"
    done = process("check", f"BEFORE={corner['before']}", f"REPORT={report}")
    assert done.returncode == 0, done.stderr
    assert "info: before.tif: shows ground" in done.stdout
    assert "shows ground" in report.read_text(encoding="utf-8")
    bad = process("check", f"BEFORE={dsm(0)}")
    assert bad.returncode != 0
    assert "no picture of 8 or 16 bits" in bad.stderr


def test_align_inventory_and_folders_run_in_qgis(process, corner, tmp_path):
    tiles = tmp_path / "tiles"
    tiles.mkdir()
    shutil.copy(corner["before"], tiles / "before.tif")
    words = [f"BEFORE_FOLDER={tiles}", f"AFTER={corner['after']}", "WORKERS=1", "IMAGE=true"]
    aligned = process("align", *words, f"OUTPUT={tmp_path / 'aligned'}")
    assert aligned.returncode == 0, aligned.stderr
    assert (tmp_path / "aligned" / "aligned.tif").is_file()
    words = [f"ORTHO={corner['after']}", f"DSM={corner['dsm_after']}", f"PERMITS={PERMITS}"]
    stock = process("inventory", *words, "WORKERS=1", f"OUTPUT={tmp_path / 'stock'}")
    assert stock.returncode == 0, stock.stderr
    assert re.search(r"COUNT:\t\d+", stock.stdout)
    assert re.search(r"SUSPECTS:\t.+stock", stock.stdout)


def test_export_calls_the_command(process, tmp_path):
    """A command that writes what it was called with."""
    path = program(tmp_path, "json.dump(sys.argv[1:], open(sys.argv[4].partition('=')[2], 'w'))")
    (tmp_path / "result").mkdir()
    (tmp_path / "decisions.json").touch()
    files = [f"RESULT={tmp_path / 'result'}", f"DECISIONS={tmp_path / 'decisions.json'}"]
    choices = ["BY=4", "LANGUAGE=3", f"COMMAND={path}", f"OUTPUT={tmp_path / 'out'}"]
    done = process("export", *files, *choices)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "out").read_text(encoding="utf-8")) == [
        "export",
        "--by=team",
        f"--decisions={tmp_path / 'decisions.json'}",
        "--language=both",
        f"--output={tmp_path / 'out'}",
        str(tmp_path / "result"),
        *("--progress", "json", "--lang", "en"),
    ]


# In PyQGIS: what takes a project with layers in it.

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
