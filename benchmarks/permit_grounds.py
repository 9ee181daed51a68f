"""Simulated flights, permit layers as an office might have them, and layers of elsewhere."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from shapely import affinity
from shapely.geometry.base import BaseGeometry

from change.permits import Permit, Permits
from survey.examination import examine
from survey.flight import Flight, open_flight
from survey.simulation import AreaPlan, Setting, displacement, draw_plan, scene_of, view_of
from survey.simulation.camera.press import Press

__all__ = ["Drawn", "Ground", "draw_layer", "grounds", "layer_of", "opened", "related", "unrelated"]

KEPT = Path(__file__).parent / ".cache" / "permit_offsets"
_SETTINGS: tuple[Setting, ...] = (
    "fringe", "urban_village", "town", "industrial", "farmland", "hills",
)  # fmt: skip
_SIDES_M = {0.05: 140.0, 0.08: 200.0, 0.1: 240.0, 0.15: 300.0, 0.2: 360.0, 0.3: 420.0}
_SCENES = 18
# Share of what is drawn that is not built, and of rows that are missing, and cut in half.
_UNBUILT, _MISSING, _HALVED = 0.3, 0.025, 0.025
_TRIES = 4000
Outlines = NDArray[np.object_]
Place = Callable[[NDArray[np.float64], NDArray[np.float64]], tuple[NDArray[np.float64], ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """One simulated flight."""

    seed: int
    """Seed of the scene."""
    setting: Setting
    """Kind of ground."""
    pixel_m: float
    """Pixel of the orthophoto, metres."""

    @property
    def plan(self) -> AreaPlan:
        """How it is flown; the later flight is there to have permits that are not built yet."""
        return draw_plan(
            seed=self.seed,
            side_m=_SIDES_M[self.pixel_m],
            pixel_m=self.pixel_m,
            flights=2,
            setting=self.setting,
            pace=6.0,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A permit layer that was drawn, and the truth of it."""

    outlines: Outlines
    """What is drawn, (n,)."""
    covered: NDArray[np.float64]
    """Share of each that a structure covers where it belongs, (n,)."""
    shift: Place
    """From where something is drawn to how far off the flight shows it, m."""


