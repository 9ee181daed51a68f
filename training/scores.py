"""What the numbers of a candidate are worth: python -m training.scores --help

Runs the detector over pictures that it was not taught on, measures every candidate as the product
does, and learns from its numbers whether 30 % of it is true: boosted trees (Friedman 2001) that are
written to `change/model/by_picture.json`, `by_one_model.json` and `by_height.json`; and so for the
places of single pictures that may be roofs: `by_roof.json` and `by_whole_roof.json`. What is found
where roofs lean and nothing was built is held against what is right: `by_displacement.json`, and
`by_lean.json` where all lean one way.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from change.innocent import INNOCENT, INNOCENT_BY_HEIGHT
from change.model.trees import parse_trees
from survey.blocks import open_executor, run_all
from training.candidates import Row, rows_of_flown, rows_of_pairs
from training.flights import from_afar, leans, read_flown
from training.pieces import Tile
from training.roof_rows import rows_of_tile
from training.samples import HELD_BACK, Pair, Scene, Source, draw_pairs, read_real, read_scenes
from training.scales import patchworks
from training.scenes import IGNORED

__all__ = [
    "BY_DISPLACEMENT",
    "BY_HEIGHT",
    "BY_LEAN",
    "BY_ONE_MODEL",
    "BY_PICTURE",
    "BY_ROOF",
    "BY_WHOLE_ROOF",
    "LESSONS",
    "Lesson",
    "fit",
]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a set of trees is shown, and how far it may go."""

    name: str
    """Name of its file."""
    senses: Mapping[str, int]
    """Which way each number may count: 1 for a structure, -1 against it, 0 either way."""
    trees: int
    """How many trees."""
    leaves: int
    """Leaves of each, at most."""
    alike: str = "real"
    """Rows that have this and rows that have not count alike."""


# Hue and light are left out: those of rendered roofs are not those of roofs (decision 11).
_BY_PICTURE = {
    "likely": 1, "peak": 1, "around": -1, "against": -1, "roof": 1, "roof_other": -1,
    "width_m": 1, "length_m": 0, "rectangular": 1, "solid": 1,
    "right_angles": 1, "right_angles_other": -1, "rim": 1, "rim_other": -1,
    "plain": 0, "plain_other": 0, "change": 1, "shadow": 1, "casts": 1, "casts_other": -1,
    "green": -1, "green_other": 0,
    "beside_m2": 0, "gained": 0,
} | {f"like_{name}": -1 for name in INNOCENT}  # fmt: skip
_BY_ONE_MODEL = _BY_PICTURE | {"stands_m": 1, "stands_other_m": -1}
_BY_HEIGHT = {
    "height_gain_m": 0, "height_error_m": -1, "spread_m": -1, "wall": 1, "roughness_m": -1,
    "uneven_m": -1, "around": -1, "top_m": 0, "on_roof": 0, "touching": 1,
    "area_m2": 1, "width_m": 1, "length_m": 0, "rectangular": 1, "solid": 1,
    "green": -1, "green_other": 0, "changed": 1, "right_angled": 1,
    "seen_as_roof": 1, "seen_as_roof_other": 0, "seen_to_change": 1, "went": 0,
    } | {f"like_{name}": -1 for name in INNOCENT_BY_HEIGHT}  # fmt: skip
BY_PICTURE = Lesson("by_picture", _BY_PICTURE, trees=300, leaves=8)
"""Candidates without heights."""
BY_ONE_MODEL = Lesson("by_one_model", _BY_ONE_MODEL, trees=300, leaves=8)
"""Candidates of which the surface model of one flight tells something."""
BY_HEIGHT = Lesson("by_height", _BY_HEIGHT, trees=200, leaves=12)
"""Candidates with heights."""
BY_DISPLACEMENT = Lesson(
    "by_displacement",
    {
        "moved_alike": 1, "moved_alone": 1, "moved_m": 0, "moved_here": -1, "moved_still": -1,
        "moved_from": 1, "moved_m2": 0, "roof_other": 0,
    },
    trees=80,
    leaves=6,
    alike="right",
)  # fmt: skip
"""Candidates that may be roofs which the other picture shows elsewhere, beside right ones."""

