"""The same pictures at twice the pixel: what is too large to be seen whole at the network's own.

A hall of 60 m fills a crop; seen from twice as far it is a roof with an edge and ground around it.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from training.pieces import Tile
from training.samples import Scene, Source

__all__ = ["halved_source", "patchworks"]

_ACROSS = 2  # tiles of a patchwork, each way
_NUMBERS = 2_000  # no tile has more structures
_BARE = 0.2  # share of patchworks of tiles without a roof only


def halved_source(source: Source, rng: np.random.Generator) -> Source:
    """Return a source at twice the pixel; real tiles are joined four by four, to be large enough.

    Parameters
    ----------
    source
        Rendered pairs and real tiles at the network's pixel.
    rng
        Chooses which tiles lie side by side.
    """
    return Source(
        [_halved_scene(scene) for scene in source.scenes],
        [_halved(tile) for tile in patchworks(source.tiles, rng)],
        grain=2 * source.grain,
    )


def patchworks(tiles: list[Tile], rng: np.random.Generator) -> list[Tile]:
    """Join tiles drawn at random, two by two: as many patchworks as there are tiles.

    Some are of tiles without a roof only.
    """
    bare = [tile for tile in tiles if tile.bare] or tiles
    return [_patchwork(bare if rng.random() < _BARE else tiles, rng) for _one in tiles]


def _patchwork(tiles: list[Tile], rng: np.random.Generator) -> Tile:
    """Join four tiles, cut to the size of the smallest."""
    chosen = [tiles[int(at)] for at in rng.integers(len(tiles), size=_ACROSS**2)]
    side = min(length for tile in chosen for length in tile.owner.shape)
    owners = [
        np.where(tile.owner > 0, tile.owner + _NUMBERS * number, tile.owner)[:side, :side]
        for number, tile in enumerate(chosen)
    ]
    return Tile(
        colour=_joined([tile.colour[:side, :side] for tile in chosen]),
        owner=_joined(owners).astype(np.int32),
    )


def _joined(parts: list[NDArray[np.generic]]) -> NDArray[np.generic]:
    rows = [
        np.concatenate(parts[at : at + _ACROSS], axis=1) for at in range(0, len(parts), _ACROSS)
    ]
    return np.concatenate(rows, axis=0)


def _halved_scene(scene: Scene) -> Scene:
    return Scene(
        before=_halved(scene.before),
        after=_halved(scene.after),
        new=_every_other(scene.new),
        gone=_every_other(scene.gone),
    )


def _halved(tile: Tile) -> Tile:
    rows, cols = (length // 2 for length in tile.owner.shape)
    colour = tile.colour[: 2 * rows, : 2 * cols]
    return Tile(
        colour=cv2.resize(colour, (cols, rows), interpolation=cv2.INTER_AREA),
        owner=_every_other(tile.owner),
    )


def _every_other(band: NDArray[np.generic]) -> NDArray[np.generic]:
    rows, cols = (length // 2 for length in band.shape)
    return np.ascontiguousarray(band[: 2 * rows : 2, : 2 * cols : 2])
