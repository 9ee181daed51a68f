"""The whole line for one pair of flights: open, check, align, detect, compare."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import shapely
from pyproj import CRS
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from change.detection import detect
from change.facts import pair_facts, permit_facts
from change.layers import BadRow, LayerRead, read_layer, states_crs
from change.permit_offset import PermitOffset, find_offset
from change.permits import Permits, open_permits
from change.remarks import remarks
from change.result import Result
from change.suspicion import compare
from survey.blocks import Progress, open_executor
from survey.checks import check_flight, check_pair
from survey.errors import LayerError
from survey.examination import examine
from survey.field_file import SavedField, read_field
from survey.findings import Finding, require
from survey.flight import Flight, open_flight
from survey.grid import WorkingGrid
from survey.pair import Pair, make_pair, working_grid
from survey.runs import Run, hash_inputs, start_run
from survey.settings import Settings
from survey.words import _
from survey.working_copy import without_copies, working_copies

__all__ = [
    "FlightOptions",
    "Job",
    "Say",
    "check_job",
    "job_inputs",
    "job_options",
    "open_checked",
    "paired",
    "run_job",
    "saved_field",
    "verdict_sentence",
]

Say = Callable[[str], None]
"""Takes one sentence for the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlightOptions:
    """What the command line says about one flight."""

    path: Path
    """Orthophoto: a file, or a folder of tiles."""
    dsm: Path | None = None
    """Surface model of the same flight."""
    flown_on: date | None = None
    """Day of the flight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is to be compared."""

    before: FlightOptions
    """The earlier flight."""
    after: FlightOptions
    """The later flight."""
    permits: str | None = None
    """Layer of permitted buildings: a file, or ``FILE|layername=NAME``."""
    layers_crs: CRS | None = None
    """CRS of the layers' coordinates, whatever they say of themselves."""
    within: str | None = None
    """Layer of the area to report on."""
    crs: CRS | None = None
    """CRS for files that state none."""
    nodata: float | None = None
    """Value that means no picture, for files that do not say so."""
    encoding: str | None = None
    """Encoding of the layers' text."""
    strict: bool = False
    """Refuse layers with flawed rows."""
    alignment: Path | None = None
    """Saved alignment to go by; None to measure it."""


def _open(options: FlightOptions, job: Job) -> Flight:
    flight = open_flight(
        options.path,
        flown_on=options.flown_on,
        crs=job.crs,
        nodata=job.nodata,
        dsm=options.dsm,
    )
    return examine(flight)


def run_job(job: Job, settings: Settings, *, say: Say, progress: Progress | None = None) -> Result:
    """Compare two flights and hold what changed against the permits.

    Parameters
    ----------
    job
        What is to be compared.
    settings
        How.
    say
        Takes warnings, assumptions and verdicts as they become known.
    progress
        Told after every block.

    Raises
    ------
    InputError
        Something that came in cannot be used.
    """
    before, after, findings = open_checked(job, say)
    saved = saved_field(job)
    # The layers first: whoever named the wrong file should not wait for the alignment to hear it.
    grid = working_grid(before, after, settings)
    permits, within = _read_permits(job, grid), _read_within(job, grid)
    area = _area(within, grid)
    run = start_run(hash_inputs(job_inputs(job)), settings, job_options(job))
    with paired((before, after), saved, run, settings, say=say, progress=progress) as done:
        pair, executor = done
        permits, offset = _fit_permits(permits, pair)
        said = remarks(pair, permits, within, offset)
        for sentence in said:
            say(sentence)
        detection = detect(
            pair,
            settings,
            known_roofs=_roofs(permits),
            within=area,
            executor=executor,
            progress=progress,
        )
    pair = replace(pair, before=without_copies(pair.before), after=without_copies(pair.after))
    compared = compare(
        detection.changes, permits, settings.permits, before.flown_on, after.flown_on
    )
    return Result(
        run=run,
        pair=pair,
        detection=detection,
        compared=tuple(sorted(compared, key=lambda item: (-item.severity, item.change.id))),
        findings=tuple(findings),
        assumptions=said,
        facts=pair_facts(pair, findings, saved) | {"permits": permit_facts(permits, offset)},
    )


@contextmanager
def paired(
    flights: tuple[Flight, Flight],
    saved: SavedField | None,
    run: Run,
    settings: Settings,
    *,
    say: Say,
    progress: Progress | None,
) -> Iterator[tuple[Pair, Executor | None]]:
    """Yield the pair that two flights make, and where its blocks run.

    The working copies of both are there as long as the context is open.

    Raises
    ------
    PairError
        The alignment was refused, or a saved one does not fit, and nobody accepted it.
    """
    grid = working_grid(*flights, settings)
    accept = settings.align.accept
    known = None if saved is None else saved.fitted(grid, run.inputs, accept=accept)
    with (
        open_executor(settings.blocks.workers) as executor,
        working_copies(flights, grid.pixel_m, say=say, executor=executor, progress=progress) as (
            before,
            after,
        ),
    ):
        pair = make_pair(
            before, after, settings, executor=executor, progress=progress, alignment=known
        )
        say(verdict_sentence(pair, saved))
        yield pair, executor


