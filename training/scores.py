"""What the numbers of a candidate are worth: python -m training.scores --help

Runs the detector over pictures that it was not taught on, measures every candidate as the product
does, and fits a logistic regression of "30 % of it is true" on its numbers. The weights it prints
stand in `change/picture_judgement.py`.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import numpy as np
import xarray as xr
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import rasterize
from scipy.optimize import minimize
from shapely import Polygon

from change.evidence import weigh
from change.innocent import INNOCENT
from change.looks import MARGIN_M, Look
from change.model.detector import look, shipped_detector
from change.objects import measure
from change.outlines import joined_in_metres, mask_polygons
from change.picture_judgement import score_terms
from survey.light import Light, match_light, to_lab
from survey.settings import DetectSettings
from training.samples import HELD_BACK, Pair, Source, draw_pairs, read_real, read_scenes
from training.scenes import IGNORED, PIXEL_M

__all__ = ["Row", "fit", "rows_of"]

_TILE_PX = 512
_RIGHT = 0.3
_LEAST_M2 = 9.0

Row = dict[str, float]
"""The numbers of a candidate; `right` (0 or 1), `area_m2` and `gained` among them."""


def rows_of(pair: Pair) -> list[Row]:
    """Measure every candidate of a pair as the product does.

    Candidates most of which lie where the truth is not known are left out.
    """
    settings = DetectSettings(min_area_m2=_LEAST_M2)
    window, light = _window(pair)
    weighed = weigh(window, settings, PIXEL_M)
    place = Affine(PIXEL_M, 0.0, 0.0, 0.0, -PIXEL_M, 0.0)
    rows = []
    for gained, mask in ((True, weighed.appeared), (False, weighed.vanished)):
        truth = pair.labels[..., 2 if gained else 3]
        for outline in joined_in_metres(mask_polygons(mask, Affine.identity()), place):
            if outline.area < _LEAST_M2 / 2:
                continue
            part, corner = _cut(window, outline.bounds)
            close = Look(
                window=part,
                transform=place @ Affine.translation(corner[1], corner[0]),
                outline=outline,
                gained=gained,
                roofs=(),
            )
            for item in measure(close, light, settings):
                if item.outline.area >= _LEAST_M2:
                    rows += _row(item.outline, dict(item.evidence), truth, gained=gained)
    return rows


def _window(pair: Pair) -> tuple[xr.Dataset, Light]:
    pictures = [np.ascontiguousarray(np.moveaxis(c, -1, 0)) for c in (pair.before, pair.after)]
    seen = pair.labels[..., 0] != IGNORED
    maps = look(shipped_detector(), *pictures, PIXEL_M)
    labs = [to_lab(colour)[:, seen] for colour in pictures]
    data = {
        "before": (("band", "y", "x"), pictures[0]),
        "after": (("band", "y", "x"), pictures[1]),
        "seen_before": (("y", "x"), seen),
        "seen_after": (("y", "x"), seen),
        "tolerance": (("y", "x"), np.full(seen.shape, 0.2, np.float32)),
    } | {name: (("y", "x"), np.where(seen, band, np.float32(0))) for name, band in maps.items()}
    return xr.Dataset(data), match_light(labs[0][:, ::16], labs[1][:, ::16])


def _cut(window: xr.Dataset, bounds: tuple[float, ...]) -> tuple[xr.Dataset, tuple[int, int]]:
    left, bottom, right, top = bounds
    margin = MARGIN_M
    rows = slice(max(0, int((-top - margin) / PIXEL_M)), int((-bottom + margin) / PIXEL_M))
    cols = slice(max(0, int((left - margin) / PIXEL_M)), int((right + margin) / PIXEL_M))
    return window.isel(y=rows, x=cols), (rows.start, cols.start)


def _row(outline: Polygon, numbers: Row, truth: NDArray[np.uint8], *, gained: bool) -> list[Row]:
    place = Affine(PIXEL_M, 0.0, 0.0, 0.0, -PIXEL_M, 0.0)
    inside = rasterize([outline], out_shape=truth.shape, transform=place) > 0
    said = truth[inside]
    if not len(said) or (said == IGNORED).mean() > 0.4:
        return []
    right = (said == 1).sum() / max(1, (said != IGNORED).sum()) >= _RIGHT
    return [numbers | {"right": float(right), "area_m2": outline.area, "gained": float(gained)}]


def _whole_scenes(folder: Path, *, held_back: bool) -> Iterator[Pair]:
    scenes = read_scenes(folder)
    for scene in scenes[::HELD_BACK] if held_back else scenes:
        height, width = scene.new.shape
        for row in range(0, max(1, height - 64), _TILE_PX):
            for col in range(0, max(1, width - 64), _TILE_PX):
                window = np.s_[row : row + _TILE_PX, col : col + _TILE_PX]
                roofs = [
                    np.where(tile.owner[window] < 0, IGNORED, tile.owner[window] > 0)
                    for tile in (scene.before, scene.after)
                ]
                yield Pair(
                    before=scene.before.colour[window],
                    after=scene.after.colour[window],
                    labels=np.stack(
                        [*roofs, scene.new[window], scene.gone[window]], axis=-1
                    ).astype(np.uint8),
                )


# Which way each term may count; the others either way.
_FOR = ("likely", "peak", "contrast", "roof", "rectangular", "solid", "rim_ratio", "straighter")
_FOR += ("change", "shadow")
_AGAINST = ("against", "roof_other", "green", *INNOCENT)
_RIDGE = 0.002


def fit(rows: list[Row]) -> tuple[float, dict[str, float]]:
    """Fit the start and the weight of each term; rendered and real rows count alike."""
    terms = [score_terms(row) for row in rows]
    names = list(terms[0])
    design = np.array([[1.0, *(term[name] for name in names)] for term in terms])
    right = np.array([row["right"] for row in rows])
    real = np.array([row["real"] for row in rows]) > 0
    share = np.where(real, 0.5 / max(1, real.sum()), 0.5 / max(1, (~real).sum()))

    def cost(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        points = design @ weights
        loss = np.logaddexp(0.0, points) - right * points
        slope = design.T @ (share * (1 / (1 + np.exp(-points)) - right))
        ridge = _RIDGE * np.append(0.0, weights[1:])
        return float(share @ loss + 0.5 * ridge @ weights), slope + ridge

    bounds = [(None, None)] + [
        (0.0 if name in _FOR else None, 0.0 if name in _AGAINST else None) for name in names
    ]
    found = minimize(cost, np.zeros(len(names) + 1), jac=True, bounds=bounds, method="L-BFGS-B")
    return float(found.x[0]), {n: float(w) for n, w in zip(names, found.x[1:], strict=True)}


def tell(rows: list[Row], start: float, weights: dict[str, float]) -> None:
    """Print how well the weights tell right from wrong, by kind of row."""
    for real in (0.0, 1.0):
        some = [row for row in rows if row["real"] == real]
        points = np.array(
            [start + sum(weights[n] * v for n, v in score_terms(row).items()) for row in some]
        )
        likely, right = 1 / (1 + np.exp(-points)), np.array([row["right"] for row in some])
        said = likely >= 0.5
        bins = np.array_split(np.argsort(likely), 10)
        off = sum(len(b) * abs(likely[b].mean() - right[b].mean()) for b in bins if len(b))
        print(
            f"{'real' if real else 'rendered'}: {len(some)} candidates, {int(right.sum())} right;"
            f" said {int(said.sum())}, right {right[said].mean():.3f},"
            f" kept {said[right > 0].mean():.3f}, calibration {off / len(some):.3f}"
        )


def main() -> int:
    """Write the numbers of every candidate, a line of JSON each, and fit weights to them."""
    parser = argparse.ArgumentParser(prog="python -m training.scores", description=__doc__)
    parser.add_argument("--scenes", type=Path, help="scenes of which every eighth was held back")
    parser.add_argument("--unseen", type=Path, help="scenes none of which was taught")
    parser.add_argument("--real", type=Path, help="folder of the real tiles")
    parser.add_argument("--real-pairs", type=int, default=150)
    parser.add_argument("--fit", action="store_true", help="fit weights to the file as it is")
    parser.add_argument("out", type=Path)
    chosen = parser.parse_args()
    if not chosen.fit:
        with chosen.out.open("w", encoding="utf-8") as target:
            for folder, held_back in ((chosen.scenes, True), (chosen.unseen, False)):
                if folder is not None:
                    for pair in _whole_scenes(folder, held_back=held_back):
                        _tell(target, rows_of(pair), real=0.0)
            tiles = read_real(chosen.real)[::HELD_BACK]
            pairs = draw_pairs(Source([], tiles), 320, np.random.default_rng(7), kinds=("laid",))
            for _number in range(chosen.real_pairs):
                _tell(target, rows_of(next(pairs)), real=1.0)
    rows = [json.loads(line) for line in chosen.out.read_text(encoding="utf-8").splitlines()]
    # Weights are told on rows that did not make them.
    told = fit(rows[::2])
    tell(rows[1::2], *told)
    start, weights = fit(rows)
    print(f"_START = {start:.2f}")
    print("_WEIGHTS = {")
    for name, weight in weights.items():
        print(f'    "{name}": {weight:.2f},')
    print("}")
    return 0


def _tell(target: TextIO, rows: list[Row], *, real: float) -> None:
    for row in rows:
        print(json.dumps(row | {"real": real}), file=target, flush=True)


if __name__ == "__main__":
    sys.exit(main())
