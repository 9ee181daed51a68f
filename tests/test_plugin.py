"""The QGIS plugin: the parts that need no QGIS, and that all of it fits the command."""

import ast
import html.parser
import importlib
import json
import os
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time
import tomllib
import zipfile
from pathlib import Path

import pytest
from click import Argument

import cli
from tests.command import COMMAND
from tests.samples import ortho

ROOT = Path(__file__).parent.parent
PLUGIN = ROOT / "qgis" / "orthowatch"
PLAIN = ("command", "runner", "words", "findings", "folder")


@pytest.fixture(scope="module")
def plugin():
    """The parts of the plugin that need no QGIS, by name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PLUGIN.parent))
        return {name: importlib.import_module(f"orthowatch.{name}") for name in PLAIN}


@pytest.fixture
def fake(tmp_path):
    """Return a function that writes a command which does what a test wants."""

    def write(body):
        path = tmp_path / "bin" / "orthowatch"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!{sys.executable}\nimport json, os, signal, sys, time\n{body}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    return write


# The command line and its environment.


def test_the_command_is_found_where_people_put_it(plugin, tmp_path, monkeypatch):
    find = plugin["command"].find_command
    monkeypatch.setenv("HOME", str(tmp_path))
    for folder in ("on_path", ".local/bin", "elsewhere"):
        program = tmp_path / folder / "orthowatch"
        program.parent.mkdir(parents=True)
        program.touch(mode=0o755)
    path = {"PATH": str(tmp_path / "on_path")}
    assert find(None, path) == str(tmp_path / "on_path" / "orthowatch")
    assert find("", {"PATH": ""}) == str(tmp_path / ".local" / "bin" / "orthowatch")
    assert find("~/elsewhere/orthowatch", path) == str(tmp_path / "elsewhere" / "orthowatch")
    assert find(str(tmp_path / "none"), path) is None
    shutil.rmtree(tmp_path / ".local")
    assert find(None, {"PATH": ""}) is None


def test_the_environment_of_qgis_stays_behind(plugin):
    foreign = (
        *("PYTHONHOME", "PYTHONPATH", "GDAL_DATA", "PROJ_LIB", "PROJ_DATA", "LD_LIBRARY_PATH"),
        *("QT_PLUGIN_PATH", "QT_QPA_PLATFORM"),
    )
    ours = {"PATH": "/bin", "HOME": "/home/a", "ORTHOWATCH_BLOCKS_WORKERS": "2", "LANG": "zh_CN"}
    cleaned = plugin["command"].clean_environment(dict.fromkeys(foreign, "x") | ours)
    assert cleaned == ours | {"PYTHONIOENCODING": "utf-8"}


def test_the_line_is_a_list(plugin):
    line = plugin["command"].command_line("/a b/orthowatch", "detect", ["$(rm -rf).tif"], "en")
    assert line[:3] == ["/a b/orthowatch", "detect", "$(rm -rf).tif"]
    assert line[3:] == ["--progress", "json", "--lang", "en"]


# What the command says.


@pytest.mark.parametrize(
    ("line", "kind", "text", "percent"),
    [
        ('{"stage": "reading", "done": 3, "total": 12}', "progress", "reading", 25.0),
        ('{"stage": "reading", "done": 0, "total": 0}', "progress", "reading", 0.0),
        ('{"say": "2 \\u56fe\\u6591"}', "say", "2 图斑", 0.0),
        ('{"error": "no such file"}', "error", "no such file", 0.0),
        ('{"say": "a\\u0000b\\u001b[31mc\\u202ed\\ne"}', "say", "a b [31mc d e", 0.0),
        ("Traceback (most recent call last):", "text", "Traceback (most recent call last):", 0.0),
        ('{"stage": "reading", "done": 5, "total": 4}', "text", None, 0.0),
        ('{"stage": "reading", "done": true, "total": 4}', "text", None, 0.0),
        ('{"stage": 1, "done": 1, "total": 4}', "text", None, 0.0),
        ('{"say": ["<b>"]}', "text", None, 0.0),
        ("[1, 2]", "text", None, 0.0),
        ("7", "text", None, 0.0),
        ("NaN", "text", None, 0.0),
        ("[" * 100_000, "text", None, 0.0),
        ("", "text", "", 0.0),
    ],
)
def test_every_line_means_something(plugin, line, kind, text, percent):
    said = plugin["runner"].parse_line(line)
    assert (said.kind, said.percent) == (kind, percent)
    assert said.text == (line if text is None else text)


def test_the_bar_never_goes_back_and_ends_full(plugin):
    bar = plugin["runner"].Bar(2)
    steps = [("a", 50.0), ("a", 100.0), ("b", 10.0), ("a", 20.0), ("b", 100.0)]
    assert [bar.advance(*step) for step in steps] == [25.0, 50.0, 55.0, 55.0, 100.0]
    more = plugin["runner"].Bar(1)
    shown = [more.advance(stage, 100.0) for stage in "abc"]
    assert shown == [100.0] * 3


def listening(plugin, wanted=lambda: True):
    """Return a listener that keeps what it hears, and what it kept."""
    heard = []

    class Ear(plugin["runner"].Listener):
        def hear(self, said):
            heard.append((said.kind, said.text))

        def unwanted(self):
            return not wanted()

    return Ear(), heard


def run(plugin, path, ear, *words):
    environment = plugin["command"].clean_environment(os.environ)
    return plugin["runner"].run_command([str(path), *words], environment, ear)


def test_a_run_is_heard_and_its_output_kept(plugin, fake):
    path = fake(
        'sys.stderr.write(\'{"say": "hello"}\\n\')\n'
        "print(json.dumps(sys.argv[1:]), os.environ.get('QT_QPA_PLATFORM'), sys.stdin.read())\n"
        "print('x' * 300000)"
    )
    ear, heard = listening(plugin)
    outcome = run(plugin, path, ear, "a b", "--c='d'", "图")
    assert (outcome.code, outcome.error, outcome.canceled) == (0, "", False)
    assert heard == [("say", "hello")]
    first, rest = outcome.out.split("\n", 1)
    assert json.loads(first.removesuffix("None ").strip()) == ["a b", "--c='d'", "图"]
    assert len(rest) == 300_001


def test_the_line_of_a_failure_is_the_commands(plugin, fake):
    path = fake(
        "print('noise', '{\"error\": \"bad flight\"}', 'more', sep='\\n', file=sys.stderr)\n"
        "sys.exit(2)"
    )
    outcome = run(plugin, path, listening(plugin)[0])
    assert (outcome.code, outcome.error) == (2, "bad flight")
    crashed = run(plugin, fake("raise RuntimeError('a bug')"), listening(plugin)[0])
    assert (crashed.code, crashed.error) == (1, "RuntimeError: a bug")


def test_what_cannot_start_is_an_error(plugin, tmp_path):
    with pytest.raises(FileNotFoundError):
        run(plugin, tmp_path / "none", listening(plugin)[0])


@pytest.mark.parametrize("talks", [True, False])
def test_a_canceled_run_gets_ctrl_c_first(plugin, fake, tmp_path, talks):
    """It can still clean up; and one that talks without end is ended as well."""
    trace = tmp_path / "trace"
    path = fake(
        f"trace = {str(trace)!r}\n"
        "def stop(*_):\n    open(trace, 'a').write('cleaned')\n    sys.exit(130)\n"
        "signal.signal(signal.SIGINT, stop)\n"
        "open(trace, 'w').write('began ')\n"
        f"while True:\n    time.sleep(0.01)\n    {talks} and print('{{}}', file=sys.stderr)"
    )
    ear, _ = listening(plugin, wanted=lambda: not trace.exists() or not trace.read_text())
    began = time.monotonic()
    outcome = run(plugin, path, ear)
    assert (outcome.canceled, outcome.code) == (True, 130)
    assert trace.read_text() == "began cleaned"
    assert time.monotonic() - began < 10


def test_one_that_will_not_end_is_killed(plugin, fake, monkeypatch):
    monkeypatch.setattr(plugin["runner"], "_GRACE_S", 0.5)
    path = fake("signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
                "print('ready', file=sys.stderr, flush=True)\ntime.sleep(60)")  # fmt: skip
    ear, heard = listening(plugin, wanted=lambda: not heard)
    outcome = run(plugin, path, ear)
    assert (outcome.canceled, outcome.code) == (True, -signal.SIGKILL)


def test_a_canceled_detect_leaves_nothing(plugin, tmp_path):
    settings = tmp_path / "settings.toml"
    settings.write_text("[blocks]\nside_m = 100.0\n", encoding="utf-8")
    place = tmp_path / "place"
    place.mkdir()
    ear, heard = listening(plugin, wanted=lambda: not heard)
    words = ["detect", ortho(0), ortho(1), "--output", place / "out", "--config", settings]
    words = [*map(str, words), "--workers", "1", "--progress", "json"]
    outcome = run(plugin, COMMAND, ear, *words)
    assert (outcome.canceled, outcome.code, outcome.error) == (True, 130, "interrupted")
    assert heard[0] == ("progress", "reading")
    assert list(place.iterdir()) == []


# Findings, folders, words.


def test_findings_are_read_worst_first_and_shown_inert(plugin):
    module = plugin["findings"]
    bad = "<script>alert(1)</script>=1+1 \U0001f3e0 \u202e"
    told = [{"level": level, "says": bad} for level in ("info", "refuse", "warning")]
    found = module.read_findings(json.dumps(told))
    assert [finding.level for finding in found] == ["refuse", "warning", "info"]
    page = module.findings_page(found, "Findings", module.LEVELS, "en")
    tags = []

    class Reader(html.parser.HTMLParser):
        def handle_starttag(self, tag, attrs):
            tags.append(tag)

    Reader().feed(page)
    assert "script" not in tags
    assert tags.count("td") == 6
    for text in ("", "{}", "[1]", '[{"level": "info"}]', '[{"level": "x", "says": "y"}]', "7"):
        with pytest.raises(ValueError, match=r"."):
            module.read_findings(text)


def test_findings_are_those_of_the_command(plugin):
    done = subprocess.run(
        [COMMAND, "check", ortho(0), "--json"], capture_output=True, text=True, check=True
    )
    found = plugin["findings"].read_findings(done.stdout)
    assert [finding.says for finding in found] == [item["says"] for item in json.loads(done.stdout)]


def package(path, names):
    """Write a GeoPackage's table of contents, and a table without geometry."""
    with sqlite3.connect(path) as base:
        base.execute("CREATE TABLE gpkg_contents (table_name, data_type, identifier)")
        rows = [(name, "features", title) for name, title in names]
        base.executemany("INSERT INTO gpkg_contents VALUES (?, ?, ?)", rows)
        base.execute("INSERT INTO gpkg_contents VALUES ('run', 'attributes', 'run')")
    base.close()


