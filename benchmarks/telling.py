"""Can a small classifier tell rendered from real, and by what? Half right is as good as it gets.

Crops of 64 pixels at one ground pixel, as many real as rendered, are described by five families of
features. A forest learns on one half of the scenes and is asked about the other half, then the
other way round; what it sees in the one half shares no ground with the other. The family that costs
most accuracy when it is shuffled is what gives the rendered crops away.

    ORTHOWATCH_REAL_DATA=... python -m benchmarks.telling --pixel-m 0.135 --kinds banepa
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.feature import local_binary_pattern
from sklearn.cluster import MiniBatchKMeans  # type: ignore[import-untyped]
from sklearn.ensemble import ExtraTreesClassifier  # type: ignore[import-untyped]
from sklearn.metrics import balanced_accuracy_score  # type: ignore[import-untyped]

from benchmarks.appearance import lab_of
from benchmarks.pictures import (
    REAL_SETS,
    GroundPicture,
    at_pixel,
    real_folder,
    real_pictures,
    rendered_pictures,
    tiled,
)

__all__ = [
    "CROP_PX",
    "FAMILIES",
    "Dictionary",
    "Telling",
    "against_themselves",
    "features_of",
    "halves",
    "learn_dictionary",
    "tell",
]

Colours = NDArray[np.uint8]
Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

CROP_PX = 64
"""Side of a crop: at 0.13 m, 8 m, about a house."""
FAMILIES = ("colour", "gradients", "spectrum", "binary_patterns", "patches")
"""The families of features."""
# Coates and Ng (2011) gain little beyond patches of 6 pixels; 64 words suffice for two classes.
_PATCH_PX, _WORDS, _PATCHES = 6, 64, 20_000
# Their contrast normalisation and whitening constants, for values from 0 to 255.
_PATCH_FLOOR, _WHITENING_FLOOR = 10.0, 0.1
_TREES, _REPEATS = 200, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Dictionary:
    """What small patches are made of, learnt without labels (Coates and Ng 2011)."""

    mean: Floats
    """Mean of normalised patches, (value,)."""
    whitening: Floats
    """Decorrelates patches, (value, value)."""
    words: Floats
    """Centres of the clusters, (word, value)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """How well rendered crops are told from real ones, both halves taken together."""

    accuracy: float
    """Balanced accuracy on scenes never learnt from; 0.5 is chance, 1 tells every crop."""
    alone: dict[str, float]
    """Balanced accuracy from one family alone."""
    importance: dict[str, float]
    """Accuracy lost when a family is shuffled; families that say the same hide each other."""
    by_kind: dict[str, float]
    """Share of crops told rightly, per real set and simulated setting."""
    crops: int
    """Crops asked about, half of them rendered."""


def _patches(colours: Colours, step: int) -> Floats:
    """Cut a crop into overlapping patches of normalised contrast, (patch, value)."""
    stacked = np.moveaxis(colours, 0, -1).astype(np.float32)
    seen = np.lib.stride_tricks.sliding_window_view(stacked, (_PATCH_PX, _PATCH_PX), axis=(0, 1))
    flat = seen[::step, ::step].reshape(-1, 3 * _PATCH_PX**2)
    centred = flat - flat.mean(axis=1, keepdims=True)
    spread = np.sqrt(centred.var(axis=1, keepdims=True) + _PATCH_FLOOR)
    return np.asarray(centred / spread, np.float32)


def learn_dictionary(crops: Sequence[Colours], rng: np.random.Generator) -> Dictionary:
    """Learn what patches are made of from unlabelled crops."""
    every = np.concatenate([_patches(crop, 8) for crop in crops])
    every = every[rng.permutation(len(every))[:_PATCHES]]
    mean = every.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov((every - mean).T))
    whitening = (vectors / np.sqrt(values + _WHITENING_FLOOR)) @ vectors.T
    seed = int(rng.integers(2**31))
    means = MiniBatchKMeans(_WORDS, random_state=seed, n_init=1, batch_size=2048)
    means.fit((every - mean) @ whitening)
    return Dictionary(
        mean=mean.astype(np.float32),
        whitening=whitening.astype(np.float32),
        words=means.cluster_centers_.astype(np.float32),
    )


