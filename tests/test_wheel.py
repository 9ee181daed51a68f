"""The wheel holds the whole program, nothing else, and runs where the source is not."""

import os
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def run(*command, **options):
    """Run a program to its end and return what it says; its failure is the test's."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder]
    run(*build, ROOT, cwd=folder)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def clean(wheel, tmp_path_factory):
    """Return the programs of an environment that has the wheel, and borrows what it depends on."""
    folder = tmp_path_factory.mktemp("clean")
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    programs, site = folder / "bin", Path(sysconfig.get_path("purelib", vars={"base": folder}))
    run(sys.executable, "-m", "pip", "--python", programs / "python", "install", "--no-deps", wheel)
    # A .pth would run those of this environment too, the editable install of the source among them.
    borrowed = os.pathsep.join({sysconfig.get_path(kind) for kind in ("purelib", "platlib")})
    return programs, {"PATH": os.environ["PATH"], "PYTHONPATH": f"{site}{os.pathsep}{borrowed}"}


def test_wheel_is_the_tree(wheel):
    expected = {"cli.py"} | {
        path.relative_to(ROOT).as_posix()
        for package in ("survey", "change")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == expected


def test_wheel_brings_its_catalogues(wheel):
    with zipfile.ZipFile(wheel) as archive:
        assert "survey/locale/zh_CN/LC_MESSAGES/messages.mo" in archive.namelist()


@pytest.mark.parametrize(("option", "said"), [("--help", "Usage: "), ("--version", VERSION)])
def test_installed_command_runs_away_from_the_source(clean, tmp_path, option, said):
    programs, environment = clean
    assert said in run(programs / "orthowatch", option, cwd=tmp_path, env=environment)


def test_installed_packages_are_the_wheels(clean, tmp_path):
    programs, environment = clean
    script = "import cli, survey, change; print(cli.__file__, survey.__file__, change.__file__)"
    for path in run(programs / "python", "-c", script, cwd=tmp_path, env=environment).split():
        assert Path(path).is_relative_to(programs.parent)
