"""What is measured, and against what: CPU seconds of this process and its children, and memory."""

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rasterio
from rasterio.windows import Window as FileWindow

from benchmarks.pairs import FilePair
from change.job import FlightOptions, Job, run_job
from change.result import Result
from survey.checks import check_flight, check_pair
from survey.examination import examine
from survey.flight import Flight, open_flight
from survey.settings import Settings

__all__ = [
    "SETTINGS",
    "Figure",
    "Measure",
    "cpu_seconds",
    "decode",
    "examine_and_check",
    "job",
    "opened",
    "peak_memory_mb",
    "timed",
]

Measure = Callable[..., Any]
"""Runs ``(what, function, side_px=..., overviews=...)`` once and notes the figure."""

SETTINGS = Settings().changed("blocks", workers=1)

# Aligned to the file's tiles, and large enough to hide what a call costs.
_WINDOW_PX = 2048
# VmHWM and not ru_maxrss: a process inherits the latter from the one that starts it, here this one.
_IN_A_PROCESS = """
import re, sys
from pathlib import Path
from benchmarks.measures import job
from benchmarks.pairs import file_pair
side, overviews, work = int(sys.argv[1]), sys.argv[2] == "overviews", sys.argv[3]
if work == "job":
    job(file_pair(side, overviews=overviews))
print(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text()).group(1))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table."""

    what: str
    """What was done."""
    side_px: int
    """Side of the files, pixels."""
    overviews: bool
    """Whether the files have overviews."""
    seconds: float
    """CPU seconds."""
    ratio: float
    """CPU seconds over those of decoding both files once."""


def cpu_seconds() -> float:
    """Return the CPU seconds of this process and of its finished children so far."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def timed(function: Callable[[], object]) -> float:
    """Return the CPU seconds that a call takes."""
    start = cpu_seconds()
    function()
    return cpu_seconds() - start


def decode(pair: FilePair) -> None:
    """Decode every pixel of both orthophotos once, with nothing but rasterio."""
    for path in pair.orthos:
        with rasterio.Env(GDAL_NUM_THREADS="1"), rasterio.open(path) as dataset:
            for row in range(0, dataset.height, _WINDOW_PX):
                for col in range(0, dataset.width, _WINDOW_PX):
                    window = FileWindow(
                        col,
                        row,
                        min(_WINDOW_PX, dataset.width - col),
                        min(_WINDOW_PX, dataset.height - row),
                    )
                    dataset.read(window=window)


def opened(pair: FilePair, *, surfaces: bool = False) -> tuple[Flight, Flight]:
    """Return both flights, opened and examined."""
    models = (pair.dsm_before, pair.dsm_after) if surfaces else (None, None)
    before, after = (
        examine(open_flight(path, dsm=dsm)) for path, dsm in zip(pair.orthos, models, strict=True)
    )
    return before, after


def examine_and_check(pair: FilePair) -> None:
    """Open, examine and check both flights."""
    before, after = opened(pair)
    check_flight(before)
    check_flight(after)
    check_pair(before, after)


def job(pair: FilePair, *, surfaces: bool = False) -> Result:
    """Run the whole line on one core: hash, open, check, align, detect, compare."""
    models = (pair.dsm_before, pair.dsm_after) if surfaces else (None, None)
    before, after = (
        FlightOptions(path=path, dsm=dsm) for path, dsm in zip(pair.orthos, models, strict=True)
    )
    return run_job(Job(before=before, after=after), SETTINGS, say=lambda _sentence: None)


def peak_memory_mb(side_px: int, *, overviews: bool, work: str = "job") -> float:
    """Return the largest resident memory of a process of its own, MB.

    Parameters
    ----------
    side_px, overviews
        Which pair.
    work
        ``job`` for the whole line, ``nothing`` for what the imports alone take.
    """
    words = [str(side_px), "overviews" if overviews else "bare", work]
    root = Path(__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", _IN_A_PROCESS, *words],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )
    return int(done.stdout.split()[-1]) / 1024  # stated in kB