BY_LEAN = Lesson(
    "by_lean",
    {
        **BY_DISPLACEMENT.senses,
        "along_alike": 1, "along_roof": 1, "along_beyond": 1, "along_m": 0, "along_still": -1,
        "along_from": 1,
    },
    trees=150,
    leaves=8,
    alike="right",
)  # fmt: skip
"""The same where all roofs of a pair lean one way."""

_BY_ROOF = {
    "likely": 1, "peak": 1, "least": 1, "around": -1, "rectangular": 1, "solid": 1,
    "right_angles": 1, "rim": 1, "plain": 0, "casts": 1, "green": -1,
    "area_m2": 0, "width_m": 0, "length_m": 0,
}  # fmt: skip
BY_ROOF = Lesson("by_roof", _BY_ROOF, trees=100, leaves=8)
"""Places of one picture that may be roofs."""
BY_WHOLE_ROOF = Lesson("by_whole_roof", _BY_ROOF, trees=100, leaves=8)
"""The same: whether each is one structure, and all of it."""
LESSONS = (
    BY_PICTURE, BY_ONE_MODEL, BY_HEIGHT, BY_DISPLACEMENT, BY_LEAN, BY_ROOF, BY_WHOLE_ROOF,
)  # fmt: skip
"""All that is learnt from the rows of one file."""

# What a detector need not give, what flights under a high or hidden sun do not tell, and what
# heights are told only of what went; and how much a row counts where that is taken away, so that
# the trees know what to do without it.
_OPTIONAL = (
    (("roof", "roof_other", "beside_m2", "seen_as_roof", "seen_as_roof_other"), 0.2),
    (("casts", "casts_other"), 0.2),
    (("went",), 1.0),
)
_FOLDS = 5
_RATE, _LEAST_ROWS, _RIDGE = 0.05, 20, 2.0
_TILE_PX = 512
# Two places are compared tile by tile: joined, the seams would look like walls. They have many
# candidates: so few of the pairs are of places with roofs.
_LONE_PX, _APART = 256, 0.25


