"""What people have filled in since it was written: nothing of that is ever overwritten."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from change.export.dossier import LAYER, LAYERS
from survey.errors import OutputError
from survey.runs import Write, read_record, record_writer
from survey.words import _

__all__ = ["filled_writer", "require_unfilled"]

_LISTS = ("inspection.xlsx", "inspection.csv")
_DIGESTS, _LAYER_DIGEST = "list_sha256", "suspects_sha256"


def filled_writer(record: Mapping[str, Any]) -> Write:
    """Return what writes a record, with the hashes of the lists and layers that lie beside it."""

    def write(path: Path) -> None:
        found = {
            file.relative_to(path.parent).as_posix(): _digest(file)
            for name in _LISTS
            for file in sorted(path.parent.rglob(name))
        }
        told = {**record, _DIGESTS: found}
        if (path.parent / LAYERS).exists():
            told[_LAYER_DIGEST] = _layer_digest(path.parent / LAYERS)
        record_writer(told)(path)

    return write


def require_unfilled(folder: Path, record: Path) -> None:
    """Refuse a folder in whose lists or layer of suspects people have changed anything.

    Raises
    ------
    OutputError
        They have, or a program holds the layers open.
    """
    for path in _touched(folder, read_record(record) or {}):
        raise OutputError(
            _(
                "{path}: was changed since it was written, and may hold results of inspections;"
                " write to another folder"
            ).format(path=path)
        )
    journal = folder / f"{LAYERS}-wal"
    if journal.exists() and journal.stat().st_size > 0:
        raise OutputError(
            _("{path}: is open in another program; close it there first").format(
                path=folder / LAYERS
            )
        )


def _touched(folder: Path, record: Mapping[str, Any]) -> Iterator[Path]:
    """Yield what is not as the record says it was written."""
    digests = record.get(_DIGESTS)
    for name, digest in digests.items() if isinstance(digests, dict) else ():
        path = folder / str(name)
        # A record may have been tampered with: only lists of this folder are looked at.
        if path.name in _LISTS and path.is_file() and _digest(path) != digest:
            yield path
    layers = folder / LAYERS
    ours = LAYERS in str(record.get("outputs")) and layers.is_file()
    if ours and _layer_digest(layers) != record.get(_LAYER_DIGEST):
        yield layers


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _layer_digest(path: Path) -> str:
    """Return the hash of what the layer of suspects holds; looking at it in QGIS changes nothing.

    What cannot be read may hold anything: it has a hash that nothing else has.
    """
    try:
        cells = pyogrio.read_dataframe(path, layer=LAYER, read_geometry=False)
        shapes = pyogrio.read_dataframe(path, layer=LAYER, columns=[])
    except (DataSourceError, DataLayerError, ValueError):
        return ""
    text = cells.to_csv(index=False) + shapes.to_wkt(rounding_precision=4).to_csv(index=False)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