def open_checked(job: Job, say: Say) -> tuple[Flight, Flight, list[Finding]]:
    """Open and check both flights; say the warnings, refuse what cannot be used.

    Raises
    ------
    FlightError
        A file cannot be read, or what it shows cannot be compared.
    """
    before, after = _open(job.before, job), _open(job.after, job)
    findings = [*check_flight(before), *check_flight(after), *check_pair(before, after)]
    for finding in findings:
        if finding.level == "warning":
            say(finding.sentence())
    require(findings)
    return before, after, findings


def saved_field(job: Job) -> SavedField | None:
    """Return the saved alignment a job is to go by, if any.

    Raises
    ------
    FieldError
        The file holds none.
    """
    return None if job.alignment is None else read_field(job.alignment)


def check_job(job: Job, *, single: bool) -> list[Finding]:
    """Return what the checks say of one flight (``job.before`` alone) or of two.

    Raises
    ------
    FlightError
        A file cannot be opened as a flight at all.
    """
    before = _open(job.before, job)
    if single:
        return check_flight(before)
    after = _open(job.after, job)
    return [*check_flight(before), *check_flight(after), *check_pair(before, after)]


def job_inputs(job: Job) -> list[tuple[str, Path]]:
    """Return the files a job depends on, each with its role."""
    named: list[tuple[str, str | Path | None]] = [
        ("before", job.before.path),
        ("after", job.after.path),
        ("dsm_before", job.before.dsm),
        ("dsm_after", job.after.dsm),
        ("permits", job.permits),
        ("within", job.within),
        ("alignment", job.alignment),
    ]
    return [(role, Path(str(path).split("|")[0])) for role, path in named if path is not None]


def job_options(job: Job) -> dict[str, str | None]:
    """Return what else the command line said that changes the result."""
    days = (job.before.flown_on, job.after.flown_on)
    return {
        "flown_before": days[0].isoformat() if days[0] else None,
        "flown_after": days[1].isoformat() if days[1] else None,
        "crs": job.crs.to_string() if job.crs else None,
        "layers_crs": job.layers_crs.to_string() if job.layers_crs else None,
        "nodata": None if job.nodata is None else repr(job.nodata),
        "encoding": job.encoding,
        "permits_layer": job.permits.partition("|")[2] or None if job.permits else None,
        "within_layer": job.within.partition("|")[2] or None if job.within else None,
    }


def verdict_sentence(pair: Pair, saved: SavedField | None = None) -> str:
    """Return what the user hears of an alignment, and of the file it was taken from."""
    alignment = pair.alignment
    text = {
        "verified": _("alignment verified: {why}"),
        "unverified": _("alignment NOT verified: {why}"),
        "refused": _("alignment refused, accepted by you: {why}"),
    }[alignment.verdict]
    said = text.format(why=alignment.why)
    return said if saved is None else _("{said} (from {path})").format(said=said, path=saved.name)


def _read_permits(job: Job, grid: WorkingGrid) -> Permits | None:
    if job.permits is None:
        return None
    crs = _layer_crs(job, job.permits)
    permits = open_permits(job.permits, area=grid, crs=crs, encoding=job.encoding)
    _refuse_flawed(job, permits.bad_rows, job.permits)
    return permits


def _read_within(job: Job, grid: WorkingGrid) -> LayerRead | None:
    if job.within is None:
        return None
    crs = _layer_crs(job, job.within)
    layer = read_layer(job.within, area=grid, crs=crs, encoding=job.encoding)
    _refuse_flawed(job, layer.bad_rows, job.within)
    return layer


def _area(within: LayerRead | None, grid: WorkingGrid) -> BaseGeometry | None:
    """Return the area to report on; refuse one that the flights do not share."""
    if within is None:
        return None
    area: BaseGeometry = within.frame.union_all()
    bounds = grid.bounds
    if not area.intersects(shapely.box(bounds.left, bounds.bottom, bounds.right, bounds.top)):
        raise LayerError(
            _("{path}: lies outside the ground that both flights cover").format(path=within.source)
        )
    return area


def _layer_crs(job: Job, layer: str) -> CRS | None:
    """Return what the user says of a layer's CRS; None to believe the layer."""
    if job.layers_crs is not None or job.crs is None:
        return job.layers_crs
    return None if states_crs(layer) else job.crs


def _refuse_flawed(job: Job, rows: tuple[BadRow, ...], name: str) -> None:
    if job.strict and rows:
        first = rows[0]
        raise LayerError(
            _("{path}: {count} flawed rows, the first is row {row}: {detail} (--strict)").format(
                path=name, count=len(rows), row=first.row, detail=first.detail
            )
        )


def _fit_permits(permits: Permits | None, pair: Pair) -> tuple[Permits | None, PermitOffset | None]:
    """Move the permits to where the earlier flight shows what they draw."""
    offset = None if permits is None else find_offset(permits, pair.before, pair.grid)
    if permits is None or offset is None:
        return permits, None
    return permits.moved(east_m=offset.east_m, north_m=offset.north_m), offset


def _roofs(permits: Permits | None) -> list[Polygon]:
    """Return the permitted outlines as roofs that may stand."""
    if permits is None:
        return []
    parts = shapely.get_parts([permit.outline for permit in permits.permits])
    return [part for part in parts if isinstance(part, Polygon)]
