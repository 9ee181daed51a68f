"""The frozen judge: which simulated pairs every version is measured on, and what they look like.

python -m benchmarks.judge check              # render every set but the largest, compare digests
python -m benchmarks.judge check --all        # the largest too (about 20 minutes on two cores)
python -m benchmarks.judge naive              # how far detectors get that know nothing
python -m benchmarks.judge freeze --version N # a new version, after the generator was changed

`benchmarks/frozen.json` keeps, for every version, the digest of each case's pixels, heights and
truth. A case is never changed to suit a score: when the generator changes, a new version is frozen
beside the old one, and the scores of both are told.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from survey.blocks import open_executor, run_all
from survey.simulation import (
    SETTINGS,
    AreaPlan,
    Setting,
    View,
    changes_between,
    draw_plan,
    image_frame,
    render_image,
    render_surface,
    scene_of,
    surface_frame,
    tiles_in,
    view_of,
)
from survey.windows import Window

if TYPE_CHECKING:
    from benchmarks.judged_pairs import PairOfFlights

__all__ = ["SETS", "Case", "Set", "digest_case", "frozen_cases", "plan_of", "tell_truth"]

FROZEN = Path(__file__).parent / "frozen.json"
_PIXELS_M = (0.05, 0.08, 0.1, 0.12, 0.15, 0.2, 0.3, 0.5)
_SIDES_M = {0.05: 110.0, 0.08: 150.0, 0.1: 180.0, 0.12: 220.0, 0.15: 260.0, 0.2: 320.0}
_WIDE_M = 500.0  # side of areas with larger pixels
_OFFSETS_M = (3.0, 6.0, 10.0)
_PACES = (1.0, 3.0, 6.0, 10.0)
_DIRT = ("mild", "usual", "bad")
_TILE_PX = 2048

Set = Literal["detection", "surfaces", "nothing", "nothing_wide", "alignment", "permits"]
SETS: tuple[Set, ...] = (
    "detection", "surfaces", "nothing", "alignment", "permits", "nothing_wide",
)  # fmt: skip
"""The sets, the largest last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One simulated pair of flights."""

    name: str
    """Set and number."""
    seed: int
    """Seed of the area."""
    setting: Setting
    """Kind of ground."""
    side_m: float
    """Side of the area, metres."""
    pixel_m: float
    """Pixel of the orthophotos, metres."""
    surface_pixel_m: float = 0.25
    """Pixel of the surface models, metres."""
    offset_m: float
    """Greatest offset of a flight, metres."""
    pace: float = 1.0
    """How much was built and removed, in multiples of the setting's usual; 0 for nothing."""
    after: int = 2
    """Index of the later flight; the earlier is 0, a third of a year lies between two."""
    other_seed: int | None = None
    """Seed of the area of the later flight where it is other ground; alignment must refuse it."""
    dirt: str | None = None
    """How badly the permit layer is soiled: `mild`, `usual`, `bad`, or not at all."""


def plan_of(case: Case, *, later: bool = False) -> AreaPlan:
    """Plan the flights of a case; for the later flight of other ground say so."""
    other = case.other_seed if later else None
    plan = draw_plan(
        seed=case.seed if other is None else other,
        side_m=case.side_m,
        pixel_m=case.pixel_m,
        flights=3,
        setting=case.setting,
        pace=case.pace,
        offset_m=case.offset_m,
    )
    return replace(plan, surface_pixel_m=case.surface_pixel_m)


def _case(name: Set, number: int, first_seed: int, **changed: Any) -> Case:
    pixel_m = _PIXELS_M[(number * 3) % len(_PIXELS_M)]  # 3 and 8 have no common factor
    values: dict[str, Any] = {
        "name": f"{name}-{number:02d}",
        "seed": first_seed + number,
        "setting": SETTINGS[number % len(SETTINGS)],
        "pixel_m": pixel_m,
        "side_m": _SIDES_M.get(pixel_m, _WIDE_M),
        "offset_m": _OFFSETS_M[number % len(_OFFSETS_M)],
        "pace": _PACES[number % len(_PACES)],
        "after": 1 + number % 2,
    }
    return Case(**(values | changed))


