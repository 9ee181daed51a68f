"""Team folders: of a run's results a folder for each team, in the order of a sensible round."""

import re
import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from change.export.csv_list import write_csv
from change.export.dossier import CHIPS, Dossier, Entry
from change.export.folder import FILE_ENDINGS, require_free_folder, write_folder
from change.export.handouts import NAMES, HandoutStyle, handout_writers
from change.export.inspected import filled_writer, require_unfilled
from change.export.rounds import in_rounds
from change.export.table import NOWHERE, list_style
from change.fieldwork import Decision
from survey.errors import OutputError
from survey.runs import Write, read_record
from survey.words import _

__all__ = ["UNITS", "Order", "require_free_teams", "write_team_folders"]

UNITS = ("township", "community", "team", "cell")
"""Columns by which results can be parted."""

_RECORD, _DISMISSED = "export.json", "dismissed.csv"
_LONGEST, _UNNAMED = 60, "_"
_SINGLE = (CHIPS, _DISMISSED, *NAMES)
_OURS = re.compile(r"\d+_.*", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be handed out."""

    forms: tuple[str, ...]
    """Of ``change.export.handouts.FORMS``."""
    style: HandoutStyle
    """How it looks."""
    by: str | None = None
    """One of ``UNITS``: a folder for each; None for a single one."""
    decisions: Mapping[str, Decision] | None = None
    """What people said of suspects, by id; None where nobody was asked."""


def require_free_teams(target: Path, results: Path) -> None:
    """Refuse, before any work is done, a folder that holds what we have not written.

    Raises
    ------
    OutputError
        Something that is not ours lies there, or it is the folder of the results itself.
    """
    try:
        itself = target.resolve() == results.resolve()
    except (OSError, RuntimeError) as error:
        raise OutputError(
            _("{path}: cannot be written ({error})").format(path=target, error=error)
        ) from error
    if itself:
        raise OutputError(
            _("{path}: holds the results themselves; name another folder").format(path=target)
        )
    earlier = read_record(target / _RECORD)
    if target.exists() and not target.is_dir():
        raise OutputError(_("{path}: is a file; name a folder").format(path=target))
    if target.suffix.lower() in FILE_ENDINGS:
        raise OutputError(_("{path}: is a file; name a folder").format(path=target))
    if target.is_dir() and earlier is None and _in_use(target):
        raise OutputError(
            _("{path}: exists and was not written by orthowatch; choose another place").format(
                path=target
            )
        )
    require_free_folder(target, (), _RECORD)
    require_unfilled(target, target / _RECORD)


def _in_use(target: Path) -> bool:
    """Whether anything lies there but the drafts of an export that was killed."""
    return any(not path.name.startswith(".orthowatch-") for path in target.iterdir())


def write_team_folders(dossier: Dossier, target: Path, order: Order) -> list[Path]:
    """Write the handouts of a run, whole or not at all, and return what was written.

    Dismissed suspects are in none of them; ``dismissed.csv`` keeps them, with the reason.

    Raises
    ------
    OutputError
        The place cannot be written.
    """
    require_free_teams(target, dossier.folder)
    decided = dossier.decided(order.decisions or {})
    open_ones, dismissed = _parted(decided.entries)
    groups = _groups(open_ones, order.by)
    writers: dict[str, Write] = {}
    if order.by is None:
        writers |= _unit_writers(decided.only(_in_round(open_ones)), order)
    for name, entries in groups.items():
        writers[name] = _unit_writer(decided.only(_in_round(entries)), order)
    if dismissed:
        style = list_style(order.style.settings)
        writers[_DISMISSED] = lambda path: write_csv(decided.only(dismissed), path, style)
    record = _record(dossier, order, [*writers, _RECORD], groups, dismissed)
    require_free_folder(target, writers, _RECORD)
    _require_no_strangers(target)
    stale = _stale(target, writers)
    write_folder(target, writers | {_RECORD: filled_writer(record)})
    _drop(stale)
    return [target / name for name in (*writers, _RECORD)]


def _parted(entries: Iterable[Entry]) -> tuple[list[Entry], list[Entry]]:
    """Return those that were not dismissed and those that were."""
    parts: tuple[list[Entry], list[Entry]] = ([], [])
    for item in entries:
        gone = item.decision is not None and item.decision.answer == "dismissed"
        parts[gone].append(item)
    return parts


def _groups(entries: Sequence[Entry], by: str | None) -> dict[str, list[Entry]]:
    """Return suspects by the name of their folder, those of nobody last."""
    if by is None:
        return {}
    told: dict[str, list[Entry]] = defaultdict(list)
    for item in entries:
        told[str(item.values.get(by) or "")].append(item)
    ranked = sorted(told.items(), key=lambda pair: (not pair[0], pair[0]))
    digits = len(str(len(ranked)))
    blank = {"": _(NOWHERE)}
    return {
        f"{number:0{digits}d}_{blank.get(name) or _file_name(name) or _UNNAMED}": found
        for number, (name, found) in enumerate(ranked, start=1)
    }


def _file_name(name: str) -> str:
    """Return a name that any file system takes, and no shell minds.

    Examples
    --------
    >>> _file_name("../a b: c?")
    'a_b_c'
    """
    kept = "".join(letter if letter.isalnum() or letter in "-" else " " for letter in name)
    return "_".join(kept.split())[:_LONGEST]


def _in_round(entries: Sequence[Entry]) -> list[Entry]:
    points = np.array([item.outline.centroid.coords[0] for item in entries]).reshape(-1, 2)
    return [entries[place] for place in in_rounds(points)]


def _unit_writers(dossier: Dossier, order: Order) -> dict[str, Write]:
    """Return what writes one bundle; the pictures come first, everything else shows them."""
    writers: dict[str, Write] = {}
    if any(item.chip for item in dossier.entries):
        writers[CHIPS] = lambda path: _copy_chips(dossier, path)
    return writers | handout_writers(
        lambda folder: replace(dossier, folder=folder), order.forms, order.style
    )


def _unit_writer(dossier: Dossier, order: Order) -> Write:
    def write(folder: Path) -> None:
        folder.mkdir()
        for name, writer in _unit_writers(dossier, order).items():
            writer(folder / name)

    return write


def _copy_chips(dossier: Dossier, target: Path) -> None:
    (target / "marked").mkdir(parents=True)
    for item in dossier.entries:
        for role in ("before", "after"):
            for marked in (False, True):
                name = item.picture(role, marked=marked)
                if name:
                    shutil.copyfile(dossier.folder / name, target / Path(name).relative_to(CHIPS))


def _record(
    dossier: Dossier,
    order: Order,
    outputs: list[str],
    groups: Mapping[str, Sequence[Entry]],
    dismissed: Sequence[Entry],
) -> dict[str, Any]:
    return {
        "generator": "orthowatch",
        "run_id": dossier.run_id,
        "version": dossier.record.get("version"),
        "by": order.by,
        "outputs": outputs,
        "folders": {name: [item.id for item in entries] for name, entries in groups.items()},
        "dismissed": {
            item.id: {"reason": item.decision.dismissal, "note": item.decision.note}
            for item in dismissed
            if item.decision is not None
        },
    }


def _require_no_strangers(target: Path) -> None:
    """Refuse to replace a unit's folder in which somebody keeps a file of their own."""
    for unit in target.glob("*_*/"):
        for path in unit.iterdir() if _OURS.fullmatch(unit.name) else ():
            if path.name not in (CHIPS, *NAMES) and not path.name.startswith("."):
                raise OutputError(
                    _("{path}: is not ours, and would be lost; move it, or write elsewhere").format(
                        path=path
                    )
                )


def _stale(target: Path, writers: Mapping[str, Write]) -> list[Path]:
    """Return what an earlier export wrote for a unit that has nothing to do any more."""
    named = (read_record(target / _RECORD) or {}).get("outputs")
    return [
        target / name
        for name in (named if isinstance(named, list) else [])
        # A record may have been tampered with: only names that an export can have written.
        if isinstance(name, str)
        and Path(name).name == name
        and (_OURS.fullmatch(name) or name in _SINGLE)
        and name not in writers
    ]


def _drop(stale: Iterable[Path]) -> None:
    for path in stale:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
