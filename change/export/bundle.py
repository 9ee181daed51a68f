"""A result on disk: one GeoJSON file, or a folder that holds everything."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from change.export.chips import View
from change.export.evidence_layers import draw_evidence
from change.export.field_map import draw_field_map
from change.export.folder import FILE_ENDINGS, require_free_file, require_free_folder, write_folder
from change.export.geojson import excess_frame, excluded_frame, suspects_frame, write_geojson
from change.export.gpkg_tables import result_tables
from change.export.inspected import filled_writer, require_unfilled
from change.export.overview import draw_overview
from change.export.profiles import take_profiles
from change.export.qgis import dress_result
from change.export.shown import SHOWN, Shown, report_writer, shown_writers
from change.result import Result
from change.suspicion import Suspect
from survey.errors import OutputError
from survey.runs import Write, record_beside, record_writer, write_all
from survey.words import _

__all__ = [
    "is_file",
    "record_path",
    "require_apart",
    "require_free",
    "write_changes",
    "write_result",
]

_FOLDER_FILES = (
    "suspects.geojson",
    "changes.geojson",
    "excess.geojson",
    "excluded.geojson",
    "overview.png",
    "residuals.png",
    *SHOWN,
    "evidence.png",
)
_EVIDENCE = "evidence.png"
_RECORD = "run.json"


def record_path(target: Path) -> Path:
    """Return where the run record of a target stands: inside a folder, beside a file."""
    return record_beside(target) if is_file(target) else target / _RECORD


def is_file(target: Path) -> bool:
    """Whether a target means a single file, not a folder."""
    return target.suffix.lower() in (".geojson", ".json")


def require_free(target: Path, names: Sequence[str] = _FOLDER_FILES) -> None:
    """Refuse, before any work is done, a target that holds what we have not written.

    Parameters
    ----------
    target
        A ``.geojson`` file or a folder.
    names
        The files that would be written into a folder.

    Raises
    ------
    OutputError
        Something that is not ours lies there, or there is no folder to write to.
    """
    if is_file(target):
        if target.is_dir():
            raise OutputError(
                _("{path}: is a folder; name a file or another folder").format(path=target)
            )
        require_free_file(target, record_path(target))
        return
    if target.suffix.lower() in FILE_ENDINGS or (target.exists() and not target.is_dir()):
        raise OutputError(
            _(
                "{path}: is no file that orthowatch writes; end the name in .geojson, or name a"
                " folder"
            ).format(path=target)
        )
    require_free_folder(target, names, _RECORD)
    require_unfilled(target, target / _RECORD)


def require_apart(changes: Path, output: Path | None) -> None:
    """Refuse a file for the changes that is none, or that the other output would overwrite.

    Raises
    ------
    OutputError
        The two would share a file or a run record.
    """
    taken = set()
    if output is not None and is_file(output):
        taken = {output.resolve(), record_path(output).resolve()}
    elif output is not None:
        taken = {(output / name).resolve() for name in (*_FOLDER_FILES, _RECORD)}
    if not is_file(changes) or taken & {changes.resolve(), record_path(changes).resolve()}:
        raise OutputError(
            _("--changes {path}: name a .geojson file of its own for the changes").format(
                path=changes
            )
        )


def write_result(result: Result, target: Path) -> list[Path]:
    """Write a result to a ``.geojson`` file or a folder and return what was written.

    Raises
    ------
    OutputError
        The place cannot be written.
    """
    require_free(target)
    if is_file(target):
        return _write_file(result, result.suspects, target)
    record = _record(result, [])
    writers = _writers(result) | _shown(result, record)
    record["outputs"] = list(writers)
    # The record comes last: where it stands, everything it names stands too.
    writers[_RECORD] = filled_writer(record)
    write_folder(target, writers)
    return [target / name for name in writers]


def write_changes(result: Result, target: Path) -> list[Path]:
    """Write every change, explained by a permit or not, to one ``.geojson`` file."""
    require_free(target)
    return _write_file(result, result.compared, target)


def _write_file(result: Result, items: Sequence[Suspect], target: Path) -> list[Path]:
    frame = suspects_frame(items, result)
    record = record_path(target)
    writers: dict[str, Write] = {
        target.name: lambda path: write_geojson(frame, path),
        record.name: record_writer(_record(result, [target.name])),
    }
    write_all(target.parent, writers)
    return [target, record]


def _writers(result: Result) -> dict[str, Write]:
    suspects = suspects_frame(result.suspects, result)
    changes = suspects_frame(result.compared, result)
    excess = excess_frame(result.compared, result)
    excluded = excluded_frame(result)
    return {
        "suspects.geojson": lambda path: write_geojson(suspects, path),
        "changes.geojson": lambda path: write_geojson(changes, path),
        "excess.geojson": lambda path: write_geojson(excess, path),
        "excluded.geojson": lambda path: write_geojson(excluded, path),
        "overview.png": lambda path: draw_overview(
            path, result.pair, result.compared, result.detection
        ),
    }


def _shown(result: Result, record: dict[str, Any]) -> dict[str, Write]:
    """Return what writes all that shows a run beside its data."""
    pair, tables = result.pair, result_tables(result)
    outlines = [(item.change.id, item.change.outline) for item in result.suspects]
    shown = Shown(
        result=result,
        views=(
            View(role="before", flight=pair.before),
            View(role="after", flight=pair.after, shift=pair.alignment.field.shift),
        ),
        grid=pair.grid,
        tables=tables,
        dress=dress_result(result, tables),
        profiles=take_profiles(pair, outlines),
    )
    return {
        "residuals.png": lambda path: draw_field_map(path, pair, []),
        **shown_writers(shown, record),
        **_evidence(result),
        **report_writer(result, record, _pictures),
    }


def _evidence(result: Result) -> dict[str, Write]:
    detector = result.detector
    if detector is None or not result.suspects:
        return {}
    return {
        _EVIDENCE: lambda path: draw_evidence(path, result.pair, detector, result.suspects),
    }


def _pictures(folder: Path) -> list[tuple[str, str, Path]]:
    """Return title, note and file of the larger pictures of the report."""
    seen = _(
        "Every suspect with its number, on both flights. Hatched ground was not judged: no suspect"
        " there means nothing."
    )
    fit = _(
        "Each dot is a place found in both flights; its arrow shows what the alignment leaves over"
        " there, enlarged as the legend says. On pink ground it is less certain."
    )
    told = _(
        "Around the first suspects: both pictures, how likely each shows a roof, and how likely"
        " something built appeared or went (dark for no, bright for yes); with surface models the"
        " height gained, orange, or lost, blue."
    )
    pictures = [
        (_("Before and after"), seen, folder / "overview.png"),
        (_("What the suspects were told from"), told, folder / _EVIDENCE),
        (_("How well the flights fit"), fit, folder / "residuals.png"),
    ]
    return [picture for picture in pictures if picture[-1].exists()]


def _record(result: Result, outputs: list[str]) -> dict[str, Any]:
    return result.run.record(
        outputs=outputs,
        assumptions=list(result.assumptions),
        suspects=len(result.suspects),
        suspects_m2=round(sum(item.change.area_m2 for item in result.suspects), 1),
        changes=len(result.compared),
        judged_m2=round(result.detection.judged_m2, 1),
        evidence={item.change.id: dict(item.change.evidence) for item in result.compared},
        excluded_m2=round(sum(item.outline.area for item in result.detection.excluded), 1),
        **result.facts,
    )
