# SPDX-License-Identifier: GPL-2.0-or-later
"""The command: where it is, and what it may see of the environment."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

__all__ = ["clean_environment", "command_line", "find_command"]

NAME = "orthowatch"

# What QGIS sets for its own Python, GDAL, PROJ and Qt. The command lives in an environment that has
# others, and with these it would load the wrong ones or none.
_QGIS_ONLY = frozenset(
    (
        *("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONEXECUTABLE"),
        *("GDAL_DATA", "GDAL_DRIVER_PATH", "PROJ_LIB", "PROJ_DATA", "GEOTIFF_CSV"),
        *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"),
    )
)
_QT = "QT_"

# A desktop session knows neither the shell's PATH nor where people put environments: these two are
# where pipx and the README of orthowatch do.
_USUAL = ("~/.local/bin", "~/orthowatch/bin")


def find_command(named: str | None, environment: Mapping[str, str]) -> str | None:
    """Return the path of the command, or None where there is none.

    Parameters
    ----------
    named
        What the user names: a file, or a name to look up; None or empty for wherever it is.
    environment
        Of the process, for its ``PATH``.
    """
    path = environment.get("PATH", os.defpath)
    if named:
        return shutil.which(str(Path(named).expanduser()), path=path)
    places = os.pathsep.join([path, *(str(Path(place).expanduser()) for place in _USUAL)])
    return shutil.which(NAME, path=places)


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without what QGIS sets for itself, and with words in UTF-8."""
    kept = {
        name: value
        for name, value in environment.items()
        if name not in _QGIS_ONLY and not name.startswith(_QT)
    }
    return {**kept, "PYTHONIOENCODING": "utf-8"}


def command_line(command: str, name: str, words: list[str], language: str) -> list[str]:
    """Return the whole line, a list as ``Popen`` takes it; no shell ever reads it."""
    return [command, name, *words, "--progress", "json", "--lang", language]
