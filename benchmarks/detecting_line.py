"""The whole line over one pair of flights, and what it found beside what is true."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from benchmarks.detecting_counts import Find, Truth, match
from change.changes import Change
from change.detection import Detection
from change.ground_layers import LayerOptions
from change.job import FlightOptions, Job, run_job
from survey.crs import same_crs, transformer
from survey.errors import PairError
from survey.settings import Settings

__all__ = ["SETTINGS", "Flown", "PairTruth", "Ran", "entry_of", "judged_ground", "moved_to", "run"]

# Unlikely changes are wanted too, to tell what their scores are worth; what is reported has the
# usual score. Pairs go in parallel, so that each takes one process.
_UNLIKELY = 0.02
SETTINGS = Settings()
"""The settings whose results count."""
_WIDE = SETTINGS.changed("detect", min_score=_UNLIKELY).changed("blocks", workers=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flown:
    """Two flights as files."""

    before: Path
    """Orthophoto of the earlier flight."""
    after: Path
    """Orthophoto of the later one."""
    dsm_before: Path | None = None
    """Surface model of the earlier flight."""
    dsm_after: Path | None = None
    """Surface model of the later one."""
    permits: Path | None = None
    """Layer of permits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairTruth:
    """What is true of two flights, where the earlier one shows it."""

    crs: CRS
    """CRS of the outlines, metres."""
    changes: tuple[Truth, ...]
    """What changed."""
    allowed: tuple[Truth, ...] = ()
    """What else is right to report."""
    all_judged: bool = False
    """True where what the product did not judge is asked of it all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What came of the line."""

    verdict: str
    """Verdict on the alignment; ``refused`` where nothing was compared."""
    why: str
    """Its reason."""
    seconds: float
    """CPU seconds of all of it."""
    crs: CRS | None = None
    """CRS of what was found, metres; None where nothing was compared."""
    ground: BaseGeometry | None = None
    """The ground that both files cover, in that CRS."""
    detection: Detection | None = None
    """What was found, unlikely changes included; None where nothing was compared."""

    @property
    def reported(self) -> tuple[Change, ...]:
        """The changes that are likely enough to be reported."""
        found = () if self.detection is None else self.detection.changes
        return tuple(change for change in found if change.score >= SETTINGS.detect.min_score)


def run(flown: Flown) -> Ran:
    """Open, check, align, detect and compare, as `orthowatch detect` does."""
    job = Job(
        before=FlightOptions(path=flown.before, dsm=flown.dsm_before),
        after=FlightOptions(path=flown.after, dsm=flown.dsm_after),
        layers=LayerOptions(permits=None if flown.permits is None else str(flown.permits)),
    )
    start = time.process_time()
    try:
        result = run_job(job, _WIDE, say=lambda _sentence: None)
    except PairError as error:
        return Ran(verdict="refused", why=str(error), seconds=time.process_time() - start)
    bounds = result.pair.grid.bounds
    return Ran(
        verdict=result.pair.alignment.verdict,
        why=result.pair.alignment.why,
        seconds=time.process_time() - start,
        crs=result.pair.grid.crs,
        ground=shapely.box(bounds.left, bounds.bottom, bounds.right, bounds.top),
        detection=result.detection,
    )


def judged_ground(ran: Ran) -> BaseGeometry | None:
    """Return the ground that was judged; None where nothing was compared."""
    if ran.ground is None or ran.detection is None:
        return None
    return ran.ground.difference(shapely.union_all([e.outline for e in ran.detection.excluded]))


def moved_to(outline: BaseGeometry, source: CRS, target: CRS) -> BaseGeometry:
    """Return an outline in another CRS."""
    if same_crs(source, target):
        return outline
    change = transformer(source, target)

    def onto(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(change.transform(points[:, 0], points[:, 1]))

    return shapely.transform(outline, onto)


def entry_of(
    ran: Ran, truth: PairTruth, more: Callable[[Ran], dict[str, Any]] | None = None
) -> dict[str, Any]:
    """Return what is told of a pair: the fields of a line of JSON.

    ``verdict``, ``why``, ``cpu_s``, ``ground_m2``, ``judged_m2``, and ``truths`` and ``finds``, the
    fields of `TrueObject` and `FoundObject`; where the alignment was refused nothing is found.
    """
    detection = ran.detection
    finds = [] if detection is None else [_find(change) for change in detection.changes]
    true, found = match(
        _in_crs(truth.changes, truth.crs, ran.crs),
        finds,
        least_score=SETTINGS.detect.min_score,
        judged=None if truth.all_judged else judged_ground(ran),
        allowed=_in_crs(truth.allowed, truth.crs, ran.crs),
    )
    told = {
        "verdict": ran.verdict,
        "why": ran.why,
        "cpu_s": round(ran.seconds, 2),
        "ground_m2": 0.0 if ran.ground is None else round(ran.ground.area, 1),
        "judged_m2": 0.0 if detection is None else round(detection.judged_m2, 1),
        "truths": [asdict(item) for item in true],
        "finds": [asdict(item) for item in found],
    }
    return told | (more(ran) if more is not None else {})


def _find(change: Change) -> Find:
    return Find(
        outline=change.outline,
        raw_m2=change.area_raw_m2,
        kind=change.kind,
        gained=not change.vanished,
        score=change.score if math.isfinite(change.score) else 0.0,
    )


def _in_crs(truths: Sequence[Truth], source: CRS, target: CRS | None) -> list[Truth]:
    if target is None:
        return list(truths)
    return [replace(t, outline=moved_to(t.outline, source, target)) for t in truths]
