"""Claims: which district has an outline, and which others share it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from change.districts.layer import DistrictLayer

__all__ = ["SHARED", "Claims", "Overlay", "Share", "claim", "overlay"]

SHARED = 0.05
"""Smallest share of an outline that is worth naming a neighbour for."""
_NOTHING = 1e-9
"""Share of an outline that is rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How much of a suspect lies in one district."""

    level: str
    """``township``, ``community`` or ``cell``."""
    code: str
    """The district's code; may be empty."""
    name: str
    """The district's name; may be empty."""
    share: float
    """Share of the suspect's outline, 0 to 1; those of one level add up to 1 at most."""
    own: bool
    """Whether this is the one that has the suspect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """How outlines lie on districts; an entry for each of the two that share ground, shape (n,).

    Ordered by outline, then the larger share first; equal shares by district.
    """

    who: NDArray[np.int64]
    """Index of the outline."""
    district: NDArray[np.int64]
    """Index of the district."""
    share: NDArray[np.float64]
    """Share of the outline, 0 to 1. Ground that several districts claim is divided evenly, so that
    no outline has more than the whole."""
    part: NDArray[np.object_]
    """The outline's part inside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What the districts of one level claim of outlines; one entry for each outline."""

    home: NDArray[np.int64]
    """Index of the district that has it; -1 where none does."""
    part: NDArray[np.object_]
    """What lies in that district; where none has it, what is to be looked at all the same."""
    shares: list[list[Share]]
    """Its shares, the own one first."""

    @classmethod
    def unclaimed(cls, outlines: NDArray[np.object_]) -> "Claims":
        """Return what is known where there are no districts: nothing."""
        home = np.full(len(outlines), -1, dtype=np.int64)
        return cls(home=home, part=outlines, shares=[[] for _outline in outlines])


def claim(
    layer: DistrictLayer, outlines: NDArray[np.object_], focus: NDArray[np.object_]
) -> Claims:
    """Return who has outlines, and who shares them.

    Parameters
    ----------
    layer
        The districts.
    outlines
        Valid polygons in metres of the CRS of the layer, shape (n,).
    focus
        The part of each that decides, shape (n,): whoever has the largest share of it has the
        outline. The very objects of ``outlines`` where the whole decides.
    """
    whole = overlay(layer, outlines)
    cut = np.array(
        [part is not outline for part, outline in zip(focus, outlines, strict=True)], bool
    )
    claims = replace(Claims.unclaimed(outlines), part=focus.copy())
    _settle(claims, whole, np.arange(len(outlines)), ~cut)
    _settle(claims, overlay(layer, focus[cut]), np.flatnonzero(cut), cut)
    for who, district, share in zip(
        whole.who.tolist(), whole.district.tolist(), whole.share.tolist(), strict=True
    ):
        own = bool(claims.home[who] == district)
        if own or share >= SHARED:
            item = layer.districts[district]
            told = Share(level=layer.level, code=item.code, name=item.name, share=share, own=own)
            claims.shares[who].insert(0 if own else len(claims.shares[who]), told)
    return claims


def _settle(
    claims: Claims, found: Overlay, index: NDArray[np.int64], which: NDArray[np.bool_]
) -> None:
    """Enter the districts that come first in an overlay, for the outlines in ``which``."""
    who, first = np.unique(found.who, return_index=True)
    who = index[who]
    first, who = first[which[who]], who[which[who]]
    claims.home[who] = found.district[first]
    claims.part[who] = found.part[first]


def overlay(layer: DistrictLayer, outlines: NDArray[np.object_]) -> Overlay:
    """Lay outlines over districts.

    Parameters
    ----------
    layer
        The districts.
    outlines
        Valid polygons in metres of the CRS of the layer, shape (n,).
    """
    who, part = layer.tree.query(outlines, predicate="intersects")
    inside = shapely.covers(layer.parts[part], outlines[who])
    pieces = outlines[who]
    cut = shapely.intersection(layer.parts[part[~inside]], pieces[~inside])
    pieces[~inside] = [_areal(piece) for piece in cut]
    who, district, pieces = _merged(who, layer.owner[part], pieces)
    whole = shapely.area(outlines)
    areas = shapely.area(pieces)
    kept = areas > _NOTHING * whole[who]
    who, district, pieces, areas = who[kept], district[kept], pieces[kept], areas[kept]
    for mine in _groups(who):
        if mine.stop - mine.start > 1:
            areas[mine] = _divided(pieces[mine], areas[mine])
    share = np.round(areas / whole[who], 6)
    order = np.lexsort((district, -share, who))
    return Overlay(who=who[order], district=district[order], share=share[order], part=pieces[order])


def _merged(
    who: NDArray[np.int64], district: NDArray[np.int64], pieces: NDArray[np.object_]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.object_]]:
    """Join the pieces of one outline in one district: its parts may overlap, and count once."""
    order = np.lexsort((district, who))
    who, district, pieces = who[order], district[order], pieces[order]
    first = np.ones(len(who), dtype=bool)
    first[1:] = (np.diff(who) != 0) | (np.diff(district) != 0)
    for mine in _groups(np.cumsum(first)):
        if mine.stop - mine.start > 1:
            pieces[mine.start] = shapely.union_all(pieces[mine])
    return who[first], district[first], pieces[first]


def _groups(sorted_keys: NDArray[np.int64]) -> Iterable[slice]:
    """Yield the runs of equal keys."""
    edges = np.flatnonzero(np.diff(sorted_keys)) + 1
    starts = [0, *edges.tolist()] if len(sorted_keys) else []
    return map(slice, starts, [*starts[1:], len(sorted_keys)])


def _areal(shape: BaseGeometry) -> BaseGeometry:
    """Drop the lines along which outlines only touch: GEOS cannot cut areas with such beside."""
    if shape.geom_type in ("Polygon", "MultiPolygon"):
        return shape
    parts = shapely.get_parts(shape)
    areas = parts[shapely.get_dimensions(parts) == 2]
    return shapely.union_all(areas) if len(areas) else Polygon()


def _divided(pieces: NDArray[np.object_], areas: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return areas in which ground that several pieces claim is divided evenly among them."""
    if areas.sum() - shapely.area(shapely.union_all(pieces)) <= _NOTHING * areas.sum():
        return areas
    regions: list[tuple[BaseGeometry, tuple[int, ...]]] = []
    for number, piece in enumerate(pieces):
        rest, cut = piece, []
        for region, claimed in regions:
            cut.append((_areal(shapely.intersection(region, piece)), (*claimed, number)))
            cut.append((shapely.difference(region, piece), claimed))
            rest = shapely.difference(rest, region)
        regions = [(region, by) for region, by in (*cut, (rest, (number,))) if region.area > 0]
    divided = np.zeros(len(pieces))
    for region, claimed in regions:
        divided[list(claimed)] += region.area / len(claimed)
    return divided
