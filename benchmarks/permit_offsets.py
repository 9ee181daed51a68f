"""The permit layer on the ground: how far it is off, and what stands on it, on simulated flights.

python -m benchmarks.permit_offsets                     # the draw for telling, and Kampala
python -m benchmarks.permit_offsets --first-seed 70000  # the draw to choose by

Every scene's permits are drawn moved, scattered or turned by known amounts, a twentieth of the
rows missing or cut in half, a third of what is drawn not built; then layers that do not belong to
the flight. The first use renders 18 flights (eight minutes); after that it takes four.
"""

import argparse
import json
import math
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import affinity

from benchmarks.permit_grounds import Drawn, Ground, grounds, layer_of, opened, related, unrelated
from benchmarks.pictures import real_folder
from change.permit_offset import LayerOffset, fit_offset
from change.sight import Sight
from change.standing import Standing, standing
from survey.alignment import common_ground
from survey.blocks import open_executor, run_all
from survey.examination import examine
from survey.flight import open_flight
from survey.settings import PermitSettings

__all__ = ["Fitted", "measure", "measure_real"]

# A structure that covers so much of an outline stands on it; one that covers less leaves it empty.
_STANDS, _EMPTY = 0.3, 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """What one layer on one flight came to."""

    ground: str
    """Kind of ground, or the real picture."""
    seed: int
    """Seed of the scene."""
    layer: str
    """How the layer was drawn."""
    heights: bool
    """Whether the surface model was used."""
    verdict: str
    """``found`` or ``unknown``."""
    evidence: float
    """How clearly."""
    drawn: int
    """Outlines drawn."""
    error_m: float
    """True error at the permits, root mean square in either direction, metres."""
    worst_m: float
    """Largest distance of a permit from where the flight shows it, metres."""
    told_m: float
    """Error told for them, root mean square, metres; NaN where the true one is not known."""
    standing: tuple[tuple[int, int, int], tuple[int, int, int]] | None = None
    """Permits told built, empty, not known: of those where something stands, and nothing."""


def measure(ground: Ground) -> list[Fitted]:
    """Measure every layer on one scene, with and without its surface model."""
    flight = opened(ground)
    grid = common_ground(flight, flight, max(0.2, flight.pixel_m))
    told = []
    for heights in (False, True):
        sight = Sight(flight=flight, grid=grid, dsm=flight.dsm if heights else None)
        for name, drawn in related(ground):
            permits = layer_of(drawn.outlines, grid.crs)
            offset = fit_offset(permits, sight, PermitSettings())
            stands = None
            if name == "2 m":
                errors = offset.error_at(permits)
                stands = standing(offset.moved(permits), sight, errors_m=errors)
            told.append(_judge(ground, name, heights, drawn, (offset, stands)))
        for name, outlines in unrelated(ground):
            offset = fit_offset(layer_of(outlines, grid.crs), sight, PermitSettings())
            nowhere = Drawn(
                outlines=outlines,
                covered=np.zeros(len(outlines)),
                shift=lambda x, y: (x * 0, y * 0),
            )
            told.append(_judge(ground, name, heights, nowhere, (offset, None)))
    return told


def _judge(
    ground: Ground,
    name: str,
    heights: bool,
    drawn: Drawn,
    found: tuple[LayerOffset, tuple[Standing, ...] | None],
) -> Fitted:
    offset, stands = found
    x, y = shapely.get_coordinates(shapely.centroid(drawn.outlines)).T
    true, told = drawn.shift(x, y), offset.at(x, y)
    missed = np.hypot(told[0] - true[0], told[1] - true[1])
    return Fitted(
        ground=ground.setting,
        seed=ground.seed,
        layer=name,
        heights=heights,
        verdict=offset.verdict,
        evidence=round(offset.evidence, 2),
        drawn=len(x),
        error_m=float(np.sqrt((missed**2).mean() / 2)),
        worst_m=float(missed.max()),
        told_m=float(np.sqrt((told[2] ** 2).mean())),
        standing=None if stands is None else _confused(drawn.covered, stands),
    )


def _confused(
    covered: NDArray[np.float64], told: Sequence[Standing]
) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    rows = []
    for which in (covered > _STANDS, covered < _EMPTY):
        said = [one.built for one, wanted in zip(told, which, strict=True) if wanted]
        rows.append((said.count(True), said.count(False), said.count(None)))
    return rows[0], rows[1]


