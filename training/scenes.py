"""Rendered pairs of flights with the truth of every pixel, as the network is taught them.

python -m training.scenes --count 300 FOLDER

Every scene has a seed, a setting, a pixel, a pace and a light of its own. The seeds lie apart from
those of the frozen judge (31 000 to 37 999) and of every test.
"""

import argparse
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rasterio import Affine
from rasterio.features import rasterize

from survey.blocks import open_executor, run_all
from survey.simulation import (
    SETTINGS,
    AreaPlan,
    ExpectedChange,
    FlightPlan,
    Scene,
    changes_between,
    displacement,
    draw_plan,
    image_frame,
    render_image,
    render_truth,
    scene_of,
    view_of,
)
from survey.simulation.camera.aim import Frame

__all__ = ["FIRST_SEED", "IGNORED", "PIXEL_M", "write_scenes"]

PIXEL_M = 0.2
"""Ground pixel the network works at, m."""
IGNORED = 255
"""Label of pixels that teach nothing."""
FIRST_SEED = 50_000
"""Seed of the first scene; the others follow."""

# Pixel of the flight to the side of the area, m: the same time of rendering for each.
_SIDES_M = {0.05: 70.0, 0.08: 100.0, 0.1: 130.0, 0.15: 180.0, 0.2: 240.0, 0.3: 320.0, 0.5: 400.0}
_SHARES = (0.06, 0.14, 0.2, 0.15, 0.2, 0.13, 0.12)
_PACES = (1.0, 3.0, 6.0, 12.0)
_LOSSES = ("removed", "partly_removed")
_ON_TOP = ("roof_addition",)
_UNSEEN = ("storey",)  # a storey more is told by heights and hardly by a picture

Labels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sight:
    """What one flight shows on the true grid."""

    colour: NDArray[np.uint8]
    owner: NDArray[np.int32]
    seen: NDArray[np.bool_]


def write_scenes(folder: Path, count: int, *, first: int = FIRST_SEED, workers: int = 0) -> None:
    """Render scenes and write each as `NUMBER.npz`; what is there already is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    seeds = [seed for seed in range(first, first + count) if not _path(folder, seed).exists()]
    with open_executor(workers) as executor:
        for done, seed in enumerate(run_all(partial(_write, folder), seeds, executor=executor)):
            print(f"{done + 1} of {len(seeds)}: {seed}", flush=True)


def _path(folder: Path, seed: int) -> Path:
    return folder / f"{seed}.npz"


def _write(folder: Path, seed: int) -> int:
    rng = np.random.Generator(np.random.PCG64([seed, 77]))
    pixel_m = float(rng.choice(list(_SIDES_M), p=_SHARES))
    plan = draw_plan(
        seed=seed,
        side_m=_SIDES_M[pixel_m],
        pixel_m=pixel_m,
        setting=SETTINGS[int(rng.integers(len(SETTINGS)))],
        pace=float(rng.choice(_PACES)),
        offset_m=3.0,
    )
    scene = scene_of(plan)
    after = int(rng.integers(1, 4))
    sights = [_look(plan, scene, plan.flights[index]) for index in (0, after)]
    changes = changes_between(scene, 0, after)
    new, gone = _change_labels(plan, changes, sights[0], sights[1])
    np.savez_compressed(
        _path(folder, seed),
        before=sights[0].colour,
        after=sights[1].colour,
        owner_before=sights[0].owner.astype(np.uint16),
        owner_after=sights[1].owner.astype(np.uint16),
        seen=sights[0].seen & sights[1].seen,
        new=new,
        gone=gone,
        pixel_m=pixel_m,
    )
    return seed


def _look(plan: AreaPlan, scene: Scene, flight: FlightPlan) -> _Sight:
    """Render a flight, undo its displacement, and bring it to the network's pixel."""
    view, frame = view_of(plan, scene, flight), image_frame(plan, flight)
    pixels, seen = render_image(view, frame.window)
    truth = render_truth(view, frame.window)
    size = round(plan.side_m / PIXEL_M)
    # Averaged over the pixels that one of the network's covers, as overviews are.
    fine = max(1, round(PIXEL_M / plan.pixel_m))
    columns, rows = _places(plan, flight, frame, size * fine)
    laid = [cv2.remap(band, columns, rows, cv2.INTER_LINEAR) for band in pixels]
    colour = [cv2.resize(band, (size, size), interpolation=cv2.INTER_AREA) for band in laid]
    columns, rows = _places(plan, flight, frame, size)
    owner = cv2.remap(truth.owner.astype(np.float32), columns, rows, cv2.INTER_NEAREST)
    known = cv2.remap(seen.astype(np.float32), columns, rows, cv2.INTER_LINEAR) > 0.999
    return _Sight(colour=np.stack(colour), owner=owner.astype(np.int32), seen=known)


def _places(
    plan: AreaPlan, flight: FlightPlan, frame: Frame, size: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give column and row in a flight's file of the centres of the true grid."""
    step = plan.side_m / size
    x = plan.west_m + (np.arange(size) + 0.5) * step
    y = plan.south_m + plan.side_m - (np.arange(size) + 0.5) * step
    true_x, true_y = np.meshgrid(x, y)
    dx, dy = displacement(flight, true_x, true_y)
    column = (true_x + dx - frame.west) / frame.pixel_m - 0.5
    row = (frame.north - true_y - dy) / frame.pixel_m - 0.5
    return column.astype(np.float32), row.astype(np.float32)


def _change_labels(
    plan: AreaPlan, changes: tuple[ExpectedChange, ...], before: _Sight, after: _Sight
) -> tuple[Labels, Labels]:
    """Draw what appeared and what went; what leans out of its outline teaches nothing."""
    new, gone = (np.zeros(before.owner.shape, np.uint8) for _side in range(2))
    grid = Affine(PIXEL_M, 0.0, 0.0, 0.0, -PIXEL_M, plan.side_m)
    for change in changes:
        lost = change.kind in _LOSSES
        target, sight = (gone, before) if lost else (new, after)
        place = rasterize([change.outline], target.shape, transform=grid, all_touched=False) > 0
        own = sight.owner == change.structure
        if change.kind in _UNSEEN:
            target[place | own] = IGNORED
            continue
        if change.kind not in _ON_TOP:
            if not lost and (before.owner == change.structure).any():
                own &= before.owner != change.structure
            target[own & ~place & (target == 0)] = IGNORED
        target[place] = np.where(own[place], 1, IGNORED)
    # Where one roof gave way to another the later picture decides.
    gone[(new == 1) & (gone == 1)] = IGNORED
    return new, gone


def main() -> int:
    """Write scenes."""
    parser = argparse.ArgumentParser(prog="python -m training.scenes", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=180)
    parser.add_argument("--first", type=int, default=FIRST_SEED)
    parser.add_argument("--workers", type=int, default=0)
    chosen = parser.parse_args()
    write_scenes(chosen.folder, chosen.count, first=chosen.first, workers=chosen.workers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
