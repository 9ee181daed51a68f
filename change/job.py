"""The whole line for one pair of flights: open, check, align, detect, compare."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from pyproj import CRS

from change.changes import Change
from change.detection import Detection, detect
from change.dispatch import Place
from change.facts import detector_facts, pair_facts, permit_facts, shadow_facts
from change.ground_layers import GroundLayers, LayerOptions, open_layers, read_inputs
from change.model.detector import Detector, open_detector, shipped_detector
from change.outside_evidence import OutsideEvidence, open_evidence
from change.placed_permits import place_permits
from change.protected import find_on_protected
from change.remarks import detection_remarks, evidence_remarks, remarks
from change.result import Result
from change.sight import sight_before
from change.suspicion import Circumstances, compare
from survey.blocks import Progress, open_executor
from survey.checks import check_flight, check_pair
from survey.examination import examine
from survey.field_file import SavedField, read_field
from survey.findings import Finding, require
from survey.flight import Flight, open_flight
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
    layers: LayerOptions = field(default_factory=LayerOptions)
    """Permits and other layers."""
    crs: CRS | None = None
    """CRS for flights that state none."""
    nodata: float | None = None
    """Value that means no picture, for files that do not say so."""
    alignment: Path | None = None
    """Saved alignment to go by; None to measure it."""
    detector: Path | None = None
    """ONNX model to detect with; None for the shipped one."""
    evidence: Path | None = None
    """Raster of evidence made elsewhere."""


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
    detector = shipped_detector() if job.detector is None else open_detector(job.detector)
    evidence = None if job.evidence is None else open_evidence(job.evidence, grid)
    layers = open_layers(job.layers, grid, settings)
    area = layers.area(grid)
    inputs = (*hash_inputs(job_inputs(job)), *read_inputs(layers.permits, layers.within))
    run = start_run(inputs, settings, job_options(job))
    with paired((before, after), saved, run, settings, say=say, progress=progress) as done:
        pair, executor = done
        ground = place_permits(
            layers.permits, sight_before(pair), settings.permits, executor=executor
        )
        said = (*remarks(pair, layers, ground.offset), *evidence_remarks(evidence))
        for sentence in said:
            say(sentence)
        detection = detect(
            pair,
            settings,
            known_roofs=ground.roofs,
            within=area,
            detector=detector,
            evidence=evidence,
            executor=executor,
            progress=progress,
        )
    pair = replace(pair, before=without_copies(pair.before), after=without_copies(pair.after))
    changes = detection.changes
    known = Circumstances(
        flown_before=before.flown_on,
        flown_after=after.flown_on,
        height_error_m=_height_error(pair),
        placed_to=ground.placed_to,
        placed=ground.placed,
        built=ground.built,
        protected=find_on_protected(
            [change.outline for change in changes],
            layers.protected,
            [change.tolerance_m for change in changes],
        ),
    )
    compared = compare(changes, ground.permits, settings, known)
    places = _places(changes, layers)
    suspects = [places[item.change.id] for item in compared if item.suspicious]
    after_all = (*detection_remarks(detection), *layers.districts.remarks(suspects))
    for sentence in after_all:
        say(sentence)
    return Result(
        run=run,
        pair=pair,
        detection=detection,
        compared=tuple(sorted(compared, key=lambda item: (-item.severity, item.change.id))),
        places=places,
        findings=tuple(findings),
        assumptions=(*said, *after_all),
        facts=pair_facts(pair, findings, saved)
        | {"permits": permit_facts(ground.permits, ground.offset)}
        | {"detector": _detector_facts(detector, detection, evidence)},
        detector=detector,
        permits=ground.permits,
        districts=layers.districts,
        within=area,
    )


def _detector_facts(
    detector: Detector, detection: Detection, evidence: OutsideEvidence | None
) -> dict[str, Any]:
    """Return which model looked, what took its place, and what it was put right by."""
    return detector_facts(detector) | {
        "evidence": None if evidence is None else dict(evidence.shares),
        "taught_by_roofs": detection.taught_by,
        "share_right": detection.share_right,
        "share_displaced": detection.share_displaced,
        "displaced_way_deg": detection.displaced_way_deg,
        "shadows": {
            side: shadow_facts(shadows)
            for side, shadows in zip(("before", "after"), detection.shadows, strict=True)
        },
    }


def _height_error(pair: Pair) -> float:
    """Return the expected error of heights gained, m: what stable ground leaves."""
    return 0.0 if pair.datum is None else pair.datum.residual_m


def _places(changes: Sequence[Change], layers: GroundLayers) -> dict[str, Place]:
    places = layers.districts.place([change.outline for change in changes])
    return {change.id: place for change, place in zip(changes, places, strict=True)}


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
    findings = _findings(before, after)
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
    return _findings(before, _open(job.after, job))


def _findings(before: Flight, after: Flight) -> list[Finding]:
    """Return what the checks say of both flights and of the pair, each by a name of its own."""
    found: tuple[list[Finding], ...] = (
        check_flight(before),
        check_flight(after),
        check_pair(before, after),
    )
    if before.name == after.name:
        names = _("{name} (earlier)"), _("{name} (later)"), _("{name} (both)")
        found = tuple(
            [replace(item, subject=_renamed(item.subject, name, before.name)) for item in items]
            for items, name in zip(found, names, strict=True)
        )
    return [item for items in found for item in items]


def _renamed(subject: str, template: str, name: str) -> str:
    """Return a subject that two flights of one name share, told apart."""
    return template.format(name=name) if subject in (name, f"{name}, {name}") else subject


def job_inputs(job: Job) -> list[tuple[str, Path]]:
    """Return the files a job depends on, each with its role."""
    named: list[tuple[str, str | Path | None]] = [
        ("before", job.before.path),
        ("after", job.after.path),
        ("dsm_before", job.before.dsm),
        ("dsm_after", job.after.dsm),
        *job.layers.files(),
        ("alignment", job.alignment),
        ("detector", job.detector),
        ("evidence", job.evidence),
    ]
    return [(role, Path(str(path).split("|")[0])) for role, path in named if path is not None]


def job_options(job: Job) -> dict[str, str | None]:
    """Return what else the command line said that changes the result."""
    days = (job.before.flown_on, job.after.flown_on)
    return {
        "flown_before": days[0].isoformat() if days[0] else None,
        "flown_after": days[1].isoformat() if days[1] else None,
        "crs": job.crs.to_string() if job.crs else None,
        "nodata": None if job.nodata is None else repr(job.nodata),
        **job.layers.told(),
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
