"""How far rendered pictures are from real ones, statistic by statistic, at equal ground pixel.

    ORTHOWATCH_REAL_DATA=... python -m benchmarks.realism --pixel-m 0.13 --kinds banepa

prints the statistics that differ most. A distance is the difference of the medians in units of the
spread that the real pictures have among themselves; under 1 a rendered picture would not stand out
by that figure. `tell` of `benchmarks/telling.py` says whether all of them together give it away.
"""

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from shapely import get_coordinates
from shapely.geometry.base import BaseGeometry

from benchmarks.appearance import describe
from benchmarks.pictures import (
    REAL_SETS,
    GroundPicture,
    at_pixel,
    draw_scene,
    real_folder,
    real_outlines,
    real_pictures,
    rendered_pictures,
)

__all__ = [
    "QUANTILES",
    "Distance",
    "compare",
    "describe_all",
    "mean_distance",
    "outline_sizes",
    "quantiles",
    "table",
]

Colours = NDArray[np.uint8]
Statistics = dict[str, float]

QUANTILES = (5, 25, 50, 75, 95)
"""Percentiles told of every statistic, over the pictures of a set."""
# The interquartile range of a normal distribution is 1.349 standard deviations.
_NORMAL = 1.349
# A spread below this share of the median (or of 0.01) is no spread: all the pictures agree.
_LEAST_SPREAD = 0.02
# A distance beyond this says no more than "altogether different".
_FAR = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Distance:
    """One statistic of real and of rendered pictures."""

    name: str
    """``family.statistic``."""
    real: tuple[float, ...]
    """Its `QUANTILES` over the real pictures."""
    rendered: tuple[float, ...]
    """Its `QUANTILES` over the rendered pictures."""
    distance: float
    """Rendered less real median, in units of the real pictures' spread; cut at 10."""
    inside: float
    """Share of the rendered pictures within the real ones' 5th to 95th percentile; 0.9 is ideal."""

    @property
    def family(self) -> str:
        """The part of the name before the point."""
        return self.name.split(".")[0]


def describe_all(pictures: Sequence[Colours], pixel_m: float) -> list[Statistics]:
    """Return the statistics of every picture."""
    return [describe(colours, pixel_m) for colours in pictures]


def quantiles(values: Sequence[float]) -> tuple[float, ...]:
    """Return the `QUANTILES` of what can be told; NaN where nothing can."""
    known = np.asarray([value for value in values if not math.isnan(value)])
    if not known.size:
        return (math.nan,) * len(QUANTILES)
    return tuple(float(value) for value in np.percentile(known, QUANTILES))


def compare(
    real: Sequence[Colours] | Sequence[Statistics],
    rendered: Sequence[Colours] | Sequence[Statistics],
    pixel_m: float,
) -> list[Distance]:
    """Hold rendered pictures against real ones, the statistics that differ most first.

    Parameters
    ----------
    real, rendered
        Pictures, uint8 (3, row, col), or what `describe_all` told of them. About 500 pixels a
        side: some statistics depend on the extent.
    pixel_m
        Their ground pixel, the same for all.
    """
    ours, theirs = (_described(pictures, pixel_m) for pictures in (real, rendered))
    found = [
        _distance(name, [told[name] for told in ours], [told[name] for told in theirs])
        for name in ours[0]
    ]
    known = [item for item in found if not math.isnan(item.distance)]
    return sorted(known, key=lambda item: -abs(item.distance))


def _described(
    pictures: Sequence[Colours] | Sequence[Statistics], pixel_m: float
) -> list[Statistics]:
    return [p if isinstance(p, dict) else describe(p, pixel_m) for p in pictures]


def _distance(name: str, real: Sequence[float], rendered: Sequence[float]) -> Distance:
    ours, theirs = quantiles(real), quantiles(rendered)
    spread = max((ours[3] - ours[1]) / _NORMAL, _LEAST_SPREAD * max(abs(ours[2]), 0.01))
    within = [ours[0] <= value <= ours[-1] for value in rendered if not math.isnan(value)]
    return Distance(
        name=name,
        real=ours,
        rendered=theirs,
        distance=float(np.clip((theirs[2] - ours[2]) / spread, -_FAR, _FAR)),
        inside=float(np.mean(within)) if within else math.nan,
    )


