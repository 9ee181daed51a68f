"""How well outlines are squared and refined: rough ones against the truth, before and after.

python -m benchmarks.outlining simulated [--seeds N] [--cache FOLDER]
python -m benchmarks.outlining banepa [--limit N]
python -m benchmarks.outlining learn [--seeds N] [--limit N]   # what the clues are worth

Rough outlines are made from true ones as segmentations err: rasterised at 0.2 m, blurred, grown or
shrunk, frayed, bitten and shifted. Simulated truth is the footprint, moved to where the flight
shows the roof; Banepa's outlines are drawn by volunteers, often half a metre off.
"""

import argparse
import pickle
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import rasterize
from scipy.optimize import minimize
from shapely import Polygon, affinity

from benchmarks.pictures import REAL_SETS, real_folder
from change.outlines import mask_polygons, square
from change.refinement import CLUES, clues_of, drawn_ring, refine, turned_strips
from change.strips import cut_view
from survey.simulation import (
    SETTINGS,
    AreaPlan,
    FlightPlan,
    Scene,
    displacement,
    draw_plan,
    image_frame,
    render_image,
    render_truth,
    scene_of,
    view_of,
)
from survey.simulation.camera.aim import Frame

__all__ = ["OutlineCase", "banepa_cases", "roughened", "simulated_cases"]

FIRST_SEED = 71_000
"""Seed of the first simulated area."""
REACH_M = 0.9
"""How far an edge may move, m."""

_SIDES_M = {0.05: 60.0, 0.08: 90.0, 0.1: 110.0, 0.15: 150.0, 0.2: 180.0, 0.3: 240.0}
_LEAST_M2 = 20.0
_AROUND_M = 6.0
_SEGMENTED_M = 0.2
_SLACK_M = 0.6
_STANDING_M = 1.8
# True edges are known to about so much, m; free shapes teach nothing.
_TRUTH_M, _MOST_CORNERS = 0.12, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlineCase:
    """One structure, as it is and as a segmentation drew it."""

    group: str
    """Seed and setting, or file."""
    truth: Polygon
    """Its outline where the picture shows it, m."""
    rough: Polygon
    """What a segmentation made of it, m."""
    picture: NDArray[np.uint8]
    """(3, row, col) around it."""
    valid: NDArray[np.bool_]
    """(row, col), where the picture shows ground."""
    new: bool
    """Whether it was not there a flight before."""
    transform: Affine
    """From (col, row) to (x, y)."""


