"""Windows: rectangles of rows and columns, and the lattice of tiles a grid is worked through."""

from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Block", "Tile", "Window", "cut_blocks"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A rectangle of pixels; it may overhang the grid it belongs to."""

    row: int
    """First row."""
    col: int
    """First column."""
    height: int
    """Rows."""
    width: int
    """Columns."""

    def __post_init__(self) -> None:
        if self.height < 1 or self.width < 1:
            raise ValueError(f"a window needs pixels, got {self.width} x {self.height}")

    def padded(self, margin: int) -> "Window":
        """Return the window grown by ``margin`` pixels on every side."""
        return Window(
            row=self.row - margin,
            col=self.col - margin,
            height=self.height + 2 * margin,
            width=self.width + 2 * margin,
        )

    def clipped(self, *, height: int, width: int) -> "Window | None":
        """Return the part inside a grid of ``height`` x ``width``, or None where there is none."""
        row, col = max(0, self.row), max(0, self.col)
        bottom = min(height, self.row + self.height)
        right = min(width, self.col + self.width)
        if bottom <= row or right <= col:
            return None
        return Window(row=row, col=col, height=bottom - row, width=right - col)

    def slices_in(self, outer: "Window") -> tuple[slice, slice]:
        """Return the (row, col) slices that cut this window out of an array of ``outer``."""
        row, col = self.row - outer.row, self.col - outer.col
        return slice(row, row + self.height), slice(col, col + self.width)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One square of the lattice: what it answers for, and what it must see to do so."""

    core: Window
    """The pixels this tile answers for; the cores of all tiles cover the grid exactly once."""
    seen: Window
    """``core`` with its halo; always the same size on a lattice, overhanging at the grid's edge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A group of neighbouring tiles that one worker takes in one go.

    Every tile is computed from its own ``seen`` window alone. How tiles are grouped into blocks
    decides memory and speed, never the result.
    """

    row: int
    """Row of the block, counted in blocks."""
    col: int
    """Column of the block, counted in blocks."""
    tiles: tuple[Tile, ...]
    """The tiles, row by row."""


def cut_blocks(
    *, height: int, width: int, core: int, halo: int, per_side: int = 4
) -> Iterator[Block]:
    """Cut a grid into blocks of at most ``per_side`` x ``per_side`` tiles.

    Parameters
    ----------
    height, width
        The grid, pixels.
    core
        Side of a tile's core, pixels.
    halo
        What a tile sees beyond its core on every side, pixels.
    per_side
        Tiles along the side of a block.

    Examples
    --------
    >>> blocks = list(cut_blocks(height=100, width=250, core=100, halo=8, per_side=2))
    >>> [len(block.tiles) for block in blocks]
    [2, 1]
    >>> blocks[1].tiles[0].core
    Window(row=0, col=200, height=100, width=50)
    """
    rows, cols = -(-height // core), -(-width // core)
    for block_row in range(-(-rows // per_side)):
        for block_col in range(-(-cols // per_side)):
            tiles = tuple(
                _tile(row, col, core, halo, (height, width))
                for row in range(block_row * per_side, min(rows, (block_row + 1) * per_side))
                for col in range(block_col * per_side, min(cols, (block_col + 1) * per_side))
            )
            yield Block(row=block_row, col=block_col, tiles=tiles)


def _tile(row: int, col: int, core: int, halo: int, shape: tuple[int, int]) -> Tile:
    square = Window(row=row * core, col=col * core, height=core, width=core)
    inside = square.clipped(height=shape[0], width=shape[1])
    assert inside is not None
    return Tile(core=inside, seen=square.padded(halo))
