"""What people have filled in since a run wrote it: nothing of that is ever overwritten."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from change.fieldwork import ANSWERS, FIELD_COLUMNS
from survey.errors import OutputError
from survey.runs import Write, read_record, record_writer
from survey.words import _

__all__ = ["inspected_writer", "require_uninspected"]

_LISTS, _LAYERS, _LAYER = ("inspection.xlsx", "inspection.csv"), "results.gpkg", "suspects"
_DIGESTS = "list_sha256"


def inspected_writer(record: Mapping[str, Any]) -> Write:
    """Return what writes a run's record, with the hashes of the lists that stand beside it."""

    def write(path: Path) -> None:
        digests = {name: _digest(path.with_name(name)) for name in _LISTS}
        found = {name: digest for name, digest in digests.items() if digest}
        record_writer({**record, _DIGESTS: found})(path)

    return write


def require_uninspected(folder: Path, record: Path) -> None:
    """Refuse a folder in whose lists or layers people have filled something in.

    Raises
    ------
    OutputError
        They have.
    """
    digests = (read_record(record) or {}).get(_DIGESTS, {})
    touched = [
        name
        for name, digest in digests.items()
        if name in _LISTS and _digest(folder / name) not in (None, digest)
    ]
    if digests and _is_answered(folder / _LAYERS):
        touched.append(_LAYERS)
    if touched:
        raise OutputError(
            _(
                "{path}: was changed since it was written, and may hold results of inspections;"
                " write to another folder"
            ).format(path=folder / touched[0])
        )


def _digest(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _is_answered(path: Path) -> bool:
    """Whether somebody answered for any suspect; opening the file alone changes nothing of that."""
    if not path.is_file():
        return False
    try:
        frame = pyogrio.read_dataframe(
            path, layer=_LAYER, columns=list(FIELD_COLUMNS), read_geometry=False
        )
    except (DataSourceError, DataLayerError):
        # What cannot be read may hold anything.
        return True
    answered = frame["answer"].fillna(ANSWERS[0]) != ANSWERS[0]
    filled = frame.drop(columns="answer").notna().any(axis=1)
    return bool((answered | filled).any())
