"""Pack the QGIS plugin: ``dist/orthowatch-qgis-VERSION.zip``, the same bytes every time.

Run by ``make plugin``.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

PLUGIN = Path(__file__).parent / "orthowatch"
DIST = Path(__file__).parent.parent / "dist"
# The earliest moment that a ZIP archive knows.
MOMENT = (1980, 1, 1, 0, 0, 0)
MODE = 0o644


def plugin_version() -> str:
    """Return the version that metadata.txt states."""
    for line in (PLUGIN / "metadata.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("version="):
            return line.partition("=")[2].strip()
    raise ValueError("metadata.txt states no version")


def plugin_files() -> list[Path]:
    """Return the files of the plugin, in an order that is the same everywhere."""
    found = [path for path in PLUGIN.rglob("*") if path.is_file() and _ours(path)]
    return sorted(found, key=lambda path: path.relative_to(PLUGIN).as_posix())


def pack(target: Path) -> None:
    """Write the archive that QGIS installs from a file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w") as archive:
        for path in plugin_files():
            entry = zipfile.ZipInfo(path.relative_to(PLUGIN.parent).as_posix(), MOMENT)
            entry.create_system, entry.external_attr = 3, MODE << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes(), compresslevel=9)


def _ours(path: Path) -> bool:
    return "__pycache__" not in path.parts and path.suffix not in (".pyc", ".qgz~")


def main(arguments: list[str]) -> int:
    """Pack the plugin into the folder that is named, or into dist."""
    folder = Path(arguments[0]) if arguments else DIST
    target = folder / f"orthowatch-qgis-{plugin_version()}.zip"
    pack(target)
    print(target)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
