"""How the land is divided: blocks between roads, plots in blocks, and what covers them."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from survey.simulation.scene import Patch, Place, Road

__all__ = ["Block", "Plot", "draw_blocks", "draw_covers", "draw_plots", "draw_roads"]

_BLOCK_M = 100.0
_VERGE_M = 9.0
_PLOT_M = 19.0
_LANE_M = 2.6
_FREE_SHARE = 0.32
_ROAD_M = 6.5
_Use = Literal["village", "factory", "fields"]
_USES: tuple[_Use, ...] = ("village", "village", "factory", "fields")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A square of land between roads."""

    place: Place
    """Centre, and the direction its rows run."""
    side_m: float
    """Side without the verges of the roads, metres."""
    use: _Use
    """What it is used for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A piece of a village block for one household."""

    place: Place
    """Centre and direction."""
    length_m: float
    """Side along u, metres."""
    width_m: float
    """Side along v, metres."""
    built: bool
    """True where a house stands from the start."""


def draw_blocks(rng: np.random.Generator, side_m: float) -> tuple[Block, ...]:
    """Divide the area into blocks; every four hold two villages, a factory and fields.

    A single block is a village.
    """
    count = max(1, round(side_m / _BLOCK_M))
    size = side_m / count
    uses: list[_Use] = ["village"]
    if count > 1:
        uses = [_USES[i] for _ in range(-(-count * count // 4)) for i in rng.permutation(4)]
    blocks = []
    for number in range(count * count):
        row, column = divmod(number, count)
        place = Place(
            x=(column + 0.5) * size,
            y=(row + 0.5) * size,
            bearing_deg=float(rng.choice([0.0, 90.0]) + rng.uniform(-4.0, 4.0)),
        )
        blocks.append(Block(place=place, side_m=size - 2.0 * _VERGE_M, use=uses[number]))
    return tuple(blocks)


def draw_plots(rng: np.random.Generator, block: Block) -> tuple[Plot, ...]:
    """Divide a village block into plots; about a third are free."""
    count = max(1, round(block.side_m / _PLOT_M - 0.2))
    pitch = block.side_m / count
    free = max(1, round(_FREE_SHARE * count * count))
    empty = set(rng.permutation(count * count)[:free].tolist())
    plots = []
    for number in range(count * count):
        row, column = divmod(number, count)
        u, v = ((step + 0.5) * pitch - block.side_m / 2 for step in (row, column))
        place = block.place.move(u, v, float(rng.uniform(-1.0, 1.0)))
        size = pitch - _LANE_M
        plots.append(Plot(place=place, length_m=size, width_m=size, built=number not in empty))
    return tuple(plots)


def draw_roads(
    rng: np.random.Generator, side_m: float, blocks: tuple[Block, ...]
) -> tuple[Road, ...]:
    """Lay asphalt between the blocks and cement lanes through the villages."""
    count = max(1, round(side_m / _BLOCK_M))
    size = side_m / count
    lines = range(1, count) if count > 1 else range(1)
    roads: list[Road] = []
    for line in lines:
        for upright in (False, True):
            roads += _draw_line(rng, line * size, side_m, upright)
    for block in blocks:
        if block.use == "village":
            half = block.side_m / 2 + _VERGE_M - _ROAD_M / 2
            start, end = block.place.move(-half, 0.0), block.place.move(half, 0.0)
            roads.append(Road(start=start, end=end, width_m=2.4, surface="cement"))
    return tuple(sorted(roads, key=lambda road: road.surface, reverse=True))  # asphalt on top


def _draw_line(rng: np.random.Generator, offset: float, side_m: float, upright: bool) -> list[Road]:
    """Draw one slightly winding road across the area and 30 m beyond it."""
    along = np.arange(-30.0, side_m + 55.0, 50.0)
    across = offset + rng.uniform(-1.6, 1.6, along.size)
    points = [
        Place(x=float(b), y=float(a)) if upright else Place(x=float(a), y=float(b))
        for a, b in zip(along, across, strict=True)
    ]
    width_m = _ROAD_M + float(rng.uniform(-0.8, 0.4))
    return [
        Road(start=start, end=end, width_m=width_m, surface="asphalt")
        for start, end in pairwise(points)
    ]


def draw_covers(
    rng: np.random.Generator, block: Block, plots: tuple[Plot, ...]
) -> tuple[Patch, ...]:
    """Cover the ground of a block: yards, a factory's concrete, or fields and a pond."""
    if block.use == "village":
        return tuple(_draw_yard(rng, plot) for plot in plots)
    if block.use == "factory":
        side_m = block.side_m + 4.0
        return (_patch(rng, "concrete", block.place, side_m, side_m),)
    return _draw_fields(rng, block)


def _patch(
    rng: np.random.Generator,
    kind: Literal["concrete", "soil", "grass", "paddy", "vegetable", "pond", "rubble"],
    place: Place,
    length_m: float,
    width_m: float,
) -> Patch:
    seed = int(rng.integers(2**31))
    return Patch(kind=kind, place=place, length_m=length_m, width_m=width_m, seed=seed)


def _draw_yard(rng: np.random.Generator, plot: Plot) -> Patch:
    chances = (0.5, 0.35, 0.15) if plot.built else (0.1, 0.4, 0.5)
    kinds: tuple[Literal["concrete", "soil", "grass"], ...] = ("concrete", "soil", "grass")
    kind = kinds[int(rng.choice(3, p=chances))]
    return _patch(rng, kind, plot.place, plot.length_m + 0.6, plot.width_m + 0.6)


def _draw_fields(rng: np.random.Generator, block: Block) -> tuple[Patch, ...]:
    """Lay strips of fields side by side and a pond at one end."""
    pond_m = 0.27 * block.side_m
    pond = block.place.move(block.side_m / 2 - pond_m / 2, 0.0)
    covers = [_patch(rng, "pond", pond, pond_m, 0.62 * block.side_m)]
    strips = max(2, round(block.side_m / 13.0))
    pitch, length_m = block.side_m / strips, block.side_m - pond_m - 4.0
    kinds: tuple[Literal["paddy", "vegetable"], ...] = ("paddy", "vegetable")
    for strip in range(strips):
        v = (strip + 0.5) * pitch - block.side_m / 2
        place = block.place.move(-pond_m / 2 - 2.0, v)
        kind = kinds[int(rng.random() < 0.45)]  # a little more rice
        covers.append(_patch(rng, kind, place, length_m, pitch - 0.9))
    return tuple(covers)
