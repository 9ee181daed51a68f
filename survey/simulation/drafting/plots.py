"""The ground that structures cover, piece by piece, and when it is covered and cleared."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from shapely import STRtree, unary_union
from shapely.geometry.base import BaseGeometry

from survey.simulation.scene import Structure

__all__ = ["NEVER", "Plots"]

NEVER = 2**31
"""An end after every flight."""
_SLIVER_M2 = 0.01  # left over where outlines are taken from one another


def _surface(shape: BaseGeometry) -> BaseGeometry:
    """Drop the lines and points along which outlines only touch: GEOS cannot cut mixtures."""
    parts = shapely.get_parts(shape)
    return unary_union(parts[shapely.get_dimensions(parts) == 2])


def _ground(item: Structure) -> Iterator[tuple[BaseGeometry, int, int]]:
    """Give the ground of a structure in pieces, with the flights that see each covered and free."""
    covered: list[tuple[BaseGeometry, int]] = []
    before: BaseGeometry = shapely.Polygon()
    for state in item.states:
        outline = unary_union([part.outline() for part in state.parts])
        if outline.equals(before):
            continue
        for piece, first in covered:
            gone = _surface(piece.difference(outline))
            if gone.area > _SLIVER_M2:
                yield gone, first, state.flight
        kept = [(_surface(piece.intersection(outline)), first) for piece, first in covered]
        kept.append((_surface(outline.difference(before)), state.flight))
        covered = [(piece, first) for piece, first in kept if piece.area > _SLIVER_M2]
        before = outline
    yield from ((piece, first, NEVER) for piece, first in covered)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plots:
    """The ground that structures cover, in pieces that are covered and cleared at once."""

    shapes: npt.NDArray[np.object_]
    """Shape (n,), local metres."""
    tree: STRtree
    """Index of `shapes`."""
    owner: npt.NDArray[np.int64]
    """Which structure covers each, counted from 0, shape (n,)."""
    first: npt.NDArray[np.int64]
    """The first flight that sees each covered, shape (n,)."""
    end: npt.NDArray[np.int64]
    """The first flight that sees each cleared, shape (n,)."""

    @classmethod
    def of(cls, structures: Sequence[Structure]) -> "Plots":
        """Index the ground of structures."""
        found = [(*row, owner) for owner, item in enumerate(structures) for row in _ground(item)]
        shapes = np.empty(len(found), dtype=np.object_)
        shapes[:] = [row[0] for row in found]
        numbers = np.array([row[1:] for row in found], dtype=np.int64).reshape(-1, 3)
        first, end, owner = numbers.T
        return cls(shapes=shapes, tree=STRtree(shapes), owner=owner, first=first, end=end)

    def covered(self, flight: int) -> npt.NDArray[np.bool_]:
        """Say which are covered at a flight."""
        return (self.first <= flight) & (flight < self.end)