def test_a_folder_shows_its_package_else_its_files(plugin, tmp_path):
    module = plugin["folder"]
    assert module.result_layers(tmp_path) == []
    assert module.suspects_source(tmp_path) is None
    assert module.count_suspects(tmp_path) is None
    for name in ("suspects.geojson", "changes.geojson", "excluded.geojson"):
        (tmp_path / name).touch()
    (tmp_path / "rasters").mkdir()
    (tmp_path / "rasters" / "after.tif").touch()
    (tmp_path / "run.json").write_text('{"suspects": 7}')
    titles = [layer.title for layer in module.result_layers(tmp_path)]
    assert titles == ["Suspects", "Ground not judged", "Later flight as compared"]
    assert module.suspects_source(tmp_path) == str(tmp_path / "suspects.geojson")
    assert module.count_suspects(tmp_path) == 7
    (tmp_path / "results.gpkg").write_text("no package")
    assert len(module.result_layers(tmp_path)) == 3
    (tmp_path / "results.gpkg").unlink()
    names = [("new", "另一层"), ("ties", "t"), ("suspects", "suspects"), ("newer", None)]
    package(tmp_path / "results.gpkg", names)
    (tmp_path / "rasters" / "before.tif").touch()
    shown = module.result_layers(tmp_path)
    assert [(layer.title, layer.raster, layer.visible) for layer in shown] == [
        ("Suspects", False, True),
        ("Ties of the alignment", False, False),
        ("另一层", False, True),
        ("newer", False, True),
        ("Later flight as compared", True, True),
        ("Earlier flight as compared", True, False),
    ]
    assert module.suspects_source(tmp_path) == f"{tmp_path}/results.gpkg|layername=suspects"
    (tmp_path / "run.json").write_text("[]")
    assert module.count_suspects(tmp_path) is None


