"""Pieces of pictures, cut out of others or drawn, and how they are laid into a tile. Pure."""

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from training.augment import cast_shadow
from training.drawn_roofs import draw_clutter, draw_roof

__all__ = ["ON_ROOFS", "Piece", "Tile", "cut_piece", "draw_piece", "lay"]

ON_ROOFS = 30_000
"""Numbers from here on are of structures that were put on a roof."""

_LEAST_PIECE_PX = 8  # a roof that is cut out has this squared, at least
# Shares of new roofs that stand free, beside a roof and on one; how much of one beside a roof may
# reach under it, and how much of a roof one on it covers at most.
_STANDS, _STAND_SHARES = ("free", "beside", "on"), (0.52, 0.34, 0.14)
_UNDER, _COVERED = (0.03, 0.5), 0.6

Colours = NDArray[np.uint8]
Numbers = NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One picture and its roofs, at the network's pixel."""

    colour: Colours
    """(row, col, 3)."""
    owner: Numbers
    """(row, col); number of the structure seen, 0 for none, -1 where nobody knows."""

    @property
    def bare(self) -> bool:
        """Whether no structure is seen."""
        return not (self.owner > 0).any()


@dataclass(frozen=True, slots=True)
class Piece:
    """Something cut out of a picture, or drawn."""

    colour: Colours
    """(row, col, 3)."""
    mask: NDArray[np.bool_]
    """(row, col); where it is."""
    roof: bool
    """Whether it is a structure."""
    ground: bool = False
    """Whether it is a piece of open ground: what it covers is gone."""
    standing: bool = False
    """Whether it stands above the ground and casts a shadow."""


def draw_piece(rng: np.random.Generator, grain: int = 1) -> Piece:
    """Draw a roof, or something that is none, for pictures of so many pixels a pixel."""
    if rng.random() < 0.65:
        colour, mask = draw_roof(rng)
        piece = Piece(colour, mask, roof=True, standing=True)
    else:
        colour, mask, standing = draw_clutter(rng)
        piece = Piece(colour, mask, roof=False, standing=standing)
    return piece if grain == 1 else _scaled(piece, 1 / grain, least=4)


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
            return Piece(tile.colour[window], mask, roof=False, ground=True)
    return None


def _spot(
    piece: Piece, owner: Numbers, stands: str, rng: np.random.Generator
) -> tuple[int, int] | None:
    """Return where a piece may lie: free, beside a roof or on one; what is flat, anywhere.

    Large pieces may reach out of the picture.
    """
    side = owner.shape[0]
    over = [max(0, size - side // 2) for size in piece.mask.shape]
    roofs = np.argwhere(owner > 0)
    for _attempt in range(16):
        if stands == "free":
            row, col = (
                int(rng.integers(-out, max(1 - out, side - size + out)))
                for size, out in zip(piece.mask.shape, over, strict=True)
            )
        else:
            row, col = (
                int(at - size / 2 + rng.normal(0, 0.3 * size if stands == "beside" else 0.0))
                for at, size in zip(roofs[rng.integers(len(roofs))], piece.mask.shape, strict=True)
            )
        if _fits(piece, (row, col), owner, stands):
            return row, col
    return None


def _fits(piece: Piece, place: tuple[int, int], owner: Numbers, stands: str) -> bool:
    ends = (at + size for at, size in zip(place, piece.mask.shape, strict=True))
    if min(ends) < _LEAST_PIECE_PX or max(place) > owner.shape[0] - _LEAST_PIECE_PX:
        return False
    mask, window = _clipped(piece.mask, place, owner.shape[0])
    under = owner[window][mask]
    if not len(under):
        return False
    share = float((under > 0).mean())
    if stands == "beside":
        return _UNDER[0] <= share <= _UNDER[1]
    if stands == "on":
        number = int(np.bincount(np.maximum(under, 0)).argmax())
        return (
            number > 0
            and float((under == number).mean()) > 0.97
            and len(under) < _COVERED * int((owner == number).sum())
        )
    return not (piece.roof or piece.standing) or share < 0.1


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
    """Lay a piece into pictures, what stands with its shadow; the pictures are changed in place.

    A roof stands free, beside another or on it; one that stands on another has `ON_ROOFS` added to
    its number. What lies on a roof and is none leaves it the roof it was, open ground excepted.
    """
    owner = targets[0].owner
    side = owner.shape[0]
    stands = str(rng.choice(_STANDS, p=_STAND_SHARES)) if piece.roof and owner.max() > 0 else "free"
    if stands != "free":
        piece = _smaller(piece, rng)
    place = _spot(piece, owner, stands, rng)
    if place is None:
        return
    whole, laid = np.zeros((side, side), np.uint8), np.zeros((side, side, 3), np.uint8)
    mask, window = _clipped(piece.mask, place, side)
    whole[window], laid[window] = mask, _clipped(piece.colour, place, side)[0]
    # A thing lies on the ground or, like panels and tanks, on part of one roof.
    thing = not piece.roof and not piece.ground
    if stands == "beside" or (thing and not _fits(piece, place, owner, "on")):
        whole[owner > 0] = 0
    soft = cv2.GaussianBlur(whole.astype(np.float32), (0, 0), float(rng.uniform(0.4, 0.9)))
    alpha = np.where(laid.any(axis=-1), soft, 0.0)[..., None]
    lit = cast_shadow(whole, sun, rng) if piece.standing and rng.random() < 0.8 else 1.0
    for tile in targets:
        mixed = tile.colour * lit * (1.0 - alpha) + laid * alpha
        tile.colour[:] = np.clip(mixed, 0, 255).astype(np.uint8)
        covered = (whole > 0) & (tile.owner >= 0)
        if piece.roof:
            tile.owner[covered] = number + (ON_ROOFS if stands == "on" else 0)
        elif piece.ground:
            tile.owner[covered] = 0


def _smaller(piece: Piece, rng: np.random.Generator) -> Piece:
    """Return a piece shrunk: what is added to a structure is smaller than one."""
    return _scaled(piece, float(rng.uniform(0.35, 0.9)), least=12)


def _scaled(piece: Piece, factor: float, *, least: int) -> Piece:
    size = tuple(max(least, round(length * factor)) for length in piece.mask.shape[::-1])
    colour = cv2.resize(piece.colour, size, interpolation=cv2.INTER_AREA)
    mask = cv2.resize(piece.mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    return replace(piece, colour=colour, mask=mask)
