"""What we write, opened by real QGIS (Debian's python3-qgis, seen by the system's python3 only)."""

import json
import os
import subprocess
from pathlib import Path

import pytest

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


@pytest.fixture(scope="module")
def look(tmp_path_factory):
    """Return a function that opens files in QGIS and tells what it saw of each."""
    home = tmp_path_factory.mktemp("qgis")
    home.chmod(0o700)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home),
        "QT_QPA_PLATFORM": "offscreen",
    }

    def run(*paths: Path) -> dict:
        done = subprocess.run(
            [PYTHON, "-c", LOOK, *map(str, paths)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if "No module named 'qgis'" in done.stderr:
            pytest.skip("QGIS is missing: apt-get install python3-qgis qgis-providers")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.partition("SEEN")[2])

    return run


def test_the_geojson_of_the_sample_opens(look, tmp_path):
    flights = sorted(Path("sample_tiles").glob("*_ortho.tif"))
    target = tmp_path / "result"
    subprocess.run(
        [
            "orthowatch",
            "detect",
            flights[0],
            flights[-1],
            "--permits",
            "sample_tiles/permits.gpkg",
            "--dsm-before",
            str(flights[0]).replace("_ortho", "_dsm"),
            "--dsm-after",
            str(flights[-1]).replace("_ortho", "_dsm"),
            "-o",
            target,
            "--quiet",
        ],
        check=True,
    )
    from change.export.geojson import COLUMNS

    seen = look(target / "suspects.geojson", target / "changes.geojson")
    for path, layer in seen.items():
        written = json.loads(Path(path).read_text(encoding="utf-8"))["features"]
        assert layer["valid"]
        assert layer["sound"]
        assert layer["polygons"]
        assert layer["crs"] == "EPSG:4326"
        assert layer["rows"] == len(written) > 0
        assert tuple(layer["fields"]) == COLUMNS