def frozen_cases(name: Set) -> tuple[Case, ...]:
    """List the cases of a set."""
    if name == "detection":
        return tuple(_case(name, number, 31_000) for number in range(30))
    if name == "surfaces":
        return tuple(_case(name, number, 32_000) for number in range(20))
    if name == "nothing":
        return (_wide(name, 33_000, 2000.0),)
    if name == "nothing_wide":
        return (_wide(name, 34_000, 4472.0),)
    if name == "alignment":
        return tuple(
            _case(name, number, 35_000, other_seed=36_000 + number if number % 5 == 4 else None)
            for number in range(40)
        )
    return tuple(
        _case(name, number, 37_000, dirt=_DIRT[number % len(_DIRT)]) for number in range(20)
    )


def _wide(name: Set, seed: int, side_m: float) -> Case:
    return _case(
        name,
        0,
        seed,
        setting="fringe",
        pixel_m=0.2,
        side_m=side_m,
        surface_pixel_m=0.5,
        pace=0.0,
        after=2,
    )


@lru_cache(maxsize=1)
def _views(case: Case) -> tuple[View, View]:
    """Draw both flights of a case, once in every process."""
    plan = plan_of(case)
    scene = scene_of(plan)
    before = view_of(plan, scene, plan.flights[0])
    if case.other_seed is not None:
        plan = plan_of(case, later=True)
        scene = scene_of(plan)
    return before, view_of(plan, scene, plan.flights[case.after])


def _digest_tile(case: Case, piece: tuple[int, Literal["image", "surface"], Window]) -> bytes:
    number, kind, window = piece
    view = _views(case)[number]
    if kind == "image":
        pixels, seen = render_image(view, window)
        return hashlib.sha256(pixels.tobytes() + np.packbits(seen).tobytes()).digest()
    heights, seen = render_surface(view, window)
    steps = np.where(seen, np.round(heights * 100.0), -1.0).astype(np.int32)  # centimetres
    return hashlib.sha256(steps.tobytes()).digest()


def _pieces(case: Case) -> Iterator[tuple[int, Literal["image", "surface"], Window]]:
    for number in (0, 1):
        plan = plan_of(case, later=number == 1)
        flight = plan.flights[case.after if number else 0]
        image, surface = image_frame(plan, flight), surface_frame(plan, flight)
        for tile in tiles_in(image, image.window, _TILE_PX):
            yield number, "image", tile
        for tile in tiles_in(surface, surface.window, _TILE_PX):
            yield number, "surface", tile


def digest_case(case: Case, executor: Executor | None = None) -> dict[str, Any]:
    """Render a case and tell what came of it: digests, expected changes, their area.

    Parameters
    ----------
    case
        The case.
    executor
        Where tiles are rendered; None for here.

    Returns
    -------
    dict
        `pixels` and `truth` (SHA-256), `changes` (number), `changed_m2`.
    """
    pixels = hashlib.sha256()
    for part in run_all(partial(_digest_tile, case), list(_pieces(case)), executor=executor):
        pixels.update(part)
    return {"pixels": pixels.hexdigest()} | tell_truth(case)


def tell_truth(case: Case) -> dict[str, Any]:
    """Tell what is expected of a case, without rendering it: `truth`, `changes`, `changed_m2`."""
    plan = plan_of(case)
    changes = () if case.other_seed else changes_between(scene_of(plan), 0, case.after)
    facts = [
        (c.structure, c.kind, c.reason, c.outline.wkt, c.height_gain_m, c.permit_number)
        for c in changes
    ]
    return {
        "truth": hashlib.sha256(json.dumps(facts).encode()).hexdigest(),
        "changes": len(changes),
        "changed_m2": round(sum(c.outline.area for c in changes), 1),
    }


def _frozen() -> dict[str, Any]:
    if not FROZEN.exists():
        return {"versions": {}}
    return dict(json.loads(FROZEN.read_text(encoding="utf-8")))


