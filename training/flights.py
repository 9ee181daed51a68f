"""Rendered flights as files with surface models, seen as the product sees them, and their truth.

python -m training.flights --count 450 FOLDER
python -m training.flights --first 58000 --count 128 FOLDER   # towers, seen from one side
python -m training.flights --first 59000 --count 36 FOLDER   # nothing built, but roofs lean

Where `training.scenes` teaches what a roof looks like, these pairs teach what the numbers of a
candidate are worth: they went through files, alignment and datum, with all their errors.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import shapely
import xarray as xr
from affine import Affine
from numpy.typing import NDArray
from shapely import Polygon
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from survey.blocks import open_executor, run_all
from survey.errors import OrthowatchError
from survey.examination import examine
from survey.flight import Flight, open_flight
from survey.light import Light
from survey.pair import PairReader, make_pair
from survey.placed_surface import place_surface
from survey.settings import Settings
from survey.simulation import (
    SETTINGS,
    AreaPlan,
    FlightPlan,
    Scene,
    changes_between,
    displacement,
    draw_plan,
    scene_of,
    seen_from_afar,
    view_of,
    whole_changes,
    with_towers,
)
from survey.simulation.camera.press import Press
from survey.simulation.flights import Setting
from survey.windows import Window

__all__ = ["FIRST_SEED", "Flown", "from_afar", "leans", "read_flown", "write_flights"]

FIRST_SEED = 57_000
"""Seed of the first pair; apart from those of the scenes, of the frozen judge and of every test."""

# Of the first pair with towers, seen from one side (``survey.simulation.afar``); in every other one
# nothing is built. And of the first in which nothing is built, and which is rectified on bare
# ground: roofs lie as far out as in single pictures (``change.displaced``).
_FIRST_FROM_AFAR, _FIRST_LEANING = 58_000, 59_000
_TALL: tuple[Setting, ...] = ("town", "urban_village")

# Pixel of the orthophotos to the side of the area, m, and how many pairs have it.
_SIDES_M = {0.1: 120.0, 0.15: 160.0, 0.2: 220.0, 0.3: 280.0, 0.5: 340.0}
_SHARES = (0.15, 0.2, 0.3, 0.2, 0.15)
_SURFACE_PIXELS_M, _OFFSETS_M, _PACES = (0.25, 0.5), (3.0, 6.0, 10.0), (1.0, 3.0, 6.0, 10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flown:
    """A pair of flights as the product reads it, whole, and what is true of it."""

    window: xr.Dataset
    """As ``survey.pair.PairReader.read`` returns it, and beside that both surface models as it
    returns those that stand alone."""
    place: Affine
    """From (col, row) to (x, y)."""
    light: Light
    """Of the after flight to the before flight."""
    gained: BaseGeometry
    """Where structures appeared, m."""
    lost: BaseGeometry
    """Where structures went, m."""


def write_flights(folder: Path, count: int, *, first: int = FIRST_SEED, workers: int = 0) -> None:
    """Render pairs and keep each in `NUMBER/`; what is there already is kept."""
    seeds = [seed for seed in range(first, first + count) if not (folder / f"{seed}").exists()]
    with open_executor(workers) as executor:
        for done, seed in enumerate(run_all(partial(_write, folder), seeds, executor=executor)):
            print(f"{done + 1} of {len(seeds)}: {seed}", flush=True)


def _planned(seed: int) -> tuple[AreaPlan, int]:
    """Plan a pair; return its plan and the index of the later flight."""
    rng = np.random.Generator(np.random.PCG64([seed, 78]))
    pixel_m = float(rng.choice(list(_SIDES_M), p=_SHARES))
    plan = draw_plan(
        seed=seed,
        side_m=_SIDES_M[pixel_m],
        pixel_m=pixel_m,
        flights=3,
        setting=_setting(seed, SETTINGS[int(rng.integers(len(SETTINGS)))]),
        pace=0.0 if _nothing_built(seed) else float(rng.choice(_PACES)),
        offset_m=float(rng.choice(_OFFSETS_M)),
    )
    plan = replace(plan, surface_pixel_m=float(rng.choice(_SURFACE_PIXELS_M)))
    if leans(seed):
        plan = replace(plan, flights=tuple(_leaning(flight) for flight in plan.flights))
    later = int(rng.integers(1, 3))
    return (seen_from_afar(plan, rng) if from_afar(seed) else plan), later


def leans(seed: int) -> bool:
    """Whether nothing is built in a pair, and roofs lean."""
    return seed >= _FIRST_LEANING


def from_afar(seed: int) -> bool:
    """Whether a pair is one of towers, seen from one side."""
    return _FIRST_FROM_AFAR <= seed < _FIRST_LEANING


def _setting(seed: int, drawn: Setting) -> Setting:
    """Return the setting: what is drawn, but towers stand in towns."""
    return _TALL[seed // 2 % len(_TALL)] if from_afar(seed) else drawn


def _nothing_built(seed: int) -> bool:
    return leans(seed) or (from_afar(seed) and seed % 2 == 0)


def _scene(seed: int, plan: AreaPlan) -> Scene:
    scene = scene_of(plan)
    return with_towers(scene) if from_afar(seed) else scene


def _leaning(flight: FlightPlan) -> FlightPlan:
    return replace(flight, mosaic=replace(flight.mosaic, lean=1.0))


def _write(folder: Path, seed: int) -> int:
    plan, later = _planned(seed)
    draft = folder / f"{seed}.draft"
    draft.mkdir(parents=True, exist_ok=True)
    scene = _scene(seed, plan)
    for index in (0, later):
        view = view_of(plan, scene, plan.flights[index])
        Press(folder=draft, view=view).run(pixel_truth=False)
    draft.rename(folder / f"{seed}")
    return seed


def read_flown(folder: Path) -> Flown | None:
    """Align a pair and read all of it; None where the product refuses it."""
    seed = int(folder.name)
    plan, later = _planned(seed)
    before, after = (_opened(folder, plan.flights[index]) for index in (0, later))
    try:
        pair = make_pair(before, after, Settings())
    except OrthowatchError:
        return None
    grid = pair.grid
    lone = place_surface(pair.before, grid), place_surface(pair.after, grid)
    with PairReader(replace(pair, lone=lone)) as reader:
        window = reader.read(Window(row=0, col=0, height=grid.height, width=grid.width))
    truth = _truth_from_afar if from_afar(seed) else _truth
    gained, lost = truth(plan, _scene(seed, plan), later)
    return Flown(
        window=window, place=pair.grid.transform, light=pair.light, gained=gained, lost=lost
    )


def _opened(folder: Path, flight: FlightPlan) -> Flight:
    ortho, dsm = (folder / f"{flight.flown_at:%Y-%m-%d}_{what}.tif" for what in ("ortho", "dsm"))
    return examine(open_flight(ortho, dsm=dsm))


def _truth(plan: AreaPlan, scene: Scene, later: int) -> tuple[BaseGeometry, BaseGeometry]:
    """Return what appeared and what went, where the earlier flight shows it.

    A structure that gave way to another counts as a whole on both sides.
    """
    gained, lost = [], []
    for change in changes_between(scene, 0, later):
        (gained if change.height_gain_m > 0 else lost).append(change.outline)
    for structure in scene.structures:
        old, new = structure.outline_at(0), structure.outline_at(later)
        if old.is_empty != new.is_empty:
            (gained if old.is_empty else lost).append(new if old.is_empty else old)
    return _shown(plan, gained), _shown(plan, lost)


def _truth_from_afar(plan: AreaPlan, scene: Scene, later: int) -> tuple[BaseGeometry, BaseGeometry]:
    """Return the same of whole structures alone, with all that their walls and roofs cover.

    What was added to a tower or taken off it is not told from its roof, which lies elsewhere.
    """
    gained, lost = whole_changes(plan, scene, 0, later)
    return _shown(plan, gained), _shown(plan, lost)


def _shown(plan: AreaPlan, outlines: Sequence[BaseGeometry]) -> BaseGeometry:
    def shown(points: NDArray[np.float64]) -> NDArray[np.float64]:
        east, north = displacement(plan.flights[0], points[:, 0], points[:, 1])
        return points + np.column_stack([east, north])

    there = [
        shapely.make_valid(
            shapely.transform(translate(outline, plan.west_m, plan.south_m), shown),
            method="structure",
            keep_collapsed=False,
        )
        for outline in outlines
    ]
    return shapely.union_all(there) if there else Polygon()


def main() -> int:
    """Render pairs."""
    parser = argparse.ArgumentParser(prog="python -m training.flights", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=450)
    parser.add_argument("--first", type=int, default=FIRST_SEED)
    parser.add_argument("--workers", type=int, default=0)
    chosen = parser.parse_args()
    write_flights(chosen.folder, chosen.count, first=chosen.first, workers=chosen.workers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