def _words(colours: Colours, known: Dictionary) -> Floats:
    """Return the mean activation of every word: how much nearer it is than the average word."""
    white = (_patches(colours, 3) - known.mean) @ known.whitening
    square = (white**2).sum(axis=1)[:, None] - 2 * white @ known.words.T
    far = np.sqrt(np.maximum(square + (known.words**2).sum(axis=1), 0))
    return np.asarray(np.maximum(far.mean(axis=1, keepdims=True) - far, 0).mean(axis=0), np.float32)


def _colour(lab: Floats) -> Floats:
    flat = lab.reshape(-1, 3)
    limits = ((0, 100), (-40, 40), (-40, 60))
    shares = [
        np.histogram(flat[:, band], 16, limit)[0] / len(flat) for band, limit in enumerate(limits)
    ]
    spread = np.cov(flat.T)[np.triu_indices(3)]
    return np.concatenate([*shares, flat.mean(axis=0), spread]).astype(np.float32)


def _gradients(light: Floats) -> Floats:
    across = cv2.Sobel(light, cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(light, cv2.CV_32F, 0, 1, scale=1 / 8)
    steep = np.hypot(across, down)
    turn = np.arctan2(down, across) % np.pi
    ways = np.histogram(turn, 9, (0, np.pi), weights=steep)[0] / max(float(steep.sum()), 1e-6)
    # From the strongest way on: which way a street runs tells nothing.
    ways = np.roll(ways, -int(np.argmax(ways)))
    sizes = np.histogram(np.log2(steep + 1e-2), 16, (-6, 6))[0] / steep.size
    return np.concatenate([ways, sizes]).astype(np.float32)


def _spectrum(light: Floats) -> Floats:
    """Return log power in half octaves of frequency, along, across and between the pixel rows."""
    side = light.shape[0]
    taper = np.outer(np.hanning(side), np.hanning(side))
    power = np.abs(np.fft.fft2((light - light.mean()) * taper)) ** 2
    cycles = np.fft.fftfreq(side)
    reach = np.hypot(cycles[:, None], cycles[None, :])
    turn = np.abs(np.arctan2(np.abs(cycles)[:, None], np.abs(cycles)[None, :]))
    sector = np.digitize(turn, (np.pi / 8, 3 * np.pi / 8))
    band = np.digitize(reach, np.geomspace(0.03, 0.5, 9))
    index = (sector * 10 + band).ravel()
    total = np.bincount(index, power.ravel(), minlength=30)
    count = np.bincount(index, minlength=30)
    told = np.log10(total / np.maximum(count, 1) + 1e-3).reshape(3, 10)[:, 1:]
    return told.ravel().astype(np.float32)


def _binary_patterns(colours: Colours) -> Floats:
    grey = colours.astype(np.float32).mean(axis=0).round().astype(np.uint8)
    shares = [
        np.histogram(local_binary_pattern(grey, 8, radius, "uniform"), 10, (0, 10))[0] / grey.size
        for radius in (1, 2, 4)
    ]
    return np.concatenate(shares).astype(np.float32)


def features_of(colours: Colours, known: Dictionary) -> dict[str, Floats]:
    """Return the features of one crop, uint8 (3, row, col), by family."""
    lab = lab_of(colours)
    return {
        "colour": _colour(lab),
        "gradients": _gradients(lab[..., 0]),
        "spectrum": _spectrum(lab[..., 0]),
        "binary_patterns": _binary_patterns(colours),
        "patches": _words(colours, known),
    }


def halves(pictures: Sequence[GroundPicture], rng: np.random.Generator) -> Mask:
    """Return which pictures are of the first half; a group is never parted.

    Every kind is parted by itself, so that both halves hold something of all that has two groups.
    """
    groups: dict[str, dict[str, int]] = {}
    for picture in pictures:
        sizes = groups.setdefault(picture.kind, {})
        sizes[picture.group] = sizes.get(picture.group, 0) + 1
    first = set()
    for sizes in groups.values():
        names = [sorted(sizes)[index] for index in rng.permutation(len(sizes))]
        # The largest first: each goes to the half that has less of this kind.
        balance = 0
        for name in sorted(names, key=lambda name: -sizes[name]):
            first |= {name} if balance <= 0 else set()
            balance += sizes[name] if balance <= 0 else -sizes[name]
    return np.array([picture.group in first for picture in pictures])


def _drawn(
    pictures: Sequence[GroundPicture], count: int, rng: np.random.Generator
) -> list[GroundPicture]:
    """Draw crops, as many of every kind as it has, up to equal shares."""
    kinds = sorted({picture.kind for picture in pictures})
    drawn: list[GroundPicture] = []
    for index, kind in enumerate(sorted(kinds, key=lambda k: sum(p.kind == k for p in pictures))):
        mine = [picture for picture in pictures if picture.kind == kind]
        share = (count - len(drawn)) // (len(kinds) - index)
        drawn += [mine[at] for at in rng.permutation(len(mine))[:share]]
    return drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class _Half:
    """Crops of one half as a table of features."""

    values: dict[str, Floats]
    """Features by family, (crop, feature)."""
    rendered: Mask
    """(crop,); True where a crop is rendered."""
    kinds: tuple[str, ...]
    """Real set or simulated setting of every crop."""

    def columns(self, families: Sequence[str] = FAMILIES) -> Floats:
        return np.concatenate([self.values[family] for family in families], axis=1)

    def shuffled(self, family: str, rng: np.random.Generator) -> "_Half":
        order = rng.permutation(len(self.kinds))
        return replace(self, values=self.values | {family: self.values[family][order]})


def _half(crops: Sequence[GroundPicture], real: int, known: Dictionary) -> _Half:
    told = [features_of(crop.colours, known) for crop in crops]
    return _Half(
        values={family: np.stack([row[family] for row in told]) for family in FAMILIES},
        rendered=np.arange(len(crops)) >= real,
        kinds=tuple(crop.kind for crop in crops),
    )


def _forest(rng: np.random.Generator) -> ExtraTreesClassifier:
    return ExtraTreesClassifier(_TREES, min_samples_leaf=2, random_state=int(rng.integers(2**31)))


def _ask(taught: _Half, asked: _Half, rng: np.random.Generator) -> Telling:
    """Learn on one half and ask about the other."""
    forest = _forest(rng).fit(taught.columns(), taught.rendered)
    said = forest.predict(asked.columns())
    accuracy = float(balanced_accuracy_score(asked.rendered, said))
    alone, importance = {}, {}
    for family in FAMILIES:
        small = _forest(rng).fit(taught.columns([family]), taught.rendered)
        guess = small.predict(asked.columns([family]))
        alone[family] = float(balanced_accuracy_score(asked.rendered, guess))
        mixed = [forest.predict(asked.shuffled(family, rng).columns()) for _ in range(_REPEATS)]
        scores = [balanced_accuracy_score(asked.rendered, guess) for guess in mixed]
        importance[family] = accuracy - float(np.mean(scores))
    kinds = np.array(asked.kinds)
    right = said == asked.rendered
    return Telling(
        accuracy=accuracy,
        alone=alone,
        importance=importance,
        by_kind={str(kind): float(right[kinds == kind].mean()) for kind in np.unique(kinds)},
        crops=len(kinds),
    )


def tell(
    real: Sequence[GroundPicture],
    rendered: Sequence[GroundPicture],
    rng: np.random.Generator,
    *,
    most: int = 1500,
) -> Telling:
    """Ask a classifier to tell rendered pictures from real ones.

    Parameters
    ----------
    real, rendered
        Pictures at one ground pixel; at least two groups of each.
    rng
        Draws halves, crops and trees.
    most
        Crops of either sort in either half, at most.

    Raises
    ------
    ValueError
        A half would hold no real or no rendered crop.
    """
    crops = {}
    for name, pictures in (("real", real), ("rendered", rendered)):
        first = halves(pictures, rng)
        for half in (True, False):
            kept = [p for p, mine in zip(pictures, first == half, strict=True) if mine]
            crops[name, half] = list(tiled(kept, CROP_PX))
    tables = []
    for half in (True, False):
        count = min(most, *(len(crops[name, half]) for name in ("real", "rendered")))
        if count == 0:
            raise ValueError("two groups of real and two of rendered pictures are needed")
        tables.append([_drawn(crops[name, half], count, rng) for name in ("real", "rendered")])
    told = []
    for taught, asked in (tables, tables[::-1]):
        known = learn_dictionary([crop.colours for part in taught for crop in part], rng)
        sides = [_half([*part[0], *part[1]], len(part[0]), known) for part in (taught, asked)]
        told.append(_ask(sides[0], sides[1], rng))
    return _together(told)


def against_themselves(
    real: Sequence[GroundPicture], rng: np.random.Generator, *, most: int = 500
) -> float:
    """Return the balanced accuracy between real pictures and real pictures, drawn by lot.

    What is off a half here, to either side, is the error of every accuracy that `tell` reports.
    """
    by_lot = rng.permutation(len(real)) % 2 == 0
    one, other = (
        [replace(p, group=p.name) for p, mine in zip(real, by_lot == side, strict=True) if mine]
        for side in (True, False)
    )
    return tell(one, other, rng, most=most).accuracy


def _together(told: Sequence[Telling]) -> Telling:
    """Average over both ways round."""

    def mean(parts: Sequence[dict[str, float]]) -> dict[str, float]:
        names = sorted({name for part in parts for name in part})
        return {n: float(np.mean([part[n] for part in parts if n in part])) for n in names}

    return Telling(
        accuracy=float(np.mean([one.accuracy for one in told])),
        alone=mean([one.alone for one in told]),
        importance=mean([one.importance for one in told]),
        by_kind=mean([one.by_kind for one in told]),
        crops=sum(one.crops for one in told),
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.telling", description=__doc__)
    parser.add_argument("--pixel-m", type=float, default=0.135, help="ground pixel of both")
    parser.add_argument("--kinds", nargs="+", choices=REAL_SETS, default=list(REAL_SETS))
    parser.add_argument("--settings", nargs="+", default=[""], help="simulated settings")
    parser.add_argument("--seeds", nargs="+", type=int, default=[3, 4, 5, 6])
    parser.add_argument("--side-m", type=float, default=150.0)
    parser.add_argument("--seed", type=int, default=1, help="of the halves and of the classifier")
    return parser.parse_args()


def main() -> int:
    """Ask and print."""
    chosen, folder = _arguments(), real_folder()
    if folder is None:
        print("NOTHING COMPARED: set ORTHOWATCH_REAL_DATA to the folder of real pictures")
        return 2
    rendered = [
        picture
        for setting in chosen.settings
        for picture in rendered_pictures(chosen.seeds, chosen.side_m, chosen.pixel_m, setting)
    ]
    real = at_pixel(real_pictures(folder, chosen.kinds), chosen.pixel_m)
    told = tell(real, rendered, np.random.default_rng(chosen.seed))
    print(f"balanced accuracy {told.accuracy:.3f} over {told.crops} crops (0.5 is chance)")
    itself = against_themselves(real, np.random.default_rng(chosen.seed))
    print(f"real against real, drawn by lot: {itself:.3f}")
    print(f"{'family':16} {'alone':>6} {'lost when shuffled':>20}")
    for family in sorted(FAMILIES, key=lambda name: -told.alone[name]):
        print(f"{family:16} {told.alone[family]:6.3f} {told.importance[family]:20.3f}")
    for kind, share in told.by_kind.items():
        print(f"told rightly: {kind:16} {share:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
