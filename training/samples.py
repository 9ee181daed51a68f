"""Pairs of pictures with the truth, drawn without end from rendered scenes and real tiles.

A pair is one of five things: a rendered scene as two flights show it; a real tile against itself,
with roofs and ground of other tiles laid into either of the two, or nothing but clutter; two tiles
of different places, where what differs is known from the roofs of each (Zheng et al. 2021,
single-temporal supervision); and two of places without roofs, into which some are laid or none.
Then both pictures are shifted, lit, blurred and pressed, each in its own way.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import cv2
import geopandas as gpd
import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.features import rasterize

from training.augment import disturb_picture, recolour, shift_maps, stain
from training.pieces import ON_ROOFS, Tile, cut_piece, draw_piece, lay
from training.scenes import IGNORED, PIXEL_M

__all__ = ["HELD_BACK", "Pair", "Scene", "Source", "draw_pairs", "read_real", "read_scenes"]

HELD_BACK = 8
"""Every eighth scene and tile is for measuring."""

# Share of rendered pairs, of real tiles against themselves, built on or not, of two places, and of
# two bare ones: ground of another day, season and light differs as much, and is no structure.
_KINDS, _SHARES = ("scene", "laid", "quiet", "apart", "ground"), (0.4, 0.3, 0.05, 0.13, 0.12)
_MOST_PIECES = 7
_DRAWN = 0.5  # share of pieces that are drawn and not cut out
_DARKENED = 0.3  # share of recoloured roofs that are slate, asphalt and bitumen: dark as a shadow

Colours = NDArray[np.uint8]
Labels = NDArray[np.uint8]
Numbers = NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two pictures and what a perfect network says of them."""

    before: Colours
    """(row, col, 3)."""
    after: Colours
    """(row, col, 3)."""
    labels: Labels
    """(row, col, 4): roof before, roof after, appeared, gone; 0, 1 or `IGNORED`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A rendered pair."""

    before: Tile
    after: Tile
    new: Labels
    gone: Labels


def read_scenes(folder: Path) -> list[Scene]:
    """Read what `training.scenes` wrote."""
    found = []
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as data:
            tiles = []
            for side in ("before", "after"):
                owner = data[f"owner_{side}"].astype(np.int32)
                owner[~data["seen"]] = -1
                colour = np.ascontiguousarray(np.moveaxis(data[side], 0, -1))
                tiles.append(Tile(colour=colour, owner=owner))
            new, gone = (np.where(data["seen"], data[name], IGNORED) for name in ("new", "gone"))
            found.append(
                Scene(before=tiles[0], after=tiles[1], new=np.uint8(new), gone=np.uint8(gone))
            )
    return found


def read_real(folder: Path) -> list[Tile]:
    """Read the real tiles that may be learnt from, at the network's pixel."""
    outlines = gpd.read_file(folder / "train/banepa/labels/buildings.geojson")
    paths = [
        *sorted(folder.glob("train/banepa/images/*.tif")),
        *sorted(folder.glob("train/nothing-built/*.tif")),
    ]
    return [_read(path, outlines) for path in paths]


def _read(path: Path, outlines: gpd.GeoDataFrame) -> Tile:
    with rasterio.open(path) as dataset:
        colour = np.ascontiguousarray(np.moveaxis(dataset.read([1, 2, 3]), 0, -1))
        # Web Mercator stretches by 1 / cos(latitude).
        pixel_m = dataset.res[0] * np.cos(np.radians(dataset.lnglat()[1]))
        here = outlines.to_crs(dataset.crs).cx[
            dataset.bounds.left : dataset.bounds.right, dataset.bounds.bottom : dataset.bounds.top
        ]
        shapes = [(shape, number) for number, shape in enumerate(here.geometry, start=1)]
        size = round(dataset.width * pixel_m / PIXEL_M)
        place = dataset.transform @ rasterio.Affine.scale(dataset.width / size)
    owner = np.zeros((size, size), np.int32)
    if shapes:
        owner = rasterize(shapes, (size, size), transform=place, dtype="int32").astype(np.int32)
    empty = ~colour.any(axis=-1)
    if empty.mean() > 0.001:
        hidden = cv2.resize(empty.astype(np.uint8), (size, size), interpolation=cv2.INTER_NEAREST)
        owner[hidden > 0] = -1
    return Tile(colour=cv2.resize(colour, (size, size), interpolation=cv2.INTER_AREA), owner=owner)


@dataclass(frozen=True)
class Source:
    """Everything that pairs are drawn from."""

    scenes: list[Scene]
    """Rendered pairs."""
    tiles: list[Tile]
    """Real tiles."""
    grain: int = 1
    """How many of the network's pixels one of theirs is wide."""

    @cached_property
    def bare(self) -> list[Tile]:
        """Real tiles without a roof."""
        return [tile for tile in self.tiles if tile.bare]

    def draw_tile(self, rng: np.random.Generator, *, real: float = 0.7) -> Tile:
        """Return a real tile, or one side of a rendered scene."""
        if self.tiles and (rng.random() < real or not self.scenes):
            return self.tiles[int(rng.integers(len(self.tiles)))]
        scene = self.scenes[int(rng.integers(len(self.scenes)))]
        return scene.after if rng.random() < 0.5 else scene.before