def measure_real(folder: Path) -> Iterator[Fitted]:
    """Yield what known moves of the buildings of Kampala come to.

    The layer as it comes has an offset of its own that nobody knows: it is measured, and only how
    the answers differ from it is told as error.
    """
    layer = gpd.read_file(folder / "kampala/buildings.geojson")
    for picture in ("kampala_ne_z21", "kampala_sw_z21"):
        flight = examine(open_flight(folder / f"kampala/{picture}.tif"))
        grid = common_ground(flight, flight, 0.2)
        outlines = np.array(layer.to_crs(grid.crs).geometry.make_valid(), dtype=object)
        own = fit_offset(
            layer_of(outlines, grid.crs), sight := Sight(flight=flight, grid=grid), PermitSettings()
        )
        b = grid.bounds
        here = [o for o in outlines if shapely.box(b.left, b.bottom, b.right, b.top).contains(o)]
        x, y = shapely.get_coordinates(shapely.centroid(here)).T
        for number, distance in enumerate((0.0, 1.0, 2.0, 3.0, 8.0, 40.0)):
            way = 1.0 + number
            move = distance * math.sin(way), distance * math.cos(way)
            moved = [affinity.translate(o, *move) for o in outlines]
            offset = fit_offset(layer_of(moved, grid.crs), sight, PermitSettings())
            one, other = own.at(x, y), offset.at(x + move[0], y + move[1])
            missed = np.hypot(other[0] + move[0] - one[0], other[1] + move[1] - one[1])
            there = own.moved(layer_of(here, grid.crs))
            stands = standing(there, sight) if number == 0 else None
            yield Fitted(
                ground=picture,
                seed=0,
                layer=f"{distance:g} m",
                heights=False,
                verdict=offset.verdict,
                evidence=round(offset.evidence, 2),
                drawn=len(here),
                error_m=float(np.sqrt((missed**2).mean() / 2)),
                worst_m=float(missed.max()),
                told_m=math.nan,
                standing=None if stands is None else _confused(np.ones(len(here)), stands),
            )


def _report(rows: list[Fitted]) -> Iterator[str]:
    """Yield the tables."""
    for heights in (False, True):
        yield f"{'with' if heights else 'without'} surface model"
        part = [row for row in rows if row.heights == heights]
        for name in dict.fromkeys(row.layer for row in part):
            layer = [row for row in part if row.layer == name]
            found = [row for row in layer if row.verdict == "found"]
            line = f"  {name}: found {len(found)} of {len(layer)}"
            if found:
                error = math.sqrt(float(np.mean([row.error_m**2 for row in found])))
                line += f", error {error:.2f} m, worst permit {max(r.worst_m for r in found):.2f} m"
                line += _honesty(found)
            else:
                line += f", highest evidence {max(row.evidence for row in layer):.1f}"
            yield line
        both = np.array([row.standing for row in part if row.standing is not None])
        if len(both):
            for name, said in zip(("stands", "empty"), both.sum(axis=0), strict=True):
                yield f"  {name}: told built {said[0]}, empty {said[1]}, not known {said[2]}"


def _honesty(found: list[Fitted]) -> str:
    """Return how the errors told compare with the true ones, where those are known."""
    ratio = np.array([row.told_m / max(row.error_m, 0.01) for row in found])
    if not np.isfinite(ratio).all():
        return ""
    within = np.mean((ratio > 0.5) & (ratio < 2))
    return f", told over true {np.median(ratio):.1f} (within a factor 2: {within:.0%})"


def _run(first_seed: int, executor: Executor | None) -> list[Fitted]:
    return [
        row for part in run_all(measure, grounds(first_seed), executor=executor) for row in part
    ]


def main() -> int:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.permit_offsets", description=__doc__
    )
    parser.add_argument("--first-seed", type=int, default=71_000, help="70000: to choose by")
    parser.add_argument("--workers", type=int, default=0, help="processes; 0: one per core")
    parser.add_argument("-o", type=Path, help="add a line of JSON for every layer to this file")
    chosen = parser.parse_args()
    with open_executor(chosen.workers) as executor:
        rows = _run(chosen.first_seed, executor)
    print(*_report(rows), sep="\n")
    if folder := real_folder():
        real = list(measure_real(folder))
        for picture in dict.fromkeys(row.ground for row in real):
            print(picture)
            print(*list(_report([row for row in real if row.ground == picture]))[:8], sep="\n")
        rows += real
    if chosen.o:
        with chosen.o.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(row)) + "\n" for row in rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
