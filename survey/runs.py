"""What was run on what, and files that appear whole or not at all."""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from survey.errors import OutputError
from survey.settings import Settings
from survey.words import _

__all__ = [
    "Input",
    "Run",
    "Write",
    "hash_inputs",
    "read_record",
    "record_beside",
    "record_writer",
    "require_ours",
    "require_writable",
    "start_run",
    "write_all",
    "write_whole",
]

Write = Callable[[Path], object]
"""Writes one file's content, or makes a folder with all that belongs in it, at the path it is
given."""

_SHOWS_ONLY = ("blocks", "export")


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One file that went into a run."""

    role: str
    """What it served as: ``before``, ``after``, ``dsm_before``, ``permits``..."""
    name: str
    """File name without its folder: the record must not tell where a bureau keeps its files."""
    size: int
    """Bytes."""
    sha256: str
    """Hash of the content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run: what came in, how it was set, which version did it."""

    id: str
    """Hash of input hashes, settings and version: the same run has the same id anywhere."""
    version: str
    """Version of orthowatch."""
    inputs: tuple[Input, ...]
    """The files, in the order of the command line."""
    settings: Settings
    """All settings, defaults included."""
    options: tuple[tuple[str, str], ...]
    """What else the command line said that changes the result."""
    started: str
    """Time of the start, ISO 8601, UTC. Times stand only in the run record."""

    def record(self, **facts: Any) -> dict[str, Any]:
        """Return the run as JSON values, with more facts about what it found."""
        return {
            "generator": "orthowatch",
            "run_id": self.id,
            "version": self.version,
            "started": self.started,
            "finished": _now(),
            "inputs": [asdict(item) for item in self.inputs],
            "settings": asdict(self.settings),
            "options": dict(self.options),
            **facts,
        }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def hash_inputs(files: list[tuple[str, Path]]) -> tuple[Input, ...]:
    """Hash the files a run depends on; reading is most of the time, so two are read at once.

    Parameters
    ----------
    files
        (role, path); a folder stands for the files in it.
    """
    single = [
        (role, part)
        for role, path in files
        for part in (sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path])
    ]
    with ThreadPoolExecutor(2) as pool:
        return tuple(pool.map(lambda item: _hash_file(*item), single))


def _hash_file(role: str, path: Path) -> Input:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Input(role=role, name=path.name, size=path.stat().st_size, sha256=digest)


def start_run(inputs: tuple[Input, ...], settings: Settings, options: dict[str, str | None]) -> Run:
    """Open the record of a run."""
    version = metadata.version("orthowatch")
    said = tuple(sorted((key, value) for key, value in options.items() if value is not None))
    # Workers and block sides decide speed, lists only show: neither makes another result.
    told = {key: value for key, value in asdict(settings).items() if key not in _SHOWS_ONLY}
    identity = json.dumps(
        [version, [(i.role, i.sha256) for i in inputs], told, said], sort_keys=True
    )
    return Run(
        id=hashlib.sha256(identity.encode()).hexdigest()[:16],
        version=version,
        inputs=inputs,
        settings=settings,
        options=said,
        started=_now(),
    )


def write_whole(path: Path, write: Write) -> None:
    """Write a file beside its place and move it there, so that it appears whole or not at all.

    Parameters
    ----------
    path
        The file's place; its folder must exist.
    write
        Writes the content to the path it is given (same name).

    Raises
    ------
    OutputError
        The place cannot be written.
    """
    write_all(path.parent, {path.name: write})


def write_all(folder: Path, writers: Mapping[str, Write]) -> None:
    """Write several files of a folder: nothing appears before all of them are complete.

    Parameters
    ----------
    folder
        Where they belong; it must exist.
    writers
        Name of each file or folder, and what writes its content to the path it is given. They are
        called in this order, and each finds what was written before it beside its own path.

    Raises
    ------
    OutputError
        The place cannot be written.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".orthowatch-", dir=folder) as drafts:
            for name, write in writers.items():
                draft = Path(drafts) / name
                write(draft)
                _settle(draft)
            _move_all(Path(drafts), list(writers), folder)
    except OSError as error:
        raise OutputError(
            _("{path}: cannot be written ({error})").format(path=folder, error=error.strerror)
        ) from error


def require_writable(folder: Path) -> None:
    """Refuse a folder that is not there, or that nothing can be written to.

    Raises
    ------
    OutputError
        It is so. Told by writing: what rights are worth only the file system knows.
    """
    if not folder.is_dir():
        raise OutputError(_("{path}: there is no such folder to write to").format(path=folder))
    try:
        with tempfile.TemporaryDirectory(prefix=".orthowatch-", dir=folder):
            pass
    except OSError as error:
        raise OutputError(
            _("{path}: cannot be written ({error})").format(path=folder, error=error.strerror)
        ) from error


def _settle(draft: Path) -> None:
    """Have what was written reach the disk before it takes its place."""
    if draft.is_dir():
        # One by one, thousands of small pictures would take minutes.
        os.sync()
        return
    with draft.open("rb+") as stream:
        os.fsync(stream.fileno())


def _move_all(drafts: Path, names: list[str], folder: Path) -> None:
    """Put drafts in their places; where that breaks off, everything is put back as it was."""
    moved: list[str] = []
    try:
        for name in names:
            moved.append(name)
            if os.path.lexists(folder / name):
                (folder / name).rename(drafts / f".old-{name}")
            (drafts / name).rename(folder / name)
    except BaseException:
        for name in reversed(moved):
            old, here = drafts / f".old-{name}", folder / name
            if not os.path.lexists(drafts / name):
                here.rename(drafts / name)
            if os.path.lexists(old):
                old.rename(here)
        raise


def record_beside(target: Path) -> Path:
    """Return where the run record of a single file stands."""
    return target.with_name(f"{target.stem}.run.json")


def record_writer(record: dict[str, Any]) -> Write:
    """Return what writes a run record: when it is written the run is finished, and it says so."""

    def write(path: Path) -> None:
        if "finished" in record:
            record["finished"] = _now()
        text = json.dumps(record, ensure_ascii=False, indent=2, default=str) + "\n"
        path.write_text(text, encoding="utf-8")

    return write


def read_record(path: Path) -> dict[str, Any] | None:
    """Return a run record, or None where there is none of ours."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    ours = isinstance(record, dict) and record.get("generator") == "orthowatch"
    return record if ours else None


def _names(outputs: Any) -> list[Any]:
    """Return the names a record holds; a record that was tampered with holds none."""
    return outputs if isinstance(outputs, list) else []


def require_ours(target: Path, record: Path) -> None:
    """Refuse to overwrite a file, or its record, that no earlier run of ours has written.

    Parameters
    ----------
    target
        The file that is about to be written.
    record
        The run record that would name it.

    Raises
    ------
    OutputError
        The file exists and the record does not name it, or what stands in the record's place is
        no record of ours.
    """
    earlier = read_record(record)
    named = earlier is not None and target.name in _names(earlier.get("outputs"))
    for path, ours in ((target, named), (record, earlier is not None)):
        if path.exists() and not ours:
            raise OutputError(
                _("{path}: exists and was not written by orthowatch; choose another place").format(
                    path=path
                )
            )