def _digest_sets(names: tuple[Set, ...], workers: int) -> dict[str, dict[str, Any]]:
    """Digest sets of small cases one case to a process, large cases one tile to a process."""
    found: dict[str, dict[str, Any]] = {}
    with open_executor(workers) as executor:
        for name in names:
            # In order of pixels: the noise for one pixel size is made once.
            cases = sorted(frozen_cases(name), key=lambda case: case.pixel_m)
            if len(cases) == 1:
                told = [digest_case(cases[0], executor)]
            else:
                told = list(run_all(digest_case, cases, executor=executor))
            found |= {case.name: facts for case, facts in zip(cases, told, strict=True)}
            print(f"{name}: {len(cases)} cases", flush=True)
    return dict(sorted(found.items()))


def _freeze(version: str, workers: int) -> int:
    """Digest what is not frozen yet; kept set by set, so that it can be taken up again."""
    kept = _frozen()
    told = kept["versions"].setdefault(version, {"cases": [], "digests": {}})
    told["cases"] = [asdict(case) for name in SETS for case in frozen_cases(name)]
    for name in SETS:
        if any(case.name not in told["digests"] for case in frozen_cases(name)):
            told["digests"] |= _digest_sets((name,), workers)
            FROZEN.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    return 0


def _check(names: tuple[Set, ...], workers: int) -> int:
    versions = _frozen()["versions"]
    if not versions:
        print("nothing is frozen yet")
        return 2
    name, latest = list(versions.items())[-1]
    found = _digest_sets(names, workers)
    differ = [case for case, told in found.items() if latest["digests"].get(case) != told]
    print(f"version {name}: {len(found) - len(differ)} cases as frozen, {len(differ)} differ")
    for case in differ:
        print(f"  {case}")
    return 1 if differ else 0


def _naive() -> int:
    """Print the best scores of detectors that know nothing, on frozen and, if there, real pairs."""
    from benchmarks.judged_pairs import PairOfFlights, fotbcd_pairs, judged_pair, measure
    from benchmarks.pictures import real_folder

    sets: dict[str, list[PairOfFlights]] = {
        "frozen": [judged_pair(case) for case in frozen_cases("detection")]
    }
    if folder := real_folder():
        sets["fotbcd"] = list(fotbcd_pairs(folder))
    shares = {name: sum(_changed(pair) for pair in pairs) for name, pairs in sets.items()}
    for name, pairs in sets.items():
        whole = sum(pair.truth.size for pair in pairs)
        print(f"{name}: {len(pairs)} pairs, {shares[name] / whole:.3f} of the pixels changed")
        for detector, scores in measure(pairs).items():
            for told in scores:
                counts = told.counts
                print(
                    f"  {detector} {told.score}: F1 {counts.f1:.3f} at {told.threshold:.1f}"
                    f" ({counts.hits} found, {counts.false} false, {counts.missed} missed)"
                )
    return 0


def _changed(pair: "PairOfFlights") -> int:
    return int((pair.truth > 0).sum())


def main() -> int:
    """Check, freeze, or measure the naive detectors."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.judge", description=__doc__)
    parser.add_argument("deed", choices=("check", "freeze", "naive"))
    parser.add_argument("--sets", nargs="+", choices=SETS, help="check only these")
    parser.add_argument("--all", action="store_true", help="check the largest set too")
    parser.add_argument("--version", help="name of the version to freeze")
    parser.add_argument("--workers", type=int, default=0, help="processes; 0: one per core")
    chosen = parser.parse_args()
    if chosen.deed == "naive":
        return _naive()
    if chosen.deed == "freeze":
        if not chosen.version:
            parser.error("freeze: name the version by --version")
        return _freeze(chosen.version, chosen.workers)
    names = tuple(chosen.sets) if chosen.sets else SETS if chosen.all else SETS[:-1]
    return _check(names, chosen.workers)


if __name__ == "__main__":
    sys.exit(main())
