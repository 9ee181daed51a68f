"""A folder of results: what may be written where, and all of it or nothing."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from survey.errors import OutputError
from survey.runs import Write, require_ours, require_writable, write_all
from survey.words import _

__all__ = ["FILE_ENDINGS", "require_free_file", "require_free_folder", "write_folder"]

FILE_ENDINGS = (
    *(".gpkg", ".shp", ".zip", ".kml", ".kmz", ".csv", ".xlsx", ".pdf", ".png", ".tif", ".tiff"),
    *(".geojson", ".json", ".html"),
)
"""Whoever ends a name so means a file, and would be surprised by a folder of that name."""


def require_free_file(target: Path, record: Path) -> None:
    """Refuse, before any work is done, a file that we have not written, or that nobody can write.

    Parameters
    ----------
    target
        Where the file is to go; the folder around it must exist.
    record
        The run record beside it, which names what an earlier run has written.

    Raises
    ------
    OutputError
        Something that is not ours lies there, or there is no folder that can be written to.
    """
    require_writable(target.parent)
    require_ours(target, record)


def require_free_folder(folder: Path, names: Iterable[str], record: str) -> None:
    """Refuse, before any work is done, a folder that holds what we have not written.

    Parameters
    ----------
    folder
        Where results are to go; need not exist, but the folder around it must.
    names
        The files that will be written there.
    record
        The run record among them, which names those of an earlier run.

    Raises
    ------
    OutputError
        Something that is not ours lies there, or there is no folder that can be written to.
    """
    require_writable(folder if folder.is_dir() else folder.parent)
    if folder.is_dir():
        for name in names:
            require_ours(folder / name, folder / record)


def write_folder(folder: Path, writers: Mapping[str, Write]) -> None:
    """Write files into a folder, all or none; the folder is made where it is missing.

    Raises
    ------
    OutputError
        The place cannot be written.
    """
    made = not folder.exists()
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(
            _("{path}: cannot be written ({error})").format(path=folder, error=error.strerror)
        ) from error
    try:
        write_all(folder, writers)
    except BaseException:
        if made:
            with suppress(OSError):
                folder.rmdir()
        raise
