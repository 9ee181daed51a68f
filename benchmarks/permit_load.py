"""What a city's permit layer costs: 200 000 permits against 5 000 changes.

python -m benchmarks.permit_load            # the table, against the bars
python -m benchmarks.permit_load --profile  # and where the time goes

Everything runs in processes of its own, so that memory is that of the work. What counts against the
bar is what comes on top of reading: the layer as GDAL alone hands it over. The picture is decoded
as the offset is looked for; that counts, and what decoding alone takes is told beside it. Placing
runs in a process for each core, as in a job; memory is that of the main one.
"""

import argparse
import cProfile
import json
import os
import pickle
import pstats
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyogrio
import rasterio
import shapely
from rasterio.windows import Window as FileWindow

from benchmarks.permit_line import compare_changes, place_on
from benchmarks.permit_load_files import AFTER, BEFORE, OFF_M, Load, files_of
from change.changes import Change
from change.dispatch import DistrictFiles, open_districts
from change.permits import Permits, open_permits
from change.placed_permits import PlacedPermits
from survey.alignment import common_ground
from survey.blocks import open_executor
from survey.examination import examine
from survey.flight import Flight, open_flight
from survey.grid import WorkingGrid
from survey.settings import Settings

__all__ = ["Step", "main", "table_of"]

_Result = TypeVar("_Result")

SECONDS_BAR, MEMORY_BAR_MB = 20.0, 1000.0
_ROWS_PX = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one step of a process took."""

    name: str
    """What was done."""
    cpu_s: float
    """CPU seconds."""
    wall_s: float
    """Seconds by the clock."""
    peak_mb: float
    """Largest resident memory of the process so far, MB."""
    told: str = ""
    """What came of it."""


class _Process:
    """Runs steps one after the other, and notes what each takes."""

    def __init__(self, *, profiled: bool) -> None:
        self.steps: list[Step] = [_step("imports", (0.0, 0.0))]
        self._profiled = profiled

    def run(
        self, name: str, deed: Callable[[], _Result], told: Callable[[_Result], str]
    ) -> _Result:
        """Do something and note it."""
        profile = cProfile.Profile() if self._profiled else None
        start = _cpu_s(), time.perf_counter()
        result = deed() if profile is None else profile.runcall(deed)
        self.steps.append(_step(name, start, told(result)))
        if profile is not None:
            print(f"--- {name}", file=sys.stderr)
            stats = pstats.Stats(profile, stream=sys.stderr)
            stats.strip_dirs().sort_stats("tottime").print_stats(22)
        return result


def _cpu_s() -> float:
    """Return the seconds of CPU of this process and of workers that have ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _step(name: str, start: tuple[float, float], told: str = "") -> Step:
    """Note a step that began at so many seconds of CPU and of the clock."""
    # VmHWM and not ru_maxrss: a process inherits the latter from the one that starts it.
    found = re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text(encoding="ascii"))
    assert found is not None
    wall_s = time.perf_counter() - start[1] if start[1] else 0.0
    return Step(
        name=name,
        cpu_s=_cpu_s() - start[0],
        wall_s=wall_s,
        peak_mb=int(found[1]) / 1024,
        told=told,
    )


def _read_alone(folder: Path, process: _Process) -> None:
    """Read the layer and decode the picture, with nothing but GDAL."""

    def read() -> int:
        return len(pyogrio.raw.read(folder / "permits.gpkg", datetime_as_string=True)[2])

    def decode() -> int:
        with rasterio.open(folder / "before.tif") as dataset:
            for row in range(0, dataset.height, _ROWS_PX):
                height = min(_ROWS_PX, dataset.height - row)
                dataset.read(window=FileWindow(0, row, dataset.width, height))
            return int(dataset.width * dataset.height)

    process.run("GDAL reads the layer", read, lambda rows: f"{rows} rows")
    process.run("GDAL decodes the picture", decode, lambda pixels: f"{pixels / 1e6:.0f} Mpx")


