"""Pieces of pictures, cut out of others or drawn, and how they are laid into a tile. Pure."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from training.drawn_roofs import draw_clutter, draw_roof

__all__ = ["Piece", "Tile", "cut_piece", "draw_piece", "lay"]

_LEAST_PIECE_PX = 8  # a roof that is cut out has this squared, at least

Colours = NDArray[np.uint8]
Numbers = NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One picture and its roofs, at the network's pixel."""

    colour: Colours
    """(row, col, 3)."""
    owner: Numbers
    """(row, col); number of the structure seen, 0 for none, -1 where nobody knows."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Something cut out of a picture, or drawn."""

    colour: Colours
    """(row, col, 3)."""
    mask: NDArray[np.bool_]
    """(row, col); where it is."""
    roof: bool
    """Whether it is a structure."""
    standing: bool = False
    """Whether it stands above the ground and casts a shadow."""


def draw_piece(rng: np.random.Generator) -> Piece:
    """Draw a roof, or something that is none."""
    if rng.random() < 0.65:
        colour, mask = draw_roof(rng)
        return Piece(colour, mask, roof=True, standing=True)
    colour, mask, standing = draw_clutter(rng)
    return Piece(colour, mask, roof=False, standing=standing)


def cut_piece(tile: Tile, rng: np.random.Generator) -> Piece | None:
    """Cut a roof out, or a piece of open ground of a roof's shape."""
    numbers, counts = np.unique(tile.owner[tile.owner > 0], return_counts=True)
    numbers = numbers[counts >= _LEAST_PIECE_PX**2]
    if not len(numbers):
        return None
    rows, cols = np.nonzero(tile.owner == rng.choice(numbers))
    top, left = rows.min(), cols.min()
    mask = np.zeros((np.ptp(rows) + 5, np.ptp(cols) + 5), bool)
    mask[rows - top + 2, cols - left + 2] = True
    if mask.shape[0] >= tile.owner.shape[0] or mask.shape[1] >= tile.owner.shape[1]:
        return None
    if rng.random() < 0.6:
        top, left = max(0, top - 2), max(0, left - 2)
        window = np.s_[top : top + mask.shape[0], left : left + mask.shape[1]]
        colour = tile.colour[window]
        shown = mask[: colour.shape[0], : colour.shape[1]]
        return Piece(colour, shown, roof=True, standing=True)
    for _attempt in range(12):
        row = int(rng.integers(0, tile.owner.shape[0] - mask.shape[0]))
        col = int(rng.integers(0, tile.owner.shape[1] - mask.shape[1]))
        window = np.s_[row : row + mask.shape[0], col : col + mask.shape[1]]
        if not tile.owner[window][mask].any():
            return Piece(tile.colour[window], mask, roof=False)
    return None


def _spot(piece: Piece, owner: Numbers, rng: np.random.Generator) -> tuple[int, int] | None:
    """Return where a piece may lie: what stands on open ground, what is flat anywhere.

    Large pieces may reach out of the picture.
    """
    side = owner.shape[0]
    over = [max(0, size - side // 2) for size in piece.mask.shape]
    for _attempt in range(8):
        row, col = (
            int(rng.integers(-out, max(1 - out, side - size + out)))
            for size, out in zip(piece.mask.shape, over, strict=True)
        )
        mask, window = _clipped(piece.mask, (row, col), side)
        under = owner[window][mask]
        if len(under) and (not (piece.roof or piece.standing) or (under > 0).mean() < 0.1):
            return row, col
    return None


def _clipped(
    band: NDArray[Any], place: tuple[int, int], side: int
) -> tuple[NDArray[Any], tuple[slice, slice]]:
    """Return what of a piece lies in a picture, and where."""
    ends = [min(side, at + size) for at, size in zip(place, band.shape[:2], strict=True)]
    starts = [max(0, at) for at in place]
    inside = tuple(slice(a - at, b - at) for a, b, at in zip(starts, ends, place, strict=True))
    return band[inside], (slice(starts[0], ends[0]), slice(starts[1], ends[1]))


def lay(
    piece: Piece, targets: tuple[Tile, ...], number: int, sun: float, rng: np.random.Generator
) -> None:
    """Lay a piece into pictures, what stands with its shadow; the pictures are changed in place."""
    side = targets[0].owner.shape[0]
    place = _spot(piece, targets[0].owner, rng)
    if place is None:
        return
    whole, laid = np.zeros((side, side), np.uint8), np.zeros((side, side, 3), np.uint8)
    mask, window = _clipped(piece.mask, place, side)
    whole[window], laid[window] = mask, _clipped(piece.colour, place, side)[0]
    soft = cv2.GaussianBlur(whole.astype(np.float32), (0, 0), float(rng.uniform(0.4, 0.9)))
    alpha = np.where(laid.any(axis=-1), soft, 0.0)[..., None]
    lit = _shadow(whole, sun, rng) if piece.standing and rng.random() < 0.8 else 1.0
    for tile in targets:
        mixed = tile.colour * lit * (1.0 - alpha) + laid * alpha
        tile.colour[:] = np.clip(mixed, 0, 255).astype(np.uint8)
        tile.owner[(whole > 0) & (tile.owner >= 0)] = number if piece.roof else 0


def _shadow(whole: NDArray[np.uint8], sun: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return what share of the light is left around a piece that stands, (row, col, 1)."""
    length, steps = rng.uniform(3, 25), 8
    cast = np.zeros_like(whole)
    for step in range(1, steps + 1):
        east, south = (length * step / steps * turn for turn in (np.cos(sun), np.sin(sun)))
        move = np.array([[1, 0, east], [0, 1, south]], np.float32)
        cast |= cv2.warpAffine(whole, move, whole.shape[::-1], flags=cv2.INTER_NEAREST)
    cast[whole > 0] = 0
    dark = cv2.GaussianBlur(cast.astype(np.float32), (0, 0), 0.7)[..., None]
    return np.asarray(1.0 - dark * rng.uniform(0.3, 0.7), np.float32)
