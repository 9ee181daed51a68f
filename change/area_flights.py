"""The flights of an area: found, opened, looked over, put in order and named."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from pyproj import CRS

from survey.checks import check_flight
from survey.errors import FlightError
from survey.examination import examine
from survey.findings import Finding
from survey.flight import IMAGE_SUFFIXES, Flight, open_flight, open_surface
from survey.words import _

__all__ = ["FIELD_ENDING", "AreaFlight", "AreaJob", "open_area"]

FIELD_ENDING = ".field.tif"
"""How the names of saved fields end; such files are no flights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaJob:
    """The flights of an area that are to be aligned."""

    paths: tuple[Path, ...]
    """Files or folders of tiles; a folder alone holds the flights."""
    reference: Path | None = None
    """The flight all others are laid on; None for the earliest."""
    crs: CRS | None = None
    """CRS for files that state none."""
    nodata: float | None = None
    """Value that means no picture, for files that do not say so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaFlight:
    """One flight of an area, as it was found."""

    path: Path
    """Its file or folder."""
    label: str
    """What it is called: its day, or its name where that is unknown or another's too."""
    flight: Flight | None
    """Opened and examined; None where it cannot be used."""
    findings: tuple[Finding, ...] = ()
    """What the checks said."""
    why: str = ""
    """Why it cannot be used; empty where it can."""

    @property
    def name(self) -> str:
        """The name of its file or folder."""
        return self.path.name if self.flight is None else self.flight.name

    @property
    def day(self) -> date | None:
        """Day of the flight; None where unknown."""
        return None if self.flight is None else self.flight.flown_on


def open_area(job: AreaJob) -> tuple[tuple[AreaFlight, ...], int]:
    """Open the flights of an area.

    Parameters
    ----------
    job
        Where they lie.

    Returns
    -------
    flights, reference
        By day, those without one after them, those that cannot be used last; and the number of the
        one all others are laid on.

    Raises
    ------
    FlightError
        One that was named does not exist or was named twice, the reference cannot be used, or
        fewer than two can.
    """
    paths = _found(job)
    opened = [_open(path, job) for path in paths]
    order = sorted(range(len(opened)), key=lambda i: (*_rank(opened[i]), i))
    flights = _labelled([opened[i] for i in order])
    reference = 0
    if job.reference is not None:
        reference = next(i for i, item in enumerate(flights) if item.path.samefile(job.reference))
    if flights[reference].flight is None:
        raise FlightError(flights[reference].why)
    if sum(item.flight is not None for item in flights) < 2:
        raise FlightError(
            _("{path}: there is nothing to align it to; name two flights or more").format(
                path=flights[reference].name
            )
        )
    return flights, reference


def _found(job: AreaJob) -> list[Path]:
    """Return the flights' files and folders, each once."""
    named = [*job.paths, *([] if job.reference is None else [job.reference])]
    for path in named:
        if not path.exists():
            raise FlightError(_("{path}: no such file or folder").format(path=path))
    alone = len(job.paths) == 1 and job.paths[0].is_dir()
    paths = _flights_in(job.paths[0]) if alone else list(job.paths)
    twice = [path for i, path in enumerate(paths) if _is_among(path, paths[:i])]
    if twice:
        raise FlightError(_("{path}: is named twice").format(path=twice[0]))
    if job.reference is not None and not _is_among(job.reference, paths):
        paths.append(job.reference)
    if len(paths) < 2:
        raise FlightError(
            _("{path}: holds no two flights; name a folder of flights, or each flight").format(
                path=job.paths[0]
            )
        )
    return paths


def _is_among(path: Path, others: Iterable[Path]) -> bool:
    return any(path.samefile(other) for other in others)


def _flights_in(folder: Path) -> list[Path]:
    """Return the pictures of a folder, and the folders of tiles in it; no surface models."""
    found = []
    for path in sorted(folder.iterdir()):
        tiles = [path] if path.is_file() else list(path.iterdir()) if path.is_dir() else []
        images = [tile for tile in tiles if _is_image(tile)]
        if images and not _is_surface(images[0]):
            found.append(path)
    return found


def _is_image(path: Path) -> bool:
    name = path.name.lower()
    return path.suffix.lower() in IMAGE_SUFFIXES and not name.endswith(FIELD_ENDING)


def _is_surface(path: Path) -> bool:
    """Whether a file is a surface model and nothing that could be a picture."""
    try:
        open_flight(path)
    except FlightError:
        try:
            open_surface(path)
        except FlightError:
            return False
        return True
    return False


def _open(path: Path, job: AreaJob) -> AreaFlight:
    label = _printable(path.stem if path.is_file() else path.name)
    try:
        flight = examine(open_flight(path, crs=job.crs, nodata=job.nodata))
        findings = tuple(check_flight(flight))
    except FlightError as error:
        # What is recorded must not tell where a bureau keeps its files.
        why = str(error).replace(str(path), path.name)
        return AreaFlight(path=path, label=label, flight=None, why=why)
    refusals = [finding.sentence() for finding in findings if finding.level == "refuse"]
    return AreaFlight(
        path=path,
        label=label,
        flight=None if refusals else flight,
        findings=findings,
        why="; ".join(refusals),
    )


def _printable(name: str) -> str:
    """Return a name that steers no terminal and stands in the tags of a file."""
    return "".join(letter if letter.isprintable() else "_" for letter in name)


def _rank(item: AreaFlight) -> tuple[bool, bool, date]:
    return item.flight is None, item.day is None, item.day or date.max


def _labelled(flights: Sequence[AreaFlight]) -> tuple[AreaFlight, ...]:
    """Call flights by their day, where it is theirs alone; no two by the same name."""
    days = Counter(item.day for item in flights)
    taken: Counter[str] = Counter()
    named = []
    for item in flights:
        own = item.day is not None and days[item.day] == 1
        label = item.day.isoformat() if own and item.day is not None else item.label
        # Some file systems take names that differ in case alone for the same.
        taken[label.lower()] += 1
        count = taken[label.lower()]
        named.append(replace(item, label=label if count == 1 else f"{label} ({count})"))
    return tuple(named)