def roughened(truth: Polygon, rng: np.random.Generator) -> Polygon | None:
    """Draw a true outline as a segmentation might, or None where nothing is left of it."""
    left, bottom, right, top = truth.buffer(3.0).bounds
    place = Affine(_SEGMENTED_M, 0, left, 0, -_SEGMENTED_M, top)
    size = (int((top - bottom) / _SEGMENTED_M), int((right - left) / _SEGMENTED_M))
    east, north = rng.uniform(-0.3, 0.3, 2) * np.sqrt(0.5)
    moved = affinity.translate(truth, east, north)
    mask = rasterize([moved], size, transform=place).astype(np.uint8)
    mask = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), rng.uniform(1.5, 4.0)) > 0.5
    inside = mask.astype(np.uint8)
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, 5)
    depth -= cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)
    depth *= _SEGMENTED_M
    noise = cv2.GaussianBlur(rng.normal(size=size).astype(np.float32), (0, 0), rng.uniform(3, 7))
    depth += noise / noise.std() * rng.uniform(0.2, 0.45)
    depth += float(np.clip(rng.normal(0.0, 0.3), -0.7, 0.7))
    for _ in range(int(rng.poisson(0.4))):
        bite = truth.exterior.interpolate(rng.random(), normalized=True).buffer(rng.uniform(0.5, 1))
        depth[rasterize([bite], size, transform=place) > 0] = rng.choice((-1.0, 1.0))
    parts = mask_polygons(depth > 0, place)
    rough = max(parts, key=lambda part: part.area, default=None)
    whole = Polygon(rough.exterior) if rough is not None else None
    return (
        whole if whole is not None and whole.intersection(truth).area > 0.3 * truth.area else None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sight:
    """A flight laid on the true grid, local metres."""

    colour: NDArray[np.uint8]
    valid: NDArray[np.bool_]
    owner: NDArray[np.int32]
    rise: NDArray[np.float32]
    east: NDArray[np.float32]
    north: NDArray[np.float32]


def _look(plan: AreaPlan, scene: Scene, flight: FlightPlan) -> _Sight:
    view, frame = view_of(plan, scene, flight), image_frame(plan, flight)
    pixels, seen = render_image(view, frame.window)
    truth = render_truth(view, frame.window)
    columns, rows, east, north = _places(plan, flight, frame)

    def laid(layer: NDArray[np.generic], way: int) -> NDArray[np.float32]:
        return np.asarray(cv2.remap(np.float32(layer), columns, rows, way), np.float32)

    return _Sight(
        colour=np.stack([cv2.remap(band, columns, rows, cv2.INTER_LINEAR) for band in pixels]),
        valid=laid(seen, cv2.INTER_LINEAR) > 0.999,
        owner=laid(truth.owner, cv2.INTER_NEAREST).astype(np.int32),
        rise=laid(truth.rise_m, cv2.INTER_NEAREST),
        east=laid(truth.east_m, cv2.INTER_NEAREST) - east,
        north=laid(truth.north_m, cv2.INTER_NEAREST) - north,
    )


def _places(plan: AreaPlan, flight: FlightPlan, frame: Frame) -> tuple[NDArray[np.float32], ...]:
    """Give column and row in a flight's file of the true grid, and the displacement there."""
    at = (np.arange(round(plan.side_m / plan.pixel_m)) + 0.5) * plan.pixel_m
    x, y = np.meshgrid(plan.west_m + at, plan.south_m + plan.side_m - at)
    dx, dy = displacement(flight, x, y)
    column = (x + dx - frame.west) / frame.pixel_m - 0.5
    row = (frame.north - y - dy) / frame.pixel_m - 0.5
    return tuple(part.astype(np.float32) for part in (column, row, dx, dy))


def simulated_cases(seed: int) -> Iterator[OutlineCase]:
    """Yield what stands in one simulated area, in one of its later flights."""
    rng = np.random.Generator(np.random.PCG64([seed, 6]))
    pixel_m = list(_SIDES_M)[seed % len(_SIDES_M)]
    setting = SETTINGS[seed % len(SETTINGS)]
    plan = draw_plan(
        seed=seed, side_m=_SIDES_M[pixel_m], pixel_m=pixel_m, setting=setting, pace=6.0
    )
    scene = scene_of(plan)
    after = 1 + seed % 3
    now = _look(plan, scene, plan.flights[after])
    place = Affine(pixel_m, 0, 0, 0, -pixel_m, plan.side_m)
    for structure in scene.structures:
        own = (now.owner == structure.number) & (now.rise > _STANDING_M)
        outline = structure.outline_at(after)
        if not isinstance(outline, Polygon) or outline.area < _LEAST_M2 or own.sum() < 50:
            continue
        truth = affinity.translate(outline, np.median(now.east[own]), np.median(now.north[own]))
        seen = rasterize([truth], own.shape, transform=place) > 0
        # What trees or a taller neighbour hide has no outline to be found.
        hidden = 1 - (own & seen).sum() * pixel_m**2 / truth.area
        rough = roughened(truth, rng)
        if rough is None or hidden > 0.25:
            continue
        new = not structure.parts_at(0) and not structure.replaces
        cut = _cut(rough, place, own.shape)
        yield OutlineCase(
            group=f"{setting} {pixel_m:.2f}",
            truth=truth,
            rough=rough,
            picture=np.ascontiguousarray(now.colour[:, *cut]),
            valid=np.ascontiguousarray(now.valid[cut]),
            new=new,
            transform=place @ Affine.translation(cut[1].start, cut[0].start),
        )


def _cut(outline: Polygon, place: Affine, shape: tuple[int, ...]) -> tuple[slice, slice]:
    left, bottom, right, top = outline.bounds
    col, row = ~place @ (left - _AROUND_M, top + _AROUND_M)
    last_col, last_row = ~place @ (right + _AROUND_M, bottom - _AROUND_M)
    return (
        slice(max(0, int(row)), min(shape[0], int(last_row))),
        slice(max(0, int(col)), min(shape[1], int(last_col))),
    )


def banepa_cases(folder: Path, limit: int = 10_000) -> Iterator[OutlineCase]:
    """Yield the roofs that lie wholly in one of Banepa's pictures, metres on the ground."""
    rng = np.random.Generator(np.random.PCG64([FIRST_SEED, 7]))
    outlines = gpd.read_file(folder / "train/banepa/labels/buildings.geojson").to_crs(3857)
    count = 0
    for path in sorted(folder.glob(REAL_SETS["banepa"])):
        with rasterio.open(path) as dataset:
            picture = dataset.read([1, 2, 3])
            # Web Mercator stretches by 1 / cos(latitude).
            pixel_m = dataset.res[0] * np.cos(np.radians(dataset.lnglat()[1]))
            shape, to_pixel = dataset.shape, ~dataset.transform
        place = Affine(pixel_m, 0, 0, 0, -pixel_m, shape[0] * pixel_m)
        for outline in outlines.geometry.explode():
            truth = affinity.affine_transform(outline, (place @ to_pixel).to_shapely())
            frame = shapely.box(0, 0, shape[1] * pixel_m, shape[0] * pixel_m).buffer(-2)
            if truth.area < _LEAST_M2 or not truth.within(frame) or not truth.is_valid:
                continue
            rough = roughened(truth, rng)
            if rough is None:
                continue
            cut = _cut(rough, place, shape)
            cutting = np.ascontiguousarray(picture[:, *cut])
            yield OutlineCase(
                group=path.stem,
                truth=truth,
                rough=rough,
                picture=cutting,
                valid=cutting.any(axis=0),
                new=False,
                transform=place @ Affine.translation(cut[1].start, cut[0].start),
            )
            count += 1
            if count >= limit:
                return


def overlap(one: Polygon, other: Polygon) -> float:
    """Return the intersection of two outlines over their union."""
    shared = one.intersection(other).area
    return float(shared / max(one.area + other.area - shared, 1e-9))


def _refined(case: OutlineCase) -> Polygon:
    found = refine(case.rough, case.picture, case.transform, reach_m=REACH_M, valid=case.valid)
    return found.outline


WAYS: dict[str, Callable[[OutlineCase], Polygon]] = {
    "rough": lambda case: case.rough,
    "squared": lambda case: square(case.rough, slack_m=_SLACK_M),
    "refined": _refined,
}


def measure(cases: Sequence[OutlineCase]) -> pd.DataFrame:
    """Return a row for every case and way: overlap, area over the true one, seconds."""
    rows = []
    for number, case in enumerate(cases):
        for name, way in WAYS.items():
            start = time.process_time()
            outline = way(case)
            spent = time.process_time() - start
            rows.append(
                {
                    "case": number,
                    "group": case.group,
                    "way": name,
                    "iou": overlap(outline, case.truth),
                    "ratio": outline.area / case.truth.area,
                    "ms": spent * 1000,
                    "corners": len(outline.exterior.coords) - 1,
                    "off": case.rough.area / case.truth.area,
                    "changed": case.new,
                }
            )
    return pd.DataFrame(rows)


def summary(table: pd.DataFrame) -> str:
    """Lay the figures out, a line for every way."""
    lines = [
        f"{'':22}{'n':>6}{'median':>8}{'mean':>7}{'< 0.8':>7}{'area':>7}{'median':>8}"
        f"{'follows':>9}{'corners':>9}{'ms':>6}"
    ]
    for name in WAYS:
        rows = table[table.way == name]
        # By how much of its error in area the rough outline passes on.
        follows = np.polyfit(np.log(rows.off), np.log(rows.ratio), 1)[0] if len(rows) > 1 else 0.0
        lines.append(
            f"{name:22}{len(rows):6}{rows.iou.median():8.3f}{rows.iou.mean():7.3f}"
            f"{(rows.iou < 0.8).mean():7.3f}{rows.ratio.mean():7.3f}{rows.ratio.median():8.3f}"
            f"{follows:9.2f}{rows.corners.median():9.0f}{rows.ms.median():6.1f}"
        )
    return "\n".join(lines)


def learn(cases: Sequence[OutlineCase]) -> dict[str, float]:
    """Learn what each clue is worth: logistic choice among places, by penalised likelihood."""
    places = np.linspace(-REACH_M, REACH_M, 37)
    gathered = [found for case in cases for found in _clues(case, places)]
    clues = np.stack([found for found, _true, _length in gathered])
    true, length = (np.array([found[k] for found in gathered]) for k in (1, 2))
    # What is usual without a picture is learnt beside the clues, and left to ``refine``.
    off = np.broadcast_to(np.stack([-((places / REACH_M) ** 2), -np.abs(places) / REACH_M]),
                          (len(clues), 2, len(places)))  # fmt: skip
    clues = np.concatenate([clues, off], axis=1)
    wanted = np.exp(-0.5 * ((places - true[:, None]) / _TRUTH_M) ** 2)
    wanted /= wanted.sum(axis=1, keepdims=True)
    share = np.minimum(length, 10.0) / np.minimum(length, 10.0).sum()

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        points = np.einsum("f,nfk->nk", weights, clues)
        chance = np.exp(points - points.max(axis=1, keepdims=True))
        chance /= chance.sum(axis=1, keepdims=True)
        missed = -(share[:, None] * wanted * np.log(chance + 1e-12)).sum()
        slope = np.einsum("nk,nfk->f", share[:, None] * (chance - wanted), clues)
        return missed + 1e-3 * float(weights @ weights), slope + 2e-3 * weights

    found = minimize(loss, np.zeros(clues.shape[1]), jac=True, method="L-BFGS-B").x
    return dict(zip(CLUES, found, strict=False))


def _clues(
    case: OutlineCase, places: NDArray[np.float64]
) -> Iterator[tuple[NDArray[np.float64], float, float]]:
    """Yield clues, true place and length of the edges whose true place can be told, m."""
    drawn = drawn_ring(case.rough, REACH_M)
    view = cut_view(case.picture, case.valid, case.transform, case.rough, REACH_M)
    if view is None or len(drawn.exterior.coords) > _MOST_CORNERS:
        return
    strips, ring = turned_strips(drawn, view, REACH_M)
    seen, clues = clues_of(strips, REACH_M)
    edges = np.roll(ring, -1, axis=0) - ring
    ahead = edges / strips.lengths[:, None]
    outwards = np.column_stack([ahead[:, 1], -ahead[:, 0]])
    far = REACH_M + 0.4
    steps, parts = np.arange(-far, far, 0.05) + 0.025, np.linspace(0.2, 0.8, 9)
    points = (ring + np.array(view.origin))[:, None, None] + parts[:, None] * edges[:, None, None]
    points = points + steps[:, None, None] * outwards[:, None, None]
    covered = shapely.contains_xy(case.truth, points[..., 0], points[..., 1]).mean(axis=-1)
    true = covered.sum(axis=1) * 0.05 - far
    told = (covered[:, 0] > 0.85) & (covered[:, -1] < 0.15) & (np.abs(true) < REACH_M)
    for edge in np.flatnonzero(told & (strips.lengths > 1.5)):
        on = [np.interp(places, seen, clue) for clue in clues[:, :, edge]]
        yield np.stack(on), float(true[edge]), float(strips.lengths[edge])


def cached_cases(seeds: Sequence[int], cache: Path | None) -> list[OutlineCase]:
    """Render the cases of many areas, or read what was rendered before."""
    cases: list[OutlineCase] = []
    for seed in seeds:
        path = cache / f"{seed}.pickle" if cache else None
        if path is not None and path.exists():
            cases += pickle.loads(path.read_bytes())
            continue
        found = list(simulated_cases(seed))
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(pickle.dumps(found))
        cases += found
    return cases


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.outlining", description=__doc__)
    parser.add_argument("source", choices=("simulated", "banepa", "learn"))
    parser.add_argument("--seeds", type=int, default=14)
    parser.add_argument("--first", type=int, default=FIRST_SEED)
    parser.add_argument("--limit", type=int, default=10_000)
    parser.add_argument("--cache", type=Path)
    chosen = parser.parse_args()
    cases = []
    if chosen.source != "simulated":
        folder = real_folder()
        if folder is None:
            parser.error("say by ORTHOWATCH_REAL_DATA where the real pictures are")
        cases += banepa_cases(folder, chosen.limit)
    if chosen.source != "banepa":
        cases += cached_cases(range(chosen.first, chosen.first + chosen.seeds), chosen.cache)
    if chosen.source == "learn":
        print(", ".join(f"{name} {worth:.2f}" for name, worth in learn(cases).items()))
        return 0
    table = measure(cases)
    print(summary(table))
    if chosen.source == "simulated":
        for changed in (True, False):
            print("appeared" if changed else "stood before")
            print(summary(table[table.changed == changed]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
