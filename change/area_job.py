"""The line for all flights of an area: open, check, lay each on one of them, report."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pyproj import CRS

from change.area_flights import AreaFlight, AreaJob, open_area
from change.area_result import AreaResult, role_of
from change.export.area_folder import require_free_area, write_area
from change.job import Say
from survey.alignment import Alignment, align
from survey.blocks import Progress, open_executor
from survey.chain import Area, Placed, chain
from survey.checks import check_pair
from survey.errors import FlightError, InputError, PairError
from survey.findings import Finding, require
from survey.flight import Flight
from survey.grid import WorkingGrid, working_crs
from survey.pair import working_grid
from survey.runs import hash_inputs, start_run
from survey.settings import Settings
from survey.words import _
from survey.working_copy import working_copies

__all__ = ["area_job"]

# The smallest window that images can be matched in, pixels (``survey.checks``).
_LEAST_PX = 64


def area_job(
    job: AreaJob,
    settings: Settings,
    *,
    output: Path,
    say: Say,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Align all flights of an area to one of them, write the results, and return the record.

    Parameters
    ----------
    job
        The flights.
    settings
        How.
    output
        The folder for the results.
    say
        Takes warnings and what became of each flight.
    progress
        Told after every block.

    Raises
    ------
    InputError
        The flights cannot be used, or none of them could be aligned.
    OutputError
        The place cannot be written.
    """
    flights, reference = open_area(job)
    require_free_area(output, [item.label for item in flights])
    ground = _compare(flights, reference, settings)
    for finding in ground.findings:
        if finding.level == "warning":
            say(finding.sentence())
    say(_("reference: {name}").format(name=flights[reference].label))
    run = start_run(
        hash_inputs([(role_of(i), item.path) for i, item in enumerate(flights)]),
        settings,
        _options(job, reference),
    )
    placed = _chain(ground, settings, say=say, progress=progress)
    result = AreaResult(
        run=run,
        flights=tuple(replace(f, why=ground.lost.get(i, "")) for i, f in enumerate(flights)),
        reference=reference,
        crs=ground.crs,
        placed=placed,
        findings=tuple(ground.findings),
    )
    for item in placed:
        say(f"{flights[item.flight].label}: {result.why(item.flight)}")
    if len(result.refused) == len(flights) - 1:
        text = _("no flight could be aligned to {name}: {why}")
        why = result.why(result.refused[0])
        raise PairError(text.format(name=flights[reference].label, why=why))
    record = write_area(result, output)
    files = [output / name for name in record["outputs"]]
    say(_("written: {files}").format(files=", ".join(map(str, files))))
    return record


def _options(job: AreaJob, reference: int) -> dict[str, str | None]:
    """Return what else the command line said that changes the result."""
    return {
        "reference": role_of(reference),
        "crs": job.crs.to_string() if job.crs else None,
        "nodata": None if job.nodata is None else repr(job.nodata),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """What the flights of an area share with the reference."""

    flights: tuple[AreaFlight, ...]
    reference: int
    crs: CRS
    grids: tuple[WorkingGrid | None, ...]
    """What each is compared with the reference on; None where it cannot be."""
    findings: list[Finding]
    lost: dict[int, str] = field(default_factory=dict)
    """Why flights cannot be compared, by their numbers."""

    def lose(self, number: int, error: InputError) -> None:
        """Leave a flight out; what is recorded must not tell where a bureau keeps its files."""
        folder = f"{self.flights[number].path.parent}{os.sep}"
        self.lost[number] = str(error).replace(folder, "")


def _compare(flights: Sequence[AreaFlight], reference: int, settings: Settings) -> _Ground:
    """Hold every flight against the reference, before any of them is aligned."""
    base = flights[reference].flight
    assert base is not None
    findings = [finding for item in flights for finding in item.findings]
    lost = {i: item.why for i, item in enumerate(flights) if item.flight is None}
    grids: list[WorkingGrid | None] = []
    for i, item in enumerate(flights):
        grids.append(None)
        if item.flight is None or i == reference:
            continue
        try:
            # Either may be the earlier one here: the reference is whichever the user wants.
            said = [f for f in check_pair(base, item.flight) if f.code != "date_order"]
            findings += said
            require(said)
            grids[i] = working_grid(base, item.flight, settings)
        except InputError as error:
            lost[i] = str(error)
    return _Ground(
        flights=tuple(flights),
        reference=reference,
        crs=working_crs(base.sources[0].grid),
        grids=tuple(grids),
        findings=findings,
        lost=lost,
    )


def _chain(
    ground: _Ground, settings: Settings, *, say: Say, progress: Progress | None
) -> tuple[Placed, ...]:
    """Align what is to be aligned, on copies of the flights where these save time."""
    with (
        open_executor(settings.blocks.workers) as executor,
        _copied(ground, settings, executor, say, progress) as flights,
    ):
        hands = _Hands(
            ground=ground,
            flights=flights,
            settings=settings,
            executor=executor,
            progress=progress,
        )
        return chain(
            Area(
                labels=tuple(item.label for item in ground.flights),
                days=tuple(item.day for item in ground.flights),
                reference=ground.reference,
                bounds=tuple(None if grid is None else grid.bounds for grid in ground.grids),
                measure=hands.measure,
            )
        )


@contextmanager
def _copied(
    ground: _Ground,
    settings: Settings,
    executor: Executor | None,
    say: Say,
    progress: Progress | None,
) -> Iterator[dict[int, Flight]]:
    """Yield the flights that can be compared; one without room for a copy is read as it is."""
    with ExitStack() as stack:
        flights: dict[int, Flight] = {}
        for i, item in enumerate(ground.flights):
            if item.flight is None or i in ground.lost:
                continue
            pixel = max(settings.detect.pixel_m, item.flight.pixel_m)
            copies = working_copies(
                (item.flight,), pixel, say=say, executor=executor, progress=progress
            )
            try:
                (flights[i],) = stack.enter_context(copies)
            except FlightError as error:
                if i == ground.reference:
                    raise
                ground.lose(i, error)
        yield flights


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hands:
    """Aligns two flights of an area."""

    ground: _Ground
    flights: dict[int, Flight]
    settings: Settings
    executor: Executor | None
    progress: Progress | None

    def measure(self, before: int, after: int) -> Alignment | None:
        """Return how a flight lies on another; None where they cannot be compared."""
        grid = self._grid(before, after)
        if grid is None or before not in self.flights or after not in self.flights:
            return None
        try:
            return align(
                self.flights[before],
                self.flights[after],
                grid,
                self.settings.align,
                executor=self.executor,
                progress=self.progress,
            )
        except FlightError as error:
            if before == self.ground.reference:
                self.ground.lose(after, error)
            return None

    def _grid(self, before: int, after: int) -> WorkingGrid | None:
        """Return the ground two flights share with each other and with the reference."""
        first, second = (self.ground.grids[i] for i in (before, after))
        if before == self.ground.reference or second is None:
            return second
        if first is None:
            return None
        shared = first.bounds.intersection(second.bounds)
        pixel = max(
            self.settings.detect.pixel_m, *(self.flights[i].pixel_m for i in (before, after))
        )
        if shared.buffered(-_LEAST_PX * pixel / 2).empty:
            return None
        return WorkingGrid.around(shared, crs=self.ground.crs, pixel_m=pixel)
