"""Pairs of files that alignment is measured on, and what is true of them.

Every pair follows from its case, and every case from a draw (`tuning` or `judging`) and its number.
The families:

- ``warped``: copies under a known warp, at full size;
- ``frozen``: simulated flights, every fifth pair of other ground;
- ``hard``: true pairs that hardly look alike;
- ``unrelated``: other ground under the same coordinates;
- ``overlap``: less than a tenth of the ground in common, where the files state all of it;
- ``fotbcd``: real pairs across years, hardly shifted.
"""

import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import cv2
import numpy as np
import rasterio

from benchmarks.alignment_pictures import (
    JUDGING,
    KEPT,
    TUNING,
    Draw,
    Picture,
    frozen_draw,
    picture,
    rendered_pair,
    whole,
)
from benchmarks.alignment_truth import FrozenTruth, Truth, UnmovedTruth
from benchmarks.crops import cropped, draw_beside, draw_overlapping, draw_window, place_of
from benchmarks.judge import plan_of
from benchmarks.pictures import real_folder
from benchmarks.warped_pairs import CRS_NAME, Recipe, warped_pair, write_part
from benchmarks.warps import noisy, relit
from survey.windows import Window

__all__ = ["FAMILIES", "Family", "PairCase", "PairOfFiles", "cases_of", "open_pair"]

Family = Literal["warped", "frozen", "hard", "unrelated", "overlap", "fotbcd"]
FAMILIES: tuple[Family, ...] = get_args(Family)

# Kept copies are made anew where this differs: raise it when what follows changes a picture.
_VERSION = 1
# Offsets stay within what is looked for by default, 20 m, at the corners of turned copies too.
_SHIFT_PX, _SHIFT_M, _SHIFT_SHARE = 156.0, 12.0, 0.12
_KINDS: dict[str, dict[str, Any]] = {
    "plain": {"warp_px": 5.0},
    "hard": {"warp_px": 15.0, "lean_px": 7.0},
    "turned": {"warp_px": 5.0, "turn_deg": 5.0, "stretch": 1.02},
}
_ALL_KINDS = ("kampala-ne", "banepa-south")
"""Real pictures large enough for every kind; the others have their plain copy only."""
_HARD, _UNRELATED, _OVERLAP = 200, 100, 100
_OTHER_CRS = ("EPSG:32649", "EPSG:3857", "EPSG:4490")
_COARSEST_M = 0.6
_DRAWS = {draw.name: draw for draw in (TUNING, JUDGING)}


@dataclass(frozen=True, slots=True, kw_only=True)
class PairCase:
    """What a pair is made from."""

    family: Family
    """Its family."""
    draw: str
    """Name of its draw."""
    number: int
    """Number within the family and draw."""
    seed: int
    """Seed of what is drawn."""
    kind: str
    """What sort of pair within the family."""
    pictures: tuple[str, ...]
    """Names of the pictures it shows."""

    @property
    def name(self) -> str:
        """Family, draw, number and what it shows."""
        shown = "+".join(dict.fromkeys(self.pictures))
        return f"{self.family}-{self.draw}-{self.number:03d} {self.kind} {shown}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PairOfFiles:
    """Two flights as files, and what is true of them."""

    before: Path
    """Orthophoto of the earlier flight."""
    after: Path
    """Orthophoto of the later flight."""
    truth: Truth | None
    """What is true; None where they show no, or hardly any, common ground."""
    facts: dict[str, float]
    """What was drawn, to be told beside the result."""


def cases_of(family: Family, draw: Draw) -> tuple[PairCase, ...]:
    """List the cases of a family in a draw."""
    if family == "warped":
        return _warped_cases(draw)
    if family == "frozen":
        kinds = ["other" if case.other_seed else case.setting for case in frozen_draw(draw)]
        return _numbered(family, draw, 0, [(kind, ()) for kind in kinds])
    if family == "fotbcd":
        folder = real_folder()
        labels = sorted((folder / "fotbcd/label").glob("*.tif")) if folder else []
        return _numbered(family, draw, 0, [(label.stem, ()) for label in labels])
    if family == "hard":
        return _numbered(family, draw, 2_000, [_hard_pick(draw, n) for n in range(_HARD)])
    if family == "unrelated":
        return _numbered(family, draw, 3_000, [_other_pick(draw, n) for n in range(_UNRELATED)])
    return _numbered(family, draw, 4_000, [_overlap_pick(draw, n) for n in range(_OVERLAP)])


def _numbered(
    family: Family, draw: Draw, thousands: int, picks: list[tuple[str, tuple[str, ...]]]
) -> tuple[PairCase, ...]:
    return tuple(
        PairCase(
            family=family,
            draw=draw.name,
            number=number,
            seed=draw.seed + thousands + number,
            kind=kind,
            pictures=pictures,
        )
        for number, (kind, pictures) in enumerate(picks)
    )