def mean_distance(found: Sequence[Distance]) -> dict[str, float]:
    """Return the mean absolute distance of every family, and of all families alike as ``all``."""
    families: dict[str, list[float]] = {}
    for item in found:
        families.setdefault(item.family, []).append(abs(item.distance))
    means = {family: float(np.mean(values)) for family, values in families.items()}
    return means | {"all": float(np.mean(list(means.values())))}


def outline_sizes(outlines: Sequence[BaseGeometry]) -> dict[str, tuple[float, ...]]:
    """Return the `QUANTILES` of area, elongation and rectangularity of outlines in metres.

    Elongation is the longer over the shorter side of the smallest rotated rectangle around an
    outline, rectangularity its area over that rectangle's.
    """
    rows = []
    for outline in outlines:
        around = outline.minimum_rotated_rectangle
        if outline.area < 1.0 or around.geom_type != "Polygon":
            continue
        corners = get_coordinates(around)
        short, long = sorted(np.hypot(*np.diff(corners[:3], axis=0).T))
        rows.append((outline.area, long / short, outline.area / around.area))
    columns = np.asarray(rows).reshape(-1, 3).T
    names = ("area_m2", "elongation", "rectangularity")
    return {name: quantiles(list(column)) for name, column in zip(names, columns, strict=True)}


def table(found: Sequence[Distance], *, rows: int | None = None) -> str:
    """Lay the distances out for reading: medians, with the 5th to 95th percentile behind."""
    lines = [
        "| statistic | real | rendered | distance | inside |",
        "|---|---|---|---|---|",
    ]
    for item in found[:rows]:
        cells = [
            f"{values[2]:.3g} ({values[0]:.3g} to {values[-1]:.3g})"
            for values in (item.real, item.rendered)
        ]
        lines.append(
            f"| {item.name} | {cells[0]} | {cells[1]} | {item.distance:+.1f} | {item.inside:.2f} |"
        )
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.realism", description=__doc__)
    parser.add_argument("--pixel-m", type=float, default=0.135, help="ground pixel of both")
    parser.add_argument("--kinds", nargs="+", choices=REAL_SETS, default=list(REAL_SETS))
    parser.add_argument("--settings", nargs="+", default=[""], help="simulated settings")
    parser.add_argument("--seeds", nargs="+", type=int, default=[3, 4, 5])
    parser.add_argument("--side-m", type=float, default=150.0)
    parser.add_argument("--rows", type=int, default=25, help="statistics shown")
    parser.add_argument("--json", type=Path, help="writes everything there")
    return parser.parse_args()


def _sizes(folder: Path, chosen: argparse.Namespace) -> dict[str, dict[str, tuple[float, ...]]]:
    """Return the sizes of real and of simulated outlines, where any are known."""
    simulated = [
        structure.outline_at(0)
        for setting in chosen.settings
        for seed in chosen.seeds
        for structure in draw_scene(seed, chosen.side_m, chosen.pixel_m, setting)[1].structures
    ]
    named = {"real": real_outlines(folder), "simulated": simulated}
    return {name: outline_sizes(outlines) for name, outlines in named.items() if outlines}


def _rendered(chosen: argparse.Namespace) -> list[GroundPicture]:
    return [
        picture
        for setting in chosen.settings
        for picture in rendered_pictures(chosen.seeds, chosen.side_m, chosen.pixel_m, setting)
    ]


def main() -> int:
    """Compare, print, and write what was asked for."""
    chosen, folder = _arguments(), real_folder()
    if folder is None:
        print("NOTHING COMPARED: set ORTHOWATCH_REAL_DATA to the folder of real pictures")
        return 2
    real = at_pixel(real_pictures(folder, chosen.kinds), chosen.pixel_m)
    if not real:
        print(f"no picture of {', '.join(chosen.kinds)} is as fine as {chosen.pixel_m} m")
        return 2
    found = compare(
        [picture.colours for picture in real],
        [picture.colours for picture in _rendered(chosen)],
        chosen.pixel_m,
    )
    families, sizes = mean_distance(found), _sizes(folder, chosen)
    print(table(found, rows=chosen.rows))
    print()
    print("\n".join(f"{family:10} {value:5.2f}" for family, value in families.items()))
    for name, told in sizes.items():
        for what, values in told.items():
            print(f"outlines, {name:9} {what:15} " + " ".join(f"{v:7.2f}" for v in values))
    if chosen.json is not None:
        whole = {"statistics": [asdict(i) for i in found], "families": families, "outlines": sizes}
        chosen.json.write_text(json.dumps(whole, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
