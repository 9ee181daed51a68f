"""Protected ground: where a building is graver than elsewhere, and which suspects stand on it.

Farmland under the red line, rivers and their dykes, road reserves, green space, heritage: each is a
layer of its own, given by the user under a name that decides its points.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from shapely import MultiPolygon, Polygon, STRtree
from shapely.geometry.base import BaseGeometry

from change.layers import REACH_M, Area, BadRow, LayerRead, read_layer
from change.layers.attributes import find_column, is_blank, text_in
from change.layers.placement import box_distances
from survey.settings import SeveritySettings
from survey.words import _

__all__ = [
    "OnProtected",
    "ProtectedGround",
    "find_on_protected",
    "on_protected",
    "open_protected",
    "points_of",
]

# Names a layer goes by, beside the setting's own: the terms of planning and land use. A bare
# "red line" is none of them: there are red lines of farmland, of roads and of nature.
_WORDS: Mapping[str, tuple[str, ...]] = {
    "river": (
        "river", "riverbank", "dyke", "dike", "levee", "embankment", "waterway", "water",
        "河道", "河涌", "河流", "堤防", "堤围", "堤", "水利", "水域", "水系", "水库", "蓝线",
    ),
    "farmland": (
        "farmland", "cropland", "arable", "basic farmland", "farmland red line",
        "永久基本农田", "基本农田", "永农", "农田", "耕地", "耕地红线",
    ),
    "heritage": (
        "heritage", "monument", "cultural relic", "historic", "conservation area",
        "文物", "文保", "紫线", "历史建筑", "历史文化", "古迹", "遗址",
    ),
    "road": (
        "road", "highway", "street", "road reserve",
        "道路", "道路红线", "公路", "公路建筑控制区", "高速",
    ),
    "green": (
        "green", "green space", "greenspace", "greenbelt", "park", "绿地", "绿线", "绿化", "公园",
    ),
}  # fmt: skip
_LABELS = (
    "name", "label", "title", "名称", "保护对象", "保护名称", "地块名称", "河道名称", "河流名称",
    "道路名称", "文物名称", "图斑编号", "地块编号", "编号",
)  # fmt: skip
_FARTHEST_M = 50_000.0
"""A layer with nothing this near is taken for a mistake: a city is smaller, and a wrong zone or
swapped axes land farther off."""
_LEAST_M2 = 1.0
"""Less ground than this is a corner, not a building."""
_DEEP_M2 = 0.01
"""Area left when the tolerance is taken off that is more than rounding."""
_SEAM_M = 0.01
"""Gaps up to twice this between parcels of one layer are drawing, not ground."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectedGround:
    """One layer of protected ground."""

    name: str
    """The name the user gave it."""
    points: float
    """What standing on it adds to the severity."""
    source: str
    """The file as the user knows it."""
    outlines: tuple[Polygon | MultiPolygon, ...]
    """The usable rows, valid, in metres of the area's CRS."""
    labels: tuple[str, ...]
    """What each of ``outlines`` is called; empty where the layer does not say."""
    assumptions: tuple[str, ...]
    """What was assumed, as sentences."""
    bad_rows: tuple[BadRow, ...]
    """What was wrong, by row."""
    _parts: NDArray[np.object_] = field(init=False, repr=False, compare=False)
    _labels: NDArray[np.object_] = field(init=False, repr=False, compare=False)
    _tree: STRtree = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.labels) != len(self.outlines):
            raise ValueError(f"{len(self.labels)} labels for {len(self.outlines)} outlines")
        outlines = _array(self.outlines)
        parts, owner = shapely.get_parts(outlines, return_index=True)
        object.__setattr__(self, "_parts", parts)
        object.__setattr__(self, "_labels", _array(self.labels)[owner])
        object.__setattr__(self, "_tree", STRtree(parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class OnProtected:
    """How much of an outline stands on one layer of protected ground."""

    name: str
    """The layer's name."""
    label: str
    """What the ground is called there; where several are, the one with the largest share."""
    share: float
    """Share of the outline that stands on it, 0 to 1."""
    area_m2: float
    """Area of the outline that stands on it, m2."""
    points: float
    """What it adds to the severity."""


def open_protected(
    name: str,
    path: str | Path,
    *,
    area: Area,
    crs: CRS | None = None,
    encoding: str | None = None,
    settings: SeveritySettings,
) -> ProtectedGround:
    """Read a layer of protected ground.

    Parameters
    ----------
    name
        What the layer is called in the results; its points go by it, see `points_of`.
    path
        A local file or folder that GDAL reads, a zip of one, or ``FILE|layername=NAME``.
    area
        Where the work takes place; outlines come out in its CRS.
    crs
        CRS of the coordinates, whatever the file says.
    encoding
        Encoding of the text, whatever the file says.
    settings
        The points.

    Raises
    ------
    LayerError
        The layer cannot be read or placed, or has nothing within 50 km.
    """
    read = read_layer(path, area=area, crs=crs, encoding=encoding, reach_m=_FARTHEST_M)
    names = [str(column) for column in read.frame.columns if column != read.frame.geometry.name]
    column = find_column(names, _LABELS)
    labels = [""] * len(read.frame) if column is None else read.frame[column].tolist()
    return ProtectedGround(
        name=name,
        points=points_of(name, settings),
        source=read.source,
        outlines=tuple(read.frame.geometry),
        labels=tuple("" if is_blank(label) else text_in(label) for label in labels),
        assumptions=(*read.assumptions, *_far(read, name, area)),
        bad_rows=read.bad_rows,
    )


def _far(read: LayerRead, name: str, area: Area) -> tuple[str, ...]:
    nearest = box_distances(read.frame.geometry.bounds.to_numpy(), area.bounds).min()
    if nearest <= REACH_M:
        return ()
    sentence = _("{path}: the nearest protected ground ({name}) lies {km:.1f} km from the flight")
    return (sentence.format(path=read.source, name=name, km=nearest / 1000),)


def points_of(name: str, settings: SeveritySettings) -> float:
    """Return the points of protected ground by the name of its layer.

    The name holds one of the names in ``settings.protected``, or a usual term for one of them in
    English or Chinese; the longest that it holds decides, and the user's own before a usual one.

    Examples
    --------
    >>> points_of("永久基本农田 2024", SeveritySettings(protected=(("farmland", 20.0),)))
    20.0
    >>> points_of("airport", SeveritySettings(other_protected=7.0))
    7.0
    """
    plain = _plain(name)
    held = [
        (_plain(word) == plain, len(word), word == own, float(points))
        for own, points in settings.protected
        for word in (own, *_WORDS.get(_plain(own), ()))
        if _holds(plain, _plain(word))
    ]
    return max(held)[-1] if held else float(settings.other_protected)


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[\s_\-]+", " ", folded).strip()


def _holds(name: str, word: str) -> bool:
    """Whether a name holds a word: Latin letters whole, so that no "broad" is a road."""
    if not word.isascii():
        return word in name
    return re.search(rf"(?<![a-z]){re.escape(word)}(?:e?s)?(?![a-z])", name) is not None


def on_protected(
    outline: BaseGeometry, grounds: Sequence[ProtectedGround], tolerance_m: float
) -> tuple[OnProtected, ...]:
    """Return what protected ground an outline stands on; see `find_on_protected`."""
    return find_on_protected([outline], grounds, [tolerance_m])[0]


def find_on_protected(
    outlines: Sequence[BaseGeometry],
    grounds: Sequence[ProtectedGround],
    tolerances_m: Sequence[float],
) -> tuple[tuple[OnProtected, ...], ...]:
    """Return for each outline what protected ground it stands on.

    It counts as standing on ground that it would still stand on if either were moved by the
    tolerance in any direction, and of which it covers more than 1 m2. So a drawing that is off by
    less puts no house on the dyke, and a narrow wall in the middle of a field still counts.

    Parameters
    ----------
    outlines
        Valid polygons in metres of the CRS of the grounds.
    grounds
        The layers.
    tolerances_m
        How far each outline may be off, m.

    Returns
    -------
    tuple of tuple of OnProtected
        One for each outline: the ground with the most points first, then the largest share.
    """
    found: list[list[OnProtected]] = [[] for _outline in outlines]
    shapes, tolerances = _array(outlines), np.asarray(tolerances_m, np.float64)
    for ground in grounds:
        for index, piece in _on_one(shapes, ground, tolerances):
            found[index].append(piece)
    return tuple(
        tuple(sorted(pieces, key=lambda piece: (-piece.points, -piece.share, piece.name)))
        for pieces in found
    )


def _on_one(
    outlines: NDArray[np.object_], ground: ProtectedGround, tolerances: NDArray[np.float64]
) -> list[tuple[int, OnProtected]]:
    """Return the outlines that stand on one layer, by index."""
    # Ground is cut out around the outline: the erosion of the rest of a river is of no interest.
    margins = 2 * (tolerances + 2 * _SEAM_M)
    around = np.asarray(
        shapely.box(*(shapely.bounds(outlines) + margins[:, None] * [-1, -1, 1, 1]).T), dtype=object
    )
    who, which = ground._tree.query(around, predicate="intersects")
    order = np.lexsort((which, who))
    who, which = who[order], which[order]
    local = np.asarray(shapely.intersection(ground._parts[which], around[who]), dtype=object)
    labels = ground._labels[which]
    on = shapely.area(shapely.intersection(local, outlines[who]))
    pieces = []
    for index in np.unique(who[on > 0]).tolist():
        mine = slice(*np.searchsorted(who, [index, index + 1]).tolist())
        outline: BaseGeometry = outlines[index]
        piece = _measured(outline, local[mine], labels[mine])
        if piece[0] > _LEAST_M2 and _is_deep(outline, local[mine], float(tolerances[index])):
            pieces.append((index, _record(ground, piece, outline)))
    return pieces


def _record(
    ground: ProtectedGround, piece: tuple[float, str], outline: BaseGeometry
) -> OnProtected:
    area, label = piece
    share = min(1.0, area / outline.area)
    return OnProtected(
        name=ground.name, label=label, share=share, area_m2=area, points=ground.points
    )


def _measured(
    outline: BaseGeometry, local: NDArray[np.object_], labels: NDArray[np.object_]
) -> tuple[float, str]:
    """Return the area on the ground, counted once where rows overlap, and what it is called."""
    areas = {
        label: shapely.area(
            shapely.intersection(shapely.union_all(local[labels == label]), outline)
        )
        for label in sorted(set(labels.tolist()))
    }
    whole = next(iter(areas.values()))
    if len(areas) > 1:
        whole = shapely.area(shapely.intersection(shapely.union_all(local), outline))
    named = [label for label in areas if label and areas[label] > 0]
    return float(whole), max(named, key=lambda label: round(areas[label], 3), default="")


def _is_deep(outline: BaseGeometry, local: NDArray[np.object_], tolerance_m: float) -> bool:
    """Whether they still meet when either is moved by the tolerance, in any direction."""
    ground = shapely.union_all(local)
    shrunk = shapely.buffer(outline, -tolerance_m)
    if shapely.area(shapely.intersection(shrunk, ground)) > _DEEP_M2:
        return True
    inner = shapely.buffer(shapely.buffer(ground, _SEAM_M), -tolerance_m - _SEAM_M)
    return bool(shapely.area(shapely.intersection(inner, outline)) > _DEEP_M2)


def _array(items: Sequence[object]) -> NDArray[np.object_]:
    """Return things as an array of one dimension, also where there are none."""
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array
