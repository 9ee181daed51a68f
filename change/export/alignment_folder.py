"""An alignment on disk: the moved picture alone, or a folder that holds everything."""

from pathlib import Path
from typing import Any

from change.export.alignment_page import write_page
from change.export.close_ups import choose_places, take_close_ups
from change.export.field_map import draw_field_map
from change.export.folder import FILE_ENDINGS, require_free_file, require_free_folder, write_folder
from change.export.tie_layers import write_ties
from change.result import AlignmentResult
from survey.aligned import write_aligned
from survey.errors import OutputError
from survey.field_file import write_field
from survey.grid import WorkingGrid
from survey.runs import (
    Write,
    read_record,
    record_beside,
    record_writer,
    write_all,
)
from survey.words import _

__all__ = ["require_free_place", "write_alignment"]

_IMAGE, _RECORD = "aligned.tif", "report.json"
_FILES = ("residuals.png", "report.html", "field.tif", "ties.gpkg")


def _is_image(target: Path) -> bool:
    return target.suffix.lower() in (".tif", ".tiff")


def require_free_place(target: Path, *, image: bool) -> None:
    """Refuse, before any work is done, a target that holds what we have not written.

    Parameters
    ----------
    target
        ``FILE.tif`` for the moved picture, else a folder.
    image
        Whether the picture is to go into the folder too.

    Raises
    ------
    OutputError
        Something that is not ours lies there, it would contradict what is written, or there is no
        folder to write to.
    """
    if _is_image(target):
        if target.is_dir():
            raise OutputError(
                _("{path}: is a folder; name a file or another folder").format(path=target)
            )
        require_free_file(target, record_beside(target))
        return
    if target.suffix.lower() in FILE_ENDINGS or (target.exists() and not target.is_dir()):
        raise OutputError(
            _("{path}: end the name in .tif for the aligned image, or name a folder").format(
                path=target
            )
        )
    require_free_folder(target, (*_FILES, _IMAGE) if image else _FILES, _RECORD)
    earlier = read_record(target / _RECORD) or {}
    if not image and _IMAGE in earlier.get("outputs", []) and (target / _IMAGE).exists():
        raise OutputError(
            _(
                "{path}: holds the image of an earlier run; add --image to replace it, or choose"
                " another folder"
            ).format(path=target)
        )


def write_alignment(result: AlignmentResult, target: Path, *, image: bool) -> dict[str, Any]:
    """Write an alignment to ``FILE.tif`` or a folder, all or nothing, and return its record.

    Raises
    ------
    OutputError
        The place cannot be written.
    FlightError
        A flight cannot be read to its end.
    """
    require_free_place(target, image=image)
    if _is_image(target):
        beside = record_beside(target)
        record = _record(result, [target.name])
        write_all(
            target.parent,
            {target.name: _image_writer(result), beside.name: record_writer(record)},
        )
        return record
    writers = _writers(result)
    if image:
        writers[_IMAGE] = _image_writer(result)
    record = _record(result, [*writers, _RECORD])
    # The record comes last: where it stands, everything it names stands too.
    write_folder(target, writers | {_RECORD: record_writer(record)})
    return record


def _record(result: AlignmentResult, outputs: list[str]) -> dict[str, Any]:
    return result.run.record(outputs=outputs, **result.facts)


def _writers(result: AlignmentResult) -> dict[str, Write]:
    pair = result.pair
    alignment, crs = pair.alignment, pair.grid.crs
    near = take_close_ups(pair, choose_places(pair))
    places = [item.place for item in near]
    residuals, page, field, ties = _FILES
    return {
        residuals: lambda path: draw_field_map(path, pair, places),
        # The map is drawn by then, and lies beside the page.
        page: lambda path: write_page(path, result, path.with_name(residuals), near),
        field: lambda path: write_field(path, alignment, crs, result.measurement),
        ties: lambda path: write_ties(path, alignment, crs, pair.after.flown_on),
    }


def _image_writer(result: AlignmentResult) -> Write:
    pair = result.pair
    # The pair's ground at the after flight's own pixel.
    grid = WorkingGrid.around(
        pair.grid.bounds, crs=pair.grid.crs, pixel_m=round(pair.after.pixel_m, 4)
    )
    return lambda path: write_aligned(pair.after, grid, pair.alignment.field.shift, path)
