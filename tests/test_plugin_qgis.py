"""The QGIS plugin in real QGIS, installed from its archive and called as users call it."""

import json
import re
import shutil
import subprocess

import pytest

from tests.plugin_home import PROCESS, install, program
from tests.samples import FOLDER, PERMITS, cut_pair, dsm, ortho

pytestmark = pytest.mark.qgis


@pytest.fixture(scope="module")
def profile(tmp_path_factory):
    return install(tmp_path_factory.mktemp("home"))


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
    body = "out = next(word for word in sys.argv if word.startswith('--output='))\n"
    body += "json.dump(sys.argv[1:], open(out.partition('=')[2], 'w'))"
    path = program(tmp_path, body)
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