def _warped_cases(draw: Draw) -> tuple[PairCase, ...]:
    real = [name for name in draw.real if name != "morava"]  # scattered tiles: no picture at all
    picks = [(kind, (name,)) for kind in _KINDS for name in draw.rendered]
    picks += [
        (kind, (name,)) for kind in _KINDS for name in real if kind == "plain" or name in _ALL_KINDS
    ]
    return _numbered("warped", draw, 1_000, picks)


def _large(draw: Draw) -> list[str]:
    """Name the real pictures that hold several hectares."""
    return [name for name in draw.real if name not in ("colorado", "kampala-sw")]


def _hard_pick(draw: Draw, number: int) -> tuple[str, tuple[str, ...]]:
    names = [*_large(draw), *_large(draw), *draw.real]
    return "real", (names[number % len(names)],)


def _other_pick(draw: Draw, number: int) -> tuple[str, tuple[str, ...]]:
    """Pick two places of one picture, two real pictures, or two simulated areas."""
    rng = np.random.default_rng(draw.seed + 5_000 + number)
    if number % 5 < 2:
        names = [name for name in _large(draw) if name != "pix4d"]
        return "same picture", (names[number // 5 % len(names)],)
    if number % 5 < 4:
        first, second = rng.choice(_large(draw), 2, replace=False)
        return "other picture", (str(first), str(second))
    cases = frozen_draw(draw)
    first_number = int(rng.integers(len(cases)))
    # Pixels of one size come back every eighth case.
    second_number = (first_number + int(rng.choice([8, 16, 24, 32]))) % len(cases)
    prefix = "frozen" if draw is JUDGING else "tuning"
    names = [f"{prefix}-{n:02d}" for n in (first_number, second_number)]
    return "simulated", (names[0], names[1])


def _overlap_pick(draw: Draw, number: int) -> tuple[str, tuple[str, ...]]:
    names = [*_large(draw), *draw.rendered]
    name = names[number % len(names)]
    return "rendered" if name in draw.rendered else "real", (name,)


def open_pair(case: PairCase, folder: Path) -> PairOfFiles:
    """Write a case's files into a folder, or find them where they are kept, and tell the truth."""
    makers: dict[Family, Callable[[PairCase, Path], PairOfFiles]] = {
        "warped": _open_warped,
        "frozen": _open_frozen,
        "fotbcd": _open_fotbcd,
        "hard": _make_hard,
        "unrelated": _make_unrelated,
        "overlap": _make_overlapping,
    }
    return makers[case.family](case, folder)


def _pair(folder: Path, truth: Truth | None, **facts: float) -> PairOfFiles:
    return PairOfFiles(
        before=folder / "before.tif", after=folder / "after.tif", truth=truth, facts=facts
    )


def _open_warped(case: PairCase, _folder: Path) -> PairOfFiles:
    kept = KEPT / f"warped-{_VERSION}" / case.name.replace(" ", "-")
    if not kept.is_dir():
        shown = picture(case.pictures[0])
        with whole(kept) as draft:
            draft.mkdir()
            window = place_of(shown)
            rng = np.random.default_rng(case.seed)
            recipe = _kind_recipe(case.kind, shown)
            truth = warped_pair(draft, shown, (window, window), recipe, rng)
            (draft / "truth.pickle").write_bytes(pickle.dumps(truth))
    return _pair(kept, pickle.loads((kept / "truth.pickle").read_bytes()))


def _kind_recipe(kind: str, shown: Picture) -> Recipe:
    shift = min(_SHIFT_PX, _SHIFT_M / shown.pixel_m, _SHIFT_SHARE * min(shown.valid.shape))
    return Recipe(shift_px=shift * (0.5 if kind == "turned" else 1.0), **_KINDS[kind])


def _open_frozen(case: PairCase, _folder: Path) -> PairOfFiles:
    frozen = frozen_draw(_DRAWS[case.draw])[case.number]
    folder = rendered_pair(frozen)
    if frozen.other_seed is not None:
        return _pair(folder, None, side_m=frozen.side_m)
    plan = plan_of(frozen)
    shown = [
        cv2.imread(str(folder / f"{name}_shown.png"), cv2.IMREAD_GRAYSCALE)
        for name in ("before", "after")
    ]
    truth = FrozenTruth(
        plan=plan,
        flights=(plan.flights[0], plan.flights[frozen.after]),
        shown=(np.asarray(shown[0], np.uint8), np.asarray(shown[1], np.uint8)),
    )
    return _pair(folder, truth, side_m=frozen.side_m)


def _open_fotbcd(case: PairCase, folder: Path) -> PairOfFiles:
    real = real_folder()
    assert real is not None  # or there would be no such case
    with rasterio.open(real / "fotbcd/label" / f"{case.kind}.tif") as dataset:
        changed, corner = dataset.read(1) > 0, dataset.transform
    truth = UnmovedTruth(left=corner.c, top=corner.f, pixel_m=corner.a, changed=changed)
    for side in ("before", "after"):
        (folder / f"{side}.tif").symlink_to(real / "fotbcd" / side / f"{case.kind}.tif")
    return _pair(folder, truth)


def _make_hard(case: PairCase, folder: Path) -> PairOfFiles:
    rng = np.random.default_rng(case.seed)
    shown = picture(case.pictures[0])
    side_m = rng.uniform(75.0, 200.0)
    share = rng.uniform(0.25, 0.6) if rng.random() < 0.25 else 1.0
    windows = draw_overlapping(rng, shown, side_m / shown.pixel_m, share)
    part, (first, second) = cropped(shown, windows, margin=0.15)
    recipe = _hard_recipe(rng, shown.pixel_m, windows[0].height)
    truth = warped_pair(folder, part, (first, second), recipe, rng)
    return _pair(
        folder,
        truth,
        side_m=windows[0].height * shown.pixel_m,
        share=share,
        coarser=recipe.coarser,
        season=recipe.season,
        replaced=recipe.replaced,
        other_crs=float(recipe.crs != CRS_NAME),
    )


def _hard_recipe(rng: np.random.Generator, pixel_m: float, side_px: int) -> Recipe:
    def at_times(chance: float, low: float, high: float, otherwise: float = 0.0) -> float:
        value, wanted = float(rng.uniform(low, high)), rng.random() < chance
        return value if wanted else otherwise

    coarser = at_times(0.35, 2.0, 4.0, otherwise=1.0)
    return Recipe(
        shift_px=min(float(rng.uniform(0.5, 10.0)) / pixel_m, 0.1 * side_px),
        warp_px=float(rng.uniform(2.0, 8.0)),
        turn_deg=at_times(0.3, -2.0, 2.0),
        replaced=float(rng.uniform(0.2, 0.5)),
        lean_px=at_times(0.3, 3.0, 8.0),
        light=float(rng.uniform(0.7, 1.3)),
        shadows=bool(rng.random() < 0.7),
        season=at_times(0.4, 0.5, 1.0),
        noise=float(rng.uniform(2.0, 9.0)),
        blur_px=at_times(0.6, 0.4, 1.8),
        coarser=max(1.0, min(coarser, _COARSEST_M / pixel_m)),
        crs=str(rng.choice(_OTHER_CRS)) if rng.random() < 0.3 else CRS_NAME,
    )


def _make_unrelated(case: PairCase, folder: Path) -> PairOfFiles:
    """Write two crops of other ground under one place, as large on the ground."""
    rng = np.random.default_rng(case.seed)
    side_m = float(rng.uniform(100.0, 250.0))
    shown = [picture(name) for name in case.pictures]
    if len(shown) == 1:
        windows = draw_beside(rng, shown[0], side_m / shown[0].pixel_m)
        return _write_two(folder, rng, (shown[0], shown[0]), windows)
    for one in reversed(shown):  # the second may be the smaller one
        side_m = draw_window(rng, one, side_m / one.pixel_m).height * one.pixel_m
    first, second = (draw_window(rng, one, side_m / one.pixel_m) for one in shown)
    return _write_two(folder, rng, (shown[0], shown[1]), (first, second))


def _make_overlapping(case: PairCase, folder: Path) -> PairOfFiles:
    """Write two crops that share little ground, both stating the place of the first."""
    rng = np.random.default_rng(case.seed)
    shown = picture(case.pictures[0])
    share = float(rng.uniform(0.02, 0.095))
    windows = draw_overlapping(rng, shown, rng.uniform(100.0, 200.0) / shown.pixel_m, share)
    return _write_two(folder, rng, (shown, shown), windows, share=share)


def _write_two(
    folder: Path,
    rng: np.random.Generator,
    shown: tuple[Picture, Picture],
    windows: tuple[Window, Window],
    **facts: float,
) -> PairOfFiles:
    """Write a window of each picture under one place, the second in another light."""
    before, _ = cropped(shown[0], (windows[0],))
    after, _ = cropped(shown[1], (windows[1],))
    colours = noisy(rng, relit(rng, after.colours, strength=0.7), sigma=3.0)
    write_part(folder / "before.tif", before, place_of(before))
    write_part(folder / "after.tif", replace(after, colours=colours), place_of(after))
    return _pair(folder, None, side_m=windows[0].height * before.pixel_m, **facts)