@pytest.mark.parametrize(
    ("locale", "language"),
    [("zh", "zh_CN"), ("zh_CN", "zh_CN"), ("zh-Hans", "zh_CN"), ("zh_TW", "zh_CN"), ("C", "en"),
     ("en_US", "en"), ("de", "en"), ("", "en"), ("za", "en")],
)  # fmt: skip
def test_the_language_of_a_locale(plugin, locale, language):
    assert plugin["words"].language_of(locale) == language
    assert language in cli.LANGUAGES


def spoken():
    """Return every sentence in the plugin's code that is looked up, in ``say`` or in a table."""
    found = set()
    for path in sorted(PLUGIN.glob("*.py")):
        if path.name == "words.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def test_every_sentence_has_both_languages(plugin):
    words = plugin["words"].WORDS
    assert set(words) <= spoken(), "nobody says it"
    for english, chinese in words.items():
        assert re.findall(r"\{\w+\}", english) == re.findall(r"\{\w+\}", chinese)
        assert any("\u4e00" <= sign <= "\u9fff" for sign in chinese)
    assert plugin["words"].translate("Permits", "zh_CN") != "Permits"
    assert plugin["words"].translate("Permits", "en") == "Permits"


# The plugin as a whole.


def test_every_option_is_one_of_the_command():
    """The flags and choices, each in its algorithm's command, compared with the command itself."""
    tree = ast.parse((PLUGIN / "algorithms.py").read_text(encoding="utf-8"))
    groups = {
        node.targets[0].id: ast.unparse(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    seen = 0
    for node in tree.body:
        if not isinstance(node, ast.ClassDef) or node.name not in groups["ALGORITHMS"]:
            continue
        text = ast.unparse(node)
        name = re.search(r"COMMAND = '(\w+)'", text)[1]
        if name not in cli.orthowatch.commands:
            continue
        text += "".join(
            value for group, value in groups.items() if re.search(rf"\b{group}\b", text)
        )
        command = cli.orthowatch.commands[name]
        known = {flag for option in command.params for flag in option.opts}
        assert set(re.findall(r"'(--[a-z-]+)'", text)) <= known, name
        assert {"--progress", "--lang", "--json" if name == "check" else "--output"} <= known
        assert len([p for p in command.params if isinstance(p, Argument)]) >= 1
        seen += 1
    assert seen >= 4


def test_the_plugin_runs_with_the_oldest_python():
    """QGIS 3.22 brings Python 3.9 on Windows."""
    for path in sorted(PLUGIN.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        ast.parse(text, feature_version=(3, 9))
        assert text.startswith("# SPDX-License-Identifier: GPL-2.0-or-later\n")
        assert "from __future__ import annotations" in text


def test_the_command_knows_nothing_of_the_plugins_licence():
    """The plugin starts the command, and neither imports the other."""
    ours = re.compile(r"^\s*(from|import) (survey|change|cli)\b", re.MULTILINE)
    for path in sorted(PLUGIN.glob("*.py")):
        assert not ours.search(path.read_text(encoding="utf-8")), path
    theirs = re.compile(r"^\s*(from|import) (qgis|orthowatch)\b", re.MULTILINE)
    for path in [ROOT / "cli.py", *ROOT.glob("survey/**/*.py"), *ROOT.glob("change/**/*.py")]:
        assert not theirs.search(path.read_text(encoding="utf-8")), path
    assert "Version 2, June 1991" in (PLUGIN / "LICENSE").read_text(encoding="utf-8")


def test_the_archive_is_the_folder_and_always_the_same(tmp_path):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    contents = []
    for name in ("one", "two"):
        subprocess.run([sys.executable, ROOT / "qgis" / "pack.py", tmp_path / name], check=True,
                       stdout=subprocess.DEVNULL)  # fmt: skip
        (path,) = (tmp_path / name).iterdir()
        assert path.name == f"orthowatch-qgis-{project['version']}.zip"
        contents.append(path.read_bytes())
    assert contents[0] == contents[1]
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        assert archive.testzip() is None
    files = {
        path.relative_to(PLUGIN.parent).as_posix()
        for path in PLUGIN.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert set(names) == files
    assert {"orthowatch/metadata.txt", "orthowatch/LICENSE", "orthowatch/icon.svg"} <= set(names)
