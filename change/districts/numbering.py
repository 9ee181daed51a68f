"""Numbering: the codes of drawn cells, and which of them outlines lie in."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from change.districts.claims import SHARED, Claims, Share, claim
from change.districts.layer import DistrictLayer
from change.districts.squares import CellScheme, cells_reached, cut_squares, squares_in
from survey.grid import Bounds

__all__ = ["CellNumbering"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellNumbering:
    """The drawn cells of an area."""

    scheme: CellScheme
    """How they are cut and numbered."""
    townships: DistrictLayer | None
    """Townships; given where the scheme's codes hold them."""
    communities: DistrictLayer | None
    """Communities; given where the scheme's codes hold them."""
    _serials: dict[int, dict[tuple[int, int], int]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )
    _township_codes: dict[int, str] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def shares(self, outlines: NDArray[np.object_], claims: Claims) -> list[list[Share]]:
        """Return the cells of outlines, from the large share to the small; the first is its own.

        Parameters
        ----------
        outlines
            Valid polygons in metres of the area's CRS, shape (n,).
        claims
            What the districts of the scheme's level claim of them: their codes are those of cells
            inside the own district, and outlines without one have no cell. Ignored where codes
            belong to no district.
        """
        found: list[list[Share]] = [[] for _outline in outlines]
        whole = shapely.area(outlines)
        placed = np.flatnonzero((whole > 0) & ((claims.home >= 0) | (self.scheme.level == "")))
        cut = cut_squares(claims.part[placed], self.scheme.cell_m)
        who = placed[cut.who]
        share = np.round(cut.area_m2 / whole[who], 6)
        rows = zip(who.tolist(), share.tolist(), cut.east.tolist(), cut.north.tolist(), strict=True)
        for index, part, east, north in rows:
            code = self._code(int(claims.home[index]), east, north)
            if code:
                found[index].append(Share(level="cell", code=code, name="", share=part, own=False))
        return [_own_first(cells) for cells in found]

    def cells(self, bounds: Bounds) -> Iterator[tuple[str, BaseGeometry]]:
        """Yield code and outline of the cells that touch a rectangle, m."""
        layer = self._layer
        if layer is None:
            for east, north in squares_in(bounds, self.scheme.cell_m).tolist():
                yield self._code(-1, east, north), self._square(east, north)
            return
        around = shapely.box(bounds.left, bounds.bottom, bounds.right, bounds.top)
        for district in np.unique(layer.owner[layer.tree.query(around, "intersects")]).tolist():
            whole = shapely.union_all(layer.parts_of(district))
            for east, north in self._serials_of(layer, district):
                square = self._square(east, north)
                if shapely.intersection(square, around).area > 0:
                    yield self._code(district, east, north), shapely.intersection(square, whole)

    @property
    def _layer(self) -> DistrictLayer | None:
        """The districts that codes belong to."""
        levels = {"township": self.townships, "community": self.communities}
        return levels.get(self.scheme.level)

    def _code(self, district: int, east: int, north: int) -> str:
        """Return the code of a cell; empty where the district hardly reaches it."""
        layer = self._layer
        if layer is None:
            return self.scheme.code_of(east, north)
        serial = self._serials_of(layer, district).get((east, north), 0)
        if not serial:
            return ""
        key = layer.districts[district].key
        if layer.level == "township":
            return self.scheme.code_of(east, north, township=key, serial=serial)
        township = self._township_of(layer, district)
        return self.scheme.code_of(east, north, township=township, community=key, serial=serial)

    def _serials_of(self, layer: DistrictLayer, district: int) -> dict[tuple[int, int], int]:
        if district not in self._serials:
            reached = cells_reached(layer.parts_of(district), self.scheme.cell_m)
            self._serials[district] = {cell: nth + 1 for nth, cell in enumerate(reached)}
        return self._serials[district]

    def _township_of(self, layer: DistrictLayer, community: int) -> str:
        """Return the code of the township in which a community lies."""
        if self.townships is None:
            return ""
        if community not in self._township_codes:
            shape = np.empty(1, dtype=object)
            shape[0] = shapely.union_all(layer.parts_of(community))
            home = int(claim(self.townships, shape, shape).home[0])
            self._township_codes[community] = (
                self.townships.districts[home].key if home >= 0 else ""
            )
        return self._township_codes[community]

    def _square(self, east: int, north: int) -> BaseGeometry:
        side = self.scheme.cell_m
        return shapely.box(east * side, north * side, (east + 1) * side, (north + 1) * side)


def _own_first(cells: list[Share]) -> list[Share]:
    """Return the cells of one outline from the large share to the small; the first is its own."""
    ranked = sorted(cells, key=lambda cell: (-cell.share, cell.code))
    return [
        replace(cell, own=nth == 0)
        for nth, cell in enumerate(ranked)
        if nth == 0 or cell.share >= SHARED
    ]