def _run_line(folder: Path, process: _Process) -> None:
    """Do what the product does with a layer."""
    settings = Settings()
    changes: list[Change] = pickle.loads((folder / "changes.pickle").read_bytes())
    flight = process.run(
        "open the flight", lambda: examine(open_flight(folder / "before.tif")), lambda _: ""
    )
    grid = common_ground(flight, flight, max(settings.detect.pixel_m, flight.pixel_m))
    permits = process.run(
        "open_permits",
        lambda: open_permits(folder / "permits.gpkg", area=grid),
        lambda found: f"{len(found.permits)} usable, {len(found.bad_rows)} flaws",
    )
    placed = process.run(
        "place on the ground",
        lambda: _place(flight, grid, permits, settings),
        lambda found: _moved_by(permits, found.permits),
    )
    days = BEFORE, AFTER
    process.run(
        "compare",
        lambda: compare_changes(changes, placed, settings, days),
        lambda found: f"{sum(s.suspicious for s in found)} suspects of {len(found)}",
    )
    outlines = [change.outline for change in changes]
    process.run(
        "dispatch to drawn cells",
        lambda: open_districts(DistrictFiles(), area=grid, settings=settings.dispatch).place(
            outlines
        ),
        lambda found: f"{len({place.cell for place in found})} cells",
    )


def _place(
    flight: Flight, grid: WorkingGrid, permits: Permits, settings: Settings
) -> PlacedPermits:
    """Place the layer with a process for each core, as the product does."""
    with open_executor(0) as executor:
        return place_on(flight, grid, permits, settings, heights=False, executor=executor)


def _moved_by(old: Permits, new: Permits | None) -> str:
    assert new is not None  # a layer was given
    first, second = (
        shapely.get_coordinates(shapely.centroid([p.outline for p in layer.permits]))
        for layer in (old, new)
    )
    shift = second - first
    # Far from the picture nothing is moved.
    east, north = np.median(shift[np.abs(shift).max(axis=1) > 0], axis=0).tolist()
    return f"moved {east:.2f} east, {north:.2f} north; true {OFF_M[0]}, {OFF_M[1]}"


_PROCESSES = {"read": _read_alone, "line": _run_line}


def _in_a_process(name: str, load: Load, *, profiled: bool) -> list[Step]:
    words = [sys.executable, "-m", "benchmarks.permit_load", "--process", name]
    words += ["--permits", str(load.permits), "--changes", str(load.changes)]
    words += ["--profile"] * profiled
    root = Path(__file__).parent.parent
    done = subprocess.run(words, cwd=root, check=True, stdout=subprocess.PIPE, text=True)
    return [Step(**row) for row in json.loads(done.stdout.splitlines()[-1])]


def table_of(read: list[Step], line: list[Step]) -> str:
    """Return the table of both processes, and how the line stands to the bars."""
    lines = [f"{'':26}{'CPU s':>8}{'wall s':>8}{'peak MB':>9}"]
    lines += [
        f"{step.name:26}{step.cpu_s:8.1f}{step.wall_s:8.1f}{step.peak_mb:9.0f}  {step.told}"
        for step in (*read[1:], *line)
    ]
    layer = next(step for step in read if step.name == "GDAL reads the layer")
    counted = [s for s in line if s.name not in ("imports", "open the flight")]
    cpu_s = sum(step.cpu_s for step in counted) - layer.cpu_s
    wall_s = sum(step.wall_s for step in counted) - layer.wall_s
    peak_mb = max(step.peak_mb for step in line)
    lines += [
        f"beyond reading the layer: {cpu_s:.1f} s CPU, {wall_s:.1f} s by the clock"
        f" (bar {SECONDS_BAR:.0f})",
        f"peak memory: {peak_mb:.0f} MB (bar {MEMORY_BAR_MB:.0f})",
    ]
    return "\n".join(lines)


def main() -> int:
    """Make the files unless they are there, run both processes, print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.permit_load",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--permits", type=int, default=Load().permits, help="rows of the layer")
    parser.add_argument("--changes", type=int, default=Load().changes, help="changes")
    parser.add_argument("--profile", action="store_true", help="tell on stderr where time goes")
    parser.add_argument("--json", action="store_true", help="print the steps as JSON")
    parser.add_argument("--process", choices=tuple(_PROCESSES), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    load = Load(permits=chosen.permits, changes=chosen.changes)
    folder = files_of(load)
    if chosen.process:
        process = _Process(profiled=chosen.profile)
        _PROCESSES[chosen.process](folder, process)
        print(json.dumps([asdict(step) for step in process.steps]))
        return 0
    read = _in_a_process("read", load, profiled=False)
    line = _in_a_process("line", load, profiled=chosen.profile)
    if chosen.json:
        print(json.dumps({"read": list(map(asdict, read)), "line": list(map(asdict, line))}))
    else:
        print(table_of(read, line))
    return 0


if __name__ == "__main__":
    sys.exit(main())