def fit(rows: list[Row], lesson: Lesson) -> str:
    """Learn from rows whether they are right; return trees as `change.model.trees` reads them.

    Rendered and real rows count alike, or whatever else the lesson says.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    design, right, weight = _table(rows, lesson)
    optional = [(names, much) for names, much in _OPTIONAL if set(names) & set(lesson.senses)]
    designs = [design, *(_without(design, lesson, names) for names, _much in optional)]
    weights = [weight, *(much * weight for _names, much in optional)]
    model = HistGradientBoostingClassifier(
        max_iter=lesson.trees,
        learning_rate=_RATE,
        max_leaf_nodes=lesson.leaves,
        min_samples_leaf=_LEAST_ROWS,
        l2_regularization=_RIDGE,
        monotonic_cst=list(lesson.senses.values()),
        early_stopping=False,
        random_state=0,
    )
    model.fit(np.concatenate(designs), np.tile(right, len(designs)), np.concatenate(weights))
    return json.dumps(_as_json(model, tuple(lesson.senses)), separators=(",", ":")) + "\n"


def _without(
    design: NDArray[np.float64], lesson: Lesson, names: Sequence[str]
) -> NDArray[np.float64]:
    """Return rows in which some numbers are not known."""
    less = design.copy()
    less[:, [name in names for name in lesson.senses]] = np.nan
    return less


def _rows_for(lesson: Lesson, rows: list[Row]) -> list[Row]:
    if lesson is BY_ROOF:
        return [row for row in rows if "stock" in row]
    if lesson is BY_WHOLE_ROOF:
        return [row | {"right": row["whole"]} for row in rows if row.get("stock") and row["right"]]
    # Which candidates of leaning flights are wrong is no matter of their scores alone.
    if lesson is BY_DISPLACEMENT:
        searched = [row for row in rows if "moved_alike" in row]
        return [
            row | {"right": float("leaning" in row)}
            for row in searched
            if (row["right"] or "leaning" in row) and "afar" not in row
        ]
    if lesson is BY_LEAN:
        found = [row for row in rows if "afar" in row and "along_alike" in row]
        return [row | {"right": 1.0 - row["right"]} for row in found]
    return [
        row | {"went": 1.0 - row["gained"]}
        for row in rows
        if not {"stock", "leaning", "afar"} & set(row) and _lesson_of(row) is lesson
    ]


def _lesson_of(row: Row) -> Lesson:
    if row["heights"]:
        return BY_HEIGHT
    return BY_ONE_MODEL if {"stands_m", "stands_other_m"} & set(row) else BY_PICTURE


def _table(
    rows: list[Row], lesson: Lesson
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    design = np.array([[row.get(name, np.nan) for name in lesson.senses] for row in rows])
    right = np.array([row["right"] for row in rows])
    some = np.array([row[lesson.alike] for row in rows]) > 0
    weight = np.ones(len(rows))
    if some.any():
        weight = np.where(some, 0.5 / some.mean(), 0.5 / max(1e-9, (~some).mean()))
    return design, right, weight


def _as_json(model: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """Return what scikit-learn keeps of its trees, as `change.model.trees` reads it."""

    def node(nodes: Any, index: int) -> Any:
        one = nodes[index]
        if one["is_leaf"]:
            return round(float(one["value"]), 5)
        branches = (node(nodes, int(one[side])) for side in ("left", "right"))
        most = float(f"{one['num_threshold']:.6g}")
        return [names[one["feature_idx"]], most, bool(one["missing_go_to_left"]), *branches]

    trees = [node(stage[0].nodes, 0) for stage in model._predictors]
    return {"start": float(np.ravel(model._baseline_prediction)[0]), "trees": trees}


def tell(rows: list[Row], lesson: Lesson) -> None:
    """Print how well trees tell right from wrong on scenes that they did not learn from."""
    folds = np.array([int(row["scene"]) % _FOLDS for row in rows])
    likely = np.zeros(len(rows))
    for fold in range(_FOLDS):
        others = [row for row, f in zip(rows, folds, strict=True) if f != fold]
        told = parse_trees(fit(others, lesson))
        for index in np.flatnonzero(folds == fold):
            likely[index] = told.probability(rows[index])
    for real in (0.0, 1.0):
        some = np.array([row["real"] == real for row in rows])
        if some.any():
            _tell("real" if real else "rendered", likely[some], _table(rows, lesson)[1][some])


def _tell(name: str, likely: NDArray[np.float64], right: NDArray[np.float64]) -> None:
    said = likely >= 0.5
    bins = np.array_split(np.argsort(likely), 10)
    off = sum(len(b) * abs(likely[b].mean() - right[b].mean()) for b in bins if len(b))
    ranked = right[np.argsort(-likely)]
    at = [
        ranked[: np.searchsorted(ranked.cumsum(), s * right.sum()) + 1].mean() for s in (0.8, 0.9)
    ]
    print(
        f"{name}: {len(right)} candidates, {int(right.sum())} right; said {int(said.sum())}, right"
        f" {right[said].mean():.3f}, kept {said[right > 0].mean():.3f}, where 0.8 and 0.9 are kept"
        f" right {at[0]:.3f} and {at[1]:.3f}; calibration {off / len(right):.3f}"
    )


def _gather(chosen: argparse.Namespace) -> Iterator[Row]:
    """Yield the rows of scenes, of real tiles and of flights, each with the number of its scene."""
    for folder, every in ((chosen.scenes, HELD_BACK), (chosen.unseen, 1)):
        for number, scene in enumerate(read_scenes(folder)[::every] if folder else ()):
            yield from _marked(_rows_of_scene(scene), number, real=0.0)
            yield from _marked(_roof_rows(number, scene.before, scene.after), number, real=0.0)
    yield from _real_rows(read_real(chosen.real)[::HELD_BACK], chosen.real_pairs)
    if chosen.flights:
        folders = sorted(path for path in chosen.flights.iterdir() if path.name.isdigit())
        with open_executor(chosen.workers) as executor:
            for number, rows in enumerate(run_all(_flown_rows, folders, executor=executor)):
                yield from _marked(rows, number, real=0.0)


def _real_rows(tiles: list[Tile], pairs: int) -> Iterator[Row]:
    for number, tile in enumerate(tiles):
        yield from _marked(_roof_rows(number, tile), number, real=1.0)
    wide = patchworks(tiles, np.random.default_rng(7))
    bare = [tile for tile in tiles if tile.bare]
    # A tile against itself keeps its ground; of two places nothing is alike. And where nothing
    # stands in either nothing is true: fields that were mown or flooded are taken for roofs.
    for kind, drawn_from, side, count in (
        ("laid", wide, _TILE_PX, pairs),
        ("quiet", wide, _TILE_PX, pairs),
        ("apart", tiles, _LONE_PX, round(_APART * pairs)),
        ("apart", bare, _LONE_PX, pairs),
    ):
        drawn = draw_pairs(Source([], drawn_from), side, np.random.default_rng(7), kinds=(kind,))
        for number in range(count):
            # What is laid in casts shadows of its own, whichever way those of the tile fall.
            yield from _marked(rows_of_pairs([next(drawn)], sunny=False), number, real=1.0)


def _roof_rows(seed: int, *tiles: Tile) -> Iterator[Row]:
    rng = np.random.default_rng(seed)
    return (row for tile in tiles for row in rows_of_tile(tile, rng))


def _flown_rows(folder: Path) -> list[Row]:
    flown = read_flown(folder)
    if flown is None:
        return []
    seed = int(folder.name)
    if not (leans(seed) or from_afar(seed)):
        return rows_of_flown(flown)
    mark = {"leaning" if leans(seed) else "afar": 1.0}
    return [row | mark for row in rows_of_flown(flown, pictures_alone=True)]


def _marked(rows: Iterable[Row], number: int, *, real: float) -> Iterator[Row]:
    return (row | {"scene": float(number), "real": real} for row in rows)


def _rows_of_scene(scene: Scene) -> list[Row]:
    height, width = scene.new.shape
    pairs = []
    for row in range(0, max(1, height - 64), _TILE_PX):
        for col in range(0, max(1, width - 64), _TILE_PX):
            window = np.s_[row : row + _TILE_PX, col : col + _TILE_PX]
            roofs = [
                np.where(tile.owner[window] < 0, IGNORED, tile.owner[window] > 0)
                for tile in (scene.before, scene.after)
            ]
            bands = [*roofs, scene.new[window], scene.gone[window]]
            pairs.append(
                Pair(
                    before=scene.before.colour[window],
                    after=scene.after.colour[window],
                    labels=np.stack(bands, axis=-1).astype(np.uint8),
                )
            )
    return rows_of_pairs(pairs)


def main() -> int:
    """Write the numbers of every candidate, a line of JSON each, and learn trees from them."""
    parser = argparse.ArgumentParser(prog="python -m training.scores", description=__doc__)
    parser.add_argument("--scenes", type=Path, help="scenes of which every eighth was held back")
    parser.add_argument("--unseen", type=Path, help="scenes none of which was taught")
    parser.add_argument("--flights", type=Path, help="what training.flights wrote")
    parser.add_argument("--real", type=Path, help="folder of the real tiles")
    parser.add_argument("--real-pairs", type=int, default=500)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--fit", action="store_true", help="learn from the file as it is")
    parser.add_argument("rows", type=Path)
    parser.add_argument("model", type=Path, help="folder of the trees: change/model")
    chosen = parser.parse_args()
    if not chosen.fit:
        with chosen.rows.open("w", encoding="utf-8") as target:
            for row in _gather(chosen):
                print(json.dumps(row), file=target, flush=True)
    rows = [json.loads(line) for line in chosen.rows.read_text(encoding="utf-8").splitlines()]
    for lesson in LESSONS:
        some = _rows_for(lesson, rows)
        print(lesson.name)
        tell(some, lesson)
        (chosen.model / f"{lesson.name}.json").write_text(fit(some, lesson), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
