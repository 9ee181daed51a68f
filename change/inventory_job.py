"""The line for one flight: open, check, find what stands, compare with the permits."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import shapely
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from change.dispatch import Place
from change.facts import detector_facts, finding_record, permit_facts, shadow_facts
from change.ground_layers import GroundLayers, LayerOptions, open_layers, read_inputs
from change.inventory import NOT_SEEN, Stock, take_inventory
from change.inventory_result import EmptyPermit, InventoryResult
from change.job import FlightOptions, Say
from change.model.detector import shipped_detector
from change.placed_permits import PlacedPermits, place_permits
from change.protected import find_on_protected
from change.remarks import layer_remarks
from change.sight import Sight
from change.suspicion import Circumstances, Suspect, compare
from survey.blocks import Progress, open_executor
from survey.checks import check_flight
from survey.crs import describe_crs
from survey.examination import examine
from survey.findings import Finding, require
from survey.flight import Flight, open_flight
from survey.glance import shows_colours
from survey.grid import WorkingGrid
from survey.pair import with_plausible_heights, working_grid
from survey.placed_surface import PlacedSurface, place_surface
from survey.runs import hash_inputs, start_run
from survey.settings import Settings
from survey.words import _
from survey.working_copy import working_copies

__all__ = ["InventoryJob", "run_inventory"]

# A permit is called empty only where so much of its ground is seen, and no more of it than this is
# covered by what was found standing.
_ALL_SEEN, _BARE = 0.99, 0.2
# Error of heights above the ground (one sigma): flat roofs of the sample flights are off by 0.11 m
# (median; benchmarks/inventory.py), m.
_HEIGHT_ERROR_M = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryJob:
    """What is to be taken stock of."""

    flight: FlightOptions
    """The flight."""
    layers: LayerOptions = field(default_factory=LayerOptions)
    """Permits and other layers."""
    crs: CRS | None = None
    """CRS for files that state none."""
    nodata: float | None = None
    """Value that means no picture, for files that do not say so."""

    def inputs(self) -> list[tuple[str, Path]]:
        """Return the files the job depends on, each with its role."""
        named: list[tuple[str, str | Path | None]] = [
            ("ortho", self.flight.path),
            ("dsm", self.flight.dsm),
            *self.layers.files(),
        ]
        return [(role, Path(str(path).split("|")[0])) for role, path in named if path is not None]

    def options(self) -> dict[str, str | None]:
        """Return what else the command line said that changes the result."""
        day = self.flight.flown_on
        return {
            "command": "inventory",
            "flown_on": day.isoformat() if day else None,
            "crs": self.crs.to_string() if self.crs else None,
            "nodata": None if self.nodata is None else repr(self.nodata),
            **self.layers.told(),
        }


def run_inventory(
    job: InventoryJob, settings: Settings, *, say: Say, progress: Progress | None = None
) -> InventoryResult:
    """Find what stands in one flight and hold it against the permits.

    Parameters
    ----------
    job
        What is to be taken stock of.
    settings
        How.
    say
        Takes warnings and assumptions as they become known.
    progress
        Told after every block.

    Raises
    ------
    InputError
        Something that came in cannot be used.
    """
    flight, findings = _open(job, say)
    grid = working_grid(flight, flight, settings)
    layers = open_layers(job.layers, grid, settings)
    area = layers.area(grid)
    inputs = (*hash_inputs(job.inputs()), *read_inputs(layers.permits, layers.within))
    run = start_run(inputs, settings, job.options())
    with _looked_at(flight, grid, settings, say=say, progress=progress) as (sight, seen, executor):
        placed = place_permits(layers.permits, sight, settings.permits, executor=executor)
        said = tuple(dict.fromkeys([*seen, *layer_remarks(layers, placed.offset, grid)]))
        for sentence in said:
            say(sentence)
        stock = take_inventory(
            sight,
            settings,
            roofs=_teachers(placed),
            within=area,
            executor=executor,
            progress=progress,
        )
    doubts = _doubts(stock, say)
    compared = _compare(stock, layers, placed, flight, settings)
    places, unplaced = _places(compared, layers, say)
    return InventoryResult(
        run=run,
        flight=flight,
        grid=grid,
        stock=stock,
        compared=compared,
        empty=tuple(_empty_permits(placed, stock, grid, area)),
        places=places,
        findings=tuple(findings),
        assumptions=(*said, *doubts, *unplaced),
        facts=_facts(flight, grid, findings, stock, placed),
        permits=placed.permits,
        districts=layers.districts,
        within=area,
    )


def _open(job: InventoryJob, say: Say) -> tuple[Flight, list[Finding]]:
    """Open and check the flight; say the warnings, refuse what cannot be used."""
    opened = open_flight(
        job.flight.path,
        flown_on=job.flight.flown_on,
        crs=job.crs,
        nodata=job.nodata,
        dsm=job.flight.dsm,
    )
    flight = with_plausible_heights(examine(opened))
    findings = check_flight(flight)
    for finding in findings:
        if finding.level == "warning":
            say(finding.sentence())
    require(findings)
    return flight, findings


@contextmanager
def _looked_at(
    flight: Flight,
    grid: WorkingGrid,
    settings: Settings,
    *,
    say: Say,
    progress: Progress | None,
) -> Iterator[tuple[Sight, tuple[str, ...], Executor | None]]:
    """Yield the flight ready to be read, what was found of its files, and where blocks run."""
    with (
        open_executor(settings.blocks.workers) as executor,
        working_copies((flight,), grid.pixel_m, say=say, executor=executor, progress=progress) as (
            copied,
        ),
    ):
        said = (*flight.assumptions, *_colour_remarks(flight))
        if copied.dsm is None:
            yield Sight(flight=copied, grid=grid), said, executor
            return
        surface = place_surface(copied, grid)
        sight = Sight(flight=copied, grid=grid, dsm=surface.model, dsm_shift=surface.shift)
        yield sight, (*said, *_surface_remarks(surface)), executor


def _colour_remarks(flight: Flight) -> Iterator[str]:
    if not shows_colours(flight):
        yield _(
            "{name} shows no colours: trees are hardly told from roofs, and many roofs are not"
            " found"
        ).format(name=flight.name)


def _surface_remarks(surface: PlacedSurface) -> tuple[str, ...]:
    return (*surface.model.assumptions, *surface.remarks())


def _teachers(placed: PlacedPermits) -> list[shapely.Polygon]:
    """Return the permitted outlines on which something stands."""
    rows = () if placed.permits is None else placed.permits.permits
    outlines = [
        permit.outline
        for permit, told in zip(rows, placed.stands, strict=True)
        if told.built is True
    ]
    parts = shapely.get_parts(outlines)
    return [part for part in parts if isinstance(part, shapely.Polygon)]


def _doubts(stock: Stock, say: Say) -> tuple[str, ...]:
    """Say how little a single picture tells."""
    doubt = {
        "heights": None,
        "picture": _(
            "no heights to judge by: what stands is told by the picture, and by what the permitted"
            " roofs look like, less surely (--dsm gives heights)"
        ),
        "detector": _(
            "no heights to judge by, and too few permitted roofs that show what roofs look like"
            " here: what stands is told by the picture alone, less surely (--dsm gives heights)"
        ),
    }[stock.told_by]
    if doubt is None:
        return ()
    say(doubt)
    return (doubt,)


def _compare(
    stock: Stock,
    layers: GroundLayers,
    placed: PlacedPermits,
    flight: Flight,
    settings: Settings,
) -> tuple[Suspect, ...]:
    """Hold what stands against the permits, the most severe first."""
    known = Circumstances(
        flown_before=flight.flown_on,
        height_error_m=_HEIGHT_ERROR_M,
        placed_to=placed.placed_to,
        built=placed.built,
        protected=find_on_protected(
            [change.outline for change in stock.structures],
            layers.protected,
            [change.tolerance_m for change in stock.structures],
        ),
    )
    compared = compare(stock.structures, placed.permits, settings, known)
    return tuple(sorted(compared, key=lambda item: (-item.severity, item.change.id)))


def _places(
    compared: Sequence[Suspect], layers: GroundLayers, say: Say
) -> tuple[dict[str, Place], tuple[str, ...]]:
    """Return who is responsible for each structure, and what was found about that."""
    found = layers.districts.place([item.change.outline for item in compared])
    both = list(zip(compared, found, strict=True))
    unplaced = layers.districts.remarks([place for item, place in both if item.suspicious])
    for sentence in unplaced:
        say(sentence)
    return {item.change.id: place for item, place in both}, unplaced


def _empty_permits(
    placed: PlacedPermits, stock: Stock, grid: WorkingGrid, area: BaseGeometry | None
) -> Iterator[EmptyPermit]:
    """Yield the permits all of whose ground is seen, and on which nothing stands.

    Rows of one number are parts of one permit: it is empty when all of them are.
    """
    if placed.permits is None:
        return
    bounds = grid.bounds
    ground = shapely.box(bounds.left, bounds.bottom, bounds.right, bounds.top)
    hidden = shapely.union_all([item.outline for item in stock.excluded])
    roofs = shapely.STRtree([change.outline for change in stock.structures])
    pairs = list(zip(placed.permits.permits, placed.stands, strict=True))
    in_use = {permit.key for permit, told in pairs if told.built is not False and permit.key}
    for permit, told in pairs:
        outline = permit.outline
        if told.built is not False or permit.key in in_use:
            continue
        if area is not None and not outline.intersects(area):
            continue
        seen = outline.intersection(ground).difference(hidden).area / outline.area
        near = roofs.geometries[roofs.query(outline, predicate="intersects")]
        covered = shapely.union_all(near).intersection(outline).area / outline.area
        if seen >= _ALL_SEEN and covered < _BARE:
            yield EmptyPermit(permit=permit, seen=round(float(seen), 3), told=told)


def _detector_facts(stock: Stock) -> dict[str, Any] | None:
    """Return which model looked at the picture; None where heights told all."""
    if stock.told_by == "heights":
        return None
    return detector_facts(shipped_detector()) | {
        "taught_by_roofs": stock.taught_by,
        "shadows": shadow_facts(stock.shadows),
    }


def _facts(
    flight: Flight,
    grid: WorkingGrid,
    findings: Sequence[Finding],
    stock: Stock,
    placed: PlacedPermits,
) -> dict[str, Any]:
    excluded = {
        reason: round(sum(e.outline.area for e in stock.excluded if e.reason == reason), 1)
        for reason in NOT_SEEN
    }
    return {
        "crs": describe_crs(grid.crs),
        "pixel_m": grid.pixel_m,
        "flight": {
            "name": flight.name,
            "flown_on": flight.flown_on.isoformat() if flight.flown_on else None,
            "dated_by": flight.dated_by,
            "crs": describe_crs(flight.crs),
            "pixel_m": round(flight.pixel_m, 4),
        },
        "told_by": stock.told_by,
        "detector": _detector_facts(stock),
        "excluded_by": excluded,
        "permits": permit_facts(placed.permits, placed.offset),
        "findings": [finding_record(item) for item in findings],
    }
