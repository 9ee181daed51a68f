"""The aligned flights of an area on disk: a field for each, a page and a record."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from change.area_flights import FIELD_ENDING
from change.area_result import AreaResult, area_facts
from change.export.area_page import render_area_page
from change.export.folder import FILE_ENDINGS, require_free_folder, write_folder
from survey.alignment import Alignment
from survey.errors import OutputError
from survey.field_file import Measurement, write_field
from survey.runs import Write, read_record, record_writer
from survey.words import _

__all__ = ["require_free_area", "write_area"]

_PAGE, _RECORD = "chain.html", "chain.json"


def require_free_area(folder: Path, labels: Iterable[str]) -> None:
    """Refuse, before any work is done, a target that holds what we have not written.

    Parameters
    ----------
    folder
        Where the results are to go.
    labels
        What the flights are called: their fields are named by it.

    Raises
    ------
    OutputError
        Something that is not ours lies there, or there is no folder to write to.
    """
    if folder.suffix.lower() in FILE_ENDINGS or (folder.exists() and not folder.is_dir()):
        raise OutputError(_("{path}: is a file; name a folder").format(path=folder))
    names = [label + FIELD_ENDING for label in labels]
    require_free_folder(folder, [_PAGE, *names], _RECORD)


def write_area(result: AreaResult, folder: Path) -> dict[str, Any]:
    """Write what was found to a folder, all or nothing, and return the record.

    Fields of an earlier run there that this one does not give are removed: they would contradict
    the new record.

    Raises
    ------
    OutputError
        The place cannot be written.
    """
    earlier = (read_record(folder / _RECORD) or {}).get("outputs", [])
    writers: dict[str, Write] = {
        result.field_name(number): _field_writer(result, number, alignment)
        for number in range(len(result.flights))
        if (alignment := result.alignment(number)) is not None
    }
    text = render_area_page(result)
    writers[_PAGE] = lambda path: path.write_text(text, encoding="utf-8")
    record = result.run.record(outputs=[*writers, _RECORD], **area_facts(result))
    # The record comes last: where it stands, everything it names stands too.
    write_folder(folder, writers | {_RECORD: record_writer(record)})
    for name in earlier:
        if name not in record["outputs"] and name.endswith(FIELD_ENDING):
            (folder / Path(name).name).unlink(missing_ok=True)
    return record


def _field_writer(result: AreaResult, number: int, alignment: Alignment) -> Write:
    measured: Measurement = result.measurement(number)
    return lambda path: write_field(path, alignment, result.crs, measured)
