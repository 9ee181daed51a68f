"""A QGIS that has the plugin, for tests of the plugin."""

import os
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.command import COMMAND

__all__ = ["PROCESS", "install", "program"]

ROOT = Path(__file__).parent.parent
# Debian's wrapper adds options that its own program does not know.
PROCESS = next(filter(None, map(shutil.which, ("qgis_process.bin", "qgis_process"))), None)


def install(home: Path) -> dict[str, str]:
    """Install the plugin from its archive, and return the environment QGIS needs to see it."""
    if PROCESS is None:
        pytest.skip("QGIS is missing: apt-get install qgis")
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


def program(folder, body):
    """Write a command that does what a test wants."""
    path = folder / "bin" / "orthowatch"
    path.parent.mkdir()
    path.write_text(f"#!{sys.executable}\nimport json, os, signal, sys, time\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path