def draw_pairs(
    source: Source, side: int, rng: np.random.Generator, *, kinds: tuple[str, ...] = _KINDS
) -> Iterator[Pair]:
    """Draw pairs of some kinds (`scene`, `laid`, `quiet`, `apart`, `ground`) without end."""
    shares = np.array([_SHARES[_KINDS.index(kind)] for kind in kinds])
    while True:
        kind = rng.choice(kinds, p=shares / shares.sum())
        draft = _DRAWERS[str(kind)](source, side, rng)
        if (draft.labels[..., 0] == IGNORED).mean() < 0.5:
            yield _disturbed(draft, rng)


def _crop_maps(
    shape: tuple[int, ...],
    side: int,
    rng: np.random.Generator,
    *,
    about: tuple[int, int] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return where a turned and scaled crop takes its pixels from."""
    scale = float(np.exp(rng.normal(0.0, 0.22)))
    turn = rng.uniform(0, 2 * np.pi)
    along, across = np.cos(turn) / scale, np.sin(turn) / scale
    flip = rng.choice((-1.0, 1.0))
    reach = side / scale / 2
    middle = [rng.uniform(min(reach, size / 2), max(size - reach, size / 2)) for size in shape[:2]]
    if about is not None:
        middle = [
            float(
                np.clip(
                    at + rng.uniform(-0.6, 0.6) * reach,
                    min(reach, size / 2),
                    max(size - reach, size / 2),
                )
            )
            for at, size in zip(about, shape[:2], strict=True)
        ]
    columns, rows = np.meshgrid(
        np.arange(side, dtype=np.float32) - side / 2, np.arange(side, dtype=np.float32) - side / 2
    )
    columns = columns * np.float32(flip)
    return (
        (middle[1] + along * columns - across * rows).astype(np.float32),
        (middle[0] + across * columns + along * rows).astype(np.float32),
    )


def _taken(tile: Tile, maps: tuple[NDArray[np.float32], NDArray[np.float32]]) -> Tile:
    colour = cv2.remap(tile.colour, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    owner = cv2.remap(tile.owner.astype(np.float32), *maps, cv2.INTER_NEAREST, borderValue=-1.0)
    return Tile(colour=colour, owner=owner.astype(np.int32))


def _roofs(owner: Numbers) -> Labels:
    return np.where(owner < 0, IGNORED, owner > 0).astype(np.uint8)


def _pair(before: Tile, after: Tile, new: Labels, gone: Labels) -> Pair:
    labels = [_roofs(before.owner), _roofs(after.owner), new, gone]
    return Pair(before=before.colour, after=after.colour, labels=np.stack(labels, axis=-1))


def _scene(source: Source, side: int, rng: np.random.Generator) -> Pair:
    scene = source.scenes[int(rng.integers(len(source.scenes)))]
    about = None
    if rng.random() < 0.6:
        # Most of a scene stays as it was: half of the crops look at what did not.
        rows, cols = np.nonzero((scene.new == 1) | (scene.gone == 1))
        if len(rows):
            chosen = int(rng.integers(len(rows)))
            about = int(rows[chosen]), int(cols[chosen])
    maps = _crop_maps(scene.new.shape, side, rng, about=about)
    before, after = _taken(scene.before, maps), _taken(scene.after, maps)
    new, gone = (
        cv2.remap(labels, *maps, cv2.INTER_NEAREST, borderValue=float(IGNORED))
        for labels in (scene.new, scene.gone)
    )
    before, after = _painted(before, after, rng)
    return _pair(before, after, new, gone)


def _apart(source: Source, side: int, rng: np.random.Generator) -> Pair:
    """Two places: what differs is known from the roofs of each."""
    drawn = [source.draw_tile(rng) for _side in range(2)]
    before, after = (_taken(tile, _crop_maps(tile.owner.shape, side, rng)) for tile in drawn)
    return _compared(*_painted(before, after, rng))


def _compared(before: Tile, after: Tile) -> Pair:
    """Say what appeared and went where every structure has a number of its own.

    What was put on a roof appeared. Where one roof gave way to another the later picture decides,
    as in rendered scenes.
    """
    unknown = (before.owner < 0) | (after.owner < 0)
    top_before, top_after = before.owner >= ON_ROOFS, after.owner >= ON_ROOFS
    other = (before.owner > 0) & (after.owner > 0) & (before.owner != after.owner)
    other &= top_before == top_after
    new = (after.owner > 0) & ((before.owner == 0) | (top_after & ~top_before) | other)
    gone = (before.owner > 0) & ((after.owner == 0) | (top_before & ~top_after))
    new_labels = np.where(unknown, IGNORED, new).astype(np.uint8)
    gone_labels = np.where(unknown | other, IGNORED, gone).astype(np.uint8)
    return _pair(before, after, new_labels, gone_labels)


def _quiet(source: Source, side: int, rng: np.random.Generator) -> Pair:
    """A tile against itself, on which nothing was built or torn down."""
    return _laid(source, side, rng, built=False)


def _laid(source: Source, side: int, rng: np.random.Generator, *, built: bool = True) -> Pair:
    """A tile against itself, with pieces of others laid into either picture, or into both."""
    tile = source.draw_tile(rng, real=0.85)
    before = _taken(tile, _crop_maps(tile.owner.shape, side, rng))
    before = replace(before, owner=np.minimum(before.owner, 9_999))
    after = Tile(colour=before.colour.copy(), owner=before.owner.copy())
    before = Tile(colour=before.colour.copy(), owner=before.owner.copy())
    before, after = _painted(before, after, rng)
    _lay_pieces(before, after, source, rng, built=built)
    return _compared(before, after)


def _ground(source: Source, side: int, rng: np.random.Generator) -> Pair:
    """Two places without a roof, half of them with pieces of others laid into them."""
    if not source.bare:
        return _apart(source, side, rng)
    drawn = [source.bare[int(at)] for at in rng.integers(len(source.bare), size=2)]
    before, after = (_taken(tile, _crop_maps(tile.owner.shape, side, rng)) for tile in drawn)
    _lay_pieces(before, after, source, rng, built=rng.random() < 0.5)
    return _compared(before, after)


def _lay_pieces(
    before: Tile, after: Tile, source: Source, rng: np.random.Generator, *, built: bool
) -> None:
    """Lay pieces of other tiles into either picture, or into both, in place."""
    other = source.draw_tile(rng, real=0.7)
    pieces = _taken(other, _crop_maps(other.owner.shape, before.owner.shape[0], rng))
    sun = rng.uniform(0, 2 * np.pi)
    for number in range(10_000, 10_000 + int(rng.integers(1, _MOST_PIECES + 1))):
        drawn = rng.random() < _DRAWN
        piece = draw_piece(rng, source.grain) if drawn else cut_piece(pieces, rng)
        if piece is not None and (built or not (piece.roof or piece.ground)):
            targets = ((before,), (after,), (before, after))[
                int(rng.choice(3, p=(0.42, 0.42, 0.16)))
            ]
            lay(piece, targets, number, float(sun), rng)


def _painted(before: Tile, after: Tile, rng: np.random.Generator) -> tuple[Tile, Tile]:
    """Give roofs other colours: mostly the same in both pictures, sometimes in one."""
    count = int(max(before.owner.max(), after.owner.max(), 0)) + 1
    tables = _tables(count, 0.45, rng)
    repainted = _tables(count, 0.12, rng)
    before = replace(before, colour=recolour(before.colour, before.owner, tables))
    colour = recolour(recolour(after.colour, after.owner, tables), after.owner, repainted)
    after = replace(after, colour=colour)
    if rng.random() < 0.4:
        side = before if rng.random() < 0.5 else after
        side.colour[:] = stain(side.colour, (before.owner > 0) | (after.owner > 0), rng)
    return before, after


def _tables(
    count: int, share: float, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    chosen = (rng.random(count) < share) & (np.arange(count) > 0)
    gains = np.exp(rng.normal(0.0, 0.35, (count, 1)) + rng.normal(0.0, 0.2, (count, 3)))
    dark = rng.random((count, 1)) < _DARKENED
    gains = gains * np.where(dark, rng.uniform(0.3, 0.65, (count, 1)), 1.0)
    offsets = rng.normal(0.0, 18.0, (count, 3))
    gains[~chosen], offsets[~chosen] = 1.0, 0.0
    return gains.astype(np.float32), offsets.astype(np.float32)


def _disturbed(pair: Pair, rng: np.random.Generator) -> Pair:
    """Exchange, misalign, light and press the pictures."""
    before, after, labels = pair.before, pair.after, pair.labels
    if rng.random() < 0.5:
        before, after, labels = after, before, labels[..., [1, 0, 3, 2]]
    maps = shift_maps(len(after), rng)
    after = cv2.remap(after, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    moved = cv2.remap(
        np.ascontiguousarray(labels[..., [1, 2]]),
        *maps,
        cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(float(IGNORED),) * 2,
    )
    labels = np.stack([labels[..., 0], moved[..., 0], moved[..., 1], labels[..., 3]], axis=-1)
    # Both flights of a job come from one camera more often than not.
    if rng.random() < 0.08:
        order = rng.permutation(3)
        before, after = before[..., order], after[..., order]
    return Pair(
        before=disturb_picture(np.ascontiguousarray(before), labels[..., 0] == 1, rng),
        after=disturb_picture(np.ascontiguousarray(after), labels[..., 1] == 1, rng),
        labels=labels,
    )


_DRAWERS = {"scene": _scene, "laid": _laid, "quiet": _quiet, "apart": _apart, "ground": _ground}
