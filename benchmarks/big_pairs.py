"""What alignment costs: CPU seconds over decoding both files once, and peak memory; large files."""

import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.windows import Window as FileWindow

from benchmarks.alignment_pictures import KEPT, whole
from benchmarks.measures import decode, opened, timed
from benchmarks.pairs import NOISE, OVERVIEWS, FilePair, file_pair
from survey.alignment import align, common_ground
from survey.flight import Flight
from survey.grid import WorkingGrid
from survey.settings import AlignSettings
from survey.working_copy import working_copies

__all__ = ["align_pair", "big_pair", "peak_memory_mb", "print_costs"]

_SIDE_PX, _LARGE_PX = 12_000, 40_000
# Copies of this scene are laid side by side; above so many pixels a file may pass 4 GB.
_SCENE_PX, _PLAIN_PX = 4_000, 20_000
_BLOCK_PX = 512
_BIG = {"BIGTIFF": "YES", "predictor": 2, "photometric": "rgb", "alpha": "yes"}
_FINEST_M = 0.2  # the pixel that detection works at
# VmHWM and not ru_maxrss: a process inherits the latter from the one that starts it, here this one.
_IN_A_PROCESS = """
import re, sys
from pathlib import Path
from benchmarks.big_pairs import align_pair, big_pair
side, overviews, precision = int(sys.argv[1]), sys.argv[2] == "overviews", sys.argv[3]
if precision != "nothing":
    align_pair(big_pair(side, overviews=overviews), precision)
print(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text()).group(1))
"""


def big_pair(side_px: int, *, overviews: bool) -> FilePair:
    """Return a pair of this size, written on first use (minutes, gigabytes) and kept."""
    if side_px <= _PLAIN_PX:
        return file_pair(side_px, overviews=overviews)
    scene = file_pair(_SCENE_PX, overviews=False)
    folder = KEPT / f"{side_px}{'_overviews' if overviews else ''}"
    if not folder.is_dir():
        with whole(folder) as draft:
            draft.mkdir()
            for seed, path in enumerate(scene.orthos):
                _lay_out(path, draft / path.name, side_px, seed)
                if overviews:
                    with rasterio.open(draft / path.name, "r+") as target:
                        target.build_overviews(OVERVIEWS, Resampling.average)
    before, after = (folder / path.name for path in scene.orthos)
    return FilePair(
        before=before, after=after, dsm_before=scene.dsm_before, dsm_after=scene.dsm_after
    )


def _lay_out(source: Path, target: Path, side_px: int, seed: int) -> None:
    """Write copies of a scene side by side as one BigTIFF, each with noise of its own."""
    rng = np.random.default_rng(seed)
    with rasterio.open(source) as scene:
        pixels = scene.read([1, 2, 3])
        profile = scene.profile | {"width": side_px, "height": side_px}
    with rasterio.open(target, "w", **profile, **_BIG) as out:
        for row in range(0, side_px, _BLOCK_PX):
            rows = np.arange(row, min(row + _BLOCK_PX, side_px)) % pixels.shape[1]
            wide = np.tile(pixels[:, rows], (1, 1, -(-side_px // pixels.shape[2])))[..., :side_px]
            noise = rng.integers(-NOISE, NOISE + 1, wide.shape, dtype=np.int16)
            shown = np.clip(wide + noise, 1, 254).astype(np.uint8)
            opaque = np.full((1, *shown.shape[1:]), 255, np.uint8)
            out.write(
                np.concatenate([shown, opaque]), window=FileWindow(0, row, *wide.shape[:0:-1])
            )


def align_pair(pair: FilePair, precision: str) -> float:
    """Open, examine and align a pair in this process; return the CPU seconds of aligning.

    Working copies of files without overviews are made as in a job, and counted.
    """
    flights = opened(pair)
    grid = common_ground(*flights, max(_FINEST_M, *(flight.pixel_m for flight in flights)))
    return timed(partial(_align, flights, grid, AlignSettings(precision=precision)))


def _align(flights: tuple[Flight, Flight], grid: WorkingGrid, settings: AlignSettings) -> None:
    with working_copies(flights, grid.pixel_m, say=_to_nobody) as (before, after):
        align(before, after, grid, settings)


def _to_nobody(_sentence: str) -> None:
    return None


def peak_memory_mb(side_px: int, *, overviews: bool, precision: str) -> float:
    """Return the largest resident memory of a process that aligns a pair, MB.

    ``precision`` may be ``nothing``: what the imports alone take.
    """
    words = [str(side_px), "overviews" if overviews else "bare", precision]
    done = subprocess.run(
        [sys.executable, "-c", _IN_A_PROCESS, *words],
        cwd=Path(__file__).parent.parent,
        check=True,
        capture_output=True,
        text=True,
    )
    return int(done.stdout.split()[-1]) / 1024  # stated in kB


def print_costs(*, large: bool) -> None:
    """Print what both precisions cost, on files with and without overviews."""
    idle = peak_memory_mb(0, overviews=False, precision="nothing")
    print(f"imports alone: {idle:.0f} MB")
    print(f"{'side px':>8} {'overviews':>9} {'precision':>9} {'CPU s':>7} {'decodes':>7} {'MB':>6}")
    for side_px in (_SIDE_PX, _LARGE_PX) if large else (_SIDE_PX,):
        for overviews in (False, True):
            pair = big_pair(side_px, overviews=overviews)
            once = timed(partial(decode, pair))
            for precision in ("standard", "precise"):
                seconds = align_pair(pair, precision)
                memory = peak_memory_mb(side_px, overviews=overviews, precision=precision)
                print(
                    f"{side_px:8} {'yes' if overviews else 'no':>9} {precision:>9} {seconds:7.1f}"
                    f" {seconds / once:7.2f} {memory:6.0f}",
                    flush=True,
                )
