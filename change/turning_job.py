"""The line for a real orthophoto that is turned back: open it, read its buildings, write."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pyproj import CRS

from change.layers import read_layer, states_crs
from survey.blocks import Progress
from survey.crs import transformer
from survey.errors import FlightError
from survey.examination import examine
from survey.flight import Flight, open_flight
from survey.grid import Bounds, WorkingGrid, working_crs
from survey.simulation.turning.changes import Turning
from survey.simulation.turning.standing import Buildings
from survey.simulation.turning.turned_back_files import require_earlier, turn_back_file
from survey.words import _, ngettext

__all__ = ["TurningJob", "turn_back_job"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurningJob:
    """What is to be turned back."""

    ortho: Path
    """The orthophoto."""
    outlines: str
    """Layer of its buildings: a file, or ``FILE|layername=NAME``."""
    turning: Turning
    """How much to change."""
    seed: int
    """Decides everything."""
    crs: CRS | None = None
    """CRS for files that state none."""
    nodata: float | None = None
    """Value that means no picture, where the orthophoto does not say so."""
    layers_crs: CRS | None = None
    """CRS of the outlines' coordinates, whatever they say of themselves."""
    encoding: str | None = None
    """Encoding of the layer's text."""


def turn_back_job(
    job: TurningJob,
    folder: Path,
    *,
    say: Callable[[str], None],
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Make a pair of flights from one orthophoto and a layer of its buildings.

    Parameters
    ----------
    job
        What is to be turned back.
    folder
        Where to write; must not exist or be empty.
    say
        Takes what was assumed, one sentence at a time.
    progress
        Told after every tile and block.

    Returns
    -------
    dict
        What ``truth.json`` holds.

    Raises
    ------
    InputError
        Something that came in cannot be used, or the folder cannot be written.
    """
    flight = examine(open_flight(job.ortho, crs=job.crs, nodata=job.nodata))
    require_earlier(job.turning.flown_on, flight.flown_on)
    for sentence in flight.assumptions:
        say(sentence)
    buildings = _buildings(job, flight, say)
    return turn_back_file(
        flight, buildings, folder, seed=job.seed, turning=job.turning, progress=progress
    )


def _buildings(job: TurningJob, flight: Flight, say: Callable[[str], None]) -> Buildings:
    """Read the outlines as permits are read, and say what was assumed of them."""
    crs = job.layers_crs
    if crs is None and job.crs is not None and not states_crs(job.outlines):
        crs = job.crs
    layer = read_layer(job.outlines, area=_area(flight), crs=crs, encoding=job.encoding)
    for sentence in layer.assumptions:
        say(sentence)
    dropped = sum(not row.kept for row in layer.bad_rows)
    if layer.bad_rows:
        text = ngettext(
            "{count} flawed row in the layer: {kept} repaired or kept, {dropped} not usable",
            "{count} flawed rows in the layer: {kept} repaired or kept, {dropped} not usable",
            len(layer.bad_rows),
        )
        kept = len(layer.bad_rows) - dropped
        say(text.format(count=len(layer.bad_rows), kept=kept, dropped=dropped))
    return Buildings(
        table=layer.frame,
        name=layer.source,
        repaired=len(layer.bad_rows) - dropped,
        unusable=dropped,
    )


def _area(flight: Flight) -> WorkingGrid:
    """Return the ground of a flight, in metres."""
    grid = flight.sources[0].grid
    metric = working_crs(grid)
    corners = np.concatenate([source.grid.corners for source in flight.sources])
    xs, ys = transformer(grid.crs, metric).transform(corners[:, 0], corners[:, 1])
    if not (np.isfinite(xs).all() and np.isfinite(ys).all()):
        raise FlightError(_("{path}: lies outside the area of its CRS").format(path=flight.name))
    bounds = Bounds(left=min(xs), bottom=min(ys), right=max(xs), top=max(ys))
    return WorkingGrid.around(bounds, crs=metric, pixel_m=1.0)