def grounds(first_seed: int) -> tuple[Ground, ...]:
    """Return the scenes of a draw: every setting three times, pixels in turn."""
    pixels = tuple(_SIDES_M)
    return tuple(
        Ground(
            seed=first_seed + number,
            setting=_SETTINGS[number % len(_SETTINGS)],
            pixel_m=pixels[(number * 5 + number // 6) % len(pixels)],
        )
        for number in range(_SCENES)
    )


def opened(ground: Ground, folder: Path = KEPT) -> Flight:
    """Render the first flight of a scene unless it was, and open it."""
    place = folder / str(ground.seed)
    if not (place / "whole").exists():
        place.mkdir(parents=True, exist_ok=True)
        plan = ground.plan
        Press(folder=place, view=view_of(plan, scene_of(plan), plan.flights[0])).run(
            pixel_truth=False
        )
        (place / "whole").touch()
    files = [next(place.glob(f"*_{what}.tif")) for what in ("ortho", "dsm")]
    return examine(open_flight(files[0], dsm=files[1]))


def layer_of(outlines: Sequence[BaseGeometry] | Outlines, crs: CRS) -> Permits:
    """Return outlines as a permit layer that says nothing else."""
    permits = tuple(
        Permit(
            row=row,
            number=str(row),
            outline=outline,
            granted=None,
            valid_until=None,
            footprint_m2=None,
            floor_area_m2=None,
            storeys=None,
            height_m=None,
            holder="",
            use="",
        )
        for row, outline in enumerate(outlines, start=1)
    )
    return Permits(
        permits=permits,
        source="drawn",
        layer="drawn",
        crs=crs,
        outline_crs=crs,
        encoding="UTF-8",
        rows=len(permits),
        columns=(),
        assumptions=(),
        remarks=(),
        bad_rows=(),
    )


def draw_layer(
    plan: AreaPlan,
    rng: np.random.Generator,
    *,
    move: tuple[float, float] = (0.0, 0.0),
    scatter_m: float = 0.0,
    turn_deg: float = 0.0,
) -> Drawn:
    """Draw the permits of a scene as an office might have them."""
    scene = scene_of(plan)
    stands = shapely.union_all([item.outline_at(0) for item in scene.structures])
    shapely.prepare(stands)
    planned = [permit.outline for permit in scene.permits]
    planned += _unbuilt(planned, stands, plan.side_m, rng)
    planned = [o for o in planned if rng.random() >= _MISSING]
    covered = np.array([o.intersection(stands).area / o.area for o in planned])
    middle = plan.west_m + plan.side_m / 2, plan.south_m + plan.side_m / 2
    outlines = []
    for outline in planned:
        kept = _half(outline) if rng.random() < _HALVED else outline
        off = np.array(move) + rng.normal(0, scatter_m, 2)
        placed = affinity.translate(kept, plan.west_m, plan.south_m)
        placed = affinity.rotate(placed, -turn_deg, origin=middle)
        outlines.append(affinity.translate(placed, *off))
    turn = math.radians(turn_deg)

    def shift(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        u, v = x - move[0] - middle[0], y - move[1] - middle[1]
        true_x = middle[0] + math.cos(turn) * u - math.sin(turn) * v
        true_y = middle[1] + math.sin(turn) * u + math.cos(turn) * v
        east, north = displacement(plan.flights[0], true_x, true_y)
        return true_x + east - x, true_y + north - y

    return Drawn(outlines=np.array(outlines, dtype=object), covered=covered, shift=shift)


def _unbuilt(
    planned: Sequence[BaseGeometry], stands: BaseGeometry, side_m: float, rng: np.random.Generator
) -> list[BaseGeometry]:
    """Return outlines of the layer's kind on open ground, until enough of it is not built."""
    built = sum(outline.intersects(stands) for outline in planned)
    wanted = round(_UNBUILT / (1 - _UNBUILT) * built) - (len(planned) - built)
    inside, found = shapely.box(2.0, 2.0, side_m - 2.0, side_m - 2.0), list[BaseGeometry]()
    for _try in range(_TRIES):
        if len(found) >= wanted:
            break
        outline = planned[int(rng.integers(len(planned)))]
        outline = affinity.rotate(outline, rng.choice([0.0, 90.0, rng.uniform(0, 90)]))
        spot, to = outline.centroid, rng.uniform(0, side_m, 2)
        outline = affinity.translate(outline, to[0] - spot.x, to[1] - spot.y)
        if inside.contains(outline) and not stands.intersects(outline.buffer(1.5)):
            found.append(outline)
    return found


def _half(outline: BaseGeometry) -> BaseGeometry:
    west, south, east, north = outline.bounds
    return outline.intersection(shapely.box(west, south, (west + east) / 2, north))


def related(ground: Ground) -> Iterator[tuple[str, Drawn]]:
    """Yield the layers of a scene by name: those that belong there."""
    plan = ground.plan
    for name, distance, scatter, turn in (
        ("0 m", 0.0, 0.0, 0.0),
        ("1 m", 1.0, 0.0, 0.0),
        ("2 m", 2.0, 0.0, 0.0),
        ("3 m", 3.0, 0.0, 0.0),
        ("3 m scattered", 3.0, 0.3, 0.0),
        ("3 m turned", 3.0, 0.0, 0.1),
        ("12 m scattered", 12.0, 0.3, 0.0),
    ):
        rng = np.random.default_rng([ground.seed, len(name), int(distance)])
        way = rng.uniform(0, 2 * math.pi)
        move = distance * math.sin(way), distance * math.cos(way)
        yield name, draw_layer(plan, rng, move=move, scatter_m=scatter, turn_deg=turn)


def unrelated(ground: Ground) -> Iterator[tuple[str, Outlines]]:
    """Yield layers that do not belong to the flight."""
    plan = ground.plan
    rng = np.random.default_rng([ground.seed, 1])
    own = draw_layer(plan, rng).outlines
    way, distance = rng.uniform(0, 2 * math.pi), rng.uniform(32.0, 60.0)
    far = [affinity.translate(o, distance * math.sin(way), distance * math.cos(way)) for o in own]
    yield "moved 32 to 60 m", np.array(far, dtype=object)
    few = rng.choice(len(far), min(len(far), 12), replace=False)
    yield "a dozen moved so", np.array(far, dtype=object)[few]
    elsewhere = draw_plan(seed=ground.seed + 500, side_m=plan.side_m, setting=ground.setting)
    yield "of other ground", draw_layer(elsewhere, rng).outlines
    spots = rng.uniform(0, plan.side_m, (int(rng.integers(5, 200)), 2))
    boxes = [
        affinity.rotate(shapely.box(x, y, x + width, y + depth), rng.uniform(0, 90))
        for (x, y), width, depth in zip(
            spots, rng.uniform(5, 25, len(spots)), rng.uniform(5, 15, len(spots)), strict=True
        )
    ]
    yield (
        "rectangles",
        np.array([affinity.translate(b, plan.west_m, plan.south_m) for b in boxes], dtype=object),
    )
    pitch, turn = rng.uniform(8, 14), rng.uniform(0, 90)
    rows = [
        affinity.rotate(
            shapely.box(x, y, x + pitch - 1.5, y + 10.0), turn, origin=(plan.side_m / 2,) * 2
        )
        for x in np.arange(0, plan.side_m, pitch)
        for y in np.arange(0, plan.side_m, 16.0)
    ]
    yield (
        "rows of like houses",
        np.array([affinity.translate(b, plan.west_m, plan.south_m) for b in rows], dtype=object),
    )
